//! A complete HTTP response.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::Effect;
use super::retry::RETRY_AFTER_MS;
use crate::files;
use crate::secret::SecretBytes;
use crate::text::{display_excerpt, replace_lone_surrogates, sanitize_line, truncate};

/// Text in front of a token, and at the start of a JWT (the base64 of `{"`).
const TOKEN_MARKS: [&str; 5] = ["access_token", "refresh_token", "id_token", "device_code", "eyJ"];

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
            status if status.is_client_error() => Effect::Rejected,
            _ => Effect::Possible,
        };
        own.max(self.prior_effect)
    }

    /// The body without a byte order mark, which parsers may ignore (RFC 8259, section 8.1).
    fn content(&self) -> &[u8] {
        files::strip_bom(&self.body)
    }

    /// Parses the body as JSON, regardless of `Content-Type`. Returns `None` if it is not JSON.
    ///
    /// Bytes that are not UTF-8 and lone surrogates become U+FFFD, so that one broken name does not hide a whole list.
    pub fn json(&self) -> Option<Value> {
        let content = self.content();
        serde_json::from_slice(content).ok().or_else(|| {
            let text = Zeroizing::new(replace_lone_surrogates(&String::from_utf8_lossy(content)));
            serde_json::from_str(&text).ok()
        })
    }

    /// Whether there is no body, or only white space.
    pub fn is_blank(&self) -> bool {
        self.content().trim_ascii().is_empty()
    }

    /// The encoding of a compressed body. Requests do not ask for any, but some proxies compress nevertheless, and some
    /// of those omit the header.
    pub fn encoding(&self) -> Option<String> {
        const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
        let declared = self.headers.get(CONTENT_ENCODING).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let declared = declared.filter(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"));
        let encoding = declared.map(|encoding| display_excerpt(&encoding));
        encoding.or_else(|| self.body.starts_with(GZIP_MAGIC).then(|| "gzip".to_owned())).filter(|_| !self.is_blank())
    }

    /// Whether the body is a web page, such as that of a captive portal or a proxy.
    pub fn is_html(&self) -> bool {
        let is_declared_html = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains("html"));
        // Convert only the start, because the body may be large.
        let body = self.content().trim_ascii_start();
        let start = String::from_utf8_lossy(&body[..body.len().min(64)]).to_ascii_lowercase();
        let start = start.trim_start();
        (is_declared_html && self.json().is_none()) || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// The server's time from the `Date` header. `None` if the header is missing or invalid.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let value = self.headers.get(DATE)?.to_str().ok()?;
        httpdate::parse_http_date(value).ok().map(DateTime::from)
    }

    /// The `Retry-After` header as text, or the equivalent in milliseconds, for messages.
    pub fn retry_after(&self) -> Option<String> {
        let header = |name: &str| {
            let value = self.headers.get(name)?;
            Some(display_excerpt(&String::from_utf8_lossy(value.as_bytes())))
        };
        let milliseconds = || RETRY_AFTER_MS.iter().find_map(|name| Some(format!("{} ms", header(name)?)));
        header(RETRY_AFTER.as_str()).or_else(milliseconds)
    }

    /// The first `limit` characters of the body, for an error about an unexpected response. For a compressed body, its
    /// encoding. Omits a body that may contain new tokens, which no request contained.
    pub fn excerpt(&self, limit: usize) -> String {
        if let Some(encoding) = self.encoding().filter(|_| self.json().is_none()) {
            return format!("the body is compressed ({encoding}), which was not requested");
        }
        let text = truncate(&sanitize_line(String::from_utf8_lossy(self.content()).trim()), limit);
        if TOKEN_MARKS.iter().any(|mark| text.contains(mark)) {
            return "(not shown: it may contain a token)".to_owned();
        }
        text
    }
}
