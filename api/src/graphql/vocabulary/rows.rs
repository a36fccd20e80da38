//! Mirrors of the enums that belong to one table each.

use async_graphql::Enum;

/// Where an appointment stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::appointment::AppointmentState")]
pub enum AppointmentState {
    /// Booked.
    Booked,
    /// The person came.
    Attended,
    /// The person did not come.
    NoShow,
    /// Called off.
    Cancelled,
}

/// Where a campaign stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::campaign::CampaignState")]
pub enum CampaignState {
    /// Being planned.
    Draft,
    /// Running.
    Live,
    /// Held: its mails wait.
    Paused,
    /// Over.
    Ended,
}

/// Kinds of placements.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::placement::PlacementKind")]
pub enum PlacementKind {
    /// A group of ads.
    AdGroup,
    /// A search keyword.
    Keyword,
    /// A landing page.
    Page,
    /// An event or screening day.
    Event,
    /// A piece of paper mail.
    MailPiece,
    /// A newsletter.
    Newsletter,
    /// A visit, lunch or guide for referring practices.
    Outreach,
}

/// A fact of a lead that a condition can look at.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::condition::Fact")]
pub enum Fact {
    /// The lead's type, by its enum name.
    LeadType,
    /// The stage, by its enum name.
    Stage,
    /// The service line's slug.
    ServiceLine,
    /// What the person wrote as the wanted service, lower case.
    RequestedService,
    /// The facility's slug.
    Facility,
    /// The channel, by its enum name.
    Channel,
    /// The campaign's code.
    Campaign,
    /// The contact's language, a BCP 47 tag.
    Language,
    /// The contact's postal code.
    PostalCode,
    /// An eligibility flag, by its enum name.
    Flag,
    /// A form answer; the clause names the field.
    Answer,
    /// The coverage that the person named: the answer to the form's field `coverage`.
    Coverage,
    /// The score's grade.
    Grade,
    /// The score's points, 0 to 100. Not known while the score is made.
    Score,
    /// The hour at which it came in, 0 to 23, on the clock of the facility.
    ReceivedHour,
    /// The weekday on which it came in, such as `MONDAY`, at the facility.
    ReceivedWeekday,
    /// `YES` when it came in while the facility was open by its business calendar, else `NO`.
    BusinessHours,
    /// `YES` when the lead goes first, else `NO`. Not known until a rule has routed it.
    Urgent,
    /// `EMAIL` and `PHONE`, whichever we have.
    Reachable,
}

/// How a fact is compared.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::condition::Comparison")]
pub enum Comparison {
    /// One of the values is equal, letter case aside.
    In,
    /// None of the values is equal.
    NotIn,
    /// One of the values is contained.
    Contains,
    /// One of the values is a prefix.
    StartsWith,
    /// There is a value at all.
    Present,
    /// There is no value.
    Absent,
    /// The value is a number and not smaller.
    AtLeast,
    /// The value is a number and smaller.
    Below,
}

/// What a consent event does.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::consent_event::ConsentAction")]
pub enum ConsentAction {
    /// The person allows it.
    Grant,
    /// The person allowed it on a form that asks for a second yes, and has not given that yet.
    Pending,
    /// The person was asked and did not allow it.
    Deny,
    /// The person takes it back.
    Withdraw,
    /// It ended by its own date.
    Expire,
}

/// How strong a consent is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::consent_event::ConsentLevel")]
pub enum ConsentLevel {
    /// None.
    None,
    /// From an existing relation.
    Implied,
    /// Said or ticked.
    Express,
    /// Signed.
    ExpressWritten,
    /// An authorization under 45 CFR 164.508.
    HipaaAuthorization,
}

/// By which door a consent came.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::consent_event::ConsentMethod")]
pub enum ConsentMethod {
    /// The hosted or embedded form.
    WebForm,
    /// A program, through the API.
    Api,
    /// A member of staff wrote it down.
    Staff,
    /// The one-click link of a mail.
    OneClick,
    /// The page behind the link of a mail.
    UnsubscribePage,
    /// The page on which people set what they want.
    PreferencePage,
    /// An import.
    Import,
    /// A reply to a mail or a text.
    Reply,
    /// A provider's webhook: a complaint, an unsubscription on its side.
    Webhook,
    /// The link of the mail that asks for a second yes.
    DoubleOptIn,
}

/// Whether a contact is one person or an organization.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::contact::ContactKind")]
pub enum ContactKind {
    /// A person.
    Person,
    /// A practice, employer or partner.
    Organization,
}

/// What a person decided about two contacts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::contact_candidate::CandidateState")]
pub enum CandidateState {
    /// Nobody has looked yet.
    Open,
    /// They are one.
    Same,
    /// They are two.
    Different,
}

/// Where an enrollment stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enrollment::EnrollmentState")]
pub enum EnrollmentState {
    /// Running.
    Active,
    /// Came to the end.
    Completed,
    /// Left before the end.
    Exited,
}

/// Why an enrollment ended early.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enrollment::ExitReason")]
pub enum ExitReason {
    /// The lead reached an exit stage.
    Stage,
    /// The lead was closed.
    Closed,
    /// The contact withdrew the consent that it rests on.
    Withdrawn,
    /// A person took the lead out.
    Unenrolled,
    /// It ran for as long as the sequence allows.
    Expired,
    /// The sequence began anew for the lead.
    Restarted,
    /// The step it stood on does not exist.
    Broken,
    /// The contact answered, so that a person goes on.
    Replied,
    /// The person finished the form, or had it forgotten.
    FormFinished,
}

/// How a question of a script is answered.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::intake_script::QuestionKind")]
pub enum QuestionKind {
    /// `YES` or `NO`.
    YesNo,
    /// The value of one of its options.
    Choice,
    /// Words.
    Text,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
}

/// What a rubric judges.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::audit_rubric::AuditSubject")]
pub enum AuditSubject {
    /// An attempt to reach a lead.
    Attempt,
    /// Why a lead was closed.
    Disposition,
    /// What a form brought.
    FormData,
}

/// What a follow-up is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::follow_up::FollowUpKind")]
pub enum FollowUpKind {
    /// The first attempt that the SLA asks for.
    FirstContact,
    /// A further attempt.
    NextAttempt,
    /// A call that the person asked for.
    Callback,
    /// Asked for by a sequence.
    Sequence,
    /// An answer of the person to a mail.
    Reply,
    /// Opened by a person.
    ByHand,
}

/// Where a follow-up stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::follow_up::FollowUpState")]
pub enum FollowUpState {
    /// To be done.
    Open,
    /// Done.
    Done,
    /// No longer needed.
    Cancelled,
}

/// Kinds of things that happen to a lead.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::lead_event::LeadEventKind")]
pub enum LeadEventKind {
    /// It came in.
    Received,
    /// It was sent to a team or person.
    Routed,
    /// A person gave it to a team or person.
    Assigned,
    /// Somebody tried to reach the contact.
    Attempted,
    /// The stage changed.
    StageChanged,
    /// A closed lead was opened again.
    Reopened,
    /// Its data changed.
    Updated,
    /// An appointment was booked.
    AppointmentScheduled,
    /// The person did not come to an appointment.
    AppointmentMissed,
    /// A first attempt became late.
    SlaMissed,
    /// Its owner was warned that nobody has tried to reach the contact.
    SlaWarned,
    /// The lead of its team was told that nobody has tried to reach the contact.
    SlaToldLead,
    /// It was taken back from its owner and handed on.
    SlaTakenBack,
    /// Its clock was stopped for a reason.
    SlaPaused,
    /// Its clock runs again.
    SlaResumed,
    /// It was enrolled in a sequence.
    Enrolled,
    /// It left a sequence.
    Unenrolled,
    /// A follow-up was opened, done, snoozed or handed over.
    FollowUpChanged,
    /// A message was sent to the contact.
    MessageSent,
    /// The same inquiry came in again.
    Repeated,
    /// The contact answered a mail.
    Replied,
    /// It was made of a form that was saved and left.
    FormAbandoned,
}

/// Why a lead's clock does not run.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sla_pause::PauseReason")]
pub enum PauseReason {
    /// The person has to send something or to decide.
    WaitingForLead,
    /// The referral has to come.
    WaitingForReferral,
    /// Coverage has to be checked.
    WaitingForCoverage,
    /// The person asked to be called later.
    LeadAskedLater,
}

/// What is done about a lead that nobody has tried to reach, in the order in which it is done.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sla_policy::SlaStep")]
pub enum SlaStep {
    /// Its owner is warned.
    WarnOwner,
    /// The lead of its team is told.
    TellLead,
    /// Its owner loses it, and it is handed on.
    TakeBack,
}

/// Why somebody is away. Nothing here tells of anybody's health.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::staff_absence::AbsenceReason")]
pub enum AbsenceReason {
    /// Days off.
    Leave,
    /// Not on shift.
    OffShift,
    /// Learning something.
    Training,
    /// Another reason, or none of anybody's business.
    Other,
}

/// A message's life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::message::MessageState")]
pub enum MessageState {
    /// Waits for its due time.
    Planned,
    /// Held back until its due time by the gate or by a passing refusal of the wire.
    Deferred,
    /// Taken by a worker under a lease.
    Claimed,
    /// About to go out, or going out.
    HandedOff,
    /// The mail server took it.
    Accepted,
    /// The mail server refused it for good.
    Refused,
    /// The gate withheld it for good.
    Withheld,
    /// It may or may not have gone out. A person or later evidence settles it.
    Unknown,
}

/// What a message is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::message::MessageKind")]
pub enum MessageKind {
    /// The answer to a form.
    Confirmation,
    /// Asks for the second yes to a consent that was given on a form.
    OptIn,
    /// The link to a form that was saved to be finished later.
    FormSaved,
    /// A step of a sequence, or a mail of a mailing.
    Nurture,
    /// To staff: a follow-up was assigned.
    FollowUpAssigned,
    /// To staff: a follow-up is due soon.
    FollowUpDueSoon,
    /// To staff: a follow-up is late.
    FollowUpLate,
    /// To staff: in the morning, what is to be done today.
    FollowUpDigest,
    /// To staff: nobody has tried to reach the person of a lead.
    SlaWarning,
    /// To staff: a lead was taken back from its owner.
    SlaTakenBack,
    /// To staff: a step of a sequence tells them of a lead.
    SequenceNotice,
    /// To staff: a template with a sample person's facts, to look at.
    TemplateTest,
    /// To staff: bulk mail was stopped, or a campaign paused, to keep the good name of the sender.
    SendingAlert,
}

/// What the gate said.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::message::GateOutcome")]
pub enum GateOutcome {
    /// It may go.
    Allow,
    /// Not now.
    Defer,
    /// Never.
    Withhold,
}

/// Kinds of things that happen to a message.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::message_event::MessageEventKind")]
pub enum MessageEventKind {
    /// It was planned.
    Planned,
    /// The gate deferred it.
    Deferred,
    /// The gate withheld it.
    Withheld,
    /// The mail server took it.
    Accepted,
    /// The mail server refused it.
    Refused,
    /// The mail server asked to come back later.
    RetryLater,
    /// Nobody knows whether it went out.
    Unknown,
    /// It is sent again, with the same Message-ID.
    SentAgain,
    /// The recipient unsubscribed by it.
    Unsubscribed,
    /// The recipient's side says that it arrived.
    Delivered,
    /// It came back. The detail is the class and the status code.
    Bounced,
    /// The recipient reported it as unwanted.
    Complained,
    /// A person answered it.
    Replied,
    /// A program answered it.
    AutoReplied,
}

/// Where a sequence stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence::SequenceState")]
pub enum SequenceState {
    /// Being written; enrolls nobody.
    Draft,
    /// Enrolls and runs.
    Published,
    /// Holds everything where it is.
    Paused,
}

/// A local weekday.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence_version::Weekday")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// What enrolls a lead.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence_version::TriggerKind")]
pub enum TriggerKind {
    /// A lead was received.
    LeadReceived,
    /// A lead's stage changed to the one named.
    StageChanged,
    /// The person asked to be called back.
    CallbackAsked,
    /// An appointment was booked, or booked anew.
    AppointmentBooked,
    /// The person did not come to an appointment.
    AppointmentMissed,
    /// The lead got the flag named: something is missing.
    InformationMissing,
    /// A day before or after something came.
    Date,
    /// A form was saved to be finished later, and left.
    FormAbandoned,
    /// Only a person or a program enrolls.
    Manual,
}

/// Whether a lead that was in a sequence may enter it again. It is never in it twice at a time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence_version::Reentry")]
pub enum Reentry {
    /// Once and never again.
    Never,
    /// When the earlier time has ended.
    AfterExit,
    /// Always: what runs ends, and it begins anew.
    Always,
}

/// What a date is counted from.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence_version::DateAnchor")]
pub enum DateAnchor {
    /// The start of a booked appointment.
    Appointment,
    /// The moment at which the lead came in.
    Received,
}

/// What a step can wait for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence_version::Awaited")]
pub enum Awaited {
    /// The lead is in the stage named, or further; closing does not count.
    StageReached,
    /// An attempt is logged, with the outcome named if one is.
    AttemptLogged,
    /// An appointment is booked, or booked anew.
    AppointmentBooked,
    /// The contact sends a form again.
    FormAnswered,
}

/// Which members of staff a step tells.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::sequence_version::Told")]
pub enum StaffTold {
    /// Whoever serves the lead; its team when nobody does.
    Owner,
    /// Everybody in the lead's team.
    Team,
}

/// Why an enrollment that is due does not move.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "domain::sequence::watchdog::StuckReason")]
pub enum StuckReason {
    /// The step that it stands at is not in its version.
    StepMissing,
    /// The template of the mail is gone or has no text.
    TemplateMissing,
    /// The team that the lead is to go to is gone.
    TeamMissing,
    /// Moving it failed; it is tried again, later each time.
    Failing,
    /// A mail that it planned is due and does not go out.
    MailWaits,
    /// Nobody knows whether a mail that it planned went out; it is not sent again until evidence or a person settles it.
    MailUnknown,
    /// It is due, and no worker looks at it.
    NoWorker,
}

/// Where a move of enrollments stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enrollment_move::EnrollmentMoveState")]
pub enum EnrollmentMoveState {
    /// Enrollments are being moved.
    Running,
    /// All that could be moved is moved.
    Done,
}

/// Why those who stand at a step cannot be moved to another version.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "domain::sequence::transfer::Obstacle")]
pub enum MoveObstacle {
    /// The new version has no step of this key, and the map names none.
    NoTarget,
    /// The map names a step that the new version has not.
    UnknownTarget,
}

/// How a place on a step is taken over by another version.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "domain::sequence::transfer::TakeOver")]
pub enum TakeOver {
    /// The step says the same: a wait that has begun goes on.
    GoesOn,
    /// The step is another, or says something else: it begins.
    Begins,
}

/// A reason of the gate.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GateReason {
    /// It is not due, and the gate has not looked at it yet.
    NotDue,
    /// The contact consented to this purpose on this medium.
    ConsentGranted,
    /// The person asked for this reply.
    RequestedReply,
    /// It goes to a member of staff at work.
    StaffNotice,
    /// There is no consent to this purpose on this medium.
    NoConsent,
    /// The consent was taken back.
    ConsentWithdrawn,
    /// The person has not yet said yes a second time.
    OptInPending,
    /// The address is suppressed.
    Suppressed,
    /// The contact has no email address.
    NoAddress,
    /// It is quiet hours where the contact may be.
    QuietHours,
    /// The contact has had as many mails as it may get for now, over all campaigns.
    FrequencyCap,
    /// The contact asked for a pause.
    ContactPaused,
    /// The contact does not want mail about this service.
    LineUnwanted,
    /// The campaign is paused.
    CampaignPaused,
    /// The campaign has not begun.
    CampaignNotStarted,
    /// The campaign is over.
    CampaignEnded,
    /// The campaign has spent its budget.
    BudgetSpent,
    /// The teams could not serve those who would answer.
    CapacityHeld,
    /// The coming weeks hold no more visits than those who were asked already will take: it waits for its turn.
    Capacity,
    /// People wait longer for a visit than the service line allows, so its promotion has stopped.
    CapacityWait,
    /// Fewer visits are open than the service line wants to have, so its promotion has stopped.
    CapacitySlots,
    /// Bulk mail is stopped to keep the good name of the sending domain.
    SendingStopped,
    /// The newest version of the template is not approved, or is not what was approved.
    TemplateNotApproved,
    /// The sequence is paused.
    SequencePaused,
    /// Somebody stopped the mailing.
    MailingStopped,
    /// The lead was closed or left the sequence.
    LeadLeft,
    /// What it was about is no longer so.
    OutOfDate,
    /// The member of staff is away.
    StaffAway,
    /// It could not be written: the template failed.
    TemplateFailed,
    /// As many mails go to its mailbox provider as may go for now.
    Throttled,
    /// As many mails as a sending domain that is new may send went out today.
    WarmUp,
    /// It was not sent within its time to live.
    Expired,
}

impl From<entity::message::GateReason> for GateReason {
    fn from(reason: entity::message::GateReason) -> Self {
        use entity::message::GateReason as Stored;
        match reason {
            Stored::ConsentGranted => Self::ConsentGranted,
            Stored::RequestedReply => Self::RequestedReply,
            Stored::StaffNotice => Self::StaffNotice,
            Stored::NoConsent => Self::NoConsent,
            Stored::OptInPending => Self::OptInPending,
            Stored::ConsentWithdrawn => Self::ConsentWithdrawn,
            Stored::Suppressed => Self::Suppressed,
            Stored::NoAddress => Self::NoAddress,
            Stored::QuietHours => Self::QuietHours,
            Stored::FrequencyCap => Self::FrequencyCap,
            Stored::ContactPaused => Self::ContactPaused,
            Stored::LineUnwanted => Self::LineUnwanted,
            Stored::CampaignPaused => Self::CampaignPaused,
            Stored::CampaignNotStarted => Self::CampaignNotStarted,
            Stored::CampaignEnded => Self::CampaignEnded,
            Stored::BudgetSpent => Self::BudgetSpent,
            Stored::CapacityHeld => Self::CapacityHeld,
            Stored::Capacity => Self::Capacity,
            Stored::CapacityWait => Self::CapacityWait,
            Stored::CapacitySlots => Self::CapacitySlots,
            Stored::SendingStopped => Self::SendingStopped,
            Stored::TemplateNotApproved => Self::TemplateNotApproved,
            Stored::SequencePaused => Self::SequencePaused,
            Stored::MailingStopped => Self::MailingStopped,
            Stored::LeadLeft => Self::LeadLeft,
            Stored::OutOfDate => Self::OutOfDate,
            Stored::StaffAway => Self::StaffAway,
            Stored::TemplateFailed => Self::TemplateFailed,
            Stored::Throttled => Self::Throttled,
            Stored::WarmUp => Self::WarmUp,
            Stored::Expired => Self::Expired,
        }
    }
}

/// By which door something came back.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::inbound_mail::InboundSource")]
pub enum InboundSource {
    /// A directory in the Maildir format.
    Maildir,
    /// Amazon SES, over SNS.
    Ses,
    /// SendGrid's event webhook.
    Sendgrid,
    /// Postmark's webhooks.
    Postmark,
}

/// What was read in what came back.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::inbound_mail::InboundKind")]
pub enum InboundKind {
    /// A message was not delivered.
    Bounce,
    /// The recipient reported a message as unwanted.
    Complaint,
    /// A program answered in the recipient's name.
    AutoReply,
    /// A person answered.
    Reply,
    /// A person asked for no more.
    Unsubscribe,
    /// Anything else.
    Other,
}

/// What a bounce is about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::inbound_mail::BounceClass")]
pub enum BounceClass {
    /// The address does not exist.
    Hard,
    /// It may work later.
    Soft,
    /// The mail is at fault.
    Content,
    /// The sender is at fault, or is taken to be.
    Blocked,
}

/// How far what came back has come.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::inbound_mail::InboundState")]
pub enum InboundState {
    /// Stored, and not yet applied.
    Received,
    /// What follows from it is done.
    Applied,
    /// It is about no message or contact that is known here.
    Unmatched,
    /// Nothing follows from it.
    Ignored,
    /// It could not be applied, however often it was tried.
    Failed,
}

/// Who visited a link of a mail, as far as that can be known.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::link_visit::ClickVerdict")]
pub enum ClickVerdict {
    /// A person, by all evidence. Only these count.
    Human,
    /// A program that looks at links before people do.
    Scanner,
    /// It could be either.
    Unclear,
}

/// What a verdict about a visit rests on.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::link_visit::ClickReason")]
pub enum ClickReason {
    /// The request said that it was made by a program.
    SaidSo,
    /// It came so soon after the mail server took the mail that nobody can have read it.
    TooSoon,
    /// Another link of the same mail was visited within seconds.
    SeveralLinks,
    /// The request did not look like that of a browser that goes to a page.
    NotNavigated,
    /// A program visited the mail's links within seconds.
    BesideAScanner,
    /// A browser went to the page, and nothing speaks for a program.
    Navigated,
}

/// How the person of a team is chosen. Whoever is away or has enough is passed over, however it is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::routing_rule::PersonStrategy")]
pub enum PersonStrategy {
    /// The person whom the rule names; if that person cannot take it, whoever has the least open work.
    Named,
    /// Whoever has the least open work.
    LeastOpenWork,
    /// One after the other: whoever was given a lead by the rule the longest ago.
    RoundRobin,
    /// Of those who speak the person's language and know the service line, whoever has the least open work.
    SkillMatch,
}

/// Which rules a version holds.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::rule_set::RuleKind")]
pub enum RuleKind {
    /// Which team and person serve a lead.
    Routing,
    /// What gives points to a lead.
    Scoring,
    /// How fast a lead is answered.
    Sla,
}

/// Where a version of rules stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::rule_set::RuleSetState")]
pub enum RuleSetState {
    /// Being written; decides nothing.
    Draft,
    /// Decides about every lead that comes in. One version of a kind at a time.
    Published,
    /// Was published, or was a draft that nobody wants any more.
    Retired,
}

/// Why a team was the wrong one.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::misroute::MisrouteReason")]
pub enum MisrouteReason {
    /// Another service is asked for than was thought.
    WrongServiceLine,
    /// It is served at another facility.
    WrongFacility,
    /// Nobody of the team speaks the person's language.
    WrongLanguage,
    /// Another type of lead than was thought, for example a referral.
    WrongLeadType,
    /// The team cannot take it in time.
    NoCapacity,
    /// Another reason, told in the note.
    Other,
}
