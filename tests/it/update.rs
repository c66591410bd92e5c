//! Changing one product: Update-MSCommerceProductPolicy and its parameters.

use serde_json::json;

use crate::support::env::Machine;
use crate::tenant::{Answer, Product, READER};

const PRO: &str = "CFQ7TTC0H9MP";
const GET_PRO: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP";
const PUT_PRO: &str = "PUT /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP";

#[test]
fn an_update_reads_once_writes_once_and_tells_what_it_did() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "-o", "json"]).expect_code(0);
    insta::assert_snapshot!("changed_json", ran.stdout);
    assert_eq!(
        ran.stderr,
        "Changed in the tenant 11111111-1111-4111-8111-111111111111:\n  Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled\n"
    );
    assert_eq!(machine.requests(), [GET_PRO, PUT_PRO]);
    let put = &machine.tenant.requests()[1];
    assert_eq!(
        (put.body.as_str(), put.header("content-type")),
        (r#"{"policyValue":"Disabled"}"#, Some("application/json"))
    );
    assert_eq!(machine.tenant.value_of(PRO), "Disabled");
}

#[test]
fn a_value_that_is_right_already_is_not_written() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["product", "update", PRO, "--value", "ENABLED", "-o", "json"]).expect_code(0);
    assert_eq!((&ran.json()["outcome"], &ran.json()["previousValue"]), (&json!("unchanged"), &json!("Enabled")));
    ran.expect_said(&["Nothing to change: Power BI Pro (CFQ7TTC0H9MP) is Enabled already."]);
    assert_eq!(machine.requests(), [GET_PRO]);
}

#[test]
fn every_value_has_its_wire_spelling() {
    let machine = Machine::signed_in();
    for (value, wire) in [
        ("trials", "OnlyTrialsWithoutPaymentMethod"),
        ("disabled", "Disabled"),
        ("only-trials-without-payment-method", "OnlyTrialsWithoutPaymentMethod"),
        ("Enabled", "Enabled"),
        ("OnlyTrialsWithoutPaymentMethod", "OnlyTrialsWithoutPaymentMethod"),
    ] {
        machine.run(&["product", "update", PRO, "--value", value]).expect_code(0);
        assert_eq!(machine.tenant.value_of(PRO), wire);
    }
}

#[test]
fn enabled_takes_true_and_false() {
    let machine = Machine::signed_in();
    for (flag, wire) in [("false", "Disabled"), ("True", "Enabled"), ("FALSE", "Disabled")] {
        machine.run(&["product", "update", PRO, "--enabled", flag]).expect_code(0);
        assert_eq!(machine.tenant.value_of(PRO), wire);
    }
}

#[test]
fn an_offer_type_is_changed_by_its_id() {
    let machine = Machine::signed_in();
    let ran =
        machine.run(&["product", "update", "--offer-type", "SaaS", "--enabled", "false", "-o", "json"]).expect_code(0);
    assert_eq!((&ran.json()["scope"], &ran.json()["outcome"]), (&json!("offerType"), &json!("changed")));
    assert_eq!(machine.tenant.value_of("SaaS"), "Disabled");
    assert_eq!(machine.requests()[1], "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS");
}

#[test]
fn a_product_named_by_its_name_costs_no_further_request() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", "power bi pro", "--value", "disabled"]).expect_code(0);
    assert_eq!(machine.requests(), ["GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product", PUT_PRO]);
}

#[test]
fn dry_run_plans_and_writes_nothing() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "--dry-run", "-o", "json"]).expect_code(0);
    let record = ran.json();
    assert_eq!(
        (&record["policyValue"], &record["previousValue"], &record["outcome"]),
        (&json!("Disabled"), &json!("Enabled"), &json!("planned"))
    );
    let ran = machine
        .run(&["product", "update", PRO, "--value", "enabled", "--dry-run", "--confirm", "-o", "json"])
        .expect_code(0);
    assert_eq!(ran.json()["outcome"], "unchanged");
    assert_eq!(machine.requests(), [GET_PRO, GET_PRO]);
    assert_eq!(machine.tenant.value_of(PRO), "Enabled");
}

#[test]
fn confirm_without_a_terminal_is_refused_before_any_request() {
    let machine = Machine::signed_in();
    machine
        .run(&["product", "update", PRO, "--value", "disabled", "--confirm"])
        .expect_code(2)
        .expect_no_data()
        .expect_said(&["--confirm", "hint: "]);
    assert!(machine.requests().is_empty());
}

#[test]
fn an_answer_that_shows_another_value_is_a_failure() {
    let machine = Machine::signed_in();
    machine.tenant.misreport_updates(true);
    let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "-o", "json"]).expect_code(1);
    let record = ran.json();
    assert_eq!((&record["outcome"], &record["policyValue"]), (&json!("failed"), &json!("Enabled")));
    assert!(record["error"].as_str().unwrap().contains("the service shows Enabled"), "{record}");
    ran.expect_said(&[
        "error: could not change product CFQ7TTC0H9MP",
        "the service shows Enabled",
        "hint: see what it is now: mscommerce product get CFQ7TTC0H9MP",
    ]);
}

#[test]
fn an_answer_for_another_product_is_a_failure() {
    let machine = Machine::signed_in();
    let other = json!({"policyId": "AllowSelfServicePurchase", "policyValue": "Disabled", "scope": "Product", "productId": "CFQ7TTC0LH2H", "productName": "Power Apps per user"});
    machine.tenant.fail_next("PUT ", Answer::json(200, &other));
    let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "-o", "json"]).expect_code(1);
    // The record stays that of the product that was meant, whose value nobody knows now.
    let record = ran.json();
    assert_eq!((&record["id"], &record["policyValue"]), (&json!(PRO), &json!(null)));
    ran.expect_said(&["the service answered for Power Apps per user (CFQ7TTC0LH2H) in the place of Power BI Pro"]);
}

#[test]
fn an_answer_that_cannot_be_understood_leaves_the_value_open() {
    let machine = Machine::signed_in();
    for answer in [
        Answer::json(200, &json!([1])),
        Answer::text(204, "application/json", ""),
        Answer::text(502, "text/plain", "bad gateway"),
    ] {
        machine.tenant.fail_next("PUT ", answer);
        let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "-o", "json"]).expect_code(1);
        let record = ran.json();
        assert_eq!(
            (&record["outcome"], &record["policyValue"], &record["previousValue"]),
            (&json!("failed"), &json!(null), &json!("Enabled"))
        );
        ran.expect_said(&["correlation id: ", "hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"]);
    }
}

#[test]
fn a_refused_change_tells_the_roles_and_keeps_the_value() {
    let machine = Machine::new();
    machine.sign_in(READER);
    let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "-o", "json"]).expect_code(1);
    let record = ran.json();
    assert_eq!((&record["outcome"], &record["policyValue"]), (&json!("failed"), &json!("Enabled")));
    ran.expect_said(&[
        "error: could not change product CFQ7TTC0H9MP: the service answered 403 Forbidden",
        "Forbidden: User does not have the required role.",
        "hint: a change needs the role Global Administrator or Billing Administrator",
    ]);
}

#[test]
fn a_value_the_service_added_later_can_be_changed_away_from() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![Product::new(PRO, "Power BI Pro", "OnlyOnTuesdays")]);
    let ran = machine.run(&["product", "update", PRO, "--value", "disabled", "-o", "json"]).expect_code(0);
    assert_eq!(ran.json()["previousValue"], "OnlyOnTuesdays");
}

#[test]
fn what_an_answer_leaves_out_is_known_from_before() {
    let machine = Machine::signed_in();
    machine.tenant.fail_next("PUT ", Answer::json(200, &json!({"policyValue": "Disabled"})));
    let ran = machine.run(&["product", "update", "--offer-type", "SaaS", "--value", "disabled", "-o", "json"]);
    let record = ran.expect_code(0).json();
    assert_eq!((&record["scope"], &record["id"]), (&json!("offerType"), &json!("SaaS")));
    assert_eq!((&record["name"], &record["policyValue"]), (&json!("Software as a Service"), &json!("Disabled")));
}
