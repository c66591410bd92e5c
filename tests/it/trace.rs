//! `-v` and `-vv`: the log of requests.

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::POWER_BI;
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, CUSTOMER_TENANT, PASSWORD, Response};

/// The result with what differs from run to run removed: dates and lengths of responses, and user codes.
fn without_varying_parts(result: CliResult) -> CliResult {
    let is_varying = |line: &&str| line.starts_with("< date: ") || line.starts_with("< content-length: ");
    let lines: Vec<&str> = result.stderr.lines().filter(|line| !is_varying(line)).collect();
    let user_code = result.stderr.lines().find_map(|line| line.strip_prefix("    "));
    let stderr = lines.join("\n") + "\n";
    CliResult { stderr: stderr.replace(user_code.unwrap_or("\0"), "USERCODE1"), ..result }
}

#[test]
fn verbose_logs_one_line_per_request() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run(&["product", "update", POWER_BI, "--value", "disabled", "-v", "-o", "csv"]), @"
    exit_code: 0
    ----- stdout -----
    policyId,scope,id,name,policyValue,wantedValue,previousValue,outcome,error
    AllowSelfServicePurchase,product,CFQ7TTC0H9MP,Power BI Pro,Disabled,Disabled,Enabled,changed,
    ----- stderr -----
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    PUT http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    changed: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    Changed in tenant 11111111-1111-4111-8111-111111111111: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    ");
    cli_snapshot!(env.run(&["product", "get", POWER_BI, "--tenant", CUSTOMER_TENANT, "-v", "-o", "csv"]), @"
    exit_code: 0
    ----- stdout -----
    policyId,scope,id,name,policyValue
    AllowSelfServicePurchase,product,CFQ7TTC0H9MP,Power BI Pro,Disabled
    ----- stderr -----
    using the saved sign-in of profile default
    POST http://127.0.0.1:[PORT]/22222222-2222-4222-8222-222222222222/oauth2/v2.0/token -> 200 OK ([DURATION])
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP -> 200 OK ([DURATION], tenant 22222222-2222-4222-8222-222222222222, correlation ID [UUID])
    ");
}

#[test]
fn trace_of_update_shows_headers_and_bodies() {
    let env = TestEnv::signed_in();
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-vv", "-o", "csv"]);
    cli_snapshot!(without_varying_parts(result), @r#"
    exit_code: 0
    ----- stdout -----
    policyId,scope,id,name,policyValue,wantedValue,previousValue,outcome,error
    AllowSelfServicePurchase,product,CFQ7TTC0H9MP,Power BI Pro,Disabled,Disabled,Enabled,changed,
    ----- stderr -----
    using the saved sign-in of profile default
    > GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    >
    < 200 OK
    < x-ms-correlation-id: [UUID]
    < content-type: application/json; charset=utf-8
    <
    < {"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    > PUT http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    > content-type: application/json
    >
    > {"policyValue":"Disabled"}
    < 200 OK
    < x-ms-correlation-id: [UUID]
    < content-type: application/json; charset=utf-8
    <
    < {"policyId":"AllowSelfServicePurchase","policyValue":"Disabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}
    PUT http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    changed: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    Changed in tenant 11111111-1111-4111-8111-111111111111: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    "#);
}

#[test]
fn trace_of_sign_in_redacts_secrets() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    let arguments = ["connect", "--username", ADMIN, "--password-stdin", "-vv"];
    transcript.push("password", without_varying_parts(env.run_with_stdin(&arguments, PASSWORD)));
    transcript.push("device code", without_varying_parts(env.run(&["connect", "--device-code", "-vv"])));
    cli_snapshot!(transcript, @r#"
    ===== password =====
    exit_code: 0
    ----- stderr -----
    > POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token
    > accept: application/json
    > content-type: application/x-www-form-urlencoded
    >
    > grant_type=password&username=admin@contoso.example&password=[redacted]&scope=aeb86249-8ea3-49e2-900b-54cc8e308f85/.default offline_access openid profile&client_id=3d5cffa9-04da-4657-8cab-c7f074657cad&client_info=1
    < 200 OK
    < cache-control: no-store, no-cache
    < content-type: application/json; charset=utf-8
    <
    < {"token_type":"Bearer","scope":"aeb86249-8ea3-49e2-900b-54cc8e308f85/LicenseManager.AccessAsUser aeb86249-8ea3-49e2-900b-54cc8e308f85/.default","expires_in":3600,"ext_expires_in":3600,"access_token":"[redacted]","refresh_token":"[redacted]","id_token":"[redacted]","client_info":"[redacted]"}
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ===== device code =====
    exit_code: 0
    ----- stderr -----
    > POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/devicecode
    > accept: application/json
    > content-type: application/x-www-form-urlencoded
    >
    > scope=aeb86249-8ea3-49e2-900b-54cc8e308f85/.default offline_access openid profile&client_id=3d5cffa9-04da-4657-8cab-c7f074657cad
    < 200 OK
    < cache-control: no-store, no-cache
    < content-type: application/json; charset=utf-8
    <
    < {"device_code":"[redacted]","user_code":"USERCODE1","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"message":"To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code USERCODE1 to authenticate.","interval":1}
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/devicecode -> 200 OK ([DURATION])
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    > POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token
    > accept: application/json
    > content-type: application/x-www-form-urlencoded
    >
    > grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=[redacted]&client_id=3d5cffa9-04da-4657-8cab-c7f074657cad
    < 200 OK
    < cache-control: no-store, no-cache
    < content-type: application/json; charset=utf-8
    <
    < {"token_type":"Bearer","scope":"aeb86249-8ea3-49e2-900b-54cc8e308f85/LicenseManager.AccessAsUser aeb86249-8ea3-49e2-900b-54cc8e308f85/.default","expires_in":3600,"ext_expires_in":3600,"access_token":"[redacted]","refresh_token":"[redacted]","id_token":"[redacted]"}
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    "#);
}

#[test]
fn trace_redacts_short_password() {
    let env = TestEnv::new();
    let arguments = ["connect", "--username", ADMIN, "--password-stdin", "-vv"];
    env.run_with_stdin(&arguments, "q7").assert_code(4).stderr_contains(&["&password=[redacted]"]).stderr_lacks("q7");
}

#[test]
fn trace_of_unusual_responses() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    let responses = [
        ("web page", Response::text(200, "text/html", "<html>\n\u{1b}[2JSign in\u{202e}</html>")),
        ("redirect", Response::text(302, "", "").header("location", "https://elsewhere.example/")),
        ("not text", Response::text(400, "application/octet-stream", "a\0b")),
        ("cookie", Response::json(200, &json!({"items": []})).header("set-cookie", "session=hunter22")),
        ("token", Response::text(400, "text/plain", "access_token=0.hunter22")),
    ];
    for (name, response) in responses {
        env.tenant.fail_next("/v1.0/", response);
        let result = env.run(&["policy", "list", "-vv"]).stderr_lacks("hunter22");
        transcript.push(name, without_varying_parts(result));
    }
    cli_snapshot!(transcript, @r#"
    ===== web page =====
    exit_code: 1
    ----- stderr -----
    using the saved sign-in of profile default
    > GET http://127.0.0.1:[PORT]/v1.0/policies
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    >
    < 200 OK
    < content-type: text/html
    <
    < <html>
    < �[2JSign in�</html>
    GET http://127.0.0.1:[PORT]/v1.0/policies -> received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK) ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    error: could not list the policies: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
      it begins: <html> �[2JSign in�</html>
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
    ===== redirect =====
    exit_code: 1
    ----- stderr -----
    using the saved sign-in of profile default
    > GET http://127.0.0.1:[PORT]/v1.0/policies
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    >
    < 302 Found
    < location: https://elsewhere.example/
    <
    GET http://127.0.0.1:[PORT]/v1.0/policies -> 127.0.0.1:[PORT] returned 302 Found with a redirect to https://elsewhere.example/ ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    error: could not list the policies: 127.0.0.1:[PORT] returned 302 Found with a redirect to https://elsewhere.example/
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ===== not text =====
    exit_code: 1
    ----- stderr -----
    using the saved sign-in of profile default
    > GET http://127.0.0.1:[PORT]/v1.0/policies
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    >
    < 400 Bad Request
    < content-type: application/octet-stream
    <
    < (3 bytes that are not text)
    GET http://127.0.0.1:[PORT]/v1.0/policies -> 400 Bad Request ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    error: could not list the policies: the service returned 400 Bad Request
      a�b
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== cookie =====
    exit_code: 0
    ----- stderr -----
    using the saved sign-in of profile default
    > GET http://127.0.0.1:[PORT]/v1.0/policies
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    >
    < 200 OK
    < set-cookie: [redacted]
    < content-type: application/json; charset=utf-8
    <
    < {"items":[]}
    GET http://127.0.0.1:[PORT]/v1.0/policies -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    The tenant has no policies.
    ===== token =====
    exit_code: 1
    ----- stderr -----
    using the saved sign-in of profile default
    > GET http://127.0.0.1:[PORT]/v1.0/policies
    > authorization: Bearer [redacted]
    > accept: application/json
    > x-ms-correlation-id: [UUID]
    >
    < 400 Bad Request
    < content-type: text/plain
    <
    < (23 bytes, not shown: they may contain a token)
    GET http://127.0.0.1:[PORT]/v1.0/policies -> 400 Bad Request ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    error: could not list the policies: the service returned 400 Bad Request
      (not shown: it may contain a token)
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    "#);
}
