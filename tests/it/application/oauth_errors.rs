//! What Entra refuses an application for, and what is said of it.

use super::*;
use crate::support::fixtures::UNKNOWN_TENANT;
use crate::support::server::RefusingPort;
use crate::tenant::certificates::RsaKey;
use crate::tenant::{APP_SECRET_ID, CLIENT_ID};

/// Refused in the environment and by `connect`, both saying this and no secret.
#[track_caller]
fn expect_refused(env: &TestEnv, variables: &Variables, said: &[&str]) {
    for command in [&["products", "list", "-vvv"][..], &["connect", "--application", "-vvv"]] {
        let result = run(env, variables, command).assert_code(4).stdout_is_empty();
        let result = result.stderr_contains(said).stderr_contains(&["error: could not", "hint: ", "correlation id: "]);
        for (_, value) in variables.iter().filter(|(name, _)| *name == SECRET) {
            assert!(!result.stderr.contains(value), "{}", result.stderr);
        }
    }
    let requests = env.request_lines();
    assert!(requests.len() == 2 && requests.iter().all(|line| line.ends_with("/token")), "one each: {requests:?}");
    assert!(!env.cache_path().exists());
}

#[test]
fn a_wrong_secret_is_said_to_be_wrong() {
    let env = TestEnv::new();
    let variables = app_with(&[(SECRET, "Wr0ng~secret")]);
    expect_refused(&env, &variables, &["AADSTS7000215", "secret is wrong", "value", APP_ID]);
    let result = run(&env, &variables, &["products", "list"]);
    assert!(!result.stderr.contains("has the form of"), "{}", result.stderr);
}

#[test]
fn a_secrets_id_in_the_place_of_its_value_is_recognized() {
    let env = TestEnv::new();
    let variables = app_with(&[(SECRET, APP_SECRET_ID)]);
    expect_refused(&env, &variables, &["AADSTS7000215", SECRET, "secret's id, not of its value"]);
    let result = connect(&env, &["--client-secret-stdin"], APP_SECRET_ID).assert_code(4);
    result.stderr_contains(&["--client-secret-stdin", "secret's id, not of its value"]);
}

#[test]
fn a_secret_that_has_expired_is_said_to_have() {
    let env = TestEnv::new();
    env.tenant.expire_app_secret();
    expect_refused(&env, &app_with(&[WITH_SECRET]), &["AADSTS7000222", "expired", "make a new one"]);
}

#[test]
fn an_application_that_the_tenant_does_not_know_is_named() {
    let env = TestEnv::new();
    env.tenant.remove_app_from(HOME_TENANT);
    let said = ["AADSTS700016", APP_ID, HOME_TENANT, "not known in this tenant", "AZURE_CLIENT_ID"];
    expect_refused(&env, &app_with(&[WITH_SECRET]), &said);
}

#[test]
fn a_tenant_that_does_not_exist_is_named() {
    let env = TestEnv::new();
    for tenant in [UNKNOWN_TENANT, "nowhere.example"] {
        env.tenant.forget_requests();
        let variables = app_with(&[WITH_SECRET, ("AZURE_TENANT_ID", tenant)]);
        expect_refused(&env, &variables, &["AADSTS90002", tenant, "no such tenant", "AZURE_TENANT_ID"]);
    }
}

#[test]
fn a_public_client_is_no_application() {
    let env = TestEnv::new();
    let variables = app_with(&[WITH_SECRET, ("AZURE_CLIENT_ID", CLIENT_ID)]);
    expect_refused(&env, &variables, &["AADSTS700025", "AZURE_CLIENT_ID"]);
}

#[test]
fn a_certificate_that_is_not_registered_is_told_by_its_thumbprints() {
    let env = TestEnv::new();
    let certificate = TestCertificate::rsa();
    let (sha1, sha256) = (certificate.sha1(), certificate.sha256());
    let file = env.write("app.pem", both(&certificate));
    let said = ["AADSTS700027", "not registered", &sha1, &sha256, "SHA-1", "SHA-256", &file];
    expect_refused(&env, &app_with(&[(CERTIFICATE, &file)]), &said);
}

#[test]
fn another_certificate_than_the_registered_one_is_told_by_its_thumbprints() {
    let env = TestEnv::new();
    let known = registered(&env);
    let other = TestCertificate::rsa_with(RsaKey::Other);
    let file = env.write("app.pfx", other.pfx("", true));
    let said = ["AADSTS700027", &other.sha1(), &other.sha256()];
    expect_refused(&env, &app_with(&[(CERTIFICATE, &file)]), &said);
    let result = list_by_certificate(&env, &file);
    assert!(!result.stderr.contains(&known.sha1()), "{}", result.stderr);
}

#[test]
fn no_refusal_of_an_application_sends_a_person_to_the_browser() {
    let env = TestEnv::new();
    env.tenant.expire_app_secret();
    let result = list_with(&env, &[WITH_SECRET]).assert_code(4);
    assert!(!result.stderr.contains("hint: mscommerce connect\n"), "{}", result.stderr);
}

#[test]
fn entra_that_cannot_be_reached_is_the_networks_fault() {
    let env = TestEnv::new();
    let port = RefusingPort::new();
    let authority = port.http();
    for command in [&["products", "list"][..], &["connect", "--application"]] {
        let variables = app_with(&[WITH_SECRET, ("AZURE_AUTHORITY_HOST", &authority)]);
        let result = run(&env, &variables, command).assert_code(1).stdout_is_empty();
        result.stderr_contains(&["could not sign in as the application", "127.0.0.1"]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_proxys_page_in_the_place_of_entra_is_told_to_be_that() {
    let env = TestEnv::new();
    let page = crate::tenant::Response::text(200, "text/html", "<!doctype html><title>Sign in to the network</title>");
    env.tenant.fail_next("/token", page);
    list_with(&env, &[WITH_SECRET]).assert_code(1).stdout_is_empty().stderr_contains(&["web page", "hint: "]);
}
