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

use super::{Origin, as_utf8, cannot_read};
use crate::auth::cache::is_fresh;
use crate::auth::claims::{Claims, is_token};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::http::{self, Answer, Failure};
use crate::text::{moment, one_line, shortened};

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
pub enum Federated {
    /// A file that somebody else keeps fresh: it is read anew for every token request.
    File { path: PathBuf, origin: Origin },
    /// GitHub Actions: the job asks for a token about itself, which is good for several tenants.
    Github { url: Url, token: SecretString, in_hand: Mutex<Option<Rc<Assertion>>> },
}

/// A token of another issuer, presented to Entra.
pub struct Assertion {
    pub token: SecretString,
    claims: Claims,
    source: String,
}

/// Shown where the token is refused: what has to be compared with the application's federated credentials.
impl fmt::Display for Assertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claim = |claim: &Option<String>| {
            claim.as_deref().map_or_else(|| "none".to_owned(), |claim| shortened(&one_line(claim), LONGEST_CLAIM))
        };
        writeln!(formatter, "the federated token came from {}", self.source)?;
        writeln!(formatter, "iss: {}", claim(&self.claims.iss))?;
        writeln!(formatter, "sub: {}", claim(&self.claims.sub))?;
        write!(formatter, "aud: {}", claim(&self.claims.aud))?;
        match self.claims.expires_at() {
            Some(end) if end <= Utc::now() => write!(formatter, "\nit ended at {}", moment(end)),
            Some(end) => write!(formatter, "\nit ends at {}", moment(end)),
            None => Ok(()),
        }
    }
}

impl Federated {
    pub fn file(path: PathBuf, origin: Origin) -> Self {
        Self::File { path, origin }
    }

    pub fn github(url: Url, token: SecretString) -> Self {
        Self::Github { url, token, in_hand: Mutex::default() }
    }

    /// A token to present to Entra.
    pub async fn assertion(&self, http: &http::Client<'_>) -> Result<Rc<Assertion>> {
        match self {
            Self::File { path, origin } => from_file(path, *origin).await.map(Rc::new),
            Self::Github { url, token, in_hand } => {
                let mut in_hand = in_hand.lock().await;
                let is_good = |assertion: &&Rc<Assertion>| {
                    assertion.claims.expires_at().is_some_and(|end| is_fresh(end, Utc::now()))
                };
                if let Some(assertion) = in_hand.as_ref().filter(is_good) {
                    return Ok(Rc::clone(assertion));
                }
                let assertion = Rc::new(from_github(http, url, token).await?);
                Ok(Rc::clone(in_hand.insert(assertion)))
            }
        }
    }
}

impl Assertion {
    fn new(text: &str, source: String) -> Result<Self> {
        let token = SecretString::from(text.trim());
        if token.expose_secret().is_empty() {
            return Err(Error::sign_in(format!("{source} is empty: there is no federated token in it")));
        }
        let claims = Claims::of(token.expose_secret()).filter(|_| is_token(&token));
        let claims = claims.ok_or_else(|| Error::sign_in(format!("{source}: what it holds is not a token (a JWT)")))?;
        Ok(Self { token, claims, source })
    }
}

async fn from_file(path: &Path, origin: Origin) -> Result<Assertion> {
    let source = format!("{} ({origin})", one_line(&path.display().to_string()));
    let bytes = files::read(path, LARGEST)
        .await
        .map_err(|error| cannot_read(error, &format!("the federated token {source}"), origin))?;
    Assertion::new(&String::from_utf8_lossy(&as_utf8(&bytes)), source)
        .map_err(|error| error.hint(format!("look at what writes the file that {origin} names")))
}

/// Asks GitHub for the job's token.
async fn from_github(http: &http::Client<'_>, url: &Url, token: &SecretString) -> Result<Assertion> {
    const WHAT: &str = "could not get the job's token from GitHub";
    let named = format!("the address is that of {GITHUB_URL}");
    let told = |error: Error| error.context(WHAT).detail(&named);
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    // An answer that is none of GitHub's leaves the tool without a credential; a broken network is a broken network.
    let failed = |failure: Failure| {
        let kind = if failure.is_answered() { Kind::SignIn } else { Kind::Failed };
        told(Error::from(failure).of_kind(kind))
    };
    let request = http.request(Method::GET, url.clone()).map_err(failed)?.bearer_auth(token.expose_secret());
    let answer = http.send(request).await.map_err(failed)?;
    if answer.status.is_success() {
        let hint = "look at the variable, and for a proxy that answers in GitHub's place";
        let found = value(&answer).ok_or_else(|| Error::sign_in("the answer holds no token"));
        let assertion = found.and_then(|value| Assertion::new(&value, "GitHub's answer".to_owned()));
        return assertion.map_err(|error| told(error).hint(hint));
    }
    if answer.status.is_client_error() && answer.status != 429 {
        let host = url.host_str().unwrap_or("GitHub");
        let error = Error::sign_in(format!("{host} answered {}", answer.status));
        return Err(told(error).detail(answer.excerpt(300)).hint(GITHUB_PERMISSION));
    }
    Err(failed(Failure::unexpected_answer(&url, &answer)).of_kind(Kind::Failed))
}

/// The token that an answer holds.
fn value(answer: &Answer) -> Option<String> {
    Some(answer.json()?.get("value").and_then(Value::as_str)?.to_owned())
}
