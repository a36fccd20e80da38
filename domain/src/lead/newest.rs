//! Leads by the thousand, the newest first, in pages that never look at a row twice.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::contact;
use entity::id::{ContactId, LeadId};
use entity::lead::{Column, Entity, Model};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::error::Result;

/// How far the leads have been read.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    place: Option<(DateTime<Utc>, LeadId)>,
}

impl Newest {
    /// The next leads of these, at most so many; none when all were read.
    pub(crate) async fn page(
        &mut self,
        tx: &DatabaseTransaction,
        which: &Condition,
        size: u64,
    ) -> Result<Vec<Model>> {
        let older = self.place.map(|(at, id)| {
            let same_moment = Condition::all()
                .add(Column::ReceivedAt.eq(at))
                .add(Column::Id.lt(id));
            Condition::any().add(Column::ReceivedAt.lt(at)).add(same_moment)
        });
        // Said apart from the place, so that the index begins there.
        let until = self.place.map(|(at, _)| Column::ReceivedAt.lte(at));
        let page = Entity::find()
            .filter(which.clone().add_option(until).add_option(older))
            .order_by_desc(Column::ReceivedAt)
            .order_by_desc(Column::Id)
            .limit(size)
            .all(tx)
            .await?;
        self.place = page
            .last()
            .map_or(self.place, |last| Some((last.received_at, last.id)));
        Ok(page)
    }
}

/// The contacts of leads.
pub(crate) async fn contacts_of(
    tx: &DatabaseTransaction,
    leads: &[Model],
) -> Result<HashMap<ContactId, contact::Model>> {
    let found = contact::Entity::find()
        .filter(contact::Column::Id.is_in(leads.iter().map(|lead| lead.contact_id)))
        .all(tx)
        .await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}
