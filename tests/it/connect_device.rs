//! `connect` with a device code.

use std::time::Duration;

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::fixtures::ORGANIZATIONS_TOKEN;
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DeviceApproval, HOME_TENANT, READER, Response, SCOPE,
};

const DEVICE_CODE: &str = "POST /organizations/oauth2/v2.0/devicecode";

fn busy() -> Response {
    Response::text(503, "text/plain", "busy")
}

#[test]
fn the_address_and_the_code_are_shown_and_the_sign_in_is_saved() {
    let env = TestEnv::new();
    env.tenant.set_approving_user(READER);
    let result = env.run(&["connect", "--device-code"]).assert_code(0).stdout_is_empty().stderr_contains(&[
        "https://microsoft.com/devicelogin",
        "15 minutes",
        &format!("Signed in as {READER} to the tenant {HOME_TENANT}."),
    ]);
    let alone = |line: &&str| line.len() == 9 && line.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    assert!(result.stderr.lines().map(str::trim).any(|line| alone(&line)), "the code stands alone:\n{}", result.stderr);

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
fn the_code_is_shown_even_when_quiet() {
    let env = TestEnv::new();
    let result = env.run(&["connect", "--device-code", "-q"]).assert_code(0);
    result.stderr_contains(&["https://microsoft.com/devicelogin"]);
}

#[test]
fn the_code_is_asked_for_at_the_tenant_that_is_named() {
    let env = TestEnv::new();
    env.run(&["connect", "--device-code", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let at_customer = |endpoint: &str| format!("POST /{CUSTOMER_DOMAIN}/oauth2/v2.0/{endpoint}");
    assert_eq!(env.request_lines(), [at_customer("devicecode"), at_customer("token")]);
    assert_eq!(env.cache()["profiles"]["default"]["tenantId"], CUSTOMER_TENANT);
}

#[test]
fn polling_goes_on_until_somebody_approves() {
    let env = TestEnv::new();
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(3));
    env.run(&["connect", "--device-code"]).assert_code(0).stderr_contains(&[ADMIN]);
    assert_eq!(
        env.request_lines(),
        [DEVICE_CODE, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN]
    );
}

#[test]
fn waiting_for_the_person_does_not_count_against_the_timeout() {
    let env = TestEnv::new();
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(3));
    // Two of the answers take longer together than the timeout, each of them less.
    let slow = |response: Response| response.after(Duration::from_millis(1100));
    for _ in 0..2 {
        let pending = json!({"error": "authorization_pending", "error_codes": [70016]});
        env.tenant.fail_next("/token", slow(Response::json(400, &pending)));
    }
    env.run(&["connect", "--device-code", "--timeout", "2"]).assert_code(0);
}

#[test]
fn every_end_of_a_device_code_is_told() {
    let env = TestEnv::new();
    for (approval, said) in [
        (DeviceApproval::Decline, &["declined", "AADSTS65004", "hint: mscommerce connect"][..]),
        (DeviceApproval::Expire, &["expired", "AADSTS70020", "hint: mscommerce connect --device-code"]),
        (
            DeviceApproval::ConditionalAccess,
            &["Conditional Access", "AADSTS53003", "hint: give the correlation id", "mscommerce connect"],
        ),
    ] {
        env.tenant.forget_requests();
        env.tenant.device_approval(approval);
        env.run(&["connect", "--device-code"])
            .assert_code(4)
            .stdout_is_empty()
            .stderr_contains(&["error: could not sign in", "correlation id: "])
            .stderr_contains(said);
        assert_eq!(env.request_lines(), [DEVICE_CODE, ORGANIZATIONS_TOKEN]);
        assert!(!env.cache_path().exists());
    }
}

#[test]
fn the_correlation_id_of_a_policys_block_is_the_one_that_entra_told() {
    let env = TestEnv::new();
    let description = "AADSTS53003: Access has been blocked. Trace ID: t-1 Correlation ID: c-1 Timestamp: now";
    let refusal = json!({
        "error": "invalid_grant",
        "error_description": description,
        "error_codes": [53003],
        "correlation_id": "c-1",
        "suberror": "message_only",
    });
    env.tenant.fail_next("/token", Response::json(400, &refusal));
    env.run(&["connect", "--device-code"]).assert_code(4).stderr_contains(&["correlation id: c-1", "message_only"]);
}

#[test]
fn a_code_that_is_refused_at_the_start_is_told() {
    let env = TestEnv::new();
    for (flags, said) in [
        (&["--tenant", "nowhere.example"][..], &["no such tenant", "AADSTS90002"]),
        (&["--client-id", "another"], &["client id is not known", "AADSTS700016"]),
    ] {
        env.run(&[&["connect", "--device-code"], flags].concat())
            .assert_code(4)
            .stderr_contains(&["error: could not ask for a code", "correlation id: ", "hint: "])
            .stderr_contains(said);
    }
    assert_eq!(env.request_lines().len(), 2, "a refusal is not tried again");
}

#[test]
fn a_network_that_fails_at_the_start_is_told() {
    let env = TestEnv::new();
    env.tenant.fail_next("/devicecode", busy());
    env.run(&["connect", "--device-code"]).assert_code(1).stderr_contains(&[
        "error: could not ask for a code",
        "503",
        "hint: ",
    ]);
}

#[test]
fn a_network_that_keeps_failing_ends_the_wait() {
    let env = TestEnv::new();
    for _ in 0..3 {
        env.tenant.fail_next("/token", busy());
    }
    env.run(&["connect", "--device-code"]).assert_code(1).stderr_contains(&["error: could not sign in", "503"]);
    assert_eq!(env.request_lines(), [DEVICE_CODE, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN, ORGANIZATIONS_TOKEN]);
    assert!(!env.cache_path().exists());
}

#[test]
fn a_network_that_fails_now_and_then_does_not_end_the_wait() {
    let env = TestEnv::new();
    let pending = json!({"error": "authorization_pending", "error_codes": [70016]});
    for response in [busy(), busy(), Response::json(400, &pending), busy(), busy()] {
        env.tenant.fail_times(1, "/token", response);
    }
    env.run(&["connect", "--device-code"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 6);
}

#[test]
fn what_entra_asks_to_be_shown_reaches_no_terminal_as_escapes() {
    let env = TestEnv::new();
    let response = json!({
        "device_code": "D1",
        "user_code": "AB\u{1b}[2J\u{9b}CD",
        "verification_uri": "https://login.example/\u{1b}]0;title\u{7}",
        "expires_in": 900,
        "interval": 0,
    });
    env.tenant.fail_next("/devicecode", Response::json(200, &response));
    let result =
        env.run(&["connect", "--device-code"]).assert_code(4).stderr_contains(&["login.example", "AADSTS70018"]);
    assert!(result.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", result.stderr);
}
