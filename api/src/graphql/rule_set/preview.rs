//! What a version of rules would have decided about the leads of the last days.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::rule_set::preview::{self, Outcome, Preview, PreviewRules, Promise, Shift};
use entity::id::TeamId;

use crate::graphql::ask::Ask;
use crate::graphql::directory::{self, Facility, Team};
use crate::graphql::errors::{Told, UserError, user_errors};
use crate::graphql::id::{self, id};
use crate::graphql::vocabulary::{EligibilityFlag, ScoreGrade};

/// Which rules are tried on which leads.
#[derive(InputObject)]
pub struct PreviewRulesInput {
    /// The draft; any other version can be tried, too.
    draft_id: ID,
    /// Leads of so many days until now, 1 to 90.
    #[graphql(default = 90)]
    days: i64,
    /// At most so many leads, the newest; 1 to 20000.
    #[graphql(default = 20000)]
    max_leads: i64,
    /// At most so many samples, 0 to 50.
    #[graphql(default = 10)]
    sample: i64,
}

/// How many leads go from one team to another.
pub struct TeamShift(Shift<TeamId>);

/// How many leads go from one team to another.
#[Object]
impl TeamShift {
    /// The team by the published rules.
    #[graphql(name = "from")]
    async fn before(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.0.from)).await
    }

    /// The team by the draft.
    async fn to(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.0.to)).await
    }

    /// How many leads.
    async fn leads(&self) -> i64 {
        self.0.leads
    }
}

/// How many leads go from one grade to another.
#[derive(SimpleObject)]
pub struct GradeShift {
    /// The grade by the published rules.
    from: ScoreGrade,
    /// The grade by the draft.
    to: ScoreGrade,
    /// How many leads.
    leads: i64,
}

/// A policy, and how soon it wants the first attempt.
#[derive(SimpleObject)]
pub struct PolicyPromise {
    /// The policy's name; null for what counts where no policy holds.
    policy: Option<String>,
    /// Business minutes to the first attempt.
    due_mins: i64,
}

impl From<Promise> for PolicyPromise {
    fn from(promise: Promise) -> Self {
        Self {
            policy: promise.policy,
            due_mins: promise.due_mins,
        }
    }
}

/// How many leads go from one policy, or time, to another.
#[derive(SimpleObject)]
pub struct PolicyShift {
    /// The policy by the published rules.
    from: PolicyPromise,
    /// The policy by the draft.
    to: PolicyPromise,
    /// How many leads.
    leads: i64,
}

/// What rules decide about a lead. The person is left out: that depends on who has how much to do at the moment.
pub struct RuleOutcome(Outcome);

/// What rules decide about a lead. The person is left out: that depends on who has how much to do at the moment.
#[Object]
impl RuleOutcome {
    /// The name of the rule that routes it.
    async fn rule(&self) -> &str {
        &self.0.rule
    }

    /// The team.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.0.team_id)).await
    }

    /// The facility that serves it.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        directory::facility(Ask::of(ctx), self.0.facility_id).await
    }

    /// Whether it goes first.
    async fn urgent(&self) -> bool {
        self.0.urgent
    }

    /// Its flags.
    async fn flags(&self) -> Vec<EligibilityFlag> {
        self.0.flags.iter().map(|flag| (*flag).into()).collect()
    }

    /// Points of its score.
    async fn points(&self) -> i32 {
        self.0.points
    }

    /// Grade of its score.
    async fn grade(&self) -> ScoreGrade {
        self.0.grade.into()
    }

    /// The policy, and how soon it wants the first attempt.
    async fn promise(&self) -> PolicyPromise {
        PolicyPromise {
            policy: self.0.policy.clone(),
            due_mins: self.0.due_mins,
        }
    }
}

/// A lead that would be served otherwise.
#[derive(SimpleObject)]
pub struct RulePreviewSample {
    /// The lead's id.
    lead_id: ID,
    /// What the published rules decide.
    before: RuleOutcome,
    /// What the draft decides.
    after: RuleOutcome,
}

/// What a draft would change.
pub struct RulePreview(Preview);

/// What a draft would change.
#[Object]
impl RulePreview {
    /// Leads that were looked at.
    async fn looked_at(&self) -> i64 {
        self.0.looked_at
    }

    /// Leads that would be served as they are.
    async fn unchanged(&self) -> i64 {
        self.0.looked_at - self.0.moved
    }

    /// Leads that would be served otherwise: by another team or facility, sooner or later, with other flags or another
    /// grade, or first.
    async fn moved(&self) -> i64 {
        self.0.moved
    }

    /// Whether there are more leads of these days than were to be looked at.
    async fn cut(&self) -> bool {
        self.0.cut
    }

    /// From which team to which, most leads first.
    #[graphql(complexity = "20 * child_complexity")]
    async fn by_team(&self) -> Vec<TeamShift> {
        self.0.by_team.iter().cloned().map(TeamShift).collect()
    }

    /// From which grade to which, most leads first.
    async fn by_grade(&self) -> Vec<GradeShift> {
        let shift = |shift: &Shift<entity::enums::ScoreGrade>| GradeShift {
            from: shift.from.into(),
            to: shift.to.into(),
            leads: shift.leads,
        };
        self.0.by_grade.iter().map(shift).collect()
    }

    /// From which policy and time to which, most leads first.
    #[graphql(complexity = "20 * child_complexity")]
    async fn by_policy(&self) -> Vec<PolicyShift> {
        let shifts = self.0.by_promise.iter().cloned();
        let shift = |shift: Shift<Promise>| PolicyShift {
            from: shift.from.into(),
            to: shift.to.into(),
            leads: shift.leads,
        };
        shifts.map(shift).collect()
    }

    /// Leads that would go first and do not.
    async fn become_urgent(&self) -> i64 {
        self.urgent(true)
    }

    /// Leads that would no longer go first.
    async fn cease_to_be_urgent(&self) -> i64 {
        self.urgent(false)
    }

    /// Leads whose flags would differ.
    async fn other_flags(&self) -> i64 {
        self.0.other_flags
    }

    /// Leads that would be served at another facility.
    async fn other_facility(&self) -> i64 {
        self.0.other_facility
    }

    /// Some of the leads that would be served otherwise, the newest first.
    #[graphql(complexity = "10 * child_complexity")]
    async fn samples(&self) -> Vec<RulePreviewSample> {
        let sample = |sample: &preview::Sample| RulePreviewSample {
            lead_id: id(sample.lead_id),
            before: RuleOutcome(sample.before.clone()),
            after: RuleOutcome(sample.after.clone()),
        };
        self.0.samples.iter().map(sample).collect()
    }
}

impl RulePreview {
    fn urgent(&self, to: bool) -> i64 {
        let shifts = self.0.by_urgent.iter().filter(|shift| shift.to == to);
        shifts.map(|shift| shift.leads).sum()
    }
}

/// What came of trying a draft.
#[derive(SimpleObject)]
pub struct PreviewRulesPayload {
    /// What it would change.
    preview: Option<RulePreview>,
    /// Why it cannot be said; empty when it can.
    user_errors: Vec<UserError>,
}

/// Reads of what drafts would change.
#[derive(Default)]
pub struct PreviewQuery;

/// Reads of what drafts would change.
#[Object]
impl PreviewQuery {
    /// What a draft of rules would have decided about the leads of the last days, beside what the published rules decide.
    /// Both are asked about what is stored of each lead as it came in, by the function that decides about new ones, so a
    /// draft that is published decides what its preview said. What is known of the person is as it is today. Nothing is
    /// written.
    #[graphql(complexity = "500 + child_complexity")]
    async fn preview_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rules, on which leads.")] input: PreviewRulesInput,
    ) -> Result<PreviewRulesPayload, Error> {
        let ask = Ask::of(ctx);
        let wanted = PreviewRules {
            draft_id: id::read("input.draftId", &input.draft_id)?,
            days: input.days,
            max_leads: input.max_leads,
            sample: input.sample,
        };
        match preview::preview(&ask.api.hospital, wanted).await {
            Err(DomainError::Refused(refusals)) => Ok(PreviewRulesPayload {
                preview: None,
                user_errors: user_errors(refusals),
            }),
            Err(DomainError::Missing { noun }) => Ok(PreviewRulesPayload {
                preview: None,
                user_errors: user_errors(vec![crate::graphql::mutation::missing(noun)]),
            }),
            found => Ok(PreviewRulesPayload {
                preview: Some(RulePreview(found.told(ask)?)),
                user_errors: Vec::new(),
            }),
        }
    }
}
