//! Names and values out of the body of a browser's form, in either encoding.

use std::time::Duration;

use poem::error::ReadBodyError;
use poem::http::header;
use poem::web::Multipart;
use poem::{Body, FromRequest, Request, RequestBody};
use tokio::time::timeout;
use url::form_urlencoded;

use crate::state::ApiSettings;

/// Most pairs of one body. A form has a few dozen fields.
const MAX_PAIRS: usize = 500;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is larger than allowed.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// It breaks the rules of its own type, or holds a file.
    Malformed,
    /// Its type is none that a form sends.
    UnknownType,
}

/// How much of a body is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most bytes of it.
    pub(crate) max_bytes: usize,
    /// Seconds in which all of it has to arrive.
    pub(crate) secs: u64,
}

impl Limits {
    /// The limits of the settings.
    pub(crate) fn of(settings: &ApiSettings) -> Self {
        Self {
            max_bytes: settings.max_body_bytes,
            secs: settings.body_secs,
        }
    }
}

/// Reads the body whole.
pub(crate) async fn bytes(req: &Request, body: Body, limits: Limits) -> Result<Vec<u8>, Unreadable> {
    let Limits { max_bytes, secs } = limits;
    let told = req
        .header(header::CONTENT_LENGTH)
        .and_then(|text| text.parse::<usize>().ok());
    if told.is_some_and(|told| told > max_bytes) {
        return Err(Unreadable::TooLarge);
    }
    match timeout(Duration::from_secs(secs), body.into_bytes_limit(max_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Unreadable::TooLarge),
        Ok(Err(_)) => Err(Unreadable::Malformed),
        Err(_) => Err(Unreadable::TooSlow),
    }
}

/// Reads names and values, in the order in which they came. A body without a type is read as a plain form.
pub(crate) async fn pairs(
    req: &Request,
    body: Body,
    limits: Limits,
) -> Result<Vec<(String, String)>, Unreadable> {
    let body = bytes(req, body, limits).await?;
    let pairs = match media_type(req).as_deref() {
        Some("multipart/form-data") => multipart(req, body).await?,
        Some("application/x-www-form-urlencoded") | None => urlencoded(&body)?,
        Some(_) => return Err(Unreadable::UnknownType),
    };
    if pairs.len() > MAX_PAIRS {
        Err(Unreadable::TooLarge)
    } else {
        Ok(pairs)
    }
}

/// The media type of the body without its parameters, in lower case.
pub(crate) fn media_type(req: &Request) -> Option<String> {
    let essence = req.content_type()?.split(';').next()?.trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

fn urlencoded(body: &[u8]) -> Result<Vec<(String, String)>, Unreadable> {
    let pairs: Vec<_> = form_urlencoded::parse(body)
        .into_owned()
        .take(MAX_PAIRS + 1)
        .collect();
    // What is not UTF-8 is read as replacement characters, which nobody types.
    let garbled = pairs
        .iter()
        .any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
    if garbled {
        Err(Unreadable::Malformed)
    } else {
        Ok(pairs)
    }
}

async fn multipart(req: &Request, body: Vec<u8>) -> Result<Vec<(String, String)>, Unreadable> {
    let mut body = RequestBody::new(body.into());
    let mut parts = Multipart::from_request(req, &mut body)
        .await
        .map_err(|_| Unreadable::Malformed)?;
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| Unreadable::Malformed)? {
        let name = part.name().ok_or(Unreadable::Malformed)?.to_owned();
        if part.file_name().is_some() || pairs.len() > MAX_PAIRS {
            return Err(Unreadable::Malformed);
        }
        let value = part.bytes().await.map_err(|_| Unreadable::Malformed)?;
        pairs.push((name, String::from_utf8(value).map_err(|_| Unreadable::Malformed)?));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    const LIMITS: Limits = Limits {
        max_bytes: 10_000,
        secs: 30,
    };

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_waited_for_only_so_long() {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(b"name=".to_vec())]);
        let stuck = Body::from_bytes_stream(begun.chain(futures_util::stream::pending()));
        assert_eq!(
            bytes(&Request::default(), stuck, LIMITS).await,
            Err(Unreadable::TooSlow)
        );
    }

    async fn read(content_type: &str, body: &str) -> Result<Vec<(String, String)>, Unreadable> {
        pairs(
            &Request::builder().content_type(content_type).finish(),
            body.to_owned().into(),
            LIMITS,
        )
        .await
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[tokio::test]
    async fn both_encodings_say_the_same() {
        let expected = Ok(vec![pair("name", "Ana Ruiz"), pair("note", "a&b\r\nñ")]);
        assert_eq!(
            read(
                "application/x-www-form-urlencoded",
                "name=Ana+Ruiz&note=a%26b%0D%0A%C3%B1"
            )
            .await,
            expected
        );
        let parts = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAna Ruiz\r\n\
                     --x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\na&b\r\nñ\r\n--x--\r\n";
        assert_eq!(read("Multipart/Form-Data; boundary=x", parts).await, expected);
    }

    #[tokio::test]
    async fn a_file_is_not_taken() {
        let parts = "--x\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"a.pdf\"\r\n\r\nabc\r\n--x--\r\n";
        assert_eq!(
            read("multipart/form-data; boundary=x", parts).await,
            Err(Unreadable::Malformed)
        );
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_malformed() {
        assert_eq!(
            read("application/x-www-form-urlencoded", "name=%FF%FE").await,
            Err(Unreadable::Malformed)
        );
    }

    #[tokio::test]
    async fn another_type_is_named_as_such() {
        assert_eq!(read("text/xml", "<a/>").await, Err(Unreadable::UnknownType));
    }

    #[tokio::test]
    async fn thousands_of_fields_are_too_many() {
        assert_eq!(
            read("application/x-www-form-urlencoded", &"a=1&".repeat(600)).await,
            Err(Unreadable::TooLarge)
        );
    }
}
