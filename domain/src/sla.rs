//! How fast a lead has to be answered, counted on business calendars.

pub mod calendar;
pub mod policy;
pub mod sweep;
