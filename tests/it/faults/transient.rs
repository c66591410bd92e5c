//! Transient errors that end before the retries do, and errors that are not retried.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(target_os = "linux")]
use std::time::Duration;

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::EMPTY_LIST;
use crate::support::server::{Connection, Server, TEST_TIMEOUT, TestCa, Validity, http_response};
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD};

const LIST: &[&str] = &["products", "list", "-o", "json", "-q"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN, "--password-stdin"];

/// A server that passes its first connections to `fail` and then responds with empty lists.
fn server_failing_first(times: usize, fail: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
    let connections = AtomicUsize::new(0);
    Server::start(move |mut connection| {
        if connections.fetch_add(1, Ordering::SeqCst) < times {
            return fail(&mut connection);
        }
        while connection.read_request().is_some() {
            connection.respond_json(EMPTY_LIST);
        }
    })
}

fn list_at(url: &str, more: &[(&str, &str)]) -> CliResult {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let variables = [&[("MSCOMMERCE_ENDPOINT", url), ("MSCOMMERCE_TOKEN", &token)], more].concat();
    env.run_with_env(&variables, LIST)
}

/// How a connection ends early.
struct DisconnectCase {
    name: &'static str,
    disconnect: fn(&mut Connection),
}

#[test]
fn closed_connection_is_retried() {
    let cases = [
        DisconnectCase { name: "before the request", disconnect: |_| {} },
        DisconnectCase { name: "instead of a response", disconnect: |connection| drop(connection.read_request()) },
        DisconnectCase {
            name: "within the response",
            disconnect: |connection| {
                connection.read_request();
                connection
                    .send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"items\"");
            },
        },
    ];
    for DisconnectCase { name, disconnect } in cases {
        let server = server_failing_first(4, disconnect);
        let result = list_at(&server.http(), &[]).assert_code(0);
        assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("[]\n", ""), "{name}");
        assert_eq!(server.finish().connections, 5, "{name}");
    }
}

#[test]
fn closed_connection_is_retried_four_times() {
    let server = server_failing_first(usize::MAX, |connection| drop(connection.read_request()));
    cli_snapshot!(list_at(&server.http(), &[]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      connection closed before message completed
      correlation ID: [UUID]
    hint: try again
    ");
    assert_eq!(server.finish().requests.len(), 5);
}

#[test]
fn refused_connection_is_retried() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    // Bound, and refusing connections until it listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut command = env.command(&["products", "list", "-o", "json", "-v"]);
    command.env("MSCOMMERCE_ENDPOINT", format!("http://{}", socket.local_addr().unwrap()));
    let mut child = command.env("MSCOMMERCE_TOKEN", token).spawn().unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut stderr = String::new();
    while !stderr.contains("retrying in ") {
        assert_ne!(reader.read_line(&mut stderr).unwrap(), 0, "{stderr}");
    }
    let listener = socket.listen(8).unwrap().into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    let server = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let mut request = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while request.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream.write_all(http_response(200, "application/json", EMPTY_LIST).as_bytes()).unwrap();
        // The client closes the connection, so that nothing is lost.
        let _ = request.read_to_string(&mut line);
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(output.stdout, b"[]\n");
    server.join().unwrap();
}

#[test]
fn token_request_is_retried_after_disconnect() {
    for is_read in [false, true] {
        let env = TestEnv::new();
        let response = json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": env.tenant.issue_token(ADMIN, HOME_TENANT, 3600),
        });
        let connections = AtomicUsize::new(0);
        let server = Server::start(move |mut connection| {
            if connections.fetch_add(1, Ordering::SeqCst) < 4 {
                if is_read {
                    connection.read_request();
                }
                return;
            }
            while connection.read_request().is_some() {
                connection.respond_json(&response.to_string());
            }
        });
        let mut command = env.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", server.http());
        TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
        assert_eq!(server.finish().connections, 5);
    }
}

#[test]
fn permanent_errors_are_not_retried() {
    for status in [301, 302, 307, 308, 400, 403, 404, 409] {
        let head = format!("HTTP/1.1 {status} No\r\nLocation: /elsewhere\r\nRetry-After: 0\r\nContent-Length: 2");
        let server = Server::responding_with(format!("{head}\r\n\r\n{{}}"));
        list_at(&server.http(), &[]).assert_code(1);
        let lines = server.finish().lines();
        // An error may cause a different request, but not the same one again.
        let listings = lines.iter().filter(|line| line.contains("/products?scope=product")).count();
        assert_eq!(listings, 1, "{status}: {lines:?}");
    }
}

#[test]
fn failed_tls_handshake_is_not_retried() {
    let ca = TestCa::new();
    let directory = tempfile::tempdir().unwrap();
    let pem = directory.path().join("ca.pem");
    std::fs::write(&pem, ca.pem()).unwrap();
    for (name, validity) in [("other.example", Validity::Valid), ("localhost", Validity::Expired)] {
        let config = ca.server_config(name, validity, rustls::ALL_VERSIONS);
        let server = Server::start(move |connection| drop(connection.accept_tls(&Arc::clone(&config))));
        list_at(&server.https(), &[("SSL_CERT_FILE", pem.to_str().unwrap())]).assert_code(1);
        assert_eq!(server.finish().connections, 1, "{name}");
    }
}

/// Linux does not respond to connection attempts if the accept queue is full.
#[cfg(target_os = "linux")]
#[test]
fn connect_timeout_is_ten_seconds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut pending = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        pending.push(stream);
    }
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let url = format!("http://{address}");
    let variables = [("MSCOMMERCE_ENDPOINT", url.as_str()), ("MSCOMMERCE_TOKEN", &token)];
    let result = env.run_with_env(&variables, &["products", "list", "-v", "--timeout", "11"]).assert_code(1);
    let line = result.stderr.lines().find(|line| line.contains("timed out connecting to ")).unwrap_or_default();
    let elapsed = line.rsplit_once('(').and_then(|(_, elapsed)| elapsed.split(' ').next()?.parse::<u32>().ok());
    assert!(elapsed.is_some_and(|elapsed| (10_000..11_000).contains(&elapsed)), "{}", result.stderr);
}
