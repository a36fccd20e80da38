//! One GraphQL request: who asks, and what has been read for it so far.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Error, ErrorExtensions};
use chrono::{DateTime, Utc};
use domain::error::Error as DomainError;
use domain::playbook::Playbook;
use domain::viewer::Viewer;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::OnceCell;

use super::errors::{THROTTLED, Told, coded};
use super::loaders::Rows;
use super::page::Cursors;
use crate::limit::Posts;
use crate::state::Api;
use crate::viewer::Caller;

type Kept = Arc<OnceCell<Arc<Playbook>>>;

/// One GraphQL request. Resolvers take everything they need from here.
pub struct Ask {
    /// The installation.
    pub api: Api,
    /// Who asks, and what was proved.
    pub caller: Caller,
    posts: Posts,
    /// The request's id, as it is logged and told with faults.
    pub request_id: String,
    /// The `Idempotency-Key` header, as it was sent.
    pub idempotency_key: Option<String>,
    /// Reads and writes the cursors of pages.
    pub cursors: Cursors,
    rows: DataLoader<Rows>,
    playbook: RwLock<Kept>,
    fault_told: AtomicBool,
    executed: AtomicBool,
}

impl Ask {
    /// A request of this caller.
    pub(crate) fn new(
        api: Api,
        caller: Caller,
        posts: Posts,
        request_id: String,
        idempotency_key: Option<String>,
    ) -> Self {
        let rows = Rows {
            db: api.hospital.db.clone(),
            viewer: caller.viewer.clone(),
        };
        Self {
            cursors: Cursors::new(&api.hospital.secrets),
            // One statement for what a page needs: a page never has more than fits in one batch.
            rows: DataLoader::new(rows, tokio::spawn).max_batch_size(domain::db::BATCH_MAX),
            playbook: RwLock::default(),
            fault_told: AtomicBool::new(false),
            executed: AtomicBool::new(false),
            api,
            caller,
            posts,
            request_id,
            idempotency_key,
        }
    }

    /// The request that a resolver works for.
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Arc<Self> {
        ctx.data_unchecked::<Arc<Self>>()
    }

    /// Who asks.
    pub fn viewer(&self) -> &Viewer {
        &self.caller.viewer
    }

    /// Counts one post of somebody who has not said who he is: a form's answer, or a sign-in.
    ///
    /// # Errors
    /// `THROTTLED` when this address has sent too many.
    pub fn count_post(&self) -> Result<(), Error> {
        self.posts.count().map_err(|wait_secs| {
            let message = "There were too many posts from this address. Wait, and send it again.";
            coded(THROTTLED, message).extend_with(|_, extensions| extensions.set("retryAfterSecs", wait_secs))
        })
    }

    /// Where the request came from, as places are told apart when posts are counted.
    pub fn place(&self) -> String {
        self.posts.client.to_string()
    }

    /// The database.
    pub fn db(&self) -> &DatabaseConnection {
        &self.api.hospital.db
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.api.hospital.now()
    }

    /// The rules and lists, read once a request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn playbook(&self) -> Result<Arc<Playbook>, Error> {
        let kept = self
            .playbook
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let playbook = kept.get_or_try_init(|| self.api.hospital.playbook()).await;
        playbook.cloned().told(self)
    }

    /// Forgets what was read, before the next event of a subscription.
    pub fn read_again(&self) {
        *self.playbook.write().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    /// Loads what belongs to a key, together with what other resolvers want at the same time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load<K>(&self, key: K) -> Result<Option<<Rows as Loader<K>>::Value>, Error>
    where
        K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
        Rows: Loader<K, Error = Arc<DbErr>>,
    {
        let found = self.rows.load_one(key).await;
        found
            .map_err(|error| DomainError::Fault(Box::new(error)))
            .told(self)
    }

    /// Whether this is the request's first fault, so that an outage is one line in the log and not one a field.
    pub fn first_fault(&self) -> bool {
        !self.fault_told.swap(true, Ordering::Relaxed)
    }

    /// Notes that execution has begun: from here on the response has a `data` entry.
    pub fn begin_execution(&self) {
        self.executed.store(true, Ordering::Relaxed);
    }

    /// Whether execution has begun.
    pub fn was_executed(&self) -> bool {
        self.executed.load(Ordering::Relaxed)
    }
}
