//! What a mail can say of a lead, from the rows.

use chrono_tz::Tz;
use entity::{appointment, contact, lead};

use super::MailFacts;
use crate::hospital::Site;
use crate::playbook::Playbook;

impl<'a> MailFacts<'a> {
    /// The facts of a contact and, if there are, its lead and the next booked visit; all but the links of one mail, which
    /// are empty.
    #[must_use]
    pub fn of(
        site: &'a Site,
        playbook: &'a Playbook,
        contact: &'a contact::Model,
        lead: Option<&lead::Model>,
        visit: Option<&appointment::Model>,
    ) -> Self {
        let facility_id = visit
            .and_then(|visit| visit.facility_id)
            .or_else(|| lead.and_then(|lead| lead.facility_id));
        let facility = facility_id.and_then(|id| playbook.facilities.get(&id));
        let zone: Tz = playbook.zone(facility_id);
        Self {
            given_name: &contact.given_name,
            family_name: &contact.family_name,
            facility_name: facility.map_or(site.name.as_str(), |facility| &facility.name),
            facility_phone: facility_id
                .and_then(|id| playbook.facility_phones.get(&id))
                .map_or("", String::as_str),
            service_line_name: lead
                .and_then(|lead| playbook.lines.get(&lead.service_line_id?))
                .map(|line| line.name.as_str()),
            appointment_at: visit.map(|visit| visit.starts_at.with_timezone(&zone)),
            unsubscribe_url: "",
            preferences_url: "",
            finish_url: "",
            postal_address: &site.postal_address,
            hospital_name: &site.name,
            team_name: lead
                .and_then(|lead| playbook.teams.get(&lead.team_id))
                .map_or(site.name.as_str(), |team| &team.name),
        }
    }
}
