//! A version of an audit rubric: by which criteria work is judged, and for how many points.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::AuditRubricId;

text_enum!(/// What is judged.
AuditSubject {
    /// An attempt to reach a lead.
    Attempt = "ATTEMPT",
    /// Why a lead was closed.
    Disposition = "DISPOSITION",
    /// What a form brought.
    FormData = "FORM_DATA",
});

/// One criterion of a rubric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Criterion {
    /// Its name within the rubric; it stays when the words are changed.
    pub key: String,
    /// What is judged.
    pub text: String,
    /// The most points that it gives; the least are none.
    pub points: i32,
}

/// The criteria of a rubric, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Criteria(pub Vec<Criterion>);

/// A version of an audit rubric. A version is never changed; the newest of its key counts.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_rubric")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditRubricId,
    /// What setup documents call it.
    pub key: String,
    /// Counts the versions of a key, from 1.
    pub version: i32,
    /// The name that people read.
    pub name: String,
    /// What it judges.
    pub subject: AuditSubject,
    /// By what it judges.
    #[sea_orm(column_type = "JsonBinary")]
    pub criteria: Criteria,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
