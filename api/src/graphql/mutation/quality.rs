//! Samples are drawn, work is reviewed, and what was found is followed up.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::lead::open_finding::{self, OpenFinding};
use domain::quality::{review, sample};
use entity::quality_review::Score;

use super::{audited, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::quality::{QualityItem, QualityReview, QualitySample};
use crate::graphql::scalars::DateTime;

type DomainResult<T> = domain::error::Result<T>;

/// A sample to draw.
#[derive(InputObject)]
pub struct DrawQualitySampleInput {
    /// The key of the rubric, which says what is drawn.
    rubric: String,
    /// From work of this instant or later: attempts by when they were made, dispositions by when the lead was closed, form data
    /// by when it came in.
    from: DateTime,
    /// From work of before this instant, which has passed; at most 92 days later.
    to: DateTime,
    /// The team that has the leads now; all if not said.
    team_id: Option<ID>,
    /// How many to draw, 1 to 200; all if there are fewer.
    size: i32,
    /// How many of these, the first drawn, two people review.
    #[graphql(default)]
    twice: i32,
    /// What to draw with: the same seed, period, team and size draw the same from the same work. Chosen by chance if not said.
    seed: Option<i64>,
}

impl DrawQualitySampleInput {
    fn read(self) -> DomainResult<sample::DrawSample> {
        Ok(sample::DrawSample {
            team_id: read_id_if_any("teamId", self.team_id.as_ref())?,
            rubric: self.rubric,
            from: self.from.into(),
            to: self.to.into(),
            size: self.size,
            twice: self.twice,
            seed: self.seed,
        })
    }
}

/// Points for one criterion.
#[derive(InputObject)]
pub struct QualityScoreInput {
    /// The key of the criterion.
    criterion: String,
    /// The points: from 0 to what the rubric says.
    points: i32,
}

/// A review of a piece of work.
#[derive(InputObject)]
pub struct ReviewQualityItemInput {
    /// The piece of work.
    item_id: ID,
    /// Points for every criterion of the rubric.
    scores: Vec<QualityScoreInput>,
    /// What was found, at most 2000 characters.
    finding: Option<String>,
}

impl ReviewQualityItemInput {
    fn read(self) -> DomainResult<review::ReviewItem> {
        let scores = self.scores.into_iter().map(|score| Score {
            criterion: score.criterion,
            points: score.points,
        });
        Ok(review::ReviewItem {
            item_id: read_id("itemId", &self.item_id)?,
            scores: scores.collect(),
            finding: self.finding,
        })
    }
}

/// A follow-up because of a finding: from a template, or with a title and a due time.
#[derive(InputObject)]
pub struct OpenQualityFindingInput {
    /// The review, which has a finding and no follow-up yet.
    review_id: ID,
    /// The key of a template, which says what is to be done and until when.
    template: Option<String>,
    /// What is to be done, without personal data; at most 200 characters. Either this or a template.
    title: Option<String>,
    /// When it is due: in the future, at most 90 days ahead. Needed without a template.
    due_at: Option<DateTime>,
    /// An active member of the lead's team; the lead's owner if not said.
    assignee_id: Option<ID>,
}

impl OpenQualityFindingInput {
    fn read(self) -> DomainResult<OpenFinding> {
        Ok(OpenFinding {
            review_id: read_id("reviewId", &self.review_id)?,
            assignee_id: read_id_if_any("assigneeId", self.assignee_id.as_ref())?,
            template: self.template,
            title: self.title,
            due_at: self.due_at.map(Into::into),
        })
    }
}

payload!(
    /// What came of drawing a sample.
    DrawQualitySamplePayload {
        /// The sample.
        quality_sample: QualitySample
    }
);

payload!(
    /// What came of a review.
    ReviewQualityItemPayload {
        /// The piece of work, of which you now see every review.
        quality_item: QualityItem
    }
);

payload!(
    /// What came of following a finding up.
    OpenQualityFindingPayload {
        /// The review, with its follow-up.
        quality_review: QualityReview
    }
);

/// Changes of quality audits.
#[derive(Default)]
pub struct QualityMutation;

/// Changes of quality audits.
#[Object]
impl QualityMutation {
    /// Draws a sample of work to review. What there is to draw from must be at most 50,000 pieces in the period, of all teams.
    async fn draw_quality_sample(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sample.")] input: DrawQualitySampleInput,
    ) -> Result<DrawQualitySamplePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => sample::draw(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "quality_sample.draw", done, |row| row.id).await?;
        Ok(DrawQualitySamplePayload::of(outcome.map(QualitySample)))
    }

    /// Writes down what you say of a piece of work, in person and for good. Nobody reviews their own attempt, or a lead that
    /// they closed.
    async fn review_quality_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] input: ReviewQualityItemInput,
    ) -> Result<ReviewQualityItemPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => review::review(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "quality_item.review", done, |(item, _)| item.id).await?;
        Ok(ReviewQualityItemPayload::of(
            outcome.map(|(item, _)| QualityItem(item)),
        ))
    }

    /// Opens a follow-up of the lead because of what a review found, once, and mails its assignee unless that is you. You must
    /// have reviewed the piece of work yourself.
    async fn open_quality_finding(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review, and the work.")] input: OpenQualityFindingInput,
    ) -> Result<OpenQualityFindingPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => open_finding::open_finding(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "quality_review.open_finding", done, |row| row.id).await?;
        Ok(OpenQualityFindingPayload::of(outcome.map(QualityReview)))
    }
}
