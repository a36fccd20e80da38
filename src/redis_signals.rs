//! Carries signals between processes by Redis's publish and subscribe.
//!
//! Signals may be lost: a subscriber reads what it shows from the database, and nothing that must be done hangs on one.

use std::sync::Arc;
use std::time::Duration;

use domain::error::Chain;
use domain::signal::{Carrier, Signal, Signals};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Signals waiting to be published; beyond them the oldest news is better lost than memory.
const WAITING_MAX: usize = 10_000;
/// Pause before a lost connection is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A signal with the process that it comes from, which has told its own listeners already.
#[derive(Serialize, Deserialize)]
struct Letter {
    from: u64,
    signal: Signal,
}

struct Outbox {
    me: u64,
    letters: mpsc::Sender<String>,
}

impl Carrier for Outbox {
    fn carry(&self, signal: Signal) {
        let Ok(letter) = serde_json::to_string(&Letter {
            from: self.me,
            signal,
        }) else {
            return;
        };
        // A full outbox means that Redis is away; the listeners of other processes miss it and read again.
        let _ = self.letters.try_send(letter);
    }
}

/// Signals that reach every process with the same Redis and prefix. Ends with `stop`.
///
/// # Errors
/// When `url` is not a Redis address.
pub fn start(
    url: &str,
    prefix: &str,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<Signals, redis::RedisError> {
    let client = redis::Client::open(url)?;
    let channel = format!("{prefix}:signals");
    let me: u64 = rand::random();
    let (letters, waiting) = mpsc::channel(WAITING_MAX);
    let signals = Signals::carried_by(Arc::new(Outbox { me, letters }));
    tasks.spawn(
        stop.clone()
            .run_until_cancelled_owned(publish(client.clone(), channel.clone(), waiting)),
    );
    tasks.spawn(
        stop.clone()
            .run_until_cancelled_owned(listen(client, channel, me, signals.clone())),
    );
    Ok(signals)
}

/// Publishes whatever is in the outbox.
async fn publish(client: redis::Client, channel: String, mut waiting: mpsc::Receiver<String>) {
    let mut connection = None;
    while let Some(letter) = waiting.recv().await {
        if connection.is_none() {
            connection = client.get_multiplexed_async_connection().await.ok();
        }
        let Some(open) = connection.as_mut() else {
            // The listening side logs the outage.
            tokio::time::sleep(RETRY_PAUSE).await;
            continue;
        };
        let sent: redis::RedisResult<()> = redis::cmd("PUBLISH")
            .arg(&channel)
            .arg(&letter)
            .query_async(open)
            .await;
        if sent.is_err() {
            connection = None;
        }
    }
}

/// Tells this process's listeners what other processes publish.
async fn listen(client: redis::Client, channel: String, me: u64, signals: Signals) {
    let mut away = false;
    loop {
        let error = listen_once(&client, &channel, me, &signals, &mut away)
            .await
            .err();
        if !away {
            let chain = error.as_ref().map(|error| Chain(error).to_string());
            tracing::warn!(error = chain, "live updates from other processes are interrupted");
            away = true;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

async fn listen_once(
    client: &redis::Client,
    channel: &str,
    me: u64,
    signals: &Signals,
    away: &mut bool,
) -> redis::RedisResult<()> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(channel).await?;
    if std::mem::take(away) {
        tracing::info!("live updates from other processes are back");
    }
    let mut letters = subscription.into_on_message();
    while let Some(letter) = letters.next().await {
        let text: String = letter.get_payload()?;
        // A process of another version may publish what this one cannot read; that is not for it then.
        if let Ok(Letter { from, signal }) = serde_json::from_str(&text)
            && from != me
        {
            signals.tell_here(signal);
        }
    }
    Ok(())
}
