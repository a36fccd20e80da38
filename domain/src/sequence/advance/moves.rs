//! The moves of a batch: decided one by one without the database, then written together.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enrollment::{self, EnrollmentState, ExitReason, Model};
use entity::id::EnrollmentId;
use entity::message::{GateReason, Lane};
use entity::message_event::{self, MessageEventKind};
use entity::{follow_up, lead, lead_event, message};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, TryInsertResult};

use super::known::{About, Known};
use super::leads::{self, ChangedLeads};
use super::{LEAD_HELD_RECHECK, MAX_FAULTS, RECHECK};
use crate::contact::zones::possible_zones;
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::follow_up as follow_ups;
use crate::follow_up::build::{self, Pace, SequenceStep};
use crate::hospital::Site;
use crate::lead::event::NewEvent;
use crate::lead::facts;
use crate::nudge::Subject;
use crate::outreach::plan::{self, NurtureStep};
use crate::outreach::{staff_notice, withhold};
use crate::playbook::Playbook;
use crate::sequence::course::{Deed, End, Place, Plan, follow};
use crate::sequence::leave;
use crate::signal::Signal;
use crate::sla::policy;
use crate::viewer::Actor;

/// What a batch comes to.
pub(super) struct Moves<'a> {
    site: &'a Site,
    playbook: &'a Playbook,
    known: &'a Known,
    now: DateTime<Utc>,
    /// Enrollments that took a step or ended.
    pub(super) moved: usize,
    enrollments: Vec<Model>,
    messages: Vec<message::ActiveModel>,
    notices: Vec<message::ActiveModel>,
    follow_ups: Vec<follow_up::Model>,
    leads: ChangedLeads,
    events: Vec<NewEvent>,
    lanes: Vec<Lane>,
    /// Enrollments that came to a goal or an exit: what they planned stays home.
    cut_short: Vec<EnrollmentId>,
}

/// What there is to tell after the commit.
#[derive(Default)]
pub(super) struct Told {
    pub(super) signals: Vec<Signal>,
    pub(super) nudges: Vec<Subject>,
}

/// What a deed comes to.
enum Row {
    Message(Box<message::ActiveModel>),
    FollowUp(Box<follow_up::Model>),
    Notices(Vec<message::ActiveModel>),
    Lead(Box<lead::Model>),
}

impl<'a> Moves<'a> {
    pub(super) fn new(site: &'a Site, playbook: &'a Playbook, known: &'a Known, now: DateTime<Utc>) -> Self {
        Self {
            site,
            playbook,
            known,
            now,
            moved: 0,
            enrollments: Vec::new(),
            messages: Vec::new(),
            notices: Vec::new(),
            follow_ups: Vec::new(),
            leads: ChangedLeads::default(),
            events: Vec::new(),
            lanes: Vec::new(),
            cut_short: Vec::new(),
        }
    }

    /// Moves one enrollment as far as it goes now.
    pub(super) fn look_at(&mut self, enrollment: Model) {
        let known = self.known;
        if known.is_lead_held(&enrollment) {
            let due_at = self.now + LEAD_HELD_RECHECK;
            self.enrollments.push(Model { due_at, ..enrollment });
            return;
        }
        let Some(about) = known.about(&enrollment) else {
            return self.fault(enrollment);
        };
        if about.paused {
            let due_at = self.now + RECHECK;
            self.enrollments.push(Model { due_at, ..enrollment });
            return;
        }
        let plan = Plan {
            sequence_id: about.sequence.id,
            steps: &about.version.steps,
            exits: &about.version.exits,
            zone: self.zone(&about),
            begun_at: enrollment.created_at,
        };
        // As another enrollment of this batch may have left it.
        let mut lead = self.leads.get(about.lead.id).unwrap_or(about.lead).clone();
        let facts = facts::of(&lead, about.contact, self.playbook);
        let course = follow(place(&enrollment), plan, &facts, self.now);
        let mut rows = Vec::with_capacity(course.deeds.len());
        for deed in &course.deeds {
            match self.row(&about, &lead, &enrollment, deed) {
                Some(Row::Lead(changed)) => {
                    lead = *changed.clone();
                    rows.push(Row::Lead(changed));
                }
                Some(row) => rows.push(row),
                None => return self.fault(enrollment),
            }
        }
        for row in rows {
            match row {
                Row::Message(message) => self.messages.push(*message),
                Row::FollowUp(follow_up) => self.follow_ups.push(*follow_up),
                Row::Notices(notices) => self.notices.extend(notices),
                Row::Lead(lead) => self.leads.put(about.lead, *lead),
            }
        }
        let lane = plan::nurture_lane(about.sequence.purpose);
        if !self.lanes.contains(&lane) {
            self.lanes.push(lane);
        }
        self.settle(enrollment, course.place, course.end);
    }

    /// Counts a fault of an enrollment and looks at it later, or gives it up.
    pub(super) fn fault(&mut self, enrollment: Model) {
        let fault_count = enrollment.fault_count.saturating_add(1);
        let place = place(&enrollment);
        let enrollment = Model {
            fault_count,
            ..enrollment
        };
        if fault_count >= MAX_FAULTS {
            return self.settle(enrollment, place, Some(End::Left(ExitReason::Broken)));
        }
        let due_at = self.now + TimeDelta::minutes(1 << fault_count);
        self.enrollments.push(Model {
            due_at,
            updated_at: self.now,
            ..enrollment
        });
    }

    /// The enrollment as it stands after a move.
    fn settle(&mut self, before: Model, place: Place, end: Option<End>) {
        let stays = place == self::place(&before) && end.is_none();
        self.moved += usize::from(!stays);
        let after = Model {
            state: end.as_ref().map_or(EnrollmentState::Active, End::state),
            exit_reason: end.as_ref().and_then(End::reason),
            goal_key: end.as_ref().and_then(End::goal_key).map(str::to_owned),
            step_key: place.step_key,
            entered_step: place.entered_step,
            happened: place.happened,
            occurrence: place.occurrence,
            due_at: place.due_at,
            fault_count: if end == Some(End::Left(ExitReason::Broken)) {
                before.fault_count
            } else {
                0
            },
            updated_at: self.now,
            ended_at: end.as_ref().map(|_| self.now),
            ..before
        };
        if let Some(end) = end {
            self.events
                .push(leave::event(&after, end.word(), Actor::SYSTEM, self.now));
            if end != End::Completed {
                self.cut_short.push(after.id);
            }
            if end == End::Left(ExitReason::Broken) {
                tracing::error!(enrollment = %after.id, step = %after.step_key, "an enrollment left its sequence as broken");
            }
        }
        self.enrollments.push(after);
    }

    /// The zone in which a sequence speaks of local times: the contact's, else the facility's. In a state with two
    /// zones it is the first; the gate keeps quiet hours in both.
    fn zone(&self, about: &About<'_>) -> chrono_tz::Tz {
        let named = about
            .contact
            .time_zone
            .as_deref()
            .and_then(|zone| zone.parse().ok());
        let facility = self.playbook.zone(about.lead.facility_id);
        let zones = possible_zones(named, about.contact.region.as_deref(), facility);
        zones.first().copied().unwrap_or(facility)
    }

    /// The row that a deed asks for; none when the template is not there, which a newer playbook may know.
    fn row(&self, about: &About<'_>, lead: &lead::Model, enrollment: &Model, deed: &Deed) -> Option<Row> {
        match deed {
            Deed::Mail {
                step_key,
                occurrence,
                template,
            } => {
                let version = self.playbook.template_version(template)?;
                let step = NurtureStep {
                    sequence: about.sequence,
                    enrollment,
                    step_key,
                    occurrence: *occurrence,
                    version,
                    visit_at: self.known.visit_to_remind_of(about),
                };
                Some(Row::Message(Box::new(plan::nurture(self.site, &step, self.now))))
            }
            Deed::FollowUp {
                step_key,
                occurrence,
                title,
                due_in_mins,
            } => {
                let calendar = self.playbook.calendar(lead.facility_id);
                let step = SequenceStep {
                    enrollment_id: enrollment.id,
                    origin_key: format!("follow-up/{}/{step_key}/{occurrence}", enrollment.id.0),
                    title,
                    due_at: policy::due_after(&calendar, self.now, *due_in_mins),
                };
                let remind_before_mins = Pace::of(lead, self.playbook).remind_before_mins;
                let follow_up = build::from_sequence(&lead.into(), step, remind_before_mins, self.now);
                Some(Row::FollowUp(Box::new(follow_up)))
            }
            Deed::Notice {
                step_key,
                occurrence,
                to,
                title,
            } => {
                let origin = format!(
                    "sequence-notice/{}/{step_key}/{occurrence}",
                    enrollment.id.0.simple()
                );
                let notices =
                    staff_notice::of_sequence(self.site, self.playbook, lead, *to, title, &origin, self.now);
                Some(Row::Notices(notices))
            }
            Deed::Lead { flags, team, .. } => leads::after(lead, flags, team.as_deref(), self.playbook)
                .map(|lead| Row::Lead(Box::new(lead))),
        }
    }

    /// Writes everything, in one statement per table and batch.
    pub(super) async fn write(self, tx: &DatabaseTransaction) -> Result<Told> {
        let mut told = Told::default();
        if insert_messages(tx, self.messages, self.now).await? > 0 {
            told.nudges
                .extend(self.lanes.iter().map(|lane| plan::nudge_for(*lane)));
        }
        // The lead before the follow-ups: those that are open go with it, those of this batch are its new team's already.
        told.signals.extend(self.leads.write(tx, self.now).await?);
        if staff_notice::plan(tx, self.notices, self.now).await? > 0 {
            told.nudges.push(Subject::WaitingMail);
        }
        if !self.follow_ups.is_empty() {
            let opened = follow_ups::open(
                tx,
                self.playbook,
                self.site,
                self.follow_ups,
                Actor::SYSTEM,
                self.now,
            )
            .await?;
            told.signals.extend(opened.signals);
            told.nudges.extend(opened.nudges);
        }
        update(tx, self.enrollments).await?;
        for ids in self.cut_short.chunks(BATCH_MAX) {
            let planned = Condition::all().add(message::Column::EnrollmentId.is_in(ids.iter().copied()));
            withhold::pending(tx, planned, GateReason::LeadLeft, None, self.now).await?;
        }
        told.signals.extend(self.events.iter().map(NewEvent::signal));
        for batch in self.events.chunks(BATCH_MAX) {
            let rows = batch.iter().cloned().map(NewEvent::row);
            lead_event::Entity::insert_many(rows)
                .exec_without_returning(tx)
                .await?;
        }
        Ok(told)
    }
}

fn place(enrollment: &Model) -> Place {
    Place {
        step_key: enrollment.step_key.clone(),
        entered_step: enrollment.entered_step,
        happened: enrollment.happened,
        occurrence: enrollment.occurrence,
        due_at: enrollment.due_at,
    }
}

/// Plans mails, passing over those that a step has planned already. Answers how many are new.
async fn insert_messages(
    tx: &DatabaseTransaction,
    rows: Vec<message::ActiveModel>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut planned = 0;
    for batch in rows.chunks(BATCH_MAX) {
        let inserted = message::Entity::insert_many(batch.to_vec())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .try_insert()
            .exec_with_returning_keys(tx)
            .await?;
        let TryInsertResult::Inserted(ids) = inserted else {
            continue;
        };
        if ids.is_empty() {
            continue;
        }
        planned += ids.len();
        let events = ids
            .into_iter()
            .map(|id| plan::event(id, MessageEventKind::Planned, None, now));
        message_event::Entity::insert_many(events)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(planned)
}

/// Writes many rows, each with values of its own, in one statement. Every row exists and is held, so the insert always
/// turns into the update.
async fn update(tx: &DatabaseTransaction, rows: Vec<Model>) -> Result<()> {
    use enrollment::Column;
    for batch in rows.chunks(BATCH_MAX) {
        let batch = batch.iter().cloned().map(IntoActiveModel::into_active_model);
        let what_moves = OnConflict::column(Column::Id)
            .update_columns([
                Column::State,
                Column::ExitReason,
                Column::GoalKey,
                Column::StepKey,
                Column::EnteredStep,
                Column::Happened,
                Column::Occurrence,
                Column::DueAt,
                Column::FaultCount,
                Column::UpdatedAt,
                Column::EndedAt,
            ])
            .to_owned();
        enrollment::Entity::insert_many(batch)
            .on_conflict(what_moves)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}
