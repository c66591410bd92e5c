//! Changes whose answer was lost, and what is claimed of them afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::server::{Server, http_response};
use crate::tenant::{Response, default_products};

fn item(value: &str) -> String {
    json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product", "productId": POWER_BI,
        "productName": "Power BI Pro" })
    .to_string()
}

/// A change whose first try the service makes without answering, and whose later tries come to these statuses.
#[track_caller]
fn change_that_comes_to(statuses: &'static [u16], prepare: impl FnOnce(&TestEnv)) -> CliResult {
    let puts = AtomicUsize::new(0);
    let server = Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            if request.method != "PUT" {
                connection.respond_json(&item("Enabled"));
                continue;
            }
            let Some(before) = puts.fetch_add(1, Ordering::SeqCst).checked_sub(1) else { return };
            let body = r#"{"errorCode":"Odd","reason":"No."}"#;
            connection.send(http_response(statuses[before], "application/json", body).as_bytes());
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

/// Nobody knows the value, and it is not claimed that anybody does.
#[track_caller]
fn expect_uncertain(result: &CliResult) {
    assert_eq!(result.code, 1, "{result:?}");
    assert_eq!(result.json()["outcome"], "failed", "{result:?}");
    assert_eq!(result.json()["policyValue"], Value::Null, "the first try may have made it: {result:?}");
    assert!(
        result.stderr.contains("hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"),
        "{}",
        result.stderr
    );
}

#[test]
fn a_change_that_may_have_been_made_before_a_renewal_failed_is_not_told_as_unmade() {
    let fault = Response::json(501, &json!({}));
    expect_uncertain(&change_that_comes_to(&[401], |env| env.tenant.fail_next("/token", fault)));
}

#[test]
fn a_change_that_may_have_been_made_before_a_renewal_is_not_told_as_refused_alone() {
    for statuses in [&[401, 403][..], &[401, 409], &[401, 404]] {
        expect_uncertain(&change_that_comes_to(statuses, |_| {}));
    }
}

#[test]
fn an_undo_whose_answer_was_lost_is_not_taken_back_by_the_next_one() {
    let env = TestEnv::signed_in();
    env.run(&["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes"]).assert_code(0);
    let before = |id: &str| default_products().into_iter().find(|product| product.id == id).unwrap().value;
    let path = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}");
    env.tenant.fail_times(5, &path, Response::json(503, &json!({})));
    env.run(&["undo", "--yes"]).assert_code(1);
    // What was answered 503 was done all the same.
    env.tenant.set_value(POWER_BI, &before(POWER_BI));
    env.run(&["undo", "--yes"]);
    for id in [POWER_BI, VISIO] {
        assert_eq!(env.tenant.value(id), before(id), "{id} is as it was before the run that is taken back");
    }
}
