//! Campaigns: planned work with a channel, service lines, a budget, dates and a code, and the placements that people
//! answer.
//!
//! `DRAFT → LIVE ⇄ PAUSED`. A pause holds the mails of the campaign's sequences; leads that answer it are received as
//! ever.

mod create;
pub mod find;
mod read;
mod run;
mod spend;
mod update;

#[cfg(test)]
mod tests;

pub use self::create::{CreateCampaign, create};
pub use self::read::{
    LINES_MAX, MAX_CODE_CHARS, MAX_NAME_CHARS, MAX_PATH_CHARS, NewPlacement, PLACEMENTS_MAX,
};
pub use self::run::{ChangeState, launch, pause};
pub use self::spend::{AMOUNT_MAX_MINOR, RecordSpend, record_spend};
pub use self::update::{UpdateCampaign, update};
