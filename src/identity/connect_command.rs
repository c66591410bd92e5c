//! The command that signs in again, for hints: to the profile and the tenant that the failed command was for.

use std::fmt;

use super::tenant::Tenant;

/// The profile where none is named.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// `mscommerce connect` with the flags that lead it to a profile and a tenant.
#[derive(Clone, Copy)]
pub(crate) struct ConnectCommand<'a> {
    pub(crate) profile: &'a str,
    pub(crate) tenant: Option<&'a Tenant>,
}

impl ConnectCommand<'_> {
    /// Replaces `{connect}` in a hint by this command, and `{connect at TENANT}` by the command for a tenant that
    /// the person has to name.
    pub(crate) fn fill(self, hint: &str) -> String {
        let anywhere = ConnectCommand { tenant: None, ..self };
        hint.replace("{connect at TENANT}", &format!("{anywhere} --tenant TENANT"))
            .replace("{connect}", &self.to_string())
    }
}

impl fmt::Display for ConnectCommand<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("mscommerce connect")?;
        if self.profile != DEFAULT_PROFILE {
            write!(formatter, " --profile {}", self.profile)?;
        }
        match self.tenant {
            Some(tenant) => write!(formatter, " --tenant {tenant}"),
            None => Ok(()),
        }
    }
}
