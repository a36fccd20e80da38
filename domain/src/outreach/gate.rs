//! The gate: the one place that decides if a message may go. It **allows** (with proof), **defers** (until, why) or
//! **withholds** (why).
//!
//! A pure function of what is known at the moment of sending; the claim asks it in the transaction that takes the
//! message, from consent as it stands then. The rules:
//!
//! - A mail to staff about their work goes, unless it is out of date or the address is suppressed.
//! - A requested reply (the confirmation of a form) needs no consent, because the person asked for it. A withdrawal
//!   of its purpose made *after* asking stops it; an older one does not, since the request is newer.
//! - Everything else needs a grant for its purpose.
//! - Suppression is stronger than consent. A hard bounce and a do-not-contact stop every mail to the address, requested
//!   or not. A complaint stops what nobody asked for or has booked, that is all nurture but reminders; the person may
//!   still fill in a form and get its answer.
//! - Quiet hours hold for all nurture, in every zone the contact may be in. A requested reply and a mail to staff do
//!   not wait for the morning.
//! - Pauses of the campaign or the sequence hold nurture where it is.
//!
//! A reason to withhold is stronger than a reason to defer, but all reasons are listed. Sentences hold no personal data.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::enums::Purpose;
use entity::id::{ConsentEventId, ConsentWordingId};
use entity::message::{Decision, DecisionReason, GateOutcome, GateReason, MessageKind};
use entity::suppression::SuppressionReason;

use crate::consent::Standing;
use crate::quiet_hours::{self, SendWindow};

#[cfg(test)]
mod tests;

/// Version of these rules, kept with every decision. It rises when a rule changes.
pub const RULES_VERSION: u32 = 1;

/// How long a message waits before the gate looks again when no time is known, as under a pause.
pub const RECHECK: TimeDelta = TimeDelta::minutes(15);

/// What the gate looks at.
#[derive(Clone, Debug)]
pub struct GateInput<'a> {
    /// What the message is.
    pub kind: MessageKind,
    /// What it is for.
    pub purpose: Purpose,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it loses its sense.
    pub expires_at: DateTime<Utc>,
    /// The recipient's address.
    pub address: Option<&'a str>,
    /// What the contact allows for the purpose, on email, at this address. Not looked at for staff.
    pub standing: Standing,
    /// Why the address is suppressed, if it is.
    pub suppressed: Option<SuppressionReason>,
    /// Zones in which the contact may be; none means anywhere in the country.
    pub zones: &'a [Tz],
    /// The local hours in which nurture may go.
    pub window: &'a SendWindow,
    /// Whether the campaign that holds it is paused.
    pub campaign_paused: bool,
    /// Whether the sequence that planned it is paused.
    pub sequence_paused: bool,
    /// Whether the lead was closed, or the enrollment that planned the message left early.
    pub lead_left: bool,
    /// Whether what a mail to staff is about is no longer so: the follow-up is done or has gone to somebody else.
    pub out_of_date: bool,
    /// The present instant.
    pub now: DateTime<Utc>,
}

impl GateInput<'_> {
    /// Whether it goes to a member of staff at work.
    const fn is_staff_notice(&self) -> bool {
        match self.kind {
            MessageKind::FollowUpAssigned | MessageKind::FollowUpDueSoon | MessageKind::FollowUpLate => true,
            MessageKind::Confirmation | MessageKind::Nurture => false,
        }
    }

    fn is_nurture(&self) -> bool {
        self.kind == MessageKind::Nurture
    }
}

/// Decides.
#[must_use]
pub fn decide(input: &GateInput<'_>) -> Decision {
    let mut reasons = reasons_to_withhold(input);
    let withhold = !reasons.is_empty();
    let (holds, until) = reasons_to_defer(input);
    reasons.extend(holds);
    let outcome = match (withhold, reasons.is_empty()) {
        (true, _) => GateOutcome::Withhold,
        (false, false) => GateOutcome::Defer,
        (false, true) => {
            reasons.push(reason_to_allow(input));
            GateOutcome::Allow
        }
    };
    let (consent_event_id, wording_id) = relied_on(input);
    Decision {
        outcome,
        reasons: reasons.into_iter().map(explain).collect(),
        until: until.filter(|_| outcome == GateOutcome::Defer),
        consent_event_id,
        wording_id,
        rules_version: RULES_VERSION,
        at: input.now,
    }
}

/// A withholding that was decided outside of a claim: a withdrawal, a lead that left, a template that failed.
#[must_use]
pub fn withheld(
    reason: GateReason,
    consent_event_id: Option<ConsentEventId>,
    now: DateTime<Utc>,
) -> Decision {
    Decision {
        outcome: GateOutcome::Withhold,
        reasons: vec![explain(reason)],
        until: None,
        consent_event_id,
        wording_id: None,
        rules_version: RULES_VERSION,
        at: now,
    }
}

/// A reason with its sentence.
#[must_use]
pub fn explain(code: GateReason) -> DecisionReason {
    let text = match code {
        GateReason::ConsentGranted => "The contact agreed to email for this purpose.",
        GateReason::RequestedReply => "The person asked for this reply by filling in a form.",
        GateReason::StaffNotice => "It goes to a member of staff about their work.",
        GateReason::NoConsent => "The contact has not agreed to email for this purpose.",
        GateReason::ConsentWithdrawn => "The contact has taken back the consent to email for this purpose.",
        GateReason::Suppressed => "The address must not be written to.",
        GateReason::NoAddress => "There is no email address to write to.",
        GateReason::QuietHours => "It is quiet hours where the contact may be.",
        GateReason::CampaignPaused => "The campaign is paused.",
        GateReason::SequencePaused => "The sequence is paused.",
        GateReason::LeadLeft => "The lead was closed or left the sequence.",
        GateReason::OutOfDate => "What it was about is no longer so.",
        GateReason::TemplateFailed => "The template could not be filled in.",
        GateReason::Expired => "It was not sent while it still made sense.",
    };
    DecisionReason {
        code,
        text: text.to_owned(),
    }
}

/// Why it may never go, strongest first.
fn reasons_to_withhold(input: &GateInput<'_>) -> Vec<GateReason> {
    let found = [
        input
            .address
            .is_none_or(|address| address.trim().is_empty())
            .then_some(GateReason::NoAddress),
        input
            .suppressed
            .is_some_and(|why| stops(why, input))
            .then_some(GateReason::Suppressed),
        consent_missing(input),
        (!input.is_staff_notice() && input.lead_left).then_some(GateReason::LeadLeft),
        (input.is_staff_notice() && input.out_of_date).then_some(GateReason::OutOfDate),
        (input.now >= input.expires_at).then_some(GateReason::Expired),
    ];
    found.into_iter().flatten().collect()
}

/// Whether a suppressed address stops this message.
fn stops(why: SuppressionReason, input: &GateInput<'_>) -> bool {
    match why {
        SuppressionReason::HardBounce | SuppressionReason::DoNotContact => true,
        SuppressionReason::Complaint => input.is_nurture() && input.purpose != Purpose::Reminder,
    }
}

fn consent_missing(input: &GateInput<'_>) -> Option<GateReason> {
    match (input.kind, input.standing) {
        _ if input.is_staff_notice() => None,
        (_, Standing::Granted { .. }) => None,
        (MessageKind::Confirmation, Standing::Withdrawn { at, .. }) => {
            (at >= input.planned_at).then_some(GateReason::ConsentWithdrawn)
        }
        (MessageKind::Confirmation, _) => None,
        (_, Standing::Withdrawn { .. }) => Some(GateReason::ConsentWithdrawn),
        (_, Standing::Denied | Standing::None | Standing::Expired) => Some(GateReason::NoConsent),
    }
}

/// Why it may not go now, and when to ask again: when the last of the known holds has passed.
fn reasons_to_defer(input: &GateInput<'_>) -> (Vec<GateReason>, Option<DateTime<Utc>>) {
    if !input.is_nurture() {
        return (Vec::new(), None);
    }
    let recheck = input.now + RECHECK;
    let mut holds = Vec::new();
    if !quiet_hours::is_allowed(input.now, input.zones, input.window) {
        let opens = quiet_hours::next_allowed(input.now, input.zones, input.window);
        holds.push((GateReason::QuietHours, opens.unwrap_or(recheck)));
    }
    if input.campaign_paused {
        holds.push((GateReason::CampaignPaused, recheck));
    }
    if input.sequence_paused {
        holds.push((GateReason::SequencePaused, recheck));
    }
    let until = holds.iter().map(|(_, until)| *until).max();
    (holds.into_iter().map(|(reason, _)| reason).collect(), until)
}

fn reason_to_allow(input: &GateInput<'_>) -> GateReason {
    match input.kind {
        _ if input.is_staff_notice() => GateReason::StaffNotice,
        MessageKind::Confirmation => GateReason::RequestedReply,
        _ => GateReason::ConsentGranted,
    }
}

/// The consent event that the decision stands on, and the wording the person saw. A requested reply and a mail to staff
/// stand on no consent, so only a withdrawal that stops the reply is named there.
fn relied_on(input: &GateInput<'_>) -> (Option<ConsentEventId>, Option<ConsentWordingId>) {
    match input.standing {
        _ if input.is_staff_notice() => (None, None),
        Standing::Granted { event_id, wording_id } if input.is_nurture() => (Some(event_id), wording_id),
        Standing::Withdrawn { event_id, .. } if consent_missing(input).is_some() => (Some(event_id), None),
        _ => (None, None),
    }
}
