//! What an authority says of itself at a tenant, to anybody who asks.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::oauth_error::OAuthError;
use super::sign_in_command::SignInCommand;
use crate::error::{Error, Result};
use crate::http::{self, HttpError, Response, RetryPolicy};

/// The authority's answer about a tenant.
pub struct Metadata {
    /// Who issues its tokens there, or why nobody does.
    pub issuer: Result<String>,
    /// The authority's clock.
    pub date: Option<DateTime<Utc>>,
}

/// Asks for the `OpenID` metadata of a tenant: a GET without any credential (`OpenID` Connect Discovery 1.0, section 4;
/// entra-docs, "`OpenID` Connect": `/{tenant}/v2.0/.well-known/openid-configuration`). A tenant that is not known is refused.
pub async fn metadata(http: &http::Client, authority: &Url, tenant: &str, connect: &SignInCommand) -> Result<Metadata> {
    let mut url = authority.clone();
    url.path_segments_mut()
        .map_err(|()| Error::usage("the authority host is not a web address"))?
        .pop_if_empty()
        .extend([tenant, "v2.0", ".well-known", "openid-configuration"]);
    let request = http.request(Method::GET, url.clone()).map_err(Error::from)?;
    let request = request.build().map_err(|error| HttpError::invalid_request(&error))?;
    let answer = http.send(request, RetryPolicy::Idempotent).await.map_err(Error::from)?;
    Ok(Metadata { issuer: issuer(&answer, &url, tenant, connect), date: answer.date() })
}

fn issuer(answer: &Response, url: &Url, tenant: &str, connect: &SignInCommand) -> Result<String> {
    let what = format!("the authority does not answer for the tenant {tenant}");
    let unexpected = || Error::from(HttpError::unexpected_response(url, answer)).context(&what);
    if !answer.status.is_success() {
        let refusal = OAuthError::from_response(answer).filter(|_| answer.status.is_client_error());
        return Err(refusal.map_or_else(unexpected, |refusal| refusal.into_error(&what, connect)));
    }
    let issuer = answer.json().and_then(|body| Some(body.get("issuer").and_then(Value::as_str)?.to_owned()));
    issuer.ok_or_else(|| {
        unexpected()
            .with_detail("its answer names no issuer")
            .with_hint("look at AZURE_AUTHORITY_HOST, and for a proxy that answers in its place")
    })
}
