//! An outbox that is full without anybody having filled in forms: for stories about delivery alone.

use chrono::{DateTime, TimeDelta, Utc};
use domain::consent::{Entry, Shown};
use domain::outreach::plan::own_subject;
use domain::playbook::Playbook;
use domain::viewer::Actor;
use entity::consent_event::{
    self, ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource,
};
use entity::contact::{self, ContactKind};
use entity::enums::{Medium, Purpose};
use entity::id::MessageId;
use entity::message::{self, Lane, MessageKind, MessageState};
use sea_orm::{DatabaseConnection, EntityTrait, IntoActiveModel};

use super::Clinic;

impl Clinic {
    /// Plans this many nurture mails, each to another contact that agreed to it. They are due now.
    pub async fn plan_nurture(&self, count: usize) {
        let playbook = self.hospital.playbook().await.expect("there are rules");
        plan_nurture(self.db(), &playbook, self.now(), count).await;
    }
}

/// Plans this many nurture mails at an instant, each to another contact that agreed to it.
pub async fn plan_nurture(db: &DatabaseConnection, playbook: &Playbook, now: DateTime<Utc>, count: usize) {
    {
        let template = playbook
            .template_version("getting-ready")
            .expect("clinic.json has it")
            .clone();
        let wording = playbook
            .wording("email-marketing", "en")
            .expect("clinic.json has it")
            .clone();
        let numbers = 0..count;
        let contacts: Vec<contact::Model> = numbers
            .map(|number| contact::Model {
                id: domain::id::new_id(now),
                kind: ContactKind::Person,
                given_name: format!("Person {number}"),
                family_name: String::new(),
                organization: None,
                email: Some(format!("person{number}@example.org")),
                email_normalized: Some(format!("person{number}@example.org")),
                phone: None,
                language: "en".to_owned(),
                time_zone: Some("America/New_York".to_owned()),
                region: Some("OH".to_owned()),
                postal_code: None,
                merged_into_id: None,
                link_generation: 0,
                erased_at: None,
                created_at: now,
                updated_at: now,
            })
            .collect();
        let grants = contacts.iter().map(|contact| {
            let entry = Entry {
                contact_id: contact.id,
                medium: Medium::Email,
                address: contact.email_normalized.clone(),
                purpose: Some(Purpose::Marketing),
                action: ConsentAction::Grant,
                level: ConsentLevel::Express,
                shown: Some(Shown::from(&wording)),
                method: ConsentMethod::WebForm,
                source: ConsentSource::default(),
                evidence: ConsentEvidence::default(),
                refers_to_id: None,
                expires_at: None,
                actor: Actor::VISITOR,
                occurred_at: now,
            };
            entry.row(now)
        });
        let messages = contacts.iter().map(|contact| {
            let id: MessageId = domain::id::new_id(now);
            message::Model {
                id,
                kind: MessageKind::Nurture,
                lane: Lane::Bulk,
                purpose: Purpose::Marketing,
                origin_key: Some(format!("test/{}", id.0)),
                lead_id: None,
                contact_id: Some(contact.id),
                staff_id: None,
                follow_up_id: None,
                enrollment_id: None,
                step_key: None,
                occurrence: None,
                sequence_id: None,
                mailing_id: None,
                campaign_id: None,
                template_version_id: Some(template.id),
                language: None,
                subject: own_subject(&template),
                rfc_message_id: format!("{id}@clinic.example"),
                state: MessageState::Planned,
                due_at: now,
                expires_at: now + TimeDelta::days(14),
                attempts: 0,
                fence: 0,
                lease_until: None,
                decision: None,
                consent_event_id: None,
                response: None,
                route: None,
                created_at: now,
                handed_off_at: None,
                sent_at: None,
                paced_on: None,
                settled_at: None,
            }
        });
        let (grants, messages): (Vec<_>, Vec<_>) = (grants.collect(), messages.collect());
        for some in contacts.chunks(200) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            contact::Entity::insert_many(rows)
                .exec_without_returning(db)
                .await
                .expect("contacts are stored");
        }
        for some in grants.chunks(200) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            consent_event::Entity::insert_many(rows)
                .exec_without_returning(db)
                .await
                .expect("grants are stored");
        }
        for some in messages.chunks(200) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            message::Entity::insert_many(rows)
                .exec_without_returning(db)
                .await
                .expect("messages are stored");
        }
    }
}

impl Clinic {
    /// Takes in this many leads of different people, three in each minute, with scores of two kinds.
    pub async fn leads_come_in(&self, count: usize) {
        use domain::lead::inquiry::Draft;
        use domain::lead::receive::receive;
        let playbook = self.hospital.playbook().await.expect("there are rules");
        let line = |slug: &str| {
            playbook
                .lines
                .values()
                .find(|line| line.slug == slug)
                .map(|line| line.id)
        };
        for number in 0..count {
            if number % 3 == 0 {
                self.minutes_pass(1);
            }
            let visit = domain::lead::visit::Visit {
                source_code: (number % 2 == 0).then(|| "SLP-AD-1".to_owned()),
                ..Default::default()
            };
            let draft = Draft {
                lead_type: Some(entity::enums::LeadType::PatientAppointment),
                given_name: "Pat".to_owned(),
                family_name: "Meyer".to_owned(),
                email: format!("pat{number}@example.org"),
                service_line_id: line(["sleep", "cardiology", "imaging"][number % 3]),
                visit,
                ..Draft::default()
            };
            let inquiry = draft.parse(&playbook).expect("the draft is well-formed");
            let _ = receive(&self.hospital, Actor::SYSTEM, inquiry)
                .await
                .expect("it is received");
        }
    }
}
