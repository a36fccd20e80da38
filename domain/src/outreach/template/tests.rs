use std::collections::BTreeMap;

use super::*;

const LAYOUT: &str = "<mjml lang=\"{{ language }}\"><mj-head><mj-preview>{{ preheader }}</mj-preview></mj-head><mj-body>\
    <mj-section><mj-column><mj-text>{{ slot.body }}</mj-text></mj-column></mj-section></mj-body></mjml>";

fn draft(subject: &str, body: &str) -> Draft {
    Draft {
        default_language: "en".to_owned(),
        layout: LAYOUT.to_owned(),
        words: vec![Words {
            language: "en".to_owned(),
            subject: subject.to_owned(),
            preheader: "Hi {{ given_name | default: 'there' }}".to_owned(),
            slots: BTreeMap::from([("body".to_owned(), body.to_owned())]),
            text: None,
        }],
    }
}

fn private() -> PrivateWords {
    PrivateWords::named(["Cardiology", "heart care", "Wound Desk"])
}

fn compiled(subject: &str, body: &str) -> Content {
    compile(&draft(subject, body), &private()).unwrap()
}

/// The rules for which a draft is not kept, with the words that they point at.
fn refused(draft: &Draft) -> Vec<(&'static str, String)> {
    let findings = compile(draft, &private()).err().unwrap_or_default();
    findings
        .iter()
        .map(|finding| {
            let source = match &finding.part {
                Part::Layout => draft.layout.as_str(),
                Part::Subject => &draft.words[0].subject,
                Part::Preheader => &draft.words[0].preheader,
                Part::Slot(name) => &draft.words[0].slots[name],
                Part::Text => draft.words[0].text.as_deref().unwrap_or_default(),
            };
            let length = finding.end - finding.start;
            (
                finding.rule,
                source.chars().skip(finding.start).take(length).collect(),
            )
        })
        .collect()
}

fn render(content: &Content, facts: &MailFacts<'_>) -> Rendered {
    Renderer::default()
        .render_body(&content.bodies.0[0], facts)
        .unwrap()
}

#[test]
fn slots_become_paragraphs_lists_bold_and_links_in_both_parts() {
    let content = compiled(
        "Hello",
        "Dear {{ given_name | default: \"reader\" }},\n\n- **one**\n- two\n\n[Our page](https://h.example.edu/visit)",
    );
    let mail = render(&content, &sample::everything_known());
    assert!(mail.html.contains("<html lang=\"en\""), "{}", mail.html);
    assert!(mail.html.contains(">Dear Alex,</p>"), "{}", mail.html);
    assert!(
        mail.html.contains("<li><strong>one</strong></li><li>two</li>"),
        "{}",
        mail.html
    );
    assert!(
        mail.html.contains("<a href=\"https://h.example.edu/visit\""),
        "{}",
        mail.html
    );
    assert!(!mail.html.contains("fonts.googleapis"), "{}", mail.html);
    assert_eq!(
        mail.text,
        "Dear Alex,\n\n- one\n- two\n\nOur page <https://h.example.edu/visit>"
    );
}

#[test]
fn neither_an_editors_nor_a_persons_words_become_markup() {
    let content = compiled(
        "Hello {{ given_name }}!",
        "<b>{{ given_name }}</b> \"&\" {{ family_name }}",
    );
    let facts = MailFacts {
        given_name: "<img src=x>\r\nBcc: a@example.org",
        ..sample::everything_known()
    };
    let mail = render(&content, &facts);
    assert_eq!(mail.subject, "Hello <img src=x> Bcc: a@example.org!");
    assert!(mail.html.contains("&lt;b&gt;&lt;img src=x&gt;"), "{}", mail.html);
    assert!(!mail.html.contains("<img"), "{}", mail.html);
}

#[test]
fn a_subject_a_preheader_or_an_address_that_tells_too_much_is_not_kept() {
    let body = "Call us.";
    let cases = [
        (
            draft("Your {{ service_line_name }} visit", body),
            "private-field",
            "{{ service_line_name }}",
        ),
        (
            draft("{% if team_name %}Hello{% endif %} you", body),
            "private-field",
            "{% if team_name %}",
        ),
        (
            draft("See you {{ appointment_at }}", body),
            "private-field",
            "{{ appointment_at }}",
        ),
        (
            draft("About your cardiology visit", body),
            "private-word",
            "cardiology",
        ),
        (
            draft("The wound desk answers", body),
            "private-word",
            "wound desk",
        ),
        (
            draft("Time for your colonoscopy", body),
            "private-word",
            "colonoscopy",
        ),
        (draft("Hello\r\nBcc: a", body), "characters", "\r"),
        (
            draft("Hello", "[x](https://h.example.edu/?n={{ given_name }})"),
            "private-field",
            "{{ given_name }}",
        ),
        (
            draft("Hello", "[x](https://h.example.edu/c%61rdiology)"),
            "private-word",
            "https://h.example.edu/c%61rdiology",
        ),
        (
            draft(
                "Hello",
                "{% if service_line_name == \"A\" %}[x](https://h.example.edu/a){% endif %} b",
            ),
            "private-field",
            "https://h.example.edu/a",
        ),
        (
            draft("Hello", "[x](javascript:alert)"),
            "link",
            "javascript:alert",
        ),
        (draft("Hello", "{{ answers }}"), "liquid", "{{ answers }}"),
    ];
    for (draft, rule, words) in cases {
        let found = refused(&draft);
        assert_eq!(
            found.first().map(|(rule, at)| (*rule, at.as_str())),
            Some((rule, words)),
            "{found:?}"
        );
    }
    let mut in_preheader = draft("Hello", body);
    in_preheader.words[0].preheader = "Your chemotherapy".to_owned();
    assert_eq!(
        refused(&in_preheader),
        [("private-word", "chemotherapy".to_owned())]
    );
    // What may stand in the body, and what looks private and is not.
    assert!(
        refused(&draft(
            "{{ given_name | default: \"Hello\" }}",
            "Your {{ service_line_name }} visit"
        ))
        .is_empty()
    );
}

#[test]
fn a_layout_fetches_nothing_and_runs_nothing() {
    for (layout, rule) in [
        (
            "<mjml><mj-body><mj-include path=\"/etc/passwd\" /></mj-body></mjml>",
            "element",
        ),
        (
            "<mjml><mj-body><mj-raw><script>x</script></mj-raw></mj-body></mjml>",
            "element",
        ),
        (
            "<mjml><mj-body><mj-raw><p onclick=\"x\">x</p></mj-raw></mj-body></mjml>",
            "element",
        ),
    ] {
        let draft = Draft {
            layout: layout.to_owned(),
            ..draft("Hello", "x")
        };
        assert_eq!(
            refused(&draft).first().map(|(rule, _)| *rule),
            Some(rule),
            "{layout}"
        );
    }
}

#[test]
fn the_digest_changes_with_every_letter() {
    let one = compiled("Hello", "Call us.");
    assert_eq!(one.sha256, compiled("Hello", "Call us.").sha256);
    for other in [compiled("Hella", "Call us."), compiled("Hello", "Call us!")] {
        assert_ne!(one.sha256, other.sha256);
    }
}

#[test]
fn the_catalog_and_the_values_know_the_same_names() {
    let mut known: Vec<String> = values(&sample::everything_known(), "en", str::to_owned)
        .keys()
        .map(|key| key.to_string())
        .collect();
    known.sort_unstable();
    let catalog: Vec<&str> = catalog::CATALOG.iter().map(|(_, name, _)| *name).collect();
    assert_eq!(known, catalog);
}
