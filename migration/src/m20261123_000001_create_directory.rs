//! The hospital itself: places, teams, people, programs, and how they sign in.

use sea_orm_migration::prelude::*;

use crate::columns::{
    Keys, bytes, create_indexes, create_tables, drop_tables, flag, id, index, index_where, json, one_of,
    table, text, text_null, time, time_null,
};
use crate::vocabulary::ROLES;

/// The change.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_tables(
            manager,
            [
                facility(),
                department(),
                team(),
                staff(),
                team_member(),
                token(),
                session(),
                business_calendar(),
            ],
        )
        .await?;
        create_indexes(
            manager,
            [
                // Leads that no rule can place need one place to go to, not two.
                index_where("team", &["is_review"], "is_review").unique().take(),
                // The primary key serves a team's members; this serves a member's teams, read with every request.
                index("team_member", &["staff_id"]),
                index("session", &["staff_id"]),
                // Ended sessions are cleared by their end.
                index("session", &["expires_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "business_calendar",
                "session",
                "token",
                "team_member",
                "staff",
                "team",
                "department",
                "facility",
            ],
        )
        .await
    }
}

fn facility() -> TableCreateStatement {
    table("facility")
        .col(id())
        .col(text("slug").unique_key())
        .col(text("name"))
        .col(text("address_line"))
        .col(text("city"))
        .col(text("region"))
        .col(text("postal_code"))
        .col(text("country"))
        .col(text("time_zone"))
        .col(text_null("phone"))
        .col(time("created_at"))
        .take()
}

fn department() -> TableCreateStatement {
    table("department")
        .col(id())
        .key("facility_id", "facility")
        .col(text("name"))
        .col(time("created_at"))
        .take()
}

fn team() -> TableCreateStatement {
    table("team")
        .col(id())
        .col(text("slug").unique_key())
        .col(text("name"))
        .key_null("facility_id", "facility")
        .key_null("department_id", "department")
        .col(flag("is_review"))
        .col(time("created_at"))
        .take()
}

fn staff() -> TableCreateStatement {
    table("staff")
        .col(id())
        .col(text("email").unique_key())
        .col(text("display_name"))
        .col(one_of("role", ROLES))
        .col(text("time_zone"))
        .col(text_null("password_hash"))
        .col(flag("active"))
        .col(time("created_at"))
        .take()
}

fn team_member() -> TableCreateStatement {
    table("team_member")
        .key_of_owner("team_id", "team")
        .key_of_owner("staff_id", "staff")
        .primary_key(Index::create().col("team_id").col("staff_id"))
        .take()
}

fn token() -> TableCreateStatement {
    table("token")
        .col(id())
        .col(text("name"))
        .col(one_of("role", ROLES))
        // A bearer is found by the hash of its secret; so for sessions.
        .col(bytes("secret_hash").unique_key())
        .col(time("created_at"))
        .col(time_null("expires_at"))
        .col(time_null("revoked_at"))
        .take()
}

fn session() -> TableCreateStatement {
    table("session")
        .col(id())
        .key("staff_id", "staff")
        .col(bytes("secret_hash").unique_key())
        .col(time("created_at"))
        .col(time("seen_at"))
        .col(time("expires_at"))
        .col(time_null("ended_at"))
        .take()
}

fn business_calendar() -> TableCreateStatement {
    table("business_calendar")
        .col(id())
        .key("facility_id", "facility")
        .col(json("hours"))
        .col(time("created_at"))
        // One calendar a facility.
        .index(Index::create().unique().col("facility_id"))
        .take()
}
