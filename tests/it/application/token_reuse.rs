//! The number of token requests of a run.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::support::fixtures::{EMPTY_LIST, HOME_TOKEN, LIST_NOTE, LIST_PRODUCTS};
use crate::support::server::{Server, http_response};
use crate::support::snapshot::stderr_only;
use crate::tenant::{CHANGE_PERMISSION, CUSTOMER_TENANT, Response};

#[test]
fn listing_both_scopes_requests_one_token() {
    let env = TestEnv::new();
    let result = run(&env, &app_with(&[WITH_SECRET]), &["products", "list", "--scope", "all"]).assert_code(0);
    assert_eq!(result.stderr, "17 products and 4 offer types: 12 enabled, 7 disabled, 2 trials only\n");
    let requests = env.request_lines();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[0], HOME_TOKEN);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn concurrent_updates_request_one_token() {
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
fn short_lived_token_is_used_for_all_requests() {
    let env = TestEnv::new();
    env.tenant.set_token_lifetime(240);
    let disable_all = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];
    let result = run(&env, &app_with(&[WITH_SECRET]), &disable_all).assert_code(0);
    assert_eq!(env.update_requests().len(), result.ids_with_outcome("changed").len());
    assert!(env.update_requests().len() > 5);
    assert_eq!(env.token_requests().len(), 1);
}

/// GitHub's tokens live five minutes.
#[test]
fn github_token_is_requested_once_for_several_tenants() {
    let env = TestEnv::new();
    trust_github(&env);
    let list = ["products", "list", "--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT, "-o", "json"];
    run(&env, &on_github(&env), &list).assert_code(0);
    assert_eq!(env.token_requests().len(), 2);
    assert_eq!(env.request_lines().iter().filter(|line| **line == GITHUB).count(), 1);
}

#[test]
fn application_401_refreshes_token_once() {
    let env = TestEnv::new();
    trust_github(&env);
    env.tenant.fail_next(LIST_PRODUCTS, Response::text(401, "text/plain", ""));
    let result = run(&env, &on_github(&env), &["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN, LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
    let tokens: Vec<_> = env.tenant.requests().into_iter().filter(|request| request.line() == LIST_PRODUCTS).collect();
    assert_ne!(tokens[0].bearer(), tokens[1].bearer());
}

#[test]
fn second_application_401_fails() {
    let env = TestEnv::new();
    for _ in 0..2 {
        env.tenant.fail_next(LIST_PRODUCTS, Response::text(401, "text/plain", ""));
    }
    cli_snapshot!(list_with(&env, &[WITH_SECRET]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      the response has no body
      correlation ID: [UUID]
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: unset AZURE_CLIENT_ID to sign in as a user: mscommerce connect
    ");
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
}

#[test]
fn failed_application_refresh_is_not_repeated() {
    let env = TestEnv::new();
    env.tenant.fail_next("/token", Response::json(200, &token_response(&env)));
    env.tenant.expire_app_secret();
    env.tenant.fail_next("PUT ", Response::text(401, "text/plain", ""));
    let disable_all = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "1", "-o", "json"];
    let result = run(&env, &app_with(&[WITH_SECRET]), &disable_all);
    assert_eq!(env.token_requests().len(), 2);
    assert_eq!(env.request_lines().iter().filter(|line| line.starts_with("PUT ")).count(), 1);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    error: 5 unchanged, 1 failed, 11 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0LH2H: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the client secret has expired; AADSTS7000222: The provided client secret keys for app 'c0000000-0000-4000-8000-000000000001' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds. (invalid_client); correlation ID: [UUID], trace ID: [UUID]; before that: the service returned 401 Unauthorized; the response has no body; correlation ID: [UUID]
    hint: create a new client secret in the app registration
    ");
}

fn token_response(env: &TestEnv) -> Value {
    let token = env.tenant.issue_app_token(HOME_TENANT, &[CHANGE_PERMISSION], 3600);
    json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token })
}

#[test]
fn federated_token_file_is_read_per_request() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let file = env.write("token", issued());
    let (first, second) =
        (std::fs::read_to_string(&file).unwrap(), federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, 500));
    // A new token appears in the file while the list request is in flight.
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
fn certificate_file_is_read_once() {
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
    assert_eq!(env.tenant.assertions().len(), 2, "each token request has its own assertion");
}

#[test]
fn application_token_of_other_tenant_is_rejected() {
    let env = TestEnv::new();
    let token = env.tenant.issue_app_token(CUSTOMER_TENANT, &[CHANGE_PERMISSION], 3600);
    let response = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token });
    env.tenant.fail_next("/token", Response::json(200, &response));
    cli_snapshot!(list_with(&env, &[WITH_SECRET]), @"
    exit_code: 4
    ----- stderr -----
    error: requested a token for tenant 11111111-1111-4111-8111-111111111111, but received one for 22222222-2222-4222-8222-222222222222
    ");
    assert_eq!(env.request_lines(), [HOME_TOKEN]);
}

#[test]
fn application_requests_one_token_per_tenant() {
    let env = TestEnv::new();
    let tenants = ["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT];
    let result = run(&env, &app_with(&[WITH_SECRET]), &[&["products", "list", "-o", "json"][..], &tenants].concat());
    assert!(result.assert_code(0).json().as_array().unwrap().iter().any(|item| item["tenantId"] == CUSTOMER_TENANT));
    let mut asked: Vec<_> = env.token_requests().into_iter().map(|(tenant, _)| tenant).collect();
    asked.sort_unstable();
    assert_eq!(asked, [HOME_TENANT, CUSTOMER_TENANT]);
    assert_eq!(env.request_lines().len(), 4);
}
