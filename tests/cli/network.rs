//! Whatever can stand between this machine and the services: each trouble told apart in words, with a hint of its
//! own, and no token or password sent where it must not go.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::{Authority, Connection, RefusingPort, Seen, Server, Validity, answer};
use crate::support::{Machine, Ran};
use crate::tenant::{ADMIN, Answer, HOME_TENANT, PASSWORD};

/// An address that no resolver knows (RFC 6761).
const NOWHERE: &str = "nowhere.invalid";
const POWER_BI: &str = "CFQ7TTC0H9MP";
const LISTING: &str = r#"{"items":[{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}]}"#;
const ENABLED: &str = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
const DISABLED: &str = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Disabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
const SIGN_IN_PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>Airport Wi-Fi</title></head><body>Welcome! Accept the terms.</body></html>";

const LIST: &[&str] = &["products", "list"];
const GET: &[&str] = &["product", "get", POWER_BI];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN, "--password-stdin"];

/// A machine whose services are elsewhere than in the simulated tenant, which only makes its token.
struct Away {
    machine: Machine,
    token: String,
    variables: Vec<(String, String)>,
}

impl Away {
    /// Both services are at `url`.
    fn at(url: &str) -> Self {
        let machine = Machine::new();
        let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
        Self { machine, token, variables: Vec::new() }
            .with("MSCOMMERCE_ENDPOINT", url)
            .with("AZURE_AUTHORITY_HOST", url)
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
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut variables: Vec<_> = self.variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        variables.push(("MSCOMMERCE_TOKEN", &self.token));
        let ran = self.machine.run_with(&variables, arguments);
        self.expect_no_secret(&ran);
        ran
    }

    /// Signs in with a password.
    fn connect(&self, flags: &[&str]) -> Ran {
        let mut command = self.machine.command(&[CONNECT, flags].concat());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let ran = run_with_input(command, PASSWORD);
        self.expect_no_secret(&ran);
        assert!(!self.machine.sign_ins().exists(), "a sign-in that failed was saved");
        ran
    }

    /// Listing and signing in fail alike, with these words.
    #[track_caller]
    fn expect_trouble(&self, flags: &[&str], said: &[&str]) {
        self.run(&[LIST, flags].concat()).expect_failure("could not list the products", said);
        self.connect(flags).expect_failure("could not sign in", said);
    }

    #[track_caller]
    fn expect_no_secret(&self, ran: &Ran) {
        for secret in [self.token.as_str(), PASSWORD] {
            assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret), "a secret was printed: {ran:?}");
        }
    }
}

fn run_with_input(mut command: std::process::Command, input: &str) -> Ran {
    use std::io::Write as _;
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    // A program that refuses its settings does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

impl Ran {
    /// The command failed over the network: exit code 1, no data, what failed, why, and at least one hint.
    #[track_caller]
    fn expect_failure(self, what: &str, said: &[&str]) -> Self {
        self.expect_code(1).expect_no_data().expect_said(&["error: ", what, "hint: "]).expect_said(said)
    }

    #[track_caller]
    fn expect_not_said(self, part: &str) -> Self {
        assert!(!self.stderr.contains(part), "said: {part}\n--- stderr\n{}", self.stderr);
        self
    }
}

impl Seen {
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
    while let Some(request) = connection.request() {
        let body = match request.method.as_str() {
            "PUT" => DISABLED,
            _ if request.path.ends_with("/products") => LISTING,
            _ => ENABLED,
        };
        connection.answer(body);
    }
}

/// The same over TLS, for a client that goes through with the handshake.
fn commerce_over(connection: Connection, config: &Arc<ServerConfig>) {
    if let Some(connection) = connection.secured(config) {
        commerce(connection);
    }
}

/// Answers a reading of the product properly, and hands a change of it to `change`.
fn commerce_that(change: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
    Server::start(move |mut connection| {
        while let Some(request) = connection.request() {
            if request.method == "PUT" {
                change(&mut connection);
                return;
            }
            connection.answer(ENABLED);
        }
    })
}

/// A change of which nobody knows what became of it: exit code 1, a record that does not claim to know the value,
/// and the command that shows it. The change was sent once.
#[track_caller]
fn expect_uncertain_change(server: Server, said: &[&str]) {
    let ran = Away::at(&server.http())
        .run(&[DISABLE, &["-o", "json"]].concat())
        .expect_code(1)
        .expect_said(&["hint: see what it is now: mscommerce product get CFQ7TTC0H9MP"]);
    let record = ran.json();
    assert_eq!(record["outcome"], "failed", "{record}");
    assert_eq!(record["policyValue"], Value::Null, "{record}");
    assert_eq!(record["previousValue"], "Enabled", "{record}");
    for part in said {
        assert!(ran.stderr.contains(part), "not said: {part}\n{}", ran.stderr);
    }
    let seen = server.finish();
    let methods: Vec<_> = seen.requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PUT"]);
}

#[test]
fn a_name_that_cannot_be_resolved_is_told_as_that() {
    Away::at(&format!("https://{NOWHERE}")).expect_trouble(
        &[],
        &["the address of nowhere.invalid could not be found", "hint: is this machine online?", "HTTPS_PROXY"],
    );
}

#[test]
fn a_refused_connection_is_told_as_that() {
    let port = RefusingPort::new();
    let address = port.http().replace("http://", "");
    Away::at(&port.http())
        .expect_trouble(&[], &[&format!("{address} refused the connection"), "hint: look at the network"]);
}

#[test]
fn a_server_that_accepts_and_closes_is_told_as_a_connection_that_broke_off() {
    let server = Server::start(|mut connection| drop(connection.request()));
    Away::at(&server.http()).expect_trouble(&[], &["broke off before the answer was complete", "hint: try again"]);
    // Nothing is sent a second time on the quiet: one request for the listing, one for the sign-in.
    let seen = server.finish();
    assert_eq!((seen.connections, seen.requests.len()), (2, 2));
}

#[test]
fn a_server_that_never_answers_is_given_up_when_the_time_is_over() {
    let server = Server::start(|mut connection| connection.wait_for_end());
    Away::at(&server.http())
        .expect_trouble(&["--timeout", "1"], &["did not answer in time (1 s)", "hint: try again", "--timeout SECONDS"]);
    assert_eq!(server.finish().connections, 2);
}

#[test]
fn a_body_that_never_ends_within_the_time_is_given_up_as_well() {
    let server = Server::start(|mut connection| {
        connection.request();
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"items\":");
        connection.wait_for_end();
    });
    Away::at(&server.http()).expect_trouble(&["--timeout", "1"], &["did not answer in time (1 s)"]);
}

#[test]
fn a_body_that_is_cut_off_is_not_taken_for_an_answer() {
    // What arrived would be a whole listing: only the length tells that something is missing.
    let server = Server::answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{LISTING}",
        LISTING.len() + 1
    ));
    Away::at(&server.http()).expect_trouble(&[], &["broke off before the answer was complete", "hint: try again"]);
}

#[test]
fn a_body_larger_than_8_mib_is_refused_whether_or_not_its_length_is_told() {
    let announced =
        Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 9437184\r\n\r\n".to_owned() + &" ".repeat(9 << 20));
    // Without a length the body ends only when the client has had enough.
    let endless = Server::start(|mut connection| {
        connection.request();
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        let block = [b' '; 1 << 14];
        while connection.send(&block) {}
    });
    for server in [announced, endless] {
        Away::at(&server.http()).expect_trouble(
            &[],
            &["is larger than 8 MiB and was not read", "hint: this is not an answer of the service"],
        );
    }
}

#[test]
fn a_redirect_is_never_followed() {
    let target = Server::unwanted();
    for status in [301, 302, 303, 307, 308] {
        let server = Server::answering(format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {}/login?secret=1\r\nContent-Length: 0\r\n\r\n",
            target.http()
        ));
        Away::at(&server.http()).expect_trouble(
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
    let target = Server::unwanted();
    let location = format!("HTTP/1.1 307 Elsewhere\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", target.http());
    let server = commerce_that(move |connection| {
        let _ = connection.send(location.as_bytes());
    });
    expect_uncertain_change(server, &["a redirect is never followed"]);
    assert_eq!(target.finish().connections, 0);
}

#[test]
fn a_captive_portals_page_is_told_apart_from_an_answer() {
    // Some portals serve their page as whatever was asked for.
    for content_type in ["text/html; charset=utf-8", "application/json"] {
        let server = Server::answering(answer(200, content_type, SIGN_IN_PAGE));
        Away::at(&server.http()).expect_trouble(
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
        let server = Server::answering(answer(200, "application/json", body));
        for command in [LIST, &["policy", "list"]] {
            Away::at(&server.http()).run(command).expect_code(1).expect_no_data().expect_said(&[
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
        let server = Server::answering(answer(200, "application/json", body));
        for command in [GET, &["policy", "get"]] {
            let ran = Away::at(&server.http()).run(command);
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{command:?} took {body} for an answer: {ran:?}");
            ran.expect_said(&["the service's answer cannot be understood (status 200", "correlation id: ", body]);
        }
    }
}

#[test]
fn what_cannot_be_read_is_not_changed() {
    for body in ["{}", "[]", "plain text", ""] {
        let server = Server::answering(answer(200, "application/json", body));
        let ran = Away::at(&server.http()).run(DISABLE);
        let seen = server.finish();
        assert_eq!(seen.requests.len(), 1, "a change was sent although {body:?} says nothing of the product: {ran:?}");
        ran.expect_code(1).expect_no_data().expect_said(&["the service's answer cannot be understood"]);
    }
}

#[test]
fn an_answer_to_a_change_that_cannot_be_understood_leaves_open_whether_it_was_made() {
    for body in ["[]", "null", "plain text", ""] {
        let server = commerce_that(move |connection| {
            let _ = connection.answer(body);
        });
        expect_uncertain_change(
            server,
            &["cannot tell whether product CFQ7TTC0H9MP was changed", "cannot be understood", "correlation id: "],
        );
    }
    // 204 is success as well, and says as little.
    let server = commerce_that(|connection| {
        let _ = connection.send(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    expect_uncertain_change(server, &["cannot tell whether product CFQ7TTC0H9MP was changed"]);
}

#[test]
fn a_change_whose_connection_breaks_off_is_not_sent_again() {
    expect_uncertain_change(commerce_that(|_| {}), &["broke off before the answer was complete", "correlation id: "]);
    let cut_off = |connection: &mut Connection| {
        connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{DISABLED}").as_bytes());
    };
    expect_uncertain_change(commerce_that(cut_off), &["broke off before the answer was complete"]);
}

#[test]
fn a_portal_that_answers_a_change_leaves_open_whether_it_was_made() {
    let server = commerce_that(|connection| {
        let _ = connection.send(answer(200, "text/html", SIGN_IN_PAGE).as_bytes());
    });
    expect_uncertain_change(server, &["a web page came back"]);
}

#[test]
fn a_change_that_the_service_has_no_fault_free_answer_to_leaves_open_whether_it_was_made() {
    let server = commerce_that(|connection| {
        connection.send(answer(503, "application/json", r#"{"errorCode":"Busy","reason":"Come back."}"#).as_bytes());
    });
    expect_uncertain_change(server, &["the service answered 503", "Busy: Come back.", "correlation id: "]);
}

#[test]
fn an_empty_body_is_no_answer_to_a_reading() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (command, what) in [
        (LIST, "could not list the products"),
        (GET, "could not read product CFQ7TTC0H9MP"),
        (&["policy", "list"], "could not list the policies"),
        (&["policy", "get"], "could not read the policy AllowSelfServicePurchase"),
    ] {
        Away::at(&server.http()).run(command).expect_code(1).expect_no_data().expect_said(&[
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
        let server = Server::answering(answer(200, "application/json", body));
        Away::at(&server.http())
            .connect(&["-v"])
            .expect_failure("could not sign in", &["cannot be understood", "hint: look at AZURE_AUTHORITY_HOST"])
            .expect_not_said("made-up-access-token");
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
            let machine = Machine::signed_in();
            machine.tenant.fail_next("/products", Answer::text(status, "application/json", body));
            let ran = machine.run(LIST);
            let requests = machine.tenant.requests();
            // Neither is repeated on the quiet: the person decides.
            assert_eq!(requests.len(), 1);
            let correlation_id = requests[0].header("x-ms-correlation-id").unwrap();
            ran.expect_failure(
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
            let server = Server::answering(answer(status, "application/json", body));
            let said = if body.is_empty() { "answered" } else { "Come back." };
            Away::at(&server.http())
                .connect(&[])
                .expect_failure("could not sign in", &[&format!("answered {status}"), said, "hint: try again"]);
        }
    }
}

#[test]
fn a_device_code_that_cannot_be_asked_for_is_told_like_any_other_trouble() {
    let port = RefusingPort::new();
    let machine = Machine::new();
    machine
        .run_with(&[("AZURE_AUTHORITY_HOST", &port.http())], &["connect", "--device-code"])
        .expect_failure("could not ask for a code", &["refused the connection"]);
}

#[test]
fn a_saved_sign_in_that_cannot_be_renewed_for_want_of_a_network_is_a_failure_and_stays() {
    let server = Server::start(|mut connection| drop(connection.request()));
    let machine = Machine::new();
    // Tokens that end at once have to be renewed at the first use.
    machine.tenant.set_token_lifetime(1);
    let command = machine.command(CONNECT);
    run_with_input(command, PASSWORD).expect_code(0);
    let text = std::fs::read_to_string(machine.sign_ins()).unwrap();
    std::fs::write(machine.sign_ins(), text.replace(&machine.tenant.url(), &server.http())).unwrap();

    machine
        .run(LIST)
        .expect_failure("could not renew the saved sign-in", &["broke off before the answer was complete"]);
    assert!(machine.sign_ins().exists());
    machine.run(&["status"]).expect_code(0);
}

// Proxies.

/// A host that only the proxy knows, and what reaches it through a proxy.
const BEHIND_PROXY: &str = "https://licensing.example";

/// A proxy that answers each request for a tunnel with this.
fn proxy_answering(status: &str) -> Server {
    Server::answering(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
}

#[test]
fn a_proxy_that_refuses_the_connection_is_named() {
    let port = RefusingPort::new();
    Away::at(BEHIND_PROXY)
        .with("HTTPS_PROXY", &port.http())
        .expect_trouble(&[], &[&format!("the proxy {}", port.http()), "hint: look at HTTPS_PROXY", "NO_PROXY"]);
}

#[test]
fn a_proxy_whose_name_cannot_be_resolved_is_named() {
    Away::at(BEHIND_PROXY).with("HTTPS_PROXY", &format!("http://{NOWHERE}:3128")).expect_trouble(
        &[],
        &[
            "the address of nowhere.invalid could not be found",
            "that is the proxy http://nowhere.invalid:3128",
            "HTTPS_PROXY",
        ],
    );
}

#[test]
fn a_proxy_that_wants_a_password_is_told_as_that() {
    let proxy = proxy_answering("407 Proxy Authentication Required");
    Away::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).expect_trouble(
        &[],
        &[
            &format!("the proxy {} asks for a user name and a password", proxy.http()),
            "hint: give them in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
        ],
    );
    let seen = proxy.finish();
    assert_eq!(seen.lines(), ["CONNECT licensing.example:443", "CONNECT licensing.example:443"]);
    seen.expect_no_credentials();
}

#[test]
fn a_proxy_that_forbids_the_host_is_told_as_that() {
    let proxy = proxy_answering("403 Forbidden");
    Away::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).expect_trouble(
        &[],
        &[
            &format!("the proxy {} did not let us through to licensing.example", proxy.http()),
            "hint: look at HTTPS_PROXY",
        ],
    );
    proxy.finish().expect_no_credentials();
}

#[test]
fn a_proxy_that_never_answers_is_named_when_the_time_is_over() {
    let proxy = Server::start(|mut connection| connection.wait_for_end());
    Away::at(BEHIND_PROXY)
        .with("HTTPS_PROXY", &proxy.http())
        .expect_trouble(&["--timeout", "1"], &["did not answer in time (1 s)", &proxy.http(), "HTTPS_PROXY"]);
    assert_eq!(proxy.finish().connections, 2);
}

#[test]
fn a_proxys_password_is_sent_to_the_proxy_and_never_printed() {
    for (user_info, header) in
        [("user:s3cret", "Basic dXNlcjpzM2NyZXQ="), ("user:s3cret%40%2F", "Basic dXNlcjpzM2NyZXRALw==")]
    {
        for status in ["407 Proxy Authentication Required", "403 Forbidden", "200 Connection Established"] {
            let proxy = proxy_answering(status);
            let away = Away::at(BEHIND_PROXY)
                .with("HTTPS_PROXY", &proxy.http().replace("http://", &format!("http://{user_info}@")));
            for ran in [away.run(&[LIST, &["-vvv"]].concat()), away.connect(&["-vvv"])] {
                ran.expect_code(1).expect_no_data().expect_not_said("s3cret").expect_not_said("dXNlcjpzM2NyZX");
            }
            let seen = proxy.finish();
            assert!(!seen.requests.is_empty());
            for request in &seen.requests {
                assert_eq!(request.header("proxy-authorization"), Some(header));
            }
            seen.expect_no_credentials();
        }
    }
}

#[test]
fn a_proxys_password_is_not_printed_where_it_breaks_the_proxys_address_either() {
    // People forget to encode these. All but the last end the host's part of an address, so that the password's
    // beginning looks like a port.
    for separator in ['/', '#', '?', '\\', '@'] {
        let away = Away::at(BEHIND_PROXY).with("HTTPS_PROXY", &format!("http://user:s3{separator}cret@{NOWHERE}:3128"));
        for ran in [away.run(&[LIST, &["-vvv"]].concat()), away.connect(&["-vvv"])] {
            ran.expect_code(1).expect_no_data().expect_not_said(":s3").expect_not_said("cret@");
        }
    }
}

#[test]
fn a_service_on_this_machine_is_never_reached_through_a_proxy() {
    let proxy = Server::unwanted();
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let url = proxy.http();
    let variables: Vec<_> = names.iter().map(|name| (*name, url.as_str())).collect();
    machine.run_with(&[&variables[..], &[("MSCOMMERCE_TOKEN", &token)]].concat(), LIST).expect_code(0);
    let mut command = machine.command(CONNECT);
    command.envs(variables);
    run_with_input(command, PASSWORD).expect_code(0);
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn a_socks_proxy_is_refused_with_what_would_do() {
    for (variable, value) in [("ALL_PROXY", "socks5://127.0.0.1:1080"), ("HTTPS_PROXY", "socks5h://127.0.0.1:1080")] {
        Away::at(BEHIND_PROXY).with(variable, value).expect_trouble(&[], &[variable, "socks5", "http:// or https://"]);
    }
}

#[test]
fn no_proxy_is_honoured() {
    let proxy = Server::unwanted();
    for excepted in [NOWHERE, ".invalid", "*", "other.example, nowhere.invalid"] {
        Away::at(&format!("https://{NOWHERE}"))
            .with("HTTPS_PROXY", &proxy.http())
            .with("NO_PROXY", excepted)
            .expect_trouble(&[], &["the address of nowhere.invalid could not be found"]);
    }
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn the_token_travels_inside_the_tunnel_and_the_proxy_never_sees_it() {
    let authority = Authority::new();
    let config = authority.server("licensing.example", Validity::Now, rustls::ALL_VERSIONS);
    let (outer, directory) = (tunnel(&config), Pem::of(&authority));
    let away = Away::at(BEHIND_PROXY).with("HTTPS_PROXY", &outer.http()).trusting(&directory.file);
    away.run(LIST).expect_code(0);
    let seen = outer.finish();
    assert_eq!(seen.lines(), ["CONNECT licensing.example:443", LISTING_LINE]);
    assert_eq!(seen.requests[0].header("authorization"), None);
    assert_eq!(seen.requests[1].header("authorization"), Some(format!("Bearer {}", away.token).as_str()));
    assert_eq!((seen.connections, seen.handshakes), (1, 1));
}

#[test]
fn a_proxy_that_inspects_traffic_is_told_as_an_issuer_that_is_not_trusted() {
    // The proxy shows a certificate of its own making for the service.
    let (inspecting, trusted) = (Authority::new(), Authority::new());
    let config = inspecting.server("licensing.example", Validity::Now, rustls::ALL_VERSIONS);
    let (proxy, directory) = (tunnel(&config), Pem::of(&trusted));
    Away::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).trusting(&directory.file).expect_trouble(
        &[],
        &["the certificate of licensing.example comes from an issuer that is not trusted here", "SSL_CERT_FILE"],
    );
    let seen = proxy.finish();
    assert_eq!(seen.lines(), ["CONNECT licensing.example:443", "CONNECT licensing.example:443"]);
    seen.expect_no_credentials();
}

/// A proxy that grants every tunnel, and is the commerce endpoint at the other end of it as well.
fn tunnel(config: &Arc<ServerConfig>) -> Server {
    let config = Arc::clone(config);
    Server::start(move |mut connection| {
        if connection.request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
            commerce_over(connection, &config);
        }
    })
}

// TLS.

const LISTING_LINE: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product";

/// A file for `SSL_CERT_FILE`.
struct Pem {
    file: PathBuf,
    _directory: TempDir,
}

impl Pem {
    fn of(authority: &Authority) -> Self {
        Self::holding(&authority.pem())
    }

    fn holding(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roots.pem");
        std::fs::write(&file, text).unwrap();
        Self { file, _directory: directory }
    }
}

/// The commerce endpoint over TLS.
fn secure(config: Arc<ServerConfig>) -> Server {
    Server::start(move |connection| commerce_over(connection, &config))
}

/// A server that is not to be trusted is told with these words, and gets neither a token nor a password.
#[track_caller]
fn expect_distrust(config: Arc<ServerConfig>, trusted: &Authority, said: &[&str]) {
    let (server, pem) = (secure(config), Pem::of(trusted));
    Away::at(&server.https()).trusting(&pem.file).expect_trouble(&[], said);
    let seen = server.finish();
    assert_eq!((seen.connections, seen.requests.len()), (2, 0));
}

#[test]
fn a_listing_makes_one_connection_one_handshake_and_one_request() {
    let authority = Authority::new();
    for versions in [rustls::ALL_VERSIONS, &[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let server = secure(authority.server("localhost", Validity::Now, versions));
        let pem = Pem::of(&authority);
        let away = Away::at(&server.https()).trusting(&pem.file);
        let ran = away.run(&["products", "list", "-o", "json"]).expect_code(0);
        assert_eq!(ran.json()[0]["id"], POWER_BI);
        assert_eq!(ran.stderr, "");
        let seen = server.finish();
        assert_eq!((seen.connections, seen.handshakes), (1, 1));
        assert_eq!(seen.lines(), [LISTING_LINE]);
        assert_eq!(seen.requests[0].header("authorization"), Some(format!("Bearer {}", away.token).as_str()));
    }
}

#[test]
fn a_change_makes_one_connection_one_handshake_and_two_requests() {
    let authority = Authority::new();
    let (server, pem) = (secure(authority.for_localhost()), Pem::of(&authority));
    let ran = Away::at(&server.https()).trusting(&pem.file).run(&[DISABLE, &["-o", "json"]].concat()).expect_code(0);
    assert_eq!(ran.json()["outcome"], "changed");
    let seen = server.finish();
    assert_eq!((seen.connections, seen.handshakes), (1, 1));
    let path = "/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP";
    assert_eq!(seen.lines(), [format!("GET {path}"), format!("PUT {path}")]);
    assert_eq!(seen.requests[1].body, r#"{"policyValue":"Disabled"}"#);
}

#[test]
fn a_file_of_several_certificates_is_read_whole() {
    let (first, second) = (Authority::new(), Authority::new());
    let pem = Pem::holding(&format!("Roots of the company\n{}\n{}", first.pem(), second.pem()));
    for authority in [first, second] {
        let server = secure(authority.for_localhost());
        Away::at(&server.https()).trusting(&pem.file).run(LIST).expect_code(0);
    }
}

#[test]
fn an_issuer_that_is_not_trusted_is_told_as_that() {
    expect_distrust(
        Authority::new().for_localhost(),
        &Authority::new(),
        &["comes from an issuer that is not trusted here", "hint: if your company inspects traffic", "SSL_CERT_FILE"],
    );
}

#[test]
fn a_certificate_for_another_name_is_told_as_that() {
    let authority = Authority::new();
    expect_distrust(
        authority.server("other.example", Validity::Now, rustls::ALL_VERSIONS),
        &authority,
        &[
            "the certificate shown for localhost",
            "belongs to another name",
            "hint: something answers in the service's place",
        ],
    );
}

#[test]
fn a_certificate_that_has_expired_is_told_as_that() {
    let authority = Authority::new();
    expect_distrust(
        authority.server("localhost", Validity::Past, rustls::ALL_VERSIONS),
        &authority,
        &["the certificate of localhost", "has expired", "hint: is this machine's clock right?"],
    );
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_told_as_that() {
    let authority = Authority::new();
    expect_distrust(
        authority.server("localhost", Validity::Future, rustls::ALL_VERSIONS),
        &authority,
        &["the certificate of localhost", "is not valid yet", "hint: is this machine's clock right?"],
    );
}

#[test]
fn a_server_that_speaks_only_an_old_tls_version_is_told_as_that() {
    // TLS 1.1 (RFC 4346) in its two ways of not agreeing: a ServerHello of version 3.2 with the one cipher suite
    // that everything had then, and the alert "protocol_version" (70).
    let mut server_hello = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    server_hello.extend([7; 32]);
    server_hello.extend([0, 0x00, 0x2f, 0]);
    let alert = vec![21, 3, 2, 0, 2, 2, 70];
    for reply in [server_hello, alert] {
        let server = Server::start(move |mut connection| {
            if connection.tls_record().is_some() && connection.send(&reply) {
                connection.wait_for_end();
            }
        });
        Away::at(&server.https())
            .expect_trouble(&[], &["TLS", "1.2 or later is needed", "hint: the service itself speaks TLS 1.2"]);
        assert_eq!(server.finish().connections, 2);
    }
}

#[test]
fn a_server_without_tls_is_told_as_that() {
    let server = Server::start(|mut connection| {
        if connection.tls_record().is_some() {
            connection.send(answer(400, "text/plain", "Bad Request").as_bytes());
        }
    });
    Away::at(&server.https()).expect_trouble(&[], &["does not speak TLS on this port", "hint: look at the port"]);
    assert!(server.finish().requests.is_empty());
}

#[test]
fn certificates_that_cannot_be_read_are_named_before_anything_is_sent() {
    let server = Server::unwanted();
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("missing.pem");
    let without = Pem::holding("This is no certificate.\n");
    let broken = Pem::holding("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n");
    // An address on this machine and one elsewhere: the two are reached in different ways.
    for url in [server.https(), BEHIND_PROXY.to_owned()] {
        for file in [&missing, &without.file, &broken.file, &empty.path().to_owned()] {
            Away::at(&url).with("HTTPS_PROXY", &server.http()).trusting(file).expect_trouble(
                &[],
                &[
                    "SSL_CERT_FILE",
                    file.to_str().unwrap(),
                    "hint: set SSL_CERT_FILE to a file of certificates in PEM form",
                ],
            );
        }
    }
    assert_eq!(server.finish().connections, 0);
}

// Addresses.

#[test]
fn an_address_that_would_send_tokens_in_the_clear_is_refused_before_any_request() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let port = machine.tenant.url().rsplit(':').next().unwrap().to_owned();
    for address in [
        "http://licensing.m365.microsoft.com".to_owned(),
        format!("http://127.0.0.1.nip.example:{port}"),
        format!("http://localhost.example:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("HTTP://10.0.0.1:{port}"),
    ] {
        machine
            .run_with(&[("MSCOMMERCE_TOKEN", &token), ("MSCOMMERCE_ENDPOINT", &address)], LIST)
            .expect_code(2)
            .expect_no_data()
            .expect_said(&["MSCOMMERCE_ENDPOINT", &address, "plain http", "hint: write https://"]);
        let mut command = machine.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", &address);
        run_with_input(command, PASSWORD).expect_code(2).expect_no_data().expect_said(&[
            "AZURE_AUTHORITY_HOST",
            &address,
            "plain http",
            "hint: write https://",
        ]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn an_address_that_is_none_is_refused_before_any_request() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for address in [
        "https://",
        "not an address",
        "ftp://licensing.example",
        "https://user:pass@licensing.example",
        "file:///etc/passwd",
        "https://licensing.example/?a=b",
        "https://[::1",
        "https://licensing.example:99999",
    ] {
        let ran = machine
            .run_with(&[("MSCOMMERCE_TOKEN", &token), ("MSCOMMERCE_ENDPOINT", address)], LIST)
            .expect_code(2)
            .expect_no_data()
            .expect_said(&["error: MSCOMMERCE_ENDPOINT"]);
        assert!(!ran.stderr.contains("pass@"), "a password was printed: {}", ran.stderr);
        let mut command = machine.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", address);
        run_with_input(command, PASSWORD).expect_code(2).expect_no_data().expect_said(&["error: AZURE_AUTHORITY_HOST"]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_variable_that_holds_no_proxys_address_is_named_and_nothing_goes_past_it() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let endpoint = ("MSCOMMERCE_ENDPOINT", "https://licensing.example");
    for (variable, value) in [
        ("HTTPS_PROXY", " http://127.0.0.1:1"),
        ("HTTPS_PROXY", "htp://127.0.0.1:1"),
        ("HTTPS_PROXY", "http:/127.0.0.1:1"),
        ("https_proxy", "::::"),
        ("ALL_PROXY", "junk://s3cret@x"),
    ] {
        let ran = machine
            .run_with(&[("MSCOMMERCE_TOKEN", &token), endpoint, (variable, value)], LIST)
            .expect_code(1)
            .expect_said(&["does not hold the address of a proxy", "hint: write http://HOST:PORT"]);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
        // Where no proxy is meant, none is missed.
        let ran = machine
            .run_with(
                &[("MSCOMMERCE_TOKEN", &token), endpoint, (variable, value), ("NO_PROXY", "licensing.example")],
                LIST,
            )
            .expect_code(1);
        assert!(!ran.stderr.contains("of a proxy"), "{variable}={value}: {}", ran.stderr);
    }
}
