//! Why no usable answer came: told apart, each in its own words and with its own hint.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::{Answer, proxy, shown};
use crate::error::Error;

/// A request that brought no usable answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
    detail: Option<String>,
    hints: Vec<String>,
    may_have_arrived: bool,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), detail: None, hints: Vec::new(), may_have_arrived: true }
    }

    fn before_sending(mut self) -> Self {
        self.may_have_arrived = false;
        self
    }

    fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Whether the service may have received, and acted on, the request.
    pub(crate) fn may_have_arrived(&self) -> bool {
        self.may_have_arrived
    }

    pub(crate) fn unusable_request(error: &reqwest::Error) -> Self {
        Self::new("the request could not be made").detail(innermost(error)).before_sending()
    }

    pub(super) fn plain(url: &Url) -> Self {
        Self::new(format!("{} would be spoken to over plain http; nothing was sent", host(url))).before_sending()
    }

    /// The value is not repeated, for it may hold a password.
    pub(super) fn unusable_proxy(variable: &str) -> Self {
        Self::new(format!("{variable} does not hold the address of a proxy"))
            .hint(format!("write http://HOST:PORT, or unset {variable}"))
            .before_sending()
    }

    pub(super) fn unusable_client(error: &reqwest::Error) -> Self {
        let reason = innermost(error);
        let reason = reason.trim_start_matches("unexpected error: ");
        let failure = Self::new("the network client could not be set up").detail(reason).before_sending();
        let is_about_certificates = reason.contains("No CA certificates") || reason.contains("peer certificate");
        if let (true, Some(path)) = (is_about_certificates, super::roots::file()) {
            return Self::certificates(&path.to_string_lossy(), &"it holds no certificate that can be used");
        }
        if reason.contains("No CA certificates") {
            return failure.hint("install the system's root certificates (on Debian and Ubuntu: apt install ca-certificates), or name a file of them in SSL_CERT_FILE");
        }
        failure.hint("look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE: proxies must be http:// or https://")
    }

    pub(super) fn certificates(path: &str, error: &dyn fmt::Display) -> Self {
        Self::new(format!("the certificates that SSL_CERT_FILE names cannot be read: {path}"))
            .detail(error)
            .hint("set SSL_CERT_FILE to a file of certificates in PEM form, or unset it to trust the system's")
            .before_sending()
    }

    pub(super) fn timed_out(url: &Url, timeout: Duration) -> Self {
        let seconds = timeout.as_secs();
        let again = "try again, or allow more time with --timeout SECONDS";
        match proxy::for_url(url) {
            Some(via) => {
                Self::new(format!("{} did not answer in time ({seconds} s), asked through the proxy {via}", host(url)))
                    .hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
                    .hint(again)
            }
            None => Self::new(format!("{} did not answer in time ({seconds} s)", host(url))).hint(again),
        }
    }

    pub(super) fn too_large(url: &Url, limit: usize) -> Self {
        Self::new(format!("the answer of {} is larger than {} MiB and was not read", host(url), limit / 1024 / 1024))
            .hint("this is not an answer of the service: look for a proxy in between")
    }

    pub(super) fn redirected(url: &Url, answer: &Answer) -> Self {
        let target = answer.headers.get(reqwest::header::LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()));
        let target = target.as_deref().and_then(|to| url.join(to).ok()).map_or_else(
            || "another address".to_owned(),
            |mut to| {
                to.set_query(None);
                shown(&to)
            },
        );
        Self::new(format!("{} answered {} and points to {target}", host(url), answer.status))
            .detail("a redirect is never followed, for the token must not go elsewhere")
            .hint("if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again")
    }

    pub(super) fn web_page(url: &Url, answer: &Answer) -> Self {
        Self::new(format!("a web page came back instead of an answer of {} (status {})", host(url), answer.status))
            .detail(format!("it begins: {}", answer.excerpt(120)))
            .hint("something on the network answers in the service's place: if it has a sign-in page, open any web page in a browser, sign in there, and try again")
            .hint("a company's proxy may have to be named in HTTPS_PROXY, or told to let this address through")
    }

    /// An answer that is not one of the service's known refusals: a fault of its own, or of something in between.
    pub(crate) fn unexpected_answer(url: &Url, answer: &Answer) -> Self {
        let failure = Self::new(format!("{} answered {}", host(url), answer.status));
        let excerpt = answer.excerpt(300);
        let failure = if excerpt.is_empty() { failure } else { failure.detail(excerpt) };
        failure.hint("try again in a minute")
    }

    /// Sorts out what reqwest, hyper, rustls or the system reported.
    pub(super) fn of(error: &reqwest::Error, url: &Url) -> Self {
        let host = host(url);
        let via = proxy::for_url(url);
        if let Some(failed) = find::<LookupFailed>(error) {
            return unknown_address(failed, via.as_deref());
        }
        if let Some(failure) = find::<rustls::Error>(error) {
            return tls_failure(failure, &host, error.is_connect());
        }
        if let (Some(via), true) = (&via, error.is_connect()) {
            return proxy_failure(error, &host, via);
        }
        if error.is_timeout() {
            let failure = Self::new(format!("{host} did not accept a connection in time"))
                .hint("look at the network and at HTTPS_PROXY, then try again");
            return if error.is_connect() { failure.before_sending() } else { failure };
        }
        let cause = find::<io::Error>(error);
        if error.is_connect() {
            if url.scheme() == "https" && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof) {
                return Self::new(format!("{host} broke off while the secure connection (TLS) was being made"))
                    .hint("look for a proxy or a security product in between")
                    .before_sending();
            }
            let refused = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
            let what = if refused { "refused the connection" } else { "could not be reached" };
            return Self::new(format!("{host} {what}"))
                .detail(innermost(error))
                .hint("look at the network, at a firewall in between, and at HTTPS_PROXY, then try again")
                .before_sending();
        }
        Self::new(format!("the connection to {host} broke off before the answer was complete"))
            .detail(innermost(error))
            .hint("try again")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Failure {}

impl From<Failure> for Error {
    fn from(mut failure: Failure) -> Self {
        let hints = std::mem::take(&mut failure.hints);
        let detail = failure.detail.take();
        let error = Self::failed_by(failure).hints(hints);
        match detail {
            Some(detail) => error.detail(detail),
            None => error,
        }
    }
}

fn unknown_address(failed: &LookupFailed, via: Option<&str>) -> Failure {
    let failure = Failure::new(format!("the address of {} could not be found", failed.name))
        .detail(&failed.reason)
        .before_sending();
    match via {
        Some(via) => failure.hint(format!("that is the proxy {via}: look at HTTPS_PROXY")),
        None => {
            failure.hint("is this machine online? If it reaches the internet through a proxy, name it in HTTPS_PROXY")
        }
    }
}

fn proxy_failure(error: &reqwest::Error, host: &str, via: &str) -> Failure {
    let reason = innermost(error);
    let failure = if reason.contains("unsupported scheme") {
        Failure::new(format!("the proxy {via} is of a kind that is not supported"))
            .hint("name a proxy with http:// or https:// in HTTPS_PROXY, or unset ALL_PROXY")
    } else if reason.contains("authorization required") {
        Failure::new(format!("the proxy {via} asks for a user name and a password"))
            .hint("give them in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT")
    } else if find::<io::Error>(error).is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused) {
        Failure::new(format!("the proxy {via} refused the connection"))
            .hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
    } else {
        Failure::new(format!("the proxy {via} did not let us through to {host}"))
            .detail(&reason)
            .hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
    };
    failure.before_sending()
}

fn tls_failure(failure: &rustls::Error, host: &str, connecting: bool) -> Failure {
    use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};
    let told = match failure {
        Tls::PeerIncompatible(_) | Tls::AlertReceived(AlertDescription::ProtocolVersion) => Failure::new(format!(
            "{host} speaks no TLS version that is secure today; 1.2 or later is needed"
        ))
        .hint("the service itself speaks TLS 1.2: look for an old proxy or gateway in between"),
        Tls::InvalidCertificate(Certificate::UnknownIssuer) => {
            Failure::new(format!("the certificate of {host} comes from an issuer that is not trusted here"))
                .hint("if your company inspects traffic, put its root certificate into the system's store, or name its PEM file in SSL_CERT_FILE")
        }
        Tls::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
            Failure::new(format!("the certificate shown for {host} belongs to another name"))
                .hint("something answers in the service's place: look at the network, at DNS and at the proxy")
        }
        Tls::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            Failure::new(format!("the certificate of {host} has expired")).hint("is this machine's clock right?")
        }
        Tls::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            Failure::new(format!("the certificate of {host} is not valid yet")).hint("is this machine's clock right?")
        }
        Tls::InvalidMessage(_) => Failure::new(format!("{host} does not speak TLS on this port"))
            .hint("look at the port of the address, and for a proxy that wants plain http:// in HTTPS_PROXY"),
        _ => Failure::new(format!("no secure connection to {host} could be made"))
            .hint("look for a proxy or a security product in between"),
    };
    let told = told.detail(failure);
    if connecting { told.before_sending() } else { told }
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the service");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The first cause of type `T`. hyper and rustls nest their errors inside `io::Error`, whose `source()` skips
/// what it holds, so each of them is opened by hand.
fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            // An outer io::Error only wraps the cause that is looked for.
            let wraps = (error as &dyn StdError).downcast_ref::<io::Error>().and_then(|outer| outer.get_ref());
            match wraps.and_then(|inner| find::<T>(inner)) {
                Some(inner) => return Some(inner),
                None => return Some(found),
            }
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The last cause in words: the outer ones only repeat that the request failed.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    loop {
        let inner = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
        match inner {
            Some(inner) => error = inner,
            None => return error.to_string(),
        }
    }
}

/// The system's name resolution, with failures that can be recognised.
pub(super) struct Resolver;

#[derive(Debug)]
struct LookupFailed {
    name: String,
    reason: String,
}

impl fmt::Display for LookupFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.reason)
    }
}

impl StdError for LookupFailed {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let failed = |reason: String| LookupFailed { name: name.as_str().to_owned(), reason };
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(addresses) => Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(error) => Err(failed(error.to_string()).into()),
            }
        })
    }
}
