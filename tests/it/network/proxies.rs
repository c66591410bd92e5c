//! Proxies: used, named when they fail, and told no more than they need.

use super::*;
use crate::support::fixtures::LIST_PRODUCTS;

/// A proxy that answers each request for a tunnel with this.
fn proxy_answering(status: &str) -> Server {
    Server::responding_with(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
}

#[test]
fn a_proxy_that_refuses_the_connection_is_named() {
    let port = RefusingPort::new();
    OfflineEnv::at(BEHIND_PROXY)
        .with("HTTPS_PROXY", &port.http())
        .expect_trouble(&[], &[&format!("the proxy {}", port.http()), "hint: look at HTTPS_PROXY", "NO_PROXY"]);
}

#[test]
fn a_proxy_whose_name_cannot_be_resolved_is_named() {
    OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &format!("http://{NOWHERE}:3128")).expect_trouble(
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
    OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).expect_trouble(
        &[],
        &[
            &format!("the proxy {} asks for a user name and a password", proxy.http()),
            "hint: give them in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
        ],
    );
    let recorded = proxy.finish();
    assert_eq!(recorded.lines(), ["CONNECT licensing.example:443", "CONNECT licensing.example:443"]);
    recorded.expect_no_credentials();
}

#[test]
fn a_proxy_that_forbids_the_host_is_told_as_that() {
    let proxy = proxy_answering("403 Forbidden");
    OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).expect_trouble(
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
    let proxy = Server::start(|mut connection| connection.wait_for_close());
    OfflineEnv::at(BEHIND_PROXY)
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
            let away = OfflineEnv::at(BEHIND_PROXY)
                .with("HTTPS_PROXY", &proxy.http().replace("http://", &format!("http://{user_info}@")));
            for result in [away.run(&[LIST, &["-vvv"]].concat()), away.connect(&["-vvv"])] {
                result.assert_code(1).stdout_is_empty().stderr_lacks("s3cret").stderr_lacks("dXNlcjpzM2NyZX");
            }
            let recorded = proxy.finish();
            assert!(!recorded.requests.is_empty());
            for request in &recorded.requests {
                assert_eq!(request.header("proxy-authorization"), Some(header));
            }
            recorded.expect_no_credentials();
        }
    }
}

#[test]
fn a_proxys_password_is_not_printed_where_it_breaks_the_proxys_address_either() {
    // People forget to encode these. All but the last end the host's part of an address, so that the password's
    // beginning looks like a port.
    for separator in ['/', '#', '?', '\\', '@'] {
        let away =
            OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &format!("http://user:s3{separator}cret@{NOWHERE}:3128"));
        for result in [away.run(&[LIST, &["-vvv"]].concat()), away.connect(&["-vvv"])] {
            result.assert_code(1).stdout_is_empty().stderr_lacks(":s3").stderr_lacks("cret@");
        }
    }
}

#[test]
fn a_service_on_this_machine_is_never_reached_through_a_proxy() {
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
fn a_socks_proxy_is_refused_with_what_would_do() {
    for (variable, value) in [("ALL_PROXY", "socks5://127.0.0.1:1080"), ("HTTPS_PROXY", "socks5h://127.0.0.1:1080")] {
        OfflineEnv::at(BEHIND_PROXY)
            .with(variable, value)
            .expect_trouble(&[], &[variable, "socks5", "http:// or https://"]);
    }
}

#[test]
fn no_proxy_is_honoured() {
    let proxy = Server::unexpected();
    for excepted in [NOWHERE, ".invalid", "*", "other.example, nowhere.invalid"] {
        OfflineEnv::at(&format!("https://{NOWHERE}"))
            .with("HTTPS_PROXY", &proxy.http())
            .with("NO_PROXY", excepted)
            .expect_trouble(&[], &["the address of nowhere.invalid could not be found"]);
    }
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn the_token_travels_inside_the_tunnel_and_the_proxy_never_sees_it() {
    let authority = TestCa::new();
    let config = authority.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let (outer, directory) = (tunnel(&config), Pem::of(&authority));
    let away = OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &outer.http()).trusting(&directory.file);
    away.run(LIST).assert_code(0);
    let recorded = outer.finish();
    assert_eq!(recorded.lines(), ["CONNECT licensing.example:443", LIST_PRODUCTS]);
    assert_eq!(recorded.requests[0].header("authorization"), None);
    assert_eq!(recorded.requests[1].header("authorization"), Some(format!("Bearer {}", away.token).as_str()));
    assert_eq!((recorded.connections, recorded.handshakes), (1, 1));
}

#[test]
fn a_proxy_that_inspects_traffic_is_told_as_an_issuer_that_is_not_trusted() {
    // The proxy shows a certificate of its own making for the service.
    let (inspecting, trusted) = (TestCa::new(), TestCa::new());
    let config = inspecting.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let (proxy, directory) = (tunnel(&config), Pem::of(&trusted));
    OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).trusting(&directory.file).expect_trouble(
        &[],
        &["the certificate of licensing.example comes from an issuer that is not trusted here", "SSL_CERT_FILE"],
    );
    let recorded = proxy.finish();
    assert_eq!(recorded.lines(), ["CONNECT licensing.example:443", "CONNECT licensing.example:443"]);
    recorded.expect_no_credentials();
}

/// A proxy that grants every tunnel, and is the commerce endpoint at the other end of it as well.
fn tunnel(config: &Arc<ServerConfig>) -> Server {
    let config = Arc::clone(config);
    Server::start(move |mut connection| {
        if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
            commerce_over(connection, &config);
        }
    })
}

#[test]
fn a_variable_that_holds_no_proxys_address_is_named_and_nothing_goes_past_it() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let endpoint = ("MSCOMMERCE_ENDPOINT", "https://licensing.example");
    for (variable, value) in [
        ("HTTPS_PROXY", " http://127.0.0.1:1"),
        ("HTTPS_PROXY", "htp://127.0.0.1:1"),
        ("HTTPS_PROXY", "http:/127.0.0.1:1"),
        ("https_proxy", "::::"),
        ("ALL_PROXY", "junk://s3cret@x"),
    ] {
        let result = env
            .run_with_env(&[("MSCOMMERCE_TOKEN", &token), endpoint, (variable, value)], LIST)
            .assert_code(1)
            .stderr_contains(&["does not hold the address of a proxy", "hint: write http://HOST:PORT"]);
        assert!(!result.stderr.contains("s3cret"), "{}", result.stderr);
        // Where no proxy is meant, none is missed.
        let result = env
            .run_with_env(
                &[("MSCOMMERCE_TOKEN", &token), endpoint, (variable, value), ("NO_PROXY", "licensing.example")],
                LIST,
            )
            .assert_code(1);
        assert!(!result.stderr.contains("of a proxy"), "{variable}={value}: {}", result.stderr);
    }
}
