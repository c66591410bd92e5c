//! Behind the network: authority, clock, credential, policy.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::walk::Walk;
use crate::commands::{Context, Endpoint};
use crate::commerce::{Purpose, TokenSource};
use crate::error::{Error, Result};
use crate::http::host;
use crate::identity::{
    Claims, ConnectCommand, Method, ORGANIZATIONS, Source, Status, Tenant, another_service, metadata,
};
use crate::text::moment;

/// A clock that is further off makes tokens look ended, or not begun yet; Entra allows so much.
const FURTHEST_OFF: i64 = 300;

/// Asks the authority for what it says of itself, and compares the clocks.
pub(super) async fn authority(walk: &mut Walk, url: &url::Url, status: Option<&Status>, context: &Context<'_>) {
    let settings = context.settings;
    let asked = settings.tenant.as_ref().map(Tenant::to_string);
    let known = status.and_then(|status| status.tenant_id.clone());
    let named = settings.tenant_to_connect().ok().and_then(|(tenant, _)| tenant).map(|tenant| tenant.to_string());
    let tenant = asked.or(known).or(named).unwrap_or_else(|| ORGANIZATIONS.to_owned());
    let connect = ConnectCommand {
        profile: &settings.profile,
        tenant: settings.tenant.as_ref(),
        client_id: None,
        is_application: false,
    };
    let host = &host(url);
    let found = metadata(context.http, url, &tenant, connect).await;
    let found = walk.record("authority", host, found, |found| format!("knows the tenant {tenant}: {}", found.issuer));
    clock(walk, host, found.and_then(|found| found.date));
}

/// Compares this machine's clock with another's, which tells whole seconds.
pub(super) fn clock(walk: &mut Walk, host: &str, theirs: Option<DateTime<Utc>>) {
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
            &Error::failed(finding).hint("set this machine's clock, and have it kept by a time server"),
        );
    }
}

/// Where the credential that serves was found.
fn source(status: &Status, context: &Context<'_>) -> String {
    match (status.source, status.method) {
        (Source::Environment, Method::Application) => "the application of the environment".to_owned(),
        (Source::Environment, _) => "MSCOMMERCE_TOKEN".to_owned(),
        (Source::Cache, _) => format!("the profile {}", context.settings.profile),
    }
}

/// Gets the token that would serve, and says what it says of itself.
pub(super) async fn credential(
    walk: &mut Walk,
    status: &Status,
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) -> Option<SecretString> {
    let source = source(status, context);
    let resource = context.settings.resource();
    let found = usable(endpoint).await;
    walk.record("credential", &source, found, |token| {
        let claims = Claims::of(token.expose_secret()).unwrap_or_default();
        let part =
            |name: &str, value: Option<String>| format!("{name} {}", value.unwrap_or_else(|| "unknown".to_owned()));
        let listed = |items: &[String]| (!items.is_empty()).then(|| items.join(" "));
        let account = claims.account().map(str::to_owned).or_else(|| status.account.clone());
        let rights = if claims.is_application() {
            part("roles", listed(&claims.roles).or_else(|| Some("none".to_owned())))
        } else {
            part("scopes", claims.scopes.clone())
        };
        [
            format!("by {}", status.method),
            part("account", account),
            part("tenant", claims.tid.clone()),
            part(
                "audience",
                claims.aud.clone().map(|audience| match another_service(&claims, &resource) {
                    Some(_) => format!("{audience} (another service than {resource})"),
                    None => audience,
                }),
            ),
            part("valid until", claims.expires_at().map(moment)),
            rights,
        ]
        .join(", ")
    })
}

/// The token, unless it says itself that it is of no use.
async fn usable(endpoint: &Endpoint<'_>) -> Result<SecretString> {
    let token = endpoint.tokens().token().await?;
    endpoint.tokens().check(&token, Purpose::Read)?;
    Ok(token)
}

/// Reads the policy once. Returns whether it could be read.
pub(super) async fn policy(walk: &mut Walk, endpoint: &Endpoint<'_>) -> Result<Option<DateTime<Utc>>> {
    match endpoint.look_at_policy().await {
        Ok(looked) => {
            let finding = format!("status {}, correlation id {}", looked.status.as_u16(), looked.correlation_id);
            walk.passed("policy", endpoint.policy_id(), finding);
            Ok(looked.date)
        }
        Err(error) => {
            walk.failed("policy", endpoint.policy_id(), &error);
            Err(error)
        }
    }
}
