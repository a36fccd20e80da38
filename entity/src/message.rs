//! One outbound mail to one contact or member of staff, with its decision and proof.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::Purpose;
use crate::id::{
    CampaignId, ConsentEventId, ConsentWordingId, ContactId, EnrollmentId, FollowUpId, LeadId, MailingId,
    MessageId, SequenceId, StaffId, TemplateVersionId,
};

text_enum!(/// A message's life.
MessageState {
    /// Waits for its due time.
    Planned = "PLANNED",
    /// Held back until its due time by the gate or by a passing refusal of the wire.
    Deferred = "DEFERRED",
    /// Taken by a worker under a lease.
    Claimed = "CLAIMED",
    /// About to go out, or going out.
    HandedOff = "HANDED_OFF",
    /// The mail server took it.
    Accepted = "ACCEPTED",
    /// The mail server refused it for good.
    Refused = "REFUSED",
    /// The gate withheld it for good.
    Withheld = "WITHHELD",
    /// It may or may not have gone out. A person or later evidence settles it.
    Unknown = "UNKNOWN",
});

text_enum!(/// Which queue a message stands in.
Lane {
    /// Somebody waits for it: confirmations, reminders, mails to staff.
    Waiting = "WAITING",
    /// Nobody waits for it: nurture.
    Bulk = "BULK",
});

text_enum!(/// What a message is.
MessageKind {
    /// The answer to a form.
    Confirmation = "CONFIRMATION",
    /// Asks for the second yes to a consent that was given on a form.
    OptIn = "OPT_IN",
    /// The link to a form that was saved to be finished later.
    FormSaved = "FORM_SAVED",
    /// A step of a sequence, or a mail of a mailing.
    Nurture = "NURTURE",
    /// To staff: a follow-up was assigned.
    FollowUpAssigned = "FOLLOW_UP_ASSIGNED",
    /// To staff: a follow-up is due soon.
    FollowUpDueSoon = "FOLLOW_UP_DUE_SOON",
    /// To staff: a follow-up is late.
    FollowUpLate = "FOLLOW_UP_LATE",
    /// To staff: what is to be done today.
    FollowUpDigest = "FOLLOW_UP_DIGEST",
    /// To staff: nobody has tried to reach the person of a lead.
    SlaWarning = "SLA_WARNING",
    /// To staff: a lead was taken back from its owner.
    SlaTakenBack = "SLA_TAKEN_BACK",
    /// To staff: a step of a sequence tells them of a lead.
    SequenceNotice = "SEQUENCE_NOTICE",
    /// To staff: a template with a sample person's facts, to look at.
    TemplateTest = "TEMPLATE_TEST",
    /// To staff: bulk mail was stopped, or a campaign paused, to keep the good name of the sender.
    SendingAlert = "SENDING_ALERT",
});

text_enum!(/// What the gate said.
GateOutcome {
    /// It may go.
    Allow = "ALLOW",
    /// Not now.
    Defer = "DEFER",
    /// Never.
    Withhold = "WITHHOLD",
});

text_enum!(/// A reason of the gate.
GateReason {
    /// The contact consented to this purpose on this medium.
    ConsentGranted = "CONSENT_GRANTED",
    /// The person asked for this reply.
    RequestedReply = "REQUESTED_REPLY",
    /// It goes to a member of staff at work.
    StaffNotice = "STAFF_NOTICE",
    /// There is no consent to this purpose on this medium.
    NoConsent = "NO_CONSENT",
    /// The consent was taken back.
    ConsentWithdrawn = "CONSENT_WITHDRAWN",
    /// The person has not yet said yes a second time.
    OptInPending = "OPT_IN_PENDING",
    /// The address is suppressed.
    Suppressed = "SUPPRESSED",
    /// The contact has no email address.
    NoAddress = "NO_ADDRESS",
    /// It is quiet hours where the contact may be.
    QuietHours = "QUIET_HOURS",
    /// The contact has had as many mails as it may get for now, over all campaigns.
    FrequencyCap = "FREQUENCY_CAP",
    /// The contact asked for a pause.
    ContactPaused = "CONTACT_PAUSED",
    /// The contact does not want mail about this service.
    LineUnwanted = "LINE_UNWANTED",
    /// The campaign is paused.
    CampaignPaused = "CAMPAIGN_PAUSED",
    /// The campaign has not begun.
    CampaignNotStarted = "CAMPAIGN_NOT_STARTED",
    /// The campaign is over.
    CampaignEnded = "CAMPAIGN_ENDED",
    /// The campaign has spent its budget.
    BudgetSpent = "BUDGET_SPENT",
    /// The teams could not serve those who would answer.
    CapacityHeld = "CAPACITY_HELD",
    /// The coming weeks hold no more visits than those who were asked already will take: it waits for its turn.
    Capacity = "CAPACITY",
    /// People wait longer for a visit than the service line allows, so its promotion has stopped.
    CapacityWait = "CAPACITY_WAIT",
    /// Fewer visits are open than the service line wants to have, so its promotion has stopped.
    CapacitySlots = "CAPACITY_SLOTS",
    /// Bulk mail is stopped to keep the good name of the sending domain.
    SendingStopped = "SENDING_STOPPED",
    /// The newest version of the template is not approved, or is not what was approved.
    TemplateNotApproved = "TEMPLATE_NOT_APPROVED",
    /// The sequence is paused.
    SequencePaused = "SEQUENCE_PAUSED",
    /// Somebody stopped the mailing.
    MailingStopped = "MAILING_STOPPED",
    /// The lead was closed or left the sequence.
    LeadLeft = "LEAD_LEFT",
    /// What it was about is no longer so.
    OutOfDate = "OUT_OF_DATE",
    /// The member of staff is away.
    StaffAway = "STAFF_AWAY",
    /// It could not be written: the template failed.
    TemplateFailed = "TEMPLATE_FAILED",
    /// As many mails go to its mailbox provider as may go for now.
    Throttled = "THROTTLED",
    /// As many mails as a sending domain that is new may send went out today.
    WarmUp = "WARM_UP",
    /// It was not sent within its time to live.
    Expired = "EXPIRED",
});

/// A reason with a sentence for people. Holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionReason {
    /// The reason.
    pub code: GateReason,
    /// The sentence.
    pub text: String,
    /// Until when this reason holds, if it holds the message back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// What the gate decided and on what it relied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What it said.
    pub outcome: GateOutcome,
    /// Why.
    pub reasons: Vec<DecisionReason>,
    /// Until when it is deferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The consent event relied on, or the withdrawal that stands against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_event_id: Option<ConsentEventId>,
    /// The wording that the person saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording_id: Option<ConsentWordingId>,
    /// Version of the gate's rules.
    pub rules_version: u32,
    /// The windows of local time that were asked, with their versions: `HOUSE.1 US.0 US-FL.2`. None where no window
    /// holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_version: Option<String>,
    /// Version of the frequency caps that were asked. None where no cap holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_version: Option<i32>,
    /// When it was decided.
    pub at: DateTime<Utc>,
}

/// One outbound mail to one contact or member of staff, with its decision and proof.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
    /// What it is.
    pub kind: MessageKind,
    /// Which queue it stands in.
    pub lane: Lane,
    /// What it is for.
    pub purpose: Purpose,
    /// What made it, so that nothing makes it twice, for example `confirmation/lead`. None for the mail of a sequence,
    /// which its enrollment, step and occurrence name.
    pub origin_key: Option<String>,
    /// The lead it is about.
    pub lead_id: Option<LeadId>,
    /// The contact it goes to.
    pub contact_id: Option<ContactId>,
    /// The member of staff it goes to.
    pub staff_id: Option<StaffId>,
    /// The follow-up it reminds of.
    pub follow_up_id: Option<FollowUpId>,
    /// The enrollment that planned it.
    pub enrollment_id: Option<EnrollmentId>,
    /// The step that planned it.
    pub step_key: Option<String>,
    /// Which visit of the step planned it. Unique with enrollment and step.
    pub occurrence: Option<i32>,
    /// The sequence whose pause holds it.
    pub sequence_id: Option<SequenceId>,
    /// The campaign whose pause holds it.
    pub campaign_id: Option<CampaignId>,
    /// The mailing that planned it.
    pub mailing_id: Option<MailingId>,
    /// The text it is made of: the version it was planned with, and once the gate allowed it, the approved version that
    /// it goes out with. None for mails to staff about their work.
    pub template_version_id: Option<TemplateVersionId>,
    /// The language it is wanted in; none for that of the contact.
    pub language: Option<String>,
    /// The subject line as planned or sent.
    pub subject: String,
    /// The `Message-ID` header without brackets, stored before anything is sent. The id of this row is in it.
    pub rfc_message_id: String,
    /// Where it stands.
    pub state: MessageState,
    /// When to try it.
    pub due_at: DateTime<Utc>,
    /// When it has lost its sense.
    pub expires_at: DateTime<Utc>,
    /// How often it was handed to the wire.
    pub attempts: i32,
    /// Rises with every claim; a worker with an older number may not write.
    pub fence: i64,
    /// Until when the claim holds.
    pub lease_until: Option<DateTime<Utc>>,
    /// What the gate last said.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub decision: Option<Decision>,
    /// The consent event that it went out on.
    pub consent_event_id: Option<ConsentEventId>,
    /// The last answer of the mail server, without addresses.
    pub response: Option<String>,
    /// The route that it last went out by; none before, and when it was kept instead of sent.
    pub route: Option<String>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// When it last began to go out; none again while it is claimed for another try.
    pub handed_off_at: Option<DateTime<Utc>>,
    /// When the mail server took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The day on which it took its turn among the demand-making mails of a service line; none if it has not, or needs none.
    pub paced_on: Option<NaiveDate>,
    /// When it came to a final state.
    pub settled_at: Option<DateTime<Utc>>,
}

impl ActiveModelBehavior for ActiveModel {}
