//! `baseline check`: what counts as drift.

use serde_json::json;

use super::*;
use crate::support::fixtures::{LIST_OFFER_TYPES, LIST_PRODUCTS, PLANNER, POWER_BI, TRIALS, VISIO};
use crate::support::snapshot::Transcript;
use crate::tenant::{CUSTOMER_DOMAIN, Product, Response, default_offer_types, default_products};

#[track_caller]
fn check(env: &TestEnv, text: &str, code: i32) -> CliResult {
    env.write("b.toml", text);
    env.run_in_home(&["baseline", "check", "b.toml", "-o", "json"]).assert_code(code)
}

/// The offer types with their current values, so that a `default` affects none of them.
const OFFER_TYPES: &str = r#"
[offer-types]
SaaS = "Enabled"
POWERBIVISUALS = "Enabled"
DYNAMICSCE = "Disabled"
DYNAMICSBC = "Disabled"
"#;

#[test]
fn check_lists_only_what_the_file_mentions() {
    let env = TestEnv::signed_in();
    for (text, code, lists) in [
        ("[products]\nCFQ7TTC0H9MP = \"Enabled\"", 0, &[LIST_PRODUCTS][..]),
        ("[products]\nCFQ7TTC0H9MP = \"Disabled\"", 3, &[LIST_PRODUCTS]),
        ("[products]\nSaaS = \"Disabled\"", 3, &[LIST_PRODUCTS]),
        ("[offer-types]\nSaaS = \"Disabled\"", 3, &[LIST_OFFER_TYPES]),
        ("[offer-types]\n[products]\nCFQ7TTC0H9MP = \"Enabled\"", 0, &LISTS),
        ("default = \"Disabled\"", 3, &LISTS),
        ("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"", 3, &LISTS),
    ] {
        env.tenant.forget_requests();
        check(&env, text, code);
        assert_eq!(sorted_requests(&env), lists, "{text}");
    }
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(env.tenant.value(&item.id), item.value);
    }
}

/// Some tenants reject the scope (microsoft-365-docs issue 11065).
#[test]
fn file_of_products_needs_no_offer_types() {
    let env = TestEnv::signed_in();
    let invalid = json!({ "errorCode": "BadRequest", "reason": "Invalid scope." });
    env.tenant.fail_times(usize::MAX, LIST_OFFER_TYPES, Response::json(400, &invalid));
    check(&env, "[products]\nCFQ7TTC0H9MP = \"Disabled\"", 3);
    env.run_in_home(&["baseline", "apply", "b.toml", "--yes"]).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
    check(&env, "default = \"Disabled\"", 1).stderr_contains(&["could not list the offer types", "Invalid scope."]);
}

#[test]
fn without_default_only_named_ids_are_checked() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    transcript.push("products", check(&env, "[products]\nCFQ7TTC0H9MP = \"Enabled\"", 0));
    transcript.push("offer types", check(&env, OFFER_TYPES, 0));
    cli_snapshot!(transcript, @"
    ===== products =====
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    Tenant 11111111-1111-4111-8111-111111111111 matches b.toml (1 checked).
    ===== offer types =====
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    Tenant 11111111-1111-4111-8111-111111111111 matches b.toml (4 checked).
    ");
}

#[test]
fn default_applies_to_ids_not_in_the_file() {
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
fn default_applies_to_new_products_and_offer_types() {
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
fn default_trials_does_not_apply_to_offer_types() {
    let env = TestEnv::signed_in();
    let result = check(&env, "default = \"trials\"", 3);
    let without_trials = default_products().iter().filter(|item| item.value != TRIALS).count();
    assert_eq!(result.ids().len(), without_trials);
    assert!(field(&result, "scope").values().all(|scope| scope == "product"));
    // An offer type in the file is still checked.
    let result = check(&env, "default = \"trials\"\n[offer-types]\nSaaS = \"Disabled\"", 3);
    assert_eq!(result.ids().last().unwrap(), "SaaS");
}

#[test]
fn ids_are_case_insensitive() {
    let env = TestEnv::signed_in();
    let result = check(&env, "[products]\ncfq7ttc0h9mp = \"Enabled\"\n[offer-types]\nsaas = \"Enabled\"", 0);
    cli_snapshot!(result, @"
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    Tenant 11111111-1111-4111-8111-111111111111 matches b.toml (2 checked).
    ");
    // Records contain the ids in the spelling of the service.
    let result = check(&env, "[products]\ncfq7TTC0h9mp = \"Disabled\"\n[offer-types]\nSAAS = \"Disabled\"", 3);
    assert_eq!(result.ids(), [POWER_BI, "SaaS"]);
}

#[test]
fn ids_in_the_wrong_table_are_unknown() {
    let env = TestEnv::signed_in();
    let result = check(&env, "[products]\nSaaS = \"Enabled\"\n[offer-types]\nCFQ7TTC0H9MP = \"Enabled\"", 3);
    assert_eq!(field(&result, "drift"), [("CFQ7TTC0H9MP", "unknown"), ("SaaS", "unknown")].map(owned).into());
    assert_eq!(field(&result, "scope"), [("CFQ7TTC0H9MP", "offerType"), ("SaaS", "product")].map(owned).into());
}

fn owned((id, value): (&str, &str)) -> (String, Value) {
    (id.to_owned(), json!(value))
}

#[test]
fn value_spellings_are_equal() {
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
    // Records contain the wanted value in the spelling of the service.
    let result = check(&env, "[products]\nCFQ7TTC0H9MP = \"trials\"\nCFQ7TTC0XXXX = \"trials\"", 3);
    assert!(field(&result, "wantedValue").values().all(|value| value == TRIALS));
}

#[test]
fn values_of_the_service_are_case_insensitive() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(POWER_BI, "enabled");
    env.tenant.set_value(PLANNER, "ONLYTRIALSWITHOUTPAYMENTMETHOD");
    check(&env, "[products]\nCFQ7TTC0H9MP = \"Enabled\"\nCFQ7TTC0HDB1 = \"trials\"", 0);
}

#[test]
fn unknown_value_is_accepted_if_current() {
    let env = TestEnv::signed_in();
    let text = "# by hand\n[products]\nCFQ7TTC0H9MP = \"OnlyOnTuesdays\"\n[offer-types]\nSaaS = \"Enabled\"\n";
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    check(&env, text, 0);
    env.run_in_home(&["baseline", "export", "--file", "e.toml"]).assert_code(0);
    env.run_in_home(&["baseline", "check", "e.toml"]).assert_code(0);

    env.tenant.set_value(POWER_BI, "Enabled");
    env.write("b.toml", text.replace("SaaS = \"Enabled\"", "SaaS = \"Disabled\""));
    let mut transcript = Transcript::default();
    for (command, flags) in [("check", &[][..]), ("apply", &["--yes"]), ("apply", &["--dry-run"])] {
        let arguments = [&["baseline", command, "b.toml"], flags].concat();
        transcript.push(arguments.join(" "), env.run_in_home(&arguments));
    }
    cli_snapshot!(transcript, @"
    ===== baseline check b.toml =====
    ===== baseline apply b.toml --yes =====
    ===== baseline apply b.toml --dry-run =====
    exit_code: 1
    ----- stderr -----
    error: b.toml:3: products.CFQ7TTC0H9MP: unknown value 'OnlyOnTuesdays'; the tenant has Enabled
    hint: use Enabled, Disabled or OnlyTrialsWithoutPaymentMethod
    ");
    assert!(env.updates().is_empty());
}

#[test]
fn unknown_value_of_unknown_id_is_drift() {
    let env = TestEnv::signed_in();
    let result = check(&env, "[products]\nCFQ7TTC0XXXX = \"OnlyOnTuesdays\"", 3);
    assert_eq!(
        (&result.json()[0]["wantedValue"], &result.json()[0]["drift"]),
        (&json!("OnlyOnTuesdays"), &json!("unknown"))
    );
}

#[test]
fn unknown_and_missing_current_values_are_drift() {
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
fn product_without_id_is_checked() {
    let env = TestEnv::signed_in();
    let pro = Product::new(POWER_BI, "Power BI Pro", "Enabled");
    let nameless = Product::new("", "Without an id", "Enabled").with("productId", Value::Null);
    env.tenant.set_products(vec![pro, nameless]);
    // Checking sends no request with the id.
    env.write("b.toml", "default = \"Disabled\"");
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-o", "csv"]).assert_code(3);
    assert!(result.stdout.contains(POWER_BI) && result.stdout.contains("Without an id"), "{}", result.stdout);
}

#[test]
fn toml_table_notations_are_equal() {
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
fn baseline_can_be_a_path_or_standard_input() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.home().join("deep")).unwrap();
    env.write("deep/b.JSON", r#"{ "products": { "CFQ7TTC0H9MP": "Disabled" } }"#);
    let result = env.run_in_home(&["baseline", "check", "deep/b.JSON", "-o", "json"]).assert_code(3);
    assert_eq!(result.ids(), [POWER_BI]);
    let (toml, json) = ("[products]\nCFQ7TTC0H9MP = \"Disabled\"", r#"{ "products": { "CFQ7TTC0H9MP": "Disabled" } }"#);
    let mut inputs = vec![("-", toml.to_owned()), ("-", format!("\u{feff}\r\n {json}")), ("-", format!("\n\n{toml}"))];
    if cfg!(unix) {
        inputs.push(("/dev/stdin", toml.to_owned()));
    }
    for (file, input) in inputs {
        let mut command = env.command(&["baseline", "check", file, "-o", "json"]);
        command.current_dir(env.home());
        let result = TestEnv::run_command_with_stdin(command, &input).assert_code(3);
        assert_eq!(result.ids(), [POWER_BI], "{input}");
    }
}

#[test]
fn dash_is_standard_input_and_output() {
    let env = TestEnv::signed_in();
    let exported = env.run_in_home(&["baseline", "export", "--file", "-"]).assert_code(0);
    assert_eq!(exported.stdout, env.run(&["baseline", "export"]).assert_code(0).stdout);
    env.run_in_home(&["baseline", "export", "--file", "-", "-o", "json"]).assert_code(0).json();
    assert_eq!(files(&env), [] as [String; 0]);
    env.run_with_stdin(&["baseline", "check", "-"], &exported.stdout).assert_code(0);

    let mut transcript = Transcript::default();
    let input = "[products]\nCFQ7TTC0H9MP = \"Disabled\"\n";
    transcript.push("check", env.run_with_stdin(&["baseline", "check", "-"], input));
    transcript.push("syntax error", env.run_with_stdin(&["baseline", "check", "-"], "{ \"products\" }"));
    transcript.push("empty", env.run_with_stdin(&["baseline", "check", "-"], ""));
    env.tenant.forget_requests();
    for arguments in [
        &["baseline", "apply", "-"][..],
        &["baseline", "check", "-", "--tenants-file", "-"],
        &["baseline", "apply", "-", "--yes", "--tenants-file", "-"],
    ] {
        transcript.push(arguments.join(" "), env.run_with_stdin(arguments, input));
    }
    assert!(env.request_lines().is_empty());
    transcript.push("apply", env.run_with_stdin(&["baseline", "apply", "-", "--yes", "-o", "tsv"], input));
    cli_snapshot!(transcript, @r#"
    ===== check =====
    exit_code: 3
    ----- stdout -----
    NAME          VALUE    WANTED    DRIFT      ID
    Power BI Pro  Enabled  Disabled  different  CFQ7TTC0H9MP
    ----- stderr -----
    drift: Tenant 11111111-1111-4111-8111-111111111111 does not match standard input: 1 setting differs (1 checked).
    hint: preview the changes: mscommerce baseline apply - --dry-run < FILE
    ===== syntax error =====
    exit_code: 2
    ----- stderr -----
    error: standard input:1: expected `:`: { "products" }
    ===== empty =====
    exit_code: 2
    ----- stderr -----
    error: standard input is empty
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== baseline apply - =====
    exit_code: 2
    ----- stderr -----
    error: confirmation required, but standard input (-) is the baseline
    hint: add --yes to skip the confirmation prompt, or --dry-run to preview the changes
    ===== baseline check - --tenants-file - =====
    ===== baseline apply - --yes --tenants-file - =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file and FILE cannot both be standard input (-)
    ===== apply =====
    exit_code: 0
    ----- stdout -----
    policyId	scope	id	name	policyValue	wantedValue	previousValue	outcome	error
    AllowSelfServicePurchase	product	CFQ7TTC0H9MP	Power BI Pro	Disabled	Disabled	Enabled	changed	
    ----- stderr -----
    1 changed in tenant 11111111-1111-4111-8111-111111111111
    "#);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
}

#[test]
fn check_with_tenant_flag_reads_that_tenant() {
    let env = TestEnv::signed_in();
    let text = "[products]\nCFQ7TTC0H9MP = \"Enabled\"";
    check(&env, text, 0);
    let check = ["baseline", "check", "b.toml", "--tenant", CUSTOMER_DOMAIN, "-o", "markdown"];
    cli_snapshot!(env.run_in_home(&check), @"
    exit_code: 3
    ----- stdout -----
    Tenant fabrikam.example (22222222-2222-4222-8222-222222222222) does not match b.toml: 1 setting differs (1 checked).

    | policyId | scope | id | name | policyValue | wantedValue | drift |
    | --- | --- | --- | --- | --- | --- | --- |
    | AllowSelfServicePurchase | product | CFQ7TTC0H9MP | Power BI Pro | Disabled | Enabled | different |
    ----- stderr -----
    drift: Tenant fabrikam.example (22222222-2222-4222-8222-222222222222) does not match b.toml: 1 setting differs (1 checked).
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --dry-run
    ");
}
