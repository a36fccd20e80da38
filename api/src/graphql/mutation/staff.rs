//! When staff are away, and how much they are given.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::staff::{absence, limit, skill};
use entity::id::{StaffAbsenceId, StaffId};

use super::{Outcome, audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::directory::{self, Staff};
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::AbsenceReason;

type DomainResult<T> = domain::error::Result<T>;

/// An absence to enter.
#[derive(InputObject)]
pub struct AddAbsenceInput {
    /// Who is away: you, or anybody for an administrator.
    staff_id: ID,
    /// Why.
    reason: AbsenceReason,
    /// Its first instant; now if not said.
    from: Option<DateTime>,
    /// The instant from which the person is here again: in the future, at most 400 days after the first.
    to: DateTime,
}

impl AddAbsenceInput {
    fn read(self) -> DomainResult<absence::AddAbsence> {
        Ok(absence::AddAbsence {
            staff_id: read_id("staffId", &self.staff_id)?,
            reason: self.reason.into(),
            from: self.from.map(Into::into),
            to: self.to.into(),
        })
    }
}

/// An absence that is to end.
#[derive(InputObject)]
pub struct EndAbsenceInput {
    /// The absence.
    absence_id: ID,
}

/// How much a person is given.
#[derive(InputObject)]
pub struct SetStaffLimitInput {
    /// The person.
    staff_id: ID,
    /// Most open follow-ups that the rules give the person, 1 to 200; null for as many as come.
    max_open: Option<i32>,
}

impl SetStaffLimitInput {
    fn read(self) -> DomainResult<limit::SetLimit> {
        Ok(limit::SetLimit {
            staff_id: read_id("staffId", &self.staff_id)?,
            max_open: self.max_open,
        })
    }
}

/// What a person is good at.
#[derive(InputObject)]
pub struct SetStaffSkillsInput {
    /// The person.
    staff_id: ID,
    /// BCP 47 tags of all languages that the person speaks, at most 20; none for English alone.
    languages: Vec<String>,
    /// Slugs of all service lines that the person knows, at most 100; none for all of them.
    service_lines: Vec<String>,
}

impl SetStaffSkillsInput {
    fn read(self) -> DomainResult<skill::SetSkills> {
        Ok(skill::SetSkills {
            staff_id: read_id("staffId", &self.staff_id)?,
            languages: self.languages,
            service_lines: self.service_lines,
        })
    }
}

payload!(
    /// What came of entering an absence.
    AddAbsencePayload {
        /// Who is away.
        staff: Staff
    }
);

payload!(
    /// What came of ending an absence.
    EndAbsencePayload {
        /// Whose absence it was.
        staff: Staff
    }
);

payload!(
    /// What came of setting a limit.
    SetStaffLimitPayload {
        /// The person.
        staff: Staff
    }
);

payload!(
    /// What came of setting skills.
    SetStaffSkillsPayload {
        /// The person.
        staff: Staff
    }
);

/// Changes about staff.
#[derive(Default)]
pub struct StaffMutation;

/// Changes about staff.
#[Object]
impl StaffMutation {
    /// Enters a time during which you are away; administrators enter it for anybody. Whoever is away is given no lead by
    /// the rules, and is not reminded by mail.
    async fn add_absence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is away, why, and when.")] input: AddAbsenceInput,
    ) -> Result<AddAbsencePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => absence::add(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "staff.add_absence", done, |row| row.staff_id).await?;
        let outcome = person(ask, outcome.map(|row| row.staff_id)).await?;
        Ok(AddAbsencePayload::of(outcome))
    }

    /// Ends an absence of yours now; one that has not begun is taken away. Administrators end anybody's.
    async fn end_absence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The absence.")] input: EndAbsenceInput,
    ) -> Result<EndAbsencePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id::<StaffAbsenceId>("absenceId", &input.absence_id) {
            Ok(id) => absence::end(&ask.api.hospital, ask.viewer(), id).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "staff.end_absence", done, |id| *id).await?;
        Ok(EndAbsencePayload::of(person(ask, outcome).await?))
    }

    /// Sets how many open follow-ups the rules give a person. What people give each other by hand is not held back.
    async fn set_staff_limit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person, and how many.")] input: SetStaffLimitInput,
    ) -> Result<SetStaffLimitPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => limit::set_limit(&ask.api.hospital, input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "staff.set_limit", done, |staff| staff.id).await?;
        let outcome = person(ask, outcome.map(|staff| staff.id)).await?;
        Ok(SetStaffLimitPayload::of(outcome))
    }

    /// Sets which languages a person speaks and which service lines the person knows, for rules that choose by skill.
    async fn set_staff_skills(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person, and the skills.")] input: SetStaffSkillsInput,
    ) -> Result<SetStaffSkillsPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => skill::set_skills(&ask.api.hospital, input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "staff.set_skills", done, |staff| staff.id).await?;
        let outcome = person(ask, outcome.map(|staff| staff.id)).await?;
        Ok(SetStaffSkillsPayload::of(outcome))
    }
}

/// The person whom a change was about, as the rules know the person after it.
async fn person(ask: &Ask, outcome: Outcome<StaffId>) -> Result<Outcome<Staff>, Error> {
    let id = match outcome {
        Ok(id) => id,
        Err(refusals) => return Ok(Err(refusals)),
    };
    let found = directory::staff_now(ask, id).await?;
    found
        .map(Ok)
        .ok_or_else(|| Error::new("The person cannot be read."))
}
