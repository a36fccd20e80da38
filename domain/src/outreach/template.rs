//! Turning a template version and a few facts into a mail.
//!
//! A layout in MJML holds slots; editors fill them with words, once per language; both are compiled when a version is kept
//! (see the module `compile`). What is left for the moment of sending is Liquid, cut down to what a mail needs (see the
//! module `language`): no loops, no includes, no assignments, one filter. So a template can neither run away nor grow,
//! whoever wrote it. Values are cleaned, and in the HTML part escaped, before Liquid sees them: no filter and no forgotten
//! `escape` can let a person's text become markup.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::DateTime;
use chrono_tz::Tz;
use entity::id::TemplateVersionId;
use entity::template_version::{self, Body};
use liquid::model::Value;

pub mod catalog;
mod compile;
mod dates;
mod facts;
mod finding;
mod frame;
mod language;
pub mod links;
pub mod lint;
mod plain;
mod private;
pub mod sample;
pub mod seal;
mod shield;
#[cfg(test)]
mod tests;
mod tokens;
mod urls;
mod words;

pub use compile::{Content, Draft, MAX_LANGUAGES, Words, compile};
pub use finding::{Finding, Part, Severity};
pub use private::PrivateWords;

/// Largest HTML part, in bytes. Gmail cuts a mail off at about 100 KB.
pub const MAX_HTML_BYTES: usize = 200 * 1024;
/// Largest plain-text part, in bytes.
pub const MAX_TEXT_BYTES: usize = 100 * 1024;
/// Longest subject, in characters; a longer one is cut. Mail programs show fewer.
pub const MAX_SUBJECT_CHARS: usize = 150;
/// Longest value that is filled in, in characters; a longer one is cut.
const MAX_VALUE_CHARS: usize = 500;
/// Compiled templates that are kept; beyond it all are dropped and made again when needed.
const MAX_COMPILED: usize = 256;

/// What a mail can say. Every field is the name of a variable.
#[derive(Clone)]
pub struct MailFacts<'a> {
    /// The contact's given name; may be empty.
    pub given_name: &'a str,
    /// The contact's family name; may be empty.
    pub family_name: &'a str,
    /// Name of the facility that serves the lead.
    pub facility_name: &'a str,
    /// The facility's phone number with separators, as it is shown and can follow `tel:`; may be empty.
    pub facility_phone: &'a str,
    /// Canonical name of the service line, if it is known.
    pub service_line_name: Option<&'a str>,
    /// Start of the booked visit on the facility's clock, if there is one.
    pub appointment_at: Option<DateTime<Tz>>,
    /// Address of the page that unsubscribes.
    pub unsubscribe_url: &'a str,
    /// Address of the page on which the contact sets what to hear of.
    pub preferences_url: &'a str,
    /// Address of the page on which a form that was saved and left can be finished.
    pub finish_url: &'a str,
    /// The hospital's postal address.
    pub postal_address: &'a str,
    /// The hospital's name.
    pub hospital_name: &'a str,
    /// Name of the team that serves the lead.
    pub team_name: &'a str,
}

impl fmt::Debug for MailFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailFacts(hidden)")
    }
}

/// A mail, ready to be addressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject: one line, never empty.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The plain-text part.
    pub text: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered(hidden)")
    }
}

/// Why a mail could not be made. Holds nothing of the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// The template is not in the language.
    #[error("the template cannot be read")]
    Unreadable,
    /// It names something that is not there.
    #[error("the template names something that is not there")]
    Unknown,
    /// A part would be too large.
    #[error("the mail would be too large")]
    TooLarge,
    /// The subject came out empty.
    #[error("the subject is empty")]
    EmptySubject,
}

/// What is written where a link leads to a target.
pub type LinkAddress<'a> = dyn Fn(&str) -> String + 'a;

/// The three parts of a version, parsed.
struct Compiled {
    subject: liquid::Template,
    html: liquid::Template,
    text: liquid::Template,
    /// The same with variables for its links, made when the first mail wants it; none if that cannot be.
    opened: OnceLock<Option<Opened>>,
}

/// A body with variables for its links, and what each of them stands for.
struct Opened {
    html: Linked,
    text: Linked,
}

struct Linked {
    template: liquid::Template,
    targets: Vec<String>,
}

/// Renders mails, keeping parsed templates. Versions never change, so a kept one is never stale.
pub struct Renderer {
    parser: liquid::Parser,
    compiled: Mutex<HashMap<(TemplateVersionId, String), Arc<Compiled>>>,
}

impl Default for Renderer {
    fn default() -> Self {
        Self {
            parser: language::parser(),
            compiled: Mutex::default(),
        }
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").finish_non_exhaustive()
    }
}

impl Renderer {
    /// Makes the mail, in the wanted language or in what the version has for it. Links lead where the author wrote, or to
    /// what `address` says for them.
    ///
    /// # Errors
    /// A [`TemplateFault`], which trying again does not cure.
    pub fn render(
        &self,
        version: &template_version::Model,
        language: &str,
        facts: &MailFacts<'_>,
        address: Option<&LinkAddress<'_>>,
    ) -> Result<Rendered, TemplateFault> {
        let body = version.body(language).ok_or(TemplateFault::Unknown)?;
        let compiled = self.compiled(version.id, body)?;
        let opened = address.and_then(|address| {
            let opened = compiled.opened.get_or_init(|| self.open(body));
            Some((opened.as_ref()?, address))
        });
        match opened {
            Some((opened, address)) => fill_opened(&compiled, opened, body, facts, address),
            None => fill_all(&compiled, body, facts),
        }
    }

    /// A body with variables for its links.
    fn open(&self, body: &Body) -> Option<Opened> {
        // What the source itself holds was read when it was compiled, so the parser's word is enough here.
        let parse = |opened: links::Opened| {
            let template = self.parser.parse(&opened.source).ok()?;
            let targets = opened.targets;
            Some(Linked { template, targets })
        };
        Some(Opened {
            html: parse(links::open_html(&body.html))?,
            text: parse(links::open_text(&body.text))?,
        })
    }

    /// Makes the mail of a body that is not kept, or may not be what was kept: nothing of it is remembered.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn render_body(&self, body: &Body, facts: &MailFacts<'_>) -> Result<Rendered, TemplateFault> {
        fill_all(&self.compile(body)?, body, facts)
    }

    fn compiled(&self, id: TemplateVersionId, body: &Body) -> Result<Arc<Compiled>, TemplateFault> {
        let key = (id, body.language.clone());
        if let Some(kept) = self.kept().get(&key) {
            return Ok(kept.clone());
        }
        let compiled = Arc::new(self.compile(body)?);
        let mut kept = self.kept();
        if kept.len() >= MAX_COMPILED {
            kept.clear();
        }
        kept.insert(key, compiled.clone());
        Ok(compiled)
    }

    fn compile(&self, body: &Body) -> Result<Compiled, TemplateFault> {
        let parse = |source: &str| match language::scan(source) {
            Ok(_) => self.parser.parse(source).map_err(|_| TemplateFault::Unreadable),
            Err(_) => Err(TemplateFault::Unreadable),
        };
        Ok(Compiled {
            subject: parse(&body.subject)?,
            html: parse(&body.html)?,
            text: parse(&body.text)?,
            opened: OnceLock::new(),
        })
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<(TemplateVersionId, String), Arc<Compiled>>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fill_all(compiled: &Compiled, body: &Body, facts: &MailFacts<'_>) -> Result<Rendered, TemplateFault> {
    let plain = values(facts, &body.language, str::to_owned);
    let escaped = values(facts, &body.language, escape);
    Ok(Rendered {
        subject: fill_subject(compiled, &plain)?,
        html: fill(&compiled.html, &escaped, MAX_HTML_BYTES)?,
        text: plain::tidy(&fill(&compiled.text, &plain, MAX_TEXT_BYTES)?),
    })
}

fn fill_opened(
    compiled: &Compiled,
    opened: &Opened,
    body: &Body,
    facts: &MailFacts<'_>,
    address: &LinkAddress<'_>,
) -> Result<Rendered, TemplateFault> {
    let mut plain = values(facts, &body.language, str::to_owned);
    let mut escaped = values(facts, &body.language, escape);
    let subject = fill_subject(compiled, &plain)?;
    for (number, target) in opened.text.targets.iter().enumerate() {
        plain.insert(links::variable(number).into(), Value::scalar(address(target)));
    }
    for (number, target) in opened.html.targets.iter().enumerate() {
        let address = escape(&address(target));
        escaped.insert(links::variable(number).into(), Value::scalar(address));
    }
    Ok(Rendered {
        subject,
        html: fill(&opened.html.template, &escaped, MAX_HTML_BYTES)?,
        text: plain::tidy(&fill(&opened.text.template, &plain, MAX_TEXT_BYTES)?),
    })
}

fn fill_subject(compiled: &Compiled, plain: &liquid::Object) -> Result<String, TemplateFault> {
    let filled = fill(&compiled.subject, plain, MAX_TEXT_BYTES)?;
    let subject = one_line(&filled, MAX_SUBJECT_CHARS);
    if subject.is_empty() {
        return Err(TemplateFault::EmptySubject);
    }
    Ok(subject)
}

/// The variables, each cleaned and then passed through `made_safe`. What is not known is nil, so that
/// `{{ service_line_name | default: "our service" }}` works.
fn values(facts: &MailFacts<'_>, language: &str, made_safe: impl Fn(&str) -> String) -> liquid::Object {
    let appointment_at = facts.appointment_at.map(|at| dates::spoken(at, language));
    let all: [(&'static str, Option<&str>); 12] = [
        ("given_name", Some(facts.given_name)),
        ("family_name", Some(facts.family_name)),
        ("facility_name", Some(facts.facility_name)),
        ("facility_phone", Some(facts.facility_phone)),
        ("service_line_name", facts.service_line_name),
        ("appointment_at", appointment_at.as_deref()),
        ("unsubscribe_url", Some(facts.unsubscribe_url)),
        ("preferences_url", Some(facts.preferences_url)),
        ("finish_url", Some(facts.finish_url)),
        ("postal_address", Some(facts.postal_address)),
        ("hospital_name", Some(facts.hospital_name)),
        ("team_name", Some(facts.team_name)),
    ];
    all.into_iter()
        .map(|(name, value)| {
            let value = value.map(|text| Value::scalar(made_safe(&one_line(text, MAX_VALUE_CHARS))));
            (name.into(), value.unwrap_or(Value::Nil))
        })
        .collect()
}

/// A text on one line: control characters and runs of blanks become one blank, and what is beyond `max_chars` goes.
fn one_line(text: &str, max_chars: usize) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(max_chars) {
        Some((end, _)) => joined[..end].trim_end().to_owned(),
        None => joined,
    }
}

/// The text as HTML that shows it, in an element or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Fills a template in, giving up as soon as it is larger than `max_bytes`.
fn fill(
    template: &liquid::Template,
    values: &liquid::Object,
    max_bytes: usize,
) -> Result<String, TemplateFault> {
    let mut bounded = Bounded {
        bytes: Vec::new(),
        max: max_bytes,
        overflowed: false,
    };
    let outcome = template.render_to(&mut bounded, values);
    if bounded.overflowed {
        return Err(TemplateFault::TooLarge);
    }
    // What went wrong may quote a value, so the words are not passed on.
    outcome.map_err(|_| TemplateFault::Unknown)?;
    String::from_utf8(bounded.bytes).map_err(|_| TemplateFault::Unreadable)
}

/// A buffer that refuses to grow beyond its bound.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
    overflowed: bool,
}

impl Write for Bounded {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + some.len() > self.max {
            self.overflowed = true;
            return Err(io::Error::other("the part is too large"));
        }
        self.bytes.extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
