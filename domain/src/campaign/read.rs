//! Reads what people type about a campaign. Each reader adds what is wrong to the refusals and goes on, so that all
//! of it is told at once.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{CampaignId, ServiceLineId};
use entity::placement::{self, PlacementKind};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::contact::phone::PhoneNumber;
use crate::error::{Code, Refusal, Result};
use crate::id::new_id;
use crate::playbook::Playbook;
use crate::readable::misleads;

/// Longest code of a campaign or placement, in characters.
pub const MAX_CODE_CHARS: usize = 64;
/// Longest name of a campaign or placement, in characters.
pub const MAX_NAME_CHARS: usize = 200;
/// Longest path of a landing page, in characters.
pub const MAX_PATH_CHARS: usize = 500;
/// Most service lines of one campaign.
pub const LINES_MAX: usize = 100;
/// Most placements added at once, and most of one campaign.
pub const PLACEMENTS_MAX: usize = 200;

/// A placement to add to a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlacement {
    /// The name that people read.
    pub name: String,
    /// What it is.
    pub kind: PlacementKind,
    /// Code by which answers name it: letters, digits and single hyphens; kept in capitals. Unique.
    pub source_code: Option<String>,
    /// Path of the page it leads to, such as `/sleep`; without a query.
    pub landing_page: Option<String>,
    /// Its own phone number. Unique.
    pub tracking_number: Option<String>,
}

/// A campaign's code: letters, digits and single hyphens, in lower case. Two codes that people would take for one are
/// one.
pub(super) fn code(field: &str, text: &str, refusals: &mut Vec<Refusal>) -> String {
    let code = text.trim().to_lowercase();
    refuse_code(field, &code, refusals);
    code
}

fn refuse_code(field: &str, code: &str, refusals: &mut Vec<Refusal>) {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if code.is_empty() {
        refusals.push(Refusal::new(Code::Required, field, "Write a code."));
    } else if code.len() > MAX_CODE_CHARS {
        refusals.push(Refusal::new(
            Code::TooLarge,
            field,
            "A code has at most 64 characters.",
        ));
    } else if !code.split('-').all(is_part) {
        let message = "A code is made of letters, digits and single hyphens, like sleep-study-fall.";
        refusals.push(Refusal::new(Code::Invalid, field, message));
    }
}

/// A name in one line.
pub(super) fn name(field: &str, text: &str, refusals: &mut Vec<Refusal>) -> String {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        refusals.push(Refusal::new(Code::Required, field, "Write a name."));
    } else if name.chars().count() > MAX_NAME_CHARS {
        refusals.push(Refusal::new(
            Code::TooLarge,
            field,
            "A name has at most 200 characters.",
        ));
    } else if name.chars().any(misleads) {
        refusals.push(Refusal::new(
            Code::Invalid,
            field,
            "This has characters that cannot be read.",
        ));
    }
    name
}

/// An ISO 4217 code.
pub(super) fn currency(field: &str, text: &str, refusals: &mut Vec<Refusal>) -> String {
    let currency = text.trim().to_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        refusals.push(Refusal::new(
            Code::Invalid,
            field,
            "Write a currency as three letters, like USD.",
        ));
    }
    currency
}

/// The budget may not be negative.
pub(super) fn budget(minor: Option<i64>, refusals: &mut Vec<Refusal>) {
    if minor.is_some_and(|minor| minor < 0) {
        refusals.push(Refusal::new(
            Code::Invalid,
            "budgetMinor",
            "A budget is zero or more.",
        ));
    }
}

/// The last day may not be before the first.
pub(super) fn days(starts_on: Option<NaiveDate>, ends_on: Option<NaiveDate>, refusals: &mut Vec<Refusal>) {
    if let (Some(first), Some(last)) = (starts_on, ends_on)
        && last < first
    {
        refusals.push(Refusal::new(
            Code::Invalid,
            "endsOn",
            "The last day cannot be before the first.",
        ));
    }
}

/// Service lines that exist, each once.
pub(super) fn lines(
    mut ids: Vec<ServiceLineId>,
    playbook: &Playbook,
    refusals: &mut Vec<Refusal>,
) -> Vec<ServiceLineId> {
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > LINES_MAX {
        refusals.push(Refusal::new(
            Code::TooLarge,
            "serviceLineIds",
            "Choose at most 100 service lines.",
        ));
    } else if ids.iter().any(|id| !playbook.lines.contains_key(id)) {
        refusals.push(Refusal::new(
            Code::NotFound,
            "serviceLineIds",
            "There is no such service line.",
        ));
    }
    ids
}

/// Placements to add; `field` is the list's name.
pub(super) fn placements(
    field: &str,
    list: Vec<NewPlacement>,
    refusals: &mut Vec<Refusal>,
) -> Vec<NewPlacement> {
    if list.len() > PLACEMENTS_MAX {
        refusals.push(Refusal::new(
            Code::TooLarge,
            field,
            "Add at most 200 placements at a time.",
        ));
        return Vec::new();
    }
    let (mut codes, mut numbers) = (HashSet::new(), HashSet::new());
    let mut read = Vec::with_capacity(list.len());
    for (at, given) in list.into_iter().enumerate() {
        let field = |part: &str| format!("{field}.{at}.{part}");
        let source_code = given
            .source_code
            .map(|code| code.trim().to_uppercase())
            .filter(|code| !code.is_empty());
        if let Some(code) = &source_code {
            refuse_code(&field("sourceCode"), code, refusals);
        }
        let number = given
            .tracking_number
            .and_then(|text| phone(&field("trackingNumber"), &text, refusals));
        let code_twice = source_code
            .as_ref()
            .is_some_and(|code| !codes.insert(code.clone()));
        let number_twice = number
            .as_ref()
            .is_some_and(|number| !numbers.insert(number.clone()));
        for (is_twice, part) in [(code_twice, "sourceCode"), (number_twice, "trackingNumber")] {
            if is_twice {
                let message = "Another placement of this list has it.";
                refusals.push(Refusal::new(Code::AlreadyExists, &field(part), message));
            }
        }
        read.push(NewPlacement {
            name: name(&field("name"), &given.name, refusals),
            kind: given.kind,
            source_code,
            landing_page: given
                .landing_page
                .and_then(|text| path(&field("landingPage"), &text, refusals)),
            tracking_number: number,
        });
    }
    read
}

/// A number in E.164; blank is none.
fn phone(field: &str, text: &str, refusals: &mut Vec<Refusal>) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    match PhoneNumber::parse(text) {
        Ok(number) => Some(number.as_str().to_owned()),
        Err(invalid) => {
            refusals.push(Refusal::new(Code::Invalid, field, invalid.message));
            None
        }
    }
}

/// A path, without a query: parameters are for the ad platform to add, and may name a person. Blank is none.
fn path(field: &str, text: &str, refusals: &mut Vec<Refusal>) -> Option<String> {
    let path = text.trim();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '?' | '#');
    if path.is_empty() {
        return None;
    }
    if path.chars().count() > MAX_PATH_CHARS {
        refusals.push(Refusal::new(
            Code::TooLarge,
            field,
            "A path has at most 500 characters.",
        ));
    } else if !path.starts_with('/') || path.starts_with("//") || !path.chars().all(plain) {
        let message = "Write the path of a page like /sleep, without its host and query.";
        refusals.push(Refusal::new(Code::Invalid, field, message));
    }
    Some(path.to_owned())
}

/// Refuses source codes and numbers that other placements have.
pub(super) async fn refuse_taken(
    conn: &impl ConnectionTrait,
    field: &str,
    list: &[NewPlacement],
    refusals: &mut Vec<Refusal>,
) -> Result<()> {
    let codes = list
        .iter()
        .filter_map(|placement| placement.source_code.as_deref());
    let numbers = list
        .iter()
        .filter_map(|placement| placement.tracking_number.as_deref());
    let taken: Vec<(Option<String>, Option<String>)> = placement::Entity::find()
        .select_only()
        .columns([placement::Column::SourceCode, placement::Column::TrackingNumber])
        .filter(
            Condition::any()
                .add(placement::Column::SourceCode.is_in(codes))
                .add(placement::Column::TrackingNumber.is_in(numbers)),
        )
        .into_tuple()
        .all(conn)
        .await?;
    for (at, placement) in list.iter().enumerate() {
        let code_taken =
            placement.source_code.is_some() && taken.iter().any(|(code, _)| *code == placement.source_code);
        let number_taken = placement.tracking_number.is_some()
            && taken
                .iter()
                .any(|(_, number)| *number == placement.tracking_number);
        for (is_taken, part) in [(code_taken, "sourceCode"), (number_taken, "trackingNumber")] {
            if is_taken {
                let field = format!("{field}.{at}.{part}");
                refusals.push(Refusal::new(
                    Code::AlreadyExists,
                    &field,
                    "Another placement has it already.",
                ));
            }
        }
    }
    Ok(())
}

/// The row of a placement that was read.
pub(super) fn placement_row(
    campaign_id: CampaignId,
    placement: NewPlacement,
    now: DateTime<Utc>,
) -> placement::ActiveModel {
    placement::ActiveModel {
        id: Set(new_id(now)),
        campaign_id: Set(campaign_id),
        name: Set(placement.name),
        kind: Set(placement.kind),
        source_code: Set(placement.source_code),
        landing_page: Set(placement.landing_page),
        tracking_number: Set(placement.tracking_number),
        created_at: Set(now),
    }
}
