//! Access tokens that are rejected or refreshed during a run.

use std::sync::Arc;

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::support::fixtures::put_product;
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, PASSWORD, Response};

fn unauthorized() -> Response {
    Response::json(401, &json!({ "errorCode": "Unauthorized", "reason": "Not you." }))
}

/// Asserts that three updates were applied, the fourth was rejected and the rest was not sent.
#[track_caller]
fn assert_stopped_at_fourth(result: &CliResult, all: &[String]) {
    assert_eq!(result.ids_with_outcome("changed"), all[..3]);
    assert_eq!(result.ids_with_outcome("failed"), all[3..4]);
    assert_eq!(result.ids_with_outcome("skipped"), all[4..]);
    for id in &all[3..] {
        let record = result.record(id);
        assert_eq!(record["policyValue"], record["previousValue"], "a rejected token changes nothing");
    }
    assert!(!result.record(&all[3])["error"].as_str().unwrap().contains("not sent"));
    for id in &all[4..] {
        assert_eq!(result.record(id)["error"], "not sent: the sign-in was rejected");
    }
}

#[test]
fn status_401_after_refresh_stops_run() {
    let env = TestEnv::signed_in();
    let fourth = put_product(NOT_DISABLED[3]);
    // The second response is to the refreshed token.
    env.tenant.fail_next(&fourth, unauthorized());
    env.tenant.fail_next(&fourth, unauthorized());
    let result = env.run(&[DISABLE_ALL, &["--jobs", "1"]].concat()).assert_code(4);
    assert_stopped_at_fourth(&result, &NOT_DISABLED.map(str::to_owned));
    let sent = [&NOT_DISABLED[..4], &[NOT_DISABLED[3]]].concat();
    assert_eq!(put_ids(&env.tenant.requests()), sent);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.history().len(), 3);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 4
    ----- stderr -----
    error: 3 changed, 5 unchanged, 1 failed, 8 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0HDB1: the service returned 401 Unauthorized; Unauthorized: Not you.; correlation ID: [UUID]
    hint: mscommerce connect
    ");
}

#[test]
fn failed_refresh_stops_run() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_refresh_tokens();
    let server = start_service(8, |connection, request| {
        if request.path.ends_with(&id(3)) {
            return respond_error(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        respond_updated(connection, request)
    });
    let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, &["--jobs", "1"]].concat()).assert_code(4);
    assert_stopped_at_fourth(&result, &(0..8).map(id).collect::<Vec<_>>());
    assert_eq!(put_ids(&server.finish().requests), (0..4).map(id).collect::<Vec<_>>());
    assert_eq!(env.token_requests().len(), 1);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 4
    ----- stderr -----
    error: 3 changed, 1 failed, 4 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC10003: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the saved sign-in has expired or was revoked; AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token); correlation ID: [UUID], trace ID: [UUID]; before that: the service returned 401 Unauthorized; Unauthorized: Not now.; correlation ID: [UUID]
    hint: mscommerce connect
    ");
}

#[test]
fn status_401_with_environment_token_stops_run() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let fourth = put_product(NOT_DISABLED[3]);
    env.tenant.fail_next(&fourth, unauthorized());
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &[DISABLE_ALL, &["--jobs", "1"]].concat());
    let result = result.assert_code(4);
    assert_stopped_at_fourth(&result, &NOT_DISABLED.map(str::to_owned));
    assert_eq!(put_ids(&env.tenant.requests()), NOT_DISABLED[..4]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 4
    ----- stderr -----
    error: 3 changed, 5 unchanged, 1 failed, 8 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0HDB1: the service returned 401 Unauthorized; Unauthorized: Not you.; correlation ID: [UUID]
    hint: set MSCOMMERCE_TOKEN to a new token (this one may have been revoked), or unset it and run mscommerce connect
    ");
}

#[test]
fn in_flight_updates_complete_after_401() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_refresh_tokens();
    let probe = ConcurrencyProbe::new(4);
    let server = start_service(4, move |connection, request| {
        probe.join();
        if request.path.ends_with(&id(1)) {
            return respond_error(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        respond_updated(connection, request)
    });
    let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, &["--jobs", "4"]].concat()).assert_code(4);
    assert_eq!(
        (result.ids_with_outcome("changed"), result.ids_with_outcome("failed")),
        (vec![id(0), id(2), id(3)], vec![id(1)])
    );
    assert_eq!(env.history().len(), 3);
}

#[test]
fn concurrent_401s_refresh_token_once() {
    let env = TestEnv::signed_in();
    let probe = Arc::new(ConcurrencyProbe::new(8));
    let server = start_service(16, move |connection, request| {
        // The first eight get 401 together, before any of them can refresh the token.
        if probe.join() == 0 {
            return respond_error(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        respond_updated(connection, request)
    });
    let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, &["--jobs", "8"]].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), (0..16).map(id).collect::<Vec<_>>());
    assert_eq!(env.token_requests().len(), 1);
    let recorded = server.finish();
    let updates: Vec<_> = recorded.requests.iter().filter(|request| request.method == "PUT").collect();
    assert_eq!(updates.len(), 24, "the first eight were sent twice");
    let token = |request: &Received| request.header("authorization").unwrap().to_owned();
    let first = token(updates[0]);
    assert!(updates[..8].iter().all(|request| token(request) == first));
    assert!(updates[8..].iter().all(|request| token(request) != first), "the rejected token is not used again");
}

#[test]
fn revoked_token_is_refreshed_by_list_request() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_access_tokens();
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.updated_ids(), sorted(NOT_DISABLED), "each update is sent once");
}

/// Disables all products, one after the other. During the second update, another process signs in to the same profile at
/// another tenant. Returns the environment, the result and the ids in the updates.
fn run_with_sign_in_during_update(token_lifetime: i64) -> (Arc<TestEnv>, CliResult, Vec<String>) {
    let env = TestEnv::new();
    env.tenant.set_token_lifetime(token_lifetime);
    env.sign_in(ADMIN);
    let env = Arc::new(env);
    let other_process = Arc::clone(&env);
    let server = start_service(4, move |connection, request| {
        if request.path.ends_with(&id(1)) {
            let connect = ["connect", "--username", ADMIN, "--password-stdin", "--tenant", CUSTOMER_DOMAIN];
            other_process.run_with_stdin(&connect, PASSWORD).assert_code(0);
        }
        respond_updated(connection, request)
    });
    let result = run_with_endpoint(&server, &env, &[DISABLE_ALL, &["--jobs", "1"]].concat());
    let sent = put_ids(&server.finish().requests);
    (env, result, sent)
}

#[test]
fn account_change_during_run_stops_updates() {
    // Each of these tokens must be refreshed before use.
    let (env, result, sent) = run_with_sign_in_during_update(0);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 4
    ----- stderr -----
    error: 2 changed, 1 failed, 1 skipped
      in tenant 11111111-1111-4111-8111-111111111111
      profile default was signed in again by another process, with another account or tenant; nothing more was sent
    hint: check the current sign-in: mscommerce status
    ");
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(1)]);
    assert_eq!(sent, [id(0), id(1)]);
    assert!(env.history().iter().all(|entry| entry["tenantId"] == HOME_TENANT));
}

#[test]
fn cached_token_is_used_until_run_ends() {
    let (env, result, sent) = run_with_sign_in_during_update(3600);
    assert_eq!(result.assert_code(0).ids_with_outcome("changed"), [id(0), id(1), id(2), id(3)]);
    assert_eq!(sent, [id(0), id(1), id(2), id(3)]);
    assert!(env.history().iter().all(|entry| entry["tenantId"] == HOME_TENANT));
}
