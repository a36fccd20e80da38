//! What a person answers to the questions of the intake script is written down.

use entity::id::LeadId;
use entity::intake_script;
use entity::lead::{Flags, Model};
use entity::lead_event::LeadEventKind;
use entity::script_answer::{self, Column, Entity};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::change::Change;
use super::event::NewEvent;
use super::script::{self, flags_after};
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::sequence::happen::Happening;
use crate::viewer::Viewer;

/// An answer, or that it is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The key of the question.
    pub question: String,
    /// The answer; none takes back what was answered before.
    pub value: Option<String>,
}

/// Answers to questions of a lead's script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerScript {
    /// The lead.
    pub lead_id: LeadId,
    /// The version of the script that was read, to find out if it has changed since.
    pub script_version: Option<i32>,
    /// The answers. Questions that are not named keep theirs.
    pub answers: Vec<Answer>,
    /// The version of the lead that was read, to find out if somebody was faster.
    pub version: Option<i64>,
}

/// Writes answers down, with the flags that follow from them. Answering the same again changes nothing.
///
/// # Errors
/// When the lead is not visible or has another version, it has no script, the script has another version, or an answer
/// cannot be one; each with the place of the answer.
pub async fn answer(h: &Hospital, viewer: &Viewer, input: AnswerScript) -> Result<Done<Model>> {
    let mut change = Change::begin(h, viewer, input.lead_id, input.version).await?;
    let old = change.lead.clone();
    let playbook = change.playbook.clone();
    let script = script::of(&playbook, old.lead_type, old.service_line_id).ok_or_else(|| {
        let message = "There is no script for this lead.";
        Error::refused(Code::NotAllowedNow, "leadId", message)
    })?;
    if input
        .script_version
        .is_some_and(|version| version != script.version)
    {
        let message = "The script has changed since you read it; read it again.";
        return Err(Error::refused(Code::VersionConflict, "scriptVersion", message));
    }
    let (given, taken_back) = read(script, input.answers).map_err(Error::Refused)?;
    let known = Entity::find()
        .filter(Column::LeadId.eq(old.id))
        .filter(Column::ScriptKey.eq(&script.key))
        .all(&change.tx)
        .await?;
    let is_known = |(question, value): &(String, String)| {
        let mut same = known.iter();
        same.any(|row| row.question == *question && row.value == *value)
    };
    let given: Vec<_> = given.into_iter().filter(|answer| !is_known(answer)).collect();
    let taken_back: Vec<String> = taken_back
        .into_iter()
        .filter(|question| known.iter().any(|row| row.question == *question))
        .collect();
    if given.is_empty() && taken_back.is_empty() {
        return Ok(Done::quiet(old));
    }
    write(&change, viewer, script, &given, &taken_back).await?;
    let flags = flags_after(&old.flags.0, script, &given);
    change.save(|lead| lead.flags = Set(Flags(flags))).await?;
    let questions: Vec<String> = given
        .into_iter()
        .map(|(question, _)| question)
        .chain(taken_back)
        .collect();
    let event = NewEvent::new(old.id, LeadEventKind::Updated, change.actor, change.now)
        .with("fields", vec!["script"])
        .with("script", script.key.clone())
        .with("questions", questions);
    change.record(event).await?;
    let mut happened = vec![Happening::DataChanged];
    let raised = change.lead.flags.0.iter().copied();
    happened.extend(
        raised
            .filter(|flag| !old.flags.0.contains(flag))
            .map(Happening::FlagRaised),
    );
    change.sequences_follow(&happened).await?;
    change.commit(|lead| lead).await
}

type Given = Vec<(String, String)>;

/// The answers that are given and the questions whose answers are taken back.
fn read(script: &intake_script::Model, answers: Vec<Answer>) -> Result<(Given, Vec<String>), Vec<Refusal>> {
    let (mut given, mut taken_back, mut refusals) = (Given::new(), Vec::new(), Vec::new());
    if answers.is_empty() || answers.len() > script.content.questions.len() {
        let message = "Send at least one answer, and one for a question.";
        refusals.push(Refusal::new(Code::Invalid, "answers", message));
        return Err(refusals);
    }
    for (place, answer) in answers.into_iter().enumerate() {
        let mut refuse = |code, part: &str, message: &'static str| {
            refusals.push(Refusal::new(code, &format!("answers.{place}.{part}"), message));
        };
        let mut questions = script.content.questions.iter();
        let Some(question) = questions.find(|question| question.key == answer.question) else {
            refuse(Code::NotFound, "question", "The script has no such question.");
            continue;
        };
        if given.iter().any(|(key, _)| *key == question.key) || taken_back.contains(&question.key) {
            refuse(
                Code::AlreadyExists,
                "question",
                "This question is answered twice.",
            );
            continue;
        }
        match answer.value.as_deref().map(|value| script::read(question, value)) {
            None => taken_back.push(question.key.clone()),
            Some(Ok(value)) => given.push((question.key.clone(), value)),
            Some(Err(message)) => refuse(Code::Invalid, "value", message),
        }
    }
    if refusals.is_empty() {
        Ok((given, taken_back))
    } else {
        Err(refusals)
    }
}

async fn write(
    change: &Change<'_>,
    viewer: &Viewer,
    script: &intake_script::Model,
    given: &[(String, String)],
    taken_back: &[String],
) -> Result<()> {
    if !taken_back.is_empty() {
        Entity::delete_many()
            .filter(Column::LeadId.eq(change.lead.id))
            .filter(Column::ScriptKey.eq(&script.key))
            .filter(Column::Question.is_in(taken_back))
            .exec(&change.tx)
            .await?;
    }
    if given.is_empty() {
        return Ok(());
    }
    let rows = given.iter().map(|(question, value)| {
        script_answer::Model {
            lead_id: change.lead.id,
            script_key: script.key.clone(),
            question: question.clone(),
            script_id: script.id,
            value: value.clone(),
            answered_at: change.now,
            answered_by_id: viewer.staff_id(),
        }
        .into_active_model()
    });
    let last_counts = OnConflict::columns([Column::LeadId, Column::ScriptKey, Column::Question])
        .update_columns([
            Column::ScriptId,
            Column::Value,
            Column::AnsweredAt,
            Column::AnsweredById,
        ])
        .to_owned();
    Entity::insert_many(rows)
        .on_conflict(last_counts)
        .exec_without_returning(&change.tx)
        .await?;
    Ok(())
}
