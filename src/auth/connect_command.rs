//! The command that signs in again, for hints: to the profile and the tenant that the failed command was for.

use std::fmt;

use super::tenant::Tenant;

/// The profile where none is named.
pub const DEFAULT_PROFILE: &str = "default";

/// The module's public client id.
pub const DEFAULT_CLIENT_ID: &str = "3d5cffa9-04da-4657-8cab-c7f074657cad";

/// `mscommerce connect` with the flags that lead it to a profile and a tenant.
#[derive(Clone, Copy)]
pub struct SignInCommand<'a> {
    pub profile: &'a str,
    pub tenant: Option<&'a Tenant>,
    pub client_id: Option<&'a str>,
    /// Whether it was an application that signed in, rather than a person.
    pub is_application: bool,
}

impl SignInCommand<'_> {
    /// The flags that lead any command to the same profile and tenant, each after a blank.
    pub fn flags(self) -> String {
        let profile =
            if self.profile == DEFAULT_PROFILE { String::new() } else { format!(" --profile {}", self.profile) };
        let tenant = self.tenant.map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
        profile + &tenant
    }

    /// Replaces `{connect}` in a hint by this command, `{connect again}` by the one that renews the sign-in for every
    /// tenant it is used at, and `{connect at TENANT}` by the one for a tenant that the person has to name.
    pub fn fill(self, hint: &str) -> String {
        let anywhere = SignInCommand { tenant: None, ..self };
        hint.replace("{connect again}", &anywhere.to_string())
            .replace("{connect at TENANT}", &format!("{anywhere} --tenant TENANT"))
            .replace("{connect}", &self.to_string())
    }
}

impl fmt::Display for SignInCommand<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.is_application { " --application" } else { "" };
        write!(formatter, "mscommerce connect{way}{}", self.flags())?;
        match self.client_id {
            Some(id) if id != DEFAULT_CLIENT_ID => {
                write!(formatter, " --client-id {}", crate::text::shell_quote_short(id))
            }
            _ => Ok(()),
        }
    }
}
