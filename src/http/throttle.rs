//! The service's wish for less haste: `Retry-After`, which holds back every request of the command.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use super::Response;

/// A day: longer than any command's time, and a moment that can be named.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Requests of one command, held back together until a moment that the service named.
#[derive(Default)]
pub struct RateLimit {
    until: Cell<Option<Instant>>,
}

impl RateLimit {
    /// How long requests are to be held back from now.
    pub fn wait(&self) -> Duration {
        self.until.get().map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }

    /// Holds requests back for so long from now, unless they are for longer already. Returns whether that makes a
    /// difference worth telling.
    pub fn hold_back(&self, wait: Duration) -> bool {
        let before = self.wait();
        if wait > before
            && let Some(until) = Instant::now().checked_add(wait.min(LONGEST))
        {
            self.until.set(Some(until));
        }
        wait > before + Duration::from_secs(1)
    }
}

/// How long the service asks to wait before the request is sent again, where it does (RFC 6585, section 4;
/// RFC 9110, section 15.6.4).
pub fn asked_wait(answer: &Response) -> Option<Duration> {
    asked_wait_at(answer, SystemTime::now())
}

/// The same where it is `now`.
pub fn asked_wait_at(answer: &Response, now: SystemTime) -> Option<Duration> {
    if !matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let value = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Some(retry_after(value, now)?.min(LONGEST))
}

/// The header's value: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too large for a number is longer than any wait.
        return Some(value.parse().map_or(LONGEST, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn answer(status: StatusCode, value: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("a header"));
        Response { status, headers, ..Response::default() }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").expect("a date");
        let wait = |value| asked_wait_at(&answer(StatusCode::TOO_MANY_REQUESTS, value), now);
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        // RFC 9110 asks recipients to read all three forms.
        for date in ["Wed, 21 Oct 2015 07:28:30 GMT", "Wednesday, 21-Oct-15 07:28:30 GMT", "Wed Oct 21 07:28:30 2015"] {
            assert_eq!(wait(date), Some(Duration::from_secs(30)), "{date}");
        }
        assert_eq!(wait("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["", "-1", "+1", "soon", "1.5"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_wait_too_long_for_a_number_is_the_longest() {
        let answer = answer(StatusCode::TOO_MANY_REQUESTS, &"9".repeat(100));
        assert_eq!(asked_wait_at(&answer, SystemTime::now()), Some(LONGEST));
    }

    #[test]
    fn only_answers_that_put_off_ask_for_a_wait() {
        assert!(asked_wait(&answer(StatusCode::SERVICE_UNAVAILABLE, "1")).is_some());
        assert!(asked_wait(&answer(StatusCode::INTERNAL_SERVER_ERROR, "1")).is_none());
    }

    #[test]
    fn the_longest_wait_holds_and_no_wait_is_too_long() {
        let throttle = RateLimit::default();
        assert!(throttle.hold_back(Duration::from_secs(60)));
        assert!(!throttle.hold_back(Duration::from_secs(10)));
        assert!(throttle.wait() > Duration::from_secs(50));
        assert!(throttle.hold_back(Duration::MAX));
        assert!(throttle.wait() > Duration::from_secs(60));
    }
}
