use chrono::NaiveDate;
use entity::campaign::{CampaignState, Model};
use entity::enums::Channel;
use entity::id::ServiceLineId;
use entity::placement::PlacementKind;
use entity::{audit_event, campaign, campaign_spend, placement};
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};

use super::*;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::ground::Ground;
use crate::patch::Patch;
use crate::viewer::Viewer;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn fall(lines: &[ServiceLineId]) -> CreateCampaign {
    CreateCampaign {
        code: " Sleep-Study-Fall ".to_owned(),
        name: "Sleep study,  fall".to_owned(),
        channel: Channel::PaidSearch,
        service_line_ids: lines.to_vec(),
        goal: Some(" Fill the lab on weekdays ".to_owned()),
        starts_on: Some(day("2026-09-01")),
        ends_on: Some(day("2026-11-30")),
        budget_minor: Some(500_000),
        currency: "usd".to_owned(),
        demand_making: false,
        placements: vec![keyword("sfk-1"), keyword("sfk-2")],
    }
}

fn keyword(code: &str) -> NewPlacement {
    NewPlacement {
        name: "sleep study near me".to_owned(),
        kind: PlacementKind::Keyword,
        source_code: Some(code.to_owned()),
        landing_page: Some("/sleep".to_owned()),
        tracking_number: None,
    }
}

fn codes<T>(result: Result<Done<T>>) -> Vec<(Code, String)> {
    match result {
        Err(Error::Refused(refusals)) => refusals
            .into_iter()
            .map(|r| (r.code, r.field.join(".")))
            .collect(),
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

fn refused(code: Code, field: &str) -> Vec<(Code, String)> {
    vec![(code, field.to_owned())]
}

async fn with_fall() -> (Ground, Viewer, Model) {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    ground.facility("riverside", "America/New_York").await;
    let line = ground.line("sleep").await;
    let admin = ground.admin();
    let campaign = create(&ground.h, &admin, fall(&[line, line]))
        .await
        .unwrap()
        .value;
    (ground, admin, campaign)
}

async fn deeds(ground: &Ground) -> Vec<String> {
    let rows = audit_event::Entity::find()
        .order_by_asc(audit_event::Column::Id)
        .all(&ground.h.db)
        .await
        .unwrap();
    rows.into_iter().map(|row| row.action).collect()
}

fn state(campaign: &Model) -> ChangeState {
    ChangeState {
        id: campaign.id,
        version: Some(campaign.version),
    }
}

#[tokio::test]
async fn a_campaign_is_planned_with_its_lines_and_placements() {
    let (ground, admin, campaign) = with_fall().await;
    assert_eq!(
        (campaign.code.as_str(), campaign.name.as_str()),
        ("sleep-study-fall", "Sleep study, fall")
    );
    assert_eq!(
        (campaign.state, campaign.currency.as_str()),
        (CampaignState::Draft, "USD")
    );
    assert_eq!(campaign.goal.as_deref(), Some("Fill the lab on weekdays"));
    let lines = find::service_lines_of(&ground.h.db, [campaign.id]).await.unwrap();
    assert_eq!(lines.len(), 1);
    let placements = find::placements_of(&ground.h.db, [campaign.id]).await.unwrap();
    assert_eq!(
        placements
            .iter()
            .map(|p| p.source_code.as_deref())
            .collect::<Vec<_>>(),
        [Some("SFK-1"), Some("SFK-2")]
    );
    let playbook = ground.h.playbook().await.unwrap();
    assert!(playbook.campaign_by_code.contains_key("sleep study fall"));
    assert!(playbook.placement_by_code.contains_key("sfk 1"));
    assert_eq!(
        find::by_id(&ground.h.db, &admin, campaign.id).await.unwrap(),
        campaign
    );
    assert!(
        find::by_id(&ground.h.db, &Viewer::Public, campaign.id)
            .await
            .is_err()
    );
    assert_eq!(deeds(&ground).await, ["campaign.create"]);
}

#[tokio::test]
async fn a_code_and_a_source_code_are_taken_once_however_they_are_written() {
    let (ground, admin, _) = with_fall().await;
    let same_code = CreateCampaign {
        code: "SLEEP-STUDY-FALL".to_owned(),
        placements: Vec::new(),
        ..fall(&[])
    };
    assert_eq!(
        codes(create(&ground.h, &admin, same_code).await),
        refused(Code::AlreadyExists, "code")
    );
    let same_source = CreateCampaign {
        code: "other".to_owned(),
        placements: vec![keyword("new-1"), keyword(" Sfk-2 "), keyword("NEW-1")],
        ..fall(&[])
    };
    let expected = [
        (Code::AlreadyExists, "placements.2.sourceCode".to_owned()),
        (Code::AlreadyExists, "placements.1.sourceCode".to_owned()),
    ];
    assert_eq!(codes(create(&ground.h, &admin, same_source).await), expected);
    assert_eq!(
        campaign::Entity::find().count(&ground.h.db).await.unwrap(),
        1,
        "nothing half made"
    );
    assert_eq!(placement::Entity::find().count(&ground.h.db).await.unwrap(), 2);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_plan_is_told_at_once() {
    let (ground, admin, _) = with_fall().await;
    let wrong = CreateCampaign {
        code: "fall 2026".to_owned(),
        name: "\n".to_owned(),
        channel: Channel::Event,
        service_line_ids: vec![crate::id::new_id(ground.h.now())],
        goal: Some("x".repeat(2001)),
        starts_on: Some(day("2026-09-02")),
        ends_on: Some(day("2026-09-01")),
        budget_minor: Some(-1),
        currency: "dollars".to_owned(),
        demand_making: false,
        placements: vec![NewPlacement {
            landing_page: Some("https://example.org/sleep?x=1".to_owned()),
            tracking_number: Some("123".to_owned()),
            ..keyword("a--b")
        }],
    };
    let fields: Vec<String> = codes(create(&ground.h, &admin, wrong).await)
        .into_iter()
        .map(|(_, f)| f)
        .collect();
    let expected = [
        "code",
        "name",
        "currency",
        "serviceLineIds",
        "goal",
        "endsOn",
        "budgetMinor",
        "placements.0.sourceCode",
        "placements.0.trackingNumber",
        "placements.0.landingPage",
    ];
    assert_eq!(fields, expected);
    let public = create(&ground.h, &Viewer::Public, fall(&[])).await;
    assert!(matches!(public, Err(Error::Missing { noun: "campaign" })));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let (ground, admin, before) = with_fall().await;
    let heart = ground.line("heart").await;
    let change = UpdateCampaign {
        version: Some(before.version),
        name: Some("Sleep, winter".to_owned()),
        service_line_ids: Some(vec![heart]),
        budget_minor: Patch::Clear,
        ends_on: Patch::Set(day("2027-02-28")),
        add_placements: vec![keyword("sfk-3")],
        ..UpdateCampaign::of(before.id)
    };
    let after = update(&ground.h, &admin, change.clone()).await.unwrap().value;
    let expected = Model {
        name: "Sleep, winter".to_owned(),
        budget_minor: None,
        ends_on: Some(day("2027-02-28")),
        version: 2,
        ..before.clone()
    };
    assert_eq!(after, expected);
    let lines = find::service_lines_of(&ground.h.db, [before.id]).await.unwrap();
    assert_eq!(
        lines.iter().map(|row| row.service_line_id).collect::<Vec<_>>(),
        [heart]
    );
    assert_eq!(
        find::placements_of(&ground.h.db, [before.id])
            .await
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        codes(update(&ground.h, &admin, change).await),
        refused(Code::VersionConflict, "version")
    );
    let backwards = UpdateCampaign {
        starts_on: Patch::Set(day("2027-03-01")),
        ..UpdateCampaign::of(before.id)
    };
    assert_eq!(
        codes(update(&ground.h, &admin, backwards).await),
        refused(Code::Invalid, "endsOn")
    );
    let hidden = update(&ground.h, &Viewer::Public, UpdateCampaign::of(before.id)).await;
    assert!(matches!(hidden, Err(Error::Missing { noun: "campaign" })));
}

#[tokio::test]
async fn a_campaign_is_launched_paused_and_launched_again() {
    let (ground, admin, draft) = with_fall().await;
    assert_eq!(
        codes(pause(&ground.h, &admin, state(&draft)).await),
        refused(Code::NotAllowedNow, "id")
    );
    let live = launch(&ground.h, &admin, state(&draft)).await.unwrap().value;
    assert_eq!((live.state, live.version), (CampaignState::Live, 2));
    assert_eq!(
        codes(launch(&ground.h, &admin, state(&live)).await),
        refused(Code::NotAllowedNow, "id")
    );
    assert_eq!(
        codes(pause(&ground.h, &admin, state(&draft)).await),
        refused(Code::VersionConflict, "version")
    );
    let bare = UpdateCampaign {
        service_line_ids: Some(Vec::new()),
        ..UpdateCampaign::of(live.id)
    };
    assert_eq!(
        codes(update(&ground.h, &admin, bare).await),
        refused(Code::Required, "serviceLineIds")
    );
    let paused = pause(&ground.h, &admin, state(&live)).await.unwrap().value;
    assert_eq!(
        ground.h.playbook().await.unwrap().campaigns[&paused.id].state,
        CampaignState::Paused
    );
    assert_eq!(
        launch(&ground.h, &admin, state(&paused))
            .await
            .unwrap()
            .value
            .state,
        CampaignState::Live
    );
    assert_eq!(
        deeds(&ground).await,
        [
            "campaign.create",
            "campaign.launch",
            "campaign.pause",
            "campaign.launch"
        ]
    );
}

#[tokio::test]
async fn a_launch_is_refused_with_every_reason_by_the_hospitals_own_day() {
    let ground = Ground::at("2026-12-01T04:59:00Z").await;
    ground.facility("riverside", "America/New_York").await;
    let admin = ground.admin();
    let plan = create(&ground.h, &admin, fall(&[])).await.unwrap().value;
    assert_eq!(
        codes(launch(&ground.h, &admin, state(&plan)).await),
        refused(Code::Required, "serviceLineIds"),
        "in New York it is still the campaign's last day"
    );
    ground.clock.advance(chrono::TimeDelta::minutes(1));
    let reasons = codes(launch(&ground.h, &admin, state(&plan)).await);
    assert_eq!(
        reasons,
        [
            (Code::NotAllowedNow, "endsOn".to_owned()),
            (Code::Required, "serviceLineIds".to_owned())
        ]
    );
}

#[tokio::test]
async fn spend_is_recorded_once_per_day_and_the_currency_stays_then() {
    let (ground, admin, campaign) = with_fall().await;
    let spend = |day, amount_minor| RecordSpend {
        campaign_id: campaign.id,
        day,
        amount_minor,
    };
    let today = day("2026-11-23");
    let first = record_spend(&ground.h, &admin, spend(today, 1_000))
        .await
        .unwrap()
        .value;
    assert_eq!(first.amount_minor, 1_000);
    let again = record_spend(&ground.h, &admin, spend(today, 1_250))
        .await
        .unwrap()
        .value;
    assert_eq!(again.amount_minor, 1_250);
    assert_eq!(
        campaign_spend::Entity::find().all(&ground.h.db).await.unwrap(),
        [again]
    );
    let tomorrow = record_spend(&ground.h, &admin, spend(day("2026-11-24"), -1)).await;
    assert_eq!(
        codes(tomorrow),
        [
            (Code::Invalid, "day".to_owned()),
            (Code::Invalid, "amountMinor".to_owned())
        ]
    );
    let euros = UpdateCampaign {
        currency: Some("EUR".to_owned()),
        ..UpdateCampaign::of(campaign.id)
    };
    assert_eq!(
        codes(update(&ground.h, &admin, euros).await),
        refused(Code::NotAllowedNow, "currency")
    );
}
