//! What follows from evidence, by the operations that there are.

use chrono::{DateTime, Utc};
use entity::consent_event::{ConsentEvidence, ConsentMethod, ConsentSource};
use entity::contact;
use entity::enums::{ActorKind, LeadStage, Medium, Purpose};
use entity::follow_up::{self, FollowUpKind, FollowUpState};
use entity::id::LeadId;
use entity::lead;
use entity::lead_event::{self, LeadEventKind};
use entity::message::Model as Message;
use entity::suppression::SuppressionReason;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::find::Found;
use super::{Evidence, Taken, Taking, What, message, soft};
use crate::consent::standing::Standing;
use crate::consent::unsubscribe::standing;
use crate::consent::{TakeBack, take_back};
use crate::error::Result;
use crate::follow_up::build::{self, About, Pace};
use crate::follow_up::open;
use crate::lead::event::NewEvent;
use crate::outreach::reputation;
use crate::outreach::settle::class::Class;
use crate::outreach::suppress;
use crate::sequence::reply;
use crate::sla::policy;
use crate::viewer::Actor;

/// Writes everything down that follows. The contacts are held.
pub(super) async fn follow(taking: Taking<'_>, evidence: &Evidence, found: Found) -> Result<Taken> {
    let now = taking.h.now();
    let mut taken = Taken {
        matched: true,
        message_id: found.message.as_ref().map(|message| message.id),
        how: found.how,
        erased: found.contacts.iter().any(|contact| contact.erased_at.is_some()),
        ..Taken::default()
    };
    let is_new = match &found.message {
        Some(sent) if found.exact || matches!(evidence.what, What::Bounced { .. }) => {
            message::write_down(taking.tx, sent, &evidence.what, now).await?
        }
        _ => true,
    };
    if is_new {
        count(taking, &found, &evidence.what, now).await?;
    }
    match &evidence.what {
        What::Bounced { class, .. } if is_new => bounced(taking, &found, *class, now).await?,
        What::Bounced { .. } => {}
        What::Delivered => arrived(taking, &found).await?,
        What::AutoReplied => arrived(taking, &found).await?,
        What::Complained => {
            let said = Said {
                purposes: vec![Purpose::Marketing],
                method: ConsentMethod::Webhook,
            };
            take_back_of_all(taking, &found, said, &mut taken, now).await?;
            for address in addresses(&found) {
                suppress::keep_from(taking.tx, taking.h, &address, SuppressionReason::Complaint, now).await?;
            }
        }
        What::Unsubscribed { method } => {
            let said = Said {
                purposes: purposes(&found),
                method: *method,
            };
            take_back_of_all(taking, &found, said, &mut taken, now).await?;
            arrived(taking, &found).await?;
        }
        What::Replied { may_revoke } => {
            replied(taking, &found, *may_revoke, &mut taken, now).await?;
            arrived(taking, &found).await?;
        }
    }
    // Last, as everybody locks messages after enrollments.
    if let Some(sent) = found.message.as_ref().filter(|_| found.exact) {
        let by = "later evidence says so";
        let said = message::says(&evidence.what);
        if let Some(signal) = message::settle(taking.tx, sent, said, by, now).await? {
            taken.signals.extend(signal);
        }
    }
    Ok(taken)
}

/// Counts what is held against the route by which the message went, and is new.
async fn count(taking: Taking<'_>, found: &Found, what: &What, now: DateTime<Utc>) -> Result<()> {
    let Some(sent) = &found.message else { return Ok(()) };
    let against = match what {
        What::Bounced {
            class: Class::Hard, ..
        } => reputation::Evidence::HardBounce,
        What::Bounced {
            class: Class::Soft, ..
        } => reputation::Evidence::SoftBounce,
        What::Complained => reputation::Evidence::Complaint,
        _ => return Ok(()),
    };
    reputation::count(taking.tx, sent, against, now).await
}

/// The contacts' own addresses. Those that evidence names beside them are not touched: whoever got a mail of ours could
/// name anybody's in a report about it.
fn addresses(found: &Found) -> Vec<String> {
    found
        .contacts
        .iter()
        .filter_map(|contact| contact.email_normalized.clone())
        .collect()
}

/// The contacts' addresses whose delivery failed.
///
/// Behind a forwarding the report names an address that we never wrote to; the contact's own is then the one that is
/// dead for us, unless the contact was changed after the mail went out, and may have another one by now.
fn failed_addresses(found: &Found) -> Vec<String> {
    let named: Vec<&String> = found.original.iter().chain(&found.address).collect();
    let sent_at = found.message.as_ref().and_then(|sent| sent.handed_off_at);
    let failed = |contact: &&contact::Model| {
        let is_named = contact
            .email_normalized
            .as_ref()
            .is_some_and(|address| named.contains(&address));
        let unchanged = sent_at.is_some_and(|sent_at| contact.updated_at <= sent_at);
        is_named || (found.exact && unchanged)
    };
    found
        .contacts
        .iter()
        .filter(failed)
        .filter_map(|contact| contact.email_normalized.clone())
        .collect()
}

async fn bounced(taking: Taking<'_>, found: &Found, class: Class, now: DateTime<Utc>) -> Result<()> {
    if found
        .message
        .as_ref()
        .is_some_and(|sent| sent.contact_id.is_none())
    {
        // A member of staff: the operator's own address, which no list is to silence.
        return Ok(());
    }
    for address in failed_addresses(found) {
        let reason = match class {
            Class::Hard => Some(SuppressionReason::HardBounce),
            Class::Soft => soft::count(taking.tx, taking.h, &address, now)
                .await?
                .then_some(SuppressionReason::SoftBounces),
            // The mail or we are at fault; the address is well.
            Class::Content | Class::Blocked => None,
        };
        if let Some(reason) = reason {
            suppress::keep_from(taking.tx, taking.h, &address, reason, now).await?;
        }
    }
    Ok(())
}

/// Something arrived: what came back before is forgotten.
async fn arrived(taking: Taking<'_>, found: &Found) -> Result<()> {
    for address in found
        .contacts
        .iter()
        .filter_map(|contact| contact.email_normalized.as_deref())
    {
        soft::lift(taking.tx, taking.h, address).await?;
    }
    Ok(())
}

/// What is taken back, and by which door.
struct Said {
    purposes: Vec<Purpose>,
    method: ConsentMethod,
}

/// Marketing, and what the message was for.
fn purposes(found: &Found) -> Vec<Purpose> {
    let of_message = found
        .message
        .as_ref()
        .filter(|_| found.exact)
        .map(|sent| sent.purpose);
    let mut all = vec![Purpose::Marketing];
    all.extend(of_message.filter(|purpose| *purpose != Purpose::Marketing));
    all
}

async fn take_back_of_all(
    taking: Taking<'_>,
    found: &Found,
    said: Said,
    taken: &mut Taken,
    now: DateTime<Utc>,
) -> Result<()> {
    for contact in found
        .contacts
        .iter()
        .filter(|contact| contact.erased_at.is_none())
    {
        for purpose in &said.purposes {
            if matches!(
                standing(taking.tx, contact, *purpose, now).await?,
                Standing::Withdrawn { .. }
            ) {
                continue;
            }
            let back = TakeBack {
                contact_id: contact.id,
                media: &[Medium::Email],
                purpose: Some(*purpose),
                method: said.method,
                source: ConsentSource {
                    form_id: None,
                    message_id: found.message.as_ref().filter(|_| found.exact).map(|sent| sent.id),
                },
                evidence: ConsentEvidence::default(),
                actor: by_contact(contact),
            };
            taken
                .signals
                .extend(take_back(taking.tx, back, now).await?.signals);
        }
    }
    Ok(())
}

fn by_contact(contact: &contact::Model) -> Actor {
    Actor {
        kind: ActorKind::Contact,
        id: Some(contact.id.0),
    }
}

/// A person answered: the sequence stops, and somebody has to read it.
async fn replied(
    taking: Taking<'_>,
    found: &Found,
    may_revoke: bool,
    taken: &mut Taken,
    now: DateTime<Utc>,
) -> Result<()> {
    let of_message = found.message.as_ref().filter(|_| found.exact);
    for contact in found
        .contacts
        .iter()
        .filter(|contact| contact.erased_at.is_none())
    {
        let enrollment = of_message.and_then(|sent| sent.enrollment_id);
        let left = reply::stop(taking.tx, contact.id, enrollment, now).await?;
        taken.signals.extend(left.signals);
    }
    let Some(lead) = lead_of(taking, found, of_message).await? else {
        return Ok(());
    };
    let mut event = NewEvent::new(lead.id, LeadEventKind::Replied, Actor::SYSTEM, now);
    if let Some(sent) = of_message {
        event = event.with("messageId", sent.id.to_string());
    }
    taken.signals.push(event.signal());
    lead_event::Entity::insert(event.row())
        .exec_without_returning(taking.tx)
        .await?;
    ask_for_an_answer(taking, &lead, may_revoke, taken, now).await
}

/// Opens the follow-up, if none for a reply is open.
async fn ask_for_an_answer(
    taking: Taking<'_>,
    lead: &lead::Model,
    may_revoke: bool,
    taken: &mut Taken,
    now: DateTime<Utc>,
) -> Result<()> {
    let waiting = follow_up::Entity::find()
        .filter(follow_up::Column::LeadId.eq(lead.id))
        .filter(follow_up::Column::Kind.eq(FollowUpKind::Reply))
        .filter(follow_up::Column::State.eq(FollowUpState::Open))
        .count(taking.tx)
        .await?;
    if waiting > 0 && !may_revoke {
        return Ok(());
    }
    let pace = Pace::of(lead, taking.playbook);
    let calendar = taking.playbook.calendar(lead.facility_id);
    let due_at = policy::due_after(&calendar, now, pace.first_attempt_mins);
    let origin_key = format!("reply/{}", taking.inbound_id.0);
    let row = build::for_reply(
        &About::from(lead),
        origin_key,
        may_revoke,
        due_at,
        pace.remind_before_mins,
        now,
    );
    let opened = open(
        taking.tx,
        taking.playbook,
        &taking.h.site,
        vec![row],
        Actor::SYSTEM,
        now,
    )
    .await?;
    taken.signals.extend(opened.signals);
    taken.nudges.extend(opened.nudges);
    Ok(())
}

/// The lead that the message was about; else the newest one of the contact, an open one before a closed one.
async fn lead_of(taking: Taking<'_>, found: &Found, sent: Option<&Message>) -> Result<Option<lead::Model>> {
    let by_message: Option<LeadId> = sent.or(found.message.as_ref()).and_then(|sent| sent.lead_id);
    if let Some(id) = by_message {
        return Ok(lead::Entity::find_by_id(id).one(taking.tx).await?);
    }
    let ids = found.contacts.iter().map(|contact| contact.id);
    let leads = lead::Entity::find()
        .filter(lead::Column::ContactId.is_in(ids))
        .filter(lead::Column::ErasedAt.is_null())
        .order_by_desc(lead::Column::Id);
    let open = leads
        .clone()
        .filter(lead::Column::Stage.ne(LeadStage::Closed))
        .one(taking.tx)
        .await?;
    match open {
        Some(lead) => Ok(Some(lead)),
        None => Ok(leads.one(taking.tx).await?),
    }
}
