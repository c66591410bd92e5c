//! `Retry-After`: rate limits delay the whole run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::support::fixtures::{POWER_BI, PRODUCT_LIST, put_product};
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT, Response, claims_of};

/// Longer than a run without waiting, shorter than the waits in these tests.
const QUICK: Duration = Duration::from_secs(20);

/// The format of a date in a header (RFC 9110, section 5.6.7).
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

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

/// A response to an update, and the minimum time until the next attempt.
struct DelayCase {
    status: u16,
    headers: String,
    milliseconds: u64,
}

impl DelayCase {
    /// Updates one product. Only the first attempt gets the response.
    #[track_caller]
    fn check(&self) {
        let Self { status, headers, milliseconds } = self;
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let head = format!("HTTP/1.1 {status} Busy\r\n{headers}Content-Length: 2\r\n\r\n{{}}");
        let server = {
            let arrivals = Arc::clone(&arrivals);
            start_service(1, move |connection, request| {
                let mut arrivals = arrivals.lock().unwrap();
                arrivals.push(Instant::now());
                if arrivals.len() > 1 {
                    return respond_updated(connection, request);
                }
                connection.send(head.as_bytes())
            })
        };
        let env = TestEnv::signed_in();
        let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, &["-q"]].concat()).assert_code(0);
        assert_eq!(result.ids_with_outcome("changed"), [id(0)], "{status} {headers}");
        let arrivals = arrivals.lock().unwrap();
        // This test is about elapsed time, so it compares times.
        let delay = arrivals[1] - arrivals[0];
        assert!(delay >= Duration::from_millis(*milliseconds), "{status} {headers}: {delay:?}");
    }
}

#[test]
fn delay_is_that_of_response_but_never_shorter_than_backoff() {
    let case = |status, headers: &str, milliseconds| DelayCase { status, headers: headers.to_owned(), milliseconds };
    // The service's clock is behind or ahead.
    let dates = |now: DateTime<Utc>| {
        let date = |time: DateTime<Utc>| time.format(HTTP_DATE).to_string();
        format!("Date: {}\r\nRetry-After: {}\r\n", date(now), date(now + TimeDelta::seconds(2)))
    };
    let cases = [
        case(429, "", 500),
        case(429, "Retry-After: 0\r\n", 500),
        case(429, "Retry-After: soon\r\n", 500),
        case(429, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 500),
        case(429, "x-ms-retry-after-ms: 0\r\n", 500),
        case(429, "retry-after-ms: 1500\r\n", 1500),
        case(503, "x-ms-retry-after-ms: 1500\r\nRetry-After: 1\r\n", 1500),
        case(503, "Retry-After: 0\r\n", 100),
        case(500, "Retry-After: 2\r\n", 2000),
        case(502, "retry-after-ms: 2000\r\n", 2000),
        case(504, "Retry-After: 2\r\n", 2000),
        case(408, "Retry-After: 2\r\n", 2000),
        case(429, &dates(Utc::now() - TimeDelta::hours(2)), 2000),
        case(503, &dates(Utc::now() + TimeDelta::hours(2)), 2000),
    ];
    std::thread::scope(|scope| {
        for case in &cases {
            scope.spawn(|| case.check());
        }
    });
}

#[test]
fn retry_after_date_without_date_header_uses_local_clock() {
    // A date in a header has no fractions of a second.
    let until: DateTime<Utc> = Utc::now().trunc_subsecs(0) + TimeDelta::seconds(2);
    let header = format!("Retry-After: {}", until.format(HTTP_DATE));
    let is_first = AtomicBool::new(true);
    let server = start_service(1, move |connection, request| {
        if is_first.swap(false, Ordering::SeqCst) {
            return respond_error(connection, 429, &header, "Busy");
        }
        respond_updated(connection, request)
    });
    run_with_endpoint(&server, &TestEnv::signed_in(), DISABLE_ALL).assert_code(0);
    assert!(Utc::now() >= until, "{until}");
}

/// Every request is rejected for six seconds (terraform-provider-azurerm issue 19146).
#[test]
fn all_updates_wait_together_without_retry_after() {
    const JOBS: usize = 8;
    let first = Arc::new(Mutex::new(None));
    let server = start_service(3 * JOBS, move |connection, request| {
        let first = *first.lock().unwrap().get_or_insert_with(Instant::now);
        if first.elapsed() < Duration::from_secs(6) {
            return respond_error(connection, 429, "X-Other: 0", "Busy");
        }
        respond_updated(connection, request)
    });
    let result = run_with_endpoint(&server, &TestEnv::signed_in(), DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed").len(), 3 * JOBS);
    let updates = put_ids(&server.finish().requests).len();
    // They are sent after 0, at least 0.5, 1.5, 3.5 and 7.5 seconds.
    assert!(updates <= 4 * JOBS + 3 * JOBS, "{updates} requests");
}

#[test]
fn rate_limit_of_one_host_does_not_delay_another() {
    let env = TestEnv::with_expiring_token();
    let limited = rate_limited(429, "2");
    env.tenant.fail_next(&format!("POST /{CUSTOMER_DOMAIN}/"), limited);
    let server = Server::start(|mut connection| {
        while connection.read_request().is_some() {
            connection.respond_json(PRODUCT_LIST);
        }
    });
    env.run(&["products", "list", "--tenant", HOME_TENANT]).assert_code(0);
    let list = ["products", "list", "--jobs", "1", "--tenant", CUSTOMER_DOMAIN, "--tenant", HOME_TENANT];
    run_with_endpoint(&server, &env, &list).assert_code(0).stderr_contains(&["Rate limited. Retrying in 2 s…\n"]);
    let tenants = server
        .finish()
        .requests
        .into_iter()
        .map(|request| claims_of(request.bearer().unwrap()).unwrap()["tid"].as_str().unwrap().to_owned());
    // The token request of the customer's tenant comes first, and waits.
    assert_eq!(tenants.collect::<Vec<_>>(), [HOME_TENANT, CUSTOMER_TENANT]);
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
    Rate limited. Retrying in 2 s…
    12 changed, 5 unchanged in tenant 11111111-1111-4111-8111-111111111111
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
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 429 Too Many Requests; Busy: Not now.; Retry-After: 3600; correlation ID: [UUID]
      could not change product CFQ7TTC0HDB1: not sent: 127.0.0.1:[PORT] is rate limited for 3600 s, which exceeds the remaining timeout
      could not change product CFQ7TTC0HDB0: not sent: 127.0.0.1:[PORT] is rate limited for 3600 s, which exceeds the remaining timeout
      could not change product CFQ7TTC0N8SS: not sent: 127.0.0.1:[PORT] is rate limited for 3600 s, which exceeds the remaining timeout
      could not change product CFQ7TTC0LH05: not sent: 127.0.0.1:[PORT] is rate limited for 3600 s, which exceeds the remaining timeout
      5 more in the error field
    hint: try again after the time in Retry-After, or increase the timeout with --timeout SECONDS
    hint: try again later, or increase the timeout with --timeout SECONDS
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
    error: could not change product CFQ7TTC0H9MP: the service returned 429 Too Many Requests
      Busy: Not now.
      Retry-After: 3600
      correlation ID: [UUID]
    hint: try again after the time in Retry-After, or increase the timeout with --timeout SECONDS
    ")
    .stderr_lacks("wait a minute");
    assert_eq!(put_ids(&env.tenant.requests()), [POWER_BI]);
}

#[test]
fn long_delay_in_milliseconds_is_in_error() {
    for header in ["retry-after-ms", "x-ms-retry-after-ms"] {
        let env = TestEnv::signed_in();
        let response = Response::json(429, &json!({ "errorCode": "Busy" })).header(header, "3600000");
        env.tenant.fail_next(&put_product(POWER_BI), response);
        let result = update(&env, &[POWER_BI, "--value", "disabled"]).assert_code(1);
        result.stderr_contains(&["\n  Retry-After: 3600000 ms\n"]).stderr_lacks("wait a minute");
        assert_eq!(put_ids(&env.tenant.requests()), [POWER_BI]);
    }
}

#[test]
fn transient_error_is_retried_four_times() {
    for response in [
        Response::json(503, &json!({ "errorCode": "Busy", "reason": "Not now." })),
        rate_limited(502, "soon"),
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
        assert_eq!(result.ids_with_outcome("unknown"), [POWER_BI]);
        assert_eq!(correlation_ids(&env, &put_product(POWER_BI)).len(), 5);
    }
}

fn distinct(ids: &[String]) -> usize {
    ids.iter().collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn rate_limited_update_fails_at_timeout() {
    let env = TestEnv::signed_in();
    env.tenant.fail_times(usize::MAX, &put_product(POWER_BI), rate_limited(429, "0"));
    let result = env.run(&[DISABLE_ALL, &["--timeout", "4", "-q"]].concat());
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 11 changed, 5 unchanged, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 429 Too Many Requests; Busy: Not now.; Retry-After: 0; correlation ID: [UUID]
    hint: try again after the time in Retry-After, or increase the timeout with --timeout SECONDS
    ");
    assert_eq!(result.ids_with_outcome("failed"), [POWER_BI]);
    assert_eq!(result.record(POWER_BI)["policyValue"], "Enabled", "the update was certainly not applied");
    let ids = correlation_ids(&env, POWER_BI);
    assert!(ids.len() > 1);
    assert_eq!(distinct(&ids), ids.len(), "{ids:?}");
    // The error contains the id of the last attempt.
    let last = ids.last().unwrap();
    assert!(result.stderr.contains(&format!("correlation ID: {last}")), "{}", result.stderr);
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
fn rate_limited_token_request_fails_at_timeout() {
    let env = TestEnv::with_expiring_token();
    env.tenant.fail_times(usize::MAX, "/token", rate_limited(429, "0"));
    cli_snapshot!(env.run(&[DISABLE_ALL, &["--timeout", "2", "-q"]].concat()), @r#"
    exit_code: 1
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 429 Too Many Requests
      {"errorCode":"Busy","reason":"Not now."}
    hint: try again in a minute
    "#);
    assert!(env.token_requests().len() > 1);
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
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC10002: 127.0.0.1:[PORT] did not respond within 3 s; correlation ID: [UUID]
      could not change product CFQ7TTC10003: not sent: the timeout of 3 s has expired
      could not change product CFQ7TTC10004: not sent: the timeout of 3 s has expired
    hint: try again, or increase the timeout with --timeout SECONDS
    hint: check the current value: mscommerce product get CFQ7TTC10002
    ");
}
