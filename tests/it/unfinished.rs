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

mod leaving;
mod privacy;
mod saving;

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

/// What Pat asks by another form.
fn pat_asks_about(service: &str) -> [(&'static str, &str); 4] {
    [
        ("given_name", "Pat"),
        ("family_name", "Meyer"),
        ("email", "pat@example.org"),
        ("service", service),
    ]
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
