//! No token, code, password or verifier of a user's sign-in is shown, and nothing but the tokens is saved.
//! `application/secrecy.rs` tests the credentials of applications.

use std::collections::BTreeSet;

use crate::connect_browser::BrowserSignIn;
use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::POWER_BI;
use crate::tenant::{ADMIN, BrowserResponse, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, Response};

/// Every command, in an order in which each one has an effect.
pub(crate) const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["status", "--all"],
    &["policy", "list"],
    &["policy", "get"],
    &["product", "list"],
    &["product", "list", "--tenant", CUSTOMER_TENANT],
    &["product", "get", POWER_BI],
    &["api", "v1.0/policies"],
    &["product", "update", POWER_BI, "--value", "disabled"],
    &["product", "update", "--all", "--value", "disabled", "--yes"],
    &["baseline", "export", "--file", "baseline.toml"],
    &["baseline", "check", "baseline.toml"],
    &["undo", "--yes"],
    &["baseline", "apply", "baseline.toml", "--yes"],
    &["history"],
    &["completions", "bash"],
    &["man"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &["disconnect"],
];

/// The secret fields of a token request.
const SECRET_FIELDS: [&str; 5] = ["code", "code_verifier", "device_code", "password", "refresh_token"];

/// All secrets so far.
fn secrets(env: &TestEnv) -> BTreeSet<String> {
    let mut secrets: BTreeSet<String> = env.tenant.issued_secrets().into_iter().collect();
    for (_, form) in env.token_requests() {
        secrets.extend(SECRET_FIELDS.iter().filter_map(|name| form.get(*name).cloned()));
    }
    secrets.insert(PASSWORD.to_owned());
    secrets
}

/// The secret and the segments of a token. The first segment is the same for all tokens.
fn parts(secret: &str) -> impl Iterator<Item = &str> {
    std::iter::once(secret).chain(secret.split('.').skip(1)).filter(|part| part.len() > 8)
}

#[track_caller]
fn assert_not_leaked(env: &TestEnv, what: &[&str], result: &CliResult) {
    let saved = if env.cache_path().exists() { env.cached_tokens() } else { Vec::new() };
    for secret in secrets(env) {
        for part in parts(&secret) {
            let is_shown = result.stdout.contains(part) || result.stderr.contains(part);
            assert!(!is_shown, "{what:?} shows {part}\n{}\n{}", result.stdout, result.stderr);
        }
        let mut files = env.files_containing(&secret);
        // The cache may contain them. On Windows it is encrypted.
        files.retain(|file| !(saved.contains(&secret) && *file == env.cache_path()));
        assert!(files.is_empty(), "{what:?} leaves {secret} in {files:?}");
    }
}

fn run(env: &TestEnv, command: &[&str]) -> CliResult {
    let mut command = env.command(&[command, &["-vvv"]].concat());
    command.current_dir(env.home()).output().unwrap().into()
}

/// Runs every command and checks its exit code.
fn run_all(env: &TestEnv, is_expected: impl Fn(&str, i32) -> bool) {
    for command in COMMANDS {
        let result = run(env, command);
        assert!(is_expected(command[0], result.code), "{command:?} exits with {}\n{}", result.code, result.stderr);
        assert_not_leaked(env, command, &result);
    }
}

fn connect_with_password(env: &TestEnv) {
    let arguments = ["connect", "--username", ADMIN, "--password-stdin", "-vvv"];
    let result = env.run_with_stdin(&arguments, PASSWORD).assert_code(0);
    assert_not_leaked(env, &arguments, &result);
}

#[test]
fn every_command_is_covered() {
    let env = TestEnv::new();
    let commands_of = |path: &[&str]| -> Vec<String> {
        let help = env.run(&[path, &["--help"]].concat()).assert_code(0).stdout;
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    let tested_elsewhere = ["connect", "help"];
    for name in commands_of(&[]).iter().filter(|name| !tested_elsewhere.contains(&name.as_str())) {
        let below = commands_of(&[name]);
        for sub in below.iter().filter(|name| *name != "help") {
            assert!(COMMANDS.iter().any(|covered| covered.starts_with(&[name, sub])), "{name} {sub} is not covered");
        }
        assert!(COMMANDS.iter().any(|covered| covered[0] == name), "{name} is not covered");
    }
}

#[test]
fn no_secret_in_output_after_browser_sign_in() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &["-vvv"]);
    let BrowserResponse { body, .. } = waiting.sign_in();
    let result = waiting.finish().assert_code(0);
    assert_not_leaked(&env, &["connect"], &result);
    assert_not_leaked(&env, &["landing page"], &CliResult { code: 0, stdout: body, stderr: String::new() });
    run_all(&env, |_, code| code == 0);
}

#[test]
fn no_secret_in_output_after_device_code_sign_in() {
    let env = TestEnv::new();
    let result = env.run(&["connect", "--device-code", "-vvv"]).assert_code(0);
    assert_not_leaked(&env, &["connect"], &result);
    run_all(&env, |_, code| code == 0);
}

#[test]
fn no_secret_in_output_after_token_refresh() {
    let env = TestEnv::new();
    connect_with_password(&env);
    // Each command refreshes and gets a new refresh token.
    for command in COMMANDS {
        if env.cache_path().exists() {
            env.expire_tokens_soon();
        }
        let result = run(&env, command).assert_code(0);
        assert_not_leaked(&env, command, &result);
    }
}

#[test]
fn no_secret_in_output_with_access_token() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let result = env.run_with_stdin(&["connect", "--with-token", "-vvv"], &token).assert_code(0);
    assert_not_leaked(&env, &["connect"], &result);
    run_all(&env, |name, code| [0, 4].contains(&code) || (name == "doctor" && code == 1));
    for command in COMMANDS.iter().filter(|command| !command.contains(&"--tenant")) {
        let mut run = env.command(&[command, &["-vvv"][..]].concat());
        let result: CliResult = run.env("MSCOMMERCE_TOKEN", &token).current_dir(env.home()).output().unwrap().into();
        assert_not_leaked(&env, command, &result);
    }
}

#[test]
fn no_secret_in_output_on_oauth_error() {
    let env = TestEnv::new();
    connect_with_password(&env);
    env.expire_tokens_soon();
    env.tenant.revoke_refresh_tokens();
    run_all(&env, |name, code| match name {
        "status" | "history" | "completions" | "man" | "disconnect" => code == 0,
        // There is no baseline file and no history.
        "baseline" | "undo" => [1, 2, 4].contains(&code),
        "doctor" => code == 1,
        _ => code == 4,
    });
}

#[test]
fn no_secret_in_output_on_echoed_request() {
    for status in [200, 400, 401, 403, 404, 500, 503] {
        let env = TestEnv::new();
        connect_with_password(&env);
        let token = &env.cached_tokens()[0];
        for body in [format!("You sent: Bearer {token}"), format!("{{\"reason\":\"Bearer {token}\",\"items\":[]}}")] {
            env.tenant.fail_times(99, "/v1.0/", Response::text(status, "application/json", &body));
            let result = run(&env, &["products", "list", "-o", "json"]);
            assert_ne!(result.code, 0, "{status} {body}");
            assert!(
                !result.stderr.contains(token.as_str()) && !result.stdout.contains(token.as_str()),
                "{}",
                result.stderr
            );
            assert_not_leaked(&env, &["products", "list"], &result);
        }
    }
}

#[test]
fn no_secret_in_output_on_invalid_token_response() {
    for body in ["{\"access_token\":\"a-token-in-odd-json\"", "[\"a-token-in-odd-json\"]", "\"a-token-in-odd-json\""] {
        let env = TestEnv::new();
        connect_with_password(&env);
        env.expire_tokens_soon();
        env.tenant.fail_times(99, "/oauth2/v2.0/token", Response::text(200, "application/json", body));
        let result = run(&env, &["products", "list"]).assert_code(1);
        assert!(!result.stderr.contains("a-token-in-odd-json"), "{}", result.stderr);
        assert_not_leaked(&env, &["products", "list"], &result);
    }
}

#[test]
fn no_secret_in_output_on_damaged_cache() {
    let env = TestEnv::signed_in();
    let secrets = env.cached_tokens();
    let saved = env.cache().to_string();
    for cut in [saved.len() / 3, saved.len() / 2, saved.len() - 2] {
        std::fs::write(env.cache_path(), &saved[..cut]).unwrap();
        for command in [&["status"][..], &["products", "list"]] {
            let result = run(&env, command).assert_code(4);
            for secret in &secrets {
                assert!(!result.stderr.contains(secret) && !result.stdout.contains(secret), "{}", result.stderr);
            }
        }
    }
}
