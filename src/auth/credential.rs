//! What is saved of a sign-in.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use crate::auth::tenant::Tenant;

/// A token is renewed this long before it ends, so that none ends on its way (MSAL does the same).
const EXPIRY_MARGIN: chrono::Duration = chrono::Duration::minutes(5);

/// How somebody signed in. A further way is a further layout of the file: versions that do not know it must not
/// take the file for damaged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInMethod {
    Browser,
    DeviceCode,
    Password,
    /// A ready token was handed over; there is nothing to renew it with.
    Token,
    /// An application, whose secret, key or assertion is not kept: there is nothing to renew it with.
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

/// What every version of the file begins with.
#[derive(Deserialize)]
pub struct VersionHeader {
    #[serde(default)]
    pub version: u32,
}

/// The file's content: every profile's sign-in.
#[derive(Default, Deserialize, Serialize)]
pub struct CacheFile {
    pub version: u32,
    pub profiles: BTreeMap<String, CachedCredential>,
}

/// One profile's sign-in: one refresh token, and an access token for each tenant it was used at.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedCredential {
    pub account: Option<String>,
    /// The tenant that the sign-in was for.
    pub tenant_id: String,
    pub method: SignInMethod,
    /// The authority host that granted the tokens; the refresh token is sent nowhere else.
    pub authority: Url,
    pub client_id: Option<String>,
    pub scope: String,
    #[serde(serialize_with = "serialize_secret_option", skip_serializing_if = "Option::is_none", default)]
    pub refresh_token: Option<SecretString>,
    /// By tenant id.
    pub tenants: BTreeMap<String, CachedToken>,
}

/// An access token for one tenant.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedToken {
    #[serde(serialize_with = "serialize_secret")]
    pub access_token: SecretString,
    pub expires_at: DateTime<Utc>,
    /// Domains by which the tenant was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
}

impl CachedCredential {
    /// Whether both are the sign-in of one account, by one client at one authority, so that what one of them is granted
    /// belongs to the other, too.
    pub fn same_identity(&self, other: &Self) -> bool {
        self.account == other.account && self.client_id == other.client_id && self.authority == other.authority
    }

    /// The saved token for a tenant, or for the one that was signed in to.
    pub fn token_for(&self, tenant: Option<&Tenant>) -> Option<(&str, &CachedToken)> {
        let asked = tenant.map_or(self.tenant_id.as_str(), Tenant::as_str);
        self.tenants
            .iter()
            .find(|(id, token)| id.eq_ignore_ascii_case(asked) || token.domains.iter().any(|domain| domain == asked))
            .map(|(id, token)| (id.as_str(), token))
    }

    /// Keeps an access token for a tenant, and the domain by which the tenant was asked for, if it was.
    pub fn store_token(
        &mut self,
        tenant_id: &str,
        access_token: SecretString,
        expires_at: DateTime<Utc>,
        asked: Option<&Tenant>,
    ) {
        let mut domains = self.tenants.remove(tenant_id).map(|old| old.domains).unwrap_or_default();
        if let Some(domain) = asked.filter(|tenant| tenant.id().is_none()).map(Tenant::as_str)
            && !domains.iter().any(|known| known == domain)
        {
            domains.push(domain.to_owned());
        }
        self.tenants.insert(tenant_id.to_owned(), CachedToken { access_token, expires_at, domains });
    }
}

impl CachedToken {
    /// Whether the token can still be sent.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        is_fresh(self.expires_at, now)
    }
}

/// Whether a token that ends at this time can still be sent.
pub fn is_fresh(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now + EXPIRY_MARGIN < expires_at
}

fn serialize_secret<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn serialize_secret_option<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serialize_secret(secret, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in() -> CachedCredential {
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

    fn token(secret: &str) -> CachedToken {
        CachedToken { access_token: secret.into(), expires_at: DateTime::UNIX_EPOCH, domains: Vec::new() }
    }

    #[test]
    fn a_tenant_asked_for_by_its_domain_is_found_by_it_again() {
        let mut sign_in = sign_in();
        let domain = Tenant::parse("Fabrikam.example").expect("a tenant");
        sign_in.store_token("t-2", "a".into(), DateTime::UNIX_EPOCH, Some(&domain));
        sign_in.store_token("t-2", "b".into(), DateTime::UNIX_EPOCH, None);
        let (id, found) = sign_in.token_for(Some(&domain)).expect("the token");
        assert_eq!((id, found.access_token.expose_secret()), ("t-2", "b"));
        assert!(sign_in.token_for(None).is_none());
    }

    #[test]
    fn a_token_is_renewed_five_minutes_before_it_ends() {
        let token = token("a");
        let end = token.expires_at;
        assert!(token.is_fresh(end - chrono::Duration::seconds(301)));
        assert!(!token.is_fresh(end - chrono::Duration::seconds(300)));
    }
}
