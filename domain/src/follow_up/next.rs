//! The next follow-up for a person: the first that they can do and nobody has in hand. Two people never get the same one.

use chrono::{DateTime, TimeDelta, Utc};
use entity::follow_up::{Column, Entity, FollowUpState, Model};
use entity::id::{StaffId, TeamId};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::change::put_back;
use super::find::pieces_of_work;
use super::place::Rank;
use super::write::write;
use crate::db;
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::signal::Signal;
use crate::viewer::Viewer;

/// How long a follow-up stays in hand of whom it was given to, in minutes: long enough to read, to call and to write
/// down what came of it. Then it is free again by itself.
pub const IN_HAND_MINS: i64 = 15;

/// How many of each piece are looked at: those before may be held by others who ask at the same moment.
const LOOKED_AT: u64 = 64;
/// How often all that was looked at may be held by others before the answer is that there is nothing.
const TRIES: usize = 16;

/// The order of the work list.
pub const ORDER: [Column; 4] = [Column::Rank, Column::Weight, Column::DueAt, Column::Id];

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Only what is for this team; else for any of the viewer's teams.
    pub team_id: Option<TeamId>,
    /// Not what the viewer has in hand: it goes back to the list, and what comes after it there is given.
    pub skip: bool,
}

/// Gives the first follow-up of the work list that the viewer can do now, in hand for [`IN_HAND_MINS`].
///
/// It is the viewer's, or nobody's in a team of the viewer's, its time has come, and nobody else has it in hand. It does not
/// become the viewer's by that, and its version does not rise.
///
/// Whoever asks again gets the same one as long as it is open and in hand, so that nobody hoards by asking twice. None
/// when there is nothing to do.
///
/// # Errors
/// When the viewer is no member of staff or not of the team, or the database fails.
pub async fn next(h: &Hospital, viewer: &Viewer, input: Next) -> Result<Done<Option<Model>>> {
    let Viewer::Staff { id, teams, .. } = viewer else {
        let message = "Only a member of staff can have work in hand.";
        return Err(Error::refused(Code::NotAllowedNow, "", message));
    };
    let teams = of_team(teams, input.team_id)?;
    let tx = db::begin_write(&h.db).await?;
    // One at a time for a person: two tabs that ask at one moment get the same one.
    db::lock_keys(&tx, &[key(*id)]).await?;
    let now = h.now();
    let in_hand = in_hand(&tx, *id, now).await?;
    let mut changed = Vec::new();
    let given = match in_hand {
        Some(row) if !input.skip => Some(row),
        skipped => {
            let work = Work {
                staff: *id,
                teams,
                of_team: input.team_id,
                after: skipped.as_ref(),
                now,
            };
            let next = work.first(&tx).await?;
            changed.extend(skipped.map(|mut row| {
                put_back(&mut row);
                row
            }));
            next
        }
    };
    let given = given.map(|mut row| {
        row.taken_by_id = Some(*id);
        row.taken_until = Some(now + TimeDelta::minutes(IN_HAND_MINS));
        row
    });
    changed.extend(given.clone());
    write(&tx, &changed).await?;
    tx.commit().await?;
    let signals = changed
        .iter()
        .map(|row| Signal::FollowUpChanged { follow_up_id: row.id })
        .collect();
    Ok(Done {
        value: given,
        signals,
        nudges: Vec::new(),
    })
}

fn of_team(teams: &[TeamId], wanted: Option<TeamId>) -> Result<Vec<TeamId>> {
    match wanted {
        None => Ok(teams.to_vec()),
        Some(team) if teams.contains(&team) => Ok(vec![team]),
        Some(_) => Err(Error::refused(
            Code::NotFound,
            "teamId",
            "Choose one of your teams.",
        )),
    }
}

/// What of a person's requests wait for each other.
fn key(staff: StaffId) -> i64 {
    let (_, random) = staff.0.as_u64_pair();
    i64::from_be_bytes(random.to_be_bytes())
}

/// What the person has in hand.
async fn in_hand(tx: &DatabaseTransaction, staff: StaffId, now: DateTime<Utc>) -> Result<Option<Model>> {
    let row = Entity::find()
        .filter(Column::TakenById.eq(staff))
        .filter(Column::TakenUntil.gt(now))
        .filter(Column::State.eq(FollowUpState::Open))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    Ok(row)
}

/// The work that a person can be given.
struct Work<'a> {
    staff: StaffId,
    teams: Vec<TeamId>,
    of_team: Option<TeamId>,
    after: Option<&'a Model>,
    now: DateTime<Utc>,
}

impl Work<'_> {
    /// The first of it that nobody holds at this moment, held.
    async fn first(&self, tx: &DatabaseTransaction) -> Result<Option<Model>> {
        for _ in 0..TRIES {
            let row = in_order(self.found())
                .limit(1)
                // SQLite has one writer at a time, and leaves this out.
                .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
                .one(tx)
                .await?;
            if row.is_some() || self.found().count(tx).await? == 0 {
                return Ok(row);
            }
        }
        Ok(None)
    }

    /// The first of each piece. Conditions are repeated outside, because what was found may change until it is held.
    fn found(&self) -> Select<Entity> {
        let pieces = pieces_of_work(self.staff, &self.teams).into_iter().map(|piece| {
            let select = Entity::find().filter(piece).filter(self.can_be_given());
            in_order(select).limit(LOOKED_AT)
        });
        Entity::find()
            .filter(Column::Id.in_subquery(db::union_of_ids(Column::Id, pieces)))
            .filter(self.can_be_given())
    }

    fn can_be_given(&self) -> Condition {
        let free = Condition::any()
            .add(Column::TakenUntil.is_null())
            .add(Column::TakenUntil.lte(self.now));
        let after = self.after.map(|row| {
            let place = [
                Expr::val(row.rank),
                Expr::val(row.weight),
                Expr::val(row.due_at),
                Expr::val(row.id),
            ];
            let columns = ORDER.map(|column| Expr::col(column.as_column_ref()));
            Expr::tuple(columns).gt(Expr::tuple(place))
        });
        Condition::all()
            .add(Column::State.eq(FollowUpState::Open))
            .add(Column::Rank.lt(Rank::NotYet as i32))
            .add(free)
            .add_option(self.of_team.map(|team| Column::TeamId.eq(team)))
            .add_option(after)
    }
}

fn in_order(select: Select<Entity>) -> Select<Entity> {
    ORDER
        .into_iter()
        .fold(select, |select, column| select.order_by(column, Order::Asc))
}
