//! What a contact's page shows: what is held, since when, and what can be chosen. Reading it writes nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::consent_event;
use entity::enums::{Medium, Purpose};
use entity::id::{ConsentEventId, ServiceLineId};
use entity::{consent_wording, contact};
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use super::change::Wishes;
use super::link::{self, Opened};
use super::rows;
use crate::consent::Standing;
use crate::consent::find::events_of;
use crate::consent::standing::fold;
use crate::error::Result;
use crate::hospital::Hospital;
use crate::playbook::Playbook;
use crate::report::hospital_zone;

/// Languages in which the page is written, by their primary tags.
pub const SPOKEN: [&str; 2] = ["en", "es"];

/// The language of the page for a contact that is written to in `language`: that one if the page speaks it, else
/// `fallback`.
#[must_use]
pub fn spoken<'a>(language: &str, fallback: &'a str) -> &'a str {
    let primary = language.split('-').next().unwrap_or_default();
    let known = SPOKEN.iter().find(|spoken| spoken.eq_ignore_ascii_case(primary));
    known.copied().unwrap_or(fallback)
}

/// One purpose on one medium: what holds, and what may be agreed to.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The medium.
    pub medium: Medium,
    /// The purpose.
    pub purpose: Purpose,
    /// What holds now.
    pub standing: Standing,
    /// When the contact said so, for what is granted or taken back.
    pub since: Option<DateTime<Utc>>,
    /// The text that the contact agreed to; none if the consent was given in other words.
    pub shown_then: Option<consent_wording::Model>,
    /// The text that the contact would agree to now; none if there is none, and then nothing can be agreed to.
    pub offered: Option<consent_wording::Model>,
    pub(super) decided_by: Option<ConsentEventId>,
}

impl Offer {
    /// Whether it is allowed now.
    #[must_use]
    pub const fn granted(&self) -> bool {
        self.standing.is_granted()
    }

    /// Its name in a form: `EMAIL.MARKETING`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.medium, self.purpose)
    }

    /// Whether the text that counts lets the contact choose service lines.
    fn by_line(&self) -> bool {
        let counts = if self.granted() {
            &self.shown_then
        } else {
            &self.offered
        };
        self.purpose == Purpose::Marketing && counts.as_ref().is_some_and(|wording| wording.by_line)
    }
}

/// A service line that the contact asked or spoke about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line.
    pub id: ServiceLineId,
    /// The name that people read.
    pub name: String,
    /// Whether promotional mail about it is wanted.
    pub wanted: bool,
}

/// What a contact's page shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Whose page it is.
    pub contact: contact::Model,
    /// What the mail was for whose link opened the page.
    pub purpose: Purpose,
    /// Every purpose and medium about which there is something to show.
    pub offers: Vec<Offer>,
    /// The lines that can be chosen, by name; none where the consent does not let the contact choose.
    pub lines: Vec<Line>,
    /// The pause, if it still lasts, and the limit.
    pub wishes: Wishes,
    /// The language of the page, one of [`SPOKEN`].
    pub language: &'static str,
    /// The zone in which days begin for the contact.
    pub zone: Tz,
    /// Stands for all that is shown: another one means that something has changed since.
    pub version: String,
}

/// What the page behind a link shows to somebody whose browser would rather read `fallback`. Writes nothing.
///
/// # Errors
/// [`Error::Missing`](crate::error::Error::Missing) for a link that was not made here or is revoked.
pub async fn look(h: &Hospital, token: &str, fallback: &'static str) -> Result<Shown> {
    let playbook = h.playbook().await?;
    let opened = link::open(h, &h.db, token).await?;
    of(&h.db, &playbook, opened, fallback, h.now()).await
}

/// What the page of an opened link shows.
pub(super) async fn of(
    conn: &impl ConnectionTrait,
    playbook: &Playbook,
    opened: Opened,
    fallback: &'static str,
    now: DateTime<Utc>,
) -> Result<Shown> {
    let contact = opened.contact;
    let language = spoken(&contact.language, fallback);
    let mut events = Vec::new();
    for medium in Medium::ALL {
        let mut found = events_of(conn, &[contact.id], *medium).await?;
        events.extend(found.remove(&contact.id).unwrap_or_default());
    }
    let offers = offers(&contact, &events, playbook, language, now);
    let said = rows::lines(conn, contact.id).await?;
    let lines = if offers.iter().any(Offer::by_line) {
        named(said, playbook)
    } else {
        Vec::new()
    };
    let kept = rows::wishes(conn, contact.id).await?;
    let wishes = Wishes {
        paused_until: kept.paused_until.filter(|until| *until > now),
        ..kept
    };
    let zone = contact.time_zone.as_deref().and_then(|zone| zone.parse().ok());
    let version = version(&contact, &offers, &lines, wishes, language);
    Ok(Shown {
        zone: zone.unwrap_or_else(|| hospital_zone(playbook)),
        contact,
        purpose: opened.purpose,
        offers,
        lines,
        wishes,
        language,
        version,
    })
}

fn offers(
    contact: &contact::Model,
    events: &[consent_event::Model],
    playbook: &Playbook,
    language: &str,
    now: DateTime<Utc>,
) -> Vec<Offer> {
    let address = |medium: Medium| match medium {
        Medium::Email => contact.email_normalized.as_deref(),
        Medium::Phone | Medium::Sms => contact.phone.as_deref(),
        // Paper goes to the person; the hospital keeps no address to name.
        Medium::Post => Some(""),
    };
    let mut offers = Vec::new();
    for purpose in Purpose::ALL {
        for medium in Medium::ALL {
            let Some(address) = address(*medium) else { continue };
            let standing = fold(events, *medium, address, *purpose, now);
            let offered = offered(playbook, *medium, *purpose, language);
            if !standing.is_granted() && offered.is_none() {
                continue;
            }
            let decided_by = match standing {
                Standing::Granted { event_id, .. } | Standing::Withdrawn { event_id, .. } => Some(event_id),
                _ => None,
            };
            let event = events.iter().find(|event| Some(event.id) == decided_by);
            offers.push(Offer {
                medium: *medium,
                purpose: *purpose,
                standing,
                since: event.map(|event| event.occurred_at),
                shown_then: event
                    .filter(|_| standing.is_granted())
                    .and_then(|event| playbook.wordings.get(&event.wording_id?))
                    .cloned(),
                offered: offered.cloned(),
                decided_by,
            });
        }
    }
    offers
}

/// The text to agree to. Where several are about the same, the first by its key is taken, so that the page is the same
/// each time.
fn offered<'a>(
    playbook: &'a Playbook,
    medium: Medium,
    purpose: Purpose,
    language: &str,
) -> Option<&'a consent_wording::Model> {
    let about = playbook
        .wordings
        .values()
        .filter(|wording| (wording.medium, wording.purpose) == (medium, purpose));
    let key = about.map(|wording| wording.key.as_str()).min()?;
    playbook.wording(key, language)
}

fn named(lines: BTreeMap<ServiceLineId, bool>, playbook: &Playbook) -> Vec<Line> {
    let mut named: Vec<Line> = lines
        .into_iter()
        .filter_map(|(id, wanted)| {
            let name = playbook.lines.get(&id)?.name.clone();
            Some(Line { id, name, wanted })
        })
        .collect();
    named.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    named
}

/// A hash of everything on which a choice may rest. It holds ids and times only, and cannot be read back.
fn version(
    contact: &contact::Model,
    offers: &[Offer],
    lines: &[Line],
    wishes: Wishes,
    language: &str,
) -> String {
    let mut all = format!("{} {language} {}", contact.id, contact.language);
    for offer in offers {
        let (granted, decided_by) = (offer.granted(), offer.decided_by);
        let offered = offer.offered.as_ref().map(|wording| wording.id);
        let _ = write!(all, "\n{} {granted} {decided_by:?} {offered:?}", offer.name());
    }
    for line in lines {
        let _ = write!(all, "\n{} {}", line.id, line.wanted);
    }
    let _ = write!(all, "\n{:?} {:?}", wishes.paused_until, wishes.max_per_week);
    hex::encode(&Sha256::digest(all.as_bytes())[..16])
}
