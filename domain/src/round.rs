//! One round of work on what is due of a subject: the operations that belong together, in their order.
//!
//! The worker and the dry run do the same rounds, so that what is added to one is in the other.

use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::lead::form_draft;
use crate::outreach::mailing;
use crate::{capacity, follow_up, inbound, sequence, sla};

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Rows looked at.
    pub rows: usize,
    /// Whether there may be more to do now.
    pub more: bool,
}

/// Looks at saved forms that were left or have come to their end, begins enrollments whose day has come, goes on with
/// moves to other versions, and moves enrollments on.
///
/// # Errors
/// When the database fails.
pub async fn enrollments(h: &Hospital, limit: usize) -> Result<Done<Round>> {
    let drafts = form_draft::abandon::sweep(h, limit).await?;
    let days = sequence::dates::days_come(h, limit).await?;
    let moved = sequence::transfer::go_on(h).await?;
    let advanced = sequence::advance_due(h, limit).await?;
    let more = advanced.value.full || drafts.value > 0 || days.value > 0 || moved.value > 0;
    let advanced = advanced.map(|advanced| advanced.looked_at);
    Ok(summed([drafts, days, moved, advanced]).map(|rows| Round { rows, more }))
}

/// Applies what came back about mails.
///
/// # Errors
/// When the database fails.
pub async fn inbound_mail(h: &Hospital, limit: usize) -> Result<Done<Round>> {
    inbound::apply_due(h, limit).await
}

/// Goes on with a mailing that is being planned, or withheld after a stop.
///
/// # Errors
/// When the database fails.
pub async fn mailings(h: &Hospital) -> Result<Done<Round>> {
    mailing::go_on(h).await
}

/// Reckons the pace of promotion anew where it is due, and goes on with lines that are being laid out by it.
///
/// # Errors
/// When the database fails.
pub async fn capacity(h: &Hospital) -> Result<Done<Round>> {
    let done = capacity::lay::go_on(h).await?;
    Ok(done.map(|rows| Round { rows, more: rows > 0 }))
}

/// Lets clocks run again, finds what is late, takes the steps about leads that nobody tries to reach, moves follow-ups
/// whose time has come, and plans the digests of the morning.
///
/// # Errors
/// When the database fails.
pub async fn follow_ups(h: &Hospital) -> Result<Done<Round>> {
    let resumed = sla::pause::end_due(h).await?;
    let missed = sla::sweep::mark_missed(h).await?;
    let steps = sla::escalate::take_steps(h).await?;
    let moved = follow_up::remind::move_up(h).await?;
    let digests = follow_up::digest::plan_due(h).await?;
    Ok(summed([resumed, missed, steps, moved, digests]).map(|rows| Round { rows, more: rows > 0 }))
}

fn summed(parts: impl IntoIterator<Item = Done<usize>>) -> Done<usize> {
    let mut sum = Done::quiet(0);
    for part in parts {
        sum.value += part.value;
        sum.signals.extend(part.signals);
        sum.nudges.extend(part.nudges);
    }
    sum
}
