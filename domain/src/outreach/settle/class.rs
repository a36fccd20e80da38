//! What a refusal of a mail server is about, by its codes.
//!
//! The enhanced status code (RFC 3463) says more than the three digits and is asked first; without one the place in the
//! conversation decides. Bounces that come later carry the same codes and are read by the same rule.

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The address does not exist: never write to it again.
    Hard,
    /// It may work later.
    Soft,
    /// This mail is at fault; the address is well.
    Content,
    /// The sender is at fault, or is taken to be; the address is well.
    Blocked,
}

impl Class {
    /// The class in details of the history and in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hard => "HARD",
            Self::Soft => "SOFT",
            Self::Content => "CONTENT",
            Self::Blocked => "BLOCKED",
        }
    }
}

/// A refusal as the mail server gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The three-digit code, if it answered at all.
    pub code: Option<u16>,
    /// The enhanced status code, such as `5.1.1`.
    pub enhanced: Option<&'a str>,
    /// Whether it was the answer to the recipient's address (`RCPT TO`).
    pub to_recipient: bool,
    /// Whether it was the answer to the sender's address (`MAIL FROM`), which says nothing of the recipient.
    pub to_sender: bool,
}

/// Reads a refusal.
pub fn class_of(reply: &Reply<'_>) -> Class {
    let enhanced = reply.enhanced.and_then(parts);
    match (enhanced, reply.code) {
        (Some((_, 2, 2) | (4, _, _)), _) => Class::Soft,
        (Some((5, subject, detail)), _) => permanent(subject, detail, reply),
        (_, Some(550 | 551 | 553)) if reply.to_recipient => Class::Hard,
        (_, Some(500..)) => Class::Blocked,
        _ => Class::Soft,
    }
}

fn permanent(subject: u16, detail: u16, reply: &Reply<'_>) -> Class {
    match (subject, detail) {
        // 5.1.1 to 5.1.3, 5.1.6, 5.1.10 (null MX) and 5.2.1 (mailbox disabled): nobody is there.
        (1, 1 | 2 | 3 | 6 | 10) | (2, 1) if !reply.to_sender => Class::Hard,
        (2, 3) | (3, 4) | (6, _) => Class::Content,
        // 5.0.0 and 5.5.0 say no more than the three digits.
        (0 | 5, 0) if reply.to_recipient && matches!(reply.code, Some(550 | 551 | 553)) => Class::Hard,
        _ => Class::Blocked,
    }
}

/// The three numbers of an enhanced code.
fn parts(code: &str) -> Option<(u16, u16, u16)> {
    let mut numbers = code.split('.').map(|part| part.parse::<u16>().ok());
    let three = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_recipient(code: u16, enhanced: Option<&str>) -> Class {
        class_of(&Reply {
            code: Some(code),
            enhanced,
            to_recipient: true,
            to_sender: false,
        })
    }

    fn at_content(code: u16, enhanced: Option<&str>) -> Class {
        class_of(&Reply {
            code: Some(code),
            enhanced,
            to_recipient: false,
            to_sender: false,
        })
    }

    #[test]
    fn an_address_that_does_not_exist_is_hard() {
        for enhanced in ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"] {
            assert_eq!(at_recipient(550, Some(enhanced)), Class::Hard, "{enhanced}");
            assert_eq!(
                at_content(550, Some(enhanced)),
                Class::Hard,
                "{enhanced} after the text"
            );
        }
        assert_eq!(at_recipient(550, None), Class::Hard);
    }

    #[test]
    fn a_full_mailbox_is_soft_even_when_the_server_calls_it_permanent() {
        assert_eq!(at_recipient(552, Some("5.2.2")), Class::Soft);
        assert_eq!(at_recipient(452, Some("4.2.2")), Class::Soft);
    }

    #[test]
    fn a_blocked_sender_costs_no_address() {
        for enhanced in ["5.7.1", "5.7.26", "5.7.515"] {
            assert_eq!(at_recipient(550, Some(enhanced)), Class::Blocked, "{enhanced}");
        }
        assert_eq!(at_content(554, None), Class::Blocked);
        assert_eq!(at_recipient(554, None), Class::Blocked);
    }

    #[test]
    fn a_refused_sender_address_says_nothing_of_the_recipient() {
        let reply = Reply {
            code: Some(550),
            enhanced: Some("5.1.1"),
            to_recipient: false,
            to_sender: true,
        };
        assert_eq!(class_of(&reply), Class::Blocked);
    }

    #[test]
    fn a_mail_that_is_too_large_or_unreadable_is_its_own_fault() {
        for enhanced in ["5.2.3", "5.3.4", "5.6.0", "5.6.7"] {
            assert_eq!(at_content(552, Some(enhanced)), Class::Content, "{enhanced}");
        }
    }

    #[test]
    fn no_answer_and_nonsense_are_soft() {
        let silent = Reply {
            code: None,
            enhanced: None,
            to_recipient: true,
            to_sender: false,
        };
        assert_eq!(class_of(&silent), Class::Soft);
        assert_eq!(at_recipient(450, Some("x.y")), Class::Soft);
    }
}
