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
    Undoing the run of [TIME].
    3 changed in tenant 11111111-1111-4111-8111-111111111111
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
fn second_undo_reverts_the_run_before() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", PLANNER, "--value", "disabled"]).assert_code(0);
    env.run(UPDATE).assert_code(0);
    assert_eq!(env.run(UNDO).assert_code(0).column("id").len(), 3);
    assert_eq!(env.tenant.value(PLANNER), "Disabled");
    assert_eq!(env.run(UNDO).assert_code(0).column("id"), [PLANNER]);
    assert_default_values(&env);
    cli_snapshot!(env.run(UNDO), @"
    exit_code: 1
    ----- stderr -----
    error: nothing to undo: every recorded run in this tenant is undone or changed nothing
    hint: mscommerce history --tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(env.history().len(), 8);
}

#[test]
fn undo_of_named_undo_restores_the_run() {
    let env = env_after_update();
    env.run(UNDO).assert_code(0);
    let run = env.history().pop().unwrap()["run"].as_str().unwrap().to_owned();
    env.run(&["undo", &run[..8], "--yes"]).assert_code(0);
    assert!([POWER_BI, VISIO, COPILOT].iter().all(|id| env.tenant.value(id) == TRIALS));
    // The run is in effect again, so that it is the next one to undo.
    env.run(UNDO).assert_code(0);
    assert_default_values(&env);
}

#[test]
fn undo_of_named_run_leaves_later_runs() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", PLANNER, "--value", "disabled"]).assert_code(0);
    let run = env.history()[0]["run"].as_str().unwrap().to_uppercase();
    env.run(UPDATE).assert_code(0);
    assert_eq!(env.run(&["undo", &run, "--yes", "-o", "json"]).assert_code(0).column("id"), [PLANNER]);
    // The later run is still the newest one that is not undone.
    assert_eq!(env.run(UNDO).assert_code(0).column("id").len(), 3);
    assert_default_values(&env);
}

#[test]
fn undo_of_named_run_reverts_what_an_earlier_undo_left() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let run = env.history()[0]["run"].as_str().unwrap().to_owned();
    env.tenant.set_value(POWER_BI, TRIALS);
    env.run(UNDO).assert_code(0);
    env.tenant.set_value(POWER_BI, "Disabled");
    env.run(UNDO).assert_code(1).stdout_is_empty();
    env.run(&["undo", &run, "--yes"]).assert_code(0);
    assert_default_values(&env);
}

#[test]
fn undo_rejects_unknown_and_ambiguous_run() {
    let env = TestEnv::signed_in();
    write_history(&env, &[entry("r-1", "Enabled", "Disabled"), entry("r-2", "Disabled", "Enabled")]);
    let mut transcript = Transcript::default();
    for run in ["x", "r", "", "-"] {
        transcript.push(run, env.run(&["undo", "--yes", run]).assert_code(2));
    }
    cli_snapshot!(transcript, @"
    ===== x =====
    exit_code: 2
    ----- stderr -----
    error: no recorded run has the ID 'x'
    hint: mscommerce history
    ===== r =====
    exit_code: 2
    ----- stderr -----
    error: several recorded runs have IDs that start with 'r'
    hint: use more of the ID: mscommerce history -o json
    =====  =====
    exit_code: 2
    ----- stderr -----
    error: several recorded runs have IDs that start with ''
    hint: use more of the ID: mscommerce history -o json
    ===== - =====
    exit_code: 2
    ----- stderr -----
    error: no recorded run has the ID '-'
    hint: mscommerce history
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn undo_follows_the_tenant_for_unknown_outcomes() {
    let env = TestEnv::signed_in();
    // The process ended before it recorded an outcome. Only the first change was applied.
    let planned = json!({ "outcome": "planned" });
    let visio = json!({ "id": VISIO, "name": "Visio Plan 1" });
    let first = with(entry("r", "Enabled", "Disabled"), &planned);
    write_history(&env, &[first, with(with(entry("r", "Disabled", "Enabled"), &planned), &visio)]);
    env.tenant.set_value(POWER_BI, "Disabled");
    assert_eq!(history(&env, &[]).column("outcome"), ["unknown", "unknown"]);
    assert_eq!(outcomes(&env.run(UNDO).assert_code(0)), owned([(POWER_BI, "changed"), (VISIO, "unchanged")]));
    assert_default_values(&env);
    env.run(UNDO).assert_code(1).stdout_is_empty();
}

#[test]
fn undo_of_many_entries_is_fast() {
    let env = TestEnv::signed_in();
    // Each run sets the value that it found, so that none of them needs a request.
    let run = |number: usize| {
        let undoes = (number % 2 == 1).then(|| format!("r{}", number - 1));
        (0..100).map(move |index| {
            let members = json!({ "id": format!("CFQ7TTC0{index:04}"), "undoes": undoes });
            with(entry(&format!("r{number}"), "Enabled", "Disabled"), &members)
        })
    };
    let entries: Vec<Value> = (0..100).flat_map(run).chain([entry("last", "Disabled", "Enabled")]).collect();
    write_history(&env, &entries);
    let started = std::time::Instant::now();
    env.run(&["undo", "--dry-run"]).assert_code(0);
    // The contract is one second for 10,000 entries; tests run unoptimized, on a busy machine.
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn undo_without_terminal_needs_yes() {
    let env = env_after_update();
    cli_snapshot!(env.run(&["undo"]), @"
    exit_code: 2
    ----- stderr -----
    error: confirmation required, but standard input is not a terminal; nothing was changed
    hint: add --yes to skip the confirmation prompt, or --dry-run to preview the changes
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
    This would undo the run of [TIME].
    Dry run in tenant 11111111-1111-4111-8111-111111111111: 3 planned. Nothing was sent.
    ");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "planned"), (VISIO, "planned"), (COPILOT, "planned")]));
    assert_eq!(result.column("wantedValue").iter().filter(|value| *value == "Disabled").count(), 2);
    assert_eq!(result.column("policyValue"), [TRIALS; 3]);
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
    Undoing the run of [TIME].
    warning: not undone: Visio Plan 1 (CFQ7TTC0HD33): it is now Enabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    2 changed in tenant 11111111-1111-4111-8111-111111111111
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
    Undoing the run of [TIME].
    2 changed, 1 unchanged in tenant 11111111-1111-4111-8111-111111111111
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
    Undoing the run of [TIME].
    Nothing in this run can be undone anymore. The run is now marked as undone. Nothing was changed.
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
    Undoing the run of [TIME].
    warning: not undone: Visio Plan 1 (CFQ7TTC0HD33): the tenant no longer has it
    2 changed in tenant 11111111-1111-4111-8111-111111111111
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
    // The simulated service never returns a value for Visio, so that its update fails.
    env.run(&["products", "update", "--all", "--value", "disabled", "--yes"]).assert_code(1);
    let mut entries = env.history();
    let run = entries[0]["run"].as_str().unwrap().to_owned();
    let visio = json!({ "id": VISIO, "name": "Visio Plan 1", "from": null });
    entries.push(with(entry(&run, "", "Disabled"), &visio));
    write_history(&env, &entries);
    let result = env.run(UNDO);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Undoing the run of [TIME].
    warning: not undone: Power BI Pro (CFQ7TTC0H9MP): its previous value OnlyOnTuesdays is not supported by this version
    warning: not undone: Visio Plan 1 (CFQ7TTC0HD33): its value before the run is unknown
    1 changed in tenant 11111111-1111-4111-8111-111111111111
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
    Undoing the run of [TIME].
    warning: not undone: Software as a Service (SaaS): its previous value OnlyTrialsWithoutPaymentMethod is not supported by offer types
    1 changed in tenant 11111111-1111-4111-8111-111111111111
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
fn undo_of_run_that_cannot_be_reverted_counts_as_undone() {
    let env = env_after_update();
    env.tenant.set_value(POWER_BI, "Disabled");
    env.tenant.set_value(VISIO, "Enabled");
    env.tenant.set_value(COPILOT, "Enabled");
    let mut transcript = Transcript::default();
    for flag in ["--dry-run", "--yes"] {
        transcript.push(flag, env.run(&["undo", flag]).assert_code(0));
    }
    cli_snapshot!(transcript, @"
    ===== --dry-run =====
    exit_code: 0
    ----- stderr -----
    This would undo the run of [TIME].
    warning: would not be undone: Power BI Pro (CFQ7TTC0H9MP): it is now Disabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    warning: would not be undone: Visio Plan 1 (CFQ7TTC0HD33): it is now Enabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    warning: would not be undone: Microsoft 365 Copilot (CFQ7TTC0MM8R): it is now Enabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    Nothing in this run can be undone anymore. Nothing was changed.
    ===== --yes =====
    exit_code: 0
    ----- stderr -----
    Undoing the run of [TIME].
    warning: not undone: Power BI Pro (CFQ7TTC0H9MP): it is now Disabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    warning: not undone: Visio Plan 1 (CFQ7TTC0HD33): it is now Enabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    warning: not undone: Microsoft 365 Copilot (CFQ7TTC0MM8R): it is now Enabled, not OnlyTrialsWithoutPaymentMethod as the run set it
    Nothing in this run can be undone anymore. The run is now marked as undone. Nothing was changed.
    ");
    assert!(env.update_requests().is_empty());
    assert_eq!(env.history().len(), 3);
    // The values can be reverted again, but the run counts as undone.
    for id in [POWER_BI, VISIO, COPILOT] {
        env.tenant.set_value(id, TRIALS);
    }
    env.run(UNDO).assert_code(1).stdout_is_empty();
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
    error: no changes are recorded on this machine, so there is nothing to undo
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
    Undoing the run of [TIME].
    error: 2 changed, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0HD33: the service returned 400 Bad Request; Not today.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
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
    warning: skipped 2 invalid lines in [TMP]/state/changes.jsonl, starting at line 1
    Undoing the run of [TIME].
    3 changed in tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_default_values(&env);
}

#[test]
fn undo_rejects_ids_and_values() {
    let env = env_after_update();
    env.run(&["undo", "--yes", "--value", "enabled"]).assert_code(2).stdout_is_empty();
    env.run(&["undo", "--yes", "a", "b"]).assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
}

#[test]
fn undo_completes_partially_failed_undo() {
    let env = env_after_update();
    env.tenant.fail_next(&put_product(VISIO), Response::text(400, "text/plain", "fault"));
    let result = env.run(UNDO).assert_code(1);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "failed"), (COPILOT, "changed")]));
    // The next undo does not revert the values that the first one restored.
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(VISIO, "changed")]));
    assert_default_values(&env);
    // The run is undone completely now.
    env.run(UNDO).assert_code(1).stdout_is_empty();
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
    let undo = env.run(UNDO).assert_code(0);
    for result in [update, undo] {
        result.stderr_lacks("\nerror: fake").stderr_lacks("\nwarning: fake");
    }
}
