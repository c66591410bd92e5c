//! The flag or environment variable that names a secret or a file.

use std::fmt;
use std::io;

use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgSource {
    Flag(&'static str),
    Variable(&'static str),
}

impl ArgSource {
    /// The error for a file that cannot be read: wrong usage of a flag, or a missing credential in the environment.
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
