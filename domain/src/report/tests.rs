mod random;
mod slow;

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{Channel, Disposition, LeadStage, LeadType, Role};
use entity::id::{StaffId, TokenId};
use entity::lead;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use self::random::Town;
use super::*;
use crate::error::{Code, Error};
use crate::ground::Ground;
use crate::id::new_id;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Periods with and without local midnights at their ends, over both changes of a clock.
fn periods() -> [Filter; 4] {
    [
        Filter::period(at("2026-02-20T05:00:00Z"), at("2026-04-10T04:00:00Z")),
        Filter::period(at("2026-03-07T17:13:05.25Z"), at("2026-03-09T11:00:00Z")),
        Filter::period(at("2026-03-01T00:00:00Z"), at("2026-03-29T00:00:00Z")),
        Filter::period(at("2025-01-01T00:00:00Z"), at("2025-02-01T00:00:00Z")),
    ]
}

fn filters(town: &Town) -> Vec<Filter> {
    let narrow = |filter: Filter| {
        [
            Filter {
                service_line_ids: vec![town.lines[0]],
                ..filter.clone()
            },
            Filter {
                service_line_ids: vec![town.lines[1], town.lines[2]],
                ..filter.clone()
            },
            Filter {
                channels: vec![Channel::PaidSearch, Channel::Phone],
                ..filter.clone()
            },
            Filter {
                campaign_ids: vec![town.campaigns[0], town.campaigns[2]],
                ..filter.clone()
            },
            Filter {
                facility_ids: vec![town.facilities[1]],
                ..filter.clone()
            },
            Filter {
                facility_ids: town.facilities.to_vec(),
                ..filter.clone()
            },
            Filter {
                lead_types: vec![LeadType::Referral, LeadType::PatientAppointment],
                ..filter.clone()
            },
            Filter {
                service_line_ids: vec![town.lines[0]],
                channels: vec![Channel::PaidSearch],
                campaign_ids: vec![town.campaigns[0]],
                ..filter.clone()
            },
            filter.previous(),
            filter,
        ]
    };
    periods().into_iter().flat_map(narrow).collect()
}

fn viewers(town: &Town) -> Vec<Viewer> {
    let staff = |role, teams| Viewer::Staff {
        id: town.owner,
        role,
        teams,
    };
    let stranger = StaffId(uuid::Uuid::from_u128(1));
    vec![
        staff(Role::Admin, Vec::new()),
        staff(Role::Analyst, Vec::new()),
        Viewer::Token {
            id: TokenId(uuid::Uuid::from_u128(1)),
            role: Role::PerformanceMarketer,
        },
        staff(Role::IntakeCoordinator, vec![town.teams[0]]),
        Viewer::Staff {
            id: stranger,
            role: Role::ServiceLineLead,
            teams: vec![town.teams[1]],
        },
        Viewer::Staff {
            id: stranger,
            role: Role::IntakeCoordinator,
            teams: Vec::new(),
        },
    ]
}

#[tokio::test]
async fn the_dashboard_equals_a_count_by_hand() {
    let ground = Ground::at("2026-03-20T15:00:00Z").await;
    let town = Town::build(&ground, 11, 400).await;
    let mut most_leads = 0;
    for viewer in viewers(&town) {
        for filter in filters(&town) {
            let fast = dashboard(&ground.h, &viewer, filter.clone()).await.unwrap();
            let slow = slow::dashboard(&town, &viewer, &filter, ground.h.now());
            assert_eq!(fast, slow, "{viewer:?} {filter:?}");
            most_leads = most_leads.max(fast.totals.leads);
        }
    }
    assert!(most_leads > 200, "the town has leads to count: {most_leads}");
}

#[tokio::test]
async fn a_series_equals_a_count_by_hand_and_sums_to_the_dashboard() {
    let ground = Ground::at("2026-03-20T15:00:00Z").await;
    let town = Town::build(&ground, 12, 400).await;
    let viewer = ground.admin();
    for filter in filters(&town) {
        let whole = dashboard(&ground.h, &viewer, filter.clone())
            .await
            .unwrap()
            .totals;
        for grain in [Grain::Day, Grain::Week, Grain::Month] {
            let points = series(&ground.h, &viewer, &filter, grain).await.unwrap();
            assert_eq!(
                points,
                slow::series(&town, &viewer, &filter, grain),
                "{grain:?} {filter:?}"
            );
            assert_eq!(
                points.iter().map(|point| point.totals.leads).sum::<i64>(),
                whole.leads
            );
            if whole.currency.is_some() {
                let spent: i64 = points.iter().filter_map(|point| point.totals.spend_minor).sum();
                assert_eq!(Some(spent), whole.spend_minor, "{grain:?} {filter:?}");
            }
        }
    }
}

/// One lead received at noon, due an hour later.
fn one(town: &Town) -> lead::Model {
    let received_at = at("2026-06-01T12:00:00Z");
    lead::Model {
        received_at,
        sla_due_at: received_at + TimeDelta::hours(1),
        stage: LeadStage::New,
        disposition: None,
        first_attempt_at: None,
        first_attempt_business_secs: None,
        first_reached_at: None,
        qualified_at: None,
        scheduled_at: None,
        completed_at: None,
        closed_at: None,
        sla_target_at: None,
        sla_step: None,
        sla_step_at: None,
        taken_back_at: None,
        taken_from_id: None,
        sla_missed_at: None,
        id: new_id(received_at),
        ..town.leads[0].clone()
    }
}

#[tokio::test]
async fn a_first_attempt_must_come_before_the_due_time() {
    let ground = Ground::at("2026-06-02T00:00:00Z").await;
    let town = Town::build(&ground, 13, 1).await;
    let due = at("2026-06-01T13:00:00Z");
    let just_before = due - TimeDelta::microseconds(1);
    let june = Filter::period(at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    let mut row = one(&town).into_active_model().insert(&ground.h.db).await.unwrap();
    let none = SlaSummary::default();
    let sla = async || {
        dashboard(&ground.h, &ground.admin(), june.clone())
            .await
            .unwrap()
            .sla
    };

    ground.clock.set(just_before);
    assert_eq!(sla().await, SlaSummary { open: 1, ..none });
    ground.clock.set(due);
    assert_eq!(
        sla().await,
        SlaSummary {
            missed: 1,
            late_now: 1,
            ..none
        },
        "late now, though no sweep has come"
    );

    for (attempt, expected) in [
        (just_before, SlaSummary { met: 1, ..none }),
        (due, SlaSummary { missed: 1, ..none }),
    ] {
        row = lead::Model {
            first_attempt_at: Some(attempt),
            stage: LeadStage::Contacted,
            ..row
        };
        row = row
            .into_active_model()
            .reset_all()
            .update(&ground.h.db)
            .await
            .unwrap();
        assert_eq!(sla().await, expected, "attempt at {attempt}");
    }
    for (closed, expected) in [
        (just_before, SlaSummary { ended: 1, ..none }),
        (due, SlaSummary { missed: 1, ..none }),
    ] {
        let (stage, disposition) = (LeadStage::Closed, Some(Disposition::NotInterested));
        row = lead::Model {
            first_attempt_at: None,
            closed_at: Some(closed),
            stage,
            disposition,
            ..row
        };
        row = row
            .into_active_model()
            .reset_all()
            .update(&ground.h.db)
            .await
            .unwrap();
        assert_eq!(sla().await, expected, "closed at {closed}");
    }
    row = lead::Model {
        disposition: Some(Disposition::Spam),
        ..row
    };
    row.into_active_model()
        .reset_all()
        .update(&ground.h.db)
        .await
        .unwrap();
    assert_eq!(sla().await, none, "spam counts nowhere");
}

#[tokio::test]
async fn a_filter_that_cannot_be_answered_is_refused_by_field() {
    let ground = Ground::at("2026-06-02T00:00:00Z").await;
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
    let refused = async |filter: Filter| match dashboard(&ground.h, &ground.admin(), filter).await {
        Err(Error::Refused(refusals)) => refusals
            .into_iter()
            .map(|r| (r.code, r.field.join(".")))
            .collect::<Vec<_>>(),
        other => panic!("not refused: {other:?}"),
    };
    let on_to = |code| vec![(code, "to".to_owned())];
    assert_eq!(refused(Filter::period(from, from)).await, on_to(Code::Invalid));
    assert_eq!(refused(Filter::period(to, from)).await, on_to(Code::Invalid));
    let long = Filter::period(
        from,
        from + TimeDelta::days(SPAN_MAX_DAYS) + TimeDelta::seconds(1),
    );
    assert_eq!(refused(long).await, on_to(Code::TooLarge));
    let many = Filter {
        campaign_ids: vec![new_id(from); LIST_MAX + 1],
        channels: vec![Channel::Email; LIST_MAX + 1],
        ..Filter::period(from, to)
    };
    let fields: Vec<String> = refused(many).await.into_iter().map(|(_, field)| field).collect();
    assert_eq!(fields, ["channels", "campaignIds"]);
    let years = Filter::period(from, from + TimeDelta::days(SPAN_MAX_DAYS));
    match series(&ground.h, &ground.admin(), &years, Grain::Day).await {
        Err(Error::Refused(refusals)) => assert_eq!(refusals[0].field, ["grain"]),
        other => panic!("not refused: {other:?}"),
    }
    for viewer in [Viewer::Public, Viewer::Form { id: new_id(from) }] {
        let hidden = dashboard(&ground.h, &viewer, Filter::period(from, to)).await;
        assert!(matches!(hidden, Err(Error::Missing { noun: "dashboard" })));
    }
}

#[test]
fn the_period_before_is_as_long_and_ends_where_this_one_starts() {
    let filter = Filter {
        channels: vec![Channel::Chat],
        ..Filter::period(at("2026-03-01T00:00:00Z"), at("2026-03-11T00:00:00Z"))
    };
    let before = filter.previous();
    assert_eq!(
        (before.from, before.to),
        (at("2026-02-19T00:00:00Z"), filter.from)
    );
    assert_eq!(before.channels, filter.channels);
}
