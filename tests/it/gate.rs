//! Whether a mail may go: what holds it back, until when, and what the message says about it.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::{America, Tz};
use domain::outreach::claim::claim;
use domain::outreach::hand_off::hand_off;
use entity::consent_event::ConsentAction;
use entity::contact_preference;
use entity::enums::Role;
use entity::id::{ContactId, MessageId};
use entity::message::{self, Lane, MessageState};
use entity::message_event;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter,
    Statement,
};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at, pat};

const STRATEGIST: As<'static> = As::Role(Role::MarketingStrategist);

/// What a message says about itself, by GraphQL.
async fn said(clinic: &Clinic, id: MessageId) -> Value {
    let query = "query($id: ID!) { message(id: $id) { state dueAt decision {
        outcome reasons { code text until } until rulesVersion windowVersion capVersion at
        consentEvent { action } wording { key version } } } }";
    clinic
        .graphql(OPS, query, json!({ "id": id.to_string() }))
        .await
        .data("message")
}

/// State, outcome and reasons of a message, by GraphQL.
async fn verdict(clinic: &Clinic, id: MessageId) -> (String, String, Vec<String>) {
    let message = said(clinic, id).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let reasons = message["decision"]["reasons"].as_array().unwrap().iter();
    (
        text(&message["state"]),
        text(&message["decision"]["outcome"]),
        reasons.map(|reason| text(&reason["code"])).collect(),
    )
}

fn is(state: &str, outcome: &str, reason: &str) -> (String, String, Vec<String>) {
    (state.to_owned(), outcome.to_owned(), vec![reason.to_owned()])
}

fn instant(value: &Value) -> DateTime<Utc> {
    at(value.as_str().expect("an instant"))
}

async fn history(clinic: &Clinic, id: MessageId) -> Vec<&'static str> {
    let events = message_event::Entity::find()
        .filter(message_event::Column::MessageId.eq(id))
        .all(clinic.db())
        .await
        .unwrap();
    events.iter().map(|event| event.kind.as_str()).collect()
}

async fn pause(clinic: &Clinic, contact_id: ContactId, until: DateTime<Utc>, max_per_week: Option<i32>) {
    let row = contact_preference::Model {
        id: domain::id::new_id(clinic.now()),
        contact_id,
        paused_until: Some(until),
        max_per_week,
        updated_at: clinic.now(),
    };
    row.into_active_model().insert(clinic.db()).await.unwrap();
}

#[tokio::test]
async fn a_mail_that_goes_names_the_versions_and_the_consent_that_it_relied_on() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.drain().await;
    let message = said(&clinic, mail).await;
    let decision = &message["decision"];
    assert_eq!(
        (&message["state"], &decision["outcome"]),
        (&json!("ACCEPTED"), &json!("ALLOW"))
    );
    assert_eq!(decision["rulesVersion"], 5);
    assert_eq!(decision["windowVersion"], "HOUSE.0 US.0");
    assert_eq!(decision["capVersion"], 0);
    assert_eq!(decision["consentEvent"], json!({ "action": "GRANT" }));
    assert_eq!(
        decision["wording"],
        json!({ "key": "email-marketing", "version": 1 })
    );
}

#[tokio::test]
async fn without_consent_after_a_withdrawal_and_to_a_suppressed_address_nothing_goes() {
    let clinic = Clinic::new().await;
    let nobody_asked = clinic.somebody("Una", Some("NY"), None).await;
    let first = clinic.plan_mail(nobody_asked, None, clinic.now()).await;

    let changed_mind = clinic.subscriber("Wim").await;
    let tomorrow = clinic.now() + TimeDelta::days(1);
    let second = clinic.plan_mail(changed_mind, None, tomorrow).await;

    let blocked = clinic.subscriber("Bea").await;
    let input = json!({ "medium": "EMAIL", "address": "bea@example.org", "reason": "DO_NOT_CONTACT" });
    clinic.change(OPS, "suppressAddress", input).await;
    let third = clinic.plan_mail(blocked, None, clinic.now()).await;

    clinic.drain().await;
    clinic.minutes_pass(5);
    clinic.says(changed_mind, ConsentAction::Withdraw).await;
    clinic.live_until(tomorrow).await;
    assert_eq!(
        verdict(&clinic, first).await,
        is("WITHHELD", "WITHHOLD", "NO_CONSENT")
    );
    assert_eq!(
        verdict(&clinic, second).await,
        is("WITHHELD", "WITHHOLD", "CONSENT_WITHDRAWN")
    );
    assert_eq!(
        said(&clinic, second).await["decision"]["consentEvent"],
        json!({ "action": "WITHDRAW" }),
        "it names what stands against it"
    );
    assert_eq!(
        verdict(&clinic, third).await,
        is("WITHHELD", "WITHHOLD", "SUPPRESSED")
    );
    assert_eq!(clinic.mails().await.len(), 0);
}

#[tokio::test]
async fn a_state_in_two_zones_is_written_to_when_both_allow_it_also_over_a_change_of_clocks() {
    let clinic = Clinic::new().await;
    // Saturday, 20:30 in the east of Tennessee and 19:30 in its west; clocks change in the night to Sunday.
    clinic.clock.set(at("2026-03-08T01:30:00Z"));
    let tess = clinic.somebody("Tess", Some("TN"), None).await;
    clinic.says(tess, ConsentAction::Grant).await;
    let mail = clinic.plan_mail(tess, None, clinic.now()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail).await,
        is("DEFERRED", "DEFER", "QUIET_HOURS")
    );
    let message = said(&clinic, mail).await;
    // Monday, 09:00 in the west by summer time.
    let monday = at("2026-03-09T14:00:00Z");
    assert_eq!(instant(&message["decision"]["until"]), monday);
    clinic.live_until(monday + TimeDelta::hours(1)).await;
    assert_eq!(clinic.message(mail).await.handed_off_at, Some(monday));
}

#[tokio::test]
async fn a_mail_that_was_claimed_before_the_window_closed_is_not_handed_off_after_it() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    // One minute before 20:00 in New York.
    clinic.clock.set(at("2026-03-04T00:59:00Z"));
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    let claimed = claim(&clinic.hospital, Lane::Bulk, 10, 600).await.unwrap();
    assert_eq!(claimed.sendables.len(), 1);
    clinic.minutes_pass(1);
    let held: Vec<_> = claimed.sendables.iter().collect();
    assert_eq!(hand_off(&clinic.hospital, &held, 60).await.unwrap(), []);
    clinic.minutes_pass(1);
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail).await,
        is("DEFERRED", "DEFER", "QUIET_HOURS")
    );
}

#[tokio::test]
async fn the_cap_counts_over_all_campaigns_and_within_one_batch() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let (sleep, heart) = (
        clinic.campaign("sleep-spring").await,
        clinic.campaign("heart-month").await,
    );
    let now = clinic.now();
    let mut mails = Vec::new();
    for campaign in [sleep, heart, sleep, heart] {
        mails.push(clinic.plan_mail(dana, Some(campaign), now).await);
    }
    clinic.drain().await;
    let mut states = Vec::new();
    for mail in &mails {
        states.push(clinic.message(*mail).await.state);
    }
    use MessageState::{Accepted, Deferred};
    assert_eq!(states, [Accepted, Accepted, Deferred, Deferred]);
    assert_eq!(
        verdict(&clinic, mails[2]).await,
        is("DEFERRED", "DEFER", "FREQUENCY_CAP")
    );
    let until = instant(&said(&clinic, mails[2]).await["decision"]["until"]);
    assert_eq!(until, now + TimeDelta::days(1));
    // Two more are a day later; a fifth in the week waits for the week to be over.
    let fifth = clinic
        .plan_mail(dana, Some(sleep), now + TimeDelta::days(3))
        .await;
    clinic.live_until(now + TimeDelta::days(3)).await;
    for mail in &mails {
        assert_eq!(clinic.message(*mail).await.state, Accepted);
    }
    let until = instant(&said(&clinic, fifth).await["decision"]["until"]);
    // Seven days after the first two, when clocks have changed: 10:00 there has become 11:00.
    assert_eq!(until, now + TimeDelta::days(7));
}

#[tokio::test]
async fn what_another_worker_has_claimed_counts_before_it_is_handed_off() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    for _ in 0..3 {
        clinic.plan_mail(dana, None, clinic.now()).await;
    }
    let one = claim(&clinic.hospital, Lane::Bulk, 1, 120).await.unwrap();
    let two = claim(&clinic.hospital, Lane::Bulk, 1, 120).await.unwrap();
    let three = claim(&clinic.hospital, Lane::Bulk, 1, 120).await.unwrap();
    let counts = [one, two, three].map(|claimed| claimed.sendables.len());
    assert_eq!(counts, [1, 1, 0]);
    clinic.minutes_pass(3);
    clinic.drain().await;
}

#[tokio::test]
async fn a_contact_s_pause_holds_its_mail_and_the_end_of_it_lets_it_go_at_once() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let until = clinic.now() + TimeDelta::days(10);
    pause(&clinic, dana, until, None).await;
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail).await,
        is("DEFERRED", "DEFER", "CONTACT_PAUSED")
    );
    let message = said(&clinic, mail).await;
    assert!(instant(&message["decision"]["until"]) >= until);
    assert_eq!(instant(&message["decision"]["reasons"][0]["until"]), until);
    // Looked at again every day, and told once.
    clinic.live_until(clinic.now() + TimeDelta::days(3)).await;
    assert_eq!(history(&clinic, mail).await, ["DEFERRED"]);
    let input = json!({ "contactId": dana.to_string(), "pausedUntil": null });
    clinic
        .change(As::Role(Role::Admin), "updateContactPreferences", input)
        .await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Accepted);
}

#[tokio::test]
async fn a_contact_who_wants_one_mail_a_week_gets_one() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    pause(&clinic, dana, clinic.now(), Some(1)).await;
    clinic.plan_mail(dana, None, clinic.now()).await;
    let second = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, second).await,
        is("DEFERRED", "DEFER", "FREQUENCY_CAP")
    );
    let until = instant(&said(&clinic, second).await["decision"]["until"]);
    assert_eq!(until, clinic.now() + TimeDelta::days(7));
}

#[tokio::test]
async fn a_campaign_that_is_over_sends_nothing_and_one_that_begins_later_waits() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let (sleep, heart) = (
        clinic.campaign("sleep-spring").await,
        clinic.campaign("heart-month").await,
    );
    let days = |id: &dyn ToString, starts: &str, ends: &str| json!({ "campaignId": id.to_string(), "startsOn": starts, "endsOn": ends });
    clinic
        .change(OPS, "updateCampaign", days(&heart, "2026-02-01", "2026-03-02"))
        .await;
    clinic
        .change(OPS, "updateCampaign", days(&sleep, "2026-03-05", "2026-03-31"))
        .await;
    let over = clinic.plan_mail(dana, Some(heart), clinic.now()).await;
    let early = clinic.plan_mail(dana, Some(sleep), clinic.now()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, over).await,
        is("WITHHELD", "WITHHOLD", "CAMPAIGN_ENDED")
    );
    assert_eq!(
        verdict(&clinic, early).await,
        is("DEFERRED", "DEFER", "CAMPAIGN_NOT_STARTED")
    );
    let reason = &said(&clinic, early).await["decision"]["reasons"][0];
    // The first of the days in the hospital's zone.
    assert_eq!(instant(&reason["until"]), at("2026-03-05T05:00:00Z"));
    // It begins today after all.
    clinic
        .change(OPS, "updateCampaign", days(&sleep, "2026-03-03", "2026-03-31"))
        .await;
    clinic.drain().await;
    assert_eq!(clinic.message(early).await.state, MessageState::Accepted);
}

#[tokio::test]
async fn a_campaign_without_budget_left_waits_until_it_has_more() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let sleep = clinic.campaign("sleep-spring").await;
    let spend = json!({ "campaignId": sleep.to_string(), "day": "2026-03-02", "amountMinor": 500_000 });
    clinic.change(OPS, "recordSpend", spend).await;
    let mail = clinic.plan_mail(dana, Some(sleep), clinic.now()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail).await,
        is("DEFERRED", "DEFER", "BUDGET_SPENT")
    );
    let more = json!({ "campaignId": sleep.to_string(), "budgetMinor": 600_000 });
    clinic.change(OPS, "updateCampaign", more).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Accepted);
}

#[tokio::test]
async fn a_stop_of_sending_holds_bulk_and_lets_through_what_people_asked_for() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let stop = json!({ "reason": "COMPLAINTS", "note": "Above 0.3 percent since Monday" });
    clinic.change(STRATEGIST, "stopSending", stop).await;
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail).await,
        is("DEFERRED", "DEFER", "SENDING_STOPPED")
    );
    assert_eq!(
        clinic.subjects_to("pat@example.org").await,
        ["We have received your request"]
    );
    let stops = clinic
        .graphql(OPS, "{ sendingStops { domain reason note } }", json!({}))
        .await
        .data("sendingStops");
    assert_eq!(
        stops,
        json!([{ "domain": null, "reason": "COMPLAINTS", "note": "Above 0.3 percent since Monday" }])
    );
    clinic.minutes_pass(1);
    clinic.change(STRATEGIST, "resumeSending", json!({})).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Accepted);
}

#[tokio::test]
async fn a_stop_of_another_domain_holds_nothing() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let stop = |domain: &str| json!({ "reason": "BLOCKED", "domain": domain });
    clinic.change(OPS, "stopSending", stop("elsewhere.example")).await;
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.state, MessageState::Accepted);
    clinic.change(OPS, "stopSending", stop("Clinic.Example")).await;
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail).await,
        is("DEFERRED", "DEFER", "SENDING_STOPPED")
    );
}

#[tokio::test]
async fn a_campaign_that_is_held_for_capacity_waits_until_it_is_released() {
    let clinic = Clinic::new().await;
    let dana = clinic.subscriber("Dana").await;
    let (sleep, heart) = (
        clinic.campaign("sleep-spring").await,
        clinic.campaign("heart-month").await,
    );
    let lead = As::Role(Role::ServiceLineLead);
    let next_month = at("2026-04-01T12:00:00Z");
    let hold = json!({ "campaignId": sleep.to_string(), "until": "2026-04-01T12:00:00Z", "reason": "No free nights" });
    clinic.change(lead, "holdOutreach", hold).await;
    let held = clinic.plan_mail(dana, Some(sleep), clinic.now()).await;
    let other = clinic.plan_mail(dana, Some(heart), clinic.now()).await;
    clinic.drain().await;
    assert_eq!(clinic.message(other).await.state, MessageState::Accepted);
    assert_eq!(
        verdict(&clinic, held).await,
        is("DEFERRED", "DEFER", "CAPACITY_HELD")
    );
    let reason = &said(&clinic, held).await["decision"]["reasons"][0];
    assert_eq!(instant(&reason["until"]), next_month);
    let release = json!({ "campaignId": sleep.to_string() });
    let released = clinic.change(lead, "releaseOutreach", release.clone()).await;
    assert!(released["hold"].is_object(), "{released:#}");
    clinic.drain().await;
    assert_eq!(clinic.message(held).await.state, MessageState::Accepted);
    let again = clinic.change(lead, "releaseOutreach", release).await;
    assert_eq!(again["hold"], Value::Null);
    let nothing = clinic
        .try_change(lead, "holdOutreach", json!({ "reason": "Which one?" }))
        .await;
    assert_eq!(nothing["userErrors"][0]["code"], "INVALID");
}

#[tokio::test]
async fn a_paused_sequence_and_campaign_let_go_what_they_held_as_soon_as_they_run_again() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    let sequence = clinic.id_of("sequence", "Sleep: the first weeks").await;
    let pause = json!({ "sequenceId": sequence, "resume": false });
    let campaign = json!({ "campaignId": clinic.campaign("sleep-spring").await.to_string() });
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    // The enrollment moves on, and then both are paused before the mail is claimed.
    clinic.clock.set(at("2026-03-05T15:00:00Z"));
    let moved = domain::sequence::advance_due(&clinic.hospital, 10).await.unwrap();
    assert_eq!(moved.value.moved, 1);
    clinic.change(STRATEGIST, "pauseSequence", pause).await;
    clinic.change(STRATEGIST, "pauseCampaign", campaign.clone()).await;
    clinic.drain().await;
    let mail = clinic
        .messages()
        .await
        .into_iter()
        .find(|row| row.sequence_id.is_some())
        .expect("the mail of the first step");
    let (state, _, reasons) = verdict(&clinic, mail.id).await;
    assert_eq!(
        (state.as_str(), reasons),
        (
            "DEFERRED",
            vec!["CAMPAIGN_PAUSED".to_owned(), "SEQUENCE_PAUSED".to_owned()]
        )
    );
    clinic.minutes_pass(1);
    clinic.change(STRATEGIST, "launchCampaign", campaign).await;
    clinic.drain().await;
    assert_eq!(
        verdict(&clinic, mail.id).await,
        is("DEFERRED", "DEFER", "SEQUENCE_PAUSED")
    );
    clinic.minutes_pass(1);
    let resume = json!({ "sequenceId": sequence, "resume": true });
    clinic.change(STRATEGIST, "pauseSequence", resume).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail.id).await.sent_at, Some(clinic.now()));
}

#[tokio::test]
async fn a_release_leaves_alone_what_a_mail_server_asked_to_bring_later() {
    let clinic = Clinic::with_smtp().await;
    let dana = clinic.subscriber("Dana").await;
    let refuse = crate::harness::smtp_sink::Behavior::RefuseRecipient {
        reply: "450 4.2.1 Try again later".to_owned(),
        prefix: "dana@".to_owned(),
    };
    clinic.sink().behave_times(1, refuse);
    let mail = clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.drain().await;
    let waits = clinic.message(mail).await;
    assert_eq!(waits.state, MessageState::Deferred);
    clinic
        .change(OPS, "stopSending", json!({ "reason": "STAFF" }))
        .await;
    clinic.change(OPS, "resumeSending", json!({})).await;
    clinic.drain().await;
    assert_eq!(clinic.message(mail).await.due_at, waits.due_at);
}

#[tokio::test]
async fn explaining_a_mail_says_what_sending_it_then_says_and_writes_nothing() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    let playbook = clinic.hospital.playbook().await.unwrap();
    let template = |key: &str| playbook.template_by_key[key].to_string();
    let query = "query($lead: ID!, $template: ID!, $sequence: ID) {
        explainMessage(leadId: $lead, templateId: $template, sequenceId: $sequence) {
            outcome reasons { code } until rulesVersion windowVersion capVersion consentEvent { action }
        } }";
    let ask = async |who: As<'static>, key: &str, sequence: Option<String>| {
        let variables = json!({ "lead": lead, "template": template(key), "sequence": sequence });
        clinic.graphql(who, query, variables).await
    };
    // The token of who asks is made with the first question.
    ask(OPS, "received", None).await;
    let before = clinic.contents().await;
    let answer = ask(OPS, "received", None).await.data("explainMessage");
    assert_eq!(answer["reasons"], json!([{ "code": "REQUESTED_REPLY" }]));
    let answer = ask(OPS, "getting-ready", None).await.data("explainMessage");
    assert_eq!(answer["outcome"], "ALLOW", "{answer:#}");
    assert_eq!(answer["consentEvent"], json!({ "action": "GRANT" }));
    let care = ask(OPS, "what-to-bring", None).await.data("explainMessage");
    assert_eq!(care["capVersion"], Value::Null);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());

    let sequence = clinic.id_of("sequence", "Sleep: the first weeks").await;
    let pause = json!({ "sequenceId": sequence, "resume": false });
    clinic.change(STRATEGIST, "pauseSequence", pause).await;
    let answer = ask(OPS, "getting-ready", Some(sequence))
        .await
        .data("explainMessage");
    assert_eq!(answer["reasons"], json!([{ "code": "SEQUENCE_PAUSED" }]));
    // In the night it is quiet, and a coordinator of another team is told nothing.
    clinic.hours_pass(12);
    let answer = ask(OPS, "getting-ready", None).await.data("explainMessage");
    assert_eq!(answer["reasons"], json!([{ "code": "QUIET_HOURS" }]));
    assert_eq!(
        ask(As::Staff("luis"), "getting-ready", None).await.code(),
        "NOT_FOUND"
    );
    clinic.drain().await;
}

#[tokio::test]
async fn what_a_claim_asks_the_database_does_not_grow_with_the_batch() {
    let clinic = Clinic::new().await;
    let (sleep, heart) = (
        clinic.campaign("sleep-spring").await,
        clinic.campaign("heart-month").await,
    );
    let mut asked = Vec::new();
    for people in [2, 60] {
        for number in 0..people {
            let contact = clinic.subscriber(&format!("Person{people}x{number}")).await;
            clinic.plan_mail(contact, Some(sleep), clinic.now()).await;
            clinic.plan_mail(contact, Some(heart), clinic.now()).await;
        }
        clinic.statements();
        let claimed = claim(&clinic.hospital, Lane::Bulk, 500, 120).await.unwrap();
        assert_eq!(claimed.sendables.len(), 2 * people);
        asked.push(clinic.statements().len());
        clinic.drain().await;
    }
    assert_eq!(asked[0], asked[1], "statements for 4 and for 120 messages");
    clinic.minutes_pass(3);
    clinic.drain().await;
}

#[tokio::test]
async fn the_history_of_contacts_is_counted_by_its_own_index() {
    let clinic = Clinic::new().await;
    clinic.plan_nurture(1500).await;
    let db = clinic.db();
    let sent = clinic.now() - TimeDelta::days(2);
    let sql = "UPDATE message SET state = 'ACCEPTED', handed_off_at = $1";
    let backend = db.get_database_backend();
    db.execute_raw(Statement::from_sql_and_values(backend, sql, [sent.into()]))
        .await
        .unwrap();
    db.execute_unprepared(if backend == DbBackend::Postgres {
        "VACUUM ANALYZE message"
    } else {
        "ANALYZE"
    })
    .await
    .unwrap();
    let dana = clinic.subscriber("Dana").await;
    clinic.plan_mail(dana, None, clinic.now()).await;
    clinic.statements();
    clinic.drain().await;
    let asked = clinic.statements();
    let history = asked
        .iter()
        .find(|sql| sql.contains("SELECT contact_id, handed_off_at"))
        .expect("the claim counts");
    let explain = match backend {
        DbBackend::Postgres => "EXPLAIN",
        _ => "EXPLAIN QUERY PLAN",
    };
    let values: [sea_orm::Value; 2] = [sent.into(), dana.into()];
    let plan = Statement::from_sql_and_values(backend, format!("{explain} {history}"), values);
    let column = if backend == DbBackend::Postgres {
        "QUERY PLAN"
    } else {
        "detail"
    };
    let rows = db.query_all_raw(plan).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
    let from_index = |line: &&String| match backend {
        DbBackend::Postgres => line.contains("Index Only Scan using idx_message_contact_id_handed_off_at"),
        // SQLite asks the condition of a partial index again, of the few rows that it finds.
        _ => line.contains("SEARCH message USING INDEX idx_message_contact_id_handed_off_at"),
    };
    assert_eq!(plan.iter().filter(from_index).count(), 2, "{plan:#?}");
}

/// A person of the long story.
#[derive(Clone, Debug)]
struct Person {
    state: Option<&'static str>,
    zones: &'static [Tz],
    pause_from_now: Option<i64>,
    max_per_week: Option<i32>,
    /// When its mails are due, in minutes from the start, and of which campaign.
    mails: Vec<(i64, usize)>,
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let places: Vec<(Option<&'static str>, &'static [Tz])> = vec![
        (Some("NY"), &[America::New_York]),
        (Some("TN"), &[America::New_York, America::Chicago]),
        (Some("CA"), &[America::Los_Angeles]),
        (Some("RI"), &[America::New_York]),
    ];
    let person = (
        prop::sample::select(places),
        prop::option::weighted(0.3, 0_i64..8_000),
        prop::option::weighted(0.4, 1_i32..4),
        prop::collection::vec((0_i64..11_000, 0_usize..2), 6..14),
    );
    let person = person.prop_map(|((state, zones), pause_from_now, max_per_week, mails)| Person {
        state,
        zones,
        pause_from_now,
        max_per_week,
        mails,
    });
    prop::collection::vec(person, 6)
}

/// Every mail that went out to a person went at a time at which it might.
fn check(person: &Person, start: DateTime<Utc>, sent: &[DateTime<Utc>]) {
    for (place, at) in sent.iter().enumerate() {
        for zone in person.zones {
            let local = at.with_timezone(zone);
            let shut = if person.state == Some("RI") { 18 } else { 20 };
            assert!(local.weekday() != Weekday::Sun, "{local} is a Sunday");
            assert!((9..shut).contains(&local.hour()), "{local} is quiet");
        }
        let paused = person
            .pause_from_now
            .is_some_and(|minutes| *at < start + TimeDelta::minutes(minutes));
        assert!(!paused, "{at} lies in the pause of {person:?}");
        let within = |span: TimeDelta| sent[..=place].iter().filter(|other| **other > *at - span).count();
        assert!(within(TimeDelta::hours(24)) <= 2, "{sent:?}");
        let cap = person.max_per_week.map_or(4, |own| own.min(4));
        assert!(
            within(TimeDelta::days(7)) <= usize::try_from(cap).unwrap(),
            "{cap} in {sent:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_over_two_weeks_never_exceed_a_cap_nor_break_quiet_hours() {
    let mut runner = TestRunner::deterministic();
    let mut sent_in_all = 0;
    for _ in 0..2 {
        let people = people().new_tree(&mut runner).unwrap().current();
        let clinic = Clinic::new().await;
        // Thursday; the clocks change on the second Sunday.
        clinic.clock.set(at("2026-02-26T14:30:00Z"));
        let start = clinic.now();
        let campaigns = [
            clinic.campaign("sleep-spring").await,
            clinic.campaign("heart-month").await,
        ];
        let mut ids = Vec::new();
        for (number, person) in people.iter().enumerate() {
            let id = clinic
                .somebody(&format!("Person{number}"), person.state, None)
                .await;
            clinic.says(id, ConsentAction::Grant).await;
            if person.pause_from_now.is_some() || person.max_per_week.is_some() {
                let until = start + TimeDelta::minutes(person.pause_from_now.unwrap_or(0));
                pause(&clinic, id, until, person.max_per_week).await;
            }
            for (minutes, campaign) in &person.mails {
                let due = start + TimeDelta::minutes(*minutes);
                clinic.plan_mail(id, Some(campaigns[*campaign]), due).await;
            }
            ids.push(id);
        }
        let other = clinic.another_worker();
        let end = start + TimeDelta::days(14);
        while clinic.now() < end {
            let (one, two) = tokio::join!(clinic.worker.drain(), other.drain());
            one.unwrap();
            two.unwrap();
            clinic.minutes_pass(47);
        }
        clinic.drain().await;
        for (person, id) in people.iter().zip(ids) {
            let rows = message::Entity::find()
                .filter(message::Column::ContactId.eq(id))
                .all(clinic.db())
                .await
                .unwrap();
            let mut sent: Vec<_> = rows
                .iter()
                .filter(|row| row.state == MessageState::Accepted)
                .filter_map(|row| row.handed_off_at)
                .collect();
            sent.sort_unstable();
            check(person, start, &sent);
            sent_in_all += sent.len();
        }
    }
    assert!(
        sent_in_all > 40,
        "only {sent_in_all} mails went out, so little was shown"
    );
}
