//! What is planned, what is done, what is told of it, and what is recorded.

use super::*;
use crate::tenant::{ADMIN, Answer, READER};

/// A refusal by the service.
fn refusal(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({ "errorCode": code, "reason": "Not this one." }))
}

#[test]
fn a_dry_run_plans_and_changes_nothing() {
    let machine = Machine::signed_in();
    // Without a terminal there is no question to answer, so no --yes is needed.
    let ran = machine.run(&["products", "update", "--all", "--value", "disabled", "--dry-run", "-o", "json"]);
    let ran = ran.expect_code(0);
    assert_eq!(ids_of(&ran, "planned"), NOT_DISABLED);
    assert_eq!(ids_of(&ran, "unchanged").len(), 5);
    let record = record_of(&ran, "CFQ7TTC0J1FV");
    assert_eq!(record["policyValue"], "Disabled", "as planned");
    assert_eq!(record["previousValue"], "OnlyTrialsWithoutPaymentMethod");
    assert_eq!(record["error"], Value::Null);
    ran.expect_said(&[TENANT, "12 planned, 5 unchanged"]);
    assert_eq!(machine.requests(), [LIST_PRODUCTS]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
    assert!(!machine.state().join("changes.jsonl").exists());
    // With --yes it is one all the same.
    update(&machine, &["--all", "--value", "disabled", "--dry-run"]).expect_code(0);
    expect_nothing_changed(&machine);
}

#[test]
fn a_dry_run_can_be_printed_in_every_format() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "One, with a comma", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "Another | with a pipe", "Disabled"),
    ]);
    let mut all = String::new();
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        let ran = machine.run(&["products", "update", "--all", "--value", "disabled", "--dry-run", "-o", format]);
        all += &format!("$ -o {format}\n{}", ran.expect_code(0).stdout);
    }
    insta::assert_snapshot!("dry_run_in_every_format", all);
}

#[test]
fn the_records_are_a_list_even_where_it_is_one() {
    let machine = Machine::signed_in();
    for (more, outcome) in [(&["--dry-run"][..], "planned"), (&[], "changed"), (&[], "unchanged")] {
        let ran = update(&machine, &[&[POWER_BI, "--value", "disabled"], more].concat()).expect_code(0);
        assert_eq!(ran.json().as_array().map(Vec::len), Some(1), "{}", ran.stdout);
        assert_eq!(ids_of(&ran, outcome), [POWER_BI]);
    }
}

#[test]
fn a_change_has_the_fields_of_every_change_and_those_of_the_service() {
    let machine = Machine::signed_in();
    machine
        .tenant
        .set_products(vec![Product::new(POWER_BI, "Power BI Pro", "Enabled").with("newMember", json!({"a": 1}))]);
    for value in ["disabled", "disabled"] {
        let record = record_of(&update(&machine, &["--all", "--value", value]).expect_code(0), POWER_BI);
        let names =
            ["policyId", "scope", "id", "name", "policyValue", "previousValue", "outcome", "error", "newMember"];
        assert_eq!(sorted(record.as_object().unwrap().keys()), sorted(names));
        assert_eq!(record["newMember"], json!({"a": 1}));
    }
}

#[test]
fn one_failed_product_does_not_stop_the_rest() {
    for (status, value_is_known) in [(400, true), (404, true), (409, true), (500, false), (502, false)] {
        let machine = Machine::signed_in();
        machine.tenant.fail_next(
            &format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}"),
            refusal(status, "Odd"),
        );
        let ran = update(&machine, &["--all", "--value", "disabled"]).expect_code(1);
        let rest: Vec<_> = NOT_DISABLED.into_iter().filter(|id| *id != POWER_BI).collect();
        assert_eq!((ids_of(&ran, "changed"), ids_of(&ran, "failed")), (sorted_as(&rest), vec![POWER_BI.to_owned()]));
        let record = record_of(&ran, POWER_BI);
        assert_eq!(record["previousValue"], "Enabled");
        // After a fault of the service nobody knows whether the change was made.
        let expected = if value_is_known { json!("Enabled") } else { Value::Null };
        assert_eq!(record["policyValue"], expected, "{status}");
        let error = record["error"].as_str().unwrap();
        for part in
            ["could not change product CFQ7TTC0H9MP", &status.to_string(), "Odd: Not this one.", "correlation id: "]
        {
            assert!(error.contains(part), "{part}: {error}");
        }
        let ran = ran.expect_said(&[
            "error: 11 changed, 5 unchanged, 1 failed\n",
            "could not change product CFQ7TTC0H9MP: the service answered",
            "Odd: Not this one.",
        ]);
        if !value_is_known {
            ran.expect_said(&["hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"]);
        }
        assert_eq!(record_of_changes(&machine).len(), 11);
        assert!(record_of_changes(&machine).iter().all(|entry| entry["id"] != POWER_BI));
    }
}

fn sorted_as(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn success_is_summed_up_in_one_line() {
    let machine = Machine::signed_in();
    let ran = update(&machine, &["--all", "--value", "disabled"]).expect_code(0);
    assert_eq!(ran.stderr, format!("12 changed, 5 unchanged in the tenant {TENANT}\n"));
    let ran = update(&machine, &["--all", "--value", "enabled", "-q"]).expect_code(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn many_failures_are_told_in_few_words() {
    let machine = Machine::signed_in();
    for _ in 0..8 {
        machine.tenant.fail_next("PUT ", refusal(500, "Odd"));
    }
    let ran = update(&machine, &["--all", "--value", "disabled"]).expect_code(1);
    assert_eq!(ids_of(&ran, "failed").len(), 8);
    let ran = ran.expect_said(&["error: 4 changed, 5 unchanged, 8 failed\n", "3 more"]);
    assert_eq!(ran.stderr.matches("could not change product").count(), 5, "{}", ran.stderr);
    let hints: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.iter().filter(|hint| hint.contains("a fault of its own")).count(), 1, "{hints:?}");
    assert!(hints.len() <= 6, "{hints:?}");
    // The records tell of all.
    let records = ran.json();
    let errors = records.as_array().unwrap().iter().filter_map(|record| record["error"].as_str());
    assert_eq!(errors.filter(|error| error.contains("Odd: Not this one.")).count(), 8);
}

#[test]
fn a_hint_that_fits_every_failure_is_given_once() {
    let machine = Machine::new();
    machine.sign_in(READER);
    let ran = update(&machine, &["--all", "--value", "disabled"]).expect_code(1);
    assert_eq!(ids_of(&ran, "failed"), NOT_DISABLED);
    let ran = ran.expect_said(&["error: 5 unchanged, 12 failed\n", "403 Forbidden", "7 more"]);
    for hint in ["a change needs the role Global Administrator or Billing Administrator", "GDAP", "mscommerce status"] {
        assert_eq!(ran.stderr.matches(hint).count(), 1, "{hint}\n{}", ran.stderr);
    }
    assert!(ran.json().as_array().unwrap().iter().all(|record| record["policyValue"] == record["previousValue"]));
}

#[test]
fn an_answer_that_shows_another_value_is_a_failure_of_that_product() {
    let machine = Machine::signed_in();
    machine.tenant.misreport_updates(true);
    let ran = update(&machine, &["--name", "power bi pro", "--value", "disabled"]).expect_code(1);
    let record = record_of(&ran, POWER_BI);
    assert_eq!((&record["outcome"], &record["policyValue"]), (&json!("failed"), &json!("Enabled")));
    ran.expect_said(&["error: 1 failed\n", "the service shows Enabled", "mscommerce product get CFQ7TTC0H9MP"]);
    assert_eq!(record_of_changes(&machine), Vec::<Value>::new());
}

#[test]
fn a_product_that_has_gone_since_the_listing_fails_alone() {
    let machine = Machine::signed_in();
    machine.tenant.fail_next(
        &format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO_1}"),
        refusal(404, "NotFound"),
    );
    let ran = update(&machine, &["--name", "visio", "--value", "enabled"]).expect_code(1);
    assert_eq!((ids_of(&ran, "changed"), ids_of(&ran, "failed")), (vec![VISIO_2.to_owned()], vec![VISIO_1.to_owned()]));
    ran.expect_said(&["error: 1 changed, 1 failed\n", "404"]);
}

#[test]
fn verbose_tells_each_change_in_a_line() {
    let machine = Machine::signed_in();
    machine
        .tenant
        .fail_next(&format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO_1}"), refusal(400, "Odd"));
    let ran = update(&machine, &["--name", "visio", "--value", "enabled", "-v"]).expect_code(1);
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert!(lines.contains(&"changed: Visio Plan 2 (CFQ7TTC0HD32): Disabled -> Enabled"), "{}", ran.stderr);
    let failed: Vec<_> =
        lines.iter().filter(|line| line.starts_with("failed: Visio Plan 1 (CFQ7TTC0HD33): ")).collect();
    assert_eq!(failed.len(), 1, "{}", ran.stderr);
    assert!(failed[0].contains("Odd: Not this one."), "{}", failed[0]);
    // Without it there is neither a line per change nor a bar.
    let ran = update(&machine, &["--name", "visio", "--value", "disabled"]).expect_code(0);
    assert_eq!(ran.stderr, format!("1 changed, 1 unchanged in the tenant {TENANT}\n"));
}

#[test]
fn every_change_that_was_made_is_recorded_with_the_correlation_id_it_was_sent_with() {
    let machine = Machine::signed_in();
    update(&machine, &["--all", "--value", "disabled"]).expect_code(0);
    let recorded = record_of_changes(&machine);
    assert_eq!(sorted(recorded.iter().map(|entry| entry["id"].as_str().unwrap())), sorted(NOT_DISABLED));
    let run = &recorded[0]["run"];
    for request in machine.tenant.requests().iter().filter(|request| request.method == "PUT") {
        let id = request.path.rsplit('/').next().unwrap();
        let entry = recorded.iter().find(|entry| entry["id"] == id).unwrap();
        assert_eq!(entry["correlationId"], request.header("x-ms-correlation-id").unwrap());
        assert_eq!((&entry["run"], &entry["tenantId"], &entry["account"]), (run, &json!(TENANT), &json!(ADMIN)));
        assert_eq!((&entry["scope"], &entry["to"]), (&json!("product"), &json!("Disabled")));
    }
    let entry = recorded.iter().find(|entry| entry["id"] == "CFQ7TTC0J1FV").unwrap();
    assert_eq!(
        (&entry["name"], &entry["from"]),
        (&json!("Teams Exploratory"), &json!("OnlyTrialsWithoutPaymentMethod"))
    );
    // A run that changes nothing records nothing; another one has another name.
    update(&machine, &["--all", "--value", "disabled"]).expect_code(0);
    assert_eq!(record_of_changes(&machine).len(), 12);
    update(&machine, &[POWER_BI, "--value", "enabled"]).expect_code(0);
    assert_ne!(&record_of_changes(&machine)[12]["run"], run);
}

#[test]
fn a_change_that_cannot_be_recorded_is_made_and_the_person_is_told() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, TENANT, 3600);
    // No directory can be below a file.
    let file = machine.home().join("file");
    std::fs::write(&file, "").unwrap();
    let home = file.join("state");
    let variables = [("MSCOMMERCE_TOKEN", token.as_str()), ("MSCOMMERCE_HOME", home.to_str().unwrap())];
    let ran = machine.run_with(&variables, DISABLE_ALL).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), NOT_DISABLED);
    let ran = ran.expect_said(&[
        "warning: from Power ",
        " on, the changes of this run are not recorded",
        "undo",
        "changes.jsonl",
        "12 changed",
    ]);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Disabled");
    // Where nothing is changed, nothing is missing from the record.
    let ran = machine.run_with(&variables, DISABLE_ALL).expect_code(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_is_told_once_and_stops_no_change() {
    let machine = Machine::signed_in();
    std::os::unix::fs::symlink("/dev/full", machine.state().join("changes.jsonl")).unwrap();
    let ran = machine.run(DISABLE_ALL).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), NOT_DISABLED);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    ran.expect_said(&["No space left on device"]);
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_done_is_summed_up_even_where_the_records_cannot_be_written() {
    for (failures, sum) in [(0, "12 changed, 5 unchanged in the tenant"), (1, "11 changed, 5 unchanged, 1 failed")] {
        let machine = Machine::signed_in();
        for _ in 0..failures {
            machine.tenant.fail_next("PUT ", refusal(400, "Odd"));
        }
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = Ran::from(machine.command(DISABLE_ALL).stdout(full).output().unwrap()).expect_code(1);
        // Otherwise nobody knows that anything was changed at all.
        ran.expect_said(&["error: could not write to standard output", "No space left on device", sum]);
        assert_eq!(record_of_changes(&machine).len(), 12 - failures);
    }
}

#[test]
fn a_name_that_means_harm_reaches_no_terminal() {
    let machine = Machine::signed_in();
    let nasty = "A\u{1b}]0;owned\u{7}B\u{1b}[2J\nC";
    machine.tenant.set_products(vec![Product::new("CFQ7TTC0AAAA", nasty, "Enabled")]);
    let ran = machine.run(&["products", "update", "--all", "--value", "disabled", "--yes", "-v"]).expect_code(0);
    for text in [&ran.stdout, &ran.stderr] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
    assert_eq!(record_of_changes(&machine)[0]["name"], nasty, "the record keeps the text");
}
