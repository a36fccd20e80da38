//! What a list of leads shows of each: a third of the columns, and none of the large ones.

use async_graphql::SelectionField;
use chrono::{DateTime, Utc};
use entity::enums::{Channel, LeadStage, LeadType};
use entity::id::{CampaignId, ContactId, FacilityId, LeadId, ServiceLineId, StaffId, TeamId};
use entity::lead;
use sea_orm::{DerivePartialModel, Value};

use crate::graphql::page::Placed;

/// The columns that lists read.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "lead::Entity")]
pub(super) struct Head {
    pub(super) id: LeadId,
    pub(super) contact_id: ContactId,
    pub(super) lead_type: LeadType,
    pub(super) stage: LeadStage,
    pub(super) service_line_id: Option<ServiceLineId>,
    pub(super) facility_id: Option<FacilityId>,
    pub(super) team_id: TeamId,
    pub(super) owner_id: Option<StaffId>,
    pub(super) urgent: bool,
    pub(super) channel: Channel,
    pub(super) campaign_id: Option<CampaignId>,
    pub(super) score_points: i32,
    pub(super) received_at: DateTime<Utc>,
    pub(super) version: i64,
}

impl Head {
    /// The head of a lead.
    pub(super) const fn of(row: &lead::Model) -> Self {
        Self {
            id: row.id,
            contact_id: row.contact_id,
            lead_type: row.lead_type,
            stage: row.stage,
            service_line_id: row.service_line_id,
            facility_id: row.facility_id,
            team_id: row.team_id,
            owner_id: row.owner_id,
            urgent: row.urgent,
            channel: row.channel,
            campaign_id: row.campaign_id,
            score_points: row.score_points,
            received_at: row.received_at,
            version: row.version,
        }
    }
}

impl Placed<lead::Entity> for Head {
    fn value(&self, column: lead::Column) -> Option<Value> {
        match column {
            lead::Column::ReceivedAt => Some(self.received_at.into()),
            lead::Column::ScorePoints => Some(self.score_points.into()),
            lead::Column::Id => Some(self.id.into()),
            _ => None,
        }
    }
}

/// Fields of a lead that need no more than its head, or that are loaded by its id.
const FIELDS: &[&str] = &[
    "__typename",
    "id",
    "contact",
    "type",
    "stage",
    "serviceLine",
    "facility",
    "team",
    "owner",
    "urgent",
    "receivedAt",
    "version",
    "nextAppointment",
    "appointments",
    "timeline",
    "attempts",
    "followUps",
    "messages",
    "enrollments",
];

/// The same of its source.
const FIELDS_OF_SOURCE: &[&str] = &["__typename", "channel", "campaign"];

/// Whether a list of leads shows nothing beyond their heads.
pub(super) fn is_enough(list: SelectionField<'_>) -> bool {
    list.selection_set().all(|part| match part.name() {
        "nodes" => of_lead(part),
        "edges" => part
            .selection_set()
            .filter(|part| part.name() == "node")
            .all(of_lead),
        _ => true,
    })
}

fn of_lead(node: SelectionField<'_>) -> bool {
    node.selection_set().all(|field| match field.name() {
        "source" => field
            .selection_set()
            .all(|part| FIELDS_OF_SOURCE.contains(&part.name())),
        name => FIELDS.contains(&name),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::graphql::lead::{LeadOrder, filter};

    #[test]
    fn what_leads_may_be_ordered_by_is_in_their_head() {
        let head = Head {
            id: LeadId(Uuid::from_u128(1)),
            contact_id: ContactId(Uuid::from_u128(2)),
            lead_type: LeadType::PatientAppointment,
            stage: LeadStage::New,
            service_line_id: None,
            facility_id: None,
            team_id: TeamId(Uuid::from_u128(3)),
            owner_id: None,
            urgent: false,
            channel: Channel::PaidSearch,
            campaign_id: None,
            score_points: 4,
            received_at: DateTime::UNIX_EPOCH,
            version: 1,
        };
        for order in LeadOrder::all().map(|order| filter::order(Some(order))) {
            for column in order.columns {
                assert!(head.value(*column).is_some(), "{}: {column:?}", order.name);
            }
        }
    }
}
