//! A hospital with random leads, the same for the same seed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::attempt::{self};
use entity::campaign::{self, CampaignState};
use entity::contact::{self, ContactKind};
use entity::enums::{
    ActorKind, AttemptOutcome, Channel, Disposition, LeadStage, LeadType, Medium, Role, ScoreGrade,
};
use entity::id::{CampaignId, ContactId, FacilityId, ServiceLineId, StaffId, TeamId};
use entity::lead::{self, Answers, Basis, Flags, Routing, ScoreReasons, Utm};
use entity::lead_event::{self, EventData, LeadEventKind};
use entity::{campaign_service_line, campaign_spend, staff};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use crate::clock::to_micros;
use crate::ground::Ground;
use crate::id::new_id;

/// Everything that is in the database, as it was written.
pub(super) struct Town {
    pub(super) facilities: [FacilityId; 2],
    pub(super) zones: [chrono_tz::Tz; 2],
    pub(super) lines: [ServiceLineId; 3],
    pub(super) teams: [TeamId; 2],
    pub(super) owner: StaffId,
    pub(super) campaigns: [CampaignId; 4],
    pub(super) plans: Vec<(campaign::Model, Vec<ServiceLineId>)>,
    pub(super) spend: Vec<campaign_spend::Model>,
    pub(super) leads: Vec<lead::Model>,
    pub(super) attempts: Vec<attempt::Model>,
    pub(super) events: Vec<lead_event::Model>,
}

impl Town {
    pub(super) async fn build(ground: &Ground, seed: u64, leads: usize) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let facilities = [
            ground.facility("riverside", "America/New_York").await,
            ground.facility("lakeside", "America/Chicago").await,
        ];
        let lines = [
            ground.line("sleep").await,
            ground.line("heart").await,
            ground.line("imaging").await,
        ];
        let teams = [
            ground.team("sleep", false).await,
            ground.team("heart", false).await,
        ];
        let owner = owner(ground).await;
        let plans = vec![
            campaign(ground, "one", Channel::PaidSearch, "USD", &lines[..1]).await,
            campaign(ground, "two", Channel::Social, "USD", &lines).await,
            campaign(ground, "three", Channel::PaidSearch, "USD", &[]).await,
            // Paid in another currency, and only in the last weeks.
            campaign(ground, "four", Channel::Display, "EUR", &lines[1..]).await,
        ];
        let campaigns = [plans[0].0.id, plans[1].0.id, plans[2].0.id, plans[3].0.id];
        let spend = spend(&mut dice, &campaigns);
        campaign_spend::Entity::insert_many(spend.iter().cloned().map(IntoActiveModel::into_active_model))
            .exec_without_returning(&ground.h.db)
            .await
            .unwrap();
        let contact = contact(ground).await;
        let mut town = Self {
            facilities,
            zones: [chrono_tz::America::New_York, chrono_tz::America::Chicago],
            lines,
            teams,
            owner,
            campaigns,
            plans,
            spend,
            leads: Vec::new(),
            attempts: Vec::new(),
            events: Vec::new(),
        };
        for _ in 0..leads {
            town.lead(&mut dice, contact);
        }
        town.write(ground).await;
        town
    }

    /// A lead with its attempts and events. Its times are random, not plausible: counting must not lean on what
    /// usually is.
    fn lead(&mut self, dice: &mut StdRng, contact_id: ContactId) {
        let start: DateTime<Utc> = "2026-02-15T00:00:00Z".parse().unwrap();
        let received_at = match dice.random_range(0..10) {
            // Local midnights of both zones and the night in which clocks change.
            0 => {
                start + TimeDelta::days(dice.random_range(0..60)) + TimeDelta::hours(dice.random_range(4..7))
            }
            1 => start + TimeDelta::days(21) + TimeDelta::minutes(dice.random_range(0..1_440)),
            _ => to_micros(start + TimeDelta::microseconds(dice.random_range(0..60 * 86_400_000_000))),
        };
        let later = |dice: &mut StdRng, chance: f64, scale: i64| {
            dice.random_bool(chance).then(|| {
                let waited = dice.random_range(0..scale) * dice.random_range(1..1_000_000);
                to_micros(received_at + TimeDelta::microseconds(waited))
            })
        };
        let first_attempt_at = later(dice, 0.7, 400_000);
        let stage = LeadStage::ALL[dice.random_range(0..LeadStage::ALL.len())];
        let disposition = (stage == LeadStage::Closed)
            .then(|| Disposition::ALL[dice.random_range(0..Disposition::ALL.len())]);
        let pick = |dice: &mut StdRng, of: usize| dice.random_range(0..=of).checked_sub(1);
        let team_id = self.teams[dice.random_range(0..2)];
        let channels = [
            Channel::PaidSearch,
            Channel::Phone,
            Channel::Website,
            Channel::Referral,
        ];
        let lead = lead::Model {
            erased_at: None,
            unfinished_at: None,
            id: new_id(received_at),
            contact_id,
            lead_type: LeadType::ALL[dice.random_range(0..LeadType::ALL.len())],
            stage,
            disposition,
            service_line_id: pick(dice, 3).map(|at| self.lines[at]),
            requested_service: None,
            facility_id: pick(dice, 2).map(|at| self.facilities[at]),
            team_id,
            owner_id: dice.random_bool(0.2).then_some(self.owner),
            urgent: false,
            channel: channels[dice.random_range(0..channels.len())],
            campaign_id: pick(dice, 4).map(|at| self.campaigns[at]),
            placement_id: None,
            form_id: None,
            external_id: None,
            landing_page: None,
            referrer_host: None,
            utm: Utm::default(),
            source_code: None,
            click_id_kind: None,
            click_id_hash: None,
            answers: Answers::default(),
            flags: Flags::default(),
            score_points: 0,
            score_grade: ScoreGrade::D,
            score_reasons: ScoreReasons::default(),
            score_revision: 1,
            routing: Routing {
                rule_id: None,
                rule: "catch-all".to_owned(),
                team_id,
                owner_id: None,
                explanation: String::new(),
                at: received_at,
                basis: Basis::default(),
            },
            sla_policy_id: None,
            sla_due_at: received_at + TimeDelta::minutes(dice.random_range(1..6_000)),
            sla_target_at: None,
            sla_step: None,
            sla_step_at: None,
            taken_back_at: None,
            taken_from_id: None,
            sla_missed_at: None,
            attempts_wanted: 6,
            attempts_made: 0,
            received_at,
            first_attempt_at,
            first_attempt_business_secs: first_attempt_at.map(|_| dice.random_range(0..90_000)),
            first_reached_at: later(dice, 0.5, 900_000),
            qualified_at: later(dice, 0.4, 900_000),
            scheduled_at: later(dice, 0.3, 900_000),
            completed_at: later(dice, 0.2, 900_000),
            closed_at: if stage == LeadStage::Closed {
                later(dice, 1.0, 400_000)
            } else {
                later(dice, 0.1, 400_000)
            },
            version: 1,
            updated_at: received_at,
        };
        for _ in 0..dice.random_range(0..4) {
            self.attempts.push(attempt::Model {
                id: new_id(received_at),
                lead_id: lead.id,
                staff_id: None,
                medium: Medium::Phone,
                outcome: AttemptOutcome::ALL[dice.random_range(0..5)],
                note: None,
                callback_at: None,
                at: received_at,
            });
        }
        for _ in 0..dice.random_range(0..4) {
            let kind = [LeadEventKind::StageChanged, LeadEventKind::Reopened][dice.random_range(0..2)];
            self.events.push(lead_event::Model {
                id: new_id(received_at),
                lead_id: lead.id,
                kind,
                from_stage: Some(LeadStage::New),
                to_stage: Some(LeadStage::ALL[dice.random_range(1..LeadStage::ALL.len())]),
                actor_kind: ActorKind::System,
                actor_id: None,
                data: EventData::default(),
                at: to_micros(received_at + TimeDelta::seconds(dice.random_range(0..2_000_000))),
            });
        }
        self.leads.push(lead);
    }

    async fn write(&self, ground: &Ground) {
        for some in self.leads.chunks(100) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            lead::Entity::insert_many(rows)
                .exec_without_returning(&ground.h.db)
                .await
                .unwrap();
        }
        for some in self.attempts.chunks(500) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            attempt::Entity::insert_many(rows)
                .exec_without_returning(&ground.h.db)
                .await
                .unwrap();
        }
        for some in self.events.chunks(500) {
            let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
            lead_event::Entity::insert_many(rows)
                .exec_without_returning(&ground.h.db)
                .await
                .unwrap();
        }
    }
}

/// Spend of most days, in amounts that do not divide by three.
fn spend(dice: &mut StdRng, campaigns: &[CampaignId; 4]) -> Vec<campaign_spend::Model> {
    let first: NaiveDate = "2026-02-10".parse().unwrap();
    let mut spend = Vec::new();
    for (number, campaign_id) in campaigns.iter().enumerate() {
        let skipped = if number == 3 { 50 } else { 0 };
        for day in first.iter_days().take(70).skip(skipped) {
            if dice.random_bool(0.8) {
                let amount_minor = dice.random_range(0..10_000);
                spend.push(campaign_spend::Model {
                    campaign_id: *campaign_id,
                    day,
                    amount_minor,
                });
            }
        }
    }
    spend
}

async fn owner(ground: &Ground) -> StaffId {
    let now = ground.h.now();
    let row = staff::Model {
        id: new_id(now),
        email: "ada@example.org".to_owned(),
        display_name: "Ada Park".to_owned(),
        role: Role::IntakeCoordinator,
        time_zone: "America/New_York".to_owned(),
        password_hash: None,
        max_open: None,
        active: true,
        created_at: now,
    };
    row.into_active_model().insert(&ground.h.db).await.unwrap().id
}

async fn contact(ground: &Ground) -> ContactId {
    let now = ground.h.now();
    let row = contact::Model {
        id: new_id(now),
        kind: ContactKind::Person,
        given_name: "Pat".to_owned(),
        family_name: "Rivera".to_owned(),
        organization: None,
        email: None,
        email_normalized: None,
        phone: None,
        language: "en".to_owned(),
        time_zone: None,
        region: None,
        postal_code: None,
        merged_into_id: None,
        link_generation: 0,
        erased_at: None,
        created_at: now,
        updated_at: now,
    };
    row.into_active_model().insert(&ground.h.db).await.unwrap().id
}

async fn campaign(
    ground: &Ground,
    code: &str,
    channel: Channel,
    currency: &str,
    lines: &[ServiceLineId],
) -> (campaign::Model, Vec<ServiceLineId>) {
    let now = ground.h.now();
    let row = campaign::Model {
        id: new_id(now),
        code: code.to_owned(),
        name: format!("Campaign {code}"),
        channel,
        state: CampaignState::Live,
        goal: None,
        starts_on: None,
        ends_on: None,
        budget_minor: None,
        currency: currency.to_owned(),
        demand_making: false,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = row.into_active_model().insert(&ground.h.db).await.unwrap();
    for line in lines {
        let promoted = campaign_service_line::Model {
            campaign_id: row.id,
            service_line_id: *line,
        };
        promoted.into_active_model().insert(&ground.h.db).await.unwrap();
    }
    (row, lines.to_vec())
}
