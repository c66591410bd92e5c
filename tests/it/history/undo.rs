//! `undo`: reverting the last run.

use std::collections::BTreeMap;

use super::*;
use crate::support::fixtures::{
    COPILOT, LIST_OFFER_TYPES, LIST_PRODUCTS, PLANNER, POWER_BI, TRIALS, VISIO, put_product,
};
use crate::support::snapshot::Transcript;
use crate::tenant::{Product, Response, default_offer_types, default_products};

const UNDO: &[&str] = &["undo", "--yes", "-o", "json"];

/// Sets three products to trials. Before, Power BI Pro is enabled, Visio and Copilot are disabled.
const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];

fn env_after_update() -> TestEnv {
    let env = TestEnv::signed_in();
    env.run(UPDATE).assert_code(0);
    env.tenant.forget_requests();
    env
}

/// The outcome of each record, by id.
#[track_caller]
fn outcomes(result: &CliResult) -> BTreeMap<String, String> {
    result.column("id").into_iter().zip(result.column("outcome")).collect()
}

fn owned<const N: usize>(outcomes: [(&str, &str); N]) -> BTreeMap<String, String> {
    outcomes.map(|(id, outcome)| (id.to_owned(), outcome.to_owned())).into()
}

#[track_caller]
fn assert_default_values(env: &TestEnv) {
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(env.tenant.value(&item.id), item.value, "{}", item.id);
    }
}

#[test]
fn undo_reverts_the_last_run() {
    let env = env_after_update();
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    3 changed in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "changed"), (COPILOT, "changed")]));
    assert!(result.column("previousValue").iter().all(|value| value == TRIALS));
    // Only the list that contains the ids is requested.
    let requests = env.request_lines();
    assert_eq!((requests[0].as_str(), requests.len()), (LIST_PRODUCTS, 4));
    assert_default_values(&env);
}

#[test]
fn undo_reverts_no_earlier_run() {
    let env = env_after_update();
    env.run(&["product", "update", PLANNER, "--value", "disabled"]).assert_code(0);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(PLANNER, "changed")]));
    assert_eq!(env.tenant.value(PLANNER), TRIALS);
    assert_eq!(env.tenant.value(POWER_BI), TRIALS);
}

#[test]
fn undo_reverts_offer_types_and_products() {
    let env = TestEnv::signed_in();
    let update = ["products", "update", "--all", "--scope", "all", "--value", "disabled", "--yes"];
    env.run(&update).assert_code(0);
    env.tenant.forget_requests();
    env.run(UNDO).assert_code(0);
    let mut lists: Vec<_> = env.request_lines().into_iter().filter(|line| line.starts_with("GET ")).collect();
    lists.sort();
    assert_eq!(lists, [LIST_OFFER_TYPES, LIST_PRODUCTS]);
    assert_default_values(&env);

    env.run(&["product", "update", "--offer-type", "SaaS", "--value", "disabled"]).assert_code(0);
    env.tenant.forget_requests();
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(result.column("scope"), ["offerType"]);
    let put = "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS";
    assert_eq!(env.request_lines(), [LIST_OFFER_TYPES, put]);
    assert_default_values(&env);
}

#[test]
fn second_undo_reverts_the_first() {
    let env = env_after_update();
    env.run(UNDO).assert_code(0);
    assert_default_values(&env);
    env.run(UNDO).assert_code(0);
    assert!([POWER_BI, VISIO, COPILOT].iter().all(|id| env.tenant.value(id) == TRIALS));
    env.run(UNDO).assert_code(0);
    assert_default_values(&env);
    assert_eq!(env.history().len(), 12);
}

#[test]
fn undo_without_terminal_needs_yes() {
    let env = env_after_update();
    cli_snapshot!(env.run(&["undo"]), @"
    exit_code: 2
    ----- stderr -----
    error: standard input is no terminal to ask on; nothing was changed
    hint: to go ahead without a question, add --yes; to see what would change, --dry-run
    ");
    env.run_with_stdin(&["undo"], "y\n").assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
    assert_eq!(env.history().len(), 3);
}

#[test]
fn undo_dry_run_sends_no_put() {
    let env = env_after_update();
    let result = env.run(&["undo", "--dry-run", "-o", "json"]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    Dry run in the tenant 11111111-1111-4111-8111-111111111111: 3 planned; nothing was sent.
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "planned"), (VISIO, "planned"), (COPILOT, "planned")]));
    assert_eq!(result.column("policyValue").iter().filter(|value| *value == "Disabled").count(), 2);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(env.history().len(), 3);
}

#[test]
fn undo_skips_values_changed_since() {
    let env = env_after_update();
    // Another tool changes the value, so the history does not contain the change.
    env.tenant.set_value(VISIO, "Enabled");
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): it is Enabled now, and no longer OnlyTrialsWithoutPaymentMethod, which that run made it
    2 changed in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    assert_eq!(env.tenant.value(VISIO), "Enabled");
}

#[test]
fn undo_reports_reverted_values_as_unchanged() {
    let env = env_after_update();
    env.tenant.set_value(VISIO, "disabled");
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    2 changed, 1 unchanged in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "unchanged"), (COPILOT, "changed")]));
}

#[test]
fn undo_of_reverted_run_sends_no_put() {
    let env = env_after_update();
    for (id, value) in [(POWER_BI, "Enabled"), (VISIO, "Disabled"), (COPILOT, "Disabled")] {
        env.tenant.set_value(id, value);
    }
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    Nothing to change in the tenant 11111111-1111-4111-8111-111111111111: 3 as wanted already.
    ");
    assert!(outcomes(&result).values().all(|outcome| outcome == "unchanged"));
    assert!(env.update_requests().is_empty());
    assert_eq!(env.history().len(), 3);
}

#[test]
fn undo_skips_removed_product() {
    let env = env_after_update();
    let mut products = default_products();
    products.retain(|product| product.id != VISIO);
    products.iter_mut().filter(|product| [POWER_BI, COPILOT].contains(&product.id.as_str())).for_each(|product| {
        TRIALS.clone_into(&mut product.value);
    });
    env.tenant.set_products(products);
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): the tenant does not have it any more
    2 changed in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
}

#[test]
fn undo_skips_unknown_and_missing_values() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new(POWER_BI, "Power BI Pro", "OnlyOnTuesdays"),
        Product::new(VISIO, "Visio Plan 1", "").with("policyValue", Value::Null),
        Product::new(COPILOT, "Microsoft 365 Copilot", "Enabled"),
    ]);
    env.run(&["products", "update", "--all", "--value", "disabled", "--yes"]).assert_code(1);
    // The simulated service never returns a value for Visio, so the update fails and its entry is added here.
    let mut entries = env.history();
    let run = entries[0]["run"].as_str().unwrap().to_owned();
    let visio = json!({ "id": VISIO, "name": "Visio Plan 1", "from": null });
    entries.push(with(entry(&run, "", "Disabled"), &visio));
    write_history(&env, &entries);
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    warning: left as it is: Power BI Pro (CFQ7TTC0H9MP): it was OnlyOnTuesdays, a value that this version cannot set
    warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): the value before it is not known
    1 changed in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(outcomes(&result), owned([(COPILOT, "changed")]));
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn undo_skips_trials_of_offer_type() {
    let env = TestEnv::signed_in();
    let offer_type = json!({ "scope": "offerType", "id": "SaaS", "name": "Software as a Service" });
    write_history(&env, &[entry("r", "Disabled", "Enabled"), with(entry("r", TRIALS, "Enabled"), &offer_type)]);
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Taking back the run of [TIME].
    warning: left as it is: Software as a Service (SaaS): it was OnlyTrialsWithoutPaymentMethod, which it cannot be set to
    1 changed in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed")]));
    assert_eq!(env.tenant.value("SaaS"), "Enabled");
}

#[test]
fn undo_distinguishes_scopes_of_equal_ids() {
    let env = TestEnv::signed_in();
    env.tenant.set_offer_types(vec![Product::new(POWER_BI, "Of the same id", "Enabled")]);
    env.run(&["product", "update", "--offer-type", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.tenant.forget_requests();
    env.run(UNDO).assert_code(0);
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/{POWER_BI}");
    assert_eq!(env.request_lines(), [LIST_OFFER_TYPES.to_owned(), put]);
}

#[test]
fn undo_fails_if_nothing_can_be_reverted() {
    let env = env_after_update();
    env.tenant.set_value(POWER_BI, "Disabled");
    env.tenant.set_value(VISIO, "Enabled");
    env.tenant.set_value(COPILOT, "Enabled");
    let mut transcript = Transcript::default();
    for flag in ["--yes", "--dry-run"] {
        transcript.push(flag, env.run(&["undo", flag]));
    }
    cli_snapshot!(transcript, @"
    ===== --yes =====
    ===== --dry-run =====
    exit_code: 1
    ----- stderr -----
    Taking back the run of [TIME].
    warning: left as it is: Power BI Pro (CFQ7TTC0H9MP): it is Disabled now, and no longer OnlyTrialsWithoutPaymentMethod, which that run made it
    warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): it is Enabled now, and no longer OnlyTrialsWithoutPaymentMethod, which that run made it
    warning: left as it is: Microsoft 365 Copilot (CFQ7TTC0MM8R): it is Enabled now, and no longer OnlyTrialsWithoutPaymentMethod, which that run made it
    error: nothing of the last run can be taken back; nothing was changed
    hint: mscommerce history --tenant 11111111-1111-4111-8111-111111111111
    ");
    assert!(env.update_requests().is_empty());
    assert_eq!(env.history().len(), 3);
}

#[test]
fn undo_without_history_fails_before_any_request() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for flag in ["--yes", "--dry-run"] {
        transcript.push(flag, env.run(&["undo", flag]));
    }
    cli_snapshot!(transcript, @"
    ===== --yes =====
    ===== --dry-run =====
    exit_code: 1
    ----- stderr -----
    error: nothing has been changed from here yet, so there is nothing to take back
    ");
    assert!(env.request_lines().is_empty());
    assert!(!env.history_path().exists());
}

#[test]
fn undo_after_partial_failure_reverts_applied_updates() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(VISIO), Response::text(400, "text/plain", "Not today."));
    env.run(UPDATE).assert_code(1);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    assert_default_values(&env);
}

#[test]
fn undo_reports_partial_failure() {
    let env = env_after_update();
    env.tenant.fail_next(&put_product(VISIO), Response::text(400, "text/plain", "Not today."));
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 1
    ----- stderr -----
    Taking back the run of [TIME].
    error: 2 changed, 1 failed
      in the tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0HD33: the service answered 400 Bad Request; Not today.; correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "failed"), (COPILOT, "changed")]));
    assert_eq!(env.history().len(), 5);
}

#[test]
fn undo_skips_corrupt_history_lines() {
    let env = env_after_update();
    let text = fs::read_to_string(env.history_path()).unwrap();
    fs::write(env.history_path(), format!("rubbish\n{text}{{\"time\":")).unwrap();
    cli_snapshot!(env.run(UNDO).without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    warning: 2 of the lines in [TMP]/state/changes.jsonl cannot be understood, the first is line 1; left out
    Taking back the run of [TIME].
    3 changed in the tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_default_values(&env);
}

#[test]
fn undo_rejects_ids_and_values() {
    let env = env_after_update();
    env.run(&["undo", "--yes", "--value", "enabled"]).assert_code(2).stdout_is_empty();
    env.run(&["undo", POWER_BI, "--yes"]).assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
}

#[test]
fn undo_completes_partially_failed_undo() {
    let env = env_after_update();
    env.tenant.fail_next(&put_product(VISIO), Response::text(500, "text/plain", "fault"));
    let result = env.run(UNDO).assert_code(1);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "failed"), (COPILOT, "changed")]));
    // The next undo does not revert the values that the first one restored.
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(VISIO, "changed")]));
    assert_default_values(&env);
    // After a complete undo, the next one reverts the last run as usual.
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(VISIO, "changed")]));
    assert_eq!(env.tenant.value(VISIO), TRIALS);
    assert_ne!(env.tenant.value(POWER_BI), TRIALS);
}

#[test]
fn line_breaks_in_names_cannot_forge_messages() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new(POWER_BI, "A\nerror: fake", "Odd\nwarning: fake"),
        Product::new(VISIO, "B\nerror: fake", "Enabled"),
    ]);
    let update = env.run(&["products", "update", "--all", "--value", "disabled", "--yes", "-v"]).assert_code(0);
    env.tenant.set_value(VISIO, "Other\nerror: fake");
    // The old value of one product cannot be set, the other product has been changed since.
    let undo = env.run(UNDO).assert_code(1);
    for result in [update, undo] {
        result.stderr_lacks("\nerror: fake").stderr_lacks("\nwarning: fake");
    }
}
