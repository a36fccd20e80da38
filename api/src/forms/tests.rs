use chrono::{TimeZone, Utc};
use entity::enums::{Channel, LeadType};
use entity::form::{Field, FieldKind, FieldTarget, Fields, WordingKeys};
use entity::id::{ConsentWordingId, FormId};
use uuid::Uuid;

use super::*;

fn form(names: &[&str]) -> form::Model {
    let field = |name: &&str| Field {
        name: (*name).to_owned(),
        label: (*name).to_owned(),
        kind: FieldKind::Text,
        target: FieldTarget::Answer,
        required: false,
        hint: None,
        autocomplete: None,
        options: Vec::new(),
        max_chars: 100,
    };
    form::Model {
        id: FormId(Uuid::from_u128(1)),
        slug: "sleep-study".to_owned(),
        title: String::new(),
        intro: String::new(),
        thanks: String::new(),
        language: "en".to_owned(),
        lead_type: LeadType::PatientAppointment,
        channel: Channel::Website,
        service_line_id: None,
        facility_id: None,
        campaign_id: None,
        fields: Fields(names.iter().map(field).collect()),
        wordings: WordingKeys::default(),
        opt_in_days: None,
        abandoned_after_days: None,
        kept_days: None,
        confirmation_template_id: None,
        public_key: String::new(),
        active: true,
        created_at: Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap(),
    }
}

fn sorted(names: &[&str], pairs: &[(&str, &str)]) -> Typed {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    typed(&form(names), pairs, "utm_source=query&utm_medium=email")
}

#[test]
fn what_people_do_not_see_catches_programs() {
    assert!(sorted(&[], &[(TRAP, "https://spam.example")]).trapped);
    assert!(!sorted(&[], &[(TRAP, " ")]).trapped);
    // Unless the form asks for it.
    assert!(!sorted(&[TRAP], &[(TRAP, "https://example.org")]).trapped);
}

#[test]
fn a_box_that_was_shown_and_not_ticked_is_a_no() {
    let (yes, no) = (
        ConsentWordingId(Uuid::from_u128(1)),
        ConsentWordingId(Uuid::from_u128(2)),
    );
    let (yes_text, no_text) = (yes.to_string(), no.to_string());
    let typed = sorted(
        &[],
        &[
            (CONSENTS, &yes_text),
            (CONSENTS_SHOWN, &yes_text),
            (CONSENTS_SHOWN, &no_text),
        ],
    );
    let expected = [
        ConsentAnswer {
            wording_id: yes,
            granted: true,
        },
        ConsentAnswer {
            wording_id: no,
            granted: false,
        },
    ];
    assert_eq!(typed.consents, expected);
    assert!(typed.wrong.is_empty());
}

#[test]
fn a_ticked_box_counts_even_if_nobody_said_that_it_was_shown() {
    let id = ConsentWordingId(Uuid::from_u128(1));
    let typed = sorted(&[], &[(CONSENTS, &id.to_string())]);
    assert_eq!(
        typed.consents,
        [ConsentAnswer {
            wording_id: id,
            granted: true
        }]
    );
}

#[test]
fn a_consent_that_is_no_id_is_refused_and_not_dropped() {
    assert_eq!(sorted(&[], &[(CONSENTS, "yes")]).wrong.len(), 1);
}

#[test]
fn hidden_fields_say_more_of_the_visit_than_the_address_does() {
    let typed = sorted(
        &["first_name"],
        &[("utm_source", "google"), ("first_name", "Ana"), ("surprise", "x")],
    );
    let visit = visit::of_kept(&typed.kept);
    assert_eq!(
        (visit.utm.source.as_deref(), visit.utm.medium.as_deref()),
        (Some("google"), Some("email"))
    );
    // What nobody knows stays among the fields, where the form's rules refuse it by name.
    let names: Vec<&str> = typed.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["first_name", "surprise"]);
}

#[test]
fn json_is_answered_only_to_those_who_ask_for_it() {
    let asks = |accept: &str| wants_json(&Request::builder().header("accept", accept).finish());
    assert!(asks("application/json"));
    assert!(asks("application/json;q=0.9, */*"));
    assert!(!asks("text/html,application/xhtml+xml,application/json;q=0.1"));
    assert!(!asks("*/*"));
    assert!(!wants_json(&Request::default()));
}
