//! Claims messages that are due, asks the gate in the same transaction, and hands out what may go.
//!
//! One transaction takes a batch by one locking statement, reads what the gate has to know of the whole batch by a
//! handful of statements, decides message by message in memory, and writes every claim with its decision by one
//! statement. What it costs does not depend on how many messages wait.
//!
//! Only this module can make a [`Sendable`], and only of a message that the gate allowed: mail leaves no other way.

pub(super) mod known;
pub(super) mod rows;
mod turns;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{ConsentEventId, MessageId};
use entity::message::{self, Decision, DecisionReason, GateOutcome, GateReason, Lane, MessageState};
use entity::message_event::{self, MessageEventKind};
use entity::{appointment, contact, follow_up, form_draft, lead, staff, template_version};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, FromQueryResult, Statement, Value,
};

use super::plan;
use crate::db::{self, BATCH_MAX, each::update_each};
use crate::error::{Error, Result};
use crate::follow_up::digest::Digest;
use crate::hospital::Hospital;
use known::{Asked, Known};
use rows::Contacts;

/// How long a message waits whose contact is being changed by somebody at this moment.
const BUSY_CONTACT_WAIT: TimeDelta = TimeDelta::seconds(2);

/// The longest that a message waits before the gate looks again, however far off the time is that is known. The times
/// are set by people, who change their minds.
const LONGEST_WAIT: TimeDelta = TimeDelta::days(1);

/// Who a message goes to.
#[derive(Clone)]
pub enum Recipient {
    /// A contact.
    Contact(Arc<contact::Model>),
    /// A member of staff.
    Staff(Arc<staff::Model>),
}

/// A message that the gate has allowed, under a lease of this worker, with what is needed to write it.
///
/// It proves the permission, so it cannot be made outside of the claim, nor copied. It has no `Debug`, because it names
/// a person.
pub struct Sendable {
    message: message::Model,
    recipient: Recipient,
    address: String,
    lead: Option<Arc<lead::Model>>,
    template: Option<Arc<template_version::Model>>,
    follow_up: Option<Arc<follow_up::Model>>,
    next_visit: Option<appointment::Model>,
    draft: Option<Arc<form_draft::Model>>,
    digest: Option<Arc<Digest>>,
    lined_up: bool,
    shows_clicks: bool,
}

impl Sendable {
    /// The message's id.
    pub fn id(&self) -> MessageId {
        self.message.id
    }

    /// Whether its links may be opaque ones, by which we see that they are opened: the contact allows it as of the claim.
    pub fn shows_clicks(&self) -> bool {
        self.shows_clicks
    }

    /// Whether it was deferred before because as many mails as may go went out.
    pub(super) fn has_lined_up(&self) -> bool {
        self.lined_up
    }

    /// Says by which route it goes out, before it is handed off.
    pub fn send_by(&mut self, route: &str) {
        self.message.route = Some(route.to_owned());
    }

    /// The message as it was claimed.
    pub fn message(&self) -> &message::Model {
        &self.message
    }

    /// The address of the envelope.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Who it goes to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The contact it goes to; none for a mail to staff.
    pub fn contact(&self) -> Option<&contact::Model> {
        match &self.recipient {
            Recipient::Contact(contact) => Some(contact),
            Recipient::Staff(_) => None,
        }
    }

    /// The lead it is about.
    pub fn lead(&self) -> Option<&lead::Model> {
        self.lead.as_deref()
    }

    /// The text it is made of; none for mails to staff.
    pub fn template(&self) -> Option<&template_version::Model> {
        self.template.as_deref()
    }

    /// The follow-up it reminds of.
    pub fn follow_up(&self) -> Option<&follow_up::Model> {
        self.follow_up.as_deref()
    }

    /// The lead's next booked visit.
    pub fn next_visit(&self) -> Option<&appointment::Model> {
        self.next_visit.as_ref()
    }

    /// What its recipient has to do today, if it says that.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_deref()
    }

    /// The saved form that it links to.
    pub fn draft(&self) -> Option<&form_draft::Model> {
        self.draft.as_deref()
    }

    /// The name of the recipient, as mails show it.
    pub fn recipient_name(&self) -> String {
        match &self.recipient {
            Recipient::Contact(contact) => contact.display_name(),
            Recipient::Staff(staff) => staff.display_name.clone(),
        }
    }

    /// Which try this is, counted from 1.
    pub fn attempt(&self) -> i32 {
        self.message.attempts + 1
    }
}

/// What a claim brought.
pub struct Claimed {
    /// What may go now, in the order in which it was due.
    pub sendables: Vec<Sendable>,
    /// How many messages were taken, allowed or not.
    pub looked_at: usize,
    /// How many of them the gate withheld.
    pub withheld: usize,
    /// How many of them the gate deferred.
    pub deferred: usize,
    /// Whether as many were taken as were asked for, so that more may be due.
    pub full: bool,
}

/// Claims at most `limit` messages of a lane that are due, under a lease of `lease_secs`. Messages that other workers
/// hold are passed over, so any number of workers may claim at once.
///
/// # Errors
/// When the database fails; nothing is claimed then.
pub async fn claim(h: &Hospital, lane: Lane, limit: usize, lease_secs: u32) -> Result<Claimed> {
    let limit = limit.clamp(1, BATCH_MAX);
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let lease_until = now + TimeDelta::seconds(lease_secs.into());
    let messages = take(&tx, lane, limit, now, lease_until).await?;
    let mut claimed = Claimed {
        sendables: Vec::with_capacity(messages.len()),
        looked_at: messages.len(),
        withheld: 0,
        deferred: 0,
        full: messages.len() == limit,
    };
    if messages.is_empty() {
        return Ok(claimed);
    }
    let mut known = Known::read(&tx, h, &playbook, &messages, Contacts::Held).await?;
    let mut decided: Vec<(message::Model, Verdict)> = Vec::with_capacity(messages.len());
    for message in messages {
        let verdict = verdict(&known, &message);
        if let Some(decision) = verdict.decision() {
            known.decided(&message, decision);
        }
        decided.push((message, verdict));
    }
    write(&tx, &known, &decided, known.now).await?;
    std::mem::take(&mut known.turns).write(&tx, known.now).await?;
    for (message, verdict) in decided {
        match verdict {
            Verdict::Go(decision, _) => claimed.sendables.push(sendable(&known, message, decision)?),
            Verdict::Never(_) => claimed.withheld += 1,
            Verdict::Wait(..) | Verdict::Busy(_) => claimed.deferred += 1,
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

/// When the message of a lane that has waited longest was due, whether or not that lies in the past. None when none
/// waits.
///
/// # Errors
/// When the database fails.
pub async fn oldest_due(conn: &impl ConnectionTrait, lane: Lane) -> Result<Option<DateTime<Utc>>> {
    let backend = conn.get_database_backend();
    let sql = "SELECT due_at FROM message WHERE lane = $1 AND (state = 'PLANNED' OR state = 'DEFERRED') \
               ORDER BY due_at LIMIT 1";
    let statement = Statement::from_sql_and_values(backend, sql, [lane.as_str().into()]);
    let row = conn.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// Takes a batch: holds its rows until the transaction ends and marks them as claimed, in memory. They are written once,
/// together with what the gate says of each: every write of a message is paid again in each of its indexes.
///
/// The states are written as the partial index has them, so that both databases use it.
async fn take(
    tx: &DatabaseTransaction,
    lane: Lane,
    limit: usize,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Vec<message::Model>> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "SELECT * FROM message WHERE lane = $1 AND (state = 'PLANNED' OR state = 'DEFERRED') AND due_at <= $2 \
         ORDER BY due_at, id LIMIT $3{lock}",
        lock = skip_locked(backend),
    );
    let limit = i64::try_from(limit).map_err(|_| Error::fault("a batch has a small size"))?;
    let values: [Value; 3] = [lane.as_str().into(), now.into(), limit.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let mut taken = message::Model::find_by_statement(statement).all(tx).await?;
    for message in &mut taken {
        message.state = MessageState::Claimed;
        message.fence += 1;
        message.lease_until = Some(lease_until);
    }
    Ok(taken)
}

/// Passes over rows that another worker holds. SQLite has one writer at a time and no such words.
pub(super) fn skip_locked(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => " FOR UPDATE SKIP LOCKED",
        _ => "",
    }
}

/// What becomes of a claimed message.
enum Verdict {
    /// It may go, if it begins to before this time, at which its window closes.
    Go(Decision, Option<DateTime<Utc>>),
    /// Not before this time.
    Wait(Decision, DateTime<Utc>),
    /// Never.
    Never(Decision),
    /// Its contact is being changed just now; asked again a little later. The gate said nothing.
    Busy(DateTime<Utc>),
}

impl Verdict {
    /// What the gate said, if it was asked.
    const fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Go(decision, _) | Self::Wait(decision, _) | Self::Never(decision) => Some(decision),
            Self::Busy(_) => None,
        }
    }
}

fn verdict(known: &Known<'_>, message: &message::Model) -> Verdict {
    let Some(Asked { decision, good_for }) = known.ask(message) else {
        return Verdict::Busy(known.now + BUSY_CONTACT_WAIT);
    };
    match (decision.outcome, decision.until) {
        (GateOutcome::Allow, _) => Verdict::Go(decision, good_for.map(|good_for| known.now + good_for)),
        (GateOutcome::Withhold, _) => Verdict::Never(decision),
        (GateOutcome::Defer, until) => {
            let until = until.unwrap_or(known.now + super::gate::RECHECK);
            Verdict::Wait(decision, until.min(known.now + LONGEST_WAIT))
        }
    }
}

/// Whether the history says already that the message waits for this.
fn is_told(message: &message::Model, decision: &Decision) -> bool {
    let main = |decision: &Decision| decision.reasons.first().map(|reason| reason.code);
    let before = message
        .decision
        .as_ref()
        .filter(|before| before.outcome == GateOutcome::Defer);
    before.is_some_and(|before| main(before) == main(decision))
}

/// Whether a rate that was used up has held it back.
fn was_throttled(before: &Decision) -> bool {
    let rate = |reason: &DecisionReason| matches!(reason.code, GateReason::Throttled | GateReason::WarmUp);
    before.outcome == GateOutcome::Defer && before.reasons.first().is_some_and(rate)
}

/// Writes all decisions, and the history of what does not go now.
async fn write(
    tx: &DatabaseTransaction,
    known: &Known<'_>,
    decided: &[(message::Model, Verdict)],
    now: DateTime<Utc>,
) -> Result<()> {
    let rows = decided
        .iter()
        .map(|(message, verdict)| decided_row(known, message, verdict, now))
        .collect();
    let sql = "UPDATE message SET state = v.column2, due_at = v.column3, lease_until = v.column4, \
               decision = v.column5, consent_event_id = v.column6, settled_at = v.column7, fence = v.column8, \
               handed_off_at = NULL, template_version_id = v.column9, paced_on = v.column10, expires_at = v.column11 \
               FROM ({rows}) AS v WHERE message.id = v.column1 RETURNING message.id";
    update_each(tx, sql, Vec::new(), rows).await?;
    let events: Vec<_> = decided
        .iter()
        .filter_map(|(message, verdict)| {
            let (kind, decision) = match verdict {
                Verdict::Go(..) | Verdict::Busy(_) => return None,
                Verdict::Wait(decision, _) if is_told(message, decision) => return None,
                Verdict::Wait(decision, _) => (MessageEventKind::Deferred, decision),
                Verdict::Never(decision) => (MessageEventKind::Withheld, decision),
            };
            let reason = decision.reasons.first().map(|reason| reason.code.as_str());
            Some(plan::event(message.id, kind, reason, now))
        })
        .collect();
    message_event::Entity::insert_many(events)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn decided_row(
    known: &Known<'_>,
    message: &message::Model,
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> [Value; 11] {
    let none = None::<DateTime<Utc>>;
    let (state, due_at, lease_until, decision, settled_at) = match verdict {
        Verdict::Go(decision, closes_at) => (
            MessageState::Claimed,
            message.due_at,
            // Nothing is handed off when its lease is over, so nothing goes out when its window has closed.
            [message.lease_until, *closes_at].into_iter().flatten().min(),
            Some(decision),
            none,
        ),
        Verdict::Wait(decision, until) => (MessageState::Deferred, *until, none, Some(decision), none),
        Verdict::Never(decision) => (
            MessageState::Withheld,
            message.due_at,
            none,
            Some(decision),
            Some(now),
        ),
        Verdict::Busy(until) => (
            MessageState::Planned,
            *until,
            none,
            message.decision.as_ref(),
            none,
        ),
    };
    let relied_on: Option<ConsentEventId> = match verdict {
        Verdict::Go(decision, _) => decision.consent_event_id,
        _ => message.consent_event_id,
    };
    [
        message.id.into(),
        state.as_str().into(),
        due_at.into(),
        lease_until.into(),
        decision.cloned().into(),
        relied_on.into(),
        settled_at.into(),
        message.fence.into(),
        match verdict {
            // The approved version of now, not the one of the day it was planned.
            Verdict::Go(..) => known.template(message).map(|(version, _)| version.id),
            _ => message.template_version_id,
        }
        .into(),
        known.turns.paced_on(message).into(),
        match verdict {
            Verdict::Wait(_, until) if known.turns.waits(message) => {
                plan::kept_while_waiting(message.created_at, message.expires_at, *until)
            }
            _ => message.expires_at,
        }
        .into(),
    ]
}

fn sendable(known: &Known<'_>, mut message: message::Model, decision: Decision) -> Result<Sendable> {
    let (recipient, address) = known
        .recipient(&message)
        .ok_or_else(|| Error::fault("the gate allowed a message that has nobody to go to"))?;
    message.consent_event_id = decision.consent_event_id;
    let lined_up = message.decision.as_ref().is_some_and(was_throttled);
    // Looked up by the version that it was planned with, so before that is changed.
    let template = known.template(&message).map(|(version, _)| version);
    message.template_version_id = template.as_ref().map(|version| version.id);
    message.decision = Some(decision);
    Ok(Sendable {
        recipient,
        address,
        lead: known.lead(&message),
        template,
        follow_up: known.follow_up(&message),
        next_visit: known.next_visit(&message),
        draft: known.draft(&message),
        digest: known.digest(&message),
        lined_up,
        shows_clicks: known.shows_clicks(&message),
        message,
    })
}
