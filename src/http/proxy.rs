//! Which proxy stands between this machine and an address, so that a failure can name it.

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The variables that name a proxy for https, as the libraries read them.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The first variable whose value is no address of a proxy, where the request to `url` should go through one. The
/// libraries would pass it over without a word, and send the request past the proxy.
pub fn unusable_variable(url: &Url) -> Option<&'static str> {
    let uri = url.as_str().parse().ok()?;
    let is_unusable = |value: String| Matcher::builder().all(value).build().intercept(&uri).is_none();
    let unusable = VARIABLES.into_iter().find(|name| variable(name).is_some_and(is_unusable))?;
    // Whether a proxy is meant for this address at all.
    excepting().is_none_or(|name| !excepts(name, &uri)).then_some(unusable)
}

/// The variable that names hosts to be reached past the proxy.
fn excepting() -> Option<&'static str> {
    ["NO_PROXY", "no_proxy"].into_iter().find(|name| variable(name).is_some())
}

/// Whether what the variable `name` holds excepts this address from every proxy.
fn excepts(name: &str, uri: &Uri) -> bool {
    let exceptions = variable(name).unwrap_or_default();
    Matcher::builder().all("http://proxy.invalid:1").no(exceptions).build().intercept(uri).is_none()
}

/// The variable that excepts `url` from the proxy that another variable names, where that is so.
pub fn excepted_by(url: &Url) -> Option<&'static str> {
    let uri = url.as_str().parse().ok()?;
    VARIABLES.into_iter().find(|name| variable(name).is_some())?;
    excepting().filter(|name| url.scheme() == "https" && excepts(name, &uri))
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
}

/// A proxy between this machine and an address.
pub struct OnTheWay {
    /// Its address without credentials.
    pub shown: String,
    pub host: String,
    pub port: u16,
    /// Whether it is of a kind that requests can be sent through.
    pub is_supported: bool,
    /// Whether it is spoken to over TLS.
    pub is_secure: bool,
    /// The value of `Proxy-Authorization`. A secret.
    pub authorization: Option<String>,
    /// What names it.
    pub origin: &'static str,
}

/// The proxy that requests to `url` go through: its address without credentials.
pub fn for_url(url: &Url) -> Option<String> {
    on_the_way(url).map(|proxy| proxy.shown)
}

/// The proxy that requests to `url` go through.
pub fn on_the_way(url: &Url) -> Option<OnTheWay> {
    if url.scheme() == "http" {
        return None;
    }
    let intercept = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let uri = intercept.uri();
    let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host()?);
    // Host and port alone: in an address that is not well formed, a password may stand anywhere else.
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let is_secure = scheme == "https";
    Some(OnTheWay {
        shown: format!("{scheme}://{host}{port}"),
        host: host.to_owned(),
        port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
        is_supported: is_secure || scheme == "http",
        is_secure,
        authorization: intercept.basic_auth().and_then(|value| value.to_str().ok()).map(str::to_owned),
        origin: VARIABLES.into_iter().find(|name| variable(name).is_some()).unwrap_or("the system's settings"),
    })
}
