//! Who of a team is given a lead.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::StaffId;
use entity::routing_rule::PersonStrategy;
use entity::staff_skill::SkillKind;

use super::{Match, Wanted, serving};
use crate::playbook::Playbook;

/// What somebody speaks who has named no language.
const USUAL_LANGUAGE: &str = "en";

/// The person whom the rule names, if that person still works here.
pub(super) fn named(found: &Match<'_>, playbook: &Playbook) -> Option<StaffId> {
    let owner = found.rule.and_then(|rule| rule.owner_id);
    owner.filter(|id| playbook.staff.contains_key(id))
}

/// The person, by the strategy of the rule.
pub fn choose_for(
    found: &Match<'_>,
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    given: &[StaffId],
    at: DateTime<Utc>,
) -> Choice {
    let team = serving(playbook, found.team);
    match found.strategy() {
        PersonStrategy::Named => match named(found, playbook) {
            Some(id) => choose_named(id, &team, playbook, load, at),
            None => choose(&team, playbook, load, at),
        },
        PersonStrategy::LeastOpenWork => choose(&team, playbook, load, at),
        PersonStrategy::RoundRobin => choose_by_turns(&team, playbook, load, given, at),
        PersonStrategy::SkillMatch => choose_by_skill(&team, &found.wanted, playbook, load, at),
    }
}

fn choose_named(
    id: StaffId,
    team: &[StaffId],
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    at: DateTime<Utc>,
) -> Choice {
    let Some(obstacle) = obstacle(playbook, load, id, at) else {
        return Choice {
            owner: Some(id),
            why: "The rule names the person.".to_owned(),
        };
    };
    let others: Vec<StaffId> = team.iter().copied().filter(|other| *other != id).collect();
    let choice = choose(&others, playbook, load, at);
    let why = format!(
        "The person whom the rule names {} {}",
        obstacle.of_one(),
        choice.why
    );
    Choice { why, ..choice }
}

/// Whoever was never given a lead by the rule comes first, in the order of ids; then whoever has waited longest.
fn choose_by_turns(
    team: &[StaffId],
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    given: &[StaffId],
    at: DateTime<Utc>,
) -> Choice {
    let able = Able::of(team, playbook, load, at);
    let place = |id: &StaffId| given.iter().position(|other| other == id);
    // None sorts before any place.
    let owner = able.free.iter().copied().min_by_key(|id| (place(id), *id));
    able.choice(
        owner,
        "The member who has waited longest for a lead of this rule gets it",
    )
}

/// Of those who speak the language and know the line, whoever has the least open work; if none of them can take it,
/// whoever of the team has.
fn choose_by_skill(
    team: &[StaffId],
    wanted: &Wanted,
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    at: DateTime<Utc>,
) -> Choice {
    let (fitting, others): (Vec<_>, Vec<_>) =
        team.iter().copied().partition(|id| fits(playbook, *id, wanted));
    let able = Able::of(&fitting, playbook, load, at);
    if able.free.is_empty() {
        let choice = choose(&others, playbook, load, at);
        let why = format!(
            "Nobody who speaks the language and knows the service line can be given it. {}",
            choice.why
        );
        return Choice { why, ..choice };
    }
    let owner = able.least(load);
    able.choice(
        owner,
        "Of those who speak the language and know the service line, the one with the least open work gets it",
    )
}

/// Whether somebody speaks the language and knows the line. Who has named no language speaks English; who has named no
/// line serves all of them.
fn fits(playbook: &Playbook, id: StaffId, wanted: &Wanted) -> bool {
    let skills = playbook.skills.get(&id).map_or(&[][..], Vec::as_slice);
    let of = |kind| skills.iter().filter(move |skill| skill.kind == kind);
    let speaks = |tag: &str| primary(tag).eq_ignore_ascii_case(primary(&wanted.language));
    let speaks = if of(SkillKind::Language).next().is_some() {
        of(SkillKind::Language).any(|skill| speaks(&skill.value))
    } else {
        speaks(USUAL_LANGUAGE)
    };
    let mut lines = of(SkillKind::ServiceLine).peekable();
    let serves = lines.peek().is_none()
        || wanted
            .service_line
            .as_deref()
            .is_none_or(|line| lines.any(|skill| skill.value == line));
    speaks && serves
}

/// The language of a tag without its region: a person from Mexico understands one from Spain.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// A person who was chosen, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The person; none when anybody of the team may take it.
    pub owner: Option<StaffId>,
    /// Sentences that name nobody.
    pub why: String,
}

/// Those who can take more, and how many were passed over.
struct Able {
    free: Vec<StaffId>,
    away: usize,
    full: usize,
}

impl Able {
    fn of(people: &[StaffId], playbook: &Playbook, load: &HashMap<StaffId, i64>, at: DateTime<Utc>) -> Self {
        let mut able = Self {
            free: Vec::with_capacity(people.len()),
            away: 0,
            full: 0,
        };
        for id in people {
            match obstacle(playbook, load, *id, at) {
                None => able.free.push(*id),
                Some(Obstacle::Away) => able.away += 1,
                Some(Obstacle::Full) => able.full += 1,
            }
        }
        able
    }

    /// The one with the least open work.
    fn least(&self, load: &HashMap<StaffId, i64>) -> Option<StaffId> {
        let free = self.free.iter().copied();
        free.min_by_key(|id| (load.get(id).copied().unwrap_or(0), *id))
    }

    /// The choice of `owner`, which is taken for the reason `chosen`.
    fn choice(&self, owner: Option<StaffId>, chosen: &str) -> Choice {
        let why = match (owner, passed_over(self.away, self.full)) {
            (Some(_), None) => format!("{chosen}."),
            (Some(_), Some(others)) => format!("{chosen}: {others}."),
            (None, None) => "The team has no member, so anybody who joins it can take it.".to_owned(),
            (None, Some(all)) => {
                format!("Nobody can be given it: {all}. So anybody of the team can take it.")
            }
        };
        Choice { owner, why }
    }
}

/// The one with the least open work among those who can take more.
pub fn choose(
    people: &[StaffId],
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    at: DateTime<Utc>,
) -> Choice {
    let able = Able::of(people, playbook, load, at);
    able.choice(able.least(load), "The member with the least open work gets it")
}

/// Why somebody is given nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    Away,
    Full,
}

impl Obstacle {
    const fn of_one(self) -> &'static str {
        match self {
            Self::Away => "is away.",
            Self::Full => "has as much as can be done.",
        }
    }
}

fn obstacle(
    playbook: &Playbook,
    load: &HashMap<StaffId, i64>,
    id: StaffId,
    at: DateTime<Utc>,
) -> Option<Obstacle> {
    if playbook.is_away(id, at) {
        return Some(Obstacle::Away);
    }
    let open = load.get(&id).copied().unwrap_or(0);
    limit(playbook, id)
        .is_some_and(|limit| open >= limit)
        .then_some(Obstacle::Full)
}

pub(super) fn limit(playbook: &Playbook, id: StaffId) -> Option<i64> {
    playbook.staff.get(&id)?.max_open.map(i64::from)
}

/// `2 are away, 1 has as much as can be done`; none when nobody was passed over.
fn passed_over(away: usize, full: usize) -> Option<String> {
    let are_away = match away {
        0 => None,
        1 => Some("1 is away".to_owned()),
        away => Some(format!("{away} are away")),
    };
    let are_full = match full {
        0 => None,
        1 => Some("1 has as much as can be done".to_owned()),
        full => Some(format!("{full} have as much as can be done")),
    };
    let said: Vec<String> = [are_away, are_full].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}
