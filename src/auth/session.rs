//! Which credential serves a command: the token of the environment, else the application of the environment, else the
//! profile's saved sign-in.

mod application;
mod environment;
pub mod refused;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

pub use application::ApplicationCredential;
pub use environment::{StaticToken, TOKEN_VARIABLE};

use super::credential::SignInMethod;
use super::permissions::{self, Access};
use super::profile::ProfileCredential;
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
}

/// The credential of one run, at one tenant.
pub struct Session {
    credential: Credential,
    /// The service that tokens have to be for.
    resource: String,
}

/// Whoever holds the credential.
pub enum Credential {
    Token(StaticToken),
    Application(ApplicationCredential),
    Profile(ProfileCredential),
}

impl Session {
    pub fn new(credential: Credential, resource: String) -> Self {
        Self { credential, resource }
    }

    /// Who is signed in. Touches no network.
    pub async fn status(&self) -> Result<Status> {
        match &self.credential {
            Credential::Token(token) => token.status(),
            Credential::Application(application) => Ok(application.status()),
            Credential::Profile(profile) => profile.status().await,
        }
    }

    /// The tenant that the last token was for, once one was handed out.
    pub fn tenant_id(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(token) => token.tenant_id(),
            Credential::Application(application) => application.tenant_id(),
            Credential::Profile(profile) => profile.tenant_id(),
        }
    }

    /// The account that the last token was for, once one was handed out.
    pub fn account(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(token) => token.account(),
            Credential::Application(application) => Some(application.account()),
            Credential::Profile(profile) => profile.account(),
        }
    }
}

impl Session {
    /// A token to send.
    pub async fn access_token(&self) -> Result<SecretString> {
        match &self.credential {
            Credential::Token(token) => token.token(),
            Credential::Application(application) => application.token().await,
            Credential::Profile(profile) => profile.token().await,
        }
    }

    /// Another token in place of one that the service rejected; `None` if the credential has no other.
    pub async fn refresh(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        match &self.credential {
            Credential::Token(_) => Ok(None),
            Credential::Application(application) => application.renewed(refused).await.map(Some),
            Credential::Profile(profile) => profile.renewed(refused).await,
        }
    }

    /// Fails if the token itself shows that the service would refuse this access.
    pub fn check_access(&self, token: &SecretString, access: Access) -> Result<()> {
        match permissions::missing(token, &self.resource, access) {
            Some(error) => Err(error.with_detail("the service was not asked")),
            None => Ok(()),
        }
    }

    /// Hints for a token that the service rejects (401).
    pub fn unauthorized_hints(&self, token: &SecretString) -> Vec<String> {
        let about_the_token = permissions::advice_when_refused(token, &self.resource);
        let mut advice: Vec<String> = about_the_token.into_iter().collect();
        match &self.credential {
            Credential::Token(token) => advice.push(token.advice_when_refused(!advice.is_empty())),
            Credential::Application(_) => advice.extend(self.user_sign_in_hint()),
            Credential::Profile(profile) => advice.push(profile.advice_when_refused()),
        }
        advice
    }

    /// Hints for an application whose request is forbidden (403); `None` for a user, who lacks a directory role.
    pub fn forbidden_hints(&self, token: &SecretString) -> Option<Vec<String>> {
        let mut advice = permissions::advice_when_forbidden(token, &self.resource)?;
        advice.extend(self.user_sign_in_hint());
        Some(advice)
    }
}

impl Session {
    /// How to sign in as a person in the place of an application.
    fn user_sign_in_hint(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(_) => None,
            Credential::Application(application) => Some(application.way_out()),
            Credential::Profile(profile) => Some(format!("to sign in as a person: {}", profile.connect())),
        }
    }
}
