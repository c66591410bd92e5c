//! `undo` affects only the selected tenant and policy.

use super::*;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, PASSWORD};

#[test]
fn undo_ignores_runs_at_other_tenants() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    // The newest run is at the customer's tenant, and this is the home tenant.
    let result = env.run(&["undo", "--yes", "-o", "json"]).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO), "Disabled");

    let mut transcript = Transcript::default();
    for tenant in [CUSTOMER_DOMAIN, CUSTOMER_TENANT] {
        env.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", tenant]).assert_code(0);
        let result = env.run(&["undo", "--yes", "-o", "json", "--tenant", tenant]);
        transcript.push(tenant, result.without_stdout());
        assert_eq!(result.column("id"), [VISIO]);
    }
    cli_snapshot!(transcript, @"
    ===== fabrikam.example =====
    ===== 22222222-2222-4222-8222-222222222222 =====
    exit_code: 0
    ----- stderr -----
    Undoing the run of [TIME].
    1 changed in tenant 22222222-2222-4222-8222-222222222222
    ");
    assert_eq!(env.tenant.value(VISIO), "Disabled");
}

#[test]
fn undo_fails_without_runs_at_the_tenant() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let mut transcript = Transcript::default();
    for tenant in [CUSTOMER_DOMAIN, CUSTOMER_TENANT] {
        transcript.push(tenant, env.run(&["undo", "--yes", "--tenant", tenant]));
    }
    cli_snapshot!(transcript, @"
    ===== fabrikam.example =====
    ===== 22222222-2222-4222-8222-222222222222 =====
    exit_code: 1
    ----- stderr -----
    error: no changes to policy AllowSelfServicePurchase in tenant 22222222-2222-4222-8222-222222222222 are recorded
    hint: mscommerce history
    ");
    assert_eq!(env.update_requests().len(), 1);
}

#[test]
fn undo_history_hint_can_be_run() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let nothing_to_revert = env.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).assert_code(1);
    env.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.run(&["product", "update", VISIO, "--value", "enabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let entries = env.history();
    write_history(&env, &entries[..2]);
    env.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let all_undone = env.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).assert_code(1);
    for result in [nothing_to_revert, all_undone] {
        let hint = result
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("hint: mscommerce "))
            .unwrap_or_else(|| panic!("{}", result.stderr));
        env.run(&hint.split(' ').collect::<Vec<_>>()).assert_code(0);
    }
}

#[test]
fn undo_ignores_runs_under_other_policies() {
    let env = TestEnv::signed_in();
    write_history(
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
    // A policy without history needs no request.
    cli_snapshot!(env.run(&["undo", "--yes", "--policy-id", "AllowNothing"]), @"
    exit_code: 1
    ----- stderr -----
    error: no changes to policy AllowNothing in tenant 11111111-1111-4111-8111-111111111111 are recorded
    hint: mscommerce history
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn undo_policy_id_is_case_insensitive() {
    let env = TestEnv::signed_in();
    let policy = ["--policy-id", "allowSELFservicepurchase"];
    env.run(&[&["product", "update", POWER_BI, "--value", "disabled"][..], &policy].concat()).assert_code(0);
    env.run(&["undo", "--yes"]).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn undo_ignores_entries_without_tenant() {
    let env = TestEnv::signed_in();
    write_history(&env, &[with(entry("r", "Disabled", "Enabled"), &json!({ "tenantId": null }))]);
    env.run(&["undo", "--yes"]).assert_code(1).stdout_is_empty();
    assert!(env.update_requests().is_empty());
}

#[test]
fn undo_with_other_profile_reverts_the_same_run() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let connect = ["connect", "--username", ADMIN, "--password-stdin", "--profile", "lab"];
    env.run_with_stdin(&connect, PASSWORD).assert_code(0);
    env.run(&["undo", "--yes", "--profile", "lab"]).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}
