//! Changing one product: Update-MSCommerceProductPolicy and its parameters.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::fixtures::{LIST_PRODUCTS, POWER_BI, get_product, put_product};
use crate::tenant::{Product, READER, Response};

#[test]
fn an_update_reads_once_writes_once_and_tells_what_it_did() {
    let env = TestEnv::signed_in();
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(0);
    insta::assert_snapshot!("changed_json", result.stdout);
    assert_eq!(
        result.stderr,
        "Changed in the tenant 11111111-1111-4111-8111-111111111111:\n  Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled\n"
    );
    assert_eq!(env.request_lines(), [get_product(POWER_BI), put_product(POWER_BI)]);
    let put = &env.tenant.requests()[1];
    assert_eq!(
        (put.body.as_str(), put.header("content-type")),
        (r#"{"policyValue":"Disabled"}"#, Some("application/json"))
    );
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn a_value_that_is_right_already_is_not_written() {
    let env = TestEnv::signed_in();
    let result = env.run(&["product", "update", POWER_BI, "--value", "ENABLED", "-o", "json"]).assert_code(0);
    assert_eq!((&result.json()["outcome"], &result.json()["previousValue"]), (&json!("unchanged"), &json!("Enabled")));
    result.stderr_contains(&["Nothing to change: Power BI Pro (CFQ7TTC0H9MP) is Enabled already."]);
    assert_eq!(env.request_lines(), [get_product(POWER_BI)]);
}

#[test]
fn every_value_has_its_wire_spelling() {
    let env = TestEnv::signed_in();
    for (value, wire) in [
        ("trials", "OnlyTrialsWithoutPaymentMethod"),
        ("disabled", "Disabled"),
        ("only-trials-without-payment-method", "OnlyTrialsWithoutPaymentMethod"),
        ("Enabled", "Enabled"),
        ("OnlyTrialsWithoutPaymentMethod", "OnlyTrialsWithoutPaymentMethod"),
    ] {
        env.run(&["product", "update", POWER_BI, "--value", value]).assert_code(0);
        assert_eq!(env.tenant.value(POWER_BI), wire);
    }
}

#[test]
fn enabled_takes_true_and_false() {
    let env = TestEnv::signed_in();
    for (flag, wire) in [("false", "Disabled"), ("True", "Enabled"), ("FALSE", "Disabled")] {
        env.run(&["product", "update", POWER_BI, "--enabled", flag]).assert_code(0);
        assert_eq!(env.tenant.value(POWER_BI), wire);
    }
}

#[test]
fn an_offer_type_is_changed_by_its_id() {
    let env = TestEnv::signed_in();
    let result =
        env.run(&["product", "update", "--offer-type", "SaaS", "--enabled", "false", "-o", "json"]).assert_code(0);
    assert_eq!((&result.json()["scope"], &result.json()["outcome"]), (&json!("offerType"), &json!("changed")));
    assert_eq!(env.tenant.value("SaaS"), "Disabled");
    assert_eq!(env.request_lines()[1], "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS");
}

#[test]
fn a_product_named_by_its_name_costs_no_further_request() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", "power bi pro", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS, &put_product(POWER_BI)]);
}

#[test]
fn dry_run_plans_and_writes_nothing() {
    let env = TestEnv::signed_in();
    let result =
        env.run(&["product", "update", POWER_BI, "--value", "disabled", "--dry-run", "-o", "json"]).assert_code(0);
    let record = result.json();
    assert_eq!(
        (&record["policyValue"], &record["previousValue"], &record["outcome"]),
        (&json!("Disabled"), &json!("Enabled"), &json!("planned"))
    );
    let result = env
        .run(&["product", "update", POWER_BI, "--value", "enabled", "--dry-run", "--confirm", "-o", "json"])
        .assert_code(0);
    assert_eq!(result.json()["outcome"], "unchanged");
    assert_eq!(env.request_lines(), [get_product(POWER_BI), get_product(POWER_BI)]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn confirm_without_a_terminal_is_refused_before_any_request() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled", "--confirm"])
        .assert_code(2)
        .stdout_is_empty()
        .stderr_contains(&["--confirm", "hint: "]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_answer_that_shows_another_value_is_a_failure() {
    let env = TestEnv::signed_in();
    env.tenant.misreport_updates(true);
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(1);
    let record = result.json();
    assert_eq!((&record["outcome"], &record["policyValue"]), (&json!("failed"), &json!("Enabled")));
    assert!(record["error"].as_str().unwrap().contains("the service shows Enabled"), "{record}");
    result.stderr_contains(&[
        "error: could not change product CFQ7TTC0H9MP",
        "the service shows Enabled",
        "hint: see what it is now: mscommerce product get CFQ7TTC0H9MP",
    ]);
}

#[test]
fn an_answer_for_another_product_is_a_failure() {
    let env = TestEnv::signed_in();
    let other = json!({"policyId": "AllowSelfServicePurchase", "policyValue": "Disabled", "scope": "Product", "productId": "CFQ7TTC0LH2H", "productName": "Power Apps per user"});
    env.tenant.fail_next("PUT ", Response::json(200, &other));
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(1);
    // The record stays that of the product that was meant, whose value nobody knows now.
    let record = result.json();
    assert_eq!((&record["id"], &record["policyValue"]), (&json!(POWER_BI), &json!(null)));
    result
        .stderr_contains(&["the service answered for Power Apps per user (CFQ7TTC0LH2H) in the place of Power BI Pro"]);
}

#[test]
fn an_answer_that_cannot_be_understood_leaves_the_value_open() {
    let env = TestEnv::signed_in();
    for response in [
        Response::json(200, &json!([1])),
        Response::text(204, "application/json", ""),
        Response::text(502, "text/plain", "bad gateway"),
    ] {
        env.tenant.fail_next("PUT ", response);
        let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(1);
        let record = result.json();
        assert_eq!(
            (&record["outcome"], &record["policyValue"], &record["previousValue"]),
            (&json!("failed"), &json!(null), &json!("Enabled"))
        );
        result.stderr_contains(&["correlation id: ", "hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"]);
    }
}

#[test]
fn a_refused_change_tells_the_roles_and_keeps_the_value() {
    let env = TestEnv::new();
    env.sign_in(READER);
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(1);
    let record = result.json();
    assert_eq!((&record["outcome"], &record["policyValue"]), (&json!("failed"), &json!("Enabled")));
    result.stderr_contains(&[
        "error: could not change product CFQ7TTC0H9MP: the service answered 403 Forbidden",
        "Forbidden: User does not have the required role.",
        "hint: a change needs the role Global Administrator or Billing Administrator",
    ]);
}

#[test]
fn a_value_the_service_added_later_can_be_changed_away_from() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "OnlyOnTuesdays")]);
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-o", "json"]).assert_code(0);
    assert_eq!(result.json()["previousValue"], "OnlyOnTuesdays");
}

#[test]
fn what_an_answer_leaves_out_is_known_from_before() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT ", Response::json(200, &json!({"policyValue": "Disabled"})));
    let result = env.run(&["product", "update", "--offer-type", "SaaS", "--value", "disabled", "-o", "json"]);
    let record = result.assert_code(0).json();
    assert_eq!((&record["scope"], &record["id"]), (&json!("offerType"), &json!("SaaS")));
    assert_eq!((&record["name"], &record["policyValue"]), (&json!("Software as a Service"), &json!("Disabled")));
}
