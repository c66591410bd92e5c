//! A snapshot of the environment variables, which callers and tests can replace.
//!
//! Libraries still read the variables for proxies, certificates and the home directory from the process.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Environment variables. Empty variables count as unset. On Windows, names are case-insensitive.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

/// Prints names only, because values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of a variable if it is set and not empty.
    #[must_use]
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable without a byte order mark and white space around it, if it is set and not blank.
    /// Replaces invalid UTF-8 with U+FFFD.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.get_os(name).map(|value| trim(&value.to_string_lossy()).to_owned()).filter(|value| !value.is_empty())
    }

    /// The path in a variable, trimmed as by [`Environment::get`]. Keeps a path that is not UTF-8.
    #[must_use]
    pub fn get_path(&self, name: &str) -> Option<PathBuf> {
        match self.get_os(name)?.to_str() {
            Some(value) => Some(trim(value)).filter(|value| !value.is_empty()).map(PathBuf::from),
            None => self.get_os(name).map(PathBuf::from),
        }
    }

    /// Fails if the value of one of the variables begins and ends with a quotation mark, as `docker --env-file` leaves
    /// it.
    ///
    /// # Errors
    ///
    /// A usage error that names the variable.
    pub fn check_unquoted(&self, names: &[&str]) -> Result<()> {
        let is_quoted = |name: &&&str| self.get(name).is_some_and(|value| is_quoted(&value));
        names.iter().find(is_quoted).map_or(Ok(()), |name| {
            Err(Error::usage(format!("the value of {name} begins and ends with a quotation mark"))
                .with_hint(format!("set {name} without the quotation marks; an env file of docker takes none")))
        })
    }
}

/// Removes white space and byte order marks around a value.
fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}')
}

/// Whether a value begins and ends with the same quotation mark.
pub fn is_quoted(value: &str) -> bool {
    value.len() > 1 && ['"', '\''].iter().any(|quote| value.starts_with(*quote) && value.ends_with(*quote))
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let key = |name: OsString| {
            let name = name.to_string_lossy().into_owned();
            if cfg!(windows) { name.to_uppercase() } else { name }
        };
        Self(variables.into_iter().map(|(name, value)| (key(name.into()), value.into())).collect())
    }
}
