//! Every setting: a flag, an environment variable, and a sentence that is its manual.
//!
//! `.env.sample` shows the same variables; a test compares the two.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What an installation can be told.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Directory of the embedded database and of the key that is made for it.
    #[arg(long, env = "DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,

    /// Database: `postgres://user:password@host/name`, or `sqlite://path`. Without it, SQLite in the data directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,

    /// Most database connections of this process.
    #[arg(long, env = "DATABASE_POOL_MAX", default_value_t = 16, global = true, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_pool_max: u32,

    /// Redis of the queue and of live updates between processes: `redis://host:6379/0`. Without it, both stay inside
    /// this process, which is then the only one.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, global = true)]
    pub redis_url: Option<String>,

    /// First word of every Redis key, for several installations on one Redis.
    #[arg(long, env = "QUEUE_PREFIX", default_value = "leadward", global = true)]
    pub queue_prefix: String,

    /// Mail server: `smtp://user:password@host:587` or `smtps://host:465`. TLS is required unless the host is this
    /// machine or the URL says `?tls=none`. Without it, mails are captured and shown at /outbox.
    #[arg(long, env = "SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<String>,

    /// JSON file with further mail servers, limits by domain and day, and when a route stops; docs/sending.md shows one. Kept
    /// private like a password, because its URLs hold some.
    #[arg(long, env = "SENDING_CONFIG", global = true)]
    pub sending_config: Option<PathBuf>,

    /// Domain that signs every mail (DKIM), for example `example.org`: that of `MAIL_FROM` or one above it.
    /// `DKIM_SELECTOR` and `DKIM_KEY_FILE` belong to it.
    #[arg(long, env = "DKIM_DOMAIN", global = true)]
    pub dkim_domain: Option<String>,

    /// Name under which the public key stands in DNS, at `selector._domainkey.domain`.
    #[arg(long, env = "DKIM_SELECTOR", global = true)]
    pub dkim_selector: Option<String>,

    /// PEM file of the private key: RSA of 2048 bits or more, or Ed25519. `leadward check` prints the record for DNS.
    #[arg(long, env = "DKIM_KEY_FILE", global = true)]
    pub dkim_key_file: Option<PathBuf>,

    /// Domain that bounces come back to: each mail gets a return path of its own there, which names it. Without it bounces
    /// go to the address of `MAIL_FROM`.
    #[arg(long, env = "BOUNCE_DOMAIN", global = true)]
    pub bounce_domain: Option<String>,

    /// Directory in the Maildir format in which bounces, complaints and replies arrive. A worker reads what lies in `new`
    /// and `cur`, and moves it to `.leadward` when it is stored.
    #[arg(long, env = "MAILDIR", global = true)]
    pub maildir: Option<PathBuf>,

    /// Topics of Amazon SNS whose notices of SES are taken at `/hooks/mail/ses`, by their ARN, separated by commas.
    #[arg(long, env = "SES_TOPICS", value_delimiter = ',', global = true)]
    pub ses_topics: Vec<String>,

    /// Public key of SendGrid's signed event webhook; opens `/hooks/mail/sendgrid`.
    #[arg(long, env = "SENDGRID_KEY", global = true)]
    pub sendgrid_key: Option<String>,

    /// Secret that Postmark sends as the password of Basic authentication; opens `/hooks/mail/postmark`.
    #[arg(long, env = "POSTMARK_SECRET", hide_env_values = true, global = true)]
    pub postmark_secret: Option<String>,

    /// Lets `api` and `worker` start without a mail server: mails are captured and nobody receives them.
    #[arg(long, env = "CAPTURE_MAIL", default_value_t = false, global = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub capture_mail: bool,

    /// Address under which the public reaches this installation; links in mails begin with it.
    #[arg(
        long,
        env = "PUBLIC_URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    pub public_url: String,

    /// Address and port to listen on. A worker of its own listens there too when it is set, for its health and
    /// metrics.
    #[arg(long, env = "LISTEN_ADDR", global = true)]
    pub listen_addr: Option<SocketAddr>,

    /// Takes the visitor's address from X-Forwarded-For. Only behind a proxy that sets it.
    #[arg(long, env = "TRUST_PROXY", default_value_t = false, global = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub trust_proxy: bool,

    /// Origins of other sites that may use the API and embed forms, separated by commas.
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',', global = true)]
    pub cors_origins: Vec<String>,

    /// 64 hexadecimal digits: the key of link signatures and keyed hashes. Keep it: with another key, links in mails
    /// that went out no longer work and suppressed addresses are forgotten. Made and kept in the data directory when
    /// the database is embedded; required otherwise.
    #[arg(long, env = "SECRET_KEY", hide_env_values = true, global = true)]
    pub secret_key: Option<String>,

    /// Name of the hospital on pages and in mails.
    #[arg(
        long,
        env = "HOSPITAL_NAME",
        default_value = "Riverbend Health",
        global = true
    )]
    pub hospital_name: String,

    /// `From` of every mail, for example `Riverbend Health <care@example.org>`.
    #[arg(
        long,
        env = "MAIL_FROM",
        default_value = "Riverbend Health <care@riverbend.example>",
        global = true
    )]
    pub mail_from: String,

    /// Postal address that every promotional mail shows.
    #[arg(
        long,
        env = "POSTAL_ADDRESS",
        default_value = "100 River Road, Columbus, OH 43004",
        global = true
    )]
    pub postal_address: String,

    /// Form posts of one visitor address in a minute before it has to wait.
    #[arg(long, env = "FORM_POSTS_PER_MINUTE", default_value_t = 20, global = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub form_posts_per_minute: u32,

    /// Seconds in which the head of a request has to arrive, and its body again. A connection that nothing comes by is
    /// closed after as long.
    #[arg(long, env = "REQUEST_READ_SECS", default_value_t = 30, global = true, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub request_read_secs: u64,

    /// Milliseconds for which a process may go on with the rules and lists that it knows.
    #[arg(long, env = "PLAYBOOK_RECHECK_MS", default_value_t = 1000, global = true)]
    pub playbook_recheck_ms: u64,

    /// Seconds between two sweeps for what is due.
    #[arg(long, env = "SWEEP_SECS", default_value_t = 1, global = true, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub sweep_secs: u32,

    /// Messages that a worker claims at a time.
    #[arg(long, env = "CLAIM_BATCH", default_value_t = 500, global = true, value_parser = clap::value_parser!(u64).range(1..=500))]
    pub claim_batch: u64,

    /// Seconds for which a claim holds before another worker may take the message.
    #[arg(long, env = "LEASE_SECS", default_value_t = 60, global = true, value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub lease_secs: u32,

    /// Seconds that a mail may take to go out before it counts as unknown.
    #[arg(long, env = "SEND_LEASE_SECS", default_value_t = 60, global = true, value_parser = clap::value_parser!(u32).range(5..=3600))]
    pub send_lease_secs: u32,

    /// Mails of the waiting lane (confirmations, reminders) that go out at the same time.
    #[arg(long, env = "WAITING_CONCURRENCY", default_value_t = 8, global = true, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub waiting_concurrency: u32,

    /// Mails of the bulk lane (nurture) that go out at the same time.
    #[arg(long, env = "BULK_CONCURRENCY", default_value_t = 64, global = true, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub bulk_concurrency: u32,

    /// Seconds that a stopping process gives what it has begun.
    #[arg(long, env = "SHUTDOWN_SECS", default_value_t = 20, global = true, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub shutdown_secs: u64,

    /// How logs are written.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Human, global = true)]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, or targets such as `info,worker=debug`. The queue library repeats what the worker says of an outage, so it is silent.
    #[arg(
        long,
        env = "LOG_LEVEL",
        default_value = "info,apalis_core=off,poem=warn,sea_orm_migration=warn,sqlx=warn",
        global = true
    )]
    pub log_level: String,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// The database's address.
    pub fn database(&self) -> String {
        let embedded = || {
            format!(
                "sqlite://{}?mode=rwc",
                self.data_dir.join("leadward.db").display()
            )
        };
        self.database_url.clone().unwrap_or_else(embedded)
    }

    /// Whether the database is SQLite, which one machine has to itself.
    pub fn embedded(&self) -> bool {
        self.database().starts_with("sqlite:")
    }

    /// Whether mails are captured instead of sent.
    pub fn captures_mail(&self) -> bool {
        self.smtp_url.is_none() && self.sending_config.is_none()
    }

    /// Where the API listens.
    pub fn api_addr(&self) -> SocketAddr {
        self.listen_addr
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)))
    }

    /// The public address without a slash at its end.
    pub fn public_url(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }
}
