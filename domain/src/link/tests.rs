use proptest::prelude::*;

use super::*;

fn secrets() -> Secrets {
    Secrets::new([7; 32])
}

fn message() -> Uuid {
    Uuid::from_u128(0x0193_5c1e_7a00_7000_8000_0000_0000_0001)
}

#[test]
fn a_token_opens_to_its_message_and_fits_in_an_address() {
    let token = secrets().unsubscribe_token(message());
    assert_eq!(secrets().open_unsubscribe_token(&token), Some(message()));
    assert_eq!(token.len(), UNSUBSCRIBE_TOKEN_CHARS);
    assert!(
        token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    );
}

#[test]
fn a_token_stays_what_it_is_over_releases() {
    // Mail that is already out carries such tokens, and rows hold such hashes; if this fails, they are lost. The
    // values were worked out by another implementation of HMAC-SHA256.
    assert_eq!(
        secrets().unsubscribe_token(message()),
        "AZNcHnoAcACAAAAAAAAAAe7UfROFyeXGgpq7aXxs-wg"
    );
    assert_eq!(
        hex::encode(secrets().address_hash("EMAIL", "pat@example.org")),
        "f14cc1dbb0b3a4b82603efa97627efd3af0f52da1c23dcd4be801f975525a108"
    );
    assert_eq!(
        hex::encode(secrets().click_hash("Cj0K")),
        "d441a1c7db6f25435cf5fd90bf42563b981f5656f2d6c783aaa3b1b485c91952"
    );
    let mark = secrets().link_mark("https://hospital.example/rooms");
    assert_eq!(
        secrets().link_token(message(), mark),
        "AZNcHnoAcACAAAAAAAAAASdBWg4LbTCWcYQf_no1xr8RFDm_"
    );
}

#[test]
fn a_token_changed_in_any_bit_of_any_byte_is_refused() {
    let token = secrets().unsubscribe_token(message());
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut forged = bytes.clone();
            forged[index] ^= 1 << bit;
            assert_eq!(
                secrets().open_unsubscribe_token(&URL_SAFE_NO_PAD.encode(&forged)),
                None,
                "byte {index}"
            );
        }
    }
}

#[test]
fn a_token_has_exactly_one_spelling() {
    let token = secrets().unsubscribe_token(message());
    for index in 0..token.len() {
        for other in (0_u8..128)
            .map(char::from)
            .filter(|other| !token[index..].starts_with(*other))
        {
            let mut forged: Vec<char> = token.chars().collect();
            forged[index] = other;
            let forged: String = forged.into_iter().collect();
            assert_eq!(
                secrets().open_unsubscribe_token(&forged),
                None,
                "character {index} as {other:?}"
            );
        }
    }
    for wrong in [
        format!("{token}="),
        format!(" {token}"),
        token[1..].to_owned(),
        String::new(),
        "é".repeat(21),
    ] {
        assert_eq!(secrets().open_unsubscribe_token(&wrong), None, "{wrong:?}");
    }
}

#[test]
fn another_key_does_not_open_the_token() {
    let token = secrets().unsubscribe_token(message());
    assert_eq!(Secrets::new([8; 32]).open_unsubscribe_token(&token), None);
}

#[test]
fn each_purpose_has_its_own_key_and_each_medium_its_own_hash() {
    let secrets = secrets();
    assert_ne!(secrets.derive("unsubscribe"), secrets.derive("click"));
    assert_ne!(secrets.derive("click"), Secrets::new([8; 32]).derive("click"));
    assert_ne!(
        secrets.address_hash("EMAIL", "x"),
        secrets.address_hash("PHONE", "x")
    );
    assert_ne!(
        secrets.address_hash("EMAI", "Lx"),
        secrets.address_hash("EMAIL", "x")
    );
    assert_ne!(
        secrets.address_hash("EMAIL", "x").as_slice(),
        secret_hash("x").as_slice()
    );
    assert_eq!(
        secrets.address_hash("EMAIL", "x"),
        secrets.address_hash("EMAIL", "x")
    );
}

#[test]
fn a_stored_token_is_its_plain_sha256() {
    assert_eq!(
        hex::encode(secret_hash("abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn new_secrets_are_long_and_never_the_same() {
    let made: std::collections::HashSet<String> = (0..1_000).map(|_| new_secret()).collect();
    assert_eq!(made.len(), 1_000);
    assert!(made.iter().all(|secret| {
        URL_SAFE_NO_PAD
            .decode(secret)
            .is_ok_and(|bytes| bytes.len() == 32)
    }));
}

#[test]
fn a_log_does_not_show_the_key() {
    assert_eq!(format!("{:?}", secrets()), "Secrets(hidden)");
}

proptest! {
    #[test]
    fn every_message_has_a_token_and_no_other_text_is_one(id in any::<u128>(), text in "\\PC{0,60}") {
        let id = Uuid::from_u128(id);
        prop_assert_eq!(secrets().open_unsubscribe_token(&secrets().unsubscribe_token(id)), Some(id));
        prop_assert_eq!(secrets().open_unsubscribe_token(&text), None);
    }
}

fn link() -> PreferenceLink<'static> {
    PreferenceLink {
        message_id: message(),
        contact_id: Uuid::from_u128(2),
        purpose: "MARKETING",
        generation: 0,
    }
}

#[test]
fn a_preference_token_proves_exactly_what_it_was_made_for() {
    let token = secrets().preference_token(&link());
    assert_eq!(token.len(), PREFERENCE_TOKEN_CHARS);
    assert_eq!(secrets().message_of_preference_token(&token), Some(message()));
    assert!(secrets().proves_preference(&token, &link()));
    let others = [
        PreferenceLink {
            contact_id: Uuid::from_u128(3),
            ..link()
        },
        PreferenceLink {
            purpose: "REMINDER",
            ..link()
        },
        PreferenceLink {
            generation: 1,
            ..link()
        },
        PreferenceLink {
            message_id: Uuid::from_u128(9),
            ..link()
        },
    ];
    for other in others {
        assert!(!secrets().proves_preference(&token, &other), "{other:?}");
    }
    assert!(!Secrets::new([8; 32]).proves_preference(&token, &link()));
}

#[test]
fn a_preference_token_changed_in_any_place_proves_nothing() {
    let token = secrets().preference_token(&link());
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(!secrets().proves_preference(&changed, &link()), "{at}");
    }
    for text in [
        "",
        "x",
        &token[1..],
        &format!("{token}A"),
        "é".repeat(32).as_str(),
    ] {
        assert!(!secrets().proves_preference(text, &link()), "{text}");
    }
    assert_eq!(secrets().open_unsubscribe_token(&token), None);
}

#[test]
fn a_link_of_a_mail_opens_to_its_message_and_its_mark_and_says_nothing_else() {
    let mark = secrets().link_mark("https://hospital.example/rooms");
    let token = secrets().link_token(message(), mark);
    assert_eq!(secrets().open_link_token(&token), Some((message(), mark)));
    assert_eq!(token.len(), LINK_TOKEN_CHARS);
    assert_ne!(mark, secrets().link_mark("https://hospital.example/room"));
    assert_ne!(
        mark,
        Secrets::new([8; 32]).link_mark("https://hospital.example/rooms"),
        "it is keyed"
    );
}

#[test]
fn a_link_of_a_mail_changed_in_any_bit_is_refused_and_so_is_one_of_another_kind() {
    let token = secrets().link_token(message(), -7);
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
    for index in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[index / 8] ^= 1 << (index % 8);
        assert_eq!(
            secrets().open_link_token(&URL_SAFE_NO_PAD.encode(&forged)),
            None,
            "bit {index}"
        );
    }
    assert_eq!(
        secrets().open_link_token(&secrets().unsubscribe_token(message())),
        None
    );
    assert_eq!(
        secrets().open_link_token(&secrets().opt_in_token(message())),
        None
    );
    assert_eq!(Secrets::new([8; 32]).open_link_token(&token), None);
}
