//! The main job: an inquiry becomes a lead, in one transaction.
//!
//! Whatever door it came by: the contact is found or made, consent is written down, the source is named, the service
//! line, flags, score and team are decided, the first follow-up is due by the SLA, sequences begin, and the
//! confirmation is planned. Either all of it is stored or none. Doing it twice with one external id changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enrollment::ExitReason;
use entity::enums::LeadStage;
use entity::id::{LeadId, PlacementId};
use entity::{form, lead};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

use super::decision::{self, Decision};
use super::form_draft::finish::{self, Saved};
use super::form_draft::overtake::overtake;
use super::form_draft::whose::whose;
use super::inquiry::Inquiry;
use super::rows::{self, Rows};
use super::triage::{Arrival, Triage};
use super::visit::{self, Source};
use crate::contact::resolve::Resolution;
use crate::db;
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::nudge::Subject;
use crate::routing;
use crate::sequence::happen;
use crate::signal::Signal;
use crate::viewer::Actor;

/// The same form, contact and service line within this time is the same inquiry, sent again.
pub const REPEAT_WINDOW_MINS: i64 = 10;

/// What a door answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The lead.
    pub lead_id: LeadId,
    /// Whether this inquiry made it; a repeated one did not.
    pub created: bool,
}

/// Receives an inquiry.
///
/// # Errors
/// Faults of the database, and [`Error::Missing`](crate::error::Error::Missing) for the link to a saved form that is no
/// longer kept. What can be refused was refused when the inquiry was parsed.
pub async fn receive(h: &Hospital, actor: Actor, inquiry: Inquiry) -> Result<Done<Receipt>> {
    let playbook = h.playbook().await?;
    let form = inquiry.form_id.and_then(|id| playbook.forms.get(&id));
    let source = visit::source(&inquiry.visit, inquiry.channel, form, &playbook);
    let tx = db::begin_write(&h.db).await?;
    db::lock_keys(&tx, &lock_keys(h, &inquiry, source)).await?;
    // Read after the locks: whoever waited for them comes later than whom it waited for.
    let now = h.now();
    let saved = finish::saved(&tx, &inquiry, now).await?;
    if let Some(first) = saved.as_ref().and_then(Saved::sent_before) {
        return Ok(repeated(first));
    }
    if let Some(first) = same_external_id(&tx, &inquiry, source).await? {
        return Ok(repeated(first));
    }
    let draft = saved.as_ref().map(|saved| &saved.draft);
    let who = whose(&tx, &inquiry.person, draft, now).await?;
    let arrival = decision::arrival(&playbook, &inquiry, source, &who, now);
    let decision = decision::decide(arrival);
    let case = Case {
        h,
        arrival,
        inquiry: &inquiry,
        placement_id: source.placement_id,
        form,
        actor,
        who: &who,
        now,
    };
    let signals = match draft {
        Some(draft) => finish::stop_reminding(&tx, draft, ExitReason::FormFinished, now).await?,
        None => overtake(&tx, form, &inquiry.person, now).await?,
    };
    let goes_on = answered_again(&tx, &case).await?;
    if let Some(first) = same_again(&tx, &case, &decision.triage).await? {
        let asked = rows::grant_again(&tx, &case, first).await?;
        if let Some(Saved { draft, .. }) = saved {
            finish::settle(&tx, h, draft, who.contact().id, first, now).await?;
        }
        tx.commit().await?;
        return Ok(Done {
            signals,
            ..told_again(first, goes_on, asked)
        });
    }
    let found = &decision.found;
    let load = routing::load(&tx, &playbook, &routing::candidates(found, &playbook)).await?;
    let turn = routing::turn::hold(&tx, found).await?;
    let routing = routing::decide(found, &playbook, &load, turn.given(), now);
    routing::turn::give(&tx, turn, routing.owner_id).await?;
    let unfinished = saved.as_ref().and_then(|saved| saved.lead.as_ref());
    let lead = in_place_of(unfinished, new_lead(&case, decision, routing));
    let lead_id = lead.id;
    let rows = rows::of(&case, lead);
    let mut done = told(&rows, goes_on);
    done.signals.extend(signals);
    rows::insert(&tx, &who, unfinished.is_some(), rows).await?;
    if let Some(Saved { draft, .. }) = saved {
        finish::settle(&tx, h, draft, who.contact().id, lead_id, now).await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// Lets enrollments go on that wait for a known contact to send a form. Answers whether there were some.
async fn answered_again(tx: &DatabaseTransaction, case: &Case<'_>) -> Result<bool> {
    match (case.inquiry.form_id, case.who) {
        (Some(_), Resolution::Known { contact, .. }) => {
            happen::form_answered(tx, case.arrival.playbook, contact.id, case.now).await
        }
        _ => Ok(false),
    }
}

/// One inquiry on its way to a lead.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub h: &'a Hospital,
    pub arrival: Arrival<'a>,
    pub inquiry: &'a Inquiry,
    pub placement_id: Option<PlacementId>,
    pub form: Option<&'a form::Model>,
    pub actor: Actor,
    pub who: &'a Resolution,
    pub now: DateTime<Utc>,
}

/// The lead that was made of the same form when it was left becomes the one that was sent.
fn in_place_of(unfinished: Option<&lead::Model>, lead: lead::Model) -> lead::Model {
    match unfinished {
        Some(before) => lead::Model {
            id: before.id,
            version: before.version + 1,
            ..lead
        },
        None => lead,
    }
}

/// The lead's own row.
pub(super) fn new_lead(case: &Case<'_>, decision: Decision<'_>, mut routing: lead::Routing) -> lead::Model {
    let Case { arrival, inquiry, .. } = *case;
    let Decision { triage, wanted, .. } = decision;
    routing.basis.intake = Some(arrival.intake);
    lead::Model {
        id: new_id(case.now),
        contact_id: arrival.contact.id,
        lead_type: inquiry.lead_type,
        stage: LeadStage::New,
        disposition: None,
        service_line_id: triage.service_line_id,
        requested_service: inquiry.requested_service.clone(),
        facility_id: decision.facility,
        team_id: routing.team_id,
        owner_id: routing.owner_id,
        urgent: decision.found.urgent,
        channel: arrival.channel,
        campaign_id: arrival.campaign_id,
        placement_id: case.placement_id,
        form_id: inquiry.form_id,
        external_id: inquiry.external_id.clone(),
        landing_page: inquiry.visit.landing_page.clone(),
        referrer_host: inquiry.visit.referrer_host.clone(),
        utm: inquiry.visit.utm.clone(),
        source_code: inquiry.visit.source_code.clone(),
        click_id_kind: inquiry.visit.click_kind().map(str::to_owned),
        click_id_hash: inquiry.visit.click_hash(&case.h.secrets),
        answers: lead::Answers(inquiry.answers.clone()),
        flags: lead::Flags(decision.flags),
        score_points: triage.score.points,
        score_grade: triage.score.grade,
        score_reasons: triage.score.reasons,
        score_revision: arrival.playbook.revision,
        routing,
        sla_policy_id: wanted.policy.map(|policy| policy.id),
        sla_due_at: wanted.due_at,
        sla_target_at: Some(wanted.target_at),
        sla_step: wanted.step.map(|next| next.step),
        sla_step_at: wanted.step.map(|next| next.at),
        taken_back_at: None,
        taken_from_id: None,
        sla_missed_at: None,
        attempts_wanted: wanted.attempts,
        attempts_made: 0,
        received_at: case.now,
        unfinished_at: None,
        first_attempt_at: None,
        first_attempt_business_secs: None,
        first_reached_at: None,
        qualified_at: None,
        scheduled_at: None,
        completed_at: None,
        closed_at: None,
        erased_at: None,
        version: 1,
        updated_at: case.now,
    }
}

/// The news of a new lead.
fn told(rows: &Rows, goes_on: bool) -> Done<Receipt> {
    let mut signals = vec![Signal::LeadReceived {
        lead_id: rows.lead.id,
    }];
    signals.push(Signal::FollowUpChanged {
        follow_up_id: rows.follow_up.id,
    });
    let mut nudges = Vec::new();
    if !rows.messages.is_empty() {
        nudges.push(Subject::WaitingMail);
    }
    if goes_on || !rows.enrollments.is_empty() {
        nudges.push(Subject::Enrollments);
    }
    Done {
        value: Receipt {
            lead_id: rows.lead.id,
            created: true,
        },
        signals,
        nudges,
    }
}

/// The news of an inquiry that came again: it may have let an enrollment go on, or asked for a second yes.
fn told_again(first: LeadId, goes_on: bool, asked: bool) -> Done<Receipt> {
    let mut done = repeated(first);
    done.nudges.extend(goes_on.then_some(Subject::Enrollments));
    done.nudges.extend(asked.then_some(Subject::WaitingMail));
    done
}

fn repeated(first: LeadId) -> Done<Receipt> {
    Done::quiet(Receipt {
        lead_id: first,
        created: false,
    })
}

/// Keys that make inquiries about one address, number or external id wait for each other.
fn lock_keys(h: &Hospital, inquiry: &Inquiry, source: Source) -> Vec<i64> {
    let email = inquiry.person.email.as_ref().map(|email| email.normalized());
    let phone = inquiry.person.phone.as_ref().map(|phone| phone.as_str());
    let mut keys = person_keys(h, email.as_deref(), phone);
    if let Some(id) = &inquiry.external_id {
        keys.push(lock_key(
            h,
            "lock external id",
            &format!("{}/{id}", source.channel),
        ));
    }
    keys
}

/// Keys that make operations about one normalized address or number wait for each other.
pub(crate) fn person_keys(h: &Hospital, email: Option<&str>, phone: Option<&str>) -> Vec<i64> {
    let email = email.map(|email| lock_key(h, "lock email", email));
    let phone = phone.map(|phone| lock_key(h, "lock phone", phone));
    email.into_iter().chain(phone).collect()
}

fn lock_key(h: &Hospital, kind: &str, value: &str) -> i64 {
    let hash = h.secrets.address_hash(kind, value);
    i64::from_be_bytes(std::array::from_fn(|index| hash[index]))
}

/// The lead that this external id made before.
async fn same_external_id(
    tx: &DatabaseTransaction,
    inquiry: &Inquiry,
    source: Source,
) -> Result<Option<LeadId>> {
    let Some(external_id) = &inquiry.external_id else {
        return Ok(None);
    };
    let found = lead::Entity::find()
        .filter(lead::Column::Channel.eq(source.channel))
        .filter(lead::Column::ExternalId.eq(external_id))
        .filter(lead::Column::UnfinishedAt.is_null())
        .one(tx)
        .await?;
    Ok(found.map(|lead| lead.id))
}

/// The lead that this person's same inquiry made minutes ago, whatever external id it came with: a page that makes a new
/// id for every press of its button sends one inquiry many times.
async fn same_again(tx: &DatabaseTransaction, case: &Case<'_>, triage: &Triage) -> Result<Option<LeadId>> {
    let inquiry = case.inquiry;
    let (Some(form_id), Resolution::Known { contact, .. }) = (inquiry.form_id, case.who) else {
        return Ok(None);
    };
    let same = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(contact.id))
        .filter(lead::Column::ReceivedAt.gt(case.now - TimeDelta::minutes(REPEAT_WINDOW_MINS)))
        .filter(lead::Column::FormId.eq(form_id))
        .filter(lead::Column::UnfinishedAt.is_null());
    let same = match (triage.service_line_id, &inquiry.requested_service) {
        (Some(line), _) => same.filter(lead::Column::ServiceLineId.eq(line)),
        (None, Some(words)) => same.filter(lead::Column::RequestedService.eq(words)),
        (None, None) => same.filter(lead::Column::ServiceLineId.is_null()),
    };
    let found = same.order_by_asc(lead::Column::ReceivedAt).one(tx).await?;
    Ok(found.map(|lead| lead.id))
}
