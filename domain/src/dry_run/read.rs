//! Reads the answer from the rows of the copy.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use entity::enrollment::{self, EnrollmentState};
use entity::follow_up::{self, FollowUpKind};
use entity::id::{EnrollmentId, SequenceId, TeamId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::log::{Log, NotEnrolled, later_than};
use super::outcome::{Entry, FollowUpEntry, Outcome, Reason, Simulation, TeamDay};
use crate::error::Result;
use crate::hospital::Hospital;
use crate::playbook::Playbook;

/// Reads the answer.
pub(super) async fn read(
    h: &Hospital,
    log: Log,
    not_enrolled: Vec<NotEnrolled>,
    open: Option<Vec<(TeamId, DateTime<Utc>)>>,
    period: Range<DateTime<Utc>>,
    reached: DateTime<Utc>,
) -> Result<Simulation> {
    let playbook = h.playbook().await?;
    let mut entries = log.mails(&playbook);
    entries.extend(not_enrolled.into_iter().map(|row| Entry {
        reasons: vec![Reason {
            code: row.code.as_str(),
            text: row.text,
        }],
        ..log.entry(row.lead_id, row.at, Outcome::NotEnrolled)
    }));
    entries.extend(comings_and_goings(h, &log).await?);
    let opened = follow_up::Entity::find()
        .filter(later_than(log.before.follow_up))
        .all(&h.db)
        .await?;
    let of_sequence: HashSet<EnrollmentId> = enrollments(h, log.sequence_id)
        .await?
        .iter()
        .map(|row| row.id)
        .collect();
    let by_sequence = |row: &follow_up::Model| {
        row.kind == FollowUpKind::Sequence && row.enrollment_id.is_some_and(|id| of_sequence.contains(&id))
    };
    entries.extend(
        opened
            .iter()
            .filter(|row| by_sequence(row) && log.chosen.contains(&row.lead_id))
            .map(|row| asked_for(&log, row)),
    );
    entries.sort_by(|a, b| {
        let key = |entry: &Entry| (entry.at, entry.lead_id, entry.outcome);
        key(a).cmp(&key(b)).then_with(|| a.step_key.cmp(&b.step_key))
    });
    let team_days = team_days(&playbook, &opened, by_sequence, open, &period);
    Ok(Simulation {
        sequence_id: log.sequence_id,
        version: version_number(&playbook, log.sequence_id),
        from: period.start,
        until: period.end,
        reached,
        leads: log.chosen.len(),
        entries,
        team_days,
    })
}

fn version_number(playbook: &Playbook, id: SequenceId) -> i32 {
    playbook
        .sequences
        .get(&id)
        .map_or(0, |published| published.version.number)
}

async fn enrollments(h: &Hospital, id: SequenceId) -> Result<Vec<enrollment::Model>> {
    let of_sequence = enrollment::Entity::find().filter(enrollment::Column::SequenceId.eq(id));
    Ok(of_sequence.all(&h.db).await?)
}

/// Who enters, comes to the end, or leaves.
async fn comings_and_goings(h: &Hospital, log: &Log) -> Result<Vec<Entry>> {
    let begun: HashSet<EnrollmentId> = enrollment::Entity::find()
        .select_only()
        .column(enrollment::Column::Id)
        .filter(later_than(log.before.enrollment))
        .into_tuple::<EnrollmentId>()
        .all(&h.db)
        .await?
        .into_iter()
        .collect();
    let mut entries = Vec::new();
    for row in enrollments(h, log.sequence_id).await? {
        if !log.chosen.contains(&row.lead_id) {
            continue;
        }
        if begun.contains(&row.id) {
            entries.push(log.entry(row.lead_id, row.created_at, Outcome::Enrolled));
        }
        if let Some(at) = row.ended_at.filter(|_| !log.before.ended.contains(&row.id)) {
            let outcome = if row.state == EnrollmentState::Completed {
                Outcome::Completed
            } else {
                Outcome::Exited
            };
            entries.push(Entry {
                exit_reason: row.exit_reason,
                ..log.entry(row.lead_id, at, outcome)
            });
        }
    }
    Ok(entries)
}

/// A follow-up that a step opened. Its origin is `follow-up/{enrollment}/{step}/{occurrence}`.
fn asked_for(log: &Log, row: &follow_up::Model) -> Entry {
    let mut origin = row.origin_key.as_deref().unwrap_or_default().rsplit('/');
    let occurrence = origin.next().and_then(|number| number.parse().ok());
    let step_key = origin.next().map(str::to_owned);
    Entry {
        step_key,
        occurrence,
        follow_up: Some(FollowUpEntry {
            title: row.title.clone(),
            team_id: row.team_id,
            due_at: row.due_at,
        }),
        ..log.entry(row.lead_id, row.created_at, Outcome::FollowUp)
    }
}

/// The teams' days of the period on which something is due, by team and day. What is late already is due on the first.
fn team_days(
    playbook: &Playbook,
    opened: &[follow_up::Model],
    by_sequence: impl Fn(&follow_up::Model) -> bool,
    open: Option<Vec<(TeamId, DateTime<Utc>)>>,
    period: &Range<DateTime<Utc>>,
) -> Vec<TeamDay> {
    let day = |team: TeamId, at: DateTime<Utc>| {
        let facility = playbook.teams.get(&team).and_then(|row| row.facility_id);
        at.max(period.start)
            .with_timezone(&playbook.zone(facility))
            .date_naive()
    };
    let countable = open.is_some();
    let mut days: BTreeMap<(TeamId, NaiveDate), (usize, usize)> = BTreeMap::new();
    for row in opened.iter().filter(|row| row.due_at < period.end) {
        let (ours, others) = days
            .entry((row.team_id, day(row.team_id, row.due_at)))
            .or_default();
        *if by_sequence(row) { ours } else { others } += 1;
    }
    for (team, at) in open.into_iter().flatten() {
        days.entry((team, day(team, at))).or_default().1 += 1;
    }
    days.into_iter()
        .map(|((team_id, date), (ours, others))| TeamDay {
            team_id,
            date,
            by_sequence: ours,
            others: countable.then_some(others),
            members: playbook.members.get(&team_id).map_or(0, Vec::len),
        })
        .collect()
}
