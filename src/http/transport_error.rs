//! Classification of the errors of reqwest, hyper, rustls and the operating system as [`HttpError`]s.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use url::Url;

use super::error::{Delivery, HttpError, ProxyFailure, host_and_port};
use super::proxy::proxy_display;
use super::tls;

impl HttpError {
    pub fn invalid_request(error: &reqwest::Error) -> Self {
        Self::new("could not create the request").with_detail(root_cause(error)).not_sent()
    }

    /// The error for a client that cannot be built, because its roots or its proxy are unusable.
    pub fn client_setup(error: &reqwest::Error) -> Self {
        let cause = root_cause(error);
        let cause = cause.trim_start_matches("unexpected error: ");
        let has_no_roots = cause.contains("No CA certificates");
        if (has_no_roots || cause.contains("peer certificate"))
            && let Some(path) = tls::ca_file()
        {
            return Self::invalid_ca_file(&path.to_string_lossy(), &"the file does not contain a usable certificate");
        }
        let hint = if has_no_roots && tls::is_set("SSL_CERT_DIR") {
            "set SSL_CERT_DIR to a directory of PEM certificates, or unset it to use the system's certificates"
        } else if has_no_roots {
            "install the system's root certificates (on Debian and Ubuntu: apt install ca-certificates), or set SSL_CERT_FILE to a file of PEM certificates"
        } else {
            "check HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE; a proxy URL must start with http:// or https://"
        };
        Self::new("could not set up the HTTP client").with_detail(cause).with_hint(hint).not_sent()
    }

    /// Classifies a reqwest error by its causes.
    pub fn from_reqwest(error: &reqwest::Error, url: &Url) -> Self {
        let (host, proxy) = (host_and_port(url), proxy_display(url));
        if let Some(error) = find_cause::<DnsError>(error) {
            return Self::dns_failure(error, proxy.as_deref());
        }
        if let Some(failure) = find_cause::<rustls::Error>(error) {
            return match proxy {
                // The TLS connection to an HTTPS proxy failed.
                Some(proxy) if is_tunnel_error(error) => Self::tls_error(failure, &proxy, true).stopped_at_proxy(),
                _ => Self::tls_error(failure, &host, error.is_connect()),
            };
        }
        if let (Some(proxy), true) = (&proxy, error.is_connect()) {
            return Self::proxy_failure(error, &host, proxy);
        }
        if error.is_timeout() && error.is_connect() {
            return Self::connect_timeout(&host).not_sent();
        }
        if error.is_timeout() {
            return Self::new(format!("{host} did not respond in time"))
                .with_hint("try again, or increase the timeout with --timeout SECONDS")
                .transient();
        }
        if error.is_connect() {
            let cause = find_cause::<io::Error>(error);
            if url.scheme() == "https" && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof) {
                return Self::new(format!("{host} closed the connection during the TLS handshake"))
                    .with_hint("check for a proxy or security product that intercepts TLS")
                    .not_sent();
            }
            return Self::unreachable(&host, cause, &root_cause(error));
        }
        Self::new(format!("the connection to {host} was lost before the response was complete"))
            .with_detail(root_cause(error))
            .with_hint("try again")
            .transient()
    }

    /// No connection was established in time. The host may have accepted TCP, and not completed the TLS handshake.
    pub fn connect_timeout(host: &str) -> Self {
        Self::new(format!("timed out connecting to {host}"))
            .with_hint("check the network and HTTPS_PROXY, then try again")
            .transient()
    }

    /// No TCP connection was established.
    pub fn unreachable(host: &str, cause: Option<&io::Error>, reason: &str) -> Self {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut};
        let kind = cause.map(io::Error::kind);
        let problem = if kind == Some(ConnectionRefused) { "refused the connection" } else { "could not be reached" };
        Self {
            transient: matches!(kind, Some(ConnectionRefused | ConnectionReset | ConnectionAborted | TimedOut)),
            ..Self::new(format!("{host} {problem}"))
                .with_detail(reason)
                .with_hint("check the network, firewalls and HTTPS_PROXY, then try again")
                .not_sent()
        }
    }

    pub fn dns_failure(error: &DnsError, proxy: Option<&str>) -> Self {
        // Only the error text distinguishes a temporary failure from an unknown name.
        let reason = error.reason.to_ascii_lowercase();
        Self {
            transient: reason.contains("temporary") || reason.contains("try again"),
            proxy_failure: proxy.map(|_| ProxyFailure::Unreachable),
            ..Self::new(format!("could not resolve the host name {}", error.name))
                .with_detail(&error.reason)
                .with_hint(match proxy {
                    Some(proxy) => format!("check HTTPS_PROXY: this is the host of the proxy {proxy}"),
                    None => {
                        "check the internet connection, and set HTTPS_PROXY if this network requires a proxy".to_owned()
                    }
                })
                .not_sent()
        }
    }

    fn proxy_failure(error: &reqwest::Error, host: &str, proxy: &str) -> Self {
        if find_cause::<io::Error>(error).is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused) {
            return Self::new(format!("the proxy {proxy} refused the connection"))
                .with_hint("check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy")
                .not_sent()
                .stopped_at_proxy();
        }
        Self::proxy_rejected(&root_cause(error), host, proxy)
    }

    /// The proxy accepted the connection, but did not open a tunnel to the host.
    pub fn proxy_rejected(reason: &str, host: &str, proxy: &str) -> Self {
        let error = if reason.contains("unsupported scheme") {
            Self::new(format!("the proxy type of {proxy} is not supported"))
                .with_hint("set HTTPS_PROXY to an http:// or https:// proxy, or unset ALL_PROXY")
        } else if reason.contains("authorization required") {
            Self::new(format!("the proxy {proxy} requires a user name and password"))
                .with_hint("set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT")
        } else {
            let error = Self::new(format!("the proxy {proxy} rejected the connection to {host}"))
                .with_detail(reason)
                .with_hint("check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy");
            Self { proxy_failure: Some(ProxyFailure::TunnelRejected), ..error }
        };
        error.not_sent().stopped_at_proxy()
    }

    /// The TLS handshake with `host`, which may be a proxy, failed. `is_connecting` means that no request was sent.
    pub fn tls_error(error: &rustls::Error, host: &str, is_connecting: bool) -> Self {
        use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};
        let is_unknown_issuer = matches!(error, Tls::InvalidCertificate(Certificate::UnknownIssuer));
        let (message, hint) = match error {
            Tls::PeerIncompatible(_) | Tls::AlertReceived(AlertDescription::ProtocolVersion) => (
                format!("{host} does not support TLS 1.2 or later"),
                "check for an outdated proxy or gateway; the service itself supports TLS 1.2",
            ),
            Tls::InvalidCertificate(Certificate::UnknownIssuer) => (
                format!("the certificate of {host} is not trusted: unknown issuer"),
                "if your organisation inspects TLS traffic, add its root certificate to the system store, or set SSL_CERT_FILE to its PEM file",
            ),
            Tls::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => (
                format!("the certificate presented for {host} is for another name"),
                "check the network, DNS and proxy settings; another server may respond instead of the service",
            ),
            Tls::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                (format!("the certificate of {host} has expired"), "check this machine's clock")
            }
            Tls::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
                (format!("the certificate of {host} is not valid yet"), "check this machine's clock")
            }
            Tls::InvalidMessage(_) => (
                format!("{host} does not use TLS on this port"),
                "check the port, and use http:// in HTTPS_PROXY if the proxy requires it",
            ),
            _ => (
                format!("could not establish a secure connection to {host}"),
                "check for a proxy or security product that intercepts TLS",
            ),
        };
        let error = Self::new(message).with_detail(error).with_hint(hint);
        let foreign_variable = tls::foreign_ca_variable().filter(|_| is_unknown_issuer);
        let foreign_hint = |name| format!("set SSL_CERT_FILE to the file in {name}, which mscommerce does not use");
        Self {
            delivery: if is_connecting { Delivery::NotSent } else { Delivery::Unknown },
            unknown_issuer: is_unknown_issuer,
            ..foreign_variable.map(foreign_hint).into_iter().fold(error, Self::with_hint)
        }
    }
}

/// A host name that the system could not resolve.
#[derive(Debug)]
pub struct DnsError {
    pub name: String,
    pub reason: String,
}

impl fmt::Display for DnsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.reason)
    }
}

impl StdError for DnsError {}

/// The next error in the chain. hyper and rustls wrap their errors in `io::Error`, whose `source()` skips them.
fn next_cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| next_cause(*error))
}

/// The innermost cause of type `T`, because an outer `io::Error` may only wrap it.
fn find_cause<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    causes(error).filter_map(|cause| cause.downcast_ref()).last()
}

/// The message of the innermost cause. The outer errors only say that the request failed.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Whether the proxy did not open a tunnel. Checks the message, because hyper-util does not export the error type.
fn is_tunnel_error(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| cause.to_string().starts_with("tunnel error"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;
    use crate::http::reqwest_clients::client_builder;

    #[tokio::test]
    async fn timeout_of_open_connection_is_no_connect_timeout() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a listener");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let url = Url::parse(&url).expect("a URL");
        let client = client_builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let request = client.get(url.clone()).timeout(Duration::from_millis(200)).send();
        let (result, connection) = tokio::join!(request, listener.accept());
        let error = HttpError::from_reqwest(&result.expect_err("no response"), &url);
        assert!(error.message.ends_with(" did not respond in time"), "{error}");
        assert!(error.transient && error.delivery == Delivery::Unknown);
        drop(connection);
    }

    #[test]
    fn temporary_dns_failure_is_transient() {
        let is_transient = |reason: &str| {
            HttpError::dns_failure(&DnsError { name: "x.example".into(), reason: reason.into() }, None).transient
        };
        for reason in ["failed to lookup address information: Temporary failure in name resolution", "Try again"] {
            assert!(is_transient(reason), "{reason}");
        }
        for reason in ["failed to lookup address information: Name or service not known", "No such host is known."] {
            assert!(!is_transient(reason), "{reason}");
        }
    }
}
