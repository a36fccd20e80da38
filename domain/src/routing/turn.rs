//! Whose turn it is, by a rule that gives its leads to one person after the other.
//!
//! The row of the rule is held from the look to the commit, so leads of one moment go to different people, and a
//! transaction that fails has given nothing to anybody. Only leads of such a rule cost these two statements.

use entity::id::{RoutingRuleId, StaffId};
use entity::routing_rule::PersonStrategy;
use entity::routing_turn::{ActiveModel, Column, Entity, Given};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait};

use super::Match;
use crate::error::Result;

/// Who was given leads by a rule by turns; empty, and nothing is held, for every other rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    rule: Option<RoutingRuleId>,
    given: Vec<StaffId>,
}

impl Turn {
    /// Who was given leads, whoever has waited longest first.
    pub fn given(&self) -> &[StaffId] {
        &self.given
    }
}

/// Holds the turn of the rule until the transaction ends, if it is a rule by turns.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &DatabaseTransaction, found: &Match<'_>) -> Result<Turn> {
    let Some(rule) = found
        .rule
        .filter(|rule| rule.strategy == PersonStrategy::RoundRobin)
    else {
        return Ok(Turn::default());
    };
    let first = ActiveModel {
        rule_id: Set(rule.id),
        given: Set(Given::default()),
    };
    // Writing the id again changes nothing and holds the row, whether it was there or not.
    let row = Entity::insert(first)
        .on_conflict(
            OnConflict::column(Column::RuleId)
                .update_column(Column::RuleId)
                .to_owned(),
        )
        .exec_with_returning(tx)
        .await?;
    Ok(Turn {
        rule: Some(rule.id),
        given: row.given.0,
    })
}

/// Writes down that `to` was given a lead.
///
/// # Errors
/// When the database fails.
pub async fn give(tx: &DatabaseTransaction, turn: Turn, to: Option<StaffId>) -> Result<()> {
    let (Some(rule_id), Some(to)) = (turn.rule, to) else {
        return Ok(());
    };
    let row = ActiveModel {
        rule_id: Unchanged(rule_id),
        given: Set(Given(after(turn.given, to))),
    };
    row.update(tx).await?;
    Ok(())
}

/// The list after `to` was given a lead.
pub(super) fn after(mut given: Vec<StaffId>, to: StaffId) -> Vec<StaffId> {
    given.retain(|id| *id != to);
    given.push(to);
    given
}
