//! Saving a form to finish it later.

use chrono::{DateTime, TimeDelta, Utc};
use entity::consent_event::{self, ConsentMethod};
use entity::form::{self, FinishLater};
use entity::form_draft::{
    ActiveModel, FormDraftState, Model, ShownConsent, ShownConsents, TypedField, TypedFields,
};
use entity::id::{ConsentWordingId, ContactId, FormDraftId, MessageId};
use entity::message;
use entity::{contact, contact_candidate};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel};

use super::whose::{own_contact, whose};
use super::{OPEN_MAX, agreed, held, is_open, kept_visit, open_of, share};
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
use crate::outreach::plan;
use crate::playbook::Playbook;
use crate::viewer::Actor;

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

/// Saves a form.
///
/// By its link, what was typed takes the place of what was saved; without one it is kept by itself, and a mail with its own
/// link is planned. What was saved before without a difference is not saved twice.
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
    let before = match link {
        Some(id) => Some(linked(&tx, form, id, &email, now).await?),
        None => None,
    };
    let mut mail_at = now;
    if before.is_none() {
        let open = open_of(&tx, form.id, &email, now).await?;
        if let Some(same) = open.iter().find(|draft| says_the_same(draft, &fields, &inquiry)) {
            return Ok(Done::quiet(same.id));
        }
        let turn = share::turn(&tx, h, &email, now).await?;
        mail_at = turn
            .filter(|_| open.len() < OPEN_MAX)
            .ok_or_else(|| too_many(form))?;
    }
    let who = whose(&tx, &inquiry.person, before.as_ref(), now).await?;
    let agreed = match &before {
        Some(before) => agreed::of(&tx, before, now).await?,
        None => Vec::new(),
    };
    let saving = Saving {
        h,
        playbook: &playbook,
        form,
        terms,
        inquiry: &inquiry,
        who: &who,
        before: before.as_ref(),
        agreed,
        mail_at,
        now,
    };
    let id = saving.write(&tx, email, fields, agreement).await?;
    tx.commit().await?;
    Ok(Done {
        value: id,
        signals: Vec::new(),
        nudges: vec![Subject::WaitingMail],
    })
}

/// The draft that a link leads to, held, which is saved for the address that the link went to.
async fn linked(
    tx: &DatabaseTransaction,
    form: &form::Model,
    id: FormDraftId,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Model> {
    let draft = held(tx, id).await?;
    let draft = draft.filter(|draft| draft.form_id == form.id && is_open(draft, now));
    let draft = draft.ok_or(Error::Missing { noun: "form" })?;
    if draft.email_normalized.as_deref() == Some(email) {
        return Ok(draft);
    }
    let message =
        "The link belongs to the address that it went to. You can change the address when you send the form.";
    Err(Error::refused(Code::NotAllowedNow, address_field(form), message))
}

fn too_many(form: &form::Model) -> Error {
    let message = "Too many forms wait for this address already. Go on with the link in the newest email.";
    Error::refused(Code::TooLarge, address_field(form), message)
}

/// Name of the field that asks for the address.
fn address_field(form: &form::Model) -> &str {
    let mut fields = form.fields.0.iter();
    let field = fields.find(|field| field.target == form::FieldTarget::Email);
    field.map_or("email", |field| field.name.as_str())
}

/// Whether a draft holds just this: the button was pressed twice.
fn says_the_same(draft: &Model, fields: &TypedFields, inquiry: &Inquiry) -> bool {
    draft.state != FormDraftState::Finished
        && draft.fields == *fields
        && draft.consents == ShownConsents(inquiry.consents.iter().map(shown).collect())
}

fn shown(answer: &ConsentAnswer) -> ShownConsent {
    ShownConsent {
        wording_id: answer.wording_id,
        ticked: answer.granted,
    }
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
    /// What its link led to; none for a form that is saved for the first time.
    before: Option<&'a Model>,
    /// The texts that were agreed to before and still stand.
    agreed: Vec<ConsentWordingId>,
    /// When the mail with the link may go.
    mail_at: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Saving<'_> {
    /// Whose the draft is. One that was saved before stays with its contact.
    fn contact_id(&self) -> ContactId {
        self.before
            .map_or(self.who.contact().id, |before| before.contact_id)
    }

    /// What was ticked, and what was left unticked for the first time, with the mail that asks for a second yes.
    fn consents(&self) -> (Vec<consent_event::Model>, Option<message::ActiveModel>) {
        let is_old = |answer: &ConsentAnswer| {
            let was_shown = self
                .before
                .is_some_and(|before| before.consents.0.contains(&shown(answer)));
            if answer.granted {
                self.agreed.contains(&answer.wording_id)
            } else {
                was_shown
            }
        };
        let answers = self.inquiry.consents.iter().copied();
        let new: Vec<ConsentAnswer> = answers.filter(|answer| !is_old(answer)).collect();
        let second_yes = self.form.opt_in_days.map(|days| SecondYes {
            message_id: new_id(self.now),
            until: self.mail_at + TimeDelta::days(days.into()),
        });
        let contact = contact::Model {
            id: self.contact_id(),
            ..self.who.contact().clone()
        };
        let intake = AtIntake {
            contact: &contact,
            method: ConsentMethod::WebForm,
            source: &self.inquiry.consent_source,
            evidence: &self.inquiry.consent_evidence,
            second_yes,
            actor: Actor::VISITOR,
            now: self.now,
            playbook: self.playbook,
        };
        let events = consent::at_intake(intake, &new);
        let asks = second_yes.and_then(|asks| {
            let mail = plan::opt_in(&self.h.site, &contact, None, asks, &events, self.now)?;
            Some(message::ActiveModel {
                due_at: Set(self.mail_at),
                ..mail
            })
        });
        (events, asks)
    }

    /// What was shown, with what was agreed to before and not shown again.
    fn shown(&self) -> ShownConsents {
        let now_shown = self.inquiry.consents.iter().map(shown);
        let agreed = self.agreed.iter().map(|wording_id| ShownConsent {
            wording_id: *wording_id,
            ticked: true,
        });
        let mut all: Vec<ShownConsent> = agreed.collect();
        for answer in now_shown {
            if all.iter().all(|kept| kept.wording_id != answer.wording_id) {
                all.push(answer);
            }
        }
        ShownConsents(all)
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
        Model {
            id: before.map_or_else(|| new_id(now), |before| before.id),
            form_id: self.form.id,
            contact_id: self.contact_id(),
            email_normalized: Some(email),
            fields,
            consents: self.shown(),
            visit: kept_visit(visit),
            click_id_hash: visit.click_hash(&self.h.secrets),
            agreement: agreement.to_owned(),
            agreed_at: now,
            message_id: before.map_or(message_id, |before| before.message_id),
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

    /// Writes everything, in the order of the foreign keys.
    async fn write(
        &self,
        tx: &DatabaseTransaction,
        email: String,
        fields: TypedFields,
        agreement: &str,
    ) -> Result<FormDraftId> {
        let now = self.now;
        let mut together = Together::default();
        let mut mails = Vec::new();
        if self.before.is_none() {
            self.add_contact(&mut together);
            let (site, contact) = (&self.h.site, self.who.contact());
            mails.push(plan::form_saved(
                site,
                self.form,
                contact,
                self.terms,
                self.mail_at,
                now,
            ));
            together.add([share::counted(self.h, &email, self.mail_at)]);
        } else if let Resolution::Known { contact, changed } = self.who
            && contact.id == self.contact_id()
            && !changed.is_empty()
            && self.is_own_contact(tx).await?
        {
            contact.clone().into_active_model().reset_all().update(tx).await?;
        }
        let (consents, asks) = self.consents();
        let brings_link = mails.first().map(|mail| *mail.id.as_ref());
        mails.extend(asks);
        let planned: Vec<_> = mails.iter().map(|mail| plan::planned_event(mail, now)).collect();
        together.add(consents.into_iter().map(IntoActiveModel::into_active_model));
        together.add(mails);
        together.add(planned);
        let draft = self.draft(email, fields, agreement, brings_link);
        let id = draft.id;
        let row: ActiveModel = draft.into_active_model();
        if self.before.is_none() {
            together.add([row]);
            together.insert(tx).await?;
        } else {
            together.insert(tx).await?;
            row.reset_all().update(tx).await?;
        }
        Ok(id)
    }

    /// The contact of a form that is saved for the first time, if nobody known fits. Of somebody who was known before,
    /// what was not sent changes nothing.
    fn add_contact(&self, together: &mut Together) {
        let Resolution::New { contact, candidates } = self.who else {
            return;
        };
        together.add([contact.clone().into_active_model()]);
        let rows = candidates
            .iter()
            .map(|(other, reason)| contact_candidate::ActiveModel {
                id: Set(new_id(self.now)),
                contact_id: Set(contact.id),
                other_contact_id: Set(*other),
                reason: Set((*reason).to_owned()),
                state: Set(contact_candidate::CandidateState::Open),
                created_at: Set(self.now),
            });
        together.add(rows);
    }

    /// Whether the contact is known through the form that is saved again alone.
    async fn is_own_contact(&self, tx: &DatabaseTransaction) -> Result<bool> {
        match self.before {
            Some(before) => Ok(own_contact(tx, before).await?.is_some()),
            None => Ok(false),
        }
    }
}
