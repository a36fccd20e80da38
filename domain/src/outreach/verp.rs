//! The return path of a mail: an address that names the message, so that what comes back says what it is about.
//!
//! The local part is `b+`, the message's id and a tag that only the operator's key can make, both in Crockford base32:
//! 54 octets of the 64 that RFC 5321 allows. It is read in any case, because mail systems on the way back change the
//! case of local parts. It names no person and never expires, since bounces come days later.

use entity::id::{MessageId, TypedId};
use subtle::ConstantTimeEq;
use ulid::Ulid;
use uuid::Uuid;

use crate::link::Secrets;

/// What every return path begins with.
const PREFIX: &str = "b+";
/// Letters of 128 bits in base32.
const LETTERS: usize = 26;

/// Octets of a local part.
pub const LOCAL_PART_OCTETS: usize = PREFIX.len() + 2 * LETTERS;

/// The local part of the return path of one message.
#[must_use]
pub fn local_part(secrets: &Secrets, message_id: MessageId) -> String {
    let id = Ulid::from(message_id.uuid().as_u128());
    let tag = Ulid::from(u128::from_be_bytes(secrets.return_path_tag(message_id.uuid())));
    format!("{PREFIX}{id}{tag}").to_ascii_lowercase()
}

/// The message that a local part was made for; `None` for any text that this key did not make. The tag is compared in
/// constant time.
///
/// Forwarders put something before a return path (`SRS0=…=b+…`, `prvs=…=b+…`): what stands before the last `=` is not
/// looked at.
#[must_use]
pub fn parse(secrets: &Secrets, local_part: &str) -> Option<MessageId> {
    let own = local_part.rsplit_once('=').map_or(local_part, |(_, own)| own);
    let (id, tag) = parts(own)?;
    let genuine: bool = secrets.return_path_tag(id.uuid()).ct_eq(&tag).into();
    // One message has one return path: the first letter of each part holds three bits, and the rest of it must be none.
    let same = |id: &MessageId| own.eq_ignore_ascii_case(&self::local_part(secrets, *id));
    genuine.then_some(id).filter(same)
}

/// The message that a local part says it was made for. Nothing is proven: only for showing, where no key is at hand.
#[must_use]
pub fn claimed(local_part: &str) -> Option<MessageId> {
    parts(local_part).map(|(id, _)| id)
}

fn parts(own: &str) -> Option<(MessageId, [u8; 16])> {
    let letters = own
        .get(..PREFIX.len())
        .filter(|start| start.eq_ignore_ascii_case(PREFIX))
        .and_then(|_| own.get(PREFIX.len()..))?;
    // Longer texts are not even decoded.
    if letters.len() != 2 * LETTERS || !letters.is_ascii() {
        return None;
    }
    let (id, tag) = letters.split_at(LETTERS);
    let id = MessageId(Uuid::from_u128(Ulid::from_string(id).ok()?.into()));
    Some((id, u128::from(Ulid::from_string(tag).ok()?).to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets() -> Secrets {
        Secrets::new([7; 32])
    }

    fn message() -> MessageId {
        MessageId(Uuid::from_u128(0x0193_5c1e_7a00_7000_8000_0000_0000_0001))
    }

    #[test]
    fn a_return_path_names_its_message_whatever_became_of_its_case() {
        let local = local_part(&secrets(), message());
        assert_eq!(local.len(), LOCAL_PART_OCTETS);
        assert!(local.len() <= 64, "{local}");
        assert_eq!(parse(&secrets(), &local), Some(message()));
        assert_eq!(parse(&secrets(), &local.to_uppercase()), Some(message()));
    }

    #[test]
    fn a_return_path_stays_what_it_is_over_releases() {
        // Mail that is already out carries it; the value was worked out by another implementation of HMAC-SHA256.
        assert_eq!(
            local_part(&secrets(), message()),
            "b+01jde1wyg0e0080000000000015jwkx7b9shaw8y95654fbkmrcz"
        );
    }

    #[test]
    fn what_forwarders_put_before_a_return_path_is_not_looked_at() {
        let local = local_part(&secrets(), message());
        for wrapped in [
            format!("SRS0=Hx3k=TT=example.org={local}"),
            format!("prvs=0123456789={local}"),
        ] {
            assert_eq!(parse(&secrets(), &wrapped), Some(message()), "{wrapped}");
        }
    }

    #[test]
    fn a_return_path_of_another_key_or_another_shape_names_nothing() {
        let local = local_part(&Secrets::new([8; 32]), message());
        assert_eq!(parse(&secrets(), &local), None);
        let own = local_part(&secrets(), message());
        for wrong in ["", "b+", "b", "bounce", &own[..53], &own[2..], &format!("{own}0")] {
            assert_eq!(parse(&secrets(), wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_return_path_with_one_letter_changed_names_nothing(place in 2_usize..LOCAL_PART_OCTETS, by in 1_usize..32) {
            const CROCKFORD: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";
            let mut bytes = local_part(&secrets(), message()).into_bytes();
            let was = CROCKFORD.iter().position(|letter| *letter == bytes[place]).expect("a letter");
            bytes[place] = CROCKFORD[(was + by) % CROCKFORD.len()];
            let changed = String::from_utf8(bytes).expect("letters");
            prop_assert_eq!(parse(&secrets(), &changed), None);
        }

        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,80}") {
            prop_assert_eq!(parse(&secrets(), &text), None);
        }
    }
}
