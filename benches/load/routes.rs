//! Two workers and two routes, of which one becomes slow: what that costs the other route and those who wait.

use std::time::{Duration, Instant};

use domain::nudge::{Nudger, Subject};
use domain::outreach::delivery_stats::{Asked, lines};
use domain::viewer::Viewer;
use entity::enums::Role;
use entity::id::TokenId;
use tokio_util::sync::CancellationToken;
use worker::queue::{Pusher, PusherSettings, Queue, RedisSettings};

use crate::ground::Ground;
use crate::process::Process;
use crate::readers::{self, Post, Readers, somewhere_by_day};
use crate::report::{Report, per_sec};
use crate::smtp_sink::{Behavior, Keep, SmtpSink};
use crate::{Result, say};

/// Bulk mails of a round, due at its beginning.
const BULK: usize = 6_000;
/// Mails that somebody waits for, one after another.
const WAITING: usize = 100;
/// The time between two of them.
const EVERY: Duration = Duration::from_millis(60);
/// How long the slow route takes to answer.
const SLOW: Duration = Duration::from_secs(2);
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(120);

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
    let wanted = 2 * (BULK + WAITING);
    let mut readers = Readers::make(ground, "routed", wanted, place).await?;
    ground.run("ANALYZE").await?;
    round(ground, &mut readers, report, "both quick", None).await?;
    round(
        ground,
        &mut readers,
        report,
        "one takes 2 s an answer",
        Some(SLOW),
    )
    .await
}

async fn round(
    ground: &Ground,
    readers: &mut Readers,
    report: &mut Report,
    name: &str,
    slow: Option<Duration>,
) -> Result<()> {
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
    let (redis, prefix) = ground.redis()?;
    let queue = Queue::redis(redis, prefix, RedisSettings::default()).await?;
    let (pusher, pushing) = Pusher::start(queue, PusherSettings::default(), stop.clone());
    let began = Instant::now();
    readers.plan(ground, BULK, Post::Bulk).await?;
    pusher.nudge(Subject::BulkMail);
    for _ in 0..WAITING {
        readers.plan(ground, 1, Post::Waiting).await?;
        pusher.nudge(Subject::WaitingMail);
        tokio::time::sleep(EVERY).await;
    }
    while readers::on_the_way(ground).await? > 0 && began.elapsed() < PATIENCE {
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
             FROM (SELECT * FROM message WHERE lane = 'WAITING' AND origin_key LIKE 'bench/%' \
             ORDER BY created_at DESC LIMIT {WAITING}) m"
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
