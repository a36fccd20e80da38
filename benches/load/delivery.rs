//! Nurture mails on their way: claimed, put to the gate, written, handed off, sent and settled by a worker process.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use domain::nudge::NoNudges;
use domain::quiet_hours::is_allowed;
use domain::quiet_hours::windows::SendWindows;
use domain::signal::Signals;
use lettre::address::Envelope;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::task::JoinSet;
use worker::deliver::Transport;
use worker::run::Worker;
use worker::settings::WorkerSettings;
use worker::smtp::{SmtpConfig, SmtpPool};

use crate::ground::Ground;
use crate::process::Process;
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
/// How often is looked.
const LOOK: Duration = Duration::from_millis(1);

/// Leads that may be written to, one for each contact. Copies only: among the originals are suppressed addresses.
const READERS: &str = "CREATE TABLE bench_reader AS SELECT DISTINCT ON (c.id) l.id AS lead_id, c.id AS contact_id, \
    c.email_normalized AS address FROM lead l JOIN contact c ON c.id = l.contact_id \
    WHERE l.stage <> 'CLOSED' AND c.email ~ '^c[0-9]+[.]'";

/// Each agreed a moment ago.
const CONSENTS: &str = "INSERT INTO consent_event (id, contact_id, medium, address, purpose, action, level, wording_id, \
    language, method, source, personal_salt, commitment, actor_kind, occurred_at, recorded_at) \
    SELECT copied(contact_id, -1), contact_id, 'EMAIL', address, 'MARKETING', 'GRANT', 'EXPRESS', w.id, 'en', \
    'WEB_FORM', '{}', '\\x00', '\\x00', 'VISITOR', now() - interval '1 minute', now() - interval '1 minute' FROM bench_reader, \
    (SELECT id FROM consent_wording WHERE purpose = 'MARKETING' AND medium = 'EMAIL' ORDER BY language, id LIMIT 1) w";

/// And is in a place where it is day. $1: the place.
const PLACES: &str =
    "UPDATE contact SET time_zone = $1, region = NULL FROM bench_reader r WHERE contact.id = r.contact_id";

/// A mail for as many as have none yet, due a moment ago. $1: how many.
const MESSAGES: &str = "INSERT INTO message (id, kind, lane, purpose, origin_key, lead_id, contact_id, sequence_id, \
    template_version_id, subject, rfc_message_id, state, due_at, expires_at, attempts, fence, created_at) \
    SELECT copied(lead_id, -2), 'NURTURE', 'BULK', 'MARKETING', 'bench/' || lead_id, lead_id, contact_id, s.id, t.id, '', \
    copied(lead_id, -2) || '@bench.example', 'PLANNED', now() - interval '1 minute', now() + interval '7 days', 0, 0, \
    now() - interval '1 minute' FROM (SELECT * FROM bench_reader r WHERE NOT EXISTS \
    (SELECT 1 FROM message m WHERE m.id = copied(r.lead_id, -2)) LIMIT $1) r, \
    (SELECT id FROM sequence WHERE state = 'PUBLISHED' AND campaign_id IS NULL AND purpose = 'MARKETING' LIMIT 1) s, \
    (SELECT v.id FROM template_version v JOIN template t ON t.id = v.template_id WHERE t.key = 'sleep-day-2' \
     ORDER BY v.version DESC LIMIT 1) t";

/// Measures it.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section("Nurture mails with gate, claim and settling, by one leadward worker");
    let Some(place) = somewhere_by_day(ground) else {
        report.line(
            "  not measured",
            "-",
            "quiet hours hold everywhere at this moment; run it again in some hours",
        );
        return Ok(());
    };
    say("Delivering mails.");
    prepare(ground, place).await?;
    plan(ground, COUNTED).await?;
    let statements = statements(ground).await?;
    plan(ground, MAILS).await?;
    let sink = SmtpSink::start_with(Keep::Bodies, None).await;
    let worker = Process::start(ground, "worker", &[("SMTP_URL", sink.url())])?;
    let took = arrival(&sink).await?;
    let settled = settled(ground).await?;
    let memory = worker.peak_rss_mb()?;
    let cpu_ms = worker.cpu()?.as_secs_f64() * 1000.0 / MAILS as f64;
    worker.stop().await?;
    let mails = sink.received();
    drop(sink);
    let ids: HashSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    let rate = MAILS as f64 / took.as_secs_f64();
    let bytes: usize = mails.iter().map(|mail| mail.data.len()).sum::<usize>() / mails.len().max(1);
    let (twice, missing) = (mails.len() - ids.len(), MAILS.saturating_sub(ids.len()));
    say("Delivering the same mails by plain lettre.");
    let plain = MAILS as f64 / plain(mails).await?.as_secs_f64();

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
        "  processor time of the worker a mail",
        format!("{cpu_ms:.2} ms"),
        "",
    );
    report.line(
        "  statements a mail",
        format!("{statements:.2}"),
        format!("in a batch of {COUNTED}, the workers' looking for more included"),
    );
    let note = format!("the same bytes over {CONNECTIONS} no-delay connections");
    report.line("  plain lettre", per_sec(plain), note);
    report.line("  ratio", format!("{:.2}", rate / plain), "");
    report.memory("worker", memory);
    Ok(())
}

/// A time zone in which marketing may be written to now. On Sundays there are hours without one.
pub fn somewhere_by_day(ground: &Ground) -> Option<Tz> {
    let now = ground.hospital.now();
    let zones = (-14..=12).filter_map(|west: i32| format!("Etc/GMT{west:+}").parse::<Tz>().ok());
    // The day must not end while mails are on their way.
    let later = now + chrono::TimeDelta::minutes(10);
    let windows = SendWindows::default();
    let window = windows.of(None);
    zones
        .into_iter()
        .find(|zone| [now, later].iter().all(|at| is_allowed(*at, &[*zone], window)))
}

/// Readers who have agreed and are awake.
async fn prepare(ground: &Ground, place: Tz) -> Result<()> {
    let wanted = MAILS + COUNTED;
    ground.run(&format!("{READERS} LIMIT {wanted}")).await?;
    let readers: i64 = ground.ask("SELECT count(*) FROM bench_reader").await?;
    if readers != wanted as i64 {
        return Err(format!("only {readers} contacts can be written to").into());
    }
    ground.run(CONSENTS).await?;
    let places = Statement::from_sql_and_values(DbBackend::Postgres, PLACES, [place.name().into()]);
    ground.db().execute_raw(places).await?;
    ground.run("VACUUM ANALYZE consent_event, contact").await
}

async fn plan(ground: &Ground, mails: usize) -> Result<()> {
    let mails = i64::try_from(mails)?;
    let messages = Statement::from_sql_and_values(DbBackend::Postgres, MESSAGES, [mails.into()]);
    ground.db().execute_raw(messages).await?;
    ground.run("VACUUM ANALYZE message").await
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

/// The time from the first mail to the last.
async fn arrival(sink: &SmtpSink) -> Result<Duration> {
    let (mut first, mut last_news, mut count) = (None, Instant::now(), 0);
    while count < MAILS {
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
        let settled: i64 = ground
            .ask(
                "SELECT count(*) FROM message m JOIN bench_reader r ON m.id = copied(r.lead_id, -2) \
                  WHERE m.state = 'ACCEPTED'",
            )
            .await?;
        if settled == all || Instant::now() > deadline {
            return Ok(settled - COUNTED as i64);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The same mails to another sink, by lettre on connections that are held open, and nothing else.
async fn plain(mails: Vec<ReceivedMail>) -> Result<Duration> {
    let sink = SmtpSink::start_with(Keep::Bodies, None).await;
    let mut config: SmtpConfig = sink.url().parse()?;
    config.connections = CONNECTIONS;
    let pool = SmtpPool::new(config)?;
    let (mails, next) = (Arc::new(mails), Arc::new(AtomicUsize::new(0)));
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
