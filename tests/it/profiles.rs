//! Ideal lead profiles: how well a lead fits, and what separates those who come from those who do not.

use chrono::TimeDelta;
use domain::setup::Setup;
use entity::enums::{Disposition, LeadStage, Role};
use entity::id::LeadId;
use entity::lead::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{As, Clinic};

const NORA: As<'static> = As::Staff("nora");
const ANALYST: As<'static> = As::Role(Role::Analyst);

async fn clinic() -> Clinic {
    let clinic = Clinic::new().await;
    let mut document: Value = serde_json::from_str(include_str!("harness/clinic.json")).unwrap();
    let phone = json!([{ "fact": "REACHABLE", "is": "IN", "values": ["PHONE"] }]);
    let soon = json!([{ "fact": "ANSWER", "field": "timing", "is": "IN", "values": ["this_week"] }]);
    document["leadProfiles"] = json!([
        { "key": "everybody", "name": "Everybody", "criteria": [
            { "key": "phone", "text": "Can be called", "when": phone, "weight": 3 },
            { "key": "soon", "text": "Wants to come soon", "when": soon, "weight": 1 }] },
        { "key": "events", "name": "Events", "channel": "EVENT", "criteria": [
            { "key": "phone", "text": "Can be called", "when": phone, "weight": 1 }] }
    ]);
    let setup = Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
    clinic
}

/// Leads that ask on the website, of which the first so many can be called.
async fn crowd(clinic: &Clinic, with_phone: usize, without: usize) -> Vec<LeadId> {
    for number in 0..with_phone + without {
        let email = format!("p{number}@example.org");
        let phone = format!("(860) 555-{:04}", 100 + number);
        let name = format!("P{}", "x".repeat(number + 1));
        let mut fields = vec![
            ("given_name", name.as_str()),
            ("family_name", "Meyer"),
            ("email", email.as_str()),
        ];
        if number < with_phone {
            fields.push(("phone", phone.as_str()));
        }
        let answer = clinic.submit_form("sleep-study", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
    let leads = Entity::find()
        .order_by_asc(Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    leads.into_iter().map(|lead| lead.id).collect()
}

async fn end(clinic: &Clinic, leads: &[LeadId], completed: bool) {
    let now = clinic.now();
    let update = Entity::update_many().filter(Column::Id.is_in(leads.iter().copied()));
    let update = if completed {
        update
            .col_expr(Column::Stage, Expr::value(LeadStage::VisitCompleted))
            .col_expr(Column::CompletedAt, Expr::value(now))
    } else {
        update
            .col_expr(Column::Stage, Expr::value(LeadStage::Closed))
            .col_expr(Column::Disposition, Expr::value(Disposition::NotInterested))
            .col_expr(Column::ClosedAt, Expr::value(now))
    };
    update.exec(clinic.db()).await.unwrap();
}

async fn report(clinic: &Clinic, profile: &str) -> Value {
    let query =
        "query($p: String!, $f: DashboardFilter!) { profileReport(profile: $p, filter: $f) { name open cut
        all { leads completed rate } bands { from leads { leads completed } }
        criteria { key weight lift met { leads completed rate } unmet { leads completed rate } } } }";
    let filter =
        json!({ "from": clinic.now() - TimeDelta::days(30), "to": clinic.now() + TimeDelta::days(1) });
    let answer = clinic
        .graphql(ANALYST, query, json!({ "p": profile, "f": filter }))
        .await;
    answer.json()
}

#[tokio::test]
async fn a_lead_fits_the_profile_of_its_channel_with_reasons() {
    let clinic = clinic().await;
    crowd(&clinic, 1, 1).await;
    let query = "{ leads(first: 5) { nodes { fit { profile points reasons { text weight met } } } } }";
    let seen = clinic.graphql(NORA, query, Value::Null).await.data("leads.nodes");
    let points: Vec<i64> = seen
        .as_array()
        .unwrap()
        .iter()
        .map(|lead| lead["fit"]["points"].as_i64().unwrap())
        .collect();
    assert_eq!(points, [0, 75], "the newest first");
    assert_eq!(seen[1]["fit"]["profile"], "everybody");
    assert_eq!(
        seen[1]["fit"]["reasons"],
        json!([
            { "text": "Can be called", "weight": 3, "met": true },
            { "text": "Wants to come soon", "weight": 1, "met": false }
        ])
    );
    clinic.drain().await;
}

#[tokio::test]
async fn the_report_counts_what_separates_and_says_nothing_without_evidence() {
    let clinic = clinic().await;
    let leads = crowd(&clinic, 14, 12).await;
    end(&clinic, &leads[..9], true).await;
    end(&clinic, &leads[9..12], false).await;
    end(&clinic, &leads[14..17], true).await;
    end(&clinic, &leads[17..], false).await;
    let told = report(&clinic, "everybody").await;
    let told = &told["data"]["profileReport"];
    assert_eq!(
        told["all"],
        json!({ "leads": 24, "completed": 12, "rate": 0.5 }),
        "{told}"
    );
    assert_eq!((&told["open"], &told["cut"]), (&json!(2), &json!(false)));
    assert_eq!(
        told["criteria"][0],
        json!({ "key": "phone", "weight": 3, "lift": 1.5,
            "met": { "leads": 12, "completed": 9, "rate": 0.75 },
            "unmet": { "leads": 12, "completed": 3, "rate": 0.25 } })
    );
    assert_eq!(told["criteria"][1]["lift"], Value::Null, "nobody met it");
    let bands: Vec<i64> = told["bands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|band| band["leads"]["leads"].as_i64().unwrap())
        .collect();
    assert_eq!(bands, [12, 0, 0, 12]);
    let told = report(&clinic, "events").await;
    assert_eq!(told["data"]["profileReport"]["all"]["leads"], json!(0));
    let told = report(&clinic, "nobody").await;
    assert_eq!(told["data"]["profileReport"], Value::Null, "{told}");
    clinic.drain().await;
}
