//! Retry policy, retry delays, and the rate limit from `Retry-After`, which applies to all requests of a run.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, StatusCode};
use url::Url;

use super::{Effect, HttpError, Response};
use crate::interrupt::Interrupt;

/// The maximum number of attempts after the first one.
const MAX_RETRIES: usize = 4;

/// The minimum of the first delay. Jitter at most doubles a delay, so that the upper bounds are 0.2, 0.4, 0.8 and 1.6
/// s.
const BASE_DELAY: Duration = Duration::from_millis(100);

/// The minimum timeout of one attempt if the request can be retried.
const MIN_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum `Retry-After`, one day. Adding it to a time cannot overflow, and no command waits that long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// Retry always: sending the request twice has the same effect as sending it once.
    Idempotent,
    /// Retry only if the request was not sent. For example, an authorization code can be redeemed once.
    IfNotSent,
    /// Never retry.
    Never,
    /// Retry only if there is no response. The request is sent even after an interrupt: it reads the outcome of an
    /// earlier one.
    Final,
}

impl RetryPolicy {
    /// The policy for a method: `GET` and `PUT` of the policy endpoint are idempotent.
    pub fn for_method(method: &Method) -> Self {
        if matches!(*method, Method::GET | Method::PUT) { Self::Idempotent } else { Self::Never }
    }

    /// Whether to retry after an attempt with this result.
    pub fn should_retry(self, result: &Result<Response, HttpError>) -> bool {
        let (is_transient, is_sent) = match result {
            Ok(response) => (is_transient_status(response.status), true),
            Err(error) => (error.transient, error.effect() != Effect::None),
        };
        let is_allowed = match self {
            Self::Idempotent => true,
            Self::IfNotSent => !is_sent,
            Self::Never => false,
            Self::Final => result.is_err(),
        };
        is_transient && is_allowed
    }

    /// The timeout of one attempt of a request that may take `timeout` in total. It is at least a third of `timeout`,
    /// because a long `--timeout` indicates slow responses.
    pub fn attempt_timeout(self, timeout: Duration) -> Duration {
        if self == Self::Never { Duration::MAX } else { MIN_ATTEMPT_TIMEOUT.max(timeout / 3) }
    }
}

/// Whether a later attempt may succeed after this status (RFC 9110, RFC 6585).
fn is_transient_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The delays between the attempts of one request: exponential backoff, with jitter to spread the retries of concurrent
/// requests.
pub fn delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(BASE_DELAY)
        .with_factor(2.0)
        .with_max_times(MAX_RETRIES)
        .with_jitter()
        .build()
}

/// The rate limit of a run: the time before which no request may be sent.
#[derive(Default)]
pub struct RateLimit {
    until: Cell<Option<Instant>>,
}

impl RateLimit {
    /// Waits until requests are allowed. Fails immediately if that is after `deadline`, or when Ctrl-C is pressed.
    pub async fn wait(&self, url: &Url, deadline: Instant, interrupt: &Interrupt) -> Result<(), HttpError> {
        loop {
            let delay = self.delay();
            if delay > deadline.saturating_duration_since(Instant::now()) {
                return Err(HttpError::rate_limited(url, delay));
            }
            if delay.is_zero() {
                return Ok(());
            }
            interrupt.sleep(delay).await;
            if interrupt.is_set() {
                return Err(HttpError::interrupted());
            }
        }
    }

    /// Blocks requests for `time` from now, unless they are blocked for longer. Returns whether this adds more than 1
    /// s.
    pub fn defer(&self, time: Duration) -> bool {
        let before = self.delay();
        if time > before
            && let Some(until) = Instant::now().checked_add(time.min(MAX_RETRY_AFTER))
        {
            self.until.set(Some(until));
        }
        time > before + Duration::from_secs(1)
    }

    fn delay(&self) -> Duration {
        self.until.get().map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }
}

/// The `Retry-After` delay of a 429 or 503 response (RFC 6585, section 4; RFC 9110, section 15.6.4).
pub fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    if !matches!(response.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let value = response.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Some(parse_retry_after(value, now)?.min(MAX_RETRY_AFTER))
}

/// Parses a `Retry-After` value: seconds or a date (RFC 9110, section 10.2.3). Returns zero for a date in the past.
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn response(status: StatusCode, value: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("a header"));
        Response { status, headers, ..Response::default() }
    }

    #[test]
    fn delays_stay_below_documented_bounds() {
        for _ in 0..100 {
            let mut delays = delays();
            for bound in [200, 400, 800, 1600] {
                assert!(delays.next().is_some_and(|delay| delay < Duration::from_millis(bound)));
            }
            assert_eq!(delays.next(), None);
        }
    }

    #[test]
    fn attempt_timeout_grows_with_timeout() {
        let attempt_timeout = |seconds| RetryPolicy::Idempotent.attempt_timeout(Duration::from_secs(seconds));
        assert_eq!(attempt_timeout(10), Duration::from_secs(30));
        assert_eq!(attempt_timeout(300), Duration::from_secs(100));
    }

    #[test]
    fn only_transient_statuses_are_retried() {
        let should_retry = |status| {
            let status = StatusCode::from_u16(status).expect("a status");
            RetryPolicy::Idempotent.should_retry(&Ok(Response { status, ..Response::default() }))
        };
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(should_retry(status), "{status}");
        }
        for status in [200, 302, 400, 401, 403, 404, 409, 501, 505] {
            assert!(!should_retry(status), "{status}");
        }
    }

    #[test]
    fn retry_policy_depends_on_delivery() {
        let unknown = || Err(HttpError::new("lost").transient());
        let not_sent = || Err(HttpError::new("refused").transient().not_sent());
        for (policy, if_unknown, if_not_sent) in [
            (RetryPolicy::Idempotent, true, true),
            (RetryPolicy::IfNotSent, false, true),
            (RetryPolicy::Never, false, false),
        ] {
            assert_eq!(policy.should_retry(&unknown()), if_unknown, "{policy:?}");
            assert_eq!(policy.should_retry(&not_sent()), if_not_sent, "{policy:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").expect("a date");
        let retry_after = |value| retry_after(&response(StatusCode::TOO_MANY_REQUESTS, value), now);
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        // RFC 9110 requires recipients to accept all three date formats.
        for date in ["Wed, 21 Oct 2015 07:28:30 GMT", "Wednesday, 21-Oct-15 07:28:30 GMT", "Wed Oct 21 07:28:30 2015"] {
            assert_eq!(retry_after(date), Some(Duration::from_secs(30)), "{date}");
        }
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        for invalid in ["", "-1", "+1", "soon", "1.5"] {
            assert_eq!(retry_after(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn long_retry_after_is_capped() {
        let response = response(StatusCode::TOO_MANY_REQUESTS, &"9".repeat(100));
        assert_eq!(retry_after(&response, SystemTime::now()), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn retry_after_applies_to_429_and_503() {
        let retry_after = |status| retry_after(&response(status, "1"), SystemTime::now());
        assert!(retry_after(StatusCode::SERVICE_UNAVAILABLE).is_some());
        assert!(retry_after(StatusCode::INTERNAL_SERVER_ERROR).is_none());
    }

    #[test]
    fn rate_limit_keeps_longest_delay() {
        let rate_limit = RateLimit::default();
        assert!(rate_limit.defer(Duration::from_secs(60)));
        assert!(!rate_limit.defer(Duration::from_secs(10)));
        assert!(rate_limit.delay() > Duration::from_secs(50));
        assert!(rate_limit.defer(Duration::MAX));
        assert!(rate_limit.delay() > Duration::from_secs(60));
    }
}
