//! `mscommerce` shows and changes which Microsoft 365 products people in an organisation may buy for themselves.
//!
//! [`run`] parses a command line, runs the command and prints the result. Data flows in one direction: the command line
//! and the environment become settings, a command returns data, and the data is rendered as text.

mod api;
mod auth;
mod cli;
mod cmdlets;
mod commands;
mod context;
mod decode;
mod environment;
mod error;
mod files;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod help;
mod history;
mod http;
mod input;
mod interrupt;
mod known_products;
mod output;
mod pattern;
mod plan;
mod redact;
mod secret;
mod setting;
mod settings;
mod text;
mod ui;
mod usage_error;
mod variables;

use std::ffi::OsString;
use std::rc::Rc;

use cli::{Cli, Invocation};
use commands::CommandOutput;
use context::Context;
use error::{Error, ErrorKind, Result};
use interrupt::Interrupt;
use output::{RenderOptions, Rendered};
use settings::{GlobalArgs, Settings};
use ui::{PATIENCE, TtyInfo, Ui, UiOptions};

pub use environment::Environment;
pub use input::Input;

/// Prints completion candidates if a completion script started this process (`MSCOMMERCE_COMPLETE` is set). Returns
/// the exit code if so, otherwise `None`.
#[must_use]
pub fn handle_completion_request() -> Option<u8> {
    match commands::shell::handle_completion_request(Cli::command_tree) {
        Ok(is_handled) => is_handled.then_some(0),
        Err(error) => {
            let input = Input::from_process();
            let tty = TtyInfo::probe(&input);
            let ui = Ui::new(input, tty, UiOptions::default(), &Environment::from_process());
            let code = report_error(&ui, &error);
            ui.flush_blocking();
            Some(code)
        }
    }
}

/// Runs a command line and prints the result. The first argument is the program name. Requires a tokio runtime with
/// time and I/O enabled.
///
/// Returns the exit code: 0 success, 1 failure, 2 usage error, 3 drift, 4 sign-in required or rejected, 130
/// interrupted.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment, input: Input) -> u8 {
    let tty = TtyInfo::probe(&input);
    let parsed = Cli::parse_from_args(arguments);
    let options = match &parsed {
        Ok(Invocation::Command(cli)) => UiOptions::from(&cli.global),
        _ => UiOptions::default(),
    };
    let ui = Ui::new(input, tty, options, &environment);
    let interrupt = Interrupt::default();
    let work = async {
        let result = match parsed {
            Ok(Invocation::Help(text)) => ui.print_help(&text).await.map(|()| 0),
            Ok(Invocation::Command(cli)) => execute(*cli, environment, &ui, &interrupt).await.map(|()| 0),
            Err(clap_error) => {
                let code = if clap_error.use_stderr() { ErrorKind::Usage.exit_code() } else { 0 };
                ui.print_clap_error(&clap_error).await.map(|()| code)
            }
        };
        let code = match result {
            // The command was interrupted, and completed nevertheless, because it had changes to report.
            Ok(_) if interrupt.is_set() => ErrorKind::Interrupted.exit_code(),
            Ok(code) => code,
            Err(error) => report_error(&ui, &error),
        };
        unless_interrupted_for_long(&interrupt, ui.flush()).await;
        code
    };
    tokio::select! {
        biased;
        () = interrupt.watch(&ui) => {
            ui.restore_terminal();
            let code = report_error(&ui, &Error::interrupted());
            let _ = tokio::time::timeout(PATIENCE, ui.flush()).await;
            // The thread of the prompt may have changed the terminal again.
            ui.restore_terminal();
            let _ = tokio::time::timeout(PATIENCE, ui.flush()).await;
            code
        }
        code = work => code,
    }
}

/// Awaits output. Returns `None` if it is not written within [`PATIENCE`] after an interrupt, because nobody reads it.
async fn unless_interrupted_for_long<T>(interrupt: &Interrupt, output: impl Future<Output = T>) -> Option<T> {
    let interrupted_for_long = async {
        let interrupted = interrupt.wait().await;
        tokio::time::sleep_until((interrupted + PATIENCE).into()).await;
    };
    tokio::select! {
        biased;
        written = output => Some(written),
        () = interrupted_for_long => None,
    }
}

impl From<&GlobalArgs> for UiOptions {
    fn from(global: &GlobalArgs) -> Self {
        Self { quiet: global.quiet, verbosity: global.verbose, color: global.color }
    }
}

async fn execute(cli: Cli, environment: Environment, ui: &Ui, interrupt: &Interrupt) -> Result<()> {
    let settings = Rc::new(Settings::new(&cli.global, environment)?);
    let http = http::Client::new(settings.timeout.value, cli.command.jobs(), ui.clone(), interrupt.clone());
    let context = Context { settings: Rc::clone(&settings), ui: ui.clone(), http, interrupt: interrupt.clone() };
    let CommandOutput { output, text, note, note_repeats_data, error } = Box::pin(cli.command.run(&context)).await?;
    let tty = ui.tty();
    let options = RenderOptions { width: tty.width, color: ui.colors_stdout(), for_terminal: tty.stdout };
    let rendered =
        output.map(|output| output.render(settings.format.value, settings.query.as_ref(), options)).transpose();
    let print = async {
        if let Some(Rendered { text, query_error }) = rendered? {
            ui.print(text).await?;
            query_error.map_or(Ok(()), Err)?;
        }
        if let Some(text) = text {
            ui.print_text(text).await?;
        }
        Ok(())
    };
    let printed = unless_interrupted_for_long(interrupt, print).await.unwrap_or_else(|| Err(Error::interrupted()));
    // Print the summary even if the records cannot be written, because it reports changes that were made.
    let is_repetition = note_repeats_data && settings.prints_table() && printed.is_ok();
    if let Some(note) = note.filter(|_| !is_repetition) {
        ui.info(&note);
    }
    match (printed, error) {
        (Err(print_error), Some(error)) => {
            ui.error(&print_error);
            Err(error)
        }
        (printed, None) => printed,
        (Ok(()), Some(error)) => Err(error),
    }
}

fn report_error(ui: &Ui, error: &Error) -> u8 {
    ui.error(error);
    error.kind().exit_code()
}
