//! The dashboard of a line: open slots against what is coming anyway.

use chrono::TimeDelta;
use entity::enums::LeadStage;
use entity::lead;
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::json;

use super::{Heart, MONDAYS};

/// Leads of the line that came so far.
async fn leads(heart: &Heart, count: usize, stage: LeadStage) {
    let now = heart.clinic.now();
    let came = |least: LeadStage| (stage >= least).then_some(now);
    let rows = (0..count).map(|_| {
        lead::Model {
            id: domain::id::new_id(now),
            form_id: None,
            external_id: None,
            stage,
            sla_step: None,
            sla_step_at: None,
            sla_due_at: now + TimeDelta::days(90),
            first_attempt_at: came(LeadStage::Contacted),
            qualified_at: came(LeadStage::Qualified),
            scheduled_at: came(LeadStage::AppointmentScheduled),
            completed_at: came(LeadStage::VisitCompleted),
            ..heart.like.clone()
        }
        .into_active_model()
    });
    lead::Entity::insert_many(rows.collect::<Vec<_>>())
        .exec_without_returning(heart.clinic.db())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_visits_that_the_funnel_will_take_are_shown_and_taken_off() {
    let heart = Heart::new().await;
    // With the example there are 40 leads: 10 booked of 40 received, of 30 contacted, of 20 qualified.
    leads(&heart, 9, LeadStage::New).await;
    leads(&heart, 10, LeadStage::Contacted).await;
    leads(&heart, 10, LeadStage::Qualified).await;
    leads(&heart, 10, LeadStage::VisitCompleted).await;
    heart.open(20).await;
    heart.clinic.drain().await;
    let outlook = heart.outlook().await;
    assert_eq!(outlook["leadsInFunnel"], 30);
    assert_eq!(outlook["conversion"], 0.25);
    // 10 × 10/40 + 10 × 10/30 + 10 × 10/20.
    let expected = outlook["expectedDemand"].as_f64().unwrap();
    assert!((expected - 10.833).abs() < 0.001, "{expected}");
    // Tuesday: six sevenths of this week, and three whole weeks.
    let open = outlook["openSlots"].as_f64().unwrap();
    assert!((open - 20.0 * 27.0 / 7.0).abs() < 0.001, "{open}");
    let a_day = outlook["mailsPerDay"].as_f64().unwrap();
    assert!((a_day - (open - expected) * 7.0 / 27.0).abs() < 0.001, "{a_day}");
    let weeks = outlook["weeks"].as_array().unwrap();
    let mondays: Vec<_> = weeks
        .iter()
        .map(|week| week["monday"].as_str().unwrap())
        .collect();
    assert_eq!(mondays, MONDAYS);
    let share = weeks[1]["expectedDemand"].as_f64().unwrap();
    assert!((share - expected * 7.0 / 27.0).abs() < 0.001, "{share}");
    let allowed: i64 = weeks.iter().map(|week| week["allowance"].as_i64().unwrap()).sum();
    // 27 days at 17.19 mails.
    assert_eq!(allowed, 464);
}

#[tokio::test]
async fn with_little_evidence_nothing_is_taken_off_and_the_line_says_so() {
    let heart = Heart::new().await;
    leads(&heart, 12, LeadStage::Qualified).await;
    heart.open(7).await;
    heart.clinic.drain().await;
    let outlook = heart.outlook().await;
    assert_eq!(outlook["leadsInFunnel"], 13);
    assert_eq!(
        (&outlook["conversion"], &outlook["expectedDemand"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(outlook["mailsPerDay"], 7.0);
    assert_eq!(outlook["allowanceToday"], 7);
}
