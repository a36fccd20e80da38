//! Staff hold back the demand-making mail of a campaign or a sequence, because the teams could not serve those who would
//! answer, and let it go again.

use chrono::{DateTime, Utc};
use entity::id::{CampaignId, SequenceId};
use entity::outreach_hold::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, ModelTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::release::{self, Released};
use crate::audit;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::viewer::Viewer;
use crate::{campaign, sequence};

/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A campaign, with all its sequences.
    Campaign(CampaignId),
    /// A sequence.
    Sequence(SequenceId),
}

impl Held {
    /// The one of both that was named.
    ///
    /// # Errors
    /// [`Error::Refused`] unless exactly one of them is.
    pub fn one_of(campaign: Option<CampaignId>, sequence: Option<SequenceId>) -> Result<Self> {
        match (campaign, sequence) {
            (Some(id), None) => Ok(Self::Campaign(id)),
            (None, Some(id)) => Ok(Self::Sequence(id)),
            _ => {
                let message = "Name either a campaign or a sequence.";
                Err(Error::refused(Code::Invalid, "campaignId", message))
            }
        }
    }

    fn condition(self) -> Condition {
        let condition = Condition::all();
        match self {
            Self::Campaign(id) => condition.add(Column::CampaignId.eq(id)),
            Self::Sequence(id) => condition.add(Column::SequenceId.eq(id)),
        }
    }

    const fn released(self) -> Released {
        match self {
            Self::Campaign(id) => Released::Campaign(id),
            Self::Sequence(id) => Released::Sequence(id),
        }
    }
}

/// A hold to set.
#[derive(Clone, Debug)]
pub struct HoldOutreach {
    /// What is held.
    pub held: Held,
    /// When it ends by itself; none means when somebody releases it.
    pub until: Option<DateTime<Utc>>,
    /// Why, in words. No personal data.
    pub reason: String,
}

/// Holds the marketing mail of a campaign or sequence back until a time, or until it is released. What waits already
/// goes on waiting; holding again changes time and reason.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see it; [`Error::Refused`] when the reason is empty or too long, or the
/// time has passed; or a fault of the database.
pub async fn hold(h: &Hospital, viewer: &Viewer, input: HoldOutreach) -> Result<Done<Model>> {
    let reason = input.reason.trim();
    if reason.is_empty() {
        return Err(Error::refused(Code::Required, "reason", "Say why it is held."));
    }
    if reason.chars().count() > MAX_REASON_CHARS {
        let message = "A reason has at most 500 characters.";
        return Err(Error::refused(Code::TooLarge, "reason", message));
    }
    let tx = db::begin_write(&h.db).await?;
    lock(&tx, viewer, input.held).await?;
    let now = h.now();
    if input.until.is_some_and(|until| until <= now) {
        let message = "A hold ends in the future.";
        return Err(Error::refused(Code::Invalid, "until", message));
    }
    let before = Entity::find().filter(input.held.condition()).one(&tx).await?;
    let shortened = before.as_ref().is_some_and(|before| {
        input
            .until
            .is_some_and(|until| before.until.is_none_or(|was| until < was))
    });
    let row = match before {
        Some(before) => {
            let mut row = before.into_active_model();
            row.until = Set(input.until);
            row.reason = Set(reason.to_owned());
            row.update(&tx).await?
        }
        None => {
            let (campaign_id, sequence_id) = match input.held {
                Held::Campaign(id) => (Some(id), None),
                Held::Sequence(id) => (None, Some(id)),
            };
            let row = ActiveModel {
                id: Set(new_id(now)),
                campaign_id: Set(campaign_id),
                sequence_id: Set(sequence_id),
                until: Set(input.until),
                reason: Set(reason.to_owned()),
                created_at: Set(now),
            };
            row.insert(&tx).await?
        }
    };
    if shortened {
        release::note(&tx, input.held.released(), now).await?;
    }
    audit::record(viewer.actor(), "outreach.hold", Some(&row.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Releases what is held. What the hold kept back goes out as soon as the gate lets it. Without a hold it changes
/// nothing; the answer is the hold that was.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see the campaign or sequence; or a fault of the database.
pub async fn release(h: &Hospital, viewer: &Viewer, held: Held) -> Result<Done<Option<Model>>> {
    let tx = db::begin_write(&h.db).await?;
    lock(&tx, viewer, held).await?;
    let now = h.now();
    let Some(row) = Entity::find().filter(held.condition()).one(&tx).await? else {
        return Ok(Done::quiet(None));
    };
    row.clone().delete(&tx).await?;
    let ended = audit::record(viewer.actor(), "outreach.release", Some(&row.id), None, now);
    release::end(tx, held.released(), ended, row, now).await
}

/// The holds that there are, the newest first; at most [`BATCH_MAX`].
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; or a fault of the database.
pub async fn all(conn: &impl ConnectionTrait, viewer: &Viewer) -> Result<Vec<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "hold" });
    }
    Ok(Entity::find()
        .order_by_desc(Column::Id)
        .limit(BATCH_MAX as u64)
        .all(conn)
        .await?)
}

/// Keeps other changes of the campaign or sequence away until the transaction ends.
async fn lock(tx: &DatabaseTransaction, viewer: &Viewer, held: Held) -> Result<()> {
    match held {
        Held::Campaign(id) => _ = campaign::find::for_change(tx, viewer, id).await?,
        Held::Sequence(id) => {
            sequence::find::by_id(tx, viewer, id).await?;
            entity::sequence::Entity::find_by_id(id)
                .lock(LockType::NoKeyUpdate)
                .one(tx)
                .await?;
        }
    }
    Ok(())
}
