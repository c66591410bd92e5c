//! Ctrl-C ends every wait within a second.

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::env::TestEnv;
use crate::support::pty::{CTRL_C, PtySession};
use crate::support::server::Server;
use crate::tenant::{ADMIN, DeviceApproval, Response};

const LIST: &[&str] = &["products", "list"];
const PROMPT: &str = "Password for admin@contoso.example: ";

/// Asserts that the shortest of five runs exits within a second: a busy machine may delay some of them.
#[track_caller]
fn assert_exits_within_a_second(mut time_to_exit: impl FnMut() -> Duration) {
    let times: Vec<Duration> = (0..5).map(|_| time_to_exit()).collect();
    assert!(times.iter().min().is_some_and(|shortest| *shortest < Duration::from_secs(1)), "{times:?}");
}

/// Sends SIGINT after this text appears on stderr and `wait` returns. Returns the time until the command exits.
fn time_to_exit(mut command: Command, text: &str, wait: impl FnOnce()) -> Duration {
    let mut child = command.spawn().unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut stderr = String::new();
    while !stderr.contains(text) {
        assert_ne!(reader.read_line(&mut stderr).unwrap(), 0, "{stderr}");
    }
    wait();
    let sent = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    sent.elapsed()
}

#[test]
fn sigint_ends_browser_wait_within_a_second() {
    let env = TestEnv::new();
    assert_exits_within_a_second(|| time_to_exit(env.command(&["connect", "--no-browser"]), "Waiting", || {}));
}

#[test]
fn sigint_ends_device_code_poll_within_a_second() {
    let env = TestEnv::new();
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(u32::MAX));
    env.tenant.set_device_interval(600);
    assert_exits_within_a_second(|| time_to_exit(env.command(&["connect", "--device-code"]), "Waiting", || {}));
}

#[test]
fn sigint_ends_rate_limit_wait_within_a_second() {
    let server = Server::responding_with("HTTP/1.1 429 Busy\r\nRetry-After: 50\r\nContent-Length: 2\r\n\r\n{}");
    let env = TestEnv::signed_in();
    assert_exits_within_a_second(|| {
        let mut command = env.command(LIST);
        command.env("MSCOMMERCE_ENDPOINT", server.http());
        time_to_exit(command, "Retrying in 50 s", || {})
    });
    assert_eq!(server.finish().requests.len(), 5, "one request for each run");
}

/// Another process holds the lock of the sign-ins.
#[test]
fn sigint_ends_lock_wait_within_a_second() {
    let env = TestEnv::with_expiring_token();
    let lock = std::fs::File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    for command in [LIST, &["connect", "--device-code"], &["disconnect"]] {
        assert_exits_within_a_second(|| {
            time_to_exit(env.command(&[command, &["-v"]].concat()), "waiting for another mscommerce", || {})
        });
    }
    assert!(env.request_lines().is_empty());
}

/// The wait is part of a change in flight, which an interrupt lets complete.
#[test]
fn sigint_ends_lock_wait_of_change_within_a_second() {
    let env = TestEnv::signed_in();
    let lock = std::fs::File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    assert_exits_within_a_second(|| {
        // The response to the change requires a refresh.
        env.tenant.fail_next("PUT ", Response::text(401, "text/plain", ""));
        let update = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-v"];
        time_to_exit(env.command(&update), "waiting for another mscommerce", || {})
    });
    assert_eq!(env.token_requests(), []);
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
}

#[test]
fn sigint_ends_pending_request_within_a_second() {
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.wait_for_close();
    });
    let env = TestEnv::signed_in();
    let mut count = 0;
    assert_exits_within_a_second(|| {
        count += 1;
        let mut command = env.command(LIST);
        command.env("MSCOMMERCE_ENDPOINT", server.http());
        time_to_exit(command, "", || server.wait_until(|recorded| recorded.requests.len() == count))
    });
}

#[test]
fn ctrl_c_ends_password_prompt_within_a_second() {
    let env = TestEnv::new();
    assert_exits_within_a_second(|| {
        let mut session = PtySession::run(env.command(&["connect", "--username", ADMIN]));
        session.expect(PROMPT);
        session.expect_hidden_input();
        let sent = Instant::now();
        session.type_keys(CTRL_C);
        session.finish().assert_code(130);
        sent.elapsed()
    });
}
