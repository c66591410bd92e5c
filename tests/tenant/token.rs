//! Tokens in JWT format. They are unsigned: the simulated services look them up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::{AccessToken, Bearer, RefreshToken, TenantState, User};
use super::{APP_ID, CLIENT_ID, HOME_TENANT, RESOURCE};

/// The object id of the application. In reality each tenant has its own.
const APP_OBJECT_ID: &str = "b0000000-0000-4000-8000-000000000001";

/// A JWT with these claims and a placeholder as signature.
pub fn jwt(claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    let [header, payload, signature] =
        [header.to_string(), claims.to_string(), "simulated, signed by nobody".to_owned()]
            .map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{payload}.{signature}")
}

/// The claims of a JWT.
pub fn claims_of(token: &str) -> Option<Value> {
    let [_, payload, _] = parts_of(token)?;
    decoded(payload)
}

/// The header of a JWT.
pub fn header_of(token: &str) -> Option<Value> {
    let [header, ..] = parts_of(token)?;
    decoded(header)
}

/// Header, claims and signature, encoded.
pub(super) fn parts_of(token: &str) -> Option<[&str; 3]> {
    token.split('.').collect::<Vec<_>>().try_into().ok()
}

fn decoded(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A federated token with these claims. A negative lifetime makes it
/// expired.
pub fn federated_token(issuer: &str, subject: &str, audience: &str, lifetime_seconds: i64) -> String {
    let (issued_at, expires_at) = lifetime(lifetime_seconds);
    jwt(&json!({
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "jti": Uuid::new_v4().to_string(),
    }))
}

/// The times of issue and expiry.
fn lifetime(seconds: i64) -> (i64, i64) {
    let now = Utc::now().timestamp();
    let expires_at = now + seconds;
    (if seconds < 0 { expires_at - 3600 } else { now }, expires_at)
}

/// Issues an access token for a user.
pub(super) fn access_token(state: &mut TenantState, user: &User, tenant_id: &str, lifetime_seconds: i64) -> String {
    let claims = json!({
        "oid": user.object_id,
        "upn": user.name,
        "unique_name": user.name,
        "name": user.display_name,
        "appid": CLIENT_ID,
        "appidacr": "0",
        "scp": "LicenseManager.AccessAsUser",
    });
    issue(state, Bearer::User(user.name), claims, tenant_id, lifetime_seconds)
}

/// Issues an access token for the application, which used a secret (`1`) or an assertion (`2`).
pub(super) fn app_token(
    state: &mut TenantState,
    proof: &str,
    roles: Vec<String>,
    tenant_id: &str,
    lifetime_seconds: i64,
) -> String {
    let mut claims = json!({
        "oid": APP_OBJECT_ID,
        "sub": APP_OBJECT_ID,
        "appid": APP_ID,
        "appidacr": proof,
        "idtyp": "app",
    });
    if !roles.is_empty() {
        claims["roles"] = roles.clone().into();
    }
    issue(state, Bearer::Application { roles }, claims, tenant_id, lifetime_seconds)
}

/// Adds the common claims and stores the token for the policy endpoint.
fn issue(state: &mut TenantState, bearer: Bearer, mut claims: Value, tenant_id: &str, lifetime_seconds: i64) -> String {
    let (issued_at, expires_at) = lifetime(lifetime_seconds);
    claims["aud"] = RESOURCE.into();
    claims["iss"] = format!("https://sts.windows.net/{tenant_id}/").into();
    claims["iat"] = issued_at.into();
    claims["nbf"] = issued_at.into();
    claims["exp"] = expires_at.into();
    claims["tid"] = tenant_id.into();
    claims["uti"] = URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()).into();
    claims["ver"] = "1.0".into();
    let token = jwt(&claims);
    let known = AccessToken { bearer, tenant_id: tenant_id.to_owned(), expires_at, revoked: false };
    state.access_tokens.insert(token.clone(), known);
    token
}

/// Issues a refresh token. Earlier ones stay valid \[ED/refresh-tokens\].
pub(super) fn refresh_token(state: &mut TenantState, user: &User, scope: &str) -> String {
    let token = format!("1.simulated-{}-{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let known = RefreshToken { user: user.name, scope: scope.to_owned(), revoked: false };
    state.refresh_tokens.insert(token.clone(), known);
    token
}

/// The id token.
pub(super) fn id_token(user: &User, tenant_id: &str, lifetime_seconds: i64) -> String {
    let now = Utc::now().timestamp();
    jwt(&json!({
        "aud": CLIENT_ID,
        "iss": format!("https://login.microsoftonline.com/{tenant_id}/v2.0"),
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_seconds,
        "tid": tenant_id,
        "oid": user.object_id,
        "sub": user.object_id,
        "preferred_username": user.name,
        "name": user.display_name,
        "ver": "2.0",
    }))
}

/// The user's id and home tenant, which Entra adds for `client_info=1`.
pub(super) fn client_info(user: &User) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user.object_id, "utid": HOME_TENANT}).to_string())
}
