//! Detects the proxy that reqwest uses for a URL, for diagnostics and error messages.

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The proxy variables for HTTPS, in reqwest's order of precedence.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The first proxy variable with an invalid URL, unless `NO_PROXY` exempts `url`. reqwest ignores such a value and
/// connects without a proxy.
pub fn invalid_proxy_variable(url: &Url) -> Option<&'static str> {
    let uri = url.as_str().parse().ok()?;
    let is_invalid = |value: String| Matcher::builder().all(value).build().intercept(&uri).is_none();
    let invalid = PROXY_VARIABLES.into_iter().find(|name| variable(name).is_some_and(is_invalid))?;
    let is_bypassed = no_proxy_variable().is_some_and(|name| matches_no_proxy(name, &uri));
    (!is_bypassed).then_some(invalid)
}

/// The variable that lists the hosts to exempt from the proxy.
fn no_proxy_variable() -> Option<&'static str> {
    ["NO_PROXY", "no_proxy"].into_iter().find(|name| variable(name).is_some())
}

/// Whether the no-proxy list in the variable `name` contains the host of `uri`.
fn matches_no_proxy(name: &str, uri: &Uri) -> bool {
    let list = variable(name).unwrap_or_default();
    Matcher::builder().all("http://proxy.invalid:1").no(list).build().intercept(uri).is_none()
}

/// The `NO_PROXY` variable that exempts `url` from the configured proxy.
pub fn bypassed_by(url: &Url) -> Option<&'static str> {
    let uri = url.as_str().parse().ok()?;
    PROXY_VARIABLES.into_iter().find(|name| variable(name).is_some())?;
    no_proxy_variable().filter(|name| url.scheme() == "https" && matches_no_proxy(name, &uri))
}

/// The value of an environment variable. `None` if it is unset or empty.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
}

/// A proxy between this machine and a host.
pub struct Proxy {
    /// The URL of the proxy, without credentials.
    pub display: String,
    pub host: String,
    pub port: u16,
    /// Whether reqwest supports the proxy's scheme.
    pub is_supported: bool,
    /// Whether the connection to the proxy uses TLS.
    pub is_secure: bool,
    /// The environment variable that configures the proxy, or the system's settings.
    pub source: &'static str,
}

/// The URL of the proxy for `url`, without credentials.
pub fn proxy_display(url: &Url) -> Option<String> {
    proxy_for(url).map(|proxy| proxy.display)
}

/// The proxy for `url`. `None` for plain HTTP, which is sent only to this machine.
pub fn proxy_for(url: &Url) -> Option<Proxy> {
    if url.scheme() == "http" {
        return None;
    }
    let intercept = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let uri = intercept.uri();
    let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host()?);
    // Show only scheme, host and port: in a malformed URL, the password may be in any other part.
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let is_secure = scheme == "https";
    Some(Proxy {
        display: format!("{scheme}://{host}{port}"),
        host: host.to_owned(),
        port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
        is_supported: is_secure || scheme == "http",
        is_secure,
        source: PROXY_VARIABLES.into_iter().find(|name| variable(name).is_some()).unwrap_or("the system's settings"),
    })
}
