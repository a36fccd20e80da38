//! A nudge: "look at what is due in this part of the database, now".
//!
//! The database remembers and the queue reminds. Whatever must happen later is a row with a due time, written in the
//! transaction that caused it; a nudge carries no work of its own and only saves the wait for the next sweep. It may be
//! lost, doubled or late without harm, so giving one never blocks and never fails.
//!
//! Operations are given no [`Nudger`]: the doors nudge after the commit, when there is something to see.

use serde::{Deserialize, Serialize};

/// Which of two queues a nudge waits in, so that a campaign to thousands never delays a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody waits for it: confirmations, reminders, mail to staff.
    Waiting,
    /// Nobody waits for it: nurture mail, enrollments moving to their next step, the planning of mailings.
    Bulk,
}

impl Lane {
    /// Both lanes.
    pub const ALL: [Self; 2] = [Self::Waiting, Self::Bulk];

    /// The lane in key names, metric labels and log fields.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Bulk => "bulk",
        }
    }
}

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Subject {
    /// Messages somebody waits for: confirmations, reminders, mail to staff.
    WaitingMail,
    /// Messages of sequences and campaigns.
    BulkMail,
    /// Enrollments whose next step is due.
    Enrollments,
    /// Follow-ups to remind of, or to mark as late.
    FollowUps,
    /// Mails and notices that came in and are not yet applied.
    InboundMail,
    /// Mailings that are being planned, or withheld after a stop.
    Mailings,
    /// Paces of promotion that are to be reckoned anew, and lines that are to be laid out by them.
    Capacity,
}

impl Subject {
    /// Every subject, in the order of [`Subject::index`].
    pub const ALL: [Self; 7] = [
        Self::WaitingMail,
        Self::BulkMail,
        Self::Enrollments,
        Self::FollowUps,
        Self::InboundMail,
        Self::Mailings,
        Self::Capacity,
    ];

    /// Every subject, in the order in which work on one makes work of the next due.
    pub const BY_CAUSE: [Self; 7] = [
        Self::InboundMail,
        Self::Mailings,
        Self::Enrollments,
        Self::FollowUps,
        Self::WaitingMail,
        Self::Capacity,
        Self::BulkMail,
    ];

    /// The lane its nudges wait in.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::WaitingMail | Self::FollowUps | Self::InboundMail => Lane::Waiting,
            Self::BulkMail | Self::Enrollments | Self::Mailings | Self::Capacity => Lane::Bulk,
        }
    }

    /// The subject in metric labels and log fields; the same word as in the payload.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WaitingMail => "WAITING_MAIL",
            Self::BulkMail => "BULK_MAIL",
            Self::Enrollments => "ENROLLMENTS",
            Self::FollowUps => "FOLLOW_UPS",
            Self::InboundMail => "INBOUND_MAIL",
            Self::Mailings => "MAILINGS",
            Self::Capacity => "CAPACITY",
        }
    }

    /// Its place in [`Subject::ALL`], for tables with one entry a subject.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The payload of a job in the queue, tagged with its version: `{"v":1,"look_at":"WAITING_MAIL"}`.
///
/// While a release is rolled out, processes of two versions share one queue, so the payload has rules:
/// - A payload of an older version must still parse. A field added later has a default.
/// - Fields that are not known are passed over, so an older process reads a newer payload about a subject it knows.
/// - A payload that does not parse is dropped: the sweep of the newer process finds the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudge {
    v: u8,
    look_at: Subject,
}

impl Nudge {
    /// The version this process writes.
    pub const VERSION: u8 = 1;

    /// A nudge to look at a subject.
    #[must_use]
    pub const fn about(subject: Subject) -> Self {
        Self {
            v: Self::VERSION,
            look_at: subject,
        }
    }

    /// What to look at.
    #[must_use]
    pub const fn subject(self) -> Subject {
        self.look_at
    }

    /// The version of the process that wrote it.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.v
    }
}

/// Takes nudges from the doors, after their commit.
pub trait Nudger: Send + Sync {
    /// Asks the workers to look at a subject soon. Returns at once; a nudge that cannot be given is dropped, because
    /// the sweep finds the rows.
    fn nudge(&self, subject: Subject);
}

/// Drops every nudge: for commands that run no workers, and for tests that drain the rows themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNudges;

impl Nudger for NoNudges {
    fn nudge(&self, _subject: Subject) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nudge_is_written_as_version_one_has_always_been() {
        let written = serde_json::to_string(&Nudge::about(Subject::WaitingMail)).unwrap();
        assert_eq!(written, r#"{"v":1,"look_at":"WAITING_MAIL"}"#);
    }

    #[test]
    fn a_nudge_of_version_one_parses_for_every_subject() {
        for (word, subject) in [
            ("WAITING_MAIL", Subject::WaitingMail),
            ("BULK_MAIL", Subject::BulkMail),
            ("ENROLLMENTS", Subject::Enrollments),
            ("FOLLOW_UPS", Subject::FollowUps),
            ("INBOUND_MAIL", Subject::InboundMail),
            ("MAILINGS", Subject::Mailings),
            ("CAPACITY", Subject::Capacity),
        ] {
            let nudge: Nudge = serde_json::from_str(&format!(r#"{{"v":1,"look_at":"{word}"}}"#)).unwrap();
            assert_eq!(nudge, Nudge::about(subject));
            assert_eq!(subject.name(), word);
        }
    }

    #[test]
    fn a_newer_nudge_about_a_known_subject_parses() {
        let nudge: Nudge = serde_json::from_str(r#"{"v":2,"look_at":"BULK_MAIL","since":17}"#).unwrap();
        assert_eq!((nudge.version(), nudge.subject()), (2, Subject::BulkMail));
    }

    #[test]
    fn every_subject_stands_at_its_own_index() {
        for (place, subject) in Subject::ALL.into_iter().enumerate() {
            assert_eq!(subject.index(), place);
        }
    }

    #[test]
    fn no_subject_is_left_out_of_the_order_of_causes() {
        for subject in Subject::ALL {
            assert!(Subject::BY_CAUSE.contains(&subject), "{}", subject.name());
        }
    }

    #[test]
    fn what_somebody_waits_for_has_its_own_lane() {
        let waiting: Vec<_> = Subject::ALL
            .into_iter()
            .filter(|s| s.lane() == Lane::Waiting)
            .collect();
        assert_eq!(
            waiting,
            [Subject::WaitingMail, Subject::FollowUps, Subject::InboundMail]
        );
    }
}
