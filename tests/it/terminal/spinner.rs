//! The spinner of slow reads.

use super::*;
use crate::support::fixtures::{PRODUCT_LIST, THIRD_DOMAIN, THIRD_TENANT};
use crate::support::pty::ERASE_LINE;

const SPINNER: &str = " Reading products…";

/// A server that responds to each read when the sender sends, or not at all if it is dropped.
fn server_with_held_reads() -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server = Server::start(move |mut connection: Connection| {
        while connection.read_request().is_some() {
            if released.lock().unwrap().recv().is_err() {
                return;
            }
            connection.respond_json(PRODUCT_LIST);
        }
    });
    (server, release)
}

/// A command in a terminal that reads from the server.
fn start(env: &TestEnv, server: &Server, arguments: &[&str]) -> PtySession {
    let url = server.http();
    let arguments = [arguments, &["--color", "never"]].concat();
    env.start_in_terminal(&[("MSCOMMERCE_ENDPOINT", &url), ("TERM", "xterm")], &arguments)
}

/// The output after the spinner is erased for the last time.
#[track_caller]
fn text_after_spinner(output: &PtyOutput) -> &str {
    let (_, after) = output.screen.rsplit_once(SPINNER).unwrap_or_else(|| panic!("no spinner: {:?}", output.screen));
    let (spinner, rest) = after.rsplit_once(ERASE_LINE).unwrap_or_else(|| panic!("it is not erased: {after:?}"));
    assert!(!spinner.contains('\n'), "{after:?}");
    rest
}

#[test]
fn spinner_appears_for_slow_read_and_disappears() {
    let env = TestEnv::signed_in();
    let (server, release) = server_with_held_reads();
    let mut session = start(&env, &server, LIST);
    session.expect(SPINNER);
    release.send(()).unwrap();
    let output = session.finish().assert_code(0);
    let text = "NAME          VALUE    ID\nPower BI Pro  Enabled  CFQ7TTC0H9MP\n1 product: 1 enabled\n";
    assert_eq!(text_after_spinner(&output), text);
}

#[test]
fn spinner_appears_for_slow_request_of_api() {
    let env = TestEnv::signed_in();
    let (server, release) = server_with_held_reads();
    let mut session = start(&env, &server, &["api", "v1.0/policies"]);
    session.expect(" Sending the request…");
    release.send(()).unwrap();
    session.finish().assert_code(0);
}

#[test]
fn ctrl_c_erases_spinner() {
    let env = TestEnv::signed_in();
    let (server, _never_released) = server_with_held_reads();
    let mut session = start(&env, &server, LIST);
    session.expect(SPINNER);
    let output = interrupt(session);
    assert!(text_after_spinner(&output).ends_with("error: interrupted\n"), "{:?}", output.screen);
}

#[test]
fn error_erases_spinner() {
    let env = TestEnv::signed_in();
    let (server, release) = server_with_held_reads();
    let mut session = start(&env, &server, &["products", "list", "--timeout", "1"]);
    session.expect(SPINNER);
    let output = session.finish().assert_code(1);
    drop(release);
    assert!(text_after_spinner(&output).starts_with("error: "), "{:?}", output.screen);
}

#[test]
fn spinner_counts_tenants() {
    let env = TestEnv::signed_in();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    let tenants = ["--tenant", HOME_TENANT, "--tenant", THIRD_TENANT];
    // Both tenants get a token before the reads are held.
    env.run(&[LIST, &tenants].concat()).assert_code(0);
    let (server, release) = server_with_held_reads();
    let mut session = start(&env, &server, &[LIST, &tenants].concat());
    session.expect("Reading products… 0/2 tenants");
    release.send(()).unwrap();
    session.expect("Reading products… 1/2 tenants");
    release.send(()).unwrap();
    let output = session.finish().assert_code(0);
    assert!(text_after_spinner(&output).ends_with("2 products in 2 tenants: 2 enabled\n"), "{:?}", output.screen);
}

#[test]
fn spinner_is_hidden_if_unwanted_or_impossible() {
    let env = TestEnv::signed_in();
    for (variables, flag, script) in [
        (&[][..], "-q", r#""$@""#),
        (&[], "-v", r#""$@""#),
        (&[("TERM", "dumb")][..], "--color=never", r#""$@""#),
        // Only standard output is a terminal.
        (&[], "--color=never", r#""$@" 2>"$HOME/errors""#),
    ] {
        let (server, _never_released) = server_with_held_reads();
        let mut command = env.command(&[LIST, &[flag, "--timeout", "1"]].concat());
        command.env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm").envs(variables.iter().copied());
        PtySession::run_in_shell(script, &command).finish().contains_none(&["Reading", ERASE_LINE]);
    }
}
