//! Files that are no baseline: a clear error that names the file, the line and the key; nothing is requested.

use super::*;
use crate::support::fixtures::POWER_BI;

/// Checks that every use of the file fails with these words, before anything is asked of the service.
#[track_caller]
fn expect_refused(env: &TestEnv, file: &str, words: &[&str]) {
    for arguments in [
        &["baseline", "check", file][..],
        &["baseline", "apply", file, "--yes"],
        &["baseline", "apply", file, "--dry-run"],
        &["baseline", "apply", file, "--yes", "--ignore-unknown"],
    ] {
        let result = env.run_in_home(arguments).assert_code(1).stdout_is_empty().stderr_contains(&["error: "]);
        result.stderr_contains(words);
    }
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
}

#[track_caller]
fn expect_content_refused(env: &TestEnv, file: &str, content: impl AsRef<[u8]>, words: &[&str]) {
    env.write(file, content);
    expect_refused(env, file, words);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.home().join("directory")).unwrap();
    for file in ["missing.toml", "missing.json", "directory", "missing/b.toml", "-", ".."] {
        expect_refused(&env, file, &[&format!("could not read the baseline {file}: ")]);
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_would_steer_the_terminal_is_shown_without_doing_so() {
    let env = TestEnv::signed_in();
    let result = env.run_in_home(&["baseline", "check", "b\u{1b}[2J.toml"]).assert_code(1).stdout_is_empty();
    assert!(!result.stderr.contains('\u{1b}'), "{:?}", result.stderr);
    result.stderr_contains(&["could not read the baseline b\u{FFFD}[2J.toml"]);
}

#[test]
fn a_file_that_says_nothing_is_refused() {
    let env = TestEnv::signed_in();
    for (file, content) in [
        ("b.toml", ""),
        ("b.toml", " \n\t\r\n"),
        ("b.toml", "# only\n# comments\n"),
        ("b.toml", "\u{feff}"),
        ("b.json", ""),
        ("b.json", "\n"),
        ("b.json", "{}"),
    ] {
        expect_content_refused(&env, file, content, &[&format!("{file} is empty"), "hint: ", "baseline export"]);
    }
    for (file, content) in
        [("b.toml", "policy = \"AllowSelfServicePurchase\"\n"), ("b.json", r#"{"policy": "AllowSelfServicePurchase"}"#)]
    {
        expect_content_refused(&env, file, content, &[&format!("error: {file} names no product")]);
    }
}

#[test]
fn text_in_another_encoding_is_told_from_a_baseline() {
    let env = TestEnv::signed_in();
    let text = "default = \"Disabled\"\n";
    let utf_16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big_endian: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    for content in [utf_16, big_endian, b"[products]\nA = \"Enabled\" # caf\xe9\n".to_vec()] {
        expect_content_refused(&env, "b.toml", content, &["b.toml is not UTF-8", "hint: ", "UTF-16"]);
    }
    let json: Vec<u8> = "{\"default\": \"Disabled\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Without the mark it is UTF-8, if of an odd kind: every other character is a NUL.
    expect_content_refused(&env, "b.json", json, &["b.json"]);
}

#[test]
fn what_editors_on_windows_add_does_no_harm() {
    let env = TestEnv::signed_in();
    for (file, text) in [
        ("b.toml", "policy = \"AllowSelfServicePurchase\"\r\n\r\n[products]\r\nCFQ7TTC0H9MP = \"Disabled\"\r\n"),
        ("b.json", "{\r\n  \"products\": {\r\n    \"CFQ7TTC0H9MP\": \"Disabled\"\r\n  }\r\n}\r\n"),
    ] {
        for mark in ["", "\u{feff}"] {
            env.write(file, format!("{mark}{text}"));
            let result = env.run_in_home(&["baseline", "check", file, "-o", "json"]).assert_code(3);
            assert_eq!(result.ids(), [POWER_BI]);
        }
    }
    // Lines are counted as editors count them.
    env.tenant.forget_requests();
    let text =
        "\u{feff}policy = \"AllowSelfServicePurchase\"\r\n\r\n[products]\r\nCFQ7TTC0H9MP = \"Of\"\r\nCFQ7TTC0H9MP = 1";
    expect_content_refused(&env, "b.toml", text, &["b.toml:5: "]);
}

/// Texts in TOML with what is said of each.
const TOML: &[(&str, &[&str])] = &[
    ("default = \"Disabled\"\n[products\nA = \"Enabled\"\n", &["b.toml:2: ", "[products"]),
    ("[products]\nCFQ7TTC0H9MP = Disabled\n", &["b.toml:2: ", "CFQ7TTC0H9MP = Disabled"]),
    ("[products]\nCFQ7TTC0H9MP \"Disabled\"\n", &["b.toml:2: ", "CFQ7TTC0H9MP \"Disabled\""]),
    ("[products]\nCFQ7TTC0H9MP = \"Disabled\n", &["b.toml:2: ", "CFQ7TTC0H9MP"]),
    ("{\"default\": \"Disabled\"}", &["b.toml:1: "]),
    // What is there twice.
    ("default = \"Enabled\"\n\ndefault = \"Disabled\"\n", &["b.toml:3: ", "duplicate", "default"]),
    (
        "[products]\nA = \"Enabled\"\nB = \"Enabled\"\nA = \"Enabled\"\n",
        &["b.toml:4: ", "duplicate", "A = \"Enabled\""],
    ),
    ("[products]\nA = \"Enabled\"\n[offer-types]\n[products]\nB = \"Enabled\"\n", &["b.toml:4: ", "products"]),
    ("[products]\nAbc = \"Enabled\"\n# same\naBC = \"Enabled\"\n", &["b.toml:4: products.aBC: ", "second time"]),
    ("[offer-types]\nSaaS = \"Enabled\"\nSAAS = \"Enabled\"\n", &["b.toml:3: offer-types.SAAS: ", "second time"]),
    // What nobody knows.
    ("[prodcuts]\nCFQ7TTC0H9MP = \"Disabled\"\n", &["b.toml:1: prodcuts: ", "policy, default, products, offer-types"]),
    ("default = \"Disabled\"\n\n[offertypes]\n", &["b.toml:3: offertypes: ", "offer-types"]),
    ("Default = \"Disabled\"\n", &["b.toml:1: Default: ", "default"]),
    ("default = \"off\"\n", &["b.toml:1: default: 'off'", "enabled, disabled"]),
    ("default = \"\"\n", &["b.toml:1: default: ''"]),
    // What is no text.
    ("default = false\n", &["b.toml:1: default: ", "text"]),
    ("policy = 1\ndefault = \"Disabled\"\n", &["b.toml:1: policy: ", "text"]),
    ("[products]\nCFQ7TTC0H9MP = true\n", &["b.toml:2: products.CFQ7TTC0H9MP: ", "text"]),
    ("[products]\nCFQ7TTC0H9MP = 1\n", &["b.toml:2: products.CFQ7TTC0H9MP: ", "text"]),
    ("[products]\nCFQ7TTC0H9MP = [\"Enabled\"]\n", &["b.toml:2: products.CFQ7TTC0H9MP: ", "text"]),
    ("[products.CFQ7TTC0H9MP]\nvalue = \"Enabled\"\n", &["b.toml:1: products.CFQ7TTC0H9MP: ", "text"]),
    ("[products]\nPower.BI = \"Enabled\"\n", &["b.toml:2: products.Power: ", "text"]),
    ("products = \"Disabled\"\n", &["b.toml:1: products: ", "table"]),
    ("[[products]]\nCFQ7TTC0H9MP = \"Enabled\"\n", &["b.toml:1: products: ", "table"]),
    ("default = \"Disabled\"\noffer-types = [\"SaaS\"]\n", &["b.toml:2: offer-types: ", "table"]),
    ("[products]\n\"\" = \"Enabled\"\n", &["b.toml:2: products.", "id is empty"]),
];

#[test]
fn what_is_wrong_in_toml_is_named_with_its_line() {
    let env = TestEnv::signed_in();
    for (text, words) in TOML {
        expect_content_refused(&env, "b.toml", text, words);
    }
}

/// The same in JSON.
const JSON: &[(&str, &[&str])] = &[
    ("[{\"default\": \"Disabled\"}]", &["b.json", "object"]),
    ("\"default\"", &["b.json", "object"]),
    ("null", &["b.json", "object"]),
    ("default = \"Disabled\"", &["b.json:1: "]),
    ("{\n  \"products\": {\n    \"CFQ7TTC0H9MP\": \"Dis", &["b.json:3: ", "CFQ7TTC0H9MP"]),
    ("{\n  \"products\": {\n    \"CFQ7TTC0H9MP\": \"Disabled\",\n  }\n}", &["b.json:4: "]),
    ("{\"default\": \"Disabled\"}\n{}", &["b.json:2: "]),
    ("{\n\"default\": \"Enabled\",\n\"default\": \"Disabled\"\n}", &["b.json:3: default: ", "second time"]),
    ("{\"products\": {},\n\"products\": {}}", &["b.json:2: products: ", "second time"]),
    ("{\"products\": {\n\"A\": \"Enabled\",\n\"A\": \"Enabled\"}}", &["b.json:3: products.A: ", "second time"]),
    ("{\"products\": {\n\"A\": \"Enabled\",\n\"a\": \"Enabled\"}}", &["b.json:3: products.a: ", "second time"]),
    ("{\"products\": {\n\"A\": \"Enabled\",\n\"\\u0041\": \"Enabled\"}}", &["b.json:3: products.A: ", "second time"]),
    ("{\n\"prodcuts\": {}}", &["b.json:2: prodcuts: ", "products"]),
    ("{\n\"default\": null}", &["b.json:2: default: ", "text"]),
    ("{\"default\": \"off\"}", &["b.json:1: default: 'off'"]),
    ("{\"products\": {\n\"A\": true}}", &["b.json:2: products.A: ", "text"]),
    ("{\"products\": {\n\"A\": 1}}", &["b.json:2: products.A: ", "text"]),
    ("{\"products\": {\n\"A\": {}}}", &["b.json:2: products.A: ", "text"]),
    ("{\"products\": []}", &["b.json:1: products: ", "table"]),
    ("{\"products\": {\n\" \": \"Enabled\"}}", &["b.json:2: products.", "id is empty"]),
];

#[test]
fn what_is_wrong_in_json_is_named_with_its_line() {
    let env = TestEnv::signed_in();
    for (text, words) in JSON {
        expect_content_refused(&env, "b.json", text, words);
    }
}

#[test]
fn trials_for_an_offer_type_are_refused_unless_the_tenant_shows_them() {
    let env = TestEnv::signed_in();
    for (file, text, line) in [
        ("b.toml", "[offer-types]\n\nSaaS = \"trials\"\n", 3),
        ("b.toml", "[offer-types]\nSaaS = \"OnlyTrialsWithoutPaymentMethod\"\n", 2),
        ("b.toml", "[offer-types]\nNotThere = \"trials\"\n", 2),
        ("b.json", "{\"offer-types\": {\n\"SaaS\": \"trials\"}}", 2),
    ] {
        env.write(file, text);
        for command in [&["check"][..], &["apply", "--yes", "--ignore-unknown"]] {
            let said = [&*format!("{file}:{line}: offer-types."), "Enabled or Disabled", "products only"];
            env.run_in_home(&[&["baseline"], command, &[file]].concat())
                .assert_code(1)
                .stdout_is_empty()
                .stderr_contains(&said);
        }
    }
    assert!(env.request_lines().iter().all(|line| line.starts_with("GET ")));
    env.tenant.set_value("SaaS", "OnlyTrialsWithoutPaymentMethod");
    env.write("b.toml", "[offer-types]\nSaaS = \"OnlyTrialsWithoutPaymentMethod\"\n");
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
}

#[test]
fn deep_nesting_is_an_error_like_any_other() {
    let env = TestEnv::signed_in();
    expect_content_refused(&env, "b.toml", format!("default = {}", "[".repeat(100_000)), &["b.toml:1: "]);
    expect_content_refused(&env, "b.json", "{\"default\": ".repeat(100_000), &["b.json:1: "]);
}

#[test]
fn a_file_for_another_policy_is_refused_with_the_way_to_use_it() {
    let env = TestEnv::signed_in();
    env.write("b.toml", "policy = \"AllowEverything\"\ndefault = \"Disabled\"\n");
    expect_refused(
        &env,
        "b.toml",
        &[
            "b.toml:1: policy: the file is for the policy 'AllowEverything'",
            "AllowSelfServicePurchase",
            "hint: ",
            "--policy-id AllowEverything",
        ],
    );
    // It is the file that decides, not the command line: a file without a policy serves any.
    let check = ["baseline", "check", "b.toml", "--policy-id", "Another"];
    env.run_in_home(&check).assert_code(1).stderr_contains(&["'AllowEverything'", "Another"]);
    assert!(env.request_lines().is_empty());
    env.write("b.toml", "policy = \"allowselfservicepurchase\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"\n");
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
}

#[test]
fn text_from_the_file_cannot_steer_the_terminal() {
    let env = TestEnv::signed_in();
    let steering = "\\u001B[2J\\u009B1m\\u202E";
    for text in [
        format!("default = \"{steering}\""),
        format!("\"{steering}\" = \"a\""),
        format!("policy = \"{steering}\"\ndefault = \"Disabled\""),
        format!("[products]\n\"{steering}\" = \"{steering}\""),
        "default = \"\u{1b}[2J\"".to_owned(),
    ] {
        env.write("b.toml", &text);
        for arguments in [&["baseline", "check", "b.toml"][..], &["baseline", "apply", "b.toml", "--yes"]] {
            let result = env.run_in_home(arguments);
            assert!([1, 3].contains(&result.code), "{text}\n{}", result.stderr);
            let shown = format!("{}{}", result.stdout, result.stderr);
            assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text}\n{shown:?}");
        }
    }
    assert!(env.updates().is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_wait_for_a_pipe_that_gives_nothing() {
    use rustix::process::{Pid, Signal, kill_process};

    let env = TestEnv::signed_in();
    let pipe = env.home().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = env.command(&["baseline", "check", pipe.to_str().unwrap()]).spawn().unwrap();
    // Opening waits until the other side reads; from then on nothing comes.
    let _writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
