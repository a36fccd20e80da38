//! Follow-ups: work for people, with due times. Whoever opens one plans the mails about it in the same transaction.

pub mod assign;
pub mod build;
mod change;
pub mod complete;
pub mod digest;
pub mod find;
pub mod open;
pub mod remind;
pub mod snooze;

#[cfg(test)]
mod tests;

pub(crate) use change::changed_event;

pub use assign::{AssignFollowUp, assign};
pub use complete::{Complete, complete};
pub use open::{Opened, open};
pub use snooze::{Snooze, snooze};

/// Place in the work list, the smallest first: late and urgent, late, urgent, other. Within a place the due time counts.
pub const fn rank(late: bool, urgent: bool) -> i32 {
    match (late, urgent) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
}
