//! Fetches what comes back by mail: out of a Maildir directory.
//!
//! A mail is moved away only when it is stored for good. A process that dies in between finds it again, and the store
//! knows it already.

mod maildir;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::error::Chain;
use domain::hospital::Hospital;
use domain::inbound::{Came, store};
use domain::nudge::Nudger;
use tokio_util::sync::CancellationToken;

pub use maildir::Maildir;

/// How long a mailbox is left alone between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The longest wait while a mailbox cannot be read.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Mails fetched in one go.
const BATCH: usize = 20;

/// Where mails lie.
#[derive(Clone, Debug, Default)]
pub struct MailboxSettings {
    /// A directory in the Maildir format.
    pub maildir: Option<PathBuf>,
}

/// Why a mailbox could not be read. Holds no personal data.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Looks into the mailboxes until it is told to stop. Returns at once when there is none.
pub async fn run(
    hospital: Hospital,
    nudger: Arc<dyn Nudger>,
    settings: MailboxSettings,
    stop: CancellationToken,
) {
    let Some(path) = settings.maildir else { return };
    let maildir = Maildir::new(path);
    let (mut away, mut wait) = (false, Duration::ZERO);
    while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
        match empty(&hospital, &*nudger, &maildir, &stop).await {
            Ok(_) => {
                if away {
                    tracing::info!("The mailbox can be read again.");
                }
                (away, wait) = (false, LOOK_EVERY);
            }
            Err(error) => {
                if !away {
                    let error = Chain(&*error).to_string();
                    tracing::error!(
                        error,
                        "The mailbox cannot be read; it is tried again at a slower pace."
                    );
                }
                (away, wait) = (true, LONGEST_WAIT.min(wait.max(LOOK_EVERY) * 2));
            }
        }
    }
}

/// Stores all that lies in a mailbox and moves it away. Answers how many mails there were.
///
/// # Errors
/// When the directory cannot be read or the database fails; what is stored is moved away the next time.
pub async fn empty(
    hospital: &Hospital,
    nudger: &dyn Nudger,
    maildir: &Maildir,
    stop: &CancellationToken,
) -> Result<usize, BoxError> {
    let mut total = 0;
    while !stop.is_cancelled() {
        let lying = maildir.look(BATCH).await?;
        let (count, full) = (lying.len(), lying.len() == BATCH);
        for mail in lying {
            let came = Came::mail(entity::inbound_mail::InboundSource::Maildir, mail.raw.clone());
            // One by one: what is moved away has to be stored, and a batch of large mails is large.
            let done = store(hospital, vec![came]).await?;
            for subject in done.nudges {
                nudger.nudge(subject);
            }
            maildir.put_away(&mail).await?;
        }
        total += count;
        if !full {
            break;
        }
    }
    Ok(total)
}
