//! Drafts of rules are written, published and thrown away.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object};
use domain::rule_set::draft::{self, CreateDraft, UpdateDraft, Written};
use domain::rule_set::publish;
use domain::setup::{RoutingSetup, ScoringSetup, SlaSetup};
use entity::id::RuleSetId;

use super::clause::{ClauseInput, condition};
use super::{at_input, audited, edit, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::rule_set::RuleSet;
use crate::graphql::vocabulary::{EligibilityFlag, PersonStrategy, RuleKind};

/// A rule that sends leads to a team. Things are named by their slugs, as in conditions.
#[derive(InputObject)]
pub struct RoutingRuleInput {
    /// The name that people read. A rule of this name keeps its id.
    name: String,
    /// When it holds: every clause must; without any it takes every lead. At most 20.
    #[graphql(default)]
    when: Vec<ClauseInput>,
    /// Slug of the team.
    team: String,
    /// Slug of the facility that serves the lead; the one asked for, else the team's, if not said.
    facility: Option<String>,
    /// How the person is chosen; `NAMED` where there is an `owner`, else `LEAST_OPEN_WORK` if not said.
    strategy: Option<PersonStrategy>,
    /// Address of the person, for `NAMED` and only then.
    owner: Option<String>,
    /// Flags that it adds.
    #[graphql(default)]
    flags: Vec<EligibilityFlag>,
    /// Whether the lead goes first.
    #[graphql(default)]
    urgent: bool,
    /// Whether it is tried.
    #[graphql(default = true)]
    active: bool,
}

impl From<RoutingRuleInput> for RoutingSetup {
    fn from(rule: RoutingRuleInput) -> Self {
        Self {
            name: rule.name,
            when: condition(rule.when),
            team: rule.team,
            facility: rule.facility,
            strategy: rule.strategy.map(Into::into),
            owner: rule.owner,
            flags: rule.flags.into_iter().map(Into::into).collect(),
            urgent: rule.urgent,
            active: rule.active,
        }
    }
}

/// A rule that gives points to leads.
#[derive(InputObject)]
pub struct ScoringRuleInput {
    /// The name in a score's reasons. A rule of this name keeps its id.
    name: String,
    /// When it holds: every clause must. At most 20.
    #[graphql(default)]
    when: Vec<ClauseInput>,
    /// Points, negative to take some; 1 to 100 of them.
    points: i32,
    /// The explanation in a score's reasons.
    text: String,
    /// Whether it counts.
    #[graphql(default = true)]
    active: bool,
}

impl From<ScoringRuleInput> for ScoringSetup {
    fn from(rule: ScoringRuleInput) -> Self {
        Self {
            name: rule.name,
            when: condition(rule.when),
            points: rule.points,
            text: rule.text,
            active: rule.active,
        }
    }
}

/// How fast leads are answered, in minutes of business time, at most 43200.
#[derive(InputObject)]
pub struct SlaPolicyInput {
    /// The name that people read. A policy of this name keeps its id.
    name: String,
    /// When it holds: every clause must. At most 20.
    #[graphql(default)]
    when: Vec<ClauseInput>,
    /// Minutes to the first attempt; whoever comes later has missed it.
    first_attempt_mins: i64,
    /// Minutes in which the first attempt is aimed at, not more than the above, which counts if not said.
    target_mins: Option<i64>,
    /// Minutes until the owner is warned; never if not said.
    warn_owner_mins: Option<i64>,
    /// Minutes until the lead of the team is told, later than the warning; never if not said.
    tell_lead_mins: Option<i64>,
    /// Minutes until the owner loses the lead, later than both; never if not said.
    take_back_mins: Option<i64>,
    /// How many attempts are wanted, 1 to 30.
    attempts_wanted: i32,
    /// Minutes between attempts.
    spacing_mins: i64,
    /// Minutes before the due time at which the assignee is reminded.
    remind_before_mins: i64,
}

impl From<SlaPolicyInput> for SlaSetup {
    fn from(policy: SlaPolicyInput) -> Self {
        Self {
            name: policy.name,
            when: condition(policy.when),
            first_attempt_mins: policy.first_attempt_mins,
            target_mins: policy.target_mins,
            warn_owner_mins: policy.warn_owner_mins,
            tell_lead_mins: policy.tell_lead_mins,
            take_back_mins: policy.take_back_mins,
            attempts_wanted: policy.attempts_wanted,
            spacing_mins: policy.spacing_mins,
            remind_before_mins: policy.remind_before_mins,
        }
    }
}

/// A draft to make.
#[derive(InputObject)]
pub struct CreateRuleDraftInput {
    /// Which rules.
    kind: RuleKind,
    /// All rules of a draft of `ROUTING`, in the order in which they are tried, at most 500. Those that count if no list
    /// is sent.
    routing_rules: Option<Vec<RoutingRuleInput>>,
    /// All rules of a draft of `SCORING`, at most 500. Those that count if no list is sent.
    scoring_rules: Option<Vec<ScoringRuleInput>>,
    /// All policies of a draft of `SLA`, in the order in which they are tried, at most 500. Those that count if no list is
    /// sent.
    sla_policies: Option<Vec<SlaPolicyInput>>,
    /// What is to be said about it, at most 2000 characters.
    note: Option<String>,
}

/// A draft to change.
#[derive(InputObject)]
pub struct UpdateRuleDraftInput {
    /// The draft.
    draft_id: ID,
    /// The version that was read: if the draft has changed since, nothing is done.
    expected_version: i64,
    /// All rules of a draft of `ROUTING` anew, at most 500; they stay if not sent.
    routing_rules: Option<Vec<RoutingRuleInput>>,
    /// All rules of a draft of `SCORING` anew, at most 500; they stay if not sent.
    scoring_rules: Option<Vec<ScoringRuleInput>>,
    /// All policies of a draft of `SLA` anew, at most 500; they stay if not sent.
    sla_policies: Option<Vec<SlaPolicyInput>>,
    /// What is to be said about it. Null empties it.
    note: MaybeUndefined<String>,
}

/// A draft to publish.
#[derive(InputObject)]
pub struct PublishRuleDraftInput {
    /// The draft.
    draft_id: ID,
    /// The version that was read: if the draft has changed since, nothing is done.
    expected_version: i64,
}

/// A draft to throw away.
#[derive(InputObject)]
pub struct DiscardRuleDraftInput {
    /// The draft.
    draft_id: ID,
    /// The version that was read: if the draft has changed since, nothing is done.
    expected_version: i64,
}

fn written(
    routing: Option<Vec<RoutingRuleInput>>,
    scoring: Option<Vec<ScoringRuleInput>>,
    sla: Option<Vec<SlaPolicyInput>>,
) -> Written {
    Written {
        routing_rules: routing.map(|rules| rules.into_iter().map(Into::into).collect()),
        scoring_rules: scoring.map(|rules| rules.into_iter().map(Into::into).collect()),
        sla_policies: sla.map(|rules| rules.into_iter().map(Into::into).collect()),
    }
}

impl UpdateRuleDraftInput {
    fn read(self) -> domain::error::Result<UpdateDraft> {
        Ok(UpdateDraft {
            id: read_id("draftId", &self.draft_id)?,
            expected_version: self.expected_version,
            written: written(self.routing_rules, self.scoring_rules, self.sla_policies),
            note: edit(self.note),
        })
    }
}

payload!(
    /// What came of making a draft.
    CreateRuleDraftPayload {
        /// The draft.
        rule_set: RuleSet
    }
);

payload!(
    /// What came of changing a draft.
    UpdateRuleDraftPayload {
        /// The draft after it.
        rule_set: RuleSet
    }
);

payload!(
    /// What came of publishing a draft.
    PublishRuleDraftPayload {
        /// The version that counts now.
        rule_set: RuleSet
    }
);

payload!(
    /// What came of throwing a draft away.
    DiscardRuleDraftPayload {
        /// What was the draft.
        rule_set: RuleSet
    }
);

/// Changes of rules.
#[derive(Default)]
pub struct RuleSetMutation;

/// Changes of rules.
#[Object]
impl RuleSetMutation {
    /// Makes a draft of rules: of those that count, or of those that are sent. It decides nothing until it is published.
    /// What is wrong with a rule is told with its path, such as `routingRules`, `2`, `team`.
    async fn create_rule_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rules.")] input: CreateRuleDraftInput,
    ) -> Result<CreateRuleDraftPayload, Error> {
        let ask = Ask::of(ctx);
        let wanted = CreateDraft {
            kind: input.kind.into(),
            written: written(input.routing_rules, input.scoring_rules, input.sla_policies),
            note: input.note,
        };
        let done = draft::create(&ask.api.hospital, ask.viewer(), wanted).await;
        let outcome = audited(ctx, "rule_set.create", done, |row| row.id).await?;
        Ok(CreateRuleDraftPayload::of(outcome.map(RuleSet::of)))
    }

    /// Changes a draft. With rules it goes on from the version that counts now.
    async fn update_rule_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft, and what is different.")] input: UpdateRuleDraftInput,
    ) -> Result<UpdateRuleDraftPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => draft::update(&ask.api.hospital, input).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "draftId"));
        let outcome = audited(ctx, "rule_set.update", done, |row| row.id).await?;
        Ok(UpdateRuleDraftPayload::of(outcome.map(RuleSet::of)))
    }

    /// Publishes a draft: it decides about every lead that comes in from now on. Leads that are there keep what was
    /// decided about them. Refused when other rules were published since it was written.
    async fn publish_rule_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft.")] input: PublishRuleDraftInput,
    ) -> Result<PublishRuleDraftPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id::<RuleSetId>("draftId", &input.draft_id) {
            Ok(id) => publish::publish(&ask.api.hospital, ask.viewer(), id, input.expected_version).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "draftId"));
        let outcome = audited(ctx, "rule_set.publish", done, |row| row.id).await?;
        Ok(PublishRuleDraftPayload::of(outcome.map(RuleSet::of)))
    }

    /// Throws a draft away. It can still be read.
    async fn discard_rule_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft.")] input: DiscardRuleDraftInput,
    ) -> Result<DiscardRuleDraftPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id::<RuleSetId>("draftId", &input.draft_id) {
            Ok(id) => draft::discard(&ask.api.hospital, id, input.expected_version).await,
            Err(error) => Err(error),
        };
        let done = done.map_err(|error| at_input(error, "draftId"));
        let outcome = audited(ctx, "rule_set.discard", done, |row| row.id).await?;
        Ok(DiscardRuleDraftPayload::of(outcome.map(RuleSet::of)))
    }
}
