//! Mails to staff: a follow-up was assigned, is due soon, is late; nobody tries to reach a lead, or it was handed on; a
//! sequence tells them of a lead.
//!
//! They go through the same outbox as every mail. Only the subject is written here, and it holds nothing about the
//! person: mail of staff is read on locked screens. The text is made by the worker when the mail goes out, so that it
//! speaks of the follow-up as it then is.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::enums::Purpose;
use entity::id::{MessageId, StaffId};
use entity::message::{ActiveModel, Column, Entity, Lane, MessageKind, MessageState};
use entity::message_event::{self, MessageEventKind};
use entity::sequence_version::Told;
use entity::sla_policy::SlaStep;
use entity::{follow_up, lead};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, TryInsertResult};

use super::plan::rfc_message_id;
use crate::db::BATCH_MAX;
use crate::error::Result;
use crate::hospital::Site;
use crate::id::new_id;
use crate::playbook::Playbook;
use crate::viewer::Actor;

#[cfg(test)]
mod tests;

/// Members of a team who are told of a late follow-up that nobody has taken.
pub const LATE_NOTICES_MAX: usize = 20;
/// Members of a team whom one step of a sequence tells.
pub const SEQUENCE_NOTICES_MAX: usize = 20;
/// Hours after which a notice has lost its sense, from the due time or from now, whichever is later.
const EXPIRES_AFTER_HOURS: i64 = 24;

/// A notice about `follow_up` to one member of staff, with times in the zone of that person.
///
/// Its origin key says that each person is told once: of each assignment, and of each due time (a snoozed follow-up has
/// a new one).
pub fn build(
    site: &Site,
    playbook: &Playbook,
    kind: MessageKind,
    follow_up: &follow_up::Model,
    staff_id: StaffId,
    now: DateTime<Utc>,
) -> ActiveModel {
    let zone = zone_of(playbook, staff_id);
    let subject = subject(kind, follow_up.due_at, zone, now);
    let origin = origin_key(kind, follow_up, staff_id);
    ActiveModel {
        lead_id: Set(Some(follow_up.lead_id)),
        follow_up_id: Set(Some(follow_up.id)),
        expires_at: Set(follow_up.due_at.max(now) + TimeDelta::hours(EXPIRES_AFTER_HOURS)),
        ..notice(site, kind, staff_id, &subject, origin, now)
    }
}

/// The notice to the follow-up's assignee; none without an active assignee, or when the assignee is the actor: nobody is
/// mailed about their own doing.
pub fn to_assignee(
    site: &Site,
    playbook: &Playbook,
    kind: MessageKind,
    follow_up: &follow_up::Model,
    actor: Actor,
    now: DateTime<Utc>,
) -> Option<ActiveModel> {
    let staff = playbook.staff.get(&follow_up.assignee_id?)?;
    (actor.id != Some(staff.id.0)).then(|| build(site, playbook, kind, follow_up, staff.id, now))
}

/// The notices that a follow-up is late: to its assignee; to the team when it has none, or none who still works here. For
/// an assignee who is away the lead of the team is told, if there is one.
pub fn of_lateness(
    site: &Site,
    playbook: &Playbook,
    follow_up: &follow_up::Model,
    now: DateTime<Utc>,
) -> Vec<ActiveModel> {
    let assignee = follow_up.assignee_id.filter(|id| playbook.staff.contains_key(id));
    let told: Vec<StaffId> = match assignee {
        Some(id) if playbook.is_away(id, now) => vec![playbook.lead_of(follow_up.team_id).unwrap_or(id)],
        Some(id) => vec![id],
        None => playbook
            .members
            .get(&follow_up.team_id)
            .map(|members| members.iter().copied().take(LATE_NOTICES_MAX).collect())
            .unwrap_or_default(),
    };
    told.into_iter()
        .map(|id| build(site, playbook, MessageKind::FollowUpLate, follow_up, id, now))
        .collect()
}

/// The notice that nobody has tried to reach the person of a lead, to its owner or to the lead of its team.
///
/// Each person is told once of each step.
pub fn of_silence(
    site: &Site,
    playbook: &Playbook,
    lead: &lead::Model,
    step: SlaStep,
    staff_id: StaffId,
    now: DateTime<Utc>,
) -> ActiveModel {
    let zone = zone_of(playbook, staff_id);
    let time = short_time(lead.sla_due_at, zone, now);
    let whose = match step {
        SlaStep::WarnOwner => "Nobody has tried yet",
        SlaStep::TellLead | SlaStep::TakeBack => "Your team has not tried yet",
    };
    let subject = if now < lead.sla_due_at {
        format!("{whose}: a first contact is due at {time}")
    } else {
        format!("{whose}: a first contact was due at {time}")
    };
    let origin = format!("sla-{}/{}", step.as_str().to_lowercase(), lead.id.0.simple());
    ActiveModel {
        lead_id: Set(Some(lead.id)),
        ..about_no_lead(site, MessageKind::SlaWarning, staff_id, &subject, &origin, now)
    }
}

/// The notices that a lead was taken back.
///
/// They go to who lost it; to who has it now, unless mails about its work tell that person; and when anybody of the team can take it, to the lead of the team, or else to the team.
pub fn of_hand_on(
    site: &Site,
    playbook: &Playbook,
    lead: &lead::Model,
    from: Option<StaffId>,
    to: HandOn,
    now: DateTime<Utc>,
) -> Vec<ActiveModel> {
    let lost = "A lead has gone to somebody else: nobody had tried to reach the person";
    let got = "A lead was handed on to you: nobody has tried to reach the person";
    let anybodys = "A lead waits for anybody of the team: nobody has tried to reach the person";
    let (told, subject): (Vec<StaffId>, &str) = match to {
        HandOn::Told => (Vec::new(), got),
        HandOn::Untold(owner) => (vec![owner], got),
        HandOn::Nobody => {
            let members = playbook.members.get(&lead.team_id).into_iter().flatten();
            let others = members.copied().filter(|id| from != Some(*id));
            let told = match playbook.lead_of(lead.team_id) {
                Some(team_lead) => vec![team_lead],
                None => others.take(LATE_NOTICES_MAX).collect(),
            };
            (told, anybodys)
        }
    };
    let origin = format!("sla-handed-on/{}", lead.id.0.simple());
    let notice = |staff_id, subject, origin: &str| ActiveModel {
        lead_id: Set(Some(lead.id)),
        ..about_no_lead(site, MessageKind::SlaTakenBack, staff_id, subject, origin, now)
    };
    let loser = from.map(|id| notice(id, lost, &format!("sla-taken-back/{}", lead.id.0.simple())));
    let others = told.into_iter().map(|id| notice(id, subject, &origin));
    loser.into_iter().chain(others).collect()
}

/// Who has a lead that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOn {
    /// Somebody whom mails about its work tell.
    Told,
    /// Somebody who is to be told.
    Untold(StaffId),
    /// Nobody; anybody of the team can take it.
    Nobody,
}

/// The notices by which a step of a sequence tells staff of a lead.
///
/// Its owner is told, or its team when nobody serves it or the team is meant. `origin` names the visit of the step; each person is told once of it.
///
/// They name no enrollment: several go out of one visit of a step, and they are no mails to the contact.
pub fn of_sequence(
    site: &Site,
    playbook: &Playbook,
    lead: &lead::Model,
    to: Told,
    title: &str,
    origin: &str,
    now: DateTime<Utc>,
) -> Vec<ActiveModel> {
    let owner = lead
        .owner_id
        .filter(|id| to == Told::Owner && playbook.staff.contains_key(id));
    let told: Vec<StaffId> = match owner {
        Some(id) => vec![id],
        None => playbook
            .members
            .get(&lead.team_id)
            .map(|members| members.iter().copied().take(SEQUENCE_NOTICES_MAX).collect())
            .unwrap_or_default(),
    };
    told.into_iter()
        .map(|staff_id| ActiveModel {
            lead_id: Set(Some(lead.id)),
            ..about_no_lead(site, MessageKind::SequenceNotice, staff_id, title, origin, now)
        })
        .collect()
}

/// A notice to one member of staff about no lead. `origin` names its cause; each person is told once of it.
pub(crate) fn about_no_lead(
    site: &Site,
    kind: MessageKind,
    staff_id: StaffId,
    subject: &str,
    origin: &str,
    now: DateTime<Utc>,
) -> ActiveModel {
    let origin = format!("{origin}/{}", staff_id.0.simple());
    notice(site, kind, staff_id, subject, origin, now)
}

fn notice(
    site: &Site,
    kind: MessageKind,
    staff_id: StaffId,
    subject: &str,
    origin_key: String,
    now: DateTime<Utc>,
) -> ActiveModel {
    let id: MessageId = new_id(now);
    ActiveModel {
        id: Set(id),
        kind: Set(kind),
        lane: Set(Lane::Waiting),
        purpose: Set(Purpose::Reminder),
        origin_key: Set(Some(origin_key)),
        lead_id: Set(None),
        contact_id: Set(None),
        staff_id: Set(Some(staff_id)),
        follow_up_id: Set(None),
        enrollment_id: Set(None),
        step_key: Set(None),
        occurrence: Set(None),
        sequence_id: Set(None),
        mailing_id: Set(None),
        campaign_id: Set(None),
        template_version_id: Set(None),
        language: Set(None),
        subject: Set(subject.to_owned()),
        rfc_message_id: Set(rfc_message_id(id, site)),
        state: Set(MessageState::Planned),
        due_at: Set(now),
        expires_at: Set(now + TimeDelta::hours(EXPIRES_AFTER_HOURS)),
        attempts: Set(0),
        fence: Set(0),
        lease_until: Set(None),
        decision: Set(None),
        consent_event_id: Set(None),
        response: Set(None),
        route: Set(None),
        created_at: Set(now),
        handed_off_at: Set(None),
        sent_at: Set(None),
        paced_on: Set(None),
        settled_at: Set(None),
    }
}

/// Plans notices within the caller's transaction; those that are planned already are passed over. Answers how many are
/// new.
///
/// # Errors
/// When the database fails.
pub async fn plan(tx: &DatabaseTransaction, notices: Vec<ActiveModel>, now: DateTime<Utc>) -> Result<usize> {
    let mut planned = 0;
    // As the partial index has it.
    let planned_before = OnConflict::column(Column::OriginKey)
        .target_and_where(Column::OriginKey.is_not_null())
        .do_nothing_on([Column::Id])
        .to_owned();
    for batch in notices.chunks(BATCH_MAX) {
        let inserted = Entity::insert_many(batch.to_vec())
            .on_conflict(planned_before.clone())
            .try_insert()
            .exec_with_returning_many(tx)
            .await?;
        let TryInsertResult::Inserted(inserted) = inserted else {
            continue;
        };
        if inserted.is_empty() {
            continue;
        }
        planned += inserted.len();
        let events = inserted.into_iter().map(|row| message_event::ActiveModel {
            id: Set(new_id(now)),
            message_id: Set(row.id),
            kind: Set(MessageEventKind::Planned),
            detail: Set(None),
            at: Set(now),
        });
        message_event::Entity::insert_many(events)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(planned)
}

/// What makes a notice, so that nothing makes it twice.
fn origin_key(kind: MessageKind, follow_up: &follow_up::Model, staff_id: StaffId) -> String {
    let (word, round) = match kind {
        MessageKind::FollowUpAssigned => ("assigned", follow_up.version),
        MessageKind::FollowUpLate => ("late", i64::from(follow_up.snoozed_count)),
        _ => ("due-soon", i64::from(follow_up.snoozed_count)),
    };
    format!(
        "follow-up-{word}/{}/{round}/{}",
        follow_up.id.0.simple(),
        staff_id.0.simple()
    )
}

fn subject(kind: MessageKind, due_at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let time = short_time(due_at, zone, now);
    match kind {
        MessageKind::FollowUpAssigned => format!("Follow-up for you, due at {time}"),
        MessageKind::FollowUpLate => format!("Follow-up late: it was due at {time}"),
        _ => format!("Follow-up due at {time}"),
    }
}

/// A time as subjects show it: with its day, unless that is today.
fn short_time(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let (at, today) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let format = if at.date_naive() == today.date_naive() {
        "%H:%M %Z"
    } else {
        "%a %b %-d, %H:%M %Z"
    };
    at.format(format).to_string()
}

fn zone_of(playbook: &Playbook, staff_id: StaffId) -> Tz {
    let staff = playbook.staff.get(&staff_id);
    staff
        .and_then(|staff| staff.time_zone.parse().ok())
        .unwrap_or(Tz::UTC)
}
