//! The commands that do one thing and end.
#![expect(clippy::print_stdout, reason = "a command answers on standard output")]

use std::io::{IsTerminal, Read};
use std::path::Path;

use chrono::TimeDelta;
use domain::consent;
use domain::consent::verify::Anchor;
use domain::error::{Chain, Error};
use domain::hospital::Hospital;
use domain::privacy::{self, retention};
use domain::setup;
use domain::staff::{self, AddStaff};
use domain::viewer::Viewer;
use entity::enums::Role;
use entity::id::{TeamId, TokenId, WrongId};
use migration::{Migrator, MigratorTrait};
use uuid::Uuid;

use crate::boot::{self, BootError};
use crate::check;
use crate::cli::{ContactAction, Migrate, StaffAction, TokenAction, Verify};
use crate::process;
use crate::settings::Settings;

/// `leadward check`: whether all is well.
pub fn check(settings: &Settings) -> bool {
    let findings = check::findings(settings);
    for finding in &findings {
        println!("{}: {}", finding.setting, finding.advice);
    }
    match process::dkim(settings) {
        Ok(None) => {}
        Ok(Some(dkim)) => {
            let (name, record) = dkim.record();
            println!("Publish in DNS, so that signatures hold: {name} TXT \"{record}\"");
        }
        Err(error) => {
            println!("{}", Chain(&error));
            return false;
        }
    }
    if findings.is_empty() {
        println!("All settings are safe to serve real people with.");
    }
    findings.is_empty()
}

/// `leadward schema`.
pub fn schema() {
    print!("{}", api::graphql::sdl());
}

/// `leadward migrate`.
///
/// # Errors
/// When the database cannot be reached or a change fails.
pub async fn migrate(settings: &Settings, way: Migrate) -> Result<(), BootError> {
    let connection = boot::connect(settings).await?;
    match way {
        Migrate::Up => {
            boot::migrate(&connection).await?;
            println!("The database is at this version.");
        }
        Migrate::Down => {
            Migrator::down(&connection, Some(1))
                .await
                .map_err(|error| BootError::from_source("The last change could not be taken back.", error))?;
            println!("The last change is taken back.");
        }
        Migrate::Status => {
            let unreadable = |error| BootError::from_source("The database's version cannot be read.", error);
            for change in Migrator::get_migration_with_status(&connection)
                .await
                .map_err(unreadable)?
            {
                println!(
                    "{:8} {}",
                    change.status().to_string().to_lowercase(),
                    change.name()
                );
            }
        }
    }
    Ok(())
}

/// `leadward setup`.
///
/// # Errors
/// When the document cannot be read or is refused; every refusal is named.
pub async fn setup(settings: &Settings, file: &Path) -> Result<(), BootError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| BootError::from_source("The setup document cannot be read.", error))?;
    let document = setup::Setup::parse(&text).map_err(told)?;
    let hospital = boot::hospital(settings).await?;
    let applied = setup::apply(&hospital, &document).await.map_err(told)?;
    println!("{applied}");
    Ok(())
}

/// `leadward verify`: whether all is as it was.
///
/// # Errors
/// When the database fails or an argument cannot be read. Damage is not an error, it is the answer.
pub async fn verify(settings: &Settings, what: Verify) -> Result<bool, BootError> {
    let Verify::Consent { from } = what;
    let unreadable = || BootError::because("A head is written as COUNT:HASH, as an earlier run printed it.");
    let anchor = from
        .map(|text| text.parse::<Anchor>().map_err(|_| unreadable()))
        .transpose()?;
    let hospital = boot::hospital(settings).await?;
    let found = consent::verify(&hospital, anchor).await.map_err(told)?;
    println!(
        "{} events are sealed and whole, {} of them erased; {} wait for their seal.",
        found.sealed, found.erased, found.unsealed
    );
    if let Some(broken) = found.broken {
        println!("BROKEN: {broken}.");
        return Ok(false);
    }
    println!("head {}", found.head());
    Ok(true)
}

/// `leadward staff`.
///
/// # Errors
/// When the person is refused.
pub async fn staff(settings: &Settings, action: StaffAction) -> Result<(), BootError> {
    let StaffAction::Add {
        email,
        name,
        role,
        time_zone,
        teams,
    } = action;
    let password = password()?;
    let hospital = boot::hospital(settings).await?;
    let teams = team_ids(&hospital, &teams).await?;
    let add = AddStaff {
        email,
        display_name: name,
        role: role.0,
        time_zone,
        password,
        teams,
    };
    let person = staff::add(&hospital, add).await.map_err(told)?;
    println!("{}", person.value.id);
    Ok(())
}

/// The teams of these slugs.
async fn team_ids(hospital: &Hospital, slugs: &[String]) -> Result<Vec<TeamId>, BootError> {
    let playbook = hospital.playbook().await.map_err(told)?;
    let team = |slug: &String| {
        let found = playbook
            .teams
            .values()
            .find(|team| team.slug == *slug)
            .map(|team| team.id);
        found.ok_or_else(|| BootError::because(format!("There is no team `{slug}`.")))
    };
    slugs.iter().map(team).collect()
}

/// The password from standard input; none from a terminal's empty line.
fn password() -> Result<Option<String>, BootError> {
    let mut text = String::new();
    let mut input = std::io::stdin();
    let read = if input.is_terminal() {
        eprintln!("Password (empty: this person signs in another way):");
        input.read_line(&mut text)
    } else {
        input.by_ref().take(1024).read_to_string(&mut text)
    };
    read.map_err(|error| BootError::from_source("The password cannot be read.", error))?;
    let password = text.trim_end_matches(['\r', '\n']);
    Ok((!password.is_empty()).then(|| password.to_owned()))
}

/// `leadward token`.
///
/// # Errors
/// When the token is refused.
pub async fn token(settings: &Settings, action: TokenAction) -> Result<(), BootError> {
    let hospital = boot::hospital(settings).await?;
    match action {
        TokenAction::Create {
            role,
            name,
            expires_in_days,
        } => {
            let lifetime = expires_in_days.map(|days| TimeDelta::days(days.into()));
            let (_, secret) = staff::token::create(&hospital, role.0, &name, lifetime)
                .await
                .map_err(told)?;
            println!("{secret}");
        }
        TokenAction::List => {
            for token in staff::token::in_force(&hospital).await.map_err(told)? {
                let ends = token
                    .expires_at
                    .map_or_else(|| "no end".to_owned(), |at| format!("until {}", at.date_naive()));
                println!("{} {} {ends} {}", token.id, token.role, token.name);
            }
        }
        TokenAction::Revoke { id } => {
            let id = id
                .parse()
                .map_err(|wrong: WrongId| BootError::from_source("This names no token.", wrong))?;
            staff::token::revoke(&hospital, id).await.map_err(told)?;
            println!("The token is taken back.");
        }
    }
    Ok(())
}

/// Whoever sits at the machine can read the database as well. The id belongs to no token.
const OPERATOR: Viewer = Viewer::Token {
    id: TokenId(Uuid::nil()),
    role: Role::Admin,
};

/// `leadward contact`.
///
/// # Errors
/// When there is no such contact.
pub async fn contact(settings: &Settings, action: ContactAction) -> Result<(), BootError> {
    let read = |id: &str| {
        id.parse()
            .map_err(|wrong: WrongId| BootError::from_source("This names no contact.", wrong))
    };
    let hospital = boot::hospital(settings).await?;
    match action {
        ContactAction::Export { id } => {
            let export = privacy::export::export(&hospital, &OPERATOR, read(&id)?)
                .await
                .map_err(told)?;
            println!("{:#}", export.value);
        }
        ContactAction::Erase { id } => {
            let erased = privacy::erase::erase(&hospital, &OPERATOR, read(&id)?)
                .await
                .map_err(told)?
                .value;
            println!(
                "Erased with {} leads; {} mails will not go out, {} enrollments ended.",
                erased.leads, erased.messages_withheld, erased.enrollments_ended
            );
        }
    }
    Ok(())
}

/// `leadward retention`.
///
/// # Errors
/// When the database fails.
pub async fn retention(settings: &Settings, dry_run: bool) -> Result<(), BootError> {
    let hospital = boot::hospital(settings).await?;
    let mut total = retention::due(&hospital).await.map_err(told)?;
    if !dry_run {
        total.iter_mut().for_each(|swept| swept.rows = 0);
        let mut more = true;
        while more {
            more = false;
            for swept in retention::sweep(&hospital).await.map_err(told)? {
                more |= swept.rows == retention::BATCH;
                for all in total.iter_mut().filter(|all| all.kind == swept.kind) {
                    all.rows += swept.rows;
                }
            }
        }
    }
    let done = if dry_run {
        "would be taken out"
    } else {
        "taken out"
    };
    for swept in &total {
        let kind = swept.kind.as_str();
        println!("{kind}: {} {done}, kept {} days", swept.rows, swept.keep_days);
    }
    if total.is_empty() {
        println!("No retention is set: everything is kept until somebody erases it.");
    }
    Ok(())
}

/// An operation's failure in words for the terminal.
pub(crate) fn told(error: Error) -> BootError {
    match error {
        Error::Refused(refusals) => {
            let lines = refusals
                .iter()
                .map(|refusal| format!("{}: {}", refusal.field.join("."), refusal.message));
            BootError::because(lines.collect::<Vec<_>>().join("\n"))
        }
        Error::Missing { noun } => BootError::because(format!("There is no such {noun}.")),
        fault @ Error::Fault(_) => BootError::from_source("That did not work.", fault),
    }
}
