//! The HTTP client of a run. It limits concurrency, retries requests, and applies one deadline to all of them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::Method;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use uuid::Uuid;

use super::error::{display_url, host_and_port};
use super::request_secrets::RequestSecrets;
use super::reqwest_clients::ReqwestClients;
use super::retry::{Delays, RateLimits, RetryPolicy, retry_after, with_prior_attempt};
use super::{CORRELATION_ID, HttpError, Response, trace};
use crate::interrupt::Interrupt;
use crate::secret::SecretBytes;
use crate::ui::Ui;

/// The maximum size of a response body, in bytes. It is far above any response of the services.
const MAX_BODY_SIZE: usize = 8 * 1024 * 1024;

/// The HTTP client of a run. Clones share its state. The first request loads the certificates and opens a connection.
#[derive(Clone)]
pub struct Client(Rc<ClientState>);

struct ClientState {
    timeout: Duration,
    deadline: Cell<Option<Instant>>,
    ui: Ui,
    interrupt: Interrupt,
    rate_limits: RateLimits,
    concurrency: Semaphore,
    clients: ReqwestClients,
    /// The secrets of the last request. Most requests of a run have the same.
    secrets: RefCell<Option<Rc<RequestSecrets>>>,
}

impl Client {
    /// Creates a client. All requests together may take `timeout`, starting with the first one. At most `jobs` requests
    /// are sent concurrently.
    pub fn new(timeout: Duration, jobs: u8, ui: Ui, interrupt: Interrupt) -> Self {
        Self(Rc::new(ClientState {
            timeout,
            deadline: Cell::new(None),
            ui,
            interrupt,
            rate_limits: RateLimits::default(),
            concurrency: Semaphore::new(jobs.into()),
            clients: ReqwestClients::default(),
            secrets: RefCell::default(),
        }))
    }

    /// The user interface of the run.
    pub fn ui(&self) -> &Ui {
        &self.0.ui
    }

    /// Restarts the timeout. Call this after waiting for the user or another process.
    pub fn reset_deadline(&self) {
        self.0.deadline.set(None);
    }

    /// Whether Ctrl-C was pressed. Do not send further requests in this case.
    pub fn is_interrupted(&self) -> bool {
        self.0.interrupt.is_set()
    }

    /// Returns when Ctrl-C is pressed while requests in flight complete.
    pub async fn interrupted(&self) {
        self.0.interrupt.wait().await;
    }

    /// The time until the deadline. Starts the timeout if it is not running.
    pub fn remaining(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    fn deadline(&self) -> Instant {
        let deadline = self.0.deadline.get().unwrap_or_else(|| Instant::now() + self.0.timeout);
        self.0.deadline.set(Some(deadline));
        deadline
    }

    /// Creates a request builder, for a request to pass to [`Client::send`].
    pub fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, HttpError> {
        Ok(self.0.clients.client_for(&url)?.request(method, url))
    }

    /// Sends a request, retries it according to `policy`, and reads the complete response. A response with an error
    /// status is `Ok`.
    ///
    /// # Errors
    /// Fails if no response arrives before the deadline, after Ctrl-C, and for redirects, web pages and other unusable
    /// responses.
    pub async fn send(&self, request: reqwest::Request, policy: RetryPolicy) -> Result<Response, HttpError> {
        self.send_for(None, request, policy).await
    }

    /// Sends a request like [`Client::send`]. The log names the tenant.
    pub async fn send_for(
        &self,
        tenant: Option<&str>,
        mut request: reqwest::Request,
        policy: RetryPolicy,
    ) -> Result<Response, HttpError> {
        let (mut delays, mut permit) = (Delays::default(), None);
        // The result to return if the rate limit or Ctrl-C prevents the next attempt. backon's `Retryable` drops it.
        let mut previous: Option<Result<Response, HttpError>> = None;
        loop {
            permit = match self.admit(request.url(), policy, permit.take()).await {
                Ok(permit) => Some(permit),
                Err(error) => return previous.unwrap_or(Err(error)),
            };
            let (url, next_request) = (request.url().clone(), request.try_clone());
            let result =
                self.attempt_with_fallback_roots(tenant, request, policy.attempt_timeout(self.0.timeout)).await;
            let result = with_prior_attempt(result, previous.as_ref());
            let should_retry = policy.should_retry(&result) && !self.is_interrupted();
            let delay = if should_retry { delays.next(&result) } else { None };
            let delay = self.respect_retry_after(&url, &result, delay);
            let (Some(delay), Some(next_request)) = (delay, next_request) else { return result };
            if self.0.rate_limits.delay(&url).is_zero() {
                self.0.interrupt.sleep(delay).await;
            }
            request = renew_correlation_id(next_request);
            previous = Some(result);
        }
    }

    /// Waits until a request to the host of `url` may be sent, and for a permit if none is held. Fails if that is after
    /// the deadline, or after Ctrl-C.
    async fn admit<'c>(
        &'c self,
        url: &Url,
        policy: RetryPolicy,
        mut permit: Option<SemaphorePermit<'c>>,
    ) -> Result<SemaphorePermit<'c>, HttpError> {
        loop {
            // Ctrl-C may have been pressed while this request waited for the permit or for a token.
            if self.is_interrupted() && !matches!(policy, RetryPolicy::Final) {
                return Err(HttpError::interrupted());
            }
            if let Some(permit) = permit.take().filter(|_| self.0.rate_limits.delay(url).is_zero()) {
                return Ok(permit);
            }
            // Without the permit, because another host may accept requests meanwhile.
            self.0.rate_limits.wait(url, self.deadline(), &self.0.interrupt).await?;
            permit = self.0.concurrency.acquire().await.ok();
        }
    }

    /// Extends the delay before the next attempt to the one that the response asks for. After a 429, and a 503 that asks
    /// for a delay, all other requests to the host wait as well. Returns `None` if the delay ends after the deadline.
    fn respect_retry_after(
        &self,
        url: &Url,
        result: &Result<Response, HttpError>,
        delay: Option<Duration>,
    ) -> Option<Duration> {
        let response = result.as_ref().ok();
        let status = response.map(|response| response.status.as_u16());
        let retry_after = response.and_then(|response| retry_after(response, SystemTime::now()));
        let delay = delay.map(|time| time.max(retry_after.unwrap_or_default())).filter(|time| *time < self.remaining());
        let concerns_host = status == Some(429) || (status == Some(503) && retry_after.is_some());
        let is_new = match delay.or(retry_after) {
            Some(time) if concerns_host => self.0.rate_limits.defer(url, time),
            _ => retry_after > Some(Duration::from_secs(1)),
        };
        let delay = delay?;
        let cause = match status {
            Some(status) if status != 429 => format!("{} returned {status}", host_and_port(url)),
            _ => "Rate limited".to_owned(),
        };
        if is_new {
            self.0.ui.info(&format!("{cause}. Retrying in {} s…", delay.as_millis().div_ceil(1000)));
        } else {
            self.0.ui.debug(&format!("retrying in {} ms", delay.as_millis()));
        }
        Some(delay)
    }

    /// Sends a request. If the certificate's issuer is unknown, sends it again with the platform's roots: nothing was
    /// sent yet.
    async fn attempt_with_fallback_roots(
        &self,
        tenant: Option<&str>,
        request: reqwest::Request,
        timeout: Duration,
    ) -> Result<Response, HttpError> {
        let clients = &self.0.clients;
        // Decide before the attempt: a concurrent request may change the roots during it.
        let fallback = if clients.uses_platform_roots() { None } else { request.try_clone() };
        match (self.attempt(tenant, request, timeout).await, fallback) {
            (Err(error), Some(fallback)) if error.unknown_issuer => {
                clients.use_platform_roots();
                self.attempt(tenant, fallback, timeout).await
            }
            (result, _) => result,
        }
    }

    /// The secrets that the response to this request must not show.
    fn secrets_of(&self, request: &reqwest::Request) -> Rc<RequestSecrets> {
        let mut last = self.0.secrets.borrow_mut();
        match last.as_ref().filter(|secrets| secrets.are_those_of(request)) {
            Some(secrets) => Rc::clone(secrets),
            None => Rc::clone(last.insert(Rc::new(RequestSecrets::of(request)))),
        }
    }

    async fn attempt(
        &self,
        tenant: Option<&str>,
        request: reqwest::Request,
        timeout: Duration,
    ) -> Result<Response, HttpError> {
        let client = self.0.clients.client_for(request.url())?;
        let url = request.url().clone();
        let line = format!("{} {}", request.method(), display_url(&url));
        let correlation_id = request.headers().get(CORRELATION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let remaining = self.remaining();
        if remaining.is_zero() {
            return Err(HttpError::deadline_exceeded(self.0.timeout));
        }
        let secrets = self.secrets_of(&request);
        self.0.ui.trace('>', || trace::format_request(&request, &secrets));
        let started = Instant::now();
        let result = match tokio::time::timeout(remaining.min(timeout), execute(client, request, &url, &secrets)).await
        {
            Ok(Err(error)) => Err(error.with_tunnel_status(&url).await),
            Ok(Ok(response)) => {
                self.0.ui.trace('<', || trace::format_response(&response, &secrets));
                check_usable(response, &url)
            }
            Err(_) => Err(HttpError::timed_out(&url, if timeout < remaining { timeout } else { self.0.timeout })),
        };
        let elapsed = started.elapsed().as_millis();
        let tenant = tenant.map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
        let id = correlation_id.as_ref().map(|id| format!(", correlation ID {id}")).unwrap_or_default();
        self.0.ui.debug(&match &result {
            Ok(response) => format!("{line} -> {} ({elapsed} ms{tenant}{id})", response.status),
            Err(error) => format!("{line} -> {error} ({elapsed} ms{tenant}{id})"),
        });
        match result {
            Ok(response) => Ok(Response { correlation_id, ..response }),
            Err(error) => Err(error.with_correlation_id(correlation_id)),
        }
    }
}

/// Sets a new correlation ID, because each attempt needs its own.
fn renew_correlation_id(mut request: reqwest::Request) -> reqwest::Request {
    if let (Some(id), Ok(new)) = (request.headers_mut().get_mut(CORRELATION_ID), new_correlation_id().parse()) {
        *id = new;
    }
    request
}

/// Creates a correlation ID for one request.
pub fn new_correlation_id() -> String {
    Uuid::new_v4().to_string()
}

async fn execute(
    client: &reqwest::Client,
    request: reqwest::Request,
    url: &Url,
    secrets: &RequestSecrets,
) -> Result<Response, HttpError> {
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
    // Before anything else reads the response, because a server or proxy may echo the request.
    Ok(secrets.redact(Response { status, headers, body, ..Response::default() }))
}

/// Fails for a redirect and for a web page.
fn check_usable(response: Response, url: &Url) -> Result<Response, HttpError> {
    if response.status.is_redirection() {
        return Err(HttpError::redirect(url, &response));
    }
    // For an error status, the caller reports the status instead of the web page.
    if response.status.is_success() && response.is_html() {
        return Err(HttpError::html_response(url, &response));
    }
    Ok(response)
}
