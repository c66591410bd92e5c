//! The way to a host: proxy, name, connection, TLS.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::walk::Walk;
use crate::context::Context;
use crate::error::Error;
use crate::http::{Connected, HttpError, Secured, Way, host};

/// The organizations that issue the certificates of Microsoft's services (learn.microsoft.com, "Azure certificate
/// authority details").
const ISSUERS: [&str; 2] = ["DigiCert Inc", "Microsoft Corporation"];

/// Below these names Microsoft's services of its clouds are found.
const MICROSOFTS: [&str; 5] =
    ["microsoft.com", "microsoftonline.com", "microsoftonline.us", "microsoftonline.cn", "chinacloudapi.cn"];

/// Walks to a host. Returns whether it can be reached.
pub async fn walk(walk: &mut Walk, url: &Url, context: &Context) -> bool {
    let way = match Way::to(url) {
        Ok(way) => way,
        Err(failure) => {
            let host = &host(url);
            walk.failed("proxy", host, &Error::from(failure));
            skip(walk, &["name", "tcp", "tls"], host, "the proxy is not usable");
            return false;
        }
    };
    let host = way.host();
    let tell = |doing: &str| context.ui.debug(&format!("{doing} {host}"));
    walk.passed(
        "proxy",
        &host,
        match way.proxy() {
            Some((proxy, origin)) => format!("through {proxy} ({origin})"),
            None if way.is_plain() => "none: plain http stays on this machine".to_owned(),
            None => way.excepted_by().map_or("none".to_owned(), |name| format!("none: {name} excepts this host")),
        },
    );
    // The proxy has a step of its own only where there is one.
    let last = if way.proxy().is_some() { &["tunnel", "tls"][..] } else { &["tls"] };
    tell("looking up the address for");
    let Some(addresses) = walk.record("name", &host, way.addresses(&context.http).await, |found| listed(found, &way))
    else {
        skip(walk, &["tcp"], &host, "there is no address");
        skip(walk, last, &host, "there is no address");
        return false;
    };
    tell("connecting on the way to");
    let connected = way.connect(&addresses, &context.http).await;
    let Some(Connected { stream, .. }) = walk.record("tcp", &host, connected, connection) else {
        skip(walk, last, &host, "there is no connection");
        return false;
    };
    if way.is_plain() {
        walk.skipped("tls", &host, "plain http to this machine");
        return true;
    }
    let line = way.pass_proxy(stream, &context.http).await;
    let line = if way.proxy().is_some() {
        walk.record("tunnel", &host, line, |_| "the proxy lets the connection through".to_owned())
    } else {
        line.ok()
    };
    let Some(line) = line else {
        skip(walk, &["tls"], &host, "the proxy does not let the connection through");
        return false;
    };
    tell("looking at the certificate of");
    secure(walk, &host, way.secure(line, &context.http).await)
}

fn connection(connected: &Connected) -> String {
    let peer = connected.stream.peer_addr().map(|address| address.to_string()).unwrap_or_default();
    let passed_over: Vec<String> = connected.passed_over.iter().map(SocketAddr::to_string).collect();
    let before = match passed_over.as_slice() {
        [] => String::new(),
        _ => format!("; before that, none to {}", passed_over.join(", ")),
    };
    format!("connected to {peer} in {} ms{before}", connected.elapsed.as_millis())
}

fn secure(walk: &mut Walk, host: &str, secured: Result<Secured, HttpError>) -> bool {
    match secured {
        Ok(Secured { version, chain, distrust: None }) => {
            let issuers: Vec<&str> = chain.iter().map(|certificate| certificate.issuer.as_str()).collect();
            walk.passed("tls", host, format!("{version}, {}", issued(host, &issuers)));
            true
        }
        Ok(Secured { version, chain, distrust: Some(distrust) }) => {
            let issuers: Vec<&str> = chain.iter().map(|certificate| certificate.issuer.as_str()).collect();
            let shown = chain.first().map(|own| format!("the certificate shown is for {}", own.subject));
            let error = Error::from(distrust).with_detail(format!("{version}, {}", issued(host, &issuers)));
            walk.failed("tls", host, &shown.into_iter().fold(error, Error::with_detail));
            false
        }
        Err(failure) => {
            walk.failed("tls", host, &Error::from(failure));
            false
        }
    }
}

/// Who issued the certificates, and whether that is who issues those of Microsoft's services.
fn issued(host: &str, issuers: &[&str]) -> String {
    let name = host.split(':').next().unwrap_or_default();
    let is_microsofts = MICROSOFTS.iter().any(|known| name.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')));
    // Names are all there is to compare, and whoever opens connections on purpose can choose them: that the chain is
    // trusted here was judged before.
    let is_of = |issuer: &str, known: &str| issuer == known || issuer.ends_with(&format!("({known})"));
    let is_usual = issuers.last().is_some_and(|top| ISSUERS.iter().any(|known| is_of(top, known)));
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
            let alike = ["PrivateFile for Microsoft Corporation (Contoso Ltd)"];
            assert!(issued(host, &alike).contains("company's proxy"), "{host}");
        }
        for host in ["localhost:8080", "proxy.contoso.example", "notmicrosoft.com"] {
            assert_eq!(issued(host, &company), "issued by Proxy CA (Contoso Ltd)");
        }
    }
}
