//! The mails of the history: confirmations, what sequences sent, what the gate withheld, and where running enrollments
//! stand now.

use chrono::{DateTime, TimeDelta, Utc};
use domain::condition;
use domain::consent::standing::fold;
use domain::consent::{Entry, Standing};
use domain::contact::zones::possible_zones;
use domain::follow_up::build::{self, About, Pace, SequenceStep};
use domain::lead::event::NewEvent;
use domain::lead::facts;
use domain::outreach::gate::{self, Caps, GateInput, Pacing, Preferences, TemplateApproval, Turn};
use domain::outreach::plan::{self, NurtureStep};
use domain::outreach::template::seal::is_approved;
use domain::playbook::PublishedSequence;
use domain::sequence::course::{self, Deed, End, Place, Plan};
use domain::sequence::happen::Happening;
use domain::sla::policy;
use domain::viewer::Actor;
use entity::consent_event::{
    self, ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource,
};
use entity::enrollment::{EnrollmentState, ExitReason};
use entity::enums::{LeadStage, Medium, Purpose};
use entity::follow_up::{self, FollowUpState};
use entity::lead_event::LeadEventKind;
use entity::message::{Decision, GateOutcome, MessageKind, MessageState};
use entity::message_event::MessageEventKind;
use entity::sequence_version::TriggerKind;
use entity::suppression::{self, SuppressionReason};
use entity::{enrollment, lead, message};
use sea_orm::ActiveValue::Set;

use super::World;
use super::book::Book;
use super::chance::Chance;
use super::people::Known;
use super::story::{Told, as_of};

/// Every so many leads an address bounces, until there are enough.
const BOUNCES_EVERY: usize = 310;
/// Every so many nurture mails the answer of the mail server is lost, until there are enough.
const UNKNOWN_EVERY: usize = 240;
/// The longest hold of a mail that is looked at: a weekend of quiet hours is shorter.
const HOLDS_MAX: usize = 8;

/// Sends a lead what it would have been sent.
pub(super) fn follow(world: World<'_>, told: &Told, known: &mut Known, chance: &mut Chance, book: &mut Book) {
    let mut post = Post {
        world,
        told,
        known,
        book,
    };
    post.confirm();
    post.withdraw(chance);
    for (begun_at, stage, on) in moments(told) {
        for sequence in post.triggered(stage, on) {
            post.enroll(sequence, begun_at);
        }
    }
}

/// When sequences may begin: when the lead comes in, and at each stage.
fn moments(told: &Told) -> Vec<(DateTime<Utc>, LeadStage, TriggerKind)> {
    let on = |place| {
        if place == 0 {
            TriggerKind::LeadReceived
        } else {
            TriggerKind::StageChanged
        }
    };
    let mut moments = Vec::new();
    for (place, (at, stage)) in told.stages.iter().enumerate() {
        moments.push((*at, *stage, on(place)));
        if *stage == LeadStage::AppointmentScheduled {
            moments.push((*at, *stage, TriggerKind::AppointmentBooked));
        }
    }
    moments
}

/// The mails of one lead.
struct Post<'a> {
    world: World<'a>,
    told: &'a Told,
    known: &'a mut Known,
    book: &'a mut Book,
}

impl<'a> Post<'a> {
    /// The lead as it was in this stage.
    fn lead_in(&self, stage: LeadStage) -> lead::Model {
        lead::Model {
            stage,
            ..self.told.lead.clone()
        }
    }

    /// The mail that answers the form.
    fn confirm(&mut self) {
        let (playbook, lead) = (self.world.playbook, &self.told.lead);
        let Some(form) = self.told.form.and_then(|id| playbook.forms.get(&id)) else {
            return;
        };
        let at = lead.received_at;
        let row = plan::confirmation(&self.world.h.site, playbook, form, lead, &self.known.contact, at);
        if let Some(row) = row {
            self.send(row, MessageKind::Confirmation, Purpose::CareCoordination, at);
        }
    }

    /// Some who agreed to marketing take it back some days later, by the link of a mail.
    fn withdraw(&mut self, chance: &mut Chance) {
        let takes_back = chance.percent(self.world.history.withdrawn_percent);
        let at = self.told.lead.received_at + TimeDelta::minutes(chance.between(3 * 1440, 16 * 1440));
        let Some(address) = self.known.address() else {
            return;
        };
        let standing = fold(
            &self.known.consents,
            Medium::Email,
            &address,
            Purpose::Marketing,
            at,
        );
        if !takes_back || !standing.is_granted() || at > self.world.now {
            return;
        }
        let entry = Entry {
            contact_id: self.known.contact.id,
            medium: Medium::Email,
            address: None,
            purpose: Some(Purpose::Marketing),
            action: ConsentAction::Withdraw,
            level: ConsentLevel::None,
            shown: None,
            method: ConsentMethod::OneClick,
            source: ConsentSource::default(),
            evidence: ConsentEvidence::default(),
            refers_to_id: None,
            expires_at: None,
            actor: Actor::VISITOR,
            occurred_at: at,
        };
        let row = consent_event::Model {
            id: self.book.id(at),
            ..entry.row(at)
        };
        self.known.consents.push(row.clone());
        self.book.consents.push(row);
    }

    /// The sequences that a lead in this stage begins.
    fn triggered(&self, stage: LeadStage, on: TriggerKind) -> Vec<&'a PublishedSequence> {
        let playbook = self.world.playbook;
        let lead = self.lead_in(stage);
        let facts = facts::of(&lead, &self.known.contact, playbook);
        let begins = |published: &&PublishedSequence| {
            let trigger = &published.version.trigger;
            trigger.on == on
                && (on != TriggerKind::StageChanged || trigger.stage == Some(stage))
                && course::ending(&published.version.steps, &published.version.exits, &facts).is_none()
                && condition::holds(&trigger.filter, &facts)
        };
        let mut found: Vec<_> = playbook.sequences.values().filter(begins).collect();
        found.sort_by_key(|published| published.sequence.id);
        found
    }

    /// Goes through a sequence until it ends or has to wait beyond now.
    fn enroll(&mut self, published: &PublishedSequence, begun_at: DateTime<Utc>) {
        let Some(first) = published.version.steps.0.first() else {
            return;
        };
        let mut row = enrollment::Model {
            id: self.book.id(begun_at),
            sequence_id: published.sequence.id,
            sequence_version_id: published.version.id,
            lead_id: self.told.lead.id,
            contact_id: self.known.contact.id,
            state: EnrollmentState::Active,
            exit_reason: None,
            goal_key: None,
            step_key: first.key.clone(),
            entered_step: false,
            happened: false,
            occurrence: 0,
            due_at: begun_at,
            fault_count: 0,
            created_at: begun_at,
            updated_at: begun_at,
            ended_at: None,
        };
        self.tell(LeadEventKind::Enrolled, &row, None, begun_at);
        let exit = self.exit(published, begun_at);
        while row.state == EnrollmentState::Active && row.due_at <= self.world.now {
            let at = row.due_at;
            if exit.as_ref().is_some_and(|(exit_at, _)| *exit_at <= at) {
                break;
            }
            self.step(published, &mut row, at);
            self.wake(published, &mut row);
        }
        if let (EnrollmentState::Active, Some((at, end))) = (row.state, exit) {
            self.end(&mut row, &end, at);
        }
        self.book.enrollments.push(row);
    }

    /// Looks at an enrollment once.
    fn step(&mut self, published: &PublishedSequence, row: &mut enrollment::Model, at: DateTime<Utc>) {
        let lead = self.lead_in(self.told.stage_at(at));
        let playbook = self.world.playbook;
        let zones = self.zones();
        let zone = zones
            .first()
            .copied()
            .unwrap_or_else(|| playbook.zone(lead.facility_id));
        let plan = Plan {
            sequence_id: published.sequence.id,
            steps: &published.version.steps,
            exits: &published.version.exits,
            zone,
            begun_at: row.created_at,
        };
        let place = Place {
            step_key: row.step_key.clone(),
            entered_step: row.entered_step,
            happened: row.happened,
            occurrence: row.occurrence,
            due_at: at,
        };
        let facts = facts::of(&lead, &self.known.contact, playbook);
        let course = course::follow(place, plan, &facts, at);
        for deed in &course.deeds {
            self.deed(published, row, deed, at);
        }
        row.step_key = course.place.step_key;
        row.entered_step = course.place.entered_step;
        row.happened = course.place.happened;
        row.occurrence = course.place.occurrence;
        row.due_at = course.place.due_at;
        row.updated_at = at;
        if let Some(end) = course.end {
            self.end(row, &end, at);
        }
    }

    /// Lets a wait for a stage or an appointment end when the story of the lead has it.
    fn wake(&self, published: &PublishedSequence, row: &mut enrollment::Model) {
        let step = published
            .version
            .steps
            .0
            .iter()
            .find(|step| step.key == row.step_key);
        let Some(step) = step.filter(|_| row.entered_step) else {
            return;
        };
        let ends = |stage: LeadStage| {
            let mut happened = vec![Happening::StageChanged];
            happened
                .extend((stage == LeadStage::AppointmentScheduled).then_some(Happening::AppointmentBooked));
            happened
                .iter()
                .any(|happening| happening.ends_wait(&step.action, stage))
        };
        let in_time = self
            .told
            .stages
            .iter()
            .find(|(at, stage)| *at > row.updated_at && *at < row.due_at && ends(*stage));
        if let Some((at, _)) = in_time {
            (row.happened, row.due_at) = (true, *at);
        }
    }

    fn deed(
        &mut self,
        published: &PublishedSequence,
        row: &enrollment::Model,
        deed: &Deed,
        at: DateTime<Utc>,
    ) {
        let playbook = self.world.playbook;
        match deed {
            Deed::Mail {
                step_key,
                occurrence,
                template,
            } => {
                let Some(version) = playbook.template_version(template) else {
                    return;
                };
                let sequence = &published.sequence;
                let step = NurtureStep {
                    sequence,
                    enrollment: row,
                    step_key,
                    occurrence: *occurrence,
                    version,
                    visit_at: None,
                };
                let planned = plan::nurture(&self.world.h.site, &step, at);
                self.send(planned, MessageKind::Nurture, sequence.purpose, at);
            }
            Deed::FollowUp {
                step_key,
                occurrence,
                title,
                due_in_mins,
            } => {
                let lead = &self.told.lead;
                let calendar = playbook.calendar(lead.facility_id);
                let step = SequenceStep {
                    enrollment_id: row.id,
                    origin_key: format!("follow-up/{}/{step_key}/{occurrence}", row.id.0),
                    title,
                    due_at: policy::due_after(&calendar, at, *due_in_mins),
                };
                let remind_before_mins = Pace::of(lead, playbook).remind_before_mins;
                let asked = build::from_sequence(&About::from(lead), step, remind_before_mins, at);
                self.work(asked, at);
            }
            // Nobody on the staff of the demo looks for mail of the past, and its leads are told as they are now.
            Deed::Notice { .. } | Deed::Lead { .. } => {}
        }
    }

    /// A follow-up that a sequence asked for: done about when it was due, unless the lead was closed before.
    fn work(&mut self, asked: follow_up::Model, at: DateTime<Utc>) {
        let id = self.book.id(at);
        let done_at = asked.due_at + TimeDelta::minutes(7);
        let closed_at = self.told.lead.closed_at.filter(|closed_at| *closed_at < done_at);
        let (state, outcome, ended_at) = match closed_at {
            Some(closed_at) => (FollowUpState::Cancelled, "The lead was closed", closed_at.max(at)),
            None => (FollowUpState::Done, "Spoke with the practice", done_at),
        };
        let row = follow_up::Model {
            id,
            ..as_of(asked, self.world.now.min(ended_at))
        };
        let ended = ended_at <= self.world.now;
        self.book.follow_ups.push(follow_up::Model {
            state: if ended { state } else { FollowUpState::Open },
            outcome: ended.then(|| outcome.to_owned()),
            completed_at: ended.then_some(ended_at),
            remind_at: row.remind_at.filter(|_| !ended),
            moves_at: row.moves_at.filter(|_| !ended),
            version: row.version + i64::from(ended),
            ..row
        });
    }

    /// What ends an enrollment before its end: a stage, the closing, a withdrawal.
    fn exit(&self, published: &PublishedSequence, begun_at: DateTime<Utc>) -> Option<(DateTime<Utc>, End)> {
        let version = &published.version;
        let by_stage = self.told.stages.iter().filter(|(at, _)| *at > begun_at);
        let by_stage = by_stage.filter_map(|(at, stage)| {
            let lead = self.lead_in(*stage);
            let facts = facts::of(&lead, &self.known.contact, self.world.playbook);
            Some((*at, course::ending(&version.steps, &version.exits, &facts)?))
        });
        let takes_back = |event: &&consent_event::Model| {
            event.action == ConsentAction::Withdraw
                && event.occurred_at > begun_at
                && event
                    .purpose
                    .is_none_or(|purpose| purpose == published.sequence.purpose)
        };
        let by_person = self.known.consents.iter().filter(takes_back);
        let by_person = by_person.map(|event| (event.occurred_at, End::Left(ExitReason::Withdrawn)));
        by_stage.chain(by_person).min_by_key(|(at, _)| *at)
    }

    fn end(&mut self, row: &mut enrollment::Model, how: &End, at: DateTime<Utc>) {
        row.state = how.state();
        row.exit_reason = how.reason();
        row.goal_key = how.goal_key().map(str::to_owned);
        row.updated_at = at;
        row.ended_at = Some(at);
        self.tell(LeadEventKind::Unenrolled, row, Some(how.word()), at);
    }

    fn tell(&mut self, kind: LeadEventKind, row: &enrollment::Model, why: Option<&str>, at: DateTime<Utc>) {
        let event = NewEvent::new(row.lead_id, kind, Actor::SYSTEM, at)
            .with("enrollmentId", row.id.to_string())
            .with("sequenceId", row.sequence_id.to_string());
        let event = match why {
            Some(why) => event.with("reason", why),
            None => event,
        };
        self.book.event(event, at);
    }

    fn zones(&self) -> Vec<chrono_tz::Tz> {
        let facility = self.world.playbook.zone(self.told.lead.facility_id);
        possible_zones(None, self.known.contact.region.as_deref(), facility)
    }

    /// Whether mails may be made of the text that a message was planned with.
    fn approval(&self, row: &message::ActiveModel) -> TemplateApproval {
        let versions = &self.world.playbook.template_versions;
        let version = row.template_version_id.try_as_ref().copied().flatten();
        match version.and_then(|id| versions.get(&id)) {
            Some(version) if is_approved(version) => TemplateApproval::Approved,
            _ => TemplateApproval::NotApproved,
        }
    }

    /// What the gate says at a moment.
    fn ask_gate(
        &self,
        kind: MessageKind,
        purpose: Purpose,
        template: TemplateApproval,
        planned_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Decision {
        let address = self.known.address();
        let standing = address.as_deref().map_or(Standing::None, |address| {
            fold(&self.known.consents, Medium::Email, address, purpose, now)
        });
        gate::decide(&GateInput {
            kind,
            purpose,
            planned_at,
            expires_at: planned_at + TimeDelta::days(14),
            address: address.as_deref(),
            standing,
            suppressed: self
                .known
                .bounced_at
                .filter(|at| *at <= now)
                .map(|_| SuppressionReason::HardBounce),
            preferences: Preferences::default(),
            zones: &self.zones(),
            window: self
                .world
                .playbook
                .send_windows
                .of(self.known.contact.region.as_deref()),
            // The story of the demonstration keeps far below the caps and has nobody who holds anything.
            caps: Caps::default(),
            history: &[],
            campaigns: &[],
            mailing_stopped: false,
            sequence_paused: false,
            template,
            pacing: Pacing::Open,
            turn: Turn::Now,
            sending_stopped: false,
            lead_left: self.told.lead.closed_at.is_some_and(|closed_at| closed_at <= now),
            out_of_date: false,
            staff_away: false,
            now,
        })
    }

    /// Lets a mail go as far as it had come by now.
    fn send(
        &mut self,
        mut row: message::ActiveModel,
        kind: MessageKind,
        purpose: Purpose,
        at: DateTime<Utc>,
    ) {
        let id = self.book.id(at);
        row.id = Set(id);
        row.rfc_message_id = Set(plan::rfc_message_id(id, &self.world.h.site));
        self.note(id, MessageEventKind::Planned, None, at);
        let template = self.approval(&row);
        let mut try_at = at;
        for _ in 0..HOLDS_MAX {
            let decision = self.ask_gate(kind, purpose, template, at, try_at);
            row.decision = Set(Some(decision.clone()));
            match (decision.outcome, decision.until) {
                (GateOutcome::Allow, _) => {
                    self.hand_over(&mut row, id, kind, try_at, &decision);
                    break;
                }
                (GateOutcome::Withhold, _) => {
                    row.state = Set(MessageState::Withheld);
                    row.settled_at = Set(Some(try_at));
                    let why = decision.reasons.first().map(|reason| reason.code.as_str());
                    self.note(id, MessageEventKind::Withheld, why, try_at);
                    break;
                }
                (GateOutcome::Defer, until) => {
                    let why = decision.reasons.first().map(|reason| reason.code.as_str());
                    self.note(id, MessageEventKind::Deferred, why, try_at);
                    try_at = until.unwrap_or(try_at + gate::RECHECK);
                    row.due_at = Set(try_at);
                    row.state = Set(MessageState::Deferred);
                    if try_at > self.world.now {
                        break;
                    }
                }
            }
        }
        self.book.messages.push(row);
    }

    /// The mail server's answer to a mail that may go.
    fn hand_over(
        &mut self,
        row: &mut message::ActiveModel,
        id: entity::id::MessageId,
        kind: MessageKind,
        at: DateTime<Utc>,
        decision: &Decision,
    ) {
        let answered_at = (at + TimeDelta::milliseconds(1700)).min(self.world.now);
        row.due_at = Set(at);
        row.attempts = Set(1);
        row.fence = Set(1);
        row.handed_off_at = Set(Some(at));
        row.consent_event_id = Set(decision.consent_event_id);
        if kind == MessageKind::Nurture && self.loses_answer() {
            let detail = "the connection ended before the mail server answered";
            row.state = Set(MessageState::Unknown);
            row.response = Set(Some(detail.to_owned()));
            return self.note(id, MessageEventKind::Unknown, Some(detail), answered_at);
        }
        let (state, event, response) = if self.bounces(answered_at) {
            (
                MessageState::Refused,
                MessageEventKind::Refused,
                "550 5.1.1 User unknown",
            )
        } else {
            (MessageState::Accepted, MessageEventKind::Accepted, "250 2.0.0 Ok")
        };
        row.state = Set(state);
        row.response = Set(Some(response.to_owned()));
        row.settled_at = Set(Some(answered_at));
        self.note(id, event, Some(response), answered_at);
        if state == MessageState::Accepted {
            row.sent_at = Set(Some(answered_at));
            let sent = NewEvent::new(
                self.told.lead.id,
                LeadEventKind::MessageSent,
                Actor::SYSTEM,
                answered_at,
            )
            .with("messageId", id.to_string())
            .with("messageKind", kind.as_str());
            self.book.event(sent, answered_at);
        }
    }

    fn loses_answer(&mut self) -> bool {
        let is_next = self.book.messages.len() / UNKNOWN_EVERY > self.book.unknown;
        let loses = is_next && self.book.unknown < self.world.history.unknown;
        self.book.unknown += usize::from(loses);
        loses
    }

    /// Whether the address turns out not to exist; it is suppressed then.
    fn bounces(&mut self, at: DateTime<Utc>) -> bool {
        let is_next = self.book.leads.len() / BOUNCES_EVERY > self.book.suppressions.len();
        let enough = self.book.suppressions.len() >= self.world.history.suppressed;
        let Some(address) = self.known.address().filter(|_| is_next && !enough) else {
            return false;
        };
        self.known.bounced_at = Some(at);
        let row = suppression::Model {
            id: self.book.id(at),
            medium: Medium::Email,
            address_hash: self
                .world
                .h
                .secrets
                .address_hash(Medium::Email.as_str(), &address)
                .to_vec(),
            reason: SuppressionReason::HardBounce,
            created_at: at,
        };
        self.book.suppressions.push(row);
        true
    }

    fn note(
        &mut self,
        id: entity::id::MessageId,
        kind: MessageEventKind,
        detail: Option<&str>,
        at: DateTime<Utc>,
    ) {
        self.book.message_event(plan::event(id, kind, detail, at), at);
    }
}
