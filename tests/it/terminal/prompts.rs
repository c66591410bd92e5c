//! Prompts: the password, the access token, and the confirmation of an update.

use super::*;
use crate::support::fixtures::POWER_BI;

#[test]
fn password_prompt_does_not_echo() {
    for flags in [&[][..], &["--password-stdin"], &["-q"], &["-vvv"]] {
        let env = TestEnv::new();
        let mut session = PtySession::run(env.command(&[CONNECT, flags].concat()));
        type_password(&mut session);
        session.finish().assert_code(0).contains_none(&[PASSWORD, "correct"]);
        let requests = env.tenant.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].form()["password"], PASSWORD);
        env.run(LIST).assert_code(0);
    }
}

#[test]
fn password_prompt_works_with_redirected_output() {
    let env = TestEnv::new();
    let mut session =
        PtySession::run_in_shell(r#"echo before; "$@" >/dev/null 2>/dev/null; echo code=$?"#, &env.command(CONNECT));
    session.expect("before");
    type_password(&mut session);
    session.finish().assert_code(0).contains_all(&["code=0"]).contains_none(&[PASSWORD]);
}

#[test]
fn password_prompt_accepts_backspace() {
    let env = TestEnv::new();
    let mut session = PtySession::run(env.command(CONNECT));
    session.expect("Password for admin@contoso.example: ");
    session.expect_hidden_input();
    session.type_keys(&format!("{PASSWORD}xy\u{7f}\u{7f}\n"));
    session.finish().assert_code(0).contains_all(&["Signed in as admin@contoso.example"]);
}

#[test]
fn empty_password_sends_no_request() {
    let env = TestEnv::new();
    for (keys, code) in [("\n", 2), (CTRL_D, 1)] {
        let mut session = PtySession::run(env.command(&[CONNECT, &["--color", "never"]].concat()));
        session.expect("Password for admin@contoso.example: ");
        session.expect_hidden_input();
        session.type_keys(keys);
        // The error is on its own line, even if no key ended the line of the prompt.
        session.finish().assert_code(code).contains_all(&["\nerror: "]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn token_prompt_accepts_long_token() {
    // A terminal line holds 4096 bytes, on macOS 1024; tokens with many groups are longer.
    let env = TestEnv::new();
    let claims = json!({ "upn": ADMIN, "tid": HOME_TENANT, "exp": 4_000_000_000_i64, "filler": "x".repeat(6000) });
    let mut session = PtySession::run(env.command(&["connect", "--with-token"]));
    session.expect("Access token: ");
    session.expect_hidden_input();
    let token = jwt(&claims);
    session.type_keys(&format!("{token}\n"));
    session
        .finish()
        .assert_code(0)
        .contains_all(&["Signed in as admin@contoso.example"])
        .contains_none(&[&token[..40]]);
    assert!(env.request_lines().is_empty());
}

/// Prints the terminal modes, runs the command, and prints its exit code and the modes again. Ctrl-C reaches every
/// program in the terminal, so the shell ignores it.
const WITH_MODES: &str = r#"
trap : INT
echo before: $(stty -a)
sh -c 'echo pid: $$; exec "$@"' sh "$@"
echo code: $?
echo after: $(stty -a)
"#;

/// The modes that prompts for secrets change, from the output of `stty -a`.
fn modes(stty: &str) -> Vec<&str> {
    let relevant = ["echo", "icanon", "isig", "iexten", "echonl", "icrnl", "opost"];
    stty.split([' ', ';']).filter(|mode| relevant.contains(&mode.strip_prefix('-').unwrap_or(mode))).collect()
}

#[track_caller]
fn assert_interrupt_restores_terminal(command: &Command, prompt: &str, interrupt: impl FnOnce(&PtySession, &str)) {
    let mut session = PtySession::run_in_shell(WITH_MODES, command);
    let before = session.text_after("before: ");
    let pid = session.text_after("pid: ");
    session.expect(prompt);
    session.expect_hidden_input();
    interrupt(&session, &pid);
    let code = session.text_after("code: ");
    let after = session.text_after("after: ");
    assert_eq!(code, "130");
    assert_eq!(modes(&after), modes(&before));
    assert!(modes(&before).len() >= 5, "{before}");
    let output = session.finish().contains_all(&["\nerror: interrupted\n"]);
    assert_eq!(output.screen.matches("error:").count(), 1, "{}", output.screen);
}

#[test]
fn ctrl_c_at_hidden_prompt_restores_terminal() {
    let env = TestEnv::new();
    let with_token = env.command(&["connect", "--with-token", "--color", "never"]);
    let with_password = env.command(&[CONNECT, &["--color", "never"]].concat());
    for (command, prompt) in [(with_password, "Password for admin@contoso.example: "), (with_token, "Access token: ")] {
        assert_interrupt_restores_terminal(&command, prompt, |session, _| session.type_keys(CTRL_C));
        // After some input.
        assert_interrupt_restores_terminal(&command, prompt, |session, _| session.type_keys(&format!("abc{CTRL_C}")));
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn signal_at_hidden_prompt_restores_terminal() {
    let env = TestEnv::new();
    let command = env.command(&[CONNECT, &["--color", "never"]].concat());
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        assert_interrupt_restores_terminal(&command, "Password for admin@contoso.example: ", |_, pid| {
            let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
            rustix::process::kill_process(pid, signal).unwrap();
        });
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn confirmed_update_is_sent_after_yes() {
    for yes in ["y\n", "Y\n", "yes\n", " YES \n"] {
        let env = TestEnv::signed_in();
        let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm"]].concat()));
        session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled");
        session.expect("[y/N]");
        assert_eq!(env.update_requests().len(), 0);
        session.type_keys(yes);
        session.finish().assert_code(0).contains_all(&["outcome:", "changed"]);
        assert_eq!(env.tenant.value(POWER_BI), "Disabled");
        assert_eq!(env.update_requests().len(), 1);
    }
}

#[test]
fn confirmation_other_than_yes_changes_nothing() {
    let env = TestEnv::signed_in();
    for no in ["n\n", "\n", "yesterday\n", "maybe\n", CTRL_D] {
        let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm", "--color", "never"]].concat()));
        session.expect("[y/N]");
        session.type_keys(no);
        let output = session.finish().assert_code(1).contains_none(&["Changed", "policyValue"]);
        // The error is on its own line, even if no key ended the line of the prompt.
        output.contains_all(&["\nCancelled. Nothing was changed.\n"]);
    }
    assert_eq!(env.update_requests().len(), 0);
}

#[test]
fn no_confirmation_if_nothing_to_change() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(POWER_BI, "Disabled");
    env.run_in_terminal(&[DISABLE, &["--confirm"]].concat())
        .assert_code(0)
        .contains_all(&["outcome:", "unchanged"])
        .contains_none(&["[y/N]"]);
    assert_eq!(env.update_requests().len(), 0);
}

#[test]
fn confirmed_update_uses_tenant_of_prompt() {
    let env = TestEnv::signed_in();
    let before = env.tenant.value_in(crate::tenant::CUSTOMER_TENANT, POWER_BI);
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm"]].concat()));
    session.expect("Changes in tenant 11111111-1111-4111-8111-111111111111:");
    session.expect("[y/N]");
    // Meanwhile the same profile signs in to another tenant.
    let connect = ["connect", "--username", ADMIN, "--password-stdin", "--tenant", CUSTOMER_DOMAIN];
    cli_snapshot!(env.run_with_stdin(&connect, PASSWORD), @"
    exit_code: 0
    ----- stderr -----
    warning: profile default was signed in to tenant 11111111-1111-4111-8111-111111111111 before; commands without --tenant now use 22222222-2222-4222-8222-222222222222
    Signed in as admin@contoso.example to tenant 22222222-2222-4222-8222-222222222222.
    ");
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_all(&["outcome:", "changed"]);
    assert_eq!(env.update_requests().len(), 1);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
    assert_eq!(env.tenant.value_in(crate::tenant::CUSTOMER_TENANT, POWER_BI), before);
}

#[test]
fn ctrl_c_at_confirmation_changes_nothing() {
    let env = TestEnv::signed_in();
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm", "--color", "never"]].concat()));
    session.expect("[y/N]");
    session.type_keys(CTRL_C);
    session.finish().assert_code(130).contains_all(&["\nerror: interrupted\n"]);
    assert_eq!(env.update_requests().len(), 0);
}

#[test]
fn prompt_time_does_not_count_against_timeout() {
    let env = TestEnv::signed_in();
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm", "--timeout", "4"]].concat()));
    session.expect("[y/N]");
    // The test is about time, so it must sleep.
    std::thread::sleep(Duration::from_millis(4100));
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_all(&["outcome:", "changed"]);
}

#[cfg(target_os = "linux")]
#[test]
fn password_prompt_without_controlling_terminal_needs_password_stdin() {
    let env = TestEnv::new();
    for (arguments, hint) in [
        (CONNECT, "--password-stdin < password.txt"),
        (&["connect", "--with-token"], "| mscommerce connect --with-token"),
        (
            &["connect", "--application", "--client-id", "x", "--tenant", "a.example", "--client-secret-stdin"],
            "mscommerce connect --application --client-secret-stdin < secret.txt",
        ),
    ] {
        // `setsid` starts the program in a session without a terminal; standard input still is one.
        let session = PtySession::run_in_shell(r#"setsid -w "$@"; echo code=$?"#, &env.command(arguments));
        session.finish().contains_all(&["code=2", "this process has no controlling terminal", hint]);
    }
    assert!(env.request_lines().is_empty());
}
