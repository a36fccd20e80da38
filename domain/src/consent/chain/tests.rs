use chrono::{TimeDelta, TimeZone};
use entity::consent_event::{ConsentAction, ConsentLevel, ConsentMethod, ConsentSource};
use entity::enums::{ActorKind, Medium, Purpose};
use entity::id::{ConsentWordingId, ContactId, FormId};

use super::*;

const SALT: [u8; 16] = [7; 16];

fn event() -> Model {
    let at = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
    let mut event = Model {
        id: ConsentEventId(Uuid::from_u128(1)),
        contact_id: ContactId(Uuid::from_u128(2)),
        medium: Medium::Email,
        address: Some("pat@example.org".to_owned()),
        purpose: Some(Purpose::Marketing),
        action: ConsentAction::Grant,
        level: ConsentLevel::Express,
        wording_id: Some(ConsentWordingId(Uuid::from_u128(3))),
        wording_sha256: Some("ab".repeat(32)),
        language: Some("en".to_owned()),
        method: ConsentMethod::WebForm,
        source: ConsentSource {
            form_id: Some(FormId(Uuid::from_u128(4))),
            message_id: None,
        },
        evidence: Some(ConsentEvidence {
            note: Some("checkbox".to_owned()),
            ip_hash: Some("aa".to_owned()),
            user_agent_hash: None,
        }),
        personal_salt: Some(SALT.to_vec()),
        commitment: Vec::new(),
        refers_to_id: None,
        expires_at: None,
        actor_kind: ActorKind::Visitor,
        actor_id: None,
        occurred_at: at,
        recorded_at: at + TimeDelta::milliseconds(250),
        erased_at: None,
    };
    event.commitment = commitment(&SALT, Personal::of(&event)).to_vec();
    event
}

/// The values were computed by another program from the description of this module.
#[test]
fn the_encoding_is_as_it_is_described() {
    let event = event();
    let digest = digest(&event);
    let sealed_at = event.occurred_at + TimeDelta::seconds(1);
    let link = link(&BEFORE_FIRST, 1, event.id, &digest, sealed_at);
    assert_eq!(
        hex::encode(&event.commitment),
        "0f5b34d04e0dfc99b574b9b40c3bee449bf48d294692bbaebc3210f5aeb8db20"
    );
    assert_eq!(
        hex::encode(digest),
        "e9a2f07778f7dbf31222540a007c87db1e31435a83aa86d3ef8466b4b59e4672"
    );
    assert_eq!(
        hex::encode(link),
        "778479bd5c48b253ae09620cc8563760613d037f76da0c27816da7b52895264e"
    );
}

#[test]
fn every_field_of_an_event_is_covered() {
    let changes: [fn(&mut Model); 19] = [
        |e| e.id = ConsentEventId(Uuid::from_u128(9)),
        |e| e.contact_id = ContactId(Uuid::from_u128(9)),
        |e| e.medium = Medium::Sms,
        |e| e.purpose = None,
        |e| e.action = ConsentAction::Pending,
        |e| e.level = ConsentLevel::ExpressWritten,
        |e| e.wording_id = None,
        |e| e.wording_sha256 = None,
        |e| e.language = Some("es".to_owned()),
        |e| e.method = ConsentMethod::Import,
        |e| e.source.form_id = None,
        |e| e.source.message_id = Some(entity::id::MessageId(Uuid::from_u128(4))),
        |e| e.commitment[0] ^= 1,
        |e| e.refers_to_id = Some(e.id),
        |e| e.expires_at = Some(e.occurred_at),
        |e| e.actor_kind = ActorKind::Staff,
        |e| e.actor_id = Some(Uuid::from_u128(9)),
        |e| e.occurred_at += TimeDelta::microseconds(1),
        |e| e.recorded_at += TimeDelta::microseconds(1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = event();
        change(&mut changed);
        assert_ne!(digest(&changed), digest(&event()), "change {number}");
    }
}

#[test]
fn every_personal_field_is_covered_by_the_commitment_and_none_by_the_digest() {
    let changes: [fn(&mut Model); 4] = [
        |e| e.address = None,
        |e| e.evidence = None,
        |e| e.evidence.as_mut().unwrap().ip_hash = None,
        |e| e.evidence.as_mut().unwrap().user_agent_hash = Some("aa".to_owned()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = event();
        change(&mut changed);
        let bound = commitment(&SALT, Personal::of(&changed));
        assert_ne!(bound.as_slice(), event().commitment, "change {number}");
        assert_eq!(digest(&changed), digest(&event()), "change {number}");
    }
    let other_salt = commitment(&[8; 16], Personal::of(&event()));
    assert_ne!(other_salt.as_slice(), event().commitment);
}

#[test]
fn text_cannot_move_from_one_field_to_the_next() {
    let hash = |note: Option<&str>, ip_hash: Option<&str>| {
        let evidence = ConsentEvidence {
            note: note.map(str::to_owned),
            ip_hash: ip_hash.map(str::to_owned),
            user_agent_hash: None,
        };
        let personal = Personal {
            address: None,
            evidence: Some(&evidence),
        };
        commitment(&SALT, personal)
    };
    assert_ne!(hash(Some("ab"), Some("c")), hash(Some("a"), Some("bc")));
    assert_ne!(hash(Some("ab"), None), hash(None, Some("ab")));
    assert_ne!(hash(Some(""), None), hash(None, None));
}
