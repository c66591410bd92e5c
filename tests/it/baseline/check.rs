//! `baseline check`: what counts as different.

use serde_json::json;

use super::*;
use crate::support::fixtures::{PLANNER, POWER_BI, VISIO};
use crate::tenant::{Product, default_offer_types, default_products};

#[track_caller]
fn check(env: &TestEnv, text: &str, code: i32) -> CliResult {
    env.write("b.toml", text);
    env.run_in_home(&["baseline", "check", "b.toml", "-o", "json"]).assert_code(code)
}

/// Settings that are as they are, so that a `default` has nothing to say of offer types.
const OFFER_TYPES: &str = r#"
[offer-types]
SaaS = "Enabled"
POWERBIVISUALS = "Enabled"
DYNAMICSCE = "Disabled"
DYNAMICSBC = "Disabled"
"#;

#[test]
fn it_reads_both_listings_and_sends_nothing_else() {
    let env = TestEnv::signed_in();
    for (text, code) in [
        ("[products]\nCFQ7TTC0H9MP = \"Enabled\"", 0),
        ("[products]\nCFQ7TTC0H9MP = \"Disabled\"", 3),
        ("[offer-types]\nSaaS = \"Disabled\"", 3),
        ("default = \"Disabled\"", 3),
    ] {
        env.tenant.forget_requests();
        check(&env, text, code);
        assert_eq!(sorted_requests(&env), LISTINGS, "{text}");
    }
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(env.tenant.value(&item.id), item.value);
    }
}

#[test]
fn what_the_file_does_not_name_is_left_alone_without_a_default() {
    let env = TestEnv::signed_in();
    let result = check(&env, "[products]\nCFQ7TTC0H9MP = \"Enabled\"", 0);
    result.stderr_contains(&["1 checked"]);
    // A file of offer types alone says nothing of products.
    check(&env, OFFER_TYPES, 0).stderr_contains(&["4 checked"]);
}

#[test]
fn the_default_is_for_whatever_the_file_does_not_name() {
    let env = TestEnv::signed_in();
    let result = check(&env, "default = \"disabled\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"\n", 3);
    let mut differing: Vec<_> =
        default_products().into_iter().chain(default_offer_types()).filter(|item| item.value != "Disabled").collect();
    differing.retain(|item| item.id != POWER_BI);
    assert_eq!(result.ids(), differing.iter().map(|item| item.id.clone()).collect::<Vec<_>>());
    assert!(field(&result, "wantedValue").values().all(|value| value == "Disabled"));
    assert!(field(&result, "drift").values().all(|drift| drift == "different"));
    assert_eq!(field(&result, "scope")["SaaS"], "offerType");
}

#[test]
fn the_default_is_for_new_products_and_offer_types_too() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(Vec::new());
    env.tenant.set_offer_types(Vec::new());
    let text = "default = \"Disabled\"";
    check(&env, text, 0);
    env.tenant.set_products(vec![Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")]);
    env.tenant.set_offer_types(vec![Product::new("Agents", "Agents", "Enabled")]);
    assert_eq!(check(&env, text, 3).ids(), ["CFQ7TTC0NEW1", "Agents"]);
}

#[test]
fn a_default_of_trials_leaves_offer_types_alone() {
    let env = TestEnv::signed_in();
    let result = check(&env, "default = \"trials\"", 3);
    let without_trials =
        default_products().iter().filter(|item| item.value != "OnlyTrialsWithoutPaymentMethod").count();
    assert_eq!(result.ids().len(), without_trials);
    assert!(field(&result, "scope").values().all(|scope| scope == "product"));
    // One that is named is still compared.
    let result = check(&env, "default = \"trials\"\n[offer-types]\nSaaS = \"Disabled\"", 3);
    assert_eq!(result.ids().last().unwrap(), "SaaS");
}

#[test]
fn ids_are_the_same_in_any_case() {
    let env = TestEnv::signed_in();
    check(&env, "[products]\ncfq7ttc0h9mp = \"Enabled\"\n[offer-types]\nsaas = \"Enabled\"", 0)
        .stderr_contains(&["2 checked"]);
    // Records show the ids as the service spells them.
    let result = check(&env, "[products]\ncfq7TTC0h9mp = \"Disabled\"\n[offer-types]\nSAAS = \"Disabled\"", 3);
    assert_eq!(result.ids(), [POWER_BI, "SaaS"]);
}

#[test]
fn an_offer_type_among_the_products_is_not_found() {
    let env = TestEnv::signed_in();
    let result = check(&env, "[products]\nSaaS = \"Enabled\"\n[offer-types]\nCFQ7TTC0H9MP = \"Enabled\"", 3);
    assert_eq!(field(&result, "drift"), [("CFQ7TTC0H9MP", "unknown"), ("SaaS", "unknown")].map(owned).into());
    assert_eq!(field(&result, "scope"), [("CFQ7TTC0H9MP", "offerType"), ("SaaS", "product")].map(owned).into());
}

fn owned((id, word): (&str, &str)) -> (String, Value) {
    (id.to_owned(), json!(word))
}

#[test]
fn values_are_the_same_in_every_spelling() {
    let env = TestEnv::signed_in();
    for (id, spellings) in [
        (POWER_BI, &["Enabled", "enabled", "ENABLED"][..]),
        (VISIO, &["Disabled", "disabled", "dISABLED"]),
        (
            PLANNER,
            &[
                "OnlyTrialsWithoutPaymentMethod",
                "onlytrialswithoutpaymentmethod",
                "trials",
                "Trials",
                "only-trials-without-payment-method",
            ],
        ),
    ] {
        for spelling in spellings {
            check(&env, &format!("[products]\n{id} = \"{spelling}\""), 0);
        }
    }
    // Whatever the file's spelling, what is wanted is told in the service's.
    let result = check(&env, "[products]\nCFQ7TTC0H9MP = \"trials\"\nCFQ7TTC0XXXX = \"trials\"", 3);
    assert!(field(&result, "wantedValue").values().all(|value| value == "OnlyTrialsWithoutPaymentMethod"));
}

#[test]
fn the_service_may_spell_values_differently() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(POWER_BI, "enabled");
    env.tenant.set_value(PLANNER, "ONLYTRIALSWITHOUTPAYMENTMETHOD");
    check(&env, "[products]\nCFQ7TTC0H9MP = \"Enabled\"\nCFQ7TTC0HDB1 = \"trials\"", 0);
}

#[test]
fn a_value_of_the_future_is_accepted_where_the_tenant_shows_it_alone() {
    let env = TestEnv::signed_in();
    let text = "# by hand\n[products]\nCFQ7TTC0H9MP = \"OnlyOnTuesdays\"\n[offer-types]\nSaaS = \"Enabled\"\n";
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    check(&env, text, 0);
    // An export of such a tenant is a baseline like any other.
    env.run_in_home(&["baseline", "export", "--file", "e.toml"]).assert_code(0);
    env.run_in_home(&["baseline", "check", "e.toml"]).assert_code(0);

    env.tenant.set_value(POWER_BI, "Enabled");
    for (command, flags) in [("check", &[][..]), ("apply", &["--yes"]), ("apply", &["--dry-run"])] {
        env.write("b.toml", text.replace("SaaS = \"Enabled\"", "SaaS = \"Disabled\""));
        let arguments = [&["baseline", command, "b.toml"], flags].concat();
        env.run_in_home(&arguments).assert_code(1).stdout_is_empty().stderr_contains(&[
            "error: b.toml:3: products.CFQ7TTC0H9MP: ",
            "'OnlyOnTuesdays'",
            "Enabled, Disabled and OnlyTrialsWithoutPaymentMethod",
        ]);
    }
    assert!(env.updates().is_empty());
}

#[test]
fn a_value_of_the_future_for_something_that_is_not_there_is_drift_all_the_same() {
    let env = TestEnv::signed_in();
    let result = check(&env, "[products]\nCFQ7TTC0XXXX = \"OnlyOnTuesdays\"", 3);
    assert_eq!(
        (&result.json()[0]["wantedValue"], &result.json()[0]["drift"]),
        (&json!("OnlyOnTuesdays"), &json!("unknown"))
    );
}

#[test]
fn a_value_that_the_tenant_changed_to_is_drift_whether_it_is_known_or_not() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    let no_value = Product::new(VISIO, "Visio Plan 1", "").with("policyValue", Value::Null);
    let pro = Product::new(POWER_BI, "Power BI Pro", "OnlyOnTuesdays");
    env.tenant.set_products(vec![pro, no_value]);
    let result = check(&env, "[products]\nCFQ7TTC0H9MP = \"Enabled\"\nCFQ7TTC0HD33 = \"Disabled\"", 3);
    assert_eq!(field(&result, "policyValue")[POWER_BI], "OnlyOnTuesdays");
    assert_eq!(field(&result, "policyValue")[VISIO], Value::Null);
    assert!(field(&result, "drift").values().all(|drift| drift == "different"));
}

#[test]
fn what_has_no_id_does_not_blind_a_check() {
    let env = TestEnv::signed_in();
    let pro = Product::new(POWER_BI, "Power BI Pro", "Enabled");
    let nameless = Product::new("", "Without an id", "Enabled").with("productId", Value::Null);
    env.tenant.set_products(vec![pro, nameless]);
    // To compare, no request has to name it; and there is the rest to be told of.
    env.write("b.toml", "default = \"Disabled\"");
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-o", "csv"]).assert_code(3);
    assert!(result.stdout.contains(POWER_BI) && result.stdout.contains("Without an id"), "{}", result.stdout);
}

#[test]
fn every_way_to_write_a_table_will_do() {
    let env = TestEnv::signed_in();
    for text in [
        "products.CFQ7TTC0H9MP = \"Disabled\"",
        "products = { CFQ7TTC0H9MP = \"Disabled\" }",
        "[products]\n\"CFQ7TTC0H9MP\" = 'Disabled'",
        "[products]\nCFQ7TTC0H9MP = \"\"\"\nDisabled\"\"\"",
        "[ products ] # ours\n  CFQ7TTC0H9MP=\"Dis\\u0061bled\"",
    ] {
        assert_eq!(check(&env, text, 3).ids(), [POWER_BI], "{text}");
    }
}

#[test]
fn a_baseline_may_come_through_a_pipe_or_lie_elsewhere() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.home().join("deep")).unwrap();
    env.write("deep/b.JSON", r#"{ "products": { "CFQ7TTC0H9MP": "Disabled" } }"#);
    let result = env.run_in_home(&["baseline", "check", "deep/b.JSON", "-o", "json"]).assert_code(3);
    assert_eq!(result.ids(), [POWER_BI]);
    #[cfg(unix)]
    {
        let mut command = env.command(&["baseline", "check", "/dev/stdin", "-o", "json"]);
        command.current_dir(env.home());
        let result = TestEnv::run_command_with_stdin(command, "[products]\nCFQ7TTC0H9MP = \"Disabled\"");
        assert_eq!(result.assert_code(3).ids(), [POWER_BI]);
    }
}

#[test]
fn another_tenant_is_compared_where_it_is_named() {
    let env = TestEnv::signed_in();
    let text = "[products]\nCFQ7TTC0H9MP = \"Enabled\"";
    check(&env, text, 0);
    let check = ["baseline", "check", "b.toml", "--tenant", crate::tenant::CUSTOMER_DOMAIN, "-o", "markdown"];
    let result = env.run_in_home(&check).assert_code(3);
    assert!(result.stdout.contains(crate::tenant::CUSTOMER_TENANT), "{}", result.stdout);
    result.stderr_contains(&["mscommerce baseline apply b.toml --tenant fabrikam.example"]);
}
