//! One version of a sequence. Never changed after it is published.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::enums::LeadStage;
use crate::id::{SequenceId, SequenceVersionId};

text_enum!(/// A local weekday.
Weekday {
    /// Monday.
    Monday = "MONDAY",
    /// Tuesday.
    Tuesday = "TUESDAY",
    /// Wednesday.
    Wednesday = "WEDNESDAY",
    /// Thursday.
    Thursday = "THURSDAY",
    /// Friday.
    Friday = "FRIDAY",
    /// Saturday.
    Saturday = "SATURDAY",
    /// Sunday.
    Sunday = "SUNDAY",
});

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Action {
    /// Plans a mail of a template.
    SendEmail {
        /// The template's key.
        template: String,
    },
    /// Waits for a duration.
    Wait {
        /// Seconds, at least 1.
        secs: i64,
    },
    /// Waits until the next such weekday and time in the contact's zone.
    WaitUntil {
        /// The weekday; none means any day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weekday: Option<Weekday>,
        /// Minute of the day, 0 to 1439.
        minute_of_day: u16,
    },
    /// Opens a follow-up for the lead's team.
    FollowUp {
        /// What is to be done.
        title: String,
        /// Business minutes until it is due.
        due_in_mins: i64,
    },
    /// Goes one of two ways.
    Branch {
        /// When this holds, the first way.
        when: Condition,
        /// Key of the step if it holds.
        then: String,
        /// Key of the step if it does not.
        otherwise: String,
    },
    /// Ends the enrollment as completed.
    End {},
}

/// One step. After it the next in the list follows, except after a branch and an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Names the step within the version.
    pub key: String,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
}

/// The steps, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Steps(pub Vec<Step>);

text_enum!(/// What enrolls a lead.
TriggerKind {
    /// A lead was received.
    LeadReceived = "LEAD_RECEIVED",
    /// A lead's stage changed to the one named.
    StageChanged = "STAGE_CHANGED",
    /// Only a person or a program enrolls.
    Manual = "MANUAL",
});

/// When a lead is enrolled by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// The event.
    pub on: TriggerKind,
    /// The stage reached, for [`TriggerKind::StageChanged`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<LeadStage>,
    /// What must hold besides.
    #[serde(default)]
    pub filter: Condition,
}

/// What takes a lead out before the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Exits {
    /// Stages that end the enrollment. A closed lead and a withdrawal always do.
    pub stages: Vec<LeadStage>,
}

/// One version of a sequence. Never changed after it is published.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sequence_version")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SequenceVersionId,
    /// The sequence.
    pub sequence_id: SequenceId,
    /// Counts up from 1.
    pub number: i32,
    /// When a lead is enrolled.
    #[sea_orm(column_type = "JsonBinary")]
    pub trigger: Trigger,
    /// The steps.
    #[sea_orm(column_type = "JsonBinary")]
    pub steps: Steps,
    /// What ends it early.
    #[sea_orm(column_type = "JsonBinary")]
    pub exits: Exits,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}
