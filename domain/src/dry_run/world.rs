//! From the copy to the answer: the version is chosen, the samples come in, the leads are enrolled, time passes.

use std::sync::Arc;
use std::time::Duration;

use entity::enums::Role;
use entity::id::{LeadId, StaffId};
use entity::sequence::{self, SequenceState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use uuid::Uuid;

use super::copy::Copied;
use super::life::Life;
use super::log::{Log, NotEnrolled};
use super::outcome::Simulation;
use super::read;
use super::request::{Checked, Content, Enroll, Version};
use super::samples;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::playbook::{self, Playbooks};
use crate::sequence as sequences;
use crate::sequence::{EnrollLead, PauseSequence, PublishSequence};
use crate::viewer::Viewer;

/// The rules and lists of a copy, asked for at every use: the draft is published in it.
pub(super) fn playbooks() -> Arc<Playbooks> {
    Arc::new(Playbooks::new(Duration::ZERO))
}

/// Who acts in the copy where a person has to. What the real viewer may see was decided when it was made.
fn operator() -> Viewer {
    Viewer::Staff {
        id: StaffId(Uuid::nil()),
        role: Role::Admin,
        teams: Vec::new(),
    }
}

/// Lets time pass in the copy and reads what came of it.
pub(super) async fn unfold(life: &Life<'_>, checked: Checked, copied: Copied) -> Result<Simulation> {
    let Checked {
        request,
        now,
        from,
        until,
    } = checked;
    let h = life.h;
    let mut reached = now;
    if from > now {
        reached = life.live(from, None).await?;
    }
    let sequence = choose_version(h, &request.version, &copied, request.resume).await?;
    let mut log = Log::begin(h, sequence.id).await?;
    let mut simulated = copied.chosen;
    let mut refused = Vec::new();
    // A limit may have ended it before it began.
    if reached >= from {
        let samples = match &request.samples {
            Some(wanted) => samples::receive(h, &operator(), wanted, sequence.purpose).await?,
            None => Vec::new(),
        };
        simulated.extend(samples.iter().map(|(_, lead_id)| *lead_id));
        log.samples
            .extend(samples.iter().map(|(sample, lead_id)| (*lead_id, sample.key)));
        if request.enroll == Enroll::AllAtStart {
            refused = enroll_all(h, &sequence, &simulated).await?;
        }
        log.chosen.extend(simulated.iter().copied());
        reached = life.live(until, Some(&mut log)).await?;
    }
    read::read(h, log, refused, copied.open, from..until, reached).await
}

/// Makes the wanted version the one that new enrollments take. A draft is published in the copy, so it is refused for
/// the same reasons as it would be in truth.
async fn choose_version(
    h: &Hospital,
    version: &Version,
    copied: &Copied,
    resume: bool,
) -> Result<sequence::Model> {
    let mut row = copied.sequence.clone();
    let newest = &copied.newest;
    let content = match version {
        Version::With(content) => content.as_ref().clone(),
        Version::Newest | Version::Is(_) => Content::default(),
    };
    let unsaid = |said: bool, same: bool| !said || same;
    let as_it_is = unsaid(
        content.trigger.is_some(),
        content.trigger.as_ref() == Some(&newest.trigger),
    ) && unsaid(
        content.steps.is_some(),
        content.steps.as_ref() == Some(&newest.steps),
    ) && unsaid(
        content.exit_stages.is_some(),
        content.exit_stages.as_ref() == Some(&newest.exits.stages),
    ) && content.ends_after.clone().apply(newest.exits.after_secs) == newest.exits.after_secs;
    let earlier = copied.wanted.as_ref().filter(|wanted| wanted.id != newest.id);
    if let Some(wanted) = earlier {
        let mut changed = row.into_active_model();
        changed.current_version_id = Set(Some(wanted.id));
        row = changed.update(&h.db).await?;
        playbook::changed(&h.db).await?;
    } else if newest.published_at.is_none() || !as_it_is {
        let publish = PublishSequence {
            sequence_id: row.id,
            trigger: content.trigger,
            steps: content.steps,
            exit_stages: content.exit_stages,
            ends_after: content.ends_after,
        };
        row = sequences::publish(h, &operator(), publish).await?.value;
    }
    if resume && row.state == SequenceState::Paused {
        let resume = PauseSequence {
            sequence_id: row.id,
            resume: true,
        };
        row = sequences::pause(h, &operator(), resume).await?.value;
    }
    Ok(row)
}

/// Enrolls leads as a person would. Answers those that could not be, with the reason.
async fn enroll_all(h: &Hospital, sequence: &sequence::Model, leads: &[LeadId]) -> Result<Vec<NotEnrolled>> {
    let mut refused = Vec::new();
    for lead_id in leads.iter().copied() {
        let enroll = EnrollLead {
            lead_id,
            sequence_id: sequence.id,
        };
        match sequences::enroll(h, &operator(), enroll).await {
            Ok(_) => {}
            Err(Error::Refused(refusals)) => {
                let why = refusals.into_iter().next();
                refused.extend(why.map(|why| NotEnrolled {
                    lead_id,
                    code: why.code,
                    text: why.message.into_owned(),
                    at: h.now(),
                }));
            }
            Err(other) => return Err(other),
        }
    }
    // Who takes part already is where it is wanted.
    refused.retain(|row: &NotEnrolled| row.code != Code::AlreadyExists);
    Ok(refused)
}
