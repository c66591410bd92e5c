//! Client credentials of an application.

use serde_json::{Value, json};

use super::tenant::{
    APP_ID, APP_SECRET, CHANGE_PERMISSION, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT,
    POLICY, READ_PERMISSION, RESOURCE, SCOPE, SimulatedTenant,
};
use super::{assert_error, call, claims, get, token_request};

#[test]
fn application_token_has_no_user_claims() {
    let tenant = SimulatedTenant::start();
    for (at, id) in [(HOME_TENANT, HOME_TENANT), (HOME_DOMAIN, HOME_TENANT), (CUSTOMER_DOMAIN, CUSTOMER_TENANT)] {
        let response = sign_in(&tenant, at, &[("client_info", "1")]);
        let mut members: Vec<&str> = response.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["access_token", "expires_in", "ext_expires_in", "token_type"]);
        assert_eq!(response["token_type"], "Bearer");
        assert_eq!(response["expires_in"], 3600);
        assert_eq!(response["ext_expires_in"], 3600);

        let claims = claims(&response);
        assert_eq!(claims["tid"], id);
        assert_eq!(claims["iss"], format!("https://sts.windows.net/{id}/"));
        assert_eq!(claims["aud"], RESOURCE);
        assert_eq!(claims["appid"], APP_ID);
        assert_eq!(claims["appidacr"], "1");
        assert_eq!(claims["idtyp"], "app");
        assert_eq!(claims["roles"], json!([CHANGE_PERMISSION]));
        assert_eq!(claims["oid"], claims["sub"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert_eq!(claims["nbf"], claims["iat"]);
        for user_claim in ["upn", "unique_name", "scp"] {
            assert_eq!(claims.get(user_claim), None);
        }
    }
}

#[test]
fn application_token_request_errors() {
    let tenant = SimulatedTenant::start();
    let (with_refresh, refresh_first) = (format!("{SCOPE} offline_access"), format!("offline_access {SCOPE}"));
    let delegated = format!("{RESOURCE}/LicenseManager.AccessAsUser");
    for (at, parameter, value, error, code) in [
        ("organizations", "scope", SCOPE, "invalid_request", 50059),
        ("Common", "scope", SCOPE, "invalid_request", 50059),
        (HOME_TENANT, "client_id", "", "invalid_request", 900_144),
        (HOME_TENANT, "grant_type", "authorization_code", "unauthorized_client", 700_016),
        (HOME_TENANT, "grant_type", "password", "unauthorized_client", 700_016),
        (HOME_TENANT, "grant_type", "refresh_token", "unauthorized_client", 700_016),
        (HOME_TENANT, "scope", &with_refresh, "invalid_scope", 1_002_012),
        (HOME_TENANT, "scope", &refresh_first, "invalid_scope", 1_002_012),
        (HOME_TENANT, "scope", &delegated, "invalid_scope", 1_002_012),
        (HOME_TENANT, "scope", "https://graph.microsoft.com/.default", "invalid_resource", 500_011),
        (HOME_TENANT, "scope", "", "invalid_request", 900_144),
        (HOME_TENANT, "client_secret", "", "invalid_client", 7_000_218),
        (HOME_TENANT, "client_assertion", "a.b.c", "invalid_client", 7_000_218),
    ] {
        assert_error(&sign_in(&tenant, at, &[(parameter, value)]), error, code);
    }
    let public_client = [("grant_type", "client_credentials"), ("client_id", CLIENT_ID), ("scope", SCOPE)];
    assert_error(&token_request(&tenant, HOME_TENANT, &public_client), "invalid_client", 7_000_218);
}

#[test]
fn permissions_are_read_from_the_token() {
    let tenant = SimulatedTenant::start();
    let earlier = token(&tenant);
    for (permissions, read, update) in [
        (&[][..], 403, 403),
        (&["Other.Read"], 403, 403),
        (&[READ_PERMISSION], 200, 403),
        (&[CHANGE_PERMISSION], 200, 200),
    ] {
        tenant.grant_app(permissions);
        let response = sign_in(&tenant, HOME_TENANT, &[]);
        let expected = (!permissions.is_empty()).then(|| json!(permissions));
        assert_eq!(claims(&response).get("roles"), expected.as_ref());
        let issued = response["access_token"].as_str().unwrap().to_owned();
        for token in [issued, tenant.issue_app_token(HOME_TENANT, permissions, 600)] {
            assert_eq!(
                (read_status(&tenant, &token), update_status(&tenant, &token)),
                (read, update),
                "{permissions:?}"
            );
        }
    }
    tenant.grant_app(&[]);
    assert_eq!(update_status(&tenant, &earlier), 200);
    let forbidden = get(&tenant, &token(&tenant), "/v1.0/policies");
    let expected = json!({"errorCode": "Forbidden", "reason": "Application does not have the required permission."});
    assert_eq!((forbidden.status, forbidden.json()), (403, expected));
}

/// A token request with the secret, with these parameters replaced or added.
fn sign_in(tenant: &SimulatedTenant, at: &str, changes: &[(&str, &str)]) -> Value {
    let defaults =
        [("grant_type", "client_credentials"), ("client_id", APP_ID), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let kept = defaults.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let form: Vec<(&str, &str)> = kept.chain(changes.iter().copied()).collect();
    token_request(tenant, at, &form)
}

fn token(tenant: &SimulatedTenant) -> String {
    sign_in(tenant, HOME_TENANT, &[])["access_token"].as_str().unwrap().to_owned()
}

fn read_status(tenant: &SimulatedTenant, token: &str) -> u16 {
    get(tenant, token, "/v1.0/policies").status
}

fn update_status(tenant: &SimulatedTenant, token: &str) -> u16 {
    let path = format!("/v1.0/policies/{POLICY}/products/CFQ7TTC0H9MP");
    let content_type = ("content-type", "application/json");
    call(tenant, token, "PUT", &path, &[content_type], r#"{"policyValue":"Disabled"}"#).status
}
