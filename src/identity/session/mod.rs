//! Which credential serves a command: the token of the environment, else the profile's saved sign-in.

mod environment;
mod saved;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

pub(crate) use environment::{EnvironmentToken, TOKEN_VARIABLE};
pub(crate) use saved::SavedSignIn;

use super::cache::Method;
use crate::commerce::TokenSource;
use crate::error::Result;

/// Where the credential that serves was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    Cache,
}

/// Who is signed in, as far as this machine knows.
pub(crate) struct Status {
    pub(crate) account: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) method: Method,
    pub(crate) source: Source,
    pub(crate) client_id: Option<String>,
    pub(crate) roles: Vec<String>,
    /// When the access token ends; `None` where there is none yet for this tenant.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Whether a new token can be had without a person.
    pub(crate) is_renewable: bool,
}

/// The credential of one run, at one tenant.
pub(crate) enum Session<'a> {
    Environment(EnvironmentToken<'a>),
    Saved(SavedSignIn<'a>),
}

impl Session<'_> {
    /// Who is signed in. Touches no network.
    pub(crate) async fn status(&self) -> Result<Status> {
        match self {
            Self::Environment(token) => token.status(),
            Self::Saved(sign_in) => sign_in.status().await,
        }
    }

    /// The tenant that the last token was for, once one was handed out.
    pub(crate) fn tenant_id(&self) -> Option<String> {
        match self {
            Self::Environment(token) => token.tenant_id(),
            Self::Saved(sign_in) => sign_in.tenant_id(),
        }
    }

    /// The account that the last token was for, once one was handed out.
    pub(crate) fn account(&self) -> Option<String> {
        match self {
            Self::Environment(token) => token.account(),
            Self::Saved(sign_in) => sign_in.account(),
        }
    }
}

impl TokenSource for Session<'_> {
    async fn token(&self) -> Result<SecretString> {
        match self {
            Self::Environment(token) => token.token(),
            Self::Saved(sign_in) => sign_in.token().await,
        }
    }

    async fn renewed(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        match self {
            Self::Environment(_) => Ok(None),
            Self::Saved(sign_in) => sign_in.renewed(refused).await,
        }
    }

    fn advice_when_refused(&self) -> String {
        match self {
            Self::Environment(token) => token.advice_when_refused(),
            Self::Saved(sign_in) => sign_in.connect().to_string(),
        }
    }
}
