//! Tokens in the shape of a JWT. Nothing signs them: whoever is meant to trust them looks them up instead.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{AccessToken, RefreshToken, User, World};
use super::{CLIENT_ID, HOME_TENANT, RESOURCE};

/// These claims as a JWT, its signature a placeholder.
pub fn jwt(claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    let [header, payload, signature] =
        [header.to_string(), claims.to_string(), "simulated, signed by nobody".to_owned()]
            .map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{payload}.{signature}")
}

/// The claims of a JWT, unless it is none.
pub fn claims_of(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Issues an access token and remembers it, so that the commerce endpoint knows it again.
pub(super) fn access_token(world: &mut World, user: &User, tenant_id: &str, lifetime_seconds: i64) -> String {
    let now = Utc::now().timestamp();
    let expires_at = now + lifetime_seconds;
    let issued_at = if lifetime_seconds < 0 { expires_at - 3600 } else { now };
    let token = jwt(&json!({
        "aud": RESOURCE,
        "iss": format!("https://sts.windows.net/{tenant_id}/"),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "tid": tenant_id,
        "oid": user.object_id,
        "upn": user.name,
        "unique_name": user.name,
        "name": user.display_name,
        "appid": CLIENT_ID,
        "appidacr": "0",
        "scp": "LicenseManager.AccessAsUser",
        "uti": URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()),
        "ver": "1.0",
    }));
    let known = AccessToken { user: user.name, tenant_id: tenant_id.to_owned(), expires_at, revoked: false };
    world.access_tokens.insert(token.clone(), known);
    token
}

/// Issues a refresh token. Earlier ones stay valid \[ED/refresh-tokens\].
pub(super) fn refresh_token(world: &mut World, user: &User, scope: &str) -> String {
    let token = format!("1.simulated-{}-{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let known = RefreshToken { user: user.name, scope: scope.to_owned(), revoked: false };
    world.refresh_tokens.insert(token.clone(), known);
    token
}

/// The token that tells the client who signed in.
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

/// The user's id and home tenant, which Entra adds where `client_info=1` asks for it.
pub(super) fn client_info(user: &User) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user.object_id, "utid": HOME_TENANT}).to_string())
}
