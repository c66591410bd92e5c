//! Property checks for response errors and `Retry-After`. The fuzz targets also run them.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use url::Url;

use super::retry::{MAX_RETRY_AFTER, retry_after};
use super::{HttpError, Response};
use crate::error::Error;
use crate::ui::format_error_checked;

/// Builds a response. The first line of `input` is the status, optionally followed by `html`; the rest is the body.
pub fn parse_response(input: &[u8]) -> Response {
    let (head, body) = split_first_line(input);
    let head = String::from_utf8_lossy(head);
    let mut words = head.split_ascii_whitespace();
    let status =
        words.next().and_then(|status| status.parse().ok()).and_then(|status| StatusCode::from_u16(status).ok());
    let mut headers = HeaderMap::new();
    if words.next() == Some("html") {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    }
    Response {
        status: status.unwrap_or(StatusCode::BAD_GATEWAY),
        headers,
        body: body.to_vec().into(),
        correlation_id: Some("0-1-2".to_owned()),
        ..Response::default()
    }
}

fn split_first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// Panics unless each error about the response contains the host and the status, is short, and has no control
/// characters.
pub fn check_errors(response: &Response) {
    let Ok(url) = Url::parse("https://service.example/v1.0/policies") else { return };
    let check = |error: HttpError| {
        let printed = format_error_checked(&Error::from(error));
        assert!(printed.contains(response.status.as_str()), "{printed}");
        assert!(printed.contains("service.example"), "{printed}");
        assert!(printed.chars().count() < 1000, "{printed}");
    };
    check(HttpError::unexpected_response(&url, response));
    check(HttpError::html_response(&url, response));
    check(HttpError::redirect(&url, response));
}

/// Panics unless `Retry-After` is parsed as seconds or a date, up to the maximum. The first line of `input` is the
/// value, the second one the current time in seconds since the Unix epoch.
pub fn check_retry_after(input: &[u8]) {
    let (value, rest) = split_first_line(input);
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let now: u32 = String::from_utf8_lossy(rest).trim().parse().unwrap_or(1_700_000_000);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.into());
    let mut response = Response { status: StatusCode::TOO_MANY_REQUESTS, ..Response::default() };
    response.headers.insert(RETRY_AFTER, header);
    let parsed = retry_after(&response, now);
    let value = value.trim_ascii();
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if is_number {
        let seconds =
            value.iter().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add((digit - b'0').into()));
        assert_eq!(parsed, Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER)));
    } else if let Some(parsed) = parsed {
        assert!(parsed <= MAX_RETRY_AFTER);
        let date = std::str::from_utf8(value).ok().and_then(|value| httpdate::parse_http_date(value).ok());
        let expected = date.map(|date| date.duration_since(now).unwrap_or_default().min(MAX_RETRY_AFTER));
        assert_eq!(expected, Some(parsed));
    }
    response.status = StatusCode::OK;
    assert_eq!(retry_after(&response, now), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn retry_after_is_seconds_or_date(
            value in prop_oneof![
                "[0-9]{1,30}",
                "[+-]?[0-9]{1,5}[ .a-z]?",
                "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
                any::<String>(),
            ],
            now in any::<u32>(),
        ) {
            check_retry_after(format!("{value}\n{now}").as_bytes());
        }

        #[test]
        fn retry_after_date_is_time_until_date(now in any::<u32>(), later in 0_u64..200_000) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.into());
            let date = httpdate::fmt_http_date(now + Duration::from_secs(later));
            let mut response = Response { status: StatusCode::SERVICE_UNAVAILABLE, ..Response::default() };
            response.headers.insert(RETRY_AFTER, HeaderValue::from_str(&date).expect("a header"));
            prop_assert_eq!(retry_after(&response, now), Some(Duration::from_secs(later).min(MAX_RETRY_AFTER)));
        }

        #[test]
        fn response_error_is_short_and_printable(
            status in 100_u16..1000,
            html in prop_oneof![Just(""), Just(" html")],
            body in prop_oneof![any::<String>(), "<(!doctype )?html>.{0,500}", "(\u{1b}\\[31m|\u{9b}|\u{202e}|\r\n|x){0,400}"],
        ) {
            check_errors(&parse_response(format!("{status}{html}\n{body}").as_bytes()));
        }
    }
}
