//! Builds the `connect` command for hints, with the profile and tenant of the failed command.

use std::fmt;

use super::tenant::Tenant;
use crate::text::shell_quote_short;

/// The profile without `--profile`.
pub const DEFAULT_PROFILE: &str = "default";

/// The public client ID of the MSCommerce module.
pub const DEFAULT_CLIENT_ID: &str = "3d5cffa9-04da-4657-8cab-c7f074657cad";

/// `mscommerce connect` with the flags for a profile and a tenant.
#[derive(Clone)]
pub struct SignInCommand {
    pub profile: String,
    pub tenant: Option<Tenant>,
    pub client_id: Option<String>,
    /// Whether an application signs in instead of a user.
    pub is_application: bool,
}

impl SignInCommand {
    /// Creates the command for a user sign-in with this profile and tenant.
    pub fn new(profile: &str, tenant: Option<&Tenant>) -> Self {
        Self { profile: profile.to_owned(), tenant: tenant.cloned(), client_id: None, is_application: false }
    }

    /// Returns the command with this client ID.
    pub fn with_client_id(self, client_id: &str) -> Self {
        Self { client_id: Some(client_id.to_owned()), ..self }
    }

    /// Returns the command for an application sign-in.
    pub fn for_application(self) -> Self {
        Self { is_application: true, ..self }
    }

    /// The `--profile` and `--tenant` flags, each with a leading space.
    pub fn flags(&self) -> String {
        let profile =
            if self.profile == DEFAULT_PROFILE { String::new() } else { format!(" --profile {}", self.profile) };
        let tenant = self.tenant.as_ref().map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
        profile + &tenant
    }

    /// Replaces the placeholders in a hint:
    ///
    /// - `{sign-in}`: this command
    /// - `{sign-in-any-tenant}`: the command without a tenant, which renews the sign-in for all tenants
    /// - `{sign-in-tenant}`: the command with `--tenant TENANT`, for the user to fill in
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
