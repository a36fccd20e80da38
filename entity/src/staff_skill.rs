//! What a member of staff is good at, for rules that look for it.

use sea_orm::entity::prelude::*;

use crate::id::StaffId;

text_enum!(/// Kinds of skills.
SkillKind {
    /// A language that the person speaks; the value is a BCP 47 tag.
    Language = "LANGUAGE",
    /// A service line that the person knows; the value is its slug.
    ServiceLine = "SERVICE_LINE",
});

/// What a member of staff is good at, for rules that look for it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_skill")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
    /// The kind.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: SkillKind,
    /// The language or service line, lower case.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: String,
}

impl ActiveModelBehavior for ActiveModel {}
