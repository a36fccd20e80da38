//! Which criteria of an ideal lead profile separate leads that completed a visit from those that did not.
//!
//! Only leads that have come to an end are counted, one way or the other; those that are on their way say nothing yet. The
//! criteria are asked of each lead as it stands. No figure is a model: each can be counted again by hand.

use chrono::TimeDelta;
use entity::enums::LeadStage;
use entity::lead::Column;
use entity::lead_profile::{Criterion, Model};
use sea_orm::ColumnTrait;

use super::cohort;
use super::filter::Filter;
use crate::db::{self, BATCH_MAX};
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::facts;
use crate::lead::newest::{Newest, contacts_of};
use crate::lead::profile::fit;
use crate::viewer::Viewer;

/// The longest period, in days.
pub const PROFILE_SPAN_MAX_DAYS: i64 = 400;
/// Most leads that are looked at, the newest.
pub const PROFILE_LEADS_MAX: usize = 20_000;
/// Fewer leads than this on either side are no evidence, and might tell of persons: no rate is told.
pub const EVIDENCE_MIN: i64 = 11;
/// Where the bands of fits begin.
pub const BANDS: [i32; 4] = [0, 25, 50, 75];

/// Leads, and those of them that completed a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completed {
    /// Leads that have come to an end.
    pub leads: i64,
    /// Those that completed a visit.
    pub completed: i64,
}

impl Completed {
    fn add(&mut self, completed: bool) {
        self.leads += 1;
        self.completed += i64::from(completed);
    }

    /// The share that completed a visit; none without evidence.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.leads >= EVIDENCE_MIN).then(|| self.completed as f64 / self.leads as f64)
    }
}

/// What a criterion separates.
#[derive(Clone, Debug, PartialEq)]
pub struct Separation {
    /// The criterion.
    pub criterion: Criterion,
    /// Leads that met it.
    pub met: Completed,
    /// Leads that did not.
    pub unmet: Completed,
}

impl Separation {
    /// How many times as often those who met it completed a visit as all did; none without evidence on both sides.
    #[must_use]
    pub fn lift(&self) -> Option<f64> {
        let (met, _) = (self.met.rate()?, self.unmet.rate()?);
        let all = Completed {
            leads: self.met.leads + self.unmet.leads,
            completed: self.met.completed + self.unmet.completed,
        };
        all.rate().filter(|all| *all > 0.0).map(|all| met / all)
    }
}

/// The report on a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileReport {
    /// The profile.
    pub profile: Model,
    /// All leads that were looked at and have come to an end.
    pub all: Completed,
    /// Leads that are on their way.
    pub open: i64,
    /// Whether there are more leads in the period than were looked at.
    pub cut: bool,
    /// The criteria, in the profile's order.
    pub criteria: Vec<Separation>,
    /// The leads by how well they fit, in the order of [`BANDS`].
    pub bands: Vec<Completed>,
}

/// Reports on the profile of this key, if there is one.
///
/// It is about the leads of a filter that the profile is for. Whose leads are counted is as for the dashboard. Leads whose
/// data was erased are left out: nobody knows any more what they had.
///
/// # Errors
/// [`Refused`](Error::Refused) for a filter that is not valid or too long, [`Missing`](Error::Missing) for a viewer without
/// a role, or a fault of the database.
pub async fn profile_report(
    h: &Hospital,
    viewer: &Viewer,
    key: &str,
    filter: Filter,
) -> Result<Option<ProfileReport>> {
    let filter = filter.checked()?;
    if filter.to - filter.from > TimeDelta::days(PROFILE_SPAN_MAX_DAYS) {
        let message = "Choose a period of at most 400 days.";
        return Err(Error::refused(Code::TooLarge, "to", message));
    }
    let seen = cohort::seen_by(viewer)?;
    let playbook = h.playbook().await?;
    let Some(profile) = playbook.profiles.get(key).cloned() else {
        return Ok(None);
    };
    let which = filter
        .cohort(&seen)
        .add(Column::ErasedAt.is_null())
        .add_option(profile.channel.map(|channel| Column::Channel.eq(channel)))
        .add_option(profile.campaign_id.map(|id| Column::CampaignId.eq(id)));
    let mut report = empty(profile.clone());
    let tx = db::begin_read(&h.db).await?;
    let (mut newest, mut left) = (Newest::default(), PROFILE_LEADS_MAX);
    loop {
        let page = newest.page(&tx, &which, BATCH_MAX as u64).await?;
        if page.is_empty() {
            break;
        }
        let contacts = contacts_of(&tx, &page).await?;
        for lead in page {
            if left == 0 {
                report.cut = true;
                break;
            }
            left -= 1;
            let Some(contact) = contacts.get(&lead.contact_id) else {
                continue;
            };
            if lead.completed_at.is_none() && lead.stage != LeadStage::Closed {
                report.open += 1;
                continue;
            }
            let fits = fit(&profile, &facts::of(&lead, contact, &playbook));
            count(
                &mut report,
                fits.points,
                fits.reasons.iter().map(|(_, met)| *met),
                lead.completed_at.is_some(),
            );
        }
        if report.cut {
            break;
        }
    }
    // Nothing was written; the commit only gives the connection back without a rollback in the server's log.
    tx.commit().await?;
    Ok(Some(report))
}

fn empty(profile: Model) -> ProfileReport {
    let criteria = profile.criteria.0.iter().map(|criterion| Separation {
        criterion: criterion.clone(),
        met: Completed::default(),
        unmet: Completed::default(),
    });
    ProfileReport {
        criteria: criteria.collect(),
        profile,
        all: Completed::default(),
        open: 0,
        cut: false,
        bands: vec![Completed::default(); BANDS.len()],
    }
}

fn count(report: &mut ProfileReport, points: i32, met: impl Iterator<Item = bool>, completed: bool) {
    report.all.add(completed);
    let band = BANDS.iter().rposition(|from| points >= *from).unwrap_or(0);
    report.bands[band].add(completed);
    for (separation, met) in report.criteria.iter_mut().zip(met) {
        if met {
            separation.met.add(completed);
        } else {
            separation.unmet.add(completed);
        }
    }
}

#[cfg(test)]
mod tests {
    use entity::condition::Condition;

    use super::*;

    fn separation(met: (i64, i64), unmet: (i64, i64)) -> Separation {
        let of = |(leads, completed)| Completed { leads, completed };
        Separation {
            criterion: Criterion {
                key: "a".to_owned(),
                text: "A".to_owned(),
                when: Condition::default(),
                weight: 1,
            },
            met: of(met),
            unmet: of(unmet),
        }
    }

    #[test]
    fn lift_is_how_many_times_as_often_as_all() {
        // 30 of 40 against 50 of 100 of all.
        assert_eq!(separation((40, 30), (60, 20)).lift(), Some(1.5));
        assert_eq!(separation((20, 0), (20, 10)).lift(), Some(0.0));
    }

    #[test]
    fn too_few_leads_on_either_side_are_no_evidence() {
        assert_eq!(separation((10, 10), (100, 1)).lift(), None);
        assert_eq!(separation((100, 10), (10, 1)).lift(), None);
        assert_eq!(
            separation((20, 0), (20, 0)).lift(),
            None,
            "nobody completed a visit"
        );
        assert!(separation((11, 1), (11, 1)).lift().is_some());
    }
}
