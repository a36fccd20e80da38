//! The words by which a reply takes a consent back.
//!
//! 47 CFR 64.1200(a)(10) lists words that revoke by themselves, and lets any other wording count if a reasonable person
//! would understand it. A machine decides the first, in English and Spanish, and sentences that say it outright ("please
//! stop emailing me"); everything else that hints at it goes to a person.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Replies that revoke by themselves.
static REVOKING: List = List::new(|| lines(include_str!("words/revoking.txt")));

/// Of those that revoke, the ones that mean nothing else when they stand alone in the first line.
static PLAIN: List = List::new(|| lines(include_str!("words/plain.txt")));

/// Beginnings of a sentence that say it outright.
static OUTRIGHT: List = List::new(|| lines(include_str!("words/outright.txt")));

/// Words before such a sentence that change nothing of it.
static LEADING: List = List::new(|| lines(include_str!("words/leading.txt")));

/// Words by which a sentence asks, tells of others or says the opposite.
const TURNING: &[&str] = &[
    "how", "why", "when", "did", "didnt", "never", "if", "not", "dont", "como", "cuando", "si", "nunca",
    "cannot", "cant",
];

/// What is said for courtesy beside a word that revokes.
static COURTESY: List = List::new(|| lines(include_str!("words/courtesy.txt")));

/// Words that make a person look at a longer reply.
const HINTS: &[&str] = &[
    "stop",
    "unsubscribe",
    "unsubscribed",
    "revoke",
    "remove",
    "optout",
    "quit",
    "cancel",
    "arret",
    "baja",
    "desuscribir",
    "cancelar",
    "spam",
    "parar",
    "paren",
    "dejen",
];

/// Lines of a list.
struct List(LazyLock<HashSet<&'static str>>);

impl List {
    const fn new(text: fn() -> HashSet<&'static str>) -> Self {
        Self(LazyLock::new(text))
    }

    fn has(&self, words: &str) -> bool {
        self.0.contains(words)
    }
}

/// Reads a list: one entry a line, `#` before a remark.
fn lines(text: &'static str) -> HashSet<&'static str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect()
}

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
    let sentences: Vec<Vec<String>> = reply
        .split(['.', '!', '?', ';', ',', ':', '\n', '¡', '¿'])
        .map(words)
        .filter(|words| !words.is_empty())
        .collect();
    let all = words(reply);
    if REVOKING.has(&all.join(" ")) || revokes_with_courtesy(&all) {
        return Reply::Revokes;
    }
    let first_line = reply.lines().map(words).find(|words| !words.is_empty());
    if first_line.is_some_and(|line| PLAIN.has(&line.join(" ")) || revokes_plainly(&line)) {
        return Reply::Revokes;
    }
    let asks = reply.contains('?');
    if sentences.iter().any(|sentence| says_outright(sentence, asks)) {
        return Reply::Revokes;
    }
    let hints = all.iter().any(|word| HINTS.contains(&word.as_str()))
        || all.windows(2).any(|pair| pair[0] == "opt" && pair[1] == "out");
    if hints { Reply::MayRevoke } else { Reply::Other }
}

/// The words in small plain letters; what is between apostrophes is one word.
fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .to_lowercase()
        .chars()
        .filter(|letter| {
            !matches!(
                letter,
                '\'' | '\u{2019}' | '\u{2018}' | '`' | '\u{301}' | '\u{300}' | '\u{303}'
            )
        })
        .map(|letter| match letter {
            'é' | 'è' | 'ê' => 'e',
            'á' | 'à' | 'â' => 'a',
            'í' | 'ì' | 'î' => 'i',
            'ó' | 'ò' | 'ô' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ñ' => 'n',
            letter if letter.is_alphanumeric() => letter,
            _ => ' ',
        })
        .collect();
    plain.split_whitespace().map(str::to_owned).collect()
}

/// Whether it is one of the words with nothing but courtesy around it.
fn revokes_with_courtesy(all: &[String]) -> bool {
    let polite = |word: &&String| COURTESY.has(word);
    let start = all.iter().take_while(polite).count();
    let end = all.iter().rev().take_while(polite).count();
    let Some(middle) = all
        .get(start..all.len() - end)
        .filter(|middle| !middle.is_empty())
    else {
        return false;
    };
    all.len() <= 12 && REVOKING.has(&middle.join(" "))
}

fn revokes_plainly(line: &[String]) -> bool {
    let polite = |word: &&String| COURTESY.has(word);
    let start = line.iter().take_while(polite).count();
    let end = line.iter().rev().take_while(polite).count();
    let middle = line
        .get(start..line.len().saturating_sub(end))
        .unwrap_or_default();
    line.len() <= 8 && PLAIN.has(&middle.join(" "))
}

/// Whether a sentence asks outright for an end. What is asked with "how" or said of others goes to a person.
fn says_outright(sentence: &[String], asks: bool) -> bool {
    for start in 0..sentence.len().min(10) {
        let rest = sentence[start..].join(" ");
        if OUTRIGHT.0.iter().any(|words| rest.starts_with(words)) {
            return true;
        }
        let word = sentence[start].as_str();
        let turns = TURNING.contains(&word) && (word != "si" || asks);
        if turns || !LEADING.has(word) {
            return false;
        }
    }
    false
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
            "Baja",
            "PARAR",
            "¡Alto!",
            "Cancelar suscripción",
            "Stop please",
            "Please unsubscribe. Thank you!",
            "No, gracias. Baja por favor",
            "STOP\n\nPat Miller\n555 0100",
            "Unsubscribe me\nPat",
        ] {
            assert_eq!(read(reply), Reply::Revokes, "{reply}");
        }
    }

    #[test]
    fn sentences_that_say_it_outright_revoke() {
        for reply in [
            "Please stop emailing me",
            "No. Please stop emailing me.",
            "Please stop writing to me",
            "Hello,\n\nI never signed up for this. Please stop sending me these.\n\nPat",
            "remove me from this list",
            "I want to opt out of these",
            "I would like to be removed from your mailing list.",
            "I don’t want to receive these emails anymore",
            "Could you please take me off your list?",
            "Do not contact me again!",
            "Quiero darme de baja",
            "Por favor, dejen de enviarme correos",
            "No me escriban más.",
            "Ya no deseo recibir sus correos",
            "Hola, les pido que me eliminen. No quiero recibir más mensajes",
            "I withdraw my consent.",
        ] {
            assert_eq!(read(reply), Reply::Revokes, "{reply}");
        }
    }

    #[test]
    fn other_wording_that_may_mean_it_goes_to_a_person() {
        for reply in [
            "I need to cancel my visit on Tuesday",
            "How do I unsubscribe?",
            "Please don't stop emailing me, I like these",
            "Did you stop sending reminders?",
            "Can you stop by the desk on Monday",
            "This looks like spam to me",
            "Cancel. I will come on Wednesday instead",
        ] {
            assert_eq!(read(reply), Reply::MayRevoke, "{reply}");
        }
    }

    #[test]
    fn a_reply_about_something_else_is_left_alone() {
        for reply in [
            "",
            "Thank you",
            "No",
            "No, thank you",
            "What time does the clinic open on weekends?",
            "In the end it went well",
            "Para el martes está bien",
            "Gracias por todo",
        ] {
            assert_eq!(read(reply), Reply::Other, "{reply}");
        }
    }
}
