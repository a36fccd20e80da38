//! What came of mails, for the figures and for the good name of the route.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::id::MessageId;
use sea_orm::DatabaseTransaction;

use super::class::Class;
use super::{Outcome, Settlement};
use crate::error::Result;
use crate::outreach::provider::provider_of;
use crate::outreach::reputation;
use crate::outreach::tally::{Counted, Tally};

/// Counts what was settled here. Mail that was kept instead of sent has no route and is not counted.
pub(super) async fn count(
    tx: &DatabaseTransaction,
    settlements: &[Settlement<'_>],
    written: &HashSet<MessageId>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tally = Tally::default();
    let mut to_judge: Vec<&str> = Vec::new();
    let mut spread = 0;
    for settlement in settlements {
        let sendable = settlement.sendable;
        let message = sendable.message();
        let Some(what) = counted(&settlement.outcome) else {
            continue;
        };
        let Some(route) = message.route.as_deref().filter(|_| written.contains(&message.id)) else {
            continue;
        };
        spread = reputation::spread(message);
        tally.add(
            route,
            message.lane,
            provider_of(sendable.address()),
            what,
            settlement.took,
        );
        if what.is_bad() {
            to_judge.push(route);
        }
    }
    tally.write(tx, spread, now).await?;
    to_judge.sort_unstable();
    to_judge.dedup();
    for route in to_judge {
        reputation::mark_unjudged(tx, route).await?;
    }
    Ok(())
}

fn counted(outcome: &Outcome) -> Option<Counted> {
    match outcome {
        Outcome::Accepted { .. } => Some(Counted::Accepted),
        Outcome::Refused { class, .. } => Some(Counted::Refused {
            dead: *class == Class::Hard,
        }),
        Outcome::RetryLater { .. } => Some(Counted::Deferred),
        Outcome::Unknown { .. } => Some(Counted::Unknown),
        Outcome::NotTried => None,
    }
}
