//! Nurture mails on their way: claimed, put to the gate, written, handed off, sent and settled by a worker process.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use domain::nudge::NoNudges;
use domain::signal::Signals;
use entity::message::MessageState;
use lettre::address::Envelope;
use tokio::task::JoinSet;
use worker::deliver::Transport;
use worker::run::Worker;
use worker::settings::WorkerSettings;
use worker::smtp::{SmtpConfig, SmtpPool};

use crate::ground::Ground;
use crate::peer;
use crate::process::Process;
use crate::readers::{Post, Readers, in_state, somewhere_by_day};
use crate::report::{Report, grouped, per_sec};
use crate::smtp_sink::{Keep, ReceivedMail, SmtpSink};
use crate::{Result, say};

/// Mails of the measurement.
const MAILS: usize = 20_000;
/// Mails that are delivered before it, within this process, to count their statements: one full batch.
const COUNTED: usize = 500;
/// Connections of plain lettre.
const CONNECTIONS: usize = 32;
/// How long nothing may arrive before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Said when there is nowhere to write to.
const QUIET: &str = "quiet hours hold everywhere at this moment; run it again in some hours";
/// How often is looked.
const LOOK: Duration = Duration::from_millis(1);

/// Measures it on servers, with what others take for the same bytes.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section(
        "Nurture mails with gate, claim and settling, by one leadward worker on PostgreSQL and Redis",
    );
    let Some(place) = somewhere_by_day(ground) else {
        report.line("  not measured", "-", QUIET);
        return Ok(());
    };
    let (rate, mails) = deliver(ground, place, report, "worker").await?;
    let mails = Arc::new(mails);
    say("Delivering the same mails by plain lettre.");
    let plain = MAILS as f64 / plain(mails.clone()).await?.as_secs_f64();
    let note = format!("the same bytes over {CONNECTIONS} no-delay connections");
    report.line("  plain lettre", per_sec(plain), note);
    report.line("  ratio", format!("{:.2}", rate / plain), "goal 0.25");
    say("Delivering the same mails by BullMQ and Nodemailer.");
    let (redis_url, _) = ground.redis()?;
    let peer = MAILS as f64
        / peer::deliver(&mails, redis_url, &ground.directory)
            .await?
            .as_secs_f64();
    report.line("  BullMQ and Nodemailer", per_sec(peer), peer::NOTE);
    report.line("  ratio", format!("{:.2}", rate / peer), "goal 3");
    Ok(())
}

/// Measures it on SQLite, in one process with everything else.
pub async fn measure_embedded(report: &mut Report) -> Result<()> {
    let ground = Ground::embedded().await?;
    let measured = embedded(&ground, report).await;
    ground.clear().await?;
    measured
}

async fn embedded(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section("The same by leadward serve on SQLite, without a server");
    let Some(place) = somewhere_by_day(ground) else {
        report.line("  not measured", "-", QUIET);
        return Ok(());
    };
    leadward::demo::ensure(&ground.hospital).await?;
    ground.run(crate::fill::NOTHING_DUE_EMBEDDED).await?;
    deliver(ground, place, report, "serve, embedded").await?;
    Ok(())
}

/// Delivers them by a process and says how it went: mails a second, and the mails.
async fn deliver(
    ground: &Ground,
    place: Tz,
    report: &mut Report,
    process: &str,
) -> Result<(f64, Vec<ReceivedMail>)> {
    say("Delivering mails.");
    let mut readers = Readers::make(ground, "reader", MAILS + COUNTED, place).await?;
    ground.run("ANALYZE").await?;
    readers.plan(ground, COUNTED, Post::Bulk).await?;
    let statements = statements(ground).await?;
    readers.plan(ground, MAILS, Post::Bulk).await?;
    ground.run("ANALYZE").await?;
    let sink = SmtpSink::start_with(Keep::Bodies, None).await;
    let worker = Process::start(ground, ground.sender(), &[("SMTP_URL", sink.url())])?;
    let took = arrival(&sink, MAILS).await?;
    let settled = settled(ground).await?;
    let memory = worker.peak_rss_mb()?;
    let cpu_ms = worker.cpu()?.as_secs_f64() * 1000.0 / MAILS as f64;
    worker.stop().await?;
    let mails = sink.received();
    let ids: HashSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    let rate = MAILS as f64 / took.as_secs_f64();
    let bytes: usize = mails.iter().map(|mail| mail.data.len()).sum::<usize>() / mails.len().max(1);
    let (twice, missing) = (mails.len() - ids.len(), MAILS.saturating_sub(ids.len()));
    let many = grouped(MAILS as u64);
    report.line(
        "  delivered and settled",
        per_sec(rate),
        format!("{many} of {bytes} bytes; goal 3,000 /s"),
    );
    report.line(
        "  twice, missing, not settled",
        format!("{twice}, {missing}, {}", MAILS as i64 - settled),
        "",
    );
    report.line(
        "  processor time of the process a mail",
        format!("{cpu_ms:.2} ms"),
        "",
    );
    report.line(
        "  statements a mail",
        format!("{statements:.2}"),
        format!("in a batch of {COUNTED}, the workers' looking for more included"),
    );
    report.memory(process, memory);
    Ok((rate, mails))
}

/// The statements that a mail of a full batch costs, by a worker within this process.
async fn statements(ground: &Ground) -> Result<f64> {
    let (hospital, watch) = ground.watched().await?;
    let sink = SmtpSink::start_with(Keep::Bodies, None).await;
    let relay = Transport::Smtp(SmtpPool::new(sink.url().parse()?)?);
    let (settings, signals) = (WorkerSettings::default(), Signals::default());
    let worker = Worker::new(hospital, relay, settings, signals, Arc::new(NoNudges))?;
    watch.take();
    let drained = worker.drain().await?;
    if drained.messages != COUNTED {
        return Err(format!("{} mails were delivered, not {COUNTED}", drained.messages).into());
    }
    Ok(watch.take().len() as f64 / COUNTED as f64)
}

/// The time from the first mail to the last of so many.
pub async fn arrival(sink: &SmtpSink, wanted: usize) -> Result<Duration> {
    let (mut first, mut last_news, mut count) = (None, Instant::now(), 0);
    while count < wanted {
        tokio::time::sleep(LOOK).await;
        let arrived = sink.count();
        if arrived > count {
            (count, last_news) = (arrived, Instant::now());
            first.get_or_insert(last_news);
        } else if last_news.elapsed() > PATIENCE {
            break;
        }
    }
    Ok(first.map_or(PATIENCE, |first| last_news - first))
}

/// How many of the mails are settled as accepted, after a moment for the last ones.
async fn settled(ground: &Ground) -> Result<i64> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let all = (MAILS + COUNTED) as i64;
    loop {
        let settled = in_state(ground, MessageState::Accepted).await?;
        if settled == all || Instant::now() > deadline {
            return Ok(settled - COUNTED as i64);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The same mails to another sink, by lettre on connections that are held open, and nothing else.
async fn plain(mails: Arc<Vec<ReceivedMail>>) -> Result<Duration> {
    let sink = SmtpSink::start_with(Keep::Bodies, None).await;
    let mut config: SmtpConfig = sink.url().parse()?;
    config.connections = CONNECTIONS;
    let pool = SmtpPool::new(config)?;
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (pool, mails, next) = (pool.clone(), mails.clone(), next.clone());
        senders.spawn(async move {
            while let Some(mail) = mails.get(next.fetch_add(1, Ordering::Relaxed)) {
                let to = mail
                    .to
                    .iter()
                    .map(|address| address.parse())
                    .collect::<std::result::Result<_, _>>()?;
                pool.send(&Envelope::new(Some(mail.from.parse()?), to)?, &mail.data)
                    .await?;
            }
            Ok::<_, crate::Failure>(())
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(began.elapsed())
}
