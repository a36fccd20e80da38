//! One change of one lead: the lead is held in its transaction, written with its events, and told of after the commit.
//!
//! Changes of one lead wait for each other. The lock is the weaker of PostgreSQL's two, which lets other transactions
//! write rows that point at the lead: a sweep that appends an event waits for nobody and nobody waits for it in a circle.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::follow_up::{self, FollowUpState};
use entity::id::{LeadId, StaffId};
use entity::lead::{ActiveModel, Model};
use entity::{contact, lead_event};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::event::NewEvent;
use super::find;
use crate::db::{self, BATCH_MAX};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::follow_up as follow_ups;
use crate::hospital::Hospital;
use crate::nudge::Subject;
use crate::playbook::Playbook;
use crate::sequence::happen::{self, Happening};
use crate::signal::Signal;
use crate::viewer::{Actor, Viewer};

/// A lead held for a change.
pub(super) struct Change<'h> {
    pub(super) h: &'h Hospital,
    pub(super) playbook: Arc<Playbook>,
    pub(super) tx: DatabaseTransaction,
    pub(super) actor: Actor,
    pub(super) now: DateTime<Utc>,
    /// The lead as it stands in the transaction.
    pub(super) lead: Model,
    signals: Vec<Signal>,
    nudges: Vec<Subject>,
}

impl<'h> Change<'h> {
    /// Opens the transaction and holds the lead. With a `version`, only if that is the lead's.
    pub(super) async fn begin(
        h: &'h Hospital,
        viewer: &Viewer,
        id: LeadId,
        version: Option<i64>,
    ) -> Result<Self> {
        let playbook = h.playbook().await?;
        let tx = db::begin_write(&h.db).await?;
        let lead = find::for_change(&tx, viewer, id).await?;
        if version.is_some_and(|version| version != lead.version) {
            let message = "The lead has changed since you read it; read it again.";
            return Err(Error::refused(Code::VersionConflict, "version", message));
        }
        // Read after the lock: whoever waited for it comes later than whom it waited for.
        let now = h.now();
        let actor = viewer.actor();
        Ok(Self {
            h,
            playbook,
            tx,
            actor,
            now,
            lead,
            signals: Vec::new(),
            nudges: Vec::new(),
        })
    }

    /// Writes the changed lead.
    pub(super) async fn save(&mut self, edit: impl FnOnce(&mut ActiveModel)) -> Result<()> {
        let mut row = self.lead.clone().into_active_model();
        edit(&mut row);
        row.version = Set(self.lead.version + 1);
        row.updated_at = Set(self.now);
        self.lead = row.update(&self.tx).await?;
        Ok(())
    }

    /// Appends an event.
    pub(super) async fn record(&mut self, event: NewEvent) -> Result<()> {
        self.record_all(vec![event]).await
    }

    async fn record_all(&mut self, events: Vec<NewEvent>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.signals.extend(events.iter().map(NewEvent::signal));
        let rows = events.into_iter().map(NewEvent::row);
        lead_event::Entity::insert_many(rows)
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }

    /// The lead's contact.
    pub(super) async fn contact(&self) -> Result<contact::Model> {
        let contact = contact::Entity::find_by_id(self.lead.contact_id)
            .one(&self.tx)
            .await?;
        contact.ok_or_else(|| Error::fault("a lead has no contact"))
    }

    /// Lets sequences follow what happened to the lead: some end, some go on, others begin.
    pub(super) async fn sequences_follow(&mut self, happened: &[Happening]) -> Result<()> {
        let contact = self.contact().await?;
        let followed =
            happen::follow_lead(&self.tx, &self.playbook, &self.lead, &contact, happened, self.now).await?;
        self.signals.extend(followed.signals);
        if followed.due {
            self.nudges.push(Subject::Enrollments);
        }
        Ok(())
    }

    /// The same for a change of stage alone.
    pub(super) async fn stage_moved(&mut self) -> Result<()> {
        self.sequences_follow(&[Happening::StageChanged]).await
    }

    /// The lead's open follow-ups, held, the earliest due first.
    pub(super) async fn open_follow_ups(&self) -> Result<Vec<follow_up::Model>> {
        // In the order of their ids, as everybody who holds several: nobody waits in a circle.
        let mut found = follow_up::Entity::find()
            .filter(follow_up::Column::LeadId.eq(self.lead.id))
            .filter(follow_up::Column::State.eq(FollowUpState::Open))
            .order_by_asc(follow_up::Column::Id)
            .limit(BATCH_MAX as u64)
            .lock(LockType::NoKeyUpdate)
            .all(&self.tx)
            .await?;
        found.sort_by_key(|row| (row.due_at, row.id));
        Ok(found)
    }

    /// The lead's open follow-ups go first with it, or no longer, and stand where its score puts them.
    pub(super) async fn move_follow_ups(&mut self) -> Result<()> {
        let mut rows = self.open_follow_ups().await?;
        for row in &mut rows {
            row.urgent = self.lead.urgent;
            row.version += 1;
            follow_ups::place::put(row, self.lead.score_points, self.now);
        }
        follow_ups::write(&self.tx, &rows).await?;
        self.tell(
            rows.iter()
                .map(|row| Signal::FollowUpChanged { follow_up_id: row.id }),
        );
        Ok(())
    }

    /// Nobody has these in hand any more.
    pub(super) async fn put_back(&mut self, rows: Vec<follow_up::Model>) -> Result<()> {
        let mut taken: Vec<_> = rows.into_iter().filter(|row| row.taken_by_id.is_some()).collect();
        taken.iter_mut().for_each(follow_ups::change::put_back);
        follow_ups::write(&self.tx, &taken).await?;
        self.tell(
            taken
                .iter()
                .map(|row| Signal::FollowUpChanged { follow_up_id: row.id }),
        );
        Ok(())
    }

    /// Ends follow-ups as done or cancelled.
    pub(super) async fn end_follow_ups(
        &mut self,
        rows: &[follow_up::Model],
        state: FollowUpState,
        outcome: &str,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        follow_up::Entity::update_many()
            .col_expr(follow_up::Column::State, Expr::value(state))
            .col_expr(follow_up::Column::Outcome, Expr::value(outcome))
            .col_expr(follow_up::Column::CompletedAt, Expr::value(self.now))
            .col_expr(
                follow_up::Column::RemindAt,
                Expr::value(Option::<DateTime<Utc>>::None),
            )
            .col_expr(
                follow_up::Column::MovesAt,
                Expr::value(Option::<DateTime<Utc>>::None),
            )
            .col_expr(follow_up::Column::TakenById, Expr::value(Option::<StaffId>::None))
            .col_expr(
                follow_up::Column::TakenUntil,
                Expr::value(Option::<DateTime<Utc>>::None),
            )
            .col_expr(
                follow_up::Column::Version,
                Expr::col(follow_up::Column::Version).add(1),
            )
            .filter(follow_up::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&self.tx)
            .await?;
        let change = if state == FollowUpState::Done {
            "DONE"
        } else {
            "CANCELLED"
        };
        self.follow_ups_changed(rows, change).await
    }

    /// Appends the events of follow-ups that changed, and what there is to tell of them.
    pub(super) async fn follow_ups_changed(
        &mut self,
        rows: &[follow_up::Model],
        change: &'static str,
    ) -> Result<()> {
        self.signals.extend(
            rows.iter()
                .map(|row| Signal::FollowUpChanged { follow_up_id: row.id }),
        );
        let event = |row| follow_ups::changed_event(row, change, self.actor, self.now);
        let events = rows.iter().map(event).collect();
        self.record_all(events).await
    }

    /// Opens a follow-up with the mail about it.
    pub(super) async fn open_follow_up(&mut self, row: follow_up::Model) -> Result<()> {
        let (h, actor, now) = (self.h, self.actor, self.now);
        let opened = follow_ups::open(&self.tx, &self.playbook, &h.site, vec![row], actor, now).await?;
        self.signals.extend(opened.signals);
        self.nudges.extend(opened.nudges);
        Ok(())
    }

    /// Tells listeners something after the commit.
    pub(super) fn tell(&mut self, signals: impl Iterator<Item = Signal>) {
        self.signals.extend(signals);
    }

    /// Asks workers to look at something after the commit.
    pub(super) fn nudge(&mut self, subject: Subject) {
        self.nudges.push(subject);
    }

    /// Commits.
    pub(super) async fn commit<T>(mut self, value: impl FnOnce(Model) -> T) -> Result<Done<T>> {
        self.tx.commit().await?;
        self.nudges.sort_unstable_by_key(|subject| subject.index());
        self.nudges.dedup();
        Ok(Done {
            value: value(self.lead),
            signals: self.signals,
            nudges: self.nudges,
        })
    }
}
