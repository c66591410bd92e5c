//! Servers that cannot be reached, do not respond, or are not the service.

use super::*;

/// A server that fails, and the connections that one command makes to it.
struct FailureCase {
    name: &'static str,
    serve: Serve,
    flags: &'static [&'static str],
    connections: usize,
}

fn failure_cases() -> Vec<FailureCase> {
    vec![
        FailureCase {
            name: "closes without a response",
            serve: Box::new(|mut connection| drop(connection.read_request())),
            flags: &[],
            connections: 5,
        },
        FailureCase {
            name: "never responds",
            serve: Box::new(|mut connection| connection.wait_for_close()),
            flags: &["--timeout", "1"],
            connections: 1,
        },
        FailureCase {
            name: "never completes the body",
            serve: Box::new(|mut connection| {
                connection.read_request();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n";
                connection.send(format!("{head}{{\"items\":").as_bytes());
                connection.wait_for_close();
            }),
            flags: &["--timeout", "1"],
            connections: 1,
        },
        FailureCase {
            // The received part is a valid list: only the length shows that something is missing.
            name: "truncates the body",
            serve: respond_with(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{PRODUCT_LIST}",
                PRODUCT_LIST.len() + 1
            )),
            flags: &[],
            connections: 5,
        },
        FailureCase {
            name: "sends 9 MiB",
            serve: respond_with("HTTP/1.1 200 OK\r\nContent-Length: 9437184\r\n\r\n".to_owned() + &" ".repeat(9 << 20)),
            flags: &[],
            connections: 1,
        },
        FailureCase {
            // Without a length the body ends when the client closes the connection.
            name: "sends an endless body",
            serve: Box::new(|mut connection| {
                connection.read_request();
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
                let block = [b' '; 1 << 14];
                while connection.send(&block) {}
            }),
            flags: &[],
            connections: 1,
        },
        FailureCase {
            name: "captive portal",
            serve: respond_with(http_response(200, "text/html; charset=utf-8", CAPTIVE_PORTAL_PAGE)),
            flags: &[],
            connections: 1,
        },
        FailureCase {
            // Some portals send their page with the content type of the request.
            name: "captive portal as JSON",
            serve: respond_with(http_response(200, "application/json", CAPTIVE_PORTAL_PAGE)),
            flags: &[],
            connections: 1,
        },
    ]
}

/// The server accepts the connection, so the error must not say that it did not.
#[test]
fn unanswered_tls_handshake_times_out() {
    let server = Server::start(|mut connection| connection.wait_for_close());
    let result = OfflineEnv::new(&server.https()).run(&[LIST, &["-v", "--timeout", "11"]].concat()).assert_code(1);
    result
        .stderr_contains(&[&format!("-> the connection to localhost:{} was not established in time (", server.port())])
        .stderr_lacks("did not accept");
    assert_eq!(server.finish().handshakes, 0);
}

#[test]
fn connection_failures_have_specific_hints() {
    let mut transcript = Transcript::default();
    OfflineEnv::new(&format!("https://{NOWHERE}")).push_failures(&mut transcript, "unknown host", &[]);
    let port = RefusingPort::new();
    OfflineEnv::new(&port.http()).push_failures(&mut transcript, "refuses the connection", &[]);
    for FailureCase { name, serve, flags, connections } in failure_cases() {
        let server = Server::start(serve);
        OfflineEnv::new(&server.http()).push_failures(&mut transcript, name, flags);
        assert_eq!(server.finish().connections, 2 * connections, "{name}");
    }
    cli_snapshot!(transcript, @"
    ===== unknown host =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the address of nowhere.invalid could not be found
     [OS ERROR]
    hint: is this machine online? If it reaches the internet through a proxy, name it in HTTPS_PROXY
    ===== refuses the connection =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
    hint: look at the network, at a firewall in between, and at HTTPS_PROXY, then try again
    ===== closes without a response =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the connection to 127.0.0.1:[PORT] broke off before the answer was complete
      connection closed before message completed
      correlation id: [UUID]
    hint: try again
    ===== never responds =====
    ===== never completes the body =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] did not answer in time (1 s)
      correlation id: [UUID]
    hint: try again, or allow more time with --timeout SECONDS
    ===== truncates the body =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the connection to 127.0.0.1:[PORT] broke off before the answer was complete
      end of file before message length reached
      correlation id: [UUID]
    hint: try again
    ===== sends 9 MiB =====
    ===== sends an endless body =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the answer of 127.0.0.1:[PORT] is larger than 8 MiB and was not read
      correlation id: [UUID]
    hint: this is not an answer of the service: look for a proxy in between
    ===== captive portal =====
    ===== captive portal as JSON =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: a web page came back instead of an answer of 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!DOCTYPE html> <html><head><title>Airport Wi-Fi</title></head><body>Welcome! Accept the terms.</body></html>
      correlation id: [UUID]
    hint: something on the network answers in the service's place: if it has a sign-in page, open any web page in a browser, sign in there, and try again
    hint: a company's proxy may have to be named in HTTPS_PROXY, or told to let this address through
    ");
}

#[test]
fn redirect_is_not_followed() {
    let target = Server::unexpected();
    let mut transcript = Transcript::default();
    for status in [301, 302, 303, 307, 308] {
        let server = Server::responding_with(format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {}/login?secret=1\r\nContent-Length: 0\r\n\r\n",
            target.http()
        ));
        OfflineEnv::new(&server.http()).push_failures(&mut transcript, &status.to_string(), &[]);
        assert_eq!(server.finish().connections, 2, "{status}");
    }
    assert_eq!(target.finish().connections, 0);
    cli_snapshot!(transcript, @"
    ===== 301 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] answered 301 Moved Permanently and points to http://127.0.0.1:[PORT]/login
      a redirect is never followed, for the token must not go elsewhere
      correlation id: [UUID]
    hint: if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again
    ===== 302 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] answered 302 Found and points to http://127.0.0.1:[PORT]/login
      a redirect is never followed, for the token must not go elsewhere
      correlation id: [UUID]
    hint: if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again
    ===== 303 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] answered 303 See Other and points to http://127.0.0.1:[PORT]/login
      a redirect is never followed, for the token must not go elsewhere
      correlation id: [UUID]
    hint: if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again
    ===== 307 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] answered 307 Temporary Redirect and points to http://127.0.0.1:[PORT]/login
      a redirect is never followed, for the token must not go elsewhere
      correlation id: [UUID]
    hint: if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again
    ===== 308 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] answered 308 Permanent Redirect and points to http://127.0.0.1:[PORT]/login
      a redirect is never followed, for the token must not go elsewhere
      correlation id: [UUID]
    hint: if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again
    ");
}

#[test]
fn device_code_connection_refused_error_message() {
    let port = RefusingPort::new();
    let env = TestEnv::new();
    let result = env.run_with_env(&[("AZURE_AUTHORITY_HOST", &port.http())], &["connect", "--device-code"]);
    cli_snapshot!(result, @"
    exit_code: 1
    ----- stderr -----
    error: could not ask for a code: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
    hint: look at the network, at a firewall in between, and at HTTPS_PROXY, then try again
    ");
}

#[test]
fn refresh_network_error_keeps_cached_credential() {
    let server = Server::start(|mut connection| drop(connection.read_request()));
    let env = TestEnv::with_expiring_token();
    let text = env.cache().to_string();
    std::fs::write(env.cache_path(), text.replace(&env.tenant.url(), &server.http())).unwrap();

    cli_snapshot!(env.run(LIST), @"
    exit_code: 1
    ----- stderr -----
    error: could not renew the saved sign-in at the tenant 11111111-1111-4111-8111-111111111111: the connection to 127.0.0.1:[PORT] broke off before the answer was complete
      connection closed before message completed
    hint: try again
    ");
    assert!(env.cache_path().exists());
    env.run(&["status"]).assert_code(0);
}
