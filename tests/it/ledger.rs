//! The consent ledger: nothing in it can change unseen, and where a form asks for a second yes, nothing goes before it.

use std::collections::HashSet;

use domain::consent::verify::{Anchor, Broken, Damage, Verification};
use domain::setup::Setup;
use entity::consent_event::{self, ConsentAction, ConsentLevel, ConsentMethod};
use entity::enums::{Purpose, Role};
use entity::id::MessageId;
use entity::message::{self, MessageState};
use entity::{captured_mail, consent_seal, consent_unsealed, contact};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait,
    IntoActiveModel, ModelTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic, Mail, at};

const BOSS: As<'static> = As::Role(Role::Admin);

/// A clinic with a lead whose three consents are sealed.
async fn with_sealed() -> (Clinic, Vec<consent_event::Model>) {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let events = events(&clinic).await;
    assert_eq!(verified(&clinic, None).await.sealed, events.len() as i64);
    (clinic, events)
}

/// Every event, in the order of the chain.
async fn events(clinic: &Clinic) -> Vec<consent_event::Model> {
    consent_event::Entity::find()
        .order_by_asc(consent_event::Column::Id)
        .all(clinic.db())
        .await
        .unwrap()
}

async fn verified(clinic: &Clinic, anchor: Option<Anchor>) -> Verification {
    domain::consent::verify(&clinic.hospital, anchor).await.unwrap()
}

async fn broken(clinic: &Clinic) -> Option<Broken> {
    verified(clinic, None).await.broken
}

/// What somebody does first who owns the database and wants to rewrite the ledger.
async fn take_the_guards_away(clinic: &Clinic) {
    let db = clinic.db();
    let statements: &[&str] = match db.get_database_backend() {
        DbBackend::Postgres => &[
            "ALTER TABLE consent_event DISABLE TRIGGER USER",
            "ALTER TABLE consent_seal DISABLE TRIGGER USER",
        ],
        _ => &[
            "DROP TRIGGER consent_event_is_not_changed",
            "DROP TRIGGER consent_event_is_not_deleted",
            "DROP TRIGGER consent_seal_is_not_changed",
            "DROP TRIGGER consent_seal_is_not_deleted",
        ],
    };
    for sql in statements {
        db.execute_unprepared(sql).await.unwrap();
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_delete_what_was_written_down() {
    let (clinic, events) = with_sealed().await;
    let before = clinic.contents().await;
    let mut row = events[0].clone().into_active_model();
    row.level = Set(ConsentLevel::None);
    let told = row.update(clinic.db()).await.unwrap_err().to_string();
    assert!(
        told.contains("the consent ledger is only ever added to"),
        "{told}"
    );
    let told = events[1]
        .clone()
        .delete(clinic.db())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("the consent ledger is only ever added to"),
        "{told}"
    );
    let told = consent_seal::Entity::delete_many()
        .exec(clinic.db())
        .await
        .unwrap_err();
    assert!(told.to_string().contains("only ever added to"), "{told}");
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_changed_event_is_named_whatever_part_of_it_was_changed() {
    let (clinic, events) = with_sealed().await;
    take_the_guards_away(&clinic).await;
    let second = &events[1];
    let named = |damage| {
        Some(Broken {
            seq: Some(2),
            event_id: Some(second.id),
            damage,
        })
    };
    let mut stronger = second.clone().into_active_model();
    stronger.method = Set(ConsentMethod::Staff);
    let mut another = second.clone().into_active_model();
    another.address = Set(Some("pau@example.org".to_owned()));
    let mut commitment = second.commitment.clone();
    commitment[31] ^= 1;
    let mut bit = second.clone().into_active_model();
    bit.commitment = Set(commitment);
    let cases = [
        (stronger, Damage::EventChanged),
        (another, Damage::PersonalChanged),
        (bit, Damage::EventChanged),
    ];
    for (changed, damage) in cases {
        changed.update(clinic.db()).await.unwrap();
        assert_eq!(broken(&clinic).await, named(damage));
        second
            .clone()
            .into_active_model()
            .reset_all()
            .update(clinic.db())
            .await
            .unwrap();
        assert_eq!(broken(&clinic).await, None, "put back, it is whole again");
    }
}

#[tokio::test]
async fn what_was_deleted_is_named_also_at_the_end_and_with_its_link() {
    let (clinic, events) = with_sealed().await;
    let whole = verified(&clinic, None).await;
    take_the_guards_away(&clinic).await;
    let second = consent_seal::Entity::find_by_id(2i64)
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a link");
    second.clone().delete(clinic.db()).await.unwrap();
    let found = broken(&clinic).await.expect("damage");
    assert_eq!((found.seq, found.damage), (Some(2), Damage::LinkDeleted));
    events[1].clone().delete(clinic.db()).await.unwrap();
    let found = broken(&clinic).await.expect("damage");
    assert_eq!((found.seq, found.damage), (Some(2), Damage::LinkDeleted));
    assert!(whole.head().to_string().starts_with("3:"), "{}", whole.head());
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_missed_and_an_event_that_came_past_the_queue_is_seen() {
    let (clinic, events) = with_sealed().await;
    take_the_guards_away(&clinic).await;
    let last = consent_seal::Entity::find_by_id(3i64)
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a link");
    last.clone().delete(clinic.db()).await.unwrap();
    let found = broken(&clinic).await.expect("damage");
    assert_eq!((found.seq, found.damage), (Some(3), Damage::TailDeleted));
    consent_seal::Entity::insert(last.into_active_model())
        .exec_without_returning(clinic.db())
        .await
        .unwrap();
    assert_eq!(broken(&clinic).await, None);
    let mut forged = events[0].clone();
    forged.id = domain::id::new_id(clinic.now());
    consent_event::Entity::insert(forged.clone().into_active_model())
        .exec_without_returning(clinic.db())
        .await
        .unwrap();
    consent_unsealed::Entity::delete_many()
        .exec(clinic.db())
        .await
        .unwrap();
    let found = broken(&clinic).await.expect("damage");
    assert_eq!(
        (found.event_id, found.damage),
        (Some(forged.id), Damage::Unqueued)
    );
}

#[tokio::test]
async fn a_ledger_that_was_put_back_to_an_earlier_state_is_missed_by_the_head_that_was_noted_down() {
    let (clinic, _) = with_sealed().await;
    let early = verified(&clinic, None).await.head();
    clinic.minutes_pass(30);
    let input = json!({ "contactId": contact_id(&clinic).await, "medium": "EMAIL", "purpose": "MARKETING" });
    clinic.change(BOSS, "withdrawConsent", input).await;
    clinic.drain().await;
    let later = verified(&clinic, Some(early)).await;
    assert_eq!((later.broken, later.sealed), (None, 4));
    let elsewhere = Clinic::new().await;
    elsewhere.pat_asks().await;
    elsewhere.drain().await;
    let found = verified(&elsewhere, Some(early)).await.broken.expect("damage");
    assert_eq!(found.damage, Damage::AnotherChain);
    let found = verified(&elsewhere, Some(later.head()))
        .await
        .broken
        .expect("damage");
    assert_eq!(found.damage, Damage::TailDeleted);
}

async fn contact_id(clinic: &Clinic) -> String {
    clinic.last_lead().await.contact_id.to_string()
}

#[tokio::test]
async fn an_erased_person_s_events_are_empty_and_the_chain_is_whole() {
    let (clinic, _) = with_sealed().await;
    let input = json!({ "contactId": contact_id(&clinic).await });
    clinic.change(BOSS, "eraseContact", input).await;
    clinic.drain().await;
    let left = events(&clinic).await;
    assert!(
        !left.is_empty()
            && left
                .iter()
                .all(|event| event.address.is_none() && event.evidence.is_none())
    );
    let found = verified(&clinic, None).await;
    assert_eq!((found.broken, found.erased), (None, left.len() as u64));
}

/// A clinic whose sleep form asks for a second yes within a week, and a person who has filled it in.
async fn asked_twice() -> (Clinic, Mail) {
    let clinic = Clinic::new().await;
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    let forms = document["forms"].as_array_mut().expect("forms");
    for form in forms.iter_mut().filter(|form| form["slug"] == "sleep-study") {
        form["doubleOptIn"] = json!({ "days": 7 });
    }
    let setup = Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
    clinic.pat_asks().await;
    clinic.drain().await;
    let mails = clinic.mails_to("pat@example.org").await;
    assert_eq!(mails.len(), 1, "nothing but the mail that asks");
    let mail = mails.into_iter().next().expect("a mail");
    (clinic, mail)
}

/// The path of the link that confirms.
fn path(mail: &Mail) -> String {
    let (_, link) = mail
        .text
        .split_once("https://leads.clinic.example/c/")
        .expect("this mail asks for a second yes");
    format!("/c/{}", link.split_whitespace().next().expect("a link"))
}

async fn press(clinic: &Clinic, path: &str) -> Answer {
    Answer::to(clinic.client.post(path).form(&[("confirm", "1")])).await
}

async fn grants(clinic: &Clinic) -> Vec<Option<Purpose>> {
    let grants = events(clinic).await.into_iter();
    grants
        .filter(|event| event.action == ConsentAction::Grant && event.method == ConsentMethod::DoubleOptIn)
        .map(|event| event.purpose)
        .collect()
}

#[tokio::test]
async fn nothing_but_the_question_goes_out_before_the_second_yes_and_looking_is_none() {
    let (clinic, mail) = asked_twice().await;
    assert!(
        !mail.text.to_lowercase().contains("sleep") && !mail.html.to_lowercase().contains("sleep"),
        "it says nothing of the service"
    );
    let path = path(&mail);
    let before = clinic.contents().await;
    let page = Answer::to(clinic.client.get(&path)).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("You may email me about services and events."),
        "{}",
        page.body
    );
    assert_eq!(Answer::to(clinic.client.head(&path)).await.status, 200);
    assert_eq!(
        Answer::to(clinic.client.post(&path).form(&[("confirm", "0")]))
            .await
            .status,
        400
    );
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    clinic.live_until(at("2026-03-06T16:00:00Z")).await;
    assert_eq!(clinic.mails_to("pat@example.org").await.len(), 1);
    assert_eq!(grants(&clinic).await, []);
    clinic.live_until(at("2026-03-30T16:00:00Z")).await;
    assert_eq!(
        clinic.mails_to("pat@example.org").await.len(),
        1,
        "never without it"
    );
    let late = press(&clinic, &path).await;
    assert!(
        late.status == 200 && late.body.contains("This link has ended"),
        "{}",
        late.body
    );
    assert_eq!(grants(&clinic).await, []);
}

#[tokio::test]
async fn the_second_yes_makes_the_grants_once_and_lets_the_answer_and_the_nurture_go() {
    let (clinic, mail) = asked_twice().await;
    let path = path(&mail);
    clinic.hours_pass(2);
    let page = press(&clinic, &path).await;
    assert!(
        page.status == 200 && page.body.contains("it is confirmed"),
        "{}",
        page.body
    );
    let mut given = grants(&clinic).await;
    given.sort_unstable();
    assert_eq!(given, [Some(Purpose::Marketing), Some(Purpose::CareCoordination)]);
    clinic.drain().await;
    let after = clinic.contents().await;
    assert!(press(&clinic, &path).await.body.contains("it is confirmed"));
    assert_eq!(clinic.contents().await.differences(&after), Vec::<String>::new());
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let subjects: Vec<String> = clinic
        .mails_to("pat@example.org")
        .await
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert!(subjects.contains(&"How to get ready".to_owned()), "{subjects:?}");
    assert_eq!(verified(&clinic, None).await.broken, None);
    let query =
        "query($id: ID!) { consentHistory(contactId: $id) { nodes { action method wording { key } } } }";
    let variables = json!({ "id": contact_id(&clinic).await });
    let history = clinic
        .graphql(BOSS, query, variables)
        .await
        .data("consentHistory.nodes");
    let pending = |event: &&Value| event["action"] == "PENDING";
    assert_eq!(
        history.as_array().expect("a list").iter().filter(pending).count(),
        2
    );
}

#[tokio::test]
async fn a_second_yes_after_a_withdrawal_gives_nothing_and_a_forged_link_is_not_found() {
    let (clinic, mail) = asked_twice().await;
    let path = path(&mail);
    let input = json!({ "contactId": contact_id(&clinic).await });
    clinic.change(BOSS, "withdrawConsent", input).await;
    clinic.drain().await;
    let page = press(&clinic, &path).await;
    assert!(
        page.status == 200 && page.body.contains("This link has ended"),
        "{}",
        page.body
    );
    assert_eq!(grants(&clinic).await, []);
    let flipped = if path.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{flipped}", &path[..path.len() - 1]);
    assert_eq!(press(&clinic, &forged).await.status, 404);
    assert_eq!(Answer::to(clinic.client.get(&forged)).await.status, 404);
}

#[tokio::test]
async fn two_presses_at_one_moment_make_the_grants_once() {
    let (clinic, mail) = asked_twice().await;
    let path = path(&mail);
    let (one, other, third) = tokio::join!(
        press(&clinic, &path),
        press(&clinic, &path),
        press(&clinic, &path)
    );
    for page in [one, other, third] {
        assert!(page.body.contains("Thank you, it is confirmed"), "{}", page.body);
    }
    let given = grants(&clinic).await;
    let distinct: HashSet<_> = given.iter().collect();
    assert!(!given.is_empty() && distinct.len() == given.len(), "{given:?}");
    clinic.drain().await;
}

#[tokio::test]
async fn sealers_and_a_verifier_beside_intake_leave_one_whole_chain() {
    let clinic = Clinic::new().await;
    let h = &clinic.hospital;
    let intake = async {
        for person in 0..12 {
            let email = format!("person{person}@example.org");
            let fields = [
                ("given_name", "Pat"),
                ("family_name", "Meyer"),
                ("email", email.as_str()),
                ("agree", "email me about my request"),
                ("agree", "services and events"),
            ];
            assert_eq!(clinic.submit_form("sleep-study", &fields).await.status, 303);
        }
    };
    let seal = async || {
        for _ in 0..40 {
            domain::consent::seal::seal(h).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let verify = async {
        for _ in 0..20 {
            assert_eq!(broken(&clinic).await, None, "while it grows");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(intake, seal(), seal(), verify);
    while domain::consent::seal::seal(h).await.unwrap() > 0 {}
    let written = events(&clinic).await.len();
    let whole = verified(&clinic, None).await;
    assert_eq!(
        (whole.sealed, whole.unsealed, whole.broken),
        (written as i64, 0, None)
    );
    clinic.drain().await;
}

/// The one mail that is planned for a person of [`Clinic::plan_nurture`].
async fn mail_of(clinic: &Clinic, person: usize) -> message::Model {
    let address = format!("person{person}@example.org");
    let contact = contact::Entity::find()
        .filter(contact::Column::EmailNormalized.eq(address))
        .one(clinic.db())
        .await
        .unwrap()
        .expect("the contact was planned");
    let mail = message::Entity::find()
        .filter(message::Column::ContactId.eq(contact.id))
        .one(clinic.db())
        .await
        .unwrap();
    mail.expect("a mail was planned")
}

#[tokio::test]
async fn a_withdrawal_in_the_middle_of_ten_thousand_planned_mails_stops_that_person_s_at_its_commit() {
    let clinic = Clinic::new().await;
    clinic.plan_nurture(10_000).await;
    let worker = clinic.another_worker();
    let sending = async { worker.drain().await.expect("the work can be done") };
    let withdrawing = async {
        let mut at_commit = Vec::new();
        for person in (0..10_000).rev().step_by(500) {
            let planned = mail_of(&clinic, person).await;
            let id = planned.contact_id.expect("a contact").to_string();
            clinic
                .change(BOSS, "withdrawConsent", json!({ "contactId": id }))
                .await;
            at_commit.push(mail_of(&clinic, person).await);
        }
        at_commit
    };
    let (_, at_commit) = tokio::join!(sending, withdrawing);
    clinic.drain().await;
    let captured: HashSet<MessageId> = captured_mail::Entity::find()
        .select_only()
        .column(captured_mail::Column::MessageId)
        .into_tuple()
        .all(clinic.db())
        .await
        .unwrap()
        .into_iter()
        .collect();
    let withheld: Vec<_> = at_commit
        .iter()
        .filter(|mail| mail.state == MessageState::Withheld)
        .collect();
    assert!(!withheld.is_empty(), "somebody withdrew in time");
    for mail in &at_commit {
        let on_its_way = [MessageState::HandedOff, MessageState::Accepted].contains(&mail.state);
        assert!(
            on_its_way || mail.state == MessageState::Withheld,
            "{:?}",
            mail.state
        );
        assert_eq!(
            captured.contains(&mail.id),
            on_its_way,
            "{:?} at the commit",
            mail.state
        );
    }
    assert_eq!(captured.len(), 10_000 - withheld.len(), "everybody else got one");
}
