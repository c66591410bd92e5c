//! The authority: whether it can be reached, knows the tenant, and agrees on the time.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::network::check_host;
use super::{DiagnosticReport, check_clock};
use crate::auth::{OAuthError, ORGANIZATIONS, Status, Tenant};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{HttpError, Response, RetryPolicy, host_and_port};

/// Checks the authority that issues the tokens of the credential. Returns whether it can be reached.
pub async fn check_authority(report: &mut DiagnosticReport, status: Option<&Status>, context: &Context) -> bool {
    let url = match status {
        Some(Status { authority: None, .. }) => {
            report.skipped("authority", "none", "not needed: the access token is provided");
            return false;
        }
        Some(Status { authority: Some(url), .. }) => Ok(url.clone()),
        None => context.settings.authority(),
    };
    let Ok(url) = url else {
        report.skipped("authority", "unknown", "the authority setting is invalid");
        return false;
    };
    let host = host_and_port(&url);
    if !check_host(report, &url, context).await {
        report.skipped("authority", &host, "the authority was not reached");
        return false;
    }
    let tenant = tenant_to_check(status, context);
    let (issuer, date) = match fetch_openid_metadata(&url, &tenant, context).await {
        Ok(metadata) => (metadata.issuer, metadata.date),
        Err(error) => (Err(error), None),
    };
    report.record("authority", &host, issuer, |issuer| format!("found tenant {tenant}: {issuer}"));
    check_clock(report, &host, date);
    true
}

/// The tenant of the command line, of the credential, or of the environment.
fn tenant_to_check(status: Option<&Status>, context: &Context) -> String {
    let settings = &context.settings;
    let from_flag = settings.tenant().map(Tenant::to_string);
    let from_credential = || status.and_then(|status| status.tenant_id.clone());
    let from_environment = || settings.sign_in_tenant().ok().and_then(|(tenant, _)| tenant).map(|id| id.to_string());
    from_flag.or_else(from_credential).or_else(from_environment).unwrap_or_else(|| ORGANIZATIONS.to_owned())
}

/// The authority's description of a tenant.
struct OpenIdMetadata {
    issuer: Result<String>,
    /// The authority's time.
    date: Option<DateTime<Utc>>,
}

/// Requests the `OpenID` metadata of a tenant, without credentials (`OpenID` Connect Discovery 1.0, section 4;
/// entra-docs, "`OpenID` Connect": `/{tenant}/v2.0/.well-known/openid-configuration`). An unknown tenant is an error.
async fn fetch_openid_metadata(authority: &Url, tenant: &str, context: &Context) -> Result<OpenIdMetadata> {
    let mut url = authority.clone();
    url.path_segments_mut().map_err(|()| Error::usage("the authority host is not a URL"))?.pop_if_empty().extend([
        tenant,
        "v2.0",
        ".well-known",
        "openid-configuration",
    ]);
    let request = context.http.request(Method::GET, url.clone())?.build();
    let request = request.map_err(|error| HttpError::invalid_request(&error))?;
    let response = context.http.send(request, RetryPolicy::Idempotent).await?;
    Ok(OpenIdMetadata { issuer: parse_issuer(&response, &url, tenant, context), date: response.date() })
}

fn parse_issuer(response: &Response, url: &Url, tenant: &str, context: &Context) -> Result<String> {
    let message = format!("could not read the authority's metadata for tenant {tenant}");
    let unexpected = || Error::from(HttpError::unexpected_response(url, response)).context(&message);
    if !response.status.is_success() {
        let error = OAuthError::from_response(response).filter(|_| response.status.is_client_error());
        return Err(error.map_or_else(unexpected, |error| error.into_error(&message, &context.sign_in_command())));
    }
    let issuer = response.json().and_then(|body| Some(body.get("issuer").and_then(Value::as_str)?.to_owned()));
    issuer.ok_or_else(|| {
        unexpected()
            .with_detail("the response does not contain an issuer")
            .with_hint("check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the authority")
    })
}
