//! `--query`.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;

const NAMES: &str = "[?contains(name, 'Visio')].name";

#[test]
fn query_json_output() {
    let env = TestEnv::signed_in();
    let run = |query: &str| env.run(&["products", "list", "-o", "json", "--query", query]).assert_code(0).json();
    assert_eq!(run(NAMES), json!(["Visio Plan 1", "Visio Plan 2"]));
    assert_eq!(run("length(@)"), json!(17));
    assert_eq!(run("[0].nothing"), json!(null));
    assert_eq!(
        run("[?id=='CFQ7TTC0H9MP'].{product: name, value: policyValue}"),
        json!([{"product": "Power BI Pro", "value": "Enabled"}])
    );
}

#[test]
fn query_tsv_prints_plain_values() {
    let env = TestEnv::signed_in();
    let run = |query: &str| env.run(&["products", "list", "-o", "tsv", "--query", query]).assert_code(0).stdout;
    assert_eq!(run(NAMES), "Visio Plan 1\nVisio Plan 2\n");
    assert_eq!(run("[?id=='CFQ7TTC0H9MP'] | [0].policyValue"), "Enabled\n");
    assert_eq!(
        run("[?contains(name, 'Visio')].[id, name]"),
        "CFQ7TTC0HD33\tVisio Plan 1\nCFQ7TTC0HD32\tVisio Plan 2\n"
    );
    assert_eq!(run("[0].nothing"), "");
    let one = env.run(&["product", "get", "CFQ7TTC0H9MP", "-o", "tsv", "--query", "policyValue"]).assert_code(0);
    assert_eq!(one.stdout, "Enabled\n");
}

#[test]
fn query_result_with_records_is_a_table() {
    let env = TestEnv::signed_in();
    let query = "[?contains(name, 'Visio')].{product: name, value: policyValue}";
    let run = |format: &str| env.run(&["products", "list", "-o", format, "--query", query]).assert_code(0).stdout;
    assert_eq!(run("csv"), "product,value\nVisio Plan 1,Disabled\nVisio Plan 2,Disabled\n");
    assert_eq!(run("table"), "product       value\nVisio Plan 1  Disabled\nVisio Plan 2  Disabled\n");
    let markdown = "| product | value |\n| --- | --- |\n| Visio Plan 1 | Disabled |\n| Visio Plan 2 | Disabled |\n";
    assert_eq!(run("markdown"), markdown);
    // Values that are not objects are printed as plain text.
    let names = env.run(&["products", "list", "--query", NAMES]).assert_code(0);
    assert_eq!(names.stdout, "Visio Plan 1\nVisio Plan 2\n");
}

#[test]
fn invalid_query_is_usage_error() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for query in ["[?id==", "", "nosuch(@)(", "[*"] {
        let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", query];
        transcript.push(format!("'{query}'"), env.run(&arguments));
    }
    cli_snapshot!(transcript, @"
    ===== '[?id==' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unexpected nud token -- found Eof (at character 7)
    hint: the language is explained at https://jmespath.org/tutorial.html
    ===== '' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unexpected nud token -- found Eof (at character 1)
    hint: the language is explained at https://jmespath.org/tutorial.html
    ===== 'nosuch(@)(' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Invalid function name -- found Eof (at character 11)
    hint: the language is explained at https://jmespath.org/tutorial.html
    ===== '[*' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unexpected nud token -- found Eof (at character 3)
    hint: the language is explained at https://jmespath.org/tutorial.html
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn query_error_after_update_reports_error() {
    let env = TestEnv::signed_in();
    let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", "abs(name)"];
    cli_snapshot!(env.run(&arguments), @"
    exit_code: 1
    ----- stderr -----
    Changed in the tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled
    error: --query: Runtime error: Argument 0 expects type number, given string (at character 4)
    ");
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
}

#[test]
fn query_keeps_exit_code() {
    let env = TestEnv::new();
    env.run(&["doctor", "-o", "tsv", "--query", "[?outcome=='failed'].step"])
        .assert_code(1)
        .stdout
        .lines()
        .for_each(|line| assert_eq!(line, "credential"));
}
