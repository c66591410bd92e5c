//! Trusted root certificates, from the system or `SSL_CERT_FILE`.

use std::ffi::OsString;
use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use super::HttpError;
use crate::environment::process_variable;

/// Variables in which other tools look for a CA file (Python's requests and the Azure CLI, curl).
const FOREIGN_CA_VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Whether the platform verifier reads `SSL_CERT_FILE` itself.
const VERIFIER_READS_SSL_CERT_FILE: bool = cfg!(all(unix, not(target_os = "macos")));

/// The CA bundles of Linux distributions: Debian, Fedora, openSUSE, Alpine.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The system's CA bundle. `None` if a variable overrides it or the file does not exist.
///
/// The platform verifier also reads the directory of individual certificates, which takes longer than the rest of a
/// short command.
pub fn system_bundle() -> Option<&'static Path> {
    let is_overridden = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| is_set(name));
    let has_bundle = cfg!(target_os = "linux") && !is_overridden;
    SYSTEM_BUNDLES.iter().map(Path::new).find(|path| has_bundle && path.is_file())
}

/// The sources of root certificates, each with the variable that specifies it.
pub fn describe_roots() -> Vec<(String, &'static str)> {
    // A verifier that reads `SSL_CERT_FILE` also reads `SSL_CERT_DIR`.
    let variables =
        if VERIFIER_READS_SSL_CERT_FILE { &["SSL_CERT_FILE", "SSL_CERT_DIR"][..] } else { &["SSL_CERT_FILE"] };
    let path_in = |variable: &&'static str| {
        let path = process_variable(variable)?;
        Some((path.display().to_string(), *variable))
    };
    let sources: Vec<_> = variables.iter().filter_map(path_in).collect();
    if sources.is_empty() { vec![("system store".to_owned(), "default")] } else { sources }
}

/// Sets the root certificates of a client.
///
/// `SSL_CERT_FILE` replaces the system's roots, as in OpenSSL and curl. On Linux, the platform verifier reads it
/// together with `SSL_CERT_DIR`, but does not report an unusable file. On macOS and Windows, the verifier ignores it.
/// Unless `platform_roots` is set, the client uses only the system's CA bundle, if there is one.
///
/// # Errors
/// Fails if `SSL_CERT_FILE` cannot be read or contains no certificate.
pub fn configure_roots(builder: ClientBuilder, platform_roots: bool) -> Result<ClientBuilder, HttpError> {
    if !platform_roots && let Some(certificates) = system_bundle().and_then(read_bundle) {
        return Ok(builder.tls_certs_only(certificates));
    }
    let Some(certificates) = load_ca_file()? else { return Ok(builder) };
    // Without a directory, skip the verifier, which would read the file again.
    let needs_verifier = VERIFIER_READS_SSL_CERT_FILE && (platform_roots || is_set("SSL_CERT_DIR"));
    Ok(if needs_verifier { builder } else { builder.tls_certs_only(certificates) })
}

/// The variable of another tool that names a CA file, if this tool's variables name none.
pub fn foreign_ca_variable() -> Option<&'static str> {
    let is_configured = is_set("SSL_CERT_FILE") || is_set("SSL_CERT_DIR");
    FOREIGN_CA_VARIABLES.into_iter().find(|name| is_set(name) && !is_configured)
}

/// Whether the environment variable is set and not empty.
pub fn is_set(variable: &str) -> bool {
    process_variable(variable).is_some()
}

/// The value of `SSL_CERT_FILE`.
pub fn ca_file() -> Option<OsString> {
    process_variable("SSL_CERT_FILE")
}

/// Loads the certificates in `SSL_CERT_FILE`, if it is set. Fails if there are none, because nothing would be trusted.
fn load_ca_file() -> Result<Option<Vec<Certificate>>, HttpError> {
    let Some(path) = ca_file() else { return Ok(None) };
    let path_text = path.to_string_lossy();
    let pem = std::fs::read(&path).map_err(|error| HttpError::invalid_ca_file(&path_text, &error))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| HttpError::invalid_ca_file(&path_text, &error))?;
    if certificates.is_empty() {
        return Err(HttpError::invalid_ca_file(&path_text, &"the file does not contain a PEM certificate"));
    }
    Ok(Some(certificates))
}

/// Reads the certificates in a bundle. Returns `None` if it is unreadable or empty.
fn read_bundle(path: &Path) -> Option<Vec<Certificate>> {
    let certificates = Certificate::from_pem_bundle(&std::fs::read(path).ok()?).ok()?;
    (!certificates.is_empty()).then_some(certificates)
}
