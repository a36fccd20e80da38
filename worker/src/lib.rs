//! What happens later: mail goes out, enrollments move on, what is late is found.
//!
//! The database remembers and the queue reminds: everything here is a row with a due time, so a worker may die at any
//! moment and any number of them may run. Read [`deliver`] first; it is a mail's way out.

pub mod deliver;
pub mod mail;
pub mod mailbox;
pub mod metrics;
pub mod queue;
pub mod route;
pub mod run;
pub mod settings;
pub mod smtp;
mod sweep;
