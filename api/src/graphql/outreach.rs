//! What holds mail back, and what the gate would say of a mail now.

use async_graphql::{Context, Enum, Error, ID, Object};
use domain::outreach::explain::{ExplainMessage, explain};
use domain::outreach::{hold, stop};
use entity::outreach_hold;
use entity::sending_stop::{self, EVERY_DOMAIN};

use super::ask::Ask;
use super::campaign::{self, Campaign};
use super::errors::Told;
use super::id::{self, id};
use super::message::GateDecision;
use super::scalars::DateTime;
use super::sequence::{self, Sequence};

/// Why bulk mail is stopped.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "sending_stop::StopReason")]
pub enum StopReason {
    /// Too many recipients reported mail as spam.
    Complaints,
    /// Too many addresses did not exist.
    Bounces,
    /// A mailbox provider refuses mail of the domain.
    Blocked,
    /// Somebody at the hospital decided so.
    Staff,
}

/// A campaign or sequence whose marketing mail waits, because the teams could not serve those who would answer.
pub struct OutreachHold(pub outreach_hold::Model);

/// A campaign or sequence whose marketing mail waits, because the teams could not serve those who would answer.
#[Object]
impl OutreachHold {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The campaign that is held; null if a sequence is.
    async fn campaign(&self, ctx: &Context<'_>) -> Result<Option<Campaign>, Error> {
        campaign::campaign(Ask::of(ctx), self.0.campaign_id).await
    }

    /// The sequence that is held; null if a campaign is.
    async fn sequence(&self, ctx: &Context<'_>) -> Result<Option<Sequence>, Error> {
        sequence::sequence(Ask::of(ctx), self.0.sequence_id).await
    }

    /// When it ends by itself; null means when somebody releases it.
    async fn until(&self) -> Option<DateTime> {
        self.0.until.map(Into::into)
    }

    /// Why, in words.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Since when.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// A stop of all bulk mail of a sending domain. Requested replies, reminders and mail to staff go on.
pub struct SendingStop(pub sending_stop::Model);

/// A stop of all bulk mail of a sending domain. Requested replies, reminders and mail to staff go on.
#[Object]
impl SendingStop {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The domain of the `From` address; null when it holds for every domain.
    async fn domain(&self) -> Option<&str> {
        Some(self.0.domain.as_str()).filter(|domain| *domain != EVERY_DOMAIN)
    }

    /// Why.
    async fn reason(&self) -> StopReason {
        self.0.reason.into()
    }

    /// More, in words.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Since when.
    async fn since(&self) -> DateTime {
        self.0.since.into()
    }
}

/// A jurisdiction's window of local time.
pub struct SendWindow(domain::quiet_hours::windows::JurisdictionWindow);

/// The local hours in which a jurisdiction lets nurture go.
#[Object]
impl SendWindow {
    /// `HOUSE` for the hospital's own policy, `US`, or a state such as `US-FL`.
    async fn jurisdiction(&self) -> &str {
        &self.0.jurisdiction
    }

    /// 0 for what the program brings; counts up from 1 with each change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The open hours of each weekday, Monday first, as `09:00-20:00`; empty for a closed day.
    async fn hours(&self) -> Vec<Vec<String>> {
        use chrono::Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        let written = |day| {
            self.0
                .hours
                .day(day)
                .ranges()
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        [Mon, Tue, Wed, Thu, Fri, Sat, Sun].map(written).into()
    }

    /// The text or decision it was taken from.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// When a person last held it against its source.
    async fn reviewed_on(&self) -> super::scalars::Date {
        super::scalars::Date(self.0.reviewed_on)
    }
}

/// Reads of what holds mail back.
#[derive(Default)]
pub struct OutreachQuery;

/// Reads of what holds mail back.
#[Object]
impl OutreachQuery {
    /// What the gate would say of a mail of this template to the lead's contact now, by the rules and facts by which it
    /// is sent. Nothing is written. The template that answers the lead's form is asked about as that answer, any other
    /// as nurture.
    async fn explain_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead that it would be about.")] lead_id: ID,
        #[graphql(desc = "The template that it would be made of.")] template_id: ID,
        #[graphql(desc = "The sequence that would send it; its pause, campaign and purpose then count.")]
        sequence_id: Option<ID>,
    ) -> Result<GateDecision, Error> {
        let ask = Ask::of(ctx);
        let input = ExplainMessage {
            lead_id: id::read("leadId", &lead_id)?,
            template_id: id::read("templateId", &template_id)?,
            sequence_id: sequence_id
                .as_ref()
                .map(|id| id::read("sequenceId", id))
                .transpose()?,
        };
        let decision = explain(&ask.api.hospital, ask.viewer(), input).await.told(ask)?;
        Ok(GateDecision::of(decision))
    }

    /// The campaigns and sequences that are held back, the newest hold first; at most 500.
    #[graphql(complexity = "10 + 25 * child_complexity")]
    async fn outreach_holds(&self, ctx: &Context<'_>) -> Result<Vec<OutreachHold>, Error> {
        let ask = Ask::of(ctx);
        let rows = hold::all(ask.db(), ask.viewer()).await.told(ask)?;
        Ok(rows.into_iter().map(OutreachHold).collect())
    }

    /// The stops of bulk mail that stand, the newest first; at most 500.
    #[graphql(complexity = "10 + 5 * child_complexity")]
    async fn sending_stops(&self, ctx: &Context<'_>) -> Result<Vec<SendingStop>, Error> {
        let ask = Ask::of(ctx);
        let rows = stop::all(ask.db(), ask.viewer()).await.told(ask)?;
        Ok(rows.into_iter().map(SendingStop).collect())
    }

    /// The windows of local time that hold now, by jurisdiction.
    #[graphql(complexity = "10 + 10 * child_complexity")]
    async fn send_windows(&self, ctx: &Context<'_>) -> Result<Vec<SendWindow>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        Ok(playbook
            .send_windows
            .known()
            .iter()
            .cloned()
            .map(SendWindow)
            .collect())
    }
}
