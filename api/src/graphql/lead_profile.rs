//! Ideal lead profiles, how well a lead fits, and what separates leads that complete visits.

use async_graphql::{Context, Error, Object, SimpleObject};
use domain::lead::profile::{self, Fit};
use domain::report::{self, BANDS, Completed};
use entity::lead_profile::Model;

use super::ask::Ask;
use super::dashboard::{DashboardFilter, within_filter};
use super::errors::Told;
use super::vocabulary::Channel;

/// A criterion of a lead's profile, and whether the lead meets it.
#[derive(SimpleObject, Clone, Debug)]
pub struct FitReason {
    /// What is hoped for.
    text: String,
    /// How much it counts beside the others.
    weight: i32,
    /// Whether the lead meets it, as it stands.
    met: bool,
}

/// How well a lead fits the ideal lead profile of its campaign or channel, as it stands.
#[derive(SimpleObject, Clone, Debug)]
pub struct LeadFit {
    /// Key of the profile.
    profile: String,
    /// The name of the profile.
    name: String,
    /// The weights that are met, in hundredths of all: 0 to 100.
    points: i32,
    /// Every criterion, in the profile's order.
    reasons: Vec<FitReason>,
}

impl LeadFit {
    /// A fit to a profile.
    pub fn of(profile: &Model, fit: &Fit<'_>) -> Self {
        let reason = |(criterion, met): &(&entity::lead_profile::Criterion, bool)| FitReason {
            text: criterion.text.clone(),
            weight: criterion.weight,
            met: *met,
        };
        Self {
            profile: profile.key.clone(),
            name: profile.name.clone(),
            points: fit.points,
            reasons: fit.reasons.iter().map(reason).collect(),
        }
    }
}

/// Leads that have come to an end, and those of them that completed a visit.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct CompletedLeads {
    /// Leads that completed a visit or were closed.
    leads: i64,
    /// Those that completed a visit.
    completed: i64,
    /// The share that completed a visit; null when fewer than 11 leads are no evidence.
    rate: Option<f64>,
}

impl From<Completed> for CompletedLeads {
    fn from(counted: Completed) -> Self {
        Self {
            leads: counted.leads,
            completed: counted.completed,
            rate: counted.rate(),
        }
    }
}

/// What a criterion separates.
#[derive(SimpleObject, Clone, Debug)]
pub struct CriterionReport {
    /// Its name within the profile.
    key: String,
    /// What is hoped for.
    text: String,
    /// How much it counts beside the others.
    weight: i32,
    /// Leads that met it.
    met: CompletedLeads,
    /// Leads that did not.
    unmet: CompletedLeads,
    /// How many times as often those who met it completed a visit as all did: above 1 it speaks for a lead, below 1 against.
    /// Null when fewer than 11 leads on either side are no evidence.
    lift: Option<f64>,
}

/// The leads of a band of fits.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct FitBand {
    /// The least points of the band; the next one begins 25 points later.
    from: i32,
    /// Its leads.
    leads: CompletedLeads,
}

/// What a profile separates: counts and shares, each of which can be counted again by hand.
#[derive(SimpleObject, Clone, Debug)]
pub struct ProfileReport {
    /// Key of the profile.
    profile: String,
    /// The name of the profile.
    name: String,
    /// The channel whose leads it is for.
    channel: Option<Channel>,
    /// Leads that have come to an end.
    all: CompletedLeads,
    /// Leads that are on their way and say nothing yet.
    open: i64,
    /// Whether there are more leads than the newest 20,000 that were looked at.
    cut: bool,
    /// The criteria, in the profile's order.
    criteria: Vec<CriterionReport>,
    /// The leads by how well they fit, the lowest band first.
    bands: Vec<FitBand>,
}

impl From<report::ProfileReport> for ProfileReport {
    fn from(report: report::ProfileReport) -> Self {
        let criteria = report.criteria.iter().map(|row| CriterionReport {
            key: row.criterion.key.clone(),
            text: row.criterion.text.clone(),
            weight: row.criterion.weight,
            met: row.met.into(),
            unmet: row.unmet.into(),
            lift: row.lift(),
        });
        let bands = BANDS.into_iter().zip(&report.bands).map(|(from, leads)| FitBand {
            from,
            leads: (*leads).into(),
        });
        Self {
            criteria: criteria.collect(),
            bands: bands.collect(),
            profile: report.profile.key,
            name: report.profile.name,
            channel: report.profile.channel.map(Into::into),
            all: report.all.into(),
            open: report.open,
            cut: report.cut,
        }
    }
}

/// Reads of ideal lead profiles.
#[derive(Default)]
pub struct LeadProfileQuery;

/// Reads of ideal lead profiles.
#[Object]
impl LeadProfileQuery {
    /// Which criteria of a profile separate leads that completed a visit from those that were closed without one, among
    /// the leads of a period of at most 400 days that the profile is for. Whose leads are counted is as for the dashboard.
    /// Null when there is no such profile.
    #[graphql(complexity = "2000 + 40 * child_complexity")]
    async fn profile_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Key of the profile.")] profile: String,
        #[graphql(desc = "Which leads.")] filter: DashboardFilter,
    ) -> Result<Option<ProfileReport>, Error> {
        let ask = Ask::of(ctx);
        let h = &ask.api.hospital;
        let found = report::profile_report(h, ask.viewer(), &profile, filter.read()?).await;
        Ok(found.map_err(within_filter).told(ask)?.map(ProfileReport::from))
    }
}

/// How well a lead fits; none when there is no profile for it.
pub fn fit_of(
    playbook: &domain::playbook::Playbook,
    lead: &entity::lead::Model,
    contact: &entity::contact::Model,
) -> Option<LeadFit> {
    let profile = profile::of(playbook, lead.channel, lead.campaign_id)?;
    let facts = domain::lead::facts::of(lead, contact, playbook);
    Some(LeadFit::of(profile, &profile::fit(profile, &facts)))
}
