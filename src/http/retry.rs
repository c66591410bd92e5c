//! Retry policy, retry delays, and the rate limit of each host, which applies to all requests of a run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, StatusCode};
use url::{Origin, Url};

use super::{Effect, HttpError, Response};
use crate::interrupt::Interrupt;

/// The maximum number of attempts after the first one, except for those after a 429.
const MAX_RETRIES: usize = 4;

/// The minimum of the first delay. Jitter at most doubles a delay, so that the upper bounds are 0.2, 0.4, 0.8 and 1.6
/// s.
const BASE_DELAY: Duration = Duration::from_millis(100);

/// The minimum of the first delay after a 429, so that the upper bounds are 1, 2, 4, 8 and 16 s.
const RATE_LIMIT_BASE_DELAY: Duration = Duration::from_millis(500);

/// The minimum of the longest delay after a 429. Only `--timeout` limits the number of these delays.
const RATE_LIMIT_MAX_DELAY: Duration = Duration::from_secs(8);

/// The minimum timeout of one attempt if the request can be retried.
const MIN_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum `Retry-After`, one day. Adding it to a time cannot overflow, and no command waits that long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The headers with a delay in milliseconds, which Azure's services send instead of or in addition to `Retry-After`.
pub const RETRY_AFTER_MS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug)]
pub enum RetryPolicy {
    /// Retry always: sending the request twice has the same effect as sending it once.
    Idempotent,
    /// Retry always, and also after a response that this function considers transient.
    IdempotentOr(fn(&Response) -> bool),
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
        let (is_transient, is_sent) = match (result, self) {
            (Ok(response), Self::IdempotentOr(is_transient)) => {
                (is_transient_status(response.status) || is_transient(response), true)
            }
            (Ok(response), _) => (is_transient_status(response.status), true),
            (Err(error), _) => (error.transient, error.effect() != Effect::None),
        };
        let is_allowed = match self {
            Self::Idempotent | Self::IdempotentOr(_) => true,
            Self::IfNotSent => !is_sent,
            Self::Never => false,
            Self::Final => result.is_err(),
        };
        is_transient && is_allowed
    }

    /// The timeout of one attempt of a request that may take `timeout` in total. It is at least a third of `timeout`,
    /// because a long `--timeout` indicates slow responses.
    pub fn attempt_timeout(self, timeout: Duration) -> Duration {
        if matches!(self, Self::Never) { Duration::MAX } else { MIN_ATTEMPT_TIMEOUT.max(timeout / 3) }
    }
}

/// Whether a later attempt may succeed after this status (RFC 9110, RFC 6585).
pub fn is_transient_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The delays between the attempts of one request: exponential backoff, with jitter to spread the retries of concurrent
/// requests.
pub struct Delays {
    transient: <ExponentialBuilder as BackoffBuilder>::Backoff,
    rate_limited: <ExponentialBuilder as BackoffBuilder>::Backoff,
}

impl Default for Delays {
    fn default() -> Self {
        let builder = ExponentialBuilder::new().with_factor(2.0).with_jitter();
        let rate_limited = builder.with_min_delay(RATE_LIMIT_BASE_DELAY).with_max_delay(RATE_LIMIT_MAX_DELAY);
        Self {
            transient: builder.with_min_delay(BASE_DELAY).with_max_times(MAX_RETRIES).build(),
            rate_limited: rate_limited.without_max_times().build(),
        }
    }
}

impl Delays {
    /// The delay after an attempt with this result. `None` if there were enough attempts.
    pub fn next(&mut self, result: &Result<Response, HttpError>) -> Option<Duration> {
        match result {
            Ok(response) if response.status == StatusCode::TOO_MANY_REQUESTS => self.rate_limited.next(),
            _ => self.transient.next(),
        }
    }
}

/// Adds the effect of the earlier attempts to a result.
pub fn with_prior_attempt(
    result: Result<Response, HttpError>,
    previous: Option<&Result<Response, HttpError>>,
) -> Result<Response, HttpError> {
    let prior_effect = match previous {
        None => Effect::None,
        Some(Ok(response)) => response.effect(),
        Some(Err(error)) => error.effect(),
    };
    match result {
        Ok(response) => Ok(Response { prior_effect, ..response }),
        Err(error) => Err(error.with_prior_effect(prior_effect)),
    }
}

/// The rate limits of a run: the time before which no request may be sent to a host.
#[derive(Default)]
pub struct RateLimits {
    until: RefCell<HashMap<Origin, Instant>>,
}

impl RateLimits {
    /// Waits until requests to the host of `url` are allowed. Fails immediately if that is after `deadline`, or when
    /// Ctrl-C is pressed.
    pub async fn wait(&self, url: &Url, deadline: Instant, interrupt: &Interrupt) -> Result<(), HttpError> {
        loop {
            let delay = self.delay(url);
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

    /// Blocks requests to the host of `url` for `time` from now, unless they are blocked for longer. Returns whether
    /// this adds more than 1 s.
    pub fn defer(&self, url: &Url, time: Duration) -> bool {
        let before = self.delay(url);
        if time > before
            && let Some(until) = Instant::now().checked_add(time.min(MAX_RETRY_AFTER))
        {
            self.until.borrow_mut().insert(url.origin(), until);
        }
        time > before + Duration::from_secs(1)
    }

    /// The time until requests to the host of `url` are allowed.
    pub fn delay(&self, url: &Url) -> Duration {
        let until = self.until.borrow().get(&url.origin()).copied();
        until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }
}

/// The delay that an error response asks for, in milliseconds or as `Retry-After` (RFC 9110, section 10.2.3). A date is
/// relative to the response's own `Date`, or to `now` without one, because this machine's clock may be wrong.
pub fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    if !response.status.is_client_error() && !response.status.is_server_error() {
        return None;
    }
    let header = |name: &str| response.headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = RETRY_AFTER_MS.iter().find_map(|name| Some(Duration::from_millis(parse_number(header(name)?)?)));
    let delay = milliseconds.or_else(|| {
        let now = response.date().map_or(now, SystemTime::from);
        parse_retry_after(header(RETRY_AFTER.as_str())?, now)
    });
    Some(delay?.min(MAX_RETRY_AFTER))
}

/// Parses a `Retry-After` value: seconds or a date. Returns zero for a date in the past.
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Some(seconds) = parse_number(value) {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Parses digits. A number that is too large becomes the maximum.
fn parse_number(value: &str) -> Option<u64> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
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
        let is_documented = |delay: Option<Duration>, bound| {
            let bound = Duration::from_millis(bound);
            delay.is_some_and(|delay| (bound / 2..bound).contains(&delay))
        };
        let unavailable = Ok(response(StatusCode::SERVICE_UNAVAILABLE, ""));
        let rate_limited = Ok(response(StatusCode::TOO_MANY_REQUESTS, ""));
        for _ in 0..100 {
            let mut delays = Delays::default();
            for bound in [200, 400, 800, 1600] {
                assert!(is_documented(delays.next(&unavailable), bound));
            }
            assert_eq!(delays.next(&unavailable), None);
            for bound in [1000, 2000, 4000, 8000, 16000, 16000, 16000] {
                assert!(is_documented(delays.next(&rate_limited), bound));
            }
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
            (RetryPolicy::IdempotentOr(|_| false), true, true),
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
    fn retry_after_date_is_relative_to_date_of_response() {
        let mut response = response(StatusCode::TOO_MANY_REQUESTS, "Wed, 21 Oct 2015 07:28:30 GMT");
        response.headers.insert("date", HeaderValue::from_static("Wed, 21 Oct 2015 07:28:00 GMT"));
        assert_eq!(retry_after(&response, SystemTime::now()), Some(Duration::from_secs(30)));
    }

    #[test]
    fn milliseconds_take_precedence() {
        for name in RETRY_AFTER_MS {
            let mut response = response(StatusCode::TOO_MANY_REQUESTS, "2");
            response.headers.insert(name, HeaderValue::from_static("1500"));
            assert_eq!(retry_after(&response, SystemTime::now()), Some(Duration::from_millis(1500)), "{name}");
            response.headers.insert(name, HeaderValue::from_static("soon"));
            assert_eq!(retry_after(&response, SystemTime::now()), Some(Duration::from_secs(2)), "{name}");
        }
    }

    #[test]
    fn retry_after_applies_to_error_statuses() {
        let retry_after = |status| retry_after(&response(status, "1"), SystemTime::now());
        assert!(retry_after(StatusCode::SERVICE_UNAVAILABLE).is_some());
        assert!(retry_after(StatusCode::INTERNAL_SERVER_ERROR).is_some());
        assert!(retry_after(StatusCode::ACCEPTED).is_none());
    }

    #[test]
    fn rate_limit_keeps_longest_delay_of_each_host() {
        let rate_limits = RateLimits::default();
        let [url, other] = ["https://a.example/x", "https://b.example/"].map(|url| Url::parse(url).expect("a URL"));
        assert!(rate_limits.defer(&url, Duration::from_secs(60)));
        assert!(!rate_limits.defer(&url, Duration::from_secs(10)));
        assert!(rate_limits.delay(&url.join("/y").expect("a URL")) > Duration::from_secs(50));
        assert!(rate_limits.defer(&url, Duration::MAX));
        assert!(rate_limits.delay(&url) > Duration::from_secs(60));
        assert_eq!(rate_limits.delay(&other), Duration::ZERO);
    }
}
