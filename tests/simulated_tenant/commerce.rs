//! The policy endpoint.

use serde_json::json;

use super::tenant::{ADMIN, HOME_TENANT, POLICY, Product, SimulatedTenant, send};
use super::{call, get};

const PRODUCT: &str = "CFQ7TTC0H9MP";

#[test]
fn update_body_is_validated() {
    let tenant = SimulatedTenant::start();
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    let path = product_path(PRODUCT);
    let saas = format!("/v1.0/policies/{POLICY}/offerTypes/SaaS");
    let json_type = [("content-type", "application/json")];
    for (path, headers, body, status) in [
        (&path, &[][..], r#"{"policyValue":"Disabled"}"#, 415),
        (&path, &json_type, r#"{"policyValue":"disabled"}"#, 400),
        (&path, &json_type, r#"{"policyValue":"Disabled","more":1}"#, 400),
        (&path, &json_type, "not json", 400),
        (&saas, &json_type, r#"{"policyValue":"OnlyTrialsWithoutPaymentMethod"}"#, 400),
        (&saas, &json_type, r#"{"policyValue":"Disabled"}"#, 200),
    ] {
        let response = call(&tenant, &token, "PUT", path, headers, body);
        assert_eq!(response.status, status, "{path} {body}: {}", response.body);
    }
    assert_eq!(tenant.value(PRODUCT), "Enabled");
    assert_eq!(tenant.value("SaaS"), "Disabled");
}

#[test]
fn list_scope_is_validated() {
    let tenant = SimulatedTenant::start();
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    for scope in ["offertype", "OfferType", "product"] {
        assert_eq!(get(&tenant, &token, &format!("/v1.0/policies/{POLICY}/products?scope={scope}")).status, 200);
    }
    let response = get(&tenant, &token, &format!("/v1.0/policies/{POLICY}/products?scope=Everything"));
    assert_eq!(response.status, 400);
    assert_eq!(response.json(), json!({"errorCode": "BadRequest", "reason": "Invalid scope."}));
}

#[test]
fn path_segments_are_decoded_separately() {
    let tenant = SimulatedTenant::start();
    let odd_id = "a/b c+é%";
    tenant.set_products(vec![Product::new(odd_id, "Odd", "Enabled").with("addedLater", json!({"deep": true}))]);
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    let path = product_path("A%2Fb%20c+%C3%A9%25");
    let response = get(&tenant, &token, &path);
    assert_eq!(response.status, 200);
    assert_eq!(response.json()["productId"], odd_id);
    assert_eq!(response.json()["addedLater"]["deep"], true);
    assert_eq!(tenant.requests().last().unwrap().line(), format!("GET {path}"));
    for path in [product_path("a/b"), product_path("nothing"), product_path("")] {
        assert_eq!(get(&tenant, &token, &path).status, 404, "{path}");
    }
}

#[test]
fn correlation_id_is_required() {
    let tenant = SimulatedTenant::start();
    let url = format!("{}/v1.0/policies", tenant.url());
    let bearer = format!("Bearer {}", tenant.issue_token(ADMIN, HOME_TENANT, 600));
    let authorization = ("authorization", bearer.as_str());
    let id = "5f2b8f3e-7c1d-4e7a-9a53-0d4c1b2a3f4e";
    let response = send("GET", &url, &[authorization, ("x-ms-correlation-id", id)], "");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("x-ms-correlation-id"), Some(id));
    for headers in [&[authorization][..], &[authorization, ("x-ms-correlation-id", "none")]] {
        let response = send("GET", &url, headers, "");
        assert_eq!(response.status, 400);
        assert_eq!(response.json()["reason"], "Missing correlation id.");
    }
}

fn product_path(id: &str) -> String {
    format!("/v1.0/policies/{POLICY}/products/{id}")
}
