//! The way of a version from its author to a clinical reviewer: draft → in review → approved or rejected.
//!
//! A person approves, not a program; the person is a clinical reviewer and wrote nothing of what is approved; and the
//! digest of what was approved is kept beside it, so that no letter changes unseen.

use entity::enums::Role;
use entity::id::{StaffId, TemplateId};
use entity::template_version::{self, TemplateState};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect,
};

use super::template::lint::lint;
use super::template::seal::digest_of;
use super::template::{Finding, Severity};
use super::template_store::{Written, finish, hold};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::viewer::Viewer;

/// Longest note of a reviewer, in characters.
pub const MAX_NOTE_CHARS: usize = 2000;

/// What a reviewer looks at.
#[derive(Clone, Debug)]
pub struct Review {
    /// The template.
    pub template_id: TemplateId,
    /// The version that was read: if there is a newer one, nothing is done.
    pub version: i32,
    /// What the reviewer says; may be empty with an approval.
    pub note: String,
}

/// Gives the newest version to the clinical reviewers.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer has no role; [`Error::Refused`] with every finding that must be
/// cured first, or when it is no draft; or a fault of the database.
pub async fn submit(h: &Hospital, viewer: &Viewer, id: TemplateId, number: i32) -> Result<Done<Written>> {
    let tx = db::begin_write(&h.db).await?;
    let Written { template, version } = hold(&tx, viewer, id, Some(number)).await?;
    let now = h.now();
    expect_state(
        &version,
        TemplateState::Draft,
        "Only a draft can be given to the reviewers.",
    )?;
    let refusals: Vec<Refusal> = lint(&version, template.purpose)
        .iter()
        .filter(|finding| finding.severity > Severity::Warning)
        .map(Finding::refusal)
        .collect();
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let mut row = version.into_active_model();
    row.state = Set(TemplateState::InReview);
    row.submitted_at = Set(Some(now));
    let version = row.update(&tx).await?;
    finish(viewer, tx, "template.submit", id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

/// Approves the newest version. From now on mails are made of it, those that waited for it too.
///
/// # Errors
/// As [`submit`]; [`Code::NotAllowedNow`] when the viewer is no clinical reviewer in person, wrote part of it, or the
/// content is not what was written.
pub async fn approve(h: &Hospital, viewer: &Viewer, review: Review) -> Result<Done<Written>> {
    let tx = db::begin_write(&h.db).await?;
    let Written { template, version } = hold(&tx, viewer, review.template_id, Some(review.version)).await?;
    let now = h.now();
    let reviewer = reviewer(viewer)?;
    let note = read_note(&review.note)?;
    expect_state(
        &version,
        TemplateState::InReview,
        "Only a version in review can be approved.",
    )?;
    if wrote_part_of_it(&tx, &version, reviewer).await? {
        let message = "Whoever wrote a text does not approve it. Ask another clinical reviewer.";
        return Err(Error::refused(Code::NotAllowedNow, "templateId", message));
    }
    let digest = digest_of(&version);
    if digest != version.content_sha256 {
        let message = "The content is not what its author wrote. Write it anew.";
        return Err(Error::refused(Code::NotAllowedNow, "version", message));
    }
    let mut row = version.into_active_model();
    row.state = Set(TemplateState::Approved);
    row.approved_sha256 = Set(Some(digest));
    row.reviewed_at = Set(Some(now));
    row.reviewed_by = Set(Some(reviewer));
    row.note = Set(note);
    let version = row.update(&tx).await?;
    finish(viewer, tx, "template.approve", review.template_id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

/// Rejects the newest version, with a note for its author. The author then writes the next one.
///
/// # Errors
/// As [`approve`]; a rejection needs a note.
pub async fn reject(h: &Hospital, viewer: &Viewer, review: Review) -> Result<Done<Written>> {
    let tx = db::begin_write(&h.db).await?;
    let Written { template, version } = hold(&tx, viewer, review.template_id, Some(review.version)).await?;
    let now = h.now();
    let reviewer = reviewer(viewer)?;
    let note = read_note(&review.note)?;
    if note.is_none() {
        return Err(Error::refused(
            Code::Required,
            "note",
            "Say what is to be changed.",
        ));
    }
    expect_state(
        &version,
        TemplateState::InReview,
        "Only a version in review can be rejected.",
    )?;
    let mut row = version.into_active_model();
    row.state = Set(TemplateState::Rejected);
    row.reviewed_at = Set(Some(now));
    row.reviewed_by = Set(Some(reviewer));
    row.note = Set(note);
    let version = row.update(&tx).await?;
    finish(viewer, tx, "template.reject", review.template_id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

fn expect_state(
    version: &template_version::Model,
    state: TemplateState,
    message: &'static str,
) -> Result<()> {
    if version.state == state {
        return Ok(());
    }
    Err(Error::refused(Code::NotAllowedNow, "version", message))
}

/// The clinical reviewer who asks, in person.
fn reviewer(viewer: &Viewer) -> Result<StaffId> {
    match viewer {
        Viewer::Staff {
            id,
            role: Role::ClinicalReviewer,
            ..
        } => Ok(*id),
        _ => {
            let message = "Only a clinical reviewer who is signed in can review a template.";
            Err(Error::refused(Code::NotAllowedNow, "templateId", message))
        }
    }
}

/// Whether a person wrote this version, or one that it was made of since the last approval.
async fn wrote_part_of_it(
    tx: &DatabaseTransaction,
    version: &template_version::Model,
    reviewer: StaffId,
) -> Result<bool> {
    use template_version::Column;
    let of_template = || template_version::Entity::find().filter(Column::TemplateId.eq(version.template_id));
    let approved: Option<Option<i32>> = of_template()
        .filter(Column::ApprovedSha256.is_not_null())
        .select_only()
        .column_as(Column::Version.max(), "newest")
        .into_tuple()
        .one(tx)
        .await?;
    let theirs = of_template()
        .filter(Column::AuthorId.eq(reviewer.0))
        .filter(Column::Version.gt(approved.flatten().unwrap_or(0)))
        .count(tx)
        .await?;
    Ok(theirs > 0)
}

fn read_note(note: &str) -> Result<Option<String>> {
    let note = note.trim();
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(Error::refused(
            Code::TooLarge,
            "note",
            "A note has at most 2000 characters.",
        ));
    }
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Error::refused(Code::Invalid, "note", "A note is plain text."));
    }
    Ok((!note.is_empty()).then(|| note.to_owned()))
}
