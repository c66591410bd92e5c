//! A complete HTTP response.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::Effect;
use crate::secret::SecretBytes;
use crate::text::{display_excerpt, sanitize_line, truncate};

/// An HTTP response with its complete body.
#[derive(Default)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body. It is zeroized when dropped, because it may contain tokens.
    pub body: SecretBytes,
    /// The correlation ID of the request, if any.
    pub correlation_id: Option<String>,
    /// The effect of earlier attempts of the same request.
    pub prior_effect: Effect,
}

impl Response {
    /// The effect of all attempts of the request. A 4xx status means that the service did not apply the request.
    pub fn effect(&self) -> Effect {
        let own = match self.status {
            StatusCode::GATEWAY_TIMEOUT => Effect::Pending,
            status if status.is_client_error() => Effect::Rejected,
            _ => Effect::Possible,
        };
        own.max(self.prior_effect)
    }

    /// Parses the body as JSON, regardless of `Content-Type`. Returns `None` if it is not JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the body is a web page, such as that of a captive portal or a proxy.
    pub fn is_html(&self) -> bool {
        let is_declared_html = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains("html"));
        // Convert only the start, because the body may be large.
        let body = self.body.trim_ascii_start();
        let start = String::from_utf8_lossy(&body[..body.len().min(64)]).to_ascii_lowercase();
        let start = start.trim_start();
        (is_declared_html && self.json().is_none()) || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// The server's time from the `Date` header. `None` if the header is missing or invalid.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let value = self.headers.get(DATE)?.to_str().ok()?;
        httpdate::parse_http_date(value).ok().map(DateTime::from)
    }

    /// The `Retry-After` header as text, for messages.
    pub fn retry_after(&self) -> Option<String> {
        let value = self.headers.get(RETRY_AFTER)?;
        Some(display_excerpt(&String::from_utf8_lossy(value.as_bytes())))
    }

    /// The first `limit` characters of the body, for an error about an unexpected response.
    pub fn excerpt(&self, limit: usize) -> String {
        let text = sanitize_line(String::from_utf8_lossy(&self.body).trim());
        truncate(&text, limit)
    }
}
