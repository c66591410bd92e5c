//! `mscommerce` shows and changes which Microsoft 365 products people in an organisation may buy for themselves.
//!
//! The library is the executable's inside: [`run`] parses a command line, carries it out and prints the result.
//! Values flow one way: command line and environment become settings, a command turns them into data, and the
//! data is rendered at the end.

mod api;
mod auth;
mod cli;
mod commands;
mod environment;
mod error;
mod files;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod history;
mod http;
mod input;
mod interrupt;
mod known_products;
mod output;
mod pattern;
mod plan;
mod private;
mod progress;
mod report;
mod secret;
mod settings;
mod text;
mod ui;

use std::ffi::OsString;

use cli::{Cli, Command, GlobalArgs};
use commands::{CommandOutput, Context};
use error::{Error, ErrorKind, Result};
use interrupt::Interrupt;
use report::Report;
use settings::Settings;
use ui::UiOptions;

pub use environment::Environment;
pub use ui::{TtyInfo, Ui};

/// Answers a shell that asks, by a variable of the environment, how a command line could go on. Where one did, nothing else
/// is to be done, and the exit code is returned.
#[must_use]
pub fn completed() -> Option<u8> {
    match cli::offer_completions() {
        Ok(was_asked) => was_asked.then_some(0),
        Err(error) => Some(exit_code(&Ui::from_process(), Some(error), 0)),
    }
}

/// Runs one command line, prints what there is to print, and returns the exit code: 0 done, 1 failed, 2 wrong
/// usage, 3 drift found, 4 sign-in needed or refused, 130 interrupted. Needs a tokio runtime with time and I/O; the first
/// argument is the name of the program.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment, terminal: Ui) -> u8 {
    let cli = match Cli::read(arguments, terminal.facts().width) {
        Ok(cli) => cli,
        Err(message) => {
            let terminal = terminal.with_manners(UiOptions::default(), &environment);
            let printed = terminal.command_line(&message);
            let code = if message.use_stderr() { ErrorKind::Usage.exit_code() } else { 0 };
            return exit_code(&terminal, printed.err(), code);
        }
    };
    let terminal = terminal.with_manners(manners(&cli.global), &environment);
    let interrupt = Interrupt::default();
    let ended = tokio::select! {
        biased;
        () = interrupt.watch(|waiting| terminal.say(waiting)) => {
            terminal.restore();
            Err(interrupt.error())
        }
        result = carry_out(cli, environment, &terminal, &interrupt) => result,
    };
    exit_code(&terminal, ended.err(), 0)
}

fn manners(global: &GlobalArgs) -> UiOptions {
    UiOptions { quiet: global.quiet, verbosity: global.verbose, color: global.color }
}

async fn carry_out(cli: Cli, environment: Environment, terminal: &Ui, interrupt: &Interrupt) -> Result<()> {
    let settings = Settings::new(&cli.global, environment)?;
    let http = http::Client::new(settings.timeout, terminal, interrupt);
    let context = Context { settings: &settings, terminal, http: &http, interrupt };
    let CommandOutput { output, document, note, failure } = run_command(cli.command, &context).await?;
    let printed = output.map_or(Ok(()), |output| output.print(settings.format, settings.query.as_ref(), terminal));
    let printed = printed.and(document.map_or(Ok(()), |document| terminal.document(&document)));
    // What was done is told even where the records of it cannot be written.
    if let Some(note) = note {
        terminal.info(&note);
    }
    match (printed, failure) {
        (Err(unprinted), Some(failure)) => {
            terminal.error(&unprinted);
            Err(failure)
        }
        (printed, None) => printed,
        (Ok(()), Some(failure)) => Err(failure),
    }
}

/// Boxed, so that the state of the largest command is not part of every caller's.
async fn run_command(command: Command, context: &Context<'_>) -> Result<CommandOutput> {
    Box::pin(commands::run(command, context)).await
}

fn exit_code(terminal: &Ui, error: Option<Error>, otherwise: u8) -> u8 {
    let Some(error) = error else { return otherwise };
    terminal.error(&error);
    error.kind().exit_code()
}
