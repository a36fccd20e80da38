//! A person joins.

use chrono_tz::Tz;
use entity::enums::Role;
use entity::id::TeamId;
use entity::staff::{ActiveModel, Model};
use entity::team_member;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, SqlErr};

use super::password;
use crate::audit;
use crate::contact::email::EmailAddress;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::follow_up::digest;
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::playbook::{self, Playbook};
use crate::viewer::Actor;

/// Longest display name, in characters.
pub const MAX_NAME_CHARS: usize = 120;
/// Most teams of one person.
const TEAMS_MAX: usize = 50;

/// A person to add.
#[derive(Clone)]
pub struct AddStaff {
    /// Sign-in name and address of reminders.
    pub email: String,
    /// The name that people read.
    pub display_name: String,
    /// What the person may do.
    pub role: Role,
    /// IANA time zone of the person's mails.
    pub time_zone: String,
    /// The first password; none for a person who cannot sign in by password.
    pub password: Option<String>,
    /// The teams that the person joins.
    pub teams: Vec<TeamId>,
}

/// Adds a person. Only the operator can do this, at the command line and when a demo hospital is made.
///
/// # Errors
/// Every refusal at once; [`Code::AlreadyExists`] for an address that somebody has; or a fault of the database.
pub async fn add(h: &Hospital, input: AddStaff) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let checked = check(input, &playbook).map_err(Error::Refused)?;
    let password_hash = match checked.password {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    let now = h.now();
    let row = ActiveModel {
        id: Set(new_id(now)),
        email: Set(checked.email),
        display_name: Set(checked.display_name),
        role: Set(checked.role),
        time_zone: Set(checked.time_zone),
        password_hash: Set(password_hash),
        max_open: Set(None),
        active: Set(true),
        created_at: Set(now),
    };
    let tx = db::begin_write(&h.db).await?;
    let staff = row.insert(&tx).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Error::refused(Code::AlreadyExists, "email", "Somebody has this address already.")
        }
        _ => error.into(),
    })?;
    if !checked.teams.is_empty() {
        let members = checked.teams.iter().map(|team| team_member::ActiveModel {
            team_id: Set(*team),
            staff_id: Set(staff.id),
        });
        team_member::Entity::insert_many(members)
            .exec_without_returning(&tx)
            .await?;
    }
    digest::expect_everybody(&tx).await?;
    audit::record(Actor::SYSTEM, "staff.add", Some(&staff.id), None, now)
        .insert(&tx)
        .await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(staff))
}

/// Reads the input; every refusal at once.
fn check(mut input: AddStaff, playbook: &Playbook) -> Result<AddStaff, Vec<Refusal>> {
    let mut refusals = Vec::new();
    match EmailAddress::parse(&input.email) {
        Ok(email) => input.email = email.normalized(),
        Err(invalid) => refusals.push(Refusal::new(Code::Invalid, "email", invalid.message)),
    }
    input.display_name = input
        .display_name
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if input.display_name.is_empty() || input.display_name.chars().count() > MAX_NAME_CHARS {
        refusals.push(Refusal::new(
            Code::Invalid,
            "displayName",
            "A name has 1 to 120 characters.",
        ));
    }
    if input.time_zone.parse::<Tz>().is_err() {
        let message = "Write a time zone like America/New_York.";
        refusals.push(Refusal::new(Code::Invalid, "timeZone", message));
    }
    refusals.extend(
        input
            .password
            .as_deref()
            .and_then(|password| password::check(password).err()),
    );
    input.teams.sort_unstable();
    input.teams.dedup();
    if input.teams.len() > TEAMS_MAX {
        refusals.push(Refusal::new(
            Code::TooLarge,
            "teams",
            "A person joins at most 50 teams.",
        ));
    } else if input.teams.iter().any(|team| !playbook.teams.contains_key(team)) {
        refusals.push(Refusal::new(Code::NotFound, "teams", "There is no such team."));
    }
    if refusals.is_empty() {
        Ok(input)
    } else {
        Err(refusals)
    }
}
