//! What a mail must have whatever it says: a next step, an address, a way to unsubscribe, images with texts, links that
//! lead somewhere, words for people of whom little is known.

use email_address::EmailAddress;
use entity::enums::Purpose;
use entity::template_version::Body;
use htmlparser::{ElementEnd, Token, Tokenizer};
use url::{Host, Url};

use super::super::catalog::Field;
use super::super::compile::Content;
use super::super::finding::{Finding, Part, Place, Severity};
use super::super::frame::Frame;
use super::super::language::{Kind, Piece};
use super::super::private::PrivateWords;
use super::super::tokens::tokens;
use super::super::urls::{self, conditions_at};
use super::super::{Renderer, sample};

/// Hosts that stand for "to be filled in".
const PLACEHOLDER_HOSTS: [&str; 10] = [
    "example.com",
    "example.org",
    "example.net",
    "localhost",
    "yourdomain",
    "yoursite",
    "yourhospital",
    "your-hospital",
    "your-site",
    "placeholder",
];
/// Words that say what to do next, in English and Spanish, as they begin.
const NEXT_STEPS: [&str; 66] = [
    "call",
    "phone",
    "dial",
    "reply",
    "write",
    "email",
    "book",
    "schedule",
    "reschedule",
    "visit",
    "click",
    "tap",
    "come",
    "stop by",
    "bring",
    "contact",
    "reach",
    "answer",
    "choose",
    "pick",
    "register",
    "sign up",
    "tell us",
    "ask us",
    "ask your",
    "send",
    "confirm",
    "let us know",
    "join",
    "drop in",
    "nothing to do",
    "nothing else",
    "need to do",
    "no action",
    "will be in touch",
    "we will call",
    "will call",
    "calls you",
    "get in touch",
    "find a time",
    "llame",
    "llamenos",
    "llamar",
    "responda",
    "responder",
    "reserve",
    "reservar",
    "agende",
    "agendar",
    "programe",
    "visite",
    "visitenos",
    "haga clic",
    "venga",
    "acuda",
    "traiga",
    "escriba",
    "escribanos",
    "contacte",
    "contactenos",
    "confirme",
    "diganos",
    "pregunte",
    "no tiene que",
    "no necesita hacer",
    "le llamara",
];

/// Everything about a version as a whole.
pub(super) fn check(content: &Content, purpose: Purpose) -> Vec<Finding> {
    let mut findings = layout(content);
    for body in &content.bodies.0 {
        findings.extend(outcome(body, purpose));
    }
    findings
}

fn layout(content: &Content) -> Vec<Finding> {
    let place = Place {
        part: Part::Layout,
        language: None,
        source: &content.layout,
    };
    let Ok(frame) = Frame::read(&content.layout, &PrivateWords::named([])) else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = frame
        .images_without_alt
        .iter()
        .map(|at| {
            let advice = "Give the image an alt text: many people never see images, some cannot.";
            place.finding("image-alt", Severity::Error, at.clone(), advice)
        })
        .collect();
    if !frame.has_language {
        let advice =
            "Begin with <mjml lang=\"{{ language }}\">, so that screen readers speak the right language.";
        findings.push(place.finding("language", Severity::Warning, 0..0, advice));
    }
    for url in &frame.urls {
        findings.extend(link(&place, url.clone()));
    }
    findings
}

/// What comes out for a person of whom everything is known, and for one of whom nearly nothing is.
fn outcome(body: &Body, purpose: Purpose) -> Vec<Finding> {
    let place = |source| Place {
        part: Part::Text,
        language: Some(body.language.as_str()),
        source,
    };
    let mut findings = Vec::new();
    for facts in sample::both() {
        let Ok(mail) = Renderer::default().render_body(body, &facts) else {
            continue;
        };
        let mut miss = |rule, severity, advice: &'static str| {
            let finding = place("").finding(rule, severity, 0..0, advice);
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        };
        if purpose == Purpose::Marketing {
            if [&mail.html, &mail.text]
                .iter()
                .any(|part| !part.contains(sample::UNSUBSCRIBE_URL))
            {
                let advice = "Promotional mail must show {{ unsubscribe_url }} to everybody, in both parts.";
                miss("unsubscribe", Severity::Error, advice);
            }
            if [&mail.html, &mail.text]
                .iter()
                .any(|part| !part.contains(sample::POSTAL_ADDRESS))
            {
                let advice = "Promotional mail must show {{ postal_address }} to everybody, in both parts (16 CFR 316.5).";
                miss("postal-address", Severity::Error, advice);
            }
        }
        if !has_next_step(&mail.text) {
            let severity = match purpose {
                Purpose::Marketing => Severity::Error,
                _ => Severity::Warning,
            };
            let advice = "Say what to do next: whom to call, where to reply, or that nothing has to be done.";
            miss("next-step", severity, advice);
        }
    }
    findings
}

fn has_next_step(text: &str) -> bool {
    let links_on = urls::find(text, &[])
        .into_iter()
        .any(|at| !text[at].contains(sample::UNSUBSCRIBE_URL));
    let words: Vec<String> = tokens(text).into_iter().map(|token| token.folded).collect();
    let joined = format!(" {}", words.join(" "));
    // "Call 911" is in the small print of many layouts and is no step of this mail.
    let joined = joined.replace("call 911", "").replace("llame al 911", "");
    links_on || NEXT_STEPS.iter().any(|step| joined.contains(&format!(" {step}")))
}

/// Links of words.
pub(super) fn links(place: &Place<'_>, pieces: &[Piece<'_>]) -> Vec<Finding> {
    urls::find(place.source, pieces)
        .into_iter()
        .filter_map(|at| link(place, at))
        .collect()
}

fn link(place: &Place<'_>, at: std::ops::Range<usize>) -> Option<Finding> {
    let source = place.source[at.clone()].trim();
    let advice = if source.contains("{{") {
        None
    } else {
        wrong_link(source)
    };
    advice.map(|advice| place.finding("link", Severity::Error, at, advice))
}

fn wrong_link(source: &str) -> Option<&'static str> {
    let with_scheme = if source.to_ascii_lowercase().starts_with("www.") {
        format!("https://{source}")
    } else {
        source.to_owned()
    };
    let Ok(url) = Url::parse(&with_scheme) else {
        return Some("This address cannot be read. Write it in full, beginning with https://.");
    };
    match url.scheme() {
        "https" => match url.host() {
            Some(Host::Domain(host)) if is_placeholder(host) => {
                Some("This address is a placeholder. Put in the real one.")
            }
            Some(Host::Domain(host)) if host.contains('.') => None,
            _ => Some("This address has no host that people can reach."),
        },
        "http" => Some("Use https: what is read over http can be read and changed on the way."),
        "mailto" if !EmailAddress::is_valid(url.path()) => Some("This is not an email address."),
        "tel" if url.path().chars().filter(char::is_ascii_digit).count() < 3 => {
            Some("This is not a phone number.")
        }
        "mailto" | "tel" => None,
        _ => Some("A mail may link to https, mailto and tel addresses."),
    }
}

fn is_placeholder(host: &str) -> bool {
    let host = host.trim_start_matches("www.");
    PLACEHOLDER_HOSTS.iter().any(|word| {
        host == *word || host.ends_with(&format!(".{word}")) || host.split('.').any(|label| label == *word)
    }) || host
        .split('.')
        .any(|label| matches!(label, "todo" | "tbd" | "xxx"))
}

/// Fields that may be empty and have nothing in their place.
pub(super) fn bare_fields(place: &Place<'_>, pieces: &[Piece<'_>]) -> Vec<Finding> {
    pieces
        .iter()
        .filter(|piece| piece.kind == Kind::Output && !place.source[piece.at.clone()].contains('|'))
        .filter_map(|piece| {
            let field = piece.fields.first().copied().filter(|field| may_be_empty(*field))?;
            if conditions_at(pieces, piece.at.start).contains(&field) {
                return None;
            }
            let name = field.name();
            let advice = format!(
                "{name} is empty for some people. Write {{{{ {name} | default: \"…\" }}}} or put it inside of {{% if {name} %}}."
            );
            Some(place.finding("missing-value", Severity::Warning, piece.at.clone(), advice))
        })
        .collect()
}

const fn may_be_empty(field: Field) -> bool {
    matches!(
        field,
        Field::GivenName
            | Field::FamilyName
            | Field::FacilityPhone
            | Field::ServiceLineName
            | Field::AppointmentAt
    )
}

/// A layout with everything blank but the words that a reader sees. Every byte keeps its place.
pub(super) fn shown(source: &str, pieces: &[Piece<'_>]) -> String {
    let blanked: String = pieces
        .iter()
        .map(|piece| match piece.kind {
            Kind::Text => source[piece.at.clone()].to_owned(),
            _ => " ".repeat(piece.at.len()),
        })
        .collect();
    let mut shown = vec![b' '; source.len()];
    let mut open: Vec<String> = Vec::new();
    let mut tag = String::new();
    for token in Tokenizer::from(blanked.as_str()).map_while(Result::ok) {
        match token {
            Token::ElementStart { local, span, .. } => {
                tag = local.as_str().to_owned();
                // Words of different elements are different sentences.
                shown[span.start()] = b'\n';
            }
            Token::ElementEnd {
                end: ElementEnd::Open,
                ..
            } => open.push(tag.clone()),
            Token::ElementEnd {
                end: ElementEnd::Close(..),
                ..
            } => drop(open.pop()),
            Token::Attribute {
                local,
                value: Some(value),
                ..
            } if matches!(local.as_str(), "alt" | "title") => {
                shown[value.range()].copy_from_slice(value.as_str().as_bytes());
            }
            Token::Text { text }
                if !open
                    .iter()
                    .any(|tag| matches!(tag.as_str(), "mj-style" | "style")) =>
            {
                shown[text.range()].copy_from_slice(text.as_str().as_bytes());
            }
            _ => {}
        }
    }
    String::from_utf8(shown).unwrap_or_default()
}
