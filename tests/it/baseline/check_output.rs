//! `baseline check`: its output.

use serde_json::json;

use super::*;
use crate::support::fixtures::{FORMATS, OLD_POWER_BI, POWER_BI};
use crate::support::snapshot::Transcript;
use crate::tenant::{Product, Response};

/// Two values differ and three ids do not exist. The other settings are not in the file.
const DRIFT: &str = r#"
policy = "AllowSelfServicePurchase"

[products]
CFQ7TTC0H9MP = "Disabled"
CFQ7TTC0HD33 = "Disabled"   # as in the tenant
CFQ7TTC0L3PB = "trials"
"a | *b*" = "Someday"

[offer-types]
SaaS = "disabled"
Bundle = "Enabled"
"#;

const NO_DRIFT: &str = "[products]\nCFQ7TTC0H9MP = \"Enabled\"\n[offer-types]\nSaaS = \"Enabled\"\n";

fn check(env: &TestEnv, format: &str) -> CliResult {
    env.run_in_home(&["baseline", "check", "b.toml", "-o", format])
}

#[test]
fn drift_formats() {
    let env = env_with_baseline(DRIFT);
    for format in FORMATS {
        let result = check(&env, format).assert_code(3);
        insta::assert_snapshot!(format!("drift_{format}"), result.stdout);
    }
    assert!(env.updates().is_empty());
}

#[test]
fn drift_summary_has_counts_and_hints() {
    let env = env_with_baseline(DRIFT);
    cli_snapshot!(check(&env, "json").without_stdout(), @"
    exit_code: 3
    ----- stderr -----
    drift: Tenant 11111111-1111-4111-8111-111111111111 does not match b.toml: 2 settings differ, 3 IDs not found (6 checked).
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    hint: preview the changes: mscommerce baseline apply b.toml --ignore-unknown --dry-run
    ");
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-o", "json", "-q"]).assert_code(3);
    assert_eq!(result.ids().len(), 5);
}

#[test]
fn drift_apply_hint_can_be_run() {
    let env = env_with_baseline(DRIFT);
    let result = check(&env, "json").assert_code(3);
    let hint = result.stderr.lines().find_map(|line| line.split_once("mscommerce baseline apply ")).unwrap().1;
    let arguments: Vec<&str> = ["baseline", "apply"].into_iter().chain(hint.split(' ')).collect();
    // The hint contains --ignore-unknown because some of the ids are unknown.
    cli_snapshot!(env.run_in_home(&arguments).without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    warning: b.toml:7: the tenant does not have product CFQ7TTC0L3PB; ignored
    warning: b.toml:8: the tenant does not have product a | *b*; ignored
    warning: b.toml:12: the tenant does not have offer type Bundle; ignored
    Dry run in tenant 11111111-1111-4111-8111-111111111111: 2 planned, 1 unchanged. Nothing was sent.
    ");
}

#[test]
fn no_drift_formats() {
    let env = env_with_baseline(NO_DRIFT);
    let header = ["policyId", "scope", "id", "name", "policyValue", "wantedValue", "drift"];
    let mut transcript = Transcript::default();
    for (format, expected) in [
        ("table", String::new()),
        ("json", "[]\n".to_owned()),
        ("csv", header.join(",") + "\n"),
        ("tsv", header.join("\t") + "\n"),
    ] {
        let result = check(&env, format);
        assert_eq!(result.stdout, expected, "{format}");
        transcript.push(format, result.without_stdout());
    }
    // An empty job summary would be ambiguous.
    transcript.push("markdown", check(&env, "markdown"));
    transcript.push("table, quiet", env.run_in_home(&["baseline", "check", "b.toml", "-q"]));
    cli_snapshot!(transcript, @"
    ===== table =====
    ===== json =====
    ===== csv =====
    ===== tsv =====
    exit_code: 0
    ----- stderr -----
    Tenant 11111111-1111-4111-8111-111111111111 matches b.toml (2 checked).
    ===== markdown =====
    exit_code: 0
    ----- stdout -----
    Tenant 11111111-1111-4111-8111-111111111111 matches b.toml (2 checked).
    ----- stderr -----
    Tenant 11111111-1111-4111-8111-111111111111 matches b.toml (2 checked).
    ===== table, quiet =====
    exit_code: 0
    ");
}

#[test]
fn unknown_id_has_no_name_and_no_value() {
    let env = TestEnv::signed_in();
    env.write("b.toml", format!("[products]\n{OLD_POWER_BI} = \"disabled\"\n"));
    // There is no hint to apply the baseline, because it contains nothing to apply.
    cli_snapshot!(check(&env, "json"), @r#"
    exit_code: 3
    ----- stdout -----
    [
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "product",
        "id": "CFQ7TTC0L3PB",
        "name": null,
        "policyValue": null,
        "wantedValue": "Disabled",
        "drift": "unknown"
      }
    ]
    ----- stderr -----
    drift: Tenant 11111111-1111-4111-8111-111111111111 does not match b.toml: 1 ID not found (1 checked).
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    "#);
}

#[test]
fn unknown_members_are_kept_in_json() {
    let env = TestEnv::signed_in();
    let pro = Product::new(POWER_BI, "Power BI Pro", "Enabled").with("addedLater", json!({ "a": [1] }));
    env.tenant.set_products(vec![pro]);
    env.write("b.toml", "default = \"Disabled\"\n[offer-types]\nSaaS = \"Enabled\"\nPOWERBIVISUALS = \"Enabled\"\n");
    let result = check(&env, "json").assert_code(3);
    assert_eq!((result.ids(), &result.json()[0]["addedLater"]), (vec![POWER_BI.to_owned()], &json!({ "a": [1] })));
}

#[test]
fn control_characters_are_escaped_in_formats() {
    let env = TestEnv::signed_in();
    let unsafe_text = "a|b\tc\nd\u{1b}[2J\u{202e}`e` [f](g) <h> \"i\"";
    env.tenant.set_products(vec![Product::new(POWER_BI, unsafe_text, unsafe_text)]);
    env.write("b.toml", format!("[products]\n{POWER_BI} = \"Disabled\"\n"));
    for (format, lines) in [("table", 2), ("tsv", 2), ("markdown", 5)] {
        let text = check(&env, format).assert_code(3).stdout;
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert_eq!(check(&env, "json").json()[0]["policyValue"], unsafe_text);
    let csv = check(&env, "csv").stdout;
    let row = csv::Reader::from_reader(csv.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!((&row[3], &row[4], &row[6]), (unsafe_text, unsafe_text, "different"));
}

#[test]
fn check_failure_is_not_drift() {
    let mut transcript = Transcript::default();
    for scope in ["scope=product", "scope=OfferType"] {
        // Each case has its own tenant: the other list request may arrive late and must not get this response.
        let env = env_with_baseline(DRIFT);
        env.tenant.fail_next(scope, Response::text(500, "text/plain", "out of order"));
        transcript.push(scope, check(&env, "json"));
    }
    let env = TestEnv::new();
    env.write("b.toml", DRIFT);
    transcript.push("signed out", check(&env, "markdown"));
    cli_snapshot!(transcript, @"
    ===== scope=product =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 500 Internal Server Error
      out of order
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== scope=OfferType =====
    exit_code: 1
    ----- stderr -----
    error: could not list the offer types: the service returned 500 Internal Server Error
      out of order
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== signed out =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
}

#[test]
fn unknown_policy_lists_existing_policies() {
    let env = TestEnv::signed_in();
    env.write("b.toml", DRIFT.replace("AllowSelfServicePurchase", "AllowEverything"));
    let check = ["baseline", "check", "b.toml", "--policy-id", "allowEVERYTHING"];
    cli_snapshot!(env.run_in_home(&check), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 404 Not Found
      NotFound: Policy not found.
      correlation ID: [UUID]
      existing policies: AllowSelfServicePurchase
    hint: mscommerce policy list
    ");
}
