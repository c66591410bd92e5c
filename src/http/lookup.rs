//! From the name of a host to its addresses.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses of a host, each with `port`, in the order in which they are to be tried.
///
/// `localhost` is this machine, as RFC 6761 (6.3) has it and curl does it, too: nobody is asked, for plain http is let
/// through to it, with a token.
pub async fn addresses(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if is_this_machine(name) {
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    Ok(tokio::net::lookup_host((name, port)).await?.collect())
}

/// Whether a name means this machine, whatever anybody else says.
pub fn is_this_machine(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_found_without_asking() {
        for name in ["localhost", "LocalHost"] {
            let found = addresses(name, 8400).await.expect("addresses");
            assert_eq!(found, ["127.0.0.1:8400".parse().expect("v4"), "[::1]:8400".parse().expect("v6")]);
        }
        assert!(!is_this_machine("localhost.example") && !is_this_machine("") && !is_this_machine("localhos"));
    }
}
