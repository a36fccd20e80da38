//! A campaign is launched and paused.

use chrono::NaiveDate;
use entity::campaign::{CampaignState, Model};
use entity::campaign_service_line;
use entity::id::CampaignId;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};

use super::find;
use super::update::same_version;
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::release::{self, Released};
use crate::playbook;
use crate::report;
use crate::viewer::Viewer;

/// A campaign to launch or pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeState {
    /// The campaign.
    pub id: CampaignId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Makes a draft or paused campaign live. It may start on a later day.
///
/// # Errors When the campaign is not visible or has another version; refused when it is live or over, its last day
/// has passed in the hospital's zone, or it promotes no service line; or a fault of the database.
pub async fn launch(h: &Hospital, viewer: &Viewer, input: ChangeState) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let before = find::for_change(&tx, viewer, input.id).await?;
    same_version(&before, input.version)?;
    let lines = campaign_service_line::Entity::find()
        .filter(campaign_service_line::Column::CampaignId.eq(before.id))
        .count(&tx)
        .await?;
    let today = h
        .now()
        .with_timezone(&report::hospital_zone(&playbook))
        .date_naive();
    let refusals = hindrances(&before, lines, today);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let after = turn(h, viewer, &tx, before, CampaignState::Live, "campaign.launch").await?;
    // What a pause has held may go now.
    release::note(&tx, Released::Campaign(after.id), after.updated_at).await?;
    tx.commit().await?;
    Ok(Done {
        value: after,
        signals: Vec::new(),
        nudges: vec![Subject::BulkMail, Subject::WaitingMail, Subject::Enrollments],
    })
}

/// Pauses a live campaign: its sequences send nothing until it is launched again.
///
/// # Errors
/// When the campaign is not visible or has another version; refused when it is not live; or a fault of the database.
pub async fn pause(h: &Hospital, viewer: &Viewer, input: ChangeState) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let before = find::for_change(&tx, viewer, input.id).await?;
    same_version(&before, input.version)?;
    if before.state != CampaignState::Live {
        return Err(Error::refused(
            Code::NotAllowedNow,
            "id",
            "Only a live campaign can be paused.",
        ));
    }
    let after = turn(h, viewer, &tx, before, CampaignState::Paused, "campaign.pause").await?;
    tx.commit().await?;
    Ok(Done::quiet(after))
}

/// Everything that stands in the way of a launch.
fn hindrances(campaign: &Model, lines: u64, today: NaiveDate) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    match campaign.state {
        CampaignState::Draft | CampaignState::Paused => {}
        CampaignState::Live => {
            refusals.push(Refusal::new(
                Code::NotAllowedNow,
                "id",
                "The campaign is live already.",
            ));
        }
        CampaignState::Ended => {
            refusals.push(Refusal::new(Code::NotAllowedNow, "id", "The campaign is over."))
        }
    }
    if campaign.ends_on.is_some_and(|last| last < today) {
        refusals.push(Refusal::new(
            Code::NotAllowedNow,
            "endsOn",
            "The campaign's last day has passed.",
        ));
    }
    if lines == 0 {
        let message = "Choose a service line that the campaign promotes.";
        refusals.push(Refusal::new(Code::Required, "serviceLineIds", message));
    }
    refusals
}

async fn turn(
    h: &Hospital,
    viewer: &Viewer,
    tx: &DatabaseTransaction,
    before: Model,
    state: CampaignState,
    action: &'static str,
) -> Result<Model> {
    let now = h.now();
    let version = before.version + 1;
    let mut row = before.into_active_model();
    row.state = Set(state);
    row.version = Set(version);
    row.updated_at = Set(now);
    let after = row.update(tx).await?;
    audit::record(viewer.actor(), action, Some(&after.id), None, now)
        .insert(tx)
        .await?;
    playbook::changed(tx).await?;
    Ok(after)
}
