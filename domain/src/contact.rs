//! People and organizations we can reach.

pub mod email;
pub mod find;
pub mod invalid;
pub mod name;
pub mod phone;
pub mod resolve;
pub mod zones;
