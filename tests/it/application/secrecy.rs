//! No secret, key, assertion or token is shown, and nothing but the access token is saved.

use serde_json::json;

use super::certificates::encrypted_key;
use super::*;
use crate::tenant::{Received, Response};

const CERTIFICATE_PASSPHRASE: &str = "the-password-of-the-file";
const COMMANDS: [&[&str]; 5] = [
    &["products", "list", "-vvv"],
    &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "-vvv"],
    &["status", "-vvv"],
    &["connect", "--application", "-vvv"],
    &["disconnect", "-vvv"],
];

/// An environment, credentials in files outside its home directory, and everything that must stay secret.
struct SecretsCheck {
    env: TestEnv,
    credentials: Vec<(&'static str, Variables)>,
    secrets: Vec<String>,
    _files: tempfile::TempDir,
}

impl SecretsCheck {
    fn new() -> Self {
        let (env, files) = (TestEnv::new(), tempfile::tempdir().unwrap());
        trust_the_issuer(&env);
        trust_github(&env);
        let (certificate, token) = (registered(&env), issued());
        let encrypted = encrypted_key(&certificate, CERTIFICATE_PASSPHRASE);
        let write = |name: &str, content: Vec<u8>| write_to(files.path(), name, content);
        let pem = write("app.pem", both(&certificate).into());
        let locked = write("locked.pem", (encrypted.clone() + &certificate.certificate_pem()).into());
        let pfx = write("app.pfx", certificate.pfx(CERTIFICATE_PASSPHRASE, true));
        let federated = write("token", token.clone().into());
        let word = (CERTIFICATE_PASSWORD, CERTIFICATE_PASSPHRASE);
        let credentials = vec![
            ("secret", app_with(&[WITH_SECRET])),
            ("certificate", app_with(&[(CERTIFICATE, &pem)])),
            ("locked certificate", app_with(&[(CERTIFICATE, &locked), word])),
            ("PFX", app_with(&[(CERTIFICATE, &pfx), word])),
            ("federated", app_with(&[(FEDERATED, &federated)])),
            ("GitHub", on_github(&env)),
        ];
        let mut secrets = vec![APP_SECRET.to_owned(), CERTIFICATE_PASSPHRASE.to_owned(), token];
        let [_, (_, request_token)] = env.tenant.github_oidc();
        secrets.push(request_token);
        for key in [certificate.key_pem(), certificate.key_pkcs1_pem(), encrypted] {
            // Every line of a key is secret.
            secrets.extend(key.lines().filter(|line| line.len() > 20 && !line.starts_with("--")).map(str::to_owned));
        }
        Self { env, credentials, secrets, _files: files }
    }

    /// The assertions and access tokens sent so far, which must stay secret as well.
    fn sent_secrets(&self) -> (Vec<String>, Vec<String>) {
        let requests = self.env.tenant.requests();
        let is_service = |request: &&Received| request.path.starts_with("/v1.0");
        let tokens = requests.iter().filter(is_service).filter_map(Received::bearer).map(str::to_owned);
        (self.env.tenant.assertions(), tokens.collect())
    }

    #[track_caller]
    fn assert_not_leaked(&self, name: &str, result: &CliResult) {
        let (assertions, tokens) = self.sent_secrets();
        // Not even one segment of a token.
        for secret in self.secrets.iter().chain(&assertions) {
            let parts: Vec<&str> = secret.split('.').filter(|part| part.len() > 20).collect();
            for part in parts.iter().copied().chain([secret.as_str()]) {
                let is_shown = result.stdout.contains(part) || result.stderr.contains(part);
                assert!(!is_shown, "{name}: {part} is shown\n{}", result.stderr);
            }
            assert_eq!(self.env.files_containing(secret), Vec::<PathBuf>::new(), "{name}: {secret}");
        }
        for token in tokens {
            assert!(!result.stdout.contains(&token) && !result.stderr.contains(&token), "{name}\n{}", result.stderr);
            let files = self.env.files_containing(&token);
            assert!(files.iter().all(|file| *file == self.env.cache_path()), "{name}: {files:?}");
        }
    }

    /// Runs every command with every credential.
    fn run_all(&self, is_expected: impl Fn(&[&str], i32) -> bool) {
        for (name, variables) in &self.credentials {
            for command in COMMANDS {
                let result = run(&self.env, variables, command);
                assert!(is_expected(command, result.code), "{name} {command:?} {}\n{}", result.code, result.stderr);
                self.assert_not_leaked(name, &result);
            }
        }
    }
}

#[test]
fn no_secret_in_output_on_success() {
    let check = SecretsCheck::new();
    check.run_all(|_, code| code == 0);
    let saved_by_connect = run(&check.env, &check.credentials[1].1, &["connect", "--application"]).assert_code(0);
    check.assert_not_leaked("connect", &saved_by_connect);
    assert_eq!(check.env.cached_tokens().len(), 1);
    let result = check.env.run(&["products", "list", "-vvv"]).assert_code(0);
    check.assert_not_leaked("saved", &result);
}

#[test]
fn no_secret_in_output_on_oauth_error() {
    let check = SecretsCheck::new();
    check.env.tenant.remove_app_from(HOME_TENANT);
    check.run_all(|command, code| match command[0] {
        "status" => code == 0,
        // There is no sign-in to remove.
        "disconnect" => code == 1,
        _ => code == 4,
    });
}

#[test]
fn no_secret_in_output_on_api_error() {
    let check = SecretsCheck::new();
    check.env.tenant.set_app_accepted(false);
    check.run_all(|command, code| code == if command[0].starts_with("product") { 4 } else { 0 });
    check.env.tenant.set_app_accepted(true);
    check.env.tenant.grant_app(&[]);
    check.run_all(|command, code| code == i32::from(command[0].starts_with("product")));
}

#[test]
fn no_secret_in_output_on_invalid_token_response() {
    let check = SecretsCheck::new();
    for (name, variables) in &check.credentials {
        // A token response in invalid JSON must not be shown.
        for body in ["{\"access_token\":\"a-token-in-odd-json\"", "[\"a-token-in-odd-json\"]"] {
            check.env.tenant.fail_next("/oauth2/v2.0/token", Response::text(200, "application/json", body));
            let result = run(&check.env, variables, &["products", "list", "-vvv"]).assert_code(1);
            assert!(!result.stderr.contains("a-token-in-odd-json"), "{name}\n{}", result.stderr);
            check.assert_not_leaked(name, &result);
        }
    }
}

#[test]
fn no_secret_in_output_on_wrong_password() {
    let check = SecretsCheck::new();
    let word = (CERTIFICATE_PASSWORD, "a-wrong-word-for-it");
    for (name, variables) in &check.credentials {
        let variables: Variables = [variables.clone(), vec![(word.0, word.1.to_owned())]].concat();
        let result = run(&check.env, &variables, &["products", "list", "-vvv"]);
        let is_locked = variables.iter().any(|(_, value)| value == CERTIFICATE_PASSPHRASE);
        assert_eq!(result.code, if is_locked { 4 } else { 0 }, "{name}\n{}", result.stderr);
        assert!(!result.stderr.contains(word.1), "{name}\n{}", result.stderr);
        check.assert_not_leaked(name, &result);
    }
}

#[test]
fn response_echoing_the_secret_is_redacted() {
    let env = TestEnv::new();
    let encoded = form_urlencoded::byte_serialize(APP_SECRET.as_bytes()).collect::<String>();
    for echoed in [APP_SECRET, &encoded] {
        for (status, kind) in [(502, "text/html"), (400, "application/json"), (403, "text/plain")] {
            let body = format!("<html>You sent client_secret={echoed}&scope=x</html>");
            env.tenant.fail_next("/token", Response::text(status, kind, body));
            let result = run(&env, &app_with(&[WITH_SECRET]), &["products", "list", "-vvv"]);
            let result = result.stdout_is_empty().stderr_contains(&[&status.to_string(), "[redacted]"]);
            assert_ne!(result.code, 0);
            assert!(!result.stderr.contains(echoed), "{}", result.stderr);
        }
    }
    let body = json!({ "error": "invalid_grant", "error_description": format!("No: {APP_SECRET}") });
    env.tenant.fail_next("/token", Response::json(400, &body));
    let result = run(&env, &app_with(&[WITH_SECRET]), &["products", "list"]).stdout_is_empty();
    assert!(!result.stderr.contains(APP_SECRET), "{}", result.stderr);
}
