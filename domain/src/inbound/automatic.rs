//! Which mails no person wrote (RFC 3834 and its kin). They stop no sequence and are not answered.

use super::mail::Mail;
use super::text::{cut, plain, words};

words! {
    /// How the subject of an automatic answer begins.
    SUBJECT = [
        "out of office", "out-of-office", "ooo:", "ooo -", "out of the office", "automatic reply", "automated reply", "auto reply", "auto-reply", "autoreply", "auto response", "auto-response",
        "automatic response", "automated response", "auto:", "[auto", "(auto", "away from", "i am away", "i'm away", "on vacation", "vacation", "on leave", "on annual leave", "annual leave", "on holiday", "maternity leave", "parental leave", "on sabbatical",
        "abwesen", "automatische antwort", "autoantwort", "automatische rückmeldung", "ich bin im urlaub", "nicht im büro", "urlaub", "réponse automatique", "réponse automatisée", "absence du bureau", "absent", "absence", "en congé", "message d'absence", "je suis absent",
        "respuesta automática", "respuesta automatica", "contestación automática", "fuera de la oficina", "fuera de oficina", "ausente", "ausencia", "de vacaciones", "estoy de vacaciones", "resposta automática", "ausência", "fora do escritório", "fora do escritorio", "estou de férias",
        "risposta automatica", "fuori ufficio", "fuori sede", "assente", "assenza", "in ferie", "automatisch antwoord", "automatische beantwoording", "afwezig", "niet aanwezig", "autosvar", "automatiskt svar", "automatisk svar", "frånvaro", "fravær", "ikke til stede",
        "automaattinen vastaus", "poissaolo", "poissa", "automatická odpověď", "automatická odpoveď", "mimo kancelář", "automatyczna odpowiedź", "autoodpowiedź", "nieobecność", "poza biurem", "automatikus válasz", "házon kívül", "răspuns automat", "automatski odgovor", "samodejni odgovor",
        "автоответ", "автоматический ответ", "нет на работе", "отсутстви", "вне офиса", "автоматична відповідь", "автоматичен отговор", "αυτόματη απάντηση", "εκτός γραφείου", "otomatik yanıt", "otomatik cevap", "ofis dışında", "מענה אוטומטי", "תשובה אוטומטית", "رد تلقائي", "الرد التلقائي",
        "自動応答", "自動返信", "不在通知", "不在の", "不在:", "【自動", "[自動", "自动回复", "自动答复", "自動回覆", "外出时", "不在办公室", "자동 회신", "자동응답", "자동 응답", "부재중", "tự động trả lời", "trả lời tự động", "balasan otomatis", "ตอบกลับอัตโนมัติ",
        "your message has been received", "we have received your", "we received your", "thank you for contacting", "thank you for your message", "thank you for your email", "confirmation of receipt", "acknowledgement of receipt", "ticket received", "[ticket", "request received", "case created",
        "hemos recibido su", "acuse de recibo", "gracias por contactar", "gracias por su mensaje", "accusé de réception", "eingangsbestätigung", "empfangsbestätigung", "read:", "gelesen:", "lu :", "lu:", "leído:", "leido:", "not read:", "開封済み:", "既読:",
    ]
}
words! {
    /// What an automatic answer says of whoever is away.
    AWAY = [
        "out of the office", "out of office", "currently away", "i am away", "i'm away", "on vacation", "on holiday", "annual leave", "on leave until", "maternity leave", "parental leave", "be returning on", "back in the office", "return to the office", "no longer with the company", "no longer work", "no longer employed", "has left the company",
        "nicht im büro", "nicht im hause", "im urlaub", "bin derzeit abwesend", "bin abwesend", "wieder im büro", "absent du bureau", "actuellement absent", "absente du bureau", "je suis absent", "je suis en congé", "de retour le", "fuera de la oficina", "estoy de vacaciones", "estaré ausente", "me encuentro ausente", "fora do escritório", "estou de férias", "fuori ufficio", "sono in ferie", "niet op kantoor", "op vakantie",
        "this is an automated", "this is an automatic", "automatically generated", "automated response", "automatic reply", "do not reply to this", "please do not reply", "no responda a este", "este es un mensaje automático", "mensaje automático", "mensaje generado automáticamente", "nicht auf diese", "automatisch generiert", "automatisch erstellt", "message automatique", "généré automatiquement", "ne pas répondre", "自動送信", "自動的に送信", "自動返信", "不在にして", "休暇中", "返信しないで", "自动发送", "自动回复", "请勿回复",
    ]
}
words! {
    /// What it says of what to do meanwhile.
    MEANWHILE = [
        "limited access", "no access to", "not have access", "will respond", "will reply", "will get back", "will answer", "as soon as possible", "upon my return", "when i return", "on my return", "urgent", "immediate assistance", "in my absence", "please contact", "please email", "please call", "this mailbox is not", "unmonitored", "not monitored", "do not reply", "automat", "no responda", "no-reply",
        "dringend", "wenden sie sich", "vertretung", "nach meiner rückkehr", "en cas d'urgence", "contacter", "à mon retour", "urgente", "urgencia", "póngase en contacto", "a mi regreso", "contactar", "contattare", "em caso de", "neem contact", "自動", "緊急", "ご連絡", "自动", "勿回复", "respond", "ticket", "case number", "reference number",
    ]
}

/// Why a mail is automatic, if it is.
pub(super) fn why(mail: &Mail, own: &str) -> Option<&'static str> {
    by_headers(mail)
        .or_else(|| by_sender(mail))
        .or_else(|| {
            SUBJECT
                .begin(&plain(&mail.subject))
                .then_some("its subject is that of an automatic answer")
        })
        .or_else(|| by_words(own))
}

fn by_headers(mail: &Mail) -> Option<&'static str> {
    let submitted = mail
        .header("auto-submitted")
        .map(|value| value.trim().to_ascii_lowercase());
    if submitted.is_some_and(|value| !value.is_empty() && value.split([';', ' ', '(']).next() != Some("no")) {
        return Some("Auto-Submitted says that no person wrote it");
    }
    let precedence = ["bulk", "junk", "list", "auto_reply", "auto-reply"];
    let names = ["precedence", "x-precedence", "preference"];
    if names.iter().any(|name| {
        let value = mail.header(name).map(|value| value.trim().to_ascii_lowercase());
        value.is_some_and(|value| precedence.contains(&value.as_str()))
    }) {
        return Some("Precedence says that no person wrote it");
    }
    if mail
        .header("x-auto-response-suppress")
        .is_some_and(|value| !value.trim().eq_ignore_ascii_case("none"))
    {
        return Some("X-Auto-Response-Suppress says that a program wrote it");
    }
    const ANY: &[&str] = &[
        "x-autoreply",
        "x-auto-reply",
        "x-autoreply-from",
        "x-auto-reply-from",
        "x-autorespond",
        "x-autoresponder",
        "x-autoresponse",
        "x-mail-autoreply",
        "x-autogenerated",
        "x-fc-machinegenerated",
        "x-post-messageclass",
        "x-vacation",
        "x-cron-env",
        "x-ebay-mailtracker",
        "x-zendesk-from-account-id",
        "x-jira-fingerprint",
        "x-ms-exchange-inbox-rules-loop",
    ];
    if ANY.iter().any(|name| {
        mail.header(name)
            .is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"))
    }) {
        return Some("a header of autoresponders");
    }
    if mail.says("delivered-to", "autoresponder")
        || mail.says("x-mailer", "vacation")
        || mail.says("x-mailer", "autorespon")
    {
        return Some("a header of autoresponders");
    }
    if mail.media() == "multipart/report" {
        return Some("it is a report (multipart/report)");
    }
    (mail.return_path() == Some("")).then_some("its return path is null")
}

fn by_sender(mail: &Mail) -> Option<&'static str> {
    let local = mail
        .from
        .address
        .split('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let machines = [
        "noreply",
        "no-reply",
        "no_reply",
        "donotreply",
        "do-not-reply",
        "do_not_reply",
        "autoreply",
        "auto-reply",
        "autoresponder",
        "autoresponse",
        "mailer-daemon",
        "mailerdaemon",
        "daemon",
        "bounce",
        "bounces",
        "noresponder",
        "no-responder",
        "nepasrepondre",
    ];
    let is = machines.iter().any(|machine| {
        local
            .strip_prefix(machine)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-', '.', '_']))
    });
    is.then_some("its sender is no person")
}

/// Two signs are needed: a person may well write that she is away on Friday.
fn by_words(own: &str) -> Option<&'static str> {
    let own = plain(cut(own, 1_500));
    (AWAY.within(&own) && MEANWHILE.within(&own)).then_some("its words are those of an automatic answer")
}
