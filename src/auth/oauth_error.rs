//! Error responses of Entra's OAuth endpoints.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::advice::advice_for;
use super::sign_in_command::SignInCommand;
use crate::error::Error;
use crate::http::Response;
use crate::text::{display_excerpt, sanitize_line, truncate};

/// The maximum length of a displayed message, in characters. Entra's messages are shorter.
const MAX_MESSAGE_LEN: usize = 1000;

/// Codes for errors of the tenant, the client or the scope, not of the secret or assertion.
const NOT_ABOUT_CLIENT_AUTH: [u32; 9] = [90002, 700_016, 7_000_229, 500_011, 650_052, 65001, 53003, 501_051, 1_002_012];

/// Codes for errors that Entra documents as temporary: `RetryableError`, `ExternalServerRetryableError`,
/// `RequestTimeout`, `RequestBudgetExceededError`, `MsodsServiceUnavailable`, `GraphRetryableError` and
/// `GraphServiceUnreachable` (entra-docs, "error codes").
const TRANSIENT: [u32; 7] = [50033, 90006, 90012, 90024, 90033, 90090, 90091];

/// An OAuth error response (RFC 6749, section 5.2) with Entra's extension fields (entra-docs, "error codes").
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "Value")]
pub struct OAuthError {
    pub error: String,
    pub error_description: String,
    error_code: Option<u32>,
    suberror: String,
    trace_id: String,
    correlation_id: String,
}

/// Makes this the error type of the oauth2 client, which would otherwise drop Entra's extension fields.
impl oauth2::ErrorResponse for OAuthError {}

/// Parses an error response. Requires `error`; ignores other fields of an undocumented type.
impl TryFrom<Value> for OAuthError {
    type Error = &'static str;

    fn try_from(body: Value) -> Result<Self, Self::Error> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let first_code = body.get("error_codes").and_then(|codes| codes.get(0));
        let error_code = first_code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
        let error = Self {
            error: text("error"),
            error_description: text("error_description"),
            error_code: error_code.and_then(|code| u32::try_from(code).ok()),
            suberror: text("suberror"),
            trace_id: text("trace_id"),
            correlation_id: text("correlation_id"),
        };
        if error.error.is_empty() { Err("not an OAuth error response") } else { Ok(error) }
    }
}

impl OAuthError {
    /// Parses the error response of a token or device code request. Returns `None` for any other response.
    pub fn from_response(response: &Response) -> Option<Self> {
        Self::try_from(response.json()?).ok()
    }

    /// Creates an error from a redirect, or for a failure that this client detects.
    pub fn new(error: impl Into<String>, description: impl Into<String>) -> Self {
        Self { error: error.into(), error_description: description.into(), ..Self::default() }
    }

    /// The number after `AADSTS`, if any.
    pub fn code(&self) -> Option<u32> {
        self.error_code.or_else(|| {
            let digits = self.error_description.split("AADSTS").nth(1)?;
            digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        })
    }

    /// Whether the application's secret or assertion may be the cause of the error.
    pub fn may_concern_client_auth(&self) -> bool {
        !self.code().is_some_and(|code| NOT_ABOUT_CLIENT_AUTH.contains(&code))
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        self.error == "temporarily_unavailable" || self.code().is_some_and(|code| TRANSIENT.contains(&code))
    }

    /// Converts to an error that says what failed (`action`), with Entra's message and hints.
    pub fn into_error(self, action: impl fmt::Display, sign_in_command: &SignInCommand) -> Error {
        let (meaning, hints) = advice_for(self.code(), &self.error, sign_in_command.is_application);
        let error = Error::auth(format!("{action}: {meaning}")).with_detail(self.message());
        let trace_ids = self.trace_ids();
        let error = if trace_ids.is_empty() { error } else { error.with_detail(trace_ids) };
        error.with_hints(hints.iter().map(|hint| sign_in_command.expand(hint)))
    }

    /// Entra's message, without the IDs and the timestamp at its end.
    fn message(&self) -> String {
        let message = self.error_description.split(" Trace ID:").next().unwrap_or_default();
        let message = sanitize_line(message.lines().next().unwrap_or_default().trim());
        let message = truncate(&message, MAX_MESSAGE_LEN);
        let suberror =
            if self.suberror.is_empty() { String::new() } else { format!(", {}", display_excerpt(&self.suberror)) };
        let error = display_excerpt(&self.error);
        if message.is_empty() { format!("{error}{suberror}") } else { format!("{message} ({error}{suberror})") }
    }

    /// The correlation and trace IDs, for Microsoft support.
    fn trace_ids(&self) -> String {
        let id = |member: &str, name: &str| {
            let id = if member.is_empty() {
                value_after(&self.error_description, &format!("{name} ID:"))
            } else {
                Some(member.to_owned())
            };
            id.map(|id| format!("{} ID: {}", name.to_lowercase(), display_excerpt(&id)))
        };
        let ids = [id(&self.correlation_id, "Correlation"), id(&self.trace_id, "Trace")];
        ids.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The word after `label` in Entra's error description.
fn value_after(description: &str, label: &str) -> Option<String> {
    description.split(label).nth(1)?.split_whitespace().next().map(str::to_owned)
}

impl fmt::Display for OAuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn code_and_ids_are_parsed_from_description() {
        let error = OAuthError::new(
            "invalid_grant",
            "AADSTS53003: Access has been blocked. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-01-01 00:00:00Z",
        );
        assert_eq!(error.code(), Some(53003));
        assert_eq!(error.message(), "AADSTS53003: Access has been blocked. (invalid_grant)");
        assert_eq!(error.trace_ids(), "correlation ID: c-1, trace ID: t-1");
        let error = error.into_error("could not sign in", &SignInCommand::new("lab", None));
        assert_eq!(error.message(), "could not sign in: a Conditional Access policy blocks this sign-in");
        assert_eq!(error.kind(), ErrorKind::Auth);
        let wrong_password = OAuthError::new("invalid_grant", "AADSTS50126: Invalid username or password.");
        let error = wrong_password.into_error("could not sign in", &SignInCommand::new("lab", None));
        assert_eq!(error.hints(), ["mscommerce connect --profile lab"]);
    }

    #[test]
    fn long_response_is_truncated() {
        let long = "x y".repeat(100_000);
        let error = OAuthError { trace_id: long.clone(), ..OAuthError::new(long.clone(), long) };
        assert!(error.message().chars().count() < MAX_MESSAGE_LEN + 100);
        assert!(error.trace_ids().chars().count() < 100);
    }

    #[test]
    fn members_of_other_types_are_ignored() {
        let body = json!({"error": "invalid_grant", "suberror": null, "error_codes": ["50126"], "trace_id": 7});
        assert_eq!(OAuthError::try_from(body).expect("an error").code(), Some(50126));
        assert!(OAuthError::try_from(json!({"error_codes": [1]})).is_err());
    }
}
