//! Ctrl-C while several tenants are being changed.

use std::sync::mpsc;

use super::*;
use crate::support::pty::{CTRL_C, Left, Screen};

const WAITING: &str = "Waiting for the changes that are on their way; press Ctrl-C again to leave them";

/// A service of three tenants with two products, where the changes of the first tenant are made at once, and the others
/// when the sender is dropped.
fn slow_after_the_first(machine: &Machine) -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = service(machine, 3, 2, move |tenant, request| {
        if request.method == "PUT" && tenant != customer(0) {
            // An error, for nothing is ever sent: the other end has been dropped.
            let _ = released.lock().unwrap().recv();
        }
        None
    });
    (server, release)
}

/// Changes everything, one after the other, and presses Ctrl-C when the first change of the second tenant is on its
/// way. The records go to a file.
fn interrupted(server: &Server, machine: &Machine) -> Screen {
    write(machine, "c.txt", customers(3).join("\n"));
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json", "--jobs", "1"];
    // The shell does not take over the directory.
    let file = machine.home().join("c.txt").display().to_string();
    let mut command = command_at(server, machine, &[&update[..], &["--tenants-file", &file]].concat());
    command.args(["--color", "never"]).env("TERM", "xterm");
    let mut screen = Screen::run_in_shell(&format!("exec \"$@\" > '{}'", out(machine)), &command);
    server.wait_until(|seen| changes(&seen.requests).len() == 3);
    screen.keys(CTRL_C);
    screen.expect(WAITING);
    screen
}

fn out(machine: &Machine) -> String {
    machine.home().join("out.json").display().to_string()
}

fn records(machine: &Machine, left: &Left) -> Ran {
    Ran { code: left.code, stdout: fs::read_to_string(out(machine)).unwrap(), stderr: left.shown.clone() }
}

#[test]
fn what_is_on_its_way_ends_and_the_rest_is_not_sent() {
    let machine = Machine::new();
    let (server, release) = slow_after_the_first(&machine);
    let screen = interrupted(&server, &machine);
    drop(release);
    let left = screen.finish().expect_code(130);
    let ran = records(&machine, &left);
    let ids = customers(3);
    assert_eq!(tenants(&ran), ids);
    assert_eq!(column(&ran, "outcome"), ["changed", "changed", "changed", "failed", "failed", "failed"]);
    assert_eq!(column(&ran, "error")[3..], ["not sent: interrupted"; 3]);
    assert_eq!(column(&ran, "policyValue")[3..], ["Enabled"; 3]);
    assert_eq!(
        changes(&server.finish().requests),
        [(ids[0].clone(), product(0)), (ids[0].clone(), product(1)), (ids[1].clone(), product(0))]
    );
    let recorded = record_of_changes(&machine);
    assert_eq!(recorded.iter().map(|entry| &entry["tenantId"]).collect::<Vec<_>>(), [&ids[0], &ids[0], &ids[1]]);
    left.expect_shown(&[
        "error: interrupted",
        &format!("{}: ", ids[1]),
        &format!("{}: ", ids[2]),
        "in all: 3 changed, 3 failed",
    ])
    .expect_not_shown(&[&format!("{}: ", ids[0])]);
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_says_where_to_look() {
    let machine = Machine::new();
    let (server, _never_released) = slow_after_the_first(&machine);
    let screen = interrupted(&server, &machine);
    screen.keys(CTRL_C);
    let left = screen.finish().expect_code(130);
    left.expect_shown(&[
        "error: interrupted",
        "may have been made, or not",
        "hint: see what was changed: mscommerce history",
    ]);
    assert_eq!(record_of_changes(&machine).len(), 2);
    assert_eq!(fs::read_to_string(out(&machine)).unwrap(), "");
}

#[test]
fn ctrl_c_while_the_tenants_are_read_changes_nothing() {
    let machine = Machine::new();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = service(&machine, 3, 2, move |tenant, request| {
        if request.method == "GET" && tenant == customer(2) {
            let _ = released.lock().unwrap().recv();
        }
        None
    });
    let ids = customers(3);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];
    let mut command = command_at(&server, &machine, &at(&ids, &update));
    command.args(["--color", "never"]).env("TERM", "xterm");
    let screen = Screen::run(command);
    server.wait_until(|seen| seen.requests.iter().filter(|request| request.method == "GET").count() == 3);
    screen.keys(CTRL_C);
    screen.finish().expect_code(130).expect_shown(&["error: interrupted\n"]).expect_not_shown(&["may have been made"]);
    drop(release);
    assert_eq!(changes(&server.finish().requests), []);
    assert_eq!(record_of_changes(&machine), Vec::<Value>::new());
}
