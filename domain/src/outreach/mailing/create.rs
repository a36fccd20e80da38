//! A mailing is prepared.

use chrono::{DateTime, Utc};
use entity::campaign;
use entity::enums::Purpose;
use entity::id::{CampaignId, TemplateId};
use entity::mailing::{ActiveModel, Audience, MailingState, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait};

use super::audience;
use super::start::wrong_time;
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::readable::misleads;
use crate::viewer::Viewer;

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 120;

/// A mailing to prepare.
#[derive(Clone, Debug)]
pub struct CreateMailing {
    /// The name that people read.
    pub name: String,
    /// The campaign that it belongs to.
    pub campaign_id: CampaignId,
    /// The text, whose purpose becomes the mailing's.
    pub template_id: TemplateId,
    /// Whom it is for.
    pub audience: Audience,
    /// When its mails are to go; starting it may say so instead.
    pub send_at: Option<DateTime<Utc>>,
}

/// Prepares a mailing. Nothing is planned until it is started.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] with all that is wrong with it.
pub async fn create(h: &Hospital, viewer: &Viewer, input: CreateMailing) -> Result<Done<Model>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "mailing" });
    }
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let mut refusals = Vec::new();
    let name = input.name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(misleads) {
        let message = "A name has 1 to 120 characters.";
        refusals.push(Refusal::new(Code::Invalid, "name", message));
    }
    match campaign::Entity::find_by_id(input.campaign_id).one(&tx).await? {
        None => refusals.push(Refusal::new(
            Code::NotFound,
            "campaignId",
            "There is no such campaign.",
        )),
        Some(campaign) => refusals.extend(
            input
                .send_at
                .and_then(|send_at| wrong_time(send_at, &campaign, &playbook, now)),
        ),
    }
    let template = playbook.templates.get(&input.template_id);
    match template.map(|template| template.purpose) {
        None => refusals.push(Refusal::new(
            Code::NotFound,
            "templateId",
            "There is no such template.",
        )),
        // Somebody waits for a reminder, and it goes to who has booked.
        Some(Purpose::Reminder) => refusals.push(Refusal::new(
            Code::Invalid,
            "templateId",
            "Reminders are sent by sequences, not to an audience.",
        )),
        Some(_) => {}
    }
    let (audience, wrong) = audience::read(input.audience, &playbook);
    refusals.extend(wrong);
    let Some(template) = template.filter(|_| refusals.is_empty()) else {
        return Err(Error::Refused(refusals));
    };
    let actor = viewer.actor();
    let row = ActiveModel {
        id: Set(new_id(now)),
        campaign_id: Set(input.campaign_id),
        template_id: Set(template.id),
        name: Set(name),
        purpose: Set(template.purpose),
        audience: Set(audience),
        state: Set(MailingState::Draft),
        send_at: Set(input.send_at),
        created_by_kind: Set(actor.kind),
        created_by_id: Set(actor.id),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        started_at: Set(None),
        stopped_at: Set(None),
    };
    let row = row.insert(&tx).await?;
    audit::record(actor, "mailing.create", Some(&row.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}
