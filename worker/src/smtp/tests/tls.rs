//! TLS in front of the sink, by a certificate made for the test.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

/// What stands in front of the sink.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Front {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS.
    StartTls,
    /// STARTTLS, with somebody on the line who slips an answer in after the permission to begin.
    Injected,
}

/// A certificate for 127.0.0.1 in a file that goes away with the test.
struct Authority {
    file: PathBuf,
    acceptor: TlsAcceptor,
}

impl Authority {
    fn new(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let file = std::env::temp_dir().join(format!("leadward-smtp-{}-{name}.pem", std::process::id()));
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self {
            file,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    fn pool(&self, scheme: &str, front: SocketAddr, more: &str) -> SmtpPool {
        let url = format!("{scheme}://ward:s3cret@{front}?ca={}{more}", self.file.display());
        SmtpPool::new(url.parse().unwrap()).unwrap()
    }

    /// Listens, and passes what it decrypts on to the sink.
    async fn guard(&self, sink: &SmtpSink, front: Front) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, target) = (self.acceptor.clone(), sink.addr());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(pass(socket, acceptor.clone(), target, front));
            }
        });
        address
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

async fn pass(socket: TcpStream, acceptor: TlsAcceptor, target: SocketAddr, front: Front) {
    let mut plain = BufReader::new(socket);
    if front != Front::Implicit {
        let answers = [
            ("", "220 front ESMTP\r\n"),
            ("EHLO", "250-front\r\n250 STARTTLS\r\n"),
            (
                "STARTTLS",
                if front == Front::Injected {
                    "220 go\r\n250 injected\r\n"
                } else {
                    "220 go\r\n"
                },
            ),
        ];
        for (expected, answer) in answers {
            let mut line = String::new();
            if !expected.is_empty() {
                plain.read_line(&mut line).await.unwrap();
            }
            assert!(line.starts_with(expected), "{line:?}");
            plain.get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
    }
    let mut inside = BufReader::new(TcpStream::connect(target).await.unwrap());
    if front != Front::Implicit {
        // The greeting was given before TLS and does not come again.
        inside.read_line(&mut String::new()).await.unwrap();
    }
    if let Ok(mut outside) = acceptor.accept(plain.into_inner()).await {
        let _ = copy_bidirectional(&mut outside, inside.get_mut()).await;
    }
}

#[tokio::test]
async fn implicit_tls_carries_sign_in_and_mail() {
    let sink = SmtpSink::start_with(Keep::Bodies, Some("PLAIN")).await;
    let authority = Authority::new("implicit");
    let front = authority.guard(&sink, Front::Implicit).await;
    authority
        .pool("smtps", front, "")
        .send(&envelope(), MAIL)
        .await
        .unwrap();
    assert_eq!(sink.received()[0].data, MAIL);
}

#[tokio::test]
async fn starttls_carries_sign_in_and_mail() {
    let sink = SmtpSink::start_with(Keep::Bodies, Some("PLAIN")).await;
    let authority = Authority::new("starttls");
    let front = authority.guard(&sink, Front::StartTls).await;
    for (count, tls) in ["&tls=required", "&tls=opportunistic"].into_iter().enumerate() {
        authority
            .pool("smtp", front, tls)
            .send(&envelope(), MAIL)
            .await
            .unwrap();
        assert_eq!(sink.received()[count].data, MAIL);
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_ends_the_talk_before_the_password() {
    let sink = SmtpSink::start_with(Keep::Bodies, Some("PLAIN")).await;
    let (authority, stranger) = (Authority::new("known"), Authority::new("stranger"));
    for (front, scheme, tls) in [
        (Front::Implicit, "smtps", ""),
        (Front::StartTls, "smtp", "&tls=required"),
        (Front::StartTls, "smtp", "&tls=opportunistic"),
    ] {
        let front = authority.guard(&sink, front).await;
        let error = stranger
            .pool(scheme, front, tls)
            .send(&envelope(), MAIL)
            .await
            .unwrap_err();
        assert!(
            error.is_retryable() && error.to_string().contains("certificate"),
            "{error}"
        );
    }
    assert!(sink.logins().is_empty());
}

#[tokio::test]
async fn a_relay_without_starttls_gets_nothing_where_tls_is_required() {
    let sink = SmtpSink::start_with(Keep::Bodies, Some("PLAIN")).await;
    let authority = Authority::new("required");
    let error = authority
        .pool("smtp", sink.addr(), "&tls=required")
        .send(&envelope(), MAIL)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("STARTTLS"), "{error}");
    assert!(sink.logins().is_empty());
    // On this machine nobody listens in, so opportunistic goes on, password and all.
    authority
        .pool("smtp", sink.addr(), "&tls=opportunistic")
        .send(&envelope(), MAIL)
        .await
        .unwrap();
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn an_answer_slipped_in_before_the_handshake_is_noticed() {
    let sink = SmtpSink::start().await;
    let authority = Authority::new("injected");
    let front = authority.guard(&sink, Front::Injected).await;
    let error = authority
        .pool("smtp", front, "&tls=required")
        .send(&envelope(), MAIL)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("between STARTTLS and the handshake"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_without_authorities_is_refused_at_the_start() {
    let file = std::env::temp_dir().join(format!("leadward-smtp-{}-empty.pem", std::process::id()));
    std::fs::write(&file, "nothing here\n").unwrap();
    let url = format!("smtps://mail.example.org?ca={}", file.display());
    let refused = SmtpPool::new(url.parse().unwrap()).unwrap_err();
    assert!(refused.to_string().contains("no certificate"), "{refused}");
    std::fs::remove_file(&file).unwrap();
    let missing = SmtpPool::new(url.parse().unwrap()).unwrap_err();
    assert!(
        matches!(missing, SmtpConfigError::Authorities { .. }),
        "{missing}"
    );
}

#[tokio::test]
async fn a_mail_larger_than_a_tls_record_arrives_whole() {
    let sink = SmtpSink::start_with(Keep::Bodies, Some("LOGIN")).await;
    let authority = Authority::new("large");
    let front = authority.guard(&sink, Front::Implicit).await;
    let mut large = MAIL.to_vec();
    while large.len() < 300_000 {
        large.extend_from_slice(b".a line that begins with a dot\r\n");
    }
    authority
        .pool("smtps", front, "")
        .send(&envelope(), &large)
        .await
        .unwrap();
    assert!(
        sink.received()[0].data == large,
        "{} bytes came",
        sink.received()[0].data.len()
    );
}
