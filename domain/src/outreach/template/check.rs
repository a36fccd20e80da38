//! What a template version must fulfil before it is kept.

use chrono::TimeZone;
use entity::enums::Purpose;

use super::language::{Wrong, scan};
use super::{
    Compiled, MAX_HTML_BYTES, MAX_TEXT_BYTES, MailFacts, Renderer, TemplateFault, escape, fill, values,
};
use crate::error::{Code, Refusal};

/// Longest source of a subject, in characters.
const MAX_SUBJECT_SOURCE_CHARS: usize = 500;
/// Largest source of the HTML and of the text part, in bytes.
const MAX_SOURCE_BYTES: usize = 100 * 1024;

/// Variables that would tell a health interest where anybody can read it: a subject is shown on locked screens and kept
/// in the logs of mail servers.
const NEVER_IN_SUBJECT: [&str; 2] = ["service_line_name", "team_name"];

/// Values of a try-out that occur nowhere else.
const TRIED_URL: &str = "https://example.org/u/tried-url";
const TRIED_ADDRESS: &str = "1 Tried Street, Springfield";

/// Everything that is wrong with a template version of this purpose; nothing when it may be kept.
///
/// It must be in the language and name only variables that exist; the subject may name no service. Promotional mail must
/// show the hospital's postal address and the unsubscribe link (16 CFR 316.5) in both parts, in every case, not only
/// inside a branch.
#[must_use]
pub fn check(subject: &str, html: &str, text: &str, purpose: Purpose) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (field, source) in [("subject", subject), ("html", html), ("text", text)] {
        refusals.extend(check_source(field, source));
    }
    if !refusals.is_empty() {
        return refusals;
    }
    match Renderer::default().compile(subject, html, text) {
        Ok(compiled) => check_outcome(&compiled, purpose),
        Err(_) => {
            let parser = super::language::parser();
            [("subject", subject), ("html", html), ("text", text)]
                .into_iter()
                .filter(|(_, source)| parser.parse(source).is_err())
                .map(|(field, _)| Refusal::new(Code::Invalid, field, "This is not well-formed Liquid."))
                .collect()
        }
    }
}

fn check_source(field: &'static str, source: &str) -> Option<Refusal> {
    let too_large = match field {
        "subject" => source.chars().count() > MAX_SUBJECT_SOURCE_CHARS,
        _ => source.len() > MAX_SOURCE_BYTES,
    };
    if too_large {
        return Some(Refusal::new(Code::TooLarge, field, "This is too long."));
    }
    if source.trim().is_empty() {
        return Some(Refusal::new(
            Code::Required,
            field,
            "A mail has a subject, an HTML part and a text part.",
        ));
    }
    if field == "subject" && source.chars().any(char::is_control) {
        let message = "A subject is one line, without control characters.";
        return Some(Refusal::new(Code::Invalid, field, message));
    }
    match scan(source) {
        Err(wrong) => Some(Refusal::new(Code::Invalid, field, sentence(wrong))),
        Ok(named) if field == "subject" && NEVER_IN_SUBJECT.iter().any(|name| named.contains(name)) => {
            let message = "A subject may not name a service or a team: it is shown where others can read it.";
            Some(Refusal::new(Code::Invalid, field, message))
        }
        Ok(_) => None,
    }
}

const fn sentence(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Unclosed => "A brace or a quote is opened and not closed.",
        Wrong::Tag => "Only if, unless and case can be used here.",
        Wrong::Filter => "Only the filter default can be used here.",
        Wrong::Variable => {
            "A name is not known here. Known are: given_name, family_name, facility_name, facility_phone, \
             service_line_name, appointment_at, unsubscribe_url, preferences_url, postal_address, hospital_name, \
             team_name."
        }
        Wrong::Depth => "Blocks are nested too deep.",
    }
}

/// Fills the template in twice, with everything known and with as little as possible, and looks at what comes out.
fn check_outcome(compiled: &Compiled, purpose: Purpose) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut refuse = |code, field: &str, message: &'static str| {
        let refusal = Refusal::new(code, field, message);
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    };
    for facts in [everything_known(), little_known()] {
        let plain = values(&facts, str::to_owned);
        let parts = [
            ("subject", fill(&compiled.subject, &plain, MAX_TEXT_BYTES)),
            (
                "html",
                fill(&compiled.html, &values(&facts, escape), MAX_HTML_BYTES),
            ),
            ("text", fill(&compiled.text, &plain, MAX_TEXT_BYTES)),
        ];
        for (field, part) in parts {
            match part {
                Err(TemplateFault::TooLarge) => refuse(Code::TooLarge, field, "The mail would be too large."),
                Err(_) => refuse(Code::Invalid, field, "This cannot be filled in."),
                Ok(part) if part.trim().is_empty() => {
                    refuse(Code::Required, field, "This can come out empty.")
                }
                Ok(part) if field != "subject" && purpose == Purpose::Marketing => {
                    if !part.contains(TRIED_URL) {
                        refuse(
                            Code::Required,
                            field,
                            "Promotional mail must always show {{ unsubscribe_url }}.",
                        );
                    }
                    if !part.contains(TRIED_ADDRESS) {
                        refuse(
                            Code::Required,
                            field,
                            "Promotional mail must always show {{ postal_address }}.",
                        );
                    }
                }
                Ok(_) => {}
            }
        }
    }
    refusals
}

fn everything_known() -> MailFacts<'static> {
    MailFacts {
        given_name: "Pat",
        family_name: "Doe",
        facility_name: "Riverside",
        facility_phone: "+12025550143",
        service_line_name: Some("Cardiology"),
        appointment_at: chrono_tz::America::New_York
            .with_ymd_and_hms(2026, 12, 1, 14, 30, 0)
            .single(),
        ..little_known()
    }
}

fn little_known() -> MailFacts<'static> {
    MailFacts {
        given_name: "",
        family_name: "",
        facility_name: "",
        facility_phone: "",
        service_line_name: None,
        appointment_at: None,
        unsubscribe_url: TRIED_URL,
        preferences_url: "https://example.org/p/tried",
        postal_address: TRIED_ADDRESS,
        hospital_name: "The hospital",
        team_name: "Intake",
    }
}
