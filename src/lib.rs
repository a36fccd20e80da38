//! Joins the crates into one program: settings, start, and the processes. No rule lives here.

pub mod boot;
pub mod check;
pub mod cli;
pub mod commands;
pub mod demo;
pub mod dry_run;
pub mod fetch;
pub mod mail;
pub mod process;
mod redis_signals;
pub mod sending;
mod serve;
pub mod settings;
pub mod simulate;
