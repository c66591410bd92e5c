//! Ctrl-C while changes are on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::support::pty::{CTRL_C, Left, Screen, erased};

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
    answer: impl Fn(&mut Connection, &Received) -> bool + Send + Sync + 'static,
) -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server = service(count, move |connection, request| {
        if (0..prompt).any(|index| request.path.ends_with(&id(index))) {
            return make(connection, request);
        }
        // An error, for nothing is ever sent: the other end has been dropped.
        let _: Result<(), _> = released.lock().unwrap().recv();
        answer(connection, request)
    });
    (server, release)
}

/// Starts a run with three jobs and interrupts it when so many changes have arrived.
fn interrupted(server: &Server, machine: &Machine, arrived: usize) -> Running {
    let mut running = Running::at(server, machine, &[DISABLE_ALL, &["--jobs", "3"]].concat());
    server.wait_until(|seen| ids_sent(&seen.requests).len() == arrived);
    running.interrupt();
    running.expect(WAITING);
    running
}

#[test]
fn ctrl_c_starts_no_new_change_and_waits_for_those_on_their_way() {
    let machine = Machine::signed_in();
    let (server, release) = slow_after(2, 9);
    let running = interrupted(&server, &machine, 5);
    drop(release);
    let ran = running.finish().expect_code(130);
    assert_eq!(ids_of(&ran, "changed"), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(ids_of(&ran, "failed"), (5..9).map(id).collect::<Vec<_>>());
    for unsent in (5..9).map(id) {
        let record = record_of(&ran, &unsent);
        assert_eq!(record["error"], "not sent: interrupted");
        assert_eq!((&record["policyValue"], &record["previousValue"]), (&json!("Enabled"), &json!("Enabled")));
    }
    assert_eq!(sorted(ids_sent(&server.finish().requests)), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(record_of_changes(&machine).len(), 5);
    ran.expect_said(&["error: interrupted: 5 changed, 4 failed\n", "not sent: 4"]);
}

#[test]
fn ctrl_c_when_the_last_changes_are_on_their_way_is_told_all_the_same() {
    let machine = Machine::signed_in();
    let (server, release) = slow_after(0, 3);
    let running = interrupted(&server, &machine, 3);
    drop(release);
    let ran = running.finish().expect_code(130);
    assert_eq!(ids_of(&ran, "changed").len(), 3);
    ran.expect_said(&["error: interrupted: 3 changed\n"]);
}

#[test]
fn a_change_that_fails_after_ctrl_c_is_told_and_the_exit_code_stays() {
    let machine = Machine::signed_in();
    let (server, release) = slow_with(0, 6, |connection, request| {
        if request.path.ends_with(&id(1)) {
            refuse(connection, 500, "X-Nothing: at all", "Odd")
        } else {
            make(connection, request)
        }
    });
    let running = interrupted(&server, &machine, 3);
    drop(release);
    let ran = running.finish().expect_code(130);
    assert_eq!(ids_of(&ran, "changed"), [id(0), id(2)]);
    assert_eq!(record_of(&ran, &id(1))["policyValue"], Value::Null);
    ran.expect_said(&[
        "interrupted: 2 changed, 4 failed",
        "Odd: Not now.",
        "not sent: 3",
        "mscommerce product get CFQ7TTC10001",
    ]);
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_says_where_to_look() {
    let machine = Machine::signed_in();
    let (server, _never_released) = slow_after(2, 9);
    let running = interrupted(&server, &machine, 5);
    let pressed = Instant::now();
    running.interrupt();
    let ran = running.finish().expect_code(130).expect_no_data();
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    ran.expect_said(&[
        "error: interrupted",
        "the changes that were on their way may have been made, or not",
        "hint: see what was changed: mscommerce history",
        "hint: see what they are now: mscommerce products list",
    ]);
    // Those that were answered are in the record, and nobody knows of the others.
    let recorded = record_of_changes(&machine);
    assert_eq!(sorted(recorded.iter().map(|entry| entry["id"].as_str().unwrap())), [id(0), id(1)]);
}

/// Two of nine changes at a terminal, with Ctrl-C pressed when both are on their way.
fn interrupted_at_a_terminal(server: &Server, machine: &Machine) -> Screen {
    let mut command = machine.command(&["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "2"]);
    command.args(["--color", "never"]).env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm");
    let mut screen = Screen::run(command);
    server.wait_until(|seen| ids_sent(&seen.requests).len() == 2);
    screen.expect("Changing [");
    screen.keys(CTRL_C);
    screen.expect(WAITING);
    screen
}

/// What is shown after the bar has been taken away for good.
#[track_caller]
fn after_the_bar(left: &Left) -> &str {
    let (_, after) = left.shown.rsplit_once("Changing [").unwrap();
    let (bar, rest) = after.split_once(&erased()).unwrap_or_else(|| panic!("the bar stays: {after:?}"));
    assert!(!bar.contains('\n'), "{after:?}");
    rest
}

#[test]
fn ctrl_c_at_a_terminal_takes_the_bar_away_and_shows_what_was_done() {
    let machine = Machine::signed_in();
    let (server, release) = slow_after(0, 9);
    let screen = interrupted_at_a_terminal(&server, &machine);
    drop(release);
    let left = screen.finish().expect_code(130);
    let after = after_the_bar(&left);
    assert!(after.contains("Product 8") && after.contains("\nerror: interrupted: 2 changed, 7 failed\n"), "{after}");
}

#[test]
fn a_second_ctrl_c_at_a_terminal_takes_the_bar_away_too() {
    let machine = Machine::signed_in();
    let (server, _never_released) = slow_after(0, 9);
    let screen = interrupted_at_a_terminal(&server, &machine);
    screen.keys(CTRL_C);
    let left = screen.finish().expect_code(130);
    let after = after_the_bar(&left);
    assert!(after.contains("error: interrupted\n") && after.contains("mscommerce history"), "{after}");
}

#[test]
fn ctrl_c_while_the_service_wants_to_be_left_alone_ends_the_wait() {
    let machine = Machine::signed_in();
    let together = Gathering::of(2);
    let server = service(5, move |connection, _| {
        together.join();
        refuse(connection, 429, "Retry-After: 80", "Busy")
    });
    let mut running = Running::at(&server, &machine, &[DISABLE_ALL, &["--jobs", "2"]].concat());
    running.expect("going on in 80 s");
    let pressed = Instant::now();
    running.interrupt();
    let ran = running.finish().expect_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    assert_eq!(ids_of(&ran, "failed").len(), 5);
    let records = ran.json();
    for record in records.as_array().unwrap() {
        assert_eq!(record["policyValue"], "Enabled", "what was put off was not done: {record}");
    }
    for unsent in (2..5).map(id) {
        assert_eq!(record_of(&ran, &unsent)["error"], "not sent: interrupted");
    }
    assert_eq!(sorted(ids_sent(&server.finish().requests)), [id(0), id(1)]);
    ran.expect_said(&["error: interrupted: 5 failed\n"]);
}

/// Ctrl-C while three of four changes wait for an answer: when it comes, each is taken for what it says.
#[track_caller]
fn expect_each_sent_once(server: Server, release: mpsc::Sender<()>) {
    let machine = Machine::signed_in();
    let running = interrupted(&server, &machine, 3);
    drop(release);
    let ran = running.finish().expect_code(130);
    assert_eq!(ids_of(&ran, "failed").len(), 4);
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
    let machine = Machine::signed_in();
    let server = Server::start(|mut connection| {
        connection.request();
        connection.wait_for_end();
    });
    let running = Running::at(&server, &machine, DISABLE_ALL);
    server.wait_until(|seen| seen.requests.len() == 1);
    running.interrupt();
    let ran = running.finish().expect_code(130).expect_no_data().expect_said(&["error: interrupted\n"]);
    assert!(!ran.stderr.contains("may have been made"), "{}", ran.stderr);
    expect_nothing_changed(&machine);
}
