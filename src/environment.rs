//! A snapshot of the environment variables, which callers and tests can replace.
//!
//! Libraries still read the variables for proxies, certificates and the home directory from the process.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

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

    /// The trimmed value of a variable if it is set and not blank. Replaces invalid UTF-8 with U+FFFD.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.get_os(name).map(|value| value.to_string_lossy().trim().to_owned()).filter(|value| !value.is_empty())
    }
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
