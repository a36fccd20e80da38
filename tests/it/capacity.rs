//! What service lines can hold, and promotion that waits for it.

mod demand;
mod entering;
mod line;
mod pacing;

use chrono::{DateTime, NaiveDate, Utc};
use domain::setup::{self, Setup};
use entity::enums::Role;
use entity::id::{CampaignId, ContactId, LeadId, MessageId};
use entity::lead;
use entity::message::{self, MessageState};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS};

/// Who answers for a service line.
const LEAD: As<'static> = As::Role(Role::ServiceLineLead);
/// The Monday of the week in which the stories begin, and the three after it.
const MONDAYS: [&str; 4] = ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"];

/// A clinic whose heart line sends seven demand-making mails for each visit: as many a day as slots are open a week.
struct Heart {
    clinic: Clinic,
    campaign: CampaignId,
    /// A lead that others are made like: of the heart line, at the lake.
    like: lead::Model,
}

impl Heart {
    async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// With more said of the line.
    async fn with(more: Value) -> Self {
        let clinic = Clinic::new().await;
        apply_line(&clinic, more).await;
        let fields = [
            ("given_name", "Eve"),
            ("phone", "(608) 555-0199"),
            ("email", "eve@example.org"),
        ];
        clinic.submit_form("heart", &fields).await;
        clinic.drain().await;
        let like = clinic.last_lead().await;
        let campaign = clinic.campaign("heart-month").await;
        let mark = json!({ "campaignId": campaign.to_string(), "demandMaking": true });
        clinic.change(OPS, "updateCampaign", mark).await;
        clinic.drain().await;
        Self {
            clinic,
            campaign,
            like,
        }
    }

    async fn input(&self, facility: &str, weeks: Value) -> Value {
        json!({
            "serviceLineId": self.clinic.id_of("serviceLine", "cardiology").await,
            "facilityId": self.clinic.id_of("facility", facility).await,
            "weeks": weeks,
        })
    }

    /// As many slots are open at the lake in each of the four weeks.
    async fn open(&self, slots: i32) {
        let weeks: Vec<Value> = MONDAYS
            .iter()
            .map(|monday| json!({ "monday": monday, "openSlots": slots }))
            .collect();
        let input = self.input("lakeside", json!(weeks)).await;
        self.clinic.change(LEAD, "setCapacity", input).await;
    }

    /// A lead of a contact.
    async fn asks(&self, contact_id: ContactId) -> LeadId {
        let id: LeadId = domain::id::new_id(self.clinic.now());
        let row = lead::Model {
            id,
            contact_id,
            form_id: None,
            external_id: None,
            received_at: self.clinic.now(),
            // Somebody has called, so no other work is due.
            first_attempt_at: Some(self.clinic.now()),
            ..self.like.clone()
        };
        lead::Entity::insert(row.into_active_model())
            .exec_without_returning(self.clinic.db())
            .await
            .unwrap();
        id
    }

    /// A demand-making mail about the heart to somebody who agreed to it, due now.
    async fn promote_to(&self, name: &str) -> MessageId {
        let contact = self.clinic.subscriber(name).await;
        let lead = self.asks(contact).await;
        self.mail(contact, lead).await
    }

    async fn mail(&self, contact: ContactId, lead: LeadId) -> MessageId {
        let id = self
            .clinic
            .plan_mail(contact, Some(self.campaign), self.clinic.now())
            .await;
        let mut row = self.clinic.message(id).await.into_active_model();
        row.lead_id = Set(Some(lead));
        row.update(self.clinic.db()).await.unwrap();
        id
    }

    /// So many of them, in order.
    async fn promote(&self, count: usize) -> Vec<MessageId> {
        let mut mails = Vec::with_capacity(count);
        for number in 0..count {
            mails.push(self.promote_to(&format!("p{number}")).await);
        }
        mails
    }

    /// How many of them are in a state.
    async fn count(&self, state: MessageState) -> u64 {
        message::Entity::find()
            .filter(message::Column::CampaignId.eq(self.campaign))
            .filter(message::Column::State.eq(state))
            .count(self.clinic.db())
            .await
            .unwrap()
    }

    async fn sent(&self) -> u64 {
        self.count(MessageState::Accepted).await
    }

    /// Who waits, in order: the mail, its day and why.
    async fn holds(&self) -> Vec<(String, Option<NaiveDate>, String)> {
        let query = "{ capacityHolds(first: 100) { edges { node {
            messageId releaseOn reason text since serviceLine { slug } facility { slug } } } totalCount } }";
        let page = self
            .clinic
            .graphql(LEAD, query, json!({}))
            .await
            .data("capacityHolds");
        let edges = page["edges"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        edges
            .iter()
            .map(|edge| {
                let node = &edge["node"];
                let day = node["releaseOn"].as_str().map(|day| day.parse().unwrap());
                (text(&node["messageId"]), day, text(&node["reason"]))
            })
            .collect()
    }

    /// How many wait for each day, in order.
    async fn days(&self) -> Vec<(Option<NaiveDate>, usize)> {
        let mut days: Vec<(Option<NaiveDate>, usize)> = Vec::new();
        for (_, day, _) in self.holds().await {
            match days.last_mut().filter(|(last, _)| *last == day) {
                Some((_, count)) => *count += 1,
                None => days.push((day, 1)),
            }
        }
        days
    }

    /// The line at the lake.
    async fn outlook(&self) -> Value {
        let query = "query($ids: [ID!]) { capacity(filter: { facilityIds: $ids, weeks: 6 }) {
            serviceLine { slug } facility { slug } openSlots leadsInFunnel conversion expectedDemand mailsPerDay
            allowanceToday releasedToday held nextRelease stopped reckonedAt
            weeks { monday openSlots waitDays expectedDemand allowance version } } }";
        let lakeside = self.clinic.id_of("facility", "lakeside").await;
        let found = self
            .clinic
            .graphql(LEAD, query, json!({ "ids": [lakeside] }))
            .await
            .data("capacity");
        found[0].clone()
    }

    /// What a mail says of itself.
    async fn said(&self, id: MessageId) -> Value {
        let query = "query($id: ID!) { message(id: $id) { state dueAt decision {
            outcome reasons { code text until } until } } }";
        self.clinic
            .graphql(OPS, query, json!({ "id": id.to_string() }))
            .await
            .data("message")
    }
}

/// The heart line as in `clinic.json`, with this said besides.
async fn apply_line(clinic: &Clinic, more: Value) {
    let mut line = json!({
        "slug": "cardiology", "name": "Cardiology", "aliases": ["heart"], "triageRequired": true,
        "referralRequired": true, "mailsPerVisit": 7,
    });
    for (name, value) in more.as_object().unwrap() {
        line[name] = value.clone();
    }
    let document = Setup::parse(&json!({ "serviceLines": [line] }).to_string()).unwrap();
    setup::apply(&clinic.hospital, &document).await.unwrap();
}

fn day(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

fn instant(value: &Value) -> DateTime<Utc> {
    crate::harness::at(value.as_str().expect("an instant"))
}
