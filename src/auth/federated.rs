//! Tokens of another issuer that the application trusts: workload identity federation (entra-docs, "workload identity
//! federation").

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::Utc;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::application::{ArgSource, decode_text, file_read_error};
use crate::auth::claims::{Claims, is_bearer_token};
use crate::auth::credential::is_fresh;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::http::{self, Delivery, HttpError, Response, RetryPolicy};
use crate::text::{format_timestamp, sanitize_line, truncate};

/// Whom such a token must be for (entra-docs, "workload identity federation").
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// No token comes near this.
const LARGEST: usize = 64 * 1024;

/// The longest claim that is shown; subjects name a repository and an environment.
const LONGEST_CLAIM: usize = 300;

/// The variables that GitHub Actions gives to a job that may ask for its own token.
pub const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
pub const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// What a job needs for that.
const GITHUB_PERMISSION: &str =
    "the job needs: permissions: id-token: write (GitHub gives it to no pull request from a fork)";

/// Where the token of the other issuer comes from.
pub enum FederatedToken {
    /// A file that somebody else keeps fresh: it is read anew for every token request.
    File { path: PathBuf, origin: ArgSource },
    /// GitHub Actions: the job asks for a token about itself, which is good for several tenants.
    Github { url: Url, token: SecretString, cached: Mutex<Option<Rc<ClientAssertion>>> },
}

/// A token of another issuer, presented to Entra.
pub struct ClientAssertion {
    pub token: SecretString,
    claims: Claims,
    source: String,
}

/// Shown where the token is refused: what has to be compared with the application's federated credentials.
impl fmt::Display for ClientAssertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claim = |claim: &Option<String>| {
            claim.as_deref().map_or_else(|| "none".to_owned(), |claim| truncate(&sanitize_line(claim), LONGEST_CLAIM))
        };
        writeln!(formatter, "the federated token came from {}", self.source)?;
        writeln!(formatter, "iss: {}", claim(&self.claims.iss))?;
        writeln!(formatter, "sub: {}", claim(&self.claims.sub))?;
        write!(formatter, "aud: {}", claim(&self.claims.aud))?;
        match self.claims.expires_at() {
            Some(end) if end <= Utc::now() => write!(formatter, "\nit ended at {}", format_timestamp(end)),
            Some(end) => write!(formatter, "\nit ends at {}", format_timestamp(end)),
            None => Ok(()),
        }
    }
}

impl FederatedToken {
    pub fn file(path: PathBuf, origin: ArgSource) -> Self {
        Self::File { path, origin }
    }

    pub fn github(url: Url, token: SecretString) -> Self {
        Self::Github { url, token, cached: Mutex::default() }
    }

    /// A token to present to Entra.
    pub async fn assertion(&self, http: &http::Client) -> Result<Rc<ClientAssertion>> {
        match self {
            Self::File { path, origin } => from_file(path, *origin).await.map(Rc::new),
            Self::Github { url, token, cached } => {
                let mut cached = cached.lock().await;
                let is_good = |assertion: &&Rc<ClientAssertion>| {
                    assertion.claims.expires_at().is_some_and(|end| is_fresh(end, Utc::now()))
                };
                if let Some(assertion) = cached.as_ref().filter(is_good) {
                    return Ok(Rc::clone(assertion));
                }
                let assertion = Rc::new(from_github(http, url, token).await?);
                Ok(Rc::clone(cached.insert(assertion)))
            }
        }
    }
}

impl ClientAssertion {
    fn new(text: &str, source: String) -> Result<Self> {
        let token = SecretString::from(text.trim());
        if token.expose_secret().is_empty() {
            return Err(Error::auth(format!("{source} is empty: there is no federated token in it")));
        }
        let claims = Claims::decode_unverified(token.expose_secret()).filter(|_| is_bearer_token(&token));
        let claims = claims.ok_or_else(|| Error::auth(format!("{source}: what it holds is not a token (a JWT)")))?;
        Ok(Self { token, claims, source })
    }
}

async fn from_file(path: &Path, origin: ArgSource) -> Result<ClientAssertion> {
    let source = format!("{} ({origin})", sanitize_line(&path.display().to_string()));
    let bytes = files::read_limited(path, LARGEST)
        .await
        .map_err(|error| file_read_error(error, &format!("the federated token {source}"), origin))?;
    ClientAssertion::new(&String::from_utf8_lossy(&decode_text(&bytes)), source)
        .map_err(|error| error.with_hint(format!("look at what writes the file that {origin} names")))
}

/// Asks GitHub for the job's token.
async fn from_github(http: &http::Client, url: &Url, token: &SecretString) -> Result<ClientAssertion> {
    const WHAT: &str = "could not get the job's token from GitHub";
    let named = format!("the address is that of {GITHUB_URL}");
    let told = |error: Error| error.context(WHAT).with_detail(&named);
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    // An answer that is none of GitHub's leaves the tool without a credential; a broken network is a broken network.
    let failed = |failure: HttpError| {
        let kind = if failure.delivery == Delivery::Answered { ErrorKind::Auth } else { ErrorKind::Failed };
        told(Error::from(failure).with_kind(kind))
    };
    let request = http.request(Method::GET, url.clone()).map_err(failed)?.bearer_auth(token.expose_secret());
    let request = request.build().map_err(|error| failed(HttpError::invalid_request(&error)))?;
    let answer = http.send(request, RetryPolicy::Idempotent).await.map_err(failed)?;
    if answer.status.is_success() {
        let hint = "look at the variable, and for a proxy that answers in GitHub's place";
        let found = value(&answer).ok_or_else(|| Error::auth("the answer holds no token"));
        let assertion = found.and_then(|value| ClientAssertion::new(&value, "GitHub's answer".to_owned()));
        return assertion.map_err(|error| told(error).with_hint(hint));
    }
    if answer.status.is_client_error() && answer.status != 429 {
        let host = url.host_str().unwrap_or("GitHub");
        let error = Error::auth(format!("{host} answered {}", answer.status));
        return Err(told(error).with_detail(answer.excerpt(300)).with_hint(GITHUB_PERMISSION));
    }
    Err(failed(HttpError::unexpected_response(&url, &answer)).with_kind(ErrorKind::Failed))
}

/// The token that an answer holds.
fn value(answer: &Response) -> Option<String> {
    Some(answer.json()?.get("value").and_then(Value::as_str)?.to_owned())
}
