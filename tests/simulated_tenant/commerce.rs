//! The commerce endpoint: who may read and change, what a change does, and what tests can make go wrong.

use serde_json::{Map, Value, json};

use super::tenant::{
    ADMIN, BrowserResponse, CUSTOMER_TENANT, HOME_TENANT, NOBODY, POLICY, Product, READER, Response, Role,
    SimulatedTenant, jwt, send,
};
use super::{call, get};

const PRODUCT: &str = "CFQ7TTC0H9MP";
const OTHER_PRODUCT: &str = "CFQ7TTC0LSGZ";

#[test]
fn a_change_is_kept_and_touches_nothing_else() {
    let tenant = SimulatedTenant::start();
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    let before = listing(&tenant, &token, "");
    let at_customer = tenant.value_in(CUSTOMER_TENANT, PRODUCT);
    let reply = put(&tenant, &token, &product_path(PRODUCT), "OnlyTrialsWithoutPaymentMethod");
    assert_eq!(reply.status, 200);
    let wanted = json!({
        "policyId": POLICY,
        "policyValue": "OnlyTrialsWithoutPaymentMethod",
        "scope": "Product",
        "productId": PRODUCT,
        "productName": "Power BI Pro",
    });
    assert_eq!(reply.json(), wanted);
    assert_eq!(tenant.value(PRODUCT), "OnlyTrialsWithoutPaymentMethod");
    assert_eq!(tenant.value_in(CUSTOMER_TENANT, PRODUCT), at_customer);

    let after = listing(&tenant, &token, "?scope=product");
    let differing: Vec<&Value> =
        before.iter().zip(&after).filter(|(before, after)| before != after).map(|(_, after)| after).collect();
    assert_eq!(before.len(), after.len());
    assert_eq!(differing, [&wanted]);
}

#[test]
fn a_change_may_be_accepted_without_effect() {
    let tenant = SimulatedTenant::start();
    tenant.misreport_updates(true);
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    let reply = put(&tenant, &token, &product_path(OTHER_PRODUCT), "Enabled");
    assert_eq!((reply.status, &reply.json()["policyValue"]), (200, &json!("Disabled")));
    assert_eq!(tenant.value(OTHER_PRODUCT), "Disabled");
}

#[test]
fn a_change_must_be_well_formed() {
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
        let reply = call(&tenant, &token, "PUT", path, headers, body);
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.body);
    }
    assert_eq!(tenant.value(PRODUCT), "Enabled");
    assert_eq!(tenant.value("SaaS"), "Disabled");
}

#[test]
fn roles_decide_who_reads_and_who_changes() {
    let tenant = SimulatedTenant::start();
    let path = product_path(PRODUCT);
    let reader = tenant.issue_token(READER, HOME_TENANT, 600);
    assert_eq!(get(&tenant, &reader, &path).status, 200);
    let reply = put(&tenant, &reader, &path, "Disabled");
    assert_eq!((reply.status, &reply.json()["errorCode"]), (403, &json!("Forbidden")));
    assert_eq!(tenant.value(PRODUCT), "Enabled");
    let nobody = tenant.issue_token(NOBODY, HOME_TENANT, 600);
    assert_eq!(get(&tenant, &nobody, &path).status, 403);
    tenant.set_role(NOBODY, Role::GlobalAdministrator);
    assert_eq!(put(&tenant, &nobody, &path, "Disabled").status, 200);
}

#[test]
fn the_scope_chooses_products_or_offer_types() {
    let tenant = SimulatedTenant::start();
    let token = tenant.issue_token(ADMIN, CUSTOMER_TENANT, 600);
    let offer_types = listing(&tenant, &token, "?scope=offertype");
    assert_eq!(offer_types.len(), 4);
    let wanted = json!({
        "policyId": POLICY,
        "policyValue": "Disabled",
        "scope": "OfferType",
        "scopeId": "SaaS",
        "scopeValue": "Software as a Service",
    });
    assert_eq!(offer_types[0], wanted);
    let path = format!("/v1.0/policies/{POLICY}/products?scope=Everything");
    let reply = get(&tenant, &token, &path);
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json(), json!({"errorCode": "BadRequest", "reason": "Invalid scope."}));
}

#[test]
fn path_segments_are_decoded_one_by_one() {
    let tenant = SimulatedTenant::start();
    let odd_id = "a/b c+é%";
    tenant.set_products(vec![Product::new(odd_id, "Odd", "Enabled").with("addedLater", json!({"deep": true}))]);
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    let path = product_path("A%2Fb%20c+%C3%A9%25");
    let reply = get(&tenant, &token, &path);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["productId"], odd_id);
    assert_eq!(reply.json()["addedLater"]["deep"], true);
    assert_eq!(tenant.requests().last().unwrap().line(), format!("GET {path}"));
    for path in [product_path("a/b"), product_path("nothing"), product_path("")] {
        assert_eq!(get(&tenant, &token, &path).status, 404, "{path}");
    }
}

#[test]
fn the_policy_may_have_members_added_later() {
    let tenant = SimulatedTenant::start();
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    tenant.set_policy_extra(Map::from_iter([("addedLater".to_owned(), json!(1))]));
    let listed = get(&tenant, &token, "/v1.0/policies").json();
    let policy = get(&tenant, &token, "/v1.0/policies/allowselfservicepurchase").json();
    assert_eq!(listed["items"], json!([policy]));
    assert_eq!(policy["id"], POLICY);
    assert_eq!(policy["defaultValue"], "Enabled");
    assert_eq!(policy["addedLater"], 1);
    assert_eq!(get(&tenant, &token, "/v1.0/policies/Other").status, 404);
}

#[test]
fn a_canned_answer_serves_one_request() {
    let tenant = SimulatedTenant::start();
    let token = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    let path = product_path(PRODUCT);
    let busy = Response::text(429, "text/plain", "slow down").header("retry-after", "1");
    tenant.fail_next(&format!("PUT {path}"), busy);
    tenant.fail_times(1, PRODUCT, Response::json(503, &json!({})));
    assert_eq!(get(&tenant, &token, "/v1.0/policies").status, 200);
    let reply = put(&tenant, &token, &path, "Disabled");
    assert_eq!((reply.status, reply.body.as_str()), (429, "slow down"));
    assert_eq!(reply.header("Retry-After"), Some("1"));
    assert_eq!(tenant.value(PRODUCT), "Enabled");
    assert_eq!(get(&tenant, &token, &path).status, 503);
    assert_eq!(get(&tenant, &token, &path).status, 200);

    let requests = tenant.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[1].body, r#"{"policyValue":"Disabled"}"#);
    assert_eq!(requests[1].header("Content-Type"), Some("application/json"));
    tenant.forget_requests();
    assert!(tenant.requests().is_empty());
}

#[test]
fn only_tokens_of_this_world_open_the_commerce_endpoint() {
    let tenant = SimulatedTenant::start();
    let good = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    assert_eq!(get(&tenant, &good, "/v1.0/policies").status, 200);
    tenant.revoke_access_tokens();
    let expired = tenant.issue_token(ADMIN, HOME_TENANT, -60);
    let for_another = jwt(&json!({"aud": "https://graph.microsoft.com"}));
    for (token, reason) in [
        (good.as_str(), "The token has been revoked."),
        (&expired, "The token is expired."),
        (&for_another, "The audience is invalid."),
        ("no token at all", "The token is invalid."),
    ] {
        let reply = get(&tenant, token, "/v1.0/policies");
        assert_eq!(reply.status, 401, "{reason}");
        assert_eq!(reply.json(), json!({"errorCode": "Unauthorized", "reason": reason}));
    }
    let fresh = tenant.issue_token(ADMIN, HOME_TENANT, 600);
    assert_eq!(get(&tenant, &fresh, "/v1.0/policies").status, 200);
}

#[test]
fn every_commerce_request_carries_a_correlation_id() {
    let tenant = SimulatedTenant::start();
    let url = format!("{}/v1.0/policies", tenant.url());
    let bearer = format!("Bearer {}", tenant.issue_token(ADMIN, HOME_TENANT, 600));
    let authorization = ("authorization", bearer.as_str());
    let id = "5f2b8f3e-7c1d-4e7a-9a53-0d4c1b2a3f4e";
    let reply = send("GET", &url, &[authorization, ("x-ms-correlation-id", id)], "");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-ms-correlation-id"), Some(id));
    for headers in [&[authorization][..], &[authorization, ("x-ms-correlation-id", "none")]] {
        let reply = send("GET", &url, headers, "");
        assert_eq!(reply.status, 400);
        assert_eq!(reply.json()["reason"], "Missing correlation id.");
    }
}

fn product_path(id: &str) -> String {
    format!("/v1.0/policies/{POLICY}/products/{id}")
}

fn listing(tenant: &SimulatedTenant, token: &str, query: &str) -> Vec<Value> {
    let path = format!("/v1.0/policies/{POLICY}/products{query}");
    let body = get(tenant, token, &path).json();
    body["items"].as_array().unwrap().clone()
}

fn put(tenant: &SimulatedTenant, token: &str, path: &str, value: &str) -> BrowserResponse {
    let body = json!({ "policyValue": value }).to_string();
    let content_type = ("content-type", "application/json");
    call(tenant, token, "PUT", path, &[content_type], &body)
}
