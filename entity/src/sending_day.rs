//! How many bulk mails a sending domain has sent on a day, while it is warmed up.

use sea_orm::entity::prelude::*;

/// How many bulk mails a sending domain has sent on a day, while it is warmed up.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sending_day")]
pub struct Model {
    /// The domain of the `From` address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    /// The day in UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: chrono::NaiveDate,
    /// Mails.
    pub sent: i64,
}

impl ActiveModelBehavior for ActiveModel {}
