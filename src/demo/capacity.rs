//! What the service lines of the demo hospital can hold in the coming weeks: `demo/capacity.json`.

use chrono::TimeDelta;
use domain::capacity::enter::{self, SetCapacity, WeekSaid};
use domain::capacity::{day_at, monday_of};
use domain::error::{Error, Result};
use domain::hospital::Hospital;
use domain::playbook::Playbook;
use domain::viewer::Viewer;
use entity::enums::Role;
use serde::Deserialize;

/// The coming weeks of a service line at a facility, the present one first.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Weeks {
    service_line: String,
    facility: String,
    open_slots: Vec<i32>,
    wait_days: Vec<i32>,
}

/// Enters them, as the first service-line lead does.
pub(super) async fn enter(h: &Hospital, playbook: &Playbook) -> Result<()> {
    let places: Vec<Weeks> = serde_json::from_str(include_str!("../../demo/capacity.json"))
        .map_err(|error| Error::fault(format!("demo/capacity.json cannot be read: {error}")))?;
    let leads = playbook
        .staff
        .values()
        .filter(|person| person.role == Role::ServiceLineLead);
    let lead = leads
        .min_by(|one, other| one.email.cmp(&other.email))
        .ok_or_else(|| Error::fault("nobody of the demo hospital answers for a service line"))?;
    let viewer = Viewer::Staff {
        id: lead.id,
        role: lead.role,
        teams: Vec::new(),
    };
    for place in places {
        let unknown = || Error::fault(format!("demo/capacity.json names an unknown {}", place.facility));
        let line = playbook.line_named(&place.service_line).ok_or_else(unknown)?.id;
        let mut facilities = playbook.facilities.values();
        let facility = facilities
            .find(|row| row.slug == place.facility)
            .ok_or_else(unknown)?
            .id;
        let this = monday_of(day_at(playbook, facility, h.now()));
        let weeks = place.open_slots.iter().zip(&place.wait_days).enumerate();
        let weeks = weeks.map(|(number, (open_slots, wait_days))| WeekSaid {
            monday: this + TimeDelta::weeks(i64::try_from(number).unwrap_or_default()),
            open_slots: *open_slots,
            wait_days: Some(*wait_days),
            version: None,
        });
        let input = SetCapacity {
            service_line_id: line,
            facility_id: facility,
            weeks: weeks.collect(),
        };
        // Workers that are not there yet need no reminder.
        let _ = enter::set(h, &viewer, input).await?;
    }
    Ok(())
}
