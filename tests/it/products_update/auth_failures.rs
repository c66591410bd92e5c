//! A sign-in that is refused, or renewed, while changes are on their way.

use std::sync::Arc;

use super::*;
use crate::support::concurrency::ConcurrencyProbe;
use crate::tenant::{ADMIN, Response};

fn refusal() -> Response {
    Response::json(401, &json!({ "errorCode": "Unauthorized", "reason": "Not you." }))
}

/// The first three were changed; the fourth was refused, and the rest not sent.
#[track_caller]
fn expect_stopped_at_the_fourth(result: &CliResult, all: &[String]) {
    assert_eq!(result.ids_with_outcome("changed"), all[..3]);
    assert_eq!(result.ids_with_outcome("failed"), all[3..]);
    for id in &all[3..] {
        let record = result.record(id);
        assert_eq!(record["policyValue"], record["previousValue"], "a refused sign-in changes nothing");
    }
    assert!(!result.record(&all[3])["error"].as_str().unwrap().contains("not sent"));
    for id in &all[4..] {
        assert_eq!(result.record(id)["error"], "not sent: the sign-in was refused");
    }
}

#[test]
fn a_sign_in_that_is_refused_half_way_fails_the_rest() {
    let env = TestEnv::signed_in();
    let fourth = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{}", NOT_DISABLED[3]);
    // The second answer is to the renewed token.
    env.tenant.fail_next(&fourth, refusal());
    env.tenant.fail_next(&fourth, refusal());
    let result = env.run(&[DISABLE_ALL, &["--jobs", "1"]].concat()).assert_code(4);
    expect_stopped_at_the_fourth(&result, &NOT_DISABLED.map(str::to_owned));
    let sent = [&NOT_DISABLED[..4], &[NOT_DISABLED[3]]].concat();
    assert_eq!(ids_sent(&env.tenant.requests()), sent);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.history().len(), 3);
    result.stderr_contains(&[
        "error: 3 changed, 5 unchanged, 9 failed\n",
        "401 Unauthorized",
        "not sent: 8",
        "hint: mscommerce connect\n",
    ]);
}

#[test]
fn a_sign_in_that_cannot_be_renewed_half_way_fails_the_rest() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_refresh_tokens();
    let server = service(8, |connection, request| {
        if request.path.ends_with(&id(3)) {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    let result = run_at(&server, &env, &[DISABLE_ALL, &["--jobs", "1"]].concat()).assert_code(4);
    expect_stopped_at_the_fourth(&result, &(0..8).map(id).collect::<Vec<_>>());
    assert_eq!(ids_sent(&server.finish().requests), (0..4).map(id).collect::<Vec<_>>());
    assert_eq!(env.token_requests().len(), 1);
    result.stderr_contains(&["error: 3 changed, 5 failed\n", "AADSTS50173", "not sent: 4", "hint: mscommerce connect"]);
}

#[test]
fn a_token_of_the_environment_that_is_refused_half_way_fails_the_rest() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let fourth = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{}", NOT_DISABLED[3]);
    env.tenant.fail_next(&fourth, refusal());
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &[DISABLE_ALL, &["--jobs", "1"]].concat());
    let result = result.assert_code(4);
    expect_stopped_at_the_fourth(&result, &NOT_DISABLED.map(str::to_owned));
    assert_eq!(ids_sent(&env.tenant.requests()), NOT_DISABLED[..4]);
    result.stderr_contains(&["not sent: 8", "MSCOMMERCE_TOKEN"]);
}

#[test]
fn those_on_their_way_beside_a_refused_one_still_count() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_refresh_tokens();
    let probe = ConcurrencyProbe::new(4);
    let server = service(4, move |connection, request| {
        probe.join();
        if request.path.ends_with(&id(1)) {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    let result = run_at(&server, &env, &[DISABLE_ALL, &["--jobs", "4"]].concat()).assert_code(4);
    assert_eq!(
        (result.ids_with_outcome("changed"), result.ids_with_outcome("failed")),
        (vec![id(0), id(2), id(3)], vec![id(1)])
    );
    assert_eq!(env.history().len(), 3);
}

#[test]
fn a_token_that_ends_under_many_changes_is_renewed_once() {
    let env = TestEnv::signed_in();
    let probe = Arc::new(ConcurrencyProbe::new(8));
    let server = service(16, move |connection, request| {
        // All of the first eight are refused together, before any of them can renew the sign-in.
        if probe.join() == 0 {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    let result = run_at(&server, &env, &[DISABLE_ALL, &["--jobs", "8"]].concat()).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), (0..16).map(id).collect::<Vec<_>>());
    assert_eq!(env.token_requests().len(), 1);
    let recorded = server.finish();
    let changes: Vec<_> = recorded.requests.iter().filter(|request| request.method == "PUT").collect();
    assert_eq!(changes.len(), 24, "the first eight were sent twice");
    let token = |request: &Received| request.header("authorization").unwrap().to_owned();
    let first = token(changes[0]);
    assert!(changes[..8].iter().all(|request| token(request) == first));
    assert!(changes[8..].iter().all(|request| token(request) != first), "nothing goes with the refused token any more");
}

#[test]
fn a_token_that_was_revoked_before_is_renewed_by_the_listing() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_access_tokens();
    let result = env.run(DISABLE_ALL).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), NOT_DISABLED);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.updated_ids(), sorted(NOT_DISABLED), "each once");
}

/// Disables everything, one after the other; while the second change is on its way, somebody signs in to the same
/// profile at another tenant. Tokens live for so many seconds.
fn with_another_sign_in_half_way(lifetime: i64) -> (Arc<TestEnv>, CliResult, Vec<String>) {
    let env = TestEnv::new();
    env.tenant.set_token_lifetime(lifetime);
    env.sign_in(ADMIN);
    let env = Arc::new(env);
    let signer = Arc::clone(&env);
    let server = service(4, move |connection, request| {
        if request.path.ends_with(&id(1)) {
            let elsewhere =
                ["connect", "--username", ADMIN, "--password-stdin", "--tenant", crate::tenant::CUSTOMER_DOMAIN];
            signer.run_with_stdin(&elsewhere, crate::tenant::PASSWORD).assert_code(0);
        }
        make(connection, request)
    });
    let result = run_at(&server, &env, &[DISABLE_ALL, &["--jobs", "1"]].concat());
    let sent = ids_sent(&server.finish().requests);
    (env, result, sent)
}

#[test]
fn somebody_elses_sign_in_half_way_takes_no_change_over() {
    // Each of these tokens has to be renewed before it is sent.
    let (env, result, sent) = with_another_sign_in_half_way(60);
    let result = result.assert_code(4).stderr_contains(&["anew meanwhile"]);
    assert_eq!(result.ids_with_outcome("changed"), [id(0), id(1)]);
    assert_eq!(sent, [id(0), id(1)]);
    assert!(env.history().iter().all(|entry| entry["tenantId"] == HOME_TENANT));
}

#[test]
fn a_token_in_hand_serves_the_run_to_its_end_whoever_signs_in_meanwhile() {
    let (env, result, sent) = with_another_sign_in_half_way(3600);
    assert_eq!(result.assert_code(0).ids_with_outcome("changed"), [id(0), id(1), id(2), id(3)]);
    assert_eq!(sent, [id(0), id(1), id(2), id(3)]);
    assert!(env.history().iter().all(|entry| entry["tenantId"] == HOME_TENANT));
}
