//! The way of a request, walked by hand: to say where it stops.

mod look;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use super::clients::CONNECT_TIMEOUT;
use super::diagnosis::{self, LookupFailed};
use super::failure::host;
use super::{Client, Failure, is_loopback, proxy};
pub(crate) use look::Certificate;

/// No proxy says more before it lets a connection through.
const LARGEST_HEAD: usize = 16 * 1024;

/// What is on the way to an address.
pub(crate) struct Way {
    url: Url,
    proxy: Option<proxy::OnTheWay>,
}

/// What the other side of a TLS connection showed.
pub(crate) struct Secured {
    /// Such as `TLS 1.3`.
    pub(crate) version: String,
    /// The certificates as they were shown, the server's own first.
    pub(crate) chain: Vec<Certificate>,
    /// Why the certificate is not trusted, where it is not.
    pub(crate) distrust: Option<Failure>,
}

impl Way {
    /// The way to `url`. Fails where a variable names a proxy that cannot be one.
    pub(crate) fn to(url: &Url) -> Result<Self, Failure> {
        if url.scheme() == "http" {
            return if is_loopback(url) {
                Ok(Self { url: url.clone(), proxy: None })
            } else {
                Err(Failure::plain(url))
            };
        }
        if let Some(variable) = proxy::unusable_variable(url) {
            return Err(Failure::unusable_proxy(variable));
        }
        Ok(Self { url: url.clone(), proxy: proxy::on_the_way(url) })
    }

    /// The host that is asked for, with its port where it is not the usual one.
    pub(crate) fn host(&self) -> String {
        host(&self.url)
    }

    /// The proxy in between and what names it, if there is one.
    pub(crate) fn proxy(&self) -> Option<(&str, &str)> {
        self.proxy.as_ref().map(|proxy| (proxy.shown.as_str(), proxy.origin))
    }

    /// Whether it is plain http, to this machine.
    pub(crate) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether the proxy itself is spoken to over TLS, which is not walked by hand.
    pub(crate) fn has_secure_proxy(&self) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.is_secure)
    }

    /// The addresses of whoever is connected to: the proxy, else the host.
    pub(crate) async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let (name, port) = match &self.proxy {
            Some(proxy) => (proxy.host.clone(), proxy.port),
            None => {
                (self.url.host_str().unwrap_or_default().to_owned(), self.url.port_or_known_default().unwrap_or(443))
            }
        };
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let via = self.proxy.as_ref().map(|proxy| proxy.shown.as_str());
        let found = tokio::net::lookup_host((name.as_str(), port)).await;
        let failed = |reason: String| diagnosis::unknown_address(&LookupFailed::new(&name, reason), via);
        let addresses: Vec<SocketAddr> = found.map_err(|error| failed(error.to_string()))?.collect();
        if addresses.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(addresses) }
    }

    /// A connection to the first of these addresses that takes one, and how long that took.
    pub(crate) async fn connect(
        &self,
        addresses: &[SocketAddr],
        http: &Client<'_>,
    ) -> Result<(TcpStream, Duration), Failure> {
        let started = Instant::now();
        let patience = http.time_left().min(CONNECT_TIMEOUT);
        let whom = self.proxy.as_ref().map_or_else(|| self.host(), |proxy| format!("the proxy {}", proxy.shown));
        match tokio::time::timeout(patience, TcpStream::connect(addresses)).await {
            Ok(Ok(stream)) => Ok((stream, started.elapsed())),
            Ok(Err(error)) => Err(diagnosis::unreachable(&whom, Some(&error), &error.to_string())),
            Err(_) => Err(diagnosis::not_in_time(&whom)),
        }
    }

    /// Has the proxy let the connection through to the host (RFC 9110, section 9.3.6).
    pub(crate) async fn pass_proxy(&self, mut stream: TcpStream, http: &Client<'_>) -> Result<TcpStream, Failure> {
        let Some(proxy) = &self.proxy else { return Ok(stream) };
        let target =
            format!("{}:{}", self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or(443));
        let credentials = proxy.authorization.as_deref();
        let credentials = credentials.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n");
        let refused = |reason: &str| diagnosis::refused_by_proxy(reason, &self.host(), &proxy.shown);
        let exchange = async {
            stream.write_all(request.as_bytes()).await?;
            head(&mut stream).await
        };
        let patience = http.time_left().min(CONNECT_TIMEOUT);
        let answered =
            tokio::time::timeout(patience, exchange).await.map_err(|_| refused("it did not answer in time"))?;
        let head = answered.map_err(|error| refused(&error.to_string()))?;
        let status = head.split_whitespace().nth(1).unwrap_or_default();
        match status {
            "200" => Ok(stream),
            "407" => Err(refused("authorization required")),
            _ => Err(refused(&format!("it answered: {}", head.lines().next().unwrap_or_default()))),
        }
    }

    /// Makes a secure connection, looks at what is shown, and closes it: nothing is sent over it.
    pub(crate) async fn secure(&self, stream: TcpStream, http: &Client<'_>) -> Result<Secured, Failure> {
        let host = self.host();
        let patience = http.time_left().min(CONNECT_TIMEOUT);
        match tokio::time::timeout(patience, look::look(stream, &self.url)).await {
            Ok(result) => result,
            Err(_) => Err(diagnosis::not_in_time(&host)),
        }
    }
}

/// Reads up to the blank line after a head.
async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD {
            return Err(std::io::Error::other("its answer is no answer of a proxy"));
        }
        // Byte by byte: what follows belongs to the host behind the proxy.
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
