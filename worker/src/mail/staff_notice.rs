//! The words of mails to staff: about their follow-ups, and what sequences tell them of leads. They speak of a follow-up as
//! it is when the mail goes out, link to it, and say nothing about the person it is about: the mail of staff is read on locked screens and kept for years.

use chrono_tz::Tz;
use domain::hospital::Site;
use entity::id::LeadId;
use entity::message::MessageKind;
use entity::{follow_up, staff};

use super::{escaped, paper};

/// A mail's words.
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

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
    let (lead, link) = (follow_up.lead_id, format!("{}/", site.public_url));
    let (name, title) = (&site.name, &follow_up.title);
    let text =
        format!("{opening}\n\n{title}\n{urgency}{due}\n\nLead: {lead}\nSign in: {link}\n\n-- \n{name}\n");
    let main = [
        paper::paragraph(opening),
        paper::paragraph(&format!(
            "<strong>{}</strong><br>\n{urgency}{due}",
            escaped(title)
        )),
        paper::paragraph(&format!("Lead: {lead}")),
        paper::button(&link, "Sign in"),
    ]
    .concat();
    let html = paper::page("en", subject, name, &main, "");
    Words {
        subject: subject.to_owned(),
        text,
        html,
    }
}

/// The words by which a sequence tells of a lead; `subject` is the line that was planned.
pub(super) fn words_of_sequence(site: &Site, lead: LeadId, subject: &str) -> Words {
    let link = format!("{}/", site.public_url);
    let name = &site.name;
    let opening = "A sequence asks you to look at a lead.";
    let text = format!("{opening}\n\n{subject}\n\nLead: {lead}\nSign in: {link}\n\n-- \n{name}\n");
    let main = [
        paper::paragraph(opening),
        paper::paragraph(&format!("<strong>{}</strong>", escaped(subject))),
        paper::paragraph(&format!("Lead: {lead}")),
        paper::button(&link, "Sign in"),
    ]
    .concat();
    let html = paper::page("en", subject, name, &main, "");
    Words {
        subject: subject.to_owned(),
        text,
        html,
    }
}

/// The words that tell of a stop of sending; `subject` is the line that was planned and says what happened.
pub(super) fn words_of_alert(site: &Site, subject: &str) -> Words {
    let link = format!("{}/", site.public_url);
    let name = &site.name;
    let opening = "Sending was held back, to keep the good name of the hospital's mail.";
    let advice = "Answers that people asked for and reminders still go out. Bulk mail of a stopped route goes on by itself \
                  when its figures are good again; a paused campaign waits until somebody launches it.";
    let text = format!("{opening}\n\n{subject}\n\n{advice}\n\nSign in: {link}\n\n-- \n{name}\n");
    let [name, title, link] = [name.as_str(), subject, &link].map(escaped);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<body>\n<p>{opening}</p>\n<p><strong>{title}</strong></p>\n\
         <p>{advice}</p>\n<p><a href=\"{link}\">Sign in</a></p>\n<p>{name}</p>\n</body>\n</html>\n"
    );
    Words {
        subject: subject.to_owned(),
        text,
        html,
    }
}
