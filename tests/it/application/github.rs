//! Sign-in with the OIDC token of a GitHub Actions job.

use serde_json::json;

use super::*;
use crate::support::fixtures::HOME_TOKEN;
use crate::support::server::{RefusingPort, Server};
use crate::support::snapshot::Transcript;
use crate::tenant::{Response, federated_token};

fn list(env: &TestEnv, variables: &[(&'static str, String)]) -> CliResult {
    run(env, variables, &["products", "list", "-vvv"])
}

/// Lists products with this response from GitHub. Asserts that Entra receives no request and no token is shown.
#[track_caller]
fn list_with_github_response(response: Response) -> CliResult {
    let env = TestEnv::new();
    env.tenant.fail_next("/github/oidc/", response);
    let variables = on_github(&env);
    let result = run(&env, &variables, &["products", "list"]);
    let mut requests = env.request_lines();
    requests.dedup();
    assert_eq!(requests, [GITHUB], "no request to Entra");
    let [_, (_, request_token)] = env.tenant.github_oidc();
    assert!(!result.stderr.contains(&request_token), "{}", result.stderr);
    result
}

#[test]
fn github_token_request_has_audience() {
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
fn github_url_query_is_extended() {
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
fn github_response_may_be_empty_once_or_begin_with_bom() {
    let token = federated_token(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE, 600);
    let marked = format!("\u{feff}{}", json!({ "value": token }));
    for (body, requests) in [("", 2), (marked.as_str(), 1)] {
        let env = TestEnv::new();
        trust_github(&env);
        env.tenant.fail_times(1, "/github/oidc/", Response::text(200, "application/json", body));
        list(&env, &on_github(&env)).assert_code(0);
        assert_eq!(env.request_lines().iter().filter(|line| *line == GITHUB).count(), requests);
    }
}

#[test]
fn github_401_and_403_name_id_token_permission() {
    let mut transcript = Transcript::default();
    for status in [401, 403] {
        let response = Response::json(status, &json!({ "message": "Not for you." }));
        transcript.push(status, list_with_github_response(response));
    }
    cli_snapshot!(transcript, @r#"
    ===== 401 =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: 127.0.0.1 returned 401 Unauthorized
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
      {"message":"Not for you."}
    hint: add the permission id-token: write to the job (not available to pull requests from forks)
    ===== 403 =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: 127.0.0.1 returned 403 Forbidden
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
      {"message":"Not for you."}
    hint: add the permission id-token: write to the job (not available to pull requests from forks)
    "#);
}

#[test]
fn invalid_github_response_error_messages() {
    let html = "<!doctype html><title>Sign in to the network</title>";
    let json = |body: &str| Response::text(200, "application/json", body);
    let mut transcript = Transcript::default();
    for (name, response) in [
        ("web page", Response::text(200, "text/html", html)),
        ("empty object", json("{}")),
        ("null", json(r#"{ "value": null }"#)),
        ("number", json(r#"{ "value": 7 }"#)),
        ("array", json("[]")),
        ("other field", json(r#"{ "token": "x" }"#)),
        ("truncated JSON", json("{")),
        ("redirect", Response::text(302, "text/plain", "").header("Location", "https://elsewhere.example/")),
    ] {
        transcript.push(name, list_with_github_response(response));
    }
    cli_snapshot!(transcript, @"
    ===== web page =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!doctype html><title>Sign in to the network</title>
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
    ===== empty object =====
    ===== null =====
    ===== number =====
    ===== array =====
    ===== other field =====
    ===== truncated JSON =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: the response does not contain a token
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: check the variable, and whether a proxy responds instead of GitHub
    ===== redirect =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: 127.0.0.1:[PORT] returned 302 Found with a redirect to https://elsewhere.example/
      redirects are not followed, to protect the access token
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ");
}

#[test]
fn github_500_error_message() {
    cli_snapshot!(list_with_github_response(Response::text(500, "text/plain", "Oops.")), @"
    exit_code: 1
    ----- stderr -----
    error: could not get the job's ID token from GitHub: 127.0.0.1:[PORT] returned 500 Internal Server Error
      Oops.
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: try again in a minute
    ");
}

#[test]
fn invalid_github_token_is_not_sent_or_shown() {
    let mut transcript = Transcript::default();
    for (name, value) in [("empty", ""), ("opaque", "opaque-but-a-secret")] {
        let response = Response::json(200, &json!({ "value": value }));
        transcript.push(name, list_with_github_response(response)).stderr_lacks("opaque");
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: GitHub's response is empty; expected a federated token
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: check the variable, and whether a proxy responds instead of GitHub
    ===== opaque =====
    exit_code: 4
    ----- stderr -----
    error: could not get the job's ID token from GitHub: GitHub's response is not a token (JWT)
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: check the variable, and whether a proxy responds instead of GitHub
    ");
}

#[test]
fn unreachable_github_url_is_a_network_error() {
    let env = TestEnv::new();
    let port = RefusingPort::new();
    let url = format!("{}/token?api-version=2.0", port.http());
    let variables = on_github_with(&env, &[(GITHUB_URL, &url)]);
    cli_snapshot!(run(&env, &variables, &["products", "list"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not get the job's ID token from GitHub: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
      the URL comes from ACTIONS_ID_TOKEN_REQUEST_URL
    hint: check the network, firewalls and HTTPS_PROXY, then try again
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn invalid_github_url_sends_no_request() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for url in ["not a URL", "ftp://github.example/", "https://", "/token", "file:///etc/passwd"] {
        let variables = on_github_with(&env, &[(GITHUB_URL, url)]);
        transcript.push(url, list(&env, &variables));
    }
    cli_snapshot!(transcript, @"
    ===== not a URL =====
    exit_code: 4
    ----- stderr -----
    error: ACTIONS_ID_TOKEN_REQUEST_URL is not a URL
    hint: run the command in a GitHub Actions job with the permission id-token: write
    ===== ftp://github.example/ =====
    exit_code: 4
    ----- stderr -----
    error: ACTIONS_ID_TOKEN_REQUEST_URL uses http; use https, except for an address of this machine
    hint: run the command in a GitHub Actions job with the permission id-token: write
    ===== https:// =====
    ===== /token =====
    ===== file:///etc/passwd =====
    exit_code: 4
    ----- stderr -----
    error: ACTIONS_ID_TOKEN_REQUEST_URL is not a URL
    hint: run the command in a GitHub Actions job with the permission id-token: write
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn github_url_must_be_https() {
    let env = TestEnv::new();
    let variables = on_github_with(&env, &[(GITHUB_URL, "http://github.example/token")]);
    cli_snapshot!(list(&env, &variables), @"
    exit_code: 4
    ----- stderr -----
    error: ACTIONS_ID_TOKEN_REQUEST_URL uses http; use https, except for an address of this machine
    hint: run the command in a GitHub Actions job with the permission id-token: write
    ");
}

#[test]
fn rejected_github_token_error_shows_claims() {
    let env = TestEnv::new();
    env.tenant.federate(GITHUB_ISSUER, "repo:contoso/licences:environment:production", FEDERATION_AUDIENCE);
    cli_snapshot!(run(&env, &on_github(&env), &["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: no federated credential of the application matches the token's issuer, subject and audience
      AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:contoso/licences:ref:refs/heads/main'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from GitHub's response
      iss: https://token.actions.githubusercontent.com
      sub: repo:contoso/licences:ref:refs/heads/main
      aud: api://AzureADTokenExchange
      expires at [TIME]
    hint: compare iss, sub and aud above with the app registration's federated credentials; case matters
    ");
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN]);
}

#[test]
fn github_oidc_flag_overrides_secret() {
    let env = TestEnv::new();
    trust_github(&env);
    let variables: Variables = [on_github(&env), app_with(&[WITH_SECRET])].concat();
    run(&env, &variables, &["connect", "--application", "--github-oidc"]).assert_code(0);
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN]);
    assert_eq!(env.cache()["profiles"]["default"]["method"], "application");
}

#[test]
fn github_oidc_flag_needs_github_variables() {
    let env = TestEnv::new();
    let flags = ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--github-oidc"];
    let mut transcript = Transcript::default();
    transcript.push("no variables", run(&env, &[], &flags));
    for (name, value) in env.tenant.github_oidc() {
        transcript.push(format!("only {name}"), run(&env, &[(name, value)], &flags));
    }
    cli_snapshot!(transcript, @"
    ===== no variables =====
    ===== only ACTIONS_ID_TOKEN_REQUEST_URL =====
    ===== only ACTIONS_ID_TOKEN_REQUEST_TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: --github-oidc: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set
    hint: on GitHub Actions, add the permission id-token: write to the job
    ");
    assert!(env.request_lines().is_empty());
}
