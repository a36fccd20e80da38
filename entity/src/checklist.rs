//! A list of what is to be asked or done while a follow-up is worked on.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::LeadType;
use crate::id::{ChecklistId, ServiceLineId};

/// One thing of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// Its name within the list; it stays when the label is changed.
    pub key: String,
    /// What people read.
    pub label: String,
}

/// The things of a checklist, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Items(pub Vec<Item>);

/// The lead types of a checklist; none means all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct LeadTypes(pub Vec<LeadType>);

/// The service lines of a checklist; none means all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct ServiceLines(pub Vec<ServiceLineId>);

/// A list of what is to be asked or done while a follow-up is worked on.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checklist")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChecklistId,
    /// What setup documents call it.
    #[sea_orm(unique)]
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// The first contact with leads of these types, and of these lines, has this list without a template that names it.
    /// One that names neither belongs to templates alone.
    #[sea_orm(column_type = "JsonBinary")]
    pub lead_types: LeadTypes,
    /// See the lead types.
    #[sea_orm(column_type = "JsonBinary")]
    pub service_lines: ServiceLines,
    /// What is on it.
    #[sea_orm(column_type = "JsonBinary")]
    pub items: Items,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
