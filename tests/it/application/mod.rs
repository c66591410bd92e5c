//! Sign-in as an application, from environment variables or with `connect --application`.

mod certificate_errors;
mod certificates;
mod connect;
mod connect_errors;
mod environment;
mod federated;
mod github;
mod incomplete_env;
mod oauth_errors;
mod permissions;
mod precedence;
mod secrecy;
mod token_reuse;

use std::path::{Path, PathBuf};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::certificates::TestCertificate;
use crate::tenant::{APP_ID, APP_SECRET, FEDERATION_AUDIENCE, GITHUB_ISSUER, GITHUB_SUBJECT, HOME_TENANT};
use crate::tenant::{claims_of, federated_token};

const GITHUB: &str = "GET /github/oidc/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange";

const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const FEDERATED: &str = "AZURE_FEDERATED_TOKEN_FILE";
const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The application and its tenant.
const APP: [(&str, &str); 2] = [("AZURE_CLIENT_ID", APP_ID), ("AZURE_TENANT_ID", HOME_TENANT)];
const WITH_SECRET: (&str, &str) = (SECRET, APP_SECRET);

const ISSUER: &str = "https://cluster.example/issuer";
const SUBJECT: &str = "system:serviceaccount:licences:mscommerce";

/// Environment variables for the application.
type Variables = Vec<(&'static str, String)>;

fn app_with(credential: &[(&'static str, &str)]) -> Variables {
    APP.iter().chain(credential).map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn run(env: &TestEnv, variables: &[(&'static str, String)], arguments: &[&str]) -> CliResult {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    env.run_with_env(&variables, arguments)
}

/// `products list` as the application with this credential.
fn list_with(env: &TestEnv, credential: &[(&'static str, &str)]) -> CliResult {
    run(env, &app_with(credential), &["products", "list"])
}

/// `products list` as the application with this certificate file.
fn list_by_certificate(env: &TestEnv, file: &str) -> CliResult {
    list_with(env, &[(CERTIFICATE, file)])
}

/// `connect --application` at the home tenant with further flags.
fn connect(env: &TestEnv, flags: &[&str], input: &str) -> CliResult {
    let flags = [&["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT], flags].concat();
    env.run_with_stdin(&flags, input)
}

/// An environment with a cached token of the application. Its requests are not in the log.
fn connected() -> TestEnv {
    let env = TestEnv::new();
    connect(&env, &["--client-secret-stdin"], APP_SECRET).assert_code(0);
    env.tenant.forget_requests();
    env
}

fn write_to(directory: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    text_of(path)
}

fn text_of(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap()
}

/// A certificate that is registered with the application.
fn registered(env: &TestEnv) -> TestCertificate {
    let certificate = TestCertificate::rsa();
    env.tenant.register_certificate(&certificate.certificate_der);
    certificate
}

/// Key and certificate in one PEM file.
fn both(certificate: &TestCertificate) -> String {
    certificate.key_pem() + &certificate.certificate_pem()
}

/// A federated token that the application accepts after [`trust_the_issuer`].
fn issued() -> String {
    federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, 600)
}

fn trust_the_issuer(env: &TestEnv) {
    env.tenant.federate(ISSUER, SUBJECT, FEDERATION_AUDIENCE);
}

fn trust_github(env: &TestEnv) {
    env.tenant.federate(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE);
}

/// The variables of the application and of a GitHub Actions job.
fn on_github(env: &TestEnv) -> Variables {
    app_with(&[]).into_iter().chain(env.tenant.github_oidc()).collect()
}

/// The same with some values replaced.
fn on_github_with(env: &TestEnv, other: &[(&'static str, &str)]) -> Variables {
    // The last value of a variable wins.
    on_github(env).into_iter().chain(other.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
}

/// The credential in the token request: the secret, or the issuer of the assertion.
fn client_auth_used(env: &TestEnv) -> String {
    let requests = env.token_requests();
    let [(_, form)] = requests.as_slice() else { panic!("one token: {requests:?}") };
    match form.get("client_assertion") {
        Some(assertion) => claims_of(assertion).unwrap()["iss"].as_str().unwrap().to_owned(),
        None => form["client_secret"].clone(),
    }
}
