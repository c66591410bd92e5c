//! `doctor --live-report`: what a sign-in and some reads show of what no public source shows.

use super::*;
use crate::connect_browser::Waiting;
use crate::tenant::{CUSTOMER_TENANT, HOME_DOMAIN, NOBODY};

const LIVE: &[&str] = &["--live-report"];

/// The points of the report, in order: each begins with its number.
fn points(ran: &Ran) -> Vec<Value> {
    steps(ran).into_iter().filter(|step| step["step"] == "live-report").collect()
}

/// The point of this number has this outcome, and says this.
#[track_caller]
fn expect_point(ran: &Ran, number: usize, outcome: &str, said: &str) {
    let points = points(ran);
    let of_number = |step: &&Value| step["target"].as_str().unwrap().starts_with(&format!("{number} "));
    let found: Vec<_> = points.iter().filter(of_number).collect();
    assert!(!found.is_empty(), "there is no point {number}: {points:?}");
    let fits = |step: &&Value| step["outcome"] == outcome && step["finding"].as_str().unwrap().contains(said);
    assert!(found.iter().any(fits), "{outcome} {said}\n{found:#?}");
}

fn signed_in_by_browser() -> Machine {
    let machine = Machine::new();
    let waiting = Waiting::start(&machine, &[]);
    waiting.sign_in();
    waiting.finish().expect_code(0);
    machine
}

#[test]
fn what_only_the_real_service_shows_is_recorded_where_a_read_can_show_it() {
    let machine = signed_in_by_browser();
    let ran = doctor(&machine, &["--live-report", "--tenant", CUSTOMER_TENANT]).expect_code(0);
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
        expect_point(&ran, number, outcome, said);
    }
    assert_eq!(points(&ran).len(), 8);
    assert!(points(&doctor(&machine, &[])).is_empty());
}

#[test]
fn ones_own_tenant_under_another_name_is_no_customers() {
    let machine = signed_in_by_browser();
    for (tenant, outcome) in [(HOME_TENANT, "skipped"), (HOME_DOMAIN, "skipped"), (CUSTOMER_DOMAIN, "passed")] {
        let ran = doctor(&machine, &["--live-report", "--tenant", tenant]).expect_code(0);
        expect_point(&ran, 6, outcome, "");
    }
}

#[test]
fn a_sign_in_by_device_code_is_recorded_as_one_that_works() {
    let machine = Machine::new();
    machine.run(&["connect", "--device-code"]).expect_code(0);
    let ran = doctor(&machine, LIVE).expect_code(0);
    expect_point(&ran, 1, "skipped", "made by device-code");
    expect_point(&ran, 2, "passed", "its token was accepted");
    expect_point(&ran, 6, "skipped", "no customer's tenant is named");
}

#[test]
fn a_refusal_is_recorded_by_its_shape_and_fails_no_further_step() {
    let machine = Machine::new();
    machine.sign_in(NOBODY);
    let body =
        json!({"errorCode": "Forbidden", "reason": "No role.", "user": NOBODY, "inner": {"id": "an-id-of-theirs"}});
    machine.tenant.fail_next("GET /v1.0/policies/", Answer::json(403, &body));
    let ran = doctor(&machine, LIVE).expect_code(1).expect_said(&["1 of ", "steps failed: policy"]);
    let shape = r#"with a token: status 403, no Retry-After, body: {errorCode: "Forbidden", inner: {id: string}, reason: "No role.", user: string}"#;
    expect_point(&ran, 4, "passed", shape);
    for number in [5, 7] {
        expect_point(&ran, number, "skipped", "the policy was not read");
    }
    for point in points(&ran) {
        assert!(!point["finding"].as_str().unwrap().contains("an-id-of-theirs"), "{point}");
    }
}

#[test]
fn what_a_listing_and_an_old_id_are_answered_with_is_told_as_it_is() {
    let machine = Machine::signed_in();
    let listing = json!({"items": [{"productId": "a"}], "nextLink": "https://elsewhere.example/?token=1", "total": 1});
    machine.tenant.fail_next("scope=product", Answer::json(401, &json!({})));
    machine.tenant.fail_next("scope=product", Answer::json(200, &listing));
    let item = json!({"policyId": "AllowSelfServicePurchase", "policyValue": "Enabled", "scope": "Product",
        "productId": "CFQ7TTC0LH2H", "productName": "Power Apps per user"});
    machine.tenant.fail_next("CFQ7TTC0KP0P", Answer::json(200, &item));
    let ran = doctor(&machine, LIVE).expect_code(0);
    expect_point(&ran, 4, "passed", "without a token: status 401, no Retry-After, body: {}");
    expect_point(&ran, 5, "passed", "1 items, and beside them nextLink, total");
    expect_point(&ran, 7, "passed", "CFQ7TTC0KP0P is answered (status 200), as CFQ7TTC0LH2H");
    assert!(!ran.stdout.contains("elsewhere.example"));
}

#[test]
fn without_a_credential_nothing_is_settled() {
    let ran = doctor(&Machine::new(), LIVE).expect_code(1).expect_said(&["1 of "]);
    assert_eq!(points(&ran).len(), 8);
    assert!(points(&ran).iter().all(|point| point["outcome"] == "skipped"));
}

#[test]
fn without_a_network_nothing_is_settled_and_nothing_more_is_tried() {
    let machine = Machine::signed_in();
    let port = crate::support::server::RefusingPort::new();
    let ran = machine.run_with(&[("MSCOMMERCE_ENDPOINT", &port.http())], &["doctor", "-o", "json", "--live-report"]);
    let ran = ran.expect_code(1).expect_said(&["1 of ", "steps failed: tcp"]);
    for number in [4, 5, 7] {
        expect_point(&ran, number, "skipped", "");
    }
    assert_eq!(points(&ran).len(), 8);
}
