//! Saving a form to finish it later.

use chrono::{DateTime, TimeDelta, Utc};
use entity::consent_event::{self, ConsentMethod};
use entity::form::{self, FinishLater};
use entity::form_draft::{
    ActiveModel, FormDraftState, Model, ShownConsent, ShownConsents, TypedField, TypedFields,
};
use entity::id::{FormDraftId, MessageId};
use entity::message::{self, MessageKind};
use entity::{contact, contact_candidate};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect, QueryTrait,
};

use super::whose::whose;
use super::{held, is_open, kept_visit, open_of};
use crate::consent::{self, AtIntake, SecondYes};
use crate::contact::resolve::Resolution;
use crate::db;
use crate::db::together::Together;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::form_answers::{self, Sent};
use crate::lead::inquiry::{ConsentAnswer, Inquiry};
use crate::lead::receive::person_keys;
use crate::nudge::Subject;
use crate::outreach::{plan, withhold};
use crate::playbook::Playbook;
use crate::viewer::Actor;

/// Most mails with links to saved forms that an address gets in a day, whoever presses the button: anybody can type
/// anybody's address.
pub const MAILS_PER_DAY: u64 = 3;
/// A form that is saved again within this time is in the mail that is there already.
pub const MAIL_AGAIN_MINS: i64 = 10;

/// A form to be saved.
#[derive(Clone, Debug)]
pub struct SaveForm<'a> {
    /// The form.
    pub form: &'a form::Model,
    /// What was typed so far.
    pub sent: Sent,
    /// The text that says what is kept and for how long, as it was shown.
    pub agreement: &'a str,
}

/// Saves a form in place of what the same address saved of it before, and plans the mail with the link.
///
/// A ticked consent is written down now, with the wording that was shown: ticking it and pressing the button is saying so.
///
/// # Errors
/// [`Error::Refused`] with the form's own field names; [`Error::Missing`] when the form cannot be saved, or the link that
/// it was opened by leads nowhere any more.
pub async fn save(h: &Hospital, input: SaveForm<'_>) -> Result<Done<FormDraftId>> {
    let SaveForm {
        form,
        sent,
        agreement,
    } = input;
    let terms = form.finish_later().ok_or(Error::Missing { noun: "form" })?;
    let playbook = h.playbook().await?;
    let (link, fields) = (sent.form_draft_id, typed(form, &sent));
    let inquiry = form_answers::unfinished(form, &playbook, sent)?;
    let email = inquiry.person.email.as_ref().map(|email| email.normalized());
    let email = email.ok_or_else(|| Error::fault("a form was read without the address it needs"))?;
    let tx = db::begin_write(&h.db).await?;
    let phone = inquiry.person.phone.as_ref().map(|phone| phone.as_str());
    db::lock_keys(&tx, &person_keys(h, Some(&email), phone)).await?;
    // Read after the locks: whoever waited for them comes later than whom it waited for.
    let now = h.now();
    let before = open_of(&tx, form.id, &email).await?;
    check_link(&tx, form, link, before.as_ref(), now).await?;
    let whose = whose(&tx, &inquiry.person, before.as_ref(), now).await?;
    let saving = Saving {
        h,
        playbook: &playbook,
        form,
        terms,
        inquiry: &inquiry,
        who: &whose.who,
        before: before.as_ref(),
        now,
    };
    let mail = saving.mail(&tx, &email).await?;
    let (consents, asks) = saving.consents(mail.is_some());
    let row = saving.draft(
        email,
        fields,
        agreement,
        mail.as_ref().map(|mail| *mail.id.as_ref()),
    );
    let id = row.id;
    let nudges = mail.iter().map(|_| Subject::WaitingMail).collect();
    write(&tx, &saving, row, consents, [mail, asks]).await?;
    tx.commit().await?;
    Ok(Done {
        value: id,
        signals: Vec::new(),
        nudges,
    })
}

/// A form that was opened by a link is saved for the address that the link went to.
async fn check_link(
    tx: &DatabaseTransaction,
    form: &form::Model,
    link: Option<FormDraftId>,
    before: Option<&Model>,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(id) = link.filter(|id| before.is_none_or(|before| before.id != *id)) else {
        return Ok(());
    };
    if !held(tx, id)
        .await?
        .is_some_and(|draft| draft.form_id == form.id && is_open(&draft, now))
    {
        return Err(Error::Missing { noun: "form" });
    }
    let field = form.fields.0.iter();
    let field = field
        .filter(|field| field.target == form::FieldTarget::Email)
        .map(|field| field.name.as_str())
        .next();
    let message =
        "The link belongs to the address that it went to. You can change the address when you send the form.";
    Err(Error::refused(
        Code::NotAllowedNow,
        field.unwrap_or("email"),
        message,
    ))
}

/// What was typed into fields that the form has, without what is empty.
fn typed(form: &form::Model, sent: &Sent) -> TypedFields {
    let value = |name: &str| sent.fields.iter().find(|(sent, _)| sent == name);
    let fields = form.fields.0.iter();
    TypedFields(
        fields
            .filter_map(|field| value(&field.name))
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| TypedField {
                name: name.clone(),
                value: value.trim().to_owned(),
            })
            .collect(),
    )
}

/// A form that is being saved.
struct Saving<'a> {
    h: &'a Hospital,
    playbook: &'a Playbook,
    form: &'a form::Model,
    terms: FinishLater,
    inquiry: &'a Inquiry,
    who: &'a Resolution,
    before: Option<&'a Model>,
    now: DateTime<Utc>,
}

impl Saving<'_> {
    /// The mail with the link; none when one is under way, or went a moment ago, or the address had its share for a day.
    async fn mail(&self, tx: &DatabaseTransaction, email: &str) -> Result<Option<message::ActiveModel>> {
        let last = match self.before.and_then(|before| before.message_id) {
            Some(id) => message::Entity::find_by_id(id).one(tx).await?,
            None => None,
        };
        let lately = self.now - TimeDelta::minutes(MAIL_AGAIN_MINS);
        if last.is_some_and(|last| withhold::PENDING.contains(&last.state) || last.created_at > lately) {
            return Ok(None);
        }
        if mails_of_a_day(tx, email, self.now).await? >= MAILS_PER_DAY {
            return Ok(None);
        }
        Ok(Some(plan::form_saved(
            &self.h.site,
            self.form,
            self.who.contact(),
            self.terms,
            self.now,
        )))
    }

    /// What was ticked and left unticked since it was saved before. A consent that asks for a second yes needs a mail of
    /// its own, which goes along with the one with the link; without that it is left to the next time.
    fn consents(&self, mailed: bool) -> (Vec<consent_event::Model>, Option<message::ActiveModel>) {
        let known = |answer: &ConsentAnswer| {
            let shown = ShownConsent {
                wording_id: answer.wording_id,
                ticked: answer.granted,
            };
            self.before
                .is_some_and(|before| before.consents.0.contains(&shown))
        };
        let answers = self.inquiry.consents.iter().copied();
        let new: Vec<ConsentAnswer> = answers
            .filter(|answer| !known(answer) && self.is_written_now(answer, mailed))
            .collect();
        let second_yes = self.form.opt_in_days.map(|days| SecondYes {
            message_id: new_id(self.now),
            until: self.now + TimeDelta::days(days.into()),
        });
        let contact = self.who.contact();
        let intake = AtIntake {
            contact,
            method: ConsentMethod::WebForm,
            source: &self.inquiry.consent_source,
            evidence: &self.inquiry.consent_evidence,
            second_yes,
            actor: Actor::VISITOR,
            now: self.now,
            playbook: self.playbook,
        };
        let events = consent::at_intake(intake, &new);
        let asks =
            second_yes.and_then(|asks| plan::opt_in(&self.h.site, contact, None, asks, &events, self.now));
        (events, asks)
    }

    fn is_written_now(&self, answer: &ConsentAnswer, mailed: bool) -> bool {
        mailed || !answer.granted || self.form.opt_in_days.is_none()
    }

    /// The row.
    fn draft(
        &self,
        email: String,
        fields: TypedFields,
        agreement: &str,
        message_id: Option<MessageId>,
    ) -> Model {
        let Self {
            terms, now, before, ..
        } = *self;
        let days = |days: i32| now + TimeDelta::days(days.into());
        let state = before.map_or(FormDraftState::Waiting, |before| before.state);
        let expires_at = days(terms.kept_days);
        let visit = &self.inquiry.visit;
        // An unfinished lead stays with the contact that it was made for.
        let contact_id = before
            .filter(|before| before.lead_id.is_some())
            .map_or(self.who.contact().id, |before| before.contact_id);
        let mailed = message_id.is_some();
        let consents = self.inquiry.consents.iter();
        Model {
            id: before.map_or_else(|| new_id(now), |before| before.id),
            form_id: self.form.id,
            contact_id,
            email_normalized: Some(email),
            fields,
            consents: ShownConsents(
                consents
                    .map(|answer| ShownConsent {
                        wording_id: answer.wording_id,
                        ticked: answer.granted && self.is_written_now(answer, mailed),
                    })
                    .collect(),
            ),
            visit: kept_visit(visit),
            click_id_hash: visit.click_hash(&self.h.secrets),
            agreement: agreement.to_owned(),
            agreed_at: now,
            message_id: message_id.or(before.and_then(|before| before.message_id)),
            lead_id: before.and_then(|before| before.lead_id),
            state,
            due_at: match state {
                FormDraftState::Waiting => days(terms.abandoned_after_days),
                FormDraftState::Abandoned | FormDraftState::Finished => expires_at,
            },
            expires_at,
            created_at: before.map_or(now, |before| before.created_at),
        }
    }
}

/// How many mails with links to saved forms an address got, or is about to get, within a day.
async fn mails_of_a_day(tx: &DatabaseTransaction, email: &str, now: DateTime<Utc>) -> Result<u64> {
    let theirs = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::EmailNormalized.eq(email))
        .into_query();
    let count = message::Entity::find()
        .filter(message::Column::ContactId.in_subquery(theirs))
        .filter(message::Column::Kind.eq(MessageKind::FormSaved))
        .filter(message::Column::CreatedAt.gt(now - TimeDelta::days(1)))
        .count(tx)
        .await?;
    Ok(count)
}

/// Writes everything, in the order of the foreign keys.
async fn write(
    tx: &DatabaseTransaction,
    saving: &Saving<'_>,
    draft: Model,
    consents: Vec<consent_event::Model>,
    mails: [Option<message::ActiveModel>; 2],
) -> Result<()> {
    let now = saving.now;
    let mut together = Together::default();
    match saving.who {
        Resolution::New {
            contact, candidates, ..
        } => {
            together.add([contact.clone().into_active_model()]);
            together.add(
                candidates
                    .iter()
                    .map(|(other, reason)| contact_candidate::ActiveModel {
                        id: Set(new_id(now)),
                        contact_id: Set(contact.id),
                        other_contact_id: Set(*other),
                        reason: Set((*reason).to_owned()),
                        state: Set(contact_candidate::CandidateState::Open),
                        created_at: Set(now),
                    }),
            );
        }
        // Of somebody who was known before, what was not sent changes nothing.
        Resolution::Known { contact, changed } => {
            let made_for_it = saving.before.is_some_and(|before| {
                before.contact_id == contact.id && contact.created_at >= before.created_at
            });
            if made_for_it && !changed.is_empty() {
                contact.clone().into_active_model().reset_all().update(tx).await?;
            }
        }
    }
    let mails: Vec<message::ActiveModel> = mails.into_iter().flatten().collect();
    let planned: Vec<_> = mails.iter().map(|mail| plan::planned_event(mail, now)).collect();
    together.add(consents.into_iter().map(IntoActiveModel::into_active_model));
    together.add(mails);
    together.add(planned);
    let row: ActiveModel = draft.into_active_model();
    if saving.before.is_none() {
        together.add([row]);
        together.insert(tx).await?;
    } else {
        together.insert(tx).await?;
        row.reset_all().update(tx).await?;
    }
    Ok(())
}
