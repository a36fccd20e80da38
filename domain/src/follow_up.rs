//! Follow-ups: work for people, with due times. Whoever opens one plans the mails about it in the same transaction.

pub mod assign;
pub mod build;
pub mod change;
pub mod checklist;
pub mod complete;
pub mod digest;
pub mod feed;
pub mod find;
pub mod hand_over;
pub mod next;
pub mod open;
pub mod place;
pub mod remind;
pub mod snooze;
mod write;

pub(crate) use change::changed_event;
pub(crate) use write::write;

pub use assign::{AssignFollowUp, assign, assign_all};
pub use change::{Changed, Wanted, wanted};
pub use checklist::{CheckItem, check_item};
pub use complete::{Complete, complete, complete_all};
pub use hand_over::{HandOver, HandedOver, hand_over};
pub use next::{Next, next};
pub use open::{Opened, open};
pub use snooze::{Snooze, snooze, snooze_all};
