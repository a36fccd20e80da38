//! One mail of a campaign to everybody of an audience.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::{ActorKind, Channel, LeadStage, LeadType, Purpose};
use crate::id::{CampaignId, FacilityId, MailingId, ServiceLineId, TemplateId};

text_enum!(/// What people have decided about a mailing. How far its planning has come is in its progress.
MailingState {
    /// Being prepared: nothing is planned.
    Draft = "DRAFT",
    /// Its mails are planned and go out.
    Started = "STARTED",
    /// Nothing of it goes out any more.
    Stopped = "STOPPED",
});

/// Whose leads a mailing is for. Every list that is not empty must hold one that fits; an empty one fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct Audience {
    /// For one of these service lines.
    pub service_line_ids: Vec<ServiceLineId>,
    /// Of one of these types.
    pub lead_types: Vec<LeadType>,
    /// In one of these stages when the lead is looked at. Closed leads are never among them.
    pub stages: Vec<LeadStage>,
    /// Served at one of these facilities.
    pub facility_ids: Vec<FacilityId>,
    /// From one of these channels.
    pub channels: Vec<Channel>,
    /// Of a contact who speaks one of these languages: tags in lower case, `es` means `es-mx` too.
    pub languages: Vec<String>,
    /// Received at this instant or later.
    pub received_from: Option<DateTime<Utc>>,
    /// Received before this instant.
    pub received_to: Option<DateTime<Utc>>,
}

/// One mail of a campaign to everybody of an audience.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailing")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailingId,
    /// The campaign that it belongs to, whose state, days, budget and holds hold it.
    pub campaign_id: CampaignId,
    /// The text; its approved version of the day on which a mail goes.
    pub template_id: TemplateId,
    /// The name that people read.
    pub name: String,
    /// What its mails are for: the purpose of the template.
    pub purpose: Purpose,
    /// Whom it is for.
    #[sea_orm(column_type = "JsonBinary")]
    pub audience: Audience,
    /// What people have decided about it.
    pub state: MailingState,
    /// When its mails are due; none until somebody says.
    pub send_at: Option<DateTime<Utc>>,
    /// What kind of actor made it.
    pub created_by_kind: ActorKind,
    /// Who made it.
    pub created_by_id: Option<Uuid>,
    /// Rises with every change that people make, for optimistic concurrency.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When people last changed it.
    pub updated_at: DateTime<Utc>,
    /// When it was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was stopped.
    pub stopped_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
