//! `Retry-After`: the service asks for less haste, and everything waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::support::fixtures::POWER_BI;
use crate::tenant::{ADMIN, Response};

/// Longer than a run takes that waits for nothing, shorter than the waits that are asked for here.
const QUICK: Duration = Duration::from_secs(20);

fn put_off(status: u16, retry_after: &str) -> Response {
    Response::json(status, &json!({ "errorCode": "Busy", "reason": "Not now." })).header("retry-after", retry_after)
}

fn put_product(id: &str) -> String {
    format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{id}")
}

fn correlation_ids(env: &TestEnv, line: &str) -> Vec<String> {
    let requests = env.tenant.requests();
    let requests = requests.iter().filter(|request| request.line().contains(line));
    requests.map(|request| request.header("x-ms-correlation-id").unwrap().to_owned()).collect()
}

#[test]
fn a_change_that_is_put_off_is_made_later_under_a_correlation_id_of_its_own() {
    for status in [429, 503] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next(&put_product(POWER_BI), put_off(status, "1"));
        let started = Instant::now();
        let result = env.run(DISABLE_ALL).assert_code(0);
        assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
        assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
        let ids = correlation_ids(&env, POWER_BI);
        assert_eq!(ids.len(), 2);
        assert_ne!(ids[0], ids[1], "each try can be told apart");
        // What is recorded is the try that made the change.
        let recorded = env.history();
        let entry = recorded.iter().find(|entry| entry["id"] == POWER_BI).unwrap();
        assert_eq!(entry["correlationId"], ids[1]);
        assert_eq!(recorded.len(), NOT_DISABLED.len(), "a change is recorded once");
        let retried =
            env.tenant.requests().into_iter().rfind(|request| request.line() == put_product(POWER_BI)).unwrap();
        assert_eq!(retried.body, r#"{"policyValue":"Disabled"}"#);
    }
}

#[test]
fn a_date_is_waited_for_too() {
    let env = TestEnv::signed_in();
    // A date in a header has no fractions of a second.
    let until: DateTime<Utc> = Utc::now().trunc_subsecs(0) + TimeDelta::seconds(2);
    let date = until.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    env.tenant.fail_next(&put_product(POWER_BI), put_off(429, &date));
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert!(Utc::now() >= until, "{until}");
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
}

#[test]
fn a_date_that_is_over_asks_for_no_wait() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), put_off(503, "Wed, 21 Oct 2015 07:28:00 GMT"));
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    assert_eq!(correlation_ids(&env, POWER_BI).len(), 2);
}

#[test]
fn a_wait_holds_back_every_change() {
    let env = TestEnv::signed_in();
    let probe = Arc::new(ConcurrencyProbe::new(4));
    let held = Arc::new((Mutex::new(true), Condvar::new()));
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let refused_at = Arc::new(Mutex::new(None));
    let server = {
        let (probe, held, arrivals, refused_at) =
            (Arc::clone(&probe), Arc::clone(&held), Arc::clone(&arrivals), Arc::clone(&refused_at));
        service(12, move |connection, request| {
            if refused_at.lock().unwrap().is_some() {
                arrivals.lock().unwrap().push(Instant::now());
                return make(connection, request);
            }
            // Four are on their way: one is put off, and the others are answered when the tool knows.
            probe.join();
            if request.path.ends_with(&id(0)) {
                *refused_at.lock().unwrap() = Some(Instant::now());
                return refuse(connection, 429, "Retry-After: 1", "Busy");
            }
            let (is_held, changed) = &*held;
            let (is_held, waited) =
                changed.wait_timeout_while(is_held.lock().unwrap(), TEST_TIMEOUT, |held| *held).unwrap();
            assert!(!waited.timed_out() && !*is_held);
            make(connection, request)
        })
    };
    let mut running = Running::at(&server, &env, &[DISABLE_ALL, &["--jobs", "4", "-v"]].concat());
    running.expect(" -> 429 ");
    *held.0.lock().unwrap() = false;
    held.1.notify_all();
    let result = running.finish().assert_code(0);
    assert_eq!(result.ids_with_outcome("changed").len(), 12);
    let (refused_at, arrivals) = (refused_at.lock().unwrap().unwrap(), arrivals.lock().unwrap());
    // Eight that were not sent before, and the one that was put off.
    assert_eq!(arrivals.len(), 9);
    for arrival in arrivals.iter() {
        // Here the passing of time itself is what is tested.
        assert!(*arrival >= refused_at + Duration::from_secs(1), "{:?}", *arrival - refused_at);
    }
}

#[test]
fn a_longer_wait_is_told() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), put_off(429, "2"));
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(result.stderr.matches("less haste").count(), 1, "{}", result.stderr);
    result.stderr_contains(&["going on in 2 s"]);
}

#[test]
fn a_wait_longer_than_the_timeout_fails_at_once_and_the_rest_is_not_sent() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), put_off(429, "3600"));
    let started = Instant::now();
    let result = env.run(&[DISABLE_ALL, &["--jobs", "1", "--timeout", "60"]].concat()).assert_code(1);
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    assert_eq!(ids_sent(&env.tenant.requests()), NOT_DISABLED[..3], "nothing is sent after it");
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED[..2]);
    assert_eq!(result.ids_with_outcome("failed"), NOT_DISABLED[2..]);
    for id in &NOT_DISABLED[3..] {
        let record = result.record(id);
        assert_eq!(record["policyValue"], record["previousValue"], "{record}");
        assert!(record["error"].as_str().unwrap().contains("not sent"), "{record}");
    }
    result.stderr_contains(&["2 changed, 5 unchanged, 10 failed", "3600 s", "longer than the time left", "--timeout"]);
}

#[test]
fn a_single_change_that_is_put_off_for_too_long_says_for_how_long() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), put_off(429, "3600"));
    let result = update(&env, &[POWER_BI, "--value", "disabled", "--timeout", "60"]).assert_code(1);
    assert_eq!(ids_sent(&env.tenant.requests()), [POWER_BI]);
    // To wait a minute, as advised where the service names no time, would be of no use.
    let result = result.stderr_contains(&["3600"]);
    assert!(!result.stderr.contains("wait a minute"), "{}", result.stderr);
}

#[test]
fn without_a_time_to_wait_for_a_fault_is_given_four_more_tries() {
    for response in [
        Response::json(429, &json!({ "errorCode": "Busy", "reason": "Not now." })),
        Response::json(503, &json!({ "errorCode": "Busy", "reason": "Not now." })),
        put_off(429, "soon"),
        put_off(500, "0"),
    ] {
        let env = TestEnv::signed_in();
        env.tenant.fail_times(4, &put_product(POWER_BI), response.clone());
        env.run(DISABLE_ALL).assert_code(0);
        let tries = correlation_ids(&env, &put_product(POWER_BI));
        assert_eq!(tries.len(), 5);
        assert_eq!(sorted_and_distinct(&tries), 5, "each under a correlation id of its own");
        let env = TestEnv::signed_in();
        env.tenant.fail_times(5, &put_product(POWER_BI), response);
        let result = env.run(DISABLE_ALL).assert_code(1);
        assert_eq!(result.ids_with_outcome("failed"), [POWER_BI]);
        assert_eq!(correlation_ids(&env, &put_product(POWER_BI)).len(), 5);
    }
}

fn sorted_and_distinct(ids: &[String]) -> usize {
    ids.iter().collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn a_change_that_is_put_off_again_and_again_fails_in_the_end() {
    let env = TestEnv::signed_in();
    for _ in 0..9 {
        env.tenant.fail_next(&put_product(POWER_BI), put_off(429, "0"));
    }
    let result = env.run(DISABLE_ALL).assert_code(1);
    assert_eq!(result.ids_with_outcome("failed"), [POWER_BI]);
    assert_eq!(result.record(POWER_BI)["policyValue"], "Enabled", "a refusal is certain");
    let ids = correlation_ids(&env, POWER_BI);
    assert_eq!(ids.len(), 5);
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 5, "{ids:?}");
    // The id to ask support about is that of the last try.
    result.stderr_contains(&["11 changed, 5 unchanged, 1 failed", "429", &format!("correlation id: {}", ids[4])]);
}

#[test]
fn a_listing_that_is_put_off_is_read_later() {
    for status in [429, 503] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next("GET ", put_off(status, "0"));
        env.tenant.fail_next("GET ", put_off(status, "1"));
        let result = env.run(DISABLE_ALL).assert_code(0);
        assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
        let ids = correlation_ids(&env, "GET ");
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 3, "{ids:?}");
    }
}

#[test]
fn a_token_request_that_is_put_off_is_sent_again() {
    let env = TestEnv::new();
    env.tenant.set_token_lifetime(299);
    env.sign_in(ADMIN);
    env.tenant.set_token_lifetime(3600);
    env.tenant.fail_next("/token", put_off(429, "0"));
    env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(env.token_requests().len(), 2);
}

#[test]
fn a_token_request_that_is_put_off_again_and_again_fails_in_the_end() {
    let env = TestEnv::new();
    env.tenant.set_token_lifetime(299);
    env.sign_in(ADMIN);
    env.tenant.fail_times(5, "/token", put_off(429, "0"));
    env.run(DISABLE_ALL)
        .assert_code(1)
        .stdout_is_empty()
        .stderr_contains(&["could not renew the saved sign-in", "429"]);
    assert_eq!(env.token_requests().len(), 5);
    env.assert_nothing_changed();
}

#[test]
fn the_timeout_is_for_the_whole_run_and_what_was_not_sent_is_told() {
    let env = TestEnv::signed_in();
    let arrived = Arc::new(AtomicUsize::new(0));
    let server = {
        let arrived = Arc::clone(&arrived);
        // The first two are answered, the third never is.
        service(5, move |connection, request| {
            if arrived.fetch_add(1, Ordering::SeqCst) < 2 {
                return make(connection, request);
            }
            connection.wait_for_close();
            false
        })
    };
    let result = run_at(&server, &env, &[DISABLE_ALL, &["--jobs", "1", "--timeout", "3"]].concat()).assert_code(1);
    assert_eq!(ids_sent(&server.finish().requests), [id(0), id(1), id(2)]);
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(1)]);
    assert_eq!(result.record(&id(2))["policyValue"], Value::Null, "it may have been made");
    for unsent in [id(3), id(4)] {
        let record = result.record(&unsent);
        assert_eq!(record["policyValue"], "Enabled");
        // It never left, and that is worth more than that time was up.
        assert!(record["error"].as_str().unwrap().contains("not sent"), "{record}");
    }
    result.stderr_contains(&["2 changed, 3 failed", "did not answer in time (3 s)", "--timeout"]);
}
