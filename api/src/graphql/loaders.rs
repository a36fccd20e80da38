//! Loads rows by id, many at a time: whatever the fields of a page want is read in one statement a table.
//!
//! What is in the playbook (service lines, facilities, teams, active staff, campaigns, placements, wordings) is taken
//! from there instead and costs no statement. Rows reached from a row that the viewer may see need no scope of their own;
//! leads and contacts that are named from elsewhere are loaded through the viewer's scope.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::outreach::mailing::count::{Progress, progress_of};
use domain::viewer::Viewer;
use entity::enums::LeadType;
use entity::id::{
    AppointmentId, AttemptId, AuditRubricId, CampaignId, ConsentEventId, ConsentWordingId, ContactId,
    DepartmentId, EnrollmentId, FollowUpId, FormId, LeadEventId, LeadId, MailingId, MessageId, PlacementId,
    SequenceId, SequenceVersionId, ServiceLineId, StaffId, TemplateId, TemplateVersionId, TokenId,
};
use entity::{
    appointment, attempt, audit_rubric, campaign, campaign_service_line, campaign_spend, captured_mail,
    consent_event, consent_seal, consent_wording, contact, contact_line_preference, contact_preference,
    department, enrollment, follow_up, follow_up_check, form, lead, lead_event, mailing, message, placement,
    script_answer, sequence, sequence_version, sla_pause, staff, staff_absence, template, template_version,
    token,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Loads for one request.
pub struct Rows {
    /// The database.
    pub db: DatabaseConnection,
    /// Who asks.
    pub viewer: Viewer,
}

/// Loads rows by their ids.
macro_rules! by_id {
    ($($id:ty => $table:ident),+ $(,)?) => {$(
        impl Loader<$id> for Rows {
            type Value = $table::Model;
            type Error = Arc<DbErr>;

            async fn load(&self, ids: &[$id]) -> Result<HashMap<$id, Self::Value>, Self::Error> {
                let wanted = $table::Column::Id.is_in(ids.iter().copied());
                let rows = $table::Entity::find().filter(wanted).all(&self.db).await?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    )+};
}

by_id! {
    AppointmentId => appointment,
    AttemptId => attempt,
    AuditRubricId => audit_rubric,
    CampaignId => campaign,
    ConsentEventId => consent_event,
    ConsentWordingId => consent_wording,
    DepartmentId => department,
    EnrollmentId => enrollment,
    FollowUpId => follow_up,
    FormId => form,
    LeadEventId => lead_event,
    MailingId => mailing,
    MessageId => message,
    PlacementId => placement,
    SequenceId => sequence,
    SequenceVersionId => sequence_version,
    StaffId => staff,
    TemplateId => template,
    TemplateVersionId => template_version,
    TokenId => token,
}

/// Leads, as far as the viewer may see them.
impl Loader<LeadId> for Rows {
    type Value = lead::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, ids: &[LeadId]) -> Result<HashMap<LeadId, Self::Value>, Self::Error> {
        let wanted = lead::Column::Id.is_in(ids.iter().copied());
        let rows = domain::lead::find::visible_to(&self.viewer)
            .filter(wanted)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// What of the checklists of follow-ups is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChecksOf(pub FollowUpId);

impl Loader<ChecksOf> for Rows {
    type Value = Vec<follow_up_check::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, ids: &[ChecksOf]) -> Result<HashMap<ChecksOf, Self::Value>, Self::Error> {
        let wanted = follow_up_check::Column::FollowUpId.is_in(ids.iter().map(|id| id.0));
        let rows = follow_up_check::Entity::find()
            .filter(wanted)
            .all(&self.db)
            .await?;
        let mut found: HashMap<ChecksOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(ChecksOf(row.follow_up_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// What was answered to the questions of scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScriptAnswersOf(pub LeadId);

impl Loader<ScriptAnswersOf> for Rows {
    type Value = Vec<script_answer::Model>;
    type Error = Arc<DbErr>;

    async fn load(
        &self,
        ids: &[ScriptAnswersOf],
    ) -> Result<HashMap<ScriptAnswersOf, Self::Value>, Self::Error> {
        let wanted = script_answer::Column::LeadId.is_in(ids.iter().map(|id| id.0));
        let rows = script_answer::Entity::find().filter(wanted).all(&self.db).await?;
        let mut found: HashMap<ScriptAnswersOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(ScriptAnswersOf(row.lead_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// What decides which checklist and script a lead has. It says no more of the lead than the follow-up does,
/// so whoever sees the one sees the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskedFor(pub LeadId);

impl Loader<AskedFor> for Rows {
    type Value = (LeadType, Option<ServiceLineId>);
    type Error = Arc<DbErr>;

    async fn load(&self, ids: &[AskedFor]) -> Result<HashMap<AskedFor, Self::Value>, Self::Error> {
        let rows: Vec<(LeadId, LeadType, Option<ServiceLineId>)> = lead::Entity::find()
            .select_only()
            .columns([
                lead::Column::Id,
                lead::Column::LeadType,
                lead::Column::ServiceLineId,
            ])
            .filter(lead::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, lead_type, line)| (AskedFor(id), (lead_type, line)))
            .collect())
    }
}

/// Contacts, which many leads of a page may share.
impl Loader<ContactId> for Rows {
    type Value = Arc<contact::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, ids: &[ContactId]) -> Result<HashMap<ContactId, Self::Value>, Self::Error> {
        let wanted = contact::Column::Id.is_in(ids.iter().copied());
        let rows = contact::Entity::find().filter(wanted).all(&self.db).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
}

/// A contact that is not reached from one of its leads: loaded only if the viewer may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VisibleContact(pub ContactId);

impl Loader<VisibleContact> for Rows {
    type Value = Arc<contact::Model>;
    type Error = Arc<DbErr>;

    async fn load(
        &self,
        ids: &[VisibleContact],
    ) -> Result<HashMap<VisibleContact, Self::Value>, Self::Error> {
        let wanted = contact::Column::Id.is_in(ids.iter().map(|id| id.0));
        let rows = domain::contact::find::visible_to(&self.viewer)
            .filter(wanted)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (VisibleContact(row.id), Arc::new(row)))
            .collect())
    }
}

/// The next booked appointment of a lead; of past ones the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BookedFor(pub LeadId);

impl Loader<BookedFor> for Rows {
    type Value = appointment::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, leads: &[BookedFor]) -> Result<HashMap<BookedFor, Self::Value>, Self::Error> {
        // A lead has one booked appointment at a time: a new one calls off the one before.
        let rows = appointment::Entity::find()
            .filter(appointment::Column::LeadId.is_in(leads.iter().map(|lead| lead.0)))
            .filter(appointment::Column::State.eq(appointment::AppointmentState::Booked))
            .order_by_asc(appointment::Column::StartsAt)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (BookedFor(row.lead_id), row))
            .collect())
    }
}

/// The pause of a lead's clock whose end has not been written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PauseOf(pub LeadId);

impl Loader<PauseOf> for Rows {
    type Value = sla_pause::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, leads: &[PauseOf]) -> Result<HashMap<PauseOf, Self::Value>, Self::Error> {
        let rows = sla_pause::Entity::find()
            .filter(sla_pause::Column::LeadId.is_in(leads.iter().map(|lead| lead.0)))
            .filter(sla_pause::Column::EndedAt.is_null())
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(|row| (PauseOf(row.lead_id), row)).collect())
    }
}

/// When a member of staff is away, by its first instant. What was long ago is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AbsencesOf(pub StaffId);

impl Loader<AbsencesOf> for Rows {
    type Value = Vec<staff_absence::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, staff: &[AbsencesOf]) -> Result<HashMap<AbsencesOf, Self::Value>, Self::Error> {
        let rows = staff_absence::Entity::find()
            .filter(staff_absence::Column::StaffId.is_in(staff.iter().map(|staff| staff.0)))
            .order_by_asc(staff_absence::Column::StartsAt)
            .order_by_asc(staff_absence::Column::Id)
            .all(&self.db)
            .await?;
        let mut found: HashMap<AbsencesOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(AbsencesOf(row.staff_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// What a campaign has cost so far, in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpendOf(pub CampaignId);

impl Loader<SpendOf> for Rows {
    type Value = i64;
    type Error = Arc<DbErr>;

    async fn load(&self, campaigns: &[SpendOf]) -> Result<HashMap<SpendOf, i64>, Self::Error> {
        // Both databases answer a sum of whole numbers in a type of their own; added here it is what it was stored as.
        let rows: Vec<(CampaignId, i64)> = campaign_spend::Entity::find()
            .select_only()
            .column(campaign_spend::Column::CampaignId)
            .column(campaign_spend::Column::AmountMinor)
            .filter(campaign_spend::Column::CampaignId.is_in(campaigns.iter().map(|campaign| campaign.0)))
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut spend = HashMap::with_capacity(campaigns.len());
        for (campaign, amount) in rows {
            *spend.entry(SpendOf(campaign)).or_insert(0) += amount;
        }
        Ok(spend)
    }
}

/// The service lines that a campaign promotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinesOf(pub CampaignId);

impl Loader<LinesOf> for Rows {
    type Value = Vec<ServiceLineId>;
    type Error = Arc<DbErr>;

    async fn load(&self, campaigns: &[LinesOf]) -> Result<HashMap<LinesOf, Self::Value>, Self::Error> {
        let wanted =
            campaign_service_line::Column::CampaignId.is_in(campaigns.iter().map(|campaign| campaign.0));
        let rows = campaign_service_line::Entity::find()
            .filter(wanted)
            .all(&self.db)
            .await?;
        let mut lines: HashMap<LinesOf, Vec<ServiceLineId>> = HashMap::with_capacity(campaigns.len());
        for row in rows {
            lines
                .entry(LinesOf(row.campaign_id))
                .or_default()
                .push(row.service_line_id);
        }
        Ok(lines)
    }
}

/// How far a mailing has come; none for a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProgressOf(pub MailingId);

impl Loader<ProgressOf> for Rows {
    type Value = Progress;
    type Error = Arc<DbErr>;

    async fn load(&self, mailings: &[ProgressOf]) -> Result<HashMap<ProgressOf, Progress>, Self::Error> {
        let ids: Vec<MailingId> = mailings.iter().map(|mailing| mailing.0).collect();
        let found = progress_of(&self.db, &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, row)| (ProgressOf(id), row)).collect())
    }
}

/// All consent events of a contact, which have to be folded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConsentOf(pub ContactId);

impl Loader<ConsentOf> for Rows {
    type Value = Arc<Vec<consent_event::Model>>;
    type Error = Arc<DbErr>;

    async fn load(&self, contacts: &[ConsentOf]) -> Result<HashMap<ConsentOf, Self::Value>, Self::Error> {
        let wanted = consent_event::Column::ContactId.is_in(contacts.iter().map(|contact| contact.0));
        let rows = consent_event::Entity::find().filter(wanted).all(&self.db).await?;
        let mut events: HashMap<ConsentOf, Vec<consent_event::Model>> =
            HashMap::with_capacity(contacts.len());
        for row in rows {
            events.entry(ConsentOf(row.contact_id)).or_default().push(row);
        }
        Ok(events
            .into_iter()
            .map(|(contact, events)| (contact, Arc::new(events)))
            .collect())
    }
}

/// How often and until when not a contact wants to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WishesOf(pub ContactId);

impl Loader<WishesOf> for Rows {
    type Value = contact_preference::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, contacts: &[WishesOf]) -> Result<HashMap<WishesOf, Self::Value>, Self::Error> {
        let wanted = contact_preference::Column::ContactId.is_in(contacts.iter().map(|contact| contact.0));
        let rows = contact_preference::Entity::find()
            .filter(wanted)
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (WishesOf(row.contact_id), row))
            .collect())
    }
}

/// The place of a consent event in the chain of hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealOf(pub ConsentEventId);

impl Loader<SealOf> for Rows {
    type Value = Arc<consent_seal::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, events: &[SealOf]) -> Result<HashMap<SealOf, Self::Value>, Self::Error> {
        let wanted = consent_seal::Column::EventId.is_in(events.iter().map(|event| event.0));
        let rows = consent_seal::Entity::find().filter(wanted).all(&self.db).await?;
        Ok(rows
            .into_iter()
            .map(|row| (SealOf(row.event_id), Arc::new(row)))
            .collect())
    }
}

/// What a contact said about service lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineWishesOf(pub ContactId);

impl Loader<LineWishesOf> for Rows {
    type Value = Vec<contact_line_preference::Model>;
    type Error = Arc<DbErr>;

    async fn load(
        &self,
        contacts: &[LineWishesOf],
    ) -> Result<HashMap<LineWishesOf, Self::Value>, Self::Error> {
        let of_these = contact_line_preference::Column::ContactId;
        // There is at most one row a service line, of which a hospital has a few dozen.
        let rows = contact_line_preference::Entity::find()
            .filter(of_these.is_in(contacts.iter().map(|contact| contact.0)))
            .order_by_asc(contact_line_preference::Column::ServiceLineId)
            .all(&self.db)
            .await?;
        let mut wishes: HashMap<LineWishesOf, Self::Value> = HashMap::with_capacity(contacts.len());
        for row in rows {
            wishes.entry(LineWishesOf(row.contact_id)).or_default().push(row);
        }
        Ok(wishes)
    }
}

/// The version of a template that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CurrentOf(pub TemplateId);

impl Loader<CurrentOf> for Rows {
    type Value = template_version::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, templates: &[CurrentOf]) -> Result<HashMap<CurrentOf, Self::Value>, Self::Error> {
        let wanted = template_version::Column::TemplateId.is_in(templates.iter().map(|template| template.0));
        let rows = template_version::Entity::find()
            .filter(wanted)
            .filter(Expr::cust(template_version::COUNTS))
            .all(&self.db)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (CurrentOf(row.template_id), row))
            .collect())
    }
}

/// The captured mail of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CapturedOf(pub MessageId);

impl Loader<CapturedOf> for Rows {
    type Value = Arc<captured_mail::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, messages: &[CapturedOf]) -> Result<HashMap<CapturedOf, Self::Value>, Self::Error> {
        let wanted = captured_mail::Column::MessageId.is_in(messages.iter().map(|message| message.0));
        let rows = captured_mail::Entity::find().filter(wanted).all(&self.db).await?;
        Ok(rows
            .into_iter()
            .map(|row| (CapturedOf(row.message_id), Arc::new(row)))
            .collect())
    }
}
