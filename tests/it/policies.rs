//! Reading: each cmdlet that gets something, with its parameters, and the request it stands for.

use serde_json::{Map, json};

use crate::support::env::TestEnv;
use crate::tenant::{POLICY, Product, Response};

#[test]
fn policy_list_is_get_ms_commerce_policies() {
    let env = TestEnv::signed_in();
    let listed = env.run(&["policy", "list", "-o", "json"]).assert_code(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let keys: Vec<&String> = listed[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["defaultValue", "description", "policyId"], "serde_json sorts what it reads");
    assert_eq!((&listed[0]["policyId"], &listed[0]["defaultValue"]), (&json!(POLICY), &json!("Enabled")));
    assert_eq!(env.request_lines(), ["GET /v1.0/policies"]);
}

#[test]
fn policy_get_is_get_ms_commerce_policy() {
    let env = TestEnv::signed_in();
    for arguments in [&["policy", "get"][..], &["policy", "get", POLICY], &["policy", "get", "--policy-id", POLICY]] {
        let policy = env.run(&[arguments, &["-o", "json"]].concat()).assert_code(0).json();
        assert_eq!(policy["policyId"], POLICY);
    }
    assert_eq!(env.request_lines(), vec!["GET /v1.0/policies/AllowSelfServicePurchase"; 3]);
}

#[test]
fn products_list_is_get_ms_commerce_product_policies() {
    let env = TestEnv::signed_in();
    let listed = env.run(&["products", "list", "-o", "json"]).assert_code(0);
    let first = listed.stdout.lines().skip(1).take(7).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("first_product_json", first);
    assert_eq!(env.request_lines(), ["GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product"]);
}

#[test]
fn every_request_carries_the_token_and_a_correlation_id_of_its_own() {
    let env = TestEnv::signed_in();
    env.run(&["products", "list", "--scope", "all"]).assert_code(0);
    let requests = env.tenant.requests();
    assert_eq!(requests.len(), 2);
    let ids: Vec<_> = requests.iter().map(|request| request.header("x-ms-correlation-id").unwrap()).collect();
    assert_ne!(ids[0], ids[1]);
    for request in &requests {
        assert!(uuid::Uuid::parse_str(request.header("x-ms-correlation-id").unwrap()).is_ok());
        assert!(request.header("authorization").unwrap().starts_with("Bearer "));
    }
}

#[test]
fn the_scope_chooses_products_offer_types_or_both() {
    let env = TestEnv::signed_in();
    let scopes = |scope: &str| {
        let listed = env.run(&["products", "list", "--scope", scope, "-o", "json"]).assert_code(0).json();
        let mut scopes: Vec<String> =
            listed.as_array().unwrap().iter().map(|item| item["scope"].as_str().unwrap().to_owned()).collect();
        scopes.dedup();
        scopes
    };
    assert_eq!(scopes("product"), ["product"]);
    assert_eq!(scopes("offer-type"), ["offerType"]);
    assert_eq!(scopes("OfferType"), ["offerType"]);
    assert_eq!(scopes("all"), ["product", "offerType"]);
    let sent = env.request_lines();
    assert_eq!(sent[1], "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=OfferType");
    assert_eq!(sent.len(), 5);
}

#[test]
fn name_and_value_narrow_the_list() {
    let env = TestEnv::signed_in();
    let names = |filters: &[&str]| {
        let listed = env.run(&[&["products", "list", "-o", "json"], filters].concat()).assert_code(0).json();
        listed.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--name", "BI PRO"]), ["Power BI Pro"]);
    assert_eq!(names(&["--name", "/^visio plan [12]$/"]), ["Visio Plan 1", "Visio Plan 2"]);
    assert_eq!(names(&["--value", "TRIALS"]), ["Planner Plan 1", "Teams Exploratory"]);
    assert_eq!(names(&["--name", "visio", "--value", "enabled"]), Vec::<String>::new());
}

#[test]
fn product_get_is_get_ms_commerce_product_policy() {
    let env = TestEnv::signed_in();
    let product = env.run(&["product", "get", "CFQ7TTC0H9MP", "-o", "json"]).assert_code(0).json();
    assert_eq!((&product["name"], &product["policyValue"]), (&json!("Power BI Pro"), &json!("Enabled")));
    let offers = env.run(&["product", "get", "--offer-type", "SaaS", "-o", "json"]).assert_code(0).json();
    assert_eq!((&offers["scope"], &offers["id"]), (&json!("offerType"), &json!("SaaS")));
    assert_eq!(
        env.request_lines(),
        [
            "GET /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP",
            "GET /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS",
        ]
    );
}

#[test]
fn a_name_or_an_id_in_lower_case_is_looked_up_with_one_request() {
    let env = TestEnv::signed_in();
    for words in ["power bi PRO", "cfq7ttc0h9mp", " Power BI Pro "] {
        let product = env.run(&["product", "get", words, "-o", "json"]).assert_code(0).json();
        assert_eq!(product["id"], "CFQ7TTC0H9MP", "{words}");
    }
    assert_eq!(env.request_lines(), vec!["GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product"; 3]);
}

#[test]
fn a_name_that_fits_nothing_gets_the_nearest_ones() {
    let env = TestEnv::signed_in();
    env.run(&["product", "get", "powr bi pro"]).assert_code(1).stdout_is_empty().stderr_contains(&[
        "no product has the id or the name 'powr bi pro'",
        "Power BI Pro (CFQ7TTC0H9MP)",
        "hint: ",
    ]);
}

#[test]
fn a_name_that_fits_several_products_gets_all_of_them() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "TWIN", "Enabled"),
    ]);
    for command in [&["product", "get", "twin"][..], &["product", "update", "twin", "--value", "disabled"]] {
        env.run(command).assert_code(1).stdout_is_empty().stderr_contains(&[
            "fits 2 products",
            "Twin (CFQ7TTC0AAAA)",
            "TWIN (CFQ7TTC0BBBB)",
        ]);
    }
    assert!(env.request_lines().iter().all(|line| line.starts_with("GET ")));
}

#[test]
fn an_unknown_id_gets_the_nearest_ones_and_a_renumbered_one_its_new_id() {
    let env = TestEnv::signed_in();
    env.run(&["product", "get", "CFQ7TTC0H9MQ"]).assert_code(1).stderr_contains(&[
        "could not read product CFQ7TTC0H9MQ: the service answered 404 Not Found",
        "correlation id: ",
        "the nearest products:\n    Power BI Pro (CFQ7TTC0H9MP)\n",
    ]);
    env.run(&["product", "get", "CFQ7TTC0L3PB"]).assert_code(1).stderr_contains(&["Power BI Pro is CFQ7TTC0H9MP now"]);
    env.run(&["product", "update", "CFQ7TTC0KXN9", "--value", "disabled"]).assert_code(1).stderr_contains(&[
        "hint: CFQ7TTC0KXN9 has been renumbered, Visio Plan 1 is CFQ7TTC0HD33 now: mscommerce product get CFQ7TTC0HD33",
    ]);
    env.run(&["product", "get", "--offer-type", "Sass"]).assert_code(1).stderr_contains(&[
        "the tenant has no offer type Sass",
        "Software as a Service (SaaS)",
        "hint: mscommerce products list --scope offer-type",
    ]);
}

#[test]
fn an_unknown_policy_gets_those_that_there_are() {
    let env = TestEnv::signed_in();
    for command in [
        &["policy", "get", "Nope"][..],
        &["products", "list", "--policy-id", "Nope"],
        &["product", "get", "CFQ7TTC0H9MP", "--policy-id", "Nope"],
    ] {
        env.run(command).assert_code(1).stdout_is_empty().stderr_contains(&[
            "there is no policy 'Nope'; policies: AllowSelfServicePurchase",
            "hint: mscommerce policy list",
        ]);
    }
}

#[test]
fn a_404_for_something_that_is_there_is_told_as_a_fault_of_the_service() {
    let env = TestEnv::signed_in();
    // The list call of the real service has answered its own inner failure so (issue 4387).
    let body = json!({"errorCode": "Unknown", "reason": "GetProductDetailsByProductIdAsync failed{\"inner\":1}"});
    env.tenant.fail_next("GET /v1.0/policies/AllowSelfServicePurchase/products?", Response::json(404, &body));
    env.run(&["products", "list"]).assert_code(1).stderr_contains(&[
        "could not list the products: the service answered 404 Not Found",
        "Unknown: GetProductDetailsByProductIdAsync failed{\"inner\":1}",
        "the policy is there, so this may be a fault of the service",
    ]);
    env.tenant.fail_next("/products/CFQ7TTC0H9MP", Response::json(404, &body));
    env.run(&["product", "get", "CFQ7TTC0H9MP"]).assert_code(1).stderr_contains(&["the list has it"]);
}

#[test]
fn ids_are_sent_as_one_encoded_segment() {
    let env = TestEnv::signed_in();
    for (id, segment) in [
        ("a/b", "a%2Fb"),
        ("a?b=c", "a%3Fb=c"),
        ("a#b", "a%23b"),
        ("a%2Fb", "a%252Fb"),
        ("..\\x", "..%5Cx"),
        ("%2e%2e", "%252e%252e"),
    ] {
        env.tenant.forget_requests();
        env.run(&["product", "get", "--offer-type", id]).assert_code(1);
        assert_eq!(env.request_lines()[0], format!("GET /v1.0/policies/AllowSelfServicePurchase/offerTypes/{segment}"));
        env.tenant.forget_requests();
        env.run(&["policy", "get", "--policy-id", id]).assert_code(1);
        assert_eq!(env.request_lines()[0], format!("GET /v1.0/policies/{segment}"));
    }
}

#[test]
fn ids_that_would_lead_elsewhere_are_refused_before_any_request() {
    let env = TestEnv::signed_in();
    for id in [".", "..", "", "a\tb", ".\t.", "a\nb"] {
        env.run(&["product", "get", "--offer-type", id]).assert_code(2).stdout_is_empty();
        env.run(&["product", "get", id]).assert_code(2).stdout_is_empty();
        env.run(&["product", "update", id, "--value", "disabled"]).assert_code(2).stdout_is_empty();
        env.run(&["products", "list", "--policy-id", id]).assert_code(2).stdout_is_empty();
        env.run(&["policy", "get", id]).assert_code(2).stdout_is_empty();
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn what_the_service_adds_later_is_kept() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0NEW1", "New", "OnlyOnTuesdays").with("availableFrom", json!({"year": 2030})),
        Product::new("CFQ7TTC0NEW2", "Odd", "Enabled").with("policyValue", json!(null)),
    ]);
    let mut added = Map::new();
    added.insert("revision".into(), json!(7));
    env.tenant.set_policy_extra(added);
    let listed = env.run(&["products", "list", "-o", "json"]).assert_code(0).json();
    assert_eq!(
        (&listed[0]["policyValue"], &listed[0]["availableFrom"]),
        (&json!("OnlyOnTuesdays"), &json!({"year": 2030}))
    );
    assert_eq!(listed[1]["policyValue"], json!(null));
    assert!(env.run(&["products", "list"]).assert_code(0).stdout.contains("OnlyOnTuesdays"));
    assert_eq!(env.run(&["policy", "get", "-o", "json"]).assert_code(0).json()["revision"], 7);
}

#[test]
fn a_list_in_pages_is_read_to_its_end_and_no_link_leads_the_token_elsewhere() {
    let env = TestEnv::signed_in();
    let item = |id: &str| json!({"policyId": POLICY, "policyValue": "Enabled", "scope": "product", "productId": id, "productName": id});
    let path = "/v1.0/policies/AllowSelfServicePurchase/products";
    let next = format!("{}{path}?page=2", env.tenant.url());
    env.tenant.fail_next("scope=product", Response::json(200, &json!({"items": [item("A")], "nextLink": next})));
    env.tenant.fail_next("page=2", Response::json(200, &json!({"items": [item("B")], "nextLink": null})));
    let listed = env.run(&["products", "list", "-o", "json"]).assert_code(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));

    for link in ["http://127.0.0.1:9/elsewhere", &format!("{path}?scope=product"), "https://licensing.example/"] {
        env.tenant.forget_requests();
        env.tenant.fail_next("scope=product", Response::json(200, &json!({"items": [], "@odata.nextLink": link})));
        env.run(&["products", "list"]).assert_code(1).stdout_is_empty().stderr_contains(&["next page", link]);
        assert_eq!(env.request_lines().len(), 1);
    }
}
