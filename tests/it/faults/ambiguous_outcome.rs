//! Updates whose response was lost, and the outcome that is reported.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::server::{Server, http_response};
use crate::support::snapshot::Transcript;
use crate::tenant::{Response, default_products};

fn item(value: &str) -> String {
    json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product", "productId": POWER_BI,
        "productName": "Power BI Pro" })
    .to_string()
}

/// An update whose first attempt gets no response; the later attempts get these statuses.
#[track_caller]
fn update_with_statuses(statuses: &'static [u16], prepare: impl FnOnce(&TestEnv)) -> CliResult {
    let puts = AtomicUsize::new(0);
    let server = Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            if request.method != "PUT" {
                connection.respond_json(&item("Enabled"));
                continue;
            }
            let Some(index) = puts.fetch_add(1, Ordering::SeqCst).checked_sub(1) else { return };
            let body = r#"{"errorCode":"Odd","reason":"No."}"#;
            connection.send(http_response(statuses[index], "application/json", body).as_bytes());
        }
    });
    let env = TestEnv::signed_in();
    prepare(&env);
    let arguments = ["product", "update", POWER_BI, "--value", "disabled", "-o", "json"];
    let result = env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &server.http())], &arguments);
    let puts = server.finish().requests.iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, statuses.len() + 1, "{result:?}");
    result
}

/// Asserts that the result does not claim to know the current value.
#[track_caller]
fn assert_unknown_outcome(result: &CliResult) {
    assert_eq!(result.code, 1, "{result:?}");
    assert_eq!(result.json()["outcome"], "failed", "{result:?}");
    assert_eq!(result.json()["policyValue"], Value::Null, "the first attempt may have been applied: {result:?}");
}

#[test]
fn update_ambiguous_then_failed_refresh_is_unknown() {
    let fault = Response::json(501, &json!({}));
    let result = update_with_statuses(&[401], |env| env.tenant.fail_next("/token", fault));
    assert_unknown_outcome(&result);
    cli_snapshot!(result, @r#"
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": null,
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: could not renew the saved sign-in at the tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] answered 501 Not Implemented; {}; before that: the service answered 401 Unauthorized; Odd: No.; correlation id: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: could not renew the saved sign-in at the tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] answered 501 Not Implemented
      {}
      before that: the service answered 401 Unauthorized
      Odd: No.
      correlation id: [UUID]
    hint: try again in a minute
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn update_ambiguous_then_refresh_then_4xx_is_unknown() {
    let mut transcript = Transcript::default();
    for statuses in [&[401, 403][..], &[401, 409], &[401, 404]] {
        let result = transcript.push(format!("{statuses:?}"), update_with_statuses(statuses, |_| {}));
        assert_unknown_outcome(&result);
    }
    cli_snapshot!(transcript, @r#"
    ===== [401, 403] =====
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": null,
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: the service answered 403 Forbidden; Odd: No.; correlation id: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service answered 403 Forbidden
      Odd: No.
      correlation id: [UUID]
    hint: a change needs the role Global Administrator or Billing Administrator in this tenant
    hint: a partner needs such a role over GDAP
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    hint: see which account and tenant served: mscommerce status
    ===== [401, 409] =====
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": null,
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: the service answered 409 Conflict; Odd: No.; correlation id: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service answered 409 Conflict
      Odd: No.
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== [401, 404] =====
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": null,
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: the service answered 404 Not Found; Odd: No.; correlation id: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service answered 404 Not Found
      Odd: No.
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn undo_after_ambiguous_undo_restores_same_run() {
    let env = TestEnv::signed_in();
    env.run(&["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes"]).assert_code(0);
    let before = |id: &str| default_products().into_iter().find(|product| product.id == id).unwrap().value;
    let path = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}");
    env.tenant.fail_times(5, &path, Response::json(503, &json!({})));
    env.run(&["undo", "--yes"]).assert_code(1);
    // The request was applied although the response was 503.
    env.tenant.set_value(POWER_BI, &before(POWER_BI));
    env.run(&["undo", "--yes"]);
    for id in [POWER_BI, VISIO] {
        assert_eq!(env.tenant.value(id), before(id), "{id} has its value from before the undone run");
    }
}
