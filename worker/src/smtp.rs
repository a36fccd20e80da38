//! Handing mail to the relay over SMTP.
//!
//! The delivery engine needs one thing from a failed send that mail libraries do not say: whether the message can
//! have been accepted. [`SmtpPool::send`] therefore walks the transaction step by step and answers with one of three
//! outcomes: [`Accepted`], [`SendError::NotSent`] (nothing was accepted, a retry cannot double the mail) or
//! [`SendError::Unknown`] (the final dot went out and no answer came back).
//!
//! lettre's own pool writes through Nagle's algorithm, which together with delayed acknowledgments costs 40 ms a
//! mail, so the connections are opened here (`TCP_NODELAY`), kept in a [`deadpool`] pool and only spoken through by
//! lettre.

mod config;
mod held;
mod outcome;
mod wire;

#[cfg(test)]
#[path = "../../tests/it/harness/smtp_sink.rs"]
mod smtp_sink;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use futures_util::future::join_all;
use lettre::address::Envelope;

pub use config::{Security, SmtpConfig, SmtpConfigError, SmtpTimeouts};
pub use outcome::{Accepted, Class, SendError, Stage};

use held::Held;
use wire::Connector;

/// How long a goodbye may take; the other side owes us nothing after it.
const QUIT_LIMIT: Duration = Duration::from_secs(1);

/// A bounded set of open SMTP connections to one relay. Clones share the connections.
#[derive(Clone)]
pub struct SmtpPool {
    pool: Pool<Connections>,
    config: Arc<SmtpConfig>,
}

impl std::fmt::Debug for SmtpPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpPool")
            .field("config", &self.config)
            .field("status", &self.pool.status())
            .finish()
    }
}

impl SmtpPool {
    /// Prepares the pool. Nothing is connected yet; the first send does that.
    ///
    /// # Errors
    /// When the file of certificate authorities cannot be used, or the host is no name that a certificate could bear.
    pub fn new(config: SmtpConfig) -> Result<Self, SmtpConfigError> {
        let config = Arc::new(config);
        let connector = Connector::new(Arc::clone(&config))?;
        let pool = Pool::builder(Connections {
            connector,
            config: Arc::clone(&config),
        })
        .max_size(config.connections.max(1))
        .queue_mode(QueueMode::Lifo)
        .timeouts(Timeouts {
            wait: Some(config.timeouts.wait),
            create: None,
            recycle: None,
        })
        .runtime(Runtime::Tokio1)
        .build()
        .expect("a pool with a runtime can always be built");
        Ok(Self { pool, config })
    }

    /// Hands one message to the relay, for all recipients of the envelope or for none.
    ///
    /// `raw` is the whole message. Line ends that are not CRLF are made so, because a bare line feed before a dot lets
    /// some servers see two messages where there is one.
    ///
    /// A connection from the pool that turns out to be dead at `MAIL FROM` is replaced by a new one, once, without
    /// telling the caller. Dropping the future is safe: the connection is then never used again. What became of the
    /// message is then unknown to the caller.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, envelope: &Envelope, raw: &[u8]) -> Result<Accepted, SendError> {
        let body = canonical(raw);
        let mut held = self.pool.get().await.map_err(pool_error)?;
        let reused = held.is_reused();
        let mut outcome = held.transaction(envelope, &body, &self.config.timeouts).await;
        if reused && outcome.as_ref().is_err_and(SendError::is_stale_connection) {
            match self.pool.manager().create().await {
                Ok(fresh) => {
                    *held = fresh;
                    outcome = held.transaction(envelope, &body, &self.config.timeouts).await;
                }
                Err(error) => outcome = Err(error),
            }
        }
        if held.is_broken() {
            // Taken out now, so that its socket closes at once and not when the pool comes across it.
            drop(Object::take(held));
        }
        outcome
    }

    /// Connects, signs in and exchanges one `NOOP`: the readiness of the relay, without sending anything.
    ///
    /// # Errors
    /// [`SendError::NotSent`] with what the relay or the network said.
    pub async fn check(&self) -> Result<(), SendError> {
        let mut held = self.pool.get().await.map_err(pool_error)?;
        let answer = held.noop(&self.config.timeouts).await;
        if held.is_broken() {
            drop(Object::take(held));
        }
        answer
    }

    /// How many connections are open, idle or in use.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.pool.status().size
    }

    /// Says goodbye on idle connections and refuses further sends; sends under way finish.
    pub async fn close(&self) {
        let idle = self.pool.retain(|_, _| false).removed;
        self.pool.close();
        join_all(idle.into_iter().map(Held::quit)).await;
    }
}

/// Opens and judges the pool's connections.
struct Connections {
    connector: Connector,
    config: Arc<SmtpConfig>,
}

impl Manager for Connections {
    type Type = Held;
    type Error = SendError;

    async fn create(&self) -> Result<Held, SendError> {
        Ok(Held::new(self.connector.connect().await?))
    }

    async fn recycle(&self, held: &mut Held, _: &Metrics) -> RecycleResult<SendError> {
        if held.renew(&self.config).await {
            Ok(())
        } else {
            Err(RecycleError::message("the connection is used up or broken"))
        }
    }
}

fn pool_error(error: PoolError<SendError>) -> SendError {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => SendError::local(Stage::Connect, "no SMTP connection became free in time"),
        PoolError::Closed => SendError::local(Stage::Connect, "the SMTP pool is closed"),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            SendError::local(Stage::Connect, "the SMTP pool is misconfigured")
        }
    }
}

/// The message with CRLF line ends everywhere and without its last one, which the end-of-data mark brings along.
pub(crate) fn canonical(raw: &[u8]) -> Cow<'_, [u8]> {
    let bare = |at: usize| match raw[at] {
        b'\n' => at == 0 || raw[at - 1] != b'\r',
        b'\r' => raw.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    if !(0..raw.len()).any(bare) {
        return Cow::Borrowed(raw.strip_suffix(b"\r\n").unwrap_or(raw));
    }
    let mut fixed = Vec::with_capacity(raw.len() + raw.len() / 32);
    for (at, byte) in raw.iter().enumerate() {
        if bare(at) {
            fixed.extend_from_slice(b"\r\n");
        } else {
            fixed.push(*byte);
        }
    }
    if fixed.ends_with(b"\r\n") {
        fixed.truncate(fixed.len() - 2);
    }
    Cow::Owned(fixed)
}
