//! Ctrl-C while changes are on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::support::pty::{CTRL_C, PtyOutput, PtySession, erased_line};

/// Longer than an interrupted program may take to end on a busy machine, shorter than any timeout.
const QUICK: Duration = Duration::from_secs(20);

const WAITING: &str = "Waiting for the changes that are on their way; press Ctrl-C again to leave them";

/// An endpoint that makes the changes of the first products at once, and those of the others when the sender is
/// dropped.
fn slow_after(prompt: usize, count: usize) -> (Server, mpsc::Sender<()>) {
    slow_with(prompt, count, make)
}

fn slow_with(
    prompt: usize,
    count: usize,
    response: impl Fn(&mut Connection, &Received) -> bool + Send + Sync + 'static,
) -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server = service(count, move |connection, request| {
        if (0..prompt).any(|index| request.path.ends_with(&id(index))) {
            return make(connection, request);
        }
        // An error, for nothing is ever sent: the other end has been dropped.
        let _: Result<(), _> = released.lock().unwrap().recv();
        response(connection, request)
    });
    (server, release)
}

/// Starts a run with three jobs and interrupts it when so many changes have arrived.
fn interrupted(server: &Server, env: &TestEnv, arrived: usize) -> Running {
    let mut running = Running::at(server, env, &[DISABLE_ALL, &["--jobs", "3"]].concat());
    server.wait_until(|recorded| ids_sent(&recorded.requests).len() == arrived);
    running.interrupt();
    running.expect(WAITING);
    running
}

#[test]
fn ctrl_c_starts_no_new_change_and_waits_for_those_on_their_way() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(2, 9);
    let running = interrupted(&server, &env, 5);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("changed"), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(result.ids_with_outcome("failed"), (5..9).map(id).collect::<Vec<_>>());
    for unsent in (5..9).map(id) {
        let record = result.record(&unsent);
        assert_eq!(record["error"], "not sent: interrupted");
        assert_eq!((&record["policyValue"], &record["previousValue"]), (&json!("Enabled"), &json!("Enabled")));
    }
    assert_eq!(sorted(ids_sent(&server.finish().requests)), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(env.history().len(), 5);
    result.stderr_contains(&["error: interrupted: 5 changed, 4 failed\n", "not sent: 4"]);
}

#[test]
fn ctrl_c_when_the_last_changes_are_on_their_way_is_told_all_the_same() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(0, 3);
    let running = interrupted(&server, &env, 3);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("changed").len(), 3);
    result.stderr_contains(&["error: interrupted: 3 changed\n"]);
}

#[test]
fn a_change_that_fails_after_ctrl_c_is_told_and_the_exit_code_stays() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_with(0, 6, |connection, request| {
        if request.path.ends_with(&id(1)) {
            refuse(connection, 500, "X-Nothing: at all", "Odd")
        } else {
            make(connection, request)
        }
    });
    let running = interrupted(&server, &env, 3);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(2)]);
    assert_eq!(result.record(&id(1))["policyValue"], Value::Null);
    result.stderr_contains(&[
        "interrupted: 2 changed, 4 failed",
        "Odd: Not now.",
        "not sent: 3",
        "mscommerce product get CFQ7TTC10001",
    ]);
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_says_where_to_look() {
    let env = TestEnv::signed_in();
    let (server, _never_released) = slow_after(2, 9);
    let running = interrupted(&server, &env, 5);
    let pressed = Instant::now();
    running.interrupt();
    let result = running.finish().assert_code(130).stdout_is_empty();
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    result.stderr_contains(&[
        "error: interrupted",
        "the changes that were on their way may have been made, or not",
        "hint: see what was changed: mscommerce history",
        "hint: see what they are now: mscommerce products list",
    ]);
    // Those that were answered are in the record, and nobody knows of the others.
    let recorded = env.history();
    assert_eq!(sorted(recorded.iter().map(|entry| entry["id"].as_str().unwrap())), [id(0), id(1)]);
}

/// Two of nine changes at a terminal, with Ctrl-C pressed when both are on their way.
fn interrupted_at_a_terminal(server: &Server, env: &TestEnv) -> PtySession {
    let mut command = env.command(&["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "2"]);
    command.args(["--color", "never"]).env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm");
    let mut session = PtySession::run(command);
    server.wait_until(|recorded| ids_sent(&recorded.requests).len() == 2);
    session.expect("Changing [");
    session.type_keys(CTRL_C);
    session.expect(WAITING);
    session
}

/// What is shown after the bar has been taken away for good.
#[track_caller]
fn after_the_bar(output: &PtyOutput) -> &str {
    let (_, after) = output.screen.rsplit_once("Changing [").unwrap();
    let (bar, rest) = after.split_once(&erased_line()).unwrap_or_else(|| panic!("the bar stays: {after:?}"));
    assert!(!bar.contains('\n'), "{after:?}");
    rest
}

#[test]
fn ctrl_c_at_a_terminal_takes_the_bar_away_and_shows_what_was_done() {
    let env = TestEnv::signed_in();
    let (server, release) = slow_after(0, 9);
    let session = interrupted_at_a_terminal(&server, &env);
    drop(release);
    let output = session.finish().assert_code(130);
    let after = after_the_bar(&output);
    assert!(after.contains("Product 8") && after.contains("\nerror: interrupted: 2 changed, 7 failed\n"), "{after}");
}

#[test]
fn a_second_ctrl_c_at_a_terminal_takes_the_bar_away_too() {
    let env = TestEnv::signed_in();
    let (server, _never_released) = slow_after(0, 9);
    let session = interrupted_at_a_terminal(&server, &env);
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(130);
    let after = after_the_bar(&output);
    assert!(after.contains("error: interrupted\n") && after.contains("mscommerce history"), "{after}");
}

#[test]
fn ctrl_c_while_the_service_wants_to_be_left_alone_ends_the_wait() {
    let env = TestEnv::signed_in();
    let probe = ConcurrencyProbe::new(2);
    let server = service(5, move |connection, _| {
        probe.join();
        refuse(connection, 429, "Retry-After: 80", "Busy")
    });
    let mut running = Running::at(&server, &env, &[DISABLE_ALL, &["--jobs", "2"]].concat());
    running.expect("going on in 80 s");
    let pressed = Instant::now();
    running.interrupt();
    let result = running.finish().assert_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    assert_eq!(result.ids_with_outcome("failed").len(), 5);
    let records = result.json();
    for record in records.as_array().unwrap() {
        assert_eq!(record["policyValue"], "Enabled", "what was put off was not done: {record}");
    }
    for unsent in (2..5).map(id) {
        assert_eq!(result.record(&unsent)["error"], "not sent: interrupted");
    }
    assert_eq!(sorted(ids_sent(&server.finish().requests)), [id(0), id(1)]);
    result.stderr_contains(&["error: interrupted: 5 failed\n"]);
}

/// Ctrl-C while three of four changes wait for an answer: when it comes, each is taken for what it says.
#[track_caller]
fn expect_each_sent_once(server: Server, release: mpsc::Sender<()>) {
    let env = TestEnv::signed_in();
    let running = interrupted(&server, &env, 3);
    drop(release);
    let result = running.finish().assert_code(130);
    assert_eq!(result.ids_with_outcome("failed").len(), 4);
    assert_eq!(sorted(ids_sent(&server.finish().requests)), [id(0), id(1), id(2)]);
}

#[test]
fn a_change_that_is_put_off_after_ctrl_c_is_not_sent_again() {
    let (server, release) = slow_with(0, 4, |connection, _| refuse(connection, 429, "Retry-After: 0", "Busy"));
    expect_each_sent_once(server, release);
}

#[test]
fn a_change_whose_token_is_refused_after_ctrl_c_is_not_sent_again() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let (server, release) = slow_with(0, 4, move |connection, request| {
        // A renewed token would be taken.
        if count.fetch_add(1, Ordering::SeqCst) < 3 {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    expect_each_sent_once(server, release);
}

#[test]
fn ctrl_c_while_the_listing_is_read_changes_nothing() {
    let env = TestEnv::signed_in();
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.wait_for_close();
    });
    let running = Running::at(&server, &env, DISABLE_ALL);
    server.wait_until(|recorded| recorded.requests.len() == 1);
    running.interrupt();
    let result = running.finish().assert_code(130).stdout_is_empty().stderr_contains(&["error: interrupted\n"]);
    assert!(!result.stderr.contains("may have been made"), "{}", result.stderr);
    env.assert_nothing_changed();
}
