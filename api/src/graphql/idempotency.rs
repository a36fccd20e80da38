//! `Idempotency-Key`: a mutation that is sent again with the same key does nothing and hears the first answer.
//!
//! The answer is kept when anything was committed, or when nothing went wrong. A request that failed before it committed
//! anything is forgotten, so that it may be tried again under its key. Sign-ins are never kept: their answer is a secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::{Context, Request, Response};
use domain::error::{Chain, Code, Error as DomainError};
use domain::idempotency::{self as kept, Begun, Key, MAX_KEY_CHARS};
use domain::viewer::Viewer;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ask::Ask;
use super::{Schema, run};

#[cfg(test)]
mod tests;

/// The door's name beside the keys.
const OPERATION: &str = "graphql";

/// Why a mutation was not even looked at.
#[derive(Debug)]
pub enum Stopped {
    /// The header holds no usable key.
    WrongKey,
    /// Another request came under this key.
    Conflict,
    /// The same request is being carried out right now.
    Running,
    /// The answer told of a person who was erased since.
    Erased,
    /// The database failed.
    Fault(DomainError),
}

/// How a keyed request went, as its resolvers tell.
#[derive(Debug, Default)]
struct Course {
    committed: AtomicBool,
    secret: AtomicBool,
}

impl Course {
    /// Whether the answer is kept.
    fn keeps(&self, answer: &Response) -> bool {
        let committed = self.committed.load(Ordering::Relaxed);
        !self.secret.load(Ordering::Relaxed) && (committed || answer.errors.is_empty())
    }
}

/// Notes that something was committed.
pub fn note_commit(ctx: &Context<'_>) {
    if let Some(course) = ctx.data_opt::<Arc<Course>>() {
        course.committed.store(true, Ordering::Relaxed);
    }
}

/// Notes that the answer belongs to nobody but the one who asked, now: it is not kept.
pub fn note_secret(ctx: &Context<'_>) {
    if let Some(course) = ctx.data_opt::<Arc<Course>>() {
        course.secret.store(true, Ordering::Relaxed);
    }
}

/// Executes a mutation: once under its key, if one came along.
///
/// A keyed one goes on when its client hangs up, because that client is about to ask again.
///
/// # Errors
/// When it is not to be executed.
pub async fn execute(schema: &Schema, ask: &Arc<Ask>, mutation: Request) -> Result<Response, Stopped> {
    let Some(sent) = &ask.idempotency_key else {
        return Ok(run::execute(schema, ask, mutation).await);
    };
    let key = read_key(sent).ok_or(Stopped::WrongKey)?.to_owned();
    let (schema, ask) = (schema.clone(), Arc::clone(ask));
    let course = tokio::spawn(async move { once(&schema, &ask, &key, mutation).await });
    course
        .await
        .unwrap_or_else(|error| Err(Stopped::Fault(DomainError::Fault(Box::new(error)))))
}

async fn once(schema: &Schema, ask: &Ask, key: &str, mutation: Request) -> Result<Response, Stopped> {
    let h = &ask.api.hospital;
    let principal = principal(ask.viewer());
    let key = Key {
        principal: &principal,
        operation: OPERATION,
        key,
    };
    match kept::begin(h, key, &fingerprint(&mutation))
        .await
        .map_err(stopped)?
    {
        Begun::Running => return Err(Stopped::Running),
        Begun::Erased => return Err(Stopped::Erased),
        Begun::Answered(answer) => {
            let answer = written(&answer)
                .ok_or_else(|| Stopped::Fault(DomainError::fault("a kept answer is unreadable")))?;
            ask.begin_execution();
            return Ok(answer);
        }
        Begun::First => {}
    }
    let course = Arc::new(Course::default());
    let answer = run::execute(schema, ask, mutation.data(Arc::clone(&course))).await;
    let noted = match text(&answer).filter(|_| course.keeps(&answer)) {
        Some(text) => kept::finish(h, key, text).await,
        None => kept::forget(h, key).await,
    };
    if let Err(error) = noted {
        // What was asked for is done, and the one who asked is told so. A repeat within a minute hears that it is still
        // running, a later one is carried out again, as after a crash.
        tracing::error!(request_id = %ask.request_id, error = %Chain(&error), "an answer could not be kept under its key");
    }
    Ok(answer)
}

fn stopped(error: DomainError) -> Stopped {
    match &error {
        DomainError::Refused(refusals)
            if refusals
                .iter()
                .any(|refusal| refusal.code == Code::IdempotencyConflict) =>
        {
            Stopped::Conflict
        }
        _ => Stopped::Fault(error),
    }
}

/// The answer as one JSON text: within JSON of the database its fields would lose their order.
fn text(answer: &Response) -> Option<Value> {
    serde_json::to_string(answer).ok().map(Value::String)
}

fn written(kept: &Value) -> Option<Response> {
    serde_json::from_str(kept.as_str()?).ok()
}

/// Whose keys they are. The public has no name of its own; who guesses a stranger's key must also send the stranger's
/// whole request to hear the answer, and so learns nothing.
fn principal(viewer: &Viewer) -> String {
    match viewer {
        Viewer::Staff { id, .. } => id.to_string(),
        Viewer::Token { id, .. } => id.to_string(),
        Viewer::Form { id } => id.to_string(),
        Viewer::Public => "public".to_owned(),
    }
}

/// The key of a header, bare or in quotes as the IETF's draft writes it: printable ASCII.
fn read_key(sent: &str) -> Option<&str> {
    let sent = sent.trim();
    let key = sent
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(sent);
    let plain = !key.is_empty()
        && key
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"');
    (plain && key.len() <= MAX_KEY_CHARS).then_some(key)
}

/// Tells requests apart: SHA-256 of the document, the operation's name and the variables, in hexadecimal. The order in
/// which variables are written does not count.
fn fingerprint(mutation: &Request) -> String {
    let variables = serde_json::to_value(&mutation.variables).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [
        &mutation.query,
        mutation.operation_name.as_deref().unwrap_or_default(),
        &variables.to_string(),
    ] {
        // The length keeps two different requests from reading as the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
