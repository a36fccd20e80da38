//! The hospital's rules and lists as one immutable snapshot: service lines, teams, calendars, forms, templates, rules,
//! published sequences.
//!
//! They are few, read by every operation and seldom changed, so each process keeps them and asks the database only for
//! the revision. Whatever must be true at the moment of sending (consent, suppression, pauses) is never read from here.

mod load;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::id::{
    CampaignId, ChecklistId, ConsentWordingId, FacilityId, FormId, PlacementId, SequenceId,
    SequenceVersionId, ServiceLineId, SlaPolicyId, StaffId, TeamId, TemplateId, TemplateVersionId,
};
use entity::lead::RuleVersions;
use entity::{
    audit_rubric, campaign, checklist, consent_wording, facility, follow_up_template, form, intake_script,
    lead_profile, placement, playbook_revision, routing_rule, scoring_rule, sequence, sequence_version,
    service_line, sla_policy, staff, staff_absence, staff_skill, team, template, template_version,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, ExprTrait};
use tokio::sync::{Mutex, RwLock};

use crate::error::{Error, Result};
use crate::outreach::gate::Caps;
use crate::quiet_hours::windows::SendWindows;
use crate::sla::calendar::Calendar;

/// A published sequence with the version that new enrollments take.
#[derive(Clone, Debug)]
pub struct PublishedSequence {
    /// The sequence.
    pub sequence: sequence::Model,
    /// Its current version.
    pub version: sequence_version::Model,
}

/// The snapshot.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// Rises with every change.
    pub revision: i64,
    /// Service lines by id.
    pub lines: HashMap<ServiceLineId, Arc<service_line::Model>>,
    /// Service lines by alias, canonical name and slug, folded by [`fold_name`].
    pub line_by_name: HashMap<String, ServiceLineId>,
    /// Facilities by id.
    pub facilities: HashMap<FacilityId, Arc<facility::Model>>,
    /// Phone numbers of facilities as mails show them.
    pub facility_phones: HashMap<FacilityId, String>,
    /// Calendars by facility.
    pub calendars: HashMap<FacilityId, Calendar>,
    /// Teams by id.
    pub teams: HashMap<TeamId, Arc<team::Model>>,
    /// The team that gets what no rule can place.
    pub review_team: TeamId,
    /// Active staff by id.
    pub staff: HashMap<StaffId, Arc<staff::Model>>,
    /// Active members of each team.
    pub members: HashMap<TeamId, Vec<StaffId>>,
    /// What staff are good at, by the kind of skill; who is not in it has named nothing.
    pub skills: HashMap<StaffId, Vec<staff_skill::Model>>,
    /// When staff are away, the latest first; what has long been over may be left out.
    pub absences: HashMap<StaffId, Vec<staff_absence::Model>>,
    /// Routing rules, in order.
    pub routing: Vec<routing_rule::Model>,
    /// Scoring rules.
    pub scoring: Vec<scoring_rule::Model>,
    /// SLA policies, in order.
    pub sla: Vec<sla_policy::Model>,
    /// Policies that new leads no longer fall under, while older ones still do.
    pub sla_retired: Vec<sla_policy::Model>,
    /// Numbers of the versions of these rules that are published.
    pub rule_versions: RuleVersions,
    /// Active forms by id.
    pub forms: HashMap<FormId, form::Model>,
    /// Active forms by slug.
    pub form_by_slug: HashMap<String, FormId>,
    /// Active forms by public key.
    pub form_by_key: HashMap<String, FormId>,
    /// Every version of every consent wording.
    pub wordings: HashMap<ConsentWordingId, consent_wording::Model>,
    /// Templates by key.
    pub template_by_key: HashMap<String, TemplateId>,
    /// Templates by id.
    pub templates: HashMap<TemplateId, template::Model>,
    /// The newest version of each template.
    pub template_current: HashMap<TemplateId, TemplateVersionId>,
    /// The newest versions of templates, by version id.
    pub template_versions: HashMap<TemplateVersionId, template_version::Model>,
    /// Ideal lead profiles by their key.
    pub profiles: HashMap<String, lead_profile::Model>,
    /// The newest version of each intake script, by its key.
    pub scripts: HashMap<String, intake_script::Model>,
    /// The newest version of each audit rubric, by its key.
    pub rubrics: HashMap<String, audit_rubric::Model>,
    /// Checklists by id.
    pub checklists: HashMap<ChecklistId, checklist::Model>,
    /// Templates of follow-ups by key.
    pub follow_up_templates: HashMap<String, follow_up_template::Model>,
    /// Published sequences.
    pub sequences: HashMap<SequenceId, PublishedSequence>,
    /// Every version that an enrollment may stand on.
    pub sequence_versions: HashMap<SequenceVersionId, Arc<sequence_version::Model>>,
    /// Campaigns by id.
    pub campaigns: HashMap<CampaignId, Arc<campaign::Model>>,
    /// Campaigns by code, folded.
    pub campaign_by_code: HashMap<String, CampaignId>,
    /// The windows of local time in which nurture may go.
    pub send_windows: SendWindows,
    /// The frequency caps.
    pub caps: Caps,
    /// Placements by id.
    pub placements: HashMap<PlacementId, placement::Model>,
    /// Placements by source code, folded.
    pub placement_by_code: HashMap<String, PlacementId>,
}

impl Playbook {
    /// The service line that people call `name`.
    pub fn line_named(&self, name: &str) -> Option<&service_line::Model> {
        self.line_by_name
            .get(&fold_name(name))
            .and_then(|id| self.lines.get(id))
            .map(AsRef::as_ref)
    }

    /// The newest wording of `key` in `language`, else in English, else in any language.
    pub fn wording(&self, key: &str, language: &str) -> Option<&consent_wording::Model> {
        let of_key = || self.wordings.values().filter(|w| w.key == key);
        let newest = |lang: &str| of_key().filter(|w| w.language == lang).max_by_key(|w| w.version);
        newest(language)
            .or_else(|| newest("en"))
            .or_else(|| of_key().max_by_key(|w| (w.version, w.id)))
    }

    /// The newest version of the template called `key`.
    pub fn template_version(&self, key: &str) -> Option<&template_version::Model> {
        let template = self.template_by_key.get(key)?;
        self.template_versions.get(self.template_current.get(template)?)
    }

    /// The calendar of a facility; without one, of the hospital's first facility; without any, always open in UTC.
    pub fn calendar(&self, facility: Option<FacilityId>) -> Calendar {
        let calendar = self.calendar_if_any(facility).cloned();
        calendar.unwrap_or_else(|| Calendar::always_open(Tz::UTC))
    }

    /// The same, none if there is no calendar at all.
    pub fn calendar_if_any(&self, facility: Option<FacilityId>) -> Option<&Calendar> {
        let first = || self.calendars.iter().min_by_key(|(id, _)| **id);
        facility
            .and_then(|id| self.calendars.get(&id))
            .or_else(|| first().map(|(_, calendar)| calendar))
    }

    /// The policy that a lead fell under when it came in.
    pub fn policy(&self, id: SlaPolicyId) -> Option<&sla_policy::Model> {
        let mut all = self.sla.iter().chain(&self.sla_retired);
        all.find(|policy| policy.id == id)
    }

    /// Whether somebody is away at that moment.
    pub fn is_away(&self, staff: StaffId, at: DateTime<Utc>) -> bool {
        let absences = self.absences.get(&staff).into_iter().flatten();
        absences
            .into_iter()
            .any(|absence| absence.starts_at <= at && at < absence.ends_at)
    }

    /// The person who answers for a team, if there is one who still works here.
    pub fn lead_of(&self, team: TeamId) -> Option<StaffId> {
        let lead = self.teams.get(&team)?.lead_id?;
        self.staff.contains_key(&lead).then_some(lead)
    }

    /// The time zone of a facility, UTC if it has none.
    pub fn zone(&self, facility: Option<FacilityId>) -> Tz {
        facility
            .and_then(|id| self.facilities.get(&id))
            .and_then(|facility| facility.time_zone.parse().ok())
            .unwrap_or(Tz::UTC)
    }
}

/// Folds a name for comparison: lower case, words joined by single spaces, punctuation between words as a space.
pub fn fold_name(name: &str) -> String {
    let spaced: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    spaced
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// The snapshot of a process, read again when the revision has risen.
#[derive(Debug)]
pub struct Playbooks {
    kept: RwLock<Option<(Arc<Playbook>, Instant)>>,
    loading: Mutex<()>,
    recheck: Duration,
}

impl Playbooks {
    /// A cache that asks for the revision at most once per `recheck`; zero asks every time.
    pub fn new(recheck: Duration) -> Self {
        Self {
            kept: RwLock::new(None),
            loading: Mutex::new(()),
            recheck,
        }
    }

    /// The rules and lists as they are now, or were at most the re-check interval ago.
    ///
    /// # Errors
    /// When the database fails, or no team is the review team.
    pub async fn current(&self, db: &DatabaseConnection) -> Result<Arc<Playbook>> {
        if let Some(fresh) = self.fresh().await {
            return Ok(fresh);
        }
        // One task asks; the others wait for what it finds.
        let _loading = self.loading.lock().await;
        if !self.recheck.is_zero()
            && let Some(fresh) = self.fresh().await
        {
            return Ok(fresh);
        }
        let revision = revision(db).await?;
        let known = self
            .kept
            .read()
            .await
            .as_ref()
            .map(|(playbook, _)| playbook.clone());
        let playbook = match known {
            Some(playbook) if playbook.revision == revision => playbook,
            _ => Arc::new(load::load(db, revision).await?),
        };
        *self.kept.write().await = Some((playbook.clone(), Instant::now()));
        Ok(playbook)
    }

    async fn fresh(&self) -> Option<Arc<Playbook>> {
        let kept = self.kept.read().await;
        let (playbook, asked_at) = kept.as_ref()?;
        (asked_at.elapsed() < self.recheck).then(|| playbook.clone())
    }
}

/// The present revision.
async fn revision(db: &impl ConnectionTrait) -> Result<i64> {
    let row = playbook_revision::Entity::find_by_id(1).one(db).await?;
    row.map(|row| row.revision)
        .ok_or_else(|| Error::fault("the playbook revision row is missing"))
}

/// Tells every process that rules or lists have changed. Call it in the transaction that changes them.
///
/// # Errors
/// When the database fails.
pub async fn changed(tx: &impl ConnectionTrait) -> Result<()> {
    playbook_revision::Entity::update_many()
        .col_expr(
            playbook_revision::Column::Revision,
            Expr::col(playbook_revision::Column::Revision).add(1),
        )
        .exec(tx)
        .await?;
    Ok(())
}
