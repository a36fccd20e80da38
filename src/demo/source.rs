//! Who asks for what, when, and by which way.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use domain::consent::{self, AtIntake};
use domain::error::{Error, Result};
use domain::lead::inquiry::{ConsentAnswer, Inquiry, Person};
use domain::lead::visit::{self, ClickId, Source, Visit};
use domain::viewer::Actor;
use entity::consent_event::{self, ConsentEvidence, ConsentMethod, ConsentSource};
use entity::enums::{Channel, LeadType};
use entity::form::{self, Field, FieldKind, FieldTarget};
use entity::id::{FacilityId, ServiceLineId};
use entity::lead::{Answer, Utm};
use entity::{contact, placement};

use super::World;
use super::book::Book;
use super::chance::Chance;
use super::data::Stream;
use super::people::{People, Wanted};

/// How many people write in each hour of the day.
const BY_HOUR: [f64; 24] = [
    2.0, 1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 7.0, 9.0, 10.0, 10.0, 9.0, 9.0, 9.0, 8.0, 8.0, 8.0, 8.0, 8.0, 9.0,
    10.0, 9.0, 7.0, 4.0,
];

/// A lead that is about to come in.
pub(super) struct Arrival<'a> {
    pub(super) number: usize,
    pub(super) stream: &'a Stream,
    pub(super) form: Option<&'a form::Model>,
    pub(super) at: DateTime<Utc>,
}

/// What somebody asked.
pub(super) struct Asked<'a> {
    pub(super) inquiry: Inquiry,
    pub(super) form: Option<&'a form::Model>,
    pub(super) source: Source,
    /// The person's place among all people.
    pub(super) contact: usize,
    /// The person.
    pub(super) person: contact::Model,
    pub(super) at: DateTime<Utc>,
}

/// When leads come, and by which way.
pub(super) fn arrivals<'a>(world: World<'a>) -> Result<Vec<Arrival<'a>>> {
    let history = world.history;
    (0..history.leads)
        .map(|number| {
            let mut chance = Chance::new(history.seed, (1 << 40) | number as u64);
            let place = chance.weighted(history.streams.iter().map(|stream| stream.weight));
            let stream = &history.streams[place];
            let form =
                match &stream.form {
                    None => None,
                    Some(slug) => {
                        let found = world
                            .playbook
                            .form_by_slug
                            .get(slug)
                            .and_then(|id| world.playbook.forms.get(id));
                        Some(found.ok_or_else(|| {
                            Error::fault(format!("history.json names an unknown form {slug}"))
                        })?)
                    }
                };
            Ok(Arrival {
                number,
                stream,
                form,
                at: moment(world, form.is_some(), &mut chance),
            })
        })
        .collect()
}

/// A moment of the history: more of late than long ago, more on Mondays than on Sundays; calls come while the house is
/// open.
fn moment(world: World<'_>, is_form: bool, chance: &mut Chance) -> DateTime<Utc> {
    let calendar = world.playbook.calendar(None);
    let (zone, days) = (calendar.zone, world.history.days);
    let today = world.now.with_timezone(&zone).date_naive();
    let day = loop {
        let back = chance.between(0, days);
        let day = today - TimeDelta::days(back);
        let busy = match day.weekday() {
            Weekday::Mon => 1.0,
            Weekday::Sat => 0.66,
            Weekday::Sun => 0.58,
            _ => 0.9,
        };
        if chance.yes(busy * (1.0 - 0.35 * back as f64 / days as f64)) {
            break day;
        }
    };
    let hour = chance.weighted(BY_HOUR.into_iter());
    let second = chance.between(0, 3599) + 3600 * hour as i64;
    let local = day.and_time(NaiveTime::MIN) + TimeDelta::seconds(second);
    // The hour that clocks skip is nobody's.
    let written = zone
        .from_local_datetime(&local)
        .earliest()
        .map_or(local.and_utc(), |at| at.to_utc());
    let after_opening = TimeDelta::seconds(chance.between(20, 3000));
    let asked = |at| {
        if is_form {
            at
        } else {
            calendar.next_open(at).unwrap_or(at) + after_opening
        }
    };
    // What would come later today came a week ago.
    let is_past = |at: &DateTime<Utc>| *at < world.now - TimeDelta::minutes(1);
    Some(asked(written))
        .filter(is_past)
        .unwrap_or_else(|| asked(written - TimeDelta::days(7)))
}

/// Somebody asks.
pub(super) fn ask<'a>(
    world: World<'a>,
    arrival: &Arrival<'a>,
    people: &mut People,
    chance: &mut Chance,
    book: &mut Book,
) -> Result<Asked<'a>> {
    let Arrival { stream, form, at, .. } = *arrival;
    let near = near(world, stream, form, chance)?;
    let channel_told = stream.channel.filter(|_| form.is_none());
    let place = people.find(world, wanted(world, arrival, near, chance), chance, book);
    let visit = visit_of(world, stream, form, chance);
    let source = visit::source(&visit, channel_told, form, world.playbook);
    let answered = answers(world, form, near, chance);
    let mut inquiry = Inquiry {
        form_id: form.map(|form| form.id),
        form_draft_id: None,
        lead_type: form
            .map(|form| form.lead_type)
            .or(stream.lead_type)
            .unwrap_or(LeadType::ServiceInquiry),
        channel: channel_told,
        external_id: None,
        person: nobody(),
        requested_service: answered.service,
        service_line_id: form
            .and_then(|form| form.service_line_id)
            .or_else(|| line(world, stream)),
        facility_id: answered.facility.or(form.and_then(|form| form.facility_id)),
        answers: answered.answers,
        consents: Vec::new(),
        consent_method: if form.is_some() {
            ConsentMethod::WebForm
        } else {
            ConsentMethod::Staff
        },
        consent_source: ConsentSource {
            form_id: form.map(|form| form.id),
            message_id: None,
        },
        consent_evidence: ConsentEvidence {
            note: Some(
                if form.is_some() {
                    "checkbox, unticked by default"
                } else {
                    "said so"
                }
                .to_owned(),
            ),
            ..ConsentEvidence::default()
        },
        visit,
    };
    let known = people.of(place);
    inquiry.consents = agreed(world, form, &known.contact, chance);
    let said = consents(world, &inquiry, &known.contact, at, book)?;
    known.consents.extend(said);
    Ok(Asked {
        inquiry,
        form,
        source,
        contact: place,
        person: known.contact.clone(),
        at,
    })
}

/// Slug of the facility near which the person lives.
fn near<'a>(
    world: World<'a>,
    stream: &'a Stream,
    form: Option<&form::Model>,
    chance: &mut Chance,
) -> Result<&'a str> {
    if let Some(near) = &stream.near {
        return Ok(near);
    }
    if let Some(facility) = form
        .and_then(|form| form.facility_id)
        .and_then(|id| world.playbook.facilities.get(&id))
    {
        return Ok(&facility.slug);
    }
    let chosen = world
        .history
        .answers
        .get("facility")
        .and_then(|weights| chance.named(weights));
    chosen.ok_or_else(|| Error::fault("history.json does not say where people live"))
}

fn line(world: World<'_>, stream: &Stream) -> Option<ServiceLineId> {
    world
        .playbook
        .line_named(stream.line.as_deref()?)
        .map(|line| line.id)
}

/// The person who fits the form, or the call.
fn wanted<'a>(world: World<'a>, arrival: &Arrival<'a>, near: &str, chance: &mut Chance) -> Wanted<'a> {
    let Arrival { stream, form, at, .. } = *arrival;
    let asks = |target| form.and_then(|form| form.fields.0.iter().find(|field| field.target == target));
    let mut given = |target: FieldTarget, told: f64, otherwise: f64| match (form, asks(target)) {
        (None, _) => chance.yes(otherwise),
        (Some(_), None) => false,
        (Some(_), Some(field)) => field.required || chance.yes(told),
    };
    let by_chat = stream.channel == Some(Channel::Chat);
    let email = given(FieldTarget::Email, 0.62, if by_chat { 1.0 } else { 0.45 });
    let phone = given(FieldTarget::Phone, 0.74, if by_chat { 0.6 } else { 1.0 });
    let postal_code = given(FieldTarget::PostalCode, 0.7, 0.5);
    let home = world
        .history
        .places
        .get(near)
        .filter(|places| !places.is_empty())
        .map(|places| chance.one(places));
    let home = home.filter(|_| postal_code);
    let organizations = match form.map(|form| form.lead_type) {
        Some(LeadType::Referral) => Some(world.history.practices.as_slice()),
        Some(LeadType::EmployerPartner) => Some(world.history.employers.as_slice()),
        _ => None,
    };
    Wanted {
        language: form.map_or("en", |form| form.language.as_str()),
        organizations,
        email,
        phone: phone || !email,
        // No form asks for the state; who answers the phone does.
        region: home.filter(|_| form.is_none()).map(|(region, _)| region.as_str()),
        postal_code: home.map(|(_, code)| code.as_str()),
        at,
    }
}

/// The address and number of an inquiry are looked at only when its contact is looked for, and that is done.
fn nobody() -> Person {
    Person {
        kind: contact::ContactKind::Person,
        given_name: String::new(),
        family_name: String::new(),
        organization: None,
        email: None,
        phone: None,
        language: String::new(),
        region: None,
        postal_code: None,
        time_zone: None,
    }
}

/// How the visit began, as it would be read from the address of the first page.
fn visit_of(world: World<'_>, stream: &Stream, form: Option<&form::Model>, chance: &mut Chance) -> Visit {
    let mut visit = Visit {
        landing_page: form.map(|form| format!("/f/{}", form.slug)),
        referrer_host: stream.referrer.clone(),
        ..Visit::default()
    };
    let Some(code) = &stream.source else { return visit };
    let found = |placement: &&placement::Model| placement.source_code.as_ref() == Some(code);
    let placement = world.playbook.placements.values().find(found);
    let campaign = placement.and_then(|placement| world.playbook.campaigns.get(&placement.campaign_id));
    let Some(campaign) = campaign else { return visit };
    let (by, medium, click) = match campaign.channel {
        Channel::PaidSearch => ("google", "cpc", Some("gclid")),
        Channel::Social => ("facebook", "paid_social", Some("fbclid")),
        Channel::Email => ("health-letter", "email", None),
        // On paper and at events there is only a code to type in.
        _ => {
            visit.source_code = Some(code.clone());
            return visit;
        }
    };
    visit.utm = Utm {
        source: Some(by.to_owned()),
        medium: Some(medium.to_owned()),
        campaign: Some(campaign.code.clone()),
        term: stream.utm_term.clone(),
        content: Some(code.clone()),
        id: None,
    };
    visit.click_id = click.filter(|_| chance.yes(0.82)).map(|kind| ClickId {
        kind,
        value: format!("{:016x}", chance.bits()),
    });
    visit
}

/// What was answered.
#[derive(Default)]
struct Answered {
    answers: Vec<Answer>,
    service: Option<String>,
    facility: Option<FacilityId>,
}

fn answers(world: World<'_>, form: Option<&form::Model>, near: &str, chance: &mut Chance) -> Answered {
    let mut answered = Answered::default();
    let Some(form) = form else { return answered };
    for field in &form.fields.0 {
        let asked = matches!(field.target, FieldTarget::Answer | FieldTarget::RequestedService);
        match field.target {
            FieldTarget::Facility if field.required || chance.yes(0.9) => {
                let found = world.playbook.facilities.values().find(|row| row.slug == near);
                answered.facility = found.map(|row| row.id);
            }
            _ if !asked || !(field.required || chance.yes(0.85)) => {}
            FieldTarget::RequestedService => answered.service = chosen(world, form, field, chance),
            _ => {
                let value = chosen(world, form, field, chance);
                let answer = |value| Answer {
                    field: field.name.clone(),
                    label: field.label.clone(),
                    value,
                };
                answered.answers.extend(value.map(answer));
            }
        }
    }
    answered
}

/// A value by the weights of the history, where they are for this field; else any option.
fn chosen(world: World<'_>, form: &form::Model, field: &Field, chance: &mut Chance) -> Option<String> {
    let weights = &world.history.answers;
    let of_form: Option<&BTreeMap<String, f64>> = weights.get(&format!("{}@{}", field.name, form.slug));
    if let Some(weights) = of_form.or_else(|| weights.get(&field.name)) {
        let value = chance.named(weights)?;
        let offered =
            field.kind != FieldKind::Select || field.options.iter().any(|option| option.value == value);
        return offered.then(|| value.to_owned());
    }
    match field.kind {
        FieldKind::Select => Some(chance.one(&field.options).value.clone()),
        FieldKind::Checkbox => Some("yes".to_owned()),
        _ => None,
    }
}

/// The boxes that were ticked and those that were not.
fn agreed(
    world: World<'_>,
    form: Option<&form::Model>,
    contact: &contact::Model,
    chance: &mut Chance,
) -> Vec<ConsentAnswer> {
    let by_voice = ["email-care".to_owned(), "phone-care".to_owned()];
    let shown = form.map_or(&by_voice[..], |form| &form.wordings.0);
    shown
        .iter()
        .filter_map(|key| {
            let wording = world.playbook.wording(key, &contact.language)?;
            let percent = world.history.consent_percent.get(key).copied().unwrap_or(50.0);
            Some(ConsentAnswer {
                wording_id: wording.id,
                granted: chance.percent(percent),
            })
        })
        .collect()
}

/// Takes down the consents of an inquiry, under ids of its time.
fn consents(
    world: World<'_>,
    inquiry: &Inquiry,
    contact: &contact::Model,
    at: DateTime<Utc>,
    book: &mut Book,
) -> Result<Vec<consent_event::Model>> {
    let intake = AtIntake {
        contact,
        method: inquiry.consent_method,
        source: &inquiry.consent_source,
        evidence: &inquiry.consent_evidence,
        // The people of the past have long said yes a second time.
        second_yes: None,
        actor: if inquiry.form_id.is_some() {
            Actor::VISITOR
        } else {
            Actor::SYSTEM
        },
        now: at,
        playbook: world.playbook,
    };
    let mut said = Vec::new();
    for mut event in consent::at_intake(intake, &inquiry.consents) {
        event.id = book.id(at);
        said.push(event);
    }
    book.consents.extend(said.iter().cloned());
    Ok(said)
}
