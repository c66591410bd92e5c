//! How many tokens a run asks for.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::support::server::{Server, answer};
use crate::tenant::{Answer, CHANGE_PERMISSION, CUSTOMER_TENANT};

/// Any list without anything in it.
const EMPTY: &str = r#"{"items":[]}"#;

#[test]
fn both_scopes_are_listed_with_one_token() {
    let machine = Machine::new();
    let ran = run(&machine, &app_with(&[WITH_SECRET]), &["products", "list", "--scope", "all"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    let requests = machine.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[0], TOKEN);
    assert_eq!(machine.token_requests().len(), 1);
}

#[test]
fn many_changes_side_by_side_ask_for_one_token() {
    let machine = Machine::new();
    trust_github(&machine);
    let disable_all = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "16", "-o", "json"];
    let ran = run(&machine, &on_github(&machine), &disable_all).expect_code(0);
    assert!(ran.json().as_array().unwrap().len() > 10);
    let requests = machine.requests();
    assert_eq!(requests[..3], [GITHUB, TOKEN, LIST]);
    assert!(requests[3..].iter().all(|line| line.starts_with("PUT ")), "{requests:?}");
}

#[test]
fn a_refused_token_is_renewed_once() {
    let machine = Machine::new();
    trust_github(&machine);
    machine.tenant.fail_next(LIST, Answer::text(401, "text/plain", ""));
    let ran = run(&machine, &on_github(&machine), &["products", "list"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(machine.requests(), [GITHUB, TOKEN, LIST, GITHUB, TOKEN, LIST]);
    let tokens: Vec<_> = machine.tenant.requests().into_iter().filter(|request| request.line() == LIST).collect();
    assert_ne!(tokens[0].bearer(), tokens[1].bearer());
}

#[test]
fn a_token_that_is_refused_twice_ends_the_run() {
    let machine = Machine::new();
    for _ in 0..2 {
        machine.tenant.fail_next(LIST, Answer::text(401, "text/plain", ""));
    }
    list_with(&machine, &[WITH_SECRET]).expect_code(4).expect_no_data().expect_said(&["401", "correlation id: "]);
    assert_eq!(machine.requests(), [TOKEN, LIST, TOKEN, LIST]);
}

#[test]
fn a_token_that_cannot_be_renewed_is_asked_for_once() {
    let machine = Machine::new();
    machine.tenant.fail_next("/token", Answer::json(200, &answer_with(&machine)));
    machine.tenant.expire_app_secret();
    machine.tenant.fail_next("PUT ", Answer::text(401, "text/plain", ""));
    let disable_all = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "1", "-o", "json"];
    let ran = run(&machine, &app_with(&[WITH_SECRET]), &disable_all).expect_code(4);
    assert_eq!(machine.token_requests().len(), 2);
    assert_eq!(machine.requests().iter().filter(|line| line.starts_with("PUT ")).count(), 1);
    ran.expect_said(&["AADSTS7000222", "not sent", "hint: "]);
}

fn answer_with(machine: &Machine) -> Value {
    let token = machine.tenant.mint_app(HOME_TENANT, &[CHANGE_PERMISSION], 3600);
    json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token })
}

#[test]
fn a_federated_token_is_read_anew_for_each_token_request() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let file = write(&machine, "token", issued());
    let (first, second) =
        (std::fs::read_to_string(&file).unwrap(), federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, 500));
    // While the list is on its way, somebody puts a fresh token into the file.
    let fresh = Mutex::new(Some((file.clone(), second.clone())));
    let server = Server::start(move |mut connection| {
        while connection.request().is_some() {
            let status = match fresh.lock().unwrap().take() {
                Some((file, token)) => {
                    std::fs::write(file, token).unwrap();
                    401
                }
                None => 200,
            };
            connection.send(answer(status, "application/json", EMPTY).as_bytes());
        }
    });
    let endpoint = server.http();
    list_with(&machine, &[(FEDERATED, &file), ("MSCOMMERCE_ENDPOINT", &endpoint)]).expect_code(0);
    assert_eq!(machine.tenant.assertions(), [first, second]);
    assert_eq!(server.finish().requests.len(), 2);
}

#[test]
fn a_certificate_is_read_once() {
    let machine = Machine::new();
    let file = write(&machine, "app.pem", both(&registered(&machine)));
    let (gone, is_first) = (file.clone(), Mutex::new(true));
    let server = Server::start(move |mut connection| {
        while connection.request().is_some() {
            let status = if std::mem::replace(&mut *is_first.lock().unwrap(), false) {
                std::fs::remove_file(&gone).unwrap();
                401
            } else {
                200
            };
            connection.send(answer(status, "application/json", EMPTY).as_bytes());
        }
    });
    let endpoint = server.http();
    list_with(&machine, &[(CERTIFICATE, &file), ("MSCOMMERCE_ENDPOINT", &endpoint)]).expect_code(0);
    assert_eq!(machine.tenant.assertions().len(), 2, "each token has an assertion of its own");
}

#[test]
fn a_token_for_another_tenant_is_not_used() {
    let machine = Machine::new();
    let token = machine.tenant.mint_app(CUSTOMER_TENANT, &[CHANGE_PERMISSION], 3600);
    let answer = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token });
    machine.tenant.fail_next("/token", Answer::json(200, &answer));
    list_with(&machine, &[WITH_SECRET]).expect_code(4).expect_no_data().expect_said(&[HOME_TENANT, CUSTOMER_TENANT]);
    assert_eq!(machine.requests(), [TOKEN]);
}

#[test]
fn each_tenant_has_a_token_of_its_own() {
    let machine = Machine::new();
    let tenants = ["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT];
    let ran = run(&machine, &app_with(&[WITH_SECRET]), &[&["products", "list", "-o", "json"][..], &tenants].concat());
    assert!(ran.expect_code(0).json().as_array().unwrap().iter().any(|item| item["tenantId"] == CUSTOMER_TENANT));
    let mut asked: Vec<_> = machine.token_requests().into_iter().map(|(tenant, _)| tenant).collect();
    asked.sort_unstable();
    assert_eq!(asked, [HOME_TENANT, CUSTOMER_TENANT]);
    assert_eq!(machine.requests().len(), 4);
}
