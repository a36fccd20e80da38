//! When nurture may go and how much of it a contact may get. Like texts, windows and caps are never changed: what is
//! different is a new version, so that an old decision can be read with what held then.

use std::collections::HashSet;

use chrono::Weekday;
use entity::sequence_version::Weekday as StoredWeekday;
use entity::{frequency_cap, retention_policy, send_window};

use super::document::SendWindowSetup;
use super::plan::{At, Plan};
use crate::contact::zones::zones_of_state;
use crate::error::Code;
use crate::id::new_id;
use crate::privacy::retention::DAYS_MAX;
use crate::quiet_hours::windows::{COUNTRY, HOUSE, weekday};

/// Most mails that a cap may allow: beyond it, it caps nothing, and the gate would read long histories.
const MAX_CAP: i32 = 100;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.send_windows.iter().enumerate() {
        let at = At("sendWindows", index);
        plan.check_once(&at.part("jurisdiction"), &mut seen, &wanted.jurisdiction);
        check_window(plan, at, wanted);
        window(plan, wanted);
    }
    caps(plan);
    retention(plan);
}

fn check_window(plan: &mut Plan<'_>, at: At, wanted: &SendWindowSetup) {
    let is_state = |name: &str| {
        let code = name.strip_prefix("US-");
        code.is_some_and(|code| {
            code.bytes().all(|letter| letter.is_ascii_uppercase()) && zones_of_state(code).is_some()
        })
    };
    if ![HOUSE, COUNTRY].contains(&wanted.jurisdiction.as_str()) && !is_state(&wanted.jurisdiction) {
        let message = "Write HOUSE, US, or a state, for example US-FL.";
        plan.refuse(Code::Invalid, &at.part("jurisdiction"), message);
    }
    plan.check_text(&at.part("source"), &wanted.source, true);
    if StoredWeekday::ALL
        .iter()
        .all(|day| wanted.hours.day(weekday(*day)).is_closed())
    {
        let message = "A window is open at some time of the week.";
        plan.refuse(Code::Required, &at.part("hours"), message);
    }
}

/// What a row says, without its id and time.
type Said<'a> = (StoredWeekday, i32, i32, &'a str, chrono::NaiveDate);

fn said(row: &send_window::Model) -> Said<'_> {
    (
        row.weekday,
        row.start_minute,
        row.end_minute,
        &row.source,
        row.reviewed_on,
    )
}

fn window(plan: &mut Plan<'_>, wanted: &SendWindowSetup) {
    let of_jurisdiction = |row: &&send_window::Model| row.jurisdiction == wanted.jurisdiction;
    let before: Vec<&send_window::Model> = plan.known.send_windows.iter().filter(of_jurisdiction).collect();
    let version = before.iter().map(|row| row.version).max().unwrap_or(0);
    let rows = rows(plan, wanted, version + 1);
    let mut now_said: Vec<Said<'_>> = rows.iter().map(said).collect();
    let mut then_said: Vec<Said<'_>> = before
        .iter()
        .filter(|row| row.version == version)
        .map(|row| said(row))
        .collect();
    now_said.sort_unstable();
    then_said.sort_unstable();
    if now_said == then_said {
        plan.rows.send_windows.same += rows.len();
    } else {
        plan.rows.send_windows.made.extend(rows);
    }
}

fn rows(plan: &Plan<'_>, wanted: &SendWindowSetup, version: i32) -> Vec<send_window::Model> {
    let mut rows = Vec::new();
    for stored in StoredWeekday::ALL {
        let day: Weekday = weekday(*stored);
        for range in wanted.hours.day(day).ranges() {
            rows.push(send_window::Model {
                id: new_id(plan.now),
                jurisdiction: wanted.jurisdiction.clone(),
                version,
                weekday: *stored,
                start_minute: range.start_minute().into(),
                end_minute: range.end_minute().into(),
                source: wanted.source.clone(),
                reviewed_on: wanted.reviewed_on,
                created_at: plan.now,
            });
        }
    }
    rows
}

fn caps(plan: &mut Plan<'_>) {
    let Some(wanted) = plan.setup.frequency_cap else {
        return;
    };
    for (part, cap) in [("perDay", wanted.per_day), ("perWeek", wanted.per_week)] {
        if !(1..=MAX_CAP).contains(&cap) {
            let path = format!("frequencyCap.{part}");
            plan.refuse(Code::Invalid, &path, "A cap allows 1 to 100 mails.");
        }
    }
    let newest = plan.known.frequency_caps.iter().max_by_key(|row| row.version);
    if newest.is_some_and(|row| (row.per_day, row.per_week) == (wanted.per_day, wanted.per_week)) {
        plan.rows.frequency_caps.same += 1;
        return;
    }
    let row = frequency_cap::Model {
        id: new_id(plan.now),
        version: newest.map_or(1, |row| row.version + 1),
        per_day: wanted.per_day,
        per_week: wanted.per_week,
        created_at: plan.now,
    };
    plan.rows.frequency_caps.made.push(row);
}

fn retention(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.retention.iter().enumerate() {
        let at = At("retention", index);
        plan.check_once(&at.part("kind"), &mut seen, wanted.kind.as_str());
        if !(1..=DAYS_MAX).contains(&wanted.keep_days) {
            let message = "Data is kept for 1 to 36500 days.";
            plan.refuse(Code::Invalid, &at.part("keepDays"), message);
        }
        let before = plan.known.retention.iter().find(|row| row.kind == wanted.kind);
        let is_same = before.is_some_and(|row| row.keep_days == wanted.keep_days);
        let row = retention_policy::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            kind: wanted.kind,
            keep_days: wanted.keep_days,
            updated_at: before.filter(|_| is_same).map_or(plan.now, |row| row.updated_at),
        };
        plan.rows.retention.settle(before, row);
    }
}
