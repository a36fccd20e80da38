//! What happens to the mails of a sequence in the copy, taken up while it happens.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::enrollment::{self, EnrollmentState};
use entity::id::{EnrollmentId, LeadId, SequenceId, TemplateVersionId};
use entity::message::Decision;
use entity::message_event::MessageEventKind;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, Statement,
};

use super::outcome::{Entry, Outcome, Reason};
use crate::error::{Code, Result};
use crate::hospital::Hospital;
use crate::playbook::Playbook;

/// A lead that could not be enrolled.
pub(super) struct NotEnrolled {
    pub(super) lead_id: LeadId,
    pub(super) code: Code,
    pub(super) text: String,
    pub(super) at: DateTime<Utc>,
}

/// What happens to the mails of a sequence, taken up while it happens: a message keeps only its last decision.
pub(super) struct Log {
    pub(super) sequence_id: SequenceId,
    /// The leads that are told of.
    pub(super) chosen: HashSet<LeadId>,
    /// Which of them are samples.
    pub(super) samples: HashMap<LeadId, &'static str>,
    /// Where the tables ended at the beginning.
    pub(super) before: Before,
    /// The last row of the messages' history that was taken up.
    taken_up: i64,
    mails: Vec<Happened>,
}

/// Where the tables ended when the period began.
pub(super) struct Before {
    pub(super) enrollment: i64,
    pub(super) follow_up: i64,
    /// Enrollments that had ended by then.
    pub(super) ended: HashSet<EnrollmentId>,
}

/// One row of a message's history with the message as it stood then.
#[derive(FromQueryResult)]
struct Happened {
    kind: MessageEventKind,
    at: DateTime<Utc>,
    lead_id: Option<LeadId>,
    step_key: Option<String>,
    occurrence: Option<i32>,
    decision: Option<Decision>,
    template_version_id: Option<TemplateVersionId>,
}

impl Log {
    /// Begins now: what is in the copy already is not told.
    pub(super) async fn begin(h: &Hospital, sequence_id: SequenceId) -> Result<Self> {
        let db = &h.db;
        let ended = enrollment::Entity::find()
            .select_only()
            .column(enrollment::Column::Id)
            .filter(enrollment::Column::SequenceId.eq(sequence_id))
            .filter(enrollment::Column::State.ne(EnrollmentState::Active))
            .into_tuple::<EnrollmentId>()
            .all(db)
            .await?;
        Ok(Self {
            sequence_id,
            chosen: HashSet::new(),
            samples: HashMap::new(),
            before: Before {
                enrollment: last_row(db, "enrollment").await?,
                follow_up: last_row(db, "follow_up").await?,
                ended: ended.into_iter().collect(),
            },
            taken_up: last_row(db, "message_event").await?,
            mails: Vec::new(),
        })
    }

    /// How much was taken up.
    pub(super) fn len(&self) -> usize {
        self.mails.len()
    }

    /// Takes up what happened to mails since the last time. A mail is decided at most once an instant, so its decision
    /// is still the one of then.
    pub(super) async fn take_up(&mut self, db: &DatabaseConnection) -> Result<()> {
        let last = last_row(db, "message_event").await?;
        if last == self.taken_up {
            return Ok(());
        }
        // The copy is always SQLite, whose rows count up in the order in which they were written.
        let sql = "SELECT e.kind, e.at, m.lead_id, m.step_key, m.occurrence, m.decision, m.template_version_id \
                   FROM message_event AS e JOIN message AS m ON m.id = e.message_id \
                   WHERE e.rowid > $1 AND m.sequence_id = $2 AND m.contact_id IS NOT NULL \
                   AND e.kind IN ('ACCEPTED', 'DEFERRED', 'WITHHELD') ORDER BY e.rowid";
        let values = [self.taken_up.into(), self.sequence_id.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        let happened = Happened::find_by_statement(statement).all(db).await?;
        let chosen = &self.chosen;
        self.mails.extend(
            happened
                .into_iter()
                .filter(|row| row.lead_id.is_some_and(|id| chosen.contains(&id))),
        );
        self.taken_up = last;
        Ok(())
    }

    pub(super) fn entry(&self, lead_id: LeadId, at: DateTime<Utc>, outcome: Outcome) -> Entry {
        Entry {
            lead_id,
            sample: self.samples.get(&lead_id).copied(),
            step_key: None,
            occurrence: None,
            at,
            outcome,
            until: None,
            reasons: Vec::new(),
            template: None,
            follow_up: None,
            exit_reason: None,
        }
    }

    /// What happened to mails.
    pub(super) fn mails(&self, playbook: &Playbook) -> Vec<Entry> {
        self.mails
            .iter()
            .filter_map(|row| self.mail(row, playbook))
            .collect()
    }

    fn mail(&self, row: &Happened, playbook: &Playbook) -> Option<Entry> {
        let outcome = match row.kind {
            MessageEventKind::Accepted => Outcome::Sent,
            MessageEventKind::Deferred => Outcome::Deferred,
            _ => Outcome::Withheld,
        };
        let decision = row.decision.as_ref();
        let reasons = decision.map_or(&[][..], |decision| &decision.reasons);
        let template = playbook
            .template_versions
            .get(&row.template_version_id?)
            .and_then(|version| playbook.templates.get(&version.template_id));
        Some(Entry {
            step_key: row.step_key.clone(),
            occurrence: row.occurrence,
            until: decision.and_then(|decision| decision.until),
            reasons: reasons
                .iter()
                .map(|reason| Reason {
                    code: reason.code.as_str(),
                    text: reason.text.clone(),
                })
                .collect(),
            template: template.map(|row| row.key.clone()),
            ..self.entry(row.lead_id?, row.at, outcome)
        })
    }
}

async fn last_row(db: &DatabaseConnection, table: &'static str) -> Result<i64> {
    let sql = format!("SELECT COALESCE(MAX(rowid), 0) FROM {table}");
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await?;
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default())
}

/// Rows that were written after this one.
pub(super) fn later_than(last: i64) -> Expr {
    Expr::cust(format!("rowid > {last}"))
}
