//! TLS: trusted certificates, and errors of untrusted servers.

use super::*;
use crate::support::fixtures::LIST_PRODUCTS;

/// The commerce endpoint over TLS.
fn tls_server(config: Arc<ServerConfig>) -> Server {
    Server::start(move |connection| serve_product_over_tls(connection, &config))
}

#[test]
fn list_makes_one_handshake_and_one_request() {
    let ca = TestCa::new();
    for versions in [rustls::ALL_VERSIONS, &[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let server = tls_server(ca.server_config("localhost", Validity::Valid, versions));
        let pem = Pem::from_ca(&ca);
        let env = OfflineEnv::new(&server.https()).with_ca_file(&pem.file);
        let result = env.run(&["products", "list", "-o", "json"]).assert_code(0);
        assert_eq!(result.ids(), [POWER_BI]);
        assert_eq!(result.stderr, "");
        let recorded = server.finish();
        assert_eq!((recorded.connections, recorded.handshakes), (1, 1));
        assert_eq!(recorded.lines(), [LIST_PRODUCTS]);
        assert_eq!(recorded.requests[0].header("authorization"), Some(format!("Bearer {}", env.token).as_str()));
    }
}

#[test]
fn update_makes_one_handshake_and_two_requests() {
    let ca = TestCa::new();
    let (server, pem) = (tls_server(ca.localhost_config()), Pem::from_ca(&ca));
    let env = OfflineEnv::new(&server.https()).with_ca_file(&pem.file);
    let result = env.run(&[DISABLE, &["-o", "json"]].concat()).assert_code(0);
    assert_eq!(result.json()["outcome"], "changed");
    let recorded = server.finish();
    assert_eq!((recorded.connections, recorded.handshakes), (1, 1));
    let path = "/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP";
    assert_eq!(recorded.lines(), [format!("GET {path}"), format!("PUT {path}")]);
    assert_eq!(recorded.requests[1].body, r#"{"policyValue":"Disabled"}"#);
}

#[test]
fn every_certificate_of_a_ca_file_is_trusted() {
    let (first, second) = (TestCa::new(), TestCa::new());
    let pem = Pem::from_text(&format!("Roots of the company\n{}\n{}", first.pem(), second.pem()));
    for ca in [first, second] {
        let server = tls_server(ca.localhost_config());
        OfflineEnv::new(&server.https()).with_ca_file(&pem.file).run(LIST).assert_code(0);
    }
}

/// A server with which no TLS connection can be established.
struct TlsCase {
    name: &'static str,
    serve: Serve,
}

#[test]
fn tls_failures_have_specific_hints_and_send_nothing() {
    let (trusted_ca, unknown_ca) = (TestCa::new(), TestCa::new());
    let certificate_case = |name, config: Arc<ServerConfig>| TlsCase {
        name,
        serve: Box::new(move |connection| serve_product_over_tls(connection, &config)),
    };
    let response_case = |name, response: Vec<u8>| TlsCase {
        name,
        serve: Box::new(move |mut connection| {
            if connection.tls_record().is_some() && connection.send(&response) {
                connection.wait_for_close();
            }
        }),
    };
    // A TLS 1.1 server (RFC 4346) has two possible responses: a ServerHello of version 3.2 with the cipher suite that every
    // implementation had, and the alert "protocol_version" (70).
    let server_hello = [&[22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0x00, 0x2f, 0]].concat();
    let protocol_version_alert = vec![21, 3, 2, 0, 2, 2, 70];
    let cases = [
        certificate_case("unknown issuer", unknown_ca.localhost_config()),
        certificate_case(
            "other name",
            trusted_ca.server_config("other.example", Validity::Valid, rustls::ALL_VERSIONS),
        ),
        certificate_case("expired", trusted_ca.server_config("localhost", Validity::Expired, rustls::ALL_VERSIONS)),
        certificate_case(
            "not yet valid",
            trusted_ca.server_config("localhost", Validity::NotYetValid, rustls::ALL_VERSIONS),
        ),
        response_case("TLS 1.1 hello", server_hello),
        response_case("TLS 1.1 alert", protocol_version_alert),
        TlsCase {
            name: "no TLS",
            serve: Box::new(|mut connection| {
                if connection.tls_record().is_some() {
                    connection.send(http_response(400, "text/plain", "Bad Request").as_bytes());
                }
            }),
        },
    ];
    let pem = Pem::from_ca(&trusted_ca);
    let mut transcript = Transcript::default();
    for TlsCase { name, serve } in cases {
        let server = Server::start(serve);
        OfflineEnv::new(&server.https()).with_ca_file(&pem.file).push_failures(&mut transcript, name, &[]);
        let recorded = server.finish();
        assert_eq!((recorded.connections, recorded.requests.len()), (2, 0), "{name}");
    }
    cli_snapshot!(transcript, @r#"
    ===== unknown issuer =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of localhost:[PORT] is not trusted: unknown issuer
      invalid peer certificate: UnknownIssuer
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    ===== other name =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate presented for localhost:[PORT] is for another name
      invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for DnsName("other.example")
    hint: check the network, DNS and proxy settings; another server may respond instead of the service
    ===== expired =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of localhost:[PORT] has expired
      invalid peer certificate: certificate expired
    hint: check this machine's clock
    ===== not yet valid =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of localhost:[PORT] is not valid yet
      invalid peer certificate: certificate not valid yet
    hint: check this machine's clock
    ===== TLS 1.1 hello =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: localhost:[PORT] does not support TLS 1.2 or later
      peer is incompatible: ServerDoesNotSupportTls12Or13
    hint: check for an outdated proxy or gateway; the service itself supports TLS 1.2
    ===== TLS 1.1 alert =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: localhost:[PORT] does not support TLS 1.2 or later
      received fatal alert: ProtocolVersion
    hint: check for an outdated proxy or gateway; the service itself supports TLS 1.2
    ===== no TLS =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: localhost:[PORT] does not use TLS on this port
      received corrupt message of type InvalidContentType
    hint: check the port, and use http:// in HTTPS_PROXY if the proxy requires it
    "#);
}

/// On Linux the CA bundle of the system is used first; the other trusted certificates are loaded if it is not enough.
#[cfg(target_os = "linux")]
#[test]
fn unknown_issuer_is_checked_against_all_system_roots() {
    let has_bundle = std::path::Path::new("/etc/ssl/certs/ca-certificates.crt").is_file();
    let mut transcript = Transcript::default();
    // Two lists are requested concurrently, and each is retried.
    for (arguments, requests) in [(LIST, 1), (&["products", "list", "--scope", "all"], 2)] {
        let server = tls_server(TestCa::new().localhost_config());
        transcript.push(arguments.join(" "), OfflineEnv::new(&server.https()).run(arguments));
        let recorded = server.finish();
        assert!(recorded.requests.is_empty());
        assert_eq!(recorded.connections, if has_bundle { 2 * requests } else { requests });
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== products list --scope all =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of localhost:[PORT] is not trusted: unknown issuer
      invalid peer certificate: UnknownIssuer
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    ");
}

#[test]
fn unreadable_ca_file_is_an_error_and_sends_nothing() {
    let server = Server::unexpected();
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.pem");
    let without_certificate = Pem::from_text("This is not a certificate.\n");
    let invalid = Pem::from_text("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n");
    let mut transcript = Transcript::default();
    for (name, file) in [
        ("missing", &missing),
        ("without a certificate", &without_certificate.file),
        ("invalid certificate", &invalid.file),
        ("directory", &directory.path().to_owned()),
    ] {
        // A loopback address and a remote one: the HTTP clients for them are built differently.
        for (address, url) in [("loopback", server.https()), ("remote", BEHIND_PROXY.to_owned())] {
            OfflineEnv::new(&url).with_env("HTTPS_PROXY", &server.http()).with_ca_file(file).push_failures(
                &mut transcript,
                &format!("{name}, {address}"),
                &[],
            );
        }
    }
    cli_snapshot!(transcript, @"
    ===== missing, loopback =====
    ===== missing, remote =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not read the certificates in SSL_CERT_FILE: [TMP]/missing.pem
     [OS ERROR]
    hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    ===== without a certificate, loopback =====
    ===== without a certificate, remote =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not read the certificates in SSL_CERT_FILE: [TMP]/roots.pem
      the file does not contain a PEM certificate
    hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    ===== invalid certificate, loopback =====
    ===== invalid certificate, remote =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not read the certificates in SSL_CERT_FILE: [TMP]/roots.pem
      the file does not contain a usable certificate
    hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    ===== directory, loopback =====
    ===== directory, remote =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not read the certificates in SSL_CERT_FILE: [TMP]
     [OS ERROR]
    hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    ");
    assert_eq!(server.finish().connections, 0);
}

#[test]
fn unknown_issuer_hint_names_the_ca_variable_of_other_tools() {
    let mut transcript = Transcript::default();
    for variable in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let (ca, pem) = (TestCa::new(), Pem::from_text(""));
        let server = tls_server(ca.localhost_config());
        let env = OfflineEnv::new(&server.https()).with_env(variable, pem.file.to_str().unwrap());
        env.push_failures(&mut transcript, variable, &[]);
        // The hint no longer applies if the variable is set.
        let trusted = Pem::from_ca(&TestCa::new());
        let result = env.with_ca_file(&trusted.file).run(LIST).assert_code(1);
        result.stderr_contains(&["not trusted: unknown issuer"]).stderr_lacks(variable);
    }
    cli_snapshot!(transcript, @"
    ===== REQUESTS_CA_BUNDLE =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of localhost:[PORT] is not trusted: unknown issuer
      invalid peer certificate: UnknownIssuer
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    hint: set SSL_CERT_FILE to the file in REQUESTS_CA_BUNDLE, which mscommerce does not use
    ===== CURL_CA_BUNDLE =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the certificate of localhost:[PORT] is not trusted: unknown issuer
      invalid peer certificate: UnknownIssuer
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    hint: set SSL_CERT_FILE to the file in CURL_CA_BUNDLE, which mscommerce does not use
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn unusable_certificate_directory_is_named() {
    let server = Server::unexpected();
    let mut transcript = Transcript::default();
    OfflineEnv::new(&server.https()).with_env("SSL_CERT_DIR", "/nonexistent").push_failures(
        &mut transcript,
        "missing",
        &[],
    );
    cli_snapshot!(transcript, @"
    ===== missing =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: could not set up the HTTP client
      No CA certificates were loaded from the system
    hint: set SSL_CERT_DIR to a directory of PEM certificates, or unset it to use the system's certificates
    ");
    // An empty variable counts as unset.
    let result = OfflineEnv::new(&server.https()).with_env("SSL_CERT_DIR", "").with_env("SSL_CERT_FILE", "").run(LIST);
    result.assert_code(1).stderr_lacks("SSL_CERT_DIR");
    drop(server);
}
