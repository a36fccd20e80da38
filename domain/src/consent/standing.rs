//! What a contact allows at a moment: a pure fold of consent events.
//!
//! The rules, in full:
//! - An event counts when it is about the medium, about the address or about every address of the medium, and about
//!   the purpose or, if it takes something back, about every purpose.
//! - It counts from the moment at which the person said it ([`Model::occurred_at`]), not from when it was written
//!   down; events after the moment asked about do not count.
//! - The latest event that counts decides. At one and the same moment a withdrawal wins over an expiry, and an expiry
//!   over a grant.
//! - A denial ("asked, and did not allow it": a checkbox left unticked) revokes nothing. Somebody who agreed last month
//!   and leaves the box of another form unticked has not taken anything back, and reading it so would hide from the
//!   person that an agreement still stands. A denial shows only where nothing else was ever said.
//!
//! The order in which events are given does not matter.

use chrono::{DateTime, Utc};
use entity::consent_event::{ConsentAction, Model};
use entity::enums::{Medium, Purpose};
use entity::id::{ConsentEventId, ConsentWordingId};

#[cfg(test)]
mod tests;

/// What a contact allows for one medium, address and purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is allowed.
    Granted {
        /// The event that allows it.
        event_id: ConsentEventId,
        /// The wording that the person saw.
        wording_id: Option<ConsentWordingId>,
    },
    /// The person was asked and never allowed it.
    Denied,
    /// It was allowed, or not, and is taken back.
    Withdrawn {
        /// The event that took it back.
        event_id: ConsentEventId,
        /// When the person said so.
        at: DateTime<Utc>,
    },
    /// Nothing is known.
    None,
    /// It was allowed and ended by its own date.
    Expired,
}

impl Standing {
    /// Whether it is allowed.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}

/// What `events` of one contact say at `at` about writing to `address`, in its normalized form, on `medium` for
/// `purpose`.
#[must_use]
pub fn fold(
    events: &[Model],
    medium: Medium,
    address: &str,
    purpose: Purpose,
    at: DateTime<Utc>,
) -> Standing {
    let counted = || {
        events
            .iter()
            .filter(|event| counts(event, medium, address, purpose, at))
    };
    let last = counted()
        .filter_map(|event| Some((event.occurred_at, strength(event.action)?, event.id, event)))
        .max_by_key(|(when, strength, id, _)| (*when, *strength, *id));
    match last {
        Some((_, _, _, event)) => match event.action {
            ConsentAction::Withdraw => Standing::Withdrawn {
                event_id: event.id,
                at: event.occurred_at,
            },
            ConsentAction::Grant => Standing::Granted {
                event_id: event.id,
                wording_id: event.wording_id,
            },
            ConsentAction::Expire | ConsentAction::Deny => Standing::Expired,
        },
        None if counted().next().is_some() => Standing::Denied,
        None => Standing::None,
    }
}

/// Whether an event has a say.
fn counts(event: &Model, medium: Medium, address: &str, purpose: Purpose, at: DateTime<Utc>) -> bool {
    let takes_back = matches!(event.action, ConsentAction::Withdraw | ConsentAction::Expire);
    event.medium == medium
        && event.address.as_deref().is_none_or(|about| about == address)
        // Nobody agrees to every purpose at once, so a grant must name the one.
        && event.purpose.map_or(takes_back, |about| about == purpose)
        && event.occurred_at <= at
}

/// Which of two events of one moment wins; none for a denial, which decides nothing.
const fn strength(action: ConsentAction) -> Option<u8> {
    match action {
        ConsentAction::Deny => None,
        ConsentAction::Grant => Some(0),
        ConsentAction::Expire => Some(1),
        ConsentAction::Withdraw => Some(2),
    }
}
