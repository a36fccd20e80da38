//! People who may be written to, made for one measurement: a contact, an open lead and a consent each, and mails to them.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::id::new_id;
use domain::outreach::plan::rfc_message_id;
use domain::quiet_hours::is_allowed;
use domain::quiet_hours::windows::SendWindows;
use entity::consent_event::{ConsentAction, ConsentLevel, ConsentMethod, ConsentSource};
use entity::consent_wording;
use entity::enums::{ActorKind, LeadStage, Medium, Purpose};
use entity::id::{ConsentWordingId, ContactId, LeadId, MessageId, SequenceId, TemplateVersionId};
use entity::message::{Lane, MessageKind, MessageState};
use entity::sequence::SequenceState;
use entity::{consent_event, contact, lead, message, sequence, template, template_version};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};

use crate::Result;
use crate::ground::Ground;

/// Rows of one insert: what SQLite takes of the widest table in one statement.
const AT_ONCE: usize = 500;
/// The text of the mails: one of the demo hospital's, approved.
pub const TEMPLATE: &str = "sleep-day-2";

/// A time zone in which marketing may be written to now. On Sundays there are hours without one.
pub fn somewhere_by_day(ground: &Ground) -> Option<Tz> {
    let now = ground.hospital.now();
    let zones = (-14..=12).filter_map(|west: i32| format!("Etc/GMT{west:+}").parse::<Tz>().ok());
    // The day must not end while mails are on their way.
    let later = now + TimeDelta::minutes(10);
    let windows = SendWindows::default();
    let window = windows.of(None);
    zones
        .into_iter()
        .find(|zone| [now, later].iter().all(|at| is_allowed(*at, &[*zone], window)))
}

/// A kind of mail to plan.
#[derive(Clone, Copy)]
pub enum Post {
    /// Nurture, which nobody waits for.
    Bulk,
    /// Somebody waits for it.
    Waiting,
}

/// The readers of a measurement.
pub struct Readers {
    name: String,
    people: Vec<(ContactId, LeadId)>,
    /// How many of them have their mail.
    written_to: usize,
    sequence_id: SequenceId,
    version_id: TemplateVersionId,
}

impl Readers {
    /// Makes as many who are awake in `place` and agreed a moment ago. `name` tells them from those of other measurements.
    pub async fn make(ground: &Ground, name: &str, wanted: usize, place: Tz) -> Result<Self> {
        let db = ground.db();
        let now = ground.hospital.now();
        let (lead, person) = pattern(ground).await?;
        let wording = consent_wording::Entity::find()
            .filter(consent_wording::Column::Purpose.eq(Purpose::Marketing))
            .filter(consent_wording::Column::Medium.eq(Medium::Email))
            .order_by_asc(consent_wording::Column::Id)
            .one(db)
            .await?
            .ok_or("there is no wording")?;
        let mut people = Vec::with_capacity(wanted);
        for first in (0..wanted).step_by(AT_ONCE) {
            let numbers = first..wanted.min(first + AT_ONCE);
            let contacts: Vec<_> = numbers
                .clone()
                .map(|number| reader(&person, format!("{name}{number}@reader.example"), now, place))
                .collect();
            let consents: Vec<_> = contacts.iter().map(|one| consent(one, wording.id, now)).collect();
            let leads: Vec<_> = contacts.iter().map(|one| lead_of(&lead, one.id, now)).collect();
            people.extend(leads.iter().map(|lead| (lead.contact_id, lead.id)));
            let tx = db.begin().await?;
            contact::Entity::insert_many(fresh(contacts))
                .exec_without_returning(&tx)
                .await?;
            consent_event::Entity::insert_many(fresh(consents))
                .exec_without_returning(&tx)
                .await?;
            lead::Entity::insert_many(fresh(leads))
                .exec_without_returning(&tx)
                .await?;
            tx.commit().await?;
        }
        let (sequence_id, version_id) = text(ground).await?;
        Ok(Self {
            name: name.to_owned(),
            people,
            written_to: 0,
            sequence_id,
            version_id,
        })
    }

    /// Plans a mail for as many as have none yet, due a moment ago.
    pub async fn plan(&mut self, ground: &Ground, wanted: usize, post: Post) -> Result<Vec<MessageId>> {
        let until = (self.written_to + wanted).min(self.people.len());
        let people = &self.people[self.written_to..until];
        let tx = ground.db().begin().await?;
        let mut ids = Vec::with_capacity(people.len());
        for people in people.chunks(AT_ONCE) {
            let mails: Vec<_> = people.iter().map(|one| self.mail(ground, *one, post)).collect();
            ids.extend(mails.iter().map(|mail| *mail.id.as_ref()));
            message::Entity::insert_many(mails)
                .exec_without_returning(&tx)
                .await?;
        }
        tx.commit().await?;
        self.written_to = until;
        Ok(ids)
    }

    fn mail(
        &self,
        ground: &Ground,
        (contact_id, lead_id): (ContactId, LeadId),
        post: Post,
    ) -> message::ActiveModel {
        let now = ground.hospital.now();
        let id: MessageId = new_id(now);
        let (kind, lane, purpose, due_at) = match post {
            Post::Bulk => {
                let due_at = now - TimeDelta::minutes(1);
                (MessageKind::Nurture, Lane::Bulk, Purpose::Marketing, due_at)
            }
            Post::Waiting => (
                MessageKind::Confirmation,
                Lane::Waiting,
                Purpose::CareCoordination,
                now,
            ),
        };
        message::ActiveModel {
            id: Set(id),
            kind: Set(kind),
            lane: Set(lane),
            purpose: Set(purpose),
            origin_key: Set(Some(format!("bench/{}/{}", self.name, lead_id.0))),
            lead_id: Set(Some(lead_id)),
            contact_id: Set(Some(contact_id)),
            sequence_id: Set(matches!(post, Post::Bulk).then_some(self.sequence_id)),
            template_version_id: Set(Some(self.version_id)),
            subject: Set(String::new()),
            rfc_message_id: Set(rfc_message_id(id, &ground.hospital.site)),
            state: Set(MessageState::Planned),
            due_at: Set(due_at),
            expires_at: Set(now + TimeDelta::days(7)),
            attempts: Set(0),
            fence: Set(0),
            created_at: Set(now),
            ..<message::ActiveModel as ActiveModelTrait>::default()
        }
    }
}

/// How many of the mails that are due are not settled.
pub async fn on_the_way(ground: &Ground) -> Result<i64> {
    ground
        .ask(
            "SELECT count(*) FROM message WHERE (state = 'PLANNED' OR state = 'DEFERRED' OR state = 'CLAIMED' \
             OR state = 'HANDED_OFF') AND origin_key LIKE 'bench/%'",
        )
        .await
}

/// How many mails stand in this state.
pub async fn in_state(ground: &Ground, state: MessageState) -> Result<i64> {
    let state = state.as_str();
    ground
        .ask(&format!(
            "SELECT count(*) FROM message WHERE state = '{state}' AND origin_key LIKE 'bench/%'"
        ))
        .await
}

/// An open lead of the demo hospital and who asks.
async fn pattern(ground: &Ground) -> Result<(lead::Model, contact::Model)> {
    let leads = lead::Entity::find()
        .filter(lead::Column::Stage.eq(LeadStage::New))
        .order_by_asc(lead::Column::Id)
        .limit(50)
        .all(ground.db())
        .await?;
    for lead in leads {
        let asker = contact::Entity::find_by_id(lead.contact_id)
            .one(ground.db())
            .await?;
        if let Some(person) = asker.filter(|person| person.email.is_some()) {
            return Ok((lead, person));
        }
    }
    Err("the demo hospital has no open lead of somebody with an address".into())
}

/// A sequence that no campaign holds, and the text.
async fn text(ground: &Ground) -> Result<(SequenceId, TemplateVersionId)> {
    let sequence = sequence::Entity::find()
        .filter(sequence::Column::State.eq(SequenceState::Published))
        .filter(sequence::Column::CampaignId.is_null())
        .filter(sequence::Column::Purpose.eq(Purpose::Marketing))
        .one(ground.db())
        .await?
        .ok_or("there is no sequence")?;
    let text = template::Entity::find()
        .filter(template::Column::Key.eq(TEMPLATE))
        .one(ground.db())
        .await?
        .ok_or("there is no template")?;
    let version = template_version::Entity::find()
        .filter(template_version::Column::TemplateId.eq(text.id))
        .order_by_desc(template_version::Column::Version)
        .one(ground.db())
        .await?
        .ok_or("the template has no version")?;
    Ok((sequence.id, version.id))
}

fn reader(person: &contact::Model, address: String, now: DateTime<Utc>, place: Tz) -> contact::Model {
    contact::Model {
        id: new_id(now),
        email: Some(address.clone()),
        email_normalized: Some(address),
        phone: None,
        time_zone: Some(place.name().to_owned()),
        region: None,
        ..person.clone()
    }
}

fn lead_of(pattern: &lead::Model, contact_id: ContactId, now: DateTime<Utc>) -> lead::Model {
    lead::Model {
        id: new_id(now),
        contact_id,
        external_id: None,
        received_at: now,
        ..pattern.clone()
    }
}

fn consent(of: &contact::Model, wording_id: ConsentWordingId, now: DateTime<Utc>) -> consent_event::Model {
    let a_moment_ago = now - TimeDelta::minutes(1);
    consent_event::Model {
        id: new_id(a_moment_ago),
        contact_id: of.id,
        medium: Medium::Email,
        address: of.email_normalized.clone(),
        purpose: Some(Purpose::Marketing),
        action: ConsentAction::Grant,
        level: ConsentLevel::Express,
        wording_id: Some(wording_id),
        wording_sha256: None,
        language: Some("en".to_owned()),
        method: ConsentMethod::WebForm,
        source: ConsentSource::default(),
        evidence: None,
        personal_salt: Some(vec![0]),
        commitment: vec![0],
        refers_to_id: None,
        expires_at: None,
        actor_kind: ActorKind::Visitor,
        actor_id: None,
        occurred_at: a_moment_ago,
        recorded_at: a_moment_ago,
        erased_at: None,
    }
}

/// Rows to insert, of models.
fn fresh<M, A>(models: Vec<M>) -> Vec<A>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    models
        .into_iter()
        .map(|model| model.into_active_model().reset_all())
        .collect()
}
