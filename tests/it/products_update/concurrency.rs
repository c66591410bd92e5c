//! How many updates are in flight at the same time.

use std::sync::Arc;

use super::*;
use crate::support::concurrency::ConcurrencyProbe;

/// The maximum number of concurrent updates of a run. Updates get a response in groups of `size`.
fn max_in_flight(size: usize, count: usize, arguments: &[&str]) -> usize {
    let env = TestEnv::signed_in();
    let probe = Arc::new(ConcurrencyProbe::new(size));
    let server = {
        let probe = Arc::clone(&probe);
        start_service(count, move |connection, request| {
            probe.join();
            respond_updated(connection, request)
        })
    };
    let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, arguments].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed").len(), count);
    let recorded = server.finish();
    assert_eq!(sorted(put_ids(&recorded.requests)), sorted((0..count).map(id)), "each update is sent once");
    probe.max_in_flight()
}

#[test]
fn jobs_limits_concurrent_updates() {
    for jobs in [1, 3, 16] {
        assert_eq!(max_in_flight(jobs, 3 * jobs, &["--jobs", &jobs.to_string()]), jobs);
    }
}

#[test]
fn jobs_default_is_8() {
    assert_eq!(max_in_flight(8, 24, &[]), 8);
}

#[test]
fn jobs_maximum_is_64() {
    assert_eq!(max_in_flight(64, 128, &["--jobs", "64"]), 64);
}

#[test]
fn fewer_updates_than_jobs_are_all_concurrent() {
    assert_eq!(max_in_flight(5, 5, &["--jobs", "64"]), 5);
}

#[test]
fn jobs_1_follows_list_order() {
    let env = TestEnv::signed_in();
    update(&env, &["--all", "--value", "disabled", "--jobs", "1"]).assert_code(0);
    assert_eq!(put_ids(&env.tenant.requests()), NOT_DISABLED);
    let recorded = env.history();
    assert_eq!(recorded.iter().map(|entry| &entry["id"]).collect::<Vec<_>>(), NOT_DISABLED);
}

#[test]
fn records_are_in_list_order() {
    let env = TestEnv::signed_in();
    // The first update gets its response when the last one has arrived.
    let others = ConcurrencyProbe::new(10);
    let server = start_service(10, move |connection, request| {
        if request.path.ends_with(&id(0)) {
            others.join();
        } else {
            others.count();
        }
        respond_updated(connection, request)
    });
    let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, &["--jobs", "2"]].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), (0..10).map(id).collect::<Vec<_>>());
    let recorded = env.history();
    let position = recorded.iter().position(|entry| entry["id"] == id(0)).unwrap();
    assert!(position >= 8, "the history is in response order: {recorded:?}");
}
