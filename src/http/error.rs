//! Why no usable answer came: told apart, each in its own words and with its own hint.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use super::diagnosis::innermost;
use super::{Response, proxy, shown};
use crate::error::Error;

/// A request that brought no usable answer.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact for itself, and any of them may come with any other")]
pub struct HttpError {
    message: String,
    detail: Option<String>,
    hints: Vec<String>,
    may_have_arrived: bool,
    is_answered: bool,
    may_pass: bool,
    is_of_unknown_issuer: bool,
    correlation_id: Option<String>,
}

impl HttpError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            detail: None,
            hints: Vec::new(),
            may_have_arrived: true,
            is_answered: false,
            may_pass: false,
            is_of_unknown_issuer: false,
            correlation_id: None,
        }
    }

    fn answered(mut self) -> Self {
        self.is_answered = true;
        self
    }

    pub fn before_sending(mut self) -> Self {
        self.may_have_arrived = false;
        self
    }

    /// The same for a request of which an earlier try may have arrived.
    pub fn after(mut self, is_uncertain: bool) -> Self {
        self.may_have_arrived |= is_uncertain;
        self
    }

    /// The same for a fault that another try may find gone.
    pub fn passing(mut self) -> Self {
        self.may_pass = true;
        self
    }

    /// The same for a certificate whose issuer is not among those trusted.
    pub fn of_unknown_issuer(mut self) -> Self {
        self.is_of_unknown_issuer = true;
        self
    }

    /// Whether the certificate's issuer was not among those trusted.
    pub fn is_of_unknown_issuer(&self) -> bool {
        self.is_of_unknown_issuer
    }

    /// Whether another try may find the fault gone.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Whether the service may have received, and acted on, the request.
    pub fn may_have_arrived(&self) -> bool {
        self.may_have_arrived
    }

    /// Whether there was an answer, of the service or of whatever answers in its place.
    pub fn is_answered(&self) -> bool {
        self.is_answered
    }

    pub fn of_request(mut self, correlation_id: Option<String>) -> Self {
        self.correlation_id = correlation_id;
        self
    }

    /// The correlation id that the request was sent with, if it was.
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// What was sent before has used up the command's time.
    pub fn out_of_time(timeout: Duration) -> Self {
        Self::new(format!("not sent: the time for the network is up ({} s)", timeout.as_secs()))
            .with_hint("try again, or allow more time with --timeout SECONDS")
            .before_sending()
    }

    /// The service wants no request before the command's time is over.
    pub fn held_back(url: &Url, wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        Self::new(format!("not sent: {} asks to wait for {seconds} s, which is longer than the time left", host(url)))
            .with_hint("try again later, or allow more time with --timeout SECONDS")
            .before_sending()
    }

    pub fn interrupted() -> Self {
        Self::new("interrupted before it was sent").before_sending()
    }

    pub fn unusable_request(error: &reqwest::Error) -> Self {
        Self::new("the request could not be made").with_detail(innermost(error)).before_sending()
    }

    pub fn plain(url: &Url) -> Self {
        Self::new(format!("{} would be spoken to over plain http; nothing was sent", host(url))).before_sending()
    }

    /// The value is not repeated, for it may hold a password.
    pub fn unusable_proxy(variable: &str) -> Self {
        Self::new(format!("{variable} does not hold the address of a proxy"))
            .with_hint(format!("write http://HOST:PORT, or unset {variable}"))
            .before_sending()
    }

    pub fn unusable_client(error: &reqwest::Error) -> Self {
        Self::unusable_roots_or_proxy(&innermost(error))
    }

    /// What is needed for secure connections cannot be set up for this reason.
    pub fn unusable_roots_or_proxy(reason: &str) -> Self {
        let reason = reason.trim_start_matches("unexpected error: ");
        let failure = Self::new("the network client could not be set up").with_detail(reason).before_sending();
        let is_about_certificates = reason.contains("No CA certificates") || reason.contains("peer certificate");
        if let (true, Some(path)) = (is_about_certificates, super::tls::file()) {
            return Self::certificates(&path.to_string_lossy(), &"it holds no certificate that can be used");
        }
        if reason.contains("No CA certificates") {
            return failure.with_hint("install the system's root certificates (on Debian and Ubuntu: apt install ca-certificates), or name a file of them in SSL_CERT_FILE");
        }
        failure.with_hint("look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE: proxies must be http:// or https://")
    }

    pub fn certificates(path: &str, error: &dyn fmt::Display) -> Self {
        Self::new(format!("the certificates that SSL_CERT_FILE names cannot be read: {path}"))
            .with_detail(error)
            .with_hint("set SSL_CERT_FILE to a file of certificates in PEM form, or unset it to trust the system's")
            .before_sending()
    }

    pub fn timed_out(url: &Url, timeout: Duration) -> Self {
        let seconds = timeout.as_secs();
        let again = "try again, or allow more time with --timeout SECONDS";
        let failure = match proxy::for_url(url) {
            Some(via) => {
                Self::new(format!("{} did not answer in time ({seconds} s), asked through the proxy {via}", host(url)))
                    .with_hint("look at HTTPS_PROXY; to go without a proxy, put the host in NO_PROXY")
                    .with_hint(again)
            }
            None => Self::new(format!("{} did not answer in time ({seconds} s)", host(url))).with_hint(again),
        };
        failure.passing()
    }

    pub fn too_large(url: &Url, limit: usize) -> Self {
        Self::new(format!("the answer of {} is larger than {} MiB and was not read", host(url), limit / 1024 / 1024))
            .with_hint("this is not an answer of the service: look for a proxy in between")
            .answered()
    }

    pub fn redirected(url: &Url, answer: &Response) -> Self {
        let target = answer.headers.get(reqwest::header::LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()));
        let target = target.as_deref().and_then(|to| url.join(to).ok()).map_or_else(
            || "another address".to_owned(),
            |mut to| {
                to.set_query(None);
                shown(&to)
            },
        );
        Self::new(format!("{} answered {} and points to {target}", host(url), answer.status))
            .with_detail("a redirect is never followed, for the token must not go elsewhere")
            .with_hint("if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again")
            .answered()
    }

    pub fn web_page(url: &Url, answer: &Response) -> Self {
        Self::new(format!("a web page came back instead of an answer of {} (status {})", host(url), answer.status))
            .with_detail(format!("it begins: {}", answer.excerpt(120)))
            .with_hint("something on the network answers in the service's place: if it has a sign-in page, open any web page in a browser, sign in there, and try again")
            .with_hint("a company's proxy may have to be named in HTTPS_PROXY, or told to let this address through")
            .answered()
    }

    /// An answer whose words must not be told.
    pub fn untold_answer(url: &Url, status: StatusCode) -> Self {
        Self::new(format!("{} answered {status}", host(url)))
            .with_detail("its words are not shown, for they repeat the secrets that were sent")
            .with_hint("look for a proxy that answers in the service's place")
            .answered()
    }

    /// An answer that is not one of the service's known refusals: a fault of its own, or of something in between.
    pub fn unexpected_answer(url: &Url, answer: &Response) -> Self {
        let failure = Self::new(format!("{} answered {}", host(url), answer.status));
        let excerpt = answer.excerpt(300);
        let failure = if excerpt.is_empty() { failure } else { failure.with_detail(excerpt) };
        failure.with_hint("try again in a minute").answered()
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for HttpError {}

impl From<HttpError> for Error {
    fn from(mut failure: HttpError) -> Self {
        let hints = std::mem::take(&mut failure.hints);
        let detail = failure.detail.take();
        let error = Self::from_source(failure).with_hints(hints);
        match detail {
            Some(detail) => error.with_detail(detail),
            None => error,
        }
    }
}

/// Host and port, for messages.
pub fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the service");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
