//! One version of a template. Its content never changes; where it stands on its way to an approval does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::enums::ActorKind;
use crate::id::{StaffId, TemplateId, TemplateVersionId};

text_enum!(/// Where a version of a template stands.
TemplateState {
    /// Being written. No mail is made of it.
    Draft = "DRAFT",
    /// Waits for a clinical reviewer.
    InReview = "IN_REVIEW",
    /// A clinical reviewer agreed to exactly this content; mails are made of it.
    Approved = "APPROVED",
    /// A clinical reviewer did not agree.
    Rejected = "REJECTED",
    /// A newer version has taken its place, whatever became of it before.
    Superseded = "SUPERSEDED",
});

/// The words of a version in one language, and what they were compiled to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// A BCP 47 tag in lower case, for example `es` or `es-mx`.
    pub language: String,
    /// Liquid source of the subject.
    pub subject: String,
    /// Liquid source of the line that mail programs show beside the subject; may be empty.
    pub preheader: String,
    /// What editors wrote into the slots of the layout, by the slot's name.
    pub slots: BTreeMap<String, String>,
    /// The plain-text part as somebody wrote it; none if it is derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_text: Option<String>,
    /// The HTML part: the layout with the slots filled in, compiled from MJML. Liquid is still in it.
    pub html: String,
    /// The plain-text part, written or derived. Liquid is still in it.
    pub text: String,
}

/// The words of a version, one body a language, in the order of their tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Bodies(pub Vec<Body>);

/// The version that counts, in the words of the index that makes it the only one of its template.
pub const COUNTS: &str = "state <> 'SUPERSEDED'";

/// One version of a template. Its content never changes; where it stands on its way to an approval does.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "template_version")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TemplateVersionId,
    /// The template.
    pub template_id: TemplateId,
    /// Counts up from 1. The highest is the one that counts; all others are superseded.
    pub version: i32,
    /// Where it stands.
    pub state: TemplateState,
    /// The language of those whose own is not there.
    pub default_language: String,
    /// MJML source of the frame, with the slots that the bodies fill.
    pub layout: String,
    /// The words, by language.
    #[sea_orm(column_type = "JsonBinary")]
    pub bodies: Bodies,
    /// What kind of actor wrote it.
    pub author_kind: ActorKind,
    /// Who wrote it.
    pub author_id: Option<Uuid>,
    /// Digest of the content as it was written, in hexadecimal letters.
    pub content_sha256: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was given to the reviewers.
    pub submitted_at: Option<DateTime<Utc>>,
    /// When it was approved or rejected.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// Who approved or rejected it. Never its author.
    pub reviewed_by: Option<StaffId>,
    /// What the reviewer said.
    pub note: Option<String>,
    /// Digest of the content that was approved. Mails are made of it only while the content still has this digest.
    pub approved_sha256: Option<String>,
}

impl Model {
    /// The body in a language: of that tag, else of its base language, else of the default language.
    #[must_use]
    pub fn body(&self, language: &str) -> Option<&Body> {
        let wanted = language.replace('_', "-").to_ascii_lowercase();
        let base = wanted.split('-').next().unwrap_or_default();
        let of = |tag: &str| self.bodies.0.iter().find(|body| body.language == tag);
        of(&wanted)
            .or_else(|| of(base))
            .or_else(|| of(&self.default_language))
    }

    /// Whether somebody of a language reads it in that language, and not in the default one.
    #[must_use]
    pub fn speaks(&self, language: &str) -> bool {
        let base = |tag: &str| {
            tag.split(['-', '_'])
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        self.body(language)
            .is_some_and(|body| base(&body.language) == base(language))
    }

    /// The tags of the languages it is written in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.bodies.0.iter().map(|body| body.language.as_str())
    }
}

impl ActiveModelBehavior for ActiveModel {}
