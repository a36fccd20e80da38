//! What people answer to the questions of intake scripts.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::lead::answer_script;

use super::{audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::lead::Lead;

type DomainResult<T> = domain::error::Result<T>;

/// An answer to a question of the script.
#[derive(InputObject)]
pub struct ScriptAnswerInput {
    /// The key of the question.
    question: String,
    /// The answer: `YES` or `NO`, the value of an option, a date as `YYYY-MM-DD`, or at most 2000 characters, by the kind of
    /// the question. Null takes back what was answered before.
    value: Option<String>,
}

/// Answers to questions of the lead's script.
#[derive(InputObject)]
pub struct AnswerScriptInput {
    /// The lead.
    lead_id: ID,
    /// The version of the script that was read: if it has changed since, nothing is done.
    script_version: Option<i32>,
    /// The answers. Questions that are not named keep theirs.
    answers: Vec<ScriptAnswerInput>,
    /// The version of the lead that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl AnswerScriptInput {
    fn read(self) -> DomainResult<answer_script::AnswerScript> {
        let answers = self.answers.into_iter().map(|answer| answer_script::Answer {
            question: answer.question,
            value: answer.value,
        });
        Ok(answer_script::AnswerScript {
            lead_id: read_id("leadId", &self.lead_id)?,
            script_version: self.script_version,
            answers: answers.collect(),
            version: self.version,
        })
    }
}

payload!(
    /// What came of answering.
    AnswerScriptPayload {
        /// The lead after it.
        lead: Lead
    }
);

/// Changes of what was answered.
#[derive(Default)]
pub struct ScriptMutation;

/// Changes of what was answered.
#[Object]
impl ScriptMutation {
    /// Writes down what a person answered to the questions of the lead's intake script. Answers may set and clear
    /// eligibility flags, as the script says, which sequences follow. The last answer to a question counts.
    async fn answer_script(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead, and the answers.")] input: AnswerScriptInput,
    ) -> Result<AnswerScriptPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => answer_script::answer(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.answer_script", done, |lead| lead.id).await?;
        Ok(AnswerScriptPayload::of(outcome.map(Lead::of)))
    }
}
