//! What is wrong with a template, and where.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Code, Refusal};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For the author to think about.
    Warning,
    /// The version can be kept, but not given to the reviewers.
    Error,
    /// The version is not kept at all.
    Refused,
}

/// A part of a template that people write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The MJML frame, which all languages share.
    Layout,
    /// The subject.
    Subject,
    /// The line beside the subject.
    Preheader,
    /// A slot, by its name.
    Slot(String),
    /// The plain-text part.
    Text,
}

impl Part {
    /// Its path within a body, or `layout`.
    #[must_use]
    pub fn path(&self) -> Cow<'static, str> {
        match self {
            Self::Layout => "layout".into(),
            Self::Subject => "subject".into(),
            Self::Preheader => "preheader".into(),
            Self::Slot(name) => format!("slots.{name}").into(),
            Self::Text => "text".into(),
        }
    }
}

/// Something that is wrong, or may be, at one place of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it, for example `guarantee`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The part.
    pub part: Part,
    /// The language of the body; none for the layout.
    pub language: Option<String>,
    /// First character of the place, counted from 0.
    pub start: usize,
    /// The character after the last.
    pub end: usize,
    /// What to do.
    pub advice: Cow<'static, str>,
}

/// Where findings are made: a part, its source and its language.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) part: Part,
    pub(super) language: Option<&'a str>,
    pub(super) source: &'a str,
}

impl Place<'_> {
    /// A finding at a range of bytes of the source.
    pub(super) fn finding(
        &self,
        rule: &'static str,
        severity: Severity,
        bytes: Range<usize>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Finding {
        let chars = |byte: usize| {
            self.source
                .char_indices()
                .take_while(|(at, _)| *at < byte)
                .count()
        };
        Finding {
            rule,
            severity,
            part: self.part.clone(),
            language: self.language.map(str::to_owned),
            start: chars(bytes.start),
            end: chars(bytes.end),
            advice: advice.into(),
        }
    }

    /// The same, for what keeps a version from being kept.
    pub(super) fn refused(
        &self,
        rule: &'static str,
        bytes: Range<usize>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Finding {
        self.finding(rule, Severity::Refused, bytes, advice)
    }

    /// All of the source.
    pub(super) fn whole(&self) -> Range<usize> {
        0..self.source.len()
    }
}

impl Finding {
    /// The finding as a refusal, at a path like `bodies.es.subject`. The message says where: people see it beside a field.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let path = match &self.language {
            Some(language) => format!("bodies.{language}.{}", self.part.path()),
            None => self.part.path().into_owned(),
        };
        let code = match self.rule {
            "too-long" => Code::TooLarge,
            "empty" => Code::Required,
            _ => Code::Invalid,
        };
        let message = if self.start == self.end {
            self.advice.clone()
        } else {
            format!("Characters {} to {}: {}", self.start + 1, self.end, self.advice).into()
        };
        Refusal::new(code, &path, message)
    }
}
