//! TLS: whom to trust, and what is told of those who are not.

use super::*;
use crate::support::fixtures::{LIST_PRODUCTS, POWER_BI};

/// The commerce endpoint over TLS.
fn secure(config: Arc<ServerConfig>) -> Server {
    Server::start(move |connection| commerce_over(connection, &config))
}

/// A server that is not to be trusted is told with these words, and gets neither a token nor a password.
#[track_caller]
fn expect_distrust(config: Arc<ServerConfig>, trusted: &TestCa, said: &[&str]) {
    let (server, pem) = (secure(config), Pem::of(trusted));
    OfflineEnv::at(&server.https()).trusting(&pem.file).expect_trouble(&[], said);
    let recorded = server.finish();
    assert_eq!((recorded.connections, recorded.requests.len()), (2, 0));
}

#[test]
fn a_listing_makes_one_connection_one_handshake_and_one_request() {
    let authority = TestCa::new();
    for versions in [rustls::ALL_VERSIONS, &[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let server = secure(authority.server_config("localhost", Validity::Valid, versions));
        let pem = Pem::of(&authority);
        let away = OfflineEnv::at(&server.https()).trusting(&pem.file);
        let result = away.run(&["products", "list", "-o", "json"]).assert_code(0);
        assert_eq!(result.json()[0]["id"], POWER_BI);
        assert_eq!(result.stderr, "");
        let recorded = server.finish();
        assert_eq!((recorded.connections, recorded.handshakes), (1, 1));
        assert_eq!(recorded.lines(), [LIST_PRODUCTS]);
        assert_eq!(recorded.requests[0].header("authorization"), Some(format!("Bearer {}", away.token).as_str()));
    }
}

#[test]
fn a_change_makes_one_connection_one_handshake_and_two_requests() {
    let authority = TestCa::new();
    let (server, pem) = (secure(authority.localhost_config()), Pem::of(&authority));
    let result =
        OfflineEnv::at(&server.https()).trusting(&pem.file).run(&[DISABLE, &["-o", "json"]].concat()).assert_code(0);
    assert_eq!(result.json()["outcome"], "changed");
    let recorded = server.finish();
    assert_eq!((recorded.connections, recorded.handshakes), (1, 1));
    let path = "/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP";
    assert_eq!(recorded.lines(), [format!("GET {path}"), format!("PUT {path}")]);
    assert_eq!(recorded.requests[1].body, r#"{"policyValue":"Disabled"}"#);
}

#[test]
fn a_file_of_several_certificates_is_read_whole() {
    let (first, second) = (TestCa::new(), TestCa::new());
    let pem = Pem::holding(&format!("Roots of the company\n{}\n{}", first.pem(), second.pem()));
    for authority in [first, second] {
        let server = secure(authority.localhost_config());
        OfflineEnv::at(&server.https()).trusting(&pem.file).run(LIST).assert_code(0);
    }
}

#[test]
fn an_issuer_that_is_not_trusted_is_told_as_that() {
    expect_distrust(
        TestCa::new().localhost_config(),
        &TestCa::new(),
        &["comes from an issuer that is not trusted here", "hint: if your company inspects traffic", "SSL_CERT_FILE"],
    );
}

/// On Linux the system's one file is looked at first, and everything that the system trusts only where that is not enough.
#[cfg(target_os = "linux")]
#[test]
fn an_issuer_that_the_systems_file_lacks_is_looked_for_among_all_that_the_system_trusts() {
    let has_file = std::path::Path::new("/etc/ssl/certs/ca-certificates.crt").is_file();
    // Two listings begin side by side, and each is tried again.
    for (arguments, requests) in [(LIST, 1), (&["products", "list", "--scope", "all"], 2)] {
        let server = secure(TestCa::new().localhost_config());
        let said = ["comes from an issuer that is not trusted here", "hint: if your company inspects traffic"];
        OfflineEnv::at(&server.https()).run(arguments).assert_code(1).stdout_is_empty().stderr_contains(&said);
        let recorded = server.finish();
        assert!(recorded.requests.is_empty());
        assert_eq!(recorded.connections, if has_file { 2 * requests } else { requests });
    }
}

#[test]
fn a_certificate_for_another_name_is_told_as_that() {
    let authority = TestCa::new();
    expect_distrust(
        authority.server_config("other.example", Validity::Valid, rustls::ALL_VERSIONS),
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
    let authority = TestCa::new();
    expect_distrust(
        authority.server_config("localhost", Validity::Expired, rustls::ALL_VERSIONS),
        &authority,
        &["the certificate of localhost", "has expired", "hint: is this machine's clock right?"],
    );
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_told_as_that() {
    let authority = TestCa::new();
    expect_distrust(
        authority.server_config("localhost", Validity::NotYetValid, rustls::ALL_VERSIONS),
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
                connection.wait_for_close();
            }
        });
        OfflineEnv::at(&server.https())
            .expect_trouble(&[], &["TLS", "1.2 or later is needed", "hint: the service itself speaks TLS 1.2"]);
        assert_eq!(server.finish().connections, 2);
    }
}

#[test]
fn a_server_without_tls_is_told_as_that() {
    let server = Server::start(|mut connection| {
        if connection.tls_record().is_some() {
            connection.send(http_response(400, "text/plain", "Bad Request").as_bytes());
        }
    });
    OfflineEnv::at(&server.https()).expect_trouble(&[], &["does not speak TLS on this port", "hint: look at the port"]);
    assert!(server.finish().requests.is_empty());
}

#[test]
fn certificates_that_cannot_be_read_are_named_before_anything_is_sent() {
    let server = Server::unexpected();
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("missing.pem");
    let without = Pem::holding("This is no certificate.\n");
    let broken = Pem::holding("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n");
    // An address on this machine and one elsewhere: the two are reached in different ways.
    for url in [server.https(), BEHIND_PROXY.to_owned()] {
        for file in [&missing, &without.file, &broken.file, &empty.path().to_owned()] {
            OfflineEnv::at(&url).with("HTTPS_PROXY", &server.http()).trusting(file).expect_trouble(
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
