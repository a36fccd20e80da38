//! Saving a contact's page: everything at once or nothing, in one transaction.

use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::{Medium, Purpose};
use entity::id::ConsentWordingId;
use sea_orm::{ActiveModelTrait, DatabaseTransaction};

use super::change::{Change, LineWish, apply};
use super::link::{self, Opened};
use super::look::{self, SPOKEN, Shown};
use crate::consent::by_contact::OnThePage;
use crate::consent::find::events_of;
use crate::consent::lock::lock_contacts;
use crate::consent::standing::{Standing, fold};
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::patch::Patch;
use crate::report::day_start;
use crate::signal::Signal;
use crate::{audit, db};

/// The page's word for no limit of the contact's own.
pub const ANY_NUMBER: &str = "any";

/// What a browser sent of the page. A field that was not sent leaves its part as it is; the boxes that were not ticked
/// are not sent, so a page always speaks about all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// [`Shown::version`] of the page that was filled in.
    pub version: String,
    /// [`super::Offer::name`] of what is allowed.
    pub allow: Vec<String>,
    /// Ids of the lines that are wanted.
    pub lines: Vec<String>,
    /// One of [`SPOKEN`].
    pub language: Option<String>,
    /// The first day after the pause, `2026-12-31`; empty for no pause.
    pub pause: Option<String>,
    /// The most mails in a week, or [`ANY_NUMBER`].
    pub often: Option<String>,
}

/// A page that was saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// What the page shows from now on.
    pub shown: Shown,
    /// Whether anything changed; not when the same page is sent twice.
    pub changed: bool,
}

/// What is to be done about consents and wishes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) agree: Vec<ConsentWordingId>,
    pub(super) take_back: Vec<(Medium, Purpose)>,
    pub(super) change: Change,
    pub(super) refusals: Vec<Refusal>,
}

/// Saves a page.
///
/// # Errors
/// [`Error::Missing`] for a link that was not made here or is revoked. [`Error::Refused`] with every field that is
/// wrong, under its name in [`Sent`]; on `version` alone when something has changed since the page was shown, so that an
/// old page never undoes what was said later.
pub async fn save(h: &Hospital, token: &str, fallback: &'static str, sent: &Sent) -> Result<Done<Saved>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let opened = locked(h, &tx, token).await?;
    let (message_id, purpose) = (opened.message_id, opened.purpose);
    let now = h.now();
    let shown = look::of(&tx, &playbook, opened, fallback, now).await?;
    let plan = plan(sent, &shown, now);
    let idle = plan.agree.is_empty() && plan.take_back.is_empty() && plan.change == Change::default();
    if sent.version != shown.version && !(idle && plan.refusals.is_empty()) {
        return Err(Error::refused(
            Code::VersionConflict,
            "version",
            "Something has changed since this page was opened. Nothing was saved.",
        ));
    }
    if !plan.refusals.is_empty() {
        return Err(Error::Refused(plan.refusals));
    }
    if idle {
        let changed = false;
        return Ok(Done::quiet(Saved { shown, changed }));
    }
    let page = OnThePage {
        contact: &shown.contact,
        message_id,
        now,
        playbook: &playbook,
    };
    let signals = say(&tx, page, &plan).await?;
    audit::record(
        page.actor(),
        "preferences.save",
        Some(&shown.contact.id),
        None,
        now,
    )
    .insert(&tx)
    .await?;
    let (contact, _) = apply(&tx, shown.contact, plan.change, now).await?;
    let opened = Opened {
        message_id,
        purpose,
        contact,
    };
    let shown = look::of(&tx, &playbook, opened, fallback, now).await?;
    tx.commit().await?;
    Ok(Done {
        value: Saved { shown, changed: true },
        signals,
        // A pause that ended early lets mail go now.
        nudges: vec![Subject::BulkMail],
    })
}

/// Takes back every purpose on every medium, whatever the page showed. Doing it again changes nothing.
///
/// # Errors
/// [`Error::Missing`] for a link that was not made here or is revoked.
pub async fn stop_everything(h: &Hospital, token: &str, fallback: &'static str) -> Result<Done<Saved>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let opened = locked(h, &tx, token).await?;
    let now = h.now();
    let page = OnThePage {
        contact: &opened.contact,
        message_id: opened.message_id,
        now,
        playbook: &playbook,
    };
    let mut signals = Vec::new();
    let mut changed = false;
    for medium in Medium::ALL {
        if all_taken_back(&tx, &opened, *medium, now).await? {
            continue;
        }
        signals.extend(page.take_back(&tx, *medium, None).await?);
        changed = true;
    }
    if changed {
        let action = "preferences.stop_everything";
        audit::record(page.actor(), action, Some(&opened.contact.id), None, now)
            .insert(&tx)
            .await?;
    }
    let shown = look::of(&tx, &playbook, opened, fallback, now).await?;
    tx.commit().await?;
    Ok(Done {
        value: Saved { shown, changed },
        signals,
        nudges: Vec::new(),
    })
}

/// Opens a link and locks its contact, so that whoever else speaks for the contact comes before or after.
async fn locked(h: &Hospital, tx: &DatabaseTransaction, token: &str) -> Result<Opened> {
    let opened = link::open(h, tx, token).await?;
    lock_contacts(tx, &[opened.contact.id]).await?;
    // Read again under the lock: the link may have been revoked meanwhile.
    link::open(h, tx, token).await
}

/// Whether a contact has taken back every purpose of a medium.
async fn all_taken_back(
    tx: &DatabaseTransaction,
    opened: &Opened,
    medium: Medium,
    now: DateTime<Utc>,
) -> Result<bool> {
    let contact = &opened.contact;
    let mut events = events_of(tx, &[contact.id], medium).await?;
    let events = events.remove(&contact.id).unwrap_or_default();
    let address = match medium {
        Medium::Email => contact.email_normalized.as_deref(),
        Medium::Phone | Medium::Sms => contact.phone.as_deref(),
        Medium::Post => None,
    };
    let standing = |purpose: &Purpose| fold(&events, medium, address.unwrap_or_default(), *purpose, now);
    Ok(Purpose::ALL
        .iter()
        .all(|purpose| matches!(standing(purpose), Standing::Withdrawn { .. })))
}

/// Writes down what is given and taken back.
async fn say(tx: &DatabaseTransaction, page: OnThePage<'_>, plan: &Plan) -> Result<Vec<Signal>> {
    let mut signals = Vec::new();
    for (medium, purpose) in &plan.take_back {
        signals.extend(page.take_back(tx, *medium, Some(*purpose)).await?);
    }
    for wording_id in &plan.agree {
        page.agree(tx, *wording_id).await?;
    }
    Ok(signals)
}

/// What is to be done so that all is as the page was filled in. Pure.
pub(super) fn plan(sent: &Sent, shown: &Shown, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan::default();
    plan_consents(sent, shown, &mut plan);
    plan_lines(sent, shown, &mut plan);
    plan_wishes(sent, shown, &mut plan);
    for mut refusal in plan
        .change
        .refusals(|id| shown.lines.iter().any(|line| line.id == id), now)
    {
        let field = match refusal.field.first().map(String::as_str) {
            Some("pausedUntil") => "pause",
            Some("maxPerWeek") => "often",
            _ => "lines",
        };
        refusal.field = vec![field.to_owned()];
        plan.refusals.push(refusal);
    }
    plan
}

fn plan_consents(sent: &Sent, shown: &Shown, plan: &mut Plan) {
    let unknown = |name: &String| !shown.offers.iter().any(|offer| offer.name() == *name);
    if sent.allow.iter().any(unknown) {
        let message = "This is not among what can be chosen here.";
        plan.refusals.push(Refusal::new(Code::NotFound, "allow", message));
    }
    for offer in &shown.offers {
        let wanted = sent.allow.contains(&offer.name());
        match (wanted, offer.granted(), &offer.offered) {
            (true, false, Some(wording)) => plan.agree.push(wording.id),
            (false, true, _) => plan.take_back.push((offer.medium, offer.purpose)),
            // What is neither granted nor offered is not shown.
            (true, true, _) | (_, false, _) => {}
        }
    }
}

fn plan_lines(sent: &Sent, shown: &Shown, plan: &mut Plan) {
    let unknown = |id: &String| !shown.lines.iter().any(|line| line.id.to_string() == *id);
    if sent.lines.iter().any(unknown) {
        let message = "This is not among what can be chosen here.";
        plan.refusals.push(Refusal::new(Code::NotFound, "lines", message));
    }
    for line in &shown.lines {
        let wanted = sent.lines.contains(&line.id.to_string());
        if wanted != line.wanted {
            plan.change.lines.push(LineWish {
                service_line_id: line.id,
                wanted,
            });
        }
    }
}

fn plan_wishes(sent: &Sent, shown: &Shown, plan: &mut Plan) {
    let mut refuse = |field: &str, message: &'static str| {
        plan.refusals.push(Refusal::new(Code::Invalid, field, message));
    };
    match sent.language.as_deref() {
        None => {}
        Some(tag) if !SPOKEN.contains(&tag) => refuse("language", "Choose one of the languages."),
        Some(tag) => {
            let primary = shown.contact.language.split('-').next().unwrap_or_default();
            // Somebody who is written to in es-MX and chooses Spanish changes nothing.
            plan.change.language = (!primary.eq_ignore_ascii_case(tag)).then(|| tag.to_owned());
        }
    }
    let paused = shown.wishes.paused_until;
    match sent.pause.as_deref().map(str::trim) {
        None => {}
        Some("") if paused.is_none() => {}
        Some("") => plan.change.paused_until = Patch::Clear,
        Some(text) => match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Err(_) => refuse("pause", "Write a day like 2026-12-31."),
            // The same day as before leaves its moment alone.
            Ok(day) if paused.is_some_and(|at| at.with_timezone(&shown.zone).date_naive() == day) => {}
            Ok(day) => plan.change.paused_until = Patch::Set(day_start(shown.zone, day)),
        },
    }
    let limit = shown.wishes.max_per_week;
    match sent.often.as_deref() {
        None => {}
        Some(ANY_NUMBER) if limit.is_none() => {}
        Some(ANY_NUMBER) => plan.change.max_per_week = Patch::Clear,
        Some(text) => match text.parse::<i32>() {
            Err(_) => refuse("often", "Choose one of the numbers."),
            Ok(max) if limit == Some(max) => {}
            Ok(max) => plan.change.max_per_week = Patch::Set(max),
        },
    }
}
