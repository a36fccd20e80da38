//! Contacts: the people and organizations we can reach.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::contact::{email::EmailAddress as Email, find};
use domain::viewer::Viewer;
use entity::id::ContactId;
use entity::{contact, contact_candidate, lead};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::ask::Ask;
use super::children::{self, Children};
use super::consent::{ConsentEvent, ConsentEventsOfContact, ConsentStanding, standings};
use super::id::{self, id};
use super::lead::Lead;
use super::loaders::{ConsentOf, VisibleContact};
use super::message::{Message, MessagesOfContact};
use super::page::{Connection, Order, PageArgs, cost, page};
use super::preferences::{ContactPreferences, preferences};
use super::scalars::{DateTime, EmailAddress, PhoneNumber};
use super::vocabulary::{CandidateState, ContactKind};

/// Contacts, the latest first.
const LATEST: Order<contact::Entity> = Order {
    name: "contacts, latest",
    columns: &[contact::Column::CreatedAt, contact::Column::Id],
    descending: true,
};

/// A person or organization we can reach.
#[derive(Clone, Debug)]
pub struct Contact(pub Arc<contact::Model>);

impl Contact {
    /// A contact that was just read or written.
    pub fn of(row: contact::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A person or organization we can reach. Consent belongs to a contact.
#[Object]
impl Contact {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Person or organization.
    async fn kind(&self) -> ContactKind {
        self.0.kind.into()
    }

    /// The name that people read.
    async fn display_name(&self) -> String {
        self.0.display_name()
    }

    /// Given name; empty for an organization without a named person.
    async fn given_name(&self) -> &str {
        &self.0.given_name
    }

    /// Family name; may be empty.
    async fn family_name(&self) -> &str {
        &self.0.family_name
    }

    /// Name of the organization.
    async fn organization(&self) -> Option<&str> {
        self.0.organization.as_deref()
    }

    /// Address as the person wrote it.
    async fn email(&self) -> Option<EmailAddress> {
        self.0.email.clone().map(EmailAddress)
    }

    /// Phone number.
    async fn phone(&self) -> Option<PhoneNumber> {
        self.0.phone.clone().map(PhoneNumber)
    }

    /// Preferred language, a BCP 47 tag.
    async fn language(&self) -> &str {
        &self.0.language
    }

    /// IANA time zone, when the person told it.
    async fn time_zone(&self) -> Option<&str> {
        self.0.time_zone.as_deref()
    }

    /// State, a two-letter USPS code in the United States.
    async fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Postal code.
    async fn postal_code(&self) -> Option<&str> {
        self.0.postal_code.as_deref()
    }

    /// When the contact was first seen.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Inquiries of this contact, the latest first, as far as you may see them.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Lead>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(Ask::of(ctx), LeadsOfContact, self.0.id, args, Lead::of).await
    }

    /// Mails to this contact, the latest first, as far as you may see them.
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
        children::connection(Ask::of(ctx), MessagesOfContact, self.0.id, args, Message).await
    }

    /// What the contact allows now, for each medium that there is an address for and each purpose.
    #[graphql(complexity = "12 * child_complexity")]
    async fn consent(&self, ctx: &Context<'_>) -> Result<Vec<ConsentStanding>, Error> {
        let ask = Ask::of(ctx);
        let events = ask.load(ConsentOf(self.0.id)).await?.unwrap_or_default();
        Ok(standings(&self.0, &events, ask.now()))
    }

    /// What the contact wishes for promotional mail, beside what it allows.
    #[graphql(complexity = "3 * child_complexity")]
    async fn preferences(&self, ctx: &Context<'_>) -> Result<ContactPreferences, Error> {
        preferences(Ask::of(ctx), self.0.id).await
    }

    /// Everything the contact ever said about consent, the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn consent_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ConsentEvent>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(
            Ask::of(ctx),
            ConsentEventsOfContact,
            self.0.id,
            args,
            ConsentEvent,
        )
        .await
    }

    /// Contacts that may be the same person, for a person to judge; those that you may see, up to 100.
    #[graphql(complexity = "3 * child_complexity")]
    async fn candidates(&self, ctx: &Context<'_>) -> Result<Vec<ContactCandidate>, Error> {
        let ask = Ask::of(ctx);
        let pairs = children::list(ask, CandidatesOfContact, self.0.id).await?;
        let contacts = pairs
            .iter()
            .map(|pair| ask.load(VisibleContact(pair.other_contact_id)));
        let contacts = futures_util::future::try_join_all(contacts).await?;
        let seen = pairs
            .into_iter()
            .zip(contacts)
            .filter_map(|(pair, contact)| Some((pair, contact?)));
        Ok(seen
            .map(|(pair, contact)| ContactCandidate::of(pair, contact))
            .collect())
    }
}

/// A contact that may be the same as another one.
#[derive(SimpleObject)]
pub struct ContactCandidate {
    /// The id.
    id: ID,
    /// The other contact.
    contact: Contact,
    /// What they share, in words without the value: `email`, `phone`.
    reason: String,
    /// What was decided.
    state: CandidateState,
    /// When the pair was found.
    created_at: DateTime,
}

impl ContactCandidate {
    fn of(pair: contact_candidate::Model, other: Arc<contact::Model>) -> Self {
        Self {
            id: id(pair.id),
            contact: Contact(other),
            reason: pair.reason,
            state: pair.state.into(),
            created_at: pair.created_at.into(),
        }
    }
}

/// The leads of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LeadsOfContact;

impl Children for LeadsOfContact {
    type Entity = lead::Entity;
    type Parent = ContactId;

    const PARENT: lead::Column = lead::Column::ContactId;
    const ORDER: Order<lead::Entity> = Order {
        name: "leads of a contact",
        columns: &[lead::Column::ReceivedAt, lead::Column::Id],
        descending: true,
    };

    fn seen_by(viewer: &Viewer) -> Condition {
        Condition::all()
            .add(domain::lead::find::in_scope(viewer))
            .add(domain::lead::find::is_sent())
    }
}

/// The pairs that a contact is the newer one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CandidatesOfContact;

impl Children for CandidatesOfContact {
    type Entity = contact_candidate::Entity;
    type Parent = ContactId;

    const PARENT: contact_candidate::Column = contact_candidate::Column::ContactId;
    const ORDER: Order<contact_candidate::Entity> = Order {
        name: "candidates",
        columns: &[contact_candidate::Column::Id],
        descending: true,
    };
}

/// Which contacts are wanted. Every field that is given must hold.
#[derive(InputObject, Default)]
pub struct ContactFilter {
    /// With exactly this address, letter case aside.
    email: Option<EmailAddress>,
    /// With exactly this number.
    phone: Option<PhoneNumber>,
}

/// Reads of contacts.
#[derive(Default)]
pub struct ContactQuery;

/// Reads of contacts.
#[Object]
impl ContactQuery {
    /// One contact; null when there is none or you may see none of its leads.
    async fn contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact's id.")] id: ID,
    ) -> Result<Option<Contact>, Error> {
        Ok(Ask::of(ctx)
            .load(VisibleContact(id::read("id", &id)?))
            .await?
            .map(Contact))
    }

    /// Contacts of the leads that you may see, the latest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which contacts.")] filter: Option<ContactFilter>,
    ) -> Result<Connection<Contact>, Error> {
        let ask = Ask::of(ctx);
        let filter = filter.unwrap_or_default();
        let mut select = find::visible_to(ask.viewer());
        // The scalar has parsed it already, so the address reads back.
        if let Some(address) = filter.email.and_then(|email| Email::parse(&email.0).ok()) {
            select = select.filter(contact::Column::EmailNormalized.eq(address.normalized()));
        }
        if let Some(phone) = filter.phone {
            select = select.filter(contact::Column::Phone.eq(phone.0));
        }
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(ask, select, &LATEST, args, Contact::of).await
    }
}
