//! What the gate's reasons say to people. Sentences hold no personal data.

use chrono::{DateTime, Utc};
use entity::message::{DecisionReason, GateReason};

/// A reason with its sentence.
#[must_use]
pub fn explain(code: GateReason) -> DecisionReason {
    explain_until(code, None)
}

/// A reason that holds until a time.
pub(super) fn explain_until(code: GateReason, until: Option<DateTime<Utc>>) -> DecisionReason {
    let text = match code {
        GateReason::ConsentGranted => "The contact agreed to email for this purpose.",
        GateReason::RequestedReply => "The person asked for this reply by filling in a form.",
        GateReason::StaffNotice => "It goes to a member of staff about their work.",
        GateReason::NoConsent => "The contact has not agreed to email for this purpose.",
        GateReason::ConsentWithdrawn => "The contact has taken back the consent to email for this purpose.",
        GateReason::OptInPending => {
            "The contact has not confirmed the consent to email for this purpose yet."
        }
        GateReason::Suppressed => "The address must not be written to.",
        GateReason::NoAddress => "There is no email address to write to.",
        GateReason::QuietHours => "It is quiet hours where the contact may be.",
        GateReason::FrequencyCap => {
            "The contact has had as many mails as it may get for now, over all campaigns."
        }
        GateReason::ContactPaused => "The contact has asked for a pause.",
        GateReason::LineUnwanted => "The contact does not want mail about this service.",
        GateReason::CampaignPaused => "The campaign is paused.",
        GateReason::CampaignNotStarted => "The campaign has not begun.",
        GateReason::CampaignEnded => "The campaign is over.",
        GateReason::BudgetSpent => "The campaign has spent its budget.",
        GateReason::CapacityHeld => "The teams could not serve those who would answer.",
        GateReason::Capacity => "The coming weeks hold no more visits: it waits for its turn.",
        GateReason::CapacityWait => {
            "People wait too long for a visit, so promotion of the service has stopped."
        }
        GateReason::CapacitySlots => "Too few visits are open, so promotion of the service has stopped.",
        GateReason::SendingStopped => "Bulk mail is stopped to keep the good name of the sending domain.",
        GateReason::TemplateNotApproved => "The text is not approved, or was changed since.",
        GateReason::SequencePaused => "The sequence is paused.",
        GateReason::MailingStopped => "The mailing was stopped.",
        GateReason::LeadLeft => "The lead was closed or left the sequence.",
        GateReason::OutOfDate => "What it was about is no longer so.",
        GateReason::StaffAway => "The member of staff is away.",
        GateReason::TemplateFailed => "The template could not be filled in.",
        GateReason::Throttled => "As many mails go to its mailbox provider as may go for now.",
        GateReason::WarmUp => "The sending domain is new, and today's share of mails has gone out.",
        GateReason::Expired => "It was not sent while it still made sense.",
    };
    DecisionReason {
        code,
        text: text.to_owned(),
        until,
    }
}
