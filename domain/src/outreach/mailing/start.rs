//! A mailing is started: from now on workers plan its mails.

use chrono::{DateTime, TimeDelta, Utc};
use entity::campaign::{self, CampaignState};
use entity::id::MailingId;
use entity::mailing::{MailingState, Model};
use entity::mailing_progress::{self, MailingWork};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::{find, same_version};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::nudge::Subject;
use crate::outreach::gate::CampaignNow;
use crate::outreach::template::seal::is_approved;
use crate::playbook::Playbook;
use crate::report::hospital_zone;
use crate::viewer::Viewer;

/// How far ahead mails can be planned.
pub const MAX_AHEAD: TimeDelta = TimeDelta::days(90);

/// A mailing to start.
#[derive(Clone, Copy, Debug)]
pub struct StartMailing {
    /// The mailing, a draft.
    pub id: MailingId,
    /// The version that was read, to find out if somebody was faster.
    pub version: Option<i64>,
    /// When its mails are to go; else when the draft says, else now.
    pub send_at: Option<DateTime<Utc>>,
}

/// Starts a mailing. Its audience are the leads that there are now; who comes in later is not among them.
///
/// # Errors
/// [`Error::Missing`] when the viewer may not see it; [`Error::Refused`] with everything that stands in its way.
pub async fn start(h: &Hospital, viewer: &Viewer, input: StartMailing) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let before = find::for_change(&tx, viewer, input.id).await?;
    same_version(&before, input.version)?;
    let now = h.now();
    let send_at = input.send_at.or(before.send_at).unwrap_or(now);
    let campaign = campaign::Entity::find_by_id(before.campaign_id)
        .one(&tx)
        .await?
        .ok_or_else(|| Error::fault("a mailing's campaign is gone"))?;
    check_draft(&before)?;
    let mut refusals = hindrances(&before, &playbook);
    refusals.extend(wrong_time(send_at, &campaign, &playbook, now));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let version = before.version + 1;
    let mut row = before.into_active_model();
    row.state = Set(MailingState::Started);
    row.send_at = Set(Some(send_at));
    row.started_at = Set(Some(now));
    row.version = Set(version);
    row.updated_at = Set(now);
    let row = row.update(&tx).await?;
    // Every lead that came in before has a smaller id.
    let here = new_id(now);
    let progress = mailing_progress::ActiveModel {
        mailing_id: Set(row.id),
        work: Set(MailingWork::Planning),
        from_lead_id: Set(here),
        before_lead_id: Set(here),
        withheld_to_id: Set(None),
        looked_at: Set(0),
        planned: Set(0),
        deferred: Set(0),
        accepted: Set(0),
        refused: Set(0),
        withheld: Set(0),
        unknown: Set(0),
        due_at: Set(now),
        finished_at: Set(None),
    };
    progress.insert(&tx).await?;
    audit::record(viewer.actor(), "mailing.start", Some(&row.id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done {
        value: row,
        signals: Vec::new(),
        nudges: vec![Subject::Mailings],
    })
}

/// Only a draft can be started, and of nothing else it is worth saying more.
fn check_draft(mailing: &Model) -> Result<()> {
    let message = match mailing.state {
        MailingState::Draft => return Ok(()),
        MailingState::Started => "The mailing is started already.",
        MailingState::Stopped => "The mailing was stopped; prepare a new one.",
    };
    Err(Error::refused(Code::NotAllowedNow, "id", message))
}

/// What stands in the way of a mailing, whatever its time.
fn hindrances(mailing: &Model, playbook: &Playbook) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let version = playbook
        .template_current
        .get(&mailing.template_id)
        .and_then(|id| playbook.template_versions.get(id));
    let Some(version) = version else {
        let message = "The template has no text yet.";
        refusals.push(Refusal::new(Code::NotAllowedNow, "templateId", message));
        return refusals;
    };
    if !is_approved(version) {
        let message = "The template is not approved.";
        refusals.push(Refusal::new(Code::NotAllowedNow, "templateId", message));
    }
    // Who was asked in a language is written to in it.
    let wanted = &mailing.audience.languages;
    let speaks = if wanted.is_empty() {
        playbook.forms.values().all(|form| version.speaks(&form.language))
    } else {
        wanted.iter().all(|language| version.speaks(language))
    };
    if !speaks {
        let message = "The template has no text in one of the languages of the audience.";
        refusals.push(Refusal::new(Code::NotAllowedNow, "templateId", message));
    }
    refusals
}

/// What is wrong with the time at which mails would go.
pub(super) fn wrong_time(
    send_at: DateTime<Utc>,
    campaign: &campaign::Model,
    playbook: &Playbook,
    now: DateTime<Utc>,
) -> Option<Refusal> {
    let campaign_then = CampaignNow::of(campaign, 0, hospital_zone(playbook));
    if campaign.state == CampaignState::Ended {
        let message = "The campaign is over.";
        return Some(Refusal::new(Code::NotAllowedNow, "campaignId", message));
    }
    let message = if send_at < now {
        "This time has passed."
    } else if send_at > now + MAX_AHEAD {
        "Mails are planned at most 90 days ahead."
    } else if campaign_then.closes_at.is_some_and(|closes| closes <= send_at) {
        "The campaign is over by then."
    } else {
        return None;
    };
    Some(Refusal::new(Code::Invalid, "sendAt", message))
}
