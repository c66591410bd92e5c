//! Proxies: settings, errors, and the credentials that a proxy receives.

use super::*;
use crate::support::fixtures::LIST_PRODUCTS;

const CONNECT_SERVICE: &str = "CONNECT licensing.example:443";

/// Responds to each CONNECT request with this status line.
fn respond_with_status(status: &str) -> Serve {
    respond_with(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
}

/// A proxy that accepts every CONNECT request and is also the commerce endpoint in the tunnel.
fn tunnel(config: &Arc<ServerConfig>) -> Server {
    let config = Arc::clone(config);
    Server::start(move |mut connection| {
        if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
            serve_product_over_tls(connection, &config);
        }
    })
}

/// A proxy that fails, and how it is contacted.
struct ProxyCase {
    name: &'static str,
    serve: Serve,
    flags: &'static [&'static str],
    /// Requests that one command sends to it.
    requests: usize,
}

#[test]
fn proxy_failures_have_specific_hints() {
    let cases = [
        ProxyCase {
            name: "407",
            serve: respond_with_status("407 Proxy Authentication Required"),
            flags: &[],
            requests: 1,
        },
        ProxyCase { name: "403", serve: respond_with_status("403 Forbidden"), flags: &[], requests: 2 },
        ProxyCase { name: "502", serve: respond_with_status("502 Bad Gateway"), flags: &[], requests: 2 },
        ProxyCase {
            name: "never responds",
            serve: Box::new(|mut connection| connection.wait_for_close()),
            flags: &["--timeout", "1"],
            requests: 0,
        },
    ];
    let env = || OfflineEnv::new(BEHIND_PROXY);
    let mut transcript = Transcript::default();
    let port = RefusingPort::new();
    env().with_env("HTTPS_PROXY", &port.http()).push_failures(&mut transcript, "refuses the connection", &[]);
    env().with_env("HTTPS_PROXY", &format!("http://{NOWHERE}:3128")).push_failures(
        &mut transcript,
        "unknown host",
        &[],
    );
    for ProxyCase { name, serve, flags, requests } in cases {
        let proxy = Server::start(serve);
        env().with_env("HTTPS_PROXY", &proxy.http()).push_failures(&mut transcript, name, flags);
        let recorded = proxy.finish();
        assert_eq!(recorded.connections, 2 * requests.max(1), "{name}");
        assert_eq!(recorded.lines(), vec![CONNECT_SERVICE; 2 * requests], "{name}");
        recorded.assert_no_credentials(name);
    }
    cli_snapshot!(transcript, @"
    ===== refuses the connection =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy http://127.0.0.1:[PORT] refused the connection
    hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    ===== unknown host =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not resolve the host name nowhere.invalid
     [OS ERROR]
    hint: check HTTPS_PROXY: this is the host of the proxy http://nowhere.invalid:3128
    ===== 407 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy http://127.0.0.1:[PORT] requires a user name and password
    hint: set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT
    ===== 403 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy http://127.0.0.1:[PORT] rejected the connection to licensing.example
      the proxy returned 403 Forbidden
    hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    ===== 502 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy http://127.0.0.1:[PORT] rejected the connection to licensing.example
      the proxy returned 502 Bad Gateway
    hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    ===== never responds =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: licensing.example did not respond within 1 s through the proxy http://127.0.0.1:[PORT]
      correlation ID: [UUID]
    hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    hint: try again, or increase the timeout with --timeout SECONDS
    ");
}

#[test]
fn proxy_password_is_sent_but_not_printed() {
    for (user_info, header) in
        [("user:s3cret", "Basic dXNlcjpzM2NyZXQ="), ("user:s3cret%40%2F", "Basic dXNlcjpzM2NyZXRALw==")]
    {
        for status in ["407 Proxy Authentication Required", "403 Forbidden", "200 Connection Established"] {
            let proxy = Server::start(respond_with_status(status));
            let env = OfflineEnv::new(BEHIND_PROXY)
                .with_env("HTTPS_PROXY", &proxy.http().replace("http://", &format!("http://{user_info}@")));
            for result in [env.run(&[LIST, &["-vvv"]].concat()), env.connect(&["-vvv"])] {
                result.assert_code(1).stdout_is_empty().stderr_lacks("s3cret").stderr_lacks("dXNlcjpzM2NyZX");
            }
            let recorded = proxy.finish();
            assert!(!recorded.requests.is_empty());
            for request in &recorded.requests {
                assert_eq!(request.header("proxy-authorization"), Some(header));
            }
            recorded.assert_no_credentials(status);
        }
    }
}

#[test]
fn unescaped_proxy_password_is_not_printed() {
    // Users forget to encode these characters. Some end the host part of a URL, so that the start of the password looks
    // like a port; with a second @, another password would be sent.
    let proxy = Server::unexpected();
    let address = proxy.http().replace("http://", "");
    let mut transcript = Transcript::default();
    for user_info in [
        "user:s3/cret",
        "user:s3#cret",
        "user:s3?cret",
        "user:s3\\cret",
        "user:s3@cret",
        "user:s3%cret",
        "user:s3cret#",
        "user:s3 cret",
        "user:s3[cret",
        "user:s3ücret",
        "CORP\\user:s3cret",
        "ada@corp.example:s3cret",
    ] {
        for scheme in ["http://", "https://", ""] {
            let env = OfflineEnv::new(BEHIND_PROXY).with_env("HTTPS_PROXY", &format!("{scheme}{user_info}@{address}"));
            for result in [env.run(&[LIST, &["-vvv"]].concat()), env.connect(&["-vvv"]), env.run(&["doctor"])] {
                result.assert_code(1).stderr_lacks("s3").stderr_lacks("cret").stderr_lacks("corp");
            }
            env.push_failures(&mut transcript, &format!("{scheme}{user_info}"), &[]);
        }
    }
    cli_snapshot!(transcript, @r"
    ===== http://user:s3/cret =====
    ===== https://user:s3/cret =====
    ===== user:s3/cret =====
    ===== http://user:s3#cret =====
    ===== https://user:s3#cret =====
    ===== user:s3#cret =====
    ===== http://user:s3?cret =====
    ===== https://user:s3?cret =====
    ===== user:s3?cret =====
    ===== http://user:s3\cret =====
    ===== https://user:s3\cret =====
    ===== user:s3\cret =====
    ===== http://user:s3@cret =====
    ===== https://user:s3@cret =====
    ===== user:s3@cret =====
    ===== http://user:s3%cret =====
    ===== https://user:s3%cret =====
    ===== user:s3%cret =====
    ===== http://user:s3cret# =====
    ===== https://user:s3cret# =====
    ===== user:s3cret# =====
    ===== http://user:s3 cret =====
    ===== https://user:s3 cret =====
    ===== user:s3 cret =====
    ===== http://user:s3[cret =====
    ===== https://user:s3[cret =====
    ===== user:s3[cret =====
    ===== http://user:s3ücret =====
    ===== https://user:s3ücret =====
    ===== user:s3ücret =====
    ===== http://CORP\user:s3cret =====
    ===== https://CORP\user:s3cret =====
    ===== CORP\user:s3cret =====
    ===== http://ada@corp.example:s3cret =====
    ===== https://ada@corp.example:s3cret =====
    ===== ada@corp.example:s3cret =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the user name or password in HTTPS_PROXY contains characters that must be encoded
    hint: percent-encode them in HTTPS_PROXY: %40 for @, %23 for #, %2F for /, %5C for \, %25 for %
    ");
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn only_the_proxy_variable_that_applies_is_checked() {
    let ca = TestCa::new();
    let config = ca.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let (proxy, pem) = (tunnel(&config), Pem::from_ca(&ca));
    let url = proxy.http();
    let cases: [&[(&str, &str)]; 5] = [
        &[("HTTPS_PROXY", &url), ("ALL_PROXY", "socks://127.0.0.1:1")],
        &[("https_proxy", &url), ("all_proxy", "junk"), ("HTTP_PROXY", "u:p@s@x")],
        &[("HTTPS_PROXY", ""), ("https_proxy", ""), ("ALL_PROXY", &url)],
        &[("HTTPS_PROXY", &url), ("ALL_PROXY", "http://a@b@c"), ("NO_PROXY", "")],
        &[("ALL_PROXY", &url), ("HTTPS_PROXY", ""), ("NO_PROXY", ""), ("no_proxy", "other.example")],
    ];
    for variables in cases {
        let env = OfflineEnv::new(BEHIND_PROXY).with_ca_file(&pem.file);
        variables.iter().fold(env, |env, (name, value)| env.with_env(name, value)).run(LIST).assert_code(0);
    }
    assert_eq!(proxy.finish().lines(), [CONNECT_SERVICE, LIST_PRODUCTS].repeat(5));
}

#[test]
fn proxy_credentials_that_an_intercepting_proxy_repeats_are_redacted() {
    let ca = TestCa::new();
    let config = ca.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let pem = Pem::from_ca(&ca);
    for repeated in ["corp-user:s3cret-of-the-proxy", "s3cret-of-the-proxy", "Y29ycC11c2VyOnMzY3JldC1vZi10aGUtcHJveHk="]
    {
        let config = Arc::clone(&config);
        let proxy = Server::start(move |mut connection| {
            if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
                let body = format!("Denied: {repeated}");
                let response = http_response(403, "text/plain", &body);
                if let Some(mut tunnel) = connection.accept_tls(&config) {
                    while tunnel.read_request().is_some() && tunnel.send(response.as_bytes()) {}
                }
            }
        });
        let url = proxy.http().replace("http://", "http://corp-user:s3cret-of-the-proxy@");
        let env = OfflineEnv::new(BEHIND_PROXY).with_env("HTTPS_PROXY", &url).with_ca_file(&pem.file);
        let result = env.run(&[LIST, &["-vv"]].concat()).assert_code(1).stderr_contains(&["Denied: [redacted]"]);
        result.stderr_lacks("s3cret-of-the-proxy").stderr_lacks("czNjcmV0").stderr_lacks("OnMzY3JldC");
    }
}

#[test]
fn loopback_service_bypasses_proxy() {
    let proxy = Server::unexpected();
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let url = proxy.http();
    let variables: Vec<_> = names.iter().map(|name| (*name, url.as_str())).collect();
    env.run_with_env(&[&variables[..], &[("MSCOMMERCE_TOKEN", &token)]].concat(), LIST).assert_code(0);
    let mut command = env.command(CONNECT);
    command.envs(variables);
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn socks_proxy_is_not_supported() {
    let mut transcript = Transcript::default();
    for (variable, value) in [("ALL_PROXY", "socks5://127.0.0.1:1080"), ("HTTPS_PROXY", "socks5h://127.0.0.1:1080")] {
        let env = OfflineEnv::new(BEHIND_PROXY).with_env(variable, value);
        env.push_failures(&mut transcript, &format!("{variable}={value}"), &[]);
    }
    cli_snapshot!(transcript, @"
    ===== ALL_PROXY=socks5://127.0.0.1:1080 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy type of socks5://127.0.0.1:[PORT] is not supported
    hint: set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY
    ===== HTTPS_PROXY=socks5h://127.0.0.1:1080 =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy type of socks5h://127.0.0.1:[PORT] is not supported
    hint: set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY
    ");
}

#[test]
fn no_proxy_bypasses_proxy() {
    let proxy = Server::unexpected();
    let mut transcript = Transcript::default();
    for value in [
        NOWHERE,
        ".invalid",
        "*",
        "other.example, nowhere.invalid",
        "*.invalid",
        "nowhere.invalid:443",
        "other.example nowhere.invalid",
        "nowhere.invalid.",
        "NOWHERE.invalid",
    ] {
        OfflineEnv::new(&format!("https://{NOWHERE}"))
            .with_env("HTTPS_PROXY", &proxy.http())
            .with_env("NO_PROXY", value)
            .push_failures(&mut transcript, value, &[]);
    }
    cli_snapshot!(transcript, @"
    ===== nowhere.invalid =====
    ===== .invalid =====
    ===== * =====
    ===== other.example, nowhere.invalid =====
    ===== *.invalid =====
    ===== nowhere.invalid:443 =====
    ===== other.example nowhere.invalid =====
    ===== nowhere.invalid. =====
    ===== NOWHERE.invalid =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not resolve the host name nowhere.invalid
     [OS ERROR]
    hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
    ");
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn token_is_sent_inside_tunnel_only() {
    let ca = TestCa::new();
    let config = ca.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let (proxy, pem) = (tunnel(&config), Pem::from_ca(&ca));
    let env = OfflineEnv::new(BEHIND_PROXY).with_env("HTTPS_PROXY", &proxy.http()).with_ca_file(&pem.file);
    env.run(LIST).assert_code(0);
    let recorded = proxy.finish();
    assert_eq!(recorded.lines(), [CONNECT_SERVICE, LIST_PRODUCTS]);
    assert_eq!(recorded.requests[0].header("authorization"), None);
    assert_eq!(recorded.requests[1].header("authorization"), Some(format!("Bearer {}", env.token).as_str()));
    assert_eq!((recorded.connections, recorded.handshakes), (1, 1));
}

#[test]
fn intercepting_proxy_error_is_unknown_issuer() {
    // The proxy presents a certificate of its own CA for the service.
    let (proxy_ca, trusted_ca) = (TestCa::new(), TestCa::new());
    let config = proxy_ca.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let (proxy, pem) = (tunnel(&config), Pem::from_ca(&trusted_ca));
    let env = OfflineEnv::new(BEHIND_PROXY).with_env("HTTPS_PROXY", &proxy.http()).with_ca_file(&pem.file);
    let mut transcript = Transcript::default();
    env.push_failures(&mut transcript, "intercepting proxy", &[]);
    cli_snapshot!(transcript, @"
    ===== intercepting proxy =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of licensing.example is not trusted: unknown issuer
      invalid peer certificate: UnknownIssuer
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    ");
    let recorded = proxy.finish();
    assert_eq!(recorded.lines(), [CONNECT_SERVICE; 2]);
    recorded.assert_no_credentials("intercepting proxy");
}

#[test]
fn invalid_proxy_variable_is_an_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let endpoint = ("MSCOMMERCE_ENDPOINT", BEHIND_PROXY);
    let mut transcript = Transcript::default();
    for (variable, value) in [
        ("HTTPS_PROXY", " http://127.0.0.1:1"),
        ("HTTPS_PROXY", "htp://127.0.0.1:1"),
        ("HTTPS_PROXY", "http:/127.0.0.1:1"),
        ("https_proxy", "::::"),
        ("ALL_PROXY", "junk://s3cret@x"),
    ] {
        let variables = [("MSCOMMERCE_TOKEN", token.as_str()), endpoint, (variable, value)];
        let case = format!("{variable}={value:?}");
        let mut result = env.run_with_env(&variables, LIST).stderr_lacks("s3cret");
        // Windows finds the lower-case variable under the upper-case name.
        result.stderr = result.stderr.replace("https_proxy", "HTTPS_PROXY");
        transcript.push(&case, result);
        // The variable is not used if no proxy is needed.
        let variables = [&variables[..], &[("NO_PROXY", "licensing.example")]].concat();
        let result = env.run_with_env(&variables, LIST).assert_code(1);
        assert!(!result.stderr.contains("of a proxy"), "{case}: {}", result.stderr);
    }
    cli_snapshot!(transcript, @r#"
    ===== HTTPS_PROXY=" http://127.0.0.1:1" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the proxy http://127.0.0.1:[PORT] refused the connection
    hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    ===== HTTPS_PROXY="htp://127.0.0.1:1" =====
    ===== HTTPS_PROXY="http:/127.0.0.1:1" =====
    ===== https_proxy="::::" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: HTTPS_PROXY is not a proxy URL
    hint: set HTTPS_PROXY to http://HOST:PORT, or unset it
    ===== ALL_PROXY="junk://s3cret@x" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: ALL_PROXY is not a proxy URL
    hint: set ALL_PROXY to http://HOST:PORT, or unset it
    "#);
}
