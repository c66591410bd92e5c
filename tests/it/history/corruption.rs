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
    warning: skipped 4 invalid lines in [TMP]/state/changes.jsonl, starting at line 3
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
    warning: skipped 1 invalid line in [TMP]/state/changes.jsonl, starting at line 1
    ===== undo =====
    exit_code: 1
    ----- stderr -----
    warning: skipped 1 invalid line in [TMP]/state/changes.jsonl, starting at line 1
    error: no line of the history can be parsed, so there is nothing to undo
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
        lines: usize,
    }

    let env = TestEnv::signed_in();
    let line = entry("whole", "Enabled", "Disabled").to_string();
    for Case { name, last_line, valid_entries, lines } in [
        Case { name: "without line break", last_line: line.clone(), valid_entries: 2, lines: 3 },
        Case { name: "truncated", last_line: line[..40].to_owned(), valid_entries: 1, lines: 3 },
    ] {
        fs::write(env.history_path(), last_line).unwrap();
        env.tenant.set_value(POWER_BI, "Enabled");
        env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
        assert_eq!(history(&env, &[]).column("run").len(), valid_entries, "{name}");
        assert_eq!(fs::read_to_string(env.history_path()).unwrap().lines().count(), lines, "{name}");
    }
}

#[test]
fn update_that_cannot_be_recorded_sends_nothing() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.history_path()).unwrap();
    let updates = [
        &["product", "update", POWER_BI, "--value", "disabled"][..],
        &["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"],
    ];
    let mut transcript = Transcript::default();
    for update in updates {
        transcript.push(update.join(" "), env.run(update).assert_code(1));
    }
    cli_snapshot!(transcript, @"
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: the changes cannot be recorded, so nothing was changed: [TMP]/state/changes.jsonl is not used: it is a directory
    hint: remove it (rmdir [TMP]/state/changes.jsonl), or set MSCOMMERCE_HOME to a directory of your own
    hint: add --no-history to make the changes without a record; undo cannot revert them
    ===== products update CFQ7TTC0H9MP CFQ7TTC0HD33 CFQ7TTC0MM8R --value trials --yes =====
    exit_code: 1
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Microsoft 365 Copilot (CFQ7TTC0MM8R), Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: the changes cannot be recorded, so nothing was changed: [TMP]/state/changes.jsonl is not used: it is a directory
    hint: remove it (rmdir [TMP]/state/changes.jsonl), or set MSCOMMERCE_HOME to a directory of your own
    hint: add --no-history to make the changes without a record; undo cannot revert them
    ");
    assert!(env.update_requests().is_empty());
    for update in updates {
        env.run(&[update, &["--no-history"]].concat()).assert_code(0).stderr_lacks("record");
    }
    assert_eq!(env.tenant.value(VISIO), TRIALS);
    // A run without changes has nothing to record.
    env.run(updates[1]).assert_code(0);
}

#[test]
fn no_history_records_nothing() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled", "--no-history"]).assert_code(0);
    assert!(!env.history_path().exists());
}

#[test]
fn history_of_newer_version_is_refused_and_kept() {
    let env = TestEnv::signed_in();
    write_history(&env, &[with(entry("r", "Enabled", "Disabled"), &json!({ "version": 3 }))]);
    let before = fs::read(env.history_path()).unwrap();
    let mut transcript = Transcript::default();
    for arguments in [&["history"][..], &["undo", "--yes"], &["product", "update", POWER_BI, "--value", "disabled"]] {
        transcript.push(arguments.join(" "), env.run(arguments).assert_code(1));
    }
    assert!(env.update_requests().is_empty());
    cli_snapshot!(transcript, @"
    ===== history =====
    ===== undo --yes =====
    exit_code: 1
    ----- stderr -----
    error: [TMP]/state/changes.jsonl is not used: it was written by another version of mscommerce (format 3; this version reads 2)
    hint: update mscommerce, or set MSCOMMERCE_HOME to another directory
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: the changes cannot be recorded, so nothing was changed: [TMP]/state/changes.jsonl is not used: it was written by another version of mscommerce (format 3; this version reads 2)
    hint: update mscommerce, or set MSCOMMERCE_HOME to another directory
    hint: add --no-history to make the changes without a record; undo cannot revert them
    ");
    assert_eq!(fs::read(env.history_path()).unwrap(), before);
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
    error: [TMP]/state/changes.jsonl is not used: it is a directory
    hint: remove it (rmdir [TMP]/state/changes.jsonl), or set MSCOMMERCE_HOME to a directory of your own
    ");
    assert!(env.request_lines().is_empty());
}

#[cfg(unix)]
#[test]
fn update_with_full_disk_sends_nothing() {
    let env = TestEnv::signed_in();
    let update = ["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];
    // A limit on file sizes simulates a full disk: before the first and within the second entry.
    for blocks in [0, 1] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let result = CliResult::from(crate::support::pty::in_shell(&script, &env.command(&update)).output().unwrap());
        assert_eq!((result.code, result.stdout.as_str()), (1, ""), "{result:?}");
        assert!(env.update_requests().is_empty());
        assert_eq!(history(&env, &[]).stdout, "[]\n");
    }
}

#[cfg(unix)]
#[test]
fn full_disk_after_planned_changes_leaves_outcomes_unknown() {
    let env = TestEnv::signed_in();
    let update = ["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];
    // The disk is full after the planned changes: they end at a multiple of 512, the unit of the limit.
    let measured = TestEnv::signed_in();
    measured.run(&update).assert_code(0);
    let lines = fs::read_to_string(measured.history_path()).unwrap();
    let planned: usize = lines.split_inclusive('\n').take(2).map(str::len).sum();
    let (old, blocks) = (entry("old", "Enabled", "Disabled"), planned.div_ceil(512) + 2);
    let missing = blocks * 512 - planned - with(old.clone(), &json!({ "padding": "" })).to_string().len() - 1;
    write_history(&env, &[with(old, &json!({ "padding": "x".repeat(missing) }))]);
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let result = CliResult::from(crate::support::pty::in_shell(&script, &env.command(&update)).output().unwrap());
    assert_eq!(result.code, 0, "{result:?}");
    assert!(result.column("outcome").iter().all(|outcome| outcome == "changed"), "{}", result.stdout);
    // The other one is about trials.
    assert_eq!(result.stderr.matches("warning: ").count(), 2, "{}", result.stderr);
    assert_eq!(history(&env, &["--limit", "2"]).column("outcome"), ["unknown", "unknown"]);
}

#[cfg(unix)]
#[test]
fn history_rejects_named_pipe() {
    let env = TestEnv::signed_in();
    assert!(std::process::Command::new("mkfifo").arg(env.history_path()).status().unwrap().success());
    cli_snapshot!(env.run(&["history"]), @"
    exit_code: 1
    ----- stderr -----
    error: [TMP]/state/changes.jsonl is not used: it is a named pipe
    hint: remove it (rm [TMP]/state/changes.jsonl), or set MSCOMMERCE_HOME to a directory of your own
    ");
}
