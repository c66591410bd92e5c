//! The flag or environment variable that supplies a secret or a file path.

use std::fmt;
use std::io;

use crate::error::Error;

/// The flag or environment variable that supplied a value, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgSource {
    Flag(&'static str),
    Variable(&'static str),
}

impl ArgSource {
    /// The error for an unreadable file: a usage error for a flag, an authentication error for a variable.
    pub fn read_error(self, error: io::Error, description: &str) -> Error {
        let error = match self {
            Self::Flag(_) => Error::usage(error),
            Self::Variable(_) => Error::auth(error),
        };
        error.context(format!("could not read {description}")).with_hint(format!("look at {self}"))
    }
}

impl fmt::Display for ArgSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => formatter.write_str(name),
        }
    }
}
