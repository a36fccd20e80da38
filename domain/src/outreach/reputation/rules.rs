//! When a route stops and when it runs again.

use entity::sending_stop::StopReason;

/// The limits. Google asks for less than 0.3 % of complaints and advises less than 0.1 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReputationRules {
    /// Hours that are looked back over, from 1.
    pub window_hours: u32,
    /// Mails in the window below which nothing stops: a few mails make no rate.
    pub min_volume: u32,
    /// Percent of dead addresses above which bulk mail stops.
    pub bounce_stop_percent: f64,
    /// Percent of dead addresses below which it runs again.
    pub bounce_resume_percent: f64,
    /// Percent of complaints above which bulk mail stops.
    pub complaint_stop_percent: f64,
    /// Percent of complaints below which it runs again.
    pub complaint_resume_percent: f64,
}

impl Default for ReputationRules {
    fn default() -> Self {
        Self {
            window_hours: 24,
            min_volume: 500,
            bounce_stop_percent: 5.0,
            bounce_resume_percent: 2.0,
            complaint_stop_percent: 0.3,
            complaint_resume_percent: 0.1,
        }
    }
}

/// What bulk mail came to in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Mails that a mail server took.
    pub accepted: i64,
    /// Addresses that do not exist, whether the mail server said so at once or later.
    pub dead: i64,
    /// Of these, those that the mail server refused at once, so that they are not among the accepted.
    pub refused_dead: i64,
    /// Mails that were reported as spam.
    pub complained: i64,
}

impl Figures {
    const fn volume(&self) -> i64 {
        self.accepted + self.refused_dead
    }
}

/// Why bulk mail has to stop, and the figures in words; none while it need not.
#[must_use]
pub fn trips(figures: &Figures, rules: &ReputationRules) -> Option<(StopReason, String)> {
    let volume = figures.volume();
    if volume == 0 || volume < i64::from(rules.min_volume) {
        return None;
    }
    let over = |count, limit| percent(count, volume) > limit;
    let (reason, count, what, limit) = if over(figures.complained, rules.complaint_stop_percent) {
        let limit = rules.complaint_stop_percent;
        (StopReason::Complaints, figures.complained, "complaints", limit)
    } else if over(figures.dead, rules.bounce_stop_percent) {
        let limit = rules.bounce_stop_percent;
        (StopReason::Bounces, figures.dead, "dead addresses", limit)
    } else {
        return None;
    };
    let said = format!(
        "{count} {what} in {volume} mails ({:.2} %, limit {limit} %)",
        percent(count, volume)
    );
    Some((reason, said))
}

/// Whether there is evidence, and not enough mail yet to judge it by: the route is then judged again with the next mails.
#[must_use]
pub fn is_undecided(figures: &Figures, rules: &ReputationRules) -> bool {
    let some = figures.dead > 0 || figures.complained > 0;
    some && figures.volume() < i64::from(rules.min_volume)
}

/// Whether a stopped route may run again. Few mails are counted as if they were enough for a rate, so that a window in
/// which nothing went out does not judge by its last complaint.
#[must_use]
pub fn may_resume(figures: &Figures, rules: &ReputationRules) -> bool {
    let volume = figures.volume().max(i64::from(rules.min_volume)).max(1);
    percent(figures.complained, volume) < rules.complaint_resume_percent
        && percent(figures.dead, volume) < rules.bounce_resume_percent
}

fn percent(count: i64, of: i64) -> f64 {
    count as f64 * 100.0 / of as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(accepted: i64, dead: i64, complained: i64) -> Figures {
        Figures {
            accepted,
            dead,
            refused_dead: 0,
            complained,
        }
    }

    #[test]
    fn a_route_stops_above_its_limit_and_not_at_it() {
        let rules = ReputationRules::default();
        let reason = |figures| trips(&figures, &rules).map(|(reason, _)| reason);
        assert_eq!(reason(figures(1_000, 0, 3)), None, "0.3 % is the limit");
        assert_eq!(reason(figures(1_000, 0, 4)), Some(StopReason::Complaints));
        assert_eq!(reason(figures(1_000, 50, 0)), None);
        assert_eq!(reason(figures(1_000, 51, 0)), Some(StopReason::Bounces));
        assert_eq!(reason(figures(499, 400, 400)), None, "too few to tell");
        assert!(is_undecided(&figures(499, 1, 0), &rules) && !is_undecided(&figures(499, 0, 0), &rules));
        assert!(!is_undecided(&figures(500, 1, 0), &rules));
    }

    #[test]
    fn addresses_that_were_refused_at_once_are_mails_too() {
        let rules = ReputationRules {
            min_volume: 100,
            ..ReputationRules::default()
        };
        let refused = Figures {
            accepted: 0,
            dead: 100,
            refused_dead: 100,
            complained: 0,
        };
        let (reason, said) = trips(&refused, &rules).unwrap();
        assert_eq!(reason, StopReason::Bounces);
        assert_eq!(said, "100 dead addresses in 100 mails (100.00 %, limit 5 %)");
    }

    #[test]
    fn it_runs_again_far_below_the_limit_only() {
        let rules = ReputationRules::default();
        assert!(
            !may_resume(&figures(1_000, 0, 2), &rules),
            "0.2 % is between the limits"
        );
        assert!(!may_resume(&figures(1_000, 0, 1), &rules), "0.1 % is the limit");
        assert!(may_resume(&figures(1_001, 0, 1), &rules));
        assert!(!may_resume(&figures(1_000, 30, 0), &rules));
        assert!(may_resume(&figures(0, 0, 0), &rules), "all of it is long ago");
        assert!(!may_resume(&figures(0, 0, 1), &rules), "complaints still come");
    }

    proptest! {
        #[test]
        fn what_stops_does_not_run_again_on_the_same_figures(
            accepted in 0..100_000_i64, dead in 0..5_000_i64, complained in 0..500_i64
        ) {
            let (rules, figures) = (ReputationRules::default(), figures(accepted, dead, complained));
            prop_assert!(!(trips(&figures, &rules).is_some() && may_resume(&figures, &rules)));
        }
    }
}
