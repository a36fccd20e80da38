//! Enrollments that are due and do not move.

use std::sync::Arc;

use async_graphql::{Context, Error, Object};
use domain::lead::find as leads;
use domain::sequence::watchdog::{self, Watched};
use entity::{enrollment, lead};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::Enrollment;
use crate::graphql::ask::Ask;
use crate::graphql::errors::Told;
use crate::graphql::page::{Connection, Order, PageArgs, cost, page};
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::StuckReason;

/// An enrollment that is due and does not move.
pub struct StuckEnrollment {
    row: enrollment::Model,
    watched: Arc<Watched>,
}

/// An enrollment that is due and does not move.
#[Object]
impl StuckEnrollment {
    /// The enrollment.
    async fn enrollment(&self) -> Enrollment {
        Enrollment(self.row.clone())
    }

    /// Why it does not move.
    async fn reason(&self, ctx: &Context<'_>) -> Result<StuckReason, Error> {
        let ask = Ask::of(ctx);
        let now = ask.api.hospital.now();
        Ok(self
            .watched
            .reason(&self.row, &*ask.playbook().await?, now)
            .into())
    }

    /// Key of the step that it stands at.
    async fn step_key(&self) -> &str {
        &self.row.step_key
    }

    /// When it is, or was, to be looked at.
    async fn due_at(&self) -> DateTime {
        self.row.due_at.into()
    }

    /// How often in a row moving it failed.
    async fn faults(&self) -> i32 {
        self.row.fault_count
    }
}

/// Enrollments that do not move, the longest due first.
const BY_DUE: Order<enrollment::Entity> = Order {
    name: "stuck enrollments",
    columns: &[enrollment::Column::DueAt, enrollment::Column::Id],
    descending: false,
};

/// Reads of enrollments that do not move.
#[derive(Default)]
pub struct StuckQuery;

/// Reads of enrollments that do not move.
#[Object]
impl StuckQuery {
    /// Enrollments of your leads that have been due for ten minutes, fail, or have a mail that does not go out or of
    /// which nobody knows whether it did; the longest
    /// due first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn stuck_enrollments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<StuckEnrollment>, Error> {
        let ask = Ask::of(ctx);
        let now = ask.api.hospital.now();
        let visible = leads::visible_to(ask.viewer())
            .select_only()
            .column(lead::Column::Id)
            .into_query();
        let watched = Arc::new(watchdog::which(ask.db(), now).await.told(ask)?);
        let select = enrollment::Entity::find()
            .filter(watched.any.clone())
            .filter(enrollment::Column::LeadId.in_subquery(visible));
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let stuck = |row| StuckEnrollment {
            row,
            watched: Arc::clone(&watched),
        };
        page(ask, select, &BY_DUE, args, stuck).await
    }
}
