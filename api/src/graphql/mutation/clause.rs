//! Conditions over a lead, as inputs write them.

use async_graphql::InputObject;
use entity::condition::{Clause, Condition};

use crate::graphql::vocabulary::{Comparison, Fact};

/// One comparison of one fact of a lead.
#[derive(InputObject, Clone, Debug)]
pub struct ClauseInput {
    /// What is looked at.
    fact: Fact,
    /// The form's field, for `ANSWER` and only then.
    field: Option<String>,
    /// How it is compared.
    is: Comparison,
    /// What it is compared with; none for `PRESENT` and `ABSENT`.
    #[graphql(default)]
    values: Vec<String>,
}

/// A condition that holds when every clause holds.
pub(super) fn condition(clauses: Vec<ClauseInput>) -> Condition {
    let clause = |clause: ClauseInput| Clause {
        fact: clause.fact.into(),
        field: clause.field,
        is: clause.is.into(),
        values: clause.values,
    };
    Condition(clauses.into_iter().map(clause).collect())
}

#[cfg(test)]
impl ClauseInput {
    /// A clause without a form's field.
    pub(super) fn of(fact: Fact, is: Comparison, values: &[&str]) -> Self {
        Self {
            fact,
            field: None,
            is,
            values: values.iter().map(|&value| value.to_owned()).collect(),
        }
    }
}
