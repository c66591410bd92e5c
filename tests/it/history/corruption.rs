//! History files that are corrupt, unreadable or not writable.

use super::*;
use crate::support::fixtures::{COPILOT, POWER_BI, TRIALS, VISIO};
use crate::support::snapshot::Transcript;

#[test]
fn history_skips_corrupt_lines_with_one_warning() {
    let env = TestEnv::new();
    let valid = |run: &str| entry(run, "Enabled", "Disabled").to_string();
    let text = [
        valid("first").as_bytes(),
        b"",
        b"rubbish",
        b"{\"time\": \"2026-03-01T09:05:07Z\", \"run\": \"half",
        b"\xff\xfe",
        b"[]",
        valid("second").as_bytes(),
    ]
    .join(&b'\n');
    write_history(&env, &[]);
    fs::write(env.history_path(), text).unwrap();
    let result = history(&env, &[]);
    assert_eq!(result.column("run"), ["second", "first"]);
    let mut transcript = Transcript::default();
    // The empty line is not corrupt.
    transcript.push("default", result.without_stdout());
    transcript.push("quiet", history(&env, &["-q"]).without_stdout());
    cli_snapshot!(transcript, @"
    ===== default =====
    ===== quiet =====
    exit_code: 0
    ----- stderr -----
    warning: 4 of the lines in [TMP]/state/changes.jsonl cannot be understood, the first is line 3; left out
    ");
}

#[test]
fn history_with_only_corrupt_lines_is_not_empty() {
    let env = TestEnv::signed_in();
    write_history(&env, &[json!({ "run": "without the rest" })]);
    let mut transcript = Transcript::default();
    transcript.push("history", history(&env, &[]));
    transcript.push("undo", env.run(&["undo", "--yes"]));
    cli_snapshot!(transcript, @"
    ===== history =====
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    warning: 1 of the lines in [TMP]/state/changes.jsonl cannot be understood, the first is line 1; left out
    ===== undo =====
    exit_code: 1
    ----- stderr -----
    warning: 1 of the lines in [TMP]/state/changes.jsonl cannot be understood, the first is line 1; left out
    error: nothing of the record of changes can be understood, so nothing can be taken back
    ");
}

#[test]
fn history_accepts_unknown_members() {
    let env = TestEnv::new();
    write_history(&env, &[with(entry("r", "Enabled", "Disabled"), &json!({ "addedLater": { "a": 1 } }))]);
    let result = history(&env, &[]);
    assert_eq!((result.column("run"), result.stderr.as_str()), (vec!["r".to_owned()], ""));
}

#[test]
fn history_append_starts_a_new_line() {
    struct Case {
        name: &'static str,
        last_line: String,
        valid_entries: usize,
    }

    let env = TestEnv::signed_in();
    let line = entry("whole", "Enabled", "Disabled").to_string();
    for Case { name, last_line, valid_entries } in [
        Case { name: "without line break", last_line: line.clone(), valid_entries: 2 },
        Case { name: "truncated", last_line: line[..40].to_owned(), valid_entries: 1 },
    ] {
        fs::write(env.history_path(), last_line).unwrap();
        env.tenant.set_value(POWER_BI, "Enabled");
        env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
        assert_eq!(history(&env, &[]).column("run").len(), valid_entries, "{name}");
        assert_eq!(fs::read_to_string(env.history_path()).unwrap().lines().count(), 2, "{name}");
    }
}

#[test]
fn update_succeeds_with_warning_if_not_recorded() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.history_path()).unwrap();
    cli_snapshot!(env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]), @r#"
    exit_code: 0
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "changed",
      "error": null
    }
    ----- stderr -----
    warning: from Power BI Pro (CFQ7TTC0H9MP) on, the changes of this run are not recorded, and 'undo' will not know them: could not write to the record of changes in [TMP]/state/changes.jsonl: [OS ERROR]
    Changed in the tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled
    "#);
    let update = ["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];
    let result = env.run(&update).assert_code(0);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    assert_eq!(env.tenant.value(VISIO), TRIALS);
    // A run without changes has nothing to record.
    env.run(&update).assert_code(0).stderr_lacks("warning: ");
}

#[test]
fn unreadable_history_is_an_error() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.history_path()).unwrap();
    let mut transcript = Transcript::default();
    for arguments in [&["history"][..], &["undo", "--yes"], &["undo", "--dry-run"]] {
        transcript.push(arguments.join(" "), env.run(arguments));
    }
    cli_snapshot!(transcript, @"
    ===== history =====
    ===== undo --yes =====
    ===== undo --dry-run =====
    exit_code: 1
    ----- stderr -----
    error: could not read the record of changes in [TMP]/state/changes.jsonl: it is no regular file
    ");
    assert!(env.request_lines().is_empty());
}

#[cfg(unix)]
#[test]
fn update_succeeds_with_warning_if_disk_is_full() {
    let env = TestEnv::signed_in();
    let update = ["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];
    // A limit on file sizes simulates a full disk.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let result =
        CliResult::from(crate::support::pty::in_shell(script, &env.command(&update)).output().unwrap()).assert_code(0);
    assert!(result.column("outcome").iter().all(|outcome| outcome == "changed"), "{}", result.stdout);
    // The product in the warning depends on the order of the responses.
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    assert_eq!(result.stderr.matches("not recorded").count(), 1, "{}", result.stderr);
    assert_eq!(env.history(), Vec::<Value>::new());
}

#[cfg(unix)]
#[test]
fn history_rejects_named_pipe() {
    let env = TestEnv::signed_in();
    assert!(std::process::Command::new("mkfifo").arg(env.history_path()).status().unwrap().success());
    cli_snapshot!(env.run(&["history"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not read the record of changes in [TMP]/state/changes.jsonl: it is no regular file
    ");
}
