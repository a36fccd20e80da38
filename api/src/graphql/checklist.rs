//! Checklists of follow-ups, and the templates that follow-ups are opened from.

use async_graphql::{Context, Error, Object, SimpleObject};
use domain::follow_up::checklist;
use entity::checklist::Model as List;
use entity::follow_up;
use entity::follow_up_check::Model as Check;
use entity::id::StaffId;

use super::ask::Ask;
use super::directory::{self, Staff};
use super::loaders::{AskedFor, ChecksOf};
use super::scalars::DateTime;

/// What is to be asked or done while a follow-up is worked on.
#[derive(SimpleObject, Clone, Debug)]
pub struct FollowUpChecklist {
    /// The name that people read.
    name: String,
    /// What is on it, in order; at most 30.
    items: Vec<ChecklistItem>,
}

/// A thing of a checklist.
#[derive(Clone, Debug)]
pub struct ChecklistItem {
    key: String,
    label: String,
    done: Option<Check>,
}

/// A thing of a checklist.
#[Object]
impl ChecklistItem {
    /// Its name within the list, for `checkItem`.
    async fn key(&self) -> &str {
        &self.key
    }

    /// What people read.
    async fn label(&self) -> &str {
        &self.label
    }

    /// When it was done; null when it is not.
    async fn done_at(&self) -> Option<DateTime> {
        self.done.as_ref().map(|check| check.done_at.into())
    }

    /// Who did it; null when it is not done, or a program did it.
    async fn done_by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        let by: Option<StaffId> = self.done.as_ref().and_then(|check| check.done_by_id);
        directory::staff(Ask::of(ctx), by).await
    }
}

/// The checklist of a follow-up.
///
/// # Errors
/// When the database fails.
pub async fn of(ask: &Ask, row: &follow_up::Model) -> Result<Option<FollowUpChecklist>, Error> {
    let Some((lead_type, line)) = ask.load(AskedFor(row.lead_id)).await? else {
        return Ok(None);
    };
    let playbook = ask.playbook().await?;
    let Some(list) = checklist::of(&playbook, row, lead_type, line) else {
        return Ok(None);
    };
    let checks = ask.load(ChecksOf(row.id)).await?.unwrap_or_default();
    Ok(Some(filled(list, &checks)))
}

fn filled(list: &List, checks: &[Check]) -> FollowUpChecklist {
    let items = list.items.0.iter().map(|item| ChecklistItem {
        key: item.key.clone(),
        label: item.label.clone(),
        done: checks.iter().find(|check| check.item == item.key).cloned(),
    });
    FollowUpChecklist {
        name: list.name.clone(),
        items: items.collect(),
    }
}

/// Work that is opened by hand again and again.
#[derive(SimpleObject, Clone, Debug)]
pub struct FollowUpTemplate {
    /// Its name for `openFollowUp`.
    key: String,
    /// What is to be done.
    title: String,
    /// Business minutes until it is due.
    due_mins: i64,
}

/// Reads of templates of follow-ups.
#[derive(Default)]
pub struct ChecklistQuery;

/// Reads of templates of follow-ups.
#[Object]
impl ChecklistQuery {
    /// What follow-ups can be opened from, by title; at most 500.
    #[graphql(complexity = "30 * child_complexity")]
    async fn follow_up_templates(&self, ctx: &Context<'_>) -> Result<Vec<FollowUpTemplate>, Error> {
        let playbook = Ask::of(ctx).playbook().await?;
        let mut templates: Vec<_> = playbook
            .follow_up_templates
            .values()
            .map(|row| FollowUpTemplate {
                key: row.key.clone(),
                title: row.title.clone(),
                due_mins: row.due_mins,
            })
            .collect();
        templates.sort_by(|a, b| (&a.title, &a.key).cmp(&(&b.title, &b.key)));
        Ok(templates)
    }
}
