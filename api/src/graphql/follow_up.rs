//! Follow-ups: work for people.

use async_graphql::{Context, Enum, Error, ID, InputObject, Object, SimpleObject};
use domain::error::Error as DomainError;
use domain::follow_up::find;
use domain::follow_up::next::ORDER;
use domain::follow_up::place::{self, Facts};
use domain::viewer::Viewer;
use entity::follow_up::{self, Column, FollowUpState as State};
use entity::id::{LeadId, StaffId, TeamId};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::ask::Ask;
use super::checklist::{self, FollowUpChecklist};
use super::children::Children;
use super::directory::{self, Staff, Team};
use super::errors::{Told, bad_argument};
use super::id::{id, read, read_list};
use super::lead::{self, Lead};
use super::page::{Connection, Order, PageArgs, cost, page, page_of_pieces};
use super::scalars::DateTime;
use super::script::{self, IntakeScript};
use super::vocabulary::{FollowUpKind, FollowUpState};

/// The work list, in the order in which it is to be done.
const WORK: Order<follow_up::Entity> = Order {
    name: "work list",
    columns: &ORDER,
    descending: false,
};

/// The follow-ups of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FollowUpsOfLead;

impl Children for FollowUpsOfLead {
    type Entity = follow_up::Entity;
    type Parent = LeadId;

    const PARENT: Column = Column::LeadId;
    const ORDER: Order<follow_up::Entity> = Order {
        name: "follow-ups of a lead",
        columns: &[Column::Id],
        descending: true,
    };

    fn seen_by(viewer: &Viewer) -> Condition {
        find::in_scope(viewer)
    }
}

/// Work for a human, with a due time.
#[derive(Clone, Debug)]
pub struct FollowUp(pub follow_up::Model);

/// Work for a human, with a due time.
#[Object]
impl FollowUp {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The lead that it is about; null when only the work is yours and not the lead.
    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<Lead>, Error> {
        lead::lead(Ask::of(ctx), Some(self.0.lead_id)).await
    }

    /// The team it is for.
    async fn team(&self, ctx: &Context<'_>) -> Result<Team, Error> {
        let ask = Ask::of(ctx);
        let team = directory::team(ask, Some(self.0.team_id)).await?;
        team.ok_or(DomainError::Missing { noun: "team" }).told(ask)
    }

    /// The person it is for; null means anybody of the team.
    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), self.0.assignee_id).await
    }

    /// What it is.
    async fn kind(&self) -> FollowUpKind {
        self.0.kind.into()
    }

    /// What is to be done, without personal data.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Where it stands.
    async fn state(&self) -> FollowUpState {
        self.0.state.into()
    }

    /// Whether it goes first.
    async fn urgent(&self) -> bool {
        self.0.urgent
    }

    /// When it is due.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }

    /// Whether it is open and its due time has passed, as of now.
    async fn late(&self, ctx: &Context<'_>) -> bool {
        self.0.state == State::Open && self.0.due_at <= Ask::of(ctx).now()
    }

    /// Where it stands in the work list and why, as of now; null when it is not open.
    async fn place(&self, ctx: &Context<'_>) -> Option<FollowUpPlace> {
        (self.0.state == State::Open).then(|| FollowUpPlace::of(&self.0, Ask::of(ctx).now()))
    }

    /// Who has it in hand; null when nobody has.
    async fn in_hand(&self, ctx: &Context<'_>) -> Option<InHand> {
        let (by, until) = self.0.taken_by_id.zip(self.0.taken_until)?;
        (until > Ask::of(ctx).now()).then_some(InHand { by, until })
    }

    /// What is to be asked or done on the way, and what of it is done; null when there is no list for it.
    async fn checklist(&self, ctx: &Context<'_>) -> Result<Option<FollowUpChecklist>, Error> {
        checklist::of(Ask::of(ctx), &self.0).await
    }

    /// What to ask, say and not say, and what was answered; null when there is no script for its lead. When only the work
    /// is yours and not the lead, the answers are left out.
    async fn script(&self, ctx: &Context<'_>) -> Result<Option<IntakeScript>, Error> {
        let (ask, lead_id) = (Ask::of(ctx), self.0.lead_id);
        let may_see = lead::lead(ask, Some(lead_id)).await?.is_some();
        script::of(ask, lead_id, may_see).await
    }

    /// When the assignee will be reminded.
    async fn remind_at(&self) -> Option<DateTime> {
        self.0.remind_at.map(Into::into)
    }

    /// How often it was put off.
    async fn snoozed_count(&self) -> i32 {
        self.0.snoozed_count
    }

    /// What came of it, in the coordinator's words.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// Rises with every change; send it back with an update.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was opened.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was done or cancelled.
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(Into::into)
    }
}

/// Where a follow-up stands in the work list, and why.
#[derive(SimpleObject, Clone, Debug)]
pub struct FollowUpPlace {
    /// The part of the list: 0 urgent, 1 late, 2 due soon, 3 open work by the lead's score, 4 not yet. Within a part the
    /// due time counts.
    rank: i32,
    /// Why, the one that decides first.
    reasons: Vec<PlaceReason>,
    /// The same as a sentence, without personal data: "Late by 35 min."
    says: String,
}

impl FollowUpPlace {
    fn of(row: &follow_up::Model, now: chrono::DateTime<chrono::Utc>) -> Self {
        let explained = place::explain(&Facts::of(row), now);
        Self {
            rank: explained.rank as i32,
            reasons: explained.reasons.into_iter().map(Into::into).collect(),
            says: explained.says,
        }
    }
}

/// Why a follow-up stands where it stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "place::Reason")]
pub enum PlaceReason {
    /// It goes first.
    Urgent,
    /// Its due time has passed.
    Late,
    /// Its due time is near.
    DueSoon,
    /// The lead's score.
    Score,
    /// Its time has not come: it is for a later time, or was put off.
    NotYet,
}

/// Who has a follow-up in hand.
#[derive(Clone, Debug)]
pub struct InHand {
    by: StaffId,
    until: chrono::DateTime<chrono::Utc>,
}

/// Who has a follow-up in hand.
#[Object]
impl InHand {
    /// The person whom it was given to as the next one.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Staff>, Error> {
        directory::staff(Ask::of(ctx), Some(self.by)).await
    }

    /// When it is free again by itself.
    async fn until(&self) -> DateTime {
        self.until.into()
    }
}

/// Which follow-ups are wanted. Every field that is given must hold; within a list one is enough.
#[derive(InputObject, Clone, Debug, Default)]
pub struct FollowUpFilter {
    /// In one of these states; open ones unless said otherwise.
    states: Option<Vec<FollowUpState>>,
    /// Given to me, or to one of my teams and nobody yet.
    mine: Option<bool>,
    /// For one of these teams.
    team_ids: Option<Vec<ID>>,
    /// Given to one of these people.
    assignee_ids: Option<Vec<ID>>,
    /// Of one of these kinds.
    kinds: Option<Vec<FollowUpKind>>,
    /// Due before this instant.
    due_before: Option<DateTime>,
    /// About this lead.
    lead_id: Option<ID>,
}

impl FollowUpFilter {
    /// The filter as a condition on follow-ups. A subscription tells of every state unless the filter names some,
    /// because that something is done is news; a list has only open ones.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field that cannot be used.
    pub fn condition(
        &self,
        viewer: &Viewer,
        states_by_default: &[FollowUpState],
    ) -> Result<Condition, Error> {
        let states = self.states.as_deref().unwrap_or(states_by_default);
        let states = (!states.is_empty()).then(|| states.iter().map(|state| State::from(*state)));
        let kinds = self.kinds.as_ref();
        let kinds = kinds.map(|kinds| kinds.iter().map(|kind| follow_up::FollowUpKind::from(*kind)));
        let teams = read_list::<TeamId>("filter.teamIds", self.team_ids.as_deref())?;
        let assignees = read_list::<StaffId>("filter.assigneeIds", self.assignee_ids.as_deref())?;
        let lead = self
            .lead_id
            .as_ref()
            .map(|id| read::<LeadId>("filter.leadId", id))
            .transpose()?;
        Ok(Condition::all()
            .add_option(states.map(|states| Column::State.is_in(states)))
            .add_option(mine(self.mine, viewer)?)
            .add_option(teams.map(|teams| Column::TeamId.is_in(teams)))
            .add_option(assignees.map(|people| Column::AssigneeId.is_in(people)))
            .add_option(kinds.map(|kinds| Column::Kind.is_in(kinds)))
            .add_option(self.due_before.map(|at| Column::DueAt.lt(at.0)))
            .add_option(lead.map(|lead| Column::LeadId.eq(lead))))
    }
}

fn mine(wanted: Option<bool>, viewer: &Viewer) -> Result<Option<Condition>, Error> {
    match (wanted, viewer) {
        (Some(true), Viewer::Staff { id, teams, .. }) => {
            let free = Condition::all()
                .add(Column::AssigneeId.is_null())
                .add(Column::TeamId.is_in(teams.clone()));
            Ok(Some(Condition::any().add(Column::AssigneeId.eq(*id)).add(free)))
        }
        (Some(true), _) => Err(bad_argument(
            "filter.mine",
            "Only a member of staff has work of their own.",
        )),
        (Some(false) | None, _) => Ok(None),
    }
}

/// What the list is put together of, so that an index gives each piece in order. None when it is one piece.
fn pieces(mine: Option<bool>, viewer: &Viewer) -> Option<Vec<Condition>> {
    match (mine, viewer) {
        (Some(true), Viewer::Staff { id, teams, .. }) => Some(find::pieces_of_work(*id, teams)),
        _ => find::pieces_of_scope(viewer),
    }
}

/// Reads of follow-ups.
#[derive(Default)]
pub struct FollowUpQuery;

/// Reads of follow-ups.
#[Object]
impl FollowUpQuery {
    /// The work list: urgent first, then late, then due soon, then open work by the lead's score, and last what is for a
    /// later time. Open ones unless the filter says otherwise.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start, 0 to 100; 25 unless said otherwise.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which follow-ups.")] filter: Option<FollowUpFilter>,
    ) -> Result<Connection<FollowUp>, Error> {
        let ask = Ask::of(ctx);
        let filter = filter.unwrap_or_default();
        let wanted = filter.condition(ask.viewer(), &[FollowUpState::Open])?;
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let select = find::visible_to(ask.viewer()).filter(wanted);
        match pieces(filter.mine, ask.viewer()) {
            Some(pieces) => page_of_pieces(ask, select, pieces, &WORK, args, FollowUp).await,
            None => page(ask, select, &WORK, args, FollowUp).await,
        }
    }
}
