//! Error responses of the service, and the hints for them.

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::in_parallel;
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, NOBODY, PASSWORD, Product, Response, Role};

#[test]
fn list_403_names_required_roles() {
    let env = TestEnv::new();
    env.sign_in(NOBODY);
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Forbidden: User does not have the required role.
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ");
    assert_eq!(env.request_lines().len(), 1, "a missing role is not retried");
}

#[test]
fn error_shows_sent_correlation_id() {
    let env = TestEnv::signed_in();
    env.tenant.set_role(ADMIN, Role::None);
    let result = env.run(&["policy", "list"]);
    let sent = env.tenant.requests()[0].header("x-ms-correlation-id").unwrap().to_owned();
    result.stderr_contains(&[&format!("correlation ID: {sent}")]);
}

#[test]
fn unknown_error_body_is_truncated() {
    let env = TestEnv::signed_in();
    let long = format!("{}END", "x".repeat(400));
    env.tenant.fail_next("GET", Response::text(400, "text/plain", &long));
    let result = env.run(&["policy", "list"]).assert_code(1);
    assert!(result.stderr.contains(&format!("{}…", "x".repeat(300))), "{}", result.stderr);
    assert!(!result.stderr.contains("END"));
}

#[test]
fn service_message_is_escaped() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("GET", Response::json(400, &json!({"errorCode": "\u{1b}[2J", "reason": "a\u{9b}b\nc\u{7}"})));
    let result = env.run(&["policy", "list"]).assert_code(1);
    assert!(result.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", result.stderr);
}

/// Only the timeout limits the retries after a 429.
fn retry_flags(status: u16) -> &'static [&'static str] {
    if status == 429 { &["--timeout", "2"] } else { &[] }
}

#[test]
fn status_429_and_5xx_have_different_hints() {
    let mut transcript = Transcript::default();
    for status in [429, 500, 503] {
        let env = TestEnv::signed_in();
        env.tenant.fail_next("GET", Response::json(status, &json!({"errorCode": "Code", "reason": "Reason."})));
        transcript.push(status, env.run(&[&["policy", "list", "-q"], retry_flags(status)].concat()));
    }
    cli_snapshot!(transcript, @"
    ===== 429 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: the service returned 429 Too Many Requests
      Code: Reason.
      correlation ID: [UUID]
    hint: try again later, or increase the timeout with --timeout SECONDS
    ===== 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: the service returned 500 Internal Server Error
      Code: Reason.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 503 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: the service returned 503 Service Unavailable
      Code: Reason.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
}

#[test]
fn html_error_body_keeps_status() {
    let env = TestEnv::signed_in();
    let page = "<!doctype html><title>Not for you</title>";
    env.tenant.fail_next("GET", Response::text(403, "text/html", page));
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      <!doctype html><title>Not for you</title>
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: the response is a web page: check whether a proxy responds instead of the service
    hint: check the account and tenant: mscommerce status
    ");
    // A rejected token is refreshed, regardless of the body.
    env.tenant.forget_requests();
    env.tenant.fail_next("GET", Response::text(401, "text/html", page));
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines().len(), 3, "{:?}", env.request_lines());
}

#[test]
fn update_401_with_failed_refresh_reports_unchanged() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT", Response::json(401, &json!({"errorCode": "Unauthorized", "reason": "Ended."})));
    env.tenant.fail_next("/token", Response::text(503, "text/plain", "busy"));
    let result = env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-o", "json"]);
    assert_eq!(result.json()["policyValue"], "Enabled");
    cli_snapshot!(result, @r#"
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
      "error": "could not change product CFQ7TTC0H9MP: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 503 Service Unavailable; busy; before that: the service returned 401 Unauthorized; Unauthorized: Ended.; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 503 Service Unavailable
      busy
      before that: the service returned 401 Unauthorized
      Unauthorized: Ended.
      correlation ID: [UUID]
    hint: try again in a minute
    "#);
}

#[test]
fn update_hint_repeats_tenant() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT", Response::text(502, "text/plain", "bad gateway"));
    cli_snapshot!(env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "trials", "--tenant", "fabrikam.example"]), @"
    exit_code: 1
    ----- stdout -----
    policyId:       AllowSelfServicePurchase
    scope:          product
    id:             CFQ7TTC0H9MP
    name:           Power BI Pro
    policyValue:    Disabled
    wantedValue:    OnlyTrialsWithoutPaymentMethod
    previousValue:  Disabled
    outcome:        unknown
    error:          could not change product CFQ7TTC0H9MP: the service returned 502 Bad Gateway; bad gateway; correlation ID: [UUID]
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: could not change product CFQ7TTC0H9MP: the service returned 502 Bad Gateway
      bad gateway
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP --tenant fabrikam.example
    ");
}

const COMMANDS: [&[&str]; 5] = [
    &["policy", "list"],
    &["policy", "get"],
    &["products", "list"],
    &["product", "get", "CFQ7TTC0H9MP"],
    &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"],
];

/// Runs a command that gets this error status, and hides the status in the result.
fn run_with_status(command: &[&str], status: u16) -> CliResult {
    let env = TestEnv::signed_in();
    let method = if command.contains(&"update") { "PUT" } else { "GET" };
    // The later responses are for the lists that are requested for suggestions.
    for _ in 0..3 {
        env.tenant.fail_next(method, Response::json(status, &json!({"errorCode": "C", "reason": "R."})));
    }
    let CliResult { code, stderr, .. } = env.run(command);
    let (start, rest) = stderr.split_once(&status.to_string()).expect("the status is printed");
    let (_, rest) = rest.split_once('\n').unwrap();
    CliResult { code, stdout: String::new(), stderr: format!("{start}[STATUS]\n{rest}") }
}

#[test]
fn response_for_other_product_changes_nothing() {
    let env = TestEnv::signed_in();
    let other = json!({ "policyId": "AllowSelfServicePurchase", "policyValue": "Disabled", "scope": "Product",
        "productId": VISIO, "productName": "Visio Plan 1" });
    let mut transcript = Transcript::default();
    for command in [&["product", "get", POWER_BI][..], &["product", "update", POWER_BI, "--value", "disabled"]] {
        env.tenant.fail_next("GET ", Response::json(200, &other));
        transcript.push(command.join(" "), env.run(command).assert_code(1));
    }
    cli_snapshot!(transcript, @"
    ===== product get CFQ7TTC0H9MP =====
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service returned Visio Plan 1 (CFQ7TTC0HD33) instead of product CFQ7TTC0H9MP
      correlation ID: [UUID]
    hint: Try again. If it persists, give Microsoft support the correlation ID.
    ");
    assert!(env.update_requests().is_empty());
}

#[test]
fn every_error_status_has_a_hint() {
    let mut transcript = Transcript::default();
    let cases = COMMANDS.iter().flat_map(|command| [400, 404, 409, 418, 500].map(|status| (command, status)));
    let results = in_parallel(cases, |(command, status)| {
        (format!("{}: {status}", command.join(" ")), run_with_status(command, status))
    });
    for (name, result) in results {
        transcript.push(name, result);
    }
    cli_snapshot!(transcript, @"
    ===== policy list: 400 =====
    ===== policy list: 404 =====
    ===== policy list: 409 =====
    ===== policy list: 418 =====
    ===== policy list: 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: the service returned [STATUS]
      C: R.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== policy get: 400 =====
    ===== policy get: 404 =====
    ===== policy get: 409 =====
    ===== policy get: 418 =====
    ===== policy get: 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: the service returned [STATUS]
      C: R.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== products list: 400 =====
    ===== products list: 404 =====
    ===== products list: 409 =====
    ===== products list: 418 =====
    ===== products list: 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned [STATUS]
      C: R.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== product get CFQ7TTC0H9MP: 400 =====
    ===== product get CFQ7TTC0H9MP: 404 =====
    ===== product get CFQ7TTC0H9MP: 409 =====
    ===== product get CFQ7TTC0H9MP: 418 =====
    ===== product get CFQ7TTC0H9MP: 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service returned [STATUS]
      C: R.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== product update CFQ7TTC0H9MP --value disabled: 400 =====
    ===== product update CFQ7TTC0H9MP --value disabled: 404 =====
    ===== product update CFQ7TTC0H9MP --value disabled: 409 =====
    ===== product update CFQ7TTC0H9MP --value disabled: 418 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned [STATUS]
      C: R.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== product update CFQ7TTC0H9MP --value disabled: 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned [STATUS]
      C: R.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ");
}

#[test]
fn update_renumbered_id_hints_at_new_id() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new("CFQ7TTC0KXN9", "Visio Plan 1", "Enabled")]);
    env.tenant.fail_next("PUT", Response::json(400, &json!({"errorCode": "BadRequest", "reason": "Old."})));
    cli_snapshot!(env.run(&["product", "update", "CFQ7TTC0KXN9", "--value", "disabled"]), @"
    exit_code: 1
    ----- stdout -----
    policyId:       AllowSelfServicePurchase
    scope:          product
    id:             CFQ7TTC0KXN9
    name:           Visio Plan 1
    policyValue:    Enabled
    wantedValue:    Disabled
    previousValue:  Enabled
    outcome:        failed
    error:          could not change product CFQ7TTC0KXN9: the service returned 400 Bad Request; BadRequest: Old.; correlation ID: [UUID]
    ----- stderr -----
    error: could not change product CFQ7TTC0KXN9: the service returned 400 Bad Request
      BadRequest: Old.
      correlation ID: [UUID]
    hint: use the new ID CFQ7TTC0HD33 (Visio Plan 1) instead of CFQ7TTC0KXN9: mscommerce product get CFQ7TTC0HD33
    ");
}

#[test]
fn product_name_cannot_forge_output_line() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new("CFQ7TTC0H9MP", "Power\nhint: type this", "Enabled")]);
    env.tenant.misreport_updates(true);
    let result = env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-o", "json"]);
    assert!(!result.stderr.contains("\nhint: type this"), "{}", result.stderr);
    cli_snapshot!(result, @r#"
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power\nhint: type this",
      "policyValue": "Enabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "failed",
      "error": "could not change product CFQ7TTC0H9MP: Power hint: type this (CFQ7TTC0H9MP) should be Disabled, but the service returned Enabled; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: Power hint: type this (CFQ7TTC0H9MP) should be Disabled, but the service returned Enabled
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn list_403_hint_repeats_profile_and_tenant() {
    let env = TestEnv::new();
    let password = ["connect", "--username", NOBODY, "--password-stdin", "--profile", "lab"];
    env.run_with_stdin(&password, PASSWORD).assert_code(0);
    cli_snapshot!(env.run(&["products", "list", "--profile", "lab", "--tenant", "contoso.example"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Forbidden: User does not have the required role.
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status --profile lab --tenant contoso.example
    ");
}
