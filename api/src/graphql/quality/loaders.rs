//! What the fields of samples and their pieces of work want, many at a time.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::quality::figures::Figures;
use domain::quality::find::{figures_of, reviews_of};
use entity::id::{QualityItemId, QualitySampleId};
use entity::{quality_item, quality_review};
use sea_orm::DbErr;

use crate::graphql::children::Children;
use crate::graphql::loaders::Rows;
use crate::graphql::page::Order;

/// The pieces of work in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ItemsOfSample;

impl Children for ItemsOfSample {
    type Entity = quality_item::Entity;
    type Parent = QualitySampleId;

    const PARENT: quality_item::Column = quality_item::Column::SampleId;
    const ORDER: Order<quality_item::Entity> = Order {
        name: "quality items",
        columns: &[quality_item::Column::Place, quality_item::Column::Id],
        descending: false,
    };
}

/// All reviews of a piece of work, the first one first. Not all are shown to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReviewsOf(pub(super) QualityItemId);

impl Loader<ReviewsOf> for Rows {
    type Value = Vec<quality_review::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[ReviewsOf]) -> Result<HashMap<ReviewsOf, Self::Value>, Self::Error> {
        let ids: Vec<QualityItemId> = keys.iter().map(|key| key.0).collect();
        let found = reviews_of(&self.db, ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, rows)| (ReviewsOf(id), rows))
            .collect())
    }
}

/// The figures of a sample that the viewer drew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FiguresOf(pub(super) QualitySampleId);

impl Loader<FiguresOf> for Rows {
    type Value = Figures;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[FiguresOf]) -> Result<HashMap<FiguresOf, Figures>, Self::Error> {
        let ids: Vec<QualitySampleId> = keys.iter().map(|key| key.0).collect();
        let found = figures_of(&self.db, &self.viewer, &ids).await?;
        Ok(found.into_iter().map(|(id, of)| (FiguresOf(id), of)).collect())
    }
}
