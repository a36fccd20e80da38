//! A lead: one inquiry of one contact for one service line, from the door to the visit.

pub mod answer_script;
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
pub(crate) mod kinship;
pub(crate) mod newest;
pub mod note;
pub mod open_finding;
pub mod open_work;
pub mod pause;
pub mod profile;
pub mod receive;
pub mod reroute;
mod rows;
pub mod score;
pub mod script;
pub mod stage;
pub mod triage;
pub mod update;
pub mod visit;
