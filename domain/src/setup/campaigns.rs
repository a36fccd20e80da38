//! Campaigns and their placements.

use std::collections::HashSet;

use entity::campaign::CampaignState;
use entity::id::CampaignId;
use entity::{campaign, campaign_service_line, placement};

use super::document::{CampaignSetup, PlacementSetup};
use super::places;
use super::plan::{At, Plan};
use crate::error::Code;
use crate::id::new_id;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let mut codes = HashSet::new();
    let mut source_codes = HashSet::new();
    for (index, wanted) in plan.setup.campaigns.iter().enumerate() {
        let at = At("campaigns", index);
        plan.check_slug(&at.part("code"), &wanted.code);
        plan.check_once(&at.part("code"), &mut codes, &wanted.code);
        check(plan, at, wanted);
        let before = plan.known.campaigns.iter().find(|row| row.code == wanted.code);
        let row = campaign_row(plan, wanted, before);
        plan.names.campaigns.insert(row.code.clone(), row.id);
        lines(plan, at, row.id, &wanted.service_lines);
        for (place, placement) in wanted.placements.iter().enumerate() {
            let path = at.part(&format!("placements.{place}"));
            placement_row(plan, &path, row.id, placement, &mut source_codes);
        }
        plan.rows.campaigns.settle(before, row);
    }
}

fn check(plan: &mut Plan<'_>, at: At, wanted: &CampaignSetup) {
    plan.check_name(&at.part("name"), &wanted.name);
    plan.check_text(
        &at.part("goal"),
        wanted.goal.as_deref().unwrap_or_default(),
        false,
    );
    if let (Some(starts_on), Some(ends_on)) = (wanted.starts_on, wanted.ends_on)
        && ends_on < starts_on
    {
        plan.refuse(
            Code::Invalid,
            &at.part("endsOn"),
            "A campaign does not end before it starts.",
        );
    }
    if wanted.budget_minor.is_some_and(|budget| budget < 0) {
        plan.refuse(
            Code::Invalid,
            &at.part("budgetMinor"),
            "A budget is not negative.",
        );
    }
    if wanted.currency.len() != 3 || !wanted.currency.bytes().all(|c| c.is_ascii_uppercase()) {
        plan.refuse(
            Code::Invalid,
            &at.part("currency"),
            "Write a currency code, for example USD.",
        );
    }
}

fn campaign_row(
    plan: &Plan<'_>,
    wanted: &CampaignSetup,
    before: Option<&campaign::Model>,
) -> campaign::Model {
    let mut row = campaign::Model {
        id: before.map_or_else(|| new_id(plan.now), |row| row.id),
        code: wanted.code.clone(),
        name: wanted.name.clone(),
        channel: wanted.channel,
        state: before.map_or(wanted.state.unwrap_or(CampaignState::Draft), |row| row.state),
        goal: wanted.goal.clone(),
        starts_on: wanted.starts_on,
        ends_on: wanted.ends_on,
        budget_minor: wanted.budget_minor,
        currency: wanted.currency.clone(),
        demand_making: wanted.demand_making,
        version: before.map_or(1, |row| row.version),
        created_at: before.map_or(plan.now, |row| row.created_at),
        updated_at: before.map_or(plan.now, |row| row.updated_at),
    };
    if before.is_some_and(|before| *before != row) {
        row.version += 1;
        row.updated_at = plan.now;
    }
    row
}

fn lines(plan: &mut Plan<'_>, at: At, campaign_id: CampaignId, slugs: &[String]) {
    let mut seen = HashSet::new();
    for (index, slug) in slugs.iter().enumerate() {
        let path = at.part(&format!("serviceLines.{index}"));
        plan.check_once(&path, &mut seen, slug);
        let found = plan.names.lines.get(slug).copied();
        let Some(service_line_id) = plan.meant(&path, found, "service line") else {
            continue;
        };
        let row = campaign_service_line::Model {
            campaign_id,
            service_line_id,
        };
        let is_there = plan
            .known
            .campaign_lines
            .contains(&(campaign_id, service_line_id));
        let before = is_there.then(|| row.clone());
        plan.rows.campaign_lines.settle(before.as_ref(), row);
    }
}

fn placement_row(
    plan: &mut Plan<'_>,
    path: &str,
    campaign_id: CampaignId,
    wanted: &PlacementSetup,
    seen: &mut HashSet<String>,
) {
    let code_path = format!("{path}.sourceCode");
    plan.check_name(&code_path, &wanted.source_code);
    plan.check_name(&format!("{path}.name"), &wanted.name);
    // Answers name it in any letter case, so the case does not tell two apart.
    plan.check_once(&code_path, seen, &wanted.source_code.to_lowercase());
    let tracking_number = places::phone(
        plan,
        &format!("{path}.trackingNumber"),
        wanted.tracking_number.as_ref(),
    );
    if wanted
        .landing_page
        .as_ref()
        .is_some_and(|page| !page.starts_with('/') || page.contains(['?', '#']))
    {
        let message = "Write the path of a page, for example /f/sleep-study.";
        plan.refuse(Code::Invalid, &format!("{path}.landingPage"), message);
    }
    let known = &plan.known.placements;
    let before = known
        .iter()
        .find(|row| row.source_code.as_ref() == Some(&wanted.source_code));
    if before.is_some_and(|row| row.campaign_id != campaign_id) {
        // Its answers have been counted for that campaign.
        plan.refuse(
            Code::AlreadyExists,
            &code_path,
            "A placement of another campaign has this code.",
        );
    }
    let row = placement::Model {
        id: before.map_or_else(|| new_id(plan.now), |row| row.id),
        campaign_id,
        name: wanted.name.clone(),
        kind: wanted.kind,
        source_code: Some(wanted.source_code.clone()),
        landing_page: wanted.landing_page.clone(),
        tracking_number,
        created_at: before.map_or(plan.now, |row| row.created_at),
    };
    plan.rows.placements.settle(before, row);
}
