//! What every door of the API works with.

use std::sync::Arc;

use async_trait::async_trait;
use domain::done::Done;
use domain::dry_run::Simulator;
use domain::hospital::Hospital;
use domain::nudge::Nudger;
use domain::signal::Signals;

use crate::hooks::{Certificates, HookSettings};

/// One installation as its doors see it. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The hospital: database, clock, keys, rules.
    pub hospital: Hospital,
    /// Where operations tell what happened, and where subscriptions listen.
    pub signals: Signals,
    /// Reminds the workers.
    pub nudger: Arc<dyn Nudger>,
    /// Limits and habits.
    pub settings: Arc<ApiSettings>,
    /// What only the process as a whole knows.
    pub probe: Arc<dyn Probe>,
    /// Makes dry runs.
    pub simulator: Simulator,
    /// Fetches and keeps the certificates that Amazon signs its notices with.
    pub certificates: Certificates,
}

impl Api {
    /// Tells listeners and reminds workers of a committed result, and hands it on. Neither can fail.
    pub fn pass_on<T>(&self, done: Done<T>) -> T {
        self.signals.tell(&done.signals);
        for subject in done.nudges {
            self.nudger.nudge(subject);
        }
        done.value
    }
}

/// Limits and habits of the API.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Whether cookies are marked `Secure`: true when the public address is https.
    pub secure_cookies: bool,
    /// Whether the visitor's address is taken from `X-Forwarded-For`. Only true behind a proxy that writes it.
    pub trust_proxy: bool,
    /// Largest request body in bytes. A larger one is answered with 413.
    pub max_body_bytes: usize,
    /// Seconds in which a request's body has to arrive. A slower one is answered with 408.
    pub body_secs: u64,
    /// Deepest nesting of a GraphQL operation; introspection is not counted.
    pub query_depth_max: usize,
    /// Most fields that a GraphQL operation may ask for, pages counted in full.
    pub query_cost_max: usize,
    /// Form posts a minute from one address before further ones are answered with 429.
    pub form_posts_per_minute: u32,
    /// Whether mail is kept in the database instead of sent, and its content may be read.
    pub mail_captured: bool,
    /// Origins of other sites whose pages may call the API from a browser, such as `https://www.example.org`.
    pub cors_origins: Vec<String>,
    /// What is known of the mail providers that tell what became of mails.
    pub hooks: HookSettings,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            secure_cookies: false,
            trust_proxy: false,
            max_body_bytes: 256 * 1024,
            body_secs: 30,
            query_depth_max: 12,
            query_cost_max: 20_000,
            form_posts_per_minute: 20,
            mail_captured: false,
            cors_origins: Vec::new(),
            hooks: HookSettings::default(),
        }
    }
}

/// How many nudges wait in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepths {
    /// In the lane of mail that somebody waits for.
    pub waiting: u64,
    /// In the lane of everything else.
    pub bulk: u64,
}

/// What only the process as a whole knows: the queue belongs to the worker, the metrics to the exporter.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Asks the queue how much waits in it, which shows that it answers.
    ///
    /// # Errors
    /// A sentence for the log when the queue does not answer.
    async fn queue(&self) -> Result<QueueDepths, String>;

    /// Everything measured, in Prometheus' text format.
    fn metrics(&self) -> String;
}
