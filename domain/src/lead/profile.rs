//! How well a lead fits the ideal lead profile of its campaign or channel. Rules only, with the criteria as reasons.

use entity::enums::Channel;
use entity::id::CampaignId;
use entity::lead_profile::{Criterion, Model};

use crate::condition::{self, Facts};
use crate::playbook::Playbook;

/// How well a lead fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit<'a> {
    /// The weights that are met, in hundredths of all, rounded to the nearest.
    pub points: i32,
    /// Each criterion in order, and whether it is met.
    pub reasons: Vec<(&'a Criterion, bool)>,
}

/// The profile for leads of a channel and campaign: the campaign's, else the channel's, else the one that names neither.
#[must_use]
pub fn of(playbook: &Playbook, channel: Channel, campaign: Option<CampaignId>) -> Option<&Model> {
    let fits = |profile: &&Model| match (profile.campaign_id, profile.channel) {
        (Some(of), _) => campaign == Some(of),
        (None, Some(of)) => channel == of,
        (None, None) => true,
    };
    let closeness = |profile: &&Model| (profile.campaign_id.is_some(), profile.channel.is_some());
    playbook.profiles.values().filter(fits).max_by_key(closeness)
}

/// How well the facts of a lead fit a profile.
#[must_use]
pub fn fit<'a>(profile: &'a Model, facts: &Facts<'_>) -> Fit<'a> {
    let reasons: Vec<(&Criterion, bool)> = profile
        .criteria
        .0
        .iter()
        .map(|criterion| (criterion, condition::holds(&criterion.when, facts)))
        .collect();
    let sum = |met_alone: bool| -> i64 {
        let counted = reasons.iter().filter(|(_, met)| *met || !met_alone);
        counted.map(|(criterion, _)| i64::from(criterion.weight)).sum()
    };
    Fit {
        points: hundredths(sum(true), sum(false)),
        reasons,
    }
}

/// A share in hundredths, rounded to the nearest, halves up; nothing of nothing is nothing.
fn hundredths(part: i64, whole: i64) -> i32 {
    if whole <= 0 {
        return 0;
    }
    let rounded = (part * 200 + whole) / (whole * 2);
    i32::try_from(rounded.clamp(0, 100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_are_rounded_to_the_nearest_hundredth() {
        for (part, whole, points) in [
            (0, 3, 0),
            (1, 3, 33),
            (2, 3, 67),
            (3, 3, 100),
            (1, 8, 13),
            (0, 0, 0),
        ] {
            assert_eq!(hundredths(part, whole), points, "{part}/{whole}");
        }
    }

    proptest! {
        #[test]
        fn more_that_is_met_is_never_a_worse_fit(whole in 1_i64..10_000, a in 0_i64..10_000, b in 0_i64..10_000) {
            let (a, b) = (a.min(whole), b.min(whole));
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(hundredths(less, whole) <= hundredths(more, whole));
            prop_assert!((0..=100).contains(&hundredths(more, whole)));
            prop_assert_eq!(hundredths(whole, whole), 100);
        }
    }
}
