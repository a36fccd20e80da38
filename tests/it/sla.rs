//! Leads that nobody tries to reach: owners are warned, the leads of teams are told, and who does nothing loses the lead.

mod desk;
mod pauses;
mod report;
mod week;

use domain::error::Error;
use domain::setup::{self, Setup};
use entity::lead_event::{self, LeadEventKind};
use entity::{follow_up, lead};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, at};

const NORA: As<'static> = As::Staff("nora");
const IVY: As<'static> = As::Staff("ivy");

/// A second coordinator at the sleep desk, for which Sam answers, and a policy with every step.
fn ladder() -> Value {
    json!({
        "staff": [
            { "email": "ivy@clinic.example", "name": "Ivy Early", "role": "INTAKE_COORDINATOR", "timeZone": "America/New_York", "password": "correct horse battery" },
        ],
        "teams": [{
            "slug": "sleep-desk", "name": "Sleep desk", "facility": "harbor", "department": "Sleep Medicine",
            "members": ["ivy@clinic.example"], "lead": "sam@clinic.example",
        }],
        "slaPolicies": [{
            "name": "Patient appointments",
            "when": [{ "fact": "LEAD_TYPE", "is": "IN", "values": ["PATIENT_APPOINTMENT"] }],
            "firstAttemptMins": 60, "targetMins": 30, "warnOwnerMins": 30, "tellLeadMins": 60, "takeBackMins": 90,
            "attemptsWanted": 3, "spacingMins": 240, "remindBeforeMins": 10,
        }],
    })
}

async fn furnish(clinic: &Clinic, document: &Value) {
    let document = Setup::parse(&document.to_string()).expect("it can be read");
    setup::apply(&clinic.hospital, &document).await.expect("it fits");
}

/// A clinic with the ladder.
async fn clinic() -> Clinic {
    let clinic = Clinic::new().await;
    furnish(&clinic, &ladder()).await;
    clinic
}

/// What happened to the leads about their clocks, in order.
async fn steps(clinic: &Clinic) -> Vec<(LeadEventKind, chrono::DateTime<chrono::Utc>)> {
    let kinds = [
        LeadEventKind::SlaWarned,
        LeadEventKind::SlaToldLead,
        LeadEventKind::SlaTakenBack,
        LeadEventKind::SlaMissed,
        LeadEventKind::SlaPaused,
        LeadEventKind::SlaResumed,
    ];
    let rows = lead_event::Entity::find()
        .filter(lead_event::Column::Kind.is_in(kinds))
        .order_by_asc(lead_event::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.kind, row.at)).collect()
}

async fn open_work(clinic: &Clinic) -> Vec<follow_up::Model> {
    follow_up::Entity::find()
        .filter(follow_up::Column::State.eq(follow_up::FollowUpState::Open))
        .order_by_asc(follow_up::Column::Id)
        .all(clinic.db())
        .await
        .unwrap()
}

async fn owner(clinic: &Clinic) -> Option<String> {
    clinic.last_lead().await.owner_id.map(|id| id.to_string())
}

async fn clock(clinic: &Clinic, id: &str) -> Value {
    let query = "query($id: ID!) { lead(id: $id) { sla {
        state dueAt targetAt nextStep { step at } pause { reason since until } takenBackAt takenBackFrom { displayName }
    } } }";
    let role = As::Role(entity::enums::Role::MarketingOps);
    clinic
        .graphql(role, query, json!({ "id": id }))
        .await
        .data("lead.sla")
}

/// Two workers do what is due.
async fn two_workers(clinic: &Clinic, now: &str) {
    clinic.clock.set(at(now));
    let other = clinic.another_worker();
    let both = futures_util::future::join(clinic.worker.drain(), other.drain());
    // On the heap: a story that calls this often would fill its stack.
    let (one, two) = Box::pin(both).await;
    one.unwrap();
    two.unwrap();
}

#[tokio::test]
async fn an_owner_who_does_nothing_loses_the_lead_at_the_policys_minute_exactly_once() {
    let clinic = clinic().await;
    let id = clinic.pat_asks().await;
    let nora = clinic.id_of("staff", "nora").await;
    let ivy = clinic.id_of("staff", "ivy").await;
    assert_eq!(owner(&clinic).await.as_ref(), Some(&nora));
    let next = json!({ "step": "WARN_OWNER", "at": "2026-03-03T15:30:00Z" });
    assert_eq!(clock(&clinic, &id).await["nextStep"], next);
    two_workers(&clinic, "2026-03-03T15:30:00Z").await;
    two_workers(&clinic, "2026-03-03T16:00:00Z").await;
    two_workers(&clinic, "2026-03-03T16:29:59.999999Z").await;
    assert_eq!(
        owner(&clinic).await.as_ref(),
        Some(&nora),
        "a microsecond is left"
    );
    let before = clinic.last_lead().await;

    two_workers(&clinic, "2026-03-03T16:30:00Z").await;
    for now in ["2026-03-03T16:30:00Z", "2026-03-03T18:00:00Z"] {
        two_workers(&clinic, now).await;
        let after = clinic.last_lead().await;
        assert_eq!(owner(&clinic).await.as_ref(), Some(&ivy));
        assert_eq!(after.version, before.version + 1);
        assert_eq!((after.sla_step, after.sla_step_at), (None, None));
    }
    assert_eq!(
        steps(&clinic).await,
        [
            (LeadEventKind::SlaWarned, at("2026-03-03T15:30:00Z")),
            (LeadEventKind::SlaMissed, at("2026-03-03T16:00:00Z")),
            (LeadEventKind::SlaToldLead, at("2026-03-03T16:00:00Z")),
            (LeadEventKind::SlaTakenBack, at("2026-03-03T16:30:00Z")),
        ]
    );
    let work = open_work(&clinic).await;
    let assignee = work[0].assignee_id.map(|id| id.to_string());
    assert_eq!((work.len(), assignee.as_ref()), (1, Some(&ivy)));
    let sla = clock(&clinic, &id).await;
    assert_eq!(sla["takenBackAt"], "2026-03-03T16:30:00Z");
    assert_eq!(sla["takenBackFrom"]["displayName"], "Nora Night");

    let stale = json!({ "leadId": id, "urgent": true, "version": before.version });
    let refused = clinic.try_change(NORA, "updateLead", stale).await;
    assert_eq!(refused["userErrors"][0]["code"], "VERSION_CONFLICT");
    clinic.drain().await;
}

#[tokio::test]
async fn whoever_a_step_concerns_is_told_once_by_a_mail_that_names_nobody() {
    let clinic = clinic().await;
    let id = clinic.pat_asks().await;
    for now in [
        "2026-03-03T15:30:00Z",
        "2026-03-03T16:00:00Z",
        "2026-03-03T16:30:00Z",
    ] {
        two_workers(&clinic, now).await;
    }
    let to = async |name: &str| {
        let subjects = clinic.subjects_to(&format!("{name}@clinic.example")).await;
        let of_ladder = |subject: &String| subject.contains("tried");
        subjects.into_iter().filter(of_ladder).collect::<Vec<_>>()
    };
    let lost = "A lead has gone to somebody else: nobody had tried to reach the person";
    assert_eq!(
        to("nora").await,
        ["Nobody has tried yet: a first contact is due at 11:00 EST", lost]
    );
    assert_eq!(
        to("sam").await,
        ["Your team has not tried yet: a first contact was due at 11:00 EST"]
    );
    assert_eq!(
        clinic.subjects_to("ivy@clinic.example").await,
        ["Follow-up for you, due at 11:00 EST"]
    );
    for mail in clinic.mails_to("sam@clinic.example").await {
        assert!(!mail.text.contains("Pat") && !mail.text.contains("leep medicine"));
        assert!(mail.text.contains(&id));
    }
}

#[tokio::test]
async fn a_worker_that_was_away_for_a_day_takes_the_steps_in_their_order_and_none_twice() {
    let clinic = clinic().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let now = "2026-03-04T15:00:00Z";
    two_workers(&clinic, now).await;
    let taken: Vec<_> = steps(&clinic).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        taken,
        [
            LeadEventKind::SlaMissed,
            LeadEventKind::SlaWarned,
            LeadEventKind::SlaToldLead,
            LeadEventKind::SlaTakenBack,
        ]
    );
    let warned = clinic.subjects_to("nora@clinic.example").await;
    let warned = warned
        .iter()
        .filter(|subject| subject.starts_with("Nobody has tried"));
    assert!(
        warned.count() <= 1,
        "unless it has gone to somebody else before the mail went"
    );
}

#[tokio::test]
async fn an_attempt_and_a_close_take_every_further_step_away() {
    let clinic = clinic().await;
    let id = clinic.pat_asks().await;
    clinic.live_until(at("2026-03-03T15:45:00Z")).await;
    let input = json!({ "leadId": id, "medium": "PHONE", "outcome": "NO_ANSWER" });
    clinic.change(NORA, "logAttempt", input).await;
    assert_eq!(clock(&clinic, &id).await["nextStep"], Value::Null);
    clinic.live_until(at("2026-03-03T18:00:00Z")).await;
    let only_warned = [(LeadEventKind::SlaWarned, at("2026-03-03T15:30:00Z"))];
    assert_eq!(steps(&clinic).await, only_warned);

    clinic
        .submit_form("heart", &[("given_name", "Lee"), ("phone", "8605550177")])
        .await;
    let lead = clinic.last_lead().await;
    assert!(lead.sla_step.is_some());
    let input = json!({ "leadId": lead.id.to_string(), "disposition": "NOT_INTERESTED" });
    clinic.change(As::Staff("luis"), "closeLead", input).await;
    clinic.live_until(at("2026-03-05T18:00:00Z")).await;
    assert_eq!(steps(&clinic).await, only_warned);
}

#[tokio::test]
async fn a_lead_that_nobody_else_can_take_goes_to_the_team_and_its_lead_is_told() {
    let clinic = clinic().await;
    clinic.pat_asks().await;
    let away = json!({ "staffId": clinic.id_of("staff", "ivy").await, "reason": "LEAVE", "to": "2026-03-10T13:00:00Z" });
    clinic.change(IVY, "addAbsence", away).await;
    clinic.live_until(at("2026-03-03T17:00:00Z")).await;
    let lead = clinic.last_lead().await;
    assert_eq!(
        (lead.owner_id, lead.taken_back_at),
        (None, Some(at("2026-03-03T16:30:00Z")))
    );
    let work = open_work(&clinic).await;
    assert_eq!((work[0].assignee_id, work[0].remind_at), (None, None));
    let event = lead_event::Entity::find()
        .filter(lead_event::Column::Kind.eq(LeadEventKind::SlaTakenBack))
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        event.data.0["why"],
        "Nobody can be given it: 1 is away. So anybody of the team can take it."
    );
    let told = clinic.subjects_to("sam@clinic.example").await;
    assert!(
        told.iter()
            .any(|subject| subject.starts_with("A lead waits for anybody")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_policy_whose_times_do_not_follow_each_other_is_refused_with_the_field() {
    let clinic = Clinic::new().await;
    let mut document = ladder();
    for (field, value, refused) in [
        ("targetMins", 61, "targetMins"),
        ("warnOwnerMins", 60, "tellLeadMins"),
        ("takeBackMins", 60, "takeBackMins"),
        ("warnOwnerMins", 0, "warnOwnerMins"),
        ("takeBackMins", 43_201, "takeBackMins"),
    ] {
        let whole = document["slaPolicies"][0][field].clone();
        document["slaPolicies"][0][field] = json!(value);
        let setup = Setup::parse(&document.to_string()).unwrap();
        let Err(Error::Refused(refusals)) = setup::apply(&clinic.hospital, &setup).await else {
            panic!("{field} {value} is taken");
        };
        let fields: Vec<_> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
        assert_eq!(fields, [format!("slaPolicies.0.{refused}")]);
        document["slaPolicies"][0][field] = whole;
    }
    document["teams"][0]["lead"] = json!("nobody@clinic.example");
    document["routingRules"] = json!([{ "name": "First", "team": "sleep-desk", "when": [{ "fact": "URGENT", "is": "IN", "values": ["YES"] }] }]);
    document["staff"][0]["maxOpen"] = json!(0);
    let setup = Setup::parse(&document.to_string()).unwrap();
    let Err(Error::Refused(refusals)) = setup::apply(&clinic.hospital, &setup).await else {
        panic!("all of it is taken");
    };
    let fields: Vec<_> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
    assert_eq!(
        fields,
        ["staff.0.maxOpen", "teams.0.lead", "routingRules.0.when.0.fact"]
    );
}

#[tokio::test]
async fn a_policy_can_ask_whether_a_lead_goes_first() {
    let clinic = Clinic::new().await;
    let document = json!({ "slaPolicies": [{
        "name": "Patient appointments", "when": [{ "fact": "URGENT", "is": "IN", "values": ["YES"] }],
        "firstAttemptMins": 7, "attemptsWanted": 3, "spacingMins": 240, "remindBeforeMins": 1,
    }] });
    furnish(&clinic, &document).await;
    clinic
        .submit_form("heart", &[("given_name", "Lee"), ("phone", "8605550177")])
        .await;
    let urgent: lead::Model = clinic.last_lead().await;
    assert!(urgent.urgent);
    assert_eq!(urgent.sla_due_at, at("2026-03-03T15:07:00Z"));
    clinic.drain().await;
}
