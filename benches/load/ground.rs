//! Where the bench runs: a scratch database on a PostgreSQL server, keys of its own in Redis, and a directory. Or, as one
//! process alone does, an SQLite database in that directory.

use std::path::PathBuf;

use clap::Parser;
use domain::hospital::Hospital;
use leadward::boot;
use leadward::cli::Cli;
use leadward::settings::Settings;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::watch::Watch;
use crate::{Result, say};

/// Names of scratch databases and directories begin so, then comes the number of the process.
const PREFIX: &str = "leadward_bench_";
/// The server unless another is named. A connection that does not leave the machine needs no TLS.
const SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable";
/// The key of the bench's installation. It protects nothing.
const SECRET_KEY: &str = "62656e636862656e636862656e636862656e636862656e636862656e63686265";

/// Where the bench runs.
pub struct Ground {
    /// The installation, for what is measured inside this process.
    pub hospital: Hospital,
    /// Scripts and logs of this run.
    pub directory: PathBuf,
    /// Processes that wanted to run, on average of a minute, before the bench began: what else the machine does.
    pub busy_before: f64,
    store: Store,
}

/// What keeps the rows and the nudges.
enum Store {
    /// A scratch database and Redis.
    Servers {
        server: String,
        name: String,
        database_url: String,
        redis_url: String,
    },
    /// The directory.
    Embedded,
}

impl Ground {
    /// Makes the scratch database, after dropping those of runs that were cut off.
    pub async fn prepare() -> Result<Self> {
        let busy_before = load_average()?;
        let server = std::env::var("BENCH_DATABASE_URL").unwrap_or_else(|_| SERVER.to_owned());
        let redis_url =
            std::env::var("BENCH_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/9".to_owned());
        let name = format!("{PREFIX}{}", std::process::id());
        say("Making a scratch database.");
        drop_left_over(&server).await?;
        run(&server, &format!("CREATE DATABASE {name}")).await?;
        let mut database_url = url::Url::parse(&server)?;
        database_url.set_path(&name);
        let database_url = database_url.to_string();
        let directory = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&directory)?;
        let settings = settings(&["--database-url", &database_url]);
        boot::migrate(&boot::connect(&settings).await?).await?;
        let hospital = boot::hospital(&settings).await?;
        let store = Store::Servers {
            server,
            name,
            database_url,
            redis_url,
        };
        Ok(Self {
            hospital,
            directory,
            busy_before,
            store,
        })
    }

    /// Makes an installation without servers.
    pub async fn embedded() -> Result<Self> {
        let busy_before = load_average()?;
        let directory = std::env::temp_dir().join(format!("{PREFIX}embedded_{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let data = directory.display().to_string();
        let hospital = boot::hospital(&settings(&["--data-dir", &data])).await?;
        Ok(Self {
            hospital,
            directory,
            busy_before,
            store: Store::Embedded,
        })
    }

    /// What of the program sends mail here.
    pub fn sender(&self) -> &'static str {
        match self.store {
            Store::Servers { .. } => "worker",
            Store::Embedded => "serve",
        }
    }

    /// Address of the scratch database; none when it is embedded.
    pub fn database_url(&self) -> Result<&str> {
        match &self.store {
            Store::Servers { database_url, .. } => Ok(database_url),
            Store::Embedded => Err("an embedded database has no address".into()),
        }
    }

    /// Redis, and what its keys begin with; none when there is none.
    pub fn redis(&self) -> Result<(&str, &str)> {
        match &self.store {
            Store::Servers { redis_url, name, .. } => Ok((redis_url, name)),
            Store::Embedded => Err("an embedded installation has no Redis".into()),
        }
    }

    /// The database, through a pool of this process.
    pub fn db(&self) -> &DatabaseConnection {
        &self.hospital.db
    }

    /// The installation through a pool of its own, on which every statement is seen. Not for measuring rates.
    pub async fn watched(&self) -> Result<(Hospital, Watch)> {
        let mut hospital = boot::hospital(&self.settings()).await?;
        let watch = Watch::on(&mut hospital.db);
        Ok((hospital, watch))
    }

    fn settings(&self) -> Settings {
        match &self.store {
            Store::Servers { database_url, .. } => settings(&["--database-url", database_url]),
            Store::Embedded => settings(&["--data-dir", &self.directory.display().to_string()]),
        }
    }

    /// The environment of a process of this installation: nothing but what is named here.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("SECRET_KEY", SECRET_KEY.to_owned()),
            ("PUBLIC_URL", "http://127.0.0.1:8080".to_owned()),
            // Any port that is free.
            ("LISTEN_ADDR", "127.0.0.1:0".to_owned()),
        ];
        match &self.store {
            Store::Servers {
                name,
                database_url,
                redis_url,
                ..
            } => environment.extend([
                ("DATABASE_URL", database_url.clone()),
                ("REDIS_URL", redis_url.clone()),
                ("QUEUE_PREFIX", name.clone()),
            ]),
            Store::Embedded => environment.push(("DATA_DIR", self.directory.display().to_string())),
        }
        environment
    }

    /// One value of the database.
    pub async fn ask<T: sea_orm::TryGetable>(&self, sql: &str) -> Result<T> {
        let row = self
            .db()
            .query_one_raw(Statement::from_string(self.db().get_database_backend(), sql))
            .await?;
        Ok(row.ok_or("the database answered nothing")?.try_get_by_index(0)?)
    }

    /// Runs statements, separated by semicolons.
    pub async fn run(&self, sql: &str) -> Result<()> {
        self.db().execute_unprepared(sql).await?;
        Ok(())
    }

    /// Gives everything back.
    pub async fn clear(self) -> Result<()> {
        self.hospital.db.close().await?;
        if let Store::Servers {
            server,
            name,
            redis_url,
            ..
        } = &self.store
        {
            run(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            forget_keys(redis_url, name).await?;
        }
        std::fs::remove_dir_all(&self.directory)?;
        Ok(())
    }
}

fn load_average() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

/// The settings that a process of the bench's installation has, with defaults for everything else.
fn settings(where_kept: &[&str]) -> Settings {
    let flags = ["leadward", "--secret-key", SECRET_KEY];
    Cli::parse_from(flags.iter().chain(where_kept)).settings
}

async fn run(server: &str, sql: &str) -> Result<()> {
    let connection = Database::connect(server).await?;
    connection.execute_unprepared(sql).await?;
    connection.close().await?;
    Ok(())
}

async fn drop_left_over(server: &str) -> Result<()> {
    let connection = Database::connect(server).await?;
    let names = Statement::from_string(DbBackend::Postgres, "SELECT datname FROM pg_database");
    for row in connection.query_all_raw(names).await? {
        let name: String = row.try_get_by_index(0)?;
        let process = name.strip_prefix(PREFIX);
        if process.is_some_and(|process| !std::path::Path::new("/proc").join(process).exists()) {
            connection
                .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await?;
        }
    }
    connection.close().await?;
    Ok(())
}

/// Deletes the keys of this run, and no others.
async fn forget_keys(redis_url: &str, prefix: &str) -> Result<()> {
    let mut redis = redis::Client::open(redis_url)?
        .get_multiplexed_async_connection()
        .await?;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("*{prefix}*"))
        .query_async(&mut redis)
        .await?;
    if !keys.is_empty() {
        redis::cmd("DEL").arg(keys).exec_async(&mut redis).await?;
    }
    Ok(())
}
