//! What came back about mails, as far as staff need it: what it was, and why it could not be matched. Never its content.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::inbound::find;
use entity::inbound_mail::{self, Column};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::ask::Ask;
use super::id::id;
use super::message::{self, Message};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;
use super::vocabulary::{BounceClass, InboundKind, InboundSource, InboundState};

/// What came back, the latest first.
const LATEST: Order<inbound_mail::Entity> = Order {
    name: "inbound mail, latest",
    columns: &[Column::Id],
    descending: true,
};

/// Something that came back about a mail: a mail in a mailbox, or a provider's notice.
pub struct InboundMail(inbound_mail::Model);

/// Something that came back about a mail: a mail in a mailbox, or a provider's notice.
#[Object]
impl InboundMail {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// By which door it came.
    async fn source(&self) -> InboundSource {
        self.0.source.into()
    }

    /// How far it has come.
    async fn state(&self) -> InboundState {
        self.0.state.into()
    }

    /// What was read in it; null before it was read.
    async fn kind(&self) -> Option<InboundKind> {
        self.0.kind.map(Into::into)
    }

    /// For a bounce, what it is about.
    async fn class(&self) -> Option<BounceClass> {
        self.0.class.map(Into::into)
    }

    /// For a bounce, the enhanced status code (RFC 3463).
    async fn status(&self) -> Option<&str> {
        self.0.status.as_deref()
    }

    /// Why it was read so, and how its message was found or why none was. Repeats nothing that stands in it.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The message that it is about; null when none was found, or it is not yours.
    async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>, Error> {
        match self.0.message_id {
            Some(id) => message::message(Ask::of(ctx), id).await,
            None => Ok(None),
        }
    }

    /// When it came.
    async fn received_at(&self) -> DateTime {
        self.0.received_at.into()
    }

    /// When nothing more was to be done about it.
    async fn applied_at(&self) -> Option<DateTime> {
        self.0.applied_at.map(Into::into)
    }
}

/// Which of what came back.
#[derive(InputObject, Default)]
pub struct InboundMailFilter {
    /// In one of these states.
    states: Option<Vec<InboundState>>,
    /// Of one of these kinds.
    kinds: Option<Vec<InboundKind>>,
}

impl InboundMailFilter {
    fn condition(&self) -> Condition {
        // Written as the partial index has it, for both databases.
        let states = self.states.as_ref().map(|list| {
            list.iter().fold(Condition::any(), |any, one| {
                any.add(Column::State.eq(inbound_mail::InboundState::from(*one)))
            })
        });
        let kinds = self
            .kinds
            .as_ref()
            .map(|list| list.iter().map(|one| inbound_mail::InboundKind::from(*one)));
        Condition::all()
            .add_option(states)
            .add_option(kinds.map(|kinds| Column::Kind.is_in(kinds)))
    }
}

/// Reads of what came back.
#[derive(Default)]
pub struct InboundQuery;

/// Reads of what came back.
#[Object]
impl InboundQuery {
    /// What came back about mails, the latest first; ask for `UNMATCHED` and `FAILED` to see what needs a person.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn inbound_mail(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which.")] filter: Option<InboundMailFilter>,
    ) -> Result<Connection<InboundMail>, Error> {
        let ask = Ask::of(ctx);
        let wanted = filter.unwrap_or_default().condition();
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
            InboundMail,
        )
        .await
    }
}
