//! What a dry run of a sequence answers.

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use domain::dry_run;
use entity::id::{LeadId, TeamId};

use super::ask::Ask;
use super::directory::{self, Team};
use super::errors::bad_argument;
use super::id;
use super::lead::{self, Lead};
use super::scalars::{Date, DateTime};
use super::sequence::{self, Sequence};
use super::vocabulary::ExitReason;

/// Entries that one request may read.
const ENTRIES_MAX: i32 = 1_000;
/// Entries unless said otherwise.
const ENTRIES_DEFAULT: i32 = 100;

/// What becomes of a lead at a step, or as a whole.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "dry_run::Outcome")]
pub enum SimulatedOutcome {
    /// The lead enters the sequence.
    Enrolled,
    /// The lead cannot enter it.
    NotEnrolled,
    /// The gate holds a mail back until a time.
    Deferred,
    /// A mail goes out.
    Sent,
    /// A mail never goes out.
    Withheld,
    /// Work for a person is opened.
    FollowUp,
    /// The lead comes to the end.
    Completed,
    /// The lead leaves before the end.
    Exited,
}

/// A dry run: what a sequence would do, by the rules and consents as they are now. Nothing of it is stored.
pub struct Simulation(pub dry_run::Simulation);

/// A dry run: what a sequence would do, by the rules and consents as they are now. Nothing of it is stored.
#[Object]
impl Simulation {
    /// The sequence.
    async fn sequence(&self, ctx: &Context<'_>) -> Result<Option<Sequence>, Error> {
        sequence::sequence(Ask::of(ctx), Some(self.0.sequence_id)).await
    }

    /// Number of the version that new enrollments took. Of content that is not saved yet, the number it would get.
    async fn version_number(&self) -> i32 {
        self.0.version
    }

    /// When the period begins.
    async fn from(&self) -> DateTime {
        self.0.from.into()
    }

    /// When it ends.
    async fn until(&self) -> DateTime {
        self.0.until.into()
    }

    /// How far it came: `until`, or less when there was too much to simulate.
    async fn reached(&self) -> DateTime {
        self.0.reached.into()
    }

    /// Whether it came to the end of the period.
    async fn complete(&self) -> bool {
        self.0.is_complete()
    }

    /// Leads simulated, samples included.
    async fn lead_count(&self) -> usize {
        self.0.leads
    }

    /// How often each thing happens at each step, and to how many leads.
    async fn counts(&self) -> Vec<SimulatedCount> {
        let counts = self.0.counts().into_iter();
        counts
            .map(|count| SimulatedCount {
                step_key: count.step_key.map(str::to_owned),
                outcome: count.outcome.into(),
                times: count.times,
                leads: count.leads,
            })
            .collect()
    }

    /// Entries in all.
    async fn entry_count(&self) -> usize {
        self.0.entries.len()
    }

    /// What happens, by time.
    #[graphql(complexity = "entries_cost(first, child_complexity)")]
    async fn entries(
        &self,
        #[graphql(desc = "The first so many, 0 to 1,000; 100 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only of this lead.")] lead_id: Option<ID>,
        #[graphql(desc = "Only these outcomes.")] outcomes: Option<Vec<SimulatedOutcome>>,
    ) -> Result<Vec<SimulatedEntry>, Error> {
        let first = first.unwrap_or(ENTRIES_DEFAULT);
        let wanted = usize::try_from(first).ok().filter(|_| first <= ENTRIES_MAX);
        let wanted = wanted.ok_or_else(|| bad_argument("first", "Ask for 0 to 1,000 entries."))?;
        let lead_id = lead_id
            .map(|lead_id| id::read::<LeadId>("leadId", &lead_id))
            .transpose()?;
        let outcomes: Option<Vec<dry_run::Outcome>> =
            outcomes.map(|list| list.into_iter().map(Into::into).collect());
        let found = self.0.entries.iter().filter(|entry| {
            lead_id.is_none_or(|id| entry.lead_id == id)
                && outcomes.as_ref().is_none_or(|list| list.contains(&entry.outcome))
        });
        Ok(found.take(wanted).cloned().map(SimulatedEntry).collect())
    }

    /// Follow-ups that are due, by team and day.
    async fn team_days(&self) -> Vec<SimulatedTeamDay> {
        self.0.team_days.iter().cloned().map(SimulatedTeamDay).collect()
    }
}

fn entries_cost(first: Option<i32>, child: usize) -> usize {
    let rows = first.unwrap_or(ENTRIES_DEFAULT).clamp(1, ENTRIES_MAX);
    child
        .saturating_mul(usize::try_from(rows).unwrap_or(1))
        .saturating_add(1)
}

/// How often one thing happens at one step.
#[derive(SimpleObject)]
pub struct SimulatedCount {
    /// The step; null for what concerns the enrollment as a whole.
    step_key: Option<String>,
    /// What happens.
    outcome: SimulatedOutcome,
    /// How often.
    times: usize,
    /// To how many leads.
    leads: usize,
}

/// Why something happens, or does not.
#[derive(SimpleObject)]
pub struct SimulatedReason {
    /// The name of the rule: a reason of the gate, or the code of a refusal.
    code: String,
    /// A sentence without personal data.
    text: String,
}

/// One thing that happens to one lead in the sequence.
pub struct SimulatedEntry(dry_run::Entry);

/// One thing that happens to one lead in the sequence.
#[Object]
impl SimulatedEntry {
    /// The lead; null for a sample.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        let real = self.0.sample.is_none().then_some(self.0.lead_id);
        lead::lead(Ask::of(ctx), real).await
    }

    /// Short name of the sample, if it is one.
    async fn sample(&self) -> Option<&str> {
        self.0.sample
    }

    /// The step; null for what concerns the enrollment as a whole.
    async fn step_key(&self) -> Option<&str> {
        self.0.step_key.as_deref()
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// What.
    async fn outcome(&self) -> SimulatedOutcome {
        self.0.outcome.into()
    }

    /// Until when a mail is held back.
    async fn until(&self) -> Option<DateTime> {
        self.0.until.map(Into::into)
    }

    /// Why.
    async fn reasons(&self) -> Vec<SimulatedReason> {
        let reasons = self.0.reasons.iter();
        reasons
            .map(|reason| SimulatedReason {
                code: reason.code.to_owned(),
                text: reason.text.clone(),
            })
            .collect()
    }

    /// Key of the template, of a mail.
    async fn template(&self) -> Option<&str> {
        self.0.template.as_deref()
    }

    /// The work that is opened.
    async fn follow_up(&self) -> Option<SimulatedFollowUp> {
        self.0.follow_up.clone().map(SimulatedFollowUp)
    }

    /// Why the lead leaves.
    async fn exit_reason(&self) -> Option<ExitReason> {
        self.0.exit_reason.map(Into::into)
    }
}

/// Work for a person that a step opens.
pub struct SimulatedFollowUp(dry_run::FollowUpEntry);

/// Work for a person that a step opens.
#[Object]
impl SimulatedFollowUp {
    /// What is to be done.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Whose it is.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        team(ctx, self.0.team_id).await
    }

    /// When it is due.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }
}

/// The follow-ups of a team that are due on one day, and who is there to do them.
pub struct SimulatedTeamDay(dry_run::TeamDay);

/// The follow-ups of a team that are due on one day, and who is there to do them.
#[Object]
impl SimulatedTeamDay {
    /// The team.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        team(ctx, self.0.team_id).await
    }

    /// The day, on the team's clock.
    async fn date(&self) -> Date {
        Date(self.0.date)
    }

    /// Opened by this sequence in the dry run.
    async fn by_sequence(&self) -> usize {
        self.0.by_sequence
    }

    /// Other work: open now, of all leads, late work on the first day; and what else the dry run opens, such as first
    /// calls to samples. Null when there is too much to count.
    async fn others(&self) -> Option<usize> {
        self.0.others
    }

    /// Active members of the team, to hold the work against. There is no figure of what a team can do in a day.
    async fn members(&self) -> usize {
        self.0.members
    }
}

async fn team(ctx: &Context<'_>, id: TeamId) -> Result<Option<Team>, Error> {
    directory::team(Ask::of(ctx), Some(id)).await
}
