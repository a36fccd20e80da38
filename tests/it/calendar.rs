//! A coordinator's follow-ups in a calendar program, which reads the feed by its own parser.

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarProperty, ICalendarValue};
use calcard::{Entry, Parser};
use chrono::TimeDelta;
use entity::enums::Role;
use entity::{follow_up, staff};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic};

const NORA: As<'static> = As::Staff("nora");

/// Subscribes somebody. Answers the path of the address and the feed's id.
async fn subscribed(clinic: &Clinic, who: As<'_>) -> (String, String) {
    let made = clinic
        .change(who, "createCalendarFeed", json!({ "name": "My phone" }))
        .await;
    let url = made["url"].as_str().unwrap();
    let path = url.strip_prefix("https://leads.clinic.example").unwrap();
    let id = made["calendarFeed"]["id"].as_str().unwrap();
    (path.to_owned(), id.to_owned())
}

async fn fetch(clinic: &Clinic, path: &str) -> Answer {
    Answer::to(clinic.client.get(path)).await
}

/// The calendar as another program understands it. There must be nothing in it that the program does not know, but for the
/// name under which older ones look for the title.
fn parsed(text: &str) -> ICalendar {
    let mut parser = Parser::new(text);
    let calendar = match parser.entry() {
        Entry::ICalendar(calendar) => calendar,
        other => panic!("{other:?} in {text}"),
    };
    let entries = calendar.components.iter().flat_map(|part| &part.entries);
    let unknown: Vec<&str> = entries
        .filter_map(|entry| match &entry.name {
            ICalendarProperty::Other(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(unknown, ["X-WR-CALNAME"]);
    assert!(matches!(parser.entry(), Entry::Eof), "nothing follows");
    calendar
}

/// The texts of a property of all events.
fn texts(calendar: &ICalendar, property: &ICalendarProperty) -> Vec<String> {
    let events = calendar
        .components
        .iter()
        .filter(|component| component.component_type == ICalendarComponentType::VEvent);
    events
        .flat_map(|event| &event.entries)
        .filter(|entry| entry.name == *property)
        .flat_map(|entry| &entry.values)
        .map(|value| match value {
            ICalendarValue::Text(text) => text.clone(),
            ICalendarValue::PartialDateTime(time) => {
                time.to_date_time_with_tz(Tz::UTC).unwrap().to_utc().to_rfc3339()
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_feed_shows_when_what_is_due_and_nothing_of_whom_it_is_about() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let (path, _) = subscribed(&clinic, NORA).await;
    let answer = fetch(&clinic, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("text/calendar; charset=utf-8")
    );
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    assert_eq!(answer.header("x-robots-tag"), Some("noindex"));
    let calendar = parsed(&answer.body);
    let row = follow_up::Entity::find().one(clinic.db()).await.unwrap().unwrap();
    let of_events = |property| texts(&calendar, &property);
    assert_eq!(of_events(ICalendarProperty::Summary), ["First contact"]);
    assert_eq!(of_events(ICalendarProperty::Uid), [row.id.to_string()]);
    assert_eq!(of_events(ICalendarProperty::Dtstart), [row.due_at.to_rfc3339()]);
    assert_eq!(
        of_events(ICalendarProperty::Dtend),
        [(row.due_at + TimeDelta::minutes(15)).to_rfc3339()]
    );
    for secret in ["pat", "meyer", "sleep", "nora", "614"] {
        assert!(
            !answer.body.to_lowercase().contains(secret),
            "{secret} is in {}",
            answer.body
        );
    }
    assert!(answer.body.lines().all(|line| line.len() <= 75));
}

#[tokio::test]
async fn a_program_that_has_the_feed_already_is_told_so_until_something_changes() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let (path, _) = subscribed(&clinic, NORA).await;
    let first = fetch(&clinic, &path).await;
    let tag = first.header("etag").unwrap().to_owned();
    let again = || Answer::to(clinic.client.get(&path).header("if-none-match", &tag));
    clinic.minutes_pass(1);
    let same = again().await;
    assert_eq!((same.status.as_u16(), same.body.as_str()), (304, ""));
    let row = follow_up::Entity::find().one(clinic.db()).await.unwrap().unwrap();
    let until = clinic.now() + TimeDelta::hours(3);
    let input = json!({ "followUpId": row.id.to_string(), "until": until });
    clinic.change(NORA, "snoozeFollowUp", input).await;
    let changed = again().await;
    assert_eq!(changed.status, 200);
    let calendar = parsed(&changed.body);
    assert_eq!(
        texts(&calendar, &ICalendarProperty::Uid),
        [row.id.to_string()],
        "the same entry, moved"
    );
    assert_eq!(
        texts(&calendar, &ICalendarProperty::Dtstart),
        [until.to_rfc3339()]
    );
    let input = json!({ "followUpId": row.id.to_string(), "outcome": "Done by hand" });
    clinic.change(NORA, "completeFollowUp", input).await;
    let empty = parsed(&again().await.body);
    assert_eq!(texts(&empty, &ICalendarProperty::Uid), Vec::<String>::new());
}

#[tokio::test]
async fn a_feed_ends_when_it_is_revoked_or_its_owner_leaves_and_is_nobody_elses() {
    let clinic = Clinic::new().await;
    let (path, id) = subscribed(&clinic, NORA).await;
    let (other, _) = subscribed(&clinic, NORA).await;
    assert_ne!(path, other);
    let listed = async |who: As<'_>| {
        let answer = clinic
            .graphql(who, "{ calendarFeeds { id name } }", Value::Null)
            .await;
        answer.data("calendarFeeds").as_array().unwrap().len()
    };
    assert_eq!((listed(NORA).await, listed(As::Staff("cora")).await), (2, 0));
    let input = json!({ "calendarFeedId": id });
    let refused = clinic
        .try_change(As::Staff("cora"), "revokeCalendarFeed", input.clone())
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(refused["userErrors"][0]["field"], json!(["calendarFeedId"]));
    assert_eq!(fetch(&clinic, &path).await.status, 200);
    clinic.change(NORA, "revokeCalendarFeed", input).await;
    assert_eq!(fetch(&clinic, &path).await.status, 404);
    assert_eq!(fetch(&clinic, &other).await.status, 200);
    assert_eq!(listed(NORA).await, 1);
    for wrong in [
        "/calendar/x.ics",
        "/calendar/.ics",
        other.strip_suffix(".ics").unwrap(),
    ] {
        assert_eq!(fetch(&clinic, wrong).await.status, 404, "{wrong}");
    }
    staff::Entity::update_many()
        .col_expr(staff::Column::Active, Expr::value(false))
        .filter(staff::Column::Email.eq("nora@clinic.example"))
        .exec(clinic.db())
        .await
        .unwrap();
    assert_eq!(fetch(&clinic, &other).await.status, 404);
}

#[tokio::test]
async fn feeds_are_few_and_named_and_belong_to_people() {
    let clinic = Clinic::new().await;
    for name in ["", " ", "a\u{202e}b", &"x".repeat(121)] {
        let refused = clinic
            .try_change(NORA, "createCalendarFeed", json!({ "name": name }))
            .await;
        assert_eq!(refused["userErrors"][0]["field"], json!(["name"]), "{name:?}");
        assert_eq!(refused["url"], Value::Null);
    }
    for _ in 0..10 {
        subscribed(&clinic, NORA).await;
    }
    let refused = clinic
        .try_change(NORA, "createCalendarFeed", json!({ "name": "One more" }))
        .await;
    assert_eq!(refused["userErrors"][0]["code"], "TOO_LARGE");
    let program = clinic
        .try_change(
            As::Role(Role::IntakeCoordinator),
            "createCalendarFeed",
            json!({ "name": "A program" }),
        )
        .await;
    assert_eq!(program["userErrors"][0]["code"], "NOT_FOUND");
}
