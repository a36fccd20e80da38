//! A person reviews a piece of work.

use entity::audit_rubric::{self, AuditSubject};
use entity::enums::{ActorKind, LeadStage};
use entity::id::{QualityItemId, StaffId};
use entity::quality_item;
use entity::quality_review::{Model, Score};
use entity::{attempt, lead_event, quality_sample};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use super::{find, scores};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::{find as leads, note};
use crate::viewer::Viewer;

const MISSING: Error = Error::Missing { noun: "item" };

/// A review to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewItem {
    /// The piece of work.
    pub item_id: QualityItemId,
    /// Points for every criterion.
    pub scores: Vec<Score>,
    /// What was found, at most [`note::MAX_CHARS`] characters.
    pub finding: Option<String>,
}

/// Writes down what a person says of a piece of work. It is final: who reviews the same work must not be led by a change.
///
/// # Errors
/// [`Error::Missing`] when there is no such piece of work; [`Error::Refused`] with all that is wrong with the points, for a
/// program, for one's own work, for a second review by one person, and when there are as many as are wanted.
pub async fn review(
    h: &Hospital,
    viewer: &Viewer,
    input: ReviewItem,
) -> Result<Done<(quality_item::Model, Model)>> {
    find::may_audit(viewer)?;
    let not_now = |message: &'static str| Error::refused(Code::NotAllowedNow, "itemId", message);
    let Some(reviewer) = viewer.staff_id() else {
        return Err(not_now("A person reviews, not a program."));
    };
    let tx = db::begin_write(&h.db).await?;
    let found = quality_item::Entity::find_by_id(input.item_id).one(&tx).await?;
    let item = found.ok_or(MISSING)?;
    // Reviews of one lead wait for each other and for an erasure of it, which empties what they say.
    let lead = leads::for_change(&tx, viewer, item.lead_id).await?;
    let now = h.now();
    if lead.erased_at.is_some() {
        return Err(not_now("What there was to review has been erased."));
    }
    let rubric = rubric_of(&tx, &item).await?;
    if is_own_work(&tx, &rubric, &item, reviewer).await? {
        return Err(not_now("This is your own work; somebody else reviews it."));
    }
    let before = find::reviews_of(&tx, [item.id]).await?;
    let before = before.get(&item.id).map_or(&[][..], Vec::as_slice);
    if before.iter().any(|review| review.reviewer_id == reviewer) {
        let message = "You have reviewed this already.";
        return Err(Error::refused(Code::AlreadyExists, "itemId", message));
    }
    if find::is_complete(&item, before) {
        return Err(not_now("This has all the reviews that it wants."));
    }
    let scores = scores::read(&rubric.criteria.0, input.scores);
    let finding = note::check("finding", input.finding);
    let (scores, finding) = match (scores, finding) {
        (Ok(scores), Ok(finding)) => (scores, finding),
        (scores, finding) => {
            let mut refusals = scores.err().unwrap_or_default();
            refusals.extend(finding.err());
            return Err(Error::Refused(refusals));
        }
    };
    let review = Model {
        id: new_id(now),
        item_id: item.id,
        reviewer_id: reviewer,
        scores,
        finding,
        follow_up_id: None,
        created_at: now,
    };
    let review = review.into_active_model().insert(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet((item, review)))
}

async fn rubric_of(tx: &DatabaseTransaction, item: &quality_item::Model) -> Result<audit_rubric::Model> {
    let sample = quality_sample::Entity::find_by_id(item.sample_id).one(tx).await?;
    let sample = sample.ok_or_else(|| Error::fault("a piece of work has no sample"))?;
    let rubric = audit_rubric::Entity::find_by_id(sample.rubric_id).one(tx).await?;
    rubric.ok_or_else(|| Error::fault("a sample has no rubric"))
}

/// Whether the reviewer made the attempt, or was the last to close the lead. Nobody's work is what a form brought.
async fn is_own_work(
    tx: &DatabaseTransaction,
    rubric: &audit_rubric::Model,
    item: &quality_item::Model,
    reviewer: StaffId,
) -> Result<bool> {
    Ok(match (rubric.subject, item.attempt_id) {
        (AuditSubject::Attempt, Some(id)) => {
            let attempt = attempt::Entity::find_by_id(id).one(tx).await?;
            attempt.is_some_and(|attempt| attempt.staff_id == Some(reviewer))
        }
        (AuditSubject::Disposition, _) => {
            let closed = lead_event::Entity::find()
                .filter(lead_event::Column::LeadId.eq(item.lead_id))
                .filter(lead_event::Column::ToStage.eq(LeadStage::Closed))
                .order_by_desc(lead_event::Column::Id)
                .one(tx)
                .await?;
            closed.is_some_and(|event| {
                event.actor_kind == ActorKind::Staff && event.actor_id == Some(reviewer.0)
            })
        }
        (AuditSubject::Attempt | AuditSubject::FormData, _) => false,
    })
}
