//! What the gate has to know of a batch, read set by set within the claim.

mod to_staff;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::enrollment::EnrollmentState;
use entity::enums::{LeadStage, Medium, Purpose};
use entity::id::{
    CampaignId, ContactId, EnrollmentId, FollowUpId, LeadId, MailingId, SequenceId, ServiceLineId, StaffId,
    TemplateVersionId,
};
use entity::mailing::MailingState;
use entity::message::{self, Decision, GateOutcome, MessageKind};
use entity::sequence::SequenceState;
use entity::suppression::SuppressionReason;
use entity::{
    appointment, consent_event, contact, contact_preference, follow_up, form_draft, lead, outreach_hold,
    staff, template_version,
};
use sea_orm::DatabaseTransaction;

use super::Recipient;
use super::rows::{
    Contacts, campaigns, contacts, digests, drafts, enrollments, find_follow_ups, find_leads, find_staff,
    history, holds, is_stopped, latest_consents, mailings, next_visits, preferences, sequences, suppressed,
    templates, unwanted_lines,
};
use super::turns::Turns;
use crate::consent::Standing;
use crate::consent::standing::fold;
use crate::contact::zones::possible_zones;
use crate::error::Result;
use crate::follow_up::digest::Digest;
use crate::hospital::Hospital;
use crate::link::Secrets;
use crate::outreach::click;
use crate::outreach::gate::{
    self, CampaignNow, GateInput, Pacing, Preferences, TemplateApproval, WEEK, is_bulk, is_promotional,
};
use crate::playbook::Playbook;
use crate::report::hospital_zone;

/// The state of the world for one batch. What must be true at the moment of sending comes from the database; from the
/// playbook come only facilities, teams, windows, caps, what makes demand, and who of the staff is away.
pub(in crate::outreach) struct Known<'a> {
    pub(super) now: DateTime<Utc>,
    playbook: &'a Playbook,
    secrets: &'a Secrets,
    /// Zones of all facilities: where a contact is looked for of whom no place is known.
    home_zones: Vec<Tz>,
    contacts: HashMap<ContactId, Arc<contact::Model>>,
    consents: HashMap<ContactId, Vec<consent_event::Model>>,
    /// When contacts were sent promotional mail of late, the latest first.
    history: HashMap<ContactId, Vec<DateTime<Utc>>>,
    preferences: HashMap<ContactId, contact_preference::Model>,
    unwanted_lines: HashSet<(ContactId, ServiceLineId)>,
    staff: HashMap<StaffId, Arc<staff::Model>>,
    suppressed: HashMap<Vec<u8>, SuppressionReason>,
    leads: HashMap<LeadId, Arc<lead::Model>>,
    enrollments: HashMap<EnrollmentId, EnrollmentState>,
    sequences: HashMap<SequenceId, (SequenceState, Option<CampaignId>)>,
    /// Those of the batch, but for one that somebody is stopping at this moment.
    mailings: HashMap<MailingId, MailingState>,
    campaigns: HashMap<CampaignId, CampaignNow>,
    holds: Vec<outreach_hold::Model>,
    sending_stopped: bool,
    /// Whose turn it is among the mails that make demand.
    pub(super) turns: Turns,
    follow_ups: HashMap<FollowUpId, Arc<follow_up::Model>>,
    /// By the version that a message was planned with: the version that counts now, and whether mails may be made of it.
    templates: HashMap<TemplateVersionId, (Arc<template_version::Model>, bool)>,
    /// The next booked visit of each lead.
    visits: HashMap<LeadId, appointment::Model>,
    /// The saved forms that messages link to.
    drafts: Vec<Arc<form_draft::Model>>,
    /// What the people have to do whom a digest goes to.
    digests: HashMap<StaffId, Arc<Digest>>,
}

/// What the gate says of a message.
pub(in crate::outreach) struct Asked {
    pub(in crate::outreach) decision: Decision,
    /// How long a message that may go may still begin to go out; none when no window holds it.
    pub(super) good_for: Option<TimeDelta>,
}

impl<'a> Known<'a> {
    /// Reads all of it: one statement per table, and none for a table that no message of the batch names. The time is
    /// taken when the contacts are held, so that nothing that is read is later than it.
    pub(in crate::outreach) async fn read(
        tx: &DatabaseTransaction,
        h: &'a Hospital,
        playbook: &'a Playbook,
        messages: &[message::Model],
        hold: Contacts,
    ) -> Result<Self> {
        let contacts = contacts(tx, ids(messages, |m| m.contact_id), hold).await?;
        let mailings = mailings(tx, ids(messages, |m| m.mailing_id), hold).await?;
        // Read after the locks: a withdrawal that was written before them must not be later than this, or it would not
        // count.
        let now = h.now();
        let staff = by_id(find_staff(tx, ids(messages, |m| m.staff_id)).await?, |row| row.id);
        let hashes = contacts
            .values()
            .filter_map(|contact| contact.email_normalized.as_deref())
            .chain(staff.values().map(|staff| staff.email.as_str()))
            .map(|address| email_hash(&h.secrets, address))
            .collect();
        let sequence_ids = ids(messages, |m| m.sequence_id);
        let sequences = sequences(tx, sequence_ids.clone()).await?;
        let mut campaign_ids = ids(messages, |m| m.campaign_id);
        campaign_ids.extend(sequences.values().filter_map(|(_, campaign)| *campaign));
        let leads = by_id(find_leads(tx, ids(messages, |m| m.lead_id)).await?, |row| row.id);
        let counted = ids(messages, |m| {
            m.contact_id.filter(|_| is_promotional(m.kind, m.purpose))
        });
        let line_of = |message: &message::Model| {
            let lead = message.lead_id.and_then(|id| leads.get(&id));
            lead.and_then(|lead| lead.service_line_id)
        };
        let turns = Turns::read(tx, playbook, messages, line_of, hold, || h.now()).await?;
        let bulk = messages.iter().any(|m| is_bulk(m.kind, m.purpose));
        Ok(Self {
            now,
            playbook,
            secrets: &h.secrets,
            home_zones: home_zones(playbook),
            consents: latest_consents(tx, contacts.keys().copied().collect(), now).await?,
            contacts,
            preferences: preferences(tx, counted.clone()).await?,
            unwanted_lines: unwanted_lines(tx, counted.clone()).await?,
            history: history(tx, counted, now - WEEK, now).await?,
            staff,
            suppressed: suppressed(tx, hashes).await?,
            visits: next_visits(tx, &leads, now).await?,
            drafts: drafts(tx, messages, &leads).await?,
            digests: digests(tx, playbook, messages, now).await?,
            leads,
            turns,
            enrollments: enrollments(tx, ids(messages, |m| m.enrollment_id)).await?,
            sequences,
            mailings,
            holds: holds(tx, &campaign_ids, &sequence_ids).await?,
            campaigns: campaigns(tx, campaign_ids, hospital_zone(playbook)).await?,
            sending_stopped: bulk && is_stopped(tx, &h.site.mail_domain().to_ascii_lowercase()).await?,
            follow_ups: by_id(
                find_follow_ups(tx, ids(messages, |m| m.follow_up_id)).await?,
                |row| row.id,
            ),
            templates: templates(tx, ids(messages, |m| m.template_version_id)).await?,
        })
    }

    /// What the gate says. None when the contact or the mailing is locked by somebody, such as a withdrawal or a stop that
    /// is being written.
    pub(in crate::outreach) fn ask(&self, message: &message::Model) -> Option<Asked> {
        let contact = match message.contact_id {
            Some(id) => Some(self.contacts.get(&id)?),
            None => None,
        };
        let mailing = match message.mailing_id {
            Some(id) => Some(*self.mailings.get(&id)?),
            None => None,
        };
        let staff = message.staff_id.and_then(|id| self.staff.get(&id));
        let normalized = match (contact, staff) {
            (Some(contact), _) => contact.email_normalized.as_deref(),
            (None, staff) => staff.map(|staff| staff.email.as_str()),
        };
        let zones = contact
            .map(|contact| self.zones(message, contact))
            .unwrap_or_default();
        let recipient = self.recipient(message);
        let campaigns = self.campaigns_of(message);
        let campaigns_now: Vec<CampaignNow> = campaigns
            .iter()
            .filter_map(|id| self.campaigns.get(id).copied())
            .collect();
        let input = GateInput {
            kind: message.kind,
            purpose: message.purpose,
            planned_at: message.created_at,
            expires_at: message.expires_at,
            address: recipient.as_ref().map(|(_, address)| address.as_str()),
            standing: self.standing(message, normalized, message.purpose),
            suppressed: normalized.and_then(|address| {
                self.suppressed
                    .get(email_hash(self.secrets, address).as_slice())
                    .copied()
            }),
            preferences: self.preferences(message),
            zones: &zones,
            window: self
                .playbook
                .send_windows
                .of(contact.and_then(|contact| contact.region.as_deref())),
            caps: self.playbook.caps,
            history: message
                .contact_id
                .and_then(|id| self.history.get(&id))
                .map_or(&[], Vec::as_slice),
            campaigns: &campaigns_now,
            sequence_paused: self
                .sequence(message)
                .is_some_and(|(state, _)| state == SequenceState::Paused),
            mailing_stopped: mailing == Some(MailingState::Stopped),
            template: self.approval(message),
            pacing: self.pacing(message, &campaigns),
            turn: self.turns.of(self.playbook, message, self.lead_of(message)),
            sending_stopped: self.sending_stopped,
            lead_left: self.lead_left(message),
            out_of_date: self.out_of_date(message),
            staff_away: self.staff_away(message),
            now: self.now,
        };
        Some(Asked {
            decision: gate::decide(&input),
            good_for: gate::good_for(&input),
        })
    }

    fn lead_of(&self, message: &message::Model) -> Option<&lead::Model> {
        let lead = message.lead_id.and_then(|id| self.leads.get(&id));
        lead.map(AsRef::as_ref)
    }

    /// Takes note of what the gate said of a message, for those of the batch that come after it.
    pub(super) fn decided(&mut self, message: &message::Model, said: &Decision) {
        if said.outcome == GateOutcome::Allow {
            self.count(message);
        }
        let lead = message.lead_id.and_then(|id| self.leads.get(&id));
        self.turns.decided(message, lead.map(AsRef::as_ref), said);
    }

    /// Counts a message that may go.
    fn count(&mut self, message: &message::Model) {
        if let Some(contact) = message
            .contact_id
            .filter(|_| is_promotional(message.kind, message.purpose))
        {
            self.history.entry(contact).or_default().insert(0, self.now);
        }
    }

    /// Who the message goes to and at which address; none without an address.
    pub(super) fn recipient(&self, message: &message::Model) -> Option<(Recipient, String)> {
        if let Some(contact) = message.contact_id.and_then(|id| self.contacts.get(&id)) {
            let address = contact.email.clone()?;
            return Some((Recipient::Contact(Arc::clone(contact)), address));
        }
        let staff = message.staff_id.and_then(|id| self.staff.get(&id))?;
        Some((Recipient::Staff(Arc::clone(staff)), staff.email.clone()))
    }

    pub(super) fn lead(&self, message: &message::Model) -> Option<Arc<lead::Model>> {
        self.leads.get(&message.lead_id?).cloned()
    }

    /// The version of its template that counts now, and whether mails may be made of it.
    pub(super) fn template(&self, message: &message::Model) -> Option<(Arc<template_version::Model>, bool)> {
        self.templates.get(&message.template_version_id?).cloned()
    }

    /// Whether the words that a contact would read were agreed to. Mail to staff about their work has none to agree to.
    fn approval(&self, message: &message::Model) -> TemplateApproval {
        match self.template(message) {
            _ if message.contact_id.is_none() => TemplateApproval::NotNeeded,
            Some((_, true)) => TemplateApproval::Approved,
            _ => TemplateApproval::NotApproved,
        }
    }

    pub(super) fn follow_up(&self, message: &message::Model) -> Option<Arc<follow_up::Model>> {
        self.follow_ups.get(&message.follow_up_id?).cloned()
    }

    pub(super) fn next_visit(&self, message: &message::Model) -> Option<appointment::Model> {
        self.visits.get(&message.lead_id?).cloned()
    }

    /// What the person has to do whom a digest goes to.
    pub(super) fn digest(&self, message: &message::Model) -> Option<Arc<Digest>> {
        let staff_id = message
            .staff_id
            .filter(|_| message.kind == MessageKind::FollowUpDigest)?;
        self.digests.get(&staff_id).cloned()
    }

    /// The saved form that a message links to.
    pub(super) fn draft(&self, message: &message::Model) -> Option<Arc<form_draft::Model>> {
        let is_meant = |draft: &&Arc<form_draft::Model>| match message.kind {
            MessageKind::FormSaved => draft.message_id == Some(message.id),
            _ => message.lead_id.is_some() && draft.lead_id == message.lead_id,
        };
        self.drafts.iter().find(is_meant).cloned()
    }

    /// Whether the contact allows that we see which links of this mail it opens.
    pub(super) fn shows_clicks(&self, message: &message::Model) -> bool {
        let contact = message.contact_id.and_then(|id| self.contacts.get(&id));
        let address = contact.and_then(|contact| contact.email_normalized.as_deref());
        click::may_show(message.kind, message.purpose)
            && self.standing(message, address, Purpose::Tracking).is_granted()
    }

    fn standing(&self, message: &message::Model, normalized: Option<&str>, purpose: Purpose) -> Standing {
        let events = message.contact_id.and_then(|id| self.consents.get(&id));
        match (events, normalized) {
            (Some(events), Some(address)) => fold(events, Medium::Email, address, purpose, self.now),
            _ => Standing::None,
        }
    }

    /// What the contact chose beside its consent.
    fn preferences(&self, message: &message::Model) -> Preferences {
        let Some(contact) = message.contact_id else {
            return Preferences::default();
        };
        let row = self.preferences.get(&contact);
        let line = message
            .lead_id
            .and_then(|id| self.leads.get(&id))
            .and_then(|lead| lead.service_line_id);
        Preferences {
            paused_until: row.and_then(|row| row.paused_until),
            // The database keeps it at one or more.
            max_per_week: row
                .and_then(|row| row.max_per_week)
                .map(|cap| u32::try_from(cap).unwrap_or_default()),
            wants_line: line.is_none_or(|line| !self.unwanted_lines.contains(&(contact, line))),
        }
    }

    /// Where the contact may be: by what is known of it, by the facility that serves the lead, else anywhere around the
    /// hospital.
    fn zones(&self, message: &message::Model, contact: &contact::Model) -> Vec<Tz> {
        let named = contact.time_zone.as_deref().and_then(|zone| zone.parse().ok());
        let facility = message
            .lead_id
            .and_then(|id| self.leads.get(&id))
            .and_then(|lead| lead.facility_id);
        let known = named.is_some() || contact.region.is_some() || facility.is_some();
        if known {
            possible_zones(named, contact.region.as_deref(), self.playbook.zone(facility))
        } else {
            self.home_zones.clone()
        }
    }

    fn sequence(&self, message: &message::Model) -> Option<(SequenceState, Option<CampaignId>)> {
        self.sequences.get(&message.sequence_id?).copied()
    }

    /// The campaigns that a message belongs to: of its planning, and of its sequence as it is now.
    fn campaigns_of(&self, message: &message::Model) -> Vec<CampaignId> {
        let of_sequence = self.sequence(message).and_then(|(_, campaign)| campaign);
        let mut campaigns: Vec<CampaignId> =
            [message.campaign_id, of_sequence].into_iter().flatten().collect();
        campaigns.dedup();
        campaigns
    }

    /// Whether staff hold the campaign or the sequence back, and until when.
    fn pacing(&self, message: &message::Model, campaigns: &[CampaignId]) -> Pacing {
        let holds = self.holds.iter().filter(|hold| {
            let is_meant = hold.campaign_id.is_some_and(|id| campaigns.contains(&id))
                || hold.sequence_id.is_some_and(|id| message.sequence_id == Some(id));
            is_meant && hold.until.is_none_or(|until| until > self.now)
        });
        let mut pacing = Pacing::Open;
        for hold in holds {
            let until = match pacing {
                Pacing::Open => hold.until,
                // A hold without an end is longer than any other.
                Pacing::Held { until } => hold.until.zip(until).map(|(one, other)| one.max(other)),
            };
            pacing = Pacing::Held { until };
        }
        pacing
    }

    fn lead_left(&self, message: &message::Model) -> bool {
        let lead = message.lead_id.and_then(|id| self.leads.get(&id));
        let enrollment = message.enrollment_id.and_then(|id| self.enrollments.get(&id));
        lead.is_some_and(|lead| lead.stage == LeadStage::Closed)
            || enrollment == Some(&EnrollmentState::Exited)
    }
}

/// Zones of all facilities, each once.
fn home_zones(playbook: &Playbook) -> Vec<Tz> {
    let zones = playbook.facilities.keys().map(|id| playbook.zone(Some(*id)));
    let mut zones: Vec<Tz> = zones.collect();
    zones.sort_unstable_by_key(|zone| zone.name());
    zones.dedup();
    zones
}

fn email_hash(secrets: &Secrets, normalized: &str) -> Vec<u8> {
    secrets.address_hash(Medium::Email.as_str(), normalized).to_vec()
}

/// The ids that a batch names, each once.
fn ids<Id: Copy + Ord>(messages: &[message::Model], id: impl Fn(&message::Model) -> Option<Id>) -> Vec<Id> {
    let mut ids: Vec<Id> = messages.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

pub(super) fn by_id<Id: Eq + Hash, Row>(rows: Vec<Row>, id: impl Fn(&Row) -> Id) -> HashMap<Id, Arc<Row>> {
    rows.into_iter().map(|row| (id(&row), Arc::new(row))).collect()
}
