//! Weeks of many lines at once, from a table with commas.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use csv::{ReaderBuilder, StringRecord, Trim};
use entity::id::FacilityId;

use super::enter::{self, Said, WRONG_SLOTS, WRONG_WAIT, WeekSaid};
use super::{day_at, pace};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::playbook::{Playbook, fold_name};
use crate::viewer::Viewer;

/// Most rows of a table, without its head.
pub const ROWS_MAX: usize = 5_000;
/// Longest table in bytes.
pub const BYTES_MAX: usize = 250_000;
/// Most mistakes that are told at once.
const MISTAKES_MAX: usize = 100;

/// The columns, in any order. The last may be left out or be empty.
const COLUMNS: [&str; 5] = ["service_line", "facility", "monday", "open_slots", "wait_days"];

/// A table to take in.
#[derive(Clone, Debug)]
pub struct ImportCapacity {
    /// The table, with commas and a head.
    pub csv: String,
    /// Whether to only say what would come of it.
    pub dry_run: bool,
}

/// What came of a table, or would come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Weeks in the table.
    pub rows: usize,
    /// Weeks that are different from before.
    pub changed: usize,
}

/// Takes in a table as a whole, or nothing of it.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; the first mistakes of the table, each with its row and column as a
/// spreadsheet counts them; or a fault of the database.
pub async fn import(h: &Hospital, viewer: &Viewer, input: ImportCapacity) -> Result<Done<Imported>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "service-line" });
    }
    let playbook = h.playbook().await?;
    let said = read(&playbook, &input.csv, h.now()).map_err(Error::Refused)?;
    let rows = said.len();
    let tx = db::begin_write(&h.db).await?;
    let changed = enter::write(&tx, said, viewer.actor(), h.now()).await?;
    if input.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(Done {
        value: Imported { rows, changed },
        signals: Vec::new(),
        nudges: if input.dry_run {
            Vec::new()
        } else {
            vec![Subject::Capacity]
        },
    })
}

/// Reads a table.
fn read(playbook: &Playbook, csv: &str, now: DateTime<Utc>) -> Result<Vec<Said>, Vec<Refusal>> {
    let one = |code, message: String| vec![Refusal::new(code, "csv", message)];
    if csv.len() > BYTES_MAX {
        return Err(one(
            Code::TooLarge,
            "A table has at most 250,000 bytes.".to_owned(),
        ));
    }
    // Spreadsheets put a mark before the first letter.
    let csv = csv.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .flexible(true)
        .from_reader(csv.as_bytes());
    let head = reader.headers().cloned().unwrap_or_default();
    let places = columns(&head).map_err(|message| one(Code::Invalid, message))?;
    let mut table = Table {
        playbook,
        places,
        facilities: facilities(playbook),
        now,
        seen: HashSet::new(),
        mistakes: Vec::new(),
    };
    let mut said = Vec::new();
    for (number, record) in reader.records().enumerate() {
        if number == ROWS_MAX {
            return Err(one(Code::TooLarge, "A table has at most 5,000 rows.".to_owned()));
        }
        // The head is the first row.
        let row = number + 2;
        match record {
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => said.extend(table.row(row, &record)),
            Err(_) => table.mistakes.push(Refusal::new(
                Code::Invalid,
                "csv",
                format!("Row {row} cannot be read."),
            )),
        }
        if table.mistakes.len() >= MISTAKES_MAX {
            break;
        }
    }
    if said.is_empty() && table.mistakes.is_empty() {
        return Err(one(Code::Required, "The table has no rows.".to_owned()));
    }
    if table.mistakes.is_empty() {
        Ok(said)
    } else {
        Err(table.mistakes)
    }
}

/// Where each column stands; the last may be missing.
fn columns(head: &StringRecord) -> Result<[Option<usize>; 5], String> {
    let mut places = [None; 5];
    for (place, name) in head.iter().enumerate() {
        let known = COLUMNS
            .iter()
            .position(|column| *column == name.to_ascii_lowercase());
        let Some(known) = known else {
            return Err(format!(
                "Row 1, column {}: the columns are {}.",
                place + 1,
                COLUMNS.join(", ")
            ));
        };
        if places[known].replace(place).is_some() {
            return Err(format!("Row 1: the column {} is there twice.", COLUMNS[known]));
        }
    }
    match places.iter().take(4).position(Option::is_none) {
        Some(missing) => Err(format!("Row 1: the column {} is missing.", COLUMNS[missing])),
        None => Ok(places),
    }
}

/// Facilities by slug and name, folded.
fn facilities(playbook: &Playbook) -> HashMap<String, FacilityId> {
    let rows = || playbook.facilities.values();
    let names = rows().map(|row| (fold_name(&row.name), row.id));
    // A slug is stronger than a name.
    names
        .chain(rows().map(|row| (fold_name(&row.slug), row.id)))
        .collect()
}

/// A table that is being read.
struct Table<'a> {
    playbook: &'a Playbook,
    places: [Option<usize>; 5],
    facilities: HashMap<String, FacilityId>,
    now: DateTime<Utc>,
    seen: HashSet<(super::Pool, NaiveDate)>,
    mistakes: Vec<Refusal>,
}

impl Table<'_> {
    fn row(&mut self, row: usize, record: &StringRecord) -> Option<Said> {
        let cell = |column: usize| {
            let place = self.places[column]?;
            record.get(place).filter(|text| !text.is_empty())
        };
        let [line, facility, monday, slots, wait] = [0, 1, 2, 3, 4].map(cell);
        let line = line
            .and_then(|name| self.playbook.line_named(name))
            .map(|line| line.id);
        let line = self.must(row, 0, line, "there is no such service line.");
        let facility = facility.and_then(|name| self.facilities.get(&fold_name(name)).copied());
        let facility = self.must(row, 1, facility, "there is no such facility.");
        let monday = monday.and_then(|text| text.parse::<NaiveDate>().ok());
        let monday = self.must(row, 2, monday, "write a day like 2026-03-02.");
        let number = |text: &str, most: i32| {
            let number = text.parse::<i32>().ok();
            number.filter(|number| (0..=most).contains(number))
        };
        let open_slots = slots.and_then(|text| number(text, pace::SLOTS_MAX));
        let open_slots = self.must(row, 3, open_slots, WRONG_SLOTS);
        let wait_days = match wait {
            None => Some(None),
            Some(text) => number(text, pace::WAIT_DAYS_MAX).map(Some),
        };
        let wait_days = self.must(row, 4, wait_days, WRONG_WAIT);
        let (pool, monday) = ((line?, facility?), monday?);
        if let Some((code, message)) = enter::wrong_monday(monday, day_at(self.playbook, pool.1, self.now)) {
            self.mistake(code, row, 2, message);
        } else if !self.seen.insert((pool, monday)) {
            self.mistake(Code::AlreadyExists, row, 2, "an earlier row names the same week.");
        }
        Some(Said {
            pool,
            week: WeekSaid {
                monday,
                open_slots: open_slots?,
                wait_days: wait_days?,
                version: None,
            },
            field: "csv".to_owned(),
        })
    }

    fn must<T>(&mut self, row: usize, column: usize, value: Option<T>, message: &str) -> Option<T> {
        if value.is_none() {
            self.mistake(Code::Invalid, row, column, message);
        }
        value
    }

    fn mistake(&mut self, code: Code, row: usize, column: usize, message: &str) {
        let mut letters = message.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let message: String = first.into_iter().chain(letters).collect();
        let at = format!("Row {row}, column {}: {message}", COLUMNS[column]);
        self.mistakes.push(Refusal::new(code, "csv", at));
    }
}
