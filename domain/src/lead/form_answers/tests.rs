use chrono::{TimeZone, Utc};
use entity::enums::{Channel, LeadType};
use entity::form::{FieldOption, Fields, WordingKeys};
use entity::id::FormId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn field(name: &str, kind: FieldKind, target: FieldTarget) -> Field {
    Field {
        name: name.to_owned(),
        label: name.to_uppercase(),
        kind,
        target,
        required: false,
        hint: None,
        autocomplete: None,
        options: Vec::new(),
        max_chars: 40,
    }
}

fn form(fields: Vec<Field>) -> form::Model {
    form::Model {
        id: FormId(Uuid::from_u128(1)),
        slug: "sleep-study".to_owned(),
        title: "Sleep study".to_owned(),
        intro: String::new(),
        thanks: String::new(),
        language: "en".to_owned(),
        lead_type: LeadType::PatientAppointment,
        channel: Channel::Website,
        service_line_id: None,
        facility_id: None,
        campaign_id: None,
        fields: Fields(fields),
        wordings: WordingKeys::default(),
        opt_in_days: None,
        abandoned_after_days: None,
        kept_days: None,
        confirmation_template_id: None,
        public_key: "key".to_owned(),
        active: true,
        created_at: Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap(),
    }
}

fn sleep_form() -> form::Model {
    let given = Field {
        required: true,
        ..field("first_name", FieldKind::Text, FieldTarget::GivenName)
    };
    let reason = Field {
        options: vec![FieldOption {
            value: "snoring".to_owned(),
            label: "Snoring".to_owned(),
        }],
        ..field("reason", FieldKind::Select, FieldTarget::Answer)
    };
    form(vec![
        given,
        field("mail", FieldKind::Email, FieldTarget::Email),
        reason,
        field("note", FieldKind::TextArea, FieldTarget::Answer),
        field("evening", FieldKind::Checkbox, FieldTarget::Answer),
    ])
}

fn read(form: &form::Model, fields: &[(&str, &str)]) -> (Draft, Vec<(Code, String)>) {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let (draft, refusals) = draft(
        form,
        Sent {
            fields,
            ..Sent::default()
        },
    );
    (
        draft,
        refusals
            .into_iter()
            .map(|refusal| (refusal.code, refusal.field.join("/")))
            .collect(),
    )
}

#[test]
fn each_field_becomes_what_the_form_says() {
    let sent = [
        ("first_name", " Ana "),
        ("mail", "ana@example.org"),
        ("reason", "snoring"),
        ("note", "one\r\ntwo"),
        ("evening", "on"),
    ];
    let (draft, refusals) = read(&sleep_form(), &sent);
    assert_eq!(refusals, []);
    assert_eq!(
        (draft.given_name.as_str(), draft.email.as_str()),
        ("Ana", "ana@example.org")
    );
    let answers: Vec<_> = draft
        .answers
        .iter()
        .map(|a| (a.field.as_str(), a.label.as_str(), a.value.as_str()))
        .collect();
    assert_eq!(
        answers,
        [
            ("reason", "REASON", "snoring"),
            ("note", "NOTE", "one\ntwo"),
            ("evening", "EVENING", TICKED)
        ]
    );
    assert_eq!(draft.field_names["email"], "mail");
    assert_eq!(draft.consent_method, Some(ConsentMethod::WebForm));
}

#[test]
fn a_field_left_empty_is_no_answer() {
    let (draft, refusals) = read(
        &sleep_form(),
        &[("first_name", "Ana"), ("note", "  "), ("reason", "")],
    );
    assert_eq!(refusals, []);
    assert_eq!(draft.answers, []);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let sent = [
        ("first_name", "  "),
        ("reason", "money"),
        ("evening", "maybe"),
        ("mail", "a@example.org"),
        ("mail", "b@example.org"),
        ("ssn", "1"),
    ];
    let (_, mut refusals) = read(&sleep_form(), &sent);
    refusals.sort_by(|a, b| a.1.cmp(&b.1));
    let expected = [
        (Code::Invalid, "evening"),
        (Code::Required, "first_name"),
        (Code::Invalid, "mail"),
        (Code::Invalid, "reason"),
        (Code::UnknownField, "ssn"),
    ];
    assert_eq!(refusals, expected.map(|(code, name)| (code, name.to_owned())));
}

#[test]
fn a_value_is_measured_in_characters_and_not_in_bytes() {
    let form = sleep_form();
    assert_eq!(read(&form, &[("first_name", &"é".repeat(40))]).1, []);
    let (draft, refusals) = read(&form, &[("first_name", &"é".repeat(41))]);
    assert_eq!(refusals, [(Code::TooLarge, "first_name".to_owned())]);
    // It stays, so that nobody says it were missing as well.
    assert_eq!(draft.given_name.chars().count(), 41);
}

#[test]
fn a_form_without_an_email_field_asks_for_the_phone_number() {
    let form = form(vec![field("tel", FieldKind::Phone, FieldTarget::Phone)]);
    assert_eq!(read(&form, &[]).0.field_names["email"], "tel");
}

proptest! {
    #[test]
    fn whatever_is_sent_is_either_taken_or_refused(name in "[a-z.]{0,80}", value in any::<String>()) {
        let form = sleep_form();
        let known = form.fields.0.iter().any(|field| field.name == name);
        let (_, refusals) = read(&form, &[("first_name", "Ana"), (&name, &value)]);
        if !known {
            prop_assert!(refusals.iter().any(|(code, _)| *code == Code::UnknownField));
        }
        prop_assert!(refusals.iter().all(|(_, field)| field.chars().count() <= MAX_NAME_CHARS));
    }
}
