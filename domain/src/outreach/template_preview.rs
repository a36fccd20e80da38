//! Templates looked at before they go out: filled in for a chosen lead, or sent to a member of staff as a test.

use chrono::TimeDelta;
use entity::appointment::{self, AppointmentState};
use entity::enums::Purpose;
use entity::id::{LeadId, MessageId, StaffId, TemplateId, TemplateVersionId};
use entity::message::{self, Lane, MessageKind, MessageState};
use entity::{contact, message_event, staff, template_version};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::plan::{nudge_for, own_subject, planned_event, rfc_message_id};
use super::template::{MailFacts, Rendered, Renderer, sample};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::lead::find;
use crate::viewer::Viewer;

/// How long a test mail may be tried.
const TEST_TTL: TimeDelta = TimeDelta::hours(4);

/// What a lead's contact would read. That somebody looked is written down, because a person's facts are in it.
///
/// # Errors
/// [`Error::Missing`] for a lead that the viewer may not see, or no such version; [`Error::Refused`] when the version
/// cannot be filled in; or a fault of the database.
pub async fn preview(
    h: &Hospital,
    viewer: &Viewer,
    version_id: TemplateVersionId,
    lead_id: LeadId,
    language: Option<&str>,
) -> Result<Rendered> {
    let lead = find::by_id(&h.db, viewer, lead_id).await?;
    let version = template_version::Entity::find_by_id(version_id)
        .one(&h.db)
        .await?
        .ok_or(Error::Missing { noun: "template" })?;
    let contact = contact::Entity::find_by_id(lead.contact_id)
        .one(&h.db)
        .await?
        .ok_or(Error::Missing { noun: "lead" })?;
    let now = h.now();
    let visit = appointment::Entity::find()
        .filter(appointment::Column::LeadId.eq(lead.id))
        .filter(appointment::Column::State.eq(AppointmentState::Booked))
        .filter(appointment::Column::StartsAt.gte(now))
        .order_by_asc(appointment::Column::StartsAt)
        .one(&h.db)
        .await?;
    let playbook = h.playbook().await?;
    let facts = MailFacts {
        // The real addresses would act for the person whoever tries them.
        unsubscribe_url: sample::UNSUBSCRIBE_URL,
        preferences_url: sample::PREFERENCES_URL,
        finish_url: sample::FINISH_URL,
        ..MailFacts::of(&h.site, &playbook, &contact, Some(&lead), visit.as_ref())
    };
    let body = version.body(language.unwrap_or(&contact.language));
    let rendered = body.ok_or(Error::Missing { noun: "template" }).and_then(|body| {
        Renderer::default().render_body(body, &facts).map_err(|fault| {
            Error::refused(
                Code::Invalid,
                "versionId",
                format!("It cannot be filled in: {fault}."),
            )
        })
    })?;
    audit::record(viewer.actor(), "template.preview", Some(&lead.id), None, now)
        .insert(&h.db)
        .await?;
    Ok(rendered)
}

/// Plans a mail with a made-up person's facts to a member of staff, approved or not: it goes nowhere else.
///
/// # Errors
/// [`Error::Missing`] when there is no such template or nobody of that id works here; or a fault of the database.
pub async fn send_test(
    h: &Hospital,
    viewer: &Viewer,
    template_id: TemplateId,
    staff_id: StaffId,
    language: Option<String>,
) -> Result<Done<message::Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "template" });
    }
    let version = template_version::Entity::find()
        .filter(template_version::Column::TemplateId.eq(template_id))
        .filter(Expr::cust(template_version::COUNTS))
        .one(&h.db)
        .await?
        .ok_or(Error::Missing { noun: "template" })?;
    let recipient = staff::Entity::find_by_id(staff_id).one(&h.db).await?;
    let recipient = recipient
        .filter(|staff| staff.active)
        .ok_or(Error::Missing { noun: "staff" })?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let id: MessageId = new_id(now);
    let row = message::ActiveModel {
        id: Set(id),
        kind: Set(MessageKind::TemplateTest),
        lane: Set(Lane::Waiting),
        purpose: Set(Purpose::Reminder),
        origin_key: Set(Some(format!("template-test/{}", id.0))),
        staff_id: Set(Some(recipient.id)),
        template_version_id: Set(Some(version.id)),
        language: Set(language),
        subject: Set(own_subject(&version)),
        rfc_message_id: Set(rfc_message_id(id, &h.site)),
        state: Set(MessageState::Planned),
        due_at: Set(now),
        expires_at: Set(now + TEST_TTL),
        attempts: Set(0),
        fence: Set(0),
        created_at: Set(now),
        ..Default::default()
    };
    let event = planned_event(&row, now);
    let message = row.insert(&tx).await?;
    message_event::Entity::insert(event)
        .exec_without_returning(&tx)
        .await?;
    audit::record(viewer.actor(), "template.test", Some(&template_id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: message,
        signals: Vec::new(),
        nudges: vec![nudge_for(Lane::Waiting)],
    })
}
