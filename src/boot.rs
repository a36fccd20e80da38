//! What every process does first: reads its key, opens the database, brings it to this version if it is embedded.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::SystemClock;
use domain::hospital::{Hospital, Site};
use domain::link::Secrets;
use domain::playbook::Playbooks;
use domain::{db, rule_set, setup};
use migration::{Migrator, MigratorTrait};
use sea_orm::{DatabaseConnection, DbErr, TransactionTrait};

use crate::check;
use crate::settings::Settings;

/// Key of the advisory lock under which PostgreSQL is migrated: "leadward" in ASCII.
const MIGRATION_LOCK: i64 = 0x6c65_6164_7761_7264;

/// Why a process could not start. A sentence for whoever runs it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct BootError {
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl BootError {
    /// Something that the person at the keyboard must change.
    pub fn because(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: None,
        }
    }

    /// Something that failed underneath.
    pub fn from_source(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            what: what.to_owned(),
            source: Some(source.into()),
        }
    }
}

/// Opens the installation.
///
/// # Errors
/// When a setting is wrong, or the database cannot be reached or is of another version.
pub async fn hospital(settings: &Settings) -> Result<Hospital, BootError> {
    let secrets = Secrets::new(key(settings)?);
    let connection = connect(settings).await?;
    if settings.embedded() {
        // Nobody else uses an embedded database, so nobody has to be asked.
        migrate(&connection).await?;
    } else {
        require_version(&connection).await?;
    }
    let hospital = Hospital {
        db: connection,
        clock: Arc::new(SystemClock),
        secrets: Arc::new(secrets),
        site: Arc::new(site(settings)),
        playbooks: Arc::new(Playbooks::new(Duration::from_millis(
            settings.playbook_recheck_ms,
        ))),
    };
    setup::ensure_review_team(&hospital)
        .await
        .map_err(|error| BootError::from_source("The review team could not be made.", error))?;
    rule_set::follow::ensure_versions(&hospital)
        .await
        .map_err(|error| BootError::from_source("The rules could not be written down as versions.", error))?;
    Ok(hospital)
}

/// How the installation presents itself.
pub fn site(settings: &Settings) -> Site {
    Site {
        public_url: settings.public_url().to_owned(),
        mail_from: settings.mail_from.clone(),
        postal_address: settings.postal_address.clone(),
        name: settings.hospital_name.clone(),
    }
}

/// Opens the database.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(settings: &Settings) -> Result<DatabaseConnection, BootError> {
    if settings.database_url.is_none() {
        make_private_dir(&settings.data_dir)?;
    }
    let pool = db::Pool {
        max_connections: settings.database_pool_max,
        ..db::Pool::default()
    };
    db::connect(&settings.database(), &pool).await.map_err(|error| {
        BootError::from_source("The database cannot be reached; look at DATABASE_URL.", error)
    })
}

/// Brings the database to this version. Processes that do it at the same time wait for each other.
///
/// # Errors
/// When a change fails.
pub async fn migrate(connection: &DatabaseConnection) -> Result<(), BootError> {
    let failed =
        |error: DbErr| BootError::from_source("The database could not be brought to this version.", error);
    let turn = connection.begin().await.map_err(failed)?;
    db::lock_keys(&turn, &[MIGRATION_LOCK]).await.map_err(failed)?;
    Migrator::up(connection, None).await.map_err(failed)?;
    turn.commit().await.map_err(failed)
}

/// Refuses to run on a database of an older version.
async fn require_version(connection: &DatabaseConnection) -> Result<(), BootError> {
    let pending = Migrator::get_pending_migrations(connection)
        .await
        .map_err(|error| BootError::from_source("The database's version cannot be read.", error))?;
    if pending.is_empty() {
        return Ok(());
    }
    Err(BootError::because(format!(
        "The database lacks {} changes of this version. Run `leadward migrate up` first.",
        pending.len()
    )))
}

/// The installation's key: told, or made once for an embedded database.
fn key(settings: &Settings) -> Result<[u8; 32], BootError> {
    if let Some(text) = &settings.secret_key {
        let wrong = "SECRET_KEY must be 64 hexadecimal digits, and not one byte repeated, for example from `openssl rand -hex 32`.";
        return check::parse_key(text).ok_or_else(|| BootError::because(wrong));
    }
    if !settings.embedded() {
        return Err(BootError::because(
            "SECRET_KEY is required with this database: 64 hexadecimal digits, the same for every process. \
             `openssl rand -hex 32` makes one.",
        ));
    }
    make_private_dir(&settings.data_dir)?;
    kept_key(&settings.data_dir.join("secret.key"))
}

fn kept_key(path: &Path) -> Result<[u8; 32], BootError> {
    let fresh: [u8; 32] = rand::random();
    // Only whoever creates the file writes it, so two processes that start at once agree on one key.
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(mut file) => file
            .write_all(hex::encode(fresh).as_bytes())
            .and_then(|()| file.sync_all())
            .map(|()| fresh)
            .map_err(|error| {
                BootError::from_source("The key could not be written to the data directory.", error)
            }),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path).map_err(|error| {
                BootError::from_source("secret.key in the data directory cannot be read.", error)
            })?;
            check::parse_key(&text)
                .ok_or_else(|| BootError::because("secret.key in the data directory is damaged; restore it."))
        }
        Err(error) => Err(BootError::from_source(
            "The key could not be made in the data directory.",
            error,
        )),
    }
}

/// The data directory holds people's data: nobody else on the machine may look into it.
fn make_private_dir(path: &Path) -> Result<(), BootError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            BootError::from_source("The data directory cannot be made; look at DATA_DIR.", error)
        })
}
