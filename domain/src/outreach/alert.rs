//! Tells those who answer for sending that something was stopped.

use chrono::{DateTime, Utc};
use entity::enums::Role;
use entity::message::MessageKind;
use sea_orm::DatabaseTransaction;

use super::staff_notice;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::playbook::Playbook;

/// Members of staff who are told.
pub const ALERTED_MAX: usize = 50;

/// Plans a mail to every administrator and to marketing operations, within the caller's transaction. `subject` says all
/// that there is to say, without personal data; `origin` names the cause, so that nobody is told twice.
///
/// # Errors
/// When the database fails.
pub(super) async fn plan(
    tx: &DatabaseTransaction,
    h: &Hospital,
    playbook: &Playbook,
    subject: &str,
    origin: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut told: Vec<_> = playbook
        .staff
        .values()
        .filter(|staff| matches!(staff.role, Role::Admin | Role::MarketingOps))
        .map(|staff| staff.id)
        .collect();
    told.sort_unstable();
    let notices = told
        .into_iter()
        .take(ALERTED_MAX)
        .map(|id| staff_notice::about_no_lead(&h.site, MessageKind::SendingAlert, id, subject, origin, now))
        .collect();
    staff_notice::plan(tx, notices, now).await?;
    Ok(())
}
