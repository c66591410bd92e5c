//! DNS resolution and loopback addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::transport_error::DnsError;

/// The system's resolver. It returns [`DnsError`], so that a DNS failure can be found among the causes of a reqwest
/// error.
pub struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = lookup_host(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Resolves a host name to addresses, in the order to try.
///
/// Resolves `localhost` without DNS (RFC 6761, section 6.3), because tokens are sent to it over plain HTTP.
pub async fn lookup_host(name: &str, port: u16) -> Result<Vec<SocketAddr>, DnsError> {
    if is_localhost(name) {
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    match tokio::net::lookup_host((name, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => Err(DnsError { name: name.to_owned(), reason: error.to_string() }),
    }
}

fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

/// Whether the host of a URL is `localhost`, in 127.0.0.0/8, or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => is_localhost(name),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_resolved_without_lookup() {
        for name in ["localhost", "LocalHost"] {
            let addresses = lookup_host(name, 8400).await.expect("addresses");
            assert_eq!(addresses, ["127.0.0.1:8400".parse().expect("v4"), "[::1]:8400".parse().expect("v6")]);
        }
        assert!(!is_localhost("localhost.example") && !is_localhost("") && !is_localhost("localhos"));
    }
}
