//! Reports of delivery (RFC 3464): which recipients failed, and why.
//!
//! Read by their fields and not by their layout, because blank lines are lost or doubled on the way, and the part is now
//! and then given as plain text.

use super::text::{addresses, cut, unfold};

/// Recipients of one report that are looked at.
pub(super) const RECIPIENTS_MAX: usize = 100;

/// What a report says of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) final_recipient: Option<String>,
    pub(super) original_recipient: Option<String>,
    pub(super) action: Option<String>,
    pub(super) status: Option<String>,
    pub(super) diagnostic: Option<String>,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// `Original-Envelope-Id`.
    pub(super) envelope_id: Option<String>,
    /// `X-Original-Message-ID` and its kin.
    pub(super) message_id: Option<String>,
    pub(super) groups: Vec<Group>,
}

/// What became of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Failed,
    Delayed,
    /// Delivered, relayed or expanded.
    Delivered,
}

impl Group {
    /// What became of the recipient. A report without an action has a status, whose first digit says it.
    pub(super) fn action(&self) -> Option<Action> {
        let word = self
            .action
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let word = word
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        match word {
            "failed" | "failure" | "fail" => Some(Action::Failed),
            "delayed" | "delay" => Some(Action::Delayed),
            "delivered" | "relayed" | "expanded" => Some(Action::Delivered),
            _ => match self.status.as_deref().unwrap_or_default().trim().bytes().next()? {
                b'5' => Some(Action::Failed),
                b'4' => Some(Action::Delayed),
                b'2' => Some(Action::Delivered),
                _ => None,
            },
        }
    }

    fn names_somebody(&self) -> bool {
        self.final_recipient.is_some() || self.original_recipient.is_some()
    }

    fn says_something(&self) -> bool {
        self.action.is_some() || self.status.is_some()
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "final-recipient" | "downgraded-final-recipient" | "x-final-recipient" => {
                Some(&mut self.final_recipient)
            }
            "original-recipient" | "downgraded-original-recipient" => Some(&mut self.original_recipient),
            "action" => Some(&mut self.action),
            "status" => Some(&mut self.status),
            "diagnostic-code" => Some(&mut self.diagnostic),
            _ => None,
        }
    }
}

/// Reads a report; `None` when it says nothing of anybody.
pub(super) fn read(text: &str) -> Option<Report> {
    let mut report = Report::default();
    let mut group = Group::default();
    // Whether a blank line stood where the group could end.
    let mut closed = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if report.groups.len() >= RECIPIENTS_MAX {
            break;
        }
        if line.trim().is_empty() {
            closed = group.names_somebody() && group.says_something();
            continue;
        }
        // Mail programs put marks before what they quote.
        let Some((name, value)) = line.trim_start().split_once(':') else {
            continue;
        };
        let mut value = value.to_owned();
        while lines
            .peek()
            .is_some_and(|next| next.starts_with([' ', '\t']) && !next.trim().is_empty())
        {
            value.push('\n');
            value.push_str(lines.next().unwrap_or_default());
        }
        let (name, value) = (name.trim().to_ascii_lowercase(), unfold(cut(&value, 4_000)));
        match name.as_str() {
            "original-envelope-id" => report.envelope_id = report.envelope_id.or(Some(value)),
            "x-original-message-id" | "original-message-id" => {
                report.message_id = report.message_id.or(Some(value))
            }
            _ => {
                let Some(taken) = group.place(&name).map(|place| place.is_some()) else {
                    continue;
                };
                // A recipient after the blank line, or a field that is there already, begins the next group.
                if taken || (closed && name.ends_with("-recipient")) {
                    report.groups.push(std::mem::take(&mut group));
                }
                closed = false;
                if let Some(place) = group.place(&name) {
                    *place = Some(value);
                }
            }
        }
    }
    report.groups.push(group);
    report
        .groups
        .retain(|group| group.names_somebody() && group.says_something());
    (!report.groups.is_empty()).then_some(report)
}

/// The address in `rfc822; pat@example.net`.
pub(super) fn recipient(field: &str) -> Option<String> {
    let (kind, text) = field.split_once(';').unwrap_or(("rfc822", field));
    let text = if kind.trim().eq_ignore_ascii_case("rfc822") && text.contains('+') {
        xtext(text)
    } else {
        text.to_owned()
    };
    addresses(&text).into_iter().next().or_else(|| {
        // A local name without a domain, as some systems write.
        let bare = text.trim().trim_matches(['<', '>', '"', '\'']).trim();
        (!bare.is_empty() && bare.len() <= 64 && bare.bytes().all(|b| b.is_ascii_graphic()))
            .then(|| bare.to_owned())
    })
}

/// Undoes the hexadecimal of `ORCPT` (RFC 3461, 4): `pat+2Bnews@…` is `pat+news@…`.
fn xtext(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('+') {
        plain.push_str(before);
        let letter = after
            .get(..2)
            .filter(|code| {
                code.bytes()
                    .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
            })
            .and_then(|code| u8::from_str_radix(code, 16).ok())
            .filter(|letter| matches!(letter, b'+' | b'='));
        match letter {
            Some(letter) => {
                plain.push(char::from(letter));
                rest = &after[2..];
            }
            None => {
                plain.push('+');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "Reporting-MTA: dns; mx.example.net\r\nOriginal-Envelope-Id: msg_01\r\n\r\n\
        Original-Recipient: rfc822;pat+2Bnews@example.net\r\nFinal-Recipient: rfc822; pat@example.net\r\n\
        Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n User unknown\r\n\r\n\
        Final-Recipient: rfc822;lee@example.net\r\nAction: delayed\r\nStatus: 4.4.1\r\n";

    #[test]
    fn a_report_of_two_recipients_says_what_became_of_each() {
        let report = read(TWO).unwrap();
        assert_eq!(report.envelope_id.as_deref(), Some("msg_01"));
        let actions: Vec<_> = report.groups.iter().map(Group::action).collect();
        assert_eq!(actions, [Some(Action::Failed), Some(Action::Delayed)]);
        assert_eq!(
            report.groups[0].diagnostic.as_deref(),
            Some("smtp; 550 5.1.1 User unknown")
        );
        let original = report.groups[0].original_recipient.as_deref().and_then(recipient);
        assert_eq!(original.as_deref(), Some("pat+news@example.net"));
    }

    #[test]
    fn blank_lines_that_were_lost_or_doubled_change_nothing() {
        let whole = read(TWO).unwrap();
        assert_eq!(
            read(&TWO.replace("\r\n\r\n", "\r\n")).unwrap().groups,
            whole.groups
        );
        let doubled = TWO
            .replace("\r\nAction", "\r\n\r\nAction")
            .replace("\r\nStatus", "\r\n\r\nStatus");
        assert_eq!(read(&doubled).unwrap().groups, whole.groups);
    }

    #[test]
    fn a_text_without_recipients_is_no_report() {
        assert_eq!(read("Status: 5.1.1\nAction: failed"), None);
        assert_eq!(read("Hello: world"), None);
        assert_eq!(read(""), None);
    }
}
