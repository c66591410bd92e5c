//! How many tokens a run asks for.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::support::fixtures::{EMPTY_LIST, HOME_TOKEN, LIST_PRODUCTS};
use crate::support::server::{Server, http_response};
use crate::tenant::{CHANGE_PERMISSION, CUSTOMER_TENANT, Response};

#[test]
fn both_scopes_are_listed_with_one_token() {
    let env = TestEnv::new();
    let result = run(&env, &app_with(&[WITH_SECRET]), &["products", "list", "--scope", "all"]).assert_code(0);
    assert_eq!(result.stderr, "");
    let requests = env.request_lines();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[0], HOME_TOKEN);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn many_changes_side_by_side_ask_for_one_token() {
    let env = TestEnv::new();
    trust_github(&env);
    let disable_all = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "16", "-o", "json"];
    let result = run(&env, &on_github(&env), &disable_all).assert_code(0);
    assert!(result.json().as_array().unwrap().len() > 10);
    let requests = env.request_lines();
    assert_eq!(requests[..3], [GITHUB, HOME_TOKEN, LIST_PRODUCTS]);
    assert!(requests[3..].iter().all(|line| line.starts_with("PUT ")), "{requests:?}");
}

#[test]
fn a_refused_token_is_renewed_once() {
    let env = TestEnv::new();
    trust_github(&env);
    env.tenant.fail_next(LIST_PRODUCTS, Response::text(401, "text/plain", ""));
    let result = run(&env, &on_github(&env), &["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN, LIST_PRODUCTS, GITHUB, HOME_TOKEN, LIST_PRODUCTS]);
    let tokens: Vec<_> = env.tenant.requests().into_iter().filter(|request| request.line() == LIST_PRODUCTS).collect();
    assert_ne!(tokens[0].bearer(), tokens[1].bearer());
}

#[test]
fn a_token_that_is_refused_twice_ends_the_run() {
    let env = TestEnv::new();
    for _ in 0..2 {
        env.tenant.fail_next(LIST_PRODUCTS, Response::text(401, "text/plain", ""));
    }
    list_with(&env, &[WITH_SECRET]).assert_code(4).stdout_is_empty().stderr_contains(&["401", "correlation id: "]);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
}

#[test]
fn a_token_that_cannot_be_renewed_is_asked_for_once() {
    let env = TestEnv::new();
    env.tenant.fail_next("/token", Response::json(200, &answer_with(&env)));
    env.tenant.expire_app_secret();
    env.tenant.fail_next("PUT ", Response::text(401, "text/plain", ""));
    let disable_all = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "1", "-o", "json"];
    let result = run(&env, &app_with(&[WITH_SECRET]), &disable_all).assert_code(4);
    assert_eq!(env.token_requests().len(), 2);
    assert_eq!(env.request_lines().iter().filter(|line| line.starts_with("PUT ")).count(), 1);
    result.stderr_contains(&["AADSTS7000222", "not sent", "hint: "]);
}

fn answer_with(env: &TestEnv) -> Value {
    let token = env.tenant.issue_app_token(HOME_TENANT, &[CHANGE_PERMISSION], 3600);
    json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token })
}

#[test]
fn a_federated_token_is_read_anew_for_each_token_request() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let file = env.write("token", issued());
    let (first, second) =
        (std::fs::read_to_string(&file).unwrap(), federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, 500));
    // While the list is on its way, somebody puts a fresh token into the file.
    let fresh = Mutex::new(Some((file.clone(), second.clone())));
    let server = Server::start(move |mut connection| {
        while connection.read_request().is_some() {
            let status = match fresh.lock().unwrap().take() {
                Some((file, token)) => {
                    std::fs::write(&file, token).unwrap();
                    401
                }
                None => 200,
            };
            connection.send(http_response(status, "application/json", EMPTY_LIST).as_bytes());
        }
    });
    let endpoint = server.http();
    list_with(&env, &[(FEDERATED, &file), ("MSCOMMERCE_ENDPOINT", &endpoint)]).assert_code(0);
    assert_eq!(env.tenant.assertions(), [first, second]);
    assert_eq!(server.finish().requests.len(), 2);
}

#[test]
fn a_certificate_is_read_once() {
    let env = TestEnv::new();
    let file = env.write("app.pem", both(&registered(&env)));
    let (gone, is_first) = (file.clone(), Mutex::new(true));
    let server = Server::start(move |mut connection| {
        while connection.read_request().is_some() {
            let status = if std::mem::replace(&mut *is_first.lock().unwrap(), false) {
                std::fs::remove_file(&gone).unwrap();
                401
            } else {
                200
            };
            connection.send(http_response(status, "application/json", EMPTY_LIST).as_bytes());
        }
    });
    let endpoint = server.http();
    list_with(&env, &[(CERTIFICATE, &file), ("MSCOMMERCE_ENDPOINT", &endpoint)]).assert_code(0);
    assert_eq!(env.tenant.assertions().len(), 2, "each token has an assertion of its own");
}

#[test]
fn a_token_for_another_tenant_is_not_used() {
    let env = TestEnv::new();
    let token = env.tenant.issue_app_token(CUSTOMER_TENANT, &[CHANGE_PERMISSION], 3600);
    let response = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token });
    env.tenant.fail_next("/token", Response::json(200, &response));
    list_with(&env, &[WITH_SECRET]).assert_code(4).stdout_is_empty().stderr_contains(&[HOME_TENANT, CUSTOMER_TENANT]);
    assert_eq!(env.request_lines(), [HOME_TOKEN]);
}

#[test]
fn each_tenant_has_a_token_of_its_own() {
    let env = TestEnv::new();
    let tenants = ["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT];
    let result = run(&env, &app_with(&[WITH_SECRET]), &[&["products", "list", "-o", "json"][..], &tenants].concat());
    assert!(result.assert_code(0).json().as_array().unwrap().iter().any(|item| item["tenantId"] == CUSTOMER_TENANT));
    let mut asked: Vec<_> = env.token_requests().into_iter().map(|(tenant, _)| tenant).collect();
    asked.sort_unstable();
    assert_eq!(asked, [HOME_TENANT, CUSTOMER_TENANT]);
    assert_eq!(env.request_lines().len(), 4);
}
