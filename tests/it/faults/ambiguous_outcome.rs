//! Updates whose response was lost, and the outcome that is reported.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::in_parallel;
use crate::support::server::{Server, http_response};
use crate::tenant::{Response, default_products};

fn item(value: &str) -> String {
    json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product", "productId": POWER_BI,
        "productName": "Power BI Pro" })
    .to_string()
}

/// What a read after the update gets.
#[derive(Clone, Copy, Debug)]
enum Reread {
    Old,
    New,
    Status(u16),
    NoResponse,
    OtherProduct,
}

/// A service whose responses to the attempts of an update are these; an empty one closes the connection.
fn start_service(responses: Vec<String>, reread: Reread) -> Server {
    let puts = AtomicUsize::new(0);
    Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            let sent = puts.load(Ordering::SeqCst);
            if request.method == "PUT" {
                let response = &responses[puts.fetch_add(1, Ordering::SeqCst)];
                if response.is_empty() {
                    return;
                }
                connection.send(response.as_bytes());
                if response.ends_with('{') {
                    return;
                }
            } else if sent == 0 {
                connection.respond_json(&item("Enabled"));
            } else {
                match reread {
                    Reread::Old => connection.respond_json(&item("Enabled")),
                    Reread::New => connection.respond_json(&item("disabled")),
                    Reread::OtherProduct => connection.respond_json(&item("Disabled").replace(POWER_BI, VISIO)),
                    Reread::Status(status) => connection.send(http_response(status, "text/plain", "No.").as_bytes()),
                    Reread::NoResponse => return,
                };
            }
        }
    })
}

fn status(status: u16) -> String {
    http_response(status, "application/json", r#"{"errorCode":"Odd","reason":"No."}"#)
}

fn update(env: &TestEnv, server: Server, attempts: usize) -> CliResult {
    let arguments = ["product", "update", POWER_BI, "--value", "disabled", "-o", "json"];
    let result = env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &server.http())], &arguments);
    let requests = server.finish().requests;
    assert_eq!(requests.iter().filter(|request| request.method == "PUT").count(), attempts, "{result:?}");
    result
}

/// Responses that do not tell whether the update was applied, with the number of attempts.
fn ambiguous_responses() -> Vec<(&'static str, Vec<String>)> {
    let unreadable = |body: &str| vec![http_response(200, "application/json", body)];
    vec![
        ("no response", vec![String::new(); 5]),
        ("truncated", vec!["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned(); 5]),
        ("503 and no response", [vec![status(503); 4], vec![String::new()]].concat()),
        ("501", vec![status(501)]),
        ("204", vec!["HTTP/1.1 204 No Content\r\n\r\n".to_owned()]),
        ("empty 200", unreadable("")),
        ("no JSON", unreadable("done")),
        ("no item", unreadable("{}")),
        ("no value", unreadable(&json!({ "productId": POWER_BI }).to_string())),
        ("other product", unreadable(&item("Disabled").replace(POWER_BI, VISIO))),
        ("redirect", vec!["HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned()]),
        ("web page", vec![http_response(200, "text/html", "<html>")]),
        ("ambiguous, then 403", vec![String::new(), status(403)]),
        ("ambiguous, then 404 after a refresh", vec![String::new(), status(401), status(404)]),
    ]
}

#[test]
fn ambiguous_update_is_read_once_more() {
    in_parallel(ambiguous_responses(), |(name, responses)| {
        let unreadable = [Reread::Status(503), Reread::Status(404), Reread::NoResponse, Reread::OtherProduct];
        // What makes the value unreadable does not depend on the update.
        let unreadable = unreadable.into_iter().filter(|_| name == "204");
        let rereads = [(Reread::New, "changed", json!("disabled"), 0), (Reread::Old, "unknown", json!("Enabled"), 1)];
        let rereads = rereads.into_iter().chain(unreadable.map(|reread| (reread, "unknown", Value::Null, 1)));
        for (reread, outcome, value, code) in rereads {
            let env = TestEnv::signed_in();
            let attempts = responses.len();
            let result = update(&env, start_service(responses.clone(), reread), attempts);
            let record = result.json();
            assert_eq!((result.code, &record["outcome"]), (code, &json!(outcome)), "{name}, {reread:?}: {result:?}");
            assert_eq!(record["policyValue"], value, "{name}, {reread:?}: {result:?}");
            assert_eq!((&record["wantedValue"], &record["previousValue"]), (&json!("Disabled"), &json!("Enabled")));
            assert_eq!(record["error"].is_null(), outcome == "changed", "{name}, {reread:?}: {result:?}");
            let recorded = env.history_with_outcomes(&["changed", "failed", "unknown", "planned", "skipped"]);
            assert_eq!((recorded.len(), &recorded[0]["outcome"]), (1, &json!(outcome)), "{name}, {reread:?}");
        }
    });
}

/// The service may still apply the update.
#[test]
fn ambiguous_update_with_old_value_is_unknown() {
    let env = TestEnv::signed_in();
    let result = update(&env, start_service(vec![status(504); 5], Reread::Old), 5);
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
      "outcome": "unknown",
      "error": "could not change product CFQ7TTC0H9MP: the service returned 504 Gateway Timeout; Odd: No.; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 504 Gateway Timeout
      Odd: No.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn ambiguous_update_after_timeout_is_unknown_and_quick() {
    let server = Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            if request.method == "PUT" {
                connection.wait_for_close();
                return;
            }
            connection.respond_json(&item("Enabled"));
        }
    });
    let env = TestEnv::signed_in();
    let arguments = ["product", "update", POWER_BI, "--value", "disabled", "-o", "json", "--timeout", "1"];
    let result = env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &server.http())], &arguments).assert_code(1);
    // No time is left to read the value.
    assert_eq!((&result.json()["outcome"], &result.json()["policyValue"]), (&json!("unknown"), &Value::Null));
    assert_eq!(env.history_with_outcomes(&["unknown"]).len(), 1);
}

#[test]
fn update_ambiguous_then_failed_refresh_is_read_once_more() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("/token", Response::json(501, &json!({})));
    let result = update(&env, start_service(vec![String::new(), status(401)], Reread::Old), 2);
    cli_snapshot!(result.assert_code(1), @r#"
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
      "error": "could not change product CFQ7TTC0H9MP: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 501 Not Implemented; {}; before that: the service returned 401 Unauthorized; Odd: No.; correlation ID: [UUID]"
    }
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 501 Not Implemented
      {}
      before that: the service returned 401 Unauthorized
      Odd: No.
      correlation ID: [UUID]
    hint: try again in a minute
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn undo_after_ambiguous_undo_restores_same_run() {
    let env = TestEnv::signed_in();
    env.run(&["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes"]).assert_code(0);
    let before = |id: &str| default_products().into_iter().find(|product| product.id == id).unwrap().value;
    let path = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}");
    env.tenant.fail_times(5, &path, Response::json(503, &json!({})));
    env.run(&["undo", "--yes"]).assert_code(1);
    // The request was applied although the response was 503.
    env.tenant.set_value(POWER_BI, &before(POWER_BI));
    env.run(&["undo", "--yes"]);
    for id in [POWER_BI, VISIO] {
        assert_eq!(env.tenant.value(id), before(id), "{id} has its value from before the undone run");
    }
}
