//! The five formats, and names that mean harm.

use serde_json::json;

use crate::support::env::Machine;
use crate::tenant::Product;

/// A name with everything that could break a format or steer a terminal.
const NASTY: &str = "q\"uo,te|pi\tpe\nline\r\nend\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1m\u{202e}rtl 'x' <b> [a](b)";

fn with_a_nasty_name() -> Machine {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", NASTY, "Enabled"),
        Product::new("CFQ7TTC0BBBB", "Plain", "Disabled"),
    ]);
    machine
}

fn list(machine: &Machine, format: &str) -> String {
    machine.run(&["products", "list", "-o", format]).expect_code(0).stdout
}

#[test]
fn table_tsv_and_markdown_have_one_harmless_line_a_record() {
    let machine = with_a_nasty_name();
    for (format, lines) in [("table", 3), ("tsv", 3), ("markdown", 4)] {
        let text = list(&machine, format);
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    assert!(list(&machine, "markdown").contains(r"te\|pi pe line end"));
    assert!(list(&machine, "tsv").lines().all(|line| line.split('\t').count() == 5));
}

#[test]
fn json_and_csv_keep_the_text() {
    let machine = with_a_nasty_name();
    let json: serde_json::Value = serde_json::from_str(&list(&machine, "json")).unwrap();
    assert_eq!(json[0]["name"], NASTY);
    let csv = list(&machine, "csv");
    let row = csv::Reader::from_reader(csv.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!(&row[3], NASTY);
}

#[test]
fn an_empty_list_is_an_empty_array_and_a_note() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(Vec::new());
    let ran = machine.run(&["products", "list", "-o", "json"]).expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("[]\n", "The service lists nothing here.\n"));
    let ran = machine.run(&["products", "list", "-q"]).expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    assert_eq!(list(&machine, "csv"), "policyId,scope,id,name,policyValue\n");
}

#[test]
fn the_environment_chooses_the_format_and_the_flag_outranks_it() {
    let machine = Machine::signed_in();
    let ran = machine.run_with(&[("MSCOMMERCE_OUTPUT", "tsv")], &["policy", "get"]).expect_code(0);
    assert!(ran.stdout.starts_with("policyId\tdescription\tdefaultValue\n"), "{}", ran.stdout);
    let ran = machine.run_with(&[("MSCOMMERCE_OUTPUT", "tsv")], &["policy", "get", "-o", "JSON"]).expect_code(0);
    assert_eq!(ran.json()["defaultValue"], json!("Enabled"));
}

#[test]
fn every_format_of_one_record() {
    let machine = Machine::signed_in();
    for format in ["table", "csv", "tsv", "markdown"] {
        let ran = machine.run(&["product", "get", "CFQ7TTC0HDB1", "-o", format]).expect_code(0);
        insta::assert_snapshot!(format!("one_{format}"), ran.stdout);
    }
}
