//! DKIM signatures (RFC 6376, RFC 8301, RFC 8463): proof that a mail comes from the domain that it names.
//!
//! The signature is made over the bytes as they go over the wire, so it is the last thing that happens to a mail. It
//! covers the headers by which a mailbox provider unsubscribes (RFC 8058 asks for that), also where a mail has none: nobody
//! can then add one. `From` is named twice, so that a second one breaks the signature.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner, Done};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// What is signed.
const HEADERS: [&str; 12] = [
    "From",
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
];

/// Signs mails for one domain. The key was read once. Cheap to clone.
#[derive(Clone)]
pub struct Dkim(Arc<Signer>);

enum Signer {
    Rsa(DkimSigner<RsaKey<Sha256>, Done>),
    Ed25519(DkimSigner<Ed25519Key, Done>),
}

/// Why mails cannot be signed. Holds nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The domain is none.
    #[error("DKIM_DOMAIN is not a domain such as example.org")]
    Domain,
    /// The selector is none.
    #[error("DKIM_SELECTOR is not a name such as leadward1")]
    Selector,
    /// The file of the key cannot be read.
    #[error("the DKIM key in `{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no key that can sign.
    #[error(
        "the DKIM key must be PEM: RSA of 2048 to 4096 bits (openssl genrsa 2048), or Ed25519 (openssl genpkey -algorithm \
         ed25519)"
    )]
    Key,
}

// A key is never printed.
impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dkim(hidden)")
    }
}

impl Dkim {
    /// Reads the key from a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`Dkim::from_pem`].
    pub fn from_file(domain: &str, selector: &str, path: &Path) -> Result<Self, DkimError> {
        let pem = std::fs::read(path).map_err(|source| DkimError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_pem(domain, selector, &pem)
    }

    /// Reads the key: RSA (PKCS #1 or #8) or Ed25519 (PKCS #8).
    ///
    /// RSA has 2048 bits at least: that is what mailbox providers advise, and what the library signs with.
    ///
    /// # Errors
    /// When the domain, the selector or the key cannot be used.
    pub fn from_pem(domain: &str, selector: &str, pem: &[u8]) -> Result<Self, DkimError> {
        let domain = host_name(domain).ok_or(DkimError::Domain)?;
        let selector = host_name(selector).ok_or(DkimError::Selector)?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| DkimError::Key)?;
        let ed25519 = match &key {
            PrivateKeyDer::Pkcs8(key) => {
                Ed25519Key::from_pkcs8_maybe_unchecked_der(key.secret_pkcs8_der()).ok()
            }
            _ => None,
        };
        let signer = match ed25519 {
            Some(key) => Signer::Ed25519(signer(key, domain, selector)),
            None => {
                let key = RsaKey::from_key_der(key).map_err(|_| DkimError::Key)?;
                Signer::Rsa(signer(key, domain, selector))
            }
        };
        Ok(Self(Arc::new(signer)))
    }

    /// The domain that signs.
    #[must_use]
    pub fn domain(&self) -> &str {
        match &*self.0 {
            Signer::Rsa(signer) => &signer.template.d,
            Signer::Ed25519(signer) => &signer.template.d,
        }
    }

    /// Where the public key has to stand in DNS, and the text (`TXT`) that has to stand there.
    #[must_use]
    pub fn record(&self) -> (String, String) {
        let (template, key, kind) = match &*self.0 {
            Signer::Rsa(signer) => (
                &signer.template,
                subject_public_key_info(&signer.key.public_key()),
                "rsa",
            ),
            Signer::Ed25519(signer) => (&signer.template, signer.key.public_key(), "ed25519"),
        };
        (
            format!("{}._domainkey.{}", template.s, template.d),
            format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(key)),
        )
    }

    /// The mail with its signature in front. None when the library cannot sign, which a key that was read does not make
    /// happen.
    pub(crate) fn sign(&self, raw: &[u8]) -> Option<Vec<u8>> {
        let signature = match &*self.0 {
            Signer::Rsa(signer) => signer.sign(raw),
            Signer::Ed25519(signer) => signer.sign(raw),
        };
        let mut signed = signature.ok()?.to_header().into_bytes();
        signed.extend_from_slice(raw);
        Some(signed)
    }
}

fn signer<K: SigningKey>(key: K, domain: String, selector: String) -> DkimSigner<K, Done> {
    DkimSigner::from_key(key)
        .domain(domain)
        .selector(selector)
        .headers(HEADERS)
        // Blanks and folds may change on the way, and the signature still holds.
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed)
}

/// An RSA public key (PKCS #1) as verifiers want it (X.509): with the name of its algorithm in front.
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    // SEQUENCE { OID rsaEncryption, NULL }
    const ALGORITHM: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let bits = [&[0][..], key].concat();
    der(0x30, &[&ALGORITHM[..], &der(0x03, &bits)].concat())
}

/// A DER element of less than 64 KB, which keys are.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut element = match (high, low) {
        (0, ..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    element.extend_from_slice(content);
    element
}

/// A name as it stands in DNS, in lower case.
pub(super) fn host_name(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    (name.len() <= 253 && name.split('.').all(label)).then_some(name)
}

#[cfg(test)]
mod tests;
