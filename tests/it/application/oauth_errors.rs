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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: wrong client secret
      AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'c0000000-0000-4000-8000-000000000001'. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: use the secret's value, not its ID
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: wrong client secret
      AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'c0000000-0000-4000-8000-000000000001'. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      AZURE_CLIENT_SECRET looks like the secret's ID, not its value
    hint: use the secret's value, not its ID
    ");
    cli_snapshot!(connect(&env, &["--client-secret-stdin"], APP_SECRET_ID), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: wrong client secret
      AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'c0000000-0000-4000-8000-000000000001'. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      --client-secret-stdin looks like the secret's ID, not its value
    hint: use the secret's value, not its ID
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the client secret has expired
      AADSTS7000222: The provided client secret keys for app 'c0000000-0000-4000-8000-000000000001' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: create a new client secret in the app registration
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the application does not exist in this tenant
      AADSTS700016: Application with identifier 'c0000000-0000-4000-8000-000000000001' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check AZURE_CLIENT_ID or --client-id, the tenant, and the cloud (AZURE_AUTHORITY_HOST)
    hint: if the application is from another tenant, ask an administrator to grant consent in this one
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 99999999-9999-4999-8999-999999999999: the tenant does not exist in this cloud
      AADSTS90002: Tenant '99999999-9999-4999-8999-999999999999' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, --tenants-file, AZURE_TENANT_ID), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
    cli_snapshot!(list_and_connect(&env, &variables("nowhere.example")), @"
    ===== products list =====
    ===== connect --application =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant nowhere.example: the tenant does not exist in this cloud
      AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, --tenants-file, AZURE_TENANT_ID), and set AZURE_AUTHORITY_HOST for a national cloud
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
    error: could not sign in as application 3d5cffa9-04da-4657-8cab-c7f074657cad to tenant 11111111-1111-4111-8111-111111111111: this client ID belongs to a public client, which cannot use a secret or a certificate
      AADSTS700025: Client is public so neither 'client_assertion' nor 'client_secret' should be presented. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: set AZURE_CLIENT_ID or --client-id to the application (client) ID of an app registration
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered for the application, or the signature is invalid
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      certificate: [TMP]/app.pem, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its private key) to the app registration if it is missing
    ");
    let result = run(&env, &variables, &["products", "list"]);
    cli_snapshot!(result, @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered for the application, or the signature is invalid
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      certificate: [TMP]/app.pem, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its private key) to the app registration if it is missing
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered for the application, or the signature is invalid
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      certificate: [TMP]/app.pfx, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its private key) to the app registration if it is missing
    ");
    let result = run(&env, &variables, &["products", "list"]);
    cli_snapshot!(result, @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the certificate is not registered for the application, or the signature is invalid
      AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '[THUMBPRINT]'] (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      certificate: [TMP]/app.pfx, valid until [TIME]
      SHA-1 thumbprint: [THUMBPRINT]
      SHA-256 thumbprint: [THUMBPRINT]
    hint: compare the thumbprints above with those in the app registration, under Certificates & secrets
    hint: add the certificate (without its private key) to the app registration if it is missing
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
    hint: check the network, firewalls and HTTPS_PROXY, then try again
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
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!doctype html><title>Sign in to the network</title>
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
    ");
}
