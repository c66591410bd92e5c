//! Why a request failed, from what reqwest, hyper, rustls and the system report.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::error::{HttpError, host};
use super::{lookup, proxy};

/// Sorts out what reqwest, hyper, rustls or the system reported.
pub fn diagnose(error: &reqwest::Error, url: &Url) -> HttpError {
    let host = host(url);
    let via = proxy::for_url(url);
    if let Some(failed) = find::<DnsError>(error) {
        return unknown_address(failed, via.as_deref());
    }
    if let Some(failure) = find::<rustls::Error>(error) {
        return tls_failure(failure, &host, error.is_connect());
    }
    if let (Some(via), true) = (&via, error.is_connect()) {
        return proxy_failure(error, &host, via);
    }
    if error.is_timeout() {
        let failure = not_in_time(&host);
        return if error.is_connect() { failure.before_sending() } else { failure };
    }
    let cause = find::<io::Error>(error);
    if error.is_connect() {
        if url.scheme() == "https" && cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof) {
            return HttpError::new(format!("{host} broke off while the secure connection (TLS) was being made"))
                .with_hint("look for a proxy or a security product in between")
                .before_sending();
        }
        return unreachable(&host, cause, &innermost(error));
    }
    HttpError::new(format!("the connection to {host} broke off before the answer was complete"))
        .with_detail(innermost(error))
        .with_hint("try again")
        .passing()
}

/// Whoever was connected to took too long.
pub fn not_in_time(host: &str) -> HttpError {
    HttpError::new(format!("{host} did not accept a connection in time"))
        .with_hint("look at the network and at HTTPS_PROXY, then try again")
        .passing()
}

/// No connection came about.
pub fn unreachable(host: &str, cause: Option<&io::Error>, reason: &str) -> HttpError {
    let refused = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
    let what = if refused { "refused the connection" } else { "could not be reached" };
    let failure = HttpError::new(format!("{host} {what}"))
        .with_detail(reason)
        .with_hint("look at the network, at a firewall in between, and at HTTPS_PROXY, then try again")
        .before_sending();
    if cause.is_some_and(|cause| may_pass(cause.kind())) { failure.passing() } else { failure }
}

/// Whether a connection may come about at another try.
fn may_pass(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut};
    matches!(kind, ConnectionRefused | ConnectionReset | ConnectionAborted | TimedOut)
}

/// A name for which there is no address.
pub fn unknown_address(failed: &DnsError, via: Option<&str>) -> HttpError {
    let failure = HttpError::new(format!("the address of {} could not be found", failed.name))
        .with_detail(&failed.reason)
        .before_sending();
    // The systems say in words alone that a server for names could not be asked just now.
    let reason = failed.reason.to_ascii_lowercase();
    let is_temporary = reason.contains("temporary") || reason.contains("try again");
    let failure = if is_temporary { failure.passing() } else { failure };
    match via {
        Some(via) => failure.with_hint(format!("that is the proxy {via}: look at HTTPS_PROXY")),
        None => failure
            .with_hint("is this machine online? If it reaches the internet through a proxy, name it in HTTPS_PROXY"),
    }
}

fn proxy_failure(error: &reqwest::Error, host: &str, via: &str) -> HttpError {
    let reason = innermost(error);
    if find::<io::Error>(error).is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused) {
        return HttpError::new(format!("the proxy {via} refused the connection"))
            .with_hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
            .before_sending();
    }
    refused_by_proxy(&reason, host, via)
}

/// The proxy could be reached, and did not do what it is for.
pub fn refused_by_proxy(reason: &str, host: &str, via: &str) -> HttpError {
    let failure = if reason.contains("unsupported scheme") {
        HttpError::new(format!("the proxy {via} is of a kind that is not supported"))
            .with_hint("name a proxy with http:// or https:// in HTTPS_PROXY, or unset ALL_PROXY")
    } else if reason.contains("authorization required") {
        HttpError::new(format!("the proxy {via} asks for a user name and a password"))
            .with_hint("give them in HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT")
    } else {
        HttpError::new(format!("the proxy {via} did not let us through to {host}"))
            .with_detail(reason)
            .with_hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
    };
    failure.before_sending()
}

/// No secure connection came about.
pub fn tls_failure(failure: &rustls::Error, host: &str, connecting: bool) -> HttpError {
    use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};
    let told = match failure {
        Tls::PeerIncompatible(_) | Tls::AlertReceived(AlertDescription::ProtocolVersion) => HttpError::new(format!(
            "{host} speaks no TLS version that is secure today; 1.2 or later is needed"
        ))
        .with_hint("the service itself speaks TLS 1.2: look for an old proxy or gateway in between"),
        Tls::InvalidCertificate(Certificate::UnknownIssuer) => {
            HttpError::new(format!("the certificate of {host} comes from an issuer that is not trusted here"))
                .with_hint("if your company inspects traffic, put its root certificate into the system's store, or name its PEM file in SSL_CERT_FILE")
                .of_unknown_issuer()
        }
        Tls::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
            HttpError::new(format!("the certificate shown for {host} belongs to another name"))
                .with_hint("something answers in the service's place: look at the network, at DNS and at the proxy")
        }
        Tls::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            HttpError::new(format!("the certificate of {host} has expired")).with_hint("is this machine's clock right?")
        }
        Tls::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            HttpError::new(format!("the certificate of {host} is not valid yet")).with_hint("is this machine's clock right?")
        }
        Tls::InvalidMessage(_) => HttpError::new(format!("{host} does not speak TLS on this port"))
            .with_hint("look at the port of the address, and for a proxy that wants plain http:// in HTTPS_PROXY"),
        _ => HttpError::new(format!("no secure connection to {host} could be made"))
            .with_hint("look for a proxy or a security product in between"),
    };
    let told = told.with_detail(failure);
    if connecting { told.before_sending() } else { told }
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
pub fn innermost(error: &(dyn StdError + 'static)) -> String {
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
pub struct Resolver;

/// A name that the system could not turn into an address.
#[derive(Debug)]
pub struct DnsError {
    name: String,
    reason: String,
}

impl DnsError {
    pub fn new(name: &str, reason: String) -> Self {
        Self { name: name.to_owned(), reason }
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.reason)
    }
}

impl StdError for DnsError {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            match lookup::addresses(name.as_str(), 0).await {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(error) => Err(DnsError::new(name.as_str(), error.to_string()).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_looked_up_just_now_may_be_found_at_another_try() {
        let told = |reason: &str| {
            unknown_address(&DnsError { name: "x.example".into(), reason: reason.into() }, None).may_pass()
        };
        for passing in ["failed to lookup address information: Temporary failure in name resolution", "Try again"] {
            assert!(told(passing), "{passing}");
        }
        for lasting in ["failed to lookup address information: Name or service not known", "No such host is known."] {
            assert!(!told(lasting), "{lasting}");
        }
    }
}
