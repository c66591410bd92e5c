//! The v2.0 endpoints of Microsoft Entra ID.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::oauth_error::OAuthError;
use super::response::{Received, Response};
use super::state::{TenantState, User};
use super::{CLIENT_ID, PASSWORD, RESOURCE, SCOPE, application, authorize, device, token};

/// The device code grant type \[RFC 8628\].
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The parameters of a form or query.
pub(super) type Parameters = BTreeMap<String, String>;

/// Responds to a request below `/{tenant}/oauth2/v2.0/`.
pub(super) fn respond(state: &mut TenantState, request: &Received, tenant: &str, endpoint: &str) -> Response {
    match (request.method.as_str(), endpoint) {
        ("GET", "authorize") => authorize::respond(state, request, tenant),
        ("POST", "devicecode") => to_response(request, device::start(state, tenant, &form_of(request))),
        ("POST", "token") => to_response(request, token(state, request, tenant)),
        _ => Response::text(404, "text/plain", ""),
    }
}

/// Entra reads forms only. With another content type every parameter is missing.
fn form_of(request: &Received) -> Parameters {
    if request.is_of_type("application/x-www-form-urlencoded") { request.form() } else { Parameters::new() }
}

fn to_response(request: &Received, outcome: Result<Value, OAuthError>) -> Response {
    match outcome {
        Ok(body) => Response::json(200, &body),
        Err(refusal) => refusal.respond(request),
    }
    .header("cache-control", "no-store, no-cache")
}

fn token(state: &mut TenantState, request: &Received, tenant: &str) -> Result<Value, OAuthError> {
    let form = &form_of(request);
    let grant = required(form, "grant_type")?;
    if grant == "client_credentials" {
        return application::sign_in(state, request, tenant, form);
    }
    // The password grant has its own error at `common` [ED/v2-oauth-ropc]; for other grants the tenant is unknown.
    if grant == "password" && tenant.eq_ignore_ascii_case("common") {
        return Err(OAuthError::new(9_001_023));
    }
    let tenant_id = client_and_tenant(state, tenant, form)?;
    for secret in ["client_secret", "client_assertion"] {
        if form.contains_key(secret) {
            return Err(OAuthError::new(700_025));
        }
    }
    let (user, scope) = match grant {
        "authorization_code" => by_code(state, &tenant_id, form)?,
        "password" => by_password(state, form)?,
        "refresh_token" => by_refresh_token(state, form)?,
        DEVICE_CODE => device::poll(state, &tenant_id, form)?,
        other => return Err(OAuthError::about(70003, other)),
    };
    Ok(issue(state, &user, &tenant_id, &scope, form))
}

/// The token response for an authenticated user.
fn issue(state: &mut TenantState, user: &User, tenant_id: &str, scope: &str, form: &Parameters) -> Value {
    let lifetime = state.token_lifetime;
    let mut body = json!({
        "token_type": "Bearer",
        "scope": format!("{RESOURCE}/LicenseManager.AccessAsUser {SCOPE}"),
        "expires_in": lifetime.max(0),
        "ext_expires_in": lifetime.max(0),
        "access_token": token::access_token(state, user, tenant_id, lifetime),
    });
    if asks_for(scope, "offline_access") {
        body["refresh_token"] = token::refresh_token(state, user, scope).into();
    }
    if asks_for(scope, "openid") {
        body["id_token"] = token::id_token(user, tenant_id, lifetime).into();
    }
    if wants_client_info(form) {
        body["client_info"] = token::client_info(user).into();
    }
    body
}

/// The authorization code grant with PKCE.
fn by_code(state: &mut TenantState, tenant_id: &str, form: &Parameters) -> Result<(User, String), OAuthError> {
    let presented = required(form, "code")?;
    let redirect_uri = required(form, "redirect_uri")?;
    if let Some(scope) = form.get("scope") {
        check_scope(scope)?;
    }
    let malformed = || OAuthError::new(9_002_313).named("invalid_grant");
    let code = state
        .authorization_codes
        .get_mut(presented)
        .filter(|code| code.tenant_id == tenant_id)
        .ok_or_else(malformed)?;
    if code.redeemed {
        return Err(OAuthError::new(54005));
    }
    if code.redirect_uri != redirect_uri {
        return Err(OAuthError::about(500_112, redirect_uri));
    }
    let verifier = form.get("code_verifier").map_or("", String::as_str);
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.challenge {
        return Err(OAuthError::new(501_481));
    }
    code.redeemed = true;
    let (user, scope) = (code.user, code.scope.clone());
    Ok((state.user(user).clone(), scope))
}

/// The password grant, for users without a second factor \[ED/v2-oauth-ropc\].
fn by_password(state: &TenantState, form: &Parameters) -> Result<(User, String), OAuthError> {
    let name = required(form, "username")?;
    let password = required(form, "password")?;
    let scope = required(form, "scope")?;
    check_scope(scope)?;
    let user = state.find_user(name).ok_or_else(|| OAuthError::about(50034, name))?;
    if password != PASSWORD {
        return Err(OAuthError::new(50126));
    }
    match user.login_error {
        Some(code) => Err(OAuthError::about(code, RESOURCE)),
        None => Ok((user.clone(), scope.to_owned())),
    }
}

/// The refresh token grant. The token is valid at every tenant \[ED/refresh-tokens\].
fn by_refresh_token(state: &TenantState, form: &Parameters) -> Result<(User, String), OAuthError> {
    let presented = required(form, "refresh_token")?;
    let known = state.refresh_tokens.get(presented).ok_or_else(|| OAuthError::new(9_002_313).named("invalid_grant"))?;
    if known.revoked {
        return Err(OAuthError::new(50173));
    }
    let scope = match form.get("scope") {
        Some(scope) => {
            check_scope(scope)?;
            scope.clone()
        }
        None => known.scope.clone(),
    };
    let user = state.find_user(known.user).expect("refresh tokens are issued to existing users only");
    Ok((user.clone(), scope))
}

/// Checks tenant and client, and returns the tenant id.
pub(super) fn client_and_tenant(
    state: &TenantState,
    tenant: &str,
    parameters: &Parameters,
) -> Result<String, OAuthError> {
    let tenant_id = state.tenant_named(tenant).ok_or_else(|| OAuthError::about(90002, tenant))?;
    let client_id = required(parameters, "client_id")?;
    if client_id.eq_ignore_ascii_case(CLIENT_ID) { Ok(tenant_id) } else { Err(OAuthError::about(700_016, client_id)) }
}

/// A parameter that must be present and not empty.
pub(super) fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, OAuthError> {
    parameters
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| OAuthError::about(900_144, name))
}

/// Checks that the scope names one known resource, besides `OpenID` scopes.
pub(super) fn check_scope(scope: &str) -> Result<(), OAuthError> {
    let mut resources = scope
        .split_ascii_whitespace()
        .filter(|scope| !["openid", "profile", "email", "offline_access"].contains(scope));
    match (resources.next(), resources.next()) {
        (Some(SCOPE), None) => Ok(()),
        (Some(other), None) => match other.strip_suffix("/.default") {
            Some(resource) => Err(OAuthError::about(500_011, resource)),
            None => Err(OAuthError::about(70011, scope)),
        },
        _ => Err(OAuthError::about(70011, scope)),
    }
}

/// Whether the scope parameter contains this scope.
pub(super) fn asks_for(scope: &str, wanted: &str) -> bool {
    scope.split_ascii_whitespace().any(|scope| scope == wanted)
}

/// Whether the client requests `client_info`: the user's id and home tenant.
pub(super) fn wants_client_info(parameters: &Parameters) -> bool {
    parameters.get("client_info").is_some_and(|value| value == "1")
}
