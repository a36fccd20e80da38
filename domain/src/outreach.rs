//! Mail to contacts and staff: planned as rows, decided by the gate, sent by the worker.
//!
//! A message lives `PLANNED → CLAIMED → HANDED_OFF → ACCEPTED | REFUSED | UNKNOWN`, or is `WITHHELD` for good, or
//! `DEFERRED`. See `ARCHITECTURE.md` for the whole walk.

mod alert;
pub mod captured;
pub mod claim;
pub mod click;
pub mod delivery_stats;
pub mod explain;
pub mod find;
pub mod gate;
pub mod hand_off;
pub mod hold;
pub mod mailing;
pub mod plan;
pub mod provider;
pub mod recover;
pub mod release;
pub mod reputation;
pub mod route;
pub mod settle;
pub mod staff_notice;
pub mod stop;
pub mod suppress;
pub mod tally;
pub mod template;
pub mod template_preview;
pub mod template_review;
pub mod template_store;
pub mod throttle;
pub mod verp;
pub mod withhold;
