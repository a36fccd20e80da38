//! Ideal lead profiles.

use std::collections::HashSet;

use entity::lead_profile::{self, Criteria};

use super::document::ProfileSetup;
use super::plan::{At, Plan};
use super::rules::check_when;
use crate::error::Code;
use crate::id::new_id;

/// Most criteria of a profile.
const MAX_CRITERIA: usize = 30;
/// The greatest weight.
const MAX_WEIGHT: i32 = 100;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let setup = plan.setup;
    let (mut keys, mut meant) = (HashSet::new(), HashSet::new());
    for (index, wanted) in setup.lead_profiles.iter().enumerate() {
        let at = At("leadProfiles", index);
        plan.check_slug(&at.part("key"), &wanted.key);
        plan.check_once(&at.part("key"), &mut keys, &wanted.key);
        plan.check_name(&at.part("name"), &wanted.name);
        if wanted.channel.is_some() && wanted.campaign.is_some() {
            let message = "A profile is for a channel or for a campaign, not for both.";
            plan.refuse(Code::Invalid, &at.part("channel"), message);
        }
        let whom = format!("{:?}/{:?}", wanted.channel, wanted.campaign);
        plan.check_once(&at.part("channel"), &mut meant, &whom);
        let campaign_id = plan.meant_if(
            &at.part("campaign"),
            wanted.campaign.as_ref(),
            "campaign",
            |names, code| names.campaigns.get(code).copied(),
        );
        check_criteria(plan, at, wanted);
        let before = plan.known.profiles.iter().find(|row| row.key == wanted.key);
        let row = lead_profile::Model {
            id: before.map_or_else(|| new_id(plan.now), |row| row.id),
            key: wanted.key.clone(),
            name: wanted.name.clone(),
            channel: wanted.channel,
            campaign_id,
            criteria: Criteria(wanted.criteria.clone()),
            created_at: before.map_or(plan.now, |row| row.created_at),
        };
        plan.rows.profiles.settle(before, row);
    }
}

fn check_criteria(plan: &mut Plan<'_>, at: At, wanted: &ProfileSetup) {
    if wanted.criteria.is_empty() || wanted.criteria.len() > MAX_CRITERIA {
        let message = "A profile has 1 to 30 criteria.";
        plan.refuse(Code::Invalid, &at.part("criteria"), message);
    }
    let mut seen = HashSet::new();
    for (place, criterion) in wanted.criteria.iter().enumerate() {
        let part = |part: &str| at.part(&format!("criteria.{place}.{part}"));
        plan.check_slug(&part("key"), &criterion.key);
        plan.check_once(&part("key"), &mut seen, &criterion.key);
        plan.check_name(&part("text"), &criterion.text);
        check_when(plan, &part("when"), &criterion.when);
        if !(1..=MAX_WEIGHT).contains(&criterion.weight) {
            plan.refuse(Code::Invalid, &part("weight"), "A weight is 1 to 100.");
        }
    }
}
