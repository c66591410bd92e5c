//! Faults that may pass: another try finds them gone, and nothing is sent twice that must not be.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The statuses that may pass.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// Some of those that do not.
const LASTING: [u16; 6] = [400, 403, 404, 405, 409, 501];

fn fault(status: u16) -> Answer {
    Answer::json(status, &json!({ "errorCode": "Trouble", "reason": "Now." }))
}

#[test]
fn a_fault_that_passes_is_not_even_told() {
    for status in PASSING {
        let machine = Machine::signed_in();
        machine.tenant.fail_times(1, "GET ", fault(status));
        let ran = machine.run(LIST).expect_code(0);
        assert_eq!(ran.stderr, "", "{status}");
        assert_eq!(machine.requests(), [LISTING_LINE; 2], "{status}");
    }
}

#[test]
fn a_verbose_run_tells_each_try() {
    let machine = Machine::signed_in();
    machine.tenant.fail_times(2, "GET ", fault(502));
    let ran = machine.run(&[LIST, &["-v"]].concat()).expect_code(0);
    assert_eq!(ran.stderr.matches("-> 502 Bad Gateway").count(), 2, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("trying again in ").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_fault_that_lasts_is_told_at_once() {
    for status in LASTING {
        let machine = Machine::signed_in();
        machine.tenant.fail_times(1, "PUT ", fault(status));
        machine.run(DISABLE).expect_code(1).expect_said(&[&status.to_string()]);
        assert_eq!(machine.requests().iter().filter(|line| line.starts_with("PUT ")).count(), 1, "{status}");
    }
}

#[test]
fn a_change_whose_answer_was_lost_is_made_again_and_told_as_made() {
    let puts = Arc::new(AtomicUsize::new(0));
    let server = {
        let puts = Arc::clone(&puts);
        Server::start(move |mut connection| {
            while let Some(request) = connection.request() {
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
                    ("PUT", _) => connection.answer(DISABLED),
                    _ => connection.answer(ENABLED),
                };
            }
        })
    };
    let ran = Away::at(&server.http()).run(&[DISABLE, &["-o", "json"]].concat()).expect_code(0);
    assert_eq!(ran.json()["outcome"], "changed");
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
            while let Some(request) = connection.request() {
                if request.method != "PUT" {
                    connection.answer(ENABLED);
                } else if puts.fetch_add(1, Ordering::SeqCst) == 0 {
                    return;
                } else {
                    connection
                        .send(answer(409, "application/json", r#"{"errorCode":"Odd","reason":"No."}"#).as_bytes());
                }
            }
        })
    };
    let ran = Away::at(&server.http()).run(&[DISABLE, &["-o", "json"]].concat()).expect_code(1);
    assert_eq!(ran.json()["policyValue"], Value::Null, "the first try may have made it");
    ran.expect_said(&["409", "hint: see what it is now"]);
}

#[test]
fn token_requests_are_tried_again() {
    for status in PASSING {
        let machine = Machine::new();
        machine.tenant.fail_times(2, "/token", fault(status));
        machine.run_with_input(CONNECT, PASSWORD).expect_code(0);
        assert_eq!(machine.token_requests().len(), 3, "{status}");
    }
    let machine = Machine::new();
    machine.tenant.fail_times(1, "/token", fault(400));
    machine.run_with_input(CONNECT, PASSWORD);
    assert_eq!(machine.token_requests().len(), 1);
}

#[test]
fn the_time_that_is_left_ends_the_tries() {
    let machine = Machine::signed_in();
    machine.tenant.set_delay(std::time::Duration::from_millis(600));
    machine.tenant.fail_times(5, "GET ", fault(503));
    let ran = machine.run(&[LIST, &["--timeout", "1"]].concat()).expect_code(1);
    assert!(machine.requests().len() < 5, "{:?}", machine.requests());
    assert_ne!(ran.stderr, "");
}
