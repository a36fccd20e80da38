//! How many demand-making mails may go a day, and on which day each of those that wait has its turn.
//!
//! The allowance of a day is
//!
//! > (open slots of the coming weeks − visits that the leads in the funnel will take) × mails per completed visit
//! > ÷ days of the weeks that somebody spoke of.
//!
//! Of the present week what is left counts: its remaining days and their share of its slots. So on every day of a week the
//! pace is the same, unless somebody says something else. When nobody has spoken of the coming weeks, what was said last
//! holds for seven days from today: forgetting to enter a week neither stops promotion nor lets all of it go.
//!
//! A pace is in millionths of a mail a day, and a day has as many mails as it has whole ones more than the day before since
//! the beginning of the calendar. So a pace of a quarter is one mail every four days, whoever asks, and over any time as
//! many mails go as the pace says, give or take one.

use chrono::{Days, NaiveDate, TimeDelta};
use entity::capacity_pace::PaceStop;

use super::monday_of;

#[cfg(test)]
mod tests;

/// Millionths.
pub const MICRO: i64 = 1_000_000;
/// Most slots of a week.
pub const SLOTS_MAX: i32 = 10_000;
/// Longest wait in days.
pub const WAIT_DAYS_MAX: i32 = 730;
/// Most mails that bring one visit.
pub const MAILS_PER_VISIT_MAX: i32 = 10_000;
/// Most weeks that are looked ahead.
pub const WEEKS_MAX: i32 = 53;
/// How many days ahead a turn is told. Whoever waits longer is told when the day comes near.
pub const TOLD_DAYS: i64 = 366;

/// What somebody said about a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub monday: NaiveDate,
    /// Visits that can still be booked in it.
    pub open_slots: u32,
    /// Days that people wait, if it was said.
    pub wait_days: Option<u32>,
}

/// What the service line wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many weeks are looked ahead, the present one included.
    pub weeks: u32,
    /// Mails that bring one completed visit.
    pub mails_per_visit: u32,
    /// Promotion stops when people wait longer.
    pub max_wait_days: Option<u32>,
    /// Promotion stops when fewer slots are open in the nearest week.
    pub min_open_slots: Option<u32>,
}

/// The part of a week that lies ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The week.
    pub week: Week,
    /// Days of it from today on.
    pub days: u32,
}

/// How fast mails go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Mails a day, in millionths.
    pub rate_micro: i64,
    /// Why none go, if the line's own limits say so.
    pub stopped: Option<PaceStop>,
}

/// The weeks that count today, the nearest first.
///
/// Those of the coming `weeks` that somebody spoke of, else the last that was spoken of before, in whatever order they are
/// given.
#[must_use]
pub fn ahead(today: NaiveDate, said: &[Week], weeks: u32) -> Vec<Ahead> {
    let this = monday_of(today);
    let end = this + TimeDelta::days(7 * i64::from(weeks));
    let mut ahead: Vec<Ahead> = said
        .iter()
        .filter(|week| this <= week.monday && week.monday < end)
        .map(|week| {
            let gone = (today - week.monday).num_days().clamp(0, 6);
            Ahead {
                week: *week,
                days: 7 - u32::try_from(gone).unwrap_or_default(),
            }
        })
        .collect();
    ahead.sort_unstable_by_key(|part| part.week.monday);
    if ahead.is_empty() {
        let last = said
            .iter()
            .filter(|week| week.monday < this)
            .max_by_key(|week| week.monday);
        ahead.extend(last.map(|week| Ahead { week: *week, days: 7 }));
    }
    ahead
}

/// Sevenths of slots that lie ahead: a week of which three days are left counts three sevenths of its slots.
#[must_use]
pub fn sevenths(ahead: &[Ahead]) -> i64 {
    let of = |part: &Ahead| i64::from(part.week.open_slots) * i64::from(part.days);
    ahead.iter().map(of).sum()
}

/// The pace by the weeks ahead and the visits, in millionths, that the leads in the funnel will take.
#[must_use]
pub fn pace(ahead: &[Ahead], policy: &Policy, demand_micro: i64) -> Pace {
    let stopped = ahead.first().and_then(|nearest| stop(&nearest.week, policy));
    let days: i64 = ahead.iter().map(|part| i64::from(part.days)).sum();
    if stopped.is_some() || days == 0 {
        return Pace {
            rate_micro: 0,
            stopped,
        };
    }
    let open = i128::from(sevenths(ahead)) * i128::from(MICRO);
    let free = (open - 7 * i128::from(demand_micro)).max(0);
    let parts = 7 * i128::from(days);
    // To the nearest, so that what divides evenly is told evenly.
    let rate = (free * i128::from(policy.mails_per_visit) + parts / 2) / parts;
    Pace {
        rate_micro: i64::try_from(rate).unwrap_or(i64::MAX),
        stopped: None,
    }
}

fn stop(nearest: &Week, policy: &Policy) -> Option<PaceStop> {
    let waits_long = policy
        .max_wait_days
        .zip(nearest.wait_days)
        .is_some_and(|(max, wait)| wait > max);
    let few = policy.min_open_slots.is_some_and(|min| nearest.open_slots < min);
    waits_long
        .then_some(PaceStop::LongWait)
        .or(few.then_some(PaceStop::FewSlots))
}

/// Mails that may go on a day.
#[must_use]
pub fn allowance(rate_micro: i64, day: NaiveDate) -> i64 {
    allowance_of(rate_micro, day, 1)
}

/// Mails that may go on so many days from a day on.
#[must_use]
pub fn allowance_of(rate_micro: i64, first: NaiveDate, days: i64) -> i64 {
    let number = first.signed_duration_since(NaiveDate::default()).num_days();
    let until = |day: i64| (i128::from(rate_micro.max(0)) * i128::from(day)).div_euclid(i128::from(MICRO));
    i64::try_from(until(number + days) - until(number)).unwrap_or(i64::MAX)
}

/// The places of a line, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    rate_micro: i64,
    today: NaiveDate,
    /// The day of the last place; none when no more days can be told.
    pub day: Option<NaiveDate>,
    /// Places of that day that are taken.
    pub used: i64,
}

impl Places {
    /// The places after so many of a day are taken. A day that has passed is today, with none taken.
    #[must_use]
    pub fn after(rate_micro: i64, today: NaiveDate, day: Option<NaiveDate>, used: i64) -> Self {
        let passed = day.is_some_and(|day| day < today);
        Self {
            rate_micro,
            today,
            day: if passed { Some(today) } else { day },
            used: if passed { 0 } else { used },
        }
    }

    /// Takes the next place and answers its day; none when it is too far off to be told, as are all after it.
    pub fn take(&mut self) -> Option<NaiveDate> {
        let mut day = self.day?;
        while self.used >= allowance(self.rate_micro, day) {
            let next = day.checked_add_days(Days::new(1));
            let told = next.filter(|next| (*next - self.today).num_days() <= TOLD_DAYS);
            let Some(next) = told.filter(|_| self.rate_micro > 0) else {
                self.day = None;
                return None;
            };
            (day, self.used) = (next, 0);
        }
        self.used += 1;
        self.day = Some(day);
        Some(day)
    }
}
