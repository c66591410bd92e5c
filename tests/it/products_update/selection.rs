//! Which products are selected, and which requests that takes.

use serde_json::json;

use super::*;
use crate::support::fixtures::{LIST_OFFER_TYPES, LIST_PRODUCTS, POWER_BI, VISIO, VISIO_2};
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT};

#[test]
fn ids_and_names_are_case_insensitive() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["cfq7ttc0h9mp", "VIVA goals", "Python in Excel", "--value", "disabled"]);
    let result = result.assert_code(0);
    // In list order, not in the order of the arguments.
    assert_eq!(result.ids_with_outcome("changed"), [POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"]);
    assert_eq!(result.json().as_array().unwrap().len(), 3, "only selected products have records");
    assert_eq!(env.updated_ids(), sorted([POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"]));
    for id in [POWER_BI, "CFQ7TTC0S3X1", "CFQ7TTC0PW0V"] {
        assert_eq!(env.tenant.value(id), "Disabled");
    }
    assert_eq!(env.tenant.value("CFQ7TTC0LH2H"), "Enabled");
}

#[test]
fn all_sends_one_list_request_and_needed_updates() {
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
    assert_eq!(env.tenant.value("SaaS"), "Enabled", "offer types need --scope");

    env.tenant.forget_requests();
    let second_run = update(&env, &["--all", "--value", "disabled"]);
    cli_snapshot!(second_run.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Nothing to change in tenant 11111111-1111-4111-8111-111111111111: 17 already up to date.
    ");
    assert_eq!(second_run.ids_with_outcome("unchanged").len(), 17);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn product_selected_twice_is_updated_once() {
    let env = TestEnv::signed_in();
    let arguments =
        ["Power BI Pro", "CFQ7TTC0H9MP", "cfq7ttc0h9mp", " power bi PRO ", "Viva Goals", "--value", "trials"];
    let result = update(&env, &arguments).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), [POWER_BI, "CFQ7TTC0PW0V"]);
    assert_eq!(env.updated_ids(), sorted([POWER_BI, "CFQ7TTC0PW0V"]));
    assert_eq!(env.history().len(), 2);
}

#[test]
fn name_matches_substring_or_regex() {
    for (pattern, expected) in [
        ("visio", &[VISIO, VISIO_2][..]),
        ("/^VISIO .* 2$/", &[VISIO_2]),
        ("/^(visio|planner) plan 1$/", &["CFQ7TTC0HDB1", VISIO]),
        // A substring is not a regular expression.
        ("premium (", &["CFQ7TTC0H6RP"]),
    ] {
        let env = TestEnv::signed_in();
        let result = env.run(&["products", "update", "--name", pattern, "--value", "enabled", "--yes", "-o", "json"]);
        assert_eq!(result.assert_code(0).ids_with_outcome("changed"), expected, "{pattern}");
        assert_eq!(env.request_lines()[0], LIST_PRODUCTS);
        assert_eq!(env.updated_ids(), sorted(expected), "{pattern}");
    }
}

#[test]
fn except_excludes_products() {
    let env = TestEnv::signed_in();
    let exceptions = ["--except", "power bi PRO", "--except", "cfq7ttc0lh05", "--except", POWER_BI];
    let result = update(&env, &[&["--all", "--value", "disabled"], &exceptions[..]].concat()).assert_code(0);
    let excluded = [POWER_BI, "CFQ7TTC0LH05"];
    let expected: Vec<_> = NOT_DISABLED.into_iter().filter(|id| !excluded.contains(id)).collect();
    assert_eq!(result.ids_with_outcome("changed"), expected);
    assert_eq!(env.updated_ids(), sorted(expected));
    assert_eq!(result.json().as_array().unwrap().len(), 15, "excluded products have no records");
    assert_eq!((env.tenant.value(excluded[0]), env.tenant.value(excluded[1])), ("Enabled".into(), "Enabled".into()));
}

#[test]
fn name_can_be_combined_with_except() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["--name", "visio", "--except", "Visio Plan 1", "--value", "enabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), [VISIO_2]);
    assert_eq!(env.updated_ids(), [VISIO_2]);
}

#[test]
fn scope_offer_type_lists_only_offer_types() {
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
fn offer_types_are_selected_by_id_or_name() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["power bi visuals", "saas", "--scope", "Offer-Type", "--value", "disabled"]);
    assert_eq!(result.assert_code(0).ids_with_outcome("changed"), ["SaaS", "POWERBIVISUALS"]);
}

#[test]
fn scope_all_sends_two_list_requests() {
    let env = TestEnv::signed_in();
    let arguments = ["--name", "power", "--scope", "all", "--except", "POWERBIVISUALS", "--value", "disabled"];
    let result = update(&env, &arguments).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0LH2H", "CFQ7TTC0LH3L", POWER_BI]);

    env.tenant.forget_requests();
    let result = update(&env, &["--all", "--scope", "all", "--value", "enabled"]).assert_code(0);
    let mut requests = env.request_lines();
    let updates = requests.split_off(2);
    assert_eq!(sorted(requests), [LIST_OFFER_TYPES, LIST_PRODUCTS]);
    assert!(updates.iter().all(|line| line.starts_with("PUT ")), "{updates:?}");
    let records = result.json();
    let scopes: Vec<_> = records.as_array().unwrap().iter().map(|record| record["scope"].clone()).collect();
    assert_eq!(scopes, [vec![json!("product"); 17], vec![json!("offerType"); 4]].concat(), "products come first");
    assert_eq!(updates.len(), result.ids_with_outcome("changed").len());
    assert_eq!((env.tenant.value("DYNAMICSBC"), env.tenant.value(VISIO)), ("Enabled".into(), "Enabled".into()));
}

#[test]
fn name_of_product_and_offer_type_is_ambiguous() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new("CFQ7TTC0AAAA", "Twin", "Enabled")]);
    env.tenant.set_offer_types(vec![Product::new("TWIN2", "twin", "Enabled")]);
    cli_snapshot!(update(&env, &["Twin", "--scope", "all", "--value", "disabled"]), @"
    exit_code: 1
    ----- stderr -----
    error: 'Twin' matches 2 products or offer types; nothing was changed
      Twin (CFQ7TTC0AAAA)
      twin (TWIN2)
    hint: specify one of them by its ID
    ");
    env.assert_nothing_changed();
    let result = update(&env, &["TWIN2", "--scope", "all", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["TWIN2"]);
    assert_eq!(env.tenant.value("CFQ7TTC0AAAA"), "Enabled");
}

#[test]
fn unknown_current_value_is_replaced() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    env.tenant.set_value(VISIO, "disabled");
    let result = update(&env, &[POWER_BI, VISIO, "--value", "disabled"]).assert_code(0);
    let record = result.record(POWER_BI);
    assert_eq!((&record["previousValue"], &record["policyValue"]), (&json!("OnlyOnTuesdays"), &json!("Disabled")));
    // Values are case-insensitive.
    assert_eq!(result.record(VISIO)["outcome"], "unchanged");
    assert_eq!(env.updated_ids(), [POWER_BI]);
}

#[test]
fn value_spellings() {
    let env = TestEnv::signed_in();
    for (value, expected) in
        [("TRIALS", "OnlyTrialsWithoutPaymentMethod"), ("Enabled", "Enabled"), ("disabled", "Disabled")]
    {
        update(&env, &["--name", "visio", "--value", value]).assert_code(0);
        assert_eq!((env.tenant.value(VISIO), env.tenant.value(VISIO_2)), (expected.into(), expected.into()));
    }
}

#[test]
fn tenant_flag_updates_that_tenant() {
    let env = TestEnv::signed_in();
    let result = update(&env, &["--name", "visio", "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    2 changed in tenant 22222222-2222-4222-8222-222222222222
    ");
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO_2), "Disabled");
    assert!(env.history().iter().all(|entry| entry["tenantId"] == CUSTOMER_TENANT));
}

/// Spellings of names with invisible characters and other white space, as web pages and spreadsheets have them.
const SPELLINGS: [&str; 5] = [
    "Power\u{a0}BI\u{a0}Pro",
    "\u{feff}power bi pro\r\n",
    "Power\u{200b} BI  Pro\u{200b}",
    "\u{200e}POWER\u{3000} BI\u{202f}PRO ",
    "CFQ7TTC0H9MP\u{200b}",
];

#[test]
fn invisible_characters_and_white_space_do_not_count() {
    let env = TestEnv::signed_in();
    // On either side.
    for listed in ["Power BI Pro", "Power\u{a0}BI\u{200b} Pro\u{a0}", "\u{feff}Power  BI Pro"] {
        env.tenant.set_products(vec![
            Product::new(POWER_BI, listed, "Enabled"),
            Product::new(VISIO, "Visio\u{a0}Plan\u{a0}1", "Enabled"),
        ]);
        for text in SPELLINGS.iter().filter(|text| !text.contains('\r')) {
            assert_eq!(
                env.run(&["product", "get", text, "-o", "json"]).assert_code(0).json()["id"],
                POWER_BI,
                "{text:?}"
            );
            let result = update(&env, &["--all", "--except", text, "--value", "disabled", "--dry-run"]).assert_code(0);
            assert_eq!(result.ids(), [VISIO], "{text:?}");
            let result = update(&env, &[text, "--value", "disabled", "--dry-run"]).assert_code(0);
            assert_eq!(result.ids(), [POWER_BI], "{text:?}");
        }
        for pattern in SPELLINGS[..4].iter().copied().chain(["/^power bi\u{a0}pro$/", "r\u{a0}\u{a0}bi\u{200b}"]) {
            let listed = env.run(&["products", "list", "--name", pattern, "-o", "json"]).assert_code(0);
            assert_eq!(listed.ids(), [POWER_BI], "{pattern:?}");
        }
    }
    let single = ["product", "update", "Power BI\u{a0}Pro", "--value", "disabled", "-o", "json"];
    assert_eq!(env.run(&single).assert_code(0).json()["outcome"], "changed");
}
