//! A database per test, copied from a template that is migrated once.
//!
//! SQLite unless `TEST_DATABASE_URL` names a PostgreSQL server, on which databases are made and dropped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::db::{self, Pool};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tokio::sync::OnceCell;

/// Connections of one test: enough for its concurrency, few enough for a server's hundred.
const POOL: Pool = Pool {
    max_connections: 8,
    acquire_timeout_secs: 30,
};

/// Names of the tests' databases and directories begin so, then comes the number of the process.
const PREFIX: &str = "leadward_test_";

static MIGRATED: OnceCell<TestDatabase> = OnceCell::const_new();
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The server that tests use, if it is PostgreSQL.
pub fn postgres_server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|url| url.starts_with("postgres"))
}

/// A database of one test. Dropped with it.
pub struct TestDatabase {
    /// Its address, for processes that open it themselves.
    pub url: String,
    kind: Kind,
}

enum Kind {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// A migrated, empty database.
    pub async fn new() -> Self {
        MIGRATED.get_or_init(migrated).await.copy().await
    }

    /// Another one with the same content. Nobody may be connected to this one.
    pub async fn copy(&self) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        match &self.kind {
            Kind::Sqlite(template) => {
                let path = scratch().join(format!("test-{number}.db"));
                std::fs::copy(template, &path).expect("the template can be copied");
                Self::sqlite(path)
            }
            Kind::Postgres {
                server,
                name: template,
            } => {
                let name = format!("{PREFIX}{}_{number}", std::process::id());
                run(server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                Self::postgres(server.clone(), name)
            }
        }
    }

    fn sqlite(path: PathBuf) -> Self {
        Self {
            url: format!("sqlite://{}?mode=rwc", path.display()),
            kind: Kind::Sqlite(path),
        }
    }

    fn postgres(server: String, name: String) -> Self {
        Self {
            url: with_name(&server, &name),
            kind: Kind::Postgres { server, name },
        }
    }

    /// Leaves everything in the one file or server, so that it can be copied.
    pub async fn settle(&self, connection: DatabaseConnection) {
        if matches!(self.kind, Kind::Sqlite(_)) {
            let folded = connection
                .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
                .await;
            folded.expect("the log is folded in");
        }
        connection.close().await.expect("the template is closed");
    }

    /// A pool of its own.
    pub async fn connect(&self) -> DatabaseConnection {
        db::connect(&self.url, &POOL)
            .await
            .expect("the test's database can be opened")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        match &self.kind {
            Kind::Sqlite(path) => {
                for suffix in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
                }
            }
            Kind::Postgres { server, name } => {
                let (server, sql) = (
                    server.clone(),
                    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                );
                on_a_thread(async move { run(&server, &sql).await });
            }
        }
    }
}

/// Runs a future to its end although the caller cannot wait for one, as in `Drop`.
pub fn on_a_thread<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(future)
    });
    thread.join().expect("the thread comes to its end")
}

/// A directory of this run.
fn scratch() -> PathBuf {
    let path = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a directory for the tests' databases");
    path
}

/// Whether a database or directory was left by a run that is over.
fn is_left_over(name: &str) -> bool {
    let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next());
    process.is_some_and(|process| !std::path::Path::new("/proc").join(process).exists())
}

fn sweep_directories() {
    for entry in std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        if is_left_over(&entry.file_name().to_string_lossy()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

async fn sweep_postgres(server: &str) {
    let connection = Database::connect(server).await.expect("the test server answers");
    let names = Statement::from_string(DbBackend::Postgres, "SELECT datname FROM pg_database");
    for row in connection
        .query_all_raw(names)
        .await
        .expect("the server lists its databases")
    {
        let name: String = row.try_get("", "datname").expect("a database has a name");
        if is_left_over(&name) {
            let _ = connection
                .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await;
        }
    }
    connection.close().await.expect("the connection closes");
}

/// The template of all: migrated and empty.
async fn migrated() -> TestDatabase {
    let database = match postgres_server() {
        None => {
            sweep_directories();
            TestDatabase::sqlite(scratch().join("migrated.db"))
        }
        Some(server) => {
            let name = format!("{PREFIX}{}", std::process::id());
            sweep_postgres(&server).await;
            run(&server, &format!("CREATE DATABASE {name}")).await;
            TestDatabase::postgres(server, name)
        }
    };
    let connection = database.connect().await;
    Migrator::up(&connection, None)
        .await
        .expect("the template can be migrated");
    database.settle(connection).await;
    database
}

async fn run(server: &str, sql: &str) {
    let connection = Database::connect(server).await.expect("the test server answers");
    connection
        .execute_unprepared(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("the connection closes");
}

fn with_name(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect("TEST_DATABASE_URL is a URL");
    url.set_path(name);
    url.to_string()
}
