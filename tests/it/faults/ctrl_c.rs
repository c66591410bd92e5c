//! Ctrl-C ends every kind of waiting within a second.

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::env::TestEnv;
use crate::support::pty::{CTRL_C, PtySession};
use crate::support::server::Server;
use crate::tenant::{ADMIN, DeviceApproval};

const LIST: &[&str] = &["products", "list"];
const PROMPT: &str = "Password for admin@contoso.example: ";

/// A machine that is busy may keep an executable from running for longer than a second, but not each time.
#[track_caller]
fn expect_within_a_second(mut interrupted: impl FnMut() -> Duration) {
    let times: Vec<Duration> = (0..5).map(|_| interrupted()).collect();
    assert!(times.iter().min().is_some_and(|quickest| *quickest < Duration::from_secs(1)), "{times:?}");
}

/// How long the command goes on after Ctrl-C, which is pressed when it says this.
fn after(mut command: Command, text: &str, wait: impl FnOnce()) -> Duration {
    let mut child = command.spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut stderr = String::new();
    while !stderr.contains(text) {
        assert_ne!(told.read_line(&mut stderr).unwrap(), 0, "{stderr}");
    }
    wait();
    let pressed = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    pressed.elapsed()
}

#[test]
fn while_a_browser_is_waited_for() {
    let env = TestEnv::new();
    expect_within_a_second(|| after(env.command(&["connect", "--no-browser"]), "Waiting", || {}));
}

#[test]
fn between_two_polls_for_a_device_code() {
    let env = TestEnv::new();
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(u32::MAX));
    env.tenant.set_device_interval(600);
    expect_within_a_second(|| after(env.command(&["connect", "--device-code"]), "Waiting", || {}));
}

#[test]
fn while_the_service_wants_to_be_left_alone() {
    let server = Server::responding_with("HTTP/1.1 429 Busy\r\nRetry-After: 50\r\nContent-Length: 2\r\n\r\n{}");
    let env = TestEnv::signed_in();
    expect_within_a_second(|| {
        let mut command = env.command(LIST);
        command.env("MSCOMMERCE_ENDPOINT", server.http());
        after(command, "going on in 50 s", || {})
    });
    assert_eq!(server.finish().requests.len(), 5, "one for each run");
}

#[test]
fn while_a_listing_is_waited_for() {
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.wait_for_close();
    });
    let env = TestEnv::signed_in();
    let mut count = 0;
    expect_within_a_second(|| {
        count += 1;
        let mut command = env.command(LIST);
        command.env("MSCOMMERCE_ENDPOINT", server.http());
        after(command, "", || server.wait_until(|recorded| recorded.requests.len() == count))
    });
}

#[test]
fn at_the_prompt_for_a_password() {
    let env = TestEnv::new();
    expect_within_a_second(|| {
        let mut session = PtySession::run(env.command(&["connect", "--username", ADMIN]));
        session.expect(PROMPT);
        session.expect_hidden_input();
        let pressed = Instant::now();
        session.type_keys(CTRL_C);
        session.finish().assert_code(130);
        pressed.elapsed()
    });
}
