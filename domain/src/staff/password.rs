//! Passwords of staff, kept as Argon2id hashes.
//!
//! The parameters are the ones that OWASP names first for Argon2id: 19 MiB of memory, two passes, one lane
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>). A stored hash carries its
//! own, so they can be raised later without breaking old ones. The rules for what people choose follow NIST SP
//! 800-63B: a length, no demands on the kinds of characters, no expiry.

use std::borrow::Cow;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use tokio::task::spawn_blocking;

use crate::error::{Code, Error, Refusal, Result};

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 12;
/// Most bytes of a password. Hashing is made to be slow, so what is hashed has a limit.
pub const MAX_BYTES: usize = 200;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// A hash of the same cost that no password has: its salt and output are zeros. An unknown name is checked against
/// it, so that it takes as long as a known one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether people may choose this password.
///
/// # Errors
/// A refusal of the field `password`.
pub fn check(password: &str) -> Result<(), Refusal> {
    if password.len() > MAX_BYTES {
        Err(Refusal::new(
            Code::TooLarge,
            "password",
            "A password has at most 200 bytes.",
        ))
    } else if password.chars().count() < MIN_CHARS {
        Err(Refusal::new(
            Code::Invalid,
            "password",
            "A password has at least 12 characters.",
        ))
    } else {
        Ok(())
    }
}

/// The hash to store, in PHC format with a random salt.
///
/// # Errors
/// When the password is refused by [`check`], or the system has no randomness or memory to give.
pub async fn hash(password: String) -> Result<String> {
    check(&password).map_err(|refusal| Error::Refused(vec![refusal]))?;
    let hashed = spawn_blocking(move || {
        argon2()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
    });
    hashed.await.map_err(fault)?.map_err(fault)
}

/// Whether this is the password of the stored hash. Without a hash, or for a password too long to be anybody's, the
/// same work is done in vain.
///
/// One check holds 19 MiB for some hundredths of a second; the caller bounds how many run at once.
///
/// # Errors When the stored text is not a hash.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    let possible = stored.is_some() && password.len() <= MAX_BYTES;
    let stored = stored
        .filter(|_| possible)
        .map_or(Cow::Borrowed(NOBODY), Cow::Owned);
    let matches = spawn_blocking(move || {
        let hash = PasswordHash::new(&stored).map_err(fault)?;
        let tried = &password.as_bytes()[..password.len().min(MAX_BYTES)];
        match argon2().verify_password(tried, &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(other) => Err(fault(other)),
        }
    });
    Ok(matches.await.map_err(fault)?? && possible)
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Fault(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_own_password_and_no_other() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(
            verify("correct horse battery".to_owned(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !verify("correct horse batterY".to_owned(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(!verify("correct horse battery".to_owned(), None).await.unwrap());
        assert_ne!(
            stored,
            hash("correct horse battery".to_owned()).await.unwrap(),
            "the salt is random"
        );
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_somebody() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        let (stored, nobody) = (
            PasswordHash::new(&stored).unwrap(),
            PasswordHash::new(NOBODY).unwrap(),
        );
        assert_eq!(
            (stored.algorithm, &stored.params),
            (nobody.algorithm, &nobody.params)
        );
        assert_eq!(stored.hash.unwrap().len(), nobody.hash.unwrap().len());
        assert!(!verify(String::new(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_beyond_the_limit_never_matches_by_its_beginning() {
        let longest = "x".repeat(MAX_BYTES);
        let stored = hash(longest.clone()).await.unwrap();
        assert!(verify(longest.clone(), Some(stored.clone())).await.unwrap());
        assert!(!verify(longest + "x", Some(stored)).await.unwrap());
    }

    #[test]
    fn length_is_all_that_is_asked_of_a_password() {
        assert!(check("aaaaaaaaaaaa").is_ok());
        assert!(check("äöüäöüäöüäöü").is_ok(), "characters count, not bytes");
        assert_eq!(check("aaaaaaaaaaa").unwrap_err().code, Code::Invalid);
        assert_eq!(
            check(&"a".repeat(MAX_BYTES + 1)).unwrap_err().code,
            Code::TooLarge
        );
    }
}
