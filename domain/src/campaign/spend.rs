//! What a campaign cost on a day.

use chrono::NaiveDate;
use entity::campaign_spend::{ActiveModel, Column, Entity, Model};
use entity::id::CampaignId;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, EntityTrait};

use super::find;
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::release::{self, Released};
use crate::report;
use crate::viewer::Viewer;

/// The greatest spend of one day, in minor units: ten billion of a currency with cents.
pub const AMOUNT_MAX_MINOR: i64 = 1_000_000_000_000;

/// What a campaign cost on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSpend {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The day, in the hospital's zone.
    pub day: NaiveDate,
    /// The whole spend of the day, in minor units of the campaign's currency. It replaces what was recorded before.
    pub amount_minor: i64,
}

/// Records what a campaign cost on a day. Recording it again replaces the amount, so an import can be repeated.
///
/// # Errors
/// When the campaign is not visible; refused when the day is in the future or the amount negative or beyond
/// [`AMOUNT_MAX_MINOR`]; or a fault of the database.
pub async fn record_spend(h: &Hospital, viewer: &Viewer, input: RecordSpend) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let now = h.now();
    let today = now.with_timezone(&report::hospital_zone(&playbook)).date_naive();
    let mut refusals = Vec::new();
    if input.day > today {
        refusals.push(Refusal::new(
            Code::Invalid,
            "day",
            "Spend cannot be recorded for a day that has not come.",
        ));
    }
    if input.amount_minor < 0 {
        refusals.push(Refusal::new(
            Code::Invalid,
            "amountMinor",
            "An amount is zero or more.",
        ));
    } else if input.amount_minor > AMOUNT_MAX_MINOR {
        refusals.push(Refusal::new(
            Code::TooLarge,
            "amountMinor",
            "This is more than a campaign can cost on a day.",
        ));
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let tx = db::begin_write(&h.db).await?;
    let campaign = find::for_change(&tx, viewer, input.campaign_id).await?;
    let before = Entity::find_by_id((campaign.id, input.day)).one(&tx).await?;
    let row = ActiveModel {
        campaign_id: Set(campaign.id),
        day: Set(input.day),
        amount_minor: Set(input.amount_minor),
    };
    let replace = OnConflict::columns([Column::CampaignId, Column::Day])
        .update_column(Column::AmountMinor)
        .to_owned();
    let spend = Entity::insert(row)
        .on_conflict(replace)
        .exec_with_returning(&tx)
        .await?;
    audit::record(
        viewer.actor(),
        "campaign.record_spend",
        Some(&campaign.id),
        None,
        now,
    )
    .insert(&tx)
    .await?;
    // A correction may leave a budget that was spent before.
    let may_release = before.is_some_and(|before| before.amount_minor > spend.amount_minor);
    if may_release {
        release::note(&tx, Released::Campaign(campaign.id), now).await?;
    }
    tx.commit().await?;
    Ok(Done {
        value: spend,
        signals: Vec::new(),
        nudges: may_release.then_some(Subject::BulkMail).into_iter().collect(),
    })
}
