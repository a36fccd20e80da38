//! The gate against a second statement of its rules, written the plain way: minute by minute, event by event, without
//! anything of the gate's own. Whatever the gate lets through this allows, and the other way round.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::{America, Pacific, Tz};
use entity::campaign::{self, CampaignState};
use entity::consent_event::{self, ConsentAction, ConsentLevel, ConsentMethod, ConsentSource};
use entity::enums::{ActorKind, Channel, Medium, Purpose};
use entity::id::{CampaignId, ConsentEventId, ContactId};
use entity::message::{GateOutcome, MessageKind};
use entity::suppression::SuppressionReason;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::consent::standing::fold;
use crate::outreach::gate::{
    self, CampaignNow, Caps, GateInput, Pacing, Preferences, TemplateApproval, Turn,
};
use crate::quiet_hours::windows::SendWindows;

const ADDRESS: &str = "pat@example.org";
const HOSPITAL_ZONE: Tz = America::New_York;

/// Everything that may bear on one mail, as it was said and done.
#[derive(Clone, Debug)]
struct World {
    kind: MessageKind,
    purpose: Purpose,
    planned_at: DateTime<Utc>,
    now: DateTime<Utc>,
    has_address: bool,
    consents: Vec<consent_event::Model>,
    suppressed: Option<SuppressionReason>,
    state: Option<&'static str>,
    zones: Vec<Tz>,
    paused_until: Option<DateTime<Utc>>,
    max_per_week: Option<u32>,
    wants_line: bool,
    sent: Vec<DateTime<Utc>>,
    campaign: Option<(campaign::Model, i64)>,
    sequence_paused: bool,
    mailing_stopped: bool,
    template: TemplateApproval,
    held: Option<Option<DateTime<Utc>>>,
    turn_at: Option<DateTime<Utc>>,
    stopped: bool,
    lead_left: bool,
    out_of_date: bool,
    staff_away: bool,
}

/// Whether the mail may go, said plainly.
fn may_go(world: &World) -> bool {
    let now = world.now;
    if world.mailing_stopped {
        return false;
    }
    if !world.has_address || now >= world.planned_at + TimeDelta::days(14) {
        return false;
    }
    let to_staff = !matches!(
        world.kind,
        MessageKind::Confirmation | MessageKind::OptIn | MessageKind::FormSaved | MessageKind::Nurture
    );
    if matches!(
        world.suppressed,
        Some(SuppressionReason::HardBounce | SuppressionReason::DoNotContact)
    ) {
        return false;
    }
    if to_staff {
        return !world.out_of_date && !world.staff_away;
    }
    if world.lead_left {
        return false;
    }
    // Walk through what the person said, in order of time; at one moment the stricter word comes last.
    let mut said: Vec<_> = world
        .consents
        .iter()
        .filter(|event| speaks_here(event, world))
        .collect();
    said.sort_by_key(|event| {
        let strictness = match event.action {
            ConsentAction::Deny | ConsentAction::Pending => 0,
            ConsentAction::Grant => 1,
            ConsentAction::Expire => 2,
            ConsentAction::Withdraw => 3,
        };
        (event.occurred_at, strictness)
    });
    let mut agreed = false;
    let mut took_back_at = None;
    for event in said {
        match event.action {
            ConsentAction::Grant => (agreed, took_back_at) = (true, None),
            ConsentAction::Withdraw => (agreed, took_back_at) = (false, Some(event.occurred_at)),
            ConsentAction::Expire => (agreed, took_back_at) = (false, None),
            ConsentAction::Deny | ConsentAction::Pending => {}
        }
    }
    if matches!(world.kind, MessageKind::Confirmation | MessageKind::FormSaved) {
        return took_back_at.is_none_or(|at| at < world.planned_at);
    }
    if !agreed {
        return false;
    }
    let reminder = world.purpose == Purpose::Reminder;
    if !reminder
        && matches!(
            world.suppressed,
            Some(SuppressionReason::Complaint | SuppressionReason::SoftBounces)
        )
    {
        return false;
    }
    if !reminder && world.stopped {
        return false;
    }
    if world.sequence_paused || world.template == TemplateApproval::NotApproved {
        return false;
    }
    if let Some((campaign, _)) = &world.campaign
        && campaign.state == CampaignState::Paused
    {
        return false;
    }
    let zones = if world.zones.is_empty() {
        crate::contact::zones::us_zones()
    } else {
        world.zones.clone()
    };
    if zones.iter().any(|zone| is_night(now, *zone, world.state)) {
        return false;
    }
    !matches!(world.purpose, Purpose::Marketing | Purpose::Research) || promotion_may_go(world)
}

fn promotion_may_go(world: &World) -> bool {
    let now = world.now;
    if !world.wants_line || world.paused_until.is_some_and(|until| now < until) {
        return false;
    }
    let lately = |hours: i64| {
        world
            .sent
            .iter()
            .filter(|at| **at > now - TimeDelta::hours(hours))
            .count()
    };
    let own = world.max_per_week.unwrap_or(1000) as usize;
    if lately(24) >= 2 || lately(7 * 24) >= 4 || lately(7 * 24) >= own {
        return false;
    }
    if let Some((campaign, spent)) = &world.campaign {
        let today = now.with_timezone(&HOSPITAL_ZONE).date_naive();
        let runs = campaign.state == CampaignState::Live
            && campaign.starts_on.is_none_or(|first| first <= today)
            && campaign.ends_on.is_none_or(|last| today <= last);
        let has_money = *spent == 0 || campaign.budget_minor.is_none_or(|budget| *spent < budget);
        if !runs || !has_money {
            return false;
        }
    }
    let held = match world.held {
        None => false,
        Some(until) => until.is_none_or(|until| now < until),
    };
    let waits_in_line = world.turn_at.is_some_and(|at| now < at);
    !((held || waits_in_line) && world.purpose == Purpose::Marketing)
}

/// Whether a consent event is about this mail and has happened.
fn speaks_here(event: &consent_event::Model, world: &World) -> bool {
    let about_purpose = match event.purpose {
        Some(purpose) => purpose == world.purpose,
        None => matches!(event.action, ConsentAction::Withdraw | ConsentAction::Expire),
    };
    let about_address = match &event.address {
        Some(address) => address == ADDRESS,
        None => true,
    };
    event.medium == Medium::Email && about_purpose && about_address && event.occurred_at <= world.now
}

/// The quiet hours of house, country and state on the wall clock.
fn is_night(now: DateTime<Utc>, zone: Tz, state: Option<&str>) -> bool {
    let local = now.with_timezone(&zone);
    let (hour, sunday) = (local.hour(), local.weekday() == Weekday::Sun);
    let house_is_shut = sunday || !(9..20).contains(&hour);
    let rhode_island = state.is_none() || state == Some("RI");
    // Of the states that are known, Rhode Island ends first; the house is as strict as the others.
    house_is_shut || (rhode_island && hour >= 18)
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 17, 0, 0).unwrap()
}

fn minutes(around: std::ops::Range<i64>) -> impl Strategy<Value = DateTime<Utc>> {
    around.prop_map(|minutes| noon() + TimeDelta::minutes(minutes))
}

prop_compose! {
    fn consent()(
        hours in -400_i64..60,
        action in prop::sample::select(vec![
            ConsentAction::Grant, ConsentAction::Grant, ConsentAction::Withdraw, ConsentAction::Deny,
            ConsentAction::Expire,
        ]),
        purpose in prop::option::weighted(0.9, prop::sample::select(Purpose::ALL)),
        marketing in any::<bool>(),
        address in prop::sample::select(vec![Some(ADDRESS), Some(ADDRESS), None, Some("other@example.org")]),
        medium in prop::sample::select(vec![Medium::Email, Medium::Email, Medium::Email, Medium::Sms]),
        id in any::<u128>(),
    ) -> consent_event::Model {
        let at = noon() + TimeDelta::hours(hours);
        consent_event::Model {
            id: ConsentEventId(Uuid::from_u128(id)),
            contact_id: ContactId(Uuid::nil()),
            medium,
            address: address.map(str::to_owned),
            purpose: purpose.map(|purpose| if marketing { Purpose::Marketing } else { purpose }),
            action,
            level: ConsentLevel::Express,
            wording_id: None,
            wording_sha256: None,
            language: None,
            method: ConsentMethod::WebForm,
            source: ConsentSource::default(),
            evidence: None,
            personal_salt: Some(vec![7; 16]),
            commitment: Vec::new(),
            refers_to_id: None,
            expires_at: None,
            actor_kind: ActorKind::Visitor,
            actor_id: None,
            occurred_at: at,
            recorded_at: at,
            erased_at: None,
        }
    }
}

prop_compose! {
    fn campaign()(
        state in prop::sample::select(vec![
            CampaignState::Live, CampaignState::Live, CampaignState::Live, CampaignState::Live, CampaignState::Paused,
            CampaignState::Ended, CampaignState::Draft,
        ]),
        first in prop::option::weighted(0.3, -9_i64..4),
        last in prop::option::weighted(0.3, -3_i64..9),
        budget in prop::option::weighted(0.3, 0_i64..3),
        spent in 0_i64..3,
    ) -> (campaign::Model, i64) {
        let day = |days: i64| NaiveDate::from_ymd_opt(2026, 11, 1).unwrap() + TimeDelta::days(days);
        let row = campaign::Model {
            id: CampaignId(Uuid::nil()),
            code: "fall".to_owned(),
            name: "Fall".to_owned(),
            channel: Channel::Email,
            state,
            goal: None,
            starts_on: first.map(day),
            ends_on: last.map(day),
            budget_minor: budget,
            currency: "USD".to_owned(),
demand_making: false,
            version: 1,
            created_at: noon(),
            updated_at: noon(),
        };
        (row, spent)
    }
}

prop_compose! {
    fn contact()(
        place in prop::sample::select(vec![
            (Some("NY"), vec![America::New_York]),
            (Some("NY"), vec![America::New_York]),
            (Some("RI"), vec![America::New_York]),
            (Some("CO"), vec![America::Denver]),
            (Some("KY"), vec![America::New_York, America::Chicago]),
            (Some("HI"), vec![Pacific::Honolulu]),
            (None, vec![America::Chicago]),
            (None, vec![]),
        ]),
        has_address in prop::bool::weighted(0.95),
        suppressed in prop::option::weighted(0.15, prop::sample::select(SuppressionReason::ALL)),
        paused_until in prop::option::weighted(0.2, minutes(-3000..3000)),
        max_per_week in prop::option::weighted(0.2, 1_u32..6),
        wants_line in prop::bool::weighted(0.9),
        sent in prop::collection::vec(minutes(-6_000..1_400), 0..5),
    ) -> (Option<&'static str>, Vec<Tz>, bool, Option<SuppressionReason>, Preferences, Vec<DateTime<Utc>>) {
        let (state, zones) = place;
        (state, zones, has_address, suppressed, Preferences { paused_until, max_per_week, wants_line }, sent)
    }
}

prop_compose! {
    fn world()(
        kind in prop::sample::select(vec![
            MessageKind::Nurture, MessageKind::Nurture, MessageKind::Nurture, MessageKind::Confirmation,
            MessageKind::FormSaved, MessageKind::FollowUpLate,
        ]),
        purpose in prop::sample::select(vec![
            Purpose::Marketing, Purpose::Marketing, Purpose::Research, Purpose::CareCoordination, Purpose::Reminder,
        ]),
        planned in -3000_i64..1,
        // From Monday to Thursday.
        now in 1_400_i64..6_500,
        consents in prop::collection::vec(consent(), 0..7),
        agreed in prop::bool::weighted(0.8),
        (state, zones, has_address, suppressed, preferences, sent) in contact(),
        campaign in prop::option::weighted(0.4, campaign()),
        template in prop::sample::select(vec![
            TemplateApproval::NotNeeded, TemplateApproval::Approved, TemplateApproval::Approved,
            TemplateApproval::NotApproved,
        ]),
        held in prop::option::weighted(0.15, prop::option::of(minutes(-3000..3000))),
        turn_at in prop::option::weighted(0.2, minutes(1_000..7_000)),
        flags in (
            prop::bool::weighted(0.05), prop::bool::weighted(0.05), prop::bool::weighted(0.05), prop::bool::weighted(0.3),
            prop::bool::weighted(0.05), prop::bool::weighted(0.2),
        ),
    ) -> World {
        let mut consents = consents;
        if agreed {
            // Otherwise nearly nobody would have agreed to the one purpose that is asked about.
            let mut grant = consents.first().cloned().unwrap_or_else(|| grant_at(noon()));
            grant.action = ConsentAction::Grant;
            grant.medium = Medium::Email;
            grant.purpose = Some(purpose);
            grant.id = ConsentEventId(Uuid::from_u128(1));
            grant.address = Some(ADDRESS.to_owned());
            consents.push(grant);
        }
        let (sequence_paused, stopped, lead_left, out_of_date, mailing_stopped, staff_away) = flags;
        World {
            kind,
            purpose,
            planned_at: noon() + TimeDelta::minutes(planned),
            now: noon() + TimeDelta::minutes(now),
            has_address,
            consents,
            suppressed,
            state,
            zones,
            paused_until: preferences.paused_until,
            max_per_week: preferences.max_per_week,
            wants_line: preferences.wants_line,
            sent,
            campaign,
            sequence_paused,
            mailing_stopped,
            template,
            held,
            turn_at,
            stopped,
            lead_left,
            out_of_date,
            staff_away,
        }
    }
}

fn grant_at(at: DateTime<Utc>) -> consent_event::Model {
    consent_event::Model {
        id: ConsentEventId(Uuid::from_u128(1)),
        contact_id: ContactId(Uuid::nil()),
        medium: Medium::Email,
        address: None,
        purpose: None,
        action: ConsentAction::Grant,
        level: ConsentLevel::Express,
        wording_id: None,
        wording_sha256: None,
        language: None,
        method: ConsentMethod::WebForm,
        source: ConsentSource::default(),
        evidence: None,
        personal_salt: Some(vec![7; 16]),
        commitment: Vec::new(),
        refers_to_id: None,
        expires_at: None,
        actor_kind: ActorKind::Visitor,
        actor_id: None,
        occurred_at: at,
        recorded_at: at,
        erased_at: None,
    }
}

/// What the gate itself says.
fn asked(world: &World) -> entity::message::Decision {
    let mut history = world.sent.clone();
    history.sort_unstable_by(|a, b| b.cmp(a));
    let windows = SendWindows::default();
    let campaigns: Vec<CampaignNow> = world
        .campaign
        .iter()
        .map(|(row, spent)| CampaignNow::of(row, *spent, HOSPITAL_ZONE))
        .collect();
    // The claim reads a hold only while it lasts.
    let held = world
        .held
        .filter(|until| until.is_none_or(|until| until > world.now));
    gate::decide(&GateInput {
        kind: world.kind,
        purpose: world.purpose,
        planned_at: world.planned_at,
        expires_at: world.planned_at + TimeDelta::days(14),
        address: world.has_address.then_some(ADDRESS),
        standing: fold(&world.consents, Medium::Email, ADDRESS, world.purpose, world.now),
        suppressed: world.suppressed,
        preferences: Preferences {
            paused_until: world.paused_until,
            max_per_week: world.max_per_week,
            wants_line: world.wants_line,
        },
        zones: &world.zones,
        window: windows.of(world.state),
        caps: Caps::default(),
        history: &history,
        campaigns: &campaigns,
        sequence_paused: world.sequence_paused,
        mailing_stopped: world.mailing_stopped,
        template: world.template,
        pacing: held.map_or(Pacing::Open, |until| Pacing::Held { until }),
        // A turn that has come is no wait.
        turn: world
            .turn_at
            .filter(|until| *until > world.now)
            .map_or(Turn::Now, |until| Turn::Waits { stopped: None, until }),
        sending_stopped: world.stopped,
        lead_left: world.lead_left,
        out_of_date: world.out_of_date,
        staff_away: world.staff_away,
        now: world.now,
    })
}

/// How often what was asked about went, of those kinds that are hard to let go.
#[derive(Default)]
struct Seen {
    worlds: u32,
    promotions_sent: u32,
    promotions_capped: u32,
}

#[test]
fn the_gate_lets_go_exactly_what_a_plain_statement_of_the_rules_lets_go() {
    let mut runner = TestRunner::new(Config {
        cases: 12_000,
        failure_persistence: None,
        ..Config::default()
    });
    let seen = std::cell::RefCell::new(Seen::default());
    let outcome = runner.run(&world(), |world| {
        let decision = asked(&world);
        let went = decision.outcome == GateOutcome::Allow;
        prop_assert_eq!(went, may_go(&world), "{:?}", decision);
        let promotion = world.kind == MessageKind::Nurture
            && matches!(world.purpose, Purpose::Marketing | Purpose::Research);
        let capped = |reason: &entity::message::DecisionReason| {
            reason.code == entity::message::GateReason::FrequencyCap
        };
        let mut seen = seen.borrow_mut();
        seen.worlds += 1;
        seen.promotions_sent += u32::from(promotion && went);
        seen.promotions_capped += u32::from(
            decision.outcome == GateOutcome::Defer
                && decision.reasons.len() == 1
                && capped(&decision.reasons[0]),
        );
        Ok(())
    });
    outcome.expect("the two statements agree");
    let seen = seen.into_inner();
    assert!(
        seen.promotions_sent > 200 && seen.promotions_capped > 50,
        "the worlds are not so strict that nothing is shown: {} of {} went, {} met a cap alone",
        seen.promotions_sent,
        seen.worlds,
        seen.promotions_capped
    );
}

#[test]
fn a_deferral_names_a_time_at_which_its_known_reasons_are_over() {
    let mut runner = TestRunner::new(Config {
        cases: 4_000,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&world(), |world| {
        let decision = asked(&world);
        if decision.outcome != GateOutcome::Defer {
            return Ok(());
        }
        let until = decision.until.expect("a deferral has a time");
        prop_assert!(until > world.now);
        use entity::message::GateReason::{Capacity, ContactPaused, FrequencyCap, QuietHours};
        let known = [Capacity, ContactPaused, FrequencyCap, QuietHours];
        // Nine hours of Rhode Island are never at once in Guam and in New York: there the gate only looks again.
        if !world.zones.is_empty()
            && decision.reasons.iter().all(|reason| known.contains(&reason.code))
            && until < world.planned_at + TimeDelta::days(14)
        {
            let later = asked(&World {
                now: until,
                ..world.clone()
            });
            let still_waits = later.reasons.iter().any(|reason| known.contains(&reason.code));
            prop_assert!(!still_waits, "{:?} and then {:?}", decision, later);
        }
        Ok(())
    });
    outcome.expect("every deferral ends");
}
