//! Sequences are written, published and held; leads enter and leave them.

use async_graphql::{Context, Error, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::sequence;
use domain::sequence::transfer::{self, MoveEnrollments};
use entity::sequence_version::{DateRule, Exits, Steps, Trigger};

use super::clause::{ClauseInput, condition};
use super::step::{self, StepInput};
use super::{audited, edit, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::errors::UserError;
use crate::graphql::scalars::Duration;
use crate::graphql::sequence::{Enrollment, Sequence, SequenceMove, StepMapInput, step_map};
use crate::graphql::vocabulary::{DateAnchor, EligibilityFlag, LeadStage, Purpose, Reentry, TriggerKind};

type DomainResult<T> = domain::error::Result<T>;

/// When a lead is enrolled by itself.
#[derive(InputObject)]
pub struct TriggerInput {
    /// The event.
    on: TriggerKind,
    /// The stage reached, for `STAGE_CHANGED` and only then.
    stage: Option<LeadStage>,
    /// The flag, for `INFORMATION_MISSING` and only then: `ORDER_MISSING`, `REFERRAL_REQUIRED` or `SERVICE_UNCLEAR`.
    flag: Option<EligibilityFlag>,
    /// The day, for `DATE` and only then.
    date: Option<DateInput>,
    /// Slug of the form, for `FORM_ABANDONED` and only then; any form that can be finished later if not said.
    form: Option<String>,
    /// Whether a lead may enter again; when the earlier time has ended, if not said.
    reentry: Option<Reentry>,
    /// What must hold besides: every clause.
    #[graphql(default)]
    filter: Vec<ClauseInput>,
}

/// A day relative to something, in the facility's zone. A day that has passed when it would be noted enrolls nobody.
#[derive(InputObject)]
pub struct DateInput {
    /// What it is counted from.
    from: DateAnchor,
    /// Days after it, at most 365; negative means before.
    days: i32,
    /// Local minute of that day, 0 to 1439; the time of day of what it is counted from if not said.
    minute_of_day: Option<u16>,
}

impl From<TriggerInput> for Trigger {
    fn from(input: TriggerInput) -> Self {
        Self {
            on: input.on.into(),
            stage: input.stage.map(Into::into),
            flag: input.flag.map(Into::into),
            date: input.date.map(|date| DateRule {
                from: date.from.into(),
                days: date.days,
                minute_of_day: date.minute_of_day,
            }),
            form: input.form,
            reentry: input.reentry.map_or(Self::reentry_unless_said(), Into::into),
            filter: condition(input.filter),
        }
    }
}

/// A sequence to write, as a draft.
#[derive(InputObject)]
pub struct CreateSequenceInput {
    /// The name that people read; unique.
    name: String,
    /// What its mails are for. It never changes, because consent is asked per purpose.
    purpose: Purpose,
    /// The campaign whose pause holds it too.
    campaign_id: Option<ID>,
    /// Whether its mails ask people to come who would not have, and so wait for capacity.
    #[graphql(default)]
    demand_making: bool,
    /// When a lead is enrolled.
    trigger: TriggerInput,
    /// The steps, in order; at most 50. A draft may still have faults; publishing finds them.
    steps: Vec<StepInput>,
    /// Stages that end an enrollment early. A closed lead and a withdrawal always do.
    #[graphql(default)]
    exit_stages: Vec<LeadStage>,
    /// How long an enrollment runs at the most, wherever it stands; at most 730 days.
    ends_after: Option<Duration>,
}

impl CreateSequenceInput {
    fn read(self) -> DomainResult<sequence::CreateSequence> {
        Ok(sequence::CreateSequence {
            name: self.name,
            purpose: self.purpose.into(),
            campaign_id: read_id_if_any("campaignId", self.campaign_id.as_ref())?,
            demand_making: self.demand_making,
            trigger: self.trigger.into(),
            steps: steps(self.steps)?,
            exits: Exits {
                stages: stages(self.exit_stages),
                after_secs: self.ends_after.map(|Duration(secs)| secs),
            },
        })
    }
}

/// A version to publish: the waiting draft, or with new content the next one.
#[derive(InputObject)]
pub struct PublishSequenceInput {
    /// The sequence.
    sequence_id: ID,
    /// A new trigger; the newest version's if not said.
    trigger: Option<TriggerInput>,
    /// New steps; the newest version's if not said.
    steps: Option<Vec<StepInput>>,
    /// New stages that end an enrollment early; the newest version's if not said.
    exit_stages: Option<Vec<LeadStage>>,
    /// How long an enrollment runs at the most; the newest version's if not said, null for as long as its steps take.
    ends_after: MaybeUndefined<Duration>,
}

impl PublishSequenceInput {
    fn read(self) -> DomainResult<sequence::PublishSequence> {
        Ok(sequence::PublishSequence {
            sequence_id: read_id("sequenceId", &self.sequence_id)?,
            trigger: self.trigger.map(Into::into),
            steps: self.steps.map(steps).transpose()?,
            exit_stages: self.exit_stages.map(stages),
            ends_after: edit(self.ends_after).map(|Duration(secs)| secs),
        })
    }
}

pub(super) fn steps(sent: Vec<StepInput>) -> DomainResult<Steps> {
    step::read(sent).map_err(DomainError::Refused)
}

pub(super) fn stages(sent: Vec<LeadStage>) -> Vec<entity::enums::LeadStage> {
    sent.into_iter().map(Into::into).collect()
}

/// A sequence to hold, or to let run again.
#[derive(InputObject)]
pub struct PauseSequenceInput {
    /// The sequence.
    sequence_id: ID,
    /// Whether to let it run again.
    #[graphql(default)]
    resume: bool,
}

/// Running enrollments to move from one version to the current one. Look at `previewSequenceMove` first.
#[derive(InputObject)]
pub struct MoveEnrollmentsInput {
    /// The sequence.
    sequence_id: ID,
    /// Number of the version that they leave.
    from_version: i32,
    /// Number of the version that they go to: the current one.
    to_version: i32,
    /// Where steps lead that do not lead to the step of the same key.
    #[graphql(default)]
    step_map: Vec<StepMapInput>,
}

/// A lead to enroll, whatever the sequence's trigger says.
#[derive(InputObject)]
pub struct EnrollLeadInput {
    /// The lead.
    lead_id: ID,
    /// The sequence.
    sequence_id: ID,
}

/// A lead's place in a sequence to end.
#[derive(InputObject)]
pub struct UnenrollLeadInput {
    /// The lead's place in the sequence.
    enrollment_id: ID,
}

payload!(
    /// What came of writing a sequence.
    CreateSequencePayload {
        /// The sequence.
        sequence: Sequence
    }
);

payload!(
    /// What came of publishing a sequence.
    PublishSequencePayload {
        /// The sequence after it.
        sequence: Sequence
    }
);

payload!(
    /// What came of holding a sequence, or letting it run again.
    PauseSequencePayload {
        /// The sequence after it.
        sequence: Sequence
    }
);

/// What came of moving enrollments.
#[derive(SimpleObject)]
pub struct MoveEnrollmentsPayload {
    /// The move, which goes on by itself until all that can be moved is moved.
    #[graphql(name = "move")]
    sequence_move: Option<SequenceMove>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

payload!(
    /// What came of enrolling a lead.
    EnrollLeadPayload {
        /// The lead's place in the sequence.
        enrollment: Enrollment
    }
);

payload!(
    /// What came of taking a lead out of a sequence.
    UnenrollLeadPayload {
        /// The lead's place in the sequence, after it.
        enrollment: Enrollment
    }
);

/// Changes of sequences.
#[derive(Default)]
pub struct SequenceMutation;

/// Changes of sequences.
#[Object]
impl SequenceMutation {
    /// Writes a sequence as a draft.
    async fn create_sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sequence.")] input: CreateSequenceInput,
    ) -> Result<CreateSequencePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => sequence::create(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "sequence.create", done.map_err(at_input), |row| row.id).await?;
        Ok(CreateSequencePayload::of(outcome.map(Sequence)))
    }

    /// Publishes a version. New enrollments take it, running ones stay on theirs. A paused sequence stays paused.
    async fn publish_sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version.")] input: PublishSequenceInput,
    ) -> Result<PublishSequencePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => sequence::publish(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "sequence.publish", done.map_err(at_input), |row| row.id).await?;
        Ok(PublishSequencePayload::of(outcome.map(Sequence)))
    }

    /// Holds a sequence: nobody is enrolled, enrollments keep their place and its mails wait. Or lets it run again.
    async fn pause_sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sequence.")] input: PauseSequenceInput,
    ) -> Result<PauseSequencePayload, Error> {
        let ask = Ask::of(ctx);
        let action = if input.resume {
            "sequence.resume"
        } else {
            "sequence.pause"
        };
        let done = match read_id("sequenceId", &input.sequence_id) {
            Ok(sequence_id) => {
                let input = sequence::PauseSequence {
                    sequence_id,
                    resume: input.resume,
                };
                sequence::pause(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, action, done, |row| row.id).await?;
        Ok(PauseSequencePayload::of(outcome.map(Sequence)))
    }

    /// Moves the running enrollments of one version to the current one. Asking again for a move that runs answers it.
    async fn move_enrollments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The versions, and where steps lead.")] input: MoveEnrollmentsInput,
    ) -> Result<MoveEnrollmentsPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("sequenceId", &input.sequence_id) {
            Ok(sequence_id) => {
                let input = MoveEnrollments {
                    sequence_id,
                    from_version: input.from_version,
                    to_version: input.to_version,
                    step_map: step_map(input.step_map),
                };
                transfer::begin(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        Ok(
            match audited(ctx, "sequence.move_enrollments", done, |row| row.sequence_id).await? {
                Ok(row) => MoveEnrollmentsPayload {
                    sequence_move: Some(SequenceMove(row)),
                    user_errors: Vec::new(),
                },
                Err(user_errors) => MoveEnrollmentsPayload {
                    sequence_move: None,
                    user_errors,
                },
            },
        )
    }

    /// Enrolls a lead in a running sequence.
    async fn enroll_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead and the sequence.")] input: EnrollLeadInput,
    ) -> Result<EnrollLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let ids = read_id("leadId", &input.lead_id)
            .and_then(|lead| Ok((lead, read_id("sequenceId", &input.sequence_id)?)));
        let done = match ids {
            Ok((lead_id, sequence_id)) => {
                let input = sequence::EnrollLead { lead_id, sequence_id };
                sequence::enroll(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.enroll", done, |row| row.lead_id).await?;
        Ok(EnrollLeadPayload::of(outcome.map(Enrollment)))
    }

    /// Takes a lead out of a sequence: what it planned and has not gone out is withheld; follow-ups that it opened stay.
    async fn unenroll_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead's place in the sequence.")] input: UnenrollLeadInput,
    ) -> Result<UnenrollLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("enrollmentId", &input.enrollment_id) {
            Ok(enrollment_id) => {
                let input = sequence::UnenrollLead { enrollment_id };
                sequence::unenroll(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.unenroll", done, |row| row.lead_id).await?;
        Ok(UnenrollLeadPayload::of(outcome.map(Enrollment)))
    }
}

pub(super) fn at_input(mut error: DomainError) -> DomainError {
    if let DomainError::Refused(refusals) = &mut error {
        refusals.iter_mut().for_each(step::at_input);
    }
    error
}
