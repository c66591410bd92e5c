//! The way through a proxy.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use super::look::{broken_off, connector, server_name};
use crate::http::HttpError;
use crate::http::diagnosis;
use crate::http::error::host;
use crate::http::proxy::OnTheWay;
use crate::http::tls;

/// No proxy says more before it lets a connection through.
const LARGEST_HEAD: usize = 16 * 1024;

/// A connection that bytes go over, whatever it is made of.
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}
impl<C: AsyncRead + AsyncWrite + Send + Unpin> Carrier for C {}

/// A connection to a host, straight or through a proxy.
pub type Line = Box<dyn Carrier>;

/// Has the proxy at the other end of `stream` let the connection through to the host of `url` (RFC 9110, section 9.3.6).
/// The proxy's password is sent: over TLS only to a proxy whose certificate is trusted.
pub async fn pass(stream: TcpStream, proxy: &OnTheWay, url: &Url) -> Result<Line, HttpError> {
    let mut line: Line = if proxy.is_secure {
        let connected = connector(tls::verifier()?, &proxy.shown)?.connect(server_name(&proxy.host)?, stream).await;
        Box::new(connected.map_err(|error| broken_off(&error, &proxy.shown))?)
    } else {
        Box::new(stream)
    };
    let target = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    let credentials = proxy.authorization.as_deref();
    let credentials = credentials.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n");
    let refused = |reason: &str| diagnosis::refused_by_proxy(reason, &host(url), &proxy.shown);
    let answered = match line.write_all(request.as_bytes()).await {
        Ok(()) => head(&mut line).await,
        Err(error) => Err(error),
    };
    let head = answered.map_err(|error| refused(&error.to_string()))?;
    match head.split_whitespace().nth(1).unwrap_or_default() {
        "200" => Ok(line),
        "407" => Err(refused("authorization required")),
        _ => Err(refused(&format!(
            "it answered: {}",
            crate::text::display_excerpt(head.lines().next().unwrap_or_default())
        ))),
    }
}

/// Reads up to the blank line after a head.
async fn head(line: &mut Line) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD {
            return Err(io::Error::other("its answer is no answer of a proxy"));
        }
        // Byte by byte: what follows belongs to the host behind the proxy.
        head.push(line.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
