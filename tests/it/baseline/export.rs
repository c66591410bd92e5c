//! `baseline export`: the content of the file.

use serde_json::{Value, json};

use super::*;
use crate::support::snapshot::Transcript;
use crate::tenant::{CUSTOMER_DOMAIN, NOBODY, Product, READER, default_offer_types, default_products};

/// Text with characters that could end a comment, a string or a line, or control a terminal.
const UNUSUAL_TEXT: &str = "q\"uo'te # \\ no\nline\r\nend\t\u{1b}[2J\u{9b}1m\u{202e}rtl \u{2028} ä🎉 = [x]";

#[test]
fn export_toml() {
    let env = TestEnv::signed_in();
    let result = env.run(&["baseline", "export"]).assert_code(0);
    assert_eq!(result.stderr, "");
    insta::assert_snapshot!("export_toml", result.stdout);
    assert_eq!(sorted_requests(&env), LISTS);
}

#[test]
fn export_json() {
    let env = TestEnv::signed_in();
    let result = env.run(&["baseline", "export", "-o", "json"]).assert_code(0);
    assert_eq!(result.stderr, "");
    insta::assert_snapshot!("export_json", result.stdout);
    let result = env.run_with_env(&[("MSCOMMERCE_OUTPUT", "json")], &["baseline", "export"]).assert_code(0);
    assert!(result.stdout.starts_with("{\n"), "{}", result.stdout);
}

#[test]
fn export_file_extension_selects_format() {
    let env = TestEnv::signed_in();
    let (toml, json) = (
        env.run(&["baseline", "export"]).assert_code(0).stdout,
        env.run(&["baseline", "export", "-o", "json"]).assert_code(0).stdout,
    );
    let mut transcript = Transcript::default();
    for (file, flags, content) in [
        ("b.toml", &[][..], &toml),
        ("b.json", &[], &json),
        ("c.JSON", &[], &json),
        ("b", &[], &toml),
        ("b.json.txt", &[], &toml),
        // The format may be named as well.
        ("d.json", &["-o", "json"], &json),
        ("q.toml", &["-q"], &toml),
    ] {
        let arguments = [&["baseline", "export", "--file", file], flags].concat();
        transcript.push(arguments[2..].join(" "), env.run_in_home(&arguments));
        assert_eq!(&env.read(file), content, "{file}");
    }
    cli_snapshot!(transcript, @"
    ===== --file b.toml =====
    exit_code: 0
    ----- stderr -----
    Wrote b.toml.
    To check the tenant against this file: mscommerce baseline check b.toml
    ===== --file b.json =====
    exit_code: 0
    ----- stderr -----
    Wrote b.json.
    To check the tenant against this file: mscommerce baseline check b.json
    ===== --file c.JSON =====
    exit_code: 0
    ----- stderr -----
    Wrote c.JSON.
    To check the tenant against this file: mscommerce baseline check c.JSON
    ===== --file b =====
    exit_code: 0
    ----- stderr -----
    Wrote b.
    To check the tenant against this file: mscommerce baseline check b
    ===== --file b.json.txt =====
    exit_code: 0
    ----- stderr -----
    Wrote b.json.txt.
    To check the tenant against this file: mscommerce baseline check b.json.txt
    ===== --file d.json -o json =====
    exit_code: 0
    ----- stderr -----
    Wrote d.json.
    To check the tenant against this file: mscommerce baseline check d.json
    ===== --file q.toml -q =====
    exit_code: 0
    ");
    assert_eq!(files(&env), ["b", "b.json", "b.json.txt", "b.toml", "c.JSON", "d.json", "q.toml"]);
}

#[test]
fn export_is_independent_of_list_order() {
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
fn export_has_no_drift() {
    let env = TestEnv::signed_in();
    for (file, flags) in [("b.toml", &[][..]), ("b.json", &["-o", "json"])] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(0);
        assert_eq!(result.stdout, "[]\n");
        // Standard output has the same content.
        let result = env.run(&[&["baseline", "export"], flags].concat()).assert_code(0);
        assert_eq!(env.read(file), result.stdout);
    }
}

#[test]
fn export_contains_commented_out_default() {
    let env = TestEnv::signed_in();
    let exported = env.run(&["baseline", "export"]).assert_code(0).stdout;
    env.write("b.toml", exported.replace("# default = ", "default = "));
    assert_ne!(env.read("b.toml"), exported);
    // The file contains every id, so the default affects nothing yet.
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    let added = [Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")];
    env.tenant.set_products(default_products().into_iter().chain(added).collect());
    let result = env.run_in_home(&["baseline", "check", "b.toml", "-o", "json"]).assert_code(3);
    assert_eq!(result.ids(), ["CFQ7TTC0NEW1"]);
    assert_eq!(result.json()[0]["wantedValue"], "Disabled");
}

#[test]
fn export_rejects_other_formats() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for flags in [&[][..], &["--file", "b.toml"], &["--file", "b.json"]] {
        for format in ["csv", "tsv", "markdown", "table"] {
            let arguments = [&["baseline", "export", "-o", format], flags].concat();
            transcript.push(arguments[2..].join(" "), env.run_in_home(&arguments));
        }
    }
    for arguments in [
        &["baseline", "export", "--file", "b.toml", "-o", "json"][..],
        &["baseline", "export", "--force"],
        &["baseline", "export", "--file", ""],
    ] {
        transcript.push(arguments[2..].join(" "), env.run_in_home(arguments));
    }
    cli_snapshot!(transcript, @"
    ===== -o csv =====
    ===== -o tsv =====
    ===== -o markdown =====
    ===== -o table =====
    exit_code: 2
    ----- stderr -----
    error: a baseline is either TOML or JSON
    hint: omit --output for TOML, or use --output json
    ===== -o csv --file b.toml =====
    ===== -o tsv --file b.toml =====
    ===== -o markdown --file b.toml =====
    ===== -o table --file b.toml =====
    ===== -o csv --file b.json =====
    ===== -o tsv --file b.json =====
    ===== -o markdown --file b.json =====
    ===== -o table --file b.json =====
    ===== --file b.toml -o json =====
    exit_code: 2
    ----- stderr -----
    error: --output is for standard output only; the file extension selects the format of a file
    hint: use a file name that ends in .json, or omit --output
    ===== --force =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      --file <FILE>

    Usage: mscommerce baseline export --file <FILE> --force

    For more information, try '--help'.
    ===== --file  =====
    exit_code: 2
    ----- stderr -----
    error: a value is required for '--file <FILE>' but none was supplied

    For more information, try '--help'.
    ");
    assert!(env.request_lines().is_empty());
    assert!(files(&env).is_empty());
}

#[test]
fn export_ignores_output_variable_except_json() {
    let env = TestEnv::signed_in();
    let toml = env.run(&["baseline", "export"]).assert_code(0).stdout;
    for format in ["csv", "tsv", "markdown", "table"] {
        let result = env.run_with_env(&[("MSCOMMERCE_OUTPUT", format)], &["baseline", "export"]).assert_code(0);
        assert_eq!(result.stdout, toml, "{format}");
    }
    // The file extension takes precedence.
    for format in ["csv", "json"] {
        let mut command = env.command(&["baseline", "export", "--force", "--file", "b.toml"]);
        command.current_dir(env.home()).env("MSCOMMERCE_OUTPUT", format);
        CliResult::from(command.output().unwrap()).assert_code(0);
        assert_eq!(env.read("b.toml"), toml, "{format}");
    }
}

#[test]
fn export_of_unusual_text_has_no_drift() {
    let env = TestEnv::signed_in();
    // Unknown values are exported as well.
    let texts = [UNUSUAL_TEXT, "\"\"\"", "'''", "#", "a.b", "a b", "ключ", "]", "\u{0}", "\\u0041", "true", "default"];
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
    let baseline: Value = serde_json::from_str(&env.read("b.json")).unwrap();
    let products = baseline["products"].as_object().unwrap();
    assert_eq!(products.len(), texts.len());
    assert!(products.iter().all(|(id, value)| value == id), "{products:?}");
}

#[test]
fn export_escapes_names_in_comments() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", UNUSUAL_TEXT, "Enabled"),
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
fn export_omits_incomplete_items_with_warning() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Whole", "Enabled"),
        Product::new("", "Without an id", "Enabled").with("productId", Value::Null),
        Product::new("CFQ7TTC0BBBB", "Without a value", "").with("policyValue", Value::Null),
        Product::new("cfq7ttc0aaaa", "Whole, a second time", "Enabled"),
    ]);
    env.tenant.set_offer_types(vec![Product::new("CFQ7TTC0AAAA", "Not the same", "Disabled")]);
    let mut transcript = Transcript::default();
    for file in ["b.toml", "b.json"] {
        transcript.push(file, env.run_in_home(&["baseline", "export", "--file", file]));
        let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(0);
        assert_eq!(result.stdout, "[]\n");
    }
    cli_snapshot!(transcript, @"
    ===== b.toml =====
    exit_code: 0
    ----- stderr -----
    warning: skipped Whole, a second time (cfq7ttc0aaaa): the service lists it twice
    warning: skipped Without a value (CFQ7TTC0BBBB): it has no value
    warning: skipped Without an id: it has no ID
    Wrote b.toml.
    To check the tenant against this file: mscommerce baseline check b.toml
    ===== b.json =====
    exit_code: 0
    ----- stderr -----
    warning: skipped Whole, a second time (cfq7ttc0aaaa): the service lists it twice
    warning: skipped Without a value (CFQ7TTC0BBBB): it has no value
    warning: skipped Without an id: it has no ID
    Wrote b.json.
    To check the tenant against this file: mscommerce baseline check b.json
    ");
    let baseline: Value = serde_json::from_str(&env.read("b.json")).unwrap();
    assert_eq!(baseline["products"], json!({ "CFQ7TTC0AAAA": "Enabled" }));
    assert_eq!(baseline["offer-types"], json!({ "CFQ7TTC0AAAA": "Disabled" }));
}

#[test]
fn export_of_empty_tenant_has_no_drift() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(Vec::new());
    env.tenant.set_offer_types(Vec::new());
    for file in ["b.toml", "b.json"] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        env.run_in_home(&["baseline", "check", file]).assert_code(0);
    }
}

#[test]
fn export_check_hint_contains_tenant_flag() {
    let env = TestEnv::signed_in();
    let export = ["baseline", "export", "--tenant", CUSTOMER_DOMAIN, "--file", "our base's.toml"];
    cli_snapshot!(env.run_in_home(&export), @r"
    exit_code: 0
    ----- stderr -----
    Wrote our base's.toml.
    To check the tenant against this file: mscommerce baseline check 'our base'\''s.toml' --tenant fabrikam.example
    ");
    env.run_in_home(&["baseline", "check", "our base's.toml", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.run_in_home(&["baseline", "check", "our base's.toml"]).assert_code(3);
}

#[test]
fn export_check_hint_contains_long_path() {
    let env = TestEnv::signed_in();
    // Checkouts on build machines have such paths.
    let directory = env.home().join("actions-runner/_work/company-tenant-settings/company-tenant-settings/baselines");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("allow-self-service-purchase.toml");
    let file = file.to_str().unwrap();
    cli_snapshot!(env.run(&["baseline", "export", "--file", file]), @"
    exit_code: 0
    ----- stderr -----
    Wrote [TMP]/actions-runner/_work/company-tenant-settings/company-tenant-settings/baselines/allow-self-service-purchase.toml.
    To check the tenant against this file: mscommerce baseline check [TMP]/actions-runner/_work/company-tenant-settings/company-tenant-settings/baselines/allow-self-service-purchase.toml
    ");
}

#[test]
fn export_requires_reader_role() {
    let env = TestEnv::new();
    env.sign_in(READER);
    env.run(&["baseline", "export"]).assert_code(0);
    env.sign_in(NOBODY);
    let mut transcript = Transcript::default();
    transcript.push("no role", env.run_in_home(&["baseline", "export", "--file", "b.toml"]));
    env.run(&["disconnect"]).assert_code(0);
    transcript.push("signed out", env.run_in_home(&["baseline", "export", "--file", "b.toml"]));
    cli_snapshot!(transcript, @"
    ===== no role =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Forbidden: User does not have the required role.
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ===== signed out =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
    assert!(files(&env).is_empty());
}
