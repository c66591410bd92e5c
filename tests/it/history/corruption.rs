//! A record that is damaged, or cannot be read or written.

use super::*;

#[test]
fn lines_that_cannot_be_understood_are_skipped_with_a_warning_that_names_them() {
    let machine = Machine::new();
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
    write(&machine, &[]);
    fs::write(file(&machine), text).unwrap();
    let ran = history(&machine, &[]);
    assert_eq!(column(&ran, "run"), ["second", "first"]);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    // The empty line is no loss.
    ran.expect_said(&["4 of the lines", "changes.jsonl", "line 3"]);
    // Somebody who wants to see less still learns of it.
    history(&machine, &["-q"]).expect_said(&["warning: ", "line 3"]);
}

#[test]
fn a_record_of_which_nothing_can_be_understood_is_not_taken_for_an_empty_one() {
    let machine = Machine::signed_in();
    write(&machine, &[json!({ "run": "without the rest" })]);
    let ran = history(&machine, &[]);
    assert_eq!(ran.stdout, "[]\n");
    let undone = machine.run(&["undo", "--yes"]).expect_code(1).expect_no_data();
    for ran in [ran, undone] {
        let told = ran.stderr.to_lowercase();
        assert!(told.contains("warning: 1 of the lines") && told.contains("line 1"), "{told}");
        assert!(!told.contains("nothing has been changed"), "{told}");
    }
}

#[test]
fn members_that_a_later_version_adds_are_no_damage() {
    let machine = Machine::new();
    write(&machine, &[with(entry("r", "Enabled", "Disabled"), &json!({ "addedLater": { "a": 1 } }))]);
    let ran = history(&machine, &[]);
    assert_eq!((column(&ran, "run"), ran.stderr.as_str()), (vec!["r".to_owned()], ""));
}

#[test]
fn a_last_line_that_was_not_finished_does_not_swallow_the_next() {
    let machine = Machine::signed_in();
    let whole = entry("whole", "Enabled", "Disabled").to_string();
    for (last, runs) in [(whole.clone(), 2), (whole[..40].to_owned(), 1)] {
        fs::write(file(&machine), last).unwrap();
        machine.tenant.set_value(POWER_BI, "Enabled");
        machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
        assert_eq!(column(&history(&machine, &[]), "run").len(), runs);
        assert_eq!(fs::read_to_string(file(&machine)).unwrap().lines().count(), 2);
    }
}

#[test]
fn a_change_is_made_though_it_cannot_be_recorded_and_that_is_said() {
    let machine = Machine::signed_in();
    fs::create_dir(file(&machine)).unwrap();
    let ran = machine.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).expect_code(0);
    assert_eq!(ran.json()["outcome"], "changed");
    ran.expect_said(&["warning: ", "not recorded", "undo", "changes.jsonl"]);
    let update = ["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];
    let ran = machine.run(&update).expect_code(0);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "once is enough: {}", ran.stderr);
    assert_eq!(machine.tenant.value_of(VISIO), "OnlyTrialsWithoutPaymentMethod");
    // What changes nothing has nothing to record.
    let ran = machine.run(&update).expect_code(0);
    assert!(!ran.stderr.contains("warning: "), "{}", ran.stderr);
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_that_names_it() {
    let machine = Machine::signed_in();
    fs::create_dir(file(&machine)).unwrap();
    for arguments in [&["history"][..], &["undo", "--yes"], &["undo", "--dry-run"]] {
        machine.run(arguments).expect_code(1).expect_no_data().expect_said(&["error: could not read", "changes.jsonl"]);
    }
    assert!(machine.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn a_record_that_cannot_grow_does_not_stop_a_change() {
    let machine = Machine::signed_in();
    let update = ["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];
    // A limit on the size of files stands for a full disk.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let ran = Ran::from(crate::support::pty::in_shell(script, &machine.command(&update)).output().unwrap()).expect_code(0);
    assert!(ran.json().as_array().unwrap().iter().all(|record| record["outcome"] == "changed"), "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    ran.expect_said(&["not recorded"]);
    assert_eq!(record(&machine), Vec::<Value>::new());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_record_is_refused() {
    let machine = Machine::signed_in();
    let pipe = machine.state().join("changes.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    machine.run(&["history"]).expect_code(1).expect_no_data().expect_said(&["changes.jsonl", "no regular file"]);
}
