//! Checks the roles in an application token before a request, because the service's error does not name the missing
//! role.

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::claims::Claims;
use crate::error::{Error, Result};
use crate::text::sanitize_line;

/// The access that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// The names and IDs of the policy endpoint's application permissions (public list of Microsoft's first-party
/// permissions: maciejporebski/azure-ad-first-party-apps-permissions).
const READ: (&str, &str) = ("Policy.Read.AllowSelfServicePurchase", "5803e913-b904-44a0-9928-864642a45960");
const WRITE: (&str, &str) = ("Policy.ReadWrite.AllowSelfServicePurchase", "78ff4d1f-611d-4a41-9989-698762b46a0e");

const HINT_APP_UNVERIFIED: &str =
    "sign in as a user if this persists; it is not verified that the service accepts applications";

const HINT_ADMIN_CONSENT: &str = "ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role";

/// Fails if an application token lacks the role for this access. Leaves user tokens and tokens with another audience to
/// the service.
pub fn check_roles(token: &SecretString, resource: &str, access: Access) -> Result<()> {
    let claims = Claims::decode_unverified(token.expose_secret()).filter(Claims::is_application);
    let Some(claims) = claims.filter(|claims| foreign_audience(claims, resource).is_none()) else { return Ok(()) };
    if allows(&claims, access) {
        return Ok(());
    }
    let (verb, needed, to_add) = match access {
        Access::Read => ("read", format!("{} or {}", READ.0, WRITE.0), READ),
        Access::Write => ("change", WRITE.0.to_owned(), WRITE),
    };
    let id = sanitize_line(claims.client_id().unwrap_or_default());
    let error = Error::failed(format!(
        "application {id} cannot {verb} self-service purchase settings: its token lacks the role {needed}"
    ));
    Err(error
        .with_detail(describe_roles(&claims))
        .with_hint(hint_grant_role(to_add, resource))
        .with_hint(HINT_ADMIN_CONSENT))
}

fn hint_grant_role((name, id): (&str, &str), resource: &str) -> String {
    format!(
        "add the application permission {name} ({id}) of M365 License Manager ({resource}) to the app registration, under API permissions"
    )
}

/// A hint for a token that the service rejected (401), from the token's claims.
pub fn unauthorized_hint(token: &SecretString, resource: &str) -> Option<String> {
    let claims = Claims::decode_unverified(token.expose_secret())?;
    if let Some(audience) = foreign_audience(&claims, resource) {
        return Some(hint_foreign_audience(audience, resource));
    }
    claims.is_application().then(|| HINT_APP_UNVERIFIED.to_owned())
}

fn hint_foreign_audience(audience: &str, resource: &str) -> String {
    let audience = sanitize_line(audience);
    format!("use a token for {resource} (M365 License Manager); this one is for {audience}")
}

/// Hints for a forbidden request (403) with an application token. Returns `None` for other tokens.
pub fn forbidden_hints(token: &SecretString, resource: &str) -> Option<Vec<String>> {
    let claims = Claims::decode_unverified(token.expose_secret()).filter(Claims::is_application)?;
    let id = sanitize_line(claims.client_id().unwrap_or_default());
    let hint = if let Some(audience) = foreign_audience(&claims, resource) {
        hint_foreign_audience(audience, resource)
    } else if allows(&claims, Access::Read) {
        format!(
            "the service denied access although the token of application {id} has the required role ({})",
            describe_roles(&claims)
        )
    } else {
        hint_grant_role(WRITE, resource)
    };
    Some(vec![hint, HINT_APP_UNVERIFIED.to_owned()])
}

fn allows(claims: &Claims, access: Access) -> bool {
    let has = |name: &str| claims.roles.iter().any(|role| role.eq_ignore_ascii_case(name));
    has(WRITE.0) || (access == Access::Read && has(READ.0))
}

fn describe_roles(claims: &Claims) -> String {
    let roles = if claims.roles.is_empty() { "none".to_owned() } else { sanitize_line(&claims.roles.join(", ")) };
    format!("roles in the token: {roles}")
}

/// The token's audience if it differs from `resource`. Returns `None` unless `resource` is a GUID: for a URI, the
/// audience may be the ID of the same service.
pub fn foreign_audience<'c>(claims: &'c Claims, resource: &str) -> Option<&'c str> {
    let normalize = |name: &str| name.trim_start_matches("api://").trim_end_matches('/').to_ascii_lowercase();
    let (audience, resource) = (claims.aud.as_deref()?, normalize(resource));
    let is_id = Uuid::try_parse(&resource).is_ok();
    (is_id && normalize(audience) != resource).then_some(audience)
}
