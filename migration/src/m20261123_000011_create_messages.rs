//! Outbound mails, what happened to them, and the mails that were kept instead of sent.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, big, bytes, create_indexes, create_tables, drop_tables, id, index, index_where, int, json_null,
    leave_room_for_changes, one_of, rule, table, text, text_null, time, time_null,
};
use crate::vocabulary::PURPOSES;

const MESSAGE_KINDS: &[&str] = &[
    "CONFIRMATION",
    "OPT_IN",
    "FORM_SAVED",
    "NURTURE",
    "FOLLOW_UP_ASSIGNED",
    "FOLLOW_UP_DUE_SOON",
    "FOLLOW_UP_LATE",
    "FOLLOW_UP_DIGEST",
    "SLA_WARNING",
    "SLA_TAKEN_BACK",
    "SEQUENCE_NOTICE",
    "TEMPLATE_TEST",
    "SENDING_ALERT",
];
const LANES: &[&str] = &["WAITING", "BULK"];
const MESSAGE_STATES: &[&str] = &[
    "PLANNED",
    "DEFERRED",
    "CLAIMED",
    "HANDED_OFF",
    "ACCEPTED",
    "REFUSED",
    "WITHHELD",
    "UNKNOWN",
];
const MESSAGE_EVENT_KINDS: &[&str] = &[
    "PLANNED",
    "DEFERRED",
    "WITHHELD",
    "ACCEPTED",
    "REFUSED",
    "RETRY_LATER",
    "UNKNOWN",
    "SENT_AGAIN",
    "UNSUBSCRIBED",
    "DELIVERED",
    "BOUNCED",
    "COMPLAINED",
    "REPLIED",
    "AUTO_REPLIED",
];

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(manager, [message(), message_event(), captured_mail()]).await?;
        leave_room_for_changes(manager, "message").await?;
        create_indexes(
            manager,
            [
                // A visit of a step plans one mail, whatever is run twice. Also serves the mails of an enrollment.
                index_where(
                    "message",
                    &["enrollment_id", "step_key", "occurrence"],
                    "enrollment_id IS NOT NULL",
                )
                .unique()
                .take(),
                // A cause plans one mail, whatever is run twice. The mails of sequences, of which there are most, have the
                // key above instead.
                index_where("message", &["origin_key"], "origin_key IS NOT NULL")
                    .unique()
                    .take(),
                // What a worker claims next, lane by lane. Sent mails are not in it, so it stays small.
                index_where(
                    "message",
                    &["lane", "due_at", "id"],
                    "state = 'PLANNED' OR state = 'DEFERRED'",
                ),
                // Claims whose lease may have ended.
                index_where(
                    "message",
                    &["lease_until"],
                    "state = 'CLAIMED' OR state = 'HANDED_OFF'",
                ),
                // The states that a person looks for; the others are lists by lead or contact.
                index_where(
                    "message",
                    &["state", "id"],
                    "state = 'UNKNOWN' OR state = 'REFUSED' OR state = 'WITHHELD'",
                ),
                index("message", &["lead_id", "id"]),
                index_where("message", &["contact_id", "id"], "contact_id IS NOT NULL"),
                index_where("message", &["follow_up_id"], "follow_up_id IS NOT NULL"),
                // What a contact was sent of late, or is about to be sent, as the frequency caps count it.
                index_where(
                    "message",
                    &["contact_id", "handed_off_at"],
                    "kind = 'NURTURE' AND (purpose = 'MARKETING' OR purpose = 'RESEARCH') AND (state = 'CLAIMED' \
                     OR state = 'HANDED_OFF' OR state = 'ACCEPTED' OR state = 'UNKNOWN')",
                ),
                // What is held back, to look through it when a hold ends.
                index_where("message", &["id"], "state = 'DEFERRED'"),
                index("message_event", &["message_id", "id"]),
                // The outbox page, newest first.
                index("captured_mail", &["captured_at", "message_id"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["captured_mail", "message_event", "message"]).await
    }
}

fn message() -> TableCreateStatement {
    let mut message = table("message");
    message
        .col(id())
        .col(one_of("kind", MESSAGE_KINDS))
        .col(one_of("lane", LANES))
        .col(one_of("purpose", PURPOSES));
    message.col(text_null("origin_key"));
    add_subject(&mut message);
    add_delivery(&mut message);
    message
        .check(rule(
            "message_has_one_recipient",
            "(contact_id IS NULL) <> (staff_id IS NULL)",
        ))
        .check(rule(
            "message_has_a_cause",
            "(enrollment_id IS NULL) <> (origin_key IS NULL)",
        ))
        .check(rule(
            "message_claimed_has_lease",
            "state NOT IN ('CLAIMED', 'HANDED_OFF') OR lease_until IS NOT NULL",
        ))
        .take()
}

/// What a message is about and what it is made of.
fn add_subject(message: &mut TableCreateStatement) {
    message
        .key_null("lead_id", "lead")
        .key_null("contact_id", "contact")
        .key_null("staff_id", "staff")
        .key_null("follow_up_id", "follow_up")
        .key_null("enrollment_id", "enrollment")
        .col(text_null("step_key"))
        .col(ColumnDef::new("occurrence").integer().null())
        .key_null("sequence_id", "sequence")
        .key_null("campaign_id", "campaign")
        .key_null("template_version_id", "template_version")
        .col(text_null("language"))
        .col(text("subject"));
}

/// Where a message stands on its way out, and the proof of it.
fn add_delivery(message: &mut TableCreateStatement) {
    message
        // Later evidence (a bounce, a reply, a log of the mail server) finds the message by the id that is in it, so it
        // needs no index, which every change of the row would pay for.
        .col(text("rfc_message_id"))
        .col(one_of("state", MESSAGE_STATES))
        .col(time("due_at"))
        .col(time("expires_at"))
        .col(int("attempts"))
        .col(big("fence"))
        .col(time_null("lease_until"))
        .col(json_null("decision"))
        .key_null("consent_event_id", "consent_event")
        .col(text_null("response"))
        .col(time("created_at"))
        .col(time_null("handed_off_at"))
        .col(time_null("sent_at"))
        .col(time_null("settled_at"));
}

fn message_event() -> TableCreateStatement {
    table("message_event")
        .col(id())
        .key("message_id", "message")
        .col(one_of("kind", MESSAGE_EVENT_KINDS))
        .col(text_null("detail"))
        .col(time("at"))
        .take()
}

fn captured_mail() -> TableCreateStatement {
    table("captured_mail")
        .key_of_owner("message_id", "message")
        .col(text("recipient"))
        .col(bytes("raw"))
        .col(time("captured_at"))
        .primary_key(Index::create().col("message_id"))
        .take()
}
