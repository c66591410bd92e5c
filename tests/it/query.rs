//! `--query`: picking from a result.

use serde_json::json;

use crate::support::env::Machine;

const NAMES: &str = "[?contains(name, 'Visio')].name";

#[test]
fn json_shows_what_was_picked() {
    let machine = Machine::signed_in();
    let run = |query: &str| machine.run(&["products", "list", "-o", "json", "--query", query]).expect_code(0).json();
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
    let machine = Machine::signed_in();
    let run = |query: &str| machine.run(&["products", "list", "-o", "tsv", "--query", query]).expect_code(0).stdout;
    assert_eq!(run(NAMES), "Visio Plan 1\nVisio Plan 2\n");
    assert_eq!(run("[?id=='CFQ7TTC0H9MP'] | [0].policyValue"), "Enabled\n");
    assert_eq!(
        run("[?contains(name, 'Visio')].[id, name]"),
        "CFQ7TTC0HD33\tVisio Plan 1\nCFQ7TTC0HD32\tVisio Plan 2\n"
    );
    assert_eq!(run("[0].nothing"), "");
    let one = machine.run(&["product", "get", "CFQ7TTC0H9MP", "-o", "tsv", "--query", "policyValue"]).expect_code(0);
    assert_eq!(one.stdout, "Enabled\n");
}

#[test]
fn records_that_were_picked_are_shown_as_records_are() {
    let machine = Machine::signed_in();
    let query = "[?contains(name, 'Visio')].{product: name, value: policyValue}";
    let run = |format: &str| machine.run(&["products", "list", "-o", format, "--query", query]).expect_code(0).stdout;
    assert_eq!(run("csv"), "product,value\nVisio Plan 1,Disabled\nVisio Plan 2,Disabled\n");
    assert_eq!(run("table"), "product       value\nVisio Plan 1  Disabled\nVisio Plan 2  Disabled\n");
    let markdown = "| product | value |\n| --- | --- |\n| Visio Plan 1 | Disabled |\n| Visio Plan 2 | Disabled |\n";
    assert_eq!(run("markdown"), markdown);
    // What is no record is shown as plain words.
    let names = machine.run(&["products", "list", "--query", NAMES]).expect_code(0);
    assert_eq!(names.stdout, "Visio Plan 1\nVisio Plan 2\n");
}

#[test]
fn a_mistake_in_the_expression_is_told_before_anything_is_done() {
    let machine = Machine::signed_in();
    for query in ["[?id==", "", "nosuch(@)(", "[*"] {
        let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", query];
        let ran = machine.run(&arguments).expect_code(2).expect_no_data();
        ran.expect_said(&["error: --query: ", "hint: the language is explained at https://jmespath.org"]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn what_a_change_did_is_told_even_where_the_query_cannot_be_answered() {
    let machine = Machine::signed_in();
    let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", "abs(name)"];
    machine.run(&arguments).expect_code(1).expect_no_data().expect_said(&["error: --query: ", "type number"]);
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Disabled");
}

#[test]
fn a_failure_stays_one_whatever_is_picked() {
    let machine = Machine::new();
    machine
        .run(&["doctor", "-o", "tsv", "--query", "[?outcome=='failed'].step"])
        .expect_code(1)
        .stdout
        .lines()
        .for_each(|line| assert_eq!(line, "credential"));
}
