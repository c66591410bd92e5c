//! Which products are chosen, and how many requests that takes.

use serde_json::json;

use super::*;

#[test]
fn ids_and_names_in_any_case_are_chosen_and_nothing_else() {
    let machine = Machine::signed_in();
    let ran = update(&machine, &["cfq7ttc0h9mp", "VIVA goals", "Python in Excel", "--value", "disabled"]);
    let ran = ran.expect_code(0);
    // In the order of the listing, whatever the order of the command line.
    assert_eq!(ids_of(&ran, "changed"), [POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"]);
    assert_eq!(ran.json().as_array().unwrap().len(), 3, "only what was chosen is told of");
    assert_eq!(ids_changed(&machine), sorted([POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"]));
    for id in [POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"] {
        assert_eq!(machine.tenant.value_of(id), "Disabled");
    }
    assert_eq!(machine.tenant.value_of("CFQ7TTC0LH2H"), "Enabled");
}

#[test]
fn one_listing_is_read_and_only_what_is_needed_is_sent() {
    let machine = Machine::signed_in();
    let ran = update(&machine, &["--all", "--value", "disabled"]).expect_code(0);
    let requests = machine.requests();
    assert_eq!(requests[0], LIST_PRODUCTS);
    assert!(requests[1..].iter().all(|line| line.starts_with("PUT ")), "{requests:?}");
    assert_eq!(ids_changed(&machine), sorted(NOT_DISABLED));
    assert_eq!(ids_of(&ran, "changed"), NOT_DISABLED);
    assert_eq!(ids_of(&ran, "unchanged").len(), 5);
    for request in &machine.tenant.requests()[1..] {
        assert_eq!(request.body, r#"{"policyValue":"Disabled"}"#);
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    assert_eq!(machine.tenant.value_of("SaaS"), "Enabled", "offer types are not chosen unless a scope says so");

    machine.tenant.forget_requests();
    let again = update(&machine, &["--all", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&again, "unchanged").len(), 17);
    again.expect_said(&["Nothing to change"]);
    assert_eq!(machine.requests(), [LIST_PRODUCTS]);
}

#[test]
fn a_product_that_is_named_twice_is_changed_once() {
    let machine = Machine::signed_in();
    let words = ["Power BI Pro", "CFQ7TTC0H9MP", "cfq7ttc0h9mp", " power bi PRO ", "Viva Goals", "--value", "trials"];
    let ran = update(&machine, &words).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), [POWER_BI, "CFQ7TTC0PW0V"]);
    assert_eq!(ids_changed(&machine), sorted([POWER_BI, "CFQ7TTC0PW0V"]));
    assert_eq!(record_of_changes(&machine).len(), 2);
}

#[test]
fn a_pattern_is_a_part_of_the_name_or_a_regular_expression() {
    for (pattern, chosen) in [
        ("visio", &[VISIO_1, VISIO_2][..]),
        ("/^VISIO .* 2$/", &[VISIO_2]),
        ("/^(visio|planner) plan 1$/", &["CFQ7TTC0HDB1", VISIO_1]),
        // An expression is no part of a name, and a part of a name is no expression.
        ("premium (", &["CFQ7TTC0H6RP"]),
    ] {
        let machine = Machine::signed_in();
        let ran = machine.run(&["products", "update", "--name", pattern, "--value", "enabled", "--yes", "-o", "json"]);
        assert_eq!(ids_of(&ran.expect_code(0), "changed"), chosen, "{pattern}");
        assert_eq!(machine.requests()[0], LIST_PRODUCTS);
        assert_eq!(ids_changed(&machine), sorted(chosen), "{pattern}");
    }
}

#[test]
fn exceptions_are_left_as_they_are() {
    let machine = Machine::signed_in();
    let exceptions = ["--except", "power bi PRO", "--except", "cfq7ttc0lh05", "--except", POWER_BI];
    let ran = update(&machine, &[&["--all", "--value", "disabled"], &exceptions[..]].concat()).expect_code(0);
    let left = [POWER_BI, "CFQ7TTC0LH05"];
    let expected: Vec<_> = NOT_DISABLED.into_iter().filter(|id| !left.contains(id)).collect();
    assert_eq!(ids_of(&ran, "changed"), expected);
    assert_eq!(ids_changed(&machine), sorted(expected));
    assert_eq!(ran.json().as_array().unwrap().len(), 15, "exceptions are not told of");
    assert_eq!(
        (machine.tenant.value_of(left[0]), machine.tenant.value_of(left[1])),
        ("Enabled".into(), "Enabled".into())
    );
}

#[test]
fn a_pattern_takes_exceptions_too() {
    let machine = Machine::signed_in();
    let ran = update(&machine, &["--name", "visio", "--except", "Visio Plan 1", "--value", "enabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), [VISIO_2]);
    assert_eq!(ids_changed(&machine), [VISIO_2]);
}

#[test]
fn offer_types_alone_take_one_listing_of_theirs() {
    let machine = Machine::signed_in();
    let ran = update(&machine, &["--all", "--scope", "offer-type", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["SaaS", "POWERBIVISUALS"]);
    assert_eq!(ids_of(&ran, "unchanged"), ["DYNAMICSCE", "DYNAMICSBC"]);
    assert!(ran.json().as_array().unwrap().iter().all(|record| record["scope"] == "offerType"));
    let requests = machine.requests();
    assert_eq!(requests[0], LIST_OFFER_TYPES);
    assert_eq!(
        sorted(&requests[1..]),
        [
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/POWERBIVISUALS",
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS",
        ]
    );
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}

#[test]
fn an_offer_type_is_chosen_by_its_name_too() {
    let machine = Machine::signed_in();
    let ran = update(&machine, &["power bi visuals", "saas", "--scope", "Offer-Type", "--value", "disabled"]);
    assert_eq!(ids_of(&ran.expect_code(0), "changed"), ["SaaS", "POWERBIVISUALS"]);
}

#[test]
fn both_scopes_take_one_listing_each() {
    let machine = Machine::signed_in();
    let arguments = ["--name", "power", "--scope", "all", "--except", "POWERBIVISUALS", "--value", "disabled"];
    let ran = update(&machine, &arguments).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0LH2H", "CFQ7TTC0LH3L", POWER_BI]);

    machine.tenant.forget_requests();
    let ran = update(&machine, &["--all", "--scope", "all", "--value", "enabled"]).expect_code(0);
    let mut requests = machine.requests();
    let changes = requests.split_off(2);
    assert_eq!(sorted(requests), [LIST_OFFER_TYPES, LIST_PRODUCTS]);
    assert!(changes.iter().all(|line| line.starts_with("PUT ")), "{changes:?}");
    let records = ran.json();
    let scopes: Vec<_> = records.as_array().unwrap().iter().map(|record| record["scope"].clone()).collect();
    assert_eq!(scopes, [vec![json!("product"); 17], vec![json!("offerType"); 4]].concat(), "products come first");
    assert_eq!(changes.len(), ids_of(&ran, "changed").len());
    assert_eq!(
        (machine.tenant.value_of("DYNAMICSBC"), machine.tenant.value_of(VISIO_1)),
        ("Enabled".into(), "Enabled".into())
    );
}

#[test]
fn a_product_and_an_offer_type_of_one_name_are_told_apart_by_their_ids() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![Product::new("CFQ7TTC0AAAA", "Twin", "Enabled")]);
    machine.tenant.set_offer_types(vec![Product::new("TWIN2", "twin", "Enabled")]);
    update(&machine, &["Twin", "--scope", "all", "--value", "disabled"])
        .expect_code(1)
        .expect_no_data()
        .expect_said(&["'Twin' fits 2", "Twin (CFQ7TTC0AAAA)", "twin (TWIN2)", "by its id"]);
    expect_nothing_changed(&machine);
    let ran = update(&machine, &["TWIN2", "--scope", "all", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["TWIN2"]);
    assert_eq!(machine.tenant.value_of("CFQ7TTC0AAAA"), "Enabled");
}

#[test]
fn a_value_the_service_added_later_is_changed_away_from() {
    let machine = Machine::signed_in();
    machine.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    machine.tenant.set_value(VISIO_1, "disabled");
    let ran = update(&machine, &[POWER_BI, VISIO_1, "--value", "disabled"]).expect_code(0);
    let record = record_of(&ran, POWER_BI);
    assert_eq!((&record["previousValue"], &record["policyValue"]), (&json!("OnlyOnTuesdays"), &json!("Disabled")));
    // The case of a value makes no difference.
    assert_eq!(record_of(&ran, VISIO_1)["outcome"], "unchanged");
    assert_eq!(ids_changed(&machine), [POWER_BI]);
}

#[test]
fn every_word_for_a_value_works_for_many_products_too() {
    let machine = Machine::signed_in();
    for (value, wire) in
        [("TRIALS", "OnlyTrialsWithoutPaymentMethod"), ("Enabled", "Enabled"), ("disabled", "Disabled")]
    {
        update(&machine, &["--name", "visio", "--value", value]).expect_code(0);
        assert_eq!((machine.tenant.value_of(VISIO_1), machine.tenant.value_of(VISIO_2)), (wire.into(), wire.into()));
    }
}

#[test]
fn another_tenant_is_changed_with_the_same_sign_in() {
    let machine = Machine::signed_in();
    let customer = crate::tenant::CUSTOMER_DOMAIN;
    let ran = update(&machine, &["--name", "visio", "--value", "disabled", "--tenant", customer]).expect_code(0);
    ran.expect_said(&["2 changed in the tenant 22222222-2222-4222-8222-222222222222"]);
    assert_eq!(machine.tenant.value_at(crate::tenant::CUSTOMER_TENANT, VISIO_2), "Disabled");
    assert!(record_of_changes(&machine).iter().all(|entry| entry["tenantId"] == crate::tenant::CUSTOMER_TENANT));
}
