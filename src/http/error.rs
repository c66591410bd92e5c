//! Failed requests, classified by the errors of reqwest, hyper, rustls and the operating system.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use super::Response;
use super::proxy::proxy_display;
use crate::error::Error;

/// Whether a failed request reached the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The request was not sent.
    NotSent,
    /// The request was or may have been sent, but no response arrived.
    Unknown,
    /// A response arrived, from the service or an intermediary such as a proxy.
    Answered,
}

/// The error of a request without a usable response.
#[derive(Clone, Debug)]
pub struct HttpError {
    pub message: String,
    pub detail: Option<String>,
    pub hints: Vec<String>,
    pub delivery: Delivery,
    /// Whether a retry may succeed.
    pub transient: bool,
    /// Whether the server's certificate has no trusted issuer.
    pub unknown_issuer: bool,
    /// Whether the request failed at the proxy.
    pub stopped_at_proxy: bool,
    /// The correlation ID of the request, if any.
    pub correlation_id: Option<String>,
}

impl HttpError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            detail: None,
            hints: Vec::new(),
            delivery: Delivery::Unknown,
            transient: false,
            unknown_issuer: false,
            stopped_at_proxy: false,
            correlation_id: None,
        }
    }

    pub fn with_detail(self, detail: impl fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn with_correlation_id(self, correlation_id: Option<String>) -> Self {
        Self { correlation_id, ..self }
    }

    pub fn not_sent(self) -> Self {
        Self { delivery: Delivery::NotSent, ..self }
    }

    fn answered(self) -> Self {
        Self { delivery: Delivery::Answered, ..self }
    }

    pub fn transient(self) -> Self {
        Self { transient: true, ..self }
    }

    fn stopped_at_proxy(self) -> Self {
        Self { stopped_at_proxy: true, ..self }
    }

    /// Makes the delivery unknown if an earlier attempt of the same request may have been processed.
    pub fn with_prior_attempt_ambiguous(mut self, prior_attempt_ambiguous: bool) -> Self {
        if prior_attempt_ambiguous && self.delivery == Delivery::NotSent {
            self.delivery = Delivery::Unknown;
        }
        self
    }

    /// Whether the service may have received and processed the request.
    pub fn is_ambiguous(&self) -> bool {
        self.delivery != Delivery::NotSent
    }

    /// The deadline of the command passed before this request was sent.
    pub fn deadline_exceeded(timeout: Duration) -> Self {
        Self::new(format!("not sent: the time for the network is up ({} s)", timeout.as_secs()))
            .with_hint("try again, or allow more time with --timeout SECONDS")
            .not_sent()
    }

    /// The rate limit lasts longer than the time until the deadline. `wait` is the duration of the limit.
    pub fn rate_limited(url: &Url, wait: Duration) -> Self {
        let (host, seconds) = (host_and_port(url), wait.as_secs() + 1);
        Self::new(format!("not sent: {host} asks to wait for {seconds} s, which is longer than the time left"))
            .with_hint("try again later, or allow more time with --timeout SECONDS")
            .not_sent()
    }

    pub fn interrupted() -> Self {
        Self::new("interrupted before it was sent").not_sent()
    }

    pub fn invalid_request(error: &reqwest::Error) -> Self {
        Self::new("the request could not be made").with_detail(root_cause(error)).not_sent()
    }

    pub fn insecure_url(url: &Url) -> Self {
        Self::new(format!("{} would be spoken to over plain http; nothing was sent", host_and_port(url))).not_sent()
    }

    /// A proxy variable has an invalid value. The message omits the value, which may contain a password.
    pub fn invalid_proxy(variable: &str) -> Self {
        Self::new(format!("{variable} does not hold the address of a proxy"))
            .with_hint(format!("write http://HOST:PORT, or unset {variable}"))
            .not_sent()
    }

    pub fn invalid_ca_file(path: &str, error: &dyn fmt::Display) -> Self {
        Self::new(format!("the certificates that SSL_CERT_FILE names cannot be read: {path}"))
            .with_detail(error)
            .with_hint("set SSL_CERT_FILE to a file of certificates in PEM form, or unset it to trust the system's")
            .not_sent()
    }

    pub fn timed_out(url: &Url, timeout: Duration) -> Self {
        let (host, seconds) = (host_and_port(url), timeout.as_secs());
        let error = match proxy_display(url) {
            Some(proxy) => {
                Self::new(format!("{host} did not answer in time ({seconds} s), asked through the proxy {proxy}"))
                    .with_hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
                    .stopped_at_proxy()
            }
            None => Self::new(format!("{host} did not answer in time ({seconds} s)")),
        };
        error.with_hint("try again, or allow more time with --timeout SECONDS").transient()
    }

    pub fn body_too_large(url: &Url, limit: usize) -> Self {
        let (host, mebibytes) = (host_and_port(url), limit / 1024 / 1024);
        Self::new(format!("the answer of {host} is larger than {mebibytes} MiB and was not read"))
            .with_hint("this is not an answer of the service: look for a proxy in between")
            .answered()
    }

    pub fn redirect(url: &Url, response: &Response) -> Self {
        let location = response.headers.get(reqwest::header::LOCATION);
        let target = location.and_then(|value| url.join(&String::from_utf8_lossy(value.as_bytes())).ok()).map_or_else(
            || "another address".to_owned(),
            |mut target| {
                target.set_query(None);
                display_url(&target)
            },
        );
        Self::new(format!("{} answered {} and points to {target}", host_and_port(url), response.status))
            .with_detail("a redirect is never followed, for the token must not go elsewhere")
            .with_hint("if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again")
            .answered()
    }

    pub fn html_response(url: &Url, response: &Response) -> Self {
        let (host, status) = (host_and_port(url), response.status);
        Self::new(format!("a web page came back instead of an answer of {host} (status {status})"))
            .with_detail(format!("it begins: {}", response.excerpt(120)))
            .with_hint("something on the network answers in the service's place: if it has a sign-in page, open any web page in a browser, sign in there, and try again")
            .with_hint("a company's proxy may have to be named in HTTPS_PROXY, or told to let this address through")
            .answered()
    }

    /// The response contains a secret of the request, so the message omits its body.
    pub fn response_contains_secret(url: &Url, status: StatusCode) -> Self {
        Self::new(format!("{} answered {status}", host_and_port(url)))
            .with_detail("its words are not shown, for they repeat the secrets that were sent")
            .with_hint("look for a proxy that answers in the service's place")
            .answered()
    }

    /// The response is not a documented error of the service. The service or an intermediary may have failed.
    pub fn unexpected_response(url: &Url, response: &Response) -> Self {
        let error = Self::new(format!("{} answered {}", host_and_port(url), response.status));
        let excerpt = response.excerpt(300);
        let error = if excerpt.is_empty() { error } else { error.with_detail(excerpt) };
        error.with_hint("try again in a minute").answered()
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
        if error.is_timeout() {
            let timeout = Self::connect_timeout(&host);
            return if error.is_connect() { timeout.not_sent() } else { timeout };
        }
        if error.is_connect() {
            let cause = find_cause::<io::Error>(error);
            if url.scheme() == "https" && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof) {
                return Self::new(format!("{host} broke off while the secure connection (TLS) was being made"))
                    .with_hint("look for a proxy or a security product in between")
                    .not_sent();
            }
            return Self::unreachable(&host, cause, &root_cause(error));
        }
        Self::new(format!("the connection to {host} broke off before the answer was complete"))
            .with_detail(root_cause(error))
            .with_hint("try again")
            .transient()
    }

    pub fn connect_timeout(host: &str) -> Self {
        Self::new(format!("{host} did not accept a connection in time"))
            .with_hint("look at the network and at HTTPS_PROXY, then try again")
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
                .with_hint("look at the network, at a firewall in between, and at HTTPS_PROXY, then try again")
                .not_sent()
        }
    }

    pub fn dns_failure(error: &DnsError, proxy: Option<&str>) -> Self {
        // Only the error text distinguishes a temporary failure from an unknown name.
        let reason = error.reason.to_ascii_lowercase();
        Self {
            transient: reason.contains("temporary") || reason.contains("try again"),
            stopped_at_proxy: proxy.is_some(),
            ..Self::new(format!("the address of {} could not be found", error.name))
                .with_detail(&error.reason)
                .with_hint(match proxy {
                    Some(proxy) => format!("that is the proxy {proxy}: look at HTTPS_PROXY"),
                    None => {
                        "is this machine online? If it reaches the internet through a proxy, name it in HTTPS_PROXY"
                            .to_owned()
                    }
                })
                .not_sent()
        }
    }

    fn proxy_failure(error: &reqwest::Error, host: &str, proxy: &str) -> Self {
        if find_cause::<io::Error>(error).is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused) {
            return Self::new(format!("the proxy {proxy} refused the connection"))
                .with_hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
                .not_sent()
                .stopped_at_proxy();
        }
        Self::proxy_rejected(&root_cause(error), host, proxy)
    }

    /// The proxy accepted the connection, but did not open a tunnel to the host.
    pub fn proxy_rejected(reason: &str, host: &str, proxy: &str) -> Self {
        let error = if reason.contains("unsupported scheme") {
            Self::new(format!("the proxy {proxy} is of a kind that is not supported"))
                .with_hint("name a proxy with http:// or https:// in HTTPS_PROXY, or unset ALL_PROXY")
        } else if reason.contains("authorization required") {
            Self::new(format!("the proxy {proxy} asks for a user name and a password"))
                .with_hint("give them in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT")
        } else {
            Self::new(format!("the proxy {proxy} did not let us through to {host}"))
                .with_detail(reason)
                .with_hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
        };
        error.not_sent().stopped_at_proxy()
    }

    /// The TLS handshake with `host`, which may be a proxy, failed. `is_connecting` means that no request was sent.
    pub fn tls_error(error: &rustls::Error, host: &str, is_connecting: bool) -> Self {
        use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};
        let is_unknown_issuer = matches!(error, Tls::InvalidCertificate(Certificate::UnknownIssuer));
        let (message, hint) = match error {
            Tls::PeerIncompatible(_) | Tls::AlertReceived(AlertDescription::ProtocolVersion) => (
                format!("{host} speaks no TLS version that is secure today; 1.2 or later is needed"),
                "the service itself speaks TLS 1.2: look for an old proxy or gateway in between",
            ),
            Tls::InvalidCertificate(Certificate::UnknownIssuer) => (
                format!("the certificate of {host} comes from an issuer that is not trusted here"),
                "if your company inspects traffic, put its root certificate into the system's store, or name its PEM file in SSL_CERT_FILE",
            ),
            Tls::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => (
                format!("the certificate shown for {host} belongs to another name"),
                "something answers in the service's place: look at the network, at DNS and at the proxy",
            ),
            Tls::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                (format!("the certificate of {host} has expired"), "is this machine's clock right?")
            }
            Tls::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
                (format!("the certificate of {host} is not valid yet"), "is this machine's clock right?")
            }
            Tls::InvalidMessage(_) => (
                format!("{host} does not speak TLS on this port"),
                "look at the port of the address, and for a proxy that wants plain http:// in HTTPS_PROXY",
            ),
            _ => (
                format!("no secure connection to {host} could be made"),
                "look for a proxy or a security product in between",
            ),
        };
        Self {
            delivery: if is_connecting { Delivery::NotSent } else { Delivery::Unknown },
            unknown_issuer: is_unknown_issuer,
            ..Self::new(message).with_detail(error).with_hint(hint)
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for HttpError {}

impl From<HttpError> for Error {
    fn from(mut error: HttpError) -> Self {
        let hints = std::mem::take(&mut error.hints);
        let detail = error.detail.take();
        let error = Self::from_source(error).with_hints(hints);
        match detail {
            Some(detail) => error.with_detail(detail),
            None => error,
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
pub fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Whether the proxy did not open a tunnel. Checks the message, because hyper-util does not export the error type.
fn is_tunnel_error(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| cause.to_string().starts_with("tunnel error"))
}

/// The host and port of a URL, for messages. Omits the default port.
pub fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the service");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Formats a URL for messages, without user information and fragment.
pub fn display_url(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn prior_ambiguous_attempt_makes_delivery_unknown() {
        let not_sent = HttpError::interrupted();
        assert_eq!(not_sent.clone().with_prior_attempt_ambiguous(false).delivery, Delivery::NotSent);
        assert_eq!(not_sent.with_prior_attempt_ambiguous(true).delivery, Delivery::Unknown);
        assert_eq!(HttpError::new("x").answered().with_prior_attempt_ambiguous(true).delivery, Delivery::Answered);
    }
}
