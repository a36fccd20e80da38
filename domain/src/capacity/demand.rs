//! How many visits the leads will take that are in the funnel already.
//!
//! A lead that nobody has booked yet will be booked as often as the line's leads before it were that came as far: the share
//! of those booked among the received, the contacted or the qualified. Whoever is booked has taken a slot, and is not counted
//! among the open ones any more. With little evidence nobody can tell, and nothing is taken off.

use super::pace::MICRO;

/// Over how many days leads received are evidence, and open leads count.
pub const DAYS: i64 = 180;
/// Fewer received leads are no evidence.
pub const EVIDENCE_MIN: i64 = 30;

/// What became of the leads of a line that were received in the last [`DAYS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cohort {
    /// Received.
    pub received: i64,
    /// Ever tried to be reached.
    pub contacted: i64,
    /// Ever qualified.
    pub qualified: i64,
    /// Ever booked for a visit.
    pub booked: i64,
}

/// Leads that are not booked yet, by how far they have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
    /// Nobody has tried to reach them.
    pub new: i64,
    /// Somebody has.
    pub contacted: i64,
    /// They fit.
    pub qualified: i64,
}

impl Funnel {
    /// All of them.
    #[must_use]
    pub const fn leads(&self) -> i64 {
        self.new + self.contacted + self.qualified
    }
}

impl Cohort {
    /// The share of the received that were booked, in millionths; none without enough evidence.
    #[must_use]
    pub fn conversion(&self) -> Option<i64> {
        self.share_of(self.received)
    }

    /// The share of those who came so far that were booked.
    fn share_of(&self, reached: i64) -> Option<i64> {
        if self.received < EVIDENCE_MIN {
            return None;
        }
        // Who is entered as booked at once may never have been marked as qualified.
        Some(self.booked.saturating_mul(MICRO) / reached.max(self.booked).max(1))
    }

    /// The visits, in millionths, that these leads will take; none without enough evidence.
    #[must_use]
    pub fn expected(&self, funnel: &Funnel) -> Option<i64> {
        let stages = [
            (funnel.new, self.received),
            (funnel.contacted, self.contacted),
            (funnel.qualified, self.qualified),
        ];
        let mut sum = 0_i64;
        for (leads, reached) in stages {
            sum = sum.saturating_add(leads.saturating_mul(self.share_of(reached)?));
        }
        Some(sum)
    }
}

/// The part of what has no facility yet that falls to one: by its part of all open slots.
#[must_use]
pub fn part_of(whole: i64, own_slots: i64, all_slots: i64) -> i64 {
    let part = i128::from(whole) * i128::from(own_slots.max(0)) / i128::from(all_slots.max(1));
    i64::try_from(part).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COHORT: Cohort = Cohort {
        received: 100,
        contacted: 80,
        qualified: 40,
        booked: 20,
    };

    #[test]
    fn a_lead_is_worth_more_the_further_it_has_come() {
        let one = |new, contacted, qualified| Funnel {
            new,
            contacted,
            qualified,
        };
        assert_eq!(COHORT.expected(&one(10, 0, 0)), Some(2 * MICRO));
        assert_eq!(COHORT.expected(&one(0, 10, 0)), Some(2_500_000));
        assert_eq!(COHORT.expected(&one(0, 0, 10)), Some(5 * MICRO));
        assert_eq!(COHORT.expected(&one(10, 10, 10)), Some(9_500_000));
        assert_eq!(COHORT.conversion(), Some(200_000));
    }

    #[test]
    fn little_evidence_is_none_and_no_share_is_more_than_all() {
        let few = Cohort {
            received: EVIDENCE_MIN - 1,
            ..COHORT
        };
        let funnel = Funnel {
            new: 5,
            contacted: 5,
            qualified: 5,
        };
        assert_eq!((few.expected(&funnel), few.conversion()), (None, None));
        let hasty = Cohort {
            contacted: 0,
            qualified: 0,
            ..COHORT
        };
        assert_eq!(hasty.expected(&funnel), Some(11 * MICRO));
    }

    #[test]
    fn what_has_no_facility_falls_to_all_by_their_slots() {
        assert_eq!(part_of(9 * MICRO, 10, 30), 3 * MICRO);
        assert_eq!(part_of(9 * MICRO, 0, 0), 0);
    }
}
