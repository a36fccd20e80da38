//! Consent: what a contact said, and what follows from it.

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use chrono::{DateTime as Instant, Utc};
use domain::consent::standing::{Standing, fold};
use entity::enums::{Medium as StoredMedium, Purpose as StoredPurpose};
use entity::id::{ConsentWordingId, ContactId};
use entity::{consent_event, consent_seal, consent_wording, contact};

use super::ask::Ask;
use super::children::{self, Children};
use super::id::{id, read as read_id};
use super::lead::{Actor, actor};
use super::loaders::{SealOf, VisibleContact};
use super::page::{Connection, Order, PageArgs, cost};
use super::scalars::DateTime;
use super::vocabulary::{ConsentAction, ConsentLevel, ConsentMethod, Medium, Purpose};

/// The consent events of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConsentEventsOfContact;

impl Children for ConsentEventsOfContact {
    type Entity = consent_event::Entity;
    type Parent = ContactId;

    const PARENT: consent_event::Column = consent_event::Column::ContactId;
    const ORDER: Order<consent_event::Entity> = Order {
        name: "consent events",
        columns: &[consent_event::Column::OccurredAt, consent_event::Column::Id],
        descending: true,
    };
}

/// An append-only fact about consent.
#[derive(Clone, Debug)]
pub struct ConsentEvent(pub consent_event::Model);

/// An append-only fact about consent. What a contact allows is the fold of these.
#[Object]
impl ConsentEvent {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The medium.
    async fn medium(&self) -> Medium {
        self.0.medium.into()
    }

    /// The address it is about, normalized; null means every address of the medium.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The purpose; null, for a withdrawal, means every purpose.
    async fn purpose(&self) -> Option<Purpose> {
        self.0.purpose.map(Into::into)
    }

    /// What it does.
    async fn action(&self) -> ConsentAction {
        self.0.action.into()
    }

    /// How strong it is.
    async fn level(&self) -> ConsentLevel {
        self.0.level.into()
    }

    /// The text that was shown.
    async fn wording(&self, ctx: &Context<'_>) -> Result<Option<ConsentWording>, Error> {
        wording(Ask::of(ctx), self.0.wording_id).await
    }

    /// The language it was shown in.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_deref()
    }

    /// By which door it came.
    async fn method(&self) -> ConsentMethod {
        self.0.method.into()
    }

    /// SHA-256 of the text that was shown, as it was then, in hexadecimal.
    async fn wording_sha256(&self) -> Option<&str> {
        self.0.wording_sha256.as_deref()
    }

    /// What proves it, for example `checkbox, unticked by default`; null once the person is erased.
    async fn evidence(&self) -> Option<&str> {
        self.0.evidence.as_ref()?.note.as_deref()
    }

    /// Who recorded it.
    async fn actor(&self) -> Actor {
        actor(self.0.actor_kind, self.0.actor_id)
    }

    /// When the person said it.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// When it was written down.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }

    /// Until when a grant holds, or a second yes may come; null for no end.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// The event that this one completes: a second yes names the first.
    async fn refers_to(&self, ctx: &Context<'_>) -> Result<Option<Self>, Error> {
        match self.0.refers_to_id {
            Some(id) => Ok(Ask::of(ctx).load(id).await?.map(Self)),
            None => Ok(None),
        }
    }

    /// When address and evidence were erased.
    async fn erased_at(&self) -> Option<DateTime> {
        self.0.erased_at.map(Into::into)
    }

    /// Its place in the chain of hashes; null for the few seconds until it has one.
    async fn seal(&self, ctx: &Context<'_>) -> Result<Option<ConsentSeal>, Error> {
        let seal = Ask::of(ctx).load(SealOf(self.0.id)).await?;
        Ok(seal.as_deref().map(ConsentSeal::of))
    }
}

/// An event's place in the chain of hashes over the consent ledger.
#[derive(SimpleObject)]
pub struct ConsentSeal {
    /// Its number, counted from 1 in the order of sealing. A text, because it may outgrow a 32-bit number.
    sequence: String,
    /// SHA-256 of the event, in hexadecimal.
    digest: String,
    /// SHA-256 of the link before and of this one, in hexadecimal.
    hash: String,
    /// When it was sealed.
    sealed_at: DateTime,
}

impl ConsentSeal {
    fn of(seal: &consent_seal::Model) -> Self {
        Self {
            sequence: seal.seq.to_string(),
            digest: hex::encode(&seal.digest),
            hash: hex::encode(&seal.hash),
            sealed_at: seal.sealed_at.into(),
        }
    }
}

/// What contacts said about consent.
#[derive(Debug, Default)]
pub struct ConsentQuery;

#[Object]
impl ConsentQuery {
    /// Everything a contact ever said about consent, the latest first, each with the text that was shown and its place
    /// in the chain of hashes. Null for a contact that you may not see.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn consent_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact.")] contact_id: ID,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<ConsentEvent>>, Error> {
        let ask = Ask::of(ctx);
        let contact = ask
            .load(VisibleContact(read_id("contactId", &contact_id)?))
            .await?;
        let Some(contact) = contact else {
            return Ok(None);
        };
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        children::connection(ask, ConsentEventsOfContact, contact.id, args, ConsentEvent)
            .await
            .map(Some)
    }
}

/// A text that a person agrees to.
pub struct ConsentWording(consent_wording::Model);

/// A text that a person agrees to. A version is never changed.
#[Object]
impl ConsentWording {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Names the wording across versions and languages.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// Counts up from 1 within key and language.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// A BCP 47 tag.
    async fn language(&self) -> &str {
        &self.0.language
    }

    /// The medium that it allows.
    async fn medium(&self) -> Medium {
        self.0.medium.into()
    }

    /// The purpose that it allows.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.into()
    }

    /// The text as it is shown.
    async fn text(&self) -> &str {
        &self.0.text
    }
}

/// The wording of this id. One younger than the playbook is loaded.
pub async fn wording(ask: &Ask, id: Option<ConsentWordingId>) -> Result<Option<ConsentWording>, Error> {
    let Some(id) = id else { return Ok(None) };
    if let Some(known) = ask.playbook().await?.wordings.get(&id) {
        return Ok(Some(ConsentWording(known.clone())));
    }
    Ok(ask.load(id).await?.map(ConsentWording))
}

/// What a contact allows for a medium and a purpose.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingState {
    /// It is allowed.
    Granted,
    /// The person said yes once and has not confirmed it by the link of a mail yet.
    Pending,
    /// The person was asked and never allowed it.
    Denied,
    /// It is taken back.
    Withdrawn,
    /// It was allowed and ended by its own date, or was not confirmed in time.
    Expired,
    /// Nothing is known.
    None,
}

/// What a contact allows for one medium and one purpose, as of now.
#[derive(SimpleObject)]
pub struct ConsentStanding {
    /// The medium.
    medium: Medium,
    /// The purpose.
    purpose: Purpose,
    /// What holds.
    state: StandingState,
    /// The event that decides, for what is granted, pending or withdrawn.
    event: Option<ConsentEvent>,
}

/// What a contact allows, for each medium that there is an address for and each purpose.
pub fn standings(
    contact: &contact::Model,
    events: &[consent_event::Model],
    now: Instant<Utc>,
) -> Vec<ConsentStanding> {
    let addresses = [
        (StoredMedium::Email, contact.email_normalized.as_deref()),
        (StoredMedium::Phone, contact.phone.as_deref()),
        (StoredMedium::Sms, contact.phone.as_deref()),
    ];
    let reachable = addresses
        .into_iter()
        .filter_map(|(medium, address)| Some((medium, address?)));
    let pairs = reachable.flat_map(|pair| StoredPurpose::ALL.iter().map(move |purpose| (pair, *purpose)));
    pairs
        // Links are opened in mails alone.
        .filter(|((medium, _), purpose)| *medium == StoredMedium::Email || purpose.is_of_mails())
        .map(|((medium, address), purpose)| {
            let (state, deciding) = match fold(events, medium, address, purpose, now) {
                Standing::Granted { event_id, .. } => (StandingState::Granted, Some(event_id)),
                Standing::Pending { event_id, .. } => (StandingState::Pending, Some(event_id)),
                Standing::Withdrawn { event_id, .. } => (StandingState::Withdrawn, Some(event_id)),
                Standing::Denied => (StandingState::Denied, None),
                Standing::Expired => (StandingState::Expired, None),
                Standing::None => (StandingState::None, None),
            };
            let event = events
                .iter()
                .find(|event| Some(event.id) == deciding)
                .cloned()
                .map(ConsentEvent);
            ConsentStanding {
                medium: medium.into(),
                purpose: purpose.into(),
                state,
                event,
            }
        })
        .collect()
}
