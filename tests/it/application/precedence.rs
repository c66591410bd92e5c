//! Which credential serves where there are several.

use serde_json::Value;

use super::*;
use crate::tenant::{ADMIN, CLIENT_ID, CUSTOMER_TENANT};

#[test]
fn a_secret_comes_before_a_certificate_before_a_federated_token_before_github() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    trust_github(&machine);
    let pem = write(&machine, "app.pem", both(&registered(&machine)));
    let token = write(&machine, "token", issued());
    let mut proofs = vec![WITH_SECRET, (CERTIFICATE, pem.as_str()), (FEDERATED, token.as_str())];
    for expected in [APP_SECRET, APP_ID, ISSUER, GITHUB_ISSUER] {
        machine.tenant.forget_requests();
        let variables = on_github_with(&machine, &proofs);
        run(&machine, &variables, &["products", "list"]).expect_code(0);
        assert_eq!(kind_of_proof(&machine), expected);
        // The next is found where this one is empty.
        if let Some(first) = proofs.iter_mut().find(|(_, value)| !value.is_empty()) {
            first.1 = "";
        }
    }
}

#[test]
fn what_comes_first_is_not_passed_over_because_it_fails() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let token = write(&machine, "token", issued());
    let missing = text_of(machine.home().join("missing.pem"));
    list_with(&machine, &[(CERTIFICATE, &missing), (FEDERATED, &token)])
        .expect_code(4)
        .expect_no_data()
        .expect_said(&["missing.pem", CERTIFICATE]);
    assert!(machine.requests().is_empty());
    machine.tenant.expire_app_secret();
    list_with(&machine, &[WITH_SECRET, (FEDERATED, &token)]).expect_code(4).expect_no_data();
    assert_eq!(machine.requests(), [TOKEN]);
}

#[test]
fn a_ready_token_comes_before_the_application_and_that_before_who_is_signed_in() {
    let machine = Machine::signed_in();
    let ready = machine.tenant.mint(ADMIN, CUSTOMER_TENANT, 3600);
    let mut variables = app_with(&[WITH_SECRET]);

    let mut with_token = variables.clone();
    with_token.push(("MSCOMMERCE_TOKEN", ready.clone()));
    run(&machine, &with_token, &["products", "list"]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
    assert_eq!(machine.tenant.requests()[0].bearer(), Some(ready.as_str()));
    let status =
        run(&machine, &with_token, &["status", "-o", "json"]).expect_code(0).expect_said(&["MSCOMMERCE_TOKEN"]);
    assert_eq!(who(&status), ["token", "environment", CLIENT_ID, CUSTOMER_TENANT]);

    machine.tenant.forget_requests();
    let saved = machine.saved();
    run(&machine, &variables, &["products", "list"]).expect_code(0);
    assert_eq!(machine.requests(), [TOKEN, LIST]);
    let status = run(&machine, &variables, &["status", "-o", "json"]).expect_code(0);
    assert_eq!(who(&status), ["application", "environment", APP_ID, HOME_TENANT]);
    assert_eq!(machine.saved(), saved, "the sign-in is as it was");

    machine.tenant.forget_requests();
    variables.clear();
    run(&machine, &variables, &["products", "list"]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
    let status = run(&machine, &variables, &["status", "-o", "json"]).expect_code(0);
    assert_eq!(who(&status), ["password", "cache", CLIENT_ID, HOME_TENANT]);
}

fn who(status: &Ran) -> [String; 4] {
    let status = status.json();
    ["method", "source", "clientId", "tenantId"].map(|name| status[name].as_str().unwrap().to_owned())
}

#[test]
fn a_ready_token_serves_whatever_the_application_is_worth() {
    let machine = Machine::new();
    let ready = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for variables in [
        app_with(&[(CERTIFICATE, "/nowhere/app.pem")]),
        app_with(&[WITH_SECRET, ("AZURE_TENANT_ID", "no tenant at all")]),
        on_github_with(&machine, &[(GITHUB_URL, "no web address")]),
    ] {
        machine.tenant.forget_requests();
        let variables = [variables, vec![("MSCOMMERCE_TOKEN", ready.clone())]].concat();
        let ran = run(&machine, &variables, &["products", "list"]).expect_code(0);
        assert_eq!(ran.stderr, "");
        run(&machine, &variables, &["status"]).expect_code(0);
        assert_eq!(machine.requests(), [LIST]);
    }
}

#[test]
fn the_application_outranks_a_profile_that_is_named() {
    let machine = Machine::signed_in();
    let variables = app_with(&[WITH_SECRET]);
    let status = run(&machine, &variables, &["status", "-o", "json", "--profile", "default"]).expect_code(0);
    assert_eq!(status.json()["method"], "application");
    assert_eq!(status.json()["profile"], Value::Null);
}

#[test]
fn connect_is_refused_where_the_application_would_outrank_it() {
    let machine = Machine::new();
    let github = machine.tenant.github_oidc();
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
            let ran = run(&machine, &app_with(proof), &[&["connect"], way].concat()).expect_code(2).expect_no_data();
            ran.expect_said(&[
                "AZURE_CLIENT_ID, AZURE_TENANT_ID",
                name,
                "hint: ",
                "mscommerce connect --application",
                "unset AZURE_CLIENT_ID",
            ]);
        }
    }
    assert!(machine.requests().is_empty());
    assert!(!machine.sign_ins().exists());
}

#[test]
fn connect_takes_a_person_where_the_application_is_not_complete() {
    for variables in [&APP[..], &[APP[0], WITH_SECRET], &[APP[1], WITH_SECRET], &[WITH_SECRET]] {
        let machine = Machine::new();
        let mut command = machine.command(&["connect", "--username", ADMIN, "--password-stdin"]);
        command.envs(variables.iter().copied());
        Machine::run_command_with_input(command, crate::tenant::PASSWORD).expect_code(0);
        let status = machine.run_with(variables, &["status", "-o", "json"]).expect_code(0).json();
        assert_eq!(status["method"], "password");
    }
}

#[test]
fn disconnect_says_that_the_application_still_serves() {
    let machine = Machine::signed_in();
    let ran = run(&machine, &app_with(&[WITH_SECRET]), &["disconnect"]).expect_code(0);
    ran.expect_said(&["Signed out: default", "AZURE_CLIENT_ID"]);
}
