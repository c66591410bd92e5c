//! Signing in with the token that GitHub Actions gives to a job.

use serde_json::json;

use super::*;
use crate::support::fixtures::HOME_TOKEN;
use crate::support::server::{RefusingPort, Server};
use crate::tenant::{Response, federated_token};

fn list(env: &TestEnv, variables: &[(&'static str, String)]) -> CliResult {
    run(env, variables, &["products", "list", "-vvv"])
}

/// GitHub answers so, and what the job's request token is stays unsaid.
#[track_caller]
fn list_where_github_answers(response: Response) -> CliResult {
    let env = TestEnv::new();
    env.tenant.fail_next("/github/oidc/", response);
    let variables = on_github(&env);
    let result = list(&env, &variables).stdout_is_empty();
    let mut requests = env.request_lines();
    requests.dedup();
    assert_eq!(requests, [GITHUB], "Entra is not asked");
    let [_, (_, request_token)] = env.tenant.github_oidc();
    assert!(!result.stderr.contains(&request_token), "{}", result.stderr);
    result.stderr_contains(&[GITHUB_URL])
}

#[test]
fn the_job_asks_for_a_token_for_entra_with_its_request_token() {
    let env = TestEnv::new();
    trust_github(&env);
    list(&env, &on_github(&env)).assert_code(0);
    let requests = env.tenant.requests();
    let [_, (_, request_token)] = env.tenant.github_oidc();
    assert_eq!(requests[0].bearer(), Some(request_token.as_str()));
    assert_eq!(requests[0].parameters()["audience"], FEDERATION_AUDIENCE);
    assert_eq!(claims_of(&env.tenant.assertions()[0]).unwrap()["sub"], GITHUB_SUBJECT);
}

#[test]
fn an_address_with_and_without_a_query_is_completed() {
    let token = federated_token(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE, 600);
    for (query, expected) in [
        ("", "GET /token?audience=api%3A%2F%2FAzureADTokenExchange"),
        ("?", "GET /token?audience=api%3A%2F%2FAzureADTokenExchange"),
        ("?a=b%20c", "GET /token?a=b%20c&audience=api%3A%2F%2FAzureADTokenExchange"),
    ] {
        let env = TestEnv::new();
        trust_github(&env);
        let body = json!({ "value": token }).to_string();
        let server = Server::responding_with(crate::support::server::http_response(200, "application/json", &body));
        let url = format!("{}/token{query}", server.http());
        list(&env, &on_github_with(&env, &[(GITHUB_URL, &url)])).assert_code(0);
        assert_eq!(server.finish().lines(), [expected]);
    }
}

#[test]
fn a_refusal_names_the_permission_that_the_job_needs() {
    for status in [401, 403] {
        let result = list_where_github_answers(Response::json(status, &json!({ "message": "Not for you." })));
        result.assert_code(4).stderr_contains(&[&status.to_string(), "Not for you.", "hint: ", "id-token: write"]);
    }
}

#[test]
fn an_answer_that_is_not_githubs_is_told_to_be_that() {
    let html = || Response::text(200, "text/html", "<!doctype html><title>Sign in to the network</title>");
    list_where_github_answers(html()).assert_code(4).stderr_contains(&["web page", "hint: "]);
    for body in [json!({}), json!({ "value": null }), json!({ "value": 7 }), json!([]), json!({ "token": "x" })] {
        list_where_github_answers(Response::json(200, &body)).assert_code(4).stderr_contains(&["no token", "hint: "]);
    }
    list_where_github_answers(Response::text(200, "application/json", "{")).assert_code(4).stderr_contains(&["hint: "]);
    let elsewhere = Response::text(302, "text/plain", "").header("Location", "https://elsewhere.example/");
    list_where_github_answers(elsewhere).assert_code(4).stderr_contains(&["302"]);
}

#[test]
fn a_fault_of_githubs_is_told_in_its_own_words() {
    let result = list_where_github_answers(Response::text(500, "text/plain", "Oops."));
    assert!([1, 4].contains(&result.code), "{result:?}");
    result.stderr_contains(&["500", "Oops.", "hint: "]);
}

#[test]
fn a_value_that_is_no_token_is_not_sent_and_not_repeated() {
    for (value, said) in [("", "no federated token"), ("opaque-but-a-secret", "not a token")] {
        let result = list_where_github_answers(Response::json(200, &json!({ "value": value }))).assert_code(4);
        let result = result.stderr_contains(&[said]);
        assert!(!result.stderr.contains("opaque"), "{}", result.stderr);
    }
}

#[test]
fn an_address_that_cannot_be_reached_is_the_networks_fault() {
    let env = TestEnv::new();
    let port = RefusingPort::new();
    let url = format!("{}/token?api-version=2.0", port.http());
    let variables = on_github_with(&env, &[(GITHUB_URL, &url)]);
    list(&env, &variables).assert_code(1).stdout_is_empty().stderr_contains(&[GITHUB_URL, "127.0.0.1"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_address_that_is_none_is_said_before_anything_is_sent() {
    let env = TestEnv::new();
    for wrong in ["no web address", "ftp://github.example/", "https://", "/token", "file:///etc/passwd"] {
        let variables = on_github_with(&env, &[(GITHUB_URL, wrong)]);
        list(&env, &variables).assert_code(4).stdout_is_empty().stderr_contains(&[GITHUB_URL]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn the_request_token_goes_over_plain_http_to_this_machine_alone() {
    let env = TestEnv::new();
    let variables = on_github_with(&env, &[(GITHUB_URL, "http://github.example/token")]);
    let result = list(&env, &variables).stdout_is_empty();
    assert!([2, 4].contains(&result.code), "the variable is wrong, not the network: {}", result.stderr);
    result.stderr_contains(&[GITHUB_URL, "plain http", "hint: "]);
}

#[test]
fn what_entra_refuses_is_told_by_issuer_subject_and_audience() {
    let env = TestEnv::new();
    env.tenant.federate(GITHUB_ISSUER, "repo:contoso/licences:environment:production", FEDERATION_AUDIENCE);
    let result = list(&env, &on_github(&env)).assert_code(4).stdout_is_empty();
    result.stderr_contains(&[
        "AADSTS700213",
        &format!("iss: {GITHUB_ISSUER}\n"),
        &format!("sub: {GITHUB_SUBJECT}\n"),
        &format!("aud: {FEDERATION_AUDIENCE}\n"),
        "GitHub",
        "hint: ",
    ]);
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN]);
}

#[test]
fn connect_takes_githubs_token_by_its_flag_whatever_else_is_set() {
    let env = TestEnv::new();
    trust_github(&env);
    let variables: Variables = [on_github(&env), app_with(&[WITH_SECRET])].concat();
    run(&env, &variables, &["connect", "--application", "--github-oidc"]).assert_code(0);
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN]);
    assert_eq!(env.cache()["profiles"]["default"]["method"], "application");
}

#[test]
fn the_flag_needs_what_github_gives() {
    let env = TestEnv::new();
    let mut missing = vec![Vec::new()];
    missing.extend(env.tenant.github_oidc().map(|variable| vec![variable]));
    for variables in missing {
        let flags = ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--github-oidc"];
        run(&env, &variables, &flags)
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["--github-oidc", "id-token: write"]);
    }
    assert!(env.request_lines().is_empty());
}
