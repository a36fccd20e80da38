//! The sweep over saved forms: what was left becomes an unfinished lead, and what has come to its end is forgotten.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::form_draft::{ActiveModel, Column, Entity, FormDraftState, Model};
use entity::id::FormDraftId;
use entity::lead_event::LeadEventKind;
use entity::{contact, enrollment, form, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::{forget, held, seen, sent};
use crate::contact::resolve::Resolution;
use crate::db;
use crate::db::together::Together;
use crate::done::Done;
use crate::error::{Chain, Error, Result};
use crate::hospital::Hospital;
use crate::lead::decision;
use crate::lead::event::NewEvent;
use crate::lead::form_answers::{self, Sent};
use crate::lead::inquiry::Inquiry;
use crate::lead::receive::{Case, new_lead, person_keys};
use crate::lead::{facts, visit};
use crate::nudge::Subject;
use crate::playbook::Playbook;
use crate::sequence::enroll;
use crate::viewer::Actor;
use crate::{audit, routing};

/// Most drafts that one run looks at.
pub const BATCH: usize = 100;
/// When a draft is looked at again that could not be judged.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// Looks at saved forms that are due, each in a transaction of its own. Answers how many; call it again while it is
/// `limit`. Any number of workers may do so at once.
///
/// # Errors
/// When the database fails.
pub async fn sweep(h: &Hospital, limit: usize) -> Result<Done<usize>> {
    let now = h.now();
    let due: Vec<FormDraftId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit.clamp(1, BATCH) as u64)
        .into_tuple()
        .all(&h.db)
        .await?;
    let mut done = Done::quiet(due.len());
    for id in due {
        match look_at(h, id).await {
            Ok(one) => {
                done.signals.extend(one.signals);
                done.nudges.extend(one.nudges);
            }
            Err(error) => {
                // The others must not wait for it.
                tracing::error!(draft = %id, error = %Chain(&error), "a saved form could not be looked at");
                Entity::update_many()
                    .col_expr(Column::DueAt, Expr::value(now + AGAIN))
                    .filter(Column::Id.eq(id))
                    .exec(&h.db)
                    .await?;
            }
        }
    }
    Ok(done)
}

async fn look_at(h: &Hospital, id: FormDraftId) -> Result<Done<()>> {
    let playbook = h.playbook().await?;
    let Some(draft) = seen(&h.db, id).await? else {
        return Ok(Done::quiet(()));
    };
    let tx = db::begin_write(&h.db).await?;
    db::lock_keys(&tx, &person_keys(h, draft.email_normalized.as_deref(), None)).await?;
    let now = h.now();
    // Read again after the locks: it may have been finished, or looked at by another worker.
    let Some(draft) = held(&tx, id).await?.filter(|draft| draft.due_at <= now) else {
        return Ok(Done::quiet(()));
    };
    let mut done = Done::quiet(());
    if draft.expires_at <= now {
        done.signals = forget::end(&tx, h, draft, Actor::SYSTEM, now).await?;
        audit::record(Actor::SYSTEM, "form-draft.expire", Some(&id), None, now)
            .insert(&tx)
            .await?;
    } else if leave(&tx, h, &playbook, draft, now).await? {
        done.nudges.push(Subject::Enrollments);
    }
    tx.commit().await?;
    Ok(done)
}

/// Makes an unfinished lead of a draft that was left. Answers whether a sequence has taken it in.
async fn leave(
    tx: &DatabaseTransaction,
    h: &Hospital,
    playbook: &Playbook,
    draft: Model,
    now: DateTime<Utc>,
) -> Result<bool> {
    let form = playbook.forms.get(&draft.form_id);
    let form = form.filter(|form| form.finish_later().is_some() && draft.state == FormDraftState::Waiting);
    let contact = contact::Entity::find_by_id(draft.contact_id).one(tx).await?;
    let expires_at = draft.expires_at;
    let (mut lead_id, mut enrolled) = (draft.lead_id, false);
    // A form that is not there any more reminds of nothing; what was typed is kept until its end, as was promised.
    if let (Some(form), Some(contact)) = (form, contact) {
        let rows = rows(h, playbook, form, &contact, &draft, now)?;
        (lead_id, enrolled) = (Some(rows.lead.id), !rows.enrollments.is_empty());
        let mut together = Together::default();
        together.add([rows.lead.into_active_model()]);
        together.add(rows.events.into_iter().map(NewEvent::row));
        together.add(rows.enrollments);
        together.insert(tx).await?;
    }
    let left = ActiveModel {
        state: Set(FormDraftState::Abandoned),
        lead_id: Set(lead_id),
        due_at: Set(expires_at),
        ..draft.into_active_model()
    };
    left.update(tx).await?;
    Ok(enrolled)
}

/// What a form that was left adds: no follow-up, no answer, and no touchpoint, for nobody has asked for anything.
struct Rows {
    lead: lead::Model,
    events: Vec<NewEvent>,
    enrollments: Vec<enrollment::ActiveModel>,
}

fn rows(
    h: &Hospital,
    playbook: &Playbook,
    form: &form::Model,
    contact: &contact::Model,
    draft: &Model,
    now: DateTime<Utc>,
) -> Result<Rows> {
    let inquiry = read(form, playbook, draft)?;
    let who = Resolution::Known {
        contact: contact.clone(),
        changed: Vec::new(),
    };
    let source = visit::source(&inquiry.visit, inquiry.channel, Some(form), playbook);
    let arrival = decision::arrival(playbook, &inquiry, source, &who, now);
    let decision = decision::decide(arrival);
    // Nobody works on it, so it is nobody's.
    let routing = lead::Routing {
        owner_id: None,
        ..routing::decide(&decision.found, playbook, &HashMap::new(), &[], now)
    };
    let case = Case {
        h,
        arrival,
        inquiry: &inquiry,
        placement_id: source.placement_id,
        form: Some(form),
        actor: Actor::SYSTEM,
        who: &who,
        now,
    };
    let lead = lead::Model {
        unfinished_at: Some(now),
        sla_due_at: draft.expires_at,
        sla_target_at: None,
        sla_step: None,
        sla_step_at: None,
        ..new_lead(&case, decision, routing)
    };
    let enrollments = enroll::on_abandoned(playbook, &facts::of(&lead, contact, playbook), &lead, form, now);
    let mut events = vec![NewEvent::new(
        lead.id,
        LeadEventKind::FormAbandoned,
        Actor::SYSTEM,
        now,
    )];
    events.extend(enrollments.iter().map(|row| {
        let id = row.sequence_id.as_ref().to_string();
        NewEvent::new(lead.id, LeadEventKind::Enrolled, Actor::SYSTEM, now).with("sequenceId", id)
    }));
    Ok(Rows {
        lead,
        events,
        enrollments,
    })
}

/// What was typed, read by the form as it is now. What the form does not ask for any more is left out, and if the rest
/// does not fit it any more, all but the address.
fn read(form: &form::Model, playbook: &Playbook, draft: &Model) -> Result<Inquiry> {
    let mut all = sent(draft);
    all.consents.clear();
    all.fields
        .retain(|(name, _)| form.fields.0.iter().any(|field| field.name == *name));
    let address = form
        .fields
        .0
        .iter()
        .find(|field| field.target == form::FieldTarget::Email)
        .map(|field| field.name.clone());
    let alone = Sent {
        fields: address.zip(draft.email_normalized.clone()).into_iter().collect(),
        ..all.clone()
    };
    match form_answers::unfinished(form, playbook, all) {
        Err(Error::Refused(_)) => form_answers::unfinished(form, playbook, alone),
        read => read,
    }
}
