//! A setting with its source.

use crate::environment::Environment;
use crate::error::Result;

/// Where the value of a setting comes from: a flag, an environment variable, or the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Flag(&'static str),
    Env(&'static str),
    Default,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag(name) | Self::Env(name) => name,
            Self::Default => "default",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Setting<T> {
    pub value: T,
    pub source: Source,
}

impl<T> Setting<T> {
    pub fn from_flag(flag: &'static str, value: Option<T>, default: T) -> Self {
        match value {
            Some(value) => Self { value, source: Source::Flag(flag) },
            None => Self { value: default, source: Source::Default },
        }
    }

    /// The value of the flag, if it is given.
    pub fn flag(&self) -> Option<&T> {
        matches!(self.source, Source::Flag(_)).then_some(&self.value)
    }
}

impl Setting<String> {
    pub fn from_env(environment: &Environment, variable: &'static str, default: &str) -> Self {
        match environment.get(variable) {
            Some(value) => Self { value, source: Source::Env(variable) },
            None => Self { value: default.to_owned(), source: Source::Default },
        }
    }
}

/// A setting as text, for display. Holds no secret: of credentials it names only the variables.
pub struct DescribedSetting {
    pub name: &'static str,
    pub value: Result<String>,
    pub source: &'static str,
}
