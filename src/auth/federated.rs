//! Workload identity federation: tokens of a trusted external issuer (entra-docs, "workload identity federation").

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::Utc;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::arg_source::ArgSource;
use super::claims::{Claims, is_bearer_token};
use super::expiry::Expiry;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::http::{self, Delivery, HttpError, Response, RetryPolicy};
use crate::text::{format_timestamp, sanitize_line, truncate};

/// The audience that Entra requires in federated tokens.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// The maximum size of a token file, in bytes.
const MAX_FILE_SIZE: usize = 64 * 1024;

/// The maximum length of a claim in messages, in characters. A subject contains a repository and an environment.
const MAX_CLAIM_LEN: usize = 300;

/// The variables that GitHub Actions sets for a job with the permission `id-token: write`.
pub const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
pub const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

const HINT_GITHUB_PERMISSION: &str =
    "add the permission id-token: write to the job (not available to pull requests from forks)";

/// The source of a federated token.
pub enum FederatedToken {
    /// A file that another program updates. It is read again for every token request.
    File { path: PathBuf, source: ArgSource },
    /// The token endpoint of GitHub Actions. Its token is cached in memory and works for several tenants.
    Github { url: Url, token: SecretString, cached: Mutex<Option<Rc<ClientAssertion>>> },
}

/// A federated token, sent to Entra as a client assertion.
pub struct ClientAssertion {
    pub token: SecretString,
    claims: Claims,
    expiry: Option<Expiry>,
    source: String,
}

/// The details of a token that Entra rejected, to compare with the application's federated credentials.
impl fmt::Display for ClientAssertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claim = |claim: &Option<String>| {
            claim.as_deref().map_or_else(|| "none".to_owned(), |claim| truncate(&sanitize_line(claim), MAX_CLAIM_LEN))
        };
        writeln!(formatter, "the federated token comes from {}", self.source)?;
        writeln!(formatter, "iss: {}", claim(&self.claims.iss))?;
        writeln!(formatter, "sub: {}", claim(&self.claims.sub))?;
        write!(formatter, "aud: {}", claim(&self.claims.aud))?;
        match self.claims.expires_at() {
            Some(end) if end <= Utc::now() => write!(formatter, "\nexpired at {}", format_timestamp(end)),
            Some(end) => write!(formatter, "\nexpires at {}", format_timestamp(end)),
            None => Ok(()),
        }
    }
}

impl FederatedToken {
    pub fn file(path: PathBuf, source: ArgSource) -> Self {
        Self::File { path, source }
    }

    pub fn github(url: Url, token: SecretString) -> Self {
        Self::Github { url, token, cached: Mutex::default() }
    }

    /// Reads or requests a federated token. Reuses a GitHub token until shortly before it expires.
    ///
    /// # Errors
    /// Fails if the file cannot be read, GitHub issues no token, or the token is not a JWT.
    pub async fn assertion(&self, http: &http::Client) -> Result<Rc<ClientAssertion>> {
        match self {
            Self::File { path, source } => from_file(path, *source).await.map(Rc::new),
            Self::Github { url, token, cached } => {
                let mut cached = cached.lock().await;
                let is_valid = |assertion: &&Rc<ClientAssertion>| {
                    assertion.expiry.is_some_and(|expiry| expiry.is_fresh(Utc::now()))
                };
                if let Some(assertion) = cached.as_ref().filter(is_valid) {
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
            return Err(Error::auth(format!("{source} is empty; expected a federated token")));
        }
        let claims = Claims::decode_unverified(token.expose_secret()).filter(|_| is_bearer_token(&token));
        let claims = claims.ok_or_else(|| Error::auth(format!("{source} is not a token (JWT)")))?;
        let expiry = claims.expires_at().map(|end| Expiry::new(Utc::now(), end));
        Ok(Self { token, claims, expiry, source })
    }
}

async fn from_file(path: &Path, arg_source: ArgSource) -> Result<ClientAssertion> {
    let source = format!("{} ({arg_source})", files::input_name(path));
    let bytes = arg_source
        .read(path, MAX_FILE_SIZE)
        .await
        .map_err(|error| arg_source.read_error(error, &format!("the federated token {source}")))?;
    ClientAssertion::new(&String::from_utf8_lossy(&files::decode_text(&bytes)), source)
        .map_err(|error| error.with_hint(format!("check the program that writes the file in {arg_source}")))
}

/// Requests the job's ID token from GitHub.
async fn from_github(http: &http::Client, url: &Url, token: &SecretString) -> Result<ClientAssertion> {
    let with_context = |error: Error| {
        error
            .context("could not get the job's ID token from GitHub")
            .with_detail(format!("the URL comes from {GITHUB_URL}"))
    };
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    // With a response, GitHub rejected the request. Without one, the network failed.
    let http_error = |error: HttpError| {
        let kind = if error.delivery == Delivery::Responded { ErrorKind::Auth } else { ErrorKind::Failed };
        with_context(Error::from(error).with_kind(kind))
    };
    let request = http.request(Method::GET, url.clone()).map_err(http_error)?.bearer_auth(token.expose_secret());
    let request = request.build().map_err(|error| http_error(HttpError::invalid_request(&error)))?;
    let policy = RetryPolicy::IdempotentOr(|response| response.status.is_success() && response.is_blank());
    let response = http.send(request, policy).await.map_err(http_error)?;
    if response.status.is_success() {
        let token = token_field(&response).ok_or_else(|| Error::auth("the response does not contain a token"));
        let assertion = token.and_then(|token| ClientAssertion::new(&token, "GitHub's response".to_owned()));
        let hint = "check the variable, and whether a proxy responds instead of GitHub";
        return assertion.map_err(|error| with_context(error).with_hint(hint));
    }
    if response.status.is_client_error() && response.status != StatusCode::TOO_MANY_REQUESTS {
        let host = url.host_str().unwrap_or("GitHub");
        let error = Error::auth(format!("{host} returned {}", response.status));
        return Err(with_context(error).with_detail(response.excerpt(300)).with_hint(HINT_GITHUB_PERMISSION));
    }
    Err(http_error(HttpError::unexpected_response(&url, &response)).with_kind(ErrorKind::Failed))
}

fn token_field(response: &Response) -> Option<String> {
    Some(response.json()?.get("value").and_then(Value::as_str)?.to_owned())
}
