//! What a person at a terminal of 80 columns sees of a baseline, and is asked.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, PtyOutput, PtySession};

const BASELINE: &str =
    "[products]\nCFQ7TTC0H9MP = \"trials\"\nCFQ7TTC0HD33 = \"Disabled\"\n[offer-types]\nSaaS = \"Disabled\"\n";

fn with_baseline(text: &str) -> TestEnv {
    let env = TestEnv::signed_in();
    env.write("b.toml", text);
    env
}

fn at_terminal(env: &TestEnv, arguments: &[&str]) -> PtySession {
    let mut command = env.command(&[arguments, &["--color", "never"]].concat());
    command.current_dir(env.home());
    PtySession::run(command)
}

#[track_caller]
fn expect_lines_that_fit(output: &PtyOutput) {
    for line in output.screen.lines() {
        assert!(line.width() <= usize::from(COLUMNS), "{} columns: {line}\n---\n{}", line.width(), output.screen);
    }
}

#[test]
fn what_differs_fits_80_columns() {
    let env = with_baseline(&format!("{BASELINE}Bundle = \"Enabled\"\n"));
    let output = at_terminal(&env, &["baseline", "check", "b.toml", "-o", "table"]).finish().assert_code(3);
    insta::assert_snapshot!("drift_at_80_columns", output.screen);
    let table: Vec<&str> = output.screen.lines().take_while(|line| !line.starts_with("drift: ")).collect();
    expect_lines_that_fit(&PtyOutput { code: 3, screen: table.join("\n") });
    // A single one is a list of fields.
    env.write("b.toml", "[products]\nCFQ7TTC0H9MP = \"trials\"\n");
    let output = at_terminal(&env, &["baseline", "check", "b.toml"]).finish().assert_code(3);
    insta::assert_snapshot!("one_drift_at_80_columns", output.screen);
}

#[test]
fn an_export_at_a_terminal_is_the_file_itself() {
    let env = TestEnv::signed_in();
    let piped = env.run(&["baseline", "export"]).assert_code(0).stdout;
    let output = at_terminal(&env, &["baseline", "export"]).finish().assert_code(0);
    assert_eq!(output.screen, piped);
}

#[test]
fn the_plan_is_shown_and_made_only_after_a_yes() {
    for yes in ["y\n", " YES \n"] {
        let env = with_baseline(BASELINE);
        let mut session = at_terminal(&env, &["baseline", "apply", "b.toml"]);
        session.expect("To be changed in the tenant 11111111-1111-4111-8111-111111111111:");
        session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> OnlyTrialsWithoutPaymentMethod");
        session.expect("Software as a Service (SaaS): Enabled -> Disabled");
        session.expect("2 to change, 1 as wanted already");
        session.expect("[y/N]");
        assert!(env.updates().is_empty());
        session.type_keys(yes);
        session.finish().assert_code(0).contains_all(&["2 changed, 1 unchanged"]);
        assert_eq!(env.updates().len(), 2);
        env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    }
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let env = with_baseline(BASELINE);
    for (keys, code, told) in [
        ("n\n", 1, "\nerror: declined; nothing was changed\n"),
        ("\n", 1, "\nerror: declined; nothing was changed\n"),
        (CTRL_D, 1, "\nerror: declined; nothing was changed\n"),
        (CTRL_C, 130, "\nerror: interrupted\n"),
    ] {
        let mut session = at_terminal(&env, &["baseline", "apply", "b.toml"]);
        session.expect("[y/N]");
        session.type_keys(keys);
        session.finish().assert_code(code).contains_all(&[told]).contains_none(&["changed,", "outcome"]);
    }
    assert!(env.updates().is_empty());
    assert!(!env.state_dir().join("changes.jsonl").exists());
}

#[test]
fn nothing_is_asked_where_nobody_needs_to_answer() {
    let env = with_baseline(BASELINE);
    let apply = ["baseline", "apply", "b.toml"];
    let without_question = |flags: &[&str], code: i32| {
        let output = at_terminal(&env, &[&apply, flags].concat()).finish();
        output.assert_code(code).contains_none(&["[y/N]"])
    };
    without_question(&["--dry-run"], 0).contains_all(&["2 planned"]);
    without_question(&["--yes"], 0).contains_all(&["2 changed"]);
    without_question(&[], 0).contains_all(&["Nothing to change"]);
    env.write("b.toml", format!("{BASELINE}Bundle = \"Enabled\"\n"));
    without_question(&[], 1).contains_all(&["b.toml:6: offer type Bundle"]);
    env.write("b.toml", "rubbish");
    without_question(&[], 1).contains_all(&["b.toml:1: "]);
}
