use chrono::{DateTime, Utc};
use entity::checklist::{LeadTypes, ServiceLines};
use entity::id::IntakeScriptId;
use entity::intake_script::{Content, Effect, QuestionOption};
use uuid::Uuid;

use super::*;

fn line(number: u128) -> ServiceLineId {
    ServiceLineId(Uuid::from_u128(number))
}

fn script(key: &str, types: &[LeadType], lines: &[ServiceLineId], questions: Vec<Question>) -> Model {
    Model {
        id: IntakeScriptId(Uuid::from_u128(1)),
        key: key.to_owned(),
        version: 1,
        name: key.to_owned(),
        lead_types: LeadTypes(types.to_vec()),
        service_lines: ServiceLines(lines.to_vec()),
        content: Content {
            opening: None,
            questions,
            documents: Vec::new(),
            scheduling: None,
            avoid: Vec::new(),
        },
        created_at: DateTime::<Utc>::UNIX_EPOCH,
    }
}

fn question(key: &str, kind: QuestionKind) -> Question {
    Question {
        key: key.to_owned(),
        text: "How are you?".to_owned(),
        kind,
        options: Vec::new(),
        effects: Vec::new(),
    }
}

#[test]
fn the_script_that_names_the_line_comes_before_the_one_that_names_the_type() {
    let patient = LeadType::PatientAppointment;
    let all = [
        script("everybody", &[], &[], Vec::new()),
        script("patients", &[patient], &[], Vec::new()),
        script("sleep", &[], &[line(1)], Vec::new()),
        script("sleep-referral", &[LeadType::Referral], &[line(1)], Vec::new()),
        script("sleep-too", &[], &[line(1)], Vec::new()),
    ];
    let key = |lead_type, line| best(all.iter(), lead_type, line).map(|script| script.key.as_str());
    assert_eq!(key(patient, Some(line(1))), Some("sleep"));
    assert_eq!(key(LeadType::Referral, Some(line(1))), Some("sleep-referral"));
    assert_eq!(key(patient, Some(line(2))), Some("patients"));
    assert_eq!(key(patient, None), Some("patients"));
    assert_eq!(key(LeadType::Referral, None), Some("everybody"));
    assert_eq!(best(all[1..].iter(), LeadType::Referral, None), None);
}

#[test]
fn each_kind_of_question_takes_its_own_answers() {
    let yes_no = question("a", QuestionKind::YesNo);
    assert_eq!(read(&yes_no, " YES "), Ok("YES".to_owned()));
    assert!(read(&yes_no, "yes").is_err());
    let mut choice = question("a", QuestionKind::Choice);
    choice.options.push(QuestionOption {
        value: "medicare".to_owned(),
        label: "Medicare".to_owned(),
    });
    assert_eq!(read(&choice, "medicare"), Ok("medicare".to_owned()));
    assert!(read(&choice, "Medicare").is_err());
    let date = question("a", QuestionKind::Date);
    assert_eq!(read(&date, "2026-05-12"), Ok("2026-05-12".to_owned()));
    assert!(read(&date, "2026-02-30").is_err());
    let text = question("a", QuestionKind::Text);
    assert_eq!(read(&text, " two\nlines "), Ok("two\nlines".to_owned()));
    for wrong in ["", "  ", "a\u{202e}b", &"x".repeat(MAX_ANSWER_CHARS + 1)] {
        assert!(read(&text, wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn answers_set_and_clear_flags_and_leave_the_others() {
    let mut order = question("order", QuestionKind::YesNo);
    order.effects = vec![
        Effect {
            answer: "NO".to_owned(),
            sets: vec![EligibilityFlag::OrderMissing],
            clears: Vec::new(),
        },
        Effect {
            answer: "YES".to_owned(),
            sets: Vec::new(),
            clears: vec![EligibilityFlag::OrderMissing, EligibilityFlag::ReferralRequired],
        },
    ];
    let script = script("s", &[], &[], vec![order, question("note", QuestionKind::Text)]);
    let given = |answer: &str| vec![("order".to_owned(), answer.to_owned())];
    let unclear = EligibilityFlag::ServiceUnclear;
    let missing = EligibilityFlag::OrderMissing;
    assert_eq!(flags_after(&[unclear], &script, &given("NO")), [unclear, missing]);
    assert_eq!(
        flags_after(&[unclear, missing], &script, &given("NO")),
        [unclear, missing]
    );
    assert_eq!(
        flags_after(&[unclear, missing], &script, &given("YES")),
        [unclear]
    );
    assert_eq!(flags_after(&[missing], &script, &[]), [missing]);
}
