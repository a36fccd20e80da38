//! The vocabulary of the product, as the public schema writes it: mirrors of the enums that rows store.

mod rows;

use async_graphql::Enum;

pub use rows::{
    AbsenceReason, AppointmentState, AuditSubject, Awaited, BounceClass, CampaignState, CandidateState,
    ClickReason, ClickVerdict, Comparison, ConsentAction, ConsentLevel, ConsentMethod, ContactKind,
    DateAnchor, EnrollmentMoveState, EnrollmentState, ExitReason, Fact, FollowUpKind, FollowUpState,
    GateOutcome, GateReason, InboundKind, InboundSource, InboundState, LeadEventKind, MessageEventKind,
    MessageKind, MessageState, MisrouteReason, MoveObstacle, PauseReason, PersonStrategy, PlacementKind,
    QuestionKind, Reentry, RuleKind, RuleSetState, SequenceState, SlaStep, StaffTold, StuckReason, TakeOver,
    TriggerKind, Weekday,
};

/// What a lead asks for. A type has its own required fields and checklist.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::LeadType")]
pub enum LeadType {
    /// A person asks for an appointment.
    PatientAppointment,
    /// A practice refers a patient.
    Referral,
    /// A person asks about a service.
    ServiceInquiry,
    /// An employer or partner asks for a program.
    EmployerPartner,
    /// A person asks about a clinical trial.
    ClinicalTrial,
}

/// How far a lead has come.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::LeadStage")]
pub enum LeadStage {
    /// Received, nobody has tried to reach the person.
    New,
    /// A human attempt with an outcome is logged.
    Contacted,
    /// The person and the service fit.
    Qualified,
    /// An appointment is booked.
    AppointmentScheduled,
    /// The visit took place.
    VisitCompleted,
    /// Ended with a disposition.
    Closed,
}

/// Why a lead was closed.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::Disposition")]
pub enum Disposition {
    /// Nobody could be reached in the attempts wanted.
    Unreachable,
    /// The person does not meet the service's conditions.
    NotEligible,
    /// The service cannot take the person in time.
    NoCapacity,
    /// The person's coverage is not accepted.
    Coverage,
    /// The person went to another provider.
    ChoseElsewhere,
    /// The person does not want the service.
    NotInterested,
    /// The same inquiry exists as another lead. Left out of every count.
    Duplicate,
    /// Not a real inquiry. Left out of every count.
    Spam,
    /// Asked for something that belongs elsewhere.
    WrongService,
    /// Another reason, told in the note.
    Other,
}

/// Where a lead came from.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::Channel")]
pub enum Channel {
    /// Paid search.
    PaidSearch,
    /// Organic search.
    OrganicSearch,
    /// Social media.
    Social,
    /// Display advertising.
    Display,
    /// A mail campaign or newsletter.
    Email,
    /// The hospital's own website.
    Website,
    /// A phone call.
    Phone,
    /// A chat.
    Chat,
    /// An event or screening day.
    Event,
    /// A mail piece on paper.
    DirectMail,
    /// Outreach to referring practices.
    ProviderOutreach,
    /// An employer or community partner.
    Partner,
    /// A referral.
    Referral,
    /// Anything else.
    Other,
}

/// How we speak to a contact.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::Medium")]
pub enum Medium {
    /// Electronic mail.
    Email,
    /// A phone call.
    Phone,
    /// A text message.
    Sms,
    /// Paper mail.
    Post,
}

/// What a message or a consent is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::Purpose")]
pub enum Purpose {
    /// Promotion of services.
    Marketing,
    /// Help with an inquiry that the person made.
    CareCoordination,
    /// A reminder of something that is booked.
    Reminder,
    /// Clinical research.
    Research,
    /// Seeing which links in mails are opened. A person consents to it; no mail is sent for it.
    Tracking,
}

/// What a member of staff or a token may do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::Role")]
pub enum Role {
    /// Runs the system.
    Admin,
    /// Plans campaigns.
    MarketingStrategist,
    /// Buys and measures media.
    PerformanceMarketer,
    /// Writes content.
    ContentLead,
    /// Operates forms, sequences and data.
    MarketingOps,
    /// Contacts leads.
    IntakeCoordinator,
    /// Approves content and reviews eligibility.
    ClinicalReviewer,
    /// Owns a service line's capacity and scripts.
    ServiceLineLead,
    /// Reads numbers, never people.
    Analyst,
}

/// What came of a human attempt.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::AttemptOutcome")]
pub enum AttemptOutcome {
    /// A two-way conversation took place.
    Reached,
    /// A voicemail was left.
    Voicemail,
    /// Nobody answered.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The number belongs to somebody else. It leaves the contact, if it was called or texted.
    WrongNumber,
    /// The person answered and asked to be called later.
    CallbackAsked,
    /// The person answered and declined.
    Declined,
    /// The person asked not to be called any more. The number is suppressed and the consent to be called taken back.
    DoNotCall,
}

/// A fact about what a lead needs before it can be scheduled.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::EligibilityFlag")]
pub enum EligibilityFlag {
    /// The service needs a referral.
    ReferralRequired,
    /// A clinician must look at it first.
    TriageNeeded,
    /// The order or its details are missing.
    OrderMissing,
    /// The service can be booked without a call.
    DirectScheduling,
    /// No service line could be named.
    ServiceUnclear,
    /// The contact may be one that is already known.
    PossibleDuplicateContact,
}

/// A grade of a score, A the best.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::ScoreGrade")]
pub enum ScoreGrade {
    /// 70 points and more.
    A,
    /// 50 to 69 points.
    B,
    /// 30 to 49 points.
    C,
    /// Under 30 points.
    D,
}

/// Who did something.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "entity::enums::ActorKind")]
pub enum ActorKind {
    /// A member of staff.
    Staff,
    /// An access token.
    Token,
    /// The person the data is about.
    Contact,
    /// A visitor of a form, not yet known.
    Visitor,
    /// Leadward itself.
    System,
}
