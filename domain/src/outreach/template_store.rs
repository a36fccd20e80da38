//! Texts of mails are written and rewritten. A version never changes; a new text is a new version, and mails that are
//! planned already keep theirs.

use chrono::{DateTime, Utc};
use entity::enums::Purpose;
use entity::id::TemplateId;
use entity::template::{self, Model};
use entity::template_version;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, SqlErr,
};

use super::template::check;
use crate::audit;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::playbook;
use crate::viewer::Viewer;

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
    /// Liquid source of the subject.
    pub subject: String,
    /// Liquid source of the HTML part.
    pub html: String,
    /// Liquid source of the plain-text part.
    pub text: String,
}

/// A template to rewrite. What is not named stays.
#[derive(Clone, Debug)]
pub struct UpdateTemplate {
    /// The template.
    pub template_id: TemplateId,
    /// The name that people read.
    pub name: Option<String>,
    /// Liquid source of the subject.
    pub subject: Option<String>,
    /// Liquid source of the HTML part.
    pub html: Option<String>,
    /// Liquid source of the plain-text part.
    pub text: Option<String>,
    /// The version of the text that was read, to find out if somebody was faster.
    pub version: Option<i32>,
}

/// A template with its newest text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The template.
    pub template: Model,
    /// Its newest text.
    pub version: template_version::Model,
}

/// Writes a template with its first version.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] with all that is wrong, [`Code::AlreadyExists`] for
/// a key that is taken; or a fault of the database.
pub async fn create(h: &Hospital, viewer: &Viewer, input: CreateTemplate) -> Result<Done<Written>> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "template" });
    }
    let mut refusals = Vec::new();
    refuse_key(&input.key, &mut refusals);
    let name = read_name(&input.name, &mut refusals);
    refusals.extend(check(&input.subject, &input.html, &input.text, input.purpose));
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
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
    let text = Text {
        subject: input.subject,
        html: input.html,
        text: input.text,
    };
    let version = text.version(template.id, 1, now).insert(&tx).await?;
    finish(viewer, tx, "template.create", template.id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

/// Rewrites a template. A text that differs becomes the next version, which mails that are planned from now on take.
///
/// # Errors
/// [`Error::Missing`] when there is none or the viewer has no role; [`Error::Refused`] with all that is wrong,
/// [`Code::VersionConflict`] when somebody was faster; or a fault of the database.
pub async fn update(h: &Hospital, viewer: &Viewer, input: UpdateTemplate) -> Result<Done<Written>> {
    let now = h.now();
    let tx = db::begin_write(&h.db).await?;
    // Held, so that two new texts do not become one version.
    let held = template::Entity::find_by_id(input.template_id)
        .lock_exclusive()
        .one(&tx)
        .await?;
    let template = held
        .filter(|_| viewer.role().is_some())
        .ok_or(Error::Missing { noun: "template" })?;
    let newest = newest(&tx, template.id).await?;
    let number = newest.as_ref().map_or(0, |newest| newest.version);
    if input.version.is_some_and(|version| version != number) {
        let message = "The template has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "version", message));
    }
    let old = newest.as_ref().map(Text::of).unwrap_or_default();
    let new = Text {
        subject: input.subject.unwrap_or_else(|| old.subject.clone()),
        html: input.html.unwrap_or_else(|| old.html.clone()),
        text: input.text.unwrap_or_else(|| old.text.clone()),
    };
    let mut refusals = Vec::new();
    let name = input
        .name
        .map_or_else(|| template.name.clone(), |name| read_name(&name, &mut refusals));
    if new != old || newest.is_none() {
        refusals.extend(check(&new.subject, &new.html, &new.text, template.purpose));
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let version = match newest {
        Some(newest) if new == old => newest,
        _ => new.version(template.id, number + 1, now).insert(&tx).await?,
    };
    if version.version == number && name == template.name {
        return Ok(Done::quiet(Written { template, version }));
    }
    let mut row = template.into_active_model();
    row.name = Set(name);
    let template = row.update(&tx).await?;
    finish(viewer, tx, "template.update", template.id, now).await?;
    Ok(Done::quiet(Written { template, version }))
}

async fn finish(
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

async fn newest(tx: &DatabaseTransaction, id: TemplateId) -> Result<Option<template_version::Model>> {
    let newest = template_version::Entity::find()
        .filter(template_version::Column::TemplateId.eq(id))
        .order_by_desc(template_version::Column::Version)
        .one(tx)
        .await?;
    Ok(newest)
}

/// The three sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Text {
    subject: String,
    html: String,
    text: String,
}

impl Text {
    fn of(version: &template_version::Model) -> Self {
        Self {
            subject: version.subject.clone(),
            html: version.html.clone(),
            text: version.text.clone(),
        }
    }

    fn version(
        self,
        template_id: TemplateId,
        number: i32,
        now: DateTime<Utc>,
    ) -> template_version::ActiveModel {
        template_version::ActiveModel {
            id: Set(new_id(now)),
            template_id: Set(template_id),
            version: Set(number),
            subject: Set(self.subject),
            html: Set(self.html),
            text: Set(self.text),
            created_at: Set(now),
        }
    }
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
