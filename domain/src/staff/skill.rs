//! What a person is good at, for rules that look for it.

use entity::id::StaffId;
use entity::staff::{Entity as Staff, Model};
use entity::staff_skill::{ActiveModel, Column, Entity, SkillKind};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::playbook;

/// Most languages of a person.
pub const LANGUAGES_MAX: usize = 20;
/// Most service lines of a person.
pub const LINES_MAX: usize = 100;

/// Skills to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetSkills {
    /// The person.
    pub staff_id: StaffId,
    /// BCP 47 tags of all languages that the person speaks; none for English alone.
    pub languages: Vec<String>,
    /// Slugs of all service lines that the person knows; none for all of them.
    pub service_lines: Vec<String>,
}

/// Whether these are not too many.
///
/// # Errors
/// The refusal, at the field that is too long.
pub fn check_sizes(languages: usize, service_lines: usize) -> Result<(), Refusal> {
    if languages > LANGUAGES_MAX {
        return Err(Refusal::new(
            Code::TooLarge,
            "languages",
            "Name at most 20 languages.",
        ));
    }
    if service_lines > LINES_MAX {
        let message = "Name at most 100 service lines.";
        return Err(Refusal::new(Code::TooLarge, "serviceLines", message));
    }
    Ok(())
}

fn check(input: &SetSkills, lines: &[String]) -> Result<(), Vec<Refusal>> {
    check_sizes(input.languages.len(), input.service_lines.len()).map_err(|refusal| vec![refusal])?;
    let is_tag = |tag: &String| {
        (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let tags = input.languages.iter().enumerate();
    let wrong_tags = tags.filter(|(_, tag)| !is_tag(tag)).map(|(place, _)| {
        let message = "Write a language tag, for example en or es.";
        Refusal::new(Code::Invalid, &format!("languages.{place}"), message)
    });
    let slugs = input.service_lines.iter().enumerate();
    let unknown = slugs.filter(|(_, slug)| !lines.contains(slug)).map(|(place, _)| {
        let field = format!("serviceLines.{place}");
        Refusal::new(Code::NotFound, &field, "There is no such service line.")
    });
    let refusals: Vec<_> = wrong_tags.chain(unknown).collect();
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// Sets what a person is good at; what was known before and is not named is forgotten.
///
/// # Errors
/// When there is no such person, language tag or service line, or the database fails.
pub async fn set_skills(h: &Hospital, input: SetSkills) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let lines: Vec<String> = playbook.lines.values().map(|line| line.slug.clone()).collect();
    check(&input, &lines).map_err(Error::Refused)?;
    let tx = db::begin_write(&h.db).await?;
    let person = Staff::find_by_id(input.staff_id)
        .lock(LockType::NoKeyUpdate)
        .one(&tx)
        .await?;
    let Some(person) = person else {
        let message = "There is no such member of staff.";
        return Err(Error::refused(Code::NotFound, "staffId", message));
    };
    Entity::delete_many()
        .filter(Column::StaffId.eq(person.id))
        .exec(&tx)
        .await?;
    let mut skills: Vec<(SkillKind, String)> = Vec::new();
    skills.extend(
        input
            .languages
            .iter()
            .map(|tag| (SkillKind::Language, tag.to_lowercase())),
    );
    skills.extend(
        input
            .service_lines
            .into_iter()
            .map(|slug| (SkillKind::ServiceLine, slug)),
    );
    skills.sort();
    skills.dedup();
    if !skills.is_empty() {
        let rows = skills.into_iter().map(|(kind, value)| ActiveModel {
            staff_id: Set(person.id),
            kind: Set(kind),
            value: Set(value),
        });
        Entity::insert_many(rows).exec_without_returning(&tx).await?;
    }
    playbook::changed(&tx).await?;
    tx.commit().await?;
    Ok(Done::quiet(person))
}
