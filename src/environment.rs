//! A snapshot of the environment variables, which callers and tests can replace.
//!
//! The variables for proxies, certificates and the home directory are read from the process, also by libraries.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::variables::is_documented;

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
        debug_assert!(is_documented(name), "{name} is missing in src/variables.rs");
        self.0.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable without a byte order mark and white space around it, if it is set and not blank.
    /// Replaces invalid UTF-8 with U+FFFD.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.get_os(name).map(|value| trim(&value.to_string_lossy()).to_owned()).filter(|value| !value.is_empty())
    }

    /// The trimmed value of a variable that names a file or directory. Expands a leading `~`, which shells do not
    /// expand in quotes and which files of variables pass on as it is.
    ///
    /// # Errors
    /// Fails for a path that only a shell expands, such as `~ada` and `$HOME`, and without a home directory.
    pub fn get_path(&self, name: &str) -> Result<Option<PathBuf>> {
        let value = self.get_os(name).map(|value| value.to_str().map_or(value, |text| OsStr::new(trim(text))));
        let Some(path) = value.filter(|value| !value.is_empty()).map(PathBuf::from) else { return Ok(None) };
        let mut components = path.components();
        let first = components.next().map(|first| first.as_os_str().to_string_lossy().into_owned());
        let shown = path.display();
        match first.as_deref() {
            Some("~") => {}
            Some(first) if first.starts_with(['~', '$']) || (first.starts_with('%') && first.ends_with('%')) => {
                return Err(Error::usage(format!("{name}: '{shown}': only ~/ is expanded"))
                    .with_hint(format!("use the full path, or ./{shown} for a file with this name")));
            }
            _ => return Ok(Some(path)),
        }
        let home = home_directory().ok_or_else(|| {
            Error::usage(format!("{name}: '{shown}': home directory not found")).with_hint("use the full path")
        })?;
        Ok(Some(home.join(components.as_path())))
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
                .with_hint(format!("set {name} without quotation marks; Docker env files do not support them")))
        })
    }
}

/// The value of a variable of the process, if it is set and not empty: for the variables that libraries read as well.
#[must_use]
pub fn process_variable(name: &str) -> Option<OsString> {
    debug_assert!(is_documented(name), "{name} is missing in src/variables.rs");
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Removes white space and byte order marks around a value.
pub fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}')
}

/// Whether a value begins and ends with the same quotation mark.
pub fn is_quoted(value: &str) -> bool {
    value.len() > 1 && ['"', '\''].iter().any(|quote| value.starts_with(*quote) && value.ends_with(*quote))
}

/// The user's home directory, if there is a usable one: `HOME` may be relative.
#[must_use]
pub fn home_directory() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
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
