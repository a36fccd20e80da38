//! The rows of a received lead, built by pure functions and written together.

use chrono::TimeDelta;
use entity::consent_event::ConsentAction;
use entity::id::LeadId;
use entity::lead_event::LeadEventKind;
use entity::touchpoint::TouchpointKind;
use entity::{
    consent_event, contact_candidate, date_occasion, enrollment, follow_up, lead, lead_event, message,
    message_event, touchpoint,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
};

use super::event::NewEvent;
use super::facts;
use super::receive::Case;
use crate::consent::{self, AtIntake, SecondYes};
use crate::contact::resolve::Resolution;
use crate::db::together::Together;
use crate::error::Result;
use crate::follow_up::build::{self, About, Pace};
use crate::id::new_id;
use crate::outreach::{plan, staff_notice};
use crate::sequence;
use crate::viewer::Actor;

/// Everything that a new lead adds, apart from its contact.
pub(super) struct Rows {
    pub lead: lead::Model,
    pub events: Vec<lead_event::ActiveModel>,
    pub consents: Vec<consent_event::Model>,
    pub touchpoint: touchpoint::ActiveModel,
    pub follow_up: follow_up::Model,
    pub enrollments: Vec<enrollment::ActiveModel>,
    pub occasions: Vec<date_occasion::ActiveModel>,
    pub messages: Vec<message::ActiveModel>,
    pub message_events: Vec<message_event::ActiveModel>,
    pub candidates: Vec<contact_candidate::ActiveModel>,
}

/// Builds them.
pub(super) fn of(case: &Case<'_>, lead: lead::Model) -> Rows {
    let Case { h, arrival, now, .. } = *case;
    let (playbook, contact) = (arrival.playbook, arrival.contact);
    let remind_before_mins = Pace::of(&lead, playbook).remind_before_mins;
    let follow_up = build::first_contact(&About::from(&lead), lead.sla_due_at, remind_before_mins, now);
    let enrollments = sequence::enroll::on_received(
        playbook,
        &facts::of(&lead, contact, playbook),
        lead.id,
        contact.id,
        now,
    );
    let (consents, asks) = consents(case, lead.id);
    let mut messages = Vec::new();
    // Until the second yes nothing goes out but the mail that asks for it; the form's own answer follows the click.
    messages.extend(asks.or_else(|| {
        case.form
            .and_then(|form| plan::confirmation(&h.site, playbook, form, &lead, contact, now))
    }));
    messages.extend(follow_up.assignee_id.map(|staff| {
        staff_notice::build(
            &h.site,
            playbook,
            message::MessageKind::FollowUpAssigned,
            &follow_up,
            staff,
            now,
        )
    }));
    Rows {
        events: events(case, &lead, &enrollments),
        consents,
        touchpoint: touched(case, &lead),
        message_events: messages
            .iter()
            .map(|message| plan::planned_event(message, now))
            .collect(),
        candidates: candidates(case),
        occasions: sequence::dates::of_lead(playbook, &lead, now),
        follow_up,
        enrollments,
        messages,
        lead,
    }
}

/// What the inquiry says about consent, and the mail that asks for a second yes where the form wants one.
fn consents(case: &Case<'_>, lead_id: LeadId) -> (Vec<consent_event::Model>, Option<message::ActiveModel>) {
    let inquiry = case.inquiry;
    let days = case.form.and_then(|form| form.opt_in_days);
    let second_yes = days.map(|days| SecondYes {
        message_id: new_id(case.now),
        until: case.now + TimeDelta::days(days.into()),
    });
    let contact = case.arrival.contact;
    let intake = AtIntake {
        contact,
        method: inquiry.consent_method,
        source: &inquiry.consent_source,
        evidence: &inquiry.consent_evidence,
        second_yes,
        actor: case.actor,
        now: case.now,
        playbook: case.arrival.playbook,
    };
    let events = consent::at_intake(intake, &inquiry.consents);
    let asks = second_yes
        .and_then(|asks| plan::opt_in(&case.h.site, contact, Some(lead_id), asks, &events, case.now));
    (events, asks)
}

fn events(
    case: &Case<'_>,
    lead: &lead::Model,
    enrollments: &[enrollment::ActiveModel],
) -> Vec<lead_event::ActiveModel> {
    let Case {
        arrival, actor, now, ..
    } = *case;
    let mut events = vec![
        NewEvent::new(lead.id, LeadEventKind::Received, actor, now).with("channel", lead.channel.as_str()),
        NewEvent::new(lead.id, LeadEventKind::Routed, Actor::SYSTEM, now)
            .with("rule", lead.routing.rule.as_str())
            .with("team", lead.team_id.to_string())
            .with("owner", lead.owner_id.map(|id| id.to_string())),
    ];
    if let Resolution::Known { changed, .. } = case.who
        && !changed.is_empty()
    {
        let fields = changed
            .iter()
            .filter(|name| **name != "email_normalized")
            .copied()
            .collect::<Vec<_>>();
        events.push(NewEvent::new(lead.id, LeadEventKind::Updated, actor, now).with("contactFields", fields));
    }
    for enrollment in enrollments {
        let sequence = enrollment
            .sequence_id
            .clone()
            .take()
            .and_then(|id| arrival.playbook.sequences.get(&id));
        let name = sequence.map(|published| published.sequence.name.as_str());
        events
            .push(NewEvent::new(lead.id, LeadEventKind::Enrolled, Actor::SYSTEM, now).with("sequence", name));
    }
    events.into_iter().map(NewEvent::row).collect()
}

fn touched(case: &Case<'_>, lead: &lead::Model) -> touchpoint::ActiveModel {
    let kind = if lead.form_id.is_some() {
        TouchpointKind::Form
    } else {
        TouchpointKind::Other
    };
    touchpoint::ActiveModel {
        id: Set(new_id(case.now)),
        contact_id: Set(lead.contact_id),
        lead_id: Set(Some(lead.id)),
        kind: Set(kind),
        channel: Set(lead.channel),
        campaign_id: Set(lead.campaign_id),
        placement_id: Set(lead.placement_id),
        at: Set(case.now),
    }
}

fn candidates(case: &Case<'_>) -> Vec<contact_candidate::ActiveModel> {
    let Resolution::New { contact, candidates } = case.who else {
        return Vec::new();
    };
    candidates
        .iter()
        .map(|(other, reason)| contact_candidate::ActiveModel {
            id: Set(new_id(case.now)),
            contact_id: Set(contact.id),
            other_contact_id: Set(*other),
            reason: Set((*reason).to_owned()),
            state: Set(contact_candidate::CandidateState::Open),
            created_at: Set(case.now),
        })
        .collect()
}

/// Writes everything, in the order of the foreign keys. A lead that was there before, as an unfinished one, is written
/// anew.
pub(super) async fn insert(
    tx: &DatabaseTransaction,
    who: &Resolution,
    was_there: bool,
    rows: Rows,
) -> Result<()> {
    let mut together = Together::default();
    match who {
        // The lead that is there is made to point at it before the rest is written.
        Resolution::New { contact, .. } if was_there => {
            contact.clone().into_active_model().insert(tx).await?;
        }
        Resolution::New { contact, .. } => together.add([contact.clone().into_active_model()]),
        Resolution::Known { changed, .. } if changed.is_empty() => {}
        Resolution::Known { contact, .. } => {
            contact.clone().into_active_model().reset_all().update(tx).await?;
        }
    }
    let lead = rows.lead.into_active_model();
    if was_there {
        lead.reset_all().update(tx).await?;
    } else {
        together.add([lead]);
    }
    together.add([rows.touchpoint]);
    together.add([rows.follow_up.into_active_model()]);
    together.add(rows.events);
    together.add(active(rows.consents));
    together.add(rows.candidates);
    together.add(rows.enrollments);
    together.add(rows.occasions);
    together.add(rows.messages);
    together.add(rows.message_events);
    together.insert(tx).await?;
    Ok(())
}

fn active(events: Vec<consent_event::Model>) -> Vec<consent_event::ActiveModel> {
    events
        .into_iter()
        .map(IntoActiveModel::into_active_model)
        .collect()
}

/// Writes down what a repeated inquiry grants beyond the `first`: somebody who forgot to tick a box and sends the form
/// again has consented. Answers whether a mail was planned that asks for the second yes.
pub(super) async fn grant_again(tx: &DatabaseTransaction, case: &Case<'_>, first: LeadId) -> Result<bool> {
    let inquiry = case.inquiry;
    if !inquiry.consents.iter().any(|consent| consent.granted) {
        return Ok(false);
    }
    let known = consent_event::Entity::find()
        .filter(consent_event::Column::ContactId.eq(case.arrival.contact.id))
        .filter(consent_event::Column::Action.is_in([ConsentAction::Grant, ConsentAction::Pending]))
        .all(tx)
        .await?;
    let recent = case.now - TimeDelta::minutes(super::receive::REPEAT_WINDOW_MINS);
    let is_known = |event: &consent_event::Model| {
        known
            .iter()
            .any(|row| row.wording_id == event.wording_id && row.occurred_at > recent)
    };
    let (events, asks) = consents(case, first);
    let new: Vec<_> = events
        .into_iter()
        .filter(|event| event.action != ConsentAction::Deny && !is_known(event))
        .collect();
    let asks = asks.filter(|_| new.iter().any(|event| event.action == ConsentAction::Pending));
    let asked = asks.is_some();
    let mut together = Together::default();
    let planned: Vec<_> = asks
        .iter()
        .map(|message| plan::planned_event(message, case.now))
        .collect();
    together.add(active(new));
    together.add(asks);
    together.add(planned);
    together.insert(tx).await?;
    Ok(asked)
}
