//! `products update` at a terminal: the plan, the confirmation prompt and the progress bar.

use std::sync::mpsc;

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::support::fixtures::{LIST_PRODUCTS, POWER_BI, VISIO};
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, ERASE_LINE, PtyOutput, PtySession, in_shell};
use crate::support::snapshot::Transcript;

const DISABLE: &[&str] = &["products", "update", "--all", "--value", "disabled", "--color", "never"];

fn session(env: &TestEnv, arguments: &[&str]) -> PtySession {
    PtySession::run(env.command(arguments))
}

#[track_caller]
fn assert_fits_80_columns(text: &str) {
    for line in text.lines() {
        assert!(line.width() <= usize::from(COLUMNS), "{} columns: {line}", line.width());
    }
}

#[test]
fn prompt_yes_applies_the_plan() {
    for answer in ["y\n", "YES\n"] {
        let env = TestEnv::signed_in();
        let mut session = session(&env, DISABLE);
        session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled");
        session.expect("Teams Exploratory (CFQ7TTC0J1FV): Trials only → Disabled");
        session.expect("[y/N]");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS], "updates need the answer");
        session.type_keys(answer);
        session.finish().assert_code(0).contains_all(&["12 changed, 5 unchanged in tenant"]);
        assert_eq!(env.updated_ids(), sorted(NOT_DISABLED));
    }
}

#[test]
fn plan_lists_only_pending_updates() {
    let env = TestEnv::signed_in();
    let mut session = session(&env, DISABLE);
    session.expect("[y/N]");
    session.type_keys("n\n");
    let output = cli_snapshot!(session.finish(), @"
    exit_code: 1
    ----- screen -----
    Changes in tenant 11111111-1111-4111-8111-111111111111:
      Clipchamp Premium (CFQ7TTC0N8SS): Enabled → Disabled
      Microsoft 365 F3 (CFQ7TTC0LH05): Enabled → Disabled
      Microsoft Purview Discovery (CFQ7TTC0N8SL): Enabled → Disabled
      Planner Plan 1 (CFQ7TTC0HDB1): Trials only → Disabled
      Power Apps per user (CFQ7TTC0LH2H): Enabled → Disabled
      Power Automate per user (CFQ7TTC0LH3L): Enabled → Disabled
      Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
      Project Plan 3 (CFQ7TTC0HDB0): Enabled → Disabled
      Python in Excel (CFQ7TTC0S3X1): Enabled → Disabled
      Teams Exploratory (CFQ7TTC0J1FV): Trials only → Disabled
      Teams Premium Introductory Pricing (CFQ7TTC0RM8K): Enabled → Disabled
      Viva Goals (CFQ7TTC0PW0V): Enabled → Disabled
    12 will change, 5 already up to date. Continue? [y/N] n
    Cancelled. Nothing was changed.
    ");
    assert_fits_80_columns(&output.screen);
}

#[test]
fn prompt_states_number_of_updates() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for selection in
        [&["--name", "power bi pro"][..], &[POWER_BI, "--confirm"], &[POWER_BI, "Viva Goals"], &[POWER_BI, VISIO]]
    {
        let arguments = [&["products", "update", "--value", "disabled", "--color", "never"], selection].concat();
        let mut session = session(&env, &arguments);
        session.expect("[y/N]");
        session.type_keys("no\n");
        transcript.push(selection.join(", "), session.finish());
    }
    cli_snapshot!(transcript, @"
    ===== --name, power bi pro =====
    ===== CFQ7TTC0H9MP, --confirm =====
    exit_code: 1
    ----- screen -----
    Changes in tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    1 will change. Continue? [y/N] no
    Cancelled. Nothing was changed.
    ===== CFQ7TTC0H9MP, Viva Goals =====
    exit_code: 1
    ----- screen -----
    Changes in tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
      Viva Goals (CFQ7TTC0PW0V): Enabled → Disabled
    2 will change. Continue? [y/N] no
    Cancelled. Nothing was changed.
    ===== CFQ7TTC0H9MP, CFQ7TTC0HD33 =====
    exit_code: 1
    ----- screen -----
    Changes in tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    1 will change, 1 already up to date. Continue? [y/N] no
    Cancelled. Nothing was changed.
    ");
    env.assert_nothing_changed();
}

#[test]
fn prompt_other_answers_change_nothing() {
    let env = TestEnv::signed_in();
    for keys in ["n\n", "\n", "yesterday\n", "12\n", CTRL_D] {
        let mut session = session(&env, DISABLE);
        session.expect("[y/N]");
        session.type_keys(keys);
        session
            .finish()
            .assert_code(1)
            .contains_all(&["\nCancelled. Nothing was changed.\n"])
            .contains_none(&["policyValue", BAR]);
    }
    env.assert_nothing_changed();
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn quiet_keeps_plan_and_prompt() {
    let env = TestEnv::signed_in();
    let mut session = session(&env, &[DISABLE, &["-q"]].concat());
    session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled");
    session.expect("[y/N]");
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_none(&["12 changed", BAR]);
    assert_eq!(env.updated_ids(), sorted(NOT_DISABLED));
}

#[test]
fn ctrl_c_at_prompt_changes_nothing() {
    let env = TestEnv::signed_in();
    let mut session = session(&env, DISABLE);
    session.expect("[y/N]");
    session.type_keys(CTRL_C);
    session.finish().assert_code(130).contains_all(&["\nerror: interrupted\n"]).contains_none(&["may have been made"]);
    env.assert_nothing_changed();
}

#[test]
fn no_prompt_without_pending_updates() {
    let env = TestEnv::signed_in();
    env.run(DISABLE_ALL).assert_code(0);
    env.tenant.forget_requests();
    let output = session(&env, DISABLE).finish().assert_code(0);
    output.contains_all(&["Nothing to change", "unchanged"]).contains_none(&["[y/N]", BAR]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn dry_run_has_no_prompt() {
    let env = TestEnv::signed_in();
    let output = session(&env, &[DISABLE, &["--dry-run"]].concat()).finish().assert_code(0);
    output.contains_all(&["12 planned, 5 unchanged"]).contains_none(&["[y/N]", BAR]);
    env.assert_nothing_changed();
}

#[test]
fn results_fit_80_columns() {
    let env = TestEnv::signed_in();
    let output = session(&env, &[DISABLE, &["--dry-run", "-q"]].concat()).finish().assert_code(0);
    assert_fits_80_columns(&output.screen);
    output.contains_all(&["Power BI Pro", "planned", "unchanged"]);
    let output = session(&env, &[DISABLE, &["--yes", "-q"]].concat()).finish().assert_code(0);
    assert_fits_80_columns(&output.screen);
    output.contains_all(&["Power BI Pro", "changed", "unchanged"]).contains_none(&["[y/N]", BAR]);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn invalid_selection_has_no_prompt() {
    let env = TestEnv::signed_in();
    for (arguments, code) in [
        (&["--all", "--scope", "all", "--value", "trials"][..], 2),
        (&["--name", "no such name", "--value", "disabled"], 1),
        (&["no such name", "--value", "disabled"], 1),
    ] {
        let output = session(&env, &[&["products", "update"], arguments].concat()).finish();
        output.assert_code(code).contains_none(&["[y/N]"]);
    }
    env.assert_nothing_changed();
}

/// A service with three products that responds to one update for each message to the sender.
fn start_paused_service() -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server = start_service(3, move |connection, request| {
        released.lock().unwrap().recv().is_ok() && respond_updated(connection, request)
    });
    (server, release)
}

fn paused_command(
    server: &Server,
    env: &TestEnv,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> std::process::Command {
    let mut command = env.command(&[DISABLE, &["--yes"], arguments].concat());
    command.env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm").envs(variables.iter().copied());
    command
}

#[test]
fn progress_bar_counts_updates_and_disappears() {
    let env = TestEnv::signed_in();
    let (server, release) = start_paused_service();
    let mut session = PtySession::run(paused_command(&server, &env, &[], &["--jobs", "1"]));
    session.expect(BAR);
    session.expect("0/3");
    for done in ["1/3", "2/3"] {
        release.send(()).unwrap();
        session.expect(done);
    }
    release.send(()).unwrap();
    let output = session.finish().assert_code(0);
    let (_, after) = output.screen.rsplit_once(BAR).unwrap();
    let (bar, result) = after.split_once(ERASE_LINE).unwrap_or_else(|| panic!("the bar is not erased: {after:?}"));
    assert!(!bar.contains('\n'), "{after:?}");
    assert!(result.contains("Product 0 ") && result.contains("3 changed"), "{after:?}");
    assert!(
        !output.screen.contains("\u{1b}[?25l") || output.screen.contains("\u{1b}[?25h"),
        "the cursor is visible again"
    );
}

/// The terminal output of three updates that are all in flight for a while, so that a progress bar can appear.
fn terminal_output(variables: &[(&str, &str)], arguments: &[&str], script: &str) -> PtyOutput {
    let env = TestEnv::signed_in();
    let (server, release) = start_paused_service();
    let command = in_shell(script, &paused_command(&server, &env, variables, arguments));
    let session = PtySession::run(command);
    server.wait_until(|recorded| put_ids(&recorded.requests).len() == 3);
    for _ in 0..3 {
        release.send(()).unwrap();
    }
    session.finish().assert_code(0)
}

#[test]
fn progress_bar_is_hidden_if_unwanted_or_impossible() {
    // For comparison: with a progress bar.
    terminal_output(&[], &[], r#""$@""#).contains_all(&[BAR]);
    for (variables, arguments, script) in [
        (&[][..], &["-q"][..], r#""$@""#),
        (&[], &["-v"], r#""$@""#),
        (&[("TERM", "dumb")], &[], r#""$@""#),
        // Only standard output is a terminal.
        (&[], &[], r#""$@" 2>"$HOME/errors"; code=$?; cat "$HOME/errors"; exit $code"#),
    ] {
        let output = terminal_output(variables, arguments, script).contains_none(&[BAR, "\u{1b}"]);
        output.contains_all(&["Product 1", "changed"]);
    }
}

#[test]
fn progress_bar_is_shown_if_stdout_is_redirected() {
    let output = terminal_output(&[], &["-o", "json"], r#""$@" >"$HOME/out""#);
    output.contains_all(&[BAR, "3 changed"]).contains_none(&["policyValue"]);
}

#[test]
fn verbose_output_replaces_progress_bar() {
    terminal_output(&[], &["-v"], r#""$@""#)
        .contains_all(&["changed: Product 0 (CFQ7TTC10000): Enabled → Disabled\n", "3 changed"]);
}

#[test]
fn rate_limit_message_interrupts_progress_bar() {
    let message = "Rate limited. Retrying in 2 s…";
    let env = TestEnv::signed_in();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let server = start_service(3, move |connection, request| {
        if is_first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return released.lock().unwrap().recv().is_ok() && respond_error(connection, 429, "Retry-After: 2", "Busy");
        }
        respond_updated(connection, request)
    });
    let mut session = PtySession::run(paused_command(&server, &env, &[], &["--jobs", "1"]));
    session.expect(BAR);
    release.send(()).unwrap();
    session.expect(&format!("{message}\r\n"));
    let output = session.finish().assert_code(0);
    // The bar is erased before the message and drawn again during the wait.
    let (before, after) = output.screen.split_once(message).unwrap();
    assert!(before.ends_with(ERASE_LINE), "{before:?}");
    assert!(after.contains(BAR), "{after:?}");
}

#[test]
fn question_that_nobody_sees_is_not_asked() {
    let env = TestEnv::signed_in();
    let script = r#""$@" 2>"$HOME/errors"; code=$?; cat "$HOME/errors"; exit $code"#;
    let command = env.command(&["product", "update", "--all", "--value", "disabled"]);
    let output = PtySession::run_in_shell(script, &command).finish().assert_code(2);
    output.contains_all(&["error: confirmation required, but standard error is not a terminal; nothing was changed\n"]);
    assert!(env.request_lines().is_empty());
}
