//! The trusted certificate authorities: the system's, or those in `SSL_CERT_FILE`.

use std::ffi::OsString;
use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use super::HttpError;
use super::error::root_cause;

/// Whether the platform verifier reads `SSL_CERT_FILE` itself.
const VERIFIER_READS_SSL_CERT_FILE: bool = cfg!(all(unix, not(target_os = "macos")));

/// The files in which Linux distributions keep all trusted authorities: Debian, Fedora, openSUSE, Alpine.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The system's bundle of authorities, unless a variable names another source. The platform verifier also reads the
/// directory of single files beside it, which takes longer than the rest of a short command.
pub fn system_bundle() -> Option<&'static Path> {
    let is_overridden = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    let has_bundle = cfg!(target_os = "linux") && !is_overridden;
    SYSTEM_BUNDLES.iter().map(Path::new).find(|path| has_bundle && path.is_file())
}

/// The sources of the trusted authorities, each with the variable that names it.
pub fn describe_roots() -> Vec<(String, &'static str)> {
    // The verifier that reads the file reads the directory, too.
    let variables =
        if VERIFIER_READS_SSL_CERT_FILE { &["SSL_CERT_FILE", "SSL_CERT_DIR"][..] } else { &["SSL_CERT_FILE"] };
    let path_in = |variable: &&'static str| {
        let path = std::env::var_os(variable).filter(|path| !path.is_empty())?;
        Some((path.display().to_string(), *variable))
    };
    let sources: Vec<_> = variables.iter().filter_map(path_in).collect();
    if sources.is_empty() { vec![("the system's".to_owned(), "default")] } else { sources }
}

/// Sets the trusted authorities of a client.
///
/// `SSL_CERT_FILE` replaces the system's authorities, as for OpenSSL and curl. On Linux the platform verifier reads it
/// itself, together with `SSL_CERT_DIR`, but does not report a file that it cannot use; on macOS and Windows it ignores
/// it. Without `platform_roots`, a single file is enough if there is one.
pub fn configure_roots(builder: ClientBuilder, platform_roots: bool) -> Result<ClientBuilder, HttpError> {
    if !platform_roots && let Some(certificates) = system_bundle().and_then(read_bundle) {
        return Ok(builder.tls_certs_only(certificates));
    }
    let Some(certificates) = load_ca_file()? else { return Ok(builder) };
    // The verifier would read the file again. It is needed for the directory.
    let needs_verifier = VERIFIER_READS_SSL_CERT_FILE && (platform_roots || std::env::var_os("SSL_CERT_DIR").is_some());
    Ok(if needs_verifier { builder } else { builder.tls_certs_only(certificates) })
}

/// Why a client could not be built: its roots or its proxy are not usable.
pub fn client_setup(error: &reqwest::Error) -> HttpError {
    let cause = root_cause(error);
    let cause = cause.trim_start_matches("unexpected error: ");
    let has_no_roots = cause.contains("No CA certificates");
    if (has_no_roots || cause.contains("peer certificate"))
        && let Some(path) = ca_file()
    {
        return HttpError::invalid_ca_file(&path.to_string_lossy(), &"it holds no certificate that can be used");
    }
    let hint = if has_no_roots {
        "install the system's root certificates (on Debian and Ubuntu: apt install ca-certificates), or name a file of them in SSL_CERT_FILE"
    } else {
        "look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE: proxies must be http:// or https://"
    };
    HttpError::new("the network client could not be set up").with_detail(cause).with_hint(hint).not_sent()
}

fn ca_file() -> Option<OsString> {
    std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty())
}

/// The certificates in `SSL_CERT_FILE`, if it is set. A file without certificates is an error: nothing would be trusted.
fn load_ca_file() -> Result<Option<Vec<Certificate>>, HttpError> {
    let Some(path) = ca_file() else { return Ok(None) };
    let path_text = path.to_string_lossy();
    let pem = std::fs::read(&path).map_err(|error| HttpError::invalid_ca_file(&path_text, &error))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| HttpError::invalid_ca_file(&path_text, &error))?;
    if certificates.is_empty() {
        return Err(HttpError::invalid_ca_file(&path_text, &"it holds no certificate in PEM form"));
    }
    Ok(Some(certificates))
}

/// The certificates in a bundle; `None` if it is not usable.
fn read_bundle(path: &Path) -> Option<Vec<Certificate>> {
    let certificates = Certificate::from_pem_bundle(&std::fs::read(path).ok()?).ok()?;
    (!certificates.is_empty()).then_some(certificates)
}
