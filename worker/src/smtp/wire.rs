//! Opening a connection: TCP without delay, TLS, greeting, sign-in.
//!
//! TLS is done here, below lettre. Its own STARTTLS keeps what it had read before the handshake, so somebody on the
//! line could slip answers in; and one way to TLS for both `smtps` and STARTTLS means one trust store.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::config::{Security, SmtpConfig, SmtpConfigError};
use super::outcome::{SendError, Stage, tidy};

/// Longest line and most lines read of one answer before TLS; real ones are far below both.
const LINE_LIMIT: u64 = 1_000;
const LINES_LIMIT: usize = 100;

/// Opens connections to one relay.
pub(super) struct Connector {
    config: Arc<SmtpConfig>,
    tls: TlsConnector,
    server_name: ServerName<'static>,
    hello: ClientId,
}

impl Connector {
    /// Loads what TLS needs; connects to nothing.
    pub(super) fn new(config: Arc<SmtpConfig>) -> Result<Self, SmtpConfigError> {
        let server_name = ServerName::try_from(config.host.clone()).map_err(|_| SmtpConfigError::Host)?;
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the default TLS versions")
            .with_root_certificates(trusted(config.ca.as_deref())?)
            .with_no_client_auth();
        let hello = config
            .hello
            .clone()
            .map_or_else(ClientId::default, ClientId::Domain);
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls)),
            server_name,
            hello,
            config,
        })
    }

    /// Opens one connection, ready for `MAIL FROM`. Every failure is transient: no message was looked at.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        match timeout(self.config.timeouts.connect, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(SendError::local(Stage::Connect, "no connection in time")),
        }
    }

    /// The bare connection. Without `TCP_NODELAY` each mail waits 40 ms for a delayed acknowledgment.
    pub(super) async fn dial(&self) -> Result<TcpStream, SendError> {
        let tcp = TcpStream::connect((self.config.host.as_str(), self.config.port))
            .await
            .map_err(network)?;
        tcp.set_nodelay(true).map_err(network)?;
        Ok(tcp)
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, SendError> {
        let tcp = self.dial().await?;
        let (stream, private): (Box<dyn AsyncTokioStream>, bool) = match self.config.security {
            Security::None => (Box::new(tcp), false),
            Security::Implicit => (self.handshake(tcp, Vec::new()).await?, true),
            Security::Required | Security::Opportunistic => self.upgrade(tcp).await?,
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello)
            .await
            .map_err(|error| SendError::from_lettre(Stage::Connect, &error, None))?;
        if let Some(credentials) = &self.config.credentials {
            let may_be_overheard = self.config.security == Security::Opportunistic && !self.config.is_local();
            if !private && may_be_overheard {
                return Err(refused(
                    "the relay offers no TLS, and the password is not sent without",
                ));
            }
            connection
                .auth(DEFAULT_MECHANISMS, credentials)
                .await
                .map_err(|error| SendError::from_lettre(Stage::Connect, &error, None))?;
        }
        Ok(connection)
    }

    /// STARTTLS (RFC 3207), if it is offered. The second value says whether the stream is encrypted now.
    async fn upgrade(&self, tcp: TcpStream) -> Result<(Box<dyn AsyncTokioStream>, bool), SendError> {
        let mut plain = BufReader::new(tcp);
        let greeting = exchange(&mut plain, None, "220").await?;
        let offer = exchange(&mut plain, Some(&format!("EHLO {}\r\n", self.hello)), "250").await?;
        if !offers_starttls(&offer) {
            if self.config.security == Security::Required {
                return Err(refused("the relay offers no STARTTLS, and TLS is required"));
            }
            if !plain.buffer().is_empty() {
                return Err(refused("the relay spoke out of turn"));
            }
            let peer = plain.get_ref().peer_addr().map_err(network)?;
            return Ok((
                Box::new(Wire {
                    greeting,
                    stream: plain.into_inner(),
                    peer,
                }),
                false,
            ));
        }
        exchange(&mut plain, Some("STARTTLS\r\n"), "220").await?;
        if !plain.buffer().is_empty() {
            return Err(refused("somebody spoke between STARTTLS and the handshake"));
        }
        Ok((self.handshake(plain.into_inner(), greeting).await?, true))
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        greeting: Vec<u8>,
    ) -> Result<Box<dyn AsyncTokioStream>, SendError> {
        let peer = tcp.peer_addr().map_err(network)?;
        let stream = self
            .tls
            .connect(self.server_name.clone(), tcp)
            .await
            .map_err(network)?;
        Ok(Box::new(Wire {
            greeting,
            stream,
            peer,
        }))
    }
}

/// The authorities named by the configuration, else the public ones.
fn trusted(ca: Option<&Path>) -> Result<RootCertStore, SmtpConfigError> {
    let mut store = RootCertStore::empty();
    let Some(path) = ca else {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(store);
    };
    let unusable = |reason: String| SmtpConfigError::Authorities {
        path: path.to_owned(),
        reason,
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(store)
}

/// Says a line, if there is one to say, and reads the whole answer, which must bear the wanted code.
async fn exchange(
    plain: &mut BufReader<TcpStream>,
    say: Option<&str>,
    wanted: &str,
) -> Result<Vec<u8>, SendError> {
    if let Some(line) = say {
        plain.write_all(line.as_bytes()).await.map_err(network)?;
    }
    let mut answer = Vec::new();
    for _ in 0..LINES_LIMIT {
        let start = answer.len();
        plain
            .take(LINE_LIMIT)
            .read_until(b'\n', &mut answer)
            .await
            .map_err(network)?;
        let line = &answer[start..];
        if !line.ends_with(b"\n") {
            return Err(refused("the connection ended before TLS"));
        }
        if line.get(3) != Some(&b'-') {
            return if line.starts_with(wanted.as_bytes()) {
                Ok(answer)
            } else {
                Err(refused(&String::from_utf8_lossy(line)))
            };
        }
    }
    Err(refused("the relay's answer has no end"))
}

fn offers_starttls(answer: &[u8]) -> bool {
    answer.split(|b| *b == b'\n').any(|line| {
        line.get(4..)
            .is_some_and(|keyword| keyword.trim_ascii().eq_ignore_ascii_case(b"STARTTLS"))
    })
}

fn network(error: io::Error) -> SendError {
    refused(&error.to_string())
}

fn refused(what: &str) -> SendError {
    SendError::local(Stage::Connect, tidy(what, None))
}

/// A stream as lettre wants it: it waits for a greeting, which STARTTLS has used up, so that one is played again.
#[derive(Debug)]
struct Wire<S> {
    greeting: Vec<u8>,
    stream: S,
    peer: SocketAddr,
}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Sync + Unpin> AsyncTokioStream for Wire<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.greeting.len().min(buf.remaining());
        buf.put_slice(&self.greeting[..length]);
        self.greeting.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
