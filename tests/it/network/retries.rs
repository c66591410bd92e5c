//! Faults that may pass: another try finds them gone, and nothing is sent twice that must not be.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::support::fixtures::{DISABLED_PRODUCT, ENABLED_PRODUCT, LIST_PRODUCTS};

/// The statuses that may pass.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// Some of those that do not.
const LASTING: [u16; 6] = [400, 403, 404, 405, 409, 501];

fn fault(status: u16) -> Response {
    Response::json(status, &json!({ "errorCode": "Trouble", "reason": "Now." }))
}

#[test]
fn a_fault_that_passes_is_not_even_told() {
    for status in PASSING {
        let env = TestEnv::signed_in();
        env.tenant.fail_times(1, "GET ", fault(status));
        let result = env.run(LIST).assert_code(0);
        assert_eq!(result.stderr, "", "{status}");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS; 2], "{status}");
    }
}

#[test]
fn a_verbose_run_tells_each_try() {
    let env = TestEnv::signed_in();
    env.tenant.fail_times(2, "GET ", fault(502));
    let result = env.run(&[LIST, &["-v"]].concat()).assert_code(0);
    assert_eq!(result.stderr.matches("-> 502 Bad Gateway").count(), 2, "{}", result.stderr);
    assert_eq!(result.stderr.matches("trying again in ").count(), 2, "{}", result.stderr);
}

#[test]
fn a_fault_that_lasts_is_told_at_once() {
    for status in LASTING {
        let env = TestEnv::signed_in();
        env.tenant.fail_times(1, "PUT ", fault(status));
        env.run(DISABLE).assert_code(1).stderr_contains(&[&status.to_string()]);
        assert_eq!(env.request_lines().iter().filter(|line| line.starts_with("PUT ")).count(), 1, "{status}");
    }
}

#[test]
fn a_change_whose_answer_was_lost_is_made_again_and_told_as_made() {
    let puts = Arc::new(AtomicUsize::new(0));
    let server = {
        let puts = Arc::clone(&puts);
        Server::start(move |mut connection| {
            while let Some(request) = connection.read_request() {
                // The first answer is cut off, the second connection closed without one.
                match (request.method.as_str(), puts.load(Ordering::SeqCst)) {
                    ("PUT", 0) => {
                        puts.store(1, Ordering::SeqCst);
                        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
                        return;
                    }
                    ("PUT", 1) => {
                        puts.store(2, Ordering::SeqCst);
                        return;
                    }
                    ("PUT", _) => connection.respond_json(DISABLED_PRODUCT),
                    _ => connection.respond_json(ENABLED_PRODUCT),
                };
            }
        })
    };
    let result = OfflineEnv::at(&server.http()).run(&[DISABLE, &["-o", "json"]].concat()).assert_code(0);
    assert_eq!(result.json()["outcome"], "changed");
    let ids: Vec<String> = server
        .finish()
        .requests
        .iter()
        .filter(|request| request.method == "PUT")
        .map(|request| request.header("x-ms-correlation-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "each try has a correlation id of its own: {ids:?}");
}

#[test]
fn a_change_that_may_have_been_made_before_a_lasting_refusal_is_not_told_as_refused_alone() {
    let server = {
        let puts = AtomicUsize::new(0);
        Server::start(move |mut connection| {
            while let Some(request) = connection.read_request() {
                if request.method != "PUT" {
                    connection.respond_json(ENABLED_PRODUCT);
                } else if puts.fetch_add(1, Ordering::SeqCst) == 0 {
                    return;
                } else {
                    connection.send(
                        http_response(409, "application/json", r#"{"errorCode":"Odd","reason":"No."}"#).as_bytes(),
                    );
                }
            }
        })
    };
    let result = OfflineEnv::at(&server.http()).run(&[DISABLE, &["-o", "json"]].concat()).assert_code(1);
    assert_eq!(result.json()["policyValue"], Value::Null, "the first try may have made it");
    result.stderr_contains(&["409", "hint: see what it is now"]);
}

#[test]
fn token_requests_are_tried_again() {
    for status in PASSING {
        let env = TestEnv::new();
        env.tenant.fail_times(2, "/token", fault(status));
        env.run_with_stdin(CONNECT, PASSWORD).assert_code(0);
        assert_eq!(env.token_requests().len(), 3, "{status}");
    }
    let env = TestEnv::new();
    env.tenant.fail_times(1, "/token", fault(400));
    env.run_with_stdin(CONNECT, PASSWORD);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn the_time_that_is_left_ends_the_tries() {
    let env = TestEnv::signed_in();
    env.tenant.set_delay(std::time::Duration::from_millis(600));
    env.tenant.fail_times(5, "GET ", fault(503));
    let result = env.run(&[LIST, &["--timeout", "1"]].concat()).assert_code(1);
    assert!(env.request_lines().len() < 5, "{:?}", env.request_lines());
    assert_ne!(result.stderr, "");
}
