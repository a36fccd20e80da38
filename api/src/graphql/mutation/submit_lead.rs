//! An inquiry comes in through GraphQL: the same door as a form.
//!
//! The public names a form by its key and sends that form's fields. Staff and programs may leave the form away and send
//! the parts by name.

mod entered;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use domain::error::{Code, Error as DomainError, Refusal};
use domain::lead::form_answers::{self, Sent};
use domain::lead::inquiry::{ConsentAnswer, Inquiry};
use domain::lead::receive::{Receipt as Received, receive};
use domain::playbook::Playbook;
use entity::consent_event::{ConsentEvidence, ConsentSource};
use entity::form;
use entity::id::LeadId;

use self::entered::{AnswerInput, ContactInput};
use super::visit::VisitInput;
use super::{Outcome, audited, outcome, read_id};
use crate::graphql::access;
use crate::graphql::ask::Ask;
use crate::graphql::errors::{FORBIDDEN, UserError, coded};
use crate::graphql::id::id;
use crate::graphql::lead::{Lead, lead};
use crate::graphql::vocabulary::{Channel, LeadType};

/// Most fields of one inquiry, and most consents.
const LIST_MAX: usize = 100;
/// What proves a consent that came this way: how it was asked lies with the page that sent it.
const EVIDENCE: &str = "answered through the API";

/// A value of one of the form's fields.
#[derive(InputObject)]
pub struct FieldInput {
    /// The field's name.
    name: String,
    /// Its value; of a ticked checkbox `yes`.
    value: String,
}

/// The answer to a consent that was shown.
#[derive(InputObject)]
pub struct ConsentAnswerInput {
    /// The version of the text that was shown.
    wording_id: ID,
    /// Whether the box was ticked. It must be unticked at first.
    granted: bool,
}

/// An inquiry. With `formKey` it has `fields`; without it, staff and programs send the parts by name.
#[derive(InputObject)]
pub struct SubmitLeadInput {
    /// The form's public key.
    form_key: Option<String>,
    /// The form's fields; at most 100.
    #[graphql(default)]
    fields: Vec<FieldInput>,
    /// Without a form: what is asked for. Needed.
    lead_type: Option<LeadType>,
    /// Without a form: where it came from, when the sender knows better than the visit tells.
    channel: Option<Channel>,
    /// Without a form: who asks. Needed.
    contact: Option<ContactInput>,
    /// Without a form: the service in the person's words.
    requested_service: Option<String>,
    /// Without a form: the service line, when it is known.
    service_line_id: Option<ID>,
    /// Without a form: slug of the preferred facility. Or name `facilityId`.
    facility: Option<String>,
    /// Without a form: the preferred facility. Or name `facility`.
    facility_id: Option<ID>,
    /// Without a form: what else the person answered; at most 50.
    #[graphql(default)]
    answers: Vec<AnswerInput>,
    /// Answers to the consents that were shown; at most 100.
    #[graphql(default)]
    consents: Vec<ConsentAnswerInput>,
    /// How the visit began.
    visit: Option<VisitInput>,
    /// The sender's id of this inquiry. A second one with the same id changes nothing.
    external_id: Option<String>,
}

impl SubmitLeadInput {
    /// The inquiry of a form.
    fn of_form(self, form: &form::Model, playbook: &Playbook) -> Result<Inquiry, DomainError> {
        self.refuse_parts()?;
        let sent = Sent {
            fields: self
                .fields
                .into_iter()
                .map(|field| (field.name, field.value))
                .collect(),
            consents: consents(&self.consents)?,
            consent_source: ConsentSource {
                form_id: Some(form.id),
                message_id: None,
            },
            consent_evidence: evidence(),
            external_id: self.external_id.unwrap_or_default(),
            visit: self.visit.unwrap_or_default().read(),
            form_draft_id: None,
        };
        form_answers::inquiry(form, playbook, sent).map_err(|error| match error {
            DomainError::Refused(mut refusals) => {
                refusals.iter_mut().for_each(|refusal| at_field(refusal, form));
                DomainError::Refused(refusals)
            }
            error => error,
        })
    }

    /// What belongs to an inquiry without a form would be lost without a word.
    fn refuse_parts(&self) -> Result<(), DomainError> {
        let parts = [
            ("leadType", self.lead_type.is_some()),
            ("channel", self.channel.is_some()),
            ("contact", self.contact.is_some()),
            ("requestedService", self.requested_service.is_some()),
            ("serviceLineId", self.service_line_id.is_some()),
            ("facility", self.facility.is_some()),
            ("facilityId", self.facility_id.is_some()),
            ("answers", !self.answers.is_empty()),
        ];
        let mut refusals: Vec<Refusal> = parts
            .into_iter()
            .filter(|(_, sent)| *sent)
            .map(|(part, _)| Refusal::new(Code::Invalid, part, "With a form's key, send its fields instead."))
            .collect();
        if self.fields.len() > LIST_MAX {
            refusals.push(Refusal::new(Code::TooLarge, "fields", "Send at most 100 fields."));
        }
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(DomainError::Refused(refusals))
        }
    }
}

/// The path of a form's field in this input. The form's own door names it by its name alone.
fn at_field(refusal: &mut Refusal, form: &form::Model) {
    let Some(name) = refusal.field.first() else { return };
    let is_field = form.fields.0.iter().any(|field| field.name == *name);
    if is_field || refusal.code == Code::UnknownField {
        refusal.field.insert(0, "fields".to_owned());
    } else if name == "Idempotency-Key" {
        refusal.field = vec!["externalId".to_owned()];
    }
}

fn consents(sent: &[ConsentAnswerInput]) -> Result<Vec<ConsentAnswer>, DomainError> {
    if sent.len() > LIST_MAX {
        return Err(DomainError::refused(
            Code::TooLarge,
            "consents",
            "Send at most 100 consents.",
        ));
    }
    let answer = |(place, answer): (usize, &ConsentAnswerInput)| {
        let wording_id = read_id(&format!("consents.{place}.wordingId"), &answer.wording_id)?;
        Ok(ConsentAnswer {
            wording_id,
            granted: answer.granted,
        })
    };
    sent.iter().enumerate().map(answer).collect()
}

fn evidence() -> ConsentEvidence {
    ConsentEvidence {
        note: Some(EVIDENCE.to_owned()),
        ..ConsentEvidence::default()
    }
}

/// What the sender gets in hand.
pub struct Receipt(Received);

/// What the sender of an inquiry gets in hand.
#[Object]
impl Receipt {
    /// Id of the lead.
    async fn lead_id(&self) -> ID {
        id(self.0.lead_id)
    }

    /// Whether this inquiry made the lead; one that came before did not.
    async fn created(&self) -> bool {
        self.0.created
    }
}

/// What came of an inquiry.
#[derive(SimpleObject)]
pub struct SubmitLeadPayload {
    /// The lead, for those who may see it.
    lead: Option<Lead>,
    /// What the sender gets in hand.
    receipt: Option<Receipt>,
    /// Why nothing was stored; empty when it was.
    user_errors: Vec<UserError>,
}

/// Inquiries.
#[derive(Default)]
pub struct SubmitLeadMutation;

/// Inquiries.
#[Object]
impl SubmitLeadMutation {
    /// Submits an inquiry, as a form does. The public needs a form's key.
    async fn submit_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The inquiry.")] input: SubmitLeadInput,
    ) -> Result<SubmitLeadPayload, Error> {
        let ask = Ask::of(ctx);
        if ask.viewer().role().is_none() {
            ask.count_post()?;
        }
        let playbook = ask.playbook().await?;
        let form = input.form_key.as_deref().map(|key| {
            playbook
                .form_by_key
                .get(key)
                .and_then(|id| playbook.forms.get(id))
        });
        let inquiry = match form {
            Some(Some(form)) => input.of_form(form, &playbook),
            Some(None) => Err(DomainError::refused(
                Code::NotFound,
                "formKey",
                "There is no such form.",
            )),
            None if access::may_enter_leads(ask.viewer()) => input.entered(ask.viewer(), &playbook),
            None if ask.viewer().role().is_some() => {
                return Err(coded(FORBIDDEN, "Your role may not do this."));
            }
            None => {
                let message = "Name the form by its public key, or sign in to enter a lead without one.";
                Err(DomainError::refused(Code::Required, "formKey", message))
            }
        };
        let stored = match inquiry {
            Ok(inquiry) => store(ctx, inquiry).await?,
            Err(error) => outcome(ctx, Err(error)).await?,
        };
        match stored {
            Ok(receipt) => Ok(SubmitLeadPayload {
                lead: visible(ask, receipt.lead_id).await?,
                receipt: Some(Receipt(receipt)),
                user_errors: Vec::new(),
            }),
            Err(user_errors) => Ok(SubmitLeadPayload {
                lead: None,
                receipt: None,
                user_errors,
            }),
        }
    }
}

async fn store(ctx: &Context<'_>, inquiry: Inquiry) -> Result<Outcome<Received>, Error> {
    let ask = Ask::of(ctx);
    let done = receive(&ask.api.hospital, ask.viewer().actor(), inquiry).await;
    if ask.viewer().role().is_some() {
        return audited(ctx, "lead.submit", done, |receipt| receipt.lead_id).await;
    }
    outcome(ctx, done).await
}

async fn visible(ask: &Ask, lead_id: LeadId) -> Result<Option<Lead>, Error> {
    if ask.viewer().role().is_none() {
        return Ok(None);
    }
    lead(ask, Some(lead_id)).await
}

#[cfg(test)]
mod tests;
