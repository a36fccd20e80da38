//! What a failed delivery is about: from the enhanced code first, then the words, then the reply code.
//!
//! The table of codes is that of [`class_of`], which also reads refusals on the wire. A code that the table does not name
//! (`5.4.4`, `5.2.0`) says less than the words beside it, so those are asked before its first digit.

use super::text::{enhanced_code, enhanced_codes, plain, reply_code, words};
use crate::outreach::settle::class::{Class, Reply, class_of};

/// Bytes of a notice whose words are looked at.
const WORDS_MAX: usize = 16 << 10;

/// A failed delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: Class,
    /// The enhanced code that says most, if there is one.
    pub(super) status: Option<String>,
    /// What decided, for people.
    pub(super) by: &'static str,
}

words! {
    /// The mailbox takes no more for now.
    FULL = [
        "mailbox full", "mailbox is full", "mailbox has exceeded", "mailbox exceeded", "over quota", "overquota", "quota exceeded",
        "exceeded quota", "exceeds quota", "out of storage", "insufficient storage", "insufficient system storage",
        "exceeded storage allocation", "storage quota", "inbox is full", "inbox full", "mailfolder is full",
        "mailbox quota", "disk quota", "user is over", "not enough disk space", "mailbox size limit", "account is full",
        "buzón lleno", "buzón está lleno", "bandeja de entrada está llena", "cuota excedida", "sin espacio",
        "boîte pleine", "boîte aux lettres est pleine", "boîte de réception est pleine", "quota dépassé",
        "postfach ist voll", "postfach voll", "speicherplatz überschritten", "posteingang ist voll",
        "casella piena", "caixa de correio cheia", "caixa postal cheia", "mailbox vol", "postvak is vol",
        "メールボックスがいっぱい", "メールボックスの容量", "受信トレイがいっぱい", "容量を超え", "邮箱已满", "郵箱已滿", "사서함이 가득",
        "переполнен", "ящик заполнен",
    ]
}
words! {
    /// This mail is at fault.
    CONTENT = [
        "message too large", "message too big", "message is too large", "message size exceeds", "exceeds size limit",
        "exceeds the maximum size", "exceeds maximum message size", "size limit exceeded", "larger than the", "exceeds fixed",
        "message header size exceeds", "attachment type", "attachment not allowed", "unsupported mime", "malformed mime",
        "rfc 5322", "rfc5322", "rfc 2822", "line too long", "message content rejected: virus", "virus found", "infected",
        "demasiado grande", "excede el tamaño", "trop volumineux", "trop grand", "zu groß", "zu gross", "troppo grande",
        "muito grande", "te groot", "サイズが大きすぎ", "サイズ制限", "邮件太大", "слишком большой",
    ]
}
words! {
    /// Our own address was not liked, which says nothing of the recipient.
    SENDER = [
        "sender address rejected", "sender rejected", "sender verify failed", "sender address verification",
        "domain of sender", "sender domain", "invalid sender", "bad sender", "envelope sender", "from address rejected",
        "mail from rejected", "sender denied", "not authorized to send", "send as permission",
    ]
}
words! {
    /// Nobody is there.
    UNKNOWN = [
        "user unknown", "unknown user", "unknown local part", "unknown local-part", "unknown recipient", "recipient unknown",
        "unknown mailbox", "mailbox unknown", "unknown account", "unknown address", "address unknown", "unknown or illegal alias",
        "no such user", "no such recipient", "no such mailbox", "no such address", "no such account", "no such person",
        "no such domain", "no such host", "no mailbox here", "no account by that name", "not a known user", "not known here",
        "user not exist", "not a valid mailbox", "not a valid recipient", "not a valid user", "not a registered", "no such local user", "undeliverable address", "invalid local part", "unknown alias", "currently disabled", "is not active", "user has moved", "address has changed", "unknown address error", "user not known", "user not found", "recipient not found", "mailbox not found", "address not found", "account not found",
        "recipientnotfound", "address couldn't be found", "address could not be found", "wasn't found at", "was not found at",
        "couldn't be found or is unable", "user does not exist", "user doesn't exist", "mailbox does not exist",
        "mailbox doesn't exist", "address does not exist", "address doesn't exist", "recipient does not exist",
        "recipient doesn't exist", "account does not exist", "account doesn't exist", "account that you tried to reach does not exist",
        "does not exist here", "doesn't have a", "does not have a yahoo", "not listed in", "not listed in domino directory",
        "invalid recipient", "invalid mailbox", "invalid address", "invalid user", "bad destination", "bad recipient",
        "bad address", "recipient address rejected: access denied", "recipient address rejected: user", "recipient rejected",
        "recipient address rejected: unknown", "recipient address rejected: undeliverable", "address rejected",
        "user invalid", "mailbox unavailable", "mailbox not available", "mailbox disabled", "mailbox is disabled",
        "account disabled", "account is disabled", "account has been disabled", "account inactive", "inactive account", "mailbox is inactive", "inactive mailbox",
        "user is inactive", "account expired", "account has been suspended", "account suspended", "mailbox closed", "account closed",
        "no longer active", "no longer valid", "no longer in use", "no longer available", "no longer accepts mail",
        "delivery to the following recipient failed permanently", "unrouteable address", "unroutable address", "unrouteable mail domain",
        "host unknown", "host not found", "domain not found", "domain does not exist", "domain name not found",
        "domain couldn't be found", "name service error", "domain has no mx", "does not accept mail", "nullmx", "null mx",
        "nxdomain", "unable to find a host", "couldn't find any host", "couldn't find a mail exchanger", "user account is unavailable",
        "not our customer", "we do not relay", "no valid recipients", "that domain isn't in my list", "e-mail account does not exist",
        "el usuario no existe", "usuario desconocido", "usuario no encontrado", "no existe el usuario", "buzón no existe",
        "cuenta no existe", "dirección no existe", "no se ha encontrado la dirección", "no se encontró la dirección",
        "no se encontró el destinatario", "destinatario desconocido", "dirección desconocida", "no se ha podido encontrar la dirección", "no se pudo encontrar la dirección",
        "utilisateur inconnu", "adresse inconnue", "destinataire inconnu", "boîte aux lettres inconnue", "n'existe pas",
        "adresse introuvable", "utilisateur introuvable", "n'a pas été trouvé", "est introuvable", "compte désactivé", "adresse est introuvable",
        "unbekannter empfänger", "empfänger unbekannt", "benutzer unbekannt", "empfänger existiert nicht", "adresse existiert nicht", "adresse unbekannt",
        "adresse nicht gefunden", "empfänger nicht gefunden", "empfänger wurde nicht gefunden", "nicht gefunden werden", "existiert nicht", "wurde nicht gefunden", "kein solcher benutzer", "unbekannter benutzer",
        "utente sconosciuto", "indirizzo non trovato", "destinatario sconosciuto", "indirizzo inesistente", "casella inesistente", "non esiste",
        "usuário desconhecido", "usuário não encontrado", "endereço não encontrado", "destinatário desconhecido", "caixa postal não existe", "não existe", "não foi encontrado",
        "adres niet gevonden", "onbekende gebruiker", "geadresseerde onbekend", "bestaat niet", "niet gevonden",
        "adressen hittades inte", "finns inte", "findes ikke", "finnes ikke", "nie istnieje", "nieznany użytkownik", "neexistuje",
        "ユーザーが見つかりません", "ユーザが見つかりません", "アドレスが見つかりません", "宛先不明", "存在しません", "存在しない", "見つかりませんでした", "該当するユーザー",
        "不存在", "找不到", "无此用户", "查無此", "존재하지", "찾을 수 없",
        "не существует", "неизвестный пользователь", "адрес не найден", "не найден", "нет такого пользователя",
    ]
}
words! {
    /// We are at fault, or are taken to be.
    BLOCKED = [
        "spam", "blacklist", "black list", "blocklist", "block list", "blocked", "blackholed", "denylist", "spamhaus", "barracuda", "dnsbl",
        "rbl ", "reputation", "policy", "dmarc", "dkim", "spf ", "unauthenticated", "authentication required", "not authenticated",
        "access denied", "relay access denied", "relaying denied", "relay not permitted", "unable to relay", "relaying not allowed", "not permitted to relay",
        "administrative prohibition", "administratively prohibited", "rejected by", "content rejected", "message rejected",
        "message refused", "mail refused", "unsolicited", "bulk mail", "banned", "prohibited", "not allowed to send", "only accepts messages from",
        "requires that all senders", "not accepted for policy", "poor reputation", "ptr record", "reverse dns", "helo", "tls required",
        "correo no deseado", "rechazado por", "politica", "bloqueado", "indésirable", "bloqué", "refusé", "abgelehnt", "richtlinie",
        "gesperrt", "bloccato", "rifiutato", "rejeitada", "迷惑メール", "拒否", "垃圾邮件", "拒绝",
    ]
}
words! {
    /// It may work later.
    TEMPORARY = [
        "try again", "temporar", "timed out", "time out", "timeout", "retry time", "too long", "expired", "greylist", "graylist",
        "connection refused", "could not connect", "couldn't connect", "unable to connect", "connection lost", "no route to host", "network is unreachable",
        "too many", "rate limit", "throttl", "deferred", "not responding", "didn't respond", "did not respond", "unreachable",
        "queue too long", "been in the queue", "resources", "loop", "hop count", "delivery time", "server is busy",
        "expiró", "tiempo de espera", "temporal", "délai", "temporaire", "zeitüberschreitung", "vorübergehend", "abgelaufen", "temporanea", "temporario", "一時的", "タイムアウト", "временн",
    ]
}

/// Reads a failure from the code that a report gives and from the words of the mail server.
pub(super) fn read(status: Option<&str>, said: &str) -> Failure {
    let own = status.and_then(first_code);
    let within: Vec<String> = enhanced_codes(said);
    // A report of `5.0.0` knows no more than that it failed; what the mail server said may.
    let best = own
        .iter()
        .chain(&within)
        .find(|code| !code.starts_with('2') && is_special(code))
        .or_else(|| own.as_ref().filter(|code| !code.starts_with('2')))
        .or(within.first())
        .cloned();
    if let Some(class) = best.as_deref().and_then(named) {
        return Failure {
            class,
            status: best,
            by: "the enhanced status code",
        };
    }
    let code = reply_code(said);
    let asked_to_wait = best.is_none() && code.is_some_and(|code| code < 500);
    let lasts = code.is_some_and(|code| code >= 500);
    if let Some((class, by)) = by_words(said, lasts).filter(|_| !asked_to_wait) {
        return Failure {
            class,
            status: best,
            by,
        };
    }
    let lower = said.to_ascii_lowercase();
    let reply = Reply {
        code,
        enhanced: best.as_deref(),
        to_recipient: !lower.contains("data command")
            && !lower.contains("after data")
            && !lower.contains("end of data"),
        to_sender: lower.contains("mail from command") || lower.contains("after mail from"),
    };
    let by = match (code, &best) {
        (Some(_), _) => "the reply code",
        (None, Some(_)) => "the first digit of the enhanced status code",
        (None, None) => "nothing that was said, so it may pass",
    };
    Failure {
        class: class_of(&reply),
        status: best,
        by,
    }
}

/// The first enhanced code in the field of a report, `5.1.1 (user unknown)`.
pub(super) fn first_code(status: &str) -> Option<String> {
    let word = status
        .trim()
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .next()?;
    enhanced_code(word)
}

/// Whether a code says more than that something in this field went wrong.
fn is_special(code: &str) -> bool {
    code.split('.').skip(1).all(|number| number != "0")
}

/// The class of a code that the table names.
fn named(code: &str) -> Option<Class> {
    let mut numbers = code
        .split('.')
        .map(|number| number.parse::<u16>().unwrap_or_default());
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let in_table = matches!(
        (class, subject, detail),
        (4, _, _) | (_, 6 | 7, _) | (_, 1, 1 | 2 | 3 | 6 | 7 | 8 | 10) | (_, 2, 1..=3) | (_, 3, 4)
    );
    let reply = Reply {
        code: None,
        enhanced: Some(code),
        to_recipient: true,
        to_sender: false,
    };
    in_table.then(|| class_of(&reply))
}

/// `lasts` says that the mail server called it permanent: then words for something that passes, which often stand in the
/// same notice, are not heard.
fn by_words(said: &str, lasts: bool) -> Option<(Class, &'static str)> {
    let plain = plain(super::text::cut(said, WORDS_MAX));
    let tests: [(&super::text::Words, Class, &'static str); 6] = [
        (&FULL, Class::Soft, "words for a full mailbox"),
        (
            &CONTENT,
            Class::Content,
            "words for a mail that is too large or not well formed",
        ),
        (&SENDER, Class::Blocked, "words against the sender's address"),
        (&UNKNOWN, Class::Hard, "words for an address that does not exist"),
        (&BLOCKED, Class::Blocked, "words against the sender"),
        (&TEMPORARY, Class::Soft, "words for something that passes"),
    ];
    tests
        .into_iter()
        .take(if lasts { 5 } else { 6 })
        .find(|(words, _, _)| words.within(&plain))
        .map(|(_, class, by)| (class, by))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: Option<&str>, said: &str) -> Class {
        read(status, said).class
    }

    #[test]
    fn a_code_of_the_table_decides_whatever_is_said_beside_it() {
        assert_eq!(class(Some("5.1.1"), "smtp; 550 mailbox full"), Class::Hard);
        assert_eq!(
            class(Some("5.7.1"), "smtp; 550 5.7.1 user unknown"),
            Class::Blocked
        );
        assert_eq!(class(Some("5.2.2"), ""), Class::Soft);
        assert_eq!(class(Some("4.4.7"), "550 no such user"), Class::Soft);
        assert_eq!(class(Some("5.3.4"), ""), Class::Content);
    }

    #[test]
    fn a_code_that_says_nothing_gives_way_to_one_that_does() {
        let failure = read(Some("5.0.0"), "smtp; 550 5.1.1 nobody");
        assert_eq!(
            (failure.class, failure.status.as_deref()),
            (Class::Hard, Some("5.1.1"))
        );
    }

    #[test]
    fn words_decide_where_the_table_names_no_code() {
        assert_eq!(
            class(Some("5.4.4"), "Host or domain name not found. Host not found"),
            Class::Hard
        );
        assert_eq!(
            class(Some("5.4.1"), "Recipient address rejected: Access denied"),
            Class::Hard
        );
        assert_eq!(
            class(
                None,
                "554 delivery error: This user doesn't have a yahoo.com account"
            ),
            Class::Hard
        );
        assert_eq!(class(None, "550 Message rejected as spam"), Class::Blocked);
        assert_eq!(
            class(None, "Sender address rejected: Domain not found"),
            Class::Blocked
        );
        assert_eq!(class(None, "El buzón está lleno"), Class::Soft);
    }

    #[test]
    fn the_reply_code_decides_where_nothing_else_does() {
        assert_eq!(
            class(None, "host mx said: 550 nope (in reply to RCPT TO command)"),
            Class::Hard
        );
        assert_eq!(
            class(None, "host mx said: 550 nope (in reply to end of DATA command)"),
            Class::Blocked
        );
        assert_eq!(class(None, "554 nope"), Class::Blocked);
        assert_eq!(class(None, "451 nope"), Class::Soft);
        assert_eq!(class(None, ""), Class::Soft);
    }
}
