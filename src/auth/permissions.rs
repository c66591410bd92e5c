//! What an application's token says that it may do, looked at before the service is asked: the service itself says no
//! more than that it refuses.

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::claims::Claims;
use crate::error::Error;
use crate::text::sanitize_line;

/// What a request is for; it decides which role is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// The application permissions of the policy endpoint, with their ids (the public list of Microsoft's first-party
/// permissions: maciejporebski/azure-ad-first-party-apps-permissions).
const READ: (&str, &str) = ("Policy.Read.AllowSelfServicePurchase", "5803e913-b904-44a0-9928-864642a45960");
const CHANGE: (&str, &str) = ("Policy.ReadWrite.AllowSelfServicePurchase", "78ff4d1f-611d-4a41-9989-698762b46a0e");

/// What is true of every application's token, and has to be said where one is refused.
const UNVERIFIED: &str =
    "no public source shows this service accepting an application; a person's sign-in is known to be accepted";

/// What an application lacks for something, if its token says so. A token that is a user's, or for another service, is
/// left to the service to judge.
pub fn missing(token: &SecretString, resource: &str, access: Access) -> Option<Error> {
    let claims = Claims::decode_unverified(token.expose_secret()).filter(Claims::is_application)?;
    if foreign_audience(&claims, resource).is_some() || may(&claims, access) {
        return None;
    }
    let (verb, needed, to_add) = match access {
        Access::Read => ("read", format!("{} or {}", READ.0, CHANGE.0), READ),
        Access::Write => ("change", CHANGE.0.to_owned(), CHANGE),
    };
    let id = sanitize_line(claims.client_id().unwrap_or_default());
    let error = Error::failed(format!(
        "the application {id} may not {verb} self-service purchases: its token lacks the role {needed}"
    ));
    Some(error.with_detail(roles(&claims)).with_hint(how_to_grant(to_add, resource)).with_hint(WHO_CONSENTS))
}

const WHO_CONSENTS: &str = "then a Privileged Role Administrator or Global Administrator of the tenant grants admin consent there, and a new token has the role: one that is saved or set has what was granted before it";

fn how_to_grant((name, id): (&str, &str), resource: &str) -> String {
    format!(
        "in the app registration, under API permissions, add the application permission {name} ({id}) of M365 License Manager ({resource})"
    )
}

/// What to do where the service does not accept a token (401), as far as the token itself tells.
pub fn advice_when_refused(token: &SecretString, resource: &str) -> Option<String> {
    let claims = Claims::decode_unverified(token.expose_secret())?;
    if let Some(other) = foreign_audience(&claims, resource).map(sanitize_line) {
        return Some(for_another_service(&other, resource));
    }
    claims.is_application().then(|| UNVERIFIED.to_owned())
}

fn for_another_service(other: &str, resource: &str) -> String {
    format!("the token is for the service {other}, and one for {resource} (M365 License Manager) is needed")
}

/// What to do where the service forbids something to an application (403).
pub fn advice_when_forbidden(token: &SecretString, resource: &str) -> Option<Vec<String>> {
    let claims = Claims::decode_unverified(token.expose_secret()).filter(Claims::is_application)?;
    let id = sanitize_line(claims.client_id().unwrap_or_default());
    let told = if let Some(other) = foreign_audience(&claims, resource).map(sanitize_line) {
        for_another_service(&other, resource)
    } else if may(&claims, Access::Read) {
        format!(
            "the token of the application {id} says that it may ({}), and the service says that it may not",
            roles(&claims)
        )
    } else {
        how_to_grant(CHANGE, resource)
    };
    Some(vec![told, UNVERIFIED.to_owned()])
}

fn may(claims: &Claims, access: Access) -> bool {
    let has = |name: &str| claims.roles.iter().any(|role| role.eq_ignore_ascii_case(name));
    has(CHANGE.0) || (access == Access::Read && has(READ.0))
}

fn roles(claims: &Claims) -> String {
    let roles = if claims.roles.is_empty() { "none".to_owned() } else { sanitize_line(&claims.roles.join(", ")) };
    format!("roles in the token: {roles}")
}

/// The service that a token is for, where it is surely another one: a service that is asked for by its address may be
/// named by its id in the token.
pub fn foreign_audience<'c>(claims: &'c Claims, resource: &str) -> Option<&'c str> {
    let plain = |name: &'_ str| name.trim_start_matches("api://").trim_end_matches('/').to_ascii_lowercase();
    let (audience, asked) = (claims.aud.as_deref()?, plain(resource));
    let is_known = Uuid::try_parse(&asked).is_ok();
    (is_known && plain(audience) != asked).then_some(audience)
}
