//! The clients that requests are sent with, each built when it is needed first: one for plain http to this machine, and one
//! or two for https.

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use url::Url;

use super::{HttpError, diagnosis, is_loopback, proxy, tls};

/// The longest that opening a connection may take, whatever `--timeout` says.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is built so far.
#[derive(Default)]
pub struct Clients {
    plain: OnceCell<reqwest::Client>,
    secure: OnceCell<reqwest::Client>,
    /// Trusts everything that the system trusts, where `secure` begins with less.
    trusting_all: OnceCell<reqwest::Client>,
    is_trusting_all: Cell<bool>,
}

impl Clients {
    /// Whether a request that is made now is judged by everything that the system trusts.
    pub fn trusts_all(&self) -> bool {
        self.is_trusting_all.get() || tls::bundle().is_none()
    }

    /// Trusts everything that the system trusts from now on.
    pub fn trust_all(&self) {
        self.is_trusting_all.set(true);
    }

    /// The client for requests to `url`.
    pub fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        let is_plain = url.scheme() == "http";
        if is_plain && !is_loopback(url) {
            return Err(HttpError::plain(url));
        }
        if let (false, Some(variable)) = (is_plain, proxy::unusable_variable(url)) {
            return Err(HttpError::unusable_proxy(variable));
        }
        let is_trusting_all = self.is_trusting_all.get();
        let cell = match (is_plain, is_trusting_all) {
            (true, _) => &self.plain,
            (false, false) => &self.secure,
            (false, true) => &self.trusting_all,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = build(is_plain, is_trusting_all)?;
        Ok(cell.get_or_init(|| client))
    }
}

/// Plain http is for addresses of this machine alone: it must not leave it through a proxy, and needs no
/// certificates.
fn build(is_plain: bool, is_trusting_all: bool) -> Result<reqwest::Client, HttpError> {
    // Fails only where a provider is installed already, which then serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(diagnosis::Resolver)
        .user_agent(concat!("mscommerce/", env!("CARGO_PKG_VERSION")));
    let builder = if is_plain { builder.no_proxy().tls_certs_only([]) } else { tls::trust(builder, is_trusting_all)? };
    match builder.build() {
        // A certificate in the system's file that cannot be used must not keep us from the others.
        Err(_) if !is_plain && !is_trusting_all => build(is_plain, true),
        built => built.map_err(|error| HttpError::unusable_client(&error)),
    }
}
