//! Walks the chain of hashes over the ledger and names the first thing that is not as it was sealed.
//!
//! What is found: a changed byte in an event or a link, a deleted event or link, a tail that is cut off, links that were
//! put in or swapped, a text that is no longer the one that was agreed to, an event that was written past the queue, and
//! a head that was not made with this installation's key. What cannot be found from within is a whole database that was
//! put back to an earlier state; for that, note down the head that a run prints and hand it to a later run as
//! [`Anchor`].
//!
//! It reads a page at a time, so memory does not grow with the ledger, and takes no locks. Intake and sealing go on
//! meanwhile: the head is read first, and links that are added later are beyond it. A link and its event never change,
//! but for erasure, which is one update of one row and is accepted whenever it comes.

mod page;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use entity::consent_event::Model;
use entity::id::{ConsentEventId, ConsentWordingId, TypedId};
use entity::{consent_head, consent_wording};
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, Statement};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::chain::{self, BEFORE_FIRST, Hash, Personal};
use super::seal;
use crate::error::Result;
use crate::hospital::Hospital;

/// A point of the chain that was noted down outside of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// How many events were sealed then.
    pub sealed: i64,
    /// The hash of the last link then.
    pub hash: Hash,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sealed, hex::encode(self.hash))
    }
}

/// A text that is no [`Anchor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a count, a colon and 64 hexadecimal digits")]
pub struct WrongAnchor;

impl FromStr for Anchor {
    type Err = WrongAnchor;

    fn from_str(text: &str) -> Result<Self, WrongAnchor> {
        let (sealed, hash) = text.trim().split_once(':').ok_or(WrongAnchor)?;
        let hash = hex::decode(hash).map_err(|_| WrongAnchor)?;
        let anchor = Self {
            sealed: sealed.parse().map_err(|_| WrongAnchor)?,
            hash: hash.try_into().map_err(|_| WrongAnchor)?,
        };
        // Of an empty ledger there is one head only, and the walk never comes past it.
        let possible = anchor.sealed > 0 || (anchor.sealed == 0 && anchor.hash == BEFORE_FIRST);
        possible.then_some(anchor).ok_or(WrongAnchor)
    }
}

/// What a walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many links were walked and found whole.
    pub sealed: i64,
    /// How many events wait for their seal.
    pub unsealed: u64,
    /// How many of the events walked have been erased.
    pub erased: u64,
    /// The hash of the last link that is whole; zeros when there is none.
    pub hash: Hash,
    /// The first thing that is not whole.
    pub broken: Option<Broken>,
}

impl Verification {
    /// The point that the walk came to, to be noted down outside of the database.
    #[must_use]
    pub const fn head(&self) -> Anchor {
        Anchor {
            sealed: self.sealed,
            hash: self.hash,
        }
    }
}

/// The first thing that is not as it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its place in the chain, where it has one.
    pub seq: Option<i64>,
    /// The event, where it is known.
    pub event_id: Option<ConsentEventId>,
    /// What is wrong.
    pub damage: Damage,
}

/// What is wrong with a row of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The event is not what was sealed.
    EventChanged,
    /// The event's address or evidence is not what was written down.
    PersonalChanged,
    /// The event is gone.
    EventDeleted,
    /// The event, or its link, holds what cannot be read.
    Unreadable,
    /// The text that the event names is not the one that was agreed to.
    WordingChanged,
    /// The link is not what was sealed, or stands in another's place.
    LinkChanged,
    /// A link is gone.
    LinkDeleted,
    /// The last links are gone.
    TailDeleted,
    /// There is a link that was not made by sealing.
    LinkAdded,
    /// The head is gone.
    HeadDeleted,
    /// The head does not fit the chain, or was not made with this installation's key.
    HeadChanged,
    /// The event is neither sealed nor waiting for it: it was written past the queue, or its link was deleted.
    Unqueued,
    /// The chain is another one than the one whose point was noted down.
    AnotherChain,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.damage {
            Damage::EventChanged => "the event is not what was sealed",
            Damage::PersonalChanged => "the event's address or evidence is not what was written down",
            Damage::EventDeleted => "the event was deleted",
            Damage::Unreadable => "the row cannot be read",
            Damage::WordingChanged => "the text it names is not the one that was agreed to",
            Damage::LinkChanged => "the link is not what was sealed",
            Damage::LinkDeleted => "the link was deleted",
            Damage::TailDeleted => "the chain ends before it should",
            Damage::LinkAdded => "the link was not made by sealing",
            Damage::HeadDeleted => "the record of the chain's head was deleted",
            Damage::HeadChanged => "the record of the chain's head is not the one that was sealed",
            Damage::Unqueued => "the event is neither sealed nor waiting to be",
            Damage::AnotherChain => "the chain is not the one that was noted down",
        };
        if let Some(seq) = self.seq {
            write!(f, "place {seq}, ")?;
        }
        if let Some(id) = self.event_id {
            write!(f, "event {id}, ")?;
        }
        f.write_str(what)
    }
}

/// Walks the whole chain.
///
/// # Errors
/// When the database fails. Damage is not an error, it is the answer.
pub async fn verify(h: &Hospital, anchor: Option<Anchor>) -> Result<Verification> {
    let mut walk = Walk::new(&h.db, anchor);
    let head = seal::head(&h.db).await?;
    walk.broken = match &head {
        Some(head) => walk.chain(h, head).await?,
        None => None,
    };
    if walk.broken.is_none() {
        walk.broken = walk.around(head.is_some()).await?;
    }
    if let (None, Some(anchor)) = (walk.broken, anchor) {
        let damage = Damage::TailDeleted;
        walk.broken = (walk.seq < anchor.sealed).then(|| broken(Some(anchor.sealed), None, damage));
    }
    Ok(Verification {
        sealed: walk.seq,
        unsealed: seal::unsealed(&h.db).await?,
        erased: walk.erased,
        hash: walk.before,
        broken: walk.broken,
    })
}

/// How far the walk has come.
struct Walk<'a> {
    db: &'a DatabaseConnection,
    anchor: Option<Anchor>,
    /// The last link that is whole, and its hash.
    seq: i64,
    before: Hash,
    erased: u64,
    /// SHA-256 of the wordings met so far, computed from their text. Wordings are few.
    wordings: HashMap<ConsentWordingId, Option<String>>,
    broken: Option<Broken>,
}

impl<'a> Walk<'a> {
    fn new(db: &'a DatabaseConnection, anchor: Option<Anchor>) -> Self {
        Self {
            db,
            anchor,
            seq: 0,
            before: BEFORE_FIRST,
            erased: 0,
            wordings: HashMap::new(),
            broken: None,
        }
    }

    /// Walks the links up to the head.
    async fn chain(&mut self, h: &Hospital, head: &consent_head::Model) -> Result<Option<Broken>> {
        loop {
            let links = page::links(self.db, self.seq, head.sealed).await?;
            if links.is_empty() {
                break;
            }
            let mut events = page::events(self.db, &links).await?;
            for link in links {
                let event = match &link {
                    Ok(link) => events.remove(&link.event_id),
                    Err(_) => None,
                };
                if let Some(broken) = self.step(link, event).await? {
                    return Ok(Some(broken));
                }
            }
        }
        if self.seq < head.sealed {
            return Ok(Some(broken(Some(self.seq + 1), None, Damage::TailDeleted)));
        }
        let tag = h.secrets.chain_tag(self.seq, &self.before);
        let genuine: bool = tag.as_slice().ct_eq(&head.tag).into();
        let whole = head.sealed == self.seq && head.hash == self.before && genuine;
        Ok((!whole).then(|| broken(Some(head.sealed), None, Damage::HeadChanged)))
    }

    /// Takes one link. Nothing is damaged when it answers none.
    async fn step(
        &mut self,
        link: Result<page::Link, page::Unreadable>,
        event: Option<Result<Model, page::Unreadable>>,
    ) -> Result<Option<Broken>> {
        let due = self.seq + 1;
        let link = match link {
            Ok(link) => link,
            Err(page::Unreadable) => return Ok(Some(broken(Some(due), None, Damage::Unreadable))),
        };
        let found = |damage| Ok(Some(broken(Some(due), Some(link.event_id), damage)));
        if link.seq != due {
            return Ok(Some(broken(Some(due), None, Damage::LinkDeleted)));
        }
        let hash = chain::link(&self.before, due, link.event_id, &link.digest, link.sealed_at);
        if link.hash != hash {
            return found(Damage::LinkChanged);
        }
        let event = match event {
            None => return found(Damage::EventDeleted),
            Some(Err(page::Unreadable)) => return found(Damage::Unreadable),
            Some(Ok(event)) => event,
        };
        if link.digest != chain::digest(&event) {
            return found(Damage::EventChanged);
        }
        if !personal_is_whole(&event) {
            return found(Damage::PersonalChanged);
        }
        if let Some(id) = event.wording_id
            && self.wording(id).await? != event.wording_sha256
        {
            return found(Damage::WordingChanged);
        }
        if self
            .anchor
            .is_some_and(|anchor| anchor.sealed == due && anchor.hash != hash)
        {
            return found(Damage::AnotherChain);
        }
        self.erased += u64::from(event.erased_at.is_some());
        (self.seq, self.before) = (due, hash);
        Ok(None)
    }

    /// SHA-256 of a wording's text as it is now; none when there is no such wording.
    async fn wording(&mut self, id: ConsentWordingId) -> Result<Option<String>> {
        if let Some(known) = self.wordings.get(&id) {
            return Ok(known.clone());
        }
        let row = consent_wording::Entity::find_by_id(id).one(self.db).await?;
        let sha256 = row.map(|row| hex::encode(Sha256::digest(row.text)));
        self.wordings.insert(id, sha256.clone());
        Ok(sha256)
    }

    /// What the walk itself cannot see: links beyond the head, and events that no link and no queue names.
    async fn around(&self, had_head: bool) -> Result<Option<Broken>> {
        let backend = self.db.get_database_backend();
        let ask = |sql: &'static str| self.db.query_one_raw(Statement::from_string(backend, sql));
        let last: Option<i64> = match ask("SELECT max(seq) FROM consent_seal").await? {
            Some(row) => row.try_get_by_index(0)?,
            None => None,
        };
        // Read after the links: sealing adds a link and moves the head in one transaction.
        let head = seal::head(self.db).await?;
        match (last, head) {
            (None, None) if !had_head => {}
            (_, None) => return Ok(Some(broken(None, None, Damage::HeadDeleted))),
            (Some(last), Some(head)) if last > head.sealed => {
                return Ok(Some(broken(Some(last), None, Damage::LinkAdded)));
            }
            (_, Some(_)) => {}
        }
        let unqueued = "SELECT id FROM consent_event WHERE NOT EXISTS (SELECT 1 FROM consent_seal \
                        WHERE event_id = consent_event.id) AND NOT EXISTS (SELECT 1 FROM consent_unsealed \
                        WHERE event_id = consent_event.id) ORDER BY id LIMIT 1";
        let Some(row) = ask(unqueued).await? else {
            return Ok(None);
        };
        let id = row
            .try_get_by_index::<Uuid>(0)
            .ok()
            .map(ConsentEventId::from_uuid);
        Ok(Some(broken(None, id, Damage::Unqueued)))
    }
}

/// Whether address and evidence are those that were written down, or were erased as a whole.
fn personal_is_whole(event: &Model) -> bool {
    match (&event.personal_salt, event.erased_at) {
        (Some(salt), None) => chain::commitment(salt, Personal::of(event)).as_slice() == event.commitment,
        (None, Some(_)) => event.address.is_none() && event.evidence.is_none(),
        _ => false,
    }
}

const fn broken(seq: Option<i64>, event_id: Option<ConsentEventId>, damage: Damage) -> Broken {
    Broken {
        seq,
        event_id,
        damage,
    }
}
