//! The way through an opaque link: where it leads, and what is written down of it.

use chrono::TimeDelta;
use entity::enums::Purpose;
use entity::id::{LinkVisitId, MessageId};
use entity::link_visit::{self, VisitWay};
use entity::{contact, lead, message, template_version};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::consent::lock::lock_contacts;
use crate::consent::unsubscribe::standing;
use crate::db;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::outreach::template::links;

/// Most visits that are kept of one mail. People do not come close; what scans without end is known by then.
pub const VISITS_MAX: u64 = 20;

/// How long visits of a mail are written down. Who opens an old mail looks something up, and no longer answers it.
pub const RECORDED_FOR: TimeDelta = TimeDelta::days(90);

/// Most versions of a template in which a link is looked for.
const VERSIONS_MAX: u64 = 50;

const MISSING: Error = Error::Missing { noun: "link" };

/// A link that was followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Followed {
    message_id: MessageId,
    link: i32,
    /// Where it leads.
    pub target: String,
}

impl std::fmt::Debug for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Followed(hidden)")
    }
}

/// Where a link leads. Writes nothing. A link leads there for as long as its text is kept, whatever its reader allows.
///
/// # Errors
/// [`Error::Missing`] for a token that was not made here.
pub async fn look_up(h: &Hospital, token: &str) -> Result<Followed> {
    let (message_id, link) = h.secrets.open_link_token(token).ok_or(MISSING)?;
    let message_id = MessageId(message_id);
    let found = message::Entity::find_by_id(message_id).one(&h.db).await?;
    let version_id = found.and_then(|row| row.template_version_id).ok_or(MISSING)?;
    let playbook = h.playbook().await?;
    let version = match playbook.template_versions.get(&version_id) {
        Some(version) => version.clone(),
        None => template_version::Entity::find_by_id(version_id)
            .one(&h.db)
            .await?
            .ok_or(MISSING)?,
    };
    let target = match links::target(&version, &h.secrets, link) {
        Some(target) => target,
        None => in_other_versions(h, &version, link).await?,
    };
    Ok(Followed {
        message_id,
        link,
        target,
    })
}

/// A mail that was sent twice may have gone out with an older text before.
async fn in_other_versions(h: &Hospital, version: &template_version::Model, link: i32) -> Result<String> {
    let versions = template_version::Entity::find()
        .filter(template_version::Column::TemplateId.eq(version.template_id))
        .order_by_desc(template_version::Column::Version)
        .limit(VERSIONS_MAX)
        .all(&h.db)
        .await?;
    let mut targets = versions
        .iter()
        .filter_map(|version| links::target(version, &h.secrets, link));
    targets.next().ok_or(MISSING)
}

/// Writes a visit down, if the contact allows it now. Answers whether it did.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn record(h: &Hospital, followed: &Followed, way: VisitWay) -> Result<bool> {
    let tx = db::begin_write(&h.db).await?;
    let found = message::Entity::find_by_id(followed.message_id).one(&tx).await?;
    let Some((message, contact_id)) = found.and_then(|row| row.contact_id.map(|contact| (row, contact)))
    else {
        return Ok(false);
    };
    // A withdrawal or an erasure comes before this or after it, and of two visits at one moment both are counted.
    lock_contacts(&tx, &[contact_id]).await?;
    let now = h.now();
    let Some(contact) = contact::Entity::find_by_id(contact_id).one(&tx).await? else {
        return Ok(false);
    };
    let visits = link_visit::Entity::find().filter(link_visit::Column::MessageId.eq(message.id));
    let is_over = message.created_at + RECORDED_FOR < now || lead_is_erased(&tx, &message).await?;
    if is_over
        || !standing(&tx, &contact, Purpose::Tracking, now)
            .await?
            .is_granted()
        || visits.count(&tx).await? >= VISITS_MAX
    {
        return Ok(false);
    }
    let row = link_visit::ActiveModel {
        id: Set(new_id::<LinkVisitId>(now)),
        message_id: Set(message.id),
        link: Set(followed.link),
        at: Set(now),
        way: Set(way),
        verdict: Set(None),
        reason: Set(None),
    };
    row.insert(&tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether the lead that a mail was about is erased, and its visits with it.
async fn lead_is_erased(tx: &DatabaseTransaction, message: &message::Model) -> Result<bool> {
    let Some(lead_id) = message.lead_id else {
        return Ok(false);
    };
    let lead = lead::Entity::find_by_id(lead_id).one(tx).await?;
    Ok(lead.is_none_or(|lead| lead.erased_at.is_some()))
}
