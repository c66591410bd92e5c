//! Token claims for display and diagnosis. Signatures are not verified: only the service decides whether a token is
//! valid.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Claims of an access token or ID token (Entra's token reference). Claims of an undocumented type are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// The tenant ID.
    pub tid: Option<String>,
    account: Option<String>,
    client_id: Option<String>,
    /// The expiration time, in seconds since the Unix epoch.
    exp: Option<i64>,
    /// The application permissions or app roles.
    pub roles: Vec<String>,
    /// The delegated permissions (`scp`) of a user's token, separated by spaces.
    pub scopes: Option<String>,
    /// The audience. If the token has several, the first one.
    pub aud: Option<String>,
    /// The issuer.
    pub iss: Option<String>,
    /// The subject.
    pub sub: Option<String>,
    is_application: bool,
}

impl Claims {
    /// Decodes the payload of a JWT without verifying its signature. Returns `None` if `token` is not a JWT.
    pub fn decode_unverified(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let payload: Value = serde_json::from_slice(&payload).ok().filter(Value::is_object)?;
        let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
        let first_of = |names: &[&str]| names.iter().find_map(|name| text(name));
        let roles = payload.get("roles").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let exp = payload.get("exp");
        let client_id = first_of(&["appid", "azp"]);
        let user = first_of(&["upn", "unique_name", "preferred_username", "email"]);
        // `idtyp` is optional; a user's token always has scopes.
        let has_no_user = user.is_none() && client_id.is_some() && text("scp").is_none();
        Some(Self {
            tid: text("tid"),
            is_application: text("idtyp").map_or(has_no_user, |kind| kind == "app"),
            account: user.or_else(|| client_id.clone()),
            client_id,
            // RFC 7519 allows fractions of a second.
            exp: exp.and_then(|exp| exp.as_number()?.to_string().split('.').next()?.parse().ok()),
            roles: roles.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            scopes: text("scp"),
            aud: text("aud").or_else(|| payload.get("aud")?.get(0)?.as_str().map(str::to_owned)),
            iss: text("iss"),
            sub: text("sub"),
        })
    }

    /// Decodes an access token of Entra. Returns `None` if `token` is not a JWT in one word, or does not say when it
    /// expires.
    pub fn of_access_token(token: &SecretString) -> Option<Self> {
        let claims = Self::decode_unverified(token.expose_secret()).filter(|_| is_bearer_token(token))?;
        claims.expires_at().is_some().then_some(claims)
    }

    /// The user's sign-in name, or the client ID of an application token.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The ID of the client that the token was issued to.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Whether this is an application token, issued without a user.
    pub fn is_application(&self) -> bool {
        self.is_application
    }

    /// When the token expires.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.exp?, 0)
    }
}

/// Whether the text has the syntax of a bearer token (RFC 6750, section 2.1).
pub fn is_bearer_token(text: &SecretString) -> bool {
    let text = text.expose_secret();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    !text.is_empty() && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn account_is_user_name_or_application_id() {
        let user =
            Claims::decode_unverified(&token(r#"{"upn":"a@b.c","appid":"app","tid":"t","exp":1,"newClaim":[1]}"#))
                .expect("claims");
        assert_eq!((user.account(), user.client_id(), user.tid.as_deref()), (Some("a@b.c"), Some("app"), Some("t")));
        let app = Claims::decode_unverified(&token(r#"{"appid":"app","roles":["R"]}"#)).expect("claims");
        assert_eq!((app.account(), app.roles.len()), (Some("app"), 1));
        assert!(app.is_application() && !user.is_application());
    }

    #[test]
    fn token_with_scopes_is_for_a_user() {
        let is_application = |payload| Claims::decode_unverified(&token(payload)).expect("claims").is_application();
        assert!(!is_application(r#"{"appid":"app","scp":"LicenseManager.AccessAsUser"}"#));
        assert!(!is_application(r#"{"appid":"app","idtyp":"user"}"#));
        assert!(is_application(r#"{"azp":"app","idtyp":"app"}"#));
    }

    #[test]
    fn claim_of_other_type_is_ignored() {
        let claims =
            Claims::decode_unverified(&token(r#"{"exp":1.5,"aud":["x","y"],"roles":null,"tid":7}"#)).expect("claims");
        assert_eq!(claims.expires_at().map(|end| end.timestamp()), Some(1));
        assert_eq!((claims.aud.as_deref(), claims.tid), (Some("x"), None));
    }

    #[test]
    fn text_that_is_not_a_jwt_has_no_claims() {
        for text in ["", "opaque", "a.b", "a.b.c", "e30.!!!.x"] {
            assert_eq!(Claims::decode_unverified(text), None, "{text}");
        }
    }
}
