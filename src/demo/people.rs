//! The people of the history. None of them exists: names are drawn from lists, addresses end in reserved domains, and
//! numbers are of the block that is kept free for stories.

use chrono::{DateTime, Utc};
use domain::contact::email::EmailAddress;
use entity::consent_event;
use entity::contact::{self, ContactKind};

use super::World;
use super::book::Book;
use super::chance::Chance;

/// Numbers 555-0100 to 555-0199 of an area code belong to nobody.
const NUMBERS_PER_AREA: usize = 100;
/// Domains that belong to nobody (RFC 2606).
const DOMAINS: [&str; 3] = ["example.org", "example.com", "example.net"];
/// People of one practice or employer who write.
const PER_ORGANIZATION: i64 = 3;

/// Everybody who ever wrote or called.
#[derive(Default)]
pub(super) struct People {
    rows: Vec<Known>,
}

/// A person with what the person has said about mail.
pub(super) struct Known {
    pub(super) contact: contact::Model,
    pub(super) consents: Vec<consent_event::Model>,
    /// Since when the address is known not to exist.
    pub(super) bounced_at: Option<DateTime<Utc>>,
}

/// A person as the stream of leads asks for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) language: &'a str,
    pub(super) organizations: Option<&'a [String]>,
    pub(super) email: bool,
    pub(super) phone: bool,
    pub(super) region: Option<&'a str>,
    pub(super) postal_code: Option<&'a str>,
    pub(super) at: DateTime<Utc>,
}

impl People {
    pub(super) fn of(&mut self, place: usize) -> &mut Known {
        &mut self.rows[place]
    }

    /// Somebody who came before, or somebody new; answers the place.
    pub(super) fn find(
        &mut self,
        world: World<'_>,
        wanted: Wanted<'_>,
        chance: &mut Chance,
        book: &mut Book,
    ) -> usize {
        let organization = wanted.organizations.map(|of| chance.one(of).as_str());
        let repeats = chance.percent(world.history.repeat_percent);
        let known = match organization {
            Some(name) => self.colleague(name, chance),
            None if repeats => self.again(wanted, chance),
            None => None,
        };
        known.unwrap_or_else(|| {
            let contact = self.meet(world, wanted, organization, chance, book);
            book.contacts.push(contact.clone());
            self.rows.push(Known {
                contact,
                consents: Vec::new(),
                bounced_at: None,
            });
            self.rows.len() - 1
        })
    }

    /// One of the few people of an organization who write, if that one has written before.
    fn colleague(&self, organization: &str, chance: &mut Chance) -> Option<usize> {
        let of_organization =
            |(_, known): &(usize, &Known)| known.contact.organization.as_deref() == Some(organization);
        let seat = usize::try_from(chance.between(0, PER_ORGANIZATION - 1)).unwrap_or(0);
        self.rows
            .iter()
            .enumerate()
            .filter(of_organization)
            .nth(seat)
            .map(|(place, _)| place)
    }

    fn again(&self, wanted: Wanted<'_>, chance: &mut Chance) -> Option<usize> {
        let fits = |contact: &contact::Model| {
            contact.kind == ContactKind::Person
                && contact.language == wanted.language
                && (contact.email.is_some() || !wanted.email)
                && (contact.phone.is_some() || !wanted.phone)
        };
        let start = usize::try_from(chance.between(0, self.rows.len() as i64)).unwrap_or(0);
        let after = (start..self.rows.len()).take(50);
        after.into_iter().find(|place| fits(&self.rows[*place].contact))
    }

    fn meet(
        &self,
        world: World<'_>,
        wanted: Wanted<'_>,
        organization: Option<&str>,
        chance: &mut Chance,
        book: &mut Book,
    ) -> contact::Model {
        let history = world.history;
        let (given, family) = match wanted.language {
            "es" => (&history.spanish_given_names, &history.spanish_family_names),
            _ => (&history.given_names, &history.family_names),
        };
        let (given, family) = (chance.one(given).clone(), chance.one(family).clone());
        let number = self.rows.len();
        let email = wanted.email.then(|| address(&given, &family, number));
        contact::Model {
            id: book.id(wanted.at),
            kind: if organization.is_some() {
                ContactKind::Organization
            } else {
                ContactKind::Person
            },
            given_name: given,
            family_name: family,
            organization: organization.map(str::to_owned),
            email_normalized: email.as_ref().map(|email| email.to_lowercase()),
            email,
            phone: wanted.phone.then(|| self.phone(&history.area_codes)),
            language: wanted.language.to_owned(),
            time_zone: None,
            region: wanted.region.map(str::to_owned),
            postal_code: wanted.postal_code.map(str::to_owned),
            merged_into_id: None,
            link_generation: 0,
            erased_at: None,
            created_at: wanted.at,
            updated_at: wanted.at,
        }
    }

    /// A number that nobody else in the history has, as long as there are enough.
    fn phone(&self, areas: &[String]) -> String {
        let number = self.rows.len();
        let area = &areas[number % areas.len()];
        format!("+1{area}55501{:02}", number / areas.len() % NUMBERS_PER_AREA)
    }
}

fn address(given: &str, family: &str, number: usize) -> String {
    let plain = |name: &str| {
        name.chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_lowercase()
    };
    let domain = DOMAINS[number % DOMAINS.len()];
    format!("{}.{}{number}@{domain}", plain(given), plain(family))
}

impl Known {
    /// The address as it is compared.
    pub(super) fn address(&self) -> Option<String> {
        let email = self.contact.email.as_deref()?;
        EmailAddress::parse(email)
            .ok()
            .map(|address| address.normalized())
    }
}
