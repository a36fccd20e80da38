//! Facilities, departments, people and teams.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::business_calendar::hours::Hours;
use entity::id::{FacilityId, TeamId};
use entity::{business_calendar, department, facility, staff, team, team_member};

use super::document::{FacilitySetup, StaffSetup, TeamSetup};
use super::plan::{At, Plan};
use crate::contact::email::EmailAddress;
use crate::contact::phone::PhoneNumber;
use crate::contact::zones::zones_of_state;
use crate::error::Code;
use crate::id::new_id;
use crate::staff::{limit, password};

/// Slug of the team that an installation without any begins with.
pub(super) const REVIEW_SLUG: &str = "review";

/// The team that an installation without any begins with.
pub(super) fn review_team(now: DateTime<Utc>) -> team::Model {
    team::Model {
        id: new_id(now),
        slug: REVIEW_SLUG.to_owned(),
        name: "Intake review".to_owned(),
        facility_id: None,
        department_id: None,
        lead_id: None,
        is_review: true,
        created_at: now,
    }
}

pub(super) fn plan(plan: &mut Plan<'_>) {
    facilities(plan);
    departments(plan);
    people(plan);
    teams(plan);
    one_review_team(plan);
}

fn facilities(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.facilities.iter().enumerate() {
        let at = At("facilities", index);
        plan.check_slug(&at.part("slug"), &wanted.slug);
        plan.check_once(&at.part("slug"), &mut seen, &wanted.slug);
        let phone = check_facility(plan, at, wanted);
        let before = plan.known.facilities.iter().find(|row| row.slug == wanted.slug);
        let row = facility::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            slug: wanted.slug.clone(),
            name: wanted.name.clone(),
            address_line: wanted.address_line.clone(),
            city: wanted.city.clone(),
            region: wanted.region.clone(),
            postal_code: wanted.postal_code.clone(),
            country: wanted.country.clone(),
            time_zone: wanted.time_zone.clone(),
            phone,
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names.facilities.insert(row.slug.clone(), row.id);
        calendar(plan, at, row.id, wanted.hours.as_ref());
        plan.rows.facilities.settle(before, row);
    }
}

/// Checks the parts of a facility; answers its number in E.164.
fn check_facility(plan: &mut Plan<'_>, at: At, wanted: &FacilitySetup) -> Option<String> {
    plan.check_name(&at.part("name"), &wanted.name);
    plan.check_name(&at.part("addressLine"), &wanted.address_line);
    plan.check_name(&at.part("city"), &wanted.city);
    plan.check_name(&at.part("postalCode"), &wanted.postal_code);
    plan.check_zone(&at.part("timeZone"), &wanted.time_zone);
    let is_country = wanted.country.len() == 2 && wanted.country.bytes().all(|c| c.is_ascii_uppercase());
    if !is_country {
        plan.refuse(
            Code::Invalid,
            &at.part("country"),
            "Write a two-letter country code, for example US.",
        );
    }
    if wanted.country == "US" && zones_of_state(&wanted.region).is_none() {
        plan.refuse(
            Code::Invalid,
            &at.part("region"),
            "Write a two-letter state code, for example OH.",
        );
    }
    phone(plan, &at.part("phone"), wanted.phone.as_ref())
}

/// A phone number in E.164, if there is one.
pub(super) fn phone(plan: &mut Plan<'_>, path: &str, written: Option<&String>) -> Option<String> {
    match PhoneNumber::parse(written?) {
        Ok(number) => Some(number.as_str().to_owned()),
        Err(invalid) => {
            plan.refuse(Code::Invalid, path, invalid.message);
            None
        }
    }
}

fn calendar(plan: &mut Plan<'_>, at: At, facility_id: FacilityId, written: Option<&serde_json::Value>) {
    let Some(written) = written else { return };
    let hours: Hours = match serde_json::from_value(written.clone()) {
        Ok(hours) => hours,
        Err(error) => {
            // The reader's words say which ranges overlap or which date comes twice.
            let message = format!("These hours cannot be read: {error}");
            return plan.refuse(Code::Invalid, &at.part("hours"), message);
        }
    };
    let before = plan
        .known
        .calendars
        .iter()
        .find(|row| row.facility_id == facility_id);
    let row = business_calendar::Model {
        id: before.map_or_else(|| new_id(plan.now), |row| row.id),
        facility_id,
        hours,
        created_at: before.map_or(plan.now, |row| row.created_at),
    };
    plan.rows.calendars.settle(before, row);
}

fn departments(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.departments.iter().enumerate() {
        let at = At("departments", index);
        plan.check_name(&at.part("name"), &wanted.name);
        plan.check_once(
            &at.part("name"),
            &mut seen,
            &format!("{}/{}", wanted.facility, wanted.name),
        );
        let facility = plan.names.facilities.get(&wanted.facility).copied();
        let Some(facility_id) = plan.meant(&at.part("facility"), facility, "facility") else {
            continue;
        };
        let known = &plan.known.departments;
        let before = known
            .iter()
            .find(|row| row.facility_id == facility_id && row.name == wanted.name);
        let row = department::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            facility_id,
            name: wanted.name.clone(),
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names
            .departments
            .insert((facility_id, row.name.clone()), row.id);
        plan.rows.departments.settle(before, row);
    }
}

/// The address by which a person signs in; none if it cannot be read.
pub(super) fn sign_in_name(wanted: &StaffSetup) -> Option<String> {
    EmailAddress::parse(&wanted.email)
        .ok()
        .map(|address| address.normalized())
}

fn people(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.staff.iter().enumerate() {
        let at = At("staff", index);
        plan.check_name(&at.part("name"), &wanted.name);
        plan.check_zone(&at.part("timeZone"), &wanted.time_zone);
        check_password(plan, at, wanted.password.as_deref());
        if let Err(refusal) = wanted.max_open.map_or(Ok(()), limit::check) {
            plan.refuse(refusal.code, &at.part("maxOpen"), refusal.message);
        }
        let Some(email) = sign_in_name(wanted) else {
            plan.refuse(
                Code::Invalid,
                &at.part("email"),
                "Write an email address like name@example.org.",
            );
            continue;
        };
        plan.check_once(&at.part("email"), &mut seen, &email);
        let before = plan.known.staff.iter().find(|row| row.email == email);
        let row = staff::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            display_name: wanted.name.clone(),
            role: wanted.role,
            time_zone: wanted.time_zone.clone(),
            password_hash: match before {
                Some(row) => row.password_hash.clone(),
                None => plan.passwords.get(&email).cloned(),
            },
            max_open: wanted.max_open.or_else(|| before.and_then(|row| row.max_open)),
            active: wanted.active,
            created_at: before.map_or(plan.now, |row| row.created_at),
            email,
        };
        plan.names.staff.insert(row.email.clone(), row.id);
        plan.rows.staff.settle(before, row);
    }
}

fn check_password(plan: &mut Plan<'_>, at: At, first: Option<&str>) {
    if let Some(Err(refusal)) = first.map(password::check) {
        plan.refuse(refusal.code, &at.part("password"), refusal.message);
    }
}

fn teams(plan: &mut Plan<'_>) {
    let mut seen = HashSet::new();
    for (index, wanted) in plan.setup.teams.iter().enumerate() {
        let at = At("teams", index);
        plan.check_slug(&at.part("slug"), &wanted.slug);
        plan.check_once(&at.part("slug"), &mut seen, &wanted.slug);
        plan.check_name(&at.part("name"), &wanted.name);
        let find = |names: &super::plan::Names, slug: &String| names.facilities.get(slug).copied();
        let facility_id = plan.meant_if(&at.part("facility"), wanted.facility.as_ref(), "facility", find);
        let department_id = plan.meant_if(
            &at.part("department"),
            wanted.department.as_ref(),
            "department of this facility",
            |names, name| names.departments.get(&(facility_id?, name.clone())).copied(),
        );
        let lead_id = plan.meant_if(
            &at.part("lead"),
            wanted.lead.as_ref(),
            "member of staff",
            |names, email| names.staff.get(&email.trim().to_lowercase()).copied(),
        );
        let before = plan.known.teams.iter().find(|row| row.slug == wanted.slug);
        let row = team::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            slug: wanted.slug.clone(),
            name: wanted.name.clone(),
            facility_id,
            department_id,
            lead_id: lead_id.or_else(|| before.and_then(|row| row.lead_id)),
            // The mark stays until another team asks for it, which is refused: there must always be one.
            is_review: wanted.review || before.is_some_and(|row| row.is_review),
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.names.teams.insert(row.slug.clone(), row.id);
        members(plan, at, row.id, wanted);
        plan.rows.teams.settle(before, row);
    }
}

fn members(plan: &mut Plan<'_>, at: At, team_id: TeamId, wanted: &TeamSetup) {
    let mut seen = HashSet::new();
    for (index, email) in wanted.members.iter().enumerate() {
        let path = at.part(&format!("members.{index}"));
        let email = email.trim().to_lowercase();
        plan.check_once(&path, &mut seen, &email);
        let found = plan.names.staff.get(&email).copied();
        let Some(staff_id) = plan.meant(&path, found, "member of staff") else {
            continue;
        };
        let row = team_member::Model { team_id, staff_id };
        let before = plan
            .known
            .members
            .contains(&(team_id, staff_id))
            .then(|| row.clone());
        plan.rows.members.settle(before.as_ref(), row);
    }
}

/// Leads that no rule can place need one place to go to, not two and not none.
fn one_review_team(plan: &mut Plan<'_>) {
    let before = plan
        .known
        .teams
        .iter()
        .find(|row| row.is_review)
        .map(|row| row.slug.clone());
    let asked: Vec<usize> = plan
        .setup
        .teams
        .iter()
        .enumerate()
        .filter(|(_, team)| team.review)
        .map(|(index, _)| index)
        .collect();
    for (place, index) in asked.iter().enumerate() {
        let slug = &plan.setup.teams[*index].slug;
        let other_is_there = before.as_ref().is_some_and(|before| before != slug);
        if place > 0 || other_is_there {
            let message = "Another team is the review team already, and there is only one.";
            plan.refuse(Code::AlreadyExists, &At("teams", *index).part("review"), message);
        }
    }
    if before.is_none() && asked.is_empty() {
        let row = review_team(plan.now);
        if plan.names.teams.insert(row.slug.clone(), row.id).is_some() {
            let message = "No team is the review team; mark the one called `review`.";
            return plan.refuse(Code::Required, "teams", message);
        }
        plan.rows.teams.settle(None, row);
    }
}
