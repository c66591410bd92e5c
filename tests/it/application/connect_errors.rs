//! `connect --application` with flags that do not fit.

use super::*;
use crate::tenant::ADMIN;

/// Refused as wrong usage, without a request.
#[track_caller]
fn expect_usage(variables: &[(&str, &str)], flags: &[&str], input: &str, said: &[&str]) {
    let env = TestEnv::new();
    let mut command = env.command(&[&["connect"], flags].concat());
    command.envs(variables.iter().copied());
    let result = TestEnv::run_command_with_stdin(command, input).assert_code(2).stdout_is_empty().stderr_contains(said);
    assert!(!result.stderr.contains(APP_SECRET), "{}", result.stderr);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

const NAMED: [&str; 5] = ["--application", "--client-id", APP_ID, "--tenant", HOME_TENANT];

#[test]
fn a_missing_application_is_asked_for() {
    let flags = ["--application", "--tenant", HOME_TENANT, "--client-secret-stdin"];
    expect_usage(&[], &flags, APP_SECRET, &["--client-id", "AZURE_CLIENT_ID", "hint: "]);
    // Another's id does not serve in its place.
    expect_usage(&[("MSCOMMERCE_CLIENT_ID", APP_ID)], &flags, APP_SECRET, &["--client-id", "AZURE_CLIENT_ID"]);
    expect_usage(&[], &[&flags[..], &["--client-id", ""]].concat(), APP_SECRET, &["--client-id"]);
}

#[test]
fn a_missing_tenant_is_asked_for() {
    let flags = ["--application", "--client-id", APP_ID, "--client-secret-stdin"];
    expect_usage(&[], &flags, APP_SECRET, &["--tenant", "AZURE_TENANT_ID", "hint: "]);
    for wrong in ["organizations", "common", "contoso"] {
        expect_usage(&[], &[&flags[..], &["--tenant", wrong]].concat(), APP_SECRET, &["--tenant", wrong]);
        expect_usage(&[("AZURE_TENANT_ID", wrong)], &flags, APP_SECRET, &["AZURE_TENANT_ID", wrong]);
    }
}

#[test]
fn a_missing_proof_is_asked_for() {
    let ways = ["--client-secret-stdin", "--certificate", "--federated-token-file", "--github-oidc", SECRET];
    expect_usage(&[], &NAMED, "", &ways);
    expect_usage(&APP, &["--application"], "", &ways);
    // A password opens nothing by itself.
    expect_usage(&[(CERTIFICATE_PASSWORD, "a password")], &NAMED, "", &ways);
}

#[test]
fn two_proofs_at_once_are_refused() {
    let proofs: [&[&str]; 4] = [
        &["--client-secret-stdin"],
        &["--certificate", "app.pem"],
        &["--federated-token-file", "token"],
        &["--github-oidc"],
    ];
    for (index, first) in proofs.iter().enumerate() {
        for second in &proofs[index + 1..] {
            expect_usage(&[], &[&NAMED, *first, *second].concat(), APP_SECRET, &[first[0], second[0]]);
        }
    }
}

#[test]
fn a_proof_without_the_application_is_refused() {
    let rest = &NAMED[1..];
    for proof in [
        &["--client-secret-stdin"][..],
        &["--certificate", "app.pem"],
        &["--federated-token-file", "token"],
        &["--github-oidc"],
    ] {
        expect_usage(&[], &[rest, proof].concat(), APP_SECRET, &["--application"]);
        expect_usage(&[], &[rest, proof, &["--device-code"]].concat(), APP_SECRET, &["--application"]);
    }
}

#[test]
fn an_application_is_no_person() {
    for way in [
        &["--device-code"][..],
        &["--username", ADMIN],
        &["--with-token"],
        &["--redirect-port", "8400"],
        &["--no-browser"],
    ] {
        expect_usage(&[], &[&NAMED[..], &["--client-secret-stdin"], way].concat(), APP_SECRET, &[way[0]]);
    }
}

#[test]
fn what_is_no_secret_is_not_sent_and_not_repeated() {
    for input in ["", "\n", " \r\n ", "two words of-a-secret", "one-secret\nanother-secret"] {
        let why = if input.trim().is_empty() { "empty" } else { "one word" };
        let env = TestEnv::new();
        let result = connect(&env, &["--client-secret-stdin", "-vvv"], input).assert_code(2).stdout_is_empty();
        let result = result.stderr_contains(&[why]);
        assert!(
            !result.stderr.contains("of-a-secret") && !result.stderr.contains("another-secret"),
            "{}",
            result.stderr
        );
        assert!(env.request_lines().is_empty());
    }
}

#[test]
fn a_token_in_the_environment_is_named_as_what_outranks_it() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let variables = [APP[0], APP[1], WITH_SECRET, ("MSCOMMERCE_TOKEN", &token)];
    let result = env.run_with_env(&variables, &["connect", "--application"]).assert_code(2).stdout_is_empty();
    result.stderr_contains(&["MSCOMMERCE_TOKEN", "hint: "]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_refused_sign_in_leaves_the_one_before_it() {
    let env = connected();
    let before = env.cache();
    connect(&env, &["--client-secret-stdin"], "wrong").assert_code(4).stdout_is_empty();
    assert_eq!(env.cache(), before);
}

#[test]
fn several_tenants_are_too_many() {
    let flags = [&NAMED[..], &["--tenant", crate::tenant::CUSTOMER_TENANT, "--client-secret-stdin"]].concat();
    expect_usage(&[], &flags, APP_SECRET, &["--tenant"]);
}
