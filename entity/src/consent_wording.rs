//! A text that a person agrees to. A version is never changed.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::enums::{Medium, Purpose};
use crate::id::ConsentWordingId;

/// A text that a person agrees to. A version is never changed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_wording")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentWordingId,
    /// Names the wording across versions and languages.
    pub key: String,
    /// Counts up from 1 within key and language.
    pub version: i32,
    /// A BCP 47 tag.
    pub language: String,
    /// The medium that it allows.
    pub medium: Medium,
    /// The purpose that it allows.
    pub purpose: Purpose,
    /// The text as it is shown.
    pub text: String,
    /// SHA-256 of the text in hexadecimal.
    pub sha256: String,
    /// Whether a person who agrees to it may choose the service lines that mail is about.
    pub by_line: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
