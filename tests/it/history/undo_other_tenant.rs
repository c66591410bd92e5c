//! `undo` stays at its own tenant and policy.

use super::*;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, PASSWORD};

#[test]
fn changes_at_another_tenant_are_not_touched() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    // The newest run is the customer's, but this is the home tenant.
    let result = env.run(&["undo", "--yes", "-o", "json"]).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO), "Disabled");
    // And there it can be taken back by itself.
    for tenant in [CUSTOMER_DOMAIN, CUSTOMER_TENANT] {
        let result = env.run(&["undo", "--yes", "-o", "json", "--tenant", tenant]).assert_code(0);
        assert_eq!(result.column("id"), [VISIO]);
        result.stderr_contains(&[&format!("in the tenant {CUSTOMER_TENANT}")]);
    }
    assert_eq!(env.tenant.value(VISIO), "Disabled");
}

#[test]
fn where_nothing_was_changed_at_this_tenant_it_fails() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    for tenant in [CUSTOMER_DOMAIN, CUSTOMER_TENANT] {
        let result = env.run(&["undo", "--yes", "--tenant", tenant]).assert_code(1).stdout_is_empty();
        result.stderr_contains(&["error: nothing has been changed from here", CUSTOMER_TENANT]);
    }
    assert_eq!(changes(&env).len(), 1);
}

#[test]
fn the_hint_to_look_at_the_record_is_one_that_can_be_followed() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let changed_elsewhere = env.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).assert_code(1);
    env.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.run(&["product", "update", VISIO, "--value", "enabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let entries = env.history();
    write(&env, &entries[..2]);
    let changed_since = env.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).assert_code(1);
    for result in [changed_elsewhere, changed_since] {
        let hint = result
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("hint: mscommerce "))
            .unwrap_or_else(|| panic!("{}", result.stderr));
        env.run(&hint.split(' ').collect::<Vec<_>>()).assert_code(0);
    }
}

#[test]
fn changes_under_another_policy_are_not_touched() {
    let env = TestEnv::signed_in();
    write(
        &env,
        &[
            entry("first", "Disabled", "Enabled"),
            with(entry("second", "Enabled", "Disabled"), &json!({ "policyId": "AllowEverything", "id": VISIO })),
        ],
    );
    let result = env.run(&["undo", "--yes", "-o", "json"]).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(env.tenant.value(VISIO), "Disabled");
    env.tenant.forget_requests();
    // Of a third policy nothing is known, and nothing is asked.
    let undo = ["undo", "--yes", "--policy-id", "AllowNothing"];
    env.run(&undo).assert_code(1).stdout_is_empty().stderr_contains(&["AllowNothing", "nothing has been changed"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn the_policy_is_the_same_in_any_case() {
    let env = TestEnv::signed_in();
    let policy = ["--policy-id", "allowSELFservicepurchase"];
    env.run(&[&["product", "update", POWER_BI, "--value", "disabled"][..], &policy].concat()).assert_code(0);
    env.run(&["undo", "--yes"]).assert_code(0).stderr_contains(&["1 changed"]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn a_change_at_a_tenant_that_nobody_knows_is_never_taken_back() {
    let env = TestEnv::signed_in();
    write(&env, &[with(entry("r", "Disabled", "Enabled"), &json!({ "tenantId": null }))]);
    env.run(&["undo", "--yes"]).assert_code(1).stdout_is_empty();
    assert!(changes(&env).is_empty());
}

#[test]
fn another_profile_at_the_same_tenant_takes_back_the_same_run() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let connect = ["connect", "--username", ADMIN, "--password-stdin", "--profile", "lab"];
    env.run_with_stdin(&connect, PASSWORD).assert_code(0);
    env.run(&["undo", "--yes", "--profile", "lab"]).assert_code(0).stderr_contains(&["1 changed"]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}
