//! Ctrl-C while several tenants are being changed.

use std::sync::mpsc;

use super::*;
use crate::support::pty::{CTRL_C, PtyOutput, PtySession};

const WAITING: &str = "Waiting for the changes that are on their way; press Ctrl-C again to leave them";

/// A service of three tenants with two products, where the changes of the first tenant are made at once, and the others
/// when the sender is dropped.
fn slow_after_the_first(env: &TestEnv) -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = service(env, 3, 2, move |tenant, request| {
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
fn interrupted(server: &Server, env: &TestEnv) -> PtySession {
    env.write("c.txt", customers(3).join("\n"));
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json", "--jobs", "1"];
    // The shell does not take over the directory.
    let file = env.home().join("c.txt").display().to_string();
    let mut command = command_at(server, env, &[&update[..], &["--tenants-file", &file]].concat());
    command.args(["--color", "never"]).env("TERM", "xterm");
    let mut session = PtySession::run_in_shell(&format!("exec \"$@\" > '{}'", out(env)), &command);
    server.wait_until(|recorded| changes(&recorded.requests).len() == 3);
    session.type_keys(CTRL_C);
    session.expect(WAITING);
    session
}

fn out(env: &TestEnv) -> String {
    env.home().join("out.json").display().to_string()
}

fn records(env: &TestEnv, output: &PtyOutput) -> CliResult {
    CliResult { code: output.code, stdout: fs::read_to_string(out(env)).unwrap(), stderr: output.screen.clone() }
}

#[test]
fn what_is_on_its_way_ends_and_the_rest_is_not_sent() {
    let env = TestEnv::new();
    let (server, release) = slow_after_the_first(&env);
    let session = interrupted(&server, &env);
    drop(release);
    let output = session.finish().assert_code(130);
    let result = records(&env, &output);
    let ids = customers(3);
    assert_eq!(tenants(&result), ids);
    assert_eq!(result.column("outcome"), ["changed", "changed", "changed", "failed", "failed", "failed"]);
    assert_eq!(result.column("error")[3..], ["not sent: interrupted"; 3]);
    assert_eq!(result.column("policyValue")[3..], ["Enabled"; 3]);
    assert_eq!(
        changes(&server.finish().requests),
        [(ids[0].clone(), product(0)), (ids[0].clone(), product(1)), (ids[1].clone(), product(0))]
    );
    let recorded = env.history();
    assert_eq!(recorded.iter().map(|entry| &entry["tenantId"]).collect::<Vec<_>>(), [&ids[0], &ids[0], &ids[1]]);
    output
        .contains_all(&[
            "error: interrupted",
            &format!("{}: ", ids[1]),
            &format!("{}: ", ids[2]),
            "in all: 3 changed, 3 failed",
        ])
        .contains_none(&[&format!("{}: ", ids[0])]);
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_says_where_to_look() {
    let env = TestEnv::new();
    let (server, _never_released) = slow_after_the_first(&env);
    let session = interrupted(&server, &env);
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(130);
    output.contains_all(&[
        "error: interrupted",
        "may have been made, or not",
        "hint: see what was changed: mscommerce history",
    ]);
    assert_eq!(env.history().len(), 2);
    assert_eq!(fs::read_to_string(out(&env)).unwrap(), "");
}

#[test]
fn ctrl_c_while_the_tenants_are_read_changes_nothing() {
    let env = TestEnv::new();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = service(&env, 3, 2, move |tenant, request| {
        if request.method == "GET" && tenant == customer(2) {
            let _ = released.lock().unwrap().recv();
        }
        None
    });
    let ids = customers(3);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];
    let mut command = command_at(&server, &env, &at(&ids, &update));
    command.args(["--color", "never"]).env("TERM", "xterm");
    let session = PtySession::run(command);
    server.wait_until(|recorded| recorded.requests.iter().filter(|request| request.method == "GET").count() == 3);
    session.type_keys(CTRL_C);
    session.finish().assert_code(130).contains_all(&["error: interrupted\n"]).contains_none(&["may have been made"]);
    drop(release);
    assert_eq!(changes(&server.finish().requests), []);
    assert_eq!(env.history(), Vec::<Value>::new());
}
