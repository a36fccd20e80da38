//! The same against a mail server that others wrote: Exim of Debian, on ports of its own, in a directory that goes away.
//!
//! `EXIM` names the program; `scripts/test` finds or installs it, and without it these tests say that they are skipped.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A running Exim that wants TLS and a sign-in before it takes mail.
struct Exim {
    directory: PathBuf,
    daemon: Child,
    plain_port: u16,
    tls_port: u16,
}

static STARTED: AtomicUsize = AtomicUsize::new(0);

impl Exim {
    /// None when there is no Exim.
    async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("EXIM") else {
            eprintln!("skipped: it needs EXIM, the program exim4; ./scripts/test finds or installs it");
            return None;
        };
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("leadward-exim-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        // Started by root, Exim works as a user of its own.
        fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let (plain_port, tls_port) = (free_port(), free_port());
        let configuration = directory.join("exim.conf");
        fs::write(&configuration, configured(&directory, plain_port, tls_port)).unwrap();
        for name in ["cert.pem", "key.pem", "exim.conf"] {
            fs::set_permissions(directory.join(name), Permissions::from_mode(0o644)).unwrap();
        }
        let daemon = Command::new(program)
            .arg("-C")
            .arg(&configuration)
            .args(["-bdf", "-oP"])
            .arg(directory.join("exim.pid"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let exim = Self {
            directory,
            daemon,
            plain_port,
            tls_port,
        };
        exim.listens().await;
        Some(exim)
    }

    /// Waits until both ports answer.
    async fn listens(&self) {
        let both = async {
            for port in [self.plain_port, self.tls_port] {
                while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), both)
            .await
            .expect("Exim listens");
    }

    fn authority(&self) -> PathBuf {
        self.directory.join("cert.pem")
    }

    fn pool(&self, scheme: &str, user: &str, ca: Option<&Path>) -> SmtpPool {
        let port = if scheme == "smtps" {
            self.tls_port
        } else {
            self.plain_port
        };
        let ca = ca.map_or_else(String::new, |ca| format!("&ca={}", ca.display()));
        let url = format!("{scheme}://{user}127.0.0.1:{port}?tls=required{ca}");
        SmtpPool::new(url.parse().unwrap()).unwrap()
    }

    /// The mails that it took and keeps to be sent on, as they stand in its spool.
    fn spooled(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.directory.join("spool/input")) else {
            return Vec::new();
        };
        let body = |name: &str| name.ends_with("-D");
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().is_some_and(|name| body(&name.to_string_lossy())))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A port that nobody listened on a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn configured(directory: &Path, plain_port: u16, tls_port: u16) -> String {
    let directory = directory.display();
    format!(
        "spool_directory = {directory}/spool\n\
         log_file_path = {directory}/log.%slog\n\
         primary_hostname = localhost\n\
         daemon_smtp_ports = {plain_port} : {tls_port}\n\
         tls_on_connect_ports = {tls_port}\n\
         local_interfaces = 127.0.0.1\n\
         tls_advertise_hosts = *\n\
         tls_certificate = {directory}/cert.pem\n\
         tls_privatekey = {directory}/key.pem\n\
         auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n\
         acl_smtp_rcpt = signed_in\n\
         acl_smtp_data = everything\n\
         queue_only = true\n\
         host_lookup =\n\
         begin acl\n\
         signed_in:\n  accept authenticated = *\n  deny message = sign in first\n\
         everything:\n  accept\n\
         begin authenticators\n\
         plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  \
         server_condition = ${{if and{{{{eq{{$auth2}}{{ward}}}}{{eq{{$auth3}}{{s3cret}}}}}}}}\n  server_set_id = $auth2\n"
    )
}

#[tokio::test]
async fn a_real_server_takes_mail_over_tls_and_starttls_from_who_signs_in() {
    let Some(exim) = Exim::start().await else {
        return;
    };
    for (count, scheme) in [(1, "smtp"), (2, "smtps")] {
        let pool = exim.pool(scheme, "ward:s3cret@", Some(&exim.authority()));
        let accepted = pool.send(&envelope(), MAIL).await.unwrap();
        assert!(accepted.reply.starts_with("250 OK id="), "{}", accepted.reply);
        let spooled = exim.spooled();
        assert_eq!(spooled.len(), count, "{scheme}");
        assert!(spooled.iter().all(|body| body.contains("See you soon.")));
        pool.close().await;
    }
}

#[tokio::test]
async fn a_real_server_with_a_certificate_of_somebody_else_gets_nothing() {
    let Some(exim) = Exim::start().await else {
        return;
    };
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let stranger = exim.directory.join("stranger.pem");
    fs::write(&stranger, other.cert.pem()).unwrap();
    for scheme in ["smtp", "smtps"] {
        for ca in [None, Some(stranger.as_path())] {
            let error = exim
                .pool(scheme, "ward:s3cret@", ca)
                .send(&envelope(), MAIL)
                .await
                .unwrap_err();
            assert!(
                matches!(
                    error,
                    SendError::NotSent {
                        class: Class::Transient,
                        stage: Stage::Connect,
                        code: None,
                        ..
                    }
                ),
                "{scheme}: {error:?}"
            );
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    }
    assert_eq!(exim.spooled().len(), 0);
}

#[tokio::test]
async fn a_real_server_refuses_a_wrong_password_and_who_does_not_sign_in() {
    let Some(exim) = Exim::start().await else {
        return;
    };
    let authority = exim.authority();
    let wrong = exim
        .pool("smtp", "ward:wrong@", Some(&authority))
        .check()
        .await
        .unwrap_err();
    assert!(
        matches!(
            wrong,
            SendError::NotSent {
                class: Class::Transient,
                stage: Stage::Connect,
                code: Some(535),
                ..
            }
        ),
        "{wrong:?}"
    );
    assert!(!wrong.to_string().contains("wrong@"));
    let nobody = exim
        .pool("smtp", "", Some(&authority))
        .send(&envelope(), MAIL)
        .await
        .unwrap_err();
    assert!(
        matches!(
            nobody,
            SendError::NotSent {
                stage: Stage::Recipient,
                code: Some(550),
                ..
            }
        ),
        "{nobody:?}"
    );
    assert_eq!(exim.spooled().len(), 0);
}
