//! A lead is moved away from the wrong team.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::lead::reroute::{Reroute, reroute};

use super::{audited, read_id};
use crate::graphql::ask::Ask;
use crate::graphql::lead::Lead;
use crate::graphql::vocabulary::MisrouteReason;

/// A lead to move.
#[derive(InputObject)]
pub struct RerouteLeadInput {
    /// The lead.
    lead_id: ID,
    /// The team that should have it.
    team_id: ID,
    /// Why the present one was wrong.
    reason: MisrouteReason,
    /// What is to be said about it, at most 2000 characters; needed for `OTHER`.
    note: Option<String>,
    /// The version that was read: if the lead has changed since, nothing is done.
    version: Option<i64>,
}

impl RerouteLeadInput {
    fn read(self) -> domain::error::Result<Reroute> {
        Ok(Reroute {
            lead_id: read_id("leadId", &self.lead_id)?,
            team_id: read_id("teamId", &self.team_id)?,
            reason: self.reason.into(),
            note: self.note,
            version: self.version,
        })
    }
}

payload!(
    /// What came of moving a lead to another team.
    RerouteLeadPayload {
        /// The lead after it.
        lead: Lead
    }
);

/// Leads are moved away from the wrong team.
#[derive(Default)]
pub struct RerouteMutation;

/// Leads are moved away from the wrong team.
#[Object]
impl RerouteMutation {
    /// Moves a lead with its open follow-ups to another team and writes down that it was misrouted. The person is chosen
    /// as the first rule says that sends such leads to that team, else by the least open work. The clock runs on.
    async fn reroute_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lead, to which team, and why.")] input: RerouteLeadInput,
    ) -> Result<RerouteLeadPayload, Error> {
        let ask = Ask::of(ctx);
        let done = match input.read() {
            Ok(input) => reroute(&ask.api.hospital, ask.viewer(), input).await,
            Err(error) => Err(error),
        };
        let outcome = audited(ctx, "lead.reroute", done, |lead| lead.id).await?;
        Ok(RerouteLeadPayload::of(outcome.map(Lead::of)))
    }
}
