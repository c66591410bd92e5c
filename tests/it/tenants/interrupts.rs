//! Ctrl-C during updates of several tenants.

use std::sync::mpsc;

use super::*;
use crate::support::pty::{CTRL_C, PtyOutput, PtySession};

const WAITING: &str = "Press Ctrl-C again to stop now.";

/// Services for three tenants with two products. They apply updates of the first tenant immediately, and the others when
/// the sender is dropped.
fn services_with_held_updates(env: &TestEnv) -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = start_services(env, 3, 2, move |tenant, request| {
        if request.method == "PUT" && tenant != customer_id(0) {
            // Always an error, because the sender is dropped without sending.
            let _ = released.lock().unwrap().recv();
        }
        None
    });
    (server, release)
}

/// Updates all products, one at a time, and presses Ctrl-C during the first update of the second tenant. Stdout is
/// redirected to a file.
fn interrupted_update(server: &Server, env: &TestEnv) -> PtySession {
    env.write("c.txt", customer_ids(3).join("\n"));
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json", "--jobs", "1"];
    // The shell does not use the working directory of the command.
    let file = env.home().join("c.txt").display().to_string();
    let mut command = app_command(server, env, &[&update[..], &["--tenants-file", &file]].concat());
    command.args(["--color", "never"]).env("TERM", "xterm");
    let mut session = PtySession::run_in_shell(&format!("exec \"$@\" > '{}'", output_path(env)), &command);
    server.wait_until(|recorded| sent_updates(&recorded.requests).len() == 3);
    session.type_keys(CTRL_C);
    session.expect(WAITING);
    session
}

fn output_path(env: &TestEnv) -> String {
    env.home().join("out.json").display().to_string()
}

fn records(env: &TestEnv, output: &PtyOutput) -> CliResult {
    CliResult {
        code: output.code,
        stdout: fs::read_to_string(output_path(env)).unwrap(),
        stderr: output.screen.clone(),
    }
}

#[test]
fn ctrl_c_completes_update_and_skips_the_rest() {
    let env = TestEnv::new();
    let (server, release) = services_with_held_updates(&env);
    let session = interrupted_update(&server, &env);
    drop(release);
    let output = session.finish().assert_code(130);
    let result = records(&env, &output);
    let ids = customer_ids(3);
    assert_eq!(tenant_ids(&result), ids);
    assert_eq!(result.column("outcome"), ["changed", "changed", "changed", "skipped", "skipped", "skipped"]);
    assert_eq!(result.column("error")[3..], ["not sent: interrupted"; 3]);
    assert_eq!(result.column("policyValue")[3..], ["Enabled"; 3]);
    assert_eq!(
        sent_updates(&server.finish().requests),
        [(ids[0].clone(), product_id(0)), (ids[0].clone(), product_id(1)), (ids[1].clone(), product_id(0))]
    );
    let recorded = env.history();
    assert_eq!(recorded.iter().map(|entry| &entry["tenantId"]).collect::<Vec<_>>(), [&ids[0], &ids[0], &ids[1]]);
    output
        .contains_all(&[
            "error: interrupted",
            &format!("{}: ", ids[1]),
            &format!("{}: ", ids[2]),
            "all tenants: 3 changed, 3 skipped",
        ])
        .contains_none(&[&format!("{}: ", ids[0])]);
}

#[test]
fn second_ctrl_c_gives_up_requests_and_reports() {
    let env = TestEnv::new();
    let (server, _never_released) = services_with_held_updates(&env);
    let session = interrupted_update(&server, &env);
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(130);
    let outcomes = records(&env, &output).column("outcome");
    assert_eq!(outcomes, ["changed", "changed", "unknown", "skipped", "skipped", "skipped"]);
    output.contains_all(&["error: interrupted", "all tenants: 2 changed, 1 unknown, 3 skipped"]);
    assert_eq!(env.history().len(), 2);
    assert_eq!(env.history_with_outcomes(&["unknown"]).len(), 1);
}

#[test]
fn ctrl_c_while_reading_changes_nothing() {
    let env = TestEnv::new();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = start_services(&env, 3, 2, move |tenant, request| {
        if request.method == "GET" && tenant == customer_id(2) {
            let _ = released.lock().unwrap().recv();
        }
        None
    });
    let ids = customer_ids(3);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];
    let mut command = app_command(&server, &env, &for_tenants(&ids, &update));
    command.args(["--color", "never"]).env("TERM", "xterm");
    let session = PtySession::run(command);
    server.wait_until(|recorded| recorded.requests.iter().filter(|request| request.method == "GET").count() == 3);
    session.type_keys(CTRL_C);
    session.finish().assert_code(130).contains_all(&["error: interrupted\n"]).contains_none(&["may have been made"]);
    drop(release);
    assert_eq!(sent_updates(&server.finish().requests), []);
    assert_eq!(env.history(), Vec::<Value>::new());
}
