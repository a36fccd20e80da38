//! Follow-ups are put off.

use chrono::{DateTime, TimeDelta, Utc};
use entity::follow_up::Model;
use entity::id::FollowUpId;

use super::change::{Changed, Changes, Wanted, changed_event, only};
use super::place;
use crate::clock::to_micros;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::viewer::Viewer;

/// How far a follow-up can be put off, in days.
pub const SNOOZE_MAX_DAYS: i64 = 90;

/// A follow-up to put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snooze {
    /// The follow-up.
    pub id: FollowUpId,
    /// Its new due time: in the future, at most [`SNOOZE_MAX_DAYS`] ahead.
    pub until: DateTime<Utc>,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Puts an open follow-up off: it gets a new due time, is not late until then, and reminds once more before it.
///
/// When the first attempt is due does not change by that: the SLA is the lead's, not the follow-up's.
///
/// # Errors
/// When the time is not in range, the follow-up is not visible, not open or has another version, or the database fails.
pub async fn snooze(h: &Hospital, viewer: &Viewer, input: Snooze) -> Result<Done<Model>> {
    let Snooze { id, until, version } = input;
    only(snooze_all(h, viewer, &[Wanted { id, version }], until).await?)
}

/// The same for several, in one transaction; each is put off or says why not.
///
/// # Errors
/// When the time is not in range, or the database fails.
pub async fn snooze_all(
    h: &Hospital,
    viewer: &Viewer,
    wanted: &[Wanted],
    until: DateTime<Utc>,
) -> Result<Done<Vec<Changed>>> {
    let until = to_micros(until);
    check(until, h.now())?;
    let mut changes = Changes::begin(h, viewer, wanted).await?;
    changes
        .save(|row, now| {
            put_off(row, until, now);
            Ok(())
        })
        .await?;
    let (actor, now) = (changes.actor, changes.now);
    let event = |row: &Model| changed_event(row, "SNOOZED", actor, now).with("until", until.to_rfc3339());
    changes.commit(event, Vec::new()).await
}

/// It is due soon as long before its new time as before the one that it had.
fn put_off(row: &mut Model, until: DateTime<Utc>, now: DateTime<Utc>) {
    row.soon_at = until - (row.due_at - row.soon_at);
    row.due_at = until;
    row.remind_at = row.assignee_id.and((row.soon_at > now).then_some(row.soon_at));
    row.late_at = None;
    row.snoozed_count += 1;
    // What was put off waits until it is due soon, so its lead's score does not count any more.
    place::put(row, 0, now);
}

fn check(until: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if until <= now {
        return Err(Error::refused(
            Code::Invalid,
            "until",
            "Choose a time in the future.",
        ));
    }
    if until > now + TimeDelta::days(SNOOZE_MAX_DAYS) {
        let message = format!("A follow-up can be put off by at most {SNOOZE_MAX_DAYS} days.");
        return Err(Error::refused(Code::TooLarge, "until", message));
    }
    Ok(())
}
