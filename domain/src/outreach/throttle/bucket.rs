//! A rate as two times: when the next mail would be due if all came evenly (the generic cell rate algorithm), and until
//! when mails stand in line. Two times are all that has to be kept, and whoever reads them knows how much may go.

use chrono::{DateTime, TimeDelta, Utc};

/// How fast mails may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time that each mail uses up.
    every: TimeDelta,
    /// Mails that may go at one moment after a pause.
    burst: u32,
}

impl Pace {
    /// At most `n` mails a second, all of a second's at once if need be.
    #[must_use]
    pub fn per_second(n: u32) -> Self {
        Self::of(n, TimeDelta::seconds(1), n)
    }

    /// At most `n` mails an hour, a minute's at once if need be.
    #[must_use]
    pub fn per_hour(n: u32) -> Self {
        Self::of(n, TimeDelta::hours(1), n / 60)
    }

    fn of(n: u32, time: TimeDelta, burst: u32) -> Self {
        let micros = time.num_microseconds().unwrap_or(i64::MAX);
        // Rounded up: never faster than the rate.
        let every = TimeDelta::microseconds(div_ceil(micros, i64::from(n.max(1))));
        Self {
            every,
            burst: burst.max(1),
        }
    }

    /// The same with a fifth of the burst left for others.
    #[must_use]
    pub fn yielding(self) -> Self {
        Self {
            burst: (self.burst - self.burst / 5).max(1),
            ..self
        }
    }
}

/// How much of a rate is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// When the next mail would be due if all came evenly.
    pub next_at: DateTime<Utc>,
    /// Until when mails stand in line.
    pub queued_until: DateTime<Utc>,
}

impl Bucket {
    /// How many mails may go now.
    #[must_use]
    pub fn free(&self, pace: Pace, now: DateTime<Utc>) -> u32 {
        let ahead = (self.next_at - now).max(TimeDelta::zero());
        let every = pace.every.num_microseconds().unwrap_or(1).max(1);
        let ahead = ahead.num_microseconds().unwrap_or(i64::MAX);
        let used = div_ceil(ahead, every);
        u32::try_from(i64::from(pace.burst).saturating_sub(used).max(0)).unwrap_or_default()
    }

    /// Uses up `n` mails.
    pub fn take(&mut self, pace: Pace, n: u32, now: DateTime<Utc>) {
        self.next_at = self.next_at.max(now) + pace.every * i32::try_from(n).unwrap_or(i32::MAX);
    }

    /// Gives back `n` mails that were taken and did not go.
    pub fn give_back(&mut self, pace: Pace, n: u32) {
        self.next_at -= pace.every * i32::try_from(n).unwrap_or(i32::MAX);
    }

    /// Whether mails stand in line, so that a new one must not pass them.
    #[must_use]
    pub fn has_line(&self, now: DateTime<Utc>) -> bool {
        self.queued_until > now
    }

    /// Puts a mail at the end of the line, and answers when it is its turn.
    pub fn line_up(&mut self, pace: Pace, now: DateTime<Utc>) -> DateTime<Utc> {
        let room = self.next_at - pace.every * i32::try_from(pace.burst).unwrap_or(i32::MAX);
        self.queued_until = self.queued_until.max(room).max(now) + pace.every;
        self.queued_until
    }
}

/// Rounded up, of numbers that are not negative.
const fn div_ceil(number: i64, by: i64) -> i64 {
    number / by + (number % by > 0) as i64
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 27, 12, 0, 0).unwrap()
    }

    fn fresh() -> Bucket {
        Bucket {
            next_at: now() - TimeDelta::hours(1),
            queued_until: now() - TimeDelta::hours(1),
        }
    }

    #[test]
    fn a_second_s_mails_may_go_at_once_and_then_one_after_the_other() {
        let (pace, mut bucket) = (Pace::per_second(10), fresh());
        assert_eq!(bucket.free(pace, now()), 10);
        bucket.take(pace, 10, now());
        assert_eq!(bucket.free(pace, now()), 0);
        assert_eq!(bucket.free(pace, now() + TimeDelta::milliseconds(250)), 2);
        assert_eq!(
            bucket.free(pace, now() + TimeDelta::seconds(9)),
            10,
            "no more is saved up"
        );
    }

    #[test]
    fn what_is_given_back_may_go() {
        let (pace, mut bucket) = (Pace::per_hour(120), fresh());
        bucket.take(pace, 2, now());
        bucket.give_back(pace, 1);
        assert_eq!(bucket.free(pace, now()), 1);
    }

    #[test]
    fn a_line_goes_on_where_it_ended() {
        let (pace, mut bucket) = (Pace::per_second(2), fresh());
        bucket.take(pace, 2, now());
        let half = TimeDelta::milliseconds(500);
        let turns: Vec<_> = (0..3).map(|_| bucket.line_up(pace, now()) - now()).collect();
        assert_eq!(turns, [half, half * 2, half * 3]);
        assert!(bucket.has_line(now()) && !bucket.has_line(now() + half * 3));
    }

    proptest! {
        #[test]
        fn no_second_sees_more_than_twice_its_mails(rate in 1..200_u32, asks in prop::collection::vec((0..300_i64, 1..50_u32), 1..60)) {
            let (pace, mut bucket, mut at) = (Pace::per_second(rate), fresh(), now());
            let mut went: Vec<DateTime<Utc>> = Vec::new();
            for (wait, wanted) in asks {
                at += TimeDelta::milliseconds(wait);
                let n = bucket.free(pace, at).min(wanted);
                bucket.take(pace, n, at);
                went.extend(std::iter::repeat_n(at, n as usize));
            }
            for first in &went {
                let in_a_second = went.iter().filter(|t| *t >= first && **t - *first < TimeDelta::seconds(1)).count();
                prop_assert!(in_a_second <= 2 * rate as usize);
            }
        }
    }
}
