//! Tenant IDs and domains.

use std::fmt;

use uuid::Uuid;

use crate::text::{remove_invisible, truncate};

/// The tenant segment for the home tenant of the user who signs in.
pub const ORGANIZATIONS: &str = "organizations";

/// A tenant ID or domain, in lower case and safe as a URL path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    /// Parses a tenant ID (a GUID) or a domain such as `contoso.onmicrosoft.com`. Fails with a message for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = remove_invisible(text).trim().to_ascii_lowercase();
        let is_label = |label: &str| {
            !label.is_empty()
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_domain = name.contains('.') && name.len() <= 253 && name.split('.').all(is_label);
        if is_domain || is_guid(&name) {
            Ok(Self(name))
        } else {
            let text = truncate(text, 80);
            Err(format!(
                "'{text}' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com"
            ))
        }
    }

    /// The tenant ID. `None` if this is a domain.
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

/// Whether `text` is a GUID in hyphenated form.
fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_and_domains_are_tenants() {
        for valid in [
            "11111111-1111-4111-8111-111111111111",
            "Contoso.onmicrosoft.com",
            "a-b.example",
            "\u{feff}a.example\u{200b} ",
        ] {
            assert!(Tenant::parse(valid).is_ok(), "{valid}");
        }
        for invalid in ["", "common", "consumers", "a/b.c", "..", "x..y", "a b.c", "-a.b", "contoso", "a.b?c"] {
            assert!(Tenant::parse(invalid).is_err(), "{invalid}");
        }
    }
}
