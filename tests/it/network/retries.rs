//! Retries of transient errors, and requests that must not be sent twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::support::fixtures::{DISABLED_PRODUCT, ENABLED_PRODUCT, LIST_NOTE, LIST_PRODUCTS};

/// The statuses that are retried.
const TRANSIENT: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// Some of those that are not.
const PERMANENT: [u16; 6] = [400, 403, 404, 405, 409, 501];

fn error_response(status: u16) -> Response {
    Response::json(status, &json!({ "errorCode": "Trouble", "reason": "Now." }))
}

#[test]
fn transient_error_is_retried_silently() {
    for status in TRANSIENT {
        let env = TestEnv::signed_in();
        env.tenant.fail_times(1, "GET ", error_response(status));
        let result = env.run(LIST).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE, "{status}");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS; 2], "{status}");
    }
}

#[test]
fn verbose_output_shows_each_attempt() {
    let env = TestEnv::signed_in();
    env.tenant.fail_times(2, "GET ", error_response(502));
    let result = env.run(&[LIST, &["-v"]].concat()).assert_code(0);
    assert_eq!(result.stderr.matches("-> 502 Bad Gateway").count(), 2, "{}", result.stderr);
    assert_eq!(result.stderr.matches("retrying in ").count(), 2, "{}", result.stderr);
}

#[test]
fn permanent_error_of_update_is_not_retried() {
    let mut transcript = Transcript::default();
    for status in PERMANENT {
        let env = TestEnv::signed_in();
        env.tenant.fail_times(1, "PUT ", error_response(status));
        let result = env.run(DISABLE);
        transcript.push(status, CliResult { stdout: String::new(), ..result });
        assert_eq!(env.request_lines().iter().filter(|line| line.starts_with("PUT ")).count(), 1, "{status}");
    }
    cli_snapshot!(transcript, @"
    ===== 400 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 400 Bad Request
      Trouble: Now.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 403 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 403 Forbidden
      Trouble: Now.
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator or Billing Administrator in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ===== 404 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 404 Not Found
      Trouble: Now.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 405 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 405 Method Not Allowed
      Trouble: Now.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 409 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 409 Conflict
      Trouble: Now.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 501 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 501 Not Implemented
      Trouble: Now.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ");
}

#[test]
fn update_retries_after_lost_response() {
    let puts = Arc::new(AtomicUsize::new(0));
    let server = {
        let puts = Arc::clone(&puts);
        Server::start(move |mut connection| {
            while let Some(request) = connection.read_request() {
                // The first response is truncated; the second connection closes without one.
                match (request.method.as_str(), puts.load(Ordering::SeqCst)) {
                    ("PUT", 0) => {
                        puts.store(1, Ordering::SeqCst);
                        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
                        return;
                    }
                    ("PUT", 1) => {
                        puts.store(2, Ordering::SeqCst);
                        return;
                    }
                    ("PUT", _) => connection.respond_json(DISABLED_PRODUCT),
                    _ => connection.respond_json(ENABLED_PRODUCT),
                };
            }
        })
    };
    let result = OfflineEnv::new(&server.http()).run(&[DISABLE, &["-o", "json"]].concat()).assert_code(0);
    assert_eq!(result.json()["outcome"], "changed");
    let ids: Vec<String> = server
        .finish()
        .requests
        .iter()
        .filter(|request| request.method == "PUT")
        .map(|request| request.header("x-ms-correlation-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "each attempt has its own correlation ID: {ids:?}");
}

#[test]
fn update_ambiguous_then_409_is_read_once_more() {
    let server = {
        let puts = AtomicUsize::new(0);
        Server::start(move |mut connection| {
            while let Some(request) = connection.read_request() {
                if request.method != "PUT" {
                    connection.respond_json(ENABLED_PRODUCT);
                } else if puts.fetch_add(1, Ordering::SeqCst) == 0 {
                    return;
                } else {
                    connection.send(
                        http_response(409, "application/json", r#"{"errorCode":"Odd","reason":"No."}"#).as_bytes(),
                    );
                }
            }
        })
    };
    let result = OfflineEnv::new(&server.http()).run(&[DISABLE, &["-o", "json"]].concat());
    assert_eq!((&result.json()["policyValue"], &result.json()["outcome"]), (&json!("Enabled"), &json!("unknown")));
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
      "outcome": "unknown",
      "error": "could not change product CFQ7TTC0H9MP: the service returned 409 Conflict; Odd: No.; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 409 Conflict
      Odd: No.
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn token_requests_are_retried() {
    for status in TRANSIENT {
        let env = TestEnv::new();
        env.tenant.fail_times(2, "/token", error_response(status));
        env.run_with_stdin(CONNECT, PASSWORD).assert_code(0);
        assert_eq!(env.token_requests().len(), 3, "{status}");
    }
    let env = TestEnv::new();
    env.tenant.fail_times(1, "/token", error_response(400));
    env.run_with_stdin(CONNECT, PASSWORD);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn timeout_limits_retries() {
    let env = TestEnv::signed_in();
    env.tenant.set_delay(std::time::Duration::from_millis(600));
    env.tenant.fail_times(5, "GET ", error_response(503));
    let result = env.run(&[LIST, &["--timeout", "1"]].concat()).assert_code(1);
    assert!(env.request_lines().len() < 5, "{:?}", env.request_lines());
    assert_ne!(result.stderr, "");
}

/// Responses of the token endpoint that ask for a repetition, although their status does not.
fn transient_token_responses() -> Vec<Response> {
    let error = |error: &str, code: u32| {
        let description = format!("AADSTS{code}: A transient error has occurred. Please try again.");
        Response::json(400, &json!({ "error": error, "error_description": description, "error_codes": [code] }))
    };
    let without_codes = json!({ "error": "invalid_request", "error_description": "AADSTS90033: Try again." });
    vec![
        Response::text(200, "application/json", ""),
        Response::text(200, "application/json", "\u{feff} \r\n"),
        error("temporarily_unavailable", 90033),
        error("invalid_grant", 90033),
        error("server_error", 90006),
        error("invalid_request", 90024),
        Response::json(400, &without_codes),
        Response::json(401, &json!({ "error": "temporarily_unavailable" })),
    ]
}

#[test]
fn transient_token_response_is_retried() {
    for response in transient_token_responses() {
        let env = TestEnv::new();
        env.tenant.fail_times(1, "/token", response.clone());
        let result = env.run_with_stdin(CONNECT, PASSWORD).assert_code(0);
        assert_eq!(env.token_requests().len(), 2, "{response:?}");
        assert!(result.stderr.starts_with("Signed in as "), "{}", result.stderr);
    }
}

#[test]
fn lasting_transient_token_response_is_no_rejection() {
    let mut transcript = Transcript::default();
    for response in transient_token_responses().into_iter().step_by(2) {
        let env = TestEnv::with_expiring_token();
        let cache = env.cache();
        env.tenant.fail_times(5, "/token", response.clone());
        transcript.push(&response.body, env.run(LIST));
        assert_eq!(env.token_requests().len(), 5, "{response:?}");
        assert_eq!(env.cache(), cache, "the sign-in is kept");
        env.run(LIST).assert_code(0);
    }
    cli_snapshot!(transcript, @r#"
    =====  =====
    exit_code: 1
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 200 OK
      the response has no body
    hint: try again in a minute
    ===== {"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred. Please try again.","error_codes":[90033]} =====
    exit_code: 1
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 400 Bad Request
      {"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred. Please try again.","error_codes":[90033]}
    hint: try again in a minute
    ===== {"error":"server_error","error_description":"AADSTS90006: A transient error has occurred. Please try again.","error_codes":[90006]} =====
    exit_code: 1
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 400 Bad Request
      {"error":"server_error","error_description":"AADSTS90006: A transient error has occurred. Please try again.","error_codes":[90006]}
    hint: try again in a minute
    ===== {"error":"invalid_request","error_description":"AADSTS90033: Try again."} =====
    exit_code: 1
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 400 Bad Request
      {"error":"invalid_request","error_description":"AADSTS90033: Try again."}
    hint: try again in a minute
    "#);
}

#[test]
fn authority_with_wrong_path_names_variable() {
    let env = TestEnv::new();
    let mut command = env.command(CONNECT);
    command.env("AZURE_AUTHORITY_HOST", format!("{}/adfs", env.tenant.url()));
    cli_snapshot!(TestEnv::run_command_with_stdin(command, PASSWORD), @"
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 404 Not Found
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    ");
}
