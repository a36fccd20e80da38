//! How many a mailing would reach, and what one of them would read. Nothing is planned.

use entity::id::{LeadId, TemplateId};
use entity::mailing::Audience;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, Value};

use super::audience::{self, condition, first_lead, place};
use crate::db;
use crate::error::{Code, Error, Result};
use crate::hospital::Hospital;
use crate::outreach::template::{Rendered, Renderer, sample};
use crate::outreach::template_preview;
use crate::viewer::{Scope, Viewer};

/// Leads that a preview looks at, the newest first. With more than that its numbers are "at least".
pub const LOOKED_AT_MAX: i64 = 20_000;

/// A mailing that is only asked about.
#[derive(Clone, Debug)]
pub struct PreviewMailing {
    /// The text.
    pub template_id: TemplateId,
    /// Whom it would be for.
    pub audience: Audience,
}

/// What a mailing would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Leads of the audience among those that were looked at.
    pub leads: i64,
    /// Their contacts, each of whom would get one mail. The gate may still withhold it.
    pub contacts: i64,
    /// Whether there are older leads that were not looked at, so that it may be more.
    pub at_least: bool,
    /// The newest of these leads, if the viewer may see every lead and there is one.
    pub lead_id: Option<LeadId>,
    /// What the contact of that lead would read, else a made-up person.
    pub mail: Rendered,
}

/// Counts the audience, and fills the text in for the newest of its leads. That somebody looked at a person's mail is
/// written down, as by every preview.
///
/// # Errors
/// [`Error::Missing`] for a viewer without a role; [`Error::Refused`] when the audience or the template is none.
pub async fn preview(h: &Hospital, viewer: &Viewer, input: PreviewMailing) -> Result<Preview> {
    if viewer.role().is_none() {
        return Err(Error::Missing { noun: "mailing" });
    }
    let playbook = h.playbook().await?;
    let (audience, refusals) = audience::read(input.audience, &playbook);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let version = playbook
        .template_current
        .get(&input.template_id)
        .and_then(|id| playbook.template_versions.get(id))
        .ok_or_else(|| Error::refused(Code::NotFound, "templateId", "There is no such template."))?;
    let tx = db::begin_read(&h.db).await?;
    let (leads, contacts, newest) = counted(&tx, &audience).await?;
    let at_least = has_more(&tx, &audience).await?;
    tx.commit().await?;
    let lead_id = newest.filter(|_| viewer.scope() == Scope::All);
    let mail = match lead_id {
        Some(lead) => template_preview::preview(h, viewer, version.id, lead, None).await?,
        None => {
            let body = version
                .body(&version.default_language)
                .ok_or(Error::Missing { noun: "template" })?;
            let filled = Renderer::default().render_body(body, &sample::everything_known());
            filled.map_err(|fault| {
                let message = format!("It cannot be filled in: {fault}.");
                Error::refused(Code::Invalid, "templateId", message)
            })?
        }
    };
    Ok(Preview {
        leads,
        contacts,
        at_least,
        lead_id,
        mail,
    })
}

/// The newest leads, at most so many, with all that an audience asks of them, as SQL. They are read once, by their key:
/// joined with the table again, PostgreSQL would rather read all of it.
fn newest(audience: &Audience, limit: i64, values: &mut Vec<Value>) -> String {
    let begins =
        first_lead(audience.received_from).map(|id| format!(" WHERE id >= {}", place(values, id.into())));
    let limit = place(values, limit.into());
    format!(
        "SELECT id, contact_id, lead_type, stage, service_line_id, facility_id, channel, received_at, erased_at, \
         unfinished_at \
         FROM lead{} ORDER BY id DESC LIMIT {limit}",
        begins.unwrap_or_default()
    )
}

/// Leads, contacts, and the newest lead of the audience.
async fn counted(tx: &DatabaseTransaction, audience: &Audience) -> Result<(i64, i64, Option<LeadId>)> {
    let mut values = Vec::new();
    let newest = newest(audience, LOOKED_AT_MAX, &mut values);
    let whose = condition(audience, &mut values);
    let matching = format!("FROM ({newest}) AS lead WHERE {whose}");
    let backend = tx.get_database_backend();
    let sql = format!("SELECT count(*), count(DISTINCT lead.contact_id) {matching}");
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(backend, sql, values.clone()))
        .await?;
    let (leads, contacts) = match row {
        Some(row) => (row.try_get_by_index(0)?, row.try_get_by_index(1)?),
        None => (0, 0),
    };
    let sql = format!("SELECT lead.id {matching} ORDER BY lead.id DESC LIMIT 1");
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    let newest = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok((leads, contacts, newest))
}

/// Whether there are more leads than are looked at.
async fn has_more(tx: &DatabaseTransaction, audience: &Audience) -> Result<bool> {
    let mut values = Vec::new();
    let newest = newest(audience, LOOKED_AT_MAX + 1, &mut values);
    let sql = format!("SELECT count(*) FROM ({newest}) AS newest");
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(found > LOOKED_AT_MAX)
}
