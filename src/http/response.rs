//! An answer of either service.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::secret::SecretBytes;
use crate::text::{display_excerpt, sanitize_line, truncate};

/// A whole answer, read to its end.
#[derive(Default)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Wiped when dropped: an answer may hold tokens.
    pub body: SecretBytes,
    /// The correlation id that the request was sent with, if it was.
    pub correlation_id: Option<String>,
    /// Whether the service may have acted on an earlier try of the same request.
    pub prior_attempt_ambiguous: bool,
}

impl Response {
    /// The body as JSON, whatever its content type says.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// True where the body is a web page: what a captive portal or a proxy puts in the place of an answer.
    pub fn is_html(&self) -> bool {
        let declared = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains("html"));
        // The beginning is enough: an answer may be large.
        let body = self.body.trim_ascii_start();
        let start = String::from_utf8_lossy(&body[..body.len().min(64)]).to_ascii_lowercase();
        let start = start.trim_start();
        (declared && self.json().is_none()) || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// The clock of whoever answered, by the header `Date`.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let value = self.headers.get(DATE)?.to_str().ok()?;
        httpdate::parse_http_date(value).ok().map(DateTime::from)
    }

    /// The header `Retry-After` as it came.
    pub fn retry_after(&self) -> Option<String> {
        let value = self.headers.get(RETRY_AFTER)?;
        Some(display_excerpt(&String::from_utf8_lossy(value.as_bytes())))
    }

    /// The first `limit` characters of the body, for showing what an unexpected answer said.
    pub fn excerpt(&self, limit: usize) -> String {
        let text = sanitize_line(String::from_utf8_lossy(&self.body).trim());
        truncate(&text, limit)
    }
}
