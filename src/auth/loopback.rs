//! The loopback listener for the redirect of a browser sign-in (RFC 8252, section 7.3).

use std::collections::VecDeque;
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
use tokio::task::{self, AbortHandle, JoinSet};
use tokio::time::Instant;

use super::entra::REDIRECT_PATH;
use super::landing::Page;
use super::oauth_error::OAuthError;
use crate::error::{Error, Result};
use crate::redact::Redactor;
use crate::secret::{SecretBytes, into_secret};

/// The maximum size of a posted form, in bytes. Entra's redirect has a few kilobytes.
pub const MAX_FORM_SIZE: usize = 64 * 1024;

/// The timeout for receiving a request. Browsers also open connections without sending a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// The timeout for sending the landing page.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);

/// The maximum number of open connections, far below the usual limits of open files: other processes of this machine can
/// connect, too.
const MAX_CONNECTIONS: usize = 32;

/// How long a connection may wait for its request before a new one can take its place. A browser sends its request at
/// once, so it gets through even if another process holds or opens connections all the time.
const MIN_CONNECTION_TIME: Duration = Duration::from_secs(1);

/// The maximum number of ports to try. A port that is free for IPv4 may be in use for IPv6.
const MAX_PORT_ATTEMPTS: usize = 16;

/// A listener on 127.0.0.1 and, if IPv6 is available, on the same port of `[::1]`: browsers resolve localhost to either
/// address (MSAL Python issue 886).
pub struct RedirectListener {
    port: u16,
    v4: TcpListener,
    v6: Option<TcpListener>,
}

/// The result of the authorization request, from the redirect.
pub enum RedirectResult {
    Code(SecretString),
    Error(OAuthError),
}

/// The browser's pending request, which waits for the landing page.
pub struct PendingPage {
    page: oneshot::Sender<Page>,
    connection: Option<task::Id>,
    connections: JoinSet<()>,
}

impl PendingPage {
    /// Sends the page and waits until the browser has received it, for at most `REPLY_TIMEOUT`.
    pub async fn send(mut self, page: Page) {
        // This fails if the browser has closed the connection, which does not affect the sign-in.
        let _ = self.page.send(page);
        let sent = async {
            while let Some(ended) = self.connections.join_next_with_id().await {
                if self.connection == Some(ended.map_or_else(|error| error.id(), |(id, ())| id)) {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(REPLY_TIMEOUT, sent).await;
    }
}

/// A redirect whose `state` matches this sign-in.
pub struct Redirect {
    pub result: RedirectResult,
    pub page: oneshot::Sender<Page>,
    /// The task that serves the connection.
    connection: Option<task::Id>,
}

impl RedirectListener {
    /// Listens on `port`, or on any free port. Fails if no port is available.
    pub async fn bind(port: Option<u16>) -> Result<Self> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))).await;
            let v4 = v4.map_err(|error| listen_error(port, error))?;
            let bound = v4.local_addr().map_err(|error| listen_error(port, error))?.port();
            match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, bound))).await {
                Ok(v6) => return Ok(Self { port: bound, v4, v6: Some(v6) }),
                Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                    return Ok(Self { port: bound, v4, v6: None });
                }
                Err(error) if port.is_some() || attempts == MAX_PORT_ATTEMPTS => {
                    return Err(listen_error(port, error));
                }
                Err(_) => {}
            }
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the redirect with this `state`, and fails after `timeout`. Serves connections concurrently, so that an
    /// idle connection does not block others.
    pub async fn wait_for_redirect(self, state: &str, timeout: Duration) -> Result<(RedirectResult, PendingPage)> {
        let (sender, mut redirects) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        let mut open = VecDeque::new();
        let redirect = async {
            loop {
                let stream = tokio::select! {
                    // First, so that the connection of the redirect is not closed.
                    biased;
                    Some(redirect) = redirects.recv() => return redirect,
                    stream = self.accept_within_limit(&mut open) => stream,
                };
                // Forget ended connections.
                while connections.try_join_next().is_some() {}
                let connection = Connection { state: state.to_owned(), port: self.port, redirects: sender.clone() };
                open.push_back((Instant::now(), connections.spawn(connection.serve(stream))));
            }
        };
        let Redirect { result, page, connection } = tokio::time::timeout(timeout, redirect).await.map_err(|_| {
            Error::failed(format!("the sign-in was not completed in the browser within {} s", timeout.as_secs()))
        })?;
        Ok((result, PendingPage { page, connection, connections }))
    }

    /// Accepts a connection. Closes the oldest one of `MAX_CONNECTIONS`, as soon as it had the time to send its request.
    async fn accept_within_limit(&self, open: &mut VecDeque<(Instant, AbortHandle)>) -> TcpStream {
        let stream = self.accept().await;
        open.retain(|(_, connection)| !connection.is_finished());
        if open.len() >= MAX_CONNECTIONS
            && let Some((opened, _)) = open.front()
        {
            tokio::time::sleep_until(*opened + MIN_CONNECTION_TIME).await;
            if let Some((_, oldest)) = open.pop_front() {
                oldest.abort();
            }
        }
        stream
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
                // Errors such as too many open files are temporary.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

fn listen_error(port: Option<u16>, error: std::io::Error) -> Error {
    let error = Error::from_source(error);
    match port {
        Some(port) => error
            .context(format!("could not listen on port {port}"))
            .with_hint("choose another --redirect-port, or omit it"),
        None => error
            .context("could not listen for the redirect from the browser")
            .with_hint("mscommerce connect --device-code"),
    }
}

/// The state to serve one browser connection.
pub struct Connection {
    pub state: String,
    pub port: u16,
    pub redirects: mpsc::Sender<Redirect>,
}

impl Connection {
    pub async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(async |request| Ok::<_, Infallible>(self.respond(request).await));
        // A failed connection does not fail the sign-in: the browser may open another one.
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
        let is_get = request.method() == Method::GET;
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
            // Accept a code only in a posted form: browser histories and logs record URLs.
            Some(RedirectResult::Code(_)) if is_get => page_response(StatusCode::BAD_REQUEST, &Page::unexpected()),
            Some(result) => self.forward_result(result).await,
            None => page_response(StatusCode::BAD_REQUEST, &Page::unexpected()),
        }
    }

    /// Checks the `Host` header to prevent DNS rebinding: another site's page sends that site's name.
    fn has_loopback_host<B>(&self, request: &Request<B>) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        is_loopback_host(host, self.port)
    }

    /// Sends the result to the sign-in, and waits for the page to return.
    async fn forward_result(&self, result: RedirectResult) -> Response<Full<Bytes>> {
        let (page, received_page) = oneshot::channel();
        let redirect = Redirect { result, page, connection: task::try_id() };
        if self.redirects.send(redirect).await.is_err() {
            return page_response(StatusCode::GONE, &Page::unexpected());
        }
        match received_page.await {
            Ok(page) => page_response(StatusCode::OK, &page),
            Err(_) => page_response(StatusCode::GONE, &Page::unexpected()),
        }
    }
}

/// Whether a `Host` header is a loopback name with `port`. Browsers omit port 80.
fn is_loopback_host(host: &str, port: u16) -> bool {
    let (name, host_port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    host_port == Some(port) && ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// Parses the result from a form or query. Returns `None` if its `state` differs.
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
        // The error is shown, and may repeat the rest of the form.
        let secrets: Vec<SecretString> = ["code", "state"].into_iter().filter_map(field).map(into_secret).collect();
        let redactor = Redactor::new(&secrets);
        let description = field("error_description").unwrap_or_default();
        let error = OAuthError::new(redactor.redact_text(&error), redactor.redact_text(&description));
        return Some(RedirectResult::Error(error));
    }
    field("code").map(|code| RedirectResult::Code(into_secret(code)))
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
    fn host_header_must_name_this_machine() {
        for host in ["localhost:8400", "127.0.0.1:8400", "[::1]:8400"] {
            assert!(is_loopback_host(host, 8400), "{host}");
        }
        assert!(is_loopback_host("localhost", 80) && is_loopback_host("[::1]", 80));
        for host in ["", "localhost", "localhost:80", "evil.example:8400", "127.0.0.1:8400.evil.example", "::1:8400"] {
            assert!(!is_loopback_host(host, 8400), "{host}");
        }
    }

    #[test]
    fn redirect_without_state_is_ignored() {
        assert!(matches!(parse_redirect(b"code=abc&state=s1", "s1"), Some(RedirectResult::Code(_))));
        assert!(matches!(parse_redirect(b"error=access_denied&state=s1", "s1"), Some(RedirectResult::Error(_))));
        for form in [&b"code=abc&state=s2"[..], b"code=abc", b"state=s1", b"", b"code=&state=s1", b"\xff%zz"] {
            assert!(parse_redirect(form, "s1").is_none(), "{form:?}");
        }
    }
}
