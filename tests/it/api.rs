//! `api`: requests of the user's own.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;
use crate::tenant::{CUSTOMER_DOMAIN, Response};

const PRODUCT: &str = "v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP";

#[test]
fn api_get_prints_body_unchanged() {
    let env = TestEnv::signed_in();
    let body = "{ \"items\":[ 1.50,\n\"é\"] }";
    let url = format!("{}/v1.0/policies", env.tenant.url());
    for path in ["v1.0/policies", "/v1.0/policies", url.as_str()] {
        env.tenant.fail_next("/v1.0/policies", Response::text(200, "application/json", body));
        let result = env.run(&["api", path]).assert_code(0);
        assert_eq!((result.stdout.as_str(), result.stderr.as_str()), (body, ""), "{path}");
    }
    assert_eq!(env.request_lines(), ["GET /v1.0/policies"; 3]);
}

#[test]
fn api_query_selects_from_body() {
    let env = TestEnv::signed_in();
    let query = "items[?productId=='CFQ7TTC0H9MP'].{id: productId, name: productName}";
    let path = "v1.0/policies/AllowSelfServicePurchase/products?scope=Product";
    let mut transcript = Transcript::default();
    transcript.push("object", env.run(&["api", path, "--query", query, "-o", "json"]));
    env.tenant.fail_next("/v1.0/", Response::text(200, "text/plain", "text"));
    transcript.push("text", env.run(&["api", path, "--query", query]));
    env.tenant.fail_next("/v1.0/", Response::text(200, "application/json", "{\"items\":[]}\n"));
    transcript.push("invalid", env.run(&["api", path, "--query", "length(nothing)"]));
    cli_snapshot!(transcript, @r#"
    ===== object =====
    exit_code: 0
    ----- stdout -----
    [
      {
        "id": "CFQ7TTC0H9MP",
        "name": "Power BI Pro"
      }
    ]
    ===== text =====
    exit_code: 1
    ----- stdout -----
    text----- stderr -----
    error: --query: the response is not JSON
    ===== invalid =====
    exit_code: 1
    ----- stdout -----
    {"items":[]}
    ----- stderr -----
    error: --query: Argument 0 expects type array|object|string, given null (at character 7)
    "#);
}

#[test]
fn api_put_sends_file_and_is_not_recorded() {
    let env = TestEnv::signed_in();
    let file = env.home().join("body.json");
    let body = "{ \"policyValue\" : \"Disabled\" }\n";
    std::fs::write(&file, format!("\u{feff}{body}")).unwrap();
    let result = env.run(&["api", PRODUCT, "-X", "put", "--input", file.to_str().unwrap()]).assert_code(0);
    assert_eq!(result.json()["policyValue"], "Disabled");
    let request = &env.tenant.requests()[0];
    assert_eq!((request.method.as_str(), request.body.as_str()), ("PUT", body));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let result =
        env.run_with_stdin(&["api", PRODUCT, "--method", "PUT", "--input", "-"], r#"{"policyValue":"Enabled"}"#);
    assert_eq!(result.assert_code(0).json()["policyValue"], "Enabled");
    assert_eq!(env.request_lines().len(), 2, "nothing is read first");
    cli_snapshot!(env.run(&["history"]), @"
    exit_code: 0
    ----- stderr -----
    No changes are recorded on this machine.
    ");
}

#[test]
fn api_error_status_prints_body_and_error() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for status in [403, 404, 401] {
        // A 401 is sent again with another token.
        for _ in 0..if status == 401 { 2 } else { 1 } {
            let body = json!({"errorCode": "Nope", "reason": "No."});
            env.tenant.fail_next("/v1.0/", Response::json(status, &body));
        }
        transcript.push(status, env.run(&["api", "v1.0/things"]));
    }
    env.tenant.fail_next("/v1.0/", Response::text(204, "text/plain", ""));
    transcript.push("no body", env.run(&["api", "v1.0/things", "-X", "DELETE"]));
    cli_snapshot!(transcript, @r#"
    ===== 403 =====
    exit_code: 1
    ----- stdout -----
    {"errorCode":"Nope","reason":"No."}----- stderr -----
    error: GET /v1.0/things: the service returned 403 Forbidden
      Nope: No.
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ===== 404 =====
    exit_code: 1
    ----- stdout -----
    {"errorCode":"Nope","reason":"No."}----- stderr -----
    error: GET /v1.0/things: the service returned 404 Not Found
      Nope: No.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 401 =====
    exit_code: 4
    ----- stdout -----
    {"errorCode":"Nope","reason":"No."}----- stderr -----
    error: GET /v1.0/things: the service returned 401 Unauthorized
      Nope: No.
      correlation ID: [UUID]
    hint: mscommerce connect
    ===== no body =====
    exit_code: 0
    ----- stderr -----
    The response has no body (status 204 No Content).
    "#);
}

#[test]
fn api_with_long_path_shows_short_errors() {
    let env = TestEnv::signed_in();
    let result = env.run(&["api", &"a".repeat(8000)]).assert_code(1);
    assert!(result.stderr.len() < 1000, "{}", result.stderr);
    let sent = env.request_lines().len();
    for length in [9000, 100_000] {
        let result = env.run(&["api", &"a".repeat(length)]).assert_code(2).stderr_contains(&["' is too long\n"]);
        assert!(result.stderr.len() < 1000, "{}", result.stderr);
    }
    assert_eq!(env.request_lines().len(), sent);
}

#[test]
fn api_does_not_retry_post() {
    let env = TestEnv::signed_in();
    let unavailable = || Response::json(503, &json!({"reason": "Later."}));
    env.tenant.fail_times(1, "/v1.0/", unavailable());
    env.run(&["api", "v1.0/policies", "-X", "POST"])
        .assert_code(1)
        .stderr_contains(&["the service may or may not have applied the request"]);
    assert_eq!(env.request_lines(), ["POST /v1.0/policies"]);
    env.tenant.fail_times(1, "/v1.0/", unavailable());
    env.run(&["api", "v1.0/policies"]).assert_code(0);
    assert_eq!(env.request_lines(), ["POST /v1.0/policies", "GET /v1.0/policies", "GET /v1.0/policies"]);
}

#[test]
fn api_uses_tenant_flag() {
    let env = TestEnv::signed_in();
    let listed = env.run(&["api", "v1.0/policies", "--tenant", CUSTOMER_DOMAIN]).assert_code(0).json();
    assert!(listed["items"].as_array().is_some_and(|items| !items.is_empty()), "{listed}");
    assert_eq!(env.token_requests().len(), 1, "a token of that tenant");
}

#[test]
fn api_usage_error_sends_no_request() {
    let env = TestEnv::signed_in();
    std::fs::write(env.home().join("broken.json"), "{\"a\": 1,\n}").unwrap();
    let mut transcript = Transcript::default();
    for arguments in [
        &["https://evil.example/v1.0/policies"][..],
        &["http://user:hunter22@127.0.0.1/v1.0/policies"],
        &["//evil.example/v1.0/policies"],
        &["v1.0/../policies"],
        &["v1.0/%2e%2e/policies"],
        &[""],
        &["v1.0/policies#items"],
        &["v1.0/policies", "-X", "TRACE"],
        &["v1.0/policies", "--input", "body.json"],
        &["v1.0/policies", "-X", "PUT", "--input", "missing.json"],
        &["v1.0/policies", "-X", "PUT", "--input", "broken.json"],
        &["v1.0/policies", "-o", "csv"],
        &["v1.0/policies", "--policy-id", "A"],
        &["v1.0/policies", "--tenant", "a.example", "--tenant", "b.example"],
    ] {
        let result = env.run_in_home(&[&["api"], arguments].concat());
        transcript.push(arguments.join(" "), result.assert_code(2).stderr_lacks("hunter22"));
    }
    cli_snapshot!(transcript, @"
    ===== https://evil.example/v1.0/policies =====
    exit_code: 2
    ----- stderr -----
    error: 'https://evil.example/v1.0/policies' is not below the endpoint
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    ===== http://user:hunter22@127.0.0.1/v1.0/policies =====
    exit_code: 2
    ----- stderr -----
    error: the path is not below the endpoint
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    ===== //evil.example/v1.0/policies =====
    exit_code: 2
    ----- stderr -----
    error: '//evil.example/v1.0/policies' is not below the endpoint
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    ===== v1.0/../policies =====
    exit_code: 2
    ----- stderr -----
    error: 'v1.0/../policies' contains . or .. as a segment
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    ===== v1.0/%2e%2e/policies =====
    exit_code: 2
    ----- stderr -----
    error: 'v1.0/%2e%2e/policies' contains . or .. as a segment
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    =====  =====
    exit_code: 2
    ----- stderr -----
    error: '' is not a path
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    ===== v1.0/policies#items =====
    exit_code: 2
    ----- stderr -----
    error: 'v1.0/policies#items' contains a fragment (#), which is not sent
    hint: use a path below http://127.0.0.1:[PORT]/, such as v1.0/policies
    ===== v1.0/policies -X TRACE =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'TRACE' for '--method <METHOD>'
      [possible values: GET, POST, PUT, PATCH, DELETE]

    For more information, try '--help'.
    ===== v1.0/policies --input body.json =====
    exit_code: 2
    ----- stderr -----
    error: --input requires a method with a request body; GET has none
    hint: add a method, for example -X PUT
    ===== v1.0/policies -X PUT --input missing.json =====
    exit_code: 2
    ----- stderr -----
    error: --input: could not read missing.json: [OS ERROR]
    ===== v1.0/policies -X PUT --input broken.json =====
    exit_code: 2
    ----- stderr -----
    error: --input: broken.json is not JSON: line 2, column 1
    ===== v1.0/policies -o csv =====
    exit_code: 2
    ----- stderr -----
    error: api prints the response unchanged and accepts only --output json
    hint: omit --output
    ===== v1.0/policies --policy-id A =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --policy-id
    hint: omit --policy-id
    ===== v1.0/policies --tenant a.example --tenant b.example =====
    exit_code: 2
    ----- stderr -----
    error: this command works in one tenant, but --tenant is set several times
    hint: use --tenant once; only product list, product update, baseline check and baseline apply accept several tenants
    ");
    assert!(env.request_lines().is_empty());
}
