//! The error of a failed request: what happened, whether the request reached the service, and what helps.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use url::Url;

use super::Response;
use super::proxy::{InvalidProxy, proxy_display, tunnel_status};
use crate::error::Error;
use crate::text::truncate;

/// Whether a failed request reached the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The request was not sent.
    NotSent,
    /// The request was or may have been sent, but no response arrived.
    Unknown,
    /// A response arrived, from the service or an intermediary such as a proxy.
    Responded,
}

/// What a request may have caused at the service, from no effect to the least certain one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The request was not sent.
    #[default]
    None,
    /// The service rejected the request and did not apply it.
    Rejected,
    /// The service may have processed the request, or may do so later.
    Possible,
}

/// How a proxy made a request fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFailure {
    /// The proxy could not be reached, or did not answer.
    Unreachable,
    /// The proxy did not open a tunnel to the host.
    TunnelRejected,
}

/// The error of a request without a usable response.
#[derive(Clone, Debug)]
pub struct HttpError {
    pub message: String,
    pub detail: Option<String>,
    pub hints: Vec<String>,
    pub delivery: Delivery,
    /// The effect of earlier attempts of the same request.
    pub prior_effect: Effect,
    /// Whether a retry may succeed.
    pub transient: bool,
    /// Whether the server's certificate has no trusted issuer.
    pub unknown_issuer: bool,
    /// How the proxy made the request fail.
    pub proxy_failure: Option<ProxyFailure>,
    /// The correlation ID of the request, if any.
    pub correlation_id: Option<String>,
}

impl HttpError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            detail: None,
            hints: Vec::new(),
            delivery: Delivery::Unknown,
            prior_effect: Effect::None,
            transient: false,
            unknown_issuer: false,
            proxy_failure: None,
            correlation_id: None,
        }
    }

    pub fn with_detail(self, detail: impl fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn with_correlation_id(self, correlation_id: Option<String>) -> Self {
        Self { correlation_id, ..self }
    }

    pub fn not_sent(self) -> Self {
        Self { delivery: Delivery::NotSent, ..self }
    }

    pub fn responded(self) -> Self {
        Self { delivery: Delivery::Responded, ..self }
    }

    pub fn transient(self) -> Self {
        Self { transient: true, ..self }
    }

    pub fn stopped_at_proxy(self) -> Self {
        Self { proxy_failure: self.proxy_failure.or(Some(ProxyFailure::Unreachable)), ..self }
    }

    pub fn with_prior_effect(self, prior_effect: Effect) -> Self {
        Self { prior_effect, ..self }
    }

    /// Replaces the detail by the status of the proxy, if it rejected the tunnel to the host of `url`.
    pub async fn with_tunnel_status(self, url: &Url) -> Self {
        let status =
            if self.proxy_failure == Some(ProxyFailure::TunnelRejected) { tunnel_status(url).await } else { None };
        let detail = status.map(|status| format!("the proxy returned {status}"));
        Self { detail: detail.or(self.detail), ..self }
    }

    /// The effect of all attempts of the request.
    pub fn effect(&self) -> Effect {
        let own = match self.delivery {
            Delivery::NotSent => Effect::None,
            Delivery::Unknown | Delivery::Responded => Effect::Possible,
        };
        own.max(self.prior_effect)
    }

    /// The deadline of the command passed before this request was sent.
    pub fn deadline_exceeded(timeout: Duration) -> Self {
        Self::new(format!("not sent: the timeout of {} s has expired", timeout.as_secs()))
            .with_hint("try again, or increase the timeout with --timeout SECONDS")
            .not_sent()
    }

    /// The rate limit lasts longer than the time until the deadline. `wait` is the duration of the limit.
    pub fn rate_limited(url: &Url, wait: Duration) -> Self {
        let (host, seconds) = (host_and_port(url), wait.as_secs() + 1);
        Self::new(format!("not sent: {host} is rate limited for {seconds} s, which exceeds the remaining timeout"))
            .with_hint("try again later, or increase the timeout with --timeout SECONDS")
            .not_sent()
            .transient()
    }

    pub fn interrupted() -> Self {
        Self::new("interrupted before the request was sent").not_sent()
    }

    pub fn insecure_url(url: &Url) -> Self {
        Self::new(format!("{} uses http, which is not encrypted; nothing was sent", host_and_port(url))).not_sent()
    }

    /// A proxy variable has an invalid value. The message omits the value, which may contain a password.
    pub fn invalid_proxy(variable: &str, reason: InvalidProxy) -> Self {
        let error = match reason {
            InvalidProxy::Address => Self::new(format!("{variable} is not a proxy URL"))
                .with_hint(format!("set {variable} to http://HOST:PORT, or unset it")),
            InvalidProxy::UserInfo => {
                Self::new(format!("the user name or password in {variable} contains characters that must be encoded"))
                    .with_hint(format!(
                        "percent-encode them in {variable}: %40 for @, %23 for #, %2F for /, %5C for \\, %25 for %"
                    ))
            }
        };
        error.not_sent()
    }

    pub fn invalid_ca_file(path: &str, error: &dyn fmt::Display) -> Self {
        Self::new(format!("could not read the certificates in SSL_CERT_FILE: {path}"))
            .with_detail(error)
            .with_hint("set SSL_CERT_FILE to a file of PEM certificates, or unset it to use the system's certificates")
            .not_sent()
    }

    pub fn timed_out(url: &Url, timeout: Duration) -> Self {
        let (host, seconds) = (host_and_port(url), timeout.as_secs());
        let error = match proxy_display(url) {
            Some(proxy) => Self::new(format!("{host} did not respond within {seconds} s through the proxy {proxy}"))
                .with_hint("check HTTPS_PROXY, or add the host to NO_PROXY to bypass the proxy")
                .stopped_at_proxy(),
            None => Self::new(format!("{host} did not respond within {seconds} s")),
        };
        error.with_hint("try again, or increase the timeout with --timeout SECONDS").transient()
    }

    pub fn body_too_large(url: &Url, limit: usize) -> Self {
        let (host, mebibytes) = (host_and_port(url), limit / 1024 / 1024);
        Self::new(format!("the response from {host} is larger than {mebibytes} MiB and was not read"))
            .with_hint("check whether a proxy responds instead of the service")
            .responded()
    }

    pub fn redirect(url: &Url, response: &Response) -> Self {
        let location = response.headers.get(reqwest::header::LOCATION);
        let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let target = location.and_then(|location| display_redirect_target(&location, url));
        let target = target.unwrap_or_else(|| "another URL".to_owned());
        Self::new(format!("{} returned {} with a redirect to {target}", host_and_port(url), response.status))
            .with_detail("redirects are not followed, to protect the access token")
            .with_hint("if this network requires a sign-in, open any web page in a browser, sign in, and try again")
            .responded()
    }

    pub fn html_response(url: &Url, response: &Response) -> Self {
        let (host, status) = (host_and_port(url), response.status);
        Self::new(format!("received a web page instead of a response from {host} (status {status})"))
            .with_detail(format!("it begins: {}", response.excerpt(120)))
            .with_hint("if this network requires a sign-in, open any web page in a browser, sign in, and try again")
            .with_hint("if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL")
            .responded()
    }

    /// The response is not a documented error of the service. The service or an intermediary may have failed.
    pub fn unexpected_response(url: &Url, response: &Response) -> Self {
        let error = Self::new(format!("{} returned {}", host_and_port(url), response.status));
        let excerpt = response.excerpt(300);
        let error = if excerpt.is_empty() { error } else { error.with_detail(excerpt) };
        error.with_hint("try again in a minute").responded()
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for HttpError {}

impl From<HttpError> for Error {
    fn from(mut error: HttpError) -> Self {
        let hints = std::mem::take(&mut error.hints);
        let detail = error.detail.take();
        let error = Self::from_source(error).with_hints(hints);
        match detail {
            Some(detail) => error.with_detail(detail),
            None => error,
        }
    }
}

/// The host and port of a URL, for messages. Omits the default port.
pub fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the service");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Formats the target of a redirect without its query. `None` if it is not a web address.
fn display_redirect_target(location: &str, from: &Url) -> Option<String> {
    let mut target = from.join(location).ok().filter(Url::has_host)?;
    target.set_query(None);
    if may_have_user_info(location) {
        target.set_path("");
    }
    Some(truncate(&display_url(&target), 300))
}

/// Whether a text that should be a URL may contain a user name or password: also a malformed or encoded one.
pub fn may_have_user_info(text: &str) -> bool {
    text.contains(['@', '\\']) || text.contains("%40") || text.contains("%5C") || text.contains("%5c")
}

/// Formats a URL for messages, without user information and fragment.
pub fn display_url(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effect_includes_earlier_attempts() {
        let not_sent = HttpError::interrupted();
        assert_eq!(not_sent.effect(), Effect::None);
        assert_eq!(not_sent.with_prior_effect(Effect::Possible).effect(), Effect::Possible);
        assert_eq!(HttpError::new("x").responded().with_prior_effect(Effect::None).effect(), Effect::Possible);
    }
}
