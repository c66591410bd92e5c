//! `undo`: taking back the last run.

use std::collections::BTreeMap;

use super::*;
use crate::support::fixtures::{COPILOT, LIST_OFFER_TYPES, LIST_PRODUCTS, PLANNER, POWER_BI, TRIALS, VISIO};
use crate::tenant::{Product, Response, default_offer_types, default_products};

const UNDO: &[&str] = &["undo", "--yes", "-o", "json"];

/// Power BI Pro was enabled, Visio and Copilot disabled; now all three offer trials.
const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];

fn after_an_update() -> TestEnv {
    let env = TestEnv::signed_in();
    env.run(UPDATE).assert_code(0);
    env.tenant.forget_requests();
    env
}

#[track_caller]
fn outcomes(result: &CliResult) -> BTreeMap<String, String> {
    result.column("id").into_iter().zip(result.column("outcome")).collect()
}

fn owned<const N: usize>(outcomes: [(&str, &str); N]) -> BTreeMap<String, String> {
    outcomes.map(|(id, outcome)| (id.to_owned(), outcome.to_owned())).into()
}

#[track_caller]
fn expect_as_in_the_beginning(env: &TestEnv) {
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(env.tenant.value(&item.id), item.value, "{}", item.id);
    }
}

#[test]
fn the_last_run_is_taken_back() {
    let env = after_an_update();
    let result = env.run(UNDO).assert_code(0);
    let told = result.stderr.strip_prefix("Taking back the run of 20").unwrap();
    assert!(told.ends_with("Z.\n3 changed in the tenant 11111111-1111-4111-8111-111111111111\n"), "{told}");
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "changed"), (COPILOT, "changed")]));
    assert!(result.column("previousValue").iter().all(|value| value == TRIALS));
    // One listing, and only the one that has products in it.
    let requests = env.request_lines();
    assert_eq!((requests[0].as_str(), requests.len()), (LIST_PRODUCTS, 4));
    expect_as_in_the_beginning(&env);
}

#[test]
fn only_the_last_run_is() {
    let env = after_an_update();
    env.run(&["product", "update", PLANNER, "--value", "disabled"]).assert_code(0);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(PLANNER, "changed")]));
    assert_eq!(env.tenant.value(PLANNER), TRIALS);
    assert_eq!(env.tenant.value(POWER_BI), TRIALS);
}

#[test]
fn offer_types_are_taken_back_with_the_products() {
    let env = TestEnv::signed_in();
    let update = ["products", "update", "--all", "--scope", "all", "--value", "disabled", "--yes"];
    env.run(&update).assert_code(0);
    env.tenant.forget_requests();
    env.run(UNDO).assert_code(0);
    let mut listings: Vec<_> = env.request_lines().into_iter().filter(|line| line.starts_with("GET ")).collect();
    listings.sort();
    assert_eq!(listings, [LIST_OFFER_TYPES, LIST_PRODUCTS]);
    expect_as_in_the_beginning(&env);

    env.run(&["product", "update", "--offer-type", "SaaS", "--value", "disabled"]).assert_code(0);
    env.tenant.forget_requests();
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(result.column("scope"), ["offerType"]);
    let put = "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS";
    assert_eq!(env.request_lines(), [LIST_OFFER_TYPES, put]);
    expect_as_in_the_beginning(&env);
}

#[test]
fn a_second_undo_takes_back_the_first() {
    let env = after_an_update();
    env.run(UNDO).assert_code(0);
    expect_as_in_the_beginning(&env);
    env.run(UNDO).assert_code(0);
    assert!([POWER_BI, VISIO, COPILOT].iter().all(|id| env.tenant.value(id) == TRIALS));
    env.run(UNDO).assert_code(0);
    expect_as_in_the_beginning(&env);
    assert_eq!(env.history().len(), 12);
}

#[test]
fn without_a_terminal_it_needs_to_be_told_not_to_ask() {
    let env = after_an_update();
    env.run(&["undo"]).assert_code(2).stdout_is_empty().stderr_contains(&["no terminal", "--yes", "--dry-run"]);
    env.run_with_stdin(&["undo"], "y\n").assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
    assert_eq!(env.history().len(), 3);
}

#[test]
fn a_dry_run_plans_and_sends_nothing() {
    let env = after_an_update();
    let result = env.run(&["undo", "--dry-run", "-o", "json"]).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "planned"), (VISIO, "planned"), (COPILOT, "planned")]));
    assert_eq!(result.column("policyValue").iter().filter(|value| *value == "Disabled").count(), 2);
    result.stderr_contains(&["3 planned", "nothing was sent"]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(env.history().len(), 3);
}

#[test]
fn what_was_changed_again_since_is_left_and_named() {
    let env = after_an_update();
    // By another tool, so that the record does not know.
    env.tenant.set_value(VISIO, "Enabled");
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    result.stderr_contains(&["warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): it is Enabled now", TRIALS]);
    assert_eq!(env.tenant.value(VISIO), "Enabled");
}

#[test]
fn what_is_back_already_is_unchanged() {
    let env = after_an_update();
    env.tenant.set_value(VISIO, "disabled");
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "unchanged"), (COPILOT, "changed")]));
    assert!(!result.stderr.contains("warning"), "{}", result.stderr);

    let env = after_an_update();
    for (id, value) in [(POWER_BI, "Enabled"), (VISIO, "Disabled"), (COPILOT, "Disabled")] {
        env.tenant.set_value(id, value);
    }
    let result = env.run(UNDO).assert_code(0).stderr_contains(&["Nothing to change"]);
    assert!(outcomes(&result).values().all(|outcome| outcome == "unchanged"));
    assert!(changes(&env).is_empty());
    assert_eq!(env.history().len(), 3);
}

#[test]
fn a_product_that_is_gone_is_left_and_named() {
    let env = after_an_update();
    let mut products = default_products();
    products.retain(|product| product.id != VISIO);
    products.iter_mut().filter(|product| [POWER_BI, COPILOT].contains(&product.id.as_str())).for_each(|product| {
        TRIALS.clone_into(&mut product.value);
    });
    env.tenant.set_products(products);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    result.stderr_contains(&["warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33)", "does not have it any more"]);
}

#[test]
fn a_value_that_cannot_be_set_is_not_guessed() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new(POWER_BI, "Power BI Pro", "OnlyOnTuesdays"),
        Product::new(VISIO, "Visio Plan 1", "").with("policyValue", Value::Null),
        Product::new(COPILOT, "Microsoft 365 Copilot", "Enabled"),
    ]);
    env.run(&["products", "update", "--all", "--value", "disabled", "--yes"]).assert_code(1);
    // The service of this test shows no value of Visio whatever happens, so the record of that change is written here.
    let mut entries = env.history();
    let run = entries[0]["run"].as_str().unwrap().to_owned();
    let visio = json!({ "id": VISIO, "name": "Visio Plan 1", "from": null });
    entries.push(with(entry(&run, "", "Disabled"), &visio));
    write(&env, &entries);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(COPILOT, "changed")]));
    result.stderr_contains(&[
        "warning: left as it is: Power BI Pro (CFQ7TTC0H9MP): it was OnlyOnTuesdays",
        "warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): ",
    ]);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn an_offer_type_is_not_sent_what_it_cannot_take() {
    let env = TestEnv::signed_in();
    let offer_type = json!({ "scope": "offerType", "id": "SaaS", "name": "Software as a Service" });
    write(&env, &[entry("r", "Disabled", "Enabled"), with(entry("r", TRIALS, "Enabled"), &offer_type)]);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed")]));
    result.stderr_contains(&[
        "warning: left as it is: Software as a Service (SaaS): it was OnlyTrialsWithoutPaymentMethod",
    ]);
    assert_eq!(env.tenant.value("SaaS"), "Enabled");
}

#[test]
fn an_offer_type_and_a_product_of_the_same_id_are_two_things() {
    let env = TestEnv::signed_in();
    env.tenant.set_offer_types(vec![Product::new(POWER_BI, "Of the same id", "Enabled")]);
    env.run(&["product", "update", "--offer-type", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.tenant.forget_requests();
    env.run(UNDO).assert_code(0);
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/{POWER_BI}");
    assert_eq!(env.request_lines(), [LIST_OFFER_TYPES.to_owned(), put]);
}

#[test]
fn where_nothing_can_be_taken_back_it_fails_and_changes_nothing() {
    let env = after_an_update();
    for id in [POWER_BI, VISIO] {
        env.tenant.set_value(id, if id == POWER_BI { "Disabled" } else { "Enabled" });
    }
    env.tenant.set_value(COPILOT, "Enabled");
    for flags in [&["--yes"][..], &["--dry-run"]] {
        let result = env.run(&[&["undo"], flags].concat()).assert_code(1).stdout_is_empty();
        assert_eq!(result.stderr.matches("warning: left as it is: ").count(), 3, "{}", result.stderr);
        result.stderr_contains(&[
            "error: nothing of the last run can be taken back; nothing was changed",
            "mscommerce history",
        ]);
    }
    assert!(changes(&env).is_empty());
    assert_eq!(env.history().len(), 3);
}

#[test]
fn where_nothing_was_changed_it_fails_without_asking_anybody() {
    let env = TestEnv::signed_in();
    for flags in [&["--yes"][..], &["--dry-run"]] {
        let result = env.run(&[&["undo"], flags].concat()).assert_code(1).stdout_is_empty();
        result.stderr_contains(&["error: nothing has been changed from here yet"]);
    }
    assert!(env.request_lines().is_empty());
    assert!(!env.history_path().exists());
}

#[test]
fn after_a_failure_in_part_only_what_was_changed_is_taken_back() {
    let env = TestEnv::signed_in();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}");
    env.tenant.fail_next(&put, Response::text(400, "text/plain", "Not today."));
    env.run(UPDATE).assert_code(1);
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    expect_as_in_the_beginning(&env);
}

#[test]
fn an_undo_that_fails_in_part_says_so() {
    let env = after_an_update();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}");
    env.tenant.fail_next(&put, Response::text(400, "text/plain", "Not today."));
    let result = env.run(UNDO).assert_code(1);
    assert_eq!(outcomes(&result), owned([(POWER_BI, "changed"), (VISIO, "failed"), (COPILOT, "changed")]));
    result.stderr_contains(&["error: 2 changed, 1 failed", "Not today."]);
    assert_eq!(env.history().len(), 5);
}

#[test]
fn damaged_lines_are_told_and_do_not_stand_in_the_way() {
    let env = after_an_update();
    let text = fs::read_to_string(env.history_path()).unwrap();
    fs::write(env.history_path(), format!("rubbish\n{text}{{\"time\":")).unwrap();
    env.run(UNDO).assert_code(0).stderr_contains(&["warning: 2 of the lines", "line 1", "3 changed"]);
    expect_as_in_the_beginning(&env);
}

#[test]
fn it_is_the_whole_run_or_nothing() {
    let env = after_an_update();
    env.run(&["undo", "--yes", "--value", "enabled"]).assert_code(2).stdout_is_empty();
    env.run(&["undo", POWER_BI, "--yes"]).assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_undo_that_failed_in_part_is_finished_by_the_next_one() {
    let env = after_an_update();
    env.tenant.fail_next(
        &format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}"),
        Response::text(500, "text/plain", "fault"),
    );
    env.run(UNDO).assert_code(1).stderr_contains(&["2 changed, 1 failed"]);
    // To try again must not change back what was restored.
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(VISIO, "changed")]));
    expect_as_in_the_beginning(&env);
    // Once it is whole, the next one takes back what the last one did, as after any run.
    let result = env.run(UNDO).assert_code(0);
    assert_eq!(outcomes(&result), owned([(VISIO, "changed")]));
    assert_eq!(env.tenant.value(VISIO), TRIALS);
    assert_ne!(env.tenant.value(POWER_BI), TRIALS);
}

#[test]
fn a_name_or_a_value_with_line_ends_writes_no_lines_of_its_own() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new(POWER_BI, "A\nerror: fake", "Odd\nwarning: fake"),
        Product::new(VISIO, "B\nerror: fake", "Enabled"),
    ]);
    let result = env.run(&["products", "update", "--all", "--value", "disabled", "--yes", "-v"]).assert_code(0);
    env.tenant.set_value(VISIO, "Other\nerror: fake");
    // One was a value that cannot be set, the other has another one now.
    let undone = env.run(UNDO).assert_code(1);
    for result in [result, undone] {
        assert!(
            !result.stderr.contains("\nerror: fake") && !result.stderr.contains("\nwarning: fake"),
            "{}",
            result.stderr
        );
    }
}
