//! The life of the copy: its clock jumps from one due time to the next, and at each all that is due is done.

use std::time::Instant;

use chrono::{DateTime, Utc};
use entity::message::{GateReason, Lane};

use super::log::Log;
use super::{Limits, MailWriter};
use crate::clock::FixedClock;
use crate::db::BATCH_MAX;
use crate::due;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::claim::{Sendable, claim};
use crate::outreach::hand_off::hand_off;
use crate::outreach::release::pull_forward;
use crate::outreach::settle::{Outcome, Settlement, settle, unwritable};
use crate::round;

/// Passes at one instant, of one batch a subject, beyond which something must be feeding itself.
const PASSES_MAX: usize = 1_000;
/// A lease. Nobody else claims here, and no time passes under it.
const LEASE_SECS: u32 = 60;

/// What the life of the copy needs.
pub(super) struct Life<'a> {
    /// The copy.
    pub(super) h: &'a Hospital,
    /// Its clock.
    pub(super) clock: &'a FixedClock,
    /// Writes its mails.
    pub(super) writer: &'a dyn MailWriter,
    /// What it may cost.
    pub(super) limits: Limits,
    /// When it began, by the machine's clock.
    pub(super) started: Instant,
}

impl Life<'_> {
    /// Lives until `until`; what is due at that instant is not done any more. Answers how far it came: `until`, or the
    /// instant at which a limit was reached.
    pub(super) async fn live(
        &self,
        until: DateTime<Utc>,
        mut log: Option<&mut Log>,
    ) -> Result<DateTime<Utc>> {
        loop {
            let next = self.do_all_that_is_due().await?;
            let mut entries = 0;
            if let Some(log) = log.as_deref_mut() {
                log.take_up(&self.h.db).await?;
                entries = log.len();
            }
            let Some(next) = next.filter(|next| *next < until) else {
                break;
            };
            if entries > self.limits.entries || self.started.elapsed() > self.limits.patience {
                return Ok(self.h.now());
            }
            self.clock.set(next);
        }
        self.clock.set(until);
        Ok(until)
    }

    /// As the workers do it, until nothing is due any more. Answers when something is due again.
    async fn do_all_that_is_due(&self) -> Result<Option<DateTime<Utc>>> {
        let now = self.h.now();
        for _ in 0..PASSES_MAX {
            let oldest = due::oldest(&self.h.db).await?;
            let is_due = |subject: Subject| {
                let mut due = oldest.iter().filter(|(of, _)| *of == subject);
                due.any(|(_, due)| due.is_some_and(|due| due <= now))
            };
            let subjects: Vec<Subject> = Subject::BY_CAUSE
                .into_iter()
                .filter(|subject| is_due(*subject))
                .collect();
            if subjects.is_empty() {
                return Ok(oldest.into_iter().filter_map(|(_, due)| due).min());
            }
            for subject in subjects {
                self.look_at(subject).await?;
            }
        }
        Err(Error::fault("work goes on making work in a dry run"))
    }

    /// Does a batch of what is due of one subject. There is nobody to tell in a copy.
    async fn look_at(&self, subject: Subject) -> Result<()> {
        match subject {
            Subject::WaitingMail => self.mail(Lane::Waiting).await,
            Subject::BulkMail => {
                pull_forward(self.h, BATCH_MAX).await?;
                self.mail(Lane::Bulk).await
            }
            Subject::Enrollments => {
                let _ = round::enrollments(self.h, BATCH_MAX).await?;
                Ok(())
            }
            Subject::FollowUps => {
                let _ = round::follow_ups(self.h).await?;
                Ok(())
            }
            // Nothing comes back from a mail that nobody got.
            Subject::InboundMail => Ok(()),
            // How far a mailing has come is not in the copy, and to whom else it would go neither: what it has planned
            // for those who are goes out, and nothing is added.
            Subject::Mailings => Ok(()),
            Subject::Capacity => {
                let _ = round::capacity(self.h).await?;
                Ok(())
            }
        }
    }

    /// One batch of mail on its way: claim → gate → write → hand off → settle, as if the mail server took all of it.
    async fn mail(&self, lane: Lane) -> Result<()> {
        let h = self.h;
        let playbook = h.playbook().await?;
        let claimed = claim(h, lane, BATCH_MAX, LEASE_SECS).await?;
        let now = h.now();
        let mut written: Vec<(&Sendable, String)> = Vec::with_capacity(claimed.sendables.len());
        let mut failed: Vec<(&Sendable, GateReason)> = Vec::new();
        for sendable in &claimed.sendables {
            match self.writer.subject(h, &playbook, sendable, now) {
                Ok(subject) => written.push((sendable, subject)),
                Err(reason) => failed.push((sendable, reason)),
            }
        }
        if !failed.is_empty() {
            unwritable(h, &failed).await?;
        }
        if !written.is_empty() {
            let sendables: Vec<&Sendable> = written.iter().map(|(sendable, _)| *sendable).collect();
            let allowed = hand_off(h, &sendables, LEASE_SECS).await?;
            let settlements: Vec<Settlement<'_>> = written
                .iter()
                .filter(|(sendable, _)| allowed.contains(&sendable.id()))
                .map(|(sendable, subject)| Settlement {
                    sendable,
                    subject,
                    outcome: Outcome::Accepted {
                        response: "simulated".to_owned(),
                        kept: None,
                    },
                    took: None,
                })
                .collect();
            let _ = settle(h, &settlements).await?;
        }
        Ok(())
    }
}
