//! Tests each hop of a request for `doctor`: proxy, DNS, TCP connection, TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::dns::lookup_host;
use super::proxy::{self, Proxy};
use super::reqwest_clients::{CONNECT_TIMEOUT, check_url, client_builder, proxied_client_builder};
use super::transport_error::DnsError;
use super::{Client, Delivery, HttpError, RetryPolicy, host_and_port};
use crate::text::sanitize_line;

/// The timeout of the TLS check: enough to open a connection and receive a short response.
const TLS_CHECK_TIMEOUT: Duration = CONNECT_TIMEOUT.saturating_mul(2);

/// The route from this machine to a host, through a proxy if one is configured.
pub struct Route {
    url: Url,
    pub proxy: Option<Proxy>,
}

/// The result of a successful TCP connection test.
pub struct TcpConnection {
    /// The address that accepted the connection.
    pub peer: SocketAddr,
    pub elapsed: Duration,
    /// The addresses that were tried before and did not accept a connection.
    pub unreachable: Vec<SocketAddr>,
}

impl Route {
    /// Determines the route to `url`. Fails if a proxy variable is invalid or the proxy's scheme is not supported.
    pub fn new(url: &Url) -> Result<Self, HttpError> {
        check_url(url)?;
        match proxy::proxy_for(url) {
            Some(proxy) if !proxy.is_supported => {
                Err(HttpError::proxy_rejected("unsupported scheme", &host_and_port(url), &proxy.display))
            }
            proxy => Ok(Self { url: url.clone(), proxy }),
        }
    }

    /// The `NO_PROXY` variable that exempts the host from the configured proxy.
    pub fn bypassed_by(&self) -> Option<&'static str> {
        proxy::bypassed_by(&self.url)
    }

    /// Whether requests use plain HTTP, which is allowed only to this machine.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Resolves the proxy if there is one, otherwise the host.
    pub async fn resolve(&self, http: &Client) -> Result<Vec<SocketAddr>, HttpError> {
        let (name, port) = match &self.proxy {
            Some(proxy) => (proxy.host.as_str(), proxy.port),
            None => (self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or(443)),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let failure = |reason: &str| DnsError { name: name.to_owned(), reason: reason.to_owned() };
        let result = match tokio::time::timeout(connect_timeout(http), lookup_host(name, port)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => Err(failure("the name has no IP address")),
            Ok(result) => result,
            Err(_) => Err(failure("no DNS server responded in time")),
        };
        let proxy = self.proxy.as_ref().map(|proxy| proxy.display.as_str());
        result.map_err(|error| HttpError::dns_failure(&error, proxy))
    }

    /// Connects to the first address that accepts a connection. Divides the timeout among the addresses, so that an
    /// unresponsive one, such as an IPv6 address without a route, leaves time for the others.
    pub async fn connect(&self, addresses: &[SocketAddr], http: &Client) -> Result<TcpConnection, HttpError> {
        let peer = match &self.proxy {
            Some(proxy) => format!("the proxy {}", proxy.display),
            None => host_and_port(&self.url),
        };
        let deadline = Instant::now() + connect_timeout(http);
        let (mut unreachable, mut last_error) = (Vec::new(), None);
        for (address, untried) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let started = Instant::now();
            let share = deadline.saturating_duration_since(started) / u32::try_from(untried).unwrap_or(u32::MAX);
            last_error = Some(match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(TcpConnection { peer: *address, elapsed: started.elapsed(), unreachable }),
                Ok(Err(error)) => HttpError::unreachable(&peer, Some(&error), &error.to_string()),
                Err(_) => HttpError::connect_timeout(&peer),
            });
            unreachable.push(*address);
        }
        Err(last_error.unwrap_or_else(|| HttpError::connect_timeout(&peer)))
    }

    /// Tests TLS with a request without credentials. Any response proves that the connection is trusted.
    pub async fn check_tls(&self, http: &Client) -> Result<(), HttpError> {
        let request = http.request(Method::GET, self.url.clone())?.timeout(TLS_CHECK_TIMEOUT).build();
        let request = request.map_err(|error| HttpError::invalid_request(&error))?;
        match http.send(request, RetryPolicy::Never).await {
            Err(error) if error.delivery != Delivery::Responded => Err(error),
            _ => Ok(()),
        }
    }

    /// Fetches the certificate of the host, trusted or not. Returns `None` if the handshake fails before that.
    ///
    /// reqwest's `TlsInfo` has no certificate for a host behind a proxy or an untrusted host. The handshake is aborted
    /// when the certificate arrives, so that no request or credential is sent over the unverified connection.
    pub async fn fetch_certificate(&self, http: &Client) -> Option<PeerCertificate> {
        let recorder = Arc::new(CertificateRecorder {
            host: ServerName::try_from(self.url.host_str()?.trim_matches(['[', ']']).to_owned()).ok()?,
            certificate: Mutex::default(),
        });
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(recorder.clone())
            .with_no_client_auth();
        let builder = match self.proxy.as_ref().filter(|proxy| proxy.is_secure) {
            // Omit the proxy's password, because the proxy's certificate is not verified either.
            Some(proxy) => client_builder().proxy(reqwest::Proxy::https(&proxy.display).ok()?),
            None => proxied_client_builder(),
        };
        let request =
            builder.tls_backend_preconfigured(tls).build().ok()?.get(self.url.clone()).timeout(connect_timeout(http));
        let _ = request.send().await;
        recorder.certificate.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn connect_timeout(http: &Client) -> Duration {
    http.remaining().min(CONNECT_TIMEOUT)
}

/// The names in a host's certificate chain.
#[derive(Debug)]
pub struct PeerCertificate {
    pub subject: String,
    /// The issuer of the host's certificate, followed by those of the intermediate certificates.
    pub issuers: Vec<String>,
}

impl PeerCertificate {
    fn from_der(end_entity: &CertificateDer, intermediates: &[CertificateDer]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(end_entity).ok()?;
        let intermediates = intermediates.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let issuers = intermediates.map(|(_, intermediate)| display_name(intermediate.issuer()));
        Some(Self {
            subject: display_name(certificate.subject()),
            issuers: std::iter::once(display_name(certificate.issuer())).chain(issuers).collect(),
        })
    }
}

/// Formats common name and organization: `DigiCert Global G2 TLS RSA SHA256 2020 CA1 (DigiCert Inc)`.
fn display_name(name: &X509Name) -> String {
    // An untrusted server chooses these names.
    let common_name = name.iter_common_name().find_map(|part| part.as_str().ok().map(sanitize_line));
    let organization = name.iter_organization().find_map(|part| part.as_str().ok().map(sanitize_line));
    match (common_name, organization) {
        (Some(common_name), Some(organization)) => format!("{common_name} ({organization})"),
        (Some(name), None) | (None, Some(name)) => name,
        (None, None) => "no name".to_owned(),
    }
}

/// A verifier that records and rejects the host's certificate. It accepts the certificate of a proxy.
#[derive(Debug)]
struct CertificateRecorder {
    host: ServerName<'static>,
    certificate: Mutex<Option<PeerCertificate>>,
}

impl ServerCertVerifier for CertificateRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *server_name != self.host {
            return Ok(ServerCertVerified::assertion());
        }
        *self.certificate.lock().unwrap_or_else(PoisonError::into_inner) =
            PeerCertificate::from_der(end_entity, intermediates);
        Err(rustls::Error::General("the certificate is recorded".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
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
    async fn connect_skips_and_reports_refused_addresses() {
        let localhost = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // The operating system refuses connections to a bound port without a listener.
        let refusing = TcpSocket::new_v4().expect("a socket");
        refusing.bind(localhost).expect("a port");
        let listener = TcpListener::bind(localhost).await.expect("a listener");
        let addresses = [refusing.local_addr(), listener.local_addr()].map(|address| address.expect("an address"));
        let input = Input::from_bytes(Vec::new());
        let tty = TtyInfo::probe(&input);
        let ui = Ui::new(input, tty, UiOptions::default(), &Environment::default());
        let http = Client::new(Duration::from_secs(60), 1, ui, Interrupt::default());
        let route = Route::new(&Url::parse("http://localhost").expect("a URL")).expect("a route");
        let connection = route.connect(&addresses, &http).await.expect("a connection");
        assert_eq!(connection.peer, addresses[1]);
        assert_eq!(connection.unreachable, addresses[..1]);
        let error = route.connect(&addresses[..1], &http).await.err().expect("an error");
        assert!(error.message.contains("refused the connection"), "{error}");
    }
}
