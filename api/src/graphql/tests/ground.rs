//! A hospital behind its doors, for the tests of this crate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::clock::{Clock, FixedClock};
use domain::db::{self, Pool};
use domain::dry_run::{BlankDatabase, Limits, MailWriter, Simulator};
use domain::error::Error;
use domain::hospital::{Hospital, Site};
use domain::lead::inquiry::Draft;
use domain::lead::receive::receive;
use domain::link::Secrets;
use domain::nudge::NoNudges;
use domain::outreach::claim::Sendable;
use domain::playbook::{Playbook, Playbooks};
use domain::setup::{self, Setup};
use domain::signal::Signals;
use domain::staff;
use domain::viewer::Actor;
use entity::enums::{LeadType, Role};
use entity::id::LeadId;
use entity::message::GateReason;
use migration::{Migrator, MigratorTrait};
use poem::endpoint::BoxEndpoint;
use poem::http::StatusCode;
use poem::test::TestClient;
use poem::{EndpointExt, Response};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use crate::state::{Api, ApiSettings, Probe, QueueDepths};

/// A hospital with two desks and nothing else.
pub struct Ground {
    pub api: Api,
    pub clock: FixedClock,
    pub client: TestClient<BoxEndpoint<'static, Response>>,
    statements: Arc<Mutex<Vec<String>>>,
}

struct StillProbe;

#[async_trait]
impl Probe for StillProbe {
    async fn queue(&self) -> Result<QueueDepths, String> {
        Ok(QueueDepths { waiting: 3, bulk: 1 })
    }

    fn metrics(&self) -> String {
        "leadward_up 1\n".to_owned()
    }
}

/// There is no worker here whose mails could be tried.
struct NoDryRuns;

#[async_trait]
impl BlankDatabase for NoDryRuns {
    async fn blank(&self) -> domain::error::Result<DatabaseConnection> {
        Err(Error::fault("no dry runs in these tests"))
    }
}

impl MailWriter for NoDryRuns {
    fn subject(
        &self,
        _: &Hospital,
        _: &Playbook,
        _: &Sendable,
        _: DateTime<Utc>,
    ) -> Result<String, GateReason> {
        Err(GateReason::TemplateFailed)
    }
}

/// An answer over HTTP.
pub struct Answered {
    pub status: StatusCode,
    pub headers: poem::http::HeaderMap,
    pub body: Value,
}

impl Answered {
    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
    }
}

impl Ground {
    pub async fn new() -> Self {
        Self::with(ApiSettings::default()).await
    }

    pub async fn with(settings: ApiSettings) -> Self {
        let pool = Pool {
            max_connections: 1,
            ..Pool::default()
        };
        let mut db = db::connect("sqlite::memory:", &pool).await.unwrap();
        let statements = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&statements);
        db.set_metric_callback(move |info| {
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(info.statement.sql.clone());
        });
        Migrator::up(&db, None).await.unwrap();
        let clock = FixedClock::at("2026-03-03T15:00:00Z".parse().unwrap());
        let hospital = Hospital {
            db,
            clock: Arc::new(clock.clone()),
            secrets: Arc::new(Secrets::new([7; 32])),
            site: Arc::new(Site {
                public_url: "https://leads.example.org".to_owned(),
                mail_from: "care@mail.example.org".to_owned(),
                postal_address: "1 Pier Street, Hartford, CT 06103".to_owned(),
                name: "Harbor".to_owned(),
            }),
            // The test changes rules from outside, so every request asks for the revision.
            playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
        };
        setup::apply(&hospital, &Setup::parse(include_str!("hospital.json")).unwrap())
            .await
            .unwrap();
        let api = Api {
            hospital,
            signals: Signals::default(),
            nudger: Arc::new(NoNudges),
            settings: Arc::new(settings),
            probe: Arc::new(StillProbe),
            simulator: Simulator::new(Arc::new(NoDryRuns), Arc::new(NoDryRuns), Limits::default()),
            certificates: crate::hooks::Certificates::new(Arc::new(crate::hooks::NoFetch)),
        };
        let client = TestClient::new(crate::routes::routes(api.clone()).map_to_response().boxed());
        Self {
            api,
            clock,
            client,
            statements,
        }
    }

    /// The statements since the last call.
    pub fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new token of a role.
    pub async fn token(&self, role: Role) -> String {
        staff::token::create(&self.api.hospital, role, "test", None)
            .await
            .unwrap()
            .1
    }

    /// Signs a member of staff in. Answers the cookie's secret.
    pub async fn sign_in(&self, email: &str) -> String {
        let typed = staff::SignIn {
            email: email.to_owned(),
            password: "correct horse battery".to_owned(),
            place: "192.0.2.1".to_owned(),
        };
        staff::sign_in(&self.api.hospital, typed)
            .await
            .unwrap()
            .value
            .secret
    }

    /// A lead for a service, received now.
    pub async fn lead(&self, n: usize, service: &str) -> LeadId {
        let h = &self.api.hospital;
        let playbook = h.playbook().await.unwrap();
        let draft = Draft {
            lead_type: Some(LeadType::PatientAppointment),
            given_name: format!("Pat{}", char::from(b'a' + u8::try_from(n % 26).unwrap())),
            family_name: "Doe".to_owned(),
            email: format!("pat{n}@example.org"),
            requested_service: service.to_owned(),
            visit: domain::lead::visit::Visit {
                source_code: Some("SLP-AD-1".to_owned()),
                ..Default::default()
            },
            ..Draft::default()
        };
        let inquiry = draft.parse(&playbook).unwrap();
        self.clock.advance(chrono::TimeDelta::seconds(1));
        self.api
            .pass_on(receive(h, Actor::VISITOR, inquiry).await.unwrap())
            .lead_id
    }

    /// Posts a query with a token.
    pub async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Answered {
        let mut headers = vec![("accept", "application/graphql-response+json".to_owned())];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
        self.post(&headers, &json!({ "query": query, "variables": variables }))
            .await
    }

    /// Posts a body with headers.
    pub async fn post(&self, headers: &[(&'static str, String)], body: &Value) -> Answered {
        let mut request = self.client.post("/graphql").content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        answered(request.body(body.to_string()).send().await).await
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// Reads an answer.
pub async fn answered(response: poem::test::TestResponse) -> Answered {
    let response = response.0;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.into_body().into_vec().await.unwrap();
    Answered {
        status,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}
