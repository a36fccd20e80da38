//! What a request says, read strictly: a member of the wrong type is an error and not a guess.

use std::borrow::Cow;

use async_graphql::Variables;
use poem::Request;
use poem::http::{Method, StatusCode, header};
use serde_json::{Map, Value};

use super::Refused;
use crate::forms::posted::{self, Limits, Unreadable};
use crate::graphql::errors::BAD_REQUEST;

/// The members of a GraphQL request. Members that are not known are passed over, and null means absent.
#[derive(Debug, Default)]
pub struct Params {
    /// The document.
    pub query: Option<String>,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Option<Variables>,
    /// What goes beyond the specification, such as the hash of a persisted document.
    pub extensions: Map<String, Value>,
}

/// Whether a GET request carries an operation.
pub fn has_query(req: &Request) -> bool {
    let query = req.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "query" || name == "extensions")
}

/// Reads a request.
///
/// # Errors
/// 400, 408, 413 or 415, as it deserves.
pub async fn read(mut req: Request, limits: Limits) -> Result<Params, Refused> {
    if req.method() == Method::GET {
        return from_query(req.uri().query().unwrap_or_default());
    }
    if !req.header(header::CONTENT_TYPE).is_some_and(is_json) {
        let message = "Send application/json in UTF-8.";
        return Err(Refused::request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BAD_REQUEST,
            message,
        ));
    }
    let body = req.take_body();
    let body = posted::bytes(&req, body, limits)
        .await
        .map_err(|error| match error {
            Unreadable::TooLarge => Refused::request(
                StatusCode::PAYLOAD_TOO_LARGE,
                BAD_REQUEST,
                "The request is too large.",
            ),
            Unreadable::TooSlow => Refused::request(
                StatusCode::REQUEST_TIMEOUT,
                BAD_REQUEST,
                "The request did not arrive in time.",
            ),
            Unreadable::Malformed | Unreadable::UnknownType => bad("The request did not arrive in full."),
        })?;
    let value: Value = serde_json::from_slice(&body).map_err(|_| bad("The body is not JSON."))?;
    from_json(value)
}

/// Reads the members of a request that came as JSON.
///
/// # Errors
/// When a member has the wrong type, or there is nothing to execute.
pub fn from_json(value: Value) -> Result<Params, Refused> {
    let Value::Object(mut members) = value else {
        return Err(bad("A request is one JSON object."));
    };
    let query = text(members.remove("query"), "query must be a text.")?;
    let operation_name = text(members.remove("operationName"), "operationName must be a text.")?;
    let variables = object(members.remove("variables"), "variables must be an object.")?;
    let extensions =
        object(members.remove("extensions"), "extensions must be an object.")?.unwrap_or_default();
    // Null is absent, and so is an empty name, which some clients send.
    let operation_name = operation_name.filter(|name| !name.is_empty());
    let variables = variables.map(|values| Variables::from_json(Value::Object(values)));
    if query.is_none() && !extensions.contains_key("persistedQuery") {
        return Err(bad("The member query is missing."));
    }
    Ok(Params {
        query,
        operation_name,
        variables,
        extensions,
    })
}

fn from_query(query: &str) -> Result<Params, Refused> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "query" | "operationName" => Value::String(Cow::into_owned(value)),
            "variables" | "extensions" if value.is_empty() => continue,
            "variables" | "extensions" => {
                serde_json::from_str(&value).map_err(|_| bad("variables and extensions are JSON objects."))?
            }
            _ => continue,
        };
        members.insert(name.into_owned(), value);
    }
    from_json(Value::Object(members))
}

fn text(value: Option<Value>, sentence: &str) -> Result<Option<String>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(sentence)),
    }
}

fn object(value: Option<Value>, sentence: &str) -> Result<Option<Map<String, Value>>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(bad(sentence)),
    }
}

fn bad(sentence: &str) -> Refused {
    Refused::request(StatusCode::BAD_REQUEST, BAD_REQUEST, sentence)
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let utf8 = parts
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| {
            let value = value.trim_matches('"');
            !name.eq_ignore_ascii_case("charset")
                || value.eq_ignore_ascii_case("utf-8")
                || value.eq_ignore_ascii_case("utf8")
        });
    essence.eq_ignore_ascii_case("application/json") && utf8
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_the_wrong_type_are_refused() {
        for wrong in [
            json!([]),
            json!("{ viewer { kind } }"),
            json!({}),
            json!({ "query": 1 }),
            json!({ "query": null }),
            json!({ "query": "{ a }", "operationName": 1 }),
            json!({ "query": "{ a }", "variables": [] }),
            json!({ "query": "{ a }", "variables": "{}" }),
            json!({ "query": "{ a }", "extensions": 7 }),
        ] {
            assert!(from_json(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn null_is_absent_and_unknown_members_are_passed_over() {
        let body =
            json!({ "query": "{ a }", "operationName": null, "variables": null, "extensions": null, "x": 1 });
        let params = from_json(body).ok().unwrap();
        assert_eq!(params.query.as_deref(), Some("{ a }"));
        assert!(params.operation_name.is_none() && params.variables.is_none());
    }

    #[test]
    fn a_request_may_come_in_the_address() {
        let params = from_query("query=%7B%20a%20%7D&variables=%7B%22b%22%3A1%7D&other=1")
            .ok()
            .unwrap();
        assert_eq!(params.query.as_deref(), Some("{ a }"));
        assert_eq!(
            params.variables.unwrap().get("b"),
            Some(&async_graphql::Value::from(1))
        );
        assert!(from_query("query=%7B%20a%20%7D&variables=nonsense").is_err());
        assert!(from_query("").is_err());
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        assert!(is_json("application/json") && is_json("application/json; charset=UTF-8"));
        assert!(
            !is_json("text/plain")
                && !is_json("application/json; charset=latin1")
                && !is_json("application/x-json")
        );
    }
}
