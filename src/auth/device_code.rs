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

/// The number of consecutive polls without a response after which polling fails.
const MAX_FAILED_POLLS: usize = 3;

/// The maximum interval after a failed poll.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// The time that `slow_down` adds to the polling interval (RFC 8628, section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// A device code with its user code, verification URI and lifetime.
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
    /// Requests a device code. The user enters its user code on another device.
    pub async fn device_code(&self) -> Result<DeviceCode, AuthError> {
        let client = self.client()?;
        let request = client.exchange_device_code().add_scopes(self.scopes());
        let response = request.request_async(&oauth_http_client(&self.http, RetryPolicy::Idempotent)).await;
        response.map(DeviceCode).map_err(|error| self.auth_error(error))
    }

    /// Polls the token endpoint until the user signs in or the code expires (RFC 8628, section 3.5).
    pub async fn poll_device_code(&self, code: &DeviceCode) -> Result<TokenResponse, AuthError> {
        let send = oauth_http_client(&self.http, RetryPolicy::Never);
        let (started, mut interval, mut failed_polls) = (Instant::now(), code.0.interval(), 0);
        while started.elapsed() <= code.expires_in() {
            // `--timeout` does not include the time that the user needs.
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
                    interval = back_off(interval);
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

/// The interval after a failed poll: doubled up to [`MAX_BACKOFF`], and never shorter than before (RFC 8628, section 3.5).
fn back_off(interval: Duration) -> Duration {
    interval.saturating_mul(2).min(MAX_BACKOFF).max(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_never_shortens_the_interval() {
        let seconds = [1, 5, 10, 15].map(|seconds| back_off(Duration::from_secs(seconds)).as_secs());
        assert_eq!(seconds, [2, 10, 10, 15]);
    }
}
