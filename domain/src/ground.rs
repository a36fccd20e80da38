//! A hospital with a database of its own and a clock that stands still, for the tests of this crate: SQLite in
//! memory, or PostgreSQL where `TEST_DATABASE_URL` names a server on which databases may be made.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::id::{FacilityId, ServiceLineId, StaffId, TeamId};
use entity::{facility, service_line, team};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseConnection, IntoActiveModel};

use crate::clock::FixedClock;
use crate::db::{self, Pool};
use crate::hospital::{Hospital, Site};
use crate::id::new_id;
use crate::link::Secrets;
use crate::playbook::Playbooks;
use crate::viewer::Viewer;

/// The hospital.
pub(crate) struct Ground {
    pub(crate) h: Hospital,
    pub(crate) clock: FixedClock,
    /// The server and the name of a database to drop.
    scratch: Option<(String, String)>,
}

impl Ground {
    /// A migrated database with a review team and nothing else.
    pub(crate) async fn at(now: &str) -> Self {
        let clock = FixedClock::at(now.parse().unwrap());
        let server = std::env::var("TEST_DATABASE_URL")
            .ok()
            .filter(|url| url.starts_with("postgres"));
        let (db, scratch) = match server {
            Some(server) => postgres(server).await,
            None => {
                // Each connection to memory is a database of its own, so there must be one.
                let pool = Pool {
                    max_connections: 1,
                    ..Pool::default()
                };
                (db::connect("sqlite::memory:", &pool).await.unwrap(), None)
            }
        };
        Migrator::up(&db, None).await.unwrap();
        let h = Hospital {
            db,
            clock: Arc::new(clock.clone()),
            secrets: Arc::new(Secrets::new([7; 32])),
            site: Arc::new(Site {
                public_url: "https://leads.example.org".to_owned(),
                mail_from: "care@mail.example.org".to_owned(),
                postal_address: "1 Main St, Columbus, OH 43215".to_owned(),
                name: "Example Hospital".to_owned(),
            }),
            playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
        };
        let ground = Self { h, clock, scratch };
        ground.team("review", true).await;
        ground
    }

    /// A viewer with every right.
    pub(crate) fn admin(&self) -> Viewer {
        Viewer::Staff {
            id: new_id::<StaffId>(self.h.now()),
            role: entity::enums::Role::Admin,
            teams: Vec::new(),
        }
    }

    /// A team.
    pub(crate) async fn team(&self, slug: &str, is_review: bool) -> TeamId {
        let row = team::Model {
            id: new_id(self.h.now()),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            facility_id: None,
            department_id: None,
            lead_id: None,
            is_review,
            created_at: self.h.now(),
        };
        row.into_active_model().insert(&self.h.db).await.unwrap().id
    }

    /// A facility.
    pub(crate) async fn facility(&self, slug: &str, time_zone: &str) -> FacilityId {
        let row = facility::Model {
            id: new_id(self.h.now()),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            address_line: "1 Main St".to_owned(),
            city: "Columbus".to_owned(),
            region: "OH".to_owned(),
            postal_code: "43215".to_owned(),
            country: "US".to_owned(),
            time_zone: time_zone.to_owned(),
            phone: None,
            created_at: self.h.now(),
        };
        row.into_active_model().insert(&self.h.db).await.unwrap().id
    }

    /// A service line.
    pub(crate) async fn line(&self, slug: &str) -> ServiceLineId {
        let row = service_line::Model {
            id: new_id(self.h.now()),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            direct_scheduling: false,
            referral_required: false,
            order_required: false,
            triage_required: false,
            direct_procedures: service_line::Procedures::default(),
            mails_per_visit: service_line::MAILS_PER_VISIT,
            pacing_weeks: service_line::PACING_WEEKS,
            max_wait_days: None,
            min_open_slots: None,
            active: true,
            created_at: self.h.now(),
        };
        row.into_active_model().insert(&self.h.db).await.unwrap().id
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let Some((server, name)) = self.scratch.take() else {
            return;
        };
        // The test's own runtime cannot be waited for from here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(run(
                &server,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            ));
        });
        dropping.join().expect("the database is dropped");
    }
}

async fn postgres(server: String) -> (DatabaseConnection, Option<(String, String)>) {
    #[expect(
        clippy::disallowed_methods,
        reason = "databases of tests that run at once need different names"
    )]
    let now: DateTime<Utc> = Utc::now();
    let name = format!("domain_test_{}", new_id::<TeamId>(now).0.simple());
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let mut url = url::Url::parse(&server).unwrap();
    url.set_path(&name);
    let pool = Pool {
        max_connections: 4,
        ..Pool::default()
    };
    (
        db::connect(url.as_str(), &pool).await.unwrap(),
        Some((server, name)),
    )
}

async fn run(server: &str, sql: &str) {
    let pool = Pool {
        max_connections: 1,
        ..Pool::default()
    };
    let db = db::connect(server, &pool).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}
