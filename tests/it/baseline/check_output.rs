//! `baseline check`: how what differs is told.

use serde_json::json;

use super::*;
use crate::support::fixtures::{FORMATS, OLD_POWER_BI, POWER_BI};
use crate::tenant::{Product, Response};

/// Says another value for two, names three that there are not, and leaves the rest alone.
const DRIFTED: &str = r#"
policy = "AllowSelfServicePurchase"

[products]
CFQ7TTC0H9MP = "Disabled"
CFQ7TTC0HD33 = "Disabled"   # as it is
CFQ7TTC0L3PB = "trials"
"a | *b*" = "Someday"

[offer-types]
SaaS = "disabled"
Bundle = "Enabled"
"#;

const AS_IT_IS: &str = "[products]\nCFQ7TTC0H9MP = \"Enabled\"\n[offer-types]\nSaaS = \"Enabled\"\n";

fn check(env: &TestEnv, format: &str) -> CliResult {
    env.run_in_home(&["baseline", "check", "b.toml", "-o", format])
}

#[test]
fn only_what_differs_is_printed_in_every_format() {
    let env = TestEnv::signed_in();
    env.write("b.toml", DRIFTED);
    for format in FORMATS {
        let result = check(&env, format).assert_code(3);
        insta::assert_snapshot!(format!("drift_{format}"), result.stdout);
    }
    assert!(env.updates().is_empty());
}

#[test]
fn it_says_how_much_differs_where_and_what_to_do() {
    let env = TestEnv::signed_in();
    env.write("b.toml", DRIFTED);
    let result = check(&env, "json").assert_code(3);
    assert!(result.stderr.starts_with("drift: "), "a difference is no error: {}", result.stderr);
    assert!(!result.stderr.contains("error"), "{}", result.stderr);
    result.stderr_contains(&[
        "b.toml",
        "11111111-1111-4111-8111-111111111111",
        "2 different, 3 unknown",
        "hint: CFQ7TTC0L3PB has been renumbered, Power BI Pro is CFQ7TTC0H9MP now",
        "hint: see what would be changed: mscommerce baseline apply b.toml",
    ]);
    // The exit code alone is what a silent script wants.
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-o", "json", "-q"]).assert_code(3);
    assert_eq!(result.ids().len(), 5);
}

#[test]
fn the_hint_to_apply_is_one_that_can_be_followed() {
    let env = TestEnv::signed_in();
    env.write("b.toml", DRIFTED);
    let result = check(&env, "json").assert_code(3);
    let hint = result.stderr.lines().find_map(|line| line.split_once("mscommerce baseline apply ")).unwrap().1;
    let arguments: Vec<&str> = ["baseline", "apply"].into_iter().chain(hint.split(' ')).collect();
    // Some of its ids are unknown, which to apply is an error unless it is told to go on.
    env.run_in_home(&arguments).assert_code(0).stderr_contains(&["2 planned"]);
}

#[test]
fn where_nothing_differs_every_format_is_as_good_as_empty() {
    let env = TestEnv::signed_in();
    env.write("b.toml", AS_IT_IS);
    let header = ["policyId", "scope", "id", "name", "policyValue", "wantedValue", "drift"];
    let caption = "The tenant 11111111-1111-4111-8111-111111111111 is as b.toml says: 2 checked.\n";
    for (format, wanted) in [
        ("table", String::new()),
        ("json", "[]\n".to_owned()),
        ("csv", header.join(",") + "\n"),
        ("tsv", header.join("\t") + "\n"),
        // A job summary that says nothing would leave its reader to guess.
        ("markdown", caption.to_owned()),
    ] {
        let result = check(&env, format).assert_code(0);
        assert_eq!((result.stdout, result.stderr.as_str()), (wanted, caption), "{format}");
    }
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-q"]).assert_code(0);
    assert_eq!((result.stdout, result.stderr), (String::new(), String::new()));
}

#[test]
fn what_the_tenant_does_not_have_has_neither_name_nor_value() {
    let env = TestEnv::signed_in();
    env.write("b.toml", format!("[products]\n{OLD_POWER_BI} = \"disabled\"\n"));
    let result =
        check(&env, "json").assert_code(3).stderr_contains(&["1 unknown", "mscommerce product get CFQ7TTC0H9MP"]);
    let unknown = json!([{ "policyId": "AllowSelfServicePurchase", "scope": "product", "id": OLD_POWER_BI, "name": null,
        "policyValue": null, "wantedValue": "Disabled", "drift": "unknown" }]);
    assert_eq!(result.json(), unknown);
    // Nothing of this could be applied.
    assert!(!result.stderr.contains("baseline apply"), "{}", result.stderr);
}

#[test]
fn what_the_service_adds_stays_in_json() {
    let env = TestEnv::signed_in();
    let pro = Product::new(POWER_BI, "Power BI Pro", "Enabled").with("addedLater", json!({ "a": [1] }));
    env.tenant.set_products(vec![pro]);
    env.write("b.toml", "default = \"Disabled\"\n[offer-types]\nSaaS = \"Enabled\"\nPOWERBIVISUALS = \"Enabled\"\n");
    let result = check(&env, "json").assert_code(3);
    assert_eq!((result.ids(), &result.json()[0]["addedLater"]), (vec![POWER_BI.to_owned()], &json!({ "a": [1] })));
}

#[test]
fn names_and_values_that_mean_harm_break_no_format() {
    let env = TestEnv::signed_in();
    let nasty = "a|b\tc\nd\u{1b}[2J\u{202e}`e` [f](g) <h> \"i\"";
    env.tenant.set_products(vec![Product::new(POWER_BI, nasty, nasty)]);
    env.write("b.toml", format!("[products]\n{POWER_BI} = \"Disabled\"\n"));
    for (format, lines) in [("table", 2), ("tsv", 2), ("markdown", 5)] {
        let text = check(&env, format).assert_code(3).stdout;
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert_eq!(check(&env, "json").json()[0]["policyValue"], nasty);
    let csv = check(&env, "csv").stdout;
    let row = csv::Reader::from_reader(csv.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!((&row[3], &row[4], &row[6]), (nasty, nasty, "different"));
}

#[test]
fn a_failure_is_not_taken_for_drift() {
    for scope in ["scope=product", "scope=OfferType"] {
        // The other listing may arrive late, when nobody waits for it any more; it must not find this answer.
        let env = TestEnv::signed_in();
        env.write("b.toml", DRIFTED);
        env.tenant.fail_next(scope, Response::text(500, "text/plain", "out of order"));
        let result = check(&env, "json").assert_code(1).stdout_is_empty();
        result.stderr_contains(&["error: could not list the", "out of order", "correlation id"]);
    }
    let env = TestEnv::new();
    env.write("b.toml", DRIFTED);
    check(&env, "markdown").assert_code(4).stdout_is_empty().stderr_contains(&["nobody is signed in"]);
}

#[test]
fn a_policy_that_is_not_there_is_named() {
    let env = TestEnv::signed_in();
    env.write("b.toml", DRIFTED.replace("AllowSelfServicePurchase", "AllowEverything"));
    let check = ["baseline", "check", "b.toml", "--policy-id", "allowEVERYTHING"];
    env.run_in_home(&check)
        .assert_code(1)
        .stdout_is_empty()
        .stderr_contains(&["there is no policy 'allowEVERYTHING'", "AllowSelfServicePurchase"]);
}
