//! `disconnect`: nothing of a sign-in stays behind.

use std::fs;
use std::path::PathBuf;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, HOME_TENANT, PASSWORD, READER};

fn connect(env: &TestEnv, user: &str, profile: &str) -> CliResult {
    let arguments = ["connect", "--username", user, "--password-stdin", "--profile", profile];
    env.run_with_stdin(&arguments, PASSWORD).assert_code(0)
}

#[track_caller]
fn assert_gone(env: &TestEnv, secrets: &[String]) {
    for secret in secrets {
        assert_eq!(env.files_containing(secret), Vec::<PathBuf>::new());
    }
}

#[test]
fn no_secret_is_left_anywhere() {
    let env = TestEnv::signed_in();
    env.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let secrets = env.cached_tokens();
    assert_eq!(secrets.len(), 3);
    env.tenant.forget_requests();
    env.run(&["disconnect"]).assert_code(0).stdout_is_empty().stderr_contains(&["Signed out: default"]);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
    assert_gone(&env, &secrets);
    assert_gone(&env, &[ADMIN.to_owned()]);
    env.run(&["products", "list"]).assert_code(4).stderr_contains(&["nobody is signed in", "hint: mscommerce connect"]);
}

#[test]
fn logout_is_another_word_for_disconnect() {
    let env = TestEnv::signed_in();
    env.run(&["logout"]).assert_code(0).stderr_contains(&["Signed out"]);
    env.run(&["status"]).assert_code(4);
}

#[test]
fn other_profiles_stay_signed_in() {
    let env = TestEnv::signed_in();
    let gone = env.cached_tokens();
    connect(&env, READER, "lab");
    let kept = env.cache()["profiles"]["lab"].clone();
    env.run(&["disconnect"]).assert_code(0).stderr_contains(&["Signed out: default"]);
    assert_gone(&env, &gone);
    let saved = env.cache();
    assert_eq!(saved["profiles"]["lab"], kept);
    assert_eq!(saved["profiles"].as_object().unwrap().len(), 1);
    env.run(&["disconnect", "--profile", "lab"]).assert_code(0).stderr_contains(&["Signed out: lab"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn all_profiles_can_be_forgotten_together() {
    let env = TestEnv::signed_in();
    connect(&env, READER, "lab");
    let secrets = env.cached_tokens();
    env.run(&["disconnect", "--all"]).assert_code(0).stderr_contains(&["Signed out: default, lab"]);
    assert_gone(&env, &secrets);
    env.run(&["disconnect", "--all", "--profile", "lab"]).assert_code(2);
    // A profile in the environment does not stand in the way of --all.
    connect(&env, READER, "lab");
    env.run_with_env(&[("MSCOMMERCE_PROFILE", "other")], &["disconnect", "--all"]).assert_code(0);
    assert!(!env.cache_path().exists());
}

#[test]
fn an_unknown_profile_is_told_with_those_there_are() {
    let env = TestEnv::signed_in();
    connect(&env, READER, "lab");
    let before = env.cache();
    env.run(&["disconnect", "--profile", "lb"]).assert_code(1).stdout_is_empty().stderr_contains(&[
        "nobody is signed in under the profile 'lb'",
        "default, lab",
        "hint: ",
        "--all",
    ]);
    assert_eq!(env.cache(), before);
}

#[test]
fn where_nobody_is_signed_in_there_is_nothing_to_do() {
    let env = TestEnv::new();
    for arguments in [&["disconnect"][..], &["disconnect", "--all"], &["disconnect", "--profile", "lab"]] {
        env.run(arguments).assert_code(0).stdout_is_empty().stderr_contains(&["Nobody was signed in"]);
    }
    assert!(!env.state_dir().exists(), "looking leaves nothing behind");
    env.sign_in(ADMIN);
    for _ in 0..2 {
        env.run(&["disconnect"]).assert_code(0);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn what_was_set_aside_or_left_half_written_goes_too() {
    let env = TestEnv::signed_in();
    let (secrets, whole) = (env.cached_tokens(), env.cache().to_string().into_bytes());
    // A process that was killed while it wrote, and a file that broke off and was set aside.
    fs::write(env.state_dir().join(".sign-ins-Ab12Cd"), &whole).unwrap();
    fs::write(env.cache_path(), &whole[..whole.len() - 10]).unwrap();
    env.run(&["status"]).assert_code(4);
    assert_eq!(env.files_containing(&secrets[0]).len(), 2);
    connect(&env, READER, "default");
    env.run(&["disconnect"]).assert_code(0).stderr_contains(&["Signed out: default"]);
    assert_gone(&env, &secrets);
}

#[test]
fn what_was_left_goes_even_where_nobody_is_signed_in() {
    let env = TestEnv::signed_in();
    let (secrets, whole) = (env.cached_tokens(), fs::read(env.cache_path()).unwrap());
    fs::write(env.cache_path(), &whole[..whole.len() - 10]).unwrap();
    env.run(&["disconnect"]).assert_code(0);
    assert_gone(&env, &secrets);
}

#[test]
fn files_of_others_in_the_directory_are_left_alone() {
    let env = TestEnv::signed_in();
    for name in ["notes.txt", "sign-ins.json.bak", ".sign-in"] {
        fs::write(env.state_dir().join(name), "mine").unwrap();
    }
    env.run(&["disconnect", "--all"]).assert_code(0);
    assert_eq!(env.files_containing("mine").len(), 3);
}

#[test]
fn a_token_in_the_environment_outlives_it_with_a_warning() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["disconnect"])
        .assert_code(0)
        .stderr_contains(&["Signed out: default", "warning: MSCOMMERCE_TOKEN is still set"]);
    assert!(!env.cache_path().exists());
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["disconnect"])
        .assert_code(0)
        .stderr_contains(&["warning: MSCOMMERCE_TOKEN"]);
}
