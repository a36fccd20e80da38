//! What contacts wish for promotional mail.

use async_graphql::{Error, SimpleObject};
use entity::id::ContactId;

use super::ask::Ask;
use super::directory::{ServiceLine, service_line};
use super::loaders::{LineWishesOf, WishesOf};
use super::scalars::DateTime;

/// What a contact wishes for promotional mail. It only makes less of what the contact allows.
#[derive(SimpleObject)]
pub struct ContactPreferences {
    /// No promotional mail before this moment.
    paused_until: Option<DateTime>,
    /// The most promotional mails in seven days; null: no limit of the contact's own.
    max_per_week: Option<i32>,
    /// What the contact said about service lines. One that is not here is wanted as far as the consent goes.
    lines: Vec<LinePreference>,
    /// When the pause or the limit last changed; null if the contact never said anything about them.
    updated_at: Option<DateTime>,
}

/// Whether a contact wants promotional mail about a service line.
#[derive(SimpleObject)]
pub struct LinePreference {
    /// The service line.
    service_line: ServiceLine,
    /// Whether it is wanted.
    wanted: bool,
    /// When the contact said so.
    updated_at: DateTime,
}

/// What a contact wishes, read together with that of the other contacts of a page.
pub async fn preferences(ask: &Ask, contact_id: ContactId) -> Result<ContactPreferences, Error> {
    let wishes = ask.load(WishesOf(contact_id)).await?;
    let mut lines = Vec::new();
    for row in ask.load(LineWishesOf(contact_id)).await?.unwrap_or_default() {
        if let Some(line) = service_line(ask, Some(row.service_line_id)).await? {
            lines.push(LinePreference {
                service_line: line,
                wanted: row.wanted,
                updated_at: row.updated_at.into(),
            });
        }
    }
    Ok(ContactPreferences {
        paused_until: wishes.as_ref().and_then(|row| row.paused_until).map(Into::into),
        max_per_week: wishes.as_ref().and_then(|row| row.max_per_week),
        lines,
        updated_at: wishes.map(|row| row.updated_at.into()),
    })
}
