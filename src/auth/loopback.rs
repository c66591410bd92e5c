//! The loopback listener: one sign-in's answer, and nothing else.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::browser::REDIRECT_PATH;
use super::landing::Page;
use crate::error::{Error, Result};
use crate::secret::{self, SecretBytes};

/// Entra's answer is a few kilobytes.
pub const MAX_FORM_SIZE: usize = 64 * 1024;

/// How long a connection may take to say what it wants; browsers open some without saying anything.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the landing page may take to get through.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);

/// How often another port is tried where a free one for IPv4 is taken for IPv6.
const MAX_PORT_ATTEMPTS: usize = 16;

/// Listens on 127.0.0.1 and, where there is IPv6, on `[::1]` at the same port: browsers resolve localhost to
/// either (MSAL Python issue 886).
pub struct RedirectListener {
    port: u16,
    v4: TcpListener,
    v6: Option<TcpListener>,
}

/// What the browser brought.
pub enum RedirectResult {
    Code(SecretString),
    Error { error: String, description: String },
}

/// The open request of the browser, waiting for its page.
pub struct PendingPage {
    page: oneshot::Sender<Page>,
    connection: JoinHandle<()>,
}

impl PendingPage {
    /// Shows the page, and waits until the browser has it.
    pub async fn send(self, page: Page) {
        // A browser that has gone away does not want the page.
        let _ = self.page.send(page);
        let _ = tokio::time::timeout(REPLY_TIMEOUT, self.connection).await;
    }
}

pub struct Redirect {
    pub answer: RedirectResult,
    pub page: oneshot::Sender<Page>,
    connection: usize,
}

impl RedirectListener {
    pub async fn bind(port: Option<u16>) -> Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))).await;
            let v4 = v4.map_err(|error| cannot_listen(port, error))?;
            let bound = v4.local_addr().map_err(|error| cannot_listen(port, error))?.port();
            match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, bound))).await {
                Ok(v6) => return Ok(Self { port: bound, v4, v6: Some(v6) }),
                Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                    return Ok(Self { port: bound, v4, v6: None });
                }
                Err(error) if port.is_some() || tries == MAX_PORT_ATTEMPTS => return Err(cannot_listen(port, error)),
                Err(_) => {}
            }
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until the answer to the request with this `state` comes. Connections are served side by side, so
    /// that one which says nothing holds up no other.
    pub async fn wait_for_redirect(self, state: &str) -> (RedirectResult, PendingPage) {
        let (sender, mut received) = mpsc::channel(1);
        let mut connections = Vec::new();
        loop {
            let stream = tokio::select! {
                Some(Redirect { answer, page, connection }) = received.recv() => {
                    return (answer, PendingPage { page, connection: connections.swap_remove(connection) });
                }
                stream = self.accept() => stream,
            };
            let site = Connection {
                state: state.to_owned(),
                port: self.port,
                connection: connections.len(),
                answers: sender.clone(),
            };
            connections.push(tokio::spawn(site.serve(stream)));
        }
    }

    async fn accept(&self) -> TcpStream {
        loop {
            let accepted = match &self.v6 {
                Some(v6) => {
                    tokio::select! { accepted = self.v4.accept() => accepted, accepted = v6.accept() => accepted }
                }
                None => self.v4.accept().await,
            };
            match accepted {
                Ok((stream, _)) => return stream,
                // Out of file descriptors, say: give others a moment to close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

fn cannot_listen(port: Option<u16>, error: std::io::Error) -> Error {
    let error = Error::from_source(error);
    match port {
        Some(port) => error
            .context(format!("could not listen on the port {port}"))
            .with_hint("choose another --redirect-port, or leave it out"),
        None => {
            error.context("could not listen for the browser's answer").with_hint("mscommerce connect --device-code")
        }
    }
}

/// What one connection needs to answer its requests.
pub struct Connection {
    pub state: String,
    pub port: u16,
    pub connection: usize,
    pub answers: mpsc::Sender<Redirect>,
}

impl Connection {
    pub async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(async |request| Ok::<_, Infallible>(self.respond(request).await));
        // A connection that breaks concerns nobody: the sign-in goes on.
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(REQUEST_TIMEOUT)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.has_loopback_host(&request) {
            return page_response(StatusCode::MISDIRECTED_REQUEST, &Page::unexpected());
        }
        if request.uri().path() != REDIRECT_PATH {
            return empty_response(StatusCode::NOT_FOUND);
        }
        let by_get = request.method() == Method::GET;
        let form = match *request.method() {
            Method::GET => request.uri().query().unwrap_or_default().to_owned().into_bytes().into(),
            Method::POST => {
                match tokio::time::timeout(REQUEST_TIMEOUT, Limited::new(request.into_body(), MAX_FORM_SIZE).collect())
                    .await
                {
                    Ok(Ok(body)) => SecretBytes::from(body.to_bytes().to_vec()),
                    _ => return page_response(StatusCode::BAD_REQUEST, &Page::unexpected()),
                }
            }
            Method::OPTIONS => return empty_response(StatusCode::NO_CONTENT),
            _ => return empty_response(StatusCode::METHOD_NOT_ALLOWED),
        };
        match parse_redirect(&form, &self.state) {
            // A code is taken from a posted form alone: addresses end up in histories and logs.
            Some(RedirectResult::Code(_)) if by_get => page_response(StatusCode::BAD_REQUEST, &Page::unexpected()),
            Some(answer) => self.hand_over(answer).await,
            None => page_response(StatusCode::BAD_REQUEST, &Page::unexpected()),
        }
    }

    /// A page on another site whose name leads to this machine (DNS rebinding) sends its own name as `Host`.
    fn has_loopback_host<B>(&self, request: &Request<B>) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        is_loopback_host(host, self.port)
    }

    /// Hands the answer over and keeps the browser waiting for how it ends.
    async fn hand_over(&self, answer: RedirectResult) -> Response<Full<Bytes>> {
        let (page, outcome) = oneshot::channel();
        let received = Redirect { answer, page, connection: self.connection };
        if self.answers.send(received).await.is_err() {
            return page_response(StatusCode::GONE, &Page::unexpected());
        }
        match outcome.await {
            Ok(page) => page_response(StatusCode::OK, &page),
            Err(_) => page_response(StatusCode::GONE, &Page::unexpected()),
        }
    }
}

/// Whether a `Host` header names this machine and `port`, which browsers leave out where it is the usual one.
fn is_loopback_host(host: &str, port: u16) -> bool {
    let (name, asked) = match host.rsplit_once(':') {
        Some((name, asked)) if !asked.ends_with(']') => (name, asked.parse().ok()),
        _ => (host, Some(80)),
    };
    asked == Some(port) && ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// The answer in a form, if it has this sign-in's state.
fn parse_redirect(form: &[u8], state: &str) -> Option<RedirectResult> {
    let field = |name: &str| {
        url::form_urlencoded::parse(form)
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    };
    if field("state")? != state {
        return None;
    }
    if let Some(error) = field("error") {
        return Some(RedirectResult::Error { error, description: field("error_description").unwrap_or_default() });
    }
    field("code").map(|code| RedirectResult::Code(secret::into_secret(code)))
}

fn empty_response(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn page_response(status: StatusCode, page: &Page) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(page.html()));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_lead_here() {
        for host in ["localhost:8400", "127.0.0.1:8400", "[::1]:8400"] {
            assert!(is_loopback_host(host, 8400), "{host}");
        }
        assert!(is_loopback_host("localhost", 80) && is_loopback_host("[::1]", 80));
        for host in ["", "localhost", "localhost:80", "evil.example:8400", "127.0.0.1:8400.evil.example", "::1:8400"] {
            assert!(!is_loopback_host(host, 8400), "{host}");
        }
    }

    #[test]
    fn an_answer_needs_the_state_of_this_sign_in() {
        assert!(matches!(parse_redirect(b"code=abc&state=s1", "s1"), Some(RedirectResult::Code(_))));
        assert!(matches!(parse_redirect(b"error=access_denied&state=s1", "s1"), Some(RedirectResult::Error { .. })));
        for foreign in [&b"code=abc&state=s2"[..], b"code=abc", b"state=s1", b"", b"code=&state=s1", b"\xff%zz"] {
            assert!(parse_redirect(foreign, "s1").is_none(), "{foreign:?}");
        }
    }
}
