//! A dry run of a sequence is asked for.

use async_graphql::{Context, Enum, Error, ID, InputObject, MaybeUndefined, Object};
use chrono::Utc;
use domain::done::Done;
use domain::dry_run::{self, Chosen, Content, SampleLeads, Simulate, Version};
use domain::error::{Code, Error as DomainError};
use domain::patch::Patch;
use entity::lead::Answer;

use super::sequence::{TriggerInput, at_input, stages, steps};
use super::step::StepInput;
use super::{audited, edit, outcome, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::lead::LeadFilter;
use crate::graphql::scalars::{DateTime, Duration};
use crate::graphql::simulation::Simulation;
use crate::graphql::vocabulary::{LeadStage, LeadType};

type DomainResult<T> = domain::error::Result<T>;

/// Who is enrolled in a dry run.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "dry_run::Enroll")]
pub enum SimulatedEnrollment {
    /// Whom the sequence would enroll by itself: samples when they come in, leads when something happens to them in the
    /// period. Who takes part already goes on.
    ByTrigger,
    /// Every chosen lead and every sample at the beginning, as if by hand.
    AllAtStart,
}

/// What a made-up person answers to a form's field.
#[derive(InputObject)]
pub struct SampleAnswerInput {
    /// The field's name, at most 64 characters.
    field: String,
    /// The answer, at most 4000 characters.
    value: String,
}

/// Made-up people, built in: of two languages and several time zones, with and without consent, an address, a
/// suppression. They come in at the beginning, by the rules for all leads, and exist nowhere else.
#[derive(InputObject)]
pub struct SampleLeadsInput {
    /// Type of their leads; a patient's appointment if not said.
    lead_type: Option<LeadType>,
    /// The service line that they ask for.
    service_line_id: Option<ID>,
    /// What they answer, which branches look at.
    #[graphql(default)]
    answers: Vec<SampleAnswerInput>,
}

impl SampleLeadsInput {
    fn read(self) -> DomainResult<SampleLeads> {
        let answers = self.answers.into_iter().map(|answer| Answer {
            label: answer.field.clone(),
            field: answer.field,
            value: answer.value,
        });
        Ok(SampleLeads {
            lead_type: self.lead_type.map(Into::into),
            service_line_id: read_id_if_any("samples.serviceLineId", self.service_line_id.as_ref())?,
            answers: answers.collect(),
        })
    }
}

/// What is to be simulated. Say which leads by ids or by a filter, or ask for samples, or both.
#[derive(InputObject)]
pub struct SimulateSequenceInput {
    /// The sequence.
    sequence_id: ID,
    /// A version of it; the newest if not said, which is the waiting draft if there is one.
    version_id: Option<ID>,
    /// A trigger that is not saved yet, in place of the newest version's.
    trigger: Option<TriggerInput>,
    /// Steps that are not saved yet, in place of the newest version's.
    steps: Option<Vec<StepInput>>,
    /// Stages that end an enrollment early, not saved yet, in place of the newest version's.
    exit_stages: Option<Vec<LeadStage>>,
    /// How long an enrollment runs at the most, not saved yet; null for as long as its steps take.
    ends_after: MaybeUndefined<Duration>,
    /// These leads, at most 5,000. You must be allowed to see each.
    lead_ids: Option<Vec<ID>>,
    /// The leads that match and that you may see, at most 5,000.
    lead_filter: Option<LeadFilter>,
    /// Made-up people.
    samples: Option<SampleLeadsInput>,
    /// Who is enrolled.
    #[graphql(default_with = "SimulatedEnrollment::ByTrigger")]
    enroll: SimulatedEnrollment,
    /// When the period begins: now, or later; now if not said.
    from: Option<DateTime>,
    /// When it ends, at most 180 days after the beginning.
    until: DateTime,
    /// Whether the sequence, if it is paused, is resumed at the beginning.
    #[graphql(default)]
    resume: bool,
}

impl SimulateSequenceInput {
    /// The request. A filter that cannot be read is an error of the argument, as it is in lists.
    fn read(self, now: chrono::DateTime<Utc>) -> Result<DomainResult<Simulate>, Error> {
        let filter = self
            .lead_filter
            .as_ref()
            .map(|filter| filter.condition(now))
            .transpose()?;
        Ok(self.request(filter))
    }

    fn request(self, filter: Option<sea_orm::Condition>) -> DomainResult<Simulate> {
        let leads = match (self.lead_ids, filter) {
            (None, None) => Chosen::Nobody,
            (None, Some(condition)) => Chosen::Where(condition),
            (Some(ids), None) => {
                let ids: DomainResult<Vec<_>> = ids.iter().map(|id| read_id("leadIds", id)).collect();
                Chosen::Ids(ids?)
            }
            (Some(_), Some(_)) => {
                let message = "Say which leads by ids or by a filter.";
                return Err(DomainError::refused(Code::Invalid, "leadFilter", message));
            }
        };
        let content = Content {
            trigger: self.trigger.map(Into::into),
            steps: self.steps.map(steps).transpose()?,
            exit_stages: self.exit_stages.map(stages),
            ends_after: edit(self.ends_after).map(|Duration(secs)| secs),
        };
        let unsaved = content.trigger.is_some()
            || content.steps.is_some()
            || content.exit_stages.is_some()
            || content.ends_after != Patch::Keep;
        let version = match read_id_if_any("versionId", self.version_id.as_ref())? {
            Some(_) if unsaved => {
                let message = "Name a version, or send content that is not saved yet.";
                return Err(DomainError::refused(Code::Invalid, "versionId", message));
            }
            Some(id) => Version::Is(id),
            None if unsaved => Version::With(Box::new(content)),
            None => Version::Newest,
        };
        Ok(Simulate {
            sequence_id: read_id("sequenceId", &self.sequence_id)?,
            version,
            leads,
            samples: self.samples.map(SampleLeadsInput::read).transpose()?,
            enroll: self.enroll.into(),
            from: self.from.map(Into::into),
            until: self.until.into(),
            resume: self.resume,
        })
    }
}

payload!(
    /// What came of a dry run.
    SimulateSequencePayload {
        /// The answer.
        simulation: Simulation
    }
);

/// Dry runs.
#[derive(Default)]
pub struct SimulateMutation;

/// Dry runs.
#[Object]
impl SimulateMutation {
    /// Simulates a sequence: who gets what and when, who waits and until when, who gets nothing and why, and what it asks
    /// of the teams. It changes nothing; that you looked at real leads is written into the audit.
    async fn simulate_sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be simulated.")] input: SimulateSequenceInput,
    ) -> Result<SimulateSequencePayload, Error> {
        let ask = Ask::of(ctx);
        let request = input.read(ask.now())?;
        let of_people = request
            .as_ref()
            .is_ok_and(|request| !matches!(request.leads, Chosen::Nobody));
        let done = match request {
            Ok(request) => {
                let answer = ask
                    .api
                    .simulator
                    .simulate(&ask.api.hospital, ask.viewer(), request)
                    .await;
                answer.map(Done::quiet)
            }
            Err(error) => Err(error),
        };
        let done = done.map_err(at_input);
        let outcome = if of_people {
            audited(ctx, "sequence.simulate", done, |answer| answer.sequence_id).await?
        } else {
            outcome(ctx, done).await?
        };
        Ok(SimulateSequencePayload::of(outcome.map(Simulation)))
    }
}
