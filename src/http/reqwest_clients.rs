//! The reqwest clients of a run: their settings, and the choice for a URL.

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use url::Url;

use super::dns::{Resolver, is_loopback};
use super::{HttpError, proxy, tls};

/// The maximum time to open a connection, even if `--timeout` is longer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The reqwest clients. The first request that needs a client builds it.
#[derive(Default)]
pub struct ReqwestClients {
    /// The client for plain HTTP to loopback addresses.
    plain: OnceCell<reqwest::Client>,
    /// The client that trusts the system's CA bundle, or the platform's roots if there is no bundle.
    bundle_roots: OnceCell<reqwest::Client>,
    /// The client that trusts the platform's roots.
    platform_roots: OnceCell<reqwest::Client>,
    needs_platform_roots: Cell<bool>,
}

impl ReqwestClients {
    /// Whether the next request uses the platform's roots.
    pub fn uses_platform_roots(&self) -> bool {
        self.needs_platform_roots.get() || tls::system_bundle().is_none()
    }

    /// Switches all later requests to the platform's roots.
    pub fn use_platform_roots(&self) {
        self.needs_platform_roots.set(true);
    }

    /// The client for a URL. Fails like [`check_url`], or if the certificates cannot be read.
    pub fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        check_url(url)?;
        let is_plain = url.scheme() == "http";
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

/// Fails for a URL to which nothing is sent: plain HTTP to another machine, or with an invalid proxy variable, because
/// reqwest would connect without the proxy.
pub fn check_url(url: &Url) -> Result<(), HttpError> {
    if url.scheme() == "http" {
        return if is_loopback(url) { Ok(()) } else { Err(HttpError::insecure_url(url)) };
    }
    proxy::invalid_proxy_variable(url).map_or(Ok(()), |(name, reason)| Err(HttpError::invalid_proxy(name, reason)))
}

/// Builds the client for loopback addresses, without a proxy and without root certificates.
fn build_plain() -> Result<reqwest::Client, HttpError> {
    client_builder().no_proxy().tls_certs_only([]).build().map_err(|error| HttpError::client_setup(&error))
}

fn build_secure(platform_roots: bool) -> Result<reqwest::Client, HttpError> {
    match tls::configure_roots(proxied_client_builder(), platform_roots)?.build() {
        // reqwest rejects the whole bundle if one certificate is invalid, so use the platform's roots instead.
        Err(_) if !platform_roots => build_secure(true),
        built => built.map_err(|error| HttpError::client_setup(&error)),
    }
}

/// The settings of clients that use the proxy of the environment or the system.
pub fn proxied_client_builder() -> reqwest::ClientBuilder {
    match proxy::env_proxy() {
        Some(proxy) => client_builder().proxy(proxy),
        None => client_builder(),
    }
}

/// The common settings of all clients.
pub fn client_builder() -> reqwest::ClientBuilder {
    // This fails only if a provider is already installed, which can be used as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Resolver)
        .user_agent(concat!("mscommerce/", env!("CARGO_PKG_VERSION")))
}
