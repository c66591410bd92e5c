//! The five output formats, and names with control characters.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::tenant::Product;

/// A name with characters that are special in a format or a terminal.
const HOSTILE_NAME: &str = "q\"uo,te|pi\tpe\nline\r\nend\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1m\u{202e}rtl 'x' <b> [a](b)";

fn env_with_hostile_name() -> TestEnv {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", HOSTILE_NAME, "Enabled"),
        Product::new("CFQ7TTC0BBBB", "Plain", "Disabled"),
    ]);
    env
}

fn list(env: &TestEnv, format: &str) -> String {
    env.run(&["products", "list", "-o", format]).assert_code(0).stdout
}

#[test]
fn text_formats_have_one_escaped_line_per_record() {
    let env = env_with_hostile_name();
    for (format, lines) in [("table", 3), ("tsv", 3), ("markdown", 4)] {
        let text = list(&env, format);
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    assert!(list(&env, "markdown").contains(r"te\|pi pe line end"));
    assert!(list(&env, "tsv").lines().all(|line| line.split('\t').count() == 5));
}

#[test]
fn json_and_csv_keep_text() {
    let env = env_with_hostile_name();
    let json: serde_json::Value = serde_json::from_str(&list(&env, "json")).unwrap();
    assert_eq!(json[0]["name"], HOSTILE_NAME);
    let csv = list(&env, "csv");
    let row = csv::Reader::from_reader(csv.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!(&row[3], HOSTILE_NAME);
}

#[test]
fn empty_list_output() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(Vec::new());
    let result = env.run(&["products", "list", "-o", "json"]).assert_code(0);
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("[]\n", "The service lists no products.\n"));
    let result = env.run(&["products", "list", "-q"]).assert_code(0);
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("", ""));
    assert_eq!(list(&env, "csv"), "policyId,scope,id,name,policyValue\n");
}

#[test]
fn output_flag_overrides_variable() {
    let env = TestEnv::signed_in();
    let result = env.run_with_env(&[("MSCOMMERCE_OUTPUT", "tsv")], &["policy", "get"]).assert_code(0);
    assert!(result.stdout.starts_with("policyId\tdescription\tdefaultValue\n"), "{}", result.stdout);
    let result = env.run_with_env(&[("MSCOMMERCE_OUTPUT", "tsv")], &["policy", "get", "-o", "JSON"]).assert_code(0);
    assert_eq!(result.json()["defaultValue"], json!("Enabled"));
}

#[test]
fn formats_of_one_record() {
    let env = TestEnv::signed_in();
    for format in ["table", "csv", "tsv", "markdown"] {
        let result = env.run(&["product", "get", "CFQ7TTC0HDB1", "-o", format]).assert_code(0);
        insta::assert_snapshot!(format!("one_{format}"), result.stdout);
    }
}
