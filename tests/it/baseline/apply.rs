//! `baseline apply`: changing what differs from the file.

use serde_json::json;

use super::*;
use crate::tenant::{Answer, CUSTOMER_DOMAIN, CUSTOMER_TENANT, Product, READER, default_offer_types, default_products};

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

fn with_baseline(text: &str) -> Machine {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", text);
    machine
}

fn owned(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    changes.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn it_changes_what_differs_and_nothing_else() {
    let machine = with_baseline(BASELINE);
    let ran = here(&machine, APPLY).expect_code(0);
    insta::assert_snapshot!("apply_json", ran.stdout);
    assert_eq!(ran.stderr, "2 changed, 2 unchanged in the tenant 11111111-1111-4111-8111-111111111111\n");
    assert_eq!(
        sorted_requests(&machine),
        [
            LISTINGS[0],
            LISTINGS[1],
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS",
            "PUT /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP",
        ]
    );
    let wanted = [(POWER_BI, "OnlyTrialsWithoutPaymentMethod"), ("SaaS", "Disabled")];
    assert_eq!(changes(&machine), owned(&wanted));
    for item in default_products().iter().chain(&default_offer_types()) {
        let changed = wanted.iter().find(|(id, _)| *id == item.id).map(|(_, value)| *value);
        assert_eq!(machine.tenant.value_of(&item.id), changed.unwrap_or(&item.value));
    }
    here(&machine, CHECK).expect_code(0);
}

#[test]
fn the_second_time_there_is_nothing_to_do() {
    let machine = with_baseline(BASELINE);
    here(&machine, APPLY).expect_code(0);
    machine.tenant.forget_requests();
    let ran = here(&machine, APPLY).expect_code(0).expect_said(&["Nothing to change", "4 as wanted already"]);
    assert_eq!(sorted_requests(&machine), LISTINGS);
    assert!(field(&ran, "outcome").values().all(|outcome| outcome == "unchanged"));
}

#[test]
fn an_export_can_be_applied_again_when_something_has_changed() {
    let machine = Machine::signed_in();
    for file in ["b.toml", "b.json"] {
        here(&machine, &["baseline", "export", "--file", file]).expect_code(0);
        machine.tenant.set_value(POWER_BI, "Disabled");
        machine.tenant.set_value(PLANNER, "Enabled");
        machine.tenant.set_value("SaaS", "Disabled");
        here(&machine, &["baseline", "apply", file, "--yes"]).expect_code(0).expect_said(&["3 changed, 18 unchanged"]);
        for item in default_products().iter().chain(&default_offer_types()) {
            assert_eq!(machine.tenant.value_of(&item.id), item.value);
        }
    }
}

#[test]
fn without_a_terminal_it_needs_to_be_told_not_to_ask() {
    let machine = with_baseline(BASELINE);
    here(&machine, &["baseline", "apply", "b.toml"]).expect_code(2).expect_no_data().expect_said(&[
        "no terminal",
        "nothing was changed",
        "hint: ",
        "--yes",
        "--dry-run",
    ]);
    // Whatever is piped into it is no answer.
    let mut command = machine.command(&["baseline", "apply", "b.toml"]);
    command.current_dir(machine.home());
    Machine::run_command_with_input(command, "y\n").expect_code(2).expect_no_data();
    assert!(machine.requests().is_empty());
}

#[test]
fn a_dry_run_plans_and_sends_nothing() {
    let machine = with_baseline(BASELINE);
    for flags in [&["--dry-run"][..], &["--dry-run", "--yes"]] {
        let ran = here(&machine, &[&["baseline", "apply", "b.toml", "-o", "json"], flags].concat()).expect_code(0);
        let outcomes = field(&ran, "outcome");
        assert_eq!((&outcomes[POWER_BI], &outcomes[VISIO]), (&json!("planned"), &json!("unchanged")));
        assert_eq!(field(&ran, "policyValue")[POWER_BI], "OnlyTrialsWithoutPaymentMethod");
        assert_eq!(field(&ran, "previousValue")[POWER_BI], "Enabled");
        ran.expect_said(&["Dry run", "2 planned, 2 unchanged; nothing was sent"]);
    }
    assert!(changes(&machine).is_empty());
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}

#[test]
fn unknown_ids_are_refused_before_any_change() {
    let machine = with_baseline(&format!("{BASELINE}Bundle = \"Enabled\"\n{OLD_POWER_BI} = \"Disabled\"\n"));
    for flags in [&["--yes"][..], &["--dry-run"]] {
        let ran = here(&machine, &[&["baseline", "apply", "b.toml"], flags].concat()).expect_code(1).expect_no_data();
        ran.expect_said(&[
            "error: the file names ids that the tenant does not have; nothing was changed",
            "b.toml:10: offer type Bundle",
            "b.toml:11: offer type CFQ7TTC0L3PB",
            "--ignore-unknown",
        ]);
    }
    assert!(changes(&machine).is_empty());
}

#[test]
fn the_new_number_of_a_product_is_told() {
    let machine = with_baseline(&format!("default = \"Disabled\"\n[products]\n{OLD_POWER_BI} = \"Enabled\"\n"));
    here(&machine, APPLY).expect_code(1).expect_no_data().expect_said(&[
        "names an id that the tenant does not have",
        "b.toml:3: product CFQ7TTC0L3PB",
        "hint: CFQ7TTC0L3PB has been renumbered, Power BI Pro is CFQ7TTC0H9MP now",
    ]);
    assert!(changes(&machine).is_empty());
}

#[test]
fn unknown_ids_can_be_ignored() {
    let machine = with_baseline(&format!("{BASELINE}Bundle = \"Odd\"\n"));
    let ran = here(&machine, &[APPLY, &["--ignore-unknown"]].concat()).expect_code(0);
    assert_eq!(ids(&ran), [POWER_BI, VISIO, "SaaS", "POWERBIVISUALS"]);
    ran.expect_said(&["warning: b.toml:10: ", "offer type Bundle", "2 changed, 2 unchanged"]);
    assert_eq!(changes(&machine).len(), 2);
}

#[test]
fn a_file_of_nothing_but_unknown_ids_changes_nothing() {
    let machine = with_baseline("[products]\nCFQ7TTC0XXXX = \"Disabled\"\n");
    let ran = here(&machine, &[APPLY, &["--ignore-unknown"]].concat()).expect_code(0);
    assert_eq!(ran.stdout, "[]\n");
    assert!(changes(&machine).is_empty());
}

#[test]
fn one_failed_change_does_not_stop_the_rest() {
    let machine = with_baseline(BASELINE);
    machine.tenant.fail_next(
        "PUT /v1.0/policies/AllowSelfServicePurchase/products",
        Answer::json(400, &json!({ "errorCode": "BadRequest", "reason": "Not today." })),
    );
    let ran = here(&machine, APPLY).expect_code(1);
    let outcomes = field(&ran, "outcome");
    assert_eq!((&outcomes[POWER_BI], &outcomes["SaaS"]), (&json!("failed"), &json!("changed")));
    assert_eq!(field(&ran, "policyValue")[POWER_BI], "Enabled");
    assert!(field(&ran, "error")[POWER_BI].as_str().unwrap().contains("Not today."));
    assert_eq!(field(&ran, "error")["SaaS"], Value::Null);
    ran.expect_said(&["error: 1 changed, 2 unchanged, 1 failed", "Not today.", "correlation id"]);
    here(&machine, CHECK).expect_code(3);
    // Once more, and all is as it should be.
    here(&machine, APPLY).expect_code(0).expect_said(&["1 changed, 3 unchanged"]);
    here(&machine, CHECK).expect_code(0);
}

#[test]
fn the_default_takes_in_what_is_new() {
    let machine = with_baseline("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"\n");
    let added = [Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")];
    machine.tenant.set_products(default_products().into_iter().chain(added).collect());
    here(&machine, APPLY).expect_code(0);
    for item in default_products().iter().chain(&default_offer_types()) {
        let wanted = if item.id == POWER_BI { "Enabled" } else { "Disabled" };
        assert_eq!(machine.tenant.value_of(&item.id), wanted, "{}", item.id);
    }
    assert_eq!(machine.tenant.value_of("CFQ7TTC0NEW1"), "Disabled");
    here(&machine, CHECK).expect_code(0);
}

#[test]
fn a_default_of_trials_does_not_go_to_offer_types() {
    let machine = with_baseline("default = \"trials\"");
    here(&machine, APPLY).expect_code(0);
    assert!(default_products().iter().all(|item| machine.tenant.value_of(&item.id).starts_with("OnlyTrials")));
    assert!(default_offer_types().iter().all(|item| machine.tenant.value_of(&item.id) == item.value));
    here(&machine, CHECK).expect_code(0);
}

#[test]
fn a_value_of_the_future_stays_where_the_tenant_shows_it() {
    let machine = with_baseline("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"OnlyOnTuesdays\"\n");
    machine.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    let ran = here(&machine, APPLY).expect_code(0);
    assert_eq!(field(&ran, "outcome")[POWER_BI], "unchanged");
    assert_eq!(machine.tenant.value_of(POWER_BI), "OnlyOnTuesdays");
    here(&machine, CHECK).expect_code(0);
}

#[test]
fn what_has_no_id_cannot_be_brought_to_the_default_and_nothing_is_changed() {
    let machine = with_baseline("default = \"Disabled\"");
    let nameless = Product::new("", "Without an id", "Enabled").with("productId", Value::Null);
    machine.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "Enabled"), nameless]);
    here(&machine, APPLY).expect_code(1).expect_no_data().expect_said(&["Without an id", "nothing was changed"]);
    assert!(changes(&machine).is_empty());
}

#[test]
fn the_number_of_jobs_can_be_chosen_within_bounds() {
    for jobs in ["1", "2", "64"] {
        let machine = with_baseline(BASELINE);
        here(&machine, &[APPLY, &["--jobs", jobs]].concat()).expect_code(0).expect_said(&["2 changed"]);
        here(&machine, CHECK).expect_code(0);
    }
    let machine = with_baseline(BASELINE);
    for jobs in ["0", "65", "-1", "many", ""] {
        let jobs = format!("--jobs={jobs}");
        here(&machine, &[APPLY, &[jobs.as_str()]].concat()).expect_code(2).expect_no_data().expect_said(&["--jobs"]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_customers_tenant_is_changed_without_touching_ones_own() {
    let machine = with_baseline("default = \"Disabled\"");
    let ran = here(&machine, &[APPLY, &["--tenant", CUSTOMER_DOMAIN]].concat()).expect_code(0);
    ran.expect_said(&[&format!("in the tenant {CUSTOMER_TENANT}")]);
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, &item.id), "Disabled");
        assert_eq!(machine.tenant.value_of(&item.id), item.value);
    }
}

#[test]
fn whoever_may_only_read_changes_nothing() {
    let machine = Machine::new();
    machine.sign_in(READER);
    write(&machine, "b.toml", BASELINE);
    let ran = here(&machine, APPLY).expect_code(1);
    ran.expect_said(&["error: 2 unchanged, 2 failed", "403 Forbidden", "Billing Administrator"]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
    machine.run(&["disconnect"]).expect_code(0);
    machine.tenant.forget_requests();
    here(&machine, APPLY).expect_code(4).expect_no_data().expect_said(&["nobody is signed in"]);
    assert!(machine.requests().is_empty());
}
