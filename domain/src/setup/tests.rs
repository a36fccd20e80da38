//! The plan is a pure function of what is there and what is wanted, so most of this needs no database.

use std::collections::HashMap;

use chrono::{DateTime, TimeZone, Utc};
use entity::sequence::SequenceState;
use entity::team;
use entity::template_version::TemplateState;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::known::Known;
use super::plan::{Planned, Rows, plan};
use super::{Setup, TemplateSetup, apply, ensure_review_team};
use crate::error::{Code, Error, Refusal};
use crate::ground::Ground;
use crate::hospital::Hospital;
use crate::outreach::template::seal::is_approved;

const HOSPITAL: &str = r#"{
  "facilities": [{
    "slug": "main", "name": "Main", "addressLine": "1 Example Way", "city": "Cincinnati", "region": "OH",
    "postalCode": "45202", "timeZone": "America/New_York", "phone": "(513) 555-0100",
    "hours": { "weekly": { "monday": ["08:00-12:00", "13:00-17:00"] } }
  }],
  "departments": [{ "facility": "main", "name": "Sleep" }],
  "staff": [{ "email": "Nina@Riverbend.example", "name": "Nina", "role": "INTAKE_COORDINATOR", "timeZone": "America/New_York" },
    { "email": "cleo@riverbend.example", "name": "Cleo", "role": "CONTENT_LEAD", "timeZone": "America/New_York" },
    { "email": "ravi@riverbend.example", "name": "Ravi", "role": "CLINICAL_REVIEWER", "timeZone": "America/New_York" }
  ],
  "teams": [
    { "slug": "sleep", "name": "Sleep", "facility": "main", "department": "Sleep", "members": ["nina@riverbend.example"] },
    { "slug": "review", "name": "Review", "review": true }
  ],
  "serviceLines": [{ "slug": "sleep", "name": "Sleep Medicine", "aliases": ["Sleep study", "snoring"] }],
  "consentWordings": [{ "key": "email-marketing", "medium": "EMAIL", "purpose": "MARKETING", "text": "You may email me." }],
  "layouts": [{
    "key": "letter",
    "mjml": [
      "<mjml lang=\"{{ language }}\"><mj-body><mj-section><mj-column>",
      "<mj-text>{{ slot.body }}</mj-text>",
      "<mj-text><a href=\"{{ unsubscribe_url }}\">Unsubscribe</a> {{ postal_address }}</mj-text>",
      "</mj-column></mj-section></mj-body></mjml>"
    ]
  }],
  "templates": [{
    "key": "day-2", "name": "Day 2", "purpose": "MARKETING", "layout": "letter",
    "writtenBy": "cleo@riverbend.example", "approvedBy": "ravi@riverbend.example",
    "bodies": [{ "subject": "A night with us", "slots": { "body": "Hello, call us." } }]
  }],
  "campaigns": [{
    "code": "search", "name": "Search", "channel": "PAID_SEARCH", "state": "LIVE", "serviceLines": ["sleep"],
    "placements": [{ "sourceCode": "SLP-1", "name": "Keyword", "kind": "KEYWORD", "landingPage": "/f/sleep-study" }]
  }],
  "forms": [{
    "slug": "sleep-study", "title": "Sleep study", "thanks": "Thank you.", "leadType": "PATIENT_APPOINTMENT",
    "channel": "WEBSITE", "serviceLine": "sleep", "campaign": "search", "wordings": ["email-marketing"],
    "fields": [
      { "name": "given_name", "label": "Name", "kind": "TEXT", "target": "GIVEN_NAME", "required": true, "autocomplete": "given-name", "maxChars": 100 },
      { "name": "email", "label": "Email", "kind": "EMAIL", "target": "EMAIL", "required": true, "autocomplete": "email", "maxChars": 254 }
    ]
  }],
  "slaPolicies": [{ "name": "All", "when": [], "firstAttemptMins": 60, "attemptsWanted": 6, "spacingMins": 240, "remindBeforeMins": 10 }],
  "routingRules": [{ "name": "Sleep", "when": [{ "fact": "SERVICE_LINE", "is": "IN", "values": ["sleep"] }], "team": "sleep" }],
  "scoringRules": [{ "name": "Phone", "when": [{ "fact": "REACHABLE", "is": "IN", "values": ["PHONE"] }], "points": 10, "text": "Can be called." }],
  "sequences": [{
    "name": "After the first question", "purpose": "MARKETING",
    "trigger": { "on": "LEAD_RECEIVED", "filter": [{ "fact": "SERVICE_LINE", "is": "IN", "values": ["sleep"] }] },
    "steps": [
      { "key": "wait", "kind": "WAIT", "secs": 86400 },
      { "key": "mail", "kind": "SEND_EMAIL", "template": "day-2" }
    ]
  }]
}"#;

fn at(day: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, day, 12, 0, 0).unwrap()
}

fn hospital() -> Setup {
    Setup::parse(HOSPITAL).unwrap()
}

/// The document with one text replaced by another.
fn with(from: &str, to: &str) -> Setup {
    assert!(HOSPITAL.contains(from), "{from:?} is not in the document");
    Setup::parse(&HOSPITAL.replacen(from, to, 1)).unwrap()
}

fn planned(setup: &Setup, known: &Known) -> Planned {
    plan(setup, known, &HashMap::new(), at(20)).unwrap_or_else(|refusals| panic!("{refusals:#?}"))
}

fn refused(setup: &Setup) -> Vec<Refusal> {
    plan(setup, &Known::default(), &HashMap::new(), at(20)).unwrap_err()
}

/// The refusals as `CODE path`.
fn told(setup: &Setup) -> Vec<String> {
    refused(setup)
        .iter()
        .map(|refusal| format!("{} {}", refusal.code.as_str(), refusal.field.join(".")))
        .collect()
}

/// What is there after a plan was written to an empty installation.
fn after(rows: Planned) -> Known {
    fn all<Row>(rows: Rows<Row>) -> Vec<Row> {
        rows.made.into_iter().chain(rows.changed).collect()
    }
    Known {
        facilities: all(rows.facilities),
        calendars: all(rows.calendars),
        departments: all(rows.departments),
        staff: all(rows.staff),
        teams: all(rows.teams),
        members: all(rows.members)
            .into_iter()
            .map(|row| (row.team_id, row.staff_id))
            .collect(),
        skills: all(rows.skills),
        lines: all(rows.lines),
        aliases: all(rows.aliases),
        wordings: all(rows.wordings),
        templates: all(rows.templates),
        template_texts: all(rows.template_versions)
            .into_iter()
            .map(|row| (row.template_id, row))
            .collect(),
        campaigns: all(rows.campaigns),
        campaign_lines: all(rows.campaign_lines)
            .into_iter()
            .map(|row| (row.campaign_id, row.service_line_id))
            .collect(),
        placements: all(rows.placements),
        forms: all(rows.forms),
        sla: all(rows.sla),
        routing: all(rows.routing),
        scoring: all(rows.scoring),
        checklists: all(rows.checklists),
        scripts: all(rows.scripts),
        profiles: all(rows.profiles),
        rubrics: all(rows.rubrics),
        follow_up_templates: all(rows.follow_up_templates),
        sequences: all(rows.sequences),
        sequence_versions: all(rows.sequence_versions),
        send_windows: all(rows.send_windows),
        frequency_caps: all(rows.frequency_caps),
        retention: all(rows.retention),
    }
}

async fn installation() -> Ground {
    Ground::at("2026-11-20T12:00:00Z").await
}

#[test]
fn the_same_document_again_changes_nothing() {
    let setup = hospital();
    let known = after(planned(&setup, &Known::default()));
    let again = planned(&setup, &known).applied();
    assert!(!again.changed_anything(), "{again}");
    assert!(again.counts.iter().all(|count| count.same > 0), "{again}");
}

#[test]
fn names_are_put_into_their_one_spelling() {
    let rows = planned(&hospital(), &Known::default());
    assert_eq!(rows.facilities.made[0].phone.as_deref(), Some("+15135550100"));
    assert_eq!(rows.staff.made[0].email, "nina@riverbend.example");
    assert_eq!(rows.aliases.made[0].alias, "sleep study");
}

#[test]
fn a_template_is_stored_whole_within_its_layout() {
    let version = &planned(&hospital(), &Known::default()).template_versions.made[0];
    let body = &version.bodies.0[0];
    assert!(body.html.contains(">Hello, call us.</p>"), "{}", body.html);
    assert_eq!(
        body.text,
        "Hello, call us.\n\nUnsubscribe <{{ unsubscribe_url }}> {{ postal_address }}"
    );
    assert!(is_approved(version));
}

#[test]
fn another_text_is_a_new_version_and_the_old_one_stays() {
    let known = after(planned(&hospital(), &Known::default()));
    let rows = planned(&with("You may email me.", "You may email me news."), &known);
    assert_eq!(
        (rows.wordings.made[0].version, rows.wordings.changed.len()),
        (2, 0)
    );
    let rows = planned(&with("Hello, call", "Hello; call"), &known);
    assert_eq!(
        (rows.template_versions.made[0].version, rows.templates.same),
        (2, 1)
    );
    assert_eq!(rows.template_versions.changed[0].state, TemplateState::Superseded);
    let rows = planned(&with("\"secs\": 86400", "\"secs\": 90000"), &known);
    let version = &rows.sequence_versions.made[0];
    assert_eq!(version.number, 2);
    assert_eq!(rows.sequences.changed[0].current_version_id, Some(version.id));
    assert_eq!(rows.sequences.changed[0].version, 2);
}

#[test]
fn what_people_have_decided_since_stays() {
    let mut known = after(planned(&hospital(), &Known::default()));
    known.sequences[0].state = SequenceState::Paused;
    known.campaigns[0].state = entity::campaign::CampaignState::Paused;
    known.staff[0].password_hash = Some("chosen since".to_owned());
    let passwords = HashMap::from([(
        "nina@riverbend.example".to_owned(),
        "from the document".to_owned(),
    )]);
    let rows = plan(&hospital(), &known, &passwords, at(20)).unwrap();
    assert!(!rows.applied().changed_anything(), "{}", rows.applied());
}

#[test]
fn a_changed_name_changes_one_row() {
    let known = after(planned(&hospital(), &Known::default()));
    let rows = planned(
        &with("\"name\": \"Search\"", "\"name\": \"Search in fall\""),
        &known,
    );
    let changed: usize = rows
        .applied()
        .counts
        .iter()
        .map(|count| count.made + count.changed)
        .sum();
    assert_eq!((changed, rows.campaigns.changed[0].version), (1, 2));
}

#[test]
fn every_refusal_says_where_it_stands() {
    for (from, to, expected) in [
        (
            "America/New_York\", \"phone\"",
            "America/Cincinnati\", \"phone\"",
            "INVALID facilities.0.timeZone",
        ),
        ("13:00-17:00", "11:00-17:00", "INVALID facilities.0.hours"),
        ("(513) 555-0100", "123", "INVALID facilities.0.phone"),
        (
            "\"department\": \"Sleep\"",
            "\"department\": \"Heart\"",
            "NOT_FOUND teams.0.department",
        ),
        (
            "[\"nina@riverbend.example\"]",
            "[\"ben@riverbend.example\"]",
            "NOT_FOUND teams.0.members.0",
        ),
        (
            "\"snoring\"",
            "\"sleep study\"",
            "ALREADY_EXISTS serviceLines.0.aliases.1",
        ),
        (
            "{{ slot.body }}",
            "{{ slot.body }} {{ slot.more }}",
            "REQUIRED templates.0.bodies.en.slots.more",
        ),
        (
            "<mj-body>",
            "<mj-body><mj-include />",
            "INVALID templates.0.layout",
        ),
        (
            "\"approvedBy\": \"ravi@",
            "\"approvedBy\": \"cleo@",
            "NOT_ALLOWED_NOW templates.0.approvedBy",
        ),
        (
            "\"writtenBy\": \"cleo@",
            "\"writtenBy\": \"ravi@",
            "NOT_ALLOWED_NOW templates.0.approvedBy",
        ),
        (
            "Hello, call us.",
            "We guarantee results. Call us.",
            "INVALID templates.0.bodies.en.slots.body",
        ),
        (
            "\"layout\": \"letter\"",
            "\"layout\": \"card\"",
            "NOT_FOUND templates.0.layout",
        ),
        (
            "\"subject\": \"A night with us\"",
            "\"subject\": \"{{ service_line_name }}\"",
            "INVALID templates.0.bodies.en.subject",
        ),
        (
            "\"serviceLines\": [\"sleep\"]",
            "\"serviceLines\": [\"heart\"]",
            "NOT_FOUND campaigns.0.serviceLines.0",
        ),
        (
            "\"name\": \"given_name\"",
            "\"name\": \"Given Name\"",
            "INVALID forms.0.fields.0.name",
        ),
        (
            "\"name\": \"email\"",
            "\"name\": \"given_name\"",
            "ALREADY_EXISTS forms.0.fields.1.name",
        ),
        (
            "\"autocomplete\": \"email\"",
            "\"autocomplete\": \"mail\"",
            "INVALID forms.0.fields.1.autocomplete",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "serviceLines": ["heart"] }], "slaPolicies": ["#,
            "NOT_FOUND scripts.0.serviceLines.0",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "questions": [{ "key": "a", "text": "A?", "kind": "CHOICE" }] }], "slaPolicies": ["#,
            "INVALID scripts.0.questions.0.options",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "questions": [{ "key": "a", "text": "A?", "kind": "YES_NO", "options": [{ "value": "a", "label": "A" }] }] }], "slaPolicies": ["#,
            "INVALID scripts.0.questions.0.options",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "questions": [{ "key": "a", "text": "A?", "kind": "YES_NO", "effects": [{ "answer": "MAYBE", "sets": ["ORDER_MISSING"] }] }] }], "slaPolicies": ["#,
            "NOT_FOUND scripts.0.questions.0.effects.0.answer",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "questions": [{ "key": "a", "text": "A?", "kind": "YES_NO", "effects": [{ "answer": "YES" }] }] }], "slaPolicies": ["#,
            "REQUIRED scripts.0.questions.0.effects.0.sets",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "questions": [{ "key": "a", "text": "A?", "kind": "YES_NO", "effects": [{ "answer": "YES", "sets": ["POSSIBLE_DUPLICATE_CONTACT"] }] }] }], "slaPolicies": ["#,
            "INVALID scripts.0.questions.0.effects.0.sets",
        ),
        (
            "\"slaPolicies\": [",
            r#""scripts": [{ "key": "s", "name": "S", "documents": [""] }], "slaPolicies": ["#,
            "REQUIRED scripts.0.documents.0",
        ),
        (
            "\"slaPolicies\": [",
            r#""rubrics": [{ "key": "r", "name": "R", "of": "ATTEMPT", "criteria": [] }], "slaPolicies": ["#,
            "REQUIRED rubrics.0.criteria",
        ),
        (
            "\"slaPolicies\": [",
            r#""rubrics": [{ "key": "r", "name": "R", "of": "ATTEMPT", "criteria": [{ "key": "a", "text": "A", "points": 11 }] }], "slaPolicies": ["#,
            "INVALID rubrics.0.criteria.0.points",
        ),
        (
            "\"slaPolicies\": [",
            r#""rubrics": [{ "key": "r", "name": "R", "of": "ATTEMPT", "criteria": [{ "key": "a", "text": "A", "points": 2 }, { "key": "a", "text": "A", "points": 2 }] }], "slaPolicies": ["#,
            "ALREADY_EXISTS rubrics.0.criteria.1.key",
        ),
        (
            "\"wordings\": [\"email-marketing\"]",
            "\"wordings\": [\"sms\"]",
            "NOT_FOUND forms.0.wordings.0",
        ),
        (
            "\"leadType\": \"PATIENT_APPOINTMENT\",",
            "\"leadType\": \"PATIENT_APPOINTMENT\", \"finishLater\": { \"abandonedAfterDays\": 31, \"keptDays\": 60 },",
            "INVALID forms.0.finishLater.abandonedAfterDays",
        ),
        (
            "\"leadType\": \"PATIENT_APPOINTMENT\",",
            "\"leadType\": \"PATIENT_APPOINTMENT\", \"finishLater\": { \"keptDays\": 3 },",
            "INVALID forms.0.finishLater.keptDays",
        ),
        (
            "\"leadType\": \"PATIENT_APPOINTMENT\",",
            "\"leadType\": \"PATIENT_APPOINTMENT\", \"finishLater\": { \"keptDays\": 91 },",
            "INVALID forms.0.finishLater.keptDays",
        ),
        (
            "\"attemptsWanted\": 6",
            "\"attemptsWanted\": 0",
            "INVALID slaPolicies.0.attemptsWanted",
        ),
        (
            "[\"sleep\"] }], \"team\"",
            "[\"slepe\"] }], \"team\"",
            "NOT_FOUND routingRules.0.when.0.values.0",
        ),
        (
            "\"team\": \"sleep\"",
            "\"team\": \"heart\"",
            "NOT_FOUND routingRules.0.team",
        ),
        (
            "\"points\": 10",
            "\"points\": 101",
            "INVALID scoringRules.0.points",
        ),
        (
            "\"template\": \"day-2\"",
            "\"template\": \"day-3\"",
            "NOT_FOUND sequences.0.steps.1.template",
        ),
    ] {
        assert_eq!(told(&with(from, to)), [expected], "{from} -> {to}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut setup = hospital();
    setup.facilities[0].region = "Ohio".to_owned();
    setup.scoring_rules[0].points = 0;
    assert_eq!(
        told(&setup),
        ["INVALID facilities.0.region", "INVALID scoringRules.0.points"]
    );
}

#[test]
fn promotional_mail_needs_its_footer() {
    let refusals = told(&with("{{ postal_address }}", ""));
    assert_eq!(refusals, ["INVALID templates.0.layout"]);
    // As a draft it may be written: the reviewers will not see it before it has one.
    let draft = with("{{ postal_address }}", "").templates[0].clone();
    let mut setup = with("{{ postal_address }}", "");
    setup.templates[0] = TemplateSetup {
        approved_by: None,
        ..draft
    };
    let rows = planned(&setup, &Known::default());
    assert_eq!(rows.template_versions.made[0].state, TemplateState::Draft);
}

#[test]
fn there_is_always_one_review_team() {
    let two = with(
        "\"name\": \"Sleep\", \"facility\"",
        "\"name\": \"Sleep\", \"review\": true, \"facility\"",
    );
    assert_eq!(told(&two), ["ALREADY_EXISTS teams.1.review"]);
    let rows = planned(&Setup::default(), &Known::default());
    assert!(rows.teams.made.iter().any(|team| team.is_review));
}

#[test]
fn an_unknown_part_of_the_document_is_refused_and_named() {
    let Err(Error::Refused(refusals)) = Setup::parse(r#"{ "hospitals": [] }"#) else {
        panic!("it was read")
    };
    assert_eq!(refusals[0].code, Code::Invalid);
    assert!(
        refusals[0].message.contains("hospitals"),
        "{}",
        refusals[0].message
    );
}

#[tokio::test]
async fn a_document_applied_twice_is_stored_once() {
    let ground = installation().await;
    let h = &ground.h;
    let mut setup = hospital();
    setup.staff[0].password = Some("a long first password".to_owned());
    ensure_review_team(h).await.unwrap();
    ensure_review_team(h).await.unwrap();
    let first = apply(h, &setup).await.unwrap();
    assert!(first.changed_anything());
    let before = h.playbook().await.unwrap();
    let second = apply(h, &setup).await.unwrap();
    assert!(!second.changed_anything(), "{second}");
    let after = h.playbook().await.unwrap();
    assert_eq!(
        after.revision, before.revision,
        "nobody has to read the rules again"
    );
    assert_eq!(
        after.line_named("Snoring").map(|line| line.slug.as_str()),
        Some("sleep")
    );
    assert_eq!(team::Entity::find().count(&h.db).await.unwrap(), 2);
    let is_nina = |staff: &&std::sync::Arc<entity::staff::Model>| staff.email == "nina@riverbend.example";
    let nina = after.staff.values().find(is_nina).unwrap();
    let hash = nina.password_hash.clone();
    assert!(
        crate::staff::password::verify("a long first password".to_owned(), hash)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_start_makes_the_review_team_only_when_there_is_none() {
    let ground = installation().await;
    let h = &ground.h;
    let review = || team::Entity::find().filter(team::Column::IsReview.eq(true));
    ensure_review_team(h).await.unwrap();
    assert_eq!(
        team::Entity::find().count(&h.db).await.unwrap(),
        1,
        "there was one"
    );
    team::Entity::delete_many().exec(&h.db).await.unwrap();
    let before = revision(h).await;
    ensure_review_team(h).await.unwrap();
    let made = review().one(&h.db).await.unwrap().expect("it is made");
    assert_eq!(
        (made.slug.as_str(), made.name.as_str()),
        ("review", "Intake review")
    );
    assert_eq!(revision(h).await, before + 1);
    team::Entity::update_many()
        .col_expr(team::Column::IsReview, false.into())
        .exec(&h.db)
        .await
        .unwrap();
    ensure_review_team(h).await.unwrap();
    assert_eq!(
        review().one(&h.db).await.unwrap().map(|team| team.id),
        Some(made.id),
        "it gets its mark back"
    );
}

async fn revision(h: &Hospital) -> i64 {
    let row = entity::playbook_revision::Entity::find_by_id(1)
        .one(&h.db)
        .await
        .unwrap();
    row.expect("the row is there").revision
}

#[tokio::test]
async fn a_refused_document_leaves_everything_as_it_was() {
    let ground = installation().await;
    let h = &ground.h;
    ensure_review_team(h).await.unwrap();
    let before = h.playbook().await.unwrap().revision;
    let wrong = with("\"points\": 10", "\"points\": 0");
    assert!(matches!(apply(h, &wrong).await, Err(Error::Refused(_))));
    assert_eq!(h.playbook().await.unwrap().revision, before);
    assert_eq!(entity::facility::Entity::find().count(&h.db).await.unwrap(), 0);
}

const OUTREACH: &str = r#"{
  "sendWindows": [
    { "jurisdiction": "HOUSE", "hours": { "monday": ["09:00-12:00", "13:00-20:00"] }, "source": "Policy", "reviewedOn": "2026-11-01" },
    { "jurisdiction": "US-FL", "hours": { "monday": ["08:00-20:00"] }, "source": "A statute", "reviewedOn": "2026-11-01" }
  ],
  "frequencyCap": { "perDay": 1, "perWeek": 3 }
}"#;

#[test]
fn windows_and_caps_are_kept_in_versions() {
    let first = planned(&Setup::parse(OUTREACH).unwrap(), &Known::default());
    let versions: Vec<_> = first
        .send_windows
        .made
        .iter()
        .map(|row| (row.jurisdiction.as_str(), row.version, row.start_minute))
        .collect();
    assert_eq!(
        versions,
        [("HOUSE", 1, 540), ("HOUSE", 1, 780), ("US-FL", 1, 480)]
    );
    assert_eq!(first.frequency_caps.made[0].version, 1);

    let known = after(first);
    let again = planned(&Setup::parse(OUTREACH).unwrap(), &known);
    assert!(!again.applied().changed_anything(), "{}", again.applied());

    let later = OUTREACH
        .replace("13:00-20:00", "13:00-18:00")
        .replace("\"perDay\": 1", "\"perDay\": 2");
    let changed = planned(&Setup::parse(&later).unwrap(), &known);
    let made: Vec<_> = changed
        .send_windows
        .made
        .iter()
        .map(|row| (row.jurisdiction.as_str(), row.version, row.end_minute))
        .collect();
    assert_eq!(
        made,
        [("HOUSE", 2, 720), ("HOUSE", 2, 1080)],
        "Florida stays as it is"
    );
    let cap = &changed.frequency_caps.made[0];
    assert_eq!((cap.version, cap.per_day, cap.per_week), (2, 2, 3));
}

#[test]
fn windows_of_nowhere_and_caps_of_nothing_are_refused() {
    let wrong = r#"{
      "sendWindows": [
        { "jurisdiction": "Florida", "hours": { "monday": ["08:00-20:00"] }, "source": "A statute", "reviewedOn": "2026-11-01" },
        { "jurisdiction": "US-fl", "hours": {}, "source": " ", "reviewedOn": "2026-11-01" }
      ],
      "frequencyCap": { "perDay": 0, "perWeek": 101 }
    }"#;
    assert_eq!(
        told(&Setup::parse(wrong).unwrap()),
        [
            "INVALID sendWindows.0.jurisdiction",
            "INVALID sendWindows.1.jurisdiction",
            "REQUIRED sendWindows.1.source",
            "REQUIRED sendWindows.1.hours",
            "INVALID frequencyCap.perDay",
            "INVALID frequencyCap.perWeek",
        ]
    );
}

#[test]
fn checklists_and_templates_that_cannot_be_used_are_refused() {
    let wrong = r#"{
      "checklists": [
        { "key": "Order", "name": " ", "serviceLines": ["nowhere"], "items": [] },
        { "key": "call", "name": "Call", "items": [{ "key": "a", "label": "A" }, { "key": "a", "label": "" }] }
      ],
      "followUpTemplates": [
        { "key": "order", "title": "Ask", "dueMins": 0, "checklist": "nothing" },
        { "key": "order", "title": "Ask again", "dueMins": 60, "checklist": "call" }
      ]
    }"#;
    assert_eq!(
        told(&Setup::parse(wrong).unwrap()),
        [
            "INVALID checklists.0.key",
            "REQUIRED checklists.0.name",
            "INVALID checklists.0.items",
            "NOT_FOUND checklists.0.serviceLines.0",
            "ALREADY_EXISTS checklists.1.items.1.key",
            "REQUIRED checklists.1.items.1.label",
            "INVALID followUpTemplates.0.dueMins",
            "NOT_FOUND followUpTemplates.0.checklist",
            "ALREADY_EXISTS followUpTemplates.1.key",
        ]
    );
}
