//! Texts of mails are written and rewritten, given to the reviewers, approved or rejected, and tried.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::outreach::template::Draft;
use domain::outreach::template_preview::send_test;
use domain::outreach::template_review::{Review, approve, reject, submit};
use domain::outreach::template_store::{CreateTemplate, UpdateTemplate, create, update};
use entity::id::{StaffId, TemplateId};

use super::{outcome, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::message::Message;
use crate::graphql::template::{Template, TemplateBodyInput};
use crate::graphql::vocabulary::Purpose;

/// A template to write. Its first version is a draft.
#[derive(InputObject)]
pub struct CreateTemplateInput {
    /// Name in steps and forms: lower-case letters, digits and inner hyphens. Unique.
    key: String,
    /// The name that people read.
    name: String,
    /// What mails made of it are for. It never changes, because consent is asked per purpose.
    purpose: Purpose,
    /// The language of those whose own is not there; the first body's if it is not sent.
    default_language: Option<String>,
    /// MJML source of the frame, with slots as `{{ slot.name }}`. Send this or `layoutOf`.
    layout: Option<String>,
    /// The template whose frame it takes.
    layout_of: Option<ID>,
    /// The words, one body a language.
    bodies: Vec<TemplateBodyInput>,
}

/// A template to rewrite. What is not sent stays. Whatever changes makes a new draft and voids the approval.
#[derive(InputObject)]
pub struct UpdateTemplateInput {
    /// The template.
    template_id: ID,
    /// The name that people read.
    name: Option<String>,
    /// The language of those whose own is not there.
    default_language: Option<String>,
    /// MJML source of the frame.
    layout: Option<String>,
    /// Words that are new or different; each takes the place of what there is in its language.
    #[graphql(default)]
    bodies: Vec<TemplateBodyInput>,
    /// Languages that are given up.
    #[graphql(default)]
    without_languages: Vec<String>,
    /// Number of the version that was read: if there is a newer one, nothing is done.
    version: Option<i32>,
}

/// A version to give to the reviewers.
#[derive(InputObject)]
pub struct SubmitTemplateInput {
    /// The template.
    template_id: ID,
    /// Number of the version that was read: if there is a newer one, nothing is done.
    version: i32,
}

/// A version that a clinical reviewer agrees to.
#[derive(InputObject)]
pub struct ApproveTemplateInput {
    /// The template.
    template_id: ID,
    /// Number of the version that was read: if there is a newer one, nothing is done.
    version: i32,
    /// What the author should know.
    #[graphql(default)]
    note: String,
}

/// A version that a clinical reviewer does not agree to.
#[derive(InputObject)]
pub struct RejectTemplateInput {
    /// The template.
    template_id: ID,
    /// Number of the version that was read: if there is a newer one, nothing is done.
    version: i32,
    /// What is to be changed.
    note: String,
}

/// A template to try.
#[derive(InputObject)]
pub struct SendTestMailInput {
    /// The template; its newest version is sent, approved or not.
    template_id: ID,
    /// The member of staff who gets it.
    staff_id: ID,
    /// A BCP 47 tag; the default language if it is not sent.
    language: Option<String>,
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

payload!(
    /// What came of giving a template to the reviewers.
    SubmitTemplatePayload {
        /// The template after it.
        template: Template
    }
);

payload!(
    /// What came of approving a template.
    ApproveTemplatePayload {
        /// The template after it.
        template: Template
    }
);

payload!(
    /// What came of rejecting a template.
    RejectTemplatePayload {
        /// The template after it.
        template: Template
    }
);

payload!(
    /// What came of trying a template.
    SendTestMailPayload {
        /// The mail that was planned.
        message: Message
    }
);

/// Changes of templates. Their operations write the audit themselves.
#[derive(Default)]
pub struct TemplateMutation;

/// Changes of templates.
#[Object]
impl TemplateMutation {
    /// Writes a template with its first version, a draft.
    async fn create_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template.")] input: CreateTemplateInput,
    ) -> Result<CreateTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let first = input.bodies.first().map(|body| body.language.clone());
        let done = match read_id_if_any::<TemplateId>("layoutOf", input.layout_of.as_ref()) {
            Ok(layout_of) => {
                let input = CreateTemplate {
                    key: input.key,
                    name: input.name,
                    purpose: input.purpose.into(),
                    draft: Draft {
                        default_language: input.default_language.or(first).unwrap_or_default(),
                        layout: input.layout.unwrap_or_default(),
                        words: input.bodies.into_iter().map(TemplateBodyInput::words).collect(),
                    },
                    layout_of,
                };
                create(&ask.api.hospital, ask.viewer(), input).await
            }
            Err(error) => Err(error),
        };
        let written = outcome(ctx, done).await?;
        Ok(CreateTemplatePayload::of(
            written.map(|written| Template(written.template)),
        ))
    }

    /// Rewrites a template: a content that differs in a letter becomes the next version, a draft, and voids the approval.
    /// No mail is made of the template until the new version is approved; planned mails wait for it.
    async fn update_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateTemplateInput,
    ) -> Result<UpdateTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("templateId", &input.template_id) {
            Ok(template_id) => {
                let input = UpdateTemplate {
                    name: input.name,
                    default_language: input.default_language,
                    layout: input.layout,
                    words: input.bodies.into_iter().map(TemplateBodyInput::words).collect(),
                    without_languages: input.without_languages,
                    version: input.version,
                };
                update(&ask.api.hospital, ask.viewer(), template_id, input).await
            }
            Err(error) => Err(error),
        };
        let written = outcome(ctx, done).await?;
        Ok(UpdateTemplatePayload::of(
            written.map(|written| Template(written.template)),
        ))
    }

    /// Gives the newest version to the clinical reviewers. Findings of severity ERROR keep it back.
    async fn submit_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version.")] input: SubmitTemplateInput,
    ) -> Result<SubmitTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match read_id("templateId", &input.template_id) {
            Ok(id) => submit(&ask.api.hospital, ask.viewer(), id, input.version).await,
            Err(error) => Err(error),
        };
        let written = outcome(ctx, done).await?;
        Ok(SubmitTemplatePayload::of(
            written.map(|written| Template(written.template)),
        ))
    }

    /// Approves the newest version: from now on mails are made of it. Only a clinical reviewer who wrote nothing of it, in
    /// person.
    async fn approve_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version and what is said about it.")] input: ApproveTemplateInput,
    ) -> Result<ApproveTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match review(&input.template_id, input.version, input.note) {
            Ok(review) => approve(&ask.api.hospital, ask.viewer(), review).await,
            Err(error) => Err(error),
        };
        let written = outcome(ctx, done).await?;
        Ok(ApproveTemplatePayload::of(
            written.map(|written| Template(written.template)),
        ))
    }

    /// Rejects the newest version, with a note for its author.
    async fn reject_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version and what is said about it.")] input: RejectTemplateInput,
    ) -> Result<RejectTemplatePayload, Error> {
        let ask = Ask::of(ctx);
        let done = match review(&input.template_id, input.version, input.note) {
            Ok(review) => reject(&ask.api.hospital, ask.viewer(), review).await,
            Err(error) => Err(error),
        };
        let written = outcome(ctx, done).await?;
        Ok(RejectTemplatePayload::of(
            written.map(|written| Template(written.template)),
        ))
    }

    /// Sends the newest version to a member of staff, filled in with the facts of a made-up person.
    async fn send_test_mail(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is sent to whom.")] input: SendTestMailInput,
    ) -> Result<SendTestMailPayload, Error> {
        let ask = Ask::of(ctx);
        let ids = read_id::<TemplateId>("templateId", &input.template_id)
            .and_then(|template| Ok((template, read_id::<StaffId>("staffId", &input.staff_id)?)));
        let done = match ids {
            Ok((template, staff)) => {
                send_test(&ask.api.hospital, ask.viewer(), template, staff, input.language).await
            }
            Err(error) => Err(error),
        };
        Ok(SendTestMailPayload::of(outcome(ctx, done).await?.map(Message)))
    }
}

fn review(template_id: &ID, version: i32, note: String) -> Result<Review, domain::error::Error> {
    Ok(Review {
        template_id: read_id("templateId", template_id)?,
        version,
        note,
    })
}
