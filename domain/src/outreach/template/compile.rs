//! From what people write to what mails are made of: once, when a version is kept.
//!
//! Each body's words go into the slots of the layout, the whole is compiled from MJML to HTML, and the plain-text part is
//! derived unless somebody wrote it. Liquid stays in the result; only it runs when a mail is sent.

use std::collections::{BTreeMap, BTreeSet};

use entity::template_version::{Bodies, Body};
use mrml::prelude::parser::ParserOptions;
use mrml::prelude::render::RenderOptions;

use super::catalog::Field;
use super::finding::{Finding, Part, Place, Severity};
use super::frame::{Frame, Use};
use super::language::{Piece, scan};
use super::private::PrivateWords;
use super::shield::{Shield, TAKEN, is_taken};
use super::tokens::is_invisible;
use super::words::{Room, markup};
use super::{MAX_HTML_BYTES, MAX_TEXT_BYTES, MailFacts, Renderer, TemplateFault, plain, sample, seal, urls};

/// Longest source of a subject and of a preheader, in characters.
const MAX_LINE_CHARS: usize = 500;
/// Largest source of a layout, a slot or a text, in bytes.
const MAX_SOURCE_BYTES: usize = 64 * 1024;
/// Most languages of a version.
pub const MAX_LANGUAGES: usize = 12;

/// The words of a mail in one language, as people write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// A BCP 47 tag.
    pub language: String,
    /// Liquid source of the subject.
    pub subject: String,
    /// Liquid source of the line beside the subject; may be empty.
    pub preheader: String,
    /// The slots of the layout, by name.
    pub slots: BTreeMap<String, String>,
    /// The plain-text part; none to derive it.
    pub text: Option<String>,
}

impl Words {
    /// The words of a body.
    #[must_use]
    pub fn of(body: &Body) -> Self {
        Self {
            language: body.language.clone(),
            subject: body.subject.clone(),
            preheader: body.preheader.clone(),
            slots: body.slots.clone(),
            text: body.written_text.clone(),
        }
    }
}

/// A version as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The language of those whose own is not there.
    pub default_language: String,
    /// MJML source of the frame.
    pub layout: String,
    /// The words, one a language.
    pub words: Vec<Words>,
}

/// A version that can be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The language of those whose own is not there.
    pub default_language: String,
    /// MJML source of the frame.
    pub layout: String,
    /// The words and what they were compiled to, in the order of their languages.
    pub bodies: Bodies,
    /// The digest of all of it.
    pub sha256: String,
}

impl Content {
    /// What people wrote of it.
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft {
            default_language: self.default_language.clone(),
            layout: self.layout.clone(),
            words: self.bodies.0.iter().map(Words::of).collect(),
        }
    }
}

/// Compiles a draft, or tells everything for which it cannot be kept.
///
/// # Errors
/// Findings, all of [`Severity::Refused`].
pub fn compile(draft: &Draft, private: &PrivateWords) -> Result<Content, Vec<Finding>> {
    let layout = Place {
        part: Part::Layout,
        language: None,
        source: &draft.layout,
    };
    if draft.layout.len() > MAX_SOURCE_BYTES {
        return Err(vec![layout.refused("too-long", 0..0, "This is too long.")]);
    }
    let frame = Frame::read(&draft.layout, private)?;
    let mut findings = languages(draft, &layout);
    let mut bodies = Vec::with_capacity(draft.words.len());
    for words in &draft.words {
        match body(&frame, words, private) {
            Ok(body) => bodies.push(body),
            Err(wrong) => findings.extend(wrong),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    bodies.sort_by(|a, b| a.language.cmp(&b.language));
    let default_language = tag(&draft.default_language);
    Ok(Content {
        sha256: seal::digest(&default_language, &draft.layout, &bodies),
        default_language,
        layout: draft.layout.clone(),
        bodies: Bodies(bodies),
    })
}

/// A language tag as it is kept.
fn tag(language: &str) -> String {
    language.trim().replace('_', "-").to_ascii_lowercase()
}

fn languages(draft: &Draft, layout: &Place<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    let mut refuse = |rule, advice: &'static str| findings.push(layout.refused(rule, 0..0, advice));
    if draft.words.len() > MAX_LANGUAGES {
        refuse("too-long", "A template has at most 12 languages.");
    }
    for words in &draft.words {
        let tag = tag(&words.language);
        let fits = (2..=35).contains(&tag.len())
            && tag
                .split('-')
                .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric()));
        if !fits {
            refuse("language", "Write a language tag, for example en or es.");
        }
        if !seen.insert(tag) {
            refuse("language", "A language has one body.");
        }
    }
    if !seen.contains(&tag(&draft.default_language)) {
        refuse("language", "There must be a body in the default language.");
    }
    findings
}

fn body(frame: &Frame<'_>, words: &Words, private: &PrivateWords) -> Result<Body, Vec<Finding>> {
    let language = tag(&words.language);
    let place = |part, source| Place {
        part,
        language: Some(&language),
        source,
    };
    let mut findings = Vec::new();
    let subject = place(Part::Subject, &words.subject);
    let preheader = place(Part::Preheader, &words.preheader);
    findings.extend(preview_line(&subject, private));
    if !words.preheader.trim().is_empty() {
        findings.extend(preview_line(&preheader, private));
        if !frame.has_preheader() {
            let advice =
                "The layout has no place for it. Put <mj-preview>{{ preheader }}</mj-preview> into its head.";
            findings.push(preheader.refused("slot", preheader.whole(), advice));
        }
    }
    for (name, source) in &words.slots {
        let at = place(Part::Slot(name.clone()), source);
        match frame.slots().find(|(slot, _)| slot == name) {
            Some((_, uses)) => findings.extend(slot(&at, uses, private)),
            None => findings.push(at.refused("slot", at.whole(), "The layout has no such slot.")),
        }
    }
    for (name, _) in frame.slots().filter(|(name, _)| !words.slots.contains_key(*name)) {
        findings.push(place(Part::Slot(name.to_owned()), "").refused(
            "empty",
            0..0,
            "Fill this slot of the layout.",
        ));
    }
    if let Some(text) = &words.text {
        findings.extend(running_words(&place(Part::Text, text), &BTreeSet::new(), private));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let filled = fill(frame, words, &language).map_err(|finding| vec![finding])?;
    let body = Body {
        subject: words.subject.trim().to_owned(),
        preheader: words.preheader.trim().to_owned(),
        slots: words.slots.clone(),
        written_text: words.text.clone(),
        html: filled.0,
        text: words.text.clone().unwrap_or(filled.1),
        language: language.clone(),
    };
    let findings = outcome(&body, private);
    if findings.is_empty() {
        Ok(body)
    } else {
        Err(findings)
    }
}

/// What is wrong with a subject or a preheader.
fn preview_line(place: &Place<'_>, private: &PrivateWords) -> Vec<Finding> {
    let source = place.source;
    if source.chars().count() > MAX_LINE_CHARS {
        return vec![place.refused("too-long", 0..0, "This is too long.")];
    }
    if source.trim().is_empty() {
        return vec![place.refused("empty", 0..0, "A mail has a subject.")];
    }
    if is_taken(source) {
        return vec![place.refused("characters", 0..0, TAKEN)];
    }
    let mut findings: Vec<Finding> = source
        .char_indices()
        .filter(|(_, c)| c.is_control() || is_invisible(*c))
        .map(|(at, c)| {
            let advice = "Line ends, control characters and invisible characters cannot stand here.";
            place.refused("characters", at..at + c.len_utf8(), advice)
        })
        .collect();
    match scan(source) {
        Err((wrong, at)) => findings.push(place.refused("liquid", at, wrong.advice())),
        Ok(pieces) => {
            for piece in &pieces {
                if let Some(field) = piece.fields.iter().find(|field| !field.places().preview) {
                    let advice = format!(
                        "{} cannot stand here, nor can what depends on it: this line is read on locked screens. Say it in the body.",
                        field.name()
                    );
                    findings.push(place.refused("private-field", piece.at.clone(), advice));
                }
            }
        }
    }
    findings.extend(private.findings(place, place.whole()));
    for url in urls::find(source, &[]) {
        findings.push(place.refused("link", url, "An address cannot stand here."));
    }
    findings
}

fn slot(place: &Place<'_>, uses: &[Use], private: &PrivateWords) -> Vec<Finding> {
    let outer: BTreeSet<Field> = uses
        .iter()
        .flat_map(|place| place.conditions.iter().copied())
        .collect();
    let mut findings = running_words(place, &outer, private);
    if findings.is_empty()
        && uses.iter().any(|place| place.is_url)
        && let Ok(pieces) = scan(place.source)
    {
        findings.extend(urls::check(
            place,
            &pieces,
            trimmed(place.source),
            &outer,
            private,
        ));
    }
    findings
}

/// The range of a source without blanks around it.
fn trimmed(source: &str) -> std::ops::Range<usize> {
    let start = source.len() - source.trim_start().len();
    start..start + source.trim().len()
}

/// What is wrong with words of the body.
fn running_words(place: &Place<'_>, outer: &BTreeSet<Field>, private: &PrivateWords) -> Vec<Finding> {
    let source = place.source;
    if source.len() > MAX_SOURCE_BYTES {
        return vec![place.refused("too-long", 0..0, "This is too long.")];
    }
    if source.trim().is_empty() {
        return vec![place.refused("empty", 0..0, "This must not be empty.")];
    }
    if is_taken(source) {
        return vec![place.refused("characters", 0..0, TAKEN)];
    }
    let unreadable = |c: char| (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || is_invisible(c);
    if let Some((at, c)) = source.char_indices().find(|(_, c)| unreadable(*c)) {
        let advice = "Control characters and invisible characters cannot stand here.";
        return vec![place.refused("characters", at..at + c.len_utf8(), advice)];
    }
    match scan(source) {
        Err((wrong, at)) => vec![place.refused("liquid", at, wrong.advice())],
        Ok(pieces) => urls::find(source, &pieces)
            .into_iter()
            .flat_map(|url| urls::check(place, &pieces, url, outer, private))
            .collect(),
    }
}

/// The HTML and the derived text of a body, with Liquid in them.
fn fill(frame: &Frame<'_>, words: &Words, language: &str) -> Result<(String, String), Finding> {
    let refuse = |advice: &'static str| Finding {
        rule: "mjml",
        severity: Severity::Refused,
        part: Part::Layout,
        language: None,
        start: 0,
        end: 0,
        advice: advice.into(),
    };
    let scanned: BTreeMap<&str, (&str, Vec<Piece<'_>>)> = words
        .slots
        .iter()
        .map(|(name, source)| (name.as_str(), (source.as_str(), scan(source).unwrap_or_default())))
        .collect();
    let preheader = scan(&words.preheader).unwrap_or_default();
    let mut shield = Shield::default();
    let mjml = frame.filled(&mut shield, |name, room, shield| match name {
        "language" => super::escape(language),
        "preheader" => markup(&words.preheader, &preheader, Room::Plain, shield),
        slot => slot
            .strip_prefix("slot.")
            .and_then(|slot| scanned.get(slot))
            .map(|(source, pieces)| markup(source, pieces, room, shield))
            .unwrap_or_default(),
    });
    let parsed = mrml::parse_with_options(&mjml, &ParserOptions::default()).map_err(|_| {
        refuse("This is not well-formed MJML, or an element stands where MJML does not take it.")
    })?;
    let options = RenderOptions {
        disable_comments: true,
        social_icon_origin: None,
        // Known fonts would be fetched from somebody else's server whenever a mail is read.
        fonts: std::collections::HashMap::new(),
    };
    let html = parsed
        .element
        .render(&options)
        .map_err(|_| refuse("This MJML cannot be made into HTML."))?;
    let lost = "A field or a condition stands where MJML takes no words. Put it into mj-text or mj-raw.";
    let html = shield.restore(&html).ok_or_else(|| refuse(lost))?;
    let text = shield.restore_some(&plain::text(&mjml));
    Ok((html, text))
}

/// Fills a body in with everything known and with as little as possible, and looks at what comes out.
fn outcome(body: &Body, private: &PrivateWords) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for facts in sample::both() {
        for finding in filled_in(body, &facts, private) {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

fn filled_in(body: &Body, facts: &MailFacts<'_>, private: &PrivateWords) -> Vec<Finding> {
    let place = |part, source| Place {
        part,
        language: Some(body.language.as_str()),
        source,
    };
    let subject = place(Part::Subject, &body.subject);
    let rendered = match Renderer::default().render_body(body, facts) {
        Ok(rendered) => rendered,
        Err(TemplateFault::TooLarge) => {
            return vec![place(Part::Text, "").refused("too-long", 0..0, "The mail would be too large.")];
        }
        Err(TemplateFault::EmptySubject) => {
            return vec![subject.refused("empty", subject.whole(), "This can come out empty.")];
        }
        Err(_) => return vec![subject.refused("liquid", 0..0, "The mail cannot be filled in.")],
    };
    let mut findings = Vec::new();
    let limits = [
        (rendered.html.len(), MAX_HTML_BYTES),
        (rendered.text.len(), MAX_TEXT_BYTES),
    ];
    if limits.iter().any(|(size, max)| size > max) {
        findings.push(place(Part::Text, "").refused("too-long", 0..0, "The mail would be too large."));
    }
    if rendered.text.trim().is_empty() {
        findings.push(place(Part::Text, "").refused(
            "empty",
            0..0,
            "The plain-text part can come out empty.",
        ));
    }
    if !private.find(&rendered.subject).is_empty() {
        let advice = "Filled in, this names a service, a condition or a procedure.";
        findings.push(subject.refused("private-word", subject.whole(), advice));
    }
    findings
}
