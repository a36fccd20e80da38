//! A hundred thousand mails while the worker is killed every ten seconds, Redis forgets everything twice and PostgreSQL
//! is stopped as by a power cut: what arrived twice, what never did, and what nobody can know.
//!
//! Only on servers that belong to the bench (`./scripts/bench kill` starts them), because all of it is done for real.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::outreach::plan::message_of;
use entity::id::MessageId;
use entity::message;
use entity::message::MessageState;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::process::Command;
use worker::settings::WorkerSettings;

use crate::ground::Ground;
use crate::process::Process;
use crate::readers::{self, Post, Readers, somewhere_by_day};
use crate::report::{Report, grouped, per_sec};
use crate::smtp_sink::{Behavior, Keep, SmtpSink};
use crate::{Result, say};

/// Mails of a round.
const MAILS: usize = 100_000;
/// How long a worker lives.
const KILL_EVERY: Duration = Duration::from_secs(10);
/// When Redis forgets everything and when PostgreSQL falls: once so many percent of the mails have arrived.
const FLUSHES_AT: [usize; 2] = [25, 75];
const RESTART_AT: usize = 50;
/// From when on the mail server behaves, and what was put off is made due at once: in life that takes hours.
const PEACE_AT: usize = 90;
/// How often is looked at the servers, and at the rows.
const LOOK: Duration = Duration::from_millis(50);
const LOOK_AT_ROWS: Duration = Duration::from_secs(3);
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(1200);
/// How long one misbehavior lasts, and the peace after it.
const MISCHIEF: Duration = Duration::from_millis(400);
/// The command that stops PostgreSQL at once and starts it again.
const RESTART: &str = "BENCH_RESTART_POSTGRES";

/// Measures it.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section("100,000 mails while everything dies");
    let Ok(restart) = std::env::var(RESTART) else {
        report.line(
            "  not measured",
            "-",
            "only on servers of its own: ./scripts/bench kill",
        );
        return Ok(());
    };
    for (name, mischief) in [("server behaves", false), ("server misbehaves", true)] {
        let Some(place) = somewhere_by_day(ground) else {
            report.line(
                "  not measured",
                "-",
                "quiet hours hold everywhere at this moment",
            );
            return Ok(());
        };
        say(&format!("Killing workers; the mail {name}."));
        let label = if mischief { "rough" } else { "smooth" };
        let mut readers = Readers::make(ground, label, MAILS, place).await?;
        let planned = readers.plan(ground, MAILS, Post::Bulk).await?;
        ground.run("VACUUM ANALYZE").await?;
        let sink = SmtpSink::start_with(Keep::MessageIds, None).await;
        let round = Round {
            ground,
            sink,
            restart: &restart,
            seen: Seen::default(),
        };
        let (sink, seen) = round.run(mischief).await?;
        tell(ground, report, (name, label), &planned, &sink, &seen).await?;
    }
    Ok(())
}

/// What was done to the machines.
#[derive(Default)]
struct Seen {
    kills: usize,
    flushes: usize,
    restarts: usize,
    /// Replies after the final dot that the mail server kept back, at most.
    lost_replies: usize,
    /// The most memory that any of the workers held, in MB.
    peak_mb: f64,
    /// Until the last mail arrived.
    took: Duration,
}

struct Round<'a> {
    ground: &'a Ground,
    sink: SmtpSink,
    restart: &'a str,
    seen: Seen,
}

impl Round<'_> {
    async fn run(mut self, mischief: bool) -> Result<(SmtpSink, Seen)> {
        let began = Instant::now();
        let (mut worker, mut born) = (self.worker()?, Instant::now());
        let (mut looked, mut arrived) = (Instant::now(), 0);
        loop {
            tokio::time::sleep(LOOK).await;
            if self.sink.count() > arrived {
                arrived = self.sink.count();
                self.seen.took = began.elapsed();
            }
            let percent = arrived * 100 / MAILS;
            self.disturb(percent).await?;
            self.seen.peak_mb = self.seen.peak_mb.max(worker.peak_rss_mb()?);
            if born.elapsed() >= KILL_EVERY {
                worker.kill().await?;
                self.seen.kills += 1;
                (worker, born) = (self.worker()?, Instant::now());
            }
            if mischief {
                self.misbehave(began.elapsed(), percent >= PEACE_AT);
            }
            if percent >= PEACE_AT && looked.elapsed() >= LOOK_AT_ROWS {
                if readers::on_the_way(self.ground).await? == 0 {
                    break;
                }
                self.hurry().await?;
                looked = Instant::now();
            }
            if began.elapsed() > PATIENCE {
                return Err("it takes too long".into());
            }
        }
        worker.stop().await?;
        Ok((self.sink, self.seen))
    }

    fn worker(&self) -> Result<Process> {
        Process::start(self.ground, "worker", &[("SMTP_URL", self.sink.url())])
    }

    async fn disturb(&mut self, percent: usize) -> Result<()> {
        if FLUSHES_AT.get(self.seen.flushes).is_some_and(|at| percent >= *at) {
            let (redis, _) = self.ground.redis()?;
            let mut redis = redis::Client::open(redis)?
                .get_multiplexed_async_connection()
                .await?;
            redis::cmd("FLUSHALL").exec_async(&mut redis).await?;
            self.seen.flushes += 1;
        }
        if self.seen.restarts == 0 && percent >= RESTART_AT {
            let done = Command::new("sh").arg("-c").arg(self.restart).status().await?;
            if !done.success() {
                return Err("PostgreSQL did not start again".into());
            }
            self.seen.restarts += 1;
        }
        Ok(())
    }

    /// What was put off for hours is due now.
    async fn hurry(&self) -> Result<()> {
        self.ground
            .run("UPDATE message SET due_at = now() WHERE state = 'DEFERRED' AND due_at > now() AND origin_key LIKE 'bench/%'")
            .await
    }

    /// One misbehavior after another, with peace in between and at the end.
    fn misbehave(&mut self, since: Duration, peace: bool) {
        let turn = (since.as_millis() / MISCHIEF.as_millis()) as usize;
        if peace || turn.is_multiple_of(2) {
            self.sink.behave(Behavior::Accept);
            return;
        }
        let reply = |reply: &str| reply.to_owned();
        let (times, behavior) = match turn / 2 % 9 {
            0 => (1, Behavior::StoredWithoutReply),
            1 => (20, Behavior::RefuseMessage(reply("451 4.7.1 come again later"))),
            2 => {
                let (reply, prefix) = (reply("452 4.2.2 the mailbox is full"), String::new());
                (10, Behavior::RefuseRecipient { reply, prefix })
            }
            3 => (5, Behavior::DropInMessage),
            4 => (5, Behavior::DropAtMail),
            5 => (1, Behavior::RefuseMessage(reply("550 5.1.1 nobody of that name"))),
            6 => (1, Behavior::LostWithoutReply),
            7 => (usize::MAX, Behavior::HangAtConnect),
            _ => (5, Behavior::RefuseConnection(reply("421 4.3.2 too busy"))),
        };
        if matches!(
            behavior,
            Behavior::StoredWithoutReply | Behavior::LostWithoutReply
        ) {
            self.seen.lost_replies += times;
        }
        self.sink.behave_times(times, behavior);
    }
}

async fn tell(
    ground: &Ground,
    report: &mut Report,
    (name, label): (&str, &str),
    planned: &[MessageId],
    sink: &SmtpSink,
    seen: &Seen,
) -> Result<()> {
    let mut arrived: HashMap<MessageId, usize> = HashMap::with_capacity(planned.len());
    for id in sink.message_ids() {
        let id = message_of(&id).ok_or("a mail came that is not of ours")?;
        *arrived.entry(id).or_default() += 1;
    }
    let rows: Vec<(MessageId, MessageState)> = message::Entity::find()
        .select_only()
        .column(message::Column::Id)
        .column(message::Column::State)
        .filter(message::Column::OriginKey.starts_with(format!("bench/{label}/")))
        .into_tuple()
        .all(ground.db())
        .await?;
    let count = |state: MessageState, came: bool| {
        let is = |row: &&(MessageId, MessageState)| row.1 == state && arrived.contains_key(&row.0) == came;
        rows.iter().filter(is).count()
    };
    let twice: usize = arrived.values().map(|times| times - 1).sum();
    let unknown = count(MessageState::Unknown, true) + count(MessageState::Unknown, false);
    let refused = count(MessageState::Refused, false);
    let accounted = arrived.len() + refused + count(MessageState::Unknown, false);
    let at_once = WorkerSettings::default().bulk;
    let bound = at_once.concurrency * at_once.batches * seen.kills + seen.lost_replies;
    report.line(
        &format!("  {name}: arrived"),
        grouped(arrived.len() as u64),
        format!(
            "of {} in {:.0} s ({}); {} kills, Redis emptied {} times, PostgreSQL restarted {} times",
            grouped(planned.len() as u64),
            seen.took.as_secs_f64(),
            per_sec(arrived.len() as f64 / seen.took.as_secs_f64()),
            seen.kills,
            seen.flushes,
            seen.restarts
        ),
    );
    report.line("  twice", twice.to_string(), "goal 0");
    report.line(
        "  missing",
        (planned.len() - accounted.min(planned.len())).to_string(),
        format!("neither arrived nor listed; goal 0. Refused for good: {refused}"),
    );
    report.line(
        "  listed as unknown",
        unknown.to_string(),
        format!(
            "goal at most {bound}; {} of them had arrived",
            count(MessageState::Unknown, true)
        ),
    );
    let lies = count(MessageState::Accepted, false) + count(MessageState::Refused, true);
    report.line("  rows that say what is not so", lies.to_string(), "goal 0");
    report.line(
        "  peak memory of a worker",
        format!("{:.0} MB", seen.peak_mb),
        "goal below 57 MB",
    );
    Ok(())
}
