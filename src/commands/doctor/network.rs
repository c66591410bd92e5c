//! The way to a host: proxy, name, connection, TLS.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;
use url::Url;

use super::walk::Walk;
use crate::commands::Context;
use crate::error::Error;
use crate::http::{Secured, Way, host};

/// Who issues the certificates of Microsoft's services (learn.microsoft.com, "Azure certificate authority details").
const ISSUERS: [&str; 2] = ["DigiCert", "Microsoft"];

/// Below these names Microsoft's services of its clouds are found.
const MICROSOFTS: [&str; 5] =
    ["microsoft.com", "microsoftonline.com", "microsoftonline.us", "microsoftonline.cn", "chinacloudapi.cn"];

/// Walks to a host. Returns whether it can be reached.
pub(super) async fn walk(walk: &mut Walk, url: &Url, context: &Context<'_>) -> bool {
    let way = match Way::to(url) {
        Ok(way) => way,
        Err(failure) => {
            walk.failed("proxy", &host(url), &Error::from(failure));
            skip(walk, &["name", "tcp", "tls"], &host(url), "the proxy is not usable");
            return false;
        }
    };
    let host = way.host();
    walk.passed(
        "proxy",
        &host,
        match way.proxy() {
            Some((proxy, origin)) => format!("through {proxy} ({origin})"),
            None if way.is_plain() => "none: plain http stays on this machine".to_owned(),
            None => "none".to_owned(),
        },
    );
    let Some(addresses) = walk.record("name", &host, way.addresses().await, |found| listed(found, &way)) else {
        skip(walk, &["tcp", "tls"], &host, "there is no address");
        return false;
    };
    let connected = way.connect(&addresses, context.http).await;
    let finding = |(stream, elapsed): &(TcpStream, std::time::Duration)| {
        let peer = stream.peer_addr().map(|address| address.to_string()).unwrap_or_default();
        format!("connected to {peer} in {} ms", elapsed.as_millis())
    };
    let Some((stream, _)) = walk.record("tcp", &host, connected, finding) else {
        skip(walk, &["tls"], &host, "there is no connection");
        return false;
    };
    if way.is_plain() {
        walk.skipped("tls", &host, "plain http to this machine");
        return true;
    }
    if way.has_secure_proxy() {
        walk.skipped("tls", &host, "the proxy is spoken to over TLS itself; the requests below go through it");
        return true;
    }
    secure(walk, &way, stream, context).await
}

async fn secure(walk: &mut Walk, way: &Way, stream: TcpStream, context: &Context<'_>) -> bool {
    let host = way.host();
    let secured = match way.pass_proxy(stream, context.http).await {
        Ok(stream) => way.secure(stream, context.http).await,
        Err(failure) => Err(failure),
    };
    match secured {
        Ok(Secured { version, chain, distrust: None }) => {
            let issuers: Vec<&str> = chain.iter().map(|certificate| certificate.issuer.as_str()).collect();
            walk.passed("tls", &host, format!("{version}, {}", issued(&host, &issuers)));
            true
        }
        Ok(Secured { version, chain, distrust: Some(distrust) }) => {
            let issuers: Vec<&str> = chain.iter().map(|certificate| certificate.issuer.as_str()).collect();
            let shown = chain.first().map(|own| format!("the certificate shown is for {}", own.subject));
            let error = Error::from(distrust).detail(format!("{version}, {}", issued(&host, &issuers)));
            walk.failed("tls", &host, &shown.into_iter().fold(error, Error::detail));
            false
        }
        Err(failure) => {
            walk.failed("tls", &host, &Error::from(failure));
            false
        }
    }
}

/// Who issued the certificates, and whether that is who issues those of Microsoft's services.
fn issued(host: &str, issuers: &[&str]) -> String {
    let name = host.split(':').next().unwrap_or_default();
    let is_microsofts = MICROSOFTS.iter().any(|known| name.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')));
    let is_usual = issuers.iter().any(|issuer| ISSUERS.iter().any(|known| issuer.contains(known)));
    let by =
        format!("issued by {}", if issuers.is_empty() { "nobody known".to_owned() } else { issuers.join(", by ") });
    match (is_microsofts, is_usual) {
        (true, true) => format!("{by}, as Microsoft's services are"),
        (true, false) => format!(
            "{by}: not who issues the certificates of Microsoft's services, so that a company's proxy or a security product opens the connection"
        ),
        (false, _) => by,
    }
}

fn listed(addresses: &[SocketAddr], way: &Way) -> String {
    let mut addresses: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
    addresses.dedup();
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let whose = if way.proxy().is_some() { " (of the proxy, which looks up the host itself)" } else { "" };
    format!("{}{whose}", addresses.join(", "))
}

fn skip(walk: &mut Walk, names: &[&'static str], host: &str, why: &str) {
    for name in names {
        walk.skipped(name, host, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_companys_root_is_named_before_microsofts_services_alone() {
        let company = ["Proxy CA (Contoso Ltd)"];
        let usual =
            ["Microsoft TLS G2 RSA CA OCSP 02 (Microsoft Corporation)", "DigiCert Global Root G2 (DigiCert Inc)"];
        for host in ["licensing.m365.microsoft.com", "login.microsoftonline.com:443", "login.microsoftonline.us"] {
            assert!(issued(host, &company).contains("company's proxy"), "{host}");
            assert!(issued(host, &usual).ends_with("as Microsoft's services are"), "{host}");
        }
        for host in ["localhost:8080", "proxy.contoso.example", "notmicrosoft.com"] {
            assert_eq!(issued(host, &company), "issued by Proxy CA (Contoso Ltd)");
        }
    }
}
