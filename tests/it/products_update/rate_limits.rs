//! `Retry-After`: rate limits delay the whole run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::support::fixtures::{POWER_BI, put_product};
use crate::tenant::Response;

/// Longer than a run without waiting, shorter than the waits in these tests.
const QUICK: Duration = Duration::from_secs(20);

fn rate_limited(status: u16, retry_after: &str) -> Response {
    Response::json(status, &json!({ "errorCode": "Busy", "reason": "Not now." })).header("retry-after", retry_after)
}

/// The correlation ids of the requests whose request line contains this text, in order of arrival.
fn correlation_ids(env: &TestEnv, line: &str) -> Vec<String> {
    let requests = env.tenant.requests();
    let requests = requests.iter().filter(|request| request.line().contains(line));
    requests.map(|request| request.header("x-ms-correlation-id").unwrap().to_owned()).collect()
}

#[test]
fn rate_limited_update_gets_new_correlation_id() {
    for status in [429, 503] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next(&put_product(POWER_BI), rate_limited(status, "1"));
        let started = Instant::now();
        let result = env.run(DISABLE_ALL).assert_code(0);
        assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
        assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
        let ids = correlation_ids(&env, POWER_BI);
        assert_eq!(ids.len(), 2);
        assert_ne!(ids[0], ids[1], "each attempt has its own id");
        // The history contains the attempt that succeeded.
        let recorded = env.history();
        let entry = recorded.iter().find(|entry| entry["id"] == POWER_BI).unwrap();
        assert_eq!(entry["correlationId"], ids[1]);
        assert_eq!(recorded.len(), NOT_DISABLED.len(), "each update is recorded once");
        let retried =
            env.tenant.requests().into_iter().rfind(|request| request.line() == put_product(POWER_BI)).unwrap();
        assert_eq!(retried.body, r#"{"policyValue":"Disabled"}"#);
    }
}

#[test]
fn retry_after_date_is_respected() {
    let env = TestEnv::signed_in();
    // A date in a header has no fractions of a second.
    let until: DateTime<Utc> = Utc::now().trunc_subsecs(0) + TimeDelta::seconds(2);
    let date = until.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    env.tenant.fail_next(&put_product(POWER_BI), rate_limited(429, &date));
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert!(Utc::now() >= until, "{until}");
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
}

#[test]
fn retry_after_past_date_retries_immediately() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), rate_limited(503, "Wed, 21 Oct 2015 07:28:00 GMT"));
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    assert_eq!(correlation_ids(&env, POWER_BI).len(), 2);
}

#[test]
fn retry_after_delays_all_updates() {
    let env = TestEnv::signed_in();
    let probe = Arc::new(ConcurrencyProbe::new(4));
    let paused = Arc::new((Mutex::new(true), Condvar::new()));
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let limited_at = Arc::new(Mutex::new(None));
    let server = {
        let (probe, paused, arrivals, limited_at) =
            (Arc::clone(&probe), Arc::clone(&paused), Arc::clone(&arrivals), Arc::clone(&limited_at));
        start_service(12, move |connection, request| {
            if limited_at.lock().unwrap().is_some() {
                arrivals.lock().unwrap().push(Instant::now());
                return respond_updated(connection, request);
            }
            // Four are in flight: one is rate limited, the others get a response once the client knows.
            probe.join();
            if request.path.ends_with(&id(0)) {
                *limited_at.lock().unwrap() = Some(Instant::now());
                return respond_error(connection, 429, "Retry-After: 1", "Busy");
            }
            let (is_paused, changed) = &*paused;
            let (is_paused, waited) =
                changed.wait_timeout_while(is_paused.lock().unwrap(), TEST_TIMEOUT, |paused| *paused).unwrap();
            assert!(!waited.timed_out() && !*is_paused);
            respond_updated(connection, request)
        })
    };
    let mut running = RunningCli::start(&server, &env, &[DISABLE_ALL, &["--jobs", "4", "-v"]].concat());
    running.expect(" -> 429 ");
    *paused.0.lock().unwrap() = false;
    paused.1.notify_all();
    let result = running.finish().assert_code(0);
    assert_eq!(result.ids_with_outcome("changed").len(), 12);
    let (limited_at, arrivals) = (limited_at.lock().unwrap().unwrap(), arrivals.lock().unwrap());
    // Eight first attempts and one retry.
    assert_eq!(arrivals.len(), 9);
    for arrival in arrivals.iter() {
        // This test is about elapsed time, so it compares times.
        assert!(*arrival >= limited_at + Duration::from_secs(1), "{:?}", *arrival - limited_at);
    }
}

#[test]
fn long_retry_after_is_reported() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), rate_limited(429, "2"));
    cli_snapshot!(env.run(DISABLE_ALL).without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    The service asks for less haste; going on in 2 s …
    12 changed, 5 unchanged in the tenant 11111111-1111-4111-8111-111111111111
    ");
}

#[test]
fn retry_after_beyond_timeout_stops_run() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), rate_limited(429, "3600"));
    let started = Instant::now();
    let result = env.run(&[DISABLE_ALL, &["--jobs", "1", "--timeout", "60"]].concat()).assert_code(1);
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    assert_eq!(put_ids(&env.tenant.requests()), NOT_DISABLED[..3], "no request follows");
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED[..2]);
    assert_eq!(result.ids_with_outcome("failed"), NOT_DISABLED[2..]);
    for id in &NOT_DISABLED[3..] {
        let record = result.record(id);
        assert_eq!(record["policyValue"], record["previousValue"], "{record}");
        assert!(record["error"].as_str().unwrap().contains("not sent"), "{record}");
    }
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 2 changed, 5 unchanged, 10 failed
      in the tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service answered 429 Too Many Requests; Busy: Not now.; Retry-After: 3600; correlation id: [UUID]
      could not change product CFQ7TTC0HDB1: not sent: 127.0.0.1:[PORT] asks to wait for 3600 s, which is longer than the time left
      could not change product CFQ7TTC0HDB0: not sent: 127.0.0.1:[PORT] asks to wait for 3600 s, which is longer than the time left
      could not change product CFQ7TTC0N8SS: not sent: 127.0.0.1:[PORT] asks to wait for 3600 s, which is longer than the time left
      could not change product CFQ7TTC0LH05: not sent: 127.0.0.1:[PORT] asks to wait for 3600 s, which is longer than the time left
      5 more: see the field error
    hint: the service asks for less haste: try again after the time it names, or allow more with --timeout SECONDS
    hint: try again later, or allow more time with --timeout SECONDS
    ");
}

#[test]
fn single_update_retry_after_beyond_timeout_error() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), rate_limited(429, "3600"));
    let result = update(&env, &[POWER_BI, "--value", "disabled", "--timeout", "60"]);
    // The hint to wait a minute does not appear, because the service requires a longer wait.
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 1 failed
      in the tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service answered 429 Too Many Requests; Busy: Not now.; Retry-After: 3600; correlation id: [UUID]
    hint: the service asks for less haste: try again after the time it names, or allow more with --timeout SECONDS
    ").stderr_lacks("wait a minute");
    assert_eq!(put_ids(&env.tenant.requests()), [POWER_BI]);
}

#[test]
fn transient_error_is_retried_four_times() {
    for response in [
        Response::json(429, &json!({ "errorCode": "Busy", "reason": "Not now." })),
        Response::json(503, &json!({ "errorCode": "Busy", "reason": "Not now." })),
        rate_limited(429, "soon"),
        rate_limited(500, "0"),
    ] {
        let env = TestEnv::signed_in();
        env.tenant.fail_times(4, &put_product(POWER_BI), response.clone());
        env.run(DISABLE_ALL).assert_code(0);
        let ids = correlation_ids(&env, &put_product(POWER_BI));
        assert_eq!(ids.len(), 5);
        assert_eq!(distinct(&ids), 5, "each attempt has its own id");
        let env = TestEnv::signed_in();
        env.tenant.fail_times(5, &put_product(POWER_BI), response);
        let result = env.run(DISABLE_ALL).assert_code(1);
        assert_eq!(result.ids_with_outcome("failed"), [POWER_BI]);
        assert_eq!(correlation_ids(&env, &put_product(POWER_BI)).len(), 5);
    }
}

fn distinct(ids: &[String]) -> usize {
    ids.iter().collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn rate_limited_update_fails_after_five_attempts() {
    let env = TestEnv::signed_in();
    for _ in 0..9 {
        env.tenant.fail_next(&put_product(POWER_BI), rate_limited(429, "0"));
    }
    let result = env.run(DISABLE_ALL);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 11 changed, 5 unchanged, 1 failed
      in the tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service answered 429 Too Many Requests; Busy: Not now.; Retry-After: 0; correlation id: [UUID]
    hint: the service asks for less haste: try again after the time it names, or allow more with --timeout SECONDS
    ");
    assert_eq!(result.ids_with_outcome("failed"), [POWER_BI]);
    assert_eq!(result.record(POWER_BI)["policyValue"], "Enabled", "the update was certainly not applied");
    let ids = correlation_ids(&env, POWER_BI);
    assert_eq!(ids.len(), 5);
    assert_eq!(distinct(&ids), 5, "{ids:?}");
    // The error contains the id of the last attempt.
    assert!(result.stderr.contains(&format!("correlation id: {}", ids[4])), "{}", result.stderr);
}

#[test]
fn rate_limited_list_request_is_retried() {
    for status in [429, 503] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next("GET ", rate_limited(status, "0"));
        env.tenant.fail_next("GET ", rate_limited(status, "1"));
        let result = env.run(DISABLE_ALL).assert_code(0);
        assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
        let ids = correlation_ids(&env, "GET ");
        assert_eq!(distinct(&ids), 3, "{ids:?}");
    }
}

#[test]
fn rate_limited_token_request_is_retried() {
    let env = TestEnv::with_expiring_token();
    env.tenant.fail_next("/token", rate_limited(429, "0"));
    env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(env.token_requests().len(), 2);
}

#[test]
fn rate_limited_token_request_fails_after_5_attempts() {
    let env = TestEnv::with_expiring_token();
    env.tenant.fail_times(5, "/token", rate_limited(429, "0"));
    cli_snapshot!(env.run(DISABLE_ALL), @r#"
    exit_code: 1
    ----- stderr -----
    error: could not renew the saved sign-in at the tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] answered 429 Too Many Requests
      {"errorCode":"Busy","reason":"Not now."}
    hint: try again in a minute
    "#);
    assert_eq!(env.token_requests().len(), 5);
    env.assert_nothing_changed();
}

#[test]
fn timeout_covers_the_whole_run() {
    let env = TestEnv::signed_in();
    let arrived = Arc::new(AtomicUsize::new(0));
    let server = {
        let arrived = Arc::clone(&arrived);
        // The first two get a response, the third does not.
        start_service(5, move |connection, request| {
            if arrived.fetch_add(1, Ordering::SeqCst) < 2 {
                return respond_updated(connection, request);
            }
            connection.wait_for_close();
            false
        })
    };
    let result =
        run_with_endpoint(&server, &env, &[DISABLE_ALL, &["--jobs", "1", "--timeout", "3"]].concat()).assert_code(1);
    assert_eq!(put_ids(&server.finish().requests), [id(0), id(1), id(2)]);
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(1)]);
    assert_eq!(result.record(&id(2))["policyValue"], Value::Null, "it may have been applied");
    for unsent in [id(3), id(4)] {
        let record = result.record(&unsent);
        assert_eq!(record["policyValue"], "Enabled");
        // "Not sent" is more precise than the timeout.
        assert!(record["error"].as_str().unwrap().contains("not sent"), "{record}");
    }
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 2 changed, 2 failed, 1 unknown
      in the tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC10002: 127.0.0.1:[PORT] did not answer in time (3 s); correlation id: [UUID]
      could not change product CFQ7TTC10003: not sent: the time for the network is up (3 s)
      could not change product CFQ7TTC10004: not sent: the time for the network is up (3 s)
    hint: try again, or allow more time with --timeout SECONDS
    hint: see what it is now: mscommerce product get CFQ7TTC10002
    ");
}
