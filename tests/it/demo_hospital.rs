//! The demo hospital is made once, says the truth about itself, and mails nobody about the past.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use domain::clock::FixedClock;
use domain::contact::email::EmailAddress;
use domain::contact::phone::PhoneNumber;
use domain::hospital::{Hospital, Site};
use domain::link::Secrets;
use domain::playbook::Playbooks;
use domain::{follow_up, setup, sla};
use entity::enrollment::EnrollmentState;
use entity::enums::{LeadStage, Role};
use entity::message::MessageState;
use entity::{contact, enrollment, lead, message};
use leadward::demo;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};

use crate::harness::database::TestDatabase;

/// A Monday, in the middle of the working day at both facilities.
pub(crate) fn monday() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 17, 0, 0).unwrap()
}

fn hospital(db: DatabaseConnection, now: DateTime<Utc>) -> Hospital {
    let site = Site {
        public_url: "http://127.0.0.1:8080".to_owned(),
        mail_from: "care@riverbend.example".to_owned(),
        postal_address: "100 Example Way, Cincinnati, OH 45202".to_owned(),
        name: "Riverbend Health".to_owned(),
    };
    Hospital {
        db,
        clock: Arc::new(FixedClock::at(now)),
        secrets: Arc::new(Secrets::new([7; 32])),
        site: Arc::new(site),
        playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
    }
}

pub(crate) async fn made(database: &TestDatabase, now: DateTime<Utc>) -> (Hospital, demo::DemoReport) {
    let h = hospital(database.connect().await, now);
    setup::ensure_review_team(&h)
        .await
        .expect("the review team can be made");
    let report = demo::ensure(&h).await.expect("the demo hospital can be made");
    (h, report)
}

#[tokio::test]
async fn the_demo_hospital_is_made_once_and_kept_afterwards() {
    let database = TestDatabase::new().await;
    let (h, first) = made(&database, monday()).await;
    assert!(first.made);
    assert_eq!(first.leads, 3000);
    assert_eq!(first.sign_ins.len(), Role::ALL.len(), "somebody of every role");
    assert!(first.forms.contains(&"sleep-study".to_owned()));
    let second = demo::ensure(&h).await.expect("it is there");
    assert!(!second.made);
    assert_eq!(second.leads, 3000);
    let again = setup::apply(&h, &demo::document(h.now()).expect("it can be read"))
        .await
        .expect("it fits");
    assert!(!again.changed_anything(), "{again}");
    // Made once, because making it takes some seconds.
    the_first_start_finds_nothing_due_in_the_past(&h).await;
    nothing_in_the_history_lies_in_the_future_or_contradicts_itself(&h).await;
    the_people_of_the_demo_could_be_stored_by_the_forms_and_do_not_exist(&h).await;
}

async fn the_first_start_finds_nothing_due_in_the_past(h: &Hospital) {
    let now = h.now();
    assert_eq!(follow_up::remind::move_up(h).await.unwrap().value, 0);
    assert_eq!(sla::sweep::mark_missed(h).await.unwrap().value, 0);
    assert_eq!(sla::escalate::take_steps(h).await.unwrap().value, 0);
    let steps = lead::Entity::find()
        .filter(lead::Column::SlaStep.is_not_null())
        .count(&h.db)
        .await
        .unwrap();
    assert!(steps > 0, "somebody is yet to be warned");
    let waiting = [
        MessageState::Planned,
        MessageState::Deferred,
        MessageState::Claimed,
        MessageState::HandedOff,
    ];
    let due = message::Entity::find()
        .filter(message::Column::State.is_in(waiting))
        .filter(message::Column::DueAt.lte(now))
        .count(&h.db)
        .await
        .unwrap();
    assert_eq!(due, 0);
    let active = enrollment::Entity::find().filter(enrollment::Column::State.eq(EnrollmentState::Active));
    let active = active.all(&h.db).await.unwrap();
    assert!(
        active.len() > 20,
        "the demo goes on mailing: {} enrollments run",
        active.len()
    );
    assert!(active.iter().all(|row| row.due_at > now && row.entered_step));
}

async fn nothing_in_the_history_lies_in_the_future_or_contradicts_itself(h: &Hospital) {
    let now = h.now();
    let playbook = h.playbook().await.unwrap();
    let leads = lead::Entity::find().all(&h.db).await.unwrap();
    for lead in &leads {
        let first = lead.first_attempt_at;
        let steps = [
            Some(lead.received_at),
            first,
            lead.qualified_at,
            lead.scheduled_at,
            lead.completed_at,
        ];
        let steps: Vec<_> = steps.into_iter().flatten().collect();
        assert!(steps.is_sorted() && steps.iter().all(|at| *at <= now), "{lead:?}");
        assert_eq!(
            lead.stage == LeadStage::New,
            first.is_none() && lead.disposition.is_none(),
            "{lead:?}"
        );
        let calendar = playbook.calendar(lead.facility_id);
        let business = first.map(|at| calendar.business_between(lead.received_at, at).num_seconds());
        assert_eq!(lead.first_attempt_business_secs, business);
        let missed = first.or(lead.closed_at).unwrap_or(now) >= lead.sla_due_at;
        assert_eq!(lead.sla_missed_at.is_some(), missed, "{lead:?}");
    }
    let share = |stage: fn(&lead::Model) -> bool| {
        leads.iter().filter(|lead| stage(lead)).count() as f64 / leads.len() as f64
    };
    assert!((0.55..0.9).contains(&share(|lead| lead.first_reached_at.is_some())));
    assert!((0.2..0.5).contains(&share(|lead| lead.completed_at.is_some())));
    assert!(
        leads
            .iter()
            .any(|lead| lead.urgent && lead.stage == LeadStage::New),
        "urgent work waits"
    );
    let lines = leads
        .iter()
        .filter_map(|lead| lead.service_line_id)
        .collect::<std::collections::HashSet<_>>();
    assert_eq!(lines.len(), playbook.lines.len(), "every line has leads");
}

async fn the_people_of_the_demo_could_be_stored_by_the_forms_and_do_not_exist(h: &Hospital) {
    let contacts = contact::Entity::find().all(&h.db).await.unwrap();
    for email in contacts.iter().filter_map(|contact| contact.email.as_deref()) {
        let address = EmailAddress::parse(email).expect("a good address");
        assert!(["example.org", "example.com", "example.net"].contains(&address.domain()));
    }
    let mut areas = std::collections::HashSet::new();
    for phone in contacts.iter().filter_map(|contact| contact.phone.as_deref()) {
        assert_eq!(&phone[5..10], "55501", "a number for stories");
        if areas.insert(phone[2..5].to_owned()) {
            assert_eq!(
                PhoneNumber::parse(phone)
                    .expect("a number that can exist")
                    .as_str(),
                phone
            );
        }
    }
    let phones: std::collections::HashSet<_> = contacts
        .iter()
        .filter_map(|contact| contact.phone.clone())
        .collect();
    assert_eq!(
        phones.len(),
        contacts.iter().filter(|contact| contact.phone.is_some()).count(),
        "no number is shared"
    );
}
