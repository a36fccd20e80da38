//! What a lead is made of.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use entity::lead;

use super::{Lead, SlaState};
use crate::graphql::ask::Ask;
use crate::graphql::at_once::AtOnce;
use crate::graphql::campaign::{self, Campaign, Placement};
use crate::graphql::directory::{self, Staff, Team};
use crate::graphql::id::id;
use crate::graphql::loaders::PauseOf;
use crate::graphql::scalars::{DateTime, Duration};
use crate::graphql::sequence::Clause;
use crate::graphql::vocabulary::{Channel, EligibilityFlag, PauseReason, ScoreGrade, SlaStep};

/// Where a lead came from.
pub struct LeadSource<'a>(pub(super) &'a Lead);

/// Where a lead came from.
#[Object]
impl LeadSource<'_> {
    /// The channel.
    async fn channel(&self) -> Channel {
        self.0.head.channel.into()
    }

    /// The campaign that it answers.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<AtOnce<Campaign>>, Error> {
        let campaign = campaign::campaign(Ask::of(ctx), self.0.head.campaign_id).await?;
        Ok(campaign.map(AtOnce))
    }

    /// The placement that it answers.
    async fn placement(&self, ctx: &Context<'_>) -> Result<Option<Placement>, Error> {
        campaign::placement(Ask::of(ctx), self.0.whole(ctx).await?.placement_id).await
    }

    /// Path of the first page of the visit, without its query.
    async fn landing_page(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.0.whole(ctx).await?.landing_page.clone())
    }

    /// Host of the page before the visit.
    async fn referrer_host(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.0.whole(ctx).await?.referrer_host.clone())
    }

    /// Campaign parameters of the first page.
    async fn utm(&self, ctx: &Context<'_>) -> Result<Utm, Error> {
        Ok(Utm(self.0.whole(ctx).await?))
    }

    /// Code on a mail piece, event list or placement.
    async fn source_code(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.0.whole(ctx).await?.source_code.clone())
    }

    /// Whether an ad platform's click id came along. The id itself is not kept.
    async fn click_id_present(&self, ctx: &Context<'_>) -> Result<bool, Error> {
        Ok(self.0.whole(ctx).await?.click_id_kind.is_some())
    }

    /// Which click id came along: `gclid`, `gbraid`, `wbraid`, `fbclid`, `msclkid`.
    async fn click_id_kind(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.0.whole(ctx).await?.click_id_kind.clone())
    }

    /// The sender's id of this inquiry; unique within the channel.
    async fn external_id(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.0.whole(ctx).await?.external_id.clone())
    }
}

/// Campaign parameters of a landing page's address.
pub struct Utm(Arc<lead::Model>);

/// Campaign parameters of a landing page's address.
#[Object]
impl Utm {
    /// `utm_source`.
    async fn source(&self) -> Option<&str> {
        self.0.utm.source.as_deref()
    }

    /// `utm_medium`.
    async fn medium(&self) -> Option<&str> {
        self.0.utm.medium.as_deref()
    }

    /// `utm_campaign`.
    async fn campaign(&self) -> Option<&str> {
        self.0.utm.campaign.as_deref()
    }

    /// `utm_term`.
    async fn term(&self) -> Option<&str> {
        self.0.utm.term.as_deref()
    }

    /// `utm_content`.
    async fn content(&self) -> Option<&str> {
        self.0.utm.content.as_deref()
    }

    /// `utm_id`.
    async fn id(&self) -> Option<&str> {
        self.0.utm.id.as_deref()
    }
}

/// The score of a lead.
pub struct LeadScore(pub(super) Arc<lead::Model>);

/// The score of a lead, with reasons.
#[Object]
impl LeadScore {
    /// Points.
    async fn points(&self) -> i32 {
        self.0.score_points
    }

    /// Grade, A the best.
    async fn grade(&self) -> ScoreGrade {
        self.0.score_grade.into()
    }

    /// Why it has these points.
    async fn reasons(&self) -> Vec<ScoreReason<'_>> {
        self.0.score_reasons.0.iter().map(ScoreReason).collect()
    }

    /// The revision of the rules that scored it.
    async fn revision(&self) -> i64 {
        self.0.score_revision
    }
}

/// Why a score has some of its points.
pub struct ScoreReason<'a>(&'a lead::ScoreReason);

/// Why a score has some of its points.
#[Object]
impl ScoreReason<'_> {
    /// The rule's name.
    async fn rule(&self) -> &str {
        &self.0.rule
    }

    /// Points it gave, negative when it took some.
    async fn points(&self) -> i32 {
        self.0.points
    }

    /// The rule's explanation.
    async fn text(&self) -> &str {
        &self.0.text
    }
}

/// Why a lead went where it went.
pub struct RoutingDecision(pub(super) Arc<lead::Model>);

/// Why a lead went where it went, as it was decided then.
#[Object]
impl RoutingDecision {
    /// The rule's name, as it was then.
    async fn rule(&self) -> &str {
        &self.0.routing.rule
    }

    /// The team chosen.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.0.routing.team_id)).await
    }

    /// The person chosen.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.routing.owner_id).await
    }

    /// Sentences: what was tried and why this one was taken.
    async fn explanation(&self) -> &str {
        &self.0.routing.explanation
    }

    /// When it was decided.
    async fn at(&self) -> DateTime {
        self.0.routing.at.into()
    }

    /// Numbers of the versions of the rules that decided; 0 for leads of before there were versions.
    async fn versions(&self) -> DecidedBy {
        let versions = self.0.routing.basis.versions;
        DecidedBy {
            routing: versions.routing,
            scoring: versions.scoring,
            sla: versions.sla,
        }
    }

    /// Every rule that was tried, in order; the last one holds, unless none does. Empty for leads of before this was
    /// stored, and once the lead's data is erased.
    #[graphql(complexity = "10 * child_complexity")]
    async fn tried(&self) -> Vec<RuleTried> {
        self.0.routing.basis.tried.iter().map(RuleTried::of).collect()
    }

    /// Flags that the rule added to those that follow from the inquiry.
    async fn added_flags(&self) -> Vec<EligibilityFlag> {
        let added = &self.0.routing.basis.added_flags;
        added.iter().map(|flag| (*flag).into()).collect()
    }
}

/// By which versions of the rules a lead was decided.
#[derive(SimpleObject)]
pub struct DecidedBy {
    /// Number of the version of the rules that route.
    routing: i32,
    /// Number of the version of the rules that score.
    scoring: i32,
    /// Number of the version of the policies.
    sla: i32,
}

/// A routing rule that was tried.
#[derive(SimpleObject)]
pub struct RuleTried {
    /// The rule's id.
    rule_id: ID,
    /// Its name, as it was then.
    rule: String,
    /// Whether it held.
    holds: bool,
    /// The first clause that did not hold; null when the rule held.
    unmet: Option<Clause>,
    /// Why it held or did not, in words that come from the rule and never from the person.
    because: String,
}

impl RuleTried {
    fn of(tried: &lead::Tried) -> Self {
        Self {
            rule_id: id(tried.rule_id),
            rule: tried.rule.clone(),
            holds: tried.unmet.is_none(),
            unmet: tried.unmet.as_ref().map(Clause::of),
            because: tried.because.clone(),
        }
    }
}

/// How fast the first attempt must come.
pub struct SlaClock(pub(super) Arc<lead::Model>);

/// How fast the first attempt must come, and whether it did.
#[Object]
impl SlaClock {
    /// When the first attempt is due, by the facility's business calendar; whoever comes later has missed it. While the
    /// clock is stopped: when it is due if the clock runs again as planned.
    async fn due_at(&self) -> DateTime {
        self.0.sla_due_at.into()
    }

    /// By when the first attempt is aimed at, not later than `dueAt`.
    async fn target_at(&self) -> DateTime {
        self.0.sla_target_at.unwrap_or(self.0.sla_due_at).into()
    }

    /// What is done next if nobody tries to reach the person; null when nothing is.
    async fn next_step(&self) -> Option<SlaNextStep> {
        Some(SlaNextStep {
            step: self.0.sla_step?.into(),
            at: self.0.sla_step_at?.into(),
        })
    }

    /// Why and until when the clock is stopped; null while it runs.
    async fn pause(&self, ctx: &Context<'_>) -> Result<Option<SlaPause>, Error> {
        let ask = Ask::of(ctx);
        let found = ask.load(PauseOf(self.0.id)).await?;
        let lasting = found.filter(|pause| pause.ends_at > ask.now());
        Ok(lasting.map(|pause| SlaPause {
            reason: pause.reason.into(),
            since: pause.starts_at.into(),
            until: pause.ends_at.into(),
        }))
    }

    /// When it was taken back from its owner, because nobody had tried.
    async fn taken_back_at(&self) -> Option<DateTime> {
        self.0.taken_back_at.map(Into::into)
    }

    /// From whom it was taken back.
    async fn taken_back_from(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.taken_from_id).await
    }

    /// Whether it came in time, as of now.
    async fn state(&self, ctx: &Context<'_>) -> SlaState {
        SlaState::of(&self.0, Ask::of(ctx).now())
    }

    /// How many attempts were made.
    async fn attempts_made(&self) -> i32 {
        self.0.attempts_made
    }

    /// How many attempts the policy wants.
    async fn attempts_wanted(&self) -> i32 {
        self.0.attempts_wanted
    }

    /// Clock time from received to the first attempt.
    async fn first_attempt_after(&self) -> Option<Duration> {
        let at = self.0.first_attempt_at?;
        Some(Duration((at - self.0.received_at).num_seconds()))
    }

    /// Business time from received to the first attempt, on the facility's calendar.
    async fn first_attempt_after_business(&self) -> Option<Duration> {
        self.0.first_attempt_business_secs.map(Duration)
    }

    /// The policy's name.
    async fn policy(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let policy = playbook
            .sla
            .iter()
            .find(|policy| Some(policy.id) == self.0.sla_policy_id);
        Ok(policy.map(|policy| policy.name.clone()))
    }
}

/// What is done about a lead that nobody has tried to reach, and when.
#[derive(SimpleObject)]
pub struct SlaNextStep {
    /// What is done.
    step: SlaStep,
    /// When.
    at: DateTime,
}

/// Why and until when a lead's clock is stopped.
#[derive(SimpleObject)]
pub struct SlaPause {
    /// Why.
    reason: PauseReason,
    /// When it was stopped.
    since: DateTime,
    /// When it runs again by itself.
    until: DateTime,
}

/// What the person answered to one field of the form.
pub struct FormAnswer(pub(super) lead::Answer);

/// What the person answered to one field of the form.
#[Object]
impl FormAnswer {
    /// The field's name.
    async fn field(&self) -> &str {
        &self.0.field
    }

    /// The label that was shown.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// What the person wrote or chose.
    async fn value(&self) -> &str {
        &self.0.value
    }
}
