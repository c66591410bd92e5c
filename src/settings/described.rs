//! The settings in words, each with what it was taken from.

use clap::ValueEnum;

use super::{
    AUTHORITY_VARIABLE, ENDPOINT_VARIABLE, HOME_VARIABLE, OUTPUT_VARIABLE, PROFILE_VARIABLE, Settings, TENANT_VARIABLE,
};
use crate::error::Result;
use crate::http::describe_roots;

/// A setting: its name, its value, and where that came from.
pub struct Setting {
    pub name: &'static str,
    pub value: Result<String>,
    pub origin: &'static str,
}

const DEFAULT: &str = "default";

impl Settings {
    /// Every setting that a request depends on. Holds no secret: of credentials it names the variables alone.
    pub fn described(&self) -> Vec<Setting> {
        let from = |variable: &'static str, otherwise: &'static str| {
            if self.environment.get(variable).is_some() { variable } else { otherwise }
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
                // A path of blanks is a path.
                origin: if self.environment.get_os(HOME_VARIABLE).is_some() { HOME_VARIABLE } else { DEFAULT },
            },
        ];
        all.push(setting(
            "output",
            self.format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default(),
            given(self.format_given.is_some(), "--output", from(OUTPUT_VARIABLE, DEFAULT)),
        ));
        all.push(self.described_tenant());
        all.extend(describe_roots().into_iter().map(|(path, origin)| setting("trusted certificates", path, origin)));
        all
    }

    /// The tenant that is named, be it for this command or for signing in alone.
    fn described_tenant(&self) -> Setting {
        let named = self.sign_in_tenant();
        let value = match (&self.tenant, named) {
            (Some(tenant), _) => Ok(tenant.to_string()),
            (None, Ok((Some(tenant), _))) => Ok(format!("{tenant}, for connect and applications")),
            (None, Ok((None, _))) => Ok("the one that is signed in to".to_owned()),
            (None, Err(error)) => Err(error),
        };
        let variable = self.environment.get(TENANT_VARIABLE).map_or(DEFAULT, |_| TENANT_VARIABLE);
        Setting { name: "tenant", value, origin: if self.tenant.is_some() { "--tenant" } else { variable } }
    }
}
