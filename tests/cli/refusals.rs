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
