//! The copy in which a dry run takes place: the rules and lists as a whole, and of the people only those who are
//! simulated, with all that decisions about them look at.
//!
//! Every table of the schema is named here, copied or left out, so that a new one is not forgotten: a test compares the
//! names with the schema.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::enums::Medium;
use entity::follow_up::FollowUpState;
use entity::id::{ContactId, LeadId, MessageId, TeamId};
use entity::message::MessageState;
use entity::{capacity_turn, contact, follow_up, lead, message, sequence, sequence_version, suppression};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait,
    IntoActiveModel, ModelTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::request::{Checked, Chosen, Version};
use super::{BlankDatabase, MAX_LEADS};
use crate::db::{self, BATCH_MAX};
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::find as leads;
use crate::sequence::find as sequences;
use crate::viewer::Viewer;

#[cfg(test)]
mod tests;

/// Most leads that are copied beside the chosen ones, because they are of the same contacts.
const MAX_SIBLINGS: u64 = 20_000;
/// Most open follow-ups that are counted as the teams' other work.
const MAX_OTHER_WORK: usize = 50_000;

/// Declares the tables that are copied as they are, row for row.
macro_rules! rules_and_lists {
    ($($table:ident),+ $(,)?) => {
        /// Tables of rules and lists.
        const RULES_AND_LISTS: &[&str] = &[$(stringify!($table)),+];

        async fn copy_rules_and_lists(from: &DatabaseTransaction, into: &DatabaseTransaction) -> Result<()> {
            $(
                // The schema comes with a few rows of its own.
                entity::$table::Entity::delete_many().exec(into).await?;
                copy_rows(from, into, entity::$table::Entity::find()).await?;
            )+
            Ok(())
        }
    };
}

rules_and_lists!(
    playbook_revision,
    facility,
    department,
    business_calendar,
    staff,
    staff_absence,
    staff_skill,
    team,
    team_member,
    service_line,
    service_line_alias,
    consent_wording,
    template,
    template_version,
    campaign,
    campaign_service_line,
    campaign_spend,
    capacity,
    capacity_pace,
    capacity_tick,
    mailing,
    placement,
    form,
    routing_rule,
    routing_turn,
    rule_set,
    scoring_rule,
    sla_policy,
    checklist,
    intake_script,
    lead_profile,
    audit_rubric,
    follow_up_template,
    sequence,
    sequence_version,
    enrollment_move,
    send_window,
    frequency_cap,
    outreach_hold,
    sending_stop,
);

/// Declares the tables of which the rows of some contacts are copied, found by that column.
macro_rules! of_contacts {
    ($($table:ident),+ $(,)?) => {
        const OF_CONTACTS: &[&str] = &[$(stringify!($table)),+];

        async fn copy_of_contacts(
            from: &DatabaseTransaction,
            into: &DatabaseTransaction,
            ids: &[ContactId],
        ) -> Result<()> {
            $(
                let of_these = entity::$table::Column::ContactId.is_in(ids.iter().copied());
                copy_rows(from, into, entity::$table::Entity::find().filter(of_these)).await?;
            )+
            Ok(())
        }
    };
}

of_contacts!(
    consent_event,
    contact_preference,
    contact_line_preference,
    enrollment,
    form_draft
);

/// The same for tables of leads.
macro_rules! of_leads {
    ($($table:ident),+ $(,)?) => {
        const OF_LEADS: &[&str] = &[$(stringify!($table)),+];

        async fn copy_of_leads(from: &DatabaseTransaction, into: &DatabaseTransaction, ids: &[LeadId]) -> Result<()> {
            $(
                let of_these = entity::$table::Column::LeadId.is_in(ids.iter().copied());
                copy_rows(from, into, entity::$table::Entity::find().filter(of_these)).await?;
            )+
            Ok(())
        }
    };
}

of_leads!(appointment, attempt, date_occasion, follow_up, sla_pause);

/// Tables that are copied with a hand of their own.
const BY_HAND: &[&str] = &["capacity_turn", "contact", "lead", "message", "suppression"];

/// Tables that are copied, in part or as a whole.
pub const COPIED: [&[&str]; 4] = [RULES_AND_LISTS, OF_CONTACTS, OF_LEADS, BY_HAND];

/// Tables that are left out.
///
/// No decision about a mail or a step looks at them: they are histories, who signs in, what is kept of requests and mails,
/// and how far a sweep has come. That a mail went out yesterday is in `message`.
pub const LEFT_OUT: &[&str] = &[
    "audit_event",
    "calendar_feed",
    "capacity_event",
    "captured_mail",
    "consent_head",
    "consent_seal",
    "consent_unsealed",
    "contact_candidate",
    "follow_up_check",
    "form_draft_mail",
    "idempotency",
    "inbound_mail",
    "inbound_party",
    "lead_event",
    "link_visit",
    "mailing_change",
    "mailing_progress",
    "message_event",
    "misroute",
    "outreach_release",
    "quality_item",
    "quality_review",
    "quality_sample",
    "retention_policy",
    "script_answer",
    "sending_allowance",
    "sending_day",
    "sending_route",
    "sending_tally",
    "session",
    "staff_digest",
    "soft_bounce",
    "token",
    "touchpoint",
];

/// The copy, and what was read beside it.
pub(super) struct Copied {
    /// The database in memory.
    pub(super) db: DatabaseConnection,
    /// The sequence.
    pub(super) sequence: sequence::Model,
    /// Its newest version.
    pub(super) newest: sequence_version::Model,
    /// The version that was asked for by its id.
    pub(super) wanted: Option<sequence_version::Model>,
    /// The leads that were chosen.
    pub(super) chosen: Vec<LeadId>,
    /// Open follow-ups of all leads, by team and due time; none when there are too many to count.
    pub(super) open: Option<Vec<(TeamId, DateTime<Utc>)>>,
}

/// Reads, in one transaction that sees one state, and writes into an empty database.
pub(super) async fn copy(
    h: &Hospital,
    viewer: &Viewer,
    checked: &Checked,
    blank: &dyn BlankDatabase,
) -> Result<Copied> {
    let request = &checked.request;
    let from = db::begin_read(&h.db).await?;
    let sequence = sequences::by_id(&from, viewer, request.sequence_id).await?;
    let newest = sequences::newest_version(&from, sequence.id).await?;
    let wanted = wanted_version(&from, &sequence, &request.version).await?;
    let (chosen, contacts) = choose(&from, viewer, &request.leads).await?;
    let db = blank.blank().await?;
    // The copy is partial, so what a row points at may not be there. What the operations write is sound: their keys
    // hold in the hospital's own database.
    db.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
    let into = db::begin_write(&db).await?;
    copy_rules_and_lists(&from, &into).await?;
    copy_people(h, &from, &into, &contacts).await?;
    let open = open_follow_ups(&from, checked.until).await?;
    into.commit().await?;
    from.commit().await?;
    Ok(Copied {
        db,
        sequence,
        newest,
        wanted,
        chosen,
        open,
    })
}

async fn wanted_version(
    from: &DatabaseTransaction,
    sequence: &sequence::Model,
    version: &Version,
) -> Result<Option<sequence_version::Model>> {
    let Version::Is(id) = version else { return Ok(None) };
    let found = sequence_version::Entity::find_by_id(*id)
        .filter(sequence_version::Column::SequenceId.eq(sequence.id))
        .one(from)
        .await?;
    let missing = || Error::refused(Code::NotFound, "versionId", "The sequence has no such version.");
    found.map(Some).ok_or_else(missing)
}

/// The chosen leads, and their contacts.
async fn choose(
    from: &DatabaseTransaction,
    viewer: &Viewer,
    chosen: &Chosen,
) -> Result<(Vec<LeadId>, Vec<ContactId>)> {
    let visible = |which: Condition| {
        leads::visible_to(viewer)
            .filter(which)
            .select_only()
            .columns([lead::Column::Id, lead::Column::ContactId])
            .order_by_asc(lead::Column::Id)
            .limit(MAX_LEADS as u64 + 1)
            .into_tuple::<(LeadId, ContactId)>()
    };
    let found = match chosen {
        Chosen::Nobody => Vec::new(),
        Chosen::Where(condition) => {
            let found = visible(condition.clone()).all(from).await?;
            if found.len() > MAX_LEADS {
                let message = "More than 5,000 leads match; a dry run takes at most as many.";
                return Err(Error::refused(Code::TooLarge, "leadFilter", message));
            }
            found
        }
        Chosen::Ids(ids) => {
            let ids: HashSet<LeadId> = ids.iter().copied().collect();
            let named = Condition::all().add(lead::Column::Id.is_in(ids.iter().copied()));
            let found = visible(named).all(from).await?;
            if found.len() != ids.len() {
                let message = "One of these leads does not exist.";
                return Err(Error::refused(Code::NotFound, "leadIds", message));
            }
            found
        }
    };
    let mut contacts: Vec<ContactId> = found.iter().map(|(_, contact)| *contact).collect();
    contacts.sort_unstable();
    contacts.dedup();
    Ok((found.into_iter().map(|(lead, _)| lead).collect(), contacts))
}

/// Copies contacts with all their leads and what belongs to them: what one lead of a contact gets may hold back what
/// another gets.
async fn copy_people(
    h: &Hospital,
    from: &DatabaseTransaction,
    into: &DatabaseTransaction,
    contacts: &[ContactId],
) -> Result<()> {
    let staff = entity::staff::Entity::find().all(from).await?;
    let mut hashes: Vec<Vec<u8>> = staff
        .iter()
        .map(|row| hash(h, Medium::Email, &row.email))
        .collect();
    let mut left = MAX_SIBLINGS;
    for batch in contacts.chunks(BATCH_MAX) {
        let ids = || batch.iter().copied();
        let find = contact::Entity::find().filter(contact::Column::Id.is_in(ids()));
        for row in copy_rows(from, into, find).await? {
            hashes.extend(row.email_normalized.iter().map(|to| hash(h, Medium::Email, to)));
            let phone = row.phone.iter();
            hashes
                .extend(phone.flat_map(|to| [Medium::Phone, Medium::Sms].map(|medium| hash(h, medium, to))));
        }
        copy_of_contacts(from, into, batch).await?;
        let of_these = lead::Entity::find().filter(lead::Column::ContactId.is_in(ids()));
        let rows = copy_rows(from, into, of_these.limit(left + 1)).await?;
        left = left.checked_sub(rows.len() as u64).ok_or_else(|| {
            Error::refused(
                Code::TooLarge,
                "leadFilter",
                "These contacts have too many leads.",
            )
        })?;
        let leads: Vec<LeadId> = rows.iter().map(|row| row.id).collect();
        for leads in leads.chunks(BATCH_MAX) {
            copy_of_leads(from, into, leads).await?;
            // Mails to staff about these leads.
            let notices = Condition::all()
                .add(message::Column::LeadId.is_in(leads.iter().copied()))
                .add(message::Column::ContactId.is_null());
            copy_messages(from, into, notices).await?;
        }
        let to_them = Condition::all().add(message::Column::ContactId.is_in(ids()));
        copy_messages(from, into, to_them).await?;
    }
    hashes.sort_unstable();
    hashes.dedup();
    for batch in hashes.chunks(BATCH_MAX) {
        let named = suppression::Column::AddressHash.is_in(batch.iter().cloned());
        copy_rows(from, into, suppression::Entity::find().filter(named)).await?;
    }
    Ok(())
}

fn hash(h: &Hospital, medium: Medium, address: &str) -> Vec<u8> {
    h.secrets.address_hash(medium.as_str(), address).to_vec()
}

/// Messages that a worker holds at this moment wait in the copy: here nobody holds them, and they have not gone out.
async fn copy_messages(
    from: &DatabaseTransaction,
    into: &DatabaseTransaction,
    which: Condition,
) -> Result<()> {
    let rows = message::Entity::find().filter(which).all(from).await?;
    for batch in rows.chunks(BATCH_MAX) {
        let rows = batch.iter().cloned().map(|row| {
            let held = row.state == MessageState::Claimed;
            let mut row = row.into_active_model();
            if held {
                row.state = Set(MessageState::Planned);
                row.lease_until = Set(None);
            }
            row
        });
        message::Entity::insert_many(rows)
            .exec_without_returning(into)
            .await?;
    }
    // Where they stand in line for capacity.
    let waiting: Vec<MessageId> = rows
        .iter()
        .filter(|row| row.state == MessageState::Deferred)
        .map(|row| row.id)
        .collect();
    for some in waiting.chunks(BATCH_MAX) {
        let of_these = capacity_turn::Column::MessageId.is_in(some.iter().copied());
        copy_rows(from, into, capacity_turn::Entity::find().filter(of_these)).await?;
    }
    Ok(())
}

/// Copies what a statement finds.
async fn copy_rows<E>(
    from: &DatabaseTransaction,
    into: &DatabaseTransaction,
    find: Select<E>,
) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + IntoActiveModel<E::ActiveModel>,
{
    let rows = find.all(from).await?;
    for batch in rows.chunks(BATCH_MAX) {
        let batch = batch.iter().cloned().map(IntoActiveModel::into_active_model);
        E::insert_many(batch).exec_without_returning(into).await?;
    }
    Ok(rows)
}

/// What the teams have to do until then, whomever it is about.
async fn open_follow_ups(
    from: &DatabaseTransaction,
    until: DateTime<Utc>,
) -> Result<Option<Vec<(TeamId, DateTime<Utc>)>>> {
    let found = follow_up::Entity::find()
        .select_only()
        .columns([follow_up::Column::TeamId, follow_up::Column::DueAt])
        .filter(follow_up::Column::State.eq(FollowUpState::Open))
        .filter(follow_up::Column::DueAt.lt(until))
        .limit(MAX_OTHER_WORK as u64 + 1)
        .into_tuple::<(TeamId, DateTime<Utc>)>()
        .all(from)
        .await?;
    Ok((found.len() <= MAX_OTHER_WORK).then_some(found))
}
