//! Baselines at a terminal of 80 columns: tables, the plan and the confirmation prompt.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, PtySession};
use crate::support::snapshot::Transcript;

const BASELINE: &str =
    "[products]\nCFQ7TTC0H9MP = \"trials\"\nCFQ7TTC0HD33 = \"Disabled\"\n[offer-types]\nSaaS = \"Disabled\"\n";

const APPLY: &[&str] = &["baseline", "apply", "b.toml"];

fn run_in_terminal(env: &TestEnv, arguments: &[&str]) -> PtySession {
    let mut command = env.command(&[arguments, &["--color", "never"]].concat());
    command.current_dir(env.home());
    PtySession::run(command)
}

#[test]
fn drift_table_fits_80_columns() {
    let env = env_with_baseline(&format!("{BASELINE}Bundle = \"Enabled\"\n"));
    let output = run_in_terminal(&env, &["baseline", "check", "b.toml", "-o", "table"]).finish().assert_code(3);
    insta::assert_snapshot!("drift_at_80_columns", output.screen);
    for line in output.screen.lines().take_while(|line| !line.starts_with("drift: ")) {
        assert!(line.width() <= usize::from(COLUMNS), "{} columns: {line}\n---\n{}", line.width(), output.screen);
    }
    // A single record is printed as a list of fields.
    env.write("b.toml", "[products]\nCFQ7TTC0H9MP = \"trials\"\n");
    let output = run_in_terminal(&env, &["baseline", "check", "b.toml"]).finish().assert_code(3);
    insta::assert_snapshot!("one_drift_at_80_columns", output.screen);
}

#[test]
fn export_in_terminal_prints_the_file() {
    let env = TestEnv::signed_in();
    let piped = env.run(&["baseline", "export"]).assert_code(0).stdout;
    let output = run_in_terminal(&env, &["baseline", "export"]).finish().assert_code(0);
    assert_eq!(output.screen, piped);
}

#[test]
fn apply_prompt_yes_updates() {
    for answer in ["y\n", " YES \n"] {
        let env = env_with_baseline(BASELINE);
        let mut session = run_in_terminal(&env, APPLY);
        session.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled → Trials only");
        session.expect("Software as a Service (SaaS): Enabled → Disabled");
        session.expect("[y/N]");
        assert!(env.updates().is_empty());
        session.type_keys(answer);
        session.finish().assert_code(0).contains_all(&["2 changed, 1 unchanged"]);
        assert_eq!(env.updates().len(), 2);
        env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    }
}

#[test]
fn apply_prompt_no_changes_nothing() {
    let env = env_with_baseline(BASELINE);
    let mut session = run_in_terminal(&env, APPLY);
    session.expect("[y/N]");
    session.type_keys("n\n");
    cli_snapshot!(session.finish(), @"
    exit_code: 1
    ----- screen -----
    warning: Microsoft does not list a trial without a payment method for Power BI
        Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as
        Disabled
    Changes in tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Enabled → Trials only
      Software as a Service (SaaS): Enabled → Disabled
    2 will change, 1 already up to date. Continue? [y/N] n
    Cancelled. Nothing was changed.
    ");
    assert!(env.updates().is_empty());
    assert!(!env.history_path().exists());
}

#[test]
fn apply_prompt_other_answers_change_nothing() {
    struct Case {
        name: &'static str,
        keys: &'static str,
        exit_code: i32,
        error: &'static str,
    }

    let env = env_with_baseline(BASELINE);
    let declined = "\nCancelled. Nothing was changed.\n";
    for Case { name, keys, exit_code, error } in [
        Case { name: "n", keys: "n\n", exit_code: 1, error: declined },
        Case { name: "empty", keys: "\n", exit_code: 1, error: declined },
        Case { name: "Ctrl-D", keys: CTRL_D, exit_code: 1, error: declined },
        Case { name: "Ctrl-C", keys: CTRL_C, exit_code: 130, error: "\nerror: interrupted\n" },
    ] {
        let mut session = run_in_terminal(&env, APPLY);
        session.expect("[y/N]");
        session.type_keys(keys);
        let output = session.finish();
        assert_eq!(output.code, exit_code, "{name}\n{}", output.screen);
        output.contains_all(&[error]).contains_none(&["changed,", "outcome"]);
    }
    assert!(env.updates().is_empty());
    assert!(!env.history_path().exists());
}

#[test]
fn apply_without_need_for_confirmation_has_no_prompt() {
    let env = env_with_baseline(BASELINE);
    let run = |flags: &[&str]| run_in_terminal(&env, &[APPLY, flags].concat()).finish();
    run(&["--dry-run"]).assert_code(0).contains_all(&["2 planned"]).contains_none(&["[y/N]"]);
    run(&["--yes"]).assert_code(0).contains_all(&["2 changed"]).contains_none(&["[y/N]"]);
    let mut transcript = Transcript::default();
    let unchanged = run(&[]).assert_code(0).contains_none(&["[y/N]"]);
    assert!(unchanged.screen.contains("unchanged"), "{}", unchanged.screen);
    env.write("b.toml", format!("{BASELINE}Bundle = \"Enabled\"\n"));
    transcript.push("unknown id", run(&[]));
    env.write("b.toml", "rubbish");
    transcript.push("invalid file", run(&[]));
    cli_snapshot!(transcript, @"
    ===== unknown id =====
    exit_code: 1
    ----- screen -----
    error: the file contains an ID that the tenant does not have; nothing was
        changed
      b.toml:6: offer type Bundle
    hint: correct the file, or add --ignore-unknown to skip unknown IDs
    hint: mscommerce product list --scope all
    ===== invalid file =====
    exit_code: 2
    ----- screen -----
    error: b.toml:1: key with no value, expected `=`: rubbish
    ");
}
