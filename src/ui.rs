//! The only module that writes to standard output and standard error: results, messages, prompts, progress.
//!
//! Writes happen on other threads, so that Ctrl-C works while nobody reads the output.

mod checklist;
mod message;
mod stderr;

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use clap::builder::StyledStr;
use secrecy::SecretString;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::input::{Input, TerminalModes, prompt_hidden, read_blocking};
use crate::secret::SecretBytes;
use crate::text;
#[cfg(any(fuzzing, test))]
pub use message::format_error_checked;
use message::{ERROR, WARNING, format_error, wrap};
pub use stderr::Progress;
use stderr::{ProgressKind, StderrWriter};

/// ECMA-48, DECTCEM.
const SHOW_CURSOR: &str = "\u{1b}[?25h";

const DEBUG: Style = Style::new().dimmed();

/// The flags for messages and color.
#[derive(Clone, Copy, Debug, Default)]
pub struct UiOptions {
    /// Hides notes and progress.
    pub quiet: bool,
    /// The number of `-v` flags.
    pub verbosity: u8,
    pub color: clap::ColorChoice,
}

/// Which standard streams are terminals.
#[derive(Clone, Copy, Debug)]
pub struct TtyInfo {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Width of the terminal of standard output, in columns.
    pub width: Option<u16>,
    /// Width of the terminal of standard error, in columns.
    pub stderr_width: Option<u16>,
}

impl TtyInfo {
    /// Probes the standard streams of this process, with `input` as standard input.
    pub fn probe(input: &Input) -> Self {
        Self {
            stdin: input.is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            width: terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| columns.0),
            stderr_width: terminal_size::terminal_size_of(io::stderr()).map(|(columns, _)| columns.0),
        }
    }
}

/// The user interface of one run. Clones share its state.
#[derive(Clone)]
pub struct Ui(Rc<UiState>);

struct UiState {
    input: Input,
    stderr: StderrWriter,
    tty: TtyInfo,
    options: UiOptions,
    colors_stdout: bool,
    colors_stderr: bool,
    /// Whether the terminal cannot move the cursor.
    is_dumb: bool,
    prompt_is_open: Cell<bool>,
    /// Set while a hidden prompt is open.
    terminal_modes: RefCell<Option<TerminalModes>>,
}

/// How long the output waits for readers before it is given up: after an interrupt, or to keep the order of two streams.
pub const PATIENCE: Duration = Duration::from_secs(1);

impl Ui {
    /// Creates the user interface. Color depends on `--color`, otherwise on `NO_COLOR`, `TERM=dumb` and whether the
    /// stream is a terminal.
    pub fn new(input: Input, tty: TtyInfo, options: UiOptions, environment: &Environment) -> Self {
        let is_dumb = environment.get_os("TERM").is_some_and(|term| term == "dumb");
        let wants_color = |is_terminal: bool| match options.color {
            clap::ColorChoice::Always => true,
            clap::ColorChoice::Never => false,
            clap::ColorChoice::Auto => is_terminal && environment.get_os("NO_COLOR").is_none() && !is_dumb,
        };
        let (colors_stdout, colors_stderr) = (wants_color(tty.stdout), wants_color(tty.stderr));
        let stderr_choice = if colors_stderr { ColorChoice::Always } else { ColorChoice::Never };
        let shows_progress = tty.stderr && !is_dumb && !options.quiet && options.verbosity == 0;
        Self(Rc::new(UiState {
            input,
            stderr: StderrWriter::new(stderr_choice, shows_progress),
            tty,
            options,
            colors_stdout,
            colors_stderr,
            is_dumb,
            prompt_is_open: Cell::new(false),
            terminal_modes: RefCell::default(),
        }))
    }

    pub fn tty(&self) -> TtyInfo {
        self.0.tty
    }

    /// Whether results on standard output are colored.
    pub fn colors_stdout(&self) -> bool {
        self.0.colors_stdout
    }

    /// Writes the result of the command to standard output. A closed pipe is not an error.
    pub async fn print(&self, text: String) -> Result<()> {
        // On a terminal, earlier messages come first.
        let _ = tokio::time::timeout(PATIENCE / 4, self.flush()).await;
        // Results are data: without color, write them unchanged, including escape sequences.
        let choice = if self.0.colors_stdout { ColorChoice::Always } else { ColorChoice::AlwaysAnsi };
        let write = move || {
            let mut stdout = AutoStream::new(io::stdout(), choice);
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        };
        match tokio::task::spawn_blocking(write).await.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Error::from_source(error).context("could not write to standard output")),
            Ok(()) => Ok(()),
        }
    }

    /// Writes file content to standard output. Replaces control characters if it is a terminal.
    pub async fn print_text(&self, text: String) -> Result<()> {
        self.print(if self.0.tty.stdout { text::sanitize(&text) } else { text }).await
    }

    /// Prints the message of a clap error: help and version on standard output, usage errors on standard error.
    pub async fn print_clap_error(&self, error: &clap::Error) -> Result<()> {
        let text = error.render();
        if error.use_stderr() {
            self.0.stderr.write(text.ansi().to_string());
            return Ok(());
        }
        self.print_help(&text).await
    }

    /// Prints help on standard output.
    pub async fn print_help(&self, text: &StyledStr) -> Result<()> {
        self.print(if self.0.colors_stdout { text.ansi().to_string() } else { text.to_string() }).await
    }

    /// Returns when all messages are written.
    pub async fn flush(&self) {
        if let Some(written) = self.0.stderr.written() {
            let _ = written.await;
        }
    }

    /// Blocks until all messages are written.
    pub fn flush_blocking(&self) {
        if let Some(written) = self.0.stderr.written() {
            let _ = written.blocking_recv();
        }
    }

    /// Prints a message that requires user action. `--quiet` does not hide it. It may have several lines, so text of a
    /// service in it must be one line already.
    pub fn status(&self, message: &str) {
        self.0.stderr.write(wrap(&format!("{}\n", text::sanitize(message)), self.0.tty.stderr_width));
    }

    /// Prints a message of one line that `--quiet` hides.
    pub fn info(&self, message: &str) {
        if !self.0.options.quiet {
            self.status(&text::sanitize_line(message));
        }
    }

    /// Prints a message of one line with `-v`. It must not contain secrets.
    pub fn debug(&self, message: &str) {
        if self.0.options.verbosity > 0 {
            self.0.stderr.write(format!("{DEBUG}{}{DEBUG:#}\n", text::sanitize_line(message)));
        }
    }

    /// Prints lines with `-vv`, each after `prefix`. They must not contain secrets.
    pub fn trace(&self, prefix: char, lines: impl FnOnce() -> Vec<String>) {
        if self.0.options.verbosity > 1 {
            let format = |line: &String| {
                let line = format!("{prefix} {}", text::sanitize_line(line));
                format!("{DEBUG}{}{DEBUG:#}\n", line.trim_end())
            };
            self.0.stderr.write(lines().iter().map(format).collect());
        }
    }

    /// Prints a warning of one line. The command continues.
    pub fn warn(&self, message: &str) {
        self.write_error(WARNING, "warning:", &Error::failed(message));
    }

    /// Prints an error: the message, the indented details and the hints.
    pub fn error(&self, error: &Error) {
        match error.kind() {
            ErrorKind::Cancelled => self.status(&error.message()),
            ErrorKind::Drift => self.write_error(WARNING, "drift:", error),
            _ => self.write_error(ERROR, "error:", error),
        }
    }

    /// Prints an error as a warning, if the command continues despite it.
    pub fn warn_error(&self, error: &Error) {
        self.write_error(WARNING, "warning:", error);
    }

    fn write_error(&self, style: Style, label: &str, error: &Error) {
        self.0.stderr.write(wrap(&format_error(style, label, error), self.0.tty.stderr_width));
    }

    /// Asks a yes-or-no question. Any answer except `y` or `yes` means no.
    pub async fn confirm(&self, question: &str) -> Result<bool> {
        self.0.prompt_is_open.set(true);
        self.0.stderr.write(wrap(&format!("{} [y/N] ", text::sanitize(question)), self.0.tty.stderr_width));
        let answer = self.0.input.read_line().await?;
        // At the end of the input, the user has not typed a line break.
        self.close_prompt(!answer.ends_with('\n'));
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Prompts for a secret on the terminal, without echo. Fails with a usage error without a controlling terminal, for
    /// example after `setsid`.
    pub async fn prompt_secret(&self, prompt: &str) -> Result<SecretString> {
        let Some(modes) = TerminalModes::save() else {
            return Err(Error::usage("cannot prompt: this process has no controlling terminal"));
        };
        self.0.prompt_is_open.set(true);
        self.0.terminal_modes.replace(Some(modes));
        // The prompt goes to the terminal directly, after earlier messages.
        let _ = tokio::time::timeout(PATIENCE, self.flush()).await;
        let secret = prompt_hidden(text::sanitize_line(prompt)).await;
        self.0.terminal_modes.take();
        self.close_prompt(secret.is_err());
        secret
    }

    /// Whether the user can select items on the terminal. See [`Ui::tick`].
    pub fn can_select(&self) -> bool {
        self.0.tty.stdin && self.0.tty.stderr && !self.0.is_dumb
    }

    /// Lets the user tick items on the terminal. Returns the indices of the ticked ones: none if the user cancels.
    pub async fn tick(&self, question: &'static str, items: Vec<String>) -> Result<Vec<usize>> {
        let color = self.0.colors_stderr;
        self.select(move || checklist::tick(question, items, color)).await
    }

    /// Lets the user pick an item on the terminal. Returns its index: `None` if the user cancels.
    pub async fn pick(&self, question: &'static str, items: Vec<String>) -> Result<Option<usize>> {
        let color = self.0.colors_stderr;
        self.select(move || checklist::pick(question, items, color)).await
    }

    async fn select<T: Send + 'static>(&self, select: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
        self.0.terminal_modes.replace(TerminalModes::save());
        // The list goes to the terminal directly, after earlier messages.
        let _ = tokio::time::timeout(PATIENCE, self.flush()).await;
        let selected = read_blocking(select).await;
        self.0.terminal_modes.take();
        selected
    }

    /// Reads all of standard input as a secret. See [`Input::read_to_secret`].
    pub async fn read_stdin_secret(&self) -> Result<SecretString> {
        self.0.input.read_to_secret().await
    }

    /// Reads a file, or standard input if the path is `-`. Fails with [`io::ErrorKind::FileTooLarge`] if it is longer
    /// than `limit` bytes.
    pub async fn read_file(&self, path: &Path, limit: usize) -> io::Result<SecretBytes> {
        if files::is_stdio(path) {
            self.0.input.read_limited(limit).await
        } else {
            files::read_limited(path, limit).await
        }
    }

    /// Whether `-v` is set.
    pub fn is_verbose(&self) -> bool {
        self.0.options.verbosity > 0
    }

    /// Shows a progress bar for `total` changes. Progress is hidden with `--quiet` or `-v`, and if standard error is not
    /// a terminal.
    pub fn show_bar(&self, total: usize) -> Progress {
        self.0.stderr.show_progress(ProgressKind::Bar { total: total as u64 })
    }

    /// Shows a spinner with a message if the work takes longer than a moment, and counts the tenants if there are
    /// several. While progress is shown, further progress is not.
    pub fn show_spinner(&self, message: &str, tenants: usize) -> Progress {
        self.0.stderr.show_progress(ProgressKind::Spinner { message: message.to_owned(), tenants: tenants as u64 })
    }

    /// Restores the terminal after an unfinished prompt or progress bar.
    pub fn restore_terminal(&self) {
        self.0.stderr.clear_progress();
        if let Some(modes) = self.0.terminal_modes.borrow().as_ref() {
            modes.restore();
            // A list hides the cursor.
            self.0.stderr.write(SHOW_CURSOR.to_owned());
        }
        self.close_prompt(true);
    }

    fn close_prompt(&self, needs_line_end: bool) {
        if self.0.prompt_is_open.replace(false) && needs_line_end {
            self.0.stderr.write("\n".to_owned());
        }
    }
}
