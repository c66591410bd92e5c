//! The hops to a host: proxy, name, TCP connection, tunnel, TLS.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::DiagnosticReport;
use crate::context::Context;
use crate::error::Error;
use crate::http::{Route, TcpConnection, host_and_port};

/// The organizations that issue the certificates of Microsoft's services (learn.microsoft.com, "Azure certificate
/// authority details").
const MICROSOFT_ISSUERS: [&str; 2] = ["DigiCert Inc", "Microsoft Corporation"];

/// The parent domains of Microsoft's services, with those of the national clouds.
const MICROSOFT_DOMAINS: [&str; 5] =
    ["microsoft.com", "microsoftonline.com", "microsoftonline.us", "microsoftonline.cn", "chinacloudapi.cn"];

/// Checks each hop to a host. Returns whether it can be reached.
pub async fn check_host(report: &mut DiagnosticReport, url: &Url, context: &Context) -> bool {
    let host = host_and_port(url);
    let route = match Route::new(url) {
        Ok(route) => route,
        Err(error) => {
            report.failed("proxy", &host, &error.into());
            skip(report, &["name", "tcp", "tls"], &host, "the proxy is not usable");
            return false;
        }
    };
    let (http, ui) = (&context.http, &context.ui);
    report.passed("proxy", &host, describe_proxy(&route));
    let tls_steps = if route.proxy.is_some() { &["tunnel", "tls"][..] } else { &["tls"] };
    ui.debug(&format!("resolving {host}"));
    let addresses = route.resolve(http).await;
    let Some(addresses) = report.record("name", &host, addresses, |found| describe_addresses(found, &route)) else {
        skip(report, &["tcp"], &host, "no IP address");
        skip(report, tls_steps, &host, "no IP address");
        return false;
    };
    ui.debug(&format!("connecting to {host}"));
    let connection = route.connect(&addresses, http).await;
    if report.record("tcp", &host, connection, describe_connection).is_none() {
        skip(report, tls_steps, &host, "no connection");
        return false;
    }
    if route.is_plain() {
        report.skipped("tls", &host, "not needed: plain HTTP to this machine");
        return true;
    }
    ui.debug(&format!("checking the certificate of {host}"));
    check_tls(report, &host, &route, context).await
}

/// Checks the tunnel through a proxy, if there is one, and TLS. Returns whether the connection is secure.
async fn check_tls(report: &mut DiagnosticReport, host: &str, route: &Route, context: &Context) -> bool {
    let result = route.check_tls(&context.http).await;
    if route.proxy.is_some() {
        match &result {
            Err(error) if error.proxy_failure.is_some() => {
                report.failed("tunnel", host, &error.clone().into());
                report.skipped("tls", host, "the proxy rejected the connection");
                return false;
            }
            _ => report.passed("tunnel", host, "the proxy accepted the connection"),
        }
    }
    let certificate = route.fetch_certificate(&context.http).await;
    let issuer = certificate.as_ref().map(|certificate| describe_issuer(host, &certificate.issuers));
    let subject = certificate.map(|certificate| format!("the certificate is for {}", certificate.subject));
    let result = result.map_err(|error| issuer.iter().chain(&subject).fold(Error::from(error), Error::with_detail));
    let trusted = || "the certificate is trusted".to_owned();
    report.record("tls", host, result, |()| issuer.clone().unwrap_or_else(trusted)).is_some()
}

fn describe_proxy(route: &Route) -> String {
    match &route.proxy {
        Some(proxy) => format!("through {} ({})", proxy.display, proxy.source),
        None if route.is_plain() => "none: plain HTTP to this machine".to_owned(),
        None => route.bypassed_by().map_or("none".to_owned(), |name| format!("none: {name} excludes this host")),
    }
}

fn describe_addresses(addresses: &[SocketAddr], route: &Route) -> String {
    let mut addresses: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
    addresses.dedup();
    let note = if route.proxy.is_some() { " (of the proxy, which resolves the host itself)" } else { "" };
    format!("{}{note}", join(&addresses))
}

fn describe_connection(connection: &TcpConnection) -> String {
    let TcpConnection { peer, elapsed, unreachable } = connection;
    let unreachable =
        if unreachable.is_empty() { String::new() } else { format!("; could not connect to {}", join(unreachable)) };
    format!("connected to {peer} in {} ms{unreachable}", elapsed.as_millis())
}

fn join(addresses: &[impl ToString]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The issuers of a certificate, and whether they are those of Microsoft's services. Only names are compared, which an
/// inspecting proxy can choose: whether the certificate is trusted is decided before.
fn describe_issuer(host: &str, issuers: &[String]) -> String {
    let name = host.split(':').next().unwrap_or_default();
    let is_microsoft_host =
        MICROSOFT_DOMAINS.iter().any(|domain| name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
    let is_named = |issuer: &str, known: &str| issuer == known || issuer.ends_with(&format!("({known})"));
    let is_microsoft_issuer =
        issuers.last().is_some_and(|top| MICROSOFT_ISSUERS.iter().any(|known| is_named(top, known)));
    let issued_by = format!("issued by {}", issuers.join(", by "));
    match (is_microsoft_host, is_microsoft_issuer) {
        (true, true) => format!("{issued_by}, as expected for Microsoft's services"),
        (true, false) => {
            format!("{issued_by}: not an issuer of Microsoft's services, so a proxy or security product intercepts TLS")
        }
        (false, _) => issued_by,
    }
}

fn skip(report: &mut DiagnosticReport, names: &[&'static str], host: &str, why: &str) {
    for name in names {
        report.skipped(name, host, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describe_issuer_flags_company_root_for_microsoft_hosts() {
        let company = ["Proxy CA (Contoso Ltd)".to_owned()];
        let usual =
            ["Microsoft TLS G2 RSA CA OCSP 02 (Microsoft Corporation)", "DigiCert Global Root G2 (DigiCert Inc)"]
                .map(str::to_owned);
        for host in ["licensing.m365.microsoft.com", "login.microsoftonline.com:443", "login.microsoftonline.us"] {
            assert!(describe_issuer(host, &company).contains("intercepts TLS"), "{host}");
            assert!(describe_issuer(host, &usual).ends_with("as expected for Microsoft's services"), "{host}");
            let lookalike = ["Store for Microsoft Corporation (Contoso Ltd)".to_owned()];
            assert!(describe_issuer(host, &lookalike).contains("intercepts TLS"), "{host}");
        }
        for host in ["localhost:8080", "proxy.contoso.example", "notmicrosoft.com"] {
            assert_eq!(describe_issuer(host, &company), "issued by Proxy CA (Contoso Ltd)");
        }
    }
}
