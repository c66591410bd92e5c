//! Each table at several widths and in a pipe, and the colors of the results.

use super::*;
use crate::support::fixtures::{THIRD_DOMAIN, THIRD_TENANT, VISIO};
use crate::support::snapshot::normalize;

const WIDTHS: [u16; 4] = [40, 80, 120, 200];

const DRY_RUN: &[&str] = &["products", "update", "--all", "--value", "trials", "--dry-run"];

/// The screens of a command at each width, and its standard output in a pipe.
fn tables(env: &TestEnv, arguments: &[&str]) -> String {
    let command = || env.command(&[arguments, &["--color", "never"]].concat());
    let mut text = String::new();
    for width in WIDTHS {
        let script = format!(r#"stty cols {width}; "$@""#);
        let screen = PtySession::run_in_shell(&script, &command()).finish().screen;
        text += &format!("===== {width} columns =====\n{screen}");
    }
    let result: CliResult = command().stdin(Stdio::null()).output().unwrap().into();
    text += &format!("===== pipe =====\n{}", result.stdout);
    normalize(&text)
}

/// A few products, with a long name, without a name, and with a value that this version does not know.
fn env_with_few_products() -> TestEnv {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new(VISIO, "Visio Plan 1", "OnlyTrialsWithoutPaymentMethod"),
        Product::new(POWER_BI, "power BI Pro", "Enabled"),
        Product::new("CFQ7TTC0LONG", "Microsoft Dynamics 365 Customer Insights Attach for Nonprofit Staff", "Disabled"),
        Product::new("CFQ7TTC0NEWV", "A product of the future", "EnabledOnRequest"),
    ]);
    env
}

#[test]
fn product_list_has_same_columns_at_every_width() {
    insta::assert_snapshot!("product_list", tables(&env_with_few_products(), LIST));
}

#[test]
fn list_of_both_scopes_has_type() {
    let list = ["products", "list", "--scope", "all", "--name", "/365|visio|saas|service/"];
    insta::assert_snapshot!("list_of_both_scopes", tables(&env_with_few_products(), &list));
}

#[test]
fn list_of_several_tenants_has_tenant() {
    let env = env_with_few_products();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    let list = ["products", "list", "--name", "visio", "--tenant", HOME_TENANT, "--tenant", THIRD_TENANT];
    insta::assert_snapshot!("list_of_several_tenants", tables(&env, &list));
}

#[test]
fn changes_have_same_columns_at_every_width() {
    let env = env_with_few_products();
    insta::assert_snapshot!("changes", tables(&env, DRY_RUN));
}

#[test]
fn failed_change_shows_error_in_result() {
    let env = env_with_few_products();
    env.tenant.misreport_updates(true);
    let update = ["products", "update", "--all", "--value", "enabled", "--yes", "--no-history", "-q"];
    insta::assert_snapshot!("failed_changes", tables(&env, &update));
}

#[test]
fn history_has_same_columns_at_every_width() {
    let env = TestEnv::new();
    let entry = |run: &str, name: &str, to: &str, outcome: &str| {
        json!({ "version": 2, "outcome": outcome, "time": "2025-03-01T09:05:07Z", "run": run, "tenantId": HOME_TENANT,
            "account": ADMIN, "policyId": "AllowSelfServicePurchase", "scope": "product", "id": POWER_BI, "name": name,
            "from": "Enabled", "to": to, "correlationId": "c0000000-0000-4000-8000-000000000001" })
        .to_string()
            + "\n"
    };
    let lines = entry("11111111-0000-4000-8000-000000000001", "Power BI Pro", "Disabled", "changed")
        + &entry(
            "22222222-0000-4000-8000-000000000002",
            "Teams Premium Introductory Pricing",
            "OnlyTrialsWithoutPaymentMethod",
            "failed",
        );
    std::fs::create_dir_all(env.state_dir()).unwrap();
    std::fs::write(env.history_path(), lines).unwrap();
    insta::assert_snapshot!("history", tables(&env, &["history"]));
}

#[test]
fn drift_has_same_columns_at_every_width() {
    let env = env_with_few_products();
    let baseline = env.write(
        "b.toml",
        "default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"Disabled\"\nCFQ7TTC0NONE = \"Enabled\"\n",
    );
    insta::assert_snapshot!("drift", tables(&env, &["baseline", "check", &baseline, "-q"]));
}

#[test]
fn policy_list_has_same_columns_at_every_width() {
    insta::assert_snapshot!("policy_list", tables(&TestEnv::signed_in(), &["policy", "list"]));
}

#[test]
fn one_record_is_a_line_per_field() {
    let env = env_with_few_products();
    insta::assert_snapshot!("one_product", tables(&env, &["product", "get", "CFQ7TTC0LONG"]));
}

#[test]
fn doctor_table_has_problems_only() {
    insta::assert_snapshot!("doctor", tables(&TestEnv::new(), &["doctor"]));
}

#[test]
fn query_names_the_columns() {
    let list = ["products", "list", "--query", "[].{product:name,\"Value now\":policyValue}"];
    insta::assert_snapshot!("query", tables(&env_with_few_products(), &list));
}

#[test]
fn outcomes_and_drift_are_colored() {
    let env = env_with_few_products();
    let (green, red, yellow) = (GREEN, "\u{1b}[1m\u{1b}[31m", "\u{1b}[1m\u{1b}[33m");
    let changed = format!("{green}changed\u{1b}[0m");
    env.run_in_terminal(DISABLE)
        .assert_code(0)
        .contains_all(&[&format!("\u{1b}[1moutcome:\u{1b}[0m        {changed}\n")]);
    let update = ["products", "update", "--name", "visio", "--value", "disabled", "--yes"];
    let screen = env.run_in_terminal(&update).assert_code(0).screen;
    assert!(
        screen.starts_with(&format!("{BOLD}NAME          CHANGE                  RESULT\u{1b}[0m\n")),
        "{screen:?}"
    );
    assert!(screen.contains(&format!("Trials only → Disabled  {changed}\n")), "{screen:?}");
    env.tenant.misreport_updates(true);
    let update = ["products", "update", "--all", "--value", "enabled", "--yes"];
    env.run_in_terminal(&update).assert_code(1).contains_all(&[&format!("{red}failed\u{1b}[0m: could not change")]);
    let baseline = env.write("b.toml", "[products]\nCFQ7TTC0H9MP = \"trials\"\n");
    let check = ["baseline", "check", &baseline];
    env.run_in_terminal(&check).assert_code(3).contains_all(&[&format!("{yellow}different\u{1b}[0m")]);
    for format in ["json", "csv", "tsv", "markdown"] {
        env.run_in_terminal(&[LIST, &["-o", format, "-q"]].concat()).assert_code(0).contains_none(&["\u{1b}"]);
    }
}

#[test]
fn product_with_blank_name_is_shown_by_id() {
    let env = TestEnv::signed_in();
    for name in ["", " \u{200b}"] {
        env.tenant.set_products(vec![Product::new(POWER_BI, name, "Enabled"), Product::new(VISIO, "Visio", "Enabled")]);
        let result = env.run(&["product", "update", "--all", "--value", "disabled", "--dry-run"]).assert_code(0);
        let lines: Vec<&str> = result.stdout.lines().collect();
        assert!(lines[1].starts_with(&format!("{POWER_BI}  Enabled")), "{name:?}\n{}", result.stdout);
        let result = env.run(&["product", "update", POWER_BI, "--value", "enabled", "-o", "json"]).assert_code(0);
        assert!(result.stderr.contains(&format!("{POWER_BI} is Enabled")), "{name:?}\n{}", result.stderr);
        assert_eq!(result.json()["name"], name);
    }
}

#[test]
fn long_name_is_shortened_in_messages_only() {
    let env = TestEnv::signed_in();
    let name = "long ".repeat(2000);
    env.tenant.set_products(vec![Product::new(POWER_BI, &name, "Enabled")]);
    let result = env.run(&["product", "update", POWER_BI, "--value", "disabled", "-v", "-o", "json"]).assert_code(0);
    assert!(result.stderr.lines().all(|line| line.chars().count() < 300), "{}", result.stderr);
    assert!(result.stderr.contains(&format!("… ({POWER_BI}): Enabled → Disabled\n")), "{}", result.stderr);
    assert_eq!(result.json()["name"], name);
}
