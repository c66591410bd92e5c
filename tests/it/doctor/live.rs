//! `doctor --live-report`: facts about the real service that no public source shows.

use super::*;
use crate::connect_browser::BrowserSignIn;
use crate::tenant::{CUSTOMER_TENANT, HOME_DOMAIN, NOBODY};

const LIVE: &[&str] = &["--live-report"];

/// The points of the report in order. Each starts with its number.
fn points(result: &Steps) -> Vec<Value> {
    result.json().into_iter().filter(|step| step["step"] == "live-report").collect()
}

/// Asserts that the point of this number has this outcome and contains this text.
#[track_caller]
fn assert_point(result: &Steps, number: usize, outcome: &str, text: &str) {
    let points = points(result);
    let has_number = |step: &&Value| step["target"].as_str().unwrap().starts_with(&format!("{number} "));
    let found: Vec<_> = points.iter().filter(has_number).collect();
    assert!(!found.is_empty(), "no point {number}: {points:?}");
    let matches = |step: &&Value| step["outcome"] == outcome && step["finding"].as_str().unwrap().contains(text);
    assert!(found.iter().any(matches), "{outcome} {text}\n{found:#?}");
}

fn signed_in_by_browser() -> TestEnv {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    waiting.sign_in();
    waiting.finish().assert_code(0);
    env
}

#[test]
fn live_report_has_eight_points() {
    let env = signed_in_by_browser();
    let result = doctor(&env, &["--live-report", "--tenant", CUSTOMER_TENANT]).assert_code(0);
    for (number, outcome, text) in [
        (1, "passed", "the sign-in worked; its token was accepted (status 200)"),
        (2, "skipped", "made by browser"),
        (3, "skipped", "made by browser"),
        (
            4,
            "passed",
            r#"without a token: status 401, no Retry-After, body: {errorCode: "Unauthorized", reason: "Missing bearer token."}"#,
        ),
        (5, "passed", "items, and beside them nothing"),
        (6, "passed", "a token for 22222222-2222-4222-8222-222222222222 was granted; its token was accepted"),
        (7, "passed", r#"CFQ7TTC0KP0P: status 404, body: {errorCode: "NotFound""#),
        (8, "skipped", "only a change shows it"),
    ] {
        assert_point(&result, number, outcome, text);
    }
    assert_eq!(points(&result).len(), 8);
    assert!(points(&doctor(&env, &[])).is_empty());
}

#[test]
fn live_report_home_tenant_is_not_partner() {
    let env = signed_in_by_browser();
    for (tenant, outcome) in [(HOME_TENANT, "skipped"), (HOME_DOMAIN, "skipped"), (CUSTOMER_DOMAIN, "passed")] {
        let result = doctor(&env, &["--live-report", "--tenant", tenant]).assert_code(0);
        assert_point(&result, 6, outcome, "");
    }
}

#[test]
fn live_report_device_code_sign_in() {
    let env = TestEnv::new();
    env.run(&["connect", "--device-code"]).assert_code(0);
    let result = doctor(&env, LIVE).assert_code(0);
    assert_point(&result, 1, "skipped", "made by device-code");
    assert_point(&result, 2, "passed", "its token was accepted");
    assert_point(&result, 6, "skipped", "no customer's tenant is named");
}

#[test]
fn live_report_403_shows_body_shape_only() {
    let env = TestEnv::new();
    env.sign_in(NOBODY);
    let body =
        json!({"errorCode": "Forbidden", "reason": "No role.", "user": NOBODY, "inner": {"id": "an-id-of-theirs"}});
    env.tenant.fail_next("GET /v1.0/policies/", Response::json(403, &body));
    let result = doctor(&env, LIVE).assert_code(1);
    let shape = r#"with a token: status 403, no Retry-After, body: {errorCode: "Forbidden", inner: {id: string}, reason: "No role.", user: string}"#;
    assert_point(&result, 4, "passed", shape);
    for number in [5, 7] {
        assert_point(&result, number, "skipped", "the policy was not read");
    }
    for point in points(&result) {
        assert!(!point["finding"].as_str().unwrap().contains("an-id-of-theirs"), "{point}");
    }
}

#[test]
fn live_report_list_and_renumbered_id() {
    let env = TestEnv::signed_in();
    let listing = json!({"items": [{"productId": "a"}], "nextLink": "https://elsewhere.example/?token=1", "total": 1});
    env.tenant.fail_next("scope=product", Response::json(401, &json!({})));
    env.tenant.fail_next("scope=product", Response::json(200, &listing));
    let item = json!({"policyId": "AllowSelfServicePurchase", "policyValue": "Enabled", "scope": "Product",
        "productId": "CFQ7TTC0LH2H", "productName": "Power Apps per user"});
    env.tenant.fail_next("CFQ7TTC0KP0P", Response::json(200, &item));
    let result = doctor(&env, LIVE).assert_code(0);
    assert_point(&result, 4, "passed", "without a token: status 401, no Retry-After, body: {}");
    assert_point(&result, 5, "passed", "1 items, and beside them nextLink, total");
    assert_point(&result, 7, "passed", "CFQ7TTC0KP0P is answered (status 200), as CFQ7TTC0LH2H");
    assert!(!result.0.stdout.contains("elsewhere.example"));
}

#[test]
fn live_report_without_credential_skips_all() {
    let result = doctor(&TestEnv::new(), LIVE).assert_code(1);
    assert_eq!(points(&result).len(), 8);
    assert!(points(&result).iter().all(|point| point["outcome"] == "skipped"));
}

#[test]
fn live_report_without_network_skips_requests() {
    let env = TestEnv::signed_in();
    let port = crate::support::server::RefusingPort::new();
    let result = env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &port.http())], &["doctor", "-o", "json", "--live-report"]);
    let result = Steps(result.stderr_contains(&["1 of ", "steps failed: tcp"])).assert_code(1);
    for number in [4, 5, 7] {
        assert_point(&result, number, "skipped", "");
    }
    assert_eq!(points(&result).len(), 8);
}

#[test]
fn live_report_application_token() {
    let env = TestEnv::new();
    let variables =
        [("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_ID", APP_ID), ("AZURE_CLIENT_SECRET", APP_SECRET)];
    let result = env.run_with_env(&variables, &["doctor", "-o", "json", "--live-report"]);
    let result = Steps(result).assert_code(0);
    assert_point(&result, 3, "passed", "its token was accepted");
    assert!(!result.0.stdout.contains(APP_SECRET));
}
