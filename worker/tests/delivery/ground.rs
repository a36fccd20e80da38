//! A hospital with a fixed clock, and messages in it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use domain::clock::{Clock, FixedClock};
use domain::consent::Entry;
use domain::hospital::{Hospital, Site};
use domain::id::new_id;
use domain::link::Secrets;
use domain::nudge::{NoNudges, Nudger};
use domain::outreach::template::seal;
use domain::playbook::Playbooks;
use domain::signal::Signals;
use domain::viewer::Actor;
use entity::consent_event::{ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource};
use entity::contact::{self, ContactKind};
use entity::enums::{ActorKind, Medium, Purpose, Role};
use entity::id::{ConsentEventId, ContactId, MessageId, TemplateId, TemplateVersionId};
use entity::message::{self, GateReason, Lane, MessageKind, MessageState};
use entity::message_event::{self, MessageEventKind};
use entity::suppression::{self, SuppressionReason};
use entity::template_version::{Bodies, Body, TemplateState};
use entity::{staff, team, template, template_version};
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use worker::deliver::Transport;
use worker::run::Worker;
use worker::settings::WorkerSettings;
use worker::smtp::SmtpPool;

use crate::database::TestDatabase;
use crate::smtp_sink::SmtpSink;

/// What is particular about a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The contact has agreed to it.
    pub consent: bool,
    /// It answers a form.
    pub confirmation: bool,
    /// Its template names what is not there.
    pub broken_template: bool,
}

/// A message that was planned.
#[derive(Clone, Debug)]
pub struct Planned {
    pub id: MessageId,
    pub contact_id: ContactId,
    pub consent_event_id: Option<ConsentEventId>,
    pub rfc_message_id: String,
    email: String,
}

/// The hospital.
pub struct Ground {
    pub hospital: Hospital,
    pub clock: FixedClock,
    good: TemplateVersionId,
    broken: TemplateVersionId,
    // Dropped last: the database goes with it.
    _database: TestDatabase,
}

impl Ground {
    /// Noon of a Monday in New York.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await;
        let db = database.connect().await;
        let clock = FixedClock::at(Utc.with_ymd_and_hms(2026, 11, 23, 17, 0, 0).unwrap());
        let hospital = Hospital {
            db,
            clock: Arc::new(clock.clone()),
            secrets: Arc::new(Secrets::new([7; 32])),
            site: Arc::new(Site {
                public_url: "https://leads.example.org".to_owned(),
                mail_from: "Riverside Health <care@example.org>".to_owned(),
                postal_address: "1 River St, Springfield, IL 62701".to_owned(),
                name: "Riverside Health".to_owned(),
            }),
            playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
        };
        review_team(&hospital).await;
        let good = template(&hospital, "good", "Hello {{ given_name }}").await;
        let broken = template(&hospital, "broken", "Hello {{ no_such_thing }}").await;
        Self {
            hospital,
            clock,
            good,
            broken,
            _database: database,
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn worker(&self) -> Worker {
        self.worker_with(Transport::Capture, Arc::new(NoNudges))
    }

    pub fn worker_nudging(&self, sink: &SmtpSink, nudger: Arc<dyn Nudger>) -> Worker {
        self.worker_with(smtp(sink), nudger)
    }

    pub fn worker_to(&self, sink: &SmtpSink) -> Worker {
        self.worker_with(smtp(sink), Arc::new(NoNudges))
    }

    fn worker_with(&self, transport: Transport, nudger: Arc<dyn Nudger>) -> Worker {
        let settings = WorkerSettings::default();
        Worker::new(
            self.hospital.clone(),
            transport,
            settings,
            Signals::default(),
            nudger,
        )
        .unwrap()
    }

    /// A message to a new contact.
    pub async fn message(&self, plan: Plan) -> Planned {
        let now = self.now();
        let id: ContactId = new_id(now);
        let email = format!("ada.{}@example.net", id.0.simple());
        let contact = contact::ActiveModel {
            id: Set(id),
            kind: Set(ContactKind::Person),
            given_name: Set("Ada".to_owned()),
            family_name: Set("North".to_owned()),
            email: Set(Some(email.clone())),
            email_normalized: Set(Some(email.clone())),
            language: Set("en".to_owned()),
            time_zone: Set(Some("America/New_York".to_owned())),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        contact.insert(&self.hospital.db).await.unwrap();
        self.plan(id, email, plan).await
    }

    /// A message to the contact of another one.
    pub async fn message_to(&self, other: &Planned, plan: Plan) -> Planned {
        self.plan(other.contact_id, other.email.clone(), plan).await
    }

    async fn plan(&self, contact_id: ContactId, email: String, plan: Plan) -> Planned {
        let now = self.now();
        let consent_event_id = if plan.consent {
            Some(self.consent(contact_id).await)
        } else {
            None
        };
        let id: MessageId = new_id(now);
        let rfc_message_id = format!("{id}@example.org");
        let (kind, lane, purpose) = if plan.confirmation {
            (
                MessageKind::Confirmation,
                Lane::Waiting,
                Purpose::CareCoordination,
            )
        } else {
            (MessageKind::Nurture, Lane::Bulk, Purpose::Marketing)
        };
        let row = message::ActiveModel {
            id: Set(id),
            kind: Set(kind),
            lane: Set(lane),
            purpose: Set(purpose),
            origin_key: Set(Some(format!("test/{id}"))),
            contact_id: Set(Some(contact_id)),
            template_version_id: Set(Some(if plan.broken_template {
                self.broken
            } else {
                self.good
            })),
            subject: Set("as planned".to_owned()),
            rfc_message_id: Set(rfc_message_id.clone()),
            state: Set(MessageState::Planned),
            due_at: Set(now),
            expires_at: Set(now + TimeDelta::days(4)),
            attempts: Set(0),
            fence: Set(0),
            created_at: Set(now),
            ..Default::default()
        };
        row.insert(&self.hospital.db).await.unwrap();
        Planned {
            id,
            contact_id,
            consent_event_id,
            rfc_message_id,
            email,
        }
    }

    async fn consent(&self, contact_id: ContactId) -> ConsentEventId {
        let now = self.now();
        let entry = Entry {
            contact_id,
            medium: Medium::Email,
            address: None,
            purpose: Some(Purpose::Marketing),
            action: ConsentAction::Grant,
            level: ConsentLevel::Express,
            shown: None,
            method: ConsentMethod::Staff,
            source: ConsentSource::default(),
            evidence: ConsentEvidence::default(),
            refers_to_id: None,
            expires_at: None,
            actor: Actor::SYSTEM,
            occurred_at: now,
        };
        let event = entry.row(now).into_active_model();
        event.insert(&self.hospital.db).await.unwrap().id
    }

    pub async fn suppress(&self, mail: &Planned) {
        let row = suppression::ActiveModel {
            id: Set(new_id(self.now())),
            medium: Set(Medium::Email),
            address_hash: Set(self.hospital.secrets.address_hash("EMAIL", &mail.email).to_vec()),
            reason: Set(SuppressionReason::HardBounce),
            created_at: Set(self.now()),
        };
        row.insert(&self.hospital.db).await.unwrap();
    }

    pub async fn row(&self, id: MessageId) -> message::Model {
        message::Entity::find_by_id(id)
            .one(&self.hospital.db)
            .await
            .unwrap()
            .unwrap()
    }

    /// Why a message was withheld.
    pub async fn withheld(&self, id: MessageId) -> Vec<GateReason> {
        let row = self.row(id).await;
        assert_eq!(row.state, MessageState::Withheld);
        row.decision
            .unwrap()
            .reasons
            .into_iter()
            .map(|reason| reason.code)
            .collect()
    }

    pub async fn events(&self, id: MessageId) -> Vec<MessageEventKind> {
        let events = message_event::Entity::find()
            .filter(message_event::Column::MessageId.eq(id))
            .order_by_asc(message_event::Column::Id)
            .all(&self.hospital.db)
            .await
            .unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    pub async fn in_state(&self, state: MessageState) -> u64 {
        message::Entity::find()
            .filter(message::Column::State.eq(state))
            .count(&self.hospital.db)
            .await
            .unwrap()
    }

    /// Closes the database, so that it can be dropped.
    pub async fn end(self) {
        self.hospital.db.close_by_ref().await.unwrap();
    }
}

fn smtp(sink: &SmtpSink) -> Transport {
    Transport::Smtp(SmtpPool::new(sink.url().parse().unwrap()).unwrap())
}

/// The one row without which a hospital has no rules.
async fn review_team(h: &Hospital) {
    let row = team::ActiveModel {
        id: Set(new_id(h.now())),
        slug: Set("review".to_owned()),
        name: Set("Review".to_owned()),
        lead_id: Set(None),
        is_review: Set(true),
        created_at: Set(h.now()),
        ..Default::default()
    };
    row.insert(&h.db).await.unwrap();
}

async fn template(h: &Hospital, key: &str, subject: &str) -> TemplateVersionId {
    let now = h.now();
    let template_id: TemplateId = new_id(now);
    let row = template::ActiveModel {
        id: Set(template_id),
        key: Set(key.to_owned()),
        name: Set(key.to_owned()),
        purpose: Set(Purpose::Marketing),
        created_at: Set(now),
    };
    row.insert(&h.db).await.unwrap();
    let reviewer = staff::ActiveModel {
        id: Set(new_id(now)),
        email: Set(format!("{key}@reviewers.example")),
        display_name: Set("Rita".to_owned()),
        role: Set(Role::ClinicalReviewer),
        time_zone: Set("UTC".to_owned()),
        password_hash: Set(None),
        max_open: Set(None),
        active: Set(true),
        created_at: Set(now),
    };
    let reviewer = reviewer.insert(&h.db).await.unwrap();
    let words = "Hello {{ given_name }} {{ unsubscribe_url }} {{ postal_address }}";
    let body = Body {
        language: "en".to_owned(),
        subject: subject.to_owned(),
        html: format!("<p>{words}</p>"),
        text: words.to_owned(),
        ..Body::default()
    };
    let digest = seal::digest("en", "", std::slice::from_ref(&body));
    let version = template_version::ActiveModel {
        id: Set(new_id(now)),
        template_id: Set(template_id),
        version: Set(1),
        state: Set(TemplateState::Approved),
        default_language: Set("en".to_owned()),
        layout: Set(String::new()),
        bodies: Set(Bodies(vec![body])),
        author_kind: Set(ActorKind::System),
        author_id: Set(None),
        content_sha256: Set(digest.clone()),
        created_at: Set(now),
        submitted_at: Set(Some(now)),
        reviewed_at: Set(Some(now)),
        reviewed_by: Set(Some(reviewer.id)),
        note: Set(None),
        approved_sha256: Set(Some(digest)),
    };
    version.insert(&h.db).await.unwrap().id
}
