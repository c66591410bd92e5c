//! Which certificate authorities are trusted: the system's, and those of `SSL_CERT_FILE`.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use reqwest::{Certificate, ClientBuilder};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::HttpError;

/// Whether the platform's verifier reads `SSL_CERT_FILE` itself.
const IS_READ_BY_VERIFIER: bool = cfg!(all(unix, not(target_os = "macos")));

/// The file that `SSL_CERT_FILE` names.
pub fn file() -> Option<OsString> {
    std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty())
}

/// Where Linux distributions keep all the authorities that they trust in one file: Debian, Fedora, openSUSE, Alpine.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The system's one file of authorities, where there is one and nothing says to look elsewhere. The system's verifier
/// reads the directory of single files beside it, too, which takes longer than the rest of a short command.
pub fn bundle() -> Option<&'static Path> {
    let is_chosen = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    let may_be_there = cfg!(target_os = "linux") && !is_chosen;
    BUNDLES.iter().map(Path::new).find(|path| may_be_there && path.is_file())
}

/// Where the authorities that are trusted are read from, and what says so.
pub fn trusted() -> Vec<(String, &'static str)> {
    // The directory is read by the verifier that reads the file, too.
    let variables = if IS_READ_BY_VERIFIER { &["SSL_CERT_FILE", "SSL_CERT_DIR"][..] } else { &["SSL_CERT_FILE"] };
    let path_in = |variable: &&'static str| {
        let path = std::env::var_os(variable).filter(|path| !path.is_empty())?;
        Some((path.display().to_string(), *variable))
    };
    let chosen: Vec<_> = variables.iter().filter_map(path_in).collect();
    if chosen.is_empty() { vec![("the system's".to_owned(), "default")] } else { chosen }
}

/// `SSL_CERT_FILE` stands in for the system's authorities, as it does for OpenSSL and curl. On Linux the
/// platform's verifier reads it itself, beside `SSL_CERT_DIR`, but is silent about a file it cannot use; on macOS
/// and Windows it does not look at it. Without `everything`, one file will do where there is one.
pub fn trust(builder: ClientBuilder, everything: bool) -> Result<ClientBuilder, HttpError> {
    let bundled = bundle().filter(|_| !everything).and_then(certificates_in);
    if let Some(certificates) = bundled {
        return Ok(builder.tls_certs_only(certificates));
    }
    let Some(named) = named()? else { return Ok(builder) };
    // The verifier would read the file once more; for the directory beside it, it is needed.
    let needs_verifier = IS_READ_BY_VERIFIER && (everything || std::env::var_os("SSL_CERT_DIR").is_some());
    Ok(if needs_verifier { builder } else { builder.tls_certs_only(named.certificates) })
}

/// The file that `SSL_CERT_FILE` names, and what it holds.
struct Named {
    path: OsString,
    pem: Vec<u8>,
    certificates: Vec<Certificate>,
}

/// Read and judged as a whole: a file without certificates would leave nothing to trust.
fn named() -> Result<Option<Named>, HttpError> {
    let Some(path) = file() else { return Ok(None) };
    let shown = path.to_string_lossy();
    let pem = std::fs::read(&path).map_err(|error| HttpError::certificates(&shown, &error))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| HttpError::certificates(&shown, &error))?;
    if certificates.is_empty() {
        return Err(HttpError::certificates(&shown, &"it holds no certificate in PEM form"));
    }
    Ok(Some(Named { path, pem, certificates }))
}

/// Judges the certificates of others as the clients do: by all that the system trusts, or by `SSL_CERT_FILE`.
pub fn verifier() -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    match named()?.filter(|_| !IS_READ_BY_VERIFIER) {
        Some(named) => by_file(&named.path.to_string_lossy(), &named.pem, provider),
        None => match rustls_platform_verifier::Verifier::new(provider) {
            Ok(verifier) => Ok(Arc::new(verifier)),
            Err(error) => Err(HttpError::unusable_roots_or_proxy(&error.to_string())),
        },
    }
}

fn by_file(shown: &str, pem: &[u8], provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem).flatten() {
        roots.add(certificate).map_err(|error| HttpError::certificates(shown, &error))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(verifier.map_err(|error| HttpError::certificates(shown, &error))?)
}

/// The certificates of a bundle; `None` where they cannot be had from it.
fn certificates_in(bundle: &Path) -> Option<Vec<Certificate>> {
    let certificates = Certificate::from_pem_bundle(&std::fs::read(bundle).ok()?).ok()?;
    (!certificates.is_empty()).then_some(certificates)
}
