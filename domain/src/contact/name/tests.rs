use proptest::prelude::*;

use super::*;

fn agree(a: (&str, &str), b: (&str, &str)) -> bool {
    let (a, b) = (
        FullName {
            given: a.0,
            family: a.1,
        },
        FullName {
            given: b.0,
            family: b.1,
        },
    );
    let answer = names_agree(a, b);
    assert_eq!(
        answer,
        names_agree(b, a),
        "the order of the question must not matter"
    );
    answer
}

#[test]
fn a_name_is_trimmed_and_its_blanks_become_one() {
    assert_eq!(
        PersonName::parse("  Mary   Ann\u{a0} Smith ")
            .expect("a name")
            .as_str(),
        "Mary Ann Smith"
    );
}

#[test]
fn names_of_many_kinds_are_accepted() {
    for name in [
        "O'Brien",
        "Smith-Jones",
        "J.R.",
        "St. John",
        "Nguyễn Thị",
        "王",
        "محمد",
        "Ng",
        "X Æ A-12",
        "d’Arc",
        "Jr.",
        "می\u{200c}نا",
        "Comnetti",
    ] {
        assert!(PersonName::parse(name).is_ok(), "{name:?} must be accepted");
    }
    assert!(PersonName::parse(&"ß".repeat(100)).is_ok());
}

#[test]
fn what_is_no_name_is_refused_with_a_reason() {
    for (wrong, reason) in [
        ("", "Enter a name"),
        (" \t ", "Enter a name"),
        ("...", "letter"),
        ("12345", "letter"),
        ("Pat\r\nBcc: x", "one line"),
        ("Pat\0", "one line"),
        ("Pat\u{202e}", "one line"),
        ("Win cash http://spam.example", "web or email"),
        ("HTTPS://spam.example/x", "web or email"),
        ("www.spam.example", "web or email"),
        ("visit spam.com now", "web or email"),
        ("spam.RU/x", "web or email"),
        ("bit.ly/3abc", "web or email"),
        ("pat@example.org", "web or email"),
        ("<b>Pat</b>", "web or email"),
    ] {
        let refused = PersonName::parse(wrong).expect_err(wrong);
        assert!(
            refused.message.contains(reason),
            "{wrong:?} said {}",
            refused.message
        );
    }
    assert!(
        PersonName::parse(&"a".repeat(101))
            .expect_err("too long")
            .message
            .contains("100")
    );
    assert!(PersonName::parse(&"a ".repeat(1_000_000)).is_err());
}

#[test]
fn a_log_does_not_show_the_name() {
    assert_eq!(
        format!("{:?}", PersonName::parse("Pat").expect("a name")),
        "PersonName(hidden)"
    );
}

#[test]
fn capitals_accents_and_punctuation_do_not_matter() {
    assert!(agree(("José", "García"), ("JOSE", "Garcia")));
    assert!(agree(("Mary-Jane", "O'Brien"), ("mary jane", "OBrien")));
    assert!(agree(("Mary Jane", "Smith-Jones"), ("Maryjane", "Smith Jones")));
    assert!(agree(("Søren", "Łukasz"), ("Soren", "Lukasz")));
    assert!(agree(("Jose\u{301}", "Weiß"), ("José", "WEISS")));
    assert!(agree(("İbrahim", "Işık"), ("ibrahim", "isik")));
    assert!(agree(("王", "伟"), ("王", "伟")));
}

#[test]
fn an_initial_stands_for_its_name() {
    assert!(agree(("J.", "Smith"), ("John", "Smith")));
    assert!(agree(("É", "Petit"), ("Emile", "Petit")));
    assert!(agree(("John A.", "Smith"), ("John", "Smith")));
    assert!(agree(("John A.", "Smith"), ("John Adam", "Smith")));
    assert!(agree(("J A", "Smith"), ("John Adam", "Smith")));
    assert!(!agree(("J.", "Smith"), ("Mary", "Smith")));
    assert!(!agree(("John B.", "Smith"), ("John Adam", "Smith")));
    assert!(
        !agree(("John", "S"), ("John", "Smith")),
        "a family name must be whole"
    );
    assert!(
        !agree(("伟", "王"), ("伟明", "王")),
        "one character may be a whole name"
    );
}

#[test]
fn given_and_family_name_may_have_changed_places() {
    assert!(agree(("Pat", "Doe"), ("Doe", "Pat")));
    assert!(!agree(("P", "Doe"), ("Doe", "Pat")));
}

#[test]
fn a_whole_name_in_one_field_is_understood() {
    assert!(agree(("Pat Doe", ""), ("Pat", "Doe")));
    assert!(agree(("", "Doe, Pat"), ("Pat", "Doe")));
    assert!(agree(("Pat Doe", ""), ("Doe Pat", "")));
    assert!(!agree(("Pat", ""), ("Pat", "Doe")));
    assert!(
        !agree(("Pat", ""), ("Pat", "")),
        "one word is too little to go by"
    );
    assert!(!agree(("", ""), ("", "")));
}

#[test]
fn what_may_be_two_people_is_left_to_a_person() {
    assert!(!agree(("John", "Smith"), ("John", "Smith Jr.")));
    assert!(!agree(("John", "Smith"), ("Jane", "Smith")));
    assert!(!agree(("John Adam", "Smith"), ("John", "Smith")));
    assert!(!agree(("Bill", "Smith"), ("William", "Smith")));
    assert!(!agree(("Mary", "Smith"), ("Mary", "Smith-Jones")));
}

proptest! {
    #[test]
    fn agreement_is_symmetric_and_a_full_name_agrees_with_itself(
        given in "[a-zA-ZéÅß.' -]{1,12}", family in "[a-zA-ZéÅß.' -]{1,12}",
        other_given in "[a-zA-Zé.' -]{0,12}", other_family in "[a-zA-Zé.' -]{0,12}",
    ) {
        let name = FullName { given: &given, family: &family };
        let other = FullName { given: &other_given, family: &other_family };
        prop_assert_eq!(names_agree(name, other), names_agree(other, name));
        if !words(&given).is_empty() && !words(&family).is_empty() {
            prop_assert!(names_agree(name, name));
            let (upper_given, upper_family) = (given.to_uppercase(), family.to_uppercase());
            let upper = FullName { given: &upper_given, family: &upper_family };
            prop_assert!(names_agree(name, upper));
        }
    }

    #[test]
    fn whatever_is_typed_an_accepted_name_is_short_and_reads_the_same_again(text in "\\PC{0,120}") {
        if let Ok(name) = PersonName::parse(&text) {
            prop_assert!((1..=MAX_NAME_CHARS).contains(&name.as_str().chars().count()));
            prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name));
        }
        let typed = FullName { given: &text, family: &text };
        prop_assert_eq!(names_agree(typed, typed), !words(&text).is_empty());
    }
}
