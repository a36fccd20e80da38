//! The processes: API, worker, or both in one.

use std::sync::Arc;
use std::time::Duration;

use api::hooks::{Certificates, HookSettings};
use api::state::{Api, ApiSettings, Probe, QueueDepths};
use async_trait::async_trait;
use domain::dry_run::Limits;
use domain::hospital::Hospital;
use domain::signal::Signals;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::deliver::{Outbound, Transport};
use worker::mail::{Dkim, LetterheadError, Postage};
use worker::mailbox::{self, MailboxSettings};
use worker::queue::{LaneSettings, Pusher, PusherSettings, Queue, RedisSettings};
use worker::run::Worker;
use worker::settings::WorkerSettings;

use crate::boot::BootError;
use crate::dry_run;
use crate::fetch::HttpsFetch;
use crate::redis_signals;
use crate::sending::Sending;
use crate::serve::{Manners, serve};
use crate::settings::Settings;

/// Upper edges of the histograms of durations, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Which parts run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// API and worker.
    Both,
    /// The API alone.
    Api,
    /// A worker alone.
    Worker,
}

/// Runs until SIGTERM or Ctrl-C, then finishes what has begun.
///
/// # Errors
/// When it cannot start, or a part ends by itself.
pub async fn run(settings: &Settings, parts: Parts, hospital: Hospital) -> Result<(), BootError> {
    refuse_to_lose_mail(settings, parts)?;
    let house = House::open(settings, hospital).await?;
    let stop = house.stop.clone();
    let deadline = Duration::from_secs(settings.shutdown_secs);
    let both =
        async { tokio::try_join!(house.api(settings, parts), house.worker(settings, parts)).map(|_| ()) };
    tokio::pin!(both);
    let ended = tokio::select! {
        ended = &mut both => ended,
        () = asked_to_stop() => {
            tracing::info!("Stopping: nothing new begins, what has begun is finished.");
            stop.cancel();
            // Parts end by themselves within their own limits; this is for what hangs.
            match tokio::time::timeout(deadline + Duration::from_secs(5), &mut both).await {
                Ok(ended) => ended,
                Err(_) => Err(BootError::because("Some of what had begun did not end in time.")),
            }
        }
    };
    stop.cancel();
    house.tasks.close();
    let _ = tokio::time::timeout(Duration::from_secs(5), house.tasks.wait()).await;
    ended
}

/// A process of its own that has nowhere to send mail would lose what it is for without anybody noticing.
fn refuse_to_lose_mail(settings: &Settings, parts: Parts) -> Result<(), BootError> {
    if parts != Parts::Both && settings.captures_mail() && !settings.capture_mail {
        return Err(BootError::because(
            "SMTP_URL is not set, so nobody would receive a mail. Set it, or say --capture-mail to keep mails in the \
             database instead.",
        ));
    }
    if parts != Parts::Both && settings.redis_url.is_none() && !settings.embedded() {
        tracing::warn!("REDIS_URL is not set: this process hears of new work only by its sweep.");
    }
    Ok(())
}

/// What the parts of a process share.
struct House {
    hospital: Hospital,
    queue: Queue,
    pusher: Arc<Pusher>,
    signals: Signals,
    metrics: PrometheusHandle,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl House {
    async fn open(settings: &Settings, hospital: Hospital) -> Result<Self, BootError> {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let wrong_redis = |error| BootError::from_source("REDIS_URL cannot be used.", error);
        let (queue, signals) = match &settings.redis_url {
            None => (Queue::in_process(), Signals::default()),
            Some(url) => {
                let queue = Queue::redis(url, &settings.queue_prefix, RedisSettings::default())
                    .await
                    .map_err(|error| BootError::from_source("REDIS_URL cannot be used.", error))?;
                let signals =
                    redis_signals::start(url, &settings.queue_prefix, &stop, &tasks).map_err(wrong_redis)?;
                (queue, signals)
            }
        };
        let (pusher, pushing) = Pusher::start(queue.clone(), PusherSettings::default(), stop.clone());
        tasks.spawn(pushing);
        let metrics = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| BootError::from_source("The metrics could not be set up.", error))?;
        worker::metrics::describe();
        let upkeep = metrics.clone();
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
            let mut tick = tokio::time::interval(Duration::from_secs(5));
            loop {
                tick.tick().await;
                upkeep.run_upkeep();
            }
        }));
        Ok(Self {
            hospital,
            queue,
            pusher: Arc::new(pusher),
            signals,
            metrics,
            stop,
            tasks,
        })
    }

    /// The API, or for a worker of its own the pages that tell its health.
    async fn api(&self, settings: &Settings, parts: Parts) -> Result<(), BootError> {
        let state = Api {
            hospital: self.hospital.clone(),
            signals: self.signals.clone(),
            nudger: self.pusher.clone(),
            settings: Arc::new(api_settings(settings)),
            probe: Arc::new(ProcessProbe {
                queue: self.queue.clone(),
                metrics: self.metrics.clone(),
            }),
            simulator: dry_run::simulator(&self.hospital, Limits::default()).map_err(unfit_for_mail)?,
            certificates: Certificates::new(Arc::new(HttpsFetch)),
        };
        let address = match (parts, settings.listen_addr) {
            (Parts::Worker, None) => return Ok(()),
            _ => settings.api_addr(),
        };
        let taken = |error| {
            BootError::from_source(
                &format!("{address} cannot be listened on; look at LISTEN_ADDR."),
                error,
            )
        };
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let local = listener.local_addr().map_err(taken)?;
        tracing::info!(address = format!("http://{local}"), "Listening.");
        let manners = Manners {
            head: Duration::from_secs(settings.request_read_secs),
            stop: self.stop.clone(),
            grace: Duration::from_secs(settings.shutdown_secs),
        };
        let served = match parts {
            Parts::Worker => serve(listener, api::routes::health_only(state), manners).await,
            Parts::Api | Parts::Both => serve(listener, api::routes::routes(state), manners).await,
        };
        served.map_err(|error| BootError::from_source("The API ended by itself.", error))
    }

    async fn worker(&self, settings: &Settings, parts: Parts) -> Result<(), BootError> {
        if parts == Parts::Api {
            return Ok(());
        }
        let worker = Worker::new(
            self.hospital.clone(),
            outbound(settings)?,
            worker_settings(settings),
            self.signals.clone(),
            self.pusher.clone(),
        )
        .map_err(unfit_for_mail)?;
        tracing::info!("Working.");
        let settings = MailboxSettings {
            maildir: settings.maildir.clone(),
        };
        let fetching = mailbox::run(
            self.hospital.clone(),
            self.pusher.clone(),
            settings,
            self.stop.clone(),
        );
        self.tasks.spawn(fetching);
        worker
            .run(self.queue.clone(), self.stop.clone())
            .await
            .map_err(|error| BootError::from_source("The workers ended by themselves.", error))
    }
}

/// The sender or the site's address is wrong.
fn unfit_for_mail(error: LetterheadError) -> BootError {
    BootError::from_source("MAIL_FROM or PUBLIC_URL cannot stand in a mail.", error)
}

/// How mails leave.
fn outbound(settings: &Settings) -> Result<Outbound, BootError> {
    let postage = Postage::new(dkim(settings)?, settings.bounce_domain.as_deref())
        .map_err(|error| BootError::because(error.to_string()))?;
    let sending = Sending::of(settings)?;
    let routes = sending.routes(settings)?;
    if routes.is_empty() && !settings.captures_mail() {
        return Err(BootError::because(
            "SENDING_CONFIG names no route, and SMTP_URL is not set.",
        ));
    }
    Ok(Outbound {
        transport: if routes.is_empty() {
            Transport::Capture
        } else {
            Transport::Routes(routes)
        },
        postage,
        limits: sending.limits()?,
        reputation: sending.reputation()?,
    })
}

/// What signs mails.
pub(crate) fn dkim(settings: &Settings) -> Result<Option<Dkim>, BootError> {
    let parts = (
        &settings.dkim_domain,
        &settings.dkim_selector,
        &settings.dkim_key_file,
    );
    match parts {
        (None, None, None) => Ok(None),
        (Some(domain), Some(selector), Some(path)) => Dkim::from_file(domain, selector, path)
            .map(Some)
            .map_err(|error| BootError::from_source("Mails cannot be signed.", error)),
        _ => Err(BootError::because(
            "DKIM_DOMAIN, DKIM_SELECTOR and DKIM_KEY_FILE belong together: set all three or none.",
        )),
    }
}

fn worker_settings(settings: &Settings) -> WorkerSettings {
    let mut worker = WorkerSettings::default();
    worker.waiting.concurrency = settings.waiting_concurrency as usize;
    worker.bulk.concurrency = settings.bulk_concurrency as usize;
    worker.bulk.batch = usize::try_from(settings.claim_batch).unwrap_or(worker.bulk.batch);
    worker.lease_secs = settings.lease_secs;
    worker.send_lease_secs = settings.send_lease_secs;
    worker.sweep_secs = settings.sweep_secs;
    worker.shutdown_secs = u32::try_from(settings.shutdown_secs).unwrap_or(worker.shutdown_secs);
    worker.jobs = LaneSettings {
        shutdown_timeout: Duration::from_secs(settings.shutdown_secs),
        ..worker.jobs
    };
    worker
}

fn api_settings(settings: &Settings) -> ApiSettings {
    ApiSettings {
        secure_cookies: settings.public_url.starts_with("https://"),
        trust_proxy: settings.trust_proxy,
        form_posts_per_minute: settings.form_posts_per_minute,
        body_secs: settings.request_read_secs,
        mail_captured: settings.captures_mail(),
        hooks: HookSettings {
            ses_topics: settings
                .ses_topics
                .iter()
                .filter(|topic| !topic.is_empty())
                .cloned()
                .collect(),
            sendgrid_key: settings.sendgrid_key.clone().filter(|key| !key.is_empty()),
            postmark_secret: settings
                .postmark_secret
                .clone()
                .filter(|secret| !secret.is_empty()),
        },
        cors_origins: settings
            .cors_origins
            .iter()
            .filter(|origin| !origin.is_empty())
            .cloned()
            .collect(),
        ..ApiSettings::default()
    }
}

/// Asks the queue and the metrics of this process.
struct ProcessProbe {
    queue: Queue,
    metrics: PrometheusHandle,
}

#[async_trait]
impl Probe for ProcessProbe {
    async fn queue(&self) -> Result<QueueDepths, String> {
        let depth = self.queue.depth().await.map_err(|error| error.to_string())?;
        Ok(QueueDepths {
            waiting: depth.waiting,
            bulk: depth.bulk,
        })
    }

    fn metrics(&self) -> String {
        self.metrics.render()
    }
}

/// Returns when the process is asked to stop.
async fn asked_to_stop() {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(
                error = error.to_string(),
                "SIGTERM cannot be listened for; Ctrl-C works."
            );
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
