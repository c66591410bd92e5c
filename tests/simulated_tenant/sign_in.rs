//! Sign-in of users.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::tenant::{
    ADMIN, AuthorizePage, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DeviceApproval, HOME_DOMAIN, HOME_TENANT,
    PASSWORD, SCOPE, SimulatedTenant, authorize, post_form,
};
use super::{assert_error, claims, token_request};

const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";
const REDIRECT: &str = "http://localhost:50505/m365/commerce";

#[test]
fn code_is_bound_to_verifier_and_used_once() {
    let tenant = SimulatedTenant::start();
    let page = open_sign_in_page(&tenant, HOME_DOMAIN, &[]);
    let code = page.sign_in().field("code");
    let response = redeem(&tenant, code, "another-verifier-of-forty-three-characters-or-more");
    assert_error(&response, "invalid_grant", 501_481);
    assert!(redeem(&tenant, code, VERIFIER)["access_token"].is_string());
    assert_error(&redeem(&tenant, code, VERIFIER), "invalid_grant", 54005);
    assert_error(&redeem(&tenant, "no such code", VERIFIER), "invalid_grant", 9_002_313);
}

#[test]
fn authorize_request_errors() {
    let tenant = SimulatedTenant::start();
    for (parameter, value, code) in [
        ("redirect_uri", "http://localhost:50505/other", "AADSTS50011"),
        ("redirect_uri", "http://127.0.0.1:50505/m365/commerce", "AADSTS50011"),
        ("redirect_uri", "http://localhost/m365/commerce", "AADSTS50011"),
        ("client_id", "00000000-0000-4000-8000-000000000000", "AADSTS700016"),
        ("response_mode", "query", "AADSTS9002313"),
        ("code_challenge_method", "plain", "AADSTS9002313"),
        ("code_challenge", "short", "AADSTS501491"),
        ("scope", SCOPE, "AADSTS70011"),
        ("state", "", "AADSTS900144"),
    ] {
        let page = open_sign_in_page(&tenant, "organizations", &[(parameter, value)]);
        assert_eq!(page.status, 400, "{parameter}={value}");
        assert!(page.html.contains(code), "{parameter}={value}: {}", page.html);
        assert!(page.forms.is_empty());
    }
}

#[test]
fn earlier_refresh_tokens_stay_valid_at_all_tenants() {
    let tenant = SimulatedTenant::start();
    let first = sign_in_with_password(&tenant, ADMIN, PASSWORD);
    let first = first["refresh_token"].as_str().unwrap();
    let response = refresh(&tenant, CUSTOMER_DOMAIN, first);
    assert_eq!(claims(&response)["tid"], CUSTOMER_TENANT);
    let second = response["refresh_token"].as_str().unwrap();
    assert_ne!(first, second);
    for token in [first, second] {
        let response = refresh(&tenant, HOME_TENANT, token);
        assert_eq!(claims(&response)["tid"], HOME_TENANT);
    }

    tenant.revoke_refresh_tokens();
    let response = refresh(&tenant, HOME_TENANT, second);
    assert_error(&response, "invalid_grant", 50173);
    let response = refresh(&tenant, HOME_TENANT, "made up");
    assert_error(&response, "invalid_grant", 9_002_313);
}

#[test]
fn token_request_errors() {
    let tenant = SimulatedTenant::start();
    let form = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", "any")];
    let response = token_request(&tenant, "nowhere.example", &form);
    assert_error(&response, "invalid_request", 90002);
    let description = response["error_description"].as_str().unwrap();
    assert!(description.starts_with("AADSTS90002: Tenant 'nowhere.example' not found."));
    for part in ["Trace ID: ", "Correlation ID: ", "Timestamp: "] {
        assert!(description.contains(part), "{description}");
    }

    for (changed, value, error, code) in [
        ("client_id", "another", "unauthorized_client", 700_016),
        ("grant_type", "implicit", "unsupported_grant_type", 70003),
        ("client_secret", "a secret", "invalid_client", 700_025),
        ("refresh_token", "", "invalid_request", 900_144),
    ] {
        let mut form = form.to_vec();
        form.retain(|(name, _)| *name != changed);
        form.push((changed, value));
        assert_error(&token_request(&tenant, HOME_TENANT, &form), error, code);
    }

    let url = format!("{}/organizations/oauth2/v2.0/devicecode", tenant.url());
    for (scope, error, code) in [
        ("other/.default", "invalid_resource", 500_011),
        ("openid", "invalid_scope", 70011),
        ("", "invalid_request", 900_144),
    ] {
        let form = [("client_id", CLIENT_ID), ("scope", scope)];
        let (_, body) = post_form(&url, &form);
        assert_error(&serde_json::from_str(&body).unwrap(), error, code);
    }

    let form = [("grant_type", "password"), ("client_id", CLIENT_ID)];
    assert_error(&token_request(&tenant, "common", &form), "invalid_request", 9_001_023);
    let form = [("grant_type", "password"), ("client_id", CLIENT_ID), ("username", ADMIN), ("password", PASSWORD)];
    assert_error(&token_request(&tenant, HOME_TENANT, &form), "invalid_request", 900_144);
}

#[test]
fn device_code_can_slow_down_or_fail() {
    let tenant = SimulatedTenant::start();
    tenant.set_device_interval(None);
    for (approval, error) in [
        (DeviceApproval::Decline, "authorization_declined"),
        (DeviceApproval::Expire, "expired_token"),
        (DeviceApproval::ConditionalAccess, "invalid_grant"),
        (DeviceApproval::SlowDownOnce, "slow_down"),
    ] {
        tenant.device_approval(approval);
        let started = start_device_sign_in(&tenant);
        assert_eq!(started.get("interval"), None);
        let response = poll(&tenant, &started);
        assert_eq!(response["error"], error, "{response}");
        if approval == DeviceApproval::SlowDownOnce {
            assert!(poll(&tenant, &started)["access_token"].is_string());
        }
    }
}

/// Opens the sign-in page with these parameters of the request replaced.
fn open_sign_in_page(tenant: &SimulatedTenant, at: &str, changes: &[(&str, &str)]) -> AuthorizePage {
    let scope = format!("{SCOPE} offline_access openid profile");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let usual = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("response_mode", "form_post"),
        ("redirect_uri", REDIRECT),
        ("scope", &scope),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "a state"),
        ("client_info", "1"),
    ];
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(usual.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)))
        .extend_pairs(changes)
        .finish();
    authorize(&format!("{}/{at}/oauth2/v2.0/authorize?{query}", tenant.url()))
}

fn redeem(tenant: &SimulatedTenant, code: &str, verifier: &str) -> Value {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
        ("client_info", "1"),
    ];
    token_request(tenant, HOME_TENANT, &form)
}

fn sign_in_with_password(tenant: &SimulatedTenant, user: &str, password: &str) -> Value {
    let scope = format!("{SCOPE} offline_access");
    let form = [
        ("grant_type", "password"),
        ("client_id", CLIENT_ID),
        ("scope", &scope),
        ("username", user),
        ("password", password),
    ];
    token_request(tenant, "organizations", &form)
}

fn refresh(tenant: &SimulatedTenant, at: &str, refresh_token: &str) -> Value {
    let form = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", refresh_token)];
    token_request(tenant, at, &form)
}

fn start_device_sign_in(tenant: &SimulatedTenant) -> Value {
    let url = format!("{}/organizations/oauth2/v2.0/devicecode", tenant.url());
    let (status, body) = post_form(&url, &[("client_id", CLIENT_ID), ("scope", SCOPE)]);
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

fn poll(tenant: &SimulatedTenant, started: &Value) -> Value {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", CLIENT_ID),
        ("device_code", started["device_code"].as_str().unwrap()),
    ];
    token_request(tenant, "organizations", &form)
}
