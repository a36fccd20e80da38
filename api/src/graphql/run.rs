//! Executes operations, and sees to it that every error has a code and that it is known whether anything was executed.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError, Value};
use futures_util::{Stream, StreamExt};

use super::Schema;
use super::ask::Ask;
use super::errors::{BAD_USER_INPUT, GRAPHQL_VALIDATION_FAILED, has_code, set_code};

/// Executes a query or mutation.
pub(super) async fn execute(schema: &Schema, ask: &Ask, operation: Request) -> Response {
    let mut answer = schema.execute(operation).await;
    note_execution(ask, &answer);
    give_codes(ask, &mut answer);
    answer
}

/// Executes an operation of this kind whose results come one by one. Queries and mutations have one.
pub(super) fn stream(
    schema: &Schema,
    ask: Arc<Ask>,
    kind: OperationType,
    operation: Request,
) -> impl Stream<Item = Response> + Send + use<> {
    schema.execute_stream(operation).map(move |mut answer| {
        // A subscription notes by itself when it has something to tell; until then it has not begun.
        if kind != OperationType::Subscription {
            note_execution(&ask, &answer);
        }
        give_codes(&ask, &mut answer);
        answer
    })
}

/// The engine answers null with errors that have no path when it did not begin to execute, and only then.
fn note_execution(ask: &Ask, answer: &Response) {
    let of_request = |error: &ServerError| error.path.is_empty();
    let stopped_before =
        answer.data == Value::Null && !answer.errors.is_empty() && answer.errors.iter().all(of_request);
    if !stopped_before {
        ask.begin_execution();
    }
}

/// Our own errors have codes; what the engine adds during execution is about arguments.
fn give_codes(ask: &Ask, answer: &mut Response) {
    for error in answer.errors.iter_mut().filter(|error| !has_code(error)) {
        let about_input = ask.was_executed() || error.message.starts_with("Invalid value for argument");
        let code = if about_input {
            BAD_USER_INPUT
        } else {
            GRAPHQL_VALIDATION_FAILED
        };
        set_code(error, code);
    }
}
