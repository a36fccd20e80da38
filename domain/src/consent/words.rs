//! The words by which a reply takes a consent back.
//!
//! 47 CFR 64.1200(a)(10) lists words that revoke by themselves, and lets any other wording count if a reasonable person
//! would understand it. A machine decides only the first; everything else that hints at it goes to a person.

/// Replies that revoke by themselves: those of the rule, and those that carriers act on (STOPALL, ARRET).
const REVOKING: &[&str] = &[
    "stop",
    "stopall",
    "stop all",
    "quit",
    "end",
    "revoke",
    "opt out",
    "optout",
    "cancel",
    "unsubscribe",
    "arret",
];

/// Words that make a person look at a longer reply.
const HINTS: &[&str] = &[
    "stop",
    "unsubscribe",
    "revoke",
    "remove",
    "optout",
    "quit",
    "cancel",
    "arret",
];

/// What a reply says about consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It takes the consent back.
    Revokes,
    /// It may take it back: a person has to read it, and until then nothing more should go.
    MayRevoke,
    /// It is about something else.
    Other,
}

/// Reads a reply, without the mail that it quotes.
#[must_use]
pub fn read(reply: &str) -> Reply {
    let plain: String = reply
        .to_lowercase()
        .chars()
        .map(|c| match c {
            'é' | 'è' | 'ê' => 'e',
            c if c.is_alphanumeric() => c,
            _ => ' ',
        })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let whole = words.join(" ");
    if REVOKING.contains(&whole.as_str()) {
        return Reply::Revokes;
    }
    let hints =
        words.iter().any(|word| HINTS.contains(word)) || words.windows(2).any(|pair| pair == ["opt", "out"]);
    if hints { Reply::MayRevoke } else { Reply::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_rule_revoke_in_any_case_and_punctuation() {
        for reply in [
            "STOP",
            " stop. ",
            "Quit",
            "END",
            "revoke!",
            "Opt-out",
            "opt out",
            "Cancel",
            "UNSUBSCRIBE",
            "StopAll",
            "ARRÊT",
            "\"stop\"\r\n",
        ] {
            assert_eq!(read(reply), Reply::Revokes, "{reply}");
        }
    }

    #[test]
    fn other_wording_that_may_mean_it_goes_to_a_person() {
        for reply in [
            "Please stop writing to me",
            "remove me from this list",
            "I want to opt out of these",
            "I need to cancel my visit on Tuesday",
        ] {
            assert_eq!(read(reply), Reply::MayRevoke, "{reply}");
        }
    }

    #[test]
    fn a_reply_about_something_else_is_left_alone() {
        for reply in [
            "",
            "Thank you",
            "What time does the clinic open on weekends?",
            "In the end it went well",
        ] {
            assert_eq!(read(reply), Reply::Other, "{reply}");
        }
    }
}
