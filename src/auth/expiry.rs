//! When a token expires, and when to refresh it.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::text::format_timestamp;

/// The time before expiration at which a token is refreshed, so that it does not expire in flight (as in MSAL).
const MARGIN: Duration = Duration::minutes(5);

/// A shorter token is refreshed when this fraction of its lifetime is left. Otherwise, each request would need a new one.
const MARGIN_FRACTION: i32 = 5;

/// The expiration time of a token.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiry {
    pub expires_at: DateTime<Utc>,
    /// The time at which to refresh a token with a short lifetime. `None` for other tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_at: Option<DateTime<Utc>>,
}

impl Expiry {
    /// The expiry of a token that was received at `now`.
    pub fn new(now: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        let margin = (expires_at - now).max(Duration::zero()) / MARGIN_FRACTION;
        let refresh_at = (margin < MARGIN).then(|| expires_at.checked_sub_signed(margin)).flatten();
        Self { expires_at, refresh_at }
    }

    /// The expiry from the `expires_in` of a response, otherwise from the token's claims.
    pub fn from_response(expires_in: Option<std::time::Duration>, claimed: Option<DateTime<Utc>>) -> Option<Self> {
        let now = Utc::now();
        let lifetime = expires_in.and_then(|lifetime| Duration::from_std(lifetime).ok());
        let expires_at = lifetime.and_then(|lifetime| now.checked_add_signed(lifetime)).or(claimed)?;
        Some(Self::new(now, expires_at))
    }

    /// Whether the token can be used at `now` without a refresh.
    pub fn is_fresh(self, now: DateTime<Utc>) -> bool {
        self.refresh_at.map_or(now + MARGIN < self.expires_at, |refresh_at| now < refresh_at)
    }
}

/// A detail for the error about an expired token: whether a token has expired depends on this machine's clock.
pub fn clock_detail() -> String {
    format!("this machine's clock shows {}; if the token is new, the clock may be wrong", format_timestamp(Utc::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_fresh_until_shortly_before_expiry() {
        let received = DateTime::UNIX_EPOCH;
        for (lifetime, fresh_until) in
            [(3600, 3300), (1500, 1200), (1000, 800), (301, 241), (300, 240), (10, 8), (0, 0), (-10, -10)]
        {
            let expiry = Expiry::new(received, received + Duration::seconds(lifetime));
            let is_fresh = |seconds| expiry.is_fresh(received + Duration::seconds(seconds));
            assert!(is_fresh(fresh_until - 1) && !is_fresh(fresh_until), "{lifetime}");
        }
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        for expires_at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            for now in [DateTime::UNIX_EPOCH, expires_at] {
                let expiry = Expiry::new(now, expires_at);
                assert_eq!(expiry.is_fresh(DateTime::UNIX_EPOCH), expires_at > DateTime::UNIX_EPOCH);
            }
        }
    }
}
