//! The checklist of a follow-up: which one it has, and what of it is done.

use entity::checklist::Model as Checklist;
use entity::enums::LeadType;
use entity::follow_up::{FollowUpKind, Model};
use entity::follow_up_check::{ActiveModel, Column, Entity};
use entity::id::{FollowUpId, ServiceLineId};
use entity::lead;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::change::{Changes, Wanted, changed_event, commit_beside, only};
use crate::done::Done;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::lead::kinship::fit;
use crate::playbook::Playbook;
use crate::viewer::Viewer;

#[cfg(test)]
mod tests;

/// A thing of a follow-up's checklist that is done, or is not after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckItem {
    /// The follow-up.
    pub id: FollowUpId,
    /// The key of the thing.
    pub item: String,
    /// Whether it is done.
    pub done: bool,
}

/// The checklist of a follow-up: its template's; the first contact has that of the lead's line and type.
pub fn of<'a>(
    playbook: &'a Playbook,
    row: &Model,
    lead_type: LeadType,
    line: Option<ServiceLineId>,
) -> Option<&'a Checklist> {
    if let Some(template) = row.template_id {
        let template = playbook
            .follow_up_templates
            .values()
            .find(|row| row.id == template)?;
        return playbook.checklists.get(&template.checklist_id?);
    }
    if row.kind != FollowUpKind::FirstContact {
        return None;
    }
    of_lead(playbook.checklists.values(), lead_type, line)
}

/// The one that fits a lead best: it names the line before it names the type; of equals the first by its key.
fn of_lead<'a>(
    lists: impl Iterator<Item = &'a Checklist>,
    lead_type: LeadType,
    line: Option<ServiceLineId>,
) -> Option<&'a Checklist> {
    let named = |list: &Checklist| {
        // One that names neither is for templates.
        fit(&list.lead_types.0, &list.service_lines.0, lead_type, line).filter(|how| *how != (false, false))
    };
    lists
        .filter_map(|list| Some((named(list)?, list)))
        .max_by_key(|(named, list)| (*named, std::cmp::Reverse(&list.key)))
        .map(|(_, list)| list)
}

/// Marks a thing of the checklist of an open follow-up as done, or takes that back. Doing so twice changes nothing.
///
/// # Errors
/// When the follow-up is not visible or not open, its checklist has no such thing, or the database fails.
pub async fn check_item(h: &Hospital, viewer: &Viewer, input: CheckItem) -> Result<Done<Model>> {
    let playbook = h.playbook().await?;
    let wanted = Wanted {
        id: input.id,
        version: None,
    };
    let changes = Changes::begin(h, viewer, &[wanted]).await?;
    let (actor, now) = (changes.actor, changes.now);
    let Some(row) = changes.held().cloned() else {
        return only(
            changes
                .commit(|row| changed_event(row, "CHECKED", actor, now), Vec::new())
                .await?,
        );
    };
    let lead = lead::Entity::find_by_id(row.lead_id)
        .one(&changes.tx)
        .await?
        .ok_or_else(|| Error::fault("a follow-up has no lead"))?;
    let list = of(&playbook, &row, lead.lead_type, lead.service_line_id);
    if !list.is_some_and(|list| list.items.0.iter().any(|item| item.key == input.item)) {
        let message = "The follow-up's checklist has no such item.";
        return Err(Error::refused(Code::NotFound, "item", message));
    }
    let changed = if input.done {
        tick(&changes, &row, &input.item, viewer).await?
    } else {
        untick(&changes.tx, row.id, &input.item).await?
    };
    if !changed {
        return Ok(Done::quiet(row));
    }
    let word = if input.done { "CHECKED" } else { "UNCHECKED" };
    let event = changed_event(&row, word, actor, now).with("item", input.item);
    commit_beside(changes, row, event).await
}

/// Answers whether it was not done before.
async fn tick(changes: &Changes, row: &Model, item: &str, viewer: &Viewer) -> Result<bool> {
    let row = ActiveModel {
        follow_up_id: Set(row.id),
        item: Set(item.to_owned()),
        done_at: Set(changes.now),
        done_by_id: Set(viewer.staff_id()),
    };
    let done_before = OnConflict::columns([Column::FollowUpId, Column::Item])
        .do_nothing()
        .to_owned();
    let inserted = Entity::insert(row)
        .on_conflict(done_before)
        .exec_without_returning(&changes.tx)
        .await?;
    Ok(inserted > 0)
}

/// Answers whether it was done before.
async fn untick(tx: &DatabaseTransaction, id: FollowUpId, item: &str) -> Result<bool> {
    let gone = Entity::delete_many()
        .filter(Column::FollowUpId.eq(id))
        .filter(Column::Item.eq(item))
        .exec(tx)
        .await?;
    Ok(gone.rows_affected > 0)
}
