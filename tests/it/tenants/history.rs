//! The record of changes at several tenants, and taking them back.

use super::*;
use crate::tenant::default_products;

const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];
const TRIALS: &str = "OnlyTrialsWithoutPaymentMethod";

/// Three changes: one at the customer, where Visio offers trials already, and two at home.
fn changed() -> Machine {
    let machine = known_partner();
    machine.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], UPDATE)).expect_code(0);
    machine.tenant.forget_requests();
    machine
}

fn history(machine: &Machine, more: &[&str]) -> Ran {
    machine.run(&[&["history", "-o", "json"], more].concat()).expect_code(0)
}

fn of(tenant: &str) -> impl Fn(&Value) -> bool {
    move |entry| entry["tenantId"] == tenant
}

#[test]
fn each_change_is_recorded_with_its_tenant_as_one_run() {
    let machine = changed();
    let entries = record_of_changes(&machine);
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

    assert_eq!(history(&machine, &[]).json().as_array().unwrap().len(), 3);
    for (tenant, count) in [(HOME_TENANT, 2), (CUSTOMER_TENANT, 1), (THIRD_TENANT, 0)] {
        let shown = history(&machine, &["--tenant", tenant]).json();
        assert_eq!(shown.as_array().unwrap().len(), count);
        assert!(shown.as_array().unwrap().iter().all(of(tenant)));
    }
}

#[test]
fn an_application_is_recorded_as_whoever_changed_it() {
    let machine = Machine::new();
    machine.run_with(&application(), &at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], UPDATE)).expect_code(0);
    let entries = record_of_changes(&machine);
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry["account"] == APP_ID));
    assert_eq!(entries.iter().filter(|entry| of(CUSTOMER_TENANT)(entry)).count(), 1);
}

#[test]
fn a_tenant_that_failed_has_no_record() {
    let machine = known_partner();
    machine.tenant.fail_next("GET ", refusal(403, "Forbidden", "No."));
    let update = [UPDATE, &["--jobs", "1"]].concat();
    let ran = machine.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN, "nowhere.example"], &update)).expect_code(4);
    assert_eq!(tenants(&ran), [HOME_TENANT]);
    let entries = record_of_changes(&machine);
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(of(HOME_TENANT)));
}

#[test]
fn undo_takes_back_one_tenants_part_and_then_anothers() {
    let machine = changed();
    let undo = ["undo", "--yes", "-o", "json"];
    let ran = machine.run(&at(&[HOME_DOMAIN], &undo)).expect_code(0);
    assert_eq!(column(&ran, "id"), [POWER_BI, VISIO]);
    for item in default_products() {
        assert_eq!(machine.tenant.value_of(&item.id), item.value);
    }
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, POWER_BI), TRIALS, "the other tenant's part stays");
    let sent = changes(&machine.tenant.requests());
    assert!(sent.iter().all(|(tenant, _)| tenant == HOME_TENANT), "{sent:?}");

    let ran = machine.run(&at(&[CUSTOMER_TENANT], &undo)).expect_code(0);
    assert_eq!(column(&ran, "id"), [POWER_BI]);
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, POWER_BI), "Disabled");
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, VISIO), TRIALS, "it was so before");
    // Where nothing was changed there is nothing to take back.
    machine.run(&at(&[THIRD_DOMAIN], &undo)).expect_code(1).expect_no_data().expect_said(&["nothing has been changed"]);
}

#[test]
fn what_is_undone_at_one_tenant_can_be_undone_again_there() {
    let machine = changed();
    let undo = ["undo", "--yes"];
    for (value, at_home) in [("Enabled", HOME_DOMAIN), (TRIALS, HOME_DOMAIN)] {
        machine.run(&at(&[at_home], &undo)).expect_code(0);
        assert_eq!(machine.tenant.value_of(POWER_BI), value);
    }
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, POWER_BI), TRIALS);
}

#[test]
fn a_record_that_cannot_be_kept_is_told_once() {
    let machine = known_partner();
    fs::create_dir(machine.state().join("changes.jsonl")).unwrap();
    let ran = machine.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN], UPDATE)).expect_code(0);
    assert_eq!(column(&ran, "outcome").iter().filter(|outcome| *outcome == "changed").count(), 5);
    assert_eq!(ran.stderr.matches("are not recorded").count(), 1, "{}", ran.stderr);
}
