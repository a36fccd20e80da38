//! The file that `SENDING_CONFIG` names: further routes, how much may go, and when a route stops. JSON, because it holds
//! lists; a file, because it holds passwords.

use std::path::Path;

use chrono::NaiveDate;
use domain::outreach::reputation::ReputationRules;
use domain::outreach::route::ROUTES_MAX;
use domain::outreach::throttle::{DomainLimit, Limits, Rate, WarmUp};
use entity::message::Lane;
use serde::Deserialize;
use worker::route::{MAIN, RouteSetup, is_route_name};
use worker::smtp::{SmtpConfig, SmtpPool};

use crate::boot::BootError;
use crate::settings::Settings;

/// Most limits by domain.
const LIMITS_MAX: usize = 100;
/// Most days of a warm-up.
const WARM_UP_DAYS_MAX: usize = 366;

/// What the file says. All of it may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sending {
    routes: Vec<RouteEntry>,
    limits: Vec<LimitEntry>,
    warm_up: Option<WarmUpEntry>,
    reputation: ReputationEntry,
}

/// A route. Its URL is written as that of `SMTP_URL`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RouteEntry {
    name: String,
    url: String,
    #[serde(default = "both_lanes")]
    lanes: Vec<LaneEntry>,
    #[serde(default = "first")]
    priority: i32,
    concurrency: Option<u32>,
    per_second: Option<u32>,
    per_hour: Option<u32>,
}

// The URL may bear a password.
impl std::fmt::Debug for RouteEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RouteEntry({})", self.name)
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LaneEntry {
    Waiting,
    Bulk,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitEntry {
    domains: Vec<String>,
    per_second: Option<u32>,
    per_hour: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WarmUpEntry {
    start: NaiveDate,
    per_day: Vec<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ReputationEntry {
    window_hours: Option<u32>,
    min_volume: Option<u32>,
    bounce_stop_percent: Option<f64>,
    bounce_resume_percent: Option<f64>,
    complaint_stop_percent: Option<f64>,
    complaint_resume_percent: Option<f64>,
}

fn both_lanes() -> Vec<LaneEntry> {
    vec![LaneEntry::Waiting, LaneEntry::Bulk]
}

const fn first() -> i32 {
    1
}

impl Sending {
    /// Reads the file that the settings name; what is not there says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or is no such file.
    pub fn of(settings: &Settings) -> Result<Self, BootError> {
        match &settings.sending_config {
            None => Ok(Self::default()),
            Some(path) => Self::read(path),
        }
    }

    fn read(path: &Path) -> Result<Self, BootError> {
        let unread =
            |error| BootError::from_source("SENDING_CONFIG names a file that cannot be read.", error);
        let text = std::fs::read_to_string(path).map_err(unread)?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, BootError> {
        // The message of serde names the field and the line, and no value but a misspelled name.
        serde_json::from_str(text)
            .map_err(|error| BootError::from_source("SENDING_CONFIG cannot be used.", error))
    }

    /// All routes: that of `SMTP_URL`, called `main`, and those of the file.
    ///
    /// # Errors
    /// When one cannot be used; the sentence names it.
    pub fn routes(&self, settings: &Settings) -> Result<Vec<RouteSetup>, BootError> {
        let usual = (settings.waiting_concurrency + settings.bulk_concurrency) as usize;
        let mut routes = Vec::new();
        if let Some(url) = &settings.smtp_url {
            routes.push(RouteSetup::main(pool("SMTP_URL", url, usual)?));
        }
        for entry in &self.routes {
            if !is_route_name(&entry.name) || routes.iter().any(|known| known.name == entry.name) {
                return Err(wrong(&format!(
                    "route name {:?} must be of lower-case letters, digits and -, at most 40, and stand once ({MAIN} is \
                     that of SMTP_URL)",
                    entry.name
                )));
            }
            routes.push(entry.setup(usual)?);
        }
        if routes.len() > ROUTES_MAX {
            return Err(wrong("routes: at most 16"));
        }
        Ok(routes)
    }

    /// How much may go.
    ///
    /// # Errors
    /// When a limit cannot be kept; the sentence names it.
    pub fn limits(&self) -> Result<Limits, BootError> {
        if self.limits.len() > LIMITS_MAX {
            return Err(wrong("limits: at most 100"));
        }
        let domains = self
            .limits
            .iter()
            .map(LimitEntry::limit)
            .collect::<Result<_, _>>()?;
        let warm_up = self.warm_up.as_ref().map(|entry| WarmUp {
            start: entry.start,
            per_day: entry.per_day.clone(),
        });
        if warm_up
            .as_ref()
            .is_some_and(|warm_up| warm_up.per_day.len() > WARM_UP_DAYS_MAX)
        {
            return Err(wrong("warmUp.perDay: at most 366 days"));
        }
        Ok(Limits { domains, warm_up })
    }

    /// When a route stops to keep its good name.
    ///
    /// # Errors
    /// When the limits contradict each other.
    pub fn reputation(&self) -> Result<ReputationRules, BootError> {
        let (usual, entry) = (ReputationRules::default(), &self.reputation);
        let rules = ReputationRules {
            window_hours: entry.window_hours.unwrap_or(usual.window_hours),
            min_volume: entry.min_volume.unwrap_or(usual.min_volume),
            bounce_stop_percent: entry.bounce_stop_percent.unwrap_or(usual.bounce_stop_percent),
            bounce_resume_percent: entry.bounce_resume_percent.unwrap_or(usual.bounce_resume_percent),
            complaint_stop_percent: entry
                .complaint_stop_percent
                .unwrap_or(usual.complaint_stop_percent),
            complaint_resume_percent: entry
                .complaint_resume_percent
                .unwrap_or(usual.complaint_resume_percent),
        };
        if !(1..=24 * 7).contains(&rules.window_hours) || rules.min_volume == 0 {
            return Err(wrong("reputation: windowHours is 1 to 168, minVolume at least 1"));
        }
        let pairs = [
            (rules.bounce_resume_percent, rules.bounce_stop_percent),
            (rules.complaint_resume_percent, rules.complaint_stop_percent),
        ];
        if pairs
            .iter()
            .any(|(resume, stop)| !(0.0 < *resume && resume < stop && *stop <= 100.0))
        {
            return Err(wrong(
                "reputation: each resume percent must be above 0 and below its stop percent",
            ));
        }
        Ok(rules)
    }
}

impl RouteEntry {
    fn setup(&self, usual: usize) -> Result<RouteSetup, BootError> {
        let name = &self.name;
        if self.lanes.is_empty() || self.concurrency == Some(0) {
            return Err(wrong(&format!(
                "route {name} needs a lane and a concurrency of 1 at least"
            )));
        }
        let concurrency = self.concurrency.map(|n| n.min(256) as usize);
        let connections = concurrency.map_or(usual, |n| n * self.lanes.len());
        let lane = |lane: &LaneEntry| match lane {
            LaneEntry::Waiting => Lane::Waiting,
            LaneEntry::Bulk => Lane::Bulk,
        };
        Ok(RouteSetup {
            name: name.clone(),
            pool: pool(&format!("the url of route {name}"), &self.url, connections)?,
            lanes: self.lanes.iter().map(lane).collect(),
            priority: self.priority,
            concurrency,
            rate: rate(self.per_second, self.per_hour)?,
        })
    }
}

impl LimitEntry {
    fn limit(&self) -> Result<DomainLimit, BootError> {
        let rate = rate(self.per_second, self.per_hour)?;
        if self.domains.is_empty() || rate.is_none() {
            return Err(wrong("each of limits needs domains and perSecond or perHour"));
        }
        let domains = self
            .domains
            .iter()
            .map(|domain| domain.trim().to_ascii_lowercase())
            .collect();
        Ok(DomainLimit { domains, rate })
    }
}

fn rate(per_second: Option<u32>, per_hour: Option<u32>) -> Result<Rate, BootError> {
    if [per_second, per_hour].contains(&Some(0)) {
        return Err(wrong(
            "perSecond and perHour are at least 1; pause a route to send nothing",
        ));
    }
    Ok(Rate { per_second, per_hour })
}

fn pool(what: &str, url: &str, connections: usize) -> Result<SmtpPool, BootError> {
    let unusable = |error| BootError::from_source(&format!("{what} cannot be used."), error);
    let mut config: SmtpConfig = url.parse().map_err(unusable)?;
    config.connections = connections;
    SmtpPool::new(config).map_err(unusable)
}

fn wrong(what: &str) -> BootError {
    BootError::because(format!("SENDING_CONFIG cannot be used: {what}."))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn settings(arguments: &[&str]) -> Settings {
        Line::parse_from(["leadward"].iter().chain(arguments)).settings
    }

    fn refusal(text: &str) -> String {
        let found = Sending::parse(text).and_then(|sending| {
            sending.routes(&settings(&["--smtp-url", "smtp://127.0.0.1"]))?;
            sending.limits()?;
            sending.reputation()
        });
        let error = found.expect_err("it is refused");
        domain::error::Chain(&error).to_string()
    }

    #[test]
    fn smtp_url_alone_is_the_route_main_for_everything() {
        let routes = Sending::default()
            .routes(&settings(&["--smtp-url", "smtp://127.0.0.1"]))
            .unwrap();
        let names: Vec<_> = routes
            .iter()
            .map(|route| (route.name.as_str(), route.lanes.len()))
            .collect();
        assert_eq!(names, [("main", 2)]);
    }

    #[test]
    fn a_file_adds_routes_limits_and_a_warm_up() {
        let sending = Sending::parse(
            r#"{"routes": [{"name": "bulk-2", "url": "smtps://u:p@mail.example.org", "lanes": ["BULK"], "priority": 2,
                            "concurrency": 4, "perSecond": 14}],
                "limits": [{"domains": ["Gmail.com", "googlemail.com"], "perSecond": 5}],
                "warmUp": {"start": "2026-12-01", "perDay": [50, 100]},
                "reputation": {"minVolume": 100}}"#,
        )
        .unwrap();
        let routes = sending
            .routes(&settings(&["--smtp-url", "smtp://127.0.0.1"]))
            .unwrap();
        assert_eq!(routes.len(), 2);
        assert_eq!(
            (
                routes[1].priority,
                routes[1].concurrency,
                routes[1].rate.per_second
            ),
            (2, Some(4), Some(14))
        );
        assert_eq!(
            sending.limits().unwrap().domains[0].domains,
            ["gmail.com", "googlemail.com"]
        );
        assert_eq!(sending.reputation().unwrap().min_volume, 100);
        assert!(!format!("{sending:?}").contains("u:p"), "no password is printed");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            (r#"{"route": []}"#, "unknown field `route`"),
            (
                r#"{"routes": [{"name": "Bulk", "url": "smtp://h"}]}"#,
                "route name \"Bulk\"",
            ),
            (
                r#"{"routes": [{"name": "main", "url": "smtp://h"}]}"#,
                "that of SMTP_URL",
            ),
            (
                r#"{"routes": [{"name": "b", "url": "http://h"}]}"#,
                "the url of route b",
            ),
            (
                r#"{"routes": [{"name": "b", "url": "smtp://h", "perSecond": 0}]}"#,
                "at least 1",
            ),
            (
                r#"{"limits": [{"domains": ["gmail.com"]}]}"#,
                "perSecond or perHour",
            ),
            (
                r#"{"reputation": {"complaintResumePercent": 0.5}}"#,
                "below its stop percent",
            ),
        ] {
            let error = refusal(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
