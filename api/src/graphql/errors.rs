//! How failures are told: refusals of mutations as data, everything else as GraphQL errors with a code.

use async_graphql::{Error, ErrorExtensions, Interface, Object, ServerError};
use domain::error::{Chain, Error as DomainError, Refusal};

use super::ask::Ask;

/// The argument or input cannot be used.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The request is not a GraphQL request.
pub const BAD_REQUEST: &str = "BAD_REQUEST";
/// What is asked for is absent, or not yours: the same answer.
pub const NOT_FOUND: &str = "NOT_FOUND";
/// Nobody is signed in and no valid token came along.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// The viewer's role may not do this.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// Another request came with this `Idempotency-Key`.
pub const IDEMPOTENCY_CONFLICT: &str = "IDEMPOTENCY_CONFLICT";
/// The request with this `Idempotency-Key` is being carried out right now.
pub const IDEMPOTENCY_RUNNING: &str = "IDEMPOTENCY_RUNNING";
/// This address has sent too many; `retryAfterSecs` tells how long to wait.
pub const THROTTLED: &str = "THROTTLED";
/// A fault of the infrastructure; the log tells more under the request id.
pub const INTERNAL_SERVER_ERROR: &str = "INTERNAL_SERVER_ERROR";
/// The document is not GraphQL.
pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// The document does not fit the schema.
pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// The document has no such operation, or several and none was named.
pub const OPERATION_RESOLUTION_FAILURE: &str = "OPERATION_RESOLUTION_FAILURE";

/// Why a mutation did not do what was asked.
#[derive(Interface, Clone, Debug)]
#[expect(
    clippy::duplicated_attributes,
    reason = "two fields of the interface have the same type"
)]
#[graphql(
    field(
        name = "field",
        ty = "Option<Vec<String>>",
        desc = "Path of the input field, outermost first; null when it is about the whole input."
    ),
    field(
        name = "message",
        ty = "String",
        desc = "A sentence for people. Never repeats what was sent."
    ),
    field(
        name = "code",
        ty = "String",
        desc = "The reason, for programs: one word in capitals."
    )
)]
pub enum UserError {
    /// A rule said no about the input.
    InputError(InputError),
}

/// A rule's no about the input.
#[derive(Clone, Debug)]
pub struct InputError(Refusal);

/// A rule's no about the input.
#[Object]
impl InputError {
    /// Path of the input field, outermost first; null when it is about the whole input.
    pub(super) async fn field(&self) -> Option<Vec<String>> {
        Some(self.0.field.clone()).filter(|path| !path.is_empty())
    }

    /// A sentence for people. Never repeats what was sent.
    pub(super) async fn message(&self) -> String {
        self.0.message.clone().into_owned()
    }

    /// The reason, for programs: `REQUIRED`, `INVALID`, `TOO_LARGE`, `UNKNOWN_FIELD`, `NOT_FOUND`, `NOT_ALLOWED_NOW`,
    /// `VERSION_CONFLICT`, `ALREADY_EXISTS`, `IDEMPOTENCY_CONFLICT` or `SIGN_IN_FAILED`.
    pub(super) async fn code(&self) -> String {
        self.0.code.as_str().to_owned()
    }
}

/// Refusals as the data that a payload carries.
pub fn user_errors(refusals: Vec<Refusal>) -> Vec<UserError> {
    refusals
        .into_iter()
        .map(|refusal| UserError::InputError(InputError(refusal)))
        .collect()
}

/// An error with a code.
pub fn coded(code: &str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// An argument that cannot be used, named by its path, for example `filter.teamIds`.
pub fn bad_argument(argument: &str, sentence: &str) -> Error {
    Error::new(format!("{argument}: {sentence}")).extend_with(|_, extensions| {
        extensions.set("code", BAD_USER_INPUT);
        extensions.set("argument", argument);
    })
}

/// A request error: nothing was executed.
pub fn request_error(code: &str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// Gives an error its code.
pub fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_default().set("code", code);
}

/// Whether an error has a code already.
pub fn has_code(error: &ServerError) -> bool {
    error
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.get("code").is_some())
}

/// Turns the failures of operations and finders into GraphQL errors.
pub trait Told<T> {
    /// A refusal becomes `BAD_USER_INPUT`, something missing `NOT_FOUND`; a fault is logged with its chain under the
    /// request id, once a request, and told as `INTERNAL_SERVER_ERROR`.
    ///
    /// # Errors
    /// Whenever the result is one.
    fn told(self, ask: &Ask) -> Result<T, Error>;
}

impl<T, E: Into<DomainError>> Told<T> for Result<T, E> {
    fn told(self, ask: &Ask) -> Result<T, Error> {
        self.map_err(|error| tell(error.into(), ask))
    }
}

fn tell(error: DomainError, ask: &Ask) -> Error {
    match &error {
        DomainError::Refused(refusals) => {
            let first = refusals.first();
            let field = first.map(|refusal| refusal.field.join(".")).unwrap_or_default();
            let message = first.map_or("The input was refused.", |refusal| refusal.message.as_ref());
            if field.is_empty() {
                coded(BAD_USER_INPUT, message)
            } else {
                bad_argument(&field, message)
            }
        }
        DomainError::Missing { noun } => coded(NOT_FOUND, format!("There is no such {noun}.")),
        DomainError::Fault(_) => {
            if ask.first_fault() {
                tracing::error!(request_id = %ask.request_id, error = %Chain(&error), "a request failed");
            }
            let id = ask.request_id.as_str();
            coded(INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
                .extend_with(|_, extensions| extensions.set("requestId", id))
        }
    }
}
