//! One open connection and the transactions made over it.

use std::fmt::Display;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout};

use super::QUIT_LIMIT;
use super::config::{SmtpConfig, SmtpTimeouts};
use super::outcome::{Accepted, SendError, Stage, detail, reply_line};

/// What the connection can be used for next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Between two messages.
    Ready,
    /// A message was refused half way: `RSET` before the next one.
    NeedsReset,
    /// Broken, or in the middle of an exchange that nobody will finish. Set before every exchange and taken back
    /// after it, so a send that was cancelled leaves it here.
    Broken,
}

/// A connection with what the pool must know about it.
pub(super) struct Held {
    connection: AsyncSmtpConnection,
    condition: Condition,
    /// Transactions begun.
    mails: u32,
    opened: Instant,
    last_used: Instant,
}

impl Held {
    /// Wraps a connection that is greeted and signed in.
    pub(super) fn new(connection: AsyncSmtpConnection) -> Self {
        let now = Instant::now();
        Self {
            connection,
            condition: Condition::Ready,
            mails: 0,
            opened: now,
            last_used: now,
        }
    }

    /// Whether it carried a message before, and so may have died of age since.
    pub(super) fn is_reused(&self) -> bool {
        self.mails > 0
    }

    /// Whether it must not be used again.
    pub(super) fn is_broken(&self) -> bool {
        self.condition == Condition::Broken
    }

    /// Makes it fit for another message: true if it is.
    ///
    /// A busy connection costs no round trip here; only one that sat idle or was refused something is asked.
    pub(super) async fn renew(&mut self, config: &SmtpConfig) -> bool {
        if self.is_broken() {
            return false;
        }
        if self.mails >= config.mails_per_connection || self.opened.elapsed() >= config.max_age {
            let _ = timeout(QUIT_LIMIT, self.connection.quit()).await;
            return false;
        }
        let answer = if self.condition == Condition::NeedsReset {
            self.command(Stage::Connect, Rset, config.timeouts.command, None)
                .await
        } else if self.last_used.elapsed() >= config.probe_after_idle {
            self.command(Stage::Connect, Noop, config.timeouts.command, None)
                .await
        } else {
            return true;
        };
        // Whatever it objects to in RSET or NOOP, a new connection is the cure.
        answer.is_ok()
    }

    /// Asks whether the relay is there.
    pub(super) async fn noop(&mut self, timeouts: &SmtpTimeouts) -> Result<(), SendError> {
        self.command(Stage::Connect, Noop, timeouts.command, None)
            .await
            .map(drop)
    }

    /// Says goodbye, briefly.
    pub(super) async fn quit(mut self) {
        let _ = timeout(QUIT_LIMIT, self.connection.quit()).await;
    }

    /// One message, from `MAIL FROM` to the answer to the final dot.
    pub(super) async fn transaction(
        &mut self,
        envelope: &Envelope,
        body: &[u8],
        timeouts: &SmtpTimeouts,
    ) -> Result<Accepted, SendError> {
        let parameters = self.mail_parameters(envelope, body)?;
        self.mails += 1;
        let (limit, spoken) = (timeouts.command, Some(envelope));
        self.command(
            Stage::Mail,
            Mail::new(envelope.from().cloned(), parameters),
            limit,
            spoken,
        )
        .await?;
        for recipient in envelope.to() {
            self.command(
                Stage::Recipient,
                Rcpt::new(recipient.clone(), vec![]),
                limit,
                spoken,
            )
            .await?;
        }
        self.command(Stage::Data, Data, limit, spoken).await?;
        self.content(envelope, body, timeouts.final_reply).await
    }

    /// What must be announced in `MAIL FROM`, or why this relay cannot carry the message at all.
    fn mail_parameters(&self, envelope: &Envelope, body: &[u8]) -> Result<Vec<MailParameter>, SendError> {
        let mut parameters = Vec::new();
        let server = self.connection.server_info();
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(SendError::unsendable(
                    "5.6.7",
                    "the relay takes no internationalized addresses",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !body.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(SendError::unsendable("5.6.3", "the relay takes no 8-bit content"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    /// One command whose failure means that nothing was accepted.
    async fn command<C: Display>(
        &mut self,
        stage: Stage,
        command: C,
        limit: Duration,
        envelope: Option<&Envelope>,
    ) -> Result<Response, SendError> {
        self.condition = Condition::Broken;
        let wanted = if stage == Stage::Data { 3 } else { 2 };
        let outcome = match timeout(limit, self.connection.command(command)).await {
            Ok(Ok(response)) if u16::from(response.code()) / 100 == wanted => Ok(response),
            Ok(Ok(response)) => Err(SendError::out_of_step(stage, &response)),
            Ok(Err(error)) => Err(SendError::from_lettre(stage, &error, envelope)),
            Err(_) => Err(SendError::local(stage, "no answer in time")),
        };
        self.settle(outcome)
    }

    /// The message after `DATA`. Once its final dot is on its way, only an answer can tell what became of it.
    async fn content(
        &mut self,
        envelope: &Envelope,
        body: &[u8],
        limit: Duration,
    ) -> Result<Accepted, SendError> {
        self.condition = Condition::Broken;
        let mut dot_on_its_way = false;
        // lettre asks for the next part when the one before is written, and writes the dot when there is none. A
        // server may not deliver what never got its dot (RFC 5321 section 4.1.1.4), so a break before is no unknown.
        let parts = std::iter::once(body).chain(std::iter::from_fn(|| {
            dot_on_its_way = true;
            None
        }));
        let answer = timeout(limit, self.connection.message_iter(parts)).await;
        let failure = match answer {
            Ok(Ok(response)) if u16::from(response.code()) / 100 == 2 => {
                return self.settle(Ok(Accepted {
                    reply: reply_line(&response, envelope),
                }));
            }
            Ok(Ok(response)) => reply_line(&response, envelope),
            Ok(Err(error)) if error.status().is_some() => {
                return self.settle(Err(SendError::from_lettre(
                    Stage::Content,
                    &error,
                    Some(envelope),
                )));
            }
            Ok(Err(error)) => detail(&error, Some(envelope)),
            Err(_) => "no answer in time".to_owned(),
        };
        Err(if dot_on_its_way {
            SendError::Unknown { detail: failure }
        } else {
            SendError::local(Stage::Content, failure)
        })
    }

    /// Notes what the connection is good for after an exchange that ran to its end.
    fn settle<T>(&mut self, outcome: Result<T, SendError>) -> Result<T, SendError> {
        self.last_used = Instant::now();
        self.condition = match &outcome {
            Ok(_) => Condition::Ready,
            Err(error) if error.leaves_connection_usable() => Condition::NeedsReset,
            Err(_) => Condition::Broken,
        };
        outcome
    }
}
