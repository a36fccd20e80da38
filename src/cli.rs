//! The commands.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use entity::enums::Role;

use crate::settings::Settings;

/// Turns interest in a hospital into completed visits: a GraphQL service with background workers.
#[derive(Debug, Parser)]
#[command(name = "leadward", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Runs API and worker in one process. The default.
    Serve,
    /// Runs the API alone: GraphQL, forms, pages.
    Api,
    /// Runs a worker alone: mails, sequences, reminders.
    Worker,
    /// Serves a demo hospital, made at the first start and kept afterwards.
    Demo,
    /// Brings the database to this version, back, or tells where it stands.
    Migrate {
        /// Which way.
        #[command(subcommand)]
        way: Migrate,
    },
    /// Prints the GraphQL schema (SDL).
    Schema,
    /// Applies a setup document: facilities, teams, service lines, forms, rules, templates, sequences.
    Setup {
        /// The document, JSON.
        file: PathBuf,
    },
    /// Tells what a sequence would do to leads, and changes nothing.
    Simulate(Box<SimulateArgs>),
    /// Manages staff.
    Staff {
        /// What to do.
        #[command(subcommand)]
        action: StaffAction,
    },
    /// Manages access tokens.
    Token {
        /// What to do.
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Exports or erases a contact, as the person may ask.
    Contact {
        /// What to do.
        #[command(subcommand)]
        action: ContactAction,
    },
    /// Reads mails that came back: bounces, complaints, replies.
    Mail {
        /// What to do.
        #[command(subcommand)]
        action: MailAction,
    },
    /// Takes out the personal data that is past its retention, and tells how much of which kind.
    Retention {
        /// Only tells what would be taken out.
        #[arg(long)]
        dry_run: bool,
    },
    /// Checks that records which must not change have not been changed. Ends with 1 if one has.
    Verify {
        /// Which records.
        #[command(subcommand)]
        what: Verify,
    },
    /// Tells which settings are missing or unsafe. Ends with 1 if any is.
    Check,
}

/// What is to be simulated.
#[derive(Clone, Debug, Args)]
pub struct SimulateArgs {
    /// The sequence, by its name or its id.
    #[arg(long)]
    pub sequence: String,
    /// Steps that are not saved yet, a JSON list as in a setup document, in place of the newest version's.
    #[arg(long)]
    pub steps: Option<PathBuf>,
    /// A lead, by its id. Can be said again.
    #[arg(long = "lead")]
    pub leads: Vec<String>,
    /// Every lead that is not closed.
    #[arg(long, conflicts_with = "leads")]
    pub open_leads: bool,
    /// The built-in samples.
    #[arg(long)]
    pub samples: bool,
    /// Slug of the service line that samples ask for.
    #[arg(long, requires = "samples")]
    pub line: Option<String>,
    /// What samples answer to a form's field, as field=value. Can be said again.
    #[arg(long = "answer", requires = "samples")]
    pub answers: Vec<String>,
    /// Enrolls everybody at the beginning; else only whom the trigger enrolls.
    #[arg(long)]
    pub enroll_all: bool,
    /// Resumes the sequence at the beginning, if it is paused.
    #[arg(long)]
    pub resume: bool,
    /// When the period begins, by RFC 3339; now if not said.
    #[arg(long)]
    pub from: Option<DateTime<Utc>>,
    /// How many days it has, at most 180.
    #[arg(long, default_value_t = 30)]
    pub days: u16,
    /// Lines of the list of what happens.
    #[arg(long, default_value_t = 50)]
    pub first: usize,
    /// Prints all of it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to do with mails that came back.
#[derive(Clone, Debug, Subcommand)]
pub enum MailAction {
    /// Prints for each file one line of JSON that says how the pollers read it, and why. Changes nothing. Ends with 1
    /// if a file could not be read.
    Classify {
        /// Mails as they came (RFC 5322); `-` is standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Ways of a migration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Migrate {
    /// Applies every change that is missing.
    Up,
    /// Takes back the last change.
    Down,
    /// Lists the changes.
    Status,
}

/// Records that can be checked.
#[derive(Clone, Debug, Subcommand)]
pub enum Verify {
    /// The consent ledger: walks its chain of hashes and names the first row that is not as it was sealed.
    Consent {
        /// What an earlier run printed as its head, `COUNT:HASH`: the chain must still pass through it.
        #[arg(long, value_name = "COUNT:HASH")]
        from: Option<String>,
    },
}

/// What to do with staff.
#[derive(Clone, Debug, Subcommand)]
pub enum StaffAction {
    /// Adds a person. The password is read from standard input, so that it stays out of the shell's history.
    Add {
        /// Email address, the sign-in name.
        #[arg(long)]
        email: String,
        /// The name that people read.
        #[arg(long)]
        name: String,
        /// What the person may do.
        #[arg(long, ignore_case = true)]
        role: RoleName,
        /// IANA time zone of the person's mails.
        #[arg(long, default_value = "America/New_York")]
        time_zone: String,
        /// Slugs of the person's teams.
        #[arg(long = "team")]
        teams: Vec<String>,
    },
}

/// What to do with a contact.
#[derive(Clone, Debug, Subcommand)]
pub enum ContactAction {
    /// Prints everything that is held about it, as JSON.
    Export {
        /// Its id.
        id: String,
    },
    /// Erases all personal data of it, for good.
    Erase {
        /// Its id.
        id: String,
    },
}

/// What to do with tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenAction {
    /// Makes a token and prints it, and nothing else. It cannot be shown again.
    Create {
        /// What its bearer may do.
        #[arg(long, ignore_case = true)]
        role: RoleName,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// Days until it ends by itself.
        #[arg(long)]
        expires_in_days: Option<u32>,
    },
    /// Lists the tokens that work.
    List,
    /// Takes a token back.
    Revoke {
        /// Its id, as the list shows it.
        id: String,
    },
}

/// A role on the command line, in its usual spelling: `ADMIN`, `INTAKE_COORDINATOR`, …
#[derive(Clone, Copy, Debug)]
pub struct RoleName(pub Role);

impl ValueEnum for RoleName {
    fn value_variants<'a>() -> &'a [Self] {
        const { &all_roles() }
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.as_str()))
    }
}

const fn all_roles() -> [RoleName; 9] {
    let mut names = [RoleName(Role::Admin); 9];
    let mut index = 0;
    while index < Role::ALL.len() {
        names[index] = RoleName(Role::ALL[index]);
        index += 1;
    }
    names
}
