//! Sign-in with a device code (RFC 8628).

use std::time::{Duration, Instant};

use oauth2::{HttpRequest, StandardDeviceAuthorizationResponse};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::SecretString;

use super::entra::{AuthError, Entra, TokenResponse, oauth_http_client};
use super::oauth_error::OAuthError;
use super::token_response;
use crate::error::{Error, Result};
use crate::http::RetryPolicy;
use crate::redact::Redactor;
use crate::text::sanitize_line;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The number of consecutive polls that fail for a lasting reason, such as an untrusted certificate, after which polling
/// fails.
const MAX_FAILED_POLLS: usize = 3;

/// The interval if the response has none, or 0 (RFC 8628, section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// The maximum interval after failed polls.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The time that `slow_down` adds to the polling interval (RFC 8628, section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// A device code with its user code, verification URI and lifetime.
pub struct DeviceCode(StandardDeviceAuthorizationResponse);

impl DeviceCode {
    /// The verification URI, in one line.
    pub fn verification_uri(&self) -> String {
        self.display(self.0.verification_uri())
    }

    /// The user code, in one line.
    pub fn user_code(&self) -> String {
        self.display(self.0.user_code().secret())
    }

    /// Sanitizes text of the response for the user. It must not contain the device code.
    fn display(&self, text: &str) -> String {
        let device_code = SecretString::from(self.0.device_code().secret().as_str());
        sanitize_line(&Redactor::new([&device_code]).redact_text(text))
    }

    pub fn expires_in(&self) -> Duration {
        self.0.expires_in()
    }

    fn interval(&self) -> Duration {
        if self.0.interval().is_zero() { DEFAULT_INTERVAL } else { self.0.interval() }
    }
}

impl Entra {
    /// Requests a device code. The user enters its user code on another device.
    pub async fn device_code(&self) -> Result<DeviceCode, AuthError> {
        let client = self.client()?;
        let request = client.exchange_device_code().add_scopes(self.scopes());
        let response = request.request_async(&oauth_http_client(&self.http, token_response::RETRY)).await;
        response.map(DeviceCode).map_err(|error| self.auth_error(error))
    }

    /// Polls the token endpoint until the user signs in or the code expires (RFC 8628, section 3.5). Polls that fail
    /// temporarily reduce the frequency.
    pub async fn poll_device_code(&self, code: &DeviceCode) -> Result<TokenResponse, AuthError> {
        let send = oauth_http_client(&self.http, RetryPolicy::Never);
        let (started, mut interval) = (Instant::now(), code.interval());
        let (mut failed_polls, mut lasting_failures) = (0, 0);
        while started.elapsed() <= code.expires_in() {
            // `--timeout` does not include the time that the user needs.
            self.http.reset_deadline();
            match send(self.poll_request(code)?).await {
                Ok(response) if response.status() == StatusCode::OK => {
                    let tokens = serde_json::from_slice(response.body()).map_err(|_| self.invalid_response())?;
                    return self.token_response(Ok(tokens));
                }
                Ok(response) => {
                    (failed_polls, lasting_failures) = (0, 0);
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
                    lasting_failures = if error.transient { 0 } else { lasting_failures + 1 };
                    if lasting_failures == MAX_FAILED_POLLS {
                        return Err(AuthError::Other(error.into()));
                    }
                }
            }
            tokio::time::sleep(back_off(interval, failed_polls)).await;
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

/// The interval after consecutive failed polls: doubled by each up to [`MAX_BACKOFF`], but never shorter than `interval`.
fn back_off(interval: Duration, failed_polls: usize) -> Duration {
    let factor = u32::try_from(failed_polls).ok().and_then(|exponent| 2_u32.checked_pow(exponent)).unwrap_or(u32::MAX);
    interval.saturating_mul(factor).min(MAX_BACKOFF).max(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_and_never_shortens_the_interval() {
        let back_off = |seconds, failed_polls| back_off(Duration::from_secs(seconds), failed_polls).as_secs();
        assert_eq!([0, 1, 2, 3, 100].map(|failed_polls| back_off(5, failed_polls)), [5, 10, 20, 30, 30]);
        assert_eq!([1, 20, 60].map(|seconds| back_off(seconds, 1)), [2, 30, 60]);
    }

    #[test]
    fn missing_or_zero_interval_is_five_seconds() {
        let interval = |members: &str| {
            let body =
                format!(r#"{{"device_code":"d","user_code":"u","verification_uri":"https://x.example"{members}}}"#);
            DeviceCode(serde_json::from_str(&body).expect("a device code")).interval().as_secs()
        };
        assert_eq!(interval(r#","expires_in":900"#), 5);
        assert_eq!(interval(r#","expires_in":900,"interval":0"#), 5);
        assert_eq!(interval(r#","expires_in":900,"interval":7"#), 7);
    }
}
