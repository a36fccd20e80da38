//! Templates: the texts of mails, in versions, with what the copy rules find in them.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::outreach::template::catalog::CATALOG;
use domain::outreach::template::lint::{examine, lint};
use domain::outreach::template::{self, Draft, PrivateWords, Rendered, Words, seal};
use domain::outreach::template_preview;
use entity::id::{LeadId, TemplateId, TemplateVersionId};
use entity::template::Column as TemplateColumn;
use entity::template_version::{Body, Column};
use entity::{template as templates, template_version};
use sea_orm::EntityTrait;

use super::ask::Ask;
use super::children::{self, Children};
use super::directory::{self, Staff};
use super::errors::Told;
use super::id::{self, id};
use super::loaders::CurrentOf;
use super::page::{Connection, Order, PageArgs, cost, page};
use super::scalars::DateTime;
use super::vocabulary::{ActorKind, Purpose};

/// The versions of a template, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct VersionsOfTemplate;

impl Children for VersionsOfTemplate {
    type Entity = template_version::Entity;
    type Parent = TemplateId;

    const PARENT: Column = Column::TemplateId;
    const ORDER: Order<template_version::Entity> = Order {
        name: "versions of a template",
        columns: &[Column::Version, Column::Id],
        descending: true,
    };
}

/// Where a version of a template stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "template_version::TemplateState")]
pub enum TemplateState {
    /// Being written. No mail is made of it.
    Draft,
    /// Waits for a clinical reviewer.
    InReview,
    /// A clinical reviewer agreed to exactly this content; mails are made of it.
    Approved,
    /// A clinical reviewer did not agree.
    Rejected,
    /// A newer version has taken its place.
    Superseded,
}

/// How bad a finding is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "template::Severity")]
pub enum TemplateSeverity {
    /// For the author to think about.
    Warning,
    /// The version can be kept, but not given to the reviewers.
    Error,
    /// The version is not kept at all.
    Refused,
}

/// Something that is wrong, or may be, at one place of a template.
#[derive(SimpleObject)]
pub struct TemplateFinding {
    /// The rule that found it, for example `guarantee`.
    rule: String,
    /// How bad it is.
    severity: TemplateSeverity,
    /// The part: `layout`, `subject`, `preheader`, `text`, or `slots.` and the name of a slot.
    part: String,
    /// The language of the body; null for the layout.
    language: Option<String>,
    /// First character of the place, counted from 0.
    start: i32,
    /// The character after the last.
    end: i32,
    /// What to do.
    advice: String,
}

impl From<template::Finding> for TemplateFinding {
    fn from(finding: template::Finding) -> Self {
        let place = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
        Self {
            rule: finding.rule.to_owned(),
            severity: finding.severity.into(),
            part: finding.part.path().into_owned(),
            language: finding.language,
            start: place(finding.start),
            end: place(finding.end),
            advice: finding.advice.into_owned(),
        }
    }
}

/// What stands in a slot of a layout.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "TemplateSlotInput")]
pub struct TemplateSlot {
    /// The slot's name.
    name: String,
    /// The words: an empty line begins a paragraph, `- ` a list item, `**bold**`, `[words](https://…)`. Liquid fields may
    /// stand in them.
    text: String,
}

/// The words of a mail in one language, as people write them.
#[derive(InputObject)]
pub struct TemplateBodyInput {
    /// A BCP 47 tag, for example `en` or `es`.
    pub(super) language: String,
    /// Liquid source of the subject. It names no service, condition, procedure or anything of the person but the given name.
    subject: String,
    /// Liquid source of the line that mail programs show beside the subject; the same holds for it.
    #[graphql(default)]
    preheader: String,
    /// What stands in the slots of the layout.
    #[graphql(default)]
    slots: Vec<TemplateSlot>,
    /// The plain-text part; derived from the rest if it is not sent.
    text: Option<String>,
}

impl TemplateBodyInput {
    /// The words, for the operations.
    pub(super) fn words(self) -> Words {
        Words {
            language: self.language,
            subject: self.subject,
            preheader: self.preheader,
            slots: self
                .slots
                .into_iter()
                .map(|slot| (slot.name, slot.text))
                .collect(),
            text: self.text,
        }
    }
}

/// The words of a version in one language, and what they were compiled to.
pub struct TemplateBody(Body);

/// The words of a version in one language, and what they were compiled to.
#[Object]
impl TemplateBody {
    /// A BCP 47 tag.
    async fn language(&self) -> &str {
        &self.0.language
    }

    /// Liquid source of the subject.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Liquid source of the line beside the subject.
    async fn preheader(&self) -> &str {
        &self.0.preheader
    }

    /// What stands in the slots of the layout, by name.
    async fn slots(&self) -> Vec<TemplateSlot> {
        let slot = |(name, text): (&String, &String)| TemplateSlot {
            name: name.clone(),
            text: text.clone(),
        };
        self.0.slots.iter().map(slot).collect()
    }

    /// The HTML part, compiled from MJML, with Liquid still in it.
    async fn html(&self) -> &str {
        &self.0.html
    }

    /// The plain-text part, with Liquid still in it.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether somebody wrote the plain-text part; else it is derived from the rest.
    async fn text_is_written(&self) -> bool {
        self.0.written_text.is_some()
    }
}

/// One version of a template.
pub struct TemplateVersion {
    pub(super) row: template_version::Model,
    pub(super) purpose: entity::enums::Purpose,
}

/// One version of a template. Its content never changes.
#[Object]
impl TemplateVersion {
    /// The id.
    async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Counts up from 1.
    async fn number(&self) -> i32 {
        self.row.version
    }

    /// Where it stands.
    async fn state(&self) -> TemplateState {
        self.row.state.into()
    }

    /// Whether mails may be made of it: it is approved, and to the letter what was approved.
    async fn may_be_sent(&self) -> bool {
        seal::is_approved(&self.row)
    }

    /// The language of those whose own is not there.
    async fn default_language(&self) -> &str {
        &self.row.default_language
    }

    /// MJML source of the frame.
    async fn layout(&self) -> &str {
        &self.row.layout
    }

    /// The words, by language.
    async fn bodies(&self) -> Vec<TemplateBody> {
        self.row.bodies.0.iter().cloned().map(TemplateBody).collect()
    }

    /// What the copy rules find in it. A version with an error cannot be submitted.
    #[graphql(complexity = "20 + child_complexity")]
    async fn findings(&self) -> Vec<TemplateFinding> {
        lint(&self.row, self.purpose)
            .into_iter()
            .map(Into::into)
            .collect()
    }

    /// What kind of actor wrote it.
    async fn author_kind(&self) -> ActorKind {
        self.row.author_kind.into()
    }

    /// When it was given to the reviewers.
    async fn submitted_at(&self) -> Option<DateTime> {
        self.row.submitted_at.map(Into::into)
    }

    /// When it was approved or rejected.
    async fn reviewed_at(&self) -> Option<DateTime> {
        self.row.reviewed_at.map(Into::into)
    }

    /// Who approved or rejected it.
    async fn reviewed_by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        match self.row.reviewed_by {
            Some(staff) => directory::staff(Ask::of(ctx), Some(staff)).await,
            None => Ok(None),
        }
    }

    /// What the reviewer said.
    async fn note(&self) -> Option<&str> {
        self.row.note.as_deref()
    }

    /// Digest of the content as it was written, in hexadecimal letters.
    async fn content_sha256(&self) -> &str {
        &self.row.content_sha256
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// A mail's text, in versions.
pub struct Template(pub templates::Model);

/// A mail's text, in versions. A new text is a new version, a draft: the approval of the one before is void.
#[Object]
impl Template {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Name in steps and forms.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What mails made of it are for.
    async fn purpose(&self) -> Purpose {
        self.0.purpose.into()
    }

    /// The version that counts: its newest.
    #[graphql(complexity = "5 + child_complexity")]
    async fn current(&self, ctx: &Context<'_>) -> Result<TemplateVersion, Error> {
        let row = Ask::of(ctx).load(CurrentOf(self.0.id)).await?;
        let row = row.ok_or_else(|| DomainError::fault("a template has a version that counts"));
        let row = row.told(Ask::of(ctx))?;
        Ok(self.version(row))
    }

    /// Its versions, the newest first, at most 100.
    #[graphql(complexity = "10 * child_complexity")]
    async fn versions(&self, ctx: &Context<'_>) -> Result<Vec<TemplateVersion>, Error> {
        let rows = children::list(Ask::of(ctx), VersionsOfTemplate, self.0.id).await?;
        Ok(rows.into_iter().map(|row| self.version(row)).collect())
    }
}

impl Template {
    fn version(&self, row: template_version::Model) -> TemplateVersion {
        TemplateVersion {
            row,
            purpose: self.0.purpose,
        }
    }
}

/// A field that templates can show.
#[derive(SimpleObject)]
pub struct TemplateField {
    /// The name, written as `{{ name }}`.
    name: String,
    /// Whether it may stand in a subject and a preheader.
    in_subject: bool,
    /// Whether it may be an address, or follow `tel:` in one.
    in_url: bool,
}

/// A template that is not kept, to be looked at by the copy rules.
#[derive(InputObject)]
pub struct LintTemplateInput {
    /// What mails made of it are for.
    purpose: Purpose,
    /// The language of those whose own is not there; the first body's if it is not sent.
    default_language: Option<String>,
    /// MJML source of the frame.
    layout: String,
    /// The words, by language.
    bodies: Vec<TemplateBodyInput>,
}

/// A mail as a chosen lead's contact would read it, or a made-up person.
#[derive(SimpleObject)]
pub struct TemplatePreview {
    /// The subject.
    subject: String,
    /// The HTML part.
    html: String,
    /// The plain-text part.
    text: String,
}

impl TemplatePreview {
    /// A mail that was filled in.
    pub(super) fn of(mail: Rendered) -> Self {
        Self {
            subject: mail.subject,
            html: mail.html,
            text: mail.text,
        }
    }
}

/// Templates, by key.
const BY_KEY: Order<templates::Entity> = Order {
    name: "templates by key",
    columns: &[TemplateColumn::Key, TemplateColumn::Id],
    descending: false,
};

/// Reads of templates.
#[derive(Default)]
pub struct TemplateQuery;

/// Reads of templates.
#[Object]
impl TemplateQuery {
    /// One template.
    async fn template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template's id.")] id: ID,
    ) -> Result<Option<Template>, Error> {
        Ok(Ask::of(ctx)
            .load(id::read::<TemplateId>("id", &id)?)
            .await?
            .map(Template))
    }

    /// Templates, by key.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Template>, Error> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        page(Ask::of(ctx), templates::Entity::find(), &BY_KEY, args, Template).await
    }

    /// The fields that templates can show, and where.
    async fn template_fields(&self) -> Vec<TemplateField> {
        CATALOG
            .iter()
            .map(|(_, name, places)| TemplateField {
                name: (*name).to_owned(),
                in_subject: places.preview,
                in_url: places.url,
            })
            .collect()
    }

    /// What the rules say to copy that is not kept: why it could not be, and what the copy rules find.
    #[graphql(complexity = "20 + child_complexity")]
    async fn lint_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The copy.")] input: LintTemplateInput,
    ) -> Result<Vec<TemplateFinding>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let first = input.bodies.first().map(|body| body.language.clone());
        let draft = Draft {
            default_language: input.default_language.or(first).unwrap_or_default(),
            layout: input.layout,
            words: input.bodies.into_iter().map(TemplateBodyInput::words).collect(),
        };
        let findings = examine(&draft, input.purpose.into(), &PrivateWords::of(&playbook));
        Ok(findings.into_iter().map(Into::into).collect())
    }

    /// What the contact of a lead would read. That you looked is written down.
    #[graphql(complexity = "20 + child_complexity")]
    async fn preview_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version, approved or not.")] version_id: ID,
        #[graphql(desc = "The lead whose facts are filled in.")] lead_id: ID,
        #[graphql(desc = "A BCP 47 tag; the contact's language if it is not sent.")] language: Option<String>,
    ) -> Result<TemplatePreview, Error> {
        let ask = Ask::of(ctx);
        let version = id::read::<TemplateVersionId>("versionId", &version_id)?;
        let lead = id::read::<LeadId>("leadId", &lead_id)?;
        let h = &ask.api.hospital;
        let mail = template_preview::preview(h, ask.viewer(), version, lead, language.as_deref())
            .await
            .told(ask)?;
        Ok(TemplatePreview::of(mail))
    }
}
