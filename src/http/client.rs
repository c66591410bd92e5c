//! The client of one run: sends requests within one deadline and a maximum of concurrent requests, and repeats them.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

use super::dns::{Resolver, is_loopback};
use super::error::display_url;
use super::retry::{RateLimit, RetryPolicy, delays, retry_after};
use super::{HttpError, Response, proxy, tls};
use crate::interrupt::Interrupt;
use crate::secret::{SecretBytes, contains_bytes};
use crate::ui::Ui;

/// The header that identifies a request in the logs of both sides (MSCommerce module).
pub const CORRELATION_ID: &str = "x-ms-correlation-id";

/// The longest time to open a connection, also with a longer `--timeout`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Far above any response of the services.
const MAX_BODY_SIZE: usize = 8 * 1024 * 1024;

/// The HTTP client of one run; a clone shares it. Certificates are read, and connections opened, by the first request.
#[derive(Clone)]
pub struct Client(Rc<ClientState>);

struct ClientState {
    timeout: Duration,
    deadline: Cell<Option<Instant>>,
    ui: Ui,
    interrupt: Interrupt,
    rate_limit: RateLimit,
    concurrency: Semaphore,
    clients: ReqwestClients,
}

impl Client {
    /// A client whose requests together may take `timeout`, counted from the first one, and of which at most `jobs` are
    /// sent concurrently.
    pub fn new(timeout: Duration, jobs: u8, ui: Ui, interrupt: Interrupt) -> Self {
        Self(Rc::new(ClientState {
            timeout,
            deadline: Cell::new(None),
            ui,
            interrupt,
            rate_limit: RateLimit::default(),
            concurrency: Semaphore::new(jobs.into()),
            clients: ReqwestClients::default(),
        }))
    }

    /// Restarts the timeout, after a wait for the user.
    pub fn reset_deadline(&self) {
        self.0.deadline.set(None);
    }

    /// Whether Ctrl-C was pressed and no further request must be sent.
    pub fn is_interrupted(&self) -> bool {
        self.0.interrupt.is_set()
    }

    /// The time left for requests.
    pub fn remaining(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    fn deadline(&self) -> Instant {
        let deadline = self.0.deadline.get().unwrap_or_else(|| Instant::now() + self.0.timeout);
        self.0.deadline.set(Some(deadline));
        deadline
    }

    /// Starts a request to `url`, for [`Client::send`].
    pub fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, HttpError> {
        Ok(self.0.clients.client_for(&url)?.request(method, url))
    }

    /// Sends a request, repeats it as `policy` allows, and reads the complete response. An error status
    /// is a response, too.
    ///
    /// A loop, because backon's `Retryable` drops the result of an attempt before it starts the next one. That result is
    /// what the caller gets if the rate limit or Ctrl-C prevents the next attempt.
    pub async fn send(&self, mut request: reqwest::Request, policy: RetryPolicy) -> Result<Response, HttpError> {
        let ClientState { ui, interrupt, rate_limit, .. } = &*self.0;
        let _permit = self.0.concurrency.acquire().await;
        // A request that waited for the permit, or for a token, is not started after Ctrl-C.
        if interrupt.is_set() {
            return Err(HttpError::interrupted());
        }
        let mut delays = delays();
        let mut previous: Option<Result<Response, HttpError>> = None;
        loop {
            if let Err(error) = rate_limit.wait(request.url(), self.deadline(), interrupt).await {
                return previous.unwrap_or(Err(error));
            }
            let next_request = request.try_clone();
            let result = self.attempt_with_fallback_roots(request, policy.attempt_timeout(self.0.timeout)).await;
            let retry_after = result.as_ref().ok().and_then(|response| retry_after(response, SystemTime::now()));
            let is_new_limit = retry_after.is_some_and(|time| rate_limit.defer(time));
            let result = with_prior_attempt(result, previous.as_ref());
            // `Retry-After` replaces the delay, but must not add another attempt.
            let delay = if policy.should_retry(&result) && !interrupt.is_set() { delays.next() } else { None };
            let delay = delay.map(|delay| retry_after.unwrap_or(delay)).filter(|delay| *delay < self.remaining());
            let (Some(delay), Some(next_request)) = (delay, next_request) else { return result };
            if retry_after.is_none() {
                ui.debug(&format!("trying again in {} ms", delay.as_millis()));
                interrupt.sleep(delay).await;
                if interrupt.is_set() {
                    return result;
                }
            } else if is_new_limit {
                let seconds = delay.as_millis().div_ceil(1000);
                ui.info(&format!("The service asks for less haste; going on in {seconds} s …"));
            }
            request = renew_correlation_id(next_request);
            previous = Some(result);
        }
    }

    /// If the issuer is unknown, nothing has been sent, and another attempt uses the platform's roots.
    async fn attempt_with_fallback_roots(
        &self,
        request: reqwest::Request,
        timeout: Duration,
    ) -> Result<Response, HttpError> {
        let clients = &self.0.clients;
        // Decided before the attempt: a concurrent request may change it meanwhile.
        let fallback = if clients.uses_platform_roots() { None } else { request.try_clone() };
        match (self.attempt(request, timeout).await, fallback) {
            (Err(error), Some(fallback)) if error.unknown_issuer => {
                clients.use_platform_roots();
                self.attempt(fallback, timeout).await
            }
            (result, _) => result,
        }
    }

    async fn attempt(&self, request: reqwest::Request, timeout: Duration) -> Result<Response, HttpError> {
        let client = self.0.clients.client_for(request.url())?;
        let url = request.url().clone();
        let line = format!("{} {}", request.method(), display_url(&url));
        let correlation_id = request.headers().get(CORRELATION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let remaining = self.remaining();
        if remaining.is_zero() {
            return Err(HttpError::deadline_exceeded(self.0.timeout));
        }
        let started = Instant::now();
        let result = match tokio::time::timeout(remaining.min(timeout), execute(client, request, &url)).await {
            Ok(result) => result,
            Err(_) => Err(HttpError::timed_out(&url, if timeout < remaining { timeout } else { self.0.timeout })),
        };
        let elapsed = started.elapsed().as_millis();
        let id = correlation_id.as_ref().map(|id| format!(", correlation id {id}")).unwrap_or_default();
        self.0.ui.debug(&match &result {
            Ok(response) => format!("{line} -> {} ({elapsed} ms{id})", response.status),
            Err(error) => format!("{line} -> {error} ({elapsed} ms{id})"),
        });
        match result {
            Ok(response) => Ok(Response { correlation_id, ..response }),
            Err(error) => Err(error.with_correlation_id(correlation_id)),
        }
    }
}

/// Marks a result as ambiguous if the service may have processed an earlier attempt: one that was answered with 503, or
/// whose response was lost.
fn with_prior_attempt(
    result: Result<Response, HttpError>,
    previous: Option<&Result<Response, HttpError>>,
) -> Result<Response, HttpError> {
    let prior_attempt_ambiguous = match previous {
        None => false,
        Some(Ok(response)) => response.status.is_server_error() || response.prior_attempt_ambiguous,
        Some(Err(error)) => error.is_ambiguous(),
    };
    match result {
        Ok(response) => Ok(Response { prior_attempt_ambiguous, ..response }),
        Err(error) => Err(error.or_ambiguous(prior_attempt_ambiguous)),
    }
}

/// Each attempt has its own correlation id.
fn renew_correlation_id(mut request: reqwest::Request) -> reqwest::Request {
    if let (Some(id), Ok(new)) = (request.headers_mut().get_mut(CORRELATION_ID), new_correlation_id().parse()) {
        *id = new;
    }
    request
}

/// A correlation id for one request.
pub fn new_correlation_id() -> String {
    Uuid::new_v4().to_string()
}

/// The token of a request. A response that repeats it, as a proxy may send, must not be shown.
fn bearer_token(request: &reqwest::Request) -> Option<SecretString> {
    let (_, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (!token.is_empty()).then(|| SecretString::from(token))
}

async fn execute(client: &reqwest::Client, request: reqwest::Request, url: &Url) -> Result<Response, HttpError> {
    let token = bearer_token(&request);
    let from_reqwest = |error: reqwest::Error| HttpError::from_reqwest(&error, url);
    let mut response = client.execute(request).await.map_err(from_reqwest)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = SecretBytes::default();
    while let Some(chunk) = response.chunk().await.map_err(from_reqwest)? {
        if body.len() + chunk.len() > MAX_BODY_SIZE {
            return Err(HttpError::body_too_large(url, MAX_BODY_SIZE));
        }
        body.push(&chunk);
    }
    if token.is_some_and(|token| contains_bytes(&body, token.expose_secret().as_bytes())) {
        return Err(HttpError::response_contains_secret(url, status));
    }
    let response = Response { status, headers, body, ..Response::default() };
    if status.is_redirection() {
        return Err(HttpError::redirect(url, &response));
    }
    // With any other status, the status says more than the page.
    if status.is_success() && response.is_html() {
        return Err(HttpError::html_response(url, &response));
    }
    Ok(response)
}

/// The reqwest clients, each built by the first request that needs it.
#[derive(Default)]
struct ReqwestClients {
    /// For plain http to this machine.
    plain: OnceCell<reqwest::Client>,
    /// Trusts the system's bundle, if there is one.
    bundle_roots: OnceCell<reqwest::Client>,
    platform_roots: OnceCell<reqwest::Client>,
    needs_platform_roots: Cell<bool>,
}

impl ReqwestClients {
    /// Whether the next request uses the platform's roots.
    fn uses_platform_roots(&self) -> bool {
        self.needs_platform_roots.get() || tls::system_bundle().is_none()
    }

    /// Uses the platform's roots from now on.
    fn use_platform_roots(&self) {
        self.needs_platform_roots.set(true);
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        let is_plain = url.scheme() == "http";
        if is_plain && !is_loopback(url) {
            return Err(HttpError::insecure_url(url));
        }
        if let (false, Some(variable)) = (is_plain, proxy::invalid_proxy_variable(url)) {
            return Err(HttpError::invalid_proxy(variable));
        }
        let platform_roots = self.needs_platform_roots.get();
        let cell = match (is_plain, platform_roots) {
            (true, _) => &self.plain,
            (false, false) => &self.bundle_roots,
            (false, true) => &self.platform_roots,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = if is_plain { build_plain()? } else { build_secure(platform_roots)? };
        Ok(cell.get_or_init(|| client))
    }
}

/// A client for this machine alone: it uses no proxy and needs no certificates.
fn build_plain() -> Result<reqwest::Client, HttpError> {
    client_builder().no_proxy().tls_certs_only([]).build().map_err(|error| tls::client_setup(&error))
}

fn build_secure(platform_roots: bool) -> Result<reqwest::Client, HttpError> {
    match tls::configure_roots(client_builder(), platform_roots)?.build() {
        // An unusable certificate in the bundle must not exclude the others.
        Err(_) if !platform_roots => build_secure(true),
        built => built.map_err(|error| tls::client_setup(&error)),
    }
}

/// The settings of all clients.
pub fn client_builder() -> reqwest::ClientBuilder {
    // Fails only if a provider is installed already, which is used then.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Resolver)
        .user_agent(concat!("mscommerce/", env!("CARGO_PKG_VERSION")))
}
