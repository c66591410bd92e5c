//! What has to hold of answers, whatever they hold.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use url::Url;

use super::throttle::{LONGEST, asked_wait_at};
use super::{HttpError, Response};
use crate::error::Error;
use crate::fuzzing::printed;

/// An answer made of a first line, with the status and perhaps the word `html`, and a body.
pub fn answer(input: &[u8]) -> Response {
    let (head, body) = first_line(input);
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
        ..Response::default()
    }
}

fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// What is told of an answer that nobody expected: the status always, and little of the rest.
pub fn failures(answer: &Response) {
    let Ok(url) = Url::parse("https://service.example/v1.0/policies") else { return };
    let told = |failure: HttpError| {
        let printed = printed(&Error::from(failure));
        assert!(printed.contains(answer.status.as_str()), "{printed}");
        assert!(printed.contains("service.example"), "{printed}");
        assert!(printed.chars().count() < 1000, "{printed}");
        printed
    };
    told(HttpError::unexpected_answer(&url, answer));
    told(HttpError::web_page(&url, answer));
    told(HttpError::redirected(&url, answer));
    let untold = told(HttpError::untold_answer(&url, answer.status));
    assert_eq!(untold.lines().count(), 3, "{untold}");
}

/// A wait is never longer than can be named, and is one only where the value is seconds or a date.
pub fn retry_after(input: &[u8]) {
    let (value, rest) = first_line(input);
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let now: u32 = String::from_utf8_lossy(rest).trim().parse().unwrap_or(1_700_000_000);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.into());
    let mut answer = Response { status: StatusCode::TOO_MANY_REQUESTS, ..Response::default() };
    answer.headers.insert(RETRY_AFTER, header);
    let asked = asked_wait_at(&answer, now);
    let value = value.trim_ascii();
    let are_digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if are_digits {
        let seconds =
            value.iter().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add((digit - b'0').into()));
        assert_eq!(asked, Some(Duration::from_secs(seconds).min(LONGEST)));
    } else if let Some(wait) = asked {
        assert!(wait <= LONGEST);
        let date = std::str::from_utf8(value).ok().and_then(|value| httpdate::parse_http_date(value).ok());
        assert_eq!(date.map(|date| date.duration_since(now).unwrap_or_default().min(LONGEST)), Some(wait));
    }
    answer.status = StatusCode::OK;
    assert_eq!(asked_wait_at(&answer, now), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_wait_is_asked_for_by_seconds_or_a_date(
            value in prop_oneof![
                "[0-9]{1,30}",
                "[+-]?[0-9]{1,5}[ .a-z]?",
                "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
                any::<String>(),
            ],
            now in any::<u32>(),
        ) {
            retry_after(format!("{value}\n{now}").as_bytes());
        }

        #[test]
        fn every_moment_that_a_date_can_name_is_waited_for(now in any::<u32>(), later in 0_u64..200_000) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.into());
            let date = httpdate::fmt_http_date(now + Duration::from_secs(later));
            let mut answer = Response { status: StatusCode::SERVICE_UNAVAILABLE, ..Response::default() };
            answer.headers.insert(RETRY_AFTER, HeaderValue::from_str(&date).expect("a header"));
            prop_assert_eq!(asked_wait_at(&answer, now), Some(Duration::from_secs(later).min(LONGEST)));
        }

        #[test]
        fn any_body_is_told_of_in_few_and_harmless_words(
            status in 100_u16..1000,
            declared in prop_oneof![Just(""), Just(" html")],
            body in prop_oneof![any::<String>(), "<(!doctype )?html>.{0,500}", "(\u{1b}\\[31m|\u{9b}|\u{202e}|\r\n|x){0,400}"],
        ) {
            failures(&answer(format!("{status}{declared}\n{body}").as_bytes()));
        }
    }
}
