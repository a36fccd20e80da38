//! Messages: mails with their decision and proof.

mod clicks;
mod content;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::outreach::find;
use domain::viewer::Viewer;
use entity::id::{ContactId, LeadId, MailingId, MessageId};
use entity::message::{self, Column};
use entity::message_event;
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::ask::Ask;
use super::children::{self, Children};
use super::consent::{self, ConsentEvent, ConsentWording};
use super::contact::Contact;
use super::directory::{self, Staff};
use super::errors::Told;
use super::id::{self, id};
use super::lead::{self, Lead};
use super::loaders::CapturedOf;
use super::mailing::{self, Mailing};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;
use super::sequence::{self, Enrollment, Sequence};
use super::vocabulary::{GateOutcome, GateReason, MessageEventKind, MessageKind, MessageState, Purpose};

pub use clicks::Click;
pub use content::{Header, MessageContent};

/// Messages, the latest planned first: ids sort by the time they were made.
const LATEST: Order<message::Entity> = Order {
    name: "messages, latest",
    columns: &[Column::Id],
    descending: true,
};

/// The messages about a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessagesOfLead;

impl Children for MessagesOfLead {
    type Entity = message::Entity;
    type Parent = LeadId;

    const PARENT: Column = Column::LeadId;
    const ORDER: Order<message::Entity> = Order {
        name: "messages of a lead",
        ..LATEST
    };

    fn seen_by(viewer: &Viewer) -> Condition {
        find::in_scope(viewer)
    }
}

/// The messages to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessagesOfContact;

impl Children for MessagesOfContact {
    type Entity = message::Entity;
    type Parent = ContactId;

    const PARENT: Column = Column::ContactId;
    const ORDER: Order<message::Entity> = Order {
        name: "messages of a contact",
        ..LATEST
    };

    fn seen_by(viewer: &Viewer) -> Condition {
        find::in_scope(viewer)
    }
}

/// The events of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct EventsOfMessage;

impl Children for EventsOfMessage {
    type Entity = message_event::Entity;
    type Parent = MessageId;

    const PARENT: message_event::Column = message_event::Column::MessageId;
    const ORDER: Order<message_event::Entity> = Order {
        name: "message events",
        columns: &[message_event::Column::Id],
        descending: false,
    };
}

/// One outbound mail with its decision and proof.
#[derive(Clone, Debug)]
pub struct Message(pub message::Model);

/// One outbound mail to one contact or member of staff, with its decision and proof.
#[Object]
impl Message {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What it is.
    async fn kind(&self) -> MessageKind {
        self.0.kind.into()
    }

    /// The lead it is about.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        lead::lead(Ask::of(ctx), self.0.lead_id).await
    }

    /// The contact it goes to; for a mail to staff, the contact that it is about.
    async fn contact(&self, ctx: &Context<'_>) -> Result<Contact, Error> {
        let ask = Ask::of(ctx);
        let contact = match (self.0.contact_id, self.0.lead_id) {
            (Some(id), _) => ask.load(id).await?,
            (None, Some(lead)) => match ask.load(lead).await? {
                Some(lead) => ask.load(lead.contact_id).await?,
                None => None,
            },
            (None, None) => None,
        };
        contact
            .map(Contact)
            .ok_or(DomainError::Missing { noun: "contact" })
            .told(ask)
    }

    /// The member of staff it goes to; null for a mail to a contact.
    async fn staff(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.staff_id).await
    }

    /// The subject line as planned or sent.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Where it stands.
    async fn state(&self) -> MessageState {
        self.0.state.into()
    }

    /// What it is for.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.into()
    }

    /// The sequence that planned it.
    async fn sequence(&self, ctx: &Context<'_>) -> Result<Option<Sequence>, Error> {
        sequence::sequence(Ask::of(ctx), self.0.sequence_id).await
    }

    /// The enrollment that planned it.
    async fn enrollment(&self, ctx: &Context<'_>) -> Result<Option<Enrollment>, Error> {
        let Some(id) = self.0.enrollment_id else {
            return Ok(None);
        };
        Ok(Ask::of(ctx).load(id).await?.map(Enrollment))
    }

    /// The mailing that planned it.
    async fn mailing(&self, ctx: &Context<'_>) -> Result<Option<Mailing>, Error> {
        mailing::mailing(Ask::of(ctx), self.0.mailing_id).await
    }

    /// The step that planned it.
    async fn step_key(&self) -> Option<&str> {
        self.0.step_key.as_deref()
    }

    /// The `Message-ID` header without brackets, stored before anything is sent.
    async fn message_id(&self) -> &str {
        &self.0.rfc_message_id
    }

    /// When to try it.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }

    /// When it has lost its sense.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// When the mail server took it.
    async fn sent_at(&self) -> Option<DateTime> {
        self.0.sent_at.map(Into::into)
    }

    /// When it was planned.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// How often it was handed to the wire.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The last answer of the mail server, without addresses.
    async fn response(&self) -> Option<&str> {
        self.0.response.as_deref()
    }

    /// What the gate last said, and on what it relied. Until the gate has looked, it waits with the reason `NOT_DUE`.
    async fn decision(&self) -> GateDecision {
        GateDecision {
            said: self.0.decision.clone(),
            due_at: self.0.due_at,
        }
    }

    /// What happened to it, in order.
    #[graphql(complexity = "5 * child_complexity")]
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<MessageEvent>, Error> {
        let rows = children::list(Ask::of(ctx), EventsOfMessage, self.0.id).await?;
        Ok(rows.into_iter().map(MessageEvent::of).collect())
    }

    /// The links of it that were visited, each once, in the order of their first visits. Links of promotional mails are
    /// followed, of contacts who allow it (`TRACKING`) when the mail goes out and when the link is opened.
    #[graphql(complexity = "5 * child_complexity")]
    async fn clicks(&self, ctx: &Context<'_>) -> Result<Vec<Click>, Error> {
        clicks::of(Ask::of(ctx), &self.0).await
    }

    /// The mail itself, where mail is captured instead of sent; null where it is sent, and before it went out.
    async fn content(&self, ctx: &Context<'_>) -> Result<Option<MessageContent>, Error> {
        let ask = Ask::of(ctx);
        if !ask.api.settings.mail_captured {
            return Ok(None);
        }
        Ok(ask
            .load(CapturedOf(self.0.id))
            .await?
            .and_then(|mail| content::read(&mail.raw)))
    }
}

/// What the gate decided.
pub struct GateDecision {
    said: Option<message::Decision>,
    due_at: chrono::DateTime<chrono::Utc>,
}

impl GateDecision {
    /// A decision that was made.
    pub(super) fn of(decision: message::Decision) -> Self {
        Self {
            due_at: decision.at,
            said: Some(decision),
        }
    }
}

/// What the gate decided and on what it relied.
#[Object]
impl GateDecision {
    /// What it said.
    async fn outcome(&self) -> GateOutcome {
        self.said
            .as_ref()
            .map_or(GateOutcome::Defer, |decision| decision.outcome.into())
    }

    /// Why.
    async fn reasons(&self) -> Vec<GateReasonText> {
        let Some(decision) = &self.said else {
            let text = "It waits for its due time. The gate decides when it is about to go.".to_owned();
            return vec![GateReasonText {
                code: GateReason::NotDue,
                text,
                until: Some(self.due_at.into()),
            }];
        };
        let reason = |reason: &message::DecisionReason| GateReasonText {
            code: reason.code.into(),
            text: reason.text.clone(),
            until: reason.until.map(Into::into),
        };
        decision.reasons.iter().map(reason).collect()
    }

    /// Until when it is deferred.
    async fn until(&self) -> Option<DateTime> {
        match &self.said {
            Some(decision) => decision.until.map(Into::into),
            None => Some(self.due_at.into()),
        }
    }

    /// The consent event relied on, or the withdrawal that stands against it.
    async fn consent_event(&self, ctx: &Context<'_>) -> Result<Option<ConsentEvent>, Error> {
        let Some(id) = self.said.as_ref().and_then(|decision| decision.consent_event_id) else {
            return Ok(None);
        };
        Ok(Ask::of(ctx).load(id).await?.map(ConsentEvent))
    }

    /// The wording that the person saw.
    async fn wording(&self, ctx: &Context<'_>) -> Result<Option<ConsentWording>, Error> {
        let id = self.said.as_ref().and_then(|decision| decision.wording_id);
        consent::wording(Ask::of(ctx), id).await
    }

    /// Version of the gate's rules; null until it has looked.
    async fn rules_version(&self) -> Option<u32> {
        self.said.as_ref().map(|decision| decision.rules_version)
    }

    /// The windows of local time that were asked, with their versions: `HOUSE.1 US.0 US-FL.2`. Null where no window
    /// holds, and until it has looked.
    async fn window_version(&self) -> Option<&str> {
        self.said.as_ref()?.window_version.as_deref()
    }

    /// Version of the frequency caps that were asked. Null where no cap holds, and until it has looked.
    async fn cap_version(&self) -> Option<i32> {
        self.said.as_ref()?.cap_version
    }

    /// When it was decided; null until it has looked.
    async fn at(&self) -> Option<DateTime> {
        self.said.as_ref().map(|decision| decision.at.into())
    }
}

/// A reason of the gate, for programs and for people.
#[derive(SimpleObject)]
pub struct GateReasonText {
    /// The reason.
    code: GateReason,
    /// The sentence. Holds no personal data.
    text: String,
    /// Until when it holds the message back; null for a reason that does not pass.
    until: Option<DateTime>,
}

/// What happened to a message, never changed afterwards.
#[derive(SimpleObject)]
pub struct MessageEvent {
    /// The id.
    id: ID,
    /// What happened.
    kind: MessageEventKind,
    /// More, without personal data.
    detail: Option<String>,
    /// When.
    at: DateTime,
}

impl MessageEvent {
    fn of(row: message_event::Model) -> Self {
        Self {
            id: id(row.id),
            kind: row.kind.into(),
            detail: row.detail,
            at: row.at.into(),
        }
    }
}

/// Which messages are wanted. Every field that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct MessageFilter {
    /// About this lead.
    lead_id: Option<ID>,
    /// To this contact.
    contact_id: Option<ID>,
    /// Of this mailing.
    mailing_id: Option<ID>,
    /// In this state, or one of these.
    state: Option<Vec<MessageState>>,
    /// Of one of these kinds.
    kinds: Option<Vec<MessageKind>>,
}

impl MessageFilter {
    fn condition(&self) -> Result<Condition, Error> {
        let lead = self
            .lead_id
            .as_ref()
            .map(|id| id::read::<LeadId>("filter.leadId", id))
            .transpose()?;
        let contact = self.contact_id.as_ref();
        let contact = contact
            .map(|id| id::read::<ContactId>("filter.contactId", id))
            .transpose()?;
        let mailing = self.mailing_id.as_ref();
        let mailing = mailing
            .map(|id| id::read::<MailingId>("filter.mailingId", id))
            .transpose()?;
        // Alternatives instead of a list: SQLite sees through them to the partial indexes.
        let states = self.state.as_ref().map(|list| {
            let any = Condition::any();
            list.iter().fold(any, |any, one| {
                any.add(Column::State.eq(message::MessageState::from(*one)))
            })
        });
        let kinds = self
            .kinds
            .as_ref()
            .map(|list| list.iter().map(|one| message::MessageKind::from(*one)));
        Ok(Condition::all()
            .add_option(lead.map(|lead| Column::LeadId.eq(lead)))
            .add_option(contact.map(|contact| Column::ContactId.eq(contact)))
            .add_option(mailing.map(|mailing| Column::MailingId.eq(mailing)))
            .add_option(states)
            .add_option(kinds.map(|kinds| Column::Kind.is_in(kinds))))
    }
}

/// Reads of messages.
#[derive(Default)]
pub struct MessageQuery;

/// Reads of messages.
#[Object]
impl MessageQuery {
    /// One message; null when there is none or it is not yours.
    async fn message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The message's id.")] id: ID,
    ) -> Result<Option<Message>, Error> {
        message(Ask::of(ctx), id::read("id", &id)?).await
    }

    /// Messages, the latest planned first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which messages.")] filter: Option<MessageFilter>,
    ) -> Result<Connection<Message>, Error> {
        let ask = Ask::of(ctx);
        let wanted = filter.unwrap_or_default().condition()?;
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(
            ask,
            find::visible_to(ask.viewer()).filter(wanted),
            &LATEST,
            args,
            Message,
        )
        .await
    }
}

/// The message of this id, if the viewer may see it.
pub async fn message(ask: &Ask, id: MessageId) -> Result<Option<Message>, Error> {
    match find::by_id(ask.db(), ask.viewer(), id).await {
        Err(DomainError::Missing { .. }) => Ok(None),
        found => found.map(|row| Some(Message(row))).told(ask),
    }
}
