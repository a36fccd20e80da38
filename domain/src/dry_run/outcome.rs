//! What a dry run answers.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::enrollment::ExitReason;
use entity::id::{LeadId, SequenceId, TeamId};

/// What became of a lead at a step, or as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
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

impl Outcome {
    /// Every outcome, in the order in which those of one instant are told.
    pub const ALL: [Self; 8] = [
        Self::Enrolled,
        Self::NotEnrolled,
        Self::Deferred,
        Self::Sent,
        Self::Withheld,
        Self::FollowUp,
        Self::Completed,
        Self::Exited,
    ];

    /// The outcome's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrolled => "ENROLLED",
            Self::NotEnrolled => "NOT_ENROLLED",
            Self::Deferred => "DEFERRED",
            Self::Sent => "SENT",
            Self::Withheld => "WITHHELD",
            Self::FollowUp => "FOLLOW_UP",
            Self::Completed => "COMPLETED",
            Self::Exited => "EXITED",
        }
    }
}

/// Why. Holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The name of the rule.
    pub code: &'static str,
    /// A sentence.
    pub text: String,
}

/// Work that a step opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUpEntry {
    /// What is to be done.
    pub title: String,
    /// Whose it is.
    pub team_id: TeamId,
    /// When it is due.
    pub due_at: DateTime<Utc>,
}

/// One thing that happens to one lead in the sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The lead. That of a sample exists nowhere else.
    pub lead_id: LeadId,
    /// Key of the sample, if it is one.
    pub sample: Option<&'static str>,
    /// The step, of what a step does.
    pub step_key: Option<String>,
    /// Which visit of the step it is.
    pub occurrence: Option<i32>,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub outcome: Outcome,
    /// Until when a mail is held back.
    pub until: Option<DateTime<Utc>>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The template's key, of a mail.
    pub template: Option<String>,
    /// The work that is opened.
    pub follow_up: Option<FollowUpEntry>,
    /// Why the lead leaves.
    pub exit_reason: Option<ExitReason>,
}

/// The follow-ups of a team that are due on one day, against who is there to do them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamDay {
    /// The team.
    pub team_id: TeamId,
    /// The day, on the team's clock.
    pub date: NaiveDate,
    /// Opened by this sequence in the dry run.
    pub by_sequence: usize,
    /// Open today for this day or earlier in the period, of all leads, or opened in the dry run by something else, such
    /// as the SLA of a sample; none when there are too many to count.
    pub others: Option<usize>,
    /// Active members of the team. There is no figure of what a team can do in a day.
    pub members: usize,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The sequence.
    pub sequence_id: SequenceId,
    /// The version that new enrollments took.
    pub version: i32,
    /// When the period begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// How far it came: `until`, or less when there was too much to simulate.
    pub reached: DateTime<Utc>,
    /// Leads simulated, samples included.
    pub leads: usize,
    /// What happens, by time.
    pub entries: Vec<Entry>,
    /// Follow-ups by team and day.
    pub team_days: Vec<TeamDay>,
}

impl Simulation {
    /// Whether it came to the end of the period.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.reached >= self.until
    }

    /// How often each thing happens at each step, in the order in which steps first come up.
    #[must_use]
    pub fn counts(&self) -> Vec<Count<'_>> {
        let mut steps: Vec<Option<&str>> = Vec::new();
        let mut leads: HashMap<(Option<&str>, Outcome), Vec<LeadId>> = HashMap::new();
        for entry in &self.entries {
            let step = entry.step_key.as_deref();
            if !steps.contains(&step) {
                steps.push(step);
            }
            leads
                .entry((step, entry.outcome))
                .or_default()
                .push(entry.lead_id);
        }
        let each = steps
            .into_iter()
            .flat_map(|step| Outcome::ALL.map(|outcome| (step, outcome)));
        each.filter_map(|(step_key, outcome)| {
            let leads = leads.get(&(step_key, outcome))?;
            Some(Count {
                step_key,
                outcome,
                times: leads.len(),
                leads: leads.iter().collect::<HashSet<_>>().len(),
            })
        })
        .collect()
    }
}

/// How often one thing happens at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<'a> {
    /// The step; none for what concerns the enrollment as a whole.
    pub step_key: Option<&'a str>,
    /// What happens.
    pub outcome: Outcome,
    /// How often.
    pub times: usize,
    /// To how many leads.
    pub leads: usize,
}
