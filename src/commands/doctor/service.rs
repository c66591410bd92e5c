//! Behind the network: authority, clock, credential, policy.

use chrono::{DateTime, Duration, Utc};
use secrecy::ExposeSecret;

use super::walk::Walk;
use crate::api::{self, ApiError};
use crate::auth::{Access, Claims, ORGANIZATIONS, SignInMethod, Source, Status, Tenant, foreign_audience, metadata};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::host_and_port;
use crate::text::{format_timestamp, sanitize_line};

/// A clock that is further off makes tokens look ended, or not begun yet; Entra allows so much.
const FURTHEST_OFF: i64 = 300;

/// Asks the authority for what it says of itself, and compares the clocks.
pub async fn authority(walk: &mut Walk, url: &url::Url, status: Option<&Status>, context: &Context) {
    let settings = &context.settings;
    let asked = settings.tenant().map(Tenant::to_string);
    let known = status.and_then(|status| status.tenant_id.clone());
    let named = settings.sign_in_tenant().ok().and_then(|(tenant, _)| tenant).map(|tenant| tenant.to_string());
    let tenant = asked.or(known).or(named).unwrap_or_else(|| ORGANIZATIONS.to_owned());
    let connect = context.sign_in_command();
    let host = &host_and_port(url);
    let (issuer, date) = match metadata(&context.http, url, &tenant, &connect).await {
        Ok(answered) => (answered.issuer, answered.date),
        Err(error) => (Err(error), None),
    };
    walk.record("authority", host, issuer, |issuer| format!("knows the tenant {tenant}: {issuer}"));
    clock(walk, host, date);
}

/// Compares this machine's clock with another's, which tells whole seconds.
pub fn clock(walk: &mut Walk, host: &str, theirs: Option<DateTime<Utc>>) {
    let Some(theirs) = theirs else {
        walk.skipped("clock", host, "the time there is not known");
        return;
    };
    let ahead = (Utc::now() - theirs).num_seconds();
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    let finding = format!("this machine's clock is {} s {direction} the clock of {host}", ahead.abs());
    if ahead.abs() <= FURTHEST_OFF {
        walk.passed("clock", host, if ahead.abs() < 2 { "the clocks agree".to_owned() } else { finding });
    } else {
        walk.failed(
            "clock",
            host,
            &Error::failed(finding).with_hint("set this machine's clock, and have it kept by a time server"),
        );
    }
}

/// Where the credential that serves was found.
pub fn source(status: &Status, context: &Context) -> String {
    match (status.source, status.method) {
        (Source::Environment, SignInMethod::Application) => "the application of the environment".to_owned(),
        (Source::Environment, _) => "MSCOMMERCE_TOKEN".to_owned(),
        (Source::Cache, _) => format!("the profile {}", context.settings.profile.value),
    }
}

/// Whether a token has to be asked for before anything can be read.
pub fn needs_authority(status: &Status) -> bool {
    let is_fresh = status.expires_at.is_some_and(|end| end > Utc::now() + Duration::minutes(5));
    status.authority.is_some() && !is_fresh
}

/// Gets the token that would serve, and says what it says of itself.
pub async fn credential(walk: &mut Walk, status: &Status, endpoint: &api::Client, context: &Context) -> Option<Claims> {
    let (source, resource) = (source(status, context), context.settings.resource());
    let is_new = needs_authority(status);
    let found = usable(status, endpoint, &resource).await;
    walk.record("credential", &source, found, |claims| {
        let told = described(claims, status);
        let renewed = if is_new && status.source == Source::Cache { ", renewed just now" } else { "" };
        format!("by {}{renewed}, {told}", status.method)
    })
}

/// What the token says of itself, unless that shows that it is of no use: it is not sent then.
async fn usable(status: &Status, endpoint: &api::Client, resource: &str) -> Result<Claims> {
    let token = endpoint.session().access_token().await?;
    let claims = Claims::decode_unverified(token.expose_secret()).unwrap_or_default();
    if foreign_audience(&claims, resource).is_some() {
        return Err(Error::auth("the token is for another service; it was not sent")
            .with_detail(described(&claims, status))
            .with_hints(endpoint.session().unauthorized_hints(&token)));
    }
    match endpoint.session().check_access(&token, Access::Read) {
        Ok(()) => Ok(claims),
        Err(error) => Err(error.with_detail(described(&claims, status))),
    }
}

/// Whom a token is for, where, for what and until when.
fn described(claims: &Claims, status: &Status) -> String {
    let part = |name: &str, value: Option<String>| {
        let value = value.map_or_else(|| "unknown".to_owned(), |value| sanitize_line(&value));
        format!("{name} {value}")
    };
    let account = claims.account().map(str::to_owned).or_else(|| status.account.clone());
    let tenant = claims.tid.clone().or_else(|| status.tenant_id.clone());
    let end = claims.expires_at().or(status.expires_at);
    let rights = if claims.is_application() {
        part("roles", Some(if claims.roles.is_empty() { "none".to_owned() } else { claims.roles.join(" ") }))
    } else {
        part("scopes", claims.scopes.clone())
    };
    [
        part("account", account),
        part("tenant", tenant),
        part("audience", claims.aud.clone()),
        part("valid until", end.map(format_timestamp)),
        rights,
    ]
    .join(", ")
}

/// What became of reading the policy.
pub enum Read {
    Served,
    Failed(Error),
    /// Why it was not tried.
    NotTried(&'static str),
}

impl Read {
    /// The service's refusal, where it was one.
    pub fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Failed(error) => error.downcast_ref(),
            Self::Served | Self::NotTried(_) => None,
        }
    }
}

/// Reads the policy once, and compares the clocks.
pub async fn policy(walk: &mut Walk, endpoint: &api::Client, host: &str) -> Read {
    let (read, date) = match endpoint.policy_response().await {
        Ok(looked) => {
            let finding = format!("status {}, correlation id {}", looked.status.as_u16(), looked.correlation_id);
            walk.passed("policy", endpoint.policy_id(), finding);
            (Read::Served, looked.date)
        }
        Err(error) => {
            walk.failed("policy", endpoint.policy_id(), &error);
            let read = Read::Failed(error);
            let date = read.refusal().and_then(|refusal| refusal.date);
            (read, date)
        }
    };
    clock(walk, host, date);
    read
}
