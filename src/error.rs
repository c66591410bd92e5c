//! The one error type of the tool: what a failure means to the shell, what happened, and what to type next.

use std::fmt;

/// What every fallible step of the tool returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a failure means to whoever called the executable; see "Exit codes" in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command failed, wholly or in part.
    Failed,
    /// The command line or the environment is wrong; the network was not touched.
    Usage,
    /// Nothing failed, but the tenant is not as it should be.
    Drift,
    /// A sign-in is needed, or was refused.
    Auth,
    /// The person pressed Ctrl-C.
    Interrupted,
}

impl ErrorKind {
    /// The process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Drift => 3,
            Self::Auth => 4,
            Self::Interrupted => 130,
        }
    }
}

/// A failure: its kind, what failed and why (a chain of causes), details such as the service's own words, and
/// hints that name the next command.
pub struct Error {
    kind: ErrorKind,
    source: anyhow::Error,
    details: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    /// A failure of a kind, with a typed source.
    pub fn new(kind: ErrorKind, source: impl Into<anyhow::Error>) -> Self {
        Self { kind, source: source.into(), details: Vec::new(), hints: Vec::new() }
    }

    /// A failure of kind [`ErrorKind::Failed`] with a typed source.
    pub fn from_source(source: impl Into<anyhow::Error>) -> Self {
        Self::new(ErrorKind::Failed, source)
    }

    /// A failure of kind [`ErrorKind::Failed`] described in words.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Failed, anyhow::anyhow!("{message}"))
    }

    /// A wrong command line or environment, described in words.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Usage, anyhow::anyhow!("{message}"))
    }

    /// A sign-in that is needed or was refused, described in words.
    pub fn auth(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Auth, anyhow::anyhow!("{message}"))
    }

    /// A tenant that is not as it should be, described in words.
    pub fn drift(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Drift, anyhow::anyhow!("{message}"))
    }

    /// The person pressed Ctrl-C.
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, anyhow::anyhow!("interrupted"))
    }

    /// The same failure as another kind.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same failure, told as a consequence: `what` failed because of it.
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.source = self.source.context(what.to_string());
        self
    }

    /// Adds a line that is shown below what failed.
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.details.push(detail.to_string());
        self
    }

    /// Adds a line that names what to type next.
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

    /// The typed source, where there is one.
    pub fn downcast_ref<T: fmt::Display + fmt::Debug + Send + Sync + 'static>(&self) -> Option<&T> {
        self.source.downcast_ref()
    }

    /// What failed and why, in one sentence.
    pub fn message(&self) -> String {
        let chain: Vec<String> = self.source.chain().map(ToString::to_string).collect();
        chain.join(": ")
    }

    /// The lines shown below the headline.
    pub fn details(&self) -> impl Iterator<Item = &str> {
        self.details.iter().flat_map(|detail| detail.lines())
    }

    /// Headline and details in one line, for a field of a record.
    pub fn summary(&self) -> String {
        std::iter::once(self.message().as_str()).chain(self.details()).collect::<Vec<_>>().join("; ")
    }

    /// The hints, in the order to be printed.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.kind, self.summary())
    }
}
