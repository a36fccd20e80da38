//! The words of mails to staff: about their follow-ups, leads that nobody tries to reach, what sequences tell them of leads,
//! and stops of sending. They speak of follow-ups as they are when the mail goes out, link to them, and say nothing about the
//! people they are about: the mail of staff is read on locked screens and kept for years.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::follow_up::digest::Digest;
use domain::hospital::Site;
use entity::id::LeadId;
use entity::message::MessageKind;
use entity::{follow_up, staff};

use super::paper::{self, Block, Reader, Words};

/// The words of a notice; `subject` is the line that was planned.
pub(super) fn words(
    site: &Site,
    kind: MessageKind,
    follow_up: &follow_up::Model,
    staff: &staff::Model,
    subject: &str,
) -> Words {
    let zone: Tz = staff.time_zone.parse().unwrap_or(Tz::UTC);
    let due = follow_up
        .due_at
        .with_timezone(&zone)
        .format("%A, %B %-d, %-I:%M %p %Z");
    let opening = match kind {
        MessageKind::FollowUpAssigned => "A follow-up was given to you.",
        MessageKind::FollowUpLate => "A follow-up is late.",
        _ => "A follow-up is due soon.",
    };
    let due = match kind {
        MessageKind::FollowUpLate => format!("It was due on {due}."),
        _ => format!("It is due on {due}."),
    };
    let urgency = if follow_up.urgent { "It is urgent. " } else { "" };
    let about = format!("{urgency}{due}");
    let lead = format!("Lead: {}", follow_up.lead_id);
    let blocks = [
        Block::Says(opening),
        Block::Shows(&follow_up.title, &about),
        Block::Says(&lead),
    ];
    to_staff(site, subject, &blocks)
}

/// The words of a morning's digest; `subject` is the line that was planned.
pub(super) fn words_of_digest(
    site: &Site,
    digest: &Digest,
    staff: &staff::Model,
    subject: &str,
    now: DateTime<Utc>,
) -> Words {
    let zone: Tz = staff.time_zone.parse().unwrap_or(Tz::UTC);
    let today = now.with_timezone(&zone).date_naive();
    let opening = format!(
        "Good morning. Follow-ups that are late: {}. Due before the day ends: {}.",
        digest.late, digest.today
    );
    let about: Vec<String> = digest
        .lines
        .iter()
        .map(|row| {
            let due = row.due_at.with_timezone(&zone);
            let when = if due.date_naive() == today {
                due.format("%-I:%M %p")
            } else {
                due.format("%A, %B %-d, %-I:%M %p")
            };
            let is = if row.due_at <= now {
                "Late: it was due"
            } else {
                "Due"
            };
            let urgency = if row.urgent { "Urgent. " } else { "" };
            format!("{urgency}{is} {when}. Lead: {}", row.lead_id)
        })
        .collect();
    let more = digest.total() - digest.lines.len();
    let rest = format!("{} on your list.", more_are(more));
    let mut blocks = vec![Block::Says(&opening)];
    let lines = digest.lines.iter().zip(&about);
    blocks.extend(lines.map(|(row, about)| Block::Shows(&row.title, about)));
    if more > 0 {
        blocks.push(Block::Says(&rest));
    }
    to_staff(site, subject, &blocks)
}

fn more_are(number: usize) -> String {
    match number {
        1 => "One more is".to_owned(),
        more => format!("{more} more are"),
    }
}

/// The words by which a sequence tells of a lead; `subject` is the line that was planned.
pub(super) fn words_of_sequence(site: &Site, lead: LeadId, subject: &str) -> Words {
    let blocks = [
        Block::Says("A sequence asks you to look at a lead."),
        Block::Shows(subject, ""),
        Block::Says(&format!("Lead: {lead}")),
    ];
    to_staff(site, subject, &blocks)
}

/// The words that tell that nobody tries to reach the person of a lead, or that it was handed on for that; `subject` is
/// the line that was planned and says which.
pub(super) fn words_of_silence(site: &Site, kind: MessageKind, lead: LeadId, subject: &str) -> Words {
    let opening = match kind {
        MessageKind::SlaTakenBack => "A lead was handed on.",
        _ => "A lead waits for somebody to try to reach the person.",
    };
    let blocks = [
        Block::Says(opening),
        Block::Shows(subject, ""),
        Block::Says(&format!("Lead: {lead}")),
    ];
    to_staff(site, subject, &blocks)
}

/// The words that tell of a stop of sending; `subject` is the line that was planned and says what happened.
pub(super) fn words_of_alert(site: &Site, subject: &str) -> Words {
    let blocks = [
        Block::Says("Sending was held back, to keep the good name of the hospital's mail."),
        Block::Shows(subject, ""),
        Block::Says(
            "Answers that people asked for and reminders still go out. Bulk mail of a stopped route goes on by itself \
             when its figures are good again; a paused campaign waits until somebody launches it.",
        ),
    ];
    to_staff(site, subject, &blocks)
}

/// A mail to staff ends with the way in.
fn to_staff(site: &Site, subject: &str, about: &[Block<'_>]) -> Words {
    let url = format!("{}/", site.public_url);
    let way_in = Block::Leads {
        url: &url,
        label: "Sign in",
    };
    let blocks = [about, &[way_in]].concat();
    paper::write(site, Reader::Staff, "en", subject, &blocks)
}
