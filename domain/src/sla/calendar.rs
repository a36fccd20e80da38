//! Business time: when a facility is open, and how to count only that time.
//!
//! A [`Calendar`] is a time zone and the local opening hours in it. Business time is **real elapsed time during which
//! the local wall clock shows an open minute**. From that one sentence follows what happens when clocks change:
//!
//! - in a gap (spring), the minutes that the wall clock skips do not exist, so an open range over them is shorter;
//! - in a fold (autumn), the minutes that the wall clock shows twice are open twice, so such a range is longer;
//! - a whole local date that a zone skipped (Samoa, 2011-12-30) has no business time.
//!
//! Time is walked in pieces of at most a day in which the zone's offset does not change, never minute by minute, and
//! every search for open time ends after [`HORIZON_DAYS`].

use chrono::{DateTime, Duration, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use entity::business_calendar::hours::{Hours, WeeklyHours};

#[cfg(test)]
pub(super) mod tests;

/// How many days ahead open time is looked for. It is more than a year, so that a calendar that opens once a year is
/// still found open.
pub const HORIZON_DAYS: i64 = 400;

/// The longest piece of time looked at in one step. Offsets are compared at its two ends only, so it must be shorter
/// than the shortest time a zone ever kept an offset; a test checks that for every zone.
const STEP: TimeDelta = TimeDelta::days(1);

/// When a facility is open: local opening hours and the zone they are local to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The zone whose wall clock the hours are read on.
    pub zone: Tz,
    /// The opening hours.
    pub hours: Hours,
}

impl Calendar {
    /// The calendar of a zone and its opening hours.
    #[must_use]
    pub const fn new(zone: Tz, hours: Hours) -> Self {
        Self { zone, hours }
    }

    /// A calendar that is open at every moment, on which business time is clock time.
    #[must_use]
    pub fn always_open(zone: Tz) -> Self {
        Self::new(zone, WeeklyHours::always().into())
    }

    /// The earliest instant, not before `from`, by which `amount` of business time has passed since `from`.
    ///
    /// An amount that ends exactly when the facility closes gives the closing time, not the next opening. An amount
    /// of zero (or less) gives `from` itself, open or not. `None` means that there is not that much open time within
    /// [`HORIZON_DAYS`] of `from`.
    #[must_use]
    pub fn add_business(&self, from: DateTime<Utc>, amount: Duration) -> Option<DateTime<Utc>> {
        if amount <= Duration::zero() {
            return Some(from);
        }
        let mut left = amount;
        for span in self.open_spans(from, horizon(from)) {
            let length = span.length();
            if left <= length {
                return Some((span.start + left).and_utc());
            }
            left -= length;
        }
        None
    }

    /// The business time in `[a, b)`; zero if `b` is not after `a`. The work grows with the number of days between.
    #[must_use]
    pub fn business_between(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> Duration {
        self.open_spans(a, b)
            .fold(Duration::zero(), |sum, span| sum + span.length())
    }

    /// The earliest open instant that is not before `at`; `None` if there is none within [`HORIZON_DAYS`].
    #[must_use]
    pub fn next_open(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.open_spans(at, horizon(at))
            .next()
            .map(|span| span.start.and_utc())
    }

    /// When the stretch of open time around `at` ends; `None` if it is closed then. Of two stretches that touch it is the
    /// end of the first.
    #[must_use]
    pub fn closes_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.is_open(at) {
            return None;
        }
        let span = self.open_spans(at, horizon(at)).next()?;
        Some(span.end.and_utc())
    }

    /// Whether the facility is open at this instant. It is open at the first instant of a range, not at its last.
    #[must_use]
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        let utc = at.naive_utc();
        let Some(local) = utc.checked_add_signed(offset(self.zone, utc)) else {
            return false;
        };
        let since_midnight = local.time() - NaiveTime::MIN;
        self.hours.on(local.date()).ranges().iter().any(|range| {
            TimeDelta::minutes(range.start_minute().into()) <= since_midnight
                && since_midnight < TimeDelta::minutes(range.end_minute().into())
        })
    }

    fn open_spans(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> OpenSpans<'_> {
        OpenSpans {
            calendar: self,
            at: from.naive_utc(),
            until: until.naive_utc(),
            found: Vec::new(),
        }
    }
}

/// The end of a search that starts at `from`.
fn horizon(from: DateTime<Utc>) -> DateTime<Utc> {
    from.checked_add_signed(TimeDelta::days(HORIZON_DAYS))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// How far the wall clock of a zone is ahead of UTC at an instant.
fn offset(zone: Tz, utc: NaiveDateTime) -> TimeDelta {
    TimeDelta::seconds(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into())
}

/// A stretch of open time `[start, end)`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: NaiveDateTime,
    end: NaiveDateTime,
}

impl Span {
    fn length(self) -> TimeDelta {
        self.end - self.start
    }
}

/// The open time between two instants, in order, as spans that may touch but never overlap.
struct OpenSpans<'a> {
    calendar: &'a Calendar,
    /// Up to where open time has been looked for.
    at: NaiveDateTime,
    until: NaiveDateTime,
    /// Spans of the last piece that are still to be handed out, latest first.
    found: Vec<Span>,
}

impl Iterator for OpenSpans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            if let Some(span) = self.found.pop() {
                return Some(span);
            }
            if self.at >= self.until {
                return None;
            }
            let step_end = self
                .at
                .checked_add_signed(STEP)
                .unwrap_or(self.until)
                .min(self.until);
            let piece_end = offset_change(self.calendar.zone, self.at, step_end).unwrap_or(step_end);
            let piece = Span {
                start: self.at,
                end: piece_end,
            };
            collect_open(
                &self.calendar.hours,
                piece,
                offset(self.calendar.zone, self.at),
                &mut self.found,
            );
            self.found.reverse();
            self.at = piece_end;
        }
    }
}

/// Appends the open spans of a piece of time in which the zone's offset is constant, earliest first.
fn collect_open(hours: &Hours, piece: Span, offset: TimeDelta, found: &mut Vec<Span>) {
    // Beyond the ends of the calendar there is no local time, hence no open time.
    let (Some(start), Some(end)) = (
        piece.start.checked_add_signed(offset),
        piece.end.checked_add_signed(offset),
    ) else {
        return;
    };
    for date in start.date().iter_days().take_while(|date| *date <= end.date()) {
        let midnight = date.and_time(NaiveTime::MIN);
        for range in hours.on(date).ranges() {
            let opens = midnight + TimeDelta::minutes(range.start_minute().into());
            let closes = midnight
                .checked_add_signed(TimeDelta::minutes(range.end_minute().into()))
                .unwrap_or(NaiveDateTime::MAX);
            let (opens, closes) = (opens.max(start), closes.min(end));
            if opens < closes {
                found.push(Span {
                    start: opens - offset,
                    end: closes - offset,
                });
            }
        }
    }
}

/// The offsets that a zone has within `[from, to)`, each with the instant at which it ends, in order: seconds by which the
/// wall clock is ahead of UTC.
pub(crate) fn offsets(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<(DateTime<Utc>, i64)> {
    let mut found: Vec<(DateTime<Utc>, i64)> = Vec::new();
    let (mut at, until) = (from.naive_utc(), to.naive_utc());
    while at < until {
        let step_end = at.checked_add_signed(STEP).unwrap_or(until).min(until);
        let end = offset_change(zone, at, step_end).unwrap_or(step_end);
        let secs = offset(zone, at).num_seconds();
        match found.last_mut() {
            Some((ends, same)) if *same == secs => *ends = end.and_utc(),
            _ => found.push((end.and_utc(), secs)),
        }
        at = end;
    }
    found
}

/// The first instant in `(start, end]` at which the zone's offset is not what it is at `start`.
///
/// `end` must be at most a [`STEP`] after `start`. Offsets change on whole seconds, so whole seconds are searched.
fn offset_change(zone: Tz, start: NaiveDateTime, end: NaiveDateTime) -> Option<NaiveDateTime> {
    let before = offset(zone, start);
    let changed = |second: i64| {
        DateTime::from_timestamp(second, 0).is_some_and(|at| offset(zone, at.naive_utc()) != before)
    };
    let mut same = start.and_utc().timestamp();
    let mut other = end.and_utc().timestamp();
    if !changed(other) {
        return None;
    }
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        if changed(middle) {
            other = middle;
        } else {
            same = middle;
        }
    }
    DateTime::from_timestamp(other, 0).map(|at| at.naive_utc())
}
