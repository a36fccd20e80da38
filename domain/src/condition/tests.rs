use chrono_tz::America::New_York;
use entity::contact::ContactKind;
use entity::id::ContactId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn contact() -> contact::Model {
    let at = DateTime::<Utc>::UNIX_EPOCH;
    contact::Model {
        id: ContactId(Uuid::from_u128(1)),
        kind: ContactKind::Person,
        given_name: "Pat".to_owned(),
        family_name: String::new(),
        organization: None,
        email: None,
        email_normalized: None,
        phone: None,
        language: "en".to_owned(),
        time_zone: None,
        region: None,
        postal_code: None,
        merged_into_id: None,
        link_generation: 0,
        erased_at: None,
        created_at: at,
        updated_at: at,
    }
}

fn clause(fact: Fact, is: Comparison, value: &str) -> Condition {
    let field = (fact == Fact::Answer).then(|| "age".to_owned());
    Condition(vec![Clause {
        fact,
        field,
        is,
        values: vec![value.to_owned()],
    }])
}

/// Whether a clause holds for a lead of these points and answers, received at that instant at a facility in New York
/// that is always open.
fn is_so(condition: &Condition, points: Option<i32>, answers: &[(&str, &str)], at: &str) -> bool {
    let calendar = Calendar::always_open(New_York);
    let answers: Vec<Answer> = answers
        .iter()
        .map(|(field, value)| Answer {
            field: (*field).to_owned(),
            label: String::new(),
            value: (*value).to_owned(),
        })
        .collect();
    let facts = Facts {
        lead_type: LeadType::PatientAppointment,
        stage: LeadStage::New,
        service_line: None,
        requested_service: None,
        facility: None,
        channel: Channel::Website,
        campaign: None,
        contact: &contact(),
        flags: &[],
        answers: &answers,
        grade: None,
        points,
        received: Received {
            at: at.parse().unwrap(),
            calendar: Some(&calendar),
        },
        urgent: None,
    };
    holds(condition, &facts)
}

const TUESDAY_MORNING: &str = "2026-03-03T15:00:00Z";

#[test]
fn numbers_are_compared_as_numbers_and_what_is_none_never_holds() {
    let at_least = clause(Fact::Score, Comparison::AtLeast, "9");
    let below = clause(Fact::Score, Comparison::Below, "9");
    let both = |points| {
        (
            is_so(&at_least, points, &[], TUESDAY_MORNING),
            is_so(&below, points, &[], TUESDAY_MORNING),
        )
    };
    assert_eq!(both(Some(10)), (true, false), "as text 10 would be smaller");
    assert_eq!(both(Some(9)), (true, false));
    assert_eq!(both(Some(8)), (false, true));
    assert_eq!(both(None), (false, false), "there is no score yet");
    let of_age = clause(Fact::Answer, Comparison::AtLeast, "65");
    for (said, holds) in [("70", true), (" 65 ", true), ("64", false), ("seventy", false)] {
        assert_eq!(
            is_so(&of_age, None, &[("age", said)], TUESDAY_MORNING),
            holds,
            "{said}"
        );
    }
}

#[test]
fn time_is_that_of_the_facility() {
    let holds = |fact, value, at| is_so(&clause(fact, Comparison::In, value), None, &[], at);
    assert!(
        holds(Fact::ReceivedHour, "10", TUESDAY_MORNING),
        "ten in New York"
    );
    assert!(holds(Fact::ReceivedWeekday, "TUESDAY", TUESDAY_MORNING));
    let just_after_midnight_in_utc = "2026-03-04T00:30:00Z";
    assert!(holds(
        Fact::ReceivedWeekday,
        "TUESDAY",
        just_after_midnight_in_utc
    ));
    assert!(holds(Fact::ReceivedHour, "19", just_after_midnight_in_utc));
    let in_summer = "2026-07-07T15:00:00Z";
    assert!(holds(Fact::ReceivedHour, "11", in_summer));
    assert!(holds(Fact::BusinessHours, "YES", in_summer));
}

#[test]
fn coverage_is_what_was_answered_to_the_field_of_that_name() {
    let said = [("coverage", "Medicare"), ("plan", "Other")];
    let medicare = clause(Fact::Coverage, Comparison::In, "medicare");
    assert!(is_so(&medicare, None, &said, TUESDAY_MORNING));
    assert!(!is_so(&medicare, None, &said[1..], TUESDAY_MORNING));
}

proptest! {
    #[test]
    fn a_number_is_either_below_a_bound_or_at_least_it(points in 0..=100_i32, bound in -5..=105_i32) {
        let bound = bound.to_string();
        let at_least = is_so(&clause(Fact::Score, Comparison::AtLeast, &bound), Some(points), &[], TUESDAY_MORNING);
        let below = is_so(&clause(Fact::Score, Comparison::Below, &bound), Some(points), &[], TUESDAY_MORNING);
        prop_assert!(at_least != below);
    }
}
