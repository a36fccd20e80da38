//! The work list: what comes first and why, the next one for each coordinator, and work on many at once.

use std::collections::HashSet;

use chrono::TimeDelta;
use domain::follow_up::build::{About, first_contact};
use domain::follow_up::place::{self, Facts};
use domain::follow_up::{Next, next};
use domain::viewer::Viewer;
use entity::enums::Role;
use entity::follow_up::{self, FollowUpKind, FollowUpState};
use entity::id::{StaffId, TeamId};
use entity::{lead, staff};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at};

const NORA: As<'static> = As::Staff("nora");
const SAM: As<'static> = As::Staff("sam");
const LUIS: As<'static> = As::Staff("luis");

/// A hospital with one lead, whose own follow-up is done.
async fn desk() -> Clinic {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let id = all(&clinic).await[0].id.to_string();
    clinic
        .change(NORA, "completeFollowUp", json!({ "followUpId": id }))
        .await;
    clinic
}

/// Opens work for the sleep desk and nobody, due in an hour, after `edit`. Answers its public id.
async fn work(clinic: &Clinic, title: &str, edit: impl FnOnce(&mut follow_up::Model)) -> String {
    let row = row(clinic, title, edit).await;
    let id = row.id.to_string();
    row.into_active_model().insert(clinic.db()).await.unwrap();
    id
}

async fn row(clinic: &Clinic, title: &str, edit: impl FnOnce(&mut follow_up::Model)) -> follow_up::Model {
    let (lead, now) = (clinic.last_lead().await, clinic.now());
    let about = About {
        lead_id: lead.id,
        team_id: lead.team_id,
        owner_id: None,
        urgent: false,
        score: 50,
    };
    let mut row = follow_up::Model {
        title: title.to_owned(),
        ..first_contact(&about, now + TimeDelta::hours(1), 10, now)
    };
    edit(&mut row);
    let score = -row.weight;
    place::put(&mut row, score, now);
    row
}

/// Makes it due so many minutes from now, and due soon ten minutes earlier.
fn due_in(row: &mut follow_up::Model, minutes: i64) {
    row.due_at = row.created_at + TimeDelta::minutes(minutes);
    row.soon_at = row.due_at - TimeDelta::minutes(10);
}

async fn all(clinic: &Clinic) -> Vec<follow_up::Model> {
    let rows = follow_up::Entity::find().order_by_asc(follow_up::Column::Id);
    rows.all(clinic.db()).await.unwrap()
}

async fn by_id(clinic: &Clinic, id: &str) -> follow_up::Model {
    let row = follow_up::Entity::find_by_id(id.parse::<entity::id::FollowUpId>().unwrap());
    row.one(clinic.db()).await.unwrap().unwrap()
}

async fn staff_id(clinic: &Clinic, name: &str) -> StaffId {
    clinic.id_of("staff", name).await.parse().unwrap()
}

/// The open work that somebody sees, in order.
async fn list(clinic: &Clinic, who: As<'_>, filter: Value) -> Vec<Value> {
    let query = "query($filter: FollowUpFilter) { followUps(first: 100, filter: $filter) {
        nodes { id title place { rank reasons says } inHand { by { displayName } until } } } }";
    let nodes = clinic
        .graphql(who, query, json!({ "filter": filter }))
        .await
        .data("followUps.nodes");
    nodes.as_array().unwrap().clone()
}

async fn titles(clinic: &Clinic, who: As<'_>) -> Vec<String> {
    let list = list(clinic, who, json!({})).await;
    list.iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect()
}

/// What somebody is given next; none when there is nothing.
async fn given(clinic: &Clinic, who: As<'_>, input: Value) -> Option<String> {
    let payload = clinic.change(who, "nextFollowUp", input).await;
    payload["followUp"]["title"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn the_list_shows_urgent_then_late_then_due_soon_then_the_best_leads_and_last_what_has_to_wait() {
    let clinic = desk().await;
    work(&clinic, "score 20, due first", |row| {
        row.weight = -20;
        due_in(row, 50);
    })
    .await;
    work(&clinic, "score 80", |row| row.weight = -80).await;
    work(&clinic, "callback", |row| {
        row.kind = FollowUpKind::Callback;
        due_in(row, 120);
    })
    .await;
    work(&clinic, "due soon", |row| due_in(row, 8)).await;
    work(&clinic, "late", |row| due_in(row, 1)).await;
    work(&clinic, "urgent", |row| row.urgent = true).await;
    work(&clinic, "urgent callback", |row| {
        row.kind = FollowUpKind::Callback;
        row.urgent = true;
        due_in(row, 600);
    })
    .await;
    clinic.live_until(clinic.now() + TimeDelta::minutes(2)).await;
    let order = [
        "urgent",
        "late",
        "due soon",
        "score 80",
        "score 20, due first",
        "callback",
        "urgent callback",
    ];
    assert_eq!(titles(&clinic, NORA).await, order);
    assert_eq!(
        titles(&clinic, OPS).await,
        order,
        "whoever sees all sees the same order"
    );
    let seen = list(&clinic, NORA, json!({ "mine": true })).await;
    let why: Vec<_> = seen.iter().map(|node| node["place"].clone()).collect();
    let place =
        |rank: i32, reasons: &[&str], says: &str| json!({ "rank": rank, "reasons": reasons, "says": says });
    let expected = [
        place(0, &["URGENT"], "Urgent, due in 58 min."),
        place(1, &["LATE"], "Late by 1 min."),
        place(2, &["DUE_SOON"], "Due in 6 min."),
        place(3, &["SCORE"], "Score 80, due in 58 min."),
        place(3, &["SCORE"], "Score 20, due in 48 min."),
        place(4, &["NOT_YET"], "Its time comes in 108 min."),
        place(4, &["NOT_YET"], "Its time comes in 9 hours."),
    ];
    assert_eq!(why, expected);
}

#[tokio::test]
async fn work_moves_up_as_its_time_comes_whoever_it_is_for_and_however_many_workers_sweep() {
    let clinic = desk().await;
    let other = clinic.another_worker();
    for minutes in [5, 20, 45, 90, 300] {
        for kind in [FollowUpKind::FirstContact, FollowUpKind::Callback] {
            work(&clinic, "work", |row| {
                row.kind = kind;
                due_in(row, minutes);
            })
            .await;
        }
    }
    for minutes in [1, 9, 10, 1, 14, 60, 30, 200] {
        clinic.minutes_pass(minutes);
        let (one, two) = futures_util::future::join(clinic.worker.drain(), other.drain()).await;
        one.unwrap();
        two.unwrap();
        let open = all(&clinic)
            .await
            .into_iter()
            .filter(|row| row.state == FollowUpState::Open);
        for row in open {
            let place = place::place(&Facts::of(&row), clinic.now());
            assert_eq!(
                (row.rank, row.weight, row.moves_at),
                (place.rank as i32, place.weight, place.moves_at)
            );
            assert_eq!(row.late_at.is_some(), row.due_at <= clinic.now());
            assert_eq!(row.version, 1, "nobody who edits it is in the way");
        }
    }
}

#[tokio::test]
async fn an_urgent_lead_takes_its_open_work_to_the_top_and_back_to_where_its_score_puts_it() {
    let clinic = desk().await;
    let lead = clinic.last_lead().await;
    let id = work(&clinic, "call", |row| row.weight = -lead.score_points).await;
    let input = |urgent: bool| json!({ "leadId": lead.id.to_string(), "urgent": urgent });
    clinic.change(NORA, "updateLead", input(true)).await;
    let first = by_id(&clinic, &id).await;
    assert_eq!((first.rank, first.weight), (0, 0));
    clinic.change(NORA, "updateLead", input(false)).await;
    let back = by_id(&clinic, &id).await;
    assert_eq!((back.rank, back.weight), (3, -lead.score_points));
    clinic.drain().await;
}

#[tokio::test]
async fn the_pages_of_a_list_that_is_put_together_show_every_row_once_in_both_directions() {
    let clinic = desk().await;
    let nora = staff_id(&clinic, "nora").await;
    for number in 0..23 {
        work(&clinic, &format!("{number:02}"), |row| {
            row.assignee_id = [Some(nora), None][number % 2];
            row.weight = -i32::try_from(number % 7).unwrap();
        })
        .await;
    }
    let wanted = titles(&clinic, NORA).await;
    assert_eq!(wanted.len(), 23);
    let query = "query($first: Int, $after: String, $last: Int, $before: String) {
        followUps(first: $first, after: $after, last: $last, before: $before, filter: { mine: true }) {
            totalCount nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    for (size, cursor, edge, more) in [
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ] {
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        loop {
            let page = clinic
                .graphql(NORA, query, json!({ size: 5, cursor: place }))
                .await
                .data("followUps");
            assert_eq!(page["totalCount"], 23);
            let nodes = page["nodes"].as_array().unwrap().iter();
            let nodes: Vec<_> = nodes
                .map(|node| node["title"].as_str().unwrap().to_owned())
                .collect();
            seen = if size == "first" {
                [seen, nodes].concat()
            } else {
                [nodes, seen].concat()
            };
            place = page["pageInfo"][edge].clone();
            if page["pageInfo"][more] == false {
                break;
            }
        }
        assert_eq!(seen, wanted, "by {size}");
    }
}

#[tokio::test]
async fn each_coordinator_is_given_another_one_and_whoever_asks_again_gets_the_same() {
    let clinic = desk().await;
    work(&clinic, "second", |row| row.weight = -60).await;
    let first = work(&clinic, "first", |row| row.weight = -70).await;
    work(&clinic, "third", |row| row.weight = -30).await;
    work(&clinic, "not yet", |row| row.snoozed_count = 1).await;
    assert_eq!(given(&clinic, NORA, json!({})).await.as_deref(), Some("first"));
    assert_eq!(given(&clinic, SAM, json!({})).await.as_deref(), Some("second"));
    assert_eq!(
        given(&clinic, NORA, json!({})).await.as_deref(),
        Some("first"),
        "she has it in hand"
    );
    let seen = list(&clinic, SAM, json!({})).await;
    let held = seen.iter().find(|node| node["id"] == first).unwrap();
    assert_eq!(held["inHand"]["by"]["displayName"], "Nora Night");
    assert_eq!(
        at(held["inHand"]["until"].as_str().unwrap()),
        clinic.now() + TimeDelta::minutes(15)
    );
    let row = by_id(&clinic, &first).await;
    assert_eq!(
        (row.assignee_id, row.version),
        (None, 1),
        "it does not become hers"
    );

    let put_back = json!({ "skip": true });
    assert_eq!(
        given(&clinic, NORA, put_back.clone()).await.as_deref(),
        Some("third"),
        "what comes after it"
    );
    assert_eq!(
        by_id(&clinic, &first).await.taken_by_id,
        None,
        "the other one is free"
    );
    assert_eq!(
        given(&clinic, NORA, put_back).await,
        None,
        "nothing comes after the last one"
    );
    assert_eq!(
        given(&clinic, NORA, json!({})).await.as_deref(),
        Some("first"),
        "from the top again"
    );
    clinic
        .change(NORA, "completeFollowUp", json!({ "followUpId": first }))
        .await;
    assert_eq!(given(&clinic, NORA, json!({})).await.as_deref(), Some("third"));

    clinic.minutes_pass(15);
    clinic.drain().await;
    assert_eq!(given(&clinic, LUIS, json!({})).await, None, "another team's work");
    assert_eq!(
        given(&clinic, NORA, json!({})).await.as_deref(),
        Some("second"),
        "free again by itself"
    );
}

#[tokio::test]
async fn work_in_hand_is_free_when_it_was_put_off_given_away_or_called_about() {
    let clinic = desk().await;
    let lead = clinic.last_lead().await.id.to_string();
    let sam = clinic.id_of("staff", "sam").await;
    let until = clinic.now() + TimeDelta::hours(5);
    let id = work(&clinic, "callback", |row| {
        row.kind = FollowUpKind::Callback;
        due_in(row, 5);
    })
    .await;
    for (field, input) in [
        (
            "snoozeFollowUp",
            json!({ "followUpId": id, "until": until.to_rfc3339() }),
        ),
        ("assignFollowUp", json!({ "followUpId": id, "assigneeId": sam })),
        (
            "logAttempt",
            json!({ "leadId": lead, "medium": "PHONE", "outcome": "BUSY" }),
        ),
    ] {
        let nora = staff_id(&clinic, "nora").await;
        let held = follow_up::ActiveModel {
            taken_by_id: sea_orm::Set(Some(nora)),
            taken_until: sea_orm::Set(Some(clinic.now() + TimeDelta::minutes(15))),
            ..by_id(&clinic, &id).await.into_active_model()
        };
        held.update(clinic.db()).await.unwrap();
        clinic.change(NORA, field, input).await;
        let row = by_id(&clinic, &id).await;
        assert_eq!((row.taken_by_id, row.taken_until), (None, None), "{field}");
        assert_eq!(row.state, FollowUpState::Open, "{field}");
    }
    clinic.drain().await;
}

#[tokio::test]
async fn the_next_one_is_only_for_people_and_of_their_own_teams() {
    let clinic = desk().await;
    let imaging: TeamId = clinic.id_of("team", "imaging-desk").await.parse().unwrap();
    work(&clinic, "sleep", |row| row.weight = -90).await;
    work(&clinic, "imaging", |row| row.team_id = imaging).await;
    let of_imaging = json!({ "teamId": imaging.to_string() });
    assert_eq!(
        given(&clinic, NORA, of_imaging.clone()).await.as_deref(),
        Some("imaging")
    );
    for (who, input, field) in [
        (SAM, of_imaging, json!(["teamId"])),
        (OPS, json!({}), Value::Null),
    ] {
        let refused = clinic.try_change(who, "nextFollowUp", input).await;
        assert_eq!(refused["followUp"], Value::Null);
        assert_eq!(refused["userErrors"][0]["field"], field);
    }
}

/// Coordinators of the sleep desk, as many as are wanted.
async fn coordinators(clinic: &Clinic, count: usize) -> Vec<Viewer> {
    let team: TeamId = clinic.id_of("team", "sleep-desk").await.parse().unwrap();
    let mut viewers = Vec::new();
    for number in 0..count {
        let row = staff::Model {
            id: domain::id::new_id(clinic.now()),
            email: format!("coordinator{number}@clinic.example"),
            display_name: format!("Coordinator {number}"),
            role: Role::IntakeCoordinator,
            time_zone: "America/New_York".to_owned(),
            password_hash: None,
            active: true,
            max_open: None,
            created_at: clinic.now(),
        };
        viewers.push(Viewer::Staff {
            id: row.id,
            role: row.role,
            teams: vec![team],
        });
        row.into_active_model().insert(clinic.db()).await.unwrap();
    }
    viewers
}

/// Takes the next one and completes it, until there is nothing left. Answers what it was given.
async fn works_through(clinic: &Clinic, viewer: &Viewer) -> Vec<entity::id::FollowUpId> {
    let mut given = Vec::new();
    while let Some(row) = next(&clinic.hospital, viewer, Next::default())
        .await
        .unwrap()
        .value
    {
        given.push(row.id);
        let done = domain::follow_up::Complete {
            id: row.id,
            outcome: None,
            version: Some(row.version),
        };
        let done = domain::follow_up::complete(&clinic.hospital, viewer, done)
            .await
            .unwrap();
        assert_eq!(done.value.state, FollowUpState::Done);
    }
    given
}

#[tokio::test]
async fn thirty_two_coordinators_who_ask_at_once_are_given_no_row_twice_and_leave_none() {
    const ROWS: usize = 320;
    let clinic = desk().await;
    let viewers = coordinators(&clinic, 32).await;
    let mut rows = Vec::new();
    for number in 0..ROWS {
        let urgent = number % 5 == 0;
        rows.push(
            row(&clinic, "work", |row| row.urgent = urgent)
                .await
                .into_active_model(),
        );
    }
    follow_up::Entity::insert_many(rows)
        .exec_without_returning(clinic.db())
        .await
        .unwrap();

    let first = futures_util::future::join_all(
        viewers
            .iter()
            .map(|viewer| next(&clinic.hospital, viewer, Next::default())),
    )
    .await;
    let first: Vec<_> = first
        .into_iter()
        .map(|done| done.unwrap().value.unwrap())
        .collect();
    let ids: HashSet<_> = first.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 32, "each has another one in hand");
    assert!(
        first.iter().all(|row| row.rank == 0),
        "urgent work first: there are 64 of it"
    );

    let given = futures_util::future::join_all(viewers.iter().map(|viewer| works_through(&clinic, viewer)))
        .await
        .concat();
    let once: HashSet<_> = given.iter().collect();
    assert_eq!((given.len(), once.len()), (ROWS, ROWS));
}

#[tokio::test]
async fn several_follow_ups_are_done_together_and_each_says_what_came_of_it() {
    let clinic = desk().await;
    let (one, two) = (
        work(&clinic, "one", |_| ()).await,
        work(&clinic, "two", |_| ()).await,
    );
    let heart: TeamId = clinic.id_of("team", "heart-desk").await.parse().unwrap();
    let hidden = work(&clinic, "hidden", |row| row.team_id = heart).await;
    clinic
        .change(NORA, "completeFollowUp", json!({ "followUpId": two }))
        .await;
    let input = json!({ "followUpIds": [one, two, hidden], "outcome": "Wrote letters" });
    let results = clinic.change(NORA, "completeFollowUps", input).await["results"].clone();
    let of = |place: usize| {
        (
            results[place]["id"].clone(),
            results[place]["userErrors"][0]["code"].clone(),
        )
    };
    assert_eq!(of(0), (json!(one), Value::Null));
    assert_eq!(of(1), (json!(two), json!("NOT_ALLOWED_NOW")));
    assert_eq!(
        of(2),
        (json!(hidden), json!("NOT_FOUND")),
        "as if there were none"
    );
    assert_eq!(results[1]["userErrors"][0]["field"], json!(["followUpIds"]));
    let row = by_id(&clinic, &one).await;
    assert_eq!(
        (row.state, row.outcome.as_deref()),
        (FollowUpState::Done, Some("Wrote letters"))
    );
    assert_eq!(by_id(&clinic, &hidden).await.state, FollowUpState::Open);

    for (ids, code) in [
        (json!([]), "REQUIRED"),
        (json!([one, one]), "INVALID"),
        (json!(vec![one.clone(); 101]), "TOO_LARGE"),
        (json!(["lead_01jd0000000000000000000000"]), "INVALID"),
    ] {
        let refused = clinic
            .try_change(NORA, "completeFollowUps", json!({ "followUpIds": ids }))
            .await;
        assert_eq!(refused["results"], Value::Null);
        assert_eq!(refused["userErrors"][0]["field"], json!(["followUpIds"]));
        assert_eq!(refused["userErrors"][0]["code"], code);
    }
}

#[tokio::test]
async fn many_are_put_off_and_given_away_by_as_many_statements_as_two() {
    let clinic = desk().await;
    let sam = clinic.id_of("staff", "sam").await;
    let until = clinic.now() + TimeDelta::hours(3);
    clinic.sign_in("nora").await;
    let mut statements = Vec::new();
    for count in [2, 100] {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(work(&clinic, "work", |_| ()).await);
        }
        clinic.statements();
        let input = json!({ "followUpIds": ids, "until": until.to_rfc3339() });
        clinic.change(NORA, "snoozeFollowUps", input).await;
        let input = json!({ "followUpIds": ids, "assigneeId": sam });
        clinic.change(NORA, "assignFollowUps", input).await;
        statements.push(clinic.statements().len());
        for id in ids {
            let row = by_id(&clinic, &id).await;
            assert_eq!((row.rank, row.due_at, row.version), (4, until, 3));
            assert_eq!(row.remind_at, Some(row.soon_at), "the new person is reminded");
        }
    }
    assert_eq!(statements[0], statements[1]);
    let sam: StaffId = sam.parse().unwrap();
    let told = clinic.messages().await.into_iter();
    let told = told.filter(|message| message.staff_id == Some(sam)).count();
    assert_eq!(told, 102, "a mail about each");
    clinic.drain().await;
}

#[tokio::test]
async fn all_the_work_of_a_person_goes_to_another_with_the_leads_that_the_person_owned() {
    let clinic = desk().await;
    let (nora, sam) = (staff_id(&clinic, "nora").await, staff_id(&clinic, "sam").await);
    let imaging: TeamId = clinic.id_of("team", "imaging-desk").await.parse().unwrap();
    let lead = clinic.last_lead().await;
    assert_eq!(lead.owner_id, Some(nora));
    let theirs = [
        work(&clinic, "one", |row| row.assignee_id = Some(nora)).await,
        work(&clinic, "two", |row| row.assignee_id = Some(nora)).await,
    ];
    let others = [
        work(&clinic, "nobody's", |_| ()).await,
        work(&clinic, "another team's", |row| {
            row.assignee_id = Some(nora);
            row.team_id = imaging;
        })
        .await,
    ];
    let input = |from: StaffId, to: StaffId| {
        json!({ "fromId": from.to_string(), "toId": to.to_string(),
        "teamId": lead.team_id.to_string() })
    };
    let mails = clinic.messages().await.len();
    let payload = clinic.change(OPS, "handOverFollowUps", input(nora, sam)).await;
    assert_eq!(
        payload["handedOver"],
        json!({ "followUps": 2, "leads": 1, "more": false })
    );
    for id in theirs {
        assert_eq!(by_id(&clinic, &id).await.assignee_id, Some(sam));
    }
    for id in others {
        assert_ne!(by_id(&clinic, &id).await.assignee_id, Some(sam));
    }
    let after = lead::Entity::find_by_id(lead.id)
        .one(clinic.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((after.owner_id, after.version), (Some(sam), lead.version + 1));
    assert_eq!(
        clinic.messages().await.len(),
        mails,
        "nobody is mailed about each"
    );
    let luis = staff_id(&clinic, "luis").await;
    for (who, input, field) in [
        (SAM, input(sam, sam), "toId"),
        (SAM, input(sam, luis), "toId"),
        (LUIS, input(sam, nora), "teamId"),
    ] {
        let refused = clinic.try_change(who, "handOverFollowUps", input).await;
        assert_eq!(refused["userErrors"][0]["field"], json!([field]));
    }
    let open = follow_up::Column::AssigneeId.eq(sam);
    let kept = follow_up::Entity::find()
        .filter(open)
        .all(clinic.db())
        .await
        .unwrap();
    assert_eq!(kept.len(), 2);
    clinic.drain().await;
}
