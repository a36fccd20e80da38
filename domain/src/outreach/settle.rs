//! Writes down what became of messages that were handed off.

mod blocked;
pub mod class;
mod counted;
mod dead;
pub mod retry;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::id::{LeadId, MessageId};
use entity::lead_event::LeadEventKind;
use entity::message::{GateReason, Lane, MessageState};
use entity::message_event::{self, MessageEventKind};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Value};

use super::captured::{self, Kept};
use super::claim::Sendable;
use super::{gate, plan};
use crate::db::{self, each::update_each, together::Together};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::event::NewEvent;
use crate::viewer::Actor;
use class::Class;
use retry::{Cause, next_try};

/// What the history says of a message that found no mail server.
const NOT_TRIED: &str = "the mail server could not be reached";

/// What became of one message on the wire. Texts are answers of mail servers without addresses.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The mail server took it.
    Accepted {
        /// Its answer.
        response: String,
        /// The mail itself, when it was kept instead of sent.
        kept: Option<Kept>,
    },
    /// The mail server refused it for good.
    Refused {
        /// Its answer.
        response: String,
        /// What it is about. Nothing is sent again to an address that does not exist, and a campaign is paused whose
        /// sender is refused.
        class: Class,
    },
    /// It was not taken, and a later try may help.
    RetryLater {
        /// The answer, or what went wrong.
        response: String,
        /// Why it was not taken.
        cause: Cause,
    },
    /// Nothing was tried: the mail server could not be reached at all. Does not count as a try.
    NotTried,
    /// The text went out and no answer came back.
    Unknown {
        /// What happened instead.
        detail: String,
    },
}

/// A message with what became of it.
pub struct Settlement<'a> {
    /// The message.
    pub sendable: &'a Sendable,
    /// The subject line as it was sent.
    pub subject: &'a str,
    /// What became of it.
    pub outcome: Outcome,
    /// How long the mail server took to answer; none if it was not asked.
    pub took: Option<Duration>,
}

/// How many messages came to which state; what was no longer this worker's is in none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Taken by the mail server.
    pub accepted: usize,
    /// Refused for good.
    pub refused: usize,
    /// To be tried again later.
    pub deferred: usize,
    /// Unknown.
    pub unknown: usize,
    /// Given back, because nothing was tried or because the recipient waits and it is sent once more.
    pub planned: usize,
    /// Held by somebody else by now.
    pub lost: usize,
}

/// Settles a chunk in one transaction. Only a worker that still holds a message can settle it; a message that became
/// unknown because its lease ended meanwhile is settled by this late evidence too.
///
/// # Errors
/// When the database fails. Nothing is written then: try again while the lease lasts, after it the messages are
/// unknown, which is the truth.
pub async fn settle(h: &Hospital, settlements: &[Settlement<'_>]) -> Result<Done<Settled>> {
    let now = h.now();
    let is_blocked = |s: &Settlement<'_>| {
        matches!(
            s.outcome,
            Outcome::Refused {
                class: Class::Blocked,
                ..
            }
        )
    };
    // Read before the transaction: an embedded database may have one connection.
    let playbook = match settlements.iter().any(is_blocked) {
        true => Some(h.playbook().await?),
        false => None,
    };
    let tx = db::begin_write(&h.db).await?;
    let in_doubt = settlements
        .iter()
        .filter(|s| matches!(s.outcome, Outcome::Unknown { .. }))
        .map(|s| s.sendable.id())
        .collect();
    let sent_again = sent_again_before(&tx, in_doubt).await?;
    let ends: Vec<End> = settlements.iter().map(|s| End::of(s, &sent_again, now)).collect();
    let written = write_states(&tx, settlements, &ends).await?;
    let mut done = Done::quiet(Settled::default());
    let mut events = Vec::with_capacity(written.len());
    let mut sent = Vec::with_capacity(written.len());
    let mut kept = Vec::new();
    let (mut dead, mut blocked) = (Vec::new(), Vec::new());
    for (settlement, end) in settlements.iter().zip(ends) {
        let sendable = settlement.sendable;
        if !written.contains(&sendable.id()) {
            done.value.lost += 1;
            continue;
        }
        done.value.count(end.state);
        if let Some((kind, detail)) = end.event {
            events.push(plan::event(sendable.id(), kind, detail.as_deref(), now));
        }
        match &settlement.outcome {
            Outcome::Accepted { kept: mail, .. } => {
                sent.extend(message_sent(sendable, now));
                kept.extend(mail.as_ref().map(|mail| captured::row(sendable.id(), mail, now)));
            }
            Outcome::Refused {
                class: Class::Hard, ..
            } => dead.push(sendable),
            Outcome::Refused {
                class: Class::Blocked,
                ..
            } => blocked.push(sendable),
            _ => {}
        }
    }
    dead::suppress(h, &tx, &dead, now).await?;
    if let Some(playbook) = playbook {
        blocked::pause_campaigns(h, &tx, &playbook, &blocked, now).await?;
    }
    done.signals = sent.iter().map(NewEvent::signal).collect();
    let mut together = Together::default();
    together.add(events);
    together.add(kept);
    together.add(sent.into_iter().map(NewEvent::row));
    together.insert(&tx).await?;
    // Last, so that these rows are held for a moment only: others count into them too.
    counted::count(&tx, settlements, &written, now).await?;
    tx.commit().await?;
    Ok(done)
}

/// Withholds claimed messages for good that could not be written: the template failed, or the address is none.
///
/// # Errors
/// When the database fails; the messages then come back when their lease ends.
pub async fn unwritable(h: &Hospital, messages: &[(&Sendable, GateReason)]) -> Result<()> {
    let now = h.now();
    let rows = messages
        .iter()
        .map(|(sendable, reason)| {
            let decision = gate::withheld(*reason, sendable.message().consent_event_id, now);
            [
                sendable.id().into(),
                sendable.message().fence.into(),
                Some(decision).into(),
            ]
        })
        .collect();
    let sql = "UPDATE message SET state = 'WITHHELD', decision = v.column3, lease_until = NULL, settled_at = $1 \
               FROM ({rows}) AS v WHERE message.id = v.column1 AND message.fence = v.column2 \
               AND message.state = 'CLAIMED' RETURNING message.id";
    let tx = db::begin_write(&h.db).await?;
    let ids: HashSet<_> = update_each(&tx, sql, vec![now.into()], rows)
        .await?
        .into_iter()
        .collect();
    let events = messages
        .iter()
        .filter(|(sendable, _)| ids.contains(&sendable.id().0))
        .map(|(sendable, reason)| {
            plan::event(
                sendable.id(),
                MessageEventKind::Withheld,
                Some(reason.as_str()),
                now,
            )
        });
    message_event::Entity::insert_many(events)
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// What follows for a message of which nobody knows whether it went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Send it once more with the same Message-ID: the recipient waits, and a mail twice is better than none.
    SendAgain,
    /// Leave it to a person or to later evidence: nobody waits for it, or it was sent again already.
    LeaveUnknown,
}

/// What follows from doubt. Marketing is never sent again by itself.
pub fn in_doubt(lane: Lane, sent_again_before: bool) -> Doubt {
    match (lane, sent_again_before) {
        (Lane::Waiting, false) => Doubt::SendAgain,
        (Lane::Waiting, true) | (Lane::Bulk, _) => Doubt::LeaveUnknown,
    }
}

/// Which of these messages were sent again after doubt before.
pub(super) async fn sent_again_before(
    tx: &DatabaseTransaction,
    ids: Vec<MessageId>,
) -> Result<HashSet<MessageId>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let ids = message_event::Entity::find()
        .select_only()
        .column(message_event::Column::MessageId)
        .filter(message_event::Column::MessageId.is_in(ids))
        .filter(message_event::Column::Kind.eq(MessageEventKind::SentAgain))
        .into_tuple::<MessageId>()
        .all(tx)
        .await?;
    Ok(ids.into_iter().collect())
}

impl Settled {
    fn count(&mut self, state: MessageState) {
        let place = match state {
            MessageState::Accepted => &mut self.accepted,
            MessageState::Refused => &mut self.refused,
            MessageState::Deferred => &mut self.deferred,
            MessageState::Unknown => &mut self.unknown,
            _ => &mut self.planned,
        };
        *place += 1;
    }
}

/// Where a message ends up.
struct End {
    state: MessageState,
    due_at: DateTime<Utc>,
    response: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    settled_at: Option<DateTime<Utc>>,
    /// Tries that do not count after all.
    uncounted: i32,
    /// A message that goes back under its own name gets a new fence, so that a late answer to this try cannot settle
    /// the next one.
    fence_up: i64,
    event: Option<(MessageEventKind, Option<String>)>,
}

impl End {
    fn of(settlement: &Settlement<'_>, sent_again: &HashSet<MessageId>, now: DateTime<Utc>) -> Self {
        let message = settlement.sendable.message();
        let base = |state, response: Option<&String>| Self {
            state,
            due_at: message.due_at,
            response: response.cloned().or_else(|| message.response.clone()),
            sent_at: None,
            settled_at: None,
            uncounted: 0,
            fence_up: 0,
            event: None,
        };
        match &settlement.outcome {
            Outcome::Accepted { response, .. } => Self {
                sent_at: Some(now),
                settled_at: Some(now),
                event: Some((MessageEventKind::Accepted, Some(response.clone()))),
                ..base(MessageState::Accepted, Some(response))
            },
            Outcome::Refused { response, .. } => Self {
                settled_at: Some(now),
                event: Some((MessageEventKind::Refused, Some(response.clone()))),
                ..base(MessageState::Refused, Some(response))
            },
            Outcome::RetryLater { response, cause } => {
                let attempt = settlement.sendable.attempt();
                match next_try(message.id, message.lane, attempt, *cause, message.expires_at, now) {
                    Some(due_at) => Self {
                        due_at,
                        event: Some((MessageEventKind::RetryLater, Some(response.clone()))),
                        ..base(MessageState::Deferred, Some(response))
                    },
                    None => Self {
                        settled_at: Some(now),
                        event: Some((
                            MessageEventKind::Refused,
                            Some(format!("tried for too long: {response}")),
                        )),
                        ..base(MessageState::Refused, Some(response))
                    },
                }
            }
            Outcome::NotTried => Self {
                uncounted: 1,
                event: Some((MessageEventKind::RetryLater, Some(NOT_TRIED.to_owned()))),
                ..base(MessageState::Planned, None)
            },
            Outcome::Unknown { detail } => match in_doubt(message.lane, sent_again.contains(&message.id)) {
                Doubt::SendAgain => Self {
                    due_at: now,
                    fence_up: 1,
                    event: Some((MessageEventKind::SentAgain, Some(detail.clone()))),
                    ..base(MessageState::Planned, Some(detail))
                },
                Doubt::LeaveUnknown => Self {
                    event: Some((MessageEventKind::Unknown, Some(detail.clone()))),
                    ..base(MessageState::Unknown, Some(detail))
                },
            },
        }
    }

    fn row(&self, settlement: &Settlement<'_>) -> [Value; 10] {
        let message = settlement.sendable.message();
        [
            message.id.into(),
            message.fence.into(),
            self.state.as_str().into(),
            self.due_at.into(),
            self.response.clone().into(),
            self.sent_at.into(),
            self.settled_at.into(),
            self.uncounted.into(),
            self.fence_up.into(),
            settlement.subject.into(),
        ]
    }
}

async fn write_states(
    tx: &DatabaseTransaction,
    settlements: &[Settlement<'_>],
    ends: &[End],
) -> Result<HashSet<MessageId>> {
    let rows = settlements
        .iter()
        .zip(ends)
        .map(|(settlement, end)| end.row(settlement))
        .collect();
    let sql = "UPDATE message SET state = v.column3, due_at = v.column4, response = v.column5, \
               sent_at = v.column6, settled_at = v.column7, attempts = message.attempts - v.column8, \
               fence = message.fence + v.column9, subject = v.column10, lease_until = NULL \
               FROM ({rows}) AS v WHERE message.id = v.column1 AND message.fence = v.column2 \
               AND message.state IN ('HANDED_OFF', 'UNKNOWN') RETURNING message.id";
    let ids = update_each(tx, sql, Vec::new(), rows).await?;
    Ok(ids.into_iter().map(MessageId).collect())
}

/// The lead's history: a mail went to the contact.
fn message_sent(sendable: &Sendable, now: DateTime<Utc>) -> Option<NewEvent> {
    let message = sendable.message();
    message.contact_id?;
    let lead_id: LeadId = message.lead_id?;
    let event = NewEvent::new(lead_id, LeadEventKind::MessageSent, Actor::SYSTEM, now)
        .with("messageId", message.id.to_string())
        .with("messageKind", message.kind.as_str());
    Some(event)
}
