//! Texts of mails are written and rewritten.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::outreach::template_store::{CreateTemplate, UpdateTemplate, Written, create, update};

use super::{outcome, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::id::id;
use crate::graphql::scalars::DateTime;
use crate::graphql::vocabulary::Purpose;

/// A template to write. The sources are Liquid with `if`, `unless`, `case` and the filter `default`.
#[derive(InputObject)]
pub struct CreateTemplateInput {
    /// Name in steps and forms: lower-case letters, digits and inner hyphens. Unique.
    key: String,
    /// The name that people read.
    name: String,
    /// What mails made of it are for. It never changes, because consent is asked per purpose.
    purpose: Purpose,
    /// Source of the subject; it may name no service and no team.
    subject: String,
    /// Source of the HTML part. Promotional mail must show `unsubscribe_url` and `postal_address`.
    html: String,
    /// Source of the plain-text part. Promotional mail must show `unsubscribe_url` and `postal_address`.
    text: String,
}

/// A template to rewrite. What is not sent stays.
#[derive(InputObject)]
pub struct UpdateTemplateInput {
    /// The template.
    template_id: ID,
    /// The name that people read.
    name: Option<String>,
    /// Source of the subject.
    subject: Option<String>,
    /// Source of the HTML part.
    html: Option<String>,
    /// Source of the plain-text part.
    text: Option<String>,
    /// The version of the text that was read: if there is a newer one, nothing is done.
    version: Option<i32>,
}

/// A mail's text, in versions.
pub struct Template(Written);

/// A mail's text, in versions. A version never changes; a new text is a new version.
#[Object]
impl Template {
    /// The id.
    async fn id(&self) -> ID {
        id(self.0.template.id)
    }

    /// Name in steps and forms.
    async fn key(&self) -> &str {
        &self.0.template.key
    }

    /// The name that people read.
    async fn name(&self) -> &str {
        &self.0.template.name
    }

    /// What mails made of it are for.
    async fn purpose(&self) -> Purpose {
        self.0.template.purpose.into()
    }

    /// Number of the newest text; counts up from 1. Send it back with an update.
    async fn version(&self) -> i32 {
        self.0.version.version
    }

    /// Source of the subject.
    async fn subject(&self) -> &str {
        &self.0.version.subject
    }

    /// Source of the HTML part.
    async fn html(&self) -> &str {
        &self.0.version.html
    }

    /// Source of the plain-text part.
    async fn text(&self) -> &str {
        &self.0.version.text
    }

    /// When the newest text was written.
    async fn written_at(&self) -> DateTime {
        self.0.version.created_at.into()
    }
}

payload!(
    /// What came of writing a template.
    CreateTemplatePayload {
        /// The template.
        template: Template
    }
);

payload!(
    /// What came of rewriting a template.
    UpdateTemplatePayload {
        /// The template after it.
        template: Template
    }
);

/// Changes of templates. Their operations write the audit themselves.
#[derive(Default)]
pub struct TemplateMutation;

/// Changes of templates.
#[Object]
impl TemplateMutation {
    /// Writes a template with its first text.
    async fn create_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template.")] input: CreateTemplateInput,
    ) -> Result<CreateTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let input = CreateTemplate {
            key: input.key,
            name: input.name,
            purpose: input.purpose.into(),
            subject: input.subject,
            html: input.html,
            text: input.text,
        };
        let done = create(&ask.api.hospital, ask.viewer(), input).await;
        Ok(CreateTemplatePayload::of(outcome(ctx, done).await?.map(Template)))
    }

    /// Rewrites a template: a text that differs becomes the next version, which mails take that are planned from now on.
    async fn update_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateTemplateInput,
    ) -> Result<UpdateTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("templateId", &input.template_id) {
            Ok(template_id) => {
                let input = UpdateTemplate {
                    template_id,
                    name: input.name,
                    subject: input.subject,
                    html: input.html,
                    text: input.text,
                    version: input.version,
                };
                update(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        Ok(UpdateTemplatePayload::of(outcome(ctx, done).await?.map(Template)))
    }
}
