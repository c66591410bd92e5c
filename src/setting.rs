//! Settings with their sources.

use url::Url;

use crate::auth::{ORGANIZATIONS, Tenant};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::http::{is_loopback, may_have_user_info};
use crate::text::truncate;

/// The source of a setting: a flag, an environment variable, or the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Flag(&'static str),
    Env(&'static str),
    Default,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag(name) | Self::Env(name) => name,
            Self::Default => "default",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Setting<T> {
    pub value: T,
    pub source: Source,
}

impl<T> Setting<T> {
    pub fn from_flag(flag: &'static str, value: Option<T>, default: T) -> Self {
        match value {
            Some(value) => Self { value, source: Source::Flag(flag) },
            None => Self { value: default, source: Source::Default },
        }
    }

    /// The value, if it was set by a flag.
    pub fn flag(&self) -> Option<&T> {
        matches!(self.source, Source::Flag(_)).then_some(&self.value)
    }
}

impl Setting<String> {
    pub fn from_env(environment: &Environment, variable: &'static str, default: &str) -> Self {
        match environment.get(variable) {
            Some(value) => Self { value, source: Source::Env(variable) },
            None => Self { value: default.to_owned(), source: Source::Default },
        }
    }
}

/// A setting as text, for display. Contains no secrets: for credentials, only the names of the variables.
pub struct DescribedSetting {
    pub name: &'static str,
    pub value: Result<String>,
    pub source: &'static str,
}

/// Parses the URL of a service that receives tokens. Fails unless the scheme is https, or http to a loopback address.
pub fn parse_url(environment: &Environment, variable: &'static str, default: &str) -> Result<Setting<Url>> {
    let Setting { value: text, source } = Setting::from_env(environment, variable, default);
    let excess = || {
        Error::usage(format!(
            "{variable}: the URL contains a user name, a password, a query, a fragment or a backslash; it is not shown"
        ))
        .with_hint(format!("set {variable} to a URL such as https://HOST"))
    };
    // Do not print such a value, which may contain a password. Even a malformed one may be a valid path.
    if may_have_user_info(&text) {
        return Err(excess());
    }
    let invalid = |reason: &str| Error::usage(format!("{variable}: '{}' {reason}", truncate(&text, 80)));
    // The Azure SDKs also accept an authority host without a scheme.
    let with_scheme = if text.contains("://") { text.clone() } else { format!("https://{text}") };
    let url = Url::parse(&with_scheme).map_err(|error| invalid(&format!("is not a URL: {error}")))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(excess());
    }
    match url.scheme() {
        "https" => Ok(Setting { value: url, source }),
        "http" if is_loopback(&url) => Ok(Setting { value: url, source }),
        "http" => Err(invalid("uses http; use https, except for an address of this machine")
            .with_hint("use https:// instead of http://")),
        _ => Err(invalid("is not an https URL")),
    }
}

/// Parses the URL of an authority host. Fails if its path begins with a tenant, because the tenant is a setting of its
/// own; other paths may belong to a proxy.
pub fn parse_authority(environment: &Environment, variable: &'static str, default: &str) -> Result<Setting<Url>> {
    let setting = parse_url(environment, variable, default)?;
    let first = setting.value.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
    if Tenant::parse(first).is_err() && !["common", "consumers", ORGANIZATIONS].contains(&first) {
        return Ok(setting);
    }
    let host = setting.value.origin().ascii_serialization();
    let error = Error::usage(format!("{variable}: '{}' contains a tenant", truncate(setting.value.as_str(), 80)));
    Err(error.with_hint(format!("set {variable}={host}, and specify the tenant with --tenant or AZURE_TENANT_ID")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_allowed_only_for_loopback() {
        let parse = |url| parse_url(&[("MSCOMMERCE_ENDPOINT", url)].into_iter().collect(), "MSCOMMERCE_ENDPOINT", "");
        for valid in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1",
            "https://proxy.example/base",
            "login.example",
        ] {
            assert!(parse(valid).is_ok(), "{valid}");
        }
        for invalid in [
            "http://licensing.m365.microsoft.com",
            "http://127.0.0.1.example",
            "ftp://x.example",
            "https://u:p@x.example",
            "http://",
        ] {
            assert!(parse(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn authority_path_must_not_begin_with_tenant() {
        let parse = |url: &str| {
            parse_authority(&[("AZURE_AUTHORITY_HOST", url)].into_iter().collect(), "AZURE_AUTHORITY_HOST", "")
        };
        for valid in
            ["https://login.example", "login.example/", "https://proxy.example/entra", "https://x.example/adfs/"]
        {
            assert!(parse(valid).is_ok(), "{valid}");
        }
        for invalid in ["contoso.example", "11111111-1111-4111-8111-111111111111/", "common", "organizations/v2.0"] {
            let error = parse(&format!("https://login.example/{invalid}")).expect_err("a tenant");
            assert!(error.hints()[0].contains("AZURE_AUTHORITY_HOST=https://login.example,"), "{error:?}");
        }
    }
}
