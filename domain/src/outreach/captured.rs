//! Mails that are kept instead of sent, when no mail server is set: the outbox of an embedded or demo installation.

use chrono::{DateTime, Utc};
use entity::captured_mail::{ActiveModel, Column, Entity, Model};
use entity::id::MessageId;
use entity::{lead, message};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};

use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::lead::find::in_scope;
use crate::viewer::{Scope, Viewer};

/// Longest page of the outbox.
pub const PAGE_MAX: u64 = 100;

/// A mail to be kept.
#[derive(Clone)]
pub struct Kept {
    /// The envelope's recipient.
    pub recipient: String,
    /// The mail as it would have gone out (RFC 5322).
    pub raw: Vec<u8>,
}

// Names a person, so it prints its size alone.
impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} bytes)", self.raw.len())
    }
}

/// The row of a kept mail.
pub(super) fn row(message_id: MessageId, mail: &Kept, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        message_id: Set(message_id),
        recipient: Set(mail.recipient.clone()),
        raw: Set(mail.raw.clone()),
        captured_at: Set(now),
    }
}

/// A line of the outbox.
#[derive(Clone, FromQueryResult)]
pub struct Listed {
    /// The message.
    pub message_id: MessageId,
    /// What it is.
    pub kind: message::MessageKind,
    /// The subject line as it was sent.
    pub subject: String,
    /// The envelope's recipient.
    pub recipient: String,
    /// When.
    pub captured_at: DateTime<Utc>,
}

/// The newest kept mails that the viewer may see, at most [`PAGE_MAX`]; `before` is the last line of the page before.
///
/// # Errors
/// When the database fails.
pub async fn list(
    h: &Hospital,
    viewer: &Viewer,
    before: Option<(DateTime<Utc>, MessageId)>,
    limit: u64,
) -> Result<Vec<Listed>> {
    let to_message = Entity::belongs_to(message::Entity)
        .from(Column::MessageId)
        .to(message::Column::Id)
        .into();
    let mut query = Entity::find()
        .select_only()
        .columns([Column::MessageId, Column::Recipient, Column::CapturedAt])
        .column(message::Column::Kind)
        .column(message::Column::Subject)
        .join(JoinType::InnerJoin, to_message)
        .filter(visible_to(viewer))
        .order_by_desc(Column::CapturedAt)
        .order_by_desc(Column::MessageId)
        .limit(limit.clamp(1, PAGE_MAX));
    if let Some((at, id)) = before {
        let earlier = Condition::any().add(Column::CapturedAt.lt(at)).add(
            Condition::all()
                .add(Column::CapturedAt.eq(at))
                .add(Column::MessageId.lt(id)),
        );
        query = query.filter(earlier);
    }
    Ok(query.into_model::<Listed>().all(&h.db).await?)
}

/// The kept mail of one message.
///
/// # Errors
/// [`Error::Missing`] when none was kept or the viewer may not see it.
pub async fn by_message(h: &Hospital, viewer: &Viewer, message_id: MessageId) -> Result<Model> {
    let found = Entity::find_by_id(message_id)
        .filter(visible_to(viewer))
        .one(&h.db)
        .await?;
    found.ok_or(Error::Missing { noun: "mail" })
}

/// Mails about leads that the viewer may see. A mail about no lead is for those who see all.
fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.scope() == Scope::All {
        return Condition::all();
    }
    let leads = lead::Entity::find()
        .select_only()
        .column(lead::Column::Id)
        .filter(in_scope(viewer))
        .into_query();
    let messages = message::Entity::find()
        .select_only()
        .column(message::Column::Id)
        .filter(Expr::col(message::Column::LeadId).in_subquery(leads))
        .into_query();
    Condition::all().add(Column::MessageId.in_subquery(messages))
}
