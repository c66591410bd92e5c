//! One small HTTP client for both services: no redirects, bounded answers, one clock for the whole command,
//! and failures told apart in words a person understands.

mod clients;
mod diagnosis;
mod error;
mod lookup;
mod probe;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod proxy;
mod response;
mod retry;
mod throttle;
mod tls;

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

use clients::Clients;
use diagnosis::diagnose;
pub use error::{HttpError, host};
pub use probe::{Connected, Secured, Way};
pub use response::Response;
pub use retry::RetryPolicy;
use retry::{Waits, longest_try};
use throttle::{RateLimit, asked_wait};
pub use tls::trusted;

use crate::interrupt::Interrupt;
use crate::secret::{SecretBytes, contains_bytes};
use crate::ui::Ui;

/// Names a request for both sides' logs (MSCommerce module).
pub const CORRELATION_ID: &str = "x-ms-correlation-id";

/// No answer of either service comes near this; what does is not an answer of theirs.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Sends requests within the time that a command's network work may take. Connections are opened, and
/// certificates read, when the first request is sent.
#[derive(Clone)]
pub struct Client(Rc<ClientState>);

struct ClientState {
    timeout: Duration,
    deadline: Cell<Option<Instant>>,
    ui: Ui,
    interrupt: Interrupt,
    throttle: RateLimit,
    /// How many requests may be on their way at the same time.
    lanes: OnceCell<Semaphore>,
    clients: Clients,
}

impl Client {
    /// A client whose requests together may take `timeout`, counted from the first one.
    pub fn new(timeout: Duration, ui: Ui, interrupt: Interrupt) -> Self {
        Self(Rc::new(ClientState {
            timeout,
            deadline: Cell::new(None),
            ui,
            interrupt,
            throttle: RateLimit::default(),
            lanes: OnceCell::new(),
            clients: Clients::default(),
        }))
    }

    /// Lets at most so many requests be on their way at the same time from now on.
    pub fn limit(&self, jobs: u8) {
        // A limit that is set already stays.
        let _ = self.0.lanes.set(Semaphore::new(jobs.into()));
    }

    /// Starts the clock anew: after waiting for a person, who does not count against the timeout.
    pub fn reset_deadline(&self) {
        self.0.deadline.set(None);
    }

    /// Whether Ctrl-C was pressed and nothing is to be sent again.
    pub fn is_interrupted(&self) -> bool {
        self.0.interrupt.is_set()
    }

    /// The time left for network work.
    pub fn remaining(&self) -> Duration {
        let now = Instant::now();
        let deadline = self.0.deadline.get().unwrap_or_else(|| {
            let deadline = now + self.0.timeout;
            self.0.deadline.set(Some(deadline));
            deadline
        });
        deadline.saturating_duration_since(now)
    }

    /// A request to `url`, to be completed and handed to [`Client::send`].
    pub fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, HttpError> {
        Ok(self.0.clients.client_for(&url)?.request(method, url))
    }

    /// Sends a request and reads the whole answer, whatever its status.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, HttpError> {
        let request = request.build().map_err(|error| HttpError::unusable_request(&error))?;
        let repeat = RetryPolicy::of(request.method());
        self.execute(request, repeat).await
    }

    /// Sends a request made elsewhere, such as by the oauth2 crate, as often as `repeat` allows.
    pub async fn send_prepared(&self, request: reqwest::Request, repeat: RetryPolicy) -> Result<Response, HttpError> {
        self.execute(request, repeat).await
    }

    /// Sends a request, and again where what came of it may pass and it may be repeated.
    async fn execute(&self, mut request: reqwest::Request, repeat: RetryPolicy) -> Result<Response, HttpError> {
        let _lane = match self.0.lanes.get() {
            Some(lanes) => lanes.acquire().await.ok(),
            None => None,
        };
        // What waited for its turn, or for a token, is not begun after Ctrl-C.
        if self.is_interrupted() {
            return Err(HttpError::interrupted());
        }
        let mut waits = Waits::new();
        let mut before: Option<Result<Response, HttpError>> = None;
        loop {
            if let Err(failure) = self.wait_for_turn(request.url()).await {
                // What was sent before says more than that it was not sent again.
                return before.unwrap_or(Err(failure));
            }
            let again = if repeat == RetryPolicy::Never { None } else { request.try_clone() };
            let longest = if again.is_some() { longest_try(self.0.timeout) } else { Duration::MAX };
            let result = self.execute_with_enough_trust(request, longest).await;
            let asked = result.as_ref().ok().and_then(asked_wait);
            let is_news = asked.is_some_and(|wait| self.0.throttle.hold_back(wait));
            let is_uncertain = before.as_ref().is_some_and(may_have_worked);
            let result = match result {
                Ok(answer) => Ok(Response { prior_attempt_ambiguous: is_uncertain, ..answer }),
                Err(failure) => Err(failure.after(is_uncertain)),
            };
            let next = if repeat.allows(&result) && !self.is_interrupted() { waits.next() } else { None };
            let (Some(again), Some(wait)) = (again, next) else { return result };
            let wait = asked.unwrap_or(wait);
            if wait >= self.remaining() {
                return result;
            }
            if is_news {
                let seconds = wait.as_millis().div_ceil(1000);
                self.0.ui.info(&format!("The service asks for less haste; going on in {seconds} s …"));
            } else if asked.is_none() {
                self.0.ui.debug(&format!("trying again in {} ms", wait.as_millis()));
                self.0.interrupt.sleep(wait).await;
                if self.is_interrupted() {
                    return result;
                }
            }
            request = with_new_correlation_id(again);
            before = Some(result);
        }
    }

    /// Waits while the service wants no requests.
    async fn wait_for_turn(&self, url: &Url) -> Result<(), HttpError> {
        loop {
            let wait = self.0.throttle.wait();
            if wait > self.remaining() {
                return Err(HttpError::held_back(url, wait));
            }
            if wait.is_zero() {
                return Ok(());
            }
            self.0.interrupt.sleep(wait).await;
            if self.is_interrupted() {
                return Err(HttpError::interrupted());
            }
        }
    }

    /// Where the issuer is unknown nothing has been sent, so that it can be looked for among all that the system trusts.
    async fn execute_with_enough_trust(
        &self,
        request: reqwest::Request,
        longest: Duration,
    ) -> Result<Response, HttpError> {
        // Requests side by side may all have begun with too little trust.
        let again = if self.0.clients.trusts_all() { None } else { request.try_clone() };
        match (self.execute_once(request, longest).await, again) {
            (Err(failure), Some(again)) if failure.is_of_unknown_issuer() => {
                self.0.clients.trust_all();
                self.execute_once(again, longest).await
            }
            (result, _) => result,
        }
    }

    async fn execute_once(&self, request: reqwest::Request, longest: Duration) -> Result<Response, HttpError> {
        let client = self.0.clients.client_for(request.url())?;
        let url = request.url().clone();
        let line = format!("{} {}", request.method(), shown(&url));
        let correlation_id = request.headers().get(CORRELATION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let left = self.remaining();
        if left.is_zero() {
            return Err(HttpError::out_of_time(self.0.timeout));
        }
        let started = Instant::now();
        let patience = left.min(longest);
        let result = match tokio::time::timeout(patience, exchange(client, request, &url)).await {
            Ok(result) => result,
            Err(_) => Err(HttpError::timed_out(&url, if patience < left { patience } else { self.0.timeout })),
        };
        let elapsed = started.elapsed().as_millis();
        let told = correlation_id.as_ref().map(|id| format!(", correlation id {id}")).unwrap_or_default();
        self.0.ui.debug(&match &result {
            Ok(answer) => format!("{line} -> {} ({elapsed} ms{told})", answer.status),
            Err(failure) => format!("{line} -> {failure} ({elapsed} ms{told})"),
        });
        match result {
            Ok(answer) => Ok(Response { correlation_id, ..answer }),
            Err(failure) => Err(failure.of_request(correlation_id)),
        }
    }
}

/// Whether the service may have acted on a try that came to this: one that answered 503 may, and so may one whose
/// answer was lost.
fn may_have_worked(result: &Result<Response, HttpError>) -> bool {
    match result {
        Ok(answer) => answer.status.is_server_error() || answer.prior_attempt_ambiguous,
        Err(failure) => failure.may_have_arrived(),
    }
}

/// Every request is told apart from every other, also from the one that it repeats.
fn with_new_correlation_id(mut request: reqwest::Request) -> reqwest::Request {
    if let (Some(id), Ok(new)) = (request.headers_mut().get_mut(CORRELATION_ID), new_correlation_id().parse()) {
        *id = new;
    }
    request
}

/// A correlation id for one request.
pub fn new_correlation_id() -> String {
    Uuid::new_v4().to_string()
}

/// The token that a request is sent with. What answers in the service's place may repeat it, and must not be shown then.
fn bearer(request: &reqwest::Request) -> Option<SecretString> {
    let (_, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (!token.is_empty()).then(|| SecretString::from(token))
}

async fn exchange(client: &reqwest::Client, request: reqwest::Request, url: &Url) -> Result<Response, HttpError> {
    let token = bearer(&request);
    let mut response = client.execute(request).await.map_err(|error| diagnose(&error, url))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = SecretBytes::default();
    while let Some(chunk) = response.chunk().await.map_err(|error| diagnose(&error, url))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(HttpError::too_large(url, LARGEST_BODY));
        }
        body.push(&chunk);
    }
    if token.is_some_and(|token| contains_bytes(&body, token.expose_secret().as_bytes())) {
        return Err(HttpError::untold_answer(url, status));
    }
    let answer = Response { status, headers, body, ..Response::default() };
    if status.is_redirection() {
        return Err(HttpError::redirected(url, &answer));
    }
    // With any other status the status says more than the page.
    if status.is_success() && answer.is_html() {
        return Err(HttpError::web_page(url, &answer));
    }
    Ok(answer)
}

/// True for an address of this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => lookup::is_this_machine(name),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A URL for people to read: without user information and fragment.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url.to_string()
}
