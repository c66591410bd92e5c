//! Which credential serves where there are several.

use serde_json::Value;

use super::*;
use crate::support::fixtures::{HOME_TOKEN, LIST_PRODUCTS};
use crate::tenant::{ADMIN, CLIENT_ID, CUSTOMER_TENANT};

#[test]
fn a_secret_comes_before_a_certificate_before_a_federated_token_before_github() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    trust_github(&env);
    let pem = env.write("app.pem", both(&registered(&env)));
    let token = env.write("token", issued());
    let mut proofs = vec![WITH_SECRET, (CERTIFICATE, pem.as_str()), (FEDERATED, token.as_str())];
    for expected in [APP_SECRET, APP_ID, ISSUER, GITHUB_ISSUER] {
        env.tenant.forget_requests();
        let variables = on_github_with(&env, &proofs);
        run(&env, &variables, &["products", "list"]).assert_code(0);
        assert_eq!(kind_of_proof(&env), expected);
        // The next is found where this one is empty.
        if let Some(first) = proofs.iter_mut().find(|(_, value)| !value.is_empty()) {
            first.1 = "";
        }
    }
}

#[test]
fn what_comes_first_is_not_passed_over_because_it_fails() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = env.write("token", issued());
    let missing = text_of(env.home().join("missing.pem"));
    list_with(&env, &[(CERTIFICATE, &missing), (FEDERATED, &token)])
        .assert_code(4)
        .stdout_is_empty()
        .stderr_contains(&["missing.pem", CERTIFICATE]);
    assert!(env.request_lines().is_empty());
    env.tenant.expire_app_secret();
    list_with(&env, &[WITH_SECRET, (FEDERATED, &token)]).assert_code(4).stdout_is_empty();
    assert_eq!(env.request_lines(), [HOME_TOKEN]);
}

#[test]
fn a_ready_token_comes_before_the_application_and_that_before_who_is_signed_in() {
    let env = TestEnv::signed_in();
    let ready = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    let mut variables = app_with(&[WITH_SECRET]);

    let mut with_token = variables.clone();
    with_token.push(("MSCOMMERCE_TOKEN", ready.clone()));
    run(&env, &with_token, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(env.tenant.requests()[0].bearer(), Some(ready.as_str()));
    let status =
        run(&env, &with_token, &["status", "-o", "json"]).assert_code(0).stderr_contains(&["MSCOMMERCE_TOKEN"]);
    assert_eq!(who(&status), ["token", "environment", CLIENT_ID, CUSTOMER_TENANT]);

    env.tenant.forget_requests();
    let saved = env.cache();
    run(&env, &variables, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    let status = run(&env, &variables, &["status", "-o", "json"]).assert_code(0);
    assert_eq!(who(&status), ["application", "environment", APP_ID, HOME_TENANT]);
    assert_eq!(env.cache(), saved, "the sign-in is as it was");

    env.tenant.forget_requests();
    variables.clear();
    run(&env, &variables, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    let status = run(&env, &variables, &["status", "-o", "json"]).assert_code(0);
    assert_eq!(who(&status), ["password", "cache", CLIENT_ID, HOME_TENANT]);
}

fn who(status: &CliResult) -> [String; 4] {
    let status = status.json();
    ["method", "source", "clientId", "tenantId"].map(|name| status[name].as_str().unwrap().to_owned())
}

#[test]
fn a_ready_token_serves_whatever_the_application_is_worth() {
    let env = TestEnv::new();
    let ready = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for variables in [
        app_with(&[(CERTIFICATE, "/nowhere/app.pem")]),
        app_with(&[WITH_SECRET, ("AZURE_TENANT_ID", "no tenant at all")]),
        on_github_with(&env, &[(GITHUB_URL, "no web address")]),
    ] {
        env.tenant.forget_requests();
        let variables = [variables, vec![("MSCOMMERCE_TOKEN", ready.clone())]].concat();
        let result = run(&env, &variables, &["products", "list"]).assert_code(0);
        assert_eq!(result.stderr, "");
        run(&env, &variables, &["status"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    }
}

#[test]
fn the_application_outranks_a_profile_that_is_named() {
    let env = TestEnv::signed_in();
    let variables = app_with(&[WITH_SECRET]);
    let status = run(&env, &variables, &["status", "-o", "json", "--profile", "default"]).assert_code(0);
    assert_eq!(status.json()["method"], "application");
    assert_eq!(status.json()["profile"], Value::Null);
}

#[test]
fn connect_is_refused_where_the_application_would_outrank_it() {
    let env = TestEnv::new();
    let github = env.tenant.github_oidc();
    let [url, token] = &github;
    for (proof, name) in [
        (&[WITH_SECRET][..], SECRET),
        (&[(CERTIFICATE, "/nowhere/app.pem")], CERTIFICATE),
        (&[(FEDERATED, "/nowhere/token")], FEDERATED),
        (&[(url.0, url.1.as_str()), (token.0, token.1.as_str())], GITHUB_URL),
    ] {
        for way in [
            &[][..],
            &["--device-code"],
            &["--username", ADMIN, "--password-stdin"],
            &["--with-token"],
            &["--tenant", CUSTOMER_TENANT],
        ] {
            let result = run(&env, &app_with(proof), &[&["connect"], way].concat()).assert_code(2).stdout_is_empty();
            result.stderr_contains(&[
                "AZURE_CLIENT_ID, AZURE_TENANT_ID",
                name,
                "hint: ",
                "mscommerce connect --application",
                "unset AZURE_CLIENT_ID",
            ]);
        }
    }
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

#[test]
fn connect_takes_a_person_where_the_application_is_not_complete() {
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
fn disconnect_says_that_the_application_still_serves() {
    let env = TestEnv::signed_in();
    let result = run(&env, &app_with(&[WITH_SECRET]), &["disconnect"]).assert_code(0);
    result.stderr_contains(&["Signed out: default", "AZURE_CLIENT_ID"]);
}
