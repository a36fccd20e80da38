//! The three ways an operation ends other than well.
//!
//! A refusal is data for the person who asked; something missing is the same answer as something not yours; a fault is
//! infrastructure, logged once with its chain and retried. `Display` never prints its source.

use std::borrow::Cow;
use std::fmt;

use sea_orm::DbErr;

/// Why a rule said no. The names are part of the public API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A value is needed.
    Required,
    /// The value cannot be read or is not allowed.
    Invalid,
    /// The value is longer, larger or more than allowed.
    TooLarge,
    /// The field is not known here.
    UnknownField,
    /// What is referred to does not exist, or is not yours.
    NotFound,
    /// The thing is not in a state in which this can be done.
    NotAllowedNow,
    /// It changed since you read it; read it again.
    VersionConflict,
    /// It exists already.
    AlreadyExists,
    /// The same idempotency key came with another request.
    IdempotencyConflict,
    /// Sign-in failed. The same for an unknown name and a wrong password.
    SignInFailed,
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::Required,
        Self::Invalid,
        Self::TooLarge,
        Self::UnknownField,
        Self::NotFound,
        Self::NotAllowedNow,
        Self::VersionConflict,
        Self::AlreadyExists,
        Self::IdempotencyConflict,
        Self::SignInFailed,
    ];

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "REQUIRED",
            Self::Invalid => "INVALID",
            Self::TooLarge => "TOO_LARGE",
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::NotFound => "NOT_FOUND",
            Self::NotAllowedNow => "NOT_ALLOWED_NOW",
            Self::VersionConflict => "VERSION_CONFLICT",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::SignInFailed => "SIGN_IN_FAILED",
        }
    }
}

/// A rule's no: safe to show, never retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Path of the input field, outermost first; empty when it is about the whole.
    pub field: Vec<String>,
    /// A sentence for the person. Never repeats what was sent.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal about one field; dots in `field` separate the path.
    pub fn new(code: Code, field: &str, message: impl Into<Cow<'static, str>>) -> Self {
        let field = field
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            code,
            field,
            message: message.into(),
        }
    }
}

/// How an operation failed.
#[derive(Debug)]
pub enum Error {
    /// Rules said no; at least one reason.
    Refused(Vec<Refusal>),
    /// Absent, or not yours: the same answer.
    Missing {
        /// What was looked for, for example `lead`.
        noun: &'static str,
    },
    /// Infrastructure failed.
    Fault(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A single refusal.
    pub fn refused(code: Code, field: &str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(vec![Refusal::new(code, field, message)])
    }

    /// A fault told in words, for what should be impossible.
    pub fn fault(what: impl Into<String>) -> Self {
        Self::Fault(what.into().into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusals) => {
                f.write_str("refused")?;
                for refusal in refusals {
                    write!(f, ": {} {}", refusal.code.as_str(), refusal.field.join("."))?;
                }
                Ok(())
            }
            Self::Missing { noun } => write!(f, "no such {noun}"),
            Self::Fault(_) => f.write_str("a fault of the infrastructure"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Fault(source) => Some(source.as_ref()),
            Self::Refused(_) | Self::Missing { .. } => None,
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Fault(Box::new(error))
    }
}

/// What operations answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with all its sources, for the one log line that it gets.
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
