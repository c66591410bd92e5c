//! `--query`: picking from a result.

use serde_json::json;

use crate::support::env::TestEnv;

const NAMES: &str = "[?contains(name, 'Visio')].name";

#[test]
fn json_shows_what_was_picked() {
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
fn tsv_shows_plain_words_for_scripts() {
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
fn records_that_were_picked_are_shown_as_records_are() {
    let env = TestEnv::signed_in();
    let query = "[?contains(name, 'Visio')].{product: name, value: policyValue}";
    let run = |format: &str| env.run(&["products", "list", "-o", format, "--query", query]).assert_code(0).stdout;
    assert_eq!(run("csv"), "product,value\nVisio Plan 1,Disabled\nVisio Plan 2,Disabled\n");
    assert_eq!(run("table"), "product       value\nVisio Plan 1  Disabled\nVisio Plan 2  Disabled\n");
    let markdown = "| product | value |\n| --- | --- |\n| Visio Plan 1 | Disabled |\n| Visio Plan 2 | Disabled |\n";
    assert_eq!(run("markdown"), markdown);
    // What is no record is shown as plain words.
    let names = env.run(&["products", "list", "--query", NAMES]).assert_code(0);
    assert_eq!(names.stdout, "Visio Plan 1\nVisio Plan 2\n");
}

#[test]
fn a_mistake_in_the_expression_is_told_before_anything_is_done() {
    let env = TestEnv::signed_in();
    for query in ["[?id==", "", "nosuch(@)(", "[*"] {
        let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", query];
        let result = env.run(&arguments).assert_code(2).stdout_is_empty();
        result.stderr_contains(&["error: --query: ", "hint: the language is explained at https://jmespath.org"]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn what_a_change_did_is_told_even_where_the_query_cannot_be_answered() {
    let env = TestEnv::signed_in();
    let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", "abs(name)"];
    env.run(&arguments).assert_code(1).stdout_is_empty().stderr_contains(&["error: --query: ", "type number"]);
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
}

#[test]
fn a_failure_stays_one_whatever_is_picked() {
    let env = TestEnv::new();
    env.run(&["doctor", "-o", "tsv", "--query", "[?outcome=='failed'].step"])
        .assert_code(1)
        .stdout
        .lines()
        .for_each(|line| assert_eq!(line, "credential"));
}
