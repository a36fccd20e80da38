//! Whose turn it is by a routing rule that gives its leads to one person after the other.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{RoutingRuleId, StaffId};

/// Who was given a lead by a rule, whoever has waited longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Given(pub Vec<StaffId>);

/// Whose turn it is by a routing rule that gives its leads to one person after the other.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "routing_turn")]
pub struct Model {
    /// The rule.
    #[sea_orm(primary_key, auto_increment = false)]
    pub rule_id: RoutingRuleId,
    /// Who was given its leads, whoever has waited longest first.
    #[sea_orm(column_type = "JsonBinary")]
    pub given: Given,
}

impl ActiveModelBehavior for ActiveModel {}
