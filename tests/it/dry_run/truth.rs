//! What really happened in a sequence, in the words of a dry run.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::dry_run::Simulation;
use entity::enrollment::{self, EnrollmentState};
use entity::follow_up::{self, FollowUpKind};
use entity::id::{EnrollmentId, FollowUpId, MessageEventId, MessageId, SequenceId};
use entity::message;
use entity::message_event::{self, MessageEventKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::harness::Clinic;

/// Lead, step, minute, what: sorted, and as often as it happened.
pub type Facts = Vec<(String, String, String, &'static str)>;

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M").to_string()
}

/// What a dry run says.
pub fn told(answer: &Simulation) -> Facts {
    let mut facts: Facts = answer
        .entries
        .iter()
        .map(|entry| {
            let step = entry.step_key.clone().unwrap_or_default();
            (
                entry.lead_id.to_string(),
                step,
                minute(entry.at),
                entry.outcome.as_str(),
            )
        })
        .collect();
    facts.sort();
    facts
}

/// What was there before the period.
pub struct Before {
    events: HashSet<MessageEventId>,
    follow_ups: HashSet<FollowUpId>,
    enrollments: HashSet<EnrollmentId>,
    ended: HashSet<EnrollmentId>,
}

impl Before {
    /// What is there now.
    pub async fn of(clinic: &Clinic) -> Self {
        let db = clinic.db();
        let events = message_event::Entity::find().all(db).await.unwrap();
        let follow_ups = follow_up::Entity::find().all(db).await.unwrap();
        let enrollments = enrollment::Entity::find().all(db).await.unwrap();
        Self {
            events: events.into_iter().map(|row| row.id).collect(),
            follow_ups: follow_ups.into_iter().map(|row| row.id).collect(),
            ended: enrollments
                .iter()
                .filter(|row| row.state != EnrollmentState::Active)
                .map(|row| row.id)
                .collect(),
            enrollments: enrollments.into_iter().map(|row| row.id).collect(),
        }
    }

    /// What happened in a sequence since then and before `until`.
    pub async fn since(&self, clinic: &Clinic, sequence: SequenceId, until: DateTime<Utc>) -> Facts {
        let db = clinic.db();
        let mut facts = Facts::new();
        let messages: HashMap<MessageId, message::Model> = message::Entity::find()
            .filter(message::Column::SequenceId.eq(sequence))
            .all(db)
            .await
            .unwrap()
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        for event in message_event::Entity::find().all(db).await.unwrap() {
            let Some(message) = messages.get(&event.message_id) else {
                continue;
            };
            let what = match event.kind {
                MessageEventKind::Accepted => "SENT",
                MessageEventKind::Deferred => "DEFERRED",
                MessageEventKind::Withheld => "WITHHELD",
                _ => continue,
            };
            if event.at < until && !self.events.contains(&event.id) {
                let step = message.step_key.clone().unwrap_or_default();
                facts.push((message.lead_id.unwrap().to_string(), step, minute(event.at), what));
            }
        }
        let enrollments = enrollment::Entity::find()
            .filter(enrollment::Column::SequenceId.eq(sequence))
            .all(db)
            .await
            .unwrap();
        for row in &enrollments {
            let of_lead = |at, what| (row.lead_id.to_string(), String::new(), minute(at), what);
            if !self.enrollments.contains(&row.id) {
                facts.push(of_lead(row.created_at, "ENROLLED"));
            }
            if let Some(at) = row
                .ended_at
                .filter(|at| *at < until && !self.ended.contains(&row.id))
            {
                let completed = row.state == EnrollmentState::Completed;
                facts.push(of_lead(at, if completed { "COMPLETED" } else { "EXITED" }));
            }
        }
        let asked = follow_up::Entity::find()
            .filter(follow_up::Column::Kind.eq(FollowUpKind::Sequence))
            .all(db)
            .await
            .unwrap();
        for row in asked {
            let ours = enrollments
                .iter()
                .any(|enrollment| row.enrollment_id == Some(enrollment.id));
            if ours && row.created_at < until && !self.follow_ups.contains(&row.id) {
                let origin: Vec<&str> = row.origin_key.as_deref().unwrap().split('/').collect();
                facts.push((
                    row.lead_id.to_string(),
                    origin[2].to_owned(),
                    minute(row.created_at),
                    "FOLLOW_UP",
                ));
            }
        }
        facts.sort();
        facts
    }
}
