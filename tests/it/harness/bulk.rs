//! Contacts and planned mails made one by one, for stories about whether a mail may go.

use chrono::{DateTime, TimeDelta, Utc};
use domain::consent::{Entry, Shown};
use domain::outreach::plan::own_subject;
use domain::viewer::Actor;
use entity::consent_event::{ConsentAction, ConsentEvidence, ConsentLevel, ConsentMethod, ConsentSource};
use entity::contact::{self, ContactKind};
use entity::enums::{Medium, Purpose};
use entity::id::{CampaignId, ContactId, MessageId};
use entity::message::{self, Lane, MessageKind, MessageState};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::Clinic;

impl Clinic {
    /// A contact of this name in a state and time zone, who has agreed to nothing.
    pub async fn somebody(&self, name: &str, region: Option<&str>, zone: Option<&str>) -> ContactId {
        let id: ContactId = domain::id::new_id(self.now());
        let address = format!("{}@example.org", name.to_lowercase());
        let row = contact::Model {
            erased_at: None,
            id,
            kind: ContactKind::Person,
            given_name: name.to_owned(),
            family_name: String::new(),
            organization: None,
            email: Some(address.clone()),
            email_normalized: Some(address),
            phone: None,
            language: "en".to_owned(),
            time_zone: zone.map(str::to_owned),
            region: region.map(str::to_owned),
            postal_code: None,
            merged_into_id: None,
            link_generation: 0,
            created_at: self.now(),
            updated_at: self.now(),
        };
        row.into_active_model().insert(self.db()).await.unwrap();
        id
    }

    /// The contact says yes or no to marketing by email, now.
    pub async fn says(&self, contact_id: ContactId, action: ConsentAction) {
        let playbook = self.hospital.playbook().await.unwrap();
        let entry = Entry {
            contact_id,
            medium: Medium::Email,
            address: None,
            purpose: Some(Purpose::Marketing),
            action,
            level: ConsentLevel::Express,
            shown: playbook.wording("email-marketing", "en").map(Shown::from),
            method: ConsentMethod::WebForm,
            source: ConsentSource::default(),
            evidence: ConsentEvidence::default(),
            refers_to_id: None,
            expires_at: None,
            actor: Actor::VISITOR,
            occurred_at: self.now(),
        };
        let row = entry.row(self.now());
        row.into_active_model().insert(self.db()).await.unwrap();
    }

    /// A contact in New York who has agreed to marketing.
    pub async fn subscriber(&self, name: &str) -> ContactId {
        let id = self.somebody(name, Some("NY"), None).await;
        self.says(id, ConsentAction::Grant).await;
        id
    }

    /// Plans a marketing mail of a campaign to a contact.
    pub async fn plan_mail(
        &self,
        contact_id: ContactId,
        campaign_id: Option<CampaignId>,
        due_at: DateTime<Utc>,
    ) -> MessageId {
        let playbook = self.hospital.playbook().await.unwrap();
        let template = playbook.template_version("getting-ready").unwrap();
        let id: MessageId = domain::id::new_id(self.now());
        let row = message::Model {
            id,
            kind: MessageKind::Nurture,
            lane: Lane::Bulk,
            purpose: Purpose::Marketing,
            origin_key: Some(format!("test/{}", id.0)),
            lead_id: None,
            contact_id: Some(contact_id),
            staff_id: None,
            follow_up_id: None,
            enrollment_id: None,
            step_key: None,
            occurrence: None,
            sequence_id: None,
            mailing_id: None,
            campaign_id,
            template_version_id: Some(template.id),
            language: None,
            subject: own_subject(template),
            rfc_message_id: format!("{id}@clinic.example"),
            state: MessageState::Planned,
            due_at,
            expires_at: due_at + TimeDelta::days(14),
            attempts: 0,
            fence: 0,
            lease_until: None,
            decision: None,
            consent_event_id: None,
            response: None,
            route: None,
            created_at: self.now(),
            handed_off_at: None,
            sent_at: None,
            paced_on: None,
            settled_at: None,
        };
        message::Entity::insert(row.into_active_model())
            .exec_without_returning(self.db())
            .await
            .unwrap();
        id
    }

    /// A campaign of `clinic.json`.
    pub async fn campaign(&self, code: &str) -> CampaignId {
        self.id_of("campaign", code).await.parse().unwrap()
    }

    /// A message as it stands.
    pub async fn message(&self, id: MessageId) -> message::Model {
        message::Entity::find_by_id(id)
            .one(self.db())
            .await
            .unwrap()
            .expect("the message was planned")
    }
}
