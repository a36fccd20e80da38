//! Whether it is a mail's turn among those that make demand.

use chrono::{DateTime, Utc};
use entity::capacity_pace::PaceStop;
use entity::message::{Decision, GateOutcome, GateReason};

use super::sentence::explain_until;

/// Whether it is a mail's turn among the demand-making mails of its service line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// It is, or nothing is paced here.
    #[default]
    Now,
    /// The coming weeks hold no more.
    Waits {
        /// Why promotion of the line has stopped; none while it goes on and the mail only stands in line.
        stopped: Option<PaceStop>,
        /// When its turn comes, or when more can be told.
        until: DateTime<Utc>,
    },
}

/// The reason why a mail waits in line.
#[must_use]
pub const fn reason_in_line(stopped: Option<PaceStop>) -> GateReason {
    match stopped {
        None => GateReason::Capacity,
        Some(PaceStop::LongWait) => GateReason::CapacityWait,
        Some(PaceStop::FewSlots) => GateReason::CapacitySlots,
    }
}

fn is_of_line(code: GateReason) -> bool {
    matches!(
        code,
        GateReason::Capacity | GateReason::CapacityWait | GateReason::CapacitySlots
    )
}

/// What is written on a mail in line when its turn has moved, and the reason if that is another one than before.
///
/// Whatever else the gate said stands until it is asked again.
#[must_use]
pub fn retold(said: Option<&Decision>, turn: Turn) -> (Option<Decision>, Option<GateReason>) {
    let (Some(said), Turn::Waits { stopped, until }) = (said, turn) else {
        return (said.cloned(), None);
    };
    let mut decision = said.clone();
    let code = reason_in_line(stopped);
    let Some(place) = decision.reasons.iter().position(|reason| is_of_line(reason.code)) else {
        return (Some(decision), None);
    };
    let before = decision.reasons[place].code;
    decision.reasons[place] = explain_until(code, Some(until));
    decision.until = decision.reasons.iter().filter_map(|reason| reason.until).max();
    (Some(decision), (before != code).then_some(code))
}

/// Whether a mail of which the gate said this stands in line, or stays there if it `stands` already.
///
/// A place is for those who could go if it were their turn: who waits for something else for longer gives it up, so that
/// nothing is kept free in vain. The night is no such thing.
#[must_use]
pub fn has_place(said: &Decision, stands: bool) -> bool {
    if said.outcome != GateOutcome::Defer {
        return false;
    }
    let mut others = said
        .reasons
        .iter()
        .filter(|reason| !is_of_line(reason.code) && reason.code != GateReason::QuietHours);
    match said.reasons.iter().find(|reason| is_of_line(reason.code)) {
        Some(line) => others.all(|other| other.until <= line.until),
        None => stands && others.next().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::outreach::gate::deferred;

    fn noon() -> DateTime<Utc> {
        "2026-03-03T17:00:00Z".parse().unwrap()
    }

    fn said(reasons: &[(GateReason, i64)]) -> Decision {
        let mut decision = deferred(GateReason::Capacity, noon(), None, noon());
        let days = |days: &i64| Some(noon() + TimeDelta::days(*days));
        decision.reasons = reasons
            .iter()
            .map(|(code, until)| explain_until(*code, days(until)))
            .collect();
        decision.until = decision.reasons.iter().filter_map(|reason| reason.until).max();
        decision
    }

    #[test]
    fn a_place_is_for_those_who_could_go_if_it_were_their_turn() {
        use GateReason::{Capacity, CapacityWait, FrequencyCap, QuietHours};
        assert!(has_place(&said(&[(Capacity, 9)]), false));
        assert!(has_place(&said(&[(QuietHours, 20), (CapacityWait, 9)]), false));
        assert!(has_place(&said(&[(FrequencyCap, 9), (Capacity, 9)]), false));
        assert!(!has_place(&said(&[(FrequencyCap, 10), (Capacity, 9)]), true));
        assert!(!has_place(&said(&[(FrequencyCap, 1)]), true));
        assert!(has_place(&said(&[(QuietHours, 1)]), true));
        assert!(!has_place(&said(&[(QuietHours, 1)]), false));
    }

    #[test]
    fn a_turn_that_moves_changes_its_reason_and_nothing_else() {
        use GateReason::{Capacity, CapacitySlots, QuietHours};
        let before = said(&[(QuietHours, 1), (Capacity, 3)]);
        let moved = |stopped, days| Turn::Waits {
            stopped,
            until: noon() + TimeDelta::days(days),
        };
        let (after, other) = retold(Some(&before), moved(None, 8));
        assert_eq!(
            (after.unwrap(), other),
            (said(&[(QuietHours, 1), (Capacity, 8)]), None)
        );
        let (after, other) = retold(Some(&before), moved(Some(PaceStop::FewSlots), 1));
        assert_eq!(after.unwrap(), said(&[(QuietHours, 1), (CapacitySlots, 1)]));
        assert_eq!(other, Some(CapacitySlots));
        assert_eq!(retold(Some(&before), Turn::Now), (Some(before.clone()), None));
    }
}
