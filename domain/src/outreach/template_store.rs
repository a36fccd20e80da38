//! Texts of mails are written and rewritten.
//!
//! The content of a version never changes; a new text is a new version, and it starts as a draft: with it, the approval of
//! the one before is void. Mails that are planned wait until the new version is approved, and go out with it.

use chrono::{DateTime, Utc};
use entity::enums::Purpose;
use entity::id::TemplateId;
use entity::template::{self, Model};
use entity::template_version::{self, TemplateState};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, SqlErr,
};

use super::plan::not_for_mails;
use super::template::{Content, Draft, Finding, PrivateWords, Words, compile};
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::playbook;
use crate::viewer::{Actor, Viewer};

/// Longest key in characters.
pub const MAX_KEY_CHARS: usize = 64;
/// Longest name in characters.
pub const MAX_NAME_CHARS: usize = 120;

/// A template to write.
#[derive(Clone, Debug)]
pub struct CreateTemplate {
    /// Name in steps and forms: lower-case letters, digits and inner hyphens.
    pub key: String,
    /// The name that people read.
    pub name: String,
    /// What mails made of it are for. It never changes, because consent is asked per purpose.
    pub purpose: Purpose,
    /// What it says.
    pub draft: Draft,
    /// The template whose layout it takes, instead of the one of the draft.
    pub layout_of: Option<TemplateId>,
}

/// A template to rewrite. What is not named stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateTemplate {
    /// The name that people read.
    pub name: Option<String>,
    /// The language of those whose own is not there.
    pub default_language: Option<String>,
    /// MJML source of the frame.
    pub layout: Option<String>,
    /// Words that are new or different; each takes the place of what there is in its language.
    pub words: Vec<Words>,
    /// Languages that are given up.
    pub without_languages: Vec<String>,
    /// The version of the text that was read, to find out if somebody was faster.
    pub version: Option<i32>,
}

/// A template with the version that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The template.
    pub template: Model,
    /// The version that counts: its newest.
    pub version: template_version::Model,
}

/// Writes a template with its first version, a draft.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] with all that is wrong, [`Code::AlreadyExists`] for
/// a key that is taken; or a fault of the database.
pub async fn create(h: &Hospital, viewer: &Viewer, input: CreateTemplate) -> Result<Done<Written>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "template" });
    }
    let playbook = h.playbook().await?;
    let mut refusals = Vec::new();
    refuse_key(&input.key, &mut refusals);
    refusals.extend(not_for_mails(input.purpose, "purpose"));
    let name = read_name(&input.name, &mut refusals);
    let mut draft = input.draft;
    if let Some(id) = input.layout_of {
        let of = playbook
            .template_current
            .get(&id)
            .and_then(|id| playbook.template_versions.get(id));
        match of {
            Some(version) => draft.layout.clone_from(&version.layout),
            None => refusals.push(Refusal::new(
                Code::NotFound,
                "layoutOf",
                "There is no such template.",
            )),
        }
    }
    let content = compile(&draft, &PrivateWords::of(&playbook));
    let content = refused_by(content, &mut refusals);
    let (Some(content), true) = (content, refusals.is_empty()) else {
        return Err(Error::Refused(refusals));
    };
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    let row = template::ActiveModel {
        id: Set(new_id(now)),
        key: Set(input.key),
        name: Set(name),
        purpose: Set(input.purpose),
        created_at: Set(now),
    };
    let template = row.insert(&tx).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::refused(
            Code::AlreadyExists,
            "key",
            "Another template has this key already.",
        ),
        _ => error.into(),
    })?;
    let version = new_version(template.id, 1, content, viewer.actor(), now)
        .into_active_model()
        .insert(&tx)
        .await?;
    finish(viewer, tx, "template.create", template.id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

/// Rewrites a template. A content that differs in a letter becomes the next version, a draft, and no mail is made of the
/// template until that is approved.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer has no role; [`Error::Refused`] with all that is wrong,
/// [`Code::VersionConflict`] when somebody was faster; or a fault of the database.
pub async fn update(
    h: &Hospital,
    viewer: &Viewer,
    id: TemplateId,
    input: UpdateTemplate,
) -> Result<Done<Written>> {
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let Written { template, version } = hold(&tx, viewer, id, input.version).await?;
    let now = h.now();
    let mut refusals = Vec::new();
    let draft = rewritten(&version, &input, &mut refusals);
    let name = input
        .name
        .map_or_else(|| template.name.clone(), |name| read_name(&name, &mut refusals));
    let content = compile(&draft, &PrivateWords::of(&playbook));
    let content = refused_by(content, &mut refusals);
    let (Some(content), true) = (content, refusals.is_empty()) else {
        return Err(Error::Refused(refusals));
    };
    let is_same = content.sha256 == version.content_sha256;
    if is_same && name == template.name {
        return Ok(Done::quiet(Written { template, version }));
    }
    let version = if is_same {
        version
    } else {
        let next = new_version(template.id, version.version + 1, content, viewer.actor(), now);
        let mut old = version.into_active_model();
        old.state = Set(TemplateState::Superseded);
        old.update(&tx).await?;
        next.into_active_model().insert(&tx).await?
    };
    let mut row = template.into_active_model();
    row.name = Set(name);
    let template = row.update(&tx).await?;
    finish(viewer, tx, "template.update", template.id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

/// The draft that a version becomes by an update.
fn rewritten(old: &template_version::Model, input: &UpdateTemplate, refusals: &mut Vec<Refusal>) -> Draft {
    let mut words: Vec<Words> = old.bodies.0.iter().map(Words::of).collect();
    let is_of = |tag: &str, words: &Words| words.language.eq_ignore_ascii_case(tag.trim());
    for tag in &input.without_languages {
        let before = words.len();
        words.retain(|words| !is_of(tag, words));
        if words.len() == before {
            let message = "The template is not written in this language.";
            refusals.push(Refusal::new(Code::NotFound, "withoutLanguages", message));
        }
    }
    for new in &input.words {
        words.retain(|words| !is_of(&new.language, words));
    }
    words.extend(input.words.iter().cloned());
    Draft {
        default_language: input
            .default_language
            .clone()
            .unwrap_or_else(|| old.default_language.clone()),
        layout: input.layout.clone().unwrap_or_else(|| old.layout.clone()),
        words,
    }
}

fn refused_by(content: Result<Content, Vec<Finding>>, refusals: &mut Vec<Refusal>) -> Option<Content> {
    content
        .map_err(|findings| refusals.extend(findings.iter().map(Finding::refusal)))
        .ok()
}

/// A version as a draft of this author.
pub(crate) fn new_version(
    template_id: TemplateId,
    number: i32,
    content: Content,
    author: Actor,
    now: DateTime<Utc>,
) -> template_version::Model {
    template_version::Model {
        id: new_id(now),
        template_id,
        version: number,
        state: TemplateState::Draft,
        default_language: content.default_language,
        layout: content.layout,
        bodies: content.bodies,
        author_kind: author.kind,
        author_id: author.id,
        content_sha256: content.sha256,
        created_at: now,
        submitted_at: None,
        reviewed_at: None,
        reviewed_by: None,
        note: None,
        approved_sha256: None,
    }
}

/// A template and the version that counts, held until the transaction ends, so that two changes do not become one.
pub(super) async fn hold(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    id: TemplateId,
    number: Option<i32>,
) -> Result<Written> {
    let template = template::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx)
        .await?
        .filter(|_| viewer.role().is_some())
        .ok_or(Error::Missing { noun: "template" })?;
    let version = template_version::Entity::find()
        .filter(template_version::Column::TemplateId.eq(id))
        .filter(Expr::cust(template_version::COUNTS))
        .one(tx)
        .await?
        .ok_or_else(|| Error::fault("a template has a version that counts"))?;
    if number.is_some_and(|number| number != version.version) {
        let message = "The template has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "version", message));
    }
    Ok(Written { template, version })
}

/// Writes down who did it, tells every process, and commits.
pub(super) async fn finish(
    viewer: &Viewer,
    tx: DatabaseTransaction,
    action: &'static str,
    id: TemplateId,
    now: DateTime<Utc>,
) -> Result<()> {
    audit::record(viewer.actor(), action, Some(&id), None, now)
        .insert(&tx)
        .await?;
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(())
}

fn refuse_key(key: &str, refusals: &mut Vec<Refusal>) {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if key.len() > MAX_KEY_CHARS || !key.split('-').all(is_part) {
        let message = "A key has lower-case letters, digits and single inner hyphens, at most 64.";
        refusals.push(Refusal::new(Code::Invalid, "key", message));
    }
}

fn read_name(name: &str, refusals: &mut Vec<Refusal>) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        refusals.push(Refusal::new(
            Code::Invalid,
            "name",
            "A name is one line of 1 to 120 characters.",
        ));
    }
    name
}

#[cfg(test)]
mod tests;
