//! A sample is drawn.

use chrono::{DateTime, TimeDelta, Utc};
use entity::audit_rubric;
use entity::id::TeamId;
use entity::quality_item;
use entity::quality_sample::Model;
use rand::{TryRng, rngs::SysRng};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::draw::draw as first_of;
use super::population::{self, Period};
use super::{PERIOD_MAX_DAYS, SIZE_MAX, find};
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Refusal, Result};
use crate::hospital::Hospital;
use crate::id::new_id;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

/// A sample to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawSample {
    /// The key of the rubric, whose newest version it is reviewed by.
    pub rubric: String,
    /// Work of this instant or later.
    pub from: DateTime<Utc>,
    /// Work of before this instant, which has passed; at most [`PERIOD_MAX_DAYS`] later.
    pub to: DateTime<Utc>,
    /// The team that has the leads now; all if not said.
    pub team_id: Option<TeamId>,
    /// How many to draw, at most [`SIZE_MAX`]; all if there are fewer.
    pub size: i32,
    /// How many of these, the first drawn, two people review.
    pub twice: i32,
    /// What to draw with; chosen by chance if not said.
    pub seed: Option<i64>,
}

/// Draws a sample. The same seed, period, team and size draw the same from the same work.
///
/// # Errors
/// [`Error::Missing`] for a viewer who may not see every lead; [`Error::Refused`] with everything that is wrong, when there is
/// nothing to draw from, or too much.
pub async fn draw(h: &Hospital, viewer: &Viewer, input: DrawSample) -> Result<Done<Model>> {
    find::may_audit(viewer)?;
    let playbook = h.playbook().await?;
    let rubric = check(&input, &playbook, h.now()).map_err(Error::Refused)?;
    let period = Period {
        from: input.from,
        to: input.to,
    };
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let population = population::of(&tx, rubric.subject, period, input.team_id).await?;
    if population.is_empty() {
        let message = "There is nothing to review in this period.";
        return Err(Error::refused(Code::NotFound, "to", message));
    }
    let (seed, count) = (input.seed.unwrap_or_else(new_seed), population.len());
    let drawn = first_of(seed, population, usize::try_from(input.size).unwrap_or_default());
    let size = as_count(drawn.len());
    let actor = viewer.actor();
    let sample = Model {
        id: new_id(now),
        rubric_id: rubric.id,
        seed,
        from_at: input.from,
        to_at: input.to,
        team_id: input.team_id,
        population: as_count(count),
        size,
        twice: input.twice.min(size),
        drawn_by_kind: actor.kind,
        drawn_by_id: actor.id,
        created_at: now,
    };
    let sample = sample.into_active_model().insert(&tx).await?;
    let items = (1..).zip(drawn).map(|(place, work)| {
        quality_item::Model {
            id: new_id(now),
            sample_id: sample.id,
            place,
            lead_id: work.lead_id,
            attempt_id: work.attempt_id,
            twice: place <= sample.twice,
        }
        .into_active_model()
    });
    quality_item::Entity::insert_many(items)
        .exec_without_returning(&tx)
        .await?;
    tx.commit().await?;
    Ok(Done::quiet(sample))
}

/// The rubric that the sample is for, or everything that is wrong.
fn check<'a>(
    input: &DrawSample,
    playbook: &'a Playbook,
    now: DateTime<Utc>,
) -> Result<&'a audit_rubric::Model, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut refuse = |code, field: &str, message: &'static str| {
        refusals.push(Refusal::new(code, field, message));
    };
    let rubric = playbook.rubrics.get(&input.rubric);
    if rubric.is_none() {
        refuse(Code::NotFound, "rubric", "There is no such rubric.");
    }
    if input.to <= input.from {
        refuse(Code::Invalid, "to", "A period ends after it begins.");
    } else if input.to > now {
        // What comes in later would be in the period and not in the sample.
        refuse(Code::Invalid, "to", "Choose an end that has passed.");
    } else if input.to - input.from > TimeDelta::days(PERIOD_MAX_DAYS) {
        refuse(Code::TooLarge, "to", "A period has at most 92 days.");
    }
    if input
        .team_id
        .is_some_and(|team| !playbook.teams.contains_key(&team))
    {
        refuse(Code::NotFound, "teamId", "There is no such team.");
    }
    if !(1..=SIZE_MAX).contains(&input.size) {
        refuse(Code::Invalid, "size", "Draw 1 to 200.");
    }
    if !(0..=input.size.max(0)).contains(&input.twice) {
        refuse(Code::Invalid, "twice", "This is at most the size of the sample.");
    }
    match rubric {
        Some(rubric) if refusals.is_empty() => Ok(rubric),
        _ => Err(refusals),
    }
}

/// A seed that every client can send back: GraphQL's `Int` has 32 bits, with a sign.
fn new_seed() -> i64 {
    let number = SysRng
        .try_next_u32()
        .expect("the operating system gives randomness");
    i64::from(number >> 1)
}

/// A number of rows, of which there are at most [`super::POPULATION_MAX`].
fn as_count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}
