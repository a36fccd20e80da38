//! Leads and what happens to them: events, attempts, appointments and touchpoints.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, big_null, bytes_null, create_indexes, create_tables, drop_tables, flag, id, index,
    index_where, int, json, leave_room_for_changes, one_of, one_of_null, rule, table, text_null, time,
    time_null,
};
use crate::vocabulary::{ACTOR_KINDS, CHANNELS, LEAD_STAGES, LEAD_TYPES, MEDIA};

const DISPOSITIONS: &[&str] = &[
    "UNREACHABLE",
    "NOT_ELIGIBLE",
    "NO_CAPACITY",
    "COVERAGE",
    "CHOSE_ELSEWHERE",
    "NOT_INTERESTED",
    "DUPLICATE",
    "SPAM",
    "WRONG_SERVICE",
    "OTHER",
];
const SCORE_GRADES: &[&str] = &["A", "B", "C", "D"];
const LEAD_EVENT_KINDS: &[&str] = &[
    "RECEIVED",
    "ROUTED",
    "ASSIGNED",
    "ATTEMPTED",
    "STAGE_CHANGED",
    "REOPENED",
    "UPDATED",
    "APPOINTMENT_SCHEDULED",
    "APPOINTMENT_MISSED",
    "SLA_MISSED",
    "SLA_WARNED",
    "SLA_TOLD_LEAD",
    "SLA_TAKEN_BACK",
    "SLA_PAUSED",
    "SLA_RESUMED",
    "ENROLLED",
    "UNENROLLED",
    "FOLLOW_UP_CHANGED",
    "MESSAGE_SENT",
    "REPEATED",
    "REPLIED",
    "FORM_ABANDONED",
];
const ATTEMPT_OUTCOMES: &[&str] = &[
    "REACHED",
    "VOICEMAIL",
    "NO_ANSWER",
    "BUSY",
    "WRONG_NUMBER",
    "CALLBACK_ASKED",
    "DECLINED",
    "DO_NOT_CALL",
];
const APPOINTMENT_STATES: &[&str] = &["BOOKED", "ATTENDED", "NO_SHOW", "CANCELLED"];
const TOUCHPOINT_KINDS: &[&str] = &["CLICK", "FORM", "CALL", "EVENT", "VISIT", "OTHER"];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(
            manager,
            [lead(), lead_event(), attempt(), appointment(), touchpoint()],
        )
        .await?;
        leave_room_for_changes(manager, "lead").await?;
        create_indexes(manager, lead_indexes()).await?;
        create_indexes(manager, history_indexes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &["touchpoint", "appointment", "attempt", "lead_event", "lead"],
        )
        .await
    }
}

fn lead() -> TableCreateStatement {
    let mut lead = table("lead");
    lead.col(id())
        .key("contact_id", "contact")
        .col(one_of("lead_type", LEAD_TYPES));
    add_place(&mut lead);
    add_source(&mut lead);
    add_judgment(&mut lead);
    add_clock(&mut lead);
    lead.col(big("version"))
        .col(time("updated_at"))
        .check(rule(
            "lead_closed_has_disposition",
            "(disposition IS NOT NULL) = (stage = 'CLOSED')",
        ))
        .check(rule(
            "lead_attempts_not_negative",
            "attempts_made >= 0 AND attempts_wanted >= 0",
        ))
        .take()
}

/// Where a lead stands and who serves it.
fn add_place(lead: &mut TableCreateStatement) {
    lead.col(one_of("stage", LEAD_STAGES))
        .col(one_of_null("disposition", DISPOSITIONS))
        .key_null("service_line_id", "service_line")
        .col(text_null("requested_service"))
        .key_null("facility_id", "facility")
        // Always a team: what no rule can place goes to the review team.
        .key("team_id", "team")
        .key_null("owner_id", "staff")
        .col(flag("urgent"));
}

/// Where a lead came from.
fn add_source(lead: &mut TableCreateStatement) {
    lead.col(one_of("channel", CHANNELS))
        .key_null("campaign_id", "campaign")
        .key_null("placement_id", "placement")
        .key_null("form_id", "form")
        .col(text_null("external_id"))
        .col(text_null("landing_page"))
        .col(text_null("referrer_host"))
        .col(json("utm"))
        .col(text_null("source_code"))
        .col(text_null("click_id_kind"))
        // Only a keyed hash is kept: a click id names a person to the ad platform.
        .col(bytes_null("click_id_hash"));
}

/// What was answered, and what the rules made of it, with their reasons as they were then.
fn add_judgment(lead: &mut TableCreateStatement) {
    lead.col(json("answers"))
        .col(json("flags"))
        .col(int("score_points"))
        .col(one_of("score_grade", SCORE_GRADES))
        .col(json("score_reasons"))
        .col(big("score_revision"))
        .col(json("routing"));
}

/// When it must be contacted and when it reached each stage. The times repeat what events say, because every
/// dashboard counts them.
fn add_clock(lead: &mut TableCreateStatement) {
    lead.key_null("sla_policy_id", "sla_policy")
        .col(time("sla_due_at"))
        .col(time_null("sla_missed_at"))
        .col(int("attempts_wanted"))
        .col(int("attempts_made"))
        .col(time("received_at"))
        .col(time_null("first_attempt_at"))
        .col(big_null("first_attempt_business_secs"))
        .col(time_null("first_reached_at"))
        .col(time_null("qualified_at"))
        .col(time_null("scheduled_at"))
        .col(time_null("completed_at"))
        .col(time_null("closed_at"))
        .col(time_null("erased_at"));
}

/// Lists are pages by (received, id) within a filter. A facility has no index of its own: there are few, so the index
/// by time alone serves it as well.
fn lead_indexes() -> [IndexCreateStatement; 11] {
    [
        // The same inquiry sent twice is one lead.
        index_where("lead", &["channel", "external_id"], "external_id IS NOT NULL")
            .unique()
            .take(),
        index("lead", &["received_at", "id"]),
        index("lead", &["team_id", "received_at", "id"]),
        index("lead", &["owner_id", "received_at", "id"]),
        // Also finds a repeated form: the same contact within minutes.
        index("lead", &["contact_id", "received_at"]),
        index("lead", &["service_line_id", "received_at", "id"]),
        index_where(
            "lead",
            &["campaign_id", "received_at", "id"],
            "campaign_id IS NOT NULL",
        ),
        index("lead", &["stage", "received_at", "id"]),
        index("lead", &["channel", "received_at", "id"]),
        index("lead", &["score_points", "id"]),
        // What the sweep for late first attempts looks through: small, because most leads leave it within hours. The
        // stage is in it so that SQLite, which has no statistics at first, prefers it to the list by stage.
        index_where(
            "lead",
            &["stage", "sla_due_at"],
            "first_attempt_at IS NULL AND sla_missed_at IS NULL AND stage = 'NEW'",
        ),
    ]
}

fn lead_event() -> TableCreateStatement {
    table("lead_event")
        .col(id())
        .key("lead_id", "lead")
        .col(one_of("kind", LEAD_EVENT_KINDS))
        .col(one_of_null("from_stage", LEAD_STAGES))
        .col(one_of_null("to_stage", LEAD_STAGES))
        .col(one_of("actor_kind", ACTOR_KINDS))
        // No foreign key: the kind says in which table it is.
        .col(ColumnDef::new("actor_id").uuid().null())
        .col(json("data"))
        .col(time("at"))
        .take()
}

fn attempt() -> TableCreateStatement {
    table("attempt")
        .col(id())
        .key("lead_id", "lead")
        .key_null("staff_id", "staff")
        .col(one_of("medium", MEDIA))
        .col(one_of("outcome", ATTEMPT_OUTCOMES))
        .col(text_null("note"))
        .col(time_null("callback_at"))
        .col(time("at"))
        .take()
}

fn appointment() -> TableCreateStatement {
    table("appointment")
        .col(id())
        .key("lead_id", "lead")
        .key_null("facility_id", "facility")
        .col(time("starts_at"))
        .col(time_null("ends_at"))
        .col(one_of("state", APPOINTMENT_STATES))
        .col(time("created_at"))
        .col(time("updated_at"))
        .take()
}

fn touchpoint() -> TableCreateStatement {
    table("touchpoint")
        .col(id())
        .key("contact_id", "contact")
        .key_null("lead_id", "lead")
        .col(one_of("kind", TOUCHPOINT_KINDS))
        .col(one_of("channel", CHANNELS))
        .key_null("campaign_id", "campaign")
        .key_null("placement_id", "placement")
        .col(time("at"))
        .take()
}

fn history_indexes() -> [IndexCreateStatement; 7] {
    [
        index("lead_event", &["lead_id", "id"]),
        // Arrivals in a stage within a period.
        index_where("lead_event", &["to_stage", "at"], "kind = 'STAGE_CHANGED'"),
        index("attempt", &["lead_id", "at"]),
        // Outcomes within a period.
        index("attempt", &["at", "id"]),
        index("appointment", &["lead_id", "starts_at"]),
        index("touchpoint", &["contact_id", "at"]),
        index("touchpoint", &["lead_id"]),
    ]
}
