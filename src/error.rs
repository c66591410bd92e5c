//! The error type of the tool: the exit code, the causes, and hints for the user.

use std::fmt;

use crate::text::sanitize_line;

/// The result type of the tool.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error, which determines the exit code. See "Exit codes" in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command failed, completely or in part.
    Failed,
    /// The command line, the environment or the input is invalid. No request was sent.
    Usage,
    /// The user declined. Nothing was changed.
    Cancelled,
    /// The tenant differs from the baseline.
    Drift,
    /// A sign-in is required, or was rejected.
    Auth,
    /// The user pressed Ctrl-C, or the process received SIGTERM.
    Interrupted,
}

impl ErrorKind {
    /// The process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Cancelled => 1,
            Self::Usage => 2,
            Self::Drift => 3,
            Self::Auth => 4,
            Self::Interrupted => 130,
        }
    }
}

/// An error: its kind, a chain of causes, details such as the service's message, and hints such as the next command.
pub struct Error {
    kind: ErrorKind,
    source: anyhow::Error,
    details: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    /// Creates an error of a kind from a typed source.
    pub fn new(kind: ErrorKind, source: impl Into<anyhow::Error>) -> Self {
        Self { kind, source: source.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// Creates an error of kind [`ErrorKind::Failed`] from a typed source.
    pub fn from_source(source: impl Into<anyhow::Error>) -> Self {
        Self::new(ErrorKind::Failed, source)
    }

    /// Creates an error of kind [`ErrorKind::Failed`] from a message.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Failed, anyhow::anyhow!("{message}"))
    }

    /// Creates an error of kind [`ErrorKind::Usage`] from a message.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Usage, anyhow::anyhow!("{message}"))
    }

    /// Creates an error of kind [`ErrorKind::Auth`] from a message.
    pub fn auth(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Auth, anyhow::anyhow!("{message}"))
    }

    /// Creates an error of kind [`ErrorKind::Cancelled`].
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, anyhow::anyhow!("Cancelled. Nothing was changed."))
    }

    /// Creates an error of kind [`ErrorKind::Drift`] from a message.
    pub fn drift(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Drift, anyhow::anyhow!("{message}"))
    }

    /// Creates an error of kind [`ErrorKind::Interrupted`].
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, anyhow::anyhow!("interrupted"))
    }

    /// Sets the kind.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a message in front of the causes: what failed because of this error.
    pub fn context(mut self, message: impl fmt::Display) -> Self {
        self.source = self.source.context(message.to_string());
        self
    }

    /// Adds a detail, printed below the message in one line: text of a service must not look like several.
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        let detail = sanitize_line(detail.to_string().trim_end());
        if !detail.is_empty() {
            self.details.push(detail);
        }
        self
    }

    /// Adds several details.
    pub fn with_details(self, details: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        details.into_iter().fold(self, Self::with_detail)
    }

    /// Adds another error as details: `message`, then its details, indented.
    pub fn with_nested(self, message: impl fmt::Display, error: &Self) -> Self {
        error.details().fold(self.with_detail(message), |outer, detail| outer.with_detail(format!("  {detail}")))
    }

    /// Adds a hint, such as the next command.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several hints.
    pub fn with_hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The typed source or cause, if the error has one of this type.
    pub fn downcast_ref<T: fmt::Display + fmt::Debug + Send + Sync + 'static>(&self) -> Option<&T> {
        self.source.downcast_ref()
    }

    /// The message with all causes, separated by colons.
    pub fn message(&self) -> String {
        let chain: Vec<String> = self.source.chain().map(ToString::to_string).collect();
        chain.join(": ")
    }

    /// The lines of the details.
    pub fn details(&self) -> impl Iterator<Item = &str> {
        self.details.iter().map(String::as_str)
    }

    /// The message and details in one line, for a record field.
    pub fn summary(&self) -> String {
        std::iter::once(self.message().as_str()).chain(self.details()).collect::<Vec<_>>().join("; ")
    }

    /// The hints, in output order.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.kind, self.summary())
    }
}
