//! Which proxy stands between this machine and an address, so that a failure can name it.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The proxy that requests to `url` go through: its address without credentials.
pub(super) fn for_url(url: &Url) -> Option<String> {
    if url.scheme() == "http" {
        return None;
    }
    let intercept = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let uri = intercept.uri();
    // Host and port alone: in an address that is not well formed, a password may stand anywhere else.
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", uri.scheme_str().unwrap_or("http"), uri.host()?))
}
