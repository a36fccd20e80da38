//! A dry run says what a sequence will do, and then it does just that.

mod truth;

use chrono::{DateTime, TimeDelta, Utc};
use domain::dry_run::{Chosen, Content, Enroll, Limits, Outcome, SampleLeads, Simulate, Simulation, Version};
use domain::error::{Error, Result};
use domain::id::new_id;
use domain::sequence::split::{draw, way};
use domain::sequence::{self as sequences, EnrollLead, PublishSequence};
use domain::setup::Setup;
use domain::viewer::Viewer;
use entity::enums::{LeadStage, Role};
use entity::id::{LeadId, SequenceId, TokenId};
use entity::lead;
use entity::sequence_version::{Steps, Way};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ColumnTrait, Condition, EntityTrait};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at};
use truth::{Before, told};

/// Somebody who may see every lead.
fn admin(clinic: &Clinic) -> Viewer {
    Viewer::Token {
        id: new_id::<TokenId>(clinic.now()),
        role: Role::Admin,
    }
}

async fn sequence_id(clinic: &Clinic, name: &str) -> SequenceId {
    clinic.id_of("sequence", name).await.parse().unwrap()
}

/// A dry run over every open lead, from now on.
fn over_all(clinic: &Clinic, sequence_id: SequenceId, days: i64) -> Simulate {
    Simulate {
        sequence_id,
        version: Version::Newest,
        leads: Chosen::Where(Condition::all().add(lead::Column::Stage.ne(LeadStage::Closed))),
        samples: None,
        enroll: Enroll::ByTrigger,
        from: None,
        until: clinic.now() + TimeDelta::days(days),
        resume: false,
    }
}

async fn try_simulate(clinic: &Clinic, request: Simulate) -> Result<Simulation> {
    // A busy machine may take its time; what patience ends has a story of its own.
    let patient = Limits {
        patience: std::time::Duration::from_secs(1_800),
        ..Limits::default()
    };
    let simulator = leadward::dry_run::simulator(&clinic.hospital, patient).unwrap();
    simulator
        .simulate(&clinic.hospital, &admin(clinic), request)
        .await
}

async fn simulate(clinic: &Clinic, request: Simulate) -> Simulation {
    let answer = try_simulate(clinic, request)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(answer.is_complete());
    answer
}

/// Writes sequences of a setup document and publishes them.
async fn publish_all(clinic: &Clinic, sequences: Value) {
    let setup = Setup::parse(&json!({ "sequences": sequences }).to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
}

/// People who differ in what decisions look at: where they live, what they agreed to, what they answered.
const PEOPLE: [(&str, &str, &str, &[&str]); 8] = [
    (
        "Ann",
        "NY",
        "this_week",
        &["services and events", "email me about my request"],
    ),
    ("Ben", "HI", "later", &["services and events"]),
    (
        "Cleo",
        "TN",
        "this_week",
        &["services and events", "email me about my request"],
    ),
    ("Dan", "CA", "", &["email me about my request"]),
    (
        "Eve",
        "AZ",
        "later",
        &["services and events", "email me about my request"],
    ),
    ("Fay", "", "this_week", &[]),
    (
        "Gus",
        "AK",
        "",
        &["services and events", "email me about my request"],
    ),
    ("Hal", "PR", "later", &["email me about my request"]),
];

/// The people come in by the sleep form, a few minutes apart. Answers their leads.
async fn people_ask(clinic: &Clinic, people: usize) -> Vec<LeadId> {
    let mut leads = Vec::new();
    for (name, region, timing, agreed) in PEOPLE.iter().cycle().take(people) {
        let number = leads.len();
        let (family, email) = (format!("Number{number}"), format!("{name}{number}@example.org"));
        let family = family.replace(|c: char| c.is_ascii_digit(), "x");
        let mut fields = vec![
            ("given_name", *name),
            ("family_name", family.as_str()),
            ("email", email.as_str()),
            ("region", *region),
            ("timing", *timing),
        ];
        fields.extend(agreed.iter().map(|text| ("agree", *text)));
        let answer = clinic.submit_form("sleep-study", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        leads.push(clinic.last_lead().await.id);
        clinic.minutes_pass(7);
    }
    leads
}

/// Three sequences that branch: one by the answers; one by where the lead is and what it agreed to, on local times of
/// which one does not exist on the day when summer time begins; and one that goes round the weekdays.
fn three_branching() -> Value {
    json!([
        {
            "name": "Branch by answer", "purpose": "MARKETING", "campaign": "sleep-spring",
            "trigger": { "on": "LEAD_RECEIVED", "filter": [{ "fact": "SERVICE_LINE", "is": "IN", "values": ["sleep"] }] },
            "steps": [
                { "key": "one-day", "kind": "WAIT", "secs": 86400 },
                { "key": "ready", "kind": "SEND_EMAIL", "template": "getting-ready" },
                { "key": "hurry", "kind": "BRANCH", "when": [{ "fact": "ANSWER", "field": "timing", "is": "IN", "values": ["this_week"] }], "then": "offer", "otherwise": "ten-days" },
                { "key": "offer", "kind": "FOLLOW_UP", "title": "Offer the next free night", "dueInMins": 240 },
                { "key": "soon", "kind": "WAIT", "secs": 259200 },
                { "key": "asked", "kind": "BRANCH", "when": [{ "fact": "LANGUAGE", "is": "IN", "values": ["es"] }], "then": "ten-days", "otherwise": "last" },
                { "key": "ten-days", "kind": "WAIT", "secs": 864000 },
                { "key": "still", "kind": "SEND_EMAIL", "template": "still-here" },
                { "key": "last", "kind": "SEND_EMAIL", "template": "last-word" }
            ],
            "exits": { "stages": ["APPOINTMENT_SCHEDULED"] }
        },
        {
            "name": "Branch by place", "purpose": "CARE_COORDINATION",
            "trigger": { "on": "LEAD_RECEIVED", "filter": [] },
            "steps": [
                { "key": "night", "kind": "WAIT_UNTIL", "weekday": "SUNDAY", "minuteOfDay": 150 },
                { "key": "bring", "kind": "SEND_EMAIL", "template": "what-to-bring" },
                { "key": "answered", "kind": "BRANCH", "when": [{ "fact": "ANSWER", "field": "timing", "is": "PRESENT", "values": [] }], "then": "evening", "otherwise": "call" },
                { "key": "evening", "kind": "WAIT_UNTIL", "minuteOfDay": 1290 },
                { "key": "again", "kind": "SEND_EMAIL", "template": "what-to-bring" },
                { "key": "later", "kind": "BRANCH", "when": [{ "fact": "ANSWER", "field": "timing", "is": "IN", "values": ["later"] }], "then": "two-weeks", "otherwise": "done" },
                { "key": "two-weeks", "kind": "WAIT", "secs": 1209600 },
                { "key": "call", "kind": "FOLLOW_UP", "title": "Call once more", "dueInMins": 600 },
                { "key": "done", "kind": "END" }
            ],
            "exits": { "stages": [] }
        },
        {
            "name": "Branch by week", "purpose": "MARKETING",
            "trigger": { "on": "LEAD_RECEIVED", "filter": [{ "fact": "REACHABLE", "is": "IN", "values": ["EMAIL"] }] },
            "steps": [
                { "key": "first", "kind": "SEND_EMAIL", "template": "still-here" },
                { "key": "monday", "kind": "WAIT_UNTIL", "weekday": "MONDAY", "minuteOfDay": 480 },
                { "key": "second", "kind": "SEND_EMAIL", "template": "getting-ready" },
                { "key": "who", "kind": "BRANCH", "when": [{ "fact": "ANSWER", "field": "timing", "is": "NOT_IN", "values": ["later"] }], "then": "friday", "otherwise": "month" },
                { "key": "friday", "kind": "WAIT_UNTIL", "weekday": "FRIDAY", "minuteOfDay": 1439 },
                { "key": "third", "kind": "SEND_EMAIL", "template": "last-word" },
                { "key": "work", "kind": "FOLLOW_UP", "title": "Ask how it went", "dueInMins": 60 },
                { "key": "month", "kind": "WAIT", "secs": 2000000 },
                { "key": "fourth", "kind": "SEND_EMAIL", "template": "last-word" }
            ],
            "exits": { "stages": ["VISIT_COMPLETED"] }
        }
    ])
}

const THREE: [&str; 3] = ["Branch by answer", "Branch by place", "Branch by week"];

#[tokio::test]
async fn thirty_days_of_three_branching_sequences_come_as_the_dry_run_said_across_the_change_of_clocks() {
    let clinic = Clinic::new().await;
    publish_all(&clinic, three_branching()).await;
    people_ask(&clinic, PEOPLE.len()).await;
    let before = Before::of(&clinic).await;
    let mut foretold = Vec::new();
    for name in THREE {
        let id = sequence_id(&clinic, name).await;
        foretold.push((name, id, simulate(&clinic, over_all(&clinic, id, 30)).await));
    }
    let until = foretold[0].2.until;
    assert!(
        until > at("2026-04-02T00:00:00Z"),
        "summer time begins on 8 March"
    );
    clinic.live_until(until).await;
    for (name, id, answer) in &foretold {
        let really = before.since(&clinic, *id, answer.until).await;
        assert_eq!(told(answer), really, "{name}");
        let outcomes = [
            Outcome::Sent,
            Outcome::Withheld,
            Outcome::Deferred,
            Outcome::FollowUp,
            Outcome::Completed,
        ];
        for outcome in outcomes {
            let some = answer.entries.iter().any(|entry| entry.outcome == outcome);
            assert!(some, "{name} has no {}", outcome.as_str());
        }
    }
}

/// Two sequences with the steps that look beyond mails and follow-ups: a split, a wait for something to happen, a change
/// of the lead, a goal, and a mail to staff.
fn with_every_step() -> Value {
    json!([
        {
            "name": "Split and ask", "purpose": "CARE_COORDINATION",
            "trigger": { "on": "LEAD_RECEIVED", "filter": [] },
            "steps": [
                { "key": "half", "kind": "SPLIT", "seed": "spring", "ways": [{ "weight": 1, "then": "short" }, { "weight": 1, "then": "long" }] },
                { "key": "short", "kind": "SEND_EMAIL", "template": "what-to-bring" },
                { "key": "answered", "kind": "WAIT_FOR", "event": "FORM_ANSWERED", "timeoutSecs": 432000, "then": "done", "otherwise": "flag" },
                { "key": "long", "kind": "WAIT_UNTIL", "weekday": "SUNDAY", "minuteOfDay": 150 },
                { "key": "flag", "kind": "UPDATE_LEAD", "addFlags": ["TRIAGE_NEEDED"] },
                { "key": "tell", "kind": "NOTIFY_STAFF", "to": "TEAM", "title": "Please look at this lead" },
                { "key": "again", "kind": "SEND_EMAIL", "template": "what-to-bring" },
                { "key": "week", "kind": "WAIT", "secs": 604800 },
                { "key": "call", "kind": "FOLLOW_UP", "title": "Call once more", "dueInMins": 600 },
                { "key": "done", "kind": "END" }
            ],
            "exits": { "stages": [] }
        },
        {
            "name": "Until triage", "purpose": "MARKETING",
            "trigger": { "on": "LEAD_RECEIVED", "filter": [{ "fact": "REACHABLE", "is": "IN", "values": ["EMAIL"] }] },
            "steps": [
                { "key": "seen", "kind": "GOAL", "when": [{ "fact": "FLAG", "is": "IN", "values": ["TRIAGE_NEEDED"] }] },
                { "key": "days", "kind": "WAIT", "secs": 300000 },
                { "key": "ready", "kind": "SEND_EMAIL", "template": "getting-ready" },
                { "key": "more", "kind": "WAIT", "secs": 1500000 },
                { "key": "last", "kind": "SEND_EMAIL", "template": "last-word" }
            ],
            "exits": { "stages": [] }
        }
    ])
}

#[tokio::test]
async fn splits_waits_for_events_changes_of_leads_and_notices_come_as_the_dry_run_said() {
    let clinic = Clinic::new().await;
    publish_all(&clinic, with_every_step()).await;
    people_ask(&clinic, PEOPLE.len()).await;
    let before = Before::of(&clinic).await;
    let mut foretold = Vec::new();
    for name in ["Split and ask", "Until triage"] {
        let id = sequence_id(&clinic, name).await;
        foretold.push((name, id, simulate(&clinic, over_all(&clinic, id, 30)).await));
    }
    let until = foretold[0].2.until;
    clinic.live_until(until).await;
    for (name, id, answer) in &foretold {
        assert_eq!(
            told(answer),
            before.since(&clinic, *id, answer.until).await,
            "{name}"
        );
    }
    let (_, sequence, answer) = &foretold[0];
    let mailed = |step: &str| -> Vec<LeadId> {
        let entries = answer.entries.iter();
        let of_step =
            entries.filter(|entry| entry.step_key.as_deref() == Some(step) && entry.outcome == Outcome::Sent);
        of_step.map(|entry| entry.lead_id).collect()
    };
    // Ids are drawn anew in each run, so how many go which way is too.
    let ways = ["short", "long"].map(|then| Way {
        weight: 1,
        then: then.to_owned(),
    });
    let mut drawn = Vec::new();
    for lead_id in mailed("again") {
        let lead = lead::Entity::find_by_id(lead_id).one(clinic.db()).await.unwrap();
        let draw = draw(Some("spring"), *sequence, "half", lead.unwrap().contact_id);
        if way(&ways, draw) == Some("short") {
            drawn.push(lead_id);
        }
    }
    let mut short = mailed("short");
    drawn.sort_unstable();
    short.sort_unstable();
    assert_eq!(short, drawn, "whoever the split leads there, and nobody else");
    let ended = |answer: &Simulation| {
        answer
            .entries
            .iter()
            .any(|entry| matches!(entry.outcome, Outcome::Completed | Outcome::Exited))
    };
    assert!(foretold.iter().all(|(.., answer)| ended(answer)));
}

#[tokio::test]
async fn a_draft_that_everybody_is_put_into_later_comes_as_the_dry_run_said() {
    let clinic = Clinic::new().await;
    let leads = people_ask(&clinic, PEOPLE.len()).await;
    let draft = three_branching()[0].take();
    let input = json!({
        "name": "A draft", "purpose": "MARKETING", "trigger": { "on": "MANUAL" }, "exitStages": ["QUALIFIED"],
        "steps": [{ "key": "at-once", "kind": "SEND_EMAIL", "template": "getting-ready" }],
    });
    let made = clinic.change(OPS, "createSequence", input).await;
    let id: SequenceId = made["sequence"]["id"].as_str().unwrap().parse().unwrap();
    let steps: Steps = serde_json::from_value(draft["steps"].clone()).unwrap();
    // Saturday night: quiet hours, and the clocks change meanwhile.
    let from = at("2026-03-08T04:00:00Z");
    let request = Simulate {
        version: Version::With(Box::new(Content {
            steps: Some(steps.clone()),
            ..Content::default()
        })),
        enroll: Enroll::AllAtStart,
        from: Some(from),
        until: from + TimeDelta::days(30),
        ..over_all(&clinic, id, 0)
    };
    let answer = simulate(&clinic, request).await;
    clinic.live_until(from).await;
    let before = Before::of(&clinic).await;
    let publish = PublishSequence {
        sequence_id: id,
        trigger: None,
        steps: Some(steps),
        exit_stages: None,
        ends_after: domain::patch::Patch::Keep,
    };
    let _ = sequences::publish(&clinic.hospital, &admin(&clinic), publish)
        .await
        .unwrap();
    for lead_id in leads {
        let enroll = EnrollLead {
            lead_id,
            sequence_id: id,
        };
        let _ = sequences::enroll(&clinic.hospital, &admin(&clinic), enroll)
            .await
            .unwrap();
    }
    clinic.live_until(answer.until).await;
    assert_eq!(told(&answer), before.since(&clinic, id, answer.until).await);
    let enrolled = answer
        .entries
        .iter()
        .filter(|entry| entry.outcome == Outcome::Enrolled);
    assert_eq!(enrolled.count(), PEOPLE.len());
}

/// One step of a random sequence, before its key and its targets are known.
#[derive(Clone, Debug)]
enum Piece {
    Mail(usize),
    Wait(i64),
    WaitUntil(Option<usize>, u16),
    Work(i64),
    Branch(usize, usize),
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        3 => (0..3_usize).prop_map(Piece::Mail),
        2 => (1_i64..400_000).prop_map(Piece::Wait),
        2 => (proptest::option::of(0..7_usize), 0..1440_u16).prop_map(|(day, minute)| Piece::WaitUntil(day, minute)),
        1 => (1_i64..2_000).prop_map(Piece::Work),
        2 => (0..3_usize, 1..5_usize).prop_map(|(asks, ahead)| Piece::Branch(asks, ahead)),
    ]
}

/// A sequence of these pieces and an end. A branch goes on, or some steps ahead; so every step can be reached.
fn sequence_of(name: &str, pieces: &[Piece]) -> Value {
    const DAYS: [&str; 7] = [
        "MONDAY",
        "TUESDAY",
        "WEDNESDAY",
        "THURSDAY",
        "FRIDAY",
        "SATURDAY",
        "SUNDAY",
    ];
    let asks = [
        json!([{ "fact": "ANSWER", "field": "timing", "is": "IN", "values": ["this_week"] }]),
        json!([{ "fact": "ANSWER", "field": "timing", "is": "PRESENT", "values": [] }]),
        json!([{ "fact": "REACHABLE", "is": "IN", "values": ["PHONE"] }]),
    ];
    const TEMPLATES: [&str; 3] = ["getting-ready", "still-here", "last-word"];
    let key = |place: usize| format!("step-{}", place.min(pieces.len()));
    let step = |(place, piece): (usize, &Piece)| match piece {
        Piece::Mail(which) => {
            json!({ "key": key(place), "kind": "SEND_EMAIL", "template": TEMPLATES[*which] })
        }
        Piece::Wait(secs) => json!({ "key": key(place), "kind": "WAIT", "secs": secs }),
        Piece::WaitUntil(None, minute) => {
            json!({ "key": key(place), "kind": "WAIT_UNTIL", "minuteOfDay": minute })
        }
        Piece::WaitUntil(Some(day), minute) => {
            json!({ "key": key(place), "kind": "WAIT_UNTIL", "weekday": DAYS[*day], "minuteOfDay": minute })
        }
        Piece::Work(mins) => {
            json!({ "key": key(place), "kind": "FOLLOW_UP", "title": "Work", "dueInMins": mins })
        }
        Piece::Branch(which, ahead) => json!({
            "key": key(place), "kind": "BRANCH", "when": asks[*which], "then": key(place + 1), "otherwise": key(place + 1 + ahead),
        }),
    };
    let mut steps: Vec<Value> = pieces.iter().enumerate().map(step).collect();
    steps.push(json!({ "key": key(pieces.len()), "kind": "END" }));
    json!({
        "name": name, "purpose": "MARKETING", "trigger": { "on": "LEAD_RECEIVED", "filter": [] }, "steps": steps,
        "exits": { "stages": [] },
    })
}

#[tokio::test]
async fn random_sequences_over_random_people_come_as_the_dry_run_said() {
    let mut runner = TestRunner::deterministic();
    let cases = (
        proptest::collection::vec(piece(), 1..9),
        proptest::collection::vec(piece(), 1..9),
        1..12_usize,
        0..90_i64,
    );
    for _ in 0..5 {
        let (first, second, people, hours) = cases.new_tree(&mut runner).unwrap().current();
        let clinic = Clinic::new().await;
        publish_all(
            &clinic,
            json!([sequence_of("First", &first), sequence_of("Second", &second)]),
        )
        .await;
        people_ask(&clinic, people).await;
        // Some are under way when the dry run begins.
        clinic.live_until(clinic.now() + TimeDelta::hours(hours)).await;
        let before = Before::of(&clinic).await;
        let mut foretold = Vec::new();
        for name in ["First", "Second"] {
            let id = sequence_id(&clinic, name).await;
            foretold.push((id, simulate(&clinic, over_all(&clinic, id, 40)).await));
        }
        clinic.live_until(foretold[0].1.until).await;
        for (id, answer) in &foretold {
            let really = before.since(&clinic, *id, answer.until).await;
            assert_eq!(
                told(answer),
                really,
                "{first:?} {second:?} {people} people, {hours} hours"
            );
        }
    }
}

#[tokio::test]
async fn samples_show_who_gets_a_mail_who_waits_and_who_does_not_and_nothing_is_stored() {
    let clinic = Clinic::new().await;
    let id = sequence_id(&clinic, "Sleep: the first weeks").await;
    let line: entity::id::ServiceLineId = clinic.id_of("serviceLine", "sleep").await.parse().unwrap();
    let before = clinic.contents().await;
    let request = Simulate {
        leads: Chosen::Nobody,
        samples: Some(SampleLeads {
            service_line_id: Some(line),
            ..SampleLeads::default()
        }),
        ..over_all(&clinic, id, 14)
    };
    let answer = simulate(&clinic, request).await;
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    let first = |sample: &str, outcome: Outcome| {
        let mut of_sample = answer.entries.iter().filter(|entry| entry.sample == Some(sample));
        of_sample.find(|entry| entry.outcome == outcome)
    };
    // Thursday, at the hour at which it came in; in California it is seven in the morning then.
    let sent = |sample: &str| first(sample, Outcome::Sent).map(|entry| entry.at);
    assert_eq!(sent("english-east"), Some(at("2026-03-05T15:00:00Z")));
    let waits = first("spanish-west", Outcome::Deferred).unwrap();
    assert_eq!(
        (waits.until, waits.reasons[0].code),
        (Some(at("2026-03-05T17:00:00Z")), "QUIET_HOURS")
    );
    assert_eq!(sent("spanish-west"), Some(at("2026-03-05T17:00:00Z")));
    let reason = |sample: &str| first(sample, Outcome::Withheld).map(|entry| entry.reasons[0].code);
    assert_eq!(reason("no-consent"), Some("NO_CONSENT"));
    assert_eq!(reason("no-address"), Some("NO_ADDRESS"));
    assert_eq!(reason("suppressed"), Some("SUPPRESSED"));
    let left = first("withdrawn", Outcome::Exited).unwrap();
    assert_eq!(left.exit_reason, Some(entity::enrollment::ExitReason::Withdrawn));
}

#[tokio::test]
async fn work_is_counted_by_team_and_day_beside_what_is_open_already() {
    let clinic = Clinic::new().await;
    publish_all(&clinic, three_branching()).await;
    people_ask(&clinic, 3).await;
    clinic.drain().await;
    let id = sequence_id(&clinic, "Branch by answer").await;
    let answer = simulate(&clinic, over_all(&clinic, id, 10)).await;
    let team: entity::id::TeamId = clinic.id_of("team", "sleep-desk").await.parse().unwrap();
    let works: Vec<_> = answer
        .entries
        .iter()
        .filter_map(|entry| entry.follow_up.as_ref())
        .collect();
    assert_eq!(works.len(), 2, "two of three want to come this week");
    assert!(works.iter().all(|work| work.team_id == team));
    let days: usize = answer.team_days.iter().map(|day| day.by_sequence).sum();
    assert_eq!(days, 2);
    let today = answer.team_days.iter().find(|day| day.team_id == team).unwrap();
    // The first calls of the three, due within the hour.
    assert_eq!((today.others, today.members), (Some(3), 2));
    clinic.live_until(answer.until).await;
}

#[tokio::test]
async fn a_draft_with_faults_is_refused_as_publishing_it_would_be_and_too_much_is_refused_by_name() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let id = sequence_id(&clinic, "Sleep: the first weeks").await;
    let broken: Steps =
        serde_json::from_value(json!([{ "key": "mail", "kind": "SEND_EMAIL", "template": "none" }])).unwrap();
    let request = Simulate {
        version: Version::With(Box::new(Content {
            steps: Some(broken),
            ..Content::default()
        })),
        ..over_all(&clinic, id, 30)
    };
    let fields = |error: Error| match error {
        Error::Refused(refusals) => refusals
            .into_iter()
            .map(|refusal| refusal.field.join("."))
            .collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    let refused = try_simulate(&clinic, request).await.unwrap_err();
    assert_eq!(fields(refused), ["steps.0.template"]);
    let refused = try_simulate(&clinic, over_all(&clinic, id, 181))
        .await
        .unwrap_err();
    assert_eq!(fields(refused), ["until"]);
    let unknown = Simulate {
        leads: Chosen::Ids(vec![new_id(clinic.now())]),
        ..over_all(&clinic, id, 30)
    };
    assert_eq!(
        fields(try_simulate(&clinic, unknown).await.unwrap_err()),
        ["leadIds"]
    );
    clinic.drain().await;
}

#[tokio::test]
async fn a_dry_run_that_costs_too_much_says_how_far_it_came_and_only_so_many_run_at_a_time() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let id = sequence_id(&clinic, "Sleep: the first weeks").await;
    let with = async |limits: Limits| {
        let simulator = leadward::dry_run::simulator(&clinic.hospital, limits).unwrap();
        let request = over_all(&clinic, id, 30);
        simulator
            .simulate(&clinic.hospital, &admin(&clinic), request)
            .await
    };
    let impatient = Limits {
        patience: std::time::Duration::ZERO,
        ..Limits::default()
    };
    let answer = with(impatient).await.unwrap();
    assert!(!answer.is_complete() && answer.reached < answer.until);
    let nobody = Limits {
        at_once: 0,
        ..Limits::default()
    };
    let refused = with(nobody).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    clinic.drain().await;
}

const QUERY: &str = "mutation($input: SimulateSequenceInput!) { simulateSequence(input: $input) {
    simulation {
        sequence { name } versionNumber complete reached leadCount entryCount
        counts { stepKey outcome times leads }
        entries(first: 10) { lead { id } sample stepKey at outcome until reasons { code text } template followUp { title team { slug } dueAt } exitReason }
        teamDays { team { slug } date bySequence others members }
    }
    userErrors { field code message }
} }";

async fn ask(clinic: &Clinic, who: As<'_>, input: Value) -> Value {
    clinic
        .graphql(who, QUERY, json!({ "input": input }))
        .await
        .data("simulateSequence")
}

fn day(at: DateTime<Utc>) -> String {
    at.to_rfc3339()
}

#[tokio::test]
async fn front_ends_ask_by_graphql_and_looking_at_real_leads_stands_in_the_audit() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    let id = clinic.id_of("sequence", "Sleep: the first weeks").await;
    clinic.token(Role::MarketingOps).await;
    let before = clinic.contents().await;
    let until = day(clinic.now() + TimeDelta::days(20));
    let input = json!({ "sequenceId": id, "leadIds": [lead], "until": until });
    let answer = ask(&clinic, OPS, input).await;
    assert_eq!(answer["userErrors"], json!([]));
    assert_eq!(clinic.contents().await.differences(&before), ["audit_event"]);
    let simulation = &answer["simulation"];
    assert_eq!(
        (
            &simulation["complete"],
            &simulation["leadCount"],
            &simulation["versionNumber"]
        ),
        (&json!(true), &json!(1), &json!(1))
    );
    let sent: Vec<_> = simulation["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["outcome"] == "SENT")
        .map(|entry| {
            (
                entry["stepKey"].as_str().unwrap(),
                entry["at"].as_str().unwrap(),
                entry["lead"]["id"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        sent,
        [
            ("ready", "2026-03-05T15:00:00Z", lead.as_str()),
            ("still", "2026-03-09T13:00:00Z", lead.as_str()),
        ]
    );
    clinic.drain().await;
}

#[tokio::test]
async fn who_sees_no_leads_may_try_samples_and_nobody_simulates_leads_that_are_not_theirs() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    let id = clinic.id_of("sequence", "Sleep: the first weeks").await;
    let until = day(clinic.now() + TimeDelta::days(5));
    let line = clinic.id_of("serviceLine", "sleep").await;
    let strategist = As::Role(Role::MarketingStrategist);
    let input = json!({ "sequenceId": id, "leadIds": [lead], "until": until });
    let refused = ask(&clinic, strategist, input).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(refused["simulation"], Value::Null);
    let input = json!({ "sequenceId": id, "leadFilter": {}, "until": until });
    let nobody = ask(&clinic, strategist, input).await;
    assert_eq!(nobody["simulation"]["leadCount"], 0);
    let input = json!({ "sequenceId": id, "samples": { "serviceLineId": line }, "until": until });
    let samples = ask(&clinic, strategist, input).await;
    assert_eq!(samples["simulation"]["leadCount"], domain::dry_run::SAMPLES.len());
    assert_eq!(samples["simulation"]["entries"][0]["lead"], Value::Null);
    clinic.drain().await;
}
