//! The history of changes to several tenants, and undo.

use super::*;
use crate::support::fixtures::{POWER_BI, THIRD_DOMAIN, THIRD_TENANT, TRIALS, VISIO};
use crate::tenant::default_products;

const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];

/// Three changes: two in the home tenant and one in the customer tenant, where Visio is already set to trials.
fn env_with_three_changes() -> TestEnv {
    let env = partner_env_with_tokens();
    env.run(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN], UPDATE)).assert_code(0);
    env.tenant.forget_requests();
    env
}

fn history(env: &TestEnv, more: &[&str]) -> CliResult {
    env.run(&[&["history", "-o", "json"], more].concat()).assert_code(0)
}

fn has_tenant(tenant: &str) -> impl Fn(&Value) -> bool {
    move |entry| entry["tenantId"] == tenant
}

#[test]
fn history_records_tenant_of_each_change() {
    let env = env_with_three_changes();
    let entries = env.history();
    assert_eq!(entries.len(), 3);
    let mut items: Vec<_> = entries.iter().map(|entry| (entry["tenantId"].clone(), entry["id"].clone())).collect();
    items.sort_by_key(|item| format!("{item:?}"));
    assert_eq!(
        items,
        [(HOME_TENANT, POWER_BI), (HOME_TENANT, VISIO), (CUSTOMER_TENANT, POWER_BI)]
            .map(|(tenant, id)| (json!(tenant), json!(id)))
    );
    for entry in &entries {
        assert_eq!(entry["run"], entries[0]["run"]);
        assert_eq!((&entry["account"], &entry["to"]), (&json!(ADMIN), &json!(TRIALS)));
    }
    let ids: std::collections::BTreeSet<_> = entries.iter().map(|entry| entry["correlationId"].to_string()).collect();
    assert_eq!(ids.len(), 3, "each change has its own request");

    assert_eq!(history(&env, &[]).json().as_array().unwrap().len(), 3);
    for (tenant, count) in [(HOME_TENANT, 2), (CUSTOMER_TENANT, 1), (THIRD_TENANT, 0)] {
        let listed = history(&env, &["--tenant", tenant]).json();
        assert_eq!(listed.as_array().unwrap().len(), count);
        assert!(listed.as_array().unwrap().iter().all(has_tenant(tenant)));
    }
}

#[test]
fn history_records_application_as_account() {
    let env = TestEnv::new();
    env.run_with_env(&app_variables(), &for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN], UPDATE)).assert_code(0);
    let entries = env.history();
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry["account"] == APP_ID));
    assert_eq!(entries.iter().filter(|entry| has_tenant(CUSTOMER_TENANT)(entry)).count(), 1);
}

#[test]
fn failed_tenant_has_no_history_entry() {
    let env = partner_env_with_tokens();
    env.tenant.fail_next("GET ", error_response(403, "Forbidden", "No."));
    let update = [UPDATE, &["--jobs", "1"]].concat();
    let result = env.run(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN, "nowhere.example"], &update)).assert_code(4);
    assert_eq!(tenant_ids(&result), [HOME_TENANT]);
    let entries = env.history();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(has_tenant(HOME_TENANT)));
}

#[test]
fn undo_reverts_changes_of_one_tenant() {
    let env = env_with_three_changes();
    let undo = ["undo", "--yes", "-o", "json"];
    let result = env.run(&for_tenants(&[HOME_DOMAIN], &undo)).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI, VISIO]);
    for item in default_products() {
        assert_eq!(env.tenant.value(&item.id), item.value);
    }
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, POWER_BI), TRIALS, "the change in the other tenant stays");
    let sent = sent_updates(&env.tenant.requests());
    assert!(sent.iter().all(|(tenant, _)| tenant == HOME_TENANT), "{sent:?}");

    let result = env.run(&for_tenants(&[CUSTOMER_TENANT], &undo)).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, POWER_BI), "Disabled");
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO), TRIALS, "it had this value before");
    // There is no change to undo in the third tenant.
    cli_snapshot!(env.run(&for_tenants(&[THIRD_DOMAIN], &undo)), @"
    exit_code: 1
    ----- stderr -----
    error: no changes to policy AllowSelfServicePurchase in tenant 33333333-3333-4333-8333-333333333333 are recorded
    hint: mscommerce history
    ");
}

#[test]
fn undo_of_one_tenant_can_be_undone() {
    let env = env_with_three_changes();
    env.run(&for_tenants(&[HOME_DOMAIN], &["undo", "--yes"])).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    let run = env.history().pop().unwrap()["run"].as_str().unwrap().to_owned();
    env.run(&for_tenants(&[HOME_DOMAIN], &["undo", &run, "--yes"])).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), TRIALS);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, POWER_BI), TRIALS);
}

#[test]
fn unwritable_history_stops_all_tenants() {
    let env = partner_env_with_tokens();
    fs::create_dir(env.history_path()).unwrap();
    let result = env.run(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN], UPDATE)).assert_code(1);
    assert_eq!(result.stderr.matches("error: ").count(), 1, "{}", result.stderr);
    assert_eq!(sent_updates(&env.tenant.requests()), []);
}
