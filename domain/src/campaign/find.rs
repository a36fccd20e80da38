//! Finders of campaigns and placements.

use entity::campaign::{Column, Entity, Model};
use entity::id::CampaignId;
use entity::{campaign_service_line, placement};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use crate::db::BATCH_MAX;
use crate::error::{Error, Result};
use crate::viewer::Viewer;

const MISSING: Error = Error::Missing { noun: "campaign" };

/// The campaigns that this viewer may see: all for whoever has a role. They hold no personal data.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    let all = Entity::find();
    // No id is null: nothing is found.
    if viewer.role().is_some() {
        all
    } else {
        all.filter(Column::Id.is_null())
    }
}

/// One campaign.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn by_id(conn: &impl ConnectionTrait, viewer: &Viewer, id: CampaignId) -> Result<Model> {
    let found = visible_to(viewer).filter(Column::Id.eq(id)).one(conn).await?;
    found.ok_or(MISSING)
}

/// One campaign, held against other changes until the transaction ends.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer may not see it.
pub async fn for_change(tx: &DatabaseTransaction, viewer: &Viewer, id: CampaignId) -> Result<Model> {
    // The weaker lock: leads that answer the campaign are received meanwhile.
    let found = visible_to(viewer)
        .filter(Column::Id.eq(id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    found.ok_or(MISSING)
}

/// The placements of campaigns, at most [`BATCH_MAX`], the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn placements_of(
    conn: &impl ConnectionTrait,
    campaigns: impl IntoIterator<Item = CampaignId>,
) -> Result<Vec<placement::Model>> {
    let found = placement::Entity::find()
        .filter(placement::Column::CampaignId.is_in(campaigns))
        .order_by_asc(placement::Column::Id)
        .limit(BATCH_MAX as u64)
        .all(conn)
        .await?;
    Ok(found)
}

/// Which service lines campaigns promote, the oldest line first.
///
/// # Errors
/// When the database fails.
pub async fn service_lines_of(
    conn: &impl ConnectionTrait,
    campaigns: impl IntoIterator<Item = CampaignId>,
) -> Result<Vec<campaign_service_line::Model>> {
    let found = campaign_service_line::Entity::find()
        .filter(campaign_service_line::Column::CampaignId.is_in(campaigns))
        .order_by_asc(campaign_service_line::Column::CampaignId)
        .order_by_asc(campaign_service_line::Column::ServiceLineId)
        .all(conn)
        .await?;
    Ok(found)
}
