//! An answer of the endpoint that is not the one hoped for, and what to do about it.

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::Value;

use crate::auth::Access;
use crate::error::{Error, ErrorKind};
use crate::http::Response;
use crate::text::{sanitize_line, truncate};

/// The service's sentences are shorter; whatever is longer was not made to be read.
const LONGEST_WORDS: usize = 1000;

/// An answer with a status other than 2xx, or one that could not be understood.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    /// The service's clock.
    pub date: Option<DateTime<Utc>>,
    what: String,
    words: String,
    correlation_id: String,
    is_html: bool,
    /// For how long the service asks to be left alone, in its own words.
    pub retry_after: Option<String>,
}

impl ApiError {
    /// `what` failed because the service answered `answer`.
    pub fn new(what: &str, answer: &Response, correlation_id: &str) -> Self {
        let what = if answer.status.is_success() {
            format!("{what}: the service's answer cannot be understood (status {})", answer.status)
        } else {
            format!("{what}: the service answered {}", answer.status)
        };
        Self {
            status: answer.status,
            date: answer.date(),
            what,
            words: words(answer),
            correlation_id: correlation_id.to_owned(),
            is_html: answer.is_html(),
            retry_after: answer.retry_after(),
        }
    }

    /// Whether the service may not know the id that was asked for. A 404 is no proof that it does not: the
    /// service answers its own inner failures so, too (microsoft-365-docs issue 4387).
    pub fn may_be_unknown_id(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST)
    }

    /// Tells of this refusal below a failure that followed from it.
    pub fn add_to(self, error: Error) -> Error {
        error
            .with_detail(&self.what)
            .with_detail(self.words)
            .with_detail(format!("correlation id: {}", self.correlation_id))
    }

    /// The failure with the advice that fits its status and purpose.
    pub fn into_error(self, purpose: Access) -> Error {
        let advice = advice(self.status, purpose, self.retry_after.is_some());
        self.into_error_with_hints(advice)
    }

    /// The failure with this advice.
    pub fn into_error_with_hints(self, advice: &[&str]) -> Error {
        let page = self.is_html.then_some(
            "a web page came back: if the advice does not help, look for a proxy that answers in the service's place",
        );
        let hints = advice.iter().copied().chain(page).map(str::to_owned);
        let kind = if self.status == StatusCode::UNAUTHORIZED { ErrorKind::Auth } else { ErrorKind::Failed };
        let retry_after = self.retry_after.as_ref().map(|wait| format!("Retry-After: {wait}"));
        let (words, correlation_id) = (self.words.clone(), self.correlation_id.clone());
        let error = Error::from_source(self).with_kind(kind).with_detail(words);
        let error = retry_after.into_iter().fold(error, Error::with_detail);
        error.with_detail(format!("correlation id: {correlation_id}")).with_hints(hints)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for ApiError {}

/// The service's own words: `errorCode` and `reason`, or the beginning of any other body.
fn words(answer: &Response) -> String {
    let body = answer.json();
    // Bodies of 401, 403 and 429 are not publicly documented, so the common nestings are looked through.
    let told = body.as_ref().map(|body| body.get("error").filter(|inner| inner.is_object()).unwrap_or(body));
    let member = |names: &[&str]| {
        let text = names.iter().find_map(|name| told?.get(name).and_then(Value::as_str));
        text.map(|text| truncate(&sanitize_line(text), LONGEST_WORDS))
    };
    let code = member(&["errorCode", "code", "error"]);
    let reason = member(&["reason", "message", "error_description"]);
    match (code, reason) {
        (Some(code), Some(reason)) => format!("{code}: {reason}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) if answer.body.is_empty() => "the answer has no body".to_owned(),
        (None, None) => answer.excerpt(300),
    }
}

fn advice(status: StatusCode, purpose: Access, names_a_time: bool) -> &'static [&'static str] {
    match (status.as_u16(), purpose) {
        (403, Access::Write) => &[
            "a change needs the role Global Administrator or Billing Administrator in this tenant",
            "a partner needs such a role over GDAP",
        ],
        (403, Access::Read) => &[
            "reading needs the role Global Administrator, Billing Administrator or Global Reader in this tenant",
            "a partner needs such a role over GDAP",
        ],
        (429 | 503, _) if names_a_time => &[
            "the service asks for less haste: try again after the time it names, or allow more with --timeout SECONDS",
        ],
        (429, _) => &["the service asks for less haste: wait a minute and try again"],
        (500..=599, _) => &["the service has a fault of its own: try again later; support asks for the correlation id"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec().into(),
            ..Response::default()
        }
    }

    #[test]
    fn the_services_words_are_found_in_every_body_seen_or_likely() {
        assert_eq!(
            words(&answer(400, r#"{"errorCode":"BadRequest","reason":"Invalid scope."}"#)),
            "BadRequest: Invalid scope."
        );
        assert_eq!(words(&answer(401, r#"{"error":{"code":"X","message":"Y"}}"#)), "X: Y");
        assert_eq!(words(&answer(500, "")), "the answer has no body");
        assert_eq!(words(&answer(500, "plain\ttext")), "plain text");
        assert_eq!(words(&answer(500, &"x".repeat(400))).chars().count(), 301);
        let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(100_000));
        assert_eq!(words(&answer(400, &long)).chars().count(), LONGEST_WORDS + 1);
    }
}
