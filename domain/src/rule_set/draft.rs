//! Drafts of rules: written, changed, and thrown away. A draft decides nothing.

use chrono::{DateTime, Utc};
use entity::id::RuleSetId;
use entity::rule_set::{Entity, Model, RuleKind, RuleSetState, Rules};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QuerySelect,
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::follow::new;
use super::{find, rows};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::note;
use crate::patch::Patch;
use crate::setup::{self, RoutingSetup, ScoringSetup, Setup, SlaSetup};
use crate::viewer::Viewer;

/// Most drafts of a kind at a time.
pub const DRAFTS_MAX: u64 = 20;

/// Rules as people write them: by names, as in a setup document. Of the three lists only that of the draft's kind may be
/// there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rules that send leads to teams.
    pub routing_rules: Option<Vec<RoutingSetup>>,
    /// Rules that give points.
    pub scoring_rules: Option<Vec<ScoringSetup>>,
    /// Policies.
    pub sla_policies: Option<Vec<SlaSetup>>,
}

/// A draft to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateDraft {
    /// Which rules.
    pub kind: RuleKind,
    /// The rules; those that count if none are given.
    pub written: Written,
    /// What is to be said about it, at most [`note::MAX_CHARS`] characters.
    pub note: Option<String>,
}

/// A draft to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateDraft {
    /// The draft.
    pub id: RuleSetId,
    /// The version that was read, to find out if somebody was faster.
    pub expected_version: i64,
    /// All rules anew; they stay if none are given.
    pub written: Written,
    /// What is to be said about it.
    pub note: Patch<String>,
}

/// Makes a draft.
///
/// # Errors
/// With everything that is wrong with the rules, each with its path in them, such as `routingRules.2.team`; when there
/// are too many drafts; or when the database fails.
pub async fn create(h: &Hospital, viewer: &Viewer, input: CreateDraft) -> Result<Done<Model>> {
    let note = note::read("note", input.note)?;
    let tx = db::begin_write(&h.db).await?;
    find::hold(&tx).await?;
    let now = h.now();
    let drafts = Entity::find()
        .filter(entity::rule_set::Column::Kind.eq(input.kind))
        .filter(entity::rule_set::Column::State.eq(RuleSetState::Draft))
        .count(&tx)
        .await?;
    if drafts >= DRAFTS_MAX {
        let message = "There are 20 drafts of this kind; publish or discard one.";
        return Err(Error::refused(Code::TooLarge, "kind", message));
    }
    let rules = match read(&tx, input.kind, input.written, now).await? {
        Some(rules) => rules,
        None => rows::document(&rows::present(&tx, input.kind).await?),
    };
    let based_on = find::published(&tx, input.kind).await?.map(|row| row.number);
    let number = find::next_number(&tx, input.kind).await?;
    let row = Model {
        note,
        ..new(input.kind, number, rules, based_on, viewer.actor(), now)
    };
    let row = row.into_active_model().insert(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Changes a draft. It then goes on from the version that counts now.
///
/// # Errors
/// As for [`create`]; when it is no draft or has another version.
pub async fn update(h: &Hospital, input: UpdateDraft) -> Result<Done<Model>> {
    let note = match input.note {
        Patch::Set(note) => note::read("note", Some(note))?.map_or(Patch::Clear, Patch::Set),
        other => other,
    };
    let tx = db::begin_write(&h.db).await?;
    let draft = held(&tx, input.id, input.expected_version).await?;
    let now = h.now();
    let rules = read(&tx, draft.kind, input.written, now).await?;
    let based_on = find::published(&tx, draft.kind).await?.map(|row| row.number);
    let (version, before) = (draft.version, draft.note.clone());
    let mut row = draft.into_active_model();
    if let Some(rules) = rules {
        row.rules = Set(rules);
        row.based_on = Set(based_on);
    }
    row.note = Set(note.apply(before));
    row.version = Set(version + 1);
    row.updated_at = Set(now);
    let row = row.update(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// Throws a draft away. Its row stays, as every version does.
///
/// # Errors
/// When it is no draft or has another version, or the database fails.
pub async fn discard(h: &Hospital, id: RuleSetId, expected_version: i64) -> Result<Done<Model>> {
    let tx = db::begin_write(&h.db).await?;
    let draft = held(&tx, id, expected_version).await?;
    let (now, version) = (h.now(), draft.version);
    let mut row = draft.into_active_model();
    row.state = Set(RuleSetState::Retired);
    row.retired_at = Set(Some(now));
    row.version = Set(version + 1);
    row.updated_at = Set(now);
    let row = row.update(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(row))
}

/// The draft, held until the transaction ends, with all other versions.
pub(super) async fn held(tx: &DatabaseTransaction, id: RuleSetId, expected_version: i64) -> Result<Model> {
    find::hold(tx).await?;
    let found = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let draft = found.ok_or(Error::Missing { noun: "draft" })?;
    if draft.state != RuleSetState::Draft {
        let message = "This is no draft any more.";
        return Err(Error::refused(Code::NotAllowedNow, "id", message));
    }
    if draft.version != expected_version {
        let message = "The draft has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "expectedVersion", message));
    }
    Ok(draft)
}

/// The rules that were written, checked; none when none were.
async fn read(
    tx: &DatabaseTransaction,
    kind: RuleKind,
    written: Written,
    now: DateTime<Utc>,
) -> Result<Option<Rules>> {
    let lists = [
        (RuleKind::Routing, "routingRules", written.routing_rules.is_some()),
        (RuleKind::Scoring, "scoringRules", written.scoring_rules.is_some()),
        (RuleKind::Sla, "slaPolicies", written.sla_policies.is_some()),
    ];
    for (of, field, is_there) in lists {
        if is_there && of != kind {
            let message = "The draft holds rules of another kind.";
            return Err(Error::refused(Code::Invalid, field, message));
        }
    }
    if lists.iter().all(|(.., is_there)| !is_there) {
        return Ok(None);
    }
    let setup = Setup {
        routing_rules: written.routing_rules.unwrap_or_default(),
        scoring_rules: written.scoring_rules.unwrap_or_default(),
        sla_policies: written.sla_policies.unwrap_or_default(),
        ..Setup::default()
    };
    let rows = setup::rule_rows(tx, &setup, now).await?;
    Ok(Some(rows::document(&rows)))
}
