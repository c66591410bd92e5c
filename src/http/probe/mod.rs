//! The way of a request, walked by hand: to say where it stops.

mod look;
mod tunnel;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use url::Url;

use super::clients::CONNECT_TIMEOUT;
use super::diagnosis::{self, DnsError};
use super::error::host;
use super::{Client, HttpError, is_loopback, lookup, proxy};
pub use look::Certificate;
pub use tunnel::Line;

/// What is on the way to an address.
pub struct Way {
    url: Url,
    proxy: Option<proxy::OnTheWay>,
}

/// What the other side of a TLS connection showed.
pub struct Secured {
    /// Such as `TLS 1.3`.
    pub version: String,
    /// The certificates as they were shown, the server's own first.
    pub chain: Vec<Certificate>,
    /// Why the certificate is not trusted, where it is not.
    pub distrust: Option<HttpError>,
}

/// A connection, and how it came about.
pub struct Connected {
    pub stream: TcpStream,
    pub elapsed: Duration,
    /// The addresses that were tried before, and took none.
    pub passed_over: Vec<SocketAddr>,
}

impl Way {
    /// The way to `url`. Fails where a variable names a proxy that cannot be one, or one of a kind that is not supported.
    pub fn to(url: &Url) -> Result<Self, HttpError> {
        if url.scheme() == "http" {
            return if is_loopback(url) {
                Ok(Self { url: url.clone(), proxy: None })
            } else {
                Err(HttpError::plain(url))
            };
        }
        if let Some(variable) = proxy::unusable_variable(url) {
            return Err(HttpError::unusable_proxy(variable));
        }
        let way = Self { url: url.clone(), proxy: proxy::on_the_way(url) };
        match &way.proxy {
            Some(proxy) if !proxy.is_supported => {
                Err(diagnosis::refused_by_proxy("unsupported scheme", &way.host(), &proxy.shown))
            }
            _ => Ok(way),
        }
    }

    /// The host that is asked for, with its port where it is not the usual one.
    pub fn host(&self) -> String {
        host(&self.url)
    }

    /// The proxy in between and what names it, if there is one.
    pub fn proxy(&self) -> Option<(&str, &str)> {
        self.proxy.as_ref().map(|proxy| (proxy.shown.as_str(), proxy.origin))
    }

    /// The variable that keeps the host from the proxy that another variable names.
    pub fn excepted_by(&self) -> Option<&'static str> {
        proxy::excepted_by(&self.url)
    }

    /// Whether it is plain http, to this machine.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The addresses of whoever is connected to: the proxy, else the host.
    pub async fn addresses(&self, http: &Client) -> Result<Vec<SocketAddr>, HttpError> {
        let (name, port) = match &self.proxy {
            Some(proxy) => (proxy.host.clone(), proxy.port),
            None => {
                (self.url.host_str().unwrap_or_default().to_owned(), self.url.port_or_known_default().unwrap_or(443))
            }
        };
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let via = self.proxy.as_ref().map(|proxy| proxy.shown.as_str());
        let failed = |reason: String| diagnosis::unknown_address(&DnsError::new(&name, reason), via);
        let patience = http.remaining().min(CONNECT_TIMEOUT);
        let found = tokio::time::timeout(patience, lookup::addresses(&name, port)).await;
        let found = found.map_err(|_| failed("no server for names answered in time".to_owned()))?;
        let addresses = found.map_err(|error| failed(error.to_string()))?;
        if addresses.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(addresses) }
    }

    /// A connection to the first of these addresses that takes one. Each gets its share of the time, so that one that
    /// says nothing, such as an IPv6 address without a way to it, does not use up what another would need.
    pub async fn connect(&self, addresses: &[SocketAddr], http: &Client) -> Result<Connected, HttpError> {
        let whom = self.proxy.as_ref().map_or_else(|| self.host(), |proxy| format!("the proxy {}", proxy.shown));
        let deadline = Instant::now() + http.remaining().min(CONNECT_TIMEOUT);
        let (mut passed_over, mut failure) = (Vec::new(), None);
        for (address, still_to_try) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let started = Instant::now();
            let share = deadline.saturating_duration_since(started) / u32::try_from(still_to_try).unwrap_or(u32::MAX);
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(Connected { stream, elapsed: started.elapsed(), passed_over }),
                Ok(Err(error)) => failure = Some(diagnosis::unreachable(&whom, Some(&error), &error.to_string())),
                Err(_) => failure = Some(diagnosis::not_in_time(&whom)),
            }
            passed_over.push(*address);
        }
        Err(failure.unwrap_or_else(|| diagnosis::not_in_time(&whom)))
    }

    /// Has the proxy, where there is one, let the connection through to the host.
    pub async fn pass_proxy(&self, stream: TcpStream, http: &Client) -> Result<Line, HttpError> {
        let Some(proxy) = &self.proxy else { return Ok(Box::new(stream)) };
        let patience = http.remaining().min(CONNECT_TIMEOUT);
        match tokio::time::timeout(patience, tunnel::pass(stream, proxy, &self.url)).await {
            Ok(result) => result,
            Err(_) => Err(diagnosis::refused_by_proxy("it did not answer in time", &self.host(), &proxy.shown)),
        }
    }

    /// Makes a secure connection, looks at what is shown, and closes it: nothing is sent over it.
    pub async fn secure(&self, stream: Line, http: &Client) -> Result<Secured, HttpError> {
        let host = self.host();
        let patience = http.remaining().min(CONNECT_TIMEOUT);
        match tokio::time::timeout(patience, look::look(stream, &self.url)).await {
            Ok(result) => result,
            Err(_) => Err(diagnosis::not_in_time(&host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;
    use crate::environment::Environment;
    use crate::input::Input;
    use crate::interrupt::Interrupt;
    use crate::ui::{TtyInfo, Ui, UiOptions};

    #[tokio::test]
    async fn an_address_that_takes_no_connection_is_passed_over_and_told() {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // A port that is taken, but where nobody listens, refuses connections.
        let refusing = TcpSocket::new_v4().expect("a socket");
        refusing.bind(here).expect("a port");
        let listener = TcpListener::bind(here).await.expect("a listener");
        let addresses = [refusing.local_addr(), listener.local_addr()].map(|address| address.expect("an address"));
        let input = Input::from_bytes(Vec::new());
        let tty = TtyInfo::probe(&input);
        let ui = Ui::new(input, tty, UiOptions::default(), &Environment::default());
        let http = Client::new(Duration::from_secs(60), ui, Interrupt::default());
        let way = Way::to(&Url::parse("http://localhost").expect("a URL")).expect("a way");
        let connected = way.connect(&addresses, &http).await.expect("a connection");
        assert_eq!(connected.stream.peer_addr().expect("a peer"), addresses[1]);
        assert_eq!(connected.passed_over, addresses[..1]);
        let error = way.connect(&addresses[..1], &http).await.err().expect("a failure");
        assert!(error.to_string().contains("refused the connection"), "{error}");
    }
}
