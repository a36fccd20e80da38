//! Sequences: plans of mails, follow-ups, waits and branches, and the leads' places in them.

mod moves;
mod step;
mod stuck;

use async_graphql::{Context, Error, ID, InputObject, Object};
use entity::id::{LeadId, SequenceId, SequenceVersionId};
use entity::{enrollment, sequence, sequence_version};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::ask::Ask;
use super::campaign::{self, Campaign};
use super::children::Children;
use super::id::{self, id};
use super::lead::{self, Lead};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::{DateTime, Duration};
use super::vocabulary::{EnrollmentState, ExitReason, LeadStage, Purpose, SequenceState};

pub use moves::{MovePreview, MoveQuery, SequenceMove, StepMapInput, step_map};
pub use step::{Clause, SequenceStep, SequenceTrigger, StepKind, clauses};
pub use stuck::{StuckEnrollment, StuckQuery};

/// A plan of mails, follow-ups, waits and branches.
#[derive(Clone, Debug)]
pub struct Sequence(pub sequence::Model);

/// A plan of mails, follow-ups, waits and branches.
#[Object]
impl Sequence {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it stands.
    async fn state(&self) -> SequenceState {
        self.0.state.into()
    }

    /// What its mails are for.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.into()
    }

    /// The campaign whose pause holds it too.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<Campaign>, Error> {
        campaign::campaign(Ask::of(ctx), self.0.campaign_id).await
    }

    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    async fn demand_making(&self) -> bool {
        self.0.demand_making
    }

    /// The version that new enrollments take; null until it is published.
    async fn current_version(&self, ctx: &Context<'_>) -> Result<Option<SequenceVersion>, Error> {
        version(Ask::of(ctx), self.0.current_version_id).await
    }

    /// Rises with every change; send it back with an update.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// One version of a sequence.
pub struct SequenceVersion(pub sequence_version::Model);

/// One version of a sequence. Never changed after it is published.
#[Object]
impl SequenceVersion {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Counts up from 1.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// When a lead is enrolled by itself.
    async fn trigger(&self) -> SequenceTrigger {
        step::trigger(&self.0.trigger)
    }

    /// Its steps, in order.
    async fn steps(&self) -> Vec<SequenceStep> {
        self.0.steps.0.iter().map(step::step).collect()
    }

    /// Stages that end an enrollment early. A closed lead and a withdrawal always do.
    async fn exit_stages(&self) -> Vec<LeadStage> {
        self.0.exits.stages.iter().map(|stage| (*stage).into()).collect()
    }

    /// How long an enrollment runs at the most; null means for as long as its steps take.
    async fn ends_after(&self) -> Option<Duration> {
        self.0.exits.after_secs.map(Duration)
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(Into::into)
    }
}

/// The enrollments of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnrollmentsOfLead;

impl Children for EnrollmentsOfLead {
    type Entity = enrollment::Entity;
    type Parent = LeadId;

    const PARENT: enrollment::Column = enrollment::Column::LeadId;
    const ORDER: Order<enrollment::Entity> = Order {
        name: "enrollments",
        columns: &[enrollment::Column::Id],
        descending: true,
    };
}

/// A lead's place in a sequence.
#[derive(Clone, Debug)]
pub struct Enrollment(pub enrollment::Model);

/// A lead's place in a sequence.
#[Object]
impl Enrollment {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The sequence.
    async fn sequence(&self, ctx: &Context<'_>) -> Result<Option<Sequence>, Error> {
        sequence(Ask::of(ctx), Some(self.0.sequence_id)).await
    }

    /// The version it stays on.
    async fn sequence_version(&self, ctx: &Context<'_>) -> Result<Option<SequenceVersion>, Error> {
        version(Ask::of(ctx), Some(self.0.sequence_version_id)).await
    }

    /// The lead.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        lead::lead(Ask::of(ctx), Some(self.0.lead_id)).await
    }

    /// Where it stands.
    async fn state(&self) -> EnrollmentState {
        self.0.state.into()
    }

    /// Why it ended early.
    async fn exit_reason(&self) -> Option<ExitReason> {
        self.0.exit_reason.map(Into::into)
    }

    /// Key of the goal by which it was completed; null when it came to its end in another way.
    async fn goal_key(&self) -> Option<&str> {
        self.0.goal_key.as_deref()
    }

    /// The step that comes next.
    async fn step_key(&self) -> &str {
        &self.0.step_key
    }

    /// When that step is due.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ended.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(Into::into)
    }
}

/// The sequence of this id; what is published is in the playbook, a draft is loaded.
pub async fn sequence(ask: &Ask, id: Option<SequenceId>) -> Result<Option<Sequence>, Error> {
    let Some(id) = id else { return Ok(None) };
    if let Some(known) = ask.playbook().await?.sequences.get(&id) {
        return Ok(Some(Sequence(known.sequence.clone())));
    }
    Ok(ask.load(id).await?.map(Sequence))
}

async fn version(ask: &Ask, id: Option<SequenceVersionId>) -> Result<Option<SequenceVersion>, Error> {
    let Some(id) = id else { return Ok(None) };
    if let Some(known) = ask.playbook().await?.sequence_versions.get(&id) {
        return Ok(Some(SequenceVersion(known.as_ref().clone())));
    }
    Ok(ask.load(id).await?.map(SequenceVersion))
}

/// Sequences, by name.
const BY_NAME: Order<sequence::Entity> = Order {
    name: "sequences by name",
    columns: &[sequence::Column::Name, sequence::Column::Id],
    descending: false,
};

/// Which sequences are wanted. Every field that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct SequenceFilter {
    /// In one of these states.
    states: Option<Vec<SequenceState>>,
    /// Held by this campaign.
    campaign_id: Option<ID>,
}

/// Reads of sequences.
#[derive(Default)]
pub struct SequenceQuery;

/// Reads of sequences.
#[Object]
impl SequenceQuery {
    /// One sequence.
    async fn sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sequence's id.")] id: ID,
    ) -> Result<Option<Sequence>, Error> {
        Ok(Ask::of(ctx)
            .load(id::read::<SequenceId>("id", &id)?)
            .await?
            .map(Sequence))
    }

    /// Sequences, by name.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn sequences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which sequences.")] filter: Option<SequenceFilter>,
    ) -> Result<Connection<Sequence>, Error> {
        let filter = filter.unwrap_or_default();
        let mut select = sequence::Entity::find();
        if let Some(states) = filter.states {
            select = select
                .filter(sequence::Column::State.is_in(states.into_iter().map(sequence::SequenceState::from)));
        }
        if let Some(campaign) = filter.campaign_id {
            let campaign = id::read::<entity::id::CampaignId>("filter.campaignId", &campaign)?;
            select = select.filter(sequence::Column::CampaignId.eq(campaign));
        }
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(Ask::of(ctx), select, &BY_NAME, args, Sequence).await
    }
}
