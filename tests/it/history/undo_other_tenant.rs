//! `undo` stays at its own tenant and policy.

use super::*;
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, PASSWORD};

#[test]
fn changes_at_another_tenant_are_not_touched() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    machine.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    // The newest run is the customer's, but this is the home tenant.
    let ran = machine.run(&["undo", "--yes", "-o", "json"]).expect_code(0);
    assert_eq!(column(&ran, "id"), [POWER_BI]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, VISIO), "Disabled");
    // And there it can be taken back by itself.
    for tenant in [CUSTOMER_DOMAIN, CUSTOMER_TENANT] {
        let ran = machine.run(&["undo", "--yes", "-o", "json", "--tenant", tenant]).expect_code(0);
        assert_eq!(column(&ran, "id"), [VISIO]);
        ran.expect_said(&[&format!("in the tenant {CUSTOMER_TENANT}")]);
    }
    assert_eq!(machine.tenant.value_of(VISIO), "Disabled");
}

#[test]
fn where_nothing_was_changed_at_this_tenant_it_fails() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    for tenant in [CUSTOMER_DOMAIN, CUSTOMER_TENANT] {
        let ran = machine.run(&["undo", "--yes", "--tenant", tenant]).expect_code(1).expect_no_data();
        ran.expect_said(&["error: nothing has been changed from here", CUSTOMER_TENANT]);
    }
    assert_eq!(changes(&machine).len(), 1);
}

#[test]
fn the_hint_to_look_at_the_record_is_one_that_can_be_followed() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    let changed_elsewhere = machine.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).expect_code(1);
    machine.run(&["product", "update", VISIO, "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    machine.run(&["product", "update", VISIO, "--value", "enabled", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    let entries = record(&machine);
    write(&machine, &entries[..2]);
    let changed_since = machine.run(&["undo", "--yes", "--tenant", CUSTOMER_DOMAIN]).expect_code(1);
    for ran in [changed_elsewhere, changed_since] {
        let hint = ran
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("hint: mscommerce "))
            .unwrap_or_else(|| panic!("{}", ran.stderr));
        machine.run(&hint.split(' ').collect::<Vec<_>>()).expect_code(0);
    }
}

#[test]
fn changes_under_another_policy_are_not_touched() {
    let machine = Machine::signed_in();
    write(
        &machine,
        &[
            entry("first", "Disabled", "Enabled"),
            with(entry("second", "Enabled", "Disabled"), &json!({ "policyId": "AllowEverything", "id": VISIO })),
        ],
    );
    let ran = machine.run(&["undo", "--yes", "-o", "json"]).expect_code(0);
    assert_eq!(column(&ran, "id"), [POWER_BI]);
    assert_eq!(machine.tenant.value_of(VISIO), "Disabled");
    machine.tenant.forget_requests();
    // Of a third policy nothing is known, and nothing is asked.
    let undo = ["undo", "--yes", "--policy-id", "AllowNothing"];
    machine.run(&undo).expect_code(1).expect_no_data().expect_said(&["AllowNothing", "nothing has been changed"]);
    assert!(machine.requests().is_empty());
}

#[test]
fn the_policy_is_the_same_in_any_case() {
    let machine = Machine::signed_in();
    let policy = ["--policy-id", "allowSELFservicepurchase"];
    machine.run(&[&["product", "update", POWER_BI, "--value", "disabled"][..], &policy].concat()).expect_code(0);
    machine.run(&["undo", "--yes"]).expect_code(0).expect_said(&["1 changed"]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}

#[test]
fn a_change_at_a_tenant_that_nobody_knows_is_never_taken_back() {
    let machine = Machine::signed_in();
    write(&machine, &[with(entry("r", "Disabled", "Enabled"), &json!({ "tenantId": null }))]);
    machine.run(&["undo", "--yes"]).expect_code(1).expect_no_data();
    assert!(changes(&machine).is_empty());
}

#[test]
fn another_profile_at_the_same_tenant_takes_back_the_same_run() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    let connect = ["connect", "--username", ADMIN, "--password-stdin", "--profile", "lab"];
    machine.run_with_input(&connect, PASSWORD).expect_code(0);
    machine.run(&["undo", "--yes", "--profile", "lab"]).expect_code(0).expect_said(&["1 changed"]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}
