//! The doors of GraphQL, tried over HTTP on a small hospital.

mod ground;
mod http;
mod mutations;
mod reads;
mod streams;
