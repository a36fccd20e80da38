//! What a person wrote in a mail, without what the mail program put there: the mail that is answered, the signature, the
//! lawyers' lines.
//!
//! Every mail program quotes in its own way and language. What is told apart: lines behind a `>`, everything after
//! "on that day somebody wrote:", after a line like "original message", after a block of `From: Sent: To: Subject:`, and
//! the elements in which HTML mails quote.

use mail_parser::decoders::html::html_to_text;

use super::mail::{Mail, Part};
use super::text::{plain, words};

/// Bytes of a person's words that are kept.
const OWN_MAX: usize = 8 << 10;

words! {
    /// What stands in the line above a quotation.
    WROTE = [
        " wrote", " writes", "schrieb", "a écrit", "écrivait", "escribió", "escribio", "ha scritto", "schreef", "escreveu",
        "skrev", "napisał", "pisze", "napsal", "írta", "kirjoitti", "пишет", "написал", "yazdı", "έγραψε", "のメール", "さんは書きました", "書きました",
        "写道", "寫道", "님이 작성", "כתב", "كتب", "a scris", "đã viết",
    ]
}
words! {
    /// How a line above a quotation may begin when it goes on in the next.
    ON = ["on ", "am ", "le ", "el ", "il ", "op ", "em ", "den ", "w dniu", "dne ", "в "]
}
words! {
    /// What stands between dashes above a quotation.
    ORIGINAL = [
        "original message", "original appointment", "mensaje original", "ursprüngliche nachricht", "originalnachricht", "message d'origine",
        "message original", "messaggio originale", "oorspronkelijk bericht", "mensagem original", "forwarded message",
        "mensaje reenviado", "weitergeleitete nachricht", "message transféré", "messaggio inoltrato", "原始邮件", "元のメッセージ", "원본 메시지",
        "ursprungligt meddelande", "oprindelig meddelelse", "исходное сообщение", "пересылаемое сообщение", "original mail", "reply message",
    ]
}
words! {
    /// Names of the first field in a block of headers.
    FROM = ["from:", "de:", "von:", "da:", "van:", "fra:", "från:", "od:", "от:", "发件人:", "差出人:", "보낸 사람:", "寄件者:", "lähettäjä:"]
}
words! {
    /// Names of the fields that follow it.
    FIELDS = [
        "sent:", "date:", "to:", "cc:", "subject:", "enviado:", "enviado el:", "fecha:", "para:", "asunto:", "gesendet:", "an:", "datum:",
        "betreff:", "envoyé:", "envoyé :", "date :", "à:", "à :", "objet:", "objet :", "inviato:", "data:", "a:", "oggetto:", "verzonden:", "aan:",
        "onderwerp:", "assunto:", "skickat:", "till:", "ämne:", "sendt:", "til:", "emne:", "дата:", "кому:", "тема:", "发送时间:", "收件人:", "主题:",
        "送信日時:", "宛先:", "件名:", "보낸 날짜:", "받는 사람:", "제목:", "reply-to:",
    ]
}
words! {
    /// Lines that programs add below.
    SENT_FROM = [
        "sent from", "get outlook for", "sent via", "enviado desde", "enviado con", "obtener outlook", "obtén outlook", "envoyé de mon", "envoyé depuis",
        "gesendet von", "von meinem", "von outlook", "inviato da", "verzonden vanaf", "enviado do meu", "skickat från", "sendt fra", "отправлено с",
    ]
}
words! {
    /// Lines that lawyers add below.
    DISCLAIMER = [
        "confidentiality notice", "confidentiality:", "disclaimer", "this e-mail and any", "this email and any", "this message and any", "this e-mail message",
        "this email message", "this message is intended", "this e-mail is intended", "this email is intended", "the information contained in this",
        "aviso de confidencialidad", "aviso legal", "este mensaje y", "este correo electrónico y", "diese e-mail enthält", "ce message et",
    ]
}
/// What begins a quotation in HTML: a word in the first tag of it.
const HTML_QUOTE: &[&str] = &[
    "gmail_quote",
    "gmail_extra",
    "divrplyfwdmsg",
    "appendonsend",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "ms-outlook-mobile-reference-message",
    "mail-editor-reference-message-container",
    "ymail_quoted",
    "zmail_extra",
    "olk_src_body_section",
    "tutanota_quote",
];

/// The own words of whoever wrote the mail; empty when there are none.
pub(super) fn of(mail: &Mail) -> String {
    let written = |part: &&Part| part.media != "text/html";
    let texts: Vec<&Part> = mail.body.iter().filter(written).collect();
    let from = |parts: &[&Part]| -> String {
        let texts: Vec<String> = parts.iter().map(|part| own_part(part)).collect();
        of_text(&texts.join("\n"))
    };
    let own = from(&texts);
    if !own.is_empty() || mail.body.iter().all(|part| written(&part)) {
        return own;
    }
    let html: Vec<&Part> = mail.body.iter().filter(|part| !written(part)).collect();
    from(&html)
}

fn own_part(part: &Part) -> String {
    if part.media == "text/html" {
        html_to_text(&without_quotes(&part.text))
    } else {
        part.text.clone()
    }
}

/// The own words in a plain text.
pub(super) fn of_text(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut own: Vec<&str> = Vec::new();
    let mut size = 0;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if line.starts_with('>') || line.starts_with('|') || line.starts_with('＞') {
            at += 1;
            continue;
        }
        if let Some(taken) = introduces(&lines[at..]) {
            // Whoever answers below the quotation goes on after it.
            let next = lines[at + taken..].iter().find(|line| !line.is_empty());
            if next.is_some_and(|line| line.starts_with('>')) {
                at += taken;
                continue;
            }
            break;
        }
        if ends(line, &lines[at..]) {
            break;
        }
        if !SENT_FROM.begin(&plain(line)) {
            own.push(line);
            size += line.len() + 1;
        }
        if size > OWN_MAX {
            break;
        }
        at += 1;
    }
    own.join("\n").trim().to_owned()
}

/// How many lines introduce a quotation, if these do: "on that day somebody wrote:", on one line or wrapped.
fn introduces(lines: &[&str]) -> Option<usize> {
    let first = *lines.first()?;
    if first.is_empty() {
        return None;
    }
    let mut joined = String::new();
    for (at, line) in lines.iter().take(3).enumerate() {
        if line.is_empty() {
            return None;
        }
        joined.push(' ');
        joined.push_str(line);
        if joined.len() > 400 {
            return None;
        }
        let ended = joined.trim_end().trim_end_matches(['*', '_', '\u{a0}']);
        let words = plain(ended);
        if ended.ends_with([':', '：']) && WROTE.within(&words) && (at == 0 || ON.begin(words.trim_start()))
        {
            return Some(at + 1);
        }
        if at == 0 && !ON.begin(words.trim_start()) {
            return None;
        }
    }
    None
}

/// Whether nothing of the person's own follows.
fn ends(line: &str, from_here: &[&str]) -> bool {
    if matches!(line, "--" | "—" | "__") {
        return true;
    }
    let bare = line.trim_matches(['*', ' ']);
    let divider = bare.len() >= 10
        && bare
            .chars()
            .all(|letter| matches!(letter, '_' | '-' | '=' | '─' | '—'));
    if divider && bare.starts_with('_') {
        return true;
    }
    let words = plain(bare);
    let dashed = bare.starts_with(['-', '_', '=', '—', '*']) || words.starts_with("begin forwarded");
    if (dashed && ORIGINAL.within(&words))
        || words.starts_with("begin forwarded message")
        || DISCLAIMER.begin(&words)
    {
        return true;
    }
    FROM.begin(&words.replace(" :", ":"))
        && from_here[1..]
            .iter()
            .filter(|line| !line.is_empty())
            .take(4)
            .filter(|line| FIELDS.begin(&plain(line.trim_matches(['*', ' ']))))
            .count()
            >= 2
}

/// HTML without the elements in which mail programs quote.
fn without_quotes(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    // The same length, letter by letter, so that places in one are places in the other.
    let marks = HTML_QUOTE.iter().filter_map(|mark| lower.find(mark));
    // From the beginning of the tag that the word stands in.
    let end = marks
        .min()
        .map_or(lower.len(), |mark| lower[..mark].rfind('<').unwrap_or(mark));
    let mut kept = String::new();
    let (mut at, mut depth) = (0, 0_usize);
    while at < end {
        let opens = lower[at..end].find("<blockquote").map(|found| at + found);
        let closes = lower[at..end].find("</blockquote").map(|found| at + found);
        let next = opens.into_iter().chain(closes).min();
        let upto = next.unwrap_or(end);
        if depth == 0 {
            kept.push_str(&html[at..upto]);
        }
        let Some(tag) = next else { break };
        depth = if opens == Some(tag) {
            depth + 1
        } else {
            depth.saturating_sub(1)
        };
        at = lower[tag..end].find('>').map_or(end, |found| tag + found + 1);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_above_the_quotation_is_told_from_it() {
        for quoted in [
            "Thanks!\n\nOn Mon, Nov 23, 2026 at 9:00 AM Riverbend Health <care@riverbend.example> wrote:\n\n> unsubscribe",
            "Thanks!\n\nOn Mon, Nov 23, 2026 at 9:00 AM Riverbend Health\n<care@riverbend.example> wrote:\nunsubscribe",
            "Thanks!\n\nEl lun, 23 nov 2026 a las 9:00, Riverbend (<care@riverbend.example>) escribió:\n> baja",
            "Thanks!\n\nAm 23.11.2026 um 09:00 schrieb Riverbend:\n> unsubscribe",
            "Thanks!\n\nLe lun. 23 nov. 2026 à 09:00, Riverbend a écrit :\n> stop",
            "Thanks!\n\n-----Original Message-----\nFrom: Riverbend\nunsubscribe",
            "Thanks!\n\n________________________________\nFrom: Riverbend\nunsubscribe",
            "Thanks!\n\nFrom: Riverbend\nSent: Monday\nTo: Pat\nSubject: Hello\n\nunsubscribe",
            "Thanks!\n\n*De:* Riverbend\n*Enviado:* lunes\n*Para:* Pat\n*Asunto:* Hola\n\nbaja",
            "Thanks!\nSent from my iPhone\n\n> unsubscribe",
            "Thanks!\n-- \nPat\nTo unsubscribe, write to me",
        ] {
            assert_eq!(of_text(quoted), "Thanks!", "{quoted}");
        }
    }

    #[test]
    fn an_answer_below_or_within_the_quotation_is_kept() {
        let below = "On Monday Riverbend wrote:\n> Shall we call?\n> unsubscribe\n\nYes, on Tuesday.\n> more\nThank you";
        assert_eq!(of_text(below), "Yes, on Tuesday.\nThank you");
    }

    #[test]
    fn html_quotations_go_with_what_is_within_them() {
        let html = "<div>Yes <b>please</b></div><blockquote>one<blockquote>two</blockquote>stop</blockquote><p>below</p>\
                    <div class=\"gmail_quote\">unsubscribe</div>";
        assert_eq!(without_quotes(html), "<div>Yes <b>please</b></div><p>below</p>");
    }

    #[test]
    fn words_without_a_quotation_are_left_as_they_are() {
        assert_eq!(
            of_text("I wrote to you: call me\nthank you"),
            "I wrote to you: call me\nthank you"
        );
    }
}
