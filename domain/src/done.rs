//! What an operation hands back after its commit.

use crate::nudge::Subject;
use crate::signal::Signal;

/// A committed result with what there is to tell and to look at. Both may be lost without harm: listeners read again,
/// and sweeps find what is due.
#[must_use = "signals and nudges are to be passed on after the commit"]
#[derive(Clone, Debug)]
pub struct Done<T> {
    /// The result.
    pub value: T,
    /// What to tell listeners.
    pub signals: Vec<Signal>,
    /// What workers should look at now.
    pub nudges: Vec<Subject>,
}

impl<T> Done<T> {
    /// A result that nobody needs to hear of.
    pub fn quiet(value: T) -> Self {
        Self {
            value,
            signals: Vec::new(),
            nudges: Vec::new(),
        }
    }

    /// The same news with another result.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Done<U> {
        Done {
            value: f(self.value),
            signals: self.signals,
            nudges: self.nudges,
        }
    }
}
