//! Writes what was planned, in the order in which rows point at each other.

use std::collections::{HashMap, HashSet};

use entity::staff;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait,
};

use super::plan::Planned;
pub(crate) use super::plan::Rows;
use super::{Setup, places};
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::follow_up::digest;
use crate::hospital::Hospital;
use crate::staff::password;

pub(super) async fn write(tx: &DatabaseTransaction, rows: Planned) -> Result<()> {
    settle(tx, rows.facilities).await?;
    settle(tx, rows.calendars).await?;
    settle(tx, rows.departments).await?;
    settle(tx, rows.staff).await?;
    digest::expect_everybody(tx).await?;
    settle(tx, rows.teams).await?;
    insert(tx, rows.members.made).await?;
    insert(tx, rows.skills.made).await?;
    settle(tx, rows.lines).await?;
    settle(tx, rows.aliases).await?;
    insert(tx, rows.wordings.made).await?;
    settle(tx, rows.templates).await?;
    // Superseded ones first: one version of a template counts.
    update(tx, rows.template_versions.changed).await?;
    insert(tx, rows.template_versions.made).await?;
    settle(tx, rows.campaigns).await?;
    insert(tx, rows.campaign_lines.made).await?;
    settle(tx, rows.placements).await?;
    settle(tx, rows.forms).await?;
    settle(tx, rows.sla).await?;
    settle(tx, rows.routing).await?;
    settle(tx, rows.scoring).await?;
    settle(tx, rows.checklists).await?;
    insert(tx, rows.scripts.made).await?;
    settle(tx, rows.profiles).await?;
    insert(tx, rows.rubrics.made).await?;
    settle(tx, rows.follow_up_templates).await?;
    settle(tx, rows.sequences).await?;
    insert(tx, rows.sequence_versions.made).await?;
    insert(tx, rows.send_windows.made).await?;
    insert(tx, rows.frequency_caps.made).await?;
    settle(tx, rows.retention).await
}

type ActiveModelOf<Row> = <<Row as ModelTrait>::Entity as EntityTrait>::ActiveModel;

pub(crate) async fn settle<Row>(tx: &DatabaseTransaction, rows: Rows<Row>) -> Result<()>
where
    Row: ModelTrait + IntoActiveModel<ActiveModelOf<Row>>,
    Row::Entity: EntityTrait<Model = Row>,
    ActiveModelOf<Row>: ActiveModelBehavior + Send,
{
    insert(tx, rows.made).await?;
    update(tx, rows.changed).await
}

async fn insert<Row>(tx: &DatabaseTransaction, rows: Vec<Row>) -> Result<()>
where
    Row: ModelTrait + IntoActiveModel<ActiveModelOf<Row>>,
    Row::Entity: EntityTrait<Model = Row>,
    ActiveModelOf<Row>: ActiveModelBehavior + Send,
{
    for batch in rows.chunks(BATCH_MAX) {
        let batch = batch.iter().cloned().map(IntoActiveModel::into_active_model);
        <Row::Entity as EntityTrait>::insert_many(batch)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// One statement a row: what changes between two versions of a document is little.
pub(super) async fn update<Row>(tx: &DatabaseTransaction, rows: Vec<Row>) -> Result<()>
where
    Row: ModelTrait + IntoActiveModel<ActiveModelOf<Row>>,
    Row::Entity: EntityTrait<Model = Row>,
    ActiveModelOf<Row>: ActiveModelBehavior + Send,
{
    for row in rows {
        row.into_active_model().reset_all().update(tx).await?;
    }
    Ok(())
}

/// Hashes the first passwords of people who are new, by address. It takes its time, so it is done before the
/// transaction.
pub(super) async fn hash_passwords(h: &Hospital, setup: &Setup) -> Result<HashMap<String, String>> {
    if setup.staff.iter().all(|person| person.password.is_none()) {
        return Ok(HashMap::new());
    }
    let known: HashSet<String> = staff::Entity::find()
        .all(&h.db)
        .await?
        .into_iter()
        .map(|row| row.email)
        .collect();
    let mut hashes = HashMap::new();
    for person in &setup.staff {
        let (Some(email), Some(first)) = (places::sign_in_name(person), &person.password) else {
            continue;
        };
        // What is no password is refused with its path, when everything is.
        if !known.contains(&email) && password::check(first).is_ok() {
            hashes.insert(email, password::hash(first.clone()).await?);
        }
    }
    Ok(hashes)
}
