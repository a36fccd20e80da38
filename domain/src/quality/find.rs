//! Finders of samples, and what of them is shown to whom.

use std::collections::HashMap;

use entity::id::{QualityItemId, QualitySampleId};
use entity::quality_sample::{Column, Entity, Model};
use entity::{audit_rubric, quality_item, quality_review};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};

use super::figures::{Figures, figures};
use crate::error::{Error, Result};
use crate::viewer::{Scope, Viewer};

/// Samples are about the leads of every team, so only who may see every lead works on them.
pub(super) fn may_audit(viewer: &Viewer) -> Result<()> {
    if viewer.scope() == Scope::All {
        Ok(())
    } else {
        Err(Error::Missing { noun: "lead" })
    }
}

/// The samples that this viewer may see.
pub fn visible_to(viewer: &Viewer) -> Select<Entity> {
    match viewer.scope() {
        Scope::All => Entity::find(),
        // No id is null: nothing is found.
        Scope::Teams { .. } | Scope::Nothing => Entity::find().filter(Column::Id.is_null()),
    }
}

/// What of the reviews of one piece of work is shown: all to whoever wrote one of them, nothing to others, so that nobody
/// judges by what somebody else has said.
#[must_use]
pub fn shown_to(viewer: &Viewer, reviews: Vec<quality_review::Model>) -> Vec<quality_review::Model> {
    let wrote = |review: &quality_review::Model| viewer.staff_id() == Some(review.reviewer_id);
    if reviews.iter().any(wrote) {
        reviews
    } else {
        Vec::new()
    }
}

/// The reviews of pieces of work, the first one first.
///
/// # Errors
/// When the database fails.
pub async fn reviews_of(
    conn: &impl ConnectionTrait,
    items: impl IntoIterator<Item = QualityItemId>,
) -> Result<HashMap<QualityItemId, Vec<quality_review::Model>>, DbErr> {
    let reviews = quality_review::Entity::find()
        .filter(quality_review::Column::ItemId.is_in(items))
        .order_by_asc(quality_review::Column::Id);
    Ok(by_item(reviews.all(conn).await?))
}

/// The figures of the samples that the viewer drew, in four statements whatever their number. Only pieces of work count whose
/// reviews are complete, so figures tell nobody what to say.
///
/// # Errors
/// When the database fails.
pub async fn figures_of(
    conn: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[QualitySampleId],
) -> Result<HashMap<QualitySampleId, Figures>, DbErr> {
    let samples = visible_to(viewer).filter(Column::Id.is_in(ids.iter().copied()));
    let drawn: Vec<Model> = samples
        .all(conn)
        .await?
        .into_iter()
        .filter(|sample| drew(viewer, sample))
        .collect();
    if drawn.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = || drawn.iter().map(|sample| sample.id);
    let rubrics: HashMap<_, audit_rubric::Model> = audit_rubric::Entity::find()
        .filter(audit_rubric::Column::Id.is_in(drawn.iter().map(|sample| sample.rubric_id)))
        .all(conn)
        .await?
        .into_iter()
        .map(|rubric| (rubric.id, rubric))
        .collect();
    let items = || quality_item::Entity::find().filter(quality_item::Column::SampleId.is_in(ids()));
    let of_these = items()
        .select_only()
        .column(quality_item::Column::Id)
        .into_query();
    let reviews = quality_review::Entity::find()
        .filter(quality_review::Column::ItemId.in_subquery(of_these))
        .order_by_asc(quality_review::Column::Id)
        .all(conn)
        .await?;
    let (items, reviews) = (items().all(conn).await?, by_item(reviews));
    let of_sample = |sample: &Model| {
        let complete = items
            .iter()
            .filter(|item| item.sample_id == sample.id)
            .filter_map(|item| reviews.get(&item.id).filter(|all| is_complete(item, all)))
            .map(|all| all.iter().map(|review| &review.scores).collect::<Vec<_>>());
        let complete: Vec<_> = complete.collect();
        let rubric = rubrics.get(&sample.rubric_id)?;
        Some((sample.id, figures(&rubric.criteria.0, &complete)))
    };
    Ok(drawn.iter().filter_map(of_sample).collect())
}

/// Whether a piece of work has all the reviews that it wants.
#[must_use]
pub fn is_complete(item: &quality_item::Model, reviews: &[quality_review::Model]) -> bool {
    reviews.len() >= item.reviews_wanted()
}

/// Whether the viewer drew a sample.
fn drew(viewer: &Viewer, sample: &Model) -> bool {
    let actor = viewer.actor();
    (actor.kind, actor.id) == (sample.drawn_by_kind, sample.drawn_by_id)
}

fn by_item(reviews: Vec<quality_review::Model>) -> HashMap<QualityItemId, Vec<quality_review::Model>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for review in reviews {
        found.entry(review.item_id).or_default().push(review);
    }
    found
}
