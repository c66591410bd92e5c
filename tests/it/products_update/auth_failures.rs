//! A sign-in that is refused, or renewed, while changes are on their way.

use std::sync::Arc;

use super::*;
use crate::tenant::{ADMIN, Answer};

fn refusal() -> Answer {
    Answer::json(401, &json!({ "errorCode": "Unauthorized", "reason": "Not you." }))
}

/// The first three were changed; the fourth was refused, and the rest not sent.
#[track_caller]
fn expect_stopped_at_the_fourth(ran: &Ran, all: &[String]) {
    assert_eq!(ids_of(ran, "changed"), all[..3]);
    assert_eq!(ids_of(ran, "failed"), all[3..]);
    for id in &all[3..] {
        let record = record_of(ran, id);
        assert_eq!(record["policyValue"], record["previousValue"], "a refused sign-in changes nothing");
    }
    assert!(!record_of(ran, &all[3])["error"].as_str().unwrap().contains("not sent"));
    for id in &all[4..] {
        assert_eq!(record_of(ran, id)["error"], "not sent: the sign-in was refused");
    }
}

#[test]
fn a_sign_in_that_is_refused_half_way_fails_the_rest() {
    let machine = Machine::signed_in();
    let fourth = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{}", NOT_DISABLED[3]);
    // The second answer is to the renewed token.
    machine.tenant.fail_next(&fourth, refusal());
    machine.tenant.fail_next(&fourth, refusal());
    let ran = machine.run(&[DISABLE_ALL, &["--jobs", "1"]].concat()).expect_code(4);
    expect_stopped_at_the_fourth(&ran, &NOT_DISABLED.map(str::to_owned));
    let sent = [&NOT_DISABLED[..4], &[NOT_DISABLED[3]]].concat();
    assert_eq!(ids_sent(&machine.tenant.requests()), sent);
    assert_eq!(machine.token_requests().len(), 1);
    assert_eq!(record_of_changes(&machine).len(), 3);
    ran.expect_said(&[
        "error: 3 changed, 5 unchanged, 9 failed\n",
        "401 Unauthorized",
        "not sent: 8",
        "hint: mscommerce connect\n",
    ]);
}

#[test]
fn a_sign_in_that_cannot_be_renewed_half_way_fails_the_rest() {
    let machine = Machine::signed_in();
    machine.tenant.revoke_refresh_tokens();
    let server = service(8, |connection, request| {
        if request.path.ends_with(&id(3)) {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    let ran = run_at(&server, &machine, &[DISABLE_ALL, &["--jobs", "1"]].concat()).expect_code(4);
    expect_stopped_at_the_fourth(&ran, &(0..8).map(id).collect::<Vec<_>>());
    assert_eq!(ids_sent(&server.finish().requests), (0..4).map(id).collect::<Vec<_>>());
    assert_eq!(machine.token_requests().len(), 1);
    ran.expect_said(&["error: 3 changed, 5 failed\n", "AADSTS50173", "not sent: 4", "hint: mscommerce connect"]);
}

#[test]
fn a_token_of_the_environment_that_is_refused_half_way_fails_the_rest() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, TENANT, 3600);
    let fourth = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{}", NOT_DISABLED[3]);
    machine.tenant.fail_next(&fourth, refusal());
    let ran = machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], &[DISABLE_ALL, &["--jobs", "1"]].concat());
    let ran = ran.expect_code(4);
    expect_stopped_at_the_fourth(&ran, &NOT_DISABLED.map(str::to_owned));
    assert_eq!(ids_sent(&machine.tenant.requests()), NOT_DISABLED[..4]);
    ran.expect_said(&["not sent: 8", "MSCOMMERCE_TOKEN"]);
}

#[test]
fn those_on_their_way_beside_a_refused_one_still_count() {
    let machine = Machine::signed_in();
    machine.tenant.revoke_refresh_tokens();
    let together = Gathering::of(4);
    let server = service(4, move |connection, request| {
        together.join();
        if request.path.ends_with(&id(1)) {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    let ran = run_at(&server, &machine, &[DISABLE_ALL, &["--jobs", "4"]].concat()).expect_code(4);
    assert_eq!((ids_of(&ran, "changed"), ids_of(&ran, "failed")), (vec![id(0), id(2), id(3)], vec![id(1)]));
    assert_eq!(record_of_changes(&machine).len(), 3);
}

#[test]
fn a_token_that_ends_under_many_changes_is_renewed_once() {
    let machine = Machine::signed_in();
    let together = Arc::new(Gathering::of(8));
    let server = service(16, move |connection, request| {
        // All of the first eight are refused together, before any of them can renew the sign-in.
        if together.join() == 0 {
            return refuse(connection, 401, "X-Nothing: at all", "Unauthorized");
        }
        make(connection, request)
    });
    let ran = run_at(&server, &machine, &[DISABLE_ALL, &["--jobs", "8"]].concat()).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), (0..16).map(id).collect::<Vec<_>>());
    assert_eq!(machine.token_requests().len(), 1);
    let seen = server.finish();
    let changes: Vec<_> = seen.requests.iter().filter(|request| request.method == "PUT").collect();
    assert_eq!(changes.len(), 24, "the first eight were sent twice");
    let token = |request: &Received| request.header("authorization").unwrap().to_owned();
    let first = token(changes[0]);
    assert!(changes[..8].iter().all(|request| token(request) == first));
    assert!(changes[8..].iter().all(|request| token(request) != first), "nothing goes with the refused token any more");
}

#[test]
fn a_token_that_was_revoked_before_is_renewed_by_the_listing() {
    let machine = Machine::signed_in();
    machine.tenant.revoke_access_tokens();
    let ran = machine.run(DISABLE_ALL).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), NOT_DISABLED);
    assert_eq!(machine.token_requests().len(), 1);
    assert_eq!(ids_changed(&machine), sorted(NOT_DISABLED), "each once");
}

/// Disables everything, one after the other; while the second change is on its way, somebody signs in to the same
/// profile at another tenant. Tokens live for so many seconds.
fn with_another_sign_in_half_way(lifetime: i64) -> (Arc<Machine>, Ran, Vec<String>) {
    let machine = Machine::new();
    machine.tenant.set_token_lifetime(lifetime);
    machine.sign_in(ADMIN);
    let machine = Arc::new(machine);
    let signer = Arc::clone(&machine);
    let server = service(4, move |connection, request| {
        if request.path.ends_with(&id(1)) {
            let elsewhere =
                ["connect", "--username", ADMIN, "--password-stdin", "--tenant", crate::tenant::CUSTOMER_DOMAIN];
            signer.run_with_input(&elsewhere, crate::tenant::PASSWORD).expect_code(0);
        }
        make(connection, request)
    });
    let ran = run_at(&server, &machine, &[DISABLE_ALL, &["--jobs", "1"]].concat());
    let sent = ids_sent(&server.finish().requests);
    (machine, ran, sent)
}

#[test]
fn somebody_elses_sign_in_half_way_takes_no_change_over() {
    // Each of these tokens has to be renewed before it is sent.
    let (machine, ran, sent) = with_another_sign_in_half_way(60);
    let ran = ran.expect_code(4).expect_said(&["anew meanwhile"]);
    assert_eq!(ids_of(&ran, "changed"), [id(0), id(1)]);
    assert_eq!(sent, [id(0), id(1)]);
    assert!(record_of_changes(&machine).iter().all(|entry| entry["tenantId"] == TENANT));
}

#[test]
fn a_token_in_hand_serves_the_run_to_its_end_whoever_signs_in_meanwhile() {
    let (machine, ran, sent) = with_another_sign_in_half_way(3600);
    assert_eq!(ids_of(&ran.expect_code(0), "changed"), [id(0), id(1), id(2), id(3)]);
    assert_eq!(sent, [id(0), id(1), id(2), id(3)]);
    assert!(record_of_changes(&machine).iter().all(|entry| entry["tenantId"] == TENANT));
}
