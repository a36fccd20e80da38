//! What becomes of one lead: attempts, stages, appointments, and the follow-ups that people work through.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::contact::resolve::Resolution;
use domain::follow_up::build::{self, About, Pace, Tried};
use domain::follow_up::place;
use domain::lead::decision::{self, Decision};
use domain::lead::event::NewEvent;
use domain::playbook::Playbook;
use domain::routing;
use domain::sla::calendar::Calendar;
use domain::sla::ladder::{self, NextStep};
use domain::viewer::Actor;
use entity::appointment::{self, AppointmentState};
use entity::enums::{ActorKind, AttemptOutcome, Channel, Disposition, LeadStage, Medium};
use entity::follow_up::{self, FollowUpState};
use entity::id::StaffId;
use entity::lead_event::LeadEventKind;
use entity::sla_policy::SlaStep;
use entity::touchpoint::TouchpointKind;
use entity::{attempt, lead, touchpoint};

use super::World;
use super::book::Book;
use super::chance::Chance;
use super::data::{Funnel, History};
use super::source::Asked;

/// How often people cannot be spoken with, in percent of tries.
const IN_VAIN: [(AttemptOutcome, f64); 4] = [
    (AttemptOutcome::Voicemail, 46.0),
    (AttemptOutcome::NoAnswer, 41.0),
    (AttemptOutcome::Busy, 10.0),
    (AttemptOutcome::WrongNumber, 3.0),
];
/// Why the reached are not qualified, in percent.
const NOT_QUALIFIED: [(Disposition, f64); 6] = [
    (Disposition::NotInterested, 30.0),
    (Disposition::Coverage, 22.0),
    (Disposition::NotEligible, 18.0),
    (Disposition::ChoseElsewhere, 14.0),
    (Disposition::WrongService, 10.0),
    (Disposition::NoCapacity, 6.0),
];
/// Why the qualified do not book, in percent.
const NOT_BOOKED: [(Disposition, f64); 4] = [
    (Disposition::ChoseElsewhere, 36.0),
    (Disposition::NotInterested, 30.0),
    (Disposition::NoCapacity, 20.0),
    (Disposition::Coverage, 14.0),
];

/// Days at the end of the history in which work has piled up, so that the demo has something to do.
const BACKLOG_DAYS: i64 = 4;

/// A lead with the stages that it went through.
pub(super) struct Told {
    pub(super) lead: lead::Model,
    /// Each stage with its moment, the oldest first.
    pub(super) stages: Vec<(DateTime<Utc>, LeadStage)>,
    /// Whether the form was answered by the mail of a template.
    pub(super) form: Option<entity::id::FormId>,
}

impl Told {
    /// The stage at a moment.
    pub(super) fn stage_at(&self, at: DateTime<Utc>) -> LeadStage {
        let until = self.stages.iter().take_while(|(when, _)| *when <= at);
        until.last().map_or(LeadStage::New, |(_, stage)| *stage)
    }
}

/// The lead as it comes in, by the rules that real leads come in by.
pub(super) fn receive(
    world: World<'_>,
    asked: &Asked<'_>,
    load: &mut HashMap<StaffId, i64>,
    book: &mut Book,
) -> lead::Model {
    let Asked {
        inquiry,
        source,
        person,
        at,
        ..
    } = asked;
    let (playbook, at) = (world.playbook, *at);
    let who = Resolution::New {
        contact: person.clone(),
        candidates: Vec::new(),
    };
    let arrival = decision::arrival(playbook, inquiry, *source, &who, at);
    let decision = decision::decide(arrival);
    // No rule of the demo hospital gives its leads by turns.
    let mut routing = routing::decide(&decision.found, playbook, load, &[], at);
    routing.basis.intake = Some(arrival.intake);
    if let Some(owner) = routing.owner_id {
        *load.entry(owner).or_default() += 1;
    }
    let Decision { triage, wanted, .. } = decision;
    let click = inquiry.visit.click_id.as_ref();
    lead::Model {
        id: book.id(at),
        contact_id: person.id,
        lead_type: inquiry.lead_type,
        stage: LeadStage::New,
        disposition: None,
        service_line_id: triage.service_line_id,
        requested_service: inquiry.requested_service.clone(),
        facility_id: decision.facility,
        team_id: routing.team_id,
        owner_id: routing.owner_id,
        urgent: decision.found.urgent,
        channel: source.channel,
        campaign_id: source.campaign_id,
        placement_id: source.placement_id,
        form_id: inquiry.form_id,
        external_id: None,
        landing_page: inquiry.visit.landing_page.clone(),
        referrer_host: inquiry.visit.referrer_host.clone(),
        utm: inquiry.visit.utm.clone(),
        source_code: inquiry.visit.source_code.clone(),
        click_id_kind: click.map(|id| id.kind.to_owned()),
        click_id_hash: click.map(|id| world.h.secrets.click_hash(&id.value).to_vec()),
        answers: lead::Answers(inquiry.answers.clone()),
        flags: lead::Flags(decision.flags),
        score_points: triage.score.points,
        score_grade: triage.score.grade,
        score_reasons: triage.score.reasons,
        score_revision: playbook.revision,
        routing,
        sla_policy_id: wanted.policy.map(|policy| policy.id),
        sla_due_at: wanted.due_at,
        sla_target_at: Some(wanted.target_at),
        sla_step: None,
        sla_step_at: None,
        taken_back_at: None,
        taken_from_id: None,
        sla_missed_at: None,
        attempts_wanted: wanted.attempts,
        attempts_made: 0,
        received_at: at,
        unfinished_at: None,
        first_attempt_at: None,
        first_attempt_business_secs: None,
        first_reached_at: None,
        qualified_at: None,
        scheduled_at: None,
        completed_at: None,
        closed_at: None,
        erased_at: None,
        version: 1,
        updated_at: at,
    }
}

/// Plays what people did until now.
pub(super) fn play(
    world: World<'_>,
    lead: lead::Model,
    asked: &Asked<'_>,
    chance: &mut Chance,
    book: &mut Book,
) -> Told {
    touch(&lead, asked, chance, book);
    let pace = Pace::of(&lead, world.playbook);
    let first = build::first_contact(
        &About::from(&lead),
        lead.sla_due_at,
        pace.remind_before_mins,
        asked.at,
    );
    let mut desk = Desk {
        now: world.now,
        calendar: world.playbook.calendar(lead.facility_id),
        pace,
        stages: vec![(asked.at, LeadStage::New)],
        open: Vec::new(),
        lead,
        book,
    };
    desk.received(first);
    desk.run(world, chance);
    desk.close_day(world.playbook);
    Told {
        form: asked.form.map(|form| form.id),
        lead: desk.lead,
        stages: desk.stages,
    }
}

/// The marketing that the person met on the way.
fn touch(lead: &lead::Model, asked: &Asked<'_>, chance: &mut Chance, book: &mut Book) {
    let clicked = matches!(
        lead.channel,
        Channel::PaidSearch | Channel::Social | Channel::Email
    );
    let before = if clicked && lead.placement_id.is_some() {
        chance.between(0, 2)
    } else {
        0
    };
    let kind = match lead.channel {
        _ if lead.form_id.is_some() => TouchpointKind::Form,
        Channel::Phone => TouchpointKind::Call,
        _ => TouchpointKind::Other,
    };
    let clicks = (0..before).map(|_| {
        (
            TouchpointKind::Click,
            TimeDelta::minutes(chance.between(3, 12_000)),
        )
    });
    let touches: Vec<_> = clicks.chain([(kind, TimeDelta::zero())]).collect();
    for (kind, ago) in touches {
        let at = asked.at - ago;
        let row = touchpoint::Model {
            id: book.id(at),
            contact_id: lead.contact_id,
            lead_id: Some(lead.id),
            kind,
            channel: lead.channel,
            campaign_id: lead.campaign_id,
            placement_id: lead.placement_id,
            at,
        };
        book.touchpoints.push(row);
    }
}

/// One lead on the desk of its team.
struct Desk<'b> {
    now: DateTime<Utc>,
    calendar: Calendar,
    pace: Pace,
    lead: lead::Model,
    stages: Vec<(DateTime<Utc>, LeadStage)>,
    open: Vec<follow_up::Model>,
    book: &'b mut Book,
}

impl Desk<'_> {
    fn owner(&self) -> Actor {
        match self.lead.owner_id {
            Some(id) => Actor {
                kind: ActorKind::Staff,
                id: Some(id.0),
            },
            None => Actor::SYSTEM,
        }
    }

    fn received(&mut self, first: follow_up::Model) {
        let (lead, at) = (&self.lead, self.lead.received_at);
        let actor = if lead.form_id.is_some() {
            Actor::VISITOR
        } else {
            Actor::SYSTEM
        };
        let received =
            NewEvent::new(lead.id, LeadEventKind::Received, actor, at).with("channel", lead.channel.as_str());
        let routed = NewEvent::new(lead.id, LeadEventKind::Routed, Actor::SYSTEM, at)
            .with("rule", lead.routing.rule.as_str())
            .with("team", lead.team_id.to_string())
            .with("owner", lead.owner_id.map(|id| id.to_string()));
        self.book.event(received, at);
        self.book.event(routed, at);
        let id = self.book.id(at);
        self.open.push(follow_up::Model { id, ..first });
    }

    /// The whole story, as far as time allows: each part answers whether there is a next one.
    fn run(&mut self, world: World<'_>, chance: &mut Chance) {
        let history = world.history;
        let line = self
            .lead
            .service_line_id
            .and_then(|id| world.playbook.lines.get(&id));
        let slug = line.map_or("cardiology", |line| line.slug.as_str());
        let Some(funnel) = history.lines.get(slug) else {
            return;
        };
        let luck = history.channels.get(&self.lead.channel).copied().unwrap_or(1.0);
        let direct = line.is_some_and(|line| line.direct_scheduling);
        let none = [
            (Disposition::Spam, history.spam_percent),
            (Disposition::Duplicate, history.duplicate_percent),
        ];
        for (why, percent) in none {
            if chance.percent(percent) {
                let at = self.after(self.lead.received_at, chance.between(8, 400));
                return self.close(at, why);
            }
        }
        let Some(reached_at) = self.try_to_reach((funnel.reached * luck).min(0.97), history, chance) else {
            return;
        };
        let Some(qualified_at) = self.qualify(reached_at, (funnel.qualified * luck).min(0.95), chance) else {
            return;
        };
        if self.book_visit(qualified_at, funnel, direct, chance) {
            self.visit(funnel, chance);
        }
    }

    /// Business minutes later, and some seconds.
    fn after(&self, at: DateTime<Utc>, mins: i64) -> DateTime<Utc> {
        let odd = TimeDelta::seconds((at.timestamp() + mins).rem_euclid(50));
        let amount = TimeDelta::minutes(mins) + odd;
        self.calendar.add_business(at, amount).unwrap_or(at + amount)
    }

    /// Tries until the person is reached; answers when.
    fn try_to_reach(&mut self, share: f64, history: &History, chance: &mut Chance) -> Option<DateTime<Utc>> {
        let is_reached = chance.yes(share);
        let reached_on = 1 + chance.weighted([52.0, 24.0, 13.0, 7.0, 4.0].into_iter()) as i32;
        let patience = if chance.yes(0.85) {
            self.lead.attempts_wanted
        } else {
            3
        };
        let mut at = self.first_attempt_at(history, chance);
        loop {
            if at > self.now {
                return None;
            }
            let number = self.lead.attempts_made + 1;
            if is_reached && number >= reached_on.min(patience) {
                return self.speak(at, chance);
            }
            let outcome = IN_VAIN[chance.weighted(IN_VAIN.iter().map(|(_, weight)| *weight))].0;
            self.attempt(at, outcome, None);
            if outcome == AttemptOutcome::WrongNumber || number >= patience {
                let closed_at = self.after(at, chance.between(20, 900));
                self.close(closed_at, Disposition::Unreachable);
                return None;
            }
            at = self.after(at, self.pace.spacing_mins * chance.between(90, 420) / 100);
        }
    }

    fn first_attempt_at(&self, history: &History, chance: &mut Chance) -> DateTime<Utc> {
        let wanted = self.pace.first_attempt_mins as f64;
        let mins = if chance.percent(history.in_time_percent) {
            wanted * (0.04 + 0.86 * chance.unit().powf(1.4))
        } else {
            wanted * (1.08 + 5.0 * chance.unit().powi(2))
        };
        let at = self.after(self.lead.received_at, mins as i64);
        let is_recent = self.lead.received_at > self.now - TimeDelta::days(BACKLOG_DAYS);
        let waits = chance.percent(history.backlog_percent);
        if waits && is_recent {
            self.now + TimeDelta::hours(1)
        } else {
            at
        }
    }

    /// Both sides speak; answers when the person was reached for good, if that is past and was no.
    fn speak(&mut self, at: DateTime<Utc>, chance: &mut Chance) -> Option<DateTime<Utc>> {
        let throw = chance.unit();
        if throw < 0.06 {
            self.attempt(at, AttemptOutcome::Declined, None);
            self.close(at + TimeDelta::minutes(4), Disposition::NotInterested);
            return None;
        }
        if throw < 0.15 {
            let callback_at = self.after(at, chance.between(90, 1400));
            self.attempt(at, AttemptOutcome::CallbackAsked, Some(callback_at));
            let called_at = callback_at + TimeDelta::minutes(chance.between(-3, 11));
            if called_at > self.now {
                return None;
            }
            self.attempt(called_at, AttemptOutcome::Reached, None);
            return Some(called_at);
        }
        self.attempt(at, AttemptOutcome::Reached, None);
        Some(at)
    }

    fn qualify(
        &mut self,
        reached_at: DateTime<Utc>,
        share: f64,
        chance: &mut Chance,
    ) -> Option<DateTime<Utc>> {
        let fits = chance.yes(share);
        let mins = if chance.yes(0.7) {
            chance.between(2, 25)
        } else {
            chance.between(120, 1300)
        };
        let at = self.after(reached_at, mins);
        if !fits {
            let why = NOT_QUALIFIED[chance.weighted(NOT_QUALIFIED.iter().map(|(_, weight)| *weight))].0;
            self.close(at, why);
            return None;
        }
        (at <= self.now).then(|| {
            self.lead.qualified_at = Some(at);
            self.stage(LeadStage::Qualified, at);
            at
        })
    }

    /// Books the first visit; answers whether there is one.
    fn book_visit(
        &mut self,
        qualified_at: DateTime<Utc>,
        funnel: &Funnel,
        direct: bool,
        chance: &mut Chance,
    ) -> bool {
        let books = chance.yes(funnel.scheduled);
        let at_once = chance.yes(if direct { 0.85 } else { 0.55 });
        let mins = if at_once {
            chance.between(2, 20)
        } else {
            chance.between(240, 2400)
        };
        let at = self.after(qualified_at, mins);
        if !books {
            let why = NOT_BOOKED[chance.weighted(NOT_BOOKED.iter().map(|(_, weight)| *weight))].0;
            let at = self.after(qualified_at, chance.between(900, 5200));
            self.close(at, why);
            return false;
        }
        if at > self.now {
            return false;
        }
        let (least, most) = funnel.days_to_visit;
        self.schedule(at, TimeDelta::days(chance.between(least, most)), chance);
        true
    }

    /// The day of the visit, and what came of it.
    fn visit(&mut self, funnel: &Funnel, chance: &mut Chance) {
        let comes = chance.yes(funnel.attended);
        let tries_again = chance.yes(0.5);
        if self.attend(comes, chance) || comes {
            return;
        }
        let Some(missed_at) = self
            .book
            .appointments
            .last()
            .filter(|_| self.missed())
            .map(|row| row.starts_at)
        else {
            return;
        };
        let spoken_at = self.after(missed_at, chance.between(60, 900));
        if spoken_at > self.now {
            return;
        }
        if tries_again {
            self.schedule(spoken_at, TimeDelta::days(chance.between(4, 14)), chance);
            self.attend(true, chance);
        } else {
            self.close(spoken_at + TimeDelta::days(3), Disposition::NotInterested);
        }
    }

    /// Whether the last appointment was missed.
    fn missed(&self) -> bool {
        let last = self.book.appointments.last();
        last.is_some_and(|row| row.lead_id == self.lead.id && row.state == AppointmentState::NoShow)
    }

    /// Settles the last appointment if its day is past; answers whether the person came.
    fn attend(&mut self, comes: bool, chance: &mut Chance) -> bool {
        let told = TimeDelta::minutes(chance.between(35, 140));
        let id = self.lead.id;
        let Some(row) = self.book.appointments.last_mut().filter(|row| row.lead_id == id) else {
            return false;
        };
        let at = row.starts_at + told;
        if at > self.now {
            return false;
        }
        row.state = if comes {
            AppointmentState::Attended
        } else {
            AppointmentState::NoShow
        };
        row.updated_at = at;
        if comes {
            self.lead.completed_at = Some(row.starts_at);
            self.stage(LeadStage::VisitCompleted, at);
        }
        comes
    }

    fn schedule(&mut self, at: DateTime<Utc>, ahead: TimeDelta, chance: &mut Chance) {
        let opens = self.calendar.next_open(at + ahead).unwrap_or(at + ahead);
        let quarter = 15 * 60;
        // The next quarter of an hour, so that the book of the practice looks like one.
        let starts_at = opens + TimeDelta::seconds(quarter - opens.timestamp().rem_euclid(quarter));
        let starts_at = starts_at + TimeDelta::minutes(15 * chance.between(0, 6));
        let starts_at = DateTime::from_timestamp(starts_at.timestamp(), 0).unwrap_or(starts_at);
        let row = appointment::Model {
            id: self.book.id(at),
            lead_id: self.lead.id,
            facility_id: self.lead.facility_id,
            starts_at,
            ends_at: Some(starts_at + TimeDelta::minutes(15 * chance.between(2, 4))),
            state: AppointmentState::Booked,
            created_at: at,
            updated_at: at,
        };
        let booked = NewEvent::new(
            self.lead.id,
            LeadEventKind::AppointmentScheduled,
            self.owner(),
            at,
        )
        .with("appointmentId", row.id.to_string())
        .with("startsAt", starts_at.to_rfc3339())
        .with("moved", false);
        self.book.event(booked, at);
        self.book.appointments.push(row);
        self.finish(at, FollowUpState::Done, "Appointment scheduled");
        if self.lead.stage != LeadStage::AppointmentScheduled {
            self.lead.scheduled_at = Some(at);
            self.stage(LeadStage::AppointmentScheduled, at);
        }
    }

    fn attempt(&mut self, at: DateTime<Utc>, outcome: AttemptOutcome, callback_at: Option<DateTime<Utc>>) {
        let row = attempt::Model {
            id: self.book.id(at),
            lead_id: self.lead.id,
            staff_id: self.lead.owner_id,
            medium: Medium::Phone,
            outcome,
            note: None,
            callback_at,
            at,
        };
        self.clock(at, outcome);
        let tried = NewEvent::new(self.lead.id, LeadEventKind::Attempted, self.owner(), at)
            .with("attemptId", row.id.to_string())
            .with("medium", row.medium.as_str())
            .with("outcome", outcome.as_str())
            .with("attemptsMade", self.lead.attempts_made)
            .with("madeAt", at.to_rfc3339());
        self.book.event(tried, at);
        self.book.attempts.push(row);
        if self.lead.stage == LeadStage::New {
            self.stage(LeadStage::Contacted, at);
        }
        self.finish(at, FollowUpState::Done, in_words(outcome));
        let tried = Tried {
            outcome,
            at,
            callback_at,
            attempts_made: self.lead.attempts_made,
            attempts_wanted: self.lead.attempts_wanted,
            ever_reached: self.lead.first_reached_at.is_some(),
            stage: self.lead.stage,
            callback_waits: false,
        };
        if let Some(next) =
            build::after_attempt(&About::from(&self.lead), &tried, self.pace, &self.calendar, at)
        {
            let id = self.book.id(at);
            self.open.push(follow_up::Model { id, ..next });
        }
    }

    /// The lead's own clocks after an attempt.
    fn clock(&mut self, at: DateTime<Utc>, outcome: AttemptOutcome) {
        let lead = &mut self.lead;
        lead.attempts_made += 1;
        lead.version += 1;
        lead.updated_at = at;
        if outcome.is_two_way() {
            lead.first_reached_at.get_or_insert(at);
        }
        if lead.first_attempt_at.is_none() {
            let business = self.calendar.business_between(lead.received_at, at);
            lead.first_attempt_at = Some(at);
            lead.first_attempt_business_secs = Some(business.num_seconds());
            self.miss(at);
        }
    }

    /// Marks the first attempt as late, if it was by `at`.
    fn miss(&mut self, at: DateTime<Utc>) {
        let due_at = self.lead.sla_due_at;
        if due_at <= at && self.lead.sla_missed_at.is_none() {
            self.lead.sla_missed_at = Some(due_at);
            let missed = NewEvent::new(self.lead.id, LeadEventKind::SlaMissed, Actor::SYSTEM, due_at)
                .with("dueAt", due_at.to_rfc3339());
            self.book.event(missed, due_at);
        }
    }

    fn stage(&mut self, to: LeadStage, at: DateTime<Utc>) {
        let event = NewEvent::stage(self.lead.id, self.lead.stage, to, self.owner(), at);
        self.move_to(to, at, event);
    }

    fn move_to(&mut self, to: LeadStage, at: DateTime<Utc>, event: NewEvent) {
        self.book.event(event, at);
        self.lead.stage = to;
        self.lead.version += 1;
        self.lead.updated_at = at;
        self.stages.push((at, to));
    }

    fn close(&mut self, at: DateTime<Utc>, why: Disposition) {
        if at > self.now {
            return;
        }
        let event = NewEvent::stage(self.lead.id, self.lead.stage, LeadStage::Closed, self.owner(), at)
            .with("disposition", why.as_str());
        self.miss_unless_attempted(at);
        self.lead.disposition = Some(why);
        self.lead.closed_at = Some(at);
        self.move_to(LeadStage::Closed, at, event);
        self.finish(at, FollowUpState::Cancelled, "The lead was closed");
    }

    fn miss_unless_attempted(&mut self, at: DateTime<Utc>) {
        if self.lead.first_attempt_at.is_none() {
            self.miss(at);
        }
    }

    /// Ends what is open.
    fn finish(&mut self, at: DateTime<Utc>, state: FollowUpState, outcome: &str) {
        for row in std::mem::take(&mut self.open) {
            let change = if state == FollowUpState::Done {
                "DONE"
            } else {
                "CANCELLED"
            };
            let changed = NewEvent::new(row.lead_id, LeadEventKind::FollowUpChanged, self.owner(), at)
                .with("followUpId", row.id.to_string())
                .with("kind", row.kind.as_str())
                .with("change", change);
            self.book.event(changed, at);
            let ended = follow_up::Model {
                state,
                outcome: Some(outcome.to_owned()),
                completed_at: Some(at),
                remind_at: None,
                moves_at: None,
                version: row.version + 1,
                ..as_of(row, at)
            };
            self.book.follow_ups.push(ended);
        }
    }

    /// The first step about a lead that nobody has tried to reach which lies ahead.
    fn next_step(&self, playbook: &Playbook) -> Option<NextStep> {
        let lead = &self.lead;
        let policy = playbook
            .sla
            .iter()
            .find(|policy| Some(policy.id) == lead.sla_policy_id)?;
        let before = std::iter::once(None).chain(SlaStep::ALL.iter().copied().map(Some));
        before
            .filter_map(|taken| ladder::next(policy, taken, &self.calendar, lead.received_at, &[]))
            .find(|next| next.at > self.now)
    }

    /// What is still open now waits as the sweeps would have left it, so that nothing is mailed about the past.
    fn close_day(&mut self, playbook: &Playbook) {
        if self.lead.stage == LeadStage::New {
            self.miss_unless_attempted(self.now);
            let next = self.next_step(playbook);
            self.lead.sla_step = next.map(|next| next.step);
            self.lead.sla_step_at = next.map(|next| next.at);
        }
        for row in std::mem::take(&mut self.open) {
            self.book.follow_ups.push(as_of(row, self.now));
        }
    }
}

/// A follow-up as the sweeps leave it at a moment: late is marked, and what was to be reminded is reminded.
pub(super) fn as_of(row: follow_up::Model, at: DateTime<Utc>) -> follow_up::Model {
    let mut row = follow_up::Model {
        late_at: (row.due_at <= at).then_some(row.due_at),
        remind_at: row.remind_at.filter(|remind_at| *remind_at > at),
        ..row
    };
    let score = -row.weight;
    place::put(&mut row, score, at);
    row
}

/// What came of a follow-up that an attempt answered.
const fn in_words(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Reached => "Reached",
        AttemptOutcome::Voicemail => "Left a voicemail",
        AttemptOutcome::NoAnswer => "No answer",
        AttemptOutcome::Busy => "Busy",
        AttemptOutcome::WrongNumber => "Wrong number",
        AttemptOutcome::CallbackAsked => "Asked to be called back",
        AttemptOutcome::Declined => "Declined",
        AttemptOutcome::DoNotCall => "Asked not to be called",
    }
}
