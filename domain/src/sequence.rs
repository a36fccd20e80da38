//! Sequences: plans of mails, follow-ups, waits and branches, and each lead's way through one.
//!
//! A sequence is written as a draft and published in versions. A published version never changes, and an enrollment
//! stays on the version it began with, unless somebody moves it ([`transfer`]). What happens to a lead is followed in
//! the transaction in which it happens ([`happen`]). The engine ([`advance`]) moves enrollments whose time has come; it plans mails
//! and opens follow-ups, and the gate decides about each mail when it is about to go.

pub mod advance;
pub mod course;
pub mod create;
pub mod dates;
pub mod enroll;
pub mod find;
pub mod happen;
pub mod leave;
pub mod pause;
pub mod publish;
pub(crate) mod reply;
pub mod split;
pub mod steps;
pub mod transfer;
pub mod wait;
pub mod watchdog;

pub use advance::{Advanced, advance_due};
pub use create::{CreateSequence, create};
pub use enroll::{EnrollLead, UnenrollLead, enroll, unenroll};
pub use pause::{PauseSequence, pause};
pub use publish::{Content, PublishSequence, publish};
