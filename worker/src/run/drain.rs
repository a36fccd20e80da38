//! Does all that is due, at once: for tests and for commands that end.

use domain::error::Error;
use domain::nudge::Subject;
use tokio_util::sync::CancellationToken;

use super::Worker;
use crate::sweep;

/// Passes over all subjects beyond which something must be feeding itself.
const PASSES_MAX: usize = 1_000;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Messages whose lease had ended.
    pub recovered: usize,
    /// Enrollments looked at.
    pub enrollments: usize,
    /// Follow-ups and leads looked at.
    pub follow_ups: usize,
    /// Mails and notices that came in and were begun to be applied.
    pub inbound: usize,
    /// Leads and mails of mailings looked at.
    pub mailings: usize,
    /// Paces of promotion and mails in line for it looked at.
    pub paced: usize,
    /// Messages looked at, by as often as they were due.
    pub messages: usize,
}

impl Worker {
    /// Does all that is due by the clock, through the same handlers as a nudge, until nothing is due any more. Mail whose
    /// server cannot be reached stays where it is.
    ///
    /// # Errors
    /// When the database fails, or when work goes on making work.
    pub async fn drain(&self) -> Result<Drained, Error> {
        let never = CancellationToken::new();
        let mut drained = Drained::default();
        for _ in 0..PASSES_MAX {
            let before = drained;
            drained.recovered += sweep::recover(&self.0.hospital, &*self.0.nudger).await?;
            self.tell(self.0.delivery.review_routes().await?);
            for subject in Subject::BY_CAUSE {
                let rows = self.look(subject, &never).await?.rows;
                match subject {
                    Subject::Enrollments => drained.enrollments += rows,
                    Subject::FollowUps => drained.follow_ups += rows,
                    Subject::InboundMail => drained.inbound += rows,
                    Subject::Mailings => drained.mailings += rows,
                    Subject::Capacity => drained.paced += rows,
                    Subject::WaitingMail | Subject::BulkMail => drained.messages += rows,
                }
            }
            if drained == before && !self.0.mailroom.quiet().await {
                sweep::seal(&self.0.hospital).await?;
                sweep::count_mailings(&self.0.hospital).await?;
                sweep::judge_clicks(&self.0.hospital).await?;
                return Ok(drained);
            }
        }
        Err(Error::fault("work goes on making work: it cannot be drained"))
    }
}
