//! Invalid baseline files: the error names the file, the line and the key, and no request is sent.

use super::*;
use crate::support::fixtures::{POWER_BI, TRIALS};
use crate::support::snapshot::Transcript;

/// A baseline file.
struct Case {
    name: &'static str,
    file: &'static str,
    content: Vec<u8>,
}

fn toml(name: &'static str, content: impl Into<Vec<u8>>) -> Case {
    Case { name, file: "b.toml", content: content.into() }
}

fn json(name: &'static str, content: impl Into<Vec<u8>>) -> Case {
    Case { name, file: "b.json", content: content.into() }
}

/// Asserts that every command that reads the file fails in the same way and sends no request. Returns the result.
#[track_caller]
fn assert_rejected(env: &TestEnv, name: &str, file: &str) -> CliResult {
    let result = env.run_in_home(&["baseline", "check", file]);
    for flags in [&["--yes"][..], &["--dry-run"], &["--yes", "--ignore-unknown"]] {
        let other = env.run_in_home(&[&["baseline", "apply", file], flags].concat());
        assert_eq!(
            (other.code, &other.stdout, &other.stderr),
            (2, &result.stdout, &result.stderr),
            "{name}: {flags:?}"
        );
    }
    assert!(env.request_lines().is_empty(), "{name}: {:?}", env.request_lines());
    result
}

/// Writes the file of each case and collects the errors.
#[track_caller]
fn errors(cases: impl IntoIterator<Item = Case>) -> Transcript {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for Case { name, file, content } in cases {
        env.write(file, content);
        transcript.push(name, assert_rejected(&env, name, file));
    }
    transcript
}

#[test]
fn baseline_unreadable_file_error() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.home().join("directory")).unwrap();
    let mut transcript = Transcript::default();
    for file in ["missing.toml", "missing.json", "directory", "missing/b.toml", "-", ".."] {
        transcript.push(file, assert_rejected(&env, file, file));
    }
    cli_snapshot!(transcript, @"
    ===== missing.toml =====
    exit_code: 2
    ----- stderr -----
    error: could not read the baseline missing.toml: [OS ERROR]
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== missing.json =====
    exit_code: 2
    ----- stderr -----
    error: could not read the baseline missing.json: [OS ERROR]
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== directory =====
    exit_code: 2
    ----- stderr -----
    error: could not read the baseline directory: [OS ERROR]
    ===== missing/b.toml =====
    exit_code: 2
    ----- stderr -----
    error: could not read the baseline missing/b.toml: [OS ERROR]
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== - =====
    exit_code: 2
    ----- stderr -----
    error: standard input is empty
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== .. =====
    exit_code: 2
    ----- stderr -----
    error: could not read the baseline ..: [OS ERROR]
    ");
}

#[cfg(unix)]
#[test]
fn control_characters_in_file_names_are_escaped() {
    let env = TestEnv::signed_in();
    let result = cli_snapshot!(env.run_in_home(&["baseline", "check", "b\u{1b}[2J.toml"]), @"
    exit_code: 2
    ----- stderr -----
    error: could not read the baseline b�[2J.toml: [OS ERROR]
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ");
    assert!(!result.stderr.contains('\u{1b}'), "{:?}", result.stderr);
}

#[test]
fn baseline_empty_file_error() {
    cli_snapshot!(errors([
        toml("TOML, no bytes", ""),
        toml("TOML, white space", " \n\t\r\n"),
        toml("TOML, comments", "# only\n# comments\n"),
        toml("TOML, byte order mark", "\u{feff}"),
        toml("TOML, policy only", "policy = \"AllowSelfServicePurchase\"\n"),
        json("JSON, no bytes", ""),
        json("JSON, line break", "\n"),
        json("JSON, empty object", "{}"),
        json("JSON, policy only", r#"{"policy": "AllowSelfServicePurchase"}"#),
    ]), @"
    ===== TOML, no bytes =====
    ===== TOML, white space =====
    ===== TOML, comments =====
    ===== TOML, byte order mark =====
    exit_code: 2
    ----- stderr -----
    error: b.toml is empty
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== TOML, policy only =====
    exit_code: 2
    ----- stderr -----
    error: b.toml contains no products, offer types or default
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== JSON, no bytes =====
    ===== JSON, line break =====
    ===== JSON, empty object =====
    exit_code: 2
    ----- stderr -----
    error: b.json is empty
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ===== JSON, policy only =====
    exit_code: 2
    ----- stderr -----
    error: b.json contains no products, offer types or default
    hint: export the tenant's settings: mscommerce baseline export --file FILE
    ");
}

#[test]
fn baseline_encoding_error() {
    let unmarked: Vec<u8> = "default = \"Disabled\"\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    cli_snapshot!(errors([
        toml("UTF-16 without a mark", unmarked),
        toml("Latin-1", *b"[products]\nA = \"Enabled\" # caf\xe9\n"),
    ]), @"
    ===== UTF-16 without a mark =====
    ===== Latin-1 =====
    exit_code: 2
    ----- stderr -----
    error: b.toml is not UTF-8 text
    hint: save it as UTF-8
    ");
}

#[test]
fn baseline_of_windows_powershell_is_read() {
    let env = TestEnv::signed_in();
    for (file, text) in [
        ("b.toml", "\u{feff}[products]\r\nCFQ7TTC0H9MP = \"Disabled\" # \u{e4}\r\n"),
        ("b.json", "\u{feff}{\"products\": {\"CFQ7TTC0H9MP\": \"Disabled\"}}\r\n"),
    ] {
        let little_endian: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big_endian: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for content in [little_endian, big_endian] {
            env.write(file, &content);
            let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(3);
            assert_eq!(result.ids(), [POWER_BI]);
            let command = env.command(&["baseline", "check", "-", "-o", "json"]);
            assert_eq!(TestEnv::run_command_with_stdin(command, content).assert_code(3).ids(), [POWER_BI]);
        }
    }
}

#[test]
fn baseline_utf_16_without_mark_is_rejected() {
    let env = TestEnv::signed_in();
    // This is valid UTF-8 in which every other character is NUL.
    let content: Vec<u8> = "{\"default\": \"Disabled\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    env.write("b.json", content);
    let result = assert_rejected(&env, "UTF-16LE", "b.json").assert_code(2).stdout_is_empty();
    assert!(result.stderr.starts_with("error: ") && result.stderr.contains("b.json"), "{}", result.stderr);
}

#[test]
fn baseline_accepts_bom_and_crlf() {
    let env = TestEnv::signed_in();
    for (file, text) in [
        ("b.toml", "policy = \"AllowSelfServicePurchase\"\r\n\r\n[products]\r\nCFQ7TTC0H9MP = \"Disabled\"\r\n"),
        ("b.json", "{\r\n  \"products\": {\r\n    \"CFQ7TTC0H9MP\": \"Disabled\"\r\n  }\r\n}\r\n"),
    ] {
        for mark in ["", "\u{feff}"] {
            env.write(file, format!("{mark}{text}"));
            let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(3);
            assert_eq!(result.ids(), [POWER_BI], "{file}, mark {mark:?}");
        }
    }
}

#[test]
fn baseline_error_counts_crlf_lines() {
    let text =
        "\u{feff}policy = \"AllowSelfServicePurchase\"\r\n\r\n[products]\r\nCFQ7TTC0H9MP = \"Of\"\r\nCFQ7TTC0H9MP = 1";
    cli_snapshot!(errors([toml("line 5", text)]), @"
    ===== line 5 =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:5: duplicate key: CFQ7TTC0H9MP = 1
    ");
}

#[test]
fn baseline_toml_syntax_error() {
    cli_snapshot!(errors([
        toml("unclosed table header", "default = \"Disabled\"\n[products\nA = \"Enabled\"\n"),
        toml("unquoted value", "[products]\nCFQ7TTC0H9MP = Disabled\n"),
        toml("missing equals sign", "[products]\nCFQ7TTC0H9MP \"Disabled\"\n"),
        toml("unclosed string", "[products]\nCFQ7TTC0H9MP = \"Disabled\n"),
        toml("JSON in a TOML file", "{\"default\": \"Disabled\"}"),
        // Duplicates
        toml("duplicate default", "default = \"Enabled\"\n\ndefault = \"Disabled\"\n"),
        toml("duplicate id", "[products]\nA = \"Enabled\"\nB = \"Enabled\"\nA = \"Enabled\"\n"),
        toml("duplicate table", "[products]\nA = \"Enabled\"\n[offer-types]\n[products]\nB = \"Enabled\"\n"),
        toml("duplicate product in other case", "[products]\nAbc = \"Enabled\"\n# same\naBC = \"Enabled\"\n"),
        toml("duplicate offer type in other case", "[offer-types]\nSaaS = \"Enabled\"\nSAAS = \"Enabled\"\n"),
    ]), @r#"
    ===== unclosed table header =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: unclosed table, expected `]`: [products
    ===== unquoted value =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: string values must be quoted, expected literal string: CFQ7TTC0H9MP = Disabled
    ===== missing equals sign =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: key with no value, expected `=`: CFQ7TTC0H9MP "Disabled"
    ===== unclosed string =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: invalid basic string, expected `"`: CFQ7TTC0H9MP = "Disabled
    ===== JSON in a TOML file =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: invalid key-value pair, expected key: {"default": "Disabled"}
    ===== duplicate default =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:3: duplicate key: default = "Disabled"
    ===== duplicate id =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:4: duplicate key: A = "Enabled"
    ===== duplicate table =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:4: duplicate key: [products]
    ===== duplicate product in other case =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:4: products.aBC: duplicate ID; IDs are not case-sensitive
    ===== duplicate offer type in other case =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:3: offer-types.SAAS: duplicate ID; IDs are not case-sensitive
    "#);
}

#[test]
fn baseline_toml_key_and_value_error() {
    cli_snapshot!(errors([
        // Unknown keys and values
        toml("misspelled table", "[prodcuts]\nCFQ7TTC0H9MP = \"Disabled\"\n"),
        toml("table without hyphen", "default = \"Disabled\"\n\n[offertypes]\n"),
        toml("key in other case", "Default = \"Disabled\"\n"),
        toml("unknown default", "default = \"off\"\n"),
        toml("empty default", "default = \"\"\n"),
        // Wrong types
        toml("default is a boolean", "default = false\n"),
        toml("policy is a number", "policy = 1\ndefault = \"Disabled\"\n"),
        toml("value is a boolean", "[products]\nCFQ7TTC0H9MP = true\n"),
        toml("value is a number", "[products]\nCFQ7TTC0H9MP = 1\n"),
        toml("value is an array", "[products]\nCFQ7TTC0H9MP = [\"Enabled\"]\n"),
        toml("value is a table", "[products.CFQ7TTC0H9MP]\nvalue = \"Enabled\"\n"),
        toml("id with a dot", "[products]\nPower.BI = \"Enabled\"\n"),
        toml("products is a string", "products = \"Disabled\"\n"),
        toml("products is an array of tables", "[[products]]\nCFQ7TTC0H9MP = \"Enabled\"\n"),
        toml("offer-types is an array", "default = \"Disabled\"\noffer-types = [\"SaaS\"]\n"),
        toml("empty id", "[products]\n\"\" = \"Enabled\"\n"),
    ]), @r#"
    ===== misspelled table =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: prodcuts: unknown key; use one of policy, default, products, offer-types
    ===== table without hyphen =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:3: offertypes: unknown key; use one of policy, default, products, offer-types
    ===== key in other case =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: Default: unknown key; use one of policy, default, products, offer-types
    ===== unknown default =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: default: 'off' is not a valid value: use enabled, disabled or only-trials-without-payment-method (short: trials)
    ===== empty default =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: default: '' is not a valid value: use enabled, disabled or only-trials-without-payment-method (short: trials)
    ===== default is a boolean =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: default: the value must be a string
    ===== policy is a number =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: policy: the value must be a string
    ===== value is a boolean =====
    ===== value is a number =====
    ===== value is an array =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: products.CFQ7TTC0H9MP: the value must be a string, such as "Disabled"
    ===== value is a table =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: products.CFQ7TTC0H9MP: the value must be a string, such as "Disabled"
    ===== id with a dot =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: products.Power: the value must be a string, such as "Disabled"
    ===== products is a string =====
    ===== products is an array of tables =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: products: the value must be a table of IDs and values
    ===== offer-types is an array =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: offer-types: the value must be a table of IDs and values
    ===== empty id =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:2: products.: the ID is empty
    "#);
}

#[test]
fn baseline_json_error() {
    cli_snapshot!(errors([
        json("array", "[{\"default\": \"Disabled\"}]"),
        json("string", "\"default\""),
        json("null", "null"),
        json("TOML in a JSON file", "default = \"Disabled\""),
        json("truncated", "{\n  \"products\": {\n    \"CFQ7TTC0H9MP\": \"Dis"),
        json("trailing comma", "{\n  \"products\": {\n    \"CFQ7TTC0H9MP\": \"Disabled\",\n  }\n}"),
        json("second document", "{\"default\": \"Disabled\"}\n{}"),
        // Duplicates
        json("duplicate default", "{\n\"default\": \"Enabled\",\n\"default\": \"Disabled\"\n}"),
        json("duplicate table", "{\"products\": {},\n\"products\": {}}"),
        json("duplicate id", "{\"products\": {\n\"A\": \"Enabled\",\n\"A\": \"Enabled\"}}"),
        json("duplicate id in other case", "{\"products\": {\n\"A\": \"Enabled\",\n\"a\": \"Enabled\"}}"),
        json("duplicate id with escape", "{\"products\": {\n\"A\": \"Enabled\",\n\"\\u0041\": \"Enabled\"}}"),
        // Unknown keys and values
        json("misspelled table", "{\n\"prodcuts\": {}}"),
        json("unknown default", "{\"default\": \"off\"}"),
        // Wrong types
        json("default is null", "{\n\"default\": null}"),
        json("value is a boolean", "{\"products\": {\n\"A\": true}}"),
        json("value is a number", "{\"products\": {\n\"A\": 1}}"),
        json("value is an object", "{\"products\": {\n\"A\": {}}}"),
        json("products is an array", "{\"products\": []}"),
        json("blank id", "{\"products\": {\n\" \": \"Enabled\"}}"),
    ]), @r#"
    ===== array =====
    ===== string =====
    ===== null =====
    exit_code: 2
    ----- stderr -----
    error: b.json: not a JSON object
    ===== TOML in a JSON file =====
    exit_code: 2
    ----- stderr -----
    error: b.json:1: expected value: default = "Disabled"
    ===== truncated =====
    exit_code: 2
    ----- stderr -----
    error: b.json:3: EOF while parsing a string: "CFQ7TTC0H9MP": "Dis
    ===== trailing comma =====
    exit_code: 2
    ----- stderr -----
    error: b.json:4: key must be a string: }
    ===== second document =====
    exit_code: 2
    ----- stderr -----
    error: b.json:2: trailing characters: {}
    ===== duplicate default =====
    exit_code: 2
    ----- stderr -----
    error: b.json:3: default: duplicate key
    ===== duplicate table =====
    exit_code: 2
    ----- stderr -----
    error: b.json:2: products: duplicate key
    ===== duplicate id =====
    exit_code: 2
    ----- stderr -----
    error: b.json:3: products.A: duplicate ID; IDs are not case-sensitive
    ===== duplicate id in other case =====
    exit_code: 2
    ----- stderr -----
    error: b.json:3: products.a: duplicate ID; IDs are not case-sensitive
    ===== duplicate id with escape =====
    exit_code: 2
    ----- stderr -----
    error: b.json:3: products.A: duplicate ID; IDs are not case-sensitive
    ===== misspelled table =====
    exit_code: 2
    ----- stderr -----
    error: b.json:2: prodcuts: unknown key; use one of policy, default, products, offer-types
    ===== unknown default =====
    exit_code: 2
    ----- stderr -----
    error: b.json:1: default: 'off' is not a valid value: use enabled, disabled or only-trials-without-payment-method (short: trials)
    ===== default is null =====
    exit_code: 2
    ----- stderr -----
    error: b.json:2: default: the value must be a string
    ===== value is a boolean =====
    ===== value is a number =====
    ===== value is an object =====
    exit_code: 2
    ----- stderr -----
    error: b.json:2: products.A: the value must be a string, such as "Disabled"
    ===== products is an array =====
    exit_code: 2
    ----- stderr -----
    error: b.json:1: products: the value must be a table of IDs and values
    ===== blank id =====
    exit_code: 2
    ----- stderr -----
    error: b.json:2: products. : the ID is empty
    "#);
}

#[test]
fn baseline_trials_for_offer_type_error() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for Case { name, file, content } in [
        toml("TOML, trials", "[offer-types]\n\nSaaS = \"trials\"\n"),
        toml("TOML, service spelling", "[offer-types]\nSaaS = \"OnlyTrialsWithoutPaymentMethod\"\n"),
        toml("TOML, unknown id", "[offer-types]\nNotThere = \"trials\"\n"),
        json("JSON, trials", "{\"offer-types\": {\n\"SaaS\": \"trials\"}}"),
    ] {
        env.write(file, content);
        let check = transcript.push(name, env.run_in_home(&["baseline", "check", file]));
        let apply = env.run_in_home(&["baseline", "apply", file, "--yes", "--ignore-unknown"]);
        assert_eq!((apply.code, &apply.stdout, &apply.stderr), (1, &check.stdout, &check.stderr), "{name}");
    }
    cli_snapshot!(transcript, @"
    ===== TOML, trials =====
    exit_code: 1
    ----- stderr -----
    error: b.toml:3: offer-types.SaaS: an offer type accepts only Enabled or Disabled; trials are for products
    ===== TOML, service spelling =====
    exit_code: 1
    ----- stderr -----
    error: b.toml:2: offer-types.SaaS: an offer type accepts only Enabled or Disabled; trials are for products
    ===== TOML, unknown id =====
    exit_code: 1
    ----- stderr -----
    error: b.toml:2: offer-types.NotThere: an offer type accepts only Enabled or Disabled; trials are for products
    ===== JSON, trials =====
    exit_code: 1
    ----- stderr -----
    error: b.json:2: offer-types.SaaS: an offer type accepts only Enabled or Disabled; trials are for products
    ");
    assert!(env.update_requests().is_empty());
}

#[test]
fn baseline_accepts_current_trials_of_offer_type() {
    let env = env_with_baseline("[offer-types]\nSaaS = \"OnlyTrialsWithoutPaymentMethod\"\n");
    env.tenant.set_value("SaaS", TRIALS);
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
}

#[test]
fn baseline_deep_nesting_error() {
    cli_snapshot!(errors([
        toml("TOML", format!("default = {}", "[".repeat(100_000))),
        json("JSON", "{\"default\": ".repeat(100_000)),
    ]), @r#"
    ===== TOML =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: cannot recurse further; max recursion depth met: default = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…
    ===== JSON =====
    exit_code: 2
    ----- stderr -----
    error: b.json:1: EOF while parsing a value: {"default": {"default": {"default": {"default": {"default": {"default": {"defaul…
    "#);
}

#[test]
fn baseline_for_other_policy_error() {
    let env = env_with_baseline("policy = \"AllowEverything\"\ndefault = \"Disabled\"\n");
    let mut transcript = Transcript::default();
    transcript.push("default policy", assert_rejected(&env, "default policy", "b.toml"));
    let check = ["baseline", "check", "b.toml", "--policy-id", "Another"];
    transcript.push("--policy-id Another", env.run_in_home(&check));
    cli_snapshot!(transcript, @"
    ===== default policy =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: policy: the file is for policy 'AllowEverything', not for AllowSelfServicePurchase
    hint: add --policy-id AllowEverything to use that policy
    ===== --policy-id Another =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: policy: the file is for policy 'AllowEverything', not for Another
    hint: add --policy-id AllowEverything to use that policy
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn baseline_policy_is_case_insensitive() {
    let env = env_with_baseline("policy = \"allowselfservicepurchase\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"\n");
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
}

#[test]
fn control_characters_in_baseline_are_escaped() {
    let env = TestEnv::signed_in();
    let escapes = "\\u001B[2J\\u009B1m\\u202E";
    for (name, text) in [
        ("default", format!("default = \"{escapes}\"")),
        ("key", format!("\"{escapes}\" = \"a\"")),
        ("policy", format!("policy = \"{escapes}\"\ndefault = \"Disabled\"")),
        ("product", format!("[products]\n\"{escapes}\" = \"{escapes}\"")),
        ("unescaped", "default = \"\u{1b}[2J\"".to_owned()),
    ] {
        env.write("b.toml", &text);
        for arguments in [&["baseline", "check", "b.toml"][..], &["baseline", "apply", "b.toml", "--yes"]] {
            let result = env.run_in_home(arguments);
            assert!([1, 2, 3].contains(&result.code), "{name}\n{}", result.stderr);
            let output = format!("{}{}", result.stdout, result.stderr);
            assert!(!output.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{name}\n{output:?}");
        }
    }
    assert!(env.updates().is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_waiting_for_a_pipe() {
    use rustix::process::{Pid, Signal, kill_process};

    let env = TestEnv::signed_in();
    let pipe = env.home().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = env.command(&["baseline", "check", pipe.to_str().unwrap()]).spawn().unwrap();
    // Opening blocks until the program reads. Nothing is written afterwards.
    let _writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
