//! What service lines can hold is entered, week by week or as a table.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::capacity::enter::{self, SetCapacity, WeekSaid};
use domain::capacity::import::{self, ImportCapacity};

use super::{Outcome, outcome, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::capacity::{self, Capacity};
use crate::graphql::errors::UserError;
use crate::graphql::scalars::Date;

type DomainResult<T> = domain::error::Result<T>;

/// What is said of a week.
#[derive(InputObject)]
pub struct CapacityWeekInput {
    /// The Monday of the week, from the present one to 104 weeks ahead.
    monday: Date,
    /// Visits that can still be booked in it, 0 to 10000.
    open_slots: i32,
    /// Days that people wait for a visit, 0 to 730; null if nobody can say.
    wait_days: Option<i32>,
    /// The version of the week that was read, 0 when there was none: if it has changed since, nothing is done.
    version: Option<i64>,
}

/// What is said of some weeks of a service line at a facility.
#[derive(InputObject)]
pub struct SetCapacityInput {
    /// The service line.
    service_line_id: ID,
    /// The facility.
    facility_id: ID,
    /// The weeks, each once; at most 53. Those that are not named stay as they are.
    weeks: Vec<CapacityWeekInput>,
}

impl SetCapacityInput {
    fn read(self) -> DomainResult<SetCapacity> {
        Ok(SetCapacity {
            service_line_id: read_id("serviceLineId", &self.service_line_id)?,
            facility_id: read_id("facilityId", &self.facility_id)?,
            weeks: self
                .weeks
                .into_iter()
                .map(|week| WeekSaid {
                    monday: week.monday.0,
                    open_slots: week.open_slots,
                    wait_days: week.wait_days,
                    version: week.version,
                })
                .collect(),
        })
    }
}

payload!(
    /// What came of entering capacity.
    SetCapacityPayload {
        /// The place after it. Its pace is reckoned anew within moments.
        capacity: Capacity
    }
);

/// Weeks of many service lines, as a table.
#[derive(InputObject)]
pub struct ImportCapacityInput {
    /// The table, with commas: a head with `service_line`, `facility`, `monday`, `open_slots` and, if wanted, `wait_days` in
    /// any order, then at most 5,000 rows. Service lines and facilities go by their slugs or names.
    csv: String,
    /// Whether to only say what would come of it.
    #[graphql(default)]
    dry_run: bool,
}

/// What came of a table, or would come of it.
#[derive(SimpleObject)]
pub struct ImportedCapacity {
    /// Weeks in the table.
    rows: i32,
    /// Weeks that are different from before.
    changed: i32,
}

/// What came of taking in a table: all of it, or nothing.
#[derive(SimpleObject)]
pub struct ImportCapacityPayload {
    /// What was done, or would be.
    imported: Option<ImportedCapacity>,
    /// Why nothing was done, each with its row and column; empty when it was.
    user_errors: Vec<UserError>,
}

/// Changes of what service lines can hold. They keep a history of their own.
#[derive(Default)]
pub struct CapacityMutation;

/// Changes of what service lines can hold.
#[Object]
impl CapacityMutation {
    /// Enters how many visits of a service line are open at a facility in which weeks. Promotion keeps to it from the next
    /// moment on: more goes out as slots open, and what has to wait is told when.
    async fn set_capacity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The weeks.")] input: SetCapacityInput,
    ) -> Result<SetCapacityPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => enter::set(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome: Outcome<Capacity> = match outcome(ctx, done).await? {
            Ok(pool) => Ok(capacity::place(ask, pool).await?),
            Err(refusals) => Err(refusals),
        };
        Ok(SetCapacityPayload::of(outcome))
    }

    /// Enters the weeks of a table, all or none.
    async fn import_capacity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The table.")] input: ImportCapacityInput,
    ) -> Result<ImportCapacityPayload, Error> {
        let ask = Ask::of(ctx);
        let input = ImportCapacity {
            csv: input.csv,
            dry_run: input.dry_run,
        };
        let done = import::import(&ask.api.hospital, ask.viewer(), input).await;
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        Ok(match outcome(ctx, done).await? {
            Ok(done) => ImportCapacityPayload {
                imported: Some(ImportedCapacity {
                    rows: count(done.rows),
                    changed: count(done.changed),
                }),
                user_errors: Vec::new(),
            },
            Err(user_errors) => ImportCapacityPayload {
                imported: None,
                user_errors,
            },
        })
    }
}
