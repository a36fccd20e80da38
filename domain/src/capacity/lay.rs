//! The sweep over paces: reckons a pace anew, and gives every mail in its line the day of its turn.
//!
//! A pace is due at the beginning of each day and whenever something was said that it rests on. A line may be long, so it is
//! gone through in batches, and the pace remembers how far it has come. It may be stopped at any moment: the row is still due.
//!
//! Whoever lets mail go, joins the line or lays it out holds the pace, so there is one who does. Mails that a claim holds at
//! this moment are passed over: the claim holds mails and waits for the pace, so nobody can wait in a circle. Their place
//! has its new day, and they read it when they have the pace.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use entity::capacity_pace::{Column, Entity, Model};
use entity::id::MessageId;
use entity::message::{self, Decision};
use entity::message_event::{self, MessageEventKind};
use entity::{capacity_tick, capacity_turn};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Value,
};

use super::{Pool, day_at, demand, pace, policy_of, read, start_of};
use crate::db::{self, BATCH_MAX, each::update_each};
use crate::done::Done;
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::outreach::gate::{self, Turn};
use crate::outreach::plan;
use crate::playbook::Playbook;

/// Goes on with one pace that is due: a batch of its line. Answers how many paces and mails were looked at; none when
/// nothing is due.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn go_on(h: &Hospital) -> Result<Done<usize>> {
    let due = |now: DateTime<Utc>| {
        Entity::find()
            .filter(Column::DueAt.lte(now))
            .order_by_asc(Column::DueAt)
    };
    // Asked first without a transaction: mostly there is nothing, and SQLite's one writer is not to be kept busy.
    if due(h.now()).one(&h.db).await?.is_none() {
        return Ok(Done::quiet(0));
    }
    let playbook = h.playbook().await?;
    let tx = db::begin_write(&h.db).await?;
    let now = h.now();
    let found = due(now)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .one(&tx)
        .await?;
    let Some(found) = found else {
        return Ok(Done::quiet(0));
    };
    let today = day_at(&playbook, found.facility_id, now);
    let held = if found.laying {
        found
    } else {
        reckon(&tx, &playbook, found, today, now).await?
    };
    let laying = Laying {
        playbook: &playbook,
        today,
        now,
        held,
    };
    let laid = laying.batch(&tx).await?;
    tx.commit().await?;
    Ok(Done {
        value: 1 + laid.looked_at,
        signals: Vec::new(),
        nudges: laid.made_due.then_some(Subject::BulkMail).into_iter().collect(),
    })
}

/// The pace as of now, and a line that is to be laid out from its beginning.
async fn reckon(
    tx: &DatabaseTransaction,
    playbook: &Playbook,
    held: Model,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Model> {
    let (line, facility) = pool_of(&held);
    let row = playbook.lines.get(&line);
    let policy = policy_of(row.ok_or_else(|| Error::fault("a pace is about a line that is there"))?);
    let said = read::weeks(tx, line, today).await?;
    let mut ahead = pace::ahead(
        today,
        said.get(&facility).map_or(&[], Vec::as_slice),
        policy.weeks,
    );
    if ahead.is_empty() {
        let last: Vec<_> = read::last_week(tx, (line, facility)).await?.into_iter().collect();
        ahead = pace::ahead(today, &last, policy.weeks);
    }
    let own = pace::sevenths(&ahead);
    let all = said
        .values()
        .map(|weeks| pace::sevenths(&pace::ahead(today, weeks, policy.weeks)));
    let all = Ord::max(all.sum::<i64>(), own);
    let standing = read::standing(tx, line, now).await?;
    let funnel = |of| standing.funnels.get(&of).copied().unwrap_or_default();
    let (here, nowhere) = (funnel(Some(facility)), funnel(None));
    let expected = |funnel| standing.cohort.expected(funnel);
    let expected = expected(&here)
        .zip(expected(&nowhere))
        .map(|(here, nowhere)| here.saturating_add(demand::part_of(nowhere, own, all)));
    let pace = pace::pace(&ahead, &policy, expected.unwrap_or_default());
    let let_go = capacity_tick::Entity::find_by_id((line, facility, today))
        .one(tx)
        .await?
        .map_or(0, |tick| tick.let_go);
    Ok(Model {
        laying: true,
        rate_micro: pace.rate_micro,
        stopped: pace.stopped,
        demand_micro: expected,
        funnel: here.leads() + demand::part_of(nowhere.leads(), own, all),
        conversion_micro: standing.cohort.conversion(),
        reckoned_at: Some(now),
        laid_since: None,
        laid_id: None,
        tail_on: Some(today),
        tail_used: let_go,
        ..held
    })
}

/// The pool of a pace.
pub(crate) fn pool_of(pace: &Model) -> Pool {
    (pace.service_line_id, pace.facility_id)
}

/// What a batch came to.
struct Laid {
    looked_at: usize,
    made_due: bool,
}

/// A line that is being laid out.
struct Laying<'a> {
    playbook: &'a Playbook,
    today: NaiveDate,
    now: DateTime<Utc>,
    held: Model,
}

/// A deferred mail of the line, as far as it is looked at.
#[derive(FromQueryResult)]
struct Waiting {
    id: MessageId,
    decision: Option<Decision>,
    created_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Laying<'_> {
    async fn batch(mut self, tx: &DatabaseTransaction) -> Result<Laid> {
        let turns = self.turns(tx).await?;
        let mut places = pace::Places::after(
            self.held.rate_micro,
            self.today,
            self.held.tail_on,
            self.held.tail_used.into(),
        );
        let days: Vec<Option<NaiveDate>> = turns.iter().map(|_| places.take()).collect();
        let moved: Vec<[Value; 2]> = turns
            .iter()
            .zip(&days)
            .filter(|(turn, day)| turn.due_on != **day)
            .map(|(turn, day)| [turn.message_id.into(), (*day).into()])
            .collect();
        let sql = "UPDATE capacity_turn SET due_on = v.column2 FROM ({rows}) AS v \
                   WHERE capacity_turn.message_id = v.column1 RETURNING capacity_turn.message_id";
        update_each(tx, sql, Vec::new(), moved).await?;
        let made_due = self.tell(tx, &turns, &days).await?;
        let looked_at = turns.len();
        match turns.last().filter(|_| looked_at == BATCH_MAX) {
            Some(last) => {
                (self.held.laid_since, self.held.laid_id) = (Some(last.since), Some(last.message_id));
                self.held.due_at = self.now;
            }
            None => {
                self.held.laying = false;
                (self.held.laid_since, self.held.laid_id) = (None, None);
                self.held.due_at = self.start(self.tomorrow());
            }
        }
        self.held.tail_on = places.day;
        self.held.tail_used = i32::try_from(places.used).unwrap_or(i32::MAX);
        self.held.into_active_model().reset_all().update(tx).await?;
        Ok(Laid { looked_at, made_due })
    }

    fn tomorrow(&self) -> NaiveDate {
        self.today.checked_add_days(Days::new(1)).unwrap_or(self.today)
    }

    fn start(&self, day: NaiveDate) -> DateTime<Utc> {
        start_of(self.playbook, self.held.facility_id, day)
    }

    /// The next places of the line.
    async fn turns(&self, tx: &DatabaseTransaction) -> Result<Vec<capacity_turn::Model>> {
        use capacity_turn::Column::{FacilityId, MessageId, ServiceLineId, Since};
        let mut select = capacity_turn::Entity::find()
            .filter(ServiceLineId.eq(self.held.service_line_id))
            .filter(FacilityId.eq(self.held.facility_id))
            .order_by_asc(Since)
            .order_by_asc(MessageId)
            .limit(BATCH_MAX as u64);
        if let Some((since, id)) = self.held.laid_since.zip(self.held.laid_id) {
            let place = Expr::tuple([Expr::col(Since), Expr::col(MessageId)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(since), Expr::val(id)])));
        }
        Ok(select.all(tx).await?)
    }

    /// Writes the new days on the mails, and makes those due whose day is today.
    async fn tell(
        &self,
        tx: &DatabaseTransaction,
        turns: &[capacity_turn::Model],
        days: &[Option<NaiveDate>],
    ) -> Result<bool> {
        if turns.is_empty() {
            return Ok(false);
        }
        use message::Column::{CreatedAt, Decision, DueAt, ExpiresAt, Id};
        let waiting = message::Entity::find()
            .select_only()
            .columns([Id, Decision, CreatedAt, DueAt, ExpiresAt])
            .filter(Id.is_in(turns.iter().map(|turn| turn.message_id)))
            .filter(Expr::cust("state = 'DEFERRED'"))
            .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
            .into_model::<Waiting>()
            .all(tx)
            .await?;
        let mut waiting: HashMap<MessageId, Waiting> = waiting.into_iter().map(|row| (row.id, row)).collect();
        let (mut rows, mut events, mut made_due) = (Vec::new(), Vec::new(), false);
        for (turn, day) in turns.iter().zip(days) {
            let Some(mail) = waiting.remove(&turn.message_id) else {
                continue;
            };
            if day.is_some_and(|day| day <= self.today) {
                made_due = true;
                if mail.due_at > self.now {
                    rows.push(row_of(&mail, mail.decision.clone(), self.now, mail.expires_at));
                }
                continue;
            }
            let until = self.start(day.unwrap_or_else(|| self.tomorrow()));
            let waits = Turn::Waits {
                stopped: self.held.stopped,
                until,
            };
            let (decision, other_reason) = gate::retold(mail.decision.as_ref(), waits);
            if decision != mail.decision || mail.due_at != until {
                rows.push(row_of(&mail, decision, until, kept_until(&mail, until)));
            }
            if let Some(reason) = other_reason {
                events.push(plan::event(
                    mail.id,
                    MessageEventKind::Deferred,
                    Some(reason.as_str()),
                    self.now,
                ));
            }
        }
        let sql = "UPDATE message SET decision = v.column2, due_at = v.column3, expires_at = v.column4 \
                   FROM ({rows}) AS v WHERE message.id = v.column1 RETURNING message.id";
        update_each(tx, sql, Vec::new(), rows).await?;
        if !events.is_empty() {
            message_event::Entity::insert_many(events)
                .exec_without_returning(tx)
                .await?;
        }
        Ok(made_due)
    }
}

fn row_of(
    mail: &Waiting,
    decision: Option<Decision>,
    due_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> [Value; 4] {
    [mail.id.into(), decision.into(), due_at.into(), expires_at.into()]
}

fn kept_until(mail: &Waiting, until: DateTime<Utc>) -> DateTime<Utc> {
    plan::kept_while_waiting(mail.created_at, mail.expires_at, until)
}
