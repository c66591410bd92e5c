//! A look at the certificates that a host shows, be they trusted or not.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_rustls::TlsConnector;
use url::Url;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::{Line, Secured};
use crate::http::HttpError;
use crate::http::diagnosis::tls_failure;
use crate::http::error::host;
use crate::http::tls;

/// Whom a certificate is for, and who issued it: their names as far as they have some.
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
}

/// Makes a secure connection and says what was shown. A certificate that is not trusted does not end it, so that its
/// issuer can be named; nothing is ever sent over the connection.
pub async fn look(stream: Line, url: &Url) -> Result<Secured, HttpError> {
    let host = host(url);
    let name = server_name(url.host_str().unwrap_or_default())?;
    let onlooker = Arc::new(Onlooker { inner: tls::verifier()?, seen: Mutex::default() });
    let connected = connector(onlooker.clone(), &host)?.connect(name, stream).await;
    let connection = connected.map_err(|error| broken_off(&error, &host))?;
    let version = match connection.get_ref().1.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let seen = std::mem::take(&mut *onlooker.seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Secured {
        version: version.to_owned(),
        chain: seen.chain,
        distrust: seen.distrust.map(|error| tls_failure(&error, &host, true)),
    })
}

/// Makes TLS connections to servers that `verifier` accepts; `whom` is named where that fails.
pub fn connector(verifier: Arc<dyn ServerCertVerifier>, whom: &str) -> Result<TlsConnector, HttpError> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls_failure(&error, whom, true))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The name that a server's certificate has to be for; an address of IPv6 may stand in brackets.
pub fn server_name(host: &str) -> Result<ServerName<'static>, HttpError> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(name).map_err(|error| HttpError::new(format!("{host}: {error}")).before_sending())
}

pub fn broken_off(error: &io::Error, host: &str) -> HttpError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => tls_failure(error, host, true),
        None => HttpError::new(format!("{host} broke off while the secure connection (TLS) was being made"))
            .with_detail(error)
            .with_hint("look for a proxy or a security product in between")
            .before_sending(),
    }
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Certificate>,
    distrust: Option<rustls::Error>,
}

/// Has certificates judged as for any request, and remembers the judgement in the place of acting on it.
#[derive(Debug)]
struct Onlooker {
    inner: Arc<dyn ServerCertVerifier>,
    seen: Mutex<Seen>,
}

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let distrust = self.inner.verify_server_cert(end_entity, intermediates, name, ocsp, now).err();
        let chain = std::iter::once(end_entity).chain(intermediates).filter_map(Certificate::of).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen { chain, distrust };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} by {}", self.subject, self.issuer)
    }
}

impl Certificate {
    fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self { subject: name_of(certificate.subject()), issuer: name_of(certificate.issuer()) })
    }
}

/// Common name and organization, as far as there are some: `DigiCert Global G2 TLS RSA SHA256 2020 CA1 (DigiCert Inc)`.
fn name_of(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|part| part.as_str().ok());
    let organization = name.iter_organization().find_map(|part| part.as_str().ok());
    match (common, organization) {
        (Some(common), Some(organization)) => format!("{common} ({organization})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "no name".to_owned(),
    }
}
