//! Whose a saved form is.
//!
//! Whoever saves a form may not have typed a name yet, or a part of it, so its contact may have none. The name that comes
//! later is that contact's, unless it is found to be somebody who is known already.

use chrono::{DateTime, Utc};
use entity::contact;
use entity::form_draft::Model;
use sea_orm::{DatabaseTransaction, EntityTrait};

use crate::contact::resolve::{self, Resolution};
use crate::error::Result;
use crate::lead::inquiry::Person;

/// Who a person is, in the light of a draft that may be theirs.
pub(in crate::lead) struct Whose {
    /// The person.
    pub(in crate::lead) who: Resolution,
    /// Whether the draft is theirs. A parent and a child on one address may each have their own.
    pub(in crate::lead) is_theirs: bool,
}

/// Finds out.
pub(in crate::lead) async fn whose(
    tx: &DatabaseTransaction,
    person: &Person,
    draft: Option<&Model>,
    now: DateTime<Utc>,
) -> Result<Whose> {
    let who = resolve::resolve(&resolve::sharing(tx, person).await?, person, now);
    let contact = match draft {
        Some(draft) => contact::Entity::find_by_id(draft.contact_id).one(tx).await?,
        None => None,
    };
    let Some(contact) = contact.filter(|contact| contact.erased_at.is_none()) else {
        return Ok(Whose {
            who,
            is_theirs: false,
        });
    };
    let same = who.contact().id == contact.id;
    let fits = resolve::names_fit(&contact, person);
    Ok(Whose {
        is_theirs: same || fits,
        who: match who {
            Resolution::New { .. } if fits && resolve::shares_email(&contact, person) => {
                resolve::named(contact, person, now)
            }
            who => who,
        },
    })
}
