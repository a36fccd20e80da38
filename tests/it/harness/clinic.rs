//! A small hospital for one test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::hooks::{Certificates, Fetch, HookSettings};
use api::state::{Api, ApiSettings, Probe, QueueDepths};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::{Clock, FixedClock};
use domain::dry_run::Limits;
use domain::hospital::{Hospital, Site};
use domain::link::Secrets;
use domain::nudge::{Nudger, Subject};
use domain::playbook::Playbooks;
use domain::setup::{self, Setup};
use domain::signal::Signals;
use poem::endpoint::BoxEndpoint;
use poem::test::TestClient;
use poem::{EndpointExt, Response};
use sea_orm::DatabaseConnection;
use tokio::sync::OnceCell;
use worker::deliver::Transport;
use worker::run::Worker;
use worker::settings::{LaneDelivery, WorkerSettings};
use worker::smtp::{SmtpConfig, SmtpPool};

use super::database::{TestDatabase, on_a_thread};
use super::smtp_sink::SmtpSink;
use super::storage;

/// What the hospital is like.
const DOCUMENT: &str = include_str!("clinic.json");
/// The template with the document applied.
static FURNISHED: OnceCell<TestDatabase> = OnceCell::const_new();

/// An instant, written as in RFC 3339.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse()
        .unwrap_or_else(|error| panic!("{text} is no instant: {error}"))
}

/// Tuesday, 10:00 in the east and 09:00 in the middle of the country.
pub fn morning() -> DateTime<Utc> {
    at("2026-03-03T15:00:00Z")
}

/// What a test may want to be different.
#[derive(Clone, Debug)]
pub struct ClinicSettings {
    /// Form posts of one address in a minute.
    pub form_posts_per_minute: u32,
    /// Whether mail goes to a sink by SMTP instead of into the outbox.
    pub smtp: bool,
    /// What is known of mail providers.
    pub hooks: HookSettings,
    /// What can be fetched by HTTPS.
    pub documents: Arc<Documents>,
}

/// Documents that can be fetched, and what was asked for.
#[derive(Debug, Default)]
pub struct Documents {
    known: Mutex<HashMap<String, String>>,
    asked: Mutex<Vec<String>>,
}

impl Documents {
    /// Puts a document behind an address.
    pub fn put(&self, url: &str, text: &str) {
        lock(&self.known).insert(url.to_owned(), text.to_owned());
    }

    /// What was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

#[async_trait]
impl Fetch for Documents {
    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        lock(&self.asked).push(url.to_owned());
        let found = lock(&self.known).get(url).cloned();
        found
            .map(String::into_bytes)
            .ok_or_else(|| "there is no such document".to_owned())
    }
}

impl Default for ClinicSettings {
    fn default() -> Self {
        Self {
            form_posts_per_minute: 10_000,
            smtp: false,
            hooks: HookSettings::default(),
            documents: Arc::default(),
        }
    }
}

/// A small hospital with everything that runs in it.
pub struct Clinic {
    /// Stands still until the test moves it.
    pub clock: FixedClock,
    /// The hospital, for operations that have no door.
    pub hospital: Hospital,
    /// What is told to listeners.
    pub signals: Signals,
    /// What workers were reminded of.
    pub nudges: Arc<Nudges>,
    /// The doors.
    pub client: TestClient<BoxEndpoint<'static, Response>>,
    /// The worker.
    pub worker: Worker,
    api: Api,
    sink: Option<SmtpSink>,
    statements: Arc<Mutex<Vec<String>>>,
    /// Secrets of tokens by role, and sessions by address.
    pub(super) known: Mutex<HashMap<String, Known>>,
    database: TestDatabase,
}

/// How somebody who asked before proves who it is.
#[derive(Clone)]
pub(super) enum Known {
    /// By a bearer token.
    Token(String),
    /// By a cookie and a CSRF token.
    Session {
        /// The cookie's value.
        cookie: String,
        /// The token of its pages.
        csrf: String,
        /// When it began.
        since: DateTime<Utc>,
    },
}

impl Clinic {
    /// A clinic whose mail is kept in the outbox.
    pub async fn new() -> Self {
        Self::with(ClinicSettings::default()).await
    }

    /// A clinic whose mail goes to a sink by SMTP.
    pub async fn with_smtp() -> Self {
        Self::with(ClinicSettings {
            smtp: true,
            ..ClinicSettings::default()
        })
        .await
    }

    /// A clinic of this kind.
    pub async fn with(settings: ClinicSettings) -> Self {
        let database = Self::furnished_database().await;
        let mut connection = database.connect().await;
        let statements = Arc::new(Mutex::new(Vec::new()));
        let heard = statements.clone();
        connection.set_metric_callback(move |info| lock(&heard).push(info.statement.sql.clone()));
        let clock = FixedClock::at(morning());
        let hospital = hospital(connection, clock.clone());
        let (signals, nudges) = (Signals::default(), Arc::new(Nudges::default()));
        let api = Api {
            hospital: hospital.clone(),
            signals: signals.clone(),
            nudger: nudges.clone(),
            settings: Arc::new(ApiSettings {
                form_posts_per_minute: settings.form_posts_per_minute,
                mail_captured: !settings.smtp,
                hooks: settings.hooks.clone(),
                ..ApiSettings::default()
            }),
            probe: Arc::new(StillProbe),
            certificates: Certificates::new(settings.documents.clone()),
            simulator: leadward::dry_run::simulator(&hospital, Limits::default())
                .expect("a sender and an address"),
        };
        let sink = if settings.smtp {
            Some(SmtpSink::start().await)
        } else {
            None
        };
        let client = TestClient::new(api::routes::routes(api.clone()).map_to_response().boxed());
        let worker = worker(&hospital, transport(sink.as_ref()), &signals, &nudges);
        let known = Mutex::default();
        Self {
            clock,
            hospital,
            signals,
            nudges,
            client,
            worker,
            api,
            sink,
            statements,
            known,
            database,
        }
    }

    /// The database of a clinic, for processes of their own.
    pub async fn furnished_database() -> TestDatabase {
        FURNISHED.get_or_init(furnished).await.copy().await
    }

    /// The present instant of the test.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets hours pass.
    pub fn hours_pass(&self, hours: i64) {
        self.clock.advance(TimeDelta::hours(hours));
    }

    /// Lets minutes pass.
    pub fn minutes_pass(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// Does all that is due, through the handlers of the worker.
    pub async fn drain(&self) {
        self.worker.drain().await.expect("the work can be done");
    }

    /// Moves the clock from one due row to the next and does what is due at each, as a worker does that never stops.
    pub async fn live_until(&self, until: DateTime<Utc>) {
        self.drain().await;
        while let Some(due) = storage::next_due(self.db(), self.now())
            .await
            .filter(|due| *due < until)
        {
            self.clock.set(due);
            self.drain().await;
        }
        self.clock.set(until);
        self.drain().await;
    }

    /// A worker like the clinic's in another process.
    pub fn another_worker(&self) -> Worker {
        worker(
            &self.hospital,
            transport(self.sink.as_ref()),
            &self.signals,
            &self.nudges,
        )
    }

    /// Whether mail goes out by SMTP.
    pub fn is_smtp(&self) -> bool {
        self.sink.is_some()
    }

    /// The mail server.
    pub fn sink(&self) -> &SmtpSink {
        self.sink.as_ref().expect("this clinic was made with SMTP")
    }

    /// The database.
    pub fn db(&self) -> &DatabaseConnection {
        &self.hospital.db
    }

    /// The doors on a port of 127.0.0.1, for what needs a socket. Closed with the test's runtime.
    pub async fn listen(&self) -> std::net::SocketAddr {
        use poem::listener::{Acceptor, Listener, TcpListener};
        let acceptor = TcpListener::bind("127.0.0.1:0")
            .into_acceptor()
            .await
            .expect("a free port");
        let local = acceptor
            .local_addr()
            .into_iter()
            .find_map(|address| address.as_socket_addr().copied());
        let routes = api::routes::routes(self.api.clone());
        tokio::spawn(async move { poem::Server::new_with_acceptor(acceptor).run(routes).await });
        local.expect("a bound socket has an address")
    }

    /// The SQL statements that ran since the last call.
    pub fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.statements))
    }

    /// What stands in each table; two calls are equal when nothing was stored or changed between them.
    pub async fn contents(&self) -> storage::Contents {
        storage::contents(self.db()).await
    }
}

impl Drop for Clinic {
    /// A story that ends well leaves nothing undone.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (url, now) = (self.database.url.clone(), self.now());
        let undone = on_a_thread(async move { storage::undone(&url, now).await });
        assert!(undone.is_empty(), "the story ends, and this is left: {undone:#?}");
    }
}

/// Remembers what workers were reminded of.
#[derive(Debug, Default)]
pub struct Nudges(Mutex<Vec<Subject>>);

impl Nudges {
    /// What came since the last call.
    pub fn take(&self) -> Vec<Subject> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Nudger for Nudges {
    fn nudge(&self, subject: Subject) {
        lock(&self.0).push(subject);
    }
}

/// There is no queue to ask, and nothing is measured.
struct StillProbe;

#[async_trait]
impl Probe for StillProbe {
    async fn queue(&self) -> Result<QueueDepths, String> {
        Ok(QueueDepths::default())
    }

    fn metrics(&self) -> String {
        "leadward_up 1\n".to_owned()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hospital(db: DatabaseConnection, clock: FixedClock) -> Hospital {
    let site = Site {
        public_url: "https://leads.clinic.example".to_owned(),
        mail_from: "Harbor Health <care@clinic.example>".to_owned(),
        postal_address: "1 Pier Street, Hartford, CT 06103".to_owned(),
        name: "Harbor Health".to_owned(),
    };
    Hospital {
        db,
        clock: Arc::new(clock),
        secrets: Arc::new(Secrets::new(*b"the key of every test's hospital")),
        site: Arc::new(site),
        // Rules are read again whenever they changed, so that a test sees its own changes.
        playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
    }
}

async fn furnished() -> TestDatabase {
    let database = TestDatabase::new().await;
    let hospital = hospital(
        database.connect().await,
        FixedClock::at(at("2026-03-01T12:00:00Z")),
    );
    let document = Setup::parse(DOCUMENT).expect("clinic.json can be read");
    setup::apply(&hospital, &document)
        .await
        .unwrap_or_else(|error| panic!("clinic.json is refused: {error:?}"));
    database.settle(hospital.db).await;
    database
}

fn transport(sink: Option<&SmtpSink>) -> Transport {
    let Some(sink) = sink else {
        return Transport::Capture;
    };
    let config: SmtpConfig = sink.url().parse().expect("the sink has an address");
    Transport::Smtp(SmtpPool::new(config).expect("the sink can be reached"))
}

fn worker(hospital: &Hospital, transport: Transport, signals: &Signals, nudges: &Arc<Nudges>) -> Worker {
    let settings = WorkerSettings {
        bulk: LaneDelivery {
            batch: 100,
            concurrency: 8,
            batches: 2,
        },
        ..WorkerSettings::default()
    };
    Worker::new(
        hospital.clone(),
        transport,
        settings,
        signals.clone(),
        nudges.clone(),
    )
    .expect("a sender and an address")
}

#[tokio::test]
#[should_panic(expected = "the story ends, and this is left")]
async fn a_story_that_leaves_work_undone_fails() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
}
