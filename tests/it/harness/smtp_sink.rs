//! An SMTP server that swallows mail and misbehaves on request, for tests and benches.
//!
//! It needs nothing but tokio, keeps up with tens of thousands of mails a second, and never sleeps: what a test waits
//! for is announced. Dropping the sink closes its socket and every connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is kept of each mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything.
    Bodies,
    /// Envelope and `Message-ID`; `data` stays empty. For counting a hundred thousand mails.
    MessageIds,
}

/// How the sink treats the clients from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// Takes every mail.
    Accept,
    /// Closes the connection without a greeting.
    DropAtConnect,
    /// Greets with this reply, such as `421 4.3.2 busy`, and closes.
    RefuseConnection(String),
    /// Closes the connection at `NOOP`: a client that asks first learns that it is dead.
    DropAtNoop,
    /// Closes the connection at `MAIL FROM`, as a server does that grew tired of an idle client.
    DropAtMail,
    /// Answers `MAIL FROM` with this reply.
    RefuseSender(String),
    /// Answers `RCPT TO` with `reply` for addresses that begin with `prefix` (empty: all of them).
    RefuseRecipient {
        /// The whole reply, without its line end.
        reply: String,
        /// Beginning of the addresses meant, in lower case.
        prefix: String,
    },
    /// Answers `DATA` with this reply.
    RefuseData(String),
    /// Closes the connection as soon as `DATA` was allowed: the message never comes to its final dot.
    DropInMessage,
    /// Answers the final dot with this reply and keeps nothing.
    RefuseMessage(String),
    /// Keeps the mail and closes the connection instead of answering the final dot.
    StoredWithoutReply,
    /// Loses the mail and closes the connection instead of answering the final dot.
    LostWithoutReply,
    /// Keeps the mail and answers the final dot only when another behavior is set.
    HoldReply,
    /// Keeps the mail and answers the final dot after so long: a server that is slow, for benches.
    ReplyAfter(Duration),
    /// Says nothing at all, not even a greeting, until another behavior is set.
    HangAtConnect,
}

/// One mail as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The address of `MAIL FROM`; empty for the null sender.
    pub from: String,
    /// The addresses of `RCPT TO`.
    pub to: Vec<String>,
    /// The `Message-ID`, with its angle brackets; empty if the mail has none.
    pub message_id: String,
    /// The message, its dots unstuffed, its final dot left out.
    pub data: Vec<u8>,
}

/// A running sink.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    keep: Keep,
    /// `AUTH` mechanisms offered, such as `PLAIN LOGIN`; none means that no sign-in is wanted.
    mechanisms: Option<String>,
    script: Mutex<Script>,
    mails: Mutex<Vec<ReceivedMail>>,
    logins: Mutex<Vec<String>>,
    count: AtomicUsize,
    connections: AtomicUsize,
    /// Told of every mail kept.
    arrived: Notify,
    /// Told of every new behavior.
    changed: Notify,
}

/// What to do, how often, and what after that.
#[derive(Debug)]
struct Script {
    behavior: Behavior,
    /// Times left before the sink accepts again; none means for good.
    left: Option<usize>,
    /// Grows with every change, so that a held client sees one.
    version: u64,
}

impl SmtpSink {
    /// Starts on a free port of 127.0.0.1, taking everything and keeping bodies.
    pub async fn start() -> Self {
        Self::start_with(Keep::Bodies, None).await
    }

    /// Starts with a choice of what is kept, and, if sign-in is wanted, of the `AUTH` mechanisms offered.
    pub async fn start_with(keep: Keep, mechanisms: Option<&str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            keep,
            mechanisms: mechanisms.map(str::to_owned),
            script: Mutex::new(Script {
                behavior: Behavior::Accept,
                left: None,
                version: 0,
            }),
            mails: Mutex::default(),
            logins: Mutex::default(),
            count: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            arrived: Notify::new(),
            changed: Notify::new(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The value of `SMTP_URL` that leads here.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Behaves so from now on.
    pub fn behave(&self, behavior: Behavior) {
        self.shared.set(behavior, None);
    }

    /// Behaves so the next `times` that it comes to it, and accepts after that.
    pub fn behave_times(&self, times: usize, behavior: Behavior) {
        self.shared.set(behavior, Some(times));
    }

    /// Every mail kept so far, in order of arrival.
    pub fn received(&self) -> Vec<ReceivedMail> {
        lock(&self.shared.mails).clone()
    }

    /// The `Message-ID` of every mail kept so far, in order of arrival.
    pub fn message_ids(&self) -> Vec<String> {
        lock(&self.shared.mails)
            .iter()
            .map(|mail| mail.message_id.clone())
            .collect()
    }

    /// How many mails were kept.
    pub fn count(&self) -> usize {
        self.shared.count.load(Ordering::Acquire)
    }

    /// How many connections were ever made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }

    /// What clients said to sign in, in base64 as it came.
    pub fn logins(&self) -> Vec<String> {
        lock(&self.shared.logins).clone()
    }

    /// Waits until at least `wanted` mails were kept.
    ///
    /// # Panics
    /// After half a minute.
    pub async fn wait_for(&self, wanted: usize) {
        let arrival = async {
            loop {
                let mut notified = std::pin::pin!(self.shared.arrived.notified());
                notified.as_mut().enable();
                if self.count() >= wanted {
                    return;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(PATIENCE, arrival).await.is_err() {
            panic!("waited for {wanted} mails, {} came", self.count());
        }
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        // The accepting task owns the sessions, so they end with it.
        self.accepting.abort();
    }
}

impl Shared {
    fn set(&self, behavior: Behavior, left: Option<usize>) {
        {
            let mut script = lock(&self.script);
            let version = script.version + 1;
            *script = Script {
                behavior,
                left,
                version,
            };
        }
        self.changed.notify_waiters();
    }

    /// What to do now, if it is one of those that `applies`; a counted behavior is used up by it.
    fn act(&self, applies: impl Fn(&Behavior) -> bool) -> Option<Behavior> {
        let mut script = lock(&self.script);
        if script.behavior == Behavior::Accept || !applies(&script.behavior) {
            return None;
        }
        let behavior = script.behavior.clone();
        if let Some(left) = &mut script.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                *script = Script {
                    behavior: Behavior::Accept,
                    left: None,
                    version: script.version,
                };
            }
        }
        Some(behavior)
    }

    /// Waits until the behavior is set again after `version`.
    async fn next_behavior(&self, version: u64) {
        loop {
            let mut notified = std::pin::pin!(self.changed.notified());
            notified.as_mut().enable();
            if lock(&self.script).version != version {
                return;
            }
            notified.await;
        }
    }

    fn store(&self, from: &str, to: &[String], data: &[u8]) {
        let mail = ReceivedMail {
            from: from.to_owned(),
            to: to.to_vec(),
            message_id: message_id(data),
            data: if self.keep == Keep::Bodies {
                data.to_vec()
            } else {
                Vec::new()
            },
        };
        lock(&self.mails).push(mail);
        self.count.fetch_add(1, Ordering::Release);
        self.arrived.notify_waiters();
    }
}

/// A poisoned lock only means that some other test thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Release);
        let shared = Arc::clone(&shared);
        sessions.spawn(async move {
            // A client that goes away in the middle is nothing to report.
            let _ = Session::new(socket, shared).run().await;
        });
        while sessions.try_join_next().is_some() {}
    }
}

/// Whether the conversation goes on.
enum Next {
    Line,
    Close,
}

struct Session {
    wire: BufReader<TcpStream>,
    shared: Arc<Shared>,
    line: Vec<u8>,
    body: Vec<u8>,
    signed_in: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    fn new(socket: TcpStream, shared: Arc<Shared>) -> Self {
        let _ = socket.set_nodelay(true);
        let signed_in = shared.mechanisms.is_none();
        let wire = BufReader::with_capacity(16 * 1024, socket);
        Self {
            wire,
            shared,
            line: Vec::new(),
            body: Vec::new(),
            signed_in,
            from: None,
            to: Vec::new(),
        }
    }

    async fn run(mut self) -> std::io::Result<()> {
        let version = lock(&self.shared.script).version;
        let at_connect = |behavior: &Behavior| {
            use Behavior::{DropAtConnect, HangAtConnect, RefuseConnection};
            matches!(behavior, DropAtConnect | HangAtConnect | RefuseConnection(_))
        };
        match self.shared.act(at_connect) {
            Some(Behavior::RefuseConnection(reply)) => return self.say(&reply).await,
            Some(Behavior::HangAtConnect) => self.shared.next_behavior(version).await,
            Some(_) => return Ok(()),
            None => {}
        }
        self.say("220 sink.invalid ESMTP").await?;
        while self.read_line().await? {
            if let Next::Close = self.command().await? {
                break;
            }
        }
        Ok(())
    }

    async fn command(&mut self) -> std::io::Result<Next> {
        let verb = self
            .line
            .get(..4)
            .map(<[u8]>::to_ascii_uppercase)
            .unwrap_or_default();
        match verb.as_slice() {
            b"EHLO" => self.greet().await?,
            b"NOOP" if self.shared.act(|b| *b == Behavior::DropAtNoop).is_some() => return Ok(Next::Close),
            b"HELO" | b"NOOP" => self.say("250 2.0.0 ok").await?,
            b"AUTH" => self.sign_in().await?,
            b"MAIL" => return self.mail().await,
            b"RCPT" => self.recipient().await?,
            b"DATA" => return self.data().await,
            b"RSET" => {
                self.forget();
                self.say("250 2.0.0 ok").await?;
            }
            b"QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::Close);
            }
            _ => self.say("502 5.5.2 not known here").await?,
        }
        Ok(Next::Line)
    }

    async fn greet(&mut self) -> std::io::Result<()> {
        let auth = self
            .shared
            .mechanisms
            .as_ref()
            .map(|names| format!("250-AUTH {names}\r\n"));
        let features = "250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES";
        self.say(&format!(
            "250-sink.invalid\r\n{}{features}",
            auth.unwrap_or_default()
        ))
        .await
    }

    /// Takes whatever name and password come; a test reads them with [`SmtpSink::logins`].
    async fn sign_in(&mut self) -> std::io::Result<()> {
        let said = String::from_utf8_lossy(&self.line).into_owned();
        match said.split(' ').nth(2) {
            Some(plain) => lock(&self.shared.logins).push(plain.to_owned()),
            None => {
                for challenge in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                    self.say(challenge).await?;
                    if !self.read_line().await? {
                        return Ok(());
                    }
                    lock(&self.shared.logins).push(String::from_utf8_lossy(&self.line).into_owned());
                }
            }
        }
        self.signed_in = true;
        self.say("235 2.7.0 welcome").await
    }

    async fn mail(&mut self) -> std::io::Result<Next> {
        if !self.signed_in {
            self.say("530 5.7.0 sign in first").await?;
            return Ok(Next::Line);
        }
        if self.from.is_some() {
            self.say("503 5.5.1 one mail at a time").await?;
            return Ok(Next::Line);
        }
        match self
            .shared
            .act(|b| matches!(b, Behavior::DropAtMail | Behavior::RefuseSender(_)))
        {
            Some(Behavior::RefuseSender(reply)) => self.say(&reply).await?,
            Some(_) => return Ok(Next::Close),
            None => {
                self.from = Some(path(&self.line));
                self.say("250 2.1.0 ok").await?;
            }
        }
        Ok(Next::Line)
    }

    async fn recipient(&mut self) -> std::io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        let address = path(&self.line);
        let folded = address.to_lowercase();
        let refused = self.shared.act(|behavior| match behavior {
            Behavior::RefuseRecipient { prefix, .. } => folded.starts_with(prefix.as_str()),
            _ => false,
        });
        if let Some(Behavior::RefuseRecipient { reply, .. }) = refused {
            return self.say(&reply).await;
        }
        self.to.push(address);
        self.say("250 2.1.5 ok").await
    }

    async fn data(&mut self) -> std::io::Result<Next> {
        if self.to.is_empty() {
            self.say("503 5.5.1 RCPT first").await?;
            return Ok(Next::Line);
        }
        match self
            .shared
            .act(|b| matches!(b, Behavior::RefuseData(_) | Behavior::DropInMessage))
        {
            Some(Behavior::RefuseData(reply)) => {
                self.say(&reply).await?;
                return Ok(Next::Line);
            }
            Some(_) => {
                self.say("354 go on").await?;
                return Ok(Next::Close);
            }
            None => self.say("354 go on").await?,
        }
        if !self.read_body().await? {
            return Ok(Next::Close);
        }
        self.finish().await
    }

    /// The answer to the final dot.
    async fn finish(&mut self) -> std::io::Result<Next> {
        let version = lock(&self.shared.script).version;
        let at_dot = |behavior: &Behavior| {
            use Behavior::{HoldReply, LostWithoutReply, RefuseMessage, ReplyAfter, StoredWithoutReply};
            matches!(
                behavior,
                RefuseMessage(_) | StoredWithoutReply | LostWithoutReply | HoldReply | ReplyAfter(_)
            )
        };
        let act = self.shared.act(at_dot);
        if !matches!(act, Some(Behavior::RefuseMessage(_) | Behavior::LostWithoutReply)) {
            self.shared
                .store(self.from.as_deref().unwrap_or_default(), &self.to, &self.body);
        }
        self.forget();
        match act {
            Some(Behavior::RefuseMessage(reply)) => self.say(&reply).await?,
            Some(Behavior::StoredWithoutReply | Behavior::LostWithoutReply) => return Ok(Next::Close),
            Some(Behavior::ReplyAfter(wait)) => {
                tokio::time::sleep(wait).await;
                self.say("250 2.0.0 kept").await?;
            }
            Some(_) => {
                self.shared.next_behavior(version).await;
                self.say("250 2.0.0 kept, at last").await?;
            }
            None => self.say("250 2.0.0 kept").await?,
        }
        Ok(Next::Line)
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn say(&mut self, reply: &str) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(reply.len() + 2);
        bytes.extend_from_slice(reply.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        self.wire.get_mut().write_all(&bytes).await
    }

    /// One command, without its line end; false when the client is gone.
    async fn read_line(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        self.wire.read_until(b'\n', &mut self.line).await?;
        let ended = self.line.ends_with(b"\n");
        self.line.truncate(self.line.trim_ascii_end().len());
        Ok(ended)
    }

    /// The message up to its final dot; false when the client is gone before it.
    ///
    /// Like the most lenient servers, it takes a dot between bare line feeds for the end, so a client that lets one
    /// through is found out.
    async fn read_body(&mut self) -> std::io::Result<bool> {
        self.body.clear();
        loop {
            let start = self.body.len();
            self.wire.read_until(b'\n', &mut self.body).await?;
            match &self.body[start..] {
                b".\r\n" | b".\n" => {
                    self.body.truncate(start);
                    return Ok(true);
                }
                [b'.', .., b'\n'] => {
                    self.body.remove(start);
                }
                [.., b'\n'] => {}
                _ => return Ok(false),
            }
        }
    }
}

/// What stands between the angle brackets of `MAIL FROM:<…>` or `RCPT TO:<…>`.
fn path(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map(|(address, _)| address);
    inner.unwrap_or_default().to_owned()
}

/// The `Message-ID` of a message, from its header alone.
fn message_id(data: &[u8]) -> String {
    const NAME: &[u8] = b"message-id:";
    for line in data.split(|b| *b == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        if line
            .get(..NAME.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        {
            return String::from_utf8_lossy(line[NAME.len()..].trim_ascii()).into_owned();
        }
    }
    String::new()
}
