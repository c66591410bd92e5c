//! What the service refuses, and the advice that follows.

use serde_json::json;

use crate::support::env::Machine;
use crate::tenant::{ADMIN, Answer, NOBODY, PASSWORD, Product, Role};

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

#[test]
fn every_refusal_says_what_to_do_next() {
    let commands: [&[&str]; 5] = [
        &["policy", "list"],
        &["policy", "get"],
        &["products", "list"],
        &["product", "get", "CFQ7TTC0H9MP"],
        &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"],
    ];
    for command in commands {
        for status in [400, 404, 409, 418, 500] {
            let machine = Machine::signed_in();
            let method = if command.contains(&"update") { "PUT" } else { "GET" };
            // The later answers are for the lists that would suggest something better.
            for _ in 0..3 {
                machine.tenant.fail_next(method, Answer::json(status, &json!({"errorCode": "C", "reason": "R."})));
            }
            machine.run(command).expect_code(1).expect_said(&[
                &status.to_string(),
                "C: R.",
                "correlation id: ",
                "hint: ",
            ]);
        }
    }
}

#[test]
fn a_renumbered_id_that_is_refused_only_when_it_is_changed_gets_its_new_one_too() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![Product::new("CFQ7TTC0KXN9", "Visio Plan 1", "Enabled")]);
    machine.tenant.fail_next("PUT", Answer::json(400, &json!({"errorCode": "BadRequest", "reason": "Old."})));
    machine
        .run(&["product", "update", "CFQ7TTC0KXN9", "--value", "disabled"])
        .expect_code(1)
        .expect_said(&["hint: CFQ7TTC0KXN9 has been renumbered", "mscommerce product get CFQ7TTC0HD33"]);
}

#[test]
fn a_name_cannot_pass_itself_off_as_a_line_of_the_tools_own() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![Product::new("CFQ7TTC0H9MP", "Power\nhint: type this", "Enabled")]);
    machine.tenant.misreport_updates(true);
    let ran = machine.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-o", "json"]).expect_code(1);
    assert!(!ran.stderr.contains("\nhint: type this"), "{}", ran.stderr);
    ran.expect_said(&["Power hint: type this (CFQ7TTC0H9MP) was to become Disabled"]);
}

#[test]
fn a_missing_role_leads_to_the_status_of_the_same_profile_and_tenant() {
    let machine = Machine::new();
    let password = ["connect", "--username", NOBODY, "--password-stdin", "--profile", "lab"];
    machine.run_with_input(&password, PASSWORD).expect_code(0);
    machine
        .run(&["products", "list", "--profile", "lab", "--tenant", "contoso.example"])
        .expect_code(1)
        .expect_said(&["mscommerce status --profile lab --tenant contoso.example"]);
}
