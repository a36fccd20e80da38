//! States that must not exist are refused by the database, whatever the program does. On SQLite; PostgreSQL is given
//! the same constraints, word for word.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement};

/// A column and the SQL of its value.
type Given<'a> = (&'a str, &'a str);

const LEAD: &[Given] = &[
    ("lead_type", "'REFERRAL'"),
    ("stage", "'NEW'"),
    ("channel", "'PHONE'"),
    ("score_grade", "'A'"),
];
const MESSAGE: &[Given] = &[
    ("kind", "'NURTURE'"),
    ("lane", "'BULK'"),
    ("purpose", "'MARKETING'"),
    ("state", "'PLANNED'"),
    ("origin_key", "hex(randomblob(8))"),
];
const ENROLLMENT: &[Given] = &[
    ("state", "'ACTIVE'"),
    ("sequence_id", "x'01'"),
    ("lead_id", "x'02'"),
    ("contact_id", "x'03'"),
];
const FOLLOW_UP: &[Given] = &[("kind", "'CALLBACK'"), ("state", "'OPEN'")];

/// A migrated database that does not ask for the parents of a row.
async fn database_without_parents() -> DatabaseConnection {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    db.execute_unprepared("PRAGMA foreign_keys = OFF").await.unwrap();
    db
}

/// Inserts a row with these values; what must be there and is not given is made up.
async fn insert(
    db: &DatabaseConnection,
    table: &str,
    base: &[Given<'_>],
    more: &[Given<'_>],
) -> Result<(), DbErr> {
    let mut row: Vec<(String, String)> = Vec::new();
    for (column, value) in base
        .iter()
        .filter(|(column, _)| !more.iter().any(|(given, _)| given == column))
        .chain(more)
    {
        row.push(((*column).to_owned(), (*value).to_owned()));
    }
    let info =
        format!("SELECT name, lower(type) AS type FROM pragma_table_info('{table}') WHERE \"notnull\"");
    for column in db
        .query_all_raw(Statement::from_string(DbBackend::Sqlite, info))
        .await?
    {
        let (name, declared): (String, String) = (column.try_get("", "name")?, column.try_get("", "type")?);
        if row.iter().any(|(given, _)| *given == name) {
            continue;
        }
        let made_up = match declared.as_str() {
            "uuid_text" => "randomblob(16)",
            "blob" => "randomblob(32)",
            "text" => "hex(randomblob(8))",
            "jsonb_text" => "'{}'",
            "timestamp_with_timezone_text" => "'2026-11-23T10:00:00+00:00'",
            "date_text" => "'2026-11-23'",
            _ => "0",
        };
        row.push((name, made_up.to_owned()));
    }
    let (columns, values): (Vec<_>, Vec<_>) = row
        .into_iter()
        .map(|(name, value)| (format!("\"{name}\""), value))
        .unzip();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        values.join(", ")
    );
    db.execute_unprepared(&sql).await.map(|_| ())
}

async fn assert_refused(
    db: &DatabaseConnection,
    table: &str,
    base: &[Given<'_>],
    more: &[Given<'_>],
    by: &str,
) {
    let error = insert(db, table, base, more)
        .await
        .expect_err(&format!("{table} took {more:?}"))
        .to_string();
    assert!(error.contains(by), "{table} {more:?}: {error}");
}

#[tokio::test]
async fn a_lead_has_a_disposition_exactly_when_it_is_closed() {
    let db = database_without_parents().await;
    insert(&db, "lead", LEAD, &[]).await.unwrap();
    insert(
        &db,
        "lead",
        LEAD,
        &[("stage", "'CLOSED'"), ("disposition", "'SPAM'")],
    )
    .await
    .unwrap();
    let by = "lead_closed_has_disposition";
    assert_refused(&db, "lead", LEAD, &[("stage", "'CLOSED'")], by).await;
    assert_refused(&db, "lead", LEAD, &[("disposition", "'SPAM'")], by).await;
}

#[tokio::test]
async fn an_unknown_name_in_an_enum_column_is_refused() {
    let db = database_without_parents().await;
    assert_refused(&db, "lead", LEAD, &[("stage", "'LOST'")], "CHECK").await;
    assert_refused(
        &db,
        "lead",
        LEAD,
        &[("stage", "'CLOSED'"), ("disposition", "'LOST'")],
        "CHECK",
    )
    .await;
}

#[tokio::test]
async fn an_inquiry_sent_twice_is_one_lead_but_leads_without_an_outside_id_are_many() {
    let db = database_without_parents().await;
    insert(&db, "lead", LEAD, &[]).await.unwrap();
    insert(&db, "lead", LEAD, &[]).await.unwrap();
    insert(&db, "lead", LEAD, &[("external_id", "'1'")])
        .await
        .unwrap();
    insert(
        &db,
        "lead",
        LEAD,
        &[("external_id", "'1'"), ("channel", "'CHAT'")],
    )
    .await
    .unwrap();
    assert_refused(&db, "lead", LEAD, &[("external_id", "'1'")], "UNIQUE").await;
}

#[tokio::test]
async fn a_message_goes_to_one_contact_or_one_member_of_staff() {
    let db = database_without_parents().await;
    let (contact, staff) = (("contact_id", "x'01'"), ("staff_id", "x'02'"));
    insert(&db, "message", MESSAGE, &[contact]).await.unwrap();
    insert(&db, "message", MESSAGE, &[staff]).await.unwrap();
    assert_refused(&db, "message", MESSAGE, &[], "message_has_one_recipient").await;
    assert_refused(
        &db,
        "message",
        MESSAGE,
        &[contact, staff],
        "message_has_one_recipient",
    )
    .await;
}

#[tokio::test]
async fn a_claimed_message_has_a_lease() {
    let db = database_without_parents().await;
    let (contact, lease) = (
        ("contact_id", "x'01'"),
        ("lease_until", "'2026-11-23T10:05:00+00:00'"),
    );
    for state in ["'CLAIMED'", "'HANDED_OFF'"] {
        insert(&db, "message", MESSAGE, &[contact, ("state", state), lease])
            .await
            .unwrap();
        assert_refused(
            &db,
            "message",
            MESSAGE,
            &[contact, ("state", state)],
            "message_claimed_has_lease",
        )
        .await;
    }
}

#[tokio::test]
async fn nothing_makes_a_message_twice() {
    let db = database_without_parents().await;
    let contact = ("contact_id", "x'01'");
    let step = [
        contact,
        ("enrollment_id", "x'02'"),
        ("step_key", "'day-2'"),
        ("occurrence", "1"),
        ("origin_key", "NULL"),
    ];
    insert(&db, "message", MESSAGE, &step).await.unwrap();
    assert_refused(&db, "message", MESSAGE, &step, "UNIQUE").await;
    let cause = [contact, ("origin_key", "'k'")];
    insert(&db, "message", MESSAGE, &cause).await.unwrap();
    assert_refused(&db, "message", MESSAGE, &cause, "UNIQUE").await;
}

#[tokio::test]
async fn a_lead_is_active_in_a_sequence_once_at_a_time() {
    let db = database_without_parents().await;
    insert(&db, "enrollment", ENROLLMENT, &[("state", "'EXITED'")])
        .await
        .unwrap();
    insert(&db, "enrollment", ENROLLMENT, &[("state", "'EXITED'")])
        .await
        .unwrap();
    insert(&db, "enrollment", ENROLLMENT, &[]).await.unwrap();
    assert_refused(&db, "enrollment", ENROLLMENT, &[], "UNIQUE").await;
}

#[tokio::test]
async fn one_team_at_most_reviews() {
    let db = database_without_parents().await;
    insert(&db, "team", &[], &[("is_review", "0")]).await.unwrap();
    insert(&db, "team", &[], &[("is_review", "0")]).await.unwrap();
    insert(&db, "team", &[], &[("is_review", "1")]).await.unwrap();
    assert_refused(&db, "team", &[], &[("is_review", "1")], "UNIQUE").await;
}

#[tokio::test]
async fn numbers_outside_their_range_are_refused() {
    let db = database_without_parents().await;
    let campaign = &[("channel", "'EVENT'"), ("state", "'DRAFT'")];
    assert_refused(
        &db,
        "campaign",
        campaign,
        &[("budget_minor", "-1")],
        "campaign_budget_not_negative",
    )
    .await;
    insert(&db, "campaign", campaign, &[]).await.unwrap();
    assert_refused(
        &db,
        "campaign_spend",
        &[],
        &[("amount_minor", "-1")],
        "campaign_spend_not_negative",
    )
    .await;
    assert_refused(
        &db,
        "sequence_version",
        &[],
        &[("number", "0")],
        "sequence_version_counts_from_one",
    )
    .await;
    assert_refused(
        &db,
        "follow_up",
        FOLLOW_UP,
        &[("rank", "5")],
        "follow_up_rank_is_known",
    )
    .await;
    assert_refused(
        &db,
        "follow_up",
        FOLLOW_UP,
        &[("state", "'DONE'"), ("moves_at", "'2026-11-23T10:00:00+00:00'")],
        "follow_up_moves_while_open",
    )
    .await;
    assert_refused(
        &db,
        "follow_up",
        FOLLOW_UP,
        &[("taken_until", "'2026-11-23T10:00:00+00:00'")],
        "follow_up_is_taken_by_somebody",
    )
    .await;
    assert_refused(
        &db,
        "lead",
        LEAD,
        &[("attempts_made", "-1")],
        "lead_attempts_not_negative",
    )
    .await;
    assert_refused(
        &db,
        "playbook_revision",
        &[],
        &[("id", "2")],
        "playbook_revision_has_one_row",
    )
    .await;
}

#[tokio::test]
async fn a_row_that_others_name_cannot_be_deleted_but_a_kept_mail_goes_with_its_message() {
    let db = database_without_parents().await;
    insert(&db, "facility", &[], &[("id", "x'01'")]).await.unwrap();
    insert(&db, "department", &[], &[("facility_id", "x'01'")])
        .await
        .unwrap();
    insert(
        &db,
        "message",
        MESSAGE,
        &[("id", "x'02'"), ("contact_id", "x'03'")],
    )
    .await
    .unwrap();
    insert(&db, "captured_mail", &[], &[("message_id", "x'02'")])
        .await
        .unwrap();
    db.execute_unprepared("PRAGMA foreign_keys = ON").await.unwrap();

    let error = db.execute_unprepared("DELETE FROM facility").await.unwrap_err();
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    db.execute_unprepared("DELETE FROM message").await.unwrap();
    let left = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) AS left FROM captured_mail");
    assert_eq!(
        db.query_one_raw(left)
            .await
            .unwrap()
            .unwrap()
            .try_get::<i64>("", "left")
            .unwrap(),
        0
    );
}
