//! The tables that the migrations make are the tables that the entities describe, on both databases.
//!
//! The two are written apart on purpose: a migration keeps the shape of its day, an entity has the newest one.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};

use entity::enums;
use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::{ColumnType, Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, IdenStatic, Iterable,
    Statement,
};

/// A column, in words that both databases and the entities can be brought to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    holds: &'static str,
    nullable: bool,
}

type Columns = BTreeMap<String, Column>;

/// What one entity says of its table.
struct Shape {
    table: String,
    columns: Columns,
    unique: Vec<String>,
}

fn shape_of<E: EntityTrait>(entity: E) -> Shape {
    let table = entity.table_name().to_owned();
    let mut columns = Columns::new();
    let mut unique = Vec::new();
    for column in E::Column::iter() {
        let (name, def) = (column.as_str().to_owned(), column.def());
        let holds =
            holds_by_entity(def.get_column_type()).unwrap_or_else(|| panic!("type of {table}.{name}"));
        if def.is_unique() {
            unique.push(name.clone());
        }
        columns.insert(
            name,
            Column {
                holds,
                nullable: def.is_null(),
            },
        );
    }
    Shape {
        table,
        columns,
        unique,
    }
}

fn holds_by_entity(column_type: &ColumnType) -> Option<&'static str> {
    Some(match column_type {
        ColumnType::Uuid => "uuid",
        ColumnType::Text | ColumnType::String(_) => "text",
        ColumnType::Integer => "int",
        ColumnType::BigInteger => "big int",
        ColumnType::Boolean => "flag",
        ColumnType::TimestampWithTimeZone => "time",
        ColumnType::Date => "day",
        ColumnType::JsonBinary => "json",
        ColumnType::Blob | ColumnType::VarBinary(_) => "bytes",
        _ => return None,
    })
}

fn holds_in_database(declared: &str) -> Option<&'static str> {
    Some(match declared {
        "uuid_text" | "uuid" => "uuid",
        "text" => "text",
        "integer" => "int",
        "bigint" => "big int",
        "boolean" => "flag",
        "timestamp_with_timezone_text" | "timestamp with time zone" => "time",
        "date_text" | "date" => "day",
        "jsonb_text" | "jsonb" => "json",
        "blob" | "bytea" => "bytes",
        _ => return None,
    })
}

macro_rules! shapes {
    ($($module:ident)+) => { vec![$(shape_of(entity::$module::Entity)),+] };
}

fn shapes() -> Vec<Shape> {
    shapes! {
        appointment attempt audit_event business_calendar calendar_feed campaign campaign_service_line campaign_spend captured_mail capacity capacity_event capacity_pace capacity_tick capacity_turn checklist consent_event consent_head consent_seal consent_unsealed consent_wording contact contact_candidate contact_line_preference contact_preference date_occasion department enrollment enrollment_move facility follow_up follow_up_check follow_up_template form form_draft form_draft_mail frequency_cap idempotency inbound_mail inbound_party intake_script lead lead_event lead_profile link_visit mailing mailing_change mailing_progress message message_event outreach_hold outreach_release placement playbook_revision retention_policy routing_rule scoring_rule script_answer send_window misroute routing_turn rule_set audit_rubric quality_item quality_review quality_sample
        sending_allowance sending_day sending_route sending_stop sending_tally
        sequence sequence_version service_line service_line_alias session sla_pause sla_policy soft_bounce staff
        staff_absence staff_digest staff_skill suppression team
        team_member template template_version token touchpoint
    }
}

macro_rules! names {
    ($enum:path) => {{
        use $enum as Values;
        Values::ALL.iter().map(|value| value.as_str()).collect::<Vec<_>>()
    }};
}

/// What mails are for, which is less than what people may allow.
fn mail_purposes() -> Vec<&'static str> {
    enums::Purpose::OF_MAILS
        .iter()
        .map(|purpose| purpose.as_str())
        .collect()
}

/// Every column that holds an enum, with the names that the entity may write.
fn enum_columns() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    vec![
        (
            "appointment",
            "state",
            names!(entity::appointment::AppointmentState),
        ),
        ("attempt", "medium", names!(enums::Medium)),
        ("misroute", "reason", names!(entity::misroute::MisrouteReason)),
        ("misroute", "actor_kind", names!(enums::ActorKind)),
        (
            "routing_rule",
            "strategy",
            names!(entity::routing_rule::PersonStrategy),
        ),
        ("rule_set", "kind", names!(entity::rule_set::RuleKind)),
        ("rule_set", "state", names!(entity::rule_set::RuleSetState)),
        ("rule_set", "created_by_kind", names!(enums::ActorKind)),
        ("rule_set", "published_by_kind", names!(enums::ActorKind)),
        ("staff_skill", "kind", names!(entity::staff_skill::SkillKind)),
        (
            "audit_rubric",
            "subject",
            names!(entity::audit_rubric::AuditSubject),
        ),
        ("quality_sample", "drawn_by_kind", names!(enums::ActorKind)),
        ("lead", "sla_step", names!(entity::sla_policy::SlaStep)),
        (
            "capacity_pace",
            "stopped",
            names!(entity::capacity_pace::PaceStop),
        ),
        ("capacity_event", "actor_kind", names!(enums::ActorKind)),
        ("sla_pause", "reason", names!(entity::sla_pause::PauseReason)),
        (
            "staff_absence",
            "reason",
            names!(entity::staff_absence::AbsenceReason),
        ),
        ("form_draft", "state", names!(entity::form_draft::FormDraftState)),
        (
            "inbound_mail",
            "source",
            names!(entity::inbound_mail::InboundSource),
        ),
        (
            "inbound_mail",
            "state",
            names!(entity::inbound_mail::InboundState),
        ),
        ("inbound_mail", "kind", names!(entity::inbound_mail::InboundKind)),
        ("mailing", "purpose", mail_purposes()),
        ("link_visit", "way", names!(entity::link_visit::VisitWay)),
        ("link_visit", "verdict", names!(entity::link_visit::ClickVerdict)),
        ("link_visit", "reason", names!(entity::link_visit::ClickReason)),
        ("mailing", "state", names!(entity::mailing::MailingState)),
        ("mailing", "created_by_kind", names!(enums::ActorKind)),
        (
            "mailing_progress",
            "work",
            names!(entity::mailing_progress::MailingWork),
        ),
        ("inbound_mail", "class", names!(entity::inbound_mail::BounceClass)),
        ("attempt", "outcome", names!(enums::AttemptOutcome)),
        ("audit_event", "actor_kind", names!(enums::ActorKind)),
        (
            "retention_policy",
            "kind",
            names!(entity::retention_policy::RetentionKind),
        ),
        ("campaign", "channel", names!(enums::Channel)),
        ("campaign", "state", names!(entity::campaign::CampaignState)),
        ("consent_event", "medium", names!(enums::Medium)),
        ("consent_event", "purpose", names!(enums::Purpose)),
        (
            "consent_event",
            "action",
            names!(entity::consent_event::ConsentAction),
        ),
        (
            "consent_event",
            "level",
            names!(entity::consent_event::ConsentLevel),
        ),
        (
            "consent_event",
            "method",
            names!(entity::consent_event::ConsentMethod),
        ),
        ("consent_event", "actor_kind", names!(enums::ActorKind)),
        ("consent_wording", "medium", names!(enums::Medium)),
        ("consent_wording", "purpose", names!(enums::Purpose)),
        ("contact", "kind", names!(entity::contact::ContactKind)),
        (
            "contact_candidate",
            "state",
            names!(entity::contact_candidate::CandidateState),
        ),
        (
            "date_occasion",
            "state",
            names!(entity::date_occasion::DateOccasionState),
        ),
        (
            "enrollment_move",
            "state",
            names!(entity::enrollment_move::EnrollmentMoveState),
        ),
        ("enrollment_move", "actor_kind", names!(enums::ActorKind)),
        ("enrollment", "state", names!(entity::enrollment::EnrollmentState)),
        (
            "enrollment",
            "exit_reason",
            names!(entity::enrollment::ExitReason),
        ),
        ("follow_up", "kind", names!(entity::follow_up::FollowUpKind)),
        ("follow_up", "state", names!(entity::follow_up::FollowUpState)),
        ("form", "lead_type", names!(enums::LeadType)),
        ("form", "channel", names!(enums::Channel)),
        ("lead", "lead_type", names!(enums::LeadType)),
        ("lead", "stage", names!(enums::LeadStage)),
        ("lead", "disposition", names!(enums::Disposition)),
        ("lead", "channel", names!(enums::Channel)),
        ("lead", "score_grade", names!(enums::ScoreGrade)),
        ("lead_event", "kind", names!(entity::lead_event::LeadEventKind)),
        ("lead_event", "from_stage", names!(enums::LeadStage)),
        ("lead_event", "to_stage", names!(enums::LeadStage)),
        ("lead_event", "actor_kind", names!(enums::ActorKind)),
        ("lead_profile", "channel", names!(enums::Channel)),
        ("message", "kind", names!(entity::message::MessageKind)),
        ("message", "lane", names!(entity::message::Lane)),
        ("message", "purpose", mail_purposes()),
        ("message", "state", names!(entity::message::MessageState)),
        (
            "message_event",
            "kind",
            names!(entity::message_event::MessageEventKind),
        ),
        ("placement", "kind", names!(entity::placement::PlacementKind)),
        (
            "send_window",
            "weekday",
            names!(entity::sequence_version::Weekday),
        ),
        (
            "sending_route",
            "stop_reason",
            names!(entity::sending_stop::StopReason),
        ),
        ("sending_tally", "lane", names!(entity::message::Lane)),
        ("sending_stop", "reason", names!(entity::sending_stop::StopReason)),
        ("sequence", "state", names!(entity::sequence::SequenceState)),
        ("sequence", "purpose", mail_purposes()),
        ("staff", "role", names!(enums::Role)),
        ("suppression", "medium", names!(enums::Medium)),
        (
            "suppression",
            "reason",
            names!(entity::suppression::SuppressionReason),
        ),
        ("template", "purpose", mail_purposes()),
        (
            "template_version",
            "state",
            names!(entity::template_version::TemplateState),
        ),
        ("template_version", "author_kind", names!(enums::ActorKind)),
        ("token", "role", names!(enums::Role)),
        ("touchpoint", "kind", names!(entity::touchpoint::TouchpointKind)),
        ("touchpoint", "channel", names!(enums::Channel)),
    ]
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .expect("the query is valid");
    rows.iter()
        .map(|row| row.try_get("", "line").expect("a text named line"))
        .collect()
}

async fn columns_in_database(db: &DatabaseConnection, table: &str) -> Columns {
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Sqlite {
        format!(
            "SELECT name, type AS declared, \"notnull\" = 0 AS nullable FROM pragma_table_info('{table}')"
        )
    } else {
        format!(
            "SELECT column_name::text AS name, data_type::text AS declared, is_nullable = 'YES' AS nullable \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'"
        )
    };
    let mut columns = Columns::new();
    for row in db
        .query_all_raw(Statement::from_string(backend, sql))
        .await
        .expect("the query is valid")
    {
        let (name, declared): (String, String) = (
            row.try_get("", "name").expect("a text"),
            row.try_get("", "declared").expect("a text"),
        );
        let holds = holds_in_database(&declared.to_lowercase())
            .unwrap_or_else(|| panic!("{table}.{name} is {declared}"));
        columns.insert(
            name,
            Column {
                holds,
                nullable: row.try_get("", "nullable").expect("a flag"),
            },
        );
    }
    columns
}

async fn tables_are_those_of_the_entities(db: &DatabaseConnection) {
    let backend = db.get_database_backend();
    let tables = if backend == DbBackend::Sqlite {
        "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
         AND name <> 'seaql_migrations' ORDER BY name"
    } else {
        "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public' \
         AND table_name <> 'seaql_migrations' ORDER BY table_name COLLATE \"C\""
    };
    let mut shapes = shapes();
    shapes.sort_by(|a, b| a.table.cmp(&b.table));
    assert_eq!(
        texts(db, tables).await,
        shapes.iter().map(|shape| shape.table.clone()).collect::<Vec<_>>()
    );

    for Shape {
        table,
        columns: mut expected,
        ..
    } in shapes
    {
        let select = Query::select()
            .exprs(expected.keys().map(|column| Expr::col(column.clone())))
            .from(table.clone())
            .limit(0)
            .take();
        db.query_all(&select)
            .await
            .unwrap_or_else(|error| panic!("{table}: {error}"));

        if backend == DbBackend::Sqlite {
            // SQLite has one kind of whole number.
            for column in expected.values_mut().filter(|column| column.holds == "big int") {
                column.holds = "int";
            }
        }
        assert_eq!(columns_in_database(db, &table).await, expected, "{table}");
    }
}

/// On PostgreSQL each list of names is a domain.
async fn domains_take_the_names_of_the_enums(db: &DatabaseConnection) {
    for (table, column, names) in enum_columns() {
        let sql = format!(
            "SELECT pg_get_constraintdef(c.oid) AS line FROM information_schema.columns k \
             JOIN pg_type t ON t.typname = k.domain_name JOIN pg_constraint c ON c.contypid = t.oid \
             WHERE k.table_schema = 'public' AND k.table_name = '{table}' AND k.column_name = '{column}'"
        );
        let check = texts(db, &sql).await.concat();
        let quoted = names
            .iter()
            .map(|name| format!("'{name}'::text"))
            .collect::<Vec<_>>()
            .join(", ");
        let wanted = format!("CHECK ((VALUE = ANY (ARRAY[{quoted}])))");
        assert_eq!(check, wanted, "{table}.{column}");
    }
    let others = "SELECT conrelid::regclass::text AS line FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0 \
                  AND cardinality(conkey) = 1 AND pg_get_constraintdef(oid) LIKE '%= ANY (ARRAY[%'";
    assert_eq!(
        texts(db, others).await,
        Vec::<String>::new(),
        "lists of names that are read for every statement"
    );
}

async fn migrated_sqlite() -> DatabaseConnection {
    let db = Database::connect("sqlite::memory:")
        .await
        .expect("memory is there");
    Migrator::up(&db, None).await.expect("the schema goes up");
    db
}

#[tokio::test]
async fn every_table_on_sqlite_is_that_of_its_entity() {
    tables_are_those_of_the_entities(&migrated_sqlite().await).await;
}

/// Runs where `TEST_DATABASE_URL` names a PostgreSQL server on which databases may be created.
#[tokio::test]
async fn every_table_and_list_of_names_on_postgresql_is_that_of_its_entity() {
    let Some(url) = std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|url| url.starts_with("postgres"))
    else {
        return;
    };
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    let name = format!("leadward_schema_{random:016x}");
    let server = Database::connect(&url).await.unwrap();
    server
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();

    let (before_name, _) = url.rsplit_once('/').unwrap();
    let url = format!("{before_name}/{name}");
    // In a task of its own, so that the database is dropped even if the test fails.
    let outcome = tokio::spawn(async move {
        let db = Database::connect(url).await.unwrap();
        Migrator::up(&db, None).await.unwrap();
        tables_are_those_of_the_entities(&db).await;
        domains_take_the_names_of_the_enums(&db).await;
        db.close().await.unwrap();
    })
    .await;
    server
        .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    outcome.unwrap();
}

#[tokio::test]
async fn every_enum_column_takes_exactly_the_names_of_its_enum() {
    let db = migrated_sqlite().await;
    let enums = enum_columns();
    for (table, column, names) in &enums {
        let sql = format!("SELECT sql AS line FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
        let sql = texts(&db, &sql).await.concat();
        let quoted = names
            .iter()
            .map(|name| format!("'{name}'"))
            .collect::<Vec<_>>()
            .join(", ");
        let check = format!("CHECK (\"{column}\" IN ({quoted}))");
        assert!(sql.contains(&check), "{table} has no {check}");
    }
    let all = texts(&db, "SELECT sql AS line FROM sqlite_master WHERE type = 'table'")
        .await
        .concat();
    assert_eq!(
        all.matches("CHECK (\"").count(),
        enums.len(),
        "a list of names that this test does not know"
    );
}

#[tokio::test]
async fn every_unique_column_of_an_entity_is_unique_in_the_database() {
    let db = migrated_sqlite().await;
    for Shape { table, unique, .. } in shapes() {
        let sql = format!(
            "SELECT (SELECT group_concat(name) FROM pragma_index_info(list.name)) AS line \
             FROM pragma_index_list('{table}') AS list WHERE list.\"unique\" AND NOT list.partial"
        );
        let keys = texts(&db, &sql).await;
        for column in unique {
            assert!(
                keys.contains(&column),
                "{table}.{column}: unique are only {keys:?}"
            );
        }
    }
}
