//! The one place that prints and asks: the two output streams, what is known of the terminal, and prompts.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use secrecy::SecretString;

use crate::cli::ColorChoice;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Input;
use crate::progress::Bar;
use crate::report::Report;
use crate::text;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const DETAIL: Style = Style::new().dimmed();

/// What is known of the streams, probed once.
#[derive(Clone, Copy, Debug, Default)]
pub struct TtyInfo {
    /// Standard input is a terminal: a question can be asked.
    pub input_is_terminal: bool,
    /// Standard output is a terminal.
    pub output_is_terminal: bool,
    /// Standard error is a terminal.
    pub errors_is_terminal: bool,
    /// Columns of the terminal behind standard output, where there is one.
    pub width: Option<u16>,
}

impl TtyInfo {
    fn from_process() -> Self {
        Self {
            input_is_terminal: io::stdin().is_terminal(),
            output_is_terminal: io::stdout().is_terminal(),
            errors_is_terminal: io::stderr().is_terminal(),
            width: terminal_size::terminal_size_of(io::stdout()).map(|(terminal_size::Width(columns), _)| columns),
        }
    }
}

/// How the person wants to be spoken to: what the flags of the command line say.
#[derive(Clone, Copy, Debug, Default)]
pub struct UiOptions {
    pub quiet: bool,
    pub verbosity: u8,
    pub color: ColorChoice,
}

/// The streams of one run of the tool.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Ui {
    input: Input,
    output: RefCell<Box<dyn Write>>,
    errors: RefCell<Box<dyn Write>>,
    facts: TtyInfo,
    manners: UiOptions,
    color_output: bool,
    color_errors: bool,
    prompt_is_open: Cell<bool>,
    is_dumb: bool,
    is_ascii: bool,
    progress: RefCell<Option<Bar>>,
}

impl Ui {
    /// The streams of this process.
    #[must_use]
    pub fn from_process() -> Self {
        Self::build(Input::process(), Box::new(io::stdout()), Box::new(io::stderr()), TtyInfo::from_process())
    }

    /// Streams of the caller's choice, for a program that runs the tool inside itself.
    #[must_use]
    pub fn new(input: Vec<u8>, output: Box<dyn Write>, errors: Box<dyn Write>, facts: TtyInfo) -> Self {
        Self::build(Input::text(input), output, errors, facts)
    }

    fn build(input: Input, output: Box<dyn Write>, errors: Box<dyn Write>, facts: TtyInfo) -> Self {
        Self {
            input,
            output: RefCell::new(output),
            errors: RefCell::new(errors),
            facts,
            manners: UiOptions::default(),
            color_output: false,
            color_errors: false,
            prompt_is_open: Cell::new(false),
            is_dumb: false,
            is_ascii: false,
            progress: RefCell::default(),
        }
    }

    /// The same streams, spoken to as the flags and the environment say.
    pub fn with_manners(mut self, manners: UiOptions, environment: &Environment) -> Self {
        let is_dumb = environment.get_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = |is_terminal: bool| match manners.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && environment.get_os("NO_COLOR").is_none() && !is_dumb,
        };
        self.manners = manners;
        self.is_dumb = is_dumb;
        self.is_ascii = is_ascii(environment);
        self.color_output = wanted(self.facts.output_is_terminal);
        self.color_errors = wanted(self.facts.errors_is_terminal);
        #[cfg(windows)]
        if self.color_output || self.color_errors {
            anstyle_query::windows::enable_ansi_colors();
        }
        self
    }

    pub fn facts(&self) -> TtyInfo {
        self.facts
    }

    /// Whether escape sequences for colour belong on standard output.
    pub fn colors_output(&self) -> bool {
        self.color_output
    }

    /// The text as the terminal behind standard output can show it; as it is where there is none.
    pub fn legible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.shown_by(self.facts.output_is_terminal, text)
    }

    fn shown_by<'t>(&self, is_terminal: bool, text: &'t str) -> Cow<'t, str> {
        if is_terminal && self.is_ascii { text::to_ascii(text).into() } else { text.into() }
    }

    /// Writes the command's result to standard output. A reader that has gone away is no failure.
    pub fn data(&self, data: &str) -> Result<()> {
        let mut output = self.output.borrow_mut();
        match output.write_all(data.as_bytes()).and_then(|()| output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Error::from_source(error).context("could not write to standard output")),
            Ok(()) => Ok(()),
        }
    }

    /// Writes a text for a file to standard output: as it is, unless a terminal would act upon it.
    pub fn document(&self, text: &str) -> Result<()> {
        if self.facts.output_is_terminal { self.data(&text::sanitize(text)) } else { self.data(text) }
    }

    /// Something the person has to act on, shown even with `--quiet`.
    pub fn say(&self, message: &str) {
        self.write_error_line(None, &text::sanitize(message));
    }

    /// Prints a failure: what failed, the details indented, the hints.
    pub fn error(&self, error: &Error) {
        let label = if error.kind() == ErrorKind::Drift { (WARNING, "drift:") } else { (ERROR, "error:") };
        self.tell(label, error);
    }

    /// Prints in the same form what a command did not fail for.
    pub fn warn_of(&self, error: &Error) {
        self.tell((WARNING, "warning:"), error);
    }

    fn tell(&self, label: (Style, &str), error: &Error) {
        self.write_error_line(Some(label), &text::sanitize_line(&error.message()));
        for line in error.details() {
            self.write_error_line(None, &format!("  {}", text::sanitize_line(line)));
        }
        for hint in error.hints() {
            self.write_error_line(Some((HINT, "hint:")), &text::sanitize_line(hint));
        }
    }

    /// Prints what clap has to say: help and version on standard output, usage errors on standard error.
    pub fn command_line(&self, message: &clap::Error) -> Result<()> {
        let is_error = message.use_stderr();
        let color = if is_error { self.color_errors } else { self.color_output };
        let rendered = message.render();
        let text = if color { rendered.ansi().to_string() } else { rendered.to_string() };
        if is_error {
            self.write_errors(&text);
            return Ok(());
        }
        self.data(&self.legible(&text))
    }

    /// Asks a question that is answered with yes or no; anything but yes is no.
    pub async fn confirm(&self, question: &str) -> Result<bool> {
        self.prompt_is_open.set(true);
        self.write_errors(&format!("{} [y/N] ", text::sanitize(question)));
        let answer = self.input.line().await?;
        // The person's own line end closes the prompt; the end of the input does not.
        self.close_prompt(!answer.ends_with('\n'));
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a secret on the terminal without showing it.
    pub async fn secret(&self, prompt: &str) -> Result<SecretString> {
        self.prompt_is_open.set(true);
        let typed = self.input.secret(self.shown_by(true, &text::sanitize_line(prompt)).into_owned()).await;
        self.close_prompt(typed.is_err());
        typed
    }

    fn close_prompt(&self, needs_line_end: bool) {
        if self.prompt_is_open.replace(false) && needs_line_end {
            self.write_errors("\n");
        }
    }

    /// All of standard input, as a secret: one trailing line end removed.
    pub async fn input_as_secret(&self) -> Result<SecretString> {
        self.input.all_as_secret().await
    }

    /// Shows how far a work of `total` steps is, where standard error is a terminal that can: not beside the lines
    /// of `--verbose`.
    pub fn start_progress(&self, total: usize) {
        let is_quiet = self.manners.quiet || self.manners.verbosity > 0;
        if self.facts.errors_is_terminal && !self.is_dumb && !is_quiet {
            let columns = terminal_size::terminal_size_of(io::stderr()).map(|(columns, _)| columns.0);
            let bar = self.progress.borrow_mut().insert(Bar::new(total, columns)).drawn();
            self.write_to_errors(&bar);
        }
    }

    /// One step further.
    pub fn advance_progress(&self) {
        if let Some(bar) = &mut *self.progress.borrow_mut() {
            bar.advance();
            self.write_to_errors(&bar.drawn());
        }
    }

    /// Takes the progress away.
    pub fn end_progress(&self) {
        if let Some(bar) = self.progress.take() {
            self.write_to_errors(&bar.erased());
        }
    }

    /// Puts the terminal back as it was before an unfinished prompt or work.
    pub fn restore(&self) {
        self.end_progress();
        self.input.restore();
        self.close_prompt(true);
    }

    fn write_error_line(&self, label: Option<(Style, &str)>, line: &str) {
        let label = label.map(|(style, label)| format!("{} ", self.painted(style, label))).unwrap_or_default();
        self.write_errors(&format!("{label}{line}\n"));
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.color_errors { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Writes above the bar, where there is one.
    fn write_errors(&self, text: &str) {
        let text = self.shown_by(self.facts.errors_is_terminal, text);
        match &*self.progress.borrow() {
            Some(bar) => self.write_to_errors(&format!("{}{text}{}", bar.erased(), bar.drawn())),
            None => self.write_to_errors(&text),
        }
    }

    /// Nothing can be said where standard error itself is gone, so failures to write to it are dropped.
    fn write_to_errors(&self, text: &str) {
        let mut errors = self.errors.borrow_mut();
        let _ = errors.write_all(text.as_bytes()).and_then(|()| errors.flush());
    }
}

/// Whether the locale says that a terminal shows ASCII alone. On Windows the console shows every character.
fn is_ascii(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
    let locale = locale.unwrap_or_default().to_lowercase();
    cfg!(unix) && !locale.contains("utf-8") && !locale.contains("utf8")
}

impl Report for Ui {
    fn warn(&self, message: &str) {
        self.write_error_line(Some((WARNING, "warning:")), &text::sanitize(message));
    }

    fn info(&self, message: &str) {
        if !self.manners.quiet {
            self.say(message);
        }
    }

    fn debug(&self, message: &str) {
        if self.manners.verbosity > 0 {
            let line = self.painted(DETAIL, &text::sanitize(message));
            self.write_error_line(None, &line);
        }
    }
}
