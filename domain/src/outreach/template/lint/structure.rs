//! What a mail must have whatever it says: a next step, an address, a way to unsubscribe, images with texts, links that
//! lead somewhere, words for people of whom little is known.

#[cfg(test)]
mod tests;

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
use super::super::tokens::{Break, tokens};
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
/// Verbs that tell the reader to do something, where they begin a sentence or follow "please", "you can" and the like.
const TOLD: [&str; 34] = [
    "call",
    "phone",
    "dial",
    "text",
    "reply",
    "write",
    "email",
    "mail",
    "book",
    "schedule",
    "reschedule",
    "visit",
    "click",
    "tap",
    "press",
    "come",
    "stop",
    "bring",
    "contact",
    "reach",
    "answer",
    "choose",
    "pick",
    "register",
    "sign",
    "tell",
    "ask",
    "send",
    "confirm",
    "let",
    "join",
    "drop",
    "see",
    "use",
];
/// Words after which such a verb is meant for the reader.
const BEFORE_TOLD: [&str; 13] = [
    "please", "can", "may", "to", "and", "or", "just", "simply", "then", "always", "also", "rather", "us",
];
/// Phrases that say what comes next, wherever they stand, in English and Spanish.
const NEXT_STEPS: [&str; 48] = [
    "call us",
    "call me",
    "nothing to do",
    "nothing else",
    "need to do",
    "nothing you need",
    "no action",
    "be in touch",
    "get in touch",
    "we will call",
    "we'll call",
    "will call",
    "calls you",
    "call you back",
    "find a time",
    "let us know",
    "llame",
    "llamenos",
    "llamar",
    "llamarnos",
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
    "oprima",
    "presione",
    "venga",
    "acuda",
    "traiga",
    "escriba",
    "escribanos",
    "contacte",
    "contactenos",
    "confirme",
    "diganos",
    "avisenos",
    "pregunte",
    "elija",
    "no tiene que",
    "no necesita hacer",
    "le llamara",
    "le llamaremos",
];

/// Everything about a version as a whole.
pub(super) fn check(content: &Content, purpose: Purpose) -> Vec<Finding> {
    let mut findings = layout(content);
    for body in &content.bodies.0 {
        findings.extend(outcome(content, body, purpose));
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
fn outcome(content: &Content, body: &Body, purpose: Purpose) -> Vec<Finding> {
    let layout = Place {
        part: Part::Layout,
        language: None,
        source: &content.layout,
    };
    let mut findings: Vec<Finding> = Vec::new();
    let mut miss = |place: &Place<'_>, rule, severity, advice: &'static str| {
        let finding = place.finding(rule, severity, place.whole(), advice);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    };
    for facts in sample::both() {
        let Ok(mail) = Renderer::default().render_body(body, &facts) else {
            continue;
        };
        // What the HTML has not, the layout has not; what only the text has not, somebody left out of it.
        let place_of = |needed: &str| match (mail.html.contains(needed), mail.text.contains(needed)) {
            (true, true) => None,
            (true, false) if body.written_text.is_some() => Some(words_of(body)),
            _ => Some(layout.clone()),
        };
        if purpose == Purpose::Marketing {
            if let Some(place) = place_of(sample::UNSUBSCRIBE_URL) {
                let advice = "Promotional mail must show {{ unsubscribe_url }} to everybody, in both parts.";
                miss(&place, "unsubscribe", Severity::Error, advice);
            }
            if let Some(place) = place_of(sample::POSTAL_ADDRESS) {
                let advice = "Promotional mail must show {{ postal_address }} to everybody, in both parts (16 CFR 316.5).";
                miss(&place, "postal-address", Severity::Error, advice);
            }
        }
        if !has_next_step(&mail.text) {
            let severity = match purpose {
                Purpose::Marketing => Severity::Error,
                _ => Severity::Warning,
            };
            let advice = "Say what to do next: whom to call, where to reply, or that nothing has to be done.";
            miss(&words_of(body), "next-step", severity, advice);
        }
    }
    findings
}

/// The words that a body mainly is: the text that somebody wrote, else its longest slot.
fn words_of(body: &Body) -> Place<'_> {
    let place = |part, source| Place {
        part,
        language: Some(body.language.as_str()),
        source,
    };
    if let Some(text) = &body.written_text {
        return place(Part::Text, text.as_str());
    }
    let longest = body.slots.iter().max_by_key(|(_, source)| source.len());
    longest.map_or(place(Part::Text, ""), |(name, source)| {
        place(Part::Slot(name.clone()), source)
    })
}

/// Whether a text says what to do next. The way out of the mail is no step.
fn has_next_step(text: &str) -> bool {
    let ways_out = [sample::UNSUBSCRIBE_URL, sample::PREFERENCES_URL];
    let links_on = urls::find(text, &[])
        .into_iter()
        .any(|at| !ways_out.iter().any(|way| text[at.clone()].contains(way)));
    let tokens = tokens(text);
    let is_told = tokens.iter().enumerate().any(|(at, token)| {
        TOLD.contains(&token.folded.as_str())
            // "Call 911" is in the small print of many layouts and is no step of this mail.
            && tokens.get(at + 1).is_none_or(|next| next.folded != "911")
            && (token.break_before > Break::None
                || at == 0
                || BEFORE_TOLD.contains(&tokens[at - 1].folded.as_str()))
    });
    let words: Vec<&str> = tokens.iter().map(|token| token.folded.as_str()).collect();
    let joined = format!(" {} ", words.join(" ")).replace(" llame al 911 ", " ");
    links_on
        || is_told
        || NEXT_STEPS
            .iter()
            .any(|step| joined.contains(&format!(" {step} ")))
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
        .filter(|piece| piece.kind == Kind::Output && !has_stand_in(&place.source[piece.at.clone()]))
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

/// Whether an output says what stands there when its field is empty.
fn has_stand_in(output: &str) -> bool {
    let quoted = output
        .split_once('|')
        .and_then(|(_, filter)| filter.split_once(['"', '\'']));
    quoted.is_some_and(|(_, rest)| !rest.trim_start().starts_with(['"', '\'']))
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
