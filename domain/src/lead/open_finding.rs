//! A reviewer opens work because of what a review found.

use chrono::{DateTime, Utc};
use entity::id::{QualityReviewId, StaffId};
use entity::{quality_item, quality_review};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::change::Change;
use super::open_work::{self, OpenFollowUp};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::quality::find;
use crate::viewer::Viewer;

const MISSING: Error = Error::Missing { noun: "review" };

/// Work to open because of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFinding {
    /// The review that found it.
    pub review_id: QualityReviewId,
    /// As [`OpenFollowUp::template`].
    pub template: Option<String>,
    /// As [`OpenFollowUp::title`].
    pub title: Option<String>,
    /// As [`OpenFollowUp::due_at`].
    pub due_at: Option<DateTime<Utc>>,
    /// As [`OpenFollowUp::assignee_id`].
    pub assignee_id: Option<StaffId>,
}

/// Opens a follow-up of the lead, once for a review: both are written in one transaction, which holds the lead.
///
/// # Errors
/// [`Error::Missing`] when there is no such review or it is not shown to the viewer; [`Error::Refused`] when it found nothing
/// or has its follow-up already, and as [`open_work::open_follow_up`].
pub async fn open_finding(
    h: &Hospital,
    viewer: &Viewer,
    input: OpenFinding,
) -> Result<Done<quality_review::Model>> {
    let found = quality_review::Entity::find_by_id(input.review_id)
        .one(&h.db)
        .await?;
    let item_id = found.ok_or(MISSING)?.item_id;
    let item = quality_item::Entity::find_by_id(item_id).one(&h.db).await?;
    let item = item.ok_or(MISSING)?;
    let mut change = Change::begin(h, viewer, item.lead_id, None).await?;
    // Read after the lock: whoever waited for it sees what was opened meanwhile.
    let reviews = find::reviews_of(&change.tx, [item.id]).await?;
    let shown = find::shown_to(viewer, reviews.into_values().flatten().collect());
    let review = shown.into_iter().find(|review| review.id == input.review_id);
    let review = review.ok_or(MISSING)?;
    if review.follow_up_id.is_some() {
        let message = "A follow-up was opened for this review already.";
        return Err(Error::refused(Code::AlreadyExists, "reviewId", message));
    }
    if review.finding.is_none() {
        let message = "This review has no finding.";
        return Err(Error::refused(Code::NotAllowedNow, "reviewId", message));
    }
    let work = OpenFollowUp {
        lead_id: item.lead_id,
        template: input.template,
        title: input.title,
        due_at: input.due_at,
        assignee_id: input.assignee_id,
    };
    let opened = open_work::open(&mut change, work).await.map_err(at_review)?;
    let mut row = review.into_active_model();
    row.follow_up_id = Set(Some(opened.id));
    let review = row.update(&change.tx).await?;
    change.commit(|_| review).await
}

/// The lead is not named by who asks: what is wrong with it is told at the review.
fn at_review(mut error: Error) -> Error {
    if let Error::Refused(refusals) = &mut error {
        for refusal in refusals.iter_mut().filter(|refusal| refusal.field == ["leadId"]) {
            refusal.field = vec!["reviewId".to_owned()];
        }
    }
    error
}
