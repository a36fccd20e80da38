//! Empties leads within a transaction: what the person wrote, what staff wrote about it, and what was mailed.
//!
//! What is counted stays: type, stage, line, team, source, campaign, times, points, outcomes.

use chrono::{DateTime, Utc};
use entity::date_occasion::{self, DateOccasionState};
use entity::follow_up::FollowUpState;
use entity::id::{LeadId, MessageId, StaffId};
use entity::lead::{Answers, Basis, Column, Utm};
use entity::lead_event::EventData;
use entity::{
    attempt, captured_mail, follow_up, lead, lead_event, message, message_event, misroute, quality_item,
    quality_review, script_answer,
};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    QueryTrait, Value,
};

use crate::db::each::update_each;
use crate::error::Result;
use crate::idempotency;
use crate::outreach::click;

/// What stands where words stood.
const GONE: &str = "Erased";

/// Erases what these leads tell of a person; at most [`BATCH_MAX`](crate::db::BATCH_MAX) of them, locked by the caller.
/// Answers the words by which a kept answer tells of one.
pub(crate) async fn erase(
    tx: &DatabaseTransaction,
    ids: &[LeadId],
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    let rows = lead::Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(tx)
        .await?;
    let mut words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let unexplained = rows
        .into_iter()
        .map(|row| {
            let mut routing = row.routing;
            GONE.clone_into(&mut routing.explanation);
            routing.basis = Basis {
                versions: routing.basis.versions,
                ..Basis::default()
            };
            [row.id.into(), Value::from(routing)]
        })
        .collect();
    let sql =
        "UPDATE lead SET routing = v.column2 FROM ({rows}) AS v WHERE lead.id = v.column1 RETURNING lead.id";
    update_each(tx, sql, Vec::new(), unexplained).await?;
    let none = || Expr::value(None::<String>);
    lead::Entity::update_many()
        .col_expr(Column::RequestedService, none())
        .col_expr(Column::ExternalId, none())
        .col_expr(Column::LandingPage, none())
        .col_expr(Column::ReferrerHost, none())
        .col_expr(Column::Utm, Expr::value(Utm::default()))
        .col_expr(Column::SourceCode, none())
        .col_expr(Column::ClickIdHash, Expr::value(None::<Vec<u8>>))
        .col_expr(Column::Answers, Expr::value(Answers::default()))
        // Nobody is to be reached any more, so nobody is warned.
        .col_expr(Column::SlaStep, none())
        .col_expr(Column::SlaStepAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::ErasedAt, Expr::value(now))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    lead_event::Entity::update_many()
        .col_expr(lead_event::Column::Data, Expr::value(EventData::default()))
        .filter(lead_event::Column::LeadId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    // The days on which a sequence would have taken them in.
    date_occasion::Entity::update_many()
        .col_expr(
            date_occasion::Column::State,
            Expr::value(DateOccasionState::Cancelled),
        )
        .col_expr(date_occasion::Column::SettledAt, Expr::value(now))
        .filter(date_occasion::Column::LeadId.is_in(ids.iter().copied()))
        .filter(date_occasion::Column::State.eq(DateOccasionState::Waiting))
        .exec(tx)
        .await?;
    words.extend(desk(tx, ids, now).await?);
    words.extend(findings(tx, ids).await?);
    mails(
        tx,
        Condition::all().add(message::Column::LeadId.is_in(ids.iter().copied())),
    )
    .await?;
    Ok(words)
}

/// Empties what staff wrote, and takes open work off the lists: there is nobody to call.
async fn desk(tx: &DatabaseTransaction, ids: &[LeadId], now: DateTime<Utc>) -> Result<Vec<String>> {
    let notes: Vec<Option<String>> = attempt::Entity::find()
        .select_only()
        .column(attempt::Column::Note)
        .filter(attempt::Column::LeadId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let outcomes: Vec<(String, Option<String>)> = follow_up::Entity::find()
        .select_only()
        .columns([follow_up::Column::Title, follow_up::Column::Outcome])
        .filter(follow_up::Column::LeadId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let answers: Vec<String> = script_answer::Entity::find()
        .select_only()
        .column(script_answer::Column::Value)
        .filter(script_answer::Column::LeadId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    script_answer::Entity::delete_many()
        .filter(script_answer::Column::LeadId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    let misroutes: Vec<Option<String>> = misroute::Entity::find()
        .select_only()
        .column(misroute::Column::Note)
        .filter(misroute::Column::LeadId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    misroute::Entity::update_many()
        .col_expr(misroute::Column::Note, Expr::value(None::<String>))
        .filter(misroute::Column::LeadId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    attempt::Entity::update_many()
        .col_expr(attempt::Column::Note, Expr::value(None::<String>))
        .filter(attempt::Column::LeadId.is_in(ids.iter().copied()))
        .exec(tx)
        .await?;
    let theirs = || {
        follow_up::Entity::update_many()
            .col_expr(
                follow_up::Column::Version,
                Expr::col(follow_up::Column::Version).add(1),
            )
            .filter(follow_up::Column::LeadId.is_in(ids.iter().copied()))
    };
    theirs()
        .col_expr(follow_up::Column::Title, Expr::value(GONE))
        .col_expr(follow_up::Column::Outcome, Expr::value(None::<String>))
        .exec(tx)
        .await?;
    theirs()
        .col_expr(follow_up::Column::State, Expr::value(FollowUpState::Cancelled))
        .col_expr(follow_up::Column::CompletedAt, Expr::value(now))
        .col_expr(follow_up::Column::RemindAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(follow_up::Column::MovesAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(follow_up::Column::TakenById, Expr::value(None::<StaffId>))
        .col_expr(follow_up::Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(follow_up::Column::State.eq(FollowUpState::Open))
        .exec(tx)
        .await?;
    // Titles are no person's words.
    let outcomes = outcomes.into_iter().filter_map(|(_, outcome)| outcome);
    let notes = notes.into_iter().chain(misroutes).flatten();
    let notes = notes.chain(outcomes).chain(answers);
    Ok(notes.map(|note| idempotency::as_value(&note)).collect())
}

/// Empties what reviewers found. The points stay, for they are about the work.
async fn findings(tx: &DatabaseTransaction, ids: &[LeadId]) -> Result<Vec<String>> {
    let theirs = || {
        let items = quality_item::Entity::find()
            .select_only()
            .column(quality_item::Column::Id)
            .filter(quality_item::Column::LeadId.is_in(ids.iter().copied()));
        quality_review::Column::ItemId.in_subquery(items.into_query())
    };
    let words: Vec<String> = quality_review::Entity::find()
        .select_only()
        .column(quality_review::Column::Finding)
        .filter(theirs())
        .filter(quality_review::Column::Finding.is_not_null())
        .into_tuple()
        .all(tx)
        .await?;
    quality_review::Entity::update_many()
        .col_expr(quality_review::Column::Finding, Expr::value(None::<String>))
        .filter(theirs())
        .exec(tx)
        .await?;
    Ok(words
        .iter()
        .map(|finding| idempotency::as_value(finding))
        .collect())
}

/// Empties mails, to the person and to staff. `which` must select those of some leads or contacts.
pub(crate) async fn mails(tx: &DatabaseTransaction, which: Condition) -> Result<()> {
    let theirs = || {
        message::Entity::find()
            .select_only()
            .column(message::Column::Id)
            .filter(which.clone())
    };
    click::forget(tx, theirs().into_query()).await?;
    captured_mail::Entity::delete_many()
        .filter(captured_mail::Column::MessageId.in_subquery(theirs().into_query()))
        .exec(tx)
        .await?;
    message_event::Entity::update_many()
        .col_expr(message_event::Column::Detail, Expr::value(None::<String>))
        .filter(message_event::Column::MessageId.in_subquery(theirs().into_query()))
        .exec(tx)
        .await?;
    let emptied: Vec<MessageId> = theirs().into_tuple().all(tx).await?;
    for some in emptied.chunks(crate::db::BATCH_MAX) {
        message::Entity::update_many()
            .col_expr(message::Column::Subject, Expr::value(GONE))
            .col_expr(message::Column::Response, Expr::value(None::<String>))
            .filter(message::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}
