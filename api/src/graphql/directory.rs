//! The hospital itself: service lines, facilities, departments, teams, staff. Nearly all of it is in the playbook.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use domain::playbook::fold_name;
use entity::id::{DepartmentId, FacilityId, ServiceLineId, StaffId, TeamId};
use entity::staff_skill::SkillKind;
use entity::{department, facility, service_line, staff, staff_absence, team};

use super::ask::Ask;
use super::id::id;
use super::loaders::AbsencesOf;
use super::scalars::{DateTime, EmailAddress, PhoneNumber};
use super::vocabulary::{AbsenceReason, Role};

/// A service of the hospital under its canonical name.
pub struct ServiceLine(pub Arc<service_line::Model>);

/// A service of the hospital under its canonical name.
#[Object]
impl ServiceLine {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Short name in rules and forms, for example `sleep`.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The canonical name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Other names under which people ask for it.
    async fn aliases(&self, ctx: &Context<'_>) -> Result<Vec<String>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let own = [fold_name(&self.0.slug), fold_name(&self.0.name)];
        let names = playbook
            .line_by_name
            .iter()
            .filter(|(name, line)| **line == self.0.id && !own.contains(name));
        let mut aliases: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        aliases.sort_unstable();
        Ok(aliases)
    }

    /// Whether intake may book it without a clinician's look.
    async fn direct_scheduling(&self) -> bool {
        self.0.direct_scheduling
    }

    /// Whether a referral must exist before a visit.
    async fn referral_required(&self) -> bool {
        self.0.referral_required
    }

    /// Whether a provider's order must exist before a visit.
    async fn order_required(&self) -> bool {
        self.0.order_required
    }

    /// Whether a clinician triages every lead.
    async fn triage_required(&self) -> bool {
        self.0.triage_required
    }

    /// Names of the procedures that can be booked without a call.
    async fn direct_procedures(&self) -> &[String] {
        &self.0.direct_procedures.0
    }

    /// Demand-making mails that bring one completed visit, by which promotion is paced.
    async fn mails_per_visit(&self) -> i32 {
        self.0.mails_per_visit
    }

    /// How many weeks promotion looks ahead, the present one included.
    async fn pacing_weeks(&self) -> i32 {
        self.0.pacing_weeks
    }

    /// Promotion stops when people wait longer than so many days for a visit; null for no limit.
    async fn max_wait_days(&self) -> Option<i32> {
        self.0.max_wait_days
    }

    /// Promotion stops when fewer slots are open in the nearest week; null for no limit.
    async fn min_open_slots(&self) -> Option<i32> {
        self.0.min_open_slots
    }

    /// Whether leads can still be received for it.
    async fn active(&self) -> bool {
        self.0.active
    }
}

/// A place where leads are served.
pub struct Facility(pub Arc<facility::Model>);

/// A place where leads are served, with an address and a time zone.
#[Object]
impl Facility {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Short name in rules and configuration, for example `riverside`.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Street and number.
    async fn address_line(&self) -> &str {
        &self.0.address_line
    }

    /// City.
    async fn city(&self) -> &str {
        &self.0.city
    }

    /// State, a two-letter USPS code in the United States.
    async fn region(&self) -> &str {
        &self.0.region
    }

    /// Postal code.
    async fn postal_code(&self) -> &str {
        &self.0.postal_code
    }

    /// ISO 3166 two-letter country.
    async fn country(&self) -> &str {
        &self.0.country
    }

    /// IANA time zone, for example `America/New_York`. Times are shown in it.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// Main number.
    async fn phone(&self) -> Option<PhoneNumber> {
        self.0.phone.clone().map(PhoneNumber)
    }
}

/// A part of a facility.
pub struct Department(department::Model);

/// A part of a facility.
#[Object]
impl Department {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The facility that it belongs to.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        facility(Ask::of(ctx), Some(self.0.facility_id)).await
    }
}

/// People who serve leads together.
pub struct Team(pub Arc<team::Model>);

/// People who serve leads together.
#[Object]
impl Team {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Short name in rules and configuration.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The facility whose calendar and zone the team keeps.
    async fn facility(&self, ctx: &Context<'_>) -> Result<Option<Facility>, Error> {
        facility(Ask::of(ctx), self.0.facility_id).await
    }

    /// The department it belongs to.
    async fn department(&self, ctx: &Context<'_>) -> Result<Option<Department>, Error> {
        department(Ask::of(ctx), self.0.department_id).await
    }

    /// The person who answers for it, and is told what its members leave undone.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        staff(Ask::of(ctx), self.0.lead_id).await
    }

    /// Whether leads that no rule can place come here.
    async fn is_review(&self) -> bool {
        self.0.is_review
    }

    /// Its active members.
    #[graphql(complexity = "20 * child_complexity")]
    async fn members(&self, ctx: &Context<'_>) -> Result<Vec<Staff>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let members = playbook.members.get(&self.0.id).into_iter().flatten();
        Ok(members
            .filter_map(|id| playbook.staff.get(id))
            .cloned()
            .map(Staff)
            .collect())
    }
}

/// A person who works with Leadward.
pub struct Staff(pub Arc<staff::Model>);

impl Staff {
    async fn skills(&self, ctx: &Context<'_>, kind: SkillKind) -> Result<Vec<String>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let all = playbook.skills.get(&self.0.id).map_or(&[][..], Vec::as_slice);
        let mut values: Vec<_> = all
            .iter()
            .filter(|skill| skill.kind == kind)
            .map(|skill| skill.value.clone())
            .collect();
        values.sort_unstable();
        Ok(values)
    }
}

/// A person who works with Leadward.
#[Object]
impl Staff {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name that people read.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// Address of reminders, and the name to sign in by.
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.0.email.clone())
    }

    /// What the person may do.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// IANA time zone of the person's mails.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// Whether the person works here.
    async fn active(&self) -> bool {
        self.0.active
    }

    /// Most open follow-ups that the rules give the person; null for as many as come.
    async fn max_open(&self) -> Option<i32> {
        self.0.max_open
    }

    /// BCP 47 tags of the languages that the person speaks, lower case; none for English alone.
    async fn languages(&self, ctx: &Context<'_>) -> Result<Vec<String>, Error> {
        self.skills(ctx, SkillKind::Language).await
    }

    /// Slugs of the service lines that the person knows; none for all of them.
    async fn service_lines(&self, ctx: &Context<'_>) -> Result<Vec<String>, Error> {
        self.skills(ctx, SkillKind::ServiceLine).await
    }

    /// Whether the person is away now.
    async fn away(&self, ctx: &Context<'_>) -> Result<bool, Error> {
        let ask = Ask::of(ctx);
        let now = ask.now();
        let absences = ask.load(AbsencesOf(self.0.id)).await?.unwrap_or_default();
        Ok(absences
            .iter()
            .any(|row| row.starts_at <= now && now < row.ends_at))
    }

    /// When the person is or will be away, by its first instant, up to 50.
    #[graphql(complexity = "5 * child_complexity")]
    async fn absences(&self, ctx: &Context<'_>) -> Result<Vec<Absence>, Error> {
        let ask = Ask::of(ctx);
        let now = ask.now();
        let absences = ask.load(AbsencesOf(self.0.id)).await?.unwrap_or_default();
        let ahead = absences.into_iter().filter(|row| row.ends_at > now);
        Ok(ahead.map(Absence).collect())
    }

    /// The teams that the person belongs to, by name.
    #[graphql(complexity = "5 * child_complexity")]
    async fn teams(&self, ctx: &Context<'_>) -> Result<Vec<Team>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let theirs = playbook
            .members
            .iter()
            .filter(|(_, members)| members.contains(&self.0.id));
        let mut teams: Vec<_> = theirs
            .filter_map(|(team, _)| playbook.teams.get(team))
            .cloned()
            .collect();
        teams.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(teams.into_iter().map(Team).collect())
    }
}

/// A time during which a person is away.
pub struct Absence(staff_absence::Model);

/// A time during which a person is away.
#[Object]
impl Absence {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Why. Nothing here tells of anybody's health.
    async fn reason(&self) -> AbsenceReason {
        self.0.reason.into()
    }

    /// Its first instant.
    async fn from(&self) -> DateTime {
        self.0.starts_at.into()
    }

    /// The instant from which the person is here again.
    async fn to(&self) -> DateTime {
        self.0.ends_at.into()
    }
}

/// The service line of this id.
pub async fn service_line(ask: &Ask, id: Option<ServiceLineId>) -> Result<Option<ServiceLine>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.playbook().await?.lines.get(&id).cloned().map(ServiceLine))
}

/// The facility of this id.
pub async fn facility(ask: &Ask, id: Option<FacilityId>) -> Result<Option<Facility>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.playbook().await?.facilities.get(&id).cloned().map(Facility))
}

/// The department of this id.
pub async fn department(ask: &Ask, id: Option<DepartmentId>) -> Result<Option<Department>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.load(id).await?.map(Department))
}

/// The team of this id.
pub async fn team(ask: &Ask, id: Option<TeamId>) -> Result<Option<Team>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(ask.playbook().await?.teams.get(&id).cloned().map(Team))
}

/// The member of staff of this id. Who no longer works here is not in the playbook, and is loaded.
pub async fn staff(ask: &Ask, id: Option<StaffId>) -> Result<Option<Staff>, Error> {
    let Some(id) = id else { return Ok(None) };
    if let Some(known) = ask.playbook().await?.staff.get(&id) {
        return Ok(Some(Staff(known.clone())));
    }
    Ok(ask.load(id).await?.map(Arc::new).map(Staff))
}

/// The member of staff of this id as the row is now, for what was just changed.
pub async fn staff_now(ask: &Ask, id: StaffId) -> Result<Option<Staff>, Error> {
    Ok(ask.load(id).await?.map(Arc::new).map(Staff))
}

/// Reads of the hospital itself.
#[derive(Default)]
pub struct DirectoryQuery;

/// Reads of the hospital itself.
#[Object]
impl DirectoryQuery {
    /// The service lines, by name.
    #[graphql(complexity = "30 * child_complexity")]
    async fn service_lines(&self, ctx: &Context<'_>) -> Result<Vec<ServiceLine>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let mut lines: Vec<_> = playbook.lines.values().cloned().collect();
        lines.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(lines.into_iter().map(ServiceLine).collect())
    }

    /// The facilities, by name.
    #[graphql(complexity = "10 * child_complexity")]
    async fn facilities(&self, ctx: &Context<'_>) -> Result<Vec<Facility>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let mut facilities: Vec<_> = playbook.facilities.values().cloned().collect();
        facilities.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(facilities.into_iter().map(Facility).collect())
    }

    /// The teams, by name.
    #[graphql(complexity = "20 * child_complexity")]
    async fn teams(&self, ctx: &Context<'_>) -> Result<Vec<Team>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let mut teams: Vec<_> = playbook.teams.values().cloned().collect();
        teams.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(teams.into_iter().map(Team).collect())
    }
}
