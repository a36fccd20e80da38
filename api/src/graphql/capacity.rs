//! What service lines can hold, and the mails that wait for it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use domain::capacity::Pool;
use domain::capacity::look::{self, Outlook, WeekOutlook, of_micro};
use entity::capacity_pace::PaceStop;
use entity::capacity_turn;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::ask::Ask;
use super::directory::{self, Facility, ServiceLine};
use super::errors::Told;
use super::id::{self, id};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::{Date, DateTime};
use super::vocabulary::GateReason;

/// Why promotion of a service line has stopped at a facility.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "PaceStop")]
pub enum CapacityStop {
    /// People wait longer for a visit than the line allows.
    LongWait,
    /// Fewer slots are open than the line wants to have.
    FewSlots,
}

/// What was said of a week of a service line at a facility.
pub struct CapacityWeek(WeekOutlook);

/// What was said of a week of a service line at a facility.
#[Object]
impl CapacityWeek {
    /// The Monday of the week.
    async fn monday(&self) -> Date {
        Date(self.0.week.monday)
    }

    /// Visits that can still be booked in it.
    async fn open_slots(&self) -> i32 {
        self.0.week.open_slots
    }

    /// Days that people wait for a visit; null if nobody said.
    async fn wait_days(&self) -> Option<i32> {
        self.0.week.wait_days
    }

    /// Visits that the leads in the funnel will take of it. Null beyond the weeks that are looked ahead, and while there
    /// is too little evidence.
    async fn expected_demand(&self) -> Option<f64> {
        self.0.expected
    }

    /// Demand-making mails that its remaining days allow. Null beyond the weeks that are looked ahead.
    async fn allowance(&self) -> Option<i64> {
        self.0.allowance
    }

    /// Rises with every change; send it back with an update.
    async fn version(&self) -> i64 {
        self.0.week.version
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.week.updated_at.into()
    }
}

/// What a service line can hold at a facility, against what is coming anyway.
pub struct Capacity(Outlook);

/// What a service line can hold at a facility, against what is coming anyway.
#[Object]
impl Capacity {
    /// The service line.
    async fn service_line(&self, ctx: &Context<'_>) -> Result<Option<ServiceLine>, Error> {
        directory::service_line(Ask::of(ctx), Some(self.0.pool().0)).await
    }

    /// The facility.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        directory::facility(Ask::of(ctx), Some(self.0.pool().1)).await
    }

    /// The present week and those that come, of which somebody spoke.
    #[graphql(complexity = "8 * child_complexity")]
    async fn weeks(&self) -> Vec<CapacityWeek> {
        self.0.weeks.iter().cloned().map(CapacityWeek).collect()
    }

    /// Visits that are open in the weeks that are looked ahead; of the present week the share of its days that are left.
    async fn open_slots(&self) -> f64 {
        self.0.open_slots
    }

    /// Leads that may still book a visit here. Those who have no facility yet count by its part of the open slots.
    async fn leads_in_funnel(&self) -> i64 {
        self.0.pace.funnel
    }

    /// The share of the line's leads of the last 180 days that were booked; null with fewer than 30 of them.
    async fn conversion(&self) -> Option<f64> {
        self.0.pace.conversion_micro.map(of_micro)
    }

    /// Visits that the leads in the funnel will take, by how far each has come; null with too little evidence, and then
    /// nothing is taken off.
    async fn expected_demand(&self) -> Option<f64> {
        self.0.pace.demand_micro.map(of_micro)
    }

    /// Demand-making mails a day.
    async fn mails_per_day(&self) -> f64 {
        of_micro(self.0.pace.rate_micro)
    }

    /// Demand-making mails that may go today, those that went included.
    async fn allowance_today(&self) -> i64 {
        self.0.allowance_today()
    }

    /// Demand-making mails that were let go today.
    async fn released_today(&self) -> i64 {
        self.0.let_go
    }

    /// Mails that wait in line.
    async fn held(&self) -> i64 {
        self.0.held
    }

    /// The day on which the first of them is let go; null when none waits or no day can be told.
    async fn next_release(&self) -> Option<Date> {
        self.0.next_release.map(Date)
    }

    /// Why promotion has stopped; null while it goes on.
    async fn stopped(&self) -> Option<CapacityStop> {
        self.0.pace.stopped.map(Into::into)
    }

    /// When the pace was last reckoned: at the beginning of each day, and whenever something it rests on is said; null
    /// before the first time.
    async fn reckoned_at(&self) -> Option<DateTime> {
        self.0.pace.reckoned_at.map(Into::into)
    }
}

/// What is open at one place, for what was just changed.
pub(super) async fn place(ask: &Ask, (line, facility): Pool) -> Result<Capacity, Error> {
    let filter = look::Filter {
        service_line_ids: vec![line],
        facility_ids: vec![facility],
        weeks: look::WEEKS_MAX,
    };
    let found = look::look(&ask.api.hospital, ask.viewer(), filter)
        .await
        .told(ask)?;
    let place = found.into_iter().next();
    place
        .map(Capacity)
        .ok_or_else(|| Error::new("The capacity cannot be read."))
}

/// Which places are wanted. Every field that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct CapacityFilter {
    /// Of one of these service lines.
    service_line_ids: Option<Vec<ID>>,
    /// At one of these facilities.
    facility_ids: Option<Vec<ID>>,
    /// How many weeks are shown, 1 to 53; 8 unless said otherwise.
    #[graphql(default = 8)]
    weeks: i32,
}

/// A demand-making mail that waits for capacity.
pub struct CapacityHold {
    row: capacity_turn::Model,
    stops: Arc<HashMap<Pool, PaceStop>>,
}

/// A demand-making mail that waits for capacity.
#[Object]
impl CapacityHold {
    /// The id of the message.
    async fn message_id(&self) -> ID {
        id(self.row.message_id)
    }

    /// The service line that it is about.
    async fn service_line(&self, ctx: &Context<'_>) -> Result<Option<ServiceLine>, Error> {
        directory::service_line(Ask::of(ctx), Some(self.row.service_line_id)).await
    }

    /// The facility whose slots it waits for.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        directory::facility(Ask::of(ctx), Some(self.row.facility_id)).await
    }

    /// Since when it has waited.
    async fn since(&self) -> DateTime {
        self.row.since.into()
    }

    /// The day at the facility on which it is let go; null while no day can be told.
    async fn release_on(&self) -> Option<Date> {
        self.row.due_on.map(Date)
    }

    /// Why it waits.
    async fn reason(&self) -> GateReason {
        self.code().into()
    }

    /// Why it waits, in a sentence.
    async fn text(&self) -> String {
        domain::outreach::gate::explain(self.code()).text
    }
}

impl CapacityHold {
    fn code(&self) -> entity::message::GateReason {
        let pool = (self.row.service_line_id, self.row.facility_id);
        domain::outreach::gate::reason_in_line(self.stops.get(&pool).copied())
    }
}

/// Which waiting mails are wanted. Every field that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct CapacityHoldFilter {
    /// About this service line.
    service_line_id: Option<ID>,
    /// For the slots of this facility.
    facility_id: Option<ID>,
}

/// The line in its order.
const IN_LINE: Order<capacity_turn::Entity> = Order {
    name: "capacity holds",
    columns: &[capacity_turn::Column::Since, capacity_turn::Column::MessageId],
    descending: false,
};

/// Reads of what service lines can hold.
#[derive(Default)]
pub struct CapacityQuery;

/// Reads of what service lines can hold.
#[Object]
impl CapacityQuery {
    /// What service lines can hold at the facilities of which somebody spoke, against what is coming anyway; at most 200.
    #[graphql(complexity = "10 + 20 * child_complexity")]
    async fn capacity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which places.")] filter: Option<CapacityFilter>,
    ) -> Result<Vec<Capacity>, Error> {
        let ask = Ask::of(ctx);
        let filter = filter.unwrap_or(CapacityFilter {
            weeks: 8,
            ..CapacityFilter::default()
        });
        let lines = id::read_list("filter.serviceLineIds", filter.service_line_ids.as_deref())?;
        let facilities = id::read_list("filter.facilityIds", filter.facility_ids.as_deref())?;
        let filter = look::Filter {
            service_line_ids: lines.unwrap_or_default(),
            facility_ids: facilities.unwrap_or_default(),
            weeks: filter.weeks.into(),
        };
        let found = look::look(&ask.api.hospital, ask.viewer(), filter)
            .await
            .told(ask)?;
        Ok(found.into_iter().map(Capacity).collect())
    }

    /// The demand-making mails that wait for capacity, those that have waited longest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn capacity_holds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<CapacityHoldFilter>,
    ) -> Result<Connection<CapacityHold>, Error> {
        let ask = Ask::of(ctx);
        let filter = filter.unwrap_or_default();
        let mut select = capacity_turn::Entity::find();
        if let Some(line) = &filter.service_line_id {
            let line: entity::id::ServiceLineId = id::read("filter.serviceLineId", line)?;
            select = select.filter(capacity_turn::Column::ServiceLineId.eq(line));
        }
        if let Some(facility) = &filter.facility_id {
            let facility: entity::id::FacilityId = id::read("filter.facilityId", facility)?;
            select = select.filter(capacity_turn::Column::FacilityId.eq(facility));
        }
        let stops = Arc::new(look::stops(ask.db()).await.told(ask)?);
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let hold = |row| CapacityHold {
            row,
            stops: Arc::clone(&stops),
        };
        page(ask, select, &IN_LINE, args, hold).await
    }
}
