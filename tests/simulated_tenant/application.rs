//! An application that signs in by itself: with its secret, and what its permissions are good for.

use serde_json::{Value, json};

use super::tenant::{
    APP_ID, APP_SECRET, APP_SECRET_ID, CHANGE_PERMISSION, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN,
    HOME_TENANT, POLICY, READ_PERMISSION, RESOURCE, SCOPE, SimulatedTenant,
};
use super::{assert_refused, call, claims, get, token_request};

const OTHER_ID: &str = "00000000-0000-4000-8000-000000000000";

#[test]
fn a_secret_gets_a_token_and_nothing_else() {
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
        for of_users in ["upn", "unique_name", "scp"] {
            assert_eq!(claims.get(of_users), None);
        }
    }
}

#[test]
fn an_application_names_its_tenant() {
    let tenant = SimulatedTenant::start();
    for (at, code) in [("organizations", 50059), ("common", 50059), ("Common", 50059), ("nowhere.example", 90002)] {
        assert_refused(&sign_in(&tenant, at, &[]), "invalid_request", code);
    }
}

#[test]
fn only_the_registered_application_signs_in() {
    let tenant = SimulatedTenant::start();
    let refused = sign_in(&tenant, HOME_TENANT, &[("client_id", OTHER_ID)]);
    assert_refused(&refused, "unauthorized_client", 700_016);
    let refused = sign_in(&tenant, HOME_TENANT, &[("client_id", "")]);
    assert_refused(&refused, "invalid_request", 900_144);
    let refused = sign_in(&tenant, HOME_TENANT, &[("client_id", CLIENT_ID)]);
    assert_refused(&refused, "invalid_client", 700_025);
    let form = [("grant_type", "client_credentials"), ("client_id", CLIENT_ID), ("scope", SCOPE)];
    assert_refused(&token_request(&tenant, HOME_TENANT, &form), "invalid_client", 7_000_218);

    tenant.remove_app_from(HOME_TENANT);
    let refused = sign_in(&tenant, HOME_DOMAIN, &[]);
    assert_refused(&refused, "unauthorized_client", 700_016);
    assert!(sign_in(&tenant, CUSTOMER_TENANT, &[])["access_token"].is_string());
}

#[test]
fn an_application_has_no_other_grant() {
    let tenant = SimulatedTenant::start();
    for grant in ["authorization_code", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"] {
        let refused = sign_in(&tenant, HOME_TENANT, &[("grant_type", grant)]);
        assert_refused(&refused, "unauthorized_client", 700_016);
    }
}

#[test]
fn an_application_asks_for_the_resource_alone() {
    let tenant = SimulatedTenant::start();
    let with_refresh = format!("{SCOPE} offline_access");
    let refresh_first = format!("offline_access {SCOPE}");
    let delegated = format!("{RESOURCE}/LicenseManager.AccessAsUser");
    for (scope, error, code) in [
        (with_refresh.as_str(), "invalid_scope", 1_002_012),
        (&refresh_first, "invalid_scope", 1_002_012),
        (&delegated, "invalid_scope", 1_002_012),
        ("https://graph.microsoft.com/.default", "invalid_resource", 500_011),
        ("", "invalid_request", 900_144),
    ] {
        assert_refused(&sign_in(&tenant, HOME_TENANT, &[("scope", scope)]), error, code);
    }
}

#[test]
fn an_application_proves_itself_in_one_way() {
    let tenant = SimulatedTenant::start();
    for proofs in [&[("client_secret", "")][..], &[("client_assertion", "a.b.c")]] {
        assert_refused(&sign_in(&tenant, HOME_TENANT, proofs), "invalid_client", 7_000_218);
    }
}

#[test]
fn a_secret_is_its_value_and_expires() {
    let tenant = SimulatedTenant::start();
    for wrong in [APP_SECRET_ID, "a secret of another application"] {
        let refused = sign_in(&tenant, HOME_TENANT, &[("client_secret", wrong)]);
        assert_refused(&refused, "invalid_client", 7_000_215);
        assert!(refused["error_description"].as_str().unwrap().contains("not the client secret ID"));
    }
    tenant.expire_app_secret();
    assert_refused(&sign_in(&tenant, HOME_TENANT, &[]), "invalid_client", 7_000_222);
    let refused = sign_in(&tenant, HOME_TENANT, &[("client_secret", "wrong")]);
    assert_refused(&refused, "invalid_client", 7_000_215);
}

#[test]
fn permissions_decide_what_an_application_may_do() {
    let tenant = SimulatedTenant::start();
    let earlier = token(&tenant);
    for (permissions, read, change) in [
        (&[][..], 403, 403),
        (&["Other.Read"], 403, 403),
        (&[READ_PERMISSION], 200, 403),
        (&[CHANGE_PERMISSION], 200, 200),
    ] {
        tenant.grant_app(permissions);
        let response = sign_in(&tenant, HOME_TENANT, &[]);
        let wanted = (!permissions.is_empty()).then(|| json!(permissions));
        assert_eq!(claims(&response).get("roles"), wanted.as_ref());
        let issued = response["access_token"].as_str().unwrap().to_owned();
        for token in [issued, tenant.issue_app_token(HOME_TENANT, permissions, 600)] {
            assert_eq!((reads(&tenant, &token), changes(&tenant, &token)), (read, change), "{permissions:?}");
        }
    }
    tenant.grant_app(&[]);
    assert_eq!(changes(&tenant, &earlier), 200);
    let refused = get(&tenant, &token(&tenant), "/v1.0/policies");
    let wanted = json!({"errorCode": "Forbidden", "reason": "Application does not have the required permission."});
    assert_eq!((refused.status, refused.json()), (403, wanted));
}

#[test]
fn tokens_of_an_application_expire_and_may_be_unwelcome() {
    let tenant = SimulatedTenant::start();
    let expired = tenant.issue_app_token(HOME_TENANT, &[READ_PERMISSION], -60);
    assert_eq!(reads(&tenant, &expired), 401);
    tenant.set_token_lifetime(60);
    let response = sign_in(&tenant, HOME_TENANT, &[]);
    assert_eq!(response["expires_in"], 60);
    let token = response["access_token"].as_str().unwrap();
    tenant.set_app_accepted(false);
    let refused = get(&tenant, token, "/v1.0/policies");
    let wanted = json!({"errorCode": "Unauthorized", "reason": "The token type is not supported."});
    assert_eq!((refused.status, refused.json()), (401, wanted));
    tenant.set_app_accepted(true);
    assert_eq!(reads(&tenant, token), 200);
    tenant.revoke_access_tokens();
    assert_eq!(reads(&tenant, token), 401);
}

/// Signs in with the secret, after these parameters were replaced or added.
fn sign_in(tenant: &SimulatedTenant, at: &str, changes: &[(&str, &str)]) -> Value {
    let usual =
        [("grant_type", "client_credentials"), ("client_id", APP_ID), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let form: Vec<(&str, &str)> = kept.chain(changes.iter().copied()).collect();
    token_request(tenant, at, &form)
}

fn token(tenant: &SimulatedTenant) -> String {
    sign_in(tenant, HOME_TENANT, &[])["access_token"].as_str().unwrap().to_owned()
}

fn reads(tenant: &SimulatedTenant, token: &str) -> u16 {
    get(tenant, token, "/v1.0/policies").status
}

fn changes(tenant: &SimulatedTenant, token: &str) -> u16 {
    let path = format!("/v1.0/policies/{POLICY}/products/CFQ7TTC0H9MP");
    let content_type = ("content-type", "application/json");
    call(tenant, token, "PUT", &path, &[content_type], r#"{"policyValue":"Disabled"}"#).status
}
