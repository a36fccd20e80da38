//! The good name of a sending route: it stops carrying bulk mail when too many addresses do not exist or too many people
//! report its mail as spam, and runs again when both have become few.
//!
//! Whoever writes evidence counts it ([`count`]) and marks the route as not judged. A worker judges a marked route before it
//! claims bulk mail for it ([`judge`]), so after the evidence at most the batch goes out that was on its way. A stopped
//! route is looked at from time to time ([`review`]); the limits at which it runs again are lower than those at which it
//! stopped, so it does not flap.
//!
//! When no route is left for bulk mail, the sending domain is stopped with it: then every message says why it waits.

mod rules;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::SendingStopId;
use entity::message;
use entity::sending_stop::{self, StopReason};
use entity::{contact, sending_route};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};

use super::alert;
use super::provider::{OTHER, provider_of};
use super::release::{self, Released};
use super::tally::{Counted, Tally, hour_of};
use crate::audit;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::nudge::Subject;
use crate::viewer::Actor;

pub use rules::{Figures, ReputationRules, is_undecided, may_resume, trips};

/// What came back about a mail that had been accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It could not be delivered, and never can.
    HardBounce,
    /// It could not be delivered for now.
    SoftBounce,
    /// The recipient reported it as spam.
    Complaint,
}

/// Counts evidence about a message within the caller's transaction.
///
/// Call it once for each piece of evidence: whoever finds out that it was known already does not. A message that went out
/// by no route is not counted.
///
/// # Errors
/// When the database fails.
pub async fn count(
    tx: &DatabaseTransaction,
    message: &message::Model,
    evidence: Evidence,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(route) = message.route.as_deref() else {
        return Ok(());
    };
    let what = match evidence {
        Evidence::HardBounce => Counted::BouncedHard,
        Evidence::SoftBounce => Counted::BouncedSoft,
        Evidence::Complaint => Counted::Complained,
    };
    let provider = provider_of_contact(tx, message).await?;
    let mut tally = Tally::default();
    tally.add(route, message.lane, provider, what, None);
    tally.write(tx, spread(message), now).await?;
    if what.is_bad() {
        mark_unjudged(tx, route).await?;
    }
    Ok(())
}

/// Says that a route has to be judged before it carries bulk mail again.
pub(super) async fn mark_unjudged(tx: &DatabaseTransaction, route: &str) -> Result<()> {
    sending_route::Entity::update_many()
        .col_expr(sending_route::Column::Unjudged, Expr::value(true))
        .filter(sending_route::Column::Name.eq(route))
        .filter(sending_route::Column::Unjudged.eq(false))
        .exec(tx)
        .await?;
    Ok(())
}

/// A number that differs between messages, from the random end of its id.
pub(super) fn spread(message: &message::Model) -> u32 {
    message.id.0.as_fields().3[7].into()
}

async fn provider_of_contact(tx: &DatabaseTransaction, message: &message::Model) -> Result<&'static str> {
    let Some(contact_id) = message.contact_id else {
        return Ok(OTHER);
    };
    let email: Option<Option<String>> = contact::Entity::find_by_id(contact_id)
        .select_only()
        .column(contact::Column::EmailNormalized)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(email.flatten().map_or(OTHER, |email| provider_of(&email)))
}

/// Judges a route about which evidence came. Answers whether it carries no bulk mail from now on. `routes` are all that the
/// worker has: when none of them is left for bulk mail, the domain is stopped.
///
/// # Errors
/// When the database fails; it is judged again then.
pub async fn judge(
    h: &Hospital,
    route: &str,
    routes: &[&str],
    rules: &ReputationRules,
) -> Result<Done<bool>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    // Held before the figures are read: evidence that is not among them marks the route after this.
    let Some(row) = held(&tx, route).await? else {
        return Ok(Done::quiet(false));
    };
    let now = h.now();
    let found = figures(&tx, route, rules, now).await?;
    let reason = trips(&found, rules).filter(|_| row.stopped_at.is_none());
    let stopped = row.stopped_at.is_some() || reason.is_some();
    let mut changed = row.into_active_model();
    changed.unjudged = Set(!stopped && is_undecided(&found, rules));
    let mut nudges = Vec::new();
    if let Some((reason, said)) = reason {
        changed.stopped_at = Set(Some(now));
        changed.stop_reason = Set(Some(reason));
        changed.stop_note = Set(Some(said.clone()));
        audit::record(Actor::SYSTEM, "sending.stop", Some(&route), None, now)
            .insert(&tx)
            .await?;
        let subject = format!("Bulk mail by {route} is stopped: {said}");
        let origin = format!("sending-alert/{route}/{}", now.timestamp_micros());
        alert::plan(&tx, h, &playbook, &subject, &origin, now).await?;
        tracing::warn!(
            route,
            reason = reason.as_str(),
            figures = said,
            "A route stops carrying bulk mail."
        );
        nudges.push(Subject::WaitingMail);
    }
    let row = changed.update(&tx).await?;
    if let (Some(reason), Some(note)) = (row.stop_reason, row.stop_note)
        && !nudges.is_empty()
        && !any_left(&tx, routes).await?
    {
        stop_domain(&tx, h, route, reason, note, now).await?;
    }
    tx.commit().await?;
    Ok(Done {
        value: stopped,
        signals: Vec::new(),
        nudges,
    })
}

/// Lets routes run again whose bounces and complaints have become few. Answers how many there were.
///
/// # Errors
/// When the database fails.
pub async fn review(h: &Hospital, rules: &ReputationRules) -> Result<Done<usize>> {
    let stopped: Vec<String> = sending_route::Entity::find()
        .select_only()
        .column(sending_route::Column::Name)
        .filter(sending_route::Column::StoppedAt.is_not_null())
        .order_by_asc(sending_route::Column::Name)
        .limit(BATCH_MAX as u64)
        .into_tuple()
        .all(&h.db)
        .await?;
    let mut done = Done::quiet(0);
    for route in stopped {
        let tx = db::begin_write(&h.db).await?;
        let now = h.now();
        let Some(row) = held(&tx, &route).await?.filter(|row| row.stopped_at.is_some()) else {
            continue;
        };
        if !may_resume(&figures(&tx, &route, rules, now).await?, rules) {
            continue;
        }
        run_again(&tx, row, Actor::SYSTEM, now).await?;
        tx.commit().await?;
        tracing::info!(route, "A route carries bulk mail again.");
        done.value += 1;
        done.nudges = vec![Subject::BulkMail, Subject::WaitingMail];
    }
    Ok(done)
}

/// Ends the stop of a route, and that of the domain which came with it.
pub(super) async fn run_again(
    tx: &DatabaseTransaction,
    row: sending_route::Model,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<sending_route::Model> {
    let name = row.name.clone();
    let mut changed = row.into_active_model();
    changed.stopped_at = Set(None);
    changed.stop_reason = Set(None);
    changed.stop_note = Set(None);
    let row = changed.update(tx).await?;
    sending_stop::Entity::delete_many()
        .filter(sending_stop::Column::Route.is_not_null())
        .exec(tx)
        .await?;
    release::note(tx, Released::Everything, now).await?;
    audit::record(actor, "sending.resume", Some(&name), None, now)
        .insert(tx)
        .await?;
    Ok(row)
}

/// A route, held until the transaction ends.
pub(super) async fn held(tx: &DatabaseTransaction, route: &str) -> Result<Option<sending_route::Model>> {
    Ok(sending_route::Entity::find_by_id(route)
        .lock_exclusive()
        .one(tx)
        .await?)
}

/// Whether one of these routes is left that carries bulk mail.
async fn any_left(tx: &DatabaseTransaction, routes: &[&str]) -> Result<bool> {
    let left = sending_route::Entity::find()
        .filter(sending_route::Column::Name.is_in(routes.iter().copied()))
        .filter(sending_route::Column::ServesBulk.eq(true))
        .filter(sending_route::Column::StoppedAt.is_null())
        .filter(sending_route::Column::PausedAt.is_null())
        .limit(1)
        .one(tx)
        .await?;
    Ok(left.is_some())
}

/// Stops the domain, unless it is stopped already.
async fn stop_domain(
    tx: &DatabaseTransaction,
    h: &Hospital,
    route: &str,
    reason: StopReason,
    note: String,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = sending_stop::ActiveModel {
        id: Set(new_id::<SendingStopId>(now)),
        domain: Set(h.site.mail_domain().to_ascii_lowercase()),
        reason: Set(reason),
        note: Set(Some(note)),
        route: Set(Some(route.to_owned())),
        since: Set(now),
    };
    let mut known = OnConflict::column(sending_stop::Column::Domain);
    known.do_nothing();
    sending_stop::Entity::insert(row)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// What a route's bulk mail came to in the window. It costs a row for each hour, provider and shard.
async fn figures(
    tx: &DatabaseTransaction,
    route: &str,
    rules: &ReputationRules,
    now: DateTime<Utc>,
) -> Result<Figures> {
    let since = hour_of(now) - TimeDelta::hours(i64::from(rules.window_hours) - 1);
    let columns = ["accepted", "dead", "bounced_hard", "complained"];
    let sums: Vec<String> = columns
        .iter()
        .map(|column| format!("CAST(COALESCE(SUM({column}), 0) AS bigint) AS {column}"))
        .collect();
    let sql = format!(
        "SELECT {} FROM sending_tally WHERE route = $1 AND lane = 'BULK' AND hour >= $2",
        sums.join(", ")
    );
    let statement =
        Statement::from_sql_and_values(tx.get_database_backend(), sql, [route.into(), since.into()]);
    let Some(row) = tx.query_one_raw(statement).await? else {
        return Ok(Figures::default());
    };
    let mut found: HashMap<&str, i64> = HashMap::new();
    for column in columns {
        found.insert(column, row.try_get("", column)?);
    }
    Ok(Figures {
        accepted: found["accepted"],
        dead: found["dead"] + found["bounced_hard"],
        refused_dead: found["dead"],
        complained: found["complained"],
    })
}
