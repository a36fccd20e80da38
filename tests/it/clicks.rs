//! Links in mails are followed of those who allow it, lead everybody on, and count when a person opened them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::outreach::click;
use domain::setup::Setup;
use entity::enums::{Purpose, Role};
use entity::link_visit::{self, ClickReason, ClickVerdict};
use entity::{consent_event, message};
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Checkbox, Clinic, FormPage, Mail, OPS, at, pat};

const BOSS: As<'static> = As::Role(Role::Admin);
const NORA: As<'static> = As::Staff("nora");
const SITE: &str = "https://leads.clinic.example";
const ROOMS: &str = "https://harbor.example/rooms?from=mail&n=1";
const QUIET: &str = "https://harbor.example/quiet";
const CUARTOS: &str = "https://harbor.example/es/cuartos";

/// The headers of a browser that goes to a page.
const BROWSER: [(&str, &str); 3] = [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

/// A clinic whose first promotional mail has links, and whose sleep form asks whether clicks may be seen.
async fn clinic(double_opt_in: bool) -> Clinic {
    let clinic = Clinic::new().await;
    let document: Value = serde_json::from_str(include_str!("harness/clinic.json")).expect("it is JSON");
    let mut form = document["forms"][0].clone();
    let wordings = form["wordings"].as_array_mut().expect("wordings");
    wordings.push(json!("email-tracking"));
    if double_opt_in {
        form["doubleOptIn"] = json!({ "days": 7 });
    }
    let mut template = document["templates"][1].clone();
    assert_eq!(template["key"], "getting-ready");
    template["bodies"] = json!([
        { "language": "en", "subject": "How to get ready", "slots": { "body": format!(
            "Dear {{{{ given_name }}}}, see [our rooms]({ROOMS}) and [a quiet evening]({QUIET}).\n\n\
             All of it: {QUIET}\n\nCall [us](tel:+18605550100) or write to [us](mailto:care@clinic.example).") } },
        { "language": "es", "subject": "Cómo prepararse", "slots": { "body": format!(
            "Hola {{{{ given_name }}}}, vea [los cuartos]({CUARTOS}) y [una noche tranquila]({QUIET}).") } }
    ]);
    let setup = json!({
        "consentWordings": [
            { "key": "email-tracking", "medium": "EMAIL", "purpose": "TRACKING",
              "text": "You may see which links in your news I open." },
            { "key": "email-tracking", "language": "es", "medium": "EMAIL", "purpose": "TRACKING",
              "text": "Pueden ver qué enlaces de sus novedades abro." }
        ],
        "layouts": document["layouts"], "templates": [template], "forms": [form]
    });
    let setup = Setup::parse(&setup.to_string()).expect("it can be read");
    domain::setup::apply(&clinic.hospital, &setup)
        .await
        .expect("it is set up");
    clinic
}

/// Pat asks for an appointment and agrees to news, and to this.
async fn pat_agrees(clinic: &Clinic, more: &[&'static str]) {
    let mut fields = pat();
    fields.extend([
        ("agree", "email me about my request"),
        ("agree", "services and events"),
    ]);
    fields.extend(more.iter().map(|text| ("agree", *text)));
    assert_eq!(clinic.submit_form("sleep-study", &fields).await.status, 303);
}

/// A clinic in which Pat allowed it and has got the mail with the links.
async fn with_mail() -> (Clinic, Mail) {
    let clinic = clinic(false).await;
    pat_agrees(&clinic, &["which links"]).await;
    let mail = mail_of_pat(&clinic).await;
    (clinic, mail)
}

/// The promotional mail, an hour after it went out.
async fn mail_of_pat(clinic: &Clinic) -> Mail {
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let mails = clinic.mails_to("pat@example.org").await;
    mails.into_iter().last().expect("the first nurture mail")
}

/// The opaque links of a part, in order, as paths.
fn paths(part: &str) -> Vec<String> {
    let start = format!("{SITE}/g/");
    let parts = part.split(&start).skip(1);
    parts
        .map(|rest| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
            format!("/g/{}", &rest[..end.unwrap_or(rest.len())])
        })
        .collect()
}

/// Follows a link with these headers; it must lead on.
async fn follow(clinic: &Clinic, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = clinic.client.get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = Answer::to(request).await;
    assert_eq!(answer.status, 302, "{}", answer.body);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    assert_eq!(answer.header("set-cookie"), None);
    answer.header("location").expect("a location").to_owned()
}

async fn follow_all(clinic: &Clinic, paths: &[String]) -> Vec<String> {
    let mut targets = Vec::new();
    for path in paths {
        targets.push(follow(clinic, path, &BROWSER).await);
    }
    targets
}

async fn visits(clinic: &Clinic) -> Vec<link_visit::Model> {
    let rows = link_visit::Entity::find().order_by_asc(link_visit::Column::Id);
    rows.all(clinic.db()).await.unwrap()
}

/// What GraphQL tells of the clicks in Pat's mails, those without left out.
async fn clicks(clinic: &Clinic) -> Value {
    let query = "{ messages { nodes { clicks { target at verdict reason visits } } } }";
    let nodes = clinic.graphql(OPS, query, json!({})).await.data("messages.nodes");
    let all = nodes.as_array().expect("messages").iter();
    let clicks: Vec<Value> = all
        .flat_map(|node| node["clicks"].as_array().expect("clicks").clone())
        .collect();
    json!(clicks)
}

async fn judged(clinic: &Clinic) -> Vec<(Option<ClickVerdict>, Option<ClickReason>)> {
    clinic.minutes_pass(2);
    clinic.drain().await;
    let rows = visits(clinic).await;
    rows.iter().map(|visit| (visit.verdict, visit.reason)).collect()
}

#[tokio::test]
async fn without_consent_links_stand_as_their_author_wrote_them() {
    let clinic = clinic(false).await;
    pat_agrees(&clinic, &[]).await;
    let mail = mail_of_pat(&clinic).await;
    assert!(
        mail.html
            .contains("https://harbor.example/rooms?from=mail&amp;n=1")
    );
    assert!(mail.text.contains(ROOMS) && mail.text.contains(QUIET));
    assert!(!mail.html.contains("/g/") && !mail.text.contains("/g/"));
}

#[tokio::test]
async fn with_consent_links_in_both_parts_are_opaque_and_lead_where_they_led() {
    let (clinic, mail) = with_mail().await;
    let (html, text) = (paths(&mail.html), paths(&mail.text));
    assert_eq!(follow_all(&clinic, &html).await, [ROOMS, QUIET]);
    assert_eq!(follow_all(&clinic, &text).await, [ROOMS, QUIET, QUIET]);
    let all: BTreeSet<&String> = html.iter().chain(&text).collect();
    assert_eq!(all.len(), 2, "the same link in both parts is one");
    assert!(!mail.text.contains("harbor.example"), "{}", mail.text);
    for kept in ["tel:+18605550100", "mailto:care@clinic.example", "/u/", "/p/"] {
        assert!(mail.html.contains(kept), "{kept}");
    }
    assert!(!mail.html.contains("<img"), "there is no pixel");
    for path in all {
        let lower = path.to_lowercase();
        for word in [
            "pat", "meyer", "sleep", "room", "quiet", "harbor", "example", "http",
        ] {
            assert!(!lower["/g/".len()..].contains(word), "{word} in {path}");
        }
    }
}

#[tokio::test]
async fn links_in_spanish_lead_to_the_spanish_pages() {
    let clinic = clinic(false).await;
    pat_agrees(&clinic, &["which links"]).await;
    let input = json!({ "contactId": clinic.last_lead().await.contact_id.to_string(), "language": "es" });
    clinic.change(NORA, "updateContactPreferences", input).await;
    let mail = mail_of_pat(&clinic).await;
    assert_eq!(mail.subject, "Cómo prepararse");
    assert_eq!(follow_all(&clinic, &paths(&mail.html)).await, [CUARTOS, QUIET]);
    let input = json!({ "contactId": clinic.last_lead().await.contact_id.to_string(), "language": "en" });
    clinic.change(NORA, "updateContactPreferences", input).await;
    assert_eq!(
        follow_all(&clinic, &paths(&mail.text)).await,
        [CUARTOS, QUIET],
        "whatever its reader speaks by now"
    );
    clinic.minutes_pass(2);
    clinic.drain().await;
}

#[tokio::test]
async fn only_promotion_is_followed() {
    let (clinic, _) = with_mail().await;
    for mail in clinic.mails().await {
        let is_promotion = mail.subject == "How to get ready";
        assert_eq!(mail.html.contains("/g/"), is_promotion, "{}", mail.subject);
    }
}

#[tokio::test]
async fn a_scanner_that_gets_and_heads_every_link_counts_nothing_and_a_person_after_it_counts_once() {
    let (clinic, mail) = with_mail().await;
    let links = paths(&mail.html);
    for path in &links {
        let head = Answer::to(clinic.client.head(path)).await;
        assert_eq!((head.status.as_u16(), head.body.as_str()), (302, ""));
        assert!(head.header("location").is_some());
        follow(&clinic, path, &[]).await;
        follow(&clinic, path, &BROWSER).await;
    }
    assert!(clicks(&clinic).await[0]["verdict"].is_null(), "not judged yet");
    for (verdict, _) in judged(&clinic).await {
        assert_eq!(verdict, Some(ClickVerdict::Scanner));
    }
    clinic.hours_pass(3);
    let clicked_at = clinic.now();
    follow(&clinic, &links[1], &BROWSER).await;
    clinic.minutes_pass(5);
    follow(&clinic, &links[1], &BROWSER).await;
    assert_eq!(
        judged(&clinic).await.split_off(6),
        [(Some(ClickVerdict::Human), Some(ClickReason::Navigated)); 2]
    );
    let told = clicks(&clinic).await;
    assert_eq!(told[0]["target"], ROOMS);
    assert_eq!(
        (&told[0]["verdict"], &told[0]["reason"]),
        (&json!("SCANNER"), &json!("SAID_SO"))
    );
    assert_eq!(
        (&told[1]["target"], &told[1]["verdict"], &told[1]["visits"]),
        (&json!(QUIET), &json!("HUMAN"), &json!(5))
    );
    let told_at: DateTime<Utc> = told[1]["at"].as_str().expect("a time").parse().unwrap();
    assert_eq!(told_at, clicked_at);
    assert_eq!(told.as_array().map(Vec::len), Some(2), "each link once");
}

#[tokio::test]
async fn who_clicks_before_the_mail_can_have_been_read_is_a_scanner() {
    let clinic = clinic(false).await;
    pat_agrees(&clinic, &["which links"]).await;
    clinic.live_until(at("2026-03-05T14:59:00Z")).await;
    while clinic.mails_to("pat@example.org").await.len() < 2 {
        clinic.minutes_pass(1);
        clinic.drain().await;
    }
    let mail = clinic.mails_to("pat@example.org").await.pop().expect("the mail");
    let path = paths(&mail.html).remove(0);
    follow(&clinic, &path, &BROWSER).await;
    assert_eq!(
        judged(&clinic).await,
        [(Some(ClickVerdict::Scanner), Some(ClickReason::TooSoon))]
    );
}

#[tokio::test]
async fn two_workers_judge_each_visit_once_and_alike() {
    let (clinic, mail) = with_mail().await;
    let links = paths(&mail.html);
    follow(&clinic, &links[0], &BROWSER).await;
    clinic.minutes_pass(1);
    follow(&clinic, &links[1], &BROWSER).await;
    let judged = click::judge_due(&clinic.hospital).await.unwrap();
    assert_eq!(judged, 1, "the other is too young");
    clinic.minutes_pass(1);
    let (one, other) = tokio::join!(
        click::judge_due(&clinic.hospital),
        click::judge_due(&clinic.hospital)
    );
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_eq!(click::judge_due(&clinic.hospital).await.unwrap(), 0);
    let verdicts: Vec<_> = visits(&clinic).await.iter().map(|visit| visit.verdict).collect();
    assert_eq!(verdicts, [Some(ClickVerdict::Human); 2]);
}

#[tokio::test]
async fn a_token_that_was_not_made_here_leads_nowhere() {
    let (clinic, mail) = with_mail().await;
    let path = paths(&mail.html).remove(0);
    let (known, other) = (
        path["/g/".len()..].to_owned(),
        mail.unsubscribe_token().to_owned(),
    );
    // The message of one mail with the proof of another.
    let foreign = clinic
        .hospital
        .secrets
        .link_token(domain::id::new_id::<entity::id::MessageId>(clinic.now()).0, 7);
    let before = clinic.contents().await;
    let mut forged = vec![
        other,
        foreign.clone(),
        format!("{}{}", &known[..22], &foreign[22..]),
        format!("{known}A"),
        known[..known.len() - 1].to_owned(),
        known.to_lowercase(),
        "https:%2F%2Felsewhere.example".to_owned(),
    ];
    for at in [0, 12, 21, 23, 26, 30, 40, 47] {
        let mut letters: Vec<char> = known.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        forged.push(letters.into_iter().collect());
    }
    for token in forged {
        let answer = Answer::to(clinic.client.get(format!("/g/{token}"))).await;
        assert_eq!(answer.status, 404, "{token}");
        assert!(
            answer.header("location").is_none() && answer.body.contains("Harbor Health"),
            "a page for people"
        );
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn who_takes_it_back_is_led_on_and_leaves_no_trace_and_gets_plain_links_from_then_on() {
    let (clinic, mail) = with_mail().await;
    let links = paths(&mail.html);
    follow(&clinic, &links[0], &BROWSER).await;
    let page = Answer::to(clinic.client.get(mail.preferences_path())).await;
    let page = FormPage::read(&page);
    let tracking = |found: &&Checkbox| found.value == "EMAIL.TRACKING";
    assert!(page.boxes.iter().find(tracking).is_some_and(|found| found.ticked));
    let version = page.hidden.iter().find(|(name, _)| name == "version").cloned();
    let boxes = page
        .boxes
        .iter()
        .filter(|found| found.ticked && found.value != "EMAIL.TRACKING");
    let boxes = boxes.map(|found| (found.name.clone(), found.value.clone()));
    let fields: Vec<(String, String)> = version.into_iter().chain(boxes).collect();
    let saved = Answer::to(clinic.client.post(mail.preferences_path()).form(&fields)).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    clinic.minutes_pass(2);
    clinic.drain().await;
    let before = clinic.contents().await;
    for path in &links {
        assert!(
            follow(&clinic, path, &BROWSER)
                .await
                .starts_with("https://harbor.example/")
        );
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    // The same text once more, to the same person.
    let first = message::Entity::find()
        .order_by_desc(message::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    let first = first
        .into_iter()
        .find(|row| row.template_version_id.is_some() && row.enrollment_id.is_some());
    let mut again: message::ActiveModel = first.expect("the mail").into();
    let id = domain::id::new_id::<entity::id::MessageId>(clinic.now());
    again.id = sea_orm::ActiveValue::Set(id);
    again.occurrence = sea_orm::ActiveValue::Set(Some(99));
    again.state = sea_orm::ActiveValue::Set(message::MessageState::Planned);
    again.due_at = sea_orm::ActiveValue::Set(clinic.now());
    again.rfc_message_id = sea_orm::ActiveValue::Set(format!("{}@clinic.example", id.0.simple()));
    again.sent_at = sea_orm::ActiveValue::Set(None);
    again.settled_at = sea_orm::ActiveValue::Set(None);
    message::Entity::insert(again)
        .exec_without_returning(clinic.db())
        .await
        .unwrap();
    clinic.drain().await;
    let mail = clinic
        .mails_to("pat@example.org")
        .await
        .pop()
        .expect("the mail again");
    assert!(
        mail.text.contains(ROOMS) && !mail.text.contains("/g/"),
        "{}",
        mail.text
    );
}

#[tokio::test]
async fn an_old_mail_leads_on_and_leaves_no_trace() {
    let (clinic, mail) = with_mail().await;
    clinic.live_until(at("2026-06-10T16:00:00Z")).await;
    let path = paths(&mail.html).remove(0);
    assert_eq!(follow(&clinic, &path, &BROWSER).await, ROOMS);
    assert!(visits(&clinic).await.is_empty());
}

#[tokio::test]
async fn no_more_than_twenty_visits_of_a_mail_are_kept_and_the_link_leads_on() {
    let (clinic, mail) = with_mail().await;
    let path = paths(&mail.html).remove(0);
    let visits = (0..25).map(|_| follow(&clinic, &path, &BROWSER));
    for target in futures_util::future::join_all(visits).await {
        assert_eq!(target, ROOMS);
    }
    assert_eq!(
        link_visit::Entity::find().count(clinic.db()).await.unwrap(),
        click::VISITS_MAX
    );
    clinic.minutes_pass(2);
    clinic.drain().await;
}

#[tokio::test]
async fn visits_are_exported_and_erased_with_the_person() {
    let (clinic, mail) = with_mail().await;
    let path = paths(&mail.html).remove(0);
    follow(&clinic, &path, &BROWSER).await;
    judged(&clinic).await;
    let input = json!({ "contactId": clinic.last_lead().await.contact_id.to_string() });
    let export = clinic.change(BOSS, "exportContact", input.clone()).await["export"].clone();
    let messages = export["messages"].as_array().expect("messages");
    let told: Vec<&Value> = messages
        .iter()
        .flat_map(|mail| mail["linkVisits"].as_array().expect("visits"))
        .collect();
    assert_eq!(told.len(), 1, "{export:#}");
    assert_eq!(
        (&told[0]["target"], &told[0]["verdict"], &told[0]["way"]),
        (&json!(ROOMS), &json!("HUMAN"), &json!("NAVIGATED"))
    );
    assert!(!clinic.contents().await.holding("Firefox").contains(&"link_visit"));
    clinic.change(BOSS, "eraseContact", input).await;
    assert!(visits(&clinic).await.is_empty());
    assert_eq!(follow(&clinic, &path, &BROWSER).await, ROOMS);
    assert!(visits(&clinic).await.is_empty(), "nothing is kept of nobody");
}

#[tokio::test]
async fn no_mail_is_sent_for_what_people_only_allow() {
    let clinic = Clinic::new().await;
    let refused = |field: &'static str, input: Value| {
        let clinic = &clinic;
        async move {
            let answer = clinic.try_change(OPS, field, input).await;
            answer["userErrors"][0].clone()
        }
    };
    let sequence = json!({ "name": "Clicks", "purpose": "TRACKING", "trigger": { "on": "MANUAL" },
        "steps": [{ "key": "end", "kind": "END" }] });
    let template = json!({ "key": "clicks", "name": "Clicks", "purpose": "TRACKING",
        "layoutOf": clinic.id_of("template", "getting-ready").await,
        "bodies": [{ "language": "en", "subject": "Clicks", "slots": [{ "name": "body", "text": "Hello." }] }] });
    for error in [
        refused("createSequence", sequence).await,
        refused("createTemplate", template).await,
    ] {
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(["purpose"]), &json!("INVALID")),
            "{error}"
        );
    }
    let document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    let mut template = document["templates"][1].clone();
    template["key"] = json!("clicks");
    template["purpose"] = json!("TRACKING");
    let mut sequence = document["sequences"][0].clone();
    sequence["name"] = json!("Clicks");
    sequence["purpose"] = json!("TRACKING");
    let wording =
        json!({ "key": "call-tracking", "medium": "PHONE", "purpose": "TRACKING", "text": "Listen." });
    let setup = json!({ "layouts": document["layouts"], "templates": [template], "sequences": [sequence],
        "consentWordings": [wording] });
    let refused = domain::setup::apply(&clinic.hospital, &Setup::parse(&setup.to_string()).unwrap()).await;
    let Err(domain::error::Error::Refused(refusals)) = refused else {
        panic!("it is set up");
    };
    let fields: Vec<String> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
    for field in [
        "templates.0.purpose",
        "sequences.0.purpose",
        "consentWordings.0.medium",
    ] {
        assert!(fields.iter().any(|found| found == field), "{field} in {fields:?}");
    }
}

#[tokio::test]
async fn who_ticked_nothing_else_is_asked_for_the_second_yes_too() {
    let clinic = clinic(true).await;
    let mut fields = pat();
    fields.push(("agree", "which links"));
    assert_eq!(clinic.submit_form("sleep-study", &fields).await.status, 303);
    clinic.drain().await;
    let mail = clinic
        .mails_to("pat@example.org")
        .await
        .pop()
        .expect("the mail that asks");
    let (_, link) = mail.text.split_once(&format!("{SITE}/c/")).expect("a link");
    let token = link.split_whitespace().next().expect("a token");
    let given = Answer::to(
        clinic
            .client
            .post(format!("/c/{token}"))
            .form(&[("confirm", "1")]),
    )
    .await;
    assert_eq!(given.status, 200);
    clinic.drain().await;
    let events = consent_event::Entity::find().all(clinic.db()).await.unwrap();
    assert!(events.iter().any(|event| {
        event.purpose == Some(Purpose::Tracking) && event.action == consent_event::ConsentAction::Grant
    }));
}

#[tokio::test]
async fn clicks_of_a_page_of_mails_cost_as_many_statements_as_those_of_one() {
    let (clinic, mail) = with_mail().await;
    let query = "query($first: Int!) { messages(first: $first) { nodes { clicks { target verdict } } } }";
    for path in paths(&mail.html) {
        follow(&clinic, &path, &BROWSER).await;
    }
    judged(&clinic).await;
    let mut costs = BTreeSet::new();
    for first in [2, 25] {
        clinic.graphql(OPS, query, json!({ "first": first })).await;
        clinic.statements();
        let answer = clinic.graphql(OPS, query, json!({ "first": first })).await;
        assert!(answer.body.contains("harbor.example"), "{}", answer.body);
        costs.insert(clinic.statements().len());
    }
    assert_eq!(costs.len(), 1, "{costs:?}");
}
