//! How the preference page looks.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use domain::consent::Standing;
use domain::error::{Code, Refusal};
use domain::preference::change::MAX_PAUSE;
use domain::preference::save::ANY_NUMBER;
use domain::preference::{Offer, Sent, Shown, mask};
use entity::consent_wording;
use entity::enums::{Medium, Purpose};
use poem::Response;

use super::{EVERYTHING, status};
use crate::pages::{self, Frame, Framed};
use crate::phrases::{Phrases, fill};
use crate::state::Api;
use crate::tongue::Tongue;

/// Limits that the page offers, in mails a week.
const LIMITS: [i32; 3] = [1, 2, 4];

/// What there is to tell above the page.
#[derive(Clone, Copy, Debug)]
pub(super) enum News<'a> {
    /// Nothing: somebody looks.
    None,
    /// It was saved.
    Saved,
    /// It already was so.
    Unchanged,
    /// Everything is taken back.
    Stopped,
    /// It was filled in before something changed.
    Stale,
    /// Something that was sent is wrong, and stays in the page to be mended.
    Wrong {
        /// What was sent.
        sent: &'a Sent,
        /// What is wrong with it.
        refusals: &'a [Refusal],
    },
}

impl<'a> News<'a> {
    const fn sent(&self) -> Option<&'a Sent> {
        match self {
            Self::Wrong { sent, .. } => Some(sent),
            _ => None,
        }
    }

    const fn refusals(&self) -> &'a [Refusal] {
        match self {
            Self::Wrong { refusals, .. } => refusals,
            _ => &[],
        }
    }

    /// Heading and text of what went well, or did not happen.
    fn told(&self, say: &'static Phrases, hospital: &str) -> Option<(&'static str, String)> {
        match self {
            Self::None | Self::Wrong { .. } => None,
            Self::Saved => Some((say.saved, say.saved_now.to_owned())),
            Self::Unchanged => Some((say.unchanged, say.unchanged_why.to_owned())),
            Self::Stopped => Some((say.stopped, fill(say.stopped_now, &[hospital]))),
            Self::Stale => Some((say.stale, say.stale_why.to_owned())),
        }
    }
}

/// A text with its language, where that is not the page's.
struct Quote<'a> {
    lead: &'static str,
    text: &'a str,
    language: &'a str,
}

/// A box that allows one medium.
struct OfferView<'a> {
    id: String,
    name: String,
    label: &'static str,
    state: String,
    quote: Option<Quote<'a>>,
    ticked: bool,
}

/// The boxes of one purpose.
struct Group<'a> {
    heading: &'static str,
    text: &'static str,
    here: bool,
    offers: Vec<OfferView<'a>>,
}

/// One of several, or a box with a plain label.
struct Choice<'a> {
    id: String,
    value: String,
    label: String,
    language: Option<&'a str>,
    chosen: bool,
}

/// A line of the summary of errors.
struct Problem {
    id: Option<String>,
    label: Option<&'static str>,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "preferences.html")]
struct PreferencePage<'a> {
    frame: Frame<'a>,
    say: &'static Phrases,
    token: &'a str,
    intro: String,
    told: Option<(&'static str, String)>,
    stale: bool,
    problems: Vec<Problem>,
    groups: Vec<Group<'a>>,
    lines: Vec<Choice<'a>>,
    often: Vec<Choice<'a>>,
    often_problem: Option<&'static str>,
    pause: String,
    pause_first: String,
    pause_last: String,
    pause_problem: Option<&'static str>,
    languages: Vec<Choice<'a>>,
    version: &'a str,
    everything: &'static str,
    held: Vec<(&'static str, String)>,
}

/// The page.
pub(super) fn page(api: &Api, token: &str, shown: &Shown, news: News<'_>) -> Response {
    let site = &api.hospital.site;
    let tongue = Tongue::of(shown.language);
    let say = Phrases::of(tongue);
    let sent = news.sent();
    let now = api.hospital.now();
    let day = |at: DateTime<Utc>| at.with_timezone(&shown.zone).date_naive().to_string();
    let held_pause = shown.wishes.paused_until.map(day).unwrap_or_default();
    let page = PreferencePage {
        frame: Frame::of(site, tongue),
        say,
        token,
        intro: fill(say.choices_intro, &[&site.name]),
        told: news.told(say, &site.name),
        stale: matches!(news, News::Stale),
        problems: problems(say, shown, news.refusals()),
        groups: groups(say, tongue, shown, sent),
        lines: lines(shown, sent),
        often: often(say, shown, sent),
        often_problem: problem_of(say, news.refusals(), "often"),
        pause: sent.and_then(|sent| sent.pause.clone()).unwrap_or(held_pause),
        pause_first: day(now + TimeDelta::days(1)),
        pause_last: day(now + MAX_PAUSE - TimeDelta::days(1)),
        pause_problem: problem_of(say, news.refusals(), "pause"),
        languages: languages(shown, sent),
        version: &shown.version,
        everything: EVERYTHING,
        held: held(say, tongue, shown),
    };
    pages::page(status(&news), &page, Framed::Never)
}

fn groups<'a>(
    say: &'static Phrases,
    tongue: Tongue,
    shown: &'a Shown,
    sent: Option<&Sent>,
) -> Vec<Group<'a>> {
    let group = |purpose: &Purpose| {
        let (heading, text) = match purpose {
            Purpose::Marketing => (say.purpose_marketing, say.purpose_marketing_is),
            Purpose::CareCoordination => (say.purpose_care, say.purpose_care_is),
            Purpose::Reminder => (say.purpose_reminder, say.purpose_reminder_is),
            Purpose::Research => (say.purpose_research, say.purpose_research_is),
            Purpose::Tracking => (say.purpose_tracking, say.purpose_tracking_is),
        };
        let offers: Vec<OfferView<'a>> = shown
            .offers
            .iter()
            .filter(|offer| offer.purpose == *purpose)
            .map(|offer| offer_view(say, tongue, shown, offer, sent))
            .collect();
        (!offers.is_empty()).then_some(Group {
            heading,
            text,
            here: *purpose == shown.purpose,
            offers,
        })
    };
    Purpose::ALL.iter().filter_map(group).collect()
}

fn offer_view<'a>(
    say: &'static Phrases,
    tongue: Tongue,
    shown: &Shown,
    offer: &'a Offer,
    sent: Option<&Sent>,
) -> OfferView<'a> {
    let name = offer.name();
    let label = match offer.medium {
        Medium::Email => say.by_email,
        Medium::Phone => say.by_phone,
        Medium::Sms => say.by_sms,
        Medium::Post => say.by_post,
    };
    let on = |phrase: &str| {
        let day = offer
            .since
            .map(|at| tongue.day(at.with_timezone(&shown.zone).date_naive()));
        fill(phrase, &[&day.unwrap_or_default()])
    };
    let state = match offer.standing {
        Standing::Granted { .. } => on(say.agreed_on),
        Standing::Pending { .. } => say.not_confirmed.to_owned(),
        Standing::Withdrawn { .. } => on(say.taken_back_on),
        Standing::Denied => say.did_not_agree.to_owned(),
        Standing::Expired => say.has_ended.to_owned(),
        Standing::None => say.not_asked.to_owned(),
    };
    let quote = |lead: &'static str, wording: &'a Option<consent_wording::Model>| {
        wording.as_ref().map(|wording| Quote {
            lead,
            text: &wording.text,
            language: &wording.language,
        })
    };
    OfferView {
        id: format!("allow-{}", name.to_ascii_lowercase().replace(['.', '_'], "-")),
        label,
        state,
        quote: if offer.granted() {
            quote(say.agreed_to, &offer.shown_then)
        } else {
            quote(say.ticking_agrees, &offer.offered)
        },
        ticked: sent.map_or(offer.granted(), |sent| sent.allow.contains(&name)),
        name,
    }
}

fn lines<'a>(shown: &Shown, sent: Option<&Sent>) -> Vec<Choice<'a>> {
    let choice = |(at, line): (usize, &domain::preference::Line)| {
        let value = line.id.to_string();
        Choice {
            id: format!("line-{}", at + 1),
            label: line.name.clone(),
            language: None,
            chosen: sent.map_or(line.wanted, |sent| sent.lines.contains(&value)),
            value,
        }
    };
    shown.lines.iter().enumerate().map(choice).collect()
}

fn often<'a>(say: &'static Phrases, shown: &Shown, sent: Option<&Sent>) -> Vec<Choice<'a>> {
    let held = shown.wishes.max_per_week;
    let mut limits: Vec<i32> = LIMITS.into_iter().chain(held).collect();
    limits.sort_unstable();
    limits.dedup();
    let is_chosen = |value: &str| match sent.and_then(|sent| sent.often.as_deref()) {
        Some(sent) => sent == value,
        None => held.map_or_else(|| ANY_NUMBER.to_owned(), |max| max.to_string()) == value,
    };
    let any = (ANY_NUMBER.to_owned(), say.often_any.to_owned());
    let numbered = limits.into_iter().map(|max| {
        let value = max.to_string();
        let label = if max == 1 {
            say.often_once.to_owned()
        } else {
            fill(say.often_times, &[&value])
        };
        (value, label)
    });
    std::iter::once(any)
        .chain(numbered)
        .map(|(value, label)| Choice {
            id: format!("often-{value}"),
            label,
            language: None,
            chosen: is_chosen(&value),
            value,
        })
        .collect()
}

/// The languages, each by its own name, so that its readers find it on a page that they cannot read.
fn languages<'a>(shown: &Shown, sent: Option<&Sent>) -> Vec<Choice<'a>> {
    let held = Tongue::spoken(&shown.contact.language).map(Tongue::tag);
    let chosen = sent.and_then(|sent| sent.language.as_deref()).or(held);
    [("en", "English"), ("es", "Español")]
        .into_iter()
        .map(|(tag, name)| Choice {
            id: format!("language-{tag}"),
            value: tag.to_owned(),
            label: name.to_owned(),
            language: Some(tag),
            chosen: chosen == Some(tag),
        })
        .collect()
}

/// What is held of the person, as far as the page tells it. Answers and conditions never stand here.
fn held(say: &'static Phrases, tongue: Tongue, shown: &Shown) -> Vec<(&'static str, String)> {
    let contact = &shown.contact;
    let since = contact.created_at.with_timezone(&shown.zone).date_naive();
    let all = [
        (say.held_name, Some(contact.display_name())),
        (say.held_email, contact.email.as_deref().map(mask::email)),
        (say.held_phone, contact.phone.as_deref().map(mask::phone)),
        (say.held_since, Some(tongue.day(since))),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|text| !text.is_empty())?)))
        .collect()
}

/// The first thing that is wrong with a field.
fn problem_of(say: &'static Phrases, refusals: &[Refusal], field: &str) -> Option<&'static str> {
    refusals
        .iter()
        .find(|refusal| refusal.field == [field])
        .map(|refusal| explain(say, refusal))
}

fn explain(say: &'static Phrases, refusal: &Refusal) -> &'static str {
    match (refusal.field.first().map(String::as_str), refusal.code) {
        (_, Code::UnknownField) => say.wrong_field,
        (Some("pause"), Code::TooLarge) => say.wrong_pause_long,
        (Some("pause"), _) => say.wrong_pause,
        (Some("version"), _) => say.wrong_twice,
        _ => say.wrong_choice,
    }
}

/// The lines of the summary, each with the way to its field.
fn problems(say: &'static Phrases, shown: &Shown, refusals: &[Refusal]) -> Vec<Problem> {
    let problem = |refusal: &Refusal| {
        let (id, label) = match refusal.field.first().map(String::as_str) {
            Some("pause") => (Some("pause".to_owned()), Some(say.pause)),
            Some("often") => (Some(format!("often-{ANY_NUMBER}")), Some(say.often)),
            Some("language") => (Some("language-en".to_owned()), Some(say.language)),
            Some("lines") => {
                let id = (!shown.lines.is_empty()).then(|| "line-1".to_owned());
                (id, Some(say.lines))
            }
            Some("allow") => (Some("allow".to_owned()), Some(say.choices)),
            _ => (None, None),
        };
        Problem {
            id,
            label,
            text: explain(say, refusal),
        }
    };
    refusals.iter().map(problem).collect()
}
