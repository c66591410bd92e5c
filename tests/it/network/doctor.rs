//! `doctor` with network failures: the step that fails and the steps that are skipped.

use super::*;
use crate::doctor::Steps;

const POLICY: &str = r#"{"id":"AllowSelfServicePurchase","description":"d","defaultValue":"Enabled"}"#;

/// Serves the policy over TLS.
fn serve_policy_only(connection: Connection, config: &Arc<ServerConfig>) {
    if let Some(mut connection) = connection.accept_tls(config) {
        while connection.read_request().is_some() {
            connection.respond_json(POLICY);
        }
    }
}

impl OfflineEnv {
    /// Runs `doctor`.
    fn doctor(&self, code: i32) -> Steps {
        Steps(self.run(&["doctor", "-o", "json", "-vvv"]).assert_code(code))
    }

    /// Runs `doctor`. Asserts that this step fails, the steps before it pass, and those after it are skipped.
    #[track_caller]
    fn doctor_stops_at(&self, stop: &str) -> Steps {
        let steps = self.doctor(1);
        let mut expected = "passed";
        for step in steps.json() {
            let name = step["step"].as_str().unwrap();
            if name == stop {
                assert_eq!(step["outcome"], "failed", "{step}");
                expected = "skipped";
            } else if ["proxy", "name", "tcp", "tunnel", "tls", "policy"].contains(&name) {
                assert_eq!(step["outcome"], expected, "{step}");
            }
        }
        assert_eq!(expected, "skipped", "no step {stop}");
        steps
    }
}

#[test]
fn doctor_names_certificate_issuer() {
    let ca = TestCa::new();
    let config = ca.localhost_config();
    let server = Server::start(move |connection| serve_policy_only(connection, &config));
    let pem = Pem::from_ca(&ca);
    cli_snapshot!(OfflineEnv::new(&server.https()).with_ca_file(&pem.file).doctor(0), @"
    exit_code: 0
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): passed: issued by Test CA [UUID]
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (localhost:[PORT]): skipped: the time of the host is unknown
    ");
}

#[test]
fn doctor_untrusted_certificate_gets_no_token() {
    let (known, unknown) = (TestCa::new(), TestCa::new());
    let pem = Pem::from_ca(&known);
    let mut transcript = Transcript::default();
    for (name, config) in [
        ("unknown issuer", unknown.localhost_config()),
        ("other name", known.server_config("other.example", Validity::Valid, rustls::ALL_VERSIONS)),
        ("expired", known.server_config("localhost", Validity::Expired, rustls::ALL_VERSIONS)),
        ("not yet valid", known.server_config("localhost", Validity::NotYetValid, rustls::ALL_VERSIONS)),
    ] {
        let server = Server::start(move |connection| serve_policy_only(connection, &config));
        transcript.push(name, OfflineEnv::new(&server.https()).with_ca_file(&pem.file).doctor_stops_at("tls"));
        assert!(server.finish().requests.is_empty());
    }
    cli_snapshot!(transcript, @r#"
    ===== unknown issuer =====
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: the certificate of localhost:[PORT] is not trusted: unknown issuer; invalid peer certificate: UnknownIssuer; issued by Test CA [UUID]; the certificate is for rcgen self signed cert
        hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    ===== other name =====
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: the certificate presented for localhost:[PORT] is for another name; invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for DnsName("other.example"); issued by Test CA [UUID]; the certificate is for rcgen self signed cert
        hint: check the network, DNS and proxy settings; another server may respond instead of the service
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: check the network, DNS and proxy settings; another server may respond instead of the service
    ===== expired =====
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: the certificate of localhost:[PORT] has expired; invalid peer certificate: certificate expired: verification time [SECONDS] (UNIX), but certificate is not valid after [SECONDS] ([SECONDS] ago); issued by Test CA [UUID]; the certificate is for rcgen self signed cert
        hint: check this machine's clock
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: check this machine's clock
    ===== not yet valid =====
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: the certificate of localhost:[PORT] is not valid yet; invalid peer certificate: certificate not valid yet: verification time [SECONDS] (UNIX), but certificate is not valid before [SECONDS] ([SECONDS] in future); issued by Test CA [UUID]; the certificate is for rcgen self signed cert
        hint: check this machine's clock
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: check this machine's clock
    "#);
}

#[test]
fn doctor_tls_protocol_errors() {
    let server = Server::start(|mut connection| {
        if connection.tls_record().is_some() {
            connection.send(http_response(400, "text/plain", "Bad Request").as_bytes());
        }
    });
    cli_snapshot!(OfflineEnv::new(&server.https()).doctor_stops_at("tls"), @"
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: localhost:[PORT] does not use TLS on this port; received corrupt message of type InvalidContentType
        hint: check the port, and use http:// in HTTPS_PROXY if the proxy requires it
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: check the port, and use http:// in HTTPS_PROXY if the proxy requires it
    ");
    let server = Server::start(|mut connection| drop(connection.tls_record()));
    cli_snapshot!(OfflineEnv::new(&server.https()).doctor_stops_at("tls"), @"
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: localhost:[PORT] closed the connection during the TLS handshake
        hint: check for a proxy or security product that intercepts TLS
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: check for a proxy or security product that intercepts TLS
    ");
}

#[test]
fn doctor_dns_failure() {
    let env = OfflineEnv::new(&format!("https://{NOWHERE}"));
    cli_snapshot!(env.doctor_stops_at("name"), @"
    exit_code: 1
    proxy (nowhere.invalid): passed: none
    name (nowhere.invalid): failed: could not resolve the host name nowhere.invalid;  [OS ERROR]
        hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
    tcp (nowhere.invalid): skipped: no IP address
    tls (nowhere.invalid): skipped: no IP address
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 13 passed, 1 failed, 4 skipped
    hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
    ");
}

#[test]
fn doctor_connection_refused() {
    let port = RefusingPort::new();
    cli_snapshot!(OfflineEnv::new(&port.http()).doctor_stops_at("tcp"), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tcp (127.0.0.1:[PORT]): failed: 127.0.0.1:[PORT] refused the connection; [OS ERROR]
        hint: check the network, firewalls and HTTPS_PROXY, then try again
    tls (127.0.0.1:[PORT]): skipped: no connection
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 14 passed, 1 failed, 3 skipped
    hint: check the network, firewalls and HTTPS_PROXY, then try again
    ");
}

#[test]
fn doctor_proxy_password_is_not_shown() {
    let ca = TestCa::new();
    let config = ca.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS);
    let proxy = Server::start(move |mut connection| {
        if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
            serve_policy_only(connection, &config);
        }
    });
    let pem = Pem::from_ca(&ca);
    let with_password = proxy.http().replace("http://", "http://user:s3cret@");
    let env = OfflineEnv::new(BEHIND_PROXY).with_ca_file(&pem.file).with_env("HTTPS_PROXY", &with_password);
    let steps = cli_snapshot!(env.doctor(0), @"
    exit_code: 0
    proxy (licensing.example): passed: through http://127.0.0.1:[PORT] (HTTPS_PROXY)
    tunnel (licensing.example): passed: the proxy accepted the connection
    tls (licensing.example): passed: issued by Test CA [UUID]
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (licensing.example): skipped: the time of the host is unknown
    ");
    assert!(!steps.0.stdout.contains("s3cret") && !steps.0.stderr.contains("s3cret"), "{:?}", steps.0);
    for request in proxy.finish().requests.iter().filter(|request| request.method == "CONNECT") {
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpzM2NyZXQ="));
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn doctor_proxy_errors() {
    let mut transcript = Transcript::default();
    for status in ["407 Proxy Authentication Required", "403 Forbidden"] {
        let proxy = Server::responding_with(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        let env = OfflineEnv::new(BEHIND_PROXY).with_env("HTTPS_PROXY", &proxy.http());
        transcript.push(status, env.doctor_stops_at("tunnel"));
    }
    let port = RefusingPort::new();
    for (name, url, stop) in [
        ("connection refused", port.http(), "tcp"),
        ("DNS failure", format!("http://{NOWHERE}:3128"), "name"),
        ("invalid URL", "::".to_owned(), "proxy"),
    ] {
        let env = OfflineEnv::new(BEHIND_PROXY).with_env("HTTPS_PROXY", &url);
        transcript.push(name, env.doctor_stops_at(stop));
    }
    cli_snapshot!(transcript, @"
    ===== 407 Proxy Authentication Required =====
    exit_code: 1
    proxy (licensing.example): passed: through http://127.0.0.1:[PORT] (HTTPS_PROXY)
    tunnel (licensing.example): failed: the proxy http://127.0.0.1:[PORT] requires a user name and password
        hint: set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT
    tls (licensing.example): skipped: the proxy rejected the connection
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 19 checks: 15 passed, 1 failed, 3 skipped
    hint: set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT
    ===== 403 Forbidden =====
    exit_code: 1
    proxy (licensing.example): passed: through http://127.0.0.1:[PORT] (HTTPS_PROXY)
    tunnel (licensing.example): failed: the proxy http://127.0.0.1:[PORT] rejected the connection to licensing.example; the proxy returned 403 Forbidden
        hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    tls (licensing.example): skipped: the proxy rejected the connection
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 19 checks: 15 passed, 1 failed, 3 skipped
    hint: check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy
    ===== connection refused =====
    exit_code: 1
    proxy (licensing.example): passed: through http://127.0.0.1:[PORT] (HTTPS_PROXY)
    tcp (licensing.example): failed: the proxy http://127.0.0.1:[PORT] refused the connection; [OS ERROR]
        hint: check the network, firewalls and HTTPS_PROXY, then try again
    tunnel (licensing.example): skipped: no connection
    tls (licensing.example): skipped: no connection
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 19 checks: 14 passed, 1 failed, 4 skipped
    hint: check the network, firewalls and HTTPS_PROXY, then try again
    ===== DNS failure =====
    exit_code: 1
    proxy (licensing.example): passed: through http://nowhere.invalid:3128 (HTTPS_PROXY)
    name (licensing.example): failed: could not resolve the host name nowhere.invalid;  [OS ERROR]
        hint: check HTTPS_PROXY: this is the host of the proxy http://nowhere.invalid:3128
    tcp (licensing.example): skipped: no IP address
    tunnel (licensing.example): skipped: no IP address
    tls (licensing.example): skipped: no IP address
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 19 checks: 13 passed, 1 failed, 5 skipped
    hint: check HTTPS_PROXY: this is the host of the proxy http://nowhere.invalid:3128
    ===== invalid URL =====
    exit_code: 1
    proxy (licensing.example): failed: HTTPS_PROXY is not a proxy URL
        hint: set HTTPS_PROXY to http://HOST:PORT, or unset it
    name (licensing.example): skipped: the proxy is not usable
    tcp (licensing.example): skipped: the proxy is not usable
    tls (licensing.example): skipped: the proxy is not usable
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 12 passed, 1 failed, 5 skipped
    hint: set HTTPS_PROXY to http://HOST:PORT, or unset it
    ");
}

#[test]
fn doctor_stops_at_timeout() {
    let server = Server::start(|mut connection| connection.wait_for_close());
    let env = OfflineEnv::new(&server.https());
    let result = env.run(&["doctor", "-o", "json", "--timeout", "1"]).assert_code(1);
    assert!(result.stdout.contains("did not respond within 1 s"), "{}", result.stdout);
    drop(server);
}

#[test]
fn doctor_untrusted_https_proxy_gets_no_password() {
    let (known, unknown) = (TestCa::new(), TestCa::new());
    let pem = Pem::from_ca(&known);
    let mut transcript = Transcript::default();
    for (own, stops_at) in [(&known, None), (&unknown, Some("tunnel"))] {
        let (outer, inner) =
            (own.localhost_config(), known.server_config("licensing.example", Validity::Valid, rustls::ALL_VERSIONS));
        let proxy = Server::start(move |connection| {
            let Some(mut connection) = connection.accept_tls(&outer) else { return };
            if connection.read_request().is_some() && connection.send(b"HTTP/1.1 200 Connection Established\r\n\r\n") {
                serve_policy_only(connection, &inner);
            }
        });
        let url = proxy.https().replace("https://", "https://user:s3cret@");
        let env = OfflineEnv::new(BEHIND_PROXY).with_ca_file(&pem.file).with_env("HTTPS_PROXY", &url);
        match stops_at {
            None => {
                let steps = transcript.push("trusted", env.doctor(0));
                assert!(!steps.0.stdout.contains("s3cret") && !steps.0.stderr.contains("s3cret"), "{:?}", steps.0);
            }
            Some(step) => {
                transcript.push("untrusted", env.doctor_stops_at(step));
            }
        }
        assert_eq!(proxy.finish().requests.is_empty(), stops_at.is_some());
    }
    cli_snapshot!(transcript, @"
    ===== trusted =====
    exit_code: 0
    proxy (licensing.example): passed: through https://localhost:[PORT] (HTTPS_PROXY)
    tunnel (licensing.example): passed: the proxy accepted the connection
    tls (licensing.example): passed: issued by Test CA [UUID]
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (licensing.example): skipped: the time of the host is unknown
    ===== untrusted =====
    exit_code: 1
    proxy (licensing.example): passed: through https://localhost:[PORT] (HTTPS_PROXY)
    tunnel (licensing.example): failed: the certificate of https://localhost:[PORT] is not trusted: unknown issuer; invalid peer certificate: UnknownIssuer
        hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    tls (licensing.example): skipped: the proxy rejected the connection
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 19 checks: 15 passed, 1 failed, 3 skipped
    hint: if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file
    ");
}

#[test]
fn doctor_unsupported_proxy_is_not_contacted() {
    let mut transcript = Transcript::default();
    for (variable, url) in [("ALL_PROXY", "socks5://user:s3cret@127.0.0.1:1"), ("HTTPS_PROXY", "socks4://127.0.0.1:1")]
    {
        let env = OfflineEnv::new(BEHIND_PROXY).with_env(variable, url);
        let steps = transcript.push(variable, env.doctor_stops_at("proxy"));
        assert!(!steps.0.stdout.contains("s3cret") && !steps.0.stderr.contains("s3cret"), "{:?}", steps.0);
    }
    cli_snapshot!(transcript, @"
    ===== ALL_PROXY =====
    exit_code: 1
    proxy (licensing.example): failed: the proxy type of socks5://127.0.0.1:[PORT] is not supported
        hint: set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY
    name (licensing.example): skipped: the proxy is not usable
    tcp (licensing.example): skipped: the proxy is not usable
    tls (licensing.example): skipped: the proxy is not usable
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 12 passed, 1 failed, 5 skipped
    hint: set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY
    ===== HTTPS_PROXY =====
    exit_code: 1
    proxy (licensing.example): failed: the proxy type of socks4://127.0.0.1:[PORT] is not supported
        hint: set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY
    name (licensing.example): skipped: the proxy is not usable
    tcp (licensing.example): skipped: the proxy is not usable
    tls (licensing.example): skipped: the proxy is not usable
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 12 passed, 1 failed, 5 skipped
    hint: set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY
    ");
}

#[test]
fn doctor_names_no_proxy_variable() {
    let proxy = Server::unexpected();
    let env = |variable| {
        let env = OfflineEnv::new(&format!("https://{NOWHERE}")).with_env("HTTPS_PROXY", &proxy.http());
        env.with_env(variable, ".invalid").doctor(1)
    };
    cli_snapshot!(env("NO_PROXY"), @"
    exit_code: 1
    proxy (nowhere.invalid): passed: none: NO_PROXY excludes this host
    name (nowhere.invalid): failed: could not resolve the host name nowhere.invalid;  [OS ERROR]
        hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
    tcp (nowhere.invalid): skipped: no IP address
    tls (nowhere.invalid): skipped: no IP address
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 13 passed, 1 failed, 4 skipped
    hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
    ");
    // On Windows both are the same variable.
    if cfg!(not(windows)) {
        cli_snapshot!(env("no_proxy"), @"
        exit_code: 1
        proxy (nowhere.invalid): passed: none: no_proxy excludes this host
        name (nowhere.invalid): failed: could not resolve the host name nowhere.invalid;  [OS ERROR]
            hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
        tcp (nowhere.invalid): skipped: no IP address
        tls (nowhere.invalid): skipped: no IP address
        authority (none): skipped: not needed: the access token is provided
        credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
        policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
        error: 18 checks: 13 passed, 1 failed, 4 skipped
        hint: check the internet connection, and set HTTPS_PROXY if this network requires a proxy
        ");
    }
    assert_eq!(proxy.finish().connections, 0);
}

#[test]
fn doctor_verbose_logs_steps() {
    let env = TestEnv::signed_in();
    let result = env.run(&["doctor", "-v"]).assert_code(0);
    let host = env.tenant.url().replace("http://", "");
    result.stderr_contains(&[&format!("resolving {host}\n"), "connecting to", "-> 200"]);
}

#[test]
fn doctor_unreadable_ca_file() {
    let server = Server::start(|mut connection| drop(connection.tls_record()));
    let text = Pem::from_text("This is no certificate.\n");
    let missing = text.file.with_file_name("missing.pem");
    let mut transcript = Transcript::default();
    for (name, file) in [("missing", &missing), ("text", &text.file)] {
        let env = OfflineEnv::new(&server.https()).with_ca_file(file);
        transcript.push(name, env.doctor_stops_at("tls"));
    }
    cli_snapshot!(transcript, @"
    ===== missing =====
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: could not read the certificates in SSL_CERT_FILE: [TMP]/missing.pem; [OS ERROR]
        hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    ===== text =====
    exit_code: 1
    proxy (localhost:[PORT]): passed: none
    tls (localhost:[PORT]): failed: could not read the certificates in SSL_CERT_FILE: [TMP]/roots.pem; the file does not contain a PEM certificate
        hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): skipped: the endpoint was not reached
    error: 18 checks: 15 passed, 1 failed, 2 skipped
    hint: set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates
    ");
}
