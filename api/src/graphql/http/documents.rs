//! Documents: parsed once and kept under their hash, by which clients may then name them (automatic persisted queries).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::ServerError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use poem::http::{StatusCode, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Refused;
use super::params::Params;
use crate::graphql::errors::{BAD_REQUEST, GRAPHQL_PARSE_FAILED, request_error, set_code};

/// Most documents that are kept.
const KEPT_MAX: usize = 512;
/// Longest document that is kept, in bytes.
const KEPT_BYTES_MAX: usize = 32 * 1024;

/// The documents that are kept, in one process.
#[derive(Clone, Default)]
pub struct Documents(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    by_hash: HashMap<String, Arc<Document>>,
    /// Hashes in the order in which they were kept: the oldest makes room.
    order: VecDeque<String>,
}

struct Document {
    text: String,
    parsed: ExecutableDocument,
}

/// A document that may be kept once it has proved to be one of this schema.
#[derive(Clone)]
pub struct Keep {
    hash: String,
    document: Arc<Document>,
}

/// A document to execute.
pub struct Found {
    /// Its text.
    pub text: String,
    /// Its parse.
    pub document: ExecutableDocument,
    /// Set when it is to be kept.
    pub keep: Option<Keep>,
}

impl Documents {
    /// The document of a request: sent along, or kept from an earlier one.
    ///
    /// # Errors
    /// When it cannot be parsed, is not known, or does not fit the hash that came with it.
    pub fn read(&self, params: &Params) -> Result<Found, Refused> {
        let wanted = wanted_hash(params)?;
        let Some(text) = params
            .query
            .as_ref()
            .filter(|text| wanted.is_none() || !text.is_empty())
        else {
            let hash = wanted.ok_or_else(|| bad("The member query is missing."))?;
            return self.find(&hash).ok_or_else(not_found);
        };
        let hash = hash_of(text);
        if wanted.is_some_and(|wanted| wanted != hash) {
            return Err(bad("provided sha does not match query"));
        }
        if let Some(found) = self.find(&hash) {
            return Ok(found);
        }
        let document = parse_query(text).map_err(|error| {
            let mut error = ServerError::from(error);
            set_code(&mut error, GRAPHQL_PARSE_FAILED);
            Refused::document(error)
        })?;
        let keep = (text.len() <= KEPT_BYTES_MAX).then(|| Keep {
            hash,
            document: Arc::new(Document {
                text: text.clone(),
                parsed: document.clone(),
            }),
        });
        Ok(Found {
            text: text.clone(),
            document,
            keep,
        })
    }

    /// Keeps a document that was executed.
    pub fn keep(&self, keep: Keep) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_hash.contains_key(&keep.hash) {
            return;
        }
        if kept.order.len() >= KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.by_hash.remove(&oldest);
        }
        kept.order.push_back(keep.hash.clone());
        kept.by_hash.insert(keep.hash, keep.document);
    }

    fn find(&self, hash: &str) -> Option<Found> {
        let kept = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.by_hash.get(hash).cloned()?
        };
        Some(Found {
            text: kept.text.clone(),
            document: kept.parsed.clone(),
            keep: None,
        })
    }
}

/// The hash by which a client names a document.
fn wanted_hash(params: &Params) -> Result<Option<String>, Refused> {
    let Some(wanted) = params
        .extensions
        .get("persistedQuery")
        .filter(|value| !value.is_null())
    else {
        return Ok(None);
    };
    if wanted.get("version").and_then(Value::as_i64) != Some(1) {
        return Err(bad("Unsupported persisted query version"));
    }
    let hash = wanted
        .get("sha256Hash")
        .and_then(Value::as_str)
        .map(str::to_ascii_lowercase);
    hash.map(Some)
        .ok_or_else(|| bad("persistedQuery.sha256Hash must be a text."))
}

fn hash_of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn bad(message: &str) -> Refused {
    Refused::request(StatusCode::BAD_REQUEST, BAD_REQUEST, message)
}

/// Clients know this answer and send the document again; it is not an error of theirs, so its status is 200.
fn not_found() -> Refused {
    let error = request_error("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
    Refused {
        status: StatusCode::OK,
        always: true,
        error: Box::new(error),
        headers: Vec::new(),
    }
    .with(header::CACHE_CONTROL, "private, no-cache, must-revalidate")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::params::from_json;
    use super::*;

    fn params(query: Option<&str>, hash: &str) -> Params {
        let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
        from_json(json!({ "query": query, "extensions": extensions }))
            .ok()
            .unwrap()
    }

    #[test]
    fn a_document_is_found_by_its_hash_once_it_was_kept() {
        let documents = Documents::default();
        let text = "{ viewer { kind } }";
        let hash = hash_of(text);
        assert!(documents.read(&params(None, &hash)).is_err(), "not known yet");
        let found = documents.read(&params(Some(text), &hash)).ok().unwrap();
        assert!(documents.read(&params(None, &hash)).is_err(), "not executed yet");
        documents.keep(found.keep.unwrap());
        assert_eq!(documents.read(&params(None, &hash)).ok().unwrap().text, text);
    }

    #[test]
    fn a_document_under_another_hash_is_refused() {
        let documents = Documents::default();
        assert!(
            documents
                .read(&params(Some("{ viewer { kind } }"), &hash_of("{ other }")))
                .is_err()
        );
    }

    #[test]
    fn the_oldest_document_makes_room() {
        let documents = Documents::default();
        let text = |n: usize| format!("{{ a{n} }}");
        for n in 0..=KEPT_MAX {
            let found = documents
                .read(&params(Some(&text(n)), &hash_of(&text(n))))
                .ok()
                .unwrap();
            documents.keep(found.keep.unwrap());
        }
        assert!(documents.read(&params(None, &hash_of(&text(0)))).is_err());
        assert!(documents.read(&params(None, &hash_of(&text(1)))).is_ok());
    }
}
