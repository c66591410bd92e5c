//! At a terminal: the plan, the question, and how far the work is.

use std::sync::mpsc;

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, Left, Screen, erased, in_shell};

const DISABLE: &[&str] = &["products", "update", "--all", "--value", "disabled", "--color", "never"];
const BAR: &str = "Changing [";

fn screen(machine: &Machine, arguments: &[&str]) -> Screen {
    Screen::run(machine.command(arguments))
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
        let machine = Machine::signed_in();
        let mut screen = screen(&machine, DISABLE);
        screen.expect(&format!("To be changed in the tenant {TENANT}:"));
        screen.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled");
        screen.expect("Teams Exploratory (CFQ7TTC0J1FV): OnlyTrialsWithoutPaymentMethod -> Disabled");
        screen.expect("12 to change, 5 as wanted already. Go ahead? [y/N]");
        assert_eq!(machine.requests(), [LIST_PRODUCTS], "nothing is sent before the answer");
        screen.keys(yes);
        screen.finish().expect_code(0).expect_shown(&["12 changed, 5 unchanged in the tenant"]);
        assert_eq!(ids_changed(&machine), sorted(NOT_DISABLED));
    }
}

#[test]
fn the_plan_names_only_what_would_change() {
    let machine = Machine::signed_in();
    let mut screen = screen(&machine, DISABLE);
    screen.expect("[y/N]");
    screen.keys("n\n");
    let left = screen.finish().expect_code(1).expect_not_shown(&["Visio Plan 1", "Microsoft 365 Copilot"]);
    assert_eq!(left.shown.matches(" -> Disabled").count(), 12, "{}", left.shown);
    expect_fitting_lines(&left.shown);
}

#[test]
fn the_question_says_how_many_changes_it_is_about() {
    let machine = Machine::signed_in();
    for (selection, question) in [
        (&[POWER_BI][..], "Make this change? [y/N]"),
        (&[POWER_BI, "Viva Goals"], "Make these 2 changes? [y/N]"),
        (&[POWER_BI, VISIO_1], "1 to change, 1 as wanted already. Go ahead? [y/N]"),
    ] {
        let mut screen = screen(&machine, &[&["products", "update", "--value", "disabled"], selection].concat());
        screen.expect(question);
        screen.keys("no\n");
        screen.finish().expect_code(1);
    }
    expect_nothing_changed(&machine);
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let machine = Machine::signed_in();
    for no in ["n\n", "\n", "yesterday\n", "12\n", CTRL_D] {
        let mut screen = screen(&machine, DISABLE);
        screen.expect("[y/N]");
        screen.keys(no);
        screen
            .finish()
            .expect_code(1)
            .expect_shown(&["\nerror: declined; nothing was changed\n"])
            .expect_not_shown(&["policyValue", BAR]);
    }
    expect_nothing_changed(&machine);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}

#[test]
fn quiet_leaves_out_neither_the_plan_nor_the_question() {
    let machine = Machine::signed_in();
    let mut screen = screen(&machine, &[DISABLE, &["-q"]].concat());
    screen.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled");
    screen.expect("[y/N]");
    screen.keys("y\n");
    screen.finish().expect_code(0).expect_not_shown(&["12 changed", BAR]);
    assert_eq!(ids_changed(&machine), sorted(NOT_DISABLED));
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let machine = Machine::signed_in();
    let mut screen = screen(&machine, DISABLE);
    screen.expect("[y/N]");
    screen.keys(CTRL_C);
    screen
        .finish()
        .expect_code(130)
        .expect_shown(&["\nerror: interrupted\n"])
        .expect_not_shown(&["may have been made"]);
    expect_nothing_changed(&machine);
}

#[test]
fn where_nothing_is_to_change_nothing_is_asked() {
    let machine = Machine::signed_in();
    machine.run(DISABLE_ALL).expect_code(0);
    machine.tenant.forget_requests();
    let left = screen(&machine, DISABLE).finish().expect_code(0);
    left.expect_shown(&["Nothing to change", "unchanged"]).expect_not_shown(&["[y/N]", BAR]);
    assert_eq!(machine.requests(), [LIST_PRODUCTS]);
}

#[test]
fn a_dry_run_asks_nothing() {
    let machine = Machine::signed_in();
    let left = screen(&machine, &[DISABLE, &["--dry-run"]].concat()).finish().expect_code(0);
    left.expect_shown(&["12 planned, 5 unchanged"]).expect_not_shown(&["[y/N]", BAR]);
    expect_nothing_changed(&machine);
}

#[test]
fn plans_and_results_fit_the_terminal_and_yes_asks_nothing() {
    let machine = Machine::signed_in();
    let left = screen(&machine, &[DISABLE, &["--dry-run", "-q"]].concat()).finish().expect_code(0);
    expect_fitting_lines(&left.shown);
    left.expect_shown(&["Power BI Pro", "planned", "unchanged"]);
    let left = screen(&machine, &[DISABLE, &["--yes", "-q"]].concat()).finish().expect_code(0);
    expect_fitting_lines(&left.shown);
    left.expect_shown(&["Power BI Pro", "changed", "unchanged"]).expect_not_shown(&["[y/N]", BAR]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Disabled");
}

#[test]
fn wrong_usage_and_a_selection_that_fits_nothing_ask_nothing() {
    let machine = Machine::signed_in();
    for (arguments, code) in [
        (&["--all", "--scope", "all", "--value", "trials"][..], 2),
        (&["--name", "no such name", "--value", "disabled"], 1),
        (&["no such name", "--value", "disabled"], 1),
    ] {
        let left = screen(&machine, &[&["products", "update"], arguments].concat()).finish();
        left.expect_code(code).expect_not_shown(&["[y/N]"]);
    }
    expect_nothing_changed(&machine);
}

/// Answers changes when it is told to, one a message.
fn held() -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server =
        service(3, move |connection, request| released.lock().unwrap().recv().is_ok() && make(connection, request));
    (server, release)
}

fn at_held(
    server: &Server,
    machine: &Machine,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> std::process::Command {
    let mut command = machine.command(&[DISABLE, &["--yes"], arguments].concat());
    command.env("MSCOMMERCE_ENDPOINT", server.http()).env("TERM", "xterm").envs(variables.iter().copied());
    command
}

#[test]
fn a_bar_shows_how_far_the_work_is_and_goes_when_it_is_done() {
    let machine = Machine::signed_in();
    let (server, release) = held();
    let mut screen = Screen::run(at_held(&server, &machine, &[], &["--jobs", "1"]));
    screen.expect(BAR);
    screen.expect("0/3");
    for done in ["1/3", "2/3"] {
        release.send(()).unwrap();
        screen.expect(done);
    }
    release.send(()).unwrap();
    let left = screen.finish().expect_code(0);
    let (_, after) = left.shown.rsplit_once(BAR).unwrap();
    let (bar, result) = after.split_once(&erased()).unwrap_or_else(|| panic!("the bar stays: {after:?}"));
    assert!(!bar.contains('\n'), "{after:?}");
    assert!(result.contains("CFQ7TTC10000") && result.contains("3 changed"), "{after:?}");
    assert!(!left.shown.contains("\u{1b}[?25l") || left.shown.contains("\u{1b}[?25h"), "the cursor is back");
}

/// What a terminal shows of three changes that are held until the run has had time to show a bar.
fn shown_beside_changes(variables: &[(&str, &str)], arguments: &[&str], script: &str) -> Left {
    let machine = Machine::signed_in();
    let (server, release) = held();
    let command = in_shell(script, &at_held(&server, &machine, variables, arguments));
    let screen = Screen::run(command);
    server.wait_until(|seen| ids_sent(&seen.requests).len() == 3);
    for _ in 0..3 {
        release.send(()).unwrap();
    }
    screen.finish().expect_code(0)
}

#[test]
fn there_is_no_bar_where_it_is_not_wanted_or_cannot_be() {
    // Where it is wanted, for comparison.
    shown_beside_changes(&[], &[], r#""$@""#).expect_shown(&[BAR]);
    for (variables, arguments, script) in [
        (&[][..], &["-q"][..], r#""$@""#),
        (&[], &["-v"], r#""$@""#),
        (&[("TERM", "dumb")], &[], r#""$@""#),
        // Standard error is no terminal, and standard output still is.
        (&[], &[], r#""$@" 2>"$HOME/errors"; code=$?; cat "$HOME/errors"; exit $code"#),
    ] {
        let left = shown_beside_changes(variables, arguments, script).expect_not_shown(&[BAR, "\u{1b}"]);
        left.expect_shown(&["Product 1", "changed"]);
    }
}

#[test]
fn a_bar_is_shown_where_only_the_output_goes_elsewhere() {
    let left = shown_beside_changes(&[], &["-o", "json"], r#""$@" >"$HOME/out""#);
    left.expect_shown(&[BAR, "3 changed"]).expect_not_shown(&["policyValue"]);
}

#[test]
fn verbose_lines_are_written_in_the_place_of_a_bar() {
    shown_beside_changes(&[], &["-v"], r#""$@""#)
        .expect_shown(&["changed: Product 0 (CFQ7TTC10000): Enabled -> Disabled\n", "3 changed"]);
}

#[test]
fn a_warning_while_the_bar_is_shown_has_a_line_of_its_own() {
    let machine = Machine::signed_in();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let server = service(3, move |connection, request| {
        if is_first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return released.lock().unwrap().recv().is_ok() && refuse(connection, 429, "Retry-After: 2", "Busy");
        }
        make(connection, request)
    });
    let mut screen = Screen::run(at_held(&server, &machine, &[], &["--jobs", "1"]));
    screen.expect(BAR);
    release.send(()).unwrap();
    screen.expect("The service asks for less haste; going on in 2 s …\r\n");
    let left = screen.finish().expect_code(0);
    // The bar was taken away before the line, and is there again while the service is waited for.
    let (before, after) = left.shown.split_once("The service asks").unwrap();
    assert!(before.ends_with(&erased()), "{before:?}");
    assert!(after.contains(BAR), "{after:?}");
}
