//! The plan, the updates, their records and summary, and the history.

use super::*;
use crate::support::fixtures::{FORMATS, LIST_PRODUCTS, POWER_BI, VISIO, VISIO_2, put_product};
use crate::support::snapshot::{Transcript, stderr_only};
use crate::tenant::{ADMIN, READER, Response};

/// An error of the service.
fn error_response(status: u16, code: &str) -> Response {
    Response::json(status, &json!({ "errorCode": code, "reason": "Not this one." }))
}

#[test]
fn dry_run_sends_no_put() {
    let env = TestEnv::signed_in();
    // A dry run needs no confirmation, so --yes is not required without a terminal.
    let result = env.run(&["products", "update", "--all", "--value", "disabled", "--dry-run", "-o", "json"]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Dry run in tenant 11111111-1111-4111-8111-111111111111: 12 planned, 5 unchanged. Nothing was sent.
    ");
    assert_eq!(result.ids_with_outcome("planned"), NOT_DISABLED);
    assert_eq!(result.ids_with_outcome("unchanged").len(), 5);
    let record = result.record("CFQ7TTC0J1FV");
    assert_eq!(record["wantedValue"], "Disabled");
    assert_eq!(record["policyValue"], "OnlyTrialsWithoutPaymentMethod", "the current value");
    assert_eq!(record["previousValue"], "OnlyTrialsWithoutPaymentMethod");
    assert_eq!(record["error"], Value::Null);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    assert!(!env.history_path().exists());
    // --yes does not override --dry-run.
    update(&env, &["--all", "--value", "disabled", "--dry-run"]).assert_code(0);
    env.assert_nothing_changed();
}

#[test]
fn dry_run_formats() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "One, with a comma", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "Another | with a pipe", "Disabled"),
    ]);
    let mut all = String::new();
    for format in FORMATS {
        let result = env.run(&["products", "update", "--all", "--value", "disabled", "--dry-run", "-o", format]);
        all += &format!("$ -o {format}\n{}", result.assert_code(0).stdout);
    }
    insta::assert_snapshot!("dry_run_in_every_format", all);
}

#[test]
fn update_of_one_named_product_prints_one_record() {
    let env = TestEnv::signed_in();
    for (more, outcome) in [(&["--dry-run"][..], "planned"), (&[], "changed"), (&[], "unchanged")] {
        let result = update(&env, &[&[POWER_BI, "--value", "disabled"], more].concat()).assert_code(0);
        assert_eq!(result.json()["outcome"], outcome, "{}", result.stdout);
        assert_eq!(result.ids(), [POWER_BI]);
        // Every other selection prints a list, even of one record.
        let pattern = ["--name", "power bi pro", "--value", "disabled", "--dry-run"];
        assert_eq!(update(&env, &pattern).assert_code(0).json().as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn records_have_all_fields_and_unknown_members() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "Enabled").with("newMember", json!({"a": 1}))]);
    for outcome in ["changed", "unchanged"] {
        let record = update(&env, &["--all", "--value", "disabled"]).assert_code(0).record(POWER_BI);
        assert_eq!(record["outcome"], outcome);
        let names = "policyId scope id name policyValue wantedValue previousValue outcome error newMember";
        assert_eq!(sorted(record.as_object().unwrap().keys()), sorted(names.split(' ')));
        assert_eq!(record["newMember"], json!({"a": 1}));
    }
}

#[test]
fn failed_update_does_not_stop_the_rest() {
    let mut transcript = Transcript::default();
    for status in [400, 404, 409, 501] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next(&put_product(POWER_BI), error_response(status, "Odd"));
        let result = update(&env, &["--all", "--value", "disabled"]);
        transcript.push(status, result.without_stdout());
        let rest: Vec<_> = NOT_DISABLED.into_iter().filter(|id| *id != POWER_BI).collect();
        assert_eq!(result.ids_with_outcome("changed"), rest, "{status}");
        // After a 5xx status, the service may still apply the update.
        let outcome = if status == 501 { "unknown" } else { "failed" };
        assert_eq!(result.ids_with_outcome(outcome), [POWER_BI], "{status}");
        let record = result.record(POWER_BI);
        assert_eq!(record["previousValue"], "Enabled");
        assert_eq!(record["policyValue"], "Enabled", "{status}");
        let error = record["error"].as_str().unwrap();
        for part in
            ["could not change product CFQ7TTC0H9MP", &status.to_string(), "Odd: Not this one.", "correlation ID: "]
        {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(env.history().len(), 11);
        assert!(env.history().iter().all(|entry| entry["id"] != POWER_BI));
    }
    cli_snapshot!(transcript, @"
    ===== 400 =====
    exit_code: 1
    ----- stderr -----
    error: 11 changed, 5 unchanged, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 404 =====
    exit_code: 1
    ----- stderr -----
    error: 11 changed, 5 unchanged, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 404 Not Found; Odd: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 409 =====
    exit_code: 1
    ----- stderr -----
    error: 11 changed, 5 unchanged, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 409 Conflict; Odd: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 501 =====
    exit_code: 1
    ----- stderr -----
    error: 11 changed, 5 unchanged, 1 unknown
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 501 Not Implemented; Odd: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ");
}

#[test]
fn success_summary_is_one_line() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    transcript.push("default", update(&env, &["--all", "--value", "disabled"]).without_stdout());
    transcript.push("quiet", update(&env, &["--all", "--value", "enabled", "-q"]).without_stdout());
    cli_snapshot!(transcript, @"
    ===== default =====
    exit_code: 0
    ----- stderr -----
    12 changed, 5 unchanged in tenant 11111111-1111-4111-8111-111111111111
    ===== quiet =====
    exit_code: 0
    ");
}

#[test]
fn many_failures_are_summarized() {
    let env = TestEnv::signed_in();
    for _ in 0..8 {
        env.tenant.fail_next("PUT ", error_response(400, "Odd"));
    }
    let result = update(&env, &["--all", "--value", "disabled", "--jobs", "1"]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 4 changed, 5 unchanged, 8 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0LH2H: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
      could not change product CFQ7TTC0LH3L: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
      could not change product CFQ7TTC0H9MP: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
      could not change product CFQ7TTC0HDB1: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
      could not change product CFQ7TTC0HDB0: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
      3 more in the error field
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
    assert_eq!(result.ids_with_outcome("failed").len(), 8);
    // The records contain all errors.
    let records = result.json();
    let errors = records.as_array().unwrap().iter().filter_map(|record| record["error"].as_str());
    assert_eq!(errors.filter(|error| error.contains("Odd: Not this one.")).count(), 8);
}

#[test]
fn common_hint_is_printed_once() {
    let env = TestEnv::new();
    env.sign_in(READER);
    let result = update(&env, &["--all", "--value", "disabled"]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 5 unchanged, 12 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0LH2H: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
      could not change product CFQ7TTC0LH3L: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
      could not change product CFQ7TTC0H9MP: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
      could not change product CFQ7TTC0HDB1: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
      could not change product CFQ7TTC0HDB0: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
      7 more in the error field
    hint: use an account with the role Global Administrator or Billing Administrator in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ");
    assert_eq!(result.ids_with_outcome("failed"), NOT_DISABLED);
    assert!(result.json().as_array().unwrap().iter().all(|record| record["policyValue"] == record["previousValue"]));
}

#[test]
fn response_with_other_value_is_a_failure() {
    let env = TestEnv::signed_in();
    env.tenant.misreport_updates(true);
    cli_snapshot!(update(&env, &["--name", "power bi pro", "--value", "disabled"]), @r#"
    exit_code: 1
    ----- stdout -----
    [
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "product",
        "id": "CFQ7TTC0H9MP",
        "name": "Power BI Pro",
        "policyValue": "Enabled",
        "wantedValue": "Disabled",
        "previousValue": "Enabled",
        "outcome": "failed",
        "error": "could not change product CFQ7TTC0H9MP: Power BI Pro (CFQ7TTC0H9MP) should be Disabled, but the service returned Enabled; correlation ID: [UUID]"
      }
    ]
    ----- stderr -----
    error: 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: Power BI Pro (CFQ7TTC0H9MP) should be Disabled, but the service returned Enabled; correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
    assert_eq!(env.history(), Vec::<Value>::new());
}

#[test]
fn product_removed_after_listing_fails() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(VISIO), error_response(404, "NotFound"));
    let result = update(&env, &["--name", "visio", "--value", "enabled"]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    error: 1 changed, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0HD33: the service returned 404 Not Found; NotFound: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
    assert_eq!(result.ids_with_outcome("changed"), [VISIO_2]);
    assert_eq!(result.ids_with_outcome("failed"), [VISIO]);
}

#[test]
fn verbose_prints_one_line_per_update() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(VISIO), error_response(400, "Odd"));
    let mut transcript = Transcript::default();
    let verbose = update(&env, &["--name", "visio", "--value", "enabled", "--jobs", "1", "-v"]);
    transcript.push("verbose", verbose.without_stdout());
    transcript.push("default", update(&env, &["--name", "visio", "--value", "disabled"]).without_stdout());
    cli_snapshot!(transcript, @"
    ===== verbose =====
    exit_code: 1
    ----- stderr -----
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    PUT http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0HD33 -> 400 Bad Request ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    failed: Visio Plan 1 (CFQ7TTC0HD33): could not change product CFQ7TTC0HD33: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
    PUT http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0HD32 -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    changed: Visio Plan 2 (CFQ7TTC0HD32): Disabled → Enabled
    error: 1 changed, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0HD33: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== default =====
    exit_code: 0
    ----- stderr -----
    1 changed, 1 unchanged in tenant 11111111-1111-4111-8111-111111111111
    ");
}

#[test]
fn updates_are_recorded_with_correlation_ids() {
    let env = TestEnv::signed_in();
    update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    let recorded = env.history();
    assert_eq!(sorted(recorded.iter().map(|entry| entry["id"].as_str().unwrap())), sorted(NOT_DISABLED));
    let run = &recorded[0]["run"];
    for request in env.update_requests() {
        let entry = recorded.iter().find(|entry| entry["id"] == request.last_segment()).unwrap();
        assert_eq!(entry["correlationId"], request.header("x-ms-correlation-id").unwrap());
        assert_eq!((&entry["run"], &entry["tenantId"], &entry["account"]), (run, &json!(HOME_TENANT), &json!(ADMIN)));
        assert_eq!((&entry["scope"], &entry["to"]), (&json!("product"), &json!("Disabled")));
    }
    let entry = recorded.iter().find(|entry| entry["id"] == "CFQ7TTC0J1FV").unwrap();
    assert_eq!(
        (&entry["name"], &entry["from"]),
        (&json!("Teams Exploratory"), &json!("OnlyTrialsWithoutPaymentMethod"))
    );
    // A run without updates is not recorded. Each recorded run has its own id.
    update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.history().len(), 12);
    update(&env, &[POWER_BI, "--value", "enabled"]).assert_code(0);
    assert_ne!(&env.history()[12]["run"], run);
}

#[test]
fn update_that_cannot_be_recorded_needs_no_history() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    // A directory cannot be created below a file.
    let file = env.home().join("file");
    std::fs::write(&file, "").unwrap();
    let home = file.join("state");
    let variables = [("MSCOMMERCE_TOKEN", token.as_str()), ("MSCOMMERCE_HOME", home.to_str().unwrap())];
    cli_snapshot!(env.run_with_env(&variables, DISABLE_ALL), @"
    exit_code: 1
    ----- stderr -----
    error: the changes cannot be recorded, so nothing was changed: could not write to [TMP]/file/state/changes.jsonl: [OS ERROR]
    hint: check its permissions and the free disk space, or set MSCOMMERCE_HOME to another directory
    hint: add --no-history to make the changes without a record; undo cannot revert them
    ");
    assert!(env.update_requests().is_empty());
    let result = env.run_with_env(&variables, &[DISABLE_ALL, &["--no-history"]].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    // A run without updates has nothing to record.
    env.run_with_env(&variables, DISABLE_ALL).assert_code(0).stderr_lacks("warning");
}

#[test]
#[cfg(target_os = "linux")]
fn summary_is_printed_if_stdout_is_not_writable() {
    let mut transcript = Transcript::default();
    for failures in [0, 1] {
        let env = TestEnv::signed_in();
        for _ in 0..failures {
            env.tenant.fail_next("PUT ", error_response(400, "Odd"));
        }
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let disable_one_by_one = [DISABLE_ALL, &["--jobs", "1"]].concat();
        let result = CliResult::from(env.command(&disable_one_by_one).stdout(full).output().unwrap());
        assert!(result.stderr.contains("No space left on device"), "{}", result.stderr);
        transcript.push(format_args!("{failures} failures"), result);
        assert_eq!(env.history().len(), 12 - failures);
    }
    cli_snapshot!(transcript, @"
    ===== 0 failures =====
    exit_code: 1
    ----- stderr -----
    12 changed, 5 unchanged in tenant 11111111-1111-4111-8111-111111111111
    error: could not write to standard output: [OS ERROR]
    ===== 1 failures =====
    exit_code: 1
    ----- stderr -----
    error: could not write to standard output: [OS ERROR]
    error: 11 changed, 5 unchanged, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0LH2H: the service returned 400 Bad Request; Odd: Not this one.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
}

#[test]
fn control_characters_in_names_are_escaped() {
    let env = TestEnv::signed_in();
    let unsafe_name = "A\u{1b}]0;owned\u{7}B\u{1b}[2J\nC";
    env.tenant.set_products(vec![Product::new("CFQ7TTC0AAAA", unsafe_name, "Enabled")]);
    let result = env.run(&["products", "update", "--all", "--value", "disabled", "--yes", "-v"]).assert_code(0);
    for text in [&result.stdout, &result.stderr] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
    assert_eq!(env.history()[0]["name"], unsafe_name, "the history keeps the name");
}

#[test]
fn update_to_trials_warns_about_products_without_trial() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for arguments in [
        // Visio Plan 1 has a trial.
        &["product", "update", "CFQ7TTC0HD33", "--value", "trials", "--dry-run"][..],
        &["product", "update", "CFQ7TTC0H9MP", "--value", "trials", "--dry-run"],
        &["products", "update", "--name", "visio", "--value", "trials", "--yes"],
        &["products", "update", "--name", "visio", "--value", "trials", "--yes"],
        &["products", "update", "--all", "--value", "trials", "--dry-run"],
        &["undo", "--yes"],
    ] {
        transcript.push(arguments.join(" "), stderr_only(&env.run(arguments).assert_code(0)));
    }
    cli_snapshot!(transcript, @"
    ===== product update CFQ7TTC0HD33 --value trials --dry-run =====
    exit_code: 0
    ===== product update CFQ7TTC0H9MP --value trials --dry-run =====
    exit_code: 0
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    ===== products update --name visio --value trials --yes =====
    exit_code: 0
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Visio Plan 2 (CFQ7TTC0HD32); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    2 changed in tenant 11111111-1111-4111-8111-111111111111
    ===== products update --name visio --value trials --yes =====
    exit_code: 0
    ----- stderr -----
    Nothing to change in tenant 11111111-1111-4111-8111-111111111111: 2 already up to date.
    ===== products update --all --value trials --dry-run =====
    exit_code: 0
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Clipchamp Premium (CFQ7TTC0N8SS), Microsoft 365 Copilot (CFQ7TTC0MM8R), Microsoft 365 F3 (CFQ7TTC0LH05) and 7 more; OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    Dry run in tenant 11111111-1111-4111-8111-111111111111: 13 planned, 4 unchanged. Nothing was sent.
    ===== undo --yes =====
    exit_code: 0
    ----- stderr -----
    Undoing the run of [TIME].
    2 changed in tenant 11111111-1111-4111-8111-111111111111
    ");
}
