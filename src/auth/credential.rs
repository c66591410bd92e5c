//! The cached credential of a profile, and the status of a credential.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use super::claims::Claims;
use super::expiry::Expiry;
use super::tenant::Tenant;
use crate::error::Error;

/// The sign-in method. A new variant needs a new version of the cache file: an older mscommerce would otherwise report
/// the file as damaged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    Browser,
    DeviceCode,
    Password,
    /// An access token from standard input or the environment, without a refresh token.
    Token,
    /// An application. Its token cannot be refreshed, because the secret, key or assertion is not cached.
    Application,
}

impl fmt::Display for SignInMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Browser => "browser",
            Self::DeviceCode => "device-code",
            Self::Password => "password",
            Self::Token => "token",
            Self::Application => "application",
        })
    }
}

/// The cached credential of a profile: one refresh token, and one access token per tenant.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedCredential {
    pub account: Option<String>,
    /// The tenant that the user signed in to.
    pub tenant_id: String,
    pub method: SignInMethod,
    /// The authority host that issued the tokens. The refresh token is sent to no other host.
    pub authority: Url,
    pub client_id: Option<String>,
    pub scope: String,
    #[serde(serialize_with = "serialize_secret_option", skip_serializing_if = "Option::is_none", default)]
    pub refresh_token: Option<SecretString>,
    /// The access tokens by tenant ID.
    pub tenants: BTreeMap<String, CachedToken>,
}

/// An access token for one tenant.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedToken {
    #[serde(serialize_with = "serialize_secret")]
    pub access_token: SecretString,
    #[serde(flatten)]
    pub expiry: Expiry,
    /// The domains under which the user specified the tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
}

impl CachedCredential {
    /// Whether both credentials have the same account, client ID and authority, so that they can share tokens.
    pub fn same_identity(&self, other: &Self) -> bool {
        self.account == other.account && self.client_id == other.client_id && self.authority == other.authority
    }

    /// Returns the tenant ID and the token for a tenant. Defaults to the tenant that the user signed in to.
    pub fn token_for(&self, tenant: Option<&Tenant>) -> Option<(&str, &CachedToken)> {
        let name = tenant.map_or(self.tenant_id.as_str(), Tenant::as_str);
        self.tenants
            .iter()
            .find(|(id, token)| id.eq_ignore_ascii_case(name) || token.domains.iter().any(|domain| domain == name))
            .map(|(id, token)| (id.as_str(), token))
    }

    /// The status at a tenant. Defaults to the tenant that the user signed in to.
    pub fn status(&self, tenant: Option<&Tenant>) -> Status {
        let cached = self.token_for(tenant);
        let named = || tenant.map_or(&*self.tenant_id, Tenant::as_str);
        let claims = cached.and_then(|(_, token)| Claims::decode_unverified(token.access_token.expose_secret()));
        let can_refresh = self.refresh_token.is_some();
        Status {
            account: self.account.clone(),
            tenant_id: Some(cached.map_or_else(named, |(id, _)| id).to_owned()),
            method: self.method,
            source: Source::Cache,
            client_id: self.client_id.clone(),
            roles: claims.map(|claims| claims.roles).unwrap_or_default(),
            expires_at: cached.map(|(_, token)| token.expiry.expires_at),
            is_fresh: cached.is_some_and(|(_, token)| token.expiry.is_fresh(Utc::now())),
            can_refresh,
            authority: can_refresh.then(|| self.authority.clone()),
        }
    }

    /// Stores the token for a tenant. If `tenant` is a domain, stores it as a name of the tenant.
    pub fn store_token(
        &mut self,
        tenant_id: &str,
        access_token: SecretString,
        expiry: Expiry,
        tenant: Option<&Tenant>,
    ) {
        let mut domains = self.tenants.remove(tenant_id).map(|old| old.domains).unwrap_or_default();
        if let Some(domain) = tenant.filter(|tenant| tenant.id().is_none()).map(Tenant::as_str)
            && !domains.iter().any(|known| known == domain)
        {
            domains.push(domain.to_owned());
        }
        self.tenants.insert(tenant_id.to_owned(), CachedToken { access_token, expiry, domains });
    }
}

fn serialize_secret<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[expect(clippy::ref_option, reason = "the signature that serde requires")]
fn serialize_secret_option<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serialize_secret(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// The source of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Environment,
    Cache,
}

/// The status of a sign-in, from local data only.
pub struct Status {
    pub account: Option<String>,
    /// The tenant ID, or the tenant as the user spells it if the ID is unknown.
    pub tenant_id: Option<String>,
    pub method: SignInMethod,
    pub source: Source,
    pub client_id: Option<String>,
    pub roles: Vec<String>,
    /// The expiration time of the access token. `None` if there is no token for this tenant yet.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the access token can be used without a refresh.
    pub is_fresh: bool,
    /// Whether a new access token can be requested without user interaction.
    pub can_refresh: bool,
    /// The authority that issues new tokens. `None` if the token cannot be refreshed.
    pub authority: Option<Url>,
}

/// Copies the error of a failed token request, to fail later requests without sending them.
pub fn repeat_error(error: &Error) -> Error {
    Error::auth(error.summary()).with_hints(error.hints().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential() -> CachedCredential {
        CachedCredential {
            account: None,
            tenant_id: "t-1".into(),
            method: SignInMethod::Browser,
            authority: Url::parse("https://login.example").expect("a URL"),
            client_id: None,
            scope: "s".into(),
            refresh_token: None,
            tenants: BTreeMap::new(),
        }
    }

    #[test]
    fn token_of_tenant_is_found_by_domain() {
        let mut credential = credential();
        let domain = Tenant::parse("Fabrikam.example").expect("a tenant");
        let expiry = Expiry::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        credential.store_token("t-2", "a".into(), expiry, Some(&domain));
        credential.store_token("t-2", "b".into(), expiry, None);
        let (id, found) = credential.token_for(Some(&domain)).expect("the token");
        assert_eq!((id, found.access_token.expose_secret()), ("t-2", "b"));
        assert!(credential.token_for(None).is_none());
    }
}
