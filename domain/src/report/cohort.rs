//! The counting statements over the leads of a filter.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::attempt;
use entity::enums::{AttemptOutcome, Channel, LeadStage, Role};
use entity::id::{CampaignId, ServiceLineId};
use entity::lead::{Column, Entity};
use entity::lead_event::{self, LeadEventKind};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QuerySelect, RelationDef,
};

use super::totals::Counts;
use super::{Arrival, Filter, OutcomeCount};
use crate::error::{Error, Result};
use crate::lead::find::in_scope;
use crate::viewer::{Scope, Viewer};

/// The counts of the leads that have these three in common. Every other table of a dashboard is a sum of these.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Group {
    pub(super) service_line_id: Option<ServiceLineId>,
    pub(super) channel: Channel,
    pub(super) campaign_id: Option<CampaignId>,
    #[sea_orm(nested)]
    pub(super) counts: Counts,
}

/// Whether this viewer's figures are those of all leads. Roles that work with numbers get them, though they may open
/// no lead; so does whoever may open all of them.
pub(super) fn sees_all(viewer: &Viewer) -> bool {
    let works_with_numbers = matches!(
        viewer.role(),
        Some(Role::MarketingStrategist | Role::PerformanceMarketer | Role::ContentLead | Role::Analyst)
    );
    works_with_numbers || viewer.scope() == Scope::All
}

/// Which leads count in this viewer's figures: all, or those that the viewer may open.
pub(super) fn seen_by(viewer: &Viewer) -> Result<Condition> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "dashboard" });
    }
    Ok(if sees_all(viewer) {
        Condition::all()
    } else {
        in_scope(viewer)
    })
}

/// The cohort, counted by service line, channel and campaign.
pub(super) async fn groups(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    seen: &Condition,
    now: DateTime<Utc>,
) -> Result<Vec<Group>> {
    let keys = Entity::find()
        .select_only()
        .columns([Column::ServiceLineId, Column::Channel, Column::CampaignId])
        .filter(filter.cohort(seen))
        .group_by(Column::ServiceLineId)
        .group_by(Column::Channel)
        .group_by(Column::CampaignId);
    Ok(Counts::select(keys, now).into_model().all(conn).await?)
}

/// Attempts at the cohort by outcome; an outcome that never came counts zero.
pub(super) async fn outcomes(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    seen: &Condition,
) -> Result<Vec<OutcomeCount>> {
    let to_lead: RelationDef = attempt::Entity::belongs_to(Entity)
        .from(attempt::Column::LeadId)
        .to(Column::Id)
        .into();
    let counted: Vec<(AttemptOutcome, i64)> = attempt::Entity::find()
        .select_only()
        .column(attempt::Column::Outcome)
        .column_as(attempt::Column::Id.count(), "count")
        .join(JoinType::InnerJoin, to_lead)
        .filter(filter.cohort(seen))
        .group_by(attempt::Column::Outcome)
        .into_tuple()
        .all(conn)
        .await?;
    let counted: HashMap<_, _> = counted.into_iter().collect();
    let count = |outcome| OutcomeCount {
        outcome,
        count: counted.get(&outcome).copied().unwrap_or(0),
    };
    Ok(AttemptOutcome::ALL.iter().copied().map(count).collect())
}

/// Changes of stage within the period, whenever the leads were received. A lead arrives in `NEW` by being `received`.
pub(super) async fn arrivals(
    conn: &impl ConnectionTrait,
    filter: &Filter,
    seen: &Condition,
    received: i64,
) -> Result<Vec<Arrival>> {
    let to_lead: RelationDef = lead_event::Entity::belongs_to(Entity)
        .from(lead_event::Column::LeadId)
        .to(Column::Id)
        .into();
    let counted: Vec<(Option<LeadStage>, i64)> = lead_event::Entity::find()
        .select_only()
        .column(lead_event::Column::ToStage)
        .column_as(lead_event::Column::Id.count(), "count")
        .join(JoinType::InnerJoin, to_lead)
        .filter(lead_event::Column::Kind.eq(LeadEventKind::StageChanged))
        .filter(lead_event::Column::At.gte(filter.from))
        .filter(lead_event::Column::At.lt(filter.to))
        .filter(filter.leads(seen))
        .group_by(lead_event::Column::ToStage)
        .into_tuple()
        .all(conn)
        .await?;
    let counted: HashMap<_, _> = counted.into_iter().collect();
    let count = |stage| match stage {
        LeadStage::New => received,
        stage => counted.get(&Some(stage)).copied().unwrap_or(0),
    };
    Ok(LeadStage::ALL
        .iter()
        .map(|stage| Arrival {
            stage: *stage,
            count: count(*stage),
        })
        .collect())
}
