//! Who is asking: from a bearer token, or from a browser's session cookie with its CSRF token.

use domain::error::Error;
use domain::hospital::Hospital;
use domain::staff;
use domain::viewer::Viewer;
use entity::id::SessionId;
use poem::http::{HeaderMap, header};

use crate::state::Api;

/// Name of the session cookie.
pub const SESSION_COOKIE: &str = "leadward_session";
/// The header by which a page proves that a request of a signed-in browser is its own.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Who sent a request, and what it proved.
#[derive(Clone)]
pub struct Caller {
    /// Who is asking.
    pub viewer: Viewer,
    /// Name of the member of staff or of the token.
    pub name: Option<String>,
    /// The session, for a signed-in browser.
    pub session_id: Option<SessionId>,
    /// The token that a signed-in browser has to send with mutations.
    pub csrf_token: Option<String>,
    /// Whether the request may change anything: false for a signed-in browser that sent no CSRF token.
    pub may_change: bool,
    proof: Proof,
}

/// The secret that was shown, kept for as long as a subscription runs so that its end ends the subscription.
#[derive(Clone)]
enum Proof {
    Nothing,
    Session(String),
    Token(String),
}

/// Why a request is not even looked at.
#[derive(Debug)]
pub enum Denied {
    /// The token is unknown, expired or taken back.
    WrongToken,
    /// The CSRF token is not the one of the session.
    WrongCsrf,
    /// The database failed.
    Fault(Error),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

/// What a request shows of itself.
#[derive(Clone, Default)]
pub struct Credentials {
    authorization: Option<String>,
    session: Option<String>,
    csrf: Option<String>,
}

impl Credentials {
    /// Reads the headers.
    pub fn of_headers(headers: &HeaderMap) -> Self {
        // What is no text stands for a secret that cannot be right, and not for none.
        let text = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap_or_default().to_owned())
        };
        Self {
            authorization: text(header::AUTHORIZATION.as_str()),
            session: cookie(headers, SESSION_COOKIE).map(str::to_owned),
            csrf: text(CSRF_HEADER),
        }
    }

    /// Adds what a WebSocket client says in `connection_init`, where browsers can send no headers.
    #[must_use]
    pub fn with_init(mut self, payload: &serde_json::Value) -> Self {
        let entries = payload.as_object().into_iter().flatten();
        for (name, value) in entries {
            let Some(value) = value.as_str() else { continue };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => self.authorization = Some(value.to_owned()),
                CSRF_HEADER => self.csrf = Some(value.to_owned()),
                _ => {}
            }
        }
        self
    }

    /// Whether a browser's cookie came along.
    pub fn has_session(&self) -> bool {
        self.session.is_some()
    }
}

impl Caller {
    /// Anybody.
    pub fn public() -> Self {
        Self {
            viewer: Viewer::Public,
            name: None,
            session_id: None,
            csrf_token: None,
            may_change: true,
            proof: Proof::Nothing,
        }
    }

    /// Who showed these credentials. A bearer token counts before a cookie. A cookie of a session that has ended counts
    /// for nothing: its owner must be able to sign in again.
    ///
    /// # Errors
    /// When what was shown is wrong, or the database fails.
    pub async fn of(api: &Api, shown: &Credentials) -> Result<Self, Denied> {
        let h = &api.hospital;
        if let Some(authorization) = &shown.authorization {
            let secret = bearer(authorization).ok_or(Denied::WrongToken)?;
            return by_token(h, secret).await?.ok_or(Denied::WrongToken);
        }
        let Some(secret) = &shown.session else {
            return Ok(Self::public());
        };
        let Some(mut caller) = by_session(h, secret).await? else {
            return Ok(Self::public());
        };
        if let (Some(sent), Some(session)) = (&shown.csrf, caller.session_id) {
            if !staff::session::csrf_matches(&h.secrets, session, sent) {
                return Err(Denied::WrongCsrf);
            }
            caller.may_change = true;
        }
        Ok(caller)
    }

    /// Who has just signed in, by the secret of the new session.
    ///
    /// # Errors
    /// When the database fails, or the session has ended within this moment.
    pub async fn signed_in(api: &Api, secret: &str) -> Result<Self, Error> {
        by_session(&api.hospital, secret)
            .await?
            .ok_or(Error::Missing { noun: "session" })
    }

    /// The secret of the browser's session, for signing out.
    pub fn session_secret(&self) -> Option<&str> {
        match &self.proof {
            Proof::Session(secret) => Some(secret),
            Proof::Nothing | Proof::Token(_) => None,
        }
    }

    /// Whether what was shown still holds and still means the same viewer: a session that was closed, a token that was
    /// taken back and a role that changed all end what they began.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn still_holds(&self, api: &Api) -> Result<bool, Error> {
        let h = &api.hospital;
        let now = match &self.proof {
            Proof::Nothing => return Ok(true),
            Proof::Session(secret) => by_session(h, secret).await?,
            Proof::Token(secret) => by_token(h, secret).await?,
        };
        Ok(now.is_some_and(|now| now.viewer == self.viewer))
    }
}

async fn by_token(h: &Hospital, secret: &str) -> Result<Option<Caller>, Error> {
    let Some(token) = staff::token::open(h, secret).await? else {
        return Ok(None);
    };
    Ok(Some(Caller {
        viewer: staff::viewer_of_token(&token),
        name: Some(token.name),
        proof: Proof::Token(secret.to_owned()),
        ..Caller::public()
    }))
}

async fn by_session(h: &Hospital, secret: &str) -> Result<Option<Caller>, Error> {
    let Some((session, person)) = staff::session::open(h, secret).await? else {
        return Ok(None);
    };
    Ok(Some(Caller {
        viewer: staff::viewer_of(h, &person).await?,
        name: Some(person.display_name),
        session_id: Some(session.id),
        csrf_token: Some(staff::session::csrf_token(&h.secrets, session.id)),
        may_change: false,
        proof: Proof::Session(secret.to_owned()),
    }))
}

/// The token of an `Authorization` header.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = all
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// The `Set-Cookie` that begins a session: not readable by scripts, and not sent along from other sites.
pub fn session_cookie(secret: &str, max_age_secs: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_secs}{secure}")
}

/// The `Set-Cookie` that ends a session in the browser.
pub fn ended_session_cookie(secure: bool) -> String {
    session_cookie("", 0, secure)
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer "), None);
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; leadward_session=s3cret; b=2"),
        );
        assert_eq!(cookie(&headers, SESSION_COOKIE), Some("s3cret"));
        assert_eq!(cookie(&headers, "leadward"), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_a_wrong_secret_and_not_none() {
        let mut headers = HeaderMap::new();
        let garbled = HeaderValue::from_bytes(b"\xff").unwrap();
        headers.insert(header::AUTHORIZATION, garbled.clone());
        headers.insert(CSRF_HEADER, garbled);
        let shown = Credentials::of_headers(&headers);
        assert_eq!(shown.authorization.as_deref().and_then(bearer), None);
        assert_eq!(
            (shown.authorization.is_some(), shown.csrf.is_some()),
            (true, true)
        );
    }

    #[test]
    fn a_websocket_client_may_name_a_token_when_it_connects() {
        let shown =
            Credentials::default().with_init(&serde_json::json!({ "Authorization": "Bearer abc", "n": 1 }));
        assert_eq!(shown.authorization.as_deref(), Some("Bearer abc"));
    }
}
