//! `connect` with a device code.

use std::time::Duration;

use serde_json::json;

use crate::support::env::Machine;
use crate::tenant::{
    ADMIN, Answer, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DeviceApproval, HOME_TENANT, READER, SCOPE,
};

const DEVICE_CODE: &str = "POST /organizations/oauth2/v2.0/devicecode";
const TOKEN: &str = "POST /organizations/oauth2/v2.0/token";

fn busy() -> Answer {
    Answer::text(503, "text/plain", "busy")
}

#[test]
fn the_address_and_the_code_are_shown_and_the_sign_in_is_saved() {
    let machine = Machine::new();
    machine.tenant.sign_in_as(READER);
    let ran = machine.run(&["connect", "--device-code"]).expect_code(0).expect_no_data().expect_said(&[
        "https://microsoft.com/devicelogin",
        "15 minutes",
        &format!("Signed in as {READER} to the tenant {HOME_TENANT}."),
    ]);
    let alone = |line: &&str| line.len() == 9 && line.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    assert!(ran.stderr.lines().map(str::trim).any(|line| alone(&line)), "the code stands alone:\n{}", ran.stderr);

    assert_eq!(machine.requests(), [DEVICE_CODE, TOKEN]);
    let requests = machine.tenant.requests();
    let (start, poll) = (requests[0].form(), requests[1].form());
    let mut scopes: Vec<_> = start["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    assert_eq!(start["client_id"], CLIENT_ID);
    assert_eq!(poll["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!(poll["client_id"], CLIENT_ID);
    assert!(!ran.stderr.contains(&poll["device_code"]), "the device code is a secret:\n{}", ran.stderr);

    let sign_in = &machine.saved()["profiles"]["default"];
    assert_eq!(sign_in["method"], "device-code");
    assert_eq!(sign_in["account"], READER);
    assert!(sign_in["refreshToken"].is_string());
}

#[test]
fn the_code_is_shown_even_when_quiet() {
    let machine = Machine::new();
    let ran = machine.run(&["connect", "--device-code", "-q"]).expect_code(0);
    ran.expect_said(&["https://microsoft.com/devicelogin"]);
}

#[test]
fn the_code_is_asked_for_at_the_tenant_that_is_named() {
    let machine = Machine::new();
    machine.run(&["connect", "--device-code", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    let at_customer = |endpoint: &str| format!("POST /{CUSTOMER_DOMAIN}/oauth2/v2.0/{endpoint}");
    assert_eq!(machine.requests(), [at_customer("devicecode"), at_customer("token")]);
    assert_eq!(machine.saved()["profiles"]["default"]["tenantId"], CUSTOMER_TENANT);
}

#[test]
fn polling_goes_on_until_somebody_approves() {
    let machine = Machine::new();
    machine.tenant.device_approval(DeviceApproval::PendingThenApprove(3));
    machine.run(&["connect", "--device-code"]).expect_code(0).expect_said(&[ADMIN]);
    assert_eq!(machine.requests(), [DEVICE_CODE, TOKEN, TOKEN, TOKEN, TOKEN]);
}

#[test]
fn waiting_for_the_person_does_not_count_against_the_timeout() {
    let machine = Machine::new();
    machine.tenant.device_approval(DeviceApproval::PendingThenApprove(3));
    // Two of the answers take longer together than the timeout, each of them less.
    let slow = |answer: Answer| answer.after(Duration::from_millis(1100));
    for _ in 0..2 {
        let pending = json!({"error": "authorization_pending", "error_codes": [70016]});
        machine.tenant.fail_next("/token", slow(Answer::json(400, &pending)));
    }
    machine.run(&["connect", "--device-code", "--timeout", "2"]).expect_code(0);
}

#[test]
fn every_end_of_a_device_code_is_told() {
    let machine = Machine::new();
    for (approval, said) in [
        (DeviceApproval::Decline, &["declined", "AADSTS65004", "hint: mscommerce connect"][..]),
        (DeviceApproval::Expire, &["expired", "AADSTS70020", "hint: mscommerce connect --device-code"]),
        (
            DeviceApproval::ConditionalAccess,
            &["Conditional Access", "AADSTS53003", "hint: give the correlation id", "mscommerce connect"],
        ),
    ] {
        machine.tenant.forget_requests();
        machine.tenant.device_approval(approval);
        machine
            .run(&["connect", "--device-code"])
            .expect_code(4)
            .expect_no_data()
            .expect_said(&["error: could not sign in", "correlation id: "])
            .expect_said(said);
        assert_eq!(machine.requests(), [DEVICE_CODE, TOKEN]);
        assert!(!machine.sign_ins().exists());
    }
}

#[test]
fn the_correlation_id_of_a_policys_block_is_the_one_that_entra_told() {
    let machine = Machine::new();
    let description = "AADSTS53003: Access has been blocked. Trace ID: t-1 Correlation ID: c-1 Timestamp: now";
    let refusal = json!({
        "error": "invalid_grant",
        "error_description": description,
        "error_codes": [53003],
        "correlation_id": "c-1",
        "suberror": "message_only",
    });
    machine.tenant.fail_next("/token", Answer::json(400, &refusal));
    machine.run(&["connect", "--device-code"]).expect_code(4).expect_said(&["correlation id: c-1", "message_only"]);
}

#[test]
fn a_code_that_is_refused_at_the_start_is_told() {
    let machine = Machine::new();
    for (flags, said) in [
        (&["--tenant", "nowhere.example"][..], &["no such tenant", "AADSTS90002"]),
        (&["--client-id", "another"], &["client id is not known", "AADSTS700016"]),
    ] {
        machine
            .run(&[&["connect", "--device-code"], flags].concat())
            .expect_code(4)
            .expect_said(&["error: could not ask for a code", "correlation id: ", "hint: "])
            .expect_said(said);
    }
    assert_eq!(machine.requests().len(), 2, "a refusal is not tried again");
}

#[test]
fn a_network_that_fails_at_the_start_is_told() {
    let machine = Machine::new();
    machine.tenant.fail_next("/devicecode", busy());
    machine.run(&["connect", "--device-code"]).expect_code(1).expect_said(&[
        "error: could not ask for a code",
        "503",
        "hint: ",
    ]);
}

#[test]
fn a_network_that_keeps_failing_ends_the_wait() {
    let machine = Machine::new();
    for _ in 0..3 {
        machine.tenant.fail_next("/token", busy());
    }
    machine.run(&["connect", "--device-code"]).expect_code(1).expect_said(&["error: could not sign in", "503"]);
    assert_eq!(machine.requests(), [DEVICE_CODE, TOKEN, TOKEN, TOKEN]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn a_network_that_fails_now_and_then_does_not_end_the_wait() {
    let machine = Machine::new();
    let pending = json!({"error": "authorization_pending", "error_codes": [70016]});
    for answer in [busy(), busy(), Answer::json(400, &pending), busy(), busy()] {
        machine.tenant.fail_times(1, "/token", answer);
    }
    machine.run(&["connect", "--device-code"]).expect_code(0);
    assert_eq!(machine.token_requests().len(), 6);
}

#[test]
fn what_entra_asks_to_be_shown_reaches_no_terminal_as_escapes() {
    let machine = Machine::new();
    let answer = json!({
        "device_code": "D1",
        "user_code": "AB\u{1b}[2J\u{9b}CD",
        "verification_uri": "https://login.example/\u{1b}]0;title\u{7}",
        "expires_in": 900,
        "interval": 0,
    });
    machine.tenant.fail_next("/devicecode", Answer::json(200, &answer));
    let ran = machine.run(&["connect", "--device-code"]).expect_code(4).expect_said(&["login.example", "AADSTS70018"]);
    assert!(ran.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", ran.stderr);
}
