//! What the service refuses, and the advice that follows.

use serde_json::json;

use crate::support::Machine;
use crate::tenant::{ADMIN, Answer, NOBODY, Role};

#[test]
fn a_missing_role_is_told_with_the_roles_that_read() {
    let machine = Machine::new();
    machine.sign_in(NOBODY);
    machine.run(&["products", "list"]).expect_code(1).expect_no_data().expect_said(&[
        "error: could not list the products: the service answered 403 Forbidden",
        "correlation id: ",
        "hint: reading needs the role Global Administrator, Billing Administrator or Global Reader",
        "GDAP",
    ]);
    assert_eq!(machine.requests().len(), 1, "a missing role is not tried again");
}

#[test]
fn the_correlation_id_told_is_the_one_sent() {
    let machine = Machine::signed_in();
    machine.tenant.set_role(ADMIN, Role::None);
    let ran = machine.run(&["policy", "list"]).expect_code(1);
    let sent = machine.tenant.requests()[0].header("x-ms-correlation-id").unwrap().to_owned();
    ran.expect_said(&[&format!("correlation id: {sent}")]);
}

#[test]
fn any_other_body_is_shown_by_its_beginning() {
    let machine = Machine::signed_in();
    let long = format!("{}END", "x".repeat(400));
    machine.tenant.fail_next("GET", Answer::text(400, "text/plain", &long));
    let ran = machine.run(&["policy", "list"]).expect_code(1);
    assert!(ran.stderr.contains(&format!("{}…", "x".repeat(300))), "{}", ran.stderr);
    assert!(!ran.stderr.contains("END"));
}

#[test]
fn the_services_words_reach_no_terminal_as_escapes() {
    let machine = Machine::signed_in();
    machine
        .tenant
        .fail_next("GET", Answer::json(400, &json!({"errorCode": "\u{1b}[2J", "reason": "a\u{9b}b\nc\u{7}"})));
    let ran = machine.run(&["policy", "list"]).expect_code(1);
    assert!(ran.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", ran.stderr);
}

#[test]
fn haste_and_faults_are_told_apart() {
    let machine = Machine::signed_in();
    for (status, hint) in [(429, "less haste"), (500, "a fault of its own"), (503, "a fault of its own")] {
        machine.tenant.fail_next("GET", Answer::json(status, &json!({"errorCode": "Code", "reason": "Reason."})));
        machine.run(&["policy", "list"]).expect_code(1).expect_said(&[&status.to_string(), "Code: Reason.", hint]);
    }
}

#[test]
fn a_web_page_does_not_hide_what_the_status_says() {
    let machine = Machine::signed_in();
    let page = "<!doctype html><title>Not for you</title>";
    machine.tenant.fail_next("GET", Answer::text(403, "text/html", page));
    machine.run(&["products", "list"]).expect_code(1).expect_said(&["403 Forbidden", "Not for you", "Global Reader"]);
    // A refused token is renewed, whatever the body says.
    machine.tenant.forget_requests();
    machine.tenant.fail_next("GET", Answer::text(401, "text/html", page));
    machine.run(&["products", "list"]).expect_code(0);
    assert_eq!(machine.requests().len(), 3, "{:?}", machine.requests());
}

#[test]
fn a_refused_change_whose_renewal_fails_was_not_made() {
    let machine = Machine::signed_in();
    machine.tenant.fail_next("PUT", Answer::json(401, &json!({"errorCode": "Unauthorized", "reason": "Ended."})));
    machine.tenant.fail_next("/token", Answer::text(503, "text/plain", "busy"));
    let ran = machine.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-o", "json"]).expect_code(1);
    assert_eq!(ran.json()["policyValue"], "Enabled");
    ran.expect_said(&[
        "could not change product CFQ7TTC0H9MP: could not renew the saved sign-in",
        "before that: the service answered 401 Unauthorized",
        "Unauthorized: Ended.",
        "correlation id: ",
    ]);
}

#[test]
fn what_to_type_next_leads_to_the_same_tenant_profile_and_policy() {
    let machine = Machine::signed_in();
    machine.tenant.fail_next("PUT", Answer::text(502, "text/plain", "bad gateway"));
    machine
        .run(&["product", "update", "CFQ7TTC0H9MP", "--value", "trials", "--tenant", "fabrikam.example"])
        .expect_code(1)
        .expect_said(&["hint: see what it is now: mscommerce product get CFQ7TTC0H9MP --tenant fabrikam.example"]);
}
