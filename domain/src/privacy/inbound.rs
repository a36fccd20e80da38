//! What came back about a contact's mails: emptied when the contact is erased, and told of when it is exported.

use entity::enums::Medium;
use entity::id::{ContactId, InboundMailId};
use entity::{inbound_mail, inbound_party};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};
use serde_json::{Value, json};

use crate::error::Result;
use crate::hospital::Hospital;

/// Most rows of an export.
const ROWS_MAX: u64 = 1_000;

/// Takes the bytes of what came back about these contacts or addresses away. That it came stays.
pub(super) async fn erase(
    tx: &DatabaseTransaction,
    h: &Hospital,
    ids: &[ContactId],
    addresses: &[String],
) -> Result<()> {
    inbound_mail::Entity::update_many()
        .col_expr(inbound_mail::Column::Raw, Expr::value(None::<Vec<u8>>))
        .filter(inbound_mail::Column::Id.in_subquery(about(h, ids, addresses).into_query()))
        .exec(tx)
        .await?;
    Ok(())
}

/// What came back about a contact. Its bytes are left out where other people stand in them too.
pub(super) async fn export(
    tx: &DatabaseTransaction,
    h: &Hospital,
    id: ContactId,
    address: Option<&str>,
) -> Result<Vec<Value>> {
    let addresses: Vec<String> = address.into_iter().map(str::to_owned).collect();
    let rows = inbound_mail::Entity::find()
        .filter(inbound_mail::Column::Id.in_subquery(about(h, &[id], &addresses).into_query()))
        .order_by_asc(inbound_mail::Column::Id)
        .limit(ROWS_MAX)
        .all(tx)
        .await?;
    let own: Vec<Vec<u8>> = hashes(h, &addresses);
    let strangers = inbound_party::Entity::find()
        .select_only()
        .column(inbound_party::Column::InboundId)
        .filter(inbound_party::Column::InboundId.is_in(rows.iter().map(|row| row.id)))
        .filter(
            Condition::any()
                .add(inbound_party::Column::ContactId.ne(id))
                .add(inbound_party::Column::AddressHash.is_not_in(own)),
        );
    let shared: Vec<InboundMailId> = strangers.into_tuple().all(tx).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let raw = row.raw.as_deref().filter(|_| !shared.contains(&row.id));
            json!({
                "source": row.source, "kind": row.kind, "state": row.state, "receivedAt": row.received_at,
                "mail": raw.map(String::from_utf8_lossy),
            })
        })
        .collect())
}

fn about(h: &Hospital, ids: &[ContactId], addresses: &[String]) -> Select<inbound_party::Entity> {
    let hashes = hashes(h, addresses);
    inbound_party::Entity::find()
        .select_only()
        .column(inbound_party::Column::InboundId)
        .filter(
            Condition::any()
                .add(inbound_party::Column::ContactId.is_in(ids.iter().copied()))
                .add(inbound_party::Column::AddressHash.is_in(hashes)),
        )
}

fn hashes(h: &Hospital, addresses: &[String]) -> Vec<Vec<u8>> {
    let hash = |address: &String| h.secrets.address_hash(Medium::Email.as_str(), address).to_vec();
    addresses.iter().map(hash).collect()
}
