//! Why a typed value was refused.

use std::borrow::Cow;

/// A value that was refused while it was read. The message says how to mend it, never repeats what was typed, and is
/// safe to show to whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// What is wrong and what to type instead, as a sentence.
    pub message: Cow<'static, str>,
}

impl Invalid {
    /// A refusal with this message.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
        }
    }
}
