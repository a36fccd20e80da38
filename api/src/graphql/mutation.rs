//! Changes. Each mutation reads its input, calls one operation, tells what came of it, and answers with the thing changed
//! or with the reasons why nothing was.

use std::fmt::Display;

use async_graphql::{Context, Error, ID, MaybeUndefined, MergedObject};
use domain::audit;
use domain::done::Done;
use domain::error::{Chain, Code, Error as DomainError, Refusal};
use domain::patch::Patch;
use entity::id::{TypedId, WrongId};

use super::ask::Ask;
use super::errors::{Told, UserError, user_errors};
use super::{id, idempotency};

/// Declares the payload of a mutation about one thing.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$thing_doc:meta])* $field:ident: $thing:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$thing_doc])*
            $field: Option<$thing>,
            /// Why nothing was done; empty when it was.
            user_errors: Vec<crate::graphql::errors::UserError>,
        }

        impl $name {
            fn of(outcome: crate::graphql::mutation::Outcome<$thing>) -> Self {
                match outcome {
                    Ok(thing) => Self { $field: Some(thing), user_errors: Vec::new() },
                    Err(user_errors) => Self { $field: None, user_errors },
                }
            }
        }
    };
}

mod attempt;
mod calendar_feed;
mod campaign;
mod capacity;
mod clause;
mod clock;
mod consent;
mod desk;
mod follow_up;
mod lead;
mod mailing;
mod open_work;
mod outreach;
mod preferences;
mod privacy;
mod quality;
mod reroute;
mod rule_set;
mod script;
mod sending;
mod sequence;
mod session;
mod settle;
mod simulate;
mod staff;
mod stage;
mod step;
mod submit_lead;
mod suppression;
mod template;
mod visit;

/// Changes. Refusals are data: a payload holds either the thing or `userErrors`.
///
/// Send an `Idempotency-Key` header to be able to repeat a request without doing it twice.
// A merged object asks its parts one within the call of the other. In groups the way to a field is short; in one long row it
// takes most of a thread's stack in builds that are not optimized.
#[derive(MergedObject, Default)]
pub struct Mutation(
    session::SessionMutation,
    submit_lead::SubmitLeadMutation,
    DeskMutation,
    WorkMutation,
    PeopleMutation,
    MailMutation,
    PlanMutation,
);

/// What the desk does with leads.
#[derive(MergedObject, Default)]
pub struct DeskMutation(
    lead::LeadMutation,
    reroute::RerouteMutation,
    attempt::AttemptMutation,
    clock::ClockMutation,
    stage::StageMutation,
    script::ScriptMutation,
);

/// The desk's own work, and who does it.
#[derive(MergedObject, Default)]
pub struct WorkMutation(
    follow_up::FollowUpMutation,
    desk::WorkListMutation,
    open_work::OpenWorkMutation,
    staff::StaffMutation,
    calendar_feed::CalendarFeedMutation,
    quality::QualityMutation,
);

/// What people allow and what is kept of them.
#[derive(MergedObject, Default)]
pub struct PeopleMutation(
    consent::ConsentMutation,
    preferences::PreferenceMutation,
    suppression::SuppressionMutation,
    privacy::PrivacyMutation,
);

/// What goes out by mail, and by which way.
#[derive(MergedObject, Default)]
pub struct MailMutation(
    settle::SettleMutation,
    mailing::MailingMutation,
    outreach::OutreachMutation,
    sending::SendingMutation,
    template::TemplateMutation,
);

/// What is planned.
#[derive(MergedObject, Default)]
pub struct PlanMutation(
    campaign::CampaignMutation,
    capacity::CapacityMutation,
    sequence::SequenceMutation,
    simulate::SimulateMutation,
    rule_set::RuleSetMutation,
);

/// What came of an operation: its value, or why a rule said no.
type Outcome<T> = Result<T, Vec<UserError>>;

/// Passes a committed result on, and turns refusals into data. What is absent or not visible is a refusal of the field
/// that named it: the same answer for both.
async fn outcome<T>(ctx: &Context<'_>, done: Result<Done<T>, DomainError>) -> Result<Outcome<T>, Error> {
    let ask = Ask::of(ctx);
    match done {
        Ok(done) => {
            idempotency::note_commit(ctx);
            Ok(Ok(ask.api.pass_on(done)))
        }
        Err(DomainError::Refused(refusals)) => Ok(Err(user_errors(refusals))),
        Err(DomainError::Missing { noun }) => Ok(Err(user_errors(vec![missing(noun)]))),
        Err(fault) => Err(fault).told(ask),
    }
}

/// The same for operations that leave no audit event themselves.
///
/// The event is written after the commit. Were it lost in between, who did it would still stand in the row's own history
/// where there is one, and in the log.
async fn audited<T, S: Display>(
    ctx: &Context<'_>,
    action: &'static str,
    done: Result<Done<T>, DomainError>,
    subject: impl FnOnce(&T) -> S,
) -> Result<Outcome<T>, Error> {
    let outcome = outcome(ctx, done).await?;
    if let Ok(value) = &outcome {
        let ask = Ask::of(ctx);
        let (h, actor, subject) = (
            &ask.api.hospital,
            ask.viewer().actor(),
            subject(value).to_string(),
        );
        if let Err(error) = audit::write(h, actor, action, &subject, &ask.request_id).await {
            tracing::error!(
                request_id = %ask.request_id, action, subject, actor_kind = actor.kind.as_str(), actor_id = ?actor.id,
                error = %Chain(&error), "an audit event could not be written"
            );
        }
    }
    Ok(outcome)
}

/// Something that is absent, or not yours.
pub(super) fn missing(noun: &'static str) -> Refusal {
    Refusal::new(
        Code::NotFound,
        &id_field(noun),
        format!("There is no such {noun}."),
    )
}

/// The input field that names a thing: `followUpId` for a `follow-up`.
fn id_field(noun: &str) -> String {
    let mut field = String::with_capacity(noun.len() + 2);
    for (place, word) in noun.split(['-', ' ']).enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if place > 0 => field.extend(first.to_uppercase()),
            Some(first) => field.push(first),
            None => {}
        }
        field.push_str(letters.as_str());
    }
    field + "Id"
}

/// The operations call the id of what they change `id`; the inputs name the thing.
fn at_input(mut error: DomainError, id_field: &str) -> DomainError {
    if let DomainError::Refused(refusals) = &mut error {
        for refusal in refusals.iter_mut().filter(|refusal| refusal.field == ["id"]) {
            refusal.field = vec![id_field.to_owned()];
        }
    }
    error
}

/// Reads an id of an input.
fn read_id<T: TypedId + std::str::FromStr<Err = WrongId>>(field: &str, sent: &ID) -> Result<T, DomainError> {
    id::read_input(field, sent).map_err(|refusal| DomainError::Refused(vec![refusal]))
}

/// Reads an id that need not be there.
fn read_id_if_any<T: TypedId + std::str::FromStr<Err = WrongId>>(
    field: &str,
    sent: Option<&ID>,
) -> Result<Option<T>, DomainError> {
    sent.map(|sent| read_id(field, sent)).transpose()
}

/// Reads an edit of an id.
fn read_id_edit<T: TypedId + std::str::FromStr<Err = WrongId>>(
    field: &str,
    sent: MaybeUndefined<ID>,
) -> Result<Patch<T>, DomainError> {
    Ok(match edit(sent) {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(sent) => Patch::Set(read_id(field, &sent)?),
    })
}

/// An edit: what is not sent stays, null empties.
fn edit<T>(sent: MaybeUndefined<T>) -> Patch<T> {
    match sent {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(value),
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{FacilityId, LeadId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_missing_is_told_at_the_field_that_named_it() {
        assert_eq!(id_field("lead"), "leadId");
        assert_eq!(id_field("follow-up"), "followUpId");
        let refusal = missing("follow-up");
        assert_eq!(
            (refusal.code, refusal.field),
            (Code::NotFound, vec!["followUpId".to_owned()])
        );
        assert_eq!(refusal.message, "There is no such follow-up.");
    }

    #[test]
    fn an_edit_tells_not_sent_from_null() {
        assert_eq!(edit::<i32>(MaybeUndefined::Undefined), Patch::Keep);
        assert_eq!(edit::<i32>(MaybeUndefined::Null), Patch::Clear);
        assert_eq!(edit(MaybeUndefined::Value(1)), Patch::Set(1));
    }

    #[test]
    fn a_wrong_id_is_refused_at_its_field() {
        let lead = id::id(LeadId(Uuid::from_u128(7)));
        let refused =
            read_id_edit::<FacilityId>("facilityId", MaybeUndefined::Value(lead.clone())).unwrap_err();
        let DomainError::Refused(refusals) = refused else {
            panic!("it is no refusal")
        };
        assert_eq!(refusals[0].field, ["facilityId"]);
        assert!(read_id::<LeadId>("leadId", &lead).is_ok());
    }
}
