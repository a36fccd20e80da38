//! Leads that went to the wrong team, and which rules had sent them there.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::report::{self, MisrouteRow};
use entity::enums::ActorKind;
use entity::id::{LeadId, RoutingRuleId, StaffId, TeamId};
use entity::misroute::{self, Column, Model};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::ask::Ask;
use super::at_once::AtOnce;
use super::dashboard::{DashboardFilter, within_filter};
use super::directory::{self, Staff, Team};
use super::errors::Told;
use super::id::{self, id};
use super::lead::{self, Lead};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;
use super::vocabulary::MisrouteReason;

/// Misroutes, the latest first.
const LATEST: Order<misroute::Entity> = Order {
    name: "misroutes, latest",
    columns: &[Column::Id],
    descending: true,
};

/// A lead that was moved away from the wrong team.
#[derive(Clone, Debug)]
pub struct Misroute(Model);

/// A lead that was moved away from the wrong team.
#[Object]
impl Misroute {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The lead.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<AtOnce<Lead>>, Error> {
        let lead = lead::lead(Ask::of(ctx), Some(self.0.lead_id)).await?;
        Ok(lead.map(AtOnce))
    }

    /// Id of the rule that had sent the lead when it came in; null when no rule held.
    async fn rule_id(&self) -> Option<ID> {
        self.0.rule_id.map(id)
    }

    /// The rule's name, as it was then.
    async fn rule(&self) -> &str {
        &self.0.rule
    }

    /// Number of the version of the rules that had sent it; 0 for leads of before there were versions.
    async fn rule_version(&self) -> i32 {
        self.0.rule_version
    }

    /// Whether the rule had sent it to the team that it was taken from. Once a lead, and counted in the report; other
    /// moves correct what people did.
    async fn by_rule(&self) -> bool {
        self.0.by_rule
    }

    /// The team that it was taken from.
    #[graphql(name = "fromTeam")]
    async fn old_team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.0.from_team_id)).await
    }

    /// The team that it was given to.
    #[graphql(name = "toTeam")]
    async fn new_team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.0.to_team_id)).await
    }

    /// Why.
    async fn reason(&self) -> MisrouteReason {
        self.0.reason.into()
    }

    /// What was said about it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Who moved it; null when a program did.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        let person = self.0.actor_id.filter(|_| self.0.actor_kind == ActorKind::Staff);
        directory::staff(Ask::of(ctx), person.map(StaffId)).await
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// Which misroutes.
#[derive(InputObject, Default)]
pub struct MisrouteFilter {
    /// Only those of leads that this rule had sent.
    rule_id: Option<ID>,
    /// Only those of this lead.
    lead_id: Option<ID>,
}

impl MisrouteFilter {
    fn condition(&self) -> Result<Condition, Error> {
        let mut wanted = Condition::all();
        if let Some(rule) = &self.rule_id {
            wanted = wanted.add(Column::RuleId.eq(id::read::<RoutingRuleId>("filter.ruleId", rule)?));
        }
        if let Some(lead) = &self.lead_id {
            wanted = wanted.add(Column::LeadId.eq(id::read::<LeadId>("filter.leadId", lead)?));
        }
        Ok(wanted)
    }
}

/// Leads of a rule that went to a team instead.
pub struct MisrouteTarget {
    team: TeamId,
    leads: i64,
}

/// Leads of a rule that went to a team instead.
#[Object]
impl MisrouteTarget {
    /// The team.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>, Error> {
        directory::team(Ask::of(ctx), Some(self.team)).await
    }

    /// How many leads.
    async fn leads(&self) -> i64 {
        self.leads
    }
}

/// Why leads of a rule went to another team.
#[derive(SimpleObject)]
pub struct MisrouteReasonCount {
    /// Why.
    reason: MisrouteReason,
    /// How many leads.
    leads: i64,
}

/// How often a rule was wrong.
pub struct MisrouteReportRow(MisrouteRow);

/// How often a rule was wrong.
#[Object]
impl MisrouteReportRow {
    /// Id of the rule; null for leads that no rule could place.
    async fn rule_id(&self) -> Option<ID> {
        self.0.rule_id.map(id)
    }

    /// The rule's name.
    async fn rule(&self) -> &str {
        &self.0.rule
    }

    /// Leads that it sent to a team.
    async fn routed(&self) -> i64 {
        self.0.routed
    }

    /// Those that were moved on because the team was wrong.
    async fn misrouted(&self) -> i64 {
        self.0.misrouted
    }

    /// Their share, 0 to 1.
    async fn share(&self) -> f64 {
        // Counts are far below what a double holds exactly.
        self.0.misrouted as f64 / self.0.routed.max(1) as f64
    }

    /// Where they went, most leads first.
    #[graphql(complexity = "10 * child_complexity")]
    async fn to(&self) -> Vec<MisrouteTarget> {
        let target = |(team, leads): &(TeamId, i64)| MisrouteTarget {
            team: *team,
            leads: *leads,
        };
        self.0.to.iter().map(target).collect()
    }

    /// Why, most leads first.
    async fn reasons(&self) -> Vec<MisrouteReasonCount> {
        let count = |(reason, leads): &(misroute::MisrouteReason, i64)| MisrouteReasonCount {
            reason: (*reason).into(),
            leads: *leads,
        };
        self.0.reasons.iter().map(count).collect()
    }
}

/// Reads of misroutes.
#[derive(Default)]
pub struct MisrouteQuery;

/// Reads of misroutes.
#[Object]
impl MisrouteQuery {
    /// Leads that were moved away from the wrong team, the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn misroutes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which.")] filter: Option<MisrouteFilter>,
    ) -> Result<Connection<Misroute>, Error> {
        let wanted = filter.unwrap_or_default().condition()?;
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let select = misroute::Entity::find().filter(wanted);
        page(Ask::of(ctx), select, &LATEST, args, Misroute).await
    }

    /// How often each rule sent leads to the wrong team, of the leads of a period of at most 400 days; most misroutes
    /// first. Whose leads are counted is as for the dashboard.
    #[graphql(complexity = "500 + 20 * child_complexity")]
    async fn misroute_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which leads.")] filter: DashboardFilter,
    ) -> Result<Vec<MisrouteReportRow>, Error> {
        let ask = Ask::of(ctx);
        let rows = report::misroute_report(&ask.api.hospital, ask.viewer(), filter.read()?).await;
        let rows = rows.map_err(within_filter).told(ask)?;
        Ok(rows.into_iter().map(MisrouteReportRow).collect())
    }
}
