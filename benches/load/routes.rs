//! Two workers and two routes, of which one becomes slow: what that costs the other route and those who wait.

use std::time::{Duration, Instant};

use domain::nudge::{Nudger, Subject};
use domain::outreach::delivery_stats::{Asked, lines};
use domain::viewer::Viewer;
use entity::enums::Role;
use entity::id::TokenId;
use entity::message::Lane;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio_util::sync::CancellationToken;
use worker::queue::{Pusher, PusherSettings, Queue, RedisSettings};

use crate::delivery::somewhere_by_day;
use crate::ground::Ground;
use crate::process::Process;
use crate::report::{Report, per_sec};
use crate::smtp_sink::{Behavior, Keep, SmtpSink};
use crate::{Result, say};

/// Bulk mails of a round, due at its beginning.
const BULK: i64 = 6_000;
/// Mails that somebody waits for, one after another.
const WAITING: i64 = 100;
/// The time between two of them.
const EVERY: Duration = Duration::from_millis(60);
/// How long the slow route takes to answer.
const SLOW: Duration = Duration::from_secs(2);
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(120);

const READERS: &str = "CREATE TABLE bench_routed AS SELECT DISTINCT ON (c.id) l.id AS lead_id, c.id AS contact_id, \
    c.email_normalized AS address FROM lead l JOIN contact c ON c.id = l.contact_id \
    WHERE l.stage <> 'CLOSED' AND c.email ~ '^c[0-9]+[.]' ORDER BY c.id DESC LIMIT 13000";

const CONSENTS: &str = "INSERT INTO consent_event (id, contact_id, medium, address, purpose, action, level, wording_id, \
    language, method, source, personal_salt, commitment, actor_kind, occurred_at, recorded_at) \
    SELECT copied(contact_id, -31), contact_id, 'EMAIL', address, 'MARKETING', 'GRANT', 'EXPRESS', w.id, 'en', \
    'WEB_FORM', '{}', '\\x00', '\\x00', 'VISITOR', now() - interval '1 minute', now() - interval '1 minute' FROM bench_routed, \
    (SELECT id FROM consent_wording WHERE purpose = 'MARKETING' AND medium = 'EMAIL' ORDER BY language, id LIMIT 1) w";

const PLACES: &str =
    "UPDATE contact SET time_zone = $1, region = NULL FROM bench_routed r WHERE contact.id = r.contact_id";

/// Mails to as many as have none yet. $1: how many, $2: the kind, $3: the lane, $4: the purpose.
const MESSAGES: &str = "INSERT INTO message (id, kind, lane, purpose, origin_key, lead_id, contact_id, \
    template_version_id, subject, rfc_message_id, state, due_at, expires_at, attempts, fence, created_at) \
    SELECT copied(lead_id, -32), $2, $3, $4, 'bench-route/' || lead_id, lead_id, contact_id, t.id, '', \
    copied(lead_id, -32) || '@bench.example', 'PLANNED', clock_timestamp(), now() + interval '7 days', 0, 0, \
    clock_timestamp() FROM (SELECT * FROM bench_routed r WHERE NOT EXISTS \
    (SELECT 1 FROM message m WHERE m.id = copied(r.lead_id, -32)) LIMIT $1) r, \
    (SELECT v.id FROM template_version v JOIN template t ON t.id = v.template_id WHERE t.key = 'sleep-day-2' \
     ORDER BY v.version DESC LIMIT 1) t";

/// Measures it.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section("Two workers, two routes, one of them slow");
    let Some(place) = somewhere_by_day(ground) else {
        report.line(
            "  not measured",
            "-",
            "quiet hours hold everywhere at this moment",
        );
        return Ok(());
    };
    say("Delivering by two routes.");
    ground.run(READERS).await?;
    ground.run(CONSENTS).await?;
    let places = Statement::from_sql_and_values(DbBackend::Postgres, PLACES, [place.name().into()]);
    ground.db().execute_raw(places).await?;
    ground.run("VACUUM ANALYZE consent_event, contact").await?;
    round(ground, report, "both quick", None).await?;
    round(ground, report, "one takes 2 s an answer", Some(SLOW)).await
}

async fn round(ground: &Ground, report: &mut Report, name: &str, slow: Option<Duration>) -> Result<()> {
    // Figures of this round alone.
    ground
        .run("DELETE FROM sending_tally; DELETE FROM sending_route")
        .await?;
    let quick = SmtpSink::start_with(Keep::MessageIds, None).await;
    let other = SmtpSink::start_with(Keep::MessageIds, None).await;
    if let Some(slow) = slow {
        other.behave(Behavior::ReplyAfter(slow));
    }
    let file = ground.directory.join("sending.json");
    let routes = serde_json::json!({ "routes": [
        { "name": "quick", "url": quick.url() }, { "name": "other", "url": other.url() },
    ] });
    std::fs::write(&file, routes.to_string())?;
    let setting = [("SENDING_CONFIG", file.display().to_string())];
    let workers = [
        Process::start(ground, "worker", &setting)?,
        Process::start(ground, "worker", &setting)?,
    ];
    let stop = CancellationToken::new();
    let environment = ground.environment();
    let value = |wanted| {
        environment
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.clone())
    };
    let (redis, prefix) = (value("REDIS_URL"), value("QUEUE_PREFIX"));
    let queue = Queue::redis(
        &redis.ok_or("there is a Redis")?,
        &prefix.ok_or("there is a prefix")?,
        RedisSettings::default(),
    )
    .await?;
    let (pusher, pushing) = Pusher::start(queue, PusherSettings::default(), stop.clone());
    let began = Instant::now();
    plan(ground, BULK, "NURTURE", Lane::Bulk, "MARKETING").await?;
    pusher.nudge(Subject::BulkMail);
    for _ in 0..WAITING {
        plan(ground, 1, "CONFIRMATION", Lane::Waiting, "CARE_COORDINATION").await?;
        pusher.nudge(Subject::WaitingMail);
        tokio::time::sleep(EVERY).await;
    }
    let left = "SELECT count(*) FROM message m JOIN bench_routed r ON m.id = copied(r.lead_id, -32) \
                WHERE m.state NOT IN ('ACCEPTED', 'WITHHELD')";
    while ground.ask::<i64>(left).await? > 0 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = began.elapsed();
    stop.cancel();
    for worker in workers {
        worker.stop().await?;
    }
    pushing.await?;
    tell(ground, report, name, took, quick.count() + other.count()).await
}

async fn tell(ground: &Ground, report: &mut Report, name: &str, took: Duration, mails: usize) -> Result<()> {
    report.line(
        &format!("  {name}: all delivered"),
        per_sec(mails as f64 / took.as_secs_f64()),
        format!("{mails} mails, the time of the last waiting one included"),
    );
    for share in ["0.5", "0.9", "0.99"] {
        let sql = format!(
            "SELECT (1000 * percentile_cont({share}) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at)))::float8 \
             FROM (SELECT m.* FROM message m JOIN bench_routed r ON m.id = copied(r.lead_id, -32) \
             WHERE m.lane = 'WAITING' ORDER BY m.created_at DESC LIMIT {WAITING}) m"
        );
        let ms: f64 = ground.ask(&sql).await?;
        let what = format!("  {name}: waiting mail from planned to accepted, share {share}");
        report.line(&what, format!("{ms:.0} ms"), "");
    }
    let viewer = Viewer::Token {
        id: TokenId(uuid::Uuid::nil()),
        role: Role::Admin,
    };
    let now = ground.hospital.now();
    let asked = Asked {
        from: now - chrono::TimeDelta::hours(1),
        until: now + chrono::TimeDelta::hours(1),
        route: None,
    };
    for line in lines(ground.db(), &viewer, asked).await? {
        let edge = |ms: Option<u32>| ms.map_or("> 30 s".to_owned(), |ms| format!("≤ {ms} ms"));
        report.line(
            &format!(
                "  {name}: {} by {}",
                line.lane.as_str().to_lowercase(),
                line.route
            ),
            format!("{} mails", line.accepted),
            format!(
                "answers p50 {}, p90 {}",
                edge(line.within_ms(0.5)),
                edge(line.within_ms(0.9))
            ),
        );
    }
    Ok(())
}

async fn plan(ground: &Ground, mails: i64, kind: &str, lane: Lane, purpose: &str) -> Result<()> {
    let values = [mails.into(), kind.into(), lane.as_str().into(), purpose.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, MESSAGES, values);
    ground.db().execute_raw(statement).await?;
    Ok(())
}
