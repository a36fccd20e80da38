//! The schema, one change a file, for SQLite and PostgreSQL alike.
//!
//! A change is never edited after a release: the next change is a new file. So this crate does not import `entity`,
//! which always describes the newest shape, and the names of tables, columns and enum values are written out here.
//! A test of the whole product holds the two against each other.
//!
//! Wrong states are refused by the database itself: enums carry a CHECK with their values, ids carry foreign keys, and
//! what may exist once has a unique index. Foreign keys have no index of their own unless something reads by them,
//! because rows of parent tables are not deleted in daily work and every index is paid for by each lead taken in.

mod columns;
mod m20261123_000001_create_directory;
mod m20261123_000002_create_service_lines;
mod m20261123_000003_create_contacts;
mod m20261123_000004_create_consent;
mod m20261123_000005_create_campaigns;
mod m20261123_000006_create_forms_and_templates;
mod m20261123_000007_create_rules;
mod m20261123_000008_create_leads;
mod m20261123_000009_create_sequences;
mod m20261123_000010_create_follow_ups;
mod m20261123_000011_create_messages;
mod m20261123_000012_create_audit;
mod m20261124_000001_create_preferences;
mod m20261124_000002_create_send_windows;
mod m20261124_000003_extend_consent_ledger;
mod m20261124_000004_extend_sequences;
mod m20261124_000005_create_retention;
mod m20261127_000001_create_inbound;
mod m20261127_000011_create_sending_routes;
mod m20261128_000001_create_mailings;
mod m20261128_000002_create_form_drafts;
mod m20261128_000003_create_link_visits;
mod m20261128_000011_order_work_list;
mod m20261128_000012_create_checklists;
mod m20261128_000021_extend_sla;
mod m20261128_000022_create_sla_pauses;
mod m20261128_000023_create_staff_absences;
mod m20261128_000031_create_capacity;
mod m20261128_000032_mark_demand;
mod m20261128_000041_create_staff_digests;
mod m20261128_000051_create_rule_sets;
mod m20261128_000052_create_misroutes;
mod m20261128_000061_free_form_drafts;
mod m20261128_000062_create_calendar_feeds;
mod m20261128_000063_create_scripts;
mod m20261128_000064_create_lead_profiles;
mod m20261128_000071_create_quality_audits;
mod vocabulary;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// Brings a database to the newest schema, or back.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            whole(m20261123_000001_create_directory::Migration),
            whole(m20261123_000002_create_service_lines::Migration),
            whole(m20261123_000003_create_contacts::Migration),
            whole(m20261123_000004_create_consent::Migration),
            whole(m20261123_000005_create_campaigns::Migration),
            whole(m20261123_000006_create_forms_and_templates::Migration),
            whole(m20261123_000007_create_rules::Migration),
            whole(m20261123_000008_create_leads::Migration),
            whole(m20261123_000009_create_sequences::Migration),
            whole(m20261123_000010_create_follow_ups::Migration),
            whole(m20261123_000011_create_messages::Migration),
            whole(m20261123_000012_create_audit::Migration),
            whole(m20261124_000001_create_preferences::Migration),
            whole(m20261124_000002_create_send_windows::Migration),
            whole(m20261124_000003_extend_consent_ledger::Migration),
            whole(m20261124_000004_extend_sequences::Migration),
            whole(m20261124_000005_create_retention::Migration),
            whole(m20261127_000001_create_inbound::Migration),
            whole(m20261127_000011_create_sending_routes::Migration),
            whole(m20261128_000001_create_mailings::Migration),
            whole(m20261128_000002_create_form_drafts::Migration),
            whole(m20261128_000003_create_link_visits::Migration),
            whole(m20261128_000011_order_work_list::Migration),
            whole(m20261128_000012_create_checklists::Migration),
            whole(m20261128_000021_extend_sla::Migration),
            whole(m20261128_000022_create_sla_pauses::Migration),
            whole(m20261128_000023_create_staff_absences::Migration),
            whole(m20261128_000031_create_capacity::Migration),
            whole(m20261128_000032_mark_demand::Migration),
            whole(m20261128_000041_create_staff_digests::Migration),
            whole(m20261128_000051_create_rule_sets::Migration),
            whole(m20261128_000052_create_misroutes::Migration),
            whole(m20261128_000061_free_form_drafts::Migration),
            whole(m20261128_000062_create_calendar_feeds::Migration),
            whole(m20261128_000063_create_scripts::Migration),
            whole(m20261128_000064_create_lead_profiles::Migration),
            whole(m20261128_000071_create_quality_audits::Migration),
        ]
    }
}

/// A change that happens in one transaction on SQLite too, where SeaORM runs it without one by default. A process
/// that is stopped in the middle of a change then leaves nothing half made.
struct Whole<M>(M);

fn whole(change: impl MigrationTrait + 'static) -> Box<dyn MigrationTrait> {
    Box::new(Whole(change))
}

impl<M: MigrationName> MigrationName for Whole<M> {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl<M: MigrationTrait> MigrationTrait for Whole<M> {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
