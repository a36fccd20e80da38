//! What mail providers tell: `POST /hooks/mail/{provider}`.
//!
//! The body is read as it came, its signature is verified on those bytes, it is stored, and only then is the provider told
//! so. What follows from it is done by a worker. A provider that is not set up has no door: 404.

mod postmark;
mod sendgrid;
mod ses;

pub use ses::Certificates;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::error::Chain;
use domain::inbound::{Came, store};
use entity::inbound_mail::InboundSource;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, RouteMethod, handler, post};
use tokio::time::timeout;

use crate::state::Api;

/// Largest body in bytes. A batch of SendGrid has up to 768 KiB.
const MAX_BODY_BYTES: usize = 1 << 20;

/// What is known of the providers. `Debug` hides the secret.
#[derive(Clone, Default)]
pub struct HookSettings {
    /// The topics of SNS whose notices are taken, by their ARN; none closes the door of SES.
    pub ses_topics: Vec<String>,
    /// SendGrid's public key, as its settings page shows it; none closes its door.
    pub sendgrid_key: Option<String>,
    /// The password that Postmark sends, by Basic authentication or as `X-Webhook-Secret`; none closes its door.
    pub postmark_secret: Option<String>,
}

impl fmt::Debug for HookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookSettings")
            .field("ses_topics", &self.ses_topics)
            .field("sendgrid_key", &self.sendgrid_key.is_some())
            .field("postmark_secret", &self.postmark_secret.is_some())
            .finish()
    }
}

/// Fetches small documents over HTTPS: the certificates that SNS signs with. Tests bring their own.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// The body behind an address, which has been checked; no redirect is followed.
    ///
    /// # Errors
    /// A sentence for the log.
    async fn get(&self, url: &str) -> Result<Vec<u8>, String>;
}

/// Fetches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFetch;

#[async_trait]
impl Fetch for NoFetch {
    async fn get(&self, _url: &str) -> Result<Vec<u8>, String> {
        Err("nothing is fetched here".to_owned())
    }
}

/// Why a notice is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// There is no such door, or it is closed.
    NoDoor,
    /// It is larger than any notice.
    TooLarge,
    /// Its bytes did not arrive in time.
    TooSlow,
    /// It cannot be read.
    Malformed,
    /// It does not prove who sent it.
    Unproven,
    /// It proves a sender whom nobody asked, or came too late.
    NotWanted,
    /// It cannot be checked now; the provider comes again.
    Later,
}

impl Refused {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoDoor => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unproven => StatusCode::UNAUTHORIZED,
            Self::NotWanted => StatusCode::FORBIDDEN,
            Self::Later => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The routes of `/hooks/mail/:provider`.
pub fn routes() -> RouteMethod {
    post(take)
}

#[handler]
async fn take(Data(api): Data<&Api>, Path(provider): Path<String>, req: &Request, body: Body) -> Response {
    let name = match provider.as_str() {
        "ses" => "ses",
        "sendgrid" => "sendgrid",
        "postmark" => "postmark",
        _ => "unknown",
    };
    let (status, outcome) = match taken(api, name, req, body).await {
        Ok(()) => (StatusCode::OK, "stored"),
        Err(refused) => (refused.status(), "refused"),
    };
    metrics::counter!("leadward_hooks_total", "provider" => name, "outcome" => outcome).increment(1);
    Response::builder().status(status).finish()
}

async fn taken(api: &Api, provider: &str, req: &Request, body: Body) -> Result<(), Refused> {
    let hooks = &api.settings.hooks;
    let open = match provider {
        "ses" => !hooks.ses_topics.is_empty(),
        "sendgrid" => hooks.sendgrid_key.is_some(),
        "postmark" => hooks.postmark_secret.is_some(),
        _ => false,
    };
    if !open {
        return Err(Refused::NoDoor);
    }
    // Whoever cannot name the secret need not send a body.
    if provider == "postmark" {
        postmark::proves(hooks, req)?;
    }
    let raw = read(api, body).await?;
    let came = match provider {
        "ses" => ses::verified(api, &raw).await?,
        "sendgrid" => sendgrid::verified(hooks, req, &raw, api.hospital.now())?,
        _ => vec![Came::notice(InboundSource::Postmark, &postmark::id(&raw)?, raw)],
    };
    match store(&api.hospital, came).await {
        Ok(done) => {
            api.pass_on(done);
            Ok(())
        }
        Err(error) => {
            let error = Chain(&error).to_string();
            tracing::error!(
                provider,
                error,
                "A provider's notice could not be stored; it will come again."
            );
            Err(Refused::Later)
        }
    }
}

async fn read(api: &Api, body: Body) -> Result<Vec<u8>, Refused> {
    let patience = Duration::from_secs(api.settings.body_secs);
    match timeout(patience, body.into_bytes_limit(MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => Err(Refused::TooLarge),
        Ok(Err(_)) => Err(Refused::Malformed),
        Err(_) => Err(Refused::TooSlow),
    }
}

/// What fetches, as the state of the API carries it.
pub type Fetcher = Arc<dyn Fetch>;
