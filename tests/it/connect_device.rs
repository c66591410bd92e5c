//! `connect` with a device code.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::fixtures::ORGANIZATIONS_TOKEN;
use crate::support::server::Server;
use crate::support::snapshot::Transcript;
use crate::tenant::{
    CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DeviceApproval, HOME_TENANT, READER, Response, SCOPE,
};

const DEVICE_CODE: &str = "POST /organizations/oauth2/v2.0/devicecode";

fn busy() -> Response {
    Response::text(503, "text/plain", "busy")
}

#[test]
fn device_code_sign_in_saves_credential() {
    let env = TestEnv::new();
    env.tenant.set_approving_user(READER);
    let result = cli_snapshot!(env.run(&["connect", "--device-code"]), @"
    exit_code: 0
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    Signed in as reader@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
    let is_user_code =
        |line: &&str| line.len() == 9 && line.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    assert!(
        result.stderr.lines().map(str::trim).any(|line| is_user_code(&line)),
        "the code is on its own line:\n{}",
        result.stderr
    );

    assert_eq!(env.request_lines(), [DEVICE_CODE, ORGANIZATIONS_TOKEN]);
    let requests = env.tenant.requests();
    let (start, poll) = (requests[0].form(), requests[1].form());
    let mut scopes: Vec<_> = start["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    assert_eq!(start["client_id"], CLIENT_ID);
    assert_eq!(poll["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!(poll["client_id"], CLIENT_ID);
    assert!(!result.stderr.contains(&poll["device_code"]), "the device code is a secret:\n{}", result.stderr);

    let sign_in = &env.cache()["profiles"]["default"];
    assert_eq!(sign_in["method"], "device-code");
    assert_eq!(sign_in["account"], READER);
    assert!(sign_in["refreshToken"].is_string());
}

#[test]
fn device_code_is_shown_when_quiet() {
    let env = TestEnv::new();
    cli_snapshot!(env.run(&["connect", "--device-code", "-q"]), @"
    exit_code: 0
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    ");
}

#[test]
fn device_code_is_requested_at_named_tenant() {
    let env = TestEnv::new();
    env.run(&["connect", "--device-code", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let at_customer = |endpoint: &str| format!("POST /{CUSTOMER_DOMAIN}/oauth2/v2.0/{endpoint}");
    assert_eq!(env.request_lines(), [at_customer("devicecode"), at_customer("token")]);
    assert_eq!(env.cache()["profiles"]["default"]["tenantId"], CUSTOMER_TENANT);
}

#[test]
fn device_code_polls_until_approved() {
    let env = TestEnv::new();
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(2));
    cli_snapshot!(env.run(&["connect", "--device-code"]), @"
    exit_code: 0
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
    assert_eq!(env.request_lines(), [DEVICE_CODE, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN]);
}

#[test]
fn device_code_polling_is_outside_timeout() {
    let env = TestEnv::new();
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(1));
    // Two responses together take longer than the timeout, each one less.
    let slow = |response: Response| response.after(Duration::from_millis(1100));
    for _ in 0..2 {
        let pending = json!({"error": "authorization_pending", "error_codes": [70016]});
        env.tenant.fail_next("/token", slow(Response::json(400, &pending)));
    }
    env.run(&["connect", "--device-code", "--timeout", "2"]).assert_code(0);
}

#[test]
fn device_code_errors_have_specific_hints() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for (name, approval) in [
        ("declined", DeviceApproval::Decline),
        ("expired", DeviceApproval::Expire),
        ("blocked by Conditional Access", DeviceApproval::ConditionalAccess),
    ] {
        env.tenant.forget_requests();
        env.tenant.device_approval(approval);
        transcript.push(name, env.run(&["connect", "--device-code"]));
        assert_eq!(env.request_lines(), [DEVICE_CODE, ORGANIZATIONS_TOKEN]);
        assert!(!env.cache_path().exists());
    }
    cli_snapshot!(transcript, @"
    ===== declined =====
    exit_code: 4
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    error: could not sign in: the sign-in was declined
      AADSTS65004: User declined to consent to access the app. (authorization_declined)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ===== expired =====
    exit_code: 4
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    error: could not sign in: the code has expired or is no longer valid
      AADSTS70020: The provided value for the input parameter 'device_code' is not valid. This device code has expired. (expired_token)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect --device-code
    ===== blocked by Conditional Access =====
    exit_code: 4
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    error: could not sign in: a Conditional Access policy blocks this sign-in
      AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance. (invalid_grant, message_only)
      correlation ID: [UUID], trace ID: [UUID]
    hint: give the correlation ID above to the administrator of the tenant's Conditional Access policies
    hint: sign in with a browser if device codes are blocked: mscommerce connect
    ");
}

#[test]
fn device_code_error_shows_entra_correlation_id() {
    let env = TestEnv::new();
    let description = "AADSTS53003: Access has been blocked. Trace ID: t-1 Correlation ID: c-1 Timestamp: now";
    let error_body = json!({
        "error": "invalid_grant",
        "error_description": description,
        "error_codes": [53003],
        "correlation_id": "c-1",
        "suberror": "message_only",
    });
    env.tenant.fail_next("/token", Response::json(400, &error_body));
    cli_snapshot!(env.run(&["connect", "--device-code"]), @"
    exit_code: 4
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    error: could not sign in: a Conditional Access policy blocks this sign-in
      AADSTS53003: Access has been blocked. (invalid_grant, message_only)
      correlation ID: c-1, trace ID: t-1
    hint: give the correlation ID above to the administrator of the tenant's Conditional Access policies
    hint: sign in with a browser if device codes are blocked: mscommerce connect
    ");
}

#[test]
fn device_code_request_rejected_error_message() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for flags in [["--tenant", "nowhere.example"], ["--client-id", "another"]] {
        transcript.push(flags.join(" "), env.run(&[&["connect", "--device-code"], &flags[..]].concat()));
    }
    cli_snapshot!(transcript, @"
    ===== --tenant nowhere.example =====
    exit_code: 4
    ----- stderr -----
    error: could not request a device code: the tenant does not exist in this cloud
      AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ===== --client-id another =====
    exit_code: 4
    ----- stderr -----
    error: could not request a device code: the client ID does not exist in this tenant
      AADSTS700016: Application with identifier 'another' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check --client-id, MSCOMMERCE_CLIENT_ID, the tenant, and the cloud (AZURE_AUTHORITY_HOST)
    ");
    assert_eq!(env.request_lines().len(), 2, "a rejected request is not retried");
}

#[test]
fn device_code_request_503_error_message() {
    let env = TestEnv::new();
    env.tenant.fail_next("/devicecode", busy());
    cli_snapshot!(env.run(&["connect", "--device-code"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not request a device code: 127.0.0.1:[PORT] returned 503 Service Unavailable
      busy
    hint: try again in a minute
    ");
}

#[test]
fn device_code_polling_fails_after_repeated_redirect() {
    let env = TestEnv::new();
    let redirect = Response::text(302, "text/plain", "").header("location", "https://portal.example/");
    env.tenant.fail_times(3, "/token", redirect);
    cli_snapshot!(env.run(&["connect", "--device-code"]), @"
    exit_code: 1
    ----- stderr -----
    To sign in, open https://microsoft.com/devicelogin on any device and enter the code

        [USER CODE]

    The code is valid for 15 minutes. Waiting for sign-in…
    error: could not sign in: 127.0.0.1:[PORT] returned 302 Found with a redirect to https://portal.example/
      redirects are not followed, to protect the access token
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ");
    assert_eq!(env.request_lines(), [DEVICE_CODE, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN]);
    assert!(!env.cache_path().exists());
}

#[test]
fn device_code_polling_continues_after_transient_failures() {
    let transient = json!({"error": "temporarily_unavailable", "error_codes": [90033]});
    let failures = [busy(), Response::text(200, "application/json", ""), Response::json(400, &transient)];
    let env = TestEnv::new();
    for response in &failures {
        env.tenant.fail_times(1, "/token", response.clone());
    }
    let started = Instant::now();
    env.run(&["connect", "--device-code"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 4);
    // The interval of 1 s is doubled after each failure (RFC 8628, section 3.5).
    assert!(started.elapsed() >= Duration::from_secs(2 + 4 + 8), "{:?}", started.elapsed());
}

#[test]
fn device_code_polling_continues_after_lost_connections() {
    let code = json!({"device_code": "D1", "user_code": "ABCD-EFGH", "verification_uri": "https://login.example/",
        "expires_in": "900", "interval": "1"});
    let env = TestEnv::new();
    let tokens = json!({"token_type": "Bearer", "expires_in": 3600,
        "access_token": env.tenant.issue_token(READER, HOME_TENANT, 3600)});
    let polls = AtomicUsize::new(0);
    let server = Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            if request.path.ends_with("/devicecode") {
                connection.respond_json(&code.to_string());
            } else if polls.fetch_add(1, Ordering::SeqCst) < 3 {
                return;
            } else {
                connection.respond_json(&tokens.to_string());
            }
        }
    });
    env.run_with_env(&[("AZURE_AUTHORITY_HOST", &server.http())], &["connect", "--device-code"]).assert_code(0);
    assert_eq!(server.finish().requests.len(), 5);
}

#[test]
fn device_code_interval_zero_is_five_seconds() {
    for interval in [Some(0), None] {
        let env = TestEnv::new();
        env.tenant.set_device_interval(interval);
        env.tenant.device_approval(DeviceApproval::PendingThenApprove(1));
        let started = Instant::now();
        env.run(&["connect", "--device-code"]).assert_code(0);
        assert!(started.elapsed() >= Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(env.token_requests().len(), 2);
    }
}

#[test]
fn device_code_response_is_escaped() {
    let env = TestEnv::new();
    let response = json!({
        "device_code": "D1",
        "user_code": "AB\u{1b}[2J\u{9b}CD",
        "verification_uri": "https://login.example/\u{1b}]0;title\u{7}",
        "expires_in": 900,
        "interval": 0,
    });
    env.tenant.fail_next("/devicecode", Response::json(200, &response));
    let result = cli_snapshot!(env.run(&["connect", "--device-code"]), @"
    exit_code: 4
    ----- stderr -----
    To sign in, open https://login.example/�]0;title� on any device and enter the code

        AB�[2J�CD

    The code is valid for 15 minutes. Waiting for sign-in…
    error: could not sign in: the code has expired or is no longer valid
      AADSTS70018: Invalid verification code due to User typing in wrong user code for device code flow. Authorization is not approved. (bad_verification_code)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect --device-code
    ");
    assert!(result.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", result.stderr);
}
