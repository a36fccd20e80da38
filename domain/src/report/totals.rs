//! A funnel in figures.

use std::ops::Add;

use chrono::{DateTime, Utc};
use entity::enums::LeadStage;
use entity::lead::{Column, Entity};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, FromQueryResult, IntoSimpleExpr, QuerySelect, Select};

use super::SlaSummary;
use super::spend::Spend;

/// The funnel of a group of leads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunnelTotals {
    /// Leads received.
    pub leads: i64,
    /// Leads with at least one attempt.
    pub attempted: i64,
    /// Leads with a two-way attempt.
    pub reached: i64,
    /// Leads that ever reached `QUALIFIED`.
    pub qualified: i64,
    /// Leads that ever reached `APPOINTMENT_SCHEDULED`.
    pub scheduled: i64,
    /// Leads that ever reached `VISIT_COMPLETED`.
    pub completed: i64,
    /// Leads that were ever closed.
    pub closed: i64,
    /// Leads reached / leads; none without leads.
    pub contact_rate: Option<f64>,
    /// Spend in minor units. None if none is recorded, if it cannot be told for this group, or if it is in several
    /// currencies.
    pub spend_minor: Option<i64>,
    /// ISO 4217 code of the spend.
    pub currency: Option<String>,
    /// Spend / leads, in minor units, rounded to the nearest. None without spend or leads; so for the others.
    pub cost_per_lead_minor: Option<i64>,
    /// Spend / leads ever qualified.
    pub cost_per_qualified_minor: Option<i64>,
    /// Spend / leads ever scheduled.
    pub cost_per_scheduled_minor: Option<i64>,
    /// Spend / leads ever completed.
    pub cost_per_completed_minor: Option<i64>,
}

impl FunnelTotals {
    #[expect(
        clippy::cast_precision_loss,
        reason = "no hospital has more leads than a float counts exactly"
    )]
    pub(super) fn new(counts: &Counts, spend: &Spend) -> Self {
        let (spend_minor, currency) = spend.one_currency().unzip();
        let cost = |count: i64| {
            spend_minor
                .filter(|_| count > 0)
                .map(|spend| (spend + count / 2) / count)
        };
        Self {
            leads: counts.leads,
            attempted: counts.attempted,
            reached: counts.reached,
            qualified: counts.qualified,
            scheduled: counts.scheduled,
            completed: counts.completed,
            closed: counts.closed,
            contact_rate: (counts.leads > 0).then(|| counts.reached as f64 / counts.leads as f64),
            spend_minor,
            currency,
            cost_per_lead_minor: cost(counts.leads),
            cost_per_qualified_minor: cost(counts.qualified),
            cost_per_scheduled_minor: cost(counts.scheduled),
            cost_per_completed_minor: cost(counts.completed),
        }
    }
}

/// What the database counts of a group of leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub(super) struct Counts {
    pub(super) leads: i64,
    pub(super) attempted: i64,
    pub(super) reached: i64,
    pub(super) qualified: i64,
    pub(super) scheduled: i64,
    pub(super) completed: i64,
    pub(super) closed: i64,
    pub(super) sla_met: i64,
    pub(super) sla_missed: i64,
    pub(super) sla_late_now: i64,
    pub(super) sla_open: i64,
}

impl Counts {
    /// Adds the columns of the counts to a statement over leads.
    pub(super) fn select(leads: Select<Entity>, now: DateTime<Utc>) -> Select<Entity> {
        let waits = || {
            Condition::all()
                .add(Column::FirstAttemptAt.is_null())
                .add(Column::Stage.ne(LeadStage::Closed))
        };
        let due = || Column::SlaDueAt.into_simple_expr();
        let never_came = Condition::all()
            .add(Column::FirstAttemptAt.is_null())
            .add(Column::SlaDueAt.lte(now))
            .add(
                Condition::any()
                    .add(Column::Stage.ne(LeadStage::Closed))
                    .add(Expr::col(Column::ClosedAt).gte(due())),
            );
        let missed = Condition::any()
            .add(Expr::col(Column::FirstAttemptAt).gte(due()))
            .add(never_came);
        leads
            .column_as(Column::Id.count(), "leads")
            .column_as(Column::FirstAttemptAt.count(), "attempted")
            .column_as(Column::FirstReachedAt.count(), "reached")
            .column_as(Column::QualifiedAt.count(), "qualified")
            .column_as(Column::ScheduledAt.count(), "scheduled")
            .column_as(Column::CompletedAt.count(), "completed")
            .column_as(Column::ClosedAt.count(), "closed")
            .column_as(
                count_if(Condition::all().add(Expr::col(Column::FirstAttemptAt).lt(due()))),
                "sla_met",
            )
            .column_as(count_if(missed), "sla_missed")
            .column_as(count_if(waits().add(Column::SlaDueAt.lte(now))), "sla_late_now")
            .column_as(count_if(waits().add(Column::SlaDueAt.gt(now))), "sla_open")
    }

    /// The figures of the SLA.
    pub(super) const fn sla(&self) -> SlaSummary {
        SlaSummary {
            met: self.sla_met,
            missed: self.sla_missed,
            late_now: self.sla_late_now,
            open: self.sla_open,
            ended: self.leads - self.sla_met - self.sla_missed - self.sla_open,
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            leads: self.leads + other.leads,
            attempted: self.attempted + other.attempted,
            reached: self.reached + other.reached,
            qualified: self.qualified + other.qualified,
            scheduled: self.scheduled + other.scheduled,
            completed: self.completed + other.completed,
            closed: self.closed + other.closed,
            sla_met: self.sla_met + other.sla_met,
            sla_missed: self.sla_missed + other.sla_missed,
            sla_late_now: self.sla_late_now + other.sla_late_now,
            sla_open: self.sla_open + other.sla_open,
        }
    }
}

/// How many rows a condition holds for: a bigint on both databases, where a SUM is not.
pub(super) fn count_if(condition: Condition) -> Expr {
    Expr::expr(CaseStatement::new().case(condition, 1)).count()
}
