//! Reads a mail that came back: what it is, about whom and about which message. Pure, and for any bytes.
//!
//! The order matters. What a program says in a form of its own (a complaint, a report of delivery) is asked first, then
//! what mail systems write without a form, then what is automatic, and only then whether a person said something.

use entity::inbound_mail::InboundKind;

use super::complaint;
use super::failure;
use super::mail::Mail;
use super::notice::{self, Notice};
use super::own_words;
use super::reading::{Failed, Reading};
use super::report::{self, Action, Report};
use super::text::{addresses, plain, words};
use super::{automatic, references};
use crate::consent::words::{self as consent_words, Reply};
use crate::outreach::settle::class::Class;

/// Reads a mail. Never fails: what cannot be read is [`InboundKind::Other`].
#[must_use]
pub fn classify(raw: &[u8]) -> Reading {
    let Some(mail) = Mail::open(raw) else {
        let why = if raw.trim_ascii().is_empty() {
            "It is empty."
        } else {
            "It has no header of a mail."
        };
        return Reading::new(InboundKind::Other, why);
    };
    let mut reading = of(&mail, 0);
    references::collect(&mail, raw, &mut reading);
    reading
}

fn of(mail: &Mail, depth: usize) -> Reading {
    complaint_of(mail)
        .or_else(|| report_of(mail))
        .or_else(|| passed_on(mail, depth))
        .or_else(|| notice_of(mail))
        .unwrap_or_else(|| of_somebody(mail))
}

fn complaint_of(mail: &Mail) -> Option<Reading> {
    let feedback = complaint::read(mail)?;
    let kind = if feedback.is_complaint() {
        InboundKind::Complaint
    } else if feedback.is_opt_out() {
        InboundKind::Unsubscribe
    } else {
        InboundKind::Other
    };
    let why = format!(
        "A report of a feedback loop (RFC 5965) of the type {}.",
        known_type(&feedback.kind)
    );
    let mut reading = Reading::new(kind, why);
    reading.add_return_path(feedback.return_path.as_deref().unwrap_or_default());
    reading.recipients = feedback.recipients;
    Some(reading)
}

/// The type in our own words: what stands in the mail is not repeated.
fn known_type(kind: &str) -> &'static str {
    const KNOWN: &[&str] = &[
        "abuse",
        "fraud",
        "virus",
        "other",
        "not-spam",
        "auth-failure",
        "opt-out",
        "opt-out-list",
        "complaint",
        "spam",
        "dmarc",
        "unsubscribe",
    ];
    KNOWN
        .iter()
        .find(|known| **known == kind)
        .copied()
        .unwrap_or("unknown")
}

/// A report of delivery, in its own part or, where a system gave it as text, in any other.
fn report_of(mail: &Mail) -> Option<Reading> {
    let status = [
        "message/delivery-status",
        "message/global-delivery-status",
        "text/delivery-status",
    ];
    let own = mail.parts_of(&status).find_map(|part| report::read(&part.text));
    let as_text = || {
        let announced = mail.says("content-type", "delivery-status")
            || notice::is_system(mail)
            || mail.return_path() == Some("");
        let others = mail
            .parts
            .iter()
            .filter(|part| announced && part.media != "text/html");
        others
            .filter_map(|part| report::read(&part.text))
            .find(|report| report.groups.iter().any(|group| group.status.is_some()))
    };
    own.or_else(as_text).map(|report| read_report(mail, &report))
}

fn read_report(mail: &Mail, report: &Report) -> Reading {
    let whom = |group: &report::Group| {
        let sent_to = mail
            .enclosed
            .iter()
            .flat_map(|mail| mail.all("to"))
            .flat_map(addresses)
            .collect::<Vec<_>>();
        let last = group.final_recipient.as_deref().and_then(report::recipient);
        let first = group.original_recipient.as_deref().and_then(report::recipient);
        // With a forwarding in between, the mail was sent to the first, and it is the first that failed for us.
        let ours = first
            .clone()
            .filter(|first| sent_to.iter().any(|to| to.eq_ignore_ascii_case(first)));
        (ours.or_else(|| last.clone()).or_else(|| first.clone()), first)
    };
    let mut failed = Vec::new();
    for group in report
        .groups
        .iter()
        .filter(|group| group.action() == Some(Action::Failed))
    {
        let said = group.diagnostic.as_deref().unwrap_or_default();
        let failure = failure::read(group.status.as_deref(), said);
        let (address, original) = whom(group);
        failed.push(Failed {
            address: address.unwrap_or_default(),
            original,
            class: failure.class,
            status: failure
                .status
                .or_else(|| group.status.as_deref().and_then(failure::first_code)),
            by: failure.by,
        });
    }
    if failed.is_empty() {
        let mut reading = Reading::new(
            InboundKind::Other,
            "A report of delivery (RFC 3464) in which nothing failed.",
        );
        if report
            .groups
            .iter()
            .any(|group| group.action() == Some(Action::Delayed))
        {
            reading.why = "A report of delivery (RFC 3464): it is late, and still being tried.".to_owned();
        }
        reading.delivered = report
            .groups
            .iter()
            .all(|group| group.action() == Some(Action::Delivered));
        reading.status = report
            .groups
            .iter()
            .find_map(|group| group.status.as_deref().and_then(failure::first_code));
        reading.recipients = report.groups.iter().filter_map(|group| whom(group).0).collect();
        return reading;
    }
    let of = report.groups.len();
    let mut reading = Reading::bounce(failed, |count, by| {
        format!("A report of delivery (RFC 3464): {count} of {of} recipients failed. The class is from {by}.")
    });
    reading.add_message_id(report.message_id.as_deref().unwrap_or_default());
    reading.add_message_id(report.envelope_id.as_deref().unwrap_or_default());
    reading.add_return_path(report.envelope_id.as_deref().unwrap_or_default());
    reading
}

fn notice_of(mail: &Mail) -> Option<Reading> {
    match notice::read(mail)? {
        Notice::Delayed => Some(Reading::new(
            InboundKind::Other,
            "A notice of a mail system: it is late, and still being tried.",
        )),
        Notice::Failed(failures) => {
            let failed = failures.into_iter().map(|(address, failure)| Failed {
                address,
                original: None,
                class: failure.class,
                status: failure.status,
                by: failure.by,
            });
            Some(Reading::bounce(failed.collect(), |count, by| {
                format!(
                    "A notice of a mail system that delivery failed, for {count} recipients. The class is from {by}."
                )
            }))
        }
    }
}

/// A report within a mail that only passes it on. What a person sends with words of their own is theirs.
fn passed_on(mail: &Mail, depth: usize) -> Option<Reading> {
    if depth > 1 || mail.enclosed.is_empty() || (notice::has_own_words(mail) && !notice::is_system(mail)) {
        return None;
    }
    let within = mail.enclosed.iter().find_map(|inner| {
        complaint_of(inner)
            .or_else(|| report_of(inner))
            .or_else(|| passed_on(inner, depth + 1))
            .or_else(|| notice_of(inner))
    });
    within.map(|mut reading| {
        reading.why = format!("Passed on within another mail. {}", reading.why);
        reading
    })
}

words! {
    /// How a subject says that it answers something.
    ANSWERS = ["re:", "re :", "aw:", "antw:", "antwort:", "sv:", "vs:", "rv:", "res:", "r:", "odp:", "ynt:", "re[", "回复:", "回覆:", "答复:", "返信:", "re：", "回复：", "답장:", "отв:", "ha:", "vá:", "bls:", "ref:"]
}
words! {
    /// How a subject says that it passes something on.
    PASSES_ON = ["fw:", "fwd:", "wg:", "tr:", "rv:", "i:", "enc:", "doorst:", "vb:", "转发:", "轉寄:"]
}

/// What somebody wrote, or a program in somebody's name.
fn of_somebody(mail: &Mail) -> Reading {
    let own = own_words::of(mail);
    let mut reading = said(mail, &own);
    if matches!(
        reading.kind,
        InboundKind::AutoReply | InboundKind::Reply | InboundKind::Unsubscribe
    ) || reading.personal
    {
        let sender = mail.from.address.trim();
        if sender.contains('@') {
            reading.recipients = vec![sender.to_owned()];
        }
    }
    reading
}

fn said(mail: &Mail, own: &str) -> Reading {
    let subject = bare_subject(&mail.subject);
    let answers_itself = mail
        .header("auto-submitted")
        .is_some_and(|value| value.to_ascii_lowercase().contains("replied"));
    if !answers_itself && let Some(why) = asks_to_leave(mail, &subject, own) {
        return Reading::new(InboundKind::Unsubscribe, why);
    }
    if is_list(mail) {
        return Reading::new(
            InboundKind::Other,
            "It came over a mailing list or is a newsletter.",
        );
    }
    if let Some(why) = automatic::why(mail, own) {
        return Reading::new(InboundKind::AutoReply, format!("No person wrote it: {why}."));
    }
    if mail.parts_of(&["text/calendar"]).next().is_some() {
        return Reading::new(InboundKind::Other, "It is an answer of a calendar.");
    }
    match consent_words::read(own) {
        Reply::Revokes => {
            return Reading::new(
                InboundKind::Unsubscribe,
                "The person's own words ask for no more.",
            );
        }
        Reply::MayRevoke => {
            let mut reading = from_a_person(mail, own);
            reading.may_revoke = true;
            reading
                .why
                .push_str(" It may ask for no more: a person has to read it.");
            return reading;
        }
        Reply::Other => {}
    }
    from_a_person(mail, own)
}

fn from_a_person(mail: &Mail, own: &str) -> Reading {
    let named = ["in-reply-to", "references"]
        .iter()
        .any(|name| mail.header(name).is_some_and(|value| value.contains('@')));
    let subject = plain(&mail.subject);
    if named || ANSWERS.begin(subject.trim_start()) {
        let why = if named {
            "It names the mail that it answers."
        } else {
            "Its subject says that it answers a mail."
        };
        let mut reading = Reading::new(InboundKind::Reply, why);
        reading.personal = true;
        return reading;
    }
    let mut reading = Reading::new(InboundKind::Other, "A mail that answers none of ours.");
    if mail.from.address.contains('@') && !own.is_empty() && !PASSES_ON.begin(subject.trim_start()) {
        reading.personal = true;
        reading.why =
            "A mail of a person that answers none of ours; it counts as a reply if the sender is a contact."
                .to_owned();
    }
    reading
}

/// Whether it is a mail to many, which answers nobody.
fn is_list(mail: &Mail) -> bool {
    let many = [
        "list-id",
        "list-unsubscribe",
        "list-post",
        "x-campaign-id",
        "x-mailinglist",
    ]
    .iter()
    .any(|name| mail.header(name).is_some());
    many && mail.header("in-reply-to").is_none()
}

/// The subject without what mail programs put before it.
fn bare_subject(subject: &str) -> String {
    let mut bare = plain(subject).trim().to_owned();
    while let Some((before, after)) = bare.split_once(':') {
        if before.chars().count() > 5
            || !(ANSWERS.begin(&format!("{before}:")) || PASSES_ON.begin(&format!("{before}:")))
        {
            break;
        }
        bare = after.trim().to_owned();
    }
    bare
}

/// Why a mail asks to be taken off by where it goes or by its subject, whatever its text.
fn asks_to_leave(mail: &Mail, subject: &str, own: &str) -> Option<&'static str> {
    let to = ["to", "delivered-to", "x-original-to", "envelope-to"];
    let to_leave = to
        .iter()
        .flat_map(|name| mail.all(name))
        .flat_map(addresses)
        .any(|address| {
            let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
            [
                "unsubscribe",
                "unsub",
                "list-unsub",
                "listunsub",
                "optout",
                "opt-out",
                "desuscribir",
                "baja+",
                "baja-",
            ]
            .iter()
            .any(|word| local.starts_with(word))
        });
    if to_leave {
        return Some("It was sent to the address for those who want no more.");
    }
    let passes_on = PASSES_ON.begin(&plain(&mail.subject));
    let by_subject = !subject.is_empty() && !passes_on && consent_words::read(subject) == Reply::Revokes;
    let token = references::tokens(&mail.subject).next().is_some() && subject.split_whitespace().count() <= 3;
    let answer = plain(&mail.subject).trim() != subject;
    // A subject that was answered is somebody else's; then the words below it decide.
    let stands = !answer || own.is_empty() || consent_words::read(own) != Reply::Other;
    if (by_subject && stands) || token {
        return Some("Its subject asks for no more.");
    }
    None
}

/// The class that says most of several: a dead address first, then what only we can mend.
pub(super) fn headline(classes: impl Iterator<Item = Class>) -> Option<Class> {
    let rank = |class: &Class| match class {
        Class::Hard => 0,
        Class::Blocked => 1,
        Class::Content => 2,
        Class::Soft => 3,
    };
    classes.min_by_key(rank)
}
