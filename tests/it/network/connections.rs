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
        .stderr_contains(&[&format!("-> timed out connecting to localhost:{} (", server.port())])
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
    error: could not list the products: could not resolve the host name nowhere.invalid
     [OS ERROR]
    hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
    ===== refuses the connection =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
    hint: check the network, firewalls and HTTPS_PROXY, then try again
    ===== closes without a response =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      connection closed before message completed
      correlation ID: [UUID]
    hint: try again
    ===== never responds =====
    ===== never completes the body =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] did not respond within 1 s
      correlation ID: [UUID]
    hint: try again, or increase the timeout with --timeout SECONDS
    ===== truncates the body =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      end of file before message length reached
      correlation ID: [UUID]
    hint: try again
    ===== sends 9 MiB =====
    ===== sends an endless body =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the response from 127.0.0.1:[PORT] is larger than 8 MiB and was not read
      correlation ID: [UUID]
    hint: check whether a proxy responds instead of the service
    ===== captive portal =====
    ===== captive portal as JSON =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!DOCTYPE html> <html><head><title>Airport Wi-Fi</title></head><body>Welcome! Accept the terms.</body></html>
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
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
    error: could not list the products: 127.0.0.1:[PORT] returned 301 Moved Permanently with a redirect to http://127.0.0.1:[PORT]/login
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ===== 302 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] returned 302 Found with a redirect to http://127.0.0.1:[PORT]/login
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ===== 303 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] returned 303 See Other with a redirect to http://127.0.0.1:[PORT]/login
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ===== 307 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] returned 307 Temporary Redirect with a redirect to http://127.0.0.1:[PORT]/login
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ===== 308 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] returned 308 Permanent Redirect with a redirect to http://127.0.0.1:[PORT]/login
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
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
    error: could not request a device code: 127.0.0.1:[PORT] refused the connection
     [OS ERROR]
    hint: check the network, firewalls and HTTPS_PROXY, then try again
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
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      connection closed before message completed
    hint: try again
    ");
    assert!(env.cache_path().exists());
    env.run(&["status"]).assert_code(0);
}
