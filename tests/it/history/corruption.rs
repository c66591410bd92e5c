//! A record that is damaged, or cannot be read or written.

use super::*;
use crate::support::fixtures::{COPILOT, POWER_BI, VISIO};

#[test]
fn lines_that_cannot_be_understood_are_skipped_with_a_warning_that_names_them() {
    let env = TestEnv::new();
    let good = |run: &str| entry(run, "Enabled", "Disabled").to_string();
    let text = [
        good("first").as_bytes(),
        b"",
        b"rubbish",
        b"{\"time\": \"2026-03-01T09:05:07Z\", \"run\": \"half",
        b"\xff\xfe",
        b"[]",
        good("second").as_bytes(),
    ]
    .join(&b'\n');
    write(&env, &[]);
    fs::write(env.history_path(), text).unwrap();
    let result = history(&env, &[]);
    assert_eq!(result.column("run"), ["second", "first"]);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    // The empty line is no loss.
    result.stderr_contains(&["4 of the lines", "changes.jsonl", "line 3"]);
    // Somebody who wants to see less still learns of it.
    history(&env, &["-q"]).stderr_contains(&["warning: ", "line 3"]);
}

#[test]
fn a_record_of_which_nothing_can_be_understood_is_not_taken_for_an_empty_one() {
    let env = TestEnv::signed_in();
    write(&env, &[json!({ "run": "without the rest" })]);
    let result = history(&env, &[]);
    assert_eq!(result.stdout, "[]\n");
    let undone = env.run(&["undo", "--yes"]).assert_code(1).stdout_is_empty();
    for result in [result, undone] {
        let told = result.stderr.to_lowercase();
        assert!(told.contains("warning: 1 of the lines") && told.contains("line 1"), "{told}");
        assert!(!told.contains("nothing has been changed"), "{told}");
    }
}

#[test]
fn members_that_a_later_version_adds_are_no_damage() {
    let env = TestEnv::new();
    write(&env, &[with(entry("r", "Enabled", "Disabled"), &json!({ "addedLater": { "a": 1 } }))]);
    let result = history(&env, &[]);
    assert_eq!((result.column("run"), result.stderr.as_str()), (vec!["r".to_owned()], ""));
}

#[test]
fn a_last_line_that_was_not_finished_does_not_swallow_the_next() {
    let env = TestEnv::signed_in();
    let whole = entry("whole", "Enabled", "Disabled").to_string();
    for (last, runs) in [(whole.clone(), 2), (whole[..40].to_owned(), 1)] {
        fs::write(env.history_path(), last).unwrap();
        env.tenant.set_value(POWER_BI, "Enabled");
        env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
        assert_eq!(history(&env, &[]).column("run").len(), runs);
        assert_eq!(fs::read_to_string(env.history_path()).unwrap().lines().count(), 2);
    }
}

#[test]
fn a_change_is_made_though_it_cannot_be_recorded_and_that_is_said() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.history_path()).unwrap();
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(0);
    assert_eq!(result.json()["outcome"], "changed");
    result.stderr_contains(&["warning: ", "not recorded", "undo", "changes.jsonl"]);
    let update = ["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];
    let result = env.run(&update).assert_code(0);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "once is enough: {}", result.stderr);
    assert_eq!(env.tenant.value(VISIO), "OnlyTrialsWithoutPaymentMethod");
    // What changes nothing has nothing to record.
    let result = env.run(&update).assert_code(0);
    assert!(!result.stderr.contains("warning: "), "{}", result.stderr);
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_that_names_it() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.history_path()).unwrap();
    for arguments in [&["history"][..], &["undo", "--yes"], &["undo", "--dry-run"]] {
        env.run(arguments)
            .assert_code(1)
            .stdout_is_empty()
            .stderr_contains(&["error: could not read", "changes.jsonl"]);
    }
    assert!(env.request_lines().is_empty());
}

#[cfg(unix)]
#[test]
fn a_record_that_cannot_grow_does_not_stop_a_change() {
    let env = TestEnv::signed_in();
    let update = ["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];
    // A limit on the size of files stands for a full disk.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let result =
        CliResult::from(crate::support::pty::in_shell(script, &env.command(&update)).output().unwrap()).assert_code(0);
    assert!(result.json().as_array().unwrap().iter().all(|record| record["outcome"] == "changed"), "{}", result.stdout);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    result.stderr_contains(&["not recorded"]);
    assert_eq!(env.history(), Vec::<Value>::new());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_record_is_refused() {
    let env = TestEnv::signed_in();
    let pipe = env.state_dir().join("changes.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    env.run(&["history"]).assert_code(1).stdout_is_empty().stderr_contains(&["changes.jsonl", "no regular file"]);
}
