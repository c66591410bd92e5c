//! The authorization code from the browser is exchanged once, even if the request fails or the browser repeats it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, ChildStderr};

use url::Url;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::server::{Connection, Server, http_response};
use crate::support::snapshot::Transcript;
use crate::tenant::{authorize, post_form};

/// The executable while it waits for the browser.
struct PendingSignIn {
    child: Child,
    stderr: BufReader<ChildStderr>,
    url: Url,
}

impl PendingSignIn {
    fn start(env: &TestEnv, authority: &str) -> Self {
        let mut command = env.command(&["connect", "--no-browser"]);
        let mut child = command.env("AZURE_AUTHORITY_HOST", authority).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("/oauth2/v2.0/authorize?") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no URL was printed");
        }
        Self { child, stderr, url: line.trim().parse().unwrap() }
    }

    fn parameter(&self, name: &str) -> String {
        self.url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    fn finish(mut self) -> CliResult {
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        CliResult { code, stdout: String::new(), stderr }
    }
}

/// How a connection ends early.
struct DisconnectCase {
    name: &'static str,
    disconnect: fn(&mut Connection),
}

#[test]
fn code_exchange_is_not_retried_after_disconnect() {
    let cases = [
        DisconnectCase { name: "no response", disconnect: |_| {} },
        DisconnectCase {
            name: "truncated response",
            disconnect: |connection| {
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{");
            },
        },
    ];
    let mut transcript = Transcript::default();
    for DisconnectCase { name, disconnect } in cases {
        let server = Server::start(move |mut connection| {
            if connection.read_request().is_some() {
                disconnect(&mut connection);
            }
        });
        let env = TestEnv::new();
        let sign_in = PendingSignIn::start(&env, &server.http());
        let (redirect, state) = (sign_in.parameter("redirect_uri"), sign_in.parameter("state"));
        post_form(&redirect, &[("code", "the-code"), ("state", &state)]);
        transcript.push(name, sign_in.finish());
        let recorded = server.finish();
        assert_eq!(recorded.requests.len(), 1, "{name}: {recorded:?}");
        assert!(recorded.requests[0].body.contains("the-code"));
        assert!(!env.cache_path().exists());
    }
    cli_snapshot!(transcript, @"
    ===== no response =====
    exit_code: 1
    ----- stderr -----

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      connection closed before message completed
    hint: try again
    ===== truncated response =====
    exit_code: 1
    ----- stderr -----

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      end of file before message length reached
    hint: try again
    ");
}

/// Token requests that can be repeated are retried after these responses.
#[test]
fn code_exchange_is_not_retried_after_transient_response() {
    let unavailable =
        r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: Transient.","error_codes":[90033]}"#;
    let mut transcript = Transcript::default();
    for (status, body) in [(200, ""), (400, unavailable), (429, ""), (503, "")] {
        let server = Server::responding_with(http_response(status, "application/json", body));
        let env = TestEnv::new();
        let sign_in = PendingSignIn::start(&env, &server.http());
        let (redirect, state) = (sign_in.parameter("redirect_uri"), sign_in.parameter("state"));
        post_form(&redirect, &[("code", "the-code"), ("state", &state)]);
        transcript.push(format!("{status} {body}"), sign_in.finish());
        assert_eq!(server.finish().requests.len(), 1, "{status} {body}");
        assert!(!env.cache_path().exists());
    }
    cli_snapshot!(transcript, @r#"
    ===== 200  =====
    exit_code: 1
    ----- stderr -----

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: 127.0.0.1:[PORT] returned 200 OK
      the response has no body
    hint: try again in a minute
    ===== 400 {"error":"temporarily_unavailable","error_description":"AADSTS90033: Transient.","error_codes":[90033]} =====
    exit_code: 1
    ----- stderr -----

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: 127.0.0.1:[PORT] returned 400 Bad Request
      {"error":"temporarily_unavailable","error_description":"AADSTS90033: Transient.","error_codes":[90033]}
    hint: try again in a minute
    ===== 429  =====
    exit_code: 1
    ----- stderr -----

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: 127.0.0.1:[PORT] returned 429 Too Many Requests
    hint: try again in a minute
    ===== 503  =====
    exit_code: 1
    ----- stderr -----

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
    hint: try again in a minute
    "#);
}

#[test]
fn repeated_redirect_exchanges_code_once() {
    let env = TestEnv::new();
    let sign_in = PendingSignIn::start(&env, &env.tenant.url());
    let port = Url::parse(&sign_in.parameter("redirect_uri")).unwrap().port().unwrap();
    let form = authorize(sign_in.url.as_str()).sign_in().clone();
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let request = format!(
        "POST /m365/commerce HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (start, end) = request.split_at(request.len() - 1);
    let browsers: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect();
    // The executable may exit before the last ones are sent.
    for mut stream in &browsers {
        let _ = stream.write_all(end.as_bytes());
    }
    let accepted = browsers.into_iter().filter(|mut stream| {
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        response.starts_with(b"HTTP/1.1 200 ")
    });
    assert_eq!(accepted.count(), 1);
    sign_in.finish().assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}
