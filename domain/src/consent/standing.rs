//! What a contact allows at a moment: a pure fold of consent events.
//!
//! The rules, in full:
//! - An event counts when it is about the medium, about the address or about every address of the medium, and about
//!   the purpose or, if it takes something back, about every purpose.
//! - It counts from the moment at which the person said it ([`Model::occurred_at`]), not from when it was written
//!   down; events after the moment asked about do not count.
//! - The latest event that counts decides. At one and the same moment a withdrawal wins over an expiry, and an expiry
//!   over a grant.
//! - A grant with an end of its own holds until that moment, without anything being written then.
//! - Where a form asks for a second yes, the first one is pending: it allows nothing and revokes nothing, and it is over
//!   at its end, or with a withdrawal or expiry at the same moment or later. The second yes is a grant.
//! - A denial ("asked, and did not allow it": a checkbox left unticked) revokes nothing. Somebody who agreed last month
//!   and leaves the box of another form unticked has not taken anything back, and reading it so would hide from the
//!   person that an agreement still stands. A denial shows only where nothing else was ever said.
//!
//! - What an erased event said of an address is gone, so it grants nothing. It still takes back.
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
    /// The person said yes once, and has until a moment to say it again.
    Pending {
        /// The first yes.
        event_id: ConsentEventId,
        /// The wording that the person saw.
        wording_id: Option<ConsentWordingId>,
        /// Until when the second yes may come.
        until: DateTime<Utc>,
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
    /// It was allowed and ended by its own date, or the second yes never came.
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
        .max_by_key(|(when, strength, id, _)| (*when, *strength, *id))
        .map(|(_, _, _, event)| event);
    let first_yes = counted()
        .filter(|event| event.action == ConsentAction::Pending)
        .max_by_key(|event| (event.occurred_at, event.id));
    let open = first_yes.and_then(|first| {
        let until = first.expires_at.filter(|until| at < *until)?;
        let over = counted().any(|event| takes_back(event) && event.occurred_at >= first.occurred_at);
        (!over).then_some((first, until))
    });
    match (last, open) {
        (Some(event), _) if event.action == ConsentAction::Grant && has_not_ended(event, at) => {
            Standing::Granted {
                event_id: event.id,
                wording_id: event.wording_id,
            }
        }
        (_, Some((first, until))) => Standing::Pending {
            event_id: first.id,
            wording_id: first.wording_id,
            until,
        },
        (Some(event), None) if event.action == ConsentAction::Withdraw => Standing::Withdrawn {
            event_id: event.id,
            at: event.occurred_at,
        },
        (Some(_), None) => Standing::Expired,
        (None, None) if first_yes.is_some() => Standing::Expired,
        (None, None) if counted().next().is_some() => Standing::Denied,
        (None, None) => Standing::None,
    }
}

/// The yeses that still stand at `at`: what each was said for is allowed, or waits for its second yes.
pub fn standing_yeses(events: &[Model], at: DateTime<Utc>) -> impl Iterator<Item = &Model> {
    events.iter().filter(move |event| {
        let is_yes = matches!(event.action, ConsentAction::Grant | ConsentAction::Pending);
        // What is said of every address, or of paper, is found under any.
        let address = event.address.as_deref().unwrap_or_default();
        is_yes
            && event.purpose.is_some_and(|purpose| {
                matches!(
                    fold(events, event.medium, address, purpose, at),
                    Standing::Granted { .. } | Standing::Pending { .. }
                )
            })
    })
}

/// Whether a first yes still waits for the second one at `at`, given what else was said.
#[must_use]
pub fn is_open(first: &Model, events: &[Model], at: DateTime<Utc>) -> bool {
    let (Some(purpose), Some(address)) = (first.purpose, first.address.as_deref()) else {
        return false;
    };
    let over = events.iter().any(|event| {
        counts(event, first.medium, address, purpose, at)
            && takes_back(event)
            && event.occurred_at >= first.occurred_at
    });
    first.action == ConsentAction::Pending && first.expires_at.is_some_and(|until| at < until) && !over
}

fn has_not_ended(grant: &Model, at: DateTime<Utc>) -> bool {
    grant.expires_at.is_none_or(|end| at < end)
}

const fn takes_back(event: &Model) -> bool {
    matches!(event.action, ConsentAction::Withdraw | ConsentAction::Expire)
}

/// Whether an event has a say.
fn counts(event: &Model, medium: Medium, address: &str, purpose: Purpose, at: DateTime<Utc>) -> bool {
    event.medium == medium
        && (event.erased_at.is_none() || takes_back(event))
        && event.address.as_deref().is_none_or(|about| about == address)
        // Nobody agrees to every purpose at once, so a grant must name the one.
        && event.purpose.map_or_else(|| takes_back(event), |about| about == purpose)
        && event.occurred_at <= at
}

/// Which of two events of one moment wins; none for a denial and a first yes, which decide nothing.
const fn strength(action: ConsentAction) -> Option<u8> {
    match action {
        ConsentAction::Deny | ConsentAction::Pending => None,
        ConsentAction::Grant => Some(0),
        ConsentAction::Expire => Some(1),
        ConsentAction::Withdraw => Some(2),
    }
}
