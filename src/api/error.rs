//! Errors for responses that report a failure or cannot be parsed, with hints.

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::Value;

use crate::auth::Access;
use crate::error::{Error, ErrorKind};
use crate::http::{Effect, Response};
use crate::text::{sanitize_line, truncate};

/// The maximum length of a displayed service message, in characters.
const MAX_MESSAGE_LEN: usize = 1000;

/// The error for a response with a status other than 2xx, or an unexpected body.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    /// The service's time, from the `Date` header.
    pub date: Option<DateTime<Utc>>,
    message: String,
    service_message: String,
    correlation_id: String,
    is_html: bool,
    /// The `Retry-After` header.
    retry_after: Option<String>,
}

impl ApiError {
    /// Creates an error. `action` says what failed, such as "could not list the products".
    pub fn new(action: &str, response: &Response) -> Self {
        let message = if response.status.is_success() {
            format!("{action}: invalid response from the service (status {})", response.status)
        } else {
            format!("{action}: the service returned {}", response.status)
        };
        Self {
            status: response.status,
            date: response.date(),
            message,
            service_message: service_message(response),
            correlation_id: response.correlation_id.clone().unwrap_or_default(),
            is_html: response.is_html(),
            retry_after: response.retry_after(),
        }
    }

    /// Whether the ID in the request may be unknown. A 404 is not proof: the service also returns it for internal
    /// failures (microsoft-365-docs issue 4387).
    pub fn may_be_unknown_id(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST)
    }

    /// Adds this error as details to an error that it caused.
    pub fn attach_to(self, error: Error) -> Error {
        error
            .with_detail(&self.message)
            .with_detail(self.service_message)
            .with_detail(format!("correlation ID: {}", self.correlation_id))
    }

    /// Converts to an error with the hints for its status and the requested access.
    pub fn into_error(self, access: Access) -> Error {
        let hints = hints_for_status(self.status, access, self.retry_after.is_some());
        self.into_error_with_hints(hints)
    }

    /// Converts to an error with these hints.
    pub fn into_error_with_hints(self, hints: &[&str]) -> Error {
        let html_hint =
            self.is_html.then_some("the response is a web page: check whether a proxy responds instead of the service");
        let hints = hints.iter().copied().chain(html_hint).map(str::to_owned);
        let kind = if self.status == StatusCode::UNAUTHORIZED { ErrorKind::Auth } else { ErrorKind::Failed };
        let retry_after = self.retry_after.as_ref().map(|value| format!("Retry-After: {value}"));
        let (service_message, correlation_id) = (self.service_message.clone(), self.correlation_id.clone());
        let error = Error::from_source(self).with_kind(kind).with_detail(service_message);
        let error = retry_after.into_iter().fold(error, Error::with_detail);
        error.with_detail(format!("correlation ID: {correlation_id}")).with_hints(hints)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

/// The service's message: `errorCode` and `reason`, or the start of any other body.
fn service_message(response: &Response) -> String {
    let body = response.json();
    // The bodies of 401, 403 and 429 are not documented, so try common formats.
    let error = body.as_ref().map(|body| body.get("error").filter(|error| error.is_object()).unwrap_or(body));
    let member = |names: &[&str]| {
        let text = names.iter().find_map(|name| error?.get(name).and_then(Value::as_str));
        text.map(|text| truncate(&sanitize_line(text), MAX_MESSAGE_LEN))
    };
    let code = member(&["errorCode", "code", "error"]);
    let reason = member(&["reason", "message", "error_description"]);
    match (code, reason) {
        (Some(code), Some(reason)) => format!("{code}: {reason}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) if response.body.is_empty() => "the response has no body".to_owned(),
        (None, None) => response.excerpt(300),
    }
}

fn hints_for_status(status: StatusCode, access: Access, has_retry_after: bool) -> &'static [&'static str] {
    match (status.as_u16(), access) {
        (403, Access::Write) => &[
            "use an account with the role Global Administrator or Billing Administrator in this tenant",
            "as a partner, request the role through GDAP",
        ],
        (403, Access::Read) => &[
            "use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant",
            "as a partner, request the role through GDAP",
        ],
        (429 | 503, _) if has_retry_after => {
            &["try again after the time in Retry-After, or increase the timeout with --timeout SECONDS"]
        }
        (429, _) => &["try again later, or increase the timeout with --timeout SECONDS"],
        (500..=599, _) => &["Try again later. If it persists, give Microsoft support the correlation ID."],
        _ => &[],
    }
}

/// The error of a request, and what the request may have caused.
pub struct RequestError {
    pub error: Error,
    pub effect: Effect,
    pub correlation_id: Option<String>,
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        error.error
    }
}

impl RequestError {
    /// Creates the error of a request that was not sent.
    pub fn not_sent(error: Error) -> Self {
        Self { error, effect: Effect::None, correlation_id: None }
    }

    /// Adds the effect of earlier attempts.
    pub fn with_prior_effect(self, prior_effect: Effect) -> Self {
        Self { effect: self.effect.max(prior_effect), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec().into(),
            ..Response::default()
        }
    }

    #[test]
    fn service_message_reads_documented_and_common_bodies() {
        assert_eq!(
            service_message(&response(400, r#"{"errorCode":"BadRequest","reason":"Invalid scope."}"#)),
            "BadRequest: Invalid scope."
        );
        assert_eq!(service_message(&response(401, r#"{"error":{"code":"X","message":"Y"}}"#)), "X: Y");
        assert_eq!(service_message(&response(500, "")), "the response has no body");
        assert_eq!(service_message(&response(500, "plain\ttext")), "plain text");
        assert_eq!(service_message(&response(500, &"x".repeat(400))).chars().count(), 301);
        let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(100_000));
        assert_eq!(service_message(&response(400, &long)).chars().count(), MAX_MESSAGE_LEN + 1);
    }
}
