//! The command that signs in again, for hints: to the profile and the tenant that the failed command was for.

use std::fmt;

use super::tenant::Tenant;

/// The profile where none is named.
pub const DEFAULT_PROFILE: &str = "default";

/// The module's public client id.
pub const DEFAULT_CLIENT_ID: &str = "3d5cffa9-04da-4657-8cab-c7f074657cad";

/// `mscommerce connect` with the flags that lead it to a profile and a tenant.
#[derive(Clone)]
pub struct SignInCommand {
    pub profile: String,
    pub tenant: Option<Tenant>,
    pub client_id: Option<String>,
    /// Whether it was an application that signed in, rather than a person.
    pub is_application: bool,
}

impl SignInCommand {
    /// The command for a user to sign in to this profile, and to this tenant if one is named.
    pub fn new(profile: &str, tenant: Option<&Tenant>) -> Self {
        Self { profile: profile.to_owned(), tenant: tenant.cloned(), client_id: None, is_application: false }
    }

    /// The same command with this client id.
    pub fn with_client_id(self, client_id: &str) -> Self {
        Self { client_id: Some(client_id.to_owned()), ..self }
    }

    /// The same command for an application instead of a user.
    pub fn for_application(self) -> Self {
        Self { is_application: true, ..self }
    }

    /// The flags that lead any command to the same profile and tenant, each after a blank.
    pub fn flags(&self) -> String {
        let profile =
            if self.profile == DEFAULT_PROFILE { String::new() } else { format!(" --profile {}", self.profile) };
        let tenant = self.tenant.as_ref().map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
        profile + &tenant
    }

    /// Replaces `{connect}` in a hint by this command, `{connect again}` by the one that renews the sign-in for every
    /// tenant it is used at, and `{connect at TENANT}` by the one for a tenant that the person has to name.
    pub fn expand(&self, hint: &str) -> String {
        let anywhere = Self { tenant: None, ..self.clone() };
        hint.replace("{connect again}", &anywhere.to_string())
            .replace("{connect at TENANT}", &format!("{anywhere} --tenant TENANT"))
            .replace("{connect}", &self.to_string())
    }
}

impl fmt::Display for SignInCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.is_application { " --application" } else { "" };
        write!(formatter, "mscommerce connect{way}{}", self.flags())?;
        match &self.client_id {
            Some(id) if id != DEFAULT_CLIENT_ID => {
                write!(formatter, " --client-id {}", crate::text::shell_quote_short(id))
            }
            _ => Ok(()),
        }
    }
}
