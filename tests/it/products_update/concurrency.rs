//! How many changes are on their way at the same time.

use std::sync::Arc;

use super::*;
use crate::support::concurrency::ConcurrencyProbe;

/// How many changes a run with these arguments has on its way at most, where as many as `size` have to be.
fn most_side_by_side(size: usize, count: usize, arguments: &[&str]) -> usize {
    let env = TestEnv::signed_in();
    let probe = Arc::new(ConcurrencyProbe::new(size));
    let server = {
        let probe = Arc::clone(&probe);
        service(count, move |connection, request| {
            probe.join();
            make(connection, request)
        })
    };
    let result = run_at(&server, &env, &[DISABLE_ALL, arguments].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed").len(), count);
    let recorded = server.finish();
    assert_eq!(sorted(ids_sent(&recorded.requests)), sorted((0..count).map(id)), "each is sent once");
    probe.max_in_flight()
}

#[test]
fn as_many_changes_as_asked_for_are_on_their_way_and_never_more() {
    for jobs in [1, 3, 16] {
        let most = most_side_by_side(jobs, 3 * jobs, &["--jobs", &jobs.to_string()]);
        assert_eq!(most, jobs);
    }
}

#[test]
fn eight_changes_are_on_their_way_unless_told_otherwise() {
    assert_eq!(most_side_by_side(8, 24, &[]), 8);
}

#[test]
fn the_most_that_can_be_asked_for_are_sixty_four() {
    assert_eq!(most_side_by_side(64, 128, &["--jobs", "64"]), 64);
}

#[test]
fn fewer_changes_than_asked_for_all_go_at_once() {
    assert_eq!(most_side_by_side(5, 5, &["--jobs", "64"]), 5);
}

#[test]
fn one_at_a_time_goes_in_the_order_of_the_listing() {
    let env = TestEnv::signed_in();
    update(&env, &["--all", "--value", "disabled", "--jobs", "1"]).assert_code(0);
    assert_eq!(ids_sent(&env.tenant.requests()), NOT_DISABLED);
    let recorded = env.history();
    assert_eq!(recorded.iter().map(|entry| &entry["id"]).collect::<Vec<_>>(), NOT_DISABLED);
}

#[test]
fn the_records_stay_in_order_whatever_ends_first() {
    let env = TestEnv::signed_in();
    // The first is answered when the last has arrived, so after all but that one.
    let others = ConcurrencyProbe::new(10);
    let server = service(10, move |connection, request| {
        if request.path.ends_with(&id(0)) {
            others.join();
        } else {
            others.count();
        }
        make(connection, request)
    });
    let result = run_at(&server, &env, &[DISABLE_ALL, &["--jobs", "2"]].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), (0..10).map(id).collect::<Vec<_>>());
    let recorded = env.history();
    let place = recorded.iter().position(|entry| entry["id"] == id(0)).unwrap();
    assert!(place >= 8, "the record of changes is in the order of the answers: {recorded:?}");
}
