//! `completions`, and the candidates that the completion scripts request.

#[cfg(unix)]
use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::LIST_NOTE;
use crate::tenant::ADMIN;
use std::fs;

/// The completion candidates for the last word, one line each, as fish requests them.
fn complete(env: &TestEnv, arguments: &[&str]) -> Vec<String> {
    complete_in("fish", env, arguments)
}

fn complete_in(shell: &str, env: &TestEnv, arguments: &[&str]) -> Vec<String> {
    let mut command = env.command(&[&["--", "mscommerce"], arguments].concat());
    let result: CliResult = command
        .env("MSCOMMERCE_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", arguments.len().to_string())
        .output()
        .unwrap()
        .into();
    let result = result.assert_code(0);
    assert_eq!(result.stderr, "");
    result.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn completions_prints_script_for_each_shell() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = env.run(&["completions", shell]).assert_code(0);
        assert!(script.stdout.contains("MSCOMMERCE_COMPLETE") && script.stdout.contains("mscommerce"), "{shell}");
        assert_eq!(script.stderr, "");
    }
    cli_snapshot!(env.run(&["completions", "tcsh"]), @"
    exit_code: 2
    ----- stderr -----
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, zsh, fish, powershell, elvish]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn completion_offers_commands_flags_and_values() {
    let env = TestEnv::new();
    let assert_offered = |arguments: &[&str], all: &[&str]| {
        let found = complete(&env, arguments);
        for expected in all {
            assert!(
                found.iter().any(|line| line.split('\t').next() == Some(expected)),
                "{arguments:?}: {expected}\n{found:?}"
            );
        }
    };
    assert_offered(&["b"], &["baseline"]);
    assert_offered(&["product", "update", "X", "--v"], &["--value"]);
    assert_offered(
        &["product", "update", "X", "--value", ""],
        &["enabled", "disabled", "only-trials-without-payment-method"],
    );
    assert_offered(&["product", "update", "X", "--enabled", ""], &["true", "false"]);
    assert_offered(&["products", "list", "-o", ""], &["table", "json", "csv", "tsv", "markdown"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn completion_offers_listed_products() {
    let env = TestEnv::signed_in();
    assert_eq!(complete(&env, &["product", "get", "CFQ"]), [] as [String; 0]);
    env.run(&["products", "list", "--name", "visio"]).assert_code(0);
    env.run(&["products", "list", "--scope", "offer-type"]).assert_code(0);
    env.tenant.forget_requests();
    assert_eq!(complete(&env, &["product", "get", "CFQ7TTC0H9"]), ["CFQ7TTC0H9MP\tPower BI Pro"]);
    assert_eq!(complete(&env, &["product", "get", "power bi pro"]), ["Power BI Pro\tCFQ7TTC0H9MP"]);
    assert_eq!(complete(&env, &["product", "get", "'Power BI pro"]), ["Power BI Pro\tCFQ7TTC0H9MP"]);
    assert_eq!(complete(&env, &["product", "get", r"Power\ BI\ pro"]), ["Power BI Pro\tCFQ7TTC0H9MP"]);
    assert_eq!(complete(&env, &["product", "get", "cfq7ttC0h9\u{200b}"]), ["CFQ7TTC0H9MP\tPower BI Pro"]);
    assert_eq!(complete(&env, &["product", "get", "--offer-type", "Sa"]), ["SaaS\tSoftware as a Service"]);
    assert_eq!(complete(&env, &["product", "get", "--offer-type", "sA"]), ["SaaS\tSoftware as a Service"]);
    assert_eq!(complete(&env, &["products", "update", "--except", "Sa"]), ["SaaS\tSoftware as a Service"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn completion_offers_known_profiles_tenants_and_runs() {
    let env = TestEnv::signed_in();
    assert_eq!(complete(&env, &["undo", ""]).iter().filter(|line| !line.starts_with('-')).count(), 0);
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).assert_code(0);
    env.tenant.forget_requests();
    let profile = format!("default\t{ADMIN}");
    assert_eq!(complete(&env, &["status", "--profile", "DEF"]), [profile.as_str()]);
    assert_eq!(complete(&env, &["--profile", "d"]), [profile.as_str()]);
    let tenant = format!("{}\t{ADMIN}", crate::tenant::HOME_TENANT);
    assert_eq!(complete(&env, &["product", "list", "--tenant", ""]), [tenant.as_str()]);
    let run = env.history()[0]["run"].as_str().unwrap().to_owned();
    let offered = complete(&env, &["undo", &run[..4].to_uppercase()]);
    assert!(offered.len() == 1 && offered[0].starts_with(&format!("{run}\t20")), "{offered:?}");
    assert_eq!(complete(&env, &["history", "--run", &run[..4]]), offered);
    // The saved sign-in is gone, and the tenant is known from the history.
    env.run(&["disconnect"]).assert_code(0);
    assert_eq!(complete(&env, &["product", "list", "--tenant", ""]), [tenant.as_str()]);
    assert_eq!(complete(&env, &["status", "--profile", ""]), [] as [String; 0]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn completion_ignores_damaged_sign_ins_and_history() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).assert_code(0);
    for content in ["", "{", "\u{0}\u{1b}[2J", "{\"version\":99}"] {
        fs::write(env.cache_path(), content).unwrap();
        fs::write(env.history_path(), content).unwrap();
        for arguments in [["status", "--profile", ""], ["doctor", "--tenant", ""], ["history", "--run", ""]] {
            assert_eq!(complete(&env, &arguments), [] as [String; 0], "{content:?}");
        }
        assert_eq!(fs::read_to_string(env.cache_path()).unwrap(), content);
    }
}

#[cfg(unix)]
#[test]
fn completion_leaves_permissions_of_sign_ins() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::signed_in();
    fs::set_permissions(env.cache_path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(complete(&env, &["status", "--profile", ""]), [] as [String; 0]);
    env.run(&["status"]).assert_code(0).stderr_contains(&["other users could read"]);
    assert_eq!(complete(&env, &["status", "--profile", ""]).len(), 1);
}

#[test]
fn completion_offers_help_topics_and_no_hidden_words() {
    let env = TestEnv::new();
    assert_eq!(complete(&env, &["help", "ex"]), ["exit-codes"]);
    assert_eq!(complete(&env, &["help", "product", "up"]).len(), 1);
    assert!(complete(&env, &["he"])[0].starts_with("help\t"));
    for arguments in [&["product", "get", "--product"][..], &["product", "update", "--what"], &["Get-"], &["get-msc"]] {
        assert_eq!(complete(&env, arguments), [] as [String; 0], "{arguments:?}");
    }
    assert_eq!(complete(&env, &["product", "update", "--value", "DIS"]), ["disabled"]);
}

#[test]
fn unwritable_completion_cache_is_ignored() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.state_dir().join("products.json")).unwrap();
    let result = env.run(&["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert_eq!(complete(&env, &["product", "get", "CFQ"]), [] as [String; 0]);
    fs::remove_dir(env.state_dir().join("products.json")).unwrap();
    fs::write(env.state_dir().join("products.json"), "damaged").unwrap();
    assert_eq!(complete(&env, &["product", "get", "CFQ"]), [] as [String; 0]);
    env.run(&["products", "list"]).assert_code(0);
    assert!(!complete(&env, &["product", "get", "CFQ"]).is_empty());
    let token = env.tenant.issue_token(ADMIN, crate::tenant::HOME_TENANT, 3600);
    let nowhere = [("MSCOMMERCE_TOKEN", token.as_str()), ("MSCOMMERCE_HOME", "/dev/null/nowhere")];
    if cfg!(unix) {
        assert_eq!(env.run_with_env(&nowhere, &["products", "list"]).assert_code(0).stderr, LIST_NOTE);
    }
}

#[cfg(unix)]
#[test]
fn unsafe_completion_cache_is_left_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let env = TestEnv::signed_in();
    env.run(&["products", "list"]).assert_code(0);
    let (path, aside) = (env.state_dir().join("products.json"), env.home().join("aside"));
    fs::rename(&path, &aside).unwrap();
    let saved = fs::read(&aside).unwrap();
    let check = |reason: &str| {
        assert_eq!(complete(&env, &["product", "get", "CFQ"]), [] as [String; 0], "{reason}");
        assert_eq!(env.run(&["products", "list"]).assert_code(0).stderr, LIST_NOTE);
        let expected = format!("{} is not used: {reason}", path.display());
        env.run(&["products", "list", "-v"]).assert_code(0).stderr_contains(&[&expected]);
    };
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    check("it is a named pipe");
    fs::remove_file(&path).unwrap();
    symlink(&aside, &path).unwrap();
    check("it is a symbolic link");
    assert!(path.is_symlink());
    assert_eq!(fs::read(&aside).unwrap(), saved);
    fs::remove_file(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    check("other users can write to it (mode 666)");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!complete(&env, &["product", "get", "CFQ"]).is_empty());
    // Only root can change the owner; other users have nothing more to test.
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
        check("it belongs to another user (ID 12345)");
    }
}

#[test]
fn completion_offers_only_plain_ids() {
    let env = TestEnv::new();
    fs::create_dir(env.state_dir()).unwrap();
    let candidates = r#"[{"scope":"product","id":"A1","name":"Power BI Pro"},
        {"scope":"product","id":"A2","name":"it’s $(ls)"},{"scope":"product","id":"A3;ls","name":""}]"#;
    fs::write(env.state_dir().join("products.json"), candidates).unwrap();
    let complete = |typed: &str| complete_in("powershell", &env, &["product", "get", typed]);
    assert_eq!(complete("A"), ["A1\tPower BI Pro", "A2\tit’s $(ls)"]);
    assert_eq!(complete("Power B"), ["'Power BI Pro'\tA1"]);
    assert_eq!(complete("it"), [] as [String; 0]);
    let complete = |typed: &str| complete_in("bash", &env, &["product", "get", typed]);
    assert_eq!(complete("it"), [] as [String; 0]);
    assert_eq!(complete("\"it"), [] as [String; 0]);
    assert_eq!(complete("'it"), ["it’s $(ls)"]);
}

#[test]
fn invalid_completion_cache_is_ignored() {
    let env = TestEnv::new();
    fs::create_dir(env.state_dir()).unwrap();
    let huge = format!(r#"[{{"scope":"product","id":"{}"}}]"#, "x".repeat(5 * 1024 * 1024));
    let control = br#"[{"scope":"product","id":"x\u001b[2J"},{"scope":"product","id":"x","name":"a\u0000b\nc"}]"#;
    for candidates in [&b"\xff\xfe[{"[..], control, huge.as_bytes()] {
        fs::write(env.state_dir().join("products.json"), candidates).unwrap();
        for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
            assert_eq!(complete_in(shell, &env, &["product", "get", "x"]), [] as [String; 0], "{shell}");
        }
    }
}

#[test]
fn completion_for_unknown_shell_fails() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_COMPLETE", "nosuch")], &["products", "list"]), @"
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_COMPLETE: unknown shell `nosuch`, expected one of `bash`, `elvish`, `fish`, `powershell`, `zsh`
    hint: mscommerce completions --help
    ");
    assert!(env.request_lines().is_empty());
}
