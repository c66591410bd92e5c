//! Measures how many requests are in flight at the same time.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::server::TEST_TIMEOUT;

/// How long a complete group waits for one request too many. A client that exceeds its limit does so immediately, so a
/// short wait finds it; a wait that is too short fails no test.
const SETTLE_TIME: Duration = Duration::from_millis(100);

/// Holds requests until a group of them is in flight, and records the highest number seen.
pub(crate) struct ConcurrencyProbe {
    group_size: usize,
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Default)]
struct Counts {
    in_flight: usize,
    max_in_flight: usize,
    total: usize,
}

impl ConcurrencyProbe {
    pub(crate) fn new(group_size: usize) -> Self {
        Self { group_size, counts: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until the group of this request is complete. Returns the group's number, starting at 0.
    pub(crate) fn join(&self) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let group = counts.total / self.group_size;
        counts.in_flight += 1;
        counts.total += 1;
        counts.max_in_flight = counts.max_in_flight.max(counts.in_flight);
        self.changed.notify_all();
        let is_incomplete = |counts: &mut Counts| counts.total < (group + 1) * self.group_size;
        let (counts, waited) = self.changed.wait_timeout_while(counts, TEST_TIMEOUT, is_incomplete).unwrap();
        let is_within_limit = |counts: &mut Counts| counts.in_flight <= self.group_size;
        let (mut counts, _) = self.changed.wait_timeout_while(counts, SETTLE_TIME, is_within_limit).unwrap();
        // The response follows, so a request that it triggers is not counted together with this one.
        counts.in_flight -= 1;
        drop(counts);
        assert!(!waited.timed_out(), "the rest of the group never arrived");
        group
    }

    /// Counts a request for the group without holding it.
    pub(crate) fn count(&self) {
        self.counts.lock().unwrap().total += 1;
        self.changed.notify_all();
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.counts.lock().unwrap().max_in_flight
    }
}
