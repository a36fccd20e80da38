//! Complaints of mailbox providers about a mail of ours (RFC 5965, and the older form of Microsoft's program).

use super::mail::Mail;
use super::text::{addresses, unfold};

/// What a report of a feedback loop says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Feedback {
    /// `abuse`, `not-spam`, … in lower case.
    pub(super) kind: String,
    /// Whom the mail had gone to, as far as it is told.
    pub(super) recipients: Vec<String>,
    /// Whose return path it had.
    pub(super) return_path: Option<String>,
}

impl Feedback {
    /// Whether a person reported the mail as unwanted. `fraud` is what mailboxes send when somebody says "phishing".
    pub(super) fn is_complaint(&self) -> bool {
        matches!(self.kind.as_str(), "abuse" | "fraud" | "complaint" | "spam")
    }

    /// Whether a person asked by it to be taken off.
    pub(super) fn is_opt_out(&self) -> bool {
        matches!(self.kind.as_str(), "opt-out" | "opt-out-list" | "unsubscribe")
    }
}

/// Reads a report, if the mail is one.
pub(super) fn read(mail: &Mail) -> Option<Feedback> {
    let announced = mail.says("content-type", "feedback-report");
    let report = mail
        .parts_of(&["message/feedback-report"])
        .chain(mail.parts.iter().filter(|_| announced))
        .find_map(|part| fields(&part.text))
        .or_else(|| microsoft(mail))
        .or_else(|| {
            // Given as plain text by gateways that do not know the type.
            let texts = mail
                .parts
                .iter()
                .filter(|part| !part.media.starts_with("text/html"));
            let found = texts.filter_map(|part| fields(&part.text)).next();
            found.filter(|_| !mail.enclosed.is_empty() || announced)
        });
    let mut report = report.or_else(|| {
        // Announced and not to be read: whom it is about is in the mail that it encloses, and why was never told.
        (announced && !mail.enclosed.is_empty()).then(|| Feedback {
            kind: "unreadable".to_owned(),
            ..Feedback::default()
        })
    })?;
    if report.recipients.is_empty() {
        let told = mail
            .enclosed
            .iter()
            .flat_map(|mail| mail.all("to").chain(mail.all("delivered-to")));
        report.recipients = told
            .flat_map(addresses)
            .filter(|address| !is_redacted(address))
            .collect();
        report.recipients.dedup();
    }
    Some(report)
}

fn fields(text: &str) -> Option<Feedback> {
    let mut feedback = Feedback::default();
    let mut version = false;
    let mut joined: Vec<String> = Vec::new();
    for line in text.lines().take(500) {
        match joined.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => joined.push(line.to_owned()),
        }
    }
    for line in &joined {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = unfold(value);
        match name.trim().to_ascii_lowercase().as_str() {
            "feedback-type" if feedback.kind.is_empty() => {
                let word = value
                    .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                    .next()
                    .unwrap_or_default();
                feedback.kind = word.to_ascii_lowercase();
            }
            "version" | "user-agent" => version = true,
            "original-rcpt-to" | "removal-recipient" => {
                let told = addresses(&value)
                    .into_iter()
                    .filter(|address| !is_redacted(address));
                feedback.recipients.extend(told);
            }
            "original-mail-from" => feedback.return_path = addresses(&value).into_iter().next(),
            _ => {}
        }
    }
    feedback.recipients.sort();
    feedback.recipients.dedup();
    (!feedback.kind.is_empty() && (version || !feedback.recipients.is_empty() || joined.len() < 20))
        .then_some(feedback)
}

/// The report of Microsoft's junk mail program: the mail itself, in which it noted whom it was for.
fn microsoft(mail: &Mail) -> Option<Feedback> {
    let noted = mail
        .enclosed
        .iter()
        .find_map(|mail| mail.header("x-hmxmroriginalrecipient"))?;
    Some(Feedback {
        kind: "abuse".to_owned(),
        recipients: addresses(noted),
        return_path: None,
    })
}

/// Whether an address was made unreadable (RFC 6590).
pub(super) fn is_redacted(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    local.contains("redacted")
        || local.contains("xxx")
        || local.contains("***")
        || local.starts_with("undisclosed")
}
