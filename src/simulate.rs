//! `leadward simulate`: a dry run on the terminal.
#![expect(clippy::print_stdout, reason = "a command answers on standard output")]

mod table;

use chrono::TimeDelta;
use domain::dry_run::{Chosen, Content, Enroll, Limits, SampleLeads, Simulate, Simulation, Version};
use domain::error::{Code, Error, Result};
use domain::hospital::Hospital;
use domain::id::new_id;
use domain::viewer::{Actor, Viewer};
use domain::{audit, clock};
use entity::enums::{LeadStage, Role};
use entity::id::{LeadId, SequenceId, TokenId};
use entity::lead::{self, Answer};
use entity::sequence;
use entity::sequence_version::Steps;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::boot::{self, BootError};
use crate::cli::SimulateArgs;
use crate::commands::told;
use crate::dry_run;
use crate::settings::Settings;

/// Simulates and prints. Whoever may run it on the machine may see every lead; that it was run is written into the audit.
///
/// # Errors
/// When something is wrong with what is asked for, or the database cannot be read.
pub async fn run(settings: &Settings, args: &SimulateArgs) -> Result<(), BootError> {
    let hospital = boot::hospital(settings).await?;
    let simulator = dry_run::simulator(&hospital, Limits::default())
        .map_err(|error| BootError::from_source("MAIL_FROM or PUBLIC_URL cannot stand in a mail.", error))?;
    let request = request(&hospital, args).await.map_err(told)?;
    let of_people = !matches!(request.leads, Chosen::Nobody);
    // No token has this id: the rights are those of who runs the command.
    let viewer = Viewer::Token {
        id: new_id::<TokenId>(hospital.now()),
        role: Role::Admin,
    };
    let answer = simulator
        .simulate(&hospital, &viewer, request)
        .await
        .map_err(told)?;
    if of_people {
        let subject = answer.sequence_id;
        audit::record(
            Actor::SYSTEM,
            "sequence.simulate",
            Some(&subject),
            None,
            hospital.now(),
        )
        .insert(&hospital.db)
        .await
        .map_err(|error| BootError::from_source("The audit event could not be written.", error))?;
    }
    let playbook = hospital.playbook().await.map_err(told)?;
    if args.json {
        println!("{:#}", table::json(&answer, &playbook));
    } else {
        print!("{}", table::text(&answer, &playbook, args.first));
    }
    Ok(())
}

async fn request(hospital: &Hospital, args: &SimulateArgs) -> Result<Simulate> {
    let from = args.from.map(clock::to_micros);
    let leads = if args.open_leads {
        Chosen::Where(Condition::all().add(lead::Column::Stage.ne(LeadStage::Closed)))
    } else if args.leads.is_empty() {
        Chosen::Nobody
    } else {
        Chosen::Ids(
            args.leads
                .iter()
                .map(|text| lead_id(text))
                .collect::<Result<_>>()?,
        )
    };
    let version = match &args.steps {
        None => Version::Newest,
        Some(file) => Version::With(Box::new(Content {
            steps: Some(read_steps(file)?),
            ..Content::default()
        })),
    };
    Ok(Simulate {
        sequence_id: sequence_id(hospital, &args.sequence).await?,
        version,
        leads,
        samples: if args.samples {
            Some(samples(hospital, args).await?)
        } else {
            None
        },
        enroll: if args.enroll_all {
            Enroll::AllAtStart
        } else {
            Enroll::ByTrigger
        },
        from,
        until: from.unwrap_or_else(|| hospital.now()) + TimeDelta::days(args.days.into()),
        resume: args.resume,
    })
}

fn lead_id(text: &str) -> Result<LeadId> {
    text.parse().map_err(|_| {
        Error::refused(
            Code::Invalid,
            "lead",
            "A lead is named by its id: lead_ and 26 letters.",
        )
    })
}

/// The sequence of this name or id.
async fn sequence_id(hospital: &Hospital, named: &str) -> Result<SequenceId> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let found = sequence::Entity::find()
        .filter(sequence::Column::Name.eq(named))
        .one(&hospital.db)
        .await?;
    found.map(|row| row.id).ok_or(Error::Missing { noun: "sequence" })
}

fn read_steps(file: &std::path::Path) -> Result<Steps> {
    let unreadable = |message: String| Error::refused(Code::Invalid, "steps", message);
    let text = std::fs::read_to_string(file)
        .map_err(|error| unreadable(format!("The file cannot be read: {error}.")))?;
    serde_json::from_str(&text).map_err(|error| unreadable(format!("These are no steps: {error}.")))
}

async fn samples(hospital: &Hospital, args: &SimulateArgs) -> Result<SampleLeads> {
    let playbook = hospital.playbook().await?;
    let line = args.line.as_deref().map(|slug| {
        let found = playbook.line_named(slug).map(|line| line.id);
        found.ok_or_else(|| Error::refused(Code::NotFound, "line", "There is no such service line."))
    });
    let answer = |text: &String| {
        let (field, value) = text
            .split_once('=')
            .ok_or_else(|| Error::refused(Code::Invalid, "answer", "An answer is written as field=value."))?;
        Ok(Answer {
            field: field.to_owned(),
            label: field.to_owned(),
            value: value.to_owned(),
        })
    };
    Ok(SampleLeads {
        lead_type: None,
        service_line_id: line.transpose()?,
        answers: args.answers.iter().map(answer).collect::<Result<_>>()?,
    })
}

/// How far it came, in words.
fn reached(answer: &Simulation) -> String {
    if answer.is_complete() {
        return String::new();
    }
    format!(
        "It stopped at {}, because there was too much to simulate: choose fewer leads or days.\n",
        table::minute(answer.reached)
    )
}
