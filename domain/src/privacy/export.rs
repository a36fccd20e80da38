//! Everything that is held about a contact, as JSON.

use std::collections::{HashMap, HashSet};

use entity::id::{ContactId, LeadId, MessageId, QualityItemId};
use entity::{
    appointment, attempt, captured_mail, consent_event, contact, contact_candidate, contact_line_preference,
    contact_preference, enrollment, follow_up, form_draft, lead, lead_event, link_visit, message,
    quality_item, quality_review, script_answer, suppression, template_version, touchpoint,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::{Value, json};

use super::inbound;
use crate::audit;
use crate::contact::find;
use crate::db;
use crate::done::Done;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::outreach::template::links;
use crate::viewer::Viewer;
use entity::enums::Medium;

/// Everything about a contact, one list per kind of row. That it was read is written into the audit.
///
/// # Errors
/// [`Error::Missing`](crate::error::Error::Missing) when the viewer may not see the contact.
pub async fn export(h: &Hospital, viewer: &Viewer, id: ContactId) -> Result<Done<Value>> {
    let tx = db::begin_write(&h.db).await?;
    let contact = find::by_id(&tx, viewer, id).await?;
    let now = h.now();
    let leads = leads(&tx, id).await?;
    let export = json!({
        "exportedAt": now,
        "contact": own(&contact),
        "leads": leads,
        "consent": consent(&tx, id).await?,
        "wishes": wishes(&tx, id).await?,
        "messages": messages(&tx, h, id).await?,
        "touchpoints": touchpoints(&tx, id).await?,
        "enrollments": enrollments(&tx, id).await?,
        "savedForms": saved_forms(&tx, id).await?,
        "possiblySameAs": candidates(&tx, id).await?,
        "suppressed": suppressed(&tx, h, &contact).await?,
        "cameBack": inbound::export(&tx, h, id, contact.email_normalized.as_deref()).await?,
    });
    audit::record(viewer.actor(), "contact.export", Some(&id), None, now)
        .insert(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(export))
}

fn own(row: &contact::Model) -> Value {
    json!({
        "id": row.id.to_string(), "kind": row.kind, "givenName": row.given_name, "familyName": row.family_name,
        "organization": row.organization, "email": row.email, "phone": row.phone, "language": row.language,
        "timeZone": row.time_zone, "region": row.region, "postalCode": row.postal_code,
        "mergedInto": row.merged_into_id.map(|id| id.to_string()), "erasedAt": row.erased_at,
        "createdAt": row.created_at, "updatedAt": row.updated_at,
    })
}

async fn leads(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<Value>> {
    let rows = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(id))
        .order_by_asc(lead::Column::Id)
        .all(tx)
        .await?;
    let ids: Vec<LeadId> = rows.iter().map(|row| row.id).collect();
    let mut around = Vec::new();
    for some in ids.chunks(db::BATCH_MAX) {
        around.extend(desk(tx, some).await?);
        around.extend(history(tx, some).await?);
        around.extend(reviews(tx, some).await?);
    }
    let of = |lead: LeadId, kind: &str| -> Vec<&Value> {
        let theirs = around.iter().filter(|(of, name, _)| *of == lead && *name == kind);
        theirs.map(|(_, _, row)| row).collect()
    };
    Ok(rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id.to_string(), "type": row.lead_type, "stage": row.stage, "disposition": row.disposition,
                "requestedService": row.requested_service, "urgent": row.urgent, "channel": row.channel,
                "externalId": row.external_id, "landingPage": row.landing_page, "referrerHost": row.referrer_host,
                "utm": row.utm, "sourceCode": row.source_code, "clickIdKind": row.click_id_kind,
                "answers": row.answers, "flags": row.flags, "scorePoints": row.score_points,
                "scoreGrade": row.score_grade, "scoreReasons": row.score_reasons, "routing": row.routing,
                "receivedAt": row.received_at, "unfinishedAt": row.unfinished_at, "firstAttemptAt": row.first_attempt_at, "closedAt": row.closed_at,
                "erasedAt": row.erased_at, "attempts": of(row.id, "attempt"), "appointments": of(row.id, "appointment"),
                "scriptAnswers": of(row.id, "script-answer"), "followUps": of(row.id, "follow-up"), "events": of(row.id, "event"),
                "qualityReviews": of(row.id, "quality-review"),
            })
        })
        .collect())
}

type OfLead = (LeadId, &'static str, Value);

async fn desk(tx: &DatabaseTransaction, ids: &[LeadId]) -> Result<Vec<OfLead>> {
    let attempts = attempt::Entity::find().filter(attempt::Column::LeadId.is_in(ids.iter().copied()));
    let follow_ups = follow_up::Entity::find().filter(follow_up::Column::LeadId.is_in(ids.iter().copied()));
    let answers =
        script_answer::Entity::find().filter(script_answer::Column::LeadId.is_in(ids.iter().copied()));
    let mut rows: Vec<OfLead> = Vec::new();
    rows.extend(answers.all(tx).await?.into_iter().map(|row| {
        let value = json!({
            "script": row.script_key, "question": row.question, "answer": row.value, "answeredAt": row.answered_at,
        });
        (row.lead_id, "script-answer", value)
    }));
    rows.extend(attempts.all(tx).await?.into_iter().map(|row| {
        let value = json!({
            "medium": row.medium, "outcome": row.outcome, "note": row.note, "callbackAt": row.callback_at, "at": row.at,
        });
        (row.lead_id, "attempt", value)
    }));
    rows.extend(follow_ups.all(tx).await?.into_iter().map(|row| {
        let value = json!({
            "kind": row.kind, "title": row.title, "state": row.state, "dueAt": row.due_at, "outcome": row.outcome,
            "createdAt": row.created_at, "completedAt": row.completed_at,
        });
        (row.lead_id, "follow-up", value)
    }));
    Ok(rows)
}

async fn history(tx: &DatabaseTransaction, ids: &[LeadId]) -> Result<Vec<OfLead>> {
    let visits = appointment::Entity::find().filter(appointment::Column::LeadId.is_in(ids.iter().copied()));
    let events = lead_event::Entity::find()
        .filter(lead_event::Column::LeadId.is_in(ids.iter().copied()))
        .order_by_asc(lead_event::Column::Id);
    let mut rows: Vec<OfLead> = Vec::new();
    rows.extend(visits.all(tx).await?.into_iter().map(|row| {
        let value = json!({ "startsAt": row.starts_at, "endsAt": row.ends_at, "state": row.state });
        (row.lead_id, "appointment", value)
    }));
    rows.extend(events.all(tx).await?.into_iter().map(|row| {
        let value = json!({
            "kind": row.kind, "fromStage": row.from_stage, "toStage": row.to_stage, "data": row.data, "at": row.at,
        });
        (row.lead_id, "event", value)
    }));
    Ok(rows)
}

/// What reviewers said of the work on these leads.
async fn reviews(tx: &DatabaseTransaction, ids: &[LeadId]) -> Result<Vec<OfLead>> {
    let items: Vec<(QualityItemId, LeadId)> = quality_item::Entity::find()
        .select_only()
        .columns([quality_item::Column::Id, quality_item::Column::LeadId])
        .filter(quality_item::Column::LeadId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let mut rows: Vec<OfLead> = Vec::new();
    for some in items.chunks(db::BATCH_MAX) {
        let reviews = quality_review::Entity::find()
            .filter(quality_review::Column::ItemId.is_in(some.iter().map(|(id, _)| *id)))
            .order_by_asc(quality_review::Column::Id);
        let lead_of: HashMap<_, _> = some.iter().copied().collect();
        rows.extend(reviews.all(tx).await?.into_iter().filter_map(|row| {
            let value = json!({ "scores": row.scores, "finding": row.finding, "at": row.created_at });
            Some((*lead_of.get(&row.item_id)?, "quality-review", value))
        }));
    }
    Ok(rows)
}

async fn consent(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<Value>> {
    let rows = consent_event::Entity::find()
        .filter(consent_event::Column::ContactId.eq(id))
        .order_by_asc(consent_event::Column::Id)
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            json!({
                "medium": row.medium, "address": row.address, "purpose": row.purpose, "action": row.action,
                "level": row.level, "wordingId": row.wording_id.map(|id| id.to_string()), "language": row.language,
                "method": row.method, "source": row.source, "occurredAt": row.occurred_at,
                "recordedAt": row.recorded_at,
            })
        })
        .collect())
}

async fn wishes(tx: &DatabaseTransaction, id: ContactId) -> Result<Value> {
    let own = contact_preference::Entity::find()
        .filter(contact_preference::Column::ContactId.eq(id))
        .one(tx)
        .await?;
    let lines = contact_line_preference::Entity::find()
        .filter(contact_line_preference::Column::ContactId.eq(id))
        .all(tx)
        .await?;
    let lines: Vec<Value> = lines
        .into_iter()
        .map(|row| json!({ "serviceLineId": row.service_line_id.to_string(), "wanted": row.wanted }))
        .collect();
    Ok(json!({
        "pausedUntil": own.as_ref().and_then(|row| row.paused_until),
        "maxPerWeek": own.as_ref().and_then(|row| row.max_per_week),
        "serviceLines": lines,
    }))
}

async fn messages(tx: &DatabaseTransaction, h: &Hospital, id: ContactId) -> Result<Vec<Value>> {
    let rows = message::Entity::find()
        .filter(message::Column::ContactId.eq(id))
        .order_by_asc(message::Column::Id)
        .all(tx)
        .await?;
    let ids: Vec<MessageId> = rows.iter().map(|row| row.id).collect();
    let mut mails = HashMap::new();
    for some in ids.chunks(db::BATCH_MAX) {
        let found = captured_mail::Entity::find()
            .filter(captured_mail::Column::MessageId.is_in(some.iter().copied()))
            .all(tx)
            .await?;
        mails.extend(found.into_iter().map(|mail| (mail.message_id, mail.raw)));
    }
    let visits = visits(tx, h, &rows).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let mail = mails.get(&row.id).map(|raw| String::from_utf8_lossy(raw));
            json!({
                "id": row.id.to_string(), "kind": row.kind, "purpose": row.purpose, "subject": row.subject,
                "state": row.state, "decision": row.decision, "response": row.response, "createdAt": row.created_at,
                "sentAt": row.sent_at, "mail": mail,
                "linkVisits": visits.iter().filter(|(of, _)| *of == row.id).map(|(_, visit)| visit).collect::<Vec<_>>(),
            })
        })
        .collect())
}

/// The visits of links in these mails.
async fn visits(
    tx: &DatabaseTransaction,
    h: &Hospital,
    mails: &[message::Model],
) -> Result<Vec<(MessageId, Value)>> {
    let mut told = Vec::new();
    for some in mails.chunks(db::BATCH_MAX) {
        let found = link_visit::Entity::find()
            .filter(link_visit::Column::MessageId.is_in(some.iter().map(|mail| mail.id)))
            .order_by_asc(link_visit::Column::Id)
            .all(tx)
            .await?;
        let of = |visit: &link_visit::Model| some.iter().find(|mail| mail.id == visit.message_id);
        let ids = found.iter().filter_map(|visit| of(visit)?.template_version_id);
        let versions = template_version::Entity::find()
            .filter(template_version::Column::Id.is_in(ids.collect::<HashSet<_>>()))
            .all(tx)
            .await?;
        told.extend(found.into_iter().map(|visit| {
            let version_id = of(&visit).and_then(|mail| mail.template_version_id);
            let version = versions.iter().find(|version| Some(version.id) == version_id);
            let target = version.and_then(|version| links::target(version, &h.secrets, visit.link));
            let value = json!({
                "target": target, "at": visit.at, "way": visit.way, "verdict": visit.verdict, "reason": visit.reason,
            });
            (visit.message_id, value)
        }));
    }
    Ok(told)
}

async fn touchpoints(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<Value>> {
    let rows = touchpoint::Entity::find().filter(touchpoint::Column::ContactId.eq(id));
    let rows = rows.order_by_asc(touchpoint::Column::Id).all(tx).await?;
    Ok(rows
        .into_iter()
        .map(|row| json!({ "kind": row.kind, "channel": row.channel, "at": row.at }))
        .collect())
}

async fn enrollments(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<Value>> {
    let rows = enrollment::Entity::find().filter(enrollment::Column::ContactId.eq(id));
    let rows = rows.order_by_asc(enrollment::Column::Id).all(tx).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            json!({
                "sequenceId": row.sequence_id.to_string(), "state": row.state, "exitReason": row.exit_reason,
                "createdAt": row.created_at, "endedAt": row.ended_at,
            })
        })
        .collect())
}

async fn saved_forms(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<Value>> {
    let rows = form_draft::Entity::find().filter(form_draft::Column::ContactId.eq(id));
    let rows = rows.order_by_asc(form_draft::Column::Id).all(tx).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            json!({
                "formId": row.form_id.to_string(), "email": row.email_normalized, "fields": row.fields,
                "consents": row.consents, "visit": row.visit, "agreement": row.agreement, "agreedAt": row.agreed_at,
                "state": row.state, "keptUntil": row.expires_at, "savedAt": row.created_at,
            })
        })
        .collect())
}

async fn candidates(tx: &DatabaseTransaction, id: ContactId) -> Result<Vec<Value>> {
    let pairs = Condition::any()
        .add(contact_candidate::Column::ContactId.eq(id))
        .add(contact_candidate::Column::OtherContactId.eq(id));
    let rows = contact_candidate::Entity::find().filter(pairs).all(tx).await?;
    Ok(rows
        .into_iter()
        .map(|row| json!({ "shared": row.reason, "state": row.state, "at": row.created_at }))
        .collect())
}

/// Which of the contact's addresses must not be written to.
async fn suppressed(tx: &DatabaseTransaction, h: &Hospital, row: &contact::Model) -> Result<Vec<Value>> {
    let email = row
        .email_normalized
        .as_deref()
        .map(|email| (Medium::Email, email));
    let phone = row.phone.as_deref();
    let phones = phone
        .into_iter()
        .flat_map(|phone| [(Medium::Phone, phone), (Medium::Sms, phone)]);
    let hashes: Vec<Vec<u8>> = email
        .into_iter()
        .chain(phones)
        .map(|(medium, address)| h.secrets.address_hash(medium.as_str(), address).to_vec())
        .collect();
    let rows = suppression::Entity::find()
        .filter(suppression::Column::AddressHash.is_in(hashes))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| json!({ "medium": row.medium, "reason": row.reason, "since": row.created_at }))
        .collect())
}
