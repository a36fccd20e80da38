//! Where a follow-up stands in the work list, and why. Pure: the operations and the sweep store what is decided here, so
//! that an index gives the list in its order.

use chrono::{DateTime, TimeDelta, Utc};
use entity::follow_up::{FollowUpKind, Model};

#[cfg(test)]
mod tests;

/// The parts of the work list, the first to be done first. Within a part the due time counts; in [`Rank::Open`] the
/// lead's score counts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Rank {
    /// Urgent, and late or not.
    Urgent = 0,
    /// Its due time has passed.
    Late = 1,
    /// Its due time is near.
    DueSoon = 2,
    /// To be done, the best lead first.
    Open = 3,
    /// Not to be begun before it is due soon: a call at a time that was agreed or is set by the policy, and what was put
    /// off, urgent or not.
    NotYet = 4,
}

/// What decides about the place of an open follow-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub kind: FollowUpKind,
    /// Whether it goes first.
    pub urgent: bool,
    /// Whether it was put off.
    pub snoozed: bool,
    /// The lead's score. It counts only as long as the follow-up is open work that is not due soon.
    pub score: i32,
    /// From when on it is due soon; not after it is due.
    pub soon_at: DateTime<Utc>,
    /// When it is due.
    pub due_at: DateTime<Utc>,
}

impl Facts {
    /// Those of a stored follow-up. The score is the one that the place is made of.
    pub const fn of(row: &Model) -> Self {
        Self {
            kind: row.kind,
            urgent: row.urgent,
            snoozed: row.snoozed_count > 0,
            score: -row.weight,
            soon_at: row.soon_at,
            due_at: row.due_at,
        }
    }

    const fn waits(&self) -> bool {
        self.snoozed || matches!(self.kind, FollowUpKind::Callback | FollowUpKind::NextAttempt)
    }
}

/// A place in the work list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The part of the list.
    pub rank: Rank,
    /// Minus the score in [`Rank::Open`], 0 elsewhere.
    pub weight: i32,
    /// When something about it changes by itself the next time: it becomes due soon, or late.
    pub moves_at: Option<DateTime<Utc>>,
}

/// The place at a moment.
pub fn place(facts: &Facts, now: DateTime<Utc>) -> Place {
    let is_soon = now >= facts.soon_at;
    let is_late = now >= facts.due_at;
    let rank = match (is_soon, is_late) {
        (false, _) if facts.waits() => Rank::NotYet,
        _ if facts.urgent => Rank::Urgent,
        (_, true) => Rank::Late,
        (true, false) => Rank::DueSoon,
        (false, false) => Rank::Open,
    };
    Place {
        rank,
        weight: if rank == Rank::Open { -facts.score } else { 0 },
        moves_at: [facts.soon_at, facts.due_at].into_iter().find(|at| now < *at),
    }
}

/// From when on work is due soon: `before_mins` ahead of its due time.
pub fn soon_at(due_at: DateTime<Utc>, before_mins: i64) -> DateTime<Utc> {
    let before = TimeDelta::try_minutes(before_mins.max(0)).unwrap_or_default();
    due_at.checked_sub_signed(before).unwrap_or(due_at)
}

/// Puts an open row where it belongs at a moment. `score` is its lead's.
pub fn put(row: &mut Model, score: i32, now: DateTime<Utc>) {
    let place = place(
        &Facts {
            score,
            ..Facts::of(row)
        },
        now,
    );
    row.rank = place.rank as i32;
    row.weight = place.weight;
    row.moves_at = place.moves_at;
}

/// Why a follow-up is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It goes first.
    Urgent,
    /// Its due time has passed.
    Late,
    /// Its due time is near.
    DueSoon,
    /// The lead's score.
    Score,
    /// Its time has not come.
    NotYet,
}

/// A place with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The part of the list.
    pub rank: Rank,
    /// Why; the one that decides first.
    pub reasons: Vec<Reason>,
    /// The same as a sentence, without personal data.
    pub says: String,
}

/// Says why an open follow-up is where it is at a moment.
pub fn explain(facts: &Facts, now: DateTime<Utc>) -> Explained {
    let rank = place(facts, now).rank;
    let (by_time, time) = if rank == Rank::NotYet {
        let time = format!("its time comes in {}", span(facts.soon_at - now));
        (Some(Reason::NotYet), time)
    } else if now >= facts.due_at {
        (
            Some(Reason::Late),
            format!("late by {}", span(now - facts.due_at)),
        )
    } else {
        let soon = (now >= facts.soon_at).then_some(Reason::DueSoon);
        (soon, format!("due in {}", span(facts.due_at - now)))
    };
    let (by_lead, words) = match rank {
        Rank::Urgent => (Some(Reason::Urgent), format!("urgent, {time}.")),
        Rank::Open => (Some(Reason::Score), format!("score {}, {time}.", facts.score)),
        Rank::Late | Rank::DueSoon | Rank::NotYet => (None, time + "."),
    };
    Explained {
        rank,
        reasons: by_lead.into_iter().chain(by_time).collect(),
        says: capitalized(&words),
    }
}

fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A span as people say it: the largest unit that fits, rounded down; nothing is shorter than a minute.
fn span(span: TimeDelta) -> String {
    let mins = span.num_minutes();
    match mins {
        ..1 => "less than a minute".to_owned(),
        1..120 => format!("{mins} min"),
        120..2880 => format!("{} hours", mins / 60),
        _ => format!("{} days", mins / 1440),
    }
}
