use chrono::{TimeZone, Utc};
use entity::enums::Purpose;
use entity::id::TemplateId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn version(number: u128, subject: &str, html: &str, text: &str) -> template_version::Model {
    template_version::Model {
        id: TemplateVersionId(Uuid::from_u128(number)),
        template_id: TemplateId(Uuid::from_u128(1)),
        version: 1,
        subject: subject.to_owned(),
        html: html.to_owned(),
        text: text.to_owned(),
        created_at: Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap(),
    }
}

fn facts() -> MailFacts<'static> {
    MailFacts {
        given_name: "Pat",
        family_name: "O'Neill",
        facility_name: "Riverside",
        facility_phone: "+12025550143",
        service_line_name: None,
        appointment_at: chrono_tz::America::New_York
            .with_ymd_and_hms(2026, 12, 1, 14, 30, 0)
            .single(),
        unsubscribe_url: "https://example.org/u/abc",
        preferences_url: "https://example.org/p/abc",
        postal_address: "1 Main St\nSpringfield",
        hospital_name: "General & Sons",
        team_name: "Sleep intake",
    }
}

fn render(subject: &str, html: &str, text: &str) -> Result<Rendered, TemplateFault> {
    Renderer::default().render(&version(1, subject, html, text), &facts())
}

const FOOTER: &str = "{{ unsubscribe_url }} {{ postal_address }}";

#[test]
fn a_mail_has_its_values_filled_in() {
    let mail = render(
        "Hello {{ given_name }}",
        "<p>{{ hospital_name }}</p>",
        "{% if appointment_at %}{{ appointment_at }}{% endif %}: {{ service_line_name | default: 'our service' }}",
    )
    .unwrap();
    assert_eq!(mail.subject, "Hello Pat");
    assert_eq!(mail.html, "<p>General &amp; Sons</p>");
    assert_eq!(mail.text, "Tuesday, December 1, 2026 at 2:30 PM EST: our service");
}

#[test]
fn a_persons_text_never_becomes_markup_or_a_second_header() {
    let hostile = MailFacts {
        given_name: "<img src=x onerror='y'>\r\nBcc: a@example.org",
        ..facts()
    };
    let version = version(
        1,
        "Hi {{ given_name }}",
        r#"<a title="{{ given_name }}">x</a>"#,
        "x",
    );
    let mail = Renderer::default().render(&version, &hostile).unwrap();
    assert!(
        !mail.html.contains("<img") && !mail.html.contains('\''),
        "{}",
        mail.html
    );
    assert_eq!(mail.subject.lines().count(), 1);
    assert!(!mail.subject.contains('\r'));
}

#[test]
fn a_value_that_looks_like_liquid_stays_text() {
    let sly = MailFacts {
        given_name: "{{ unsubscribe_url }}",
        ..facts()
    };
    let mail = Renderer::default()
        .render(&version(1, "s", "h", "{{ given_name }}"), &sly)
        .unwrap();
    assert_eq!(mail.text, "{{ unsubscribe_url }}");
}

#[test]
fn a_long_subject_is_cut_and_an_empty_one_is_a_fault() {
    let mail = render(&"ä".repeat(400), "h", "t").unwrap();
    assert_eq!(mail.subject.chars().count(), MAX_SUBJECT_CHARS);
    assert_eq!(
        render("{{ service_line_name }} \n", "h", "t"),
        Err(TemplateFault::EmptySubject)
    );
}

#[test]
fn a_part_that_grows_too_large_is_a_fault() {
    let long = MailFacts {
        hospital_name: &"&".repeat(MAX_VALUE_CHARS),
        ..facts()
    };
    let html = "{{ hospital_name }}".repeat(200);
    let outcome = Renderer::default().render(&version(1, "s", &html, "t"), &long);
    assert_eq!(outcome, Err(TemplateFault::TooLarge));
}

#[test]
fn what_could_run_away_is_not_in_the_language() {
    for source in [
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% assign a = 'x' %}",
        "{% capture a %}x{% endcapture %}",
        "{% include 'other' %}",
        "{% render 'other' %}",
        "{{ given_name | append: given_name }}",
        "{{ given_name | date: '%Y' }}",
        "{{ given_name.size }}",
        "{{ nobody }}",
        "{% if nobody %}{% endif %}",
        "{{ given_name",
        "{% if given_name %}",
        "{{ given_name | default: 'x }}",
    ] {
        assert_eq!(
            render("s", source, "t"),
            Err(TemplateFault::Unreadable),
            "{source}"
        );
        assert!(
            !check("s", source, "t", Purpose::CareCoordination).is_empty(),
            "{source}"
        );
    }
    let deep = "{% if given_name %}".repeat(5000) + &"{% endif %}".repeat(5000);
    assert_eq!(render("s", &deep, "t"), Err(TemplateFault::Unreadable));
}

#[test]
fn a_kept_template_gives_the_same_mail_again_and_the_number_kept_is_bounded() {
    let renderer = Renderer::default();
    for number in 0..(MAX_COMPILED as u128 + 10) {
        let version = version(number, "s {{ given_name }}", "h", "t");
        let first = renderer.render(&version, &facts()).unwrap();
        assert_eq!(renderer.render(&version, &facts()).unwrap(), first);
    }
    assert!(renderer.kept().len() <= MAX_COMPILED);
}

#[test]
fn a_good_template_passes_the_check() {
    let part = format!(
        "{{% if given_name != \"\" %}}Dear {{{{ given_name }}}}{{% else %}}Hello{{% endif %}} {FOOTER}"
    );
    assert_eq!(check("About your request", &part, &part, Purpose::Marketing), []);
}

#[test]
fn promotional_mail_must_always_show_the_address_and_the_way_out() {
    let fields = |html: &str, text: &str| -> Vec<String> {
        check("s", html, text, Purpose::Marketing)
            .into_iter()
            .map(|r| r.field.join("."))
            .collect()
    };
    assert_eq!(fields("x", "x"), ["html", "html", "text", "text"]);
    assert_eq!(fields(FOOTER, "{{ unsubscribe_url }}"), ["text"]);
    let hidden = format!("x {{% if service_line_name %}}{FOOTER}{{% endif %}}");
    assert_eq!(fields(&hidden, FOOTER), ["html", "html"]);
    assert_eq!(check("s", "x", "x", Purpose::CareCoordination), []);
}

#[test]
fn a_subject_may_not_name_the_service_not_even_in_a_branch() {
    for subject in [
        "{{ service_line_name }}",
        "Hi{% if team_name == 'Sleep' %}!{% endif %}",
    ] {
        let refusals = check(subject, "h", "t", Purpose::CareCoordination);
        assert_eq!(refusals.len(), 1, "{subject}");
        assert_eq!(refusals[0].field, ["subject"]);
    }
}

#[test]
fn a_subject_is_one_line() {
    for subject in ["About\r\nBcc: x", "About\n", "About\u{7}"] {
        let refusals = check(subject, "h", "t", Purpose::CareCoordination);
        assert_eq!(refusals.len(), 1, "{subject:?}");
        assert_eq!(refusals[0].field, ["subject"]);
    }
}

#[test]
fn the_scanner_and_the_values_know_the_same_names() {
    let mut known: Vec<String> = values(&facts(), str::to_owned)
        .keys()
        .map(|key| key.to_string())
        .collect();
    known.sort();
    assert_eq!(known, language::VARIABLES);
}

proptest! {
    #[test]
    fn no_source_breaks_the_renderer(source in "[{}%| a-z_'\"\\-]{0,60}") {
        let _ = render("s", &source, &source);
        let _ = check(&source, &source, &source, Purpose::Marketing);
    }

    #[test]
    fn what_a_person_wrote_never_opens_a_tag(name in "\\PC{0,40}") {
        let facts = MailFacts { given_name: &name, ..facts() };
        let mail = Renderer::default().render(&version(1, "s", "{{ given_name }}", "t"), &facts).unwrap();
        prop_assert!(!mail.html.contains(['<', '>', '"', '\'']));
    }
}
