//! A mail server refuses the sender (5.7.1, 5.7.26, 5.7.515 …): going on would only make it worse, so the campaign is
//! paused and those who answer for it are told. The address is well and stays.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::campaign::CampaignState;
use entity::id::{CampaignId, SequenceId};
use entity::message::Lane;
use entity::{campaign, sequence};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use crate::audit;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::outreach::alert;
use crate::outreach::claim::Sendable;
use crate::outreach::tally::hour_of;
use crate::playbook::{self, Playbook};
use crate::viewer::Actor;

/// Pauses the live campaigns whose bulk mail was refused because of its sender. Staff are told once of each pause, and once
/// an hour of refusals that no campaign can be paused for.
pub(super) async fn pause_campaigns(
    h: &Hospital,
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    blocked: &[&Sendable],
    now: DateTime<Utc>,
) -> Result<()> {
    let bulk: Vec<&Sendable> = blocked
        .iter()
        .copied()
        .filter(|sendable| sendable.message().lane == Lane::Bulk)
        .collect();
    if bulk.is_empty() {
        return Ok(());
    }
    let mut campaigns = campaigns_of(tx, &bulk).await?;
    campaigns.sort_unstable();
    campaigns.dedup();
    let mut told = false;
    for id in campaigns {
        let Some(name) = pause(tx, id, now).await? else {
            continue;
        };
        let subject = format!("Campaign {name} is paused: a mail server refuses the sender");
        let origin = format!("sending-alert/{}/{}", id.0.simple(), now.timestamp_micros());
        alert::plan(tx, h, playbook, &subject, &origin, now).await?;
        told = true;
    }
    if !told {
        let origin = format!("sending-alert/blocked/{}", hour_of(now).timestamp());
        alert::plan(tx, h, playbook, "A mail server refuses the sender", &origin, now).await?;
    }
    Ok(())
}

/// The campaigns of messages, their own or those of their sequences.
async fn campaigns_of(tx: &DatabaseTransaction, messages: &[&Sendable]) -> Result<Vec<CampaignId>> {
    let sequences: Vec<SequenceId> = messages
        .iter()
        .filter_map(|sendable| sendable.message().sequence_id)
        .collect();
    let of_sequences: HashMap<SequenceId, Option<CampaignId>> = if sequences.is_empty() {
        HashMap::new()
    } else {
        sequence::Entity::find()
            .select_only()
            .columns([sequence::Column::Id, sequence::Column::CampaignId])
            .filter(sequence::Column::Id.is_in(sequences))
            .into_tuple::<(SequenceId, Option<CampaignId>)>()
            .all(tx)
            .await?
            .into_iter()
            .collect()
    };
    let campaign = |sendable: &&Sendable| {
        let message = sendable.message();
        let of_sequence = || of_sequences.get(&message.sequence_id?).copied().flatten();
        message.campaign_id.or_else(of_sequence)
    };
    Ok(messages.iter().filter_map(campaign).collect())
}

/// Pauses a live campaign and answers its name; none when it is not live (any more).
async fn pause(tx: &DatabaseTransaction, id: CampaignId, now: DateTime<Utc>) -> Result<Option<String>> {
    let paused = campaign::Entity::update_many()
        .col_expr(
            campaign::Column::State,
            Expr::value(CampaignState::Paused.as_str()),
        )
        .col_expr(
            campaign::Column::Version,
            Expr::col(campaign::Column::Version).add(1),
        )
        .col_expr(campaign::Column::UpdatedAt, Expr::value(now))
        .filter(campaign::Column::Id.eq(id))
        .filter(campaign::Column::State.eq(CampaignState::Live))
        .exec_with_returning(tx)
        .await?;
    let Some(row) = paused.into_iter().next() else {
        return Ok(None);
    };
    audit::record(Actor::SYSTEM, "campaign.pause", Some(&row.id), None, now)
        .insert(tx)
        .await?;
    playbook::changed(tx).await?;
    Ok(Some(row.name))
}
