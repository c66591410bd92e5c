//! How a person names a tenant.

use std::fmt;

use uuid::Uuid;

use crate::text::truncate;

/// The authority that finds out by itself where a user belongs.
pub const ORGANIZATIONS: &str = "organizations";

/// A tenant by its id or by one of its domains, in lower case: safe to put into a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    /// Reads a tenant id (a GUID) or a domain such as `contoso.onmicrosoft.com`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim().to_ascii_lowercase();
        let label_fits = |label: &str| {
            !label.is_empty()
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_domain = name.contains('.') && name.len() <= 253 && name.split('.').all(label_fits);
        if is_domain || is_guid(&name) {
            Ok(Self(name))
        } else {
            let text = truncate(text, 80);
            Err(format!(
                "'{text}' is no tenant: give its id (a GUID) or one of its domains, such as contoso.onmicrosoft.com"
            ))
        }
    }

    /// The tenant's id, where it is named by it.
    pub fn id(&self) -> Option<&str> {
        is_guid(&self.0).then_some(&*self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A GUID in its usual form with hyphens.
fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_domains_are_tenants_and_nothing_else_is() {
        for fits in ["11111111-1111-4111-8111-111111111111", "Contoso.onmicrosoft.com", "a-b.example"] {
            assert!(Tenant::parse(fits).is_ok(), "{fits}");
        }
        for wrong in ["", "common", "consumers", "a/b.c", "..", "x..y", "a b.c", "-a.b", "contoso", "a.b?c"] {
            assert!(Tenant::parse(wrong).is_err(), "{wrong}");
        }
    }
}
