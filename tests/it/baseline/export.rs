//! `baseline export`: what is in the file.

use serde_json::{Value, json};

use super::*;
use crate::tenant::{CUSTOMER_DOMAIN, NOBODY, Product, READER, default_offer_types, default_products};

/// Text with everything that could end a comment, a string or a line, or steer a terminal.
const AWKWARD: &str = "q\"uo'te # \\ no\nline\r\nend\t\u{1b}[2J\u{9b}1m\u{202e}rtl \u{2028} ä🎉 = [x]";

#[test]
fn it_is_toml_on_standard_output_sorted_by_name_with_the_names_as_comments() {
    let env = TestEnv::signed_in();
    let result = env.run(&["baseline", "export"]).assert_code(0);
    assert_eq!(result.stderr, "");
    insta::assert_snapshot!("export_toml", result.stdout);
    assert_eq!(sorted_requests(&env), LISTINGS);
}

#[test]
fn it_is_json_where_that_is_asked_for() {
    let env = TestEnv::signed_in();
    let result = env.run(&["baseline", "export", "-o", "json"]).assert_code(0);
    assert_eq!(result.stderr, "");
    insta::assert_snapshot!("export_json", result.stdout);
    let result = env.run_with_env(&[("MSCOMMERCE_OUTPUT", "json")], &["baseline", "export"]).assert_code(0);
    assert!(result.stdout.starts_with("{\n"), "{}", result.stdout);
}

#[test]
fn a_files_name_says_its_form() {
    let env = TestEnv::signed_in();
    let (toml, json) = (
        env.run(&["baseline", "export"]).assert_code(0).stdout,
        env.run(&["baseline", "export", "-o", "json"]).assert_code(0).stdout,
    );
    for (file, content) in
        [("b.toml", &toml), ("b.json", &json), ("c.JSON", &json), ("b", &toml), ("b.json.txt", &toml)]
    {
        let result = env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0).stdout_is_empty();
        assert_eq!(
            result.stderr,
            format!("Written: {file}\nTo compare the tenant with it later: mscommerce baseline check {file}\n")
        );
        assert_eq!(&env.read(file), content, "{file}");
    }
    // To say it a second time does no harm.
    env.run_in_home(&["baseline", "export", "--file", "d.json", "-o", "json"]).assert_code(0).stdout_is_empty();
    assert_eq!(env.read("d.json"), json);
    let result = env.run_in_home(&["baseline", "export", "--file", "q.toml", "-q"]).assert_code(0).stdout_is_empty();
    assert_eq!(result.stderr, "");
    assert_eq!(files(&env), ["b", "b.json", "b.json.txt", "b.toml", "c.JSON", "d.json", "q.toml"]);
}

#[test]
fn it_stays_the_same_to_the_byte_whatever_the_order_of_the_service() {
    let env = TestEnv::signed_in();
    let both = || {
        let toml = env.run(&["baseline", "export"]).assert_code(0).stdout;
        (toml, env.run(&["baseline", "export", "-o", "json"]).assert_code(0).stdout)
    };
    let first = both();
    assert_eq!(both(), first);
    env.tenant.set_products(default_products().into_iter().rev().collect());
    env.tenant.set_offer_types(default_offer_types().into_iter().rev().collect());
    assert_eq!(both(), first);
}

#[test]
fn the_tenant_is_as_its_own_export_says_in_both_forms() {
    let env = TestEnv::signed_in();
    for (file, flags) in [("b.toml", &[][..]), ("b.json", &["-o", "json"])] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(0);
        assert_eq!(result.stdout, "[]\n");
        // What a shell redirects is the same file.
        let result = env.run(&[&["baseline", "export"], flags].concat()).assert_code(0);
        assert_eq!(env.read(file), result.stdout);
    }
}

#[test]
fn the_default_waits_in_a_comment_to_be_switched_on() {
    let env = TestEnv::signed_in();
    let exported = env.run(&["baseline", "export"]).assert_code(0).stdout;
    env.write("b.toml", exported.replace("# default = ", "default = "));
    assert_ne!(env.read("b.toml"), exported);
    // Everything is named, so at first nothing is left for the default.
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    let added = [Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")];
    env.tenant.set_products(default_products().into_iter().chain(added).collect());
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-o", "json"]).assert_code(3);
    assert_eq!(result.ids(), ["CFQ7TTC0NEW1"]);
    assert_eq!(result.json()[0]["wantedValue"], "Disabled");
}

#[test]
fn there_is_no_form_but_toml_and_json() {
    let env = TestEnv::signed_in();
    for format in ["csv", "tsv", "markdown", "table"] {
        env.run(&["baseline", "export", "-o", format]).assert_code(2).stdout_is_empty().stderr_contains(&[
            "TOML",
            "JSON",
            "hint: leave out --output",
        ]);
        for file in ["b.toml", "b.json"] {
            let export = ["baseline", "export", "--file", file, "-o", format];
            env.run_in_home(&export).assert_code(2).stdout_is_empty().stderr_contains(&["--output", "hint: "]);
        }
    }
    let export = ["baseline", "export", "--file", "b.toml", "-o", "json"];
    env.run_in_home(&export).assert_code(2).stdout_is_empty().stderr_contains(&["--output", ".json"]);
    env.run_in_home(&["baseline", "export", "--force"]).assert_code(2).stdout_is_empty().stderr_contains(&["--file"]);
    env.run_in_home(&["baseline", "export", "--file", ""]).assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
    assert!(files(&env).is_empty());
}

#[test]
fn the_format_in_the_environment_is_for_records_and_does_not_stand_in_the_way() {
    let env = TestEnv::signed_in();
    let toml = env.run(&["baseline", "export"]).assert_code(0).stdout;
    for format in ["csv", "tsv", "markdown", "table"] {
        let result = env.run_with_env(&[("MSCOMMERCE_OUTPUT", format)], &["baseline", "export"]).assert_code(0);
        assert_eq!(result.stdout, toml, "{format}");
    }
    // A name outranks it.
    for format in ["csv", "json"] {
        let mut command = env.command(&["baseline", "export", "--force", "--file", "b.toml"]);
        command.current_dir(env.home()).env("MSCOMMERCE_OUTPUT", format);
        CliResult::from(command.output().unwrap()).assert_code(0);
        assert_eq!(env.read("b.toml"), toml, "{format}");
    }
}

#[test]
fn whatever_names_ids_and_values_hold_the_file_reads_back() {
    let env = TestEnv::signed_in();
    // No policy value needs to be known to be written down.
    let texts = [AWKWARD, "\"\"\"", "'''", "#", "a.b", "a b", "ключ", "]", "\u{0}", "\\u0041", "true", "default"];
    let products = texts.iter().map(|text| Product::new(text, text, text)).collect();
    env.tenant.set_products(products);
    env.tenant.set_offer_types(vec![Product::new("products", "[products]\nA = \"Enabled\"", "Enabled")]);
    for file in ["b.toml", "b.json"] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        let text = env.read(file);
        assert!(!text.contains(|character: char| character.is_ascii_control() && character != '\n'), "{text:?}");
        let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(0);
        assert_eq!(result.stdout, "[]\n", "{text}");
    }
    let read: Value = serde_json::from_str(&env.read("b.json")).unwrap();
    let read = read["products"].as_object().unwrap();
    assert_eq!(read.len(), texts.len());
    assert!(read.iter().all(|(id, value)| value == id), "{read:?}");
}

#[test]
fn awkward_names_stay_within_their_comments() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", AWKWARD, "Enabled"),
        Product::new("CFQ7TTC0BBBB", "  ", "Disabled"),
        Product::new("CFQ7TTC0CCCC", "表計算ソフトウェア", "Only \"on\" Tuesdays"),
        Product::new("an id with blanks", "Zebra", "Disabled"),
    ]);
    env.tenant.set_offer_types(Vec::new());
    let result = env.run(&["baseline", "export"]).assert_code(0);
    assert_eq!(result.stderr, "");
    insta::assert_snapshot!("export_awkward", result.stdout);
}

#[test]
fn what_cannot_be_written_down_is_left_out_with_a_warning() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Whole", "Enabled"),
        Product::new("", "Without an id", "Enabled").with("productId", Value::Null),
        Product::new("CFQ7TTC0BBBB", "Without a value", "").with("policyValue", Value::Null),
        Product::new("cfq7ttc0aaaa", "Whole, a second time", "Enabled"),
    ]);
    env.tenant.set_offer_types(vec![Product::new("CFQ7TTC0AAAA", "Not the same", "Disabled")]);
    for file in ["b.toml", "b.json"] {
        let result = env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        assert_eq!(result.stderr.matches("warning: ").count(), 3, "{}", result.stderr);
        result.stderr_contains(&[
            "warning: Without an id is left out",
            "warning: Without a value (CFQ7TTC0BBBB) is left out",
            "warning: Whole, a second time (cfq7ttc0aaaa) is left out",
        ]);
        let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(0);
        assert_eq!(result.stdout, "[]\n");
    }
    let read: Value = serde_json::from_str(&env.read("b.json")).unwrap();
    assert_eq!(read["products"], json!({ "CFQ7TTC0AAAA": "Enabled" }));
    assert_eq!(read["offer-types"], json!({ "CFQ7TTC0AAAA": "Disabled" }));
}

#[test]
fn a_tenant_without_anything_has_a_baseline_too() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(Vec::new());
    env.tenant.set_offer_types(Vec::new());
    for file in ["b.toml", "b.json"] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        env.run_in_home(&["baseline", "check", file]).assert_code(0);
    }
}

#[test]
fn the_hint_to_compare_leads_where_the_export_was_led() {
    let env = TestEnv::signed_in();
    let result = env.run_in_home(&["baseline", "export", "--tenant", CUSTOMER_DOMAIN, "--file", "our base's.toml"]);
    result
        .assert_code(0)
        .stderr_contains(&[r"mscommerce baseline check 'our base'\''s.toml' --tenant fabrikam.example"]);
    env.run_in_home(&["baseline", "check", "our base's.toml", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.run_in_home(&["baseline", "check", "our base's.toml"]).assert_code(3);
}

#[test]
fn a_long_path_is_whole_in_what_there_is_to_type() {
    let env = TestEnv::signed_in();
    // A checkout on a build machine lies as deep as this.
    let directory = env.home().join("actions-runner/_work/company-tenant-settings/company-tenant-settings/baselines");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("allow-self-service-purchase.toml");
    let file = file.to_str().unwrap();
    let whole = format!("mscommerce baseline check {file}");
    env.run(&["baseline", "export", "--file", file]).assert_code(0).stderr_contains(&[&whole]);
}

#[test]
fn a_reader_may_export_and_a_stranger_may_not() {
    let env = TestEnv::new();
    env.sign_in(READER);
    env.run(&["baseline", "export"]).assert_code(0);
    env.sign_in(NOBODY);
    env.run_in_home(&["baseline", "export", "--file", "b.toml"]).assert_code(1).stdout_is_empty().stderr_contains(&[
        "error: ",
        "403 Forbidden",
        "Global Reader",
    ]);
    env.run(&["disconnect"]).assert_code(0);
    let result = env.run_in_home(&["baseline", "export", "--file", "b.toml"]).assert_code(4).stdout_is_empty();
    result.stderr_contains(&["nobody is signed in", "hint: mscommerce connect"]);
    assert!(files(&env).is_empty());
}
