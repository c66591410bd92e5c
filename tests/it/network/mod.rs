//! Network failures: each has its own message and hint, and no token or password is sent to an untrusted server.

mod addresses;
mod connections;
mod doctor;
mod proxies;
mod responses;
mod retries;
mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{CAPTIVE_PORTAL_PAGE, DISABLED_PRODUCT, ENABLED_PRODUCT, POWER_BI, PRODUCT_LIST};
use crate::support::in_parallel;
use crate::support::server::{Connection, Recorded, RefusingPort, Server, TestCa, Validity, http_response};
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD, Response};

/// A host name that never resolves (RFC 6761).
const NOWHERE: &str = "nowhere.invalid";
/// A service that is reachable only through a proxy.
const BEHIND_PROXY: &str = "https://licensing.example";

const LIST: &[&str] = &["products", "list"];
const GET: &[&str] = &["product", "get", POWER_BI];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN, "--password-stdin"];

/// An environment in which both services are at another address than the simulated tenant, which only issues the token.
struct OfflineEnv {
    env: TestEnv,
    token: String,
    variables: Vec<(String, String)>,
}

impl OfflineEnv {
    /// Both services are at `url`.
    fn new(url: &str) -> Self {
        let env = TestEnv::new();
        let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
        Self { env, token, variables: Vec::new() }
            .with_env("MSCOMMERCE_ENDPOINT", url)
            .with_env("AZURE_AUTHORITY_HOST", url)
    }

    /// Sets an environment variable.
    fn with_env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Trusts the certificates of a file.
    fn with_ca_file(self, file: &Path) -> Self {
        self.with_env("SSL_CERT_FILE", file.to_str().unwrap())
    }

    /// Runs with a token in the environment.
    fn run(&self, arguments: &[&str]) -> CliResult {
        let mut variables: Vec<_> = self.variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        variables.push(("MSCOMMERCE_TOKEN", &self.token));
        self.checked(self.env.run_with_env(&variables, arguments))
    }

    /// Signs in with a password.
    fn connect(&self, flags: &[&str]) -> CliResult {
        let mut command = self.env.command(&[CONNECT, flags].concat());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let result = self.checked(TestEnv::run_command_with_stdin(command, PASSWORD));
        assert!(!self.env.cache_path().exists(), "a failed sign-in was saved");
        result
    }

    /// Lists and signs in. Both fail with exit code 1, without data, for the same reason and with the same hints.
    #[track_caller]
    fn push_failures(&self, transcript: &mut Transcript, name: &str, flags: &[&str]) {
        let (list, connect) = (self.run(&[LIST, flags].concat()), self.connect(flags));
        for result in [&list, &connect] {
            assert_eq!((result.code, result.stdout.as_str()), (1, ""), "{name}: {result:?}");
            assert!(result.stderr.contains("\nhint: "), "{name}: {}", result.stderr);
        }
        assert_eq!(without_action(&connect), without_action(&list), "{name}");
        transcript.push(name, list);
    }

    /// Asserts that no secret is printed, and removes what differs between systems and runs.
    #[track_caller]
    fn checked(&self, mut result: CliResult) -> CliResult {
        for secret in [self.token.as_str(), PASSWORD] {
            assert!(!result.stderr.contains(secret) && !result.stdout.contains(secret), "secret printed: {result:?}");
        }
        let normalize = |line| match line {
            _ if str::starts_with(line, "  failed to lookup address information") => " [OS ERROR]",
            _ => line.split(": verification time ").next().unwrap_or(line),
        };
        result.stderr = result.stderr.lines().map(normalize).flat_map(|line| [line, "\n"]).collect();
        result
    }
}

/// An error without what failed (`could not list the products`) and without correlation ids.
fn without_action(result: &CliResult) -> String {
    let cause = result.stderr.splitn(3, ": ").last().unwrap_or_default();
    cause.lines().filter(|line| !line.starts_with("  correlation ID: ")).flat_map(|line| [line, "\n"]).collect()
}

impl Recorded {
    #[track_caller]
    fn assert_no_credentials(&self, case: &str) {
        for request in &self.requests {
            assert_eq!(request.header("authorization"), None, "{case}: {request:?}");
            assert!(!request.body.contains("password"), "{case}: {request:?}");
        }
    }
}

type Serve = Box<dyn Fn(Connection) + Send + Sync>;

/// Answers like the commerce endpoint with one product, which is enabled, until the client disconnects.
fn serve_product(mut connection: Connection) {
    while let Some(request) = connection.read_request() {
        let body = match request.method.as_str() {
            "PUT" => DISABLED_PRODUCT,
            _ if request.path.ends_with("/products") => PRODUCT_LIST,
            _ => ENABLED_PRODUCT,
        };
        connection.respond_json(body);
    }
}

/// The same over TLS, for a client that completes the handshake.
fn serve_product_over_tls(connection: Connection, config: &Arc<ServerConfig>) {
    if let Some(connection) = connection.accept_tls(config) {
        serve_product(connection);
    }
}

/// Responds to every request with these bytes, then closes the connection.
fn respond_with(response: impl Into<Vec<u8>>) -> Serve {
    let response = response.into();
    Box::new(move |mut connection| {
        if connection.read_request().is_some() {
            connection.send(&response);
        }
    })
}

/// A file for `SSL_CERT_FILE`.
struct Pem {
    file: PathBuf,
    _directory: TempDir,
}

impl Pem {
    fn from_ca(ca: &TestCa) -> Self {
        Self::from_text(&ca.pem())
    }

    fn from_text(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roots.pem");
        std::fs::write(&file, text).unwrap();
        Self { file, _directory: directory }
    }
}
