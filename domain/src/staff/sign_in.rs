//! Sign-in with a password.
//!
//! What comes back for an unknown name, a wrong password, a person who has left and an account under attack is one
//! and the same, and so is the work: two counts, a hash, two rows. Guessing is slowed down per name and place: after
//! [`FAILURES_MAX`] failures within [`FAILURES_WITHIN_MINS`] minutes a name is refused there, even with the right
//! password, until they are that old. Elsewhere the person signs in as ever, so nobody is kept out by a stranger's
//! guesses. Only after [`FAILURES_ANYWHERE_MAX`] failures, which takes many places at once, is the name refused
//! everywhere: a password is worth more than a quarter of an hour. The failures are audit events about keyed hashes of the
//! name, alone and with the place, so they hold for every process and after a restart, and for names that do not exist
//! too. A door should limit tries per address as well.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::ActorKind;
use entity::{audit_event, session, staff};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter,
};
use tokio::sync::Semaphore;

use super::{password, session as sessions};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::viewer::Actor;

/// Failures from one place after which a name is refused there.
pub const FAILURES_MAX: u64 = 10;
/// Failures from all places together after which a name is refused everywhere.
pub const FAILURES_ANYWHERE_MAX: u64 = 200;
/// How long a failure counts, in minutes.
pub const FAILURES_WITHIN_MINS: i64 = 15;

/// What a failure is called in the audit.
const FAILED: &str = "staff.sign_in_failed";

/// Sign-ins at work in this process. It bounds the memory that hashing takes, and by how much tries at one moment can
/// exceed [`FAILURES_MAX`].
static AT_WORK: Semaphore = Semaphore::const_new(4);

/// A name and a password as they were typed.
#[derive(Clone)]
pub struct SignIn {
    /// The sign-in name.
    pub email: String,
    /// The password.
    pub password: String,
    /// Where it was typed: a network address, as the door tells places apart. It is kept as a keyed hash.
    pub place: String,
}

/// A person who is signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// What the cookie carries. It is stored nowhere and told once.
    pub secret: String,
    /// The session.
    pub session: session::Model,
    /// The person.
    pub staff: staff::Model,
}

/// Signs a person in and opens a session.
///
/// # Errors
/// [`Code::SignInFailed`] for whatever is wrong, or a fault of the database.
pub async fn sign_in(h: &Hospital, input: SignIn) -> Result<Done<SignedIn>> {
    let _turn = AT_WORK
        .acquire()
        .await
        .map_err(|closed| Error::Fault(Box::new(closed)))?;
    let email = input.email.trim().to_lowercase();
    let name = hash(h, "SIGN_IN", &email);
    let name_here = hash(h, "SIGN_IN_FROM", &format!("{} {email}", input.place));
    let tries_left = failures(&h.db, &name_here, h.now()).await? < FAILURES_MAX
        && failures(&h.db, &name, h.now()).await? < FAILURES_ANYWHERE_MAX;
    let found = staff::Entity::find()
        .filter(staff::Column::Email.eq(email))
        .filter(staff::Column::Active.eq(true))
        .one(&h.db)
        .await?;
    let stored = found.as_ref().and_then(|staff| staff.password_hash.clone());
    let matches = password::verify(input.password, stored).await?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    match found {
        Some(staff) if matches && tries_left => {
            let signed_in = open(&tx, staff, now).await?;
            tx.commit().await?;
            Ok(Done::quiet(signed_in))
        }
        _ => {
            // A name that is refused anyway needs no more rows.
            if tries_left {
                for subject in [name, name_here] {
                    audit::record(Actor::VISITOR, FAILED, Some(&subject), None, now)
                        .insert(&tx)
                        .await?;
                }
            }
            tx.commit().await?;
            Err(Error::refused(
                Code::SignInFailed,
                "",
                "The email address or the password is not right.",
            ))
        }
    }
}

async fn open(tx: &DatabaseTransaction, staff: staff::Model, now: DateTime<Utc>) -> Result<SignedIn> {
    sessions::clear_ended(tx, staff.id, now).await?;
    let (secret, session) = sessions::new(staff.id, now);
    let session = session.insert(tx).await?;
    let actor = Actor {
        kind: ActorKind::Staff,
        id: Some(staff.id.0),
    };
    audit::record(actor, "staff.sign_in", Some(&session.id), None, now)
        .insert(tx)
        .await?;
    Ok(SignedIn {
        secret,
        session,
        staff,
    })
}

/// How a name stands in the audit: the same for the same name, and no address.
fn hash(h: &Hospital, kind: &str, name: &str) -> String {
    let hash = h.secrets.address_hash(kind, name);
    format!("signin_{}", hex::encode(&hash[..16]))
}

async fn failures(conn: &impl ConnectionTrait, subject: &str, now: DateTime<Utc>) -> Result<u64> {
    let count = audit_event::Entity::find()
        .filter(audit_event::Column::SubjectId.eq(subject))
        .filter(audit_event::Column::Action.eq(FAILED))
        .filter(audit_event::Column::At.gt(now - TimeDelta::minutes(FAILURES_WITHIN_MINS)))
        .count(conn)
        .await?;
    Ok(count)
}
