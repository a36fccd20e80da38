//! What a mail must have: each rule with its severity, and the words that it points at.

use std::collections::BTreeMap;

use entity::enums::Purpose;

use super::super::super::compile::{Draft, Words};
use super::super::super::finding::{Finding, Part, Severity};
use super::super::super::private::PrivateWords;
use super::super::examine;

const FOOTER: &str = "You can [unsubscribe]({{ unsubscribe_url }}). {{ postal_address }}";

fn layout(more: &str) -> String {
    format!(
        "<mjml lang=\"{{{{ language }}}}\"><mj-body><mj-section><mj-column>{more}<mj-text>{{{{ slot.body }}}}</mj-text>\
         </mj-column></mj-section></mj-body></mjml>"
    )
}

fn draft(body: &str) -> Draft {
    Draft {
        default_language: "en".to_owned(),
        layout: layout(""),
        words: vec![Words {
            language: "en".to_owned(),
            subject: "Hello".to_owned(),
            preheader: String::new(),
            slots: BTreeMap::from([("body".to_owned(), body.to_owned())]),
            text: None,
        }],
    }
}

fn marketing(draft: &Draft) -> Vec<Finding> {
    examine(draft, Purpose::Marketing, &PrivateWords::named([]))
}

/// Rule, severity and the words that are pointed at.
fn told(draft: &Draft, findings: &[Finding]) -> Vec<(&'static str, Severity, String)> {
    findings
        .iter()
        .map(|finding| {
            let words = &draft.words[0];
            let source = match &finding.part {
                Part::Layout => draft.layout.as_str(),
                Part::Subject => &words.subject,
                Part::Preheader => &words.preheader,
                Part::Slot(name) => &words.slots[name],
                Part::Text => words.text.as_deref().unwrap_or_default(),
            };
            let length = finding.end - finding.start;
            let at = source.chars().skip(finding.start).take(length).collect();
            assert!(!finding.advice.is_empty());
            (finding.rule, finding.severity, at)
        })
        .collect()
}

fn of(draft: &Draft) -> Vec<(&'static str, Severity, String)> {
    told(draft, &marketing(draft))
}

#[test]
fn a_complete_mail_has_no_finding() {
    let body = format!("Hi {{{{ given_name | default: \"there\" }}}}. Call us when you like.\n\n{FOOTER}");
    assert_eq!(of(&draft(&body)), []);
}

#[test]
fn what_is_missing_is_told_where_it_should_stand() {
    let bare = draft("Your joint is on our minds. We are booked with visits and books.");
    let found = of(&bare);
    let body = bare.words[0].slots["body"].clone();
    for (rule, at) in [
        ("unsubscribe", bare.layout.clone()),
        ("postal-address", bare.layout.clone()),
        ("next-step", body),
    ] {
        assert!(found.contains(&(rule, Severity::Error, at)), "{rule}: {found:?}");
    }
    // A mail that somebody waits for needs no way out, and may end without a step.
    let awaited = examine(&bare, Purpose::CareCoordination, &PrivateWords::named([]));
    let severities: Vec<_> = awaited
        .iter()
        .map(|finding| (finding.rule, finding.severity))
        .collect();
    assert_eq!(severities, [("next-step", Severity::Warning)]);
}

#[test]
fn a_written_text_must_have_what_the_html_has() {
    let mut mail = draft(&format!("Call us.\n\n{FOOTER}"));
    mail.words[0].text = Some("Call us.".to_owned());
    let text = "Call us.".to_owned();
    assert_eq!(
        of(&mail),
        [
            ("postal-address", Severity::Error, text.clone()),
            ("unsubscribe", Severity::Error, text),
        ]
    );
}

#[test]
fn a_way_out_that_only_some_people_see_is_missing() {
    let body = format!("Call us.\n\n{{% if facility_phone != \"\" %}}{FOOTER}{{% endif %}}");
    let rules: Vec<&str> = of(&draft(&body)).iter().map(|(rule, ..)| *rule).collect();
    assert!(
        rules.contains(&"unsubscribe") && rules.contains(&"postal-address"),
        "{rules:?}"
    );
}

#[test]
fn a_next_step_is_told_to_the_reader_and_is_not_a_word_that_begins_alike() {
    for (words, is_step) in [
        ("Call us in the morning.", true),
        ("You can call or write.", true),
        ("Please bring your card.", true),
        ("There is nothing else to do.", true),
        ("We will call you on Monday.", true),
        ("See our [page](https://h.riverbend.org/visit).", true),
        ("Joint pain is common.", false),
        ("Your visit was in May.", false),
        ("The callous remark was removed from the booklet.", false),
        ("In an emergency, call 911.", false),
        ("[Choose]({{ preferences_url }})", true),
        ("Wishes stand [there]({{ preferences_url }}).", false),
    ] {
        let found = of(&draft(&format!(
            "{words}\n\n{{{{ unsubscribe_url }}}} {{{{ postal_address }}}}"
        )));
        let missed = found.iter().any(|(rule, ..)| *rule == "next-step");
        assert_eq!(!missed, is_step, "{words}: {found:?}");
    }
}

#[test]
fn images_links_and_values_are_pointed_at_where_they_stand() {
    let cases = [
        (
            "[a](http://h.riverbend.org/x)",
            "link",
            Severity::Error,
            "http://h.riverbend.org/x",
        ),
        (
            "[a](https://example.com/x)",
            "link",
            Severity::Error,
            "https://example.com/x",
        ),
        ("[a](https://)", "link", Severity::Error, "https://"),
        ("[a](mailto:nobody)", "link", Severity::Error, "mailto:nobody"),
        (
            "Dear {{ family_name }},",
            "missing-value",
            Severity::Warning,
            "{{ family_name }}",
        ),
        (
            "Dear {{ given_name | default: \"\" }},",
            "missing-value",
            Severity::Warning,
            "{{ given_name | default: \"\" }}",
        ),
    ];
    for (words, rule, severity, at) in cases {
        let found = of(&draft(&format!("{words} Call us.\n\n{FOOTER}")));
        assert_eq!(found, [(rule, severity, at.to_owned())], "{words}");
    }
    let mut mail = draft(&format!("Call us.\n\n{FOOTER}"));
    mail.layout = layout("<mj-image src=\"https://h.riverbend.org/a.png\" />");
    assert_eq!(
        of(&mail),
        [("image-alt", Severity::Error, "<mj-image".to_owned())]
    );
    mail.layout = layout("<mj-image src=\"https://h.riverbend.org/a.png\" alt=\"Our entrance\" />");
    assert_eq!(of(&mail), []);
    mail.layout = mail.layout.replace(" lang=\"{{ language }}\"", "");
    assert_eq!(of(&mail), [("language", Severity::Warning, String::new())]);
}

#[test]
fn what_is_hard_to_read_is_pointed_at() {
    let long = "We will talk about what you eat and what you drink and how you sleep and where you work and when you rest \
                and who helps you and which of all of these you would like to look at with us in the next few weeks.";
    let found = of(&draft(&format!("{long}\n\nCall us.\n\n{FOOTER}")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1), ("reading-level", Severity::Warning));
    assert!(
        found[0].2.starts_with("We will talk") && found[0].2.ends_with("few weeks"),
        "{}",
        found[0].2
    );

    let hard = "Comprehensive interdisciplinary evaluation necessitates collaborative documentation. Administrative \
                representatives subsequently coordinate individualized appointments. Authorization documentation \
                requires verification. Organizational communication facilitates participation. Institutional \
                accommodations are available. Supplementary information accompanies correspondence. Call us.";
    let found = of(&draft(&format!("{hard}\n\n{FOOTER}")));
    assert!(
        found
            .iter()
            .any(|(rule, severity, _)| (*rule, *severity) == ("reading-level", Severity::Warning)),
        "{found:?}"
    );
}

#[test]
fn a_private_word_does_not_hide_behind_references_or_twice_encoded_letters() {
    let mut mail = draft(&format!("Call us.\n\n{FOOTER}"));
    for more in [
        "<mj-button href=\"https://h.riverbend.org/&#99;olonoscopy\">Go</mj-button>",
        "<mj-button href=\"https://h.riverbend.org/&#x63olonoscopy\">Go</mj-button>",
        "<mj-button href=\"https://h.riverbend.org/%2563olonoscopy\">Go</mj-button>",
    ] {
        mail.layout = layout(more);
        let found = of(&mail);
        assert!(
            found
                .iter()
                .any(|(_, severity, _)| *severity == Severity::Refused),
            "{more}: {found:?}"
        );
    }
    mail.layout = layout("<mj-button href=\"https://h.riverbend.org/?a=1&amp;b=2\">Go</mj-button>");
    assert_eq!(of(&mail), []);
    mail.layout = mail.layout.replace(
        "<mj-body>",
        "<mj-head><mj-preview>Your col&#111;noscopy</mj-preview></mj-head><mj-body>",
    );
    assert!(
        of(&mail)
            .iter()
            .any(|(_, severity, _)| *severity == Severity::Refused)
    );
}
