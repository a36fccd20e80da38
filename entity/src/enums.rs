//! The vocabulary of the product as enums stored as text.

text_enum!(/// What a lead asks for. A type has its own required fields and checklist.
LeadType {
    /// A person asks for an appointment.
    PatientAppointment = "PATIENT_APPOINTMENT",
    /// A practice refers a patient.
    Referral = "REFERRAL",
    /// A person asks about a service.
    ServiceInquiry = "SERVICE_INQUIRY",
    /// An employer or partner asks for a program.
    EmployerPartner = "EMPLOYER_PARTNER",
    /// A person asks about a clinical trial.
    ClinicalTrial = "CLINICAL_TRIAL",
});

text_enum!(/// How far a lead has come.
LeadStage {
    /// Received, nobody has tried to reach the person.
    New = "NEW",
    /// A human attempt with an outcome is logged.
    Contacted = "CONTACTED",
    /// The person and the service fit.
    Qualified = "QUALIFIED",
    /// An appointment is booked.
    AppointmentScheduled = "APPOINTMENT_SCHEDULED",
    /// The visit took place.
    VisitCompleted = "VISIT_COMPLETED",
    /// Ended with a disposition.
    Closed = "CLOSED",
});

text_enum!(/// Why a lead was closed.
Disposition {
    /// Nobody could be reached in the attempts wanted.
    Unreachable = "UNREACHABLE",
    /// The person does not meet the service's conditions.
    NotEligible = "NOT_ELIGIBLE",
    /// The service cannot take the person in time.
    NoCapacity = "NO_CAPACITY",
    /// The person's coverage is not accepted.
    Coverage = "COVERAGE",
    /// The person went to another provider.
    ChoseElsewhere = "CHOSE_ELSEWHERE",
    /// The person does not want the service.
    NotInterested = "NOT_INTERESTED",
    /// The same inquiry exists as another lead. Left out of every count.
    Duplicate = "DUPLICATE",
    /// Not a real inquiry. Left out of every count.
    Spam = "SPAM",
    /// Asked for something that belongs elsewhere.
    WrongService = "WRONG_SERVICE",
    /// Another reason, told in the note.
    Other = "OTHER",
});

text_enum!(/// Where a lead came from.
Channel {
    /// Paid search.
    PaidSearch = "PAID_SEARCH",
    /// Organic search.
    OrganicSearch = "ORGANIC_SEARCH",
    /// Social media.
    Social = "SOCIAL",
    /// Display advertising.
    Display = "DISPLAY",
    /// A mail campaign or newsletter.
    Email = "EMAIL",
    /// The hospital's own website.
    Website = "WEBSITE",
    /// A phone call.
    Phone = "PHONE",
    /// A chat.
    Chat = "CHAT",
    /// An event or screening day.
    Event = "EVENT",
    /// A mail piece on paper.
    DirectMail = "DIRECT_MAIL",
    /// Outreach to referring practices.
    ProviderOutreach = "PROVIDER_OUTREACH",
    /// An employer or community partner.
    Partner = "PARTNER",
    /// A referral.
    Referral = "REFERRAL",
    /// Anything else.
    Other = "OTHER",
});

text_enum!(/// How we speak to a contact.
Medium {
    /// Electronic mail.
    Email = "EMAIL",
    /// A phone call.
    Phone = "PHONE",
    /// A text message.
    Sms = "SMS",
    /// Paper mail.
    Post = "POST",
});

text_enum!(/// What a message or a consent is for.
Purpose {
    /// Promotion of services.
    Marketing = "MARKETING",
    /// Help with an inquiry that the person made.
    CareCoordination = "CARE_COORDINATION",
    /// A reminder of something that is booked.
    Reminder = "REMINDER",
    /// Clinical research.
    Research = "RESEARCH",
    /// Seeing which links in mails are opened. A person consents to it; no mail is sent for it.
    Tracking = "TRACKING",
});

impl Purpose {
    /// What a mail, a template, a sequence or a mailing may be for.
    pub const OF_MAILS: &'static [Self] = &[
        Self::Marketing,
        Self::CareCoordination,
        Self::Reminder,
        Self::Research,
    ];

    /// Whether mails are sent for it.
    pub const fn is_of_mails(self) -> bool {
        !matches!(self, Self::Tracking)
    }
}

text_enum!(/// What a member of staff or a token may do.
Role {
    /// Runs the system.
    Admin = "ADMIN",
    /// Plans campaigns.
    MarketingStrategist = "MARKETING_STRATEGIST",
    /// Buys and measures media.
    PerformanceMarketer = "PERFORMANCE_MARKETER",
    /// Writes content.
    ContentLead = "CONTENT_LEAD",
    /// Operates forms, sequences and data.
    MarketingOps = "MARKETING_OPS",
    /// Contacts leads.
    IntakeCoordinator = "INTAKE_COORDINATOR",
    /// Approves content and reviews eligibility.
    ClinicalReviewer = "CLINICAL_REVIEWER",
    /// Owns a service line's capacity and scripts.
    ServiceLineLead = "SERVICE_LINE_LEAD",
    /// Reads numbers, never people.
    Analyst = "ANALYST",
});

text_enum!(/// What came of a human attempt.
AttemptOutcome {
    /// A two-way conversation took place.
    Reached = "REACHED",
    /// A voicemail was left.
    Voicemail = "VOICEMAIL",
    /// Nobody answered.
    NoAnswer = "NO_ANSWER",
    /// The line was busy.
    Busy = "BUSY",
    /// The number belongs to somebody else.
    WrongNumber = "WRONG_NUMBER",
    /// The person answered and asked to be called later.
    CallbackAsked = "CALLBACK_ASKED",
    /// The person answered and declined.
    Declined = "DECLINED",
    /// The person asked not to be called any more.
    DoNotCall = "DO_NOT_CALL",
});

impl AttemptOutcome {
    /// Whether both sides spoke, which is what "reached" means in every figure.
    pub const fn is_two_way(self) -> bool {
        matches!(
            self,
            Self::Reached | Self::CallbackAsked | Self::Declined | Self::DoNotCall
        )
    }
}

text_enum!(/// A fact about what a lead needs before it can be scheduled.
EligibilityFlag {
    /// The service needs a referral.
    ReferralRequired = "REFERRAL_REQUIRED",
    /// A clinician must look at it first.
    TriageNeeded = "TRIAGE_NEEDED",
    /// The order or its details are missing.
    OrderMissing = "ORDER_MISSING",
    /// The service can be booked without a call.
    DirectScheduling = "DIRECT_SCHEDULING",
    /// No service line could be named.
    ServiceUnclear = "SERVICE_UNCLEAR",
    /// The contact may be one that is already known.
    PossibleDuplicateContact = "POSSIBLE_DUPLICATE_CONTACT",
});

text_enum!(/// A grade of a score, A the best.
ScoreGrade {
    /// 70 points and more.
    A = "A",
    /// 50 to 69 points.
    B = "B",
    /// 30 to 49 points.
    C = "C",
    /// Under 30 points.
    D = "D",
});

text_enum!(/// Who did something.
ActorKind {
    /// A member of staff.
    Staff = "STAFF",
    /// An access token.
    Token = "TOKEN",
    /// The person the data is about.
    Contact = "CONTACT",
    /// A visitor of a form, not yet known.
    Visitor = "VISITOR",
    /// Leadward itself.
    System = "SYSTEM",
});
