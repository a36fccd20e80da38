//! The windows of the law and of the house, by jurisdiction, and which of them hold for a contact.
//!
//! Three kinds of jurisdictions: [`HOUSE`], the hospital's own policy, which always holds; [`COUNTRY`], the federal
//! rule, which always holds too; and states (`US-FL`). For a contact whose state is known, the windows of house, country
//! and state are laid over each other, and only what all of them allow is allowed. A contact whose state is not known
//! may be anywhere, so every window that is known has to allow it.
//!
//! Rows of `send_window` come first. A jurisdiction without rows has what is written here, as version 0: the state
//! rules are taken from secondary lists, which disagree, so the stricter reading is kept until somebody has held it
//! against the statute and writes a version of its own.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, Weekday};
use entity::business_calendar::hours::{DayHours, OpenRange, WeeklyHours};
use entity::send_window;
use entity::sequence_version;

use super::SendWindow;
use crate::contact::zones::zones_of_state;

#[cfg(test)]
mod tests;

/// The hospital's own policy.
pub const HOUSE: &str = "HOUSE";
/// The federal rule.
pub const COUNTRY: &str = "US";

const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];
const LISTS: &str =
    "Secondary lists of state telephone solicitation rules, which disagree: to be held against the statute";
const FEDERAL: &str = "47 CFR 64.1200(c)(1)";
const POLICY: &str = "House policy, stricter than 47 CFR 64.1200(c)(1), which allows 08:00 to 21:00";

/// The window of one jurisdiction, with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JurisdictionWindow {
    /// `HOUSE`, `US`, or a state such as `US-FL`.
    pub jurisdiction: String,
    /// 0 for what the program brings, else the version of the rows.
    pub version: i32,
    /// The allowed local time, `[start, end)`.
    pub hours: WeeklyHours,
    /// The text or decision it was taken from.
    pub source: String,
    /// When a person last held it against its source.
    pub reviewed_on: NaiveDate,
}

/// Every window, laid over each other beforehand for every place a contact may be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendWindows {
    known: Vec<JurisdictionWindow>,
    by_state: HashMap<String, SendWindow>,
    other_states: SendWindow,
    anywhere: SendWindow,
}

impl Default for SendWindows {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl SendWindows {
    /// The windows that stand in rows, and what the program brings for the rest. A weekday whose rows cannot be read,
    /// which the database does not let happen, is closed.
    #[must_use]
    pub fn new(rows: &[send_window::Model]) -> Self {
        let mut known: BTreeMap<String, JurisdictionWindow> = built_in()
            .into_iter()
            .map(|window| (window.jurisdiction.clone(), window))
            .collect();
        known.extend(newest(rows));
        let known: Vec<JurisdictionWindow> = known.into_values().collect();
        let everywhere =
            |window: &&JurisdictionWindow| [HOUSE, COUNTRY].contains(&window.jurisdiction.as_str());
        let common = || known.iter().filter(everywhere);
        let by_state = known
            .iter()
            .filter_map(|window| Some((window.jurisdiction.strip_prefix("US-")?, window)))
            .map(|(state, window)| (state.to_owned(), overlaid(common().chain([window]))))
            .collect();
        Self {
            by_state,
            other_states: overlaid(common()),
            anywhere: overlaid(known.iter()),
            known,
        }
    }

    /// The window for a contact in this state, by its USPS code; without one, or outside of the country, the one that
    /// every known jurisdiction allows.
    #[must_use]
    pub fn of(&self, state: Option<&str>) -> &SendWindow {
        let Some(code) = state.filter(|state| zones_of_state(state).is_some()) else {
            return &self.anywhere;
        };
        self.by_state
            .get(&code.trim().to_ascii_uppercase())
            .unwrap_or(&self.other_states)
    }

    /// Every window as it holds now, by jurisdiction.
    #[must_use]
    pub fn known(&self) -> &[JurisdictionWindow] {
        &self.known
    }
}

/// The hours of the house where it has written none.
pub(super) fn house_hours() -> WeeklyHours {
    hours(&WEEK[..6], 9, 20)
}

/// What windows have in common.
fn overlaid<'a>(windows: impl Iterator<Item = &'a JurisdictionWindow>) -> SendWindow {
    let mut all = WeeklyHours::always();
    let mut names = Vec::new();
    for window in windows {
        all = common(&all, &window.hours);
        names.push(format!("{}.{}", window.jurisdiction, window.version));
    }
    SendWindow {
        version: names.join(" "),
        hours: all,
    }
}

/// The hours that both weeks have.
fn common(one: &WeeklyHours, other: &WeeklyHours) -> WeeklyHours {
    let mut week = WeeklyHours::default();
    for day in WEEK {
        let mut ranges = Vec::new();
        for a in one.day(day).ranges() {
            for b in other.day(day).ranges() {
                let start = a.start_minute().max(b.start_minute());
                let end = a.end_minute().min(b.end_minute());
                ranges.extend(OpenRange::new(start, end));
            }
        }
        *week.day_mut(day) = DayHours::new(ranges).unwrap_or_default();
    }
    week
}

/// The newest version of each jurisdiction that has rows.
fn newest(rows: &[send_window::Model]) -> impl Iterator<Item = (String, JurisdictionWindow)> {
    let mut versions: HashMap<&str, i32> = HashMap::new();
    for row in rows {
        let version = versions.entry(&row.jurisdiction).or_insert(row.version);
        *version = row.version.max(*version);
    }
    versions.into_iter().filter_map(|(jurisdiction, version)| {
        let of_version =
            |row: &&send_window::Model| row.jurisdiction == jurisdiction && row.version == version;
        let rows: Vec<_> = rows.iter().filter(of_version).collect();
        let first = rows.first()?;
        let window = JurisdictionWindow {
            jurisdiction: jurisdiction.to_owned(),
            version,
            hours: week(&rows),
            source: first.source.clone(),
            reviewed_on: first.reviewed_on,
        };
        Some((jurisdiction.to_owned(), window))
    })
}

fn week(rows: &[&send_window::Model]) -> WeeklyHours {
    let mut week = WeeklyHours::default();
    for day in WEEK {
        let ranges: Option<Vec<OpenRange>> = rows
            .iter()
            .filter(|row| weekday(row.weekday) == day)
            .map(|row| {
                let (start, end) = (row.start_minute.try_into().ok()?, row.end_minute.try_into().ok()?);
                OpenRange::new(start, end).ok()
            })
            .collect();
        *week.day_mut(day) = ranges
            .and_then(|ranges| DayHours::new(ranges).ok())
            .unwrap_or_default();
    }
    week
}

/// The weekday of the calendar that a row means.
#[must_use]
pub const fn weekday(stored: sequence_version::Weekday) -> Weekday {
    use sequence_version::Weekday as Stored;
    match stored {
        Stored::Monday => Weekday::Mon,
        Stored::Tuesday => Weekday::Tue,
        Stored::Wednesday => Weekday::Wed,
        Stored::Thursday => Weekday::Thu,
        Stored::Friday => Weekday::Fri,
        Stored::Saturday => Weekday::Sat,
        Stored::Sunday => Weekday::Sun,
    }
}

/// What the program brings: the house's policy, the federal rule, and the states that are known to be stricter.
fn built_in() -> Vec<JurisdictionWindow> {
    let but_sunday = &WEEK[..6];
    let mut texas = hours(but_sunday, 9, 21);
    texas.sunday = hours(&[Weekday::Sun], 12, 21).sunday;
    [
        (HOUSE, house_hours(), POLICY),
        (COUNTRY, hours(&WEEK, 8, 21), FEDERAL),
        ("US-AL", hours(but_sunday, 8, 21), LISTS),
        ("US-CT", hours(&WEEK, 9, 20), LISTS),
        ("US-FL", hours(&WEEK, 8, 20), LISTS),
        ("US-LA", hours(but_sunday, 8, 21), LISTS),
        ("US-MD", hours(&WEEK, 8, 20), LISTS),
        ("US-MS", hours(but_sunday, 8, 21), LISTS),
        ("US-OK", hours(&WEEK, 8, 20), LISTS),
        ("US-RI", hours(&WEEK, 9, 18), LISTS),
        ("US-TX", texas, LISTS),
    ]
    .into_iter()
    .map(|(jurisdiction, hours, source)| JurisdictionWindow {
        jurisdiction: jurisdiction.to_owned(),
        version: 0,
        hours,
        source: source.to_owned(),
        reviewed_on: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date of the calendar"),
    })
    .collect()
}

/// The same whole hours on these days.
fn hours(days: &[Weekday], from: u16, to: u16) -> WeeklyHours {
    let range = OpenRange::new(from * 60, to * 60).expect("a window ends after it starts");
    WeeklyHours::on_days(
        days,
        &DayHours::new(vec![range]).expect("one range cannot overlap"),
    )
}
