//! A week of leads: every one has an explained decision, and every due time is the one that counting minutes gives.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use domain::condition::{Facts, Received};
use domain::playbook::Playbook;
use domain::routing;
use domain::sla::policy;
use entity::enums::{Channel, EligibilityFlag, LeadStage, LeadType, ScoreGrade};
use entity::id::StaffId;
use entity::lead_event::{self, LeadEventKind};
use entity::sla_policy::SlaStep;
use entity::{contact, lead};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{furnish, ladder};
use crate::harness::{Clinic, at};

/// A Thursday, before the Sunday on which clocks go forward in both zones.
fn first_minute() -> DateTime<Utc> {
    at("2026-03-05T05:00:00Z")
}

/// The hours as plain numbers: minutes of the day, Monday first, and the dates that differ.
struct Hours {
    zone: Tz,
    week: [&'static [(u32, u32)]; 7],
    other: &'static [(&'static str, &'static [(u32, u32)])],
}

const HARBOR: Hours = Hours {
    zone: Tz::America__New_York,
    week: [
        &[(480, 1020)],
        &[(480, 720), (780, 1020)],
        &[(480, 1020)],
        &[(480, 1020)],
        &[(480, 1020)],
        &[(540, 720)],
        // Open while the clocks go forward.
        &[(60, 300)],
    ],
    other: &[("2026-03-09", &[(480, 600), (900, 960)]), ("2026-03-12", &[])],
};
const LAKESIDE: Hours = Hours {
    zone: Tz::America__Chicago,
    week: [
        &[(540, 720), (780, 1020)],
        &[(540, 720), (780, 1020)],
        &[(540, 720), (780, 1020)],
        &[(540, 720), (780, 1020)],
        &[(540, 720), (780, 1020)],
        &[],
        &[(0, 180), (1320, 1440)],
    ],
    other: &[("2026-03-10", &[])],
};

impl Hours {
    fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone);
        let date = local.date_naive();
        let other = self
            .other
            .iter()
            .find(|(other, _)| other.parse::<NaiveDate>().unwrap() == date);
        let ranges = match other {
            Some((_, ranges)) => ranges,
            None => self.week[local.weekday().num_days_from_monday() as usize],
        };
        let minute = local.hour() * 60 + local.minute();
        ranges.iter().any(|(from, to)| (*from..*to).contains(&minute))
    }

    /// As a setup document has them.
    fn document(&self) -> Value {
        let written = |ranges: &[(u32, u32)]| -> Value {
            let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
            ranges
                .iter()
                .map(|(from, to)| format!("{}-{}", time(*from), time(*to)))
                .collect()
        };
        let days = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let weekly: serde_json::Map<String, Value> = days
            .iter()
            .zip(self.week)
            .map(|(day, ranges)| ((*day).to_owned(), written(ranges)))
            .collect();
        let holidays: Vec<Value> = self
            .other
            .iter()
            .map(|(date, ranges)| json!({ "date": date, "name": "Other hours", "hours": written(ranges) }))
            .collect();
        json!({ "weekly": weekly, "holidays": holidays })
    }
}

/// Whether each minute from the first one on is open.
struct Minutes {
    first: DateTime<Utc>,
    open: Vec<bool>,
}

impl Minutes {
    fn of(hours: &Hours) -> Self {
        let first = first_minute();
        let open = (0..21 * 1440)
            .map(|minute| hours.is_open(first + TimeDelta::minutes(minute)))
            .collect();
        Self { first, open }
    }

    /// The instant at which so many open minutes have passed, by counting them one by one.
    fn after(&self, from: DateTime<Utc>, mins: i64) -> DateTime<Utc> {
        let mut place = usize::try_from((from - self.first).num_minutes()).unwrap();
        let mut left = mins;
        while left > 0 {
            left -= i64::from(self.open[place]);
            place += 1;
        }
        self.first + TimeDelta::minutes(i64::try_from(place).unwrap())
    }
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    /// One of `0..below`.
    fn below(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// A clinic with those hours, three policies with steps, and rules by service line.
async fn clinic() -> Clinic {
    let clinic = Clinic::new().await;
    let mut document = ladder();
    let place = |slug: &str, name: &str, zone: &str, region: &str, hours: &Hours| {
        json!({
            "slug": slug, "name": name, "addressLine": "1 Pier Street", "city": "Hartford", "region": region,
            "postalCode": "06103", "timeZone": zone, "hours": hours.document(),
        })
    };
    document["facilities"] = json!([
        place("harbor", "Harbor Hospital", "America/New_York", "CT", &HARBOR),
        place("lakeside", "Lakeside Clinic", "America/Chicago", "WI", &LAKESIDE),
    ]);
    document["slaPolicies"] = json!([
        policy("Patient appointments", "URGENT", &["YES"], [15, 15, 5, 20, 40]),
        policy(
            "Trials and partners",
            "LEAD_TYPE",
            &["CLINICAL_TRIAL", "EMPLOYER_PARTNER"],
            [480, 240, 500, 700, 960]
        ),
        policy(
            "Everything else",
            "LEAD_TYPE",
            &["PATIENT_APPOINTMENT", "REFERRAL", "SERVICE_INQUIRY"],
            [60, 30, 45, 90, 120]
        ),
    ]);
    furnish(&clinic, &document).await;
    clinic
}

/// A policy: breach, target, warning, telling, taking back.
fn policy(name: &str, fact: &str, values: &[&str], mins: [i64; 5]) -> Value {
    let [breach, target, warn, tell, take] = mins;
    json!({
        "name": name, "when": [{ "fact": fact, "is": "IN", "values": values }],
        "firstAttemptMins": breach, "targetMins": target, "warnOwnerMins": warn, "tellLeadMins": tell,
        "takeBackMins": take, "attemptsWanted": 3, "spacingMins": 240, "remindBeforeMins": 10,
    })
}

/// What the document above says of a lead, in words of its own: breach, target, first step.
fn promised(lead_type: LeadType, urgent: bool) -> [i64; 3] {
    match lead_type {
        _ if urgent => [15, 15, 5],
        LeadType::ClinicalTrial | LeadType::EmployerPartner => [480, 240, 500],
        _ => [60, 30, 45],
    }
}

fn one_lead<'a>(chance: &mut Chance, contact: &'a contact::Model, flags: &'a [EligibilityFlag]) -> Facts<'a> {
    Facts {
        lead_type: chance.one(LeadType::ALL),
        stage: LeadStage::New,
        service_line: chance.one(&[Some("sleep"), Some("cardiology"), Some("imaging"), None]),
        requested_service: None,
        facility: None,
        channel: chance.one(Channel::ALL),
        campaign: None,
        contact,
        flags,
        answers: &[],
        grade: Some(chance.one(ScoreGrade::ALL)),
        points: None,
        received: Received {
            at: first_minute(),
            calendar: None,
        },
        urgent: None,
    }
}

#[tokio::test]
async fn ten_thousand_leads_of_a_week_are_placed_with_a_reason_and_due_when_counting_minutes_says() {
    let clinic = clinic().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let contact = contact::Entity::find().one(clinic.db()).await.unwrap().unwrap();
    let playbook = clinic.hospital.playbook().await.unwrap();
    let (harbor, lakeside) = (Minutes::of(&HARBOR), Minutes::of(&LAKESIDE));
    let mut chance = Chance(20_260_305);
    let mut load: HashMap<StaffId, i64> = HashMap::new();
    let (mut urgent, mut moved) = (0, 0);
    for number in 0..10_000 {
        let received = first_minute() + TimeDelta::minutes(i64::try_from(chance.below(7 * 1440)).unwrap());
        let flags = [chance.one(EligibilityFlag::ALL)];
        let facts = one_lead(&mut chance, &contact, &flags);
        let found = routing::find_rule(&playbook, &facts);
        let decided = routing::decide(&found, &playbook, &load, &[], received);
        assert!(
            decided.explanation.contains(&format!("{:?} holds", decided.rule)) || decided.rule == "Review",
            "{decided:?}"
        );
        assert!(
            decided.explanation.ends_with('.') && decided.owner_id.is_some(),
            "{decided:?}"
        );
        *load.entry(decided.owner_id.unwrap()).or_default() += 1;

        let of_team = playbook.teams[&found.team].facility_id;
        let facility = found.facility.or(of_team);
        let routed = Facts {
            urgent: Some(found.urgent),
            ..facts.clone()
        };
        let picked = policy::pick(&playbook, &routed);
        let wanted = policy::wanted(picked, &playbook.calendar(facility), received);
        let minutes = if is_lakeside(&playbook, &found) {
            &lakeside
        } else {
            &harbor
        };
        let [breach, target, first_step] = promised(facts.lead_type, found.urgent);
        let step = wanted.step.expect("every policy has steps");
        assert_eq!(
            (wanted.due_at, wanted.target_at, step.step, step.at),
            (
                minutes.after(received, breach),
                minutes.after(received, target),
                SlaStep::WarnOwner,
                minutes.after(received, first_step)
            ),
            "lead {number} at {received}"
        );
        urgent += i32::from(found.urgent);
        moved += i32::from(wanted.due_at - received != TimeDelta::minutes(breach));
    }
    assert!(
        urgent > 2_000 && moved > 6_000,
        "{urgent} go first, {moved} met closed hours"
    );
}

fn is_lakeside(playbook: &Playbook, found: &routing::Match<'_>) -> bool {
    let facility = found.facility.or(playbook.teams[&found.team].facility_id);
    facility.is_some_and(|id| playbook.facilities[&id].slug == "lakeside")
}

#[tokio::test]
async fn leads_of_a_week_that_came_in_by_the_door_are_due_at_the_same_minutes_and_go_through_every_step_once()
{
    let clinic = clinic().await;
    let mut chance = Chance(7);
    let mut times: Vec<i64> = (0..200)
        .map(|_| i64::try_from(chance.below(7 * 1440)).unwrap())
        .collect();
    times.sort_unstable();
    for (number, minute) in times.into_iter().enumerate() {
        clinic.clock.set(first_minute() + TimeDelta::minutes(minute));
        let email = format!("person{number}@example.org");
        let words = chance.one(&["sleep study", "heart", "MRI", "a gift shop"]);
        let fields = [
            ("given_name", "Pat"),
            ("family_name", "Doe"),
            ("email", email.as_str()),
            ("service", words),
        ];
        let payload = clinic.submit_lead("question", &fields, None).await;
        assert_eq!(payload["userErrors"], json!([]));
        if number % 20 == 0 {
            clinic.drain().await;
        }
    }
    let leads = lead::Entity::find().all(clinic.db()).await.unwrap();
    assert_eq!(leads.len(), 200);
    let playbook = clinic.hospital.playbook().await.unwrap();
    let (harbor, lakeside) = (Minutes::of(&HARBOR), Minutes::of(&LAKESIDE));
    for lead in &leads {
        assert!(lead.routing.explanation.ends_with('.'));
        let slug = lead.facility_id.map(|id| playbook.facilities[&id].slug.as_str());
        let minutes = if slug == Some("lakeside") {
            &lakeside
        } else {
            &harbor
        };
        let [breach, target, _] = promised(lead.lead_type, lead.urgent);
        assert_eq!(lead.sla_due_at, minutes.after(lead.received_at, breach));
        assert_eq!(lead.sla_target_at, Some(minutes.after(lead.received_at, target)));
    }
    clinic.clock.set(at("2026-03-18T20:00:00Z"));
    let other = clinic.another_worker();
    let (one, two) = futures_util::future::join(clinic.worker.drain(), other.drain()).await;
    one.unwrap();
    two.unwrap();
    each_step_was_taken_once(&clinic, &leads).await;
}

/// Nobody tried to reach anybody. Where there is another member, the lead went on; where an owner, a warning came.
async fn each_step_was_taken_once(clinic: &Clinic, leads: &[lead::Model]) {
    let mut taken: HashMap<_, usize> = HashMap::new();
    for row in lead_event::Entity::find().all(clinic.db()).await.unwrap() {
        *taken.entry((row.lead_id, row.kind)).or_default() += 1;
    }
    let after = lead::Entity::find().all(clinic.db()).await.unwrap();
    assert!(
        after
            .iter()
            .all(|lead| lead.sla_step.is_none() && lead.taken_back_at.is_some())
    );
    for lead in leads {
        for kind in [
            LeadEventKind::SlaMissed,
            LeadEventKind::SlaWarned,
            LeadEventKind::SlaTakenBack,
        ] {
            assert_eq!(taken.get(&(lead.id, kind)), Some(&1), "{kind}");
        }
    }
}
