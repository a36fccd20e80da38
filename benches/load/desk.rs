//! The intake desk: 32 coordinators who each ask for the next follow-up until 10,000 are done, on PostgreSQL and on SQLite;
//! and the work list with a million open follow-ups, beside its SQL alone.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::follow_up::build::{About, first_contact};
use domain::follow_up::{Complete, Next, complete, next};
use domain::hospital::Hospital;
use domain::id::new_id;
use domain::viewer::Viewer;
use entity::enums::Role;
use entity::follow_up::{self, FollowUpState};
use entity::id::FollowUpId;
use entity::{lead, staff};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Statement,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::ground::Ground;
use crate::http::{Asker, graphql};
use crate::load::{CLIENTS, Load, load};
use crate::process::Api;
use crate::report::{Report, grouped, per_sec};
use crate::{Result, doors, pgbench, say};

/// Coordinators who ask at once.
const CALLERS: usize = 32;
/// Follow-ups that they do.
const WORK: usize = 10_000;
/// Rows of one insert.
const BATCH: usize = 500;
/// Leads whose copies of follow-ups make the large table, and how many each has.
const LARGE: (u32, u32) = (50_000, 20);

/// The first page of the work list, as a coordinator's screen shows it.
const QUERY: &str = "query List($first: Int!) { followUps(first: $first) { nodes { id title kind dueAt late \
    place { rank reasons says } inHand { until } } pageInfo { hasNextPage endCursor } } }";

/// Measures it.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    report.section(&format!(
        "The desk: {CALLERS} coordinators ask for the next of {} follow-ups",
        grouped(WORK as u64)
    ));
    say("Working through follow-ups on PostgreSQL.");
    work(&ground.hospital, report, "PostgreSQL").await?;
    say("Working through follow-ups on SQLite.");
    let embedded = Ground::embedded().await?;
    leadward::demo::ensure(&embedded.hospital).await?;
    embedded.run(crate::fill::NOTHING_DUE_EMBEDDED).await?;
    let worked = work(&embedded.hospital, report, "SQLite").await;
    embedded.clear().await?;
    worked?;
    list(ground, report).await
}

/// Lets them work until nothing is left.
async fn work(h: &Hospital, report: &mut Report, on: &str) -> Result<()> {
    let viewers = prepare(h).await?;
    let mut running = JoinSet::new();
    let began = Instant::now();
    for viewer in viewers {
        let h = h.clone();
        running.spawn(async move { works_through(&h, &viewer).await });
    }
    let (mut waits, mut given) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        let (their_waits, their_given) = ended??;
        waits.extend(their_waits);
        given.extend(their_given);
    }
    let took = began.elapsed();
    let once: HashSet<FollowUpId> = given.iter().copied().collect();
    let waits = Load::of_runs(&waits)?;
    report.line(
        &format!("  given and done, {on}"),
        per_sec(given.len() as f64 / took.as_secs_f64()),
        format!("nextFollowUp {waits}"),
    );
    report.line(
        "  given twice, left over",
        format!(
            "{}, {}",
            given.len() - once.len(),
            WORK.saturating_sub(once.len())
        ),
        "goal 0, 0",
    );
    Ok(())
}

/// Coordinators of one team, and its work.
async fn prepare(h: &Hospital) -> Result<Vec<Viewer>> {
    let now = h.now();
    let lead = lead::Entity::find()
        .filter(lead::Column::UnfinishedAt.is_null())
        .one(&h.db)
        .await?
        .ok_or("there is no lead")?;
    // What the demo hospital has to do is nobody's while this is measured.
    follow_up::Entity::update_many()
        .col_expr(follow_up::Column::State, Expr::value(FollowUpState::Cancelled))
        .col_expr(follow_up::Column::MovesAt, Expr::value(None::<DateTime<Utc>>))
        .filter(follow_up::Column::State.eq(FollowUpState::Open))
        .filter(follow_up::Column::TeamId.eq(lead.team_id))
        .exec(&h.db)
        .await?;
    let mut viewers = Vec::with_capacity(CALLERS);
    for number in 0..CALLERS {
        let row = staff::Model {
            id: new_id(now),
            email: format!("coordinator{number}@bench.example"),
            display_name: format!("Coordinator {number}"),
            role: Role::IntakeCoordinator,
            time_zone: "America/New_York".to_owned(),
            password_hash: None,
            active: true,
            max_open: None,
            created_at: now,
        };
        viewers.push(Viewer::Staff {
            id: row.id,
            role: row.role,
            teams: vec![lead.team_id],
        });
        row.into_active_model().insert(&h.db).await?;
    }
    let rows: Vec<_> = (0..WORK)
        .map(|number| row(&lead, number, now).into_active_model())
        .collect();
    for batch in rows.chunks(BATCH) {
        follow_up::Entity::insert_many(batch.to_vec())
            .exec_without_returning(&h.db)
            .await?;
    }
    Ok(viewers)
}

/// Work for anybody of the team, some of it urgent, of different scores.
fn row(lead: &lead::Model, number: usize, now: DateTime<Utc>) -> follow_up::Model {
    let number = number as i64;
    let due_at = now + TimeDelta::hours(2) + TimeDelta::seconds(number % 3_600);
    let about = About {
        lead_id: lead.id,
        team_id: lead.team_id,
        owner_id: None,
        urgent: number % 50 == 0,
        score: (number % 100) as i32,
    };
    first_contact(&about, due_at, 0, now)
}

/// Asks for the next one and does it until there is none. Answers how long each question took, and what was given.
async fn works_through(h: &Hospital, viewer: &Viewer) -> Result<(Vec<Duration>, Vec<FollowUpId>)> {
    let (mut waits, mut given) = (Vec::new(), Vec::new());
    loop {
        let asked = Instant::now();
        let row = next(h, viewer, Next::default()).await?.value;
        waits.push(asked.elapsed());
        let Some(row) = row else {
            return Ok((waits, given));
        };
        given.push(row.id);
        let done = Complete {
            id: row.id,
            outcome: None,
            version: Some(row.version),
        };
        let _done = complete(h, viewer, done).await?;
    }
}

/// The first page of the list when the table is large, and the plans of what reads it.
async fn list(ground: &Ground, report: &mut Report) -> Result<()> {
    say("Filling the work list.");
    let (leads, each) = LARGE;
    ground
        .run(&format!(
            "INSERT INTO follow_up (id, lead_id, team_id, assignee_id, kind, title, state, urgent, rank, weight, due_at, \
             soon_at, snoozed_count, version, created_at) \
             SELECT gen_random_uuid(), id, team_id, CASE WHEN dice < 50 THEN owner_id END, 'FIRST_CONTACT', 'First contact', \
             'OPEN', dice < 2, CASE WHEN dice < 2 THEN 0 WHEN dice < 10 THEN 1 WHEN dice < 20 THEN 2 WHEN dice < 70 THEN 3 \
             ELSE 4 END, CASE WHEN dice BETWEEN 20 AND 69 THEN -dice ELSE 0 END, now() + dice * interval '1 minute', \
             now() + dice * interval '1 minute', 0, 1, now() \
             FROM (SELECT id, team_id, owner_id, floor(random() * 100)::int AS dice \
             FROM (SELECT * FROM lead LIMIT {leads}) AS some, generate_series(1, {each})) AS thrown"
        ))
        .await?;
    ground.run("VACUUM ANALYZE follow_up").await?;
    let rows: i64 = ground
        .ask("SELECT count(*) FROM follow_up WHERE state = 'OPEN'")
        .await?;
    report.section(&format!(
        "First page of the work list of {} open follow-ups; {CLIENTS} clients",
        grouped(rows.unsigned_abs())
    ));
    let api = Api::start(ground).await?;
    let variables = json!({ "first": 25 });
    let request = graphql(&api.token, QUERY, &variables);
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        clients.push(Asker::connect(api.address, request.clone()).await?);
    }
    let pages = load(clients, || Ok(())).await?;
    let statements = doors::statements(ground, &api.token, QUERY, &variables).await?;
    api.process.stop().await?;
    let plain = pgbench::run(ground, "list", &pgbench::reading(&statements)?).await?;
    report.line("  GraphQL over HTTP", per_sec(pages.per_sec), format!("{pages}"));
    let alone_ms = CLIENTS as f64 * 1000.0 / plain;
    report.line(
        "  its SQL by pgbench",
        per_sec(plain),
        format!("mean {alone_ms:.1} ms"),
    );
    plans(ground, report, statements).await?;
    let (hospital, watch) = ground.watched().await?;
    let viewer = anybody(&hospital).await?;
    watch.take();
    let asked = Instant::now();
    let _next = next(&hospital, &viewer, Next::default()).await?;
    report.line(
        "  nextFollowUp there",
        format!("{:.1} ms", asked.elapsed().as_secs_f64() * 1000.0),
        "",
    );
    let looked: Vec<Statement> = watch.take().into_iter().map(|ran| ran.statement).collect();
    plans(ground, report, looked).await
}

/// A coordinator of the team with the most to do.
async fn anybody(h: &Hospital) -> Result<Viewer> {
    let playbook = h.playbook().await?;
    let (team, members) = playbook
        .members
        .iter()
        .max_by_key(|(_, members)| members.len())
        .ok_or("there is no team")?;
    Ok(Viewer::Staff {
        id: *members.first().ok_or("nobody is in the team")?,
        role: Role::IntakeCoordinator,
        teams: vec![*team],
    })
}

/// How the database finds what these statements read of follow-ups.
async fn plans(ground: &Ground, report: &mut Report, statements: Vec<Statement>) -> Result<()> {
    let reads = statements
        .into_iter()
        .filter(|statement| statement.sql.starts_with("SELECT") && statement.sql.contains("\"follow_up\""));
    for read in reads {
        let explained = Statement {
            sql: format!("EXPLAIN {}", read.sql),
            ..read
        };
        for row in ground.db().query_all_raw(explained).await? {
            let line: String = row.try_get_by_index(0)?;
            report.line(&format!("    {line}"), " ", "");
        }
    }
    Ok(())
}
