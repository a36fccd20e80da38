//! How fast a lead has to be answered, counted on business calendars.

pub mod calendar;
pub mod escalate;
pub mod ladder;
pub mod pause;
pub mod policy;
pub mod sweep;
