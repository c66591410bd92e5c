//! Signing in as an application, which needs no person: with a secret, a certificate, or a token of another issuer
//! that the application trusts (entra-docs, "client credentials").

pub mod certificate;

use std::borrow::Cow;
use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::certificate::CertificateFile;
use super::entra::{ClientAuthParams, Entra, TokenResponse};
use super::federated::FederatedToken;
use super::oauth_error::OAuthError;
use crate::error::{Error, Result};
use crate::files;

/// Wrong client secret (entra-docs, "error codes").
const WRONG_SECRET: u32 = 7_000_215;

/// What named a secret or a file: a flag or a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgSource {
    Flag(&'static str),
    Variable(&'static str),
}

impl fmt::Display for ArgSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => formatter.write_str(name),
        }
    }
}

/// How an application proves that it is the one it says.
pub enum ClientAuth {
    Secret { value: SecretString, origin: ArgSource },
    Certificate(CertificateFile),
    Federated(FederatedToken),
}

impl ClientAuth {
    /// What it is, in words.
    fn name(&self) -> &'static str {
        match self {
            Self::Secret { .. } => "its client secret",
            Self::Certificate(_) => "its certificate",
            Self::Federated(_) => "a federated token",
        }
    }
}

/// An application, and what it proves itself with.
pub struct ClientCredentials {
    pub client_id: String,
    pub client_auth: ClientAuth,
}

impl ClientCredentials {
    /// Which application it is, and how it proves that.
    pub fn description(&self) -> String {
        format!("the application {} with {}", self.client_id, self.client_auth.name())
    }

    /// Signs in at the tenant of `entra`. A refusal tells what was presented, as far as that is no secret.
    pub async fn sign_in(&self, entra: &Entra) -> Result<TokenResponse> {
        match &self.client_auth {
            ClientAuth::Secret { value, origin } => {
                entra.application(ClientAuthParams::Secret(value)).await.map_err(|error| {
                    let code = error.downcast_ref::<OAuthError>().and_then(OAuthError::code);
                    if code == Some(WRONG_SECRET) && is_id(value) {
                        error.with_detail(format!("{origin} has the form of a secret's id, not of its value"))
                    } else {
                        error
                    }
                })
            }
            ClientAuth::Certificate(file) => {
                let certificate = file.read().await?;
                let assertion = certificate.assertion(&self.client_id, &entra.token_endpoint()?)?;
                let answer = entra.application(ClientAuthParams::Assertion(&assertion)).await;
                answer.map_err(|error| if_refused(error, certificate))
            }
            ClientAuth::Federated(source) => {
                let assertion = source.assertion(&entra.http).await?;
                let answer = entra.application(ClientAuthParams::Assertion(&assertion.token)).await;
                answer.map_err(|error| if_refused(error, &*assertion))
            }
        }
    }
}

fn if_refused(error: Error, presented: &impl fmt::Display) -> Error {
    if error.downcast_ref::<OAuthError>().is_some_and(OAuthError::may_concern_client_auth) {
        error.with_detail(presented)
    } else {
        error
    }
}

/// Whether a secret has the form of an id: its id is easily taken for its value.
fn is_id(secret: &SecretString) -> bool {
    Uuid::try_parse(secret.expose_secret()).is_ok()
}

/// A file that a flag names is the command line's affair, one that a variable names the credential's.
pub fn file_read_error(error: io::Error, what: &str, origin: ArgSource) -> Error {
    let error = match origin {
        ArgSource::Flag(_) => Error::usage(error),
        ArgSource::Variable(_) => Error::auth(error),
    };
    error.context(format!("could not read {what}")).with_hint(format!("look at {origin}"))
}

/// The text of a file as UTF-8 without its mark: what Windows PowerShell writes is UTF-16, or begins with a mark.
/// Anything else stays as it is.
pub fn decode_text(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = |read: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(text(u16::from_le_bytes, rest).into_bytes()),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(text(u16::from_be_bytes, rest).into_bytes()),
        utf8 => Cow::Borrowed(files::strip_bom(utf8)),
    }
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
