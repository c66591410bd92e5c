//! What the service refuses, and the advice that follows.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::tenant::{ADMIN, NOBODY, PASSWORD, Product, Response, Role};

#[test]
fn a_missing_role_is_told_with_the_roles_that_read() {
    let env = TestEnv::new();
    env.sign_in(NOBODY);
    env.run(&["products", "list"]).assert_code(1).stdout_is_empty().stderr_contains(&[
        "error: could not list the products: the service answered 403 Forbidden",
        "correlation id: ",
        "hint: reading needs the role Global Administrator, Billing Administrator or Global Reader",
        "GDAP",
    ]);
    assert_eq!(env.request_lines().len(), 1, "a missing role is not tried again");
}

#[test]
fn the_correlation_id_told_is_the_one_sent() {
    let env = TestEnv::signed_in();
    env.tenant.set_role(ADMIN, Role::None);
    let result = env.run(&["policy", "list"]).assert_code(1);
    let sent = env.tenant.requests()[0].header("x-ms-correlation-id").unwrap().to_owned();
    result.stderr_contains(&[&format!("correlation id: {sent}")]);
}

#[test]
fn any_other_body_is_shown_by_its_beginning() {
    let env = TestEnv::signed_in();
    let long = format!("{}END", "x".repeat(400));
    env.tenant.fail_next("GET", Response::text(400, "text/plain", &long));
    let result = env.run(&["policy", "list"]).assert_code(1);
    assert!(result.stderr.contains(&format!("{}…", "x".repeat(300))), "{}", result.stderr);
    assert!(!result.stderr.contains("END"));
}

#[test]
fn the_services_words_reach_no_terminal_as_escapes() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("GET", Response::json(400, &json!({"errorCode": "\u{1b}[2J", "reason": "a\u{9b}b\nc\u{7}"})));
    let result = env.run(&["policy", "list"]).assert_code(1);
    assert!(result.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", result.stderr);
}

#[test]
fn haste_and_faults_are_told_apart() {
    let env = TestEnv::signed_in();
    for (status, hint) in [(429, "less haste"), (500, "a fault of its own"), (503, "a fault of its own")] {
        env.tenant.fail_next("GET", Response::json(status, &json!({"errorCode": "Code", "reason": "Reason."})));
        env.run(&["policy", "list"]).assert_code(1).stderr_contains(&[&status.to_string(), "Code: Reason.", hint]);
    }
}

#[test]
fn a_web_page_does_not_hide_what_the_status_says() {
    let env = TestEnv::signed_in();
    let page = "<!doctype html><title>Not for you</title>";
    env.tenant.fail_next("GET", Response::text(403, "text/html", page));
    env.run(&["products", "list"]).assert_code(1).stderr_contains(&["403 Forbidden", "Not for you", "Global Reader"]);
    // A refused token is renewed, whatever the body says.
    env.tenant.forget_requests();
    env.tenant.fail_next("GET", Response::text(401, "text/html", page));
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines().len(), 3, "{:?}", env.request_lines());
}

#[test]
fn a_refused_change_whose_renewal_fails_was_not_made() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT", Response::json(401, &json!({"errorCode": "Unauthorized", "reason": "Ended."})));
    env.tenant.fail_next("/token", Response::text(503, "text/plain", "busy"));
    let result = env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-o", "json"]).assert_code(1);
    assert_eq!(result.json()["policyValue"], "Enabled");
    result.stderr_contains(&[
        "could not change product CFQ7TTC0H9MP: could not renew the saved sign-in",
        "before that: the service answered 401 Unauthorized",
        "Unauthorized: Ended.",
        "correlation id: ",
    ]);
}

#[test]
fn what_to_type_next_leads_to_the_same_tenant_profile_and_policy() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT", Response::text(502, "text/plain", "bad gateway"));
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "trials", "--tenant", "fabrikam.example"])
        .assert_code(1)
        .stderr_contains(&["hint: see what it is now: mscommerce product get CFQ7TTC0H9MP --tenant fabrikam.example"]);
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
            let env = TestEnv::signed_in();
            let method = if command.contains(&"update") { "PUT" } else { "GET" };
            // The later answers are for the lists that would suggest something better.
            for _ in 0..3 {
                env.tenant.fail_next(method, Response::json(status, &json!({"errorCode": "C", "reason": "R."})));
            }
            env.run(command).assert_code(1).stderr_contains(&[
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
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new("CFQ7TTC0KXN9", "Visio Plan 1", "Enabled")]);
    env.tenant.fail_next("PUT", Response::json(400, &json!({"errorCode": "BadRequest", "reason": "Old."})));
    env.run(&["product", "update", "CFQ7TTC0KXN9", "--value", "disabled"])
        .assert_code(1)
        .stderr_contains(&["hint: CFQ7TTC0KXN9 has been renumbered", "mscommerce product get CFQ7TTC0HD33"]);
}

#[test]
fn a_name_cannot_pass_itself_off_as_a_line_of_the_tools_own() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new("CFQ7TTC0H9MP", "Power\nhint: type this", "Enabled")]);
    env.tenant.misreport_updates(true);
    let result = env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-o", "json"]).assert_code(1);
    assert!(!result.stderr.contains("\nhint: type this"), "{}", result.stderr);
    result.stderr_contains(&["Power hint: type this (CFQ7TTC0H9MP) was to become Disabled"]);
}

#[test]
fn a_missing_role_leads_to_the_status_of_the_same_profile_and_tenant() {
    let env = TestEnv::new();
    let password = ["connect", "--username", NOBODY, "--password-stdin", "--profile", "lab"];
    env.run_with_stdin(&password, PASSWORD).assert_code(0);
    env.run(&["products", "list", "--profile", "lab", "--tenant", "contoso.example"])
        .assert_code(1)
        .stderr_contains(&["mscommerce status --profile lab --tenant contoso.example"]);
}
