//! Trying again: which requests, after which faults, and how long in between.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::{Method, StatusCode};

use super::{HttpError, Response};

/// So many more tries follow the first one.
const MORE_TRIES: usize = 4;

/// The longest first wait; each one is up to twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// How long one try may take at least, where more may follow.
const LONGEST_TRY: Duration = Duration::from_secs(30);

/// How long one try may take, where more may follow within `timeout`: whoever allows more time expects slower answers.
pub fn longest_try(timeout: Duration) -> Duration {
    LONGEST_TRY.max(timeout / 3)
}

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryPolicy {
    /// Sending it twice comes to the same as sending it once.
    Idempotent,
    /// Only where it never arrived: it can be redeemed once.
    IfNotSent,
    /// Whoever sends it asks again by itself.
    Never,
}

impl RetryPolicy {
    /// `GET` and `PUT` of the policy endpoint change nothing the second time.
    pub fn of(method: &Method) -> Self {
        if matches!(*method, Method::GET | Method::PUT) { Self::Idempotent } else { Self::Never }
    }

    /// Whether what became of a try allows another one: a fault that may pass, of the network or the service.
    pub fn allows(self, result: &Result<Response, HttpError>) -> bool {
        let may_pass = match result {
            Ok(answer) => may_pass(answer.status),
            Err(failure) => failure.may_pass(),
        };
        let has_arrived = result.as_ref().map_or_else(HttpError::may_have_arrived, |_| true);
        may_pass && (self == Self::Idempotent || (self == Self::IfNotSent && !has_arrived))
    }
}

/// The statuses that another try may find gone (RFC 9110, RFC 6585).
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The waits between the tries of one request: exponential, with full jitter, so that many that failed together do not
/// come back together.
pub struct Waits(ExponentialBackoff);

impl Waits {
    pub fn new() -> Self {
        Self(ExponentialBuilder::new().with_min_delay(FIRST_WAIT).with_factor(2.0).with_max_times(MORE_TRIES).build())
    }

    /// The wait before the next try; `None` after the last one.
    pub fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|longest| longest.mul_f64(fastrand::f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_more_tries_follow_each_after_up_to_twice_the_wait() {
        for _ in 0..100 {
            let mut waits = Waits::new();
            for longest in [200, 400, 800, 1600] {
                assert!(waits.next().is_some_and(|wait| wait < Duration::from_millis(longest)));
            }
            assert_eq!(waits.next(), None);
        }
    }

    #[test]
    fn more_time_for_all_is_more_time_for_each() {
        assert_eq!(longest_try(Duration::from_secs(10)), Duration::from_secs(30));
        assert_eq!(longest_try(Duration::from_secs(300)), Duration::from_secs(100));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(may_pass(StatusCode::from_u16(status).expect("a status")), "{status}");
        }
        for status in [200, 302, 400, 401, 403, 404, 409, 501, 505] {
            assert!(!may_pass(StatusCode::from_u16(status).expect("a status")), "{status}");
        }
    }
}
