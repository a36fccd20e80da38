//! Opening hours as data: ranges of local wall-clock time per weekday, and the dates that differ.
//!
//! These types are JSON columns. They hold no rule about time zones or daylight saving; `domain::sla::calendar`
//! reads them. Each value is checked when it is made *and* when it is read from JSON, so a stored row cannot hold
//! overlapping or reversed ranges.
//!
//! ```json
//! {
//!   "weekly": { "monday": ["08:00-12:00", "13:00-17:00"], "saturday": ["09:00-24:00"] },
//!   "holidays": [
//!     { "date": "2026-12-24", "name": "Christmas Eve", "hours": ["08:00-12:00"] },
//!     { "date": "2026-12-25", "name": "Christmas Day" }
//!   ]
//! }
//! ```

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate, Weekday};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Minutes in a day; also the greatest end of a range, written `24:00`.
pub const MINUTES_PER_DAY: u16 = 24 * 60;
/// The most ranges one day may have.
pub const MAX_RANGES_PER_DAY: usize = 12;
/// The most dates one calendar may list as different.
pub const MAX_HOLIDAYS: usize = 1_000;
/// The longest name of a holiday, in characters.
pub const MAX_HOLIDAY_NAME_CHARS: usize = 100;

/// Why some hours were refused. The text is safe to show to the person who typed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoursInvalid {
    message: String,
}

impl HoursInvalid {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for HoursInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HoursInvalid {}

/// A span of wall-clock time within one day, `[start, end)`, written `08:00-12:00`.
///
/// The end may be `24:00`. A range never crosses midnight: a night shift is `22:00-24:00` on one day and
/// `00:00-06:00` on the next, so that a holiday closes exactly its own date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OpenRange {
    start_minute: u16,
    end_minute: u16,
}

impl OpenRange {
    /// A range from its first minute of the day to the minute at which it ends.
    ///
    /// # Errors
    /// When the end is not after the start, or is later than `24:00`.
    pub fn new(start_minute: u16, end_minute: u16) -> Result<Self, HoursInvalid> {
        if end_minute > MINUTES_PER_DAY {
            return Err(HoursInvalid::new("A range ends at 24:00 at the latest."));
        }
        if start_minute >= end_minute {
            return Err(HoursInvalid::new(
                "A range must end after it starts. Write a night shift as two ranges, split at 24:00.",
            ));
        }
        Ok(Self {
            start_minute,
            end_minute,
        })
    }

    /// The first open minute, counted from local midnight.
    #[must_use]
    pub const fn start_minute(self) -> u16 {
        self.start_minute
    }

    /// The minute at which the range ends, counted from local midnight; at most 1440.
    #[must_use]
    pub const fn end_minute(self) -> u16 {
        self.end_minute
    }
}

impl fmt::Display for OpenRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start_minute, self.end_minute);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            start / 60,
            start % 60,
            end / 60,
            end % 60
        )
    }
}

impl FromStr for OpenRange {
    type Err = HoursInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .trim()
            .split_once('-')
            .and_then(|(start, end)| Some((minute_of_day(start.trim())?, minute_of_day(end.trim())?)));
        let (start, end) =
            parsed.ok_or_else(|| HoursInvalid::new("Write a range as 08:00-12:00, in 24-hour time."))?;
        Self::new(start, end)
    }
}

impl TryFrom<String> for OpenRange {
    type Error = HoursInvalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OpenRange> for String {
    fn from(range: OpenRange) -> Self {
        range.to_string()
    }
}

/// Reads `HH:MM`, from `00:00` to `24:00`.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        (lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let hour = digits(hour, 1..=2)?;
    let minute = digits(minute, 2..=2).filter(|minute| *minute < 60)?;
    Some(hour * 60 + minute).filter(|total| *total <= MINUTES_PER_DAY)
}

/// The open ranges of one day, sorted and without overlap. Empty means closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<OpenRange>", into = "Vec<OpenRange>")]
pub struct DayHours(Vec<OpenRange>);

impl DayHours {
    /// The hours of a day, given in any order.
    ///
    /// # Errors
    /// When two ranges overlap, or there are more than [`MAX_RANGES_PER_DAY`].
    pub fn new(mut ranges: Vec<OpenRange>) -> Result<Self, HoursInvalid> {
        if ranges.len() > MAX_RANGES_PER_DAY {
            return Err(HoursInvalid::new(format!(
                "A day has at most {MAX_RANGES_PER_DAY} ranges."
            )));
        }
        ranges.sort_unstable();
        if let Some(pair) = ranges
            .windows(2)
            .find(|pair| pair[0].end_minute > pair[1].start_minute)
        {
            return Err(HoursInvalid::new(format!(
                "The ranges {} and {} overlap.",
                pair[0], pair[1]
            )));
        }
        Ok(Self(ranges))
    }

    /// A day without any open time.
    #[must_use]
    pub const fn closed() -> Self {
        Self(Vec::new())
    }

    /// A day open from midnight to midnight.
    #[must_use]
    pub fn all_day() -> Self {
        Self(vec![OpenRange {
            start_minute: 0,
            end_minute: MINUTES_PER_DAY,
        }])
    }

    /// The ranges, earliest first.
    #[must_use]
    pub fn ranges(&self) -> &[OpenRange] {
        &self.0
    }

    /// Whether the day has no open time at all.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<OpenRange>> for DayHours {
    type Error = HoursInvalid;

    fn try_from(ranges: Vec<OpenRange>) -> Result<Self, Self::Error> {
        Self::new(ranges)
    }
}

impl From<DayHours> for Vec<OpenRange> {
    fn from(day: DayHours) -> Self {
        day.0
    }
}

/// The hours of an ordinary week. A day that is left out is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default, deny_unknown_fields)]
pub struct WeeklyHours {
    /// Hours on Mondays.
    pub monday: DayHours,
    /// Hours on Tuesdays.
    pub tuesday: DayHours,
    /// Hours on Wednesdays.
    pub wednesday: DayHours,
    /// Hours on Thursdays.
    pub thursday: DayHours,
    /// Hours on Fridays.
    pub friday: DayHours,
    /// Hours on Saturdays.
    pub saturday: DayHours,
    /// Hours on Sundays.
    pub sunday: DayHours,
}

impl WeeklyHours {
    /// The same hours on each of the given days; the other days are closed.
    #[must_use]
    pub fn on_days(days: &[Weekday], hours: &DayHours) -> Self {
        let mut week = Self::default();
        for day in days {
            week.day_mut(*day).clone_from(hours);
        }
        week
    }

    /// Open at every moment, as an emergency line is.
    #[must_use]
    pub fn always() -> Self {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        Self::on_days(&[Mon, Tue, Wed, Thu, Fri, Sat, Sun], &DayHours::all_day())
    }

    /// The hours of one weekday.
    #[must_use]
    pub const fn day(&self, day: Weekday) -> &DayHours {
        match day {
            Weekday::Mon => &self.monday,
            Weekday::Tue => &self.tuesday,
            Weekday::Wed => &self.wednesday,
            Weekday::Thu => &self.thursday,
            Weekday::Fri => &self.friday,
            Weekday::Sat => &self.saturday,
            Weekday::Sun => &self.sunday,
        }
    }

    /// The hours of one weekday, to change them.
    pub const fn day_mut(&mut self, day: Weekday) -> &mut DayHours {
        match day {
            Weekday::Mon => &mut self.monday,
            Weekday::Tue => &mut self.tuesday,
            Weekday::Wed => &mut self.wednesday,
            Weekday::Thu => &mut self.thursday,
            Weekday::Fri => &mut self.friday,
            Weekday::Sat => &mut self.saturday,
            Weekday::Sun => &mut self.sunday,
        }
    }
}

/// A date whose hours differ from its weekday's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The local date, in the zone of the calendar.
    pub date: NaiveDate,
    /// What staff call it.
    pub name: String,
    /// The hours that replace those of the weekday; empty, or left out, means closed.
    #[serde(default, skip_serializing_if = "DayHours::is_closed")]
    pub hours: DayHours,
}

/// The opening hours of a business calendar: an ordinary week and the dates that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(try_from = "UncheckedHours")]
pub struct Hours {
    weekly: WeeklyHours,
    holidays: Vec<Holiday>,
}

/// [`Hours`] as read from JSON, before its dates are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedHours {
    #[serde(default)]
    weekly: WeeklyHours,
    #[serde(default)]
    holidays: Vec<Holiday>,
}

impl Hours {
    /// Hours made of a week and the dates that differ, given in any order.
    ///
    /// # Errors
    /// When a date is listed twice, a name is empty or too long, or there are more than [`MAX_HOLIDAYS`] dates.
    pub fn new(weekly: WeeklyHours, mut holidays: Vec<Holiday>) -> Result<Self, HoursInvalid> {
        if holidays.len() > MAX_HOLIDAYS {
            return Err(HoursInvalid::new(format!(
                "A calendar lists at most {MAX_HOLIDAYS} holidays."
            )));
        }
        holidays.sort_by_key(|holiday| holiday.date);
        if let Some(pair) = holidays.windows(2).find(|pair| pair[0].date == pair[1].date) {
            return Err(HoursInvalid::new(format!(
                "The date {} is listed twice.",
                pair[0].date
            )));
        }
        if let Some(holiday) = holidays.iter().find(|holiday| {
            holiday.name.trim().is_empty() || holiday.name.chars().count() > MAX_HOLIDAY_NAME_CHARS
        }) {
            return Err(HoursInvalid::new(format!(
                "The holiday on {} needs a name of at most {MAX_HOLIDAY_NAME_CHARS} characters.",
                holiday.date
            )));
        }
        Ok(Self { weekly, holidays })
    }

    /// The ordinary week.
    #[must_use]
    pub const fn weekly(&self) -> &WeeklyHours {
        &self.weekly
    }

    /// The dates that differ, earliest first.
    #[must_use]
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    /// The hours of one local date: the holiday's if it is one, else the weekday's.
    #[must_use]
    pub fn on(&self, date: NaiveDate) -> &DayHours {
        match self.holidays.binary_search_by_key(&date, |holiday| holiday.date) {
            Ok(index) => &self.holidays[index].hours,
            Err(_) => self.weekly.day(date.weekday()),
        }
    }
}

impl From<WeeklyHours> for Hours {
    fn from(weekly: WeeklyHours) -> Self {
        Self {
            weekly,
            holidays: Vec::new(),
        }
    }
}

impl TryFrom<UncheckedHours> for Hours {
    type Error = HoursInvalid;

    fn try_from(hours: UncheckedHours) -> Result<Self, Self::Error> {
        Self::new(hours.weekly, hours.holidays)
    }
}
