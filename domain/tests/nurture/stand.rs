//! A hospital with little in it, on a database of its own.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use domain::clock::{Clock, FixedClock};
use domain::consent::{self, Standing};
use domain::db::{self, Pool};
use domain::error::{Code, Error};
use domain::hospital::{Hospital, Site};
use domain::id::new_id;
use domain::lead::inquiry::{ConsentAnswer, Draft};
use domain::lead::receive;
use domain::link::Secrets;
use domain::outreach::template::seal;
use domain::patch::Patch;
use domain::playbook::{self, Playbooks};
use domain::sequence::{self, Advanced, CreateSequence, PublishSequence, advance_due};
use domain::viewer::{Actor, Viewer};
use entity::condition::Condition;
use entity::enums::{ActorKind, LeadType, Medium, Purpose, Role};
use entity::id::{ConsentWordingId, LeadId, SequenceId, TokenId};
use entity::sequence_version::{Action, Exits, Step, Steps, Trigger, TriggerKind};
use entity::template_version::{Bodies, Body, TemplateState};
use entity::{
    consent_event, consent_wording, enrollment, lead, message, staff, team, template, template_version,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

pub(crate) const BOSS: Viewer = Viewer::Token {
    id: TokenId(Uuid::from_u128(1)),
    role: Role::Admin,
};

/// A Monday, noon in New York.
pub(crate) fn monday_noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 17, 0, 0).unwrap()
}

pub(crate) struct Stand {
    pub(crate) h: Hospital,
    pub(crate) clock: FixedClock,
    pub(crate) wording: ConsentWordingId,
    /// The server's address and the database to drop there.
    pub(crate) made: Option<(String, String)>,
}

impl Stand {
    pub(crate) async fn on_sqlite() -> Self {
        let pool = Pool {
            max_connections: 1,
            ..Pool::default()
        };
        Self::on(db::connect("sqlite::memory:", &pool).await.unwrap(), None).await
    }

    /// A database of its own on the server of `TEST_DATABASE_URL`, if that is set.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let server = std::env::var("TEST_DATABASE_URL")
            .ok()
            .filter(|url| url.starts_with("postgres"))?;
        let admin = db::connect(&server, &Pool::default()).await.unwrap();
        let id: LeadId = new_id(monday_noon() + TimeDelta::milliseconds(i64::from(std::process::id())));
        let name = format!("nurture_{}", id.0.simple());
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        admin.close().await.unwrap();
        let (before_query, query) = server
            .split_once('?')
            .map_or((server.as_str(), None), |(a, b)| (a, Some(b)));
        let (base, _) = before_query.rsplit_once('/').unwrap();
        let url = format!(
            "{base}/{name}{}",
            query.map(|query| format!("?{query}")).unwrap_or_default()
        );
        let db = db::connect(
            &url,
            &Pool {
                max_connections: 6,
                ..Pool::default()
            },
        )
        .await
        .unwrap();
        Some(Self::on(db, Some((server, name))).await)
    }

    pub(crate) async fn on(db: DatabaseConnection, made: Option<(String, String)>) -> Self {
        Migrator::up(&db, None).await.unwrap();
        let clock = FixedClock::at(monday_noon());
        let h = Hospital {
            db,
            clock: Arc::new(clock.clone()),
            secrets: Arc::new(Secrets::new([7; 32])),
            site: Arc::new(Site {
                public_url: "https://leads.example.org".to_owned(),
                mail_from: "Example Hospital <care@mail.example.org>".to_owned(),
                postal_address: "1 Main St, Columbus, OH 43215".to_owned(),
                name: "Example Hospital".to_owned(),
            }),
            playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
        };
        let stand = Self {
            h,
            wording: new_id(clock.now()),
            clock,
            made,
        };
        stand.fill().await;
        stand
    }

    pub(crate) async fn fill(&self) {
        let (db, now) = (&self.h.db, self.clock.now());
        if team::Entity::find()
            .filter(team::Column::IsReview.eq(true))
            .count(db)
            .await
            .unwrap()
            == 0
        {
            let review = team::Model {
                id: new_id(now),
                slug: "review".to_owned(),
                name: "Review".to_owned(),
                facility_id: None,
                department_id: None,
                lead_id: None,
                is_review: true,
                created_at: now,
            };
            review.into_active_model().insert(db).await.unwrap();
        }
        let reviewer = staff::Model {
            id: new_id(now),
            email: "rita@clinic.example".to_owned(),
            display_name: "Rita".to_owned(),
            role: Role::ClinicalReviewer,
            time_zone: "America/New_York".to_owned(),
            password_hash: None,
            max_open: None,
            active: true,
            created_at: now,
        };
        reviewer.clone().into_active_model().insert(db).await.unwrap();
        for (key, purpose) in [("hello", Purpose::Marketing), ("help", Purpose::CareCoordination)] {
            let row = template::Model {
                id: new_id(now),
                key: key.to_owned(),
                name: key.to_owned(),
                purpose,
                created_at: now,
            };
            let body = Body {
                language: "en".to_owned(),
                subject: "About your request".to_owned(),
                html: "h".to_owned(),
                text: "t".to_owned(),
                ..Body::default()
            };
            let digest = seal::digest("en", "", std::slice::from_ref(&body));
            let version = template_version::Model {
                id: new_id(now),
                template_id: row.id,
                version: 1,
                state: TemplateState::Approved,
                default_language: "en".to_owned(),
                layout: String::new(),
                bodies: Bodies(vec![body]),
                author_kind: ActorKind::System,
                author_id: None,
                content_sha256: digest.clone(),
                created_at: now,
                submitted_at: Some(now),
                reviewed_at: Some(now),
                reviewed_by: Some(reviewer.id),
                note: None,
                approved_sha256: Some(digest),
            };
            row.into_active_model().insert(db).await.unwrap();
            version.into_active_model().insert(db).await.unwrap();
        }
        let wording = consent_wording::Model {
            id: self.wording,
            key: "email-marketing".to_owned(),
            version: 1,
            language: "en".to_owned(),
            medium: Medium::Email,
            purpose: Purpose::Marketing,
            text: "Send me health tips.".to_owned(),
            sha256: "0".repeat(64),
            by_line: false,
            created_at: now,
        };
        wording.into_active_model().insert(db).await.unwrap();
        playbook::changed(db).await.unwrap();
    }

    /// Drops the database that was made for this stand.
    pub(crate) async fn end(self) {
        self.h.db.close().await.unwrap();
        if let Some((server, name)) = self.made {
            let admin = db::connect(&server, &Pool::default()).await.unwrap();
            admin
                .execute_unprepared(&format!("DROP DATABASE {name}"))
                .await
                .unwrap();
        }
    }

    /// A lead of a new person who has ticked the box.
    pub(crate) async fn lead(&self, name: &str) -> lead::Model {
        let draft = Draft {
            lead_type: Some(LeadType::PatientAppointment),
            given_name: "Pat".to_owned(),
            family_name: name.to_owned(),
            email: format!("{name}@example.org"),
            requested_service: "sleep".to_owned(),
            consents: vec![ConsentAnswer {
                wording_id: self.wording,
                granted: true,
            }],
            ..Draft::default()
        };
        let inquiry = draft.parse(&self.h.playbook().await.unwrap()).unwrap();
        let receipt = receive::receive(&self.h, Actor::VISITOR, inquiry)
            .await
            .unwrap()
            .value;
        lead::Entity::find_by_id(receipt.lead_id)
            .one(&self.h.db)
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn publish(&self, name: &str, purpose: Purpose, steps: Vec<Step>) -> SequenceId {
        let input = CreateSequence {
            name: name.to_owned(),
            purpose,
            campaign_id: None,
            demand_making: false,
            trigger: Trigger {
                filter: Condition::default(),
                ..Trigger::on(TriggerKind::LeadReceived)
            },
            steps: Steps(steps),
            exits: Exits::default(),
        };
        let id = sequence::create(&self.h, &BOSS, input).await.unwrap().value.id;
        self.publish_steps(id, None).await.unwrap();
        id
    }

    pub(crate) async fn publish_steps(
        &self,
        sequence_id: SequenceId,
        steps: Option<Vec<Step>>,
    ) -> Result<entity::sequence::Model, Error> {
        let input = PublishSequence {
            sequence_id,
            trigger: None,
            steps: steps.map(Steps),
            exit_stages: None,
            ends_after: Patch::Keep,
        };
        sequence::publish(&self.h, &BOSS, input)
            .await
            .map(|done| done.value)
    }

    pub(crate) async fn advance(&self) -> Advanced {
        advance_due(&self.h, 500).await.unwrap().value
    }

    pub(crate) async fn mails(&self, lead: &lead::Model) -> Vec<message::Model> {
        message::Entity::find()
            .filter(message::Column::LeadId.eq(lead.id))
            .filter(message::Column::ContactId.is_not_null())
            .order_by_asc(message::Column::Id)
            .all(&self.h.db)
            .await
            .unwrap()
    }

    pub(crate) async fn enrollments(&self, lead: &lead::Model) -> Vec<enrollment::Model> {
        enrollment::Entity::find()
            .filter(enrollment::Column::LeadId.eq(lead.id))
            .order_by_asc(enrollment::Column::Id)
            .all(&self.h.db)
            .await
            .unwrap()
    }

    pub(crate) async fn standing(&self, lead: &lead::Model, address: &str) -> Standing {
        let events = consent_event::Entity::find()
            .filter(consent_event::Column::ContactId.eq(lead.contact_id))
            .all(&self.h.db)
            .await
            .unwrap();
        consent::standing::fold(
            &events,
            Medium::Email,
            address,
            Purpose::Marketing,
            self.clock.now(),
        )
    }
}

/// Runs a story on every database there is.
macro_rules! story {
    ($name:ident, $stand:ident, $body:block) => {
        #[tokio::test]
        async fn $name() {
            let on_postgres = $crate::stand::Stand::on_postgres().await;
            for stand in [Some($crate::stand::Stand::on_sqlite().await), on_postgres]
                .into_iter()
                .flatten()
            {
                let $stand = &stand;
                async { $body }.await;
                stand.end().await;
            }
        }
    };
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Code {
    match result {
        Err(Error::Refused(refusals)) => refusals[0].code,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

pub(crate) fn step(key: &str, action: Action) -> Step {
    Step {
        key: key.to_owned(),
        action,
    }
}

pub(crate) fn mail(key: &str) -> Step {
    step(
        key,
        Action::SendEmail {
            template: "hello".to_owned(),
        },
    )
}

pub(crate) fn wait(key: &str, secs: i64) -> Step {
    step(key, Action::Wait { secs })
}

/// A mail at once, one after an hour, a call, the end.
pub(crate) fn plan() -> Vec<Step> {
    let call = Action::FollowUp {
        title: "Call".to_owned(),
        due_in_mins: 60,
    };
    vec![
        mail("first"),
        wait("hour", 3600),
        mail("second"),
        step("call", call),
        step("end", Action::End {}),
    ]
}
