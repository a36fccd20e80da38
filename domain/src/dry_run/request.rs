//! What is to be simulated.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::LeadStage;
use entity::id::{LeadId, SequenceId, SequenceVersionId};
use entity::sequence_version::{Steps, Trigger};
use sea_orm::Condition;

use super::samples::SampleLeads;
use super::{MAX_DAYS, MAX_LEADS};
use crate::clock::to_micros;
use crate::error::{Code, Error, Refusal, Result};
use crate::patch::Patch;

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct Simulate {
    /// The sequence.
    pub sequence_id: SequenceId,
    /// Which version of it new enrollments take.
    pub version: Version,
    /// Which leads it is simulated with, besides the samples. Only those that the viewer may see.
    pub leads: Chosen,
    /// Made-up leads, if any are wanted.
    pub samples: Option<SampleLeads>,
    /// Who is enrolled.
    pub enroll: Enroll,
    /// When the period begins; now if not said. What is due before it happens before it, and is not told.
    pub from: Option<DateTime<Utc>>,
    /// When it ends. What is due at this instant is no longer in it.
    pub until: DateTime<Utc>,
    /// Whether a sequence that is paused is resumed at the beginning.
    pub resume: bool,
}

/// A version to simulate with.
#[derive(Clone, Debug)]
pub enum Version {
    /// The newest one: the waiting draft, if there is one.
    Newest,
    /// This one.
    Is(SequenceVersionId),
    /// The newest one with this content in place of its own.
    With(Box<Content>),
}

/// Content that is not saved yet.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// When a lead is enrolled.
    pub trigger: Option<Trigger>,
    /// The steps.
    pub steps: Option<Steps>,
    /// Stages that end it early.
    pub exit_stages: Option<Vec<LeadStage>>,
    /// Seconds after which it ends.
    pub ends_after: Patch<i64>,
}

/// Which leads.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// None.
    Nobody,
    /// These.
    Ids(Vec<LeadId>),
    /// Those for which this holds, a condition on the table of leads.
    Where(Condition),
}

/// Who is enrolled in the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enroll {
    /// Whom it would enroll by itself: samples when they come in, leads when something happens to them in the period.
    /// Who takes part already goes on.
    ByTrigger,
    /// Every chosen lead and every sample at the beginning, as if by hand.
    AllAtStart,
}

/// A request that can be simulated.
pub(super) struct Checked {
    pub(super) request: Simulate,
    pub(super) now: DateTime<Utc>,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

impl Simulate {
    /// Finds what is wrong before anything is read.
    pub(super) fn checked(self, now: DateTime<Utc>) -> Result<Checked> {
        let from = self.from.map_or(now, to_micros);
        let until = to_micros(self.until);
        let longest = TimeDelta::days(MAX_DAYS);
        let mut refusals = Vec::new();
        let mut refuse = |code, field, message: &'static str| {
            refusals.push(Refusal::new(code, field, message));
        };
        if from < now {
            refuse(Code::Invalid, "from", "A dry run begins now or later.");
        } else if from - now > longest {
            refuse(Code::TooLarge, "from", "A dry run begins within 180 days.");
        }
        if until <= from {
            refuse(Code::Invalid, "until", "The end comes after the beginning.");
        } else if until - from > longest {
            refuse(Code::TooLarge, "until", "A dry run is about at most 180 days.");
        }
        match &self.leads {
            Chosen::Nobody if self.samples.is_none() => {
                refuse(Code::Required, "leadIds", "Choose leads or samples.");
            }
            Chosen::Ids(ids) if ids.len() > MAX_LEADS => {
                refuse(Code::TooLarge, "leadIds", "A dry run takes at most 5,000 leads.");
            }
            _ => {}
        }
        if refusals.is_empty() {
            Ok(Checked {
                request: self,
                now,
                from,
                until,
            })
        } else {
            Err(Error::Refused(refusals))
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use uuid::Uuid;

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
    }

    fn refused(change: impl FnOnce(&mut Simulate)) -> Vec<(Code, String)> {
        let mut request = Simulate {
            sequence_id: SequenceId(Uuid::from_u128(1)),
            version: Version::Newest,
            leads: Chosen::Where(Condition::all()),
            samples: None,
            enroll: Enroll::ByTrigger,
            from: None,
            until: now() + TimeDelta::days(30),
            resume: false,
        };
        change(&mut request);
        match request.checked(now()) {
            Ok(_) => Vec::new(),
            Err(Error::Refused(refusals)) => refusals
                .into_iter()
                .map(|refusal| (refusal.code, refusal.field.join(".")))
                .collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn thirty_days_from_now_can_be_simulated() {
        assert_eq!(refused(|_| ()), []);
    }

    #[test]
    fn the_period_lies_ahead_and_is_bounded() {
        let until = |field: &str, code| vec![(code, field.to_owned())];
        assert_eq!(
            refused(|r| r.from = Some(now() - TimeDelta::seconds(1))),
            until("from", Code::Invalid)
        );
        assert_eq!(refused(|r| r.until = now()), until("until", Code::Invalid));
        assert_eq!(
            refused(|r| r.until = now() + TimeDelta::days(180) + TimeDelta::seconds(1)),
            until("until", Code::TooLarge)
        );
        assert_eq!(refused(|r| r.until = now() + TimeDelta::days(180)), []);
    }

    #[test]
    fn somebody_has_to_be_chosen_and_not_too_many() {
        assert_eq!(
            refused(|r| r.leads = Chosen::Nobody),
            [(Code::Required, "leadIds".to_owned())]
        );
        assert_eq!(
            refused(|r| {
                r.leads = Chosen::Nobody;
                r.samples = Some(SampleLeads::default());
            }),
            []
        );
        let many = vec![LeadId(Uuid::from_u128(1)); MAX_LEADS + 1];
        assert_eq!(
            refused(|r| r.leads = Chosen::Ids(many)),
            [(Code::TooLarge, "leadIds".to_owned())]
        );
    }
}
