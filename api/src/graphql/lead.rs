//! Leads.

mod filter;
mod head;
mod history;
mod parts;

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use domain::error::Error as DomainError;
use entity::id::LeadId;
use entity::lead;
use sea_orm::QueryFilter;

use super::ask::Ask;
use super::at_once::AtOnce;
use super::children;
use super::contact::Contact;
use super::directory::{self, Facility, ServiceLine, Staff, Team};
use super::errors::Told;
use super::follow_up::{FollowUp, FollowUpsOfLead};
use super::id::{self, id};
use super::lead_profile::{self, LeadFit};
use super::loaders::BookedFor;
use super::message::{Message, MessagesOfLead};
use super::page::{Connection, PageArgs, cost, page, partial_page};
use super::scalars::DateTime;
use super::script::{self, IntakeScript};
use super::sequence::{Enrollment, EnrollmentsOfLead};
use super::vocabulary::{Disposition, EligibilityFlag, LeadStage, LeadType};

pub use filter::{LeadFilter, LeadOrder, LeadOrderField, SlaState};
pub use history::{Actor, Appointment, Attempt, LeadEvent, actor};
pub use parts::{FormAnswer, LeadScore, LeadSource, RoutingDecision, ScoreReason, SlaClock, Utm};

use head::Head;
use history::{AppointmentsOfLead, AttemptsOfLead, TimelineOfLead};

/// One inquiry of one contact for one service line. Lists read its head alone when nothing else is asked for.
#[derive(Clone, Debug)]
pub struct Lead {
    head: Head,
    whole: Option<Arc<lead::Model>>,
}

impl Lead {
    /// A lead that was read as a whole.
    pub fn of(row: lead::Model) -> Self {
        Self {
            head: Head::of(&row),
            whole: Some(Arc::new(row)),
        }
    }

    /// A lead of which no more was read; the rest is loaded if it is asked for after all.
    const fn in_part(head: Head) -> Self {
        Self { head, whole: None }
    }

    async fn whole(&self, ctx: &Context<'_>) -> Result<Arc<lead::Model>, Error> {
        if let Some(whole) = &self.whole {
            return Ok(Arc::clone(whole));
        }
        let ask = Ask::of(ctx);
        let row = ask.load(self.head.id).await?;
        row.map(Arc::new)
            .ok_or(DomainError::Missing { noun: "lead" })
            .told(ask)
    }
}

/// One inquiry of one contact for one service line.
#[Object]
impl Lead {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.head.id)
    }

    /// Who asked.
    async fn contact(&self, ctx: &Context<'_>) -> Result<AtOnce<Contact>, Error> {
        let ask = Ask::of(ctx);
        let row = ask.load(self.head.contact_id).await?;
        row.map(Contact)
            .map(AtOnce)
            .ok_or(DomainError::Missing { noun: "contact" })
            .told(ask)
    }

    /// What is asked for.
    #[graphql(name = "type")]
    async fn lead_type(&self) -> LeadType {
        self.head.lead_type.into()
    }

    /// How far it has come.
    async fn stage(&self) -> LeadStage {
        self.head.stage.into()
    }

    /// Why it was closed.
    async fn disposition(&self, ctx: &Context<'_>) -> Result<Option<Disposition>, Error> {
        Ok(self.whole(ctx).await?.disposition.map(Into::into))
    }

    /// The service line; null until a person names it.
    async fn service_line(&self, ctx: &Context<'_>) -> Result<Option<AtOnce<ServiceLine>>, Error> {
        let line = directory::service_line(Ask::of(ctx), self.head.service_line_id).await?;
        Ok(line.map(AtOnce))
    }

    /// The service as the person wrote it.
    async fn requested_service(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.whole(ctx).await?.requested_service.clone())
    }

    /// Where it will be served.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<AtOnce<Facility>>, Error> {
        let facility = directory::facility(Ask::of(ctx), self.head.facility_id).await?;
        Ok(facility.map(AtOnce))
    }

    /// The team that serves it.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<AtOnce<Team>>, Error> {
        let team = directory::team(Ask::of(ctx), Some(self.head.team_id)).await?;
        Ok(team.map(AtOnce))
    }

    /// The person who serves it.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<AtOnce<Staff>>, Error> {
        let owner = directory::staff(Ask::of(ctx), self.head.owner_id).await?;
        Ok(owner.map(AtOnce))
    }

    /// Whether it goes first.
    async fn urgent(&self) -> bool {
        self.head.urgent
    }

    /// Where it came from.
    async fn source(&self) -> AtOnce<LeadSource<'_>> {
        AtOnce(LeadSource(self))
    }

    /// Its score, with reasons.
    async fn score(&self, ctx: &Context<'_>) -> Result<LeadScore, Error> {
        Ok(LeadScore(self.whole(ctx).await?))
    }

    /// How well it fits the ideal lead profile of its campaign or channel, as it stands; null when there is none for it.
    async fn fit(&self, ctx: &Context<'_>) -> Result<Option<LeadFit>, Error> {
        let (ask, lead) = (Ask::of(ctx), self.whole(ctx).await?);
        let Some(contact) = ask.load(lead.contact_id).await? else {
            return Ok(None);
        };
        Ok(lead_profile::fit_of(&*ask.playbook().await?, &lead, &contact))
    }

    /// What it needs before it can be scheduled.
    async fn flags(&self, ctx: &Context<'_>) -> Result<Vec<EligibilityFlag>, Error> {
        let whole = self.whole(ctx).await?;
        Ok(whole.flags.0.iter().map(|flag| (*flag).into()).collect())
    }

    /// Why it went where it went.
    async fn routing(&self, ctx: &Context<'_>) -> Result<RoutingDecision, Error> {
        Ok(RoutingDecision(self.whole(ctx).await?))
    }

    /// How fast the first attempt must come, and whether it did.
    async fn sla(&self, ctx: &Context<'_>) -> Result<SlaClock, Error> {
        Ok(SlaClock(self.whole(ctx).await?))
    }

    /// What the person answered, in the form's order.
    async fn answers(&self, ctx: &Context<'_>) -> Result<Vec<FormAnswer>, Error> {
        let whole = self.whole(ctx).await?;
        Ok(whole.answers.0.iter().cloned().map(FormAnswer).collect())
    }

    /// When it came in.
    async fn received_at(&self) -> DateTime {
        self.head.received_at.into()
    }

    /// When it was made of a form that was saved and left; null for every lead that somebody sent.
    async fn unfinished_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.unfinished_at.map(Into::into))
    }

    /// The first human attempt.
    async fn first_attempt_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.first_attempt_at.map(Into::into))
    }

    /// The first two-way contact.
    async fn first_reached_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.first_reached_at.map(Into::into))
    }

    /// When it first reached `QUALIFIED`.
    async fn qualified_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.qualified_at.map(Into::into))
    }

    /// When it first reached `APPOINTMENT_SCHEDULED`.
    async fn scheduled_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.scheduled_at.map(Into::into))
    }

    /// When it first reached `VISIT_COMPLETED`.
    async fn completed_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.completed_at.map(Into::into))
    }

    /// When it was last closed.
    async fn closed_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>, Error> {
        Ok(self.whole(ctx).await?.closed_at.map(Into::into))
    }

    /// Rises with every change; send it back with an update.
    async fn version(&self) -> i64 {
        self.head.version
    }

    /// The booked appointment.
    async fn next_appointment(&self, ctx: &Context<'_>) -> Result<Option<Appointment>, Error> {
        Ok(Ask::of(ctx).load(BookedFor(self.head.id)).await?.map(Appointment))
    }

    /// Every appointment, the latest first, up to 100.
    #[graphql(complexity = "3 * child_complexity")]
    async fn appointments(&self, ctx: &Context<'_>) -> Result<Vec<Appointment>, Error> {
        let rows = children::list(Ask::of(ctx), AppointmentsOfLead, self.head.id).await?;
        Ok(rows.into_iter().map(Appointment).collect())
    }

    /// What happened to it, the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<LeadEvent>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(Ask::of(ctx), TimelineOfLead, self.head.id, args, LeadEvent).await
    }

    /// What to ask, say and not say, and what was answered; null when there is no script for it.
    async fn script(&self, ctx: &Context<'_>) -> Result<Option<IntakeScript>, Error> {
        script::of(Ask::of(ctx), self.head.id, true).await
    }

    /// The human attempts to reach the person, the latest first, up to 100.
    #[graphql(complexity = "5 * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Vec<Attempt>, Error> {
        let rows = children::list(Ask::of(ctx), AttemptsOfLead, self.head.id).await?;
        Ok(rows.into_iter().map(Attempt).collect())
    }

    /// Work for people about it, the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<FollowUp>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(Ask::of(ctx), FollowUpsOfLead, self.head.id, args, FollowUp).await
    }

    /// Mails about it, the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Message>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(Ask::of(ctx), MessagesOfLead, self.head.id, args, Message).await
    }

    /// Its places in sequences, the latest first, up to 100.
    #[graphql(complexity = "5 * child_complexity")]
    async fn enrollments(&self, ctx: &Context<'_>) -> Result<Vec<Enrollment>, Error> {
        let rows = children::list(Ask::of(ctx), EnrollmentsOfLead, self.head.id).await?;
        Ok(rows.into_iter().map(Enrollment).collect())
    }
}

/// The lead of this id, if the viewer may see it.
pub async fn lead(ask: &Ask, id: Option<LeadId>) -> Result<Option<Lead>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.load(id).await?.map(Lead::of))
}

/// Reads of leads.
#[derive(Default)]
pub struct LeadQuery;

/// Reads of leads.
#[Object]
impl LeadQuery {
    /// One lead; null when there is none or it is not yours.
    async fn lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead's id.")] id: ID,
    ) -> Result<Option<Lead>, Error> {
        lead(Ask::of(ctx), Some(id::read("id", &id)?)).await
    }

    /// Leads, the latest received first unless ordered otherwise.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "Relay's arguments are four by themselves"
    )]
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which leads.")] filter: Option<LeadFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<LeadOrder>,
    ) -> Result<Connection<Lead>, Error> {
        let ask = Ask::of(ctx);
        let select = domain::lead::find::visible_to(ask.viewer());
        let select = select.filter(filter.unwrap_or_default().condition(ask.now())?);
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let order = filter::order(order_by);
        if head::is_enough(ctx.field()) {
            partial_page(ask, select, &order, args, Lead::in_part).await
        } else {
            page(ask, select, &order, args, Lead::of).await
        }
    }
}
