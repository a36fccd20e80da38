//! A lead: one inquiry of one contact for one service line, from the door to the visit.

pub mod assign;
pub mod attempt;
mod change;
pub mod decision;
pub mod event;
pub mod facts;
pub mod find;
pub mod form_answers;
pub mod form_draft;
pub mod inquiry;
pub mod note;
pub mod open_work;
pub mod pause;
pub mod receive;
pub mod reroute;
mod rows;
pub mod score;
pub mod stage;
pub mod triage;
pub mod update;
pub mod visit;
