//! `doctor --live-report`: what a sign-in and some reads show of what no public source shows.

use super::*;
use crate::connect_browser::BrowserSignIn;
use crate::tenant::{CUSTOMER_TENANT, HOME_DOMAIN, NOBODY};

const LIVE: &[&str] = &["--live-report"];

/// The points of the report, in order: each begins with its number.
fn points(result: &CliResult) -> Vec<Value> {
    steps(result).into_iter().filter(|step| step["step"] == "live-report").collect()
}

/// The point of this number has this outcome, and says this.
#[track_caller]
fn expect_point(result: &CliResult, number: usize, outcome: &str, said: &str) {
    let points = points(result);
    let of_number = |step: &&Value| step["target"].as_str().unwrap().starts_with(&format!("{number} "));
    let found: Vec<_> = points.iter().filter(of_number).collect();
    assert!(!found.is_empty(), "there is no point {number}: {points:?}");
    let fits = |step: &&Value| step["outcome"] == outcome && step["finding"].as_str().unwrap().contains(said);
    assert!(found.iter().any(fits), "{outcome} {said}\n{found:#?}");
}

fn signed_in_by_browser() -> TestEnv {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    waiting.sign_in();
    waiting.finish().assert_code(0);
    env
}

#[test]
fn what_only_the_real_service_shows_is_recorded_where_a_read_can_show_it() {
    let env = signed_in_by_browser();
    let result = doctor(&env, &["--live-report", "--tenant", CUSTOMER_TENANT]).assert_code(0);
    for (number, outcome, said) in [
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
        expect_point(&result, number, outcome, said);
    }
    assert_eq!(points(&result).len(), 8);
    assert!(points(&doctor(&env, &[])).is_empty());
}

#[test]
fn ones_own_tenant_under_another_name_is_no_customers() {
    let env = signed_in_by_browser();
    for (tenant, outcome) in [(HOME_TENANT, "skipped"), (HOME_DOMAIN, "skipped"), (CUSTOMER_DOMAIN, "passed")] {
        let result = doctor(&env, &["--live-report", "--tenant", tenant]).assert_code(0);
        expect_point(&result, 6, outcome, "");
    }
}

#[test]
fn a_sign_in_by_device_code_is_recorded_as_one_that_works() {
    let env = TestEnv::new();
    env.run(&["connect", "--device-code"]).assert_code(0);
    let result = doctor(&env, LIVE).assert_code(0);
    expect_point(&result, 1, "skipped", "made by device-code");
    expect_point(&result, 2, "passed", "its token was accepted");
    expect_point(&result, 6, "skipped", "no customer's tenant is named");
}

#[test]
fn a_refusal_is_recorded_by_its_shape_and_fails_no_further_step() {
    let env = TestEnv::new();
    env.sign_in(NOBODY);
    let body =
        json!({"errorCode": "Forbidden", "reason": "No role.", "user": NOBODY, "inner": {"id": "an-id-of-theirs"}});
    env.tenant.fail_next("GET /v1.0/policies/", Response::json(403, &body));
    let result = doctor(&env, LIVE).assert_code(1).stderr_contains(&["1 of ", "steps failed: policy"]);
    let shape = r#"with a token: status 403, no Retry-After, body: {errorCode: "Forbidden", inner: {id: string}, reason: "No role.", user: string}"#;
    expect_point(&result, 4, "passed", shape);
    for number in [5, 7] {
        expect_point(&result, number, "skipped", "the policy was not read");
    }
    for point in points(&result) {
        assert!(!point["finding"].as_str().unwrap().contains("an-id-of-theirs"), "{point}");
    }
}

#[test]
fn what_a_listing_and_an_old_id_are_answered_with_is_told_as_it_is() {
    let env = TestEnv::signed_in();
    let listing = json!({"items": [{"productId": "a"}], "nextLink": "https://elsewhere.example/?token=1", "total": 1});
    env.tenant.fail_next("scope=product", Response::json(401, &json!({})));
    env.tenant.fail_next("scope=product", Response::json(200, &listing));
    let item = json!({"policyId": "AllowSelfServicePurchase", "policyValue": "Enabled", "scope": "Product",
        "productId": "CFQ7TTC0LH2H", "productName": "Power Apps per user"});
    env.tenant.fail_next("CFQ7TTC0KP0P", Response::json(200, &item));
    let result = doctor(&env, LIVE).assert_code(0);
    expect_point(&result, 4, "passed", "without a token: status 401, no Retry-After, body: {}");
    expect_point(&result, 5, "passed", "1 items, and beside them nextLink, total");
    expect_point(&result, 7, "passed", "CFQ7TTC0KP0P is answered (status 200), as CFQ7TTC0LH2H");
    assert!(!result.stdout.contains("elsewhere.example"));
}

#[test]
fn without_a_credential_nothing_is_settled() {
    let result = doctor(&TestEnv::new(), LIVE).assert_code(1).stderr_contains(&["1 of "]);
    assert_eq!(points(&result).len(), 8);
    assert!(points(&result).iter().all(|point| point["outcome"] == "skipped"));
}

#[test]
fn without_a_network_nothing_is_settled_and_nothing_more_is_tried() {
    let env = TestEnv::signed_in();
    let port = crate::support::server::RefusingPort::new();
    let result = env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &port.http())], &["doctor", "-o", "json", "--live-report"]);
    let result = result.assert_code(1).stderr_contains(&["1 of ", "steps failed: tcp"]);
    for number in [4, 5, 7] {
        expect_point(&result, number, "skipped", "");
    }
    assert_eq!(points(&result).len(), 8);
}
