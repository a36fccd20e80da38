//! Whose turn it is among the mails that make demand: how many may still go today where the batch's leads would be served,
//! and the line of those that wait.
//!
//! A mail that may go takes one of the day's allowance; one that may not takes the next place of the line. Both are written
//! in the claim's transaction, which holds the paces, so over any number of workers no more go than may, and none is lost
//! between the line and its way out. A mail that has taken its turn and comes back, because a mail server asked for patience
//! or a worker died, needs no other.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use entity::capacity_pace::{self, PaceStop};
use entity::enums::Purpose;
use entity::id::{MessageId, ServiceLineId};
use entity::message::{self, Decision, GateOutcome, MessageKind};
use entity::{capacity_tick, capacity_turn, lead};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Value,
};

use super::rows::Contacts;
use crate::capacity::lay::pool_of;
use crate::capacity::pace::{Places, allowance};
use crate::capacity::{Pool, day_at, start_of};
use crate::db::each::update_each;
use crate::error::Result;
use crate::outreach::gate::{Turn, has_place};
use crate::playbook::Playbook;

/// Where promotion is paced, as of this batch.
struct Place {
    pace: capacity_pace::Model,
    today: NaiveDate,
    /// Mails that were let go today.
    let_go: i64,
    /// The places of the line.
    places: Places,
    /// Whether the line has a day for every place.
    is_laid: bool,
    /// Whether more went than there were places for, so that the line is to be laid out anew.
    is_off: bool,
    changed: bool,
}

impl Place {
    /// Whether one more may go today.
    fn has_room(&self) -> bool {
        self.let_go < allowance(self.pace.rate_micro, self.today)
    }

    /// The day of the next place; none while nobody can tell.
    fn next_day(&self) -> Option<NaiveDate> {
        let mut places = self.places;
        places.take().filter(|_| self.is_laid)
    }
}

/// What a mail would get.
#[derive(Clone, Copy)]
struct Seat {
    pool: Pool,
    /// The day of its turn.
    due_on: Option<NaiveDate>,
    /// Whether it may go now.
    may_go: bool,
    stopped: Option<PaceStop>,
    /// Whether it stands in line already.
    stands: bool,
}

/// Whose turn it is.
#[derive(Default)]
pub(super) struct Turns {
    places: BTreeMap<Pool, Place>,
    /// The mails of the batch that stand in line.
    standing: HashMap<MessageId, capacity_turn::Model>,
    /// The mails of the batch that pacing is about.
    paced: HashSet<MessageId>,
    joined: Vec<capacity_turn::Model>,
    left: Vec<MessageId>,
    let_go: HashMap<MessageId, NaiveDate>,
}

/// Whether capacity bears on a mail at all.
fn may_wait(message: &message::Model) -> bool {
    message.kind == MessageKind::Nurture
        && message.purpose == Purpose::Marketing
        && message.paced_on.is_none()
}

impl Turns {
    /// Reads what is paced and, for a claim, holds it until that ends. No statement where no mail of the batch makes demand.
    ///
    /// A claim holds mails and waits here; whoever holds a pace waits for no mail.
    pub(super) async fn read(
        tx: &DatabaseTransaction,
        playbook: &Playbook,
        messages: &[message::Model],
        line_of: impl Fn(&message::Model) -> Option<ServiceLineId>,
        hold: Contacts,
        now: impl Fn() -> DateTime<Utc>,
    ) -> Result<Self> {
        let mut turns = Self::default();
        let deferred = messages
            .iter()
            .filter(|message| may_wait(message) && message.decision.is_some())
            .map(|message| message.id);
        let deferred: Vec<MessageId> = deferred.collect();
        if !deferred.is_empty() {
            let rows = capacity_turn::Entity::find()
                .filter(capacity_turn::Column::MessageId.is_in(deferred))
                .all(tx)
                .await?;
            turns.standing = rows.into_iter().map(|row| (row.message_id, row)).collect();
        }
        let mut lines: Vec<ServiceLineId> = Vec::new();
        for message in messages.iter().filter(|message| may_wait(message)) {
            if let Some(line) = line_of(message).filter(|_| makes_demand(playbook, message)) {
                turns.paced.insert(message.id);
                lines.push(line);
            }
        }
        lines.sort_unstable();
        lines.dedup();
        if !lines.is_empty() {
            turns.read_places(tx, playbook, lines, hold, now).await?;
        }
        Ok(turns)
    }

    async fn read_places(
        &mut self,
        tx: &DatabaseTransaction,
        playbook: &Playbook,
        lines: Vec<ServiceLineId>,
        hold: Contacts,
        now: impl Fn() -> DateTime<Utc>,
    ) -> Result<()> {
        use capacity_pace::Column::{FacilityId, ServiceLineId};
        let mut select = capacity_pace::Entity::find()
            .filter(ServiceLineId.is_in(lines.iter().copied()))
            .order_by_asc(ServiceLineId)
            .order_by_asc(FacilityId);
        if hold == Contacts::Held {
            select = select.lock(LockType::NoKeyUpdate);
        }
        let paces = select.all(tx).await?;
        // After the wait for the paces.
        let now = now();
        let days: HashSet<NaiveDate> = paces
            .iter()
            .map(|pace| day_at(playbook, pace.facility_id, now))
            .collect();
        if paces.is_empty() {
            return Ok(());
        }
        let ticks = capacity_tick::Entity::find()
            .filter(capacity_tick::Column::ServiceLineId.is_in(lines))
            .filter(capacity_tick::Column::Day.is_in(days))
            .all(tx)
            .await?;
        let ticks: HashMap<(Pool, NaiveDate), i32> = ticks
            .into_iter()
            .map(|tick| (((tick.service_line_id, tick.facility_id), tick.day), tick.let_go))
            .collect();
        for pace in paces {
            let pool = pool_of(&pace);
            let today = day_at(playbook, pool.1, now);
            let place = Place {
                today,
                let_go: ticks.get(&(pool, today)).copied().unwrap_or_default().into(),
                places: Places::after(pace.rate_micro, today, pace.tail_on, pace.tail_used.into()),
                is_laid: pace.due_at > now,
                is_off: false,
                changed: false,
                pace,
            };
            self.places.insert(pool, place);
        }
        Ok(())
    }

    /// What the gate is told about a mail.
    pub(super) fn of(
        &self,
        playbook: &Playbook,
        message: &message::Model,
        lead: Option<&lead::Model>,
    ) -> Turn {
        let Some(seat) = self.seat(message, lead).filter(|seat| !seat.may_go) else {
            return Turn::Now;
        };
        let today = self.places[&seat.pool].today;
        let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
        let day = seat.due_on.filter(|day| *day > today).unwrap_or(tomorrow);
        Turn::Waits {
            stopped: seat.stopped,
            until: start_of(playbook, seat.pool.1, day),
        }
    }

    /// The turn of a mail; none where nothing is paced.
    fn seat(&self, message: &message::Model, lead: Option<&lead::Model>) -> Option<Seat> {
        let lead = lead.filter(|_| self.paced.contains(&message.id))?;
        let line = lead.service_line_id?;
        if let Some(turn) = self.standing.get(&message.id)
            && let pool = (turn.service_line_id, turn.facility_id)
            && let Some(place) = self.places.get(&pool).filter(|_| pool.0 == line)
        {
            let is_due = turn.due_on.is_some_and(|day| day <= place.today);
            return Some(Seat {
                pool,
                due_on: turn.due_on,
                may_go: is_due && place.has_room(),
                stopped: place.pace.stopped,
                stands: true,
            });
        }
        let of_line = self.places.iter().filter(|((of, _), _)| *of == line);
        // Where the lead is served; where that is open, where its turn comes first.
        let open = of_line.filter(|((_, at), _)| lead.facility_id.is_none_or(|facility| facility == *at));
        let seats = open.map(|(pool, place)| {
            let due_on = place.next_day();
            Seat {
                pool: *pool,
                due_on,
                may_go: due_on == Some(place.today) && place.has_room(),
                stopped: place.pace.stopped,
                stands: false,
            }
        });
        seats.min_by_key(|seat| (!seat.may_go, seat.due_on.is_none(), seat.due_on, seat.pool))
    }

    /// Takes note of what the gate said of a mail, for those of the batch that come after it.
    pub(super) fn decided(&mut self, message: &message::Model, lead: Option<&lead::Model>, said: &Decision) {
        let stands = self.standing.contains_key(&message.id);
        let seat = self.seat(message, lead);
        let keeps = match (said.outcome, seat) {
            (GateOutcome::Defer, Some(seat)) => self.line_up(message, seat, said),
            (GateOutcome::Allow, Some(seat)) => {
                self.let_go(message, seat);
                false
            }
            _ => false,
        };
        if stands && !keeps {
            self.left.push(message.id);
        }
    }

    /// Whether a mail that stands in line stays there; one that does not may join.
    fn line_up(&mut self, message: &message::Model, seat: Seat, said: &Decision) -> bool {
        let stays = has_place(said, seat.stands);
        if seat.stands || !stays {
            return stays && seat.stands;
        }
        let Some(place) = self.places.get_mut(&seat.pool) else {
            return false;
        };
        let mut due_on = None;
        if place.is_laid {
            due_on = place.places.take();
            place.changed = true;
            place.is_off |= due_on == Some(place.today);
        }
        self.joined.push(capacity_turn::Model {
            message_id: message.id,
            service_line_id: seat.pool.0,
            facility_id: seat.pool.1,
            since: message.due_at,
            due_on,
        });
        // A turn of another line that it stood in goes before the new one comes.
        false
    }

    fn let_go(&mut self, message: &message::Model, seat: Seat) {
        let Some(place) = self.places.get_mut(&seat.pool) else {
            return;
        };
        if !seat.stands {
            place.places.take();
        }
        place.let_go += 1;
        place.changed = true;
        self.let_go.insert(message.id, place.today);
    }

    /// The day on which a mail has taken its turn.
    pub(super) fn paced_on(&self, message: &message::Model) -> Option<NaiveDate> {
        message.paced_on.or_else(|| self.let_go.get(&message.id).copied())
    }

    /// Whether a mail waits in line after this batch: then the wait uses up none of the time in which it makes sense.
    pub(super) fn waits(&self, message: &message::Model) -> bool {
        let joined = self.joined.iter().any(|turn| turn.message_id == message.id);
        joined || (self.standing.contains_key(&message.id) && !self.left.contains(&message.id))
    }

    /// Writes all of it.
    pub(super) async fn write(self, tx: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
        if !self.left.is_empty() {
            capacity_turn::Entity::delete_many()
                .filter(capacity_turn::Column::MessageId.is_in(self.left))
                .exec(tx)
                .await?;
        }
        if !self.joined.is_empty() {
            let rows = self.joined.into_iter().map(IntoActiveModel::into_active_model);
            capacity_turn::Entity::insert_many(rows)
                .exec_without_returning(tx)
                .await?;
        }
        let changed: Vec<&Place> = self.places.values().filter(|place| place.changed).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let ticks = changed.iter().map(|place| {
            let row = capacity_tick::Model {
                service_line_id: place.pace.service_line_id,
                facility_id: place.pace.facility_id,
                day: place.today,
                let_go: whole(place.let_go),
            };
            row.into_active_model()
        });
        use capacity_tick::Column::{Day, FacilityId, LetGo, ServiceLineId};
        let replace = OnConflict::columns([ServiceLineId, FacilityId, Day])
            .update_column(LetGo)
            .to_owned();
        capacity_tick::Entity::insert_many(ticks)
            .on_conflict(replace)
            .exec_without_returning(tx)
            .await?;
        let tails: Vec<[Value; 5]> = changed.iter().map(|place| tail(place, now)).collect();
        let sql = "UPDATE capacity_pace SET tail_on = v.column3, tail_used = v.column4, due_at = v.column5 \
                   FROM ({rows}) AS v \
                   WHERE capacity_pace.service_line_id = v.column1 AND capacity_pace.facility_id = v.column2 \
                   RETURNING capacity_pace.service_line_id";
        update_each(tx, sql, Vec::new(), tails).await?;
        Ok(())
    }
}

/// Where the line of a place ends. While it is being laid out, that is where the laying out has come to.
fn tail(place: &Place, now: DateTime<Utc>) -> [Value; 5] {
    let pace = &place.pace;
    let (day, used) = if place.is_laid {
        (place.places.day, whole(place.places.used))
    } else {
        (pace.tail_on, pace.tail_used)
    };
    let due_at = if place.is_off { now } else { pace.due_at };
    [
        pace.service_line_id.into(),
        pace.facility_id.into(),
        day.into(),
        used.into(),
        due_at.into(),
    ]
}

fn whole(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Whether a campaign or sequence that a mail is of asks people to come who would not have.
fn makes_demand(playbook: &Playbook, message: &message::Model) -> bool {
    let sequence = message
        .sequence_id
        .and_then(|id| playbook.sequences.get(&id))
        .map(|published| &published.sequence);
    let campaigns = [message.campaign_id, sequence.and_then(|row| row.campaign_id)];
    sequence.is_some_and(|row| row.demand_making)
        || campaigns
            .into_iter()
            .flatten()
            .filter_map(|id| playbook.campaigns.get(&id))
            .any(|row| row.demand_making)
}
