//! Intake scripts beside leads and follow-ups, with what was answered.

use async_graphql::{Context, Error, Object, SimpleObject};
use domain::lead::script;
use entity::id::LeadId;
use entity::intake_script::{Model, Question as Asked};
use entity::script_answer::Model as Answered;

use super::ask::Ask;
use super::directory::{self, Staff};
use super::loaders::{AskedFor, ScriptAnswersOf};
use super::scalars::DateTime;
use super::vocabulary::QuestionKind;

/// What to ask, say and not say while a lead is talked with.
#[derive(SimpleObject, Clone, Debug)]
pub struct IntakeScript {
    /// Its short name.
    key: String,
    /// Counts its versions, from 1.
    version: i32,
    /// The name that people read.
    name: String,
    /// How to begin; null when that is left to you.
    opening: Option<String>,
    /// What to ask, in order; at most 40.
    questions: Vec<ScriptQuestion>,
    /// Documents that are needed.
    documents: Vec<String>,
    /// How to schedule; null when nothing is special.
    scheduling: Option<String>,
    /// What not to say.
    avoid: Vec<String>,
}

/// An answer that a question offers.
#[derive(SimpleObject, Clone, Debug)]
pub struct ScriptOption {
    /// What `answerScript` takes.
    value: String,
    /// What people read.
    label: String,
}

/// A question of a script.
#[derive(SimpleObject, Clone, Debug)]
pub struct ScriptQuestion {
    /// Its name within the script, for `answerScript`.
    key: String,
    /// What is asked.
    text: String,
    /// How it is answered.
    kind: QuestionKind,
    /// The answers that it offers; none unless its kind is `CHOICE`.
    options: Vec<ScriptOption>,
    /// What was answered; null when nothing was.
    answer: Option<ScriptAnswer>,
}

/// What was answered to a question of a script.
#[derive(Clone, Debug)]
pub struct ScriptAnswer(Answered);

/// What was answered to a question of a script.
#[Object]
impl ScriptAnswer {
    /// The answer: `YES` or `NO`, the value of an option, a date, or words, by the question's kind when it was asked.
    async fn value(&self) -> &str {
        &self.0.value
    }

    /// When it was written down.
    async fn answered_at(&self) -> DateTime {
        self.0.answered_at.into()
    }

    /// Who wrote it down; null when a program did.
    async fn answered_by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.answered_by_id).await
    }
}

/// The script of a lead; with what was answered, if the viewer `may_see` the lead and not only work about it.
///
/// # Errors
/// When the database fails.
pub async fn of(ask: &Ask, lead_id: LeadId, may_see: bool) -> Result<Option<IntakeScript>, Error> {
    let Some((lead_type, line)) = ask.load(AskedFor(lead_id)).await? else {
        return Ok(None);
    };
    let playbook = ask.playbook().await?;
    let Some(script) = script::of(&playbook, lead_type, line) else {
        return Ok(None);
    };
    let mut answers = Vec::new();
    if may_see {
        answers = ask.load(ScriptAnswersOf(lead_id)).await?.unwrap_or_default();
    }
    Ok(Some(filled(script, &answers)))
}

fn filled(script: &Model, answers: &[Answered]) -> IntakeScript {
    let content = &script.content;
    let question = |asked: &Asked| ScriptQuestion {
        key: asked.key.clone(),
        text: asked.text.clone(),
        kind: asked.kind.into(),
        options: asked
            .options
            .iter()
            .map(|option| ScriptOption {
                value: option.value.clone(),
                label: option.label.clone(),
            })
            .collect(),
        answer: answers
            .iter()
            .find(|row| row.script_key == script.key && row.question == asked.key)
            .cloned()
            .map(ScriptAnswer),
    };
    IntakeScript {
        key: script.key.clone(),
        version: script.version,
        name: script.name.clone(),
        opening: content.opening.clone(),
        questions: content.questions.iter().map(question).collect(),
        documents: content.documents.clone(),
        scheduling: content.scheduling.clone(),
        avoid: content.avoid.clone(),
    }
}
