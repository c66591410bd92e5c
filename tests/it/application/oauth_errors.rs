//! OAuth errors of an application.

use super::*;
use crate::support::fixtures::UNKNOWN_TENANT;
use crate::support::server::RefusingPort;
use crate::support::snapshot::Transcript;
use crate::tenant::certificates::RsaKey;
use crate::tenant::{APP_SECRET_ID, CLIENT_ID};

/// Lists products and connects. Asserts that each sends one token request, and that no secret is shown or saved.
#[track_caller]
fn list_and_connect(env: &TestEnv, variables: &Variables) -> Transcript {
    env.tenant.forget_requests();
    let mut transcript = Transcript::default();
    for command in [&["products", "list"][..], &["connect", "--application"]] {
        let result = transcript.push(command.join(" "), run(env, variables, command));
        let verbose = run(env, variables, &[command, &["-vvv"]].concat());
        for (_, secret) in variables.iter().filter(|(name, _)| *name == SECRET) {
            assert!(!result.stderr.contains(secret) && !verbose.stderr.contains(secret), "{}", verbose.stderr);
        }
    }
    let requests = env.request_lines();
    assert!(requests.len() == 4 && requests.iter().all(|line| line.ends_with("/token")), "one per run: {requests:?}");
    assert!(!env.cache_path().exists());
    transcript
}

#[test]
fn wrong_client_secret_error_message() {
    let env = TestEnv::new();
    cli_snapshot!(list_and_connect(&env, &app_with(&[(SECRET, "Wr0ng~secret")])), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the client secret is wrong
      AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'c0000000-0000-4000-8000-000000000001'. (invalid_client)
      correlation id: [UUID], trace id: [UUID]
    hint: the secret's value is needed, not its id
    ");
}

#[test]
fn secret_id_instead_of_value_error_message() {
    let env = TestEnv::new();
    let variables = app_with(&[(SECRET, APP_SECRET_ID)]);
    cli_snapshot!(list_and_connect(&env, &variables), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the client secret is wrong
      AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'c0000000-0000-4000-8000-000000000001'. (invalid_client)
      correlation id: [UUID], trace id: [UUID]
      AZURE_CLIENT_SECRET has the form of a secret's id, not of its value
    hint: the secret's value is needed, not its id
    ");
    cli_snapshot!(connect(&env, &["--client-secret-stdin"], APP_SECRET_ID), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the client secret is wrong
      AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'c0000000-0000-4000-8000-000000000001'. (invalid_client)
      correlation id: [UUID], trace id: [UUID]
      --client-secret-stdin has the form of a secret's id, not of its value
    hint: the secret's value is needed, not its id
    ");
}

#[test]
fn expired_client_secret_error_message() {
    let env = TestEnv::new();
    env.tenant.expire_app_secret();
    cli_snapshot!(list_and_connect(&env, &app_with(&[WITH_SECRET])), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the client secret has expired
      AADSTS7000222: The provided client secret keys for app 'c0000000-0000-4000-8000-000000000001' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds. (invalid_client)
      correlation id: [UUID], trace id: [UUID]
    hint: make a new one in the app registration
    ");
}

#[test]
fn unknown_application_error_message() {
    let env = TestEnv::new();
    env.tenant.remove_app_from(HOME_TENANT);
    cli_snapshot!(list_and_connect(&env, &app_with(&[WITH_SECRET])), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the application is not known in this tenant
      AADSTS700016: Application with identifier 'c0000000-0000-4000-8000-000000000001' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
      correlation id: [UUID], trace id: [UUID]
    hint: look at AZURE_CLIENT_ID or --client-id, at the tenant, and at the cloud (AZURE_AUTHORITY_HOST)
    hint: an application of another tenant needs an administrator's consent in this one
    ");
}

#[test]
fn unknown_tenant_error_message() {
    let env = TestEnv::new();
    let variables = |tenant| app_with(&[WITH_SECRET, ("AZURE_TENANT_ID", tenant)]);
    cli_snapshot!(list_and_connect(&env, &variables(UNKNOWN_TENANT)), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 99999999-9999-4999-8999-999999999999: there is no such tenant here, or it is in another cloud
      AADSTS90002: Tenant '99999999-9999-4999-8999-999999999999' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation id: [UUID], trace id: [UUID]
    hint: look at how the tenant is named (--tenant, --tenants-file, AZURE_TENANT_ID); for a national cloud set AZURE_AUTHORITY_HOST
    ");
    cli_snapshot!(list_and_connect(&env, &variables("nowhere.example")), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant nowhere.example: there is no such tenant here, or it is in another cloud
      AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation id: [UUID], trace id: [UUID]
    hint: look at how the tenant is named (--tenant, --tenants-file, AZURE_TENANT_ID); for a national cloud set AZURE_AUTHORITY_HOST
    ");
}

#[test]
fn public_client_id_error_message() {
    let env = TestEnv::new();
    let variables = app_with(&[WITH_SECRET, ("AZURE_CLIENT_ID", CLIENT_ID)]);
    cli_snapshot!(list_and_connect(&env, &variables), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application 3d5cffa9-04da-4657-8cab-c7f074657cad at the tenant 11111111-1111-4111-8111-111111111111: this client id is that of a public client, which has no secret and no certificate
      AADSTS700025: Client is public so neither 'client_assertion' nor 'client_secret' should be presented. (invalid_client)
      correlation id: [UUID], trace id: [UUID]
    hint: look at AZURE_CLIENT_ID or --client-id: an app registration's application (client) id is needed
    ");
}

#[test]
fn unregistered_certificate_error_has_thumbprints() {
    let env = TestEnv::new();
    let certificate = TestCertificate::rsa();
    let variables = app_with(&[(CERTIFICATE, &env.write("app.pem", both(&certificate)))]);
    cli_snapshot!(list_and_connect(&env, &variables), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered with the application, or the signature is wrong
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation id: [UUID], trace id: [UUID]
      certificate: [TMP]/app.pem, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its key) there where it is missing
    ");
    let result = run(&env, &variables, &["products", "list"]);
    cli_snapshot!(result, @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered with the application, or the signature is wrong
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation id: [UUID], trace id: [UUID]
      certificate: [TMP]/app.pem, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its key) there where it is missing
    ");
}

#[test]
fn other_certificate_error_has_own_thumbprints() {
    let env = TestEnv::new();
    let known = registered(&env);
    let other = TestCertificate::rsa_with(RsaKey::Other);
    let variables = app_with(&[(CERTIFICATE, &env.write("app.pfx", other.pfx("", true)))]);
    cli_snapshot!(list_and_connect(&env, &variables), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered with the application, or the signature is wrong
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation id: [UUID], trace id: [UUID]
      certificate: [TMP]/app.pfx, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its key) there where it is missing
    ");
    let result = run(&env, &variables, &["products", "list"]);
    cli_snapshot!(result, @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered with the application, or the signature is wrong
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation id: [UUID], trace id: [UUID]
      certificate: [TMP]/app.pfx, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its key) there where it is missing
    ").stderr_lacks(&known.sha1());
}

#[test]
fn application_errors_do_not_suggest_browser() {
    let env = TestEnv::new();
    env.tenant.expire_app_secret();
    let result = list_with(&env, &[WITH_SECRET]).assert_code(4);
    assert!(!result.stderr.contains("hint: mscommerce connect\n"), "{}", result.stderr);
}

#[test]
fn unreachable_authority_is_a_network_error() {
    let env = TestEnv::new();
    let port = RefusingPort::new();
    let authority = port.http();
    let mut transcript = Transcript::default();
    for command in [&["products", "list"][..], &["connect", "--application"]] {
        let variables = app_with(&[WITH_SECRET, ("AZURE_AUTHORITY_HOST", &authority)]);
        transcript.push(command.join(" "), run(&env, &variables, command));
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
    hint: look at the network, at a firewall in between, and at HTTPS_PROXY, then try again
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn html_token_response_error_message() {
    let env = TestEnv::new();
    let page = crate::tenant::Response::text(200, "text/html", "<!doctype html><title>Sign in to the network</title>");
    env.tenant.fail_next("/token", page);
    cli_snapshot!(list_with(&env, &[WITH_SECRET]), @"
    exit_code: 1
    ----- stderr -----
    error: could not sign in as the application c0000000-0000-4000-8000-000000000001 at the tenant 11111111-1111-4111-8111-111111111111: a web page came back instead of an answer of 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!doctype html><title>Sign in to the network</title>
    hint: something on the network answers in the service's place: if it has a sign-in page, open any web page in a browser, sign in there, and try again
    hint: a company's proxy may have to be named in HTTPS_PROXY, or told to let this address through
    ");
}
