//! `baseline export`: what is in the file.

use serde_json::{Value, json};

use super::*;
use crate::tenant::{CUSTOMER_DOMAIN, NOBODY, Product, READER, default_offer_types, default_products};

/// Text with everything that could end a comment, a string or a line, or steer a terminal.
const AWKWARD: &str = "q\"uo'te # \\ no\nline\r\nend\t\u{1b}[2J\u{9b}1m\u{202e}rtl \u{2028} ä🎉 = [x]";

#[test]
fn it_is_toml_on_standard_output_sorted_by_name_with_the_names_as_comments() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["baseline", "export"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!("export_toml", ran.stdout);
    assert_eq!(sorted_requests(&machine), LISTINGS);
}

#[test]
fn it_is_json_where_that_is_asked_for() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["baseline", "export", "-o", "json"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!("export_json", ran.stdout);
    let ran = machine.run_with(&[("MSCOMMERCE_OUTPUT", "json")], &["baseline", "export"]).expect_code(0);
    assert!(ran.stdout.starts_with("{\n"), "{}", ran.stdout);
}

#[test]
fn a_files_name_says_its_form() {
    let machine = Machine::signed_in();
    let (toml, json) = (
        machine.run(&["baseline", "export"]).expect_code(0).stdout,
        machine.run(&["baseline", "export", "-o", "json"]).expect_code(0).stdout,
    );
    for (file, content) in
        [("b.toml", &toml), ("b.json", &json), ("c.JSON", &json), ("b", &toml), ("b.json.txt", &toml)]
    {
        let ran = here(&machine, &["baseline", "export", "--file", file]).expect_code(0).expect_no_data();
        assert_eq!(
            ran.stderr,
            format!("Written: {file}\nTo compare the tenant with it later: mscommerce baseline check {file}\n")
        );
        assert_eq!(&read(&machine, file), content, "{file}");
    }
    // To say it a second time does no harm.
    here(&machine, &["baseline", "export", "--file", "d.json", "-o", "json"]).expect_code(0).expect_no_data();
    assert_eq!(read(&machine, "d.json"), json);
    let ran = here(&machine, &["baseline", "export", "--file", "q.toml", "-q"]).expect_code(0).expect_no_data();
    assert_eq!(ran.stderr, "");
    assert_eq!(files(&machine), ["b", "b.json", "b.json.txt", "b.toml", "c.JSON", "d.json", "q.toml"]);
}

#[test]
fn it_stays_the_same_to_the_byte_whatever_the_order_of_the_service() {
    let machine = Machine::signed_in();
    let both = || {
        let toml = machine.run(&["baseline", "export"]).expect_code(0).stdout;
        (toml, machine.run(&["baseline", "export", "-o", "json"]).expect_code(0).stdout)
    };
    let first = both();
    assert_eq!(both(), first);
    machine.tenant.set_products(default_products().into_iter().rev().collect());
    machine.tenant.set_offer_types(default_offer_types().into_iter().rev().collect());
    assert_eq!(both(), first);
}

#[test]
fn the_tenant_is_as_its_own_export_says_in_both_forms() {
    let machine = Machine::signed_in();
    for (file, flags) in [("b.toml", &[][..]), ("b.json", &["-o", "json"])] {
        here(&machine, &["baseline", "export", "--file", file]).expect_code(0);
        let ran = here(&machine, &["baseline", "check", file, "-o", "json"]).expect_code(0);
        assert_eq!(ran.stdout, "[]\n");
        // What a shell redirects is the same file.
        let ran = machine.run(&[&["baseline", "export"], flags].concat()).expect_code(0);
        assert_eq!(read(&machine, file), ran.stdout);
    }
}

#[test]
fn the_default_waits_in_a_comment_to_be_switched_on() {
    let machine = Machine::signed_in();
    let exported = machine.run(&["baseline", "export"]).expect_code(0).stdout;
    write(&machine, "b.toml", exported.replace("# default = ", "default = "));
    assert_ne!(read(&machine, "b.toml"), exported);
    // Everything is named, so at first nothing is left for the default.
    here(&machine, &["baseline", "check", "b.toml"]).expect_code(0);
    let added = [Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")];
    machine.tenant.set_products(default_products().into_iter().chain(added).collect());
    let ran = here(&machine, &["baseline", "check", "b.toml", "-o", "json"]).expect_code(3);
    assert_eq!(ids(&ran), ["CFQ7TTC0NEW1"]);
    assert_eq!(ran.json()[0]["wantedValue"], "Disabled");
}

#[test]
fn there_is_no_form_but_toml_and_json() {
    let machine = Machine::signed_in();
    for format in ["csv", "tsv", "markdown", "table"] {
        machine.run(&["baseline", "export", "-o", format]).expect_code(2).expect_no_data().expect_said(&[
            "TOML",
            "JSON",
            "hint: leave out --output",
        ]);
        for file in ["b.toml", "b.json"] {
            let export = ["baseline", "export", "--file", file, "-o", format];
            here(&machine, &export).expect_code(2).expect_no_data().expect_said(&["--output", "hint: "]);
        }
    }
    let export = ["baseline", "export", "--file", "b.toml", "-o", "json"];
    here(&machine, &export).expect_code(2).expect_no_data().expect_said(&["--output", ".json"]);
    here(&machine, &["baseline", "export", "--force"]).expect_code(2).expect_no_data().expect_said(&["--file"]);
    here(&machine, &["baseline", "export", "--file", ""]).expect_code(2).expect_no_data();
    assert!(machine.requests().is_empty());
    assert!(files(&machine).is_empty());
}

#[test]
fn the_format_in_the_environment_is_for_records_and_does_not_stand_in_the_way() {
    let machine = Machine::signed_in();
    let toml = machine.run(&["baseline", "export"]).expect_code(0).stdout;
    for format in ["csv", "tsv", "markdown", "table"] {
        let ran = machine.run_with(&[("MSCOMMERCE_OUTPUT", format)], &["baseline", "export"]).expect_code(0);
        assert_eq!(ran.stdout, toml, "{format}");
    }
    // A name outranks it.
    for format in ["csv", "json"] {
        let mut command = machine.command(&["baseline", "export", "--force", "--file", "b.toml"]);
        command.current_dir(machine.home()).env("MSCOMMERCE_OUTPUT", format);
        Ran::from(command.output().unwrap()).expect_code(0);
        assert_eq!(read(&machine, "b.toml"), toml, "{format}");
    }
}

#[test]
fn whatever_names_ids_and_values_hold_the_file_reads_back() {
    let machine = Machine::signed_in();
    // No policy value needs to be known to be written down.
    let texts = [AWKWARD, "\"\"\"", "'''", "#", "a.b", "a b", "ключ", "]", "\u{0}", "\\u0041", "true", "default"];
    let products = texts.iter().map(|text| Product::new(text, text, text)).collect();
    machine.tenant.set_products(products);
    machine.tenant.set_offer_types(vec![Product::new("products", "[products]\nA = \"Enabled\"", "Enabled")]);
    for file in ["b.toml", "b.json"] {
        here(&machine, &["baseline", "export", "--file", file]).expect_code(0);
        let text = read(&machine, file);
        assert!(!text.contains(|character: char| character.is_ascii_control() && character != '\n'), "{text:?}");
        let ran = here(&machine, &["baseline", "check", file, "-o", "json"]).expect_code(0);
        assert_eq!(ran.stdout, "[]\n", "{text}");
    }
    let read: Value = serde_json::from_str(&read(&machine, "b.json")).unwrap();
    let read = read["products"].as_object().unwrap();
    assert_eq!(read.len(), texts.len());
    assert!(read.iter().all(|(id, value)| value == id), "{read:?}");
}

#[test]
fn awkward_names_stay_within_their_comments() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", AWKWARD, "Enabled"),
        Product::new("CFQ7TTC0BBBB", "  ", "Disabled"),
        Product::new("CFQ7TTC0CCCC", "表計算ソフトウェア", "Only \"on\" Tuesdays"),
        Product::new("an id with blanks", "Zebra", "Disabled"),
    ]);
    machine.tenant.set_offer_types(Vec::new());
    let ran = machine.run(&["baseline", "export"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!("export_awkward", ran.stdout);
}

#[test]
fn what_cannot_be_written_down_is_left_out_with_a_warning() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Whole", "Enabled"),
        Product::new("", "Without an id", "Enabled").with("productId", Value::Null),
        Product::new("CFQ7TTC0BBBB", "Without a value", "").with("policyValue", Value::Null),
        Product::new("cfq7ttc0aaaa", "Whole, a second time", "Enabled"),
    ]);
    machine.tenant.set_offer_types(vec![Product::new("CFQ7TTC0AAAA", "Not the same", "Disabled")]);
    for file in ["b.toml", "b.json"] {
        let ran = here(&machine, &["baseline", "export", "--file", file]).expect_code(0);
        assert_eq!(ran.stderr.matches("warning: ").count(), 3, "{}", ran.stderr);
        ran.expect_said(&[
            "warning: Without an id is left out",
            "warning: Without a value (CFQ7TTC0BBBB) is left out",
            "warning: Whole, a second time (cfq7ttc0aaaa) is left out",
        ]);
        let ran = here(&machine, &["baseline", "check", file, "-o", "json"]).expect_code(0);
        assert_eq!(ran.stdout, "[]\n");
    }
    let read: Value = serde_json::from_str(&read(&machine, "b.json")).unwrap();
    assert_eq!(read["products"], json!({ "CFQ7TTC0AAAA": "Enabled" }));
    assert_eq!(read["offer-types"], json!({ "CFQ7TTC0AAAA": "Disabled" }));
}

#[test]
fn a_tenant_without_anything_has_a_baseline_too() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(Vec::new());
    machine.tenant.set_offer_types(Vec::new());
    for file in ["b.toml", "b.json"] {
        here(&machine, &["baseline", "export", "--file", file]).expect_code(0);
        here(&machine, &["baseline", "check", file]).expect_code(0);
    }
}

#[test]
fn the_hint_to_compare_leads_where_the_export_was_led() {
    let machine = Machine::signed_in();
    let ran = here(&machine, &["baseline", "export", "--tenant", CUSTOMER_DOMAIN, "--file", "our base's.toml"]);
    ran.expect_code(0).expect_said(&[r"mscommerce baseline check 'our base'\''s.toml' --tenant fabrikam.example"]);
    here(&machine, &["baseline", "check", "our base's.toml", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    here(&machine, &["baseline", "check", "our base's.toml"]).expect_code(3);
}

#[test]
fn a_long_path_is_whole_in_what_there_is_to_type() {
    let machine = Machine::signed_in();
    // A checkout on a build machine lies as deep as this.
    let directory =
        machine.home().join("actions-runner/_work/company-tenant-settings/company-tenant-settings/baselines");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("allow-self-service-purchase.toml");
    let file = file.to_str().unwrap();
    let whole = format!("mscommerce baseline check {file}");
    machine.run(&["baseline", "export", "--file", file]).expect_code(0).expect_said(&[&whole]);
}

#[test]
fn a_reader_may_export_and_a_stranger_may_not() {
    let machine = Machine::new();
    machine.sign_in(READER);
    machine.run(&["baseline", "export"]).expect_code(0);
    machine.sign_in(NOBODY);
    here(&machine, &["baseline", "export", "--file", "b.toml"]).expect_code(1).expect_no_data().expect_said(&[
        "error: ",
        "403 Forbidden",
        "Global Reader",
    ]);
    machine.run(&["disconnect"]).expect_code(0);
    let ran = here(&machine, &["baseline", "export", "--file", "b.toml"]).expect_code(4).expect_no_data();
    ran.expect_said(&["nobody is signed in", "hint: mscommerce connect"]);
    assert!(files(&machine).is_empty());
}
