//! A version of an intake script: what to ask, what to say and what not, while a lead is talked with.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checklist::{LeadTypes, ServiceLines};
use crate::enums::EligibilityFlag;
use crate::id::IntakeScriptId;

text_enum!(/// How a question is answered.
QuestionKind {
    /// `YES` or `NO`.
    YesNo = "YES_NO",
    /// One of its options.
    Choice = "CHOICE",
    /// Words.
    Text = "TEXT",
    /// A calendar date, `YYYY-MM-DD`.
    Date = "DATE",
});

/// One of the answers that a question offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionOption {
    /// What is stored.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// What an answer says of who may come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Effect {
    /// The answer.
    pub answer: String,
    /// Flags that the lead then has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<EligibilityFlag>,
    /// Flags that the lead then has no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clears: Vec<EligibilityFlag>,
}

/// A question of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// Its name within the script; it stays when the words are changed.
    pub key: String,
    /// What is asked.
    pub text: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// The answers that it offers; for [`QuestionKind::Choice`] alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<QuestionOption>,
    /// What its answers say of who may come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
}

/// What a script says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Content {
    /// How to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<String>,
    /// What to ask, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Documents that are needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// How to schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduling: Option<String>,
    /// What not to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<String>,
}

/// A version of an intake script. A version is never changed; the newest of its key counts.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "intake_script")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IntakeScriptId,
    /// What setup documents call it.
    pub key: String,
    /// Counts the versions of a key, from 1.
    pub version: i32,
    /// The name that people read.
    pub name: String,
    /// The types of leads that it is for; all if none is named.
    #[sea_orm(column_type = "JsonBinary")]
    pub lead_types: LeadTypes,
    /// The service lines that it is for; all if none is named.
    #[sea_orm(column_type = "JsonBinary")]
    pub service_lines: ServiceLines,
    /// What it says.
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Content,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
