//! Signing in with the token that GitHub Actions gives to a job.

use serde_json::json;

use super::*;
use crate::support::server::{RefusingPort, Server};
use crate::tenant::{Answer, federated_token};

fn list(machine: &Machine, variables: &[(&'static str, String)]) -> Ran {
    run(machine, variables, &["products", "list", "-vvv"])
}

/// GitHub answers so, and what the job's request token is stays unsaid.
#[track_caller]
fn list_where_github_answers(answer: Answer) -> Ran {
    let machine = Machine::new();
    machine.tenant.fail_next("/github/oidc/", answer);
    let variables = on_github(&machine);
    let ran = list(&machine, &variables).expect_no_data();
    let mut requests = machine.requests();
    requests.dedup();
    assert_eq!(requests, [GITHUB], "Entra is not asked");
    let [_, (_, request_token)] = machine.tenant.github_oidc();
    assert!(!ran.stderr.contains(&request_token), "{}", ran.stderr);
    ran.expect_said(&[GITHUB_URL])
}

#[test]
fn the_job_asks_for_a_token_for_entra_with_its_request_token() {
    let machine = Machine::new();
    trust_github(&machine);
    list(&machine, &on_github(&machine)).expect_code(0);
    let requests = machine.tenant.requests();
    let [_, (_, request_token)] = machine.tenant.github_oidc();
    assert_eq!(requests[0].bearer(), Some(request_token.as_str()));
    assert_eq!(requests[0].parameters()["audience"], FEDERATION_AUDIENCE);
    assert_eq!(claims_of(&machine.tenant.assertions()[0]).unwrap()["sub"], GITHUB_SUBJECT);
}

#[test]
fn an_address_with_and_without_a_query_is_completed() {
    let token = federated_token(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE, 600);
    for (query, expected) in [
        ("", "GET /token?audience=api%3A%2F%2FAzureADTokenExchange"),
        ("?", "GET /token?audience=api%3A%2F%2FAzureADTokenExchange"),
        ("?a=b%20c", "GET /token?a=b%20c&audience=api%3A%2F%2FAzureADTokenExchange"),
    ] {
        let machine = Machine::new();
        trust_github(&machine);
        let body = json!({ "value": token }).to_string();
        let server = Server::answering(crate::support::server::answer(200, "application/json", &body));
        let url = format!("{}/token{query}", server.http());
        list(&machine, &on_github_with(&machine, &[(GITHUB_URL, &url)])).expect_code(0);
        assert_eq!(server.finish().lines(), [expected]);
    }
}

#[test]
fn a_refusal_names_the_permission_that_the_job_needs() {
    for status in [401, 403] {
        let ran = list_where_github_answers(Answer::json(status, &json!({ "message": "Not for you." })));
        ran.expect_code(4).expect_said(&[&status.to_string(), "Not for you.", "hint: ", "id-token: write"]);
    }
}

#[test]
fn an_answer_that_is_not_githubs_is_told_to_be_that() {
    let html = || Answer::text(200, "text/html", "<!doctype html><title>Sign in to the network</title>");
    list_where_github_answers(html()).expect_code(4).expect_said(&["web page", "hint: "]);
    for body in [json!({}), json!({ "value": null }), json!({ "value": 7 }), json!([]), json!({ "token": "x" })] {
        list_where_github_answers(Answer::json(200, &body)).expect_code(4).expect_said(&["no token", "hint: "]);
    }
    list_where_github_answers(Answer::text(200, "application/json", "{")).expect_code(4).expect_said(&["hint: "]);
    let elsewhere = Answer::text(302, "text/plain", "").header("Location", "https://elsewhere.example/");
    list_where_github_answers(elsewhere).expect_code(4).expect_said(&["302"]);
}

#[test]
fn a_fault_of_githubs_is_told_in_its_own_words() {
    let ran = list_where_github_answers(Answer::text(500, "text/plain", "Oops."));
    assert!([1, 4].contains(&ran.code), "{ran:?}");
    ran.expect_said(&["500", "Oops.", "hint: "]);
}

#[test]
fn a_value_that_is_no_token_is_not_sent_and_not_repeated() {
    for (value, said) in [("", "no federated token"), ("opaque-but-a-secret", "not a token")] {
        let ran = list_where_github_answers(Answer::json(200, &json!({ "value": value }))).expect_code(4);
        let ran = ran.expect_said(&[said]);
        assert!(!ran.stderr.contains("opaque"), "{}", ran.stderr);
    }
}

#[test]
fn an_address_that_cannot_be_reached_is_the_networks_fault() {
    let machine = Machine::new();
    let port = RefusingPort::new();
    let url = format!("{}/token?api-version=2.0", port.http());
    let variables = on_github_with(&machine, &[(GITHUB_URL, &url)]);
    list(&machine, &variables).expect_code(1).expect_no_data().expect_said(&[GITHUB_URL, "127.0.0.1"]);
    assert!(machine.requests().is_empty());
}

#[test]
fn an_address_that_is_none_is_said_before_anything_is_sent() {
    let machine = Machine::new();
    for wrong in ["no web address", "ftp://github.example/", "https://", "/token", "file:///etc/passwd"] {
        let variables = on_github_with(&machine, &[(GITHUB_URL, wrong)]);
        list(&machine, &variables).expect_code(4).expect_no_data().expect_said(&[GITHUB_URL]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn the_request_token_goes_over_plain_http_to_this_machine_alone() {
    let machine = Machine::new();
    let variables = on_github_with(&machine, &[(GITHUB_URL, "http://github.example/token")]);
    let ran = list(&machine, &variables).expect_no_data();
    assert!([2, 4].contains(&ran.code), "the variable is wrong, not the network: {}", ran.stderr);
    ran.expect_said(&[GITHUB_URL, "plain http", "hint: "]);
}

#[test]
fn what_entra_refuses_is_told_by_issuer_subject_and_audience() {
    let machine = Machine::new();
    machine.tenant.federate(GITHUB_ISSUER, "repo:contoso/licences:environment:production", FEDERATION_AUDIENCE);
    let ran = list(&machine, &on_github(&machine)).expect_code(4).expect_no_data();
    ran.expect_said(&[
        "AADSTS700213",
        &format!("iss: {GITHUB_ISSUER}\n"),
        &format!("sub: {GITHUB_SUBJECT}\n"),
        &format!("aud: {FEDERATION_AUDIENCE}\n"),
        "GitHub",
        "hint: ",
    ]);
    assert_eq!(machine.requests(), [GITHUB, TOKEN]);
}

#[test]
fn connect_takes_githubs_token_by_its_flag_whatever_else_is_set() {
    let machine = Machine::new();
    trust_github(&machine);
    let variables: Variables = [on_github(&machine), app_with(&[WITH_SECRET])].concat();
    run(&machine, &variables, &["connect", "--application", "--github-oidc"]).expect_code(0);
    assert_eq!(machine.requests(), [GITHUB, TOKEN]);
    assert_eq!(machine.saved()["profiles"]["default"]["method"], "application");
}

#[test]
fn the_flag_needs_what_github_gives() {
    let machine = Machine::new();
    let mut missing = vec![Vec::new()];
    missing.extend(machine.tenant.github_oidc().map(|variable| vec![variable]));
    for variables in missing {
        let flags = ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--github-oidc"];
        run(&machine, &variables, &flags)
            .expect_code(2)
            .expect_no_data()
            .expect_said(&["--github-oidc", "id-token: write"]);
    }
    assert!(machine.requests().is_empty());
}
