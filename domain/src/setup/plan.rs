//! What has to be written to bring the installation in line with a document, or everything that is wrong with it. Pure:
//! the present rows, the passwords and the time are arguments.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::enums::Purpose;
use entity::id::{
    CampaignId, ChecklistId, DepartmentId, FacilityId, ServiceLineId, StaffId, TeamId, TemplateId,
};
use entity::{
    audit_rubric, business_calendar, campaign, campaign_service_line, checklist, consent_wording, department,
    facility, follow_up_template, form, frequency_cap, intake_script, lead_profile, placement,
    retention_policy, routing_rule, scoring_rule, send_window, sequence, sequence_version, service_line,
    service_line_alias, sla_policy, staff, staff_skill, team, team_member, template, template_version,
};

use super::known::Known;
use super::{
    Applied, Count, Setup, campaigns, desk, forms, mail, outreach, places, profiles, rubrics, rules, scripts,
    sequences, services, skills,
};
use crate::error::{Code, Refusal};
use crate::outreach::plan::not_for_mails;

/// Most entries of one kind in a document.
const MAX_ENTRIES: usize = 500;
/// Longest slug, key or code, in characters.
const MAX_SLUG_CHARS: usize = 64;
/// Longest name, in characters.
pub(super) const MAX_NAME_CHARS: usize = 200;
/// Longest paragraph, in characters.
pub(super) const MAX_TEXT_CHARS: usize = 4000;

/// Rows of one table.
#[derive(Clone, Debug)]
pub(crate) struct Rows<Row> {
    pub(super) made: Vec<Row>,
    pub(super) changed: Vec<Row>,
    pub(super) same: usize,
}

impl<Row> Default for Rows<Row> {
    fn default() -> Self {
        Self {
            made: Vec::new(),
            changed: Vec::new(),
            same: 0,
        }
    }
}

impl<Row: PartialEq> Rows<Row> {
    /// Takes a row as it is wanted, beside what is there now.
    pub(crate) fn settle(&mut self, before: Option<&Row>, wanted: Row) {
        match before {
            None => self.made.push(wanted),
            Some(row) if *row == wanted => self.same += 1,
            Some(_) => self.changed.push(wanted),
        }
    }

    fn count(&self, noun: &'static str) -> Count {
        Count {
            noun,
            made: self.made.len(),
            changed: self.changed.len(),
            same: self.same,
        }
    }
}

/// Everything to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    pub(super) facilities: Rows<facility::Model>,
    pub(super) calendars: Rows<business_calendar::Model>,
    pub(super) departments: Rows<department::Model>,
    pub(super) staff: Rows<staff::Model>,
    pub(super) teams: Rows<team::Model>,
    pub(super) members: Rows<team_member::Model>,
    pub(super) skills: Rows<staff_skill::Model>,
    pub(super) lines: Rows<service_line::Model>,
    pub(super) aliases: Rows<service_line_alias::Model>,
    pub(super) wordings: Rows<consent_wording::Model>,
    pub(super) templates: Rows<template::Model>,
    pub(super) template_versions: Rows<template_version::Model>,
    pub(super) campaigns: Rows<campaign::Model>,
    pub(super) campaign_lines: Rows<campaign_service_line::Model>,
    pub(super) placements: Rows<placement::Model>,
    pub(super) forms: Rows<form::Model>,
    pub(super) sla: Rows<sla_policy::Model>,
    pub(super) routing: Rows<routing_rule::Model>,
    pub(super) scoring: Rows<scoring_rule::Model>,
    pub(super) checklists: Rows<checklist::Model>,
    pub(super) scripts: Rows<intake_script::Model>,
    pub(super) profiles: Rows<lead_profile::Model>,
    pub(super) rubrics: Rows<audit_rubric::Model>,
    pub(super) follow_up_templates: Rows<follow_up_template::Model>,
    pub(super) sequences: Rows<sequence::Model>,
    pub(super) sequence_versions: Rows<sequence_version::Model>,
    pub(super) send_windows: Rows<send_window::Model>,
    pub(super) frequency_caps: Rows<frequency_cap::Model>,
    pub(super) retention: Rows<retention_policy::Model>,
}

impl Planned {
    pub(super) fn applied(&self) -> Applied {
        let counts = vec![
            self.facilities.count("facilities"),
            self.calendars.count("business calendars"),
            self.departments.count("departments"),
            self.staff.count("staff"),
            self.teams.count("teams"),
            self.members.count("team members"),
            self.skills.count("skills of staff"),
            self.lines.count("service lines"),
            self.aliases.count("service line aliases"),
            self.wordings.count("consent wordings"),
            self.templates.count("templates"),
            self.template_versions.count("template versions"),
            self.campaigns.count("campaigns"),
            self.campaign_lines.count("service lines of campaigns"),
            self.placements.count("placements"),
            self.forms.count("forms"),
            self.sla.count("SLA policies"),
            self.routing.count("routing rules"),
            self.scoring.count("scoring rules"),
            self.checklists.count("checklists"),
            self.scripts.count("versions of scripts"),
            self.profiles.count("lead profiles"),
            self.rubrics.count("versions of rubrics"),
            self.follow_up_templates.count("follow-up templates"),
            self.sequences.count("sequences"),
            self.sequence_versions.count("sequence versions"),
            self.send_windows.count("stretches of send windows"),
            self.frequency_caps.count("frequency caps"),
            self.retention.count("retention policies"),
        ];
        let named = |count: &Count| count.made + count.changed + count.same > 0;
        Applied {
            counts: counts.into_iter().filter(named).collect(),
        }
    }
}

/// What names in the document mean: what is there, and what the document adds.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) facilities: HashMap<String, FacilityId>,
    pub(super) departments: HashMap<(FacilityId, String), DepartmentId>,
    pub(super) staff: HashMap<String, StaffId>,
    pub(super) teams: HashMap<String, TeamId>,
    pub(super) lines: HashMap<String, ServiceLineId>,
    pub(super) wordings: HashSet<String>,
    pub(super) templates: HashMap<String, TemplateId>,
    pub(super) campaigns: HashMap<String, CampaignId>,
    pub(super) checklists: HashMap<String, ChecklistId>,
}

impl Names {
    fn of(known: &Known) -> Self {
        Self {
            facilities: known
                .facilities
                .iter()
                .map(|row| (row.slug.clone(), row.id))
                .collect(),
            departments: known
                .departments
                .iter()
                .map(|row| ((row.facility_id, row.name.clone()), row.id))
                .collect(),
            staff: known
                .staff
                .iter()
                .map(|row| (row.email.clone(), row.id))
                .collect(),
            teams: known.teams.iter().map(|row| (row.slug.clone(), row.id)).collect(),
            lines: known.lines.iter().map(|row| (row.slug.clone(), row.id)).collect(),
            wordings: known.wordings.iter().map(|row| row.key.clone()).collect(),
            templates: known
                .templates
                .iter()
                .map(|row| (row.key.clone(), row.id))
                .collect(),
            campaigns: known
                .campaigns
                .iter()
                .map(|row| (row.code.clone(), row.id))
                .collect(),
            checklists: known
                .checklists
                .iter()
                .map(|row| (row.key.clone(), row.id))
                .collect(),
        }
    }
}

/// A document on its way to rows.
pub(super) struct Plan<'a> {
    pub(super) setup: &'a Setup,
    pub(super) known: &'a Known,
    /// Hashes of the first passwords of new people, by address.
    pub(super) passwords: &'a HashMap<String, String>,
    pub(super) now: DateTime<Utc>,
    pub(super) names: Names,
    pub(super) rows: Planned,
    refusals: Vec<Refusal>,
}

/// The rules of a document that holds nothing else, as rows.
pub(super) fn rules_alone(
    setup: &Setup,
    known: &Known,
    now: DateTime<Utc>,
) -> Result<rules::RuleRows, Vec<Refusal>> {
    let mut plan = Plan {
        setup,
        known,
        passwords: &HashMap::new(),
        now,
        names: Names::of(known),
        rows: Planned::default(),
        refusals: Vec::new(),
    };
    plan.check_sizes();
    let rows = if plan.refusals.is_empty() {
        rules::rows(&mut plan)
    } else {
        rules::RuleRows::default()
    };
    if plan.refusals.is_empty() {
        Ok(rows)
    } else {
        Err(plan.refusals)
    }
}

/// Plans everything, in the order in which parts name each other.
pub(super) fn plan(
    setup: &Setup,
    known: &Known,
    passwords: &HashMap<String, String>,
    now: DateTime<Utc>,
) -> Result<Planned, Vec<Refusal>> {
    let rows = Planned::default();
    let mut plan = Plan {
        setup,
        known,
        passwords,
        now,
        names: Names::of(known),
        rows,
        refusals: Vec::new(),
    };
    plan.check_sizes();
    if plan.refusals.is_empty() {
        places::plan(&mut plan);
        services::plan(&mut plan);
        skills::plan(&mut plan);
        mail::plan(&mut plan);
        campaigns::plan(&mut plan);
        forms::plan(&mut plan);
        rules::plan(&mut plan);
        desk::plan(&mut plan);
        scripts::plan(&mut plan);
        profiles::plan(&mut plan);
        rubrics::plan(&mut plan);
        sequences::plan(&mut plan);
        outreach::plan(&mut plan);
    }
    if plan.refusals.is_empty() {
        Ok(plan.rows)
    } else {
        Err(plan.refusals)
    }
}

/// Where an entry stands in the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) &'static str, pub(super) usize);

impl At {
    /// The path of a part of it, for example `forms.2.slug`.
    pub(super) fn part(self, part: &str) -> String {
        format!("{}.{}.{part}", self.0, self.1)
    }
}

impl Plan<'_> {
    fn check_sizes(&mut self) {
        let setup = self.setup;
        let sizes = [
            ("facilities", setup.facilities.len()),
            ("departments", setup.departments.len()),
            ("staff", setup.staff.len()),
            ("teams", setup.teams.len()),
            ("serviceLines", setup.service_lines.len()),
            ("consentWordings", setup.consent_wordings.len()),
            ("layouts", setup.layouts.len()),
            ("templates", setup.templates.len()),
            ("campaigns", setup.campaigns.len()),
            ("forms", setup.forms.len()),
            ("slaPolicies", setup.sla_policies.len()),
            ("routingRules", setup.routing_rules.len()),
            ("scoringRules", setup.scoring_rules.len()),
            ("checklists", setup.checklists.len()),
            ("scripts", setup.scripts.len()),
            ("leadProfiles", setup.lead_profiles.len()),
            ("rubrics", setup.rubrics.len()),
            ("followUpTemplates", setup.follow_up_templates.len()),
            ("sequences", setup.sequences.len()),
            ("sendWindows", setup.send_windows.len()),
        ];
        for (part, size) in sizes {
            if size > MAX_ENTRIES {
                self.refuse(
                    Code::TooLarge,
                    part,
                    "A document holds at most 500 entries of a kind.",
                );
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        code: Code,
        path: &str,
        message: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        self.refusals.push(Refusal::new(code, path, message));
    }

    /// Takes refusals of another rule, with their paths below `under`.
    pub(super) fn refuse_below(&mut self, under: &str, refusals: Vec<Refusal>) {
        for refusal in refusals {
            let path = format!("{under}.{}", refusal.field.join("."));
            self.refuse(refusal.code, &path, refusal.message);
        }
    }

    /// A name in rules and addresses: lower-case letters, digits and inner hyphens.
    pub(super) fn check_slug(&mut self, path: &str, slug: &str) {
        let plain = slug
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if slug.is_empty()
            || slug.len() > MAX_SLUG_CHARS
            || !plain
            || slug.starts_with('-')
            || slug.ends_with('-')
        {
            let message = "Write lower-case letters, digits and inner hyphens, at most 64.";
            self.refuse(Code::Invalid, path, message);
        }
    }

    /// One line that people read.
    pub(super) fn check_name(&mut self, path: &str, name: &str) {
        if name.trim().is_empty() {
            self.refuse(Code::Required, path, "This must not be empty.");
        } else if name.chars().count() > MAX_NAME_CHARS {
            self.refuse(Code::TooLarge, path, "This has at most 200 characters.");
        } else if name.chars().any(char::is_control) {
            self.refuse(Code::Invalid, path, "This must be one line of plain text.");
        }
    }

    /// A paragraph that people read; `required` unless it may be empty.
    pub(super) fn check_text(&mut self, path: &str, text: &str, required: bool) {
        if required && text.trim().is_empty() {
            self.refuse(Code::Required, path, "This must not be empty.");
        } else if text.chars().count() > MAX_TEXT_CHARS {
            self.refuse(Code::TooLarge, path, "This has at most 4000 characters.");
        } else if text.chars().any(|c| c.is_control() && c != '\n') {
            self.refuse(Code::Invalid, path, "This has characters that cannot be shown.");
        }
    }

    /// What mails are for.
    pub(super) fn check_purpose(&mut self, path: &str, purpose: Purpose) {
        self.refusals.extend(not_for_mails(purpose, path));
    }

    /// A language tag.
    pub(super) fn check_language(&mut self, path: &str, tag: &str) {
        if tag.len() < 2 || tag.len() > 35 || !tag.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
            self.refuse(Code::Invalid, path, "Write a language tag, for example en or es.");
        }
    }

    /// A time zone.
    pub(super) fn check_zone(&mut self, path: &str, zone: &str) {
        if zone.parse::<chrono_tz::Tz>().is_err() {
            self.refuse(
                Code::Invalid,
                path,
                "Write an IANA time zone, for example America/Chicago.",
            );
        }
    }

    /// Refuses what an earlier entry of the document names, too.
    pub(super) fn check_once(&mut self, path: &str, seen: &mut HashSet<String>, key: &str) {
        if !seen.insert(key.to_owned()) {
            self.refuse(
                Code::AlreadyExists,
                path,
                "An earlier entry of the document has this name.",
            );
        }
    }

    /// What a name means; refused when it means nothing.
    pub(super) fn meant<Id>(&mut self, path: &str, found: Option<Id>, noun: &'static str) -> Option<Id> {
        if found.is_none() {
            self.refuse(
                Code::NotFound,
                path,
                format!("There is no such {noun}, neither here nor in the document."),
            );
        }
        found
    }

    /// The same for a name that may be missing.
    pub(super) fn meant_if<Id>(
        &mut self,
        path: &str,
        name: Option<&String>,
        noun: &'static str,
        find: impl FnOnce(&Names, &String) -> Option<Id>,
    ) -> Option<Id> {
        let found = find(&self.names, name?);
        self.meant(path, found, noun)
    }
}
