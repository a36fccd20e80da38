//! The command line. It only wires.
#![expect(clippy::print_stdout, reason = "the demo prints its addresses and sign-ins")]

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use domain::error::Chain;
use leadward::boot::{self, BootError};
use leadward::cli::{Cli, Command, MailAction};
use leadward::process::{self, Parts};
use leadward::settings::{LogFormat, Settings};
use leadward::{commands, demo, mail, simulate};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let Cli { command, settings } = Cli::parse();
    log_by(&settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(
                error = Chain(&error).to_string(),
                "The runtime could not be started."
            );
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(run(command.unwrap_or(Command::Serve), &settings)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("leadward: {}", Chain(&error));
            ExitCode::FAILURE
        }
    };
    // What had time to end has ended. A thread that is deep in a query would hold the process up for as long as that
    // takes.
    runtime.shutdown_background();
    code
}

async fn run(command: Command, settings: &Settings) -> Result<ExitCode, BootError> {
    match command {
        Command::Serve => process::run(settings, Parts::Both, boot::hospital(settings).await?).await?,
        Command::Api => process::run(settings, Parts::Api, boot::hospital(settings).await?).await?,
        Command::Worker => process::run(settings, Parts::Worker, boot::hospital(settings).await?).await?,
        Command::Demo => {
            let hospital = boot::hospital(settings).await?;
            let report = demo::ensure(&hospital)
                .await
                .map_err(|error| BootError::from_source("The demo hospital could not be made.", error))?;
            println!("{}", report.welcome(settings.public_url()));
            process::run(settings, Parts::Both, hospital).await?;
        }
        Command::Migrate { way } => commands::migrate(settings, way).await?,
        Command::Schema => commands::schema(),
        Command::Setup { file } => commands::setup(settings, &file).await?,
        Command::Simulate(args) => simulate::run(settings, &args).await?,
        Command::Staff { action } => commands::staff(settings, action).await?,
        Command::Token { action } => commands::token(settings, action).await?,
        Command::Contact { action } => commands::contact(settings, action).await?,
        Command::Mail {
            action: MailAction::Classify { files },
        } => return Ok(exit_code(mail::classify_files(&files))),
        Command::Retention { dry_run } => commands::retention(settings, dry_run).await?,
        Command::Verify { what } => return Ok(exit_code(commands::verify(settings, what).await?)),
        Command::Check => return Ok(exit_code(commands::check(settings))),
    }
    Ok(ExitCode::SUCCESS)
}

fn exit_code(all_is_well: bool) -> ExitCode {
    if all_is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Logs go to standard error, so that what a command prints can be read by a program.
fn log_by(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Human => logs.with_target(false).init(),
        LogFormat::Json => logs.json().init(),
    }
}
