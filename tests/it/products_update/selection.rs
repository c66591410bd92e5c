//! Which products are chosen, and how many requests that takes.

use serde_json::json;

use super::*;
use crate::support::fixtures::{LIST_OFFER_TYPES, LIST_PRODUCTS, POWER_BI, VISIO, VISIO_2};

#[test]
fn ids_and_names_in_any_case_are_chosen_and_nothing_else() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["cfq7ttc0h9mp", "VIVA goals", "Python in Excel", "--value", "disabled"]);
    let result = result.assert_code(0);
    // In the order of the listing, whatever the order of the command line.
    assert_eq!(result.ids_with_outcome("changed"), [POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"]);
    assert_eq!(result.json().as_array().unwrap().len(), 3, "only what was chosen is told of");
    assert_eq!(env.updated_ids(), sorted([POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"]));
    for id in [POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"] {
        assert_eq!(env.tenant.value(id), "Disabled");
    }
    assert_eq!(env.tenant.value("CFQ7TTC0LH2H"), "Enabled");
}

#[test]
fn one_listing_is_read_and_only_what_is_needed_is_sent() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    let requests = env.request_lines();
    assert_eq!(requests[0], LIST_PRODUCTS);
    assert!(requests[1..].iter().all(|line| line.starts_with("PUT ")), "{requests:?}");
    assert_eq!(env.updated_ids(), sorted(NOT_DISABLED));
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    assert_eq!(result.ids_with_outcome("unchanged").len(), 5);
    for request in &env.tenant.requests()[1..] {
        assert_eq!(request.body, r#"{"policyValue":"Disabled"}"#);
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    assert_eq!(env.tenant.value("SaaS"), "Enabled", "offer types are not chosen unless a scope says so");

    env.tenant.forget_requests();
    let again = update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    assert_eq!(again.ids_with_outcome("unchanged").len(), 17);
    again.stderr_contains(&["Nothing to change"]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn a_product_that_is_named_twice_is_changed_once() {
    let env = TestEnv::signed_in();
    let words = ["Power BI Pro", "CFQ7TTC0H9MP", "cfq7ttc0h9mp", " power bi PRO ", "Viva Goals", "--value", "trials"];
    let result = update(&env, &words).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), [POWER_BI, "CFQ7TTC0PW0V"]);
    assert_eq!(env.updated_ids(), sorted([POWER_BI, "CFQ7TTC0PW0V"]));
    assert_eq!(env.history().len(), 2);
}

#[test]
fn a_pattern_is_a_part_of_the_name_or_a_regular_expression() {
    for (pattern, chosen) in [
        ("visio", &[VISIO, VISIO_2][..]),
        ("/^VISIO .* 2$/", &[VISIO_2]),
        ("/^(visio|planner) plan 1$/", &["CFQ7TTC0HDB1", VISIO]),
        // An expression is no part of a name, and a part of a name is no expression.
        ("premium (", &["CFQ7TTC0H6RP"]),
    ] {
        let env = TestEnv::signed_in();
        let result = env.run(&["products", "update", "--name", pattern, "--value", "enabled", "--yes", "-o", "json"]);
        assert_eq!(result.assert_code(0).ids_with_outcome("changed"), chosen, "{pattern}");
        assert_eq!(env.request_lines()[0], LIST_PRODUCTS);
        assert_eq!(env.updated_ids(), sorted(chosen), "{pattern}");
    }
}

#[test]
fn exceptions_are_left_as_they_are() {
    let env = TestEnv::signed_in();
    let exceptions = ["--except", "power bi PRO", "--except", "cfq7ttc0lh05", "--except", POWER_BI];
    let result = update(&env, &[&["--all", "--value", "disabled"], &exceptions[..]].concat()).assert_code(0);
    let output = [POWER_BI, "CFQ7TTC0LH05"];
    let expected: Vec<_> = NOT_DISABLED.into_iter().filter(|id| !output.contains(id)).collect();
    assert_eq!(result.ids_with_outcome("changed"), expected);
    assert_eq!(env.updated_ids(), sorted(expected));
    assert_eq!(result.json().as_array().unwrap().len(), 15, "exceptions are not told of");
    assert_eq!((env.tenant.value(output[0]), env.tenant.value(output[1])), ("Enabled".into(), "Enabled".into()));
}

#[test]
fn a_pattern_takes_exceptions_too() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["--name", "visio", "--except", "Visio Plan 1", "--value", "enabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), [VISIO_2]);
    assert_eq!(env.updated_ids(), [VISIO_2]);
}

#[test]
fn offer_types_alone_take_one_listing_of_theirs() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["--all", "--scope", "offer-type", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["SaaS", "POWERBIVISUALS"]);
    assert_eq!(result.ids_with_outcome("unchanged"), ["DYNAMICSCE", "DYNAMICSBC"]);
    assert!(result.json().as_array().unwrap().iter().all(|record| record["scope"] == "offerType"));
    let requests = env.request_lines();
    assert_eq!(requests[0], LIST_OFFER_TYPES);
    assert_eq!(
        sorted(&requests[1..]),
        [
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/POWERBIVISUALS",
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS",
        ]
    );
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn an_offer_type_is_chosen_by_its_name_too() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["power bi visuals", "saas", "--scope", "Offer-Type", "--value", "disabled"]);
    assert_eq!(result.assert_code(0).ids_with_outcome("changed"), ["SaaS", "POWERBIVISUALS"]);
}

#[test]
fn both_scopes_take_one_listing_each() {
    let env = TestEnv::signed_in();
    let arguments = ["--name", "power", "--scope", "all", "--except", "POWERBIVISUALS", "--value", "disabled"];
    let result = update(&env, &arguments).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0LH2H", "CFQ7TTC0LH3L", POWER_BI]);

    env.tenant.forget_requests();
    let result = update(&env, &["--all", "--scope", "all", "--value", "enabled"]).assert_code(0);
    let mut requests = env.request_lines();
    let changes = requests.split_off(2);
    assert_eq!(sorted(requests), [LIST_OFFER_TYPES, LIST_PRODUCTS]);
    assert!(changes.iter().all(|line| line.starts_with("PUT ")), "{changes:?}");
    let records = result.json();
    let scopes: Vec<_> = records.as_array().unwrap().iter().map(|record| record["scope"].clone()).collect();
    assert_eq!(scopes, [vec![json!("product"); 17], vec![json!("offerType"); 4]].concat(), "products come first");
    assert_eq!(changes.len(), result.ids_with_outcome("changed").len());
    assert_eq!((env.tenant.value("DYNAMICSBC"), env.tenant.value(VISIO)), ("Enabled".into(), "Enabled".into()));
}

#[test]
fn a_product_and_an_offer_type_of_one_name_are_told_apart_by_their_ids() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new("CFQ7TTC0AAAA", "Twin", "Enabled")]);
    env.tenant.set_offer_types(vec![Product::new("TWIN2", "twin", "Enabled")]);
    update(&env, &["Twin", "--scope", "all", "--value", "disabled"])
        .assert_code(1)
        .stdout_is_empty()
        .stderr_contains(&["'Twin' fits 2", "Twin (CFQ7TTC0AAAA)", "twin (TWIN2)", "by its id"]);
    env.assert_nothing_changed();
    let result = update(&env, &["TWIN2", "--scope", "all", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["TWIN2"]);
    assert_eq!(env.tenant.value("CFQ7TTC0AAAA"), "Enabled");
}

#[test]
fn a_value_the_service_added_later_is_changed_away_from() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    env.tenant.set_value(VISIO, "disabled");
    let result = update(&env, &[POWER_BI, VISIO, "--value", "disabled"]).assert_code(0);
    let record = result.record(POWER_BI);
    assert_eq!((&record["previousValue"], &record["policyValue"]), (&json!("OnlyOnTuesdays"), &json!("Disabled")));
    // The case of a value makes no difference.
    assert_eq!(result.record(VISIO)["outcome"], "unchanged");
    assert_eq!(env.updated_ids(), [POWER_BI]);
}

#[test]
fn every_word_for_a_value_works_for_many_products_too() {
    let env = TestEnv::signed_in();
    for (value, wire) in
        [("TRIALS", "OnlyTrialsWithoutPaymentMethod"), ("Enabled", "Enabled"), ("disabled", "Disabled")]
    {
        update(&env, &["--name", "visio", "--value", value]).assert_code(0);
        assert_eq!((env.tenant.value(VISIO), env.tenant.value(VISIO_2)), (wire.into(), wire.into()));
    }
}

#[test]
fn another_tenant_is_changed_with_the_same_sign_in() {
    let env = TestEnv::signed_in();
    let customer = crate::tenant::CUSTOMER_DOMAIN;
    let result = update(&env, &["--name", "visio", "--value", "disabled", "--tenant", customer]).assert_code(0);
    result.stderr_contains(&["2 changed in the tenant 22222222-2222-4222-8222-222222222222"]);
    assert_eq!(env.tenant.value_in(crate::tenant::CUSTOMER_TENANT, VISIO_2), "Disabled");
    assert!(env.history().iter().all(|entry| entry["tenantId"] == crate::tenant::CUSTOMER_TENANT));
}
