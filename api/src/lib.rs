//! How the world asks: GraphQL, hosted forms, unsubscribe and preference links, sessions.
//!
//! A door parses what came, calls one operation of the domain, passes its news on and answers. No rule lives here.

mod calendar;
pub mod clicks;
mod console_assets;
pub mod cors;
pub mod forms;
mod front;
pub mod graphql;
pub mod health;
pub mod hooks;
mod limit;
pub mod opt_in;
pub mod outbox;
pub mod pages;
pub mod phrases;
pub mod preferences;
pub mod routes;
pub mod state;
pub mod tongue;
pub mod unsubscribe;
pub mod viewer;
