//! When to try again.
//!
//! RFC 5321, 4.5.4.1 wants half an hour between tries and four to five days before giving up. Nurture gives up after
//! three: what comes later than that is no longer the mail that was meant.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::MessageId;
use entity::message::Lane;

/// Waits after a mail server asked to come back, in minutes; the last one repeats.
const WAITS_MINS: [i64; 4] = [30, 60, 120, 240];
/// Waits after the connection broke, in minutes: the server said nothing of the mail, so the first tries come soon.
const BROKEN_WAITS_MINS: [i64; 3] = [1, 5, 15];
/// How long mail that somebody waits for is tried, in hours.
const WAITING_MAX_HOURS: i64 = 96;
/// How long other mail is tried, in hours.
const BULK_MAX_HOURS: i64 = 72;

/// Why a try ended without a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The mail server asked to come back later.
    AskedTo,
    /// The connection broke before anything was accepted.
    Broken,
}

/// When to try a message again after its try number `attempt` (from 1) ended at `now`; none when it has been tried for
/// long enough, or would come after `expires_at`.
///
/// Waits are spread by up to a tenth, so that what was refused together does not come back together. The spread comes
/// from the id and the attempt: the same message always gets the same times.
pub fn next_try(
    id: MessageId,
    lane: Lane,
    attempt: i32,
    cause: Cause,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let attempt = usize::try_from(attempt).unwrap_or(1).max(1);
    let limit_mins = 60
        * match lane {
            Lane::Waiting => WAITING_MAX_HOURS,
            Lane::Bulk => BULK_MAX_HOURS,
        };
    // Bounded: no schedule has more waits than fit into its limit.
    let waited: TimeDelta = (1..=attempt.min(1000))
        .map(|attempt| wait(id, cause, attempt))
        .sum();
    if waited > TimeDelta::minutes(limit_mins) {
        return None;
    }
    let at = now + wait(id, cause, attempt);
    (at < expires_at).then_some(at)
}

/// The wait after a try, with its spread.
fn wait(id: MessageId, cause: Cause, attempt: usize) -> TimeDelta {
    let wait = TimeDelta::minutes(nth_wait(cause, attempt));
    wait + spread(id, attempt, wait)
}

fn nth_wait(cause: Cause, attempt: usize) -> i64 {
    let place = attempt - 1;
    let asked = |place: usize| WAITS_MINS[place.min(WAITS_MINS.len() - 1)];
    match cause {
        Cause::AskedTo => asked(place),
        Cause::Broken => BROKEN_WAITS_MINS
            .get(place)
            .copied()
            .unwrap_or_else(|| asked(place - BROKEN_WAITS_MINS.len())),
    }
}

/// Up to a tenth of `wait`, in whole seconds: a time with more digits than the database keeps would never be reached.
fn spread(id: MessageId, attempt: usize, wait: TimeDelta) -> TimeDelta {
    // The last bytes of an id are random. A multiplication by a large odd number mixes the attempt in (Knuth).
    let tail = id.0.as_u128() as u64;
    let mixed = tail
        .wrapping_add(attempt as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        >> 54;
    let share = i64::try_from(mixed).unwrap_or(0);
    TimeDelta::seconds(wait.num_seconds() * share / 10_240)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
    }

    fn far() -> DateTime<Utc> {
        now() + TimeDelta::days(365)
    }

    fn id(n: u128) -> MessageId {
        MessageId(Uuid::from_u128(n))
    }

    #[test]
    fn waits_grow_to_four_hours_and_stay_there() {
        let minutes: Vec<i64> = (1..=6).map(|attempt| nth_wait(Cause::AskedTo, attempt)).collect();
        assert_eq!(minutes, [30, 60, 120, 240, 240, 240]);
    }

    #[test]
    fn a_broken_connection_is_tried_again_soon_and_then_as_slowly() {
        let minutes: Vec<i64> = (1..=6).map(|attempt| nth_wait(Cause::Broken, attempt)).collect();
        assert_eq!(minutes, [1, 5, 15, 30, 60, 120]);
    }

    #[test]
    fn nurture_is_given_up_after_three_days_and_what_is_waited_for_after_four() {
        let tries = |lane| {
            (1..)
                .take_while(|n| next_try(id(7), lane, *n, Cause::AskedTo, far(), now()).is_some())
                .count()
        };
        // 3.5 hours for the first three waits, then four hours and a spread of at most 24 minutes each.
        assert!((18..=20).contains(&tries(Lane::Bulk)), "{}", tries(Lane::Bulk));
        assert!(
            (24..=26).contains(&tries(Lane::Waiting)),
            "{}",
            tries(Lane::Waiting)
        );
    }

    #[test]
    fn nothing_is_tried_after_it_lost_its_sense() {
        let expires_at = now() + TimeDelta::minutes(29);
        assert_eq!(
            next_try(id(7), Lane::Waiting, 1, Cause::AskedTo, expires_at, now()),
            None
        );
    }

    proptest! {
        #[test]
        fn all_waits_together_stay_within_the_limit(n in any::<u128>(), bulk in any::<bool>()) {
            let (lane, hours) = if bulk { (Lane::Bulk, 72) } else { (Lane::Waiting, 96) };
            let (mut at, mut attempt) = (now(), 1);
            while let Some(next) = next_try(id(n), lane, attempt, Cause::AskedTo, far(), at) {
                at = next;
                attempt += 1;
            }
            prop_assert!(at - now() <= TimeDelta::hours(hours));
            prop_assert!(at - now() > TimeDelta::hours(hours - 5));
        }

        #[test]
        fn the_spread_is_at_most_a_tenth_and_always_the_same(n in any::<u128>(), attempt in 1..12i32) {
            let at = next_try(id(n), Lane::Waiting, attempt, Cause::AskedTo, far(), now()).unwrap();
            let plain = TimeDelta::minutes(nth_wait(Cause::AskedTo, attempt as usize));
            prop_assert_eq!(at.timestamp_subsec_nanos(), 0);
            prop_assert!(at - now() >= plain && at - now() <= plain + plain / 10);
            prop_assert_eq!(Some(at), next_try(id(n), Lane::Waiting, attempt, Cause::AskedTo, far(), now()));
        }
    }

    #[test]
    fn messages_of_one_batch_do_not_come_back_at_one_moment() {
        let times: std::collections::HashSet<_> = (0..100)
            .filter_map(|n| next_try(id(n), Lane::Bulk, 1, Cause::AskedTo, far(), now()))
            .collect();
        assert!(times.len() > 50, "{}", times.len());
    }
}
