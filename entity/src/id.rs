//! Typed ids.
//!
//! A row's id is a UUIDv7, so ids sort by the time they were made; outside the database an id is written as its prefix
//! and 26 letters of Crockford base32, for example `lead_01jd8x3k5v9w2m7q4r6t8y0abc`.

use std::fmt;

use uuid::Uuid;

/// What every typed id can do.
pub trait TypedId: Copy + Sized {
    /// The public form's prefix, without the underscore.
    const PREFIX: &'static str;

    /// Wraps a raw id.
    fn from_uuid(uuid: Uuid) -> Self;

    /// The raw id.
    fn uuid(self) -> Uuid;
}

/// A public id that cannot be read: wrong prefix, wrong letters or wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongId {
    /// The prefix that was expected.
    pub expected_prefix: &'static str,
}

impl fmt::Display for WrongId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not an id of this kind: expected {}_ and 26 letters or digits",
            self.expected_prefix
        )
    }
}

impl std::error::Error for WrongId {}

/// Writes the public form of `uuid`.
pub(crate) fn write_public(f: &mut fmt::Formatter<'_>, prefix: &str, uuid: Uuid) -> fmt::Result {
    let mut letters = ulid::Ulid::from(uuid.as_u128()).to_string();
    letters.make_ascii_lowercase();
    write!(f, "{prefix}_{letters}")
}

/// Reads the public form with this prefix.
pub(crate) fn parse_public(prefix: &'static str, text: &str) -> Result<Uuid, WrongId> {
    let wrong = WrongId {
        expected_prefix: prefix,
    };
    let letters = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(wrong)?;
    // Only the form that is printed is read: one row has one public id, which caches of clients rely on.
    if letters.len() != 26 || letters.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(wrong);
    }
    let ulid = ulid::Ulid::from_string(letters).map_err(|_| wrong)?;
    let uuid = Uuid::from_u128(ulid.into());
    if ulid.to_string().eq_ignore_ascii_case(letters) {
        Ok(uuid)
    } else {
        Err(wrong)
    }
}

typed_id!(/// Id of an appointment.
    AppointmentId, "appt");
typed_id!(/// Id of an attempt.
    AttemptId, "attempt");
typed_id!(/// Id of an audit event.
    AuditEventId, "audit");
typed_id!(/// Id of a campaign.
    CampaignId, "camp");
typed_id!(/// Id of a change of capacity.
    CapacityEventId, "capev");
typed_id!(/// Id of a consent event.
    ConsentEventId, "consent");
typed_id!(/// Id of a consent wording version.
    ConsentWordingId, "wording");
typed_id!(/// Id of a checklist.
    ChecklistId, "chl");
typed_id!(/// Id of a template of follow-ups.
    FollowUpTemplateId, "fut");
typed_id!(/// Id of a contact.
    ContactId, "contact");
typed_id!(/// Id of a pair of contacts that may be one person.
    ContactCandidateId, "cand");
typed_id!(/// Id of a contact's wish about a service line.
    ContactLinePreferenceId, "linepref");
typed_id!(/// Id of a contact's wishes about mail.
    ContactPreferenceId, "pref");
typed_id!(/// Id of a day on which a sequence is to enroll a lead.
    DateOccasionId, "occ");
typed_id!(/// Id of a department.
    DepartmentId, "dept");
typed_id!(/// Id of an enrollment.
    EnrollmentId, "enr");
typed_id!(/// Id of a move of enrollments to another version.
    EnrollmentMoveId, "move");
typed_id!(/// Id of a facility.
    FacilityId, "fac");
typed_id!(/// Id of a follow-up.
    FollowUpId, "fup");
typed_id!(/// Id of a form.
    FormId, "form");
typed_id!(/// Id of a form that somebody saved.
    FormDraftId, "draft");
typed_id!(/// Id of what is counted of a mail with the link to a saved form.
    FormDraftMailId, "draftmail");
typed_id!(/// Id of a version of the frequency caps.
    FrequencyCapId, "cap");
typed_id!(/// Id of a kept answer to a repeated request.
    IdempotencyId, "idem");
typed_id!(/// Id of what came back about a message.
    InboundMailId, "inbound");
typed_id!(/// Id of somebody whom what came back is about.
    InboundPartyId, "party");
typed_id!(/// Id of the count of mails that came back from an address.
    SoftBounceId, "softb");
typed_id!(/// Id of a lead.
    LeadId, "lead");
typed_id!(/// Id of a lead event.
    LeadEventId, "levent");
typed_id!(/// Id of a visit of a link in a mail.
    LinkVisitId, "visit");
typed_id!(/// Id of a mailing.
    MailingId, "mailing");
typed_id!(/// Id of a change of state of a mailing's mail.
    MailingChangeId, "mchange");
typed_id!(/// Id of a message.
    MessageId, "msg");
typed_id!(/// Id of a message event.
    MessageEventId, "mevent");
typed_id!(/// Id of a hold of a campaign or sequence.
    OutreachHoldId, "hold");
typed_id!(/// Id of a release of held messages.
    OutreachReleaseId, "release");
typed_id!(/// Id of a lead's move away from the wrong team.
    MisrouteId, "misroute");
typed_id!(/// Id of a placement.
    PlacementId, "plc");
typed_id!(/// Id of a retention policy.
    RetentionPolicyId, "retention");
typed_id!(/// Id of a routing rule.
    RoutingRuleId, "route");
typed_id!(/// Id of a version of rules.
    RuleSetId, "rules");
typed_id!(/// Id of a scoring rule.
    ScoringRuleId, "score");
typed_id!(/// Id of a stretch of a send window.
    SendWindowId, "window");
typed_id!(/// Id of a stop of bulk mail.
    SendingStopId, "stop");
typed_id!(/// Id of a sequence.
    SequenceId, "seq");
typed_id!(/// Id of a sequence version.
    SequenceVersionId, "seqv");
typed_id!(/// Id of a service line.
    ServiceLineId, "line");
typed_id!(/// Id of a session.
    SessionId, "sess");
typed_id!(/// Id of a pause of a lead's clock.
    SlaPauseId, "pause");
typed_id!(/// Id of an SLA policy.
    SlaPolicyId, "sla");
typed_id!(/// Id of a member of staff.
    StaffId, "staff");
typed_id!(/// Id of a time during which a member of staff is away.
    StaffAbsenceId, "absence");
typed_id!(/// Id of a suppression.
    SuppressionId, "supp");
typed_id!(/// Id of a team.
    TeamId, "team");
typed_id!(/// Id of a template.
    TemplateId, "tmpl");
typed_id!(/// Id of a template version.
    TemplateVersionId, "tmplv");
typed_id!(/// Id of an access token.
    TokenId, "token");
typed_id!(/// Id of a touchpoint.
    TouchpointId, "touch");
typed_id!(/// Id of a business calendar.
    BusinessCalendarId, "cal");
typed_id!(/// Id of a calendar feed.
    CalendarFeedId, "feed");
typed_id!(/// Id of an ideal lead profile.
    LeadProfileId, "profile");
typed_id!(/// Id of a version of an intake script.
    IntakeScriptId, "script");
typed_id!(/// Id of a version of an audit rubric.
    AuditRubricId, "rubric");
typed_id!(/// Id of a sample of work to review.
    QualitySampleId, "sample");
typed_id!(/// Id of a piece of work in a sample.
    QualityItemId, "item");
typed_id!(/// Id of a review of a piece of work.
    QualityReviewId, "review");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_reads_back_as_itself() {
        let id = LeadId(Uuid::from_u128(0x0190_1234_5678_7abc_8def_0123_4567_89ab));
        let text = id.to_string();
        assert!(text.starts_with("lead_") && text.len() == 31, "{text}");
        assert_eq!(text.parse::<LeadId>(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_or_spelling_is_refused() {
        let id = LeadId(Uuid::from_u128(7)).to_string();
        assert!(id.parse::<ContactId>().is_err());
        assert!(id.to_uppercase().parse::<LeadId>().is_err());
        assert!("lead_".parse::<LeadId>().is_err());
        assert!(
            "lead_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<LeadId>().is_err(),
            "more than 128 bits"
        );
        assert!(
            "lead_0000000000000000000000000o".parse::<LeadId>().is_err(),
            "a look-alike letter"
        );
    }
}
