//! The precedence of credentials.

use serde_json::{Value, json};

use super::*;
use crate::support::fixtures::{HOME_TOKEN, LIST_NOTE, LIST_PRODUCTS, POWER_BI};
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, CLIENT_ID, CUSTOMER_TENANT};

#[test]
fn credential_variables_have_fixed_precedence() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    trust_github(&env);
    let pem = env.write("app.pem", both(&registered(&env)));
    let token = env.write("token", issued());
    let mut credentials = vec![WITH_SECRET, (CERTIFICATE, pem.as_str()), (FEDERATED, token.as_str())];
    for expected in [APP_SECRET, APP_ID, ISSUER, GITHUB_ISSUER] {
        env.tenant.forget_requests();
        let variables = on_github_with(&env, &credentials);
        run(&env, &variables, &["products", "list"]).assert_code(0);
        assert_eq!(client_auth_used(&env), expected);
        // An empty variable counts as unset.
        if let Some(first) = credentials.iter_mut().find(|(_, value)| !value.is_empty()) {
            first.1 = "";
        }
    }
}

#[test]
fn failing_credential_does_not_fall_through() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = env.write("token", issued());
    let missing = text_of(env.home().join("missing.pem"));
    cli_snapshot!(list_with(&env, &[(CERTIFICATE, &missing), (FEDERATED, &token)]), @"
    exit_code: 4
    ----- stderr -----
    error: could not read the certificate [TMP]/missing.pem: [OS ERROR]
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: check AZURE_CLIENT_CERTIFICATE_PATH
    ");
    assert!(env.request_lines().is_empty());
    env.tenant.expire_app_secret();
    list_with(&env, &[WITH_SECRET, (FEDERATED, &token)]).assert_code(4).stdout_is_empty();
    assert_eq!(env.request_lines(), [HOME_TOKEN]);
}

#[test]
fn token_variable_then_application_then_cache() {
    let env = TestEnv::signed_in();
    let ready = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    let mut variables = app_with(&[WITH_SECRET]);

    let mut with_token = variables.clone();
    with_token.push(("MSCOMMERCE_TOKEN", ready.clone()));
    run(&env, &with_token, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(env.tenant.requests()[0].bearer(), Some(ready.as_str()));
    let status = cli_snapshot!(run(&env, &with_token, &["status", "-o", "json"]), @r#"
    exit_code: 0
    ----- stdout -----
    {
      "profile": null,
      "account": "admin@contoso.example",
      "tenantId": "22222222-2222-4222-8222-222222222222",
      "method": "token",
      "source": "environment",
      "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
      "roles": [],
      "expiresAt": "[TIME]"
    }
    ----- stderr -----
    The token in MSCOMMERCE_TOKEN takes precedence over saved sign-ins.
    "#);
    assert_eq!(identity(&status), ["token", "environment", CLIENT_ID, CUSTOMER_TENANT]);

    env.tenant.forget_requests();
    let saved = env.cache();
    run(&env, &variables, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    let status = run(&env, &variables, &["status", "-o", "json"]).assert_code(0);
    assert_eq!(identity(&status), ["application", "environment", APP_ID, HOME_TENANT]);
    assert_eq!(env.cache(), saved, "the cache is unchanged");

    env.tenant.forget_requests();
    variables.clear();
    run(&env, &variables, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    let status = run(&env, &variables, &["status", "-o", "json"]).assert_code(0);
    assert_eq!(identity(&status), ["password", "saved-sign-in", CLIENT_ID, HOME_TENANT]);
}

fn identity(status: &CliResult) -> [String; 4] {
    let status = status.json();
    ["method", "source", "clientId", "tenantId"].map(|name| status[name].as_str().unwrap().to_owned())
}

#[test]
fn token_variable_ignores_invalid_application() {
    let env = TestEnv::new();
    let ready = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for variables in [
        app_with(&[(CERTIFICATE, "/nowhere/app.pem")]),
        app_with(&[WITH_SECRET, ("AZURE_TENANT_ID", "not a tenant")]),
        on_github_with(&env, &[(GITHUB_URL, "not a URL")]),
    ] {
        env.tenant.forget_requests();
        let variables = [variables, vec![("MSCOMMERCE_TOKEN", ready.clone())]].concat();
        let result = run(&env, &variables, &["products", "list"]).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE);
        run(&env, &variables, &["status"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    }
}

#[test]
fn profile_flag_is_refused_if_another_credential_takes_precedence() {
    let env = TestEnv::signed_in();
    let token = vec![("MSCOMMERCE_TOKEN", env.tenant.issue_token(ADMIN, HOME_TENANT, 3600))];
    env.tenant.forget_requests();
    for (source, variables) in
        [("the application in the environment", app_with(&[WITH_SECRET])), ("the token in MSCOMMERCE_TOKEN", token)]
    {
        let error = format!("error: --profile default: {source} takes precedence over saved sign-ins\n");
        for command in [&["status"][..], &["product", "update", POWER_BI, "--value", "disabled"]] {
            let result = run(&env, &variables, &[command, &["--profile", "default"]].concat());
            result.assert_code(2).stderr_contains(&[&error]);
        }
        assert!(env.request_lines().is_empty());
        // A variable sets a default for all commands, and is not an error.
        let variables = [variables, vec![("MSCOMMERCE_PROFILE", "default".to_owned())]].concat();
        let status = run(&env, &variables, &["status", "-o", "json"]).assert_code(0).json();
        assert_eq!((&status["source"], &status["profile"]), (&json!("environment"), &Value::Null));
        let variables = [variables, vec![("MSCOMMERCE_PROFILE", "lab".to_owned())]].concat();
        let result = run(&env, &variables, &["product", "get", "Nope"]).assert_code(1);
        result.stderr_contains(&["hint: mscommerce product list\n"]);
        env.tenant.forget_requests();
    }
}

#[test]
fn connect_fails_if_application_is_set() {
    let env = TestEnv::new();
    let github = env.tenant.github_oidc();
    let [url, token] = &github;
    let mut transcript = Transcript::default();
    for (name, credential) in [
        (SECRET, &[WITH_SECRET][..]),
        (CERTIFICATE, &[(CERTIFICATE, "/nowhere/app.pem")]),
        (FEDERATED, &[(FEDERATED, "/nowhere/token")]),
        (GITHUB_URL, &[(url.0, url.1.as_str()), (token.0, token.1.as_str())]),
    ] {
        for method in [
            &[][..],
            &["--device-code"],
            &["--username", ADMIN, "--password-stdin"],
            &["--with-token"],
            &["--tenant", CUSTOMER_TENANT],
        ] {
            let result = run(&env, &app_with(credential), &[&["connect"], method].concat());
            transcript.push(format!("{name}, connect {}", method.first().unwrap_or(&"")), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== AZURE_CLIENT_SECRET, connect  =====
    ===== AZURE_CLIENT_SECRET, connect --device-code =====
    ===== AZURE_CLIENT_SECRET, connect --username =====
    ===== AZURE_CLIENT_SECRET, connect --with-token =====
    ===== AZURE_CLIENT_SECRET, connect --tenant =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET are set and take precedence over saved sign-ins
    hint: run other commands without connect, or save a sign-in as this application: mscommerce connect --application
    hint: unset AZURE_CLIENT_ID to sign in as a user, then run connect again
    ===== AZURE_CLIENT_CERTIFICATE_PATH, connect  =====
    ===== AZURE_CLIENT_CERTIFICATE_PATH, connect --device-code =====
    ===== AZURE_CLIENT_CERTIFICATE_PATH, connect --username =====
    ===== AZURE_CLIENT_CERTIFICATE_PATH, connect --with-token =====
    ===== AZURE_CLIENT_CERTIFICATE_PATH, connect --tenant =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_CERTIFICATE_PATH are set and take precedence over saved sign-ins
    hint: run other commands without connect, or save a sign-in as this application: mscommerce connect --application
    hint: unset AZURE_CLIENT_ID to sign in as a user, then run connect again
    ===== AZURE_FEDERATED_TOKEN_FILE, connect  =====
    ===== AZURE_FEDERATED_TOKEN_FILE, connect --device-code =====
    ===== AZURE_FEDERATED_TOKEN_FILE, connect --username =====
    ===== AZURE_FEDERATED_TOKEN_FILE, connect --with-token =====
    ===== AZURE_FEDERATED_TOKEN_FILE, connect --tenant =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE are set and take precedence over saved sign-ins
    hint: run other commands without connect, or save a sign-in as this application: mscommerce connect --application
    hint: unset AZURE_CLIENT_ID to sign in as a user, then run connect again
    ===== ACTIONS_ID_TOKEN_REQUEST_URL, connect  =====
    ===== ACTIONS_ID_TOKEN_REQUEST_URL, connect --device-code =====
    ===== ACTIONS_ID_TOKEN_REQUEST_URL, connect --username =====
    ===== ACTIONS_ID_TOKEN_REQUEST_URL, connect --with-token =====
    ===== ACTIONS_ID_TOKEN_REQUEST_URL, connect --tenant =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_CLIENT_ID, AZURE_TENANT_ID and ACTIONS_ID_TOKEN_REQUEST_URL are set and take precedence over saved sign-ins
    hint: run other commands without connect, or save a sign-in as this application: mscommerce connect --application
    hint: unset AZURE_CLIENT_ID to sign in as a user, then run connect again
    ");
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

#[test]
fn connect_works_with_incomplete_application() {
    for variables in [&APP[..], &[APP[0], WITH_SECRET], &[APP[1], WITH_SECRET], &[WITH_SECRET]] {
        let env = TestEnv::new();
        let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
        command.envs(variables.iter().copied());
        TestEnv::run_command_with_stdin(command, crate::tenant::PASSWORD).assert_code(0);
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["method"], "password");
    }
}

#[test]
fn disconnect_warns_about_application_variables() {
    let env = TestEnv::signed_in();
    cli_snapshot!(run(&env, &app_with(&[WITH_SECRET]), &["disconnect"]), @"
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    warning: AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET are still set, so commands still sign in as this application; unset them to stop this
    ");
}
