//! The gate: the one place that decides if a message may go. It **allows** (with proof), **defers** (until, why) or
//! **withholds** (why).
//!
//! A pure function of what is known at the moment of sending; the claim asks it in the transaction that takes the
//! message, from consent as it stands then. The rules:
//!
//! - A mail to staff about their work goes, unless it is out of date, the person is away or the address is suppressed.
//! - A requested reply (the confirmation of a form) needs no consent, because the person asked for it. A withdrawal
//!   of its purpose made *after* asking stops it; an older one does not, since the request is newer.
//! - The mail that asks for a second yes is such a reply too, and so is the link to a form that somebody saved.
//! - Everything else needs a grant for its purpose. While a second yes is awaited it waits too, until that can no longer
//!   come.
//! - Suppression is stronger than consent. A hard bounce and a do-not-contact stop every mail to the address, requested
//!   or not. A complaint stops what nobody asked for or has booked, that is all nurture but reminders; the person may
//!   still fill in a form and get its answer. So does an address from which mails have come back for days.
//! - Quiet hours hold for all nurture, in every zone the contact may be in and by every window that may hold there. A
//!   requested reply and a mail to staff do not wait for the morning.
//! - Pauses of the campaign or the sequence hold nurture where it is, and so does a text that is not approved.
//! - A mailing that was stopped sends nothing any more.
//! - *Promotional* nurture, that is marketing and research but neither care coordination nor reminders, also keeps to
//!   the contact's own pause and choice of service lines, the frequency caps over all campaigns, and the campaign's days
//!   and budget. What a campaign has not begun or cannot pay for waits; what comes after its last day never goes.
//! - A hold for capacity is about demand, so it holds marketing alone: those who are patients already are still helped.
//! - Marketing of a campaign or sequence that makes demand waits for its turn where people have said how many visits are
//!   open. Nothing else ever does: what people asked for, reminders and help for patients.
//! - A stop for the good name of the sending domain holds all bulk, that is all nurture but reminders. Answers that
//!   people asked for, reminders and mail to staff go on: few of them are ever reported, and mailbox providers ask that
//!   the streams be kept apart.
//!
//! A reason to withhold is stronger than a reason to defer, but all reasons are listed. Sentences hold no personal data.

mod campaign;
mod caps;
mod hold;
mod sentence;
mod turn;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::enums::Purpose;
use entity::id::{ConsentEventId, ConsentWordingId};
use entity::message::{Decision, GateOutcome, GateReason, MessageKind};
use entity::suppression::SuppressionReason;

use self::hold::{Hold, holds};
use self::sentence::explain_until;
use crate::consent::Standing;
use crate::quiet_hours::SendWindow;

pub use self::campaign::CampaignNow;
pub use self::caps::{Caps, WEEK};
pub use self::sentence::explain;
pub use self::turn::{Turn, has_place, reason_in_line, retold};

#[cfg(test)]
mod tests;

/// Version of these rules, kept with every decision. It rises when a rule changes.
pub const RULES_VERSION: u32 = 5;

/// How long a message waits before the gate looks again when no time is known, as under a pause.
pub const RECHECK: TimeDelta = TimeDelta::minutes(15);

/// Whether the text of a message may go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TemplateApproval {
    /// It needs no approval.
    #[default]
    NotNeeded,
    /// It is approved and unchanged since.
    Approved,
    /// It is not approved, or was changed since.
    NotApproved,
}

/// Whether the teams can serve those who would answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// They can.
    #[default]
    Open,
    /// They cannot.
    Held {
        /// When they can again; none if nobody knows.
        until: Option<DateTime<Utc>>,
    },
}

/// What the contact chose beside its consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Until when it wants no promotional mail.
    pub paused_until: Option<DateTime<Utc>>,
    /// Most promotional mails in any 7 days; none leaves it to the house.
    pub max_per_week: Option<u32>,
    /// Whether it wants mail about the service line that the message is about.
    pub wants_line: bool,
}

impl Default for Preferences {
    /// What holds for a contact that chose nothing.
    fn default() -> Self {
        Self {
            paused_until: None,
            max_per_week: None,
            wants_line: true,
        }
    }
}

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
    /// What the contact chose beside its consent.
    pub preferences: Preferences,
    /// Zones in which the contact may be; none means anywhere in the country.
    pub zones: &'a [Tz],
    /// The local hours in which nurture may go.
    pub window: &'a SendWindow,
    /// The house's frequency caps.
    pub caps: Caps,
    /// When the contact was sent, or is just about to be sent, the promotional mails of the last [`WEEK`], over all
    /// campaigns, the latest first.
    pub history: &'a [DateTime<Utc>],
    /// The campaigns that it belongs to.
    pub campaigns: &'a [CampaignNow],
    /// Whether the sequence that planned it is paused.
    pub sequence_paused: bool,
    /// Whether the mailing that planned it was stopped.
    pub mailing_stopped: bool,
    /// Whether its text may go out.
    pub template: TemplateApproval,
    /// Whether the teams can serve those who would answer.
    pub pacing: Pacing,
    /// Whether it is its turn among the mails that make demand.
    pub turn: Turn,
    /// Whether bulk mail of the sending domain is stopped.
    pub sending_stopped: bool,
    /// Whether the lead was closed, or the enrollment that planned the message left early.
    pub lead_left: bool,
    /// Whether what a mail to staff is about is no longer so: the follow-up is done or has gone to somebody else.
    pub out_of_date: bool,
    /// Whether it reminds a member of staff who is away.
    pub staff_away: bool,
    /// The present instant.
    pub now: DateTime<Utc>,
}

impl GateInput<'_> {
    /// Whether it goes to a member of staff at work.
    const fn is_staff_notice(&self) -> bool {
        match self.kind {
            MessageKind::FollowUpAssigned
            | MessageKind::FollowUpDueSoon
            | MessageKind::FollowUpLate
            | MessageKind::FollowUpDigest
            | MessageKind::SlaWarning
            | MessageKind::SlaTakenBack
            | MessageKind::SequenceNotice
            | MessageKind::TemplateTest
            | MessageKind::SendingAlert => true,
            MessageKind::Confirmation
            | MessageKind::OptIn
            | MessageKind::FormSaved
            | MessageKind::Nurture => false,
        }
    }

    fn is_nurture(&self) -> bool {
        self.kind == MessageKind::Nurture
    }

    fn is_bulk(&self) -> bool {
        is_bulk(self.kind, self.purpose)
    }

    fn is_promotional(&self) -> bool {
        is_promotional(self.kind, self.purpose)
    }
}

/// Whether it is a mail that nobody waits for.
#[must_use]
pub fn is_bulk(kind: MessageKind, purpose: Purpose) -> bool {
    kind == MessageKind::Nurture && purpose != Purpose::Reminder
}

/// Whether it is a mail that serves the hospital before it serves the contact. These are the mails that caps count.
#[must_use]
pub fn is_promotional(kind: MessageKind, purpose: Purpose) -> bool {
    kind == MessageKind::Nurture && matches!(purpose, Purpose::Marketing | Purpose::Research)
}

/// How long a mail that was allowed may still begin to go out: until the window closes. None when no window holds it.
#[must_use]
pub fn good_for(input: &GateInput<'_>) -> Option<TimeDelta> {
    hold::good_for(input)
}

/// Decides.
#[must_use]
pub fn decide(input: &GateInput<'_>) -> Decision {
    let against = reasons_to_withhold(input);
    let holds = holds(input);
    let outcome = match (against.is_empty(), holds.is_empty()) {
        (false, _) => GateOutcome::Withhold,
        (true, false) => GateOutcome::Defer,
        (true, true) => GateOutcome::Allow,
    };
    let mut reasons: Vec<_> = against.into_iter().map(explain).collect();
    let waits = |hold: &Hold| explain_until(hold.reason, Some(hold.until));
    reasons.extend(holds.iter().map(waits));
    if outcome == GateOutcome::Allow {
        reasons.push(explain(reason_to_allow(input)));
    }
    let (consent_event_id, wording_id) = relied_on(input);
    Decision {
        outcome,
        reasons,
        until: hold::until(input, &holds).filter(|_| outcome == GateOutcome::Defer),
        consent_event_id,
        wording_id,
        rules_version: RULES_VERSION,
        window_version: input.is_nurture().then(|| input.window.version.clone()),
        cap_version: input.is_promotional().then_some(input.caps.version),
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
        window_version: None,
        cap_version: None,
        at: now,
    }
}

/// A delay that was decided outside of a claim's gate: a rate that is used up.
#[must_use]
pub(super) fn deferred(
    reason: GateReason,
    until: DateTime<Utc>,
    consent_event_id: Option<ConsentEventId>,
    now: DateTime<Utc>,
) -> Decision {
    Decision {
        outcome: GateOutcome::Defer,
        reasons: vec![explain_until(reason, Some(until))],
        until: Some(until),
        ..withheld(reason, consent_event_id, now)
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
        (input.is_promotional() && !input.preferences.wants_line).then_some(GateReason::LineUnwanted),
        input.mailing_stopped.then_some(GateReason::MailingStopped),
        (!input.is_staff_notice() && input.lead_left).then_some(GateReason::LeadLeft),
        (input.is_promotional() && input.campaigns.iter().any(|campaign| campaign.is_over(input.now)))
            .then_some(GateReason::CampaignEnded),
        (input.is_staff_notice() && input.out_of_date).then_some(GateReason::OutOfDate),
        (input.is_staff_notice() && input.staff_away).then_some(GateReason::StaffAway),
        (input.now >= input.expires_at).then_some(GateReason::Expired),
    ];
    found.into_iter().flatten().collect()
}

/// Whether a suppressed address stops this message.
fn stops(why: SuppressionReason, input: &GateInput<'_>) -> bool {
    match why {
        SuppressionReason::HardBounce | SuppressionReason::DoNotContact => true,
        SuppressionReason::Complaint | SuppressionReason::SoftBounces => {
            input.kind == MessageKind::OptIn || input.is_bulk()
        }
    }
}

fn consent_missing(input: &GateInput<'_>) -> Option<GateReason> {
    match (input.kind, input.standing) {
        _ if input.is_staff_notice() => None,
        // Whether it waits for the second yes is said with the reasons to defer.
        (_, Standing::Granted { .. } | Standing::Pending { .. }) => None,
        (
            MessageKind::Confirmation | MessageKind::OptIn | MessageKind::FormSaved,
            Standing::Withdrawn { at, .. },
        ) => (at >= input.planned_at).then_some(GateReason::ConsentWithdrawn),
        (MessageKind::Confirmation | MessageKind::OptIn | MessageKind::FormSaved, _) => None,
        (_, Standing::Withdrawn { .. }) => Some(GateReason::ConsentWithdrawn),
        (_, Standing::Denied | Standing::None | Standing::Expired) => Some(GateReason::NoConsent),
    }
}

fn reason_to_allow(input: &GateInput<'_>) -> GateReason {
    match input.kind {
        _ if input.is_staff_notice() => GateReason::StaffNotice,
        MessageKind::Confirmation | MessageKind::OptIn | MessageKind::FormSaved => GateReason::RequestedReply,
        _ => GateReason::ConsentGranted,
    }
}

/// The consent event that the decision stands on, and the wording the person saw. A requested reply and a mail to staff
/// stand on no consent, so only a withdrawal that stops the reply is named there.
fn relied_on(input: &GateInput<'_>) -> (Option<ConsentEventId>, Option<ConsentWordingId>) {
    match input.standing {
        _ if input.is_staff_notice() => (None, None),
        Standing::Granted { event_id, wording_id }
        | Standing::Pending {
            event_id, wording_id, ..
        } if input.is_nurture() => (Some(event_id), wording_id),
        Standing::Withdrawn { event_id, .. } if consent_missing(input).is_some() => (Some(event_id), None),
        _ => (None, None),
    }
}
