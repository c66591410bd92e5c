//! Sign-in with a device code (RFC 8628).

use std::time::{Duration, Instant};

use oauth2::{HttpRequest, StandardDeviceAuthorizationResponse};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::entra::{AuthError, Entra, TokenResponse, oauth_http_client};
use super::oauth_error::OAuthError;
use crate::error::{Error, Result};
use crate::http::RetryPolicy;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Polls in a row without a response that end the wait.
const MAX_FAILED_POLLS: usize = 3;

/// The longest pause after a failed poll.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// What `slow_down` adds to the pause between polls.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// A device code, and what the user needs for it.
pub struct DeviceCode(StandardDeviceAuthorizationResponse);

impl DeviceCode {
    pub fn verification_uri(&self) -> &str {
        self.0.verification_uri()
    }

    pub fn user_code(&self) -> &str {
        self.0.user_code().secret()
    }

    pub fn expires_in(&self) -> Duration {
        self.0.expires_in()
    }
}

impl Entra {
    /// Requests a code that the user enters on another device.
    pub async fn device_code(&self) -> Result<DeviceCode, AuthError> {
        let client = self.client()?;
        let request = client.exchange_device_code().add_scopes(self.scopes());
        let response = request.request_async(&oauth_http_client(&self.http, RetryPolicy::Idempotent)).await;
        response.map(DeviceCode).map_err(|error| self.auth_error(error))
    }

    /// Polls until the user has entered the code, or it has expired (section 3.5).
    pub async fn poll_device_code(&self, code: &DeviceCode) -> Result<TokenResponse, AuthError> {
        let send = oauth_http_client(&self.http, RetryPolicy::Never);
        let (started, mut interval, mut failed_polls) = (Instant::now(), code.0.interval(), 0);
        while started.elapsed() <= code.expires_in() {
            // The user's time does not count against the timeout.
            self.http.reset_deadline();
            match send(self.poll_request(code)?).await {
                Ok(response) if response.status() == StatusCode::OK => {
                    let tokens = serde_json::from_slice(response.body()).map_err(|_| self.invalid_response())?;
                    return self.token_response(Ok(tokens));
                }
                Ok(response) => {
                    failed_polls = 0;
                    let error: OAuthError =
                        serde_json::from_slice(response.body()).map_err(|_| self.invalid_response())?;
                    match error.error.as_str() {
                        "authorization_pending" => {}
                        "slow_down" => interval = interval.saturating_add(SLOW_DOWN),
                        _ => return Err(error.into()),
                    }
                }
                Err(error) => {
                    failed_polls += 1;
                    if failed_polls == MAX_FAILED_POLLS {
                        return Err(AuthError::Other(error.into()));
                    }
                    interval = interval.saturating_mul(2).min(MAX_BACKOFF);
                }
            }
            tokio::time::sleep(interval).await;
        }
        Err(OAuthError::new("expired_token", "This device code has expired.").into())
    }

    fn poll_request(&self, code: &DeviceCode) -> Result<HttpRequest> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT_TYPE)
            .append_pair("device_code", code.0.device_code().secret())
            .append_pair("client_id", &self.client_id)
            .finish();
        oauth2::http::Request::post(self.endpoint("token")?.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes())
            .map_err(Error::from_source)
    }
}
