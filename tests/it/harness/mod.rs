//! The stage that stories are told on.
//!
//! [`Clinic`] is a small hospital with a database of its own, a clock that the test moves, the real routes and the real
//! worker. A story does what people do (fill in forms, ask by GraphQL, read mail, let time pass) and looks at what came
//! of it.

mod ask;
mod bulk;
mod clinic;
pub mod database;
mod mail;
mod outbox;
mod page;
pub mod process;
#[expect(dead_code, reason = "the benches use the rest of it")]
pub mod smtp_sink;
mod storage;

pub use ask::{Answer, As, OPS, look};
pub use clinic::{Clinic, ClinicSettings, Documents, at};
pub use mail::Mail;
pub use outbox::plan_nurture;
pub use page::{Checkbox, FormPage, pat};
