//! Signing in with a browser: this process listens on the loopback interface for the answer that Entra has
//! the browser post.

use std::time::Duration;

use url::Url;

use super::entra::{Authorization, Entra, TokenResponse};
pub use super::landing::Page;
use super::loopback::{RedirectListener, RedirectResult};
use super::oauth_error::OAuthError;
use crate::error::{Error, Result};

/// The path registered for the module's client id; Entra ignores the port of a localhost address, not its path
/// (entra-docs, "reply URL").
pub const REDIRECT_PATH: &str = "/m365/commerce";

/// A sign-in that waits for the person to finish it in the browser.
pub struct BrowserFlow {
    entra: Entra,
    listener: RedirectListener,
    authorization: Authorization,
}

impl BrowserFlow {
    /// Starts listening, on `port` or on any free one. Listening begins before the address is shown, so that no
    /// answer can come too early.
    pub async fn start(entra: &Entra, port: Option<u16>) -> Result<Self> {
        let listener = RedirectListener::bind(port).await?;
        let authorization = entra.authorize(listener.port())?;
        Ok(Self { entra: entra.clone(), listener, authorization })
    }

    /// The address to open.
    pub fn url(&self) -> &Url {
        &self.authorization.url
    }

    /// The port on which the answer is awaited.
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Waits for the browser, redeems what it brings, and shows there how it ended. `keep` takes what was granted,
    /// and says what the page is to tell.
    pub async fn finish(self, patience: Duration, keep: impl AsyncFnOnce(TokenResponse) -> Result<Page>) -> Result<()> {
        let Self { entra, listener, authorization } = self;
        let state = authorization.state.secret().clone();
        let waited = tokio::time::timeout(patience, listener.wait_for_redirect(&state)).await;
        let (answer, reply) = waited.map_err(|_| {
            Error::failed(format!("no answer came from the browser within {} s", patience.as_secs()))
                .context("could not sign in")
                .with_hint(format!("to start again: {}", entra.sign_in_command))
                .with_hint(format!(
                    "where the browser cannot reach this machine, or showed AADSTS50011: {} --device-code",
                    entra.sign_in_command
                ))
        })?;
        entra.http.reset_deadline();
        let result =
            match answer {
                RedirectResult::Code(code) => match entra.redeem_code(code, authorization).await {
                    Ok(grant) => keep(grant).await,
                    Err(error) => Err(error),
                },
                RedirectResult::Error { error, description } => Err(OAuthError::from_redirect(error, description)
                    .into_error("could not sign in", &entra.sign_in_command)),
            };
        let (page, ended) = match result {
            Ok(page) => (page, Ok(())),
            Err(error) => (Page::failure(&error), Err(error)),
        };
        reply.send(page).await;
        ended
    }
}
