//! The settings in words, each with what it was taken from.

use super::{AUTHORITY_VARIABLE, ENDPOINT_VARIABLE, HOME_VARIABLE, PROFILE_VARIABLE, Settings, TENANT_VARIABLE};
use crate::error::Result;

/// A setting: its name, its value, and where that came from.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: Result<String>,
    pub(crate) origin: &'static str,
}

const DEFAULT: &str = "default";

impl Settings {
    /// Every setting that a request depends on. Holds no secret: of credentials it names the variables alone.
    pub(crate) fn described(&self) -> Vec<Setting> {
        let from = |variable: &'static str, otherwise: &'static str| {
            if self.environment.raw(variable).is_some() { variable } else { otherwise }
        };
        let given =
            |is_given: bool, flag: &'static str, otherwise: &'static str| if is_given { flag } else { otherwise };
        let setting =
            |name: &'static str, value: String, origin: &'static str| Setting { name, value: Ok(value), origin };
        let mut all = vec![
            setting("policy-id", self.policy_id.clone(), given(self.policy_id_given.is_some(), "--policy-id", DEFAULT)),
            setting("endpoint", self.endpoint.to_string(), from(ENDPOINT_VARIABLE, DEFAULT)),
            Setting {
                name: "authority",
                value: self.authority().map(|url| url.to_string()),
                origin: from(AUTHORITY_VARIABLE, DEFAULT),
            },
            setting("client-id", self.client_id(), from("MSCOMMERCE_CLIENT_ID", DEFAULT)),
            setting("scope", self.scope(), from("MSCOMMERCE_SCOPE", DEFAULT)),
            setting(
                "profile",
                self.profile.clone(),
                given(self.profile_is_given, "--profile", from(PROFILE_VARIABLE, DEFAULT)),
            ),
            setting(
                "timeout",
                format!("{} s", self.timeout.as_secs()),
                given(self.timeout_is_given, "--timeout", DEFAULT),
            ),
            Setting {
                name: "state-directory",
                value: self.state_directory().map(|path| path.display().to_string()),
                origin: from(HOME_VARIABLE, DEFAULT),
            },
        ];
        if let Some(tenant) = &self.tenant {
            all.push(setting("tenant", tenant.to_string(), "--tenant"));
        } else if let Some(tenant) = self.environment.text(TENANT_VARIABLE) {
            all.push(setting("tenant of connect and applications", tenant, TENANT_VARIABLE));
        }
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(path) = self.environment.text(variable) {
                all.push(setting("trusted certificates", path, variable));
            }
        }
        all
    }
}
