//! Carries the oauth2 crate's requests over the tool's own client.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;

use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use super::oauth_error::OAuthError;
use crate::http::{self, HttpError, RetryPolicy};
use crate::secret::contains_bytes;

/// So many polls in a row without an answer end the waiting for a device code.
const MOST_FAILED_POLLS: usize = 3;

/// What is shorter stands in any text by chance.
const SHORTEST_SECRET: usize = 6;

/// The tool's client for one exchange, which also keeps what the oauth2 crate drops: Entra's codes and ids, and
/// failures while it polls.
pub struct Transport<'a> {
    http: &'a http::Client,
    waits_for_a_person: bool,
    repeat: RetryPolicy,
    refusal: RefCell<Option<OAuthError>>,
    failed_in_a_row: Cell<usize>,
    last_failure: RefCell<Option<HttpError>>,
    too_many_failures: Notify,
}

impl<'a> Transport<'a> {
    pub fn new(http: &'a http::Client) -> Self {
        Self {
            http,
            waits_for_a_person: false,
            repeat: RetryPolicy::Idempotent,
            refusal: RefCell::new(None),
            failed_in_a_row: Cell::new(0),
            last_failure: RefCell::new(None),
            too_many_failures: Notify::new(),
        }
    }

    /// For polling while a person is busy elsewhere, whose time does not count.
    pub fn while_a_person_is_busy(http: &'a http::Client) -> Self {
        Self { waits_for_a_person: true, repeat: RetryPolicy::Never, ..Self::new(http) }
    }

    /// For a code, which can be redeemed once.
    pub fn for_a_code(http: &'a http::Client) -> Self {
        Self { repeat: RetryPolicy::IfNotSent, ..Self::new(http) }
    }

    /// The refusal as Entra sent it, where `told` is what the oauth2 crate kept of it.
    pub fn whole(&self, told: OAuthError) -> OAuthError {
        self.refusal.take().filter(|whole| whole.error == told.error).unwrap_or(told)
    }

    async fn send(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let secrets = secrets(request.body());
        let request = reqwest::Request::try_from(request).map_err(|error| HttpError::invalid_request(&error))?;
        let url = request.url().clone();
        if self.waits_for_a_person {
            self.http.reset_deadline();
        }
        let answer = self.http.send(request, self.repeat).await?;
        if !answer.status.is_success() {
            // What answers in Entra's place may repeat the request, and must not be shown then.
            if secrets.iter().any(|secret| contains_bytes(&answer.body, secret.expose_secret().as_bytes())) {
                return Err(HttpError::response_contains_secret(&url, answer.status));
            }
            let refusal = OAuthError::of(&answer).filter(|_| answer.status.is_client_error() && answer.status != 429);
            self.refusal.replace(Some(refusal.ok_or_else(|| HttpError::unexpected_response(&url, &answer))?));
        }
        let mut response = HttpResponse::new(answer.body.to_vec());
        *response.status_mut() = if answer.status.is_success() { reqwest::StatusCode::OK } else { answer.status };
        Ok(response)
    }

    /// Waits for the failure after which polling on makes no sense: the oauth2 crate would poll until the code
    /// expires.
    pub async fn gave_up(&self) -> HttpError {
        loop {
            self.too_many_failures.notified().await;
            if let Some(failure) = self.last_failure.take() {
                return failure;
            }
        }
    }
}

/// The secrets that a form holds, as they stand in it and as they are.
fn secrets(form: &[u8]) -> Vec<SecretString> {
    let names = ["client_secret", "client_assertion", "password", "refresh_token", "code", "device_code"];
    let text = String::from_utf8_lossy(form);
    let raw = text.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| names.contains(name));
    let raw = raw.map(|(_, value)| SecretString::from(value));
    let plain = url::form_urlencoded::parse(form).filter(|(name, _)| names.contains(&name.as_ref()));
    let plain = plain.map(|(_, value)| SecretString::from(value.into_owned()));
    raw.chain(plain).filter(|secret| secret.expose_secret().len() >= SHORTEST_SECRET).collect()
}

impl<'c> AsyncHttpClient<'c> for Transport<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<HttpResponse, HttpError>> + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let result = self.send(request).await;
            if let Err(failure) = &result {
                self.failed_in_a_row.update(|count| count + 1);
                self.last_failure.replace(Some(failure.clone()));
                if self.failed_in_a_row.get() >= MOST_FAILED_POLLS {
                    self.too_many_failures.notify_one();
                }
            } else {
                self.failed_in_a_row.set(0);
            }
            result
        })
    }
}
