//! `baseline apply`: changing what differs from the file.

use serde_json::json;

use super::*;
use crate::support::fixtures::{OLD_POWER_BI, PLANNER, POWER_BI, VISIO};
use crate::tenant::{
    CUSTOMER_DOMAIN, CUSTOMER_TENANT, Product, READER, Response, default_offer_types, default_products,
};

/// Differs in one product and one offer type; one of each is as it is.
const BASELINE: &str = r#"policy = "AllowSelfServicePurchase"

[products]
cfq7ttc0h9mp = "trials"
CFQ7TTC0HD33 = "Disabled"

[offer-types]
SaaS = "Disabled"
POWERBIVISUALS = "Enabled"
"#;

const APPLY: &[&str] = &["baseline", "apply", "b.toml", "--yes", "-o", "json"];
const CHECK: &[&str] = &["baseline", "check", "b.toml", "-o", "json"];

fn with_baseline(text: &str) -> TestEnv {
    let env = TestEnv::signed_in();
    env.write("b.toml", text);
    env
}

fn owned(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    changes.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn it_changes_what_differs_and_nothing_else() {
    let env = with_baseline(BASELINE);
    let result = env.run_in_home(APPLY).assert_code(0);
    insta::assert_snapshot!("apply_json", result.stdout);
    assert_eq!(result.stderr, "2 changed, 2 unchanged in the tenant 11111111-1111-4111-8111-111111111111\n");
    assert_eq!(
        sorted_requests(&env),
        [
            LISTINGS[0],
            LISTINGS[1],
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS",
            "PUT /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP",
        ]
    );
    let wanted = [(POWER_BI, "OnlyTrialsWithoutPaymentMethod"), ("SaaS", "Disabled")];
    assert_eq!(env.updates(), owned(&wanted));
    for item in default_products().iter().chain(&default_offer_types()) {
        let changed = wanted.iter().find(|(id, _)| *id == item.id).map(|(_, value)| *value);
        assert_eq!(env.tenant.value(&item.id), changed.unwrap_or(&item.value));
    }
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn the_second_time_there_is_nothing_to_do() {
    let env = with_baseline(BASELINE);
    env.run_in_home(APPLY).assert_code(0);
    env.tenant.forget_requests();
    let result = env.run_in_home(APPLY).assert_code(0).stderr_contains(&["Nothing to change", "4 as wanted already"]);
    assert_eq!(sorted_requests(&env), LISTINGS);
    assert!(field(&result, "outcome").values().all(|outcome| outcome == "unchanged"));
}

#[test]
fn an_export_can_be_applied_again_when_something_has_changed() {
    let env = TestEnv::signed_in();
    for file in ["b.toml", "b.json"] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        env.tenant.set_value(POWER_BI, "Disabled");
        env.tenant.set_value(PLANNER, "Enabled");
        env.tenant.set_value("SaaS", "Disabled");
        env.run_in_home(&["baseline", "apply", file, "--yes"])
            .assert_code(0)
            .stderr_contains(&["3 changed, 18 unchanged"]);
        for item in default_products().iter().chain(&default_offer_types()) {
            assert_eq!(env.tenant.value(&item.id), item.value);
        }
    }
}

#[test]
fn without_a_terminal_it_needs_to_be_told_not_to_ask() {
    let env = with_baseline(BASELINE);
    env.run_in_home(&["baseline", "apply", "b.toml"]).assert_code(2).stdout_is_empty().stderr_contains(&[
        "no terminal",
        "nothing was changed",
        "hint: ",
        "--yes",
        "--dry-run",
    ]);
    // Whatever is piped into it is no answer.
    let mut command = env.command(&["baseline", "apply", "b.toml"]);
    command.current_dir(env.home());
    TestEnv::run_command_with_stdin(command, "y\n").assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_dry_run_plans_and_sends_nothing() {
    let env = with_baseline(BASELINE);
    for flags in [&["--dry-run"][..], &["--dry-run", "--yes"]] {
        let result = env.run_in_home(&[&["baseline", "apply", "b.toml", "-o", "json"], flags].concat()).assert_code(0);
        let outcomes = field(&result, "outcome");
        assert_eq!((&outcomes[POWER_BI], &outcomes[VISIO]), (&json!("planned"), &json!("unchanged")));
        assert_eq!(field(&result, "policyValue")[POWER_BI], "OnlyTrialsWithoutPaymentMethod");
        assert_eq!(field(&result, "previousValue")[POWER_BI], "Enabled");
        result.stderr_contains(&["Dry run", "2 planned, 2 unchanged; nothing was sent"]);
    }
    assert!(env.updates().is_empty());
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn unknown_ids_are_refused_before_any_change() {
    let env = with_baseline(&format!("{BASELINE}Bundle = \"Enabled\"\n{OLD_POWER_BI} = \"Disabled\"\n"));
    for flags in [&["--yes"][..], &["--dry-run"]] {
        let result =
            env.run_in_home(&[&["baseline", "apply", "b.toml"], flags].concat()).assert_code(1).stdout_is_empty();
        result.stderr_contains(&[
            "error: the file names ids that the tenant does not have; nothing was changed",
            "b.toml:10: offer type Bundle",
            "b.toml:11: offer type CFQ7TTC0L3PB",
            "--ignore-unknown",
        ]);
    }
    assert!(env.updates().is_empty());
}

#[test]
fn the_new_number_of_a_product_is_told() {
    let env = with_baseline(&format!("default = \"Disabled\"\n[products]\n{OLD_POWER_BI} = \"Enabled\"\n"));
    env.run_in_home(APPLY).assert_code(1).stdout_is_empty().stderr_contains(&[
        "names an id that the tenant does not have",
        "b.toml:3: product CFQ7TTC0L3PB",
        "hint: CFQ7TTC0L3PB has been renumbered, Power BI Pro is CFQ7TTC0H9MP now",
    ]);
    assert!(env.updates().is_empty());
}

#[test]
fn unknown_ids_can_be_ignored() {
    let env = with_baseline(&format!("{BASELINE}Bundle = \"Odd\"\n"));
    let result = env.run_in_home(&[APPLY, &["--ignore-unknown"]].concat()).assert_code(0);
    assert_eq!(result.ids(), [POWER_BI, VISIO, "SaaS", "POWERBIVISUALS"]);
    result.stderr_contains(&["warning: b.toml:10: ", "offer type Bundle", "2 changed, 2 unchanged"]);
    assert_eq!(env.updates().len(), 2);
}

#[test]
fn a_file_of_nothing_but_unknown_ids_changes_nothing() {
    let env = with_baseline("[products]\nCFQ7TTC0XXXX = \"Disabled\"\n");
    let result = env.run_in_home(&[APPLY, &["--ignore-unknown"]].concat()).assert_code(0);
    assert_eq!(result.stdout, "[]\n");
    assert!(env.updates().is_empty());
}

#[test]
fn one_failed_change_does_not_stop_the_rest() {
    let env = with_baseline(BASELINE);
    env.tenant.fail_next(
        "PUT /v1.0/policies/AllowSelfServicePurchase/products",
        Response::json(400, &json!({ "errorCode": "BadRequest", "reason": "Not today." })),
    );
    let result = env.run_in_home(APPLY).assert_code(1);
    let outcomes = field(&result, "outcome");
    assert_eq!((&outcomes[POWER_BI], &outcomes["SaaS"]), (&json!("failed"), &json!("changed")));
    assert_eq!(field(&result, "policyValue")[POWER_BI], "Enabled");
    assert!(field(&result, "error")[POWER_BI].as_str().unwrap().contains("Not today."));
    assert_eq!(field(&result, "error")["SaaS"], Value::Null);
    result.stderr_contains(&["error: 1 changed, 2 unchanged, 1 failed", "Not today.", "correlation id"]);
    env.run_in_home(CHECK).assert_code(3);
    // Once more, and all is as it should be.
    env.run_in_home(APPLY).assert_code(0).stderr_contains(&["1 changed, 3 unchanged"]);
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn the_default_takes_in_what_is_new() {
    let env = with_baseline("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"\n");
    let added = [Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")];
    env.tenant.set_products(default_products().into_iter().chain(added).collect());
    env.run_in_home(APPLY).assert_code(0);
    for item in default_products().iter().chain(&default_offer_types()) {
        let wanted = if item.id == POWER_BI { "Enabled" } else { "Disabled" };
        assert_eq!(env.tenant.value(&item.id), wanted, "{}", item.id);
    }
    assert_eq!(env.tenant.value("CFQ7TTC0NEW1"), "Disabled");
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn a_default_of_trials_does_not_go_to_offer_types() {
    let env = with_baseline("default = \"trials\"");
    env.run_in_home(APPLY).assert_code(0);
    assert!(default_products().iter().all(|item| env.tenant.value(&item.id).starts_with("OnlyTrials")));
    assert!(default_offer_types().iter().all(|item| env.tenant.value(&item.id) == item.value));
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn a_value_of_the_future_stays_where_the_tenant_shows_it() {
    let env = with_baseline("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"OnlyOnTuesdays\"\n");
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    let result = env.run_in_home(APPLY).assert_code(0);
    assert_eq!(field(&result, "outcome")[POWER_BI], "unchanged");
    assert_eq!(env.tenant.value(POWER_BI), "OnlyOnTuesdays");
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn what_has_no_id_cannot_be_brought_to_the_default_and_nothing_is_changed() {
    let env = with_baseline("default = \"Disabled\"");
    let nameless = Product::new("", "Without an id", "Enabled").with("productId", Value::Null);
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "Enabled"), nameless]);
    env.run_in_home(APPLY).assert_code(1).stdout_is_empty().stderr_contains(&["Without an id", "nothing was changed"]);
    assert!(env.updates().is_empty());
}

#[test]
fn the_number_of_jobs_can_be_chosen_within_bounds() {
    for jobs in ["1", "2", "64"] {
        let env = with_baseline(BASELINE);
        env.run_in_home(&[APPLY, &["--jobs", jobs]].concat()).assert_code(0).stderr_contains(&["2 changed"]);
        env.run_in_home(CHECK).assert_code(0);
    }
    let env = with_baseline(BASELINE);
    for jobs in ["0", "65", "-1", "many", ""] {
        let jobs = format!("--jobs={jobs}");
        env.run_in_home(&[APPLY, &[jobs.as_str()]].concat())
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["--jobs"]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_customers_tenant_is_changed_without_touching_ones_own() {
    let env = with_baseline("default = \"Disabled\"");
    let result = env.run_in_home(&[APPLY, &["--tenant", CUSTOMER_DOMAIN]].concat()).assert_code(0);
    result.stderr_contains(&[&format!("in the tenant {CUSTOMER_TENANT}")]);
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, &item.id), "Disabled");
        assert_eq!(env.tenant.value(&item.id), item.value);
    }
}

#[test]
fn whoever_may_only_read_changes_nothing() {
    let env = TestEnv::new();
    env.sign_in(READER);
    env.write("b.toml", BASELINE);
    let result = env.run_in_home(APPLY).assert_code(1);
    result.stderr_contains(&["error: 2 unchanged, 2 failed", "403 Forbidden", "Billing Administrator"]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    env.run(&["disconnect"]).assert_code(0);
    env.tenant.forget_requests();
    env.run_in_home(APPLY).assert_code(4).stdout_is_empty().stderr_contains(&["nobody is signed in"]);
    assert!(env.request_lines().is_empty());
}
