//! Which certificate authorities are trusted: the system's, and those of `SSL_CERT_FILE`.

use std::ffi::OsString;

use reqwest::{Certificate, ClientBuilder};

use super::Failure;

/// The file that `SSL_CERT_FILE` names.
pub(super) fn file() -> Option<OsString> {
    std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty())
}

/// `SSL_CERT_FILE` stands in for the system's authorities, as it does for OpenSSL and curl. On Linux the
/// platform's verifier reads it itself, beside `SSL_CERT_DIR`, but is silent about a file it cannot use; on macOS
/// and Windows it does not look at it.
pub(super) fn trust(builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
    let Some(path) = file() else { return Ok(builder) };
    let shown = path.to_string_lossy();
    let pem = std::fs::read(&path).map_err(|error| Failure::certificates(&shown, &error))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| Failure::certificates(&shown, &error))?;
    if certificates.is_empty() {
        return Err(Failure::certificates(&shown, &"it holds no certificate in PEM form"));
    }
    let is_read_by_verifier = cfg!(all(unix, not(target_os = "macos")));
    Ok(if is_read_by_verifier { builder } else { builder.tls_certs_only(certificates) })
}
