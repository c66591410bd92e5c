//! The file of sign-ins: who may read it, its profiles, and files that cannot be used.

use std::fs;
#[cfg(unix)]
use std::path::PathBuf;

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD, READER};

fn connect(env: &TestEnv, user: &str, profile: &str) -> CliResult {
    let arguments = ["connect", "--username", user, "--password-stdin", "--profile", profile];
    env.run_with_stdin(&arguments, PASSWORD)
}

fn account(env: &TestEnv, variables: &[(&str, &str)], flags: &[&str]) -> String {
    let status = env.run_with_env(variables, &[&["status", "-o", "json"], flags].concat()).assert_code(0).json();
    status["account"].as_str().unwrap().to_owned()
}

/// The names of the files beside the one that holds the sign-ins.
fn others(env: &TestEnv) -> Vec<String> {
    let entries = fs::read_dir(env.state_dir()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "sign-ins.json" && name != "sign-ins.lock");
    names
}

#[test]
fn the_file_holds_one_sign_in_and_nothing_lies_beside_it() {
    let env = TestEnv::signed_in();
    let saved = env.cache();
    assert_eq!(saved["version"], 2);
    let profiles = saved["profiles"].as_object().unwrap();
    assert_eq!(profiles.keys().collect::<Vec<_>>(), ["default"]);
    let tenants = profiles["default"]["tenants"].as_object().unwrap();
    assert_eq!(tenants.keys().collect::<Vec<_>>(), [HOME_TENANT]);
    assert_eq!(others(&env), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::new();
    env.tenant.set_token_lifetime(299);
    env.sign_in(ADMIN);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let check = || {
        assert_eq!(mode(env.cache_path()), 0o600);
        assert_eq!(mode(env.state_dir()), 0o700);
        assert_eq!(mode(env.state_dir().join("sign-ins.lock")), 0o600);
    };
    check();
    // Whatever somebody made of the file's mode, the next one to be written is private again.
    fs::set_permissions(env.cache_path(), fs::Permissions::from_mode(0o644)).unwrap();
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
    check();
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_read_is_made_private_and_told_once() {
    use std::os::unix::fs::PermissionsExt as _;

    for mode in [0o644, 0o640, 0o604, 0o777, 0o660] {
        let env = TestEnv::signed_in();
        fs::set_permissions(env.cache_path(), fs::Permissions::from_mode(mode)).unwrap();
        let result = env.run(&["products", "list"]).assert_code(0);
        let told = format!("warning: others could read {} (mode {mode:o})", env.cache_path().display());
        assert_eq!(result.stderr.matches(&told).count(), 1, "{}", result.stderr);
        assert_eq!(fs::metadata(env.cache_path()).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(env.run(&["products", "list"]).assert_code(0).stderr, "");
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_the_tool_did_not_make_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::new();
    fs::create_dir(env.state_dir()).unwrap();
    fs::set_permissions(env.state_dir(), fs::Permissions::from_mode(0o755)).unwrap();
    env.sign_in(ADMIN);
    assert_eq!(fs::metadata(env.state_dir()).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(fs::metadata(env.cache_path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

/// No command uses the file, says why, and leaves it as it is.
#[cfg(unix)]
#[track_caller]
fn expect_not_used(env: &TestEnv, why: &str) {
    let said = [&format!("{} are not used: {why}", env.cache_path().display()), "hint: ", "MSCOMMERCE_HOME"];
    env.tenant.forget_requests();
    for command in [&["products", "list"][..], &["status"]] {
        env.run(command).assert_code(4).stdout_is_empty().stderr_contains(&said);
    }
    env.run(&["disconnect"]).assert_code(1).stderr_contains(&said);
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    env.run_with_stdin(&connect, PASSWORD).assert_code(1).stderr_contains(&said);
    assert!(env.request_lines().is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_of_another_user_is_refused() {
    let env = TestEnv::signed_in();
    let before = fs::read(env.cache_path()).unwrap();
    // Only root can give a file away; for everybody else there is nothing to test here.
    if std::os::unix::fs::chown(env.cache_path(), Some(12_345), None).is_err() {
        return;
    }
    expect_not_used(&env, "it belongs to another user (number 12345)");
    assert_eq!(fs::read(env.cache_path()).unwrap(), before);
}

#[test]
fn the_file_has_a_place_of_its_own_where_none_is_named() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    // On Windows the place depends on further variables.
    command.env_remove("MSCOMMERCE_HOME").env("APPDATA", env.home()).env("LOCALAPPDATA", env.home());
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
    assert!(!env.state_dir().exists());
    let found = env.files_containing(if cfg!(windows) { "dpapi" } else { ADMIN });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("mscommerce/sign-ins.json") || cfg!(windows), "{found:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(found[0].parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
    }
}

#[test]
fn the_place_may_be_named_relative_to_where_the_command_runs() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_HOME", "deep/within").current_dir(env.home());
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
    assert!(env.home().join("deep/within/sign-ins.json").exists());
}

#[test]
fn a_second_profile_does_not_disturb_the_first() {
    let env = TestEnv::signed_in();
    let first = env.cache()["profiles"]["default"].clone();
    connect(&env, READER, "read.only@contoso_1-x").assert_code(0).stderr_contains(&["profile read.only@contoso_1-x"]);
    let saved = env.cache();
    assert_eq!(saved["profiles"]["default"], first);
    assert_eq!(saved["profiles"].as_object().unwrap().len(), 2);

    assert_eq!(account(&env, &[], &[]), ADMIN);
    assert_eq!(account(&env, &[], &["--profile", "read.only@contoso_1-x"]), READER);
    assert_eq!(account(&env, &[("MSCOMMERCE_PROFILE", "read.only@contoso_1-x")], &[]), READER);
    assert_eq!(account(&env, &[("MSCOMMERCE_PROFILE", "read.only@contoso_1-x")], &["--profile", "default"]), ADMIN);
    assert_eq!(account(&env, &[("MSCOMMERCE_PROFILE", "")], &[]), ADMIN, "an empty variable counts as unset");
}

#[test]
fn a_profile_in_the_environment_is_where_connect_saves() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_PROFILE", "lab");
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0).stderr_contains(&["profile lab"]);
    assert_eq!(env.cache()["profiles"].as_object().unwrap().keys().collect::<Vec<_>>(), ["lab"]);
    // Nobody is signed in under the default profile: those that there are get listed.
    env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&[
        "nobody is signed in",
        "'default'",
        "lab",
        "--profile",
    ]);
}

#[test]
fn an_unknown_profile_is_told_with_those_there_are() {
    let env = TestEnv::signed_in();
    connect(&env, READER, "lab").assert_code(0);
    env.tenant.forget_requests();
    for command in [&["products", "list"][..], &["status"]] {
        env.run(&[command, &["--profile", "lb"]].concat()).assert_code(4).stdout_is_empty().stderr_contains(&[
            "nobody is signed in under the profile 'lb'",
            "default, lab",
            "hint: mscommerce connect --profile lb",
        ]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn what_is_no_profile_name_is_refused() {
    let env = TestEnv::new();
    for name in ["", " ", "a b", "../x", "a/b", "a\nb", "\u{1b}[2J", &"x".repeat(65)] {
        let result = env.run(&["status", "--profile", name]).assert_code(2).stderr_contains(&["--profile"]);
        assert!(!result.stderr.contains('\u{1b}'));
    }
    env.run_with_env(&[("MSCOMMERCE_PROFILE", "a b")], &["status"])
        .assert_code(2)
        .stderr_contains(&["MSCOMMERCE_PROFILE", "'a b'"]);
}

/// What may have become of the file.
fn damage() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("rubbish", b"\x00\x01 rubbish".to_vec()),
        ("not UTF-8", b"{\"version\":1,\"profiles\":{\"\xff\":1}}".to_vec()),
        ("another shape", b"[]".to_vec()),
        ("another type", json!({"version": 1, "profiles": {"default": {"account": 7}}}).to_string().into_bytes()),
        ("a newer layout", json!({"version": 3, "profiles": {}}).to_string().into_bytes()),
    ]
}

#[test]
fn a_file_that_cannot_be_used_is_set_aside_and_nobody_is_signed_in() {
    for (what, content) in damage() {
        let env = TestEnv::signed_in();
        fs::write(env.cache_path(), &content).unwrap();
        env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&[
            "warning: ",
            "sign-ins.json",
            "set aside as",
            "sign-ins.unreadable.json",
            "error: nobody is signed in",
            "hint: mscommerce connect",
        ]);
        assert_eq!(others(&env), ["sign-ins.unreadable.json"], "{what}");
        assert_eq!(fs::read(env.state_dir().join("sign-ins.unreadable.json")).unwrap(), content, "{what}");
        // The warning comes once.
        let result = env.run(&["status"]).assert_code(4).stdout_is_empty();
        assert!(!result.stderr.contains("warning"), "{what}: {}", result.stderr);
        assert!(env.request_lines().is_empty());
        // The way out is the one that was told.
        env.sign_in(ADMIN);
        env.run(&["products", "list"]).assert_code(0);
    }
}

#[test]
fn every_command_survives_a_file_that_cannot_be_used() {
    for (what, content) in damage() {
        for (arguments, code) in [
            (&["status"][..], 4),
            (&["policy", "list"], 4),
            (&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"], 4),
            (&["connect", "--username", ADMIN, "--password-stdin"], 0),
            (&["disconnect"], 0),
            (&["logout", "--all"], 0),
        ] {
            let env = TestEnv::signed_in();
            fs::write(env.cache_path(), &content).unwrap();
            let result = env.run_with_stdin(arguments, PASSWORD);
            assert_eq!(result.code, code, "{what} {arguments:?}\n{}", result.stderr);
            assert_eq!(result.stderr.matches("warning: ").count(), 1, "{what} {arguments:?}\n{}", result.stderr);
        }
    }
}

#[test]
fn a_file_that_breaks_off_shows_none_of_its_tokens() {
    let env = TestEnv::signed_in();
    let (secrets, whole) = (env.cached_tokens(), fs::read(env.cache_path()).unwrap());
    for length in [whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4, whole.len() - 2] {
        fs::write(env.cache_path(), &whole[..length]).unwrap();
        let result = env.run(&["products", "list", "-vvv"]).assert_code(4).stderr_contains(&["warning: "]);
        for secret in &secrets {
            // Not even a part of one.
            assert!(!result.stderr.contains(&secret[..20]), "{}", result.stderr);
        }
    }
}

#[test]
fn a_newer_layout_is_named_whatever_it_looks_like() {
    for content in [json!({"version": 3, "profiles": {}}), json!({"version": 3, "signIns": []})] {
        let env = TestEnv::signed_in();
        fs::write(env.cache_path(), content.to_string()).unwrap();
        let result = env.run(&["status"]).assert_code(4).stderr_contains(&["layout", "number 3"]);
        assert!(!result.stderr.contains("damaged"), "{}", result.stderr);
    }
}

#[test]
fn a_directory_in_the_place_of_the_file_is_set_aside() {
    let env = TestEnv::signed_in();
    fs::remove_file(env.cache_path()).unwrap();
    fs::create_dir(env.cache_path()).unwrap();
    env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&[
        "warning: ",
        "set aside as",
        "nobody is signed in",
    ]);
    env.sign_in(ADMIN);
    env.run(&["products", "list"]).assert_code(0);
}

#[test]
fn a_directory_that_was_set_aside_does_not_keep_anybody_signed_in() {
    let env = TestEnv::signed_in();
    fs::remove_file(env.cache_path()).unwrap();
    fs::create_dir(env.cache_path()).unwrap();
    env.run(&["status"]).assert_code(4);
    env.sign_in(ADMIN);
    env.run(&["disconnect"]).assert_code(0).stderr_contains(&["Signed out: default"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_a_link_is_refused_and_what_it_leads_to_is_not_touched() {
    let env = TestEnv::signed_in();
    let elsewhere = env.home().join("elsewhere.json");
    fs::rename(env.cache_path(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, env.cache_path()).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    expect_not_used(&env, "it is a symbolic link");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    assert!(env.cache_path().is_symlink());
    // One that leads nowhere is no better.
    fs::remove_file(&elsewhere).unwrap();
    expect_not_used(&env, "it is a symbolic link");
}

const SEALED_ELSEWHERE: &str = r#"{"version":3,"dpapi":"YW5vdGhlciBtYWNoaW5lJ3M="}"#;

#[cfg(not(windows))]
#[test]
fn a_file_that_windows_sealed_is_refused_and_left_alone() {
    let env = TestEnv::signed_in();
    fs::write(env.cache_path(), SEALED_ELSEWHERE).unwrap();
    expect_not_used(&env, "Windows sealed it");
    assert_eq!(fs::read_to_string(env.cache_path()).unwrap(), SEALED_ELSEWHERE);
}

#[cfg(windows)]
#[test]
fn the_file_is_sealed_on_windows() {
    let env = TestEnv::signed_in();
    let (secrets, found) = (env.cached_tokens(), fs::read_to_string(env.cache_path()).unwrap());
    assert_eq!(secrets.len(), 2);
    for hidden in secrets.iter().map(String::as_str).chain(["refreshToken", "profiles", ADMIN]) {
        assert!(!found.contains(hidden), "{found}");
    }
    env.run(&["products", "list"]).assert_code(0);
}

#[cfg(windows)]
#[test]
fn a_file_that_is_not_sealed_is_read_on_windows_and_sealed_by_the_next_change() {
    let env = TestEnv::with_expiring_token();
    env.edit_cache(|_| ());
    assert!(fs::read_to_string(env.cache_path()).unwrap().contains("refreshToken"));
    env.run(&["products", "list"]).assert_code(0);
    assert!(!fs::read_to_string(env.cache_path()).unwrap().contains("refreshToken"));
    env.run(&["status"]).assert_code(0);
}

#[cfg(windows)]
#[test]
fn a_file_that_another_machine_sealed_is_set_aside() {
    let env = TestEnv::signed_in();
    fs::write(env.cache_path(), SEALED_ELSEWHERE).unwrap();
    let said = ["Windows does not open it", "set aside as", "nobody is signed in"];
    env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&said);
    env.sign_in(ADMIN);
    env.run(&["products", "list"]).assert_code(0);
}
