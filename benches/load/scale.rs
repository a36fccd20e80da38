//! Mailings to ten thousand, a hundred thousand and a million people: what a step of planning and a claim take, and the
//! memory of a worker, which must not grow with the table.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::outreach::claim::claim;
use domain::outreach::mailing::{self, CreateMailing, STEP, StartMailing};
use domain::viewer::Viewer;
use entity::campaign::{self, CampaignState};
use entity::enums::Role;
use entity::id::{MailingId, TokenId};
use entity::mailing::Audience;
use entity::mailing_progress::{self, MailingWork};
use entity::message::Lane;
use entity::template;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::fill::copy_since;
use crate::ground::Ground;
use crate::process::Process;
use crate::readers::{Readers, TEMPLATE, somewhere_by_day};
use crate::report::{Report, grouped, per_sec};
use crate::smtp_sink::{Keep, SmtpSink};
use crate::{Result, say};

/// People of the first mailing; the others are for copies of such people.
const FIRST: usize = 10_000;
/// Copies of each, for each mailing: together with those before, 10 thousand, 100 thousand and a million mails.
const COPIES: [u64; 3] = [0, 8, 89];
/// People whose mails the worker plans itself, while it delivers.
const LEFT_FOR_WORKER: usize = 10 * STEP;
/// Claims of a full batch that are timed. Their mails go back when the lease is over, like those of a dead worker.
const CLAIMS: usize = 6;
/// Mails that the worker delivers.
const DELIVERED: usize = 3_000;
/// The lease of a claim that is timed.
const LEASE_SECS: u32 = 60;

/// Measures it.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section("Mailings, by the mails that are in the table");
    let mut total = 0;
    for (number, copies) in COPIES.into_iter().enumerate() {
        let Some(place) = somewhere_by_day(ground) else {
            report.line(
                "  not measured",
                "-",
                "quiet hours hold everywhere at this moment",
            );
            return Ok(());
        };
        let people = FIRST * (1 + usize::try_from(copies)?);
        total += people;
        let name = grouped(total as u64);
        say(&format!("Making {} people to write to.", grouped(people as u64)));
        // Ids of copies are not quite those that are made.
        let since = ground.hospital.now() - TimeDelta::seconds(1);
        Readers::make(ground, &format!("scale{number}x"), FIRST, place).await?;
        if copies > 0 {
            copy_since(ground, since, copies).await?;
        }
        ground.run("VACUUM ANALYZE").await?;
        say(&format!("Planning until there are {name} mails."));
        let id = start(ground, &name, since).await?;
        let steps = plan(ground, id, people).await?;
        timed(
            report,
            &format!("  {name}: planning, a step of {STEP} mails"),
            &steps,
        );
        ground.run("VACUUM ANALYZE message").await?;
        let claims = claims(ground).await?;
        timed(
            report,
            &format!("  {name}: claim of {STEP} mails, gate included"),
            &claims,
        );
        deliver(ground, report, &name).await?;
        finish(ground, id, people, report, &name).await?;
    }
    Ok(())
}

/// Starts a mailing to whoever came in since then.
async fn start(ground: &Ground, name: &str, since: DateTime<Utc>) -> Result<MailingId> {
    let h = &ground.hospital;
    let viewer = Viewer::Token {
        id: TokenId(uuid::Uuid::nil()),
        role: Role::Admin,
    };
    let campaign = campaign::Entity::find()
        .filter(campaign::Column::State.eq(CampaignState::Live))
        .order_by_desc(campaign::Column::EndsOn)
        .one(ground.db())
        .await?
        .ok_or("there is no live campaign")?;
    let template = template::Entity::find()
        .filter(template::Column::Key.eq(TEMPLATE))
        .one(ground.db())
        .await?
        .ok_or("there is no template")?;
    let draft = CreateMailing {
        name: name.to_owned(),
        campaign_id: campaign.id,
        template_id: template.id,
        audience: Audience {
            languages: vec!["en".to_owned()],
            received_from: Some(since),
            ..Audience::default()
        },
        send_at: None,
    };
    let draft = mailing::create(h, &viewer, draft).await?.value;
    let input = StartMailing {
        id: draft.id,
        version: None,
        send_at: None,
    };
    Ok(mailing::start(h, &viewer, input).await?.value.id)
}

async fn progress(ground: &Ground, id: MailingId) -> Result<mailing_progress::Model> {
    let row = mailing_progress::Entity::find_by_id(id).one(ground.db()).await?;
    Ok(row.ok_or("the mailing has no progress")?)
}

/// Plans step by step, but for what is left for a worker, and answers what each step took.
async fn plan(ground: &Ground, id: MailingId, people: usize) -> Result<Vec<Duration>> {
    let steps = (people - LEFT_FOR_WORKER) / STEP;
    let mut took = Vec::with_capacity(steps);
    for _ in 0..steps {
        let began = Instant::now();
        let did = mailing::go_on(&ground.hospital).await?.value;
        took.push(began.elapsed());
        if did.rows != STEP {
            return Err(format!("a step looked at {} leads, not {STEP}", did.rows).into());
        }
    }
    let planned = progress(ground, id).await?.planned;
    if planned != i64::try_from(steps * STEP)? {
        return Err(format!("{planned} mails were planned, not {}", steps * STEP).into());
    }
    Ok(took)
}

async fn claims(ground: &Ground) -> Result<Vec<Duration>> {
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let began = Instant::now();
        let claimed = claim(&ground.hospital, Lane::Bulk, STEP, LEASE_SECS).await?;
        took.push(began.elapsed());
        let allowed = claimed.sendables.len();
        if allowed != STEP {
            return Err(format!("a claim allowed {allowed} mails, not {STEP}").into());
        }
    }
    Ok(took)
}

/// A worker plans the rest and delivers at the same time.
async fn deliver(ground: &Ground, report: &mut Report, name: &str) -> Result<()> {
    let sink = SmtpSink::start_with(Keep::MessageIds, None).await;
    let worker = Process::start(ground, "worker", &[("SMTP_URL", sink.url())])?;
    let took = crate::delivery::arrival(&sink, DELIVERED).await?;
    report.line(
        &format!("  {name}: a worker plans the rest and delivers"),
        per_sec(sink.count() as f64 / took.as_secs_f64()),
        "",
    );
    report.memory(&format!("worker with {name} mails"), worker.peak_rss_mb()?);
    worker.stop().await
}

/// Plans what the worker has left. Most mails stay due: the next mailing is measured in a table full of them.
async fn finish(
    ground: &Ground,
    id: MailingId,
    people: usize,
    report: &mut Report,
    name: &str,
) -> Result<()> {
    let planning =
        || async { Ok::<_, crate::Failure>(progress(ground, id).await?.work == MailingWork::Planning) };
    while planning().await? {
        let _done = mailing::go_on(&ground.hospital).await?;
    }
    let planned = progress(ground, id).await?.planned;
    report.line(
        &format!("  {name}: planned in all"),
        grouped(planned.unsigned_abs()),
        format!("for {} people", grouped(people as u64)),
    );
    Ok(())
}

fn timed(report: &mut Report, what: &str, took: &[Duration]) {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let ms = |share: f64| {
        let at = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
        sorted.get(at).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
    };
    let note = format!(
        "half of them; 95 of 100 within {:.0} ms; {} times",
        ms(0.95),
        sorted.len()
    );
    report.line(what, format!("{:.0} ms", ms(0.5)), note);
}
