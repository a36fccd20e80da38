//! The demo hospital: Riverbend Health, which does not exist. Its configuration and the figures behind its history are
//! data under `demo/`; here is what makes half a year of leads out of them.
//!
//! The history is made by the same pure rules that serve real leads (triage, score, routing, calendars, the gate, the
//! course of sequences), so that everything in it explains itself. It is the same for the same day.

mod book;
mod capacity;
mod chance;
mod data;
mod nurture;
mod people;
mod source;
mod story;
#[cfg(test)]
mod tests;
mod write;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::FixedClock;
use domain::error::{Error, Result};
use domain::hospital::Hospital;
use domain::playbook::{Playbook, Playbooks};
use domain::setup::{self, Setup};
use entity::enums::Role;
use entity::{campaign_spend, facility, lead};
use sea_orm::{ActiveEnum, EntityTrait, PaginatorTrait};

use self::book::Book;
use self::chance::Chance;
use self::data::History;
use self::people::People;

/// The password of everybody in the demo hospital.
pub const PASSWORD: &str = "riverbend-demo";

/// The documents of the configuration.
const DOCUMENTS: [&str; 9] = [
    include_str!("../demo/hospital.json"),
    include_str!("../demo/services.json"),
    include_str!("../demo/mail.json"),
    include_str!("../demo/campaigns.json"),
    include_str!("../demo/forms.json"),
    include_str!("../demo/rules.json"),
    include_str!("../demo/desk.json"),
    include_str!("../demo/sequences.json"),
    include_str!("../demo/outreach.json"),
];

/// What a person needs to look around.
#[derive(Clone, Debug)]
pub struct DemoReport {
    /// Whether the hospital was made just now.
    pub made: bool,
    /// Leads in the database.
    pub leads: u64,
    /// One address to sign in with for each role.
    pub sign_ins: Vec<(Role, String)>,
    /// The password of all of them.
    pub password: &'static str,
    /// Slugs of the forms.
    pub forms: Vec<String>,
}

impl DemoReport {
    /// The text that the demo prints at its start; `public_url` has no slash at its end.
    #[must_use]
    pub fn welcome(&self, public_url: &str) -> String {
        let made = if self.made {
            "was made just now"
        } else {
            "is as you left it"
        };
        let mut text = format!("\nRiverbend Health {made}: {} leads.\n\n", self.leads);
        let mut line = |what: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {what:<24}{value}");
        };
        line("Console", &format!("{public_url}/"));
        line("GraphQL", &format!("{public_url}/graphql"));
        line("Captured mail", &format!("{public_url}/outbox"));
        for slug in &self.forms {
            line("Form", &format!("{public_url}/f/{slug}"));
        }
        line("Password of everybody", self.password);
        for (role, email) in &self.sign_ins {
            line(&role.to_value().to_lowercase().replace('_', " "), email);
        }
        text
    }
}

/// The configuration of the demo hospital, with campaigns that began with the history that ends at `now`.
///
/// # Errors
/// When the documents in the binary cannot be read, which a test rules out.
pub fn document(now: DateTime<Utc>) -> Result<Setup> {
    let mut whole = Setup::default();
    for document in DOCUMENTS {
        whole = whole.and(Setup::parse(document)?);
    }
    let today = now.date_naive();
    let days = History::read()?.days;
    for campaign in &mut whole.campaigns {
        campaign.starts_on = Some(today - TimeDelta::days(days));
        campaign.ends_on = Some(today + TimeDelta::days(90));
    }
    for person in &mut whole.staff {
        person.password = Some(PASSWORD.to_owned());
    }
    Ok(whole)
}

/// Makes the demo hospital in a database that holds none; leaves any other as it is.
///
/// # Errors
/// Faults of the database.
pub async fn ensure(h: &Hospital) -> Result<DemoReport> {
    let now = h.now();
    let setup = document(now)?;
    let facilities = facility::Entity::find().all(&h.db).await?;
    let mut leads = lead::Entity::find().count(&h.db).await?;
    let is_ours = setup
        .facilities
        .first()
        .is_some_and(|ours| facilities.iter().any(|row| row.slug == ours.slug));
    // A start that was cut off between configuration and history is taken up again.
    let made = leads == 0 && (facilities.is_empty() || is_ours);
    if made {
        let history = History::read()?;
        configure(h, &setup, now - TimeDelta::days(history.days + 1)).await?;
        // The caller's snapshot may be older than the configuration.
        let playbook = Playbooks::new(Duration::ZERO).current(&h.db).await?;
        let book = tell(h, &playbook, &history, now)?;
        leads = book.leads.len() as u64;
        write::write(h, book).await?;
        capacity::enter(h, &playbook).await?;
    }
    Ok(DemoReport {
        made,
        leads,
        sign_ins: sign_ins(&setup),
        password: PASSWORD,
        forms: forms(&setup),
    })
}

/// Applies the configuration as of a day before the history begins.
async fn configure(h: &Hospital, setup: &Setup, at: DateTime<Utc>) -> Result<()> {
    let then = Hospital {
        clock: Arc::new(FixedClock::at(at)),
        ..h.clone()
    };
    setup::apply(&then, setup).await.map(|_| ())
}

/// What every part of the making looks at.
#[derive(Clone, Copy)]
struct World<'a> {
    h: &'a Hospital,
    playbook: &'a Playbook,
    history: &'a History,
    now: DateTime<Utc>,
}

/// Makes the history, without the database.
fn tell(h: &Hospital, playbook: &Playbook, history: &History, now: DateTime<Utc>) -> Result<Book> {
    let world = World {
        h,
        playbook,
        history,
        now,
    };
    let mut book = Book::new(history.seed);
    let mut people = People::default();
    let mut arrivals = source::arrivals(world)?;
    arrivals.sort_by_key(|arrival| (arrival.at, arrival.number));
    let mut load = std::collections::HashMap::new();
    for arrival in arrivals {
        let mut chance = Chance::new(history.seed, arrival.number as u64);
        let inquiry = source::ask(world, &arrival, &mut people, &mut chance, &mut book)?;
        let received = story::receive(world, &inquiry, &mut load, &mut book);
        let told = story::play(world, received, &inquiry, &mut chance, &mut book);
        nurture::follow(world, &told, people.of(inquiry.contact), &mut chance, &mut book);
        book.leads.push(told.lead);
    }
    spend(world, &mut book)?;
    Ok(book)
}

/// What each campaign cost on each day.
fn spend(world: World<'_>, book: &mut Book) -> Result<()> {
    let today = world.now.date_naive();
    for (number, (code, per_day)) in world.history.spend_per_day_minor.iter().enumerate() {
        let campaign = world.playbook.campaigns.values().find(|row| row.code == *code);
        let campaign = campaign
            .ok_or_else(|| Error::fault(format!("history.json spends on an unknown campaign {code}")))?;
        let mut chance = Chance::new(world.history.seed, u64::MAX - number as u64);
        for back in (0..=world.history.days).rev() {
            let amount_minor = (*per_day as f64 * (0.78 + 0.44 * chance.unit())).round() as i64;
            let day = today - TimeDelta::days(back);
            book.spend.push(campaign_spend::Model {
                campaign_id: campaign.id,
                day,
                amount_minor,
            });
        }
    }
    Ok(())
}

/// The first person of each role.
fn sign_ins(setup: &Setup) -> Vec<(Role, String)> {
    let first = |role: &Role| setup.staff.iter().find(|person| person.role == *role);
    Role::ALL
        .iter()
        .filter_map(|role| Some((*role, first(role)?.email.clone())))
        .collect()
}

fn forms(setup: &Setup) -> Vec<String> {
    setup.forms.iter().map(|form| form.slug.clone()).collect()
}
