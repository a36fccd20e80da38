//! What evidence makes of the message itself: a line of its history, and an end to doubt.

use chrono::{DateTime, Utc};
use entity::lead_event::{self, LeadEventKind};
use entity::message::{Column, Entity, MessageState, Model};
use entity::message_event::{self, MessageEventKind};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
};

use super::{What, event_of};
use crate::error::Result;
use crate::lead::event::NewEvent;
use crate::outreach::plan;
use crate::signal::Signal;
use crate::viewer::Actor;

/// What somebody says of a message of which nobody knows whether it went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It was taken.
    Accepted,
    /// It was not.
    Refused,
}

/// Writes the history of a message. Answers whether this was new: the same bounce by two doors is one.
pub(super) async fn write_down(
    tx: &DatabaseTransaction,
    message: &Model,
    what: &What,
    now: DateTime<Utc>,
) -> Result<bool> {
    let kind = event_of(what);
    let detail = match what {
        What::Bounced { class, status } => {
            let status = status.as_deref().unwrap_or_default();
            Some(format!("{} {status}", class.name()).trim_end().to_owned())
        }
        _ => None,
    };
    let known = match what {
        // A person may answer twice.
        What::Replied { .. } | What::AutoReplied | What::Unsubscribed { .. } => false,
        What::Bounced { class, .. } => had(tx, message, kind, Some(class.name())).await?,
        What::Complained | What::Delivered => had(tx, message, kind, None).await?,
    };
    if known {
        return Ok(false);
    }
    plan::event(message.id, kind, detail.as_deref(), now)
        .insert(tx)
        .await?;
    Ok(true)
}

async fn had(
    tx: &DatabaseTransaction,
    message: &Model,
    kind: MessageEventKind,
    start: Option<&str>,
) -> Result<bool> {
    let mut events = message_event::Entity::find()
        .filter(message_event::Column::MessageId.eq(message.id))
        .filter(message_event::Column::Kind.eq(kind));
    if let Some(start) = start {
        events = events.filter(message_event::Column::Detail.starts_with(start));
    }
    Ok(events.count(tx).await? > 0)
}

/// What the evidence says of the doubt about its message.
pub(super) const fn says(what: &What) -> Said {
    match what {
        What::Bounced { .. } => Said::Refused,
        // Whoever answers or complains has got it.
        _ => Said::Accepted,
    }
}

/// Ends the doubt about a message, whose contact is held. Answers whether there was one.
///
/// That it arrived also ends a try that is still to come: the first try was thought lost, and the mail would come twice.
pub(crate) async fn settle(
    tx: &DatabaseTransaction,
    message: &Model,
    said: Said,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<Option<Signal>>> {
    let unknown = Condition::any().add(Column::State.eq(MessageState::Unknown));
    let (state, kind, in_doubt) = match said {
        Said::Accepted => {
            let to_be_tried_again = Condition::all()
                .add(Column::State.is_in([
                    MessageState::Planned,
                    MessageState::Deferred,
                    MessageState::Claimed,
                ]))
                .add(Column::Attempts.gt(0));
            (
                MessageState::Accepted,
                MessageEventKind::Accepted,
                unknown.add(to_be_tried_again),
            )
        }
        Said::Refused => (MessageState::Refused, MessageEventKind::Refused, unknown),
    };
    let sent_at = (said == Said::Accepted).then(|| message.handed_off_at.unwrap_or(now));
    let changed = Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::Fence, Expr::col(Column::Fence).add(1))
        .col_expr(Column::LeaseUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::SentAt, Expr::value(sent_at))
        .col_expr(Column::SettledAt, Expr::value(now))
        .filter(Column::Id.eq(message.id))
        .filter(in_doubt)
        .exec(tx)
        .await?;
    if changed.rows_affected == 0 {
        return Ok(None);
    }
    plan::event(message.id, kind, Some(by), now).insert(tx).await?;
    let (Said::Accepted, Some(lead_id), Some(_)) = (said, message.lead_id, message.contact_id) else {
        return Ok(Some(None));
    };
    let event = NewEvent::new(lead_id, LeadEventKind::MessageSent, Actor::SYSTEM, now)
        .with("messageId", message.id.to_string())
        .with("messageKind", message.kind.as_str());
    let signal = event.signal();
    lead_event::Entity::insert(event.row())
        .exec_without_returning(tx)
        .await?;
    Ok(Some(Some(signal)))
}
