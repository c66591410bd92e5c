//! Which credential serves a command: the token of the environment, else the application of the environment, else the
//! profile's saved sign-in.

mod application;
mod environment;
mod refused;
mod saved;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

pub use application::{ApplicationCredential, At};
pub use environment::{StaticToken, TOKEN_VARIABLE};
pub use saved::{ProfileCredential, ProfileStore};

use super::cache::SignInMethod;
use super::permission;
use crate::api::{Access, TokenSource};
use crate::error::Result;

/// Where the credential that serves was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Environment,
    Cache,
}

/// Who is signed in, as far as this machine knows.
pub struct Status {
    pub account: Option<String>,
    pub tenant_id: Option<String>,
    pub method: SignInMethod,
    pub source: Source,
    pub client_id: Option<String>,
    pub roles: Vec<String>,
    /// When the access token ends; `None` where there is none yet for this tenant.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether a new token can be had without a person.
    pub is_renewable: bool,
    /// The authority that grants the tokens; `None` where none is asked.
    pub authority: Option<Url>,
    /// The tenant that the sign-in was for.
    pub home_tenant: Option<String>,
}

/// The credential of one run, at one tenant.
pub struct Session<'a> {
    holder: Credential<'a>,
    /// The service that tokens have to be for.
    resource: &'a str,
}

/// Whoever holds the credential.
pub enum Credential<'a> {
    Environment(StaticToken<'a>),
    ClientCredentials(ApplicationCredential<'a>),
    Saved(ProfileCredential<'a>),
}

impl<'a> Session<'a> {
    pub fn new(holder: Credential<'a>, resource: &'a str) -> Self {
        Self { holder, resource }
    }

    /// Who is signed in. Touches no network.
    pub async fn status(&self) -> Result<Status> {
        match &self.holder {
            Credential::Environment(token) => token.status(),
            Credential::ClientCredentials(application) => Ok(application.status()),
            Credential::Saved(sign_in) => sign_in.status().await,
        }
    }

    /// The tenant that the last token was for, once one was handed out.
    pub fn tenant_id(&self) -> Option<String> {
        match &self.holder {
            Credential::Environment(token) => token.tenant_id(),
            Credential::ClientCredentials(application) => application.tenant_id(),
            Credential::Saved(sign_in) => sign_in.tenant_id(),
        }
    }

    /// The account that the last token was for, once one was handed out.
    pub fn account(&self) -> Option<String> {
        match &self.holder {
            Credential::Environment(token) => token.account(),
            Credential::ClientCredentials(application) => Some(application.account()),
            Credential::Saved(sign_in) => sign_in.account(),
        }
    }
}

impl TokenSource for Session<'_> {
    async fn token(&self) -> Result<SecretString> {
        match &self.holder {
            Credential::Environment(token) => token.token(),
            Credential::ClientCredentials(application) => application.token().await,
            Credential::Saved(sign_in) => sign_in.token().await,
        }
    }

    async fn renewed(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        match &self.holder {
            Credential::Environment(_) => Ok(None),
            Credential::ClientCredentials(application) => application.renewed(refused).await.map(Some),
            Credential::Saved(sign_in) => sign_in.renewed(refused).await,
        }
    }

    fn check(&self, token: &SecretString, purpose: Access) -> Result<()> {
        match permission::missing(token, self.resource, purpose) {
            Some(error) => Err(error.with_detail("the service was not asked")),
            None => Ok(()),
        }
    }

    fn advice_when_refused(&self, token: &SecretString) -> Vec<String> {
        let about_the_token = permission::advice_when_refused(token, self.resource);
        let mut advice: Vec<String> = about_the_token.into_iter().collect();
        match &self.holder {
            Credential::Environment(token) => advice.push(token.advice_when_refused(!advice.is_empty())),
            Credential::ClientCredentials(_) => advice.extend(self.way_out()),
            Credential::Saved(sign_in) => advice.push(sign_in.advice_when_refused()),
        }
        advice
    }

    fn advice_when_forbidden(&self, token: &SecretString) -> Option<Vec<String>> {
        let mut advice = permission::advice_when_forbidden(token, self.resource)?;
        advice.extend(self.way_out());
        Some(advice)
    }
}

impl Session<'_> {
    /// How to sign in as a person in the place of an application.
    fn way_out(&self) -> Option<String> {
        match &self.holder {
            Credential::Environment(_) => None,
            Credential::ClientCredentials(application) => Some(application.way_out()),
            Credential::Saved(sign_in) => Some(format!("to sign in as a person: {}", sign_in.connect())),
        }
    }
}
