//! The commands that read: the counterparts of the Get-MSCommerce cmdlets, their parameters and requests.

use serde_json::{Map, json};

use crate::support::env::TestEnv;
use crate::support::fixtures::{LIST_OFFER_TYPES, LIST_PRODUCTS, OLD_POWER_BI, POWER_BI, get_product};
use crate::support::snapshot::Transcript;
use crate::tenant::{POLICY, Product, Response};

#[test]
fn policy_list_returns_all_policies() {
    let env = TestEnv::signed_in();
    let listed = env.run(&["policy", "list", "-o", "json"]).assert_code(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let keys: Vec<&String> = listed[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["policyId", "description", "defaultValue"]);
    assert_eq!((&listed[0]["policyId"], &listed[0]["defaultValue"]), (&json!(POLICY), &json!("Enabled")));
    assert_eq!(env.request_lines(), ["GET /v1.0/policies"]);
}

#[test]
fn policy_get_has_a_default_id() {
    let env = TestEnv::signed_in();
    for arguments in [&["policy", "get"][..], &["policy", "get", POLICY], &["policy", "get", "--policy-id", POLICY]] {
        let policy = env.run(&[arguments, &["-o", "json"]].concat()).assert_code(0).json();
        assert_eq!(policy["policyId"], POLICY);
    }
    assert_eq!(env.request_lines(), vec!["GET /v1.0/policies/AllowSelfServicePurchase"; 3]);
}

#[test]
fn products_list_json_fields() {
    let env = TestEnv::signed_in();
    let listed = env.run(&["products", "list", "-o", "json"]).assert_code(0);
    let first_record = listed.stdout.lines().skip(1).take(7).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(first_record, @r#"
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0LH2H",
      "name": "Power Apps per user",
      "policyValue": "Enabled"
    },
    "#);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn requests_have_token_and_own_correlation_id() {
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
fn products_list_scope_selects_what_is_listed() {
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
    let requests = env.request_lines();
    assert_eq!(requests[1], LIST_OFFER_TYPES);
    assert_eq!(requests.len(), 5);
}

#[test]
fn products_list_filters_by_name_and_value() {
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
fn product_get_reads_product_or_offer_type() {
    let env = TestEnv::signed_in();
    let product = env.run(&["product", "get", POWER_BI, "-o", "json"]).assert_code(0).json();
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
fn product_get_by_name_sends_one_request() {
    let env = TestEnv::signed_in();
    for argument in ["power bi PRO", "Power  BI Pro", " Power BI Pro "] {
        let product = env.run(&["product", "get", argument, "-o", "json"]).assert_code(0).json();
        assert_eq!(product["id"], POWER_BI, "{argument}");
    }
    assert_eq!(env.request_lines(), vec![LIST_PRODUCTS; 3]);
}

#[test]
fn product_get_unknown_name_suggests_nearest() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run(&["product", "get", "powr bi pro"]), @"
    exit_code: 1
    ----- stderr -----
    error: no product has the ID or name 'powr bi pro'
      similar products:
        Power BI Pro (CFQ7TTC0H9MP)
        Power BI Premium (standalone) (CFQ7TTC0H6RP)
        Power Automate RPA (CFQ7TTC0LSGZ)
    hint: mscommerce product list
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ");
}

#[test]
fn ambiguous_name_lists_all_matches() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "TWIN", "Enabled"),
    ]);
    let mut transcript = Transcript::default();
    for arguments in [&["product", "get", "twin"][..], &["product", "update", "twin", "--value", "disabled"]] {
        transcript.push(arguments.join(" "), env.run(arguments));
    }
    cli_snapshot!(transcript, @"
    ===== product get twin =====
    ===== product update twin --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: 'twin' matches 2 products; nothing was changed
      Twin (CFQ7TTC0AAAA)
      TWIN (CFQ7TTC0BBBB)
    hint: specify one of them by its ID
    ");
    assert!(env.request_lines().iter().all(|line| line.starts_with("GET ")));
}

#[test]
fn unknown_id_suggests_nearest_or_new_id() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for arguments in [
        &["product", "get", "CFQ7TTC0H9MQ"][..],
        &["product", "get", OLD_POWER_BI],
        &["product", "update", "CFQ7TTC0KXN9", "--value", "disabled"],
        &["product", "get", "--offer-type", "Sass"],
    ] {
        transcript.push(arguments.join(" "), env.run(arguments));
    }
    cli_snapshot!(transcript, @"
    ===== product get CFQ7TTC0H9MQ =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MQ: the service returned 404 Not Found
      NotFound: Product not found.
      correlation ID: [UUID]
      the tenant has no product CFQ7TTC0H9MQ
      similar products:
        Power BI Pro (CFQ7TTC0H9MP)
        Power Apps per user (CFQ7TTC0LH2H)
        Power Automate per user (CFQ7TTC0LH3L)
        Power BI Premium (standalone) (CFQ7TTC0H6RP)
        Planner Plan 1 (CFQ7TTC0HDB1)
    hint: mscommerce product list
    ===== product get CFQ7TTC0L3PB =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0L3PB: the service returned 404 Not Found
      NotFound: Product not found.
      correlation ID: [UUID]
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    ===== product update CFQ7TTC0KXN9 --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0KXN9: the service returned 404 Not Found
      NotFound: Product not found.
      correlation ID: [UUID]
    hint: use the new ID CFQ7TTC0HD33 (Visio Plan 1) instead of CFQ7TTC0KXN9: mscommerce product get CFQ7TTC0HD33
    ===== product get --offer-type Sass =====
    exit_code: 1
    ----- stderr -----
    error: could not read offer type Sass: the service returned 404 Not Found
      NotFound: Offer type not found.
      correlation ID: [UUID]
      the tenant has no offer type Sass
      similar offer types:
        Software as a Service (SaaS)
        Dynamics 365 Dataverse Apps (DYNAMICSCE)
        Dynamics 365 Business Central (DYNAMICSBC)
        Power BI Visuals (POWERBIVISUALS)
    hint: mscommerce product list --scope offer-type
    ");
}

#[test]
fn unknown_policy_lists_existing_policies() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for arguments in [
        &["policy", "get", "Nope"][..],
        &["products", "list", "--policy-id", "Nope"],
        &["product", "get", POWER_BI, "--policy-id", "Nope"],
    ] {
        transcript.push(arguments.join(" "), env.run(arguments));
    }
    cli_snapshot!(transcript, @"
    ===== policy get Nope =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy Nope: the service returned 404 Not Found
      NotFound: Policy not found.
      correlation ID: [UUID]
      existing policies: AllowSelfServicePurchase
    hint: mscommerce policy list
    ===== products list --policy-id Nope =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 404 Not Found
      NotFound: Policy not found.
      correlation ID: [UUID]
      existing policies: AllowSelfServicePurchase
    hint: mscommerce policy list
    ===== product get CFQ7TTC0H9MP --policy-id Nope =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service returned 404 Not Found
      NotFound: Policy not found.
      correlation ID: [UUID]
      existing policies: AllowSelfServicePurchase
    hint: mscommerce policy list
    ");
}

#[test]
fn status_404_for_existing_item_is_a_service_fault() {
    let env = TestEnv::signed_in();
    // The list call of the real service has returned this for an internal failure (issue 4387).
    let body = json!({"errorCode": "Unknown", "reason": "GetProductDetailsByProductIdAsync failed{\"inner\":1}"});
    let mut transcript = Transcript::default();
    env.tenant.fail_next("GET /v1.0/policies/AllowSelfServicePurchase/products?", Response::json(404, &body));
    transcript.push("products list", env.run(&["products", "list"]));
    env.tenant.fail_next("/products/CFQ7TTC0H9MP", Response::json(404, &body));
    transcript.push("product get", env.run(&["product", "get", POWER_BI]));
    cli_snapshot!(transcript, @r#"
    ===== products list =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 404 Not Found
      Unknown: GetProductDetailsByProductIdAsync failed{"inner":1}
      correlation ID: [UUID]
    hint: The policy exists, so this may be an error of the service. Try again later. If it persists, give Microsoft support the correlation ID.
    ===== product get =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service returned 404 Not Found
      Unknown: GetProductDetailsByProductIdAsync failed{"inner":1}
      correlation ID: [UUID]
    hint: It is in the list, so this may be an error of the service. Try again later. If it persists, give Microsoft support the correlation ID.
    "#);
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
fn invalid_ids_are_rejected_before_any_request() {
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
fn unknown_members_and_values_are_kept() {
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

const PRODUCTS_PATH: &str = "/v1.0/policies/AllowSelfServicePurchase/products";

#[test]
fn products_list_follows_next_links() {
    let env = TestEnv::signed_in();
    let item = |id: &str| json!({"policyId": POLICY, "policyValue": "Enabled", "scope": "product", "productId": id, "productName": id});
    let next = format!("{}{PRODUCTS_PATH}?page=2", env.tenant.url());
    env.tenant.fail_next("scope=product", Response::json(200, &json!({"items": [item("A")], "nextLink": next})));
    env.tenant.fail_next("page=2", Response::json(200, &json!({"items": [item("B")], "nextLink": null})));
    let listed = env.run(&["products", "list", "-o", "json"]).assert_code(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
}

#[test]
fn products_list_sends_no_token_to_other_origins() {
    let env = TestEnv::signed_in();
    let relative_link = format!("{PRODUCTS_PATH}?scope=product");
    let mut transcript = Transcript::default();
    for link in ["http://127.0.0.1:9/elsewhere", &relative_link, "https://licensing.example/"] {
        env.tenant.forget_requests();
        env.tenant.fail_next("scope=product", Response::json(200, &json!({"items": [], "@odata.nextLink": link})));
        transcript.push(link, env.run(&["products", "list"]));
        assert_eq!(env.request_lines().len(), 1, "{link}");
    }
    cli_snapshot!(transcript, @"
    ===== http://127.0.0.1:9/elsewhere =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the link to the next page cannot be followed: http://127.0.0.1:[PORT]/elsewhere
      status 200 OK, correlation ID: [UUID]
    hint: give Microsoft support the correlation ID; the link is outside the endpoint or was already followed
    ===== /v1.0/policies/AllowSelfServicePurchase/products?scope=product =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the link to the next page cannot be followed: /v1.0/policies/AllowSelfServicePurchase/products?scope=product
      status 200 OK, correlation ID: [UUID]
    hint: give Microsoft support the correlation ID; the link is outside the endpoint or was already followed
    ===== https://licensing.example/ =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the link to the next page cannot be followed: https://licensing.example/
      status 200 OK, correlation ID: [UUID]
    hint: give Microsoft support the correlation ID; the link is outside the endpoint or was already followed
    ");
}

#[test]
fn products_list_with_glob_pattern_is_empty_with_hint() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for pattern in ["Power*", "Visio Plan ?", "no such name"] {
        transcript.push(pattern, env.run(&["products", "list", "-o", "json", "--name", pattern]));
    }
    cli_snapshot!(transcript, @r#"
    ===== Power* =====
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    No products match "Power*" (17 checked).
    hint: use part of the name, or a regular expression such as '/^Power.*Pro$/'; * and ? are not wildcards in --name
    ===== Visio Plan ? =====
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    No products match "Visio Plan ?" (17 checked).
    hint: use part of the name, or a regular expression such as '/^Power.*Pro$/'; * and ? are not wildcards in --name
    ===== no such name =====
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    No products match "no such name" (17 checked).
    "#);
    env.run(&["products", "list", "--name", "/["]).assert_code(2).stdout_is_empty();
}

#[test]
fn product_get_by_id_ignores_case() {
    let env = TestEnv::signed_in();
    for id in ["CFQ7TTC0H9MP", "CFQ7ttc0h9mp", "cfq7ttc0h9mp", "cFq7TtC0h9Mp"] {
        env.tenant.forget_requests();
        assert_eq!(env.run(&["product", "get", id, "-o", "json"]).assert_code(0).json()["id"], POWER_BI, "{id}");
        assert_eq!(env.request_lines(), [get_product(id)]);
    }
    env.run(&["product", "update", "cfq7ttc0h9mp", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.updated_ids(), [POWER_BI], "the spelling of the service");
}
