//! The flag or environment variable that supplies a secret or a file path.

use std::fmt;
use std::io;
use std::path::Path;

use crate::error::Error;
use crate::files;
use crate::input::Input;
use crate::secret::SecretBytes;

/// The flag or environment variable that supplied a value, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgSource {
    Flag(&'static str),
    Variable(&'static str),
}

impl ArgSource {
    /// Reads the file, or standard input if a flag names it `-`. Fails like [`files::read_limited`].
    pub async fn read(self, path: &Path, limit: usize) -> io::Result<SecretBytes> {
        match self {
            Self::Flag(_) if files::is_stdio(path) => Input::from_process().read_limited(limit).await,
            _ => files::read_limited(path, limit).await,
        }
    }

    /// The error for an unreadable file: a usage error for a flag, an authentication error for a variable.
    pub fn read_error(self, error: io::Error, description: &str) -> Error {
        let error = match self {
            Self::Flag(_) => Error::usage(error),
            Self::Variable(_) => Error::auth(error),
        };
        error.context(format!("could not read {description}")).with_hint(format!("check {self}"))
    }
}

impl fmt::Display for ArgSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => formatter.write_str(name),
        }
    }
}
