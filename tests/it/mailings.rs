//! Mailings: one mail of a campaign to everybody of an audience, planned in steps, seen as it goes, stopped at any point.

use chrono::{DateTime, TimeDelta, Utc};
use domain::outreach::claim::claim;
use domain::outreach::hand_off::hand_off;
use domain::outreach::mailing::STEP;
use domain::round;
use entity::consent_event::ConsentAction;
use entity::contact::{self, ContactKind};
use entity::enums::{Disposition, LeadStage, Role};
use entity::id::{ContactId, LeadId, MailingId};
use entity::lead;
use entity::message::{self, GateReason, Lane, MessageState};
use entity::message_event::{self, MessageEventKind};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at};

const STRATEGIST: As<'static> = As::Role(Role::MarketingStrategist);
const CORA: As<'static> = As::Staff("cora");

/// A lead that others are made like.
async fn example(clinic: &Clinic) -> lead::Model {
    let fields = [
        ("given_name", "Eve"),
        ("phone", "(608) 555-0199"),
        ("email", "eve@example.org"),
    ];
    clinic.submit_form("heart", &fields).await;
    clinic.drain().await;
    clinic.last_lead().await
}

/// Another lead of a contact, as new as can be.
async fn asks(clinic: &Clinic, like: &lead::Model, contact_id: ContactId) -> LeadId {
    let id: LeadId = domain::id::new_id(clinic.now());
    let row = lead::Model {
        id,
        contact_id,
        form_id: None,
        external_id: None,
        received_at: clinic.now(),
        // Somebody has called, so no other work is due.
        first_attempt_at: Some(clinic.now()),
        ..like.clone()
    };
    lead::Entity::insert(row.into_active_model())
        .exec_without_returning(clinic.db())
        .await
        .unwrap();
    id
}

/// Contacts who agreed to marketing, each with a lead.
async fn subscribers(clinic: &Clinic, names: &[&str]) -> Vec<ContactId> {
    let like = example(clinic).await;
    let mut contacts = Vec::new();
    for name in names {
        let contact = clinic.subscriber(name).await;
        asks(clinic, &like, contact).await;
        contacts.push(contact);
    }
    contacts
}

/// As many contacts who agreed to nothing, each with a lead.
async fn crowd(clinic: &Clinic, count: usize) {
    let like = example(clinic).await;
    let (mut contacts, mut leads) = (Vec::new(), Vec::new());
    for number in 0..count {
        let address = format!("c{number}@example.org");
        let contact_id = domain::id::new_id(clinic.now());
        contacts.push(
            contact::Model {
                erased_at: None,
                id: contact_id,
                kind: ContactKind::Person,
                given_name: "Sam".to_owned(),
                family_name: String::new(),
                organization: None,
                email: Some(address.clone()),
                email_normalized: Some(address),
                phone: None,
                language: "en".to_owned(),
                time_zone: None,
                region: Some("NY".to_owned()),
                postal_code: None,
                merged_into_id: None,
                link_generation: 0,
                created_at: clinic.now(),
                updated_at: clinic.now(),
            }
            .into_active_model(),
        );
        leads.push(
            lead::Model {
                id: domain::id::new_id(clinic.now()),
                contact_id,
                form_id: None,
                external_id: None,
                first_attempt_at: Some(clinic.now()),
                ..like.clone()
            }
            .into_active_model(),
        );
    }
    for some in contacts.chunks(200) {
        let rows = contact::Entity::insert_many(some.iter().cloned());
        rows.exec_without_returning(clinic.db()).await.unwrap();
    }
    for some in leads.chunks(200) {
        let rows = lead::Entity::insert_many(some.iter().cloned());
        rows.exec_without_returning(clinic.db()).await.unwrap();
    }
}

async fn draft(clinic: &Clinic, audience: Value) -> Value {
    let input = json!({
        "name": "Heart month news",
        "campaignId": clinic.id_of("campaign", "heart-month").await,
        "templateId": clinic.id_of("template", "still-here").await,
        "audience": audience,
    });
    clinic.change(STRATEGIST, "createMailing", input).await["mailing"].clone()
}

/// A mailing that is started; its mails are due at `send_at`, or now.
async fn started(clinic: &Clinic, audience: Value, send_at: Option<DateTime<Utc>>) -> String {
    let mailing = draft(clinic, audience).await;
    let input = json!({ "mailingId": mailing["id"], "version": mailing["version"], "sendAt": send_at });
    let after = clinic.change(STRATEGIST, "startMailing", input).await;
    assert_eq!(after["mailing"]["state"], "PLANNING");
    mailing["id"].as_str().unwrap().to_owned()
}

async fn look(clinic: &Clinic, id: &str) -> Value {
    let query = "query($id: ID!) { mailing(id: $id) { state name purpose version audience { languages stages }
        campaign { code } template { key } startedAt stoppedAt
        progress { leadsLookedAt share planned waiting deferred accepted refused withheld unknown finishedAt } } }";
    let answer = clinic.graphql(OPS, query, json!({ "id": id })).await;
    answer.data("mailing")
}

async fn stop(clinic: &Clinic, id: &str) {
    let stopped = clinic
        .change(STRATEGIST, "stopMailing", json!({ "mailingId": id }))
        .await;
    assert_eq!(stopped["mailing"]["state"], "STOPPED");
}

/// The mails of a mailing, in the order in which they were planned.
async fn mails(clinic: &Clinic, id: &str) -> Vec<message::Model> {
    let mailing: MailingId = id.parse().unwrap();
    message::Entity::find()
        .filter(message::Column::MailingId.eq(mailing))
        .order_by_asc(message::Column::Id)
        .all(clinic.db())
        .await
        .unwrap()
}

async fn mail_to(clinic: &Clinic, id: &str, contact: ContactId) -> message::Model {
    let all = mails(clinic, id).await;
    let theirs: Vec<_> = all
        .into_iter()
        .filter(|mail| mail.contact_id == Some(contact))
        .collect();
    assert_eq!(theirs.len(), 1, "each contact has one mail");
    theirs.into_iter().next().unwrap()
}

/// How many mails were planned, as their histories say.
async fn plannings(clinic: &Clinic) -> u64 {
    message_event::Entity::find()
        .filter(message_event::Column::Kind.eq(MessageEventKind::Planned))
        .count(clinic.db())
        .await
        .unwrap()
}

fn reason(mail: &message::Model) -> Option<GateReason> {
    mail.decision.as_ref().map(|decision| decision.reasons[0].code)
}

/// The counts that a mailing shows are those that its mails have.
async fn counts_are_true(clinic: &Clinic, id: &str) {
    let shown = look(clinic, id).await["progress"].clone();
    let all = mails(clinic, id).await;
    let in_state = |state| all.iter().filter(|mail| mail.state == state).count();
    assert_eq!(shown["planned"], all.len());
    for (field, state) in [
        ("deferred", MessageState::Deferred),
        ("accepted", MessageState::Accepted),
        ("refused", MessageState::Refused),
        ("withheld", MessageState::Withheld),
        ("unknown", MessageState::Unknown),
    ] {
        assert_eq!(shown[field], in_state(state), "{field} of {shown}");
    }
    let waiting = [
        MessageState::Planned,
        MessageState::Claimed,
        MessageState::HandedOff,
    ]
    .map(in_state);
    assert_eq!(shown["waiting"], waiting.iter().sum::<usize>());
}

#[tokio::test]
async fn each_contact_gets_one_mail_about_the_newest_lead_that_fits() {
    let clinic = Clinic::new().await;
    let like = example(&clinic).await;
    let dana = clinic.subscriber("Dana").await;
    let old = asks(&clinic, &like, dana).await;
    clinic.minutes_pass(5);
    let new = asks(&clinic, &like, dana).await;
    let finn = clinic.subscriber("Finn").await;
    let open = asks(&clinic, &like, finn).await;
    clinic.minutes_pass(5);
    let closed = asks(&clinic, &like, finn).await;
    let mut row = lead::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(closed),
        ..Default::default()
    };
    row.stage = sea_orm::ActiveValue::Set(LeadStage::Closed);
    row.disposition = sea_orm::ActiveValue::Set(Some(Disposition::ChoseElsewhere));
    row.closed_at = sea_orm::ActiveValue::Set(Some(clinic.now()));
    lead::Entity::update(row).exec(clinic.db()).await.unwrap();

    let line = clinic.id_of("serviceLine", "cardiology").await;
    let id = started(&clinic, json!({ "serviceLineIds": [line] }), None).await;
    clinic.drain().await;
    let to_dana = mail_to(&clinic, &id, dana).await;
    assert_eq!(
        (to_dana.lead_id, to_dana.state),
        (Some(new), MessageState::Accepted)
    );
    assert_ne!(to_dana.lead_id, Some(old));
    assert_eq!(mail_to(&clinic, &id, finn).await.lead_id, Some(open));
    assert_eq!(clinic.mails_to("dana@example.org").await.len(), 1);
    let mail = &clinic.mails_to("dana@example.org").await[0];
    assert!(mail.header("List-Unsubscribe").is_some());

    let seen = look(&clinic, &id).await;
    assert_eq!(
        (&seen["state"], &seen["purpose"]),
        (&json!("PLANNED"), &json!("MARKETING"))
    );
    assert_eq!(seen["campaign"]["code"], "heart-month");
    assert_eq!(seen["template"]["key"], "still-here");
    let progress = &seen["progress"];
    assert_eq!(
        (&progress["leadsLookedAt"], &progress["share"]),
        (&json!(5), &json!(1.0))
    );
    // Eve agreed to nothing, and can read why she gets nothing.
    assert_eq!(
        (&progress["planned"], &progress["accepted"]),
        (&json!(3), &json!(2))
    );
    let eve = mail_to(&clinic, &id, like.contact_id).await;
    assert_eq!(reason(&eve), Some(GateReason::NoConsent));
    counts_are_true(&clinic, &id).await;

    let query = "query($id: ID!) { messages(filter: { mailingId: $id, state: [ACCEPTED] }) { totalCount nodes { kind
        mailing { name } events { kind } } } node(id: $id) { id } mailings(filter: { states: [PLANNED] }) { totalCount } }";
    let listed = clinic.graphql(OPS, query, json!({ "id": id })).await.data("");
    assert_eq!(listed["messages"]["totalCount"], 2);
    let one = &listed["messages"]["nodes"][0];
    assert_eq!(
        (&one["kind"], &one["mailing"]["name"]),
        (&json!("NURTURE"), &json!("Heart month news"))
    );
    assert_eq!(
        one["events"],
        json!([{ "kind": "PLANNED" }, { "kind": "ACCEPTED" }])
    );
    assert_eq!(
        (&listed["node"]["id"], &listed["mailings"]["totalCount"]),
        (&json!(id), &json!(1))
    );
}

#[tokio::test]
async fn who_comes_in_after_the_start_is_not_written_to() {
    let clinic = Clinic::new().await;
    let dana = subscribers(&clinic, &["Dana"]).await[0];
    let id = started(&clinic, json!({}), None).await;
    let like = clinic.last_lead().await;
    let late = clinic.subscriber("Lou").await;
    asks(&clinic, &like, late).await;
    clinic.drain().await;
    assert_eq!(mail_to(&clinic, &id, dana).await.state, MessageState::Accepted);
    assert!(
        mails(&clinic, &id)
            .await
            .iter()
            .all(|mail| mail.contact_id != Some(late))
    );
}

#[tokio::test]
async fn an_audience_leaves_out_whom_it_does_not_name() {
    let clinic = Clinic::new().await;
    let contacts = subscribers(&clinic, &["Dana", "Rosa", "Luz"]).await;
    for (contact, language) in [(contacts[1], "es-MX"), (contacts[2], "ES")] {
        let row = contact::Entity::find_by_id(contact)
            .one(clinic.db())
            .await
            .unwrap()
            .unwrap();
        let mut row = row.into_active_model();
        row.language = sea_orm::ActiveValue::Set(language.to_owned());
        row.update(clinic.db()).await.unwrap();
    }
    let tomorrow = clinic.now() + TimeDelta::days(1);
    let query = "query($i: PreviewMailingInput!) { previewMailing(input: $i) { leads contacts atLeast lead { id } mail { subject text } } }";
    let preview = async |who, audience: Value| {
        let template = clinic.id_of("template", "still-here").await;
        let input = json!({ "i": { "templateId": template, "audience": audience } });
        clinic.graphql(who, query, input).await.data("previewMailing")
    };
    let counted = async |audience: Value| {
        let seen = preview(OPS, audience).await;
        assert_eq!(seen["atLeast"], false);
        (
            seen["leads"].as_i64().unwrap(),
            seen["contacts"].as_i64().unwrap(),
        )
    };
    assert_eq!(counted(json!({})).await, (4, 4));
    assert_eq!(counted(json!({ "languages": ["es"] })).await, (2, 2));
    assert_eq!(counted(json!({ "languages": ["es-mx"] })).await, (1, 1));
    assert_eq!(counted(json!({ "channels": ["PHONE"] })).await, (0, 0));
    assert_eq!(
        counted(json!({ "stages": ["NEW", "CONTACTED"], "leadTypes": ["PATIENT_APPOINTMENT"] })).await,
        (4, 4)
    );
    assert_eq!(counted(json!({ "stages": ["QUALIFIED"] })).await, (0, 0));
    assert_eq!(counted(json!({ "receivedFrom": tomorrow })).await, (0, 0));
    assert_eq!(counted(json!({ "receivedTo": clinic.now() })).await, (0, 0));
    assert_eq!(
        counted(json!({ "receivedFrom": clinic.now(), "receivedTo": tomorrow })).await,
        (4, 4)
    );
    let lakeside = clinic.id_of("facility", "lakeside").await;
    let at_lakeside = clinic.last_lead().await.facility_id.map(|id| id.to_string()) == Some(lakeside.clone());
    let expected = if at_lakeside { (4, 4) } else { (0, 0) };
    assert_eq!(counted(json!({ "facilityIds": [lakeside] })).await, expected);
    // Whoever sees every lead reads the mail of one of them, the others that of a made-up person.
    let ours = preview(OPS, json!({})).await;
    assert_eq!(ours["lead"]["id"], clinic.last_lead().await.id.to_string());
    let theirs = preview(STRATEGIST, json!({})).await;
    assert_eq!((&theirs["lead"], &theirs["leads"]), (&Value::Null, &json!(4)));
    assert!(!theirs["mail"]["text"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn what_changes_on_the_way_is_asked_when_the_mail_is_about_to_go() {
    let clinic = Clinic::new().await;
    let contacts = subscribers(&clinic, &["Dana", "Wim", "Bea", "Cal"]).await;
    let tomorrow = clinic.now() + TimeDelta::days(1);
    let id = started(&clinic, json!({}), Some(tomorrow)).await;
    clinic.drain().await;
    assert_eq!(look(&clinic, &id).await["progress"]["waiting"], 5);
    clinic.says(contacts[1], ConsentAction::Withdraw).await;
    let input = json!({ "medium": "EMAIL", "address": "bea@example.org", "reason": "DO_NOT_CONTACT" });
    clinic.change(OPS, "suppressAddress", input).await;
    let mut cal = contact::Entity::find_by_id(contacts[3])
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap()
        .into_active_model();
    // There it is 5 in the morning then.
    cal.region = sea_orm::ActiveValue::Set(Some("HI".to_owned()));
    cal.update(clinic.db()).await.unwrap();
    clinic.live_until(tomorrow).await;
    let mut told = Vec::new();
    for contact in &contacts {
        let mail = mail_to(&clinic, &id, *contact).await;
        told.push((mail.state, reason(&mail).unwrap()));
    }
    use MessageState::{Accepted, Deferred, Withheld};
    let expected = [
        (Accepted, GateReason::ConsentGranted),
        (Withheld, GateReason::ConsentWithdrawn),
        (Withheld, GateReason::Suppressed),
        (Deferred, GateReason::QuietHours),
    ];
    assert_eq!(told, expected);
    counts_are_true(&clinic, &id).await;
    clinic.live_until(tomorrow + TimeDelta::hours(8)).await;
    assert_eq!(mail_to(&clinic, &id, contacts[3]).await.state, Accepted);
    counts_are_true(&clinic, &id).await;
}

#[tokio::test]
async fn a_campaign_that_pauses_holds_the_mails_of_its_mailing() {
    let clinic = Clinic::new().await;
    let dana = subscribers(&clinic, &["Dana"]).await[0];
    let campaign = clinic.id_of("campaign", "heart-month").await;
    let id = started(&clinic, json!({}), None).await;
    let input = json!({ "campaignId": campaign });
    clinic.change(OPS, "pauseCampaign", input.clone()).await;
    clinic.drain().await;
    let mail = mail_to(&clinic, &id, dana).await;
    assert_eq!(
        (mail.state, reason(&mail)),
        (MessageState::Deferred, Some(GateReason::CampaignPaused))
    );
    assert_eq!(look(&clinic, &id).await["progress"]["deferred"], 1);
    clinic.change(OPS, "launchCampaign", input).await;
    clinic.drain().await;
    assert_eq!(mail_to(&clinic, &id, dana).await.state, MessageState::Accepted);
    counts_are_true(&clinic, &id).await;
}

#[tokio::test]
async fn planning_goes_on_where_it_was_and_two_workers_do_nothing_twice() {
    let clinic = Clinic::new().await;
    crowd(&clinic, 2 * STEP + 100).await;
    let before = plannings(&clinic).await;
    let tomorrow = clinic.now() + TimeDelta::days(1);
    let id = started(&clinic, json!({}), Some(tomorrow)).await;
    let _ = round::mailings(&clinic.hospital).await.unwrap();
    let seen = look(&clinic, &id).await;
    assert_eq!(
        (&seen["state"], &seen["progress"]["leadsLookedAt"]),
        (&json!("PLANNING"), &json!(STEP))
    );
    assert_eq!(mails(&clinic, &id).await.len(), STEP);
    // The worker that did it is gone. Others come, several at once, nudged more often than needed.
    let rounds = (0..4).map(|_| async { round::mailings(&clinic.hospital).await.unwrap().value.rows });
    futures_util::future::join_all(rounds).await;
    let (one, two) = (clinic.another_worker(), clinic.another_worker());
    let (first, second) = tokio::join!(one.drain(), two.drain());
    first.unwrap();
    second.unwrap();
    let seen = look(&clinic, &id).await;
    let all = 2 * STEP + 101;
    assert_eq!(seen["state"], "PLANNED");
    assert_eq!(seen["progress"]["leadsLookedAt"], all);
    assert_eq!(seen["progress"]["planned"], all);
    let mut contacts: Vec<_> = mails(&clinic, &id)
        .await
        .into_iter()
        .map(|mail| mail.contact_id)
        .collect();
    contacts.sort_unstable();
    contacts.dedup();
    assert_eq!(contacts.len(), all);
    assert_eq!(
        plannings(&clinic).await - before,
        all as u64,
        "each is told of once"
    );
    stop(&clinic, &id).await;
    clinic.drain().await;
    let withheld = look(&clinic, &id).await["progress"]["withheld"].clone();
    assert_eq!(withheld, all);
    counts_are_true(&clinic, &id).await;
}

#[tokio::test]
async fn a_mailing_that_is_stopped_while_it_is_planned_sends_nothing() {
    let clinic = Clinic::new().await;
    crowd(&clinic, STEP + 10).await;
    let dana = clinic.subscriber("Dana").await;
    let like = clinic.last_lead().await;
    asks(&clinic, &like, dana).await;
    let id = started(&clinic, json!({}), None).await;
    let _ = round::mailings(&clinic.hospital).await.unwrap();
    assert_eq!(mail_to(&clinic, &id, dana).await.state, MessageState::Planned);
    stop(&clinic, &id).await;
    // Whoever claims before the workers have withheld everything is told by the gate.
    let claimed = claim(&clinic.hospital, Lane::Bulk, 10, 120).await.unwrap();
    assert_eq!((claimed.sendables.len(), claimed.withheld), (0, 10));
    // A worker that dies after a step of withholding leaves the rest to the next.
    let _ = round::mailings(&clinic.hospital).await.unwrap();
    clinic.drain().await;
    let all = mails(&clinic, &id).await;
    assert_eq!(all.len(), STEP, "planning ended with the stop");
    for mail in &all {
        let reasons = &mail.decision.as_ref().unwrap().reasons;
        let stopped = reasons
            .iter()
            .any(|reason| reason.code == GateReason::MailingStopped);
        assert!(stopped && mail.state == MessageState::Withheld);
    }
    assert_eq!(clinic.mails_to("dana@example.org").await.len(), 0);
    assert_eq!(look(&clinic, &id).await["progress"]["withheld"], STEP);
    counts_are_true(&clinic, &id).await;
}

#[tokio::test]
async fn what_is_claimed_when_the_mailing_is_stopped_is_not_handed_off() {
    let clinic = Clinic::new().await;
    subscribers(&clinic, &["Dana", "Finn", "Gus"]).await;
    let id = started(&clinic, json!({}), None).await;
    while round::mailings(&clinic.hospital).await.unwrap().value.rows > 0 {}
    let claimed = claim(&clinic.hospital, Lane::Bulk, 10, 120).await.unwrap();
    assert_eq!(claimed.sendables.len(), 3);
    let held: Vec<_> = claimed.sendables.iter().collect();
    // One of them is on its way already; what has begun to go out is not called back.
    assert_eq!(
        hand_off(&clinic.hospital, &held[..1], 120).await.unwrap().len(),
        1
    );
    stop(&clinic, &id).await;
    assert_eq!(hand_off(&clinic.hospital, &held[1..], 120).await.unwrap(), []);
    let states: Vec<_> = mails(&clinic, &id)
        .await
        .into_iter()
        .map(|mail| mail.state)
        .collect();
    let handed_off = states.iter().filter(|state| **state == MessageState::HandedOff);
    assert_eq!(handed_off.count(), 1);
    assert_eq!(
        states
            .iter()
            .filter(|state| **state == MessageState::Withheld)
            .count(),
        3
    );
    clinic.minutes_pass(5);
    clinic.drain().await;
    assert_eq!(look(&clinic, &id).await["progress"]["unknown"], 1);
    counts_are_true(&clinic, &id).await;
}

#[tokio::test]
async fn a_mail_whose_mailing_is_being_stopped_at_this_moment_is_left_for_later() {
    use sea_orm::{QuerySelect, TransactionTrait};
    let clinic = Clinic::new().await;
    subscribers(&clinic, &["Dana"]).await;
    let id = started(&clinic, json!({}), None).await;
    while round::mailings(&clinic.hospital).await.unwrap().value.rows > 0 {}
    if clinic.db().get_database_backend() == sea_orm::DbBackend::Postgres {
        let tx = clinic.db().begin().await.unwrap();
        let mailing: MailingId = id.parse().unwrap();
        entity::mailing::Entity::find_by_id(mailing)
            .lock_exclusive()
            .one(&tx)
            .await
            .unwrap();
        let claimed = claim(&clinic.hospital, Lane::Bulk, 10, 120).await.unwrap();
        assert_eq!(
            (claimed.looked_at, claimed.sendables.len(), claimed.withheld),
            (2, 0, 0)
        );
        tx.rollback().await.unwrap();
        clinic.minutes_pass(1);
    }
    stop(&clinic, &id).await;
    clinic.drain().await;
    assert!(clinic.mails_to("dana@example.org").await.is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_a_mailing_is_told_at_its_field() {
    let clinic = Clinic::new().await;
    subscribers(&clinic, &["Dana"]).await;
    let input = json!({
        "name": " ",
        "campaignId": entity::id::CampaignId(clinic.last_lead().await.id.0).to_string(),
        "templateId": entity::id::TemplateId(clinic.last_lead().await.id.0).to_string(),
        "audience": { "stages": ["CLOSED"], "languages": ["!"], "receivedFrom": "2026-03-03T00:00:00Z",
            "receivedTo": "2026-03-02T00:00:00Z", "facilityIds": [entity::id::FacilityId(clinic.last_lead().await.id.0).to_string()] },
    });
    let refused = clinic.try_change(STRATEGIST, "createMailing", input).await;
    let fields: Vec<String> = refused["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            error["field"]
                .as_array()
                .unwrap()
                .iter()
                .map(|part| part.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(".")
        })
        .collect();
    let expected = [
        "name",
        "campaignId",
        "templateId",
        "audience.facilityIds",
        "audience.stages",
        "audience.languages",
        "audience.receivedTo",
    ];
    assert_eq!(fields, expected);
    let input = json!({
        "name": "News \u{202e}swen",
        "campaignId": clinic.id_of("campaign", "heart-month").await,
        "templateId": clinic.id_of("template", "still-here").await,
        "audience": {},
        "sendAt": "1970-01-01T00:00:00Z",
    });
    let refused = clinic.try_change(STRATEGIST, "createMailing", input).await;
    let errors = refused["userErrors"].as_array().unwrap();
    let fields: Vec<&str> = errors
        .iter()
        .map(|error| error["field"][0].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["name", "sendAt"]);

    let mailing = draft(&clinic, json!({ "languages": ["fr"] })).await;
    let refused = async |input: Value| {
        let payload = clinic.try_change(STRATEGIST, "startMailing", input).await;
        assert_eq!(payload["mailing"], Value::Null);
        assert_eq!(payload["userErrors"].as_array().unwrap().len(), 1, "{payload}");
        let error = payload["userErrors"][0].clone();
        (
            error["field"][0].as_str().unwrap().to_owned(),
            error["code"].as_str().unwrap().to_owned(),
        )
    };
    let no = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    let id = &mailing["id"];
    // Nobody has written it in French.
    assert_eq!(
        refused(json!({ "mailingId": id })).await,
        no("templateId", "NOT_ALLOWED_NOW")
    );
    let mailing = draft(&clinic, json!({})).await;
    let id = &mailing["id"];
    assert_eq!(
        refused(json!({ "mailingId": id, "version": 7 })).await,
        no("version", "VERSION_CONFLICT")
    );
    let past = json!({ "mailingId": id, "sendAt": "2026-03-01T00:00:00Z" });
    assert_eq!(refused(past).await, no("sendAt", "INVALID"));
    let far = json!({ "mailingId": id, "sendAt": "2026-09-01T00:00:00Z" });
    assert_eq!(refused(far).await, no("sendAt", "INVALID"));
    let campaign = clinic.id_of("campaign", "heart-month").await;
    clinic
        .change(
            OPS,
            "updateCampaign",
            json!({ "campaignId": campaign, "endsOn": "2026-03-10" }),
        )
        .await;
    let after = json!({ "mailingId": id, "sendAt": "2026-03-12T00:00:00Z" });
    assert_eq!(refused(after).await, no("sendAt", "INVALID"));
    // Its text is changed, and nobody has agreed to the change.
    let words = json!({ "language": "en", "subject": "Still here for you", "slots": [{ "name": "body", "text": "A quiet evening helps. Call us when it suits you." }] });
    let template = clinic.id_of("template", "still-here").await;
    let changed = clinic
        .try_change(
            CORA,
            "updateTemplate",
            json!({ "templateId": template, "bodies": [words] }),
        )
        .await;
    assert_eq!(changed["userErrors"], json!([]), "{changed}");
    assert_eq!(
        refused(json!({ "mailingId": id })).await,
        no("templateId", "NOT_ALLOWED_NOW")
    );
    // A draft that is stopped never starts, and is stopped once.
    stop(&clinic, id.as_str().unwrap()).await;
    assert_eq!(
        refused(json!({ "mailingId": id })).await,
        no("mailingId", "NOT_ALLOWED_NOW")
    );
    let again = clinic
        .try_change(STRATEGIST, "stopMailing", json!({ "mailingId": id }))
        .await;
    assert_eq!(again["userErrors"][0]["code"], "NOT_ALLOWED_NOW");
    clinic.drain().await;
    assert!(mails(&clinic, id.as_str().unwrap()).await.is_empty());
}

#[tokio::test]
async fn who_writes_a_mailing_need_not_be_who_sends_it() {
    let clinic = Clinic::new().await;
    let mailing = draft(&clinic, json!({})).await;
    let content = As::Role(Role::ContentLead);
    let query = "mutation($i: StartMailingInput!) { startMailing(input: $i) { userErrors { code } } }";
    let answer = clinic
        .graphql(content, query, json!({ "i": { "mailingId": mailing["id"] } }))
        .await;
    assert_eq!(answer.code(), "FORBIDDEN");
    let input = json!({
        "name": "By its writer",
        "campaignId": clinic.id_of("campaign", "heart-month").await,
        "templateId": clinic.id_of("template", "still-here").await,
    });
    clinic.change(content, "createMailing", input).await;
    assert_eq!(at("2026-03-03T15:00:00Z"), clinic.now());
}
