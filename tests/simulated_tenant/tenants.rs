//! More tenants than two, as a partner has them.

use serde_json::json;

use super::tenant::{
    ADMIN, APP_ID, APP_SECRET, CHANGE_PERMISSION, CLIENT_ID, HOME_TENANT, PASSWORD, POLICY, Product, SCOPE,
    SimulatedTenant, default_offer_types, default_products,
};
use super::{assert_refused, call, claims, get, token_request};

const ID: &str = "33333333-3333-4333-8333-333333333333";
const DOMAIN: &str = "tailspin.example";
const PRODUCT: &str = "CFQ7TTC0H9MP";

#[test]
fn an_added_tenant_has_a_catalog_of_its_own() {
    let tenant = SimulatedTenant::start();
    tenant.add_tenant(ID, DOMAIN);
    for entry in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(tenant.value_in(ID, &entry.id), entry.value);
    }
    let token = tenant.issue_token(ADMIN, ID, 600);
    let path = format!("/v1.0/policies/{POLICY}/products/{PRODUCT}");
    let content_type = ("content-type", "application/json");
    let reply = call(&tenant, &token, "PUT", &path, &[content_type], r#"{"policyValue":"Disabled"}"#);
    assert_eq!((reply.status, &reply.json()["policyValue"]), (200, &json!("Disabled")));
    assert_eq!(tenant.value_in(ID, PRODUCT), "Disabled");
    assert_eq!(tenant.value(PRODUCT), "Enabled");

    tenant.set_value_in(ID, PRODUCT, "SomethingNew");
    assert_eq!(get(&tenant, &token, &path).json()["policyValue"], "SomethingNew");
    assert_eq!(tenant.value(PRODUCT), "Enabled");
    tenant.set_products_in(ID, vec![Product::new("ONE", "Only one", "Enabled")]);
    let listed = get(&tenant, &token, &format!("/v1.0/policies/{POLICY}/products")).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(tenant.value(PRODUCT), "Enabled");
}

#[test]
fn users_and_the_application_sign_in_at_an_added_tenant() {
    let tenant = SimulatedTenant::start();
    let app =
        [("grant_type", "client_credentials"), ("client_id", APP_ID), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    assert_refused(&token_request(&tenant, DOMAIN, &app), "invalid_request", 90002);
    tenant.add_tenant(ID, DOMAIN);
    for at in [ID, DOMAIN] {
        let claims = claims(&token_request(&tenant, at, &app));
        assert_eq!((&claims["tid"], &claims["roles"]), (&json!(ID), &json!([CHANGE_PERMISSION])));
    }
    tenant.remove_app_from(ID);
    assert_refused(&token_request(&tenant, ID, &app), "unauthorized_client", 700_016);

    let scope = format!("{SCOPE} offline_access");
    let user = [("client_id", CLIENT_ID), ("scope", &scope), ("username", ADMIN), ("password", PASSWORD)];
    let response = token_request(&tenant, HOME_TENANT, &[&[("grant_type", "password")], &user[..]].concat());
    let refresh_token = response["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", refresh_token)];
    let response = token_request(&tenant, DOMAIN, &refresh);
    assert_eq!(claims(&response)["tid"], ID);
    assert_eq!(get(&tenant, response["access_token"].as_str().unwrap(), "/v1.0/policies").status, 200);
}

#[test]
#[should_panic(expected = "there is a simulated tenant 33333333-3333-4333-8333-333333333333 already")]
fn a_tenant_is_added_once() {
    let tenant = SimulatedTenant::start();
    tenant.add_tenant(ID, DOMAIN);
    tenant.add_tenant(ID, "another.example");
}
