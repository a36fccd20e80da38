//! Who visited a link: a person, or a program that looks at links before people do.
//!
//! A pure function of the visits of one mail and of when its mail server took it. What it rests on:
//!
//! - Browsers say with each request whether a person goes to a page (W3C Fetch Metadata: `Sec-Fetch-Mode: navigate` and
//!   `Sec-Fetch-Dest: document`; in Chrome since 80, Firefox since 90, Safari since 16.4, over HTTPS alone). Scripts cannot
//!   set these headers; programs of their own can, so this is needed and not enough. `Sec-Fetch-User` is not asked for,
//!   because Safari does not send it.
//! - Gateways that look for malware ask with HEAD, or fetch all links of a mail within seconds, mostly while the mail
//!   arrives. Some wait for minutes; these give themselves away by the second link or by what they send.
//! - Some open a link at the moment in which a person does. What is beside a program is therefore in doubt.
//!
//! A visit is judged by what is near it in time, so a scanner of yesterday takes nothing from a person of today. The rule
//! errs on one side: more evidence of programs never makes a person of one, and what is in doubt does not count.

use chrono::{DateTime, TimeDelta, Utc};
use entity::link_visit::{ClickReason, ClickVerdict, Model, VisitWay};

#[cfg(test)]
mod tests;

/// How soon after its mail server took a mail nobody can have read it.
pub const TOO_SOON: TimeDelta = TimeDelta::seconds(60);
/// Visits within this time of each other are one act.
pub const TOGETHER: TimeDelta = TimeDelta::seconds(10);
/// How long after a visit all that speaks about it is written down.
pub const SETTLED: TimeDelta = TimeDelta::seconds(60);

/// What a judge sees of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Which link of the mail.
    pub link: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub way: VisitWay,
}

impl From<&Model> for Visit {
    fn from(row: &Model) -> Self {
        Self {
            link: row.link,
            at: row.at,
            way: row.way,
        }
    }
}

/// Judges a visit. `all` are the visits of the same mail, with or without this one; `taken_at` is when a mail server took
/// the mail, or when it went out if nobody knows.
#[must_use]
pub fn judge(visit: Visit, all: &[Visit], taken_at: Option<DateTime<Utc>>) -> (ClickVerdict, ClickReason) {
    let mut near = all.iter().filter(|other| (other.at - visit.at).abs() <= TOGETHER);
    // Nobody reads what has not gone out.
    let too_soon = taken_at.is_none_or(|taken_at| visit.at < taken_at + TOO_SOON);
    if is_of_a_program(visit.way) {
        (ClickVerdict::Scanner, ClickReason::SaidSo)
    } else if too_soon {
        (ClickVerdict::Scanner, ClickReason::TooSoon)
    } else if near.clone().any(|other| other.link != visit.link) {
        (ClickVerdict::Scanner, ClickReason::SeveralLinks)
    } else if visit.way == VisitWay::NotNavigated {
        (ClickVerdict::Unclear, ClickReason::NotNavigated)
    } else if near.any(|other| is_of_a_program(other.way)) {
        (ClickVerdict::Unclear, ClickReason::BesideAScanner)
    } else {
        (ClickVerdict::Human, ClickReason::Navigated)
    }
}

/// Whether the request itself says that no person made it.
const fn is_of_a_program(way: VisitWay) -> bool {
    match way {
        VisitWay::Head | VisitWay::Prefetch | VisitWay::Program => true,
        VisitWay::NotNavigated | VisitWay::Navigated => false,
    }
}
