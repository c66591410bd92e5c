//! TLS: whom to trust, and what is told of those who are not.

use super::*;

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

/// On Linux the system's one file is looked at first, and everything that the system trusts only where that is not enough.
#[cfg(target_os = "linux")]
#[test]
fn an_issuer_that_the_systems_file_lacks_is_looked_for_among_all_that_the_system_trusts() {
    let has_file = std::path::Path::new("/etc/ssl/certs/ca-certificates.crt").is_file();
    // Two listings begin side by side, and each is tried again.
    for (arguments, requests) in [(LIST, 1), (&["products", "list", "--scope", "all"], 2)] {
        let server = secure(Authority::new().for_localhost());
        let said = ["comes from an issuer that is not trusted here", "hint: if your company inspects traffic"];
        Away::at(&server.https()).run(arguments).expect_code(1).expect_no_data().expect_said(&said);
        let seen = server.finish();
        assert!(seen.requests.is_empty());
        assert_eq!(seen.connections, if has_file { 2 * requests } else { requests });
    }
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
