//! SendGrid signs the time and the body with a key of its own (ECDSA, P-256, SHA-256).

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::inbound::Came;
use entity::inbound_mail::InboundSource;
use poem::Request;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use super::{HookSettings, Refused};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

/// What a key for P-256 begins with in DER (RFC 5480): its kind, then that 65 bytes of a point follow.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How old a signature may be: SendGrid tries again for a day, and signs each try anew.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Events of one request that are taken.
const EVENTS_MAX: usize = 5_000;

/// The events of a request, if it was signed by the key and of late.
pub(super) fn verified(
    hooks: &HookSettings,
    req: &Request,
    raw: &[u8],
    now: DateTime<Utc>,
) -> Result<Vec<Came>, Refused> {
    let key = hooks.sendgrid_key.as_deref().ok_or(Refused::NoDoor)?;
    let signature = req.header(SIGNATURE).ok_or(Refused::Unproven)?;
    let timestamp = req.header(TIMESTAMP).ok_or(Refused::Unproven)?;
    if !is_signed(key, signature, timestamp, raw) {
        return Err(Refused::Unproven);
    }
    let at = timestamp
        .parse()
        .ok()
        .and_then(|secs| DateTime::from_timestamp(secs, 0));
    if at.is_none_or(|at| (now - at).abs() > FRESH) {
        return Err(Refused::NotWanted);
    }
    events(raw)
}

/// Whether the key signed this time and body.
pub(crate) fn is_signed(key: &str, signature: &str, timestamp: &str, raw: &[u8]) -> bool {
    let point = STANDARD
        .decode(key.trim())
        .ok()
        .and_then(|der| der.strip_prefix(P256).map(<[u8]>::to_vec));
    let (Some(point), Ok(signature)) = (point, STANDARD.decode(signature.trim())) else {
        return false;
    };
    let signed = [timestamp.as_bytes(), raw].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(&signed, &signature)
        .is_ok()
}

/// Each event by itself: they come in other batches when they come again.
fn events(raw: &[u8]) -> Result<Vec<Came>, Refused> {
    let list: Vec<Value> = serde_json::from_slice(raw).map_err(|_| Refused::Malformed)?;
    if list.len() > EVENTS_MAX {
        return Err(Refused::TooLarge);
    }
    let came = list.into_iter().filter(Value::is_object).map(|event| {
        let text = event.to_string();
        let id = event["sg_event_id"].as_str().unwrap_or(&text).to_owned();
        Came::notice(InboundSource::Sendgrid, &id, text.into_bytes())
    });
    Ok(came.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==";
    const SIGNED: &str =
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=";
    const BODY: &str = r#"{"category":"example_payload","event":"test_event","message_id":"message_id"}"#;

    #[test]
    fn the_providers_own_example_verifies_and_nothing_beside_it_does() {
        assert!(is_signed(KEY, SIGNED, "1588788367", BODY.as_bytes()));
        assert!(!is_signed(KEY, SIGNED, "1588788368", BODY.as_bytes()));
        assert!(!is_signed(
            KEY,
            SIGNED,
            "1588788367",
            BODY.replace("test", "best").as_bytes()
        ));
        assert!(!is_signed(
            KEY,
            &SIGNED.replace('M', "N"),
            "1588788367",
            BODY.as_bytes()
        ));
        assert!(!is_signed("", SIGNED, "1588788367", BODY.as_bytes()));
        assert!(!is_signed(
            &KEY.replace("MFkw", "MFkx"),
            SIGNED,
            "1588788367",
            BODY.as_bytes()
        ));
    }

    #[test]
    fn each_event_is_taken_by_itself_and_what_is_none_is_malformed() {
        let two = br#"[{"event":"bounce","sg_event_id":"a"},{"event":"open","sg_event_id":"b"},7]"#;
        let came = events(two).unwrap();
        assert_eq!(came.len(), 2);
        let again = events(br#"[{"event":"open","sg_event_id":"b","more":1}]"#).unwrap();
        assert_eq!(again[0].key, came[1].key, "the same event in another batch");
        assert!(events(b"{}").is_err());
    }
}
