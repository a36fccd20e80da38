//! A Redis for a test: the one that is there, or one started for it.

use std::process::Stdio;

use domain::nudge::Lane;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use uuid::Uuid;

use super::{super::Queue, RedisSettings, stand::patiently};

const USUAL: &str = "redis://127.0.0.1:6379/9";

/// A part of a Redis that no other test looks at.
pub(super) struct TestRedis {
    pub(super) url: String,
    pub(super) prefix: String,
    server: Option<Server>,
}

impl TestRedis {
    /// The Redis of `TEST_REDIS_URL`, else the usual local one, else one started for this test.
    pub(super) async fn shared() -> Self {
        if let Ok(url) = std::env::var("TEST_REDIS_URL") {
            return Self {
                url,
                prefix: fresh_prefix(),
                server: None,
            };
        }
        let usual = Queue::redis(USUAL, "leadward-test", RedisSettings::default())
            .await
            .unwrap();
        if usual.ping().await.is_ok() {
            return Self {
                url: USUAL.to_owned(),
                prefix: fresh_prefix(),
                server: None,
            };
        }
        Self::own().await
    }

    /// A server for this test alone, which may be flushed and killed.
    pub(super) async fn own() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Server::start(port).await;
        let url = format!("redis://127.0.0.1:{port}/0");
        Self {
            url,
            prefix: fresh_prefix(),
            server: Some(server),
        }
    }

    pub(super) async fn queue(&self) -> Queue {
        Queue::redis(&self.url, &self.prefix, RedisSettings::default())
            .await
            .unwrap()
    }

    pub(super) async fn kill(&mut self) {
        self.server
            .as_mut()
            .expect("only an own server is killed")
            .child
            .kill()
            .await
            .unwrap();
    }

    pub(super) async fn start_again(&mut self) {
        let port = self
            .server
            .take()
            .expect("only an own server is started again")
            .port;
        self.server = Some(Server::start(port).await);
    }

    pub(super) async fn flush(&self) {
        assert!(self.server.is_some(), "only an own server is flushed");
        let mut connection = self.connection().await;
        redis::cmd("FLUSHALL")
            .query_async::<()>(&mut connection)
            .await
            .unwrap();
    }

    /// Every key below this test's prefix.
    pub(super) async fn keys(&self) -> Vec<String> {
        let pattern = format!("{}:*", self.prefix);
        redis::cmd("KEYS")
            .arg(pattern)
            .query_async(&mut self.connection().await)
            .await
            .unwrap()
    }

    /// Leaves the Redis as it was found.
    pub(super) async fn forget(self) {
        let (keys, mut connection) = (self.keys().await, self.connection().await);
        let queues = Lane::ALL.map(|lane| format!("{}:{}:workers", self.prefix, lane.name()));
        redis::pipe()
            .zrem("core:apalis:queues:list", &queues)
            .ignore()
            .del([keys, vec![self.prefix]].concat())
            .ignore()
            .query_async::<()>(&mut connection)
            .await
            .unwrap();
    }

    async fn connection(&self) -> redis::aio::MultiplexedConnection {
        redis::Client::open(self.url.as_str())
            .unwrap()
            .get_multiplexed_async_connection()
            .await
            .unwrap()
    }
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    async fn start(port: u16) -> Self {
        let mut child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this test needs the program redis-server");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        patiently(async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("Ready to accept connections") {
                    // Read on: a server whose pipe is closed could not write its log.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return;
                }
            }
            panic!("redis-server ended before it was ready");
        })
        .await;
        Self { child, port }
    }
}

#[expect(clippy::disallowed_methods, reason = "a name for this run alone")]
fn fresh_prefix() -> String {
    format!("leadward-test-{}", Uuid::now_v7())
}
