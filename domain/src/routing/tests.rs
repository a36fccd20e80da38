use entity::enums::Role;
use entity::routing_rule::AddedFlags;
use entity::staff_absence::AbsenceReason;
use entity::{staff, staff_absence, team_member};
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::*;
use crate::ground::Ground;
use crate::id::new_id;

/// A hospital whose team `desk` has three coordinators: one who is away until noon, one who takes two at the most, and
/// one who takes all.
struct Desk {
    ground: Ground,
    team: TeamId,
    away: StaffId,
    limited: StaffId,
    free: StaffId,
}

async fn desk() -> Desk {
    let ground = Ground::at("2026-03-03T15:00:00Z").await;
    let team = ground.team("desk", false).await;
    let mut ids = Vec::new();
    for (name, max_open) in [("away", None), ("limited", Some(2)), ("free", None)] {
        let row = staff::Model {
            id: new_id(ground.h.now()),
            email: format!("{name}@example.org"),
            display_name: name.to_owned(),
            role: Role::IntakeCoordinator,
            time_zone: "America/New_York".to_owned(),
            password_hash: None,
            max_open,
            active: true,
            created_at: ground.h.now(),
        };
        let staff_id = row.into_active_model().insert(&ground.h.db).await.unwrap().id;
        let member = team_member::Model {
            team_id: team,
            staff_id,
        };
        member.into_active_model().insert(&ground.h.db).await.unwrap();
        ids.push(staff_id);
    }
    let absence = staff_absence::Model {
        id: new_id(ground.h.now()),
        staff_id: ids[0],
        reason: AbsenceReason::Leave,
        starts_at: ground.h.now(),
        ends_at: "2026-03-03T17:00:00Z".parse().unwrap(),
        created_at: ground.h.now(),
    };
    absence.into_active_model().insert(&ground.h.db).await.unwrap();
    Desk {
        ground,
        team,
        away: ids[0],
        limited: ids[1],
        free: ids[2],
    }
}

fn to<'a>(rule: Option<&'a routing_rule::Model>, team: TeamId) -> Match<'a> {
    Match {
        rule,
        team,
        facility: None,
        urgent: false,
        tried: Vec::new(),
        wanted: Wanted::default(),
    }
}

fn naming(desk: &Desk, owner: StaffId) -> routing_rule::Model {
    routing_rule::Model {
        id: new_id(desk.ground.h.now()),
        name: "Desk".to_owned(),
        position: 1,
        condition: entity::condition::Condition::default(),
        team_id: desk.team,
        facility_id: None,
        strategy: PersonStrategy::Named,
        owner_id: Some(owner),
        flags: AddedFlags::default(),
        urgent: false,
        active: true,
        retired_at: None,
        created_at: desk.ground.h.now(),
    }
}

#[tokio::test]
async fn who_is_away_or_has_enough_is_passed_over_and_the_explanation_says_so() {
    let desk = desk().await;
    let playbook = desk.ground.h.playbook().await.unwrap();
    let now = desk.ground.h.now();
    let load = |limited, free| HashMap::from([(desk.limited, limited), (desk.free, free)]);
    let decided = |load: &HashMap<StaffId, i64>, at| decide(&to(None, desk.team), &playbook, load, &[], at);

    let first = decided(&load(1, 5), now);
    assert_eq!(first.owner_id, Some(desk.limited), "has the least");
    assert!(first.explanation.ends_with("gets it: 1 is away."), "{first:?}");
    let full = decided(&load(2, 5), now);
    assert_eq!(full.owner_id, Some(desk.free));
    let said = "gets it: 1 is away, 1 has as much as can be done.";
    assert!(full.explanation.ends_with(said), "{full:?}");
    let noon = "2026-03-03T17:00:00Z".parse().unwrap();
    let back = decided(&load(2, 5), noon);
    assert_eq!(
        back.owner_id,
        Some(desk.away),
        "here again at the very instant, with nothing to do"
    );
}

#[tokio::test]
async fn a_person_whom_a_rule_names_and_who_cannot_take_it_is_passed_over_too() {
    let desk = desk().await;
    let playbook = desk.ground.h.playbook().await.unwrap();
    let now = desk.ground.h.now();
    let load = HashMap::from([(desk.limited, 2), (desk.free, 5)]);
    for (named, said) in [
        (desk.away, "The person whom the rule names is away."),
        (
            desk.limited,
            "The person whom the rule names has as much as can be done.",
        ),
    ] {
        let rule = naming(&desk, named);
        let decided = decide(&to(Some(&rule), desk.team), &playbook, &load, &[], now);
        assert_eq!(decided.owner_id, Some(desk.free));
        assert!(decided.explanation.contains(said), "{decided:?}");
    }
    let rule = naming(&desk, desk.free);
    let decided = decide(&to(Some(&rule), desk.team), &playbook, &load, &[], now);
    assert_eq!(decided.owner_id, Some(desk.free));
    assert!(decided.explanation.ends_with("The rule names the person."));
}

#[tokio::test]
async fn when_nobody_can_take_it_it_goes_to_the_team() {
    let desk = desk().await;
    let playbook = desk.ground.h.playbook().await.unwrap();
    let now = desk.ground.h.now();
    let chosen = choose(
        &[desk.away, desk.limited],
        &playbook,
        &HashMap::from([(desk.limited, 2)]),
        now,
    );
    assert_eq!(chosen.owner, None);
    assert_eq!(
        chosen.why,
        "Nobody can be given it: 1 is away, 1 has as much as can be done. So anybody of the team can take it."
    );
    let none = choose(&[], &playbook, &HashMap::new(), now);
    assert_eq!(
        none.why,
        "The team has no member, so anybody who joins it can take it."
    );
}

#[tokio::test]
async fn by_turns_nobody_gets_a_second_lead_before_everybody_who_can_take_one_has_had_one() {
    let desk = desk().await;
    let playbook = desk.ground.h.playbook().await.unwrap();
    let rule = routing_rule::Model {
        strategy: PersonStrategy::RoundRobin,
        owner_id: None,
        ..naming(&desk, desk.free)
    };
    let noon: DateTime<Utc> = "2026-03-03T17:00:00Z".parse().unwrap();
    let (mut given, mut owners) = (Vec::new(), Vec::new());
    for (number, at) in [desk.ground.h.now(), noon]
        .into_iter()
        .flat_map(|at| [(0, at), (1, at), (2, at), (3, at)])
    {
        let found = to(Some(&rule), desk.team);
        // Who has most to do has a turn all the same, as long as it is not too much.
        let load = HashMap::from([(desk.limited, number % 2), (desk.free, 40)]);
        let owner = decide(&found, &playbook, &load, &given, at).owner_id.unwrap();
        given = turn::after(given, owner);
        owners.push(owner);
    }
    let (away, limited, free) = (desk.away, desk.limited, desk.free);
    assert_eq!(
        owners[..4],
        [limited, free, limited, free],
        "the one who is away has no turn"
    );
    assert_eq!(
        owners[4..],
        [away, limited, free, away],
        "and comes first when here again"
    );
    assert_eq!(given.len(), 3, "everybody stands in the list once");
}
