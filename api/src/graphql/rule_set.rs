//! Versions of the rules that route, score and time leads.

mod preview;

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::rule_set::find;
use entity::enums::ActorKind;
use entity::id::{RuleSetId, StaffId};
use entity::rule_set::{self, Column, Model, RoutingRule as StoredRouting, SlaRule};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::ask::Ask;
use super::directory::{self, Facility, Staff, Team};
use super::errors::Told;
use super::id::{self, id};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;
use super::sequence::{Clause, clauses};
use super::vocabulary::{EligibilityFlag, PersonStrategy, RuleKind, RuleSetState};

pub use preview::PreviewQuery;

/// Versions, the newest first.
const NEWEST: Order<rule_set::Entity> = Order {
    name: "rule sets, newest",
    columns: &[Column::Number, Column::Id],
    descending: true,
};

/// A version of the rules of one kind.
#[derive(Clone, Debug)]
pub struct RuleSet(Arc<Model>);

impl RuleSet {
    /// A stored version.
    pub fn of(row: Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A version of the rules of one kind: a draft, the published one, or one of the past.
#[Object]
impl RuleSet {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Which rules it holds.
    async fn kind(&self) -> RuleKind {
        self.0.kind.into()
    }

    /// 1 for the first of its kind, then one more for each.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// Where it stands.
    async fn state(&self) -> RuleSetState {
        self.0.state.into()
    }

    /// What people say about it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Number of the version that was published when its rules were written; null if there was none. A draft can be
    /// published as long as that one counts.
    async fn based_on(&self) -> Option<i32> {
        self.0.based_on
    }

    /// Rules that send leads to teams, in the order in which they are tried; empty in versions of another kind. At most
    /// 500.
    #[graphql(complexity = "20 * child_complexity")]
    async fn routing_rules(&self) -> Vec<RoutingRule> {
        let places = 0..self.0.rules.routing.len();
        places.map(|place| RoutingRule(self.0.clone(), place)).collect()
    }

    /// Rules that give points; empty in versions of another kind. At most 500.
    #[graphql(complexity = "20 * child_complexity")]
    async fn scoring_rules(&self) -> Vec<ScoringRule> {
        let rules = self.0.rules.scoring.iter();
        let rule = |rule: &rule_set::ScoringRule| ScoringRule {
            id: id(rule.id),
            name: rule.name.clone(),
            when: clauses(&rule.when),
            points: rule.points,
            text: rule.text.clone(),
            active: rule.active,
        };
        rules.map(rule).collect()
    }

    /// How fast leads are answered, in the order in which policies are tried; empty in versions of another kind. At most
    /// 500.
    #[graphql(complexity = "20 * child_complexity")]
    async fn sla_policies(&self) -> Vec<SlaPolicy> {
        self.0.rules.sla.iter().map(SlaPolicy::of).collect()
    }

    /// Who made it; null when a program or a setup document did.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        staff(ctx, Some(self.0.created_by_kind), self.0.created_by_id).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who published it; null when nobody has, or a program or a setup document did.
    async fn published_by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        staff(ctx, self.0.published_by_kind, self.0.published_by_id).await
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(Into::into)
    }

    /// When another version took its place, or the draft was discarded.
    async fn retired_at(&self) -> Option<DateTime> {
        self.0.retired_at.map(Into::into)
    }

    /// Rises with every change; `expectedVersion` of what changes it.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// The member of staff who did something; none when it was somebody else.
async fn staff(
    ctx: &Context<'_>,
    kind: Option<ActorKind>,
    actor: Option<Uuid>,
) -> Result<Option<Staff>, Error> {
    let person = actor.filter(|_| kind == Some(ActorKind::Staff)).map(StaffId);
    directory::staff(Ask::of(ctx), person).await
}

/// A rule that sends leads to a team.
pub struct RoutingRule(Arc<Model>, usize);

impl RoutingRule {
    fn rule(&self) -> &StoredRouting {
        &self.0.rules.routing[self.1]
    }
}

/// A rule that sends leads to a team.
#[Object]
impl RoutingRule {
    /// The id, which a rule keeps through all versions.
    async fn id(&self) -> ID {
        id(self.rule().id)
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.rule().name
    }

    /// When it holds: every clause must; without any it takes every lead.
    async fn when(&self) -> Vec<Clause> {
        clauses(&self.rule().when)
    }

    /// Where the lead goes.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.rule().team_id)).await
    }

    /// The facility that serves it; null for the one asked for, else the team's.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        directory::facility(Ask::of(ctx), self.rule().facility_id).await
    }

    /// How the person is chosen.
    async fn strategy(&self) -> PersonStrategy {
        self.rule().strategy.into()
    }

    /// The person, for `NAMED`.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.rule().owner_id).await
    }

    /// Flags that it adds.
    async fn flags(&self) -> Vec<EligibilityFlag> {
        self.rule().flags.iter().map(|flag| (*flag).into()).collect()
    }

    /// Whether the lead goes first.
    async fn urgent(&self) -> bool {
        self.rule().urgent
    }

    /// Whether it is tried.
    async fn active(&self) -> bool {
        self.rule().active
    }
}

/// A rule that gives points to leads.
#[derive(SimpleObject)]
pub struct ScoringRule {
    /// The id, which a rule keeps through all versions.
    id: ID,
    /// The name in a score's reasons.
    name: String,
    /// When it holds: every clause must.
    when: Vec<Clause>,
    /// Points, negative to take some.
    points: i32,
    /// The explanation in a score's reasons.
    text: String,
    /// Whether it counts.
    active: bool,
}

/// How fast leads are answered.
#[derive(SimpleObject)]
pub struct SlaPolicy {
    /// The id, which a policy keeps through all versions.
    id: ID,
    /// The name that people read.
    name: String,
    /// When it holds: every clause must.
    when: Vec<Clause>,
    /// Business minutes to the first attempt; whoever comes later has missed it.
    first_attempt_mins: i64,
    /// Business minutes in which the first attempt is aimed at; null for the same.
    target_mins: Option<i64>,
    /// Business minutes until the owner is warned; null for never.
    warn_owner_mins: Option<i64>,
    /// Business minutes until the lead of the team is told; null for never.
    tell_lead_mins: Option<i64>,
    /// Business minutes until the owner loses the lead; null for never.
    take_back_mins: Option<i64>,
    /// How many attempts are wanted.
    attempts_wanted: i32,
    /// Business minutes between attempts.
    spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    remind_before_mins: i64,
}

impl SlaPolicy {
    fn of(rule: &SlaRule) -> Self {
        Self {
            id: id(rule.id),
            name: rule.name.clone(),
            when: clauses(&rule.when),
            first_attempt_mins: rule.first_attempt_mins,
            target_mins: rule.target_mins,
            warn_owner_mins: rule.warn_owner_mins,
            tell_lead_mins: rule.tell_lead_mins,
            take_back_mins: rule.take_back_mins,
            attempts_wanted: rule.attempts_wanted,
            spacing_mins: rule.spacing_mins,
            remind_before_mins: rule.remind_before_mins,
        }
    }
}

/// Reads of versions of rules.
#[derive(Default)]
pub struct RuleSetQuery;

/// Reads of versions of rules.
#[Object]
impl RuleSetQuery {
    /// One version of rules; null when there is none.
    async fn rule_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version's id.")] id: ID,
    ) -> Result<Option<RuleSet>, Error> {
        let ask = Ask::of(ctx);
        match find::by_id(ask.db(), id::read::<RuleSetId>("id", &id)?).await {
            Err(DomainError::Missing { .. }) => Ok(None),
            found => found.map(|row| Some(RuleSet::of(row))).told(ask),
        }
    }

    /// Versions of the rules of a kind, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "arguments of a field are arguments of its function"
    )]
    async fn rule_sets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rules.")] kind: RuleKind,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that stand so.")] states: Option<Vec<RuleSetState>>,
    ) -> Result<Connection<RuleSet>, Error> {
        let states = states.map(|states| {
            let states = states.into_iter().map(rule_set::RuleSetState::from);
            Column::State.is_in(states)
        });
        let wanted = Condition::all()
            .add(Column::Kind.eq(rule_set::RuleKind::from(kind)))
            .add_option(states);
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(
            Ask::of(ctx),
            rule_set::Entity::find().filter(wanted),
            &NEWEST,
            args,
            RuleSet::of,
        )
        .await
    }
}
