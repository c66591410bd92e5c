//! At a terminal: the plan, the question, and how far the work is.

use std::sync::mpsc;

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::support::fixtures::{LIST_PRODUCTS, POWER_BI, VISIO};
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, PtyOutput, PtySession, erased_line, in_shell};

const DISABLE: &[&str] = &["products", "update", "--all", "--value", "disabled", "--color", "never"];
const BAR: &str = "Changing [";

fn session(env: &TestEnv, arguments: &[&str]) -> PtySession {
    PtySession::run(env.command(arguments))
}

#[track_caller]
fn expect_fitting_lines(text: &str) {
    for line in text.lines() {
        assert!(line.width() <= usize::from(COLUMNS), "{} columns: {line}", line.width());
    }
}

#[test]
fn the_plan_is_shown_and_carried_out_after_a_yes() {
    for yes in ["y\n", "YES\n"] {
        let env = TestEnv::signed_in();
        let mut session = session(&env, DISABLE);
        session.expect(&format!("To be changed in the tenant {HOME_TENANT}:"));
        session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled");
        session.expect("Teams Exploratory (CFQ7TTC0J1FV): OnlyTrialsWithoutPaymentMethod -> Disabled");
        session.expect("12 to change, 5 as wanted already. Go ahead? [y/N]");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS], "nothing is sent before the answer");
        session.type_keys(yes);
        session.finish().assert_code(0).contains_all(&["12 changed, 5 unchanged in the tenant"]);
        assert_eq!(env.updated_ids(), sorted(NOT_DISABLED));
    }
}

#[test]
fn the_plan_names_only_what_would_change() {
    let env = TestEnv::signed_in();
    let mut session = session(&env, DISABLE);
    session.expect("[y/N]");
    session.type_keys("n\n");
    let output = session.finish().assert_code(1).contains_none(&["Visio Plan 1", "Microsoft 365 Copilot"]);
    assert_eq!(output.screen.matches(" -> Disabled").count(), 12, "{}", output.screen);
    expect_fitting_lines(&output.screen);
}

#[test]
fn the_question_says_how_many_changes_it_is_about() {
    let env = TestEnv::signed_in();
    for (selection, question) in [
        (&[POWER_BI][..], "Make this change? [y/N]"),
        (&[POWER_BI, "Viva Goals"], "Make these 2 changes? [y/N]"),
        (&[POWER_BI, VISIO], "1 to change, 1 as wanted already. Go ahead? [y/N]"),
    ] {
        let mut session = session(&env, &[&["products", "update", "--value", "disabled"], selection].concat());
        session.expect(question);
        session.type_keys("no\n");
        session.finish().assert_code(1);
    }
    env.assert_nothing_changed();
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let env = TestEnv::signed_in();
    for no in ["n\n", "\n", "yesterday\n", "12\n", CTRL_D] {
        let mut session = session(&env, DISABLE);
        session.expect("[y/N]");
        session.type_keys(no);
        session
            .finish()
            .assert_code(1)
            .contains_all(&["\nerror: declined; nothing was changed\n"])
            .contains_none(&["policyValue", BAR]);
    }
    env.assert_nothing_changed();
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn quiet_leaves_out_neither_the_plan_nor_the_question() {
    let env = TestEnv::signed_in();
    let mut session = session(&env, &[DISABLE, &["-q"]].concat());
    session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled");
    session.expect("[y/N]");
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_none(&["12 changed", BAR]);
    assert_eq!(env.updated_ids(), sorted(NOT_DISABLED));
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let env = TestEnv::signed_in();
    let mut session = session(&env, DISABLE);
    session.expect("[y/N]");
    session.type_keys(CTRL_C);
    session.finish().assert_code(130).contains_all(&["\nerror: interrupted\n"]).contains_none(&["may have been made"]);
    env.assert_nothing_changed();
}

#[test]
fn where_nothing_is_to_change_nothing_is_asked() {
    let env = TestEnv::signed_in();
    env.run(DISABLE_ALL).assert_code(0);
    env.tenant.forget_requests();
    let output = session(&env, DISABLE).finish().assert_code(0);
    output.contains_all(&["Nothing to change", "unchanged"]).contains_none(&["[y/N]", BAR]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn a_dry_run_asks_nothing() {
    let env = TestEnv::signed_in();
    let output = session(&env, &[DISABLE, &["--dry-run"]].concat()).finish().assert_code(0);
    output.contains_all(&["12 planned, 5 unchanged"]).contains_none(&["[y/N]", BAR]);
    env.assert_nothing_changed();
}

#[test]
fn plans_and_results_fit_the_terminal_and_yes_asks_nothing() {
    let env = TestEnv::signed_in();
    let output = session(&env, &[DISABLE, &["--dry-run", "-q"]].concat()).finish().assert_code(0);
    expect_fitting_lines(&output.screen);
    output.contains_all(&["Power BI Pro", "planned", "unchanged"]);
    let output = session(&env, &[DISABLE, &["--yes", "-q"]].concat()).finish().assert_code(0);
    expect_fitting_lines(&output.screen);
    output.contains_all(&["Power BI Pro", "changed", "unchanged"]).contains_none(&["[y/N]", BAR]);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn wrong_usage_and_a_selection_that_fits_nothing_ask_nothing() {
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

/// Answers changes when it is told to, one a message.
fn held() -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server =
        service(3, move |connection, request| released.lock().unwrap().recv().is_ok() && make(connection, request));
    (server, release)
}

fn at_held(server: &Server, env: &TestEnv, variables: &[(&str, &str)], arguments: &[&str]) -> std::process::Command {
    let mut command = env.command(&[DISABLE, &["--yes"], arguments].concat());
    command.env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm").envs(variables.iter().copied());
    command
}

#[test]
fn a_bar_shows_how_far_the_work_is_and_goes_when_it_is_done() {
    let env = TestEnv::signed_in();
    let (server, release) = held();
    let mut session = PtySession::run(at_held(&server, &env, &[], &["--jobs", "1"]));
    session.expect(BAR);
    session.expect("0/3");
    for done in ["1/3", "2/3"] {
        release.send(()).unwrap();
        session.expect(done);
    }
    release.send(()).unwrap();
    let output = session.finish().assert_code(0);
    let (_, after) = output.screen.rsplit_once(BAR).unwrap();
    let (bar, result) = after.split_once(&erased_line()).unwrap_or_else(|| panic!("the bar stays: {after:?}"));
    assert!(!bar.contains('\n'), "{after:?}");
    assert!(result.contains("CFQ7TTC10000") && result.contains("3 changed"), "{after:?}");
    assert!(!output.screen.contains("\u{1b}[?25l") || output.screen.contains("\u{1b}[?25h"), "the cursor is back");
}

/// What a terminal shows of three changes that are held until the run has had time to show a bar.
fn shown_beside_changes(variables: &[(&str, &str)], arguments: &[&str], script: &str) -> PtyOutput {
    let env = TestEnv::signed_in();
    let (server, release) = held();
    let command = in_shell(script, &at_held(&server, &env, variables, arguments));
    let session = PtySession::run(command);
    server.wait_until(|recorded| ids_sent(&recorded.requests).len() == 3);
    for _ in 0..3 {
        release.send(()).unwrap();
    }
    session.finish().assert_code(0)
}

#[test]
fn there_is_no_bar_where_it_is_not_wanted_or_cannot_be() {
    // Where it is wanted, for comparison.
    shown_beside_changes(&[], &[], r#""$@""#).contains_all(&[BAR]);
    for (variables, arguments, script) in [
        (&[][..], &["-q"][..], r#""$@""#),
        (&[], &["-v"], r#""$@""#),
        (&[("TERM", "dumb")], &[], r#""$@""#),
        // Standard error is no terminal, and standard output still is.
        (&[], &[], r#""$@" 2>"$HOME/errors"; code=$?; cat "$HOME/errors"; exit $code"#),
    ] {
        let output = shown_beside_changes(variables, arguments, script).contains_none(&[BAR, "\u{1b}"]);
        output.contains_all(&["Product 1", "changed"]);
    }
}

#[test]
fn a_bar_is_shown_where_only_the_output_goes_elsewhere() {
    let output = shown_beside_changes(&[], &["-o", "json"], r#""$@" >"$HOME/out""#);
    output.contains_all(&[BAR, "3 changed"]).contains_none(&["policyValue"]);
}

#[test]
fn verbose_lines_are_written_in_the_place_of_a_bar() {
    shown_beside_changes(&[], &["-v"], r#""$@""#)
        .contains_all(&["changed: Product 0 (CFQ7TTC10000): Enabled -> Disabled\n", "3 changed"]);
}

#[test]
fn a_warning_while_the_bar_is_shown_has_a_line_of_its_own() {
    let env = TestEnv::signed_in();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let server = service(3, move |connection, request| {
        if is_first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return released.lock().unwrap().recv().is_ok() && refuse(connection, 429, "Retry-After: 2", "Busy");
        }
        make(connection, request)
    });
    let mut session = PtySession::run(at_held(&server, &env, &[], &["--jobs", "1"]));
    session.expect(BAR);
    release.send(()).unwrap();
    session.expect("The service asks for less haste; going on in 2 s …\r\n");
    let output = session.finish().assert_code(0);
    // The bar was taken away before the line, and is there again while the service is waited for.
    let (before, after) = output.screen.split_once("The service asks").unwrap();
    assert!(before.ends_with(&erased_line()), "{before:?}");
    assert!(after.contains(BAR), "{after:?}");
}
