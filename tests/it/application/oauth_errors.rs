//! What Entra refuses an application for, and what is said of it.

use super::*;
use crate::support::server::RefusingPort;
use crate::tenant::certificates::RsaKey;
use crate::tenant::{APP_SECRET_ID, CLIENT_ID};

const UNKNOWN_TENANT: &str = "99999999-9999-4999-8999-999999999999";

/// Refused in the environment and by `connect`, both saying this and no secret.
#[track_caller]
fn expect_refused(machine: &Machine, variables: &Variables, said: &[&str]) {
    for command in [&["products", "list", "-vvv"][..], &["connect", "--application", "-vvv"]] {
        let ran = run(machine, variables, command).expect_code(4).expect_no_data();
        let ran = ran.expect_said(said).expect_said(&["error: could not", "hint: ", "correlation id: "]);
        for (_, value) in variables.iter().filter(|(name, _)| *name == SECRET) {
            assert!(!ran.stderr.contains(value), "{}", ran.stderr);
        }
    }
    let requests = machine.requests();
    assert!(requests.len() == 2 && requests.iter().all(|line| line.ends_with("/token")), "one each: {requests:?}");
    assert!(!machine.sign_ins().exists());
}

#[test]
fn a_wrong_secret_is_said_to_be_wrong() {
    let machine = Machine::new();
    let variables = app_with(&[(SECRET, "Wr0ng~secret")]);
    expect_refused(&machine, &variables, &["AADSTS7000215", "secret is wrong", "value", APP_ID]);
    let ran = run(&machine, &variables, &["products", "list"]);
    assert!(!ran.stderr.contains("has the form of"), "{}", ran.stderr);
}

#[test]
fn a_secrets_id_in_the_place_of_its_value_is_recognized() {
    let machine = Machine::new();
    let variables = app_with(&[(SECRET, APP_SECRET_ID)]);
    expect_refused(&machine, &variables, &["AADSTS7000215", SECRET, "secret's id, not of its value"]);
    let ran = connect(&machine, &["--client-secret-stdin"], APP_SECRET_ID).expect_code(4);
    ran.expect_said(&["--client-secret-stdin", "secret's id, not of its value"]);
}

#[test]
fn a_secret_that_has_expired_is_said_to_have() {
    let machine = Machine::new();
    machine.tenant.expire_app_secret();
    expect_refused(&machine, &app_with(&[WITH_SECRET]), &["AADSTS7000222", "expired", "make a new one"]);
}

#[test]
fn an_application_that_the_tenant_does_not_know_is_named() {
    let machine = Machine::new();
    machine.tenant.remove_app_from(HOME_TENANT);
    let said = ["AADSTS700016", APP_ID, HOME_TENANT, "not known in this tenant", "AZURE_CLIENT_ID"];
    expect_refused(&machine, &app_with(&[WITH_SECRET]), &said);
}

#[test]
fn a_tenant_that_does_not_exist_is_named() {
    let machine = Machine::new();
    for tenant in [UNKNOWN_TENANT, "nowhere.example"] {
        machine.tenant.forget_requests();
        let variables = app_with(&[WITH_SECRET, ("AZURE_TENANT_ID", tenant)]);
        expect_refused(&machine, &variables, &["AADSTS90002", tenant, "no such tenant", "AZURE_TENANT_ID"]);
    }
}

#[test]
fn a_public_client_is_no_application() {
    let machine = Machine::new();
    let variables = app_with(&[WITH_SECRET, ("AZURE_CLIENT_ID", CLIENT_ID)]);
    expect_refused(&machine, &variables, &["AADSTS700025", "AZURE_CLIENT_ID"]);
}

#[test]
fn a_certificate_that_is_not_registered_is_told_by_its_thumbprints() {
    let machine = Machine::new();
    let certificate = TestCertificate::rsa();
    let (sha1, sha256) = (certificate.sha1(), certificate.sha256());
    let file = write(&machine, "app.pem", both(&certificate));
    let said = ["AADSTS700027", "not registered", &sha1, &sha256, "SHA-1", "SHA-256", &file];
    expect_refused(&machine, &app_with(&[(CERTIFICATE, &file)]), &said);
}

#[test]
fn another_certificate_than_the_registered_one_is_told_by_its_thumbprints() {
    let machine = Machine::new();
    let known = registered(&machine);
    let other = TestCertificate::rsa_with(RsaKey::Other);
    let file = write(&machine, "app.pfx", other.pfx("", true));
    let said = ["AADSTS700027", &other.sha1(), &other.sha256()];
    expect_refused(&machine, &app_with(&[(CERTIFICATE, &file)]), &said);
    let ran = list_by_certificate(&machine, &file);
    assert!(!ran.stderr.contains(&known.sha1()), "{}", ran.stderr);
}

#[test]
fn no_refusal_of_an_application_sends_a_person_to_the_browser() {
    let machine = Machine::new();
    machine.tenant.expire_app_secret();
    let ran = list_with(&machine, &[WITH_SECRET]).expect_code(4);
    assert!(!ran.stderr.contains("hint: mscommerce connect\n"), "{}", ran.stderr);
}

#[test]
fn entra_that_cannot_be_reached_is_the_networks_fault() {
    let machine = Machine::new();
    let port = RefusingPort::new();
    let authority = port.http();
    for command in [&["products", "list"][..], &["connect", "--application"]] {
        let variables = app_with(&[WITH_SECRET, ("AZURE_AUTHORITY_HOST", &authority)]);
        let ran = run(&machine, &variables, command).expect_code(1).expect_no_data();
        ran.expect_said(&["could not sign in as the application", "127.0.0.1"]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_proxys_page_in_the_place_of_entra_is_told_to_be_that() {
    let machine = Machine::new();
    let page = crate::tenant::Answer::text(200, "text/html", "<!doctype html><title>Sign in to the network</title>");
    machine.tenant.fail_next("/token", page);
    list_with(&machine, &[WITH_SECRET]).expect_code(1).expect_no_data().expect_said(&["web page", "hint: "]);
}
