//! A place where leads are served, with an address and a time zone.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::FacilityId;

/// A place where leads are served, with an address and a time zone.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "facility")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FacilityId,
    /// Short name in rules and configuration, for example `riverside`.
    #[sea_orm(unique)]
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// Street and number.
    pub address_line: String,
    /// City.
    pub city: String,
    /// State, a two-letter USPS code in the United States.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166 two-letter country.
    pub country: String,
    /// IANA time zone, for example `America/New_York`.
    pub time_zone: String,
    /// Main number, E.164.
    pub phone: Option<String>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
