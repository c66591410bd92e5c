//! Whatever can stand between this machine and the services: each trouble told apart in words, with a hint of its
//! own, and no token or password sent where it must not go.

mod addresses;
mod doctor;
mod proxies;
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
use crate::support::server::{Connection, Recorded, RefusingPort, Server, TestCa, Validity, http_response};
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD, Response};

/// An address that no resolver knows (RFC 6761).
const NOWHERE: &str = "nowhere.invalid";

const LIST: &[&str] = &["products", "list"];
const GET: &[&str] = &["product", "get", POWER_BI];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN, "--password-stdin"];

/// A machine whose services are elsewhere than in the simulated tenant, which only makes its token.
struct OfflineEnv {
    env: TestEnv,
    token: String,
    variables: Vec<(String, String)>,
}

impl OfflineEnv {
    /// Both services are at `url`.
    fn at(url: &str) -> Self {
        let env = TestEnv::new();
        let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
        Self { env, token, variables: Vec::new() }.with("MSCOMMERCE_ENDPOINT", url).with("AZURE_AUTHORITY_HOST", url)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, trusting the certificates in a file.
    fn trusting(self, file: &Path) -> Self {
        self.with("SSL_CERT_FILE", file.to_str().unwrap())
    }

    /// Runs with a token in the environment.
    fn run(&self, arguments: &[&str]) -> CliResult {
        let mut variables: Vec<_> = self.variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        variables.push(("MSCOMMERCE_TOKEN", &self.token));
        let result = self.env.run_with_env(&variables, arguments);
        self.expect_no_secret(&result);
        result
    }

    /// Signs in with a password.
    fn connect(&self, flags: &[&str]) -> CliResult {
        let mut command = self.env.command(&[CONNECT, flags].concat());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let result = TestEnv::run_command_with_stdin(command, PASSWORD);
        self.expect_no_secret(&result);
        assert!(!self.env.cache_path().exists(), "a sign-in that failed was saved");
        result
    }

    /// Listing and signing in fail alike, with these words.
    #[track_caller]
    fn expect_trouble(&self, flags: &[&str], said: &[&str]) {
        self.run(&[LIST, flags].concat()).expect_failure("could not list the products", said);
        self.connect(flags).expect_failure("could not sign in", said);
    }

    #[track_caller]
    fn expect_no_secret(&self, result: &CliResult) {
        for secret in [self.token.as_str(), PASSWORD] {
            assert!(
                !result.stderr.contains(secret) && !result.stdout.contains(secret),
                "a secret was printed: {result:?}"
            );
        }
    }
}

impl CliResult {
    /// The command failed over the network: exit code 1, no data, what failed, why, and at least one hint.
    #[track_caller]
    fn expect_failure(self, what: &str, said: &[&str]) -> Self {
        self.assert_code(1).stdout_is_empty().stderr_contains(&["error: ", what, "hint: "]).stderr_contains(said)
    }
}

impl Recorded {
    #[track_caller]
    fn expect_no_credentials(&self) {
        for request in &self.requests {
            assert_eq!(request.header("authorization"), None, "{request:?}");
            assert!(!request.body.contains("password"), "{request:?}");
        }
    }
}

/// Answers like the commerce endpoint with one product, which is enabled, until the client leaves.
fn commerce(mut connection: Connection) {
    while let Some(request) = connection.read_request() {
        let body = match request.method.as_str() {
            "PUT" => DISABLED_PRODUCT,
            _ if request.path.ends_with("/products") => PRODUCT_LIST,
            _ => ENABLED_PRODUCT,
        };
        connection.respond_json(body);
    }
}

/// The same over TLS, for a client that goes through with the handshake.
fn commerce_over(connection: Connection, config: &Arc<ServerConfig>) {
    if let Some(connection) = connection.accept_tls(config) {
        commerce(connection);
    }
}

/// Answers a reading of the product properly, and hands a change of it to `change`.
fn commerce_that(change: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
    Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            if request.method == "PUT" {
                change(&mut connection);
                return;
            }
            connection.respond_json(ENABLED_PRODUCT);
        }
    })
}

/// A change of which nobody knows what became of it: exit code 1, a record that does not claim to know the value,
/// and the command that shows it. `tries` is how often the change is sent.
#[track_caller]
fn expect_uncertain_change(server: Server, tries: usize, said: &[&str]) {
    let result = OfflineEnv::at(&server.http())
        .run(&[DISABLE, &["-o", "json"]].concat())
        .assert_code(1)
        .stderr_contains(&["hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"]);
    let record = result.json();
    assert_eq!(record["outcome"], "failed", "{record}");
    assert_eq!(record["policyValue"], Value::Null, "{record}");
    assert_eq!(record["previousValue"], "Enabled", "{record}");
    for part in said {
        assert!(result.stderr.contains(part), "not said: {part}\n{}", result.stderr);
    }
    let recorded = server.finish();
    let methods: Vec<_> = recorded.requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, [&["GET"][..], &vec!["PUT"; tries]].concat());
}

/// A host that only the proxy knows, and what reaches it through a proxy.
const BEHIND_PROXY: &str = "https://licensing.example";

/// A file for `SSL_CERT_FILE`.
struct Pem {
    file: PathBuf,
    _directory: TempDir,
}

impl Pem {
    fn of(authority: &TestCa) -> Self {
        Self::holding(&authority.pem())
    }

    fn holding(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roots.pem");
        std::fs::write(&file, text).unwrap();
        Self { file, _directory: directory }
    }
}

#[test]
fn a_name_that_cannot_be_resolved_is_told_as_that() {
    OfflineEnv::at(&format!("https://{NOWHERE}")).expect_trouble(
        &[],
        &["the address of nowhere.invalid could not be found", "hint: is this machine online?", "HTTPS_PROXY"],
    );
}

#[test]
fn a_refused_connection_is_told_as_that() {
    let port = RefusingPort::new();
    let address = port.http().replace("http://", "");
    OfflineEnv::at(&port.http())
        .expect_trouble(&[], &[&format!("{address} refused the connection"), "hint: look at the network"]);
}

#[test]
fn a_server_that_accepts_and_closes_is_told_as_a_connection_that_broke_off() {
    let server = Server::start(|mut connection| drop(connection.read_request()));
    OfflineEnv::at(&server.http())
        .expect_trouble(&[], &["broke off before the answer was complete", "hint: try again"]);
    // Five tries for the listing, five for the sign-in.
    let recorded = server.finish();
    assert_eq!((recorded.connections, recorded.requests.len()), (10, 10));
}

#[test]
fn a_server_that_never_answers_is_given_up_when_the_time_is_over() {
    let server = Server::start(|mut connection| connection.wait_for_close());
    OfflineEnv::at(&server.http())
        .expect_trouble(&["--timeout", "1"], &["did not answer in time (1 s)", "hint: try again", "--timeout SECONDS"]);
    assert_eq!(server.finish().connections, 2);
}

#[test]
fn a_body_that_never_ends_within_the_time_is_given_up_as_well() {
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"items\":");
        connection.wait_for_close();
    });
    OfflineEnv::at(&server.http()).expect_trouble(&["--timeout", "1"], &["did not answer in time (1 s)"]);
}

#[test]
fn a_body_that_is_cut_off_is_not_taken_for_an_answer() {
    // What arrived would be a whole listing: only the length tells that something is missing.
    let server = Server::responding_with(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{PRODUCT_LIST}",
        PRODUCT_LIST.len() + 1
    ));
    OfflineEnv::at(&server.http())
        .expect_trouble(&[], &["broke off before the answer was complete", "hint: try again"]);
}

#[test]
fn a_body_larger_than_8_mib_is_refused_whether_or_not_its_length_is_told() {
    let announced =
        Server::responding_with("HTTP/1.1 200 OK\r\nContent-Length: 9437184\r\n\r\n".to_owned() + &" ".repeat(9 << 20));
    // Without a length the body ends only when the client has had enough.
    let endless = Server::start(|mut connection| {
        connection.read_request();
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        let block = [b' '; 1 << 14];
        while connection.send(&block) {}
    });
    for server in [announced, endless] {
        OfflineEnv::at(&server.http()).expect_trouble(
            &[],
            &["is larger than 8 MiB and was not read", "hint: this is not an answer of the service"],
        );
    }
}

#[test]
fn a_redirect_is_never_followed() {
    let target = Server::unexpected();
    for status in [301, 302, 303, 307, 308] {
        let server = Server::responding_with(format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {}/login?secret=1\r\nContent-Length: 0\r\n\r\n",
            target.http()
        ));
        OfflineEnv::at(&server.http()).expect_trouble(
            &[],
            &[
                &format!("answered {status}"),
                &format!("points to {}/login", target.http()),
                "a redirect is never followed",
                "hint: if this network has a sign-in page",
            ],
        );
    }
    assert_eq!(target.finish().connections, 0);
}

#[test]
fn a_redirect_of_a_change_leaves_open_whether_it_was_made() {
    let target = Server::unexpected();
    let location = format!("HTTP/1.1 307 Elsewhere\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", target.http());
    let server = commerce_that(move |connection| {
        let _ = connection.send(location.as_bytes());
    });
    expect_uncertain_change(server, 1, &["a redirect is never followed"]);
    assert_eq!(target.finish().connections, 0);
}

#[test]
fn a_captive_portals_page_is_told_apart_from_an_answer() {
    // Some portals serve their page as whatever was asked for.
    for content_type in ["text/html; charset=utf-8", "application/json"] {
        let server = Server::responding_with(http_response(200, content_type, CAPTIVE_PORTAL_PAGE));
        OfflineEnv::at(&server.http()).expect_trouble(
            &[],
            &[
                "a web page came back",
                "(status 200",
                "Airport Wi-Fi",
                "hint: something on the network answers in the service's place",
            ],
        );
    }
}

#[test]
fn json_of_another_shape_is_not_taken_for_a_listing() {
    for body in
        ["{}", "[]", "null", "\"items\"", r#"{"items":null}"#, r#"{"items":{}}"#, r#"{"items":["x"]}"#, "plain text"]
    {
        let server = Server::responding_with(http_response(200, "application/json", body));
        for command in [LIST, &["policy", "list"]] {
            OfflineEnv::at(&server.http()).run(command).assert_code(1).stdout_is_empty().stderr_contains(&[
                "the service's answer cannot be understood (status 200",
                "correlation id: ",
                body,
            ]);
        }
    }
}

#[test]
fn json_of_another_shape_is_not_taken_for_a_product_or_a_policy() {
    for body in ["{}", "[]", "null", "7", r#"{"items":[]}"#, r#"{"status":"ok"}"#, "plain text"] {
        let server = Server::responding_with(http_response(200, "application/json", body));
        for command in [GET, &["policy", "get"]] {
            let result = OfflineEnv::at(&server.http()).run(command);
            assert_eq!(
                (result.code, result.stdout.as_str()),
                (1, ""),
                "{command:?} took {body} for an answer: {result:?}"
            );
            result.stderr_contains(&[
                "the service's answer cannot be understood (status 200",
                "correlation id: ",
                body,
            ]);
        }
    }
}

#[test]
fn what_cannot_be_read_is_not_changed() {
    for body in ["{}", "[]", "plain text", ""] {
        let server = Server::responding_with(http_response(200, "application/json", body));
        let result = OfflineEnv::at(&server.http()).run(DISABLE);
        let recorded = server.finish();
        assert_eq!(
            recorded.requests.len(),
            1,
            "a change was sent although {body:?} says nothing of the product: {result:?}"
        );
        result.assert_code(1).stdout_is_empty().stderr_contains(&["the service's answer cannot be understood"]);
    }
}

#[test]
fn an_answer_to_a_change_that_cannot_be_understood_leaves_open_whether_it_was_made() {
    for body in ["[]", "null", "plain text", ""] {
        let server = commerce_that(move |connection| {
            let _ = connection.respond_json(body);
        });
        expect_uncertain_change(
            server,
            1,
            &["cannot tell whether product CFQ7TTC0H9MP was changed", "cannot be understood", "correlation id: "],
        );
    }
    // 204 is success as well, and says as little.
    let server = commerce_that(|connection| {
        let _ = connection.send(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    expect_uncertain_change(server, 1, &["cannot tell whether product CFQ7TTC0H9MP was changed"]);
}

#[test]
fn a_change_whose_connection_keeps_breaking_off_leaves_open_whether_it_was_made() {
    expect_uncertain_change(
        commerce_that(|_| {}),
        5,
        &["broke off before the answer was complete", "correlation id: "],
    );
    let cut_off = |connection: &mut Connection| {
        connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{DISABLED_PRODUCT}").as_bytes());
    };
    expect_uncertain_change(commerce_that(cut_off), 5, &["broke off before the answer was complete"]);
}

#[test]
fn a_portal_that_answers_a_change_leaves_open_whether_it_was_made() {
    let server = commerce_that(|connection| {
        let _ = connection.send(http_response(200, "text/html", CAPTIVE_PORTAL_PAGE).as_bytes());
    });
    expect_uncertain_change(server, 1, &["a web page came back"]);
}

#[test]
fn a_change_that_the_service_has_no_fault_free_answer_to_leaves_open_whether_it_was_made() {
    let server = commerce_that(|connection| {
        connection
            .send(http_response(503, "application/json", r#"{"errorCode":"Busy","reason":"Come back."}"#).as_bytes());
    });
    expect_uncertain_change(server, 5, &["the service answered 503", "Busy: Come back.", "correlation id: "]);
}

#[test]
fn an_empty_body_is_no_answer_to_a_reading() {
    let server = Server::responding_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (command, what) in [
        (LIST, "could not list the products"),
        (GET, "could not read product CFQ7TTC0H9MP"),
        (&["policy", "list"], "could not list the policies"),
        (&["policy", "get"], "could not read the policy AllowSelfServicePurchase"),
    ] {
        OfflineEnv::at(&server.http()).run(command).assert_code(1).stdout_is_empty().stderr_contains(&[
            what,
            "cannot be understood (status 200",
            "the answer has no body",
            "correlation id: ",
        ]);
    }
}

#[test]
fn a_token_endpoint_that_answers_something_else_is_told_without_showing_the_answer() {
    // An answer of almost the right shape may hold tokens.
    let almost = json!({ "access_token": "made-up-access-token", "token_type": 7 }).to_string();
    for body in ["{}", "[]", "plain text", "", &almost] {
        let server = Server::responding_with(http_response(200, "application/json", body));
        OfflineEnv::at(&server.http())
            .connect(&["-v"])
            .expect_failure("could not sign in", &["cannot be understood", "hint: look at AZURE_AUTHORITY_HOST"])
            .stderr_lacks("made-up-access-token");
    }
}

#[test]
fn refusals_and_faults_of_the_service_are_told_with_status_words_and_correlation_id() {
    for (status, hint) in [
        (429, "hint: the service asks for less haste"),
        (500, "hint: the service has a fault of its own"),
        (503, "hint: the service has a fault of its own"),
    ] {
        for (body, words) in [
            (r#"{"errorCode":"Trouble","reason":"The service's own words."}"#, "Trouble: The service's own words."),
            ("out of order", "out of order"),
            ("", "the answer has no body"),
        ] {
            let env = TestEnv::signed_in();
            env.tenant.fail_next("/products", Response::text(status, "application/json", body));
            let result = env.run(LIST);
            let requests = env.tenant.requests();
            // It may have passed, so that four more tries follow; the last one is the one that is told.
            assert_eq!(requests.len(), 5);
            let correlation_id = requests[4].header("x-ms-correlation-id").unwrap();
            result.expect_failure(
                "could not list the products",
                &[&format!("the service answered {status}"), words, &format!("correlation id: {correlation_id}"), hint],
            );
        }
    }
}

#[test]
fn faults_of_the_token_endpoint_are_failures_and_not_refused_sign_ins() {
    for status in [429, 500, 503] {
        for body in [r#"{"error":"temporarily_unavailable","error_description":"Come back."}"#, "Come back.", ""] {
            let server = Server::responding_with(http_response(status, "application/json", body));
            let said = if body.is_empty() { "answered" } else { "Come back." };
            OfflineEnv::at(&server.http())
                .connect(&[])
                .expect_failure("could not sign in", &[&format!("answered {status}"), said, "hint: try again"]);
        }
    }
}

#[test]
fn a_device_code_that_cannot_be_asked_for_is_told_like_any_other_trouble() {
    let port = RefusingPort::new();
    let env = TestEnv::new();
    env.run_with_env(&[("AZURE_AUTHORITY_HOST", &port.http())], &["connect", "--device-code"])
        .expect_failure("could not ask for a code", &["refused the connection"]);
}

#[test]
fn a_saved_sign_in_that_cannot_be_renewed_for_want_of_a_network_is_a_failure_and_stays() {
    let server = Server::start(|mut connection| drop(connection.read_request()));
    let env = TestEnv::new();
    // Tokens that end at once have to be renewed at the first use.
    env.tenant.set_token_lifetime(1);
    let command = env.command(CONNECT);
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
    let text = env.cache().to_string();
    std::fs::write(env.cache_path(), text.replace(&env.tenant.url(), &server.http())).unwrap();

    env.run(LIST).expect_failure("could not renew the saved sign-in", &["broke off before the answer was complete"]);
    assert!(env.cache_path().exists());
    env.run(&["status"]).assert_code(0);
}
