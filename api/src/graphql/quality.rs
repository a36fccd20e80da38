//! Quality audits: samples of work, what reviewers say of it, and what a sample says.

mod loaders;
mod rubric;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::quality::find;
use entity::id::QualitySampleId;
use entity::{quality_item, quality_review, quality_sample};
use sea_orm::{ColumnTrait, QueryFilter};

use super::ask::Ask;
use super::children;
use super::directory::{self, Staff, Team};
use super::errors::Told;
use super::follow_up::FollowUp;
use super::id::{self, id};
use super::lead::{self, Actor, Attempt, Lead, actor};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;

pub use rubric::{AuditCriterion, AuditRubric, CriterionFigures, QualityFigures};

use loaders::{FiguresOf, ItemsOfSample, ReviewsOf};

/// A sample of work that was drawn to be reviewed.
#[derive(Clone, Debug)]
pub struct QualitySample(pub quality_sample::Model);

/// A sample of work that was drawn to be reviewed.
#[Object]
impl QualitySample {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The rubric that it is reviewed by, in the version of the day on which it was drawn.
    async fn rubric(&self, ctx: &Context<'_>) -> Result<AuditRubric, Error> {
        let ask = Ask::of(ctx);
        let found = ask.load(self.0.rubric_id).await?;
        let missing = DomainError::Missing { noun: "rubric" };
        found.as_ref().map(AuditRubric::from).ok_or(missing).told(ask)
    }

    /// What it was drawn with: the same seed, period, team and size draw the same from the same work.
    async fn seed(&self) -> i64 {
        self.0.seed
    }

    /// It was drawn from work of this instant or later.
    async fn from(&self) -> DateTime {
        self.0.from_at.into()
    }

    /// It was drawn from work of before this instant.
    async fn to(&self) -> DateTime {
        self.0.to_at.into()
    }

    /// The team whose leads it is about; null for all.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), self.0.team_id).await
    }

    /// How many there were to draw from.
    async fn population(&self) -> i32 {
        self.0.population
    }

    /// How many were drawn.
    async fn size(&self) -> i32 {
        self.0.size
    }

    /// How many of these, the first drawn, two people review.
    async fn twice(&self) -> i32 {
        self.0.twice
    }

    /// Who drew it.
    async fn drawn_by(&self) -> Actor {
        actor(self.0.drawn_by_kind, self.0.drawn_by_id)
    }

    /// When it was drawn.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// What was drawn, in the order of the draw.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<QualityItem>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(Ask::of(ctx), ItemsOfSample, self.0.id, args, QualityItem).await
    }

    /// What it says so far, from the pieces of work whose reviews are complete; null unless you drew it.
    #[graphql(complexity = "50 + child_complexity")]
    async fn figures(&self, ctx: &Context<'_>) -> Result<Option<QualityFigures>, Error> {
        let figures = Ask::of(ctx).load(FiguresOf(self.0.id)).await?;
        Ok(figures.map(QualityFigures::from))
    }
}

/// One piece of work in a sample.
#[derive(Clone, Debug)]
pub struct QualityItem(pub quality_item::Model);

/// One piece of work in a sample.
#[Object]
impl QualityItem {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The place in the order of the draw, from 1.
    async fn place(&self) -> i32 {
        self.0.place
    }

    /// The lead, with its answers, history and disposition.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        lead::lead(Ask::of(ctx), Some(self.0.lead_id)).await
    }

    /// The attempt to review; null when something else of the lead is judged.
    async fn attempt(&self, ctx: &Context<'_>) -> Result<Option<Attempt>, Error> {
        let Some(id) = self.0.attempt_id else {
            return Ok(None);
        };
        Ok(Ask::of(ctx).load(id).await?.map(Attempt))
    }

    /// Whether two people review it, and not one.
    async fn twice(&self) -> bool {
        self.0.twice
    }

    /// Whether it has all the reviews that it wants.
    async fn complete(&self, ctx: &Context<'_>) -> Result<bool, Error> {
        let reviews = Ask::of(ctx).load(ReviewsOf(self.0.id)).await?;
        Ok(find::is_complete(&self.0, &reviews.unwrap_or_default()))
    }

    /// What reviewers say of it, the first one first; at most 2. None are shown to you until you have reviewed it yourself.
    #[graphql(complexity = "2 * child_complexity")]
    async fn reviews(&self, ctx: &Context<'_>) -> Result<Vec<QualityReview>, Error> {
        let ask = Ask::of(ctx);
        let reviews = ask.load(ReviewsOf(self.0.id)).await?.unwrap_or_default();
        let shown = find::shown_to(ask.viewer(), reviews);
        Ok(shown.into_iter().map(QualityReview).collect())
    }
}

/// The points for one criterion.
#[derive(SimpleObject, Clone, Debug)]
pub struct QualityScore {
    /// The key of the criterion.
    criterion: String,
    /// The points.
    points: i32,
}

/// What a person says of a piece of work.
#[derive(Clone, Debug)]
pub struct QualityReview(pub quality_review::Model);

/// What a person says of a piece of work. It is final.
#[Object]
impl QualityReview {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Who says it.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), Some(self.0.reviewer_id)).await
    }

    /// The points for every criterion, in the order of the rubric; at most 20.
    async fn scores(&self) -> Vec<QualityScore> {
        let scores = self.0.scores.0.iter();
        scores
            .map(|score| QualityScore {
                criterion: score.criterion.clone(),
                points: score.points,
            })
            .collect()
    }

    /// What was found; null when nothing was, or when it was erased.
    async fn finding(&self) -> Option<&str> {
        self.0.finding.as_deref()
    }

    /// The follow-up that the finding led to.
    async fn follow_up(&self, ctx: &Context<'_>) -> Result<Option<FollowUp>, Error> {
        let Some(id) = self.0.follow_up_id else {
            return Ok(None);
        };
        Ok(Ask::of(ctx).load(id).await?.map(FollowUp))
    }

    /// When it was said.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// Samples, the newest first.
const NEWEST: Order<quality_sample::Entity> = Order {
    name: "quality samples, newest",
    columns: &[quality_sample::Column::Id],
    descending: true,
};

/// Reads of quality audits.
#[derive(Default)]
pub struct QualityQuery;

/// Reads of quality audits.
#[Object]
impl QualityQuery {
    /// The newest version of each rubric, by key.
    #[graphql(complexity = "10 * child_complexity")]
    async fn audit_rubrics(&self, ctx: &Context<'_>) -> Result<Vec<AuditRubric>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let mut rubrics: Vec<_> = playbook.rubrics.values().collect();
        rubrics.sort_unstable_by_key(|rubric| &rubric.key);
        Ok(rubrics.into_iter().map(AuditRubric::from).collect())
    }

    /// One sample; null when there is none or it is not yours.
    async fn quality_sample(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sample's id.")] id: ID,
    ) -> Result<Option<QualitySample>, Error> {
        let ask = Ask::of(ctx);
        let id: QualitySampleId = id::read("id", &id)?;
        let found = find::visible_to(ask.viewer()).filter(quality_sample::Column::Id.eq(id));
        Ok(found.one(ask.db()).await.told(ask)?.map(QualitySample))
    }

    /// Samples, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn quality_samples(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<QualitySample>, Error> {
        let ask = Ask::of(ctx);
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(ask, find::visible_to(ask.viewer()), &NEWEST, args, QualitySample).await
    }
}
