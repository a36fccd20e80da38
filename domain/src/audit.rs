//! Who did what, written in the transaction that does it and never changed afterwards.
//!
//! An audit event names ids and a deed, never a person's data. Leads have a history of their own (`lead_event`); this
//! is for what has none: sign-ins, staff, tokens, campaigns.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use entity::audit_event::ActiveModel;
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;

use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::viewer::Actor;

/// The row that says that `actor` did `action` (`campaign.launch`) to `subject`, a public id.
///
/// Insert it in the same transaction. `request_id` is the one that the log of the door carries, where there was a
/// request.
pub fn record(
    actor: Actor,
    action: &'static str,
    subject: Option<&dyn Display>,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> ActiveModel {
    ActiveModel {
        id: Set(new_id(now)),
        actor_kind: Set(actor.kind),
        actor_id: Set(actor.id),
        action: Set(action.to_owned()),
        subject_id: Set(subject.map(ToString::to_string)),
        request_id: Set(request_id.map(str::to_owned)),
        at: Set(now),
    }
}

/// Writes the row of a deed that is done: for doors whose operation keeps a history of its own with the actor in it,
/// and no audit event. The audit then has the request too, and one place to look in.
///
/// # Errors When the database fails.
pub async fn write(
    h: &Hospital,
    actor: Actor,
    action: &'static str,
    subject: &str,
    request_id: &str,
) -> Result<()> {
    record(actor, action, Some(&subject), Some(request_id), h.now())
        .insert(&h.db)
        .await?;
    Ok(())
}
