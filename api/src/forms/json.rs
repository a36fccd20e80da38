//! The same form for pages that bring their own: its configuration and its post, both as JSON.

mod reading;
mod unambiguous;

use domain::error::{Chain, Code, Error, Refusal};
use domain::hospital::Site;
use domain::playbook::Playbook;
use entity::form;
use poem::http::{StatusCode, header};
use poem::{Body, Request, Response};
use serde_json::{Value, json};

use self::unambiguous::Unambiguous;
use super::posted::{self, Limits, Unreadable};
use super::submit::{self, Repeatable, Store};
use crate::pages;
use crate::state::Api;

/// Longest `Idempotency-Key` in characters.
const MAX_KEY_CHARS: usize = 200;
const KEY_HEADER: &str = "Idempotency-Key";

/// The form's configuration: what a page needs to draw it and to send it.
pub(super) fn config(site: &Site, playbook: &Playbook, form: &form::Model) -> Response {
    let fields = form.fields.0.iter().map(|field| {
        json!({
            "name": field.name,
            "label": field.label,
            "kind": field.kind,
            "required": field.required,
            "hint": field.hint,
            "autocomplete": field.autocomplete,
            "options": field.options,
            "maxChars": field.max_chars,
        })
    });
    let consents = form
        .wordings
        .0
        .iter()
        .filter_map(|key| playbook.wording(key, &form.language))
        .map(|wording| {
            json!({
                "wordingId": wording.id.to_string(),
                "version": wording.version,
                "medium": wording.medium,
                "purpose": wording.purpose,
                "language": wording.language,
                "text": wording.text,
            })
        });
    let config = json!({
        "slug": form.slug,
        "title": form.title,
        "intro": form.intro,
        "thanks": form.thanks,
        "language": form.language,
        "submitUrl": format!("{}/f/{}", site.public_url, form.slug),
        "fields": fields.collect::<Vec<_>>(),
        "consents": consents.collect::<Vec<_>>(),
    });
    answer(StatusCode::OK, &config)
}

/// A form that was sent as JSON.
pub(super) async fn submit(
    api: &Api,
    playbook: &Playbook,
    form: &form::Model,
    req: &Request,
    body: Body,
) -> Response {
    let key = match key(req) {
        Ok(key) => key,
        Err(refusal) => return refused(StatusCode::BAD_REQUEST, &[refusal]),
    };
    let store = Store {
        api,
        playbook,
        form,
        consent_evidence: submit::evidence(api, req, submit::EMBEDDED),
    };
    let bytes = match posted::bytes(req, body, Limits::of(&api.settings)).await {
        Ok(bytes) => bytes,
        Err(Unreadable::TooLarge) => {
            super::count("unreadable");
            return error(
                StatusCode::PAYLOAD_TOO_LARGE,
                Code::TooLarge.as_str(),
                "The body is larger than allowed.",
            );
        }
        Err(Unreadable::TooSlow) => {
            super::count("unreadable");
            return error(
                StatusCode::REQUEST_TIMEOUT,
                "TOO_SLOW",
                "The body did not arrive in time.",
            );
        }
        Err(Unreadable::Malformed | Unreadable::UnknownType) => {
            return malformed("The body did not arrive whole.");
        }
    };
    let content = match serde_json::from_slice(&bytes) {
        Ok(Unambiguous(content)) => content,
        // The parser's own words may repeat what was sent; the place is enough to find it.
        Err(error) => {
            let wrong = if error.is_data() {
                "A name stands twice in one object"
            } else {
                "The body is not JSON"
            };
            return malformed(format!(
                "{wrong}: see line {}, column {}.",
                error.line(),
                error.column()
            ));
        }
    };
    let sent = match reading::read(&content) {
        Ok(sent) => sent,
        Err(refusals) => {
            super::count("refused");
            return refused(StatusCode::UNPROCESSABLE_ENTITY, &refusals);
        }
    };
    let hash = || submit::content_hash(&api.hospital.secrets, &content);
    let repeatable = key.map(|key| Repeatable { key, hash: hash() });
    match store.store(sent, repeatable.as_ref()).await {
        Ok(receipt) => {
            let status = if receipt.created {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            answer(
                status,
                &json!({ "leadId": receipt.lead_id.to_string(), "created": receipt.created }),
            )
        }
        Err(error) => failed(&error),
    }
}

/// The sender's key: bare, or as the quoted string of a structured header (RFC 9651).
fn key(req: &Request) -> Result<Option<String>, Refusal> {
    let mut sent = req.headers().get_all(KEY_HEADER).into_iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| sent.next().is_none());
    let key = text.map(str::trim).and_then(|text| {
        if text.starts_with('"') {
            unquoted(text)
        } else {
            Some(text.to_owned())
        }
    });
    match key {
        Some(key) if (1..=MAX_KEY_CHARS).contains(&key.chars().count()) => Ok(Some(key)),
        _ => {
            let message = "The key is one text of 1 to 200 visible ASCII characters.";
            Err(Refusal::new(Code::Invalid, KEY_HEADER, message))
        }
    }
}

/// The text inside quotes, with `\"` and `\\` as the only escapes.
fn unquoted(text: &str) -> Option<String> {
    let inside = text
        .strip_prefix('"')?
        .strip_suffix('"')
        .filter(|_| text.len() > 1)?;
    let mut plain = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            '"' => return None,
            c => plain.push(c),
        }
    }
    Some(plain)
}

fn answer(status: StatusCode, content: &Value) -> Response {
    let mut response = Response::builder()
        .status(status)
        .content_type("application/json")
        .body(content.to_string());
    pages::set(&mut response, header::CACHE_CONTROL, "no-store");
    pages::set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn refused(status: StatusCode, refusals: &[Refusal]) -> Response {
    let errors = refusals
        .iter()
        .map(|refusal| json!({ "field": refusal.field, "code": refusal.code.as_str(), "message": refusal.message }));
    answer(status, &json!({ "errors": errors.collect::<Vec<_>>() }))
}

/// An answer about the request as a whole.
pub(super) fn error(status: StatusCode, code: &str, message: impl AsRef<str>) -> Response {
    answer(
        status,
        &json!({ "errors": [{ "field": [], "code": code, "message": message.as_ref() }] }),
    )
}

fn malformed(message: impl AsRef<str>) -> Response {
    super::count("unreadable");
    error(StatusCode::BAD_REQUEST, "MALFORMED", message)
}

/// The answer for a form that does not exist or is closed.
pub(super) fn not_found() -> Response {
    error(
        StatusCode::NOT_FOUND,
        Code::NotFound.as_str(),
        "There is no such form.",
    )
}

/// The answer for an operation that failed.
pub(super) fn failed(failure: &Error) -> Response {
    match failure {
        Error::Refused(refusals) => refused(StatusCode::UNPROCESSABLE_ENTITY, refusals),
        Error::Missing { .. } => not_found(),
        Error::Fault(_) => {
            tracing::error!(error = %Chain(failure), "a form failed");
            error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL",
                "Something went wrong on our side. Send it again.",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(values: &[&str]) -> Result<Option<String>, Code> {
        let mut req = Request::builder();
        for value in values {
            req = req.header(KEY_HEADER, *value);
        }
        key(&req.finish()).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_key_may_be_bare_or_quoted() {
        assert_eq!(key_of(&["8e03978e-40d5"]), Ok(Some("8e03978e-40d5".to_owned())));
        assert_eq!(
            key_of(&["\"8e03978e-40d5\""]),
            Ok(Some("8e03978e-40d5".to_owned()))
        );
        assert_eq!(key_of(&[r#""a\"b\\c""#]), Ok(Some(r#"a"b\c"#.to_owned())));
        assert_eq!(key_of(&[]), Ok(None));
    }

    #[test]
    fn a_key_that_cannot_be_one_is_refused() {
        let long = "k".repeat(201);
        for wrong in [
            &["\"open"][..],
            &["\""],
            &["\"\""],
            &[r#""a\b""#],
            &["one", "two"],
            &[&long],
        ] {
            assert_eq!(key_of(wrong), Err(Code::Invalid), "{wrong:?}");
        }
        assert!(key_of(&["k".repeat(200).as_str()]).is_ok());
    }
}
