//! Made-up people to try a sequence with: each differs in what decisions look at.
//!
//! They come in through the same operation as everybody, so they are routed, scored and enrolled by the same rules, and
//! they exist nowhere but in the copy. Their addresses can never be those of a person: `example.org` belongs to nobody
//! (RFC 2606), nor do the telephone numbers (555-0100 to 555-0199).

use entity::consent_event::{ConsentMethod, ConsentSource};
use entity::enums::{Channel, LeadType, Medium, Purpose};
use entity::id::{LeadId, ServiceLineId};
use entity::lead::{self, Answer};
use entity::suppression::SuppressionReason;
use sea_orm::EntityTrait;

use crate::consent::record::{self, RecordConsent};
use crate::consent::withdraw::{self, WithdrawConsent};
use crate::error::{Error, Result};
use crate::hospital::Hospital;
use crate::lead::inquiry::Draft;
use crate::lead::receive;
use crate::outreach::suppress::{self, SuppressAddress};
use crate::viewer::{Actor, Viewer};

/// What a made-up person has said about mail for the sequence's purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    /// Asked, and did not agree.
    No,
    /// Agreed and took it back.
    TookItBack,
    /// Was never asked.
    Nothing,
}

/// A made-up person.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Short name in the answer.
    pub key: &'static str,
    /// What is special, as a sentence.
    pub about: &'static str,
    language: &'static str,
    region: &'static str,
    has_email: bool,
    suppressed: bool,
    said: Said,
}

const PLAIN: Sample = Sample {
    key: "english-east",
    about: "Speaks English, lives in New York, agreed to mail.",
    language: "en",
    region: "NY",
    has_email: true,
    suppressed: false,
    said: Said::Yes,
};

/// The made-up people.
pub const SAMPLES: [Sample; 9] = [
    PLAIN,
    Sample {
        key: "spanish-west",
        about: "Speaks Spanish, lives in California, agreed to mail.",
        language: "es",
        region: "CA",
        ..PLAIN
    },
    Sample {
        key: "two-zones",
        about: "Lives in Tennessee, which has two time zones; agreed to mail.",
        region: "TN",
        ..PLAIN
    },
    Sample {
        key: "hawaii",
        about: "Lives in Hawaii, which has no daylight saving time; agreed to mail.",
        region: "HI",
        ..PLAIN
    },
    Sample {
        key: "no-consent",
        about: "Was asked and did not agree to mail.",
        said: Said::No,
        ..PLAIN
    },
    Sample {
        key: "never-asked",
        about: "Was never asked about mail.",
        said: Said::Nothing,
        ..PLAIN
    },
    Sample {
        key: "withdrawn",
        about: "Agreed to mail and took it back.",
        said: Said::TookItBack,
        ..PLAIN
    },
    Sample {
        key: "no-address",
        about: "Has a telephone and no email address.",
        has_email: false,
        said: Said::Nothing,
        ..PLAIN
    },
    Sample {
        key: "suppressed",
        about: "Agreed to mail, and the address must not be written to.",
        suppressed: true,
        ..PLAIN
    },
];

/// What the made-up people ask for.
#[derive(Clone, Debug, Default)]
pub struct SampleLeads {
    /// Type of their leads; a patient's appointment if not said.
    pub lead_type: Option<LeadType>,
    /// The service line.
    pub service_line_id: Option<ServiceLineId>,
    /// What they answer to the form's fields, which branches look at.
    pub answers: Vec<Answer>,
}

/// Lets every sample come in. Answers the leads.
pub(super) async fn receive(
    h: &Hospital,
    viewer: &Viewer,
    wanted: &SampleLeads,
    purpose: Purpose,
) -> Result<Vec<(&'static Sample, LeadId)>> {
    let mut leads = Vec::with_capacity(SAMPLES.len());
    for (place, sample) in SAMPLES.iter().enumerate() {
        let playbook = h.playbook().await?;
        let inquiry = draft(sample, place, wanted)
            .parse(&playbook)
            .map_err(at_samples)?;
        let receipt = receive::receive(h, Actor::SYSTEM, inquiry).await?.value;
        say(h, viewer, sample, receipt.lead_id, purpose).await?;
        leads.push((sample, receipt.lead_id));
    }
    Ok(leads)
}

fn draft(sample: &Sample, place: usize, wanted: &SampleLeads) -> Draft {
    Draft {
        lead_type: Some(wanted.lead_type.unwrap_or(LeadType::PatientAppointment)),
        channel: Some(Channel::Website),
        external_id: format!("dry-run/{}", sample.key),
        given_name: "Sample".to_owned(),
        family_name: sample.key.replace('-', " "),
        organization: "Sample".to_owned(),
        email: address(sample).unwrap_or_default(),
        phone: format!("(212) 555-01{:02}", 40 + place),
        language: sample.language.to_owned(),
        region: sample.region.to_owned(),
        service_line_id: wanted.service_line_id,
        answers: wanted.answers.clone(),
        consent_method: Some(ConsentMethod::Api),
        consent_source: ConsentSource::default(),
        ..Draft::default()
    }
}

fn address(sample: &Sample) -> Option<String> {
    sample
        .has_email
        .then(|| format!("{}@sample.example.org", sample.key))
}

/// What the person has said, through the operations that write it down.
async fn say(
    h: &Hospital,
    viewer: &Viewer,
    sample: &Sample,
    lead_id: LeadId,
    purpose: Purpose,
) -> Result<()> {
    let lead = lead::Entity::find_by_id(lead_id).one(&h.db).await?;
    let contact_id = lead.ok_or(Error::Missing { noun: "lead" })?.contact_id;
    if sample.said != Said::Nothing {
        let consent = RecordConsent {
            contact_id,
            medium: Medium::Email,
            address: None,
            purpose,
            wording: None,
            granted: sample.said != Said::No,
            occurred_at: None,
            expires_at: None,
            evidence: Some("made up for a dry run".to_owned()),
        };
        let _ = record::record(h, viewer, consent).await?;
    }
    if sample.said == Said::TookItBack {
        let taken_back = WithdrawConsent {
            contact_id,
            medium: Some(Medium::Email),
            purpose: Some(purpose),
            reason: None,
        };
        let _ = withdraw::withdraw(h, viewer, taken_back).await?;
    }
    if let Some(address) = address(sample).filter(|_| sample.suppressed) {
        let suppressed = SuppressAddress {
            medium: Medium::Email,
            address,
            reason: SuppressionReason::HardBounce,
        };
        let _ = suppress::suppress(h, viewer, suppressed).await?;
    }
    Ok(())
}

/// Names what is wrong with the samples where the request names it.
fn at_samples(error: Error) -> Error {
    match error {
        Error::Refused(mut refusals) => {
            for refusal in &mut refusals {
                refusal.field.insert(0, "samples".to_owned());
            }
            Error::Refused(refusals)
        }
        other => other,
    }
}
