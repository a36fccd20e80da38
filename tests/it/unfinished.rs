//! Forms that are saved and finished later, left, or forgotten, through the real doors.

use chrono::TimeDelta;
use domain::setup::Setup;
use entity::consent_event::{self, ConsentAction};
use entity::enrollment::{self, EnrollmentState, ExitReason};
use entity::enums::Purpose;
use entity::form_draft::{self, FormDraftState};
use entity::message::{self, GateReason, MessageKind, MessageState};
use entity::{contact, follow_up, lead, lead_event, touchpoint};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic, ClinicSettings, FormPage, Mail, OPS, pat};

const ADMIN: As<'static> = As::Role(entity::enums::Role::Admin);
const SAVE: (&str, &str) = ("finish-later", "save");
const FORGET: (&str, &str) = ("finish-later", "forget");
/// What Pat types before the bus comes.
const BEGUN: [(&str, &str); 3] = [
    ("given_name", "Pat"),
    ("email", "pat@example.org"),
    ("timing", "this_week"),
];

/// The clinic's document with a form that can be finished later, the same in Spanish, and a sequence that reminds of it.
fn document() -> Value {
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    let terms = json!({ "abandonedAfterDays": 3, "keptDays": 30 });
    let forms = document["forms"].as_array_mut().unwrap();
    forms[0]["finishLater"] = terms;
    let mut spanish = forms[0].clone();
    spanish["slug"] = json!("estudio");
    spanish["language"] = json!("es");
    forms.push(spanish);
    let mut reminder = document["templates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|template| template["key"] == "what-to-bring")
        .unwrap()
        .clone();
    reminder["key"] = json!("go-on");
    reminder["name"] = json!("Go on");
    reminder["bodies"][0]["subject"] = json!("You can still finish");
    reminder["bodies"][0]["slots"]["body"] =
        json!(["Dear {{ given_name | default: \"reader\" }}, you can [go on here]({{ finish_url }})."]);
    let templates = document["templates"].as_array_mut().unwrap();
    templates.push(reminder);
    // Who is asked in a language is written to in it.
    for template in templates {
        let bodies = template["bodies"].as_array_mut().unwrap();
        if bodies.iter().all(|body| body["language"] != "es") {
            let mut spanish = bodies[0].clone();
            spanish["language"] = json!("es");
            bodies.push(spanish);
        }
    }
    document["sequences"].as_array_mut().unwrap().push(json!({
        "name": "Left forms", "purpose": "CARE_COORDINATION",
        "trigger": { "on": "FORM_ABANDONED", "form": "sleep-study" },
        "steps": [
            { "key": "first", "kind": "SEND_EMAIL", "template": "go-on" },
            { "key": "wait", "kind": "WAIT", "secs": 432_000 },
            { "key": "second", "kind": "SEND_EMAIL", "template": "go-on" }
        ]
    }));
    document
}

async fn furnished(settings: ClinicSettings) -> Clinic {
    let clinic = Clinic::with(settings).await;
    let setup = Setup::parse(&document().to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
    clinic
}

async fn clinic() -> Clinic {
    furnished(ClinicSettings::default()).await
}

/// Saves a form of the clinic with these fields.
async fn save(clinic: &Clinic, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = fields.to_vec();
    all.push(SAVE);
    clinic.submit_form(path, &all).await
}

/// Pat has saved the form, ticking these boxes, and read the mail. Answers the path of its link.
async fn saved(clinic: &Clinic, boxes: &[&str]) -> String {
    let mut fields = BEGUN.to_vec();
    fields.extend(boxes.iter().map(|text| ("agree", *text)));
    let answer = save(clinic, "sleep-study?code=SLP-AD-1", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    clinic.drain().await;
    link(&only_mail(clinic).await)
}

async fn only_mail(clinic: &Clinic) -> Mail {
    let mut mails = clinic.mails_to("pat@example.org").await;
    assert_eq!(mails.len(), 1, "one mail: {mails:#?}");
    mails.remove(0)
}

/// The path of the link to a saved form.
fn link(mail: &Mail) -> String {
    let (_, link) = mail
        .text
        .split_once("https://leads.clinic.example/r/")
        .unwrap_or_else(|| panic!("no link in {}", mail.text));
    let token: String = link
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    format!("/r/{token}")
}

async fn open(clinic: &Clinic, path: &str) -> Answer {
    Answer::to(clinic.client.get(path)).await
}

/// Presses a button on the page behind a link, with these fields in place of what was shown.
async fn press(clinic: &Clinic, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = FormPage::read(&open(clinic, path).await);
    let mut pairs = page.hidden.clone();
    for (name, value) in fields {
        pairs.push(match *name {
            "agree" => {
                let found = page.checkbox(value);
                (found.name.clone(), found.value.clone())
            }
            name => (name.to_owned(), (*value).to_owned()),
        });
    }
    Answer::to(clinic.client.post(path).form(&pairs)).await
}

async fn drafts(clinic: &Clinic) -> Vec<form_draft::Model> {
    form_draft::Entity::find().all(clinic.db()).await.unwrap()
}

async fn leads(clinic: &Clinic) -> Vec<lead::Model> {
    let found = lead::Entity::find().order_by_asc(lead::Column::Id);
    found.all(clinic.db()).await.unwrap()
}

async fn enrollments(clinic: &Clinic) -> Vec<enrollment::Model> {
    let found = enrollment::Entity::find().order_by_asc(enrollment::Column::Id);
    found.all(clinic.db()).await.unwrap()
}

async fn days_pass(clinic: &Clinic, days: i64) {
    let until = clinic.now() + TimeDelta::days(days);
    clinic.live_until(until).await;
}

fn contains(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "{text:?} is not in {}", answer.body);
}

#[tokio::test]
async fn a_form_that_cannot_be_finished_later_looks_as_before_and_takes_no_draft() {
    let clinic = clinic().await;
    let answer = open(&clinic, "/f/question").await;
    assert!(!answer.body.contains("finish-later"));
    let answer = save(&clinic, "question", &[("email", "pat@example.org")]).await;
    assert_eq!(answer.status, 422, "a field that the form does not have");
    assert_eq!(open(&clinic, "/f/question/saved").await.status, 404);
    assert_eq!(drafts(&clinic).await.len(), 0);
}

#[tokio::test]
async fn saving_keeps_one_draft_and_sends_one_neutral_mail_and_is_no_lead() {
    let clinic = clinic().await;
    let page = open(&clinic, "/f/sleep-study").await;
    contains(&page, "Save and finish later");
    contains(&page, "for 30 days");
    let path = saved(&clinic, &["email me about my request"]).await;
    let mail = only_mail(&clinic).await;
    assert_eq!(mail.subject, "Finish your form whenever you like");
    let said = format!("{}{}{}", mail.subject, mail.text, mail.html).to_lowercase();
    for secret in ["sleep", "this_week", "pat,", "dear"] {
        assert!(!said.contains(secret), "{secret} is told in {said}");
    }
    assert!(mail.text.contains("30 days"));
    assert!(!path.contains("sleep"));
    let kept = drafts(&clinic).await;
    assert_eq!(kept.len(), 1);
    let draft = &kept[0];
    assert_eq!(draft.state, FormDraftState::Waiting);
    assert_eq!(draft.expires_at - draft.agreed_at, TimeDelta::days(30));
    assert_eq!(draft.visit.source_code.as_deref(), Some("SLP-AD-1"));
    assert!(draft.agreement.contains("for 30 days") && draft.agreement.contains("after 3 days"));
    assert_eq!(leads(&clinic).await.len(), 0);
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 0);
    assert_eq!(touchpoint::Entity::find().count(clinic.db()).await.unwrap(), 0);
    // Ticking a box and pressing the button is saying yes, with the text that was shown.
    let said = consent_event::Entity::find().all(clinic.db()).await.unwrap();
    let granted: Vec<_> = said
        .iter()
        .filter(|event| event.action == ConsentAction::Grant)
        .collect();
    assert_eq!(
        (said.len(), granted.len()),
        (2, 1),
        "a box left unticked is a no; of the phone there is none"
    );
    assert_eq!(granted[0].purpose, Some(Purpose::CareCoordination));
    assert!(granted[0].wording_id.is_some() && granted[0].evidence.is_some());
}

#[tokio::test]
async fn saving_again_replaces_what_was_saved_and_no_second_mail_comes_at_once() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    clinic.minutes_pass(5);
    let again = [("email", "PAT@example.org"), ("timing", "later")];
    assert_eq!(save(&clinic, "sleep-study", &again).await.status, 303);
    clinic.drain().await;
    assert_eq!(drafts(&clinic).await.len(), 1);
    assert_eq!(contact::Entity::find().count(clinic.db()).await.unwrap(), 1);
    only_mail(&clinic).await;
    let page = open(&clinic, &path).await;
    contains(&page, "<option value=\"later\" selected>");
    assert!(
        !page.body.contains("value=\"Pat\""),
        "the name was not typed again"
    );
    // After a while a second save brings a second mail, but nobody's mailbox is filled.
    for _ in 0..5 {
        clinic.minutes_pass(30);
        for form in ["sleep-study", "estudio"] {
            let answer = save(&clinic, form, &again).await;
            assert_eq!(answer.status, 303, "{}", answer.body);
        }
        clinic.drain().await;
    }
    let kinds: Vec<_> = clinic
        .messages()
        .await
        .into_iter()
        .map(|row| (row.kind, row.state))
        .collect();
    assert_eq!(kinds, [(MessageKind::FormSaved, MessageState::Accepted); 3]);
    clinic.hours_pass(24);
    save(&clinic, "sleep-study", &again).await;
    clinic.drain().await;
    assert_eq!(clinic.messages().await.len(), 4);
}

#[tokio::test]
async fn two_saves_at_one_moment_are_one_draft_and_one_mail() {
    let clinic = clinic().await;
    let (first, second) = tokio::join!(
        save(&clinic, "sleep-study", &BEGUN),
        save(&clinic, "sleep-study", &BEGUN)
    );
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303));
    clinic.drain().await;
    assert_eq!(drafts(&clinic).await.len(), 1);
    only_mail(&clinic).await;
}

#[tokio::test]
async fn saving_asks_for_nothing_but_an_address_and_names_the_field() {
    let clinic = clinic().await;
    let answer = save(&clinic, "sleep-study", &[("given_name", "Pat")]).await;
    assert_eq!(answer.status, 422);
    contains(
        &answer,
        "Email address: Enter your email address, so that we can send you the link.",
    );
    contains(&answer, "value=\"Pat\"");
    let answer = save(
        &clinic,
        "sleep-study",
        &[("email", "pat@example.org"), ("phone", "12"), ("timing", "never")],
    )
    .await;
    assert_eq!(answer.status, 422);
    contains(&answer, "Phone number: ");
    contains(
        &answer,
        "When would you like to come?: Choose one of the options.",
    );
    let answer = save(&clinic, "estudio", &[("email", "")]).await;
    assert_eq!(answer.status, 422);
    contains(&answer, "Escriba su dirección de correo");
    let mut trapped = BEGUN.to_vec();
    trapped.push(("homepage_url", "https://spam.example"));
    assert_eq!(save(&clinic, "sleep-study", &trapped).await.status, 303);
    assert_eq!(drafts(&clinic).await.len(), 0);
}

#[tokio::test]
async fn the_link_shows_what_was_typed_and_looking_changes_nothing() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["call me"]).await;
    let before = clinic.contents().await;
    let page = open(&clinic, &path).await;
    assert_eq!(page.status, 200);
    contains(&page, "value=\"pat@example.org\"");
    contains(&page, "<option value=\"this_week\" selected>");
    assert!(FormPage::read(&page).checkbox("call me").ticked);
    assert!(!FormPage::read(&page).checkbox("services and events").ticked);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-robots-tag"), Some("noindex"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let head = Answer::to(clinic.client.head(&path)).await;
    assert_eq!(head.status, 200);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_form_is_finished_once_whatever_is_sent_again() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    clinic.hours_pass(2);
    let page = FormPage::read(&open(&clinic, &path).await);
    let mut pairs = page.hidden.clone();
    pairs.extend(
        pat()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let send = || Answer::to(clinic.client.post(&path).form(&pairs));
    let (first, second) = tokio::join!(send(), send());
    let third = send().await;
    for answer in [first, second, third] {
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(answer.header("location"), Some("/f/sleep-study/thanks"));
    }
    let found = leads(&clinic).await;
    assert_eq!(found.len(), 1);
    let lead = &found[0];
    assert_eq!((lead.unfinished_at, lead.received_at), (None, clinic.now()));
    assert_eq!(
        lead.source_code.as_deref(),
        Some("SLP-AD-1"),
        "as when it was saved"
    );
    let who = contact::Entity::find().all(clinic.db()).await.unwrap();
    assert_eq!(who.len(), 1);
    assert_eq!(who[0].display_name(), "Pat Meyer");
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 1);
    let kept = drafts(&clinic).await;
    assert_eq!(kept[0].state, FormDraftState::Finished);
    assert!(kept[0].fields.0.is_empty() && kept[0].email_normalized.is_none());
    let gone = open(&clinic, &path).await;
    assert_eq!(gone.status, 410);
    contains(&gone, "You have sent this form");
    clinic.drain().await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    assert_eq!(
        subjects,
        [
            "Finish your form whenever you like",
            "We have received your request"
        ]
    );
    days_pass(&clinic, 40).await;
    assert_eq!(drafts(&clinic).await.len(), 0);
    assert!(leads(&clinic).await[0].erased_at.is_none());
}

#[tokio::test]
async fn a_name_that_comes_last_is_that_of_the_contact_without_one() {
    let clinic = clinic().await;
    assert_eq!(
        save(&clinic, "sleep-study", &[("email", "pat@example.org")])
            .await
            .status,
        303
    );
    clinic.drain().await;
    let path = link(&only_mail(&clinic).await);
    clinic.hours_pass(1);
    assert_eq!(press(&clinic, &path, &pat()).await.status, 303);
    let who = contact::Entity::find().all(clinic.db()).await.unwrap();
    assert_eq!(who.len(), 1);
    assert_eq!(who[0].display_name(), "Pat Meyer");
    clinic.drain().await;
}

#[tokio::test]
async fn sending_the_form_anew_finishes_what_was_saved_too() {
    let clinic = clinic().await;
    saved(&clinic, &[]).await;
    clinic.hours_pass(1);
    let answer = clinic.submit_form("sleep-study", &pat()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(drafts(&clinic).await[0].state, FormDraftState::Finished);
    days_pass(&clinic, 10).await;
    assert_eq!(leads(&clinic).await.len(), 1);
    assert!(
        enrollments(&clinic)
            .await
            .iter()
            .all(|row| row.exit_reason.is_none())
    );
}

#[tokio::test]
async fn a_parent_and_a_child_on_one_address_do_not_finish_each_others_forms() {
    let clinic = clinic().await;
    saved(&clinic, &[]).await;
    clinic.hours_pass(1);
    let parent = [
        ("given_name", "Robin"),
        ("family_name", "Meyer"),
        ("email", "pat@example.org"),
    ];
    assert_eq!(clinic.submit_form("sleep-study", &parent).await.status, 303);
    assert_eq!(drafts(&clinic).await[0].state, FormDraftState::Waiting);
    assert_eq!(contact::Entity::find().count(clinic.db()).await.unwrap(), 2);
    clinic.drain().await;
}

#[tokio::test]
async fn a_link_that_was_forged_or_has_ended_discloses_nothing() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let other = if path.ends_with('A') { "Q" } else { "A" };
    let forged = format!("{}{other}", &path[..path.len() - 1]);
    for forged in ["/r/nonsense".to_owned(), forged] {
        let answer = open(&clinic, &forged).await;
        assert_eq!(answer.status, 404, "{forged}");
        let answer = Answer::to(clinic.client.post(&forged).form(&pat())).await;
        assert_eq!(answer.status, 404, "{forged}");
    }
    // Another link made by the same key opens nothing here.
    let unsubscribe = path.replace("/r/", "/u/");
    assert_eq!(open(&clinic, &unsubscribe).await.status, 404);
    clinic.clock.advance(TimeDelta::days(30));
    let answer = open(&clinic, &path).await;
    assert_eq!(answer.status, 410, "even before the sweep");
    assert!(!answer.body.contains("pat@example.org") && !answer.body.contains("sleep"));
    let answer = Answer::to(clinic.client.post(&path).form(&pat())).await;
    assert_eq!(answer.status, 410);
    assert_eq!(leads(&clinic).await.len(), 0);
    clinic.drain().await;
}

#[tokio::test]
async fn on_the_page_of_the_link_it_can_be_saved_again_for_the_same_address_only() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let fields = [("email", "pat@example.org"), ("family_name", "Meyer"), SAVE];
    let answer = press(&clinic, &path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.header("location"), Some("/f/sleep-study/saved"));
    contains(&open(&clinic, &path).await, "value=\"Meyer\"");
    let other = [("email", "other@example.org"), SAVE];
    let answer = press(&clinic, &path, &other).await;
    assert_eq!(answer.status, 422);
    contains(&answer, "The link belongs to the address that it went to.");
    assert_eq!(drafts(&clinic).await.len(), 1);
    clinic.drain().await;
}

#[tokio::test]
async fn a_form_that_was_left_reminds_by_its_sequence_only_whoever_agreed() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    let silent = [("given_name", "Sky"), ("email", "sky@example.org")];
    save(&clinic, "sleep-study", &silent).await;
    days_pass(&clinic, 4).await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    assert_eq!(
        subjects,
        ["Finish your form whenever you like", "You can still finish"]
    );
    let mails = clinic.mails_to("pat@example.org").await;
    assert_eq!(link(&mails[1]), path, "the same link");
    assert!(!mails[1].subject.to_lowercase().contains("sleep"));
    assert_eq!(clinic.mails_to("sky@example.org").await.len(), 1);
    let withheld: Vec<_> = clinic
        .messages()
        .await
        .into_iter()
        .filter(|message| message.state == MessageState::Withheld)
        .collect();
    assert_eq!(withheld.len(), 1);
    assert_eq!(
        withheld[0].decision.as_ref().unwrap().reasons[0].code,
        GateReason::NoConsent
    );
    // The Spanish form is none that the sequence is about.
    save(&clinic, "estudio", &[("email", "luz@example.org")]).await;
    days_pass(&clinic, 4).await;
    assert_eq!(leads(&clinic).await.len(), 3);
    assert_eq!(enrollments(&clinic).await.len(), 2);
}

#[tokio::test]
async fn an_unfinished_lead_is_counted_and_listed_nowhere_unless_asked_for() {
    let clinic = clinic().await;
    saved(&clinic, &["email me about my request"]).await;
    days_pass(&clinic, 4).await;
    let found = leads(&clinic).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].unfinished_at.is_some() && found[0].owner_id.is_none());
    assert!(found[0].sla_missed_at.is_none(), "nobody was to call");
    let query = "query($f: LeadFilter) { leads(filter: $f) { totalCount nodes { id } } }";
    let count = async |filter: Value| {
        let answer = clinic.graphql(OPS, query, json!({ "f": filter })).await;
        answer.data("leads.totalCount")
    };
    assert_eq!(count(Value::Null).await, json!(0));
    assert_eq!(count(json!({ "stages": ["NEW"] })).await, json!(0));
    assert_eq!(count(json!({ "unfinished": false })).await, json!(0));
    assert_eq!(count(json!({ "unfinished": true })).await, json!(1));
    let query = "query($f: DashboardFilter!) { dashboard(filter: $f) { totals { leads } } }";
    let period = json!({ "f": { "from": clinic.now() - TimeDelta::days(20), "to": clinic.now() } });
    let dashboard = clinic.graphql(OPS, query, period).await;
    assert_eq!(
        dashboard.data("dashboard.totals.leads"),
        json!(0),
        "{}",
        dashboard.body
    );
    let id = found[0].contact_id.to_string();
    let query = "query($id: ID!) { contact(id: $id) { leads { totalCount } } }";
    let of_contact = clinic.graphql(OPS, query, json!({ "id": id })).await;
    assert_eq!(of_contact.data("contact.leads.totalCount"), json!(0));
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 0);
    assert_eq!(touchpoint::Entity::find().count(clinic.db()).await.unwrap(), 0);
    let kinds: Vec<_> = clinic.messages().await.iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        [MessageKind::FormSaved, MessageKind::Nurture],
        "nobody of the staff is told"
    );
    // Nobody works on what was not sent.
    let input = json!({ "leadId": found[0].id.to_string(), "medium": "PHONE", "outcome": "REACHED" });
    let query = "mutation($input: LogAttemptInput!) { logAttempt(input: $input) { userErrors { code } } }";
    let answer = clinic
        .graphql(As::Staff("nora"), query, json!({ "input": input }))
        .await;
    contains(&answer, "NOT_FOUND");
}

#[tokio::test]
async fn a_form_that_was_left_and_is_sent_after_all_is_the_same_lead_and_no_longer_reminded_of() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    days_pass(&clinic, 4).await;
    let before = leads(&clinic).await.remove(0);
    let mut fields = pat();
    fields.push(("agree", "email me about my request"));
    let answer = press(&clinic, &path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let found = leads(&clinic).await;
    assert_eq!(found.len(), 1);
    let lead = &found[0];
    assert_eq!((lead.id, lead.unfinished_at), (before.id, None));
    assert_eq!(
        (lead.received_at, lead.version),
        (clinic.now(), before.version + 1)
    );
    assert!(lead.owner_id.is_some() && lead.sla_due_at > clinic.now());
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 1);
    let mut ways: Vec<_> = enrollments(&clinic)
        .await
        .into_iter()
        .map(|row| (row.state, row.exit_reason))
        .collect();
    ways.sort_by_key(|(state, _)| state.as_str());
    assert_eq!(
        ways,
        [
            (EnrollmentState::Active, None),
            (EnrollmentState::Exited, Some(ExitReason::FormFinished))
        ],
        "the sequence about new leads has begun, the one about left forms is over"
    );
    clinic.drain().await;
    days_pass(&clinic, 8).await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    let reminders = subjects
        .iter()
        .filter(|subject| *subject == "You can still finish");
    assert_eq!(reminders.count(), 1);
    assert!(subjects.contains(&"We have received your request".to_owned()));
    let count = clinic.graphql(OPS, "{ leads { totalCount } }", Value::Null).await;
    assert_eq!(count.data("leads.totalCount"), json!(1));
    let events = lead_event::Entity::find()
        .filter(lead_event::Column::LeadId.eq(lead.id))
        .all(clinic.db())
        .await
        .unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert!(
        kinds.starts_with(&["FORM_ABANDONED", "ENROLLED"]) && kinds.contains(&"RECEIVED"),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn many_workers_make_one_unfinished_lead() {
    let clinic = clinic().await;
    saved(&clinic, &["email me about my request"]).await;
    clinic.clock.advance(TimeDelta::days(3));
    let workers = [clinic.another_worker(), clinic.another_worker()];
    let (a, b) = tokio::join!(workers[0].drain(), workers[1].drain());
    a.unwrap();
    b.unwrap();
    clinic.drain().await;
    assert_eq!(leads(&clinic).await.len(), 1);
    assert_eq!(enrollments(&clinic).await.len(), 1);
}

#[tokio::test]
async fn what_was_typed_is_forgotten_at_once_on_demand() {
    let clinic = clinic().await;
    let untouched = clinic.contents().await;
    let offered = untouched.holding("this_week");
    let path = saved(&clinic, &[]).await;
    days_pass(&clinic, 4).await;
    let answer = press(&clinic, &path, &[FORGET]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    contains(&answer, "It is deleted");
    assert_eq!(drafts(&clinic).await.len(), 0);
    let contents = clinic.contents().await;
    assert_eq!(contents.holding("pat@example.org"), Vec::<&str>::new());
    assert_eq!(contents.holding("this_week"), offered, "only where it is offered");
    assert_eq!(open(&clinic, &path).await.status, 410);
    assert_eq!(
        Answer::to(clinic.client.post(&path).form(&[FORGET])).await.status,
        410
    );
    days_pass(&clinic, 30).await;
    assert_eq!(
        clinic.mails_to("pat@example.org").await.len(),
        0,
        "its mails were emptied too"
    );
}

#[tokio::test]
async fn a_mail_that_has_not_gone_is_withheld_when_its_form_is_forgotten() {
    let clinic = clinic().await;
    save(&clinic, "sleep-study", &BEGUN).await;
    let id = drafts(&clinic).await[0].id;
    let path = format!("/r/{}", clinic.hospital.secrets.draft_token(id.0));
    assert_eq!(press(&clinic, &path, &[FORGET]).await.status, 200);
    clinic.drain().await;
    assert_eq!(clinic.mails().await.len(), 0);
    let messages = clinic.messages().await;
    assert_eq!(messages[0].state, MessageState::Withheld);
}

#[tokio::test]
async fn what_was_left_is_forgotten_at_its_end_but_not_a_consent() {
    let clinic = clinic().await;
    saved(&clinic, &[]).await;
    let agreed = [("email", "sky@example.org"), ("agree", "services and events")];
    save(&clinic, "sleep-study", &agreed).await;
    days_pass(&clinic, 31).await;
    assert_eq!(drafts(&clinic).await.len(), 0);
    let contents = clinic.contents().await;
    assert_eq!(contents.holding("pat@example.org"), Vec::<&str>::new());
    assert!(
        contents.holding("sky@example.org").contains(&"contact"),
        "who agreed to hear more stays a contact"
    );
    assert!(leads(&clinic).await.iter().all(|lead| lead.erased_at.is_some()));
    assert!(
        enrollments(&clinic)
            .await
            .iter()
            .all(|row| row.state != EnrollmentState::Active)
    );
}

#[tokio::test]
async fn an_export_shows_a_saved_form_and_an_erasure_takes_it() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let id = drafts(&clinic).await[0].contact_id.to_string();
    let told = clinic
        .change(ADMIN, "exportContact", json!({ "contactId": id }))
        .await
        .to_string();
    assert!(
        told.contains("savedForms") && told.contains("this_week") && told.contains("for 30 days"),
        "{told}"
    );
    clinic
        .change(ADMIN, "eraseContact", json!({ "contactId": id }))
        .await;
    let contents = clinic.contents().await;
    assert_eq!(contents.holding("pat@example.org"), Vec::<&str>::new());
    assert_eq!(contents.holding("Finish your form"), Vec::<&str>::new());
    assert_eq!(drafts(&clinic).await.len(), 0);
    assert_eq!(open(&clinic, &path).await.status, 410);
}

#[tokio::test]
async fn the_spanish_form_speaks_spanish_to_its_end() {
    let clinic = clinic().await;
    let page = open(&clinic, "/f/estudio").await;
    contains(&page, "Guardar y terminar más tarde");
    contains(&page, "guardemos 30 días");
    let answer = save(&clinic, "estudio", &[("email", "luz@example.org")]).await;
    assert_eq!(answer.header("location"), Some("/f/estudio/saved"));
    contains(
        &open(&clinic, "/f/estudio/saved").await,
        "Hemos guardado su formulario",
    );
    clinic.drain().await;
    let mail = clinic.mails_to("luz@example.org").await.remove(0);
    assert_eq!(mail.subject, "Puede terminar su formulario cuando quiera");
    assert!(mail.text.contains("se guarda 30 días"));
    let path = link(&mail);
    contains(&open(&clinic, &path).await, "Borrar lo que escribí");
    contains(&press(&clinic, &path, &[FORGET]).await, "Está borrado");
}

#[tokio::test]
async fn saving_and_finishing_are_counted_with_the_posts_of_forms() {
    let clinic = furnished(ClinicSettings {
        form_posts_per_minute: 2,
        ..ClinicSettings::default()
    })
    .await;
    let path = saved(&clinic, &[]).await;
    assert_eq!(
        press(&clinic, &path, &[("email", "pat@example.org"), SAVE])
            .await
            .status,
        303
    );
    assert_eq!(press(&clinic, &path, &pat()).await.status, 429);
    assert_eq!(leads(&clinic).await.len(), 0);
}

#[tokio::test]
async fn a_form_with_a_second_yes_asks_for_it_when_it_is_saved() {
    let clinic = Clinic::new().await;
    let mut document = document();
    document["forms"][0]["doubleOptIn"] = json!({ "days": 7 });
    let setup = Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
    let fields = [
        ("email", "pat@example.org"),
        ("agree", "email me about my request"),
    ];
    save(&clinic, "sleep-study", &fields).await;
    clinic.drain().await;
    let mut subjects = clinic.subjects_to("pat@example.org").await;
    subjects.sort();
    assert_eq!(
        subjects,
        [
            "Finish your form whenever you like",
            "Please confirm your email address"
        ]
    );
    let said = consent_event::Entity::find().all(clinic.db()).await.unwrap();
    assert!(said.iter().all(|event| event.action != ConsentAction::Grant));
    days_pass(&clinic, 4).await;
    let deferred = message::Entity::find()
        .filter(message::Column::State.eq(MessageState::Deferred))
        .count(clinic.db())
        .await
        .unwrap();
    assert_eq!(deferred, 1, "the reminder waits for the second yes");
}

#[tokio::test]
async fn a_sequence_about_left_forms_is_refused_for_a_form_that_nobody_can_save() {
    let clinic = clinic().await;
    let publish = async |trigger: Value| {
        let input = json!({ "name": trigger.to_string(), "purpose": "CARE_COORDINATION", "trigger": trigger,
            "steps": [{ "key": "end", "kind": "END" }] });
        let made = clinic.change(OPS, "createSequence", input).await;
        let id = made["sequence"]["id"].clone();
        clinic
            .try_change(OPS, "publishSequence", json!({ "sequenceId": id }))
            .await
    };
    let refused = publish(json!({ "on": "FORM_ABANDONED", "form": "question" })).await;
    assert!(refused.to_string().contains("FORM_ABANDONED"), "{refused}");
    let refused = publish(json!({ "on": "FORM_ABANDONED", "form": "no-such-form" })).await;
    assert!(refused.to_string().contains("There is no such form"), "{refused}");
    let refused = publish(json!({ "on": "LEAD_RECEIVED", "form": "sleep-study" })).await;
    assert!(
        refused
            .to_string()
            .contains("Only a trigger on an abandoned form"),
        "{refused}"
    );
    let taken = publish(json!({ "on": "FORM_ABANDONED" })).await;
    assert_eq!(taken["userErrors"], json!([]), "{taken}");
}
