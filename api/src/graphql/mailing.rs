//! Mailings: one mail of a campaign to everybody of an audience.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use domain::error::{Error as DomainError, Refusal};
use domain::outreach::mailing::count::Progress;
use domain::outreach::mailing::{self as mailings, PreviewMailing, find};
use entity::id::{CampaignId, MailingId, TypedId, WrongId};
use entity::mailing::{self, Audience, Column, MailingState as Decided};
use entity::mailing_progress::{self, MailingWork};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::ask::Ask;
use super::campaign::{self, Campaign};
use super::directory::{Facility, ServiceLine};
use super::errors::Told;
use super::id::{self, id};
use super::lead::{self, Lead};
use super::loaders::ProgressOf;
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;
use super::template::{Template, TemplatePreview};
use super::vocabulary::{Channel, LeadStage, LeadType, Purpose};

/// Where a mailing stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailingState {
    /// Being prepared: nothing is planned.
    Draft,
    /// Started: leads are looked at and mails planned. Those that are planned and due go out meanwhile.
    Planning,
    /// All leads have been looked at. Its mails go out when they are due.
    Planned,
    /// Stopped for good: nothing of it goes out any more.
    Stopped,
}

/// Whose leads a mailing is for.
pub struct MailingAudience(Audience);

/// Whose leads a mailing is for. An empty list means any.
#[Object]
impl MailingAudience {
    /// For one of these service lines.
    #[graphql(complexity = "10 * child_complexity")]
    async fn service_lines(&self, ctx: &Context<'_>) -> Result<Vec<ServiceLine>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let lines = self.0.service_line_ids.iter();
        let found = lines.filter_map(|id| playbook.lines.get(id).cloned());
        Ok(found.map(ServiceLine).collect())
    }

    /// Of one of these types.
    async fn lead_types(&self) -> Vec<LeadType> {
        self.0.lead_types.iter().map(|one| (*one).into()).collect()
    }

    /// In one of these stages at the moment the lead is looked at. Closed leads are never among them.
    async fn stages(&self) -> Vec<LeadStage> {
        self.0.stages.iter().map(|one| (*one).into()).collect()
    }

    /// Served at one of these facilities.
    #[graphql(complexity = "10 * child_complexity")]
    async fn facilities(&self, ctx: &Context<'_>) -> Result<Vec<Facility>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let facilities = self.0.facility_ids.iter();
        let found = facilities.filter_map(|id| playbook.facilities.get(id).cloned());
        Ok(found.map(Facility).collect())
    }

    /// From one of these channels.
    async fn channels(&self) -> Vec<Channel> {
        self.0.channels.iter().map(|one| (*one).into()).collect()
    }

    /// Of a contact who speaks one of these languages; `es` means `es-mx` too.
    async fn languages(&self) -> &[String] {
        &self.0.languages
    }

    /// Received at this instant or later.
    async fn received_from(&self) -> Option<DateTime> {
        self.0.received_from.map(Into::into)
    }

    /// Received before this instant.
    async fn received_to(&self) -> Option<DateTime> {
        self.0.received_to.map(Into::into)
    }
}

/// How far a mailing has come. All numbers are of one moment.
#[derive(SimpleObject)]
pub struct MailingProgress {
    /// Leads looked at so far; when the mailing is planned, all that there were.
    leads_looked_at: i64,
    /// About which part of all leads that is, from 0 to 1, by the days on which they came in.
    share: f64,
    /// Mails planned so far, whatever became of them: one a contact.
    planned: i64,
    /// Of these: waiting for their time, or going out at this moment.
    waiting: i64,
    /// Of these: held back for now by the gate or a mail server; each message says why and until when.
    deferred: i64,
    /// Of these: taken by a mail server.
    accepted: i64,
    /// Of these: refused by a mail server for good.
    refused: i64,
    /// Of these: withheld for good by the gate or the stop; each message says why.
    withheld: i64,
    /// Of these: nobody knows whether they went out.
    unknown: i64,
    /// When all leads had been looked at.
    finished_at: Option<DateTime>,
}

impl MailingProgress {
    fn of(progress: &Progress) -> Self {
        Self {
            leads_looked_at: progress.leads_looked_at,
            share: progress.share,
            planned: progress.planned,
            waiting: progress.waiting(),
            deferred: progress.deferred,
            accepted: progress.accepted,
            refused: progress.refused,
            withheld: progress.withheld,
            unknown: progress.unknown,
            finished_at: progress.finished_at.map(Into::into),
        }
    }
}

/// One mail of a campaign to everybody of an audience.
#[derive(Clone, Debug)]
pub struct Mailing(pub mailing::Model);

/// One mail of a campaign to everybody of an audience. A contact gets one, about its newest lead that fits.
#[Object]
impl Mailing {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it stands.
    async fn state(&self, ctx: &Context<'_>) -> Result<MailingState, Error> {
        Ok(match self.0.state {
            Decided::Draft => MailingState::Draft,
            Decided::Stopped => MailingState::Stopped,
            Decided::Started => match Ask::of(ctx).load(ProgressOf(self.0.id)).await? {
                Some(progress) if progress.work == MailingWork::Done => MailingState::Planned,
                _ => MailingState::Planning,
            },
        })
    }

    /// The campaign that it belongs to, whose state, days, budget and holds hold it.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<Campaign>, Error> {
        campaign::campaign(Ask::of(ctx), Some(self.0.campaign_id)).await
    }

    /// The text. Each mail is made of the version that is approved when it goes.
    async fn template(&self, ctx: &Context<'_>) -> Result<Option<Template>, Error> {
        Ok(Ask::of(ctx).load(self.0.template_id).await?.map(Template))
    }

    /// What its mails are for: the purpose of the template.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.into()
    }

    /// Whom it is for.
    async fn audience(&self) -> MailingAudience {
        MailingAudience(self.0.audience.clone())
    }

    /// When its mails are due; the gate may hold each back, for quiet hours say.
    async fn send_at(&self) -> Option<DateTime> {
        self.0.send_at.map(Into::into)
    }

    /// How far it has come; null before it is started.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Option<MailingProgress>, Error> {
        let progress = Ask::of(ctx).load(ProgressOf(self.0.id)).await?;
        Ok(progress.as_ref().map(MailingProgress::of))
    }

    /// Rises with every change that people make; send it back with the next one.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When people last changed it.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// When it was started. Leads that came in later are not of its audience.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(Into::into)
    }

    /// When it was stopped.
    async fn stopped_at(&self) -> Option<DateTime> {
        self.0.stopped_at.map(Into::into)
    }
}

/// Whose leads a mailing is for. What is given must hold; within a list one is enough.
#[derive(InputObject, Clone, Debug, Default)]
pub struct MailingAudienceInput {
    /// For one of these service lines; at most 100.
    #[graphql(default)]
    service_line_ids: Vec<ID>,
    /// Of one of these types.
    #[graphql(default)]
    lead_types: Vec<LeadType>,
    /// In one of these stages; `CLOSED` is refused, for no mail is sent about a closed lead.
    #[graphql(default)]
    stages: Vec<LeadStage>,
    /// Served at one of these facilities; at most 100.
    #[graphql(default)]
    facility_ids: Vec<ID>,
    /// From one of these channels.
    #[graphql(default)]
    channels: Vec<Channel>,
    /// Of a contact who speaks one of these languages, as tags such as `en`; `es` means `es-mx` too. At most 20.
    #[graphql(default)]
    languages: Vec<String>,
    /// Received at this instant or later. It also makes the planning shorter: older leads are not looked at.
    received_from: Option<DateTime>,
    /// Received before this instant.
    received_to: Option<DateTime>,
}

impl MailingAudienceInput {
    /// The audience; whether it makes sense is asked where it is used.
    ///
    /// # Errors
    /// A refusal for each id that is none.
    pub(super) fn read(self) -> Result<Audience, DomainError> {
        let mut refusals = Vec::new();
        let audience = Audience {
            service_line_ids: ids("audience.serviceLineIds", &self.service_line_ids, &mut refusals),
            lead_types: self.lead_types.into_iter().map(Into::into).collect(),
            stages: self.stages.into_iter().map(Into::into).collect(),
            facility_ids: ids("audience.facilityIds", &self.facility_ids, &mut refusals),
            channels: self.channels.into_iter().map(Into::into).collect(),
            languages: self.languages,
            received_from: self.received_from.map(Into::into),
            received_to: self.received_to.map(Into::into),
        };
        if refusals.is_empty() {
            Ok(audience)
        } else {
            Err(DomainError::Refused(refusals))
        }
    }
}

fn ids<T: TypedId + std::str::FromStr<Err = WrongId>>(
    field: &str,
    sent: &[ID],
    refusals: &mut Vec<Refusal>,
) -> Vec<T> {
    let mut read = Vec::with_capacity(sent.len());
    for (place, id) in sent.iter().enumerate() {
        match id::read_input(&format!("{field}.{place}"), id) {
            Ok(id) => read.push(id),
            Err(refusal) => refusals.push(refusal),
        }
    }
    read
}

/// A mailing to ask about.
#[derive(InputObject)]
pub struct PreviewMailingInput {
    /// The text.
    template_id: ID,
    /// Whom it would be for; without it everybody with a lead.
    #[graphql(default)]
    audience: MailingAudienceInput,
}

/// What a mailing would do, as of now.
pub struct MailingPreview(mailings::Preview);

/// What a mailing would do, as of now.
#[Object]
impl MailingPreview {
    /// Leads of the audience.
    async fn leads(&self) -> i64 {
        self.0.leads
    }

    /// Their contacts, each of whom gets one mail unless the gate withholds it.
    async fn contacts(&self) -> i64 {
        self.0.contacts
    }

    /// Whether only the newest 20,000 leads were looked at and there are more: then the numbers are "at least".
    async fn at_least(&self) -> bool {
        self.0.at_least
    }

    /// The newest lead of the audience; null for those who may not see every lead, and when there is none.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        lead::lead(Ask::of(ctx), self.0.lead_id).await
    }

    /// What the contact of that lead would read, or a made-up person where `lead` is null. That you looked at a person's
    /// mail is written down.
    async fn mail(&self) -> TemplatePreview {
        TemplatePreview::of(self.0.mail.clone())
    }
}

/// Which mailings are wanted. Every field that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct MailingFilter {
    /// Of one of these campaigns.
    campaign_ids: Option<Vec<ID>>,
    /// In one of these states.
    states: Option<Vec<MailingState>>,
}

impl MailingFilter {
    fn condition(&self) -> Result<Condition, Error> {
        let campaigns = id::read_list::<CampaignId>("filter.campaignIds", self.campaign_ids.as_deref())?;
        let states = self.states.as_ref().map(|states| {
            let any = Condition::any();
            states.iter().fold(any, |any, state| any.add(in_state(*state)))
        });
        Ok(Condition::all()
            .add_option(campaigns.map(|list| Column::CampaignId.is_in(list)))
            .add_option(states))
    }
}

fn in_state(state: MailingState) -> Condition {
    let decided = |state| Condition::all().add(Column::State.eq(state));
    let at_work = mailing_progress::Entity::find()
        .select_only()
        .column(mailing_progress::Column::MailingId)
        .filter(mailing_progress::Column::Work.ne(MailingWork::Done))
        .into_query();
    match state {
        MailingState::Draft => decided(Decided::Draft),
        MailingState::Stopped => decided(Decided::Stopped),
        MailingState::Planning => decided(Decided::Started).add(Column::Id.in_subquery(at_work)),
        MailingState::Planned => decided(Decided::Started).add(Column::Id.not_in_subquery(at_work)),
    }
}

/// Mailings, the newest first.
const NEWEST: Order<mailing::Entity> = Order {
    name: "mailings, newest",
    columns: &[Column::Id],
    descending: true,
};

/// Reads of mailings.
#[derive(Default)]
pub struct MailingQuery;

/// Reads of mailings.
#[Object]
impl MailingQuery {
    /// One mailing; null when there is none.
    async fn mailing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The mailing's id.")] id: ID,
    ) -> Result<Option<Mailing>, Error> {
        mailing(Ask::of(ctx), Some(id::read("id", &id)?)).await
    }

    /// Mailings, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn mailings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which mailings.")] filter: Option<MailingFilter>,
    ) -> Result<Connection<Mailing>, Error> {
        let ask = Ask::of(ctx);
        let wanted = filter.unwrap_or_default().condition()?;
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let select = find::visible_to(ask.viewer()).filter(wanted);
        page(ask, select, &NEWEST, args, Mailing).await
    }

    /// How many a mailing would reach, and what one of them would read. Nothing is planned.
    #[graphql(complexity = "50 + child_complexity")]
    async fn preview_mailing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text and whom it would be for.")] input: PreviewMailingInput,
    ) -> Result<MailingPreview, Error> {
        let ask = Ask::of(ctx);
        let input = PreviewMailing {
            template_id: id::read("templateId", &input.template_id)?,
            audience: input.audience.read().told(ask)?,
        };
        let preview = mailings::preview(&ask.api.hospital, ask.viewer(), input).await;
        Ok(MailingPreview(preview.told(ask)?))
    }
}

/// The mailing of this id. It holds no personal data, so whoever sees a message of it sees it too.
pub async fn mailing(ask: &Ask, id: Option<MailingId>) -> Result<Option<Mailing>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.load(id).await?.map(Mailing))
}
