//! `doctor` where the network is not well: which step fails, in the words that a request's failure has, and what is not
//! tried any more.

use super::*;

const POLICY: &str = r#"{"id":"AllowSelfServicePurchase","description":"d","defaultValue":"Enabled"}"#;

/// Answers every request as the policy is read.
fn policy_over(connection: Connection, config: &Arc<ServerConfig>) {
    if let Some(mut connection) = connection.accept_tls(config) {
        while connection.read_request().is_some() {
            connection.respond_json(POLICY);
        }
    }
}

impl OfflineEnv {
    /// The outcome and the words of each step, by its name.
    fn doctor(&self, code: i32) -> Vec<(String, String, String)> {
        let result = self.run(&["doctor", "-o", "json", "-vvv"]).assert_code(code);
        let words = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let all = result.json().as_array().unwrap().clone();
        let walked = all.iter().filter(|step| step["step"] != "setting");
        walked
            .map(|step| {
                let said = format!("{} {}", words(step, "finding"), words(step, "hint"));
                (words(step, "step"), words(step, "outcome"), said)
            })
            .collect()
    }

    /// This step fails with these words, those before it pass, and of those after it none is tried.
    #[track_caller]
    fn expect_stop(&self, at: &str, said: &[&str]) {
        let steps = self.doctor(1);
        let mut is_over = false;
        for (name, outcome, words) in &steps {
            if name == at {
                is_over = true;
                assert_eq!(outcome, "failed", "{name}: {words}");
                for part in said {
                    assert!(words.contains(part), "not said: {part}\n{words}");
                }
            } else if ["proxy", "name", "tcp", "tunnel", "tls", "policy"].contains(&name.as_str()) {
                assert_eq!(outcome, if is_over { "skipped" } else { "passed" }, "{name}: {words}");
            }
        }
        assert!(is_over, "{at} is not among {steps:?}");
    }
}

#[test]
fn over_tls_the_version_and_the_issuer_are_named() {
    let authority = TestCa::new();
    for (versions, name) in [(&[&rustls::version::TLS12][..], "TLS 1.2"), (&[&rustls::version::TLS13], "TLS 1.3")] {
        let config = authority.server_config("localhost", Validity::Valid, versions);
        let (server, pem) = (Server::start(move |connection| policy_over(connection, &config)), Pem::of(&authority));
        let away = OfflineEnv::at(&server.https()).trusting(&pem.file);
        let steps = away.doctor(0);
        let (_, outcome, said) = steps.iter().find(|(step, ..)| step == "tls").unwrap();
        assert_eq!(outcome, "passed");
        assert!(said.contains(name) && said.contains("issued by"), "{said}");
        let recorded = server.finish();
        // One connection to look at, over which nothing is sent, and one for the request.
        assert_eq!((recorded.connections, recorded.requests.len()), (2, 1));
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_its_issuer_and_gets_no_token() {
    let (known, unknown) = (TestCa::new(), TestCa::new());
    let pem = Pem::of(&known);
    for (config, said) in [
        (unknown.localhost_config(), "an issuer that is not trusted here"),
        (known.server_config("other.example", Validity::Valid, rustls::ALL_VERSIONS), "belongs to another name"),
        (known.server_config("localhost", Validity::Expired, rustls::ALL_VERSIONS), "has expired"),
        (known.server_config("localhost", Validity::NotYetValid, rustls::ALL_VERSIONS), "is not valid yet"),
    ] {
        let server = Server::start(move |connection| policy_over(connection, &config));
        OfflineEnv::at(&server.https()).trusting(&pem.file).expect_stop("tls", &[said, "issued by", "TLS 1.3"]);
        assert!(server.finish().requests.is_empty());
    }
}

#[test]
fn a_server_without_tls_or_that_breaks_off_is_told_as_that() {
    let server = Server::start(|mut connection| {
        if connection.tls_record().is_some() {
            connection.send(http_response(400, "text/plain", "Bad Request").as_bytes());
        }
    });
    OfflineEnv::at(&server.https()).expect_stop("tls", &["does not speak TLS on this port"]);
    let server = Server::start(|mut connection| drop(connection.tls_record()));
    OfflineEnv::at(&server.https()).expect_stop("tls", &["broke off while the secure connection (TLS) was being made"]);
}

#[test]
fn a_name_without_an_address_is_told_as_that() {
    let away = OfflineEnv::at(&format!("https://{NOWHERE}"));
    away.expect_stop("name", &["the address of nowhere.invalid could not be found", "HTTPS_PROXY"]);
}

#[test]
fn a_port_that_refuses_is_told_as_that() {
    let port = RefusingPort::new();
    OfflineEnv::at(&port.http()).expect_stop("tcp", &["refused the connection", "firewall"]);
}

#[test]
fn the_way_through_a_proxy_is_told_without_its_password() {
    let authority = TestCa::new();
    let config = authority.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let proxy = Server::start(move |mut connection| {
        if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
            policy_over(connection, &config);
        }
    });
    let pem = Pem::of(&authority);
    let with_password = proxy.http().replace("http://", "http://user:s3cret@");
    let away = OfflineEnv::at(BEHIND_PROXY).trusting(&pem.file).with("HTTPS_PROXY", &with_password);
    let steps = away.doctor(0);
    assert!(!format!("{steps:?}").contains("s3cret"));
    assert!(steps[0].2.contains(&format!("through {} (HTTPS_PROXY)", proxy.http())), "{steps:?}");
    assert!(steps[1].2.contains("of the proxy"), "{steps:?}");
    assert_eq!((steps[3].0.as_str(), steps[3].1.as_str()), ("tunnel", "passed"));
    assert!(steps[4].2.contains("TLS 1.3, issued by"), "{steps:?}");
    for request in proxy.finish().requests.iter().filter(|request| request.method == "CONNECT") {
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpzM2NyZXQ="));
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn a_proxy_that_does_not_let_through_is_told_as_that() {
    for (status, said) in [
        ("407 Proxy Authentication Required", "asks for a user name and a password"),
        ("403 Forbidden", "did not let us through to licensing.example"),
    ] {
        let proxy = Server::responding_with(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &proxy.http()).expect_stop("tunnel", &[said, "HTTPS_PROXY"]);
    }
    let port = RefusingPort::new();
    OfflineEnv::at(BEHIND_PROXY).with("HTTPS_PROXY", &port.http()).expect_stop("tcp", &["refused the connection"]);
    OfflineEnv::at(BEHIND_PROXY)
        .with("HTTPS_PROXY", &format!("http://{NOWHERE}:3128"))
        .expect_stop("name", &["that is the proxy http://nowhere.invalid:3128"]);
    OfflineEnv::at(BEHIND_PROXY)
        .with("HTTPS_PROXY", "::")
        .expect_stop("proxy", &["HTTPS_PROXY does not hold the address"]);
}

#[test]
fn a_host_that_never_answers_ends_with_the_time() {
    let server = Server::start(|mut connection| connection.wait_for_close());
    let away = OfflineEnv::at(&server.https());
    let result = away.run(&["doctor", "-o", "json", "--timeout", "1"]).assert_code(1);
    assert!(result.stdout.contains("did not accept a connection in time"), "{}", result.stdout);
    drop(server);
}

#[test]
fn a_proxy_that_is_spoken_to_over_tls_gets_its_password_only_where_it_is_trusted() {
    let (known, unknown) = (TestCa::new(), TestCa::new());
    let pem = Pem::of(&known);
    for (own, stops_at) in [(&known, None), (&unknown, Some("tunnel"))] {
        let (outer, inner) =
            (own.localhost_config(), known.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS));
        let proxy = Server::start(move |connection| {
            let Some(mut connection) = connection.accept_tls(&outer) else { return };
            if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
                policy_over(connection, &inner);
            }
        });
        let url = proxy.https().replace("https://", "https://user:s3cret@");
        let away = OfflineEnv::at(BEHIND_PROXY).trusting(&pem.file).with("HTTPS_PROXY", &url);
        match stops_at {
            None => {
                let steps = away.doctor(0);
                let (_, _, said) = steps.iter().find(|(step, ..)| step == "tls").unwrap();
                assert!(said.contains("issued by An authority made by a test"), "{said}");
                assert!(!format!("{steps:?}").contains("s3cret"));
            }
            Some(step) => away.expect_stop(step, &["the certificate of https://localhost", "not trusted here"]),
        }
        assert_eq!(proxy.finish().requests.is_empty(), stops_at.is_some());
    }
}

#[test]
fn a_kind_of_proxy_that_is_not_supported_is_told_before_it_is_spoken_to() {
    for (variable, url) in [("ALL_PROXY", "socks5://user:s3cret@127.0.0.1:1"), ("HTTPS_PROXY", "socks4://127.0.0.1:1")]
    {
        let away = OfflineEnv::at(BEHIND_PROXY).with(variable, url);
        away.expect_stop("proxy", &["socks", "is of a kind that is not supported", "http:// or https://"]);
        assert!(!format!("{:?}", away.doctor(1)).contains("s3cret"));
    }
}

#[test]
fn a_host_that_is_excepted_from_the_proxy_is_told_with_the_variable_that_does_it() {
    let proxy = Server::unexpected();
    // On Windows both are one variable.
    let variables = if cfg!(windows) { &["NO_PROXY"][..] } else { &["NO_PROXY", "no_proxy"] };
    for variable in variables {
        let away =
            OfflineEnv::at(&format!("https://{NOWHERE}")).with("HTTPS_PROXY", &proxy.http()).with(variable, ".invalid");
        let steps = away.doctor(1);
        assert!(steps[0].2.contains(&format!("none: {variable} excepts this host")), "{steps:?}");
    }
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn what_is_being_done_is_told_on_request() {
    let env = TestEnv::signed_in();
    let result = env.run(&["doctor", "-v"]).assert_code(0);
    let host = env.tenant.url().replace("http://", "");
    result.stderr_contains(&[&format!("looking up the address for {host}\n"), "connecting on the way to", "-> 200"]);
}

#[test]
fn certificates_that_cannot_be_read_are_told_as_that_at_tls() {
    let server = Server::start(|mut connection| drop(connection.tls_record()));
    let without = Pem::holding("This is no certificate.\n");
    let missing = without.file.with_file_name("missing.pem");
    for file in [&missing, &without.file] {
        let away = OfflineEnv::at(&server.https()).trusting(file);
        away.expect_stop("tls", &["SSL_CERT_FILE", file.to_str().unwrap(), "in PEM form"]);
    }
}
