//! Protocol facts of the simulated tenant that no test of the executable touches.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "simulated_tenant/application.rs"]
mod application;
#[path = "simulated_tenant/assertion.rs"]
mod assertion;
#[path = "simulated_tenant/commerce.rs"]
mod commerce;
#[path = "simulated_tenant/sign_in.rs"]
mod sign_in;
mod tenant;

use serde_json::{Value, json};
use tenant::{BrowserResponse, SimulatedTenant, claims_of, post_form};

/// Sends a GET request to the policy endpoint.
fn get(tenant: &SimulatedTenant, token: &str, path: &str) -> BrowserResponse {
    call(tenant, token, "GET", path, &[], "")
}

/// Sends a valid request to the policy endpoint.
fn call(
    tenant: &SimulatedTenant,
    token: &str,
    method: &str,
    path: &str,
    more_headers: &[(&str, &str)],
    body: &str,
) -> BrowserResponse {
    let bearer = format!("Bearer {token}");
    let mut headers =
        vec![("authorization", bearer.as_str()), ("x-ms-correlation-id", "5f2b8f3e-7c1d-4e7a-9a53-0d4c1b2a3f4e")];
    headers.extend(more_headers);
    tenant::send(method, &format!("{}{path}", tenant.url()), &headers, body)
}

/// Sends a token request. Asserts that status and body match.
fn token_request(tenant: &SimulatedTenant, at: &str, form: &[(&str, &str)]) -> Value {
    let url = format!("{}/{at}/oauth2/v2.0/token", tenant.url());
    let (status, body) = post_form(&url, form);
    let body: Value = serde_json::from_str(&body).unwrap();
    let expected = match body["error"].as_str() {
        None => 200,
        Some("invalid_client") => 401,
        Some(_) => 400,
    };
    assert_eq!(status, expected, "{body}");
    body
}

/// The claims of the access token in a token response.
fn claims(response: &Value) -> Value {
    claims_of(response["access_token"].as_str().unwrap()).unwrap()
}

#[track_caller]
fn assert_error(response: &Value, error: &str, code: u32) {
    assert_eq!(response["error"], error, "{response}");
    assert_eq!(response["error_codes"], json!([code]), "{response}");
    let description = response["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")));
}
