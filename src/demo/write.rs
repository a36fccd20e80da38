//! Writes the history: one transaction, batches of bounded size, in the order in which rows point at each other.

use domain::db::{self, BATCH_MAX};
use domain::error::Result;
use domain::hospital::Hospital;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait};

use super::book::Book;

pub(super) async fn write(h: &Hospital, book: Book) -> Result<()> {
    let tx = db::begin_write(&h.db).await?;
    insert(&tx, models(book.contacts)).await?;
    insert(&tx, models(book.leads)).await?;
    insert(&tx, book.events).await?;
    insert(&tx, models(book.consents)).await?;
    insert(&tx, models(book.suppressions)).await?;
    insert(&tx, models(book.touchpoints)).await?;
    insert(&tx, models(book.attempts)).await?;
    insert(&tx, models(book.appointments)).await?;
    insert(&tx, models(book.enrollments)).await?;
    insert(&tx, models(book.follow_ups)).await?;
    insert(&tx, book.messages).await?;
    insert(&tx, book.message_events).await?;
    insert(&tx, models(book.spend)).await?;
    tx.commit().await?;
    Ok(())
}

fn models<Row>(rows: Vec<Row>) -> Vec<<Row::Entity as EntityTrait>::ActiveModel>
where
    Row: ModelTrait + IntoActiveModel<<Row::Entity as EntityTrait>::ActiveModel>,
{
    rows.into_iter().map(IntoActiveModel::into_active_model).collect()
}

async fn insert<Row: ActiveModelTrait>(tx: &DatabaseTransaction, rows: Vec<Row>) -> Result<()> {
    let mut rows = rows.into_iter();
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH_MAX).collect();
        if batch.is_empty() {
            return Ok(());
        }
        Row::Entity::insert_many(batch).exec_without_returning(tx).await?;
    }
}
