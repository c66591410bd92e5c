//! Ctrl-C while updates are in flight.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::support::fixtures::POWER_BI;
use crate::support::pty::{CTRL_C, ERASE_LINE, PtyOutput, PtySession};

/// Longer than an interrupted program needs to exit on a busy machine, shorter than any timeout.
const QUICK: Duration = Duration::from_secs(20);

/// Part of the message after the first Ctrl-C.
const WAITING: &str = "Ctrl-C again";

/// A service that responds at once to updates of the first `prompt` products, and to the others when the sender is dropped.
fn slow_after(prompt: usize, count: usize) -> (Server, mpsc::Sender<()>) {
    slow_with(prompt, count, respond_updated)
}

fn slow_with(
    prompt: usize,
    count: usize,
    response: impl Fn(&mut Connection, &Received) -> bool + Send + Sync + 'static,
) -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server = start_service(count, move |connection, request| {
        if (0..prompt).any(|index| request.path.ends_with(&id(index))) {
            return respond_updated(connection, request);
        }
        // Returns an error when the sender is dropped. Nothing is ever sent.
        let _: Result<(), _> = released.lock().unwrap().recv();
        response(connection, request)
    });
    (server, release)
}

/// Starts a run with three jobs and interrupts it after this number of updates has arrived.
fn start_and_interrupt(server: &Server, env: &TestEnv, arrived: usize) -> RunningCli {
    let mut running = RunningCli::start(server, env, &[DISABLE_ALL, &["--jobs", "3"]].concat());
    server.wait_until(|recorded| put_ids(&recorded.requests).len() == arrived);
    running.interrupt();
    running.expect(WAITING);
    running
}

#[test]
fn ctrl_c_during_change_of_api_is_deferred() {
    let env = TestEnv::signed_in();
    let body = env.write("body.json", r#"{"policyValue":"Disabled"}"#);
    let body = env.home().join(body).display().to_string();
    let path = format!("v1.0/policies/AllowSelfServicePurchase/products/{}", id(0));
    let put = ["api", &path, "-X", "PUT", "--input", &body];
    for presses in [1, 2] {
        let (server, release) = slow_after(0, 1);
        let mut running = RunningCli::start(&server, &env, &put);
        server.wait_until(|recorded| put_ids(&recorded.requests).len() == 1);
        running.interrupt();
        running.expect(WAITING);
        if presses == 1 {
            drop(release);
            let result = running.finish().assert_code(130).stderr_lacks("error: ");
            assert_eq!(result.json()["policyValue"], "Disabled");
        } else {
            running.interrupt();
            let result = running.finish().assert_code(130).stdout_is_empty();
            result.stderr_contains(&["error: interrupted: the service may or may not have applied the PUT request"]);
        }
    }
}

#[test]
fn ctrl_c_finishes_in_flight_updates() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(2, 9);
    let running = start_and_interrupt(&server, &env, 5);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("changed"), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(result.ids_with_outcome("skipped"), (5..9).map(id).collect::<Vec<_>>());
    for unsent in (5..9).map(id) {
        let record = result.record(&unsent);
        assert_eq!(record["error"], "not sent: interrupted");
        assert_eq!((&record["policyValue"], &record["previousValue"]), (&json!("Enabled"), &json!("Enabled")));
    }
    assert_eq!(sorted(put_ids(&server.finish().requests)), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(env.history().len(), 5);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 130
    ----- stderr -----
    Finishing requests in progress. Press Ctrl-C again to stop now.
    error: interrupted: 5 changed, 4 skipped
      in tenant 11111111-1111-4111-8111-111111111111
    ");
}

#[test]
fn ctrl_c_during_last_updates_is_reported() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(0, 3);
    let running = start_and_interrupt(&server, &env, 3);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("changed").len(), 3);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 130
    ----- stderr -----
    Finishing requests in progress. Press Ctrl-C again to stop now.
    3 changed in tenant 11111111-1111-4111-8111-111111111111
    ");
}

#[test]
fn failure_after_ctrl_c_keeps_exit_code() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_with(0, 6, |connection, request| {
        if request.path.ends_with(&id(1)) {
            respond_error(connection, 500, "X-Nothing: at all", "Odd")
        } else {
            respond_updated(connection, request)
        }
    });
    let running = start_and_interrupt(&server, &env, 3);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(2)]);
    assert_eq!(result.record(&id(1))["policyValue"], Value::Null);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 130
    ----- stderr -----
    Finishing requests in progress. Press Ctrl-C again to stop now.
    error: interrupted: 2 changed, 1 unknown, 3 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC10001: the service returned 500 Internal Server Error; Odd: Not now.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC10001
    ");
}

#[test]
fn second_ctrl_c_exits_immediately() {
    let env = TestEnv::signed_in();
    let (server, _never_released) = slow_after(2, 9);
    let running = start_and_interrupt(&server, &env, 5);
    let pressed = Instant::now();
    running.interrupt();
    let result = running.finish();
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(1)]);
    assert_eq!(result.ids_with_outcome("unknown"), (2..5).map(id).collect::<Vec<_>>());
    assert_eq!(result.ids_with_outcome("skipped"), (5..9).map(id).collect::<Vec<_>>());
    assert_eq!(result.record(&id(2))["policyValue"], Value::Null);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 130
    ----- stderr -----
    Finishing requests in progress. Press Ctrl-C again to stop now.
    error: interrupted: 2 changed, 3 unknown, 4 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      interrupted while the request was in progress: product CFQ7TTC10002
      interrupted while the request was in progress: product CFQ7TTC10003
      interrupted while the request was in progress: product CFQ7TTC10004
    hint: check the current value: mscommerce product get CFQ7TTC10002
    hint: check the current value: mscommerce product get CFQ7TTC10003
    hint: check the current value: mscommerce product get CFQ7TTC10004
    ");
    let recorded = |outcome| sorted(env.history_with_outcomes(&[outcome]).iter().map(|e| e["id"].as_str().unwrap()));
    assert_eq!(recorded("changed"), [id(0), id(1)]);
    assert_eq!(recorded("unknown"), (2..5).map(id).collect::<Vec<_>>());
}

/// Starts nine updates at a terminal and presses Ctrl-C when the first two are in flight.
fn start_and_interrupt_in_terminal(server: &Server, env: &TestEnv) -> PtySession {
    let mut command = env.command(&["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "2"]);
    command.args(["--color", "never"]).env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm");
    let mut session = PtySession::run(command);
    server.wait_until(|recorded| put_ids(&recorded.requests).len() == 2);
    session.expect(BAR);
    session.type_keys(CTRL_C);
    session.expect(WAITING);
    session
}

/// The output after the progress bar is erased for the last time.
#[track_caller]
fn text_after_bar(output: &PtyOutput) -> &str {
    let (_, after) = output.screen.rsplit_once(BAR).unwrap();
    let (bar, rest) = after.split_once(ERASE_LINE).unwrap_or_else(|| panic!("the bar is not erased: {after:?}"));
    assert!(!bar.contains('\n'), "{after:?}");
    rest
}

#[test]
fn ctrl_c_in_terminal_erases_progress_bar() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(0, 9);
    let session = start_and_interrupt_in_terminal(&server, &env);
    drop(release);
    let output = session.finish().assert_code(130);
    let after = text_after_bar(&output);
    assert!(after.contains("Product 8") && after.contains("\nerror: interrupted: 2 changed, 7 skipped\n"), "{after}");
}

#[test]
fn second_ctrl_c_in_terminal_erases_progress_bar() {
    let env = TestEnv::signed_in();
    let (server, _never_released) = slow_after(0, 9);
    let session = start_and_interrupt_in_terminal(&server, &env);
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(130);
    let after = text_after_bar(&output);
    assert!(after.contains("error: interrupted: 2 unknown, 7 skipped\n"), "{after}");
}

#[test]
fn ctrl_c_ends_rate_limit_wait() {
    let env = TestEnv::signed_in();
    let probe = ConcurrencyProbe::new(2);
    let server = start_service(5, move |connection, _| {
        probe.join();
        respond_error(connection, 429, "Retry-After: 80", "Busy")
    });
    let mut running = RunningCli::start(&server, &env, &[DISABLE_ALL, &["--jobs", "2"]].concat());
    running.expect(" 80 s");
    let pressed = Instant::now();
    running.interrupt();
    let result = running.finish().assert_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    assert_eq!(result.ids_with_outcome("failed"), [id(0), id(1)]);
    assert_eq!(result.ids_with_outcome("skipped"), [id(2), id(3), id(4)]);
    let records = result.json();
    for record in records.as_array().unwrap() {
        assert_eq!(record["policyValue"], "Enabled", "rate limited updates were not applied: {record}");
    }
    for unsent in (2..5).map(id) {
        assert_eq!(result.record(&unsent)["error"], "not sent: interrupted");
    }
    assert_eq!(sorted(put_ids(&server.finish().requests)), [id(0), id(1)]);
    assert!(result.stderr.contains("error: interrupted: 2 failed, 3 skipped\n"), "{}", result.stderr);
}

/// Interrupts a run while three of four updates wait for a response. Asserts that each one fails and is not sent again.
#[track_caller]
fn assert_each_sent_once(server: Server, release: mpsc::Sender<()>) {
    let env = TestEnv::signed_in();
    let running = start_and_interrupt(&server, &env, 3);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!((result.ids_with_outcome("failed").len(), result.ids_with_outcome("skipped").len()), (3, 1));
    assert_eq!(sorted(put_ids(&server.finish().requests)), [id(0), id(1), id(2)]);
}

#[test]
fn rate_limited_update_is_not_retried_after_ctrl_c() {
    let (server, release) = slow_with(0, 4, |connection, _| respond_error(connection, 429, "Retry-After: 0", "Busy"));
    assert_each_sent_once(server, release);
}

#[test]
fn update_with_401_is_not_retried_after_ctrl_c() {
    let rejected = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&rejected);
    let (server, release) = slow_with(0, 4, move |connection, request| {
        // A refreshed token would be accepted.
        if count.fetch_add(1, Ordering::SeqCst) < 3 {
            return respond_error(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        respond_updated(connection, request)
    });
    assert_each_sent_once(server, release);
}

#[test]
fn ctrl_c_during_list_request_changes_nothing() {
    let env = TestEnv::signed_in();
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.wait_for_close();
    });
    let running = RunningCli::start(&server, &env, DISABLE_ALL);
    server.wait_until(|recorded| recorded.requests.len() == 1);
    running.interrupt();
    cli_snapshot!(running.finish(), @"
    exit_code: 130
    ----- stderr -----
    error: interrupted
    ");
    env.assert_nothing_changed();
}

#[test]
fn undo_during_a_run_is_refused() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(0, 3);
    let running = RunningCli::start(&server, &env, &[DISABLE_ALL, &["--jobs", "1"]].concat());
    server.wait_until(|recorded| put_ids(&recorded.requests).len() == 1);
    cli_snapshot!(env.run(&["undo", "--yes"]), @"
    exit_code: 1
    ----- stderr -----
    error: another mscommerce process is making changes on this machine; nothing was changed
    hint: wait until it has finished, then try again
    ");
    // Other changes are possible meanwhile.
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    drop(release);
    running.finish().assert_code(0);
    assert_eq!(env.history().len(), 4);
}

/// Products enough for a result that is larger than the buffer of a pipe.
const MANY: usize = 1000;

#[test]
fn ctrl_c_gives_up_stdout_that_nobody_reads() {
    let env = TestEnv::signed_in();
    let server = start_service(MANY, respond_updated);
    let mut running = RunningCli::start(&server, &env, &["products", "list", "-o", "json"]);
    let mut stdout = running.child.as_mut().unwrap().stdout.take().unwrap();
    // The program is printing, and the rest does not fit into the pipe.
    stdout.read_exact(&mut [0]).unwrap();
    let pressed = Instant::now();
    running.interrupt();
    running.finish().assert_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
}

#[test]
fn run_completes_while_nobody_reads_stderr() {
    let env = TestEnv::signed_in();
    let server = start_service(MANY, respond_updated);
    let mut running = RunningCli::start(&server, &env, &[DISABLE_ALL, &["-v"]].concat());
    let mut stdout = running.child.as_mut().unwrap().stdout.take().unwrap();
    // The records are printed although the messages do not fit into the pipe.
    let mut records = Vec::new();
    while !records.ends_with(b"\n]\n") {
        let mut chunk = [0; 4096];
        let length = stdout.read(&mut chunk).unwrap();
        assert_ne!(length, 0);
        records.extend_from_slice(&chunk[..length]);
    }
    let pressed = Instant::now();
    running.interrupt();
    assert!(running.child.as_mut().unwrap().wait().unwrap().code().is_some());
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    assert_eq!(env.history().len(), MANY);
    let records: Value = serde_json::from_slice(&records).unwrap();
    assert!(records.as_array().unwrap().iter().all(|record| record["outcome"] == "changed"));
}

#[test]
fn every_planned_change_is_on_disk_before_the_first_request() {
    let env = TestEnv::signed_in();
    let (server, _never_released) = slow_after(0, 9);
    let running = RunningCli::start(&server, &env, &[DISABLE_ALL, &["--jobs", "1"]].concat());
    server.wait_until(|recorded| put_ids(&recorded.requests).len() == 1);
    assert_eq!(env.history_with_outcomes(&["planned"]).len(), 9);
    // Killed without a chance to record an outcome.
    drop(running);
    let listed = env.run(&["history", "-o", "json"]).assert_code(0);
    assert_eq!(listed.column("outcome"), ["unknown"; 9]);
}
