//! `completions` and `man`: what shells can offer, and the manual.

use std::fs;
#[cfg(unix)]
use std::process::Stdio;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::ADMIN;

/// What is offered for the last of these words, a line each, as the script of fish asks.
fn offered(env: &TestEnv, words: &[&str]) -> Vec<String> {
    offered_to("fish", env, words)
}

fn offered_to(shell: &str, env: &TestEnv, words: &[&str]) -> Vec<String> {
    let mut command = env.command(&[&["--", "mscommerce"], words].concat());
    let result: CliResult = command
        .env("MSCOMMERCE_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .output()
        .unwrap()
        .into();
    let result = result.assert_code(0);
    assert_eq!(result.stderr, "");
    result.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_shell_has_a_script_that_asks_the_executable() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = env.run(&["completions", shell]).assert_code(0);
        assert!(script.stdout.contains("MSCOMMERCE_COMPLETE") && script.stdout.contains("mscommerce"), "{shell}");
        assert_eq!(script.stderr, "");
    }
    env.run(&["completions", "tcsh"]).assert_code(2).stdout_is_empty().stderr_contains(&["powershell"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn commands_flags_and_values_are_offered() {
    let env = TestEnv::new();
    let fits = |words: &[&str], all: &[&str]| {
        let found = offered(&env, words);
        for wanted in all {
            assert!(found.iter().any(|line| line.split('\t').next() == Some(wanted)), "{words:?}: {wanted}\n{found:?}");
        }
    };
    fits(&["b"], &["baseline"]);
    fits(&["product", "update", "X", "--v"], &["--value"]);
    fits(&["product", "update", "X", "--value", ""], &["enabled", "disabled", "only-trials-without-payment-method"]);
    fits(&["product", "update", "X", "--enabled", ""], &["true", "false"]);
    fits(&["products", "list", "-o", ""], &["table", "json", "csv", "tsv", "markdown"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn products_are_offered_as_the_last_listing_showed_them() {
    let env = TestEnv::signed_in();
    assert_eq!(offered(&env, &["product", "get", "CFQ"]), [] as [String; 0]);
    env.run(&["products", "list", "--name", "visio"]).assert_code(0);
    env.run(&["products", "list", "--scope", "offer-type"]).assert_code(0);
    env.tenant.forget_requests();
    assert_eq!(offered(&env, &["product", "get", "CFQ7TTC0H9"]), ["CFQ7TTC0H9MP\tPower BI Pro"]);
    assert_eq!(offered(&env, &["product", "get", "Power BI Pro"]), ["Power BI Pro"]);
    assert_eq!(offered(&env, &["product", "get", "--offer-type", "Sa"]), ["SaaS\tSoftware as a Service"]);
    assert_eq!(offered(&env, &["products", "update", "--except", "Sa"]), ["SaaS\tSoftware as a Service"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn what_cannot_be_kept_for_completion_disturbs_no_listing() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.state_dir().join("products.json")).unwrap();
    let result = env.run(&["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(offered(&env, &["product", "get", "CFQ"]), [] as [String; 0]);
    fs::remove_dir(env.state_dir().join("products.json")).unwrap();
    fs::write(env.state_dir().join("products.json"), "damaged").unwrap();
    assert_eq!(offered(&env, &["product", "get", "CFQ"]), [] as [String; 0]);
    env.run(&["products", "list"]).assert_code(0);
    assert!(!offered(&env, &["product", "get", "CFQ"]).is_empty());
    let token = env.tenant.issue_token(ADMIN, crate::tenant::HOME_TENANT, 3600);
    let nowhere = [("MSCOMMERCE_TOKEN", token.as_str()), ("MSCOMMERCE_HOME", "/dev/null/nowhere")];
    if cfg!(unix) {
        assert_eq!(env.run_with_env(&nowhere, &["products", "list"]).assert_code(0).stderr, "");
    }
}

#[test]
fn powershell_is_offered_a_name_so_that_it_is_one_word_and_runs_nothing() {
    let env = TestEnv::new();
    fs::create_dir(env.state_dir()).unwrap();
    let kept = r#"[{"scope":"product","id":"A1","name":"Power BI Pro"},
        {"scope":"product","id":"A2","name":"it’s $(ls)"},{"scope":"product","id":"A3;ls","name":""}]"#;
    fs::write(env.state_dir().join("products.json"), kept).unwrap();
    let offers = |typed: &str| offered_to("powershell", &env, &["product", "get", typed]);
    assert_eq!(offers("Power B"), ["'Power BI Pro'"]);
    assert_eq!(offers("it"), ["'it’’s $(ls)'"]);
    assert_eq!(offers("it’s $"), ["'it’’s $(ls)'"]);
    assert_eq!(offers("A3"), ["'A3;ls'"]);
    assert_eq!(offers("A1"), ["A1\tPower BI Pro"]);
}

#[test]
fn whatever_the_kept_listing_holds_a_shell_is_answered() {
    let env = TestEnv::new();
    fs::create_dir(env.state_dir()).unwrap();
    let huge = format!(r#"[{{"scope":"product","id":"{}"}}]"#, "x".repeat(5 * 1024 * 1024));
    let control = br#"[{"scope":"product","id":"x\u001b[2J"},{"scope":"product","id":"x","name":"a\u0000b\nc"}]"#;
    for kept in [&b"\xff\xfe[{"[..], control, huge.as_bytes()] {
        fs::write(env.state_dir().join("products.json"), kept).unwrap();
        for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
            assert_eq!(offered_to(shell, &env, &["product", "get", "x"]), [] as [String; 0], "{shell}");
        }
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_a_name_so_that_it_is_one_word() {
    let env = TestEnv::signed_in();
    env.run(&["products", "list"]).assert_code(0);
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let script = r#"
        source <(mscommerce completions bash)
        COMP_WORDS=(mscommerce product get 'Power\ BI\ Pro') COMP_CWORD=3 COMP_TYPE=9
        _clap_complete_mscommerce mscommerce 'Power\ BI\ Pro' get
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut command = env.command(&[] as &[&str]);
    let variables: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = std::process::Command::new("bash");
    command.args(["-c", script]).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in variables {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", executable.parent().unwrap().display()));
    let result: CliResult = command.output().unwrap().into();
    let result = result.assert_code(0);
    assert_eq!(result.stdout.trim(), r"Power\ BI\ Pro", "{}", result.stderr);
}

#[test]
fn an_unknown_shell_that_asks_is_told_so_and_nothing_is_run() {
    let env = TestEnv::signed_in();
    env.run_with_env(&[("MSCOMMERCE_COMPLETE", "nosuch")], &["products", "list"])
        .assert_code(2)
        .stdout_is_empty()
        .stderr_contains(&["MSCOMMERCE_COMPLETE", "nosuch"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let env = TestEnv::new();
    let directory = env.home().join("made/man");
    let result = env.run(&["man", "--directory", directory.to_str().unwrap()]).assert_code(0).stdout_is_empty();
    let mut pages: Vec<String> =
        fs::read_dir(&directory).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    result.stderr_contains(&[&format!("{} pages were written", pages.len())]);
    for page in ["mscommerce.1", "mscommerce-product-update.1", "mscommerce-baseline-check.1", "mscommerce-doctor.1"] {
        assert!(pages.iter().any(|known| known == page), "{pages:?}");
        let text = fs::read_to_string(directory.join(page)).unwrap();
        let name = page.trim_end_matches(".1");
        let title = format!(".TH {name} 1 \\& \"mscommerce {}\"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&title), "{text}");
    }
    assert!(!pages.iter().any(|page| page.contains("help")), "{pages:?}");
    let main = env.run(&["man"]).assert_code(0);
    assert_eq!(main.stdout, fs::read_to_string(directory.join("mscommerce.1")).unwrap());
    fs::write(env.home().join("file"), "").unwrap();
    let file = env.home().join("file");
    env.run(&["man", "--directory", file.to_str().unwrap()]).assert_code(1).stderr_contains(&["could not write to"]);
}
