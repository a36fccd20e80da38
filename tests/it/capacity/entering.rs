//! Capacity is entered: week by week, or as a table.

use entity::enums::Role;
use entity::{capacity, capacity_event};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::{Heart, LEAD, MONDAYS};
use crate::harness::{As, Clinic};

/// Field and code of every refusal.
fn refusals(payload: &Value) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap();
    let path = |error: &Value| {
        let parts = error["field"].as_array().unwrap();
        let parts: Vec<_> = parts.iter().map(|part| part.as_str().unwrap()).collect();
        parts.join(".")
    };
    errors
        .iter()
        .map(|error| {
            let path = path(error);
            let path = path.strip_prefix("input.").unwrap_or(&path).to_owned();
            (path, error["code"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn messages(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["message"].as_str().unwrap().to_owned())
        .collect()
}

async fn counts(clinic: &Clinic) -> (u64, u64) {
    (
        capacity::Entity::find().count(clinic.db()).await.unwrap(),
        capacity_event::Entity::find().count(clinic.db()).await.unwrap(),
    )
}

#[tokio::test]
async fn a_week_is_entered_changed_and_kept_in_its_history() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    let say = |slots: i32, version: i64| json!([{ "monday": MONDAYS[0], "openSlots": slots, "waitDays": 9, "version": version }]);
    let input = heart.input("lakeside", say(12, 0)).await;
    let payload = clinic.change(LEAD, "setCapacity", input.clone()).await;
    let week = &payload["capacity"]["weeks"][0];
    assert_eq!(
        week,
        &json!({ "monday": MONDAYS[0], "openSlots": 12, "waitDays": 9, "version": 1 })
    );
    let late = clinic.try_change(LEAD, "setCapacity", input).await;
    assert_eq!(
        refusals(&late),
        [("weeks.0.version".to_owned(), "VERSION_CONFLICT".to_owned())]
    );
    let input = heart.input("lakeside", say(8, 1)).await;
    clinic.change(LEAD, "setCapacity", input).await;
    // The same again is no change.
    let input = heart.input("lakeside", say(8, 2)).await;
    clinic.change(LEAD, "setCapacity", input).await;
    assert_eq!(counts(clinic).await, (1, 2));
    let events = capacity_event::Entity::find().all(clinic.db()).await.unwrap();
    assert!(events.iter().all(|event| event.actor_id.is_some()));
    clinic.drain().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_field() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    let weeks = json!([
        { "monday": "2026-03-03", "openSlots": 1 },
        { "monday": MONDAYS[1], "openSlots": -1 },
        { "monday": MONDAYS[1], "openSlots": 10_001, "waitDays": 731 },
        { "monday": "2026-02-23", "openSlots": 1 },
        { "monday": "2029-03-05", "openSlots": 1 },
    ]);
    let payload = clinic
        .try_change(LEAD, "setCapacity", heart.input("lakeside", weeks).await)
        .await;
    let expected = [
        ("weeks.0.monday", "INVALID"),
        ("weeks.1.openSlots", "INVALID"),
        ("weeks.2.monday", "ALREADY_EXISTS"),
        ("weeks.2.openSlots", "INVALID"),
        ("weeks.2.waitDays", "INVALID"),
        ("weeks.3.monday", "NOT_ALLOWED_NOW"),
        ("weeks.4.monday", "TOO_LARGE"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect();
    assert_eq!(refusals(&payload), expected);
    let nothing = clinic
        .try_change(LEAD, "setCapacity", heart.input("lakeside", json!([])).await)
        .await;
    assert_eq!(refusals(&nothing), [("weeks".to_owned(), "REQUIRED".to_owned())]);
    let many = vec![json!({ "monday": MONDAYS[0], "openSlots": 1 }); 54];
    let many = clinic
        .try_change(LEAD, "setCapacity", heart.input("lakeside", json!(many)).await)
        .await;
    assert_eq!(refusals(&many), [("weeks".to_owned(), "TOO_LARGE".to_owned())]);
    assert_eq!(counts(clinic).await, (0, 0));
}

#[tokio::test]
async fn coordinators_and_analysts_enter_nothing_and_everybody_reads_the_figures() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    heart.open(3).await;
    clinic.drain().await;
    let query = "mutation($input: SetCapacityInput!) { setCapacity(input: $input) { userErrors { code } } }";
    let weeks = json!([{ "monday": MONDAYS[0], "openSlots": 1 }]);
    let input = heart.input("lakeside", weeks).await;
    for role in [Role::IntakeCoordinator, Role::Analyst] {
        let answer = clinic
            .graphql(As::Role(role), query, json!({ "input": input }))
            .await;
        assert_eq!(answer.code(), "FORBIDDEN");
        let read = clinic
            .graphql(As::Role(role), "{ capacity { openSlots } }", json!({}))
            .await;
        assert_eq!(read.data("capacity").as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_table_is_tried_and_taken_in_as_a_whole() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    let csv = "\u{feff}Facility,service_line,monday,open_slots,wait_days\r\n\
               lakeside,cardiology,2026-03-02,40,12\r\n\
               Harbor Hospital,Sleep Medicine,2026-03-09,8,\r\n\
               ,,,,\r\n\
               lakeside,heart,2026-03-09,30,12\r\n";
    let dry = json!({ "csv": csv, "dryRun": true });
    let payload = clinic.change(LEAD, "importCapacity", dry).await;
    assert_eq!(payload["imported"], json!({ "rows": 3, "changed": 3 }));
    assert_eq!(counts(clinic).await, (0, 0), "nothing was written");
    let payload = clinic.change(LEAD, "importCapacity", json!({ "csv": csv })).await;
    assert_eq!(payload["imported"], json!({ "rows": 3, "changed": 3 }));
    let again = clinic.change(LEAD, "importCapacity", json!({ "csv": csv })).await;
    assert_eq!(again["imported"], json!({ "rows": 3, "changed": 0 }));
    assert_eq!(counts(clinic).await, (3, 3));
    clinic.drain().await;
    let outlook = heart.outlook().await;
    assert_eq!(outlook["weeks"][0]["openSlots"], 40);
}

#[tokio::test]
async fn mistakes_of_a_table_are_told_by_row_and_column_and_nothing_of_it_is_taken() {
    let heart = Heart::new().await;
    let clinic = &heart.clinic;
    let csv = "service_line,facility,monday,open_slots,wait_days\n\
               cardiology,lakeside,2026-03-02,40,12\n\
               juggling,lakeside,2026-03-02,40,12\n\
               cardiology,moon,2026-03-03,many,soon\n\
               cardiology,lakeside,2026-03-02,1\n";
    let payload = clinic
        .try_change(LEAD, "importCapacity", json!({ "csv": csv }))
        .await;
    assert_eq!(
        messages(&payload),
        [
            "Row 3, column service_line: there is no such service line.",
            "Row 4, column facility: there is no such facility.",
            "Row 4, column open_slots: write a whole number from 0 to 10000.",
            "Row 4, column wait_days: write a whole number from 0 to 730, or nothing.",
            "Row 5, column monday: an earlier row names the same week.",
        ]
    );
    assert!(refusals(&payload).iter().all(|(field, _)| field == "csv"));
    for (csv, message) in [
        ("", "Row 1: the column service_line is missing."),
        (
            "service_line,facility,monday,open_slots\n",
            "The table has no rows.",
        ),
        (
            "service_line,facility,monday,open_slots,mood\n",
            "Row 1, column 5: the columns are service_line, facility, monday, open_slots, wait_days.",
        ),
        ("monday,monday\n", "Row 1: the column monday is there twice."),
    ] {
        let payload = clinic
            .try_change(LEAD, "importCapacity", json!({ "csv": csv }))
            .await;
        assert_eq!(messages(&payload), [message]);
    }
    let head = "service_line,facility,monday,open_slots\n";
    let long = format!("{head}{}", "a,b,c,1\n".repeat(5_001));
    let payload = clinic
        .try_change(LEAD, "importCapacity", json!({ "csv": long }))
        .await;
    assert!(!payload["userErrors"].as_array().unwrap().is_empty());
    assert_eq!(counts(clinic).await, (0, 0));
}

#[tokio::test]
async fn what_can_be_booked_without_a_call_stands_on_the_line() {
    let heart =
        Heart::with(json!({ "directProcedures": ["Echocardiogram", "Stress test"], "maxWaitDays": 30 }))
            .await;
    let query =
        "{ serviceLines { slug directProcedures mailsPerVisit pacingWeeks maxWaitDays minOpenSlots } }";
    let lines = heart
        .clinic
        .graphql(LEAD, query, json!({}))
        .await
        .data("serviceLines");
    let heart = lines
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["slug"] == "cardiology");
    assert_eq!(
        heart,
        Some(&json!({
            "slug": "cardiology", "directProcedures": ["Echocardiogram", "Stress test"], "mailsPerVisit": 7,
            "pacingWeeks": 4, "maxWaitDays": 30, "minOpenSlots": null,
        }))
    );
}
