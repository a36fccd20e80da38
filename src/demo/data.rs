//! The figures behind the history: `demo/history.json`.

use std::collections::BTreeMap;

use domain::error::{Error, Result};
use entity::enums::{Channel, LeadType};
use serde::Deserialize;

/// How much of everything happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct History {
    /// Days before now that it covers.
    pub(super) days: i64,
    /// How many leads came in.
    pub(super) leads: usize,
    /// The same seed and day make the same history.
    pub(super) seed: u64,
    /// Leads of people who came before.
    pub(super) repeat_percent: f64,
    /// Leads that were none.
    pub(super) spam_percent: f64,
    /// Leads that were there already.
    pub(super) duplicate_percent: f64,
    /// First attempts that came in time.
    pub(super) in_time_percent: f64,
    /// Leads of the last days that nobody has tried yet.
    pub(super) backlog_percent: f64,
    /// Ticked boxes, by wording.
    pub(super) consent_percent: BTreeMap<String, f64>,
    /// Agreements to marketing that were taken back.
    pub(super) withdrawn_percent: f64,
    /// Addresses that bounced.
    pub(super) suppressed: usize,
    /// Mails of which nobody knows whether they went out.
    pub(super) unknown: usize,
    /// How far leads come, by service line.
    pub(super) lines: BTreeMap<String, Funnel>,
    /// How much better or worse that is, by channel.
    pub(super) channels: BTreeMap<Channel, f64>,
    /// Spend by campaign.
    pub(super) spend_per_day_minor: BTreeMap<String, i64>,
    /// What people choose and write, by field, or by `field@form` where it differs.
    pub(super) answers: BTreeMap<String, BTreeMap<String, f64>>,
    /// Where leads come from.
    pub(super) streams: Vec<Stream>,
    /// States and postal codes near each facility.
    pub(super) places: BTreeMap<String, Vec<(String, String)>>,
    pub(super) given_names: Vec<String>,
    pub(super) family_names: Vec<String>,
    pub(super) spanish_given_names: Vec<String>,
    pub(super) spanish_family_names: Vec<String>,
    pub(super) practices: Vec<String>,
    pub(super) employers: Vec<String>,
    pub(super) area_codes: Vec<String>,
}

/// Shares of leads that come from each step to the next.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Funnel {
    /// Of all that are tried.
    pub(super) reached: f64,
    /// Of the reached.
    pub(super) qualified: f64,
    /// Of the qualified.
    pub(super) scheduled: f64,
    /// Of the scheduled.
    pub(super) attended: f64,
    /// Fewest and most days from the call to the visit.
    pub(super) days_to_visit: (i64, i64),
}

/// One way by which leads come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Stream {
    /// Its share.
    pub(super) weight: f64,
    /// The form that is filled in.
    #[serde(default)]
    pub(super) form: Option<String>,
    /// The placement that is answered, by its source code.
    #[serde(default)]
    pub(super) source: Option<String>,
    /// Slug of the facility near which these people live; else as `facility` is answered.
    #[serde(default)]
    pub(super) near: Option<String>,
    /// Host of the page before.
    #[serde(default)]
    pub(super) referrer: Option<String>,
    /// What was searched for.
    #[serde(default)]
    pub(super) utm_term: Option<String>,
    /// The service line, without a form.
    #[serde(default)]
    pub(super) line: Option<String>,
    /// The type, without a form.
    #[serde(default, rename = "type")]
    pub(super) lead_type: Option<LeadType>,
    /// The channel, without a form.
    #[serde(default)]
    pub(super) channel: Option<Channel>,
}

impl History {
    /// Reads it from the binary.
    pub(super) fn read() -> Result<Self> {
        serde_json::from_str(include_str!("../../demo/history.json"))
            .map_err(|error| Error::fault(format!("demo/history.json cannot be read: {error}")))
    }
}
