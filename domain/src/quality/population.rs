//! The work that a sample is drawn from, found by the index of its time.

use chrono::{DateTime, Utc};
use entity::audit_rubric::AuditSubject;
use entity::id::{AttemptId, FormId, LeadId, TeamId};
use entity::{attempt, lead};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef,
};
use uuid::Uuid;

use super::POPULATION_MAX;
use crate::error::{Code, Error, Result};

/// A piece of work that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) lead_id: LeadId,
    pub(super) attempt_id: Option<AttemptId>,
    team_id: TeamId,
    /// Whether there is something to judge: an erased lead says nothing any more.
    counts: bool,
}

impl Work {
    /// What it is drawn by.
    fn id(&self) -> Uuid {
        self.attempt_id.map_or(self.lead_id.0, |id| id.0)
    }
}

/// When work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

/// All work of a kind in a period, of one team's leads or of all. What is read is bounded before it is told apart, so that a
/// small team does not make a long search.
pub(super) async fn of(
    tx: &DatabaseTransaction,
    subject: AuditSubject,
    period: Period,
    team: Option<TeamId>,
) -> Result<Vec<(Uuid, Work)>> {
    let all = match subject {
        AuditSubject::Attempt => attempts(tx, period).await?,
        AuditSubject::Disposition => closed(tx, period).await?,
        AuditSubject::FormData => received(tx, period).await?,
    };
    if all.len() > POPULATION_MAX {
        let message = "There are more than 50,000 in this period; choose a shorter one.";
        return Err(Error::refused(Code::TooLarge, "to", message));
    }
    let wanted = |work: &Work| work.counts && team.is_none_or(|team| team == work.team_id);
    let found = all.into_iter().filter(wanted).map(|work| (work.id(), work));
    Ok(found.collect())
}

async fn attempts(tx: &DatabaseTransaction, period: Period) -> Result<Vec<Work>> {
    let to_lead: RelationDef = attempt::Entity::belongs_to(lead::Entity)
        .from(attempt::Column::LeadId)
        .to(lead::Column::Id)
        .into();
    let rows: Vec<(AttemptId, LeadId, TeamId, Option<DateTime<Utc>>)> = attempt::Entity::find()
        .select_only()
        .columns([attempt::Column::Id, attempt::Column::LeadId])
        .columns([lead::Column::TeamId, lead::Column::ErasedAt])
        .join(JoinType::InnerJoin, to_lead)
        .filter(attempt::Column::At.gte(period.from))
        .filter(attempt::Column::At.lt(period.to))
        .limit(POPULATION_MAX as u64 + 1)
        .into_tuple()
        .all(tx)
        .await?;
    let work = |(id, lead_id, team_id, erased_at): (_, _, _, Option<_>)| Work {
        lead_id,
        attempt_id: Some(id),
        team_id,
        counts: erased_at.is_none(),
    };
    Ok(rows.into_iter().map(work).collect())
}

/// Leads that are closed now. The condition is written as the partial index has it.
async fn closed(tx: &DatabaseTransaction, period: Period) -> Result<Vec<Work>> {
    let rows: Vec<(LeadId, TeamId)> = lead::Entity::find()
        .select_only()
        .columns([lead::Column::Id, lead::Column::TeamId])
        .filter(lead::Column::ErasedAt.is_null())
        .filter(Expr::cust("stage = 'CLOSED'"))
        .filter(lead::Column::ClosedAt.gte(period.from))
        .filter(lead::Column::ClosedAt.lt(period.to))
        .limit(POPULATION_MAX as u64 + 1)
        .into_tuple()
        .all(tx)
        .await?;
    let work = |(lead_id, team_id)| Work {
        lead_id,
        attempt_id: None,
        team_id,
        counts: true,
    };
    Ok(rows.into_iter().map(work).collect())
}

/// Leads that came by a form and were sent.
async fn received(tx: &DatabaseTransaction, period: Period) -> Result<Vec<Work>> {
    type Row = (
        LeadId,
        TeamId,
        Option<FormId>,
        Option<DateTime<Utc>>,
        Option<DateTime<Utc>>,
    );
    let rows: Vec<Row> = lead::Entity::find()
        .select_only()
        .columns([
            lead::Column::Id,
            lead::Column::TeamId,
            lead::Column::FormId,
            lead::Column::ErasedAt,
            lead::Column::UnfinishedAt,
        ])
        .filter(lead::Column::ReceivedAt.gte(period.from))
        .filter(lead::Column::ReceivedAt.lt(period.to))
        .limit(POPULATION_MAX as u64 + 1)
        .into_tuple()
        .all(tx)
        .await?;
    let work = |(lead_id, team_id, form_id, erased_at, unfinished_at): Row| Work {
        lead_id,
        attempt_id: None,
        team_id,
        counts: form_id.is_some() && erased_at.is_none() && unfinished_at.is_none(),
    };
    Ok(rows.into_iter().map(work).collect())
}
