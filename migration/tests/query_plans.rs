//! The reads that run all the time, and those over tables that grow, use the index that was made for them. On SQLite,
//! whose planner is the stricter one about partial indexes; parameters are bound, as SeaORM binds them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};

const LATER: &str = "2026-11-23T10:00:00+00:00";

/// A query, its parameters, and the index it is to use.
const READS: &[(&str, &[&str], &str)] = &[
    (
        "SELECT id FROM message WHERE lane = ? AND due_at <= ? AND (state = ? OR state = ?) ORDER BY due_at, id",
        &["BULK", LATER, "PLANNED", "DEFERRED"],
        "idx_message_lane_due_at_id",
    ),
    (
        "SELECT id FROM message WHERE lease_until <= ? AND (state = ? OR state = ?)",
        &[LATER, "CLAIMED", "HANDED_OFF"],
        "idx_message_lease_until",
    ),
    (
        "SELECT id FROM message WHERE state = ? ORDER BY id DESC",
        &["UNKNOWN"],
        "idx_message_state_id",
    ),
    (
        "SELECT enrollment_id FROM message WHERE (state = 'UNKNOWN') ORDER BY id DESC LIMIT 500",
        &[],
        "idx_message_state_id",
    ),
    (
        "SELECT id FROM message WHERE contact_id = ? ORDER BY id DESC",
        &["x"],
        "idx_message_contact_id_id",
    ),
    (
        "SELECT id FROM message WHERE enrollment_id = ?",
        &["x"],
        "idx_message_enrollment_id_step_key_occurrence",
    ),
    (
        "SELECT id FROM message WHERE mailing_id = ? AND id > ? ORDER BY id",
        &["x", "x"],
        "idx_message_mailing_id_id",
    ),
    (
        "SELECT mailing_id FROM mailing_progress WHERE (work = 'PLANNING' OR work = 'WITHHOLDING') AND due_at <= ? \
         ORDER BY due_at, mailing_id",
        &[LATER],
        "idx_mailing_progress_due_at_mailing_id",
    ),
    (
        "SELECT * FROM capacity_turn WHERE service_line_id = ? AND facility_id = ? AND (since, message_id) > (?, ?) \
         ORDER BY since, message_id LIMIT 500",
        &["x", "x", LATER, "x"],
        "idx_capacity_turn_service_line_id_facility_id_since_message_id",
    ),
    (
        "SELECT * FROM capacity_pace WHERE due_at <= ? ORDER BY due_at",
        &[LATER],
        "idx_capacity_pace_due_at",
    ),
    (
        "SELECT id FROM link_visit WHERE verdict IS NULL AND at <= ? ORDER BY at, id",
        &[LATER],
        "idx_link_visit_at_id",
    ),
    (
        "SELECT count(*) FROM link_visit WHERE message_id = ?",
        &["x"],
        "idx_link_visit_message_id_id",
    ),
    (
        "SELECT id FROM enrollment WHERE due_at <= ? AND state = ? ORDER BY due_at, id",
        &[LATER, "ACTIVE"],
        "idx_enrollment_due_at_id",
    ),
    (
        "SELECT id FROM enrollment WHERE contact_id = ? AND state = ?",
        &["x", "ACTIVE"],
        "idx_enrollment_contact_id",
    ),
    (
        "SELECT id FROM lead WHERE sla_due_at <= ? AND first_attempt_at IS NULL AND sla_missed_at IS NULL \
         AND unfinished_at IS NULL AND stage = ? \
         ORDER BY sla_due_at",
        &[LATER, "NEW"],
        "idx_lead_stage_sla_due_at",
    ),
    (
        "SELECT id FROM lead WHERE sla_step IS NOT NULL AND sla_step_at <= ? ORDER BY sla_step_at, id",
        &[LATER],
        "idx_lead_sla_step_at_id",
    ),
    (
        "SELECT id FROM sla_pause WHERE ended_at IS NULL AND ends_at <= ? ORDER BY ends_at, id",
        &[LATER],
        "idx_sla_pause_ends_at_id",
    ),
    (
        "SELECT id FROM sla_pause WHERE lead_id IN (?, ?) AND ended_at IS NULL",
        &["x", "y"],
        "idx_sla_pause_lead_id",
    ),
    (
        "SELECT id FROM sla_pause WHERE lead_id = ? ORDER BY starts_at",
        &["x"],
        "idx_sla_pause_lead_id_starts_at",
    ),
    (
        "SELECT count(*) FROM staff_absence WHERE staff_id = ? AND ends_at > ?",
        &["x", LATER],
        "idx_staff_absence_staff_id_ends_at",
    ),
    (
        "SELECT id FROM misroute WHERE rule_id = ? ORDER BY id DESC",
        &["x"],
        "idx_misroute_rule_id_id",
    ),
    (
        "SELECT count(*) FROM misroute WHERE lead_id = ? AND by_rule",
        &["x"],
        "idx_misroute_lead_id",
    ),
    (
        "SELECT id FROM rule_set WHERE kind = ? ORDER BY number DESC",
        &["ROUTING"],
        "idx_rule_set_kind_number",
    ),
    (
        "SELECT id FROM lead WHERE received_at >= ? AND received_at <= ? ORDER BY received_at DESC, id DESC",
        &["x", LATER],
        "idx_lead_received_at_id",
    ),
    (
        "SELECT id FROM lead WHERE unfinished_at IS NOT NULL ORDER BY received_at DESC, id DESC",
        &[],
        "idx_lead_unfinished_received_at_id",
    ),
    (
        "SELECT id FROM lead WHERE unfinished_at IS NULL AND stage = ? ORDER BY received_at DESC, id DESC",
        &["NEW"],
        "idx_lead_stage_received_at_id",
    ),
    (
        "SELECT id FROM form_draft WHERE due_at <= ? ORDER BY due_at, id",
        &[LATER],
        "idx_form_draft_due_at_id",
    ),
    (
        "SELECT id FROM form_draft WHERE form_id = ? AND email_normalized = ?",
        &["x", "x"],
        "idx_form_draft_form_id_email_normalized",
    ),
    (
        "SELECT id FROM form_draft WHERE message_id IN (?, ?)",
        &["x", "y"],
        "idx_form_draft_message_id",
    ),
    (
        "SELECT id FROM form_draft WHERE lead_id IN (?, ?)",
        &["x", "y"],
        "idx_form_draft_lead_id",
    ),
    (
        "SELECT id FROM lead WHERE campaign_id = ? ORDER BY received_at DESC, id DESC",
        &["x"],
        "idx_lead_campaign_id_received_at_id",
    ),
    (
        "SELECT id FROM lead WHERE channel = ? AND external_id = ?",
        &["WEBSITE", "x"],
        "idx_lead_channel_external_id",
    ),
    (
        "SELECT id FROM lead ORDER BY received_at DESC, id DESC",
        &[],
        "idx_lead_received_at_id",
    ),
    (
        "SELECT count(*) FROM lead_event WHERE kind = ? AND to_stage = ? AND at >= ?",
        &["STAGE_CHANGED", "NEW", LATER],
        "idx_lead_event_to_stage_at",
    ),
    (
        "SELECT id FROM follow_up WHERE state = ? ORDER BY rank, weight, due_at, id",
        &["OPEN"],
        "idx_follow_up_rank_weight_due_at_id",
    ),
    (
        "SELECT id FROM follow_up WHERE team_id = ? AND state = ? ORDER BY rank, weight, due_at, id",
        &["x", "OPEN"],
        "idx_follow_up_team_id_rank_weight_due_at_id",
    ),
    (
        "SELECT id FROM follow_up WHERE assignee_id = ? AND state = ? ORDER BY rank, weight, due_at, id",
        &["x", "OPEN"],
        "idx_follow_up_assignee_id_rank_weight_due_at_id",
    ),
    (
        "SELECT id FROM follow_up WHERE team_id = ? AND assignee_id IS NULL AND state = ? AND rank < 4 \
         AND (taken_until IS NULL OR taken_until <= ?) ORDER BY rank, weight, due_at, id",
        &["x", "OPEN", LATER],
        "idx_follow_up_free_team_id_rank_weight_due_at_id",
    ),
    (
        "SELECT id FROM follow_up WHERE state = ? AND moves_at <= ? ORDER BY moves_at",
        &["OPEN", LATER],
        "idx_follow_up_moves_at",
    ),
    (
        "SELECT id FROM follow_up WHERE taken_by_id = ? AND taken_until > ? AND state = ?",
        &["x", LATER, "OPEN"],
        "idx_follow_up_taken_by_id",
    ),
];

async fn plan_of(db: &DatabaseConnection, query: &str, parameters: &[&str]) -> String {
    let values = parameters.iter().map(|text| Value::from(*text));
    let explain =
        Statement::from_sql_and_values(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {query}"), values);
    let rows = db.query_all_raw(explain).await.unwrap();
    rows.iter()
        .map(|row| row.try_get::<String>("", "detail").unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

#[tokio::test]
async fn frequent_reads_use_their_own_index_and_sort_nothing() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    for (query, parameters, index) in READS {
        let plan = plan_of(&db, query, parameters).await;
        assert!(
            plan.split(' ').any(|word| word == *index),
            "{query}\n  does not use {index}: {plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{query}\n  sorts: {plan}");
    }
}
