//! An HTTP response, read to its end.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::secret::SecretBytes;
use crate::text::{display_excerpt, sanitize_line, truncate};

/// A complete response.
#[derive(Default)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Wiped when dropped: it may hold tokens.
    pub body: SecretBytes,
    /// The correlation id of the request, if it had one.
    pub correlation_id: Option<String>,
    /// Whether the service may have processed an earlier attempt of the same request.
    pub prior_attempt_ambiguous: bool,
}

impl Response {
    /// The body as JSON. The `Content-Type` is ignored.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the body is a web page, as a captive portal or a proxy returns it.
    pub fn is_html(&self) -> bool {
        let is_declared_html = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains("html"));
        // A body may be large, and its start is enough.
        let body = self.body.trim_ascii_start();
        let start = String::from_utf8_lossy(&body[..body.len().min(64)]).to_ascii_lowercase();
        let start = start.trim_start();
        (is_declared_html && self.json().is_none()) || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// The server's time, from the `Date` header.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let value = self.headers.get(DATE)?.to_str().ok()?;
        httpdate::parse_http_date(value).ok().map(DateTime::from)
    }

    /// The `Retry-After` header as text.
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
