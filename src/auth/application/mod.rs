//! Signing in as an application, which needs no person: with a secret, a certificate, or a token of another issuer
//! that the application trusts (entra-docs, "client credentials").

mod certificate;
mod federated;
mod key_file;

use std::borrow::Cow;
use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::entra::{ApplicationProof, Entra, Grant};
use super::refusal::Refusal;
use crate::error::{Error, Result};
use crate::files;
pub use federated::{Federated, GITHUB_TOKEN, GITHUB_URL};
pub use key_file::{CertificateFile, PasswordNeeded};

/// Wrong client secret (entra-docs, "error codes").
const WRONG_SECRET: u32 = 7_000_215;

/// What named a secret or a file: a flag or a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag(&'static str),
    Variable(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => formatter.write_str(name),
        }
    }
}

/// How an application proves that it is the one it says.
pub enum Proof {
    Secret { value: SecretString, origin: Origin },
    Certificate(CertificateFile),
    Federated(Federated),
}

impl Proof {
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
pub struct Application {
    pub client_id: String,
    pub proof: Proof,
}

impl Application {
    /// Which application it is, and how it proves that.
    pub fn description(&self) -> String {
        format!("the application {} with {}", self.client_id, self.proof.name())
    }

    /// Signs in at the tenant of `entra`. A refusal tells what was presented, as far as that is no secret.
    pub async fn sign_in(&self, entra: &Entra<'_>) -> Result<Grant> {
        match &self.proof {
            Proof::Secret { value, origin } => {
                entra.application(ApplicationProof::Secret(value)).await.map_err(|error| {
                    let code = error.downcast_ref::<Refusal>().and_then(Refusal::code);
                    if code == Some(WRONG_SECRET) && is_id(value) {
                        error.detail(format!("{origin} has the form of a secret's id, not of its value"))
                    } else {
                        error
                    }
                })
            }
            Proof::Certificate(file) => {
                let certificate = file.read().await?;
                let assertion = certificate.assertion(&self.client_id, &entra.token_endpoint()?)?;
                let answer = entra.application(ApplicationProof::Assertion(&assertion)).await;
                answer.map_err(|error| if_refused(error, certificate))
            }
            Proof::Federated(source) => {
                let assertion = source.assertion(entra.http).await?;
                let answer = entra.application(ApplicationProof::Assertion(&assertion.token)).await;
                answer.map_err(|error| if_refused(error, &*assertion))
            }
        }
    }
}

fn if_refused(error: Error, presented: &impl fmt::Display) -> Error {
    if error.downcast_ref::<Refusal>().is_some_and(Refusal::may_be_about_the_proof) {
        error.detail(presented)
    } else {
        error
    }
}

/// Whether a secret has the form of an id: its id is easily taken for its value.
fn is_id(secret: &SecretString) -> bool {
    Uuid::try_parse(secret.expose_secret()).is_ok()
}

/// A file that a flag names is the command line's affair, one that a variable names the credential's.
fn cannot_read(error: io::Error, what: &str, origin: Origin) -> Error {
    let error = match origin {
        Origin::Flag(_) => Error::usage(error),
        Origin::Variable(_) => Error::sign_in(error),
    };
    error.context(format!("could not read {what}")).hint(format!("look at {origin}"))
}

/// The text of a file as UTF-8 without its mark: what Windows PowerShell writes is UTF-16, or begins with a mark.
/// Anything else stays as it is.
fn as_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = |read: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(text(u16::from_le_bytes, rest).into_bytes()),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(text(u16::from_be_bytes, rest).into_bytes()),
        utf8 => Cow::Borrowed(files::without_mark(utf8)),
    }
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
