//! Fetches a small document over HTTPS, checked against the public certificate authorities. For the certificates of SNS.

use std::sync::Arc;
use std::time::Duration;

use api::hooks::Fetch;
use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a document at the most.
const MAX_BYTES: usize = 64 << 10;

/// Fetches over HTTPS.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpsFetch;

#[async_trait]
impl Fetch for HttpsFetch {
    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        match tokio::time::timeout(PATIENCE, get(&url)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it took too long".to_owned()),
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn get(url: &Url) -> Result<Vec<u8>, BoxError> {
    let host = url
        .host_str()
        .filter(|_| url.scheme() == "https")
        .ok_or("only https is fetched")?;
    let port = url.port().unwrap_or(443);
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect((host, port)).await?;
    let name = ServerName::try_from(host.to_owned())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let serving = tokio::spawn(connection);
    let path = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    let request = Request::get(path)
        .header(header::HOST, host)
        .body(String::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_BYTES)
        .collect()
        .await?
        .to_bytes();
    serving.abort();
    if status != StatusCode::OK {
        return Err(format!("it answered {status}").into());
    }
    Ok(body.to_vec())
}
