//! Postmark signs nothing: a secret says who it is, as the password of Basic authentication or in a header.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::Request;
use poem::http::header;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{HookSettings, Refused};

/// The header that may carry the secret.
const SECRET: &str = "x-webhook-secret";

/// Whether a request carries the secret. Compared in constant time, by hashes of one length.
pub(super) fn proves(hooks: &HookSettings, req: &Request) -> Result<(), Refused> {
    let expected = hooks.postmark_secret.as_deref().ok_or(Refused::NoDoor)?;
    let basic = req
        .header(header::AUTHORIZATION)
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
        .and_then(|pair| String::from_utf8(pair).ok())
        .and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned()));
    let sent = basic
        .or_else(|| req.header(SECRET).map(str::to_owned))
        .ok_or(Refused::Unproven)?;
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let same: bool = hash(&sent).as_slice().ct_eq(hash(expected).as_slice()).into();
    if same { Ok(()) } else { Err(Refused::Unproven) }
}

/// What tells a repetition: a notice that is sent again has the same bytes.
pub(super) fn id(raw: &[u8]) -> Result<String, Refused> {
    let notice: serde_json::Value = serde_json::from_slice(raw).map_err(|_| Refused::Malformed)?;
    if !notice.is_object() {
        return Err(Refused::Malformed);
    }
    Ok(hex::encode(Sha256::digest(raw)))
}
