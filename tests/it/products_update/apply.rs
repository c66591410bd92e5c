//! What is planned, what is done, what is told of it, and what is recorded.

use super::*;
use crate::support::fixtures::{LIST_PRODUCTS, POWER_BI, VISIO, VISIO_2};
use crate::tenant::{ADMIN, READER, Response};

/// A refusal by the service.
fn refusal(status: u16, code: &str) -> Response {
    Response::json(status, &json!({ "errorCode": code, "reason": "Not this one." }))
}

#[test]
fn a_dry_run_plans_and_changes_nothing() {
    let env = TestEnv::signed_in();
    // Without a terminal there is no question to answer, so no --yes is needed.
    let result = env.run(&["products", "update", "--all", "--value", "disabled", "--dry-run", "-o", "json"]);
    let result = result.assert_code(0);
    assert_eq!(result.ids_with_outcome("planned"), NOT_DISABLED);
    assert_eq!(result.ids_with_outcome("unchanged").len(), 5);
    let record = result.record("CFQ7TTC0J1FV");
    assert_eq!(record["policyValue"], "Disabled", "as planned");
    assert_eq!(record["previousValue"], "OnlyTrialsWithoutPaymentMethod");
    assert_eq!(record["error"], Value::Null);
    result.stderr_contains(&[HOME_TENANT, "12 planned, 5 unchanged"]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    assert!(!env.state_dir().join("changes.jsonl").exists());
    // With --yes it is one all the same.
    update(&env, &["--all", "--value", "disabled", "--dry-run"]).assert_code(0);
    env.assert_nothing_changed();
}

#[test]
fn a_dry_run_can_be_printed_in_every_format() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "One, with a comma", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "Another | with a pipe", "Disabled"),
    ]);
    let mut all = String::new();
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        let result = env.run(&["products", "update", "--all", "--value", "disabled", "--dry-run", "-o", format]);
        all += &format!("$ -o {format}\n{}", result.assert_code(0).stdout);
    }
    insta::assert_snapshot!("dry_run_in_every_format", all);
}

#[test]
fn the_records_are_a_list_even_where_it_is_one() {
    let env = TestEnv::signed_in();
    for (more, outcome) in [(&["--dry-run"][..], "planned"), (&[], "changed"), (&[], "unchanged")] {
        let result = update(&env, &[&[POWER_BI, "--value", "disabled"], more].concat()).assert_code(0);
        assert_eq!(result.json().as_array().map(Vec::len), Some(1), "{}", result.stdout);
        assert_eq!(result.ids_with_outcome(outcome), [POWER_BI]);
    }
}

#[test]
fn a_change_has_the_fields_of_every_change_and_those_of_the_service() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "Enabled").with("newMember", json!({"a": 1}))]);
    for value in ["disabled", "disabled"] {
        let record = update(&env, &["--all", "--value", value]).assert_code(0).record(POWER_BI);
        let names =
            ["policyId", "scope", "id", "name", "policyValue", "previousValue", "outcome", "error", "newMember"];
        assert_eq!(sorted(record.as_object().unwrap().keys()), sorted(names));
        assert_eq!(record["newMember"], json!({"a": 1}));
    }
}

#[test]
fn one_failed_product_does_not_stop_the_rest() {
    for (status, value_is_known) in [(400, true), (404, true), (409, true), (500, false), (502, false)] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next(
            &format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}"),
            refusal(status, "Odd"),
        );
        let result = update(&env, &["--all", "--value", "disabled"]).assert_code(1);
        let rest: Vec<_> = NOT_DISABLED.into_iter().filter(|id| *id != POWER_BI).collect();
        assert_eq!(
            (result.ids_with_outcome("changed"), result.ids_with_outcome("failed")),
            (sorted_as(&rest), vec![POWER_BI.to_owned()])
        );
        let record = result.record(POWER_BI);
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
        let result = result.stderr_contains(&[
            "error: 11 changed, 5 unchanged, 1 failed\n",
            "could not change product CFQ7TTC0H9MP: the service answered",
            "Odd: Not this one.",
        ]);
        if !value_is_known {
            result.stderr_contains(&["hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"]);
        }
        assert_eq!(env.history().len(), 11);
        assert!(env.history().iter().all(|entry| entry["id"] != POWER_BI));
    }
}

fn sorted_as(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn success_is_summed_up_in_one_line() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.stderr, format!("12 changed, 5 unchanged in the tenant {HOME_TENANT}\n"));
    let result = update(&env, &["--all", "--value", "enabled", "-q"]).assert_code(0);
    assert_eq!(result.stderr, "");
}

#[test]
fn many_failures_are_told_in_few_words() {
    let env = TestEnv::signed_in();
    for _ in 0..8 {
        env.tenant.fail_next("PUT ", refusal(500, "Odd"));
    }
    let result = update(&env, &["--all", "--value", "disabled"]).assert_code(1);
    assert_eq!(result.ids_with_outcome("failed").len(), 8);
    let result = result.stderr_contains(&["error: 4 changed, 5 unchanged, 8 failed\n", "3 more"]);
    assert_eq!(result.stderr.matches("could not change product").count(), 5, "{}", result.stderr);
    let hints: Vec<_> = result.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.iter().filter(|hint| hint.contains("a fault of its own")).count(), 1, "{hints:?}");
    assert!(hints.len() <= 6, "{hints:?}");
    // The records tell of all.
    let records = result.json();
    let errors = records.as_array().unwrap().iter().filter_map(|record| record["error"].as_str());
    assert_eq!(errors.filter(|error| error.contains("Odd: Not this one.")).count(), 8);
}

#[test]
fn a_hint_that_fits_every_failure_is_given_once() {
    let env = TestEnv::new();
    env.sign_in(READER);
    let result = update(&env, &["--all", "--value", "disabled"]).assert_code(1);
    assert_eq!(result.ids_with_outcome("failed"), NOT_DISABLED);
    let result = result.stderr_contains(&["error: 5 unchanged, 12 failed\n", "403 Forbidden", "7 more"]);
    for hint in ["a change needs the role Global Administrator or Billing Administrator", "GDAP", "mscommerce status"] {
        assert_eq!(result.stderr.matches(hint).count(), 1, "{hint}\n{}", result.stderr);
    }
    assert!(result.json().as_array().unwrap().iter().all(|record| record["policyValue"] == record["previousValue"]));
}

#[test]
fn an_answer_that_shows_another_value_is_a_failure_of_that_product() {
    let env = TestEnv::signed_in();
    env.tenant.misreport_updates(true);
    let result = update(&env, &["--name", "power bi pro", "--value", "disabled"]).assert_code(1);
    let record = result.record(POWER_BI);
    assert_eq!((&record["outcome"], &record["policyValue"]), (&json!("failed"), &json!("Enabled")));
    result.stderr_contains(&["error: 1 failed\n", "the service shows Enabled", "mscommerce product get CFQ7TTC0H9MP"]);
    assert_eq!(env.history(), Vec::<Value>::new());
}

#[test]
fn a_product_that_has_gone_since_the_listing_fails_alone() {
    let env = TestEnv::signed_in();
    env.tenant
        .fail_next(&format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}"), refusal(404, "NotFound"));
    let result = update(&env, &["--name", "visio", "--value", "enabled"]).assert_code(1);
    assert_eq!(
        (result.ids_with_outcome("changed"), result.ids_with_outcome("failed")),
        (vec![VISIO_2.to_owned()], vec![VISIO.to_owned()])
    );
    result.stderr_contains(&["error: 1 changed, 1 failed\n", "404"]);
}

#[test]
fn verbose_tells_each_change_in_a_line() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}"), refusal(400, "Odd"));
    let result = update(&env, &["--name", "visio", "--value", "enabled", "-v"]).assert_code(1);
    let lines: Vec<_> = result.stderr.lines().collect();
    assert!(lines.contains(&"changed: Visio Plan 2 (CFQ7TTC0HD32): Disabled -> Enabled"), "{}", result.stderr);
    let failed: Vec<_> =
        lines.iter().filter(|line| line.starts_with("failed: Visio Plan 1 (CFQ7TTC0HD33): ")).collect();
    assert_eq!(failed.len(), 1, "{}", result.stderr);
    assert!(failed[0].contains("Odd: Not this one."), "{}", failed[0]);
    // Without it there is neither a line per change nor a bar.
    let result = update(&env, &["--name", "visio", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.stderr, format!("1 changed, 1 unchanged in the tenant {HOME_TENANT}\n"));
}

#[test]
fn every_change_that_was_made_is_recorded_with_the_correlation_id_it_was_sent_with() {
    let env = TestEnv::signed_in();
    update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    let recorded = env.history();
    assert_eq!(sorted(recorded.iter().map(|entry| entry["id"].as_str().unwrap())), sorted(NOT_DISABLED));
    let run = &recorded[0]["run"];
    for request in env.tenant.requests().iter().filter(|request| request.method == "PUT") {
        let id = request.path.rsplit('/').next().unwrap();
        let entry = recorded.iter().find(|entry| entry["id"] == id).unwrap();
        assert_eq!(entry["correlationId"], request.header("x-ms-correlation-id").unwrap());
        assert_eq!((&entry["run"], &entry["tenantId"], &entry["account"]), (run, &json!(HOME_TENANT), &json!(ADMIN)));
        assert_eq!((&entry["scope"], &entry["to"]), (&json!("product"), &json!("Disabled")));
    }
    let entry = recorded.iter().find(|entry| entry["id"] == "CFQ7TTC0J1FV").unwrap();
    assert_eq!(
        (&entry["name"], &entry["from"]),
        (&json!("Teams Exploratory"), &json!("OnlyTrialsWithoutPaymentMethod"))
    );
    // A run that changes nothing records nothing; another one has another name.
    update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.history().len(), 12);
    update(&env, &[POWER_BI, "--value", "enabled"]).assert_code(0);
    assert_ne!(&env.history()[12]["run"], run);
}

#[test]
fn a_change_that_cannot_be_recorded_is_made_and_the_person_is_told() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    // No directory can be below a file.
    let file = env.home().join("file");
    std::fs::write(&file, "").unwrap();
    let home = file.join("state");
    let variables = [("MSCOMMERCE_TOKEN", token.as_str()), ("MSCOMMERCE_HOME", home.to_str().unwrap())];
    let result = env.run_with_env(&variables, DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    let result = result.stderr_contains(&[
        "warning: from Power ",
        " on, the changes of this run are not recorded",
        "undo",
        "changes.jsonl",
        "12 changed",
    ]);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
    // Where nothing is changed, nothing is missing from the record.
    let result = env.run_with_env(&variables, DISABLE_ALL).assert_code(0);
    assert!(!result.stderr.contains("warning"), "{}", result.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_is_told_once_and_stops_no_change() {
    let env = TestEnv::signed_in();
    std::os::unix::fs::symlink("/dev/full", env.state_dir().join("changes.jsonl")).unwrap();
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    result.stderr_contains(&["No space left on device"]);
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_done_is_summed_up_even_where_the_records_cannot_be_written() {
    for (failures, sum) in [(0, "12 changed, 5 unchanged in the tenant"), (1, "11 changed, 5 unchanged, 1 failed")] {
        let env = TestEnv::signed_in();
        for _ in 0..failures {
            env.tenant.fail_next("PUT ", refusal(400, "Odd"));
        }
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let result = CliResult::from(env.command(DISABLE_ALL).stdout(full).output().unwrap()).assert_code(1);
        // Otherwise nobody knows that anything was changed at all.
        result.stderr_contains(&["error: could not write to standard output", "No space left on device", sum]);
        assert_eq!(env.history().len(), 12 - failures);
    }
}

#[test]
fn a_name_that_means_harm_reaches_no_terminal() {
    let env = TestEnv::signed_in();
    let nasty = "A\u{1b}]0;owned\u{7}B\u{1b}[2J\nC";
    env.tenant.set_products(vec![Product::new("CFQ7TTC0AAAA", nasty, "Enabled")]);
    let result = env.run(&["products", "update", "--all", "--value", "disabled", "--yes", "-v"]).assert_code(0);
    for text in [&result.stdout, &result.stderr] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
    assert_eq!(env.history()[0]["name"], nasty, "the record keeps the text");
}
