//! What a contact wishes, the limits of it, and its change in a transaction.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::Purpose;
use entity::id::ServiceLineId;
use entity::message::{self, MessageState};
use entity::{contact, message::Column as MessageColumn};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter,
};

use super::rows;
use crate::error::{Code, Refusal, Result};
use crate::outreach::release;
use crate::patch::Patch;

/// How long a pause may be. Whoever wants none for longer takes the consent back.
pub const MAX_PAUSE: TimeDelta = TimeDelta::days(2 * 366);
/// The highest limit of a contact's own; the hospital's own limits are lower than this.
pub const MAX_PER_WEEK: i32 = 50;

/// What a contact wishes for promotional mail as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// None before this moment.
    pub paused_until: Option<DateTime<Utc>>,
    /// The most in seven days; none: no limit of the contact's own.
    pub max_per_week: Option<i32>,
}

/// Whether mail about a service line is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineWish {
    /// The line.
    pub service_line_id: ServiceLineId,
    /// Whether it is wanted.
    pub wanted: bool,
}

/// What is to change. What is kept stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The pause.
    pub paused_until: Patch<DateTime<Utc>>,
    /// The limit.
    pub max_per_week: Patch<i32>,
    /// Lines; those not named stay as they are.
    pub lines: Vec<LineWish>,
    /// The language to be written to in, a BCP 47 tag.
    pub language: Option<String>,
}

impl Change {
    /// Everything that is wrong with it, each with its field. `is_line` knows the service lines.
    #[must_use]
    pub fn refusals(&self, is_line: impl Fn(ServiceLineId) -> bool, now: DateTime<Utc>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut refuse = |code, field: &str, message: &'static str| {
            refusals.push(Refusal::new(code, field, message));
        };
        if let Some(until) = self.paused_until.set() {
            if *until <= now {
                refuse(
                    Code::Invalid,
                    "pausedUntil",
                    "Choose a day that is still to come.",
                );
            } else if *until - now > MAX_PAUSE {
                refuse(
                    Code::TooLarge,
                    "pausedUntil",
                    "A pause has at most two years. To end mail for good, take the consent back.",
                );
            }
        }
        if let Some(max) = self.max_per_week.set() {
            if *max < 1 {
                refuse(
                    Code::Invalid,
                    "maxPerWeek",
                    "At least one mail a week. To end mail for good, take the consent back.",
                );
            } else if *max > MAX_PER_WEEK {
                refuse(Code::TooLarge, "maxPerWeek", "At most 50 mails a week.");
            }
        }
        for (index, line) in self.lines.iter().enumerate() {
            let field = format!("lines.{index}.serviceLineId");
            if !is_line(line.service_line_id) {
                refuse(Code::NotFound, &field, "There is no such service line.");
            } else if self.lines[..index]
                .iter()
                .any(|before| before.service_line_id == line.service_line_id)
            {
                refuse(Code::Invalid, &field, "This service line is named twice.");
            }
        }
        if self.language.as_deref().is_some_and(|tag| !is_language(tag)) {
            refuse(
                Code::Invalid,
                "language",
                "This is not a language tag such as en or es.",
            );
        }
        refusals
    }
}

/// Whether a text has the shape of a BCP 47 tag.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    tag.len() <= 35
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Writes a change that has passed [`Change::refusals`]. The contact must be locked. Answers the contact as it is then,
/// and whether anything changed.
pub(super) async fn apply(
    tx: &DatabaseTransaction,
    contact: contact::Model,
    change: Change,
    now: DateTime<Utc>,
) -> Result<(contact::Model, bool)> {
    let before = rows::wishes(tx, contact.id).await?;
    let after = Wishes {
        paused_until: change.paused_until.apply(before.paused_until),
        max_per_week: change.max_per_week.apply(before.max_per_week),
    };
    let known = rows::lines(tx, contact.id).await?;
    let lines: Vec<LineWish> = change
        .lines
        .into_iter()
        // Not said and wanted are the same to the gate, so a yes is written down only where a no was.
        .filter(|line| line.wanted != known.get(&line.service_line_id).copied().unwrap_or(true))
        .collect();
    let language = change.language.filter(|tag| *tag != contact.language);
    let changed = before != after || !lines.is_empty() || language.is_some();
    if before != after {
        rows::keep_wishes(tx, contact.id, after, now).await?;
    }
    rows::keep_lines(tx, contact.id, &lines, now).await?;
    if before != after || !lines.is_empty() {
        ask_gate_again(tx, &contact).await?;
        // What the old wishes held back may go by the new ones.
        release::of_contact(tx, contact.id, now).await?;
    }
    let Some(language) = language else {
        return Ok((contact, changed));
    };
    let mut row = contact.into_active_model();
    row.language = Set(language);
    row.updated_at = Set(now);
    Ok((row.update(tx).await?, changed))
}

/// Gives the contact's promotional mail that a worker has claimed, and not begun to send, back to be claimed again: the
/// gate then decides by the new wishes. The fence rises, so the worker can no longer hand it off.
async fn ask_gate_again(tx: &impl ConnectionTrait, contact: &contact::Model) -> Result<()> {
    message::Entity::update_many()
        .col_expr(MessageColumn::State, Expr::value(MessageState::Planned))
        .col_expr(MessageColumn::Fence, Expr::col(MessageColumn::Fence).add(1))
        .col_expr(MessageColumn::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(MessageColumn::ContactId.eq(contact.id))
        .filter(MessageColumn::Purpose.eq(Purpose::Marketing))
        .filter(MessageColumn::State.eq(MessageState::Claimed))
        .exec(tx)
        .await?;
    Ok(())
}
