//! One version of a sequence. Never changed after it is published.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::enums::{AttemptOutcome, EligibilityFlag, LeadStage};
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

text_enum!(/// What a step can wait for.
Awaited {
    /// The lead is in the stage named, or further; closing does not count.
    StageReached = "STAGE_REACHED",
    /// An attempt is logged, with the outcome named if one is.
    AttemptLogged = "ATTEMPT_LOGGED",
    /// An appointment is booked, or booked anew.
    AppointmentBooked = "APPOINTMENT_BOOKED",
    /// The contact sends a form again.
    FormAnswered = "FORM_ANSWERED",
});

text_enum!(/// Which members of staff a step tells.
Told {
    /// Whoever serves the lead; its team when nobody does.
    Owner = "OWNER",
    /// Everybody in the lead's team.
    Team = "TEAM",
});

/// One way of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Way {
    /// Its share, in proportion to the other ways.
    pub weight: u32,
    /// Key of the step that it leads to.
    pub then: String,
}

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
    /// Waits until something happens, at most so long.
    WaitFor {
        /// What is waited for.
        event: Awaited,
        /// The stage, for [`Awaited::StageReached`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<LeadStage>,
        /// The outcome, for [`Awaited::AttemptLogged`]; none means any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<AttemptOutcome>,
        /// Seconds after which it is no longer waited for.
        timeout_secs: i64,
        /// Key of the step if it happens in time.
        then: String,
        /// Key of the step if it does not.
        otherwise: String,
    },
    /// Divides contacts by chance. One contact always goes the same way.
    Split {
        /// What the draw is made of besides the contact: splits with one seed divide alike. None means that this split
        /// divides in a way of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seed: Option<String>,
        /// The ways, two or more.
        ways: Vec<Way>,
    },
    /// Changes the lead, as far as a machine may.
    UpdateLead {
        /// Flags that it gets.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add_flags: Vec<EligibilityFlag>,
        /// Flags that it loses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove_flags: Vec<EligibilityFlag>,
        /// Slug of the team that serves it from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<String>,
    },
    /// Tells staff by mail.
    NotifyStaff {
        /// Who is told.
        to: Told,
        /// The subject line, without personal data.
        title: String,
    },
    /// What the sequence is for. Once this holds, at whatever step, the enrollment ends as completed by it.
    Goal {
        /// When it is reached.
        when: Condition,
    },
    /// Ends the enrollment as completed.
    End {},
}

/// One step. After it the next in the list follows, except after a branch, a split, a wait for something and an end.
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
    /// The person asked to be called back.
    CallbackAsked = "CALLBACK_ASKED",
    /// An appointment was booked, or booked anew.
    AppointmentBooked = "APPOINTMENT_BOOKED",
    /// The person did not come to an appointment.
    AppointmentMissed = "APPOINTMENT_MISSED",
    /// The lead got the flag named: something is missing.
    InformationMissing = "INFORMATION_MISSING",
    /// A day before or after something came.
    Date = "DATE",
    /// A form was saved to be finished later, and left.
    FormAbandoned = "FORM_ABANDONED",
    /// Only a person or a program enrolls.
    Manual = "MANUAL",
});

text_enum!(/// Whether a lead that was in a sequence may enter it again. It is never in it twice at a time.
Reentry {
    /// Once and never again.
    Never = "NEVER",
    /// When the earlier time has ended.
    AfterExit = "AFTER_EXIT",
    /// Always: what runs ends, and it begins anew.
    Always = "ALWAYS",
});

text_enum!(/// What a date is counted from.
DateAnchor {
    /// The start of a booked appointment.
    Appointment = "APPOINTMENT",
    /// The moment at which the lead came in.
    Received = "RECEIVED",
});

/// A day relative to something, in the facility's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DateRule {
    /// What it is counted from.
    pub from: DateAnchor,
    /// Days after it; negative means before.
    pub days: i32,
    /// Local minute of that day, 0 to 1439; none means the time of day of what it is counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute_of_day: Option<u16>,
}

/// When a lead is enrolled by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// The event.
    pub on: TriggerKind,
    /// The stage reached, for [`TriggerKind::StageChanged`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<LeadStage>,
    /// The flag, for [`TriggerKind::InformationMissing`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<EligibilityFlag>,
    /// The day, for [`TriggerKind::Date`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateRule>,
    /// Slug of the form, for [`TriggerKind::FormAbandoned`]; none means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Whether a lead may enter again.
    #[serde(default = "Trigger::reentry_unless_said")]
    pub reentry: Reentry,
    /// What must hold besides.
    #[serde(default)]
    pub filter: Condition,
}

impl Trigger {
    /// A trigger on this event and nothing besides.
    #[must_use]
    pub const fn on(on: TriggerKind) -> Self {
        Self {
            on,
            stage: None,
            flag: None,
            date: None,
            form: None,
            reentry: Self::reentry_unless_said(),
            filter: Condition(Vec::new()),
        }
    }

    /// Whether a lead may enter again when the trigger does not say.
    #[must_use]
    pub const fn reentry_unless_said() -> Reentry {
        Reentry::AfterExit
    }
}

/// What takes a lead out before the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Exits {
    /// Stages that end the enrollment. A closed lead and a withdrawal always do.
    pub stages: Vec<LeadStage>,
    /// Seconds from the beginning after which it ends wherever it stands; none means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_secs: Option<i64>,
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
