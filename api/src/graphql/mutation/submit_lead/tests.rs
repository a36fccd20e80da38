use std::collections::HashMap;

use async_graphql::ID;
use domain::outreach::gate::Caps;
use domain::quiet_hours::windows::SendWindows;
use domain::viewer::Viewer;
use entity::consent_event::ConsentMethod;
use entity::enums::Role;
use entity::form::{Field, FieldKind, FieldTarget, Fields, WordingKeys};
use entity::id::{FormId, TeamId, TokenId};
use entity::lead::RuleVersions;
use uuid::Uuid;

use super::*;

fn playbook() -> Playbook {
    Playbook {
        revision: 1,
        lines: HashMap::new(),
        line_by_name: HashMap::new(),
        facilities: HashMap::new(),
        facility_phones: HashMap::new(),
        calendars: HashMap::new(),
        teams: HashMap::new(),
        review_team: TeamId(Uuid::from_u128(1)),
        staff: HashMap::new(),
        members: HashMap::new(),
        skills: HashMap::new(),
        absences: HashMap::new(),
        routing: Vec::new(),
        scoring: Vec::new(),
        sla: Vec::new(),
        sla_retired: Vec::new(),
        rule_versions: RuleVersions::default(),
        forms: HashMap::new(),
        form_by_slug: HashMap::new(),
        form_by_key: HashMap::new(),
        wordings: HashMap::new(),
        template_by_key: HashMap::new(),
        templates: HashMap::new(),
        template_current: HashMap::new(),
        template_versions: HashMap::new(),
        checklists: HashMap::new(),
        scripts: HashMap::new(),
        profiles: HashMap::new(),
        rubrics: HashMap::new(),
        follow_up_templates: HashMap::new(),
        sequences: HashMap::new(),
        sequence_versions: HashMap::new(),
        campaigns: HashMap::new(),
        campaign_by_code: HashMap::new(),
        send_windows: SendWindows::default(),
        caps: Caps::default(),
        placements: HashMap::new(),
        placement_by_code: HashMap::new(),
    }
}

fn field(name: &str, kind: FieldKind, target: FieldTarget) -> Field {
    Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        target,
        required: true,
        hint: None,
        autocomplete: None,
        options: Vec::new(),
        max_chars: 100,
    }
}

fn form() -> form::Model {
    form::Model {
        id: FormId(Uuid::from_u128(3)),
        slug: "sleep".to_owned(),
        title: String::new(),
        intro: String::new(),
        thanks: String::new(),
        language: "en".to_owned(),
        lead_type: entity::enums::LeadType::PatientAppointment,
        channel: entity::enums::Channel::Website,
        service_line_id: None,
        facility_id: None,
        campaign_id: None,
        fields: Fields(vec![
            field("first_name", FieldKind::Text, FieldTarget::GivenName),
            field("your_email", FieldKind::Email, FieldTarget::Email),
        ]),
        wordings: WordingKeys(Vec::new()),
        opt_in_days: None,
        abandoned_after_days: None,
        kept_days: None,
        confirmation_template_id: None,
        public_key: "pk".to_owned(),
        active: true,
        created_at: chrono::DateTime::UNIX_EPOCH,
    }
}

fn input() -> SubmitLeadInput {
    SubmitLeadInput {
        form_key: None,
        fields: Vec::new(),
        lead_type: None,
        channel: None,
        contact: None,
        requested_service: None,
        service_line_id: None,
        facility: None,
        facility_id: None,
        answers: Vec::new(),
        consents: Vec::new(),
        visit: None,
        external_id: None,
    }
}

fn sent(fields: &[(&str, &str)]) -> SubmitLeadInput {
    let fields = fields.iter().map(|&(name, value)| FieldInput {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    SubmitLeadInput {
        fields: fields.collect(),
        ..input()
    }
}

fn contact(email: &str) -> Option<ContactInput> {
    Some(ContactInput::of("Pat", email))
}

fn token() -> Viewer {
    Viewer::Token {
        id: TokenId(Uuid::from_u128(7)),
        role: Role::MarketingOps,
    }
}

fn told(refused: Result<Inquiry, DomainError>) -> Vec<String> {
    match refused {
        Err(DomainError::Refused(refusals)) => refusals
            .iter()
            .map(|refusal| format!("{} {}", refusal.field.join("."), refusal.code.as_str()))
            .collect(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[test]
fn the_fields_of_a_form_become_an_inquiry() {
    let inquiry =
        sent(&[("first_name", "Pat"), ("your_email", "pat@example.org")]).of_form(&form(), &playbook());
    // The draft looks the form up in the playbook, so this one has no type of its own.
    assert_eq!(told(inquiry), ["leadType REQUIRED"]);
    let mut playbook = playbook();
    playbook.forms.insert(form().id, form());
    let sent = sent(&[("first_name", "Pat"), ("your_email", "pat@example.org")]);
    let inquiry = sent.of_form(&form(), &playbook).unwrap();
    assert_eq!(inquiry.person.given_name, "Pat");
    assert_eq!(inquiry.consent_method, ConsentMethod::WebForm);
    assert_eq!(inquiry.consent_source.form_id, Some(form().id));
}

#[test]
fn refusals_of_a_form_are_at_its_fields() {
    let mut playbook = playbook();
    playbook.forms.insert(form().id, form());
    let refused = sent(&[("your_email", "no address"), ("shoe_size", "44")]).of_form(&form(), &playbook);
    let mut told = told(refused);
    told.sort();
    assert_eq!(
        told,
        [
            "fields.first_name REQUIRED",
            "fields.shoe_size UNKNOWN_FIELD",
            "fields.your_email INVALID"
        ]
    );
}

#[test]
fn a_form_takes_no_parts_and_parts_take_no_fields() {
    let both = SubmitLeadInput {
        lead_type: Some(LeadType::Referral),
        contact: contact("a@example.org"),
        ..input()
    };
    assert_eq!(
        told(both.of_form(&form(), &playbook())),
        ["leadType INVALID", "contact INVALID"]
    );
    assert_eq!(
        told(sent(&[("first_name", "Pat")]).entered(&token(), &playbook())),
        ["formKey REQUIRED"]
    );
}

#[test]
fn refusals_of_entered_parts_are_at_their_paths() {
    let wrong = SubmitLeadInput {
        contact: Some(ContactInput::of("www.example.com", "no address")),
        facility: Some("nowhere".to_owned()),
        answers: vec![
            AnswerInput::of("insurance", "Aetna"),
            AnswerInput::of("email", &"x".repeat(5000)),
        ],
        consents: vec![],
        ..input()
    };
    let mut told = told(wrong.entered(&token(), &playbook()));
    told.sort();
    let expected = [
        "answers.1.value TOO_LARGE",
        "contact.email INVALID",
        "contact.givenName INVALID",
        "facility NOT_FOUND",
        "leadType REQUIRED",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_wrong_id_of_a_list_is_named_with_its_place() {
    let wrong = SubmitLeadInput {
        consents: vec![ConsentAnswerInput {
            wording_id: ID("lead_1".to_owned()),
            granted: true,
        }],
        ..input()
    };
    assert_eq!(
        told(wrong.entered(&token(), &playbook())),
        ["consents.0.wordingId INVALID"]
    );
    let unknown = id(entity::id::FacilityId(Uuid::from_u128(9)));
    let wrong = SubmitLeadInput {
        facility_id: Some(unknown),
        ..input()
    };
    assert_eq!(
        told(wrong.entered(&token(), &playbook())),
        ["facilityId NOT_FOUND"]
    );
}

#[test]
fn what_a_program_enters_is_consent_by_the_api() {
    let entered = SubmitLeadInput {
        lead_type: Some(LeadType::ServiceInquiry),
        contact: contact("pat@example.org"),
        external_id: Some("crm-1".to_owned()),
        ..input()
    };
    let inquiry = entered.entered(&token(), &playbook()).unwrap();
    assert_eq!(inquiry.consent_method, ConsentMethod::Api);
    assert_eq!(inquiry.external_id.as_deref(), Some("crm-1"));
    assert_eq!(inquiry.person.email.unwrap().as_str(), "pat@example.org");
}
