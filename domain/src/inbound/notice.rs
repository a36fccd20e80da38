//! Notices of failure in no standard form: of qmail, Exim, sendmail, Exchange, Notes, of the large providers, in many
//! languages.
//!
//! One sign alone is not enough, as people write about mails that came back. A notice comes from a mail system or on the
//! null return path, and says in its subject or its first words that something could not be delivered.

use super::failure::{self, Failure};
use super::mail::Mail;
use super::own_words;
use super::text::{addresses, cut, enhanced_codes, plain, reply_code, words};

/// Bytes of a notice that are looked at.
const NOTICE_MAX: usize = 32 << 10;
/// Recipients of one notice that are looked at.
const RECIPIENTS_MAX: usize = 100;
/// Lines after one with an address that still speak of it.
const LINES_OF_ONE: usize = 6;

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Delivery failed, for these recipients; the address is empty where none is told.
    Failed(Vec<(String, Failure)>),
    /// It is late, and still being tried.
    Delayed,
}

words! {
    /// Subjects of notices.
    SUBJECT = [
        "undeliver", "delivery status notification", "delivery failure", "delivery failed", "delivery has failed", "delivery error", "delivery problem", "delivery notification", "failure notice", "failure delivery", "failed delivery", "returned mail", "returned to sender", "return to sender", "mail returned", "message returned",
        "could not be delivered", "couldn't be delivered", "cannot be delivered", "not be delivered", "not delivered", "nondeliver", "non-deliver", "non deliver", "unable to deliver", "mail system error", "mail failure", "mail error", "message failed", "message blocked", "address not found", "user unknown", "bounce", "delivery report", "warning: could not send", "warning: message", "ndn:", "ndr", "delivery incomplete", "delivery delayed", "message delayed", "delayed mail", "delay)", "mail delivery",
        "no entregad", "no se puede entregar", "no se pudo entregar", "no se ha podido entregar", "no entregable", "no ha podido ser entregado", "error de entrega", "fallo en la entrega", "fallo de entrega", "error en la entrega", "devuelto", "estado de entrega", "imposible de entregar", "no se puede enviar", "entrega retrasada", "correo devuelto",
        "unzustellbar", "nicht zustellbar", "nicht zugestellt", "zustellung fehlgeschlagen", "zustellung nicht möglich", "zustellfehler", "zustellungsfehler", "fehlgeschlagene zustellung", "fehler bei der zustellung", "zurückgeschickt", "verzögert",
        "non remis", "non délivr", "non distribué", "non distribuable", "non livré", "échec de la remise", "échec de remise", "échec de la distribution", "échec d'envoi", "avis de non", "retour à l'expéditeur", "état de remise", "notification d'état", "remise impossible", "non acheminé", "erreur de livraison",
        "mancato recapito", "non recapitat", "impossibile recapitare", "errore di consegna", "mancata consegna", "não entregue", "falha na entrega", "falha de entrega", "não foi possível entregar", "não pôde ser entregue", "niet bezorgd", "niet-bezorgd", "onbestelbaar", "kan niet worden bezorgd", "bezorging mislukt", "niet afgeleverd",
        "kunde inte levereras", "olevererad", "går inte att leverera", "kunne ikke leveres", "ikke leveret", "ikke levert", "niedostarczon", "nie można dostarczyć", "nie dostarczono", "nedoručiteln", "nedoručen", "kézbesíthetetlen", "nelivrat", "teslim edilemedi", "iletilemedi", "toimittaminen epäonnistui", "ei voitu toimittaa",
        "配信不能", "配信エラー", "送信エラー", "送信できません", "送信できなかった", "送信不能", "届きませんでした", "届かなかった", "不達", "未達", "配信できません", "配信されません", "配信に失敗", "配送エラー", "返送", "退信", "投递失败", "无法投递", "传递失败", "传送失败", "发送失败", "退回", "未送达", "無法傳遞", "無法投遞", "반송", "배달 실패", "전달 실패", "전달되지", "배달되지",
        "не доставлен", "недоставлен", "невозможно доставить", "не удалось доставить", "ошибка доставки", "возвращен", "недоставк", "μη παραδο", "αδυναμία παράδοσης",
    ]
}
words! {
    /// What notices say at their beginning.
    BODY = [
        "could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered", "can not be delivered", "wasn't delivered", "was not delivered", "were not delivered", "not been delivered", "not be delivered", "unable to deliver", "wasn't able to deliver", "was not able to deliver", "cannot deliver", "could not deliver", "couldn't deliver",
        "delivery has failed", "delivery to the following", "delivery failed", "failed to deliver", "delivery of the message", "delivery attempts", "delivery problem", "error delivering", "unrecoverable error", "permanent fatal errors", "transient non-fatal errors", "fatal errors", "following address(es) failed", "following addresses failed", "undeliverable", "did not reach", "didn't reach", "being returned", "returned to you", "returned to sender", "returned mail", "has been rejected", "was rejected", "been blocked", "was blocked", "permanent error", "mail server permanently rejected", "unknown user", "user unknown", "address not found", "could not be reached", "couldn't be found", "couldn't send", "could not send", "was undeliverable", "message delivery failed", "failed permanently", "delayed", "delivery status", "rejected your message",
        "no se ha podido entregar", "no se pudo entregar", "no pudo ser entregado", "no ha podido ser entregado", "no se puede entregar", "no ha sido entregado", "no fue entregado", "no se entregó", "imposible entregar", "no se ha entregado", "no llegó", "error permanente", "no pudo entregarse",
        "konnte nicht zugestellt", "konnten nicht zugestellt", "nicht zugestellt werden", "nicht ausgeliefert", "nicht übermittelt", "zustellung ist fehlgeschlagen", "fehler bei der zustellung", "konnte nicht an", "nicht zustellbar", "wurde nicht zugestellt", "wurde abgelehnt", "zurückgewiesen",
        "n'a pas pu être", "n'ont pas pu être", "n'a pas été remis", "n'a pas été distribué", "n'a pas été livré", "n'a pu être", "impossible de remettre", "impossible de distribuer", "échec de la remise", "échec de remise", "la remise a échoué", "a été rejeté", "n'est pas parvenu",
        "non è stato possibile", "non è stato recapitato", "non può essere recapitato", "impossibile recapitare", "recapito non riuscito", "consegna fallita", "não pôde ser entregue", "não foi entregue", "não pode ser entregue", "não foi possível entregar", "falha na entrega", "kon niet worden bezorgd", "kan niet worden bezorgd", "niet worden afgeleverd", "niet bezorgd",
        "kunde inte levereras", "kunde inte skickas", "kunne ikke leveres", "nie mogła zostać dostarczona", "nie została dostarczona", "nie można dostarczyć", "nelze doručit", "nemohla být doručena", "nem kézbesíthető", "nu a putut fi", "teslim edilemedi", "ei voitu toimittaa",
        "配信できません", "配信できなかった", "配信されません", "配信に失敗", "配信不能", "送信できません", "送信できなかった", "送信に失敗", "届けることができません", "届けられません", "お届けできません", "配送できません", "配達できません", "届きませんでした", "エラーが発生", "戻されました", "返送",
        "无法投递", "投递失败", "无法送达", "未能送达", "发送失败", "未能投递", "被拒绝", "被退回", "無法傳遞", "無法投遞", "無法送達", "배달하지 못", "전달하지 못", "전송하지 못", "전달할 수 없", "배달할 수 없", "전송 실패",
        "не было доставлено", "не доставлено", "не удалось доставить", "не может быть доставлено", "не может быть доставлен", "не был доставлен", "невозможно доставить",
    ]
}
words! {
    /// That it is late and not lost.
    DELAYED = [
        "delayed", "delay)", "delivery incomplete", "not yet been delivered", "has not yet been", "not been delivered yet", "still being", "will be retried", "will retry", "will continue", "will keep trying", "will try to deliver", "continue to be attempted", "could not send message for past", "no action is required", "do not need to resend", "you don't need to", "temporarily delayed", "this is a warning message only", "warning message only", "retrasad", "se ha retrasado", "seguirá intent", "seguiremos intent", "verzögert", "weiterhin versucht", "weitere zustellversuche", "retardé", "a été différé", "nouvelles tentatives", "sera retent", "ritardat", "atrasad", "vertraagd", "遅延", "再送", "再配信", "延迟", "지연", "задерж",
    ]
}
words! {
    /// That it is lost.
    FINAL = [
        "giving up", "given up", "gave up", "permanent", "failed permanently", "has failed", "have failed", "failed:", "undeliverable", "will not be retried", "no further attempts", "expired", "too long", "fatal errors",
    ]
}
words! {
    /// Names under which mail systems write.
    SYSTEM = [
        "mail delivery", "mailer-daemon", "mailer daemon", "postmaster", "mail administrator", "system administrator", "mail system", "delivery subsystem", "delivery system", "microsoft outlook", "microsoft exchange", "mail router", "internet mail delivery", "administrador del sistema", "administrador de correo", "systemadministrator", "administrateur système", "message delivery", "bounce handler", "mailserver", "mail server", "smtp server", "lotus notes", "systemadministratör", "システム管理者",
    ]
}
words! {
    /// Lines after which the mail itself follows.
    BELOW = [
        "this line is a copy of the message", "this is a copy of the message", "this is a copy of your message", "copy of the message follows", "copy of your message", "original message headers", "original message header", "original message follows", "-- original message", "header of the original message", "headers of the original message", "the original message was as follows", "unsent message below", "unsent message follows", "message header follows", "message headers follow", "message contents follow", "returned message below", "returned message follows", "returned text follows", "text of the original message", "undelivered message headers", "message log follows", "message header ---", "start of message", "encabezados de mensajes originales", "encabezados originales", "mensaje original", "ursprüngliche nachrichtenkopfzeilen", "ursprüngliche nachricht", "kopfzeilen der ursprünglichen", "en-têtes de message d'origine", "en-têtes du message", "message d'origine", "元のメッセージ", "元のメール", "原始邮件", "message original", "diagnostic information for administrators: original",
    ]
}

/// Reads a notice, if the mail is one.
pub(super) fn read(mail: &Mail) -> Option<Notice> {
    let failed = mail
        .all("x-failed-recipients")
        .flat_map(addresses)
        .collect::<Vec<_>>();
    let whole = whole_text(mail);
    let (told, original) = split(&whole);
    let (subject, words) = (plain(&mail.subject), plain(cut(told, 16 << 10)));
    let announced =
        mail.says("content-type", "delivery-status") || mail.header("x-ms-exchange-message-is-ndr").is_some();
    let by_system = is_system(mail);
    let null_path = mail.return_path() == Some("");
    let answer = ["re:", "fwd:", "fw:", "aw:", "wg:", "rv:", "tr:", "sv:", "vs:"]
        .iter()
        .any(|word| subject.starts_with(word));
    let in_subject = !answer && SUBJECT.within(&subject);
    let in_body = BODY.within(&words);
    let codes = !enhanced_codes(told).is_empty() || reply_code(told).is_some_and(|code| code >= 500);
    let is_notice = !failed.is_empty()
        || announced
        || (by_system && (in_subject || in_body || codes))
        || (null_path && (in_subject || (in_body && codes)))
        || (in_subject
            && in_body
            && !answer
            && (codes || BELOW.within(&words) || mail.body.len() < mail.parts.len()));
    if !is_notice {
        return None;
    }
    let lost =
        FINAL.within(&words) || FINAL.within(&subject) || reply_code(told).is_some_and(|code| code >= 500);
    let late = DELAYED.within(&subject) || (DELAYED.within(&words) && !lost);
    if late && failed.is_empty() {
        return Some(Notice::Delayed);
    }
    let recipients = recipients(mail, told, original, failed);
    if recipients.is_empty() {
        // Announced as a report and nothing in it: not even that anything failed.
        if !(in_subject || in_body || codes) {
            return None;
        }
        return Some(Notice::Failed(vec![(String::new(), failure::read(None, told))]));
    }
    let failures = recipients
        .iter()
        .map(|address| (address.clone(), of_one(told, address, &recipients)));
    Some(Notice::Failed(failures.collect()))
}

/// Whether a mail system wrote it.
pub(super) fn is_system(mail: &Mail) -> bool {
    let local = mail
        .from
        .address
        .split('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let machines = [
        "mailer-daemon",
        "mailerdaemon",
        "mail-daemon",
        "maildaemon",
        "postmaster",
        "mdaemon",
        "mail-delivery",
        "maildelivery",
        "mailmaster",
        "mail.daemon",
        "microsoftexchange",
        "bounce",
        "bounces",
    ];
    machines.iter().any(|machine| local.starts_with(machine)) || SYSTEM.within(&plain(&mail.from.name))
}

/// What a reader of the notice sees, as one text.
fn whole_text(mail: &Mail) -> String {
    let mut whole = String::new();
    for part in
        mail.body
            .iter()
            .chain(mail.parts_of(&["message/delivery-status", "", "application/octet-stream"]))
    {
        if part.media == "text/html" {
            whole.push_str(&mail_parser::decoders::html::html_to_text(&part.text));
        } else {
            whole.push_str(&part.text);
        }
        whole.push('\n');
        if whole.len() > NOTICE_MAX {
            break;
        }
    }
    let end = cut(&whole, NOTICE_MAX).len();
    whole.truncate(end);
    whole
}

/// The notice, and what it says the original was, if it was put below as text.
pub(super) fn split(whole: &str) -> (&str, &str) {
    let mut at = 0;
    for line in whole.split_inclusive('\n') {
        let words = plain(line);
        let mail_begins = ["received: ", "return-path: <", "x-original-to: ", "message-id: <"]
            .iter()
            .any(|start| words.starts_with(start));
        if (BELOW.within(&words) && words.len() < 120 && at > 0) || (mail_begins && at > 0) {
            return whole.split_at(at);
        }
        at += line.len();
    }
    (whole, "")
}

/// The headers of the original that a notice put below as text.
pub(super) fn original(mail: &Mail) -> Option<Mail> {
    let whole = whole_text(mail);
    let (_, original) = split(&whole);
    let start = original.lines().position(|line| {
        let name = line.split(':').next().unwrap_or_default();
        line.contains(':')
            && !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })?;
    let text: Vec<&str> = original.lines().skip(start).take(200).collect();
    Mail::open(text.join("\r\n").as_bytes())
}

/// Whose delivery failed.
fn recipients(mail: &Mail, told: &str, original: &str, failed: Vec<String>) -> Vec<String> {
    if !failed.is_empty() {
        return failed;
    }
    let ours: Vec<String> = ["to", "cc", "from", "reply-to", "delivered-to", "sender"]
        .iter()
        .flat_map(|name| mail.all(name))
        .chain(mail.enclosed.iter().flat_map(|mail| {
            mail.all("from")
                .chain(mail.all("return-path"))
                .chain(mail.all("reply-to"))
        }))
        .chain(
            original
                .lines()
                .filter(|line| is_field(line, &["from", "return-path", "reply-to", "sender"])),
        )
        .flat_map(addresses)
        .collect();
    let strange = |address: &String| {
        let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
        let system = [
            "mailer-daemon",
            "postmaster",
            "abuse",
            "noreply",
            "no-reply",
            "support",
            "helpdesk",
            "b+",
            "msg_",
        ];
        !ours.iter().any(|known| known.eq_ignore_ascii_case(address))
            && !system.iter().any(|start| local.starts_with(start))
            && !local.contains("=")
    };
    let fields = [
        "message-id",
        "in-reply-to",
        "references",
        "from",
        "reply-to",
        "received",
        "return-path",
        "sender",
        "reporting-mta",
        "x-mailer",
        "dkim-signature",
    ];
    let (mut at_start, mut within): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in told.lines().filter(|line| !is_field(line, &fields)) {
        let bare = line
            .trim()
            .trim_start_matches(['<', '\'', '"', '(', '*', '-', '•', '>', '[', '|', ' ']);
        for address in addresses(line).into_iter().filter(strange) {
            let list = if starts_with(bare, &address) {
                &mut at_start
            } else {
                &mut within
            };
            if !list.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
                list.push(address);
            }
        }
    }
    let sent_to: Vec<String> = mail
        .enclosed
        .iter()
        .flat_map(|mail| mail.all("to").chain(mail.all("x-original-to")))
        .chain(original.lines().filter(|line| is_field(line, &["to"])))
        .flat_map(addresses)
        .filter(strange)
        .collect();
    let known = |list: &[String]| -> Vec<String> {
        let is = |address: &&String| sent_to.iter().any(|to| to.eq_ignore_ascii_case(address));
        list.iter().filter(is).cloned().collect()
    };
    let both: Vec<String> = at_start.iter().chain(&within).cloned().collect();
    let mut chosen = known(&both);
    if chosen.is_empty() {
        chosen = at_start;
    }
    if chosen.is_empty() {
        chosen = within.into_iter().take(1).collect();
    }
    if chosen.is_empty() {
        chosen = sent_to;
    }
    chosen.truncate(RECIPIENTS_MAX);
    chosen
}

fn is_field(line: &str, names: &[&str]) -> bool {
    let Some((name, _)) = line.trim_start_matches(['>', ' ', '|']).split_once(':') else {
        return false;
    };
    names.iter().any(|known| name.trim().eq_ignore_ascii_case(known))
}

fn starts_with(line: &str, address: &str) -> bool {
    line.get(..address.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(address))
}

/// What the notice says of one recipient: the lines with the address and those after it; all of it when there is but
/// one recipient, or when those lines say nothing.
fn of_one(told: &str, address: &str, all: &[String]) -> Failure {
    if all.len() == 1 {
        return failure::read(None, told);
    }
    let lower = |line: &str| line.to_ascii_lowercase();
    let own = address.to_ascii_lowercase();
    let others: Vec<String> = all
        .iter()
        .map(|other| lower(other))
        .filter(|other| *other != own)
        .collect();
    let mut lines = String::new();
    let mut left = 0;
    for line in told.lines() {
        let line_lower = lower(line);
        if line_lower.contains(&own) {
            left = LINES_OF_ONE;
        } else if others.iter().any(|other| line_lower.contains(other)) {
            left = 0;
        }
        if left > 0 {
            left -= 1;
            lines.push_str(line);
            lines.push('\n');
        }
    }
    let failure = failure::read(None, &lines);
    if failure.status.is_none() && failure.by.starts_with("nothing") {
        failure::read(None, told)
    } else {
        failure
    }
}

/// Whether somebody wrote words of their own above what is passed on.
pub(super) fn has_own_words(mail: &Mail) -> bool {
    !own_words::of(mail).is_empty()
}
