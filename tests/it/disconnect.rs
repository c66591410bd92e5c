//! `disconnect` removes every trace of a credential.

use std::fs;
use std::path::PathBuf;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, HOME_TENANT, PASSWORD, READER};

fn connect(env: &TestEnv, user: &str, profile: &str) -> CliResult {
    let arguments = ["connect", "--username", user, "--password-stdin", "--profile", profile];
    env.run_with_stdin(&arguments, PASSWORD).assert_code(0)
}

#[track_caller]
fn assert_removed(env: &TestEnv, secrets: &[String]) {
    for secret in secrets {
        assert_eq!(env.files_containing(secret), Vec::<PathBuf>::new());
    }
}

#[test]
fn disconnect_removes_all_secrets() {
    let env = TestEnv::signed_in();
    env.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let secrets = env.cached_tokens();
    assert_eq!(secrets.len(), 3);
    env.tenant.forget_requests();
    cli_snapshot!(env.run(&["disconnect"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    ");
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
    assert_removed(&env, &secrets);
    assert_removed(&env, &[ADMIN.to_owned()]);
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
}

#[test]
fn logout_is_an_alias_of_disconnect() {
    let env = TestEnv::signed_in();
    cli_snapshot!(env.run(&["logout"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    ");
    env.run(&["status"]).assert_code(4);
}

#[test]
fn disconnect_keeps_other_profiles() {
    let env = TestEnv::signed_in();
    let gone = env.cached_tokens();
    connect(&env, READER, "lab");
    let kept = env.cache()["profiles"]["lab"].clone();
    cli_snapshot!(env.run(&["disconnect"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    ");
    assert_removed(&env, &gone);
    let saved = env.cache();
    assert_eq!(saved["profiles"]["lab"], kept);
    assert_eq!(saved["profiles"].as_object().unwrap().len(), 1);
    cli_snapshot!(env.run(&["disconnect", "--profile", "lab"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: lab.
    ");
    assert!(!env.cache_path().exists());
}

#[test]
fn disconnect_all_removes_every_profile() {
    let env = TestEnv::signed_in();
    connect(&env, READER, "lab");
    let secrets = env.cached_tokens();
    cli_snapshot!(env.run(&["disconnect", "--all"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: default, lab.
    ");
    assert_removed(&env, &secrets);
    env.run(&["disconnect", "--all", "--profile", "lab"]).assert_code(2);
    // MSCOMMERCE_PROFILE does not conflict with --all.
    connect(&env, READER, "lab");
    env.run_with_env(&[("MSCOMMERCE_PROFILE", "other")], &["disconnect", "--all"]).assert_code(0);
    assert!(!env.cache_path().exists());
}

#[test]
fn disconnect_unknown_profile_lists_profiles() {
    let env = TestEnv::signed_in();
    connect(&env, READER, "lab");
    let before = env.cache();
    cli_snapshot!(env.run(&["disconnect", "--profile", "lb"]), @"
    exit_code: 1
    ----- stderr -----
    error: profile 'lb' is not signed in
      profiles that are signed in: default, lab
    hint: choose one with --profile, or sign out of all with --all
    ");
    assert_eq!(env.cache(), before);
}

#[test]
fn disconnect_without_credential_fails() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for arguments in [&["disconnect"][..], &["disconnect", "--all"], &["disconnect", "--profile", "lab"]] {
        transcript.push(arguments.join(" "), env.run(arguments));
    }
    cli_snapshot!(transcript, @"
    ===== disconnect =====
    exit_code: 1
    ----- stderr -----
    error: not signed in
    ===== disconnect --all =====
    exit_code: 0
    ----- stderr -----
    Not signed in.
    ===== disconnect --profile lab =====
    exit_code: 1
    ----- stderr -----
    error: not signed in
    ");
    assert!(!env.state_dir().exists(), "reading creates no files");
    env.sign_in(ADMIN);
    for code in [0, 1] {
        env.run(&["disconnect"]).assert_code(code);
        env.run(&["disconnect", "--profile", "nope"]).assert_code(1);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn disconnect_removes_quarantined_and_stale_files() {
    let env = TestEnv::signed_in();
    let (secrets, whole) = (env.cached_tokens(), env.cache().to_string().into_bytes());
    // A temporary file of a killed process, and a truncated file that is quarantined.
    fs::write(env.state_dir().join(".sign-ins-Ab12Cd"), &whole).unwrap();
    fs::write(env.cache_path(), &whole[..whole.len() - 10]).unwrap();
    env.run(&["status"]).assert_code(4);
    assert_eq!(env.files_containing(&secrets[0]).len(), 1);
    connect(&env, READER, "default");
    cli_snapshot!(env.run(&["disconnect"]), @"
    exit_code: 0
    ----- stderr -----
    Removed damaged sign-in files.
    Signed out: default.
    ");
    assert_removed(&env, &secrets);
}

#[test]
fn disconnect_removes_leftovers_without_credential() {
    let env = TestEnv::signed_in();
    let (secrets, whole) = (env.cached_tokens(), fs::read(env.cache_path()).unwrap());
    fs::write(env.cache_path(), &whole[..whole.len() - 10]).unwrap();
    env.run(&["disconnect"]).assert_code(0);
    assert_removed(&env, &secrets);
}

#[test]
fn disconnect_keeps_unrelated_files() {
    let env = TestEnv::signed_in();
    for name in ["notes.txt", "sign-ins.json.bak", ".sign-in"] {
        fs::write(env.state_dir().join(name), "mine").unwrap();
    }
    env.run(&["disconnect", "--all"]).assert_code(0);
    assert_eq!(env.files_containing("mine").len(), 3);
}

#[test]
fn disconnect_warns_about_token_variable() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["disconnect"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    warning: MSCOMMERCE_TOKEN is still set, so commands still use this token; unset it to stop this
    ");
    assert!(!env.cache_path().exists());
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["disconnect"]), @"
    exit_code: 1
    ----- stderr -----
    warning: MSCOMMERCE_TOKEN is still set, so commands still use this token; unset it to stop this
    error: not signed in
    ");
}
