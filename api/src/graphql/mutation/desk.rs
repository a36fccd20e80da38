//! Work on many follow-ups: the next one, several at once, and all of a person.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::done::Done;
use domain::error::{Error as DomainError, Refusal};
use domain::follow_up::{self, Changed, Wanted};
use entity::id::{FollowUpId, StaffId};

use super::{Outcome, at_input, audited, missing, read_id, read_id_if_any};
use crate::graphql::ask::Ask;
use crate::graphql::errors::{Told, UserError, user_errors};
use crate::graphql::follow_up::FollowUp;
use crate::graphql::id::id;
use crate::graphql::scalars::DateTime;

type DomainResult<T> = domain::error::Result<T>;

/// Which follow-up is wanted next.
#[derive(InputObject)]
pub struct NextFollowUpInput {
    /// Only what is for this team of yours.
    team_id: Option<ID>,
    /// Not the one that you have in hand: it goes back to the list, and you are given what comes after it there.
    #[graphql(default)]
    skip: bool,
}

impl NextFollowUpInput {
    fn read(&self) -> DomainResult<follow_up::Next> {
        Ok(follow_up::Next {
            team_id: read_id_if_any("teamId", self.team_id.as_ref())?,
            skip: self.skip,
        })
    }
}

/// Follow-ups that are done.
#[derive(InputObject)]
pub struct CompleteFollowUpsInput {
    /// The follow-ups, 1 to 100, each once.
    follow_up_ids: Vec<ID>,
    /// What came of them, at most 2000 characters.
    outcome: Option<String>,
}

/// Follow-ups to put off.
#[derive(InputObject)]
pub struct SnoozeFollowUpsInput {
    /// The follow-ups, 1 to 100, each once.
    follow_up_ids: Vec<ID>,
    /// Their new due time: in the future, at most 90 days ahead.
    until: DateTime,
}

/// Follow-ups to give to a person.
#[derive(InputObject)]
pub struct AssignFollowUpsInput {
    /// The follow-ups, 1 to 100, each once.
    follow_up_ids: Vec<ID>,
    /// An active member of the follow-ups' teams.
    assignee_id: ID,
}

impl AssignFollowUpsInput {
    fn read(&self) -> DomainResult<(Vec<Wanted>, StaffId)> {
        Ok((
            wanted(&self.follow_up_ids)?,
            read_id("assigneeId", &self.assignee_id)?,
        ))
    }
}

fn wanted(ids: &[ID]) -> DomainResult<Vec<Wanted>> {
    let ids: DomainResult<Vec<FollowUpId>> = ids.iter().map(|id| read_id("followUpIds", id)).collect();
    follow_up::wanted(ids?)
}

/// A person's work to hand over.
#[derive(InputObject)]
pub struct HandOverFollowUpsInput {
    /// Whose work.
    from_id: ID,
    /// Who takes it: an active member of the team.
    to_id: ID,
    /// In which team.
    team_id: ID,
}

impl HandOverFollowUpsInput {
    fn read(&self) -> DomainResult<follow_up::HandOver> {
        Ok(follow_up::HandOver {
            from_id: read_id("fromId", &self.from_id)?,
            to_id: read_id("toId", &self.to_id)?,
            team_id: read_id("teamId", &self.team_id)?,
        })
    }
}

/// What came of asking for the next follow-up.
#[derive(SimpleObject)]
pub struct NextFollowUpPayload {
    /// The follow-up, which you have in hand now; null when there is nothing to do.
    follow_up: Option<FollowUp>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

/// What came of one of several follow-ups.
#[derive(SimpleObject)]
pub struct FollowUpResult {
    /// The id that was sent.
    id: ID,
    /// The follow-up after it.
    follow_up: Option<FollowUp>,
    /// Why nothing was done about this one; empty when it was.
    user_errors: Vec<UserError>,
}

payload!(
    /// What came of completing follow-ups.
    CompleteFollowUpsPayload {
        /// What came of each, in the order sent; null when nothing was done about any.
        results: Vec<FollowUpResult>
    }
);

payload!(
    /// What came of putting follow-ups off.
    SnoozeFollowUpsPayload {
        /// What came of each, in the order sent; null when nothing was done about any.
        results: Vec<FollowUpResult>
    }
);

payload!(
    /// What came of giving follow-ups to a person.
    AssignFollowUpsPayload {
        /// What came of each, in the order sent; null when nothing was done about any.
        results: Vec<FollowUpResult>
    }
);

/// What was handed over.
#[derive(SimpleObject)]
pub struct HandedOver {
    /// How many follow-ups, at most 500.
    follow_ups: i64,
    /// How many leads: those that the work is about and the one person owned.
    leads: i64,
    /// Whether there are more; send the same again to hand them over.
    more: bool,
}

payload!(
    /// What came of handing work over.
    HandOverFollowUpsPayload {
        /// What was handed over.
        handed_over: HandedOver
    }
);

/// Work on many follow-ups.
#[derive(Default)]
pub struct WorkListMutation;

/// Work on many follow-ups.
#[Object]
impl WorkListMutation {
    /// Gives you the first follow-up of the work list that is yours, or nobody's in one of your teams, and that nobody
    /// else has in hand. You have it in hand for 15 minutes: nobody else is given it, and you are given it again as long
    /// as it is open. It does not become yours by that.
    async fn next_follow_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: NextFollowUpInput,
    ) -> Result<NextFollowUpPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => follow_up::next(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let given = audited(ctx, "follow_up.next", done, |row| {
            row.as_ref()
                .map_or_else(|| "nothing".to_owned(), |row| row.id.to_string())
        })
        .await?;
        Ok(match given {
            Ok(row) => NextFollowUpPayload {
                follow_up: row.map(FollowUp),
                user_errors: Vec::new(),
            },
            Err(user_errors) => NextFollowUpPayload {
                follow_up: None,
                user_errors,
            },
        })
    }

    /// Marks open follow-ups as done, each or says why not.
    async fn complete_follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-ups.")] input: CompleteFollowUpsInput,
    ) -> Result<CompleteFollowUpsPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match wanted(&input.follow_up_ids) {
            Ok(wanted) => {
                follow_up::complete_all(&ask.api.hospital, ask.viewer(), &wanted, input.outcome).await
            }
            Err(error) => Err(error),
        };
        let results = results(ctx, "follow_up.complete", done).await?;
        Ok(CompleteFollowUpsPayload::of(results))
    }

    /// Puts open follow-ups off to one time, each or says why not.
    async fn snooze_follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-ups, and until when.")] input: SnoozeFollowUpsInput,
    ) -> Result<SnoozeFollowUpsPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match wanted(&input.follow_up_ids) {
            Ok(wanted) => {
                follow_up::snooze_all(&ask.api.hospital, ask.viewer(), &wanted, input.until.into()).await
            }
            Err(error) => Err(error),
        };
        let results = results(ctx, "follow_up.snooze", done).await?;
        Ok(SnoozeFollowUpsPayload::of(results))
    }

    /// Gives open follow-ups to a member of their teams, each or says why not. The person gets a mail about each.
    async fn assign_follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The follow-ups, and to whom.")] input: AssignFollowUpsInput,
    ) -> Result<AssignFollowUpsPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok((wanted, assignee)) => {
                follow_up::assign_all(&ask.api.hospital, ask.viewer(), &wanted, assignee).await
            }
            Err(error) => Err(error),
        };
        let results = results(ctx, "follow_up.assign", done).await?;
        Ok(AssignFollowUpsPayload::of(results))
    }

    /// Gives the open follow-ups of a person in a team to another member, 500 at a time, and with them the leads that they
    /// are about and the person owns. Nobody is mailed about each.
    async fn hand_over_follow_ups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose work, and to whom.")] input: HandOverFollowUpsInput,
    ) -> Result<HandOverFollowUpsPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => follow_up::hand_over(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let from = input.from_id.to_string();
        let handed = audited(ctx, "follow_up.hand_over", done, |_| from).await?;
        Ok(HandOverFollowUpsPayload::of(handed.map(|handed| HandedOver {
            follow_ups: handed.follow_ups as i64,
            leads: handed.leads as i64,
            more: handed.more,
        })))
    }
}

/// What came of each. The history of each lead says who did it; the audit event says to how many.
async fn results(
    ctx: &Context<'_>,
    action: &'static str,
    done: DomainResult<Done<Vec<Changed>>>,
) -> Result<Outcome<Vec<FollowUpResult>>, Error> {
    let done = done.map_err(|error| at_input(error, "followUpIds"));
    let count = |changed: &Vec<Changed>| format!("{} follow-ups", changed.len());
    match audited(ctx, action, done, count).await? {
        Ok(changed) => {
            let results: Result<Vec<_>, Error> = changed
                .into_iter()
                .map(|changed| result(Ask::of(ctx), changed))
                .collect();
            Ok(Ok(results?))
        }
        Err(refused) => Ok(Err(refused)),
    }
}

fn result(ask: &Ask, changed: Changed) -> Result<FollowUpResult, Error> {
    let (follow_up, user_errors) = match changed.outcome.map_err(|error| at_input(error, "followUpIds")) {
        Ok(row) => (Some(FollowUp(row)), Vec::new()),
        Err(DomainError::Refused(refusals)) => (None, user_errors(refusals)),
        Err(DomainError::Missing { noun }) => {
            let refusal = Refusal {
                field: vec!["followUpIds".to_owned()],
                ..missing(noun)
            };
            (None, user_errors(vec![refusal]))
        }
        Err(fault) => return Err(fault).told(ask),
    };
    Ok(FollowUpResult {
        id: id(changed.id),
        follow_up,
        user_errors,
    })
}
