//! `product update`: the counterpart of Update-MSCommerceProductPolicy and its parameters.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::fixtures::{LIST_PRODUCTS, POWER_BI, TRIALS, get_product, put_product};
use crate::support::snapshot::Transcript;
use crate::tenant::{Product, READER, Response};

/// Disables Power BI Pro.
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled", "-o", "json"];

#[test]
fn product_update_sends_one_get_and_one_put() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run(DISABLE), @r#"
    exit_code: 0
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Disabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "changed",
      "error": null
    }
    ----- stderr -----
    Changed in tenant 11111111-1111-4111-8111-111111111111: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    "#);
    assert_eq!(env.request_lines(), [get_product(POWER_BI), put_product(POWER_BI)]);
    let put = &env.tenant.requests()[1];
    assert_eq!(
        (put.body.as_str(), put.header("content-type")),
        (r#"{"policyValue":"Disabled"}"#, Some("application/json"))
    );
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn product_update_same_value_sends_no_put() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run(&["product", "update", POWER_BI, "--value", "ENABLED", "-o", "json"]), @r#"
    exit_code: 0
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Enabled",
      "previousValue": "Enabled",
      "outcome": "unchanged",
      "error": null
    }
    ----- stderr -----
    Nothing to change: Power BI Pro (CFQ7TTC0H9MP) is Enabled already.
    "#);
    assert_eq!(env.request_lines(), [get_product(POWER_BI)]);
}

#[test]
fn product_update_value_spellings() {
    let env = TestEnv::signed_in();
    for (argument, expected) in [
        ("trials", TRIALS),
        ("disabled", "Disabled"),
        ("only-trials-without-payment-method", TRIALS),
        ("Enabled", "Enabled"),
        (TRIALS, TRIALS),
    ] {
        env.run(&["product", "update", POWER_BI, "--value", argument]).assert_code(0);
        assert_eq!(env.tenant.value(POWER_BI), expected, "{argument}");
    }
}

#[test]
fn product_update_enabled_flag_takes_true_and_false() {
    let env = TestEnv::signed_in();
    for (argument, expected) in [("false", "Disabled"), ("True", "Enabled"), ("FALSE", "Disabled")] {
        env.run(&["product", "update", POWER_BI, "--enabled", argument]).assert_code(0);
        assert_eq!(env.tenant.value(POWER_BI), expected, "{argument}");
    }
}

#[test]
fn offer_type_update_uses_offer_types_path() {
    let env = TestEnv::signed_in();
    let result =
        env.run(&["product", "update", "--offer-type", "SaaS", "--enabled", "false", "-o", "json"]).assert_code(0);
    assert_eq!((&result.json()["scope"], &result.json()["outcome"]), (&json!("offerType"), &json!("changed")));
    assert_eq!(env.tenant.value("SaaS"), "Disabled");
    assert_eq!(env.request_lines()[1], "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS");
}

#[test]
fn product_update_by_name_needs_no_further_request() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", "power bi pro", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS, &put_product(POWER_BI)]);
}

#[test]
fn product_update_dry_run_sends_no_put() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    transcript.push("disabled", env.run(&[DISABLE, &["--dry-run"]].concat()));
    let enable = ["product", "update", POWER_BI, "--value", "enabled", "--dry-run", "--confirm", "-o", "json"];
    transcript.push("enabled, --confirm", env.run(&enable));
    cli_snapshot!(transcript, @r#"
    ===== disabled =====
    exit_code: 0
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "planned",
      "error": null
    }
    ===== enabled, --confirm =====
    exit_code: 0
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Enabled",
      "previousValue": "Enabled",
      "outcome": "unchanged",
      "error": null
    }
    "#);
    assert_eq!(env.request_lines(), [get_product(POWER_BI), get_product(POWER_BI)]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn product_update_confirm_needs_a_terminal() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run(&[DISABLE, &["--confirm"]].concat()), @"
    exit_code: 2
    ----- stderr -----
    error: confirmation required, but standard input is not a terminal; nothing was changed
    hint: add --yes to skip the confirmation prompt, or --dry-run to preview the changes
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn product_update_fails_if_value_is_not_applied() {
    let env = TestEnv::signed_in();
    env.tenant.misreport_updates(true);
    cli_snapshot!(env.run(DISABLE), @r#"
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: Power BI Pro (CFQ7TTC0H9MP) should be Disabled, but the service returned Enabled; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: Power BI Pro (CFQ7TTC0H9MP) should be Disabled, but the service returned Enabled
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn product_update_fails_on_response_for_other_product() {
    let env = TestEnv::signed_in();
    let other = json!({"policyId": "AllowSelfServicePurchase", "policyValue": "Disabled", "scope": "Product", "productId": "CFQ7TTC0LH2H", "productName": "Power Apps per user"});
    env.tenant.fail_next("PUT ", Response::json(200, &other));
    // The record is that of the requested product. Its value is now unknown.
    cli_snapshot!(env.run(DISABLE), @r#"
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "unknown",
      "error": "could not change product CFQ7TTC0H9MP: the service returned Power Apps per user (CFQ7TTC0LH2H) instead of Power BI Pro (CFQ7TTC0H9MP); correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned Power Apps per user (CFQ7TTC0LH2H) instead of Power BI Pro (CFQ7TTC0H9MP)
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn product_update_invalid_response_leaves_value_null() {
    struct Case {
        name: &'static str,
        response: Response,
    }

    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for Case { name, response } in [
        Case { name: "JSON array", response: Response::json(200, &json!([1])) },
        Case { name: "no content", response: Response::text(204, "application/json", "") },
        Case { name: "bad gateway", response: Response::text(502, "text/plain", "bad gateway") },
    ] {
        env.tenant.fail_next("PUT ", response);
        transcript.push(name, env.run(DISABLE));
    }
    cli_snapshot!(transcript, @r#"
    ===== JSON array =====
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "unknown",
      "error": "cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 200 OK); [1]; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 200 OK)
      [1]
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== no content =====
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "unknown",
      "error": "cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 204 No Content); the response has no body; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 204 No Content)
      the response has no body
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== bad gateway =====
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "unknown",
      "error": "could not change product CFQ7TTC0H9MP: the service returned 502 Bad Gateway; bad gateway; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 502 Bad Gateway
      bad gateway
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn product_update_forbidden_names_required_roles() {
    let env = TestEnv::new();
    env.sign_in(READER);
    cli_snapshot!(env.run(DISABLE), @r#"
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 403 Forbidden
      Forbidden: User does not have the required role.
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator or Billing Administrator in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    "#);
}

#[test]
fn product_update_replaces_unknown_value() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "OnlyOnTuesdays")]);
    let result = env.run(DISABLE).assert_code(0);
    assert_eq!(result.json()["previousValue"], "OnlyOnTuesdays");
}

#[test]
fn product_update_partial_response_keeps_known_fields() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT ", Response::json(200, &json!({"policyValue": "Disabled"})));
    cli_snapshot!(env.run(&["product", "update", "--offer-type", "SaaS", "--value", "disabled", "-o", "json"]), @r#"
    exit_code: 0
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "offerType",
      "id": "SaaS",
      "name": "Software as a Service",
      "policyValue": "Disabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "changed",
      "error": null
    }
    ----- stderr -----
    Changed in tenant 11111111-1111-4111-8111-111111111111: Software as a Service (SaaS): Enabled → Disabled
    "#);
}
