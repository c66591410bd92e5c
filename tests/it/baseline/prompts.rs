//! What a person at a terminal of 80 columns sees of a baseline, and is asked.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, Left, Screen};

const BASELINE: &str =
    "[products]\nCFQ7TTC0H9MP = \"trials\"\nCFQ7TTC0HD33 = \"Disabled\"\n[offer-types]\nSaaS = \"Disabled\"\n";

fn with_baseline(text: &str) -> Machine {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", text);
    machine
}

fn at_terminal(machine: &Machine, arguments: &[&str]) -> Screen {
    let mut command = machine.command(&[arguments, &["--color", "never"]].concat());
    command.current_dir(machine.home());
    Screen::run(command)
}

#[track_caller]
fn expect_lines_that_fit(left: &Left) {
    for line in left.shown.lines() {
        assert!(line.width() <= usize::from(COLUMNS), "{} columns: {line}\n---\n{}", line.width(), left.shown);
    }
}

#[test]
fn what_differs_fits_80_columns() {
    let machine = with_baseline(&format!("{BASELINE}Bundle = \"Enabled\"\n"));
    let left = at_terminal(&machine, &["baseline", "check", "b.toml", "-o", "table"]).finish().expect_code(3);
    insta::assert_snapshot!("drift_at_80_columns", left.shown);
    let table: Vec<&str> = left.shown.lines().take_while(|line| !line.starts_with("drift: ")).collect();
    expect_lines_that_fit(&Left { code: 3, shown: table.join("\n") });
    // A single one is a list of fields.
    write(&machine, "b.toml", "[products]\nCFQ7TTC0H9MP = \"trials\"\n");
    let left = at_terminal(&machine, &["baseline", "check", "b.toml"]).finish().expect_code(3);
    insta::assert_snapshot!("one_drift_at_80_columns", left.shown);
}

#[test]
fn an_export_at_a_terminal_is_the_file_itself() {
    let machine = Machine::signed_in();
    let piped = machine.run(&["baseline", "export"]).expect_code(0).stdout;
    let left = at_terminal(&machine, &["baseline", "export"]).finish().expect_code(0);
    assert_eq!(left.shown, piped);
}

#[test]
fn the_plan_is_shown_and_made_only_after_a_yes() {
    for yes in ["y\n", " YES \n"] {
        let machine = with_baseline(BASELINE);
        let mut screen = at_terminal(&machine, &["baseline", "apply", "b.toml"]);
        screen.expect("To be changed in the tenant 11111111-1111-4111-8111-111111111111:");
        screen.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> OnlyTrialsWithoutPaymentMethod");
        screen.expect("Software as a Service (SaaS): Enabled -> Disabled");
        screen.expect("2 to change, 1 as wanted already");
        screen.expect("[y/N]");
        assert!(changes(&machine).is_empty());
        screen.keys(yes);
        screen.finish().expect_code(0).expect_shown(&["2 changed, 1 unchanged"]);
        assert_eq!(changes(&machine).len(), 2);
        here(&machine, &["baseline", "check", "b.toml"]).expect_code(0);
    }
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let machine = with_baseline(BASELINE);
    for (keys, code, told) in [
        ("n\n", 1, "\nerror: declined; nothing was changed\n"),
        ("\n", 1, "\nerror: declined; nothing was changed\n"),
        (CTRL_D, 1, "\nerror: declined; nothing was changed\n"),
        (CTRL_C, 130, "\nerror: interrupted\n"),
    ] {
        let mut screen = at_terminal(&machine, &["baseline", "apply", "b.toml"]);
        screen.expect("[y/N]");
        screen.keys(keys);
        screen.finish().expect_code(code).expect_shown(&[told]).expect_not_shown(&["changed,", "outcome"]);
    }
    assert!(changes(&machine).is_empty());
    assert!(!machine.state().join("changes.jsonl").exists());
}

#[test]
fn nothing_is_asked_where_nobody_needs_to_answer() {
    let machine = with_baseline(BASELINE);
    let apply = ["baseline", "apply", "b.toml"];
    let without_question = |flags: &[&str], code: i32| {
        let left = at_terminal(&machine, &[&apply, flags].concat()).finish();
        left.expect_code(code).expect_not_shown(&["[y/N]"])
    };
    without_question(&["--dry-run"], 0).expect_shown(&["2 planned"]);
    without_question(&["--yes"], 0).expect_shown(&["2 changed"]);
    without_question(&[], 0).expect_shown(&["Nothing to change"]);
    write(&machine, "b.toml", format!("{BASELINE}Bundle = \"Enabled\"\n"));
    without_question(&[], 1).expect_shown(&["b.toml:6: offer type Bundle"]);
    write(&machine, "b.toml", "rubbish");
    without_question(&[], 1).expect_shown(&["b.toml:1: "]);
}
