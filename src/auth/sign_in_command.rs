//! The `connect` command for hints: the one that signs in to the profile and tenant of the failed command.

use std::fmt;

use super::tenant::Tenant;
use crate::text::shell_quote_short;

/// The profile that is used unless another is named.
pub const DEFAULT_PROFILE: &str = "default";

/// The public client id of the MSCommerce module.
pub const DEFAULT_CLIENT_ID: &str = "3d5cffa9-04da-4657-8cab-c7f074657cad";

/// `mscommerce connect` with the flags for a profile and a tenant.
#[derive(Clone)]
pub struct SignInCommand {
    pub profile: String,
    pub tenant: Option<Tenant>,
    pub client_id: Option<String>,
    /// Whether an application signs in, not a user.
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

    /// The same command for an application.
    pub fn for_application(self) -> Self {
        Self { is_application: true, ..self }
    }

    /// The flags that name the same profile and tenant for any command, each after a blank.
    pub fn flags(&self) -> String {
        let profile =
            if self.profile == DEFAULT_PROFILE { String::new() } else { format!(" --profile {}", self.profile) };
        let tenant = self.tenant.as_ref().map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
        profile + &tenant
    }

    /// Replaces the placeholders in a hint: `{sign-in}` by this command, `{sign-in-any-tenant}` by the command without a
    /// tenant, which renews the sign-in for every tenant, and `{sign-in-tenant}` by the command for a tenant that the user
    /// has to name.
    pub fn expand(&self, hint: &str) -> String {
        let any_tenant = Self { tenant: None, ..self.clone() };
        hint.replace("{sign-in-any-tenant}", &any_tenant.to_string())
            .replace("{sign-in-tenant}", &format!("{any_tenant} --tenant TENANT"))
            .replace("{sign-in}", &self.to_string())
    }
}

impl fmt::Display for SignInCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.is_application { " --application" } else { "" };
        write!(formatter, "mscommerce connect{method}{}", self.flags())?;
        match &self.client_id {
            Some(id) if id != DEFAULT_CLIENT_ID => write!(formatter, " --client-id {}", shell_quote_short(id)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expand_names_the_tenant_once() {
        let tenant = Tenant::parse("fabrikam.example").expect("a tenant");
        let command = SignInCommand::new("lab", Some(&tenant));
        assert_eq!(command.expand("{sign-in}"), "mscommerce connect --profile lab --tenant fabrikam.example");
        assert_eq!(command.expand("{sign-in-tenant}"), "mscommerce connect --profile lab --tenant TENANT");
        assert_eq!(command.expand("{sign-in-any-tenant}"), "mscommerce connect --profile lab");
    }
}
