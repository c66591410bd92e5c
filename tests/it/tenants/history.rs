//! The record of changes at several tenants, and taking them back.

use super::*;
use crate::support::fixtures::{POWER_BI, THIRD_DOMAIN, THIRD_TENANT, TRIALS, VISIO};
use crate::tenant::default_products;

const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];

/// Three changes: one at the customer, where Visio offers trials already, and two at home.
fn changed() -> TestEnv {
    let env = known_partner();
    env.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], UPDATE)).assert_code(0);
    env.tenant.forget_requests();
    env
}

fn history(env: &TestEnv, more: &[&str]) -> CliResult {
    env.run(&[&["history", "-o", "json"], more].concat()).assert_code(0)
}

fn of(tenant: &str) -> impl Fn(&Value) -> bool {
    move |entry| entry["tenantId"] == tenant
}

#[test]
fn each_change_is_recorded_with_its_tenant_as_one_run() {
    let env = changed();
    let entries = env.history();
    assert_eq!(entries.len(), 3);
    let mut places: Vec<_> = entries.iter().map(|entry| (entry["tenantId"].clone(), entry["id"].clone())).collect();
    places.sort_by_key(|place| format!("{place:?}"));
    assert_eq!(
        places,
        [(HOME_TENANT, POWER_BI), (HOME_TENANT, VISIO), (CUSTOMER_TENANT, POWER_BI)]
            .map(|(tenant, id)| (json!(tenant), json!(id)))
    );
    for entry in &entries {
        assert_eq!(entry["run"], entries[0]["run"]);
        assert_eq!((&entry["account"], &entry["to"]), (&json!(ADMIN), &json!(TRIALS)));
    }
    let ids: std::collections::BTreeSet<_> = entries.iter().map(|entry| entry["correlationId"].to_string()).collect();
    assert_eq!(ids.len(), 3, "each by a request of its own");

    assert_eq!(history(&env, &[]).json().as_array().unwrap().len(), 3);
    for (tenant, count) in [(HOME_TENANT, 2), (CUSTOMER_TENANT, 1), (THIRD_TENANT, 0)] {
        let shown = history(&env, &["--tenant", tenant]).json();
        assert_eq!(shown.as_array().unwrap().len(), count);
        assert!(shown.as_array().unwrap().iter().all(of(tenant)));
    }
}

#[test]
fn an_application_is_recorded_as_whoever_changed_it() {
    let env = TestEnv::new();
    env.run_with_env(&application(), &at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], UPDATE)).assert_code(0);
    let entries = env.history();
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry["account"] == APP_ID));
    assert_eq!(entries.iter().filter(|entry| of(CUSTOMER_TENANT)(entry)).count(), 1);
}

#[test]
fn a_tenant_that_failed_has_no_record() {
    let env = known_partner();
    env.tenant.fail_next("GET ", refusal(403, "Forbidden", "No."));
    let update = [UPDATE, &["--jobs", "1"]].concat();
    let result = env.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN, "nowhere.example"], &update)).assert_code(4);
    assert_eq!(tenants(&result), [HOME_TENANT]);
    let entries = env.history();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(of(HOME_TENANT)));
}

#[test]
fn undo_takes_back_one_tenants_part_and_then_anothers() {
    let env = changed();
    let undo = ["undo", "--yes", "-o", "json"];
    let result = env.run(&at(&[HOME_DOMAIN], &undo)).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI, VISIO]);
    for item in default_products() {
        assert_eq!(env.tenant.value(&item.id), item.value);
    }
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, POWER_BI), TRIALS, "the other tenant's part stays");
    let sent = changes(&env.tenant.requests());
    assert!(sent.iter().all(|(tenant, _)| tenant == HOME_TENANT), "{sent:?}");

    let result = env.run(&at(&[CUSTOMER_TENANT], &undo)).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, POWER_BI), "Disabled");
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO), TRIALS, "it was so before");
    // Where nothing was changed there is nothing to take back.
    env.run(&at(&[THIRD_DOMAIN], &undo))
        .assert_code(1)
        .stdout_is_empty()
        .stderr_contains(&["nothing has been changed"]);
}

#[test]
fn what_is_undone_at_one_tenant_can_be_undone_again_there() {
    let env = changed();
    let undo = ["undo", "--yes"];
    for (value, at_home) in [("Enabled", HOME_DOMAIN), (TRIALS, HOME_DOMAIN)] {
        env.run(&at(&[at_home], &undo)).assert_code(0);
        assert_eq!(env.tenant.value(POWER_BI), value);
    }
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, POWER_BI), TRIALS);
}

#[test]
fn a_record_that_cannot_be_kept_is_told_once() {
    let env = known_partner();
    fs::create_dir(env.state_dir().join("changes.jsonl")).unwrap();
    let result = env.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN], UPDATE)).assert_code(0);
    assert_eq!(result.column("outcome").iter().filter(|outcome| *outcome == "changed").count(), 5);
    assert_eq!(result.stderr.matches("are not recorded").count(), 1, "{}", result.stderr);
}
